/* SPDX-License-Identifier: BSD-2-Clause
 * The running milter around libmilter: shared state, reload, desk table refresh, socket,
 * drain.
 *
 * Order: init (after chroot and change of user, before any thread), open, run; run
 * returns when libmilter was stopped and what was in flight is answered. USR1 must be
 * blocked in all threads; libmilter's own thread takes TERM, INT and HUP, which must be
 * blocked too when threads are started.
 */
#ifndef TKT_MILTER_SERVICE_H
#define TKT_MILTER_SERVICE_H
#include "milter/endpoint.h"
#include "milter/engine.h"
#include "milter/relay.h"
#include "milter/session.h"

#include <pthread.h>

struct tkt_service {
    struct tkt_milter milter;
    struct tkt_endpoint endpoint;
    char unix_path[PATH_MAX];    /* our UNIX socket, or "" */
    struct tkt_engine *engine;   /* NULL: libmilter's */
    struct tkt_relay *relay;     /* before libmilter, for TCP; else NULL */
    char *conf_path;             /* NULL: can't be read again (outside of the chroot) */
    const struct tkt_conf *conf; /* the one we were started with */
    bool verbose;
    int64_t drain_ms;
    pthread_t control;
};

/* conf's paths must be as this process sees them; it must outlive the service. */
int tkt_service_init(struct tkt_service *s, const struct tkt_conf *conf,
                     const char *conf_path, struct tkt_err *err);
/* Makes the socket(s). */
int tkt_service_open(struct tkt_service *s, struct tkt_err *err);
int tkt_service_run(struct tkt_service *s, struct tkt_err *err);

#endif
