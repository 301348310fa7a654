/* SPDX-License-Identifier: BSD-2-Clause
 * A job that dispatch holds: what a kind of job gets, and how it ends.
 *
 * A kind is started in dispatch's thread and ends, at once or later and in that thread,
 * in exactly one of finish, recorded, retry, give_back and commit. Until then it owns
 * nothing but state. What blocks goes through tkt_running_in_pool; what goes to a target
 * is prepared first and then waits for its turn (tkt_running_turn).
 */
#ifndef TKT_TICKETD_RUNNING_H
#define TKT_TICKETD_RUNNING_H
#include "net/http.h"
#include "ticketd/core/daemon.h"
#include "ticketd/core/tools.h"
#include "ticketd/jobs/backoff.h"
#include "ticketd/jobs/lanegroup.h"

struct tkt_running;

struct tkt_job_kind {
    const char *kind;
    /* A group of its own instead of the target's; it has no circuit. NULL: the target's. */
    const char *group;
    int at_once; /* of the group; 0: as many as the target's section says */
    int (*at_once_of)(const struct tkt_daemon *d); /* or so many */
    /* Wall time until which it must have been started, also without room. */
    int64_t (*latest_ms)(const struct tkt_running *r);
    void (*start)(struct tkt_running *r);
    /* The time to stop has come: ends it now, if that may be. NULL: its lease ends. */
    void (*stop)(struct tkt_running *r);
};

/* What the end of a job says of its target. */
enum tkt_running_word {
    TKT_WORD_BY_CLASS, /* it had its turn: TEMP is a failure, all else an answer */
    TKT_WORD_ANSWERED, /* it answers, though this one must wait */
    TKT_WORD_FAILED    /* it cannot be used, though this one had no turn */
};

struct tkt_running {
    struct tkt_work_item work; /* first: the pool gives it back */
    struct tkt_running *next, **prev;
    struct tkt_running *ready_next;
    struct tkt_running *book_next; /* ended, to be recorded */
    struct tkt_dispatch *dispatch;
    struct tkt_daemon *d;
    const struct tkt_job_kind *kind;
    struct tkt_lane_group *group;
    struct tkt_job job;
    struct tkt_verdict verdict;
    bool is_recorded;
    bool is_started;
    bool is_ready;
    bool has_turn;
    bool had_turn;
    bool is_ended;
    bool in_pool;
    bool is_probe;
    enum tkt_running_word word;
    enum tkt_job_doubt doubt; /* whether it may have been carried out though it failed */
    int64_t park_after_ms;    /* 0: TKT_BACKOFF_AGE_MS */
    char reason[300];
    const char *owner;
    struct tkt_http *http;
    void *state; /* the kind's */
    void (*pool_run)(struct tkt_running *r, struct tkt_tools *tools);
    void (*pool_back)(struct tkt_running *r);
    struct tkt_running *back_next;
    void (*go)(struct tkt_running *r, int64_t wait_ms);
    int (*record)(struct tkt_store *store, struct tkt_running *r, struct tkt_err *err);
    void (*recorded)(struct tkt_running *r, const struct tkt_err *err);
};

/* By the class of *err (NONE: done). */
void tkt_running_finish(struct tkt_running *r, const struct tkt_err *err);
/* A transaction of its own has finished the job already. */
void tkt_running_recorded(struct tkt_running *r);
/* It comes again after delay_ms, and this was an attempt. */
void tkt_running_retry(struct tkt_running *r, int64_t delay_ms, const char *why);
/* It comes again after delay_ms; this was no attempt. */
void tkt_running_give_back(struct tkt_running *r, int64_t delay_ms, const char *why);
/* It is prepared: go(r, 0) is called when the target may be used for it, at once or later;
 * go(r, ms) when that takes so long that it is to be given back. */
void tkt_running_turn(struct tkt_running *r,
                      void (*go)(struct tkt_running *r, int64_t wait_ms));
/* The target asked to be left alone, while it carried this out. */
void tkt_running_rest(struct tkt_running *r, int64_t ms);
/* Its end is a transaction of its own: record, in the writer's thread, finishes the job and
 * writes what came of it, together with other ends (it may be called again when the first
 * try was undone). PERM: it wrote nothing, the job is another's now. recorded gets class
 * NONE and releases state; or it ends r by another of these. */
void tkt_running_commit(struct tkt_running *r,
                        int (*record)(struct tkt_store *store, struct tkt_running *r,
                                      struct tkt_err *err),
                        void (*recorded)(struct tkt_running *r,
                                         const struct tkt_err *err));
/* run in a thread that may block, then back in dispatch's. -1: no room there now. */
int tkt_running_in_pool(struct tkt_running *r,
                        void (*run)(struct tkt_running *r, struct tkt_tools *tools),
                        void (*back)(struct tkt_running *r));
/* The same for what waits for others for long (a mail server, a program): its threads are
 * apart from those that read mail, and one target has half of them at most. */
int tkt_running_aside(struct tkt_running *r,
                      void (*run)(struct tkt_running *r, struct tkt_tools *tools),
                      void (*back)(struct tkt_running *r));

/* The kinds that are no ITSM's: NULL-terminated. */
extern const struct tkt_job_kind *const tkt_job_kinds[];
const struct tkt_job_kind *tkt_job_kind_of(const char *kind, const char *target);

#endif
