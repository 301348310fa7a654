/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/running.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/control_agents.h"
#include "ticketd/dispatch_private.h"
#include "ticketd/enrich.h"
#include "ticketd/itsmjob.h"
#include "ticketd/reanalyse.h"
#include "ticketd/refine.h"

#include <stdio.h>
#include <string.h>

#define PER_TARGET 8
#define BUSY_DELAY_MS 2000
/* What waits for a channel is looked at again so often. */
#define CHANNEL_LOOK_MS (3600 * INT64_C(1000))
#define QUEUE_MAX_MS 300000

/* ---- kinds ------------------------------------------------------------------------------ */

struct outcome {
    bool is_recorded;
    int64_t again_ms; /* not yet: look again after that; 0 = no */
    struct tkt_err err;
};

static void reanalyse_run(struct tkt_running *r, struct tkt_tools *tools)
{
    struct outcome *o = r->state;

    o->is_recorded = tkt_reanalyse(r->d, tools, &r->job, r->owner, false, &o->err) == 0;
}

static void enrich_run(struct tkt_running *r, struct tkt_tools *tools)
{
    struct outcome *o = r->state;

    o->is_recorded =
        tkt_enrich(r->d, tools, &r->job, r->owner, &o->again_ms, &o->err) == 0;
}

static void read_back(struct tkt_running *r)
{
    struct outcome o = *(struct outcome *)r->state;

    free(r->state);
    r->state = NULL;
    if (o.is_recorded) {
        tkt_running_recorded(r);
    } else if (o.again_ms > 0) {
        tkt_running_give_back(r, o.again_ms, "a directory is being asked");
    } else {
        tkt_running_finish(r, &o.err);
    }
}

static void read_start(struct tkt_running *r,
                       void (*run)(struct tkt_running *r, struct tkt_tools *tools))
{
    r->state = calloc(1, sizeof(struct outcome));
    if (!r->state || tkt_running_in_pool(r, run, read_back) < 0) {
        free(r->state);
        r->state = NULL;
        tkt_running_give_back(r, BUSY_DELAY_MS, "no thread is free");
    }
}

static void reanalyse_start(struct tkt_running *r)
{
    read_start(r, reanalyse_run);
}

static void enrich_start(struct tkt_running *r)
{
    read_start(r, enrich_run);
}

/* One at a time: mail that somebody waits for goes first. */
static const struct tkt_job_kind reanalyse_kind = {
    .kind = "reanalyse", .group = "(reading)", .at_once = 1, .start = reanalyse_start};

static const struct tkt_job_kind enrich_kind = {
    .kind = "enrich", .group = "(reading)", .at_once = 1, .start = enrich_start};

/* Not its fault that it cannot run now: nothing is counted, told or given up. */
static void channel_start(struct tkt_running *r)
{
    tkt_running_give_back(r, CHANNEL_LOOK_MS,
                          "no channel is configured: it waits until there is one");
}

static const struct tkt_job_kind channel_kind = {.kind = "",
                                                 .group = "(channel)",
                                                 .at_once = TKT_DISPATCH_HELD_MAX,
                                                 .start = channel_start};

const struct tkt_job_kind *const tkt_job_kinds[] = {
    &reanalyse_kind, &enrich_kind, &tkt_assign_job_kind, &tkt_refine_kind, NULL};

static const struct tkt_job_kind *kind_of(const struct tkt_job *job)
{
    if (strcmp(job->target, TKT_STORE_CHANNEL) == 0) {
        return &channel_kind;
    }
    for (size_t i = 0; tkt_job_kinds[i]; i++) {
        if (strcmp(tkt_job_kinds[i]->kind, job->kind) == 0) {
            return tkt_job_kinds[i];
        }
    }
    return &tkt_itsmjob_kind;
}

/* ---- groups ----------------------------------------------------------------------------- */

static struct tkt_lane_group *group_get(struct tkt_dispatch *p, const char *name)
{
    struct tkt_lane_group *g = p->groups;

