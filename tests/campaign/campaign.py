# SPDX-License-Identifier: BSD-2-Clause
"""make campaign: the long power-cut and crash runs; a line of figures for each workload of
the first, one JSON line for the second.

    campaign.py BUILD [--mails N] [--kills N] [--seed N] [--cut-rounds N] [--cut-seeds N]
"""
import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from campaign.crash import Crash  # noqa: E402


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("build")
    ap.add_argument("--mails", type=int, default=20000)
    ap.add_argument("--kills", type=int, default=200, help="of each kind of process")
    ap.add_argument("--seed", type=int)
    ap.add_argument("--cut-rounds", type=int, default=20, help="power-cut workloads")
    ap.add_argument("--cut-seeds", type=int, default=6, help="random cuts an operation")
    args = ap.parse_args()
    if os.geteuid() != 0:
        sys.exit("campaign: needs root for the private Postfix")
    subprocess.run(["make", "-s", "-C", args.build, "tests/powercut/powercut_test"], check=True)
    subprocess.run([f"{args.build}/tests/powercut/powercut_test"], check=True,
                   env={**os.environ, "TKT_POWERCUT_ROUNDS": str(args.cut_rounds),
                        "TKT_POWERCUT_SEEDS": str(args.cut_seeds)})
    print(json.dumps(Crash(os.path.abspath(args.build), args.mails, args.kills,
                           seed=args.seed).run()))


if __name__ == "__main__":
    main()
