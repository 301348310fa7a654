/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/commit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define BATCH_MAX 256
/* Of every batch at least this part is open to background work, so that a flood of mail
 * cannot stop the jobs for ever. */
#define BACKGROUND_SHARE 8
/* The WAL is truncated when the writer had nothing to do for this long ... */
#define IDLE_MS 1000
/* ... or under constant load after this much was written. */
#define CHECKPOINT_BYTES (64u * 1024 * 1024)

struct queue {
    struct tkt_commit_item *head;
    struct tkt_commit_item *tail;
};

struct tkt_commit {
    struct tkt_store *store;
    atomic_size_t batch_max;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct queue foreground;
    struct queue background;
    bool sleeping; /* the writer's thread is ... */
    bool timed;    /* ... until the log is due to be moved */
    bool busy;     /* somebody, the writer or a caller, uses the store */
    bool stopping;
    uint64_t unsynced_bytes; /* in the WAL since the last checkpoint; of who is busy */
    int64_t last_ms;         /* the last transaction; the same */
    atomic_uint_fast64_t batches, items, failed, expired;
};

static void queue_append(struct queue *q, struct tkt_commit_item *item)
{
    item->next = NULL;
    if (q->tail) {
        q->tail->next = item;
    } else {
        q->head = item;
    }
    q->tail = item;
}

static struct tkt_commit_item *queue_shift(struct queue *q)
{
    struct tkt_commit_item *item = q->head;

    q->head = item->next;
    if (!q->head) {
        q->tail = NULL;
    }
    item->next = NULL;
    return item;
}

static void queue_unshift(struct queue *q, struct tkt_commit_item *item)
{
    item->next = q->head;
    q->head = item;
    if (!q->tail) {
        q->tail = item;
    }
}

/* Up to max items under the lock, foreground first. */
static size_t take(struct tkt_commit *c, struct tkt_commit_item **out, size_t max)
{
    size_t n = 0;
    size_t reserved = c->background.head ? max / BACKGROUND_SHARE : 0;

    while (n < max - reserved && c->foreground.head) {
        out[n++] = queue_shift(&c->foreground);
    }
    while (n < max && c->background.head) {
        out[n++] = queue_shift(&c->background);
    }
    while (n < max && c->foreground.head) {
        out[n++] = queue_shift(&c->foreground);
    }
    return n;
}

/* Hands finished items to their sinks, each sink called once. */
static void deliver(struct tkt_commit_item **items, size_t n)
{
    struct tkt_commit_sink *sinks[BATCH_MAX];
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        struct tkt_commit_sink *sink = items[i]->sink;

        items[i]->next = NULL;
        if (!sink->head) {
            sinks[count++] = sink;
            sink->head = items[i];
        } else {
            sink->tail->next = items[i];
        }
        sink->tail = items[i];
    }
    for (size_t i = 0; i < count; i++) {
        struct tkt_commit_item *list = sinks[i]->head;

        sinks[i]->head = NULL;
        sinks[i]->tail = NULL;
        sinks[i]->deliver(sinks[i], list); /* the sink may be gone afterwards */
    }
}

static bool has_expired(struct tkt_commit *c, struct tkt_commit_item *item,
                        int64_t now_ms)
{
    if (!item->deadline_mono_ms || item->deadline_mono_ms > now_ms) {
        return false;
    }
    item->expired = true;
    item->result = tkt_err_set(&item->err, TKT_ERR_TEMP, "the hook gave up waiting");
    atomic_fetch_add(&c->expired, 1);
    return true;
}

static size_t drop_expired(struct tkt_commit *c, struct tkt_commit_item **items, size_t n)
{
    struct tkt_commit_item *dead[BATCH_MAX];
    size_t kept = 0;
    size_t dropped = 0;
    int64_t now = tkt_clock_mono_ms();

    for (size_t i = 0; i < n; i++) {
        if (has_expired(c, items[i], now)) {
            dead[dropped++] = items[i];
        } else {
            items[kept++] = items[i];
        }
    }
    if (dropped) {
        deliver(dead, dropped);
    }
    return kept;
}

static void finish(struct tkt_commit *c, struct tkt_commit_item *item,
                   const struct tkt_store_item *work)
{
    item->result = work->result;
    item->err = work->err;
    if (!work->done) { /* never so; but nobody is told of a ticket that is not there */
        item->result = tkt_err_set(&item->err, TKT_ERR_BUG, "commit: not reached");
    }
    c->unsynced_bytes += item->bytes;
    atomic_fetch_add(&c->items, 1);
    atomic_fetch_add(&c->failed, item->result != 0);
}

