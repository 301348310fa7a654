/* SPDX-License-Identifier: BSD-2-Clause
 * Later work: claims jobs with a lease, runs many of them side by side, records how they
 * ended.
 *
 * Promise: a job ends as done, comes again after a pause that grows, or is parked with
 * its reason; a job whose worker died comes back when the lease ends, and the lease of one
 * that takes long is renewed. Of a target (an ITSM) as many run at once and in an hour as its
 * section says; a target that fails again and again, or asks for it, is left alone for a
 * while, and its jobs wait in the store without using up attempts, however many they are.
 * Threads: one, which drives all requests over one HTTP loop. What blocks (reading mail
 * again) goes through the pool of threads and comes back; how jobs end is written down,
 * and the next are claimed, in one transaction for many by the commit writer.
 * Limits: TKT_DISPATCH_HELD_MAX jobs held at once; the store keeps the others.
 */
#ifndef TKT_TICKETD_DISPATCH_H
#define TKT_TICKETD_DISPATCH_H
#include "ticketd/core/daemon.h"

#define TKT_DISPATCH_HELD_MAX 1024

struct tkt_dispatch;

struct tkt_dispatch *tkt_dispatch_start(struct tkt_daemon *d, struct tkt_err *err);
/* There may be new jobs. Cheap; any thread; NULL is allowed. */
void tkt_dispatch_poke(struct tkt_dispatch *dispatch);
/* A person wants jobs of that target tried: it is left alone no longer, and of a circuit
 * that is open the probe goes now. Any thread; NULL is allowed. */
void tkt_dispatch_dare(struct tkt_dispatch *dispatch, const char *target);
/* Ends after what is in the pool of threads and what ends within five seconds; what is
 * under way longer comes back when its lease ends, all else at once. */
void tkt_dispatch_stop(struct tkt_dispatch **dispatch);

#endif
