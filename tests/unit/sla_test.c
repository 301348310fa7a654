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
static struct tkt_sla_step first_steps[] = {
    {.name = (char *)"b-first",
     .of = TKT_SLA_CREATED,
     .after_s = 5 * HOUR,
     .group = (char *)"",
     .channel = (char *)""},
    {.name = (char *)"a-second",
     .of = TKT_SLA_CREATED,
     .after_s = 5 * HOUR,
     .group = (char *)"",
     .channel = (char *)""},
};
static char *hr_desks[] = {(char *)"hr"};
static struct tkt_sla_chain chains[] = {{.name = (char *)"of-hr",
                                         .calendar = (char *)"",
                                         .filter = {.desks = {hr_desks, 1}},
                                         .steps = first_steps,
                                         .step_count = TKT_ARRAY_LEN(first_steps)},
                                        {.name = (char *)"chain",
                                         .calendar = (char *)"",
                                         .steps = steps,
                                         .step_count = TKT_ARRAY_LEN(steps)}};
static char *acme[] = {(char *)"ACME*"};
static struct tkt_sla_policy policies[3];
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
    policies[2] = (struct tkt_sla_policy){.name = (char *)"bought",
                                          .filter = {.companies = {acme, 1}},
                                          .calendar = (char *)"",
                                          .pauses = true,
                                          .warn = 75};
    for (size_t i = 0; i < TKT_ARRAY_LEN(steps); i++) {
        steps[i].pauses = true;
    }
    first_steps[0].pauses = first_steps[1].pauses = true;
    for (int p = 1; p <= 5; p++) {
        policies[2].target_s[TKT_SLA_FIRST][p] = 2 * HOUR;
        policies[0].target_s[TKT_SLA_FIRST][p] = HOUR / 4 * p;
        policies[0].target_s[TKT_SLA_RESOLUTION][p] = 2 * HOUR * p;
        policies[1].target_s[TKT_SLA_FIRST][p] = 4 * HOUR;
        policies[1].target_s[TKT_SLA_NEXT][p] = p == 1 ? HOUR : 8 * HOUR;
        policies[1].target_s[TKT_SLA_RESOLUTION][p] = 9 * HOUR * p;
    }
    book = (struct tkt_sla_book){.policies = policies,
                                 .policy_count = 3,
                                 .chains = chains,
                                 .chain_count = 2,
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
                                  .company = "",
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
    const struct tkt_sla_had had = {"", ""};
    struct tkt_sla_choice c;

    (void)state;
    facts.requester = "boss@sub.GOLD.example";
    tkt_sla_choose(&book, &facts, &had, &c);
    assert_string_equal(c.policy->name, "gold");
    assert_non_null(strstr(c.why, "domain"));
    facts.requester = "boss@notgold.example";
    tkt_sla_choose(&book, &facts, &had, &c);
    assert_string_equal(c.policy->name, "silver");
    facts.desk = "hr";
    tkt_sla_choose(&book, &facts, &had, &c);
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

/* ---- by what the directory says ------------------------------------------------------- */

static void a_customer_is_whom_the_directory_names(void **state)
{
    const struct tkt_sla_had had = {"", ""};
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_choice c;

    (void)state;
    facts.company = "Acme 4711";
    tkt_sla_choose(&book, &facts, &had, &c);
    assert_string_equal(c.policy->name, "bought");
    assert_string_equal(c.why, "sla bought: company Acme 4711");
    facts.company = "The Acme";
    tkt_sla_choose(&book, &facts, &had, &c);
    assert_string_equal(c.policy->name, "silver");
}

/* It was silver for an hour: that hour counts. */
static void what_the_directory_says_late_keeps_the_time_that_ran(void **state)
{
    struct tkt_sla_ticket t = begun(MONDAY);
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_action a;

    (void)state;
    assert_string_equal(t.sla, "silver");
    facts.company = "ACME";
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + HOUR);
    assert_string_equal(t.sla, "bought");
    assert_int_equal(tkt_sla_used(&t, &book, TKT_SLA_FIRST, MONDAY + HOUR), HOUR);
    assert_int_equal(tkt_sla_deadline(&t, &book, TKT_SLA_FIRST), MONDAY + 2 * HOUR);
    assert_true(tkt_sla_act(&t, &book, MONDAY + 2 * HOUR, &a));
    assert_int_equal(a.kind, TKT_SLA_A_WARNING);
    assert_int_equal(a.due_s, MONDAY + HOUR + HOUR / 2);
}

