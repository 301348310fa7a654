/* SPDX-License-Identifier: BSD-2-Clause
 * common/decide/rules: what rules do - actions, modes of sets, extracts, requirements,
 * limits.
 */
#include "rules_fixture.h"

#include "base/clock.h"
#include "base/util.h"
#include "decide/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define S(text) ((char *)(uintptr_t)(text))

static struct tkt_decisions made;

/* The decision on one text; valid until the next one. */
static const struct tkt_decision *decide(const char *conf, const char *subject,
                                         const char *reply)
{
    struct tkt_policy *policy = rules_policy(conf);
    struct rules_case c;

    tkt_decisions_release(&made);
    rules_case_init(&c);
    c.msg.subject = S(subject);
    c.msg.reply_text = S(reply);
    c.msg.text = S(reply);
    rules_decide(&c, policy, &made);
    tkt_policy_free(&policy);
    return &made.items[0];
}

static const struct tkt_reason *reason(const struct tkt_decision *d, const char *by,
                                       const char *field)
{
    for (size_t i = 0; i < d->reason_count; i++) {
        if (strcmp(d->reasons[i].by, by) == 0 &&
            strcmp(d->reasons[i].field, field) == 0) {
            return &d->reasons[i];
        }
    }
    return NULL;
}

static bool has(const struct tkt_strings *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], s) == 0) {
            return true;
        }
    }
    return false;
}

static void each_action_sets_its_field_and_says_so(void **state)
{
    const struct tkt_decision *d =
        decide("rule \"r\" {\n if_says = {\"vpn\"}\n set_type = change\n"
               " set_category = \"net\"\n set_subcategory = \"vpn\"\n"
               " set_service = \"remote\"\n set_group = \"network\"\n"
               " set_assignee = \"x@example.org\"\n set_urgency = medium\n"
               " set_impact = low\n set_priority = urgent\n set_tags = {\"t1\", \"t2\"}\n"
               " set_fields = {\"site=berlin\", \"note=a=b\"}\n"
               " set_requester = \"y@example.org\"\n set_itsm = \"local\"\n"
               " ask_llm = yes\n}",
               "vpn", "");

    (void)state;
    assert_string_equal(d->type, "change");
    assert_string_equal(d->category, "net");
    assert_string_equal(d->subcategory, "vpn");
    assert_string_equal(d->service, "remote");
    assert_string_equal(d->group, "network");
    assert_string_equal(d->assignee, "x@example.org");
    assert_int_equal(d->urgency, 2);
    assert_int_equal(d->impact, 3);
    assert_int_equal(d->priority, 1);
    assert_true(has(&d->tags, "t1") && has(&d->tags, "t2"));
    assert_string_equal(rules_field(d, "site"), "berlin");
    assert_string_equal(rules_field(d, "note"), "a=b");
    assert_string_equal(d->requester, "y@example.org");
    assert_string_equal(d->itsm, "local");
    assert_true(d->ask_llm);
    const struct tkt_reason *why = reason(d, "r", "group");
    assert_non_null(why);
    assert_string_equal(why->value, "network");
    assert_true(has(&reason(d, "r", "type")->words, "vpn"));
    assert_true(has(&d->keywords, "vpn"));
}

static void a_refusal_has_its_text_and_where_to_go(void **state)
{
    const struct tkt_decision *d =
        decide("rule \"r\" {\n refuse = \"Not here.\"\n"
               " refuse_url = \"https://portal.example.org/\"\n}",
               "x", "");

    (void)state;
    assert_true(d->refused_by_rule);
    assert_string_equal(d->refuse_text, "Not here. https://portal.example.org/");
    d = decide("rule \"r\" {\n ignore = yes\n}", "x", "");
    assert_true(d->ignored_by_rule);
    assert_false(d->refused_by_rule);
}

static void the_first_rule_of_two_wins_and_the_other_is_told(void **state)
{
    const struct tkt_decision *d =
        decide("rule \"a\" {\n set_group = \"one\"\n}\n"
               "rule \"b\" {\n set_group = \"two\"\n set_category = \"c\"\n}",
               "x", "");

    (void)state;
    assert_string_equal(d->group, "one");
    assert_string_equal(d->category, "c");
    assert_true(reason(d, "b", "group")->overruled);
    assert_false(reason(d, "a", "group")->overruled);
}

