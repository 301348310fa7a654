/* SPDX-License-Identifier: BSD-2-Clause
 * Agents who answer by mail, where we are the ITSM: their words go to the requester in the
 * desk's name (notify on reply), and what they ask for in the first lines is done.
 *
 * Promise: only mail of people whose sender is proved (a login, DMARC that is aligned) and
 * is a member of a group does anything; each mail once, whatever is killed; all of it or
 * nothing: what is not understood, not allowed or for nobody is kept, and its author is
 * told why (notice "held"). It never goes to its author, to a robot or a desk, nor to whom
 * he wrote directly. Events: agent.mail, agent.held.
 * The follower makes jobs of kind "agentmail": a child reads the mail behind the log.
 * Threads: the follower's; the kind's in dispatch's pool.
 */
#ifndef TKT_TICKETD_AGENTREPLY_H
#define TKT_TICKETD_AGENTREPLY_H
#include "ticketd/follow/follow.h"
#include "ticketd/jobs/running.h"

#define TKT_JOB_AGENTMAIL "agentmail"
#define TKT_JOB_AGENTMAIL_TARGET "(agent)"
#define TKT_AGENTREPLY_ATTEMPTS 5       /* then a mail that cannot be read is held */
#define TKT_AGENTREPLY_HELD_PER_HOUR 20 /* that one agent is told of */

extern const struct tkt_follower tkt_follow_agentreply;
extern const struct tkt_job_kind tkt_agentmail_kind;

#endif
