/* SPDX-License-Identifier: BSD-2-Clause
 * common/itsm: what each row of the table keeps, and the bytes that its requests are.
 */
#include "itsm_fixture.h"

#include "itsm/run.h"

static char nothing[] = "";

/* A section of that type, as calls of the fixture have it. */
static struct tkt_conf_itsm section(const char *type)
{
    struct drive d;

    drive_begin(&d, tkt_itsm_find(type), TKT_ITSM_CREATE);
    struct tkt_conf_itsm conf = d.conf;
    drive_end(&d);
    return conf;
}

static void each_backend_has_all_operations_and_a_type_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; tkt_itsm_table[i]; i++) {
        const struct tkt_itsm_ops *ops = tkt_itsm_table[i];

        assert_ptr_equal(tkt_itsm_find(ops->type), ops);
        assert_non_null(ops->title);
        for (int op = 0; op < TKT_ITSM_OPS && strcmp(ops->type, "local") != 0; op++) {
            bool may_lack = ops->create_is_idempotent &&
                            (op == TKT_ITSM_FIND || op == TKT_ITSM_FETCH);
            may_lack = may_lack || op == TKT_ITSM_LIST;
            assert_true(may_lack || ops->steps[op] != NULL);
        }
    }
    assert_null(tkt_itsm_find("nowhere"));
    assert_null(tkt_itsm_find(""));
}

/* Whatever comes: an empty answer, one of another shape, deep nonsense. */
static void no_answer_breaks_a_step_or_makes_it_go_on_for_ever(void **state)
{
    static const char *const answers[] = {
        "{}",
        "[]",
        "null",
        "true",
        "\"text\"",
        "{\"id\":{}}",
        "{\"id\":[1]}",
        "{\"items\":{}}",
        "{\"items\":[null,1,{\"id\":null},[]]}",
        "{\"items\":[{\"id\":\"1\",\"Type\":\"Comment\"}],\"id\":\"3\",\"Status\":7}"};

    (void)state;
    for (size_t i = 0; tkt_itsm_table[i]; i++) {
        for (int op = 0; op < TKT_ITSM_OPS; op++) {
            for (size_t a = 0; a < TKT_ARRAY_LEN(answers); a++) {
                const struct tkt_itsm_ops *ops = tkt_itsm_table[i];
                struct drive d;
                int steps = 0;

                if (ops->steps[op] == NULL) {
                    continue;
                }
                drive_begin(&d, ops, (enum tkt_itsm_op)op);
                enum tkt_itsm_next next = drive_step(&d, 0, NULL);
                while (next == TKT_ITSM_SEND && ++steps <= TKT_ITSM_STEPS_MAX) {
                    next = drive_step(&d, 200, answers[a]);
                }
                assert_true(steps <= TKT_ITSM_STEPS_MAX);
                assert_true(next != TKT_ITSM_FAILED || d.err.class != TKT_ERR_NONE);
                drive_end(&d);
            }
        }
    }
}

/* A step that is repeated asks for the same again, stays on the server, and hides the
 * secret from URLs. */
static void first_requests_are_the_same_twice_and_stay_where_they_belong(void **state)
{
    (void)state;
    for (size_t i = 0; tkt_itsm_table[i]; i++) {
        for (int op = 0; op < TKT_ITSM_OPS; op++) {
            const struct tkt_itsm_ops *ops = tkt_itsm_table[i];
            struct drive one, two;

            if (ops->steps[op] == NULL || ops->is_program) {
                continue;
            }
            drive_begin(&one, ops, (enum tkt_itsm_op)op);
            drive_begin(&two, ops, (enum tkt_itsm_op)op);
            /* An internal one has no place where only customers write. */
            one.comment.is_public = two.comment.is_public = true;
            assert_int_equal(drive_step(&one, 0, NULL), TKT_ITSM_SEND);
            assert_int_equal(drive_step(&two, 0, NULL), TKT_ITSM_SEND);
            assert_string_equal(one.call.request.url, two.call.request.url);
            assert_int_equal(one.call.request.body_len, two.call.request.body_len);
            assert_int_equal(
                strncmp(one.call.request.url, "http://127.0.0.1:1/base/", 24), 0);
            assert_null(strstr(one.call.request.url, "s3cret"));
            assert_null(strstr(one.call.request.url, "/../"));
            assert_null(strpbrk(one.call.request.url, " \r\n\""));
            drive_end(&one);
            drive_end(&two);
        }
    }
}

