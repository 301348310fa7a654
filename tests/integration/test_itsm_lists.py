# SPDX-License-Identifier: BSD-2-Clause
"""Lists of what changed at several ITSMs: one that hangs, or that has a ticket of another
century, holds up nobody's changes."""
import os
import time

import pytest
from conftest import BUILD
from harness.fake_gitlab import GitLab
from harness.product import DAEMON_UID, DESKS, Product
from harness.strict import Answer
from harness.util import make_root, remove_root, wait_for

LISTS = "updated_after="
ADDRESS = {"well": "support@example.test", "hangs": "hr@example.test"}


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"


class Site:
    def __init__(self):
        self.root = make_root()
        self.there = {"well": GitLab(), "hangs": GitLab()}
        self.secret = f"{self.root}/secret"
        with open(self.secret, "w", encoding="ascii") as f:
            f.write("s3cret\n")
        os.chown(self.secret, DAEMON_UID, 0)
        os.chmod(self.secret, 0o400)
        self.product = Product(self.root, BUILD, log_level="debug", desks=self.desks())

    def desks(self, poll="1s", names=("hangs", "well")):
        rows = "".join(
            f'itsm "{name}" {{\n    type = "gitlab"\n    url = "{self.there[name].url}"\n'
            f'    secret = "file:{self.secret}"\n    project = "acme/it desk"\n'
            f'    poll = {poll}\n    timeout = 5m\n    states = {{"pending=waiting"}}\n}}\n' for name in names)
        return rows + (
            DESKS.replace('prefix = "IT"', 'prefix = "IT"\n    itsm = "well"')
            .replace('prefix = "HR"', 'prefix = "HR"' +
                     ('\n    itsm = "hangs"' if "hangs" in names else "")))

    def start(self, poll="1s"):
        self.product.prepare()
        self.product.write_config(desks=self.desks(poll))
        self.product.start_ticketd()
        return self

    def submit(self, desk, subject):
        self.product.ctl("submit", "-f", "ann@example.org", "-r", ADDRESS[desk], stdin=(
            f"From: Ann <ann@example.org>\r\nTo: {ADDRESS[desk]}\r\nSubject: {subject}\r\n"
            f"Message-ID: <{subject}@example.org>\r\n"
            "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nx\r\n"))
        wait_for("its create", lambda: all(
            j["state"] == "done" for j in self.show(subject)["jobs"]), step=0.2)
        issues = self.there[desk].issues
        return next(i for i, t in issues.items() if t["title"] == subject)

    def show(self, subject):
        ticket = next(t for t in self.product.tickets() if t["subject"] == subject)
        return self.product.json("show", ticket["id"])

    def change(self, desk, issue, ahead_s=0, **more):
        at = stamp(time.time() + ahead_s)
        with self.there[desk].lock:
            self.there[desk].issues[issue].update({"updated_at": at, **more})

    def flood(self, desk, times):
        """Others' issues, changed at those times."""
        fake = self.there[desk]
        with fake.lock:
            for n, at in enumerate(times):
                iid = 100000 + n
                fake.notes[iid] = []
                fake.issues[iid] = {
                    "id": iid, "iid": iid, "title": "another's", "state": "opened",
                    "description": "", "labels": [], "assignees": [],
                    "author": {"username": "else"}, "web_url": f"{fake.url}/{iid}",
                    "updated_at": stamp(at)}

    def listed(self, desk, subject):
        """One that was looked at since it was made: only a list tells what comes now."""
        issue = self.submit(desk, subject)
        self.change(desk, issue, labels=["waiting"])
        self.until(subject, "pending")
        return issue

    def asked(self, desk):
        return len([r for r in list(self.there[desk].seen) if LISTS in r.line])

    def until(self, subject, state, seconds=60):
        return wait_for(f"{subject} to be {state}",
                        lambda: self.show(subject)["state"] == state, seconds, 0.2)

    def stop(self):
        self.product.stop()
        for fake in self.there.values():
            fake.stop()
        print(self.product.log("ticketd")[-3000:])
        remove_root(self.root)


@pytest.fixture
def site():
    site = Site()
    yield site
    site.stop()


def hang(fake):
    """Each list, for longer than anybody waits here."""
    fake.plan("late", LISTS, 10**6, seconds=600)


def test_an_itsm_that_hangs_holds_up_the_lists_of_no_other(site):
    hang(site.there["hangs"])
    site.start()
    issue = site.submit("well", "moved")
    wait_for("the list that hangs", lambda: site.asked("hangs") == 1, step=0.1)
    site.change("well", issue, labels=["waiting"])
    site.until("moved", "pending")
    site.change("well", issue, state="closed", labels=[])
    site.until("moved", "resolved")
    assert site.asked("hangs") == 1  # one at a time
    assert site.there["well"].breaches == []


