# SPDX-License-Identifier: BSD-2-Clause
"""make campaign: the long crash run; one JSON line with its figures.

    campaign.py BUILD [--mails N] [--kills N] [--seed N]
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from campaign.crash import Crash  # noqa: E402


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("build")
    ap.add_argument("--mails", type=int, default=20000)
    ap.add_argument("--kills", type=int, default=200, help="of each kind of process")
    ap.add_argument("--seed", type=int)
    args = ap.parse_args()
    if os.geteuid() != 0:
        sys.exit("campaign: needs root for the private Postfix")
    print(json.dumps(Crash(os.path.abspath(args.build), args.mails, args.kills,
                           seed=args.seed).run()))


if __name__ == "__main__":
    main()
