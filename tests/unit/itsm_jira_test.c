/* SPDX-License-Identifier: BSD-2-Clause
 * The backends jira and jsm: the bytes of their requests, and what they make of answers.
 */
#include "base/util.h"
#include "itsm/jira.h"
#include "itsm_vendor_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define DOC(content) "{\"type\":\"doc\",\"version\":1,\"content\":[" content "]}"
#define PARAGRAPH(content) "{\"type\":\"paragraph\",\"content\":[" content "]}"
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define LINK(url)                                                                        \
    "{\"type\":\"text\",\"text\":\"" url                                                 \
    "\",\"marks\":[{\"type\":\"link\",\"attrs\":{\"href\":\"" url "\"}}]}"
#define BREAK "{\"type\":\"hardBreak\"}"
#define CODE(text) "{\"type\":\"codeBlock\",\"content\":[" TEXT(text) "]}"

static char *cloud[] = {(char *)"api=cloud", (char *)"desk=4", (char *)"type=25"};
static char *server[] = {(char *)"api=server"};
static char *groups[] = {(char *)"net=Network"};

static void begin(struct drive *d, const char *type, bool is_cloud, enum tkt_itsm_op op)
{
    itsm_begin(d, type, op);
    d->conf.options =
        (struct tkt_conf_list){is_cloud ? cloud : server, !is_cloud                  ? 1
                                                          : strcmp(type, "jsm") == 0 ? 3
                                                                                     : 1};
    d->conf.groups = (struct tkt_conf_list){groups, 1};
    d->conf.requester = TKT_CONF_REQUESTER_TEXT;
    d->ticket.requester = "";
    d->ticket.assignee = "";
    d->ticket.subject = "printer";
    d->ticket.text = "broken\n";
    d->ticket.type = "incident";
    d->ticket.group = "net";
    d->ticket.priority = 2;
    d->ticket.external = "10000";
}

static void asks(const struct drive *d, const char *method, const char *url,
                 const char *body)
{
    assert_string_equal(d->call.request.method, method);
    assert_string_equal(d->call.request.url, url);
    if (body != NULL) {
        assert_string_equal(d->call.request.body, body);
    }
}

static void text_becomes_a_document_that_jira_takes(void **state)
{
    static const struct {
        const char *text, *adf;
    } rows[] = {
        {"", DOC("")},
        {"\n \n", DOC("")},
        {"one", DOC(PARAGRAPH(TEXT("one")))},
        {"one\ntwo\n\n\nthree\n", DOC(PARAGRAPH(TEXT("one") "," BREAK "," TEXT(
                                      "two")) "," PARAGRAPH(TEXT("three")))},
        {"see https://x.example/a?b=c_d). \xf0\x9f\x98\x80",
         DOC(PARAGRAPH(TEXT("see ") "," LINK("https://x.example/a?b=c_d") "," TEXT(
             "). \xf0\x9f\x98\x80")))},
        {"<mailto:a@b.c>",
         DOC(PARAGRAPH(TEXT("<") "," LINK("mailto:a@b.c") "," TEXT(">")))},
        {"nohttp://x https://", DOC(PARAGRAPH(TEXT("nohttp://x https://")))},
        {"a\x01\x7f\xef\xbf\xbe"
         "b\tc",
         DOC(PARAGRAPH(TEXT("ab\\tc")))},
        {"\x02", DOC(PARAGRAPH(""))},
        {"x\n```sh\na {b}\n\n c\n```\ny",
         DOC(PARAGRAPH(TEXT("x")) "," CODE("a {b}\\n\\n c") "," PARAGRAPH(TEXT("y")))},
        {"```\nnever closed",
         DOC(PARAGRAPH(TEXT("```") "," BREAK "," TEXT("never closed")))},
        {"```\n```", DOC("")},
        {"    int x;\n\tint y;\n\nz",
         DOC(CODE("    int x;\\n\\tint y;") "," PARAGRAPH(TEXT("z")))},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        cJSON *doc = tkt_jira_adf(rows[i].text);
        TKT_AUTO_FREE char *json = cJSON_PrintUnformatted(doc);

        assert_string_equal(json, rows[i].adf);
        cJSON_Delete(doc);
    }
}

