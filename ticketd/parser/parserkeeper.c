/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one thread that talks to zygotes: it starts them, has children spawned ahead of
 * need, and ends what is no longer used. Every wait here has a limit, and nobody who
 * serves a message waits for this thread while a child is idle.
 */
#include "base/clock.h"
#include "base/util.h"
#include "ticketd/parser/parserpool_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define START_TIMEOUT_MS 10000
#define SPAWN_TIMEOUT_MS 2000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 10000
/* A zygote that lived this long died of something new. */
#define SETTLED_MS 5000

void tkt_pool_keeper_wake(struct tkt_parserpool *pool)
{
    /* EAGAIN: the counter is full, so it wakes anyhow. */
    (void)eventfd_write(pool->wake, 1);
}

void tkt_pool_plan_free(struct tkt_pool_plan **plan)
{
    if (*plan != NULL) {
        free((*plan)->program);
        for (size_t i = 0; i < TKT_PARSER_SETUP_FDS; i++) {
            if ((*plan)->files[i] >= 0) {
                (void)close((*plan)->files[i]); /* only read: nothing to lose */
            }
        }
        tkt_buf_release(&(*plan)->setup);
        free(*plan);
        *plan = NULL;
    }
}

static void free_children(struct tkt_child *list)
{
    while (list != NULL) {
        struct tkt_child *next = list->next;
        tkt_child_free(&list);
        list = next;
    }
}

/* With the lock held. The idle children of the zygote go; the lent ones when they are
 * given back. */
static struct tkt_child *retire_zygote(struct tkt_parserpool *pool)
{
    struct tkt_child *idle = pool->idle;

    pool->idle = NULL;
    for (struct tkt_child *c = idle; c != NULL; c = c->next) {
        c->zygote->live--;
    }
    if (pool->zygote != NULL) {
        pool->zygote->next = pool->old;
        pool->old = pool->zygote;
        pool->zygote = NULL;
    }
    return idle;
}

static void end_unused_zygotes(struct tkt_parserpool *pool)
{
    struct tkt_zygote *unused = NULL;

    pthread_mutex_lock(&pool->lock);
    for (struct tkt_zygote **at = &pool->old; *at != NULL;) {
        struct tkt_zygote *z = *at;
        if (z->live > 0) {
            at = &z->next;
            continue;
        }
        *at = z->next;
        z->next = unused;
        unused = z;
    }
    pthread_mutex_unlock(&pool->lock);
    while (unused != NULL) {
        struct tkt_zygote *next = unused->next;
        tkt_zygote_end(&unused);
        unused = next;
    }
}

/* With the lock held. */
static void wake_waiters(struct tkt_parserpool *pool)
{
    for (struct tkt_pool_waiter *w = pool->waiters; w != NULL; w = w->next) {
        pthread_cond_signal(&w->cond);
    }
}

/* With the lock held: when the next attempt is due. The first comes at once. */
static void back_off(struct tkt_parserpool *pool)
{
    int64_t now = tkt_clock_mono_ms();
    int64_t delay = 0;

    if (pool->zygote != NULL && now - pool->started_mono_ms > SETTLED_MS) {
        pool->failures = 0;
    }
    if (pool->failures > 0) {
        delay = BACKOFF_FIRST_MS << TKT_MIN(pool->failures - 1, 10U);
    }
    pool->failures++;
    pool->next_start_mono_ms = now + TKT_MIN(delay, BACKOFF_MAX_MS);
}

static void lose_zygote(struct tkt_parserpool *pool, const char *why)
{
    pthread_mutex_lock(&pool->lock);
    (void)snprintf(pool->stats.last_fault, sizeof(pool->stats.last_fault), "%s", why);
    back_off(pool);
    /* Lent children end by themselves if it is dead; if it only hangs, they may finish. */
    struct tkt_child *idle = retire_zygote(pool);
    wake_waiters(pool);
    pthread_mutex_unlock(&pool->lock);
    free_children(idle);
}

static int spawn_one(struct tkt_parserpool *pool, const struct tkt_pool_plan *plan,
                     struct tkt_zygote *zygote, struct tkt_err *err)
{
    struct tkt_child *c = NULL;

    if (tkt_zygote_spawn(zygote, SPAWN_TIMEOUT_MS, plan->budget_ms, &c, err) < 0) {
        return -1;
    }
    pthread_mutex_lock(&pool->lock);
    zygote->live++;
    /* Behind the warm ones. */
    struct tkt_child **at = &pool->idle;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = c;
    tkt_pool_dispatch(pool);
    pthread_mutex_unlock(&pool->lock);
    return 0;
}

/* One more than may work at a time, so that who replaces a child finds the next there. */
static bool needs_child(struct tkt_parserpool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool needs = pool->zygote != NULL && pool->zygote->live < pool->plan->children + 1;
    pthread_mutex_unlock(&pool->lock);
    return needs;
}

static void restart(struct tkt_parserpool *pool)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_zygote *z = NULL;

    /* plan changes in this thread only. */
    int rc = tkt_zygote_start(pool->plan->program, &pool->plan->setup, pool->plan->files,
                              START_TIMEOUT_MS, &z, &err);
    if (rc < 0) {
        lose_zygote(pool, err.text);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->zygote = z;
    pool->started_mono_ms = tkt_clock_mono_ms();
    pool->stats.restarts++;
    pthread_mutex_unlock(&pool->lock);
}

