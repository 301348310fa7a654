/* SPDX-License-Identifier: BSD-2-Clause
 * Timers and steps in the store: each action once, whatever is killed when.
 */
#include "store_fixture.h"

#include "decide/sla.h"
#include "store/assign.h"
#include "store/follow.h"
#include "store/sla.h"

#include <signal.h>
#include <sys/wait.h>

#define MINUTE_MS INT64_C(60000)
#define GRACE_MS (TKT_SLA_GRACE_S * 1000)

static char *people[] = {(char *)"anne@example.org", (char *)"bob@example.org"};
static struct tkt_roster_agent members[2];
static struct tkt_roster_group groups[1];
static struct tkt_roster roster;
static char *notify[] = {(char *)"manager", (char *)"assignee"};
static struct tkt_sla_step steps[] = {
    {.name = (char *)"other",
     .of = TKT_SLA_UNTOUCHED,
     .after_s = 300,
     .assign = true,
     .group = (char *)"",
     .channel = (char *)""},
    {.name = (char *)"hurry",
     .of = TKT_SLA_BREACHED,
     .after_s = 60,
     .raise = 1,
     .group = (char *)"",
     .channel = (char *)"pager",
     .notify = {.items = notify, .count = 2}},
};
static struct tkt_sla_chain chains[] = {
    {.name = (char *)"chain", .calendar = (char *)"", .steps = steps, .step_count = 2}};
static struct tkt_sla_policy policies[1];
static struct tkt_sla_desk desks[] = {{.name = (char *)"it", .sla = (char *)"silver"}};
static struct tkt_sla_group who[] = {{.name = (char *)"net",
                                      .mailbox = (char *)"net@example.org",
                                      .manager = (char *)"boss@example.org"}};
static struct tkt_sla_book book;

/* First response within ten minutes, a warning after five; two people by turns. */
static void set_up(struct fixture *f)
{
    struct tkt_err err = TKT_ERR_INIT;

    for (size_t i = 0; i < 2; i++) {
        members[i] = (struct tkt_roster_agent){.address = people[i], .weight = 1};
    }
    groups[0] = (struct tkt_roster_group){.name = (char *)"net",
                                          .strategy = TKT_ASSIGN_LEAST_OPEN,
                                          .fallback = (char *)"",
                                          .members = members,
                                          .member_count = 2};
    roster = (struct tkt_roster){.groups = groups, .group_count = 1};
    policies[0] = (struct tkt_sla_policy){
        .name = (char *)"silver", .calendar = (char *)"", .pauses = true, .warn = 50};
    for (int p = 1; p <= 5; p++) {
        policies[0].target_s[TKT_SLA_FIRST][p] = 600;
        policies[0].target_s[TKT_SLA_NEXT][p] = 1200;
    }
    book = (struct tkt_sla_book){.policies = policies,
                                 .policy_count = 1,
                                 .chains = chains,
                                 .chain_count = 0,
                                 .desks = desks,
                                 .desk_count = 1,
                                 .groups = who,
                                 .group_count = 1,
                                 .roster = &roster};
    assert_int_equal(tkt_store_place_move(f->store, TKT_SLA_FOLLOWER, -1, 0, &err), 0);
}

static void follow_all(struct fixture *f)
{
    execute(f, "UPDATE places SET event = (SELECT max(id) FROM events)");
}

static void fill(struct sample *m, const char *text)
{
    sample_init(m, text);
    m->decision.group = (char *)"net";
    m->in.roster = &roster;
    m->desks[0].itsm_type = "local";
}

static int64_t take(struct fixture *f, const char *text)
{
    struct sample m;

    fill(&m, text);
    reserve_ok(f, &m);
    return m.out[0].ticket;
}

