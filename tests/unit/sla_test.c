/* SPDX-License-Identifier: BSD-2-Clause
 * Timers and steps: a year of business hours against a walk by the C library's clock, and
 * histories that are looked at often, seldom, or after long rests.
 */
#include "base/util.h"
#include "decide/sla.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define ZONE "Europe/Berlin"
#define YEAR_FIRST INT64_C(1767225600) /* 2026-01-01 UTC */
#define YEAR_MINUTES (380 * 1440)
#define HOUR INT64_C(3600)
#define MONDAY INT64_C(1772438400) /* 2026-03-02 08:00 UTC, 09:00 in Berlin */
#define ACTIONS_MAX 200

static struct tkt_calendar calendars[1];
static struct tkt_roster roster = {.calendars = calendars};
static char *gold_domains[] = {(char *)"gold.example"};
static struct tkt_sla_step steps[] = {
    {.name = (char *)"soon",
     .of = TKT_SLA_UNTOUCHED,
     .after_s = HOUR / 2,
     .group = (char *)"",
     .channel = (char *)"",
     .assign = true},
    {.name = (char *)"late",
     .of = TKT_SLA_BREACHED,
     .after_s = 0,
     .raise = 1,
     .group = (char *)"",
     .channel = (char *)""},
    {.name = (char *)"later",
     .of = TKT_SLA_BREACHED,
     .after_s = 2 * HOUR,
     .group = (char *)"boss",
     .channel = (char *)""},
    {.name = (char *)"near",
     .of = TKT_SLA_WARNED,
     .after_s = 600,
     .group = (char *)"",
     .channel = (char *)"pager"},
    {.name = (char *)"nobody",
     .of = TKT_SLA_UNASSIGNED,
     .after_s = HOUR,
     .group = (char *)"",
     .channel = (char *)""},
};
static struct tkt_sla_chain chains[] = {{.name = (char *)"chain",
                                         .calendar = (char *)"",
                                         .steps = steps,
                                         .step_count = TKT_ARRAY_LEN(steps)}};
static struct tkt_sla_policy policies[2];
static struct tkt_sla_desk desks[] = {{.name = (char *)"it", .sla = (char *)"silver"}};
static struct tkt_sla_book book;

static int set_up(void **state)
{
    char path[100];
    static char data[TKT_ZONE_FILE_MAX];
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", ZONE);
    calendars[0] = (struct tkt_calendar){.name = (char *)"work"};
    assert_int_equal(tkt_hours_add(&calendars[0].hours, "mon-fri 08:00-17:00"), 0);
    FILE *f = fopen(path, "rb");
    roster.calendar_count = 1;
    if (f == NULL) {
        print_message("SKIP: %s: tzdata is not installed\n", ZONE);
    } else {
        size_t n = fread(data, 1, sizeof(data), f);
        fclose(f);
        calendars[0].zone = tkt_zone_read(data, n, &err);
        assert_non_null(calendars[0].zone);
        setenv("TZ", ZONE, 1);
        tzset();
    }
    policies[0] = (struct tkt_sla_policy){
        .name = (char *)"gold",
        .filter = {.domains = {.items = gold_domains, .count = 1}},
        .calendar = (char *)"",
        .pauses = true,
        .warn = 50};
    policies[1] = (struct tkt_sla_policy){
        .name = (char *)"silver", .calendar = (char *)"work", .pauses = true, .warn = 75};
    for (int p = 1; p <= 5; p++) {
        policies[0].target_s[TKT_SLA_FIRST][p] = HOUR / 4 * p;
        policies[0].target_s[TKT_SLA_RESOLUTION][p] = 2 * HOUR * p;
        policies[1].target_s[TKT_SLA_FIRST][p] = 4 * HOUR;
        policies[1].target_s[TKT_SLA_NEXT][p] = p == 1 ? HOUR : 8 * HOUR;
        policies[1].target_s[TKT_SLA_RESOLUTION][p] = 9 * HOUR * p;
    }
    book = (struct tkt_sla_book){.policies = policies,
                                 .policy_count = 2,
                                 .chains = chains,
                                 .chain_count = 1,
                                 .desks = desks,
                                 .desk_count = 1,
                                 .roster = &roster};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tkt_zone_free(&calendars[0].zone);
    return 0;
}

static struct tkt_sla_facts plain(void)
{
    return (struct tkt_sla_facts){.desk = "it",
                                  .group = "net",
                                  .type = "incident",
                                  .category = "",
                                  .requester = "a@other.example",
                                  .department = "",
                                  .priority = 3,
                                  .has_assignee = true};
}

static struct tkt_sla_ticket begun(int64_t at_s)
{
    struct tkt_sla_ticket t = {0};
    struct tkt_sla_facts facts = plain();

