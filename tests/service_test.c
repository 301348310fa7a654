/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd as a service: limits, faults, restarts, configuration, what the clock does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/daemon.h"

#include "base/clock.h"
#include "base/util.h"
#include "wire/missed.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define IT TKT_TEST_IT
#define BUSY_MS 120000 /* on a busy machine */

/* ---- limits --------------------------------------------------------------------------- */

static void
oversize_is_refused_in_the_session_only_if_all_recipients_are_desks(void **state)
{
    struct daemon d;
    struct reserve r;
    char path[200];

    (void)state;
    daemon_prepare(&d, "limits { message_max = 64k inline_max = 16k }\n");
    daemon_start(&d, 0);
    snprintf(path, sizeof(path), "%s/oversize", d.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("From: ann@customer.example\r\nSubject: big\r\nMessage-ID: "
          "<big@c.example>\r\n\r\n",
          f);
    for (int i = 0; i < 20000; i++) {
        fputs("0123456789\r\n", f);
    }
    fclose(f);
    reserve_init(&r, &d, IT);
    struct daemon_answer a = daemon_answer(&d, &r.req, open(path, O_RDONLY | O_CLOEXEC));
    assert_int_equal(a.status, TKT_WIRE_OK);
    assert_int_equal(a.smtp_code, 552);
    assert_int_equal(a.tickets, 0);
    r.req.other_rcpts = 1;
    a = daemon_answer(&d, &r.req, open(path, O_RDONLY | O_CLOEXEC));
    assert_int_equal(a.smtp_code, 0);
    assert_string_equal(a.word, "refused");
    assert_true(daemon_waits_for(&d, "list", "state", "refused", a.id));
    daemon_remove(&d);
}

static void more_desks_than_a_message_may_have_are_never_passed_over(void **state)
{
    (void)state;
    char desks[80 * 100] = "";
    static char address[80][40];
    struct daemon d;
    struct reserve r;

    for (size_t i = 0; i < TKT_ARRAY_LEN(address); i++) {
        size_t n = strlen(desks);

        snprintf(address[i], sizeof(address[i]), "d%zu@example.test", i);
        snprintf(desks + n, sizeof(desks) - n,
                 "desk \"d%zu\" { addresses = {\"%s\"} prefix = \"D%zu\" }\n", i,
                 address[i], i);
    }
    daemon_prepare(&d, desks);
    daemon_start(&d, 0);
    reserve_init(&r, &d, address[0]);
    for (size_t i = 0; i < TKT_ARRAY_LEN(address); i++) {
        r.rcpts[i].addr = address[i];
    }
    r.req.rcpt_count = 64;
    struct daemon_answer fits = daemon_answer(&d, &r.req, daemon_mail_fd("64-desks"));
    daemon_created(&fits);
    assert_int_equal(fits.tickets, 64);
    r.req.rcpt_count = 65;
    struct daemon_answer more = daemon_answer(&d, &r.req, daemon_mail_fd("65-desks"));
    assert_int_not_equal(more.status, TKT_WIRE_OK);
    (void)daemon_kill(&d, SIGTERM);
    daemon_remove(&d);
}

static void desk_on_trial_refuses_no_large_mail(void **state)
{
    (void)state;
    static char text[200000];
    struct daemon d;
    struct reserve r;

    snprintf(text, 100, "From: ann@customer.example\r\nSubject: large\r\n\r\n");
    memset(text + strlen(text), 'x', sizeof(text) - 100);
    daemon_prepare(&d, "limits {\n message_max = 100k\n inline_max = 16k\n}\n"
                       "desk \"trial\" { addresses = {\"trial@example.test\"}\n"
                       "prefix = \"T\" mode = shadow }\n");
    daemon_start(&d, 0);
    reserve_init(&r, &d, "trial@example.test");
    struct daemon_answer a = daemon_answer(&d, &r.req, message_fd(text));
    assert_int_equal(a.status, TKT_WIRE_OK);
    assert_int_equal(a.smtp_code, 0);
    assert_int_equal(a.tickets, 1);
    reserve_init(&r, &d, IT);
    a = daemon_answer(&d, &r.req, message_fd(text));
    assert_int_equal(a.smtp_code, 552);
    (void)daemon_kill(&d, SIGTERM);
    daemon_remove(&d);
}

/* Who is refused hears it unasked; who was accepted has to ask. */
static bool was_refused(int sock)
{
    struct tkt_wire_packet in;

    tkt_wire_packet_init(&in);
    bool told = tkt_wire_recv(sock, &in, tkt_clock_mono_ms() + 20, NULL) == 1;
    tkt_wire_packet_release(&in);
    return told;
}

static void out_of_descriptors_every_hook_gets_an_answer(void **state)
{
    enum {
        MANY = 80
    };
    struct daemon d;
    struct reserve r;
    int socks[MANY];
    unsigned refused = 0;

    (void)state;
    daemon_prepare(&d, "");
    daemon_start(&d, 64);
    int64_t until = tkt_clock_mono_ms() + BUSY_MS;
    for (int i = 0; i < MANY; i++) {
        socks[i] = tkt_wire_connect(d.intake, until, NULL);
        assert_true(socks[i] >= 0);
    }
    for (int i = 0; refused == 0; i = (i + 1) % MANY) {
        refused += was_refused(socks[i]);
        assert_true(tkt_clock_mono_ms() < until);
    }
    for (int i = 0; i < MANY; i++) {
        refused += was_refused(socks[i]);
    }
    assert_true(refused < MANY);
    for (int i = 0; i < MANY; i++) {
        close(socks[i]);
    }
    reserve_init(&r, &d, IT);
    struct daemon_answer a = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    while (a.status == TKT_WIRE_TEMP && tkt_clock_mono_ms() < until) {
        usleep(20000); /* it has yet to see that they are closed */
        a = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    }
    daemon_created(&a);
    daemon_remove(&d);
}

static void too_many_connections_of_one_process_are_refused_politely(void **state)
{
    struct daemon d;
    int socks[4];
    struct tkt_wire_packet in;
    struct tkt_wire_reply reply;

    (void)state;
    daemon_prepare(&d, "limits { requests_per_peer = 3 }\n");
    daemon_start(&d, 0);
    int64_t until = tkt_clock_mono_ms() + BUSY_MS;
    for (int i = 0; i < 4; i++) {
        socks[i] = tkt_wire_connect(d.intake, until, NULL);
    }
    tkt_wire_packet_init(&in);
    assert_int_equal(tkt_wire_recv(socks[3], &in, until, NULL), 1);
    assert_int_equal(tkt_wire_reply_decode(&in, &reply, NULL), 0);
    assert_int_equal(reply.status, TKT_WIRE_TEMP);
    tkt_wire_reply_release(&reply);
    tkt_wire_packet_release(&in);
    for (int i = 0; i < 4; i++) {
        close(socks[i]);
    }
    daemon_remove(&d);
}

/* ---- faults --------------------------------------------------------------------------- */

static void killed_daemon_knows_its_tickets_again(void **state)
{
    struct daemon d;
    struct reserve r;

    (void)state;
    daemon_prepare(&d, "");
    daemon_start(&d, 0);
    uint64_t generation = d.generation;
    reserve_init(&r, &d, IT);
    struct daemon_answer a = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    daemon_created(&a);
    daemon_kill(&d, SIGKILL);
    daemon_start(&d, 0);
    assert_true(d.generation == generation); /* same settings: no hook has to ask again */
    struct daemon_answer b = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    assert_string_equal(b.word, "existing");
    assert_string_equal(b.id, a.id);
    assert_string_equal(b.subject, a.subject);
    daemon_kill(&d, SIGTERM);
    assert_true(access(d.intake, F_OK) < 0); /* it removed its socket */
    daemon_remove(&d);
}

static void request_outlives_a_restart_of_the_daemon(void **state)
{
    struct daemon d;
    struct reserve r;
    struct tkt_wire_reply reply;
    int fd = message_fd(daemon_mail);

    (void)state;
    daemon_prepare(&d, "");
    daemon_start(&d, 0);
    struct tkt_wire_client *client = tkt_wire_client_new(d.intake, 4);
    reserve_init(&r, &d, IT);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tkt_wire_call(client, &r.req, fd, tkt_clock_mono_ms() + 8000, 0,
                                       NULL, NULL, &reply, NULL),
                         0);
        assert_int_equal(reply.status, TKT_WIRE_OK);
        tkt_wire_reply_release(&reply);
        if (i == 0) {
            assert_int_equal(daemon_kill(&d, SIGTERM), 0);
            daemon_start(&d, 0);
        }
    }
    tkt_wire_client_free(&client);
    close(fd);
    daemon_remove(&d);
}

