/* SPDX-License-Identifier: BSD-2-Clause
 * The filter on libmilter: milter.engine = libmilter.
 *
 * libmilter runs the callbacks in threads of its own, takes TERM, INT and HUP, and needs
 * up to five seconds to notice one of them. UNIX sockets only. One a process.
 */
#ifndef TKT_MILTER_LIBMILTER_H
#define TKT_MILTER_LIBMILTER_H
#include "milter/session.h"

/* Makes the socket. milter must outlive the process's threads. */
int tkt_libmilter_open(struct tkt_milter *milter, const char *unix_path, int backlog,
                       struct tkt_err *err);
/* Serves until a signal ends it. Callbacks may still run then. */
int tkt_libmilter_run(struct tkt_err *err);

#endif
