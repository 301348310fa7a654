/* SPDX-License-Identifier: BSD-2-Clause
 * The time that reading one message may take: whoever loops over a message asks here and
 * stops with what he has. The reader gives up before ticketd would kill it.
 *
 * Time passes through base/clock.h. A struct belongs to one thread. Cannot fail.
 */
#ifndef TKT_MESSAGE_BUDGET_H
#define TKT_MESSAGE_BUDGET_H
#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define TKT_BUDGET_TICKS 64 /* steps of a short loop between two looks at the clock */

struct tkt_budget {
    int64_t end_us; /* 0: no end */
    unsigned ticks;
    bool is_over; /* once over, always over */
};

static inline void tkt_budget_start(struct tkt_budget *b, int64_t ms)
{
    *b = (struct tkt_budget){.end_us = ms > 0 ? tkt_clock_mono_us() + ms * 1000 : 0};
}

/* Looks at the clock: for steps of kilobytes. */
static inline bool tkt_budget_over(struct tkt_budget *b)
{
    b->is_over = b->is_over || (b->end_us > 0 && tkt_clock_mono_us() >= b->end_us);
    return b->is_over;
}

/* The same for steps of a line or less. */
static inline bool tkt_budget_tick(struct tkt_budget *b)
{
    return ++b->ticks % TKT_BUDGET_TICKS == 0 ? tkt_budget_over(b) : b->is_over;
}

#endif
