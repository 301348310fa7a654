# SPDX-License-Identifier: BSD-2-Clause
"""What people do at an ITSM comes back, once: by lists of changes and by webhooks, with a
real Request Tracker behind; and what attackers send to the receiver."""
import hashlib
import hmac
import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest
from conftest import BUILD
from harness.product import DAEMON_UID, DESKS, Product
from harness.rt import RT
from harness.util import free_port, make_root, remove_root, wait_for

DESK = "support@example.test"
SECRET = "a-secret-of-some-length"


class Site:
    def __init__(self):
        self.root = make_root()
        self.rt = RT(self.root).start()
        self.port = free_port()
        for name, text in (("rt-token", self.rt.token), ("hook", SECRET)):
            with open(f"{self.root}/{name}", "w", encoding="ascii") as f:
                f.write(text + "\n")
            os.chown(f"{self.root}/{name}", DAEMON_UID, 0)
            os.chmod(f"{self.root}/{name}", 0o400)
        self.product = Product(self.root, BUILD, desks=self.desks("2s"),
                               log_level="debug")
        self.product.prepare()
        self.product.start_ticketd()

    def desks(self, poll):
        return ('itsm "rt" {\n    type = "rt"\n'
                 f'    url = "{self.rt.url}"\n    secret = "file:{self.root}/rt-token"\n'
                 '    project = "General"\n    groups = {"net=Network"}\n'
                 f'    poll = {poll}\n    hook = "github"\n'
                 f'    hook_secret = "file:{self.root}/hook"\n'
                 '}\n'
                 f'webhook {{\n    listen = "127.0.0.1:{self.port}"\n    body_max = 64K\n'
                 '    timeout = 4s\n    per_peer = 8\n    rate = 100000\n}\n' +
                 DESKS.replace('prefix = "IT"', 'prefix = "IT"\n    itsm = "rt"'))

    def submit(self, subject):
        mail = (f"From: Ann <ann@sender.test>\r\nTo: {DESK}\r\nSubject: {subject}\r\n"
                f"Message-ID: <{subject.replace(' ', '.')}@sender.test>\r\n"
                "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nplease help\r\n")
        self.product.ctl("submit", "-f", "ann@sender.test", "-r", DESK, stdin=mail)
        there = wait_for("the ticket at RT",
                         lambda: next((t["id"] for t in self.rt.tickets()
                                       if t["Subject"] == subject), None), step=0.3)
        wait_for("its key here",
                 lambda: all(j["state"] == "done" for j in self.show(subject)["jobs"]), step=0.3)
        return there

    def show(self, subject):
        ticket = next(t for t in self.product.tickets() if t["subject"] == subject)
        return self.product.json("show", ticket["id"])

    def events(self, subject, who="itsm:rt"):
        return [e for e in self.show(subject)["events"]
                if (e.get("data") or {}).get("who") == who]

    def hook(self, body, headers=None, path="/hook/rt", method="POST"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        mac = hmac.new(SECRET.encode(), data, hashlib.sha256).hexdigest()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, data=data,
            headers={"X-Hub-Signature-256": f"sha256={mac}",
                     "Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return answer.status
        except urllib.error.HTTPError as e:
            return e.code

    def stop(self):
        self.product.stop()
        self.rt.stop()
        lines = [x for x in self.product.log("ticketd").splitlines()
                 if "control.request" not in x]
        print("\n".join(lines[-60:]))
        remove_root(self.root)


@pytest.fixture(scope="module")
def site():
    reason = RT.missing()
    if reason:
        pytest.skip(reason)
    site = Site()
    yield site
    site.stop()


def test_a_change_at_rt_comes_back_by_its_list(site):
    there = site.submit("listed")
    site.rt.call("PUT", f"ticket/{there}", {"Status": "stalled", "Queue": "Network"})
    def changed():
        ticket = site.show("listed")
        return ticket["state"] == "pending" and ticket["group"] == "net"
    wait_for("the change here", changed, step=0.3)
    site.rt.call("PUT", f"ticket/{there}", {"Status": "resolved"})
    wait_for("the end here", lambda: site.show("listed")["state"] == "resolved", step=0.3)
    time.sleep(3)
    assert len(site.events("listed")) == 3, site.events("listed")
    jobs = [j["kind"] for j in site.show("listed")["jobs"]]
    assert "update" not in jobs  # nothing of it went back
    assert site.rt.call("GET", f"ticket/{there}")["Status"] == "resolved"


def test_a_webhook_brings_it_at_once_and_a_kill_loses_nothing(site):
    there = site.submit("hooked")
    site.product.write_config(desks=site.desks("1h"))
    site.product.ctl("reload")
    site.rt.call("PUT", f"ticket/{there}", {"Status": "open"})
    assert site.hook({"id": there}) == 200
    wait_for("the change here", lambda: site.show("hooked")["state"] == "open", step=0.3)
    site.rt.call("PUT", f"ticket/{there}", {"Status": "resolved"})
    assert site.hook({"id": there}) == 200
    os.kill(site.product.daemon_pid(), signal.SIGKILL)
    site.product.ticketd.wait(60)
    site.product.start_ticketd()
    # A look that was under way comes back when its lease ends.
    wait_for("the end here", lambda: site.show("hooked")["state"] == "resolved", step=0.3)
    kinds = [e["kind"] for e in site.events("hooked")]
    assert kinds.count("ticket.opened") == 1 and kinds.count("ticket.resolved") == 1, kinds


def test_what_is_not_signed_changes_nothing(site):
    before = len(site.product.json("log"))
    assert site.hook({"id": "1"}, {"X-Hub-Signature-256": "sha256=" + "0" * 64}) == 401
    assert site.hook({"id": "1"}, {"X-Hub-Signature-256": "sha256="}) == 401
    assert site.hook({"id": "1"}, path="/hook/other") == 404
    assert site.hook({"id": "1"}, path="/hook/") == 404
    assert site.hook({"id": "1"}, path="/") == 404
    assert site.hook({"id": "1"}, method="PUT") == 405
    assert site.hook(b"x" * (65 * 1024)) == 413
    assert site.hook(b"not json") == 200
    assert site.hook({"id": "99999"}) == 200
    assert site.hook({"zen": "ping"}) == 200
    assert len(site.product.json("log")) == before
    assert "hook.refused" in site.product.log("ticketd")


def test_a_delivery_counts_once(site):
    there = site.submit("delivered")
    names = {"X-GitHub-Delivery": "one"}
    site.rt.call("PUT", f"ticket/{there}", {"Status": "open"})
    assert site.hook({"id": there}, names) == 200
    wait_for("the change here", lambda: site.show("delivered")["state"] == "open", step=0.3)
    done = len(site.show("delivered")["jobs"])
    for _ in range(20):
        assert site.hook({"id": there}, names) == 200
    time.sleep(2)
    assert len(site.show("delivered")["jobs"]) == done


def test_slow_and_many_connections_hold_up_nobody_for_long(site):
    slow = []
    for _ in range(30):
        s = socket.create_connection(("127.0.0.1", site.port), timeout=10)
        try:
            s.sendall(b"POST /hook/rt HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
        except OSError:
            pass
        slow.append(s)
    began = time.monotonic()
    while time.monotonic() - began < 5:  # drop by drop: no pause is long
        for s in slow:
            try:
                s.sendall(b"x")
            except OSError:
                pass
        time.sleep(0.2)
    closed = 0
    for s in slow:
        s.settimeout(20)
        try:
            while True:
                if s.recv(4096) == b"":
                    closed += 1
                    break
        except TimeoutError:
            pass
        except OSError:
            closed += 1
        s.close()
    assert closed == len(slow)
    assert site.hook({"zen": "ping"}) == 200
    assert site.product.ctl("ping").returncode == 0


def test_a_flood_of_hints_is_few_looks(site):
    there = site.submit("flooded")
    def looks():
        return [j for j in site.show("flooded")["jobs"] if j["kind"] == "fetch"]
    before = len(looks())
    site.rt.pause()  # the first look lasts as long as the flood
    try:
        for _ in range(200):
            assert site.hook({"id": there}) == 200
    finally:
        site.rt.go_on()
    wait_for("a look", lambda: len(looks()) > before, step=0.3)
    wait_for("no job is left", lambda: all(j["state"] == "done" for j in looks()), step=0.3)
    assert len(looks()) - before <= 4, len(looks())
