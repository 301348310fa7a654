/* SPDX-License-Identifier: BSD-2-Clause
 * What notices do by the clock: reminders, the end of waiting, nights, digests, limits; over
 * restarts, changes of the clock, and clocks that are set.
 */
#include "notice_fixture.h"
#include "ticketd/notice/reminder.h"

#include <stdlib.h>

#define MINUTE_MS INT64_C(60000)

static void release(struct world *w, int64_t now_ms, int want)
{
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_store_notices_release(w->f->store, now_ms, 64, &err), want);
}

/* ---- reminders ------------------------------------------------------------------------ */

#define ASK                                                                              \
    "notify \"ask\" { on = {\"action_required\"} to = {\"requester\"} channel = "        \
    "\"hook\" remind = 1d reminders = 2 close_after = 3d }\n"                            \
    "notify \"state\" { on = {\"state\"} to = {\"requester\"} channel = \"hook\" }\n"

static void move(struct world *w, const char *id, enum tkt_ticket_state to,
                 const char *who)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_store_move(w->f->store, id, to, who, "", w->now_ms, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

/* The ticket waits for its requester, who is asked. */
static void ask(struct world *w, const struct tkt_store_desk_out *ticket)
{
    struct tkt_err err = TKT_ERR_INIT;
    const struct tkt_noticed in = {.what = TKT_NOTICE_ACTION_REQUIRED,
                                   .ticket = ticket->ticket,
                                   .at_ms = w->now_ms,
                                   .data = "",
                                   .text = "Which room?",
                                   .language = "",
                                   .once = ""};

    move(w, ticket->id, TKT_STATE_PENDING, "");
    follow(w, false);
    struct tkt_noticeplan *p = tkt_noticeplan_new(&w->set, w->now_ms);
    assert_int_equal(tkt_noticeplan_add(p, w->tools.reader, &in, &err), 0);
    assert_int_equal(tkt_noticeplan_apply(w->f->store, p, &err), 0);
    tkt_noticeplan_free(p);
}

static struct tkt_reminders *plan_reminders(struct world *w)
{
    struct tkt_reminders *due = NULL;
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_reminders_plan(&w->set, w->tools.reader, w->now_ms, &due, &err) < 0) {
        fail_msg("%s", err.text);
    }
    return due;
}

static void apply_reminders(struct world *w, struct tkt_reminders *due)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (due != NULL && tkt_reminders_apply(w->f->store, due, &err) < 0) {
        fail_msg("%s", err.text);
    }
    tkt_reminders_free(&due);
}

/* What the scheduler does at that time. */
static void remind_at(struct world *w, int64_t now_ms)
{
    w->now_ms = now_ms;
    apply_reminders(w, plan_reminders(w));
    follow(w, false);
}

static int64_t told(struct world *w, const char *what)
{
    char sql[300];

    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM jobs WHERE kind = 'notify' AND"
             " json_extract(payload, '$.what') = '%s'",
             what);
    return number(w->f, sql);
}

static int64_t is_state(struct world *w, enum tkt_ticket_state state)
{
    char sql[100];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM tickets WHERE state = %d",
             (int)state);
    return number(w->f, sql);
}

static void all_went_out(struct world *w)
{
    execute(w->f, "UPDATE jobs SET state = 2, due = NULL WHERE kind = 'notify'");
}

