# SPDX-License-Identifier: BSD-2-Clause
"""LMTP deliveries per second: without the action, with it, and with vnd.dovecot.execute
calling /bin/true, each in a Dovecot of its own, in alternating rounds."""
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench.bench_postfix import cpu_tree, low90, machine_busy  # noqa: E402
from harness.dovecot import MAIL_UID, Dovecot  # noqa: E402
from harness.product import Product  # noqa: E402
from harness.util import make_root, remove_root  # noqa: E402

USER = "bench@example.test"
MESSAGE_SIZE = 4096

VARIANTS = {
    "none": dict(before="# nothing\n"),
    "ticket": dict(before='require "vnd.ticket";\nticket :desk "it";\n'),
    "execute": dict(before='require "vnd.dovecot.execute";\nexecute "true";\n',
                    plugins="sieve_extprograms",
                    extensions="+vnd.ticket +vnd.dovecot.execute",
                    settings="  sieve_execute_bin_dir = /bin\n"),
}


def master(dovecot):
    with open(f"{dovecot.root}/run/master.pid", encoding="ascii") as f:
        return int(f.read())


def one(dovecot, product, conc, count):
    """(deliveries a second, CPU ms of Dovecot and ticketd a delivery, foreign load)."""
    ours = [master(dovecot), product.ticketd.pid]
    before, busy = cpu_tree(ours), machine_busy()
    start = time.monotonic()
    with subprocess.Popen(
            ["smtp-source", "-L", "-c", "-d", "-l", str(MESSAGE_SIZE), "-m", str(count), "-s",
             str(conc), "-f", "customer@example.org", "-t", USER,
             f"127.0.0.1:{dovecot.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as source:
        _, status, usage = os.wait4(source.pid, 0)
        took = time.monotonic() - start
        source.returncode = os.waitstatus_to_exitcode(status)
        if source.returncode != 0:
            raise RuntimeError(f"smtp-source: {source.stderr.read()}")
    cpu = cpu_tree(ours) - before
    foreign = max(0.0, machine_busy() - busy - cpu - usage.ru_utime - usage.ru_stime)
    kept = len(os.listdir(f"{dovecot.root}/mail/{USER}/new"))
    if kept != count:
        raise RuntimeError(f"{count} mails sent, {kept} kept")
    shutil.rmtree(f"{dovecot.root}/mail/{USER}")
    return count / took, cpu * 1000 / count, foreign / (took * os.cpu_count())


def run(build, rounds, emit, quick, conc=4):
    reason = Dovecot.missing(build)
    if reason or not shutil.which("smtp-source"):
        print(f"bench: sieve skipped: {reason or 'smtp-source is not installed'}",
              file=sys.stderr)
        return
    count = 60 if quick else 300
    root = make_root("tkt-bench-")
    product = Product(root, build, hooks=f', "{MAIL_UID}"', intake_umask="0000",
                      log_level="warning")
    dovecots = {}
    try:
        product.prepare()
        product.start_ticketd()
        for name, parts in VARIANTS.items():
            os.makedirs(f"{root}/dovecot-{name}", 0o711)
            dovecots[name] = Dovecot(f"{root}/dovecot-{name}", build,
                                     f"{product.root}/run/intake.sock", **parts).start()
        got = {name: [] for name in VARIANTS}
        names = list(VARIANTS)
        for r in range(rounds + 1):
            for name in names[r % 3:] + names[:r % 3]:
                sample = one(dovecots[name], product, conc, count if r else count // 5)
                if r:  # the first round warms up
                    got[name].append(sample)
    finally:
        for dovecot in dovecots.values():
            dovecot.stop()
        product.stop()
        remove_root(root)
    for name, samples in got.items():
        rates = [s[0] for s in samples]
        row = {"bench": "sieve", "variant": name, "size": MESSAGE_SIZE, "conc": conc,
               "rounds": rounds, "count": count, "rate": round(statistics.median(rates), 1),
               "rate_min": round(min(rates), 1), "rate_max": round(max(rates), 1),
               "cpu_ms": round(statistics.median(s[1] for s in samples), 3),
               "foreign_cpu": round(statistics.median(s[2] for s in samples), 3)}
        for anchor in ("none", "execute"):
            pairs = [a[0] / b[0] for a, b in zip(got[name], got[anchor])]
            row[f"ratio_{anchor}"] = round(statistics.median(pairs), 3)
            row[f"ratio_{anchor}_low90"] = round(low90(pairs), 3)
        if row["foreign_cpu"] > 0.15:
            row["disturbed"] = True
        emit(row)