static void happens(struct fixture *f, int64_t ticket, unsigned what, int64_t message,
                    int64_t at_ms)
{
    const struct tkt_store_sla_event e = {
        .at_ms = at_ms, .ticket = ticket, .message = message, .what = what};
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_store_sla_apply(f->store, &book, &e, at_ms, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

static int64_t begin(struct fixture *f, const char *text)
{
    int64_t ticket = take(f, text);

    happens(f, ticket, TKT_SLA_W_BEGIN, 0, NOW);
    follow_all(f);
    return ticket;
}

static int tick(struct fixture *f, int64_t now_ms)
{
    struct tkt_err err = TKT_ERR_INIT;
    int n = tkt_store_sla_tick(f->store, &book, now_ms + GRACE_MS, 64, &err);

    if (n < 0) {
        fail_msg("%s", err.text);
    }
    return n;
}

static int64_t events(struct fixture *f, const char *kind)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM events WHERE kind = '%s'", kind);
    return number(f, sql);
}

static int64_t state_of(struct fixture *f, int64_t ticket, const char *timer)
{
    char sql[200];

    snprintf(sql, sizeof(sql),
             "SELECT state FROM timers WHERE ticket = %lld AND name = '%s'",
             (long long)ticket, timer);
    return number(f, sql);
}

static void a_warning_and_a_breach_come_once_each(void **state)
{
    struct fixture *f = *state;

    set_up(f);
    begin(f, "a");
    assert_int_equal(tick(f, NOW + 5 * MINUTE_MS - 1000), 0);
    assert_int_equal(tick(f, NOW + 5 * MINUTE_MS), 1);
    assert_int_equal(tick(f, NOW + 5 * MINUTE_MS), 0);
    fixture_reopen(f);
    follow_all(f);
    assert_int_equal(tick(f, NOW + 6 * MINUTE_MS), 0);
    assert_int_equal(tick(f, NOW + HOUR_MS), 1);
    follow_all(f);
    assert_int_equal(tick(f, NOW + 9 * HOUR_MS), 0);
    assert_int_equal(events(f, "sla.warning"), 1);
    assert_int_equal(events(f, "sla.breached"), 1);
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE kind = 'sla.breached'"
                               " AND data LIKE '%\"timer\":\"first_response\"%'"
                               " AND data LIKE '%\"manager\":\"boss@example.org\"%'"
                               " AND data LIKE '%\"id\":\"IT-1\"%'"),
                     1);
    assert_clean(f);
}

static void nothing_is_done_where_events_may_be_missing(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    set_up(f);
    int64_t ticket = begin(f, "a");
    /* An answer in time that the follower has not seen yet. */
    assert_int_equal(tkt_store_comment(f->store, "IT-1", "done", true, "itsm:snow",
                                       NOW + 4 * MINUTE_MS, &err),
                     0);
    assert_int_equal(tick(f, NOW + HOUR_MS), 0);
    happens(f, ticket, TKT_SLA_W_ANSWER, 0, NOW + 4 * MINUTE_MS);
    follow_all(f);
    assert_int_equal(tick(f, NOW + HOUR_MS), 0);
    assert_int_equal(state_of(f, ticket, "first_response"), TKT_SLA_MET);
}

static void what_was_due_before_an_event_is_done_before_it(void **state)
{
    struct fixture *f = *state;

    set_up(f);
    int64_t ticket = begin(f, "a");
    happens(f, ticket, TKT_SLA_W_ANSWER, 0, NOW + 7 * MINUTE_MS);
    assert_int_equal(events(f, "sla.warning"), 1);
    assert_int_equal(events(f, "sla.breached"), 0);
}

/* ---- mail ----------------------------------------------------------------------------- */

static int64_t reply(struct fixture *f, int64_t ticket, const char *text,
                     const char *author, const char *class_name,
                     enum tkt_assurance assurance)
{
    struct sample m;

    fill(&m, text);
    sample_decide(&m, TKT_ACTION_APPEND, ticket);
    m.decision.assurance = assurance;
    m.in.requester = author;
    m.in.class_name = class_name;
    reserve_ok(f, &m);
    return m.out[0].message;
}

