# SPDX-License-Identifier: BSD-2-Clause
"""The suites again, with ticketd and ticket-milter made late at random places (perturb.c)."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
# What starts, stops, kills, waits for an answer, or has its time.
SUITES = ("crash", "dispatch", "faults", "hook_proxy", "http2", "itsm_back", "itsm_doubt", "mail",
          "metrics", "notice_time", "notify", "notify_once", "parked", "pipe", "postfix",
          "reply", "sendmail", "sieve", "sieve_faults", "sinks", "sla", "sla_customer",
          "storms", "threading", "ticketctl")
SHARE = 20  # of 1000 calls


class Perturbed:
    """run() ends with an error at the first suite that does not pass."""

    def __init__(self, build, seeds, first):
        self.build, self.seeds = build, range(first, first + seeds)
        self.library = f"{build}/tests/campaign/.libs/perturb.so"

    @staticmethod
    def lines(path):
        with open(path, "rb") as f:
            return sum(1 for _ in f)

    def run_one(self, seed, command, cwd):
        """Returns how many calls were late."""
        with tempfile.TemporaryDirectory(prefix="tkt-perturb-") as traces:
            os.chmod(traces, 0o1777)  # both programs give up their rights
            subprocess.run(command, cwd=cwd, check=True, env={
                **os.environ, "TKT_BUILDDIR": self.build, "TKT_SRCDIR": os.path.dirname(TESTS),
                "TKT_PRELOAD": self.library, "TKT_PERTURB": f"{seed}:{SHARE}",
                "TKT_PERTURB_TRACE": traces})
            return sum(self.lines(f"{traces}/{name}") for name in os.listdir(traces))

    def run(self):
        """Returns a dict of figures."""
        subprocess.run(["make", "-s", "-C", self.build, "check", "TESTS="], check=True,
                       stdout=subprocess.DEVNULL)
        pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs",
                  *(f"test_{name}.py" for name in SUITES)]
        milter = [sys.executable, f"{TESTS}/milter/run.py"]
        late = {}
        for seed in self.seeds:
            late[seed] = (self.run_one(seed, pytest, f"{TESTS}/integration") +
                          self.run_one(seed, milter, f"{TESTS}/milter"))
            assert late[seed] > 100, (late, "nothing was late")
        return {"seeds": list(self.seeds), "share_of_1000": SHARE, "calls_late": late}
