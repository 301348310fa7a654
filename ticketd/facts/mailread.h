/* SPDX-License-Identifier: BSD-2-Clause
 * A mail of the store, read once more for a job that needs its words.
 *
 * Owner: the analysis is the caller's (tkt_analysis_release). Threads: those that may
 * block. Limits: the settings' message_max, and the deadline, which is TKT_MAILREAD_BUDGET_MS
 * from now for most. Errors: TEMP when the parser has no time now, else as the store and the
 * parser say.
 */
#ifndef TKT_TICKETD_MAILREAD_H
#define TKT_TICKETD_MAILREAD_H
#include "ticketd/core/daemon.h"
#include "ticketd/parser/parserpool.h"

#define TKT_MAILREAD_BUDGET_MS 10000

int tkt_mailread(struct tkt_parserpool *pool, const struct tkt_conf *conf,
                 struct tkt_reader *reader, int64_t message, int64_t deadline_mono_ms,
                 struct tkt_analysis *out, struct tkt_err *err);

#endif
