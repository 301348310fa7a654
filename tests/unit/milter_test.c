/* SPDX-License-Identifier: BSD-2-Clause
 * milter/: the parts that need no libmilter.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "milter/edits.h"
#include "milter/endpoint.h"
#include "milter/envelope.h"
#include "milter/process.h"
#include "milter/relay.h"
#include "milter/session.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

/* ---- envelope ---- */

static void addresses_lose_brackets_and_source_routes_only(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"<a@b>", "a@b"},
                                           {"a@b", "a@b"},
                                           {"<>", ""},
                                           {"", ""},
                                           {" <a@b> ", "a@b"},
                                           {"<@x.test,@y.test:a@b>", "a@b"},
                                           {"<@x.test:>", ""},
                                           {"<a b@c>", "a b@c"},
                                           {"<gr\xc3\xbc\xc3\x9f"
                                            "e@b>",
                                            "gr\xc3\xbc\xc3\x9f"
                                            "e@b"},
                                           {"<a:b@c>", "a:b@c"},
                                           {"<", "<"},
                                           {">", ">"},
                                           {"<@domain>", "@domain"}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        size_t n;
        const char *p = tkt_envelope_address(cases[i][0], &n);
        assert_int_equal(n, strlen(cases[i][1]));
        assert_memory_equal(p, cases[i][1], n);
    }
    assert_true(tkt_envelope_is_smtp("<a@b>") && tkt_envelope_is_smtp("<>"));
    assert_false(tkt_envelope_is_smtp("a@b") || tkt_envelope_is_smtp(""));
}

static void copies_that_leave_the_system_are_relayed(void **state)
{
    (void)state;
    static const char *const stay[] = {"", "local", "virtual", "LMTP", "*file*", "prog"};
    static const char *const leave[] = {"smtp", "relay", "esmtp", "uucp", "unheard-of"};

    assert_false(tkt_envelope_relayed(NULL));
    for (size_t i = 0; i < TKT_ARRAY_LEN(stay); i++) {
        assert_false(tkt_envelope_relayed(stay[i]));
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(leave); i++) {
        assert_true(tkt_envelope_relayed(leave[i]));
    }
}

/* ---- spool ---- */

static void assert_spooled(struct tkt_spool *s, const char *want, size_t n)
{
    int fd = -1;
    struct tkt_err err = TKT_ERR_INIT;
    struct stat st;

    assert_int_equal(tkt_spool_finish(s, &fd, &err), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, n);
    char *got = malloc(n + 1);
    assert_int_equal(pread(fd, got, n, 0), (ssize_t)n);
    assert_memory_equal(got, want, n);
    free(got);
}

static void fields_are_written_as_they_came_with_crlf(void **state)
{
    (void)state;
    struct tkt_spool s;
    static const char want[] =
        "A: b\r\nC:d\r\nE: f\r\nG: 1\r\n\t2\r\n 3\r\nH:\r\nI: \r\n";

    tkt_spool_init(&s, "/tmp", 1000, 1000);
    tkt_spool_add_field(&s, "A", " b", true);
    tkt_spool_add_field(&s, "C", "d", true);
    tkt_spool_add_field(&s, "E", "f", false);
    tkt_spool_add_field(&s, "G", " 1\n\t2\r\n 3", true);
    tkt_spool_add_field(&s, "H", "", true);
    tkt_spool_add_field(&s, "I", "", false);
    assert_spooled(&s, want, sizeof(want) - 1);
    int seals = fcntl(s.fd, F_GET_SEALS);
    assert_true(seals > 0 && (seals & F_SEAL_WRITE) != 0);
    tkt_spool_release(&s);
}

static void a_message_moves_to_a_file_and_stays_whole(void **state)
{
    (void)state;
    struct tkt_spool s;
    static char body[300000];

    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)(i * 7919 >> 5);
    }
    for (size_t step = 1000; step <= 100000; step *= 10) {
        tkt_spool_init(&s, "/tmp", 50000, 1 << 20);
        for (size_t at = 0; at < sizeof(body); at += step) {
            tkt_spool_add(&s, body + at, TKT_MIN(step, sizeof(body) - at));
            assert_true(s.pending.len <= TKT_SPOOL_BUFFER);
        }
        assert_true(s.in_file);
        assert_spooled(&s, body, sizeof(body));
        tkt_spool_release(&s);
    }
}

