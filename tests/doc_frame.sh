# SPDX-License-Identifier: BSD-2-Clause
# What checks of the pages' samples share; sourced. $work is a folder that goes with the check,
# $fail what it exits with.
set -u
ticketd=${TKT_BUILDDIR:-build}/ticketd/ticketd
src=${TKT_SRCDIR:-.}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail=0
bad() {
    echo "FAIL: $*"
    fail=1
}

[ -x "$ticketd" ] || { echo "SKIP: ticketd is not built"; exit 77; }

# FILE: `ticketd -t` of it, with folders of ours and what `granted FILE` of the check prints;
# what it says is in $work/log.
try() {
    {
        cat "$1"
        printf 'intake_socket = "%s/in"\ncontrol_socket = "%s/ct"\n' "$work" "$work"
        printf 'store { path = "%s" }\n' "$work"
        granted "$1"
    } > "$work/try.conf"
    "$ticketd" -t -c "$work/try.conf" > "$work/log" 2>&1
}
