#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How much of mail that others wrote is understood: a score for each field.

run.py [--misses] [--markdown] [SUITE...]

Every file suite_NAME.py beside this one has run(explain, data), which yields Scores.
$TKT_DATA names the folder with the mails; without it the test is skipped (77). A score
below its floor fails the test. --misses tells what missed, --markdown prints the table of
docs/understanding.md."""
import glob
import importlib
import os
import sys

sys.dont_write_bytecode = True
import frame  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def suites(wanted):
    names = sorted(os.path.basename(p)[len("suite_"):-len(".py")]
                   for p in glob.glob(f"{HERE}/suite_*.py"))
    return [n for n in names if not wanted or n in wanted]


def show(score, misses):
    floor = "" if score.floor is None else f"  floor {100 * score.floor:.1f} %"
    mark = "FAIL" if score.fails() else "  ok"
    print(f"{mark}  {score.suite:24} {score.field:28} {score.good:5} of {score.total:5} "
          f"{100 * score.share:6.2f} %{floor}")
    if misses or score.fails():
        for where, want, got in score.misses[:1000 if misses else 10]:
            print(f"          {where}")
            if want is not None:
                print(f"            want {want!r:.600}\n            got  {got!r:.600}")


def main():
    args = sys.argv[1:]
    flags = {a for a in args if a.startswith("--")}
    data = os.environ.get("TKT_DATA", "")
    ctl = f"{os.environ.get('TKT_BUILDDIR', '.')}/ticketctl/ticketctl"
    if not os.path.isdir(data):
        print("SKIP: TKT_DATA does not name a folder with test data")
        return 77
    explain = frame.Explainer(ctl)
    scores = []
    for name in suites([a for a in args if not a.startswith("--")]):
        scores += importlib.import_module(f"suite_{name}").run(explain, data)
    if "--markdown" in flags:
        print("| set | field | right | of | % |\n|---|---|---:|---:|---:|")
        for s in scores:
            print(f"| {s.suite} | {s.field} | {s.good} | {s.total} | {100 * s.share:.1f} |")
    else:
        for s in scores:
            show(s, "--misses" in flags)
    if not scores or not any(s.total for s in scores):
        print(f"SKIP: nothing below {data}")
        return 77
    return 1 if any(s.fails() for s in scores) else 0


if __name__ == "__main__":
    sys.exit(main())
