/* SPDX-License-Identifier: BSD-2-Clause
 * Secrets of other services, against a server on loopback.
 */
#include "base/clock.h"
#include "base/util.h"
#include "http_fake.h"
#include "secret/remote.h"
#include "secret/secret.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct fake *fake;

static void put(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static int start(void **state)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        "VAULT_TOKEN",
                                        "VAULT_TOKEN_FILE",
                                        "VAULT_NAMESPACE"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        unsetenv(names[i]);
    }
    fake = fake_start();
    put("AWS_REGION", "eu-central-1");
    put("AWS_ENDPOINT_URL_SECRETS_MANAGER", fake_url(fake, ""));
    put("VAULT_ADDR", fake_url(fake, ""));
    tkt_clock_fake(1795334400000, 1000000);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    tkt_secret_remote_clear();
    tkt_clock_real();
    fake_stop(&fake);
    return 0;
}

static void expect(const char *ref, const char *value)
{
    struct tkt_secret s = TKT_SECRET_INIT;
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_secret_get(ref, &s, &err) < 0) {
        fail_msg("%s: %s", ref, err.text);
    }
    assert_string_equal(s.data, value);
    tkt_secret_release(&s);
}

static void expect_error(const char *ref, enum tkt_err_class class, const char *text)
{
    struct tkt_secret s = TKT_SECRET_INIT;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_secret_get(ref, &s, &err), -1);
    if (err.class != class || !strstr(err.text, text)) {
        fail_msg("%s: %s: %s", ref, tkt_err_class_name(err.class), err.text);
    }
    assert_null(strstr(err.text, "hush"));
}

static void a_vault_member_is_read_and_kept(void **state)
{
    (void)state;
    put("VAULT_TOKEN", "s.token");
    put("VAULT_NAMESPACE", "team");
    fake_answer(fake, "/v1/kv/data/desk/jira", 200,
                "{\"data\":{\"data\":{\"key\":\"hush\",\"n\":1},\"metadata\":{}}}");
    expect("vault:kv/desk/jira#key", "hush");
    assert_non_null(strstr(fake_last_head(fake), "X-Vault-Token: s.token"));
    assert_non_null(strstr(fake_last_head(fake), "X-Vault-Namespace: team"));
    expect("vault:kv/desk/jira#key", "hush");
    assert_int_equal(fake_requests(fake), 1);
    expect_error("vault:kv/desk/jira#n", TKT_ERR_CONF, "no text");
    expect_error("vault:kv/desk/jira#other", TKT_ERR_CONF, "no text");
}

static void an_old_value_helps_through_a_fault_but_not_through_a_refusal(void **state)
{
    (void)state;
    put("VAULT_TOKEN", "s.token");
    fake_answer(fake, "/v1/kv/data/a", 200, "{\"data\":{\"data\":{\"k\":\"hush\"}}}");
    expect("vault:kv/a#k", "hush");
    fake_answer(fake, "/v1/kv/data/a", 503, "{\"errors\":[\"sealed\"]}");
    tkt_clock_advance(TKT_SECRET_FRESH_MS + 1);
    expect("vault:kv/a#k", "hush");
    assert_int_equal(fake_requests(fake), 2);
    fake_answer(fake, "/v1/kv/data/a", 200, "{\"data\":{\"data\":{\"k\":\"newer\"}}}");
    expect("vault:kv/a#k", "newer");
    fake_answer(fake, "/v1/kv/data/a", 403, "{\"errors\":[\"permission denied\"]}");
    tkt_clock_advance(TKT_SECRET_FRESH_MS + 1);
    expect_error("vault:kv/a#k", TKT_ERR_CONF, "403");
    fake_answer(fake, "/v1/kv/data/a", 503, "{}");
    expect_error("vault:kv/a#k", TKT_ERR_TEMP, "503"); /* the old one is gone */
}

