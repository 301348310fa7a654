/* SPDX-License-Identifier: BSD-2-Clause
 * The backends github and gitlab: the bytes of their requests, and what they make of
 * answers.
 */
#include "base/buf.h"
#include "itsm/issues.h"
#include "itsm_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define MARK "\\n\\n<!-- " STEPS_CORR " -->"

static char *groups[] = {(char *)"net=network", (char *)"db=database"};
static char *priorities[] = {(char *)"1=urgent", (char *)"2=high"};
static char *states[] = {(char *)"pending=waiting"};

static void begin(struct drive *s, const char *type, enum tkt_itsm_op op)
{
    steps_begin(s, type, op);
    s->conf.project = (char *)"acme/it desk";
    s->conf.groups = (struct tkt_conf_list){groups, 2};
    s->conf.priorities = (struct tkt_conf_list){priorities, 2};
    s->conf.states = (struct tkt_conf_list){states, 1};
}

static void github_creates_an_issue_with_key_and_labels(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, "github", TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.method, "POST");
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/repos/acme/it%20desk/issues");
    assert_true(steps_header(&s, "Accept: application/vnd.github+json"));
    assert_true(steps_header(&s, "X-GitHub-Api-Version: 2022-11-28"));
    assert_true(steps_header(&s, "Content-Type: application/json"));
    assert_string_equal(
        s.call.request.body,
        "{\"title\":\"printer\",\"body\":\"Ann \\\\<ann@example.org>:\\n\\n"
        "broken\\n" MARK "\",\"labels\":[\"network\",\"high\"]}");
    assert_int_equal(
        drive_step(&s, 201, "{\"number\":7,\"html_url\":\"https://github.com/a/b/7\"}"),
        TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "7");
    assert_string_equal(s.call.seen.number, "#7");
    drive_end(&s);
}

static void github_takes_no_pull_request_for_its_issue(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, "github", TKT_ITSM_FIND);
    s.ticket.created_ms = INT64_C(1795341600000);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/repos/acme/it%20desk/issues?state=all"
                        "&sort=created&direction=desc&per_page=100&page=1"
                        "&since=2026-11-22T09:50:00Z");
    assert_true(s.call.request.repeatable);
    assert_int_equal(
        drive_step(&s, 200,
                   "[{\"number\":3,\"pull_request\":{},\"body\":\"<!-- " STEPS_CORR
                   " -->\"},{\"number\":2,\"body\":null},"
                   "{\"number\":1,\"body\":\"x\\n<!-- " STEPS_CORR " -->\\n"
                   "a line that somebody added\"}]"),
        TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "1");
    drive_end(&s);
}

static void github_changes_only_what_differs(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, "github", TKT_ITSM_UPDATE);
    s.ticket.state = "withdrawn";
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(s.call.request.method, "GET");
    assert_int_equal(drive_step(&s, 200,
                                "{\"number\":15,\"state\":\"open\",\"labels\":[{\"name\":"
                                "\"bug\"},{\"name\":\"database\"},{\"name\":\"High\"}]}"),
                     TKT_ITSM_SEND);
    assert_string_equal(s.call.request.method, "PATCH");
    assert_true(s.call.request.repeatable);
    assert_string_equal(s.call.request.body,
                        "{\"state\":\"closed\",\"state_reason\":\"not_planned\","
                        "\"labels\":[\"bug\",\"High\",\"network\"]}");
    drive_end(&s);
}

static void gitlab_creates_a_confidential_issue(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, "gitlab", TKT_ITSM_CREATE);
    s.ticket.text = "one\ntwo\n\n/close\n";
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(
        s.call.request.url,
        "https://desk.example/base/api/v4/projects/acme%2Fit%20desk/issues");
    assert_string_equal(s.call.request.body,
                        "{\"title\":\"printer\",\"description\":\"Ann "
                        "\\\\<ann@example.org>:\\n\\none  \\ntwo\\n\\n\\\\/close\\n" MARK
                        "\",\"confidential\":true,\"labels\":\"network,high\"}");
    assert_int_equal(drive_step(&s, 201, "{\"id\":70,\"iid\":4,\"web_url\":\"u\"}"),
                     TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.external, "4");
    drive_end(&s);
}

static void gitlab_reads_notes_of_people_only(void **state)
{
    struct drive s;

    (void)state;
    begin(&s, "gitlab", TKT_ITSM_FETCH);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&s, 200,
                                "{\"iid\":15,\"state\":\"opened\",\"labels\":[\"x\","
                                "\"waiting\",\"urgent\"],\"description\":"
                                "\"![p](/uploads/0f/p.png) [broken](/uploads/\"}"),
                     TKT_ITSM_SEND);
    assert_string_equal(s.call.seen.state, "waiting");
    assert_string_equal(s.call.seen.priority, "urgent");
    assert_int_equal(
        drive_step(&s, 200,
                   "[{\"id\":3,\"system\":true,\"body\":\"closed\"},{\"id\":2,\"body\":"
                   "\"a\\\\<b\",\"confidential\":true,\"author\":{\"username\":\"u\"}}]"),
        TKT_ITSM_DONE);
    assert_int_equal(s.call.seen.note_count, 1);
    assert_string_equal(s.call.seen.notes[0].text, "a<b");
    assert_false(s.call.seen.notes[0].is_public);
    assert_string_equal(s.call.seen.files[0], "p.png");
    drive_end(&s);
}

