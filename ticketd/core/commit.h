/* SPDX-License-Identifier: BSD-2-Clause
 * The commit writer: one at a time changes the store, one fsync for many.
 *
 * Promise: an item whose result is 0 was on disk before its sink heard of it. Items that
 * wait are drained into one transaction (store.batch_max, batch_bytes, batch_ms); a lone
 * item does not wait for company, and need not wait for the writer's thread: who may
 * block commits it himself while nothing else is there (tkt_commit_here), and what comes
 * meanwhile gathers for the writer. Foreground items (somebody holds an SMTP client) go
 * before background items, which still get a share of every batch.
 * Owner: the item belongs to the writer from push until its sink is called.
 * Threads: push, here and call from any thread; the sink runs in the writer thread and
 * must not block. Errors: what the store says; TEMP when the deadline passed in the queue.
 */
#ifndef TKT_TICKETD_COMMIT_H
#define TKT_TICKETD_COMMIT_H
#include "base/err.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tkt_commit;
struct tkt_commit_item;

/* Hears of all items of one batch that are its own, in one call: items are linked by
 * next. touched and the list are the writer's while it collects them. */
struct tkt_commit_sink {
    void (*deliver)(struct tkt_commit_sink *sink, struct tkt_commit_item *list);
    struct tkt_commit_item *head;
    struct tkt_commit_item *tail;
};

struct tkt_commit_item {
    struct tkt_commit_item *next;
    int (*apply)(struct tkt_store *store, void *arg, struct tkt_err *err);
    void *arg;
    size_t bytes;             /* about how much it writes */
    int64_t deadline_mono_ms; /* 0 = none: after it the item is dropped unapplied */
    bool background;
    struct tkt_commit_sink *sink;
    int result;         /* out */
    struct tkt_err err; /* out */
    bool expired;       /* out: dropped, nothing was tried */
};

struct tkt_commit_stats {
    uint64_t batches;
    uint64_t items;
    uint64_t failed; /* items answered TEMP by a failed transaction or their own error */
    uint64_t expired;
    uint64_t waiting;
};

/* Takes over *store (set to NULL); closes it at stop. batch_max is at most 256. */
struct tkt_commit *tkt_commit_start(struct tkt_store **store, size_t batch_max,
                                    struct tkt_err *err);
/* From the next batch on. */
void tkt_commit_set_batch(struct tkt_commit *commit, size_t batch_max);
/* Lists of items linked by next, in order; one wake-up. */
void tkt_commit_push(struct tkt_commit *commit, struct tkt_commit_item *list);
/* Commits the item in the calling thread: true, its result is there and its sink heard
 * nothing. false: others were first, nothing was done; push it. */
bool tkt_commit_here(struct tkt_commit *commit, struct tkt_commit_item *item);
/* Blocks until apply was committed or failed. Returns its result. */
int tkt_commit_call(struct tkt_commit *commit,
                    int (*apply)(struct tkt_store *, void *, struct tkt_err *), void *arg,
                    bool background, struct tkt_err *err);
/* Commits what waits, ends the thread, closes the store. */
void tkt_commit_stop(struct tkt_commit **commit);
void tkt_commit_stats(struct tkt_commit *commit, struct tkt_commit_stats *out);

#endif
