/* SPDX-License-Identifier: BSD-2-Clause
 * ticket-parser: the zygote. ticketd executes it; it gets ready to read mail once and
 * forks children that then need only their own memory. Single-threaded, so that fork
 * copies no lock held by another thread.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/util.h"
#include "decide/policy.h"
#include "decide/rules.h"
#include "message/parse.h"
#include "parser/child.h"
#include "parser/proto.h"
#include "parser/sandbox.h"

#include "ticket_config.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* Of the budget after which ticketd kills: what is left is for answering. */
#define PARSE_SHARE_PERCENT 80
#define POLICY_MAX (64 * 1024 * 1024)
#define ENTER_TIMEOUT_MS 1500 /* less than ticketd waits for a child */

static const char in_the_box = '!';

struct zygote {
    struct tkt_parser_setup setup;
    struct tkt_message_options options;
    struct tkt_redact_rules redact;
    struct tkt_policy *policy;
    struct tkt_sandbox sandbox;
    pid_t pid;
};

static int usage(void)
{
    (void)fprintf(stderr,
                  "ticket-parser %s: reads mail for ticketd in a sandbox.\n"
                  "It is started by ticketd only and has no use by hand; to see what it\n"
                  "makes of a message: ticketctl explain FILE\n",
                  PACKAGE_VERSION);
    return EX_USAGE;
}

static bool has_control(void)
{
    int domain = 0;
    int type = 0;
    socklen_t n = sizeof(int);

    return getsockopt(TKT_PARSER_CONTROL_FD, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 &&
           getsockopt(TKT_PARSER_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
           domain == AF_UNIX && type == SOCK_SEQPACKET;
}

/* 0 to 2 are /dev/null, so that no message ever sits where a library might write. */
static int shut_descriptors(unsigned keep_to)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0) {
        return -1;
    }
    for (int fd = 0; fd <= 2; fd++) {
        if (dup2(null, fd) < 0) {
            return -1;
        }
    }
    return (int)syscall(SYS_close_range, keep_to + 1, ~0U, 0);
}

static void ignore_signals(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* cannot fail for a valid signal */
    (void)signal(SIGINT, SIG_IGN);  /* ticketd decides when we end, by closing its end: */
    (void)signal(SIGTERM, SIG_IGN); /* a service manager signals both, ticketd drains */
    (void)signal(SIGQUIT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

static void send_text(uint32_t kind, const char *text)
{
    char packet[sizeof(kind) + TKT_PARSER_ERROR_MAX];
    size_t n = strnlen(text, TKT_PARSER_ERROR_MAX);

    memcpy(packet, &kind, sizeof(kind));
    memcpy(packet + sizeof(kind), text, n);
    /* If ticketd is gone, the next read tells. */
    (void)send(TKT_PARSER_CONTROL_FD, packet, sizeof(kind) + n, MSG_NOSIGNAL);
}

static int send_child(pid_t pid, int sock, int pidfd)
{
    struct tkt_parser_spawned answer = {TKT_PARSER_SPAWNED, pid};
    struct iovec iov = {&answer, sizeof(answer)};
    int fds[2] = {sock, pidfd};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } control;
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *m = CMSG_FIRSTHDR(&msg);

    m->cmsg_level = SOL_SOCKET;
    m->cmsg_type = SCM_RIGHTS;
    m->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(m), fds, sizeof(fds));
    return sendmsg(TKT_PARSER_CONTROL_FD, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Everything up to the first message; behind it the child has nothing but its socket. */
static int enter_box(const struct zygote *z, int sock, struct tkt_err *err)
{
    struct tkt_sandbox_limits limits = {
        .memory_max = z->setup.memory_max,
        .cpu_s = 10 + z->setup.messages_per_child * z->setup.budget_ms * 2 / 1000,
    };

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != z->pid) {
        return tkt_err_set(err, TKT_ERR_TEMP, "the zygote is gone");
    }
    /* The child's socket takes the place of the control socket. */
    if (dup2(sock, TKT_PARSER_CONTROL_FD) < 0 ||
        shut_descriptors(TKT_PARSER_CONTROL_FD) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "close descriptors");
    }
    return tkt_sandbox_enter(&z->sandbox, &limits, err);
}

