# SPDX-License-Identifier: BSD-2-Clause
"""Channels of the HTTP way, each against a strict stand-in: told, refused, told again, unreachable.
What was sent is held against descriptions that others wrote, where there are some."""
import json
import os
import subprocess
import time

import pytest
from conftest import BUILD
from harness import fake_channels
from harness.fake_webhook import Fake as Webhook
from harness.judge import judge_or_skip
from harness.util import make_root, remove_root

NONE, TEMP, PERM, CONF = range(4)
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOTICE = {"id": "n-1", "what": "created", "to_name": "Ann \U0001f600", "role": "requester",
          "language": "de", "subject": "[IT-1] Gr\u00fc\u00dfe <!channel> \U0001f600",
          "text": "It is *broken* & <b>.\n\U0001f600\n", "ticket": "IT-1", "corr": "mt-%032x" % 1,
          "number": "INC7", "url": "https://desk.example/IT-1", "desk": "it", "group": "net",
          "state": "new", "priority": 2, "at_ms": 1790000000000, "from": "support@example.test",
          "from_name": "Support", "reply_to": "support+t@example.test", "message_id": "a@example.test",
          "in_reply_to": "b@c.example", "references": "<x@y.example> <b@c.example>"}

# Each type with its stand-in, to, rows of the section, secret, what the judge calls its API
KINDS = {
    "sendgrid": (fake_channels.SendGrid, "ann@example.org", {"url": "{url}"}, "s3cret", "sendgrid.com"),
    "twilio": (fake_channels.Twilio, "+4915112345678",
               {"url": "{url}", "user": "AC1", "from": "+15005550006"}, "s3cret", "twilio.com/api"),
    "whatsapp": (fake_channels.WhatsApp, "+4915112345678", {"url": "{url}", "from": "1060"}, "s3cret", None),
    "slack": (fake_channels.Slack, "C1", {"url": "{url}"}, "s3cret", "slack.com"),
    "teams": (fake_channels.Teams, "", {}, "{url}/workflows/x?sig=s3cret", None),
    "pagerduty": (fake_channels.PagerDuty, "", {"url": "{url}"}, "s3cret", None),
}
# What the judge calls the documents within, and where they stand in a body.
DOCUMENTS = {"pagerduty": ["pagerduty"], "slack": ["slack"], "teams": ["teams", "card"],
             "whatsapp": ["whatsapp"]}


