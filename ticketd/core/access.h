/* SPDX-License-Identifier: BSD-2-Clause
 * Who may do what: peers by SO_PEERCRED against access { } of the configuration.
 *
 * Promise: names are resolved once, when the configuration is taken; a name that does
 * not exist grants nothing and is told in a log line. Root and the daemon's own user may
 * always do everything. A later change of the system's users needs a reload.
 * Threads: immutable after new; may be shared.
 */
#ifndef TKT_TICKETD_ACCESS_H
#define TKT_TICKETD_ACCESS_H
#include "base/err.h"
#include "conf/conf.h"

#include <stdbool.h>
#include <sys/types.h>

#define TKT_PEER_GROUPS_MAX 64

struct tkt_peer {
    pid_t pid;
    uid_t uid;
    gid_t groups[TKT_PEER_GROUPS_MAX]; /* primary first */
    size_t group_count;
};

enum tkt_role { /* each may do what those before it may */
    TKT_ROLE_NONE,
    TKT_ROLE_READER,
    TKT_ROLE_AGENT,
    TKT_ROLE_ADMIN
};
extern const char *const tkt_role_names[];

struct tkt_access;

struct tkt_access *tkt_access_new(const struct tkt_conf_access *conf,
                                  struct tkt_err *err);
void tkt_access_free(struct tkt_access **access);
/* Credentials as they were when the peer connected. */
int tkt_peer_get(int sock, struct tkt_peer *out, struct tkt_err *err);
/* The user's name, or "uid N". */
void tkt_peer_name(const struct tkt_peer *peer, char out[64]);
bool tkt_access_hook(const struct tkt_access *access, const struct tkt_peer *peer);
enum tkt_role tkt_access_role(const struct tkt_access *access,
                              const struct tkt_peer *peer);

#endif
