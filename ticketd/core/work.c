/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/work.h"

#include "base/clock.h"
#include "base/util.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define ACCOUNTS 4096
#define HEAVY_SLOT 0x5bd1u
/* What a key used is halved after each such span. */
#define HALF_LIFE_MS 5000
/* Below this everybody is equal and the oldest goes first. */
#define SMALL_USE_US 100000

/* What a key (or the few that share a slot) has running and used lately. */
struct account {
    unsigned running;
    int64_t used_us;
    int64_t at_ms;
};

struct worker {
    struct tkt_work *work;
    struct worker *next_idle;
    pthread_cond_t wake;
    pthread_t thread;
    struct tkt_tools tools;
};

struct tkt_work {
    char *store_dir;
    struct worker *workers;
    size_t worker_count;
    size_t queue_max;
    size_t waiting;
    struct worker *idle; /* the one that worked last comes first: its caches are warm */
    unsigned per_key;
    unsigned heavy_max;
    unsigned heavy_running;
    bool stopping;
    pthread_mutex_t lock;
    struct tkt_work_item *head;
    struct tkt_work_item *tail;
    struct account accounts[ACCOUNTS];
};

uint64_t tkt_work_key(const char *text)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a */

    if (!*text) {
        return 0;
    }
    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    }
    return h ? h : 1;
}

static struct account *account_of(struct tkt_work *w, const struct tkt_work_item *item)
{
    uint64_t slot = item->key ^ (item->key >> 32) ^ (item->heavy ? HEAVY_SLOT : 0);

    return &w->accounts[slot % ACCOUNTS];
}

static int64_t used_now(const struct account *a, int64_t now_ms)
{
    int64_t halvings = (now_ms - a->at_ms) / HALF_LIFE_MS;

    if (a->used_us < SMALL_USE_US || halvings > 40) {
        return 0;
    }
    return a->used_us >> halvings;
}

/* Unlinks the item to run next, or NULL when all that wait are at their limit. */
static struct tkt_work_item *pick(struct tkt_work *w)
{
    struct tkt_work_item **best = NULL;
    struct tkt_work_item *before = NULL;
    struct tkt_work_item *best_before = NULL;
    int64_t best_used = INT64_MAX;
    int64_t now = tkt_clock_mono_ms();

    for (struct tkt_work_item **at = &w->head; *at; before = *at, at = &(*at)->next) {
        const struct account *a = account_of(w, *at);
        int64_t used = (*at)->key ? used_now(a, now) : 0;

        if (((*at)->heavy && w->heavy_running >= w->heavy_max) ||
            ((*at)->key && a->running >= w->per_key)) {
            continue;
        }
        if (used < best_used) {
            best = at;
            best_before = before;
            best_used = used;
            if (used == 0) {
                break;
            }
        }
    }
    if (!best) {
        return NULL;
    }
    struct tkt_work_item *item = *best;
    *best = item->next;
    if (w->tail == item) {
        w->tail = best_before;
    }
    item->next = NULL;
    w->waiting--;
    return item;
}

/* With the lock held. Who gets it out of here has to wake it. */
static struct worker *take_idle(struct tkt_work *w)
{
    struct worker *first = w->idle;

    if (first) {
        w->idle = first->next_idle;
    }
    return first;
}

static void wake(struct worker *worker)
{
    if (worker) {
        pthread_cond_signal(&worker->wake);
    }
}

static void wake_all(struct tkt_work *w)
{
    while (w->idle) {
        wake(take_idle(w));
    }
}

static void wait_for_work(struct tkt_work *w, struct worker *self)
{
    self->next_idle = w->idle;
    w->idle = self;
    pthread_cond_wait(&self->wake, &w->lock);
    /* Woken for no reason it is still in the list. */
    for (struct worker **at = &w->idle; *at; at = &(*at)->next_idle) {
        if (*at == self) {
            *at = self->next_idle;
            break;
        }
    }
}

