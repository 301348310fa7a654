/* SPDX-License-Identifier: BSD-2-Clause
 * common/template: what a template may say, and what comes out.
 */
#include "base/util.h"
#include "template/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static const char *const names[] = {"id",       "subject",      "requester.name",
                                    "fields.*", "files[].name", "files[].size",
                                    "tags[]",   "empty",        NULL};

static const struct tkt_var file_one[] = {{.name = "name", .text = "a.pdf"},
                                          {.name = "size", .text = "12"}};
static const struct tkt_var file_two[] = {{.name = "name", .text = "<b>"}};
static const struct tkt_var files[] = {{.items = file_one, .count = 2},
                                       {.items = file_two, .count = 1}};
static const struct tkt_var tags[] = {{.text = "x"}, {.text = "y"}};
static const struct tkt_var requester[] = {{.name = "name", .text = "Ann \"A\" <a&b>"}};
static const struct tkt_var fields[] = {{.name = "order", .text = "4711"}};
static const struct tkt_var vars[] = {
    {.name = "id", .text = "IT-12"},
    {.name = "subject", .text = "one\r\nBcc: two\x7f"},
    {.name = "requester", .items = requester, .count = 1},
    {.name = "fields", .items = fields, .count = 1},
    {.name = "files", .items = files, .count = 2, .is_list = true},
    {.name = "tags", .items = tags, .count = 2, .is_list = true},
};

static void assert_renders(const char *text, enum tkt_escape escape, const char *want)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4096);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_template *t = tkt_template_compile(text, escape, names, &err);

    if (t == NULL) {
        fail_msg("%s: %s", text, err.text);
    }
    assert_int_equal(tkt_template_render(t, vars, TKT_ARRAY_LEN(vars), &out), 0);
    tkt_template_free(&t);
    assert_string_equal(tkt_buf_str(&out), want);
}

static void values_sections_and_lists_come_out(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"plain } text { here", "plain } text { here"},
        {"{{id}} {{ id }}", "IT-12 IT-12"},
        {"{{requester.name}}", "Ann \"A\" <a&b>"},
        {"{{{requester.name}}}{{&id}}", "Ann \"A\" <a&b>IT-12"},
        {"{{fields.order}}{{fields.nothing}}", "4711"},
        {"{{#files}}[{{name}} {{size}} {{id}}]{{/files}}",
         "[a.pdf 12 IT-12][<b>  IT-12]"},
        {"{{#tags}}{{.}},{{/tags}}", "x,y,"},
        {"{{^tags}}none{{/tags}}", ""},
        {"{{^empty}}none{{/empty}}{{#empty}}some{{/empty}}", "none"},
        {"{{#id}}has {{id}}{{/id}}", "has IT-12"},
        {"{{#requester}}known{{/requester}}", "known"},
        {"{{#tags}}{{#files}}{{name}}{{/files}} {{.}}{{/tags}}", "a.pdf<b> xa.pdf<b> y"},
        {"a{{! nothing to see }}b", "ab"},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        assert_renders(rows[i][0], TKT_ESCAPE_NONE, rows[i][1]);
    }
}

static void a_line_with_only_a_tag_leaves_no_line(void **state)
{
    static const char *const rows[][2] = {
        {"a\n{{#id}}\nb\n{{/id}}\nc\n", "a\nb\nc\n"},
        {"a\r\n  {{#id}}\t\r\nb\r\n{{/id}}", "a\r\nb\r\n"},
        {"{{! top }}\nx", "x"},
        {"a {{#id}}\nb{{/id}}\n", "a \nb\n"},
        {"{{id}}\n{{#id}}\n{{/id}}\n", "IT-12\n"},
        {"{{#id}}{{/id}}\n", "\n"},
        {"{{#tags}}\n- {{.}}\n{{/tags}}\n", "- x\n- y\n"},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        assert_renders(rows[i][0], TKT_ESCAPE_NONE, rows[i][1]);
    }
}

static void no_value_leaves_the_place_it_stands_in(void **state)
{
    (void)state;
    assert_renders("Subject: {{subject}}", TKT_ESCAPE_LINE, "Subject: one  Bcc: two ");
    assert_renders("<b title=\"{{requester.name}}\">", TKT_ESCAPE_HTML,
                   "<b title=\"Ann &quot;A&quot; &lt;a&amp;b&gt;\">");
    assert_renders(
        "{\"s\":\"{{subject}}\",\"n\":\"{{requester.name}}\"}", TKT_ESCAPE_JSON,
        "{\"s\":\"one\\u000d\\u000aBcc: two\\u007f\",\"n\":\"Ann \\\"A\\\" <a&b>\"}");
    assert_renders("/t?q={{requester.name}}", TKT_ESCAPE_URL,
                   "/t?q=Ann%20%22A%22%20%3Ca%26b%3E");
}

