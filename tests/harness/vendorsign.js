// SPDX-License-Identifier: BSD-2-Clause
// Signatures of calls by the services' own libraries: JSON in, JSON out.
//   node vendorsign.js FOLDER     (the folder of judge.sh)
// {"twilio": {"token", "url", "form"}} -> {"twilio": signature}
// {"sendgrid": {"pem", "time", "body"}} -> {"sendgrid": {"signature", "key", "fits"}}
const fs = require("fs");
const path = require("path");
const folder = path.resolve(process.argv[2]);
const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const said = {};

if (asked.twilio) {
  const lib = require(`${folder}/twilio/lib/webhooks/webhooks.js`);
  const { token, url, form } = asked.twilio;
  said.twilio = lib.getExpectedTwilioSignature(token, url, form);
  if (!lib.validateRequest(token, said.twilio, url, form)) {
    throw new Error("the library does not take its own signature");
  }
}
if (asked.sendgrid) {
  const from = { paths: [folder] };
  const ec = require(require.resolve("starkbank-ecdsa", from));
  const { EventWebhook } = require(require.resolve("@sendgrid/eventwebhook", from));
  const { pem, time, body } = asked.sendgrid;
  const key = ec.PrivateKey.fromPem(pem);
  const signature = ec.Ecdsa.sign(time + body, key).toBase64();
  const shown = key.publicKey().toPem().replace(/-----[^-]*-----|\s/g, "");
  const hook = new EventWebhook();
  said.sendgrid = { signature, key: shown,
    fits: hook.verifySignature(hook.convertPublicKeyToECDSA(shown), body, signature, time) };
}
console.log(JSON.stringify(said));
