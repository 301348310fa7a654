/* SPDX-License-Identifier: BSD-2-Clause
 * The milter protocol on one connection: bytes in, steps of the filter, bytes out.
 *
 * Versions 2 to 6, as Postfix and Sendmail speak them. It knows no sockets: the caller
 * feeds what it read and sends what is in `out`. Packets are read where they lie, so a
 * batch of them costs no copy; a body chunk that gets no answer need not even be whole.
 * Edits and the answer to one message leave together.
 *
 * Bounds: a packet has at most TKT_PROTO_PACKET_MAX bytes after its length, macros at most
 * that a stage; `out` is handed to `send` once it holds TKT_PROTO_OUT_FLUSH bytes. Input
 * is hostile: what is not the protocol ends the connection. One thread at a time.
 */
#ifndef TKT_MILTER_PROTO_H
#define TKT_MILTER_PROTO_H
#include "base/buf.h"
#include "milter/session.h"

#include <stdint.h>
#include <sys/types.h>

/* Bytes of data behind a command: the protocol's limit, in both directions. */
#define TKT_PROTO_DATA_MAX 65535
#define TKT_PROTO_PACKET_MAX (1 + TKT_PROTO_DATA_MAX)
#define TKT_PROTO_LENGTH_BYTES 4
#define TKT_PROTO_OUT_FLUSH 65536
#define TKT_PROTO_STAGES 7

struct tkt_proto {
    struct tkt_milter *milter;
    struct tkt_session *session; /* NULL before the negotiation */
    unsigned long actions;       /* SMFIF_* in force */
    bool body_in_pieces;         /* body chunks get no answer */
    size_t body_left;            /* bytes of the chunk in hand that are to come */
    bool at_end;                 /* the filter is at the end of the message */
    bool broken;                 /* nothing can be sent any more */
    struct tkt_buf out;
    struct tkt_buf reply;                    /* for 'y', empty = none */
    struct tkt_buf macros[TKT_PROTO_STAGES]; /* name NUL value NUL ..., by SMFIM_* */
    /* The caller's: sends all of out and empties it (-1: the MTA is gone). */
    int (*send)(struct tkt_proto *p);
    /* The caller's: the thread may be kept waiting from here on. */
    void (*may_block)(struct tkt_proto *p);
};

void tkt_proto_init(struct tkt_proto *p, struct tkt_milter *milter);
void tkt_proto_release(struct tkt_proto *p);
/* Takes all whole packets in data. The number of bytes taken, or -1: the connection is over
 * (send `out` first). */
ssize_t tkt_proto_feed(struct tkt_proto *p, const char *data, size_t n);

/* Bytes that the packet beginning at data lacks, as far as can be told: 0 when it is whole,
 * or none. n > 0. */
size_t tkt_proto_missing(const char *data, size_t n);

#endif
