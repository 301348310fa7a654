/* SPDX-License-Identifier: BSD-2-Clause
 * What a hook may rely on: a real ticketd, spoken to over its socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/daemon.h"

#include "base/clock.h"
#include "base/util.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define IT TKT_TEST_IT
#define HR TKT_TEST_HR

static struct daemon shared;

/* ---- the common case ------------------------------------------------------------------ */

static void same_message_gets_the_same_ticket_and_the_same_edits(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    struct daemon_answer first = daemon_answer(d, &r.req, message_fd(daemon_mail));
    daemon_created(&first);
    assert_non_null(strstr(first.subject, first.id));
    r.req.queue_id = (char *)"Q2";
    struct daemon_answer second = daemon_answer(d, &r.req, message_fd(daemon_mail));
    assert_int_equal(second.status, TKT_WIRE_OK);
    assert_string_equal(second.word, "existing");
    assert_string_equal(second.id, first.id);
    assert_string_equal(second.subject, first.subject);
    assert_int_equal(second.edits, first.edits);
    struct daemon_answer other = daemon_answer(d, &r.req, daemon_mail_fd("another"));
    daemon_created(&other);
    assert_string_not_equal(other.id, first.id);
}

static void message_in_a_file_is_as_good_as_one_in_a_memfd(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    char path[200];
    char filler[100];
    FILE *f;

    snprintf(path, sizeof(path), "%s/large.eml", d->dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("From: ann@customer.example\r\nSubject: large\r\n"
          "Message-ID: <large@customer.example>\r\n\r\n",
          f);
    memset(filler, 'x', sizeof(filler));
    for (int i = 0; i < 5000; i++) { /* above limits.inline_max: becomes a blob */
        fwrite(filler, 1, sizeof(filler), f);
        fputs("\r\n", f);
    }
    fclose(f);
    reserve_init(&r, d, IT);
    struct daemon_answer first =
        daemon_answer(d, &r.req, open(path, O_RDONLY | O_CLOEXEC));
    daemon_created(&first);
    struct daemon_answer second =
        daemon_answer(d, &r.req, open(path, O_RDONLY | O_CLOEXEC));
    assert_string_equal(second.word, "existing");
    assert_string_equal(second.id, first.id);
    char *raw = daemon_control(d, "raw", "id", first.id, NULL);
    assert_int_equal(strlen(raw),
                     5000 * 102 + strlen("From: ann@customer.example\r\n"
                                         "Subject: large\r\nMessage-ID: "
                                         "<large@customer.example>\r\n\r\n"));
    free(raw);
}

static void two_desks_get_two_tickets_in_the_order_of_the_configuration(void **state)
{
    struct daemon *d = *state;
    struct tkt_wire_reply reply;
    struct reserve r;
    int fd = daemon_mail_fd("two-desks");

    reserve_init(&r, d, HR);
    r.req.rcpt_count = 2;
    r.rcpts[1].addr = (char *)"Support+x@EXAMPLE.test";
    daemon_call(d, &r.req, fd, &reply);
    close(fd);
    assert_int_equal(reply.status, TKT_WIRE_OK);
    assert_int_equal(reply.ticket_count, 2);
    assert_string_equal(reply.tickets[0].desk, "it");
    assert_string_equal(reply.tickets[1].desk, "hr");
    assert_memory_equal(reply.tickets[0].id, "IT-", 3);
    assert_memory_equal(reply.tickets[1].id, "HR-", 3);
    char *show = daemon_control(d, "show", "id", reply.tickets[1].id, NULL);
    assert_non_null(strstr(show, reply.tickets[0].id)); /* linked */
    free(show);
    tkt_wire_reply_release(&reply);
}

/* Whether it is a copy cannot be known while the earlier message cannot be read. */
static void
copy_that_cannot_be_compared_is_deferred_and_makes_no_second_ticket(void **state)
{
    struct daemon *d = *state;
    static char text[600000];
    struct reserve r;
    char command[200];
    size_t n = (size_t)snprintf(text, sizeof(text),
                                "From: ann@customer.example\r\nSubject: compare\r\n"
                                "Message-ID: <compare@customer.example>\r\n"
                                "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n");

    while (n < sizeof(text) - 200) {
        n += (size_t)snprintf(text + n, 100, "line %zu of a long text\r\n", n);
    }
    reserve_init(&r, d, IT);
    struct daemon_answer first = daemon_answer(d, &r.req, message_fd(text));
    daemon_created(&first);
    snprintf(text + n, 100, "-- \r\nA footer of the list\r\n");
    snprintf(command, sizeof(command), "find %s/store/blobs -type f -exec chmod 0 {} +",
             d->dir);
    assert_int_equal(system(command), 0);
    struct daemon_answer again = daemon_answer(d, &r.req, message_fd(text));
    assert_int_equal(again.status, TKT_WIRE_TEMP);
    snprintf(command, sizeof(command), "find %s/store/blobs -type f -exec chmod 600 {} +",
             d->dir);
    assert_int_equal(system(command), 0);
    again = daemon_answer(d, &r.req, message_fd(text));
    if (again.status != TKT_WIRE_OK) {
        fail_msg("status %d: %s", again.status, again.text);
    }
    assert_string_equal(again.word, "existing");
    assert_string_equal(again.id, first.id);
}

static void thousand_recipients_of_one_desk_are_one_ticket(void **state)
{
    struct daemon *d = *state;
    static struct reserve r;
    static char addresses[1000][40];

    reserve_init(&r, d, IT);
    for (int i = 0; i < 1000; i++) {
        snprintf(addresses[i], sizeof(addresses[i]), "support+%d@example.test", i);
        r.rcpts[i].addr = addresses[i];
    }
    r.req.rcpt_count = 1000;
    struct daemon_answer a = daemon_answer(d, &r.req, daemon_mail_fd("thousand"));
    daemon_created(&a);
    assert_int_equal(a.tickets, 1);
    r.req.rcpt_count = 1001;
    r.rcpts[1000].addr = (char *)IT;
    a = daemon_answer(d, &r.req, daemon_mail_fd("one-more"));
    assert_int_equal(a.status, TKT_WIRE_PERM);
    assert_non_null(strstr(a.text, "recipients_max"));
}

static void dry_run_changes_nothing(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.dry_run = true;
    struct daemon_answer dry = daemon_answer(d, &r.req, daemon_mail_fd("dry"));
    assert_int_equal(dry.status, TKT_WIRE_OK);
    assert_string_equal(dry.word, "dryrun");
    assert_string_equal(dry.id, "");
    assert_int_equal(dry.edits, 0);
    r.req.dry_run = false;
    struct daemon_answer real = daemon_answer(d, &r.req, daemon_mail_fd("dry"));
    daemon_created(&real);
    r.req.dry_run = true;
    dry = daemon_answer(d, &r.req, daemon_mail_fd("dry"));
    assert_string_equal(dry.word, "dryrun");
    assert_string_equal(dry.id, real.id); /* it says what it is known as */
}

static void old_generation_is_told_and_none_is_taken(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.generation++;
    struct daemon_answer a = daemon_answer(d, &r.req, daemon_mail_fd("stale"));
    assert_int_equal(a.status, TKT_WIRE_STALE);
    assert_int_equal(a.tickets, 0);
    r.req.generation = 0; /* submit acts on no table */
    a = daemon_answer(d, &r.req, daemon_mail_fd("stale"));
    daemon_created(&a);
}

static void stranger_to_the_desks_is_a_wrong_request(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, "joe@example.test");
    struct daemon_answer a = daemon_answer(d, &r.req, daemon_mail_fd("stranger"));
    assert_int_equal(a.status, TKT_WIRE_PERM);
}

