#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs every test against the build directory: tests/run.sh BUILD [pytest arguments].
# First make check (unit, golden, fuzz replay, power cut, checks of docs and layers), then
# pytest with real mail servers. Every test that passed, failed or was skipped is named.
set -u
build=$1
shift
top=$(cd "$(dirname "$0")/.." && pwd)
python=/usr/bin/python3
[ -x "$python" ] || python=python3
rc=0

echo "==> make check"
make -C "$build" check VERBOSE=1 -j2 >"$build/check.out" 2>&1 || rc=1
grep -E '^(PASS|FAIL|SKIP|XFAIL|XPASS|ERROR)[: ]' "$build/check.out"
grep -hE '^(SKIP|skip|SKIPPED)' "$build"/tests/*.log "$build"/tests/*/*.log 2>/dev/null | sort -u
grep -A 9 '^Testsuite summary' "$build/check.out"
if [ $rc -ne 0 ]; then
    echo "==> make check FAILED"
    tail -150 "$build/check.out"
fi

echo "==> integration"
sudo=
[ "$(id -u)" -eq 0 ] || sudo="sudo -E"
$sudo env TKT_BUILDDIR="$build" TKT_SRCDIR="$top" PYTHONDONTWRITEBYTECODE=1 \
    "$python" -m pytest -p no:cacheprovider -v -rs --tb=short --durations=10 \
    "$top/tests/integration" "$@" || rc=1
exit $rc
