/* SPDX-License-Identifier: BSD-2-Clause
 * common/wire: packets and their descriptors, both codecs, the desk table, the client.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "wire/control.h"
#include "wire/idna.h"
#include "wire/intake.h"
#include "wire/missed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

static int pair[2];
static char dir[64];
static char path[96];

static int open_pair(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int close_pair(void **state)
{
    (void)state;
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/wire_test.XXXXXX");
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/s", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static int64_t soon(void)
{
    return tkt_clock_mono_ms() + 5000;
}

static int memfd_with(const char *text)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

/* A packet as only a broken or hostile peer would send it. */
static void send_raw(const char *body, size_t len, const int *fds, size_t count)
{
    char control[CMSG_SPACE(sizeof(int) * 253)];
    struct iovec iov = {.iov_base = (void *)(uintptr_t)body, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    memset(control, 0, sizeof(control));
    if (count > 0) {
        msg.msg_control = control;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    }
    assert_int_equal(sendmsg(pair[0], &msg, MSG_NOSIGNAL), (ssize_t)len);
}

static int open_fd_count(void)
{
    int n = 0;
    for (int fd = 0; fd < 400; fd++) {
        n += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return n;
}

/* What the receiver says to a raw packet; no descriptor may stay behind. */
static enum tkt_err_class class_of_raw(const char *body, size_t len, const int *fds,
                                       size_t count)
{
    struct tkt_wire_packet p;
    struct tkt_err err = TKT_ERR_INIT;
    int before = open_fd_count();

    send_raw(body, len, fds, count);
    tkt_wire_packet_init(&p);
    int rc = tkt_wire_recv(pair[1], &p, soon(), &err);
    tkt_wire_packet_release(&p);
    assert_int_equal(open_fd_count(), before);
    return rc == 1 ? TKT_ERR_NONE : err.class;
}

/* ---- packets ---- */

static void lines_survive_any_byte_but_nul(void **state)
{
    (void)state;
    struct tkt_wire_packet p;
    struct tkt_wire_cursor c;
    char all[256];
    char *name;
    char *value;

    for (int i = 1; i < 256; i++) {
        all[i - 1] = (char)i;
    }
    all[255] = '\0';
    tkt_wire_packet_init(&p);
    assert_int_equal(tkt_wire_add(&p.body, "all", all), 0);
    assert_int_equal(tkt_wire_add(&p.body, "empty", ""), 0);
    assert_int_equal(tkt_wire_add_int(&p.body, "n", -5), 0);
    tkt_wire_cursor_init(&c, &p);
    assert_int_equal(tkt_wire_next(&c, &name, &value, NULL), 1);
    assert_string_equal(name, "all");
    assert_string_equal(value, all);
    assert_int_equal(tkt_wire_next(&c, &name, &value, NULL), 1);
    assert_string_equal(value, "");
    assert_int_equal(tkt_wire_next(&c, &name, &value, NULL), 1);
    assert_string_equal(value, "-5");
    assert_int_equal(tkt_wire_next(&c, &name, &value, NULL), 0);
    tkt_wire_packet_release(&p);
}

static void malformed_lines_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a",       "a=1",      "=1\n",    "A=1\n",
                                      "a b=1\n", "a=%0\n",   "a=%00\n", "a=%zz\n",
                                      "a=\t\n",  "a=\x80\n", "\n"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        char text[16];
        char *name;
        char *value;
        struct tkt_wire_cursor c;
        struct tkt_err err = TKT_ERR_INIT;
        memcpy(text, bad[i], strlen(bad[i]) + 1);
        tkt_wire_cursor_init_mem(&c, text, strlen(bad[i]));
        assert_int_equal(tkt_wire_next(&c, &name, &value, &err), -1);
        assert_int_equal(err.class, TKT_ERR_PERM);
    }
}

static void more_lines_than_allowed_are_refused(void **state)
{
    (void)state;
    size_t n = 2 * (TKT_WIRE_LINES_MAX + 1);
    char *text = malloc(2 * n);
    char *name;
    char *value;
    struct tkt_wire_cursor c;
    int rc;
    unsigned lines = 0;

    for (size_t i = 0; i < n / 2; i++) {
        memcpy(text + 3 * i, "a=\n", 3);
    }
    tkt_wire_cursor_init_mem(&c, text, n / 2 * 3);
    while ((rc = tkt_wire_next(&c, &name, &value, NULL)) == 1) {
        lines++;
    }
    assert_int_equal(rc, -1);
    assert_int_equal(lines, TKT_WIRE_LINES_MAX);
    free(text);
}

