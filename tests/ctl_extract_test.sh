#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ticketctl extract: lists the attachments of the golden mails, and gives each of them out
# with the size and hash that it was listed with.
set -u
ctl=${TKT_BUILDDIR:-build}/ticketctl/ticketctl
src=${TKT_SRCDIR:-.}
[ -x "$ctl" ] || { echo "SKIP: ticketctl is not built"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
fail=0
count=0
bad() {
    echo "FAIL: $*"
    fail=1
}

for mail in "$src"/tests/golden/*.eml; do
    [ -s "$mail" ] || continue
    "$ctl" --json extract "$mail" >"$dir/list" || bad "$mail: list"
    while IFS=$'\t' read -r part size hash; do
        "$ctl" extract "$mail" "$part" >"$dir/content" || bad "$mail: $part"
        [ "$(stat -c %s "$dir/content")" = "$size" ] || bad "$mail: $part: size"
        [ "$(sha256sum <"$dir/content" | cut -d' ' -f1)" = "$hash" ] ||
            bad "$mail: $part: hash"
        count=$((count + 1))
    done < <(/usr/bin/python3 -c '
import json, sys
for a in json.load(sys.stdin):
    print(a["part"], a["size"], a["sha256"], sep="\t")' <"$dir/list")
done
[ $count -ge 20 ] || bad "only $count attachments in the golden mails"

mail=$src/tests/golden/mixed-attachments.eml
"$ctl" extract - 3 <"$mail" | grep -q . || bad "standard input"
"$ctl" extract -o "$dir/out" "$mail" 3 && [ -s "$dir/out" ] || bad "-o"
"$ctl" extract -o "$dir/out" "$mail" 3 2>/dev/null && bad "-o of a file that exists"
"$ctl" extract -o "$dir/none" "$mail" 77 2>"$dir/err"
[ $? -eq 65 ] || [ -s "$dir/err" ] || bad "a part that is not there"
[ ! -e "$dir/none" ] || bad "a file was left for a part that is not there"
"$ctl" extract "$dir/nosuch" 2>/dev/null
[ $? -eq 66 ] || bad "a mail that is not there"
"$ctl" extract "$mail" | grep -q 'logo.png' || bad "table"
[ $fail -eq 0 ] && echo "$count attachments extracted as they were listed"
exit $fail
