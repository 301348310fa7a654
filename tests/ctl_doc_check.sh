#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The command table of ticketctl, its man page and its bash completion say the same.
set -u
ctl=${TKT_BUILDDIR:-build}/ticketctl/ticketctl
src=${TKT_SRCDIR:-.}
page=$src/man/ticketctl.1
fail=0
bad() {
    echo "FAIL: $*"
    fail=1
}

[ -x "$ctl" ] || { echo "SKIP: ticketctl is not built"; exit 77; }
"$ctl" help --rows >/dev/null || bad "help --rows"

# Every row and option stands in the page, and the page knows no other.
rows=$(mktemp) && trap 'rm -f "$rows"' EXIT
"$ctl" help --rows >"$rows"
while IFS=$'\t' read -r name _ _ options; do
    if [ "$name" != '*' ]; then
        grep -qE "^\.It Ic $name( |\$)" "$page" || bad "man page: no entry for $name"
        "$ctl" help $name >/dev/null || bad "help $name"
    fi
    [ "$options" != - ] || options=
    for option in $options; do
        # --dry-run is written "Fl -dry-run" in mdoc
        grep -qE "Fl ${option#-}( |,|\$)" "$page" || bad "man page: $name: no $option"
    done
done <"$rows"
while read -r name; do
    cut -f1 "$rows" | grep -qx "$name" || bad "man page: $name is no command"
done < <(sed -nE 's/^\.It Ic ([a-z-]+( (list|show|retry|park|drop|edit|test|dump|lookup|flush|away|back|train|retrain|rollback|predict|optout|preview|moved))?)( .*)?$/\1/p' \
    "$page")
while read -r option; do
    cut -f4 "$rows" | tr ' ' '\n' | grep -qx -- "$option" ||
        bad "man page: $option is no option"
done < <(grep -oE 'Fl -[a-z-]+' "$page" | sed 's/^Fl /-/' | sort -u)

# The page's synopsis of a row is the row's.
while IFS=$'\t' read -r name args _ _; do
    [ "$name" = '*' ] && continue
    [ "$args" != - ] || args=
    "$ctl" help $name | head -1 | grep -qF "usage: ticketctl $name${args:+ $args}" ||
        bad "help $name: synopsis"
done <"$rows"

"$ctl" help --bash-completion | cmp -s - "$src/packaging/completion/ticketctl.bash" ||
    bad "packaging/completion/ticketctl.bash: make it anew: ticketctl help --bash-completion"
bash -n "$src/packaging/completion/ticketctl.bash" || bad "completion: syntax"

# The completion at work: words in, words out.
complete_words() {
    bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ticketctl
        echo "${COMPREPLY[*]}"' _ "$src/packaging/completion/ticketctl.bash" "$@"
}
expect() {
    local want=$1
    shift
    got=$(complete_words "$@")
    [ "$got" = "$want" ] || bad "completion of '$*': '$got', not '$want'"
}
expect "queue" ticketctl qu
expect "list show retry park drop edit" ticketctl queue ""
expect "retry" ticketctl queue r
expect "replay resolve reopen restore reload" ticketctl -c /dev/null re
expect "--state" ticketctl list --st
expect "parked" ticketctl queue list --state pa
expect "pending" ticketctl list --state pe
expect "--changed" ticketctl config dump --ch
expect "merge" ticketctl help mer

if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$page" || bad "mandoc"
else
    echo "SKIP: mandoc is not installed: the page is not linted"
fi
exit $fail
