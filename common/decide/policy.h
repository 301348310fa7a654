/* SPDX-License-Identifier: BSD-2-Clause
 * What decisions are made by, besides the message and the facts: rules, a learned model,
 * the matrix of priorities. Compiled once, then immutable: a zygote compiles it before its
 * children enter their filter, `ticketctl explain` and `replay` in their own process.
 *
 * Any member may be absent; what is left then decides. Not owned by the decision.
 */
#ifndef TKT_DECIDE_POLICY_H
#define TKT_DECIDE_POLICY_H

struct tkt_rules;  /* decide/rules.h */
struct tkt_model;  /* decide/model.h */
struct tkt_matrix; /* decide/priority.h */

struct tkt_policy {
    const struct tkt_rules *rules;
    const struct tkt_model *model;
    const struct tkt_matrix *matrix;
};

#endif
