# SPDX-License-Identifier: BSD-2-Clause
"""Strict stand-ins for the services of channels: one class each, told what to do wrong next as
harness/strict.py has it."""
import base64
import json
import re
import urllib.parse

from .strict import Answer, Fake


def _only(value, names):
    return not isinstance(value, dict) or set(value) <= set(names)


class SendGrid(Fake):
    OWN = {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type",
           "content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc"}

    def route(self, r):
        if r.headers.get("authorization") != "Bearer s3cret":
            raise Answer(401, {"errors": [{"message": "The provided authorization grant is invalid",
                                           "field": None, "help": None}]})
        if r.line != "POST /v3/mail/send":
            return self.unknown(r)
        self.need(r.headers["content-type"].startswith("application/json"), "content-type")
        body = r.json()
        people = body["personalizations"]
        self.need(1 <= len(people) <= 1000 and all(p["to"] for p in people), "personalizations")
        self.need(body["subject"] and body["from"]["email"], "subject, from")
        kinds = [c["type"] for c in body["content"]]
        self.need(kinds in (["text/plain"], ["text/plain", "text/html"]), "order of content")
        self.need(all(c["value"] for c in body["content"]), "content without a value")
        names = {n.lower() for n in body.get("headers", {})}
        self.need(not names & self.OWN, f"headers {names & self.OWN}")
        self.need(all(isinstance(v, str) and "\n" not in v for v in body["headers"].values()), "header")
        self.need(len(json.dumps(body.get("custom_args", {}))) <= 10000, "custom_args")
        if any("@" not in t["email"] for p in people for t in p["to"]):
            raise Answer(400, {"errors": [{"message": "Does not contain a valid address.",
                                           "field": "personalizations.0.to", "help": "x"}]})
        raise Answer(202, None, **{"X-Message-Id": "14c5d75ce93"})


class Twilio(Fake):
    FIELDS = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"}

    def route(self, r):
        if r.headers.get("authorization") != "Basic " + base64.b64encode(b"AC1:s3cret").decode():
            raise Answer(401, {"code": 20003, "message": "Authenticate", "status": 401,
                               "more_info": "https://www.twilio.com/docs/errors/20003"})
        if r.line != "POST /2010-04-01/Accounts/AC1/Messages.json":
            return self.unknown(r)
        self.need(r.headers["content-type"] == "application/x-www-form-urlencoded", "content-type")
        form = dict(urllib.parse.parse_qsl(r.body.decode("ascii"), strict_parsing=True))
        self.need(set(form) <= self.FIELDS, f"fields {set(form) - self.FIELDS}")
        self.need(("From" in form) != ("MessagingServiceSid" in form), "who sends")
        if len(form["Body"]) > 1600:
            raise Answer(400, {"code": 21617, "message": "too long", "status": 400})
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", form["To"]):
            raise Answer(400, {"code": 21211, "message": "The 'To' number is not valid.", "status": 400})
        raise Answer(201, {"sid": "SM" + "a" * 32, "status": "queued", "error_code": None,
                           "error_message": None, "num_segments": "1", "to": form["To"],
                           "body": form["Body"]})


class WhatsApp(Fake):
    def route(self, r):
        if r.headers.get("authorization") != "Bearer s3cret":
            raise Answer(401, {"error": {"message": "Invalid OAuth access token.", "code": 190,
                                         "type": "OAuthException", "fbtrace_id": "A"}})
        if r.line != "POST /v20.0/1060/messages":
            return self.unknown(r)
        body = r.json()
        self.need(body["messaging_product"] == "whatsapp", "messaging_product")
        self.need(body["recipient_type"] == "individual" and body["to"].isdigit(), "to")
        self.need(_only(body, ("messaging_product", "recipient_type", "to", "type", body["type"],
                               "biz_opaque_callback_data")), "members")
        self.need(len(body.get("biz_opaque_callback_data", "")) <= 512, "callback data")
        if body["type"] == "text":
            self.need(0 < len(body["text"]["body"]) <= 4096, "text")
        else:
            parts = body["template"]["components"]
            self.need(body["template"]["name"] and body["template"]["language"]["code"], "template")
            self.need(all(p["text"] and "\n" not in p["text"] for c in parts for p in c["parameters"]),
                      "parameters")
        raise Answer(200, {"messaging_product": "whatsapp", "messages": [{"id": "wamid.HBg"}],
                           "contacts": [{"input": body["to"], "wa_id": body["to"]}]})


