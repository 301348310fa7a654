/* SPDX-License-Identifier: BSD-2-Clause
 * The model's step of routing: category, group and urgency where it is sure enough, and for
 * each head a reason with its probability and the words that spoke for it (without a field
 * when it was not sure). Private to common/decide.
 */
#ifndef TKT_DECIDE_MODEL_ROUTE_H
#define TKT_DECIDE_MODEL_ROUTE_H
#include "decide/route.h"

/* The answer to the message at hand, which all desks share, and the memory it took. One
 * thread's. */
struct tkt_model_memo;
struct tkt_model_memo *tkt_model_memo_new(void); /* NULL: no memory */
void tkt_model_memo_free(struct tkt_model_memo **memo);
/* Another message: what was answered is forgotten. memo may be NULL. */
void tkt_model_begin(struct tkt_model_memo *memo);

/* -1: no memory. */
int tkt_model_step(const struct tkt_question *q, struct tkt_decision *d,
                   struct tkt_wire_arena *arena);

#endif