static void forged_signed_id_is_deleted_and_makes_no_ticket_its_own(void **state)
{
    struct daemon *d = *state;
    struct tkt_wire_reply reply;
    struct reserve r;
    bool deleted = false;
    int fd = daemon_mail_fd("forged");

    reserve_init(&r, d, IT);
    r.req.field_count = 2;
    r.fields[1] = (struct tkt_wire_field){
        .name = (char *)"X-Ticket-ID",
        .index = 1,
        .value = (char *)" IT-1; k=5; h=abcdefghijklmnopqrstuvwxyz"};
    daemon_call(d, &r.req, fd, &reply);
    close(fd);
    assert_int_equal(reply.status, TKT_WIRE_OK);
    assert_string_equal(reply.tickets[0].status, "created");
    for (size_t i = 0; i < reply.edit_count; i++) {
        deleted |= reply.edits[i].kind == TKT_WIRE_DELETE &&
                   strcmp(reply.edits[i].name, "X-Ticket-ID") == 0;
    }
    assert_true(deleted);
    tkt_wire_reply_release(&reply);
}

static void stranger_with_the_id_in_the_subject_gets_a_ticket_of_his_own(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    char text[500];

    reserve_init(&r, d, IT);
    struct daemon_answer a = daemon_answer(d, &r.req, daemon_mail_fd("mine"));
    daemon_created(&a);
    snprintf(text, sizeof(text),
             "From: Eve <eve@elsewhere.example>\r\nTo: " IT "\r\n"
             "Subject: Re: [%s] printer\r\nMessage-ID: <eve@elsewhere.example>\r\n\r\n"
             "Send it to me.\r\n",
             a.id);
    r.req.sender = (char *)"eve@elsewhere.example";
    r.fields[0].value = (char *)" Re: printer";
    struct daemon_answer b = daemon_answer(d, &r.req, message_fd(text));
    daemon_created(&b);
    assert_string_not_equal(b.id, a.id);
}

