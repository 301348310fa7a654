/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/notice/follow_notify.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/jobs/dispatch.h"
#include "ticketd/notice/noticeplan.h"
#include "ticketd/notice/reminder.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_WAIT_MS (3600 * INT64_C(1000))
#define BUSY_DELAY_MS 2000

/* ---- which events -------------------------------------------------------------------------- */

static const struct kind {
    const char *name;
    enum tkt_notice_what what;
    bool of_mail;
    bool once_a_ticket;
} kinds[] = {
    /* created: whichever of these comes when the ticket is there and analysed */
    {"ticket.created", TKT_NOTICE_CREATED, true, true},
    {"ticket.confirmed", TKT_NOTICE_CREATED, true, true},
    {"ticket.analysed", TKT_NOTICE_CREATED, true, true},
    {"message.appended", TKT_NOTICE_FOLLOW_UP, true, false},
    {"hold.confirmed", TKT_NOTICE_FOLLOW_UP, true, false},
    {"hold.timeout", TKT_NOTICE_FOLLOW_UP, true, false},
    {"ticket.assigned", TKT_NOTICE_ASSIGNED, false, false},
    {"ticket.opened", TKT_NOTICE_STATE, false, false},
    {"ticket.pending", TKT_NOTICE_STATE, false, false},
    {"ticket.reopened", TKT_NOTICE_STATE, false, false},
    {"ticket.closed", TKT_NOTICE_STATE, false, false},
    {"ticket.resolved", TKT_NOTICE_RESOLVED, false, false},
    {"ticket.comment", TKT_NOTICE_COMMENT, false, false},
    {"job.parked", TKT_NOTICE_PARKED, false, false},
    {"sla.warning", TKT_NOTICE_SLA_WARNING, false, false},
    {"sla.breached", TKT_NOTICE_SLA_BREACHED, false, false},
    {"escalation.step", TKT_NOTICE_ESCALATED, false, false},
    {"notice.capped", TKT_NOTICE_ALARM, false, false}};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* The ticket waits no more, whoever ended that. */
static bool ends_waiting(const char *kind)
{
    static const char *const names[] = {"ticket.opened",   "ticket.reopened",
                                        "ticket.resolved", "ticket.closed",
                                        "ticket.complete", "ticket.merged"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (strcmp(names[i], kind) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_true(const char *data, const char *name)
{
    cJSON *json = cJSON_Parse(data);
    bool yes = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, name));

    cJSON_Delete(json);
    return yes;
}

static bool has_text(const char *data, const char *name, char *out, size_t size)
{
    cJSON *json = cJSON_Parse(data);
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    if (out != NULL) {
        (void)snprintf(out, size, "%s", s == NULL ? "" : s); /* cut is fine */
    }
    cJSON_Delete(json);
    return s != NULL;
}

static bool is_channel(const struct tkt_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->channel_count; i++) {
        if (strcmp(conf->channels[i].name, name) == 0) {
            return true;
        }
    }
    return strcmp(name, TKT_STORE_CHANNEL) == 0;
}

/* What is told of what could not be told would go round. */
static bool is_left_out(const struct tkt_conf *conf, const struct kind *k,
                        const struct tkt_store_event *e)
{
    char target[64];

    switch (k->what) {
    case TKT_NOTICE_CREATED:
        /* Its analysis follows, with group and priority. */
        return strcmp(e->kind, "ticket.created") == 0 &&
               has_text(e->data, "unanalysed", NULL, 0) && conf->analyse;
    case TKT_NOTICE_COMMENT:
        return !is_true(e->data, "public");
    case TKT_NOTICE_PARKED:
        return has_text(e->data, "target", target, sizeof(target)) &&
               is_channel(conf, target);
    default:
        return false;
    }
}

/* ---- the follower --------------------------------------------------------------------------- */

static bool wanted(const struct tkt_settings *set)
{
    return set->conf->channel_count > 0;
}

/* Confirmed is what opened it: then it is created. */
static int plan_kind(struct tkt_noticeplan *p, struct tkt_reader *reader,
                     const struct kind *k, const struct tkt_store_event *e,
                     struct tkt_err *err)
{
    char once[80] = "";
    struct tkt_noticed in = {.what = k->what,
                             .ticket = e->ticket,
                             .message = e->message,
                             .at_ms = e->at_ms,
                             .data = e->data,
                             .text = "",
                             .language = "",
                             .once = once,
                             .needs_mail = k->of_mail};

    if (k->once_a_ticket) {
        (void)snprintf(once, sizeof(once), "created:%" PRId64, e->ticket); /* has room */
    } else if (k->of_mail) {
        (void)snprintf(once, sizeof(once), "mail:%" PRId64, e->message); /* the same */
    }
    return tkt_noticeplan_add(p, reader, &in, err);
}

