/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/jobs/running.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/jobs/dispatch_private.h"
#include "ticketd/watch/measure.h"

#include <stdio.h>
#include <string.h>

const char *tkt_dispatch_group_of(const char *kind, const char *target)
{
    const struct tkt_job_kind *k = tkt_job_kind_of(kind, target);

    return k->group ? k->group : target;
}

/* ---- groups ----------------------------------------------------------------------------- */

static struct tkt_lane_group *group_get(struct tkt_dispatch *p, const char *name,
                                        bool is_target)
{
    struct tkt_lane_group *g = p->groups;

    while (g && strcmp(g->name, name) != 0) {
        g = g->next;
    }
    if (!g && (g = calloc(1, sizeof(*g)))) {
        tkt_group_init(g, name, is_target);
        g->next = p->groups;
        p->groups = g;
    }
    return g;
}

void tkt_dispatch_groups_free(struct tkt_dispatch *p)
{
    while (p->groups) {
        struct tkt_lane_group *g = p->groups;

        p->groups = g->next;
        free(g);
    }
}

static void set_kind(struct tkt_dispatch *p, const struct tkt_job_kind *kind)
{
    struct tkt_lane_group *g = group_get(p, kind->group, false);

    if (g) {
        tkt_group_set(g, kind->at_once_of ? kind->at_once_of(p->d) : kind->at_once, 0);
        if (kind->latest_ms) { /* it may have to end though there is no room */
            g->ahead = TKT_DISPATCH_WAITING_MAX;
        }
    }
}

void tkt_dispatch_set_groups(struct tkt_dispatch *p, const struct tkt_conf *conf)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        struct tkt_lane_group *g = group_get(p, conf->itsms[i].name, true);

        if (g) {
            tkt_group_set(g, (int)conf->itsms[i].concurrency, conf->itsms[i].rate);
        }
    }
    for (size_t i = 0; i < conf->channel_count; i++) {
        struct tkt_lane_group *g = group_get(p, conf->channels[i].name, true);

        if (g) {
            tkt_group_set(g, (int)conf->channels[i].concurrency, conf->channels[i].rate);
        }
    }
    for (size_t i = 0; tkt_job_kinds[i]; i++) {
        if (tkt_job_kinds[i]->group) {
            set_kind(p, tkt_job_kinds[i]);
        }
    }
    set_kind(p, tkt_job_kind_of("", TKT_STORE_CHANNEL));
    for (struct tkt_lane_group *g = p->groups; g; g = g->next) {
        tkt_group_forgive(g);
    }
}

void tkt_dispatch_dare(struct tkt_dispatch *p, const char *target)
{
    size_t n = 0;

    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->back_lock);
    while (n < TKT_MIN(p->dare_count, (size_t)TKT_DISPATCH_DARES) &&
           strcmp(p->dares[n], target) != 0) {
        n++;
    }
    if (n < TKT_DISPATCH_DARES) {
        snprintf(p->dares[n], sizeof(p->dares[n]), "%s", target);
    }
    p->dare_count = TKT_MAX(p->dare_count, n + 1);
    tkt_http_wake(p->http);
    pthread_mutex_unlock(&p->back_lock);
}

static bool is_dared(const struct tkt_lane_group *g,
                     char (*dares)[TKT_STORE_TARGET_MAX + 1], size_t count)
{
    bool found = count > TKT_DISPATCH_DARES;

    for (size_t i = 0; i < count && !found; i++) {
        found = strcmp(dares[i], g->name) == 0;
    }
    return found && g->is_target;
}

void tkt_dispatch_take_dares(struct tkt_dispatch *p)
{
    char dares[TKT_DISPATCH_DARES][TKT_STORE_TARGET_MAX + 1];

    pthread_mutex_lock(&p->back_lock);
    size_t count = p->dare_count;
    memcpy(dares, p->dares, sizeof(dares));
    p->dare_count = 0;
    pthread_mutex_unlock(&p->back_lock);
    for (struct tkt_lane_group *g = count > 0 ? p->groups : NULL; g; g = g->next) {
        if (is_dared(g, dares, count)) {
            tkt_group_dare(g);
        }
    }
    p->look = p->look || count > 0;
}

/* ---- the list ---------------------------------------------------------------------------- */

static void link_held(struct tkt_dispatch *p, struct tkt_running *r)
{
    r->next = NULL;
    r->prev = p->held_end;
    *p->held_end = r;
    p->held_end = &r->next;
    p->held_count++;
}

static void unlink_held(struct tkt_dispatch *p, struct tkt_running *r)
{
    *r->prev = r->next;
    if (r->next) {
        r->next->prev = r->prev;
    } else {
        p->held_end = r->prev;
    }
    p->held_count--;
}

static void leave_turn(struct tkt_running *r)
{
    r->group->sending -= r->has_turn;
    r->has_turn = false;
}

