# SPDX-License-Identifier: BSD-2-Clause
"""What is no ticket's fault parks no ticket: secrets, programs and certificates that are not
there for a while, log-ins where an answer was awaited; and a wall clock that jumps."""
import os
import time

import pytest
from conftest import BUILD
from harness.clock import Clock
from harness.product import DAEMON_UID, DESKS, Product
from harness.strict import Answer, Fake
from harness.util import make_root, remove_root, wait_for

DESK = "support@example.test"


class Rt(Fake):
    """As much of Request Tracker as a create needs."""

    def route(self, request):
        if request.line == "POST /REST/2.0/ticket":
            raise Answer(201, {"id": "7", "type": "ticket"})
        if request.path == "/REST/2.0/tickets":
            raise Answer(200, {"items": []})
        self.unknown(request)


class Slow(Fake):
    """Answers when it is told to; several requests at once."""

    def __init__(self):
        self.answers = False
        super().__init__()

    def serve(self, http):
        http.rfile.read(int(http.headers.get("Content-Length") or 0))
        self.seen.append(http.path)
        wait_for("the word to answer", lambda: self.answers)
        body = b'{"id": "7"}'
        http.send_response(200)
        http.send_header("Content-Type", "application/json")
        http.send_header("Content-Length", str(len(body)))
        http.end_headers()
        http.wfile.write(body)


class Site:
    def __init__(self, rows, kind="rt", url=None, wrapper=None, more=""):
        self.root = make_root()
        self.secret = self.own("secret", "s3cret\n", 0o400)
        clock = Clock(self.root) if wrapper else None
        self.forward = clock.forward if clock else None
        url = f'    url = "{url}"\n' if url else ""
        self.desks = (f'itsm "there" {{\n    type = "{kind}"\n{url}'
                      f'    secret = "file:{self.secret}"\n    poll = 0\n'
                      f'{rows.format(root=self.root)}}}\n{more.format(root=self.root)}' +
                      DESKS.replace('prefix = "IT"', 'prefix = "IT"\n    itsm = "there"', 1))
        self.product = Product(self.root, BUILD, desks=self.desks,
                               wrapper=clock.wrapper if clock else ())
        self.product.prepare()

    def own(self, name, text, mode):
        path = f"{self.root}/{name}"
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(text)
        os.chown(path + ".new", DAEMON_UID, 0)
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)
        return path

    def submit(self, subject):
        self.product.ctl("submit", "-f", "ann@example.org", "-r", DESK, stdin=(
            f"From: Ann <ann@example.org>\r\nTo: {DESK}\r\nSubject: {subject}\r\n"
            "Message-ID: <1@example.org>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nx\r\n"))

    def job(self, kind="create"):
        [ticket] = self.product.tickets()
        return next((j for j in self.product.json("show", ticket["id"])["jobs"]
                     if j["kind"] == kind), {"state": "none", "reason": ""})

    def until(self, state, kind="create", seconds=60):
        return wait_for(f"{kind} {state}",
                        lambda: self.job(kind)["state"] == state and self.job(kind), seconds, 0.2)

    def again(self, what, test, kind="create"):
        """Has it tried again, without the pauses between, until test(job) holds."""
        def tried():
            job = self.job(kind)
            if not test(job):
                self.product.ctl("queue", "retry", str(job["job"]), check=False)
                return False
            return True
        wait_for(what, tried, step=1)

    def again_until_done(self, kind="create"):
        self.again(f"{kind} done", lambda job: job["state"] == "done", kind)

    def stop(self):
        self.product.stop()
        print(self.product.log("ticketd")[-4000:])
        remove_root(self.root)


@pytest.fixture
def make():
    parts = []

    def keep(part):
        parts.append(part)
        return part
    yield keep
    for part in reversed(parts):
        part.stop()


def test_a_secret_that_is_not_there_for_a_while_parks_nothing(make):
    fake = make(Rt())
    site = make(Site('    project = "General"\n', url=fake.url))
    site.product.start_ticketd()
    os.rename(site.secret, site.secret + ".away")
    site.submit("while it is changed")
    job = site.until("deferred")
    assert "secret" in job["reason"] and fake.seen == []
    os.rename(site.secret + ".away", site.secret)
    site.again_until_done()
    assert len([r for r in fake.seen if r.method == "POST"]) == 1