static void rt_creates_a_ticket_with_key_queue_and_fields(void **state)
{
    const struct tkt_itsm_ops *rt = tkt_itsm_find("rt");
    struct drive d;

    (void)state;
    drive_begin(&d, rt, TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.method, "POST");
    assert_string_equal(d.call.request.url, "http://127.0.0.1:1/base/REST/2.0/ticket");
    assert_string_equal(
        d.call.request.body,
        "{\"CustomFields\":{\"CorrelationId\":\"mt-0123456789abcdef0123456789abcdef\","
        "\"Site\":\"Berlin\"},\"Queue\":\"Network\","
        "\"Subject\":\"printer  Bcc: x \xf0\x9f\x98\x80\","
        "\"Content\":\"it is  broken\\n\xf0\x9f\x98\x80\\n\","
        "\"ContentType\":\"text/plain\",\"Requestor\":\"ann@example.org\"}");
    assert_int_equal(drive_step(&d, 201, "{\"id\":\"20\"}"), TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, "20");
    drive_end(&d);
}

static void rt_makes_nobody_where_the_requester_is_to_be_text(void **state)
{
    struct drive d;

    (void)state;
    drive_begin(&d, tkt_itsm_find("rt"), TKT_ITSM_CREATE);
    d.conf.requester = TKT_CONF_REQUESTER_TEXT;
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_null(strstr(d.call.request.body, "Requestor"));
    assert_non_null(
        strstr(d.call.request.body, "\"Content\":\"Ann <ann@example.org>:\\nit is"));
    drive_end(&d);
}

/* A search for a field that is not there may bring anything. */
static void rt_believes_a_hit_only_when_it_shows_the_key(void **state)
{
    const struct tkt_itsm_ops *rt = tkt_itsm_find("rt");
    struct drive d;

    (void)state;
    drive_begin(&d, rt, TKT_ITSM_FIND);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_true(d.call.request.repeatable);
    assert_int_equal(
        drive_step(&d, 200,
                   "{\"items\":[{\"id\":1,\"CustomFields\":[{\"name\":"
                   "\"CorrelationId\",\"values\":[\"mt-other\"]}]},{\"id\":2}]}"),
        TKT_ITSM_DONE);
    assert_true(d.call.seen.external == NULL || *d.call.seen.external == '\0');
    drive_end(&d);
    drive_begin(&d, rt, TKT_ITSM_FIND);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(
        drive_step(&d, 200,
                   "{\"items\":[{\"id\":1},{\"id\":9,\"CustomFields\":[{\"values\":"
                   "[\"mt-0123456789abcdef0123456789abcdef\"]}]}]}"),
        TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, "9");
    drive_end(&d);
}

/* A double has 53 bits: the last digits of a longer id would be another ticket's. */
static void an_id_of_more_digits_than_are_kept_is_none(void **state)
{
    struct drive d;

    (void)state;
    drive_begin(&d, tkt_itsm_find("rt"), TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 201, "{\"id\":9007199254740993}"), TKT_ITSM_FAILED);
    assert_int_equal(d.err.class, TKT_ERR_TEMP);
    drive_end(&d);
    drive_begin(&d, tkt_itsm_find("rt"), TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 201, "{\"id\":8007199254740993}"), TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, "8007199254740993");
    drive_end(&d);
}

static const char *led_to;

static enum tkt_itsm_next follow_link(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return tkt_itsm_get(call, led_to, err);
}

static void no_answer_leads_to_another_port_of_the_server(void **state)
{
    static const struct {
        const char *url;
        bool stays;
    } rows[] = {
        {"http://127.0.0.1:1/other", true},         {"http://127.0.0.1:2/base/", false},
        {"http://127.0.0.1/base/", false},          {"https://127.0.0.1:1/base/", false},
        {"http://127.0.0.1:1@127.0.0.1:2/", false}, {"http://127.0.0.2:1/base/", false}};
    const struct tkt_itsm_ops ops = {
        .type = "links", .title = "", .steps = {[TKT_ITSM_FETCH] = follow_link}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_itsm_result result;
        struct drive d;

        led_to = rows[i].url;
        drive_begin(&d, &ops, TKT_ITSM_FETCH);
        tkt_itsm_run_wait(&ops, &d.call, &result);
        assert_int_equal(result.err.class, rows[i].stays ? TKT_ERR_TEMP : TKT_ERR_PERM);
        assert_int_equal(strstr(result.err.text, "leads to another") == NULL,
                         rows[i].stays);
        drive_end(&d);
    }
}

