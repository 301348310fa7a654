/* SPDX-License-Identifier: BSD-2-Clause
 * Tickets whose ITSM has failed for long go to another one.
 *
 * Promise: only a create of which it is known that it was not carried out is moved (it is
 * not under way and not in doubt), with all that waits behind it in its lane, in one
 * transaction with the ticket's itsm and the event ticket.failover: the ticket is created
 * in one of the two, never in both.
 */
#ifndef TKT_STORE_FAILOVER_H
#define TKT_STORE_FAILOVER_H
#include "store/store.h"

#define TKT_STORE_FAILOVER_MAX 64 /* of a call */

struct tkt_store_failover {
    const char *desk;
    const char *from, *to;
    int64_t made_before_ms; /* creates that have waited since then */
    const char *why;
    bool parked; /* instead: creates that were refused for good, and parked since then */
};
/* How many tickets went over; TKT_STORE_FAILOVER_MAX: there may be more. */
int tkt_store_failover(struct tkt_store *store, const struct tkt_store_failover *in,
                       int64_t now_ms, struct tkt_err *err);
/* A person's hand: the job's lane to another ITSM. PERM unless it begins with a create that
 * is parked or deferred, and not in doubt unless force says so. */
int tkt_store_job_redirect(struct tkt_store *store, int64_t job, const char *to,
                           bool force, const char *who, int64_t now_ms,
                           struct tkt_err *err);

#endif
