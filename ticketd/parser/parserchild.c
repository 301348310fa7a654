/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/parser/parserchild.h"

#include "base/clock.h"
#include "base/util.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define IN_KEEP_MAX (256 * 1024)

void tkt_child_kill(struct tkt_child *child)
{
    /* Fails only when it is dead already. */
    (void)syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
}

void tkt_child_free(struct tkt_child **child)
{
    struct tkt_child *c = *child;

    if (c == NULL) {
        return;
    }
    if (c->sock >= 0) {
        (void)close(c->sock); /* a socket: nothing to lose */
    }
    if (c->pidfd >= 0) {
        (void)close(c->pidfd);
    }
    tkt_buf_release(&c->in);
    free(c);
    *child = NULL;
}

int tkt_child_wait(int fd, short events, int64_t deadline_mono_us)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        int64_t left_us = deadline_mono_us - tkt_clock_mono_us();
        int64_t left_ms = left_us > 0 ? (left_us + 999) / 1000 : 0;
        int n = poll(&p, 1, (int)TKT_MIN(left_ms, 60000));
        if (n > 0) {
            return 0;
        }
        if ((n == 0 && left_ms <= 60000) || (n < 0 && errno != EINTR)) {
            return -1;
        }
    }
}

static void attach_fds(struct msghdr *msg, const int *fds, size_t count)
{
    msg->msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *m = CMSG_FIRSTHDR(msg);
    m->cmsg_level = SOL_SOCKET;
    m->cmsg_type = SCM_RIGHTS;
    m->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(m), fds, sizeof(int) * count);
}

static void advance(struct msghdr *msg, size_t sent)
{
    msg->msg_control = NULL; /* descriptors went with the first byte */
    msg->msg_controllen = 0;
    for (size_t i = 0; i < msg->msg_iovlen; i++) {
        size_t part = TKT_MIN(sent, msg->msg_iov[i].iov_len);
        msg->msg_iov[i].iov_base = (char *)msg->msg_iov[i].iov_base + part;
        msg->msg_iov[i].iov_len -= part;
        sent -= part;
    }
}

enum tkt_child_result tkt_child_send(struct tkt_child *child,
                                     const struct tkt_child_request *req,
                                     int64_t deadline_mono_us, struct tkt_err *err)
{
    struct tkt_parser_frame head = {.type = req->type,
                                    .flags = req->flags,
                                    .len = (uint32_t)(req->len + req->tail_len),
                                    .tail = (uint32_t)req->tail_len};
    struct iovec iov[3] = {{&head, sizeof(head)},
                           {(void *)(uintptr_t)req->payload, req->len},
                           {(void *)(uintptr_t)req->tail, req->tail_len}};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(req->fds))];
    } control = {0};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3, .msg_control = &control};
    size_t whole = sizeof(head) + head.len;
    size_t left = whole;

    if (req->fd_count > 0) {
        attach_fds(&msg, req->fds, req->fd_count);
    } else {
        msg.msg_control = NULL;
    }
    while (left > 0) {
        ssize_t n = sendmsg(child->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            left -= (size_t)n;
            advance(&msg, (size_t)n);
        } else if (errno == EAGAIN) {
            if (tkt_child_wait(child->sock, POLLOUT, deadline_mono_us) < 0) {
                tkt_err_set(err, TKT_ERR_TEMP, "child %d does not read", (int)child->pid);
                return TKT_CHILD_OVERRAN;
            }
        } else if (errno != EINTR) {
            tkt_err_errno(err, TKT_ERR_TEMP, "child %d: send", (int)child->pid);
            return left == whole ? TKT_CHILD_GONE : TKT_CHILD_DIED;
        }
    }
    return TKT_CHILD_OK;
}

/* One receive within the deadline. The usual answer costs one system call: the socket's
 * own timeout is the budget; poll comes in when less is left, or after the first piece. */