static int replace(struct tkt_parserpool *pool, struct tkt_pool_order *order)
{
    struct tkt_zygote *z = NULL;
    struct tkt_child *first = NULL;

    if (tkt_zygote_start(order->plan->program, &order->plan->setup, order->plan->files,
                         START_TIMEOUT_MS, &z, order->err) < 0) {
        return -1;
    }
    /* The proof that it can serve. */
    if (tkt_zygote_spawn(z, SPAWN_TIMEOUT_MS, order->plan->budget_ms, &first,
                         order->err) < 0) {
        tkt_zygote_end(&z);
        return -1;
    }
    pthread_mutex_lock(&pool->lock);
    struct tkt_child *idle = retire_zygote(pool);
    struct tkt_pool_plan *old_plan = pool->plan;
    pool->plan = order->plan;
    order->plan = NULL;
    pool->zygote = z;
    z->live = 1;
    pool->idle = first;
    pool->failures = 0;
    pool->started_mono_ms = tkt_clock_mono_ms();
    tkt_pool_dispatch(pool);
    pthread_mutex_unlock(&pool->lock);
    free_children(idle);
    tkt_pool_plan_free(&old_plan);
    struct tkt_err ignored = TKT_ERR_INIT;
    while (needs_child(pool) && spawn_one(pool, pool->plan, z, &ignored) == 0) {
        /* a failure comes back in the keeper's own loop */
    }
    return 0;
}

static void serve_order(struct tkt_parserpool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct tkt_pool_order *order = pool->order;
    pthread_mutex_unlock(&pool->lock);
    if (order == NULL) {
        return;
    }
    int result = replace(pool, order);
    pthread_mutex_lock(&pool->lock);
    pool->order = NULL;
    order->result = result;
    order->done = true;
    pthread_cond_signal(&order->cond);
    pthread_mutex_unlock(&pool->lock);
}

/* Sleeps until there is something to do. */
static void sleep_until_work(struct tkt_parserpool *pool)
{
    struct pollfd p[2] = {{.fd = pool->wake, .events = POLLIN}, {.fd = -1}};
    int timeout_ms = -1;
    eventfd_t count;

    if (pool->zygote != NULL) {
        p[1] = (struct pollfd){.fd = pool->zygote->pidfd, .events = POLLIN};
    } else if (pool->plan != NULL) {
        int64_t left_ms = pool->next_start_mono_ms - tkt_clock_mono_ms();
        timeout_ms = (int)TKT_MAX(left_ms, 0);
    }
    if (poll(p, 2, timeout_ms) < 0) {
        return; /* EINTR: look again */
    }
    if (p[0].revents != 0) {
        (void)eventfd_read(pool->wake, &count); /* just said to be readable */
    }
    if (p[1].fd >= 0 && p[1].revents != 0) {
        lose_zygote(pool, "the zygote died");
    }
}

static bool is_stopping(struct tkt_parserpool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool stopping = pool->stopping;
    pthread_mutex_unlock(&pool->lock);
    return stopping;
}

static void *keep(void *arg)
{
    struct tkt_parserpool *pool = arg;

    while (!is_stopping(pool)) {
        struct tkt_err err = TKT_ERR_INIT;
        serve_order(pool);
        end_unused_zygotes(pool);
        if (pool->plan != NULL && pool->zygote == NULL &&
            tkt_clock_mono_ms() >= pool->next_start_mono_ms) {
            restart(pool);
        } else if (needs_child(pool)) {
            if (spawn_one(pool, pool->plan, pool->zygote, &err) < 0) {
                lose_zygote(pool, err.text);
            }
        } else {
            sleep_until_work(pool);
        }
    }
    return NULL;
}

int tkt_pool_keeper_start(struct tkt_parserpool *pool, struct tkt_err *err)
{
    sigset_t all;
    sigset_t before;

    pool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->wake < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "eventfd");
    }
    sigfillset(&all); /* signals are the program's, not this thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&pool->keeper, NULL, keep, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        errno = rc;
        return tkt_err_errno(err, TKT_ERR_TEMP, "thread");
    }
    return 0;
}

void tkt_pool_keeper_stop(struct tkt_parserpool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    wake_waiters(pool);
    pthread_mutex_unlock(&pool->lock);
    tkt_pool_keeper_wake(pool);
    pthread_join(pool->keeper, NULL);
    free_children(retire_zygote(pool));
    end_unused_zygotes(pool);
}

int tkt_pool_keeper_order(struct tkt_parserpool *pool, struct tkt_pool_plan **plan,
                          struct tkt_err *err)
{
    struct tkt_pool_order order = {
        .plan = *plan, .err = err, .cond = PTHREAD_COND_INITIALIZER};

    pthread_mutex_lock(&pool->lock);
    if (pool->order != NULL) {
        pthread_mutex_unlock(&pool->lock);
        return tkt_err_set(err, TKT_ERR_TEMP, "a reload is under way");
    }
    pool->order = &order;
    tkt_pool_keeper_wake(pool);
    while (!order.done) {
        pthread_cond_wait(&order.cond, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    *plan = order.plan;
    return order.result;
}
