/* SPDX-License-Identifier: BSD-2-Clause
 * Where the MTA reaches us: the socket specification, and making sure that it is free.
 *
 * Specifications: unix:PATH, local:PATH, or PATH beginning with '/'; inet:PORT@HOST,
 * inet6:PORT@HOST; without @HOST the loopback address (libmilter would take all). The
 * order of Postfix, inet:HOST:PORT, is taken as well.
 */
#ifndef TKT_MILTER_ENDPOINT_H
#define TKT_MILTER_ENDPOINT_H
#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

struct tkt_endpoint {
    bool tcp;
    bool v6;
    char path[PATH_MAX]; /* UNIX */
    char host[256];      /* TCP; a name or an address */
    int port;
};

/* CONF with what is wrong and what would be right. */
int tkt_endpoint_parse(const char *spec, struct tkt_endpoint *out, struct tkt_err *err);
/* CONF when somebody answers at path, or when it is no socket. A dead socket file is
 * left: libmilter replaces it. */
int tkt_endpoint_check_free(const char *path, struct tkt_err *err);
/* A listening socket, close-on-exec; the file of a dead one is replaced. -1 with CONF. */
int tkt_endpoint_listen(const struct tkt_endpoint *endpoint, struct tkt_err *err);

#endif
