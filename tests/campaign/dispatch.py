# SPDX-License-Identifier: BSD-2-Clause
"""Tickets to a faulty desk while ticketd is killed, and then count: each ticket there once,
its comments once and in order, nothing parked.

The desk (bench/desk_fake) loses answers after it carried requests out, refuses some with
statuses that may be tried again, and finds a new ticket only after a while. ticketd gets
SIGKILL at random moments, spread over the work.
"""
import json
import os
import random
import signal
import time

from bench.bench_itsm import Fake, fill, product
from harness.util import make_root, remove_root

COMMENTS = 2  # of every fourth ticket


class Dispatch:
    def __init__(self, build, tickets, kills, lag_ms, seconds, seed=None):
        self.build, self.tickets, self.kills = build, tickets, kills
        self.lag_ms, self.seconds = lag_ms, seconds
        self.seed = seed if seed is not None else random.randrange(1 << 32)
        self.random = random.Random(self.seed)
        self.killed = 0

    def kill(self, p):
        os.kill(p.ticketd.pid, signal.SIGKILL)
        p.ticketd.wait()
        self.killed += 1
        p.start_ticketd()

    def left(self, p):
        """{state: jobs} without those that are done."""
        counts = p.json("status")["jobs"]
        return {k: v for k, v in counts.items() if k != "done" and v}

    def drive(self, p, fake):
        until = time.monotonic() + self.seconds
        next_look = 0
        while time.monotonic() < until:
            got = fake.stats()
            if self.killed < self.kills and \
                    got["tickets"] >= self.tickets * 0.98 * self.killed / self.kills:
                time.sleep(self.random.uniform(0, 0.3))
                self.kill(p)
            elif self.killed == self.kills and time.monotonic() > next_look:
                if set(self.left(p)) <= {"parked"}:
                    return
                next_look = time.monotonic() + 1
            time.sleep(0.02)
        raise RuntimeError(f"after {self.seconds} s: {self.left(p)}, {fake.stats()}, "
                           f"{self.killed} kills, seed {self.seed}")

    def run(self):
        root = make_root("tkt-dispatch-")
        fake = Fake(self.build, lose=5, refuse=10, lag=self.lag_ms, seed=self.seed)
        p = product(f"{root}/p", self.build, fake.url,
                    "    concurrency = 8\n    timeout = 10s\n"
                    f"    search_lag = {self.lag_ms // 1000 + 2}s\n", log_level="warning")
        start = time.monotonic()
        try:
            fill(self.build, p, self.tickets, COMMENTS)
            filled = time.monotonic()
            p.start_ticketd()
            self.drive(p, fake)
            got = fake.stats()
            parked = [(j["ticket"], j["kind"], j.get("reason")) for j in
                      p.json("queue", "list", "--state", "parked")]
            log = p.log("ticketd")
        finally:
            p.stop()
            fake.stop()
            remove_root(root)
        want = (self.tickets + 3) // 4 * COMMENTS
        result = {"campaign": "dispatch", "seed": self.seed, "wanted": self.tickets,
                  "kills": self.killed, "lag_ms": self.lag_ms, "parked": len(parked),
                  "comments_wanted": want, "fill_s": round(filled - start),
                  "run_s": round(time.monotonic() - filled), **got}
        if got["doubled"] or got["repeated"] or got["disorder"] or parked or got["tickets"] != self.tickets or \
                got["distinct"] != want or "Sanitizer" in log:
            raise RuntimeError(f"{json.dumps(result)} {parked[:5]} {log[-3000:]}")
        return result
