/* SPDX-License-Identifier: BSD-2-Clause
 * The room where others look in: GET /metrics (Prometheus), /healthz, /readyz.
 *
 * Promise: whoever connects sees numbers and words of ours, nothing of mail, and can
 * change nothing. It listens only where the section metrics says, on this host unless
 * another address stands there.
 * Threads: one of its own. Limits: TKT_WATCH_CONNECTIONS at once, 10 s each, requests
 * without a body.
 * Errors: CONF when it cannot listen there.
 */
#ifndef TKT_TICKETD_WATCH_H
#define TKT_TICKETD_WATCH_H
#include "ticketd/core/daemon.h"

#define TKT_WATCH_CONNECTIONS 16

struct tkt_watch;

/* *out stays NULL and 0 is returned when the section says nothing. */
int tkt_watch_start(struct tkt_daemon *d, const struct tkt_conf *conf,
                    struct tkt_watch **out, struct tkt_err *err);
void tkt_watch_stop(struct tkt_watch **watch);
/* Where a metrics.listen points: 0, or -1 CONF. Of "unix:/path" path is set; of
 * "127.0.0.1:9464" and "[::1]:9464" host and port are. */
int tkt_watch_address(const char *listen, char host[64], int *port, const char **path,
                      struct tkt_err *err);

#endif
