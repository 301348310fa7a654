/* SPDX-License-Identifier: BSD-2-Clause
 * Notices over a real store: what becomes of events, within which limits, across restarts.
 * The clock is the plan's.
 */
#include "notice_fixture.h"

#include "ticketd/notice/notice.h"

#include <stdlib.h>

#define ACK                                                                              \
    "notify \"ack\" { on = {\"created\"} to = {\"requester\"} channel = \"hook\" }\n"

static void a_mail_is_acknowledged_once_whatever_is_killed(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state, ACK);
    mail(&w, &m, "one", "ann@y.example", true);
    follow(&w, true);
    assert_int_equal(jobs(&w), 0);
    follow(&w, false);
    assert_int_equal(jobs(&w), 1);
    w.place = 0; /* the same events again, as a restored place would have it */
    follow(&w, false);
    assert_int_equal(jobs(&w), 1);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'notify' AND"
                                 " json_extract(payload, '$.to') = 'ann@y.example' AND"
                                 " json_extract(payload, '$.answer') AND"
                                 " target = 'hook'"),
                     1);
    close_world(&w);
}

static void robots_shadows_refused_and_undelivered_mail_are_not_answered(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state, ACK);
    mail(&w, &m, "robot", "cron@y.example", false);
    mail(&w, &m, "own", "it@x.example", true); /* the desk itself */
    sample_init(&m, "shadow");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    m.decision.acknowledge = true;
    m.desks[0].shadow = true;
    reserve_ok(w.f, &m);
    sample_init(&m, "refused");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    m.decision.acknowledge = true;
    m.desks[0].refused = true;
    m.desks[0].reason = "no";
    reserve_ok(w.f, &m);
    sample_init(&m, "held");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    m.decision.acknowledge = true;
    sample_sieve(&m, "it@x.example");
    reserve_ok(w.f, &m);
    follow(&w, false);
    assert_int_equal(jobs(&w), 0);
    struct tkt_err err = TKT_ERR_INIT; /* now it is delivered */
    assert_int_equal(tkt_store_confirm(w.f->store, m.out[0].hold, false, w.now_ms, &err),
                     0);
    follow(&w, false);
    assert_int_equal(jobs(&w), 1);
    close_world(&w);
}

static void limits_hold_for_recipients_and_desks_and_are_told_once(void **state)
{
    struct world w;
    struct sample m;
    char text[40], from[40];

    open_world(&w, *state,
               "notify \"ack\" { on = {\"created\"} to = {\"requester\"}"
               " channel = \"hook\" per_recipient = 5 }\n"
               "notify \"alarm\" { on = {\"alarm\"} to = {\"admin@x.example\"}"
               " channel = \"hook\" }\n");
    for (int i = 0; i < 200; i++) { /* two loops that pass for people */
        snprintf(text, sizeof(text), "loop %d", i);
        mail(&w, &m, text, i % 2 ? "a@y.example" : "b@y.example", true);
    }
    follow(&w, true);
    fixture_reopen(w.f);
    follow(&w, false);
    assert_int_equal(jobs(&w), 10);
    assert_int_equal(events(&w, "notice.limited"), 2);
    assert_int_equal(events(&w, "notice.capped"), 0);
    for (int i = 0; i < 100; i++) { /* a storm of many senders */
        snprintf(text, sizeof(text), "storm %d", i);
        snprintf(from, sizeof(from), "s%d@y.example", i);
        mail(&w, &m, text, from, true);
    }
    follow(&w, false);
    assert_int_equal(jobs(&w), 50 + 1); /* and the alarm */
    assert_int_equal(events(&w, "notice.capped"), 1);
    assert_int_equal(count_of(w.f, "tickets"), 300); /* none is lost */
    w.now_ms += HOUR_MS + HOUR_MS / TKT_STORE_COUNT_PARTS;
    mail(&w, &m, "after", "a@y.example", true);
    follow(&w, false);
    assert_int_equal(jobs(&w), 52);
    close_world(&w);
}