static _Noreturn void be_child(const struct zygote *z, int sock)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (enter_box(z, sock, &err) < 0) {
        /* If that fails too, the zygote sees the end of file. */
        (void)send(TKT_PARSER_CONTROL_FD, err.text, strlen(err.text), MSG_NOSIGNAL);
        _exit(EX_OSERR);
    }
    if (write(TKT_PARSER_CONTROL_FD, &in_the_box, 1) != 1) {
        _exit(EX_OSERR);
    }
    tkt_parser_child_serve(TKT_PARSER_CONTROL_FD, &z->options, &z->redact, z->policy);
    _exit(0);
}

/* Nobody gets a child that is not in the sandbox. */
static int await_child(int sock, struct tkt_err *err)
{
    char said[TKT_PARSER_ERROR_MAX + 1];
    struct pollfd p = {.fd = sock, .events = POLLIN};

    if (poll(&p, 1, ENTER_TIMEOUT_MS) <= 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "a child does not enter the sandbox");
    }
    ssize_t n = recv(sock, said, sizeof(said) - 1, MSG_DONTWAIT);
    if (n == 1 && said[0] == in_the_box) {
        return 0;
    }
    said[n > 0 ? n : 0] = '\0';
    return tkt_err_set(err, TKT_ERR_TEMP, "a child cannot enter the sandbox: %s", said);
}

static int spawn(struct zygote *z, struct tkt_err *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "socketpair");
    }
    TKT_AUTO_FD int ours = pair[0];
    TKT_AUTO_FD int theirs = pair[1];
    /* Until its pidfd is open the child stays a zombie if it dies, so that its number
     * still means it; later it needs nobody to wait for it. */
    (void)signal(SIGCHLD, SIG_DFL);
    pid_t pid = fork();
    if (pid < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "fork");
    }
    if (pid == 0) {
        be_child(z, theirs);
    }
    (void)close(theirs); /* so that its end is seen */
    theirs = -1;
    TKT_AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int rc = 0;
    if (pidfd < 0) {
        rc = tkt_err_errno(err, TKT_ERR_TEMP, "pidfd_open");
    } else {
        rc = await_child(ours, err);
    }
    if (rc == 0 && send_child(pid, ours, pidfd) < 0) {
        rc = tkt_err_errno(err, TKT_ERR_TEMP, "send child");
    }
    if (rc < 0) {
        (void)kill(pid, SIGKILL); /* our own unreaped child: cannot fail */
    }
    return rc;
}

static void reap(void)
{
    (void)signal(SIGCHLD, SIG_IGN);
    while (waitpid(-1, NULL, WNOHANG) > 0) {
        /* how they ended is seen by ticketd on their sockets */
    }
}

static void take_files(struct msghdr *msg, int files[TKT_PARSER_SETUP_FDS])
{
    struct cmsghdr *m = CMSG_FIRSTHDR(msg);

    if (m != NULL && m->cmsg_level == SOL_SOCKET && m->cmsg_type == SCM_RIGHTS) {
        size_t count = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(files, CMSG_DATA(m),
               TKT_MIN(count, (size_t)TKT_PARSER_SETUP_FDS) * sizeof(int));
    }
}

static int receive_setup(char *data, size_t cap, int files[TKT_PARSER_SETUP_FDS],
                         struct tkt_parser_setup *setup, struct tkt_err *err)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(TKT_PARSER_SETUP_FDS * sizeof(int))];
    } control;
    struct iovec iov = {data, cap};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(TKT_PARSER_CONTROL_FD, &msg, MSG_CMSG_CLOEXEC);

    if (n <= 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no setup from ticketd");
    }
    take_files(&msg, files);
    return tkt_parser_setup_decode(data, (size_t)n, setup, err);
}

