/* SPDX-License-Identifier: BSD-2-Clause
 * SMTP submission against a server that says what a script tells it.
 */
#include "net/smtp.h"

#include "base/clock.h"
#include "base/util.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
/* cmocka.h wants these first */
#include <setjmp.h>

#include <cmocka.h>

/* What the server says to a verb; "drop" ends the connection, "hang" says nothing. */
struct script {
    const char *greeting, *ehlo, *starttls, *auth, *more, *mail, *rcpt, *data, *end;
};

struct server {
    struct script script;
    int fd;
    char url[64];
    pthread_t thread;
    char log[4000];  /* the commands */
    char mail[8000]; /* between DATA and the dot */
};

static bool say(int fd, const char *what)
{
    if (strcmp(what, "drop") == 0) {
        return false;
    }
    if (strcmp(what, "hang") == 0) {
        struct pollfd gone = {.fd = fd, .events = POLLRDHUP};

        (void)poll(&gone, 1, 30000); /* until the other end waits no longer */
        return false;
    }
    return dprintf(fd, "%s\r\n", what) > 0;
}

static const char *reply_to(struct server *s, const char *line)
{
    const struct script *c = &s->script;
    const struct {
        const char *verb, *reply;
    } rows[] = {{"EHLO", c->ehlo ? c->ehlo : "250-here\r\n250 AUTH PLAIN LOGIN"},
                {"STARTTLS", c->starttls ? c->starttls : "454 no"},
                {"AUTH", c->auth ? c->auth : "235 ok"},
                {"MAIL", c->mail ? c->mail : "250 ok"},
                {"RCPT", c->rcpt ? c->rcpt : "250 ok"},
                {"DATA", c->data ? c->data : "354 go"},
                {"QUIT", "221 bye"}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        if (strncmp(line, rows[i].verb, strlen(rows[i].verb)) == 0) {
            return rows[i].reply;
        }
    }
    return c->more ? c->more : "500 what";
}

static bool take_mail(struct server *s, FILE *in, int out)
{
    char line[1200];

    while (fgets(line, sizeof(line), in)) {
        if (strcmp(line, ".\r\n") == 0) {
            return say(out, s->script.end ? s->script.end : "250 2.0.0 queued");
        }
        strncat(s->mail, line, sizeof(s->mail) - strlen(s->mail) - 1);
    }
    return false;
}

static void serve_one(struct server *s, int fd)
{
    FILE *in = fdopen(dup(fd), "r");
    char line[1200];
    bool on = say(fd, s->script.greeting ? s->script.greeting : "220 here ESMTP");

    while (on && fgets(line, sizeof(line), in)) {
        const char *reply = reply_to(s, line);

        strncat(s->log, line, sizeof(s->log) - strlen(s->log) - 1);
        on = say(fd, reply);
        if (on && strncmp(line, "DATA", 4) == 0 && reply[0] == '3') {
            on = take_mail(s, in, fd);
        }
    }
    fclose(in);
    close(fd);
}

static void *serve(void *arg)
{
    struct server *s = arg;
    int fd = accept(s->fd, NULL, NULL);

    if (fd >= 0) {
        serve_one(s, fd);
    }
    return NULL;
}

