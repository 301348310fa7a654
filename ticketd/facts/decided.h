/* SPDX-License-Identifier: BSD-2-Clause
 * What a checked decision becomes on its way to the store and to the sender. Pure; results
 * live in the arena or the caller's buffer, and are never NULL unless it is said.
 */
#ifndef TKT_TICKETD_DECIDED_H
#define TKT_TICKETD_DECIDED_H
#include "decide/decide.h"
#include "ticketd/core/daemon.h"

/* Bytes of a reply's text: what the milter sends of one. */
#define TKT_DECIDED_REPLY_MAX 400

/* The itsm section that gets the ticket: the decision's, if there is one of that name. */
const char *tkt_decided_itsm(const struct tkt_conf *conf,
                             const struct tkt_conf_desk *desk,
                             const struct tkt_decision *d);
/* What the requester is asked: a line for each missing field, in his language where the
 * configuration has it. NULL: nothing. */
const char *tkt_decided_question(const struct tkt_conf *conf,
                                 const struct tkt_decision *d, const char *language,
                                 struct tkt_wire_arena *arena);
/* The record for the event; NULL when the desk's settings alone decided, or without
 * memory: the mail is not lost for it. */
const char *tkt_decided_record(const struct tkt_settings *set,
                               const struct tkt_decision *d, const char *desk,
                               struct tkt_wire_arena *arena);
/* One line of printable ASCII that fits an SMTP reply; words are cut off whole. What no
 * text is left of becomes a general one. */
void tkt_decided_reply(const char *text, char out[TKT_DECIDED_REPLY_MAX + 1]);

#endif
