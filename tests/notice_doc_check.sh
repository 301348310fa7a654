#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The sections that docs/notifications.md, sla.md and metrics.md show are taken by
# `ticketd -t`, all of a page in one file; each type of channel and of sink has one there.
# shellcheck source=tests/doc_frame.sh
. "${TKT_SRCDIR:-.}/tests/doc_frame.sh"

sections() { # PAGE: its blocks that begin with a section
    awk '
        !open && /^    [a-z]+ ("[^"]*" )?\{/ && !/^    server/ { open = 1 }
        open && /^    / { print substr($0, 5); next }
        { open = 0 }
    ' "$src/docs/$1.md"
}

has() { # FILE KIND TITLE
    grep -q "^$2 \"$3\"" "$1"
}

granted() { # FILE: what the page takes for granted
    printf 'desk "it" { addresses = {"support@example.org"} prefix = "IT" }\n'
    has "$1" calendar office || printf 'calendar "office" { }\n'
    has "$1" channel chat ||
        printf 'channel "chat" { type = "teams" secret = "file:/secret" }\n'
}

least() { # PAGE NUMBER
    sections "$1" > "$work/$1.conf"
    n=$(grep -c '^[a-z]* ["{]' "$work/$1.conf")
    [ "$n" -ge "$2" ] || bad "docs/$1.md shows $n sections only"
    try "$work/$1.conf" || { bad "docs/$1.md shows what is refused:"; cat "$work/log"; }
}

least notifications 14
least sla 8
least metrics 2

sed -i 's/type = "mail"/type = "male"/' "$work/notifications.conf"
try "$work/notifications.conf" && bad "what is wrong on a page is taken"

for type in $(sed -n '/^| type | to | /,/^$/s/^| \([a-z]*\) | .*/\1/p' \
    "$src/docs/notifications.md" | grep -v '^type$\|^mail$'); do
    grep -q "type = \"$type\"" "$work/notifications.conf" ||
        bad "docs/notifications.md shows no channel of type $type"
done

exit $fail