static void set_options(struct zygote *z)
{
    z->options = (struct tkt_message_options){
        .authserv_ids = (const char *const *)z->setup.authserv_ids.items,
        .authserv_id_count = z->setup.authserv_ids.count,
        .arc_sealers = (const char *const *)z->setup.arc_sealers.items,
        .arc_sealer_count = z->setup.arc_sealers.count,
        .prefixes = (const char *const *)z->setup.prefixes.items,
        .prefix_count = z->setup.prefixes.count,
    };
    z->redact = (struct tkt_redact_rules){
        .cards = z->setup.redact.cards,
        .ibans = z->setup.redact.ibans,
        .passwords = z->setup.redact.passwords,
        .patterns = (const char *const *)z->setup.redact.patterns.items,
        .pattern_count = z->setup.redact.patterns.count,
    };
    tkt_message_limits_from(&z->setup.limits, &z->options.limits);
    z->options.limits.parse_ms = z->setup.budget_ms * PARSE_SHARE_PERCENT / 100;
}

/* Another zygote may have read the same open files. */
static int load_policy(struct zygote *z, int files[TKT_PARSER_SETUP_FDS],
                       struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf settings = TKT_BUF_INIT(POLICY_MAX);

    for (size_t i = 0; i < TKT_PARSER_SETUP_FDS; i++) {
        if (files[i] >= 0 && lseek(files[i], 0, SEEK_SET) < 0) {
            return tkt_err_errno(err, TKT_ERR_CONF, "seek in the settings or the model");
        }
    }
    if (files[0] < 0) {
        return 0;
    }
    if (tkt_read_fd(files[0], &settings, err) < 0 ||
        tkt_policy_load(settings.data, settings.len, files[1], &z->policy, NULL, err) <
            0) {
        return -1;
    }
    const struct tkt_strings *fields = tkt_rules_fields(z->policy->rules);
    z->options.keep = (const char *const *)fields->items;
    z->options.keep_count = fields->count;
    return 0;
}

static int prepare(struct zygote *z, char *data, size_t cap, struct tkt_err *err)
{
    int files[TKT_PARSER_SETUP_FDS] = {-1, -1};

    z->pid = getpid();
    if (receive_setup(data, cap, files, &z->setup, err) < 0) {
        return -1;
    }
    set_options(z);
    if (tkt_message_parser_init(err) < 0 || load_policy(z, files, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < TKT_PARSER_SETUP_FDS; i++) {
        if (files[i] >= 0) {
            (void)close(files[i]); /* only read: nothing to lose */
        }
    }
    if (tkt_sandbox_seal_code(err) < 0) {
        return -1;
    }
    return tkt_sandbox_prepare(&z->sandbox, err);
}

/* Until ticketd closes its end or dies. */
static void serve(struct zygote *z)
{
    uint32_t kind = 0;

    for (;;) {
        ssize_t n = recv(TKT_PARSER_CONTROL_FD, &kind, sizeof(kind), 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n != (ssize_t)sizeof(kind) || kind != TKT_PARSER_SPAWN) {
            return;
        }
        struct tkt_err err = TKT_ERR_INIT;
        if (spawn(z, &err) < 0) {
            send_text(TKT_PARSER_FAILED, err.text);
        }
        reap();
    }
}

int main(void)
{
    static char setup[TKT_PARSER_SETUP_MAX];
    struct zygote z = {0};
    struct tkt_err err = TKT_ERR_INIT;

    if (!has_control()) {
        return usage();
    }
    ignore_signals();
    if (shut_descriptors(TKT_PARSER_CONTROL_FD) < 0 ||
        fcntl(TKT_PARSER_CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0) {
        return EX_OSERR;
    }
    (void)setlocale(LC_ALL, "C.UTF-8"); /* GMime copes with "C" where there is no other */
    if (prepare(&z, setup, sizeof(setup), &err) < 0) {
        send_text(TKT_PARSER_FAILED, err.text);
        return EX_CONFIG;
    }
    send_text(TKT_PARSER_READY, "");
    serve(&z);
    return 0;
}
