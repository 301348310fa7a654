/* SPDX-License-Identifier: BSD-2-Clause
 * OAuth tokens in the store, so that a new start asks for none.
 *
 * Promise: encrypted (AES-256-GCM) under a key that HKDF makes of the token keys of the
 * configuration: a copy of the database alone gives no token. A row that does not decrypt
 * is as if it were not there; while keys change, rows of the older one are read.
 * Threads: any; load and save block for a transaction.
 */
#ifndef TKT_TICKETD_TOKENKEEP_H
#define TKT_TICKETD_TOKENKEEP_H
#include "net/oauth.h"
#include "ticketd/core/daemon.h"
#include "ticketd/mail/token.h"

/* The daemon is borrowed for as long as the keeper is asked. */
struct tkt_oauth_keeper tkt_tokenkeep(struct tkt_daemon *d);

/* One row, for tests. Seal: -1 without a key. Open: 1, or 0 when it is none of ours. */
int tkt_tokenkeep_seal(const struct tkt_token_keys *keys,
                       const unsigned char key[TKT_SHA256_LEN],
                       const struct tkt_oauth_kept *kept, struct tkt_buf *out,
                       struct tkt_err *err);
int tkt_tokenkeep_open(const struct tkt_token_keys *keys,
                       const unsigned char key[TKT_SHA256_LEN], const void *data,
                       size_t len, struct tkt_oauth_kept *out);

#endif
