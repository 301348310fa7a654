/* SPDX-License-Identifier: BSD-2-Clause
 * common/decide/priority: the matrix, and which source is stronger than which.
 */
#include "base/util.h"
#include "decide/priority.h"
#include "rules_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define TEXT(s) ((char *)(uintptr_t)(s))

struct got {
    int urgency, impact, priority;
    size_t overruled; /* reasons of urgency, impact, priority that had no effect */
    size_t reasons;
};

static struct got decide_with(struct rules_case *c, const char *conf)
{
    struct tkt_policy *policy = rules_policy(conf);
    struct tkt_decisions out;

    rules_decide(c, policy, &out);
    const struct tkt_decision *d = &out.items[0];
    struct got g = {d->urgency, d->impact, d->priority, 0, d->reason_count};
    for (size_t i = 0; i < d->reason_count; i++) {
        g.overruled += d->reasons[i].overruled;
    }
    tkt_decisions_release(&out);
    tkt_policy_free(&policy);
    return g;
}

#define RULE(actions) "rule \"r\" { if_says = {\"lift\"} " actions " } "

static void nothing_said_leaves_the_desks_priority(void **state)
{
    (void)state;
    struct rules_case c;

    rules_case_init(&c);
    c.desk.priority = 4;
    struct got g = decide_with(&c, "");
    assert_int_equal(g.priority, 4);
    assert_int_equal(g.urgency, 0);
    assert_int_equal(g.impact, 0);
    assert_int_equal(g.reasons, 0);
}

static void the_matrix_is_itils(void **state)
{
    (void)state;
    static const char *const levels[] = {"high", "medium", "low"};
    static const int want[3][3] = {{1, 2, 3}, {2, 3, 4}, {3, 4, 5}};

    for (int u = 0; u < 3; u++) {
        for (int i = 0; i < 3; i++) {
            struct rules_case c;
            char conf[256];
            rules_case_init(&c);
            (void)snprintf(conf, sizeof(conf),
                           "rule \"r\" { set_urgency = %s set_impact = %s }", levels[u],
                           levels[i]);
            assert_int_equal(decide_with(&c, conf).priority, want[u][i]);
        }
    }
}

static void a_row_of_the_matrix_can_be_another(void **state)
{
    (void)state;
    struct rules_case c;

    rules_case_init(&c);
    c.msg.subject = TEXT("urgent");
    assert_int_equal(
        decide_with(&c, "priority { urgency_high = {\"normal\", \"low\", \"planning\"} }")
            .priority,
        4);
    assert_int_equal(decide_with(&c, "priority { impact = \"low\" }").priority, 3);
}

static void words_are_stronger_than_the_header(void **state)
{
    (void)state;
    struct rules_case c;

    rules_case_init(&c);
    c.msg.importance = TKT_IMPORTANCE_HIGH;
    struct got g = decide_with(&c, "");
    assert_int_equal(g.urgency, 1);
    assert_int_equal(g.priority, 2);
    assert_int_equal(g.overruled, 0);
    c.msg.reply_text = TEXT("There is no rush.");
    g = decide_with(&c, "");
    assert_int_equal(g.urgency, 3);
    assert_int_equal(g.priority, 4);
    assert_int_equal(g.overruled, 1);
    g = decide_with(&c, "priority { words = no importance = no }");
    assert_int_equal(g.urgency, 0);
    assert_int_equal(g.priority, 3);
}

static void a_rule_overrules_all(void **state)
{
    (void)state;
    struct rules_case c;

    rules_case_init(&c);
    c.msg.subject = TEXT("urgent: lift");
    c.msg.importance = TKT_IMPORTANCE_HIGH;
    c.facts.affected = 100;
    struct got g = decide_with(&c, RULE("set_urgency = low set_impact = low"));
    assert_int_equal(g.urgency, 3);
    assert_int_equal(g.impact, 3);
    assert_int_equal(g.priority, 5);
    assert_int_equal(g.overruled, 3);
    g = decide_with(&c, RULE("set_priority = planning"));
    assert_int_equal(g.urgency, 1);
    assert_int_equal(g.impact, 1);
    assert_int_equal(g.priority, 5);
    assert_int_equal(g.overruled, 1);
}

