/* SPDX-License-Identifier: BSD-2-Clause
 * The content of a part: its bytes with the transfer encoding removed, in pieces.
 *
 * Text, hashes, containers and extraction all read parts through this one walk. It holds
 * one window of the message and what that decodes to, whatever the size of the part. When
 * the time of the reading is up, every content ends where it is: who needs the whole of it
 * (a hash) asks the budget.
 * Owner: whoever opened it closes it, after a failed open, too. One thread.
 */
#ifndef TKT_MESSAGE_CONTENT_H
#define TKT_MESSAGE_CONTENT_H
#include "base/buf.h"
#include "base/err.h"
#include "message/parse.h"
#include "message/prescan.h"
#include "message/transfer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tkt_content {
    const struct tkt_message_source *src;
    uint64_t at;
    uint64_t end;
    struct tkt_transfer transfer;
    char *window;       /* of the source; NULL when that is in memory */
    struct tkt_buf out; /* what the window decoded to */
    bool is_ended;
};

int tkt_content_open(struct tkt_content *c, const struct tkt_message_source *src,
                     const struct tkt_part *part, struct tkt_err *err);
void tkt_content_close(struct tkt_content *c);
/* 1 and the next piece (never empty), 0 at the end, -1 on error (TEMP: the source cannot
 * be read, or is shorter than it was). The piece is valid until the next call. */
int tkt_content_next(struct tkt_content *c, const char **p, size_t *n,
                     struct tkt_err *err);

/* Takes a piece: 0 to go on, 1 when it has enough, -1 with *err. */
typedef int tkt_content_fn(void *arg, const char *p, size_t n, struct tkt_err *err);
/* All pieces of a part. 0, or -1 when the walk or fn failed. */
int tkt_content_walk(const struct tkt_message_source *src, const struct tkt_part *part,
                     tkt_content_fn *fn, void *arg, struct tkt_err *err);

#endif
