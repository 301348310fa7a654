/* SPDX-License-Identifier: BSD-2-Clause
 * What decisions are made by, besides the message and the facts: rules, a learned model,
 * the matrix of priorities. Loaded once: a zygote does it before its children enter their
 * filter (machine code is made, which the filter forbids), `ticketctl explain`, `replay` and
 * `config test` in their own process.
 *
 * Any member may be absent; what is left then decides. A policy is used by one thread at a
 * time: rules keep what they found in the message at hand. Errors are CONF, "file:line:
 * what"; a model that cannot be used is an error as well.
 */
#ifndef TKT_DECIDE_POLICY_H
#define TKT_DECIDE_POLICY_H
#include "base/buf.h"
#include "base/err.h"
#include "base/sections.h"

#include <stddef.h>

struct tkt_rules;      /* decide/rules.h */
struct tkt_model;      /* decide/model.h */
struct tkt_matrix;     /* decide/priority.h */
struct tkt_correlates; /* decide/correlate.h */
struct tkt_model_memo; /* decide/model_route.h */

struct tkt_policy {
    struct tkt_rules *rules;
    struct tkt_model *model;
    struct tkt_model_memo
        *memo; /* its answer to the message at hand; there with a model */
    struct tkt_matrix *matrix;
    struct tkt_correlates *correlates;
    struct tkt_sections settings; /* what it was made of; names and texts point there */
    char *data;
};

/* settings: as conf/policy.h encodes them, copied; NULL: none. model_fd: a file that is open
 * for reading, borrowed and not needed afterwards; -1: no model. warnings: lines "file:line:
 * what" are appended; may be NULL. */
int tkt_policy_load(const void *settings, size_t n, int model_fd, struct tkt_policy **out,
                    struct tkt_buf *warnings, struct tkt_err *err);
void tkt_policy_free(struct tkt_policy **policy);

#endif
