/* SPDX-License-Identifier: BSD-2-Clause
 * What dispatch.c (the thread) and running.c (the jobs it holds) share.
 */
#ifndef TKT_TICKETD_DISPATCH_PRIVATE_H
#define TKT_TICKETD_DISPATCH_PRIVATE_H
#include "ticketd/dispatch.h"
#include "ticketd/running.h"

#include <pthread.h>
#include <stdatomic.h>

#define TKT_DISPATCH_CLAIM_MAX 64
#define TKT_DISPATCH_DRAIN_MS 5000
/* Of a target that is busy so many wait here; others go back to the store. */
#define TKT_DISPATCH_WAITING_MAX 64

struct tkt_dispatch {
    struct tkt_daemon *d;
    pthread_t thread;
    atomic_bool poked;
    atomic_bool stopping;
    char owner[64];
    struct tkt_http *http;
    pthread_mutex_t back_lock;
    struct tkt_running *back; /* from the pool; under back_lock */
    /* the thread's own: */
    struct tkt_job claimed[TKT_DISPATCH_CLAIM_MAX];
    int claimed_count;
    int64_t next_due_ms;
    int64_t renew_at_ms;
    bool look;
    struct tkt_running *held; /* waiting and under way, oldest first */
    struct tkt_running **held_end;
    size_t held_count;
    size_t in_pool;
    struct tkt_running *finished; /* to be recorded */
    struct tkt_lane_group *groups;
    const struct tkt_settings *settings; /* last seen; compared, never read */
};

/* Takes the job and starts it, or lets it wait, or gives it back. */
void tkt_dispatch_hold(struct tkt_dispatch *p, struct tkt_job *job);
/* Starts held ones whose turn it is. */
void tkt_dispatch_start_held(struct tkt_dispatch *p);
void tkt_dispatch_take_back(struct tkt_dispatch *p);
void tkt_dispatch_stop_held(struct tkt_dispatch *p);
void tkt_dispatch_drop(struct tkt_dispatch *p, struct tkt_running *r);
/* A reload, maybe for a new secret or address: all targets get another chance at once. */
void tkt_dispatch_forgive(struct tkt_dispatch *p);
void tkt_dispatch_groups_free(struct tkt_dispatch *p);

#endif
