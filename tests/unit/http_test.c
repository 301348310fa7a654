/* SPDX-License-Identifier: BSD-2-Clause
 * The HTTP client against a server that behaves and misbehaves.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/util.h"
#include "http_fake.h"
#include "net/http.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct fake *fake;

static int start(void **state)
{
    (void)state;
    fake = fake_start();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_stop(&fake);
    return 0;
}

static struct tkt_http_response ask(const char *method, const char *path,
                                    const char *body, struct tkt_http_request q)
{
    struct tkt_http_response r = {0};
    struct tkt_err err = TKT_ERR_INIT;

    q.method = method;
    q.url = *path == '/' ? fake_url(fake, path) : path;
    q.body = body;
    q.body_len = body ? strlen(body) : 0;
    q.timeout_ms = q.timeout_ms ? q.timeout_ms : 30000;
    q.accept_type = "application/json";
    if (tkt_http_perform(&q, &r, &err) < 0) {
        r.status = -1;
        r.err = err;
    }
    return r;
}

static void expect(const char *method, const char *path, enum tkt_http_outcome outcome,
                   int status)
{
    struct tkt_http_response r =
        ask(method, path, strcmp(method, "GET") == 0 ? NULL : "{\"a\":1}",
            (struct tkt_http_request){.answer_max = 100000});

    if (r.outcome != outcome || r.status != status) {
        fail_msg("%s %s: %s %d (%s)", method, path, tkt_http_outcome_names[r.outcome],
                 r.status, r.err.text);
    }
    assert_int_equal(r.err.class == TKT_ERR_NONE, outcome == TKT_HTTP_DONE);
    tkt_http_response_release(&r);
}

static void each_answer_has_its_outcome(void **state)
{
    static const struct {
        const char *method, *path;
        enum tkt_http_outcome outcome;
        int status;
    } rows[] = {
        {"POST", "/ok", TKT_HTTP_DONE, 200},
        {"GET", "/ok", TKT_HTTP_DONE, 200},
        {"POST", "/problem", TKT_HTTP_DONE, 200},
        {"POST", "/status/400", TKT_HTTP_REJECTED, 400},
        {"POST", "/status/401", TKT_HTTP_REJECTED, 401},
        {"POST", "/status/403", TKT_HTTP_REJECTED, 403},
        {"POST", "/status/404", TKT_HTTP_REJECTED, 404},
        {"POST", "/status/409", TKT_HTTP_REJECTED, 409},
        {"POST", "/status/413", TKT_HTTP_REJECTED, 413},
        {"POST", "/status/422", TKT_HTTP_REJECTED, 422},
        {"POST", "/status/302", TKT_HTTP_REJECTED, 302},
        {"POST", "/status/408", TKT_HTTP_RETRY, 408},
        {"POST", "/status/425", TKT_HTTP_RETRY, 425},
        {"POST", "/status/429", TKT_HTTP_RETRY, 429},
        {"POST", "/status/500", TKT_HTTP_RETRY, 500},
        {"POST", "/status/503", TKT_HTTP_RETRY, 503},
        {"POST", "/status/502", TKT_HTTP_UNKNOWN, 502},
        {"POST", "/status/504", TKT_HTTP_UNKNOWN, 504},
        {"GET", "/status/504", TKT_HTTP_RETRY, 504},
        {"POST", "/quota403", TKT_HTTP_RETRY, 403},
        {"POST", "/drop", TKT_HTTP_UNKNOWN, 0},
        {"GET", "/drop", TKT_HTTP_RETRY, 0},
        {"POST", "/half", TKT_HTTP_UNKNOWN, 201},
        {"POST", "/html", TKT_HTTP_UNKNOWN, 200},
        {"GET", "/html", TKT_HTTP_RETRY, 200},
        {"POST", "/notype", TKT_HTTP_UNKNOWN, 200},
        {"POST", "/huge/100001", TKT_HTTP_UNKNOWN, 200},
        {"GET", "/huge/100001", TKT_HTTP_REJECTED, 200},
        {"POST", "/huge/100000", TKT_HTTP_DONE, 200},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        expect(rows[i].method, rows[i].path, rows[i].outcome, rows[i].status);
    }
}

static void a_slow_answer_is_unknown_for_a_post_alone(void **state)
{
    struct tkt_http_request q = {.timeout_ms = 4000}; /* it is sent before that */
    struct tkt_http_response r = ask("POST", "/slow/30000", "{}", q);

    (void)state;
    assert_int_equal(r.outcome, TKT_HTTP_UNKNOWN);
    tkt_http_response_release(&r);
    r = ask("GET", "/slow/30000", NULL, q);
    assert_int_equal(r.outcome, TKT_HTTP_RETRY);
    tkt_http_response_release(&r);
}