#define TWO(mode, stop)                                                                  \
    "rules \"s\" {\n mode = " mode "\n}\n"                                               \
    "rule \"a\" {\n in = s\n set_tags = {\"a\"}\n" stop "}\n"                            \
    "rule \"b\" {\n in = s\n set_tags = {\"b\"}\n}\n"                                    \
    "rule \"later\" {\n set_tags = {\"later\"}\n}\n"

static void modes_and_stop_end_what_they_say(void **state)
{
    (void)state;
    const struct tkt_decision *d = decide(TWO("all", ""), "x", "");
    assert_true(has(&d->tags, "a") && has(&d->tags, "b") && has(&d->tags, "later"));
    d = decide(TWO("first", ""), "x", "");
    assert_true(has(&d->tags, "a") && !has(&d->tags, "b") && has(&d->tags, "later"));
    d = decide(TWO("all", " stop = yes\n"), "x", "");
    assert_true(has(&d->tags, "a") && !has(&d->tags, "b") && !has(&d->tags, "later"));
}

#define BEST                                                                             \
    "rules \"s\" {\n mode = best\n min_score = 20\n min_lead = 10\n}\n"                  \
    "rule \"n1\" {\n in = s\n if_says = {\"vpn\", \"wlan\"}\n set_group = \"net\"\n}\n"  \
    "rule \"n2\" {\n in = s\n if_says = {\"tunnel^3\"}\n set_group = \"net\"\n}\n"       \
    "rule \"p\" {\n in = s\n if_says = {\"printer\", \"toner\"}\n"                       \
    " set_group = \"print\"\n}\n"                                                        \
    "rule \"not\" {\n in = s\n if_says = {\"minus\"}\n weight = -50\n"                   \
    " set_group = \"net\"\n}\n"                                                          \
    "rule \"tag\" {\n in = s\n if_says = {\"vpn\"}\n set_tags = {\"seen\"}\n}\n"

static void the_best_outcome_is_the_sum_of_its_rules(void **state)
{
    static const struct {
        const char *subject;
        const char *reply;
        const char *group;
    } cases[] = {
        {"", "vpn", ""},                     /* 10 */
        {"vpn", "", "net"},                  /* 20: the Subject counts twice */
        {"", "vpn wlan", "net"},             /* 20 */
        {"", "vpn vpn vpn", ""},             /* each once */
        {"", "tunnel", "net"},               /* 30 */
        {"", "printer toner vpn", "print"},  /* 20 to 10 */
        {"", "printer toner vpn wlan", ""},  /* 20 to 20 */
        {"", "tunnel printer toner", "net"}, /* 30 to 20 */
        {"", "tunnel minus", ""},            /* -20 */
        {"", "tunnel minus printer toner", "print"},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        const struct tkt_decision *d = decide(BEST, cases[i].subject, cases[i].reply);
        if (strcmp(d->group, cases[i].group) != 0) {
            fail_msg("%s / %s: \"%s\", not \"%s\"", cases[i].subject, cases[i].reply,
                     d->group, cases[i].group);
        }
    }
    assert_true(has(&decide(BEST, "", "vpn")->tags, "seen"));
}

#define RATIO(percent)                                                                   \
    "rules \"s\" {\n mode = best\n min_lead = 10\n min_ratio = " percent "\n}\n"         \
    "rule \"n\" {\n in = s\n if_says = {\"vpn^3\", \"tunnel^6\"}\n"                      \
    " set_group = \"net\"\n}\n"                                                          \
    "rule \"p\" {\n in = s\n if_says = {\"printer^2\", \"toner^4\"}\n"                   \
    " set_group = \"print\"\n}\n"                                                        \
    "rule \"not\" {\n in = s\n if_says = {\"minus\"}\n weight = -50\n"                   \
    " set_group = \"print\"\n}\n"

static void the_best_outcome_is_so_many_times_the_next(void **state)
{
    static const struct {
        const char *reply;
        const char *rules;
        const char *group;
    } cases[] = {
        {"vpn printer", RATIO("100"), "net"}, /* 30 to 20 */
        {"vpn printer", RATIO("150"), "net"},
        {"vpn printer", RATIO("151"), ""},
        {"vpn tunnel toner printer", RATIO("150"), "net"}, /* 90 to 60 */
        {"vpn tunnel toner printer", RATIO("151"), ""},
        {"vpn", RATIO("10000"), "net"},             /* the next has nothing */
        {"vpn printer minus", RATIO("151"), "net"}, /* ... or less */
        {"printer minus", RATIO("100"), ""},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        const struct tkt_decision *d = decide(cases[i].rules, "", cases[i].reply);
        if (strcmp(d->group, cases[i].group) != 0) {
            fail_msg("case %zu: \"%s\", not \"%s\"", i, d->group, cases[i].group);
        }
    }
}

