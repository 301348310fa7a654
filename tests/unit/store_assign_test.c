/* SPDX-License-Identifier: BSD-2-Clause
 * Who gets a ticket, by the store's own counting.
 */
#include "store_fixture.h"

#include "store/assign.h"
#include "ticketd/core/commit.h"

#include <pthread.h>
#include <sys/wait.h>

#define PEOPLE 3

static char *const people[PEOPLE] = {(char *)"ann@x.test", (char *)"bob@x.test",
                                     (char *)"cid@x.test"};
static struct tkt_roster_agent members[2][PEOPLE];
static struct tkt_calendar closed; /* never open */
static struct tkt_roster_group groups[2];
static struct tkt_roster roster;

/* "net": three members, least_open; "late": the same people, no strategy. */
static void set_up(void)
{
    for (size_t g = 0; g < 2; g++) {
        for (size_t i = 0; i < PEOPLE; i++) {
            members[g][i] = (struct tkt_roster_agent){.address = people[i], .weight = 1};
        }
    }
    memset(&closed, 0, sizeof(closed));
    groups[0] = (struct tkt_roster_group){.name = (char *)"net",
                                          .strategy = TKT_ASSIGN_LEAST_OPEN,
                                          .fallback = (char *)"",
                                          .members = members[0],
                                          .member_count = PEOPLE};
    groups[1] = groups[0];
    groups[1].name = (char *)"late";
    groups[1].members = members[1];
    groups[1].strategy = TKT_ASSIGN_NONE;
    roster = (struct tkt_roster){.groups = groups, .group_count = 2};
}

static void message(struct sample *m, const char *text)
{
    sample_init(m, text);
    sample_decide(m, TKT_ACTION_NEW, 0);
    m->decision.group = (char *)"net";
    m->in.roster = &roster;
    m->in.analysed = true; /* no other jobs */
    m->desks[0].itsm_type = "local";
}

static void take(struct fixture *f, struct sample *m, const char *text)
{
    message(m, text);
    reserve_ok(f, m);
}

static int64_t open_of(struct fixture *f, const char *address)
{
    struct tkt_store_agent a;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_reader_agent(f->reader, address, &a, &err), 0);
    return a.open;
}

static void assert_with(struct fixture *f, int64_t ticket, const char *assignee,
                        const char *group)
{
    char sql[200];

    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM tickets WHERE id = %lld AND coalesce(assignee, '') ="
             " '%s' AND grp = '%s'",
             (long long)ticket, assignee, group);
    assert_int_equal(number(f, sql), 1);
}

static void counts_are_even_and_told(void **state)
{
    struct fixture *f = *state;
    char text[40];

    set_up();
    for (int i = 0; i < 30; i++) {
        struct sample m;
        snprintf(text, sizeof(text), "printer %d", i);
        take(f, &m, text);
    }
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(open_of(f, people[i]), 10);
    }
    assert_int_equal(number(f,
                            "SELECT count(*) FROM events WHERE kind ="
                            " 'ticket.assigned' AND data LIKE '%least_open: 9 open; 3 of"
                            " 3 on duty%'"),
                     3);
    assert_clean(f);
}

static void a_turn_outlives_a_restart(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    set_up();
    groups[0].strategy = TKT_ASSIGN_ROUND_ROBIN;
    take(f, &m, "one");
    assert_with(f, m.out[0].ticket, people[0], "net");
    fixture_reopen(f);
    take(f, &m, "two");
    assert_with(f, m.out[0].ticket, people[1], "net");
    take(f, &m, "two"); /* the same message: the same ticket, nobody's turn */
    assert_string_equal(m.out[0].status, "existing");
    take(f, &m, "three");
    assert_with(f, m.out[0].ticket, people[2], "net");
    assert_clean(f);
}