static void an_answer_that_drips_behind_an_upload_has_an_end(void **state)
{
    struct tkt_http_response r =
        ask("POST", "/drip", "{}", (struct tkt_http_request){.stall_ms = 500});

    (void)state;
    assert_int_equal(r.outcome, TKT_HTTP_UNKNOWN);
    assert_in_range(r.took_ms, 900, 30000);
    tkt_http_response_release(&r);
}

static void nobody_listens_and_nothing_was_sent(void **state)
{
    struct tkt_http_response r = ask("POST", "http://127.0.0.1:1/x?token=hush", "{}",
                                     (struct tkt_http_request){.timeout_ms = 2000});

    (void)state;
    assert_int_equal(r.outcome, TKT_HTTP_RETRY);
    assert_int_equal(r.err.class, TKT_ERR_TEMP);
    assert_non_null(strstr(r.err.text, "http://127.0.0.1"));
    assert_null(strstr(r.err.text, "hush"));
    tkt_http_response_release(&r);
}

static void retry_after_is_read_in_both_forms(void **state)
{
    struct tkt_http_response r =
        ask("POST", "/later/7", "{}", (struct tkt_http_request){0});

    (void)state;
    assert_int_equal(r.err.retry_after_s, 7);
    tkt_http_response_release(&r);
    r = ask("POST", "/later/999999999999", "{}", (struct tkt_http_request){0});
    assert_int_equal(r.err.retry_after_s, TKT_HTTP_RETRY_AFTER_MAX_S);
    tkt_http_response_release(&r);
    r = ask("POST", "/laterdate", "{}", (struct tkt_http_request){0});
    assert_in_range(r.err.retry_after_s, 80, 90);
    tkt_http_response_release(&r);
}

static void a_field_of_the_answer_is_found_by_its_name(void **state)
{
    struct tkt_http_response r = ask("GET", "/ok", NULL, (struct tkt_http_request){0});
    char room[100];
    char tiny[3];

    (void)state;
    assert_string_equal(tkt_http_header(&r, "x-request-id", room, sizeof(room)), "r-1");
    assert_string_equal(tkt_http_header(&r, "x-request-id", tiny, sizeof(tiny)), "r-");
    assert_null(tkt_http_header(&r, "x-request", room, sizeof(room)));
    tkt_http_response_release(&r);
}

static void urls_that_may_not_be_called_are_refused(void **state)
{
    static const char *const bad[] = {
        "http://example.com/",      "ftp://127.0.0.1/", "file:///etc/passwd",
        "https://u:p@example.com/", "https://",         "https://a b/",
        "https://x/#frag",          "example.com",      "",
        "https://x/\r\nHost: y"};
    struct tkt_http_peer peer = {0};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        if (tkt_http_check_url(bad[i], &peer, &err) == 0) {
            fail_msg("%s was taken", bad[i]);
        }
        assert_int_equal(err.class, TKT_ERR_CONF);
    }
    assert_int_equal(tkt_http_check_url("https://example.com/x?y=1", &peer, &err), 0);
    assert_int_equal(tkt_http_check_url("http://localhost:8080/v1", &peer, &err), 0);
    assert_int_equal(tkt_http_check_url("http://[::1]/v1", &peer, &err), 0);
    peer.allow_plain = true;
    assert_int_equal(tkt_http_check_url("http://example.com/", &peer, &err), 0);
    peer = (struct tkt_http_peer){.public_only = true};
    assert_int_equal(tkt_http_check_url("https://169.254.169.254/", &peer, &err), -1);
    assert_int_equal(tkt_http_check_url("https://[::ffff:10.0.0.1]/", &peer, &err), -1);
    assert_int_equal(tkt_http_check_url("https://2130706433/", &peer, &err), -1);
    assert_int_equal(tkt_http_check_url("https://8.8.8.8/", &peer, &err), 0);
}