    tkt_sla_apply(&t, &book, TKT_SLA_E_BEGIN, &facts, at_s);
    return t;
}

static void happens(struct tkt_sla_ticket *t, enum tkt_sla_event event, int64_t at_s)
{
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_action a;

    while (tkt_sla_act(t, &book, at_s, &a)) {
    }
    tkt_sla_apply(t, &book, event, &facts, at_s);
}

/* ---- calendars ------------------------------------------------------------------------ */

static int32_t open_before[YEAR_MINUTES + 1]; /* open minutes before that minute */

static void walk(void)
{
    for (int i = 0; i < YEAR_MINUTES; i++) {
        time_t at = (time_t)(YEAR_FIRST + i * INT64_C(60));
        struct tm tm;
        localtime_r(&at, &tm);
        bool open =
            tm.tm_wday >= 1 && tm.tm_wday <= 5 && tm.tm_hour >= 8 && tm.tm_hour < 17;
        open_before[i + 1] = open_before[i] + open;
    }
}

static int64_t walked(int64_t from_s, int64_t to_s)
{
    int64_t from = (from_s - YEAR_FIRST) / 60;
    int64_t to = (to_s - YEAR_FIRST) / 60;

    return (open_before[to] - open_before[from]) * INT64_C(60);
}

/* Begun every 97 minutes of a year. */
static void a_year_of_deadlines_is_right_to_the_minute(void **state)
{
    (void)state;
    if (calendars[0].zone == NULL) {
        skip();
    }
    walk();
    int checked = 0;
    for (int64_t i = 0; i < 365 * 1440; i += 97) {
        int64_t at = YEAR_FIRST + i * 60;
        struct tkt_sla_ticket t = begun(at);
        struct tkt_sla_action a;
        assert_true(tkt_sla_act(&t, &book, INT64_MAX - 1, &a));
        assert_int_equal(a.kind, TKT_SLA_A_WARNING);
        assert_int_equal(walked(at, a.due_s), 3 * HOUR);
        while (a.kind != TKT_SLA_A_BREACH) {
            assert_true(tkt_sla_act(&t, &book, INT64_MAX - 1, &a));
        }
        assert_int_equal(a.timer, TKT_SLA_FIRST);
        assert_int_equal(walked(at, a.due_s), 4 * HOUR);
        assert_true(tkt_calendar_is_open(&calendars[0], a.due_s - 1));
        checked++;
    }
    assert_true(checked > 5000);
}

/* On a calendar that never closes a change of the clock must not be seen, on one by the
 * night shift it must. */
static void a_change_of_the_clock_takes_or_gives_an_hour(void **state)
{
    (void)state;
    if (calendars[0].zone == NULL) {
        skip();
    }
    static const int64_t saturdays[] = {INT64_C(1774724400),  /* 2026-03-28 20:00 CET */
                                        INT64_C(1792864800)}; /* 2026-10-24 20:00 CEST */
    static const int64_t hours[] = {7, 9};
    struct tkt_hours day = calendars[0].hours;
    struct tkt_hours night = {0};

    assert_int_equal(tkt_hours_add(&night, "sat 22:00-24:00"), 0);
    assert_int_equal(tkt_hours_add(&night, "sun 00:00-06:00"), 0);
    calendars[0].hours = night;
    for (size_t i = 0; i < 2; i++) {
        struct tkt_sla_ticket t = begun(saturdays[i]);
        assert_int_equal(tkt_sla_used(&t, &book, TKT_SLA_FIRST, saturdays[i] + 12 * HOUR),
                         hours[i] * HOUR);
    }
    calendars[0].hours = day;
}

/* ---- what counts ---------------------------------------------------------------------- */

static void a_pause_stops_the_time_and_an_answer_ends_it(void **state)
{
    struct tkt_sla_ticket t = begun(MONDAY);

    (void)state;
    assert_string_equal(t.sla, "silver");
    happens(&t, TKT_SLA_E_PAUSE, MONDAY + HOUR);
    assert_int_equal(t.clocks[TKT_SLA_FIRST].state, TKT_SLA_PAUSED);
    happens(&t, TKT_SLA_E_RESUME, MONDAY + 5 * HOUR);
    assert_int_equal(tkt_sla_used(&t, &book, TKT_SLA_FIRST, MONDAY + 6 * HOUR), 2 * HOUR);
    happens(&t, TKT_SLA_E_ANSWER, MONDAY + 6 * HOUR);
    assert_int_equal(t.clocks[TKT_SLA_FIRST].state, TKT_SLA_MET);
    assert_false(t.clocks[TKT_SLA_FIRST].breached);
    assert_int_equal(t.clocks[TKT_SLA_FIRST].used_s, 2 * HOUR);
    assert_int_equal(t.clocks[TKT_SLA_RESOLUTION].state, TKT_SLA_RUNNING);
}

