/* SPDX-License-Identifier: BSD-2-Clause
 * The intake server: hooks' connections, one epoll thread, answers in batches.
 *
 * Promise: a RESERVE is answered OK only after its commit reported success. One request
 * of a connection is worked on at a time. Peers are checked by SO_PEERCRED when they
 * connect; connections are capped in all (limits.requests_max) and per peer process
 * (limits.requests_per_peer): above it the answer is TEMP and the connection is closed.
 * Threads: its own one owns all connections; what may block runs in the work pool, the
 * commit there too while nobody else commits, else in the writer. Whoever ends a request
 * in the pool answers it; what the writer committed is answered by the intake thread.
 * Small messages in a memfd never leave that thread before the commit when nothing is
 * analysed.
 */
#ifndef TKT_TICKETD_INTAKE_H
#define TKT_TICKETD_INTAKE_H
#include "ticketd/core/daemon.h"

struct tkt_intake;

/* Takes listen_fd (non-blocking). */
struct tkt_intake *tkt_intake_start(struct tkt_daemon *d, int listen_fd,
                                    struct tkt_err *err);
/* Accepts no more, finishes the requests under way (at most drain_ms), closes. What is
 * not finished by then is given up: its connections close without an answer. Returns the
 * number of those. */
size_t tkt_intake_stop(struct tkt_intake **intake, int64_t drain_ms);

#endif
