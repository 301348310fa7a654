/* SPDX-License-Identifier: BSD-2-Clause
 * The follower that carries changes to ITSMs, over a real store: what becomes a job, what
 * is one already, what came from there.
 */
#include "tests/unit/store_fixture.h"

#include "store/back.h"
#include "store/external.h"
#include "ticketd/itsm/follow_itsm.h"

#define EVENTS_MAX 64

struct followed {
    struct fixture *f;
    struct tkt_conf conf;
    struct tkt_conf_itsm itsms[2];
    struct tkt_settings set;
    int64_t place;
    struct sample m;
};

static int apply_plan(struct tkt_store *s, void *plan, struct tkt_err *err)
{
    return tkt_follow_itsm.apply(s, plan, err);
}

/* One round over what happened since the last one. */
static void follow(struct followed *w)
{
    struct tkt_wire_arena arena = {0};
    struct tkt_store_event events[EVENTS_MAX];
    struct tkt_err err = TKT_ERR_INIT;
    void *plan = NULL;
    int n =
        tkt_reader_events_after(w->f->reader, w->place, EVENTS_MAX, &arena, events, &err);

    assert_true(n >= 0);
    struct tkt_follow_round round = {
        .set = &w->set, .events = events, .count = (size_t)n, .now_ms = NOW + 1000};
    assert_int_equal(tkt_follow_itsm.plan(&round, &plan, &err), 0);
    if (plan != NULL) {
        struct tkt_store_item item = {.apply = apply_plan, .arg = plan, .bytes = 100};
        assert_int_equal(tkt_store_batch(w->f->store, &item, 1), 1);
        assert_string_equal(item.err.text, "");
        assert_int_equal(item.result, 0);
        tkt_follow_itsm.release(plan);
    }
    w->place = n > 0 ? events[n - 1].id : w->place;
    tkt_wire_arena_release(&arena);
}

/* A ticket whose create is queued; what happened so far is behind us. */
static void begin(struct followed *w, void **state)
{
    memset(w, 0, sizeof(*w));
    w->f = *state;
    for (int i = 0; i < 2; i++) {
        w->itsms[i] = (struct tkt_conf_itsm){.name = (char *)(i ? "jira" : "other"),
                                             .type = (char *)"rt"};
    }
    w->conf = (struct tkt_conf){.itsms = w->itsms, .itsm_count = 2};
    w->set.conf = &w->conf;
    make(w->f, &w->m, "text");
    follow(w);
}

static int64_t updates(struct followed *w)
{
    return number(w->f, "SELECT count(*) FROM jobs WHERE kind = 'update'");
}

static void set(struct followed *w, const char *id, const char *field, const char *value,
                const char *who, int64_t at_ms)
{
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_store_set(w->f->store, id, field, value, who, at_ms, &err), 0);
    follow(w);
}

static int apply_external(struct tkt_store *s, void *in, struct tkt_err *err)
{
    return tkt_store_external_set(s, in, NOW, err);
}

/* It stands there now, and its create is done. */
static void stand(struct followed *w, const char *itsm, int64_t ticket, const char *name)
{
    struct tkt_store_external in = {
        .ticket = ticket, .itsm = itsm, .key = name, .number = name, .url = ""};
    struct tkt_store_item item = {.apply = apply_external, .arg = &in, .bytes = 100};

    execute(w->f, "UPDATE jobs SET state = 2, due = NULL WHERE kind = 'create'");
    assert_int_equal(tkt_store_batch(w->f->store, &item, 1), 1);
    assert_string_equal(item.err.text, "");
    follow(w);
}

static int64_t ticket_of(struct followed *w)
{
    return w->m.out[0].ticket;
}

static void a_create_that_has_not_begun_takes_the_change_along(void **state)
{
    struct followed w;

    begin(&w, state);
    assert_int_equal(updates(&w), 0); /* nor is the new ticket itself a change */
    set(&w, "IT-1", "priority", "1", "ann", NOW + 10);
    assert_int_equal(updates(&w), 0);
    execute(w.f, "UPDATE jobs SET state = 1 WHERE kind = 'create'");
    set(&w, "IT-1", "priority", "2", "ann", NOW + 20);
    assert_int_equal(updates(&w), 1);
    assert_int_equal(number(w.f, "SELECT due IS NULL FROM jobs WHERE kind = 'update'"),
                     1); /* behind the create in its lane */
}

/* The answer to a lost create shows what was sent then. */
static void a_create_in_doubt_is_followed_by_the_change(void **state)
{
    struct followed w;

    begin(&w, state);
    execute(w.f, "UPDATE jobs SET state = 3, doubt = 5 WHERE kind = 'create'");
    set(&w, "IT-1", "group", "net", "ann", NOW + 10);
    assert_int_equal(updates(&w), 1);
}

