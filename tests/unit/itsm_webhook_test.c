/* SPDX-License-Identifier: BSD-2-Clause
 * common/itsm/webhook and common/net/whsign: the bytes of events and their signatures.
 */
#include "itsm_fixture.h"
#include "net/whsign.h"

#define CORR "mt-0123456789abcdef0123456789abcdef"
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static const struct tkt_itsm_ops *webhook;

/* The vector of the libraries of Standard Webhooks. */
static void the_signature_is_that_of_the_standard(void **state)
{
    static const char id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    static const char body[] = "{\"test\": 2432232314}";
    struct tkt_buf out = TKT_BUF_INIT(1024);
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    assert_int_equal(tkt_whsign(SECRET, id, 1614265330, body, strlen(body), &out, &err),
                     0);
    assert_string_equal(tkt_buf_str(&out), SIGNATURE);
    tkt_buf_release(&out);
    out = (struct tkt_buf)TKT_BUF_INIT(1024);
    assert_int_equal(tkt_whsign(SECRET "\n whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ", id,
                                1614265330, body, strlen(body), &out, &err),
                     0);
    assert_int_equal(strncmp(tkt_buf_str(&out), SIGNATURE " v1,", strlen(SIGNATURE) + 4),
                     0);
    tkt_buf_release(&out);
}

static void a_secret_that_is_none_is_refused_and_not_told(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "hunter2hunter2hunter2hunter2hunter2hunter2",
                                      "whsec_",
                                      "whsec_c2hvcnQ=",
                                      "whsec_!!!!9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
                                      SECRET " " SECRET " " SECRET " " SECRET " " SECRET,
                                      "whsec_"
                                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                      "AAAA"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        struct tkt_buf out = TKT_BUF_INIT(1024);
        struct tkt_err err = TKT_ERR_INIT;

        assert_int_equal(tkt_whsign(bad[i], "id", 1, "x", 1, &out, &err), -1);
        assert_int_equal(err.class, TKT_ERR_CONF);
        assert_null(strstr(err.text, "hunter"));
        assert_int_equal(out.len, 0);
        tkt_buf_release(&out);
    }
}

static void a_create_is_an_event_with_all_that_is_known(void **state)
{
    struct drive d;

    (void)state;
    drive_begin(&d, webhook, TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url, "http://127.0.0.1:1/base/");
    assert_string_equal(d.call.request.webhook_id, CORR);
    assert_true(d.call.request.sign && d.call.request.public_only);
    assert_true(d.call.request.repeatable && d.call.request.accept_type == NULL);
    assert_string_equal(
        d.call.request.body,
        "{\"type\":\"ticket.created\",\"timestamp\":\"2026-09-21T14:13:20Z\",\"data\":{"
        "\"requester\":{\"address\":\"ann@example.org\",\"name\":\"Ann\"},"
        "\"fields\":{\"site\":\"Berlin\"},\"tags\":[],\"id\":\"IT-1\",\"key\":\"" CORR
        "\",\"external\":\"7/../8\",\"url\":\"\",\"desk\":\"it\","
        "\"subject\":\"printer  Bcc: x \xf0\x9f\x98\x80\",\"type\":\"incident\","
        "\"category\":\"\",\"subcategory\":\"\",\"service\":\"\",\"group\":\"Network\","
        "\"assignee\":\"\",\"state\":\"new\",\"language\":\"en\",\"urgency\":0,"
        "\"impact\":0,\"priority\":2,\"text\":\"it is  broken\\n\xf0\x9f\x98\x80\\n\","
        "\"Site\":\"Berlin\"}}");
    drive_end(&d);
}

static void what_the_answer_names_is_kept_and_else_our_key(void **state)
{
    static char *rows[] = {(char *)"id=data.ticket", (char *)"link=data.at"};
    struct drive d;

    (void)state;
    drive_begin(&d, webhook, TKT_ITSM_CREATE);
    d.conf.options = (struct tkt_conf_list){rows, 2};
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(
        drive_step(&d, 200, "{\"data\":{\"ticket\":41,\"at\":\"https://x/41\"}}"),
        TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, "41");
    assert_string_equal(d.call.seen.url, "https://x/41");
    drive_end(&d);
    drive_begin(&d, webhook, TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 202, "accepted"), TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, CORR);
    drive_end(&d);
}

static void each_job_has_an_id_without_dots(void **state)
{
    struct drive d;

    (void)state;
    drive_begin(&d, webhook, TKT_ITSM_COMMENT);
    d.call.key = "j12";
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.webhook_id, CORR "-comment-j12");
    assert_non_null(strstr(d.call.request.body,
                           "\"comment\":{\"text\":\"seen\",\"author\":\"\","
                           "\"author_name\":\"\",\"public\":false}"));
    drive_end(&d);
    drive_begin(&d, webhook, TKT_ITSM_ATTACH);
    d.call.key = "j13";
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.webhook_id, CORR "-attach-j13");
    assert_non_null(strstr(d.call.request.body,
                           "\"file\":{\"name\":\"a\\\"b  .txt\",\"type\":\"text/plain\","
                           "\"size\":3}"));
    drive_end(&d);
}

static void a_template_makes_any_json_and_no_value_leaves_its_string(void **state)
{
    static char *good[] = {
        (char *)"body={\"text\":\"{{event}} {{subject}}\",\"n\":{{priority}}}",
        (char *)"allow_private=yes"};
    static char *bad[] = {(char *)"body={\"text\":{{subject}}}"};
    struct drive d;

    (void)state;
    drive_begin(&d, webhook, TKT_ITSM_CREATE);
    d.conf.options = (struct tkt_conf_list){good, 2};
    d.ticket.subject = "\",\"admin\":true,\"x\":\"\\";
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.body,
                        "{\"text\":\"ticket.created \\\",\\\"admin\\\":true,\\\"x\\\":"
                        "\\\"\\\\\",\"n\":2}");
    assert_false(d.call.request.public_only);
    drive_end(&d);
    drive_begin(&d, webhook, TKT_ITSM_CREATE);
    d.conf.options = (struct tkt_conf_list){bad, 1};
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_FAILED);
    assert_int_equal(d.err.class, TKT_ERR_CONF);
    drive_end(&d);
}

static void a_section_needs_a_secret_or_says_that_it_has_none(void **state)
{
    static char *unknown[] = {(char *)"body={{nothing.like.it}}"};
    struct tkt_err err = TKT_ERR_INIT;
    struct drive d;

    (void)state;
    drive_begin(&d, webhook, TKT_ITSM_CREATE);
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), 0);
    d.conf.secret = (char *)"";
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), -1);
    d.conf.auth = TKT_CONF_AUTH_NONE;
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), 0);
    d.conf.options = (struct tkt_conf_list){unknown, 1};
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), -1);
    assert_non_null(strstr(err.text, "options: body"));
    assert_true(webhook->create_is_idempotent && !webhook->search_is_proof);
    drive_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_that_of_the_standard),
        cmocka_unit_test(a_secret_that_is_none_is_refused_and_not_told),
        cmocka_unit_test(a_create_is_an_event_with_all_that_is_known),
        cmocka_unit_test(what_the_answer_names_is_kept_and_else_our_key),
        cmocka_unit_test(each_job_has_an_id_without_dots),
        cmocka_unit_test(a_template_makes_any_json_and_no_value_leaves_its_string),
        cmocka_unit_test(a_section_needs_a_secret_or_says_that_it_has_none),
    };

    webhook = tkt_itsm_find("webhook");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