static void a_secret_of_aws_is_asked_for_with_a_signature(void **state)
{
    (void)state;
    put("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    put("AWS_SECRET_ACCESS_KEY", "hush-key");
    put("AWS_SESSION_TOKEN", "session");
    fake_answer(fake, "/", 200, "{\"SecretString\":\"{\\\"password\\\":\\\"hush\\\"}\"}");
    expect("aws:prod/desk#password", "hush");
    const char *head = fake_last_head(fake);
    assert_non_null(strstr(head, "X-Amz-Target: secretsmanager.GetSecretValue"));
    assert_non_null(strstr(head, "X-Amz-Security-Token: session"));
    assert_non_null(strstr(
        head,
        "Credential=AKIDEXAMPLE/20261122/eu-central-1/secretsmanager/aws4_request"));
    assert_non_null(strstr(head, "SignedHeaders=content-type;host;x-amz-date;"
                                 "x-amz-security-token;x-amz-target"));
    assert_null(strstr(head, "hush-key"));
    expect("aws:prod/desk", "{\"password\":\"hush\"}");
    expect_error("aws:prod/desk#user", TKT_ERR_CONF, "no text");
}

static void faults_of_aws_are_told_apart(void **state)
{
    (void)state;
    put("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    put("AWS_SECRET_ACCESS_KEY", "hush-key");
    fake_answer(fake, "/", 400, "{\"__type\":\"ResourceNotFoundException\"}");
    expect_error("aws:a", TKT_ERR_CONF, "ResourceNotFoundException");
    fake_answer(fake, "/", 400, "{\"__type\":\"com.amazonaws#ThrottlingException\"}");
    expect_error("aws:a", TKT_ERR_TEMP, "ThrottlingException");
    fake_answer(fake, "/", 200, "<html>");
    expect_error("aws:a", TKT_ERR_TEMP, "SecretString");
    fake_answer(fake, "/", 200, "{\"SecretBinary\":\"aHVzaA==\"}");
    expect_error("aws:a", TKT_ERR_CONF, "SecretString");
}

#define CREDENTIALS                                                                      \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"s\","         \
    "\"Token\":\"t\",\"Expiration\":\"2026-11-22T09:00:00Z\"}"

static void an_instance_gives_credentials_until_they_end(void **state)
{
    (void)state;
    put("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake_url(fake, ""));
    fake_answer(fake, "/latest/api/token", 200, "imds-token");
    fake_answer(fake, "/latest/meta-data/iam/security-credentials/", 200, "role-1");
    fake_answer(fake, "/latest/meta-data/iam/security-credentials/role-1", 200,
                CREDENTIALS);
    fake_answer(fake, "/", 200, "{\"SecretString\":\"hush\"}");
    expect("aws:one", "hush");
    assert_int_equal(fake_requests(fake), 4);
    expect("aws:two", "hush");
    assert_int_equal(fake_requests(fake), 5);
    tkt_clock_advance(51 * 60 * 1000); /* ten minutes before their end */
    expect("aws:one", "hush");
    assert_int_equal(fake_requests(fake), 9);
    fake_answer(fake, "/latest/meta-data/iam/security-credentials/", 200, "../x");
    tkt_clock_advance(3600 * 1000);
    expect_error("aws:three", TKT_ERR_CONF, "no role");
}

static void a_container_gives_credentials_and_only_near_ones(void **state)
{
    (void)state;
    put("AWS_CONTAINER_CREDENTIALS_FULL_URI", fake_url(fake, "/creds"));
    put("AWS_CONTAINER_AUTHORIZATION_TOKEN", "auth");
    fake_answer(fake, "/creds", 200, CREDENTIALS);
    fake_answer(fake, "/", 200, "{\"SecretString\":\"hush\"}");
    expect("aws:one", "hush");
    assert_int_equal(fake_requests(fake), 2);
    tkt_secret_remote_clear();
    put("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/creds");
    expect_error("aws:one", TKT_ERR_CONF, "may hear");
}

static void references_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const bad[] = {
        "vault:kv#k", "vault:kv/a", "vault:/a#k", "vault:kv/../a#k", "vault:kv/a#",
        "aws:",       "aws:a b",    "aws:a\"b",   "vault:kv/a?x#k"};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        if (tkt_secret_check(bad[i], &err) == 0) {
            fail_msg("%s was taken", bad[i]);
        }
    }
    assert_int_equal(tkt_secret_check("vault:kv/a/b#k", &err), 0);
    assert_int_equal(
        tkt_secret_check("aws:arn:aws:secretsmanager:us-east-1:1:secret:x-1#k", &err), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_vault_member_is_read_and_kept),
        TEST(an_old_value_helps_through_a_fault_but_not_through_a_refusal),
        TEST(a_secret_of_aws_is_asked_for_with_a_signature),
        TEST(faults_of_aws_are_told_apart),
        TEST(an_instance_gives_credentials_until_they_end),
        TEST(a_container_gives_credentials_and_only_near_ones),
        TEST(references_that_lead_elsewhere_are_refused),
    };

    signal(SIGPIPE, SIG_IGN);
    tkt_secret_remote_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