static void a_vip_counts_only_when_it_is_proved(void **state)
{
    (void)state;
    struct rules_case c;

    rules_case_init(&c);
    c.facts.person.is_known = true;
    c.facts.person.is_vip = true;
    struct got g = decide_with(&c, "");
    assert_int_equal(g.impact, 0);
    assert_int_equal(g.priority, 3);
    assert_int_equal(g.overruled, 1);
    c.facts.login_is_from = true;
    g = decide_with(&c, "");
    assert_int_equal(g.impact, 1);
    assert_int_equal(g.priority, 2);
    c.facts.login_is_from = false;
    c.msg.auth_aligned = true;
    assert_int_equal(decide_with(&c, "").impact, 1);
    assert_int_equal(decide_with(&c, "priority { vip = 0 }").impact, 0);
    c.msg.dmarc = TKT_AUTH_FAIL;
    assert_int_equal(decide_with(&c, "").impact, 0);
}

static void many_people_raise_the_impact_by_steps(void **state)
{
    (void)state;
    static const struct {
        uint32_t people;
        int impact;
    } rows[] = {{0, 0}, {1, 0}, {4, 0}, {5, 2}, {24, 2}, {25, 1}, {UINT32_MAX, 1}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct rules_case c;
        rules_case_init(&c);
        c.facts.affected = rows[i].people;
        assert_int_equal(decide_with(&c, "priority { impact = \"low\" }").impact,
                         rows[i].impact);
        assert_int_equal(decide_with(&c, "priority { affected = {} }").impact, 0);
    }
}

static void anger_speaks_where_nobody_else_did(void **state)
{
    (void)state;
    struct rules_case c;

    rules_case_init(&c);
    c.msg.reply_text = TEXT("This is outrageous. Your answer is ridiculous.");
    struct got g = decide_with(&c, "");
    assert_int_equal(g.urgency, 1);
    assert_int_equal(decide_with(&c, "priority { mood = no }").urgency, 0);
    c.msg.reply_text =
        TEXT("This is outrageous. Your answer is ridiculous. It is not urgent.");
    assert_int_equal(decide_with(&c, "").urgency, 3);
}

static void each_source_leaves_its_reason(void **state)
{
    (void)state;
    struct rules_case c;
    struct tkt_policy *policy = rules_policy("");
    struct tkt_decisions out;

    rules_case_init(&c);
    c.msg.importance = TKT_IMPORTANCE_LOW;
    c.msg.reply_text = TEXT("This is urgent and I am very disappointed.");
    c.facts.affected = 7;
    rules_decide(&c, policy, &out);
    static const struct {
        enum tkt_source source;
        const char *field, *value;
        bool overruled;
    } want[] = {{TKT_SOURCE_HEADER, "urgency", "low", true},
                {TKT_SOURCE_WORDS, "urgency", "high", false},
                {TKT_SOURCE_WORDS, "mood", "negative", false},
                {TKT_SOURCE_AFFECTED, "impact", "high", false},
                {TKT_SOURCE_MATRIX, "priority", "urgent", false}};
    const struct tkt_decision *d = &out.items[0];
    assert_int_equal(d->reason_count, TKT_ARRAY_LEN(want));
    for (size_t i = 0; i < TKT_ARRAY_LEN(want); i++) {
        assert_int_equal(d->reasons[i].source, want[i].source);
        assert_string_equal(d->reasons[i].field, want[i].field);
        assert_string_equal(d->reasons[i].value, want[i].value);
        assert_int_equal(d->reasons[i].overruled, want[i].overruled);
    }
    assert_string_equal(d->reasons[1].words.items[0], "urgent");
    tkt_decisions_release(&out);
    tkt_policy_free(&policy);
}

static void a_wrong_section_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "priority { urgency_high = {\"urgent\", \"high\"} }",
        "priority { urgency_low = {\"urgent\", \"high\", \"whenever\"} }",
        "priority { urgency = \"soon\" }",
        "priority { affected = {\"1\"} }",
        "priority { affected = {\"5\", \"6\", \"7\"} }",
        "priority { vip = 3 }"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(wrong); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        const char *text = rules_policy_error(wrong[i], &err);
        assert_memory_equal(text, "test.conf:1:", 12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_leaves_the_desks_priority),
        cmocka_unit_test(the_matrix_is_itils),
        cmocka_unit_test(a_row_of_the_matrix_can_be_another),
        cmocka_unit_test(words_are_stronger_than_the_header),
        cmocka_unit_test(a_rule_overrules_all),
        cmocka_unit_test(a_vip_counts_only_when_it_is_proved),
        cmocka_unit_test(many_people_raise_the_impact_by_steps),
        cmocka_unit_test(anger_speaks_where_nobody_else_did),
        cmocka_unit_test(each_source_leaves_its_reason),
        cmocka_unit_test(a_wrong_section_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
