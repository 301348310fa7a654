/* SPDX-License-Identifier: BSD-2-Clause
 * Rules where they run: compiled by a zygote, matched by children behind their filter.
 */
#include "base/util.h"
#include "conf/read.h"
#include "parser_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

/* The settings with the rules of a text. */
static struct tkt_conf *with_rules(const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *rules = tkt_conf_load_text("rules.conf", text, strlen(text), &err);
    struct tkt_conf *conf = settings(1);

    if (rules == NULL) {
        fail_msg("%s", err.text);
    }
    conf->source = rules->source;
    conf->rules = rules->rules; /* both live as long as the test */
    conf->rule_count = rules->rule_count;
    conf->extracts = rules->extracts;
    conf->extract_count = rules->extract_count;
    return conf;
}

#define RULES                                                                            \
    "rule \"code\" {\n if_says = {'regex:\\bcode\\W+(?:\\w+\\W+){0,3}broken'}\n"         \
    " if_header = {\"X-Kind: alarm*\"}\n if_size = \"10..500\"\n"                        \
    " set_category = \"codes\"\n}\n"                                                     \
    "rule \"slow\" {\n if_says = {'regex:(\\w+\\s*)+[!?]$'}\n"                           \
    " set_category = \"never\"\n}\n"                                                     \
    "extract \"nr\" {\n pattern = 'nr (?<number>\\d+)'\n}\n"

static void rules_run_behind_the_filter_with_fields_that_stay_there(void **state)
{
    static const char text[] = "From: a@example.org\r\nSubject: hello\r\n"
                               "X-Kind: =?utf-8?q?Alarm?= one\r\n\r\n"
                               "the code is again broken, nr 42\r\n";
    struct tkt_parserpool *pool = start_with(with_rules(RULES));
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    struct tkt_analysis out;

    (void)state;
    analyse(pool, &in, &out);
    assert_int_equal(out.decisions.count, 1);
    const struct tkt_decision *d = &out.decisions.items[0];
    assert_string_equal(d->category, "codes");
    assert_int_equal(d->field_count, 1);
    assert_string_equal(d->fields[0].value, "42");
    assert_int_equal(out.msg.kept_count, 0);
    tkt_analysis_release(&out);
    tkt_parserpool_stop(&pool);
}

static void a_pattern_that_runs_away_is_an_error_of_its_rule(void **state)
{
    char text[6000] = "From: a@example.org\r\nSubject: hello\r\n\r\n";
    struct tkt_parserpool *pool = start_with(with_rules(RULES));
    struct tkt_analysis out;
    bool told = false;

    (void)state;
    while (strlen(text) < 4000) {
        strcat(text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ");
        strcat(text, strlen(text) % 3 == 0 ? "\r\n" : "");
    }
    struct tkt_analyse_in in = in_memory(text, strlen(text));
    analyse(pool, &in, &out);
    const struct tkt_decision *d = &out.decisions.items[0];
    assert_string_equal(d->category, "");
    for (size_t i = 0; i < d->reason_count; i++) {
        told |= d->reasons[i].is_error && strcmp(d->reasons[i].by, "slow") == 0;
    }
    assert_true(told);
    struct tkt_parserpool_stats stats;
    tkt_parserpool_stats(pool, &stats);
    assert_int_equal(stats.rule_errors, 1);
    tkt_analysis_release(&out);
    assert_works(pool);
    tkt_parserpool_stop(&pool);
}

static void a_bad_pattern_leaves_the_old_rules(void **state)
{
    static const char text[] = "From: a@example.org\r\nX-Kind: alarm\r\n\r\n"
                               "code broken\r\n";
    struct tkt_parserpool *pool = start_with(with_rules(RULES));
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    struct tkt_analysis out;

    (void)state;
    struct tkt_conf *bad = with_rules("rule \"x\" {\n\n if_says = {'regex:(a'}\n}\n");
    assert_int_equal(tkt_parserpool_reload(pool, bad, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_non_null(strstr(err.text, "rules.conf:3: rule x: if_says"));
    analyse(pool, &in, &out);
    assert_string_equal(out.decisions.items[0].category, "codes");
    tkt_analysis_release(&out);
    tkt_parserpool_stop(&pool);
}

static void no_memory_of_a_child_can_be_written_and_run(void **state)
{
    struct tkt_parserpool *pool = start_with(with_rules(RULES));
    pid_t zygote;
    pid_t children[CHILDREN_MAX];
    char path[64];
    char line[512];
    size_t lines = 0;

    (void)state;
    assert_works(pool);
    (void)children_of(pool, &zygote, children);
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)zygote);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        char mode[5] = "";
        lines += sscanf(line, "%*x-%*x %4s", mode) == 1;
        if (mode[1] == 'w' && mode[2] == 'x') {
            fail_msg("%s", line);
        }
    }
    (void)fclose(f);
    assert_true(lines > 10);
    tkt_parserpool_stop(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_run_behind_the_filter_with_fields_that_stay_there),
        cmocka_unit_test(a_pattern_that_runs_away_is_an_error_of_its_rule),
        cmocka_unit_test(a_bad_pattern_leaves_the_old_rules),
        cmocka_unit_test(no_memory_of_a_child_can_be_written_and_run),
    };

    find_program();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
