/* SPDX-License-Identifier: BSD-2-Clause
 * What a text must hold before an expression or glob can match it: a list of literals of
 * which one is in every match. Private to common/decide.
 *
 * Read from the pattern with care: what is not understood gives no list, never a wrong one.
 * Literals come out folded (decide/wordfold.h).
 */
#ifndef TKT_DECIDE_LITERALS_H
#define TKT_DECIDE_LITERALS_H
#include "decide/wordfold.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_LITERALS_MAX 128 /* of one pattern */
#define TKT_LITERAL_MIN 2    /* bytes; shorter ones are in every text */
#define TKT_LITERAL_MAX 64   /* bytes; a longer one is cut */

struct tkt_literals {
    char (*items)[TKT_LITERAL_MAX + 1]; /* malloc */
    size_t count;                       /* 0: any text may match */
};

/* -1: memory. */
int tkt_literals_of_regex(const struct tkt_wordfold *fold, const char *pattern,
                          struct tkt_literals *out);
/* The glob is folded already. */
int tkt_literals_of_glob(const char *glob, struct tkt_literals *out);
void tkt_literals_release(struct tkt_literals *literals);

#endif
