/* SPDX-License-Identifier: BSD-2-Clause
 * Our tag in a Subject: where it is, where it goes, what remains without it.
 *
 * A tag is "[" PREFIX "-" digits "]" in plain ASCII with the prefix of a desk, without
 * regard to case. It counts only outside encoded-words (RFC 2047); whether an
 * encoded-word hides one is a separate question. Values may hold anything: folds, NULs,
 * 8-bit bytes. Pure functions, linear in the length, no memory of their own.
 */
#ifndef TKT_TICKETD_SUBJECT_H
#define TKT_TICKETD_SUBJECT_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_SUBJECT_PREFIXES_MAX 1024

/* The desks' prefixes ("IT", "HR"); borrowed. */
struct tkt_prefixes {
    const char *const *items;
    size_t count;
};

/* The next own tag at or after from: true with its place (both brackets included). */
bool tkt_subject_find_tag(const struct tkt_prefixes *own, const char *value, size_t len,
                          size_t from, size_t *at, size_t *tag_len);
/* Where a tag belongs: behind leading blanks and reply prefixes (Re:, AW:, WG: ...). */
size_t tkt_subject_tag_place(const char *value, size_t len);
/* Length of the blanks and folds behind a tag. A tag is put before text only, never
 * before blanks: so taking it away with all of them gives the field as it was. */
size_t tkt_subject_gap(const char *value, size_t len, size_t at);
/* True when decoding the encoded-words shows "[id]". Q and B; the charset is not looked
 * at, so it holds for charsets that contain ASCII. */
bool tkt_subject_hides_tag(const char *value, size_t len, const char *id);
/* Appends value without any own tag and the gap behind it. Returns 0 or -1 (out full). */
int tkt_subject_strip(const struct tkt_prefixes *own, const char *value, size_t len,
                      struct tkt_buf *out);

#endif
