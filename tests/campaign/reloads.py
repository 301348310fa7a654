# SPDX-License-Identifier: BSD-2-Clause
"""Reloads without a pause, of ticketd and of ticket-milter, while all that they touch is busy:
mail through Postfix, creates and lists at an ITSM, acknowledgements, webhooks, directories, the
event log at a log service, ticketctl. Two configurations take turns which differ in each part.

Counted afterwards: each mail that was answered with 250 is one ticket, one issue and one
acknowledgement, and every event is at the log service. With a sanitizer's build it is the run in
which threads meet (docs/reliability.md).
"""
import collections
import http.client
import json
import os
import signal
import sqlite3
import time

from campaign.frame import Campaign
from harness.fake_gitlab import GitLab
from harness.fake_logs import Splunk
from harness.product import DAEMON_UID, GROUP_ID
from harness.smtp import header, send
from harness.util import free_port, wait_for

DESK = "support@example.test"
TOKEN = "11111111-2222-3333-4444-555555555555"
CONNECTIONS = 2
QUESTIONS = (("status",), ("list",), ("queue", "list"), ("notify", "list"), ("notify", "preview"),
             ("sla", "list"), ("agent", "list"), ("directory", "lookup", "ann1@senders.test"))
CONFIG = """\
itsm "desk" {{
    type = "gitlab"
    url = "{gitlab}"
    secret = "file:{files}/secret"
    hook_secret = "file:{files}/secret"
    project = "acme/it desk"
    poll = {poll}s
    concurrency = {concurrency}
}}
webhook {{ listen = "127.0.0.1:{hook}" rate = 100000 per_peer = {per_peer} }}
metrics {{ listen = "127.0.0.1:{metrics}" }}
sink "siem" {{
    type = "splunk"
    url = "{splunk}"
    secret = "file:{files}/secret"
    history = yes
    linger = {linger}
}}
directory "staff" {{
    type = file
    file = "{files}/people{which}.csv"
}}
people {{ ttl = {ttl}m }}
group "first" {{ members = {{"eve@example.test"}} strategy = {strategy} }}
sla "all" {{ first_response = {{"{hours}h"}} }}
rule "vpn" {{ if_subject = {{"mail {which}"}} set_group = "first" }}
channel "mail" {{ type = "mail" url = "smtp://127.0.0.1:{smtp}" }}
{more}
notify "ack" {{ on = {{"created"}} to = {{"requester"}} channel = "mail" per_recipient = {cap} }}
desk "it" {{ addresses = {{"{desk}"}} prefix = "IT" itsm = "desk" {desk_more} }}
"""


