#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The schema's rows, ticket-milter.conf(5) and the sample name the same keys with the same
# defaults, ranges and reload marks; both samples load; manual pages pass mandoc's lint.
set -u
src=${TKT_SRCDIR:-.}
build=${TKT_BUILDDIR:-.}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "FAIL: $*"
    failed=1
}

# SECTION KEY DEFAULT of each commented key; of others the default is not looked at.
sample_keys() {
    awk '
        /^[a-z]+ .*\{$/ { section = $1; next }
        /^\}$/ { section = "-"; next }
        BEGIN { section = "-" }
        /^ *#?[a-z_]+ \+?= / {
            line = $0
            sub(/^ */, "", line)
            set = (line !~ /^#/)
            sub(/^#/, "", line)
            key = line
            sub(/ .*/, "", key)
            sub(/^[a-z_]+ = /, "", line)
            print section "\t" key "\t" (set ? "*" : line)
        }' "$1"
}

# SECTION KEY FACTS of each key of the page: the lines from "Type:" to the next macro.
page_keys() {
    awk '
        function flush() {
            if (key != "") print section "\t" key "\t" facts
            key = ""; facts = ""; infacts = 0
        }
        /^\.Sh KEYS/ { inkeys = 1; next }
        /^\.Sh / { flush(); inkeys = 0 }
        !inkeys { next }
        /^\.Ss / { flush(); section = ($2 == "Top" ? "-" : $2); next }
        /^\.It Ic / { flush(); key = $3; next }
        /^\./ { if (facts != "") flush(); next }
        /^Type: / { infacts = 1 }
        infacts { facts = facts (facts == "" ? "" : " ") $0 }
        END { flush() }' "$1" | sed 's/\\e/\\/g'
}

"$build/tests/conf_rows" sample > "$work/rows.sample" || exit 1
"$build/tests/conf_rows" man > "$work/rows.man" || exit 1
[ "$(wc -l < "$work/rows.man")" -gt 50 ] || complain "conf_rows prints too little"

sample_keys "$src/conf/ticket-milter.conf" > "$work/sample"
awk -F '\t' -v OFS='\t' 'NR == FNR { if ($3 == "*") set[$1 "\t" $2] = 1; next }
    ($1 "\t" $2) in set { $3 = "*" } { print }' "$work/sample" "$work/rows.sample" \
    > "$work/rows.sample.set"
sort "$work/sample" > "$work/sample.sorted"
sort "$work/rows.sample.set" > "$work/rows.sorted"
diff -u "$work/rows.sorted" "$work/sample.sorted" ||
    complain "conf/ticket-milter.conf and the rows differ (- row, + sample)"

page_keys "$src/man/ticket-milter.conf.5" | sort > "$work/page"
sort "$work/rows.man" > "$work/rows.man.sorted"
diff -u "$work/rows.man.sorted" "$work/page" ||
    complain "man/ticket-milter.conf.5 and the rows differ (- row, + page)"

for f in ticket-milter.conf ticket-milter.conf.minimal; do
    "$build/tests/conf_rows" load "$src/conf/$f" || complain "conf/$f does not load"
done

if command -v mandoc > /dev/null 2>&1; then
    for page in "$src"/man/*.[1-8]; do
        mandoc -T lint -W warning "$page" || complain "$page has lint"
    done
else
    echo "SKIP: lint of manual pages: mandoc is not installed"
fi
[ "$failed" -eq 0 ] && echo "rows, sample and manual page agree"
exit "$failed"
