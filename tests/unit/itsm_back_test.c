/* SPDX-License-Identifier: BSD-2-Clause
 * The way back: lists of what changed, byte by byte, and what their words mean here.
 */
#include "itsm/back.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the three above first */
#include <cmocka.h>

#include "base/util.h"
#include "itsm/build.h"
#include "itsm_steps.h"

#define SINCE_MS (INT64_C(1795341600) * 1000) /* 2026-11-22T10:00:00Z */

static void begin_list(struct drive *s, const char *type)
{
    steps_begin(s, type, TKT_ITSM_LIST);
    s->call.since_ms = SINCE_MS;
    assert_int_equal(TKT_ITSM_SEND, drive_step(s, 0, NULL));
    assert_string_equal("GET", s->call.request.method);
}

static void assert_asked(const struct drive *s, const char *what)
{
    if (strstr(s->call.request.url, what) == NULL) {
        fail_msg("%s lacks %s", s->call.request.url, what);
    }
}

static void redmine_lists_all_projects_in_utc(void **state)
{
    struct drive s;

    (void)state;
    begin_list(&s, "redmine");
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/issues.json?updated_on=%3E%3D"
                        "2026-11-22T10:00:00Z&status_id=*&sort=updated_on,id&limit=100"
                        "&offset=0");
    assert_int_equal(
        TKT_ITSM_DONE,
        drive_step(&s, 200,
                   "{\"issues\":[{\"id\":7,\"updated_on\":\"2026-11-22T10:00:05Z\"},"
                   "{\"id\":8,\"updated_on\":\"2026-11-22T09:00:00Z\"}]}"));
    assert_int_equal(1, s.call.seen.key_count); /* what is older was not asked for */
    assert_string_equal("7", s.call.seen.keys[0]);
    assert_true(s.call.seen.upto_ms == SINCE_MS + 5000);
    drive_end(&s);
}

static void rt_goes_back_from_the_newest_over_all_zones(void **state)
{
    struct drive s;

    (void)state;
    begin_list(&s, "rt");
    assert_asked(&s, "LastUpdated%20%3E%20%272026-11-21%2020%3A00%3A00%27");
    assert_asked(&s, "orderby=LastUpdated&order=DESC&per_page=100&page=1");
    assert_int_equal(
        TKT_ITSM_DONE,
        drive_step(&s, 200,
                   "{\"items\":[{\"id\":\"3\",\"LastUpdated\":\"2026-11-22T11:00:00Z\"},"
                   "{\"id\":\"2\",\"LastUpdated\":\"2026-11-22T08:00:00Z\"}]}"));
    assert_int_equal(1, s.call.seen.key_count);
    assert_string_equal("3", s.call.seen.keys[0]);
    drive_end(&s);
}

static void zendesk_follows_its_cursor_and_takes_only_what_is_ours(void **state)
{
    struct drive s;

    (void)state;
    begin_list(&s, "zendesk");
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/api/v2/incremental/tickets/cursor.json"
                        "?start_time=1795341600&per_page=100");
    assert_int_equal(
        TKT_ITSM_SEND,
        drive_step(&s, 200,
                   "{\"tickets\":[{\"id\":35436,\"external_id\":\"mt-1\","
                   "\"generated_timestamp\":1795341700},{\"id\":1,\"external_id\":null,"
                   "\"generated_timestamp\":1795341800}],\"after_cursor\":\"a b=\","
                   "\"end_of_stream\":false}"));
    assert_asked(&s, "cursor.json?cursor=a%20b%3D&per_page=100");
    assert_int_equal(TKT_ITSM_DONE, drive_step(&s, 200,
                                               "{\"tickets\":[],\"after_cursor\":null,"
                                               "\"end_of_stream\":true}"));
    assert_int_equal(1, s.call.seen.key_count);
    assert_string_equal("35436", s.call.seen.keys[0]);
    assert_true(s.call.seen.upto_ms == SINCE_MS + 200000);
    drive_end(&s);
}

