/* SPDX-License-Identifier: BSD-2-Clause
 * What the strings of a `ticket` command may be, the same at compile time and at run time.
 * Pure libc.
 */
#ifndef TKT_SIEVE_WORDS_H
#define TKT_SIEVE_WORDS_H
#include <stdbool.h>
#include <stddef.h>

#define TKT_SIEVE_NAME_MAX 64  /* :desk, the name of a field */
#define TKT_SIEVE_TEXT_MAX 255 /* any other string */
#define TKT_SIEVE_ITEMS_MAX 32 /* :tags, :fields */
#define TKT_SIEVE_ALL_MAX 8192 /* bytes of all of them */

enum tkt_sieve_word {
    TKT_SIEVE_DESK,
    TKT_SIEVE_PRIORITY,
    TKT_SIEVE_TEXT,
    TKT_SIEVE_ADDRESS,
    TKT_SIEVE_TAG,
    TKT_SIEVE_FIELD
};

/* NULL when it is right, else what is wrong ("must be ..."). */
const char *tkt_sieve_word_check(enum tkt_sieve_word kind, const char *text, size_t n);
/* Finds the ticket IDs that stand in brackets ("[IT-12]") in text, from *at on: true with
 * the ID (without brackets) at id, id_len, and *at behind it. */
bool tkt_sieve_find_id(const char *text, size_t n, size_t *at, const char **id,
                       size_t *id_len);

#endif
