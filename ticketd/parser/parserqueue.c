/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/util.h"
#include "ticketd/parser/parserpool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct tkt_pool_key *take_key(struct tkt_parserpool *pool, const char *name)
{
    struct tkt_pool_key *k;

    for (k = pool->keys; k != NULL; k = k->next) {
        if (strncmp(k->name, name, sizeof(k->name) - 1) == 0) {
            k->refs++;
            return k;
        }
    }
    k = calloc(1, sizeof(*k));
    if (k != NULL) {
        (void)snprintf(k->name, sizeof(k->name), "%s", name); /* cut: still one key */
        k->refs = 1;
        k->next = pool->keys;
        pool->keys = k;
    }
    return k;
}

static void drop_key(struct tkt_parserpool *pool, struct tkt_pool_key *key)
{
    if (--key->refs > 0) {
        return;
    }
    struct tkt_pool_key **at = &pool->keys;
    while (*at != key) {
        at = &(*at)->next;
    }
    *at = key->next;
    free(key);
}

static bool goes_before(const struct tkt_pool_key *a, const struct tkt_pool_key *b)
{
    return a->busy != b->busy ? a->busy < b->busy : a->last_turn < b->last_turn;
}

/* Keys take turns: a sender with a hundred waiting messages delays another's one message
 * by at most the one that is being read. */
static struct tkt_pool_waiter **next_waiter(struct tkt_parserpool *pool)
{
    unsigned share = TKT_MAX(pool->plan->children / 2, 1U);
    struct tkt_pool_waiter **best = NULL;

    for (struct tkt_pool_waiter **at = &pool->waiters; *at != NULL; at = &(*at)->next) {
        if ((*at)->key->busy < share &&
            (best == NULL || goes_before((*at)->key, (*best)->key))) {
            best = at;
        }
    }
    return best;
}

void tkt_pool_dispatch(struct tkt_parserpool *pool)
{
    while (pool->idle != NULL && pool->busy < pool->plan->children) {
        struct tkt_pool_waiter **at = next_waiter(pool);
        if (at == NULL) {
            return;
        }
        struct tkt_pool_waiter *w = *at;
        *at = w->next;
        w->child = pool->idle;
        pool->idle = w->child->next;
        w->child->next = pool->lent;
        pool->lent = w->child;
        pool->busy++;
        w->key->busy++;
        w->key->last_turn = ++pool->turn;
        pthread_cond_signal(&w->cond);
    }
}

/* The clock of deadlines is a seam; the condition needs the kernel's. */
static struct timespec kernel_time_after(int64_t ms)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += ms / 1000;
    ts.tv_nsec += ms % 1000 * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

/* No zygote, and the next attempt comes after the deadline: waiting would only hold the
 * caller's thread. */
static bool is_hopeless(const struct tkt_parserpool *pool, int64_t until_ms)
{
    return pool->stopping || (pool->zygote == NULL && pool->idle == NULL &&
                              pool->next_start_mono_ms > until_ms);
}

static void wait_for_turn(struct tkt_parserpool *pool, struct tkt_pool_waiter *w,
                          int64_t until_ms)
{
    while (w->child == NULL && !is_hopeless(pool, until_ms)) {
        int64_t left_ms = until_ms - tkt_clock_mono_ms();
        if (left_ms <= 0) {
            return;
        }
        struct timespec ts = kernel_time_after(left_ms);
        (void)pthread_cond_clockwait(&w->cond, &pool->lock, CLOCK_MONOTONIC, &ts);
    }
}

static void leave_queue(struct tkt_parserpool *pool, struct tkt_pool_waiter *w)
{
    struct tkt_pool_waiter **at = &pool->waiters;

    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
}

int tkt_pool_acquire(struct tkt_parserpool *pool, const char *key,
                     int64_t deadline_mono_ms, struct tkt_pool_claim *out,
                     struct tkt_err *err)
{
    struct tkt_pool_waiter w = {.cond = PTHREAD_COND_INITIALIZER};
    int rc = 0;

    pthread_mutex_lock(&pool->lock);
    int64_t until_ms =
        TKT_MIN(deadline_mono_ms, tkt_clock_mono_ms() + pool->plan->queue_wait_ms);
    w.key = take_key(pool, key);
    if (w.key == NULL) {
        pthread_mutex_unlock(&pool->lock);
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    struct tkt_pool_waiter **at = &pool->waiters;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = &w;
    tkt_pool_dispatch(pool);
    wait_for_turn(pool, &w, until_ms);
    if (w.child != NULL) {
        *out = (struct tkt_pool_claim){w.child, w.key, pool->plan->budget_ms};
    } else {
        pool->stats.waited_out++;
        rc = tkt_err_set(err, TKT_ERR_TEMP,
                         pool->zygote == NULL ? "ticket-parser is not running"
                                              : "no parser child came free in time");
        leave_queue(pool, &w);
        drop_key(pool, w.key);
    }
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_destroy(&w.cond);
    return rc;
}

static void unlend(struct tkt_parserpool *pool, struct tkt_child *child)
{
    struct tkt_child **at = &pool->lent;

    while (*at != child) {
        at = &(*at)->next;
    }
    *at = child->next;
}

void tkt_pool_release(struct tkt_parserpool *pool, struct tkt_pool_claim *claim,
                      const char *fault)
{
    struct tkt_child *child = claim->child;

    if (fault != NULL) {
        tkt_child_kill(child);
    }
    pthread_mutex_lock(&pool->lock);
    unlend(pool, child);
    pool->busy--;
    claim->key->busy--;
    drop_key(pool, claim->key);
    if (fault != NULL) {
        (void)snprintf(pool->stats.last_fault, sizeof(pool->stats.last_fault), "%s",
                       fault);
    }
    bool keep = fault == NULL && child->zygote == pool->zygote &&
                ++child->served < (unsigned)pool->plan->messages_per_child;
    if (keep) {
        child->next = pool->idle;
        pool->idle = child;
        child = NULL;
    } else {
        child->zygote->live--;
    }
    tkt_pool_dispatch(pool);
    pthread_mutex_unlock(&pool->lock);
    if (child != NULL) {
        tkt_child_free(&child);
        tkt_pool_keeper_wake(pool);
    }
    claim->child = NULL;
}
