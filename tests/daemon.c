/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/daemon.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"

#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DAEMONS_MAX 64
#define CALL_MS 30000
#define WAIT_MS 120000

/* A failed test leaves its daemon behind: they end with the program. */
static pid_t alive[DAEMONS_MAX];

static void kill_alive(void)
{
    for (size_t i = 0; i < DAEMONS_MAX; i++) {
        if (alive[i] > 0) {
            kill(alive[i], SIGKILL);
            waitpid(alive[i], NULL, 0);
        }
    }
}

static void note_alive(pid_t pid, pid_t instead_of)
{
    static bool registered;

    if (!registered) {
        registered = true;
        atexit(kill_alive);
    }
    for (size_t i = 0; i < DAEMONS_MAX; i++) {
        if (alive[i] == instead_of) {
            alive[i] = pid;
            return;
        }
    }
    fail_msg("more than %d daemons", DAEMONS_MAX);
}

static const char *build_dir(void)
{
    const char *dir = getenv("TKT_BUILDDIR");

    return dir ? dir : ".";
}

void daemon_parser(struct daemon *d, bool present)
{
    char program[500];

    (void)unlink(d->parser); /* it may not be there */
    snprintf(program, sizeof(program), "%s/parser/ticket-parser", build_dir());
    if (access(program, X_OK) < 0) {
        snprintf(program, sizeof(program), "%s/ticket-parser", build_dir());
    }
    if (present) {
        assert_int_equal(symlink(program, d->parser), 0);
    }
}

static void write_conf(struct daemon *d, const char *store, const char *extra)
{
    FILE *f = fopen(d->conf, "w");

    assert_non_null(f);
    fprintf(f,
            "hostname = \"mx.example.test\"\n"
            "user = \"nobody\"\n"
            "intake_socket = \"%s\"\ncontrol_socket = \"%s\"\nintake_umask = 0000\n"
            "milter { state_dir = \"%s/milter\" }\n"
            "parser { program = \"%s\" }\n"
            "store { path = \"%s/store\" %s }\n"
            "desk \"it\" { addresses = {\"support@example.test\"} prefix = \"IT\" }\n"
            "desk \"hr\" { addresses = {\"hr@example.test\"} prefix = \"HR\" }\n"
            "%s",
            d->intake, d->control, d->dir, d->parser, d->dir, store, extra);
    assert_int_equal(fclose(f), 0);
}

void daemon_write_conf(struct daemon *d, const char *extra)
{
    write_conf(d, "", extra);
}

void daemon_write_conf_store(struct daemon *d, const char *settings)
{
    write_conf(d, settings, "");
}