static void documents_become_text_again(void **state)
{
    static const struct {
        const char *adf, *text;
    } rows[] = {
        {DOC(PARAGRAPH(TEXT("one") "," BREAK
                                   "," TEXT("two")) "," PARAGRAPH(TEXT("three"))),
         "one\ntwo\n\nthree"},
        {DOC("{\"type\":\"bulletList\",\"content\":[{\"type\":\"listItem\",\"content\":"
             "[" PARAGRAPH(TEXT("a")) "]},{\"type\":\"listItem\",\"content\":[" PARAGRAPH(
                 TEXT("b")) "]}]}"),
         "a\nb"},
        {DOC(PARAGRAPH(
             "{\"type\":\"mention\",\"attrs\":{\"id\":\"1\",\"text\":\"@Kim\"}},"
             "{\"type\":\"emoji\",\"attrs\":{\"shortName\":\":x:\"}}")),
         "@Kim:x:"},
        {"\"\\\\{code\\\\}\\r\\n\\\\[x\\\\] \\\\a\"", "{code}\n[x] \\a"},
        {"{\"type\":7,\"content\":{}}", ""},
        {"null", ""},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct drive d;
        cJSON *json = cJSON_Parse(rows[i].adf);

        begin(&d, "jira", true, TKT_ITSM_FETCH);
        assert_string_equal(tkt_jira_plain(&d.call, json), rows[i].text);
        cJSON_Delete(json);
        drive_end(&d);
    }
}

static void what_a_person_wrote_is_no_wiki_markup(void **state)
{
    static const struct {
        const char *text, *wiki;
    } rows[] = {
        {"plain e-mail, snake_case, a - b, 1+1, (see x), 10:30.", NULL},
        {"PROJ-12 https://x.example/a_b-*c ann@x.example", NULL},
        {"{code} [x|y] !u! *b* ^s^ ~s~",
         "\\{code\\} \\[x\\|y\\] \\!u\\! \\*b\\* \\^s\\^ \\~s\\~"},
        {"_em_ -del- +ins+ ??cite??", "\\_em\\_ \\-del\\- \\+ins\\+ \\?\\?cite\\?\\?"},
        {"a -- b --- c\n----", "a \\-\\- b \\-\\-\\- c\n\\-\\-\\-\\-"},
        {"- a\n  - b\n# c\n## d", "\\- a\n  \\- b\n&#35; c\n&#35;# d"},
        {"h1. x\n bq. y\nh9. z\nfig. 1", "h1&#46; x\n bq&#46; y\nh9&#46; z\nfig. 1"},
        {"C:\\dir\\\\x", "C:&#92;dir&#92;&#92;x"},
        {"&#91;x&#93; &amp; a & b", "&amp;#91;x&amp;#93; &amp;amp; a & b"},
        {"(x) (!) (on) :) ;) :D :-(", "\\(x) \\(\\!) \\(on) :\\) ;\\) &#58;D :\\-("},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        const char *want = rows[i].wiki == NULL ? rows[i].text : rows[i].wiki;
        struct drive d;

        begin(&d, "jira", false, TKT_ITSM_COMMENT);
        char *wiki = tkt_jira_to_wiki(&d.call, rows[i].text);
        assert_string_equal(wiki, want);
        assert_string_equal(tkt_jira_from_wiki(&d.call, wiki), rows[i].text);
        drive_end(&d);
    }
}

