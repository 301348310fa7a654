# SPDX-License-Identifier: BSD-2-Clause
"""What the person wrote: bodies of replies with the text that is to remain."""
import os
import tempfile

from frame import Score, lost_words

REPLY_FLOOR = 0.95
HEADER = (b"From: Ann Example <ann@customer.example>\nTo: it@desk.example\n"
          b"Subject: Re: Printer\nMessage-ID: <1@customer.example>\n"
          b"Date: Sat, 21 Nov 2026 08:30:00 +0000\nMIME-Version: 1.0\n"
          b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def lines(data):
    """White space at both ends and the kind of line end do not count."""
    return data.decode("utf-8").replace("\r\n", "\n").strip()


def explain_bodies(explain, folder, names):
    """{name: message} of bodies that stand in files of their own."""
    with tempfile.TemporaryDirectory() as work:
        for name in names:
            with open(f"{work}/{name}", "wb") as f:
                f.write(HEADER + read(f"{folder}/{name}"))
        answers = explain([f"{work}/{name}" for name in names])
        return {os.path.basename(p): a["message"] for p, a in answers.items()}


def check_parts(score, name, want, message):
    """Every word of the body stands in one of the three parts."""
    have = " ".join([message["reply_text"], message["signature"], message["quoted"]])
    lost = lost_words(want, have)
    score.count(not lost, name, " ".join(lost)[:300], "")


def trimmer(explain, data):
    folder = f"{data}/replies/trimmer"
    names = sorted(os.listdir(f"{folder}/emails")) if os.path.isdir(folder) else []
    got = explain_bodies(explain, f"{folder}/emails", names)
    exact = Score("replies/trimmer", "reply text, exact", REPLY_FLOOR)
    kept = Score("replies/trimmer", "nothing lost", 1.0)
    for name in names:
        want = lines(read(f"{folder}/trimmed/{name}"))
        reply = got[name]["reply_text"].strip() if name in got else None
        exact.count(reply == want, name, want, reply)
        if name in got:
            check_parts(kept, name, lines(read(f"{folder}/emails/{name}")), got[name])
    return [exact, kept] if names else []


def github(explain, data):
    """No answers come with these: of a reply something must be left, and nothing lost."""
    folder = f"{data}/replies/github"
    names = [n for n in sorted(os.listdir(folder)) if n != "LICENSE"] if os.path.isdir(folder) else []
    got = explain_bodies(explain, folder, names)
    some = Score("replies/github", "some reply", 1.0)
    kept = Score("replies/github", "nothing lost", 1.0)
    for name in names:
        if some.count(name in got and got[name]["reply_text"].strip() != "", name):
            check_parts(kept, name, lines(read(f"{folder}/{name}")), got[name])
    return [some, kept] if names else []


def run(explain, data):
    return trimmer(explain, data) + github(explain, data)