def test_a_list_that_hangs_holds_up_neither_a_reload_nor_a_stop(site):
    hang(site.there["hangs"])
    site.start()
    issue = site.submit("hangs", "waits")
    wait_for("the list that hangs", lambda: site.asked("hangs") == 1, step=0.1)
    site.there["hangs"].plans.clear()
    site.change("hangs", issue, state="closed")
    site.product.ctl("reload")
    site.until("waits", "resolved")  # by a new list: the old one has minutes to go
    hang(site.there["hangs"])
    was = site.asked("hangs")
    wait_for("one more that hangs", lambda: site.asked("hangs") > was, step=0.1)
    began = time.monotonic()
    site.product.stop()
    assert time.monotonic() - began < 45 and site.product.ticketd.returncode == 0


def test_a_change_in_the_same_second_behind_a_look_is_seen(site):
    fake = site.there["well"]
    site.start()
    issue = site.submit("well", "twice")
    whole = fake.route

    def route(request):
        try:
            whole(request)
        except Answer as answer:
            if request.line.endswith(f"/issues/{issue}") and fake.issues[issue]["labels"]:
                answer.body = dict(answer.body)  # as it was asked for, and then:
                fake.issues[issue].update(state="closed", labels=[])
            raise
    fake.route = route
    site.change("well", issue, labels=["waiting"])
    site.until("twice", "resolved")
    kinds = [e["kind"] for e in site.show("twice")["events"]]
    assert kinds.index("ticket.pending") < kinds.index("ticket.resolved"), kinds


def test_a_section_that_is_gone_is_asked_no_more_and_one_that_is_back_is(site):
    site.start()
    wait_for("both", lambda: site.asked("hangs") and site.asked("well"), step=0.1)
    site.product.write_config(desks=site.desks(names=("well",)))
    site.product.ctl("reload")
    # What was under way then may end; from there on the other one alone is asked.
    was = site.asked("well")
    wait_for("two more lists", lambda: site.asked("well") >= was + 2, step=0.1)
    gone, was = site.asked("hangs"), site.asked("well")
    wait_for("three more lists", lambda: site.asked("well") >= was + 3, step=0.1)
    assert site.asked("hangs") == gone
    site.product.write_config(desks=site.desks())
    site.product.ctl("reload")
    wait_for("it again", lambda: site.asked("hangs") > gone, step=0.1)


def test_a_shorter_poll_holds_when_it_is_reloaded(site):
    site.start("1h")
    issue = site.submit("well", "shorter")
    site.change("well", issue, state="closed")
    assert site.asked("well") == 0
    site.product.write_config(desks=site.desks(poll="1s"))
    site.product.ctl("reload")
    site.until("shorter", "resolved")


def test_a_list_that_failed_begins_at_once_when_it_is_reloaded(site):
    fake = site.there["well"]
    fake.plan("answer", LISTS, status=429, headers={"Retry-After": "3600"}, body={})
    site.start()
    issue = site.submit("well", "mended")
    wait_for("the list that fails", lambda: "itsm.list_failed" in site.product.log("ticketd"),
             60, 0.1)
    site.change("well", issue, state="closed")
    assert site.asked("well") == 1
    site.product.ctl("reload")
    site.until("mended", "resolved")  # it was asked to be left alone for an hour


def test_a_ticket_of_a_far_year_does_not_end_the_lists(site):
    site.start()
    odd = site.submit("well", "odd")
    issue = site.submit("well", "plain")
    site.change("well", odd, state="closed", ahead_s=70 * 365 * 86400)
    site.until("odd", "resolved")  # what happened to it comes, whenever that was
    was = site.asked("well")
    wait_for("lists behind it", lambda: site.asked("well") >= was + 2, step=0.1)
    site.change("well", issue, labels=["waiting"])
    site.until("plain", "pending")
    site.change("well", issue, state="closed", labels=[])
    site.until("plain", "resolved")


def test_more_changes_at_once_than_a_list_holds_end_no_list(site):
    """4,000 in a list, and the overlap of lists is longer than all of them took."""
    site.start()
    issue = site.listed("well", "behind")
    began = time.time() + 10  # behind the place where the next list begins
    site.flood("well", [began + n / 100 for n in range(4200)])
    site.change("well", issue, state="closed", labels=[], ahead_s=60)
    site.until("behind", "resolved", 120)
    assert site.there["well"].breaches == []
    assert "itsm.list_cut" not in site.product.log("ticketd")  # nothing was left out


def test_more_changes_in_a_second_than_a_list_holds_lose_none(site):
    site.start()
    first, second = (site.listed("well", s) for s in ("within", "outside"))
    at = int(time.time()) + 10
    with site.there["well"].lock:  # the last ones of that second, which no list shows
        issues = site.there["well"].issues
        for old, new in ((first, 900000), (second, 900001)):
            issues[old].update(state="closed", labels=[], updated_at=stamp(at), iid=new)
    site.flood("well", [at] * 4100)
    site.until("within", "resolved", 120)
    site.until("outside", "resolved", 120)
    wait_for("that it is told", lambda: "itsm.list_cut" in site.product.log("ticketd"), 60, 0.5)
    fresh = site.submit("well", "after")
    site.change("well", fresh, state="closed", ahead_s=60)
    site.until("after", "resolved", 120)
