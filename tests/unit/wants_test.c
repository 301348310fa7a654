/* SPDX-License-Identifier: BSD-2-Clause
 * What a script asked for, over what was decided; how often it may ask.
 */
#include "base/util.h"
#include "ticketd/core/rate.h"
#include "ticketd/facts/wants.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

#define HOUR_MS INT64_C(3600000)

static const char *asked_tags[] = {"gate", "b"};
static const char *asked_fields[] = {"site=hq", "x=\"\xc3\xbc\\"};
static const struct tkt_wire_wants asked = {.desk = "it",
                                            .group = "net",
                                            .category = "vpn",
                                            .requester = "eve@x",
                                            .summary = "From \"the\" gate",
                                            .priority = 2,
                                            .tags = asked_tags,
                                            .tag_count = 2,
                                            .fields = asked_fields,
                                            .field_count = 2};

static int arena_release(void **state)
{
    struct tkt_wire_request req = {.arena = *(struct tkt_wire_arena *)*state};

    tkt_wire_request_release(&req);
    return 0;
}

static int arena_make(void **state)
{
    static struct tkt_wire_arena arena;

    memset(&arena, 0, sizeof(arena));
    *state = &arena;
    return 0;
}

static void wishes_go_before_decisions_and_the_rest_stays(void **state)
{
    char *tags[] = {(char *)"own"};
    struct tkt_decision d = {.group = (char *)"decided",
                             .category = (char *)"decided",
                             .subcategory = (char *)"decided",
                             .assignee = (char *)"decided",
                             .priority = 3,
                             .tags = {tags, 1}};
    const struct tkt_decision *over = tkt_wants_over(&asked, &d, *state);

    assert_ptr_not_equal(over, &d);
    assert_string_equal(over->group, "net");
    assert_string_equal(over->category, "vpn");
    assert_string_equal(over->subcategory, "decided");
    assert_string_equal(over->assignee, "decided");
    assert_int_equal(over->priority, 2);
    assert_int_equal(over->tags.count, 3);
    assert_string_equal(over->tags.items[0], "gate");
    assert_string_equal(over->tags.items[2], "own");
    assert_string_equal(d.group, "decided");
}

static void tags_never_pass_the_limit_of_a_decision(void **state)
{
    char *tags[TKT_DECISION_TAGS_MAX];
    struct tkt_decision d = {.tags = {tags, TKT_DECISION_TAGS_MAX}};

    for (size_t i = 0; i < TKT_DECISION_TAGS_MAX; i++) {
        tags[i] = (char *)"own";
    }
    const struct tkt_decision *over = tkt_wants_over(&asked, &d, *state);

    assert_int_equal(over->tags.count, TKT_DECISION_TAGS_MAX);
    assert_string_equal(over->tags.items[0], "gate");
}

static void without_wishes_the_decision_is_the_same(void **state)
{
    const struct tkt_wire_wants none = {.desk = "", .default_desk = "it"};
    struct tkt_decision d = {.priority = 3};

    assert_false(tkt_wants_any(&none));
    assert_ptr_equal(tkt_wants_over(&none, &d, *state), &d);
    assert_null(tkt_wants_over(&asked, NULL, *state));
}

static void what_is_written_is_read_again(void **state)
{
    TKT_AUTO_BUF struct tkt_buf json = TKT_BUF_INIT(1 << 16);
    struct tkt_wire_wants again;
    cJSON *tree;

    tkt_wants_write(&asked, &json);
    tree = cJSON_Parse(tkt_buf_str(&json));
    assert_non_null(tree);
    tkt_wants_read(tree, *state, &again);
    cJSON_Delete(tree);
    assert_string_equal(again.desk, "it");
    assert_string_equal(again.group, "net");
    assert_string_equal(again.summary, asked.summary);
    assert_string_equal(again.assignee, "");
    assert_int_equal(again.priority, 2);
    assert_int_equal(again.tag_count, 2);
    assert_string_equal(again.tags[1], "b");
    assert_int_equal(again.field_count, 2);
    assert_string_equal(again.fields[1], asked_fields[1]);
}

static void any_json_is_read_as_wishes_within_their_limits(void **state)
{
    static const char *const odd[] = {
        "{}",
        "[]",
        "null",
        "7",
        "{\"priority\":6,\"tags\":{},\"desk\":[]}",
        "{\"priority\":-1,\"tags\":[1,null,\"t\"],\"fields\":\"x\"}"};
    struct tkt_wire_wants w;
    char many[400] = "{\"tags\":[\"0\"";

    for (size_t i = 0; i < TKT_ARRAY_LEN(odd); i++) {
        cJSON *tree = cJSON_Parse(odd[i]);

        tkt_wants_read(tree, *state, &w);
        cJSON_Delete(tree);
        assert_int_equal(w.priority, 0);
        assert_string_equal(w.desk, "");
        assert_true(w.tag_count <= 1);
    }
    tkt_wants_read(NULL, *state, &w);
    assert_false(tkt_wants_any(&w));
    for (size_t i = 0; i < 2 * TKT_WIRE_WANTS_MAX; i++) {
        strcat(many, ",\"1\"");
    }
    strcat(many, "]}");
    cJSON *tree = cJSON_Parse(many);

    assert_non_null(tree);
    tkt_wants_read(tree, *state, &w);
    cJSON_Delete(tree);
    assert_int_equal(w.tag_count, TKT_WIRE_WANTS_MAX);
}