static void a_name_that_leads_inside_is_refused_after_dns(void **state)
{
    struct tkt_http_request q = {.peer = {.public_only = true}};
    char url[100];

    (void)state;
    /* "localhost" is a name: only what it resolves to tells. */
    snprintf(url, sizeof(url), "http://localhost:%s/ok",
             strrchr(fake_url(fake, ""), ':') + 1);
    int before = fake_connections(fake);
    struct tkt_http_response r = ask("POST", url, "{}", q);
    assert_int_equal(r.outcome, TKT_HTTP_REJECTED);
    assert_int_equal(r.err.class, TKT_ERR_PERM);
    assert_int_equal(fake_connections(fake), before);
    tkt_http_response_release(&r);
}

/* ---- many at once, on one loop -------------------------------------------------------- */

struct tally {
    int ended, good;
    enum tkt_http_outcome last;
    struct tkt_http *http;
};

static void count_done(struct tkt_http_call *call, struct tkt_http_response *r)
{
    struct tally *t = tkt_http_arg(call);

    t->ended++;
    t->good += r->outcome == TKT_HTTP_DONE;
    t->last = r->outcome;
}

static const char *const json_type[] = {"Content-Type: application/json", NULL};

static void go_as(struct tally *t, const char *const *headers, const char *method,
                  const char *path, const char *body, int in_flight, bool repeatable)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_http_request q = {.method = method,
                                 .url = fake_url(fake, path),
                                 .headers = headers,
                                 .body = body,
                                 .body_len = body ? strlen(body) : 0,
                                 .timeout_ms = 30000,
                                 .repeatable = repeatable,
                                 .peer = {.in_flight_max = in_flight},
                                 .done = count_done,
                                 .arg = t};

    assert_non_null(tkt_http_start(t->http, &q, &err));
}

static void go(struct tally *t, const char *method, const char *path, const char *body,
               int in_flight, bool repeatable)
{
    go_as(t, NULL, method, path, body, in_flight, repeatable);
}

static void run_all(struct tally *t, int count)
{
    int64_t until = tkt_clock_mono_ms() + 60000;

    while (t->ended < count && tkt_clock_mono_ms() < until) {
        tkt_http_poll(t->http, 100);
    }
    assert_int_equal(t->ended, count);
    assert_int_equal(tkt_http_in_flight(t->http), 0);
}

static void connections_are_kept_and_limited(void **state)
{
    struct tally t = {0};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    t.http = tkt_http_new(&err);
    for (int i = 0; i < 60; i++) {
        go(&t, "POST", "/slow/5", "{}", 3, false);
    }
    run_all(&t, 60);
    assert_int_equal(t.good, 60);
    assert_in_range(fake_connections(fake), 1, 3);
    assert_in_range(fake_most_at_once(fake), 2, 3);
    tkt_http_free(&t.http);
}

/* curl sends again by itself what a kept connection lost: a ticket would be made twice. */
static void lose_on_a_kept_connection(const char *const *headers, const char *body)
{
    struct tally t = {0};
    struct tkt_err err = TKT_ERR_INIT;

    t.http = tkt_http_new(&err);
    go_as(&t, headers, "POST", "/reset-after/2", body, 1, false);
    run_all(&t, 1);
    assert_int_equal(t.good, 1);
    go_as(&t, headers, "POST", "/reset-after/2", body, 1, false);
    run_all(&t, 2);
    assert_int_equal(t.last, TKT_HTTP_UNKNOWN);
    assert_int_equal(fake_requests(fake), 2);
    tkt_http_free(&t.http);
}

static void a_post_lost_on_a_kept_connection_is_sent_once(void **state)
{
    (void)state;
    lose_on_a_kept_connection(NULL, "{\"create\":1}");
}