static void a_piece_fits_as_markup_too(void **state)
{
    char text[TKT_JIRA_TEXT_MAX - 1000];
    struct drive d;
    size_t count = 0;

    (void)state;
    memset(text, '\\', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    begin(&d, "jira", false, TKT_ITSM_COMMENT);
    (void)tkt_jira_part(&d.call, text, 0, &count);
    assert_in_range(count, 2, TKT_JIRA_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *part = tkt_jira_part(&d.call, text, i, &count);

        assert_true(tkt_jira_units(tkt_jira_to_wiki(&d.call, part)) <= TKT_JIRA_TEXT_MAX);
    }
    drive_end(&d);
}

static void a_document_deeper_than_anybody_writes_ends(void **state)
{
    char json[64 * 200 + 1] = "";
    struct drive d;

    (void)state;
    for (int i = 0; i < 200; i++) {
        strcat(json, "{\"type\":\"blockquote\",\"content\":[");
    }
    strcat(json, TEXT("x"));
    for (int i = 0; i < 200; i++) {
        strcat(json, "]}");
    }
    cJSON *deep = cJSON_Parse(json);
    assert_non_null(deep);
    begin(&d, "jira", true, TKT_ITSM_FETCH);
    assert_string_equal(tkt_jira_plain(&d.call, deep), "");
    cJSON_Delete(deep);
    drive_end(&d);
}

static void pieces_hold_the_whole_text_and_never_half_a_character(void **state)
{
    struct drive d;
    static char text[4 * 40000 + 1];
    size_t count = 0, total = 0;

    (void)state;
    for (size_t i = 0; i < 40000; i++) {
        memcpy(text + i * 4, "\xf0\x9f\x98\x80", 5);
    }
    assert_int_equal(tkt_jira_units(text), 80000);
    begin(&d, "jira", true, TKT_ITSM_COMMENT);
    for (size_t i = 0; i == 0 || i < count; i++) {
        const char *part = tkt_jira_part(&d.call, text, i, &count);

        assert_true(tkt_jira_units(part) <= TKT_JIRA_TEXT_MAX);
        for (const char *p = strstr(part, "\xf0"); p != NULL; p = strstr(p + 1, "\xf0")) {
            assert_memory_equal(p, "\xf0\x9f\x98\x80", 4);
            total++;
        }
    }
    assert_int_equal(count, 3);
    assert_int_equal(total, 40000);
    drive_end(&d);
}

static void a_cloud_issue_has_a_document_and_its_key_as_a_label(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, "jira", true, TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    asks(&d, "POST", ITSM_BASE "/rest/api/3/issue",
         "{\"fields\":{\"project\":{\"key\":\"SUP\"},\"issuetype\":{\"name\":\"Task\"},"
         "\"summary\":\"printer\",\"description\":" DOC(
             PARAGRAPH(TEXT("broken"))) ",\"labels\":[\"" ITSM_KEY
                                        "\"],\"components\":[{\"name\":\"Network\"}],"
                                        "\"priority\":{\"name\":\"High\"}}}");
    assert_false(d.call.request.repeatable);
    assert_int_equal(
        drive_step(&d, 201,
                   "{\"id\":\"10000\",\"key\":\"SUP-24\",\"self\":\"https://x\"}"),
        TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, "10000");
    assert_string_equal(d.call.seen.number, "SUP-24");
    assert_string_equal(d.call.seen.url, ITSM_BASE "/browse/SUP-24");
    drive_end(&d);
}

static void data_center_is_asked_by_version_two_in_markup(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, "jira", false, TKT_ITSM_CREATE);
    d.ticket.text = "[broken]";
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url, ITSM_BASE "/rest/api/2/issue");
    assert_non_null(strstr(d.call.request.body, "\"description\":\"\\\\[broken\\\\]\""));
    drive_end(&d);
    begin(&d, "jira", false, TKT_ITSM_FIND);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    asks(&d, "POST", ITSM_BASE "/rest/api/2/search",
         "{\"jql\":\"project = \\\"SUP\\\" AND labels = \\\"" ITSM_KEY "\\\"\","
         "\"startAt\":0,\"maxResults\":10,\"fields\":[\"summary\",\"labels\","
         "\"description\"]}");
    drive_end(&d);
}

static void the_url_tells_cloud_from_data_center(void **state)
{
    static const struct {
        const char *url;
        bool is_cloud;
    } rows[] = {{"https://acme.atlassian.net", true},
                {"https://ACME.Atlassian.NET:443/", true},
                {"https://api.atlassian.com/ex/jira/1-2", true},
                {"https://jira.example.org/x.atlassian.net", false},
                {"https://evilatlassian.net", false}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct drive d;

        begin(&d, "jira", true, TKT_ITSM_FETCH);
        d.conf.options.count = 0;
        d.conf.url = (char *)(uintptr_t)rows[i].url;
        assert_int_equal(tkt_jira_is_cloud(&d.call), rows[i].is_cloud);
        drive_end(&d);
    }
}