static void a_closed_peer_is_told_from_a_packet(void **state)
{
    (void)state;
    struct tkt_wire_packet p;
    struct tkt_err err = TKT_ERR_INIT;

    tkt_wire_packet_init(&p);
    errno = 0;
    assert_int_equal(tkt_wire_recv(pair[1], &p, 0, &err), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    send_raw("v=1\n", 4, NULL, 0);
    shutdown(pair[0], SHUT_RDWR);
    assert_int_equal(tkt_wire_recv(pair[1], &p, soon(), &err), 1);
    assert_int_equal(tkt_wire_recv(pair[1], &p, soon(), &err), 0);
    tkt_wire_packet_release(&p);
    tkt_buf_adds(&p.body, "v=1\n");
    assert_int_equal(tkt_wire_send(pair[1], &p, soon(), &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    tkt_wire_packet_release(&p);
}

static void a_truncated_packet_is_an_error(void **state)
{
    (void)state;
    static char big[TKT_WIRE_PACKET_MAX + 1];
    memset(big, 'a', sizeof(big));
    assert_int_equal(class_of_raw(big, sizeof(big), NULL, 0), TKT_ERR_PERM);
    int fd = memfd_with("message");
    assert_int_equal(class_of_raw(big, sizeof(big), &fd, 1), TKT_ERR_PERM);
    close(fd);
    assert_int_equal(class_of_raw("v=1\n", 4, NULL, 0), TKT_ERR_NONE);
}

static void extra_descriptors_are_refused_and_closed(void **state)
{
    (void)state;
    int fds[253];
    fds[0] = memfd_with("message");
    for (size_t i = 1; i < TKT_ARRAY_LEN(fds); i++) {
        fds[i] = fds[0];
    }
    assert_int_equal(class_of_raw("v=1\n", 4, fds, 1), TKT_ERR_NONE);
    assert_int_equal(class_of_raw("v=1\n", 4, fds, 2), TKT_ERR_NONE);
    assert_int_equal(class_of_raw("v=1\n", 4, fds, 3), TKT_ERR_PERM);
    assert_int_equal(class_of_raw("v=1\n", 4, fds, 253), TKT_ERR_PERM);
    assert_int_equal(class_of_raw("", 0, fds, 1), TKT_ERR_PERM);
    close(fds[0]);
}

static void only_regular_files_pass_as_descriptors(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int bad[] = {pipes[0], pair[0], null, tmp};

    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(class_of_raw("v=1\n", 4, &bad[i], 1), TKT_ERR_PERM);
    }
    close(pipes[0]);
    close(pipes[1]);
    close(null);
    close(tmp);
}

static void a_long_body_rides_in_the_tail(void **state)
{
    (void)state;
    struct tkt_wire_packet p;
    struct tkt_wire_packet q;
    struct tkt_err err = TKT_ERR_INIT;
    int message = memfd_with("message");

    tkt_wire_packet_init(&p);
    tkt_wire_packet_init(&q);
    tkt_buf_adds(&p.body, "v=1\n");
    while (p.body.len < 200000) {
        tkt_wire_add(&p.body, "rcpt", "someone@example.test");
    }
    assert_int_equal(tkt_wire_packet_take_fd(&p, message), 0);
    assert_int_equal(tkt_wire_send(pair[0], &p, soon(), &err), 0);
    assert_int_equal(tkt_wire_recv(pair[1], &q, soon(), &err), 1);
    assert_int_equal(q.body.len, p.body.len);
    assert_memory_equal(q.body.data, p.body.data, p.body.len);
    assert_int_equal(q.fd_count, 1);
    char text[8] = "";
    assert_int_equal(pread(q.fds[0], text, sizeof(text), 0), 7);
    assert_string_equal(text, "message");
    tkt_wire_packet_release(&p);
    tkt_wire_packet_release(&q);
}

static void a_tail_must_be_sealed_and_as_long_as_announced(void **state)
{
    (void)state;
    int loose = memfd_with("v=1\na=b\n");
    int sealed = tkt_memfd_sealed("t", "v=1\na=b\n", 8, NULL);
    static const char *const bad[] = {
        "v=1\ntail=9\n", "v=1\ntail=7\n", "v=1\ntail=0\n",       "v=1\ntail=-8\n",
        "v=1\ntail=8",   "v=1\ntail=\n",  "v=1\ntail=2097153\n", "v=1\ntail=8\nx=1\n"};

    assert_int_equal(class_of_raw("v=1\ntail=8\n", 11, &sealed, 1), TKT_ERR_NONE);
    assert_int_equal(class_of_raw("v=1\ntail=8\n", 11, &loose, 1), TKT_ERR_PERM);
    assert_int_equal(class_of_raw("v=1\ntail=8\n", 11, NULL, 0), TKT_ERR_PERM);
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(class_of_raw(bad[i], strlen(bad[i]), &sealed, 1), TKT_ERR_PERM);
    }
    close(loose);
    close(sealed);
}

/* Runs with one descriptor less than needed, at the receiver. */
static void a_receiver_without_descriptors_says_temp(void **state)
{
    (void)state;
    struct rlimit old;
    struct rlimit tight;
    int fd = memfd_with("message");
    int sealed = tkt_memfd_sealed("t", "v=1\na=b\n", 8, NULL);
    int both[2] = {fd, sealed};

    int top = dup(0); /* the lowest free number */
    assert_true(top > sealed);
    close(top);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    for (rlim_t room = 0; room < 2; room++) {
        tight = old;
        tight.rlim_cur = (rlim_t)top + room;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        enum tkt_err_class class = class_of_raw("v=1\ntail=8\n", 11, both, 2);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        assert_int_equal(class, TKT_ERR_TEMP);
    }
    /* and the connection still works */
    assert_int_equal(class_of_raw("v=1\ntail=8\n", 11, both, 2), TKT_ERR_NONE);
    close(fd);
    close(sealed);
}

static void a_sender_without_descriptors_says_temp(void **state)
{
    (void)state;
    struct rlimit old;
    struct tkt_wire_packet p;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE};
    int fd = memfd_with("message");

    tkt_wire_packet_init(&p);
    while (p.body.len <= TKT_WIRE_PACKET_MAX) {
        tkt_wire_add(&p.body, "a", "b");
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit tight = old;
    int top = dup(0);
    close(top);
    tight.rlim_cur = (rlim_t)top;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    int rc_send = tkt_wire_send(pair[0], &p, soon(), &err);
    tkt_wire_packet_release(&p);
    enum tkt_err_class class_send = err.class;
    int rc_encode = tkt_wire_request_encode(&req, fd, &p, &err);
    enum tkt_err_class class_encode = err.class;
    int rc_connect = tkt_wire_connect("/tmp/none", soon(), &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(rc_send, -1);
    assert_int_equal(class_send, TKT_ERR_TEMP);
    assert_int_equal(rc_encode, -1);
    assert_int_equal(class_encode, TKT_ERR_TEMP);
    assert_int_equal(rc_connect, -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    close(fd);
}

static void listen_replaces_a_dead_socket_and_refuses_a_live_one(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;
    struct stat st;

    int first = tkt_wire_listen(path, 0117, &err);
    assert_true(first >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_int_equal(tkt_wire_listen(path, 0117, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    close(first);
    int second = tkt_wire_listen(path, 0117, &err);
    assert_true(second >= 0);
    int c = tkt_wire_connect(path, soon(), &err);
    assert_true(c >= 0);
    close(c);
    close(second);
    unlink(path);
    int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(tkt_wire_listen(path, 0117, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_int_equal(access(path, F_OK), 0);
    close(file);
    assert_int_equal(tkt_wire_connect(path, soon(), &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    char too_long[200];
    memset(too_long, 'a', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_int_equal(tkt_wire_listen(too_long, 0, &err), -1);
}

/* ---- codecs ---- */

static void send_and_decode(const struct tkt_wire_request *req, int fd,
                            struct tkt_wire_request *got)
{
    struct tkt_wire_packet p;
    struct tkt_wire_packet q;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_wire_request_encode(req, fd, &p, &err), 0);
    assert_int_equal(tkt_wire_send(pair[0], &p, soon(), &err), 0);
    tkt_wire_packet_release(&p);
    tkt_wire_packet_init(&q);
    assert_int_equal(tkt_wire_recv(pair[1], &q, soon(), &err), 1);
    int rc = tkt_wire_request_decode(&q, got, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    tkt_wire_packet_release(&q);
}

static void a_request_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct tkt_wire_rcpt rcpts[] = {{"IT@example.test", false},
                                    {"hr+x@example.test", true}};
    struct tkt_wire_field fields[] = {{"Subject", 1, " a\n\tb = \xff%"},
                                      {"X-Ticket-ID", 2, ""}};
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE,
                                   .generation = UINT64_MAX,
                                   .remaining_ms = 8000,
                                   .hook = "milter",
                                   .queue_id = "4Fx",
                                   .mta_host = "mx.example.test",
                                   .sender = "gr\xc3\xbc\xc3\x9f"
                                             "e@example.test",
                                   .rcpts = rcpts,
                                   .rcpt_count = 2,
                                   .other_rcpts = 7,
                                   .client_addr = "IPv6:::1",
                                   .client_name = "localhost",
                                   .helo = "he\xfflo",
                                   .tls = "TLSv1.3",
                                   .tls_subject = "CN=a\nb",
                                   .auth_login = "joe",
                                   .mail_time_s = 1790000000,
                                   .leadspc = true,
                                   .smtp_path = true,
                                   .fields = fields,
                                   .field_count = 2};
    struct tkt_wire_request got;
    int fd = memfd_with("message");

    send_and_decode(&req, fd, &got);
    close(fd);
    assert_int_equal(got.verb, TKT_WIRE_RESERVE);
    assert_true(got.generation == UINT64_MAX);
    assert_int_equal(got.remaining_ms, 8000);
    assert_string_equal(got.hook, "milter");
    assert_string_equal(got.queue_id, "4Fx");
    assert_string_equal(got.mta_host, "mx.example.test");
    assert_string_equal(got.sender, req.sender);
    assert_int_equal(got.rcpt_count, 2);
    assert_string_equal(got.rcpts[0].addr, "IT@example.test");
    assert_false(got.rcpts[0].relayed);
    assert_string_equal(got.rcpts[1].addr, "hr+x@example.test");
    assert_true(got.rcpts[1].relayed);
    assert_int_equal(got.other_rcpts, 7);
    assert_string_equal(got.client_addr, "IPv6:::1");
    assert_string_equal(got.client_name, "localhost");
    assert_string_equal(got.helo, "he\xef\xbf\xbdlo");
    assert_string_equal(got.tls, "TLSv1.3");
    assert_string_equal(got.tls_subject, "CN=a\nb");
    assert_string_equal(got.auth_login, "joe");
    assert_true(got.mail_time_s == 1790000000);
    assert_true(got.leadspc && got.smtp_path && !got.dry_run && !got.untagged);
    assert_int_equal(got.field_count, 2);
    assert_string_equal(got.fields[0].name, "Subject");
    assert_int_equal(got.fields[0].index, 1);
    assert_string_equal(got.fields[0].value, fields[0].value);
    assert_string_equal(got.fields[1].name, "X-Ticket-ID");
    assert_int_equal(got.fields[1].index, 2);
    assert_string_equal(got.fields[1].value, "");
    assert_string_equal(got.hold, "");
    tkt_wire_request_release(&got);
}

static void the_small_verbs_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct tkt_wire_request got;
    struct tkt_wire_request confirm = {
        .verb = TKT_WIRE_CONFIRM, .hold = "h-1", .untagged = true};
    struct tkt_wire_request lookup = {
        .verb = TKT_WIRE_LOOKUP, .token = "abc234", .rcpt = "it+abc234@example.test"};
    struct tkt_wire_request ping = {.verb = TKT_WIRE_PING, .token = "x"};

    send_and_decode(&confirm, -1, &got);
    assert_int_equal(got.verb, TKT_WIRE_CONFIRM);
    assert_string_equal(got.hold, "h-1");
    assert_true(got.untagged);
    tkt_wire_request_release(&got);
    send_and_decode(&lookup, -1, &got);
    assert_int_equal(got.verb, TKT_WIRE_LOOKUP);
    assert_string_equal(got.token, "abc234");
    assert_string_equal(got.rcpt, "it+abc234@example.test");
    tkt_wire_request_release(&got);
    send_and_decode(&ping, -1, &got);
    assert_int_equal(got.verb, TKT_WIRE_PING);
    tkt_wire_request_release(&got);
}

static void a_thousand_recipients_and_a_60_kb_subject_arrive_whole(void **state)
{
    (void)state;
    static struct tkt_wire_rcpt rcpts[1000];
    static char addrs[1000][64];
    static char subject[60000];
    struct tkt_wire_request got;
    struct tkt_wire_field field = {"Subject", 1, subject};

    for (size_t i = 0; i < 1000; i++) {
        snprintf(addrs[i], sizeof(addrs[i]), "recipient-%zu@some.domain.example.test", i);
        rcpts[i] = (struct tkt_wire_rcpt){addrs[i], i % 3 == 0};
    }
    memset(subject, 0xe4, sizeof(subject) - 1);
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE,
                                   .rcpts = rcpts,
                                   .rcpt_count = 1000,
                                   .fields = &field,
                                   .field_count = 1};
    int fd = memfd_with("message");
    send_and_decode(&req, fd, &got);
    close(fd);
    assert_int_equal(got.rcpt_count, 1000);
    for (size_t i = 0; i < 1000; i++) {
        assert_string_equal(got.rcpts[i].addr, addrs[i]);
        assert_int_equal(got.rcpts[i].relayed, i % 3 == 0);
    }
    assert_string_equal(got.fields[0].value, subject);
    tkt_wire_request_release(&got);
}

static enum tkt_err_class request_class(const char *text, int fd)
{
    struct tkt_wire_packet p;
    struct tkt_wire_request got;
    struct tkt_err err = TKT_ERR_INIT;

    tkt_wire_packet_init(&p);
    tkt_buf_adds(&p.body, text);
    if (fd >= 0) {
        tkt_wire_packet_take_fd(&p, fd);
    }
    int rc = tkt_wire_request_decode(&p, &got, &err);
    tkt_wire_packet_release(&p);
    if (rc == 0) {
        tkt_wire_request_release(&got);
    }
    return rc == 0 ? TKT_ERR_NONE : err.class;
}

static void wrong_requests_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "v=2\nverb=ping\n",
                                      "verb=ping\n",
                                      "v=1\n",
                                      "v=1\nverb=nonsense\n",
                                      "v=1\nverb=ping\nremaining-ms=4294967296\n",
                                      "v=1\nverb=ping\nremaining-ms=-1\n",
                                      "v=1\nverb=ping\ngeneration=18446744073709551616\n",
                                      "v=1\nverb=ping\ngeneration=\n",
                                      "v=1\nverb=ping\nhelo=%ff\n",
                                      "v=1\nverb=ping\nleadspc=yes\n",
                                      "v=1\nverb=ping\nfield=1 Sub ject:x\n",
                                      "v=1\nverb=ping\nfield=1 Subject\n",
                                      "v=1\nverb=ping\nfield=x Subject:x\n",
                                      "v=1\nverb=ping\nfield=1 :x\n",
                                      "v=1\nverb=reserve\n",
                                      "v=1\nverb=ping\nother-rcpts=3000000000\n"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(request_class(bad[i], -1), TKT_ERR_PERM);
    }
    assert_int_equal(request_class("v=1\nverb=ping\nnew-thing=1\n", -1), TKT_ERR_NONE);
    assert_int_equal(request_class("v=1\nverb=ping\n", memfd_with("x")), TKT_ERR_PERM);
    assert_int_equal(request_class("v=1\nverb=reserve\n", memfd_with("x")), TKT_ERR_NONE);
    int write_only = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(request_class("v=1\nverb=reserve\n", write_only), TKT_ERR_PERM);
}

static void counts_and_lengths_have_caps_in_both_directions(void **state)
{
    (void)state;
    struct tkt_wire_packet p;
    struct tkt_err err = TKT_ERR_INIT;
    static struct tkt_wire_rcpt rcpts[TKT_WIRE_RCPTS_MAX + 1];
    struct tkt_wire_request got;

    for (size_t i = 0; i < TKT_ARRAY_LEN(rcpts); i++) {
        rcpts[i].addr = "a@b";
    }
    struct tkt_wire_request req = {
        .verb = TKT_WIRE_PING, .rcpts = rcpts, .rcpt_count = TKT_WIRE_RCPTS_MAX};
    assert_int_equal(tkt_wire_request_encode(&req, -1, &p, &err), 0);
    assert_int_equal(tkt_wire_request_decode(&p, &got, &err), 0);
    tkt_wire_request_release(&got);
    tkt_buf_adds(&p.body, "rcpt=one@more\n");
    assert_int_equal(tkt_wire_request_decode(&p, &got, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    tkt_wire_packet_release(&p);
    req.rcpt_count++;
    assert_int_equal(tkt_wire_request_encode(&req, -1, &p, &err), -1);

    static char longest[TKT_WIRE_STRING_MAX + 10];
    memset(longest, 'a', sizeof(longest) - 1);
    req = (struct tkt_wire_request){.verb = TKT_WIRE_PING, .helo = longest};
    send_and_decode(&req, -1, &got);
    assert_int_equal(strlen(got.helo), TKT_WIRE_STRING_MAX);
    tkt_wire_request_release(&got);
    tkt_wire_packet_init(&p);
    tkt_buf_adds(&p.body, "v=1\nverb=ping\n");
    tkt_wire_add(&p.body, "helo", longest);
    assert_int_equal(tkt_wire_request_decode(&p, &got, &err), -1);
    tkt_wire_packet_release(&p);
}

static void a_reply_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct tkt_wire_ticket tickets[] = {{"it", "IT-1", "", "created", "ops", 3},
                                        {"hr", "HR-2", "h9", "existing", "", 1}};
    struct tkt_wire_edit edits[] = {{TKT_WIRE_DELETE, 2, "X-Ticket-ID", ""},
                                    {TKT_WIRE_CHANGE, 1, "Subject", " [IT-1] a\n b"},
                                    {TKT_WIRE_INSERT, 0, "X-Ticket-ID", " IT-1"},
                                    {TKT_WIRE_ADDRCPT, 0, NULL, "ops@example.test"},
                                    {TKT_WIRE_DELRCPT, 0, NULL, "it@example.test"}};
    struct tkt_wire_desk desks[] = {{"it", "it@example.test", "+-", true, false},
                                    {"hr", "@hr.example.test", "", false, true}};
    struct tkt_wire_reply rep = {.status = TKT_WIRE_STALE,
                                 .generation = 4,
                                 .text = "hello",
                                 .tickets = tickets,
                                 .ticket_count = 2,
                                 .edits = edits,
                                 .edit_count = 5,
                                 .smtp_code = 552,
                                 .smtp_xcode = "5.3.4",
                                 .smtp_text = "too big",
                                 .desks = desks,
                                 .desk_count = 2,
                                 .message_max = 1000,
                                 .deadline_ms = 8000,
                                 .rcpt_lookup = true,
                                 .tag_pattern = "\\[(IT)-[0-9]+\\]",
                                 .ticket = "IT-9",
                                 .why = "valid"};
    struct tkt_wire_packet p;
    struct tkt_wire_reply got;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_wire_reply_encode(&rep, &p, &err), 0);
    assert_int_equal(tkt_wire_reply_decode(&p, &got, &err), 0);
    tkt_wire_packet_release(&p);
    assert_int_equal(got.status, TKT_WIRE_STALE);
    assert_true(got.generation == 4 && got.message_max == 1000 &&
                got.deadline_ms == 8000);
    assert_string_equal(got.text, "hello");
    assert_int_equal(got.ticket_count, 2);
    assert_string_equal(got.tickets[0].id, "IT-1");
    assert_string_equal(got.tickets[0].desk, "it");
    assert_string_equal(got.tickets[0].group, "ops");
    assert_string_equal(got.tickets[1].hold, "h9");
    assert_string_equal(got.tickets[1].status, "existing");
    assert_string_equal(got.tickets[1].group, "");
    assert_int_equal(got.tickets[0].priority, 3);
    assert_int_equal(got.edit_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(got.edits[i].kind, edits[i].kind);
        assert_string_equal(got.edits[i].value, edits[i].value);
    }
    assert_string_equal(got.edits[0].name, "X-Ticket-ID");
    assert_int_equal(got.edits[0].index, 2);
    assert_int_equal(got.smtp_code, 552);
    assert_string_equal(got.smtp_xcode, "5.3.4");
    assert_string_equal(got.smtp_text, "too big");
    assert_int_equal(got.desk_count, 2);
    assert_string_equal(got.desks[0].delimiters, "+-");
    assert_true(got.desks[0].on_failure_accept && !got.desks[0].off);
    assert_string_equal(got.desks[1].address, "@hr.example.test");
    assert_true(!got.desks[1].on_failure_accept && got.desks[1].off);
    assert_true(got.rcpt_lookup);
    assert_string_equal(got.tag_pattern, rep.tag_pattern);
    assert_string_equal(got.ticket, "IT-9");
    assert_string_equal(got.why, "valid");
    tkt_wire_reply_release(&got);
}

static void wrong_replies_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "v=1\n",
                                      "v=1\nstatus=fine\n",
                                      "v=1\nstatus=ok\nticket.desk=it\n",
                                      "v=1\nstatus=ok\ndesk.off=1\n",
                                      "v=1\nstatus=ok\nticket.priority=1\n",
                                      "v=1\nstatus=ok\nsmtp-code=250\n",
                                      "v=1\nstatus=ok\nsmtp-code=600\n",
                                      "v=1\nstatus=ok\nticket=a\nticket.priority=6\n",
                                      "v=1\nstatus=ok\nchange=Subject\n",
                                      "v=1\nstatus=ok\naddrcpt=%ff\n"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        struct tkt_wire_packet p;
        struct tkt_wire_reply got;
        struct tkt_err err = TKT_ERR_INIT;
        tkt_wire_packet_init(&p);
        tkt_buf_adds(&p.body, bad[i]);
        assert_int_equal(tkt_wire_reply_decode(&p, &got, &err), -1);
        assert_int_equal(err.class, TKT_ERR_PERM);
        tkt_wire_packet_release(&p);
    }
}

/* ---- desk table ---- */

static void desks_are_found_as_they_stand_in_rcpt(void **state)
{
    (void)state;
    static const struct tkt_wire_desk rows[] = {
        {"it", "it@example.test", "+", false, false},
        {"ab", "a-b@example.test", "-", false, false},
        {"all", "@desk.example", "", false, false},
        {"umlaut", "hilfe@xn--gre-6ka8l.example", "+", false, false},
        {"greek", "a@\xce\xb2\xcf\x8c\xce\xbb\xce\xbf\xcf\x82.example", "", false,
         false}};
    static const struct {
        const char *addr;
        const char *desk;
        size_t sub;
    } cases[] = {{"it@example.test", "it", 0},
                 {"IT@Example.TEST", "it", 0},
                 {"it@example.test.", "it", 0},
                 {"it+x@example.test", "it", 3},
                 {"It+a+b@example.test", "it", 3},
                 {"it+@example.test", "it", 3},
                 {"it-x@example.test", NULL, 0},
                 {"+it@example.test", NULL, 0},
                 {"itx@example.test", NULL, 0},
                 {"it@other.test", NULL, 0},
                 {"it", NULL, 0},
                 {"", NULL, 0},
                 {"@example.test", NULL, 0},
                 {"a-b@example.test", "ab", 0},
                 {"a-b-c@example.test", "ab", 4},
                 {"a+b@example.test", NULL, 0},
                 {"who@ever@desk.example", "all", 0},
                 {"x@DESK.example", "all", 0},
                 {"x@sub.desk.example", NULL, 0},
                 {"hilfe@gr\xc3\xbc\xc3\x9f"
                  "e.example",
                  "umlaut", 0},
                 {"hilfe+1@GR\xc3\x9c\xc3\x9f"
                  "E.EXAMPLE",
                  "umlaut", 6},
                 {"hilfe@XN--GRE-6ka8l.example", "umlaut", 0},
                 {"a@xn--nxasmm1c.example", "greek", 0},
                 {"hilfe@gr\xfc\xdf.example", NULL, 0}};
    struct tkt_wire_desk_index *index = tkt_wire_desks_index(rows, TKT_ARRAY_LEN(rows));

    assert_non_null(index);
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        size_t sub = 99;
        const struct tkt_wire_desk *d = tkt_wire_desk_find(index, cases[i].addr, &sub);
        assert_string_equal(d != NULL ? d->name : "-",
                            cases[i].desk != NULL ? cases[i].desk : "-");
        assert_int_equal(sub, cases[i].sub);
    }
    static char huge[5000];
    memset(huge, '+', sizeof(huge) - 1);
    memcpy(huge, "it", 2);
    memcpy(huge + 4000, "@example.test", 14);
    size_t sub;
    assert_null(tkt_wire_desk_find(index, huge, &sub));
    tkt_wire_desks_index_free(&index);
    assert_null(index);
}

static void a_full_desk_table_is_indexed(void **state)
{
    (void)state;
    static struct tkt_wire_desk rows[TKT_WIRE_DESKS_MAX];
    static char addr[TKT_WIRE_DESKS_MAX][32];

    for (size_t i = 0; i < TKT_WIRE_DESKS_MAX; i++) {
        snprintf(addr[i], sizeof(addr[i]), "desk%zu@example.test", i);
        rows[i] = (struct tkt_wire_desk){"d", addr[i], "+", false, false};
    }
    struct tkt_wire_desk_index *index = tkt_wire_desks_index(rows, TKT_WIRE_DESKS_MAX);
    size_t sub;
    for (size_t i = 0; i < TKT_WIRE_DESKS_MAX; i++) {
        assert_ptr_equal(tkt_wire_desk_find(index, addr[i], &sub), &rows[i]);
    }
    assert_null(tkt_wire_desk_find(index, "desk1024@example.test", &sub));
    tkt_wire_desks_index_free(&index);
}

/* The samples of RFC 3492 section 7.1 (B), (L) and one with capitals. */
static void punycode_matches_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *u;
        const char *a;
    } cases[] = {{"\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8"
                  "\x8d\xe8\xaf\xb4"
                  "\xe4\xb8\xad\xe6\x96\x87",
                  "xn--ihqwcrb4cv8a8dqg056pqjye"},
                 {"3\xe5\xb9\xb4"
                  "b\xe7\xb5\x84\xe9\x87\x91\xe5\x85\xab\xe5\x85\x88\xe7\x94\x9f",
                  "xn--3b-ww4c5e180e575a65lsy2b"},
                 {"B\xc3\x9c"
                  "CHER.Example",
                  "xn--bcher-kva.example"}};
    char out[128];

    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        assert_true(tkt_idna_domain(cases[i].u, strlen(cases[i].u), out, sizeof(out)) >
                    0);
        assert_string_equal(out, cases[i].a);
    }
    assert_int_equal(tkt_idna_domain("abcdef", 6, out, 6), -1);
    assert_int_equal(tkt_idna_domain("abcdef", 6, out, 7), 6);
}

