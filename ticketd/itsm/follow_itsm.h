/* SPDX-License-Identifier: BSD-2-Clause
 * The follower that carries changes of tickets to their ITSMs.
 *
 * Promise: a change made here becomes an update job in the lane of each ITSM where the
 * ticket stands or is to stand, once: many changes before the job begins are one job, which
 * takes the ticket as it is then. A change that came from an ITSM ("itsm:NAME" did it) is
 * none for that ITSM, so nothing goes round. What was known before a create began went with
 * it. A merge is told at both ends by a comment; what was merged is closed there as the
 * section's `merged` says.
 * Limits: TKT_STORE_PLACES_MAX ITSMs of a ticket.
 */
#ifndef TKT_TICKETD_FOLLOW_ITSM_H
#define TKT_TICKETD_FOLLOW_ITSM_H
#include "ticketd/follow/follow.h"

extern const struct tkt_follower tkt_follow_itsm;

#endif