static void servicenow_asks_each_of_its_tables(void **state)
{
    struct drive s;

    (void)state;
    begin_list(&s, "servicenow");
    assert_asked(&s, "/api/now/v2/table/incident?sysparm_query=correlation_display%3D"
                     "ticket-milter%5Esys_updated_on%3E%3D2026-11-22%2010%3A00%3A00%5E"
                     "ORDERBYsys_updated_on");
    assert_asked(&s, "sysparm_fields=sys_id,sys_updated_on&sysparm_offset=0");
    assert_int_equal(TKT_ITSM_SEND,
                     drive_step(&s, 200,
                                "{\"result\":[{\"sys_id\":\"9d38\",\"sys_updated_on\":"
                                "\"2026-11-22 10:00:01\"}]}"));
    assert_asked(&s, "/api/now/v2/table/sc_request?");
    assert_int_equal(TKT_ITSM_DONE, drive_step(&s, 404, "{\"error\":{}}"));
    assert_int_equal(1, s.call.seen.key_count);
    assert_string_equal("incident/9d38", s.call.seen.keys[0]);
    drive_end(&s);
}

/* A page that is full, and the last one there is room for: more may be behind it. */
static void a_list_that_ends_before_its_end_says_so(void **state)
{
    TKT_AUTO_BUF struct tkt_buf page = TKT_BUF_INIT(64 * 1024);

    (void)state;
    tkt_buf_adds(&page, "{\"items\":[");
    for (int i = 0; i < 100; i++) {
        tkt_buf_addf(&page, "%s{\"id\":\"%d\",\"LastUpdated\":\"2026-11-22T10:00:05Z\"}",
                     i > 0 ? "," : "", i + 1);
    }
    tkt_buf_adds(&page, "]}");
    for (int pages = TKT_ITSM_LIST_PAGES_MAX - 1; pages <= TKT_ITSM_LIST_PAGES_MAX;
         pages++) {
        struct drive s;
        bool is_cut = pages == TKT_ITSM_LIST_PAGES_MAX;

        steps_begin(&s, "rt", TKT_ITSM_LIST);
        s.call.since_ms = SINCE_MS;
        assert_int_equal(TKT_ITSM_SEND, drive_step(&s, 0, NULL));
        s.call.step = pages - 1;
        assert_int_equal(is_cut ? TKT_ITSM_DONE : TKT_ITSM_SEND,
                         drive_step(&s, 200, tkt_buf_str(&page)));
        assert_int_equal(is_cut, s.call.seen.is_cut);
        drive_end(&s);
    }
    static const char *const oldest_first[] = {"github", "gitlab", "redmine", "zendesk",
                                               "freshdesk"};
    static const char *const otherwise[] = {"rt", "jira", "jsm", "servicenow",
                                            "freshservice"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(oldest_first); i++) {
        assert_true(tkt_itsm_find(oldest_first[i])->list_ascends);
        assert_false(tkt_itsm_find(otherwise[i])->list_ascends);
    }
}

static void jira_goes_back_from_the_newest_page_by_page(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "jira", TKT_ITSM_LIST);
    s.conf.project = (char *)"SUP";
    s.conf.url = (char *)"https://acme.atlassian.net";
    s.call.since_ms = SINCE_MS;
    assert_int_equal(TKT_ITSM_SEND, drive_step(&s, 0, NULL));
    assert_string_equal(s.call.request.url,
                        "https://acme.atlassian.net/rest/api/3/search/jql");
    assert_string_equal(s.call.request.body,
                        "{\"jql\":\"project = \\\"SUP\\\" AND updated >= "
                        "\\\"2026-11-21 20:00\\\" ORDER BY updated DESC\","
                        "\"maxResults\":100,\"fields\":[\"updated\"]}");
    assert_int_equal(
        TKT_ITSM_SEND,
        drive_step(&s, 200,
                   "{\"issues\":[{\"id\":\"11\",\"fields\":{\"updated\":"
                   "\"2026-11-22T12:00:05.000+0100\"}}],\"nextPageToken\":\"next\"}"));
    assert_non_null(strstr(s.call.request.body, "\"nextPageToken\":\"next\""));
    assert_int_equal(
        TKT_ITSM_DONE,
        drive_step(&s, 200,
                   "{\"issues\":[{\"id\":\"12\",\"fields\":{\"updated\":"
                   "\"2026-11-22T09:59:59.000+0000\"}}],\"nextPageToken\":\"more\"}"));
    assert_int_equal(1, s.call.seen.key_count);
    assert_string_equal("11", s.call.seen.keys[0]);
    assert_true(s.call.seen.upto_ms == SINCE_MS + 3605000);
    drive_end(&s);
    steps_begin(&s, "jira", TKT_ITSM_LIST);
    s.call.since_ms = SINCE_MS;
    assert_int_equal(TKT_ITSM_SEND, drive_step(&s, 0, NULL));
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/rest/api/2/search");
    assert_non_null(strstr(s.call.request.body, "\"startAt\":0"));
    assert_int_equal(TKT_ITSM_DONE,
                     drive_step(&s, 200, "{\"issues\":[],\"nextPageToken\":\"x\"}"));
    drive_end(&s);
    assert_true(tkt_itsm_find("jsm")->list_lag_ms == 15 * 60 * 1000);
}

