/* SPDX-License-Identifier: BSD-2-Clause
 * The question to a language model, and the reading of what it says.
 */
#include "base/enc.h"
#include "base/util.h"
#include "ticketd/llm/llm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char *labels[] = {(char *)"network: VPN, WLAN", (char *)"pay roll", (char *)"x"};
static char *impact = (char *)"medium";
static char *high[] = {(char *)"urgent", (char *)"high", (char *)"normal"};

static struct tkt_conf_llm conf_of(void)
{
    return (struct tkt_conf_llm){.url = (char *)"https://llm.example/v1",
                                 .model = (char *)"m",
                                 .answer_limit = (char *)"max_tokens",
                                 .categories = {labels, 3},
                                 .when = TKT_LLM_UNSURE,
                                 .summary = true,
                                 .text_max = 200};
}

static bool check(const char *json, struct tkt_llm_answer *a)
{
    struct tkt_conf_llm conf = conf_of();

    return tkt_llm_check(&conf, json, strlen(json), a);
}

static void only_what_was_asked_for_is_an_answer(void **state)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "\"network\"",
        "{",
        "{}",
        "{\"category\":\"network\",\"urgency\":\"high\"}",
        "{\"category\":\"Network\",\"urgency\":\"high\",\"summary\":\"\"}",
        "{\"category\":\"network: VPN, WLAN\",\"urgency\":\"high\",\"summary\":\"\"}",
        "{\"category\":null,\"urgency\":\"high\",\"summary\":\"\"}",
        "{\"category\":\"network\",\"urgency\":1,\"summary\":\"\"}",
        "{\"category\":\"network\",\"urgency\":\"high\",\"summary\":null}",
        "{\"category\":\"network\",\"urgency\":\"high\",\"summary\":\"\"} and more",
        "{\"category\":\"x\",\"category\":\"x\",\"urgency\":\"low\",\"summary\":\"\"}",
        "{\"category\":\"x\",\"urgency\":\"low\",\"summary\":\"\",\"group\":\"root\"}"};
    struct tkt_llm_answer a = {.urgency = 9};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        if (check(bad[i], &a)) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    assert_int_equal(a.urgency, 9);
    assert_true(
        check("{\"summary\":\" a \",\"urgency\":\"low\",\"category\":\"pay roll\"}", &a));
    assert_string_equal(a.category, "pay roll");
    assert_int_equal(a.urgency, 3);
    assert_string_equal(a.summary, "a");
    assert_true(
        check("{\"summary\":\"\",\"urgency\":\"unknown\",\"category\":\"unknown\"}", &a));
    assert_string_equal(a.category, "");
    assert_int_equal(a.urgency, 0);
}

static const char *summary_of(const char *text)
{
    static struct tkt_llm_answer a;
    struct tkt_buf json = TKT_BUF_INIT(100000);

    (void)tkt_buf_adds(&json,
                       "{\"category\":\"x\",\"urgency\":\"low\",\"summary\":"); /* fits */
    (void)tkt_json_add_string(&json, text, strlen(text));
    (void)tkt_buf_addc(&json, '}');
    assert_true(check(json.data, &a));
    tkt_buf_release(&json);
    return a.summary;
}

static void a_summary_is_plain_text_without_links(void **state)
{
    char longer[2000];

    (void)state;
    assert_string_equal(summary_of("one\n\r\ttwo\x1b[31m  three"), "one two [31m three");
    assert_string_equal(summary_of("go to https://x.example/y now"), "go to [...] now");
    assert_string_equal(summary_of("WWW.x.example or a@b.example"), "[...] or [...]");
    assert_string_equal(summary_of("<script>alert</script> [a](b)"), "[...] [...]");
    assert_string_equal(summary_of("a\xe2\x80\xae"
                                   "b\xe2\x80\x8b"
                                   "c\xef\xbb\xbf"),
                        "a b c");
    assert_string_equal(summary_of("\xf0\x9f\x98\x80 gr\xc3\xbc\xc3\x9f"),
                        "\xf0\x9f\x98\x80 gr\xc3\xbc\xc3\x9f");
    for (size_t i = 0; i + 2 < sizeof(longer); i += 2) {
        memcpy(longer + i, "\xc3\xbc", 2);
    }
    longer[sizeof(longer) - 2] = '\0';
    const char *cut = summary_of(longer);
    assert_int_equal(strlen(cut), TKT_LLM_SUMMARY_MAX);
    assert_true(tkt_utf8_valid(cut, strlen(cut)));
}