static void every_way_a_ticket_ends_is_counted(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m[4];
    char id[48];

    set_up();
    groups[0].member_count = 1;
    for (int i = 0; i < 4; i++) {
        char text[40];
        snprintf(text, sizeof(text), "number %d", i);
        take(f, &m[i], text);
    }
    assert_int_equal(open_of(f, people[0]), 4);
    assert_int_equal(
        tkt_store_move(f->store, m[0].out[0].id, TKT_STATE_RESOLVED, "", "", NOW, &err),
        0);
    assert_int_equal(open_of(f, people[0]), 3);
    assert_int_equal(
        tkt_store_move(f->store, m[0].out[0].id, TKT_STATE_CLOSED, "", "", NOW, &err), 0);
    assert_int_equal(open_of(f, people[0]), 3);
    assert_int_equal(
        tkt_store_move(f->store, m[0].out[0].id, TKT_STATE_OPEN, "", "", NOW, &err), 0);
    assert_int_equal(open_of(f, people[0]), 4);
    assert_int_equal(
        tkt_store_merge(f->store, m[1].out[0].id, m[0].out[0].id, "", NOW, &err), 0);
    assert_int_equal(open_of(f, people[0]), 3);
    assert_int_equal(tkt_store_set(f->store, m[2].out[0].id, "assignee", "Bob@x.test",
                                   "root", NOW, &err),
                     0);
    assert_int_equal(open_of(f, people[0]), 2);
    assert_int_equal(open_of(f, people[1]), 1);
    assert_int_equal(
        tkt_store_set(f->store, m[2].out[0].id, "assignee", "", "root", NOW, &err), 0);
    assert_int_equal(open_of(f, people[1]), 0);
    /* a message that becomes a ticket of its own, with the same person */
    struct sample answer;
    message(&answer, "answer");
    sample_decide(&answer, TKT_ACTION_APPEND, m[3].out[0].ticket);
    reserve_ok(f, &answer);
    assert_int_equal(tkt_store_split(f->store, m[3].out[0].id, answer.out[0].message, "",
                                     NOW, id, &err),
                     0);
    assert_int_equal(open_of(f, people[0]), 3);
    assert_clean(f);
}

static void a_withdrawn_ticket_is_nobodys_load(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    set_up();
    message(&m, "by a script");
    sample_sieve(&m, "it@example.org");
    reserve_ok(f, &m);
    assert_int_equal(open_of(f, people[0]), 1);
    assert_int_equal(tkt_store_cancel(f->store, m.out[0].hold, NOW, &err), 0);
    assert_int_equal(open_of(f, people[0]), 0);
    message(&m, "by a script");
    sample_sieve(&m, "it@example.org");
    reserve_ok(f, &m);
    assert_int_equal(open_of(f, people[0]), 1);
    assert_clean(f);
}

static void a_wrong_count_is_a_fault(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(65536);
    struct sample m;

    set_up();
    take(f, &m, "one");
    execute(f, "UPDATE agents SET open = 7");
    assert_int_equal(faults(f, &out), 1);
    assert_non_null(strstr(tkt_buf_str(&out), "\"load\""));
    execute(f, "DELETE FROM agents");
    tkt_buf_reset(&out);
    assert_int_equal(faults(f, &out), 1);
}

static void what_a_rule_said_stays(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    set_up();
    message(&m, "for cid");
    m.decision.assignee = people[2];
    reserve_ok(f, &m);
    assert_with(f, m.out[0].ticket, people[2], "net");
    assert_int_equal(open_of(f, people[2]), 1);
    assert_int_equal(number(f, "SELECT count(*) FROM turns"), 0);
    message(&m, "shadow"); /* nobody works on it */
    m.desks[0].shadow = true;
    reserve_ok(f, &m);
    assert_with(f, m.out[0].ticket, "", "net");
    message(&m, "refused");
    m.desks[0].refused = true;
    reserve_ok(f, &m);
    assert_with(f, m.out[0].ticket, "", "net");
    assert_clean(f);
}

static void nobody_on_duty_is_an_event_and_a_job_or_another_group(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    set_up();
    groups[0].calendar = &closed;
    take(f, &m, "never open: no job can help");
    assert_with(f, m.out[0].ticket, "", "net");
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE kind ="
                               " 'ticket.unassigned' AND data LIKE '%nobody of net: 3 off"
                               " duty, 0 away, 0 at the cap%'"),
                     1);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE kind = 'assign'"), 0);
    groups[0].calendar = NULL;
    groups[0].cap = 1;
    for (int i = 0; i < PEOPLE; i++) {
        char text[20];
        snprintf(text, sizeof(text), "fill %d", i);
        take(f, &m, text);
    }
    take(f, &m, "all are full");
    assert_with(f, m.out[0].ticket, "", "net");
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE kind = 'assign' AND"
                               " target = '(assign)' AND run_after > 1800000000000"),
                     1);
    groups[0].fallback = groups[1].name;
    take(f, &m, "to a group where people take them");
    assert_with(f, m.out[0].ticket, "", "late");
    assert_string_equal(m.out[0].group, "late");
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE kind = 'assign'"), 1);
    groups[1].strategy = TKT_ASSIGN_ROUND_ROBIN;
    take(f, &m, "to a group that gives them to people");
    assert_with(f, m.out[0].ticket, people[0], "late");
    groups[1].cap = 1;
    take(f, &m, "nobody there either: it stays where it belongs");
    assert_with(f, m.out[0].ticket, "", "net");
    assert_clean(f);
}