/* Its body goes along with the header. */
static void a_typed_post_lost_on_a_kept_connection_is_sent_once(void **state)
{
    (void)state;
    lose_on_a_kept_connection(json_type, "{\"create\":1}");
}

/* Too large to go along. */
static void a_large_typed_post_that_is_lost_is_sent_once(void **state)
{
    static char body[200001];

    (void)state;
    memset(body, ' ', sizeof(body) - 1);
    body[0] = '[';
    body[sizeof(body) - 2] = ']';
    lose_on_a_kept_connection(json_type, body);
}

static void what_may_be_repeated_is_sent_again_on_a_new_connection(void **state)
{
    struct tally t = {0};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    t.http = tkt_http_new(&err);
    go_as(&t, json_type, "PUT", "/reset-after/2", "{}", 1, true);
    run_all(&t, 1);
    go_as(&t, json_type, "PUT", "/reset-after/2", "{}", 1, true);
    run_all(&t, 2);
    assert_int_equal(t.last, TKT_HTTP_RETRY); /* the server resets that one, too */
    assert_int_equal(fake_requests(fake), 3);
    tkt_http_free(&t.http);
}

static void a_post_without_a_body_is_sent_once_too(void **state)
{
    struct tally t = {0};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    t.http = tkt_http_new(&err);
    go(&t, "POST", "/reset-after/2", NULL, 1, false);
    run_all(&t, 1);
    go(&t, "POST", "/reset-after/2", NULL, 1, false);
    run_all(&t, 2);
    assert_int_equal(t.last, TKT_HTTP_UNKNOWN);
    assert_int_equal(fake_requests(fake), 2);
    tkt_http_free(&t.http);
}

static void a_cancelled_call_ends_without_a_word(void **state)
{
    struct tally t = {0};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_http_request q = {.method = "GET",
                                 .url = fake_url(fake, "/slow/30000"),
                                 .done = count_done,
                                 .arg = &t};

    (void)state;
    t.http = tkt_http_new(&err);
    struct tkt_http_call *running = tkt_http_start(t.http, &q, &err);
    struct tkt_http_call *waiting = tkt_http_start(t.http, &q, &err);
    tkt_http_poll(t.http, 20);
    tkt_http_cancel(&running);
    tkt_http_cancel(&waiting);
    assert_int_equal(tkt_http_in_flight(t.http), 0);
    tkt_http_poll(t.http, 10);
    assert_int_equal(t.ended, 0);
    assert_non_null(tkt_http_start(t.http, &q, &err)); /* free ends it */
    tkt_http_poll(t.http, 10);
    tkt_http_free(&t.http);
    assert_int_equal(t.ended, 0);
}

static void *wake_it(void *arg)
{
    usleep(50000);
    tkt_http_wake(arg);
    return NULL;
}

static void another_thread_ends_the_wait(void **state)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_http *http = tkt_http_new(&err);
    pthread_t thread;

    (void)state;
    int64_t at = tkt_clock_mono_ms();
    pthread_create(&thread, NULL, wake_it, http);
    tkt_http_poll(http, 30000);
    assert_true(tkt_clock_mono_ms() - at < 15000);
    pthread_join(thread, NULL);
    tkt_http_free(&http);
}

static void a_file_is_streamed_from_its_descriptor(void **state)
{
    enum {
        SIZE = 5 * 1024 * 1024
    };
    int fd = memfd_create("body", MFD_CLOEXEC);
    TKT_AUTO_FREE unsigned char *data = malloc(SIZE + 10);
    unsigned char want[32], got[32];
    struct tkt_http_request q = {.body_fd = fd, .body_offset = 10, .body_size = SIZE};

    (void)state;
    tkt_random(data, SIZE + 10);
    assert_int_equal(write(fd, data, SIZE + 10), SIZE + 10);
    tkt_sha256(data + 10, SIZE, want);
    struct tkt_http_response r = ask("POST", "/ok", NULL, q);
    assert_int_equal(r.outcome, TKT_HTTP_DONE);
    assert_int_equal(fake_last_body(fake, got), SIZE);
    assert_memory_equal(want, got, 32);
    assert_null(strstr(fake_last_head(fake), "Expect"));
    tkt_http_response_release(&r);
    q.body_size = SIZE + 1; /* the file is shorter than it was said to be */
    r = ask("POST", "/ok", NULL, q);
    assert_int_equal(r.outcome, TKT_HTTP_UNKNOWN);
    tkt_http_response_release(&r);
    close(fd);
}

