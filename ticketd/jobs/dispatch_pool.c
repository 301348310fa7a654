/* SPDX-License-Identifier: BSD-2-Clause
 * What of a job may block: threads of the pools do it, and dispatch takes it back.
 *
 * What reads mail waits in one list, and few threads ("runs") work it off one by one: a
 * thread for each would be woken for each, only to wait with all others for the few children
 * that read for jobs. One more begins when there is a child for it and enough to do, or when
 * all that are out are stuck with what takes long.
 */
#include "base/clock.h"
#include "base/util.h"
#include "ticketd/jobs/dispatch_private.h"

#include <unistd.h>

/* So many wait for each run before another one begins. */
#define WAITING_A_RUN 4
/* A run is stuck when one job took so long. */
#define STUCK_MS 25
/* Then it lets mail go first, if there is any. */
#define TURN_MS 20

/* With the lock held: behind it dispatch may be gone. The first one wakes it, it takes all. */
static void give_back(struct tkt_dispatch *p, struct tkt_running *r)
{
    r->back_next = p->back;
    p->back = r;
    if (!r->back_next) {
        tkt_http_wake(p->http);
    }
}

static void take_over(struct tkt_running *r,
                      void (*run)(struct tkt_running *r, struct tkt_tools *tools),
                      void (*back)(struct tkt_running *r))
{
    r->pool_run = run;
    r->pool_back = back;
    r->in_pool = true;
    r->dispatch->in_pool++;
}

/* ---- runs ------------------------------------------------------------------------------- */

/* Hands in what was done and gets the next; NULL: there is none, and run is not out any
 * more. */
static struct tkt_running *hand_in(struct tkt_dispatch_run *run, struct tkt_running *done)
{
    struct tkt_dispatch *p = run->dispatch;

    pthread_mutex_lock(&p->back_lock);
    struct tkt_running *r = p->todo;
    if (done) {
        give_back(p, done);
    }
    if (r) {
        p->todo = r->back_next;
        p->todo_count--;
        if (!p->todo) {
            p->todo_end = &p->todo;
        }
        run->since_ms = tkt_clock_mono_ms();
    } else {
        run->is_out = false;
        p->runs_out--;
    }
    pthread_mutex_unlock(&p->back_lock);
    return r;
}

/* It is out until hand_in says that nothing is left: till then dispatch waits for it. */
static void go_on(struct tkt_tools *tools, struct tkt_work_item *item)
{
    struct tkt_dispatch_run *run = (struct tkt_dispatch_run *)(void *)item;
    struct tkt_work *work = run->dispatch->d->work;
    int64_t until_ms = tkt_clock_mono_ms() + TURN_MS;

    struct tkt_running *r = hand_in(run, NULL);
    while (r) {
        r->pool_run(r, tools);
        if (tkt_clock_mono_ms() < until_ms || tkt_work_waiting(work) == 0) {
            r = hand_in(run, r);
            continue;
        }
        pthread_mutex_lock(&run->dispatch->back_lock);
        give_back(run->dispatch, r);
        pthread_mutex_unlock(&run->dispatch->back_lock);
        if (tkt_work_push(work, item) == 0) {
            return;
        }
        r = hand_in(run, NULL);
    }
}

static bool all_are_stuck(const struct tkt_dispatch *p, int64_t now_ms)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(p->runs); i++) {
        if (p->runs[i].is_out && now_ms < p->runs[i].since_ms + STUCK_MS) {
            return false;
        }
    }
    return true;
}

/* With the lock held: one that is to begin, or NULL. */
static struct tkt_dispatch_run *take_run(struct tkt_dispatch *p)
{
    bool busy =
        p->runs_out < p->runs_share && p->todo_count > WAITING_A_RUN * p->runs_out;

    if (!p->todo || !(busy || all_are_stuck(p, tkt_clock_mono_ms()))) {
        return NULL;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(p->runs); i++) {
        struct tkt_dispatch_run *run = &p->runs[i];

        if (!run->is_out) {
            run->is_out = true;
            run->since_ms = tkt_clock_mono_ms();
            p->runs_out++;
            return run;
        }
    }
    return NULL;
}