static void freshworks_lists_by_the_time_of_the_change(void **state)
{
    struct drive s;

    (void)state;
    begin_list(&s, "freshdesk");
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/api/v2/tickets?updated_since="
                        "2026-11-22T10:00:00Z&order_by=updated_at&order_type=asc"
                        "&per_page=100&page=1");
    assert_int_equal(TKT_ITSM_DONE,
                     drive_step(&s, 200,
                                "[{\"id\":7,\"updated_at\":\"2026-11-22T10:00:05Z\"},"
                                "{\"id\":8,\"updated_at\":\"2026-11-22T09:00:00Z\"}]"));
    assert_int_equal(1, s.call.seen.key_count);
    assert_string_equal("7", s.call.seen.keys[0]);
    drive_end(&s);
    begin_list(&s, "freshservice");
    assert_string_equal(s.call.request.url,
                        "https://desk.example/base/api/v2/tickets?updated_since="
                        "2026-11-22T10:00:00Z&per_page=100&page=1");
    assert_int_equal(TKT_ITSM_DONE, drive_step(&s, 200, "{\"tickets\":[]}"));
    drive_end(&s);
}

static void the_agent_of_a_freshworks_key_is_us(void **state)
{
    static const char *const notes =
        "[{\"id\":3,\"user_id\":81,\"body_text\":\"hello\"}]";
    struct drive s;

    (void)state;
    for (int i = 0; i < 3; i++) {
        steps_begin(&s, "freshdesk", TKT_ITSM_FETCH);
        s.conf.user = (char *)(i == 2 ? "81" : "");
        assert_int_equal(TKT_ITSM_SEND, drive_step(&s, 0, NULL));
        assert_int_equal(TKT_ITSM_SEND, drive_step(&s, 200, "{\"id\":15,\"status\":2}"));
        assert_int_equal(i == 2 ? TKT_ITSM_DONE : TKT_ITSM_SEND,
                         drive_step(&s, 200, notes));
        if (i < 2) {
            assert_asked(&s, "/api/v2/agents/me");
            assert_int_equal(TKT_ITSM_DONE, drive_step(&s, i == 0 ? 200 : 404,
                                                       i == 0 ? "{\"id\":81}" : "{}"));
        }
        assert_int_equal(1, s.call.seen.note_count);
        assert_int_equal(tkt_itsm_note_is_ours(&s.call, &s.call.seen.notes[0]), i != 1);
        drive_end(&s);
    }
}

static void a_list_that_is_none_fails(void **state)
{
    static const char *const types[] = {"rt",         "redmine",   "zendesk",
                                        "servicenow", "freshdesk", "freshservice"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(types); i++) {
        struct drive s;

        begin_list(&s, types[i]);
        assert_int_equal(TKT_ITSM_FAILED, drive_step(&s, 200, "{\"total\":1}"));
        drive_end(&s);
    }
}

static struct tkt_itsm_meaning meaning_of(struct drive *s)
{
    struct tkt_itsm_meaning m;

    tkt_itsm_meaning(tkt_itsm_find(s->conf.type), &s->call, &m);
    return m;
}

