# SPDX-License-Identifier: BSD-2-Clause
"""What services tell of notices behind their sending: signed calls to a real ticketd, in any
order, repeated, forged; and a text whose answer was lost is not sent a second time."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import time
import urllib.parse

import pytest
from conftest import BUILD
from harness import fake_channels
from harness.judge import judge_or_skip
from harness.product import DAEMON_UID, GROUP_ID, Product
from harness.util import free_port, make_root, remove_root, wait_for

BASE = "https://notices.example.test/x"
CONF = """
webhook {{
    listen = "127.0.0.1:{port}"
    public_url = "{base}"
}}
channel "sms" {{ type = "twilio" url = "{sms}" user = "AC1" from = "+15005550006" timeout = 5s
    secret = "file:{root}/sms" options = {{"settle=3600"}} }}
channel "hasty" {{ type = "twilio" url = "{sms}" user = "AC1" from = "+15005550006" timeout = 5s
    secret = "file:{root}/sms" options = {{"settle=0"}} }}
channel "grid" {{ type = "sendgrid" url = "{grid}" secret = "file:{root}/sms"
    hook_secret = "file:{root}/public" }}
channel "wa" {{ type = "whatsapp" url = "{wa}" from = "1060" secret = "file:{root}/sms"
    hook_secret = "file:{root}/app" hook_token = "file:{root}/word" }}
{notifies}
{desks}
"""
WAYS = ("sms", "hasty", "grid", "wa")
NUMBERS = {way: f"+491511234567{i}" for i, way in enumerate(WAYS)}


class Site:
    def __init__(self):
        self.root, self.port = make_root(), free_port()
        self.fakes = {"sms": fake_channels.Twilio(), "grid": fake_channels.SendGrid(),
                      "wa": fake_channels.WhatsApp()}
        self.fakes["hasty"] = self.fakes["sms"]
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        f"{self.root}/key.pem"], check=True, capture_output=True)
        der = subprocess.run(["openssl", "ec", "-in", f"{self.root}/key.pem", "-pubout", "-outform",
                              "DER"], check=True, capture_output=True).stdout
        for name, text in (("sms", "s3cret"), ("public", base64.b64encode(der).decode()),
                           ("app", "app-s3cret"), ("word", "the word\n")):
            with open(f"{self.root}/{name}", "w", encoding="ascii") as f:
                f.write(text)
            os.chmod(f"{self.root}/{name}", 0o600)
            if os.geteuid() == 0:
                os.chown(f"{self.root}/{name}", DAEMON_UID, GROUP_ID)
        self.product = Product(self.root, BUILD, desks=CONF.format(
            port=self.port, base=BASE, root=self.root,
            sms=self.fakes["sms"].url, grid=self.fakes["grid"].url, wa=self.fakes["wa"].url,
            notifies="".join(
                f'notify "{w}" {{ on = {{"created", "comment"}} to = {{"{self.to(w)}"}} '
                f'channel = "{w}" if_desk = {{"{w}"}} per_recipient = 0 }}\n' for w in WAYS),
            desks="".join(f'desk "{w}" {{ addresses = {{"{w}@example.test"}} '
                          f'prefix = "{w.upper()}" }}\n' for w in WAYS)))
        self.product.prepare()
        self.product.start_ticketd()

    def to(self, way, address="ann@customer.example"):
        return address if way == "grid" else NUMBERS[way]

    def ticket(self, way):
        """Opened; its notice has been asked for at the service."""
        fake = self.fakes[way]
        before = len(fake.seen)
        done = self.product.ctl("submit", "-f", "bob@customer.example", "-r", f"{way}@example.test",
                                text=False, stdin=(
            f"From: bob@customer.example\r\nTo: {way}@example.test\r\nSubject: help\r\n"
            f"Message-ID: <{time.time_ns()}@x>\r\n\r\nNo.\r\n").encode())
        wait_for("the request", lambda: len(fake.seen) > before)
        return done.stdout.split()[0].decode()

    def job(self, ticket):
        jobs = [j for j in self.product.json("show", ticket)["jobs"] if j["kind"] == "notify"]
        return jobs[0]

    def told(self, ticket):
        """The ticket's notice is written down as told: its event."""
        wait_for("the event", lambda: self.events(ticket, "notice.told"))
        return self.events(ticket, "notice.told")[0]

    def events(self, ticket, kind):
        return [e.get("data") for e in self.product.json("log", ticket) if e["kind"] == kind]

    def call(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=180)
        c.request(method, path, body=body, headers=headers or {})
        answer = c.getresponse()
        said = (answer.status, answer.read().decode("utf-8"))
        c.close()
        return said

    def contacts(self):
        return {c["address"]: c for c in self.product.json("notify", "list")}

    # ---- as each service calls --------------------------------------------------------------

    def twilio(self, path, token="s3cret", base=BASE, **form):
        data = base + path + "".join(k + form[k] for k in sorted(form))
        mac = base64.b64encode(hmac.new(token.encode(), data.encode(), hashlib.sha1).digest())
        return self.call("POST", path, urllib.parse.urlencode(form),
                         {"Content-Type": "application/x-www-form-urlencoded",
                          "X-Twilio-Signature": mac.decode()})[0]

    def sendgrid(self, events, shift=0):
        body = json.dumps(events).encode()
        at = str(int(time.time()) + shift)
        sig = subprocess.run(["openssl", "dgst", "-sha256", "-sign", f"{self.root}/key.pem"],
                             input=at.encode() + body, check=True, capture_output=True).stdout
        return self.call("POST", "/status/grid", body, {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(sig).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": at})[0]

    def whatsapp(self, statuses, secret="app-s3cret"):
        body = json.dumps({"object": "whatsapp_business_account", "entry": [
            {"id": "1", "changes": [{"field": "messages", "value": {"statuses": statuses}}]}]})
        mac = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        return self.call("POST", "/status/wa", body, {"X-Hub-Signature-256": f"sha256={mac}"})[0]

    def stop(self):
        self.product.stop()
        for fake in {id(f): f for f in self.fakes.values()}.values():
            fake.stop()
        print(self.product.log("ticketd")[-6000:])
        remove_root(self.root)


@pytest.fixture(scope="module", name="site")
def _site():
    site = Site()
    yield site
    site.stop()


def callback(site, n=-1):
    """The path that the n-th text named."""
    form = dict(urllib.parse.parse_qsl(site.fakes["sms"].seen[n].body.decode()))
    assert form["StatusCallback"].startswith(BASE + "/status/")
    return form["StatusCallback"][len(BASE):]


def test_a_text_is_followed_to_its_end_in_any_order(site):
    ticket = site.ticket("sms")
    site.told(ticket)
    path = callback(site)
    said = {"MessageSid": "SM1", "To": NUMBERS["sms"], "AccountSid": "AC1", "ApiVersion": "2010"}
    for status in ("delivered", "sent", "delivered", "queued", "sent"):
        assert site.twilio(path, MessageStatus=status, **said) == 200
    (event,) = site.events(ticket, "notice.delivered")
    assert (event["channel"], event["what"], event["id"]) == ("sms", "created", "SM1")
    assert event["to"] == NUMBERS["sms"]
    assert len(site.events(ticket, "notice.told")) == 1
    assert site.contacts() == {}


def test_who_does_not_sign_as_the_account_is_nobody(site):
    ticket = site.ticket("sms")
    site.told(ticket)
    path = callback(site)
    said = {"MessageSid": "SM2", "To": NUMBERS["sms"], "MessageStatus": "failed", "ErrorCode": "30005"}
    assert site.twilio(path, token="other", **said) == 401
    assert site.twilio(path, base="https://elsewhere.test", **said) == 401
    assert site.call("POST", path, urllib.parse.urlencode(said), {
        "Content-Type": "application/x-www-form-urlencoded"})[0] == 401
    assert site.call("POST", path, "x=%", {"X-Twilio-Signature": "x"})[0] == 401
    assert site.call("GET", path)[0] == 405
    for wrong in ("/status/", "/status/none", "/status/mail", "/status/grid/x", "/status/sms/" + "x" * 99):
        assert site.twilio(wrong, **said) == 404, wrong
    # Signed, but of no notice of ours, or of another channel's: nothing happens.
    job = path.rsplit("-", 1)[1]
    for strange in ("/status/sms", "/status/sms/x", f"/status/sms/mt-{'0' * 32}-{job}",
                    path + "0", path.replace("/sms/", "/hasty/")):
        assert site.twilio(strange, **said) == 200, strange
    assert site.events(ticket, "notice.failed") == []
    assert site.contacts() == {}


def test_a_number_that_is_gone_is_told_no_more(site):
    gone = NUMBERS["hasty"]
    ticket = site.ticket("hasty")
    site.told(ticket)
    path = callback(site)
    said = {"MessageSid": "SM3", "To": gone, "ErrorCode": "30005"}
    assert site.twilio(path, MessageStatus="undelivered", **said) == 200
    assert site.twilio(path, MessageStatus="delivered", **said) == 200  # whatever that may mean
    (event,) = site.events(ticket, "notice.failed")
    assert (event["code"], event["to"]) == ("30005", gone)
    assert site.contacts()[gone]["reason"].startswith("30005")
    site.product.ctl("notify", "optout", gone, "--reachable")
    assert gone not in site.contacts()
    assert site.twilio(path, MessageStatus="undelivered", **said) == 200  # the same once more
    assert gone not in site.contacts()


def test_a_text_whose_answer_was_lost_is_settled_by_its_call(site):
    fake = site.fakes["sms"]
    fake.plan("lose", "POST")
    ticket = site.ticket("sms")
    wait_for("the doubt", lambda: site.job(ticket).get("doubt_since"))
    path, count = callback(site), len(fake.seen)
    # Sooner than by itself; a worker may have it already.
    site.product.ctl("queue", "retry", str(site.job(ticket)["job"]), check=False)
    wait_for("the patience", lambda: "may tell" in (site.job(ticket)["reason"] or ""))
    site.product.ticketd.kill()
    site.product.ticketd.wait()
    site.product.start_ticketd()
    assert site.twilio(path, MessageStatus="sent", MessageSid="SM4", To=NUMBERS["sms"]) == 200
    told = site.told(ticket)
    assert told["settled"] is True and told["id"] == "SM4"
    assert site.job(ticket)["state"] == "done"
    assert site.twilio(path, MessageStatus="delivered", MessageSid="SM4", To=NUMBERS["sms"]) == 200
    assert len(site.events(ticket, "notice.delivered")) == 1
    after = site.ticket("sms")
    site.told(after)
    assert len(fake.seen) == count + 1  # that one alone
    assert len(site.events(ticket, "notice.told")) == 1


def test_a_call_that_comes_before_the_answer_is_lost_counts_too(site):
    fake = site.fakes["sms"]
    fake.plan("late", "POST", seconds=8)  # longer than anybody waits
    ticket = site.ticket("sms")
    assert site.twilio(callback(site), MessageStatus="sent", MessageSid="SM5",
                       To=NUMBERS["sms"]) == 200
    count = len(fake.seen)
    wait_for("the end", lambda: site.job(ticket)["state"] == "done")
    assert len(site.events(ticket, "notice.told")) == 1
    assert len(fake.seen) == count


def test_without_a_call_it_is_sent_again_in_the_end(site):
    fake = site.fakes["hasty"]
    fake.plan("lose", "POST")
    ticket = site.ticket("hasty")
    count = len(fake.seen)
    site.told(ticket)
    assert len(fake.seen) == count + 1
    assert "settled" not in site.told(ticket)


def notice_of(site, way):
    body = site.fakes[way].seen[-1].json()
    return body["biz_opaque_callback_data"] if way == "wa" else (
        body["personalizations"][0]["custom_args"]["notice"])


def test_sendgrid_tells_of_mails_in_batches(site):
    ann = "ann@customer.example"
    first = site.ticket("grid")
    site.told(first)
    one = notice_of(site, "grid")
    second = site.ticket("grid")
    site.told(second)
    two = notice_of(site, "grid")
    batch = [{"event": "delivered", "email": ann, "notice": one, "sg_message_id": "m1"},
             {"event": "bounce", "email": ann, "notice": two, "status": "5.2.2", "type": "bounce",
              "reason": "full"},
             {"event": "bounce", "email": "eve@customer.example", "notice": two, "status": "5.1.1"},
             {"event": "delivered", "email": ann, "notice": "mt-other"},
             {"event": "delivered", "email": ann}, "nonsense", {"event": "click", "notice": 5}]
    for _ in range(2):
        assert site.sendgrid(batch) == 200
    assert len(site.events(first, "notice.delivered")) == 1
    (event,) = site.events(second, "notice.failed")
    assert (event["code"], event["reason"]) == ("5.2.2", "full")
    assert site.contacts() == {}  # a full mailbox, once
    assert site.sendgrid([{"event": "spamreport", "email": ann, "notice": one}]) == 200
    assert site.contacts()[ann]["mark"] == "opted-out"
    site.product.ctl("notify", "optout", ann, "--back")
    assert site.sendgrid([{"event": "spamreport", "email": ann, "notice": one}]) == 200
    assert site.contacts() == {}  # the same once more
    assert site.sendgrid(batch, shift=-3 * 86400) == 401
    assert site.sendgrid({"event": "delivered"}) == 200  # signed, and no list: not again, please
    body = json.dumps(batch)
    assert site.call("POST", "/status/grid", body, {
        "X-Twilio-Email-Event-Webhook-Signature": "MEUCIQ==",
        "X-Twilio-Email-Event-Webhook-Timestamp": str(int(time.time()))})[0] == 401


def test_whatsapp_asks_first_and_tells_then(site):
    ask = "/status/wa?hub.mode={}&hub.verify_token={}&hub.challenge={}".format
    assert site.call("GET", ask("subscribe", "the%20word", "1158201444")) == (200, "1158201444")
    assert site.call("GET", ask("subscribe", "another", "1158201444"))[0] == 403
    assert site.call("GET", ask("unsubscribe", "the%20word", "1"))[0] == 403
    assert site.call("GET", ask("subscribe", "the%20word", "1" * 300))[0] == 403
    assert site.call("GET", "/status/wa")[0] == 403
    ticket = site.ticket("wa")
    site.told(ticket)
    to = NUMBERS["wa"]
    one = {"id": "wamid.1", "recipient_id": to[1:], "biz_opaque_callback_data": notice_of(site, "wa")}
    assert site.whatsapp([{**one, "status": "read"}], secret="other") == 401
    assert site.whatsapp([{**one, "status": s} for s in ("read", "delivered", "sent", "read")]) == 200
    assert site.whatsapp([{**one, "status": "failed", "errors": [{"code": 131026, "title": "no"}]}]) == 200
    assert len(site.events(ticket, "notice.delivered")) == 1
    assert site.events(ticket, "notice.failed") == []  # it was read
    assert site.contacts() == {}
    second = site.ticket("wa")
    site.told(second)
    two = {**one, "biz_opaque_callback_data": notice_of(site, "wa")}
    assert site.whatsapp([{**two, "status": "failed",
                           "errors": [{"code": 131026, "title": "Message undeliverable"}]}]) == 200
    assert site.contacts()[to]["reason"] == "131026 Message undeliverable"


def vendor_signed(**asked):
    """What the services' own libraries sign."""
    folder = judge_or_skip(BUILD).folder
    here = os.path.dirname(os.path.abspath(fake_channels.__file__))
    done = subprocess.run(["node", f"{here}/vendorsign.js", folder], input=json.dumps(asked),
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_twilios_own_library_signs_is_taken_and_nothing_else(site):
    ticket = site.ticket("sms")
    site.told(ticket)
    path = callback(site)
    form = {"MessageSid": "SM9", "MessageStatus": "delivered", "To": NUMBERS["sms"], "From": "Desk & Co",
            "Price": "", "a": "\u00fc\U0001f600 +%", "To2": "x=y"}
    given = vendor_signed(twilio={"token": "s3cret", "url": BASE + path, "form": form})["twilio"]

    def post(form, signature=given, path=path):
        return site.call("POST", path, urllib.parse.urlencode(form),
                         {"Content-Type": "application/x-www-form-urlencoded",
                          "X-Twilio-Signature": signature})[0]
    for changed in ({**form, "MessageStatus": "failed"}, {**form, "new": ""}, {**form, "Price": "1"},
                    {k: v for k, v in form.items() if k != "a"}):
        # an empty field of a new name adds its name to what is signed
        assert post(changed) == 401, changed
    assert post(form, signature=("B" if given[0] == "A" else "A") + given[1:]) == 401
    assert post(form, path=path + "1") == 401
    assert site.events(ticket, "notice.delivered") == []
    assert post(form) == 200
    assert len(site.events(ticket, "notice.delivered")) == 1


def test_what_sendgrids_own_library_signs_is_taken_and_nothing_else(site):
    ticket = site.ticket("grid")
    site.told(ticket)
    with open(f"{site.root}/key.pem", encoding="ascii") as f:
        pem = f.read()
    body = json.dumps([{"event": "delivered", "email": "ann@customer.example",
                        "notice": notice_of(site, "grid"), "tls": 1}], ensure_ascii=True) + "\r\n"
    at = str(int(time.time()))
    said = vendor_signed(sendgrid={"pem": pem, "time": at, "body": body})["sendgrid"]
    assert said["fits"]
    with open(f"{site.root}/public", encoding="ascii") as f:
        assert f.read() == said["key"]  # as it is shown there

    def post(body, at=at):
        return site.call("POST", "/status/grid", body, {
            "X-Twilio-Email-Event-Webhook-Signature": said["signature"],
            "X-Twilio-Email-Event-Webhook-Timestamp": at})[0]
    assert post(body.replace("delivered", "dropped")) == 401
    assert post(body.rstrip()) == 401
    assert post(body, at=str(int(at) + 1)) == 401
    assert site.events(ticket, "notice.delivered") == []
    assert post(body) == 200
    assert len(site.events(ticket, "notice.delivered")) == 1


def test_the_services_saw_no_breach_of_their_contract(site):
    for fake in site.fakes.values():
        assert fake.breaches == []
