/* SPDX-License-Identifier: BSD-2-Clause
 * The follower that tells people: events become notices (noticeplan.h), and what by the clock
 * becomes one: held ones, digests, reminders to who was asked, the end of waiting for him.
 *
 * Promise: each event is told of once, whatever is killed; nothing of tickets in shadow, of
 * refused and withdrawn ones, of mail that was not delivered; a requester whose mail may not
 * be answered (robots, lists, bounces, forgers: desk.acknowledges and the trust in the
 * sender) is told nothing at all.
 * Threads: the follower's; tkt_notice_tick in the scheduler's; the kind's in dispatch's.
 */
#ifndef TKT_TICKETD_FOLLOW_NOTIFY_H
#define TKT_TICKETD_FOLLOW_NOTIFY_H
#include "ticketd/follow/follow.h"
#include "ticketd/jobs/running.h"

#define TKT_NOTICE_RELEASE_MAX 64 /* of one tick */

extern const struct tkt_follower tkt_follow_notify;

/* Jobs of kind "question" (target TKT_STORE_CHANNEL) become notices of action_required; while
 * nobody subscribed to that they wait. */
void tkt_question_start(struct tkt_running *r);

/* Each second. */
void tkt_notice_tick(struct tkt_daemon *d, struct tkt_settings *set,
                     struct tkt_tools *tools);

#endif
