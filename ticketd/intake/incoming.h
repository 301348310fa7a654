/* SPDX-License-Identifier: BSD-2-Clause
 * The one reading of a hook's message: from its descriptor into memory or a blob file of
 * our own, hashed on the way. The peer can still write the descriptor, so nothing looks
 * at it again: pread only, never mmap.
 *
 * Promise: what was read is exactly the size that the descriptor had at the start, else
 * TEMP. At most inline_max bytes are in memory. A message above message_max is scanned
 * to its end (its key needs that) but only its first inline_max bytes are kept: truncated.
 */
#ifndef TKT_TICKETD_INCOMING_H
#define TKT_TICKETD_INCOMING_H
#include "conf/conf.h"
#include "store/store.h"
#include "ticketd/mail/keyscan.h"

struct tkt_incoming {
    uint64_t size; /* as the descriptor said */
    char *raw;     /* all of it, or NULL: then it is in blob */
    size_t raw_len;
    struct tkt_blob blob;
    bool has_blob;
    bool truncated;
    unsigned char sha256[TKT_SHA256_LEN]; /* of what is kept */
};

void tkt_incoming_init(struct tkt_incoming *in);
/* true when it fits into memory. */
bool tkt_incoming_is_small(int fd, const struct tkt_conf_limits *limits);
/* true when reading fd cannot block (a memfd) and it fits into memory. */
bool tkt_incoming_is_quick(int fd, const struct tkt_conf_limits *limits);
/* Reads fd through scan; the scan is final afterwards. TEMP: changed under us, past the
 * deadline, disk full. */
int tkt_incoming_read(struct tkt_incoming *in, int fd,
                      const struct tkt_conf_limits *limits, const char *store_dir,
                      struct tkt_keyscan *scan, int64_t deadline_mono_ms,
                      const struct tkt_keyscan_result **result, struct tkt_err *err);
void tkt_incoming_release(struct tkt_incoming *in);

#endif