/* ---- the client ---- */

/* A ticketd that does what its plan says with each request it gets. */
enum step {
    ANSWER,
    CLOSE,
    GARBAGE,
    SILENT,
    RESTART
};
struct peer {
    const enum step *plan;
    size_t count;
    size_t served;
    int listener;
};

static void answer(int sock, const char *text)
{
    struct tkt_wire_packet p;
    tkt_wire_packet_init(&p);
    tkt_buf_adds(&p.body, text);
    assert_int_equal(tkt_wire_send(sock, &p, soon(), NULL), 0);
    tkt_wire_packet_release(&p);
}

/* One connection; false when the plan is done. */
static bool serve(struct peer *peer, int sock)
{
    struct tkt_wire_packet p;

    tkt_wire_packet_init(&p);
    while (peer->served < peer->count && tkt_wire_recv(sock, &p, soon(), NULL) == 1) {
        enum step step = peer->plan[peer->served++];
        if (step == CLOSE) {
            break;
        }
        if (step == RESTART) {
            close(peer->listener);
            poll(NULL, 0, 50);
            peer->listener = tkt_wire_listen(path, 077, NULL);
            break;
        }
        if (step != SILENT) {
            answer(sock, step == ANSWER ? "v=1\nstatus=ok\ntext=served\n" : "v=9\n");
        }
    }
    tkt_wire_packet_release(&p);
    return peer->served < peer->count;
}

