/* SPDX-License-Identifier: BSD-2-Clause
 * The thread: claims, starts, waits, records.
 */
#include "ticketd/dispatch.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/dispatch_private.h"

#include <stdio.h>
#include <string.h>

#define LEASE_MS 60000
/* A poke waits this long for more of its kind: jobs are done in batches, beside mail. */
#define GATHER_MS 50
/* No longer without a look, whatever is due: a person may have said retry. */
#define LOOK_MS 5000
/* The same while one is held: its time may run out. */
#define HELD_LOOK_MS 500

/* ---- in the commit writer ------------------------------------------------------------- */

static int apply_claim(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_dispatch *p = arg;
    int room = (int)TKT_MIN((size_t)TKT_DISPATCH_CLAIM_MAX,
                            TKT_DISPATCH_HELD_MAX - p->held_count);

    tkt_jobs_release(p->claimed, p->claimed_count); /* of a first try that was undone */
    p->claimed_count = tkt_store_jobs_claim(store, p->owner, tkt_clock_wall_ms(),
                                            LEASE_MS, p->claimed, room, err);
    if (p->claimed_count < 0) {
        p->claimed_count = 0;
        return -1;
    }
    return tkt_store_jobs_next_due(store, &p->next_due_ms, err);
}

static int apply_finish(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_dispatch *p = arg;

    for (const struct tkt_running *r = p->finished; r; r = r->next) {
        struct tkt_err one = TKT_ERR_INIT;

        if (!r->is_recorded &&
            tkt_store_job_finish_in_doubt(store, r->job.id, p->owner, r->verdict.outcome,
                                          r->doubt, r->verdict.run_after_ms, r->reason,
                                          tkt_clock_wall_ms(), &one) < 0 &&
            one.class !=
                TKT_ERR_PERM) { /* PERM: the lease ran out, it is another's now */
            *err = one;
            return -1;
        }
    }
    return 0;
}

static int apply_renew(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_dispatch *p = arg;
    int64_t ids[TKT_DISPATCH_HELD_MAX];
    size_t count = 0;

    for (const struct tkt_running *r = p->held; r && count < TKT_ARRAY_LEN(ids);
         r = r->next) {
        ids[count++] = r->job.id;
    }
    return tkt_store_jobs_renew(store, ids, count, p->owner,
                                tkt_clock_wall_ms() + LEASE_MS, err);
}

/* ---- rounds --------------------------------------------------------------------------- */

static void record_finished(struct tkt_dispatch *p)
{
    struct tkt_err err = TKT_ERR_INIT;
    bool any = false;

    for (const struct tkt_running *r = p->finished; r; r = r->next) {
        any = any || !r->is_recorded;
    }
    if (any && tkt_commit_call(p->d->commit, apply_finish, p, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "job.unrecorded", "error", err.text, NULL);
    }
    while (p->finished) { /* unrecorded ones come back when their lease ends */
        struct tkt_running *r = p->finished;

        p->finished = r->next;
        tkt_jobs_release(&r->job, 1);
        free(r);
        p->look = true; /* what waited in its lane may be due */
    }
}

static void renew_leases(struct tkt_dispatch *p)
{
    struct tkt_err err = TKT_ERR_INIT;
    int64_t now = tkt_clock_mono_ms();

    if (!p->held) {
        p->renew_at_ms = now + LEASE_MS / 3;
    } else if (now >= p->renew_at_ms) {
        if (tkt_commit_call(p->d->commit, apply_renew, p, true, &err) < 0) {
            tkt_log(TKT_LOG_ERROR, NULL, "job.renew", "error", err.text, NULL);
        }
        p->renew_at_ms = now + LEASE_MS / 3;
    }
}

/* true when there may be more at once. */
static bool claim_some(struct tkt_dispatch *p)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (p->held_count >= TKT_DISPATCH_HELD_MAX) {
        return false; /* the end of one brings us back */
    }
    if (tkt_commit_call(p->d->commit, apply_claim, p, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "job.claim", "error", err.text, NULL);
        tkt_jobs_release(p->claimed, p->claimed_count);
        p->claimed_count = 0;
        p->next_due_ms = INT64_MAX;
        return false;
    }
    int count = p->claimed_count;

    p->claimed_count = 0;
    for (int i = 0; i < count; i++) {
        tkt_dispatch_hold(p, &p->claimed[i]);
    }
    return count == TKT_DISPATCH_CLAIM_MAX;
}