static void transact(struct tkt_commit *c, struct tkt_commit_item **items,
                     struct tkt_store_item *work, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        work[i] = (struct tkt_store_item){
            .apply = items[i]->apply, .arg = items[i]->arg, .bytes = items[i]->bytes};
    }
    (void)tkt_store_batch(c->store, work, n); /* each item says whether it was done */
    c->last_ms = tkt_clock_mono_ms();
    atomic_fetch_add(&c->batches, 1);
}

/* One transaction. Items that it did not reach go back to the head of the queue. */
static void run_batch(struct tkt_commit *c, struct tkt_commit_item **items, size_t n)
{
    struct tkt_store_item work[BATCH_MAX];
    struct tkt_commit_item *done[BATCH_MAX];
    size_t finished = 0;

    transact(c, items, work, n);
    for (size_t i = 0; i < n; i++) {
        if (work[i].done) {
            finish(c, items[i], &work[i]);
            done[finished++] = items[i];
        }
    }
    if (finished < n) {
        pthread_mutex_lock(&c->lock);
        for (size_t i = n; i-- > 0;) {
            if (!work[i].done) {
                queue_unshift(items[i]->background ? &c->background : &c->foreground,
                              items[i]);
            }
        }
        pthread_mutex_unlock(&c->lock);
    }
    deliver(done, finished);
}

static void checkpoint(struct tkt_commit *c)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (c->unsynced_bytes == 0) {
        return;
    }
    c->unsynced_bytes = 0;
    if (tkt_store_checkpoint(c->store, &err) < 0) {
        tkt_log(TKT_LOG_WARNING, NULL, "store.checkpoint", "error", err.text, NULL);
    }
}

/* ---- taking turns: all of it with the lock held -------------------------------------- */

static bool has_work(const struct tkt_commit *c)
{
    return c->foreground.head || c->background.head;
}

static int64_t idle_left_ms(const struct tkt_commit *c)
{
    return c->last_ms + IDLE_MS - tkt_clock_mono_ms();
}

static bool log_is_due(const struct tkt_commit *c)
{
    return c->unsynced_bytes > CHECKPOINT_BYTES ||
           (c->unsynced_bytes > 0 && idle_left_ms(c) <= 0);
}

static void move_log(struct tkt_commit *c)
{
    c->busy = true;
    pthread_mutex_unlock(&c->lock);
    checkpoint(c);
    pthread_mutex_lock(&c->lock);
    c->busy = false;
}

static void sleep_some(struct tkt_commit *c)
{
    c->sleeping = true;
    c->timed = !c->busy && c->unsynced_bytes > 0;
    if (c->timed) {
        struct timespec until;
        int64_t left_ms = TKT_MAX(idle_left_ms(c), 1);

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (left_ms % 1000) * 1000000;
        until.tv_sec += left_ms / 1000 + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        /* Time or a signal: the caller looks what there is to do. */
        (void)pthread_cond_timedwait(&c->wake, &c->lock, &until);
    } else {
        pthread_cond_wait(&c->wake, &c->lock);
    }
    c->sleeping = false;
}

/* Returns false when the queue is empty and the writer shall stop. */
static bool wait_for_work(struct tkt_commit *c)
{
    for (;;) {
        if (!c->busy && has_work(c)) {
            return true;
        }
        if (!c->busy && c->stopping) {
            return false;
        }
        if (!c->busy && log_is_due(c)) {
            move_log(c);
        } else {
            sleep_some(c);
        }
    }
}

/* The end of a caller's turn. What came meanwhile is the writer's. */
static void hand_over(struct tkt_commit *c)
{
    bool wake;

    pthread_mutex_lock(&c->lock);
    c->busy = false;
    wake = c->sleeping && (has_work(c) || c->stopping || !c->timed ||
                           c->unsynced_bytes > CHECKPOINT_BYTES);
    c->sleeping = c->sleeping && !wake;
    pthread_mutex_unlock(&c->lock);
    if (wake) {
        pthread_cond_signal(&c->wake);
    }
}

static bool take_turn(struct tkt_commit *c)
{
    bool mine;

    pthread_mutex_lock(&c->lock);
    mine = !c->busy && !c->stopping && !has_work(c);
    c->busy |= mine;
    pthread_mutex_unlock(&c->lock);
    return mine;
}

/* ---- the writer's thread ------------------------------------------------------------- */