static void who_is_asked_is_reminded_twice_then_it_is_closed(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state, ASK);
    mail(&w, &m, "one", "ann@y.example", true);
    ask(&w, &m.out[0]);
    int64_t told_of_state = told(&w, "state"); /* that it waits */
    static const struct {
        int64_t at, asked, closed;
    } days[] = {
        {DAY_MS - 1, 1, 0},     {DAY_MS, 2, 0},     {DAY_MS + 1000, 2, 0},
        {2 * DAY_MS - 1, 2, 0}, {2 * DAY_MS, 3, 0}, {3 * DAY_MS, 3, 0},
        {5 * DAY_MS - 1, 3, 0}, {5 * DAY_MS, 3, 1}, {9 * DAY_MS, 3, 1},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(days); i++) {
        fixture_reopen(w.f); /* nothing of it is kept in memory */
        all_went_out(&w);
        remind_at(&w, NOW + days[i].at);
        assert_int_equal(told(&w, "action_required"), days[i].asked);
        assert_int_equal(is_state(&w, TKT_STATE_CLOSED), days[i].closed);
    }
    assert_int_equal(number(w.f, "SELECT count(*) FROM events WHERE kind ="
                                 " 'ticket.closed' AND data LIKE '%auto-close%' AND"
                                 " data LIKE '%nobody answered%'"),
                     1);
    assert_int_equal(told(&w, "state"), told_of_state + 1); /* and he hears of it */
    assert_int_equal(number(w.f, "SELECT json_extract(payload, '$.event.reminder') = '1'"
                                 " FROM jobs WHERE kind = 'notify' AND json_extract("
                                 "payload, '$.what') = 'action_required' ORDER BY id"
                                 " DESC LIMIT 1"),
                     1);
    close_world(&w);
}

/* A mail server that is away for days, a channel that a person has to mend. */
static void nobody_is_closed_who_was_not_asked(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state, ASK);
    mail(&w, &m, "one", "ann@y.example", true);
    ask(&w, &m.out[0]);
    remind_at(&w, NOW + DAY_MS);
    remind_at(&w, NOW + 2 * DAY_MS);
    for (int day = 5; day < 30; day += 3) {
        remind_at(&w, NOW + day * DAY_MS);
        assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 0);
    }
    assert_int_equal(told(&w, "action_required"), 3); /* nor is he asked more often */
    all_went_out(&w);
    remind_at(&w, NOW + 32 * DAY_MS - 1);
    assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 0); /* he has his time */
    remind_at(&w, NOW + 32 * DAY_MS);
    assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 1);
    close_world(&w);
}

static void a_question_beyond_a_limit_is_put_by_the_next_reminder(void **state)
{
    struct world w;
    struct sample a, b;

    open_world(
        &w, *state,
        "notify \"ask\" { on = {\"action_required\"} to = {\"requester\"} channel ="
        " \"hook\" remind = 1d reminders = 2 per_recipient = 1 }\n");
    mail(&w, &a, "one", "ann@y.example", true);
    mail(&w, &b, "two", "ann@y.example", true);
    ask(&w, &a.out[0]);
    ask(&w, &b.out[0]);
    assert_int_equal(told(&w, "action_required"), 1);
    execute(w.f, "DELETE FROM asks WHERE ticket = 1");
    remind_at(&w, NOW + DAY_MS);
    assert_int_equal(told(&w, "action_required"), 2);
    close_world(&w);
}

static void after_a_rest_he_is_told_once_and_has_his_time(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state, ASK);
    mail(&w, &m, "one", "ann@y.example", true);
    ask(&w, &m.out[0]);
    remind_at(&w, NOW + 30 * DAY_MS); /* nobody ran for a month */
    remind_at(&w, NOW + 30 * DAY_MS + 1000);
    assert_int_equal(told(&w, "action_required"), 2);
    assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 0);
    remind_at(&w, NOW + 31 * DAY_MS);
    assert_int_equal(told(&w, "action_required"), 3);
    remind_at(&w, NOW + 34 * DAY_MS - 1);
    assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 0);
    all_went_out(&w);
    remind_at(&w, NOW + 34 * DAY_MS);
    assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 1);
    close_world(&w);
}

/* Between planning and writing he writes. */
static void an_answer_at_the_last_moment_counts(void **state)
{
    static const int64_t days[] = {1, 5}; /* of a reminder, of the end */
    struct world w;
    struct sample m;
    char text[20];

    open_world(&w, *state, ASK);
    for (size_t i = 0; i < TKT_ARRAY_LEN(days); i++) {
        w.now_ms = NOW + (int64_t)i * 100 * DAY_MS;
        int64_t begun = w.now_ms;
        snprintf(text, sizeof(text), "mail %zu", i);
        mail(&w, &m, text, "ann@y.example", true);
        ask(&w, &m.out[0]);
        for (int64_t day = 1; day < days[i]; day++) {
            remind_at(&w, begun + day * DAY_MS);
        }
        int64_t asked = told(&w, "action_required");
        all_went_out(&w);
        w.now_ms = begun + days[i] * DAY_MS;
        struct tkt_reminders *due = plan_reminders(&w);
        assert_non_null(due);
        move(&w, m.out[0].id, TKT_STATE_OPEN, "ann@y.example");
        apply_reminders(&w, due);
        follow(&w, false);
        assert_int_equal(told(&w, "action_required"), asked);
        remind_at(&w, begun + 90 * DAY_MS);
        assert_int_equal(told(&w, "action_required"), asked);
    }
    assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 0);
    assert_int_equal(count_of(w.f, "asks"), 0);
    close_world(&w);
}