static void only_a_proved_person_of_the_group_answers(void **state)
{
    static const struct {
        const char *author, *class_name;
        enum tkt_assurance assurance;
        int first;
    } mails[] = {
        {"bob@example.org", "auto-reply", TKT_ASSURANCE_PASS, TKT_SLA_RUNNING},
        {"bob@example.org", "human", TKT_ASSURANCE_NONE, TKT_SLA_RUNNING},
        {"eve@example.org", "human", TKT_ASSURANCE_PASS, TKT_SLA_RUNNING},
        {"anna@example.org", "human", TKT_ASSURANCE_PASS, TKT_SLA_RUNNING},
        {"bob@example.org", "human", TKT_ASSURANCE_PASS, TKT_SLA_MET},
    };
    struct fixture *f = *state;
    char text[40];

    set_up(f);
    int64_t ticket = begin(f, "a");
    for (size_t i = 0; i < TKT_ARRAY_LEN(mails); i++) {
        snprintf(text, sizeof(text), "mail %zu", i);
        int64_t message = reply(f, ticket, text, mails[i].author, mails[i].class_name,
                                mails[i].assurance);
        happens(f, ticket, TKT_SLA_W_MAIL, message, NOW + (int64_t)i * 1000);
        assert_int_equal(state_of(f, ticket, "first_response"), mails[i].first);
    }
    int64_t message =
        reply(f, ticket, "and?", "anna@example.org", "human", TKT_ASSURANCE_NONE);
    happens(f, ticket, TKT_SLA_W_MAIL, message, NOW + MINUTE_MS);
    assert_int_equal(state_of(f, ticket, "next_response"), TKT_SLA_RUNNING);
    message =
        reply(f, ticket, "away", "anna@example.org", "auto-reply", TKT_ASSURANCE_PASS);
    happens(f, ticket, TKT_SLA_W_MAIL, message, NOW + 2 * MINUTE_MS);
    assert_int_equal(number(f, "SELECT since FROM timers WHERE name = 'next_response'"),
                     (NOW + MINUTE_MS) / 1000);
}

/* ---- steps ---------------------------------------------------------------------------- */

static void steps_change_the_ticket_and_say_whom_to_tell(void **state)
{
    struct fixture *f = *state;

    set_up(f);
    book.chain_count = 1;
    int64_t ticket = begin(f, "a");
    assert_int_equal(number(f, "SELECT assignee = 'anne@example.org' FROM tickets"), 1);
    assert_int_equal(tick(f, NOW + 5 * MINUTE_MS), 2); /* warning; nobody accepted it */
    assert_int_equal(number(f, "SELECT assignee = 'bob@example.org' FROM tickets"), 1);
    happens(f, ticket, TKT_SLA_W_CHANGE, 0, NOW + 5 * MINUTE_MS);
    follow_all(f);
    assert_int_equal(tick(f, NOW + 11 * MINUTE_MS), 2); /* breach, and a minute later */
    follow_all(f);
    assert_int_equal(tick(f, NOW + DAY_MS), 0);
    assert_int_equal(number(f, "SELECT priority FROM tickets"), 2);
    assert_int_equal(events(f, "escalation.step"), 2);
    assert_int_equal(
        number(f,
               "SELECT count(*) FROM events WHERE kind = 'escalation.step' AND data"
               " LIKE '%\"step\":\"hurry\"%\"from_priority\":3%\"notify\":[\"manager\","
               "\"assignee\"],\"channel\":\"pager\"%'"),
        1);
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE kind = 'ticket.set'"
                               " AND data LIKE '%\"who\":\"escalation\"%'"),
                     1);
    assert_clean(f);
}

