/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd/hook: who signed a call, and which ticket it names.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/back.h"
#include "ticketd/hook/hook.h"
#include "ticketd/hook/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define NOW_MS (INT64_C(1795341600) * 1000) /* 2026-11-22T10:00:00Z */
#define WINDOW_MS (5 * 60 * INT64_C(1000))

struct fields {
    const char *rows[4][2];
};

static const char *field(void *arg, const char *name)
{
    const struct fields *f = arg;

    for (size_t i = 0; i < TKT_ARRAY_LEN(f->rows) && f->rows[i][0] != NULL; i++) {
        if (tkt_ascii_ieq(f->rows[i][0], name)) {
            return f->rows[i][1];
        }
    }
    return NULL;
}

static char words[16][64];

static struct tkt_conf_itsm conf_of(const char *type, enum tkt_conf_hook hook)
{
    static char header[] = "X-Hook-Secret";
    static char none[1];

    snprintf(words[0], sizeof(words[0]), "%s", type);
    return (struct tkt_conf_itsm){
        .type = words[0], .hook = hook, .hook_header = header, .hook_key = none};
}

static int verify_at(const char *type, const char *secrets, struct fields f,
                     const char *body, int64_t now_ms, const char **delivery,
                     struct tkt_err *err)
{
    const struct tkt_conf_itsm conf = conf_of(type, TKT_CONF_HOOK_DEFAULT);
    const struct tkt_hook_call call = {.field = field,
                                       .arg = &f,
                                       .body = body,
                                       .len = strlen(body),
                                       .now_ms = now_ms,
                                       .window_ms = WINDOW_MS};

    *err = (struct tkt_err)TKT_ERR_INIT;
    return tkt_hook_verify(&conf, secrets, &call, delivery, err);
}

static int verify(const char *type, const char *secrets, struct fields f,
                  const char *body)
{
    const char *delivery;
    struct tkt_err err;

    return verify_at(type, secrets, f, body, NOW_MS, &delivery, &err);
}