static void fields_that_may_be_missing_are_dropped_once(void **state)
{
    static const char refused[] = "{\"errorMessages\":[],\"errors\":{\"priority\":"
                                  "\"Field 'priority' cannot be set. "
                                  "It is not on the appropriate screen, or unknown.\"}}";
    struct drive d;

    (void)state;
    begin(&d, "jira", true, TKT_ITSM_CREATE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&d, 400, refused), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url, ITSM_BASE "/rest/api/3/issue");
    assert_null(strstr(d.call.request.body, "priority"));
    assert_int_equal(drive_step(&d, 400, refused), TKT_ITSM_FAILED);
    assert_int_equal(d.err.class, TKT_ERR_PERM);
    assert_non_null(strstr(d.err.text, "priority: Field 'priority' cannot be set."));
    drive_end(&d);
}

static void a_hit_has_to_show_the_key(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, "jira", true, TKT_ITSM_FIND);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url, ITSM_BASE "/rest/api/3/search/jql");
    assert_true(d.call.request.repeatable);
    assert_int_equal(drive_step(&d, 200, "{\"issues\":[],\"isLast\":true}"),
                     TKT_ITSM_DONE);
    assert_true(d.call.seen.external == NULL);
    drive_end(&d);
    begin(&d, "jira", true, TKT_ITSM_FIND);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(
        drive_step(
            &d, 200,
            "{\"issues\":[{\"id\":\"9\",\"key\":\"SUP-9\",\"fields\":{\"labels\":["
            "\"mt-x\"]}},{\"id\":\"10000\",\"key\":\"SUP-24\",\"fields\":{\"labels\":["
            "\"" ITSM_KEY "\"]}}],\"isLast\":true}"),
        TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.external, "10000");
    assert_true(d.ops->search_lag_ms >= 40000 && d.ops->search_is_proof);
    drive_end(&d);
}

static void the_old_search_of_cloud_is_told_as_what_it_is(void **state)
{
    struct tkt_err err = {.class = TKT_ERR_PERM};
    const struct tkt_itsm_answer answer = {.status = 410, .body = "", .len = 0};

    (void)state;
    tkt_itsm_find("jira")->refusal(&answer, &err);
    assert_non_null(strstr(err.text, "search/jql"));
    assert_int_equal(err.class, TKT_ERR_PERM);
}

static void refusals_keep_the_words_of_each_shape(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool is_json;
        const char *said;
        enum tkt_err_class class;
    } rows[] = {
        {400,
         "{\"errorMessages\":[\"no\",\"way\"],\"errors\":{\"summary\":\"bad\\nline\"}}",
         true, "Jira says 400 \"no; way; summary: bad line\"", TKT_ERR_PERM},
        {400, "{\"errorMessage\":\"not yours\",\"i18nErrorMessage\":{}}", true,
         "Jira says 400 \"not yours\"", TKT_ERR_PERM},
        {403, "XSRF check failed", false, "Jira says 403 \"XSRF check failed\"",
         TKT_ERR_CONF},
        {409, "{}", true, "Jira says 409 \"\"", TKT_ERR_TEMP},
        {500, "<html>secret page</html>", false, "Jira says 500 \"\"", TKT_ERR_TEMP},
        {400, "{\"errors\":[1,null,{}],\"errorMessages\":\"x\"}", true,
         "Jira says 400 \"\"", TKT_ERR_PERM},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        cJSON *json = rows[i].is_json ? cJSON_Parse(rows[i].body) : NULL;
        const struct tkt_itsm_answer answer = {.status = rows[i].status,
                                               .body = rows[i].body,
                                               .len = strlen(rows[i].body),
                                               .json = json};
        struct tkt_err err = {.class = rows[i].status == 403   ? TKT_ERR_CONF
                                       : rows[i].status == 500 ? TKT_ERR_TEMP
                                                               : TKT_ERR_PERM,
                              .retry_after_s = 7};

        tkt_jira_refusal(&answer, &err);
        assert_string_equal(err.text, rows[i].said);
        assert_int_equal(err.class, rows[i].class);
        assert_int_equal(err.retry_after_s, 7);
        cJSON_Delete(json);
    }
}

