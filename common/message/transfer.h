/* SPDX-License-Identifier: BSD-2-Clause
 * Content-Transfer-Encodings, decoded piece by piece.
 *
 * base64 goes on behind a padding in the middle (GMime 3.2.13 stops there, which hides
 * text from us that every mail program shows); both decoders take whatever bytes come
 * and never fail. libc only; a struct belongs to one thread.
 */
#ifndef TKT_MESSAGE_TRANSFER_H
#define TKT_MESSAGE_TRANSFER_H
#include "base/buf.h"

#include <stddef.h>

enum tkt_transfer_kind {
    TKT_TRANSFER_IDENTITY,
    TKT_TRANSFER_BASE64,
    TKT_TRANSFER_QP
};

struct tkt_transfer {
    enum tkt_transfer_kind kind;
    unsigned bits;  /* base64: digits not yet written */
    unsigned count; /* ... how many; QP: bytes held */
    char held[4];   /* QP: an escape that may go on in the next piece */
};

/* The kind a Content-Transfer-Encoding value names; unknown ones are identity. */
enum tkt_transfer_kind tkt_transfer_kind_of(const char *value);
void tkt_transfer_init(struct tkt_transfer *t, enum tkt_transfer_kind kind);
/* Appends what n bytes decode to. Returns 0, or -1 as soon as out holds out->max bytes
 * (then it is full, not failed). */
int tkt_transfer_feed(struct tkt_transfer *t, const void *data, size_t n,
                      struct tkt_buf *out);
/* What is still held at the end of the part. */
int tkt_transfer_end(struct tkt_transfer *t, struct tkt_buf *out);

#endif
