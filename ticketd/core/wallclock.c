/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/wallclock.h"

static enum tkt_wallclock_jump jump_of(int64_t by_ms)
{
    if (by_ms <= -TKT_WALLCLOCK_JUMP_MS) {
        return TKT_WALLCLOCK_BACK;
    }
    return by_ms >= TKT_WALLCLOCK_JUMP_MS ? TKT_WALLCLOCK_AHEAD : TKT_WALLCLOCK_STEADY;
}

enum tkt_wallclock_jump tkt_wallclock_look(struct tkt_wallclock *w, int64_t latest_ms,
                                           int64_t wall_ms, int64_t mono_ms,
                                           int64_t *by_ms)
{
    bool first = w->wall_ms == 0;
    int64_t expected_ms = first ? latest_ms : w->wall_ms + mono_ms - w->mono_ms;

    *by_ms = wall_ms - expected_ms;
    w->wall_ms = wall_ms;
    w->mono_ms = mono_ms;
    enum tkt_wallclock_jump jump = jump_of(*by_ms);
    if (first && jump == TKT_WALLCLOCK_AHEAD) { /* we were not running meanwhile */
        jump = TKT_WALLCLOCK_STEADY;
    }
    if (jump != TKT_WALLCLOCK_STEADY) {
        w->doubt_mono_ms =
            jump == TKT_WALLCLOCK_AHEAD ? mono_ms + TKT_WALLCLOCK_DOUBT_MS : 0;
    }
    return jump;
}

bool tkt_wallclock_in_doubt(const struct tkt_wallclock *w, int64_t mono_ms)
{
    return mono_ms < w->doubt_mono_ms;
}