static void what_cannot_be_said_is_an_error_with_its_line(void **state)
{
    static const struct {
        const char *text;
        enum tkt_escape escape;
        const char *complaint;
    } rows[] = {
        {"a\nb {{nothing}}", TKT_ESCAPE_NONE,
         "line 2: there is no {{nothing}}; there is id"},
        {"{{#id}}\n\n", TKT_ESCAPE_NONE, "line 1: a section does not end: #id"},
        {"{{/id}}", TKT_ESCAPE_NONE, "line 1: nothing is open"},
        {"{{#id}}{{#tags}}{{/id}}{{/tags}}", TKT_ESCAPE_NONE, "another section"},
        {"{{id", TKT_ESCAPE_NONE, "{{ without }}"},
        {"{{}}", TKT_ESCAPE_NONE, "a name has"},
        {"{{i d}}", TKT_ESCAPE_NONE, "a name has"},
        {"{{>part}}", TKT_ESCAPE_NONE, "no partials"},
        {"{{=<% %>=}}", TKT_ESCAPE_NONE, "no partials"},
        {"{{{id}}}", TKT_ESCAPE_HTML, "always escaped"},
        {"{{&id}}", TKT_ESCAPE_LINE, "always escaped"},
        {"{{tags}}", TKT_ESCAPE_NONE, "there is no {{tags}}"},
        {"{{requester}}", TKT_ESCAPE_NONE, "there is no {{requester}}"},
        {"{{name}}", TKT_ESCAPE_NONE, "there is no {{name}}"},
        {"{{.}}", TKT_ESCAPE_NONE, "there is no {{.}}"},
        {"{{#files}}{{.}}{{/files}}", TKT_ESCAPE_NONE, "there is no {{.}}"},
        {"{{fields.}}", TKT_ESCAPE_NONE, "there is no {{fields.}}"},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        struct tkt_template *t =
            tkt_template_compile(rows[i].text, rows[i].escape, names, &err);

        assert_null(t);
        assert_int_equal(err.class, TKT_ERR_CONF);
        if (strstr(err.text, rows[i].complaint) == NULL) {
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].text, err.text,
                     rows[i].complaint);
        }
    }
}

static void depth_and_length_have_ends(void **state)
{
    TKT_AUTO_BUF struct tkt_buf deep = TKT_BUF_INIT(2 * TKT_TEMPLATE_MAX);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100);
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    for (int i = 0; i <= TKT_TEMPLATE_DEPTH_MAX; i++) {
        tkt_buf_adds(&deep, "{{#tags}}");
    }
    assert_null(tkt_template_compile(tkt_buf_str(&deep), TKT_ESCAPE_NONE, names, &err));
    assert_non_null(strstr(err.text, "too many sections"));
    while (deep.len <= TKT_TEMPLATE_MAX) {
        tkt_buf_adds(&deep, "text");
    }
    assert_null(tkt_template_compile(tkt_buf_str(&deep), TKT_ESCAPE_NONE, names, &err));
    assert_non_null(strstr(err.text, "at most"));
    struct tkt_template *t = tkt_template_compile(
        "{{#tags}}{{#files}}{{id}}{{id}}{{id}}{{id}}{{/files}}{{/tags}}", TKT_ESCAPE_NONE,
        names, &err);
    assert_non_null(t);
    assert_int_equal(tkt_template_render(t, vars, TKT_ARRAY_LEN(vars), &out), 0);
    tkt_buf_release(&out);
    tkt_buf_init(&out, 50);
    assert_int_equal(tkt_template_render(t, vars, TKT_ARRAY_LEN(vars), &out), -1);
    tkt_template_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_sections_and_lists_come_out),
        cmocka_unit_test(a_line_with_only_a_tag_leaves_no_line),
        cmocka_unit_test(no_value_leaves_the_place_it_stands_in),
        cmocka_unit_test(what_cannot_be_said_is_an_error_with_its_line),
        cmocka_unit_test(depth_and_length_have_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
