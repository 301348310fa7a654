/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/dispatch.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "itsm/itsm.h"
#include "ticketd/backoff.h"
#include "ticketd/facts.h"
#include "ticketd/reanalyse.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CLAIM_MAX 64
#define LEASE_MS 60000
/* A poke waits this long for more of its kind: jobs are done in batches, beside mail. */
#define GATHER_MS 50
/* No longer without a look, whatever is due: a person may have said retry. */
#define LOOK_MS 5000
/* What waits for a channel is looked at again so often. */
#define HELD_MS (3600 * INT64_C(1000))

struct running {
    struct running *next;
    struct tkt_itsm_call call;
    struct tkt_dispatch *dispatch;
    struct tkt_job job;
    struct tkt_verdict verdict;
    char reason[300];
};

struct tkt_dispatch {
    struct tkt_daemon *d;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_bool poked;
    bool stopping; /* under lock */
    char owner[64];
    struct tkt_tools tools;
    /* the thread's own: */
    struct tkt_job claimed[CLAIM_MAX];
    int claimed_count;
    int64_t next_due_ms;
    struct running *finished; /* to be recorded */
    size_t in_flight;
};

/* ---- in the commit writer ------------------------------------------------------------- */

static int apply_claim(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_dispatch *p = arg;

    tkt_jobs_release(p->claimed, p->claimed_count); /* of a first try that was undone */
    p->claimed_count = tkt_store_jobs_claim(store, p->owner, tkt_clock_wall_ms(),
                                            LEASE_MS, p->claimed, CLAIM_MAX, err);
    if (p->claimed_count < 0) {
        p->claimed_count = 0;
        return -1;
    }
    return tkt_store_jobs_next_due(store, &p->next_due_ms, err);
}

static int apply_finish(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_dispatch *p = arg;

    for (const struct running *r = p->finished; r; r = r->next) {
        struct tkt_err one = TKT_ERR_INIT;

        if (tkt_store_job_finish(store, r->job.id, p->owner, r->verdict.outcome,
                                 r->verdict.run_after_ms, r->reason, tkt_clock_wall_ms(),
                                 &one) < 0 &&
            one.class !=
                TKT_ERR_PERM) { /* PERM: the lease ran out, it is another's now */
            *err = one;
            return -1;
        }
    }
    return 0;
}

/* ---- running -------------------------------------------------------------------------- */

static void finish(struct tkt_itsm_call *call, const struct tkt_err *err)
{
    struct running *r = call->owner;
    uint16_t jitter;

    tkt_random(&jitter, sizeof(jitter));
    r->verdict = tkt_backoff(&r->job, err, jitter, tkt_clock_wall_ms());
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
    r->next = r->dispatch->finished;
    r->dispatch->finished = r;
    r->dispatch->in_flight--;
}

static bool is_stopping(struct tkt_dispatch *p)
{
    pthread_mutex_lock(&p->lock);
    bool stopping = p->stopping;
    pthread_mutex_unlock(&p->lock);
    return stopping;
}

static void start_at_itsm(struct tkt_dispatch *p, struct running *r)
{
    struct tkt_settings *set = tkt_settings_get(p->d);
    const struct tkt_itsm_ops *ops =
        tkt_itsm_find(tkt_conf_itsm_type(set->conf, r->job.target));

    tkt_settings_put(&set);
    if (ops) {
        tkt_itsm_start(ops, &r->call);
        return;
    }
    struct tkt_err err = TKT_ERR_INIT;
    tkt_err_set(&err, TKT_ERR_CONF, "itsm %s has a type that is not built in",
                r->job.target);
    finish(&r->call, &err);
}

/* Not its fault that it cannot run now: nothing is counted, told or given up. */
static void put_off(struct tkt_dispatch *p, struct running *r, int64_t until_ms,
                    const char *why)
{
    r->verdict = (struct tkt_verdict){TKT_JOB_DEFER, until_ms};
    snprintf(r->reason, sizeof(r->reason), "%s", why);
    r->next = p->finished;
    p->finished = r;
    p->in_flight--;
}

