/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/rerun.h"

#include "base/clock.h"
#include "base/util.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define START_MS 60000 /* thousands of rules compile in less */
#define TEXT_MAX 500

/* Both buffers may hold something, and what is lost with a child is lost. */
static void lose(struct tkt_ctl_rerun *r)
{
    if (r->sock >= 0) {
        close(r->sock); /* a socket: nothing to lose */
        r->sock = -1;
    }
    if (r->pid > 0) {
        (void)kill(r->pid, SIGKILL); /* our own unreaped child: cannot fail */
        while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        r->pid = 0;
    }
}

static int read_within(int fd, void *data, size_t n, int64_t until_ms)
{
    char *at = data;

    while (n > 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until_ms - tkt_clock_mono_ms();
        int ready = poll(&p, 1, (int)TKT_MAX(left, 0));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        ssize_t got = ready > 0 ? recv(fd, at, n, MSG_DONTWAIT) : 0;
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (got <= 0) {
            return -1;
        }
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

/* 1 and data (to be freed), 0 and data: a text, -1: the child is lost. */
static int hear(struct tkt_ctl_rerun *r, int64_t until_ms, size_t max, char **data,
                size_t *n)
{
    uint32_t head[2];

    *data = NULL;
    if (read_within(r->sock, head, sizeof head, until_ms) < 0 || head[0] > 1 ||
        head[1] > max) {
        return -1;
    }
    *data = malloc((size_t)head[1] + 1);
    if (*data == NULL || read_within(r->sock, *data, head[1], until_ms) < 0) {
        free(*data);
        *data = NULL;
        return -1;
    }
    (*data)[head[1]] = '\0';
    *n = head[1];
    return (int)head[0];
}

/* What it says instead of being ready: its class, then why. */
static int hear_why(struct tkt_ctl_rerun *r, char class, int64_t until_ms,
                    struct tkt_err *err)
{
    TKT_AUTO_FREE char *text = NULL;
    size_t n;

    if (hear(r, until_ms, TEXT_MAX, &text, &n) != 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "the reading process does not start");
    }
    return tkt_err_set(err, class == TKT_ERR_CONF ? TKT_ERR_CONF : TKT_ERR_TEMP, "%s",
                       text);
}

static int spawn(struct tkt_ctl_rerun *r, struct tkt_err *err)
{
    TKT_AUTO_FREE char *text = NULL;
    int pair[2];
    size_t n = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "socketpair");
    }
    (void)fflush(stdout); /* or the child would hold a copy of what is unwritten */
    r->pid = fork();
    if (r->pid == 0) {
        close(pair[0]);
        tkt_ctl_rerun_child(r->sides, pair[1]);
    }
    close(pair[1]);
    r->sock = pair[0];
    if (r->pid < 0) {
        r->pid = 0;
        return tkt_err_errno(err, TKT_ERR_TEMP, "fork");
    }
    int64_t until = tkt_clock_mono_ms() + START_MS;
    int heard = hear(r, until, TEXT_MAX, &text, &n);
    if (heard == 1) {
        return 0;
    }
    return heard == 0 && n == 1
               ? hear_why(r, text[0], until, err)
               : tkt_err_set(err, TKT_ERR_TEMP, "the reading process does not start");
}

int tkt_ctl_rerun_start(struct tkt_ctl_rerun *r,
                        const struct tkt_ctl_rerun_side sides[TKT_CTL_RERUN_SIDES],
                        struct tkt_err *err)
{
    memset(r, 0, sizeof *r);
    r->sock = -1;
    memcpy(r->sides, sides, sizeof r->sides);
    if (spawn(r, err) < 0) {
        lose(r);
        return -1;
    }
    return 0;
}

void tkt_ctl_rerun_stop(struct tkt_ctl_rerun *r)
{
    lose(r);
}

static int send_all(int fd, const void *data, size_t n)
{
    const char *at = data;

    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return -1;
        }
        at += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static int send_mail(struct tkt_ctl_rerun *r, const struct tkt_ctl_rerun_mail *m)
{
    const char *const strings[] = {m->desk, m->ticket_id, m->login, m->client};
    struct tkt_ctl_rerun_head head = {.lens = {0, 0, 0, 0, (uint32_t)m->len},
                                      .ticket = m->ticket,
                                      .at_s = m->at_s,
                                      .minute = m->minute,
                                      .tail_lines = m->tail_lines,
                                      .is_first = m->is_first,
                                      .null_sender = m->null_sender};

    for (size_t i = 0; i < TKT_ARRAY_LEN(strings); i++) {
        head.lens[i] = (uint32_t)strnlen(strings[i], TKT_CTL_RERUN_STRING_MAX);
    }
    if (send_all(r->sock, &head, sizeof head) < 0) {
        return -1;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(strings); i++) {
        if (send_all(r->sock, strings[i], head.lens[i]) < 0) {
            return -1;
        }
    }
    return send_all(r->sock, m->raw, m->len);
}

/* 1: decided, 0: err says why not, -1: the child is lost. */
static int ask(struct tkt_ctl_rerun *r, const struct tkt_ctl_rerun_mail *mail,
               struct tkt_decisions *out, struct tkt_err *err)
{
    int64_t until = tkt_clock_mono_ms() + TKT_CTL_RERUN_MS;

    if (send_mail(r, mail) < 0) {
        return -1;
    }
    for (int i = 0; i < TKT_CTL_RERUN_SIDES; i++) {
        TKT_AUTO_FREE char *data = NULL;
        size_t n = 0;
        int heard = hear(r, until, TKT_DECISIONS_WIRE_MAX, &data, &n);
        if (heard < 0) {
            return -1;
        }
        if (heard == 0) {
            tkt_err_set(err, TKT_ERR_PERM, "%.200s", data);
            return 0;
        }
        if (n > 0 && (tkt_decisions_decode(data, n, &out[i], err) < 0 ||
                      out[i].count != 1)) { /* what it says is hostile input, too */
            return -1;
        }
    }
    return 1;
}

int tkt_ctl_rerun(struct tkt_ctl_rerun *r, const struct tkt_ctl_rerun_mail *mail,
                  struct tkt_decisions out[TKT_CTL_RERUN_SIDES], struct tkt_err *err)
{
    memset(out, 0, TKT_CTL_RERUN_SIDES * sizeof *out);
    if (mail->len > TKT_CTL_RERUN_RAW_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "too large");
    }
    int asked = ask(r, mail, out, err);
    if (asked == 1) {
        return 0;
    }
    for (int i = 0; i < TKT_CTL_RERUN_SIDES; i++) {
        tkt_decisions_release(&out[i]);
    }
    if (asked == 0) {
        return -1;
    }
    lose(r);
    if (++r->losses > TKT_CTL_RERUN_LOSSES_MAX) {
        return tkt_err_set(err, TKT_ERR_TEMP, "%u reading processes died", r->losses);
    }
    if (spawn(r, err) < 0) {
        lose(r);
        return -1;
    }
    return tkt_err_set(err, TKT_ERR_PERM,
                       "the process that read it died or took longer "
                       "than %d s",
                       TKT_CTL_RERUN_MS / 1000);
}