static void a_file_goes_with_the_token_that_jira_wants(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, "jira", true, TKT_ITSM_ATTACH);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url,
                        ITSM_BASE "/rest/api/3/issue/10000?fields=attachment");
    assert_int_equal(drive_step(&d, 200, "{\"fields\":{\"attachment\":[]}}"),
                     TKT_ITSM_SEND);
    assert_string_equal(d.call.request.url,
                        ITSM_BASE "/rest/api/3/issue/10000/attachments");
    bool has_token = false;
    for (size_t i = 0; i < d.call.request.header_count; i++) {
        has_token = has_token ||
                    strcmp(d.call.request.headers[i], "X-Atlassian-Token: no-check") == 0;
    }
    assert_true(has_token);
    assert_non_null(strstr(d.call.request.file_head, "name=\"file\"; filename="));
    assert_int_equal(drive_step(&d, 200, "[{\"id\":\"1\"}]"), TKT_ITSM_DONE);
    drive_end(&d);
}

static void a_transition_ends_without_a_body(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, "jira", true, TKT_ITSM_CLOSE);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(
        drive_step(
            &d, 200,
            "{\"id\":\"10000\",\"key\":\"SUP-24\",\"fields\":{\"status\":{\"name\":"
            "\"To Do\",\"statusCategory\":{\"key\":\"new\"}}}}"),
        TKT_ITSM_SEND);
    assert_int_equal(
        drive_step(
            &d, 200,
            "{\"transitions\":[{\"id\":\"21\",\"name\":\"Go\",\"to\":{\"name\":\"Doing\","
            "\"statusCategory\":{\"key\":\"indeterminate\"}}},{\"id\":\"31\",\"name\":"
            "\"Done\",\"to\":{\"name\":\"Done\",\"statusCategory\":{\"key\":\"done\"}}}"
            "]}"),
        TKT_ITSM_SEND);
    asks(&d, "POST", ITSM_BASE "/rest/api/3/issue/10000/transitions",
         "{\"transition\":{\"id\":\"31\"}}");
    cJSON_Delete(d.json);
    d.json = NULL;
    d.answer = (struct tkt_itsm_answer){.status = 204, .body = ""};
    d.call.answer = &d.answer;
    d.call.step++;
    assert_int_equal(d.ops->steps[d.call.op](&d.call, &d.err), TKT_ITSM_DONE);
    drive_end(&d);
}

static void a_status_means_what_its_category_is_and_authors_are_told_apart(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, "jira", true, TKT_ITSM_FETCH);
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(
        drive_step(
            &d, 200,
            "{\"id\":\"10000\",\"key\":\"SUP-24\",\"fields\":{\"status\":{\"name\":"
            "\"Shipped\",\"statusCategory\":{\"key\":\"done\"}},\"creator\":{"
            "\"accountId\":\"a1\",\"displayName\":\"M\"}}}"),
        TKT_ITSM_SEND);
    assert_string_equal(d.call.seen.me, "M (a1)");
    assert_string_equal(d.ops->state_word(&d.call, "resolved"), "Shipped");
    assert_null(d.ops->state_word(&d.call, "open"));
    assert_int_equal(
        drive_step(&d, 200,
                   "{\"comments\":[{\"id\":\"2\",\"body\":null,\"author\":{\"accountId\":"
                   "\"evil\",\"displayName\":\"M\"},\"jsdPublic\":false}]}"),
        TKT_ITSM_DONE);
    assert_string_equal(d.call.seen.notes[0].author, "M (evil)");
    assert_false(d.call.seen.notes[0].is_public);
    drive_end(&d);
}