static void bytes_beyond_the_limit_are_not_kept(void **state)
{
    (void)state;
    struct tkt_spool s;

    tkt_spool_init(&s, "/tmp", 1000, 10);
    tkt_spool_add(&s, "12345678", 8);
    assert_false(s.oversize);
    tkt_spool_add(&s, "90abc", 5);
    tkt_spool_add(&s, "d", 1);
    assert_true(s.oversize);
    assert_spooled(&s, "1234567890", 10);
    tkt_spool_release(&s);
}

static void a_spool_that_fails_says_so_at_the_end(void **state)
{
    (void)state;
    struct tkt_spool s;
    struct tkt_err err = TKT_ERR_INIT;
    static char body[100000];
    int fd;

    tkt_spool_init(&s, "/nonexistent", 1000, 1 << 20);
    tkt_spool_add(&s, body, sizeof(body));
    tkt_spool_add(&s, "more", 4);
    assert_int_equal(tkt_spool_finish(&s, &fd, &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    tkt_spool_release(&s);
}

static void an_empty_message_is_a_message(void **state)
{
    (void)state;
    struct tkt_spool s;

    tkt_spool_init(&s, "/tmp", 1000, 1000);
    assert_spooled(&s, "", 0);
    tkt_spool_release(&s);
}

static void received_holds_hostile_facts_in_place(void **state)
{
    (void)state;
    struct tkt_spool s;
    struct tkt_received r = {.helo = "a)\r\nX: y",
                             .client_name = NULL,
                             .client_addr = "::1",
                             .hostname = "mx",
                             .queue_id = "Q",
                             .rcpt = "a@b>(",
                             .smtp = true,
                             .tls = true,
                             .auth = true,
                             .time_s = 0};
    static const char want[] = "Received: from a???X:?y (unknown [::1])\r\n"
                               "\tby mx (ticket-milter) with ESMTPSA id Q\r\n"
                               "\tfor <a@b?\?>;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n";

    tkt_spool_init(&s, "/tmp", 10000, 10000);
    tkt_spool_add_received(&s, &r);
    assert_spooled(&s, want, sizeof(want) - 1);
    tkt_spool_release(&s);
}

/* ---- edits ---- */

static char trace[512];

static void note(const char *what, const char *name, unsigned index, const char *value)
{
    size_t n = strlen(trace);
    snprintf(trace + n, sizeof(trace) - n, "%s %s %u %s;", what, name, index, value);
}

static int trace_change(void *host, const char *name, unsigned index, const char *value)
{
    note("change", name, index, value);
    return strcmp(value, "fail") == 0 ? -1 : *(int *)host;
}

static int trace_insert(void *host, const char *name, const char *value)
{
    note("insert", name, 0, value);
    return *(int *)host;
}

static int trace_remove(void *host, const char *name, unsigned index)
{
    note("remove", name, index, "");
    return *(int *)host;
}

static int trace_addrcpt(void *host, const char *addr)
{
    note("addrcpt", addr, 0, "");
    return *(int *)host;
}

static int trace_delrcpt(void *host, const char *addr)
{
    note("delrcpt", addr, 0, "");
    return *(int *)host;
}

static const struct tkt_edit_ops trace_ops = {trace_change, trace_insert, trace_remove,
                                              trace_addrcpt, trace_delrcpt};

static void edits_are_applied_in_order_and_a_failure_stops_none(void **state)
{
    (void)state;
    static const struct tkt_wire_edit edits[] = {
        {TKT_WIRE_DELETE, 2, "X-Ticket-ID", ""}, {TKT_WIRE_CHANGE, 1, "To", "fail"},
        {TKT_WIRE_CHANGE, 1, "subject", "s"},    {TKT_WIRE_INSERT, 0, "X", "i"},
        {TKT_WIRE_ADDRCPT, 0, "", "a@b"},        {TKT_WIRE_DELRCPT, 0, "", "c@d"}};
    struct tkt_edit_result result;
    char what[64];
    int rc = 0;

    trace[0] = '\0';
    tkt_edits_apply(edits, TKT_ARRAY_LEN(edits), &trace_ops, &rc, &result);
    assert_string_equal(trace,
                        "remove X-Ticket-ID 2 ;change To 1 fail;change subject 1 s;"
                        "insert X 0 i;addrcpt a@b 0 ;delrcpt c@d 0 ;");
    assert_int_equal(result.applied, 5);
    assert_int_equal(result.failed, 1);
    assert_true(result.subject_changed);
    tkt_edit_describe(result.first_failed, what, sizeof(what));
    assert_string_equal(what, "change To");
    rc = -1;
    tkt_edits_apply(edits, TKT_ARRAY_LEN(edits), &trace_ops, &rc, &result);
    assert_int_equal(result.failed, 6);
    assert_false(result.subject_changed);
}

/* ---- endpoint, process ---- */

static void socket_specifications_of_both_orders_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        const char *where; /* path or host; NULL = refused */
        int port;
        bool v6;
    } cases[] = {{"unix:/run/a.sock", "/run/a.sock", 0, false},
                 {"local:/run/a.sock", "/run/a.sock", 0, false},
                 {"/run/a.sock", "/run/a.sock", 0, false},
                 {"inet:8891@127.0.0.1", "127.0.0.1", 8891, false},
                 {"inet:127.0.0.1:8891", "127.0.0.1", 8891, false},
                 {"inet:8891", "127.0.0.1", 8891, false},
                 {"inet6:8891", "::1", 8891, true},
                 {"inet6:8891@::", "::", 8891, true},
                 {"inet6:[::1]:8891", "::1", 8891, true},
                 {"inet:8891@mail.example.test", "mail.example.test", 8891, false},
                 {"unix:relative", NULL, 0, false},
                 {"inet:0", NULL, 0, false},
                 {"inet:65536", NULL, 0, false},
                 {"inet:", NULL, 0, false},
                 {"inet:8891@", NULL, 0, false},
                 {"inet::8891", NULL, 0, false},
                 {"inet:host:", NULL, 0, false},
                 {"inet:host", NULL, 0, false},
                 {"tcp:1", NULL, 0, false},
                 {"", NULL, 0, false}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        struct tkt_endpoint e;
        struct tkt_err err = TKT_ERR_INIT;
        int rc = tkt_endpoint_parse(cases[i].spec, &e, &err);
        assert_int_equal(rc, cases[i].where != NULL ? 0 : -1);
        if (rc < 0) {
            assert_int_equal(err.class, TKT_ERR_CONF);
            continue;
        }
        assert_string_equal(e.tcp ? e.host : e.path, cases[i].where);
        assert_int_equal(e.port, cases[i].port);
        assert_int_equal(e.v6, cases[i].v6);
    }
}

