/* SPDX-License-Identifier: BSD-2-Clause
 * What the store knows about the Message-IDs and ticket IDs of a mail, as JSON for `ticketctl explain`.
 *
 * {"candidates":[{"ticket":7,"id":"IT-12","desk":"it","state":"open",
 *   "evidence":"reference","message_id":"a@b","is_participant":true}]}
 */
#ifndef TKT_TICKETD_CONTROL_FACTS_H
#define TKT_TICKETD_CONTROL_FACTS_H
#include "store/store.h"

/* What a mail names: a Message-ID without <>, or a ticket ID. */
struct tkt_control_named {
    const char *id;
    bool is_ticket;
};

/* address lower case or NULL. */
int tkt_control_facts(struct tkt_reader *reader, const struct tkt_control_named *named,
                      size_t count, const char *address, struct tkt_buf *out,
                      struct tkt_err *err);

#endif