static void *start_later(void *arg)
{
    usleep(300000);
    daemon_start(arg, 0);
    return NULL;
}

static void handed_over_socket_keeps_requests_while_the_daemon_is_away(void **state)
{
    struct daemon d;
    struct reserve r;
    pthread_t thread;

    (void)state;
    daemon_prepare(&d, "");
    int fd = tkt_wire_listen(d.intake, 0, NULL);
    assert_true(fd >= 0);
    d.handed_fd = fcntl(fd, F_DUPFD_CLOEXEC, 10); /* out of the way of number 3 */
    close(fd);
    daemon_start(&d, 0);
    assert_int_equal(daemon_kill(&d, SIGTERM), 0);
    assert_int_equal(access(d.intake, F_OK), 0); /* not its own to remove */
    pthread_create(&thread, NULL, start_later, &d);
    reserve_init(&r, &d, IT);
    struct daemon_answer a = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    pthread_join(thread, NULL);
    daemon_created(&a);
    close(d.handed_fd);
    daemon_remove(&d);
}

static void without_a_parser_mail_is_taken_and_analysed_later(void **state)
{
    struct daemon d;
    struct reserve r;

    (void)state;
    daemon_prepare(&d, "");
    daemon_parser(&d, false);
    daemon_start(&d, 0);
    assert_true(daemon_log_has(&d, "event=parser.missing"));
    reserve_init(&r, &d, IT);
    struct daemon_answer a = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    daemon_created(&a);
    char *show = daemon_control(&d, "show", "id", a.id, NULL);
    assert_non_null(strstr(show, "\"analysed\":false"));
    free(show);
    daemon_parser(&d, true);
    assert_true(daemon_waits_for(&d, "show", "id", a.id, "\"analysed\":true"));
    daemon_remove(&d);
}

