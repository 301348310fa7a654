/* SPDX-License-Identifier: BSD-2-Clause
 * common/itsm/redmine: the bytes of its requests, and what it makes of answers.
 */
#include "itsm_fixture.h"

#include "itsm/redmine_private.h"

#define NOTHING "\xe2\x80\x8b"
#define PROJECT                                                                          \
    "{\"project\":{\"name\":\"Support\",\"trackers\":[{\"id\":3,\"name\":\"Bug\"}],"     \
    "\"issue_custom_fields\":[{\"id\":12,\"name\":\"CorrelationId\"},{\"id\":13,"        \
    "\"name\":\"Site\"}]}}"
#define CORR "mt-0123456789abcdef0123456789abcdef"

static const struct tkt_itsm_ops *redmine;
static char *const types[] = {(char *)"incident=Bug"};
static char *const priorities[] = {(char *)"2=High"};

static void begin(struct drive *d, enum tkt_itsm_op op)
{
    drive_begin(d, redmine, op);
    d->conf.types = (struct tkt_conf_list){(char **)(uintptr_t)types, 1};
    d->conf.priorities = (struct tkt_conf_list){(char **)(uintptr_t)priorities, 1};
    d->conf.requester = TKT_CONF_REQUESTER_TEXT;
}

static void a_create_looks_names_up_and_sends_numbers(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url,
                        "http://127.0.0.1:1/base/projects/General.json"
                        "?include=trackers,issue_custom_fields");
    assert_int_equal(drive_step(&d, 200, PROJECT), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url,
                        "http://127.0.0.1:1/base/enumerations/issue_priorities.json");
    assert_int_equal(
        drive_step(&d, 200, "{\"issue_priorities\":[{\"id\":5,\"name\":\"high\"}]}"),
        TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url,
                        "http://127.0.0.1:1/base/projects/General/memberships.json"
                        "?limit=100&offset=0");
    assert_int_equal(drive_step(&d, 200,
                                "{\"memberships\":[{\"user\":{\"id\":1,\"name\":"
                                "\"Network\"}}],\"total_count\":101}"),
                     TKT_ITSM_SEND);
    assert_non_null(strstr(d.call.request.url, "offset=100"));
    assert_int_equal(drive_step(&d, 200,
                                "{\"memberships\":[{\"group\":{\"id\":9,\"name\":"
                                "\"Network\"}}],\"total_count\":101}"),
                     TKT_ITSM_SEND);
    assert_string_equal(d.call.request.method, "POST");
    assert_string_equal(d.call.request.url, "http://127.0.0.1:1/base/issues.json");
    assert_string_equal(
        d.call.request.body,
        "{\"issue\":{\"project_id\":\"General\",\"tracker_id\":3,"
        "\"subject\":\"printer  Bcc: x \xf0\x9f\x98\x80\","
        "\"description\":\"<pre>\\nAnn <" NOTHING "ann@example.org>:\\n\\nit is  "
        "broken\\n\xf0\x9f\x98\x80\\n</"
        "pre>\",\"custom_fields\":[{\"id\":12,\"value\":\"" CORR "\"},"
        "{\"id\":13,\"value\":\"Berlin\"}],\"priority_id\":5,\"assigned_to_id\":9}}");
    assert_false(d.call.request.repeatable);
    assert_int_equal(drive_step(&d, 201, "{\"issue\":{\"id\":123}}"), TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, "123");
    assert_string_equal(d.call.seen.url, "http://127.0.0.1:1/base/issues/123");
    drive_end(&d);
}

static void a_field_that_is_not_there_stops_before_anything_is_made(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 200,
                                "{\"project\":{\"trackers\":[{\"id\":3,"
                                "\"name\":\"Bug\"}]}}"),
                     TKT_ITSM_FAILED);
    assert_int_equal(d.err.class, TKT_ERR_CONF);
    assert_non_null(strstr(d.err.text, "CorrelationId"));
    drive_end(&d);
}

static void a_requester_is_looked_up_then_made_if_that_is_asked_for(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, TKT_ITSM_CREATE);
    d.conf.requester = TKT_CONF_REQUESTER_CREATE;
    d.conf.groups.count = 0;
    d.conf.priorities.count = 0;
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 200, PROJECT), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url,
                        "http://127.0.0.1:1/base/users.json?name=ann%40example.org");
    assert_int_equal(d.call.request.also[0], 403);
    /* A part of another one's address is no hit. */
    assert_int_equal(drive_step(&d, 200,
                                "{\"users\":[{\"id\":4,\"mail\":"
                                "\"joann@example.org\"}]}"),
                     TKT_ITSM_SEND);
    assert_string_equal(d.call.request.method, "POST");
    assert_string_equal(
        d.call.request.body,
        "{\"user\":{\"login\":\"ann@example.org\",\"mail\":\"ann@example.org\","
        "\"firstname\":\"Ann\",\"lastname\":\"-\",\"generate_password\":true}}");
    assert_int_equal(drive_step(&d, 201, "{\"user\":{\"id\":8}}"), TKT_ITSM_SEND);
    assert_non_null(strstr(d.call.request.body, "\"watcher_user_ids\":[8]"));
    drive_end(&d);
}

