/* SPDX-License-Identifier: BSD-2-Clause
 * common/decide/correlate: which alarm a mail is one of.
 */
#include "base/network.h"
#include "base/util.h"
#include "decide/correlate.h"
#include "decide/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

struct key {
    const char *name;
    const char *value;
};

struct fixture {
    struct tkt_buf bytes;
    struct tkt_sections sections;
    struct tkt_policy policy;
    struct tkt_err err;
};

/* One section; its keys with one value each, up to one without a name. */
static int compile(struct fixture *f, const struct key *keys)
{
    memset(f, 0, sizeof(*f));
    tkt_buf_init(&f->bytes, 65536);
    assert_int_equal(0, tkt_sections_begin(&f->bytes));
    assert_int_equal(0, tkt_sections_add(&f->bytes, "correlate", "icinga", "x.conf", 7));
    for (; keys->name != NULL; keys++) {
        assert_int_equal(0,
                         tkt_sections_add_key(&f->bytes, keys->name, 8, &keys->value, 1));
    }
    assert_int_equal(0, tkt_sections_end(&f->bytes));
    assert_int_equal(
        0, tkt_sections_decode(f->bytes.data, f->bytes.len, &f->sections, &f->err));
    return tkt_correlates_compile(&f->sections, &f->policy.correlates, &f->err);
}

static void release(struct fixture *f)
{
    tkt_correlates_free(&f->policy.correlates);
    tkt_sections_release(&f->sections);
    tkt_buf_release(&f->bytes);
}

struct answer {
    char key[TKT_CORRELATE_KEY_MAX + 1];
    char by[64];
    bool recovers;
    bool is_error;
};

static struct answer ask(struct fixture *f, const char *from, const char *subject,
                         const char *text)
{
    struct tkt_message msg = {.subject = (char *)subject,
                              .from = {.name = (char *)"", .address = (char *)from},
                              .text = (char *)text};
    struct tkt_desk_facts desk = {.name = (char *)"it"};
    struct tkt_facts facts = {.desks = &desk, .desk_count = 1};
    const struct tkt_question q = {
        .msg = &msg, .facts = &facts, .by = &f->policy, .desk = &desk};
    struct tkt_decision d = {.correlate = (char *)"", .correlate_by = (char *)""};
    struct tkt_wire_arena arena = {0};
    struct answer a = {.is_error = false};

    assert_int_equal(0, tkt_correlate_step(&q, &d, &arena));
    snprintf(a.key, sizeof(a.key), "%s", d.correlate);
    snprintf(a.by, sizeof(a.by), "%s", d.correlate_by);
    a.recovers = d.recovers;
    a.is_error = d.reason_count > 0 && d.reasons[0].is_error;
    tkt_wire_arena_release(&arena);
    return a;
}

static void groups_of_all_patterns_make_the_key(void **state)
{
    static const struct key keys[] = {{"key", "(?:PROBLEM|RECOVERY) .* for +(\\S+)"},
                                      {NULL, NULL}};
    struct fixture f;

    (void)state;
    assert_int_equal(0, compile(&f, keys));
    struct answer a = ask(&f, "m@example.org", "RECOVERY disk for  DB-1", "");
    assert_string_equal("icinga|db-1", a.key);
    assert_string_equal("icinga", a.by);
    assert_false(a.recovers);
    assert_string_equal("", ask(&f, "m@example.org", "Printer on fire", "").key);
    release(&f);
}

static void a_group_that_caught_nothing_has_its_place(void **state)
{
    static const struct key keys[] = {{"key", "^(?:a(\\d+)|b(\\d+))"}, {NULL, NULL}};
    struct fixture f;

    (void)state;
    assert_int_equal(0, compile(&f, keys));
    assert_string_equal("icinga|1|", ask(&f, "m@example.org", "a1", "").key);
    assert_string_equal("icinga||1", ask(&f, "m@example.org", "b1", "").key);
    release(&f);
}

static void conditions_keep_other_mail_out(void **state)
{
    static const struct key keys[] = {{"key", "text:^Host: (.+)$"},
                                      {"recovery", "\\bOK\\b"},
                                      {"if_domain", "example.org"},
                                      {"if_sender", "nagios@*"},
                                      {"if_desk", "it"},
                                      {"if_class", "human"},
                                      {NULL, NULL}};
    static const struct {
        const char *from;
        bool joins;
    } rows[] = {{"nagios@example.org", true},
                {"Nagios@mon.EXAMPLE.org", true},
                {"nagios@badexample.org", false},
                {"anna@example.org", false},
                {"nagios", false},
                {"", false}};
    struct fixture f;

    (void)state;
    assert_int_equal(0, compile(&f, keys));
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct answer a = ask(&f, rows[i].from, "disk OK", "Hello\nHost: db 1\nBye\n");
        assert_string_equal(rows[i].joins ? "icinga|db 1" : "", a.key);
        assert_int_equal(rows[i].joins, a.recovers);
    }
    release(&f);
}