/* ---- holds ---------------------------------------------------------------------------- */

static struct daemon_answer hold_call(const struct daemon *d, enum tkt_wire_verb verb,
                                      const char *hold)
{
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.verb = verb;
    r.req.hook = (char *)"sieve";
    r.req.rcpt_count = 0;
    r.req.field_count = 0;
    r.req.hold = (char *)hold;
    return daemon_answer(d, &r.req, -1);
}

static void cancelled_hold_withdraws_and_the_same_message_revives(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.hook = (char *)"sieve";
    struct daemon_answer a = daemon_answer(d, &r.req, daemon_mail_fd("sieve"));
    daemon_created(&a);
    assert_true(a.hold[0] != '\0');
    assert_int_equal(hold_call(d, TKT_WIRE_CANCEL, a.hold).status, TKT_WIRE_OK);
    assert_int_equal(hold_call(d, TKT_WIRE_CANCEL, a.hold).status, TKT_WIRE_OK);
    char *show = daemon_control(d, "show", "id", a.id, NULL);
    assert_non_null(strstr(show, "\"withdrawn\""));
    free(show);
    struct daemon_answer again = daemon_answer(d, &r.req, daemon_mail_fd("sieve"));
    assert_string_equal(again.id, a.id);
    assert_int_equal(hold_call(d, TKT_WIRE_CONFIRM, again.hold).status, TKT_WIRE_OK);
    assert_int_equal(hold_call(d, TKT_WIRE_CONFIRM, again.hold).status, TKT_WIRE_OK);
    show = daemon_control(d, "show", "id", a.id, NULL);
    assert_null(strstr(show, "\"state\":\"withdrawn\""));
    free(show);
}

static void unknown_hold_is_refused(void **state)
{
    struct daemon *d = *state;

    assert_int_equal(
        hold_call(d, TKT_WIRE_CONFIRM, "00112233445566778899aabbccddeeff").status,
        TKT_WIRE_PERM);
}

static void token_of_nobody_is_no_ticket(void **state)
{
    struct daemon *d = *state;
    struct tkt_wire_reply reply;
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.verb = TKT_WIRE_LOOKUP;
    r.req.rcpt_count = 0;
    r.req.field_count = 0;
    r.req.token = (char *)"abcdefghijklmnopqrstuvwxyz234567";
    r.req.rcpt = (char *)"support+abcdefghijklmnopqrstuvwxyz234567@example.test";
    daemon_call(d, &r.req, -1, &reply);
    assert_int_equal(reply.status, TKT_WIRE_OK);
    assert_string_equal(reply.ticket, "");
    assert_string_not_equal(reply.why, "valid");
    tkt_wire_reply_release(&reply);
}

/* ---- wrong descriptors ---------------------------------------------------------------- */

