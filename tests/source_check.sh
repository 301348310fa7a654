#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every source file names its licence, holds one subject (no file above 900 lines), and is
# formatted by clang-format 14 with the tree's .clang-format.
set -u
cd "${TKT_SRCDIR:-.}" || exit 99
fail=0
files=$(find common parser ticketd milter ticketctl tests \( -name '*.[ch]' -o -name '*.py' \
    -o -name '*.sh' -o -name '*.lua' -o -name 'Makefile.inc' \) -not -path '*/build*' | sort)
for f in $files; do
    if ! head -3 "$f" | grep -q 'SPDX-License-Identifier: BSD-2-Clause'; then
        echo "$f: no SPDX-License-Identifier line at the top"
        fail=1
    fi
    lines=$(wc -l <"$f")
    if [ "$lines" -gt 900 ]; then
        echo "$f: $lines lines: split it by subject"
        fail=1
    fi
done
cf=$(command -v clang-format-14 || command -v clang-format)
if [ -n "$cf" ] && "$cf" --version | grep -q 'version 14\.'; then
    # shellcheck disable=SC2046
    "$cf" --dry-run -Werror $(echo "$files" | grep '\.[ch]$') || fail=1
else
    echo "SKIP: formatting is not checked: clang-format 14 is not installed"
fi
exit $fail