/* A directory that is not heard makes nobody another. */
static void a_silent_directory_changes_nothing(void **state)
{
    struct tkt_sla_ticket t = begun(MONDAY);
    struct tkt_sla_facts facts = plain();

    (void)state;
    facts.company = "ACME";
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + 60);
    facts.company = "";
    facts.is_unasked = true;
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + 120);
    assert_string_equal(t.sla, "bought");
    facts.desk = "hr"; /* what does not depend on it does change */
    facts.is_unasked = false;
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + 180);
    assert_string_equal(t.sla, "");
}

/* ---- steps and time that does not count ------------------------------------------------ */

static const struct tkt_sla_wait *wait_of(const struct tkt_sla_ticket *t,
                                          const char *name)
{
    for (size_t i = 0; i < t->wait_count; i++) {
        if (strcmp(t->waits[i].name, name) == 0) {
            return &t->waits[i];
        }
    }
    fail_msg("no step %s", name);
    return NULL;
}

static void a_step_waits_while_the_ticket_is_pending(void **state)
{
    struct tkt_sla_ticket t = {0};
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_action a;

    (void)state;
    facts.is_untouched = true;
    facts.has_assignee = false;
    tkt_sla_apply(&t, &book, TKT_SLA_E_BEGIN, &facts, MONDAY);
    steps[4].pauses = false;
    tkt_sla_apply(&t, &book, TKT_SLA_E_PAUSE, &facts, MONDAY + 600);
    assert_int_equal(wait_of(&t, "soon")->state, TKT_SLA_PAUSED);
    assert_int_equal(wait_of(&t, "soon")->left_s, HOUR / 2 - 600);
    assert_true(tkt_sla_act(&t, &book, MONDAY + 3 * HOUR, &a));
    assert_string_equal(a.step->name, "nobody"); /* that one was told to go on */
    assert_int_equal(a.due_s, MONDAY + HOUR);
    assert_false(tkt_sla_act(&t, &book, MONDAY + 3 * HOUR, &a));
    tkt_sla_apply(&t, &book, TKT_SLA_E_RESUME, &facts, MONDAY + 3 * HOUR);
    assert_true(tkt_sla_act(&t, &book, MONDAY + 4 * HOUR, &a));
    assert_string_equal(a.step->name, "soon");
    assert_int_equal(a.due_s, MONDAY + 3 * HOUR + HOUR / 2 - 600);
    steps[4].pauses = true;
}

/* "after" 0 needs no time: there is none that could stand still. */
static void what_is_due_at_once_waits_for_nobody(void **state)
{
    struct tkt_sla_ticket t = {0};
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_action a;
    int late = 0;

    (void)state;
    policies[1].pauses = false; /* it breaches while it is pending */
    tkt_sla_apply(&t, &book, TKT_SLA_E_BEGIN, &facts, MONDAY);
    tkt_sla_apply(&t, &book, TKT_SLA_E_PAUSE, &facts, MONDAY + 60);
    while (tkt_sla_act(&t, &book, MONDAY + 8 * HOUR, &a)) {
        assert_true(a.kind != TKT_SLA_A_STEP || strcmp(a.step->name, "late") == 0);
        late += a.kind == TKT_SLA_A_STEP;
    }
    assert_int_equal(late, 1);
    assert_int_equal(wait_of(&t, "later")->state, TKT_SLA_PAUSED);
    assert_int_equal(wait_of(&t, "later")->left_s, 2 * HOUR);
    happens(&t, TKT_SLA_E_PROGRESS, MONDAY + 8 * HOUR); /* stops them as ever */
    assert_int_equal(wait_of(&t, "later")->state, TKT_SLA_STOPPED);
    happens(&t, TKT_SLA_E_RESUME, MONDAY + 8 * HOUR);
    assert_int_equal(wait_of(&t, "later")->state, TKT_SLA_STOPPED);
    policies[1].pauses = true;
}

static void steps_of_one_time_come_in_the_order_of_the_file(void **state)
{
    struct tkt_sla_ticket t = {0};
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_action a;

    (void)state;
    facts.desk = "hr";
    tkt_sla_apply(&t, &book, TKT_SLA_E_BEGIN, &facts, MONDAY);
    struct tkt_sla_wait other = t.waits[0]; /* as a store may give them back */
    t.waits[0] = t.waits[1];
    t.waits[1] = other;
    assert_true(tkt_sla_act(&t, &book, MONDAY + 5 * HOUR, &a));
    assert_string_equal(a.step->name, "b-first");
    assert_true(tkt_sla_act(&t, &book, MONDAY + 5 * HOUR, &a));
    assert_string_equal(a.step->name, "a-second");
}

