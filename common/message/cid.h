/* SPDX-License-Identifier: BSD-2-Clause
 * The Content-IDs that the HTML of a message refers to ("cid:...").
 *
 * Linear; at most TKT_CIDS_MAX references are kept, longer lists tell less. Owner: init
 * by {0}, then read, then release. libc and message/content.h.
 */
#ifndef TKT_MESSAGE_CID_H
#define TKT_MESSAGE_CID_H
#include "base/buf.h"
#include "message/prescan.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_CIDS_MAX 1000

struct tkt_cids {
    struct tkt_buf names; /* each with its NUL */
    size_t count;
    bool is_read;
};
/* Reads the HTML parts, once; later calls do nothing. */
int tkt_cids_read(struct tkt_cids *c, const struct tkt_message_source *src,
                  const struct tkt_scan *scan, struct tkt_err *err);
bool tkt_cids_has(const struct tkt_cids *c, const char *content_id);
void tkt_cids_release(struct tkt_cids *c);

#endif