static void header_fields_cannot_be_smuggled(void **state)
{
    const char *const bad[] = {"X-A: b\r\nX-C: d", NULL};
    const char *const good[] = {"Authorization: Bearer x", "Accept: application/json",
                                NULL};
    struct tkt_http_response r =
        ask("POST", "/ok", "{}", (struct tkt_http_request){.headers = bad});

    (void)state;
    assert_int_equal(r.status, -1);
    assert_int_equal(fake_requests(fake), 0);
    r = ask("POST", "/ok", "{}", (struct tkt_http_request){.headers = good});
    assert_int_equal(r.outcome, TKT_HTTP_DONE);
    assert_non_null(strstr(fake_last_head(fake), "Authorization: Bearer x"));
    tkt_http_response_release(&r);
}

static void the_environment_names_no_proxy(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    expect("POST", "/ok", TKT_HTTP_DONE, 200);
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
    struct tkt_http_request q = {.peer = {.proxy = fake_url(fake, "")}};
    struct tkt_http_response r = ask("GET", "http://127.0.0.1:9/through", NULL, q);
    assert_int_equal(r.outcome, TKT_HTTP_DONE);
    assert_non_null(strstr(fake_last_head(fake), "GET http://127.0.0.1:9/through"));
    tkt_http_response_release(&r);
}

static void a_ca_file_that_is_not_there_is_named(void **state)
{
    struct tkt_http_request q = {.peer = {.ca_file = "/nonexistent/ca.pem"}};
    struct tkt_http_response r = ask("POST", "/ok", "{}", q);

    (void)state;
    assert_int_equal(r.status, -1);
    assert_int_equal(r.err.class, TKT_ERR_CONF);
    assert_non_null(strstr(r.err.text, "/nonexistent/ca.pem"));
}

/* As configurations have it: what is not set is "". */
static void what_is_empty_of_how_to_reach_a_server_counts_as_not_given(void **state)
{
    struct tkt_http_request q = {
        .peer = {.ca_file = "", .client_cert = "", .client_key = "", .proxy = ""}};
    struct tkt_http_response r = ask("POST", "/ok", "{}", q);

    (void)state;
    assert_int_equal(r.outcome, TKT_HTTP_DONE);
    tkt_http_response_release(&r);
    /* With a proxy it would not be looked at where the name leads to. */
    q.peer.public_only = true;
    q.peer.allow_plain = true;
    char url[200];
    snprintf(url, sizeof(url), "%s", fake_url(fake, "/ok"));
    char *host = strstr(url, "127.0.0.1");
    assert_non_null(host);
    memcpy(host, "localhost", 9);
    int before = fake_requests(fake);
    r = ask("POST", url, "{}", q);
    assert_int_equal(r.outcome, TKT_HTTP_REJECTED);
    assert_int_equal(fake_requests(fake), before);
    tkt_http_response_release(&r);
}

/* ---- TLS: openssl(1) as the server ----------------------------------------------------- */

struct tls {
    char dir[64];
    pid_t pid;
    int port;
};

static bool tls_start(struct tls *s)
{
    char command[2000];
    char line[200];
    int fds[2];

    snprintf(s->dir, sizeof(s->dir), "/tmp/tkt-http.XXXXXX");
    if (!mkdtemp(s->dir) || pipe(fds) < 0) {
        return false;
    }
    snprintf(command, sizeof(command),
             "cd %s && exec 2>/dev/null && openssl req -x509 -newkey ec -pkeyopt "
             "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext "
             "subjectAltName=DNS:localhost -keyout key.pem -out cert.pem",
             s->dir);
    if (system(command) != 0) {
        return false;
    }
    s->pid = fork();
    if (s->pid == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        if (chdir(s->dir) == 0) {
            execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                   "cert.pem", "-key", "key.pem", "-www", "-Verify", "1",
                   "-verify_return_error", "-CAfile", "cert.pem", "-no_dhe", NULL);
        }
        _exit(127);
    }
    close(fds[1]);
    FILE *f = fdopen(fds[0], "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "ACCEPT 127.0.0.1:%d", &s->port) == 1) {
            return true; /* its output stays open until we end */
        }
    }
    return false;
}

