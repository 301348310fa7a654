/* SPDX-License-Identifier: BSD-2-Clause
 * common/wire, the hook's end: desk table, client, control calls, spool/missed.
 */
#include "unit/wire_test.h"

/* ---- desk table ---- */

static void desks_are_found_as_they_stand_in_rcpt(void **state)
{
    (void)state;
    static const struct tkt_wire_desk rows[] = {
        {"it", "it@example.test", "+", false, false, false},
        {"ab", "a-b@example.test", "-", false, false, false},
        {"all", "@desk.example", "", false, false, false},
        {"umlaut", "hilfe@xn--gre-6ka8l.example", "+", false, false, false},
        {"greek", "a@\xce\xb2\xcf\x8c\xce\xbb\xce\xbf\xcf\x82.example", "", false, false,
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
                 {"\"it\"@example.test", "it", 0},
                 {"\"I\\T\"@example.test", "it", 0},
                 {"\"it+x\"@example.test", "it", 0},
                 {"\"it@example.test\"@other.test", NULL, 0},
                 {"\"@example.test", NULL, 0},
                 {"\"\"@example.test", NULL, 0},
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
    assert_string_equal(tkt_wire_desk_find(index, huge, &sub)->name, "it");
    assert_int_equal(sub, 3);
    huge[0] = 'x';
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
        rows[i] = (struct tkt_wire_desk){"d", addr[i], "+", false, false, false};
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
        if (poll(&pfd, 1, 20000) <= 0) {
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
    assert_int_equal(run_calls(plan, 6, 4, 20000, &err), 4);
}

static void silence_ends_at_the_deadline_with_progress_in_between(void **state)
{
    (void)state;
    static const enum step plan[] = {SILENT};
    struct tkt_err err = TKT_ERR_INIT;
    int64_t start = tkt_clock_mono_ms();

    progress_calls = 0;
    assert_int_equal(run_calls(plan, 1, 1, 4000, &err), 0);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    assert_true(progress_calls >= 1);
    assert_true(tkt_clock_mono_ms() - start < 15000);
}

static void a_malformed_reply_is_temp_at_once(void **state)
{
    (void)state;
    static const enum step plan[] = {GARBAGE};
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(run_calls(plan, 1, 1, 20000, &err), 0);
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
    assert_true(tkt_clock_mono_ms() - start < 15000);
    tkt_wire_client_free(&client);
}

static void *control_peer(void *arg)
{
    const char *const *replies = arg;
    int listener = tkt_wire_listen(path, 077, NULL);

    for (; *replies != NULL; replies++) {
        struct pollfd pfd = {.fd = listener, .events = POLLIN};
        assert_int_equal(poll(&pfd, 1, 20000), 1);
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
    for (int i = 0; i < 2000 && rc < 0; i++) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    return cmocka_run_group_tests_name("wire_hook_test", tests, NULL, NULL);
}