static void *peer_main(void *arg)
{
    struct peer *peer = arg;
    bool more = true;

    while (more) {
        struct pollfd pfd = {.fd = peer->listener, .events = POLLIN};
        if (poll(&pfd, 1, 3000) <= 0) {
            break;
        }
        int sock = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
        more = serve(peer, sock);
        if (!more) {
            poll(NULL, 0, 60);
        }
        close(sock);
    }
    return NULL;
}

static int progress_calls;
static void count_progress(void *arg)
{
    (void)arg;
    progress_calls++;
}

/* How many of the calls got a reply. */
static int run_calls(const enum step *plan, size_t count, size_t calls,
                     int64_t deadline_ms, struct tkt_err *err)
{
    struct peer peer = {plan, count, 0, tkt_wire_listen(path, 077, NULL)};
    pthread_t thread;
    int answered = 0;
    struct tkt_wire_client *client = tkt_wire_client_new(path, 4);

    assert_int_equal(pthread_create(&thread, NULL, peer_main, &peer), 0);
    for (size_t i = 0; i < calls; i++) {
        struct tkt_wire_request req = {.verb = TKT_WIRE_PING};
        struct tkt_wire_reply reply;
        if (tkt_wire_call(client, &req, -1, tkt_clock_mono_ms() + deadline_ms, 20,
                          count_progress, NULL, &reply, err) == 0) {
            assert_string_equal(reply.text, "served");
            tkt_wire_reply_release(&reply);
            answered++;
        }
    }
    pthread_join(thread, NULL);
    close(peer.listener);
    tkt_wire_client_free(&client);
    assert_int_equal(peer.served, count);
    return answered;
}