static void many_changes_before_it_begins_are_one_job(void **state)
{
    struct followed w;

    begin(&w, state);
    stand(&w, "jira", ticket_of(&w), "77");
    set(&w, "IT-1", "priority", "1", "ann", NOW + 10);
    set(&w, "IT-1", "group", "net", "ann", NOW + 20);
    set(&w, "IT-1", "field:site", "Berlin", "ann", NOW + 30);
    set(&w, "IT-1", "state", "resolved", "ann", NOW + 40);
    assert_int_equal(updates(&w), 1);
    execute(w.f, "UPDATE jobs SET state = 1 WHERE kind = 'update'");
    set(&w, "IT-1", "state", "open", "ann", NOW + 50);
    assert_int_equal(updates(&w), 2);
    set(&w, "IT-1", "tags", "a", "ann", NOW + 60); /* no ITSM has a place for it */
    assert_int_equal(updates(&w), 2);
}

static void is_told(struct followed *w, const char *want)
{
    char sql[200];

    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM jobs WHERE kind = 'update' AND state = 0"
             " AND coalesce(payload, 'all') = '%s'",
             want);
    assert_int_equal(number(w->f, sql), 1);
}

static void a_job_tells_the_sum_of_what_changed_before_it_begins(void **state)
{
    struct followed w;

    begin(&w, state);
    stand(&w, "jira", ticket_of(&w), "77");
    set(&w, "IT-1", "priority", "1", "ann", NOW + 10);
    is_told(&w, "{\"only\":[\"priority\"]}");
    set(&w, "IT-1", "group", "net", "ann", NOW + 20);
    set(&w, "IT-1", "urgency", "1", "ann", NOW + 30);
    is_told(&w, "{\"only\":[\"priority\",\"group\"]}");
    execute(w.f, "UPDATE jobs SET state = 1 WHERE kind = 'update'");
    set(&w, "IT-1", "state", "resolved", "ann", NOW + 40);
    is_told(&w, "{\"only\":[\"state\"]}"); /* the other one is on its way */
    execute(w.f, "UPDATE jobs SET payload = NULL WHERE state = 0");
    set(&w, "IT-1", "group", "app", "ann", NOW + 50);
    is_told(&w, "all"); /* a job that was to tell all still does */
    execute(w.f, "UPDATE jobs SET payload = '{\"only\":  []}' WHERE state = 0");
    set(&w, "IT-1", "group", "net", "ann", NOW + 60);
    is_told(&w, "all"); /* whatever somebody made of it */
}

static void what_came_from_an_itsm_does_not_go_back_there(void **state)
{
    struct followed w;

    begin(&w, state);
    stand(&w, "jira", ticket_of(&w), "77");
    stand(&w, "other", ticket_of(&w), "O-1");
    set(&w, "IT-1", "state", "resolved", "itsm:jira", NOW + 10);
    set(&w, "IT-1", "group", "net", "itsm:jira", NOW + 20);
    set(&w, "IT-1", "assignee", "bob@example.org", "itsm:jira", NOW + 30);
    assert_int_equal(updates(&w), 1);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'update'"
                                 " AND target = 'other'"),
                     1);
}

/* What the ITSM says, as a look of ticketd writes it. */
static struct tkt_store_back_out look(struct followed *w, const char *itsm,
                                      const char *state, enum tkt_ticket_state to,
                                      const char *note)
{
    const struct tkt_store_back_note notes[] = {
        {.id = note, .author = "ann", .text = "seen", .is_public = true}};
    const struct tkt_store_back in = {.ticket = ticket_of(w),
                                      .itsm = itsm,
                                      .state = state,
                                      .group = "Network",
                                      .assignee = "",
                                      .priority = "80",
                                      .states = 1u << to,
                                      .state_to = (int)to,
                                      .priorities = 1u << 2,
                                      .priority_to = 2,
                                      .group_to = "net",
                                      .notes = notes,
                                      .note_count = 1,
                                      .asked_ms = NOW,
                                      .poll_ms = 60000};
    struct tkt_store_back_out out;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_store_back(w->f->store, &in, NOW + 20, &out, &err), 0);
    follow(w);
    return out;
}

