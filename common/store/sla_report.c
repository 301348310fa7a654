/* SPDX-License-Identifier: BSD-2-Clause
 * How long tickets may take, as JSON for people.
 */
#include "base/clock.h"
#include "base/util.h"
#include "store/internal.h"
#include "store/sla.h"

#include <stdio.h>
#include <string.h>

#define LIST_MAX 10000

static void json_time_s(struct tkt_buf *b, const char *key, int64_t at_s)
{
    char text[32];

    if (at_s != TKT_CALENDAR_NEVER && at_s != 0) {
        tkt_clock_format(at_s * 1000, text);
        json_str(b, key, text);
    }
}

static int whole(const struct tkt_buf *out, struct tkt_err *err)
{
    return out->failed
               ? tkt_err_set(err, TKT_ERR_PERM,
                             "answer larger than %zu bytes: ask for less", out->max)
               : 0;
}

static void timer_object(struct tkt_buf *b, const struct tkt_sla_ticket *t,
                         const struct tkt_sla_book *book, enum tkt_sla_timer timer,
                         int64_t now_s)
{
    const struct tkt_sla_clock *c = &t->clocks[timer];

    json_open(b, NULL, '{');
    json_str(b, "timer", tkt_sla_timer_names[timer]);
    json_str(b, "state", tkt_sla_state_names[c->state]);
    json_int(b, "target_s", c->target_s);
    if (c->state != TKT_SLA_RUNNING || book != NULL) {
        json_int(b, "used_s",
                 book != NULL ? tkt_sla_used(t, book, timer, now_s) : c->used_s);
    }
    if (book != NULL) {
        json_time_s(b, "deadline", tkt_sla_deadline(t, book, timer));
    }
    json_time_s(b, "next", c->state == TKT_SLA_RUNNING ? c->due_s : TKT_CALENDAR_NEVER);
    json_bool(b, "warned", c->warned);
    json_bool(b, "breached", c->breached);
    if (timer == TKT_SLA_NEXT) {
        json_int(b, "round", c->round);
    }
    json_close(b, '}');
}

static void state_object(struct tkt_buf *b, const struct tkt_sla_ticket *t,
                         const struct tkt_sla_book *book, int64_t now_s)
{
    json_str(b, "sla", t->sla);
    json_str(b, "why", t->why);
    json_str(b, "chain", t->chain);
    json_str(b, "calendar", t->calendar);
    json_bool(b, "pending", (t->flags & TKT_SLA_F_PENDING) != 0);
    json_bool(b, "resolved", (t->flags & TKT_SLA_F_RESOLVED) != 0);
    json_bool(b, "ended", (t->flags & TKT_SLA_F_ENDED) != 0);
    json_bool(b, "answered", (t->flags & TKT_SLA_F_ANSWERED) != 0);
    json_time_s(b, "started", t->started_s);
    json_open(b, "timers", '[');
    for (int i = 0; t->sla[0] != '\0' && i < TKT_SLA_TIMERS; i++) {
        if (t->clocks[i].state != TKT_SLA_OFF) {
            timer_object(b, t, book, (enum tkt_sla_timer)i, now_s);
        }
    }
    json_close(b, ']');
    json_open(b, "steps", '[');
    for (size_t i = 0; i < t->wait_count; i++) {
        const struct tkt_sla_wait *w = &t->waits[i];
        json_open(b, NULL, '{');
        json_str(b, "step", w->name);
        json_str(b, "state", tkt_sla_state_names[w->state]);
        json_str(b, "of", tkt_sla_cause_names[w->of]);
        json_time_s(b, "since", w->since_s);
        json_time_s(b, "due", w->due_s);
        if (w->state == TKT_SLA_PAUSED) {
            json_int(b, "left_s", w->left_s);
        }
        json_close(b, '}');
    }
    json_close(b, ']');
}

int tkt_sla_object(struct tkt_db *db, int64_t ticket, const struct tkt_sla_book *book,
                   int64_t now_ms, struct tkt_buf *b, struct tkt_err *err)
{
    struct tkt_sla_ticket t;
    int n = tkt_sla_load(db, ticket, &t, err);

    if (n == 1) {
        state_object(b, &t, book, now_ms / 1000);
    }
    return n;
}

int tkt_reader_sla_json(struct tkt_reader *r, const struct tkt_sla_book *book,
                        const char *id, int64_t now_ms, struct tkt_buf *out,
                        struct tkt_err *err)
{
    struct ticket_row t;

    if (tkt_ticket_named(r->db, id, &t, err) < 0) {
        return -1;
    }
    json_open(out, NULL, '{');
    json_str(out, "id", t.name);
    if (tkt_sla_object(r->db, t.id, book, now_ms, out, err) < 0) {
        return -1;
    }
    json_close(out, '}');
    return whole(out, err);
}

/* What is next: policies may warn or not. */
static int action_of(struct tkt_reader *r, const struct tkt_sla_book *book,
                     const struct tkt_row *row, bool is_step, const char **out,
                     struct tkt_err *err)
{
    struct tkt_sla_ticket t;
    int n = tkt_sla_load(r->db, tkt_row_int(row, 0), &t, err);

    if (n < 0) {
        return -1;
    }
    const struct tkt_sla_policy *p = n == 1 ? tkt_sla_policy(book, t.sla) : NULL;
    bool warned = (tkt_row_int(row, 3) & 1) != 0;
    bool warns = !warned && p != NULL && p->warn > 0;
    *out = is_step ? "step" : warns ? "warning" : "breach";
    return 0;
}

static int list(struct tkt_reader *r, const struct tkt_sla_book *book,
                struct tkt_row *row, int n, struct tkt_buf *out, struct tkt_err *err)
{
    for (; n == 1; n = tkt_row_next(row, err)) {
        TKT_AUTO_ROW struct tkt_row subject = TKT_ROW_INIT;
        const char *name = tkt_row_text(row, 1);
        bool is_step = strncmp(name, "step:", 5) == 0;
        const char *action = "";
        struct ticket_row t;

        if (action_of(r, book, row, is_step, &action, err) < 0 ||
            tkt_ticket_load(r->db, tkt_row_int(row, 0), &t, err) != 1 ||
            tkt_db_query(r->db, &subject, SQL_TICKET_SUBJECT, err, "i", t.id) < 0) {
            return -1;
        }
        json_open(out, NULL, '{');
        json_time_s(out, "due", tkt_row_int(row, 4));
        json_str(out, "id", t.name);
        json_str(out, is_step ? "step" : "timer", is_step ? name + 5 : name);
        json_str(out, "action", action);
        json_str(out, "state", tkt_store_state_name(t.state));
        json_int(out, "priority", t.priority);
        json_str(out, "group", t.group);
        json_str(out, "assignee", t.assignee);
        json_str(out, "subject", subject.stmt != NULL ? tkt_row_text(&subject, 0) : "");
        json_close(out, '}');
    }
    return n;
}

int tkt_reader_sla_list_json(struct tkt_reader *r, const struct tkt_sla_book *book,
                             int64_t until_ms, int limit, struct tkt_buf *out,
                             struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int max = limit <= 0 ? 50 : TKT_MIN(limit, LIST_MAX);

    json_open(out, NULL, '[');
    int n = tkt_db_query(r->db, &row, SQL_TIMERS_LIST, err, "id", until_ms / 1000, max);
    if (list(r, book, &row, n, out, err) < 0) {
        return -1;
    }
    json_close(out, ']');
    return whole(out, err);
}