static void a_question_marks_what_is_mail_and_is_cut(void **state)
{
    struct tkt_conf_llm conf = conf_of();
    struct tkt_buf out = TKT_BUF_INIT(TKT_LLM_REQUEST_MAX);
    struct tkt_buf other = TKT_BUF_INIT(TKT_LLM_REQUEST_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    unsigned char a[TKT_SHA256_LEN], b[TKT_SHA256_LEN];
    char text[4001];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[4000] = '\0';
    memcpy(text + 3990, "THE-END...", 10);
    assert_int_equal(tkt_llm_request(&conf, text, 4000, 50, &out, &err), 0);
    assert_non_null(strstr(out.data, "THE-END"));
    assert_non_null(strstr(out.data, "[...]"));
    assert_non_null(strstr(out.data, "\"max_tokens\":50"));
    assert_non_null(strstr(out.data, "\\\"enum\\\":[\\\"network\\\",\\\"pay roll\\\""));
    assert_non_null(strstr(out.data, "network: VPN, WLAN"));
    assert_true(out.len < 4000);
    assert_int_equal(tkt_llm_request(&conf, "other words", 11, 50, &other, &err), 0);
    tkt_llm_key(&conf, &out, a);
    tkt_llm_key(&conf, &other, b);
    assert_memory_not_equal(a, b, sizeof(a));
    tkt_buf_release(&out);
    tkt_buf_release(&other);
}

static void the_address_is_made_of_the_base(void **state)
{
    static const char *const rows[][2] = {
        {"https://a/v1", "https://a/v1/chat/completions"},
        {"https://a/v1/", "https://a/v1/chat/completions"},
        {"https://a/d/chat/completions?api-version=1",
         "https://a/d/chat/completions?api-version=1"}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_conf_llm conf = {.url = (char *)(uintptr_t)rows[i][0]};
        struct tkt_buf out = TKT_BUF_INIT(1000);

        assert_int_equal(tkt_llm_url(&conf, &out), 0);
        assert_string_equal(out.data, rows[i][1]);
        tkt_buf_release(&out);
    }
}

static enum tkt_llm_verdict read_it(const char *body, int64_t *tokens)
{
    struct tkt_conf_llm conf = conf_of();
    struct tkt_llm_answer a;

    return tkt_llm_read(&conf, body, strlen(body), &a, tokens);
}

#define CHOICE(content)                                                                  \
    "{\"choices\":[{\"message\":{\"content\":" content "},\"finish_reason\":\"stop\"}]}"
#define GOOD                                                                             \
    "{\\\"category\\\":\\\"x\\\",\\\"urgency\\\":\\\"low\\\",\\\"summary\\\":\\\"s\\\"}"

static void local_models_may_think_aloud_and_fence(void **state)
{
    int64_t tokens;

    (void)state;
    assert_int_equal(read_it(CHOICE("\"" GOOD "\""), &tokens), TKT_LLM_ANSWERED);
    assert_int_equal(tokens, 0);
    assert_int_equal(read_it(CHOICE("\"<think>{}</think>\\n" GOOD "\\n\""), &tokens),
                     TKT_LLM_ANSWERED);
    assert_int_equal(read_it(CHOICE("\"```json\\n" GOOD "\\n```\""), &tokens),
                     TKT_LLM_ANSWERED);
    assert_int_equal(read_it(CHOICE("\"Sure: " GOOD "\""), &tokens), TKT_LLM_NONSENSE);
    assert_int_equal(read_it("{\"error\":\"model not found\"}", &tokens),
                     TKT_LLM_NONSENSE);
    assert_int_equal(
        read_it("{\"choices\":[{\"message\":{\"content\":\"" GOOD "\"}},{}]}", &tokens),
        TKT_LLM_NONSENSE);
    assert_int_equal(read_it("{\"usage\":{\"total_tokens\":1e300}}", &tokens),
                     TKT_LLM_NONSENSE);
    assert_int_equal(tokens, 0);
}

static void troubles_are_told_apart_in_every_dialect(void **state)
{
    static const char quota[] = "{\"error\":{\"code\":\"insufficient_quota\"}}";
    static const char filter[] = "{\"error\":{\"code\":\"content_filter\"}}";
    static const char *const others[] = {"{\"error\":\"text\"}",
                                         "{\"error\":{\"code\":500}}", "<html>",
                                         "{\"detail\":[]}", ""};
    struct tkt_llm_trouble t;

    (void)state;
    tkt_llm_trouble(quota, strlen(quota), &t);
    assert_true(t.is_quota && !t.is_filtered);
    tkt_llm_trouble(filter, strlen(filter), &t);
    assert_true(!t.is_quota && t.is_filtered);
    for (size_t i = 0; i < TKT_ARRAY_LEN(others); i++) {
        tkt_llm_trouble(others[i], strlen(others[i]), &t);
        assert_false(t.is_quota || t.is_filtered);
    }
}

static void a_kept_answer_comes_back_the_same(void **state)
{
    struct tkt_conf_llm conf = conf_of();
    struct tkt_llm_answer a, b;

    (void)state;
    for (int round = 0; round < 4; round++) {
        struct tkt_buf out = TKT_BUF_INIT(4000);

        conf.summary = round & 1;
        conf.categories.count = round & 2 ? 3 : 0;
        memset(&a, 0, sizeof(a));
        a.urgency = 2;
        strcpy(a.category, conf.categories.count ? "pay roll" : "");
        strcpy(a.summary, conf.summary ? "He said \"no\"" : "");
        assert_int_equal(tkt_llm_write(&conf, &a, &out), 0);
        assert_true(tkt_llm_check(&conf, out.data, out.len, &b));
        assert_string_equal(a.category, b.category);
        assert_string_equal(a.summary, b.summary);
        assert_int_equal(a.urgency, b.urgency);
        tkt_buf_release(&out);
    }
}

static void it_is_asked_where_the_model_is_unsure_or_a_rule_says_so(void **state)
{
    struct tkt_conf_llm conf = conf_of();
    struct tkt_reason unsure = {.source = TKT_SOURCE_MODEL, .permille = 300};
    struct tkt_field field = {(char *)"llm", (char *)"yes"};
    struct tkt_decision d = {.category = (char *)""};

    (void)state;
    assert_false(tkt_llm_wanted(&conf, &d));
    d.reasons = &unsure;
    d.reason_count = 1;
    assert_true(tkt_llm_wanted(&conf, &d));
    unsure.field = (char *)"group"; /* sure of that, and it knows no categories */
    assert_false(tkt_llm_wanted(&conf, &d));
    unsure.field = (char *)"";
    d.category = (char *)"network";
    d.ask_llm = true;
    assert_true(tkt_llm_wanted(&conf, &d));
    d.ask_llm = false;
    d.category = (char *)"network"; /* a rule was sure */
    assert_false(tkt_llm_wanted(&conf, &d));
    d.fields = &field;
    d.field_count = 1;
    assert_true(tkt_llm_wanted(&conf, &d));
    field.value = (char *)"no";
    assert_false(tkt_llm_wanted(&conf, &d));
    field.value = (char *)"yes";
    d.ignored_by_rule = true;
    assert_false(tkt_llm_wanted(&conf, &d));
    d.ignored_by_rule = false;
    d.action = TKT_ACTION_APPEND;
    assert_false(tkt_llm_wanted(&conf, &d));
    d.action = TKT_ACTION_NEW;
    conf.when = TKT_LLM_OFF;
    assert_false(tkt_llm_wanted(&conf, &d));
    conf.when = TKT_LLM_RULE;
    assert_true(tkt_llm_wanted(&conf, &d));
    conf.url = (char *)"";
    assert_false(tkt_llm_wanted(&conf, &d));
}

static void priority_follows_the_configured_matrix(void **state)
{
    struct tkt_conf_priority p = {.urgency_high = {high, 3}, .impact = impact};

    (void)state;
    assert_int_equal(tkt_llm_priority(&p, 1, 0), 2);
    assert_int_equal(tkt_llm_priority(&p, 1, 1), 1);
    assert_int_equal(tkt_llm_priority(&p, 2, 1), 0); /* no such row */
    assert_int_equal(tkt_llm_priority(&p, 0, 1), 0);
    assert_int_equal(tkt_llm_priority(&p, 9, 9), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_asked_for_is_an_answer),
        cmocka_unit_test(a_summary_is_plain_text_without_links),
        cmocka_unit_test(a_question_marks_what_is_mail_and_is_cut),
        cmocka_unit_test(the_address_is_made_of_the_base),
        cmocka_unit_test(local_models_may_think_aloud_and_fence),
        cmocka_unit_test(troubles_are_told_apart_in_every_dialect),
        cmocka_unit_test(a_kept_answer_comes_back_the_same),
        cmocka_unit_test(it_is_asked_where_the_model_is_unsure_or_a_rule_says_so),
        cmocka_unit_test(priority_follows_the_configured_matrix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
