/* SPDX-License-Identifier: BSD-2-Clause
 * ServiceNow: requests to the byte, answers in all their shapes.
 */
#include "base/util.h"
#include "itsm_vendor_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef"
#define TABLE ITSM_BASE "/api/now/v2/table/incident"

static void a_plain_incident_is_these_bytes(void **state)
{
    struct drive d;

    (void)state;
    itsm_begin(&d, "servicenow", TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.method, "POST");
    assert_string_equal(d.call.request.url, TABLE);
    assert_string_equal(d.call.request.headers[0], "Accept: application/json");
    assert_string_equal(d.call.request.headers[1], "Content-Type: application/json");
    assert_string_equal(
        d.call.request.body,
        "{\"short_description\":\"Printer\",\"description\":\"broken\\n\","
        "\"impact\":\"1\",\"urgency\":\"2\",\"contact_type\":\"email\","
        "\"correlation_id\":\"" ITSM_KEY "\",\"correlation_display\":\"ticket-milter\"}");
    assert_false(d.call.request.repeatable);
    drive_end(&d);
}

static void both_shapes_of_a_value_are_read(void **state)
{
    static const struct {
        const char *answer, *external, *number;
    } rows[] = {
        {"{\"result\":{\"sys_id\":\"" ID
         "\",\"number\":\"INC0010002\",\"priority\":\"3\","
         "\"assignment_group\":{\"link\":\"https://x/api/now/table/sys_user_group/2\","
         "\"value\":\"287ebd7da9fe198100f92cc8d1d2154e\"},\"caller_id\":\"\"}}",
         "incident/" ID, "INC0010002"},
        {"{\"result\":{\"sys_id\":{\"display_value\":\"a\",\"value\":\"a\"},\"number\":"
         "{\"display_value\":\"INC1\",\"value\":\"INC1\"}}}",
         "incident/a", "INC1"}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct drive d;

        itsm_begin(&d, "servicenow", TKT_ITSM_CREATE);
        assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
        assert_int_equal(drive_step(&d, 201, rows[i].answer), TKT_ITSM_DONE);
        assert_string_equal(d.call.seen.external, rows[i].external);
        assert_string_equal(d.call.seen.number, rows[i].number);
        drive_end(&d);
    }
}

static void only_a_row_that_shows_the_key_is_a_hit(void **state)
{
    static const struct {
        int status;
        const char *answer, *number;
        enum tkt_itsm_next next;
    } rows[] = {
        {200,
         "{\"result\":[{\"sys_id\":\"a\",\"number\":\"INC9\",\"correlation_id\":"
         "\"other\"}]}",
         NULL, TKT_ITSM_DONE},
        {200,
         "{\"result\":[{\"sys_id\":\"a\",\"number\":\"INC9\",\"correlation_id\":"
         "\"" ITSM_KEY "\"}]}",
         "INC9", TKT_ITSM_DONE},
        {404, "{\"error\":{\"message\":\"No Record found\"}}", NULL, TKT_ITSM_DONE},
        {404, "{\"error\":{\"message\":\"Other\"}}", NULL, TKT_ITSM_FAILED},
        {200, "{}", NULL, TKT_ITSM_FAILED}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct drive d;

        itsm_begin(&d, "servicenow", TKT_ITSM_FIND);
        assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
        assert_non_null(
            strstr(d.call.request.url, "sysparm_query=correlation_id%3D" ITSM_KEY "%5E"));
        assert_int_equal(drive_step(&d, rows[i].status, rows[i].answer), rows[i].next);
        if (rows[i].number == NULL) {
            assert_null(d.call.seen.external);
        } else {
            assert_string_equal(d.call.seen.number, rows[i].number);
        }
        drive_end(&d);
    }
}

static void an_import_set_that_says_error_is_a_refusal(void **state)
{
    char *rows[] = {(char *)"import_table=u_mail"};
    struct drive d;

    (void)state;
    itsm_begin(&d, "servicenow", TKT_ITSM_CREATE);
    d.conf.options = (struct tkt_conf_list){rows, 1};
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url, ITSM_BASE "/api/now/import/u_mail");
    assert_int_equal(
        drive_step(&d, 201,
                   "{\"import_set\":\"ISET1\",\"staging_table\":\"u_mail\",\"result\":[{"
                   "\"transform_map\":\"m\",\"table\":\"incident\",\"status\":\"error\","
                   "\"error_message\":\"x\"}]}"),
        TKT_ITSM_FAILED);
    assert_int_equal(d.err.class, TKT_ERR_PERM);
    drive_end(&d);
}

static void a_file_goes_with_its_own_type(void **state)
{
    struct drive d;

    (void)state;
    itsm_begin(&d, "servicenow", TKT_ITSM_ATTACH);
    d.ticket.external = "incident/" ID;
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 200, "{\"result\":[]}"), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url,
                        ITSM_BASE "/api/now/attachment/file?table_name=incident"
                                  "&table_sys_id=" ID "&file_name=a.pdf");
    assert_string_equal(d.call.request.headers[1], "Content-Type: application/pdf");
    assert_int_equal(drive_step(&d, 201,
                                "{\"result\":{\"sys_id\":\"a\",\"file_name\":\"a.pdf\","
                                "\"size_bytes\":\"462\"}}"),
                     TKT_ITSM_DONE);
    drive_end(&d);
}

static void a_comment_is_never_html(void **state)
{
    const struct tkt_itsm_comment said = {.text = "a [CODE]<img src=x>[/code]",
                                          .author = "",
                                          .author_name = "",
                                          .is_public = true};
    struct drive d;

    (void)state;
    itsm_begin(&d, "servicenow", TKT_ITSM_COMMENT);
    d.ticket.external = "incident/" ID;
    d.call.comment = &said;
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.body,
                        "{\"comments\":\"a [ CODE]<img src=x>[/code]\"}");
    drive_end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_incident_is_these_bytes),
        cmocka_unit_test(both_shapes_of_a_value_are_read),
        cmocka_unit_test(only_a_row_that_shows_the_key_is_a_hit),
        cmocka_unit_test(an_import_set_that_says_error_is_a_refusal),
        cmocka_unit_test(a_file_goes_with_its_own_type),
        cmocka_unit_test(a_comment_is_never_html),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