static enum tkt_child_result receive_some(struct tkt_child *c, bool first,
                                          int64_t deadline_us, struct tkt_err *err)
{
    bool blocking = first && deadline_us - tkt_clock_mono_us() >= (c->wait_ms - 2) * 1000;

    for (;;) {
        if (!blocking && tkt_child_wait(c->sock, POLLIN, deadline_us) < 0) {
            break;
        }
        /* No control buffer: descriptors that it sends are dropped by the kernel. */
        ssize_t n = recv(c->sock, c->in.data + c->in.len, c->in.cap - c->in.len - 1,
                         blocking ? 0 : MSG_DONTWAIT);
        if (n > 0) {
            c->in.len += (size_t)n;
            return TKT_CHILD_OK;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            tkt_err_set(err, TKT_ERR_TEMP, "child %d died", (int)c->pid);
            return TKT_CHILD_DIED;
        }
        blocking = false; /* timed out or interrupted: poll knows what is left */
    }
    tkt_err_set(err, TKT_ERR_TEMP, "child %d overran its budget", (int)c->pid);
    return TKT_CHILD_OVERRAN;
}

static enum tkt_child_result nonsense(const struct tkt_child *c, struct tkt_err *err)
{
    tkt_err_set(err, TKT_ERR_TEMP, "child %d answered nonsense", (int)c->pid);
    return TKT_CHILD_NONSENSE;
}

/* Its class is PERM or TEMP, no more: it decides nothing about the configuration. */
static enum tkt_child_result take_error(const struct tkt_child *c, const char *data,
                                        size_t n, struct tkt_err *err)
{
    char text[TKT_PARSER_ERROR_MAX + 1];

    if (n < 1 || n > 1 + TKT_PARSER_ERROR_MAX) {
        return nonsense(c, err);
    }
    for (size_t i = 1; i < n; i++) {
        text[i - 1] = data[i] >= 0x20 && data[i] < 0x7f ? data[i] : '?';
    }
    text[n - 1] = '\0';
    tkt_err_set(err, data[0] == TKT_ERR_PERM ? TKT_ERR_PERM : TKT_ERR_TEMP,
                "child %d: %s", (int)c->pid, text);
    return TKT_CHILD_ERROR;
}

enum tkt_child_result tkt_child_receive(struct tkt_child *child, int64_t deadline_mono_us,
                                        struct tkt_child_answer *answer,
                                        struct tkt_err *err)
{
    struct tkt_parser_frame head = {0};
    struct tkt_buf *in = &child->in;
    size_t want = sizeof(head);

    if (in->cap > IN_KEEP_MAX) {
        tkt_buf_release(in);
    }
    tkt_buf_reset(in);
    while (in->len < want) {
        /* The claimed length is reserved only as it arrives. */
        if (tkt_buf_reserve(in, TKT_MIN(TKT_MAX(want - in->len, TKT_CHILD_READ_AHEAD),
                                        1 << 20)) < 0) {
            tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
            return TKT_CHILD_NONSENSE;
        }
        bool first = in->len == 0;
        enum tkt_child_result rc = receive_some(child, first, deadline_mono_us, err);
        if (rc != TKT_CHILD_OK) {
            return rc;
        }
        if (want == sizeof(head) && in->len >= want) {
            memcpy(&head, in->data, sizeof(head));
            if (head.len > TKT_MESSAGE_WIRE_MAX || head.tail > head.len) {
                return nonsense(child, err);
            }
            want += head.len;
        }
    }
    if (in->len != want) {
        return nonsense(child, err);
    }
    if (head.type == TKT_PARSER_ERROR) {
        return take_error(child, in->data + sizeof(head), head.len, err);
    }
    if (head.type != TKT_PARSER_DONE) {
        return nonsense(child, err);
    }
    const char *data = in->data + sizeof(head);
    size_t len = head.len - head.tail;
    *answer = (struct tkt_child_answer){data, len, data + len, head.tail};
    return TKT_CHILD_OK;
}
