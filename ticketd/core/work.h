/* SPDX-License-Identifier: BSD-2-Clause
 * A bounded pool of threads for what may block: large copies, parsing, lookups.
 *
 * Promise: at most half of the threads (at least one) work for one key at a time, and of
 * those that wait the key that used the least time lately goes first. So one sender's
 * slow mail delays that sender. Items with key 0 are charged to nobody. Heavy items (large
 * messages) have a third of the threads (at least one) and accounts of their own: behind
 * a gateway all mail has one sender, and small mail must not wait for large mail.
 * Owner: the item belongs to the pool from push until run is called.
 * Threads: push from any thread; run is called in a pool thread with the
 * thread's own tools, one call per push.
 * Errors: push fails when the queue is full (the caller answers TEMP).
 */
#ifndef TKT_TICKETD_WORK_H
#define TKT_TICKETD_WORK_H
#include "base/err.h"
#include "ticketd/core/tools.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tkt_work;

struct tkt_work_item {
    struct tkt_work_item *next;
    void (*run)(struct tkt_tools *tools, struct tkt_work_item *item);
    uint64_t key;
    bool heavy;
};

struct tkt_work *tkt_work_start(const char *store_dir, size_t threads, size_t queue_max,
                                struct tkt_err *err);
int tkt_work_push(struct tkt_work *work, struct tkt_work_item *item);
/* Runs what waits, then ends the threads. */
void tkt_work_stop(struct tkt_work **work);
size_t tkt_work_waiting(struct tkt_work *work);
/* A key for a text: never 0 unless the text is empty. */
uint64_t tkt_work_key(const char *text);

#endif