/* As the daemon's own user: root may lack the right here. */
static void limit_files(const struct daemon *d, rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    struct stat st;
    int status;

    assert_int_equal(stat(d->intake, &st), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgid(st.st_gid) < 0 || setuid(st.st_uid) < 0)) {
            _exit(90);
        }
        _exit(prlimit(d->pid, RLIMIT_FSIZE, &limit, NULL) < 0 ? 91 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void full_disk_means_temp_and_service_comes_back(void **state)
{
    struct daemon d;
    struct reserve r;

    (void)state;
    daemon_prepare(&d, "");
    daemon_start(&d, 0);
    reserve_init(&r, &d, IT);
    struct daemon_answer a = daemon_answer(&d, &r.req, daemon_mail_fd("before"));
    daemon_created(&a);
    limit_files(&d, 4096);
    struct daemon_answer b = daemon_answer(&d, &r.req, daemon_mail_fd("meanwhile"));
    assert_int_equal(b.status, TKT_WIRE_TEMP);
    assert_int_equal(b.tickets, 0);
    limit_files(&d, RLIM_INFINITY);
    struct daemon_answer c = daemon_answer(&d, &r.req, daemon_mail_fd("meanwhile"));
    daemon_created(&c);
    struct daemon_answer again = daemon_answer(&d, &r.req, daemon_mail_fd("before"));
    assert_string_equal(again.id, a.id);
    int code;
    free(daemon_control(&d, "verify", NULL, NULL, &code));
    assert_int_equal(code, 0);
    daemon_remove(&d);
}

static void accepted_while_away_becomes_a_ticket_and_leaves_the_folder(void **state)
{
    struct daemon d;
    struct reserve r;
    struct tkt_missed_name name;
    char dir[200];
    char milter[100];
    struct stat st;
    size_t count = 1;
    int fd = daemon_mail_fd("missed");

    (void)state;
    daemon_prepare(&d, "");
    reserve_init(&r, &d, IT);
    snprintf(milter, sizeof(milter), "%s/milter", d.dir);
    snprintf(dir, sizeof(dir), "%s/missed", milter);
    assert_int_equal(mkdir(milter, 0777), 0);
    assert_int_equal(mkdir(dir, 0770), 0);
    assert_int_equal(stat(d.dir, &st), 0); /* its group is the daemon's, as packaged */
    assert_int_equal(chown(milter, (uid_t)-1, st.st_gid), 0);
    assert_int_equal(chown(dir, (uid_t)-1, st.st_gid), 0);
    assert_int_equal(chmod(milter, 0755), 0);
    assert_int_equal(chmod(dir, 02770), 0);
    assert_int_equal(tkt_missed_write(dir, &r.req, fd, NULL), 0);
    close(fd);
    daemon_start(&d, 0);
    /* the MTA's client sent it again meanwhile: still one ticket */
    r.req.generation = 0;
    struct daemon_answer a = daemon_answer(&d, &r.req, daemon_mail_fd("missed"));
    assert_int_equal(a.status, TKT_WIRE_OK);
    assert_true(daemon_log_gets(&d, "event=missed.taken")); /* it goes before that */
    assert_int_equal(tkt_missed_list(dir, &name, 1, &count, NULL), 0);
    assert_int_equal(count, 0);
    char *list = daemon_control(&d, "list", NULL, NULL, NULL);
    const char *first = strstr(list, "\"id\":");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"id\":"));
    free(list);
    daemon_remove(&d);
}

