/* SPDX-License-Identifier: BSD-2-Clause
 * The pool's inside: who waits for a child (parserqueue.c), who keeps children there
 * (parserkeeper.c), what is said to one (parsertalk.c). All fields are under lock, except
 * those of a child that is lent, which are the borrower's, and zygotes, which only the
 * keeper's thread talks to.
 */
#ifndef TKT_TICKETD_PARSERPOOL_PRIVATE_H
#define TKT_TICKETD_PARSERPOOL_PRIVATE_H
#include "ticketd/parser/parserchild.h"
#include "ticketd/parser/parserpool.h"

#include <pthread.h>
#include <stdbool.h>

#define TKT_POOL_CHILDREN_MAX 256

/* Who is charged. It exists while somebody waits or works for it. */
struct tkt_pool_key {
    struct tkt_pool_key *next;
    unsigned refs;
    unsigned busy;
    uint64_t last_turn;
    char name[256];
};

struct tkt_pool_waiter {
    struct tkt_pool_waiter *next;
    struct tkt_pool_key *key;
    struct tkt_child *child; /* what it was given */
    pthread_cond_t cond;
};

/* What a zygote is started with. */
struct tkt_pool_plan {
    char *program;
    struct tkt_buf setup;
    int files[TKT_PARSER_SETUP_FDS]; /* settings of decisions, model; -1 = none */
    unsigned children;
    int64_t budget_ms;
    int64_t queue_wait_ms;
    int64_t messages_per_child;
};

/* A reload that waits for the keeper. */
struct tkt_pool_order {
    struct tkt_pool_plan *plan;
    struct tkt_err *err;
    int result;
    bool done;
    pthread_cond_t cond;
};

struct tkt_parserpool {
    pthread_mutex_t lock;
    pthread_t keeper;
    int wake; /* eventfd: the keeper has something to do */
    bool stopping;
    struct tkt_pool_order *order;
    struct tkt_pool_plan *plan;
    struct tkt_zygote *zygote; /* NULL while there is none */
    struct tkt_zygote *old; /* of earlier configurations, until their children are done */
    unsigned failures;      /* of the zygote in a row */
    int64_t started_mono_ms;
    int64_t next_start_mono_ms;
    struct tkt_child *idle; /* the one used last comes first: its caches are warm */
    struct tkt_child *lent;
    unsigned busy;
    uint64_t turn;
    struct tkt_pool_key *keys;
    struct tkt_pool_waiter *waiters; /* in the order they came */
    struct tkt_parserpool_stats stats;
};

void tkt_pool_plan_free(struct tkt_pool_plan **plan);
/* A copy of fd that cannot write; the caller's to close. */
int tkt_pool_reopen_read_only(int fd, struct tkt_err *err);

/* ---- parserqueue.c ---- */
/* The key that jobs share: they never take more than half from the intake. */
#define TKT_POOL_JOBS "jobs"
struct tkt_pool_claim {
    struct tkt_child *child;
    struct tkt_pool_key *key;
    int64_t budget_ms;
};
int tkt_pool_acquire(struct tkt_parserpool *pool, const char *key,
                     int64_t deadline_mono_ms, struct tkt_pool_claim *out,
                     struct tkt_err *err);
/* fault NULL: the child is sound. Else it is killed and the text is kept for stats. */
void tkt_pool_release(struct tkt_parserpool *pool, struct tkt_pool_claim *claim,
                      const char *fault);
/* With the lock held: gives idle children to waiters; call when either changed. */
void tkt_pool_dispatch(struct tkt_parserpool *pool);

/* ---- parsertalk.c ---- */
struct tkt_pool_talk { /* about one message */
    struct tkt_pool_claim *claim;
    int64_t deadline_us;
    tkt_facts_fn *facts;
    void *arg;
    struct tkt_buf guess; /* facts that went along with PARSE, encoded; empty: none */
    struct tkt_err *err;
    bool facts_failed; /* out: the child is not to blame */
    bool guessed;      /* out: decided in the same trip */
};
/* Adds the facts that a message from this address will have if it points at no ticket.
 * from NULL: no guess. The request borrows them. */
void tkt_pool_talk_guess(struct tkt_pool_talk *talk, const char *from,
                         struct tkt_child_request *req);
/* PARSE, and unless facts is NULL: the facts, DECIDE if the guess was wrong. *out is zeroed, and stays so unless the
 * result is OK and facts_failed is not set. */
enum tkt_child_result tkt_pool_talk(struct tkt_pool_talk *talk,
                                    const struct tkt_child_request *req,
                                    struct tkt_analysis *out);

/* ---- parserkeeper.c ---- */
int tkt_pool_keeper_start(struct tkt_parserpool *pool, struct tkt_err *err);
void tkt_pool_keeper_stop(struct tkt_parserpool *pool);
void tkt_pool_keeper_wake(struct tkt_parserpool *pool);
/* The keeper makes plan the current one, or says in *err why not. Takes *plan then. */
int tkt_pool_keeper_order(struct tkt_parserpool *pool, struct tkt_pool_plan **plan,
                          struct tkt_err *err);

#endif
