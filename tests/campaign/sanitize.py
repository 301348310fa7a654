# SPDX-License-Identifier: BSD-2-Clause
"""ticketd and ticket-milter built with ThreadSanitizer, and with AddressSanitizer and UBSan, in
folders beside the build: reloads beside all kinds of work (reloads.py), then suites, then a look
at what the sanitizers wrote. Leaks are looked for wherever a program of ours ends of itself.

Children of ticket-parser have no way to report: one that a sanitizer stops is one that died,
which reloads.py counts. The plugin is left out, for a Dovecot that is built without a sanitizer
cannot load it.
"""
import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
SOURCE = os.path.dirname(TESTS)
# Of the suites; all others are the product's.
PROGRAMS = ["tests/bench/desk_fake", "tests/bench/queue_bench", "tests/directory_ask",
            "tests/itsm/itsm_drive", "tests/notify/channel_drive"]
KINDS = {"thread": "thread", "address": "address,undefined"}
# Each report goes into a file; what is no fault of ours is in the two lists, with its reason.
OPTIONS = {
    "TSAN_OPTIONS": "log_path={to}/tsan history_size=5 second_deadlock_stack=1 "
                    f"suppressions={HERE}/tsan.supp",
    "ASAN_OPTIONS": "log_path={to}/asan detect_leaks=1",
    "UBSAN_OPTIONS": "log_path={to}/ubsan print_stacktrace=1",
    "LSAN_OPTIONS": f"log_path={{to}}/lsan suppressions={HERE}/lsan.supp print_suppressions=0",
}


def all_suites():
    names = sorted(os.path.basename(path)[5:-3]
                   for path in glob.glob(f"{TESTS}/integration/test_*.py"))
    return [n for n in names if not n.startswith("sieve") and n != "onekey"]


class Sanitized:
    """run() ends with an error at the first report."""

    def __init__(self, build, mails, suites):
        self.build, self.mails = build, mails
        self.suites = all_suites() if suites == ["all"] else suites

    def make(self, kind):
        """The folder of the build."""
        folder = f"{self.build}/sanitize/{kind}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/log", "wb") as log:
            def run(*command):
                subprocess.run(command, cwd=folder, check=True, stdout=log, stderr=log)
            if not os.path.exists(f"{folder}/config.status"):
                run(f"{SOURCE}/configure", f"--with-sanitizers={KINDS[kind]}", "--disable-sieve",
                    "CFLAGS=-g -O1" + (" -fno-sanitize-recover=undefined" * (kind == "address")))
            jobs = f"-j{os.cpu_count() or 2}"
            run("make", jobs, "all")
            if self.suites:
                run("make", jobs, *PROGRAMS)
        return folder

    def reports(self, folder):
        found = sorted(n for n in os.listdir(folder) if "san." in n)
        for name in found[:5]:
            with open(f"{folder}/{name}", encoding="utf-8", errors="replace") as f:
                print(f.read()[:6000])
        return found

    def run_kind(self, kind):
        folder = self.make(kind)
        to = f"{folder}/reports"
        os.makedirs(to, exist_ok=True)
        os.chmod(to, 0o1777)  # both programs give up their rights
        for name in os.listdir(to):
            os.unlink(f"{to}/{name}")
        env = {**os.environ, "TKT_BUILDDIR": folder, "TKT_SRCDIR": SOURCE,
               **{name: value.format(to=to) for name, value in OPTIONS.items()}}
        runs = [([f"{HERE}/campaign.py", folder, "--only", "reloads", "--mails", str(self.mails)],
                 TESTS)]
        if self.suites:
            runs.append((["-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs",
                          *(f"test_{name}.py" for name in self.suites)], f"{TESTS}/integration"))
        failed = [command[0] for command, cwd in runs
                  if subprocess.run([sys.executable, *command], cwd=cwd, env=env,
                                    check=False).returncode != 0]
        found = self.reports(to)
        assert not found and not failed, (kind, failed, found)

    def run(self):
        """Returns a dict of figures."""
        for kind in KINDS:
            self.run_kind(kind)
        return {"campaign": "sanitize", "kinds": list(KINDS), "mails": self.mails,
                "suites": len(self.suites), "reports": 0}