static void only_a_proved_sender_brings_others_along(void **state)
{
    struct world w;
    struct sample m;

    open_world(&w, *state,
               "notify \"ack\" { on = {\"created\"} to = {\"requester\", \"cc\"}"
               " channel = \"hook\" }\n");
    for (int i = 0; i < 2; i++) {
        sample_init(&m, i == 0 ? "proved" : "not");
        sample_decide(&m, TKT_ACTION_NEW, 0);
        m.who[1] = (struct tkt_store_participant){"stranger@z.example", "cc"};
        m.decision.acknowledge = true;
        m.decision.assurance = i == 0 ? TKT_ASSURANCE_PASS : TKT_ASSURANCE_NONE;
        reserve_ok(w.f, &m);
    }
    follow(&w, false);
    assert_int_equal(jobs(&w), 3);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'notify' AND"
                                 " json_extract(payload, '$.role') = 'cc'"),
                     1);
    close_world(&w);
}

static void a_digest_is_one_notice_for_many(void **state)
{
    struct world w;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;
    char text[40], from[40];

    open_world(&w, *state,
               "notify \"team\" { on = {\"created\"} to = {\"sd@x.example\"}"
               " channel = \"hook\" digest = 10m per_recipient = 2 }\n");
    for (int i = 0; i < 60; i++) { /* more than any limit has: it is one notice */
        snprintf(text, sizeof(text), "mail %d", i);
        snprintf(from, sizeof(from), "s%d@y.example", i);
        mail(&w, &m, text, from, true);
        w.now_ms += 1000;
    }
    follow(&w, false);
    assert_int_equal(jobs(&w), 0);
    assert_int_equal(count_of(w.f, "notices"), 60);
    assert_int_equal(events(&w, "notice.limited") + events(&w, "notice.capped"), 0);
    assert_int_equal(tkt_reader_notices_due(w.tools.reader, w.now_ms, &err), 0);
    int64_t due = w.now_ms + 10 * 60000;
    assert_int_equal(tkt_reader_notices_due(w.tools.reader, due, &err), 1);
    assert_int_equal(tkt_store_notices_release(w.f->store, due, 64, &err), 1);
    assert_int_equal(jobs(&w), 1);
    assert_int_equal(count_of(w.f, "notices"), 0);
    assert_int_equal(number(w.f, "SELECT json_array_length(payload, '$.items') FROM jobs"
                                 " WHERE kind = 'notify'"),
                     60);
    assert_int_equal(
        number(w.f, "SELECT json_extract(payload, '$.what') = 'digest' AND"
                    " json_extract(payload, '$.like.to') = 'sd@x.example' AND"
                    " json_extract(payload, '$.items[3].line') LIKE '[IT-%' FROM jobs"
                    " WHERE kind = 'notify'"),
        1);
    close_world(&w);
}

static void who_cannot_or_will_not_be_told_is_not(void **state)
{
    struct world w;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;
    bool was = false;

    open_world(&w, *state, ACK);
    assert_int_equal(tkt_store_contact_mark(w.f->store, "gone@y.example",
                                            TKT_CONTACT_UNDELIVERABLE, "550 5.1.1", 0,
                                            NOW, &err),
                     0);
    assert_int_equal(tkt_store_contact_mark(w.f->store, "quiet@y.example",
                                            TKT_CONTACT_OPTED_OUT, "", 0, NOW, &err),
                     0);
    assert_int_equal(tkt_store_contact_mark(w.f->store, "quiet@y.example",
                                            TKT_CONTACT_OPTED_OUT, "", 0, NOW, &err),
                     0);
    assert_int_equal(events(&w, "contact.marked"), 2);
    mail(&w, &m, "one", "gone@y.example", true);
    mail(&w, &m, "two", "quiet@y.example", true);
    follow(&w, false);
    assert_int_equal(jobs(&w), 0);
    assert_int_equal(tkt_store_contact_clear(w.f->store, "gone@y.example",
                                             TKT_CONTACT_UNDELIVERABLE, "root", &was, NOW,
                                             &err),
                     0);
    assert_true(was);
    mail(&w, &m, "three", "gone@y.example", true);
    follow(&w, false);
    assert_int_equal(jobs(&w), 1);
    close_world(&w);
}