static void the_job_gives_it_away_when_somebody_is_there(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_store_away away = {.address = people[0],
                                  .from_ms = NOW,
                                  .until_ms = NOW + HOUR_MS,
                                  .note = "",
                                  .who = "root"};
    struct tkt_job jobs[4];
    struct sample m;

    set_up();
    groups[0].member_count = 1;
    assert_int_equal(tkt_store_agent_away(f->store, &away, NOW, &err), 0);
    take(f, &m, "while he is away");
    assert_with(f, m.out[0].ticket, "", "net");
    assert_int_equal(
        tkt_store_jobs_claim(f->store, "me", NOW + HOUR_MS - 1, 60000, jobs, 4, &err), 0);
    /* he stays away longer: the job moves on, without a new event */
    away.until_ms = NOW + 2 * HOUR_MS;
    assert_int_equal(tkt_store_agent_away(f->store, &away, NOW, &err), 0);
    assert_int_equal(
        tkt_store_jobs_claim(f->store, "me", NOW + HOUR_MS, 60000, jobs, 4, &err), 1);
    assert_string_equal(jobs[0].kind, TKT_JOB_ASSIGN);
    assert_int_equal(
        tkt_store_assign_job(f->store, &roster, &jobs[0], "me", NOW + HOUR_MS, &err), 0);
    tkt_jobs_release(jobs, 1);
    assert_with(f, m.out[0].ticket, "", "net");
    assert_int_equal(
        tkt_store_jobs_claim(f->store, "me", NOW + 2 * HOUR_MS, 60000, jobs, 4, &err), 1);
    assert_int_equal(
        tkt_store_assign_job(f->store, &roster, &jobs[0], "me", NOW + 2 * HOUR_MS, &err),
        0);
    tkt_jobs_release(jobs, 1);
    assert_with(f, m.out[0].ticket, people[0], "net");
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE kind = 'assign' AND"
                               " state <> 2"),
                     0);
    assert_int_equal(
        number(f, "SELECT count(*) FROM events WHERE kind = 'ticket.unassigned'"), 1);
    assert_clean(f);
}

