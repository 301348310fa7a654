#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The .svtest suite in Pigeonhole's own test program, which no distribution ships:
# PIGEONHOLE_TESTSUITE names it (src/testsuite/testsuite of a built Pigeonhole). It does not
# run as root and writes beside its scripts, so both happen elsewhere.
set -u
src=${TKT_SRCDIR:-.}
build=${TKT_BUILDDIR:-build}
[ -n "${PIGEONHOLE_TESTSUITE:-}" ] || {
    echo "SKIP: PIGEONHOLE_TESTSUITE does not name Pigeonhole's test program"
    exit 77
}
[ -x "$PIGEONHOLE_TESTSUITE" ] || { echo "FAIL: no program: $PIGEONHOLE_TESTSUITE"; exit 1; }
plugin=$build/.libs/lib90_sieve_vnd_ticket_plugin.so
[ -e "$plugin" ] || { echo "SKIP: the plugin was not built"; exit 77; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
cp -r "$src/sieve-ext/tests/svtest/." "$work"
cp "$plugin" "$PIGEONHOLE_TESTSUITE" "$work"
runner=$work/$(basename "$PIGEONHOLE_TESTSUITE")
as_nobody=()
if [ "$(id -u)" -eq 0 ]; then
    chown -R 65534:65534 "$work"
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
fi
fail=0
for suite in "$work"/*.svtest; do
    name=$(basename "$suite")
    (cd "$work" && HOME=$work USER=nobody "${as_nobody[@]}" "$runner" \
        -P "$work/sieve_vnd_ticket" "$name") >"$work/out" 2>&1
    rc=$?
    cat "$work/out"
    if [ $rc -ne 0 ] || ! grep -q 'PASS: ' "$work/out"; then
        echo "FAIL: $name"
        fail=1
    fi
done
exit $fail
