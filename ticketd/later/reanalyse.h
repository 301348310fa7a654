/* SPDX-License-Identifier: BSD-2-Clause
 * The job "reanalyse": a message that was committed without analysis is read from the
 * store, analysed, and its ticket is brought up to date; the create that waits behind it
 * in the lane follows.
 */
#ifndef TKT_TICKETD_REANALYSE_H
#define TKT_TICKETD_REANALYSE_H
#include "ticketd/core/daemon.h"
#include "ticketd/core/tools.h"

#define TKT_REANALYSE_ATTEMPTS 6

/* enriched: it was analysed when it came in; only the decision is made again, because more
 * is known of the sender (ticketd/later/enrich.h).
 * 0: the ticket was updated and the job is finished, in one transaction (also when the
 * analysis is given up after TKT_REANALYSE_ATTEMPTS: the desk's defaults stay). -1: the
 * job is still to be finished according to *err. */
int tkt_reanalyse(struct tkt_daemon *d, struct tkt_tools *tools,
                  const struct tkt_job *job, const char *owner, bool enriched,
                  struct tkt_err *err);

#endif