static void *writer(void *arg)
{
    struct tkt_commit *c = arg;
    struct tkt_commit_item *items[BATCH_MAX];

    pthread_mutex_lock(&c->lock);
    while (wait_for_work(c)) {
        size_t n = take(c, items, c->batch_max);

        c->busy = true;
        pthread_mutex_unlock(&c->lock);
        size_t kept = drop_expired(c, items, n);
        if (kept) {
            run_batch(c, items, kept);
        }
        if (c->unsynced_bytes > CHECKPOINT_BYTES) {
            checkpoint(c);
        }
        pthread_mutex_lock(&c->lock);
        c->busy = false;
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

void tkt_commit_set_batch(struct tkt_commit *c, size_t batch_max)
{
    atomic_store(&c->batch_max, TKT_MAX(1, TKT_MIN(batch_max, BATCH_MAX)));
}

struct tkt_commit *tkt_commit_start(struct tkt_store **store, size_t batch_max,
                                    struct tkt_err *err)
{
    struct tkt_commit *c = calloc(1, sizeof(*c));
    pthread_condattr_t attr;

    if (!c) {
        tkt_err_set(err, TKT_ERR_TEMP, "commit: no memory");
        return NULL;
    }
    c->store = *store;
    tkt_commit_set_batch(c, batch_max);
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attr);
    pthread_condattr_destroy(&attr);
    int rc = pthread_create(&c->thread, NULL, writer, c);
    if (rc != 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "commit: thread: %s", strerror(rc));
        free(c);
        return NULL;
    }
    *store = NULL;
    return c;
}

static void clear(struct tkt_commit_item *item)
{
    item->result = -1;
    item->expired = false;
    item->err = (struct tkt_err)TKT_ERR_INIT;
}

void tkt_commit_push(struct tkt_commit *c, struct tkt_commit_item *list)
{
    bool wake;

    pthread_mutex_lock(&c->lock);
    while (list) {
        struct tkt_commit_item *next = list->next;

        clear(list);
        queue_append(list->background ? &c->background : &c->foreground, list);
        list = next;
    }
    wake = c->sleeping && !c->busy; /* else who is busy looks at the queue afterwards */
    c->sleeping = c->sleeping && !wake; /* the next push need not wake it a second time */
    pthread_mutex_unlock(&c->lock);
    if (wake) {
        pthread_cond_signal(&c->wake);
    }
}

bool tkt_commit_here(struct tkt_commit *c, struct tkt_commit_item *item)
{
    struct tkt_store_item work;

    if (!take_turn(c)) {
        return false;
    }
    clear(item);
    if (!has_expired(c, item, tkt_clock_mono_ms())) {
        transact(c, &item, &work, 1);
        finish(c, item, &work); /* the first item of a batch is always done */
    }
    hand_over(c);
    return true;
}

/* A caller that waits: lives on the stack of tkt_commit_call(). */
struct waiter {
    struct tkt_commit_sink sink; /* first: deliver gets its address */
    pthread_mutex_t lock;
    pthread_cond_t ready;
    bool done;
};

static void waiter_deliver(struct tkt_commit_sink *sink, struct tkt_commit_item *list)
{
    struct waiter *w = (struct waiter *)sink;

    (void)list; /* one item, known to the waiter */
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->ready);
    pthread_mutex_unlock(&w->lock);
}

int tkt_commit_call(struct tkt_commit *c,
                    int (*apply)(struct tkt_store *, void *, struct tkt_err *), void *arg,
                    bool background, struct tkt_err *err)
{
    struct waiter w = {.sink = {.deliver = waiter_deliver},
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .ready = PTHREAD_COND_INITIALIZER};
    struct tkt_commit_item item = {.apply = apply,
                                   .arg = arg,
                                   .bytes = 1024,
                                   .background = background,
                                   .sink = &w.sink};

    if (!tkt_commit_here(c, &item)) {
        tkt_commit_push(c, &item);
        pthread_mutex_lock(&w.lock);
        while (!w.done) {
            pthread_cond_wait(&w.ready, &w.lock);
        }
        pthread_mutex_unlock(&w.lock);
    }
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.ready);
    if (item.result < 0 && err) {
        *err = item.err;
    }
    return item.result;
}

void tkt_commit_stop(struct tkt_commit **commit)
{
    struct tkt_commit *c = *commit;

    if (!c) {
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    checkpoint(c);
    tkt_store_close(&c->store);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->wake);
    free(c);
    *commit = NULL;
}

void tkt_commit_stats(struct tkt_commit *c, struct tkt_commit_stats *out)
{
    size_t waiting = 0;

    pthread_mutex_lock(&c->lock);
    for (const struct tkt_commit_item *i = c->foreground.head; i; i = i->next) {
        waiting++;
    }
    for (const struct tkt_commit_item *i = c->background.head; i; i = i->next) {
        waiting++;
    }
    pthread_mutex_unlock(&c->lock);
    *out = (struct tkt_commit_stats){.batches = c->batches,
                                     .items = c->items,
                                     .failed = c->failed,
                                     .expired = c->expired,
                                     .waiting = waiting};
}
