/* SPDX-License-Identifier: BSD-2-Clause
 * Lines for people's log stores: our keys by the names of the Elastic Common Schema.
 *
 * Promise: a line is one JSON object with each name once. Addresses and subjects are
 * personal data: without `personal` the fields that hold them are left out, and what looks
 * like an address within other text is "[address]".
 * Pure; any thread. Memory: out's, which tells by `failed` when it was too small.
 * Source: elastic/ecs, schemas.
 */
#ifndef TKT_BASE_ECS_H
#define TKT_BASE_ECS_H
#include "base/buf.h"
#include "base/log.h"

#define TKT_ECS_VERSION "8.11.0"

struct tkt_ecs { /* zeroed but for these, then private */
    struct tkt_buf *out;
    bool personal;
    bool has_outcome, has_local_id, has_error, has_duration;
};

struct tkt_ecs_line {
    int64_t at_ms;
    enum tkt_log_level level;
    const char *service; /* the program */
    const char *version;
    const char *host;
    int pid;
    const char *object; /* or NULL */
    const char *event;
};

/* "{" and what each line has. */
void tkt_ecs_begin(struct tkt_ecs *e, const struct tkt_ecs_line *line);
/* key: one of ours. */
void tkt_ecs_pair(struct tkt_ecs *e, const char *key, const char *value, size_t n);
/* ,"name":"value" as it is, but for addresses. */
void tkt_ecs_text(struct tkt_ecs *e, const char *name, const char *value, size_t n);
/* success, failure or unknown of a status of ours. */
const char *tkt_ecs_outcome(const char *status, size_t n);

#endif