/* Takes the job. */
static void run(struct tkt_dispatch *p, struct tkt_job *job)
{
    struct running *r = calloc(1, sizeof(*r));

    if (!r) { /* its lease brings it back */
        tkt_jobs_release(job, 1);
        return;
    }
    r->dispatch = p;
    r->job = *job;
    r->call = (struct tkt_itsm_call){.job = &r->job, .finish = finish, .owner = r};
    memset(job, 0, sizeof(*job));
    p->in_flight++;
    if (is_stopping(p)) {
        /* So that the next ticketd need not wait for the lease to end. */
        put_off(p, r, tkt_clock_wall_ms(), "ticketd stopped");
        return;
    }
    if (strcmp(r->job.target, TKT_STORE_CHANNEL) == 0) {
        put_off(p, r, tkt_clock_wall_ms() + HELD_MS,
                "no channel is configured: it waits until there is one");
        return;
    }
    if (strcmp(r->job.kind, "reanalyse") != 0) {
        start_at_itsm(p, r);
        return;
    }
    struct tkt_err err = TKT_ERR_INIT;
    if (tkt_reanalyse(p->d, &p->tools, &r->job, p->owner, &err) < 0) {
        finish(&r->call, &err);
        return;
    }
    p->in_flight--; /* finished in the transaction that updated the ticket */
    tkt_jobs_release(&r->job, 1);
    free(r);
}

static void record_finished(struct tkt_dispatch *p)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (p->finished && tkt_commit_call(p->d->commit, apply_finish, p, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "job.unrecorded", "error", err.text, NULL);
    }
    while (p->finished) { /* unrecorded ones come back when their lease ends */
        struct running *r = p->finished;

        p->finished = r->next;
        tkt_jobs_release(&r->job, 1);
        free(r);
    }
}

/* true when there may be more at once. */
static bool round_of_jobs(struct tkt_dispatch *p)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_commit_call(p->d->commit, apply_claim, p, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "job.claim", "error", err.text, NULL);
        tkt_jobs_release(p->claimed, p->claimed_count);
        p->next_due_ms = INT64_MAX;
        return false;
    }
    int count = p->claimed_count;
    for (int i = 0; i < count; i++) {
        run(p, &p->claimed[i]);
    }
    record_finished(p);
    return count == CLAIM_MAX;
}

/* ---- the thread ----------------------------------------------------------------------- */

static void wait_ms(struct tkt_dispatch *p, int64_t ms, bool until_poked)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&p->lock);
    while (!p->stopping && !(until_poked && atomic_load(&p->poked)) &&
           pthread_cond_timedwait(&p->wake, &p->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&p->lock);
}

static void *dispatch_main(void *arg)
{
    struct tkt_dispatch *p = arg;

    while (!is_stopping(p)) {
        atomic_store(&p->poked, false);
        if (round_of_jobs(p)) {
            continue;
        }
        int64_t due = p->next_due_ms - tkt_clock_wall_ms();
        wait_ms(p, TKT_MAX(0, TKT_MIN(due, LOOK_MS)), true);
        wait_ms(p, GATHER_MS, false);
    }
    tkt_tools_release(&p->tools);
    return NULL;
}

struct tkt_dispatch *tkt_dispatch_start(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_dispatch *p = calloc(1, sizeof(*p));
    pthread_condattr_t attr;
    unsigned char random[8];
    char hex[17];

    if (!p) {
        tkt_err_set(err, TKT_ERR_TEMP, "dispatch: no memory");
        return NULL;
    }
    p->d = d;
    p->tools.store_dir = d->store_dir;
    tkt_random(random, sizeof(random));
    tkt_hex_encode(random, sizeof(random), hex);
    snprintf(p->owner, sizeof(p->owner), "ticketd:%ld:%s", (long)getpid(), hex);
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &attr);
    pthread_condattr_destroy(&attr);
    int rc = pthread_create(&p->thread, NULL, dispatch_main, p);
    if (rc != 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "dispatch: thread: %s", strerror(rc));
        free(p);
        return NULL;
    }
    return p;
}

void tkt_dispatch_poke(struct tkt_dispatch *p)
{
    if (p && !atomic_exchange(&p->poked, true)) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_signal(&p->wake);
        pthread_mutex_unlock(&p->lock);
    }
}

void tkt_dispatch_stop(struct tkt_dispatch **dispatch)
{
    struct tkt_dispatch *p = *dispatch;

    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
    *dispatch = NULL;
}
