/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/spawn.h"
#include "base/util.h"
#include "ticketd/parser/parserchild.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define TKT_P_PIDFD 3 /* P_PIDFD, which glibc has only since 2.36 */
#define END_WAIT_US (2 * 1000 * 1000)

static int spawn_process(const char *program, int control, pid_t *pid)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
                                              NULL};
    static const char *const argv[] = {"ticket-parser", NULL};
    int fds[TKT_PARSER_CONTROL_FD + 1];

    for (int i = 0; i < TKT_PARSER_CONTROL_FD; i++) {
        fds[i] = -1;
    }
    fds[TKT_PARSER_CONTROL_FD] = control;
    const struct tkt_spawn what = {.path = program,
                                   .argv = argv,
                                   .environment = environment,
                                   .fds = fds,
                                   .fd_count = TKT_PARSER_CONTROL_FD + 1};

    return tkt_spawn(&what, pid);
}

/* READY, or the text of why not. */
static int await_ready(struct tkt_zygote *z, int64_t deadline_us, struct tkt_err *err)
{
    char packet[sizeof(uint32_t) + TKT_PARSER_ERROR_MAX + 1];
    uint32_t kind;

    if (tkt_child_wait(z->control, POLLIN, deadline_us) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "it does not get ready");
    }
    ssize_t n = recv(z->control, packet, sizeof(packet) - 1, MSG_DONTWAIT);
    if (n < (ssize_t)sizeof(kind)) {
        return tkt_err_set(err, TKT_ERR_TEMP, "it ended at its start");
    }
    memcpy(&kind, packet, sizeof(kind));
    packet[n] = '\0';
    if (kind == TKT_PARSER_FAILED) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s", packet + sizeof(kind));
    }
    return kind == TKT_PARSER_READY
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "it is not a ticket-parser");
}