/* ---- rate -------------------------------------------------------------------------------- */

static unsigned taken(struct tkt_rate *rate, const char *name, unsigned per_hour,
                      unsigned tries, int64_t now_ms)
{
    unsigned n = 0;

    for (unsigned i = 0; i < tries; i++) {
        n += tkt_rate_take(rate, name, per_hour, now_ms);
    }
    return n;
}

static void an_hour_allows_so_many_and_fills_again(void **state)
{
    (void)state;
    struct tkt_rate *rate = calloc(1, sizeof(*rate));

    assert_non_null(rate);
    tkt_rate_init(rate);
    memset(rate->key, 0, sizeof(rate->key)); /* Ann and Bob share no bucket by chance */
    assert_int_equal(taken(rate, "Ann@x", 6, 10, 1000), 6);
    assert_int_equal(taken(rate, "ann@X", 6, 10, 1000), 0);
    assert_int_equal(taken(rate, "bob@x", 6, 10, 1000), 6);
    assert_int_equal(taken(rate, "ann@x", 6, 10, 1000 + HOUR_MS / 6 + 1), 1);
    assert_int_equal(taken(rate, "ann@x", 6, 10, 1000 + 9 * HOUR_MS), 6);
    tkt_rate_destroy(rate);
    free(rate);
}

static void none_an_hour_is_none_and_a_clock_that_jumps_back_gives_none(void **state)
{
    (void)state;
    struct tkt_rate *rate = calloc(1, sizeof(*rate));

    assert_non_null(rate);
    tkt_rate_init(rate);
    assert_int_equal(taken(rate, "a", 0, 3, 1000), 0);
    assert_int_equal(taken(rate, "b", 2, 3, 5000), 2);
    assert_int_equal(taken(rate, "b", 2, 3, 1000), 0);
    assert_int_equal(taken(rate, "b", 1, 3, 1000 + 5 * HOUR_MS), 1);
    tkt_rate_destroy(rate);
    free(rate);
}

static void a_scripts_fields_become_fields_and_are_missing_no_more(void **state)
{
    static const char *fields[] = {"Asset-Tag=LT 9", "site=hq", "=x",         "nothing",
                                   "empty=",         "9x=1",    "u\xc3\xbc=1"};
    static struct tkt_field own[] = {{(char *)"site", (char *)"old"},
                                     {(char *)"phone", (char *)"555"}};
    static char *missing[] = {(char *)"asset_tag", (char *)"order"};
    const struct tkt_wire_wants wants = {.fields = fields,
                                         .field_count = TKT_ARRAY_LEN(fields)};
    struct tkt_decision d = {.fields = own, .field_count = 2, .missing = {missing, 2}};
    const struct tkt_decision *over = tkt_wants_over(&wants, &d, *state);

    assert_int_equal(over->field_count, 3);
    assert_string_equal(over->fields[0].name, "asset_tag");
    assert_string_equal(over->fields[0].value, "LT 9");
    assert_string_equal(over->fields[1].name, "site");
    assert_string_equal(over->fields[1].value, "hq");
    assert_string_equal(over->fields[2].name, "phone");
    assert_int_equal(over->missing.count, 1);
    assert_string_equal(over->missing.items[0], "order");
    assert_int_equal(d.field_count, 2);
    assert_int_equal(d.missing.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_scripts_fields_become_fields_and_are_missing_no_more, arena_make,
            arena_release),
        cmocka_unit_test_setup_teardown(wishes_go_before_decisions_and_the_rest_stays,
                                        arena_make, arena_release),
        cmocka_unit_test_setup_teardown(tags_never_pass_the_limit_of_a_decision,
                                        arena_make, arena_release),
        cmocka_unit_test_setup_teardown(without_wishes_the_decision_is_the_same,
                                        arena_make, arena_release),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, arena_make,
                                        arena_release),
        cmocka_unit_test_setup_teardown(any_json_is_read_as_wishes_within_their_limits,
                                        arena_make, arena_release),
        cmocka_unit_test(an_hour_allows_so_many_and_fills_again),
        cmocka_unit_test(none_an_hour_is_none_and_a_clock_that_jumps_back_gives_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
