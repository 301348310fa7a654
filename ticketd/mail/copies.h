/* SPDX-License-Identifier: BSD-2-Clause
 * Whether two messages of one head key are copies: a list footer, a disclaimer or a
 * banner makes another body of the same mail.
 *
 * A text is the canonical body as the message key sees it (ticketd/mail/canon.h), kept as the
 * hashes and lengths of its lines. Two texts are copies when one holds at least 90 % of
 * the other's bytes, line by line, each line counted as often as it occurs. Up to 1 MiB
 * of text or 65,536 lines are kept; beyond that only equal texts are copies. Input comes
 * in any chunking. Owner: the caller; one thread at a time.
 */
#ifndef TKT_TICKETD_COPIES_H
#define TKT_TICKETD_COPIES_H
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_COPIES_TEXT_MAX (1024 * 1024)
#define TKT_COPIES_LINES_MAX 65536
#define TKT_COPIES_PERCENT 90

struct tkt_copies_text;

/* NULL when out of memory. */
struct tkt_copies_text *tkt_copies_new(void);
void tkt_copies_add(struct tkt_copies_text *text, const void *raw, size_t n);
/* Ends the message; idempotent. is_copy ends both by itself. */
void tkt_copies_final(struct tkt_copies_text *text);
void tkt_copies_free(struct tkt_copies_text **text);
/* Symmetric. */
bool tkt_copies_is_copy(struct tkt_copies_text *a, struct tkt_copies_text *b);
/* The whole message of fd (pread from 0 to size) into text. -1: TEMP, unreadable. */
int tkt_copies_add_fd(struct tkt_copies_text *text, int fd, uint64_t size,
                      struct tkt_err *err);

#endif
