/* SPDX-License-Identifier: BSD-2-Clause
 * Who has a ticket: assignment, what is counted for it, absence.
 *
 * Promise: how many open tickets each person has (agents.open) is kept in the transaction
 * that changes a ticket, and the choice of a person is made in the transaction that
 * writes the ticket: there is no time between counting and writing, however many requests
 * are under way. verify counts anew and compares.
 *
 * "Untouched": no person has had a hand in it. It was given by itself, or is new and was
 * given to nobody, and since then nobody set its person, moved it, commented or answered.
 *
 * Threads, errors and transactions as in store.h.
 */
#ifndef TKT_STORE_ASSIGN_H
#define TKT_STORE_ASSIGN_H
#include "decide/assign.h"
#include "store/store.h"

/* Jobs of this kind, in a lane of their own, assign a ticket for which nobody was there. */
#define TKT_JOB_ASSIGN "assign"
#define TKT_JOB_ASSIGN_TARGET "(assign)"
#define TKT_STORE_AGENT_MAX 330 /* of an address with its NUL */

struct tkt_store_assign_in {
    const char *id; /* display id, or NULL and ... */
    int64_t ticket; /* ... its row */
    const struct tkt_roster *roster;
    const char *group;  /* NULL: the one it is in */
    const char *to;     /* NULL: as the group's strategy says; "": nobody */
    const char *except; /* not to him; or NULL */
    const char *who;    /* for the event; "" = by itself */
    const char *reason; /* the same */
    bool only_untouched;
    bool only_unassigned;
    int64_t now_ms;
};
struct tkt_store_assign_out {
    bool changed; /* false: one of the two conditions did not hold */
    char group[64];
    char assignee[TKT_STORE_AGENT_MAX]; /* "": nobody */
    char why[TKT_ASSIGN_WHY_MAX];
    int64_t next_ms; /* nobody: when it is worth trying again; INT64_MAX never */
};
/* A choice by strategy that finds nobody leaves the ticket unassigned, with an event and
 * a job that tries again. A group without a strategy has nobody to choose: unassigned. */
int tkt_store_assign(struct tkt_store *store, const struct tkt_store_assign_in *in,
                     struct tkt_store_assign_out *out, struct tkt_err *err);
/* For that job. */
int tkt_store_assign_job(struct tkt_store *store, const struct tkt_roster *roster,
                         const struct tkt_job *job, const char *owner, int64_t now_ms,
                         struct tkt_err *err);

/* until 0: he is back, and what waits for somebody is tried again now. One absence by command a person; the configuration may hold more. */
struct tkt_store_away {
    const char *address;
    int64_t from_ms;
    int64_t until_ms;
    const char *note; /* or "" */
    const char *who;
};
int tkt_store_agent_away(struct tkt_store *store, const struct tkt_store_away *away,
                         int64_t now_ms, struct tkt_err *err);
/* Requesters' last handlers that are older: forgets at most max, counts them. */
int tkt_store_handlers_expire(struct tkt_store *store, int64_t before_ms, int max,
                              int64_t *count, struct tkt_err *err);

struct tkt_store_agent {
    int64_t open;
    int64_t away_from_ms;
    int64_t away_until_ms; /* 0: not away by command */
    char away_by[64];
    char away_note[200];
};
/* *out is all zero for one who never had a ticket. -1, else 0. */
int tkt_reader_agent(struct tkt_reader *r, const char *address,
                     struct tkt_store_agent *out, struct tkt_err *err);
/* Untouched tickets of a person with rows above after, oldest first: row ids; returns
 * count <= max or -1. Looks at all tickets: not for the writer. */
int tkt_reader_untouched(struct tkt_reader *r, const char *address, int64_t after,
                         int64_t *out, int max, struct tkt_err *err);

#endif