static void a_key_has_one_line_and_no_controls(void **state)
{
    static const struct key keys[] = {{"key", "text:(?s)^(.*)$"}, {NULL, NULL}};
    struct fixture f;

    (void)state;
    assert_int_equal(0, compile(&f, keys));
    assert_string_equal("icinga|a b c",
                        ask(&f, "m@example.org", "", "A\r\n\tB \x01\x7f C\n").key);
    release(&f);
}

static void long_keys_that_begin_alike_stay_two(void **state)
{
    static const struct key keys[] = {{"key", "text:(?s)(.*)"}, {NULL, NULL}};
    struct fixture f;
    char text[4096];

    (void)state;
    assert_int_equal(0, compile(&f, keys));
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct answer a = ask(&f, "m@example.org", "", text);
    text[sizeof(text) - 2] = 'y';
    struct answer b = ask(&f, "m@example.org", "", text);
    assert_true(strlen(a.key) <= TKT_CORRELATE_KEY_MAX);
    assert_string_not_equal(a.key, b.key);
    assert_memory_equal(a.key, b.key, 400);
    release(&f);
}

static void a_pattern_that_explodes_is_an_error_of_its_section(void **state)
{
    static const struct key keys[] = {{"key", "^(([a-z])+.)+[A-Z]([a-z])+$"},
                                      {NULL, NULL}};
    struct fixture f;

    (void)state;
    assert_int_equal(0, compile(&f, keys));
    struct answer a = ask(&f, "m@example.org",
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1", "");
    assert_string_equal("", a.key);
    assert_true(a.is_error);
    release(&f);
}

/* Few steps from each place of the text, and many places. */
static void a_slow_pattern_is_an_error_of_its_section(void **state)
{
    static const struct key keys[] = {{"key", "text:(?:a|aa)+!"}, {NULL, NULL}};
    static char text[TKT_CORRELATE_TEXT_MAX];
    struct fixture f;

    (void)state;
    assert_int_equal(0, compile(&f, keys));
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        text[i] = i % 20 == 19 ? ' ' : 'a';
    }
    text[sizeof(text) - 2] = '!';
    text[sizeof(text) - 3] = ' ';
    clock_t start = clock();
    tkt_correlates_begin(f.policy.correlates);
    struct answer a = ask(&f, "m@example.org", "", text);
    assert_string_equal("", a.key);
    assert_true(a.is_error);
    assert_true(clock() - start < CLOCKS_PER_SEC);
    release(&f);
}

static void broken_sections_name_their_line(void **state)
{
    static const struct key broken[][3] = {
        {{"key", "(unclosed"}, {NULL, NULL}},
        {{"key", "a\\Cb"}, {NULL, NULL}},
        {{"key", "()()()()()()()()()()()()()()()()()"}, {NULL, NULL}},
        {{"key", "fine"}, {"recovery", "[z-a]"}, {NULL, NULL}},
        {{"recovery", "x"}, {NULL, NULL}},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(broken); i++) {
        struct fixture f;
        assert_int_equal(-1, compile(&f, broken[i]));
        assert_int_equal(TKT_ERR_CONF, f.err.class);
        assert_non_null(strstr(f.err.text, "x.conf:"));
        release(&f);
    }
}

static void networks_have_their_addresses(void **state)
{
    static const struct {
        const char *network;
        const char *address;
        bool has;
    } rows[] = {{"192.0.2.0/24", "192.0.2.255", true},
                {"192.0.2.0/24", "192.0.3.0", false},
                {"192.0.2.1", "192.0.2.1", true},
                {"0.0.0.0/0", "203.0.113.9", true},
                {"0.0.0.0/0", "::1", false},
                {"2001:db8::/33", "2001:db8:7fff::1", true},
                {"2001:db8::/33", "2001:db8:8000::1", false},
                {"10.0.0.0/8", "::ffff:10.1.2.3", true},
                {"::1/128", "IPv6:::1", true},
                {"127.0.0.0/8", "unix:/x", false},
                {"127.0.0.0/8", "", false}};
    static const char *const broken[] = {"",          "/8",          "10.0.0.0/33",
                                         "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8",
                                         "::/129",    "host",        "10.0.0.0/8x"};
    struct tkt_network n;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        assert_true(tkt_network_parse(rows[i].network, &n));
        assert_int_equal(rows[i].has, tkt_network_has(&n, rows[i].address));
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(broken); i++) {
        assert_false(tkt_network_parse(broken[i], &n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_all_patterns_make_the_key),
        cmocka_unit_test(a_group_that_caught_nothing_has_its_place),
        cmocka_unit_test(conditions_keep_other_mail_out),
        cmocka_unit_test(a_key_has_one_line_and_no_controls),
        cmocka_unit_test(long_keys_that_begin_alike_stay_two),
        cmocka_unit_test(a_pattern_that_explodes_is_an_error_of_its_section),
        cmocka_unit_test(a_slow_pattern_is_an_error_of_its_section),
        cmocka_unit_test(broken_sections_name_their_line),
        cmocka_unit_test(networks_have_their_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
