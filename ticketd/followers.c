/* SPDX-License-Identifier: BSD-2-Clause
 * Who follows the events.
 */
#include "ticketd/agentreply.h"
#include "ticketd/follow_itsm.h"
#include "ticketd/follow_notify.h"
#include "ticketd/follow_sla.h"
#include "ticketd/noticeback.h"

const struct tkt_follower *const tkt_followers[] = {
    &tkt_follow_itsm,   &tkt_follow_sla,        &tkt_follow_noticeback,
    &tkt_follow_notify, &tkt_follow_agentreply, NULL};