    while (g && strcmp(g->name, name) != 0) {
        g = g->next;
    }
    if (!g && (g = calloc(1, sizeof(*g)))) {
        snprintf(g->name, sizeof(g->name), "%s", name);
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

void tkt_dispatch_forgive(struct tkt_dispatch *p)
{
    for (struct tkt_lane_group *g = p->groups; g; g = g->next) {
        tkt_breaker_success(&g->breaker);
    }
}

static void note_end(struct tkt_lane_group *g, int64_t now_ms)
{
    int64_t took = g->last_end_ms ? TKT_MIN(now_ms - g->last_end_ms, INT64_C(60000)) : 0;

    g->pace_ms = (7 * g->pace_ms + took) / 8;
    g->last_end_ms = now_ms;
}

/* When there will be room for one more, by half of the pace: too early costs a claim, too
 * late leaves the target idle. */
static int64_t queue_delay(struct tkt_lane_group *g, int64_t now_ms)
{
    g->queue_ms = TKT_MAX(g->queue_ms, now_ms + BUSY_DELAY_MS) + g->pace_ms / 2;
    g->queue_ms = TKT_MIN(g->queue_ms, now_ms + QUEUE_MAX_MS);
    return g->queue_ms - now_ms;
}

static bool has_circuit(const struct tkt_running *r)
{
    return r->kind->group == NULL;
}

static bool has_room(const struct tkt_running *r)
{
    int most = r->kind->at_once ? r->kind->at_once : PER_TARGET;

    if (r->kind->at_once_of) {
        most = r->kind->at_once_of(r->d);
    }
    return r->group->in_flight < most ||
           (r->kind->latest_ms && tkt_clock_wall_ms() >= r->kind->latest_ms(r));
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
    if (r->is_started) {
        r->group->in_flight--;
    } else {
        r->group->waiting--;
    }
}

static void end(struct tkt_running *r)
{
    struct tkt_dispatch *p = r->dispatch;

    if (r->is_started && r->verdict.outcome != TKT_JOB_RETURN) {
        note_end(r->group, tkt_clock_mono_ms());
    }
    unlink_held(p, r);
    r->next = p->finished;
    p->finished = r;
}

void tkt_dispatch_drop(struct tkt_dispatch *p, struct tkt_running *r)
{
    unlink_held(p, r);
    tkt_jobs_release(&r->job, 1);
    free(r);
}

/* ---- how one ends ------------------------------------------------------------------------ */

static void tell_circuit(struct tkt_running *r, const struct tkt_err *err)
{
    struct tkt_breaker *b = &r->group->breaker;

    if (!has_circuit(r)) {
        return;
    }
    if (err->class != TKT_ERR_TEMP) {
        tkt_breaker_success(b); /* it answers, whatever it says */
        return;
    }
    bool was_open = b->state == TKT_BREAKER_OPEN;

    tkt_breaker_failure(b, (int64_t)err->retry_after_s * 1000, tkt_clock_mono_ms());
    if (!was_open && b->state == TKT_BREAKER_OPEN) {
        tkt_log(TKT_LOG_WARNING, NULL, "target.paused", "target", r->group->name,
                "for_ms", TKT_NUM(b->until_ms - tkt_clock_mono_ms()), "reason", err->text,
                NULL);
    }
}

void tkt_running_finish(struct tkt_running *r, const struct tkt_err *err)
{
    uint16_t jitter;

    tell_circuit(r, err);
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

/* ---- the pool of threads ------------------------------------------------------------------ */

static void in_pool(struct tkt_tools *tools, struct tkt_work_item *item)
{
    struct tkt_running *r = (struct tkt_running *)(void *)item;
    struct tkt_dispatch *p = r->dispatch;

    r->pool_run(r, tools);
    pthread_mutex_lock(&p->back_lock);
    r->back_next = p->back;
    p->back = r;
    /* Under the lock: behind it dispatch may be gone. */
    tkt_http_wake(p->http);
    pthread_mutex_unlock(&p->back_lock);
}

int tkt_running_in_pool(struct tkt_running *r,
                        void (*run)(struct tkt_running *r, struct tkt_tools *tools),
                        void (*back)(struct tkt_running *r))
{
    r->work = (struct tkt_work_item){.run = in_pool, .key = tkt_work_key("(later)")};
    r->pool_run = run;
    r->pool_back = back;
    r->in_pool = true;
    if (!r->d->work || tkt_work_push(r->d->work, &r->work) < 0) {
        r->in_pool = false;
        return -1;
    }
    r->dispatch->in_pool++;
    return 0;
}

void tkt_dispatch_take_back(struct tkt_dispatch *p)
{
    pthread_mutex_lock(&p->back_lock);
    struct tkt_running *r = p->back;
    p->back = NULL;
    pthread_mutex_unlock(&p->back_lock);
    while (r) {
        struct tkt_running *next = r->back_next;

        r->in_pool = false;
        p->in_pool--;
        r->pool_back(r);
        r = next;
    }
}

/* ---- whose turn it is ---------------------------------------------------------------------- */

static void start_one(struct tkt_running *r)
{
    r->group->waiting--;
    r->group->in_flight++;
    r->is_started = true;
    r->is_probe = has_circuit(r) && r->group->breaker.state == TKT_BREAKER_HALF_OPEN;
    r->kind->start(r);
}

/* true: started or given back. */
static bool try_one(struct tkt_dispatch *p, struct tkt_running *r)
{
    if (atomic_load(&p->stopping)) {
        tkt_running_give_back(r, 0, "ticketd stopped");
        return true;
    }
    if (!has_room(r)) {
        return false;
    }
    int64_t wait =
        has_circuit(r) ? tkt_breaker_ask(&r->group->breaker, tkt_clock_mono_ms()) : 0;
    if (wait > 0) {
        uint16_t jitter;

        /* Not all at one moment: the first is the probe. */
        tkt_random(&jitter, sizeof(jitter));
        tkt_running_give_back(r, wait + wait * (jitter % 1024) / 4096,
                              "its target is left alone for a while");
        return true;
    }
    start_one(r);
    return true;
}

void tkt_dispatch_hold(struct tkt_dispatch *p, struct tkt_job *job)
{
    struct tkt_running *r = calloc(1, sizeof(*r));
    const struct tkt_job_kind *kind = kind_of(job);

    if (!r || !(r->group = group_get(p, kind->group ? kind->group : job->target))) {
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
    r->group->waiting++;
    link_held(p, r);
    if (!try_one(p, r) && r->group->waiting > TKT_DISPATCH_WAITING_MAX) {
        int64_t delay = queue_delay(r->group, tkt_clock_mono_ms());

        if (kind->latest_ms) {
            delay = TKT_MIN(delay, kind->latest_ms(r) - tkt_clock_wall_ms());
        }
        tkt_running_give_back(r, delay, "its target is busy");
    }
}

void tkt_dispatch_start_held(struct tkt_dispatch *p)
{
    struct tkt_running *next;

    for (struct tkt_running *r = p->held; r; r = next) {
        next = r->next;
        if (!r->is_started) {
            (void)try_one(p, r); /* false: it waits on */
        }
    }
}

void tkt_dispatch_stop_held(struct tkt_dispatch *p)
{
    struct tkt_running *next;

    for (struct tkt_running *r = p->held; r; r = next) {
        next = r->next;
        if (!r->is_started) {
            tkt_running_give_back(r, 0, "ticketd stopped");
        } else if (r->kind->stop && !r->in_pool) {
            r->kind->stop(r);
        }
    }
}
