# SPDX-License-Identifier: BSD-2-Clause
"""A token server, strictly, before the Table API of fake_servicenow.

Assertions (RFC 7523) are read as the RFC says: signature by openssl(1) with the public key,
iss, sub, aud, times within limits, a jti that was not seen, kid. Refresh tokens are good for
one use: another use ends the whole family, as RFC 9700 advises.
"""
import base64
import json
import os
import subprocess
import tempfile
import time
import urllib.parse

from harness.fake_servicenow import ServiceNow
from harness.vendor import Refuse

JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def openssl(*args):
    return subprocess.run(["openssl", *args], check=True, capture_output=True).stdout


def make_key(path, kind):
    how = {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
           "short": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
           "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
           "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]}[kind]
    openssl("genpkey", *how, "-out", path)
    openssl("pkey", "-in", path, "-pubout", "-out", path + ".pub")
    return path


def decode(text):
    assert "=" not in text and "+" not in text and "/" not in text, "base64url has neither"
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def der(raw):
    """r and s of ES256 as openssl(1) reads them."""
    assert len(raw) == 64
    out = b""
    for half in (raw[:32], raw[32:]):
        n = half.lstrip(b"\0") or b"\0"
        n = b"\0" + n if n[0] & 0x80 else n
        out += bytes((2, len(n))) + n
    return bytes((0x30, len(out))) + out


class OAuth(ServiceNow):
    def __init__(self):
        super().__init__()
        self.public = self.kid = None
        self.algorithm = "RS256"
        self.audience = f"{self.url}/oauth_token.do"
        self.client_secret = ""
        self.seen_ids, self.claims = set(), []
        self.refresh = None  # the one that is good; None: that grant is not offered
        self.used, self.ended = set(), False

    def assertion(self, token):
        head, body, signature = token.split(".")
        with tempfile.TemporaryDirectory() as d:
            raw = decode(signature)
            with open(f"{d}/sig", "wb") as f:
                f.write(raw if self.algorithm == "RS256" else der(raw))
            with open(f"{d}/data", "wb") as f:
                f.write(f"{head}.{body}".encode())
            good = subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.public,
                                   "-signature", f"{d}/sig", f"{d}/data"],
                                  capture_output=True, check=False).returncode == 0
        if not good:
            raise Refuse(400, {"error": "invalid_grant"})
        head, claims = json.loads(decode(head)), json.loads(decode(body))
        assert head.pop("alg") == self.algorithm and head.pop("typ") == "JWT"
        assert head == ({"kid": self.kid} if self.kid else {}), head
        now = time.time()
        assert isinstance(claims["iat"], int) and isinstance(claims["exp"], int)
        fits = (claims["iss"], claims["sub"], claims["aud"]) == \
            (self.client, self.user, self.audience) and \
            now - 120 <= claims["iat"] <= now < claims["exp"] <= now + 300 and \
            claims["jti"] not in self.seen_ids
        self.claims.append(claims)
        self.seen_ids.add(claims["jti"])
        if not fits:
            raise Refuse(400, {"error": "invalid_grant"})

    def rotate(self, given):
        if given in self.used:
            self.ended = True
        if given != self.refresh or self.ended:
            raise Refuse(400, {"error": "invalid_grant"})
        self.used.add(given)
        self.refresh = f"refresh {len(self.used)} &x%+"

    def token(self, r):
        assert r.type() == "application/x-www-form-urlencoded"
        form = dict(urllib.parse.parse_qsl(r.body.decode("ascii"), strict_parsing=True))
        assert not set(form) - {"grant_type", "assertion", "refresh_token", "client_id",
                                "client_secret", "scope"}, form.keys()
        self.fetches.append(form["grant_type"])
        if form["grant_type"] != JWT or "client_id" in form:
            if (form["client_id"], form.get("client_secret", "")) != \
                    (self.client, self.client_secret):
                raise Refuse(401, {"error": "invalid_client"})
        answer = {}
        if form["grant_type"] == JWT:
            self.assertion(form["assertion"])
        elif form["grant_type"] == "refresh_token":
            self.rotate(form["refresh_token"])
            answer["refresh_token"] = self.refresh
        else:
            raise Refuse(400, {"error": "unsupported_grant_type"})
        token = f"tok-{len(self.fetches)}-{os.urandom(8).hex()}"
        self.tokens[token] = time.monotonic() + self.life_s
        return 200, {"access_token": token, "token_type": "Bearer",
                     "expires_in": self.life_s, **answer}, ()