static void wrong_descriptors_are_errors_and_never_no_message(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    char fifo[200];
    int message = daemon_mail_fd("descriptors");
    int ends[2];

    reserve_init(&r, d, IT);
    snprintf(fifo, sizeof(fifo), "%s/fifo", d->dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int fifo_fd = open(fifo, O_RDWR | O_CLOEXEC);
    assert_int_equal(pipe(ends), 0);
    int directory = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int extra[] = {message, message};
    const int many[] = {message, message, message, message, message};

    assert_int_equal(daemon_answer_fds(d, &r.req, NULL, 0).status, TKT_WIRE_PERM);
    assert_int_equal(daemon_answer_fds(d, &r.req, extra, 2).status, TKT_WIRE_PERM);
    assert_int_equal(daemon_answer_fds(d, &r.req, many, 5).status, TKT_WIRE_PERM);
    assert_int_equal(daemon_answer_fds(d, &r.req, &fifo_fd, 1).status, TKT_WIRE_PERM);
    assert_int_equal(daemon_answer_fds(d, &r.req, &ends[0], 1).status, TKT_WIRE_PERM);
    assert_int_equal(daemon_answer_fds(d, &r.req, &directory, 1).status, TKT_WIRE_PERM);
    assert_int_equal(daemon_answer_fds(d, &r.req, &message, 1).status, TKT_WIRE_OK);
    close(message);
    close(fifo_fd);
    close(ends[0]);
    close(ends[1]);
    close(directory);
}

static void file_that_cannot_be_read_is_an_error(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    char path[200];

    snprintf(path, sizeof(path), "%s/writeonly", d->dir);
    reserve_init(&r, d, IT);
    struct daemon_answer a =
        daemon_answer(d, &r.req, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(a.status, TKT_WIRE_PERM);
}

static void request_whose_time_is_over_is_not_taken(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    char path[200];

    snprintf(path, sizeof(path), "%s/late", d->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 60 * 1024 * 1024), 0);
    reserve_init(&r, d, IT);
    r.req.remaining_ms = 1;
    struct daemon_answer a =
        daemon_answer_fds(d, &r.req, &fd, 1); /* the client would set its own time */
    close(fd);
    assert_int_equal(a.status, TKT_WIRE_TEMP);
    assert_int_equal(a.tickets, 0);
}

/* Same From, Message-ID, Date, Subject; another body. */
static int variant_fd(const char *body)
{
    char text[4000];

    snprintf(text, sizeof(text),
             "From: Ann <ann@customer.example>\r\nTo: " IT "\r\nSubject: variant\r\n"
             "Message-ID: <variant@customer.example>\r\n"
             "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n%s",
             body);
    return message_fd(text);
}

static void list_footer_is_a_copy_and_another_body_another_ticket(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    char body[2000] = "";
    char with_footer[2100];

    for (int i = 0; i < 40; i++) {
        size_t at = strlen(body);

        snprintf(body + at, sizeof(body) - at, "line %d of what I have to say\r\n", i);
    }
    snprintf(with_footer, sizeof(with_footer), "%s-- \r\nlist footer\r\n", body);
    reserve_init(&r, d, IT);
    struct daemon_answer a = daemon_answer(d, &r.req, variant_fd(body));
    daemon_created(&a);
    struct daemon_answer copy = daemon_answer(d, &r.req, variant_fd(with_footer));
    assert_string_equal(copy.word, "existing");
    assert_string_equal(copy.id, a.id);
    struct daemon_answer other =
        daemon_answer(d, &r.req, variant_fd("Something else.\r\n"));
    daemon_created(&other);
    assert_string_not_equal(other.id, a.id);
    char *show = daemon_control(d, "show", "id", other.id, NULL);
    assert_non_null(strstr(show, a.id)); /* linked */
    free(show);
}

static void peer_without_the_right_is_refused(void **state)
{
    struct daemon *d = *state;
    int status;

    if (geteuid() != 0) {
        print_message("SKIP: only root can be somebody else\n");
        skip();
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct tkt_wire_packet in;
        struct tkt_wire_reply reply;

        if (setgroups(0, NULL) < 0 || setgid(61999) < 0 || setuid(61999) < 0) {
            _exit(90);
        }
        int sock = tkt_wire_connect(d->intake, tkt_clock_mono_ms() + 2000, NULL);
        tkt_wire_packet_init(&in);
        if (sock < 0 || tkt_wire_recv(sock, &in, tkt_clock_mono_ms() + 5000, NULL) != 1 ||
            tkt_wire_reply_decode(&in, &reply, NULL) < 0) {
            _exit(91);
        }
        _exit(reply.status == TKT_WIRE_PERM ? 0 : 92);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* ---- control -------------------------------------------------------------------------- */

static void strangers_cannot_lock_the_owner_out_of_control(void **state)
{
    struct daemon *d = *state;
    int ready[2];
    char byte;

    if (geteuid() != 0) {
        print_message("SKIP: only root can be somebody else\n");
        skip();
    }
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (setgroups(0, NULL) < 0 || setgid(61999) < 0 || setuid(61999) < 0) {
            _exit(90);
        }
        for (int i = 0; i < 40; i++) {
            if (tkt_wire_connect(d->control, tkt_clock_mono_ms() + 2000, NULL) < 0) {
                _exit(91);
            }
        }
        _exit(write(ready[1], "x", 1) == 1 && pause() == 0 ? 0 : 92);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    free(daemon_control(d, "status", NULL, NULL, NULL));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ready[0]);
}

static void control_explains_what_is_wrong(void **state)
{
    struct daemon *d = *state;
    const struct {
        const char *verb;
        const char *name;
        const char *value;
        int code;
        const char *text;
    } cases[] = {
        {"dance", NULL, NULL, 64, "unknown verb"},
        {"show", NULL, NULL, 64, "id is missing"},
        {"show", "id", "it 1", 64, "ticket ID"},
        {"show", "number", "1", 64, "no argument number"},
        {"show", "id", "IT-999999", 65, "IT-999999"},
        {"list", "limit", "x", 64, "must be a number"},
        {"backup", NULL, NULL, 64, "descriptor"},
        {"queue-drop", "job", "999999", 65, ""},
    };

    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        int code;
        char *text =
            daemon_control(d, cases[i].verb, cases[i].name, cases[i].value, &code);

        if (code != cases[i].code || !strstr(text, cases[i].text)) {
            fail_msg("%s: %d %s", cases[i].verb, code, text);
        }
        free(text);
    }
}

static void control_reads_what_intake_wrote(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    struct daemon_answer a = daemon_answer(d, &r.req, daemon_mail_fd("control"));
    daemon_created(&a);
    assert_true(daemon_waits_for(d, "list", "desk", "it", a.id));
    assert_true(daemon_waits_for(d, "show", "id", a.id, "ann@customer.example"));
    assert_true(daemon_waits_for(d, "log", "id", a.id, "ticket.created"));
    char *raw = daemon_control(d, "raw", "id", a.id, NULL);
    assert_non_null(strstr(raw, "It burns: control."));
    free(raw);
    char *status = daemon_control(d, "status", NULL, NULL, NULL);
    assert_non_null(strstr(status, "\"ticketd\":{"));
    assert_non_null(strstr(status, "\"parser\":{"));
    free(status);
    free(daemon_control(d, "verify", NULL, NULL, NULL));
    free(daemon_control(d, "resolve", "id", a.id, NULL));
    assert_true(daemon_waits_for(d, "show", "id", a.id, "\"resolved\""));
    assert_true(
        daemon_waits_for(d, "facts", "message-id", "control@customer.example", a.id));
}

static int start_shared(void **state)
{
    daemon_prepare(&shared, "");
    daemon_start(&shared, 0);
    *state = &shared;
    return 0;
}

static int stop_shared(void **state)
{
    struct daemon *d = *state;
    int status = daemon_kill(d, SIGTERM);

    daemon_remove(d);
    return status; /* a clean end is part of the test */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_message_gets_the_same_ticket_and_the_same_edits),
        cmocka_unit_test(message_in_a_file_is_as_good_as_one_in_a_memfd),
        cmocka_unit_test(two_desks_get_two_tickets_in_the_order_of_the_configuration),
        cmocka_unit_test(thousand_recipients_of_one_desk_are_one_ticket),
        cmocka_unit_test(
            copy_that_cannot_be_compared_is_deferred_and_makes_no_second_ticket),
        cmocka_unit_test(dry_run_changes_nothing),
        cmocka_unit_test(old_generation_is_told_and_none_is_taken),
        cmocka_unit_test(stranger_to_the_desks_is_a_wrong_request),
        cmocka_unit_test(forged_signed_id_is_deleted_and_makes_no_ticket_its_own),
        cmocka_unit_test(stranger_with_the_id_in_the_subject_gets_a_ticket_of_his_own),
        cmocka_unit_test(cancelled_hold_withdraws_and_the_same_message_revives),
        cmocka_unit_test(unknown_hold_is_refused),
        cmocka_unit_test(token_of_nobody_is_no_ticket),
        cmocka_unit_test(wrong_descriptors_are_errors_and_never_no_message),
        cmocka_unit_test(file_that_cannot_be_read_is_an_error),
        cmocka_unit_test(request_whose_time_is_over_is_not_taken),
        cmocka_unit_test(list_footer_is_a_copy_and_another_body_another_ticket),
        cmocka_unit_test(peer_without_the_right_is_refused),
        cmocka_unit_test(strangers_cannot_lock_the_owner_out_of_control),
        cmocka_unit_test(control_explains_what_is_wrong),
        cmocka_unit_test(control_reads_what_intake_wrote),
    };

    return cmocka_run_group_tests(tests, start_shared, stop_shared);
}
