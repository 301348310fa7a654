/* SPDX-License-Identifier: BSD-2-Clause
 * The pure parts of the network: outcomes, pace, addresses, signatures.
 */
#include "base/util.h"
#include "net/guard.h"
#include "net/outcome.h"
#include "net/pace.h"
#include "net/sigv4.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void retry_after_reads_numbers_and_dates(void **state)
{
    (void)state;
    /* Sun, 06 Nov 1994 08:49:37 GMT */
    const int64_t then = 784111777;

    assert_int_equal(tkt_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), then);
    assert_int_equal(tkt_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), then);
    assert_int_equal(tkt_http_date("Sun Nov  6 08:49:37 1994"), then);
    assert_int_equal(tkt_http_date("tomorrow"), -1);
    assert_int_equal(tkt_http_date("Sun, 99 Nov 1994 08:49:37 GMT"), -1);
    assert_int_equal(tkt_retry_after("120", 0), 120);
    assert_int_equal(tkt_retry_after("0", 0), 0);
    assert_int_equal(tkt_retry_after("1.5", 0), 2);
    assert_int_equal(tkt_retry_after("-5", 0), 0);
    assert_int_equal(tkt_retry_after("12 apples", 0), 0);
    assert_int_equal(tkt_retry_after("", 0), 0);
    assert_int_equal(tkt_retry_after("99999999999999999999999999", 0),
                     TKT_HTTP_RETRY_AFTER_MAX_S);
    assert_int_equal(tkt_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then - 30), 30);
    assert_int_equal(tkt_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then + 30), 0);
}

static void the_pause_grows_and_is_never_shorter_than_asked(void **state)
{
    (void)state;
    for (unsigned j = 0; j < 1024; j += 31) {
        int64_t first = tkt_http_backoff_ms(1, 2000, 300000, 0, j);
        int64_t late = tkt_http_backoff_ms(60, 2000, 300000, 0, j);
        int64_t asked = tkt_http_backoff_ms(1, 2000, 300000, 30, j);

        assert_in_range(first, 1, 2000);
        assert_in_range(late, 1, 300000);
        assert_in_range(asked, 33000, 36000);
    }
    assert_int_equal(tkt_http_backoff_ms(3, 2000, 300000, 0, 1023), 8000);
}

static void a_bucket_gives_what_an_hour_allows(void **state)
{
    struct tkt_bucket b = {0};
    int64_t now = 1000000;

    (void)state;
    assert_int_equal(tkt_bucket_take(&b, 100, now), 0); /* no limit */
    tkt_bucket_set(&b, 3600, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tkt_bucket_take(&b, 1, now), 0);
    }
    assert_int_equal(tkt_bucket_take(&b, 1, now), 1000);
    assert_int_equal(tkt_bucket_take(&b, 1, now + 999), 1);
    assert_int_equal(tkt_bucket_take(&b, 1, now + 1000), 0);
    tkt_bucket_charge(&b, 1000, now + 1000);
    assert_int_equal(tkt_bucket_take(&b, 1, now + 1000), 6000); /* a burst of debt */
    assert_int_equal(tkt_bucket_take(&b, 99, now + 100000), 0); /* never more than that */
}

static void a_slow_bucket_loses_nothing_by_being_asked_often(void **state)
{
    struct tkt_bucket b = {0};
    int taken = 0;

    (void)state;
    tkt_bucket_set(&b, 7, 1);
    for (int64_t now = 0; now < 3600000 * INT64_C(10); now += 250) {
        taken += tkt_bucket_take(&b, 1, now) == 0;
    }
    assert_in_range(taken, 69, 71);
}

static void a_circuit_opens_probes_and_closes(void **state)
{
    struct tkt_breaker b = {.threshold = 3, .pause_ms = 1000};
    int64_t now = 5000;

    (void)state;
    tkt_breaker_failure(&b, 0, now);
    tkt_breaker_failure(&b, 0, now);
    assert_int_equal(tkt_breaker_ask(&b, now), 0);
    tkt_breaker_failure(&b, 0, now);
    assert_int_equal(tkt_breaker_ask(&b, now), 1000);
    assert_int_equal(tkt_breaker_ask(&b, now + 1000), 0);     /* the probe */
    assert_int_not_equal(tkt_breaker_ask(&b, now + 1000), 0); /* one alone */
    tkt_breaker_failure(&b, 0, now + 1000);
    assert_int_equal(tkt_breaker_ask(&b, now + 1000), 2000); /* twice as long */
    assert_int_equal(tkt_breaker_ask(&b, now + 3000), 0);
    tkt_breaker_forget(&b); /* it was never sent: the next one probes */
    assert_int_equal(tkt_breaker_ask(&b, now + 3000), 0);
    tkt_breaker_success(&b);
    assert_int_equal(tkt_breaker_ask(&b, now + 3000), 0);
    assert_int_equal(tkt_breaker_ask(&b, now + 3000), 0);
    tkt_breaker_failure(&b, 7000, now); /* told to wait: at once, and so long */
    assert_int_equal(tkt_breaker_ask(&b, now), 7000);
}

