/* SPDX-License-Identifier: BSD-2-Clause
 * Who follows the events.
 */
#include "ticketd/intake/noticeback.h"
#include "ticketd/itsm/follow_itsm.h"
#include "ticketd/notice/agentreply.h"
#include "ticketd/notice/follow_notify.h"
#include "ticketd/sla/follow_sla.h"

const struct tkt_follower *const tkt_followers[] = {
    &tkt_follow_itsm,   &tkt_follow_sla,        &tkt_follow_noticeback,
    &tkt_follow_notify, &tkt_follow_agentreply, NULL};