static void a_step_whose_cause_is_gone_is_not_done(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    set_up(f);
    book.chain_count = 1;
    begin(f, "a");
    assert_int_equal(
        tkt_store_set(f->store, "IT-1", "assignee", "bob@example.org", "bob", NOW, &err),
        0);
    follow_all(f);
    assert_int_equal(tick(f, NOW + 5 * MINUTE_MS), 2);
    assert_int_equal(events(f, "escalation.step"), 0);
    assert_int_equal(events(f, "sla.warning"), 1);
}

/* ---- the store ------------------------------------------------------------------------ */

static int tick_and_fail(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    (void)arg;
    assert_int_equal(tkt_store_sla_tick(store, &book, NOW + HOUR_MS, 64, err), 2);
    return tkt_err_set(err, TKT_ERR_PERM, "no");
}

static void what_is_undone_was_not_done(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_item item = {.apply = tick_and_fail};

    set_up(f);
    begin(f, "a");
    assert_int_equal(tkt_store_batch(f->store, &item, 1), 1);
    assert_int_equal(item.result, -1);
    assert_int_equal(events(f, "sla.warning") + events(f, "sla.breached"), 0);
    assert_int_equal(tick(f, NOW + HOUR_MS), 2);
    assert_clean(f);
}

static void what_nobody_follows_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    set_up(f);
    begin(f, "a");
    assert_int_equal(tkt_store_place_drop(f->store, TKT_SLA_FOLLOWER, &err), 0);
    assert_int_equal(tick(f, NOW + HOUR_MS), 1);
    assert_int_equal(tick(f, NOW + HOUR_MS), 0);
    assert_int_equal(count_of(f, "timers"), 0);
    assert_int_equal(events(f, "sla.breached"), 0);
}

static void what_is_due_is_one_probe_of_an_index(void **state)
{
    static const enum tkt_sql hot[] = {SQL_TIMERS_DUE,    SQL_TIMERS_NEXT, SQL_TIMERS_GET,
                                       SQL_TIMERS_LIST,   SQL_SLA_GET,     SQL_TIMER_SET,
                                       SQL_EVENT_AT_AFTER};
    struct fixture *f = *state;
    char plan[2000];

    for (size_t i = 0; i < TKT_ARRAY_LEN(hot); i++) {
        assert_int_equal(tkt_db_explain(f->store->db, hot[i], plan, sizeof(plan)), 0);
        bool whole = strstr(plan, "SCAN") != NULL &&
                     strstr(plan, "COVERING INDEX timers_due") == NULL &&
                     strstr(plan, "USING INDEX timers_due") == NULL;
        if (whole || strstr(plan, "TEMP B-TREE") != NULL) {
            fail_msg("statement %d: %s", (int)hot[i], plan);
        }
    }
    assert_int_equal(tkt_db_explain(f->store->db, SQL_TIMERS_DUE, plan, sizeof(plan)), 0);
    assert_non_null(strstr(plan, "SEARCH timers USING COVERING INDEX timers_due"));
    assert_int_equal(tkt_db_explain(f->store->db, SQL_SLAS_UNASKED, plan, sizeof(plan)),
                     0);
    assert_non_null(strstr(plan, "SEARCH slas USING INDEX slas_unasked"));
}

static void only_what_runs_is_in_the_index(void **state)
{
    struct fixture *f = *state;

    set_up(f);
    int64_t ticket = begin(f, "a");
    assert_int_equal(number(f, "SELECT count(*) FROM timers WHERE due IS NOT NULL"), 1);
    happens(f, ticket, TKT_SLA_W_PAUSE, 0, NOW + 1000);
    assert_int_equal(number(f, "SELECT count(*) FROM timers WHERE due IS NOT NULL"), 0);
    happens(f, ticket, TKT_SLA_W_RESUME, 0, NOW + HOUR_MS);
    assert_int_equal(number(f, "SELECT used FROM timers WHERE name = 'first_response'"),
                     1);
    happens(f, ticket, TKT_SLA_W_RESOLVE, 0, NOW + HOUR_MS);
    assert_int_equal(number(f, "SELECT count(*) FROM timers WHERE due IS NOT NULL"), 0);
}