static void a_reopened_ticket_is_asked_anew(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state, ASK);
    mail(&w, &m, "one", "ann@y.example", true);
    ask(&w, &m.out[0]);
    for (int day = 1; day <= 5; day++) {
        all_went_out(&w);
        remind_at(&w, NOW + day * DAY_MS);
    }
    assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 1);
    move(&w, m.out[0].id, TKT_STATE_OPEN, "ann@y.example");
    follow(&w, false);
    remind_at(&w, NOW + 20 * DAY_MS);
    assert_int_equal(told(&w, "action_required"), 3);
    assert_int_equal(is_state(&w, TKT_STATE_CLOSED), 0);
    ask(&w, &m.out[0]);
    remind_at(&w, NOW + 21 * DAY_MS);
    assert_int_equal(told(&w, "action_required"), 5);
    close_world(&w);
}

static void a_reminder_is_of_the_section_that_asked(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state,
               "notify \"room\" { on = {\"action_required\"} to = {\"room\"} channel ="
               " \"hook\" }\n" ASK);
    mail(&w, &m, "one", "ann@y.example", true);
    ask(&w, &m.out[0]);
    assert_int_equal(told(&w, "action_required"), 2);
    remind_at(&w, NOW + DAY_MS);
    assert_int_equal(told(&w, "action_required"), 3);
    close_world(&w);
}

/* ---- nights ---------------------------------------------------------------------------- */

#define NIGHT                                                                            \
    "calendar \"day\" { time_zone = \"Europe/Berlin\" hours = {\"daily 07:00-22:00\"}"   \
    " }\n"                                                                               \
    "calendar \"ny\" { time_zone = \"America/New_York\" hours = {\"daily 07:00-22:00\"}" \
    " }\n"                                                                               \
    "agent \"bob@x.example\" { calendar = \"ny\" }\n"                                    \
    "group \"field\" { members = {\"bob@x.example\", \"eve@x.example\"} }\n"

static int64_t due_of(struct world *w)
{
    return number(w->f, "SELECT coalesce(max(due), 0) FROM notices");
}

/* 23:00 in Berlin; 07:00 the next day, when the clock was not changed, and when it was. */
static void what_comes_at_night_comes_in_the_morning_once(void **state)
{
    static const struct {
        int64_t at_s, due_s;
    } nights[] = {{1800050400, 1800050400 + 8 * 3600},
                  {1806184800, 1806184800 + 7 * 3600},  /* 2027-03-27: an hour less */
                  {1824930000, 1824930000 + 9 * 3600}}; /* 2027-10-30: one more */
    struct world w;
    struct sample m;
    char text[20];

    open_world(&w, *state,
               NIGHT "notify \"a\" { on = {\"created\"} to = {\"sd@x.example\"} channel ="
                     " \"hook\" hours = \"day\" }\n");
    for (size_t i = 0; i < TKT_ARRAY_LEN(nights); i++) {
        w.now_ms = nights[i].at_s * 1000;
        snprintf(text, sizeof(text), "night %zu", i);
        mail(&w, &m, text, "ann@y.example", true);
        follow(&w, true); /* killed */
        follow(&w, false);
        assert_int_equal(jobs(&w), (int)i);
        assert_int_equal(due_of(&w), nights[i].due_s * 1000);
        fixture_reopen(w.f);
        release(&w, nights[i].due_s * 1000 - 1, 0);
        release(&w, nights[i].due_s * 1000, 1);
        fixture_reopen(w.f);
        release(&w, nights[i].due_s * 1000 + 1, 0);
        assert_int_equal(jobs(&w), (int)i + 1);
    }
    close_world(&w);
}