static void poll_once(struct tkt_dispatch *p, int64_t wait_ms)
{
    tkt_http_poll(p->http, wait_ms);
    tkt_dispatch_take_back(p);
    tkt_dispatch_start_held(p);
    record_finished(p);
    renew_leases(p);
}

static void notice_reload(struct tkt_dispatch *p)
{
    struct tkt_settings *now = tkt_settings_get(p->d);

    if (now != p->settings) {
        p->settings = now;
        tkt_dispatch_forgive(p);
    }
    tkt_settings_put(&now);
}

static bool is_stopping(struct tkt_dispatch *p)
{
    return atomic_load(&p->stopping);
}

static void gather(struct tkt_dispatch *p)
{
    int64_t until = tkt_clock_mono_ms() + GATHER_MS;
    int64_t left;

    while ((left = until - tkt_clock_mono_ms()) > 0 && !is_stopping(p)) {
        poll_once(p, left);
    }
}

/* Until there is something to claim. */
static void wait_for_work(struct tkt_dispatch *p)
{
    int64_t until = tkt_clock_mono_ms() + LOOK_MS;

    while (!is_stopping(p) && !atomic_load(&p->poked) && !p->look) {
        int64_t due = p->next_due_ms - tkt_clock_wall_ms();
        int64_t left = TKT_MIN(due, until - tkt_clock_mono_ms());

        if (left <= 0) {
            return;
        }
        poll_once(p, p->held ? TKT_MIN(left, HELD_LOOK_MS) : left);
    }
}

/* What ends in time is recorded; all that was not begun goes back at once. */
static void drain(struct tkt_dispatch *p)
{
    int64_t until = tkt_clock_mono_ms() + TKT_DISPATCH_DRAIN_MS;

    tkt_dispatch_stop_held(p);
    record_finished(p);
    while (p->held && (tkt_clock_mono_ms() < until || p->in_pool > 0)) {
        poll_once(p, 100);
        tkt_dispatch_stop_held(p); /* what came back from the pool meanwhile */
        record_finished(p);
    }
    while (p->held) {
        tkt_dispatch_drop(p, p->held); /* they come back when their lease ends */
    }
}

static void *dispatch_main(void *arg)
{
    struct tkt_dispatch *p = arg;

    while (!is_stopping(p)) {
        atomic_store(&p->poked, false);
        p->look = false;
        notice_reload(p);
        bool more = claim_some(p);

        poll_once(p, 0);
        if (more) {
            continue;
        }
        wait_for_work(p);
        gather(p);
    }
    drain(p);
    return NULL;
}

struct tkt_dispatch *tkt_dispatch_start(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_dispatch *p = calloc(1, sizeof(*p));
    unsigned char random[8];
    char hex[17];

    if (!p || !(p->http = tkt_http_new(err))) {
        free(p);
        tkt_err_set(err, TKT_ERR_TEMP, "dispatch: no memory");
        return NULL;
    }
    p->d = d;
    p->held_end = &p->held;
    tkt_random(random, sizeof(random));
    tkt_hex_encode(random, sizeof(random), hex);
    snprintf(p->owner, sizeof(p->owner), "ticketd:%ld:%s", (long)getpid(), hex);
    pthread_mutex_init(&p->back_lock, NULL);
    int rc = pthread_create(&p->thread, NULL, dispatch_main, p);
    if (rc != 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "dispatch: thread: %s", strerror(rc));
        tkt_http_free(&p->http);
        pthread_mutex_destroy(&p->back_lock);
        free(p);
        return NULL;
    }
    return p;
}

void tkt_dispatch_poke(struct tkt_dispatch *p)
{
    if (p && !atomic_exchange(&p->poked, true)) {
        tkt_http_wake(p->http);
    }
}

void tkt_dispatch_stop(struct tkt_dispatch **dispatch)
{
    struct tkt_dispatch *p = *dispatch;

    if (!p) {
        return;
    }
    atomic_store(&p->stopping, true);
    tkt_http_wake(p->http);
    pthread_join(p->thread, NULL);
    tkt_http_free(&p->http);
    tkt_dispatch_groups_free(p);
    pthread_mutex_destroy(&p->back_lock);
    free(p);
    *dispatch = NULL;
}
