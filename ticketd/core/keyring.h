/* SPDX-License-Identifier: BSD-2-Clause
 * The keys that sign tokens and X-Ticket-ID: from the configured secrets, else one of our
 * own in the store directory, made on first use (mode 0600, synced before it signs).
 */
#ifndef TKT_TICKETD_KEYRING_H
#define TKT_TICKETD_KEYRING_H
#include "conf/conf.h"
#include "ticketd/mail/token.h"

#define TKT_KEYRING_FILE "token.key"

/* CONF when a secret cannot be read or is too short. */
int tkt_keyring_load(const struct tkt_conf_token *conf, const char *store_dir,
                     struct tkt_token_keys *out, struct tkt_err *err);

#endif