static void a_colleague_has_his_own_night(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state,
               NIGHT "notify \"a\" { on = {\"created\"} to = {\"bob@x.example\","
                     " \"eve@x.example\"} channel = \"hook\" hours = \"day\""
                     " own_hours = yes }\n");
    w.now_ms = INT64_C(1800050400000); /* 23:00 in Berlin, 17:00 in New York */
    mail(&w, &m, "one", "ann@y.example", true);
    follow(&w, false);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'notify' AND"
                                 " json_extract(payload, '$.to') = 'bob@x.example'"),
                     1);
    assert_int_equal(jobs(&w), 1);
    assert_int_equal(due_of(&w), INT64_C(1800050400000) + 8 * HOUR_MS);
    close_world(&w);
}

static void a_question_that_is_held_is_not_put_to_who_has_answered(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state,
               NIGHT "notify \"ask\" { on = {\"action_required\"} to = {\"requester\"}"
                     " channel = \"hook\" hours = \"day\" remind = 1d }\n");
    w.now_ms = INT64_C(1800050400000);
    mail(&w, &m, "one", "ann@y.example", true);
    ask(&w, &m.out[0]);
    assert_int_equal(count_of(w.f, "notices"), 1);
    move(&w, m.out[0].id, TKT_STATE_OPEN, "ann@y.example");
    follow(&w, false);
    assert_int_equal(count_of(w.f, "notices"), 0);
    close_world(&w);
}

/* ---- digests --------------------------------------------------------------------------- */

static void a_digest_goes_on_across_restarts(void **state)
{
    struct world w;
    struct sample m;
    char text[20];

    open_world(&w, *state,
               "notify \"team\" { on = {\"created\"} to = {\"sd@x.example\"}"
               " channel = \"hook\" digest = 10m }\n");
    for (int i = 0; i < 4; i++) {
        w.now_ms = NOW + i * 3 * MINUTE_MS;
        snprintf(text, sizeof(text), "mail %d", i);
        mail(&w, &m, text, "ann@y.example", true);
        follow(&w, true);
        fixture_reopen(w.f);
        follow(&w, false);
        assert_int_equal(due_of(&w), NOW + 10 * MINUTE_MS); /* the first's */
    }
    release(&w, NOW + 10 * MINUTE_MS - 1, 0);
    fixture_reopen(w.f);
    release(&w, NOW + 10 * MINUTE_MS, 1);
    assert_int_equal(number(w.f, "SELECT json_array_length(payload, '$.items') FROM jobs"
                                 " WHERE kind = 'notify'"),
                     4);
    w.now_ms = NOW + 11 * MINUTE_MS; /* the next window */
    mail(&w, &m, "later", "ann@y.example", true);
    follow(&w, false);
    assert_int_equal(due_of(&w), NOW + 21 * MINUTE_MS);
    close_world(&w);
}

/* ---- limits ---------------------------------------------------------------------------- */

static unsigned seed;
static int roll(int n)
{
    seed = seed * 1103515245u + 12345u;
    return (int)(seed >> 16) % n;
}

#define MAX 20
#define TRIES 5000

/* By bursts and rests, edges of windows among them. */
static void in_no_hour_are_there_more_than_the_limit(void **state)
{
    static int64_t at[TRIES];
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    int64_t now = NOW;
    int count = 0;
    int refused = 0;

    seed = 7;
    execute(f, "PRAGMA synchronous = OFF");
    for (int i = 0; i < TRIES; i++) {
        now += roll(40) == 0 ? roll(70) * MINUTE_MS : roll(60) * 1000;
        int n = tkt_store_notice_count(f->store, "x", MAX, HOUR_MS, now, &err);
        assert_true(n >= 0);
        refused += n == 0;
        if (n == 1) {
            at[count++] = now;
            assert_true(count <= MAX || now - at[count - 1 - MAX] >= HOUR_MS);
        } else { /* never for longer than an hour and a part of it */
            assert_true(now - at[count - MAX] <=
                        HOUR_MS + HOUR_MS / TKT_STORE_COUNT_PARTS);
        }
    }
    assert_true(count > 500 && refused > 500);
}

