/* SPDX-License-Identifier: BSD-2-Clause
 * Which group, and which of its people: the roster (who works when, knows what, takes how
 * much) and the choice.
 *
 * Pure: the clock and what the store knows of each member are arguments. The store makes
 * the choice inside the transaction that writes the ticket, so that what it counted is
 * still true when it is committed (store/assign.c). A roster is built from the
 * configuration (ticketd/core/roster.h), then immutable; any thread.
 *
 * Turns: all strategies break ties by turns. Turns are start-time fair queuing: each
 * member's next turn is a virtual time, later by 1/weight after each ticket; who was away
 * comes back at the group's present time and is not flooded with what he missed. With
 * equal weights that is round robin: while two are on duty, their counts differ by at most
 * one.
 */
#ifndef TKT_DECIDE_ASSIGN_H
#define TKT_DECIDE_ASSIGN_H
#include "decide/calendar.h"
#include "decide/decide.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_ASSIGN_TURN INT64_C(5040000) /* of a member of weight 1 */
#define TKT_ASSIGN_WEIGHT_MAX 100
#define TKT_ASSIGN_HOPS_MAX 8 /* of fallback groups */
#define TKT_ASSIGN_WHY_MAX 240

enum tkt_assign_strategy {
    TKT_ASSIGN_NONE,
    TKT_ASSIGN_ROUND_ROBIN, /* by turns */
    TKT_ASSIGN_LEAST_OPEN,  /* fewest open tickets for his weight */
    TKT_ASSIGN_SKILLS, /* most of the ticket's words among his skills, then as above */
    TKT_ASSIGN_STICKY, /* who had this requester last, else the fewest open */
    TKT_ASSIGN_STRATEGIES
};
extern const char *const tkt_assign_names[];

struct tkt_roster_absence {
    int32_t first; /* dates in the zone of his calendar, both included */
    int32_t last;
};

struct tkt_roster_agent {
    char *address; /* lower case */
    char *name;
    struct tkt_strings skills;           /* lower case */
    int weight;                          /* 1..TKT_ASSIGN_WEIGHT_MAX */
    int64_t cap;                         /* open tickets; 0: the group's */
    const struct tkt_calendar *calendar; /* NULL: the group's */
    struct tkt_roster_absence *absences;
    size_t absence_count;
};

struct tkt_roster_group {
    char *name;
    enum tkt_assign_strategy strategy;
    const struct tkt_calendar *calendar; /* NULL: always */
    char *fallback;                      /* a group, or "" */
    int64_t cap;                         /* 0: none */
    bool take_on_reply;
    struct tkt_strings categories;  /* that make it this group; lower case */
    struct tkt_strings departments; /* of the sender */
    struct tkt_roster_agent *members;
    size_t member_count;
};

struct tkt_roster {
    struct tkt_calendar *calendars;
    size_t calendar_count;
    struct tkt_roster_group *groups; /* in the order of the configuration */
    size_t group_count;
};

const struct tkt_roster_group *tkt_roster_group(const struct tkt_roster *roster,
                                                const char *name);
const struct tkt_roster_agent *tkt_roster_member(const struct tkt_roster_group *group,
                                                 const char *address);
/* Builders of rosters and their end. */
void tkt_roster_free(struct tkt_roster **roster);

/* ---- the group ---------------------------------------------------------------------- */

/* The group of the decision's category or of the sender's department, if neither a rule
 * nor the sender's script named one; leaves a reason. Before the desk's default and the
 * model, behind rules. -1: no memory. */
int tkt_assign_route(const struct tkt_roster *roster, const char *department,
                     struct tkt_decision *d, struct tkt_wire_arena *arena);

/* The group that a category alone makes it; NULL: none. */
const struct tkt_roster_group *tkt_assign_group_of(const struct tkt_roster *roster,
                                                   const char *category);
/* May a category that becomes known later move it to another group? Not where a rule, the
 * sender's script or its subcategory named one. */
bool tkt_assign_is_open(const struct tkt_decision *d);

/* ---- the person --------------------------------------------------------------------- */

enum tkt_duty {
    TKT_DUTY_ON,
    TKT_DUTY_OFF,  /* outside of his hours */
    TKT_DUTY_AWAY, /* absent */
    TKT_DUTY_FULL  /* at his cap */
};
extern const char *const tkt_duty_names[];

struct tkt_assign_state { /* what the store knows of a member */
    int64_t open;
    int64_t turn;        /* virtual time at which his last turn ended */
    int64_t last;        /* sequence of his last ticket in this group; 0: none */
    int64_t away_from_s; /* by command; until = 0: not */
    int64_t away_until_s;
};

struct tkt_assign_in {
    const struct tkt_roster_group *group;
    const struct tkt_assign_state *states; /* as many as members */
    int64_t clock;                         /* the group's virtual time */
    const char *handler;      /* who had this requester last; NULL or "": nobody */
    const char *const *words; /* what the ticket is about; lower case */
    size_t word_count;
    const char *except; /* not him; NULL or "": anybody */
    int64_t now_s;
};

struct tkt_assign_out {
    int chosen;    /* index of the member, or -1 */
    int64_t start; /* of his turn: the group's clock from now on */
    int64_t turn;  /* its end */
    size_t on_duty, off, away, full;
    int64_t next_s; /* chosen = -1: when somebody may be there; TKT_CALENDAR_NEVER */
    char why[TKT_ASSIGN_WHY_MAX];
};

enum tkt_duty tkt_assign_duty(const struct tkt_roster_group *group,
                              const struct tkt_roster_agent *agent,
                              const struct tkt_assign_state *state, int64_t now_s);
void tkt_assign_choose(const struct tkt_assign_in *in, struct tkt_assign_out *out);

#endif
