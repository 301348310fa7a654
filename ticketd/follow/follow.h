/* SPDX-License-Identifier: BSD-2-Clause
 * Followers: what reacts to the events of the store (changes for ITSMs, notifications,
 * SLA timers), behind mail and beside it.
 *
 * Promise: a follower sees every event once it follows, in order, in batches; what it
 * makes of a batch is written in one transaction with its place, so each event has its
 * effects exactly once, whatever is killed when. Nothing is added to the transaction that
 * somebody's SMTP client waits for. A follower that the settings do not want has no place;
 * when they want it, it begins at the newest event, with a reload at the newest one of the
 * last round before it: what happens behind a reload is seen.
 * Threads: one for all; plan and apply of a follower never run at the same time. apply runs
 * in the commit writer's transaction, as any item of store.h.
 * Limits: TKT_FOLLOW_BATCH events of a round; a round at most each TKT_FOLLOW_MS, unless
 * more wait.
 * Errors: after TEMP the same events come again; an event that fails otherwise is left out
 * with an error in the log, those beside it are not.
 *
 * One more follower is a file with a struct tkt_follower and a row in followers.c.
 */
#ifndef TKT_TICKETD_FOLLOW_H
#define TKT_TICKETD_FOLLOW_H
#include "store/follow.h"
#include "ticketd/core/daemon.h"
#include "ticketd/core/tools.h"

#define TKT_FOLLOW_BATCH 256
#define TKT_FOLLOW_MS 200

struct tkt_follow_round {
    struct tkt_daemon *d;
    struct tkt_settings *set;
    struct tkt_tools
        *tools; /* a reader: tickets as they are now, maybe after the event */
    const struct tkt_store_event *events;
    size_t count;
    int64_t now_ms;
};

struct tkt_follower {
    const char *name; /* of its place in the store: never changed */
    bool (*wanted)(const struct tkt_settings *set);
    /* Without a transaction. *plan stays NULL: nothing follows from these. */
    int (*plan)(const struct tkt_follow_round *round, void **plan, struct tkt_err *err);
    /* May run twice (store.h, struct tkt_store_item); the place is moved with it. */
    int (*apply)(struct tkt_store *store, void *plan, struct tkt_err *err);
    void (*release)(void *plan);
    /* Once for each event that was done, after its transaction; a crash may leave some
     * out: for what is counted in memory. NULL: nothing. */
    void (*done)(const struct tkt_follow_round *round);
};

/* NULL-terminated. */
extern const struct tkt_follower *const tkt_followers[];

struct tkt_follow;

/* followers: tkt_followers; tests have their own. What happens from now on is seen by all of
 * them, be it their first start. */
struct tkt_follow *tkt_follow_start(struct tkt_daemon *d,
                                    const struct tkt_follower *const *followers,
                                    struct tkt_err *err);
/* Ends after the round under way. */
void tkt_follow_stop(struct tkt_follow **follow);

#endif