static void a_clock_that_was_set_back_gives_no_more_and_takes_no_longer(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    int64_t wrong = NOW + 4000 * DAY_MS;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(tkt_store_notice_count(f->store, "x", 3, HOUR_MS, wrong, &err),
                         1);
    }
    assert_int_equal(tkt_store_notice_count(f->store, "one", 1, HOUR_MS, wrong, &err), 1);
    assert_int_equal(tkt_store_notice_count(f->store, "x", 3, HOUR_MS, NOW, &err), 0);
    assert_int_equal(tkt_store_notice_count(f->store, "one", 1, HOUR_MS, NOW, &err), 0);
    int64_t later = NOW + HOUR_MS + HOUR_MS / TKT_STORE_COUNT_PARTS;
    assert_int_equal(tkt_store_notice_count(f->store, "x", 3, HOUR_MS, later, &err), 1);
    assert_int_equal(tkt_store_notice_count(f->store, "one", 1, HOUR_MS, later, &err), 1);
}

/* ---- a clock that is set ---------------------------------------------------------------- */

static void what_waits_for_a_future_that_did_not_come_waits_from_now(void **state)
{
    struct world w;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;

    open_world(&w, *state,
               ASK "notify \"team\" { on = {\"created\"} to = {\"sd@x.example\"}"
                   " channel = \"hook\" digest = 10m }\n");
    w.now_ms = NOW + 4000 * DAY_MS; /* eleven years */
    mail(&w, &m, "one", "ann@y.example", true);
    follow(&w, false);
    ask(&w, &m.out[0]);
    assert_int_equal(count_of(w.f, "notices"), 1);
    assert_int_equal(tkt_notice_back(w.f->store, &w.set, NOW, &err), 2);
    assert_int_equal(tkt_notice_back(w.f->store, &w.set, NOW, &err), 0);
    release(&w, NOW + 10 * MINUTE_MS - 1, 0);
    release(&w, NOW + 10 * MINUTE_MS, 1);
    int64_t asked = told(&w, "action_required");
    remind_at(&w, NOW + DAY_MS - 1);
    assert_int_equal(told(&w, "action_required"), asked);
    remind_at(&w, NOW + DAY_MS);
    assert_int_equal(told(&w, "action_required"), asked + 1);
    close_world(&w);
}

/* ---- words ------------------------------------------------------------------------------ */

static void he_is_told_in_the_language_of_his_mail(void **state)
{
    struct world w;
    struct sample m;

    open_world(
        &w, *state,
        "notify \"ack\" { on = {\"created\"} to = {\"requester\", \"sd@x.example\"}"
        " channel = \"hook\" }\n");
    sample_init(&m, "Der Drucker druckt nicht");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    m.decision.acknowledge = true;
    m.desks[0].language = "de";
    m.in.requester = "ann@y.example";
    reserve_ok(w.f, &m);
    follow(&w, false);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'notify' AND"
                                 " json_extract(payload, '$.role') = 'requester' AND"
                                 " json_extract(payload, '$.language') = 'de'"),
                     1);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'notify' AND"
                                 " json_extract(payload, '$.role') <> 'requester' AND"
                                 " json_extract(payload, '$.language') IS NULL"),
                     1); /* a colleague: in the desk's */
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_is_asked_is_reminded_twice_then_it_is_closed),
        T(nobody_is_closed_who_was_not_asked),
        T(a_question_beyond_a_limit_is_put_by_the_next_reminder),
        T(after_a_rest_he_is_told_once_and_has_his_time),
        T(an_answer_at_the_last_moment_counts),
        T(a_reopened_ticket_is_asked_anew),
        T(a_reminder_is_of_the_section_that_asked),
        T(what_comes_at_night_comes_in_the_morning_once),
        T(a_colleague_has_his_own_night),
        T(a_question_that_is_held_is_not_put_to_who_has_answered),
        T(a_digest_goes_on_across_restarts),
        T(in_no_hour_are_there_more_than_the_limit),
        T(a_clock_that_was_set_back_gives_no_more_and_takes_no_longer),
        T(what_waits_for_a_future_that_did_not_come_waits_from_now),
        T(he_is_told_in_the_language_of_his_mail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
