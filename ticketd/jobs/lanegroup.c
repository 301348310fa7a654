/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/jobs/lanegroup.h"

#include "base/util.h"

#include <stdio.h>

void tkt_group_init(struct tkt_lane_group *g, const char *name, bool is_target)
{
    *g = (struct tkt_lane_group){.is_target = is_target};
    snprintf(g->name, sizeof(g->name), "%s", name);
    g->ready_end = &g->ready;
    tkt_group_set(g, TKT_GROUP_MOST, 0);
}

void tkt_group_set(struct tkt_lane_group *g, int most, int64_t per_hour)
{
    g->most = TKT_MAX(1, most);
    g->ahead = TKT_MAX(TKT_GROUP_AHEAD_MIN, TKT_MIN(2 * g->most, TKT_GROUP_AHEAD_MAX));
    tkt_bucket_set(&g->rate, per_hour, per_hour / 60);
}

static int64_t rate_wait(const struct tkt_lane_group *g, int64_t now_ms)
{
    struct tkt_bucket look = g->rate;

    return tkt_bucket_take(&look, 1, now_ms);
}

int64_t tkt_group_wait(const struct tkt_lane_group *g, int64_t now_ms)
{
    struct tkt_breaker look = g->breaker;

    if (!g->is_target) {
        return 0;
    }
    int64_t wait = TKT_MAX(g->rest_until_ms - now_ms, INT64_C(0));

    wait = TKT_MAX(wait, rate_wait(g, now_ms));
    return TKT_MAX(wait, tkt_breaker_ask(&look, now_ms));
}

int tkt_group_room(const struct tkt_lane_group *g, int64_t now_ms)
{
    int64_t room = g->most + g->ahead;

    if (g->is_target) {
        if (tkt_group_wait(g, now_ms) > TKT_GROUP_PATIENCE_MS) {
            return 0;
        }
        if (g->breaker.state != TKT_BREAKER_CLOSED) {
            room = 1; /* the probe */
        }
        if (g->rate.per_hour > 0) { /* what can go soon, and no more */
            int64_t have = g->rate.in_use ? g->rate.milli / 1000 : g->rate.burst;
            int64_t soon = g->rate.per_hour * TKT_GROUP_PATIENCE_MS / 3600000;
            room = TKT_MIN(room, TKT_MAX(have, INT64_C(0)) + soon + 1);
        }
    }
    return (int)TKT_MAX(room - g->held, INT64_C(0));
}

int64_t tkt_group_turn(struct tkt_lane_group *g, int64_t now_ms, bool *is_probe)
{
    *is_probe = false;
    if (g->sending >= g->most) {
        return -1;
    }
    if (!g->is_target) {
        return 0;
    }
    int64_t wait = TKT_MAX(g->rest_until_ms - now_ms, rate_wait(g, now_ms));

    if (wait > 0) {
        return wait;
    }
    wait = tkt_breaker_ask(&g->breaker, now_ms);
    if (wait > 0) {
        return wait;
    }
    *is_probe = g->breaker.state == TKT_BREAKER_HALF_OPEN;
    (void)tkt_bucket_take(&g->rate, 1, now_ms); /* it was just seen to be there */
    return 0;
}

void tkt_group_rest(struct tkt_lane_group *g, int64_t ms, int64_t now_ms)
{
    if (g->is_target) {
        g->rest_until_ms = TKT_MAX(g->rest_until_ms, now_ms + ms);
    }
}

bool tkt_group_failed(struct tkt_lane_group *g, int64_t asked_ms, int64_t now_ms)
{
    bool was_open = g->breaker.state == TKT_BREAKER_OPEN;
    bool was_resting = g->rest_until_ms > now_ms;

    g->failing_since_ms = g->failing_since_ms ? g->failing_since_ms : now_ms;
    tkt_breaker_failure(&g->breaker, 0, now_ms);
    tkt_group_rest(g, asked_ms, now_ms);
    return (!was_open && g->breaker.state == TKT_BREAKER_OPEN) ||
           (!was_resting && g->rest_until_ms > now_ms);
}

void tkt_group_answered(struct tkt_lane_group *g)
{
    tkt_breaker_success(&g->breaker);
}

void tkt_group_worked(struct tkt_lane_group *g)
{
    g->failing_since_ms = 0;
}

void tkt_group_forgive(struct tkt_lane_group *g)
{
    tkt_breaker_success(&g->breaker);
    g->rest_until_ms = 0;
}

void tkt_group_dare(struct tkt_lane_group *g)
{
    g->rest_until_ms = 0;
    g->breaker.until_ms = 0;
}
