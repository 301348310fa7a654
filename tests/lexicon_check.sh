#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The table of words that is compiled is the one that the lexicon gives.
set -u
cd "${TKT_SRCDIR:-.}/common/decide" || exit 99
[ -x /usr/bin/python3 ] || { echo "SKIP: no python3"; exit 77; }
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 lexicon.py lexicon.txt | diff lexicon_table.h - && exit 0
echo "common/decide/lexicon_table.h is not made of lexicon.txt: run lexicon.py"
exit 1
