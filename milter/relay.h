/* SPDX-License-Identifier: BSD-2-Clause
 * TCP in front of libmilter's UNIX socket.
 *
 * Over TCP every libmilter filter pays about 88 ms a message: the MTA's small writes wait
 * for our delayed ACK, libmilter's small writes wait for the MTA's. TCP_NODELAY and
 * TCP_QUICKACK together cure it, and libmilter gives nobody its sockets. So libmilter
 * listens on a private UNIX socket, and one thread copies bytes both ways.
 *
 * Bounds: at most connections_max connections (further ones wait in the backlog), at most
 * TKT_RELAY_BUFFER bytes held a direction and connection: what cannot be written stops
 * the reading on the other side. One thread, started and stopped here.
 */
#ifndef TKT_MILTER_RELAY_H
#define TKT_MILTER_RELAY_H
#include "base/err.h"

#include <stddef.h>

#define TKT_RELAY_BUFFER 65536
#define TKT_RELAY_CONNECTIONS_MAX 1000

struct tkt_relay;
/* Takes a listening TCP socket (closed by stop) and the path to connect to. */
struct tkt_relay *tkt_relay_start(int listener, const char *unix_path,
                                  size_t connections_max, struct tkt_err *err);
/* Stops listening at once, then ends the connections. */
void tkt_relay_close_listener(struct tkt_relay *relay);
void tkt_relay_stop(struct tkt_relay **relay);

#endif
