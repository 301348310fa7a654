/* SPDX-License-Identifier: BSD-2-Clause
 * From an analysis to what the store keeps of it besides the decision. Pure; memory from
 * the arena of the request, which must outlive the commit.
 */
#ifndef TKT_TICKETD_TRACES_H
#define TKT_TICKETD_TRACES_H
#include "ticketd/core/daemon.h"
#include "ticketd/facts/facts.h"

/* found and msg are borrowed by out. */
int tkt_traces_make(const struct tkt_facts_found *found, const struct tkt_message *msg,
                    struct tkt_wire_arena *arena, struct tkt_store_traces *out,
                    struct tkt_err *err);
/* In whose name the decision opens a ticket, lower case; NULL: in the author's (from). A
 * desk is nobody's requester; where nobody may open tickets for others, it must be one that
 * a rule names. */
const char *tkt_traces_requester(const struct tkt_settings *set,
                                 const struct tkt_conf_desk *desk, const char *from,
                                 const struct tkt_decision *d,
                                 struct tkt_wire_arena *arena);
/* Whether a message that gave a ticket its text is one that others may look like. */
bool tkt_traces_has_print(const struct tkt_facts_found *found,
                          const struct tkt_message *msg);

#endif
