/* SPDX-License-Identifier: BSD-2-Clause
 * Whether the clock on the wall was set, as against the one that only ever goes on.
 *
 * A jump ahead (the host slept, or the time was set) is believed when it has stood for
 * TKT_WALLCLOCK_DOUBT_MS: until then nothing is to be done for the mere reason that it is
 * due. After a jump back what was planned in the future that did not come is to be planned
 * anew. Steps below TKT_WALLCLOCK_JUMP_MS are no jumps. Pure; one thread.
 */
#ifndef TKT_TICKETD_WALLCLOCK_H
#define TKT_TICKETD_WALLCLOCK_H
#include <stdbool.h>
#include <stdint.h>

#define TKT_WALLCLOCK_JUMP_MS INT64_C(60000)
#define TKT_WALLCLOCK_DOUBT_MS INT64_C(60000)

struct tkt_wallclock { /* all zero: it was never looked at */
    int64_t wall_ms;
    int64_t mono_ms;
    int64_t doubt_mono_ms; /* till then */
};

enum tkt_wallclock_jump {
    TKT_WALLCLOCK_STEADY,
    TKT_WALLCLOCK_AHEAD,
    TKT_WALLCLOCK_BACK
};

/* As of the last look; *by_ms how far. The first look goes by latest_ms, a time that was now
 * once (0: none is known). */
enum tkt_wallclock_jump tkt_wallclock_look(struct tkt_wallclock *w, int64_t latest_ms,
                                           int64_t wall_ms, int64_t mono_ms,
                                           int64_t *by_ms);
bool tkt_wallclock_in_doubt(const struct tkt_wallclock *w, int64_t mono_ms);

#endif