static int send_setup(int control, const struct tkt_buf *setup,
                      const int files[TKT_PARSER_SETUP_FDS])
{
    int fds[TKT_PARSER_SETUP_FDS];
    size_t count = 0;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } ancillary;
    struct iovec iov = {setup->data, setup->len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    while (count < TKT_PARSER_SETUP_FDS && files[count] >= 0) {
        fds[count] = files[count];
        count++;
    }
    if (count > 0) {
        memset(&ancillary, 0, sizeof(ancillary));
        msg.msg_control = &ancillary;
        msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *m = CMSG_FIRSTHDR(&msg);
        m->cmsg_level = SOL_SOCKET;
        m->cmsg_type = SCM_RIGHTS;
        m->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(m), fds, count * sizeof(int));
    }
    return sendmsg(control, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

int tkt_zygote_start(const char *program, const struct tkt_buf *setup,
                     const int files[TKT_PARSER_SETUP_FDS], int64_t timeout_ms,
                     struct tkt_zygote **out, struct tkt_err *err)
{
    int64_t deadline_us = tkt_clock_mono_us() + timeout_ms * 1000;
    int pair[2];
    struct tkt_zygote *z = calloc(1, sizeof(*z));

    if (z == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    z->control = z->pidfd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        free(z);
        return tkt_err_errno(err, TKT_ERR_TEMP, "socketpair");
    }
    z->control = pair[0];
    int rc = spawn_process(program, pair[1], &z->pid);
    (void)close(pair[1]); /* a socket: nothing to lose */
    if (rc != 0) {
        errno = rc;
        tkt_err_errno(err, TKT_ERR_CONF, "execute %s", program);
        goto fail;
    }
    z->pidfd = (int)syscall(SYS_pidfd_open, z->pid, 0);
    if (z->pidfd < 0) {
        tkt_err_errno(err, TKT_ERR_TEMP, "pidfd_open");
        (void)kill(z->pid, SIGKILL); /* our own unreaped child */
        (void)waitpid(z->pid, NULL, 0);
        goto fail;
    }
    if (send_setup(z->control, setup, files) < 0) {
        tkt_err_errno(err, TKT_ERR_TEMP, "%s: send setup", program);
        goto fail;
    }
    if (await_ready(z, deadline_us, err) < 0) {
        tkt_err_prefix(err, "%s", program);
        goto fail;
    }
    *out = z;
    return 0;
fail:
    tkt_zygote_end(&z);
    return -1;
}

void tkt_zygote_end(struct tkt_zygote **zygote)
{
    struct tkt_zygote *z = *zygote;
    siginfo_t info;

    if (z == NULL) {
        return;
    }
    if (z->pidfd >= 0) {
        /* Fails only when it is dead already. */
        (void)syscall(SYS_pidfd_send_signal, z->pidfd, SIGKILL, NULL, 0);
        /* One that hangs in the kernel stays a zombie of ours rather than stop us. */
        (void)tkt_child_wait(z->pidfd, POLLIN, tkt_clock_mono_us() + END_WAIT_US);
        (void)waitid(TKT_P_PIDFD, (id_t)z->pidfd, &info, WEXITED | WNOHANG);
        (void)close(z->pidfd);
    }
    if (z->control >= 0) {
        (void)close(z->control); /* a socket: nothing to lose */
    }
    free(z);
    *zygote = NULL;
}

/* The child's socket and pidfd, or the text of why not. */
static int receive_child(struct tkt_zygote *z, struct tkt_child *c, struct tkt_err *err)
{
    char packet[sizeof(struct tkt_parser_spawned) + TKT_PARSER_ERROR_MAX + 1];
    struct tkt_parser_spawned spawned;
    int fds[2];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } control;
    struct iovec iov = {packet, sizeof(packet) - 1};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t n = recvmsg(z->control, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    struct cmsghdr *m = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

    if (m != NULL && m->cmsg_len == CMSG_LEN(sizeof(fds)) && m->cmsg_type == SCM_RIGHTS &&
        n == (ssize_t)sizeof(spawned)) {
        memcpy(fds, CMSG_DATA(m), sizeof(fds));
        memcpy(&spawned, packet, sizeof(spawned));
        c->sock = fds[0];
        c->pidfd = fds[1];
        c->pid = spawned.pid;
        return 0;
    }
    if (n > (ssize_t)sizeof(uint32_t) && m == NULL) {
        packet[n] = '\0';
        return tkt_err_set(err, TKT_ERR_TEMP, "zygote: %s", packet + sizeof(uint32_t));
    }
    return tkt_err_set(err, TKT_ERR_TEMP,
                       n == 0 ? "the zygote ended" : "zygote: nonsense");
}

static int set_waits(struct tkt_child *c, int64_t budget_ms, struct tkt_err *err)
{
    struct timeval tv = {budget_ms / 1000, budget_ms % 1000 * 1000};

    c->wait_ms = budget_ms;
    if (setsockopt(c->sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "SO_RCVTIMEO");
    }
    return 0;
}

int tkt_zygote_spawn(struct tkt_zygote *zygote, int64_t timeout_ms, int64_t budget_ms,
                     struct tkt_child **out, struct tkt_err *err)
{
    uint32_t kind = TKT_PARSER_SPAWN;
    struct tkt_child *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    c->sock = c->pidfd = -1;
    c->zygote = zygote;
    tkt_buf_init(&c->in, TKT_MESSAGE_WIRE_MAX + sizeof(struct tkt_parser_frame) +
                             TKT_CHILD_READ_AHEAD);
    if (send(zygote->control, &kind, sizeof(kind), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        tkt_err_errno(err, TKT_ERR_TEMP, "zygote: send");
    } else if (tkt_child_wait(zygote->control, POLLIN,
                              tkt_clock_mono_us() + timeout_ms * 1000) < 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "the zygote does not answer");
    } else if (receive_child(zygote, c, err) == 0 && set_waits(c, budget_ms, err) == 0) {
        *out = c;
        return 0;
    }
    tkt_child_free(&c);
    return -1;
}