static void sticky_finds_who_had_him_also_by_hand(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;
    int64_t erased = 0;

    set_up();
    groups[0].strategy = TKT_ASSIGN_STICKY;
    take(f, &m, "first");
    assert_with(f, m.out[0].ticket, people[0], "net");
    take(f, &m, "second");
    assert_with(f, m.out[0].ticket, people[0], "net");
    assert_int_equal(
        tkt_store_set(f->store, m.out[0].id, "assignee", people[2], "root", NOW, &err),
        0);
    take(f, &m, "third");
    assert_with(f, m.out[0].ticket, people[2], "net");
    assert_int_equal(number(f, "SELECT count(*) FROM handlers"), 1);
    assert_int_equal(
        tkt_store_forget(f->store, m.in.requester, "root", NOW, &erased, &err), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM handlers"), 0);
    take(f, &m, "fourth");
    assert_with(f, m.out[0].ticket, people[1], "net"); /* has the fewest */
    assert_int_equal(tkt_store_handlers_expire(f->store, NOW, 100, &erased, &err), 0);
    assert_int_equal(erased, 0);
    assert_int_equal(tkt_store_handlers_expire(f->store, NOW + 1, 100, &erased, &err), 0);
    assert_int_equal(erased, 1);
}

static void assign_again_by_command_and_by_function(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_store_assign_out out;
    struct sample m;

    set_up();
    take(f, &m, "one");
    struct tkt_store_assign_in in = {.id = m.out[0].id,
                                     .roster = &roster,
                                     .except = people[0],
                                     .who = "root",
                                     .reason = "he is ill",
                                     .now_ms = NOW};
    assert_int_equal(tkt_store_assign(f->store, &in, &out, &err), 0);
    assert_true(out.changed);
    assert_string_equal(out.assignee, people[1]);
    assert_int_equal(open_of(f, people[0]), 0);
    assert_int_equal(open_of(f, people[1]), 1);
    in.group = "late"; /* has no strategy: nobody */
    assert_int_equal(tkt_store_assign(f->store, &in, &out, &err), 0);
    assert_with(f, m.out[0].ticket, "", "late");
    in.to = people[2];
    in.group = NULL;
    assert_int_equal(tkt_store_assign(f->store, &in, &out, &err), 0);
    assert_with(f, m.out[0].ticket, people[2], "late");
    in.to = NULL;
    in.group = "net";
    in.only_untouched = true; /* a person gave it to him */
    assert_int_equal(tkt_store_assign(f->store, &in, &out, &err), 0);
    assert_false(out.changed);
    assert_with(f, m.out[0].ticket, people[2], "late");
    in.id = "IT-999";
    assert_int_equal(tkt_store_assign(f->store, &in, &out, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    in.id = m.out[0].id;
    in.only_untouched = false;
    assert_int_equal(
        tkt_store_move(f->store, m.out[0].id, TKT_STATE_CLOSED, "", "", NOW, &err), 0);
    assert_int_equal(tkt_store_assign(f->store, &in, &out, &err), -1);
    assert_non_null(strstr(err.text, "is closed"));
    assert_clean(f);
}

static void untouched_tickets_are_those_no_person_had_a_hand_in(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m[3];
    int64_t rows[8];

    set_up();
    groups[0].member_count = 1;
    for (int i = 0; i < 3; i++) {
        char text[20];
        snprintf(text, sizeof(text), "case %d", i);
        take(f, &m[i], text);
    }
    assert_int_equal(tkt_reader_untouched(f->reader, "ANN@x.test", 0, rows, 8, &err), 3);
    assert_int_equal(
        tkt_store_comment(f->store, m[0].out[0].id, "I look", false, "ann", NOW, &err),
        0);
    assert_int_equal(
        tkt_store_move(f->store, m[1].out[0].id, TKT_STATE_OPEN, "", "", NOW, &err), 0);
    assert_int_equal(tkt_reader_untouched(f->reader, people[0], 0, rows, 8, &err), 1);
    assert_int_equal(rows[0], m[2].out[0].ticket);
    assert_int_equal(tkt_reader_untouched(f->reader, people[0], rows[0], rows, 8, &err),
                     0);
}

static void analysed(struct fixture *f, struct sample *m, const char *group)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_decision d = {.action = TKT_ACTION_NEW, .group = (char *)(uintptr_t)group};
    struct tkt_store_analysed_in in = {.ticket = m->out[0].ticket,
                                       .message = m->out[0].message,
                                       .decision = &d,
                                       .roster = &roster,
                                       .now_ms = NOW};

    assert_int_equal(tkt_store_analysed(f->store, &in, &err), 0);
}

static void a_later_analysis_moves_what_nobody_touched(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample a;
    struct sample b;

    set_up();
    groups[1].strategy = TKT_ASSIGN_LEAST_OPEN;
    groups[1].member_count = 1;
    take(f, &a, "a");
    take(f, &b, "b");
    assert_with(f, b.out[0].ticket, people[1], "net");
    analysed(f, &b, "net"); /* the same group: it stays */
    assert_with(f, b.out[0].ticket, people[1], "net");
    analysed(f, &b, "late");
    assert_with(f, b.out[0].ticket, people[0], "late");
    assert_int_equal(open_of(f, people[1]), 0);
    assert_int_equal(
        tkt_store_comment(f->store, a.out[0].id, "mine", false, "ann", NOW, &err), 0);
    analysed(f, &a, "late");
    assert_with(f, a.out[0].ticket, people[0], "late"); /* the group is the analysis' */
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE kind ="
                               " 'ticket.assigned' AND data LIKE '%analysed later%'"),
                     1);
    assert_clean(f);
}

static void an_agents_answer_takes_the_ticket_if_the_group_says_so(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample answer;
    static const struct {
        bool option;
        enum tkt_assurance assurance;
        const char *from;
        const char *gets;
    } rows[] = {
        {false, TKT_ASSURANCE_PASS, "bob@x.test", ""},
        {true, TKT_ASSURANCE_NONE, "bob@x.test", ""},
        {true, TKT_ASSURANCE_FAIL, "bob@x.test", ""},
        {true, TKT_ASSURANCE_PASS, "eve@x.test", ""},
        {true, TKT_ASSURANCE_PASS, "bob@x.test", "bob@x.test"},
        {true, TKT_ASSURANCE_LOGIN, "cid@x.test", "cid@x.test"},
    };

    set_up();
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char text[40];
        groups[1].take_on_reply = rows[i].option;
        snprintf(text, sizeof(text), "question %zu", i);
        message(&m, text);
        m.decision.group = (char *)"late";
        reserve_ok(f, &m);
        snprintf(text, sizeof(text), "answer %zu", i);
        message(&answer, text);
        sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
        answer.decision.assurance = rows[i].assurance;
        answer.in.requester = rows[i].from;
        reserve_ok(f, &answer);
        assert_with(f, m.out[0].ticket, rows[i].gets, "late");
    }
    /* who has it keeps it */
    message(&answer, "another answer");
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    answer.decision.assurance = TKT_ASSURANCE_PASS;
    answer.in.requester = people[1];
    reserve_ok(f, &answer);
    assert_with(f, m.out[0].ticket, people[2], "late");
    assert_clean(f);
}

