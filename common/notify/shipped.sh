#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shipped.sh FOLDER: the texts below FOLDER (LANGUAGE/NAME.KIND) as a C table, so that the
# program has them wherever it runs.
set -eu
cd "$1"
cat << 'END'
/* Made by shipped.sh of conf/templates. */
#include "notify/text.h"

const struct tkt_notice_shipped tkt_notice_shipped[] = {
END
for f in */*.txt */*.html; do
    printf '    {"%s",\n' "$f"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/.*/     "&\\n"/' "$f"
    printf '    },\n'
done
cat << 'END'
    {0, 0}};
END