static void questions_before_the_first_answer_begin_no_second_timer(void **state)
{
    struct tkt_sla_ticket t = begun(MONDAY);

    (void)state;
    happens(&t, TKT_SLA_E_ASK, MONDAY + 60);
    assert_int_equal(t.clocks[TKT_SLA_NEXT].state, TKT_SLA_OFF);
    happens(&t, TKT_SLA_E_ANSWER, MONDAY + 120);
    happens(&t, TKT_SLA_E_ASK, MONDAY + 180);
    assert_int_equal(t.clocks[TKT_SLA_NEXT].state, TKT_SLA_RUNNING);
    happens(&t, TKT_SLA_E_ASK, MONDAY + 240); /* the first of them counts */
    assert_int_equal(t.clocks[TKT_SLA_NEXT].since_s, MONDAY + 180);
    assert_int_equal(t.clocks[TKT_SLA_NEXT].round, 1);
    happens(&t, TKT_SLA_E_ANSWER, MONDAY + 300);
    happens(&t, TKT_SLA_E_ASK, MONDAY + 360);
    assert_int_equal(t.clocks[TKT_SLA_NEXT].round, 2);
}

static void a_new_priority_counts_what_was_used(void **state)
{
    struct tkt_sla_ticket t = begun(MONDAY);
    struct tkt_sla_facts facts = plain();

    (void)state;
    happens(&t, TKT_SLA_E_ANSWER, MONDAY + 1);
    happens(&t, TKT_SLA_E_ASK, MONDAY + 60);
    facts.priority = 1;
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + 60 + 2 * HOUR);
    struct tkt_sla_action a;
    assert_true(tkt_sla_act(&t, &book, MONDAY + 60 + 2 * HOUR, &a));
    assert_int_equal(a.timer, TKT_SLA_NEXT);
    /* Late since it is urgent, not since before. */
    assert_int_equal(a.due_s, MONDAY + 60 + 2 * HOUR);
}

static void the_first_section_that_fits_is_chosen_then_the_desks(void **state)
{
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_choice c;

    (void)state;
    facts.requester = "boss@sub.GOLD.example";
    tkt_sla_choose(&book, &facts, &c);
    assert_string_equal(c.policy->name, "gold");
    assert_non_null(strstr(c.why, "domain"));
    facts.requester = "boss@notgold.example";
    tkt_sla_choose(&book, &facts, &c);
    assert_string_equal(c.policy->name, "silver");
    facts.desk = "hr";
    tkt_sla_choose(&book, &facts, &c);
    assert_null(c.policy);
    assert_string_equal(c.why, "no sla fits");
}

static void progress_stops_the_chain_and_a_done_step_stays_done(void **state)
{
    struct tkt_sla_ticket t = {0};
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_action a;
    int done = 0;

    (void)state;
    facts.is_untouched = true;
    tkt_sla_apply(&t, &book, TKT_SLA_E_BEGIN, &facts, MONDAY);
    assert_true(tkt_sla_act(&t, &book, MONDAY + HOUR, &a));
    assert_string_equal(a.step->name, "soon");
    facts.is_untouched = false;
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + HOUR);
    facts.is_untouched = true; /* given to the next by itself */
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + HOUR + 1);
    happens(&t, TKT_SLA_E_PROGRESS, MONDAY + 3 * HOUR + 60); /* warned: "near" waits */
    while (tkt_sla_act(&t, &book, MONDAY + 90 * HOUR, &a)) {
        done += a.kind == TKT_SLA_A_STEP && strcmp(a.step->name, "near") != 0;
        assert_true(a.kind != TKT_SLA_A_STEP || strcmp(a.step->name, "soon") != 0);
    }
    assert_int_equal(done, 2); /* of the breach that came later */
}

/* ---- any history, looked at in any way ------------------------------------------------- */

struct story {
    int64_t at[40];
    enum tkt_sla_event event[40];
    struct tkt_sla_facts facts[40];
    int count;
    int64_t end;
};

struct record {
    struct tkt_sla_action items[ACTIONS_MAX];
    int count;
};

static unsigned seed;
static int roll(int n)
{
    seed = seed * 1103515245u + 12345u;
    return (int)(seed >> 16) % n;
}

