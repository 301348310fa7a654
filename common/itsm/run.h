/* SPDX-License-Identifier: BSD-2-Clause
 * Runs an operation of a backend over the HTTP loop, step by step.
 *
 * Promise: done() is called exactly once, from within start when nothing had to be sent; a
 * request goes only to the origin of the section's url.
 * Owner: ops, call and what it points at are the caller's until done; the run is freed by
 * itself before done. Threads: that of the loop.
 */
#ifndef TKT_ITSM_RUN_H
#define TKT_ITSM_RUN_H
#include "itsm/itsm.h"
#include "net/oauth.h"

struct tkt_itsm_result {
    struct tkt_err err; /* class NONE: done */
    /* It failed, yet the ITSM may have carried it out: look before it is sent again. */
    bool unsure;
    /* Nothing was sent, for what the section names is not there (a program, a file of its
     * TLS, a secret that can be used): CONF, and no fault of this ticket. */
    bool not_ready;
    /* 401: the token that went along is not valid (any more). */
    bool unauthorized;
    /* Whatever became of it: the ITSM's limit is used up for so long. */
    int rest_s;
};

struct tkt_itsm_run;

/* Does the section's secret go along as an OAuth token? Then *ask says which, and borrows
 * all it points at. */
bool tkt_itsm_wants_token(const struct tkt_conf_itsm *conf, const char *secret,
                          const char *client_secret, struct tkt_oauth_ask *ask);

/* What is returned is there until done; NULL: done was called already. */
struct tkt_itsm_run *tkt_itsm_run_start(
    struct tkt_http *http, const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
    void (*done)(void *arg, const struct tkt_itsm_result *result), void *arg);
/* Behind the end of its loop, which leaves it without one. */
void tkt_itsm_run_drop(struct tkt_itsm_run **run);
/* Runs it to its end in a loop of its own: for ticketctl and tests. */
void tkt_itsm_run_wait(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
                       struct tkt_itsm_result *out);

#endif
