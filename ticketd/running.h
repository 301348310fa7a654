/* SPDX-License-Identifier: BSD-2-Clause
 * A job that dispatch holds: what a kind of job gets, and how it ends.
 *
 * A kind is started in dispatch's thread and ends, at once or later and in that thread,
 * in exactly one of finish, recorded and give_back. Until then it owns nothing but
 * state. What blocks goes through tkt_running_in_pool.
 */
#ifndef TKT_TICKETD_RUNNING_H
#define TKT_TICKETD_RUNNING_H
#include "net/http.h"
#include "net/pace.h"
#include "ticketd/backoff.h"
#include "ticketd/daemon.h"
#include "ticketd/tools.h"

struct tkt_running;

/* A target, or a kind of work beside the targets. */
struct tkt_lane_group {
    struct tkt_lane_group *next;
    char name[64];
    struct tkt_breaker breaker;
    int in_flight;
    int waiting;
    /* How fast it goes, and when those that were sent back for lack of room come again:
     * one behind the other, so that a long queue is not taken up again and again. */
    int64_t last_end_ms;
    int64_t pace_ms; /* from one's end to the next one's, smoothed */
    int64_t queue_ms;
};

struct tkt_job_kind {
    const char *kind;
    /* A group of its own instead of the target's; it has no circuit. NULL: the target's. */
    const char *group;
    int at_once; /* of the group; 0: the default of a target */
    int (*at_once_of)(const struct tkt_daemon *d); /* or so many */
    /* Wall time until which it must have been started, also without room. */
    int64_t (*latest_ms)(const struct tkt_running *r);
    void (*start)(struct tkt_running *r);
    /* The time to stop has come: ends it now, if that may be. NULL: its lease ends. */
    void (*stop)(struct tkt_running *r);
};

struct tkt_running {
    struct tkt_work_item work; /* first: the pool gives it back */
    struct tkt_running *next, **prev;
    struct tkt_dispatch *dispatch;
    struct tkt_daemon *d;
    const struct tkt_job_kind *kind;
    struct tkt_lane_group *group;
    struct tkt_job job;
    struct tkt_verdict verdict;
    bool is_recorded;
    bool is_started;
    bool in_pool;
    bool is_probe;
    enum tkt_job_doubt doubt; /* whether it may have been carried out though it failed */
    int64_t park_after_ms;    /* 0: TKT_BACKOFF_AGE_MS */
    char reason[300];
    const char *owner;
    struct tkt_http *http;
    void *state; /* the kind's */
    void (*pool_run)(struct tkt_running *r, struct tkt_tools *tools);
    void (*pool_back)(struct tkt_running *r);
    struct tkt_running *back_next;
};

/* By the class of *err (NONE: done). */
void tkt_running_finish(struct tkt_running *r, const struct tkt_err *err);
/* A transaction of its own has finished the job already. */
void tkt_running_recorded(struct tkt_running *r);
/* It comes again after delay_ms, and this was an attempt. */
void tkt_running_retry(struct tkt_running *r, int64_t delay_ms, const char *why);
/* It comes again after delay_ms; this was no attempt. */
void tkt_running_give_back(struct tkt_running *r, int64_t delay_ms, const char *why);
/* run in a thread that may block, then back in dispatch's. -1: no room there now. */
int tkt_running_in_pool(struct tkt_running *r,
                        void (*run)(struct tkt_running *r, struct tkt_tools *tools),
                        void (*back)(struct tkt_running *r));

/* The kinds that are no ITSM's: NULL-terminated. */
extern const struct tkt_job_kind *const tkt_job_kinds[];

#endif
