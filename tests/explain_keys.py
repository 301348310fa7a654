#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The keys of `ticketctl --json explain`: those that are promised are always there, and the
manual page names each key that is printed."""
import glob
import json
import os
import re
import subprocess
import sys

SRC = os.environ.get("TKT_SRCDIR", ".")
CTL = f"{os.environ.get('TKT_BUILDDIR', '.')}/ticketctl/ticketctl"
PERSON = {"address", "name"}
PROMISED = {
    "message": set(
        "subject from sender reply_to to cc message_id in_reply_to references date importance text "
        "reply_text signature quoted language has_html attachments class class_evidence bounce "
        "forwarded security auth problems".split()),
    "message.from": PERSON, "message.sender": PERSON,
    "message.reply_to[]": PERSON, "message.to[]": PERSON, "message.cc[]": PERSON,
    "message.attachments[]": {"name", "type", "size", "sha256", "inline"},
    "message.bounce": {"recipient", "status", "action", "diagnostic", "original_message_id"},
    "message.forwarded": {"from", "subject", "date"},
    "message.auth": {"spf", "dkim", "dmarc", "assurance"},
    "thread": {"action", "ticket", "why"},
    "decision": set(
        "type category subcategory group assignee urgency impact priority tags keywords fields "
        "action opens changes_state acknowledge rules model".split()),
    "decision.rules[]": {"id", "version"},
    "decision.model": {"label", "probability", "version"},
}
CLASSES = {"human", "auto-reply", "auto-generated", "bounce", "delay", "feedback", "list", "bulk",
           "challenge", "own", "system"}
# What the desk's defaults let each class do (ticket-milter.conf(5)).
POLICY = {
    "opens": {"human", "auto-generated", "feedback", "list", "bulk", "system"},
    "changes_state": {"human", "list"},
    "acknowledge": {"human"},
}


def objects(value, path):
    """Every object with the path of keys that leads to it."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from objects(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner, f"{path}[]")


def main():
    mails = sorted(m for m in glob.glob(f"{SRC}/tests/golden/*.eml") if os.path.getsize(m))
    done = subprocess.run([CTL, "--json", "explain", "--offline", *mails],
                          stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=120)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(mails) or not mails:
        print(f"FAIL: {len(mails)} messages, {len(answers)} lines")
        return 1
    failed, printed, seen = set(), set(), set()
    for mail, answer in zip(mails, answers):
        for path, value in objects(answer, ""):
            seen.add(path)
            if not path.endswith(".fields"):
                printed |= value.keys()
            missing = PROMISED.get(path, set()) - value.keys()
            if missing:
                failed.add(f"{os.path.basename(mail)}: {path}: no {' '.join(sorted(missing))}")
        if answer["message"]["class"] not in CLASSES:
            failed.add(f"{os.path.basename(mail)}: class {answer['message']['class']}")
        for bit, classes in POLICY.items():
            if answer["decision"][bit] != (answer["message"]["class"] in classes):
                failed.add(f"{os.path.basename(mail)}: {bit} is {answer['decision'][bit]}")
    with open(f"{SRC}/man/ticketctl.1", encoding="utf-8") as f:
        page = f.read()
    section = page[page.index(".Sh JSON OF EXPLAIN"):page.index(".Sh EXIT STATUS")]
    named = set(re.findall(r"[a-z0-9_]+", " ".join(re.findall(r"^\.(?:It )?Li (.*)$", section, re.M))))
    failed |= {f"the manual page does not name {key}" for key in printed - named}
    if not {"message.bounce", "message.attachments[]", "message.to[]"} <= seen:
        failed.add("the messages show too little")
    for line in sorted(failed):
        print(f"FAIL: {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