static void a_request_is_made_for_its_customer_then_tagged(void **state)
{
    struct drive d;

    (void)state;
    begin(&d, "jsm", true, TKT_ITSM_CREATE);
    d.conf.requester = TKT_CONF_REQUESTER_LOOKUP;
    d.ticket.requester = "ann@example.org";
    assert_int_equal(drive_step(&d, 0, NULL), TKT_ITSM_SEND);
    asks(&d, "GET",
         ITSM_BASE "/rest/api/3/user/search?query=ann%40example.org&maxResults=20", NULL);
    assert_int_equal(
        drive_step(&d, 200,
                   "[{\"accountId\":\"q1\",\"emailAddress\":\"Ann@example.org\"},"
                   "{\"accountId\":\"q2\",\"emailAddress\":\"x@example.org\"}]"),
        TKT_ITSM_SEND);
    asks(&d, "POST", ITSM_BASE "/rest/servicedeskapi/request",
         "{\"serviceDeskId\":\"4\",\"requestTypeId\":\"25\",\"raiseOnBehalfOf\":\"q1\","
         "\"requestFieldValues\":{\"summary\":\"printer\",\"description\":"
         "\"broken\\n\\n\\n(" ITSM_KEY ")\"}}");
    assert_int_equal(
        drive_step(
            &d, 201,
            "{\"issueId\":\"107001\",\"issueKey\":\"HELPDESK-1\",\"requestTypeId\":"
            "\"25\",\"serviceDeskId\":\"10\",\"currentStatus\":{\"status\":\"Waiting "
            "for support\"},\"_links\":{\"web\":\"https://x/1\"}}"),
        TKT_ITSM_SEND);
    asks(&d, "PUT", ITSM_BASE "/rest/api/3/issue/107001",
         "{\"fields\":{\"labels\":[\"" ITSM_KEY
         "\"],\"components\":[{\"name\":\"Network\"}],"
         "\"priority\":{\"name\":\"High\"}}}");
    assert_int_equal(drive_step(&d, 403, "{}"),
                     TKT_ITSM_DONE); /* it is there all the same */
    assert_string_equal(d.call.seen.number, "HELPDESK-1");
    drive_end(&d);
}

static void a_section_is_told_what_it_lacks(void **state)
{
    static char *bad[] = {(char *)"correlation_field=labels"};
    struct tkt_err err = TKT_ERR_INIT;
    struct drive d;

    (void)state;
    begin(&d, "jsm", true, TKT_ITSM_CHECK);
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), 0);
    d.conf.options.count = 1;
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), -1);
    assert_non_null(strstr(err.text, "desk=ID"));
    begin(&d, "jira", true, TKT_ITSM_CHECK);
    d.conf.user = (char *)"";
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), -1);
    assert_non_null(strstr(err.text, "auth = bearer"));
    d.conf.auth = TKT_CONF_AUTH_BEARER;
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), 0);
    d.conf.options = (struct tkt_conf_list){bad, 1};
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), -1);
    assert_non_null(strstr(err.text, "customfield_"));
    d.conf.options.count = 0;
    d.conf.project = (char *)"";
    assert_int_equal(tkt_itsm_check_conf(&d.conf, &err), -1);
    assert_non_null(strstr(err.text, "no project"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_a_document_that_jira_takes),
        cmocka_unit_test(documents_become_text_again),
        cmocka_unit_test(what_a_person_wrote_is_no_wiki_markup),
        cmocka_unit_test(a_piece_fits_as_markup_too),
        cmocka_unit_test(a_document_deeper_than_anybody_writes_ends),
        cmocka_unit_test(pieces_hold_the_whole_text_and_never_half_a_character),
        cmocka_unit_test(a_cloud_issue_has_a_document_and_its_key_as_a_label),
        cmocka_unit_test(data_center_is_asked_by_version_two_in_markup),
        cmocka_unit_test(the_url_tells_cloud_from_data_center),
        cmocka_unit_test(fields_that_may_be_missing_are_dropped_once),
        cmocka_unit_test(a_hit_has_to_show_the_key),
        cmocka_unit_test(the_old_search_of_cloud_is_told_as_what_it_is),
        cmocka_unit_test(refusals_keep_the_words_of_each_shape),
        cmocka_unit_test(a_file_goes_with_the_token_that_jira_wants),
        cmocka_unit_test(a_transition_ends_without_a_body),
        cmocka_unit_test(a_status_means_what_its_category_is_and_authors_are_told_apart),
        cmocka_unit_test(a_request_is_made_for_its_customer_then_tagged),
        cmocka_unit_test(a_section_is_told_what_it_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
