# SPDX-License-Identifier: BSD-2-Clause
"""Mails per second through one private Postfix, filter by filter, in alternating rounds."""
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from harness.mta import Postfix  # noqa: E402
from harness.product import Product  # noqa: E402
from harness.util import free_port, stop, wait_for  # noqa: E402
from . import everything  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
DESK = "support@example.test"
NODESK = "joe@example.test"
RSS_HZ = 20


def cpu_of(pid):
    """CPU seconds of a process and of the children it has reaped."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return sum(int(x) for x in fields[11:15]) / TICK
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def tree(pid):
    """pid and all that descends from it."""
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{task}/children", encoding="ascii") as f:
                    todo.extend(int(c) for c in f.read().split())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return out


def cpu_tree(roots):
    return sum(cpu_of(p) for r in roots for p in tree(r))


def machine_busy():
    """Seconds that all processors spent on anything but idling."""
    with open("/proc/stat", encoding="ascii") as f:
        v = [int(x) for x in f.readline().split()[1:]]
    return (sum(v) - v[3] - v[4]) / TICK


class Run:
    """One variant: its port, its recipient, the processes that count as ours."""

    def __init__(self, name, port, rcpt, pids=()):
        self.name, self.port, self.rcpt, self.pids = name, port, rcpt, list(pids)


def low90(values):
    """Lower end of a 90 % interval for the median, from order statistics."""
    v = sorted(values)
    n = len(v)
    # binomial(n, 1/2): the largest k with P(X <= k - 1) <= 5 %
    k, total, p = 0, 0.0, 0.5 ** n
    for i in range(n):
        total += p
        if total > 0.05:
            break
        k = i + 1
        p = p * (n - i) / (i + 1)
    return v[max(0, k - 1)]


class PostfixBench:
    def __init__(self, root, build, quick):
        self.root, self.build, self.quick = root, build, quick
        self.procs = []

    def start(self):
        run = f"{self.root}/sock"
        os.makedirs(run)
        os.chmod(run, 0o777)
        ns = ["unshare", "--mount", "--propagation", "private", "--"]
        for mode in ("pass", "noop"):
            self.procs.append(subprocess.Popen(
                [*ns, f"{self.build}/tests/bench/bench_milter", mode,
                 f"unix:{run}/{mode}.sock"]))
            wait_for(mode, lambda m=mode: os.path.exists(f"{run}/{m}.sock"))
        self.product = Product(self.root, self.build, wrapper=ns, log_level="warning")
        self.product.start()
        self.inet = self._inet_milter(ns)
        self.full = everything.product(f"{self.root}/full", self.build, wrapper=ns,
                                       log_level="warning")
        self.full.start()
        ports = {n: free_port() for n in ("pass", "noop", "ticket", "inet", "full")}
        sockets = {"pass": f"unix:{run}/pass.sock", "noop": f"unix:{run}/noop.sock",
                   "ticket": self.product.milter_socket,
                   "inet": f"inet:127.0.0.1:{self.inet_port}",
                   "full": self.full.milter_socket}
        services = "\n".join(
            f"127.0.0.1:{ports[n]} inet n - n - - smtpd -o smtpd_milters={sockets[n]}"
            for n in ports)
        self.postfix = Postfix(self.root, services=services, settings=(
            "virtual_mailbox_domains =\nvirtual_mailbox_maps =\n"
            "relay_domains = example.test\nrelay_transport = discard\n"
            "transport_maps =\nsmtpd_client_connection_count_limit = 0\n"
            "default_process_limit = 200\nqmgr_message_active_limit = 40000\n")).start()
        wait_for("master.pid", lambda: os.path.exists(
            f"{self.postfix.root}/spool/pid/master.pid"))
        with open(f"{self.postfix.root}/spool/pid/master.pid", encoding="ascii") as f:
            self.master = int(f.read())
        ours = [self.product.ticketd.pid, self.product.milter.pid]
        self.variants = [
            Run("none", self.postfix.port, DESK),
            Run("pass", ports["pass"], DESK, [self.procs[0].pid]),
            Run("noop", ports["noop"], DESK, [self.procs[1].pid]),
            Run("nodesk", ports["ticket"], NODESK, ours),
            Run("ticket", ports["ticket"], DESK, ours),
            Run("inet", ports["inet"], DESK, [self.product.ticketd.pid, self.inet.milter.pid]),
        ]
        self.prose = everything.write_mails(f"{self.root}/mails")
        self.written = [v for v in self.variants if v.name in ("noop", "ticket")] + [
            Run("full", ports["full"], DESK, [self.full.ticketd.pid, self.full.milter.pid])]

    def _inet_milter(self, ns):
        """A second ticket-milter in front of the same ticketd, over TCP."""
        self.inet_port = free_port()
        inet = Product(self.root, self.build, wrapper=ns, log_level="warning",
                       milter_socket=f"inet:{self.inet_port}@127.0.0.1")
        inet.config = f"{inet.root}/inet.conf"
        os.makedirs(f"{inet.root}/milter-inet", exist_ok=True)
        from harness.product import GROUP_ID, MILTER_UID
        os.chown(f"{inet.root}/milter-inet", MILTER_UID, GROUP_ID)
        inet.write_config()
        with open(inet.config, encoding="utf-8") as f:
            text = f.read().replace("/ticket/milter", "/ticket/milter-inet")
        with open(inet.config, "w", encoding="utf-8") as f:
            f.write(text)
        inet.start_milter(wait=False)
        from harness.util import port_open
        wait_for("inet milter", lambda: port_open(self.inet_port))
        return inet

    def stop(self):
        self.postfix.stop()
        self.full.stop()
        self.inet.stop()
        self.product.stop()
        for p in self.procs:
            stop(p)

    def source(self, run, size, conc, count):
        """size None: mails that people wrote, no two alike."""
        if size is None:
            return [f"{self.build}/tests/bench/mail_source", str(run.port), run.rcpt,
                    str(conc), str(count), self.prose]
        return ["smtp-source", "-c", "-l", str(size), "-m", str(count), "-s", str(conc),
                "-f", "customer@example.org", "-t", run.rcpt, f"127.0.0.1:{run.port}"]

    def one(self, run, size, conc, count):
        """Sends count mails; returns (mails/s, our CPU ms a mail, all CPU ms, foreign)."""
        ours = cpu_tree(run.pids)
        every = [self.master, self.product.ticketd.pid, self.product.milter.pid,
                 self.inet.milter.pid, self.full.ticketd.pid, self.full.milter.pid,
                 *(p.pid for p in self.procs)]
        all_before, busy = cpu_tree(every), machine_busy()
        start = time.monotonic()
        source = subprocess.Popen(
            self.source(run, size, conc, count),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        _, status, usage = os.wait4(source.pid, 0)
        took = time.monotonic() - start
        source.returncode = os.waitstatus_to_exitcode(status)
        if source.returncode != 0:
            raise RuntimeError(f"{run.name}: {source.args[0]}: {source.stderr.read()}")
        own = cpu_tree(run.pids) - ours
        total = cpu_tree(every) - all_before + usage.ru_utime + usage.ru_stime
        foreign = max(0.0, machine_busy() - busy - total) / (took * os.cpu_count())
        self.drain()
        return count / took, own * 1000 / count, total * 1000 / count, foreign

    def drain(self):
        wait_for("empty queue", lambda: not any(
            f for d in ("active", "incoming") for _, _, f in
            os.walk(f"{self.postfix.root}/spool/{d}")), 60)

    def rounds(self, size, conc, count, rounds, emit):
        """size None: noop, ticket and full, by mails of 4 KiB that people wrote."""
        variants = self.written if size is None else self.variants
        got = {v.name: [] for v in variants}
        for r in range(rounds + 1):
            order = variants[r % len(variants):] + variants[:r % len(variants)]
            for v in order:
                sample = self.one(v, size, conc, count if r else max(conc, count // 5))
                if r:  # the first round warms up
                    got[v.name].append(sample)
        for v in variants:
            rates = [s[0] for s in got[v.name]]
            row = {"bench": "postfix" if size else "postfix-prose", "variant": v.name,
                   "size": size or 4096, "conc": conc,
                   "rounds": rounds, "count": count,
                   "rate": round(statistics.median(rates), 1),
                   "rate_min": round(min(rates), 1), "rate_max": round(max(rates), 1),
                   "cpu_ms": round(statistics.median(s[1] for s in got[v.name]), 3),
                   "cpu_all_ms": round(statistics.median(s[2] for s in got[v.name]), 3),
                   "foreign_cpu": round(statistics.median(s[3] for s in got[v.name]), 3)}
            for anchor in (a for a in ("none", "pass", "noop", "ticket") if a in got):
                pairs = [a[0] / b[0] for a, b in zip(got[v.name], got[anchor])]
                row[f"ratio_{anchor}"] = round(statistics.median(pairs), 3)
                if anchor == ("pass" if v.name == "nodesk" else
                              "ticket" if v.name == "inet" else "noop"):
                    row["ratio_low90"] = round(low90(pairs), 3)
            if v.name == "full":
                row["model"] = self.full.model
            if row["foreign_cpu"] > 0.15:
                row["disturbed"] = True
            emit(row)


def emitter(path):
    out = open(path, "a", encoding="utf-8")

    def emit(row):
        line = json.dumps(row)
        print(line, flush=True)
        out.write(line + "\n")
        out.flush()
    return emit
