# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 at random, and then count: 250s = tickets, none doubled after the retries.

Senders push distinct mails through a private Postfix and repeat each one until it is
answered 250, as any mail server would. Meanwhile one process after the other is killed:
ticketd, ticket-milter, a parser child or its zygote, Postfix's smtpd. Half of the kills
wait until the write-ahead log has just been written, so that they hit the commit.
"""
import collections
import glob
import os
import random
import signal
import smtplib
import time

from campaign.frame import Campaign
from harness.smtp import header, send
from harness.util import port_open, wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"


def mail(n, size):
    text = f"mail {n}\r\n" + ("filler line of a mail body\r\n" * (size // 28))
    return (f"From: Ann <{ANN}>\r\nTo: {DESK}\r\nSubject: mail number {n} end\r\n"
            f"Date: Sun, 22 Nov 2026 09:00:00 +0000\r\nMessage-ID: <{n}.crash@customer.example>"
            f"\r\n\r\n{text}").encode()


KINDS = ("ticketd", "milter", "parser", "smtpd")


class Crash(Campaign):
    name = "crash"
    postfix_settings = "service_throttle_time = 1s\n"

    def __init__(self, build, mails, kills, senders=8, seed=None):
        super().__init__(build, mails, seed)
        self.kills_wanted, self.senders = kills, senders
        self.kills = collections.Counter()
        self.answers = collections.Counter()
        self.todo = collections.deque(range(mails))
        self.done = 0

    def kills_at(self, done):
        """How many kills there should have been by then."""
        return done * len(KINDS) * self.kills_wanted / self.total

    # ---- senders ----------------------------------------------------------------
    def next_mail(self):
        with self.lock:
            # The last mails wait for the last kills.
            if self.kills_at(self.done) > sum(self.kills.values()) + 4:
                return None
            return self.todo.popleft() if self.todo else None

    def again(self, n):
        with self.lock:
            self.todo.append(n)

    def sender(self, me):
        rnd = random.Random(self.seed + me)
        while self.failed is None:
            n = self.next_mail()
            if n is None:
                with self.lock:
                    if self.done == self.total:
                        return
                time.sleep(0.02)
                continue
            size = 200 if n % 25 else 150000
            try:
                code = send(self.postfix.port, ANN, DESK, mail(n, size), timeout=30).code
            except (OSError, smtplib.SMTPException) as e:
                code = type(e).__name__
            with self.lock:
                self.answers[code] += 1
            if code == 250:
                with self.lock:
                    self.done += 1
            else:
                self.again(n)
                time.sleep(rnd.random() * 0.05)

    # ---- killer -----------------------------------------------------------------
    def wal_state(self):
        try:
            st = os.stat(f"{self.product.root}/store/tickets.db-wal")
            return st.st_size, st.st_mtime_ns
        except FileNotFoundError:
            return None

    def wait_for_commit(self):
        """Returns within microseconds of a write to the log, or after 50 ms."""
        seen, end = self.wal_state(), time.monotonic() + 0.05
        while self.wal_state() == seen and time.monotonic() < end:
            pass

    def children(self, pid):
        """Of all its threads: the zygote is no child of ticketd's first one."""
        found = []
        for name in glob.glob(f"/proc/{pid}/task/*/children"):
            try:
                with open(name, encoding="ascii") as f:
                    found += [int(c) for c in f.read().split()]
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def victim(self, what):
        if what == "parser":
            zygote = self.children(self.product.ticketd.pid)
            below = [c for z in zygote for c in self.children(z)]
            return self.random.choice(below + zygote) if zygote else None
        with open(f"{self.postfix.root}/spool/pid/master.pid", encoding="ascii") as f:
            below = self.children(int(f.read()))
        names = [c for c in below if self.command(c) == "smtpd"]
        return self.random.choice(names) if names else None

    @staticmethod
    def command(pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                return f.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def kill_one(self, what):
        time.sleep(self.random.random() * 0.2)
        if self.random.random() < 0.5:
            self.wait_for_commit()
            time.sleep(self.random.random() * 0.002)
        if what in ("ticketd", "milter"):
            self.kills[what] += 1
            self.kill(what)
        elif self.kill_below(what):
            self.kills[what] += 1

    def kill_below(self, what):
        """False: there was none."""
        pid = self.victim(what)
        if pid is None:
            port_open(self.postfix.port)  # a connection brings an smtpd
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def killer(self):
        while self.failed is None:
            due = [w for w in KINDS if self.kills[w] < self.kills_wanted]
            if not due:
                return
            # spread the kills over the whole run
            if sum(self.kills.values()) > self.kills_at(self.done) + 8:
                time.sleep(0.01)
                continue
            self.kill_one(self.random.choice(due))

    # ---- the run ----------------------------------------------------------------
    def work(self):
        return [(self.sender, (i,)) for i in range(self.senders)] + [(self.killer, ())]

    def check(self, took):
        wait_for("delivery", self.postfix.queue_empty, 300, 0.5)
        by_subject = collections.Counter(t["subject"] for t in self.product.tickets())
        want = {f"mail number {n} end" for n in range(self.total)}
        lost = sorted(want - set(by_subject))
        doubled = {s: c for s, c in by_subject.items() if c > 1}
        tags = collections.defaultdict(set)
        untagged = 0
        for copy in self.postfix.mails():
            tag = (header(copy, "X-Ticket-ID") or b"").split(b";")[0]
            untagged += not tag
            tags[header(copy, "Message-ID")].add(tag)
        verify = self.product.ctl("verify", check=False)
        figures = {"mails": self.total, "seconds": round(took, 1),
                   "kills": dict(self.kills), "answers": {str(k): v for k, v in
                                                          self.answers.items()},
                   "tickets": sum(by_subject.values()), "lost": len(lost),
                   "doubled": len(doubled), "untagged_copies": untagged,
                   "copies_with_two_ids": sum(len(v) > 1 for v in tags.values()),
                   "verify": verify.returncode}
        assert all(self.kills[k] >= self.kills_wanted for k in KINDS), figures
        assert not lost, (figures, lost[:5])
        assert not doubled, (figures, doubled)
        assert figures["tickets"] == self.total, figures
        assert figures["untagged_copies"] == 0, figures
        assert figures["copies_with_two_ids"] == 0, figures
        assert verify.returncode == 0, (figures, verify.stdout[-2000:])
        return figures
