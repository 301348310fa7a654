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
#include "wire/missed.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define IT "support@example.test"
#define HR "hr@example.test"

static const char mail[] = "From: Ann <ann@customer.example>\r\nTo: " IT "\r\n"
                           "Subject: printer\r\nMessage-ID: <one@customer.example>\r\n"
                           "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n"
                           "It burns.\r\n";

static struct daemon shared; /* for tests that leave it as it was */

/* The mail with another Message-ID. */
static int mail_fd(const char *id)
{
    char text[1000];

    snprintf(text, sizeof(text),
             "From: Ann <ann@customer.example>\r\nTo: " IT "\r\nSubject: printer\r\n"
             "Message-ID: <%s@customer.example>\r\n"
             "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nIt burns: %s.\r\n",
             id, id);
    return message_fd(text);
}

/* One ticket or an answer of another kind. */
struct answer {
    enum tkt_wire_status status;
    size_t tickets;
    size_t edits;
    int smtp_code;
    char id[48];
    char word[20];
    char hold[40];
    char subject[200]; /* value of the Subject edit, if any */
    char text[300];
};

static struct answer call_fd(const struct daemon *d, const struct tkt_wire_request *req,
                             int fd)
{
    struct tkt_wire_reply reply;
    struct answer a = {0};

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

static void assert_created(const struct answer *a)
{
    if (a->status != TKT_WIRE_OK) {
        fail_msg("status %d: %s", a->status, a->text);
    }
    assert_string_equal(a->word, "created");
    assert_true(a->id[0] != '\0');
}

/* ---- the common case ------------------------------------------------------------------ */

static void same_message_gets_the_same_ticket_and_the_same_edits(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    struct answer first = call_fd(d, &r.req, message_fd(mail));
    assert_created(&first);
    assert_non_null(strstr(first.subject, first.id));
    r.req.queue_id = (char *)"Q2";
    struct answer second = call_fd(d, &r.req, message_fd(mail));
    assert_int_equal(second.status, TKT_WIRE_OK);
    assert_string_equal(second.word, "existing");
    assert_string_equal(second.id, first.id);
    assert_string_equal(second.subject, first.subject);
    assert_int_equal(second.edits, first.edits);
    struct answer other = call_fd(d, &r.req, mail_fd("another"));
    assert_created(&other);
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
    struct answer first = call_fd(d, &r.req, open(path, O_RDONLY | O_CLOEXEC));
    assert_created(&first);
    struct answer second = call_fd(d, &r.req, open(path, O_RDONLY | O_CLOEXEC));
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
    int fd = mail_fd("two-desks");

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
    struct answer a = call_fd(d, &r.req, mail_fd("thousand"));
    assert_created(&a);
    assert_int_equal(a.tickets, 1);
    r.req.rcpt_count = 1001;
    r.rcpts[1000].addr = (char *)IT;
    a = call_fd(d, &r.req, mail_fd("one-more"));
    assert_int_equal(a.status, TKT_WIRE_PERM);
    assert_non_null(strstr(a.text, "recipients_max"));
}

static void dry_run_changes_nothing(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.dry_run = true;
    struct answer dry = call_fd(d, &r.req, mail_fd("dry"));
    assert_int_equal(dry.status, TKT_WIRE_OK);
    assert_string_equal(dry.word, "dryrun");
    assert_string_equal(dry.id, "");
    assert_int_equal(dry.edits, 0);
    r.req.dry_run = false;
    struct answer real = call_fd(d, &r.req, mail_fd("dry"));
    assert_created(&real);
    r.req.dry_run = true;
    dry = call_fd(d, &r.req, mail_fd("dry"));
    assert_string_equal(dry.word, "dryrun");
    assert_string_equal(dry.id, real.id); /* it says what it is known as */
}

static void old_generation_is_told_and_none_is_taken(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.generation++;
    struct answer a = call_fd(d, &r.req, mail_fd("stale"));
    assert_int_equal(a.status, TKT_WIRE_STALE);
    assert_int_equal(a.tickets, 0);
    r.req.generation = 0; /* submit acts on no table */
    a = call_fd(d, &r.req, mail_fd("stale"));
    assert_created(&a);
}

static void stranger_to_the_desks_is_a_wrong_request(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, "joe@example.test");
    struct answer a = call_fd(d, &r.req, mail_fd("stranger"));
    assert_int_equal(a.status, TKT_WIRE_PERM);
}

