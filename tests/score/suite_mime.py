# SPDX-License-Identifier: BSD-2-Clause
"""Messages with their expected structure, and real ones without: nothing may be lost."""
import datetime
import email
import email.policy
import html.parser
import json
import os
import re
import tempfile

from frame import Score, files_below, lost_words, sha256, squeeze

STALWART_FLOOR = 0.99


class _Text(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.out, self.skip = [], 0

    def handle_starttag(self, tag, attrs):
        self.skip += tag in ("style", "script", "title", "head")
        self.out.append(" " if tag in ("br", "p", "div", "td", "tr", "li", "h1") else "")

    def handle_endtag(self, tag):
        self.skip -= tag in ("style", "script", "title", "head") and self.skip > 0

    def handle_data(self, data):
        self.out.append("" if self.skip else data)


def html_text(source):
    parser = _Text()
    parser.feed(source)
    parser.close()
    return "".join(parser.out)


# ---- stalwart: structure beside each message ----

def header(part, name):
    """The first field of that name that has a value; the value without its type."""
    for h in part["headers"]:
        if h["name"] == name and isinstance(h["value"], dict):
            return next(iter(h["value"].values()))
    return None


def text_of(value):
    return value[0] if isinstance(value, list) else value or ""


def addresses(value):
    if value is None:
        return []
    if "List" in value:
        return value["List"]
    return [a for g in value.get("Group", []) for a in g["addresses"]]


def plain_addresses(items):
    out = []
    for a in items:
        local, at, domain = (a["address"] or "").rpartition("@")
        out.append((squeeze(a["name"] or ""), local + at + domain.lower()))
    return [a for a in out if a[1]]


def date_of(value):
    if value is None:
        return None
    zone = datetime.timedelta(hours=value["tz_hour"], minutes=value["tz_minute"])
    sign = -1 if value["tz_before_gmt"] else 1
    try:
        local = datetime.datetime(*(value[k] for k in ("year", "month", "day", "hour", "minute",
                                                       "second")))
    except ValueError:
        return None
    return (local - sign * zone).strftime("%Y-%m-%dT%H:%M:%SZ")


def type_of(part):
    value = header(part, "content_type")
    if not isinstance(value, dict):
        return ""
    return f"{value['c_type']}/{value['c_subtype']}".lower()


def name_of(part):
    for field, key in (("content_disposition", "filename"), ("content_type", "name")):
        value = header(part, field)
        for a in (value or {}).get("attributes") or [] if isinstance(value, dict) else []:
            if a["name"] == key:
                return a["value"]
    return ""


def bytes_of(part, raw):
    kind, body = next(iter(part["body"].items()))
    if kind in ("Binary", "InlineBinary"):
        return bytes(body)
    if kind in ("Text", "Html"):
        return body.encode()
    # A message inside: as it stands in the raw one, unless it was encoded.
    if (header(part, "content_transfer_encoding") or "").lower() == "base64":
        return None
    return raw[part["offset_body"]:part["offset_end"]]


def expected_text(want):
    out = []
    for i in want["text_body"]:
        kind, body = next(iter(want["parts"][i]["body"].items()))
        if kind == "Text":
            out.append(body)
        elif kind == "Html":
            out.append(html_text(body))
    return squeeze(" ".join(out))


class Stalwart:
    def __init__(self, kind, floor):
        fields = ("read", "subject", "from", "to and cc", "message_id", "date", "text", "no text lost",
                  "attachment names", "attachment bytes")
        self.scores = {f: Score(f"stalwart {kind}", f, floor.get(f, floor[""])) for f in fields}

    def _attachments(self, where, want, raw, got):
        left = list(got["attachments"])
        for i in want["attachments"]:
            part = want["parts"][i]
            data, name = bytes_of(part, raw), name_of(part)
            hit = next((a for a in left if data is not None and a["sha256"] == sha256(data)), None)
            hit = hit or next((a for a in left if name and a["name"] == name), None)
            hit = hit or next((a for a in left if a["type"] == type_of(part)), None)
            if hit is not None:
                left.remove(hit)
            tell = f"{where} part {i} {type_of(part)}"
            if name:
                self.scores["attachment names"].count(hit is not None and hit["name"] == name, tell,
                                                      name, hit and hit["name"])
            if data is not None:
                self.scores["attachment bytes"].count(
                    hit is not None and hit["sha256"] == sha256(data), tell, data[:120],
                    hit and (hit["type"], hit["size"]))

    def check(self, where, want, raw, got):
        root, s = want["parts"][0], self.scores
        subject = squeeze(text_of(header(root, "subject")))
        s["subject"].count(got["subject"] == subject, where, subject, got["subject"])
        author = plain_addresses(addresses(header(root, "from")))[:1]
        have = [(got["from"]["name"], got["from"]["address"])]
        if author:
            s["from"].count(have == author, where, author, have)
        to = plain_addresses(addresses(header(root, "to")) + addresses(header(root, "cc")))
        have = plain_addresses(got["to"] + got["cc"])
        s["to and cc"].count(have == to, where, to, have)
        mid = text_of(header(root, "message_id"))
        if mid:
            s["message_id"].count(got["message_id"] == mid, where, mid, got["message_id"])
        date = date_of(header(root, "date"))
        if date:
            s["date"].count(got["date"] == date, where, date, got["date"])
        text = expected_text(want)
        s["text"].count(squeeze(got["text"]) == text, where, text, squeeze(got["text"]))
        held = text if any(a["size"] for a in got["attachments"]) else lost_words(text, got["text"])
        s["no text lost"].count(held == text or not held, where, text, squeeze(got["text"]))
        self._attachments(where, want, raw, got)


def stalwart(explain, data, kind, floor):
    """Each message as it stands (LF) and with CRLF, for which there are expectations, too."""
    folder = f"{data}/mime/stalwart/{kind}"
    suite = Stalwart(kind, floor)
    cases = []
    with tempfile.TemporaryDirectory() as work:
        for path in files_below(folder):
            if not path.endswith(".eml"):
                continue
            stem = os.path.basename(path)[:-len(".eml")]
            with open(path, "rb") as f:
                raw = f.read()
            for end, data in ((".json", raw), (".crlf.json", raw.replace(b"\n", b"\r\n"))):
                cases.append((f"{work}/{stem}{end}.eml", f"{folder}/{stem}{end}", data))
                with open(cases[-1][0], "wb") as f:
                    f.write(data)
        answers = explain([c[0] for c in cases])
    for path, expected, raw in cases:
        where = f"{kind}/{os.path.basename(expected)}"
        if suite.scores["read"].count(path in answers, where, "an answer", explain.failed.get(path)):
            with open(expected, encoding="utf-8") as f:
                suite.check(where, json.load(f), raw, answers[path]["message"])
    return list(suite.scores.values())


# ---- mails without expectations: what the standard library reads as text is still there ----

def decode(raw, charset):
    """UTF-8 that is called something else is no accident."""
    if b"\x1b" not in raw:
        try:
            return raw.decode("utf-8", "strict")
        except UnicodeError:
            pass
    return raw.decode(charset, "strict")


def leaf_texts(message):
    """Of each alternative one form is enough, so HTML counts only where it stands alone.
    Messages inside are attachments."""
    if message.get_content_maintype() == "message":
        return
    if message.get_content_type() == "multipart/alternative":
        plain = [t for p in message.get_payload() for t in leaf_texts(p) if t[0] == "text/plain"]
        filled = [t for t in plain if t[1].strip()]
        if filled:
            yield from filled
            return
    if message.is_multipart():
        for part in message.get_payload():
            yield from leaf_texts(part)
    elif message.get_content_type() in ("text/plain", "text/html"):
        try:
            raw = message.get_payload(decode=True) or b""
            text = decode(raw, message.get_content_charset() or "utf-8")
        except (LookupError, UnicodeError, ValueError, AssertionError):
            return  # no authority on these
        if message.get_content_disposition() == "attachment" or (message.get_filename() or "").strip():
            return
        yield message.get_content_type(), text


def check_loss(score, where, raw, got):
    try:
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
        want = " ".join(html_text(t) if k == "text/html" else t for k, t in leaf_texts(message))
    except Exception as e:  # its faults are not ours
        print(f"          {where}: no comparison: {type(e).__name__}")
        return
    have = got["text"] + " " + " ".join(a["name"] for a in got["attachments"])
    want = re.sub(r"begin [0-7]{3} .*?\nend", "", want, flags=re.S)
    lost = lost_words(want, have)
    score.count(not lost, where, " ".join(lost)[:300], squeeze(got["text"])[:300])


def plain_folder(explain, data, folder, suite, floor):
    skip = ("LICENSE", "COPYING", "sample_output_multipart")
    paths = [p for p in files_below(f"{data}/{folder}")
             if not any(s in os.path.basename(p) for s in skip) and os.path.getsize(p)]
    answers = explain(paths)
    read, loss = Score(suite, "read", 1.0), Score(suite, "no text lost", floor)
    for path in paths:
        where = os.path.relpath(path, f"{data}/{folder}")
        if read.count(path in answers, where, "an answer", explain.failed.get(path)):
            with open(path, "rb") as f:
                check_loss(loss, where, f.read(), answers[path]["message"])
    return [read, loss]


def run(explain, data):
    return (stalwart(explain, data, "rfc", {"": STALWART_FLOOR, "no text lost": 1.0})
            + stalwart(explain, data, "malformed", {"": None, "read": 1.0, "no text lost": None})
            + plain_folder(explain, data, "mime/mikel-mail", "mikel-mail", 0.98)
            + plain_folder(explain, data, "tickets", "tickets", 1.0))
