/* SPDX-License-Identifier: BSD-2-Clause
 * How long a ticket may take: the timers of a service level, and what happens step by step
 * when nobody acts.
 *
 * Pure: (state of a ticket, what happened) -> state, and (state, instant) -> what is due by
 * then. No I/O, no clock. Times are seconds of UTC; business time is counted by calendars
 * (decide/calendar.h) and exact in seconds.
 *
 * Promise: what is done for a ticket is a function of what happened to it and when, not of
 * how often or how late it is looked at: who calls tkt_sla_act up to the time of each event
 * before that event, and up to now at any time, gets the same warnings, breaches and steps,
 * in the order in which they were due. A warning and a breach come once a round of a timer,
 * a step once a ticket. A breach is never taken back. Where it pauses, a timer or a step
 * does not see the time in which the ticket was pending.
 *
 * Limits: TKT_SLA_STEPS_MAX steps of a ticket. A book is immutable; any thread.
 */
#ifndef TKT_DECIDE_SLA_H
#define TKT_DECIDE_SLA_H
#include "decide/assign.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_SLA_NAME_MAX 32
#define TKT_SLA_STEPS_MAX 32 /* that a ticket ever has, of all its chains */
#define TKT_SLA_WHY_MAX 160
#define TKT_SLA_PRIORITIES 5
#define TKT_SLA_BACK_S 60 /* what lies further ahead than that was never now */

/* ---- what is agreed ----------------------------------------------------------------- */

enum tkt_sla_timer {
    TKT_SLA_FIRST, /* until an agent's first public word */
    TKT_SLA_NEXT,  /* from a requester's later message to the next */
    TKT_SLA_RESOLUTION,
    TKT_SLA_TIMERS
};
extern const char *const tkt_sla_timer_names[]; /* first_response, ... */

/* Lists whose items stand for each other; an empty list asks nothing. Globs know * and ?,
 * case does not count. */
struct tkt_sla_filter {
    struct tkt_strings desks;
    struct tkt_strings groups;
    struct tkt_strings types;
    struct tkt_strings categories;
    struct tkt_strings requesters; /* globs */
    struct tkt_strings domains;    /* of the requester: one of these, or below it */
    struct tkt_strings departments;
    struct tkt_strings companies; /* globs */
    struct tkt_strings member_of; /* globs over his groups in the directory */
    unsigned priorities;          /* bit n: priority n; 0 = any */
    int vip;                      /* 1 yes, -1 no, 0 any */
};

struct tkt_sla_policy {
    char *name;
    struct tkt_sla_filter filter;
    char *calendar; /* "": that of the ticket's group */
    bool pauses;    /* while the ticket is pending */
    int warn;       /* percent of the target; 0: never */
    int64_t target_s[TKT_SLA_TIMERS][TKT_SLA_PRIORITIES + 1]; /* by priority; 0: none */
};

enum tkt_sla_cause {
    TKT_SLA_CREATED,
    TKT_SLA_UNASSIGNED, /* nobody has it */
    TKT_SLA_UNTOUCHED,  /* who has it did not accept it */
    TKT_SLA_ABSENT,     /* who has it is away */
    TKT_SLA_WARNED,
    TKT_SLA_BREACHED,
    TKT_SLA_CAUSES
};
extern const char *const tkt_sla_cause_names[];

struct tkt_sla_step {
    char *name;
    enum tkt_sla_cause of;
    int64_t after_s; /* of business time */
    bool pauses;     /* while the ticket is pending */
    int raise;       /* by so many priorities */
    bool assign;     /* to another one of the group */
    char *group;     /* "": it stays */
    struct tkt_strings notify;
    char *channel; /* "": that of the notification */
};

struct tkt_sla_chain {
    char *name;
    struct tkt_sla_filter filter;
    char *calendar; /* "": that of the ticket's service level, else of its group */
    struct tkt_sla_step *steps;
    size_t step_count;
};

struct tkt_sla_desk {
    char *name;
    char *sla; /* where no section's conditions fit; "": none */
};

struct tkt_sla_group { /* who is told of its tickets */
    char *name;
    char *mailbox; /* lower case; or "" */
    char *manager; /* address; or "" */
};

struct tkt_sla_book {
    struct tkt_sla_policy *policies; /* the first that fits */
    size_t policy_count;
    struct tkt_sla_chain *chains;
    size_t chain_count;
    struct tkt_sla_desk *desks;
    size_t desk_count;
    struct tkt_sla_group *groups;
    size_t group_count;
    bool asks_person;                /* some filter asks what the directory knows */
    const struct tkt_roster *roster; /* borrowed: calendars and groups */
};
void tkt_sla_book_free(struct tkt_sla_book **book);
const struct tkt_sla_policy *tkt_sla_policy(const struct tkt_sla_book *book,
                                            const char *name);
const struct tkt_sla_chain *tkt_sla_chain(const struct tkt_sla_book *book,
                                          const char *name);
const struct tkt_sla_step *tkt_sla_step(const struct tkt_sla_chain *chain,
                                        const char *name);
const struct tkt_sla_group *tkt_sla_group(const struct tkt_sla_book *book,
                                          const char *name);

/* ---- a ticket ----------------------------------------------------------------------- */

struct tkt_sla_facts { /* as it is now; no string is NULL */
    const char *desk, *group, *type, *category, *requester, *department, *company;
    const struct tkt_strings *member_of; /* or NULL */
    int priority;
    bool vip;
    bool is_unasked; /* the directory was not heard: what it said before still holds */
    bool has_assignee;
    bool is_untouched;
    bool is_away; /* who has it */
};