/* ---- the directory is late ------------------------------------------------------------- */

static char *acme[] = {(char *)"ACME"};

static int64_t take_proved(struct fixture *f, const char *text)
{
    struct sample m;

    fill(&m, text);
    m.decision.assurance = TKT_ASSURANCE_PASS;
    reserve_ok(f, &m);
    return m.out[0].ticket;
}

static void chosen(struct fixture *f, int64_t ticket, unsigned what,
                   const struct tkt_person *person, bool is_unasked, int64_t at_ms)
{
    const struct tkt_store_sla_event e = {.at_ms = at_ms,
                                          .ticket = ticket,
                                          .what = what,
                                          .person = person,
                                          .is_unasked = is_unasked};
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_store_sla_apply(f->store, &book, &e, at_ms, &err), 0);
}

static int unasked(struct fixture *f)
{
    int64_t rows[4];
    struct tkt_err err = TKT_ERR_INIT;

    return tkt_reader_sla_unasked(f->reader, 0, rows, 4, &err);
}

static bool has_sla(struct fixture *f, const char *name)
{
    char sql[100];

    snprintf(sql, sizeof(sql), "SELECT sla = '%s' FROM slas", name);
    return number(f, sql) == 1;
}

/* Without a level of the desk; two minutes pass before a directory answers. */
static void what_a_directory_says_late_is_chosen_by(void **state)
{
    static const struct tkt_person nobody;
    const struct tkt_person customer = {.is_known = true, .company = (char *)"acme"};
    struct fixture *f = *state;

    set_up(f);
    book.desk_count = 0;
    book.asks_person = true;
    policies[0].filter.companies = (struct tkt_strings){acme, 1};
    int64_t ticket = take_proved(f, "a");
    chosen(f, ticket, TKT_SLA_W_BEGIN, &nobody, true, NOW);
    follow_all(f);
    assert_true(has_sla(f, ""));
    assert_int_equal(unasked(f), 1);
    assert_int_equal(count_of(f, "timers"), 0);
    fixture_reopen(f);
    chosen(f, ticket, TKT_SLA_W_CHANGE, &customer, false, NOW + 2 * MINUTE_MS);
    assert_true(has_sla(f, "silver"));
    assert_int_equal(unasked(f), 0);
    assert_int_equal(tick(f, NOW + 5 * MINUTE_MS), 1); /* from its first second on */
    chosen(f, ticket, TKT_SLA_W_CHANGE, &nobody, true, NOW + 6 * MINUTE_MS);
    assert_true(has_sla(f, "silver")); /* it is not heard: nothing is new */
    assert_int_equal(unasked(f), 1);
    happens(f, ticket, TKT_SLA_W_RESOLVE, 0, NOW + 7 * MINUTE_MS);
    assert_int_equal(unasked(f), 0);
    policies[0].filter.companies = (struct tkt_strings){0};
}

/* ---- any history, over restarts -------------------------------------------------------- */

#define STORIES 40

static unsigned seed;
static int roll(int n)
{
    seed = seed * 1103515245u + 12345u;
    return (int)(seed >> 16) % n;
}

static const struct {
    unsigned what;
    enum tkt_sla_event event;
} acts[] = {{TKT_SLA_W_PAUSE, TKT_SLA_E_PAUSE},     {TKT_SLA_W_RESUME, TKT_SLA_E_RESUME},
            {TKT_SLA_W_ANSWER, TKT_SLA_E_ANSWER},   {TKT_SLA_W_ASK, TKT_SLA_E_ASK},
            {TKT_SLA_W_PAUSE, TKT_SLA_E_PAUSE},     {TKT_SLA_W_RESUME, TKT_SLA_E_RESUME},
            {TKT_SLA_W_RESOLVE, TKT_SLA_E_RESOLVE}, {TKT_SLA_W_REOPEN, TKT_SLA_E_REOPEN},
            {TKT_SLA_W_CHANGE, TKT_SLA_E_CHANGE},   {TKT_SLA_W_CHANGE, TKT_SLA_E_CHANGE}};