static void make_story(struct story *s)
{
    struct tkt_sla_facts now = plain();

    s->count = 3 + roll(30);
    s->at[0] = MONDAY + roll(7 * 86400);
    for (int i = 0; i < s->count; i++) {
        s->event[i] = i == 0 ? TKT_SLA_E_BEGIN : (enum tkt_sla_event)(1 + roll(9));
        if (s->event[i] == TKT_SLA_E_END && roll(4) != 0) {
            s->event[i] = TKT_SLA_E_CHANGE;
        }
        if (s->event[i] == TKT_SLA_E_CHANGE || i == 0) {
            now.priority = 1 + roll(5);
            now.has_assignee = roll(3) != 0;
            now.is_untouched = roll(2) != 0;
            now.is_away = roll(4) == 0;
            now.requester = roll(3) == 0 ? "x@gold.example" : "x@other.example";
            now.desk = roll(8) == 0 ? "hr" : "it";
        }
        s->facts[i] = now;
        if (i > 0) {
            s->at[i] = s->at[i - 1] + (roll(3) == 0 ? roll(30) : roll(40000));
        }
    }
    s->end = s->at[s->count - 1] + roll(30) * 86400;
}

static void act_until(struct tkt_sla_ticket *t, int64_t to_s, struct record *r)
{
    while (r->count < ACTIONS_MAX && tkt_sla_act(t, &book, to_s, &r->items[r->count])) {
        r->count++;
    }
}

/* ticks: somebody looks, at any time between two events, and any number of times. */
static struct tkt_sla_ticket tell(const struct story *s, bool ticks, struct record *r)
{
    struct tkt_sla_ticket t = {0};

    r->count = 0;
    for (int i = 0; i <= s->count; i++) {
        int64_t to = i < s->count ? s->at[i] : s->end;
        int64_t from = i > 0 ? s->at[i - 1] : to;
        for (int k = ticks ? roll(4) : 0; k > 0; k--) {
            from += to > from ? roll((int)TKT_MIN(to - from, 30000)) : 0;
            act_until(&t, from, r);
        }
        act_until(&t, to, r);
        if (i < s->count) {
            tkt_sla_apply(&t, &book, s->event[i], &s->facts[i], s->at[i]);
        }
    }
    return t;
}

static void assert_same(const struct record *a, const struct record *b)
{
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        assert_int_equal(a->items[i].kind, b->items[i].kind);
        assert_int_equal(a->items[i].due_s, b->items[i].due_s);
        assert_int_equal(a->items[i].timer, b->items[i].timer);
        assert_ptr_equal(a->items[i].step, b->items[i].step);
    }
}

/* In order, a step once, a warning and a breach once a round. */
static void assert_monotone(const struct record *r)
{
    for (int i = 0; i < r->count; i++) {
        const struct tkt_sla_action *a = &r->items[i];
        assert_true(i == 0 || a->due_s >= r->items[i - 1].due_s);
        for (int k = 0; k < i; k++) {
            const struct tkt_sla_action *b = &r->items[k];
            bool same = a->kind == b->kind &&
                        (a->kind == TKT_SLA_A_STEP
                             ? a->step == b->step
                             : a->timer == b->timer && a->round == b->round);
            assert_false(same);
        }
    }
}

static void what_is_done_does_not_depend_on_who_looks_when(void **state)
{
    static struct story s;
    static struct record once;
    static struct record often;
    int done = 0;

    (void)state;
    for (unsigned n = 1; n <= 3000; n++) {
        seed = n;
        make_story(&s);
        struct tkt_sla_ticket a = tell(&s, false, &once);
        assert_monotone(&once);
        for (int again = 0; again < 2; again++) {
            struct tkt_sla_ticket b = tell(&s, true, &often);
            assert_same(&once, &often);
            assert_int_equal(a.flags, b.flags);
            assert_int_equal(tkt_sla_next(&a), tkt_sla_next(&b));
            for (int i = 0; i < TKT_SLA_TIMERS; i++) {
                assert_int_equal(a.clocks[i].used_s, b.clocks[i].used_s);
                assert_int_equal(a.clocks[i].state, b.clocks[i].state);
            }
        }
        done += once.count;
    }
    assert_true(done > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_year_of_deadlines_is_right_to_the_minute),
        cmocka_unit_test(a_change_of_the_clock_takes_or_gives_an_hour),
        cmocka_unit_test(a_pause_stops_the_time_and_an_answer_ends_it),
        cmocka_unit_test(questions_before_the_first_answer_begin_no_second_timer),
        cmocka_unit_test(a_new_priority_counts_what_was_used),
        cmocka_unit_test(the_first_section_that_fits_is_chosen_then_the_desks),
        cmocka_unit_test(progress_stops_the_chain_and_a_done_step_stays_done),
        cmocka_unit_test(what_is_done_does_not_depend_on_who_looks_when),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
