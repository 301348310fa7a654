/* SPDX-License-Identifier: BSD-2-Clause
 * Mail by the sendmail program: no shell, nothing of our environment, a process group of
 * its own that ends with the time.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/spawn.h"
#include "base/util.h"
#include "notify/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>

#define SENDMAIL "/usr/sbin/sendmail"
#define SAID_MAX 2000

struct child {
    pid_t pid;
    int out; /* what it says */
    bool was_ended;
    int status;
    char said[SAID_MAX];
    size_t said_len;
};

/* Lines end with LF there. */
static int as_file(const struct tkt_buf *mail, struct tkt_err *err)
{
    TKT_AUTO_FREE char *text = malloc(mail->len + 1);
    int fd = text ? memfd_create("mail", MFD_CLOEXEC) : -1;
    size_t n = 0;

    if (fd < 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "mail: no memory");
        return -1;
    }
    for (size_t i = 0; i < mail->len; i++) {
        if (mail->data[i] != '\r') {
            text[n++] = mail->data[i];
        }
    }
    for (size_t at = 0; at < n;) {
        ssize_t put = pwrite(fd, text + at, n - at, (off_t)at);

        if (put < 0 && errno != EINTR) {
            (void)tkt_err_errno(err, TKT_ERR_TEMP, "mail");
            close(fd);
            return -1;
        }
        at += put > 0 ? (size_t)put : 0;
    }
    return fd;
}

static int spawn(struct child *c, const char *const argv[], int in, struct tkt_err *err)
{
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                              "LANG=C", NULL};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "mail: pipe");
    }
    const int fds[] = {in, ends[1], ends[1]};
    const struct tkt_spawn what = {.path = argv[0],
                                   .argv = argv,
                                   .environment = environment,
                                   .fds = fds,
                                   .fd_count = 3,
                                   .closes = true,
                                   .leads_group = true};
    int rc = tkt_spawn(&what, &c->pid);

    close(ends[1]);
    if (rc != 0) {
        close(ends[0]);
        return tkt_err_set(err,
                           rc == ENOMEM || rc == EAGAIN ? TKT_ERR_TEMP : TKT_ERR_CONF,
                           "%s: %s", argv[0], strerrordesc_np(rc));
    }
    c->out = ends[0];
    return 0;
}

/* Until it closes what it says, or the time is over. */
static void listen_to(struct child *c, int64_t until_ms)
{
    for (;;) {
        int64_t left = until_ms - tkt_clock_mono_ms();
        struct pollfd p = {.fd = c->out, .events = POLLIN};
        char room[512];

        if (left <= 0 ||
            (poll(&p, 1, (int)TKT_MIN(left, INT64_C(1000))) < 0 && errno != EINTR)) {
            return;
        }
        ssize_t n = p.revents ? read(c->out, room, sizeof(room)) : -1;
        if (n == 0) {
            return;
        }
        size_t take = n > 0 ? TKT_MIN((size_t)n, SAID_MAX - 1 - c->said_len) : 0;
        memcpy(c->said + c->said_len, room, take);
        c->said_len += take;
    }
}

/* It may have closed its output and go on. */
static void wait_for(struct child *c, int64_t until_ms)
{
    for (;;) {
        pid_t got = waitpid(c->pid, &c->status, WNOHANG);

        if (got == c->pid) {
            return;
        }
        if (got < 0 && errno != EINTR) {
            break; /* somebody else waited for it: nobody knows how it ended */
        }
        if (tkt_clock_mono_ms() >= until_ms) {
            break;
        }
        (void)poll(NULL, 0, 5); /* a pause */
    }
    c->was_ended = true;
    (void)kill(-c->pid, SIGKILL); /* it is gone: there is nothing to end */
    while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR) {
    }
}

static void one_line(struct child *c)
{
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(4 * SAID_MAX);

    (void)tkt_utf8_add_clean(&clean, c->said, c->said_len); /* it fits */
    size_t n = tkt_utf8_cut(tkt_buf_str(&clean), clean.len, 300);
    for (size_t i = 0; i < n; i++) {
        unsigned char b = (unsigned char)clean.data[i];

        c->said[i] = b < 0x20 || b == 0x7f ? ' ' : clean.data[i];
    }
    c->said[n] = '\0';
}

static int judge(struct child *c, struct tkt_channel_call *call,
                 enum tkt_http_outcome *outcome, struct tkt_err *err)
{
    enum tkt_err_class class = TKT_ERR_TEMP;
    int code = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1;

    one_line(c);
    if (c->was_ended || code < 0) {
        *outcome = TKT_HTTP_UNKNOWN;
        return tkt_err_set(err, TKT_ERR_TEMP, "the program %s: %s",
                           c->was_ended ? "was ended after its time" : "crashed",
                           c->said);
    }
    switch (code) {
    case EX_OK:
        *outcome = TKT_HTTP_DONE;
        return 0;
    case EX_NOUSER:
    case EX_NOHOST:
        call->undeliverable = true;
        class = TKT_ERR_PERM;
        break;
    case EX_DATAERR:
    case EX_NOINPUT:
        class = TKT_ERR_PERM;
        break;
    case EX_USAGE:
    case EX_NOPERM:
    case EX_CONFIG:
    case 127: /* not there, or no program */
        class = TKT_ERR_CONF;
        break;
    default:
        break;
    }
    *outcome = class == TKT_ERR_TEMP ? TKT_HTTP_RETRY : TKT_HTTP_REJECTED;
    return tkt_err_set(err, class, "the program ended with %d: %s", code, c->said);
}

int tkt_mail_program(struct tkt_channel_call *call, const struct tkt_buf *mail,
                     const struct tkt_smtp_request *q, enum tkt_http_outcome *outcome,
                     struct tkt_err *err)
{
    struct child c = {.out = -1};
    const char *program = tkt_channel_option(call->conf, "program");
    int64_t until_ms = tkt_clock_mono_ms() + call->conf->timeout_ms;
    TKT_AUTO_FD int in = as_file(mail, err);
    const char *const argv[] = {program && program[0] ? program : SENDMAIL,
                                "-i",
                                "-f",
                                q->from[0] != '\0' ? q->from : "<>",
                                "--",
                                q->to,
                                NULL};

    if (in < 0 || spawn(&c, argv, in, err) < 0) {
        call->not_ready = err->class == TKT_ERR_CONF;
        *outcome = err->class == TKT_ERR_TEMP ? TKT_HTTP_RETRY : TKT_HTTP_REJECTED;
        return -1;
    }
    listen_to(&c, until_ms);
    wait_for(&c, until_ms);
    close(c.out);
    return judge(&c, call, outcome, err);
}
