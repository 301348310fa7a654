#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is learned from real collections does not get worse: one part of each, with a floor
# a little below what docs/classification.md tells. They lie in $TKT_DATA/classify, in
# $TKT_DATA itself, or beside the source tree; without them the test is skipped.
set -u
src=$(cd "${TKT_SRCDIR:-.}" && pwd)
score=$(cd "${TKT_BUILDDIR:-.}" && pwd)/tests/decide/classify_score
data=
for dir in "${TKT_DATA:-/nonexistent}/classify" "${TKT_DATA:-/nonexistent}" \
    "$src/../shared/data/classify"; do
    if [ -f "$dir/banking77-train.csv" ] && [ -f "$dir/clinc150-train.csv" ]; then
        data=$dir
        break
    fi
done
[ -n "$data" ] || {
    echo "SKIP: no collections: neither TKT_DATA nor ../shared/data has them"
    exit 77
}
fail=0
timeout 500 "$score" once "$data/banking77-train.csv" 10 floor=88 || fail=1
timeout 500 "$score" split "$data/clinc150-train.csv,$data/clinc150-oos-train.csv" \
    "$data/clinc150-val.csv,$data/clinc150-oos-val.csv" floor=92.5 || fail=1
exit $fail
