#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ticketd(8) and ticket-milter(8) name every option of their program and every event that
# it logs, and no event that it does not.
set -u
src=${TKT_SRCDIR:-.}
build=${TKT_BUILDDIR:-.}
failed=0

complain() {
    echo "FAIL: $*"
    failed=1
}

# Events are the words with a dot among the texts of a call of tkt_log().
events() {
    cat "$@" | tr '\n' ' ' | grep -oE 'tkt_log\([^;]*;' | grep -oE '"[a-z]+\.[a-z_]+"' |
        tr -d '"' | sort -u
}

documented() {
    sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/p' "$1" |
        sed -n 's/^\.It Cm //p' | grep -oE '[a-z]+\.[a-z_]+' | sort -u
}

check() {
    local program=$1 page=$2 folder=$3 made_elsewhere=$4 option
    if [ ! -x "$build/$folder/$program" ]; then
        echo "SKIP: $program is not built"
        return
    fi
    [ "$(events $(find "$src/$folder" -name "*.c") | wc -l)" -gt 10 ] || complain "$folder: no events found"
    diff <(events $(find "$src/$folder" -name "*.c")) <(documented "$page" | grep -vxE "$made_elsewhere") ||
        complain "$page: its events are not those of $folder (< code, > page)"
    for option in $("$build/$folder/$program" --help | grep -oE -- '--[a-z-]+'); do
        grep -qE -- "Fl (-|Fl )${option#--}( |\$)" "$page" || complain "$page: no $option"
    done
}

# The latter are put together at run time.
check ticketd "$src/man/ticketd.8" ticketd \
    'ticket\.(created|existing|appended|pending|refused)|hold\.confirm'
check ticket-milter "$src/man/ticket-milter.8" milter 'none'
exit $failed
