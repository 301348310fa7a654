/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "decide/assign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define PEOPLE 7
#define ROUNDS 10000
#define NOW_S INT64_C(1794985560) /* a Wednesday at 07:06 UTC */

/* A group whose store is in memory: what the store does, without it. */
struct desk {
    struct tkt_roster_agent members[PEOPLE];
    struct tkt_roster_group group;
    struct tkt_assign_state states[PEOPLE];
    struct tkt_assign_in in;
    struct tkt_assign_out out;
    int64_t got[PEOPLE];
    int64_t sequence;
};

static char *const addresses[PEOPLE] = {
    (char *)"a@x.test", (char *)"b@x.test", (char *)"c@x.test", (char *)"d@x.test",
    (char *)"e@x.test", (char *)"f@x.test", (char *)"g@x.test"};

static void set_up(struct desk *d, enum tkt_assign_strategy strategy, size_t count)
{
    memset(d, 0, sizeof(*d));
    for (size_t i = 0; i < count; i++) {
        d->members[i] = (struct tkt_roster_agent){.address = addresses[i], .weight = 1};
    }
    d->group = (struct tkt_roster_group){.name = (char *)"net",
                                         .strategy = strategy,
                                         .members = d->members,
                                         .member_count = count};
    d->in =
        (struct tkt_assign_in){.group = &d->group, .states = d->states, .now_s = NOW_S};
}

static int next(struct desk *d)
{
    tkt_assign_choose(&d->in, &d->out);
    int i = d->out.chosen;
    if (i >= 0) {
        d->states[i].open++;
        d->states[i].turn = d->out.turn;
        d->states[i].last = ++d->sequence;
        d->in.clock = d->out.start;
        d->got[i]++;
    }
    return i;
}

static void away(struct desk *d, size_t i, bool is_away)
{
    d->states[i].away_until_s = is_away ? NOW_S + 3600 : 0;
}

static unsigned dice(unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % n;
}

static void round_robin_takes_each_in_turn(void **state)
{
    struct desk d;

    (void)state;
    set_up(&d, TKT_ASSIGN_ROUND_ROBIN, 3);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(next(&d), i % 3);
    }
    assert_string_equal(d.out.why, "round_robin: his turn; 3 of 3 on duty");
}

/* Whenever two are both there, they get the same but for one. */
static void round_robin_is_even_among_those_who_are_there(void **state)
{
    struct desk d;
    int64_t since[PEOPLE][PEOPLE][2] = {{{0}}};
    bool was_away[PEOPLE] = {false};
    unsigned seed = 7;

    (void)state;
    set_up(&d, TKT_ASSIGN_ROUND_ROBIN, PEOPLE);
    for (int n = 0; n < ROUNDS; n++) {
        size_t who = dice(&seed, PEOPLE);
        if (dice(&seed, 10) == 0) {
            was_away[who] = !was_away[who];
            away(&d, who, was_away[who]);
        }
        (void)next(&d); /* nobody, when all are away */
        for (size_t a = 0; a < PEOPLE; a++) {
            for (size_t b = a + 1; b < PEOPLE; b++) {
                int64_t *s = since[a][b];
                if (was_away[a] || was_away[b]) {
                    s[0] = d.got[a];
                    s[1] = d.got[b];
                    continue;
                }
                int64_t diff = (d.got[a] - s[0]) - (d.got[b] - s[1]);
                assert_in_range(diff + 1, 0, 2);
            }
        }
    }
}

static void open_counts_differ_by_one_at_most_over_ten_thousand(void **state)
{
    struct desk d;
    unsigned seed = 11;

    (void)state;
    set_up(&d, TKT_ASSIGN_LEAST_OPEN, PEOPLE);
    for (int n = 0; n < ROUNDS; n++) {
        away(&d, dice(&seed, PEOPLE), n < ROUNDS - 2000 && dice(&seed, 3) == 0);
        for (size_t i = 0; n >= ROUNDS - 2000 && i < PEOPLE; i++) {
            away(&d, i, false); /* in the end all are there */
        }
        int got = next(&d);
        assert_true(got < 0 || d.states[got].away_until_s == 0);
        for (size_t i = 0; got >= 0 && i < PEOPLE; i++) {
            /* never to one who already had more than another who was there */
            assert_true(d.states[i].away_until_s != 0 ||
                        d.states[got].open - 1 <= d.states[i].open);
        }
    }
    int64_t least = INT64_MAX;
    int64_t most = 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        least = TKT_MIN(least, d.states[i].open);
        most = TKT_MAX(most, d.states[i].open);
    }
    assert_in_range(most - least, 0, 1);
}

