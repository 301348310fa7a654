/* SPDX-License-Identifier: BSD-2-Clause
 * common/wire: packets, their descriptors, sockets.
 */
#include "unit/wire_test.h"

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
    };
    return cmocka_run_group_tests_name("wire_packet_test", tests, NULL, NULL);
}