static const char *outcome_of(const struct tkt_running *r)
{
    static const char *const names[] = {[TKT_JOB_DONE] = "done",
                                        [TKT_JOB_DEFER] = "deferred",
                                        [TKT_JOB_PARK] = "parked",
                                        [TKT_JOB_RETURN] = "returned"};

    return r->is_recorded ? "done" : names[r->verdict.outcome];
}

/* Its group has room for another; it is held until its end is recorded. */
static void end(struct tkt_running *r)
{
    struct tkt_dispatch *p = r->dispatch;

    tkt_measure_job(r->d->measure, r->job.target, r->job.kind, outcome_of(r));

    leave_turn(r);
    if (!r->is_ended) {
        r->group->held--;
        r->group->started -= r->is_started;
    }
    r->is_ended = true;
    r->book_next = NULL;
    if (p->finished_count++ == 0) {
        p->finished_at_ms = tkt_clock_mono_ms();
    }
    *p->finished_end = r;
    p->finished_end = &r->book_next;
}

void tkt_dispatch_drop(struct tkt_dispatch *p, struct tkt_running *r)
{
    unlink_held(p, r);
    tkt_jobs_release(&r->job, 1);
    free(r);
}

/* ---- how one ends ------------------------------------------------------------------------ */

static void tell_paused(const struct tkt_running *r, const char *why)
{
    int64_t now = tkt_clock_mono_ms();

    tkt_log(TKT_LOG_WARNING, NULL, "target.paused", "target", r->group->name, "for_ms",
            TKT_NUM(tkt_group_wait(r->group, now)), "reason", why, NULL);
}

static void tell_group(struct tkt_running *r, const struct tkt_err *err)
{
    struct tkt_lane_group *g = r->group;
    bool failed = r->word == TKT_WORD_FAILED ||
                  (r->word == TKT_WORD_BY_CLASS && err->class == TKT_ERR_TEMP);

    if (!g->is_target || !(r->had_turn || r->word == TKT_WORD_FAILED)) {
        return;
    }
    if (err->class == TKT_ERR_NONE) {
        tkt_group_worked(g);
    }
    if (!failed) {
        tkt_group_answered(g);
    } else if (tkt_group_failed(g, (int64_t)err->retry_after_s * 1000,
                                tkt_clock_mono_ms())) {
        tell_paused(r, err->text);
    }
}

void tkt_running_rest(struct tkt_running *r, int64_t ms)
{
    int64_t now = tkt_clock_mono_ms();
    bool rests = r->group->rest_until_ms > now;

    tkt_group_rest(r->group, ms, now);
    if (!rests && r->group->rest_until_ms > now) {
        tell_paused(r, "it says that its limit is used up");
    }
}

void tkt_running_finish(struct tkt_running *r, const struct tkt_err *err)
{
    uint16_t jitter;

    tell_group(r, err);
    tkt_random(&jitter, sizeof(jitter));
    r->verdict =
        tkt_backoff_aged(&r->job, err, jitter, tkt_clock_wall_ms(),
                         r->park_after_ms ? r->park_after_ms : TKT_BACKOFF_AGE_MS);
    snprintf(r->reason, sizeof(r->reason), "%.299s", err->text);
    if (r->verdict.outcome != TKT_JOB_DONE) {
        bool parked = r->verdict.outcome == TKT_JOB_PARK;

        tkt_log(parked ? TKT_LOG_ERROR : TKT_LOG_WARNING, r->job.ticket_id,
                parked ? "job.parked" : "job.deferred", "job", TKT_NUM(r->job.id), "kind",
                r->job.kind, "target", r->job.target, "attempts",
                TKT_NUM(r->job.attempts), "reason", r->reason, NULL);
    } else {
        tkt_log(TKT_LOG_DEBUG, r->job.ticket_id, "job.done", "job", TKT_NUM(r->job.id),
                "kind", r->job.kind, "target", r->job.target, NULL);
    }
    end(r);
}

void tkt_running_recorded(struct tkt_running *r)
{
    r->is_recorded = true;
    end(r);
}

void tkt_running_retry(struct tkt_running *r, int64_t delay_ms, const char *why)
{
    r->verdict = (struct tkt_verdict){TKT_JOB_DEFER, tkt_clock_wall_ms() + delay_ms};
    snprintf(r->reason, sizeof(r->reason), "%.299s", why);
    end(r);
}

void tkt_running_give_back(struct tkt_running *r, int64_t delay_ms, const char *why)
{
    if (r->is_probe) {
        tkt_breaker_forget(&r->group->breaker);
    }
    r->verdict =
        (struct tkt_verdict){TKT_JOB_RETURN, tkt_clock_wall_ms() + TKT_MAX(0, delay_ms)};
    snprintf(r->reason, sizeof(r->reason), "%.299s", why);
    end(r);
}

