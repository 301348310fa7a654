/* SPDX-License-Identifier: BSD-2-Clause
 * The backend znuny: the bytes of its requests, and what it makes of answers.
 */
#include "itsm_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void credentials_stand_in_the_body_of_every_request_alone(void **state)
{
    (void)state;
    for (int op = 0; op < TKT_ITSM_LIST; op++) {
        struct drive s;

        steps_begin(&s, "znuny", (enum tkt_itsm_op)op);
        assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
        const char *body =
            s.call.request.file ? s.call.request.file_head : s.call.request.body;
        assert_non_null(strstr(body, "{\"UserLogin\":\"us\",\"Password\":\"s3cret\""));
        assert_string_not_equal(s.call.request.method, "GET");
        assert_null(strchr(s.call.request.url, '?'));
        for (size_t i = 0; i < s.call.request.header_count; i++) {
            assert_null(strstr(s.call.request.headers[i], "s3cret"));
        }
        drive_end(&s);
    }
}

static void a_create_names_all_that_the_operation_requires(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "znuny", TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.url, "https://desk.example/base/Ticket");
    assert_string_equal(
        s.call.request.body,
        "{\"UserLogin\":\"us\",\"Password\":\"s3cret\",\"Ticket\":{\"Title\":\"printer\","
        "\"Queue\":\"7\",\"State\":\"new\",\"Priority\":\"4 high\",\"CustomerUser\":"
        "\"ann@example.org\"},\"Article\":{\"CommunicationChannel\":\"Email\","
        "\"SenderType\":\"customer\",\"IsVisibleForCustomer\":1,\"Subject\":\"printer\","
        "\"Body\":\"broken\\n\",\"ContentType\":\"text/plain; charset=utf-8\","
        "\"From\":\"\\\"Ann\\\" <ann@example.org>\"},\"DynamicField\":[{\"Name\":"
        "\"CorrelationId\",\"Value\":\"" STEPS_CORR "\"}]}");
    assert_int_equal(
        drive_step(&s, 200,
                   "{\"TicketID\":\"123\",\"TicketNumber\":\"2026112210000012\"}"),
        TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "123");
    assert_string_equal(s.call.seen.number, "2026112210000012");
    drive_end(&s);
}

static void an_error_with_200_is_no_ticket(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "znuny", TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&s, 200,
                                "{\"Error\":{\"ErrorCode\":\"TicketCreate.AuthFail\","
                                "\"ErrorMessage\":\"TicketCreate: User could not be "
                                "authenticated!\"},\"TicketID\":\"1\"}"),
                     TKT_ITSM_FAILED);
    assert_int_equal(s.err.class, TKT_ERR_CONF);
    assert_true(s.call.unauthorized);
    drive_end(&s);
}

/* The JSON around a file's bytes is whole once they stand between. */
static void a_file_stands_inside_the_quotes_of_its_content(void **state)
{
    struct drive s;
    char whole[4096];

    (void)state;
    steps_begin(&s, "znuny", TKT_ITSM_ATTACH);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_true(s.call.request.file_base64);
    (void)snprintf(whole, sizeof(whole), "%sQUJD%s", s.call.request.file_head,
                   s.call.request.file_tail);
    cJSON *json = cJSON_Parse(whole);
    assert_string_equal(cJSON_GetStringValue(tkt_json_at(json, "Attachment.0.Content")),
                        "QUJD");
    assert_string_equal(cJSON_GetStringValue(tkt_json_at(json, "Attachment.0.Filename")),
                        "a\"b  .txt");
    cJSON_Delete(json);
    drive_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_stand_in_the_body_of_every_request_alone),
        cmocka_unit_test(a_create_names_all_that_the_operation_requires),
        cmocka_unit_test(an_error_with_200_is_no_ticket),
        cmocka_unit_test(a_file_stands_inside_the_quotes_of_its_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