static void paths_are_rewritten_for_the_chroot(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{"/var/spool", "/var/spool/x", "/x"},
                                           {"/var/spool/", "/var/spool/x/y", "/x/y"},
                                           {"/var/spool", "/var/spoolx", NULL},
                                           {"/var/spool", "/run/x", NULL},
                                           {"/", "/run/x", "/run/x"}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        TKT_AUTO_FREE char *p = tkt_process_inside(cases[i][0], cases[i][1], &err);
        if (cases[i][2] == NULL) {
            assert_null(p);
            assert_int_equal(err.class, TKT_ERR_CONF);
        } else {
            assert_string_equal(p, cases[i][2]);
        }
    }
}

static void a_pid_file_is_locked_once(void **state)
{
    (void)state;
    char path[] = "/tmp/milter_test.XXXXXX";
    struct tkt_err err = TKT_ERR_INIT;
    close(mkstemp(path));
    int first = tkt_process_lock(path, &err);
    assert_true(first >= 0);
    assert_int_equal(tkt_process_write_pid(first, &err), 0);
    assert_int_equal(tkt_process_lock(path, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    close(first);
    int second = tkt_process_lock(path, &err);
    assert_true(second >= 0);
    close(second);
    unlink(path);
}

/* ---- fields of a message ---- */

static void only_subject_and_ticket_fields_are_noted_within_caps(void **state)
{
    (void)state;
    struct tkt_message *m = calloc(1, sizeof(*m));
    static char big[TKT_WIRE_VALUE_MAX + 2];

    memset(big, 'x', sizeof(big) - 1);
    assert_int_equal(tkt_message_note_field(m, "From", "a"), 0);
    assert_int_equal(tkt_message_note_field(m, "Subjects", "a"), 0);
    assert_int_equal(tkt_message_note_field(m, "Subject ", "one"), 0);
    assert_int_equal(tkt_message_note_field(m, "X-Ticket-Id", "t"), 0);
    assert_int_equal(tkt_message_note_field(m, "SUBJECT", "two"), 0);
    assert_int_equal(tkt_message_note_field(m, "Subject", big), 0);
    assert_int_equal(m->field_count, 4);
    assert_string_equal(m->fields[0].name, "Subject");
    assert_string_equal(m->fields[0].value, "one");
    assert_int_equal(m->fields[1].index, 1);
    assert_int_equal(m->fields[2].index, 2);
    assert_int_equal(m->fields[3].index, 3);
    assert_string_equal(m->fields[3].value, "");
    for (int i = 0; i < 2 * TKT_WIRE_FIELDS_MAX; i++) {
        assert_int_equal(tkt_message_note_field(m, "X-Ticket-ID", big + 60000), 0);
    }
    assert_int_equal(m->field_count, TKT_WIRE_FIELDS_MAX);
    assert_true(m->field_bytes <= TKT_FIELDS_BYTES_MAX);
    /* all of them are known: 1 + 512, three of the 256 are Subjects */
    assert_int_equal(m->surplus_count, 513 - 253);
    assert_int_equal(m->surplus[0].index, 254);
    assert_int_equal(m->surplus[259].index, 513);
    for (int i = 0; i < TKT_SURPLUS_FIELDS_MAX; i++) {
        assert_false(m->too_many_fields && m->surplus_count < TKT_SURPLUS_FIELDS_MAX);
        assert_int_equal(tkt_message_note_field(m, "x-ticket-desk", "a"), 0);
    }
    assert_int_equal(m->surplus_count, TKT_SURPLUS_FIELDS_MAX);
    assert_int_equal(m->surplus[260].index, 1);
    assert_true(m->too_many_fields);
    free(m->surplus);
    tkt_wire_arena_release(&m->arena);
    free(m);
}

static void subjects_leave_room_for_ticket_fields(void **state)
{
    (void)state;
    struct tkt_message *m = calloc(1, sizeof(*m));

    for (int i = 0; i < 2 * TKT_WIRE_FIELDS_MAX; i++) {
        assert_int_equal(tkt_message_note_field(m, "Subject", "a"), 0);
    }
    assert_int_equal(m->field_count, TKT_SUBJECTS_MAX);
    assert_int_equal(tkt_message_note_field(m, "X-Ticket-ID", "a"), 0);
    assert_int_equal(m->field_count, TKT_SUBJECTS_MAX + 1);
    tkt_wire_arena_release(&m->arena);
    free(m);
}

/* ---- relay ---- */

struct relay_rig {
    char path[64];
    int behind; /* the UNIX listener */
    int port;
    struct tkt_relay *relay;
};

static void start_rig(struct relay_rig *rig, size_t connections_max)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    socklen_t len = sizeof(in);
    struct tkt_err err = TKT_ERR_INIT;

    snprintf(rig->path, sizeof(rig->path), "/tmp/relay_test.%d", (int)getpid());
    unlink(rig->path);
    memcpy(sun.sun_path, rig->path, strlen(rig->path) + 1);
    rig->behind = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(rig->behind, (struct sockaddr *)&sun, sizeof(sun)), 0);
    assert_int_equal(listen(rig->behind, 64), 0);
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(tcp, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(listen(tcp, 64), 0);
    assert_int_equal(getsockname(tcp, (struct sockaddr *)&in, &len), 0);
    rig->port = ntohs(in.sin_port);
    rig->relay = tkt_relay_start(tcp, rig->path, connections_max, &err);
    assert_non_null(rig->relay);
}

static void stop_rig(struct relay_rig *rig)
{
    tkt_relay_stop(&rig->relay);
    close(rig->behind);
    unlink(rig->path);
}

static int dial(const struct relay_rig *rig)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(0x7f000001),
                             .sin_port = htons((uint16_t)rig->port)};
    struct timeval limit = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    return poll(&pfd, 1, timeout_ms) == 1;
}

