/* SPDX-License-Identifier: BSD-2-Clause
 * From a happening to notices: who is told, when, and what of it is too much.
 *
 * tkt_noticeplan_add reads (a reader, no transaction) and plans; tkt_noticeplan_apply counts
 * and writes in a transaction of the writer, so that limits hold across crashes.
 *
 * Limits of one recipient, of one subscription, of one desk an hour; what is beyond is left
 * out: the first time in the hour with an event (notice.limited; of a desk notice.capped,
 * which those who subscribed to alarm are told of once). One notice of created a ticket and
 * recipient, one of follow_up, parked, sla_warning and sla_breached within `repeat`.
 * Threads: a plan is one thread's at a time.
 */
#ifndef TKT_TICKETD_NOTICEPLAN_H
#define TKT_TICKETD_NOTICEPLAN_H
#include "decide/calendar.h"
#include "store/follow.h"
#include "store/notice.h"
#include "ticketd/core/daemon.h"
#include "ticketd/notice/subscribe.h"

#define TKT_NOTICEPLAN_HOUR_MS (3600 * INT64_C(1000))
#define TKT_NOTICEPLAN_ONCE_MS (30 * 24 * TKT_NOTICEPLAN_HOUR_MS)

struct tkt_noticeplan;

struct tkt_noticeplan *tkt_noticeplan_new(const struct tkt_settings *set, int64_t now_ms);
void tkt_noticeplan_free(struct tkt_noticeplan *plan);
bool tkt_noticeplan_is_empty(const struct tkt_noticeplan *plan);

struct tkt_noticed { /* something that happened */
    enum tkt_notice_what what;
    int64_t ticket;
    int64_t message; /* 0 = none */
    int64_t at_ms;
    const char *data;     /* the event's JSON object, or "" */
    const char *text;     /* for {{message}}, or "" */
    const char *language; /* or "": the mail's */
    const char *once;     /* told of once: its name; "" = each time */
    bool needs_mail;      /* only once the message was delivered (created, follow_up) */
    bool is_reminder;
    const char *only; /* of this section alone; NULL or "" = of all */
};
int tkt_noticeplan_add(struct tkt_noticeplan *plan, struct tkt_reader *reader,
                       const struct tkt_noticed *in, struct tkt_err *err);
/* What was added of that ticket is not to be told after all. */
void tkt_noticeplan_leave_out(struct tkt_noticeplan *plan, int64_t ticket);
/* A ticket waits for nobody's answer any more. */
int tkt_noticeplan_answered(struct tkt_noticeplan *plan, int64_t ticket);

int tkt_noticeplan_apply(struct tkt_store *store, struct tkt_noticeplan *plan,
                         struct tkt_err *err);

/* Until when a notice with that payload, if it is held at all, would wait from now on. */
int64_t tkt_noticeplan_latest(const struct tkt_settings *set, const char *payload,
                              int64_t now_ms);

/* When a notice of that priority goes out: now_ms, later, or -1: never. Pure. */
int64_t tkt_noticeplan_due(const struct tkt_conf_notify *by,
                           const struct tkt_calendar *calendar, int priority,
                           int64_t now_ms);

#endif