static void hold_confirms_itself_after_a_while(void **state)
{
    struct daemon d;
    struct reserve r;

    (void)state;
    daemon_prepare(&d, "");
    daemon_write_conf_store(&d, "confirm_after = 1s");
    daemon_start(&d, 0);
    reserve_init(&r, &d, IT);
    r.req.hook = (char *)"sieve";
    struct daemon_answer a = daemon_answer(&d, &r.req, daemon_mail_fd("held"));
    daemon_created(&a);
    assert_true(daemon_waits_for(&d, "show", "id", a.id, "\"confirmed\":true"));
    daemon_remove(&d);
}

static void token_in_the_address_leads_back_to_the_ticket(void **state)
{
    struct daemon d;
    struct reserve r;
    struct tkt_wire_reply reply;
    char address[300] = "";
    char token[33] = "";

    (void)state;
    daemon_prepare(&d, "desk \"tok\" { addresses = {\"tok@example.test\"} "
                       "prefix = \"TOK\" reply_to = add }\n");
    daemon_start(&d, 0);
    reserve_init(&r, &d, "tok@example.test");
    int fd = daemon_mail_fd("token");
    daemon_call(&d, &r.req, fd, &reply);
    close(fd);
    assert_int_equal(reply.status, TKT_WIRE_OK);
    for (size_t i = 0; i < reply.edit_count; i++) {
        const char *at = strstr(reply.edits[i].value, "tok+");

        if (strcmp(reply.edits[i].name, "Reply-To") == 0 && at) {
            snprintf(token, sizeof(token), "%s", at + 4);
            snprintf(address, sizeof(address), "tok+%s@example.test", token);
        }
    }
    assert_int_equal(strlen(token), 32);
    char id[48];
    snprintf(id, sizeof(id), "%s", reply.tickets[0].id);
    tkt_wire_reply_release(&reply);

    struct reserve look;
    reserve_init(&look, &d, address);
    look.req.verb = TKT_WIRE_LOOKUP;
    look.req.rcpt_count = 0;
    look.req.field_count = 0;
    look.req.token = token;
    look.req.rcpt = address;
    daemon_call(&d, &look.req, -1, &reply);
    assert_string_equal(reply.why, "valid");
    assert_string_equal(reply.ticket, id);
    tkt_wire_reply_release(&reply);

    r.rcpts[0].addr = address;
    struct daemon_answer a = daemon_answer(&d, &r.req, daemon_mail_fd("token-answer"));
    assert_string_equal(a.word, "appended");
    assert_string_equal(a.id, id);
    daemon_remove(&d);
}

