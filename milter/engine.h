/* SPDX-License-Identifier: BSD-2-Clause
 * The sockets and threads under milter/proto.h: milter.engine = native.
 *
 * A few threads share one epoll set; a connection's event is handed to one of them and
 * asked for again when it is done, so a connection is never in two threads. Each reads all
 * that there is (Postfix writes everything from the client's address to DATA at once) and
 * answers once. A thread that is about to wait for ticketd or a disk makes sure that
 * another one is listening. Over TCP small writes leave at once, and so do ACKs: without
 * that a message waits some 88 ms for timers.
 *
 * Bounds: connections_max connections (further ones wait in the backlog),
 * TKT_ENGINE_THREADS_MAX threads, one packet held a connection, TKT_ENGINE_IDLE_MS without
 * a byte, TKT_ENGINE_SEND_MS for an answer to leave. Everything may be called from any
 * thread. There is no end to an engine but that of the process.
 */
#ifndef TKT_MILTER_ENGINE_H
#define TKT_MILTER_ENGINE_H
#include "milter/session.h"

#define TKT_ENGINE_CONNECTIONS_MAX 8192
#define TKT_ENGINE_THREADS_MAX 1024
#define TKT_ENGINE_IDLE_MS (2 * 3600 * 1000)
#define TKT_ENGINE_SEND_MS 30000

struct tkt_engine;
/* Takes a listening socket and serves it. milter must outlive the process's threads. */
struct tkt_engine *tkt_engine_start(struct tkt_milter *milter, int listener, bool tcp,
                                    size_t connections_max, struct tkt_err *err);
/* Every few seconds: ends connections without a byte for idle_ms, listens again if
 * descriptors had run out. */
void tkt_engine_tick(struct tkt_engine *e, int64_t idle_ms);
/* No new connections from here on; those without a message in the filter's hands may be
 * gone at any time. */
void tkt_engine_close_listener(struct tkt_engine *e);
/* Threads that are serving a connection at this moment. */
unsigned tkt_engine_busy(struct tkt_engine *e);

#endif