static void a_batch_that_is_undone_counts_nothing(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    set_up();
    take(f, &m, "one");
    message(&m, "two");
    m.desks[0].itsm = "a name that is much too long for any section of a configuration "
                      "file, and so the whole request is undone";
    assert_int_equal(reserve(f, &m, &err), -1);
    take(f, &m, "three");
    assert_with(f, m.out[0].ticket, people[1], "net");
    assert_int_equal(open_of(f, people[1]), 1);
    assert_clean(f);
}

static void an_older_database_is_counted_once(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    fixture_load(f, "schema_2.sql");
    execute(f, "UPDATE tickets SET assignee = 'Ann@x.test' WHERE id IN (1, 2, 4)");
    f->store = tkt_store_open(&f->opt, &err);
    assert_non_null(f->store);
    f->reader = tkt_reader_open(f->dir, &err);
    assert_non_null(f->reader);
    assert_int_equal(open_of(f, people[0]), 2); /* the third was refused */
    assert_clean(f);
}

/* ---- many at once ------------------------------------------------------------------- */

#define WRITERS 8
#define EACH 60

struct writer {
    pthread_t thread;
    struct tkt_commit *commit;
    int number;
    int failed;
};

struct one {
    struct sample m;
    struct tkt_err err;
};

static int apply_reserve(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct one *o = arg;

    return tkt_store_reserve(s, &o->m.in, &o->m.res, err);
}

static int apply_close(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct one *o = arg;

    return tkt_store_move(s, o->m.out[0].id, TKT_STATE_CLOSED, "", "", NOW, err);
}

static void *write_many(void *arg)
{
    struct writer *w = arg;

    for (int i = 0; i < EACH; i++) {
        struct one o = {.err = TKT_ERR_INIT};
        char text[40];
        snprintf(text, sizeof(text), "writer %d, mail %d", w->number, i);
        message(&o.m, text);
        o.m.in.desks = o.m.desks;
        w->failed += tkt_commit_call(w->commit, apply_reserve, &o, false, &o.err) < 0;
        if (i % 4 == 0) { /* closed again: others must see it */
            w->failed += tkt_commit_call(w->commit, apply_close, &o, false, &o.err) < 0;
        }
    }
    return NULL;
}

static void counts_hold_with_many_writers_at_once(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct writer writers[WRITERS];
    int64_t least = INT64_MAX;
    int64_t most = 0;
    int64_t all = 0;

    set_up();
    groups[0].cap = WRITERS * EACH / 4 + 1; /* 121: 360 stay open, 120 each */
    struct tkt_commit *commit = tkt_commit_start(&f->store, 64, &err);
    assert_non_null(commit);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.commit = commit, .number = i};
        assert_int_equal(
            pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
        assert_int_equal(writers[i].failed, 0);
    }
    tkt_commit_stop(&commit);
    f->store = tkt_store_open(&f->opt, &err);
    assert_non_null(f->store);
    for (size_t i = 0; i < PEOPLE; i++) {
        int64_t n = open_of(f, people[i]);
        assert_true(n <= groups[0].cap);
        least = TKT_MIN(least, n);
        most = TKT_MAX(most, n);
        all += n;
    }
    assert_int_equal(all, WRITERS * EACH * 3 / 4);
    /* what is closed behind the last new ticket is not made good any more */
    assert_true(most - least <= 1 + WRITERS);
    assert_clean(f);
}

static void a_second_process_may_not_write(void **state)
{
    struct fixture *f = *state;
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct tkt_err err = TKT_ERR_INIT;
        _exit(tkt_store_open(&f->opt, &err) == NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(counts_are_even_and_told),
        T(a_turn_outlives_a_restart),
        T(every_way_a_ticket_ends_is_counted),
        T(a_withdrawn_ticket_is_nobodys_load),
        T(a_wrong_count_is_a_fault),
        T(what_a_rule_said_stays),
        T(nobody_on_duty_is_an_event_and_a_job_or_another_group),
        T(the_job_gives_it_away_when_somebody_is_there),
        T(sticky_finds_who_had_him_also_by_hand),
        T(assign_again_by_command_and_by_function),
        T(untouched_tickets_are_those_no_person_had_a_hand_in),
        T(a_later_analysis_moves_what_nobody_touched),
        T(an_agents_answer_takes_the_ticket_if_the_group_says_so),
        T(a_batch_that_is_undone_counts_nothing),
        T(an_older_database_is_counted_once),
        T(counts_hold_with_many_writers_at_once),
        T(a_second_process_may_not_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