static void forged_signed_id_is_deleted_and_makes_no_ticket_its_own(void **state)
{
    struct daemon *d = *state;
    struct tkt_wire_reply reply;
    struct reserve r;
    bool deleted = false;
    int fd = mail_fd("forged");

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

/* ---- holds ---------------------------------------------------------------------------- */

static struct answer hold_call(const struct daemon *d, enum tkt_wire_verb verb,
                               const char *hold)
{
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.verb = verb;
    r.req.hook = (char *)"sieve";
    r.req.rcpt_count = 0;
    r.req.field_count = 0;
    r.req.hold = (char *)hold;
    return call_fd(d, &r.req, -1);
}

static void cancelled_hold_withdraws_and_the_same_message_revives(void **state)
{
    struct daemon *d = *state;
    struct reserve r;

    reserve_init(&r, d, IT);
    r.req.hook = (char *)"sieve";
    struct answer a = call_fd(d, &r.req, mail_fd("sieve"));
    assert_created(&a);
    assert_true(a.hold[0] != '\0');
    assert_int_equal(hold_call(d, TKT_WIRE_CANCEL, a.hold).status, TKT_WIRE_OK);
    assert_int_equal(hold_call(d, TKT_WIRE_CANCEL, a.hold).status, TKT_WIRE_OK);
    char *show = daemon_control(d, "show", "id", a.id, NULL);
    assert_non_null(strstr(show, "\"withdrawn\""));
    free(show);
    struct answer again = call_fd(d, &r.req, mail_fd("sieve"));
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

/* Sends the request with just these descriptors; the answer comes on the same socket. */
static struct answer raw_call(const struct daemon *d, const struct tkt_wire_request *req,
                              const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * 8)];
    } control = {0};
    struct tkt_wire_packet packet;
    struct tkt_wire_packet in;
    struct tkt_wire_reply reply;
    struct answer a = {0};
    int sock = tkt_wire_connect(d->intake, tkt_clock_mono_ms() + 2000, NULL);

    assert_true(sock >= 0);
    tkt_wire_packet_init(&packet);
    tkt_wire_packet_init(&in);
    int own = message_fd(mail); /* only to encode: what is sent are the caller's */
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