static void standard_webhooks_are_verified_as_their_own_library_does(void **state)
{
    static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    static const char body[] = "{\"test\": 2432232314}";
    static const char good[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const int64_t then = INT64_C(1614265330) * 1000;
    struct fields f = {{{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                        {"webhook-timestamp", "1614265330"},
                        {"webhook-signature", good}}};
    const char *delivery = NULL;
    struct tkt_err err;

    (void)state;
    assert_int_equal(0, verify_at("webhook", secret, f, body, then, &delivery, &err));
    assert_string_equal(delivery, "msg_p5jXN8AQM9LWM0D4loKWxJek");
    f.rows[2][1] = "v1,AAAA v1a,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_int_equal(0, verify_at("webhook", secret, f, body, then, &delivery, &err));
    /* Replayed late, or from the future. */
    assert_int_equal(
        -1, verify_at("webhook", secret, f, body, then + WINDOW_MS + 1, &delivery, &err));
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(
        -1, verify_at("webhook", secret, f, body, then - WINDOW_MS - 1, &delivery, &err));
    f.rows[1][1] = "1614265331"; /* a new time, the old signature */
    assert_int_equal(-1, verify_at("webhook", secret, f, body, then, &delivery, &err));
    f.rows[1][1] = "1614265330";
    assert_int_equal(
        -1, verify_at("webhook", secret, f, "{\"test\": 1}", then, &delivery, &err));
    f.rows[0][1] = "a.b";
    assert_int_equal(-1, verify_at("webhook", secret, f, body, then, &delivery, &err));
    assert_int_equal(-1,
                     verify_at("webhook", "nonsense", f, body, then, &delivery, &err));
}

static void the_vector_of_github_fits_and_nothing_like_it(void **state)
{
    static const char secret[] = "It's a Secret to Everybody";
    static const char *const bad[] = {
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "sha256=757107ea",
        "sha256=",
        "sha1=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ""};
    struct fields f = {
        {{"x-hub-signature-256",
          "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
         {"X-GitHub-Delivery", "d-1"}}};
    const char *delivery = NULL;
    struct tkt_err err;

    (void)state;
    assert_int_equal(
        0, verify_at("github", secret, f, "Hello, World!", NOW_MS, &delivery, &err));
    assert_string_equal(delivery, "d-1");
    assert_int_equal(-1, verify("github", secret, f, "Hello, World"));
    assert_int_equal(-1, verify("github", "other", f, "Hello, World!"));
    assert_int_equal(-1, verify("github", "\n", f, "Hello, World!"));
    assert_int_equal(
        0, verify("github", "other\nIt's a Secret to Everybody\n", f, "Hello, World!"));
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        f.rows[0][1] = bad[i];
        assert_int_equal(-1, verify("github", secret, f, "Hello, World!"));
    }
    f.rows[0][0] = "X-Other";
    assert_int_equal(-1, verify("github", secret, f, "Hello, World!"));
}

static void each_type_has_its_own_way(void **state)
{
    static const char hex[] =
        "sha256="
        "c48dcba22b49a9371cdf607a41016238221e38c78d72e9eccb55c75bdc0f3ebc";
    struct fields jira = {{{"X-Hub-Signature", hex}}};
    struct fields redmine = {{{"X-Redmine-Signature-256", hex}}};
    struct fields zendesk = {
        {{"X-Zendesk-Webhook-Signature", "DHfq7RVAGj4IiiDW8H0pdVVceLEqc6vTzQT/oBdiacE="},
         {"X-Zendesk-Webhook-Signature-Timestamp", "2026-11-22T10:00:00Z"}}};
    struct fields gitlab = {{{"X-Gitlab-Token", "s3cret"}}};
    struct fields own = {{{"X-Hook-Secret", "s3cret"}}};

    (void)state;
    assert_int_equal(0, verify("jira", "s3cret", jira, "{\"id\":7}"));
    assert_int_equal(-1, verify("jira", "s3cret", jira, "{\"id\":8}"));
    assert_int_equal(0, verify("redmine", "s3cret", redmine, "{\"id\":7}"));
    assert_int_equal(-1, verify("redmine", "s3cret", jira, "{\"id\":7}"));
    assert_int_equal(0, verify("zendesk", "zsecret", zendesk, "{\"id\":7}"));
    zendesk.rows[1][1] = "2026-11-22T10:00:01Z";
    assert_int_equal(-1, verify("zendesk", "zsecret", zendesk, "{\"id\":7}"));
    zendesk.rows[1][1] = "soon";
    assert_int_equal(-1, verify("zendesk", "zsecret", zendesk, "{\"id\":7}"));
    assert_int_equal(0, verify("gitlab", "s3cret\n", gitlab, "anything"));
    assert_int_equal(-1, verify("gitlab", "s3cre", gitlab, "anything"));
    assert_int_equal(0, verify("rt", "s3cret", own, "anything"));
    assert_int_equal(0, verify("servicenow", "s3cret", own, "anything"));
    assert_int_equal(-1, verify("rt", "s3cret", gitlab, "anything"));
}

static const char *key_of(const char *type, const char *pointers, const char *body)
{
    static char key[TKT_HOOK_KEY_MAX + 1];
    static char room[64];
    struct tkt_conf_itsm conf = conf_of(type, TKT_CONF_HOOK_DEFAULT);

    snprintf(room, sizeof(room), "%s", pointers);
    conf.hook_key = room;
    return tkt_hook_key(&conf, body, strlen(body), key) == 1 ? key : "-";
}

static void a_ticket_is_named_where_each_type_names_it(void **state)
{
    static const struct {
        const char *type, *pointers, *body, *key;
    } rows[] = {
        {"github", "", "{\"action\":\"closed\",\"issue\":{\"number\":7}}", "7"},
        {"gitlab", "", "{\"object_attributes\":{\"iid\":9}}", "9"},
        {"gitlab", "", "{\"issue\":{\"iid\":8},\"object_attributes\":{\"id\":1}}", "8"},
        {"jira", "", "{\"issue\":{\"id\":\"10007\",\"key\":\"SUP-7\"}}", "10007"},
        {"jsm", "", "{\"issue\":{\"id\":\"10007\",\"key\":\"SUP-7\"}}", "10007"},
        {"jira", "", "{\"issue\":{\"key\":\"SUP-7\"}}", "SUP-7"},
        {"zendesk", "", "{\"detail\":{\"id\":\"35436\"}}", "35436"},
        {"redmine", "", "{\"data\":{\"issue\":{\"id\":123}}}", "123"},
        {"servicenow", "", "{\"key\":\"incident/9d385017\"}", "incident/9d385017"},
        {"rt", "", "{\"id\":\"20\"}", "20"},
        {"rt", "/a~1b/1/~0x", "{\"a/b\":[0,{\"~x\":\"k\"}]}", "k"},
        {"rt", "/none /id", "{\"id\":5}", "5"},
        {"rt", "", "{\"id\":-5}", "-"},
        {"rt", "", "{\"id\":1.5}", "-"},
        {"rt", "", "{\"id\":1e300}", "-"},
        {"rt", "", "{\"id\":\"\"}", "-"},
        {"rt", "", "{\"id\":\"a\\nb\"}", "-"},
        {"rt", "", "{\"id\":{}}", "-"},
        {"rt", "", "<html>", "-"},
        {"rt", "", "", "-"},
        {"github", "", "{\"zen\":\"ping\"}", "-"}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        assert_string_equal(key_of(rows[i].type, rows[i].pointers, rows[i].body),
                            rows[i].key);
    }
}

static void times_are_read_as_itsms_write_them(void **state)
{
    (void)state;
    assert_true(tkt_itsm_time("2026-11-22T10:00:00Z") == NOW_MS);
    assert_true(tkt_itsm_time("2026-11-22 10:00:00") == NOW_MS);
    assert_true(tkt_itsm_time("2026-11-22T11:00:00.123+01:00") == NOW_MS);
    assert_true(tkt_itsm_time("2026-11-22T05:00:00.000-0500") == NOW_MS);
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-01T00:00:00Z",
                                      "2026-02-30T00:00:00Z",
                                      "2026-11-22T10:00:00X",
                                      "2026-11-22T25:00:00Z",
                                      "2026-11-22T10:00:00+99:00"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_true(tkt_itsm_time(bad[i]) == -1);
    }
    assert_true(tkt_itsm_time(NULL) == -1);
}

static void who_calls_is_the_last_one_that_nobody_trusted_named(void **state)
{
    static char *const proxies[] = {(char *)"10.0.0.0/8", (char *)"::1"};
    static const struct {
        const char *peer, *forwarded, *client;
    } rows[] = {
        {"10.0.0.1", NULL, "10.0.0.1"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "192.0.2.1", "192.0.2.1"},
        {"::1", " 192.0.2.9 ,192.0.2.1 ", "192.0.2.1"},
        {"10.0.0.1", "192.0.2.1, 10.0.0.2,10.9.9.9:80", "192.0.2.1"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"10.0.0.1", "[2001:DB8::1]:443", "2001:db8::1"},
        {"10.0.0.1", "2001:db8:0::1", "2001:db8::1"},
        {"10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"},
        {"10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"},
        {"10.0.0.1", "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", "192.0.2.1,", "10.0.0.1"},
        {"10.0.0.1", ",,,", "10.0.0.1"},
        {"10.0.0.1", "192.0.2.1 192.0.2.2", "10.0.0.1"},
        {"192.0.2.66", "10.0.0.2", "192.0.2.66"},
        {"?", "192.0.2.1", "?"},
    };
    char out[INET6_ADDRSTRLEN];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        tkt_hook_client(rows[i].peer, proxies, TKT_ARRAY_LEN(proxies), rows[i].forwarded,
                        out);
        assert_string_equal(out, rows[i].client);
    }
    tkt_hook_client("10.0.0.1", NULL, 0, "192.0.2.1", out);
    assert_string_equal(out, "10.0.0.1");
}

static void hops_without_end_are_not_all_looked_at(void **state)
{
    static char *const proxies[] = {(char *)"10.0.0.0/8"};
    char hops[9 * 100 + 16] = "192.0.2.1";
    char out[INET6_ADDRSTRLEN];

    (void)state;
    for (int i = 0; i < 100; i++) {
        strcat(hops, ",10.0.0.2");
    }
    tkt_hook_client("10.0.0.1", proxies, 1, hops, out);
    assert_string_equal(out, "10.0.0.2");
}

static void a_customer_is_counted_once_however_many_addresses_he_has(void **state)
{
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2::1", "2001:db8:1:2::"},
        {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"},
        {"2001:db8:1:3::1", "2001:db8:1:3::"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"?", "?"},
    };
    char out[INET6_ADDRSTRLEN];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        tkt_hook_caller(rows[i][0], out);
        assert_string_equal(out, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_webhooks_are_verified_as_their_own_library_does),
        cmocka_unit_test(the_vector_of_github_fits_and_nothing_like_it),
        cmocka_unit_test(each_type_has_its_own_way),
        cmocka_unit_test(a_ticket_is_named_where_each_type_names_it),
        cmocka_unit_test(times_are_read_as_itsms_write_them),
        cmocka_unit_test(who_calls_is_the_last_one_that_nobody_trusted_named),
        cmocka_unit_test(hops_without_end_are_not_all_looked_at),
        cmocka_unit_test(a_customer_is_counted_once_however_many_addresses_he_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