static void check_shares(enum tkt_assign_strategy strategy)
{
    static const int weights[] = {1, 2, 5};
    struct desk d;

    set_up(&d, strategy, 3);
    for (int i = 0; i < 3; i++) {
        d.members[i].weight = weights[i];
    }
    for (int n = 1; n <= ROUNDS; n++) {
        (void)next(&d);               /* all are there */
        for (int i = 0; i < 3; i++) { /* at no time far from his share */
            double share = (double)n * weights[i] / 8;
            double off = (double)d.got[i] - share;
            assert_true(off < 2.0 && off > -2.0);
        }
    }
    assert_int_equal(d.got[0], 1250);
    assert_int_equal(d.got[1], 2500);
    assert_int_equal(d.got[2], 6250);
}

static void shares_follow_weights(void **state)
{
    (void)state;
    check_shares(TKT_ASSIGN_ROUND_ROBIN);
    check_shares(TKT_ASSIGN_LEAST_OPEN);
}

static void who_comes_back_is_not_flooded(void **state)
{
    struct desk d;

    (void)state;
    set_up(&d, TKT_ASSIGN_ROUND_ROBIN, 3);
    away(&d, 2, true);
    for (int i = 0; i < 1000; i++) {
        assert_int_not_equal(next(&d), 2);
    }
    away(&d, 2, false);
    for (int i = 0; i < 300; i++) {
        (void)next(&d); /* all are there */
    }
    assert_in_range(d.got[2], 100, 101);
}

static void caps_are_never_passed(void **state)
{
    static const enum tkt_assign_strategy all[] = {TKT_ASSIGN_ROUND_ROBIN,
                                                   TKT_ASSIGN_LEAST_OPEN,
                                                   TKT_ASSIGN_SKILLS, TKT_ASSIGN_STICKY};
    unsigned seed = 3;

    (void)state;
    for (size_t s = 0; s < TKT_ARRAY_LEN(all); s++) {
        struct desk d;
        set_up(&d, all[s], PEOPLE);
        d.group.cap = 4;
        d.members[1].cap = 2; /* his own goes before the group's */
        d.members[2].cap = 9;
        d.in.handler = addresses[0];
        for (int n = 0; n < 1000; n++) {
            (void)next(&d); /* nobody, when all are full */
            for (size_t i = 0; i < PEOPLE; i++) {
                assert_true(d.states[i].open <= (i == 1 ? 2 : i == 2 ? 9 : 4));
            }
            size_t who = dice(&seed, PEOPLE);
            d.states[who].open -= d.states[who].open > 0 && dice(&seed, 3) == 0;
        }
        for (size_t i = 0; i < PEOPLE; i++) {
            d.states[i].open = 9;
        }
        assert_int_equal(next(&d), -1);
        assert_string_equal(d.out.why, "nobody of net: 0 off duty, 0 away, 7 at the cap");
        assert_true(d.out.next_s > NOW_S && d.out.next_s <= NOW_S + 3600);
    }
}

static void sticky_goes_to_who_had_him_if_he_is_there(void **state)
{
    struct desk d;

    (void)state;
    set_up(&d, TKT_ASSIGN_STICKY, 3);
    d.in.handler = "C@X.test";
    for (int i = 0; i < 20; i++) {
        assert_int_equal(next(&d), 2);
    }
    assert_string_equal(d.out.why, "sticky: had this requester last; 3 of 3 on duty");
    away(&d, 2, true);
    assert_int_equal(next(&d), 0);
    assert_int_equal(next(&d), 1);
    d.in.handler = "gone@x.test";
    away(&d, 2, false);
    assert_int_not_equal(next(&d), 2); /* has twenty */
}

static void skills_go_before_load(void **state)
{
    char *network[] = {(char *)"network", (char *)"de"};
    char *printing[] = {(char *)"Printing"};
    const char *words[] = {"printing", "incident", "de"};
    struct desk d;

    (void)state;
    set_up(&d, TKT_ASSIGN_SKILLS, 3);
    d.members[1].skills = (struct tkt_strings){printing, 1};
    d.members[2].skills = (struct tkt_strings){network, 2};
    d.in.words = words;
    d.in.word_count = 2;
    assert_int_equal(next(&d), 1);
    assert_int_equal(next(&d), 1);
    assert_string_equal(d.out.why, "skills: 1 of his skills fit, 1 open; 3 of 3 on duty");
    d.in.word_count = 3; /* equal by skills: the load decides */
    assert_int_equal(next(&d), 2);
    d.in.word_count = 0; /* nobody knows: anybody */
    assert_int_equal(next(&d), 0);
}

