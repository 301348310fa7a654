/* SPDX-License-Identifier: BSD-2-Clause
 * Control verbs about who has tickets: agents and their absence, assignment by strategy.
 * Run like the others of ticketd/control/control.h, after their arguments were checked.
 */
#ifndef TKT_TICKETD_CONTROL_AGENTS_H
#define TKT_TICKETD_CONTROL_AGENTS_H
#include "ticketd/control/control.h"
#include "ticketd/jobs/running.h"

/* assign with auto=1: the group (given, or the ticket's) chooses. */
int tkt_control_assign_auto(struct tkt_control_request *req, struct tkt_err *err);
/* [{group, agent, name, strategy, duty, open, cap, weight, skills, away_from?,
 * away_until?, away_by?, note?}], by group and address; times RFC 3339 in UTC. */
int tkt_control_agents(struct tkt_control_request *req, struct tkt_err *err);
int tkt_control_agent_away(struct tkt_control_request *req, struct tkt_err *err);
int tkt_control_agent_back(struct tkt_control_request *req, struct tkt_err *err);

/* Gives tickets to people for whom nobody was there before. */
extern const struct tkt_job_kind tkt_assign_job_kind;

#endif
