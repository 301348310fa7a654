# SPDX-License-Identifier: BSD-2-Clause
"""Memory of all our processes under load, and what large mails do to small ones."""
import json
import statistics
import subprocess
import threading
import time

from harness.mta import Postfix
from harness.product import Product
from harness.util import make_root, remove_root

from .bench_postfix import DESK, RSS_HZ, tree

MIB = 1024 * 1024


def rollup(pid):
    """(PSS, anonymous RSS) in bytes."""
    pss = anon = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            for line in f:
                if line.startswith("Pss:"):
                    pss = int(line.split()[1]) * 1024
                elif line.startswith("Anonymous:"):
                    anon = int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return pss, anon


class Sampler(threading.Thread):
    """Peak of the sums over all processes below the roots, RSS_HZ times a second."""

    def __init__(self, roots):
        super().__init__(daemon=True)
        self.roots, self.pss, self.anon, self.samples = roots, 0, 0, 0
        self.ending = threading.Event()

    def run(self):
        while not self.ending.wait(1 / RSS_HZ):
            sums = [rollup(p) for r in self.roots for p in tree(r)]
            self.pss = max(self.pss, sum(s[0] for s in sums))
            self.anon = max(self.anon, sum(s[1] for s in sums))
            self.samples += 1

    def finish(self):
        self.ending.set()
        self.join()
        return self


def memory(product, postfix, emit, quick):
    roots = [product.ticketd.pid, product.milter.pid]
    small = None
    for load, size, count in (("idle", 0, 0), ("50x4KiB", 4096, 2000),
                              ("50x25MiB", 25 * MIB, 50 if quick else 100)):
        s = Sampler(roots)
        s.start()
        if count:
            subprocess.run(["smtp-source", "-l", str(size), "-m", str(count), "-s", "50",
                            "-f", "customer@example.org", "-t", DESK,
                            f"127.0.0.1:{postfix.port}"], check=True)
        else:
            time.sleep(2)
        s.finish()
        row = {"bench": "memory", "load": load, "total_mib": round(s.pss / MIB, 2),
               "anon_mib": round(s.anon / MIB, 2), "samples": s.samples}
        if load == "50x4KiB":
            small = s.pss
        elif small is not None:
            row["above_small_mib"] = round((s.pss - small) / MIB, 2)
        emit(row)


def latency(product, build, emit, quick):
    """p99 of 4 KiB mails at intake, alone and with eight 25 MiB mails in flight."""
    tool = f"{build}/tests/bench/intake_bench"
    sock = f"{product.root}/run/intake.sock"
    seconds = "2" if quick else "5"
    p99 = {"idle": [], "8x25MiB": []}
    p50 = {"idle": [], "8x25MiB": []}
    for _ in range(1 if quick else 7):
        for load in p99:
            big = None
            if load != "idle":
                big = subprocess.Popen([tool, sock, "8", str(int(seconds) + 2), DESK,
                                        str(25 * MIB)], stdout=subprocess.DEVNULL)
                time.sleep(1)
            got = subprocess.run([tool, sock, "1", seconds, DESK], check=True,
                                 capture_output=True, text=True)
            if big is not None:
                big.wait()
            row = json.loads(got.stdout)
            p99[load].append(row["p99_us"])
            p50[load].append(row["p50_us"])
    for load, values in p99.items():
        emit({"bench": "latency", "load": load, "size": 4096,
              "p50_us": statistics.median(p50[load]), "p99_us": statistics.median(values),
              "ratio_idle": round(statistics.median(
                  a / b for a, b in zip(values, p99["idle"])), 2)})


def run(build, emit, quick, only):
    root = make_root("tkt-bench-")
    product = Product(root, build, log_level="warning",
                      wrapper=["unshare", "--mount", "--propagation", "private", "--"])
    postfix = None
    try:
        product.start()
        postfix = Postfix(root, settings=(
            f"smtpd_milters = {product.milter_socket}\nmessage_size_limit = 60000000\n"
            "virtual_mailbox_domains =\nvirtual_mailbox_maps =\nvirtual_mailbox_limit = 0\n"
            "relay_domains = example.test\nrelay_transport = discard\n"
            "smtpd_client_connection_count_limit = 0\n")).start()
        if "memory" in only:
            memory(product, postfix, emit, quick)
        if "latency" in only:
            latency(product, build, emit, quick)
    finally:
        if postfix is not None:
            postfix.stop()
        product.stop()
        remove_root(root)