static void a_chain_that_comes_late_counts_what_was_used_but_not_the_pause(void **state)
{
    struct tkt_sla_ticket t = {0};
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_action a;

    (void)state;
    facts.is_untouched = true;
    tkt_sla_apply(&t, &book, TKT_SLA_E_BEGIN, &facts, MONDAY);
    tkt_sla_apply(&t, &book, TKT_SLA_E_PAUSE, &facts, MONDAY + 600);
    tkt_sla_apply(&t, &book, TKT_SLA_E_RESUME, &facts, MONDAY + 600 + 24 * HOUR);
    facts.desk = "hr"; /* day and night */
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + 1200 + 24 * HOUR);
    assert_string_equal(t.chain, "of-hr");
    assert_true(tkt_sla_act(&t, &book, MONDAY + 90 * HOUR, &a));
    assert_int_equal(a.due_s, MONDAY + 29 * HOUR);
}

static void a_reopened_ticket_that_nobody_has_waits_anew(void **state)
{
    struct tkt_sla_ticket t = {0};
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_action a;

    (void)state;
    facts.has_assignee = false;
    tkt_sla_apply(&t, &book, TKT_SLA_E_BEGIN, &facts, MONDAY);
    tkt_sla_apply(&t, &book, TKT_SLA_E_RESOLVE, &facts, MONDAY + 600);
    assert_int_equal(wait_of(&t, "nobody")->state, TKT_SLA_STOPPED);
    tkt_sla_apply(&t, &book, TKT_SLA_E_REOPEN, &facts, MONDAY + 1200);
    assert_true(tkt_sla_act(&t, &book, MONDAY + 1200 + HOUR, &a));
    assert_string_equal(a.step->name, "nobody");
    assert_int_equal(a.due_s, MONDAY + 1200 + HOUR);
}

/* ---- a clock that is set -------------------------------------------------------------- */

/* Twelve years ahead, a ticket comes in, and back. */
static void what_began_in_a_future_that_did_not_come_begins_now(void **state)
{
    const int64_t wrong = MONDAY + 12 * 365 * 24 * HOUR;
    struct tkt_sla_facts facts = plain();
    struct tkt_sla_ticket t = {0};

    (void)state;
    facts.is_untouched = true;
    facts.requester = "x@gold.example";
    tkt_sla_apply(&t, &book, TKT_SLA_E_BEGIN, &facts, wrong);
    tkt_sla_apply(&t, &book, TKT_SLA_E_BACK, &facts, MONDAY);
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY);
    assert_int_equal(t.started_s, MONDAY);
    assert_int_equal(tkt_sla_deadline(&t, &book, TKT_SLA_FIRST), MONDAY + 3 * HOUR / 4);
    assert_int_equal(wait_of(&t, "soon")->due_s, MONDAY + HOUR / 2);
    assert_int_equal(tkt_sla_used(&t, &book, TKT_SLA_FIRST, MONDAY + 60), 60);
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