static void words_are_read_from_right_to_left(void **state)
{
    static char *states[] = {(char *)"pending=Waiting", (char *)"pending=On hold"};
    static char *agents[] = {(char *)"anna@example.org=anna"};
    struct drive s;

    (void)state;
    steps_begin(&s, "rt", TKT_ITSM_FETCH);
    s.conf.states = (struct tkt_conf_list){states, 2};
    s.conf.assignees = (struct tkt_conf_list){agents, 1};
    s.call.seen.state = (char *)"on hold";
    s.call.seen.group = (char *)"7";
    s.call.seen.assignee = (char *)"Anna";
    struct tkt_itsm_meaning m = meaning_of(&s);
    assert_int_equal(TKT_STATE_PENDING, m.state_to);
    assert_string_equal("net", m.group_same);
    assert_string_equal("anna@example.org", m.assignee_to);
    s.call.seen.state = (char *)"resolved"; /* RT's own word, for two of ours */
    s.call.seen.group = (char *)"General";
    s.call.seen.assignee = (char *)"carol";
    m = meaning_of(&s);
    assert_int_equal(TKT_STATE_RESOLVED, m.state_to);
    assert_int_equal(1u << TKT_STATE_RESOLVED | 1u << TKT_STATE_CLOSED, m.states);
    assert_null(m.group_to);
    assert_null(m.group_same);
    assert_null(m.assignee_to);
    s.call.seen.state = (char *)"weird";
    s.call.seen.assignee = (char *)"bob@example.org";
    m = meaning_of(&s);
    assert_int_equal(0, m.states);
    assert_string_equal("bob@example.org", m.assignee_to);
    assert_int_equal(0, m.priorities);
    assert_false(m.priority_told);
    drive_end(&s);
}

static void a_priority_may_stand_for_several_of_ours(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "zendesk", TKT_ITSM_FETCH);
    s.call.seen.priority = (char *)"low";
    struct tkt_itsm_meaning m = meaning_of(&s);
    assert_int_equal(1u << 4 | 1u << 5, m.priorities);
    assert_int_equal(4, m.priority_to);
    assert_true(m.priority_told);
    drive_end(&s);
    steps_begin(&s, "servicenow", TKT_ITSM_FETCH);
    s.ticket.external = "incident/9d38";
    s.call.seen.priority = (char *)"2";
    s.call.seen.state = (char *)"6";
    m = meaning_of(&s);
    assert_int_equal(2, m.priority_to);
    assert_false(m.priority_told); /* its own matrix made it */
    assert_int_equal(TKT_STATE_RESOLVED, m.state_to);
    drive_end(&s);
}

static void our_own_comments_are_known(void **state)
{
    struct drive s;
    struct tkt_itsm_note n = {.author = (char *)"carol", .text = (char *)"hello"};

    (void)state;
    steps_begin(&s, "rt", TKT_ITSM_FETCH);
    s.call.seen.me = (char *)"mailer";
    assert_false(tkt_itsm_note_is_ours(&s.call, &n));
    n.author = (char *)"Mailer";
    assert_true(tkt_itsm_note_is_ours(&s.call, &n));
    n.author = (char *)"us"; /* the section's user */
    assert_true(tkt_itsm_note_is_ours(&s.call, &n));
    n.author = (char *)"";
    assert_false(tkt_itsm_note_is_ours(&s.call, &n));
    n.text = (char *)"ref " STEPS_CORR;
    assert_true(tkt_itsm_note_is_ours(&s.call, &n));
    drive_end(&s);
}

static void a_comment_whose_answer_got_lost_is_known_again(void **state)
{
    struct drive s;
    struct tkt_itsm_note n = {.author = (char *)"us",
                              .text =
                                  (char *)"Ann <ann@example.org>:\r\n\r\n it  works\n",
                              .at = (char *)"2026-11-22T10:00:00Z",
                              .is_public = true};
    int64_t at = tkt_itsm_time(n.at);

    (void)state;
    steps_begin(&s, "rt", TKT_ITSM_FETCH);
    s.comment.text = "it works";
    s.comment.author = "ann@example.org";
    s.comment.author_name = "Ann";
    s.comment.is_public = true;
    assert_false(tkt_itsm_has_comment(&s.call, at)); /* there is none */
    s.call.seen.notes = &n;
    s.call.seen.note_count = 1;
    assert_true(tkt_itsm_has_comment(&s.call, at));
    assert_false(tkt_itsm_has_comment(&s.call, at + 1)); /* an earlier one */
    n.at = (char *)"yesterday";
    assert_false(tkt_itsm_has_comment(&s.call, at)); /* nobody knows */
    n.at = (char *)"2026-11-22T10:00:00Z";
    n.author = (char *)"carol";
    assert_false(tkt_itsm_has_comment(&s.call, at)); /* somebody else's */
    n.author = (char *)"us";
    n.is_public = false;
    assert_false(tkt_itsm_has_comment(&s.call, at));
    n.is_public = true;
    n.text = (char *)"Ann <ann@example.org>:\nit works, but";
    assert_false(tkt_itsm_has_comment(&s.call, at)); /* more than that */
    n.text = (char *)"it works";
    assert_true(tkt_itsm_has_comment(&s.call, at));
    n.text = (char *)"";
    s.comment.text = "";
    s.comment.author = "";
    assert_false(tkt_itsm_has_comment(&s.call, at)); /* blank is like any other blank */
    drive_end(&s);
}

