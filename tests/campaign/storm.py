# SPDX-License-Identifier: BSD-2-Clause
"""Ten programs that answer whatever they get, and a desk that acknowledges: who ends it, and is
anything lost meanwhile?

Each of them writes of itself and answers each of our mails at once, as a person would seem to;
two say that they are automatic. All goes through a private Postfix both ways while ticketd is
killed. Counted afterwards: each mail that was answered with 250 is in the store, nobody got more
notices than an hour allows, and who says that he is a program got none.
"""
import collections
import os
import smtplib
import sqlite3
import time

from campaign.frame import Campaign
from harness.smtp import header, send_on
from harness.util import wait_for

DESK = "support@example.test"
ROBOTS = [f"robot{n}@robots.test" for n in range(10)]
OPEN = set(ROBOTS[:2])  # say what they are
LAST = "last@robots.test"  # writes when they are done
PER_HOUR = 20
CONNECTIONS = 2
DESKS = """\
desk "it" {{ addresses = {{"{desk}"}} prefix = "IT" }}
channel "mail" {{ type = "mail" url = "smtp://127.0.0.1:{port}" }}
notify "ack" {{
    on = {{"created", "follow_up"}}
    to = {{"requester"}}
    channel = "mail"
    per_recipient = {cap}
}}
"""


def mail(n, robot, to=DESK, answers=""):
    head = (f"From: <{robot}>\r\nTo: <{to}>\r\nSubject: your mail {n} has come\r\n"
            f"Date: Sun, 22 Nov 2026 09:00:00 +0000\r\nMessage-ID: <{n}.storm@robots.test>\r\n")
    if answers:
        head += f"In-Reply-To: {answers}\r\n"
    if robot in OPEN:
        head += "Auto-Submitted: auto-replied\r\n"
    return (head + f"\r\nWe have it as {n} and look at it.\r\n").encode()


class Storm(Campaign):
    name = "storm"
    postfix_settings = "virtual_mailbox_domains = example.test, robots.test\n"

    def __init__(self, build, mails, kills, seed=None):
        super().__init__(build, mails, seed)
        self.kills = kills
        self.answers = collections.deque()  # (robot, to, Message-ID) that it has to write
        self.begun = self.done = self.killed = self.answered = 0
        self.seen = set()  # files of mails
        self.told = {r: collections.Counter() for r in ROBOTS}  # Message-IDs
        self.is_over = False

    # ---- who writes ---------------------------------------------------------------
    def next_mail(self):
        with self.lock:
            # The last mails wait for the last kills and the first answer.
            if self.begun == self.total or (
                    self.killed < self.kills and self.begun >= self.due_at(self.killed + 1)) or (
                    self.begun >= self.total - 50 and not self.answered and not self.answers):
                return None
            n = self.begun
            self.begun += 1
            if self.answers:
                robot, to, answers = self.answers.popleft()
                self.answered += 1
                return robot, to, mail(n, robot, to, answers)
            robot = ROBOTS[n % len(ROBOTS)]
            return robot, DESK, mail(n, robot)

    def due_at(self, kill):
        return self.total * kill // (self.kills + 1) + 50

    def deliver(self, s, robot, to, message):
        """The connection, or a new one, when it is there."""
        while self.failed is None:
            try:
                if s is None:
                    s = smtplib.SMTP("127.0.0.1", self.postfix.port, timeout=180)
                    s.ehlo()
                if send_on(s, robot, [to], message).code == 250:
                    return s
            except (OSError, smtplib.SMTPException):
                s = None
            time.sleep(0.1)
        return s

    def writer(self):
        s = None
        try:
            while self.failed is None and self.done < self.total:
                todo = self.next_mail()
                if todo is None:
                    time.sleep(0.02)
                    continue
                s = self.deliver(s, *todo)
                with self.lock:
                    self.done += 1
        finally:
            if s is not None:
                s.close()

    # ---- who answers --------------------------------------------------------------
    def look(self):
        """New mails in the robots' mailbox: each is to be answered."""
        folder = f"{self.postfix.root}/mail/all/new"
        for entry in os.scandir(folder) if os.path.isdir(folder) else ():
            if entry.name in self.seen:
                continue
            self.seen.add(entry.name)
            with open(entry.path, "rb") as f:
                raw = f.read()
            to = (header(raw, "To") or b"").decode()
            self.is_over = self.is_over or LAST in to
            robot = next((r for r in ROBOTS if r in to), None)
            if robot is None:
                continue
            number = header(raw, "Message-ID").decode()
            self.told[robot][number] += 1
            back = (header(raw, "Reply-To") or header(raw, "From")).decode()
            with self.lock:
                self.answers.append((robot, back.split("<")[-1].strip("> \r\n"), number))

    def reader(self):
        while self.failed is None and self.done < self.total:
            self.look()
            time.sleep(0.2)

    # ---- who kills ----------------------------------------------------------------
    def killer(self):
        while self.failed is None and self.killed < self.kills:
            if self.done < self.due_at(self.killed + 1) - CONNECTIONS - 40:
                time.sleep(0.01)
                continue
            time.sleep(self.random.random() * 0.3)
            self.kill("ticketd")
            self.killed += 1

    # ---- the run ------------------------------------------------------------------
    def prepare(self):
        self.product.parts["desks"] = DESKS.format(desk=DESK, port=self.postfix.port,
                                                   cap=PER_HOUR)

    def work(self):
        return [(self.writer, ())] * CONNECTIONS + [(self.killer, ()), (self.reader, ())]

    def settle(self):
        """Until all that there is to tell has come to the robots; nobody answers any more.
        Notices are planned in the order of the mails."""
        last = mail("last", LAST).replace(b"last.storm@", b"last.one@")
        self.deliver(None, LAST, DESK, last).close()
        wait_for("the last notice", lambda: self.look() or self.is_over, 300, 0.5)
        wait_for("notices", lambda: self.product.json("queue", "list", "--limit", "1") == [],
                 300, 0.5)
        wait_for("delivery", self.postfix.queue_empty, 300, 0.5)
        self.look()

    def check(self, took):
        self.settle()
        with sqlite3.connect(f"file:{self.product.root}/store/tickets.db?mode=ro", timeout=60,
                             uri=True) as db:
            kept, twice = db.execute(
                "SELECT count(DISTINCT message_id), count(*) - count(DISTINCT message_id)"
                " FROM messages WHERE message_id LIKE '%.storm@robots.test'").fetchone()
        verify = self.product.ctl("verify", check=False)
        distinct = {r: len(c) for r, c in self.told.items()}
        figures = {"mails": self.total, "seconds": round(took, 1),
                   "kills": self.killed, "answers_to_notices": self.answered, "kept": kept,
                   "kept_twice": twice, "notices": sum(distinct.values()),
                   "notices_sent_again": sum(sum(c.values()) for c in self.told.values()) -
                   sum(distinct.values()),
                   "most_of_one": max(distinct.values()), "verify": verify.returncode}
        assert self.killed == self.kills and kept == self.total and twice == 0, figures
        assert all(distinct[r] == 0 for r in OPEN), (figures, distinct)
        assert max(distinct.values()) <= PER_HOUR, (figures, distinct)
        # They are not silenced altogether, and a loop there was.
        assert all(distinct[r] > 0 for r in ROBOTS if r not in OPEN), (figures, distinct)
        assert self.answered > 0, figures
        assert verify.returncode == 0, (figures, verify.stdout[-2000:])
        return figures