static int answer_call(const struct relay_rig *rig)
{
    assert_true(readable(rig->behind, 5000));
    return accept4(rig->behind, NULL, NULL, SOCK_CLOEXEC);
}

static void bytes_and_ends_pass_both_ways(void **state)
{
    (void)state;
    struct relay_rig rig;
    char buf[16] = "";

    start_rig(&rig, 10);
    int mta = dial(&rig);
    int filter = answer_call(&rig);
    assert_int_equal(write(mta, "ping", 4), 4);
    assert_int_equal(read(filter, buf, sizeof(buf)), 4);
    assert_int_equal(write(filter, "pong!", 5), 5);
    assert_int_equal(recv(mta, buf, sizeof(buf), 0), 5);
    assert_int_equal(shutdown(mta, SHUT_WR), 0);
    assert_true(readable(filter, 5000));
    assert_int_equal(read(filter, buf, sizeof(buf)), 0);
    assert_int_equal(write(filter, "bye", 3), 3);
    close(filter);
    assert_int_equal(recv(mta, buf, sizeof(buf), 0), 3);
    assert_int_equal(recv(mta, buf, sizeof(buf), 0), 0);
    close(mta);
    stop_rig(&rig);
}

/* Bytes that the MTA could hand over while nobody reads. */
static size_t push_until_stuck(int fd)
{
    static char chunk[65536];
    size_t sent = 0;

    for (int idle = 0; idle < 10;) {
        ssize_t n = send(fd, chunk, sizeof(chunk), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            sent += (size_t)n;
            idle = 0;
        } else {
            poll(NULL, 0, 10);
            idle++;
        }
    }
    return sent;
}

