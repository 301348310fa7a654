/* SPDX-License-Identifier: BSD-2-Clause
 * Who takes part in a ticket by a message: From, To and Cc, at most
 * TKT_PARTICIPANTS_MAX. A desk's own address is none: whoever wrote it into From would
 * else be trusted as one.
 */
#ifndef TKT_TICKETD_PARTICIPANTS_H
#define TKT_TICKETD_PARTICIPANTS_H
#include "message/message.h"
#include "ticketd/core/daemon.h"

#define TKT_PARTICIPANTS_MAX 200

/* msg may be NULL (not analysed): then only from, the author by the header scan. */
int tkt_participants_make(const struct tkt_settings *set, const struct tkt_message *msg,
                          const char *from, struct tkt_wire_arena *arena,
                          const struct tkt_store_participant **out, size_t *count,
                          struct tkt_err *err);

#endif
