/* SPDX-License-Identifier: BSD-2-Clause
 * milter/engine: sockets and threads. What is said over them is in proto_test.c and
 * tests/milter.
 */
#include "base/clock.h"
#include "base/util.h"
#include "milter/endpoint.h"
#include "milter/engine.h"
#include "tests/unit/milter_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

#define WAIT_MS 5000
#define QUIET_MS 100

static const char hello[] = "\0\0\0\015O\0\0\0\6\0\0\1\377\0\037\377\377";
static const char no_desk[] = "\0\0\0\6M<a@b\0\0\0\0\6R<c@d\0\0\0\0\1T";
static const char accepted[] = "\0\0\0\1a";

struct rig {
    struct tkt_engine *engine;
    char path[64];
};

/* An engine cannot be ended: it stays, with its threads, until the test program ends. */
static void start(struct rig *r, size_t connections_max)
{
    static int number;
    struct tkt_endpoint endpoint;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_milter *milter = tkt_fixture_milter();

    assert_non_null(milter);
    snprintf(r->path, sizeof(r->path), "/tmp/tkt-engine.%d.%d", (int)getpid(), number++);
    assert_int_equal(tkt_endpoint_parse(r->path, &endpoint, &err), 0);
    int listener = tkt_endpoint_listen(&endpoint, &err);
    assert_true(listener >= 0);
    r->engine = tkt_engine_start(milter, listener, false, connections_max, &err);
    assert_non_null(r->engine);
}

static int dial(const struct rig *r)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memcpy(sun.sun_path, r->path, strlen(r->path) + 1);
    if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void say(int fd, const char *data, size_t n)
{
    assert_int_equal(send(fd, data, n, MSG_NOSIGNAL), n);
}

#define SAY(fd, literal) say((fd), (literal), sizeof(literal) - 1)

static bool hears_within(int fd, int ms)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    return poll(&pfd, 1, ms) == 1;
}

static size_t listen_to(int fd, char *into, size_t cap)
{
    assert_true(hears_within(fd, WAIT_MS));
    ssize_t n = recv(fd, into, cap, 0);
    return n > 0 ? (size_t)n : 0;
}

static void assert_negotiated(int fd)
{
    char got[1024];

    assert_true(listen_to(fd, got, sizeof(got)) > 17);
    assert_int_equal(got[4], 'O');
}

static void assert_accepted(int fd)
{
    char got[16];

    assert_int_equal(listen_to(fd, got, sizeof(got)), 5);
    assert_memory_equal(got, accepted, 5);
}

static void assert_hung_up(int fd)
{
    char got[16];

    assert_int_equal(listen_to(fd, got, sizeof(got)), 0);
}

static void a_packet_in_single_bytes_is_understood(void **state)
{
    (void)state;
    struct rig r;

    start(&r, 10);
    int fd = dial(&r);
    for (size_t i = 0; i < sizeof(hello) - 1; i++) {
        say(fd, hello + i, 1);
        (void)poll(NULL, 0, i % 4 == 0 ? 2 : 0); /* sometimes alone, sometimes not */
    }
    assert_negotiated(fd);
    for (size_t i = 0; i < sizeof(no_desk) - 1; i++) {
        say(fd, no_desk + i, 1);
    }
    assert_accepted(fd);
    SAY(fd, no_desk);
    assert_accepted(fd);
    SAY(fd, "\0\0\0\1Q");
    assert_hung_up(fd);
    close(fd);
    unlink(r.path);
}

static void what_is_not_the_protocol_is_hung_up_on_alone(void **state)
{
    (void)state;
    struct rig r;

    start(&r, 10);
    int good = dial(&r);
    SAY(good, hello);
    assert_negotiated(good);
    int bad = dial(&r);
    SAY(bad, "GET / HTTP/1.0\r\n\r\n");
    assert_hung_up(bad);
    SAY(good, no_desk);
    assert_accepted(good);
    close(bad);
    close(good);
    unlink(r.path);
}

static void connections_beyond_the_cap_wait_for_one_to_end(void **state)
{
    (void)state;
    struct rig r;
    int fds[3];

    start(&r, 2);
    for (size_t i = 0; i < TKT_ARRAY_LEN(fds); i++) {
        fds[i] = dial(&r);
        SAY(fds[i], hello);
    }
    assert_negotiated(fds[0]);
    assert_negotiated(fds[1]);
    assert_false(hears_within(fds[2], QUIET_MS));
    close(fds[0]);
    assert_negotiated(fds[2]);
    close(fds[1]);
    close(fds[2]);
    unlink(r.path);
}

static void idle_connections_are_ended_and_others_are_not(void **state)
{
    (void)state;
    struct rig r;

    start(&r, 10);
    int fd = dial(&r);
    SAY(fd, hello);
    assert_negotiated(fd);
    tkt_engine_tick(r.engine, TKT_ENGINE_IDLE_MS);
    SAY(fd, no_desk);
    assert_accepted(fd);
    tkt_engine_tick(r.engine, -1);
    assert_hung_up(fd);
    close(fd);
    unlink(r.path);
}

static void a_closed_listener_takes_nobody_and_keeps_who_is_there(void **state)
{
    (void)state;
    struct rig r;

    start(&r, 10);
    int fd = dial(&r);
    SAY(fd, hello);
    assert_negotiated(fd);
    tkt_engine_close_listener(r.engine);
    tkt_engine_tick(r.engine, TKT_ENGINE_IDLE_MS);
    assert_int_equal(dial(&r), -1);
    SAY(fd, no_desk);
    assert_accepted(fd);
    close(fd);
    for (int i = 0; i < WAIT_MS && tkt_engine_busy(r.engine) > 0; i++) {
        (void)poll(NULL, 0, 1); /* a pause, whatever ends it */
    }
    assert_int_equal(tkt_engine_busy(r.engine), 0);
    unlink(r.path);
}

static void a_client_that_does_not_read_keeps_nobody_waiting(void **state)
{
    (void)state;
    struct rig r;
    int small = 4096;
    bool stuck = false;

    start(&r, 10);
    int deaf = dial(&r);
    (void)setsockopt(deaf, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)); /* then later */
    SAY(deaf, hello);
    for (int i = 0; i < 200000 && !stuck; i++) { /* each is answered, nothing is read */
        stuck = send(deaf, "\0\0\0\1U", 5, MSG_NOSIGNAL | MSG_DONTWAIT) < 0;
    }
    int fd = dial(&r);
    SAY(fd, hello);
    assert_negotiated(fd);
    SAY(fd, no_desk);
    assert_accepted(fd);
    close(fd);
    close(deaf);
    unlink(r.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_in_single_bytes_is_understood),
        cmocka_unit_test(what_is_not_the_protocol_is_hung_up_on_alone),
        cmocka_unit_test(connections_beyond_the_cap_wait_for_one_to_end),
        cmocka_unit_test(idle_connections_are_ended_and_others_are_not),
        cmocka_unit_test(a_closed_listener_takes_nobody_and_keeps_who_is_there),
        cmocka_unit_test(a_client_that_does_not_read_keeps_nobody_waiting),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