static void a_set_is_for_its_desks(void **state)
{
    (void)state;
    assert_string_equal(decide("rules \"s\" {\n if_desk = {\"hr\"}\n}\n"
                               "rule \"a\" {\n in = s\n set_group = \"g\"\n}",
                               "x", "")
                            ->group,
                        "");
}

static void earlier_rules_can_be_asked_for(void **state)
{
    (void)state;
    assert_true(has(&decide("rule \"a\" {\n set_category = \"net-vpn\"\n}\n"
                            "rule \"b\" {\n if_category = {\"net-*\"}\n"
                            " set_tags = {\"t\"}\n}\n"
                            "rule \"c\" {\n if_tag = {\"t\"}\n set_group = \"g\"\n}",
                            "x", "")
                         ->tags,
                    "t"));
    assert_string_equal(made.items[0].group, "g");
}

static void named_groups_become_fields(void **state)
{
    const struct tkt_decision *d = decide(
        "extract \"order\" {\n pattern = "
        "'order\\s*(?:no\\.?)?\\s*(?<order_no>[A-Z]{0,3}\\d{5,10})(?:\\s+of\\s+"
        "(?<day>\\w+\\s\\w+))?'\n}\n"
        "extract \"tel\" {\n pattern = 'tel\\.? ([\\d ]+)'\n field = \"phone\"\n}\n"
        "extract \"none\" {\n pattern = 'nothing (?<nothing>x)'\n}",
        "Order no. AB12345", "of 3\n  May, Tel 030 123 45 \nbye");

    (void)state;
    assert_string_equal(rules_field(d, "order_no"), "AB12345");
    assert_string_equal(rules_field(d, "phone"), "030 123 45");
    assert_string_equal(rules_field(d, "day"), "");
    assert_string_equal(rules_field(d, "nothing"), "");
}

static void what_is_required_and_not_there_is_missing(void **state)
{
    static const char conf[] =
        "rule \"h\" {\n if_says = {\"laptop\"}\n set_category = \"hardware\"\n}\n"
        "extract \"a\" {\n pattern = 'tag (?<asset_tag>\\d+)'\n}\n"
        "require \"asset_tag\" {\n if_category = {\"hard*\"}\n if_type = {incident}\n}\n"
        "require \"room\" {\n if_type = {request}\n}\n";

    (void)state;
    assert_true(has(&decide(conf, "laptop", "")->missing, "asset_tag"));
    assert_int_equal(made.items[0].missing.count, 1);
    assert_int_equal(decide(conf, "laptop", "tag 77")->missing.count, 0);
    assert_int_equal(decide(conf, "chair", "")->missing.count, 0);
}

static void more_tags_and_fields_than_a_ticket_takes_are_an_error(void **state)
{
    TKT_AUTO_BUF struct tkt_buf conf = TKT_BUF_INIT(256 * 1024);
    bool told = false;

    (void)state;
    for (int i = 0; i < 8; i++) {
        tkt_buf_addf(&conf, "rule \"r%d\" {\n", i);
        for (int k = 0; k < 10; k++) {
            tkt_buf_addf(&conf,
                         " set_tags += {\"t%d-%d\"}\n set_fields += {\"f%d_%d=x\"}\n", i,
                         k, i, k);
        }
        tkt_buf_adds(&conf, "}\n");
    }
    const struct tkt_decision *d = decide(tkt_buf_str(&conf), "x", "");
    assert_int_equal(d->tags.count, TKT_DECISION_TAGS_MAX);
    assert_true(d->field_count <= TKT_DECISION_FIELDS_MAX);
    assert_true(d->reason_count <= TKT_DECISION_REASONS_MAX);
    for (size_t i = 0; i < d->reason_count; i++) {
        told |= d->reasons[i].is_error;
    }
    assert_true(told || d->reason_count == TKT_DECISION_REASONS_MAX);
}

