# SPDX-License-Identifier: BSD-2-Clause
"""Reading a message, beside plain GMime in alternating rounds of the same run."""
import json
import subprocess


def run(build, rounds, emit):
    got = subprocess.run([f"{build}/tests/bench/understand_bench", str(rounds)],
                         capture_output=True, text=True, check=False)
    if got.returncode != 0:
        raise RuntimeError(f"understand_bench: {got.stderr[-2000:]}")
    for line in got.stdout.splitlines():
        emit(json.loads(line))