def test_a_section_that_is_renamed_for_a_while_parks_nothing(make):
    fake = make(Rt())
    site = make(Site('    project = "General"\n', url=fake.url))
    site.product.start_ticketd()
    os.rename(site.secret, site.secret + ".away")
    site.submit("while it is changed")
    site.until("deferred")
    os.rename(site.secret + ".away", site.secret)
    site.product.write_config(desks=site.desks.replace('"there"', '"elsewhere"'))
    site.product.ctl("reload")
    site.again("no section", lambda job: "no section" in job["reason"])
    assert site.job()["state"] == "deferred" and fake.seen == []
    site.product.write_config(desks=site.desks)
    site.product.ctl("reload")
    site.again_until_done()
    assert len([r for r in fake.seen if r.method == "POST"]) == 1


def test_a_ca_that_is_not_there_for_a_while_parks_nothing(make):
    fake = make(Rt())
    site = make(Site('    project = "General"\n    ca_file = "{root}/ca.pem"\n', url=fake.url))
    site.own("ca.pem", "", 0o444)
    site.product.start_ticketd()
    os.unlink(f"{site.root}/ca.pem")
    site.submit("while it is changed")
    assert "ca.pem" in site.until("deferred")["reason"] and fake.seen == []
    site.own("ca.pem", "", 0o444)
    site.again_until_done()


def test_a_program_that_is_being_replaced_parks_nothing(make):
    site = make(Site('    options = {{"program={root}/helper"}}\n', kind="exec"))
    text = '#!/bin/sh\necho "{\\"external\\": \\"7\\"}"\n'
    site.own("helper", text, 0o755)
    site.product.start_ticketd()
    os.unlink(f"{site.root}/helper")
    site.submit("while it is changed")
    assert "helper" in site.until("deferred")["reason"]
    site.own("helper", text, 0o755)
    site.again_until_done()


def test_a_program_of_a_channel_that_is_being_replaced_parks_nothing(make):
    fake = make(Rt())
    site = make(Site('    project = "General"\n', url=fake.url, more=(
        'channel "tell" {{\n    type = "exec"\n    secret = "file:{root}/token"\n'
        '    options = {{"program={root}/tell"}}\n    to = "ops"\n}}\n'
        'notify "all" {{\n    on = {{"created"}}\n    to = {{"room"}}\n'
        '    channel = "tell"\n}}\n')))
    text = f'#!/bin/sh\ncat >> {site.root}/store.told\necho "{{}}"\n'
    site.own("tell", text, 0o755)
    site.own("token", "t0ken\n", 0o400)
    site.product.start_ticketd()
    os.unlink(f"{site.root}/tell")
    site.submit("while it is changed")
    job = site.until("deferred", "notify")
    assert "tell" in job["reason"], job
    site.own("tell", text, 0o755)
    os.unlink(f"{site.root}/token")
    site.again("the token to be missed", lambda job: "token" in job["reason"], "notify")
    assert site.job("notify")["state"] != "parked"
    site.own("token", "t0ken\n", 0o400)
    site.again_until_done("notify")


def test_a_log_in_instead_of_an_answer_parks_nothing_and_is_doubted(make):
    fake = make(Rt())
    fake.plan("answer", "POST /REST/2.0/ticket", status=302, headers={"Location": "/login"})
    site = make(Site('    project = "General"\n    timeout = 5s\n', url=fake.url))
    site.product.start_ticketd()
    site.submit("to the log-in")
    assert "302" in site.until("deferred")["reason"]
    site.again_until_done()
    methods = [r.method for r in fake.seen]  # a look that comes early proves nothing
    assert methods[0] == methods[-1] == "POST" and set(methods[1:-1]) == {"GET"}, methods


def test_a_clock_that_is_put_forward_sends_nothing_twice(make):
    if Clock.missing():
        pytest.skip(Clock.missing())
    fake = make(Slow())
    site = make(Site('    options = {{"allow_private=yes"}}\n    timeout = 60s\n', kind="webhook",
                     url=fake.url, wrapper=True))
    site.own("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", 0o400)
    site.product.start_ticketd()
    site.submit("under way")
    wait_for("the create to be under way", lambda: fake.seen)
    site.forward(7200)
    time.sleep(7)  # longer than ticketd goes without a look for jobs
    fake.answers = True
    site.until("done")
    assert len(fake.seen) == 1
