/* SPDX-License-Identifier: BSD-2-Clause
 * The backend salesforce: the bytes of its requests, and what it makes of answers.
 */
#include "itsm_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static char *upsert[] = {(char *)"external_id=Key__c"};

static void an_external_id_makes_the_create_an_upsert_that_may_be_repeated(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "salesforce", TKT_ITSM_CREATE);
    s.conf.options = (struct tkt_conf_list){upsert, 1};
    s.conf.requester = TKT_CONF_REQUESTER_TEXT;
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.method, "PATCH");
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/services/data/v60.0/sobjects/Case/"
                        "Key__c/" STEPS_CORR);
    assert_true(s.call.request.repeatable);
    assert_string_equal(
        s.call.request.body,
        "{\"Subject\":\"printer\",\"Description\":\"broken\\n\",\"Origin\":\"Email\","
        "\"SuppliedEmail\":\"ann@example.org\",\"SuppliedName\":\"Ann\",\"Priority\":"
        "\"High\",\"Status\":\"New\",\"OwnerId\":\"7\"}");
    drive_end(&s);
    steps_begin(&s, "salesforce", TKT_ITSM_CREATE);
    s.conf.requester = TKT_CONF_REQUESTER_TEXT;
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.method, "POST");
    assert_false(s.call.request.repeatable);
    assert_non_null(
        strstr(s.call.request.body, "\"Correlation_Key__c\":\"" STEPS_CORR "\""));
    drive_end(&s);
}

static void what_stands_in_a_query_cannot_leave_its_quotes(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "salesforce", TKT_ITSM_CREATE);
    s.ticket.requester = "a'\\\n\"b@example.org";
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/services/data/v60.0/query?q="
                        "SELECT%20Id%2CEmail%20FROM%20Contact%20WHERE%20Email%3D%27"
                        "a%5C%27%5C%5C%20%5C%22b%40example.org%27%20LIMIT%202");
    drive_end(&s);
}

static void a_hit_counts_only_when_it_shows_the_key(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "salesforce", TKT_ITSM_FIND);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(
        drive_step(&s, 200,
                   "{\"records\":[{\"Id\":\"500A\",\"Correlation_Key__c\":\"mt-x\"},"
                   "{\"Id\":\"500B\",\"CaseNumber\":\"00001001\",\"Correlation_Key__c\":"
                   "\"" STEPS_CORR "\"}]}"),
        TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "500B");
    assert_string_equal(s.call.seen.number, "00001001");
    drive_end(&s);
}

static void a_section_is_told_what_it_lacks(void **state)
{
    static char *bad[] = {(char *)"external_id=Key__c/x"};
    struct tkt_err err = TKT_ERR_INIT;
    struct drive s;

    (void)state;
    steps_begin(&s, "salesforce", TKT_ITSM_CHECK);
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "\"7\" is no id of a queue"));
    s.conf.groups.count = 0;
    s.conf.project = (char *)"00G5";
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), 0);
    s.conf.options = (struct tkt_conf_list){bad, 1};
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "no name of a field"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_external_id_makes_the_create_an_upsert_that_may_be_repeated),
        cmocka_unit_test(what_stands_in_a_query_cannot_leave_its_quotes),
        cmocka_unit_test(a_hit_counts_only_when_it_shows_the_key),
        cmocka_unit_test(a_section_is_told_what_it_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