static void a_stranger_s_text_stays_text(void **state)
{
    static const struct {
        const char *text, *markdown;
    } rows[] = {{"@ann a@b.org", "@\xe2\x80\x8b"
                                 "ann a@b.org"},
                {"x (@all)", "x (@\xe2\x80\x8b"
                             "all)"},
                {"see #12, !7, # 3", "see #\xe2\x80\x8b"
                                     "12, !\xe2\x80\x8b"
                                     "7, # 3"},
                {"<b>\\<i>", "\\<b>\\\\\\<i>"},
                {"![a](b)", "!\\[a](b)"},
                {"# a\n  ## b", "\\# a\n  \\## b"},
                {"\t/close", "\t\\/close"},
                {"\v/close", "\v\\/close"},
                {"&#64;ann &commat;", "\\&#\xe2\x80\x8b"
                                      "64;ann \\&commat;"},
                {"/close\na /close\n/ x", "\\/close\na /close\n/ x"},
                {"a\n---\n-- \nb - c", "a\n\\---\n\\-- \nb - c"},
                {"```\n~~~\n===", "\\```\n\\~~~\n\\==="}};
    struct drive s;

    (void)state;
    begin(&s, "github", TKT_ITSM_CREATE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *made = tkt_issues_markdown(&s.call, rows[i].text, false);

        assert_string_equal(made, rows[i].markdown);
        assert_string_equal(tkt_issues_plain(&s.call, made), rows[i].text);
    }
    drive_end(&s);
}

static void changes_are_read_page_by_page(void **state)
{
    TKT_AUTO_BUF struct tkt_buf page = TKT_BUF_INIT(64 * 1024);
    struct drive s;

    (void)state;
    tkt_buf_adds(&page, "[{\"number\":1,\"updated_at\":\"2026-11-22T10:00:01Z\"}");
    for (int i = 1; i < 100; i++) {
        tkt_buf_adds(&page, ",{\"number\":2,\"pull_request\":{}}");
    }
    tkt_buf_adds(&page, "]");
    begin(&s, "github", TKT_ITSM_LIST);
    s.call.since_ms = INT64_C(1795341600000);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_non_null(strstr(s.call.request.url, "sort=updated&direction=asc&per_page=100"
                                               "&page=1&since=2026-11-22T10:00:00Z"));
    assert_int_equal(drive_step(&s, 200, tkt_buf_str(&page)), TKT_ITSM_SEND);
    assert_non_null(strstr(s.call.request.url, "&page=2&"));
    assert_int_equal(
        drive_step(&s, 200, "[{\"number\":7,\"updated_at\":\"2026-11-22T10:00:02Z\"}]"),
        TKT_ITSM_DONE);
    assert_int_equal(s.call.seen.key_count, 2);
    assert_string_equal(s.call.seen.keys[1], "7");
    assert_int_equal(s.call.seen.upto_ms, INT64_C(1795341602000));
    drive_end(&s);
    begin(&s, "gitlab", TKT_ITSM_LIST);
    s.call.since_ms = INT64_C(1795341600000);
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_non_null(strstr(s.call.request.url, "order_by=updated_at&sort=asc&per_page=100"
                                               "&page=1&updated_after="
                                               "2026-11-22T10:00:00Z"));
    assert_int_equal(
        drive_step(&s, 200,
                   "[{\"iid\":7,\"updated_at\":\"2026-11-22T11:00:02.000+01:00\"}]"),
        TKT_ITSM_DONE);
    assert_string_equal(s.call.seen.keys[0], "7");
    assert_int_equal(s.call.seen.upto_ms, INT64_C(1795341602000));
    drive_end(&s);
}

static void a_section_is_told_what_it_lacks(void **state)
{
    static char *comma[] = {(char *)"net=a,b"};
    static char *words[] = {(char *)"internal=never"};
    struct tkt_err err = TKT_ERR_INIT;
    struct drive s;

    (void)state;
    begin(&s, "github", TKT_ITSM_CHECK);
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), 0);
    s.conf.project = (char *)"desk";
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "owner/name"));
    s.conf.project = (char *)"acme/..";
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    s.conf.project = (char *)"acme/desk";
    s.conf.options = (struct tkt_conf_list){words, 1};
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "\"never\""));
    begin(&s, "gitlab", TKT_ITSM_CHECK);
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), 0);
    s.conf.groups = (struct tkt_conf_list){comma, 1};
    assert_int_equal(tkt_itsm_check_conf(&s.conf, &err), -1);
    assert_non_null(strstr(err.text, "comma"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(github_creates_an_issue_with_key_and_labels),
        cmocka_unit_test(github_takes_no_pull_request_for_its_issue),
        cmocka_unit_test(github_changes_only_what_differs),
        cmocka_unit_test(gitlab_creates_a_confidential_issue),
        cmocka_unit_test(gitlab_reads_notes_of_people_only),
        cmocka_unit_test(a_stranger_s_text_stays_text),
        cmocka_unit_test(changes_are_read_page_by_page),
        cmocka_unit_test(a_section_is_told_what_it_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
