/* SPDX-License-Identifier: BSD-2-Clause
 * The control server: what ticketctl asks (wire/control.h), with roles by SO_PEERCRED.
 *
 * Promise: a request that names an unknown verb, lacks an argument or has a wrong one is
 * explained and changes nothing; every change goes through the commit writer.
 * Threads: one that accepts, one for each connection, at most TKT_CONTROL_CONNECTIONS.
 */
#ifndef TKT_TICKETD_CONTROL_H
#define TKT_TICKETD_CONTROL_H
#include "ticketd/core/daemon.h"

#define TKT_CONTROL_CONNECTIONS 16
#define TKT_CONTROL_STRANGERS 4 /* of these, for peers without a role */
#define TKT_CONTROL_ARGS_MAX 64
#define TKT_CONTROL_IDLE_MS 60000

struct tkt_control;

/* Takes listen_fd. */
struct tkt_control *tkt_control_start(struct tkt_daemon *d, int listen_fd,
                                      struct tkt_err *err);
/* Waits for requests under way. */
void tkt_control_stop(struct tkt_control **control);

/* ---- between control.c and control_verbs.c ----------------------------------------- */

struct tkt_control_arg {
    const char *name;
    const char *value;
};

struct tkt_control_request {
    struct tkt_daemon *d;
    struct tkt_reader *reader; /* opened before a verb runs */
    const char *verb;
    struct tkt_control_arg args[TKT_CONTROL_ARGS_MAX];
    size_t arg_count;
    char who[64];
    enum tkt_role role;
    int in_fd;           /* the request's descriptor or -1; borrowed */
    struct tkt_buf data; /* out: JSON, or the message for "raw" */
    int out_fd;          /* out: instead of data; -1 */
    bool has_data;
    int exit_code;  /* out: sysexits.h; 0 unless the verb says otherwise */
    char text[300]; /* out */
};

/* NULL when it was not given. */
const char *tkt_control_arg(const struct tkt_control_request *req, const char *name);
/* Of an argument that was checked to be a number before the verb ran. */
int64_t tkt_control_number(const struct tkt_control_request *req, const char *name,
                           int64_t otherwise);
/* Runs the verb with its checks. -1 with *err when it was refused or failed. */
int tkt_control_verb(struct tkt_control_request *req, struct tkt_err *err);

#endif
