/* SPDX-License-Identifier: BSD-2-Clause
 * Which ticket a message may join instead of opening one: alarms of one key, the same
 * automatic text again, a storm of answers in one conversation, a loop between two desks.
 *
 * The store joins (store.h), in the transaction that reserves; here is said by what key,
 * for how long, and what it does. A From that is known to be forged joins nothing. Every
 * message is kept, whatever it joins. Private to the request; no state.
 */
#ifndef TKT_TICKETD_JOINS_H
#define TKT_TICKETD_JOINS_H
#include "ticketd/intake/request.h"

/* Mail that another desk or we ourselves sent is not acknowledged: its answer would be
 * answered. Before the decisions go anywhere. */
void tkt_joins_keep_quiet(struct tkt_request *req);
/* Fills in->joins; in->decision is there. TEMP: no memory. */
int tkt_joins_make(struct tkt_request *req, size_t i, struct tkt_store_desk_in *in,
                   struct tkt_err *err);

#endif