static void a_catastrophic_expression_is_an_error_and_ends_soon(void **state)
{
    char text[4096];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    int64_t start_ms = tkt_clock_mono_ms();
    const struct tkt_decision *d =
        decide("rule \"bad\" {\n if_says = {'regex:(a+)+[!?]'}\n set_group = \"g\"\n}\n"
               "rule \"good\" {\n set_category = \"c\"\n}",
               "x", text);
    assert_string_equal(d->group, "");
    assert_string_equal(d->category, "c");
    assert_true(reason(d, "bad", "")->is_error);
    assert_true(tkt_clock_mono_ms() - start_ms < 5000);
}

/* What could not be looked for is not known to be absent. */
static void an_exclusion_that_meets_a_limit_lets_nothing_through(void **state)
{
    char text[4096] = "hello ";

    (void)state;
    memset(text + 6, 'a', sizeof(text) - 7);
    text[sizeof(text) - 1] = '\0';
    const struct tkt_decision *d =
        decide("rule \"bad\" {\n if_says = {\"hello\", '!regex:(a+)+[!?]'}\n"
               " set_group = \"g\"\n}\n",
               "x", text);
    assert_string_equal(d->group, "");
    assert_non_null(reason(d, "bad", ""));
    assert_true(reason(d, "bad", "")->is_error);
}

/* One quantifier is enough to look at all of the text from each place of it. */
static void a_quadratic_expression_is_an_error_and_ends_soon(void **state)
{
    static const char *const patterns[] = {"foo.*bar", "foo.*?bar",
                                           "(?:f|o|fo|oo|fr)+bar"};
    size_t n = 256 * 1024;
    TKT_AUTO_FREE char *text = malloc(n + 1);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        text[i] = "foofr"[i % 5];
    }
    memcpy(text, "bar ", 4);
    text[n] = '\0';
    for (size_t i = 0; i < TKT_ARRAY_LEN(patterns); i++) {
        char conf[200];
        snprintf(conf, sizeof(conf),
                 "rule \"bad\" {\n if_reply = {'regex:%s'}\n"
                 " set_group = \"g\"\n}",
                 patterns[i]);
        clock_t start = clock();
        const struct tkt_decision *d = decide(conf, "x", text);
        assert_string_equal(d->group, "");
        assert_non_null(reason(d, "bad", ""));
        assert_true(reason(d, "bad", "")->is_error);
        assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
    }
}

/* Words that make many rules leave their reasons must not hide who set the priority. */
static void a_rule_keeps_what_it_set_when_reasons_are_many(void **state)
{
    TKT_AUTO_BUF struct tkt_buf conf = TKT_BUF_INIT(64 * 1024);
    const struct tkt_decision *d;

    (void)state;
    assert_int_equal(tkt_buf_adds(&conf, "rule \"many\" {\n set_tags = {\"t0\""), 0);
    for (int i = 1; i < 64; i++) {
        assert_true(tkt_buf_addf(&conf, ", \"t%d\"", i) >= 0);
    }
    assert_int_equal(tkt_buf_adds(&conf, "}\n}\nrule \"low\" {\n set_priority = low\n"
                                         " set_urgency = low\n}\n"),
                     0);
    d = decide(tkt_buf_str(&conf), "URGENT", "production is down for everybody, now!!");
    assert_int_equal(d->priority, 4);
    assert_int_equal(d->urgency, 3);
}

static void a_long_word_is_told_in_short(void **state)
{
    char conf[1200];
    char word[501];

    (void)state;
    for (size_t i = 0; i < 500; i += 2) {
        memcpy(word + i, "\xc3\xa4", 2);
    }
    word[500] = '\0';
    word[0] = 'x';
    word[1] = 'x';
    snprintf(conf, sizeof(conf),
             "rule \"long\" {\n if_says = {\"%s\"}\n set_group = \"g\"\n}\n", word);
    const struct tkt_decision *d = decide(conf, word, "");
    assert_string_equal(d->group, "g");
    const struct tkt_reason *r = reason(d, "long", "group");
    assert_int_equal(r->words.count, 1);
    assert_int_equal(strlen(r->words.items[0]), TKT_REASON_WORD_MAX);
    assert_memory_equal(r->words.items[0], word, TKT_REASON_WORD_MAX);
}