static void connections_are_kept_and_replaced(void **state)
{
    (void)state;
    static const enum step plan[] = {ANSWER, ANSWER, CLOSE, ANSWER, RESTART, ANSWER};
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(run_calls(plan, 6, 4, 3000, &err), 4);
}

static void silence_ends_at_the_deadline_with_progress_in_between(void **state)
{
    (void)state;
    static const enum step plan[] = {SILENT};
    struct tkt_err err = TKT_ERR_INIT;
    int64_t start = tkt_clock_mono_ms();

    progress_calls = 0;
    assert_int_equal(run_calls(plan, 1, 1, 50, &err), 0);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    assert_true(progress_calls >= 1);
    assert_true(tkt_clock_mono_ms() - start < 1500);
}

static void a_malformed_reply_is_temp_at_once(void **state)
{
    (void)state;
    static const enum step plan[] = {GARBAGE};
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(run_calls(plan, 1, 1, 3000, &err), 0);
    assert_int_equal(err.class, TKT_ERR_TEMP);
}

static void nobody_there_is_temp_within_the_deadline(void **state)
{
    (void)state;
    struct tkt_wire_client *client = tkt_wire_client_new(path, 4);
    struct tkt_wire_request req = {.verb = TKT_WIRE_PING};
    struct tkt_wire_reply reply;
    struct tkt_err err = TKT_ERR_INIT;
    int64_t start = tkt_clock_mono_ms();

    assert_int_equal(
        tkt_wire_call(client, &req, -1, start + 60, 0, NULL, NULL, &reply, &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    assert_true(tkt_clock_mono_ms() - start < 1000);
    tkt_wire_client_free(&client);
}

static void *control_peer(void *arg)
{
    const char *const *replies = arg;
    int listener = tkt_wire_listen(path, 077, NULL);

    for (; *replies != NULL; replies++) {
        struct pollfd pfd = {.fd = listener, .events = POLLIN};
        assert_int_equal(poll(&pfd, 1, 3000), 1);
        int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        struct tkt_wire_packet p;
        tkt_wire_packet_init(&p);
        assert_int_equal(tkt_wire_recv(sock, &p, soon(), NULL), 1);
        tkt_wire_packet_release(&p);
        tkt_buf_adds(&p.body, *replies);
        tkt_wire_packet_take_fd(&p, tkt_memfd_sealed("json", "{}", 2, NULL));
        assert_int_equal(tkt_wire_send(sock, &p, soon(), NULL), 0);
        tkt_wire_packet_release(&p);
        close(sock);
    }
    close(listener);
    return NULL;
}

static int control_ask(struct tkt_control_reply *reply)
{
    struct tkt_wire_packet req;
    struct tkt_err err = TKT_ERR_INIT;
    int rc = -1;

    tkt_wire_packet_init(&req);
    tkt_buf_adds(&req.body, "v=1\nverb=ping\n");
    for (int i = 0; i < 100 && rc < 0; i++) {
        rc = tkt_control_call(path, &req, soon(), reply, &err);
        if (rc < 0 && err.class != TKT_ERR_TEMP) {
            break;
        }
        poll(NULL, 0, rc < 0 ? 10 : 0);
    }
    tkt_wire_packet_release(&req);
    return rc;
}

static void control_replies_carry_text_exit_code_and_data(void **state)
{
    (void)state;
    static const char *const replies[] = {"v=1\nstatus=ok\nexit=0\ntext=pong\n",
                                          "v=1\nstatus=error\nexit=75\ntext=later\n",
                                          "v=1\nstatus=ok\nexit=75\n", NULL};
    pthread_t thread;
    struct tkt_control_reply reply;
    char text[3] = "";

    assert_int_equal(
        pthread_create(&thread, NULL, control_peer, (void *)(uintptr_t)replies), 0);
    assert_int_equal(control_ask(&reply), 0);
    assert_int_equal(reply.exit_code, 0);
    assert_string_equal(reply.text, "pong");
    assert_int_equal(pread(reply.fd, text, 2, 0), 2);
    assert_string_equal(text, "{}");
    tkt_control_reply_release(&reply);
    assert_int_equal(control_ask(&reply), 0);
    assert_int_equal(reply.exit_code, 75);
    assert_string_equal(reply.text, "later");
    tkt_control_reply_release(&reply);
    assert_int_equal(control_ask(&reply), -1);
    assert_string_equal(reply.text, "");
    pthread_join(thread, NULL);
}

/* ---- spool/missed ---- */

static int remove_missed(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static void a_missed_message_is_read_back_whole(void **state)
{
    (void)state;
    struct tkt_wire_rcpt rcpt = {"it@example.test", false};
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE,
                                   .generation = 9,
                                   .smtp_path = true,
                                   .sender = "a@b.test",
                                   .rcpts = &rcpt,
                                   .rcpt_count = 1};
    struct tkt_missed_name names[2];
    size_t count = 9;
    struct tkt_err err = TKT_ERR_INIT;
    int message;
    static char text[150000];

    assert_int_equal(tkt_missed_list(path, names, 2, &count, &err), 0);
    assert_int_equal(count, 0);
    memset(text, 'x', sizeof(text) - 1);
    int fd = memfd_with(text);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tkt_missed_write(path, &req, fd, &err), 0);
        poll(NULL, 0, 2);
    }
    close(fd);
    assert_int_equal(tkt_missed_list(path, names, 2, &count, &err), 0);
    assert_int_equal(count, 2);
    assert_true(strcmp(names[0].text, names[1].text) < 0);
    assert_int_equal(tkt_missed_open(path, names[0].text, &req, &message, &err), 0);
    assert_int_equal(req.verb, TKT_WIRE_RESERVE);
    assert_true(req.generation == 0 && !req.smtp_path);
    assert_string_equal(req.rcpts[0].addr, "it@example.test");
    tkt_wire_request_release(&req);
    TKT_AUTO_BUF struct tkt_buf back = TKT_BUF_INIT(200000);
    assert_int_equal(tkt_read_fd(message, &back, &err), 0);
    close(message);
    assert_string_equal(tkt_buf_str(&back), text);
    assert_int_equal(tkt_missed_remove(path, names[0].text, &err), 0);
    assert_int_equal(tkt_missed_set_aside(path, names[1].text, &err), 0);
    assert_int_equal(tkt_missed_list(path, names, 2, &count, &err), 0);
    assert_int_equal(count, 1);
}