/* A step once, a warning and a breach once a round. */
static void assert_each_once(const struct record *r)
{
    for (int i = 0; i < r->count; i++) {
        const struct tkt_sla_action *a = &r->items[i];
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

static void assert_monotone(const struct record *r)
{
    for (int i = 1; i < r->count; i++) {
        assert_true(r->items[i].due_s >= r->items[i - 1].due_s);
    }
    assert_each_once(r);
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

static void a_jump_ahead_and_back_does_nothing_twice(void **state)
{
    static struct record r;
    struct tkt_sla_ticket t = begun(MONDAY);
    struct tkt_sla_facts facts = plain();

    (void)state;
    happens(&t, TKT_SLA_E_CHANGE, MONDAY + 600);
    int64_t next_s = tkt_sla_next(&t);
    tkt_sla_apply(&t, &book, TKT_SLA_E_BACK, &facts, MONDAY + 600); /* nothing is ahead */
    assert_int_equal(tkt_sla_next(&t), next_s);
    r.count = 0;
    act_until(&t, MONDAY + 5 * HOUR, &r); /* the clock is ahead */
    assert_true(t.clocks[TKT_SLA_FIRST].breached);
    tkt_sla_apply(&t, &book, TKT_SLA_E_BACK, &facts, MONDAY + 700);
    tkt_sla_apply(&t, &book, TKT_SLA_E_CHANGE, &facts, MONDAY + 700);
    assert_false(t.clocks[TKT_SLA_RESOLUTION].breached);
    act_until(&t, MONDAY + 500 * HOUR, &r); /* what is left comes */
    assert_true(t.clocks[TKT_SLA_RESOLUTION].breached);
    assert_each_once(&r);
    int before = r.count;
    act_until(&t, MONDAY + 900 * HOUR, &r);
    assert_int_equal(r.count, before);
}

/* ---- any history, with a rest in which nobody could do anything ------------------------ */

#define WEEK (7 * 86400)

/* s with a pause put behind its event i; what comes later comes so much later. */
static void put_pause(const struct story *s, int i, int64_t length_s, struct story *out)
{
    *out = *s;
    for (int k = s->count - 1; k > i; k--) {
        out->at[k + 2] = s->at[k] + length_s;
        out->event[k + 2] = s->event[k];
        out->facts[k + 2] = s->facts[k];
    }
    for (int k = 1; k <= 2; k++) {
        out->event[i + k] = k == 1 ? TKT_SLA_E_PAUSE : TKT_SLA_E_RESUME;
        out->at[i + k] = s->at[i] + (k == 1 ? 0 : length_s);
        out->facts[i + k] = s->facts[i];
    }
    out->count = s->count + 2;
    out->end = s->end + length_s;
}

static bool is_pending_after(const struct story *s, int i)
{
    static struct record r;
    struct story part = *s;

    part.count = i + 1;
    part.end = s->at[i];
    return (tell(&part, false, &r).flags & TKT_SLA_F_PENDING) != 0;
}

/* Whole weeks, by a calendar of UTC: each hour is open again at the same distance. */
static void pending_time_never_counts(void **state)
{
    static struct story s;
    static struct story longer;
    static struct record plainly;
    static struct record paused;
    struct tkt_zone *zone = calendars[0].zone;
    int steps_after = 0;

    (void)state;
    calendars[0].zone = NULL;
    for (unsigned n = 1; n <= 3000; n++) {
        seed = n;
        make_story(&s);
        int i = roll(s.count);
        int64_t length_s = (1 + roll(3)) * (int64_t)WEEK;
        if (is_pending_after(&s, i)) {
            continue;
        }
        put_pause(&s, i, length_s, &longer);
        (void)tell(&s, false, &plainly); /* what it does is looked at */
        (void)tell(&longer, roll(2) == 0, &paused);
        assert_monotone(&paused);
        assert_int_equal(plainly.count, paused.count);
        for (int k = 0; k < plainly.count; k++) {
            const struct tkt_sla_action *a = &plainly.items[k];
            const struct tkt_sla_action *b = &paused.items[k];
            bool behind = a->due_s > s.at[i];
            assert_int_equal(a->kind, b->kind);
            assert_ptr_equal(a->step, b->step);
            assert_int_equal(a->timer, b->timer);
            assert_int_equal(b->due_s, a->due_s + (behind ? length_s : 0));
            steps_after += behind && a->kind == TKT_SLA_A_STEP;
        }
    }
    calendars[0].zone = zone;
    assert_true(steps_after > 1000);
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
        cmocka_unit_test(a_customer_is_whom_the_directory_names),
        cmocka_unit_test(what_the_directory_says_late_keeps_the_time_that_ran),
        cmocka_unit_test(a_silent_directory_changes_nothing),
        cmocka_unit_test(a_step_waits_while_the_ticket_is_pending),
        cmocka_unit_test(what_is_due_at_once_waits_for_nobody),
        cmocka_unit_test(steps_of_one_time_come_in_the_order_of_the_file),
        cmocka_unit_test(a_chain_that_comes_late_counts_what_was_used_but_not_the_pause),
        cmocka_unit_test(a_reopened_ticket_that_nobody_has_waits_anew),
        cmocka_unit_test(what_began_in_a_future_that_did_not_come_begins_now),
        cmocka_unit_test(a_jump_ahead_and_back_does_nothing_twice),
        cmocka_unit_test(what_is_done_does_not_depend_on_who_looks_when),
        cmocka_unit_test(pending_time_never_counts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