static void run_one(struct tkt_work *w, struct worker *self, struct tkt_work_item *item)
{
    struct account *a = item->key ? account_of(w, item) : NULL;
    bool heavy = item->heavy;
    int64_t start = tkt_clock_mono_us();

    if (a) {
        a->running++;
    }
    w->heavy_running += heavy;
    pthread_mutex_unlock(&w->lock);
    item->run(&self->tools, item); /* the item is gone afterwards */
    pthread_mutex_lock(&w->lock);
    w->heavy_running -= heavy;
    if (a) {
        int64_t now = tkt_clock_mono_ms();

        a->used_us = used_now(a, now) + (tkt_clock_mono_us() - start);
        a->at_ms = now;
        a->running--;
    }
    if (w->stopping) {
        wake_all(w);
    } else if ((a || heavy) && w->head) {
        wake(take_idle(w)); /* one that was at a limit may start now */
    }
}

static void *worker_main(void *arg)
{
    struct worker *self = arg;
    struct tkt_work *w = self->work;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        struct tkt_work_item *item = pick(w);

        if (item) {
            run_one(w, self, item);
            continue;
        }
        if (w->stopping && !w->head) {
            break;
        }
        wait_for_work(w, self);
    }
    pthread_mutex_unlock(&w->lock);
    tkt_tools_release(&self->tools);
    return NULL;
}

struct tkt_work *tkt_work_start(const char *store_dir, size_t threads, size_t queue_max,
                                struct tkt_err *err)
{
    struct tkt_work *w = calloc(1, sizeof(*w));

    if (!w) {
        tkt_err_set(err, TKT_ERR_TEMP, "work: no memory");
        return NULL;
    }
    pthread_mutex_init(&w->lock, NULL);
    w->store_dir = strdup(store_dir);
    w->workers = calloc(threads, sizeof(*w->workers));
    w->queue_max = queue_max;
    w->per_key = (unsigned)TKT_MAX(1, threads / 2);
    w->heavy_max = (unsigned)TKT_MAX(1, threads / 3);
    if (!w->store_dir || !w->workers) {
        tkt_err_set(err, TKT_ERR_TEMP, "work: no memory");
        tkt_work_stop(&w);
        return NULL;
    }
    while (w->worker_count < threads) {
        struct worker *self = &w->workers[w->worker_count];

        self->work = w;
        pthread_cond_init(&self->wake, NULL);
        self->tools.store_dir = w->store_dir;
        int rc = pthread_create(&self->thread, NULL, worker_main, self);
        if (rc != 0) {
            tkt_err_set(err, TKT_ERR_TEMP, "work: thread: %s", strerror(rc));
            tkt_work_stop(&w);
            return NULL;
        }
        w->worker_count++;
    }
    return w;
}

int tkt_work_push(struct tkt_work *w, struct tkt_work_item *item)
{
    struct worker *worker = NULL;
    int rc = -1;

    pthread_mutex_lock(&w->lock);
    if (w->waiting < w->queue_max && !w->stopping) {
        item->next = NULL;
        if (w->head) {
            w->tail->next = item;
        } else {
            w->head = item;
        }
        w->tail = item;
        w->waiting++;
        worker = take_idle(w);
        rc = 0;
    }
    pthread_mutex_unlock(&w->lock);
    wake(worker);
    return rc;
}

void tkt_work_stop(struct tkt_work **work)
{
    struct tkt_work *w = *work;

    if (!w) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    wake_all(w);
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < w->worker_count; i++) {
        pthread_join(w->workers[i].thread, NULL);
        pthread_cond_destroy(&w->workers[i].wake);
    }
    pthread_mutex_destroy(&w->lock);
    free(w->workers);
    free(w->store_dir);
    free(w);
    *work = NULL;
}

size_t tkt_work_waiting(struct tkt_work *w)
{
    pthread_mutex_lock(&w->lock);
    size_t n = w->waiting;
    pthread_mutex_unlock(&w->lock);
    return n;
}