/* Three notices within an hour of a full mailbox are one failure. */
static void what_may_pass_marks_after_days_and_what_lasts_at_once(void **state)
{
    const int64_t day_ms = 86400 * INT64_C(1000);
    struct tkt_store_contact_failed full = {
        .address = "full@y.example", .reason = "5.2.2", .after = 3};
    const struct tkt_store_contact_failed gone = {
        .address = "gone@y.example", .reason = "5.1.1", .after = 1};
    struct world w;
    struct tkt_err err = TKT_ERR_INIT;

    open_world(&w, *state, ACK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(tkt_store_contact_failed(w.f->store, &full, NOW + i, &err), 0);
    }
    struct tkt_store_contact_failed otherwise = full; /* written, but the same mailbox */
    otherwise.address = "Full@Y.example";
    assert_int_equal(
        tkt_store_contact_failed(w.f->store, &otherwise, NOW + day_ms + 1, &err), 0);
    assert_int_equal(tkt_reader_contact(w.tools.reader, full.address, "", &err), 0);
    assert_int_equal(tkt_store_contact_failed(w.f->store, &gone, NOW, &err), 0);
    assert_int_equal(tkt_reader_contact(w.tools.reader, gone.address, "", &err),
                     TKT_CONTACT_UNDELIVERABLE);
    assert_int_equal(
        tkt_store_contact_failed(w.f->store, &full, NOW + 2 * day_ms + 2, &err), 0);
    assert_int_equal(tkt_reader_contact(w.tools.reader, full.address, "", &err),
                     TKT_CONTACT_UNDELIVERABLE);
    assert_int_equal(events(&w, "contact.marked"), 2);
    /* Now and then is no mark: the window of the first is over. */
    full.address = "often@y.example";
    for (int i = 0; i < 6; i++) {
        assert_int_equal(
            tkt_store_contact_failed(w.f->store, &full, NOW + i * 8 * day_ms, &err), 0);
    }
    assert_int_equal(tkt_reader_contact(w.tools.reader, full.address, "", &err), 0);
    close_world(&w);
}

static void a_comment_is_told_when_public_and_not_to_its_author(void **state)
{
    struct world w;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;

    open_world(&w, *state,
               "notify \"c\" { on = {\"comment\", \"resolved\", \"state\"}"
               " to = {\"requester\", \"bob@x.example\"} channel = \"hook\" }\n");
    mail(&w, &m, "one", "ann@y.example", true);
    assert_int_equal(tkt_store_comment(w.f->store, m.out[0].id, "among us", false,
                                       "bob@x.example", NOW, &err),
                     0);
    follow(&w, false);
    assert_int_equal(jobs(&w), 0);
    assert_int_equal(tkt_store_comment(w.f->store, m.out[0].id, "to all", true,
                                       "bob@x.example", NOW, &err),
                     0);
    follow(&w, false);
    assert_int_equal(jobs(&w), 1);
    /* Resolved is a state, too: by two sections of his he hears of it once each. */
    assert_int_equal(tkt_store_move(w.f->store, m.out[0].id, TKT_STATE_RESOLVED,
                                    "bob@x.example", "", NOW, &err),
                     0);
    follow(&w, false);
    assert_int_equal(number(w.f, "SELECT count(*) FROM jobs WHERE kind = 'notify' AND"
                                 " json_extract(payload, '$.what') = 'resolved'"),
                     1);
    close_world(&w);
}

/* As long as a comment may be, and of what HTML makes most of: for a digest it is rendered
 * where the events are followed, and what fails there is told to nobody. */
static void the_longest_comment_is_told_as_far_as_it_fits(void **state)
{
    struct world w;
    struct sample m;
    struct tkt_notice_made made;
    struct tkt_err err = TKT_ERR_INIT;
    size_t n = 256 * 1024;
    char *text = malloc(n + 1);

    memset(text, '"', n);
    text[n] = '\0';
    open_world(&w, *state,
               "notify \"c\" { on = {\"comment\"} to = {\"requester\"}"
               " channel = \"hook\" }\n"
               "notify \"d\" { on = {\"comment\"} to = {\"bob@x.example\"}"
               " channel = \"hook\" digest = 10m }\n");
    mail(&w, &m, "one", "ann@y.example", true);
    assert_int_equal(tkt_store_comment(w.f->store, m.out[0].id, text, true,
                                       "eve@x.example", NOW, &err),
                     0);
    follow(&w, false);
    assert_int_equal(jobs(&w), 1);
    assert_int_equal(count_of(w.f, "notices"), 1);
    int64_t message =
        number(w.f, "SELECT message FROM jobs WHERE kind = 'notify' AND message <> 0");
    assert_int_equal(tkt_notice_make(&made, &w.set, w.tools.reader, 1, message,
                                     "{\"what\":\"comment\",\"to\":\"ann@y.example\","
                                     "\"role\":\"requester\",\"language\":\"en\"}",
                                     &err),
                     0);
    assert_non_null(strstr(made.notice.text, "\"\"\n[...]"));
    assert_string_equal(made.notice.html, ""); /* the text goes alone */
    tkt_notice_made_release(&made);
    close_world(&w);
    free(text);
}

