/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "wire/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* The kernel's SCM_MAX_FD: with room for all of them a cut control message can only
 * mean that this process has no descriptor left. */
#define SCM_FDS_MAX 253
#define TAIL_FIRST "v=1\ntail="
#define LISTEN_BACKLOG 1024

static int poll_timeout(int64_t deadline_mono_ms)
{
    if (deadline_mono_ms == INT64_MAX) {
        return -1;
    }
    int64_t left = deadline_mono_ms - tkt_clock_mono_ms();
    return left <= 0 ? 0 : (int)TKT_MIN(left, INT_MAX);
}

/* 0 when ready; -1 with errno EAGAIN when the time is over. */
static int wait_for(int sock, short events, int64_t deadline_mono_ms)
{
    struct pollfd pfd = {.fd = sock, .events = events};

    for (;;) {
        int n = poll(&pfd, 1, poll_timeout(deadline_mono_ms));
        if (n > 0) {
            return 0;
        }
        if (n == 0) {
            errno = EAGAIN;
            return -1;
        }
        if (errno != EINTR) {
            return -1;
        }
    }
}

static int send_packet(int sock, const char *body, size_t len, const int *fds,
                       size_t fd_count, int64_t deadline_mono_ms, struct tkt_err *err)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * TKT_WIRE_FDS_MAX)];
    } control = {0};
    struct iovec iov = {.iov_base = (void *)body, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd_count > 0) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
    }
    while (sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN || wait_for(sock, POLLOUT, deadline_mono_ms) < 0) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "send");
        }
    }
    return 0;
}

int tkt_wire_send(int sock, struct tkt_wire_packet *p, int64_t deadline_mono_ms,
                  struct tkt_err *err)
{
    if (p->body.failed || p->body.len == 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "packet is empty or above %d bytes",
                           TKT_WIRE_TAIL_MAX);
    }
    if (p->body.len <= TKT_WIRE_PACKET_MAX) {
        return send_packet(sock, p->body.data, p->body.len, p->fds, p->fd_count,
                           deadline_mono_ms, err);
    }
    if (p->fd_count == TKT_WIRE_FDS_MAX) {
        return tkt_err_set(err, TKT_ERR_BUG, "no descriptor left for the tail");
    }
    TKT_AUTO_FD int tail = tkt_memfd_sealed("tail", p->body.data, p->body.len, err);
    if (tail < 0) {
        return -1;
    }
    int fds[TKT_WIRE_FDS_MAX];
    memcpy(fds, p->fds, sizeof(fds));
    fds[p->fd_count] = tail;
    char first[64];
    int n = snprintf(first, sizeof(first), TAIL_FIRST "%zu\n", p->body.len);
    return send_packet(sock, first, (size_t)n, fds, p->fd_count + 1, deadline_mono_ms,
                       err);
}

/* Takes what fits and closes the rest; returns how many came in all. */
static size_t collect_fds(struct msghdr *msg, struct tkt_wire_packet *p)
{
    size_t seen = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            (void)tkt_wire_packet_take_fd(p,
                                          fd); /* one too many is closed, and counted */
            seen++;
        }
    }
    return seen;
}

static int check_fds(const struct tkt_wire_packet *p, struct tkt_err *err)
{
    struct stat st;

    for (size_t i = 0; i < p->fd_count; i++) {
        if (fstat(p->fds[i], &st) < 0) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "fstat");
        }
        if (!S_ISREG(st.st_mode)) {
            return tkt_err_set(err, TKT_ERR_PERM, "descriptor is not a regular file");
        }
    }
    return 0;
}

/* The tail is trusted to stand still only because it is sealed: a file on a filesystem
 * of the peer's choice could block the reader. */
static int read_tail(struct tkt_wire_packet *p, int64_t announced, struct tkt_err *err)
{
    const int sealed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    struct stat st;
    size_t got;

    if (p->fd_count == 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "tail without a descriptor");
    }
    TKT_AUTO_FD int fd = p->fds[--p->fd_count];
    p->fds[p->fd_count] = -1;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & sealed) != sealed) {
        return tkt_err_set(err, TKT_ERR_PERM, "tail is not a sealed memfd");
    }
    if (fstat(fd, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "fstat");
    }
    if (st.st_size != announced) {
        return tkt_err_set(err, TKT_ERR_PERM, "tail has %lld bytes, not %lld",
                           (long long)st.st_size, (long long)announced);
    }
    tkt_buf_reset(&p->body);
    if (tkt_buf_reserve(&p->body, (size_t)announced) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory for the tail");
    }
    if (tkt_pread_full(fd, p->body.data, (size_t)announced, 0, &got, err) < 0) {
        return -1;
    }
    p->body.len = got;
    p->body.data[got] = '\0';
    return 0;
}

