/* SPDX-License-Identifier: BSD-2-Clause
 * Content-Transfer-Encodings, decoded piece by piece.
 *
 * The decoders take whatever bytes come and never fail. base64 goes on behind a padding
 * in the middle (GMime 3.2.13 stops there, which hides text from us that every mail
 * program shows), passes over what is no digit and does without padding at its end.
 * libc only; a struct belongs to one thread.
 */
#ifndef TKT_MESSAGE_TRANSFER_H
#define TKT_MESSAGE_TRANSFER_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_TRANSFER_HELD_MAX 128

enum tkt_transfer_kind {
    TKT_TRANSFER_IDENTITY,
    TKT_TRANSFER_BASE64,
    TKT_TRANSFER_QP,
    TKT_TRANSFER_UU
};

struct tkt_transfer {
    enum tkt_transfer_kind kind;
    enum tkt_transfer_state {
        TKT_TRANSFER_RUN,   /* decode */
        TKT_TRANSFER_START, /* hold the first bytes: are they base64 at all? */
        TKT_TRANSFER_TAIL,  /* hold the line behind a padding: is it? */
        TKT_TRANSFER_LINE,  /* hold what may be a line that a list drew */
        TKT_TRANSFER_COPY,  /* they are not: as they stand */
        TKT_TRANSFER_STOP   /* ... or not at all */
    } state;
    bool is_text;
    unsigned watches;   /* base64: paddings behind which a tail is still looked for */
    bool is_line_begun; /* base64: a line end was read last */
    unsigned bits;      /* base64: digits not yet written */
    unsigned count;     /* ... how many; QP: bytes held */
    size_t held_len;
    char held[TKT_TRANSFER_HELD_MAX];
};

/* The kind a Content-Transfer-Encoding value names; unknown ones are identity. */
enum tkt_transfer_kind tkt_transfer_kind_of(const char *value);
void tkt_transfer_init(struct tkt_transfer *t, enum tkt_transfer_kind kind);
/* For the body of a part. Some mailers declare base64 and send plain text: that is taken
 * as it stands. Some lists add lines of text behind base64: those are taken as they stand
 * where the part is text, and left out of anything else. */
void tkt_transfer_init_body(struct tkt_transfer *t, enum tkt_transfer_kind kind,
                            bool is_text);
/* Appends what n bytes decode to. Returns 0, or -1 as soon as out holds out->max bytes
 * (then it is full, not failed). */
int tkt_transfer_feed(struct tkt_transfer *t, const void *data, size_t n,
                      struct tkt_buf *out);
/* A digit of base64, or padding. */
bool tkt_transfer_is_base64(char c);
/* What is still held at the end of the part. */
int tkt_transfer_end(struct tkt_transfer *t, struct tkt_buf *out);

#endif
