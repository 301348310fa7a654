#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ticketctl explain on the mails of tests/explain against what is expected of it; with
# --update the expectations are written anew (read the difference before it is committed).
# NAME.args are further arguments, NAME.json is the answer.
set -u
ctl=${TKT_BUILDDIR:-build}/ticketctl/ticketctl
src=${TKT_SRCDIR:-.}
[ -x "$ctl" ] || { echo "SKIP: not built"; exit 77; }
cd "$src/tests/explain" || exit 99
case $ctl in /*) ;; *) ctl=$OLDPWD/$ctl ;; esac
out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT
fail=0 count=0
for mail in *.eml; do
    name=${mail%.eml}
    read -ra args <"$name.args"
    if ! "$ctl" -c explain.conf --json explain --offline "${args[@]}" "$mail" \
        >"$out/$name.json" 2>"$out/err"; then
        echo "FAIL: $name: $(cat "$out/err")"
        fail=1
    elif [ "${1:-}" = --update ]; then
        cp "$out/$name.json" "$name.json"
    elif ! diff -u "$name.json" "$out/$name.json"; then
        echo "FAIL: $name"
        fail=1
    fi
    # for people: nothing of the mail steers the terminal, and it is told in lines of ours
    "$ctl" -c explain.conf explain --offline "${args[@]}" "$mail" >"$out/text" || fail=1
    if LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$out/text"; then
        echo "FAIL: $name: control characters"
        fail=1
    fi
    count=$((count + 1))
done
[ $count -ge 9 ] || { echo "FAIL: only $count mails"; fail=1; }

# Without a configuration, from standard input, and with input that is none.
"$ctl" -c /nonexistent explain plain.eml 2>/dev/null && { echo "FAIL: -c"; fail=1; }
"$ctl" explain - <plain.eml | grep -q 'IT-N' || { echo "FAIL: standard input"; fail=1; }
"$ctl" explain "$out/none.eml" 2>/dev/null
[ $? -eq 66 ] || { echo "FAIL: no such file"; fail=1; }
: >"$out/empty"
"$ctl" explain "$out/empty" plain.eml >"$out/two" 2>/dev/null
[ $? -eq 65 ] || { echo "FAIL: an empty file"; fail=1; }
grep -q '^plain.eml' "$out/two" || { echo "FAIL: one bad file stops the others"; fail=1; }
exit $fail
