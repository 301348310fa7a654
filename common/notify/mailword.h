/* SPDX-License-Identifier: BSD-2-Clause
 * Words of header fields: encoded (RFC 2047) only where they must be, folded at 78.
 * Private to common/notify. Pure. All return 0, or -1 when out is full.
 */
#ifndef TKT_NOTIFY_MAILWORD_H
#define TKT_NOTIFY_MAILWORD_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* One line of valid UTF-8: controls and runs of blanks become one blank, cut at max bytes
 * between characters; none at its ends. */
int tkt_mail_clean(const char *text, size_t max, struct tkt_buf *out);
/* "Name: " and the text, folded. clean text only. */
int tkt_mail_add_text(struct tkt_buf *out, const char *name, const char *text);
/* "Name: " and words that are parted by blanks, as they are, folded: addresses, ids. */
int tkt_mail_add_words(struct tkt_buf *out, const char *name, const char *words);
/* "Name: phrase <address>". */
int tkt_mail_add_mailbox(struct tkt_buf *out, const char *name, const char *phrase,
                         const char *address);
/* A parameter "; name=value" of RFC 2045, by RFC 2231 where it is not ASCII. */
int tkt_mail_add_param(struct tkt_buf *out, const char *name, const char *value);
/* A msg-id without its brackets. */
bool tkt_mail_id_ok(const char *id, size_t n);

#endif