/* Round after round: what came from there is here, and nothing is sent for it. */
static void no_change_goes_round_between_an_itsm_and_us(void **state)
{
    struct followed w;

    begin(&w, state);
    stand(&w, "jira", ticket_of(&w), "77");
    struct tkt_store_back_out out = look(&w, "jira", "done", TKT_STATE_RESOLVED, "1");
    assert_true(out.changes > 0);
    assert_int_equal(number(w.f, "SELECT state FROM tickets"), TKT_STATE_RESOLVED);
    out = look(&w, "jira", "again", TKT_STATE_OPEN, "2");
    assert_true(out.changes > 0 && out.comments == 1);
    out = look(&w, "jira", "again", TKT_STATE_OPEN, "2");
    assert_int_equal(out.changes + out.comments, 0);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE state <> 2"
                                 " AND kind IN ('update', 'comment')"),
                     0);
    /* Ours goes out, and its echo is no change. */
    set(&w, "IT-1", "state", "resolved", "ann", NOW + 30);
    assert_int_equal(updates(&w), 1);
    execute(w.f, "UPDATE jobs SET state = 2, due = NULL WHERE kind = 'update'");
    out = look(&w, "jira", "done", TKT_STATE_RESOLVED, "2");
    assert_int_equal(out.changes, 0);
    assert_int_equal(updates(&w), 1);
}

static void a_merge_is_told_at_both_ends_and_closes_what_was_merged(void **state)
{
    struct followed w;
    struct sample second;
    struct tkt_err err = TKT_ERR_INIT;

    begin(&w, state);
    make(w.f, &second, "another text");
    follow(&w);
    stand(&w, "jira", ticket_of(&w), "77");
    stand(&w, "jira", second.out[0].ticket, "78");
    assert_int_equal(tkt_store_merge(w.f->store, "IT-2", "IT-1", "ann", NOW + 10, &err),
                     0);
    follow(&w);
    assert_int_equal(updates(&w), 1);
    assert_int_equal(
        number(w.f, "SELECT count(*) FROM jobs j JOIN tickets t ON t.id = j.ticket"
                    " WHERE kind = 'update' AND t.number = 2"),
        1);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'comment' AND"
                                 " json_extract(payload, '$.text') IN ('Merged into IT-1"
                                 " (77).', 'IT-2 (78) was merged into this one.')"),
                     2);
    /* Comment first: what is closed may take none. */
    assert_int_equal(number(w.f, "SELECT (SELECT max(id) FROM jobs WHERE kind = 'update')"
                                 " > (SELECT min(id) FROM jobs WHERE kind = 'comment')"),
                     1);
}

static void a_section_may_leave_merged_tickets_alone(void **state)
{
    struct followed w;
    struct sample second;
    struct tkt_err err = TKT_ERR_INIT;

    begin(&w, state);
    make(w.f, &second, "another text");
    stand(&w, "jira", second.out[0].ticket, "78");
    w.itsms[1].merged = TKT_CONF_MERGED_NOTHING;
    assert_int_equal(tkt_store_merge(w.f->store, "IT-2", "IT-1", "ann", NOW + 10, &err),
                     0);
    follow(&w);
    assert_int_equal(updates(&w), 0);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'comment'"), 0);
}

static void an_itsm_that_is_no_section_any_more_gets_nothing(void **state)
{
    struct followed w;

    begin(&w, state);
    stand(&w, "jira", ticket_of(&w), "77");
    w.conf.itsm_count = 1;
    set(&w, "IT-1", "priority", "1", "ann", NOW + 10);
    assert_int_equal(updates(&w), 0);
    w.itsms[0].type = (char *)"local";
    assert_false(tkt_follow_itsm.wanted(&w.set));
}

static void a_number_leads_to_its_ticket_and_tells_who_takes_part(void **state)
{
    struct followed w;
    struct tkt_reader_ticket found[4];
    struct tkt_err err = TKT_ERR_INIT;

    begin(&w, state);
    stand(&w, "jira", ticket_of(&w), "PROJ-12");
    assert_int_equal(tkt_reader_by_external(w.f->reader, "jira", "proj-12",
                                            "anna@example.org", found, 4, &err),
                     1);
    assert_int_equal(found[0].ticket, ticket_of(&w));
    assert_true(found[0].is_participant);
    assert_int_equal(tkt_reader_by_external(w.f->reader, "jira", "PROJ-12",
                                            "eve@example.net", found, 4, &err),
                     1);
    assert_false(found[0].is_participant);
    assert_int_equal(tkt_reader_by_external(w.f->reader, "other", "PROJ-12",
                                            "anna@example.org", found, 4, &err),
                     0);
    assert_int_equal(number(w.f, "SELECT count(*) FROM sqlite_master"
                                 " WHERE name = 'externals_number'"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_create_that_has_not_begun_takes_the_change_along),
        T(a_create_in_doubt_is_followed_by_the_change),
        T(a_job_tells_the_sum_of_what_changed_before_it_begins),
        T(many_changes_before_it_begins_are_one_job),
        T(what_came_from_an_itsm_does_not_go_back_there),
        T(no_change_goes_round_between_an_itsm_and_us),
        T(a_merge_is_told_at_both_ends_and_closes_what_was_merged),
        T(a_section_may_leave_merged_tickets_alone),
        T(a_number_leads_to_its_ticket_and_tells_who_takes_part),
        T(an_itsm_that_is_no_section_any_more_gets_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