static void hours_absence_and_their_end_are_seen(void **state)
{
    struct tkt_calendar late = {0};
    struct tkt_calendar early = {0};
    struct tkt_roster_absence vacation = {.first = 20775, .last = 20776}; /* that day */
    struct desk d;

    (void)state;
    assert_int_equal(tkt_hours_add(&late.hours, "mon-fri 08:00-17:00"), 0);
    assert_int_equal(tkt_hours_add(&early.hours, "mon-fri 06:00-15:00"), 0);
    assert_int_equal(tkt_calendar_date(NULL, NOW_S), 20775);
    set_up(&d, TKT_ASSIGN_ROUND_ROBIN, 2);
    d.group.calendar = &late;
    assert_int_equal(next(&d), -1);
    assert_string_equal(d.out.why, "nobody of net: 2 off duty, 0 away, 0 at the cap");
    assert_int_equal(d.out.next_s, 20775 * INT64_C(86400) + 8 * 3600);
    d.members[1].calendar = &early; /* his own goes before the group's */
    assert_int_equal(next(&d), 1);
    d.members[1].absences = &vacation;
    d.members[1].absence_count = 1;
    assert_int_equal(next(&d), -1);
    assert_int_equal(d.out.away, 1);
    d.in.now_s += 2 * 86400;
    assert_int_equal(next(&d), 1);
    d.states[1].away_from_s = d.in.now_s + 1; /* not yet */
    d.states[1].away_until_s = d.in.now_s + 60;
    assert_int_equal(next(&d), 1);
    d.in.now_s++;
    assert_int_equal(next(&d), -1);
    d.in.now_s += 60;
    assert_int_equal(next(&d), 1);
}

static void nobody_is_chosen_twice_in_a_row_when_excepted(void **state)
{
    struct desk d;

    (void)state;
    set_up(&d, TKT_ASSIGN_LEAST_OPEN, 2);
    d.in.except = addresses[0];
    assert_int_equal(next(&d), 1);
    assert_int_equal(next(&d), 1);
    set_up(&d, TKT_ASSIGN_LEAST_OPEN, 0);
    assert_int_equal(next(&d), -1);
    assert_int_equal(d.out.next_s, TKT_CALENDAR_NEVER);
    assert_non_null(strstr(d.out.why, "no members"));
}

/* ---- the group ---------------------------------------------------------------------- */

static char *one(const char *word, char **list)
{
    *list = (char *)(uintptr_t)word;
    return *list;
}

static void the_group_follows_rule_category_department_desk(void **state)
{
    char *categories;
    char *departments;
    struct tkt_roster_group groups[] = {{.name = (char *)"net"}, {.name = (char *)"hr"}};
    struct tkt_roster roster = {.groups = groups, .group_count = 2};
    struct tkt_wire_arena arena = {0};
    struct tkt_reason rule = {.source = TKT_SOURCE_RULE,
                              .by = (char *)"vpn",
                              .field = (char *)"group",
                              .value = (char *)"desk"};

    (void)state;
    one("network", &categories);
    one("Personnel", &departments);
    groups[0].categories = (struct tkt_strings){&categories, 1};
    groups[1].departments = (struct tkt_strings){&departments, 1};
    struct tkt_decision d = {.group = (char *)"desk",
                             .category = (char *)"Network",
                             .subcategory = (char *)""};
    assert_int_equal(tkt_assign_route(&roster, "personnel", &d, &arena), 0);
    assert_string_equal(d.group, "net");
    assert_int_equal(d.reason_count, 1);
    assert_string_equal(d.reasons[0].by, "category");
    d.category = (char *)"other";
    assert_int_equal(tkt_assign_route(&roster, "personnel", &d, &arena), 0);
    assert_string_equal(d.group, "hr");
    assert_int_equal(d.reasons[1].source, TKT_SOURCE_DIRECTORY);
    assert_true(d.reasons[0].overruled && !d.reasons[1].overruled);
    d = (struct tkt_decision){.group = (char *)"desk",
                              .assurance = TKT_ASSURANCE_FAIL,
                              .category = (char *)"other"};
    assert_int_equal(tkt_assign_route(&roster, "personnel", &d, &arena), 0);
    assert_string_equal(d.group, "desk");
    d = (struct tkt_decision){.group = (char *)"desk",
                              .category = (char *)"network",
                              .reasons = &rule,
                              .reason_count = 1};
    assert_int_equal(tkt_assign_route(&roster, "personnel", &d, &arena), 0);
    assert_string_equal(d.group, "desk");
    rule.overruled = true; /* it did not set it after all */
    assert_int_equal(tkt_assign_route(&roster, "", &d, &arena), 0);
    assert_string_equal(d.group, "net");
    assert_int_equal(tkt_assign_route(&roster, "unknown", &d, &arena), 0);
    assert_string_equal(d.group, "net");
    tkt_wire_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_robin_takes_each_in_turn),
        cmocka_unit_test(round_robin_is_even_among_those_who_are_there),
        cmocka_unit_test(open_counts_differ_by_one_at_most_over_ten_thousand),
        cmocka_unit_test(shares_follow_weights),
        cmocka_unit_test(who_comes_back_is_not_flooded),
        cmocka_unit_test(caps_are_never_passed),
        cmocka_unit_test(sticky_goes_to_who_had_him_if_he_is_there),
        cmocka_unit_test(skills_go_before_load),
        cmocka_unit_test(hours_absence_and_their_end_are_seen),
        cmocka_unit_test(nobody_is_chosen_twice_in_a_row_when_excepted),
        cmocka_unit_test(the_group_follows_rule_category_department_desk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