class Slack(Fake):
    """chat.postMessage and an incoming webhook."""

    def __init__(self):
        self.rooms = {"C1": []}
        super().__init__()

    def route(self, r):
        if r.line == "POST /services/T0/B0/s3cret":
            self.check(r.json())
            raise Answer(200, "ok", **{"Content-Type": "text/html"})
        if r.line != "POST /api/chat.postMessage":
            return self.unknown(r)
        self.need(r.headers["content-type"] == "application/json; charset=utf-8", "content-type")
        if r.headers.get("authorization") != "Bearer s3cret":
            raise Answer(200, {"ok": False, "error": "invalid_auth"})
        body = r.json()
        self.check(body)
        room = self.rooms.get(body["channel"])
        if room is None:
            raise Answer(200, {"ok": False, "error": "channel_not_found"})
        if "thread_ts" in body:
            self.need(body["thread_ts"] in room, "a thread that is not there")
        room.append(f"17{len(room):08}.000100")
        raise Answer(200, {"ok": True, "channel": "C1", "ts": room[-1], "message": {"text": "x"}})

    def check(self, body):
        self.need(body["text"] and "<" not in body["text"], "text for lists")
        self.need(len(body["blocks"]) <= 50, "blocks")
        total = 0
        for b in body["blocks"]:
            for t in [b.get("text")] + b.get("fields", []):
                if t:
                    self.need(t["type"] == "plain_text" and t["text"], "markup")
                    total += len(t["text"])
                    self.need(len(t["text"]) <= (150 if b["type"] == "header" else 3000), "too long")
            self.need(len(b.get("fields", [])) <= 10, "fields")
        self.need(total <= 10000, "all text")


class Teams(Fake):
    def route(self, r):
        if r.path != "/workflows/x" or r.query.get("sig") != "s3cret":
            return self.unknown(r)
        body = r.json()
        self.need(len(r.body) <= 28 * 1024, "size")
        self.need(body["type"] == "message" and len(body["attachments"]) == 1, "message")
        part = body["attachments"][0]
        self.need(part["contentType"] == "application/vnd.microsoft.card.adaptive"
                  and part["contentUrl"] is None, "attachment")
        card = part["content"]
        self.need(card["type"] == "AdaptiveCard" and card["version"] == "1.4" and card["body"], "card")
        self.need({b["type"] for b in card["body"]} <= {"RichTextBlock", "FactSet"}, "blocks")
        raise Answer(202)


class PagerDuty(Fake):
    def __init__(self):
        self.alerts = {}
        super().__init__()

    def route(self, r):
        if r.line != "POST /v2/enqueue":
            return self.unknown(r)
        body = r.json()
        if body["routing_key"] != "s3cret":
            raise Answer(400, {"status": "invalid event", "message": "Event object is invalid",
                               "errors": ["Invalid routing key"]})
        self.need(len(r.body) <= 512 * 1024 and 0 < len(body["dedup_key"]) <= 255, "caps")
        self.need(_only(body, ("routing_key", "event_action", "dedup_key", "payload", "links", "client")),
                  "members")
        if body["event_action"] == "trigger":
            p = body["payload"]
            self.need(0 < len(p["summary"]) <= 1024 and p["source"], "payload")
            self.need(p["severity"] in ("critical", "error", "warning", "info"), "severity")
            self.alerts.setdefault(body["dedup_key"], 0)
        else:
            self.need(body["event_action"] == "resolve" and "payload" not in body, "action")
            self.alerts.pop(body["dedup_key"], None)
        raise Answer(202, {"status": "success", "message": "Event processed",
                           "dedup_key": body["dedup_key"]})