void daemon_prepare(struct daemon *d, const char *extra)
{
    const char *tmp = getenv("TMPDIR");

    memset(d, 0, sizeof(*d));
    d->pid = -1;
    d->handed_fd = -1;
    snprintf(d->dir, sizeof(d->dir), "%.40s/tkt-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(d->dir));
    snprintf(d->conf, sizeof(d->conf), "%s/test.conf", d->dir);
    snprintf(d->intake, sizeof(d->intake), "%s/intake.sock", d->dir);
    snprintf(d->control, sizeof(d->control), "%s/control.sock", d->dir);
    snprintf(d->parser, sizeof(d->parser), "%s/ticket-parser", d->dir);
    if (geteuid() == 0) {
        const struct passwd *pw = getpwnam("nobody");

        assert_non_null(pw);
        assert_int_equal(chown(d->dir, pw->pw_uid, pw->pw_gid), 0);
    }
    assert_int_equal(chmod(d->dir, 0755), 0);
    daemon_parser(d, true);
    daemon_write_conf(d, extra);
}

static void exec_daemon(const struct daemon *d, unsigned files_max)
{
    char program[500];
    char log[100];

    snprintf(program, sizeof(program), "%s/ticketd/ticketd", build_dir());
    if (access(program, X_OK) < 0) {
        snprintf(program, sizeof(program), "%s/ticketd", build_dir());
    }
    snprintf(log, sizeof(log), "%s/log", d->dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    if (files_max) {
        struct rlimit limit = {files_max, files_max};

        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (d->handed_fd >= 0) {
        char pid[24];

        snprintf(pid, sizeof(pid), "%ld", (long)getpid());
        dup2(d->handed_fd, 3);
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", "1", 1);
        setenv("LISTEN_FDNAMES", "intake", 1);
    }
    execl(program, "ticketd", "-f", "-c", d->conf, (char *)NULL);
    _exit(127);
}

static bool answers(struct daemon *d)
{
    struct tkt_wire_client *client = tkt_wire_client_new(d->intake, 0);
    const struct tkt_wire_request hello = {.verb = TKT_WIRE_HELLO,
                                           .hook = (char *)"milter"};
    struct tkt_wire_reply reply;
    bool ok = false;

    if (access(d->intake, F_OK) == 0 &&
        tkt_wire_call(client, &hello, -1, tkt_clock_mono_ms() + 500, 0, NULL, NULL,
                      &reply, NULL) == 0) {
        ok = reply.status == TKT_WIRE_OK;
        d->generation = reply.generation;
        tkt_wire_reply_release(&reply);
    }
    tkt_wire_client_free(&client);
    return ok;
}

void daemon_start(struct daemon *d, unsigned files_max)
{
    int64_t until = tkt_clock_mono_ms() + WAIT_MS;

    d->pid = fork();
    assert_true(d->pid >= 0);
    if (d->pid == 0) {
        exec_daemon(d, files_max);
    }
    note_alive(d->pid, 0);
    while (!answers(d)) {
        if (waitpid(d->pid, NULL, WNOHANG) != 0 || tkt_clock_mono_ms() > until) {
            daemon_log_has(d, "\1"); /* shows the log */
            fail_msg("ticketd does not start");
        }
        usleep(10000);
    }
}

int daemon_kill(struct daemon *d, int sig)
{
    int status = -1;

    if (d->pid > 0) {
        kill(d->pid, sig);
        waitpid(d->pid, &status, 0);
        note_alive(0, d->pid);
        d->pid = -1;
    }
    return status;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void daemon_remove(struct daemon *d)
{
    daemon_kill(d, SIGTERM);
    (void)nftw(d->dir, remove_one, 16,
               FTW_DEPTH | FTW_PHYS); /* a leftover harms nobody */
}

static bool log_has(const struct daemon *d, const char *text, bool show)
{
    struct tkt_buf log = TKT_BUF_INIT(16 * 1024 * 1024);
    char path[100];

    snprintf(path, sizeof(path), "%s/log", d->dir);
    assert_int_equal(tkt_read_file(path, &log, NULL), 0);
    bool found = strstr(tkt_buf_str(&log), text) != NULL;
    if (!found && show) {
        fprintf(stderr, "log without \"%s\":\n%s\n", text, tkt_buf_str(&log));
    }
    tkt_buf_release(&log);
    return found;
}

bool daemon_log_has(const struct daemon *d, const char *text)
{
    return log_has(d, text, true);
}

bool daemon_log_gets(const struct daemon *d, const char *text)
{
    int64_t until = tkt_clock_mono_ms() + WAIT_MS;

    while (!log_has(d, text, false)) {
        if (tkt_clock_mono_ms() > until) {
            return daemon_log_has(d, text); /* shows it */
        }
        usleep(20000);
    }
    return true;
}

void reserve_init(struct reserve *r, const struct daemon *d, const char *rcpt)
{
    memset(r, 0, sizeof(*r));
    r->req = (struct tkt_wire_request){.verb = TKT_WIRE_RESERVE,
                                       .generation = d->generation,
                                       .remaining_ms = 8000,
                                       .hook = (char *)"milter",
                                       .queue_id = (char *)"Q1",
                                       .mta_host = (char *)"mx.example.test",
                                       .sender = (char *)"ann@customer.example",
                                       .rcpts = r->rcpts,
                                       .rcpt_count = 1,
                                       .client_addr = (char *)"192.0.2.7",
                                       .client_name = (char *)"mail.customer.example",
                                       .helo = (char *)"mail.customer.example",
                                       .tls = (char *)"",
                                       .tls_subject = (char *)"",
                                       .auth_login = (char *)"",
                                       .leadspc = true,
                                       .smtp_path = true,
                                       .fields = r->fields,
                                       .field_count = 1,
                                       .hold = (char *)"",
                                       .token = (char *)"",
                                       .rcpt = (char *)""};
    r->rcpts[0].addr = (char *)rcpt;
    r->fields[0] = (struct tkt_wire_field){
        .name = (char *)"Subject", .index = 1, .value = (char *)" printer"};
}

int message_fd(const char *text)
{
    int fd = tkt_memfd_sealed("message", text, strlen(text), NULL);

    assert_true(fd >= 0);
    return fd;
}

void daemon_call(const struct daemon *d, const struct tkt_wire_request *req, int fd,
                 struct tkt_wire_reply *reply)
{
    struct tkt_wire_client *client = tkt_wire_client_new(d->intake, 0);
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_wire_call(client, req, fd, tkt_clock_mono_ms() + CALL_MS, 0, NULL, NULL,
                      reply, &err) < 0) {
        daemon_log_has(d, "\1");
        fail_msg("no reply: %s", err.text);
    }
    tkt_wire_client_free(&client);
}

char *daemon_control(const struct daemon *d, const char *verb, const char *name,
                     const char *value, int *exit_code)
{
    struct tkt_wire_packet packet;
    struct tkt_control_reply reply;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_buf data = TKT_BUF_INIT(64 * 1024 * 1024);

    tkt_wire_packet_init(&packet);
    tkt_wire_add(&packet.body, "v", "1");
    tkt_wire_add(&packet.body, "verb", verb);
    if (name) {
        tkt_wire_add(&packet.body, name, value);
    }
    if (tkt_control_call(d->control, &packet, tkt_clock_mono_ms() + CALL_MS, &reply,
                         &err) < 0) {
        fail_msg("%s: %s", verb, err.text);
    }
    if (exit_code) {
        *exit_code = reply.exit_code;
    } else if (reply.exit_code != 0) {
        fail_msg("%s: %d %s", verb, reply.exit_code, reply.text);
    }
    if (reply.fd >= 0) {
        assert_int_equal(tkt_read_fd(reply.fd, &data, NULL), 0);
    } else {
        tkt_buf_adds(&data, reply.text);
    }
    tkt_control_reply_release(&reply);
    tkt_wire_packet_release(&packet);
    return tkt_buf_take(&data, NULL);
}

bool daemon_waits_for(const struct daemon *d, const char *verb, const char *name,
                      const char *value, const char *text)
{
    int64_t until = tkt_clock_mono_ms() + WAIT_MS;

    for (;;) {
        int code;
        char *answer = daemon_control(d, verb, name, value, &code);
        bool found = strstr(answer, text) != NULL;
        bool late = tkt_clock_mono_ms() > until;

        if (!found && late) {
            fprintf(stderr, "%s %s without \"%s\":\n%s\n", verb, value, text, answer);
            daemon_log_has(d, "\1");
        }
        free(answer);
        if (found || late) {
            return found;
        }
        usleep(50000);
    }
}

const char daemon_mail[] = "From: Ann <ann@customer.example>\r\nTo: " TKT_TEST_IT "\r\n"
                           "Subject: printer\r\nMessage-ID: <one@customer.example>\r\n"
                           "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n"
                           "It burns.\r\n";

/* The mail with another Message-ID. */
int daemon_mail_fd(const char *id)
{
    char text[1000];

    snprintf(text, sizeof(text),
             "From: Ann <ann@customer.example>\r\nTo: " TKT_TEST_IT
             "\r\nSubject: printer\r\n"
             "Message-ID: <%s@customer.example>\r\n"
             "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nIt burns: %s.\r\n",
             id, id);
    return message_fd(text);
}

struct daemon_answer daemon_answer(const struct daemon *d,
                                   const struct tkt_wire_request *req, int fd)
{
    struct tkt_wire_reply reply;
    struct daemon_answer a = {0};

    daemon_call(d, req, fd, &reply);
    a.status = reply.status;
    a.tickets = reply.ticket_count;
    a.edits = reply.edit_count;
    a.smtp_code = reply.smtp_code;
    snprintf(a.text, sizeof(a.text), "%.299s", reply.text);
    if (reply.ticket_count) {
        snprintf(a.id, sizeof(a.id), "%s", reply.tickets[0].id);
        snprintf(a.word, sizeof(a.word), "%s", reply.tickets[0].status);
        snprintf(a.hold, sizeof(a.hold), "%s", reply.tickets[0].hold);
    }
    for (size_t i = 0; i < reply.edit_count; i++) {
        if (strcmp(reply.edits[i].name, "Subject") == 0) {
            snprintf(a.subject, sizeof(a.subject), "%s", reply.edits[i].value);
        }
    }
    tkt_wire_reply_release(&reply);
    if (fd >= 0) {
        close(fd);
    }
    return a;
}

void daemon_created(const struct daemon_answer *a)
{
    if (a->status != TKT_WIRE_OK) {
        fail_msg("status %d: %s", a->status, a->text);
    }
    assert_string_equal(a->word, "created");
    assert_true(a->id[0] != '\0');
}

/* Sends the request with just these descriptors; the answer comes on the same socket. */
struct daemon_answer daemon_answer_fds(const struct daemon *d,
                                       const struct tkt_wire_request *req, const int *fds,
                                       size_t count)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * 8)];
    } control = {0};
    struct tkt_wire_packet packet;
    struct tkt_wire_packet in;
    struct tkt_wire_reply reply;
    struct daemon_answer a = {0};
    int sock = tkt_wire_connect(d->intake, tkt_clock_mono_ms() + 2000, NULL);

    assert_true(sock >= 0);
    tkt_wire_packet_init(&packet);
    tkt_wire_packet_init(&in);
    int own = message_fd(daemon_mail); /* only to encode: what is sent are the caller's */
    assert_int_equal(tkt_wire_request_encode(req, own, &packet, NULL), 0);
    struct iovec iov = {packet.body.data, packet.body.len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    }
    assert_true(sendmsg(sock, &msg, MSG_NOSIGNAL) > 0);
    assert_int_equal(tkt_wire_recv(sock, &in, tkt_clock_mono_ms() + 8000, NULL), 1);
    assert_int_equal(tkt_wire_reply_decode(&in, &reply, NULL), 0);
    a.status = reply.status;
    snprintf(a.text, sizeof(a.text), "%.299s", reply.text);
    tkt_wire_reply_release(&reply);
    tkt_wire_packet_release(&in);
    tkt_wire_packet_release(&packet);
    close(own);
    close(sock);
    return a;
}
