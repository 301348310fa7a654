# SPDX-License-Identifier: BSD-2-Clause
"""Creates whose end nobody saw: servers that work on after their caller is gone, and searches
that prove nothing."""
import os
import signal
import time

import pytest
from conftest import BUILD
from harness.fake_freshworks import Freshworks
from harness.product import DAEMON_UID, DESKS, Product
from harness.strict import Answer, Fake
from harness.util import make_root, remove_root, wait_for

DESK = "support@example.test"


class Rt(Fake):
    """As much of Request Tracker as a create needs."""

    def __init__(self):
        self.tickets = []
        super().__init__()

    def route(self, request):
        if request.line == "POST /REST/2.0/ticket":
            fields = request.json()["CustomFields"]
            self.tickets.append(fields["CorrelationId"])
            raise Answer(201, {"id": str(len(self.tickets)), "type": "ticket"})
        if request.path == "/REST/2.0/tickets":
            corr = request.query["query"].split("'")[3]
            raise Answer(200, {"items": [
                {"id": str(n + 1), "type": "ticket",
                 "CustomFields": [{"name": "CorrelationId", "values": [c]}]}
                for n, c in enumerate(self.tickets) if c == corr]})
        self.unknown(request)


class Site:
    def __init__(self, fake, kind, rows):
        self.root = make_root()
        self.fake = fake
        secret = f"{self.root}/secret"
        with open(secret, "w", encoding="ascii") as f:
            f.write("s3cret\n")
        os.chown(secret, DAEMON_UID, 0)
        os.chmod(secret, 0o400)
        desks = (f'itsm "there" {{\n    type = "{kind}"\n    url = "{fake.url}"\n'
                 f'    secret = "file:{secret}"\n    poll = 0\n{rows}}}\n' +
                 DESKS.replace('prefix = "IT"', 'prefix = "IT"\n    itsm = "there"', 1))
        self.product = Product(self.root, BUILD, desks=desks)
        self.product.prepare()
        self.product.start_ticketd()

    def submit(self, subject):
        self.product.ctl("submit", "-f", "ann@example.org", "-r", DESK, stdin=(
            f"From: Ann <ann@example.org>\r\nTo: {DESK}\r\nSubject: {subject}\r\n"
            "Message-ID: <1@example.org>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nx\r\n"))

    def create(self):
        [ticket] = self.product.tickets()
        return next(j for j in self.product.json("show", ticket["id"])["jobs"]
                    if j["kind"] == "create")

    def until(self, state, seconds=60):
        return wait_for(state, lambda: self.create()["state"] == state and self.create(),
                        seconds, 0.2)

    def stop(self):
        self.product.stop()
        self.fake.stop()
        print(self.product.log("ticketd")[-3000:])
        remove_root(self.root)


@pytest.fixture
def site_of():
    sites = []

    def make(*args):
        sites.append(Site(*args))
        return sites[-1]
    yield make
    for site in sites:
        site.stop()


def test_a_create_that_is_carried_out_behind_its_timeout_is_not_sent_again(site_of):
    fake = Rt()
    fake.plan("late", "POST /REST/2.0/ticket", seconds=7)
    site = site_of(fake, "rt", '    project = "General"\n    timeout = 3s\n')
    site.submit("late")
    site.until("done")
    posts = [r for r in fake.seen if r.method == "POST"]
    assert len(fake.tickets) == 1 and len(posts) == 1, fake.tickets
    assert fake.breaches == []


def test_a_create_that_goes_on_while_ticketd_is_killed_is_not_sent_again(site_of):
    fake = Rt()
    fake.plan("late", "POST /REST/2.0/ticket", seconds=4)
    site = site_of(fake, "rt", '    project = "General"\n    timeout = 6s\n')
    site.submit("killed")
    wait_for("the create to be there", lambda: fake.seen, step=0.05)
    os.kill(site.product.ticketd.pid, signal.SIGKILL)
    site.product.ticketd.wait(60)
    site.product.start_ticketd()
    site.until("done")
    time.sleep(5)
    assert len(fake.tickets) == 1, fake.tickets


def test_a_crash_leaves_no_secret_in_a_core_file(site_of):
    site = site_of(Rt(), "rt", '    project = "General"\n')
    with open(f"/proc/{site.product.ticketd.pid}/limits", encoding="ascii") as f:
        [line] = [x.split() for x in f if x.startswith("Max core file size")]
    assert line[4:6] == ["0", "0"]


def test_who_looked_and_retries_has_it_made(site_of):
    fake = Freshworks(desk=True)
    fake.plan("cut", "POST /api/v2/tickets ")
    site = site_of(fake, "freshdesk", '    project = "5"\n    search_lag = 1s\n'
                   '    options = {"default_requester=desk@example.org"}\n')
    site.submit("lost on its way")
    job = site.until("parked")
    assert "retry makes it" in job["reason"] and not fake.tickets
    site.product.ctl("queue", "retry", str(job["job"]))
    site.until("done")
    assert len(fake.tickets) == 1


def test_who_retries_without_a_look_gets_what_was_made(site_of):
    fake = Freshworks(desk=True)
    fake.plan("lose", "POST /api/v2/tickets ")
    site = site_of(fake, "freshdesk", '    project = "5"\n    search_lag = 1s\n'
                   '    options = {"default_requester=desk@example.org"}\n')
    whole, fake.route = fake.route, lambda request: (
        whole(request) if request.method == "POST"
        else fake_nothing(request, whole))
    site.submit("made and hidden")
    job = site.until("parked")
    assert len(fake.tickets) == 1
    fake.route = whole
    site.product.ctl("queue", "retry", str(job["job"]))
    site.until("done")
    assert len(fake.tickets) == 1


def fake_nothing(request, whole):
    """Its searches and lists show nothing yet."""
    try:
        whole(request)
    except Answer as answer:
        if request.path == "/api/v2/search/tickets":
            answer.body = {"results": [], "total": 0}
        elif request.path == "/api/v2/tickets":
            answer.body = []
        raise
