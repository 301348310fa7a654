/* SPDX-License-Identifier: BSD-2-Clause
 * What a shadow configuration decided differently: counters and the newest examples. Pure;
 * the caller locks. Private to ticketd/shadow*.c.
 */
#ifndef TKT_TICKETD_SHADOW_COUNT_H
#define TKT_TICKETD_SHADOW_COUNT_H
#include "decide/record.h"
#include "ticketd/shadow/shadow.h"

#define TKT_SHADOW_TEXT_MAX 200

struct tkt_shadow_move {
    char from[64];
    char to[64];
    uint64_t count;
};

struct tkt_shadow_example {
    int64_t at_ms;
    char ticket[48];
    char desk[40];
    uint32_t bits;
    char *texts; /* old and new of each part in bits, each with its NUL */
};

struct tkt_shadow_counts {
    uint64_t compared, differ;
    uint64_t parts[TKT_PART_COUNT];
    struct tkt_shadow_move moves[TKT_SHADOW_MOVES_MAX];
    size_t move_count;
    uint64_t other_moves;
    struct tkt_shadow_example examples[TKT_SHADOW_EXAMPLES_MAX]; /* a ring */
    size_t example_count; /* ever; the newest is at (count - 1) % MAX */
};

void tkt_shadow_count(struct tkt_shadow_counts *c, const struct tkt_decision *old,
                      const struct tkt_decision *new, const char *ticket,
                      const char *desk, int64_t at_ms);
void tkt_shadow_counts_reset(struct tkt_shadow_counts *c);
/* ,"parts":... ,"groups":... ,"examples":... */
void tkt_shadow_counts_json(const struct tkt_shadow_counts *c, struct tkt_buf *out);

#endif
