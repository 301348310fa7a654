# SPDX-License-Identifier: BSD-2-Clause
"""What the suites share: running `ticketctl explain`, counting, comparing text."""
import email.header
import hashlib
import json
import os
import re
import subprocess

BATCH = 40


class Score:
    """One field of one suite: how many of it were right, what missed, and how many must be
    right (floor, a share of 1; None is only told)."""

    def __init__(self, suite, field, floor=None):
        self.suite, self.field, self.floor = suite, field, floor
        self.good = self.total = 0
        self.misses = []

    def count(self, ok, where, want=None, got=None):
        self.total += 1
        if ok:
            self.good += 1
        else:
            self.misses.append((where, want, got))
        return ok

    @property
    def share(self):
        return self.good / self.total if self.total else 1.0

    def fails(self):
        return self.floor is not None and (not self.total or self.share < self.floor)


class Explainer:
    """Runs the program over many files at once; a file that makes it fail costs the others
    nothing. Answers are those of the message without a configuration and without ticketd."""

    def __init__(self, ctl):
        self.ctl = ctl
        self.failed = {}

    def _run(self, paths, options):
        argv = [self.ctl, "-c", "/dev/null", "--json", "explain", "--offline", *options, *paths]
        if not os.path.exists("/etc/ticket-milter/ticket-milter.conf"):
            del argv[1:3]
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        except subprocess.TimeoutExpired:
            return None, "took more than 300 s"
        answers = read_stream(done.stdout.decode("utf-8", "strict"))
        if done.returncode == 0 and len(answers) == len(paths):
            return answers, ""
        why = done.stderr.decode("utf-8", "replace").strip() or f"exit {done.returncode}"
        return None, why

    def __call__(self, paths, options=()):
        """{path: answer}; a path without an answer stands in self.failed with the reason."""
        answers = {}
        for i in range(0, len(paths), BATCH):
            part = paths[i:i + BATCH]
            got, _ = self._run(part, options)
            if got is not None:
                answers.update(zip(part, got))
                continue
            for path in part:
                got, why = self._run([path], options)
                if got is None:
                    self.failed[path] = why
                else:
                    answers[path] = got[0]
        return answers


def read_stream(text):
    """The JSON values that stand one behind the other."""
    decoder, values, at = json.JSONDecoder(), [], 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return values
        value, at = decoder.raw_decode(text, at)
        values.append(value)


def squeeze(text):
    """White space alone does not count."""
    return " ".join(text.split())


def words(text):
    return re.findall(r"\w+", text)


def lost_words(want, have):
    """Words of want that have has not, or has less often."""
    left = {}
    for word in words(have):
        left[word] = left.get(word, 0) + 1
    lost = []
    for word in words(want):
        if left.get(word, 0) == 0:
            lost.append(word)
        else:
            left[word] -= 1
    return lost


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def files_below(folder):
    found = []
    for top, _, names in os.walk(folder):
        found += [os.path.join(top, n) for n in names]
    return sorted(found)


def decode_header(value):
    """A header as the standard library reads it, which is no authority."""
    return str(email.header.make_header(email.header.decode_header(value)))