static void a_ticket_goes_without_its_requester_when_nobody_may_ask(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, TKT_ITSM_CREATE);
    d.conf.requester = TKT_CONF_REQUESTER_CREATE;
    d.conf.groups.count = 0;
    d.conf.priorities.count = 0;
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 200, PROJECT), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 403, "{}"), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url, "http://127.0.0.1:1/base/issues.json");
    assert_null(strstr(d.call.request.body, "watcher"));
    drive_end(&d);
}

static enum tkt_itsm_next found(struct drive *d, const char *issues)
{
    begin(d, TKT_ITSM_FIND);
    assert_int_equal(drive_step(d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(d, 200, PROJECT), TKT_ITSM_SEND);
    assert_string_equal(d->call.request.url,
                        "http://127.0.0.1:1/base/issues.json?cf_12=" CORR
                        "&status_id=*&sort=id&limit=5");
    return drive_step(d, 200, issues);
}

static void a_hit_counts_only_when_it_shows_the_key(void **state)
{
    struct drive d;

    (void)state;
    assert_int_equal(found(&d, "{\"issues\":[{\"id\":7,\"custom_fields\":[{\"id\":12,"
                               "\"value\":\"" CORR "\"}]}]}"),
                     TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, "7");
    drive_end(&d);
    assert_int_equal(found(&d, "{\"issues\":[]}"), TKT_ITSM_DONE);
    assert_null(d.call.seen.external);
    drive_end(&d);
    /* Not a filter: any issue came. Nothing is proven, so nothing may be made. */
    assert_int_equal(found(&d, "{\"issues\":[{\"id\":7,\"custom_fields\":[{\"id\":12,"
                               "\"value\":\"mt-other\"}]}]}"),
                     TKT_ITSM_FAILED);
    assert_int_equal(d.err.class, TKT_ERR_CONF);
    drive_end(&d);
    assert_int_equal(found(&d, "{}"), TKT_ITSM_FAILED);
    assert_int_equal(d.err.class, TKT_ERR_TEMP);
    drive_end(&d);
}

static void a_private_comment_is_private(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, TKT_ITSM_COMMENT);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.method, "PUT");
    assert_string_equal(d.call.request.url,
                        "http://127.0.0.1:1/base/issues/7%2F..%2F8.json");
    assert_string_equal(
        d.call.request.body,
        "{\"issue\":{\"notes\":\"<pre>\\nseen\\n</pre>\",\"private_notes\":true}}");
    assert_int_equal(drive_step(&d, 204, ""), TKT_ITSM_DONE);
    drive_end(&d);
}

static void a_file_is_uploaded_then_hung_on_the_issue(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, TKT_ITSM_ATTACH);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url,
                        "http://127.0.0.1:1/base/uploads.json?filename=a%22b%20%20.txt");
    assert_string_equal(d.call.request.headers[1],
                        "Content-Type: application/octet-stream");
    assert_ptr_equal(d.call.request.file, d.call.file);
    assert_int_equal(drive_step(&d, 201, "{\"upload\":{\"id\":7,\"token\":\"7.ab\"}}"),
                     TKT_ITSM_SEND);
    assert_string_equal(d.call.request.body,
                        "{\"issue\":{\"uploads\":[{\"token\":\"7.ab\",\"filename\":"
                        "\"a\\\"b  .txt\",\"content_type\":\"text/plain\"}]}}");
    assert_int_equal(drive_step(&d, 204, ""), TKT_ITSM_DONE);
    drive_end(&d);
}

static void what_redmine_left_as_it_was_is_told(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, TKT_ITSM_CLOSE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 200,
                                "{\"issue_statuses\":[{\"id\":5,\"name\":"
                                "\"Closed\"}]}"),
                     TKT_ITSM_SEND);
    assert_string_equal(d.call.request.body, "{\"issue\":{\"status_id\":5}}");
    assert_int_equal(drive_step(&d, 204, ""), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 200, "{\"issue\":{\"id\":7,\"status\":{\"id\":1}}}"),
                     TKT_ITSM_FAILED);
    assert_int_equal(d.err.class, TKT_ERR_PERM);
    drive_end(&d);
}

static void its_own_words_are_told(void **state)
{
    static const char body[] = "{\"errors\":[\"Tracker is not included in the list\"]}";
    struct tkt_err err = TKT_ERR_INIT;
    cJSON *json = cJSON_Parse(body);
    const struct tkt_itsm_answer answer = {.status = 422, .body = body, .json = json};

    (void)state;
    err.class = TKT_ERR_PERM;
    redmine->refusal(&answer, &err);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_string_equal(err.text,
                        "Redmine says 422 \"Tracker is not included in the list\"");
    cJSON_Delete(json);
}

