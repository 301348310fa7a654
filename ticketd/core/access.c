/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/access.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

const char *const tkt_role_names[] = {"none", "reader", "agent", "admin"};

struct id {
    unsigned value; /* uid_t or gid_t */
    bool is_group;
};

struct ids {
    struct id *items;
    size_t count;
};

struct tkt_access {
    struct ids hooks;
    struct ids readers;
    struct ids agents;
    struct ids admins;
};

/* A name, "@group", or a number in either place. */
static bool resolve(const char *name, struct id *out)
{
    int64_t number;
    char space[4096]; /* as large as entries with many members may be here */

    out->is_group = *name == '@';
    name += out->is_group;
    if (tkt_parse_int(name, 0, UINT32_MAX - 1, &number) == 0) {
        out->value = (unsigned)number;
        return true;
    }
    if (out->is_group) {
        /* getgrnam, not _r: groups may have any number of members, and names are
         * resolved by one thread at a time. */
        const struct group *g = getgrnam(name);

        out->value = g ? g->gr_gid : 0;
        return g != NULL;
    }
    struct passwd entry;
    struct passwd *found = NULL;
    if (getpwnam_r(name, &entry, space, sizeof(space), &found) != 0 || !found) {
        return false;
    }
    out->value = found->pw_uid;
    return true;
}

static int ids_load(struct ids *ids, const struct tkt_conf_list *names, const char *what)
{
    ids->items = calloc(names->count + 1, sizeof(*ids->items));
    if (!ids->items) {
        return -1;
    }
    for (size_t i = 0; i < names->count; i++) {
        if (resolve(names->items[i], &ids->items[ids->count])) {
            ids->count++;
        } else {
            tkt_log(TKT_LOG_WARNING, NULL, "access.unknown", "list", what, "name",
                    names->items[i], NULL);
        }
    }
    return 0;
}

struct tkt_access *tkt_access_new(const struct tkt_conf_access *conf, struct tkt_err *err)
{
    struct tkt_access *a = calloc(1, sizeof(*a));

    if (!a || ids_load(&a->hooks, &conf->hooks, "hooks") < 0 ||
        ids_load(&a->readers, &conf->readers, "readers") < 0 ||
        ids_load(&a->agents, &conf->agents, "agents") < 0 ||
        ids_load(&a->admins, &conf->admins, "admins") < 0) {
        tkt_access_free(&a);
        tkt_err_set(err, TKT_ERR_TEMP, "access: no memory");
    }
    return a;
}

void tkt_access_free(struct tkt_access **access)
{
    struct tkt_access *a = *access;

    if (a) {
        free(a->hooks.items);
        free(a->readers.items);
        free(a->agents.items);
        free(a->admins.items);
        free(a);
        *access = NULL;
    }
}

int tkt_peer_get(int sock, struct tkt_peer *out, struct tkt_err *err)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
        return tkt_err_errno(err, TKT_ERR_PERM, "SO_PEERCRED");
    }
    out->pid = cred.pid;
    out->uid = cred.uid;
    out->groups[0] = cred.gid;
    out->group_count = 1;
    len = (TKT_PEER_GROUPS_MAX - 1) * sizeof(gid_t);
    /* A peer with more groups than there is room for is known by its primary one only:
     * it may lose a right by that, never win one. */
    if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, &out->groups[1], &len) == 0) {
        out->group_count += len / sizeof(gid_t);
    }
    return 0;
}

void tkt_peer_name(const struct tkt_peer *peer, char out[64])
{
    char space[4096];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(peer->uid, &entry, space, sizeof(space), &found) == 0 && found) {
        snprintf(out, 64, "%.63s", found->pw_name);
    } else {
        snprintf(out, 64, "uid %u", (unsigned)peer->uid);
    }
}

static bool holds(const struct ids *ids, const struct tkt_peer *peer)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (!ids->items[i].is_group) {
            if (ids->items[i].value == peer->uid) {
                return true;
            }
            continue;
        }
        for (size_t g = 0; g < peer->group_count; g++) {
            if (ids->items[i].value == peer->groups[g]) {
                return true;
            }
        }
    }
    return false;
}

static bool is_owner(const struct tkt_peer *peer)
{
    return peer->uid == 0 || peer->uid == geteuid();
}

bool tkt_access_hook(const struct tkt_access *a, const struct tkt_peer *peer)
{
    return is_owner(peer) || holds(&a->hooks, peer);
}

enum tkt_role tkt_access_role(const struct tkt_access *a, const struct tkt_peer *peer)
{
    if (is_owner(peer) || holds(&a->admins, peer)) {
        return TKT_ROLE_ADMIN;
    }
    if (holds(&a->agents, peer)) {
        return TKT_ROLE_AGENT;
    }
    return holds(&a->readers, peer) ? TKT_ROLE_READER : TKT_ROLE_NONE;
}
