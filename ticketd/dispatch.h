/* SPDX-License-Identifier: BSD-2-Clause
 * Later work: claims jobs with a lease, runs them, records how they ended.
 *
 * Promise: a job ends as done, comes again after a pause that grows, or is parked with
 * its reason; a job whose worker died comes back when the lease ends. One thread; what a
 * backend started and has not finished stays in flight there.
 */
#ifndef TKT_TICKETD_DISPATCH_H
#define TKT_TICKETD_DISPATCH_H
#include "ticketd/daemon.h"

struct tkt_dispatch;

struct tkt_dispatch *tkt_dispatch_start(struct tkt_daemon *d, struct tkt_err *err);
/* There may be new jobs. Cheap; any thread; NULL is allowed. */
void tkt_dispatch_poke(struct tkt_dispatch *dispatch);
/* Ends after the job at hand; claimed ones come back when their lease ends. */
void tkt_dispatch_stop(struct tkt_dispatch **dispatch);

#endif
