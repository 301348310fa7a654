# SPDX-License-Identifier: BSD-2-Clause
"""make campaign: the long power-cut, Sieve, dispatch, storm, crash, perturbed, reload and sanitized
runs; a line of figures for each workload of the first, pytest's words for the second, one JSON
line for the others.

    campaign.py BUILD [--only cut,sieve,dispatch,storm,crash,perturb,reloads,sanitize]
                      [--mails N] [--kills N] [--seed N] [--jobs N] [--cut-rounds N]
                      [--cut-seeds N] [--deliveries N] [--perturb-seeds N] [--suites NAME,...]
"""
import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from campaign.crash import Crash  # noqa: E402
from campaign.dispatch import Dispatch  # noqa: E402
from campaign.perturb import Perturbed  # noqa: E402
from campaign.reloads import Reloads  # noqa: E402
from campaign.sanitize import Sanitized  # noqa: E402
from campaign.storm import Storm  # noqa: E402

RELOADS_MAX = 3000  # mails; each has its issue and its acknowledgement
SANITIZED_MAX = 1000


def sieve(build, deliveries):
    """Many deliveries in one lmtp, a minute of a steady rate, and Dovecot 2.4."""
    here = os.path.dirname(os.path.abspath(__file__))
    if deliveries == 0:
        return
    subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs",
         "test_sieve_tools.py", "test_sieve_load.py", "-k", "leaves_nothing or a_minute"],
        cwd=f"{here}/../integration", check=True,
        env={**os.environ, "TKT_BUILDDIR": build, "TKT_SRCDIR": os.path.abspath(f"{here}/../.."),
             "TKT_SIEVE_DELIVERIES": str(deliveries), "TKT_SIEVE_SECONDS": "60"})
    subprocess.run([f"{here}/../dovecot24.sh", build], check=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("build")
    ap.add_argument("--mails", type=int, default=20000)
    ap.add_argument("--kills", type=int, default=200, help="of each kind of process")
    ap.add_argument("--seed", type=int)
    ap.add_argument("--deliveries", type=int, default=10000, help="by Sieve; 0: no Sieve runs")
    ap.add_argument("--jobs", type=int, default=100000, help="tickets for a faulty desk; 0: none")
    ap.add_argument("--only", default="cut,sieve,dispatch,storm,crash,perturb,reloads,sanitize")
    ap.add_argument("--cut-rounds", type=int, default=20, help="power-cut workloads")
    ap.add_argument("--cut-seeds", type=int, default=6, help="random cuts an operation")
    ap.add_argument("--perturb-seeds", type=int, default=3, help="runs with late calls; 0: none")
    ap.add_argument("--suites", default="", help="that sanitized programs run too: "
                    "notify,sla,... or all")
    args = ap.parse_args()
    if os.geteuid() != 0:
        sys.exit("campaign: needs root for the private Postfix")
    only = args.only.split(",")
    if "cut" in only:
        subprocess.run(["make", "-s", "-C", args.build, "tests/powercut/powercut_test"],
                       check=True)
        subprocess.run([f"{args.build}/tests/powercut/powercut_test"], check=True,
                       env={**os.environ, "TKT_POWERCUT_ROUNDS": str(args.cut_rounds),
                            "TKT_POWERCUT_SEEDS": str(args.cut_seeds)})
    build = os.path.abspath(args.build)
    if "sieve" in only:
        sieve(build, args.deliveries)
    if "dispatch" in only and args.jobs:
        subprocess.run(["make", "-s", "-C", build, "tests/bench/desk_fake",
                        "tests/bench/queue_bench"], check=True)
        print(json.dumps(Dispatch(build, args.jobs, args.kills, 60000, 5400,
                                  seed=args.seed).run()))
    if "storm" in only:
        print(json.dumps(Storm(build, args.mails, 5, seed=args.seed).run()))
    if "crash" in only:
        print(json.dumps(Crash(build, args.mails, args.kills, seed=args.seed).run()))
    if "perturb" in only and args.perturb_seeds:
        print(json.dumps(Perturbed(build, args.perturb_seeds, args.seed or 1).run()))
    if "reloads" in only:
        print(json.dumps(Reloads(build, min(args.mails, RELOADS_MAX)).run()))
    if "sanitize" in only:
        print(json.dumps(Sanitized(build, min(args.mails, SANITIZED_MAX),
                                   [s for s in args.suites.split(",") if s]).run()))


if __name__ == "__main__":
    main()
