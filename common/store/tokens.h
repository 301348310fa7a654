/* SPDX-License-Identifier: BSD-2-Clause
 * What OAuth servers gave, kept for the next start: bytes that only ticketd reads.
 *
 * A row may go at any time: another token is asked for then. Writers as in store.h; load is
 * done by the writer too, since it happens once for each key.
 */
#ifndef TKT_STORE_TOKENS_H
#define TKT_STORE_TOKENS_H
#include "base/hash.h"
#include "store/store.h"

#define TKT_STORE_TOKEN_MAX (32 * 1024)

/* 1 with data appended to out, 0 when there is none. */
int tkt_store_token_get(struct tkt_store *store, const unsigned char key[TKT_SHA256_LEN],
                        struct tkt_buf *out, struct tkt_err *err);
/* data NULL: no more. Rows that ended before now_ms go. */
int tkt_store_token_set(struct tkt_store *store, const unsigned char key[TKT_SHA256_LEN],
                        const void *data, size_t n, int64_t until_ms, int64_t now_ms,
                        struct tkt_err *err);

#endif
