/* SPDX-License-Identifier: BSD-2-Clause
 * Priority: the matrix of ITIL over urgency and impact, and where those two come from.
 *
 * Urgency: a rule; else what the words say; else Importance or X-Priority; else the model.
 * An angry writer raises it by a step when nothing else was said. Impact: a rule; else
 * raised for a VIP (only with an assurance of login or aligned) and by the number of people
 * who say the same. Where one of the two is known, the matrix gives the priority; where
 * neither is, the desk's stands. A priority set by a rule stays. Each source leaves a
 * reason; what had no effect is marked overruled.
 *
 * A matrix is plain data, immutable after it is made.
 */
#ifndef TKT_DECIDE_PRIORITY_H
#define TKT_DECIDE_PRIORITY_H
#include "base/err.h"
#include "base/sections.h"
#include "decide/thread.h"

#include <stdbool.h>
#include <stdint.h>

#define TKT_MATRIX_LEVELS 3 /* high, medium, low */
#define TKT_MATRIX_STEPS_MAX 2

struct tkt_matrix {
    uint8_t cell[TKT_MATRIX_LEVELS]
                [TKT_MATRIX_LEVELS]; /* [urgency - 1][impact - 1]: 1..5 */
    uint8_t urgency;                 /* where it is not known: 1..3 */
    uint8_t impact;
    uint8_t vip; /* steps by which a VIP raises impact: 0..2 */
    /* From how many people on impact rises by another step; 0 = never. */
    uint32_t affected[TKT_MATRIX_STEPS_MAX];
    bool words;      /* ... say how urgent it is */
    bool mood;       /* anger raises urgency */
    bool importance; /* the sender's header counts */
};

extern const struct tkt_matrix tkt_matrix_default;
extern const char *const tkt_level_names[];    /* [1] "high", "medium", "low" */
extern const char *const tkt_priority_names[]; /* [1] "urgent" ... "planning" */

/* Of the section priority, or the default where there is none. CONF: which line is wrong. */
int tkt_matrix_compile(const struct tkt_sections *sections, struct tkt_matrix *out,
                       struct tkt_err *err);

/* The step behind model and rules (decide/route.h). Without a matrix the words, headers
 * and people of the message change nothing. -1: no memory. */
int tkt_priority_step(const struct tkt_question *q, struct tkt_decision *d,
                      struct tkt_wire_arena *arena);

#endif
