# SPDX-License-Identifier: BSD-2-Clause
"""The channel exec: what the program gets, what its end means, and that it ends."""
import json
import os
import subprocess
import time

import pytest
from conftest import BUILD
from harness.util import is_gone, make_root, remove_root, wait_for

NONE, TEMP, PERM, CONF = range(4)
NOTICE = {"id": "n-1", "what": "created", "to": "Ann; rm -rf /", "to_name": "Ann", "role": "fixed",
          "language": "de", "subject": "[IT-1] $(id)", "text": "`id`\n\U0001f600\n", "ticket": "IT-1",
          "corr": "mt-%032x" % 1, "number": "INC7", "url": "https://desk.example/IT-1", "desk": "it",
          "group": "net", "assignee": "bob", "state": "new", "priority": 2, "at_ms": 1790000000000,
          "thread": "t-0"}


class Helper:
    def __init__(self):
        self.root = make_root()
        self.path = f"{self.root}/helper"

    def send(self, body, timeout="60s", path=None, mode=0o755):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + body)
        os.chmod(self.path, mode)
        with open(f"{self.root}/secret", "w", encoding="utf-8") as f:
            f.write("s3cret")
        os.chmod(f"{self.root}/secret", 0o600)
        with open(f"{self.root}/t.conf", "w", encoding="utf-8") as f:
            f.write(f'channel "x" {{\n type = "exec"\n timeout = {timeout}\n secret = "file:{self.root}/secret"\n'
                    f' options = {{"program={path or self.path}"}}\n}}\n')
        done = subprocess.run([f"{BUILD}/tests/notify/channel_drive", f"{self.root}/t.conf", "x"],
                              input=json.dumps(NOTICE), capture_output=True, text=True, timeout=180,
                              check=False, env={**os.environ, "SECRET_OF_OURS": "1"})
        if done.returncode != 0:
            return done.stderr
        return json.loads(done.stdout)


@pytest.fixture(name="helper")
def _helper():
    helper = Helper()
    yield helper
    remove_root(helper.root)


def test_the_notice_stands_on_its_input_as_json(helper):
    result = helper.send(f'cat > {helper.root}/in; env > {helper.root}/env; pwd > {helper.root}/pwd\n'
                         'echo \'{"id": "v-7", "thread": "t-1"}\'\n')
    assert result["ok"] and (result["id"], result["thread"]) == ("v-7", "t-1")
    with open(f"{helper.root}/in", encoding="utf-8") as f:
        told = json.load(f)
    assert {k: told[k] for k in ("id", "what", "to", "subject", "text", "version")} == {
        "id": "n-1", "what": "created", "to": NOTICE["to"], "subject": NOTICE["subject"],
        "text": NOTICE["text"], "version": 1}
    assert told["channel"]["secret"] == "s3cret" and told["at"].startswith("2026-09-21T")
    assert told["ticket"] == {"id": "IT-1", "corr": NOTICE["corr"], "number": "INC7", "url": NOTICE["url"],
                              "desk": "it", "group": "net", "state": "new", "assignee": "bob",
                              "thread": "t-0", "priority": 2, "over": False}
    with open(f"{helper.root}/env", encoding="utf-8") as f:
        assert {line.split("=")[0] for line in f} <= {"PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}
    with open(f"{helper.root}/pwd", encoding="utf-8") as f:
        assert f.read() == "/\n"


@pytest.mark.parametrize("code,wanted,undeliverable,outcome", [
    (64, CONF, False, "rejected"), (65, PERM, False, "rejected"), (67, PERM, True, "rejected"),
    (68, PERM, True, "rejected"), (69, TEMP, False, "retry"), (75, TEMP, False, "retry"),
    (70, PERM, False, "unknown"), (77, CONF, False, "rejected"), (1, PERM, False, "unknown")])
def test_its_exit_status_says_how_it_went(helper, code, wanted, undeliverable, outcome):
    result = helper.send(f'cat > /dev/null; echo "no line" >&2; exit {code}\n')
    assert not result["ok"]
    assert (result["class"], result["undeliverable"], result["outcome"]) == (wanted, undeliverable, outcome)
    assert "no line" in result["error"]


def test_it_may_say_when_to_come_again_and_does_not_have_to_read(helper):
    result = helper.send('echo \'{"error": "bu\\u001b[2Jsy", "retry_after": 7}\'; exit 75\n')
    assert (result["class"], result["retry_after"]) == (TEMP, 7)
    assert "bu" in result["error"] and "\x1b" not in result["error"]
    assert helper.send("exit 0\n")["ok"]
    assert helper.send("echo no json; exit 0\n")["ok"]


def test_it_ends_with_its_time_and_takes_its_children_along(helper):
    began = time.monotonic()
    result = helper.send(f"sleep 300 & echo $! > {helper.root}/pid; wait\n", timeout="6s")
    assert time.monotonic() - began < 60
    assert (result["class"], result["outcome"]) == (TEMP, "unknown")
    with open(f"{helper.root}/pid", encoding="utf-8") as f:
        pid = int(f.read())
    wait_for("its child to be gone", lambda: is_gone(pid))


def test_who_prints_for_ever_is_ended(helper):
    result = helper.send("exec yes\n")
    assert (result["class"], result["outcome"]) == (TEMP, "unknown")


def test_what_is_no_program_is_the_settings_fault(helper):
    assert helper.send("exit 0\n", path="/nonexistent/x")["class"] == CONF
    assert "program" in helper.send("exit 0\n", path="relative")
    assert helper.send("exit 0\n", mode=0o777)["class"] == CONF  # anybody could change it
