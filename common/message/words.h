/* SPDX-License-Identifier: BSD-2-Clause
 * The words of a text as numbers: do two subjects have anything in common, and a print of
 * a whole text that is near the print of a text that says nearly the same.
 *
 * A word is a run of letters and digits, without regard to case (ASCII, Latin-1, Greek,
 * Cyrillic); in scripts without blanks (CJK, kana, hangul) each two characters are one.
 * Ticket tags in brackets, numbers, and words of fewer than three letters (so reply prefixes)
 * are no words. Pure, linear, no memory; bounded by the maxima below. Malformed UTF-8
 * gives other words, never a fault.
 */
#ifndef TKT_MESSAGE_WORDS_H
#define TKT_MESSAGE_WORDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_WORDS_MAX 64         /* distinct words of a subject that are looked at */
#define TKT_PRINT_TEXT_MAX 2048  /* bytes of a text that its print is made of */
#define TKT_PRINT_WORDS_MIN 6    /* fewer say nothing */
#define TKT_PRINT_DISTANCE_MAX 8 /* of 64 bits: nearly the same text */

/* Both have words, and none is in both. */
bool tkt_words_disjoint(const char *a, const char *b);

/* A simhash of 64 bits; each word of the subject counts as two. 0: too few words. */
uint64_t tkt_print_make(const char *subject, const char *text);
/* In how many bits two prints differ. */
unsigned tkt_print_distance(uint64_t a, uint64_t b);

#endif