static bool is_public(const char *ip)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, ip, &in.sin_addr) == 1) {
        return tkt_address_is_public((struct sockaddr *)&in, sizeof(in));
    }
    assert_int_equal(inet_pton(AF_INET6, ip, &in6.sin6_addr), 1);
    return tkt_address_is_public((struct sockaddr *)&in6, sizeof(in6));
}

static void private_addresses_are_known_in_every_dress(void **state)
{
    static const char *const closed[] = {"0.0.0.0",
                                         "10.1.2.3",
                                         "100.64.0.1",
                                         "100.127.255.255",
                                         "127.0.0.1",
                                         "169.254.169.254",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.0.0.8",
                                         "192.168.1.1",
                                         "198.18.0.1",
                                         "198.19.255.255",
                                         "224.0.0.1",
                                         "240.0.0.1",
                                         "255.255.255.255",
                                         "::",
                                         "::1",
                                         "::ffff:10.0.0.1",
                                         "::127.0.0.1",
                                         "64:ff9b::a9fe:a9fe",
                                         "2002:0a00:1::1",
                                         "2001::1",
                                         "2001:db8::1",
                                         "fc00::1",
                                         "fd00:ec2::254",
                                         "fe80::1",
                                         "ff02::1",
                                         "100::1",
                                         "64:ff9b:1::1",
                                         "fec0::1",
                                         "3fff::1",
                                         "5f00::1"};
    static const char *const open[] = {
        "8.8.8.8",      "100.63.255.255",  "100.128.0.0",   "172.15.0.1",
        "172.32.0.1",   "198.17.255.255",  "223.255.0.1",   "2600::1",
        "2a00:1450::1", "2001:4860::8888", "::ffff:8.8.8.8"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(closed); i++) {
        if (is_public(closed[i])) {
            fail_msg("%s was taken for public", closed[i]);
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(open); i++) {
        if (!is_public(open[i])) {
            fail_msg("%s was taken for private", open[i]);
        }
    }
}

/* ---- SigV4: the vectors of reference ---------------------------------------------------- */

static const char access_key[] = "AKIDEXAMPLE";
static const char secret_key[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

static void a_request_to_secrets_manager_is_signed(void **state)
{
    static const char body[] = "{\"SecretId\":\"prod/tickets/servicenow\"}";
    static const char *const headers[] = {"Content-Type: application/x-amz-json-1.1",
                                          "X-Amz-Target: secretsmanager.GetSecretValue",
                                          NULL};
    const struct tkt_sigv4 in = {.method = "POST",
                                 .url = "https://secretsmanager.us-east-1.amazonaws.com/",
                                 .headers = headers,
                                 .body = body,
                                 .body_len = strlen(body),
                                 .region = "us-east-1",
                                 .service = "secretsmanager",
                                 .access_key = access_key,
                                 .secret_key = secret_key,
                                 .now_s = 1795334400 /* 2026-11-22 08:00:00 */};
    struct tkt_buf out = TKT_BUF_INIT(8192);
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    assert_int_equal(tkt_sigv4_sign(&in, &out, &err), 0);
    assert_non_null(strstr(out.data, "X-Amz-Date: 20261122T080000Z\n"));
    assert_non_null(
        strstr(out.data, "SignedHeaders=content-type;host;x-amz-date;x-amz-target"));
    assert_non_null(strstr(
        out.data, "Signature="
                  "273bb0d909a1af82b17bf0107bced0c0f5b200cd525828a46fb9370dfb0f6cc8"));
    assert_null(strstr(out.data, secret_key));
    tkt_buf_release(&out);
}

/* The suite of AWS: region us-east-1, service "service", 2015-08-30 12:36:00. */
static const char *sign_get(const char *url)
{
    static char signature[65];
    const struct tkt_sigv4 in = {.method = "GET",
                                 .url = url,
                                 .region = "us-east-1",
                                 .service = "service",
                                 .access_key = access_key,
                                 .secret_key = secret_key,
                                 .now_s = 1440938160};
    struct tkt_buf out = TKT_BUF_INIT(8192);
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_sigv4_sign(&in, &out, &err), 0);
    memcpy(signature, strstr(out.data, "Signature=") + 10, 64);
    tkt_buf_release(&out);
    return signature;
}

static void the_vectors_of_aws_come_out(void **state)
{
    (void)state;
    assert_string_equal(
        sign_get("https://example.amazonaws.com/"),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    assert_string_equal(
        sign_get("https://example.amazonaws.com/?Param2=value2&Param1=value1"),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

static void query_and_path_are_brought_to_one_form(void **state)
{
    struct tkt_sigv4 in = {.method = "GET",
                           .url = "https://h/a%40b/c?b=%7e&a-b=2&a=1&flag&a=0&u=a/b",
                           .region = "r",
                           .service = "s",
                           .access_key = access_key,
                           .secret_key = secret_key,
                           .now_s = 0};
    struct tkt_buf out = TKT_BUF_INIT(8192);
    struct tkt_buf names = TKT_BUF_INIT(1024);
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    assert_int_equal(tkt_sigv4_canonical(&in, &out, &names, &err), 0);
    static const char want[] = "GET\n/a%2540b/c\na=0&a=1&a-b=2&b=~&flag=&u=a%2Fb\n";
    assert_memory_equal(out.data, want, strlen(want));
    tkt_buf_release(&out);
    tkt_buf_release(&names);
    in.url = "https://h/?a=%zz";
    assert_int_equal(tkt_sigv4_canonical(&in, &out, &names, &err), -1);
    tkt_buf_release(&out);
    tkt_buf_release(&names);
}

static int rest_of(const char *head, int64_t now_s)
{
    struct tkt_http_response r = {.head = TKT_BUF_INIT(1000)};

    assert_int_equal(tkt_buf_adds(&r.head, head), 0);
    int wait = tkt_http_rest_s(&r, now_s);
    tkt_buf_release(&r.head);
    return wait;
}

static void a_rate_limit_used_up_is_read_in_each_vendors_form(void **state)
{
    const int64_t then = 1800000000; /* 2027-01-15T08:00:00Z */

    (void)state;
    assert_int_equal(rest_of("x-ratelimit-remaining: 0\nx-ratelimit-reset: 60\n", then),
                     60);
    assert_int_equal(
        rest_of("ratelimit-remaining: 0\nratelimit-reset: 1800000030\n", then), 30);
    assert_int_equal(
        rest_of("x-ratelimit-remaining: 0\nx-ratelimit-reset: 2027-01-15T08:01Z\n", then),
        60);
    assert_int_equal(
        rest_of("x-rate-limit-remaining: 0\nx-rate-limit-reset: 1.5\n", then), 2);
    assert_int_equal(rest_of("x-ratelimit-remaining: 1\nx-ratelimit-reset: 60\n", then),
                     0);
    assert_int_equal(rest_of("x-ratelimit-remaining: 0\n", then), 0);
    assert_int_equal(rest_of("x-ratelimit-reset: 60\n", then), 0);
    assert_int_equal(
        rest_of("ratelimit-remaining: 0\nratelimit-reset: 1799999999\n", then), 0);
    assert_int_equal(rest_of("ratelimit-remaining: 0\nratelimit-reset: 1e9\n", then), 0);
    assert_int_equal(rest_of("ratelimit-remaining: 0\nratelimit-reset: 99999999\n", then),
                     TKT_HTTP_RETRY_AFTER_MAX_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_limit_used_up_is_read_in_each_vendors_form),
        cmocka_unit_test(retry_after_reads_numbers_and_dates),
        cmocka_unit_test(the_pause_grows_and_is_never_shorter_than_asked),
        cmocka_unit_test(a_bucket_gives_what_an_hour_allows),
        cmocka_unit_test(a_slow_bucket_loses_nothing_by_being_asked_often),
        cmocka_unit_test(a_circuit_opens_probes_and_closes),
        cmocka_unit_test(private_addresses_are_known_in_every_dress),
        cmocka_unit_test(a_request_to_secrets_manager_is_signed),
        cmocka_unit_test(the_vectors_of_aws_come_out),
        cmocka_unit_test(query_and_path_are_brought_to_one_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