static void a_long_comment_is_known_by_what_had_room(void **state)
{
    char sent[400];
    char there[420];
    struct drive s;
    struct tkt_itsm_note n = {
        .author = (char *)"us", .at = (char *)"2026-11-22 10:00:00", .text = there};

    (void)state;
    memset(sent, 'a', sizeof(sent) - 1);
    sent[sizeof(sent) - 1] = '\0';
    snprintf(there, sizeof(there), "%.100s\n[...]", sent);
    steps_begin(&s, "rt", TKT_ITSM_FETCH);
    s.comment.text = sent;
    s.call.seen.notes = &n;
    s.call.seen.note_count = 1;
    assert_true(tkt_itsm_has_comment(&s.call, 0));
    sent[50] = 'b';
    assert_false(tkt_itsm_has_comment(&s.call, 0));
    snprintf(there, sizeof(there), "aa\n[...]"); /* so little proves nothing */
    assert_false(tkt_itsm_has_comment(&s.call, 0));
    drive_end(&s);
}

static void a_file_is_known_by_name_size_and_time(void **state)
{
    struct drive s;
    cJSON *sizes = cJSON_Parse("[3,\"3\",4,\"x\",-1,null]");

    (void)state;
    for (int i = 0; i < 6; i++) {
        steps_begin(&s, "rt", TKT_ITSM_FETCH);
        s.file.name = "a.txt";
        tkt_itsm_saw_file(&s.call, (char *)"a.txt", cJSON_GetArrayItem(sizes, i),
                          "2026-11-22T10:00:00Z");
        assert_int_equal(s.call.seen.file_count, 1);
        assert_int_equal(tkt_itsm_has_file(&s.call, 1), i < 2);
        assert_false(tkt_itsm_has_file(&s.call, INT64_C(1) << 60));
        s.file.name = "b.txt";
        assert_false(tkt_itsm_has_file(&s.call, 1));
        drive_end(&s);
    }
    cJSON_Delete(sizes);
    steps_begin(&s, "rt", TKT_ITSM_FETCH);
    s.file.name = "a.txt";
    for (int i = 0; i < TKT_ITSM_FILES_MAX + 5; i++) {
        tkt_itsm_saw_file(&s.call, (char *)"a.txt", NULL, NULL);
    }
    assert_int_equal(s.call.seen.file_count, TKT_ITSM_FILES_MAX);
    assert_false(tkt_itsm_has_file(&s.call, 0)); /* no size, no time: not known */
    drive_end(&s);
}

static void what_names_the_job_is_there_whatever_else_is_said(void **state)
{
    static const char key[] = "j7";
    struct tkt_itsm_note note = {.is_public = true};
    const struct tkt_itsm_comment comment = {
        .text = "x", .author = "", .author_name = "", .is_public = false};
    const struct tkt_itsm_file file = {.name = "a.png", .fd = -1, .size = 1};
    struct drive s;

    (void)state;
    steps_begin(&s, "gitlab", TKT_ITSM_FETCH);
    s.call.comment = &comment;
    s.call.file = &file;
    s.call.key = key;
    s.call.seen.notes = &note;
    s.call.seen.note_count = 1;
    const char *mark = tkt_itsm_mark(&s.call);
    assert_non_null(strstr(mark, " j7"));
    for (int i = 0; i < 3; i++) { /* its own, that of another job, of none */
        note.text = (char *)(uintptr_t)tkt_itsm_text(
            &s.call, "[a](/uploads/1/a)%s%s%s", i < 2 ? "\n<!-- " : "", i < 2 ? mark : "",
            i == 0 ? " -->" : "0 -->");
        assert_int_equal(tkt_itsm_has_file(&s.call, INT64_MAX), i == 0);
        assert_int_equal(tkt_itsm_has_comment(&s.call, INT64_MAX), i == 0);
    }
    s.call.key = NULL;
    assert_null(tkt_itsm_mark(&s.call));
    assert_false(tkt_itsm_has_file(&s.call, 0));
    drive_end(&s);
}

