/* SPDX-License-Identifier: BSD-2-Clause
 * A target (an ITSM), or a kind of work beside the targets: how many of its jobs run at
 * once, how many an hour, and when it is left alone.
 *
 * Promise: at most `most` have their turn at once and at most the rate's number an hour
 * (with a minute's worth at once); nobody has a turn while the target asked for rest
 * (Retry-After, a rate limit used up) or while its circuit is open, and then one probe
 * first. A few more than run are fetched ahead, so that none waits for the store.
 * Pure: the time comes from the caller (monotonic). Threads: dispatch's alone.
 */
#ifndef TKT_TICKETD_LANEGROUP_H
#define TKT_TICKETD_LANEGROUP_H
#include "net/pace.h"

#define TKT_GROUP_MOST 4 /* of a target that no section describes (any more) */
#define TKT_GROUP_AHEAD_MIN 4
#define TKT_GROUP_AHEAD_MAX 32
/* Those that were fetched wait here so long for their turn; longer: in the store. */
#define TKT_GROUP_PATIENCE_MS 2000

struct tkt_running;

struct tkt_lane_group {
    struct tkt_lane_group *next;
    char name[64];
    bool is_target; /* it has a circuit, a rate and turns */
    int most;
    int ahead;
    int held;     /* fetched: waiting, being prepared, having their turn */
    int started;  /* of these: begun */
    int sending;  /* of these: have their turn */
    bool refused; /* more waits in the store than there was room for */
    struct tkt_breaker breaker;
    struct tkt_bucket rate;
    int64_t rest_until_ms;
    int64_t failing_since_ms;  /* nothing was done since then; 0: it works */
    struct tkt_running *ready; /* prepared, wait for their turn; oldest first */
    struct tkt_running **ready_end;
};

void tkt_group_init(struct tkt_lane_group *g, const char *name, bool is_target);
/* per_hour 0: no limit. */
void tkt_group_set(struct tkt_lane_group *g, int most, int64_t per_hour);
/* The ms until one may have its turn, room aside; 0: now. */
int64_t tkt_group_wait(const struct tkt_lane_group *g, int64_t now_ms);
/* So many more may be fetched. */
int tkt_group_room(const struct tkt_lane_group *g, int64_t now_ms);
/* 0: one has its turn (count it); else the ms to wait, -1: until another one ends. */
int64_t tkt_group_turn(struct tkt_lane_group *g, int64_t now_ms, bool *is_probe);
/* It asked to be left alone for so long. */
void tkt_group_rest(struct tkt_lane_group *g, int64_t ms, int64_t now_ms);
/* How one ended that had its turn: true when this paused the target. */
bool tkt_group_failed(struct tkt_lane_group *g, int64_t asked_ms, int64_t now_ms);
void tkt_group_answered(struct tkt_lane_group *g);
/* One was done. */
void tkt_group_worked(struct tkt_lane_group *g);
/* A reload, maybe for a new secret or address: another chance at once. */
void tkt_group_forgive(struct tkt_lane_group *g);
/* A person wants one of its jobs tried: its rest is over, and behind an open circuit the
 * probe goes now. */
void tkt_group_dare(struct tkt_lane_group *g);

#endif