/* Confirmation of the mail that opened the ticket is no follow-up. */
static int is_first(struct tkt_reader *reader, const struct tkt_store_event *e,
                    struct tkt_err *err)
{
    struct tkt_wire_arena arena = {0};
    struct tkt_reader_noted noted;
    int n = tkt_reader_noted(reader, e->ticket, e->message, &arena, &noted, err);
    bool first = n == 1 && noted.is_first;

    tkt_wire_arena_release(&arena);
    return n < 0 ? -1 : first;
}

static int plan_event(struct tkt_noticeplan *p, const struct tkt_settings *set,
                      struct tkt_reader *reader, const struct tkt_store_event *e,
                      struct tkt_err *err)
{
    const struct kind *k = kind_of(e->kind);

    if (e->ticket == 0) {
        return 0;
    }
    if (ends_waiting(e->kind) && tkt_noticeplan_answered(p, e->ticket) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (k == NULL || is_left_out(set->conf, k, e)) {
        return 0;
    }
    if (k->what == TKT_NOTICE_FOLLOW_UP) {
        int first = is_first(reader, e, err);

        if (first != 0) {
            return first < 0 ? -1 : 0; /* ticket.confirmed tells of it */
        }
    }
    if (plan_kind(p, reader, k, e, err) < 0) {
        return -1;
    }
    if (k->what == TKT_NOTICE_RESOLVED) { /* who hears of states hears of this one */
        const struct kind state = {k->name, TKT_NOTICE_STATE, false, false};

        return plan_kind(p, reader, &state, e, err);
    }
    return 0;
}

static int plan(const struct tkt_follow_round *round, void **out, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(round->tools, err);
    struct tkt_noticeplan *p =
        reader == NULL ? NULL : tkt_noticeplan_new(round->set, round->now_ms);

    if (p == NULL) {
        return reader == NULL ? -1 : tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    for (size_t i = 0; i < round->count; i++) {
        if (plan_event(p, round->set, reader, &round->events[i], err) < 0) {
            tkt_noticeplan_free(p);
            return -1;
        }
    }
    if (tkt_noticeplan_is_empty(p)) {
        tkt_noticeplan_free(p);
        return 0;
    }
    *out = p;
    return 0;
}

static int apply(struct tkt_store *store, void *plan, struct tkt_err *err)
{
    return tkt_noticeplan_apply(store, plan, err);
}

static void release(void *plan)
{
    tkt_noticeplan_free(plan);
}

const struct tkt_follower tkt_follow_notify = {
    .name = "notify", .wanted = wanted, .plan = plan, .apply = apply, .release = release};

/* ---- questions --------------------------------------------------------------------------------- */

struct question {
    struct tkt_settings *set;
    struct tkt_noticeplan *plan;
    struct tkt_err err;
};

static void release_question(struct question *q)
{
    tkt_noticeplan_free(q->plan);
    tkt_settings_put(&q->set);
    free(q);
}

/* {"fields":[...],"language":"de","text":"..."} of the store. */
static void plan_question(struct tkt_running *r, struct tkt_tools *tools)
{
    struct question *q = r->state;
    struct tkt_reader *reader = tkt_tools_reader(tools, &q->err);
    cJSON *payload = cJSON_Parse(r->job.payload ? r->job.payload : "{}");
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(payload, "text"));
    const char *language =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(payload, "language"));
    char once[80];

    (void)snprintf(once, sizeof(once), "job:%" PRId64, r->job.id); /* has room */
    const struct tkt_noticed in = {.what = TKT_NOTICE_ACTION_REQUIRED,
                                   .ticket = r->job.ticket,
                                   .message = r->job.message,
                                   .at_ms = r->job.created_ms,
                                   .data = "",
                                   .text = text ? text : "",
                                   .language = language ? language : "",
                                   .once = once};
    if (reader != NULL) {
        q->plan = tkt_noticeplan_new(q->set, tkt_clock_wall_ms());
        if (q->plan == NULL) {
            tkt_err_set(&q->err, TKT_ERR_TEMP, "no memory");
        } else {
            (void)tkt_noticeplan_add(q->plan, reader, &in, &q->err); /* q->err tells */
        }
    }
    cJSON_Delete(payload);
}

static int apply_question(struct tkt_store *store, struct tkt_running *r,
                          struct tkt_err *err)
{
    const struct question *q = r->state;

    if (tkt_store_job_finish(store, r->job.id, r->owner, TKT_JOB_DONE, 0, "",
                             tkt_clock_wall_ms(), err) < 0) {
        return -1;
    }
    if (tkt_noticeplan_apply(store, q->plan, err) < 0) {
        err->class = TKT_ERR_TEMP; /* the end must not stand without it */
        return -1;
    }
    return 0;
}

