# SPDX-License-Identifier: BSD-2-Clause
"""The backend exec: a helper program with a desk behind it."""
import os

import pytest
from conftest import BUILD
from harness.contract import CONF, PERM, TEMP, Contract, Drive, a_ticket
from harness.helper import Helper
from harness.util import wait_for

SECTION = """    type = "exec"
    groups = {{"net=Network"}}
    states = {{"pending=waiting"}}
    fields = {{"place={{{{fields.site}}}}"}}
    options = {{"program={url}"}}"""


def sleepers(nap):
    """Processes that sleep so long."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                found += [pid] if f.read() == f"/bin/sleep\0{nap}\0".encode() else []
        except OSError:
            continue
    return found


class TestExec(Contract):
    stand_in = Helper
    section = SECTION
    create_line = "create"
    pending, closed, nobody = "waiting", "done", "99"

    def made(self, fake):
        return list(fake.tickets.values())

    def holds(self, fake, kind):
        t = self.made(fake)[0]
        if kind == "files":
            return {name: open(path, "rb").read() for name, path in t["files"].items()}
        return [(n["text"], n["public"]) for n in t["notes"]] if kind == "notes" else t[kind]

    def test_a_page_with_200_is_no_ticket(self, fake, drive):
        fake.plan("page", self.create_line)
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and result["unsure"] and self.made(fake) == []
        self.end(fake)

    def test_retry_after_is_read_in_both_forms(self, fake, drive):
        fake.plan("exit", "create", code=75, answer={"error": "busy", "retry_after": 7})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and not result["unsure"]
        assert result["retry_after"] == 7 and "busy" in result["error"]
        self.end(fake)

    def test_a_server_that_is_busy_is_asked_later(self, fake, drive):
        fake.plan("exit", "create", code=75, said="\n try \x1b[31mlater\nsecond line\n")
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and not result["unsure"]
        assert "ended with 75" in result["error"] and "try  [31mlater" in result["error"]
        assert "second" not in result["error"]
        self.end(fake)

    def test_the_exit_status_tells_what_happened(self, fake, drive):
        for code, kind, unsure in ((64, CONF, False), (65, PERM, False), (69, PERM, False),
                                   (70, TEMP, True), (74, TEMP, True), (77, CONF, False),
                                   (78, CONF, False), (1, TEMP, True), (126, TEMP, True)):
            fake.plan("exit", "create", code=code)
            result = drive("create", a_ticket())
            assert (result["class"], result["unsure"]) == (kind, unsure), (code, result)
        assert self.made(fake) == []
        self.end(fake)

    def test_what_is_found_counts_only_with_its_key(self, fake, drive):
        assert drive("create", a_ticket())["ok"]
        fake.change(lies=True)
        assert drive("find", a_ticket())["seen"]["external"] == ""
        self.end(fake)

    def test_it_is_told_all_and_has_nothing_of_ours(self, fake, drive):
        os.environ["TKT_TESTS_SECRET"] = "of the daemon"
        try:
            assert drive("create", a_ticket(tags=["a"]))["ok"]
        finally:
            del os.environ["TKT_TESTS_SECRET"]
        seen = fake.seen[0]
        call = seen.call
        assert set(seen.env) == {"PATH", "LANG"} and seen.argv == [] and seen.cwd == "/"
        assert seen.group and seen.fds in ([0, 1, 2, 3], [0, 1, 2, 3, 4])
        assert call["version"] == 1 and call["op"] == "create"
        assert call["there"] == {"project": "", "group": "Network",
                                 "fields": {"place": "Berlin"}}
        assert call["ticket"]["priority"] == "2" and call["ticket"]["type"] == "incident"
        assert call["site"]["secret"] == "s3cret"

    def test_one_that_hangs_is_killed_with_its_children(self, fake):
        drive = Drive(BUILD, SECTION.format(url=fake.url), self.secret, timeout="4s")
        fake.plan("hang", "create")
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and result["unsure"] and "too long" in result["error"]
        wait_for("its child to be gone", lambda: not sleepers(fake.nap))
        fake.plan("hang", "find")
        assert not drive("find", a_ticket())["unsure"]
        drive.remove()

    def test_one_that_says_too_much_is_killed(self, fake, drive):
        fake.plan("loud", "create")
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and result["unsure"]
        assert "more than 1048576 bytes" in result["error"]

    def test_a_program_that_others_may_write_is_not_run(self, fake):
        for name, mode, words in (("a", 0o777, "others than its owner"),
                                  ("b", 0o644, "may not be run"), ("c", None, "there is none")):
            path = f"{fake.root}/{name}"
            if mode:
                fake.write(name, "#!/bin/sh\ntouch /ran\n", mode)
            one = Drive(BUILD, SECTION.format(url=path), "s3cret")
            result = one("create", a_ticket())
            one.remove()
            assert result["class"] == CONF and words in result["error"], result
            assert not result["unsure"]

    def test_a_path_that_is_not_whole_is_refused(self):
        one = Drive(BUILD, SECTION.format(url="bin/helper"), "s3cret")
        with pytest.raises(AssertionError, match="its/whole/path"):
            one("check", {})
        one.remove()