static void answer_of_an_agent_is_a_public_comment(void **state)
{
    struct daemon d;
    struct reserve r;
    struct tkt_wire_reply reply;

    (void)state;
    daemon_prepare(&d, "group \"desk\" { members = {\"carl@example.test\"} }\n");
    daemon_start(&d, 0);
    reserve_init(&r, &d, IT);
    struct daemon_answer a = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    daemon_created(&a);
    r.req.sender = (char *)"carl@example.test";
    r.req.auth_login = (char *)"carl@example.test";
    int fd = message_fd("From: Carl <carl@example.test>\r\nTo: ann@customer.example\r\n"
                        "Cc: " IT "\r\nSubject: Re: printer\r\n"
                        "Message-ID: <answer@example.test>\r\n"
                        "In-Reply-To: <one@customer.example>\r\n\r\nUse water.\r\n");
    daemon_call(&d, &r.req, fd, &reply);
    close(fd);
    assert_int_equal(reply.status, TKT_WIRE_OK);
    assert_string_equal(reply.tickets[0].status, "appended");
    assert_string_equal(reply.tickets[0].id, a.id);
    tkt_wire_reply_release(&reply);
    char *show = daemon_control(&d, "show", "id", a.id, NULL);
    assert_non_null(strstr(show, "\"agent\":true"));
    free(show);
    daemon_remove(&d);
}

static void wrong_configuration_keeps_the_old_one(void **state)
{
    struct daemon d;
    struct reserve r;
    int code;

    (void)state;
    daemon_prepare(&d, "");
    daemon_start(&d, 0);
    daemon_write_conf(&d, "nonsense = 7\n");
    char *text = daemon_control(&d, "reload", NULL, NULL, &code);
    assert_int_not_equal(code, 0);
    assert_non_null(strstr(text, "test.conf:")); /* the line is named */
    free(text);
    reserve_init(&r, &d, IT);
    struct daemon_answer a = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    daemon_created(&a);
    daemon_write_conf(&d, "desk \"new\" { addresses = {\"new@example.test\"} "
                          "prefix = \"NEW\" }\n");
    free(daemon_control(&d, "reload", NULL, NULL, NULL));
    a = daemon_answer(&d, &r.req, message_fd(daemon_mail));
    assert_int_equal(a.status, TKT_WIRE_STALE);
    r.req.generation = 0;
    r.rcpts[0].addr = (char *)"new@example.test";
    a = daemon_answer(&d, &r.req, daemon_mail_fd("new"));
    daemon_created(&a);
    assert_memory_equal(a.id, "NEW-", 4);
    daemon_remove(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            oversize_is_refused_in_the_session_only_if_all_recipients_are_desks),
        cmocka_unit_test(more_desks_than_a_message_may_have_are_never_passed_over),
        cmocka_unit_test(desk_on_trial_refuses_no_large_mail),
        cmocka_unit_test(out_of_descriptors_every_hook_gets_an_answer),
        cmocka_unit_test(too_many_connections_of_one_process_are_refused_politely),
        cmocka_unit_test(killed_daemon_knows_its_tickets_again),
        cmocka_unit_test(request_outlives_a_restart_of_the_daemon),
        cmocka_unit_test(handed_over_socket_keeps_requests_while_the_daemon_is_away),
        cmocka_unit_test(without_a_parser_mail_is_taken_and_analysed_later),
        cmocka_unit_test(full_disk_means_temp_and_service_comes_back),
        cmocka_unit_test(accepted_while_away_becomes_a_ticket_and_leaves_the_folder),
        cmocka_unit_test(hold_confirms_itself_after_a_while),
        cmocka_unit_test(token_in_the_address_leads_back_to_the_ticket),
        cmocka_unit_test(answer_of_an_agent_is_a_public_comment),
        cmocka_unit_test(wrong_configuration_keeps_the_old_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