/* What a mail or a rule puts into a field for the ITSM decides nothing here. */
static void a_field_with_the_name_of_a_decision_is_a_field(void **state)
{
    const struct tkt_decision *d;

    (void)state;
    d = decide("extract \"prio\" {\n pattern = 'Prio:\\s*(?<priority>\\w+)'\n}\n"
               "rule \"f\" {\n set_fields = {\"urgency=none\"}\n}\n",
               "URGENT", "Prio: low, production is down for everybody, now!!");
    assert_string_equal(rules_field(d, "priority"), "low");
    assert_int_equal(d->urgency, 1);
    assert_int_equal(d->priority, 2);
    assert_string_equal(reason(d, "prio", "field")->value, "priority=low");
}

static void a_megabyte_is_searched_for_words_to_its_end(void **state)
{
    size_t n = 1024 * 1024;
    TKT_AUTO_FREE char *text = malloc(n + 1);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        text[i] = i % 7 == 6 ? ' ' : (char)('a' + i % 5);
    }
    memcpy(text + n - 9, " lastword", 9);
    text[n] = '\0';
    const struct tkt_decision *d =
        decide("rule \"w\" {\n if_says = {\"lastword\"}\n set_group = \"g\"\n}\n"
               "rule \"x\" {\n if_says = {'regex:lastword'}\n set_category = \"c\"\n}",
               "x", text);
    assert_string_equal(d->group, "g");
    assert_string_equal(d->category, ""); /* past TKT_RULES_REGEX_TEXT_MAX */
}

/* Rules for which each has a word of its own. */
static void many_rules(struct tkt_buf *conf, int count)
{
    for (int i = 0; i < count; i++) {
        tkt_buf_addf(conf,
                     "rule \"r%d\" {\n if_says = {\"word%dx\", 'regex:code%d\\d+x'}\n"
                     " set_group = \"g%d\"\n}\n",
                     i, i, i, i);
    }
}

static void five_thousand_rules_find_the_one(void **state)
{
    TKT_AUTO_BUF struct tkt_buf conf = TKT_BUF_INIT(4 * 1024 * 1024);

    (void)state;
    many_rules(&conf, 5000);
    assert_string_equal(decide(tkt_buf_str(&conf), "x", "a word4711x b")->group, "g4711");
    assert_string_equal(decide(tkt_buf_str(&conf), "x", "code12344x")->group, "g1");
}

static void one_rule_too_many_is_refused(void **state)
{
    TKT_AUTO_BUF struct tkt_buf conf = TKT_BUF_INIT(4 * 1024 * 1024);
    struct tkt_err err;

    (void)state;
    for (int i = 0; i <= TKT_RULES_MAX; i++) {
        tkt_buf_addf(&conf, "rule \"r%d\" {\n}\n", i);
    }
    assert_non_null(
        strstr(rules_policy_error(tkt_buf_str(&conf), &err), "more than 10000 rules"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_action_sets_its_field_and_says_so),
        cmocka_unit_test(a_refusal_has_its_text_and_where_to_go),
        cmocka_unit_test(the_first_rule_of_two_wins_and_the_other_is_told),
        cmocka_unit_test(modes_and_stop_end_what_they_say),
        cmocka_unit_test(the_best_outcome_is_the_sum_of_its_rules),
        cmocka_unit_test(the_best_outcome_is_so_many_times_the_next),
        cmocka_unit_test(a_set_is_for_its_desks),
        cmocka_unit_test(earlier_rules_can_be_asked_for),
        cmocka_unit_test(named_groups_become_fields),
        cmocka_unit_test(what_is_required_and_not_there_is_missing),
        cmocka_unit_test(more_tags_and_fields_than_a_ticket_takes_are_an_error),
        cmocka_unit_test(a_catastrophic_expression_is_an_error_and_ends_soon),
        cmocka_unit_test(an_exclusion_that_meets_a_limit_lets_nothing_through),
        cmocka_unit_test(a_quadratic_expression_is_an_error_and_ends_soon),
        cmocka_unit_test(a_rule_keeps_what_it_set_when_reasons_are_many),
        cmocka_unit_test(a_long_word_is_told_in_short),
        cmocka_unit_test(a_field_with_the_name_of_a_decision_is_a_field),
        cmocka_unit_test(a_megabyte_is_searched_for_words_to_its_end),
        cmocka_unit_test(five_thousand_rules_find_the_one),
        cmocka_unit_test(one_rule_too_many_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    tkt_decisions_release(&made);
    return failed;
}
