/* SPDX-License-Identifier: BSD-2-Clause
 * Service levels in ticketd: the follower that moves the timers, and the tick that does
 * what is due.
 *
 * Promise: as store/sla.h. Other settings are carried to the open tickets a few at a time,
 * beside mail; a ticket that was open before anything was agreed begins when it is met.
 * Threads: the follower's as follow.h; the tick the scheduler's.
 */
#ifndef TKT_TICKETD_FOLLOW_SLA_H
#define TKT_TICKETD_FOLLOW_SLA_H
#include "ticketd/follow.h"

#define TKT_SLA_AT_ONCE 32    /* actions of one transaction */
#define TKT_SLA_SWEEP 64      /* tickets of one */
#define TKT_SLA_AWAY_MAX 5000 /* tickets of one who goes away that are looked at */

extern const struct tkt_follower tkt_follow_sla;

/* Each second. true: there is more to do at once. */
bool tkt_sla_tick(struct tkt_daemon *d, struct tkt_tools *tools,
                  struct tkt_settings *set);

#endif
