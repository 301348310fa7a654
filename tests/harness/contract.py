# SPDX-License-Identifier: BSD-2-Clause
"""What each backend has to do, against a stand-in of its ITSM: one suite for all.

A suite derives from Contract, gives a fixture `fake`, and says in class members how its
section is written (`section`), which request makes a ticket (`create_line`) and where tickets
stand in the stand-in (`made`)."""
import email.utils
import json
import os
import subprocess
import time
import uuid

from .util import make_root, remove_root

TEMP, PERM, CONF = 1, 2, 3


class Drive:
    """Runs one operation of one backend (tests/itsm/drive.c)."""

    def __init__(self, build, section, secret, timeout="30s"):
        self.program = f"{build}/tests/itsm/itsm_drive"
        self.root = make_root()
        with open(f"{self.root}/secret", "w", encoding="utf-8") as f:
            f.write(secret)
        os.chmod(f"{self.root}/secret", 0o600)
        self.conf = f"{self.root}/t.conf"
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f'itsm "x" {{\n    secret = "file:{self.root}/secret"\n'
                    f'    timeout = {timeout}\n{section}\n}}\n'
                    'desk "it" {\n    prefix = "IT"\n'
                    '    addresses = {"support@example.test"}\n}\n')

    def __call__(self, op, ticket, comment=None, file=None, key="", again=False):
        call = {"ticket": ticket, "key": key, "again": again}
        if comment:
            call["comment"] = comment
        if file:
            path = f"{self.root}/file"
            with open(path, "wb") as f:
                f.write(file[1])
            call["file"] = {"path": path, "name": file[0], "type": file[2]}
        done = subprocess.run([self.program, self.conf, "x", op], input=json.dumps(call),
                              capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def remove(self):
        remove_root(self.root)


def a_ticket(**more):
    return dict({"id": "IT-1", "corr": "mt-" + uuid.uuid4().hex, "desk": "it",
                 "subject": "Gr\u00fc\u00dfe \U0001f600", "text": "It is broken.\nReally \U0001f600.\n",
                 "requester": "ann@example.org", "requester_name": "Ann", "type": "incident",
                 "group": "net", "state": "new", "priority": 2, "fields": {"site": "Berlin"}},
                **more)


class Contract:
    create_line = "POST /"
    secret = "s3cret"
    wrong_secret = "wrong"
    file_max = 5 * 1024 * 1024
    trial_shown = "the comment is there, the file is there"

    def made(self, fake):
        raise NotImplementedError

    def holds(self, fake, kind):
        """What the stand-in has of its first ticket: 'text', 'notes' [(text, public)],
        'files' {name: bytes}, 'state'."""
        raise NotImplementedError

    @staticmethod
    def known(ticket, result):
        assert result["ok"], result
        return dict(ticket, external=result["seen"]["external"],
                    number=result["seen"]["number"])

    def end(self, fake):
        assert fake.breaches == []
        for request in fake.seen:
            assert self.secret not in request.target

    def test_a_ticket_is_made_with_its_key_and_four_byte_characters(self, fake, drive):
        ticket = a_ticket()
        result = drive("create", ticket)
        assert result["ok"], result
        assert result["seen"]["external"] and len(self.made(fake)) == 1
        assert "Really \U0001f600" in self.holds(fake, "text")
        found = drive("find", ticket)
        assert found["ok"] and found["seen"]["external"] == result["seen"]["external"]
        assert found["seen"]["number"] == result["seen"]["number"]
        self.end(fake)

    def test_a_key_that_is_nowhere_is_not_found(self, fake, drive):
        assert drive("create", a_ticket())["ok"]
        result = drive("find", a_ticket())
        assert result["ok"] and result["seen"]["external"] == ""
        self.end(fake)

    def test_an_answer_lost_after_the_commit_is_unsure_and_found(self, fake, drive):
        ticket = a_ticket()
        fake.plan("lose", self.create_line)
        result = drive("create", ticket)
        assert not result["ok"] and result["unsure"] and result["class"] == TEMP
        found = drive("find", ticket)
        assert found["ok"] and found["seen"]["external"] != ""
        assert len(self.made(fake)) == 1
        self.end(fake)

    def test_half_an_answer_is_unsure_and_found(self, fake, drive):
        ticket = a_ticket()
        fake.plan("half", self.create_line)
        result = drive("create", ticket)
        assert not result["ok"] and result["unsure"] and result["class"] == TEMP
        assert drive("find", ticket)["seen"]["external"] != ""
        self.end(fake)

    def test_a_page_with_200_is_no_ticket(self, fake, drive):
        fake.plan("page", self.create_line)
        result = drive("create", a_ticket())
        assert not result["ok"] and result["class"] == TEMP
        assert "page" in result["error"] and self.made(fake) == []
        self.end(fake)

    def test_retry_after_is_read_in_both_forms(self, fake, drive):
        fake.plan("answer", self.create_line, status=429, headers={"Retry-After": "7"}, body={})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and not result["unsure"]
        assert result["retry_after"] == 7
        when = email.utils.formatdate(time.time() + 90, usegmt=True)
        fake.plan("answer", self.create_line, status=429, headers={"Retry-After": when}, body={})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and 60 <= result["retry_after"] <= 90
        assert self.made(fake) == []
        self.end(fake)

    def test_a_server_that_is_busy_is_asked_later(self, fake, drive):
        fake.plan("answer", self.create_line, status=503, body={})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and not result["unsure"]
        self.end(fake)

    def test_a_secret_that_is_refused_is_told_apart(self, fake, build):
        drive = Drive(build, self.section.format(url=fake.url), self.wrong_secret)
        try:
            result = drive("create", a_ticket())
            assert not result["ok"] and result["unauthorized"] and not result["unsure"]
            assert "wrong" not in result["error"] and self.made(fake) == []
        finally:
            drive.remove()

    def test_comments_are_public_or_internal(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        for public in (True, False):
            result = drive("comment", ticket, comment={"text": f"seen {public} \U0001f600",
                                                       "public": public, "key": "m-2"})
            assert result["ok"], result
        notes = self.holds(fake, "notes")
        assert [(public, text) for text, public in notes
                if text.endswith(f"seen {public} \U0001f600")] == [
                    (True, notes[-2][0]), (False, notes[-1][0])]
        fetched = drive("fetch", ticket)
        assert fetched["ok"], fetched
        have = {n["text"]: n["public"] for n in fetched["seen"]["notes"]}
        assert have["seen True \U0001f600"] is True and have["seen False \U0001f600"] is False
        self.end(fake)

    def test_a_large_file_arrives_byte_by_byte(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        data = os.urandom(self.file_max)
        name = "\u00fcber \"x\".bin"
        result = drive("attach", ticket, file=(name, data, "application/octet-stream"))
        assert result["ok"], result
        assert list(self.holds(fake, "files").values()) == [data]
        assert any("x" in n for n in drive("fetch", ticket)["seen"]["files"])
        self.end(fake)

    def test_a_long_subject_and_text_are_cut_to_fit(self, fake, drive):
        result = drive("create", a_ticket(subject="\U0001f600" * 3000, text="\u00e4 x" * 60000))
        assert result["ok"], result
        assert len(self.made(fake)) == 1
        self.end(fake)

    def test_state_and_priority_follow_and_come_back(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        assert drive("update", dict(ticket, state="pending", priority=1))["ok"]
        pending = drive("fetch", ticket)["seen"]["state"]
        assert pending == self.holds(fake, "state") == self.pending
        assert drive("update", dict(ticket, state="pending", priority=1))["ok"]
        assert drive("close", ticket)["ok"]
        assert self.holds(fake, "state") == self.closed
        self.end(fake)

    def test_a_ticket_that_is_gone_is_refused_for_good(self, fake, drive):
        result = drive("comment", a_ticket(external=self.nobody),
                       comment={"text": "x", "public": True, "key": "m-1"})
        assert not result["ok"] and result["class"] in (PERM, CONF) and not result["unsure"]
        self.end(fake)

    def test_a_look_finds_who_we_are_and_changes_nothing(self, fake, drive):
        result = drive("check", {})
        assert result["ok"] and result["seen"]["told"], result
        assert self.made(fake) == []
        self.end(fake)

    def test_ticketctl_tries_all_of_it_and_closes_what_it_made(self, fake, drive, build):
        ctl = [f"{build}/ticketctl/ticketctl", "-c", drive.conf, "--json", "itsm", "test", "x"]
        done = subprocess.run(ctl, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
        assert {s["step"] for s in json.loads(done.stdout)} == {"check"} and self.made(fake) == []
        done = subprocess.run([*ctl, "--create", "--from", "ann@example.org"], capture_output=True, text=True, timeout=180,
                              check=False)
        assert done.returncode == 0, done.stderr
        steps = {s["step"]: s["text"] for s in json.loads(done.stdout)}
        assert [s for s in steps if s != "find"] == [
            "check", "create", "comment", "attach", "fetch", "close"]
        assert "find" not in steps or "found by its key" in steps["find"], done.stdout
        assert self.trial_shown in steps["fetch"]
        assert len(self.made(fake)) == 1 and self.holds(fake, "state") == self.closed
        assert self.secret not in done.stdout + done.stderr
        self.end(fake)
