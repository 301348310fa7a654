/* SPDX-License-Identifier: BSD-2-Clause
 * Notes of agents by mail: an agent's answer whose first line begins with #internal or #note
 * (agentcommand.h) is for colleagues. It is kept as internal, changes no state and is told
 * to nobody outside; an ITSM gets it as an internal comment. Whoever is no agent writes just
 * that text.
 * Of a local desk so is a mail whose commands are not understood.
 * What was taken in unread and opened a ticket is known for one when it is read later.
 * Pure but for the request's own decisions. Threads: the one that has the request.
 */
#ifndef TKT_TICKETD_AGENTNOTE_H
#define TKT_TICKETD_AGENTNOTE_H
#include "ticketd/intake/request.h"

/* Of an analysed request: takes from its decisions what a note does not do. */
void tkt_agentnote_file(struct tkt_request *req);
/* It is by an agent and for colleagues, wherever it went: no forward in it names a requester. */
bool tkt_agentnote_hides(const struct tkt_conf *conf, const struct tkt_conf_desk *desk,
                         const struct tkt_message *msg);
/* This desk of the request got a note. */
bool tkt_agentnote_of(const struct tkt_request *req, size_t desk);

#endif
