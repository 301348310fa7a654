# SPDX-License-Identifier: BSD-2-Clause
"""Tickets into a desk on loopback through ticketd, beside the same requests from a bare
curl-multi loop; and what a claim costs while very many jobs are queued."""
import json
import os
import shutil
import statistics
import subprocess
import time
import urllib.request

from harness.product import DAEMON_UID, GROUP_ID, DESKS, Product
from harness.util import make_root, remove_root

from .bench_postfix import cpu_tree, low90

BYTES = 1000


class Fake:
    """desk_fake of this directory, in a process of its own."""

    def __init__(self, build, **options):
        args = [str(x) for k, v in options.items() for x in (f"--{k}", v)]
        self.process = subprocess.Popen([f"{build}/tests/bench/desk_fake", *args],
                                        stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=180) as r:
            return json.loads(r.read())

    def stats(self):
        return self.get("/stats")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def product(root, build, url, rows="", log_level="error"):
    os.makedirs(root, exist_ok=True)
    os.chmod(root, 0o711)
    secret = f"{root}/token"
    with open(secret, "w", encoding="ascii") as f:
        f.write("secret\n")
    os.chown(secret, DAEMON_UID, 0)
    os.chmod(secret, 0o400)
    desks = (f'itsm "rt" {{\n    type = "rt"\n    url = "{url}"\n'
             f'    secret = "file:{secret}"\n    project = "General"\n{rows}}}\n' +
             DESKS.replace('prefix = "IT"', 'prefix = "IT"\n    itsm = "rt"', 1))
    made = Product(root, build, desks=desks, log_level=log_level,
                   parser="    messages_per_child = 1000000\n")
    made.prepare()
    return made


def fill(build, p, tickets, comments=0, size=BYTES):
    """Tickets with their jobs, before ticketd starts."""
    subprocess.run([f"{build}/tests/bench/queue_bench", "fill", f"{p.root}/store",
                    str(tickets), str(comments), "rt", str(size)], check=True)
    for base, _, names in os.walk(f"{p.root}/store"):
        for name in (".", *names):
            os.chown(os.path.join(base, name), DAEMON_UID, GROUP_ID)


def wait_tickets(fake, want, seconds):
    until = time.monotonic() + seconds
    while (got := fake.stats()["tickets"]) < want:
        if time.monotonic() > until:
            raise RuntimeError(f"{got} of {want} tickets after {seconds} s")
        time.sleep(0.1)
    return fake.stats()


def through_ticketd(root, build, fake, tickets, at_once):
    p = product(root, build, fake.url, f"    concurrency = {at_once}\n")
    try:
        fill(build, p, tickets)
        fake.get("/reset")
        p.start_ticketd()
        before = cpu_tree([p.ticketd.pid])
        got = wait_tickets(fake, tickets, 300)
        cpu = cpu_tree([p.ticketd.pid]) - before
        assert got["doubled"] == 0 and got["tickets"] == tickets, got
        return tickets * 1e6 / got["took_us"], cpu * 1e6 / tickets
    finally:
        p.stop()
        shutil.rmtree(p.root)


def bare(build, fake, tickets, at_once):
    fake.get("/reset")
    out = subprocess.run([f"{build}/tests/bench/curl_bench", f"{fake.url}/REST/2.0/ticket",
                          str(tickets), str(at_once), str(BYTES)],
                         check=True, capture_output=True, text=True).stdout
    return tickets * 1e6 / json.loads(out)["took_us"]


def tickets_row(build, rounds, emit, slow_ms, at_once, tickets):
    root = make_root("tkt-bench-")
    fake = Fake(build, slow=slow_ms)
    ours, theirs, cpu = [], [], []
    try:
        for r in range(rounds):
            for who in ("bare", "ticketd") if r % 2 else ("ticketd", "bare"):
                if who == "bare":
                    theirs.append(bare(build, fake, tickets, at_once))
                else:
                    rate, cpu_us = through_ticketd(f"{root}/{r}", build, fake, tickets, at_once)
                    ours.append(rate)
                    cpu.append(cpu_us)
    finally:
        fake.stop()
        remove_root(root)
    ratios = [a / b for a, b in zip(ours, theirs)]
    emit({"bench": "itsm", "slow_ms": slow_ms, "at_once": at_once, "rounds": rounds,
          "rate": round(statistics.median(ours), 1),
          "bare_rate": round(statistics.median(theirs), 1),
          "ratio_bare": round(statistics.median(ratios), 3),
          "ratio_low90": round(low90(ratios), 3), "cpu_us": round(statistics.median(cpu), 1)})


def queue_row(build, emit, quick):
    root = make_root("tkt-bench-")
    counts = ["1000", "10000"] if quick else ["1000", "100000", "1000000"]
    try:
        os.makedirs(f"{root}/store")
        out = subprocess.run([f"{build}/tests/bench/queue_bench", "claims", f"{root}/store",
                              *counts], check=True, capture_output=True, text=True).stdout
        for line in out.splitlines():
            emit({"bench": "queue", **json.loads(line)})
    finally:
        remove_root(root)


def memory_row(build, emit, quick):
    """ticketd's memory, beside a queue that nobody takes."""
    for count in (1000, 20000) if quick else (1000, 1000000):
        root = make_root("tkt-bench-")
        p = product(f"{root}/p", build, "http://127.0.0.1:9")
        try:
            subprocess.run([f"{build}/tests/bench/queue_bench", "claims", f"{p.root}/store",
                            str(count)], check=True, capture_output=True)
            for base, _, names in os.walk(f"{p.root}/store"):
                for name in (".", *names):
                    os.chown(os.path.join(base, name), DAEMON_UID, GROUP_ID)
            p.start_ticketd()
            time.sleep(2 if quick else 15)
            with open(f"/proc/{p.ticketd.pid}/status", encoding="ascii") as f:
                rss = next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))
            emit({"bench": "queue-memory", "queued": count, "ticketd_kb": rss})
        finally:
            p.stop()
            remove_root(root)


def run(build, rounds, emit, quick):
    rounds = min(rounds, 2 if quick else 5)
    for slow_ms, at_once, tickets in ((0, 8, 8000), (1, 16, 8000), (2, 16, 8000),
                                      (5, 16, 4000), (10, 16, 4000)):
        tickets_row(build, rounds, emit, slow_ms, at_once, tickets // (8 if quick else 1))
    queue_row(build, emit, quick)
    memory_row(build, emit, quick)