static int take_tail(struct tkt_wire_packet *p, struct tkt_err *err)
{
    const size_t skip = strlen(TAIL_FIRST);
    int64_t announced;

    if (p->body.len < skip || memcmp(p->body.data, TAIL_FIRST, skip) != 0) {
        return 0;
    }
    if (p->body.data[p->body.len - 1] != '\n') {
        return tkt_err_set(err, TKT_ERR_PERM, "bad tail line");
    }
    p->body.data[p->body.len - 1] = '\0';
    if (tkt_parse_int(p->body.data + skip, 1, TKT_WIRE_TAIL_MAX, &announced) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "bad tail length");
    }
    return read_tail(p, announced, err);
}

static int check_received(struct tkt_wire_packet *p, const struct msghdr *msg,
                          size_t fds_seen, struct tkt_err *err)
{
    if ((msg->msg_flags & MSG_CTRUNC) != 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no descriptor left to receive a message");
    }
    if ((msg->msg_flags & MSG_TRUNC) != 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "packet above %d bytes",
                           TKT_WIRE_PACKET_MAX);
    }
    if (fds_seen > TKT_WIRE_FDS_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "%zu descriptors in one packet", fds_seen);
    }
    if (p->body.len == 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "descriptors without a packet");
    }
    if (check_fds(p, err) < 0) {
        return -1;
    }
    return take_tail(p, err);
}

int tkt_wire_recv(int sock, struct tkt_wire_packet *p, int64_t deadline_mono_ms,
                  struct tkt_err *err)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * SCM_FDS_MAX)];
    } control;
    char room[TKT_WIRE_PACKET_MAX]; /* a packet is kept in what it needs */
    ssize_t n;

    tkt_wire_packet_release(p);
    struct iovec iov = {.iov_base = room, .iov_len = sizeof(room)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    for (;;) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n >= 0) {
            break;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN || wait_for(sock, POLLIN, deadline_mono_ms) < 0) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "receive");
        }
    }
    size_t seen = collect_fds(&msg, p);
    if (n == 0 && seen == 0 && (msg.msg_flags & MSG_CTRUNC) == 0) {
        return 0;
    }
    if (tkt_buf_add(&p->body, room, (size_t)n) < 0) {
        tkt_wire_packet_release(p);
        errno = ENOMEM;
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory for a packet");
    }
    if (check_received(p, &msg, seen, err) < 0) {
        tkt_wire_packet_release(p);
        errno = EPROTO; /* whatever it was: not "nothing there" */
        return -1;
    }
    return 1;
}

static int fill_address(const char *path, struct sockaddr_un *sun, struct tkt_err *err)
{
    size_t n = strlen(path);

    memset(sun, 0, sizeof(*sun));
    sun->sun_family = AF_UNIX;
    if (n == 0 || n >= sizeof(sun->sun_path)) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: socket path has 1 to %zu bytes", path,
                           sizeof(sun->sun_path) - 1);
    }
    memcpy(sun->sun_path, path, n + 1);
    return 0;
}

int tkt_wire_connect(const char *path, int64_t deadline_mono_ms, struct tkt_err *err)
{
    struct sockaddr_un sun;

    if (fill_address(path, &sun, err) < 0) {
        return -1;
    }
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (sock < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "socket");
    }
    /* A full backlog makes connect wait as long as a send may. */
    int timeout_ms = TKT_MAX(poll_timeout(deadline_mono_ms), 1);
    if (deadline_mono_ms != INT64_MAX) {
        struct timeval tv = {.tv_sec = timeout_ms / 1000,
                             .tv_usec = timeout_ms % 1000 * 1000};
        (void)setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &tv,
                         sizeof(tv)); /* then longer */
    }
    while (connect(sock, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
        if (errno == EINTR) {
            continue;
        }
        tkt_err_errno(err, TKT_ERR_TEMP, "connect to %s", path);
        int saved = errno;
        close(sock);
        errno = saved;
        return -1;
    }
    return sock;
}

/* 0 when path is free (a dead socket is removed). */
static int clear_path(const char *path, const struct sockaddr_un *sun,
                      struct tkt_err *err)
{
    struct stat st;

    if (lstat(path, &st) < 0) {
        return errno == ENOENT ? 0 : tkt_err_errno(err, TKT_ERR_CONF, "%s", path);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s exists and is not a socket", path);
    }
    TKT_AUTO_FD int probe =
        socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "socket");
    }
    if (connect(probe, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ||
        errno != ECONNREFUSED) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s is in use by another process", path);
    }
    if (unlink(path) < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "remove %s", path);
    }
    return 0;
}

int tkt_wire_listen(const char *path, unsigned umask_bits, struct tkt_err *err)
{
    struct sockaddr_un sun;

    if (fill_address(path, &sun, err) < 0 || clear_path(path, &sun, err) < 0) {
        return -1;
    }
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "socket");
    }
    mode_t old = umask((mode_t)umask_bits);
    int rc = bind(sock, (struct sockaddr *)&sun, sizeof(sun));
    umask(old);
    if (rc < 0 || listen(sock, LISTEN_BACKLOG) < 0) {
        tkt_err_errno(err, TKT_ERR_CONF, "listen on %s", path);
        close(sock);
        return -1;
    }
    return sock;
}
