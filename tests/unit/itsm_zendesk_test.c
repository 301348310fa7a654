/* SPDX-License-Identifier: BSD-2-Clause
 * The backend zendesk: the bytes of its requests, and what it makes of answers.
 */
#include "itsm_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void a_create_has_its_key_in_header_and_body(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "zendesk", TKT_ITSM_CREATE);
    s.conf.requester = TKT_CONF_REQUESTER_CREATE;
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.method, "POST");
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/api/v2/tickets.json");
    assert_true(steps_header(&s, "Idempotency-Key: " STEPS_CORR));
    assert_false(s.call.request.repeatable); /* the key lives for two hours only */
    assert_string_equal(
        s.call.request.body,
        "{\"ticket\":{\"subject\":\"printer\",\"comment\":{\"body\":\"broken\\n\","
        "\"public\":true},\"external_id\":\"" STEPS_CORR "\",\"requester\":{\"name\":"
        "\"Ann\",\"email\":\"ann@example.org\"},\"priority\":\"high\",\"status\":\"new\","
        "\"group_id\":7}}");
    assert_int_equal(drive_step(&s, 201, "{\"ticket\":{\"id\":35436}}"), TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "35436");
    drive_end(&s);
}

static void a_placeholder_in_a_mail_is_not_filled_in(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "zendesk", TKT_ITSM_CREATE);
    s.conf.requester = TKT_CONF_REQUESTER_CREATE;
    s.ticket.text = "{{ticket.comments_formatted}} {{{%a";
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_non_null(
        strstr(s.call.request.body, "{ {ticket.comments_formatted}} { { { %a"));
    drive_end(&s);
}

static void a_user_whose_address_only_looks_alike_is_not_the_requester(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "zendesk", TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/api/v2/users/search.json?query="
                        "email%3Aann%40example.org");
    assert_int_equal(
        drive_step(&s, 200, "{\"users\":[{\"id\":3,\"email\":\"joann@example.org\"}]}"),
        TKT_ITSM_SEND);
    assert_null(strstr(s.call.request.body, "requester"));
    assert_non_null(strstr(s.call.request.body, "Ann <ann@example.org>:\\nbroken"));
    drive_end(&s);
}

static void other_bytes_for_the_same_key_lead_to_a_look_up(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "zendesk", TKT_ITSM_CREATE);
    s.conf.requester = TKT_CONF_REQUESTER_TEXT;
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&s, 400,
                                "{\"error\":\"IdempotentRequestError\",\"description\":"
                                "\"Request parameters don't match the given idempotency "
                                "key\"}"),
                     TKT_ITSM_SEND);
    assert_string_equal(
        s.call.request.url,
        "https://desk.example/base/api/v2/tickets.json?external_id=" STEPS_CORR);
    assert_int_equal(drive_step(&s, 200,
                                "{\"tickets\":[{\"id\":1,\"external_id\":\"mt-x\"},"
                                "{\"id\":9,\"external_id\":\"" STEPS_CORR "\"}]}"),
                     TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "9");
    drive_end(&s);
}

static void a_section_is_told_what_it_lacks(void **state)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct drive s;

    (void)state;
    steps_begin(&s, "zendesk", TKT_ITSM_CHECK);
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "/token"));
    s.conf.auth = TKT_CONF_AUTH_BEARER;
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), 0);
    s.conf.project = (char *)"Desk";
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "\"Desk\" is no id"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_has_its_key_in_header_and_body),
        cmocka_unit_test(a_placeholder_in_a_mail_is_not_filled_in),
        cmocka_unit_test(a_user_whose_address_only_looks_alike_is_not_the_requester),
        cmocka_unit_test(other_bytes_for_the_same_key_lead_to_a_look_up),
        cmocka_unit_test(a_section_is_told_what_it_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
