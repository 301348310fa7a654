# SPDX-License-Identifier: BSD-2-Clause
"""make bench: prints one JSON line a row, and keeps them in build/bench.jsonl.

    bench.py BUILD [--only understand,rules,model,postfix,intake,itsm,sla,sieve,memory,latency] [--rounds N] [--quick]
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench.bench_postfix import PostfixBench, emitter  # noqa: E402
from bench import bench_intake, bench_itsm, bench_memory, bench_model, bench_rules, bench_sieve, bench_sla, bench_understand  # noqa: E402
from harness.util import make_root, remove_root  # noqa: E402


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("build")
    ap.add_argument("--only", default="understand,rules,model,postfix,intake,itsm,sla,sieve,memory,latency")
    ap.add_argument("--rounds", type=int, help="15, or 2 with --quick")
    ap.add_argument("--conc", default="1,10,50")
    ap.add_argument("--sizes", default="4096,102400",
                    help="none: only noop, ticket and full, by mails that people wrote")
    ap.add_argument("--quick", action="store_true", help="few rounds: to see that it runs")
    args = ap.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench: needs root for the private Postfix and the separate users")
    build = os.path.abspath(args.build)
    rounds = args.rounds or (2 if args.quick else 15)
    emit = emitter(f"{build}/bench.jsonl")
    only = args.only.split(",")
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"bench: load average is {load}: other work may disturb the figures",
              file=sys.stderr)
    if "understand" in only:
        bench_understand.run(build, rounds, emit)
    if "rules" in only:
        bench_rules.run(build, emit)
    if "model" in only:
        bench_model.run(build, rounds, emit)
    if "intake" in only:
        bench_intake.run(build, rounds, args.quick, emit)
    if "itsm" in only:
        bench_itsm.run(build, rounds, emit, args.quick)
    if "sla" in only:
        bench_sla.run(build, emit, args.quick)
    if "sieve" in only:
        bench_sieve.run(build, rounds, emit, args.quick)
    if "postfix" in only:
        root = make_root("tkt-bench-")
        bench = PostfixBench(root, build, args.quick)
        bench.start()
        try:
            for size in (int(s) for s in args.sizes.split(",") if s != "none"):
                for conc in (int(c) for c in args.conc.split(",")):
                    count = {1: 80, 10: 400, 50: 500}.get(conc, 400)
                    count = count // (2 if size > 50000 else 1) // (4 if args.quick else 1)
                    bench.rounds(size, conc, max(count, conc), rounds, emit)
            for conc in (int(c) for c in args.conc.split(",")):
                count = {1: 80, 10: 400, 50: 500}.get(conc, 400) // (4 if args.quick else 1)
                bench.rounds(None, conc, max(count, conc), rounds, emit)
        finally:
            bench.stop()
            remove_root(root)
    if "memory" in only or "latency" in only:
        bench_memory.run(build, emit, args.quick, only)


if __name__ == "__main__":
    main()
