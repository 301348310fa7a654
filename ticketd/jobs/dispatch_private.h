/* SPDX-License-Identifier: BSD-2-Clause
 * What dispatch.c (the thread), dispatch_book.c (its transactions), dispatch_pool.c (what
 * blocks) and running.c (the jobs it holds) share.
 */
#ifndef TKT_TICKETD_DISPATCH_PRIVATE_H
#define TKT_TICKETD_DISPATCH_PRIVATE_H
#include "ticketd/core/commit.h"
#include "ticketd/core/work.h"
#include "ticketd/jobs/dispatch.h"
#include "ticketd/jobs/running.h"

#include <pthread.h>
#include <stdatomic.h>

#define TKT_DISPATCH_CLAIM_MAX 64
#define TKT_DISPATCH_DRAIN_MS 5000
#define TKT_DISPATCH_LEASE_MS 60000
/* Of kinds that may have to end without room so many wait here; others in the store. */
#define TKT_DISPATCH_WAITING_MAX 64
/* Targets that persons want tried, between two looks of dispatch; more of them: all. */
#define TKT_DISPATCH_DARES 8

/* How many more of a group may be claimed: a copy that the writer's thread counts down. */
struct tkt_dispatch_room {
    struct tkt_lane_group *group; /* compared, never followed there */
    char name[64];
    int room;
    int left;
    bool refused; /* out: more was there */
};

/* One transaction: ends of jobs, and a claim. One at a time is under way, in the writer's
 * thread; meanwhile it is not touched but for is_done. */
struct tkt_dispatch_book {
    struct tkt_commit_sink sink; /* first: deliver gets its address */
    struct tkt_commit_item item;
    struct tkt_dispatch *dispatch;
    bool is_out;
    atomic_bool is_done;
    struct tkt_running *ends;
    bool claims;
    int64_t now_ms; /* wall: of the claim */
    int claim_most;
    struct tkt_dispatch_room *rooms;
    size_t room_count;
    struct tkt_job claimed[TKT_DISPATCH_CLAIM_MAX];
    int claimed_count;
    int64_t next_due_ms;
};

/* At most so many work off what blocks; the pool of threads may have fewer for them. */
#define TKT_DISPATCH_RUNS 32
struct tkt_dispatch_run {
    struct tkt_work_item work; /* first: the pool gives it back */
    struct tkt_dispatch *dispatch;
    bool is_out;
    int64_t since_ms; /* monotonic: its job began */
};

struct tkt_dispatch {
    struct tkt_daemon *d;
    pthread_t thread;
    atomic_bool poked;
    atomic_bool stopping;
    char owner[64];
    struct tkt_http *http;
    pthread_mutex_t back_lock;
    /* under back_lock: */
    struct tkt_running *back; /* from the pool */
    struct tkt_running *todo; /* for it, oldest first */
    struct tkt_running **todo_end;
    size_t todo_count;
    struct tkt_dispatch_run runs[TKT_DISPATCH_RUNS];
    size_t runs_out;
    char dares[TKT_DISPATCH_DARES][TKT_STORE_TARGET_MAX + 1]; /* of targets */
    size_t dare_count;
    /* the thread's own: */
    struct tkt_dispatch_book book;
    int64_t claim_at_ms; /* monotonic: what was poked for is claimed then */
    int64_t look_at_ms;  /* monotonic: no longer without a look */
    int64_t next_due_ms; /* wall */
    int64_t turn_at_ms;  /* monotonic: a held one may have its turn then */
    int64_t renew_at_ms;
    int64_t renew_by_ms;    /* wall: leases are told in it, and it may jump */
    int64_t renew_again_ms; /* monotonic: not before, though it is due; one failed */
    int64_t renew_pause_ms; /* after the last that failed; 0: it did not */
    int64_t sweep_at_ms;
    bool look;
    int singly;               /* so many ends are recorded one by one */
    struct tkt_running *held; /* waiting, under way and being recorded, oldest first */
    struct tkt_running **held_end;
    size_t held_count;
    size_t in_pool;
    size_t runs_share;            /* so many run at once while none is stuck */
    struct tkt_running *finished; /* to be recorded, oldest first */
    struct tkt_running **finished_end;
    size_t finished_count;
    int64_t finished_at_ms; /* monotonic: since when the oldest is there */
    struct tkt_lane_group *groups;
    uint64_t settings_serial; /* of those last seen */
};

/* Until something may have to be done: what ends before that ends the wait. */
int64_t tkt_dispatch_wait_ms(struct tkt_dispatch *p);

/* The group of jobs of that kind and target. */
const char *tkt_dispatch_group_of(const char *kind, const char *target);
/* Limits as configured; all targets get another chance at once. */
void tkt_dispatch_set_groups(struct tkt_dispatch *p, const struct tkt_conf *conf);
/* What tkt_dispatch_dare was told. */
void tkt_dispatch_take_dares(struct tkt_dispatch *p);
/* Takes the job and starts it, or lets it wait, or gives it back. */
void tkt_dispatch_hold(struct tkt_dispatch *p, struct tkt_job *job);
/* Starts held ones whose turn it is. */
void tkt_dispatch_start_held(struct tkt_dispatch *p);
void tkt_dispatch_give_turns(struct tkt_dispatch *p, struct tkt_lane_group *g);
void tkt_dispatch_stop_held(struct tkt_dispatch *p);
void tkt_dispatch_drop(struct tkt_dispatch *p, struct tkt_running *r);
void tkt_dispatch_groups_free(struct tkt_dispatch *p);

void tkt_dispatch_set_runs(struct tkt_dispatch *p, const struct tkt_conf *conf);
/* More of them where the ones that are out are stuck. */
void tkt_dispatch_begin_runs(struct tkt_dispatch *p);
/* When to look at them again (monotonic). */
int64_t tkt_dispatch_runs_ms(struct tkt_dispatch *p);
bool tkt_dispatch_runs_are_out(struct tkt_dispatch *p);
void tkt_dispatch_take_back(struct tkt_dispatch *p);

/* Sends off what there is to record, and a claim when it is time. */
void tkt_dispatch_book_send(struct tkt_dispatch *p, bool claims);
/* true: it came back, and what it says was done. */
bool tkt_dispatch_book_back(struct tkt_dispatch *p);
void tkt_dispatch_book_free(struct tkt_dispatch *p);
/* Before the first claim: nobody else works with this store (its lock says so), so what is
 * claimed was a process's that is gone. */
void tkt_dispatch_adopt(struct tkt_dispatch *p);
void tkt_dispatch_renew(struct tkt_dispatch *p);
/* Now and then: creates whose ITSM has failed for long go to the desk's second one. */
void tkt_dispatch_failover(struct tkt_dispatch *p);

#endif
