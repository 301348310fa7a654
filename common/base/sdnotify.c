/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sdnotify.h"

#include "base/enc.h"
#include "base/util.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define FIRST_FD 3
#define FDS_MAX 16

void tkt_sd_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;

    if (len < 2 || len >= sizeof(sun.sun_path) || (*path != '/' && *path != '@')) {
        return;
    }
    memcpy(sun.sun_path, path, len);
    if (*path == '@') {
        sun.sun_path[0] = '\0';
    }
    TKT_AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sun,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    }
}

/* The place of name in the colon-separated list, or -1. */
static int find_name(const char *names, const char *name)
{
    size_t len = strlen(name);
    int at = 0;

    for (const char *p = names; p; at++) {
        size_t n = strcspn(p, ":");

        if (n == len && memcmp(p, name, n) == 0) {
            return at;
        }
        p = p[n] ? p + n + 1 : NULL;
    }
    return -1;
}

int tkt_sd_listen_fd(const char *name, int type, struct tkt_err *err)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    int64_t for_pid;
    int64_t n;
    int is = 0;
    socklen_t len = sizeof(is);

    if (!pid || !count || !names || tkt_parse_int(pid, 1, INT32_MAX, &for_pid) < 0 ||
        for_pid != getpid() || tkt_parse_int(count, 1, FDS_MAX, &n) < 0) {
        return -1;
    }
    int at = find_name(names, name);
    if (at < 0 || at >= n) {
        return -1;
    }
    int fd = FIRST_FD + at;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &is, &len) < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "socket \"%s\" of the service manager",
                             name);
    }
    if (is != type) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "socket \"%s\" of the service manager has another type: "
                           "ListenSequentialPacket= is meant",
                           name);
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC); /* a descriptor that getsockopt() knows */
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}