static void a_missed_entry_that_is_not_plain_is_refused(void **state)
{
    (void)state;
    struct tkt_wire_request req;
    struct tkt_err err = TKT_ERR_INIT;
    int message;
    char file[160];

    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(file, sizeof(file), "%s/a.env", path);
    assert_int_equal(tkt_replace_file(file, "v=1\nverb=reserve\n", 17, 0600, &err), 0);
    snprintf(file, sizeof(file), "%s/a.eml", path);
    assert_int_equal(symlink("/etc/passwd", file), 0);
    assert_int_equal(tkt_missed_open(path, "a", &req, &message, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_int_equal(tkt_missed_open(path, "a", &req, &message, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    unlink(file);
    assert_int_equal(tkt_replace_file(file, "x", 1, 0600, &err), 0);
    assert_int_equal(tkt_missed_open(path, "a", &req, &message, &err), 0);
    close(message);
    tkt_wire_request_release(&req);
}

static void a_missed_message_that_cannot_be_kept_leaves_nothing(void **state)
{
    (void)state;
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE};
    struct tkt_missed_name names[2];
    size_t count;
    struct tkt_err err = TKT_ERR_INIT;
    static struct tkt_wire_rcpt too_many[TKT_WIRE_RCPTS_MAX + 1];

    req.rcpts = too_many; /* the message is written, then the envelope fails */
    req.rcpt_count = TKT_WIRE_RCPTS_MAX + 1;
    int fd = memfd_with("x");
    assert_int_equal(tkt_missed_write(path, &req, fd, &err), -1);
    assert_int_equal(tkt_missed_list(path, names, 2, &count, &err), 0);
    assert_int_equal(count, 0);
    assert_int_equal(rmdir(path), 0); /* empty */
    close(fd);
}

static void only_old_messages_without_an_envelope_are_swept(void **state)
{
    (void)state;
    char old[160];
    char young[160];
    struct timespec times[2] = {{1000, 0}, {1000, 0}};

    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(old, sizeof(old), "%s/old.eml", path);
    snprintf(young, sizeof(young), "%s/young.eml", path);
    assert_int_equal(tkt_replace_file(old, "x", 1, 0600, NULL), 0);
    assert_int_equal(tkt_replace_file(young, "x", 1, 0600, NULL), 0);
    assert_int_equal(utimensat(AT_FDCWD, old, times, 0), 0);
    tkt_missed_sweep(path, 3600);
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(access(young, F_OK), 0);
}

#define WITH_MISSED(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_missed)
#define WITH_PAIR(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
#define WITH_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_survive_any_byte_but_nul),
        cmocka_unit_test(malformed_lines_are_refused),
        cmocka_unit_test(more_lines_than_allowed_are_refused),
        WITH_PAIR(a_closed_peer_is_told_from_a_packet),
        WITH_PAIR(a_truncated_packet_is_an_error),
        WITH_PAIR(extra_descriptors_are_refused_and_closed),
        WITH_PAIR(only_regular_files_pass_as_descriptors),
        WITH_PAIR(a_long_body_rides_in_the_tail),
        WITH_PAIR(a_tail_must_be_sealed_and_as_long_as_announced),
        WITH_PAIR(a_receiver_without_descriptors_says_temp),
        WITH_PAIR(a_sender_without_descriptors_says_temp),
        WITH_DIR(listen_replaces_a_dead_socket_and_refuses_a_live_one),
        WITH_PAIR(a_request_comes_out_as_it_went_in),
        WITH_PAIR(the_small_verbs_come_out_as_they_went_in),
        WITH_PAIR(a_thousand_recipients_and_a_60_kb_subject_arrive_whole),
        cmocka_unit_test(wrong_requests_are_refused),
        WITH_PAIR(counts_and_lengths_have_caps_in_both_directions),
        cmocka_unit_test(a_reply_comes_out_as_it_went_in),
        cmocka_unit_test(wrong_replies_are_refused),
        cmocka_unit_test(desks_are_found_as_they_stand_in_rcpt),
        cmocka_unit_test(a_full_desk_table_is_indexed),
        cmocka_unit_test(punycode_matches_the_rfc),
        WITH_DIR(connections_are_kept_and_replaced),
        WITH_DIR(silence_ends_at_the_deadline_with_progress_in_between),
        WITH_DIR(a_malformed_reply_is_temp_at_once),
        WITH_DIR(nobody_there_is_temp_within_the_deadline),
        WITH_MISSED(a_missed_message_is_read_back_whole),
        WITH_MISSED(a_missed_entry_that_is_not_plain_is_refused),
        WITH_MISSED(a_missed_message_that_cannot_be_kept_leaves_nothing),
        WITH_MISSED(only_old_messages_without_an_envelope_are_swept),
        WITH_DIR(control_replies_carry_text_exit_code_and_data),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
