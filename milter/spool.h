/* SPDX-License-Identifier: BSD-2-Clause
 * One message on its way in: small ones in a memfd, larger ones in an unnamed file.
 *
 * The canonical message has CRLF line ends and, on top, a Received field of our own, so
 * that what follows is byte for byte what the client sent (DKIM signatures verify on it).
 * Owner: the session; release closes the descriptor. One thread at a time. At most
 * `limit` bytes are kept: the rest is counted, not kept, and `oversize` is set (ticketd
 * sees a message above its own limit and says what happens). Memory: memory_max bytes in
 * the memfd plus TKT_SPOOL_BUFFER while a message is being written.
 */
#ifndef TKT_MILTER_SPOOL_H
#define TKT_MILTER_SPOOL_H
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define TKT_SPOOL_BUFFER 16384

struct tkt_spool {
    const char *dir; /* of the unnamed file; borrowed */
    uint64_t memory_max;
    uint64_t limit;
    uint64_t size; /* bytes kept */
    int fd;        /* -1 before the first byte leaves the buffer */
    bool in_file;
    bool oversize;
    bool failed;
    struct tkt_err err; /* why, once failed */
    struct tkt_buf pending;
};

void tkt_spool_init(struct tkt_spool *s, const char *dir, uint64_t memory_max,
                    uint64_t limit);
void tkt_spool_release(struct tkt_spool *s);
/* Adds bytes. A failure is remembered: later calls do nothing. */
void tkt_spool_add(struct tkt_spool *s, const void *data, size_t n);
/* Adds "Name:value" CRLF; LF folds become CRLF, and without leadspc one blank is set
 * behind the colon. */
void tkt_spool_add_field(struct tkt_spool *s, const char *name, const char *value,
                         bool leadspc);
/* All of it is in *fd now (borrowed); a memfd is sealed. -1: the message is not whole. */
int tkt_spool_finish(struct tkt_spool *s, int *fd, struct tkt_err *err);

/* What the Received field says. Strings may be NULL and are hostile. */
struct tkt_received {
    const char *helo;
    const char *client_name;
    const char *client_addr;
    const char *hostname;
    const char *queue_id;
    const char *rcpt; /* the only recipient, or NULL */
    bool smtp;
    bool tls;
    bool auth;
    int64_t time_s;
};
void tkt_spool_add_received(struct tkt_spool *s, const struct tkt_received *r);

#endif
