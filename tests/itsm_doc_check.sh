#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each section that docs/itsm.md shows is one that `ticketd -t` takes as it stands, and each
# type has one; what a start would refuse, the test of a configuration refuses.
# shellcheck source=tests/doc_frame.sh
. "${TKT_SRCDIR:-.}/tests/doc_frame.sh"

# Blocks of code that hold a section, a file each; "..." stands for what was said before.
awk -v dir="$work" '
    /^    (itsm|webhook) .*\{$/ && !open { open = 1; file = dir "/" ++n ".conf" }
    open && /^    [ ]*\.\.\.$/ { told = 1; next }
    open && /^    / { print substr($0, 5) > file; next }
    open { open = 0; if (told) { system("rm -f " file) } told = 0; close(file) }
' "$src/docs/itsm.md"

granted() { # FILE: a desk for each of its ITSMs
    i=0
    sed -n 's/^itsm "\([^"]*\)".*/\1/p' "$1" | while read -r name; do
        i=$((i + 1))
        printf 'desk "d%d" {\n    addresses = {"d%d@example.org"}\n' $i $i
        printf '    prefix = "D%s"\n    itsm = "%s"\n}\n' "$(echo $i | tr 1-9 A-I)" "$name"
    done
}

count=0
for f in "$work"/[0-9]*.conf; do
    grep -q '^itsm ' "$f" || continue
    count=$((count + 1))
    try "$f" || { bad "docs/itsm.md shows a section that is refused:"; cat "$f" "$work/log"; }
done
[ "$count" -ge 14 ] || bad "docs/itsm.md shows $count sections only"

for type in $(sed -n '/^| type | what it is/,/^$/s/^| \([a-z, ]*\) | .*/\1/p' \
    "$src/docs/itsm.md" | tr -d ',' | sed 's/^type$//'); do
    [ "$type" = local ] || [ "$type" = freshdesk ] || [ "$type" = otobo ] ||
        grep -qs "type = \"$type\"" "$work"/[0-9]*.conf ||
        bad "docs/itsm.md shows no section of type $type"
done

# Nor is anything taken that the start would refuse.
printf 'itsm "x" {\n    type = "rt"\n    url = "https://rt.example.org"\n%s%s' \
    '    secret = "file:/secret"' $'\n    options = {"nonsense=1"}\n}\n' > "$work/odd.conf"
try "$work/odd.conf" && bad "ticketd -t takes an option that no type has"
grep -q 'nonsense' "$work/log" || { bad "ticketd -t does not say what is wrong"; cat "$work/log"; }

exit $fail