/* ---- texts ---------------------------------------------------------------------------- */

/* As it is sent with that markup; what comes back of it reads as it was. */
static const char *sent(struct drive *d, const char *markup, const char *text)
{
    static char option[40];
    static char *options[] = {option};

    (void)snprintf(option, sizeof(option), "markup=%s", markup);
    begin(d, TKT_ITSM_COMMENT);
    d->conf.options = (struct tkt_conf_list){options, 1};
    const char *out = tkt_redmine_text(&d->call, text);
    assert_string_equal(tkt_redmine_plain(&d->call, out), text);
    return out;
}

static void a_text_is_a_block_out_of_which_no_tag_leads(void **state)
{
    struct drive d;

    (void)state;
    assert_string_equal(sent(&d, "textile", "a < b <3 </pre> <PRE> <!-- <x@y> !u!"),
                        "<pre>\na < b <3 <" NOTHING "/pre> <" NOTHING "PRE> <" NOTHING
                        "!-- <" NOTHING "x@y> !u!\n</pre>");
    drive_end(&d);
    assert_string_equal(sent(&d, "textile", ""), "");
    drive_end(&d);
}

static void a_text_ends_no_fence_and_mentions_nobody(void **state)
{
    struct drive d;

    (void)state;
    assert_string_equal(sent(&d, "markdown", "a@b @ann\n  ~~~~~~~~\n```x\nx ```"),
                        "~~~~~~~~\na@b @" NOTHING "ann\n  " NOTHING "~~~~~~~~\n" NOTHING
                        "```x\nx ```\n~~~~~~~~");
    drive_end(&d);
}

static void a_text_without_a_format_refers_to_nothing(void **state)
{
    struct drive d;

    (void)state;
    assert_string_equal(
        sent(&d, "none", "#1 {{x}} [[y]] r1 car1 user:a a: b 10:30 &#64; x@y (@ann)"),
        "#" NOTHING "1 {" NOTHING "{x}} [" NOTHING "[y]] r" NOTHING "1 car1 user:" NOTHING
        "a a: b 10:30 &#64; x@y (@" NOTHING "ann)");
    drive_end(&d);
}

static void a_long_line_is_folded_at_a_blank(void **state)
{
    struct drive d;
    char text[401];
    size_t longest = 0;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[400] = '\0';
    for (size_t i = 7; i < 400; i += 8) {
        text[i] = ' ';
    }
    begin(&d, TKT_ITSM_COMMENT);
    const char *out = tkt_redmine_text(&d.call, text);
    for (const char *p = out; *p != '\0'; p += p[strcspn(p, "\n")] == '\n') {
        size_t n = strcspn(p, "\n");

        longest = n > longest ? n : longest;
        p += n;
        if (*p == '\0') {
            break;
        }
    }
    assert_in_range(longest, 100, 110);
    memset(text, 'x', sizeof(text) - 1); /* nowhere to fold it */
    assert_int_equal(strlen(tkt_redmine_text(&d.call, text)),
                     400 + strlen("<pre>\n\n</pre>"));
    drive_end(&d);
}

static void a_markup_that_nobody_knows_is_refused(void **state)
{
    static char wrong[] = "markup=wiki";
    static char right[] = "markup=none";
    char *rows[] = {right};
    const struct tkt_conf_itsm conf = {.options = {rows, 1}};
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    assert_int_equal(tkt_redmine_check_markup(&conf, &err), 0);
    rows[0] = wrong;
    assert_int_equal(tkt_redmine_check_markup(&conf, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_looks_names_up_and_sends_numbers),
        cmocka_unit_test(a_field_that_is_not_there_stops_before_anything_is_made),
        cmocka_unit_test(a_requester_is_looked_up_then_made_if_that_is_asked_for),
        cmocka_unit_test(a_ticket_goes_without_its_requester_when_nobody_may_ask),
        cmocka_unit_test(a_hit_counts_only_when_it_shows_the_key),
        cmocka_unit_test(a_private_comment_is_private),
        cmocka_unit_test(a_file_is_uploaded_then_hung_on_the_issue),
        cmocka_unit_test(what_redmine_left_as_it_was_is_told),
        cmocka_unit_test(its_own_words_are_told),
        cmocka_unit_test(a_text_is_a_block_out_of_which_no_tag_leads),
        cmocka_unit_test(a_text_ends_no_fence_and_mentions_nobody),
        cmocka_unit_test(a_text_without_a_format_refers_to_nothing),
        cmocka_unit_test(a_long_line_is_folded_at_a_blank),
        cmocka_unit_test(a_markup_that_nobody_knows_is_refused),
    };

    redmine = tkt_itsm_find("redmine");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
