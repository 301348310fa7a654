# SPDX-License-Identifier: BSD-2-Clause
"""Intake alone, over the socket, beside the machine's floor in the same run."""
import json
import os
import statistics
import subprocess

from harness.product import Product
from harness.util import make_root, remove_root

from . import everything
from .bench_postfix import cpu_tree, low90, machine_busy

DESK = "support@example.test"


def measure(command, pids):
    busy, ours = machine_busy(), cpu_tree([*pids])
    got = subprocess.run(command, capture_output=True, text=True, check=False)
    if got.returncode != 0:
        raise RuntimeError(f"{command}: {got.stderr[-2000:]}")
    row = json.loads(got.stdout)
    row["cpu_us"] = (cpu_tree([*pids]) - ours) * 1e6 / max(1, row["tickets"])
    row["busy"] = machine_busy() - busy
    return row


def stage(root, name, build, analyse):
    product = Product(f"{root}/{name}", build, top=f"analyse = {analyse}", log_level="warning",
                      wrapper=["unshare", "--mount", "--propagation", "private", "--"])
    os.makedirs(f"{root}/{name}")
    os.chmod(f"{root}/{name}", 0o711)
    product.prepare()
    product.start_ticketd()
    return product


# A child that ends takes its CPU time with it.
LASTING = "    messages_per_child = 1000000\n"


def prose(build, rounds, quick, emit):
    """CPU at intake for mails that people wrote: with nothing configured, with everything."""
    root = make_root("tkt-bench-")
    mails = everything.write_mails(f"{root}/mails")
    ns = ["unshare", "--mount", "--propagation", "private", "--"]
    products = {
        "ticket": Product(f"{root}/plain", build, parser=LASTING, log_level="warning",
                          wrapper=ns),
        "full": everything.product(f"{root}/full", build, parser=LASTING,
                                   log_level="warning", wrapper=ns)}
    got = {name: [] for name in products}
    try:
        os.makedirs(f"{root}/plain", exist_ok=True)
        os.chmod(f"{root}/plain", 0o711)
        products["ticket"].prepare()
        for p in products.values():
            p.start_ticketd()
        for r in range(rounds + 1):
            for name in sorted(products, reverse=r % 2 == 1):
                p = products[name]
                row = measure([f"{build}/tests/bench/intake_bench",
                               f"{p.root}/run/intake.sock", "4", "1" if quick else "2",
                               DESK, "4096", mails], [p.ticketd.pid])
                if r:  # the first round fills caches: people, pages
                    got[name].append(row)
        for name, rows in got.items():
            pairs = [a["rate"] / b["rate"] for a, b in zip(rows, got["ticket"])]
            emit({"bench": "intake-prose", "stage": name, "clients": 4, "rounds": rounds,
                  "rate": round(statistics.median(x["rate"] for x in rows), 1),
                  "ratio_ticket": round(statistics.median(pairs), 3),
                  "ratio_low90": round(low90(pairs), 3),
                  "cpu_us": round(statistics.median(x["cpu_us"] for x in rows), 1),
                  **({"model": products[name].model} if name == "full" else {})})
    finally:
        for p in products.values():
            p.stop()
        remove_root(root)


def run(build, rounds, quick, emit):
    prose(build, rounds, quick, emit)
    root = make_root("tkt-bench-")
    tool = f"{build}/tests/bench/intake_bench"
    seconds = "1" if quick else "2"
    products = {}
    try:
        products["commit"] = stage(root, "commit", build, "false")
        products["full"] = stage(root, "full", build, "true")
        for clients in (1, 16, 64):
            got = {"floor": [], "commit": [], "full": []}
            for r in range(rounds):
                order = list(got)[r % 3:] + list(got)[:r % 3]
                for name in order:
                    if name == "floor":
                        where = f"{root}/floor-{clients}-{r}"
                        os.makedirs(where)
                        got[name].append(measure([tool, "--floor", where, str(clients),
                                                  seconds], []))
                        remove_root(where)
                    else:
                        p = products[name]
                        got[name].append(measure(
                            [tool, f"{p.root}/run/intake.sock", str(clients), seconds, DESK],
                            [p.ticketd.pid]))
            for name, rows in got.items():
                pairs = [a["rate"] / b["rate"] for a, b in zip(rows, got["floor"])]
                emit({"bench": "intake", "stage": name, "clients": clients, "rounds": rounds,
                      "rate": round(statistics.median(x["rate"] for x in rows), 1),
                      "ratio_floor": round(statistics.median(pairs), 3),
                      "ratio_low90": round(low90(pairs), 3),
                      "p50_us": statistics.median(x["p50_us"] for x in rows),
                      "p99_us": statistics.median(x["p99_us"] for x in rows),
                      "cpu_us": round(statistics.median(x["cpu_us"] for x in rows), 1)})
    finally:
        for p in products.values():
            p.stop()
        remove_root(root)
