/* SPDX-License-Identifier: BSD-2-Clause
 * How long tickets may take, kept: a row a timer and a step with the time of its next
 * action, which is indexed only while it runs.
 *
 * Promise: what is due is done in the transaction that writes down that it is done, with
 * its event (sla.warning, sla.breached, escalation.step): each once, whatever is killed
 * when. Nothing is done for a time from which events may still be missing: the tick goes no
 * further than the follower TKT_SLA_FOLLOWER has come, so what happens does not depend on
 * who was slow.
 *
 * Events of a step and of a timer say all that a notification needs: sla, chain, step, of,
 * timer, round, due, target_s, id, group, assignee, priority, notify [manager, assignee,
 * group, or addresses], manager, mailbox, channel, and what was done: from_priority,
 * from_group, from_assignee.
 *
 * Threads, errors and transactions as in store.h.
 */
#ifndef TKT_STORE_SLA_H
#define TKT_STORE_SLA_H
#include "decide/sla.h"
#include "store/store.h"

#define TKT_SLA_FOLLOWER "sla"
#define TKT_BY_ESCALATION "escalation" /* who, in events of what a step did */
/* An event gets its time before it is written. */
#define TKT_SLA_GRACE_S 2

enum tkt_store_sla_what { /* bits; several may be in one event */
    TKT_SLA_W_BEGIN = 1,
    TKT_SLA_W_MAIL = 2, /* of an agent or of the requester: the message tells */
    TKT_SLA_W_ANSWER = 4,
    TKT_SLA_W_ASK = 8,
    TKT_SLA_W_PROGRESS = 16,
    TKT_SLA_W_PAUSE = 32,
    TKT_SLA_W_RESUME = 64,
    TKT_SLA_W_RESOLVE = 128,
    TKT_SLA_W_REOPEN = 256,
    TKT_SLA_W_END = 512,
    TKT_SLA_W_CHANGE = 1024,
    TKT_SLA_W_MET = 2048, /* nothing happened: it is taken as it stands */
    TKT_SLA_W_BACK = 4096 /* the clock may have been set back */
};

/* Those in which it is chosen what applies: the person must be known. */
#define TKT_SLA_W_CHOICE (TKT_SLA_W_BEGIN | TKT_SLA_W_CHANGE | TKT_SLA_W_REOPEN)

struct tkt_store_sla_event {
    int64_t at_ms;
    int64_t ticket;
    int64_t message; /* of MAIL */
    unsigned what;
    const struct tkt_person *person; /* the requester, where a filter asks; or NULL */
    bool is_unasked;                 /* ... and no directory was heard yet */
};
int tkt_store_sla_apply(struct tkt_store *store, const struct tkt_sla_book *book,
                        const struct tkt_store_sla_event *event, int64_t now_ms,
                        struct tkt_err *err);

/* Does what is due, the longest due first, at most max; how many, or -1. Without a place
 * of the follower there is nothing that counts: what is left of earlier times is removed,
 * at most max tickets. */
int tkt_store_sla_tick(struct tkt_store *store, const struct tkt_sla_book *book,
                       int64_t now_ms, int max, struct tkt_err *err);

/* Tickets above after that were chosen for without the directory, the smallest first: count
 * <= max or -1. */
int tkt_reader_sla_unasked(struct tkt_reader *r, int64_t after, int64_t *out, int max,
                           struct tkt_err *err);

/* Whether the follower has seen all that happened until now_ms, but for the grace: 1, 0, -1.
 * Before, nobody may say that it is now. */
int tkt_reader_sla_followed(struct tkt_reader *r, int64_t now_ms, struct tkt_err *err);

/* Whether open tickets have to be looked at because there are other settings: 1 with the
 * ticket behind which it goes on, 0 all were, -1. */
int tkt_reader_sla_sweep(struct tkt_reader *r, uint64_t settings, int64_t *after,
                         struct tkt_err *err);
int tkt_store_sla_swept(struct tkt_store *store, uint64_t settings, int64_t after,
                        bool done, struct tkt_err *err);
/* Rows above after, the smallest first: open tickets, of one agent when that is not NULL
 * (lower case). Count <= max or -1. Looks at all tickets: not for the writer. */
int tkt_reader_open_tickets(struct tkt_reader *r, const char *agent, int64_t after,
                            int64_t *out, int max, struct tkt_err *err);
/* Of a ticket, appended to out: 1, or 0 when it is not known. */
int tkt_reader_requester(struct tkt_reader *r, int64_t ticket, struct tkt_buf *out,
                         struct tkt_err *err);

/* JSON for ticketctl, appended.
 *   show  {id, sla, why, chain, calendar, pending, resolved, ended, answered, started,
 *         timers [{timer, state, target_s, used_s, deadline?, next?, warned, breached,
 *         round?}], steps [{step, state, of, since, due?, left_s?}]}; sla "" and no timers:
 *         none applies. book NULL: without used_s and deadline of what runs
 *   list  [{due, id, timer or step, action (warning, breach, step), state, priority,
 *         group, assignee, subject}], the first due first */
int tkt_reader_sla_json(struct tkt_reader *r, const struct tkt_sla_book *book,
                        const char *id, int64_t now_ms, struct tkt_buf *out,
                        struct tkt_err *err);
int tkt_reader_sla_list_json(struct tkt_reader *r, const struct tkt_sla_book *book,
                             int64_t until_ms, int limit, struct tkt_buf *out,
                             struct tkt_err *err);

/* ---- between sla.c and sla_report.c -------------------------------------------------- */
struct tkt_db;
/* 1, 0: nothing is kept of it; -1. */
int tkt_sla_load(struct tkt_db *db, int64_t ticket, struct tkt_sla_ticket *t,
                 struct tkt_err *err);
/* The members of show, for ticketctl show too; result as above. */
int tkt_sla_object(struct tkt_db *db, int64_t ticket, const struct tkt_sla_book *book,
                   int64_t now_ms, struct tkt_buf *b, struct tkt_err *err);

#endif