static void a_change_of_a_far_year_does_not_count(void **state)
{
    struct drive s;

    (void)state;
    begin_list(&s, "redmine");
    s.call.until_ms = SINCE_MS + 60000;
    assert_int_equal(
        TKT_ITSM_DONE,
        drive_step(&s, 200,
                   "{\"issues\":[{\"id\":7,\"updated_on\":\"2096-11-22T10:00:05Z\"},"
                   "{\"id\":8,\"updated_on\":\"2026-11-22T10:00:09Z\"}]}"));
    assert_int_equal(2, s.call.seen.key_count); /* it changed, whenever that was */
    assert_true(s.call.seen.upto_ms == SINCE_MS + 9000);
    assert_true(s.call.seen.has_odd_time);
    drive_end(&s);
}

static void whose_keys_they_are_is_host_path_and_where_it_counts_the_project(void **state)
{
    static const struct {
        const char *type, *url, *origin;
    } rows[] = {
        {"rt", "https://RT.example.org:443/rt/", "https://rt.example.org/rt"},
        {"rt", "http://127.0.0.1:80", "http://127.0.0.1"},
        {"rt", "https://rt.example.org:8443//", "https://rt.example.org:8443"},
        {"rt", "https://rt.example.org/Rt/?x=/y#z", "https://rt.example.org/Rt"},
        {"github", "https://api.github.com", "https://api.github.com acme/desk"},
        {"gitlab", "https://git.example.org/", "https://git.example.org acme/desk"},
        {"jira", "https://acme.atlassian.net", "https://acme.atlassian.net"},
        {"exec", "https://acme.example", ""},
        {"local", "", ""},
        {"rt", "", ""},
        {"nothing", "https://acme.example", ""},
    };
    char out[TKT_ITSM_ORIGIN_MAX];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        const struct tkt_conf_itsm conf = {.type = (char *)(uintptr_t)rows[i].type,
                                           .url = (char *)(uintptr_t)rows[i].url,
                                           .project = (char *)"acme/desk"};

        tkt_itsm_origin(&conf, out);
        assert_string_equal(out, rows[i].origin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redmine_lists_all_projects_in_utc),
        cmocka_unit_test(rt_goes_back_from_the_newest_over_all_zones),
        cmocka_unit_test(zendesk_follows_its_cursor_and_takes_only_what_is_ours),
        cmocka_unit_test(servicenow_asks_each_of_its_tables),
        cmocka_unit_test(a_list_that_ends_before_its_end_says_so),
        cmocka_unit_test(jira_goes_back_from_the_newest_page_by_page),
        cmocka_unit_test(freshworks_lists_by_the_time_of_the_change),
        cmocka_unit_test(the_agent_of_a_freshworks_key_is_us),
        cmocka_unit_test(a_list_that_is_none_fails),
        cmocka_unit_test(words_are_read_from_right_to_left),
        cmocka_unit_test(a_priority_may_stand_for_several_of_ours),
        cmocka_unit_test(our_own_comments_are_known),
        cmocka_unit_test(a_comment_whose_answer_got_lost_is_known_again),
        cmocka_unit_test(a_long_comment_is_known_by_what_had_room),
        cmocka_unit_test(a_file_is_known_by_name_size_and_time),
        cmocka_unit_test(what_names_the_job_is_there_whatever_else_is_said),
        cmocka_unit_test(a_change_of_a_far_year_does_not_count),
        cmocka_unit_test(
            whose_keys_they_are_is_host_path_and_where_it_counts_the_project),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
