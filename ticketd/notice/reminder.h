/* SPDX-License-Identifier: BSD-2-Clause
 * Reminders to who was asked for something, and the end of waiting for him.
 *
 * Planned by a reader, written in a transaction. What happened between the two counts: who
 * answered is not reminded, and his ticket is not closed. After a rest of ours each who is
 * late is told once, and has his whole time from then on.
 * Threads: reminders are one thread's at a time.
 */
#ifndef TKT_TICKETD_REMINDER_H
#define TKT_TICKETD_REMINDER_H
#include "ticketd/core/daemon.h"

#include "store/notice.h"

#define TKT_REMINDERS_MAX 64 /* at once, the longest due first */
#define TKT_BY_AUTO_CLOSE                                                                \
    "auto-close" /* who, of tickets whose requester never answered */

struct tkt_reminders;

/* What is due at now_ms: 1 with *out, 0 nothing is, -1. */
int tkt_reminders_plan(const struct tkt_settings *set, struct tkt_reader *reader,
                       int64_t now_ms, struct tkt_reminders **out, struct tkt_err *err);
int tkt_reminders_apply(struct tkt_store *store, void *reminders, struct tkt_err *err);
void tkt_reminders_free(struct tkt_reminders **reminders);

/* In the commit writer: the clock was set back. How many notices and reminders that changed,
 * or -1. */
int tkt_notice_back(struct tkt_store *store, const struct tkt_settings *set,
                    int64_t now_ms, struct tkt_err *err);

#endif