/* What the store has to say is what is in "due" of its events, in their order. */
static void assert_acted(struct fixture *f, int64_t ticket, int count, int64_t sum)
{
    char sql[400];

    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM events WHERE ticket = %lld AND"
             " kind IN ('sla.warning', 'sla.breached', 'escalation.step')",
             (long long)ticket);
    assert_int_equal(number(f, sql), count);
    snprintf(sql, sizeof(sql),
             "SELECT coalesce(sum(strftime('%%s', coalesce(json_extract(data, '$.since'),"
             " json_extract(data, '$.due')))), 0) FROM events WHERE ticket = %lld AND"
             " kind IN ('sla.warning', 'sla.breached', 'escalation.step')",
             (long long)ticket);
    assert_int_equal(number(f, sql), sum);
}

/* The level goes and comes with the requester's company; steps change nothing. */
static void the_store_does_what_the_pure_function_does(void **state)
{
    static char *other[] = {(char *)"ACME"};
    const struct tkt_person persons[] = {{.is_known = true, .company = (char *)"ACME"},
                                         {.is_known = true, .company = (char *)"x"}};
    struct fixture *f = *state;
    char text[20];
    int done = 0;

    set_up(f);
    book.desk_count = 0;
    book.asks_person = true;
    book.chain_count = 1;
    policies[0].filter.companies = (struct tkt_strings){other, 1};
    steps[0].assign = false;
    steps[1].raise = 0;
    steps[0].of = TKT_SLA_CREATED;
    steps[0].pauses = steps[1].pauses = true;
    for (unsigned n = 1; n <= STORIES; n++) {
        struct tkt_sla_ticket pure = {0};
        struct tkt_sla_facts facts = {.desk = "it",
                                      .group = "net",
                                      .type = "",
                                      .category = "",
                                      .requester = "anna@example.org",
                                      .department = "",
                                      .company = "ACME",
                                      .priority = 3,
                                      .has_assignee = true,
                                      .is_untouched = true};
        struct tkt_sla_action a;
        int64_t at_ms = NOW;
        int64_t sum = 0;
        int count = 0;

        seed = n;
        snprintf(text, sizeof(text), "story %u", n);
        int64_t ticket = take_proved(f, text);
        chosen(f, ticket, TKT_SLA_W_BEGIN, &persons[0], false, at_ms);
        tkt_sla_apply(&pure, &book, TKT_SLA_E_BEGIN, &facts, at_ms / 1000);
        for (int i = 0; i < 12; i++) {
            int which = roll((int)TKT_ARRAY_LEN(acts));
            int person = roll(2);
            at_ms += roll(500) * 1000;
            if (roll(3) == 0) {
                follow_all(f);
                while (tick(f, at_ms) > 0) { /* somebody looks */
                    follow_all(f);
                }
            }
            if (roll(60) == 0) {
                fixture_reopen(f);
            }
            while (tkt_sla_act(&pure, &book, at_ms / 1000, &a)) {
                count++;
                sum += a.due_s;
            }
            facts.company = persons[person].company;
            tkt_sla_apply(&pure, &book, acts[which].event, &facts, at_ms / 1000);
            chosen(f, ticket, acts[which].what, &persons[person], false, at_ms);
        }
        while (tkt_sla_act(&pure, &book, (at_ms + DAY_MS) / 1000, &a)) {
            count++;
            sum += a.due_s;
        }
        follow_all(f);
        while (tick(f, at_ms + DAY_MS) > 0) {
            follow_all(f);
        }
        assert_acted(f, ticket, count, sum);
        execute(f, "DELETE FROM timers");
        execute(f, "DELETE FROM slas");
        done += count;
    }
    assert_true(done > STORIES);
    steps[0].assign = true;
    steps[0].of = TKT_SLA_UNTOUCHED;
    steps[1].raise = 1;
    steps[0].pauses = steps[1].pauses = false;
    policies[0].filter.companies = (struct tkt_strings){0};
}

