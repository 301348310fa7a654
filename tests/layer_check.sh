#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A folder includes only folders above it in the table of docs/design.md; the hooks and the
# parser include less than that: see allowed below.
set -u
cd "${TKT_SRCDIR:-.}" || exit 99
order=$(sed -n 's/^| \(common\/\)\{0,1\}\([a-z-]*\) |.*/\2/p' docs/design.md | grep -vx folder)
fail=0
edges=0

rank_of() {
    local n=0 f
    for f in $order; do
        n=$((n + 1))
        if [ "$f" = "$1" ]; then
            echo "$n"
            return
        fi
    done
}

# What a folder may include besides itself, where the order alone would allow more.
allowed() {
    case $1 in
    wire | conf) echo base wire ;;
    # conf: the struct of limits, no code of it
    message) echo base wire conf ;;
    decide) echo base wire message ;;
    parser) echo base wire conf message decide ;;
    train) echo base wire message decide ;;
    milter) echo base wire conf ;;
    *) echo "$order" ;;
    esac
}

for folder in $order; do
    dir=$folder
    [ -d "common/$folder" ] && dir=common/$folder
    [ -d "$dir" ] || continue
    mine=$(rank_of "$folder")
    may=" $(allowed "$folder" | tr '\n' ' ') $folder "
    while read -r file used; do
        edges=$((edges + 1))
        theirs=$(rank_of "$used")
        if [ -z "$theirs" ]; then
            echo "$file: includes $used/, which docs/design.md does not list"
            fail=1
        elif [ "$theirs" -gt "$mine" ] || [[ $may != *" $used "* ]]; then
            echo "$file: $folder may not use $used"
            fail=1
        fi
    done < <(grep -Hno '^#include "[a-z-]*/' "$dir" -r --include='*.[ch]' |
        sed 's/^\([^:]*:[0-9]*\):#include "\([a-z-]*\)\/$/\1 \2/')
done
# The same for the rooms of ticketd; what stands in ticketd itself is above them all.
order=$(sed -n 's/^| ticketd\/\([a-z]*\) |.*/\1/p' docs/design.md)
for room in ticketd/*/; do
    room=$(basename "$room")
    mine=$(rank_of "$room")
    if [ -z "$mine" ]; then
        echo "ticketd/$room: docs/design.md does not list this room"
        fail=1
        continue
    fi
    while read -r file used; do
        edges=$((edges + 1))
        theirs=$(rank_of "${used%/*}")
        if [ "${used%/*}" = "$used" ] || [ -z "$theirs" ] || [ "$theirs" -gt "$mine" ]; then
            echo "$file: ticketd/$room may not use ticketd/$used"
            fail=1
        fi
    done < <(grep -Hno '^#include "ticketd/[^"]*"' "ticketd/$room" -r --include='*.[ch]' |
        sed 's/^\([^:]*:[0-9]*\):#include "ticketd\/\([^"]*\)"$/\1 \2/')
done
if [ "$edges" -lt 200 ]; then
    echo "only $edges include lines were found: this check looks at nothing"
    fail=1
fi
exit $fail