static void recorded(struct tkt_running *r, const struct tkt_err *err)
{
    struct tkt_dispatch *dispatch = r->d->dispatch;
    struct tkt_err last = *err;

    release_question(r->state);
    r->state = NULL;
    if (last.class != TKT_ERR_NONE) {
        tkt_running_finish(r, &last);
    }
    tkt_dispatch_poke(dispatch);
}

static void planned(struct tkt_running *r)
{
    struct question *q = r->state;
    struct tkt_err err = q->err;

    if (err.class == TKT_ERR_NONE) {
        tkt_running_commit(r, apply_question, recorded);
        return;
    }
    release_question(q);
    r->state = NULL;
    tkt_running_finish(r, &err);
}

void tkt_question_start(struct tkt_running *r)
{
    struct question *q = calloc(1, sizeof(*q));

    if (q == NULL) {
        tkt_running_give_back(r, BUSY_DELAY_MS, "no memory");
        return;
    }
    q->set = tkt_settings_get(r->d);
    q->err = (struct tkt_err)TKT_ERR_INIT;
    r->state = q;
    /* Not its fault that it cannot run now: nothing is counted, told or given up. */
    if (!tkt_subscribed(q->set->conf, TKT_NOTICE_ACTION_REQUIRED)) {
        r->state = NULL;
        release_question(q);
        tkt_running_give_back(r, QUESTION_WAIT_MS,
                              "no section notify is on action_required: it waits until "
                              "there is one");
    } else if (tkt_running_in_pool(r, plan_question, planned) < 0) {
        r->state = NULL;
        release_question(q);
        tkt_running_give_back(r, BUSY_DELAY_MS, "no thread is free");
    }
}

/* ---- by the clock ----------------------------------------------------------------------------- */

struct tick {
    int64_t now_ms;
    int released;
};

static int apply_release(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tick *t = arg;

    t->released =
        tkt_store_notices_release(store, t->now_ms, TKT_NOTICE_RELEASE_MAX, err);
    return t->released < 0 ? -1 : 0;
}

static void remind(struct tkt_daemon *d, struct tkt_settings *set,
                   struct tkt_reader *reader, int64_t now_ms)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reminders *due = NULL;

    if (tkt_reminders_plan(set, reader, now_ms, &due, &err) == 1 &&
        tkt_commit_call(d->commit, tkt_reminders_apply, due, true, &err) == 0) {
        tkt_dispatch_poke(d->dispatch);
    }
    if (err.class != TKT_ERR_NONE) {
        tkt_log(TKT_LOG_ERROR, NULL, "notice.remind", "error", err.text, NULL);
    }
    tkt_reminders_free(&due);
}

struct forgetting {
    int64_t before_ms, now_ms;
};

static int apply_forget(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct forgetting *f = arg;

    return tkt_store_contacts_expire(store, f->before_ms, TKT_NOTICE_RELEASE_MAX,
                                     f->now_ms, err) < 0
               ? -1
               : 0;
}

/* Each hour: addresses that failed are tried again in the end. */
static void forget_marks(struct tkt_daemon *d, const struct tkt_settings *set,
                         int64_t now_ms)
{
    static _Atomic int64_t next_ms;
    int64_t keep_ms = set->conf->limits.undeliverable_ms;
    struct forgetting f = {.before_ms = now_ms - keep_ms, .now_ms = now_ms};
    struct tkt_err err = TKT_ERR_INIT;

    if (keep_ms == 0 || tkt_clock_mono_ms() < next_ms) {
        return;
    }
    next_ms = tkt_clock_mono_ms() + TKT_NOTICEPLAN_HOUR_MS;
    if (tkt_commit_call(d->commit, apply_forget, &f, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "notice.forget", "error", err.text, NULL);
    }
}

void tkt_notice_tick(struct tkt_daemon *d, struct tkt_settings *set,
                     struct tkt_tools *tools)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *reader =
        set->conf->channel_count > 0 ? tkt_tools_reader(tools, &err) : NULL;
    struct tick t = {.now_ms = tkt_clock_wall_ms()};

    if (reader == NULL) {
        return;
    }
    if (tkt_reader_notices_due(reader, t.now_ms, &err) == 1) {
        if (tkt_commit_call(d->commit, apply_release, &t, true, &err) < 0) {
            tkt_log(TKT_LOG_ERROR, NULL, "notice.release", "error", err.text, NULL);
        } else if (t.released > 0) {
            tkt_dispatch_poke(d->dispatch);
        }
    }
    remind(d, set, reader, t.now_ms);
    forget_marks(d, set, t.now_ms);
}
