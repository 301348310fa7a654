/* SPDX-License-Identifier: BSD-2-Clause
 * The backends freshservice and freshdesk: the bytes of their requests, and what they make
 * of answers.
 */
#include "base/buf.h"
#include "itsm_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define TAG "mt-0123456789abcdef0123456789abc"

static char *options[] = {(char *)"default_requester=desk@example.org"};

static void begin(struct drive *s, const char *type, enum tkt_itsm_op op)
{
    steps_begin(s, type, op);
    s->conf.options = (struct tkt_conf_list){options, 1};
    s->conf.requester = TKT_CONF_REQUESTER_CREATE;
    s->ticket.urgency = 1;
}

static void a_create_has_a_tag_that_fits_and_html(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, "freshservice", TKT_ITSM_CREATE);
    s.ticket.text = "a<b>&\nc\n";
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.url, "https://desk.example/base/api/v2/tickets");
    assert_string_equal(
        s.call.request.body,
        "{\"email\":\"ann@example.org\",\"name\":\"Ann\",\"subject\":\"printer\","
        "\"description\":\"a&lt;b&gt;&amp;<br>c<br>\",\"status\":2,\"priority\":3,"
        "\"group_id\":7,\"source\":1,\"tags\":[\"" TAG "\"],\"urgency\":3}");
    assert_int_equal(drive_step(&s, 201, "{\"ticket\":{\"id\":8,\"status\":2}}"),
                     TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "8");
    drive_end(&s);
}

static void freshdesk_gives_the_bare_ticket_and_knows_no_urgency(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, "freshdesk", TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_null(strstr(s.call.request.body, "urgency"));
    assert_int_equal(drive_step(&s, 201, "{\"id\":8,\"status\":2}"), TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "8");
    assert_string_equal(s.call.seen.state, "2");
    drive_end(&s);
}

static void a_ticket_without_its_whole_tag_is_another_one(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, "freshservice", TKT_ITSM_FIND);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/api/v2/tickets/filter?query="
                        "%22tag%3A%27" TAG "%27%22");
    assert_int_equal(
        drive_step(&s, 200,
                   "{\"tickets\":[{\"id\":1,\"tags\":[\"mt-0123\"]},{\"id\":2}]}"),
        TKT_ITSM_SEND);
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/api/v2/tickets?email="
                        "ann%40example.org&per_page=100&page=1");
    assert_int_equal(drive_step(&s, 200, "{\"tickets\":[]}"), TKT_ITSM_SEND);
    assert_non_null(strstr(s.call.request.url, "email=desk%40example.org"));
    assert_int_equal(
        drive_step(&s, 200, "{\"tickets\":[{\"id\":9,\"tags\":[\"" TAG "\"]}]}"),
        TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "9");
    drive_end(&s);
}

/* A full page leads to the next one, but not for ever. */
static void a_long_list_is_read_to_an_end(void **state)
{
    TKT_AUTO_BUF struct tkt_buf page = TKT_BUF_INIT(64 * 1024);
    struct drive s;
    int steps = 0;

    (void)state;
    tkt_buf_adds(&page, "{\"tickets\":[{}");
    for (int i = 1; i < 100; i++) {
        tkt_buf_adds(&page, ",{}");
    }
    tkt_buf_adds(&page, "]}");
    begin(&s, "freshservice", TKT_ITSM_FIND);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    while (drive_step(&s, 200, tkt_buf_str(&page)) == TKT_ITSM_SEND) {
        steps++;
    }
    assert_int_equal(steps, 10);
    assert_null(s.call.seen.external);
    drive_end(&s);
}

static void a_section_is_told_what_it_lacks(void **state)
{
    static char *names[] = {(char *)"net=Network"};
    struct tkt_err err = TKT_ERR_INIT;
    struct drive s;

    (void)state;
    begin(&s, "freshservice", TKT_ITSM_CHECK);
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), 0);
    s.conf.groups = (struct tkt_conf_list){names, 1};
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "net=Network"));
    begin(&s, "freshdesk", TKT_ITSM_CHECK);
    s.conf.options.count = 0;
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "default_requester"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_has_a_tag_that_fits_and_html),
        cmocka_unit_test(freshdesk_gives_the_bare_ticket_and_knows_no_urgency),
        cmocka_unit_test(a_ticket_without_its_whole_tag_is_another_one),
        cmocka_unit_test(a_long_list_is_read_to_an_end),
        cmocka_unit_test(a_section_is_told_what_it_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