/* false: there is a list, and nobody works it off. */
static bool begin_run(struct tkt_dispatch *p)
{
    pthread_mutex_lock(&p->back_lock);
    struct tkt_dispatch_run *run = take_run(p);
    bool is_served = p->runs_out > 0 || !p->todo;
    pthread_mutex_unlock(&p->back_lock);
    if (!run) {
        return is_served;
    }
    run->dispatch = p;
    run->work = (struct tkt_work_item){.run = go_on, .key = tkt_work_key("(later)")};
    if (p->d->work && tkt_work_push(p->d->work, &run->work) == 0) {
        return true;
    }
    pthread_mutex_lock(&p->back_lock);
    run->is_out = false;
    is_served = --p->runs_out > 0 || !p->todo;
    pthread_mutex_unlock(&p->back_lock);
    return is_served;
}

void tkt_dispatch_set_runs(struct tkt_dispatch *p, const struct tkt_conf *conf)
{
    long cpus = TKT_MAX(1, sysconf(_SC_NPROCESSORS_ONLN));
    long children = conf->parser.children ? (long)conf->parser.children : cpus;

    p->runs_share = (size_t)TKT_MAX(1, children / 2); /* what one key has of them */
}

void tkt_dispatch_begin_runs(struct tkt_dispatch *p)
{
    (void)begin_run(p); /* the list is served by others, or by the next look */
}

int64_t tkt_dispatch_runs_ms(struct tkt_dispatch *p)
{
    pthread_mutex_lock(&p->back_lock);
    bool waits = p->todo != NULL;
    pthread_mutex_unlock(&p->back_lock);
    return waits ? tkt_clock_mono_ms() + STUCK_MS : INT64_MAX;
}

bool tkt_dispatch_runs_are_out(struct tkt_dispatch *p)
{
    pthread_mutex_lock(&p->back_lock);
    bool is_out = p->runs_out > 0;
    pthread_mutex_unlock(&p->back_lock);
    return is_out;
}

/* The last one, while nobody works the list off. */
static void take_out(struct tkt_dispatch *p, const struct tkt_running *r)
{
    struct tkt_running **at = &p->todo;

    while (*at != r) {
        at = &(*at)->back_next;
    }
    *at = NULL;
    p->todo_end = at;
    p->todo_count--;
}

int tkt_running_in_pool(struct tkt_running *r,
                        void (*run)(struct tkt_running *r, struct tkt_tools *tools),
                        void (*back)(struct tkt_running *r))
{
    struct tkt_dispatch *p = r->dispatch;

    take_over(r, run, back);
    r->back_next = NULL;
    pthread_mutex_lock(&p->back_lock);
    *p->todo_end = r;
    p->todo_end = &r->back_next;
    p->todo_count++;
    pthread_mutex_unlock(&p->back_lock);
    if (begin_run(p)) {
        return 0;
    }
    take_out(p, r);
    r->in_pool = false;
    p->in_pool--;
    return -1;
}

/* ---- aside ------------------------------------------------------------------------------ */

static void do_aside(struct tkt_tools *tools, struct tkt_work_item *item)
{
    struct tkt_running *r = (struct tkt_running *)(void *)item;
    struct tkt_dispatch *p = r->dispatch;

    r->pool_run(r, tools);
    pthread_mutex_lock(&p->back_lock);
    give_back(p, r);
    pthread_mutex_unlock(&p->back_lock);
}

int tkt_running_aside(struct tkt_running *r,
                      void (*run)(struct tkt_running *r, struct tkt_tools *tools),
                      void (*back)(struct tkt_running *r))
{
    r->work = (struct tkt_work_item){.run = do_aside, .key = tkt_work_key(r->job.target)};
    take_over(r, run, back);
    if (!r->d->aside || tkt_work_push(r->d->aside, &r->work) < 0) {
        r->in_pool = false;
        r->dispatch->in_pool--;
        return -1;
    }
    return 0;
}

/* ---- back ------------------------------------------------------------------------------- */

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
