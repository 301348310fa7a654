#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs every test against the build directory: tests/run.sh BUILD [pytest arguments].
# First make check (unit, golden, fuzz replay, power cut, checks of docs and layers), then
# the other builds, then pytest with real mail servers. Every test that passed, failed or
# was skipped is named, a skipped one with its reason.
set -u
build=$1
shift
top=$(cd "$(dirname "$0")/.." && pwd)
python=/usr/bin/python3
[ -x "$python" ] || python=python3
failed=
# Mails that others wrote are not in the tarball; TKT_DATA names a folder with them.
if [ -z "${TKT_DATA:-}" ] && [ -d "$top/../shared/data/mime" ]; then
    export TKT_DATA="$top/../shared/data"
fi

say() { printf '==> %s (after %d min %02d s)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }

# name_tests LOG RESULT NAME: the program, and what it says of its own tests.
name_tests() {
    echo "$2: $3"
    sed -nE -e 's/^\[ +OK +\] (.*)/    PASS: \1/p' \
        -e 's/^\[ +FAILED +\] ([A-Za-z_0-9]+)$/    FAIL: \1/p' \
        -e 's/^\[ +SKIPPED +\] (.*)/    SKIP: \1/p' \
        -e 's/^(test_[^ ]*) .*\.\.\. ok$/    PASS: \1/p' \
        -e 's/^(test_[^ ]*) .*\.\.\. (FAIL|ERROR)$/    FAIL: \1/p' \
        -e 's/^(test_[^ ]*) .*\.\.\. skipped (.*)/    SKIP: \1: \2/p' \
        -e 's/^(SKIP: .*)/    \1/p' "$1"
}

say "make check"
make -C "$build" check VERBOSE=1 -j2 >"$build/check.out" 2>&1 || failed="$failed make-check"
for trs in $(cd "$build" && find tests -name '*.trs' | sort); do
    name_tests "$build/${trs%.trs}.log" \
        "$(sed -n 's/^:test-result: //p' "$build/$trs")" "${trs%.trs}"
done
grep -A 9 '^Testsuite summary' "$build/check.out"
case $failed in
*make-check*)
    echo "make check failed; the end of its output:"
    tail -200 "$build/check.out"
    ;;
esac

say "builds"
"$top/tests/build_check.sh" "$build" || failed="$failed builds"

say "integration"
sudo=
[ "$(id -u)" -eq 0 ] || sudo="sudo -E"
$sudo env TKT_BUILDDIR="$build" TKT_SRCDIR="$top" PYTHONDONTWRITEBYTECODE=1 \
    "$python" -m pytest -p no:cacheprovider -v -rs --tb=short --durations=10 \
    "$top/tests/integration" "$@" || failed="$failed integration"

if [ -n "$failed" ]; then
    say "FAILED:$failed"
    exit 1
fi
say "all tests passed"