static void server_start(struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(listen(s->fd, 5), 0);
    snprintf(s->url, sizeof(s->url), "smtp://127.0.0.1:%d", ntohs(a.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static const char mail[] = "Subject: hello\r\n\r\n.dot\r\n..two\r\ntext\r\n";

struct end {
    enum tkt_http_outcome outcome;
    enum tkt_smtp_stage stage;
    int status;
    struct tkt_err err;
};

static struct end send_to(struct server *s, struct tkt_smtp_request q)
{
    struct tkt_http_response r;
    struct tkt_err err = TKT_ERR_INIT;
    struct end e;

    server_start(s);
    q.url = s->url;
    q.to = q.to ? q.to : "ann@example.org";
    q.helo = "desk.example.org";
    q.mail = mail;
    q.mail_len = sizeof(mail) - 1;
    q.timeout_ms = q.timeout_ms ? q.timeout_ms : 30000;
    assert_int_equal(tkt_smtp_perform(&q, &r, &e.stage, &err), 0);
    e.outcome = r.outcome;
    e.status = r.status;
    e.err = r.err;
    tkt_http_response_release(&r);
    server_stop(s);
    return e;
}

static void a_mail_arrives_byte_by_byte(void **state)
{
    struct server s = {0};
    struct end e = send_to(&s, (struct tkt_smtp_request){.from = "it@example.org"});

    (void)state;
    assert_int_equal(e.outcome, TKT_HTTP_DONE);
    assert_int_equal(e.err.class, TKT_ERR_NONE);
    assert_non_null(strstr(s.log, "EHLO desk.example.org\r\n"));
    assert_non_null(strstr(s.log, "MAIL FROM:<it@example.org>"));
    assert_non_null(strstr(s.log, "RCPT TO:<ann@example.org>\r\n"));
    assert_string_equal(s.mail, "Subject: hello\r\n\r\n..dot\r\n...two\r\ntext\r\n");
}

static void no_sender_is_the_null_sender(void **state)
{
    struct server s = {0};
    struct end e = send_to(&s, (struct tkt_smtp_request){.from = ""});

    (void)state;
    assert_int_equal(e.outcome, TKT_HTTP_DONE);
    assert_non_null(strstr(s.log, "MAIL FROM:<>"));
}

static void each_reply_has_its_outcome(void **state)
{
    static const struct {
        struct script script;
        enum tkt_http_outcome outcome;
        enum tkt_smtp_stage stage;
        enum tkt_err_class class;
        enum tkt_failure failure;
    } rows[] = {
        {{.greeting = "421 busy"}, TKT_HTTP_RETRY, TKT_SMTP_CONNECT, TKT_ERR_TEMP, 0},
        {{.greeting = "drop"}, TKT_HTTP_RETRY, TKT_SMTP_CONNECT, TKT_ERR_TEMP, 0},
        {{.mail = "451 4.3.0 later"}, TKT_HTTP_RETRY, TKT_SMTP_MAIL, TKT_ERR_TEMP, 0},
        {{.mail = "530 log in"}, TKT_HTTP_REJECTED, TKT_SMTP_MAIL, TKT_ERR_CONF, 0},
        {{.mail = "552 5.3.4 too large"},
         TKT_HTTP_REJECTED,
         TKT_SMTP_MAIL,
         TKT_ERR_PERM,
         0},
        {{.rcpt = "450 4.2.1 later"}, TKT_HTTP_RETRY, TKT_SMTP_RCPT, TKT_ERR_TEMP, 0},
        {{.rcpt = "550 5.1.1 nobody"},
         TKT_HTTP_REJECTED,
         TKT_SMTP_RCPT,
         TKT_ERR_PERM,
         TKT_FAILURE_LASTING},
        {{.rcpt = "550 nobody"},
         TKT_HTTP_REJECTED,
         TKT_SMTP_RCPT,
         TKT_ERR_PERM,
         TKT_FAILURE_LASTING},
        {{.rcpt = "552 5.2.2 mailbox full"},
         TKT_HTTP_REJECTED,
         TKT_SMTP_RCPT,
         TKT_ERR_PERM,
         TKT_FAILURE_PASSING},
        {{.rcpt = "552 full"},
         TKT_HTTP_REJECTED,
         TKT_SMTP_RCPT,
         TKT_ERR_PERM,
         TKT_FAILURE_PASSING},
        {{.rcpt = "550 5.1.8 no such sender"},
         TKT_HTTP_REJECTED,
         TKT_SMTP_RCPT,
         TKT_ERR_PERM,
         0},
        {{.rcpt = "554 5.7.1 relay denied"},
         TKT_HTTP_REJECTED,
         TKT_SMTP_RCPT,
         TKT_ERR_CONF,
         0},
        {{.rcpt = "drop"}, TKT_HTTP_RETRY, TKT_SMTP_RCPT, TKT_ERR_TEMP, 0},
        {{.data = "554 no"}, TKT_HTTP_REJECTED, TKT_SMTP_DATA, TKT_ERR_PERM, 0},
        {{.data = "drop"}, TKT_HTTP_RETRY, TKT_SMTP_DATA, TKT_ERR_TEMP, 0},
        {{.end = "452 4.3.1 disk full"}, TKT_HTTP_RETRY, TKT_SMTP_END, TKT_ERR_TEMP, 0},
        {{.end = "554 5.6.0 spam"}, TKT_HTTP_REJECTED, TKT_SMTP_END, TKT_ERR_PERM, 0},
        {{.end = "550-5.7.1 two\r\n550 5.7.1 lines"},
         TKT_HTTP_REJECTED,
         TKT_SMTP_END,
         TKT_ERR_PERM,
         0},
        {{.end = "drop"}, TKT_HTTP_UNKNOWN, TKT_SMTP_END, TKT_ERR_TEMP, 0}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct server s = {.script = rows[i].script};
        struct end e = send_to(&s, (struct tkt_smtp_request){.from = "it@example.org"});

        if (e.outcome != rows[i].outcome || e.stage != rows[i].stage ||
            e.err.class != rows[i].class) {
            fail_msg("row %zu: %s at %s: %s", i, tkt_http_outcome_names[e.outcome],
                     tkt_smtp_stage_names[e.stage], e.err.text);
        }
        char enhanced[16];
        const char *said = rows[i].script.rcpt ? rows[i].script.rcpt : "";

        tkt_smtp_enhanced(strlen(said) > 4 ? said + 4 : "", enhanced);
        assert_int_equal(tkt_smtp_failure(e.status, enhanced, e.stage), rows[i].failure);
    }
}

static void silence_behind_the_dot_leaves_it_unknown(void **state)
{
    struct server s = {.script = {.end = "hang"}};
    struct end e = send_to(&s, (struct tkt_smtp_request){.timeout_ms = 2000});

    (void)state;
    assert_int_equal(e.outcome, TKT_HTTP_UNKNOWN);
}

static void log_ins_go_by_the_mechanism_that_was_asked_for(void **state)
{
    struct server plain = {0};
    struct server login = {.script = {.auth = "334 VXNlcm5hbWU6", .more = "235 ok"}};
    struct server token = {.script = {.ehlo = "250-here\r\n250 AUTH PLAIN XOAUTH2"}};
    struct server wrong = {.script = {.auth = "535 5.7.8 no"}};
    struct server stale = {.script = {.ehlo = "250-here\r\n250 AUTH XOAUTH2",
                                      .auth = "334 eyJzdGF0dXMiOiI0MDEifQ=="}};
    struct tkt_smtp_request q = {.user = "desk", .password = "secret"};

    (void)state;
    assert_int_equal(send_to(&plain, q).outcome, TKT_HTTP_DONE);
    assert_non_null(strstr(plain.log, "AUTH PLAIN AGRlc2sAc2VjcmV0\r\n"));
    q.mechanisms = "LOGIN";
    assert_int_equal(send_to(&login, q).outcome, TKT_HTTP_DONE);
    assert_non_null(strstr(login.log, "AUTH LOGIN"));
    struct end e = send_to(&wrong, q);
    assert_int_equal(e.outcome, TKT_HTTP_REJECTED);
    assert_int_equal(e.err.class, TKT_ERR_CONF);
    assert_int_equal(e.stage, TKT_SMTP_AUTH);
    assert_null(strstr(e.err.text, "secret"));
    q = (struct tkt_smtp_request){.user = "test@contoso.onmicrosoft.com",
                                  .bearer = "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"};
    assert_int_equal(send_to(&token, q).outcome, TKT_HTTP_DONE);
    /* the vendor's own example */
    assert_non_null(strstr(
        token.log,
        "AUTH XOAUTH2 dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3Q"
        "kFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ==\r\n"));
    e = send_to(&stale, q);
    assert_int_equal(e.outcome, TKT_HTTP_REJECTED);
    assert_int_equal(e.err.class, TKT_ERR_CONF);
    assert_int_equal(e.status, 535);
    assert_int_equal(e.stage, TKT_SMTP_AUTH);
}

static void addresses_beyond_ascii_go_where_they_are_taken_alone(void **state)
{
    static const char jose[] = "jos\xc3\xa9@example.org";
    struct server takes = {.script = {.ehlo = "250-here\r\n250 SMTPUTF8"}};
    struct server lacks = {0};
    struct server from = {0};
    struct tkt_smtp_request q = {.from = "it@example.org", .to = jose};
    struct end e = send_to(&takes, q);

    (void)state;
    assert_int_equal(e.outcome, TKT_HTTP_DONE);
    assert_non_null(strstr(takes.log, "MAIL FROM:<it@example.org> SMTPUTF8"));
    assert_non_null(strstr(takes.log, jose));
    e = send_to(&lacks, q);
    assert_int_equal(e.outcome, TKT_HTTP_REJECTED);
    assert_int_equal(e.err.class, TKT_ERR_PERM);
    assert_int_equal(e.stage, TKT_SMTP_RCPT);
    assert_int_equal(e.status, 553);
    assert_non_null(strstr(e.err.text, "5.6.7"));
    assert_null(strstr(lacks.log, "RCPT"));
    assert_string_equal(lacks.mail, "");
    e = send_to(&from, (struct tkt_smtp_request){.from = jose});
    assert_int_equal(e.outcome, TKT_HTTP_REJECTED);
    assert_null(strstr(from.log, "RCPT"));
}

static void without_starttls_nothing_leaves_where_it_is_a_must(void **state)
{
    struct server s = {0};
    struct tkt_smtp_request q = {.user = "desk", .password = "secret", .starttls = true};
    struct end e = send_to(&s, q);

    (void)state;
    assert_int_equal(e.outcome, TKT_HTTP_REJECTED);
    assert_int_equal(e.err.class, TKT_ERR_CONF);
    assert_null(strstr(s.log, "AUTH"));
    assert_null(strstr(s.log, "MAIL"));
}

static void what_would_end_a_command_is_refused(void **state)
{
    static const char *const bad[] = {"a@b\r\nRCPT TO:<c@d>", "a@b>", "<a@b", "a\x7f@b",
                                      ""};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_http *h = tkt_http_new(&err);

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        struct tkt_smtp_request q = {
            .url = "smtp://127.0.0.1:1", .to = bad[i], .mail = "x", .mail_len = 1};

        assert_null(tkt_smtp_start(h, &q, &err));
        assert_int_equal(err.class, TKT_ERR_PERM);
        q.to = "a@b";
        q.from = bad[i];
        assert_true(bad[i][0] == '\0' || tkt_smtp_start(h, &q, &err) == NULL);
    }
    assert_int_equal(tkt_http_in_flight(h), 0);
    tkt_http_free(&h);
}

static void urls_are_of_mail_alone(void **state)
{
    static const char *const good[] = {"smtp://mx.example.org", "smtp://mx:587",
                                       "smtps://mx.example.org:465", "smtp://[::1]:25"};
    static const char *const bad[] = {
        "http://mx",          "smtp://user@mx", "smtp://mx/",
        "smtp://mx/name",     "smtp://mx?x",    "mx:25",
        "smtp://u:p@mx:25",   "smtp://m x",     "",
        "smtp://mx#fragment", "imap://mx"};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(good); i++) {
        assert_int_equal(tkt_smtp_check_url(good[i], &err), 0);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(tkt_smtp_check_url(bad[i], &err), -1);
        assert_int_equal(err.class, TKT_ERR_CONF);
    }
}

static void an_enhanced_status_is_three_numbers(void **state)
{
    static const char *const rows[][2] = {{"5.1.1 nobody", "5.1.1"},
                                          {"4.2.2", "4.2.2"},
                                          {"127.0.0.1 said", ""},
                                          {"5.1 x", ""},
                                          {"nobody", ""},
                                          {"", ""},
                                          {"5.1.1nobody", ""},
                                          {"3.1.1 x", ""},
                                          {"5.7.999 x", "5.7.999"},
                                          {"5.1. x", ""},
                                          {"2.0.0 ok", "2.0.0"}};
    char out[16];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        tkt_smtp_enhanced(rows[i][0], out);
        assert_string_equal(out, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mail_arrives_byte_by_byte),
        cmocka_unit_test(no_sender_is_the_null_sender),
        cmocka_unit_test(each_reply_has_its_outcome),
        cmocka_unit_test(silence_behind_the_dot_leaves_it_unknown),
        cmocka_unit_test(log_ins_go_by_the_mechanism_that_was_asked_for),
        cmocka_unit_test(addresses_beyond_ascii_go_where_they_are_taken_alone),
        cmocka_unit_test(without_starttls_nothing_leaves_where_it_is_a_must),
        cmocka_unit_test(what_would_end_a_command_is_refused),
        cmocka_unit_test(urls_are_of_mail_alone),
        cmocka_unit_test(an_enhanced_status_is_three_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