static void a_slow_reader_stops_the_writer_and_loses_nothing(void **state)
{
    (void)state;
    struct relay_rig rig;
    static char chunk[65536];
    size_t got = 0;
    int small = 65536;

    start_rig(&rig, 10);
    int mta = dial(&rig);
    setsockopt(mta, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    int filter = answer_call(&rig);
    size_t sent = push_until_stuck(mta);
    assert_true(sent > TKT_RELAY_BUFFER);
    assert_true(sent < 64 << 20); /* kernel buffers and one of ours, no more */
    shutdown(mta, SHUT_WR);
    ssize_t n;
    while (readable(filter, 5000) && (n = read(filter, chunk, sizeof(chunk))) > 0) {
        got += (size_t)n;
    }
    assert_int_equal(got, sent);
    close(mta);
    close(filter);
    stop_rig(&rig);
}

static void a_filter_that_answers_and_hangs_up_is_heard_to_the_end(void **state)
{
    (void)state;
    struct relay_rig rig;
    static char chunk[65536];
    size_t got = 0;

    start_rig(&rig, 10);
    int mta = dial(&rig);
    int filter = answer_call(&rig);
    size_t sent = push_until_stuck(filter);
    close(filter);
    ssize_t n;
    while ((n = recv(mta, chunk, sizeof(chunk), 0)) > 0) {
        got += (size_t)n;
    }
    assert_int_equal(got, sent);
    close(mta);
    stop_rig(&rig);
}

static void connections_beyond_the_cap_wait(void **state)
{
    (void)state;
    struct relay_rig rig;
    char c;

    start_rig(&rig, 2);
    int a = dial(&rig);
    int fa = answer_call(&rig);
    int b = dial(&rig);
    int fb = answer_call(&rig);
    int waiting = dial(&rig);
    assert_false(readable(rig.behind, 100));
    close(a);
    assert_int_equal(read(fa, &c, 1), 0);
    close(fa);
    int fc = answer_call(&rig);
    assert_int_equal(write(waiting, "x", 1), 1);
    assert_int_equal(read(fc, &c, 1), 1);
    close(b);
    close(fb);
    close(fc);
    close(waiting);
    stop_rig(&rig);
}

static void nobody_behind_hangs_up_on_the_mta(void **state)
{
    (void)state;
    struct relay_rig rig;
    char c;

    start_rig(&rig, 2);
    close(rig.behind);
    rig.behind = -1;
    int mta = dial(&rig);
    assert_true(recv(mta, &c, 1, 0) <= 0);
    close(mta);
    tkt_relay_close_listener(rig.relay);
    stop_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_lose_brackets_and_source_routes_only),
        cmocka_unit_test(copies_that_leave_the_system_are_relayed),
        cmocka_unit_test(fields_are_written_as_they_came_with_crlf),
        cmocka_unit_test(a_message_moves_to_a_file_and_stays_whole),
        cmocka_unit_test(bytes_beyond_the_limit_are_not_kept),
        cmocka_unit_test(a_spool_that_fails_says_so_at_the_end),
        cmocka_unit_test(an_empty_message_is_a_message),
        cmocka_unit_test(received_holds_hostile_facts_in_place),
        cmocka_unit_test(edits_are_applied_in_order_and_a_failure_stops_none),
        cmocka_unit_test(socket_specifications_of_both_orders_are_understood),
        cmocka_unit_test(paths_are_rewritten_for_the_chroot),
        cmocka_unit_test(a_pid_file_is_locked_once),
        cmocka_unit_test(only_subject_and_ticket_fields_are_noted_within_caps),
        cmocka_unit_test(subjects_leave_room_for_ticket_fields),
        cmocka_unit_test(bytes_and_ends_pass_both_ways),
        cmocka_unit_test(a_slow_reader_stops_the_writer_and_loses_nothing),
        cmocka_unit_test(a_filter_that_answers_and_hangs_up_is_heard_to_the_end),
        cmocka_unit_test(connections_beyond_the_cap_wait),
        cmocka_unit_test(nobody_behind_hangs_up_on_the_mta),
    };
    return cmocka_run_group_tests_name("milter", tests, NULL, NULL);
}
