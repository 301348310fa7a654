/* SPDX-License-Identifier: BSD-2-Clause
 * What services tell of notices: who signed it, and what it says.
 */
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "notify/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

struct fields {
    const char *rows[3][2];
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

static char none[1];
static char name_of_it[] = "sms";
static char own_secret[] = "file:/x";
static char hook_secret[] = "file:/y";

static struct tkt_conf_channel conf_of(const char *type)
{
    return (struct tkt_conf_channel){.name = name_of_it,
                                     .type = (char *)(uintptr_t)type,
                                     .secret = own_secret,
                                     .client_id = none,
                                     .hook_secret = none,
                                     .hook_token = none};
}

static int verify_at(const char *type, const char *secrets, struct fields f,
                     const char *url, const char *body, int64_t now_ms,
                     struct tkt_err *err)
{
    const struct tkt_conf_channel conf = conf_of(type);
    const struct tkt_status_call call = {.conf = &conf,
                                         .secret = secrets,
                                         .url = url,
                                         .notice = "",
                                         .field = field,
                                         .arg = &f,
                                         .body = body,
                                         .len = strlen(body),
                                         .now_ms = now_ms};

    *err = (struct tkt_err)TKT_ERR_INIT;
    return tkt_channel_find(type)->status->verify(&call, err);
}

static int verify(const char *type, const char *secrets, struct fields f, const char *url,
                  const char *body)
{
    struct tkt_err err;

    return verify_at(type, secrets, f, url, body, 0, &err);
}

/* ---- signatures ------------------------------------------------------------------------- */

static void the_vector_of_twilio_fits_and_nothing_like_it(void **state)
{
    static const char url[] = "https://example.com/myapp";
    static const char body[] = "To=%2B18005551212&CallSid=CA1234567890ABCDE&Digits=1234&"
                               "Caller=%2B12349013030&From=%2B12349013030";
    static const char *const changed[] = {
        "To=%2B18005551213&CallSid=CA1234567890ABCDE&Digits=1234&Caller=%2B12349013030&"
        "From=%2B12349013030",
        "To=%2B18005551212&CallSid=CA1234567890ABCDE&Digits=1234&Caller=%2B12349013030&"
        "From=%2B12349013030&MessageStatus=failed",
        "To=%2B18005551212&CallSid=CA1234567890ABCDE&Digits=1234&Caller=%2B12349013030",
        "To=%2B18005551212&CallSid=CA1234567890ABCDE&Digits=1234%20&"
        "Caller=%2B12349013030&From=%2B12349013030",
        "To=%",
        ""};
    struct fields f = {{{"x-twilio-signature", "NGAgWNhdnsLF8j385frvrQoi9sg="}}};

    (void)state;
    assert_int_equal(verify("twilio", "12345", f, url, body), 0);
    assert_int_equal(verify("twilio", "old\n12345\n", f, url, body), 0);
    /* The same field twice is one. */
    assert_int_equal(
        verify("twilio", "12345", f, url,
               "Digits=1234&To=%2B18005551212&CallSid=CA1234567890ABCDE&Digits=1234&"
               "Caller=%2B12349013030&From=%2B12349013030"),
        0);
    assert_int_equal(verify("twilio", "12346", f, url, body), -1);
    assert_int_equal(verify("twilio", "\n", f, url, body), -1);
    assert_int_equal(verify("twilio", "12345", f, "https://example.com/myapp2", body),
                     -1);
    assert_int_equal(verify("twilio", "12345", f, "https://example.com:444/myapp", body),
                     0); /* signed without the port that it was given */
    assert_int_equal(verify("twilio", "12345", f, "https://example.org/myapp", body), -1);
    for (size_t i = 0; i < TKT_ARRAY_LEN(changed); i++) {
        assert_int_equal(verify("twilio", "12345", f, url, changed[i]), -1);
    }
    static const char *const bad[] = {
        "NGAgWNhdnsLF8j385frvrQoi9sh=", "NGAgWNhdnsLF8j385frvrQoi9sg", "", "=", "NGAg"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        f.rows[0][1] = bad[i];
        assert_int_equal(verify("twilio", "12345", f, url, body), -1);
    }
    f.rows[0][0] = NULL;
    assert_int_equal(verify("twilio", "12345", f, url, body), -1);
}

#define GRID_KEY                                                                         \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1"       \
    "flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
#define GRID_SIGNATURE                                                                   \
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPI"     \
    "qHh89M15TluLtEZtM="
#define GRID_BODY                                                                        \
    "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced "        \
    "Address\",\"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLT"     \
    "A\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-"      \
    "kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad"      \
    "1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n"

static void the_vector_of_sendgrid_fits_and_nothing_like_it(void **state)
{
    const int64_t then = INT64_C(1600112502) * 1000;
    const int64_t days = INT64_C(3) * 86400 * 1000;
    struct fields f = {{{"X-Twilio-Email-Event-Webhook-Signature", GRID_SIGNATURE},
                        {"X-Twilio-Email-Event-Webhook-Timestamp", "1600112502"}}};
    struct tkt_err err;

    (void)state;
    assert_int_equal(verify_at("sendgrid", GRID_KEY, f, "", GRID_BODY, then, &err), 0);
    assert_int_equal(verify_at("sendgrid", "-----BEGIN PUBLIC KEY-----\n", f, "",
                               GRID_BODY, then, &err),
                     -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_int_equal(verify_at("sendgrid", GRID_KEY, f, "", GRID_BODY " ", then, &err),
                     -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(verify_at("sendgrid", GRID_KEY, f, "", "[]", then, &err), -1);
    assert_int_equal(verify_at("sendgrid", GRID_KEY, f, "", GRID_BODY, then + days, &err),
                     -1);
    assert_int_equal(verify_at("sendgrid", GRID_KEY, f, "", GRID_BODY, then - days, &err),
                     -1);
    f.rows[1][1] = "1600112503";
    assert_int_equal(verify_at("sendgrid", GRID_KEY, f, "", GRID_BODY, then, &err), -1);
    f.rows[1][1] = "1600112502";
    static const char *const bad[] = {
        "",
        "A",
        "====",
        "MEUC",
        GRID_SIGNATURE "AAAA",
        ("MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPI"
         "qHh89M15TluLtEZtQ=")};
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        f.rows[0][1] = bad[i];
        assert_int_equal(verify_at("sendgrid", GRID_KEY, f, "", GRID_BODY, then, &err),
                         -1);
    }
    f.rows[0][1] = GRID_SIGNATURE;
    /* Another curve, and no key at all. */
    assert_int_equal(
        verify_at(
            "sendgrid",
            "ME4wEAYHKoZIzj0CAQYFK4EEACEDOgAEhehoxVJSJfoNIwBfjk/MprkaMlJj3rhRcwKZSR16"
            "W3FL2UfXeuBwu6C006KjM5ucxLySAK9jQws=",
            f, "", GRID_BODY, then, &err),
        -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_int_equal(verify_at("sendgrid", "nonsense", f, "", GRID_BODY, then, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
}

static void the_vector_of_whatsapp_fits_and_nothing_like_it(void **state)
{
    static const char body[] = "{\"object\":\"whatsapp_business_account\",\"entry\":[]}";
    struct fields f = {
        {{"X-Hub-Signature-256",
          "sha256=0ca28c0f1996234eb6829e59ad3c11a18161f6eb043943d601e420c312432cdf"}}};

    (void)state;
    assert_int_equal(verify("whatsapp", "app-secret-1", f, "", body), 0);
    assert_int_equal(verify("whatsapp", "app-secret-2", f, "", body), -1);
    assert_int_equal(verify("whatsapp", "app-secret-1", f, "", "{}"), -1);
    f.rows[0][1] = "0ca28c0f1996234eb6829e59ad3c11a18161f6eb043943d601e420c312432cdf";
    assert_int_equal(verify("whatsapp", "app-secret-1", f, "", body), -1);
    f.rows[0][1] = "sha256=";
    assert_int_equal(verify("whatsapp", "app-secret-1", f, "", body), -1);
    f.rows[0][0] = NULL;
    assert_int_equal(verify("whatsapp", "app-secret-1", f, "", body), -1);
}

/* ---- what is said ----------------------------------------------------------------------- */

struct heard {
    int count;
    char line[8][400];
};

static void hear(void *arg, const struct tkt_status_told *told)
{
    struct heard *h = arg;

    if (h->count < 8) {
        snprintf(h->line[h->count], sizeof(h->line[0]), "%s %d %d %s %s %s %s",
                 told->notice, (int)told->what, (int)told->failure, told->to, told->code,
                 told->id, told->words);
    }
    h->count++;
}

static int read_as(const char *type, const char *notice, const char *body,
                   struct heard *h)
{
    const struct tkt_conf_channel conf = conf_of(type);
    const struct tkt_status_call call = {
        .conf = &conf, .notice = notice, .body = body, .len = strlen(body)};
    struct tkt_err err = TKT_ERR_INIT;

    h->count = 0;
    return tkt_channel_find(type)->status->read(&call, hear, h, &err);
}

static void twilio_says_what_became_of_a_text(void **state)
{
    static const struct {
        const char *body, *line;
    } rows[] = {
        {"MessageSid=SM1&MessageStatus=sent&To=%2B49151", "mt-1 1 0 +49151  SM1 sent"},
        {"MessageSid=SM1&MessageStatus=delivered&To=%2B49151&New=1",
         "mt-1 2 0 +49151  SM1 delivered"},
        {"MessageSid=SM1&MessageStatus=read&To=%2B49151", "mt-1 8 0 +49151  SM1 read"},
        {"MessageSid=SM1&MessageStatus=undelivered&To=%2B49151&ErrorCode=30005",
         "mt-1 4 2 +49151 30005 SM1 undelivered"},
        {"MessageSid=SM1&MessageStatus=undelivered&To=%2B49151&ErrorCode=30003",
         "mt-1 4 1 +49151 30003 SM1 undelivered"},
        {"MessageSid=SM1&MessageStatus=failed&To=%2B49151&ErrorCode=30007",
         "mt-1 4 0 +49151 30007 SM1 failed"},
        {"MessageStatus=tea&To=%2B49151", NULL},
        {"", NULL}};
    struct heard h;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        assert_int_equal(read_as("twilio", "mt-1", rows[i].body, &h), 0);
        assert_int_equal(h.count, rows[i].line != NULL);
        if (rows[i].line != NULL) {
            assert_string_equal(h.line[0], rows[i].line);
        }
    }
    assert_int_equal(
        read_as("twilio", "mt-1", "MessageStatus=failed&ErrorCode=21610&To=1", &h), 0);
    assert_int_equal(h.count, 2);
    assert_string_equal(h.line[1], "mt-1 16 0 1 21610  failed");
    assert_int_equal(read_as("twilio", "mt-1", "MessageStatus=%zz", &h), -1);
}

static void sendgrid_says_what_became_of_mails(void **state)
{
    static const struct {
        const char *event, *line;
    } rows[] = {{"\"event\":\"processed\"", "mt-1 1 0 ann@x   processed"},
                {"\"event\":\"deferred\",\"response\":\"400 later\"",
                 "mt-1 1 0 ann@x   deferred"},
                {"\"event\":\"delivered\",\"sg_message_id\":\"m1\"",
                 "mt-1 2 0 ann@x  m1 delivered"},
                {"\"event\":\"open\"", "mt-1 8 0 ann@x   open"},
                {"\"event\":\"bounce\",\"type\":\"bounce\",\"status\":\"5.1.1\","
                 "\"reason\":\"no\"",
                 "mt-1 4 2 ann@x 5.1.1  no"},
                {"\"event\":\"bounce\",\"type\":\"bounce\",\"status\":\"5.2.2\"",
                 "mt-1 4 1 ann@x 5.2.2  bounce"},
                {"\"event\":\"bounce\",\"type\":\"blocked\",\"status\":\"5.1.1\"",
                 "mt-1 4 1 ann@x 5.1.1  bounce"},
                {"\"event\":\"bounce\",\"type\":\"blocked\",\"status\":\"5.7.1\"",
                 "mt-1 4 0 ann@x 5.7.1  bounce"},
                {"\"event\":\"bounce\"", "mt-1 4 2 ann@x   bounce"},
                {"\"event\":\"dropped\",\"reason\":\"Bounced Address\"",
                 "mt-1 4 2 ann@x   Bounced Address"},
                {"\"event\":\"dropped\",\"reason\":\"Recipient List over Package Quota\"",
                 "mt-1 4 0 ann@x   Recipient List over Package Quota"},
                {"\"event\":\"spamreport\"", "mt-1 16 0 ann@x   spamreport"},
                {"\"event\":\"group_resubscribe\"", NULL},
                {"\"event\":5", NULL}};
    char body[500];
    struct heard h;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        snprintf(body, sizeof(body), "[{\"email\":\"ann@x\",\"notice\":\"mt-1\",%s}]",
                 rows[i].event);
        assert_int_equal(read_as("sendgrid", "", body, &h), 0);
        assert_int_equal(h.count, rows[i].line != NULL);
        if (rows[i].line != NULL) {
            assert_string_equal(h.line[0], rows[i].line);
        }
    }
    assert_int_equal(read_as("sendgrid", "",
                             "[{\"event\":\"dropped\",\"reason\":\"Spam Reporting "
                             "Address\"},7,null,[],\"x\"]",
                             &h),
                     0);
    assert_int_equal(h.count, 2);
    assert_int_equal(read_as("sendgrid", "", "{\"event\":\"open\"}", &h), -1);
    assert_int_equal(read_as("sendgrid", "", "<html>", &h), -1);
}

static void one_call_tells_of_so_many_and_no_more(void **state)
{
    TKT_AUTO_BUF struct tkt_buf body = TKT_BUF_INIT(4 * 1024 * 1024);
    struct heard h;

    (void)state;
    tkt_buf_addc(&body, '[');
    for (int i = 0; i < TKT_STATUS_TOLD_MAX + 10; i++) {
        tkt_buf_addf(&body, "%s{\"event\":\"delivered\"}", i > 0 ? "," : "");
    }
    tkt_buf_addc(&body, ']');
    assert_int_equal(read_as("sendgrid", "", tkt_buf_str(&body), &h), 0);
    assert_int_equal(h.count, TKT_STATUS_TOLD_MAX);
}

static void whatsapp_says_what_became_of_messages(void **state)
{
    static const char body[] =
        "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":["
        "{\"field\":\"messages\",\"value\":{\"messages\":[{\"from\":\"1\"}],\"statuses\":"
        "["
        "{\"id\":\"wamid.1\",\"status\":\"delivered\",\"recipient_id\":\"49151\","
        "\"biz_opaque_callback_data\":\"mt-1\"},"
        "{\"id\":\"wamid.2\",\"status\":\"failed\",\"recipient_id\":\"49152\","
        "\"errors\":[{\"code\":131026,\"title\":\"Message undeliverable\"}]},"
        "{\"id\":\"wamid.3\",\"status\":\"sent\"},{\"id\":3,\"status\":[]},9]}}]},"
        "{\"changes\":[{\"value\":{\"statuses\":[{\"status\":\"read\"}]}}]},7]}";
    struct heard h;

    (void)state;
    assert_int_equal(read_as("whatsapp", "", body, &h), 0);
    assert_int_equal(h.count, 4);
    assert_string_equal(h.line[0], "mt-1 2 0 49151  wamid.1 ");
    assert_string_equal(h.line[1], " 4 2 49152 131026 wamid.2 Message undeliverable");
    assert_string_equal(h.line[2], " 1 0   wamid.3 ");
    assert_string_equal(h.line[3], " 8 0    ");
    assert_int_equal(read_as("whatsapp", "", "{\"entry\":{\"a\":1}}", &h), 0);
    assert_int_equal(h.count, 0);
    assert_int_equal(read_as("whatsapp", "", "no", &h), -1);
}

/* ---- the address ------------------------------------------------------------------------- */

static void an_address_is_given_where_somebody_listens(void **state)
{
    static char listen[] = "127.0.0.1:1";
    static char base[] = "https://n.example/x";
    struct tkt_conf conf = {.webhook = {.listen = listen, .public_url = base}};
    struct tkt_conf_channel c = conf_of("twilio");
    char url[TKT_STATUS_URL_MAX];

    (void)state;
    assert_true(tkt_status_url(&conf, &c, "mt-1-7", url));
    assert_string_equal(url, "https://n.example/x/status/sms/mt-1-7");
    assert_string_equal(tkt_status_secret(&c), own_secret);
    c.client_id = name_of_it; /* an API key: it does not sign */
    assert_false(tkt_status_url(&conf, &c, "mt-1-7", url));
    c.hook_secret = hook_secret;
    assert_true(tkt_status_url(&conf, &c, "mt-1-7", url));
    assert_string_equal(tkt_status_secret(&c), hook_secret);
    conf.webhook.public_url = none;
    assert_false(tkt_status_url(&conf, &c, "mt-1-7", url));
    conf.webhook.public_url = base;
    conf.webhook.listen = none;
    assert_false(tkt_status_url(&conf, &c, "mt-1-7", url));
    conf.webhook.listen = listen;
    c = conf_of("sendgrid");
    assert_false(tkt_status_url(&conf, &c, "mt-1-7", url));
    c.hook_secret = hook_secret;
    assert_true(tkt_status_url(&conf, &c, "mt-1-7", url));
    assert_string_equal(url, "https://n.example/x/status/sms");
    c = conf_of("mail");
    c.hook_secret = hook_secret;
    assert_false(tkt_status_url(&conf, &c, "", url));
    assert_string_equal(tkt_status_secret(&c), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_twilio_fits_and_nothing_like_it),
        cmocka_unit_test(the_vector_of_sendgrid_fits_and_nothing_like_it),
        cmocka_unit_test(the_vector_of_whatsapp_fits_and_nothing_like_it),
        cmocka_unit_test(twilio_says_what_became_of_a_text),
        cmocka_unit_test(sendgrid_says_what_became_of_mails),
        cmocka_unit_test(one_call_tells_of_so_many_and_no_more),
        cmocka_unit_test(whatsapp_says_what_became_of_messages),
        cmocka_unit_test(an_address_is_given_where_somebody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
