/* SPDX-License-Identifier: BSD-2-Clause
 * The way back: what people do at ITSMs comes here.
 *
 * Promise: what changed there is written here once (store/back.h), as done by "itsm:NAME".
 * A look is a job of kind "fetch" in the ticket's lane, behind what goes there itself. One
 * that fails ends; the ticket's row says when it is looked at again, so that nothing waits
 * behind it in the lane.
 * Threads: one, for lists of changes and for looks that are due.
 * Limits: those of store/back.h; one list of an ITSM at a time, in all one.
 */
#ifndef TKT_TICKETD_ITSMBACK_H
#define TKT_TICKETD_ITSMBACK_H
#include "ticketd/core/daemon.h"

struct tkt_itsmjob;
struct tkt_back;

/* For itsmjob.c, in the writer: what a look saw, and that it failed. */
int tkt_itsmback_seen(struct tkt_store *store, struct tkt_itsmjob *job, int64_t now_ms,
                      struct tkt_err *err);
int tkt_itsmback_failed(struct tkt_store *store, struct tkt_itsmjob *job, bool gone,
                        int64_t now_ms, struct tkt_err *err);
/* After the commit: the log's line. */
void tkt_itsmback_told(const struct tkt_itsmjob *job);

struct tkt_back *tkt_back_start(struct tkt_daemon *d, struct tkt_err *err);
void tkt_back_stop(struct tkt_back **back);

#endif
