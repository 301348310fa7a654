/* SPDX-License-Identifier: BSD-2-Clause
 * The job "enrich": a message came before any directory had been asked for its sender and
 * was decided without. It stands before the create in the ticket's lane; when the answer is
 * there the decision is made again, so that the create goes where it belongs.
 */
#ifndef TKT_TICKETD_ENRICH_H
#define TKT_TICKETD_ENRICH_H
#include "ticketd/core/daemon.h"
#include "ticketd/core/tools.h"

#define TKT_ENRICH_LOOK_MS 200 /* and later each 2 s */

/* 0: the job is finished (decided again; or nobody knows the sender; or people.enrich_wait
 * is over), in one transaction. 1: not yet, look again after *again_ms. -1: to be
 * finished according to *err. */
int tkt_enrich(struct tkt_daemon *d, struct tkt_tools *tools, const struct tkt_job *job,
               const char *owner, int64_t *again_ms, struct tkt_err *err);

#endif