class Reloads(Campaign):
    name = "reloads"
    postfix_settings = "virtual_mailbox_domains = example.test, senders.test\n"

    def __init__(self, build, mails):
        super().__init__(build, mails)
        self.begun = self.done = 0
        self.counts = collections.Counter()

    # ---- the site -----------------------------------------------------------------
    def config(self, turn):
        second = turn % 2
        return CONFIG.format(
            gitlab=self.gitlab.url, splunk=self.splunk.url, files=self.product.root, hook=self.hook,
            metrics=self.metrics, smtp=self.postfix.port, desk=DESK, which=second,
            poll=1 + second, concurrency=4 + 4 * second, per_peer=50 + second,
            linger="0" if second else "20ms", ttl=10 + second,
            strategy=("round_robin", "least_open")[second], hours=4 + second,
            cap=100 + second,
            more='channel "other" { type = "mail" url = "smtp://127.0.0.1:1" }' if second else "",
            desk_more='on_failure = accept' if second else "")

    def write_config(self, turn):
        """In one piece: a reload may come at any time."""
        path = self.product.config
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(self.product.config_text(desks=self.config(turn)))
        os.rename(path + ".new", path)

    def prepare(self):
        self.product.prepare()
        self.product.parts["desks"] = self.config(0)
        for name, text in (("secret", TOKEN), ("people0.csv", "address,name\n"),
                           ("people1.csv", "address,name\nann1@senders.test,Ann\n")):
            path = f"{self.product.root}/{name}"
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            os.chmod(path, 0o600)
            os.chown(path, DAEMON_UID, GROUP_ID)

    # ---- who keeps it busy --------------------------------------------------------
    def again(self, turn):
        """Until all mail is in."""
        while self.failed is None and self.done < self.total:
            turn()

    def write(self):
        with self.lock:
            n, self.begun = self.begun, self.begun + 1
        if n >= self.total:
            time.sleep(0.02)
            return
        sender = f"ann{n}@senders.test"
        answer = send(self.postfix.port, sender, DESK, (
            f"From: <{sender}>\r\nTo: <{DESK}>\r\nSubject: mail {n}\r\n"
            f"Date: Sun, 22 Nov 2026 09:00:00 +0000\r\nMessage-ID: <{n}.reloads@senders.test>\r\n"
            "\r\nIt is broken.\r\n").encode())
        assert answer.code == 250, answer
        with self.lock:
            self.done += 1

    def reload(self):
        """By signal and by hand in turn; the second has ended when it is answered."""
        turn = self.counts["reloads"]
        self.write_config(turn)
        self.product.milter.send_signal(signal.SIGUSR1)
        self.product.ticketd.send_signal((signal.SIGHUP, signal.SIGUSR1)[turn // 2 % 2])
        self.product.ctl("reload")
        self.counts["reloads"] += 1

    def ask(self):
        question = QUESTIONS[self.counts["questions"] % len(QUESTIONS)]
        done = self.product.ctl(*question, check=False)
        assert done.returncode in (0, 1, os.EX_NOUSER), (question, done)
        self.counts["questions"] += 1

    def call(self):
        c = http.client.HTTPConnection("127.0.0.1", self.hook, timeout=60)
        body = json.dumps({"object_kind": "issue", "object_attributes": {"iid": 1}})
        right = self.counts["calls"] % 2
        c.request("POST", "/hook/desk", body=body, headers={
            "Content-Type": "application/json", "X-Gitlab-Event": "Issue Hook",
            "X-Gitlab-Token": TOKEN if right else "wrong"})
        status = c.getresponse().status
        c.close()
        assert (200 <= status < 300) if right else status == 401, status
        c = http.client.HTTPConnection("127.0.0.1", self.metrics, timeout=60)
        c.request("GET", "/metrics")
        assert c.getresponse().status == 200
        c.close()
        self.counts["calls"] += 1

    # ---- the run ------------------------------------------------------------------
    def work(self):
        turns = (self.write,) * CONNECTIONS + (self.reload, self.ask, self.ask, self.call)
        return [(self.again, (t,)) for t in turns]

    def run(self):
        self.gitlab, self.splunk = GitLab(secret=TOKEN), Splunk(TOKEN)
        self.hook, self.metrics = free_port(), free_port()
        try:
            return super().run()
        finally:
            self.gitlab.stop()
            self.splunk.stop()

    def ids(self):
        with sqlite3.connect(f"file:{self.product.root}/store/tickets.db?mode=ro", uri=True) as db:
            return {row[0] for row in db.execute("SELECT id FROM events")}

    def told(self):
        """{recipient: {Message-ID: copies}} of the acknowledgements."""
        found = collections.defaultdict(collections.Counter)
        folder = f"{self.postfix.root}/mail/all/new"
        for name in os.listdir(folder):
            with open(f"{folder}/{name}", "rb") as f:
                raw = f.read()
            to = (header(raw, "To") or b"").decode()
            if "@senders.test" in to:
                found[to.strip("<> ")][header(raw, "Message-ID")] += 1
        return found

    def settle(self):
        wait_for("the jobs", lambda: self.product.json("queue", "list", "--limit", "1") == [])
        wait_for("acknowledgements", lambda: len(self.told()) >= self.total, step=0.5)
        wait_for("delivery", self.postfix.queue_empty, step=0.5)
        wait_for("the event log", lambda: self.ids() <= set(self.splunk.ids()), step=0.5)

    def check(self, took):
        self.settle()
        titles = collections.Counter(t["title"] for t in self.gitlab.issues.values())
        tickets = collections.Counter(t["subject"] for t in self.product.tickets())
        told = [sum(c.values()) for c in self.told().values()]
        figures = {"mails": self.total, "seconds": round(took, 1),
                   "tickets": len(tickets), "issues": len(titles), "told": len(told),
                   "verify": self.product.ctl("verify", check=False).returncode,
                   "parsers_died": self.product.json("status")["parser"]["died"], **self.counts}
        for found in (tickets, titles):
            assert len(found) == self.total and set(found.values()) == {1}, (figures, found)
        assert len(told) == self.total and set(told) == {1}, figures
        assert not self.gitlab.breaches and not self.splunk.breaches, self.gitlab.breaches[:5]
        assert figures["verify"] == 0 and figures["parsers_died"] == 0, figures
        assert "config.reload status=refused" not in self.product.log("ticketd")
        return figures