void tkt_running_commit(struct tkt_running *r,
                        int (*record)(struct tkt_store *store, struct tkt_running *r,
                                      struct tkt_err *err),
                        void (*recorded)(struct tkt_running *r,
                                         const struct tkt_err *err))
{
    const struct tkt_err none = TKT_ERR_INIT;

    tell_group(r, &none);
    r->record = record;
    r->recorded = recorded;
    end(r);
}

/* ---- whose turn it is ---------------------------------------------------------------------- */

static bool is_stopping(struct tkt_dispatch *p)
{
    return atomic_load(&p->stopping);
}

static void ready_shift(struct tkt_lane_group *g)
{
    struct tkt_running *r = g->ready;

    g->ready = r->ready_next;
    if (!g->ready) {
        g->ready_end = &g->ready;
    }
    r->ready_next = NULL;
    r->is_ready = false;
}

/* Not all at one moment. */
static int64_t spread(int64_t wait_ms)
{
    uint16_t jitter;

    tkt_random(&jitter, sizeof(jitter));
    return wait_ms + wait_ms * (jitter % 1024) / 4096;
}

void tkt_dispatch_give_turns(struct tkt_dispatch *p, struct tkt_lane_group *g)
{
    int64_t now = tkt_clock_mono_ms();

    while (g->ready) {
        struct tkt_running *r = g->ready;
        int64_t wait = is_stopping(p) ? 0 : tkt_group_turn(g, now, &r->is_probe);

        if (is_stopping(p) || wait > TKT_GROUP_PATIENCE_MS) {
            ready_shift(g);
            r->go(r, TKT_MAX(spread(wait), INT64_C(1)));
        } else if (wait != 0) {
            p->turn_at_ms = wait > 0 ? TKT_MIN(p->turn_at_ms, now + wait) : p->turn_at_ms;
            return;
        } else {
            ready_shift(g);
            g->sending++;
            r->has_turn = r->had_turn = true;
            r->go(r, 0);
        }
    }
}

void tkt_running_turn(struct tkt_running *r,
                      void (*go)(struct tkt_running *r, int64_t wait_ms))
{
    struct tkt_lane_group *g = r->group;

    r->go = go;
    r->is_ready = true;
    r->ready_next = NULL;
    *g->ready_end = r;
    g->ready_end = &r->ready_next;
}

static bool has_room(const struct tkt_running *r)
{
    const struct tkt_lane_group *g = r->group;
    int most = g->is_target ? g->most + g->ahead : g->most;

    return g->started < most ||
           (r->kind->latest_ms && tkt_clock_wall_ms() >= r->kind->latest_ms(r));
}

static void try_one(struct tkt_dispatch *p, struct tkt_running *r)
{
    int64_t wait = tkt_group_wait(r->group, tkt_clock_mono_ms());

    if (is_stopping(p)) {
        tkt_running_give_back(r, 0, "ticketd stopped");
    } else if (wait > TKT_GROUP_PATIENCE_MS) {
        tkt_running_give_back(r, spread(wait), "its target is left alone for a while");
    } else if (has_room(r)) {
        r->group->started++;
        r->is_started = true;
        r->kind->start(r);
    }
}

void tkt_dispatch_hold(struct tkt_dispatch *p, struct tkt_job *job)
{
    struct tkt_running *r = calloc(1, sizeof(*r));
    const struct tkt_job_kind *kind = tkt_job_kind_of(job->kind, job->target);

    if (!r || !(r->group = group_get(p, kind->group ? kind->group : job->target,
                                     kind->group == NULL))) {
        free(r); /* its lease brings it back */
        tkt_jobs_release(job, 1);
        return;
    }
    r->dispatch = p;
    r->d = p->d;
    r->kind = kind;
    r->owner = p->owner;
    r->http = p->http;
    r->job = *job;
    memset(job, 0, sizeof(*job));
    r->group->held++;
    link_held(p, r);
    try_one(p, r);
}

void tkt_dispatch_start_held(struct tkt_dispatch *p)
{
    struct tkt_running *next;

    for (struct tkt_running *r = p->held; r; r = next) {
        next = r->next;
        if (!r->is_started && !r->is_ended) {
            try_one(p, r);
        }
    }
    p->turn_at_ms = INT64_MAX;
    for (struct tkt_lane_group *g = p->groups; g; g = g->next) {
        tkt_dispatch_give_turns(p, g);
    }
}

void tkt_dispatch_stop_held(struct tkt_dispatch *p)
{
    struct tkt_running *next;

    for (struct tkt_running *r = p->held; r; r = next) {
        next = r->next;
        if (r->is_ended) {
            continue;
        }
        if (!r->is_started) {
            tkt_running_give_back(r, 0, "ticketd stopped");
        } else if (r->kind->stop && !r->in_pool) {
            r->kind->stop(r);
        }
    }
    for (struct tkt_lane_group *g = p->groups; g; g = g->next) {
        tkt_dispatch_give_turns(p, g);
    }
}
