/* SPDX-License-Identifier: BSD-2-Clause
 * The backend glpi: its sessions, the bytes of its requests, what it makes of answers.
 */
#include "itsm_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void begin(struct drive *s, enum tkt_itsm_op op)
{
    steps_begin(s, "glpi", op);
    s->site.secret = "us3r 4pp\n";
    s->conf.requester = TKT_CONF_REQUESTER_TEXT; /* no look-ups */
    assert_int_equal(drive_step(s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s->call.request.url,
                        "https://desk.example/base/apirest.php/initSession");
    assert_true(steps_header(s, "Authorization: user_token us3r"));
    assert_true(steps_header(s, "App-Token: 4pp"));
    assert_null(s->call.request.body);
    assert_int_equal(drive_step(s, 200, "{\"session_token\":\"abc\"}"), TKT_ITSM_SEND);
    assert_true(steps_header(s, "Session-Token: abc"));
}

static void a_create_is_made_in_a_session_that_is_closed(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, TKT_ITSM_CREATE);
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/apirest.php/Ticket");
    assert_string_equal(
        s.call.request.body,
        "{\"input\":{\"name\":\"printer\",\"content\":\"Ann &lt;ann@example.org&gt;:<br>"
        "broken<br>\",\"type\":1,\"externalid\":\"" STEPS_CORR
        "\",\"priority\":4,\"status\":1,\"_groups_id_assign\":7}}");
    assert_int_equal(drive_step(&s, 201, "{\"id\":15,\"message\":\"\"}"), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/apirest.php/killSession");
    assert_true(s.call.request.farewell);
    assert_string_equal(s.call.seen.external, "15");
    assert_int_equal(drive_step(&s, 200, "{}"), TKT_ITSM_DONE);
    drive_end(&s);
}

static void a_session_that_ended_is_opened_again_once(void **state)
{
    static const char gone[] =
        "[\"ERROR_SESSION_TOKEN_INVALID\",\"session_token seems invalid\"]";
    struct drive s;

    (void)state;
    begin(&s, TKT_ITSM_CREATE);
    assert_int_equal(s.call.request.also[3], 401);
    assert_int_equal(drive_step(&s, 401, gone), TKT_ITSM_SEND);
    assert_non_null(strstr(s.call.request.url, "/initSession"));
    assert_int_equal(drive_step(&s, 200, "{\"session_token\":\"def\"}"), TKT_ITSM_SEND);
    assert_non_null(strstr(s.call.request.url, "/Ticket"));
    assert_true(steps_header(&s, "Session-Token: def"));
    assert_int_equal(s.call.request.also[3], 0); /* the next 401 ends it */
    drive_end(&s);
}

static void an_update_is_taken_only_when_the_answer_says_so(void **state)
{
    static const struct {
        const char *answer;
        enum tkt_itsm_next next;
        enum tkt_err_class class;
    } rows[] = {{"[{\"15\":true,\"message\":\"\"}]", TKT_ITSM_SEND, TKT_ERR_NONE},
                {"[{\"15\":false,\"message\":\"You don't have permission\"}]",
                 TKT_ITSM_FAILED, TKT_ERR_PERM},
                {"[{\"16\":true,\"message\":\"\"}]", TKT_ITSM_FAILED, TKT_ERR_TEMP},
                {"[]", TKT_ITSM_FAILED, TKT_ERR_TEMP}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct drive s;

        begin(&s, TKT_ITSM_UPDATE);
        assert_string_equal(s.call.request.method, "PUT");
        assert_string_equal(s.call.request.url,
                            "https://desk.example/base/apirest.php/Ticket/15");
        assert_int_equal(drive_step(&s, 200, rows[i].answer), rows[i].next);
        assert_int_equal(s.err.class, rows[i].class);
        drive_end(&s);
    }
}

static void texts_come_back_without_their_markup(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, TKT_ITSM_FETCH);
    assert_int_equal(drive_step(&s, 200, "{\"id\":15,\"status\":2,\"priority\":3}"),
                     TKT_ITSM_SEND);
    assert_int_equal(drive_step(&s, 200, "[{\"groups_id\":9,\"type\":2}]"),
                     TKT_ITSM_SEND);
    assert_int_equal(
        drive_step(
            &s, 200,
            "[{\"id\":2,\"content\":\"<p>a &lt;b&gt; &amp; c</p>\",\"is_private\":1},"
            "{\"id\":1,\"content\":\"&lt;p&gt;old&lt;/p&gt;\",\"is_private\":0},"
            "{\"id\":0,\"content\":\"a<br/>b < c\",\"is_private\":0}]"),
        TKT_ITSM_SEND);
    assert_int_equal(s.call.seen.note_count, 3);
    assert_string_equal(s.call.seen.notes[0].text, "a <b> & c");
    assert_false(s.call.seen.notes[0].is_public);
    assert_string_equal(s.call.seen.notes[1].text, "old");
    assert_true(s.call.seen.notes[1].is_public);
    assert_string_equal(s.call.seen.notes[2].text, "a\nb < c");
    assert_string_equal(s.call.seen.group, "9");
    drive_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_is_made_in_a_session_that_is_closed),
        cmocka_unit_test(a_session_that_ended_is_opened_again_once),
        cmocka_unit_test(an_update_is_taken_only_when_the_answer_says_so),
        cmocka_unit_test(texts_come_back_without_their_markup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
