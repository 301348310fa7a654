# SPDX-License-Identifier: BSD-2-Clause
"""Delivery reports, feedback reports and automatic replies: the file's name tells the class.
Mail of people, from the suites of two ticket systems: none of it may pass for a machine's."""
import os
import re

from frame import Score, files_below

# Successful delivery: no failure, though a report.
NOT_FAILED = {"rfc3464-28"}
# Among the mails of the ticket systems: a licence, and a delivery report.
NOT_PEOPLE = {"COPYING", "multipart-report"}


def expected_class(stem):
    if stem in NOT_FAILED:
        return ("auto-generated",)
    if stem.startswith("arf"):
        return ("feedback",)
    if stem.startswith("rfc3834"):
        return ("auto-reply",)
    return ("bounce", "delay")


def kind_of(stem):
    return {"arf": "feedback", "rfc3834": "auto-reply"}.get(stem.split("-")[0], "bounce")


def sisimai(explain, folder):
    paths = [p for p in files_below(folder) if p.endswith(".eml")]
    answers = explain(paths)
    suite = "sisimai"
    read = Score(suite, "read", 1.0)
    classes = {"bounce": Score(suite, "class of bounces", 0.98),
               "auto-reply": Score(suite, "class of auto-replies", 1.0),
               "feedback": Score(suite, "class of feedback reports", 1.0)}
    fields = {name: Score(suite, f"bounces: {name}", floor)
              for name, floor in (("recipient", 0.98), ("status", 0.98), ("action", 0.99),
                                  ("diagnostic", 0.97), ("original_message_id", 0.87))}
    for path in paths:
        stem = os.path.basename(path)[:-len(".eml")]
        if not read.count(path in answers, stem, "an answer", explain.failed.get(path)):
            continue
        got = answers[path]["message"]
        want = expected_class(stem)
        classes[kind_of(stem)].count(got["class"] in want, stem, want,
                                     (got["class"], got["class_evidence"]))
        if want == ("bounce", "delay"):
            for name, score in fields.items():
                value = (got["bounce"] or {}).get(name, "")
                score.count(well_formed(name, value), stem, name, value)
    return [read, *classes.values(), *fields.values()]


def well_formed(name, value):
    """That something stands there which looks like one; whether it is right is looked at in
    the project's own mails, where the right answer is known."""
    if name == "recipient":
        return re.fullmatch(r"[^@\s]+@[^@\s]+", value) is not None
    if name == "status":
        return re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", value) is not None
    return value != ""


def people(explain, folder):
    paths = [p for p in files_below(folder)
             if os.path.basename(p) not in NOT_PEOPLE and os.path.getsize(p)]
    answers = explain(paths)
    score = Score("tickets", "people are people", 1.0)
    for path in paths:
        got = answers.get(path, {}).get("message", {})
        score.count(got.get("class") in ("human", "list"), os.path.relpath(path, folder), "human",
                    (got.get("class"), got.get("class_evidence")))
    return [score]


def run(explain, data):
    return sisimai(explain, f"{data}/bounces/sisimai") + people(explain, f"{data}/tickets")