static void a_file_name_cannot_leave_its_place_in_a_form(void **state)
{
    const struct tkt_itsm_ops *rt = tkt_itsm_find("rt");
    struct drive d;

    (void)state;
    drive_begin(&d, rt, TKT_ITSM_ATTACH);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_ptr_equal(d.call.request.file, &d.file);
    assert_non_null(strstr(d.call.request.file_head, "filename=\"a%22b__.txt\"\r\n"));
    assert_non_null(strstr(d.call.request.file_tail, d.ticket.corr));
    drive_end(&d);
}

static void texts_are_cut_at_characters_and_lines_stay_lines(void **state)
{
    struct drive d;

    (void)state;
    drive_begin(&d, tkt_itsm_find("rt"), TKT_ITSM_CREATE);
    assert_string_equal(tkt_itsm_line(&d.call, "a\xc3\xa4\xf0\x9f\x98\x80z\n", 3),
                        "a\xc3\xa4\xf0\x9f\x98\x80");
    assert_string_equal(tkt_itsm_line(&d.call, "a\tb\nc\x7f", 0), "a b c ");
    assert_string_equal(tkt_itsm_body(&d.call, "a\n\tb\x02", 0), "a\n\tb ");
    assert_string_equal(tkt_itsm_body(&d.call, "0123456\xc3\xa4 89", 12),
                        "0123456\xc3\xa4 89");
    assert_string_equal(tkt_itsm_body(&d.call, "01234\xc3\xa4 89ab", 11), "01234\n[...]");
    drive_end(&d);
}

static void a_section_is_told_what_it_lacks(void **state)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf_itsm conf = section("rt");
    char *bad_option[] = {(char *)"colour=red"};
    char *bad_field[] = {(char *)"Site={{fields.site"};

    (void)state;
    assert_int_equal(tkt_itsm_check_conf(&conf, &err), 0);
    conf.project = nothing;
    assert_int_equal(tkt_itsm_check_conf(&conf, &err), -1);
    assert_non_null(strstr(err.text, "queue"));
    conf = section("rt");
    conf.options = (struct tkt_conf_list){bad_option, 1};
    assert_int_equal(tkt_itsm_check_conf(&conf, &err), -1);
    assert_non_null(strstr(err.text, "\"colour\""));
    conf = section("rt");
    conf.fields = (struct tkt_conf_list){bad_field, 1};
    assert_int_equal(tkt_itsm_check_conf(&conf, &err), -1);
    assert_non_null(strstr(err.text, "fields: Site"));
    conf = section("rt");
    conf.url = (char *)"http://rt.example.org";
    assert_int_equal(tkt_itsm_check_conf(&conf, &err), -1);
    conf.url = nothing;
    assert_int_equal(tkt_itsm_check_conf(&conf, &err), -1);
    assert_non_null(strstr(err.text, "no url"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_backend_has_all_operations_and_a_type_of_its_own),
        cmocka_unit_test(no_answer_breaks_a_step_or_makes_it_go_on_for_ever),
        cmocka_unit_test(first_requests_are_the_same_twice_and_stay_where_they_belong),
        cmocka_unit_test(rt_creates_a_ticket_with_key_queue_and_fields),
        cmocka_unit_test(rt_makes_nobody_where_the_requester_is_to_be_text),
        cmocka_unit_test(rt_believes_a_hit_only_when_it_shows_the_key),
        cmocka_unit_test(an_id_of_more_digits_than_are_kept_is_none),
        cmocka_unit_test(no_answer_leads_to_another_port_of_the_server),
        cmocka_unit_test(a_file_name_cannot_leave_its_place_in_a_form),
        cmocka_unit_test(texts_are_cut_at_characters_and_lines_stay_lines),
        cmocka_unit_test(a_section_is_told_what_it_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
