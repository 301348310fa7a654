/* SPDX-License-Identifier: BSD-2-Clause
 * What a learned model sees of a text: its words and pairs of words, and the 2 to 5
 * characters long pieces of its words, each as a 32-bit hash. Private to common/decide,
 * the trainer and their tests; pure.
 *
 * The text is folded first (NFKC, case folding; ASCII has a path of its own): letters,
 * marks and digits stay, everything else becomes one blank between words. So every feature
 * is a piece of the folded text, and a person can be shown it.
 *
 * At most TKT_FEATURES_TEXT_MAX bytes of a text are looked at, and of a word at most
 * TKT_FEATURES_WORD_MAX folded bytes: what follows counts for nothing. Broken UTF-8 parts
 * words. The struct belongs to one thread; it may be used again and keeps its memory.
 */
#ifndef TKT_DECIDE_FEATURES_H
#define TKT_DECIDE_FEATURES_H
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define TKT_FEATURES_TEXT_MAX (16 * 1024)
#define TKT_FEATURES_WORD_MAX 64
#define TKT_FEATURES_FOLDED_MAX (4 * TKT_FEATURES_TEXT_MAX)
#define TKT_FEATURES_PIECE_MIN 2 /* characters, the blank at a word's ends included */
#define TKT_FEATURES_PIECE_MAX 5

enum tkt_view { /* each has length 1 of its own, so that none drowns the other */
    TKT_VIEW_WORDS,
    TKT_VIEW_PIECES,
    TKT_VIEW_COUNT
};

struct tkt_feature {
    uint32_t hash;
    uint32_t at; /* in folded */
    uint16_t len;
    uint8_t view; /* enum tkt_view */
    uint8_t zone; /* which add() it came from: the caller's number */
};

struct tkt_features {
    struct tkt_buf folded;
    struct tkt_feature *items;
    size_t count;
    size_t cap;
};

#define TKT_FEATURES_INIT                                                                \
    {                                                                                    \
        TKT_BUF_INIT(TKT_FEATURES_FOLDED_MAX), NULL, 0, 0                                \
    }

void tkt_features_release(struct tkt_features *f);
void tkt_features_reset(struct tkt_features *f);
/* Appends the features of a text; pairs of words do not reach from one text into the next.
 * -1: no memory. */
int tkt_features_add(struct tkt_features *f, const char *text, size_t n, uint8_t zone);

#endif