static void wrong_descriptors_are_errors_and_never_no_message(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    char fifo[200];
    int message = mail_fd("descriptors");
    int ends[2];

    reserve_init(&r, d, IT);
    snprintf(fifo, sizeof(fifo), "%s/fifo", d->dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int fifo_fd = open(fifo, O_RDWR | O_CLOEXEC);
    assert_int_equal(pipe(ends), 0);
    int directory = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int extra[] = {message, message};
    const int many[] = {message, message, message, message, message};

    assert_int_equal(raw_call(d, &r.req, NULL, 0).status, TKT_WIRE_PERM);
    assert_int_equal(raw_call(d, &r.req, extra, 2).status, TKT_WIRE_PERM);
    assert_int_equal(raw_call(d, &r.req, many, 5).status, TKT_WIRE_PERM);
    assert_int_equal(raw_call(d, &r.req, &fifo_fd, 1).status, TKT_WIRE_PERM);
    assert_int_equal(raw_call(d, &r.req, &ends[0], 1).status, TKT_WIRE_PERM);
    assert_int_equal(raw_call(d, &r.req, &directory, 1).status, TKT_WIRE_PERM);
    assert_int_equal(raw_call(d, &r.req, &message, 1).status, TKT_WIRE_OK);
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
    struct answer a =
        call_fd(d, &r.req, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(a.status, TKT_WIRE_PERM);
}

static void *truncate_soon(void *arg)
{
    usleep(20000);
    return ftruncate(*(int *)arg, 1000) == 0 ? NULL : arg;
}

static void file_that_shrinks_while_it_is_read_is_not_taken(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    pthread_t thread;
    char path[200];

    snprintf(path, sizeof(path), "%s/shrinks", d->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 60 * 1024 * 1024), 0);
    reserve_init(&r, d, IT);
    pthread_create(&thread, NULL, truncate_soon, &fd);
    struct answer a = call_fd(d, &r.req, dup(fd));
    pthread_join(thread, NULL);
    close(fd);
    assert_int_equal(a.status, TKT_WIRE_TEMP);
    assert_int_equal(a.tickets, 0);
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
    struct answer a = raw_call(d, &r.req, &fd, 1); /* the client would set its own time */
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
    struct answer a = call_fd(d, &r.req, variant_fd(body));
    assert_created(&a);
    struct answer copy = call_fd(d, &r.req, variant_fd(with_footer));
    assert_string_equal(copy.word, "existing");
    assert_string_equal(copy.id, a.id);
    struct answer other = call_fd(d, &r.req, variant_fd("Something else.\r\n"));
    assert_created(&other);
    assert_string_not_equal(other.id, a.id);
    char *show = daemon_control(d, "show", "id", other.id, NULL);
    assert_non_null(strstr(show, a.id)); /* linked */
    free(show);
}

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
    struct answer a = call_fd(&d, &r.req, open(path, O_RDONLY | O_CLOEXEC));
    assert_int_equal(a.status, TKT_WIRE_OK);
    assert_int_equal(a.smtp_code, 552);
    assert_int_equal(a.tickets, 0);
    r.req.other_rcpts = 1;
    a = call_fd(&d, &r.req, open(path, O_RDONLY | O_CLOEXEC));
    assert_int_equal(a.smtp_code, 0);
    assert_string_equal(a.word, "refused");
    assert_true(daemon_waits_for(&d, "list", "state", "refused", a.id));
    daemon_remove(&d);
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
    for (int i = 0; i < MANY; i++) {
        socks[i] = tkt_wire_connect(d.intake, tkt_clock_mono_ms() + 2000, NULL);
        assert_true(socks[i] >= 0);
    }
    for (int i = 0; i < MANY; i++) {
        struct tkt_wire_packet in;

        tkt_wire_packet_init(&in);
        /* what is refused says so at once; what was accepted waits for our request */
        refused += tkt_wire_recv(socks[i], &in, tkt_clock_mono_ms() + 20, NULL) == 1;
        tkt_wire_packet_release(&in);
    }
    assert_true(refused > 0);
    assert_true(refused < MANY);
    for (int i = 0; i < MANY; i++) {
        close(socks[i]);
    }
    reserve_init(&r, &d, IT);
    struct answer a = call_fd(&d, &r.req, message_fd(mail));
    assert_created(&a);
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
    for (int i = 0; i < 4; i++) {
        socks[i] = tkt_wire_connect(d.intake, tkt_clock_mono_ms() + 2000, NULL);
    }
    tkt_wire_packet_init(&in);
    assert_int_equal(tkt_wire_recv(socks[3], &in, tkt_clock_mono_ms() + 5000, NULL), 1);
    assert_int_equal(tkt_wire_reply_decode(&in, &reply, NULL), 0);
    assert_int_equal(reply.status, TKT_WIRE_TEMP);
    tkt_wire_reply_release(&reply);
    tkt_wire_packet_release(&in);
    for (int i = 0; i < 4; i++) {
        close(socks[i]);
    }
    daemon_remove(&d);
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
    struct answer a = call_fd(&d, &r.req, message_fd(mail));
    assert_created(&a);
    daemon_kill(&d, SIGKILL);
    daemon_start(&d, 0);
    assert_true(d.generation == generation); /* same settings: no hook has to ask again */
    struct answer b = call_fd(&d, &r.req, message_fd(mail));
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
    int fd = message_fd(mail);

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
    struct answer a = call_fd(&d, &r.req, message_fd(mail));
    assert_created(&a);
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
    struct answer a = call_fd(&d, &r.req, mail_fd("before"));
    assert_created(&a);
    limit_files(&d, 4096);
    struct answer b = call_fd(&d, &r.req, mail_fd("meanwhile"));
    assert_int_equal(b.status, TKT_WIRE_TEMP);
    assert_int_equal(b.tickets, 0);
    limit_files(&d, RLIM_INFINITY);
    struct answer c = call_fd(&d, &r.req, mail_fd("meanwhile"));
    assert_created(&c);
    struct answer again = call_fd(&d, &r.req, mail_fd("before"));
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
    int fd = mail_fd("missed");

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
    struct answer a = call_fd(&d, &r.req, mail_fd("missed"));
    assert_int_equal(a.status, TKT_WIRE_OK);
    for (int i = 0; i < 150 && count > 0; i++) {
        usleep(100000);
        assert_int_equal(tkt_missed_list(dir, &name, 1, &count, NULL), 0);
    }
    assert_int_equal(count, 0);
    assert_true(daemon_log_has(&d, "event=missed.taken"));
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
    struct answer a = call_fd(&d, &r.req, mail_fd("held"));
    assert_created(&a);
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
    int fd = mail_fd("token");
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
    struct answer a = call_fd(&d, &r.req, mail_fd("token-answer"));
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
    struct answer a = call_fd(&d, &r.req, message_fd(mail));
    assert_created(&a);
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

static void stranger_with_the_id_in_the_subject_gets_a_ticket_of_his_own(void **state)
{
    struct daemon *d = *state;
    struct reserve r;
    char text[500];

    reserve_init(&r, d, IT);
    struct answer a = call_fd(d, &r.req, mail_fd("mine"));
    assert_created(&a);
    snprintf(text, sizeof(text),
             "From: Eve <eve@elsewhere.example>\r\nTo: " IT "\r\n"
             "Subject: Re: [%s] printer\r\nMessage-ID: <eve@elsewhere.example>\r\n\r\n"
             "Send it to me.\r\n",
             a.id);
    r.req.sender = (char *)"eve@elsewhere.example";
    r.fields[0].value = (char *)" Re: printer";
    struct answer b = call_fd(d, &r.req, message_fd(text));
    assert_created(&b);
    assert_string_not_equal(b.id, a.id);
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
    struct answer a = call_fd(&d, &r.req, message_fd(mail));
    assert_created(&a);
    daemon_write_conf(&d, "desk \"new\" { addresses = {\"new@example.test\"} "
                          "prefix = \"NEW\" }\n");
    free(daemon_control(&d, "reload", NULL, NULL, NULL));
    a = call_fd(&d, &r.req, message_fd(mail));
    assert_int_equal(a.status, TKT_WIRE_STALE);
    r.req.generation = 0;
    r.rcpts[0].addr = (char *)"new@example.test";
    a = call_fd(&d, &r.req, mail_fd("new"));
    assert_created(&a);
    assert_memory_equal(a.id, "NEW-", 4);
    daemon_remove(&d);
}

/* ---- control -------------------------------------------------------------------------- */

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
    struct answer a = call_fd(d, &r.req, mail_fd("control"));
    assert_created(&a);
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
        cmocka_unit_test(dry_run_changes_nothing),
        cmocka_unit_test(old_generation_is_told_and_none_is_taken),
        cmocka_unit_test(stranger_to_the_desks_is_a_wrong_request),
        cmocka_unit_test(forged_signed_id_is_deleted_and_makes_no_ticket_its_own),
        cmocka_unit_test(cancelled_hold_withdraws_and_the_same_message_revives),
        cmocka_unit_test(unknown_hold_is_refused),
        cmocka_unit_test(token_of_nobody_is_no_ticket),
        cmocka_unit_test(wrong_descriptors_are_errors_and_never_no_message),
        cmocka_unit_test(file_that_cannot_be_read_is_an_error),
        cmocka_unit_test(file_that_shrinks_while_it_is_read_is_not_taken),
        cmocka_unit_test(request_whose_time_is_over_is_not_taken),
        cmocka_unit_test(list_footer_is_a_copy_and_another_body_another_ticket),
        cmocka_unit_test(peer_without_the_right_is_refused),
        cmocka_unit_test(control_explains_what_is_wrong),
        cmocka_unit_test(control_reads_what_intake_wrote),
        cmocka_unit_test(
            oversize_is_refused_in_the_session_only_if_all_recipients_are_desks),
        cmocka_unit_test(out_of_descriptors_every_hook_gets_an_answer),
        cmocka_unit_test(too_many_connections_of_one_process_are_refused_politely),
        cmocka_unit_test(killed_daemon_knows_its_tickets_again),
        cmocka_unit_test(request_outlives_a_restart_of_the_daemon),
        cmocka_unit_test(without_a_parser_mail_is_taken_and_analysed_later),
        cmocka_unit_test(full_disk_means_temp_and_service_comes_back),
        cmocka_unit_test(wrong_configuration_keeps_the_old_one),
        cmocka_unit_test(accepted_while_away_becomes_a_ticket_and_leaves_the_folder),
        cmocka_unit_test(hold_confirms_itself_after_a_while),
        cmocka_unit_test(token_in_the_address_leads_back_to_the_ticket),
        cmocka_unit_test(answer_of_an_agent_is_a_public_comment),
        cmocka_unit_test(stranger_with_the_id_in_the_subject_gets_a_ticket_of_his_own),
    };

    return cmocka_run_group_tests(tests, start_shared, stop_shared);
}