static void a_parked_notice_tells_of_itself_to_nobody(void **state)
{
    struct world w;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;

    open_world(&w, *state,
               "notify \"p\" { on = {\"parked\"} to = {\"admin@x.example\"}"
               " channel = \"hook\" }\n");
    mail(&w, &m, "one", "ann@y.example", true);
    int64_t ticket = m.out[0].ticket;
    assert_int_equal(tkt_store_event(w.f->store, ticket, "job.parked",
                                     "{\"job\":1,\"target\":\"hook\"}", NOW, &err),
                     0);
    follow(&w, false);
    assert_int_equal(jobs(&w), 0);
    assert_int_equal(tkt_store_event(w.f->store, ticket, "job.parked",
                                     "{\"job\":2,\"target\":\"snow\",\"reason\":\"x\"}",
                                     NOW, &err),
                     0);
    follow(&w, false);
    assert_int_equal(jobs(&w), 1);
    close_world(&w);
}

static void a_channels_thread_is_the_first(void **state)
{
    struct fixture *f = *state;
    struct tkt_wire_arena arena = {0};
    struct tkt_err err = TKT_ERR_INIT;
    char *thread = NULL;

    assert_int_equal(
        tkt_reader_notice_thread(f->reader, 1, "chat", "#it", &arena, &thread, &err), 0);
    assert_string_equal(thread, "");
    assert_int_equal(tkt_store_notice_thread(f->store, 1, "chat", "#it", "t1", &err), 0);
    assert_int_equal(tkt_store_notice_thread(f->store, 1, "chat", "#it", "t2", &err), 0);
    assert_int_equal(
        tkt_reader_notice_thread(f->reader, 1, "chat", "#it", &arena, &thread, &err), 0);
    assert_string_equal(thread, "t1");
    tkt_wire_arena_release(&arena);
}

static void counts_begin_anew_with_their_window_and_expire(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(tkt_store_notice_count(f->store, "x", 3, 1000, NOW + i, &err),
                         i < 3);
    }
    assert_int_equal(tkt_store_notice_counted(f->store, "x", 1000, NOW + 5, &err), 3);
    assert_int_equal(tkt_store_notice_count(f->store, "x", 3, 1000, NOW + 1000, &err), 1);
    assert_int_equal(tkt_store_notice_counted(f->store, "x", 1000, NOW + 1000, &err), 1);
    assert_int_equal(tkt_store_notice_count(f->store, "y", 0, 1000, NOW, &err), 1);
    assert_int_equal(tkt_store_notice_expire(f->store, NOW + 5000, 100, &err), 1);
    assert_int_equal(count_of(f, "notice_counts"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_mail_is_acknowledged_once_whatever_is_killed),
        T(robots_shadows_refused_and_undelivered_mail_are_not_answered),
        T(limits_hold_for_recipients_and_desks_and_are_told_once),
        T(only_a_proved_sender_brings_others_along),
        T(a_digest_is_one_notice_for_many),
        T(who_cannot_or_will_not_be_told_is_not),
        T(what_may_pass_marks_after_days_and_what_lasts_at_once),
        T(a_comment_is_told_when_public_and_not_to_its_author),
        T(the_longest_comment_is_told_as_far_as_it_fits),
        T(a_parked_notice_tells_of_itself_to_nobody),
        T(a_channels_thread_is_the_first),
        T(counts_begin_anew_with_their_window_and_expire)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