/* ---- kill -9 -------------------------------------------------------------------------- */

#define TICKETS 40

static void tick_until_killed(struct fixture *f)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_store *store = tkt_store_open(&f->opt, &err);

    while (store != NULL &&
           tkt_store_sla_tick(store, &book, NOW + HOUR_MS, 3, &err) > 0) {
        (void)tkt_store_place_move(store, TKT_SLA_FOLLOWER, INT64_MAX, INT64_MAX, NULL);
    }
    _exit(store == NULL ? 1 : 0);
}

static void each_is_done_once_whoever_is_killed(void **state)
{
    struct fixture *f = *state;
    char text[20];
    int killed = 0;

    set_up(f);
    for (int i = 0; i < TICKETS; i++) {
        snprintf(text, sizeof(text), "ticket %d", i);
        begin(f, text);
    }
    execute(f, "UPDATE places SET event = 1000000000");
    tkt_reader_close(&f->reader);
    tkt_store_close(&f->store);
    for (int round = 0; round < 60; round++) {
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            tick_until_killed(f);
        }
        usleep((useconds_t)(round * 400));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status);
    }
    struct tkt_err err = TKT_ERR_INIT;
    f->store = tkt_store_open(&f->opt, &err);
    f->reader = tkt_reader_open(f->dir, &err);
    assert_non_null(f->store);
    while (tick(f, NOW + HOUR_MS) > 0) {
    }
    assert_true(killed > 0);
    assert_int_equal(events(f, "sla.warning"), TICKETS);
    assert_int_equal(events(f, "sla.breached"), TICKETS);
    assert_int_equal(number(f, "SELECT count(*) FROM (SELECT ticket, kind FROM events"
                               " WHERE kind LIKE 'sla.%' GROUP BY 1, 2)"),
                     2 * TICKETS);
    assert_clean(f);
}

static void what_a_person_sees_says_why(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct tkt_err err = TKT_ERR_INIT;

    set_up(f);
    begin(f, "a");
    assert_int_equal(
        tkt_reader_sla_json(f->reader, &book, "IT-1", NOW + MINUTE_MS, &out, &err), 0);
    assert_non_null(strstr(tkt_buf_str(&out), "\"why\":\"sla silver: that of the desk"));
    assert_non_null(strstr(tkt_buf_str(&out), "\"used_s\":60"));
    tkt_buf_reset(&out);
    assert_int_equal(
        tkt_reader_sla_list_json(f->reader, &book, NOW + HOUR_MS, 10, &out, &err), 0);
    assert_non_null(strstr(tkt_buf_str(&out), "\"action\":\"warning\""));
    tkt_buf_reset(&out);
    assert_int_equal(tkt_reader_show_json(f->reader, "IT-1", &out, &err), 0);
    assert_non_null(strstr(tkt_buf_str(&out), "\"sla\":{\"sla\":\"silver\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_warning_and_a_breach_come_once_each),
        T(nothing_is_done_where_events_may_be_missing),
        T(what_was_due_before_an_event_is_done_before_it),
        T(only_a_proved_person_of_the_group_answers),
        T(steps_change_the_ticket_and_say_whom_to_tell),
        T(a_step_whose_cause_is_gone_is_not_done),
        T(what_is_undone_was_not_done),
        T(what_nobody_follows_is_forgotten),
        T(what_is_due_is_one_probe_of_an_index),
        T(only_what_runs_is_in_the_index),
        T(what_a_directory_says_late_is_chosen_by),
        T(the_store_does_what_the_pure_function_does),
        T(each_is_done_once_whoever_is_killed),
        T(what_a_person_sees_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
