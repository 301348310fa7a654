# SPDX-License-Identifier: BSD-2-Clause
"""What a learned model costs a message: 20 words, 2 KiB, 64 KiB; and learning it."""
import json
import subprocess


def run(build, rounds, emit):
    got = subprocess.run([f"{build}/tests/bench/model_bench", str(rounds)],
                         capture_output=True, text=True, check=False)
    if got.returncode != 0:
        raise RuntimeError(f"model_bench: {got.stderr[-2000:]}")
    for line in got.stdout.splitlines():
        emit(json.loads(line))
