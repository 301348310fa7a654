/* SPDX-License-Identifier: BSD-2-Clause
 * Text as rules compare it: without case and width, composed letters apart (NFKD and case
 * folding of each character by itself), any run of white space one blank, invisible
 * characters gone, typographic quotes and dashes plain. Private to common/decide.
 *
 * What a text folds to is what its characters fold to, one behind the other (white space
 * aside): if an expression found a literal in a text, the folded literal is in the folded
 * text. That is what makes literals safe to look for first.
 *
 * The table is made once and then constant; any thread. Input is valid UTF-8; what is not
 * is copied as it is. A text grows at most TKT_WORDFOLD_GROWTH times.
 */
#ifndef TKT_DECIDE_WORDFOLD_H
#define TKT_DECIDE_WORDFOLD_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_WORDFOLD_GROWTH 18

struct tkt_wordfold;

struct tkt_wordfold *tkt_wordfold_new(void); /* NULL: memory */
void tkt_wordfold_free(struct tkt_wordfold **fold);
/* Appends s folded, blanks at its ends too. -1: out is full. */
int tkt_wordfold_add(const struct tkt_wordfold *fold, const char *s, size_t n,
                     struct tkt_buf *out);
/* Whether a character (of folded text, at p up to end; before p down to start) is part of a
 * word: a letter, mark or digit of a script that parts words by blanks. */
bool tkt_wordfold_is_word_at(const char *p, const char *end);
bool tkt_wordfold_is_word_before(const char *p, const char *start);
/* The length of the character at p. */
size_t tkt_wordfold_char(const char *p, const char *end);

#endif
