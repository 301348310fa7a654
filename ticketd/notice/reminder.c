/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/notice/reminder.h"

#include "ticketd/notice/noticeplan.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

struct tkt_reminders {
    struct tkt_noticeplan *plan;
    struct tkt_store_ask asks[TKT_REMINDERS_MAX]; /* as they are to be */
    int64_t was_due_ms[TKT_REMINDERS_MAX];
    bool drops[TKT_REMINDERS_MAX];
    char closes[TKT_REMINDERS_MAX][64]; /* the ticket's name; "" = it goes on */
    int count;
    int64_t now_ms;
    struct tkt_wire_arena arena;
};

/* Until he is told again, or it is closed. */
static int64_t ask_wait(const struct tkt_conf_notify *by, int64_t left)
{
    return left > 0 || by->close_after_ms == 0 ? by->remind_ms : by->close_after_ms;
}

/* Once more to him, or the end of it. */
static int plan_ask(struct tkt_reminders *t, const struct tkt_settings *set,
                    struct tkt_reader *reader, int i, struct tkt_err *err)
{
    struct tkt_store_ask *ask = &t->asks[i];
    t->was_due_ms[i] = ask->due_ms;
    const struct tkt_conf_notify *by = tkt_subscription(set->conf, ask->subscription);
    struct tkt_reader_ticket ticket;
    int n = tkt_reader_by_row(reader, ask->ticket, NULL, &ticket, err);

    if (n < 0) {
        return -1;
    }
    t->drops[i] = n == 0 || by == NULL || ticket.state != TKT_STATE_PENDING;
    if (t->drops[i]) {
        return 0;
    }
    if (ask->left <= 0) {
        n = by->close_after_ms > 0 ? tkt_reader_ask_untold(reader, ask->ticket, err) : 0;
        if (n == 1) { /* who was not asked has not kept silent */
            ask->due_ms = t->now_ms + by->close_after_ms;
            return 0;
        }
        t->drops[i] = true;
        if (n == 0 && by->close_after_ms > 0) {
            (void)snprintf(t->closes[i], sizeof(t->closes[i]), "%s", ticket.id);
        }
        return n;
    }
    cJSON *payload = cJSON_Parse(ask->payload);
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(payload, "text"));
    const char *language =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(payload, "language"));
    const struct tkt_noticed in = {.what = TKT_NOTICE_ACTION_REQUIRED,
                                   .ticket = ask->ticket,
                                   .at_ms = t->now_ms,
                                   .data = "",
                                   .text = text ? text : "",
                                   .language = language ? language : "",
                                   .once = "",
                                   .only = ask->subscription,
                                   .is_reminder = true};
    int rc = tkt_noticeplan_add(t->plan, reader, &in, err);
    cJSON_Delete(payload);
    ask->left--;
    ask->due_ms = t->now_ms + ask_wait(by, ask->left);
    t->drops[i] = ask->left == 0 && by->close_after_ms == 0;
    return rc;
}

int tkt_reminders_plan(const struct tkt_settings *set, struct tkt_reader *reader,
                       int64_t now_ms, struct tkt_reminders **out, struct tkt_err *err)
{
    struct tkt_reminders *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    t->now_ms = now_ms;
    t->count =
        tkt_reader_asks_due(reader, now_ms, TKT_REMINDERS_MAX, &t->arena, t->asks, err);
    int rc = t->count;
    if (rc > 0) {
        t->plan = tkt_noticeplan_new(set, now_ms);
        rc = t->plan != NULL ? 1 : tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    for (int i = 0; rc == 1 && i < t->count; i++) {
        rc = plan_ask(t, set, reader, i, err) < 0 ? -1 : 1;
    }
    if (rc == 1) {
        *out = t;
    } else {
        tkt_reminders_free(&t);
    }
    return rc;
}

void tkt_reminders_free(struct tkt_reminders **reminders)
{
    struct tkt_reminders *t = *reminders;

    if (t != NULL) {
        tkt_noticeplan_free(t->plan);
        tkt_wire_arena_release(&t->arena);
        free(t);
    }
    *reminders = NULL;
}

int tkt_reminders_apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct tkt_reminders *t = arg;

    for (int i = 0; i < t->count; i++) {
        const struct tkt_store_ask *next = t->drops[i] ? NULL : &t->asks[i];
        int n = tkt_store_ask_turn(store, t->asks[i].ticket, t->was_due_ms[i], next, err);

        if (n == 0) {
            tkt_noticeplan_leave_out(t->plan, t->asks[i].ticket);
        } else if (n == 1 && t->closes[i][0] != '\0') {
            n = tkt_store_move(store, t->closes[i], TKT_STATE_CLOSED, TKT_BY_AUTO_CLOSE,
                               "nobody answered", t->now_ms, err);
        }
        if (n < 0) {
            return -1;
        }
    }
    return tkt_noticeplan_apply(store, t->plan, err);
}

/* ---- the clock was set back ------------------------------------------------------------ */

struct back {
    const struct tkt_settings *set;
    int64_t now_ms;
};

static int64_t latest_notice(void *arg, const char *payload)
{
    const struct back *b = arg;

    return tkt_noticeplan_latest(b->set, payload, b->now_ms);
}

static int64_t latest_ask(void *arg, const char *subscription, int64_t left)
{
    const struct back *b = arg;
    const struct tkt_conf_notify *by = tkt_subscription(b->set->conf, subscription);

    return by == NULL ? b->now_ms : b->now_ms + ask_wait(by, left);
}

int tkt_notice_back(struct tkt_store *store, const struct tkt_settings *set,
                    int64_t now_ms, struct tkt_err *err)
{
    struct back b = {set, now_ms};
    const struct tkt_store_latest latest = {latest_notice, latest_ask, &b};

    return tkt_store_notices_back(store, &latest, now_ms, err);
}
