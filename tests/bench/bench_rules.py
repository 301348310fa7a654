# SPDX-License-Identifier: BSD-2-Clause
"""Rules on 4 KiB, beside PCRE2 with machine code alone in the same run."""
import json
import subprocess


def run(build, emit):
    got = subprocess.run([f"{build}/tests/bench/rules_bench"], capture_output=True, text=True,
                         check=False)
    if got.returncode != 0:
        raise RuntimeError(f"rules_bench: {got.stderr[-2000:]}")
    for line in got.stdout.splitlines():
        emit(json.loads(line))
