/* SPDX-License-Identifier: BSD-2-Clause
 * What must not leave with a text: card numbers, IBANs, passwords, configured patterns.
 *
 * A copy is made; the original is nobody's business here. Card numbers are digits that
 * pass Luhn's test and begin as the issuers' do, written in one or in groups; a number
 * that its line calls an order, an invoice or the like is none unless it is grouped as on
 * a card. IBANs have their country's length and the right check digits. Passwords are
 * what stands behind the words for them in some twenty languages, and in URLs.
 * Patterns: '#' is a digit, '@' a letter, '?' any character but a blank, '*' any number of
 * those, a blank one or more blanks, '\' takes the next as it is; letters match in both
 * cases. They match whole words: no letter or digit before or behind.
 *
 * Linear in the text (a constant number of steps a byte and pattern), no regular
 * expressions, no allocation but out; libc only. Runs in the parser children.
 */
#ifndef TKT_MESSAGE_REDACT_H
#define TKT_MESSAGE_REDACT_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_REDACT_GROWTH 16 /* out needs at most so many times the text, and 64 bytes */

struct tkt_redact_rules {
    bool cards;
    bool ibans;
    bool passwords;
    const char *const *patterns;
    size_t pattern_count;
};

/* Appends text (UTF-8) with what the rules name replaced by what it was in brackets.
 * *count, if not NULL: how often. -1 when out does not take it: nothing may leave then. */
int tkt_redact_add(struct tkt_buf *out, const char *text, size_t n,
                   const struct tkt_redact_rules *rules, size_t *count);
#endif