class Channel:
    def __init__(self, kind):
        make, self.to, self.rows, self.secret, self.api = KINDS[kind]
        self.kind, self.root, self.fake = kind, make_root(), make()

    def send(self, secret=None, rows=None, **notice):
        with open(f"{self.root}/secret", "w", encoding="utf-8") as f:
            f.write((secret or self.secret).format(url=self.fake.url))
        os.chmod(f"{self.root}/secret", 0o600)
        with open(f"{self.root}/t.conf", "w", encoding="utf-8") as f:
            f.write(f'channel "x" {{\n    type = "{self.kind}"\n    timeout = 30s\n'
                    f'    secret = "file:{self.root}/secret"\n' +
                    "".join(f'    {k} = "{v.format(url=self.fake.url)}"\n' for k, v in self.rows.items()) +
                    "".join(f"    {k} = {v}\n" for k, v in (rows or {}).items()) + "}\n")
        done = subprocess.run([f"{BUILD}/tests/notify/channel_drive", f"{self.root}/t.conf", "x"],
                              input=json.dumps({**NOTICE, "to": self.to, **notice}),
                              capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
        assert "s3cret" not in done.stdout + done.stderr
        return json.loads(done.stdout)

    def remove(self):
        self.fake.stop()
        remove_root(self.root)


@pytest.fixture(name="channel", params=sorted(KINDS))
def _channel(request):
    channel = Channel(request.param)
    yield channel
    channel.remove()


@pytest.fixture(name="make")
def _make():
    made = []

    def make(kind):
        made.append(Channel(kind))
        return made[-1]
    yield make
    for channel in made:
        channel.remove()


def test_a_notice_is_told_in_the_vendors_words(channel):
    assert channel.send()["ok"]
    assert channel.send(text="\U0001f600" * 60000, subject="\u00e4" * 5000)["ok"]
    assert channel.send(what="resolved", over=1, state="resolved")["ok"]
    assert channel.fake.breaches == []


def test_what_was_sent_holds_before_an_outside_judge(channel):
    judge = judge_or_skip(BUILD)
    assert channel.send()["ok"]
    assert channel.send(text="\U0001f600" * 60000, subject="\u00e4" * 5000)["ok"]
    assert channel.send(text="", url="", group="", what="resolved", over=1, state="resolved")["ok"]
    if channel.kind == "whatsapp":
        assert channel.send(rows={"options": '{"template=news"}'}, subject="a\nb")["ok"]
    if channel.api is not None:
        assert judge.requests(channel.api, channel.fake.seen, answers=False) == []
        assert judge.unknown == set()
    bodies = [r.json() for r in channel.fake.seen] if channel.kind in DOCUMENTS else []
    if channel.kind == "teams":
        bodies = [b["attachments"][0]["content"] for b in bodies]
    pairs = [(name, body) for name in DOCUMENTS.get(channel.kind, []) for body in bodies]
    assert pairs or channel.api is not None
    assert [c for bad in judge.verdicts(pairs) for c in bad] == [] if pairs else True


@pytest.mark.parametrize("answer, cls, wait", [
    ({"status": 429, "headers": {"Retry-After": "7"}}, TEMP, 7),
    ({"status": 429, "headers": {"Retry-After": "DATE"}}, TEMP, 20),
    ({"status": 503}, TEMP, 0),
    ({"status": 404, "body": {"error": "gone"}}, PERM, 0)])
def test_no_is_heard_as_the_vendor_means_it(channel, answer, cls, wait):
    if answer.get("headers", {}).get("Retry-After") == "DATE":
        answer = {"status": 429, "headers": {"Retry-After": time.strftime(
            "%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))}}
    channel.fake.plan("answer", "POST", **answer)
    said = channel.send()
    assert (said["ok"], said["class"]) == (False, cls)
    assert said["retry_after"] >= wait
    assert channel.send()["ok"]


def test_a_lost_answer_is_for_later_and_not_for_never(channel):
    for what in ("lose", "cut"):
        channel.fake.plan(what, "POST")
        said = channel.send()
        assert (said["ok"], said["class"]) == (False, TEMP), said


def test_a_wrong_secret_is_told_as_that(channel):
    if channel.kind in ("teams", "pagerduty"):
        pytest.skip("it knows no 401: the address or a 400 is its refusal")
    said = channel.send(secret="wrong")
    assert said["unauthorized"] and not said["ok"] and said["class"] == CONF


def test_who_cannot_be_reached_is_told_from_what_went_wrong(make):
    assert make("twilio").send(to="+0")["undeliverable"]
    assert make("sendgrid").send(to="nobody")["undeliverable"]
    slack = make("slack").send(to="C404")
    assert not slack["ok"] and not slack["undeliverable"] and "channel_not_found" in slack["error"]


def test_slack_keeps_a_thread_a_ticket(make):
    channel = make("slack")
    first = channel.send()
    assert first["thread"].startswith("C1 ")
    second = channel.send(thread=first["thread"], what="follow_up")
    assert second["ok"] and second["thread"] == ""
    assert channel.fake.seen[-1].json()["thread_ts"] == first["id"]
    channel.rows = {"url": "{url}/services/T0/B0/s3cret"}
    assert channel.send()["ok"]
    assert channel.fake.breaches == []


def test_a_page_sent_twice_is_one_alert_and_ends_with_the_ticket(make):
    channel = make("pagerduty")
    channel.fake.plan("lose", "POST")
    assert not channel.send()["ok"]
    assert channel.send()["ok"]
    assert len(channel.fake.alerts) == 1
    assert channel.send(over=1)["ok"]
    assert channel.fake.alerts == {}


def test_a_template_of_whatsapp_has_no_lines(make):
    channel = make("whatsapp")
    assert channel.send(rows={"options": '{"template=news"}'}, subject="a\nb")["ok"]
    assert channel.fake.seen[-1].json()["type"] == "template"
    assert channel.fake.breaches == []


def test_a_webhook_is_signed_and_taken_once():
    root, fake = make_root(), Webhook(WHSEC)
    try:
        with open(f"{root}/secret", "w", encoding="ascii") as f:
            f.write(WHSEC)
        os.chmod(f"{root}/secret", 0o600)
        for private in ("no", "yes"):
            with open(f"{root}/t.conf", "w", encoding="ascii") as f:
                f.write(f'channel "x" {{\n    type = "webhook"\n    url = "{fake.url}"\n'
                        f'    secret = "file:{root}/secret"\n    options = {{"allow_private={private}"}}\n}}\n')
            for _ in range(2):
                done = subprocess.run([f"{BUILD}/tests/notify/channel_drive", f"{root}/t.conf", "x"],
                                      input=json.dumps(NOTICE), capture_output=True, text=True,
                                      timeout=180, check=False)
                assert done.returncode == 0, done.stderr
                said = json.loads(done.stdout)
                assert said["ok"] == (private == "yes"), (said, fake.faults)
        assert fake.faults == [] and list(fake.events) == ["n-1"]
        assert judge_or_skip(BUILD).documents("webhook", [
            {"secret": WHSEC, "headers": h, "body": b} for h, b in fake.signed]) == []
    finally:
        fake.stop()
        remove_root(root)


def test_a_channel_can_be_tried_without_a_daemon(make):
    channel = make("twilio")
    assert channel.send()["ok"]  # writes the section and its secret
    ctl = [f"{BUILD}/ticketctl/ticketctl", "-c", f"{channel.root}/t.conf"]

    def test(*args):
        return subprocess.run([*ctl, *args], capture_output=True, text=True, timeout=180, check=False)

    with open(f"{channel.root}/t.conf", "a", encoding="ascii") as f:
        f.write('desk "it" { prefix = "IT" addresses = {"support@example.test"} }\n')
    done = test("notify", "test", "x", "--to", "+4930123456")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("x: taken, as SM")
    assert b"please%20ignore" not in channel.fake.seen[-1].body
    assert b"ticketctl%20notify%20test" in channel.fake.seen[-1].body
    assert test("notify", "test", "x").returncode == 64
    done = test("notify", "test", "nobody", "--to", "+4930123456")
    assert done.returncode == 64 and 'no section channel "nobody"' in done.stderr
    done = test("notify", "test", "x", "--to", "+0")
    assert done.returncode not in (0, 64) and "21211" in done.stderr
    assert "s3cret" not in done.stderr