static void tls_stop(struct tls *s)
{
    char command[100];

    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    snprintf(command, sizeof(command), "rm -r %s", s->dir);
    assert_int_equal(system(command), 0);
}

static void a_server_and_a_client_are_proved_by_tls(void **state)
{
    struct tls s = {0};
    char url[100], cert[100], key[100];
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_http_response r = {0};

    (void)state;
    if (!tls_start(&s)) {
        tls_stop(&s);
        print_message("SKIP: openssl s_server does not run here\n");
        skip();
    }
    snprintf(url, sizeof(url), "https://localhost:%d/", s.port);
    snprintf(cert, sizeof(cert), "%s/cert.pem", s.dir);
    snprintf(key, sizeof(key), "%s/key.pem", s.dir);
    struct tkt_http_request q = {.method = "GET", .url = url, .timeout_ms = 30000};

    /* nobody vouches for it */
    assert_int_equal(tkt_http_perform(&q, &r, &err), 0);
    assert_int_equal(r.outcome, TKT_HTTP_RETRY);
    assert_int_equal(r.status, 0);
    tkt_http_response_release(&r);
    /* its own CA, and our certificate */
    q.peer =
        (struct tkt_http_peer){.ca_file = cert, .client_cert = cert, .client_key = key};
    assert_int_equal(tkt_http_perform(&q, &r, &err), 0);
    assert_int_equal(r.status, 200);
    assert_int_equal(r.outcome, TKT_HTTP_DONE);
    tkt_http_response_release(&r);
    /* no certificate of ours: the server ends it */
    q.peer = (struct tkt_http_peer){.ca_file = cert};
    assert_int_equal(tkt_http_perform(&q, &r, &err), 0);
    assert_int_equal(r.outcome, TKT_HTTP_RETRY);
    tkt_http_response_release(&r);
    /* the right CA, but another name than the certificate's */
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", s.port);
    q.peer =
        (struct tkt_http_peer){.ca_file = cert, .client_cert = cert, .client_key = key};
    assert_int_equal(tkt_http_perform(&q, &r, &err), 0);
    assert_int_equal(r.status, 0);
    tkt_http_response_release(&r);
    tls_stop(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_answer_has_its_outcome),
        TEST(a_slow_answer_is_unknown_for_a_post_alone),
        TEST(an_answer_that_drips_behind_an_upload_has_an_end),
        TEST(nobody_listens_and_nothing_was_sent),
        TEST(retry_after_is_read_in_both_forms),
        TEST(a_field_of_the_answer_is_found_by_its_name),
        TEST(urls_that_may_not_be_called_are_refused),
        TEST(a_name_that_leads_inside_is_refused_after_dns),
        TEST(connections_are_kept_and_limited),
        TEST(a_post_lost_on_a_kept_connection_is_sent_once),
        TEST(a_typed_post_lost_on_a_kept_connection_is_sent_once),
        TEST(a_large_typed_post_that_is_lost_is_sent_once),
        TEST(what_may_be_repeated_is_sent_again_on_a_new_connection),
        TEST(a_post_without_a_body_is_sent_once_too),
        TEST(a_cancelled_call_ends_without_a_word),
        TEST(another_thread_ends_the_wait),
        TEST(a_file_is_streamed_from_its_descriptor),
        TEST(header_fields_cannot_be_smuggled),
        TEST(the_environment_names_no_proxy),
        TEST(a_ca_file_that_is_not_there_is_named),
        TEST(what_is_empty_of_how_to_reach_a_server_counts_as_not_given),
        TEST(a_server_and_a_client_are_proved_by_tls),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
