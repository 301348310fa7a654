# SPDX-License-Identifier: BSD-2-Clause
"""Tickets as signed events: each once for a receiver that keeps to Standard Webhooks."""
import email.utils
import json
import os
import subprocess
import time

import pytest
from conftest import BUILD
from harness.fake_webhook import Fake
from harness.judge import judge_or_skip
from harness.util import make_root, remove_root

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
DRIVE = f"{BUILD}/tests/itsm/itsm_drive"
TICKET = {"id": "IT-1", "corr": "mt-%032x" % 1, "subject": "Gr\u00fc\u00dfe \U0001f600", "group": "net",
          "text": "help\n", "requester": "ann@sender.test", "requester_name": "Ann",
          "state": "new", "priority": 3, "fields": {"site": "Berlin"}, "created_s": 1790000000}


class Site:
    def __init__(self):
        self.root = make_root()
        self.fake = Fake(SECRET)

    def run(self, op, check=True, secret=SECRET, keys=None, **call):
        with open(f"{self.root}/secret", "w", encoding="ascii") as f:
            f.write(secret + "\n")
        os.chmod(f"{self.root}/secret", 0o600)
        rows = {"url": f'"{self.fake.url}"', "secret": f'"file:{self.root}/secret"',
                "options": '{"allow_private=yes"}', "timeout": "30s", **(keys or {})}
        with open(f"{self.root}/conf", "w", encoding="utf-8") as f:
            f.write('itsm "here" {\n    type = "webhook"\n' +
                    "".join(f"    {k} = {v}\n" for k, v in rows.items()) + "}\n")
        done = subprocess.run([DRIVE, f"{self.root}/conf", "here", op],
                              input=json.dumps({"ticket": TICKET, **call}),
                              capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["ok"] or not check, answer
        return answer


@pytest.fixture
def site():
    site = Site()
    yield site
    site.fake.stop()
    remove_root(site.root)


def test_each_operation_is_a_valid_event(site):
    path = f"{site.root}/file"
    with open(path, "wb") as f:
        f.write(b"123")
    assert site.run("create")["seen"]["external"] == "T1"
    site.run("comment", key="j2", comment={"text": "seen \U0001f600", "public": True})
    site.run("attach", key="j3", file={"path": path, "name": "a.txt", "type": "text/plain"})
    site.run("update", key="j4")
    site.run("close", key="j5")
    assert "200" in site.run("check")["seen"]["told"]
    assert site.fake.faults == []
    kinds = [e["type"] for e in site.fake.events.values()]
    assert kinds == ["ticket.created", "ticket.comment", "ticket.file", "ticket.changed",
                     "ticket.closed", "ticket.test"]
    first = site.fake.events[TICKET["corr"]]["data"]
    assert first["subject"] == TICKET["subject"] and first["fields"] == {"site": "Berlin"}


def test_signatures_hold_before_another_implementation(site):
    judge = judge_or_skip(BUILD)
    site.run("create")
    site.run("comment", key="j2", comment={"text": "seen \U0001f600", "public": True})
    sent = [{"secret": SECRET, "headers": h, "body": b} for h, b in site.fake.signed]
    assert len(sent) == 2 and judge.documents("webhook", sent) == []
    assert len(judge.documents("webhook", [{**sent[0], "secret": OTHER},
                                           {**sent[0], "body": sent[0]["body"] + " "}])) == 2


def test_a_create_whose_answer_got_lost_is_sent_again_under_the_same_id(site):
    site.fake.plans.append("lose")
    lost = site.run("create", check=False)
    assert not lost["ok"] and lost["class"] == 1
    assert site.run("create")["seen"]["external"] == "T1"
    assert site.fake.requests == [TICKET["corr"]] * 2
    assert len(site.fake.events) == 1 and site.fake.faults == []


def test_both_forms_of_retry_after_are_obeyed(site):
    later = email.utils.formatdate(time.time() + 90, usegmt=True)
    for value, least, most in (("7", 7, 7), (later, 60, 91)):
        site.fake.plans.append((429, {"Retry-After": value}, "{}"))
        answer = site.run("create", check=False)
        assert answer["class"] == 1 and least <= answer["retry_after"] <= most
        assert not answer["unsure"]
    site.fake.plans.append((503, {}, "busy"))
    assert site.run("create", check=False)["class"] == 1


def test_a_refusal_is_for_good_and_a_redirect_is_not_followed(site):
    for status, headers in ((410, {}), (422, {}), (302, {"Location": site.fake.url})):
        site.fake.plans.append((status, headers, "{}"))
        answer = site.run("create", check=False)
        assert not answer["ok"] and answer["class"] in (2, 3), answer
    assert len(site.fake.requests) == 3


def test_a_wrong_secret_is_refused_there_a_broken_one_here(site):
    answer = site.run("create", check=False, secret=OTHER)
    assert answer["unauthorized"] and site.fake.events == {}
    sent = len(site.fake.requests)
    answer = site.run("create", check=False, secret="hunter2")
    assert answer["class"] == 3 and "hunter2" not in answer["error"]
    assert len(site.fake.requests) == sent


def test_while_secrets_change_both_sign(site):
    site.run("create", secret=f"{OTHER} {SECRET}")
    assert site.fake.faults == []


def test_this_host_and_its_network_are_reached_only_when_allowed(site):
    answer = site.run("create", check=False, keys={"options": "{}"})
    assert not answer["ok"] and site.fake.requests == []


def test_a_template_gives_the_events_any_shape(site):
    body = r'"body={\"type\":\"{{event}}\",\"data\":{\"text\":\"{{subject}}\"}}"'
    site.run("create", keys={"options": '{"allow_private=yes", ' + body + "}"})
    assert site.fake.events[TICKET["corr"]] == {
        "type": "ticket.created", "data": {"text": TICKET["subject"]}}


def test_an_answer_that_is_no_json_names_nothing(site):
    site.fake.plans.append((202, {"Content-Type": "text/html"}, "<html>thanks"))
    assert site.run("create")["seen"]["external"] == TICKET["corr"]


def test_of_what_names_the_ticket_there_only_what_is_a_name_is_kept(site):
    odd = {"id": "a" * 257, "number": "7\r\nBcc: eve@x.test" + "\u00e9" * 300,
           "url": "javascript:alert(1)"}
    for key in (odd["id"], "T\n1"):
        site.fake.plans.append((200, {}, json.dumps({**odd, "id": key}, ensure_ascii=False)))
        seen = site.run("create")["seen"]
        assert seen["external"] == TICKET["corr"] and seen["url"] == ""
        assert seen["number"].startswith("7  Bcc") and len(seen["number"].encode()) <= 256
    site.fake.plans.append((200, {}, json.dumps({"id": "T1", "url": "https://x.test/a b"})))
    assert site.run("create")["seen"]["url"] == ""
    site.fake.plans.append((200, {}, json.dumps({"id": "T1", "url": "https://x.test/T1"})))
    assert site.run("create")["seen"]["url"] == "https://x.test/T1"
