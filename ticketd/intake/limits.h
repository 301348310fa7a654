/* SPDX-License-Identifier: BSD-2-Clause
 * How many messages an hour a desk takes from one sender, and of one correlation key or
 * text: who sends more is deferred (451) at the desk's RCPT, where a desk's settings say
 * so. Joining and counting goes before: without those settings nobody is ever deferred.
 *
 * Counted is what was taken in, once each; RCPT only asks. Never deferred: the null
 * sender, and clients in own_networks. Tables of fixed size, two names may share a place
 * in them; nothing is kept over a restart. Any thread; locks inside.
 */
#ifndef TKT_TICKETD_LIMITS_H
#define TKT_TICKETD_LIMITS_H
#include "ticketd/intake/request.h"

struct tkt_limits;

/* NULL: no memory. */
struct tkt_limits *tkt_limits_new(void);
void tkt_limits_free(struct tkt_limits **limits);
/* Whether the desk has any. */
bool tkt_limits_has(const struct tkt_conf_desk *desk);
/* LOOKUP: true with the answer filled when the sender has to wait. */
bool tkt_limits_defer(struct tkt_request *req);
/* RESERVE, when it is committed. */
void tkt_limits_charge(struct tkt_request *req);

#endif