enum tkt_sla_state { /* on disk: only ever added to */
    TKT_SLA_OFF,
    TKT_SLA_RUNNING,
    TKT_SLA_PAUSED,
    TKT_SLA_MET,     /* it ended as it should, in time or late */
    TKT_SLA_STOPPED, /* it does not matter any more */
    TKT_SLA_DONE     /* of a step */
};
extern const char *const tkt_sla_state_names[];

struct tkt_sla_clock {
    enum tkt_sla_state state;
    bool warned;
    bool breached;
    int round;        /* of next response: one a question */
    int64_t target_s; /* 0: none is agreed */
    int64_t used_s;   /* of business time, until since_s */
    int64_t since_s;
    int64_t due_s; /* of its next action; TKT_CALENDAR_NEVER */
};

struct tkt_sla_wait { /* of a step */
    char name[TKT_SLA_NAME_MAX + 1];
    enum tkt_sla_state state; /* RUNNING, PAUSED, STOPPED or DONE */
    enum tkt_sla_cause of;
    int64_t since_s;
    int64_t left_s; /* of business time, while it is paused */
    int64_t due_s;
};

enum tkt_sla_flag { /* on disk */
    TKT_SLA_F_PENDING = 1,
    TKT_SLA_F_RESOLVED = 2,
    TKT_SLA_F_ENDED = 4,
    TKT_SLA_F_ANSWERED = 8,
    TKT_SLA_F_ASKED = 16, /* again, while it was resolved */
    /* 32 to 128 are sla.c's own */
    TKT_SLA_F_UNASKED = 512 /* chosen without the directory: it is to be chosen again */
};

struct tkt_sla_ticket {
    char sla[TKT_SLA_NAME_MAX + 1];   /* "": none fits */
    char chain[TKT_SLA_NAME_MAX + 1]; /* the same */
    char calendar[TKT_SLA_NAME_MAX + 1];
    char chain_calendar[TKT_SLA_NAME_MAX + 1];
    char why[TKT_SLA_WHY_MAX];
    unsigned flags;
    int64_t started_s;
    struct tkt_sla_clock clocks[TKT_SLA_TIMERS];
    struct tkt_sla_wait waits[TKT_SLA_STEPS_MAX];
    size_t wait_count;
};

enum tkt_sla_event {
    TKT_SLA_E_BEGIN,
    TKT_SLA_E_PAUSE, /* the ticket is pending */
    TKT_SLA_E_RESUME,
    TKT_SLA_E_ANSWER,   /* an agent's public word */
    TKT_SLA_E_ASK,      /* a requester's later message */
    TKT_SLA_E_PROGRESS, /* somebody works on it */
    TKT_SLA_E_RESOLVE,
    TKT_SLA_E_REOPEN,
    TKT_SLA_E_END,    /* merged, withdrawn, refused */
    TKT_SLA_E_CHANGE, /* of anything in the facts */
    TKT_SLA_E_BACK    /* the clock was set back: at_s is now, whatever was said before */
};

/* What happened at at_s. tkt_sla_act has been called up to at_s. */
void tkt_sla_apply(struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                   enum tkt_sla_event event, const struct tkt_sla_facts *facts,
                   int64_t at_s);

enum tkt_sla_action_kind {
    TKT_SLA_A_WARNING,
    TKT_SLA_A_BREACH,
    TKT_SLA_A_STEP
};
struct tkt_sla_action {
    enum tkt_sla_action_kind kind;
    enum tkt_sla_timer timer; /* of a warning and a breach */
    int round;
    int64_t due_s;
    int64_t deadline_s; /* of the timer's target */
    int64_t target_s;
    const struct tkt_sla_step *step;
};
/* The next that is due at to_s or before, done in *t: call again until false. */
bool tkt_sla_act(struct tkt_sla_ticket *t, const struct tkt_sla_book *book, int64_t to_s,
                 struct tkt_sla_action *out);
/* A step that was not carried out after all, as its cause is gone. */
void tkt_sla_undo_step(struct tkt_sla_ticket *t, const char *step);
/* When the next action of all is due; TKT_CALENDAR_NEVER. */
int64_t tkt_sla_next(const struct tkt_sla_ticket *t);

/* Business time a timer has used at now_s, and when its target is reached (NEVER: it does
 * not run, or nothing is agreed). */
int64_t tkt_sla_used(const struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                     enum tkt_sla_timer timer, int64_t now_s);
int64_t tkt_sla_deadline(const struct tkt_sla_ticket *t, const struct tkt_sla_book *book,
                         enum tkt_sla_timer timer);

/* ---- between sla.c and sla_choose.c -------------------------------------------------- */

struct tkt_sla_choice {
    const struct tkt_sla_policy *policy; /* or NULL */
    const struct tkt_sla_chain *chain;   /* or NULL */
    const char *calendar;
    const char *chain_calendar;
    char why[TKT_SLA_WHY_MAX];
};
/* had: the names of what the ticket has, which stay while the directory is not heard. */
struct tkt_sla_had {
    const char *sla, *chain;
};
void tkt_sla_choose(const struct tkt_sla_book *book, const struct tkt_sla_facts *facts,
                    const struct tkt_sla_had *had, struct tkt_sla_choice *out);
const struct tkt_calendar *tkt_sla_calendar(const struct tkt_sla_book *book,
                                            const char *name);

#endif
