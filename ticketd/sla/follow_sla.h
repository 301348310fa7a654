/* SPDX-License-Identifier: BSD-2-Clause
 * Service levels in ticketd: the follower that moves the timers, and the tick that does
 * what is due.
 *
 * Promise: as store/sla.h. Other settings are carried to the open tickets a few at a time,
 * beside mail; a ticket that was open before anything was agreed begins when it is met. What
 * was chosen before a directory knew the requester is chosen again when one does.
 * Threads: the follower's as follow.h; the tick the scheduler's.
 */
#ifndef TKT_TICKETD_FOLLOW_SLA_H
#define TKT_TICKETD_FOLLOW_SLA_H
#include "ticketd/follow/follow.h"

#define TKT_SLA_AT_ONCE 16    /* actions of one transaction */
#define TKT_SLA_SWEEP 64      /* tickets of one */
#define TKT_SLA_AWAY_MAX 5000 /* tickets of one who goes away that are looked at */

#define TKT_SLA_UNASKED 16   /* tickets whose requester is looked for again ... */
#define TKT_SLA_LOOK_MS 3000 /* ... so often */

extern const struct tkt_follower tkt_follow_sla;

struct tkt_sla_turn { /* where it is between two ticks */
    int64_t look_ms;  /* by the monotonic clock */
    int64_t after;
};

/* Each second. true: there is more to do at once. */
bool tkt_sla_tick(struct tkt_daemon *d, struct tkt_tools *tools, struct tkt_settings *set,
                  struct tkt_sla_turn *turn);
/* In the commit writer: the clock was set back, all open tickets are to be looked at. */
int tkt_sla_back(struct tkt_store *store, struct tkt_err *err);

#endif
