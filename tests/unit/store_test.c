/* SPDX-License-Identifier: BSD-2-Clause
 * common/store: reserve, keys, holds, appends, numbers.
 */
#include "tests/unit/store_fixture.h"

/* ---- one message ------------------------------------------------------------------ */

static void one_message_is_a_ticket_with_everything_in_one_batch(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "hello");
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-1");
    assert_string_equal(m.out[0].status, "created");
    assert_string_equal(m.out[0].hold, "");
    assert_string_equal(m.out[0].group, "first");
    assert_int_equal(m.out[0].priority, 3);
    assert_int_equal(strncmp(m.out[0].corr, "mt-", 3), 0);
    assert_int_equal(strlen(m.out[0].corr), 35);
    assert_int_equal(m.out[0].state, TKT_STATE_NEW);
    assert_int_equal(
        number(f, "SELECT count(*) FROM jobs WHERE kind = 'create' AND due > 0"), 1);
    assert_int_equal(count_of(f, "jobs"), 1);
    assert_int_equal(count_of(f, "events"), 1);
    assert_int_equal(count_of(f, "threads"), 1);
    assert_int_equal(count_of(f, "participants"), 2);
    assert_clean(f);
}

static void decision_beats_the_desks_defaults(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "hello");
    m.decision.group = (char *)"network";
    m.decision.priority = 1;
    m.decision.type = (char *)"request";
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].group, "network");
    assert_int_equal(m.out[0].priority, 1);
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE type = 'request'"), 1);
}

static void the_same_key_gives_the_same_ticket(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample again;
    struct tkt_store_desk_out seen;

    sample_init(&m, "hello");
    reserve_ok(f, &m);
    fixture_reopen(f);
    sample_init(&again, "hello");
    reserve_ok(f, &again);
    assert_string_equal(again.out[0].status, "existing");
    assert_string_equal(again.out[0].id, m.out[0].id);
    assert_string_equal(again.out[0].corr, m.out[0].corr);
    assert_int_equal(again.out[0].message, m.out[0].message);
    assert_int_equal(tkt_reader_key(f->reader, "it", again.desks[0].key,
                                    again.in.head_key, NOW, &seen, NULL),
                     1);
    assert_string_equal(seen.id, "IT-1");
    assert_string_equal(seen.corr, m.out[0].corr);
    assert_int_equal(tkt_reader_key(f->reader, "hr", again.desks[0].key,
                                    again.in.head_key, NOW, &seen, NULL),
                     0);
    assert_int_equal(count_of(f, "tickets"), 1);
    assert_int_equal(count_of(f, "messages"), 1);
    assert_int_equal(count_of(f, "jobs"), 1);
    assert_int_equal(number(f, "SELECT duplicates FROM tickets"), 1);
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE kind ="
                               " 'message.duplicate'"),
                     1);
}

/* Other line ends, another way: the same key, but not the same bytes. */
static void a_duplicate_of_other_bytes_keeps_the_chain(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample again;

    sample_init(&m, "hello");
    reserve_ok(f, &m);
    sample_init(&again, "hello");
    again.in.sha256[0] ^= 1;
    reserve_ok(f, &again);
    assert_string_equal(again.out[0].status, "existing");
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE data LIKE '%sha256%'"),
                     1);
    assert_clean(f);
}

static void keys_hold_their_time_and_no_longer(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        bool blind;
        int64_t keep;
    } cases[] = {{"keep", false, 30 * DAY_MS}, {"blind", true, 6 * HOUR_MS}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        struct sample m;
        struct sample later;
        struct tkt_store_desk_out seen;
        sample_init(&m, cases[i].text);
        m.in.key_blind = cases[i].blind;
        m.in.has_head_key = !cases[i].blind;
        if (cases[i].blind) {
            memset(m.in.head_key, 0, sizeof(m.in.head_key));
        }
        const unsigned char *head = cases[i].blind ? NULL : m.in.head_key;
        reserve_ok(f, &m);
        later = m;
        later.in.desks = later.desks;
        later.in.thread_keys = &later.thread;
        later.res.desks = later.out;
        if (!cases[i].blind) { /* a hit gives a blind key more time */
            later.in.now_ms = NOW + cases[i].keep - 1;
            reserve_ok(f, &later);
            assert_string_equal(later.out[0].id, m.out[0].id);
        }
        assert_int_equal(tkt_reader_key(f->reader, "it", m.desks[0].key, head,
                                        NOW + cases[i].keep - 1, &seen, NULL),
                         1);
        assert_int_equal(tkt_reader_key(f->reader, "it", m.desks[0].key, head,
                                        NOW + cases[i].keep, &seen, NULL),
                         0);
        later.in.now_ms = NOW + cases[i].keep;
        reserve_ok(f, &later);
        assert_string_not_equal(later.out[0].id, m.out[0].id);
        assert_int_equal(tkt_reader_key(f->reader, "it", m.desks[0].key, head,
                                        later.in.now_ms, &seen, NULL),
                         1);
        assert_string_equal(seen.id, later.out[0].id);
    }
    assert_clean(f);
}

static void a_message_without_content_is_refused(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;

    sample_init(&m, "x");
    m.in.raw = NULL;
    assert_int_equal(reserve(f, &m, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    m.in.raw = m.raw;
    m.in.desk_count = 0;
    assert_int_equal(reserve(f, &m, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(count_of(f, "tickets"), 0);
}

/* ---- several desks ---------------------------------------------------------------- */

static void several_desks_get_linked_tickets_under_the_first(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample again;

    sample_init(&m, "both");
    sample_desk(&m, "hr", "HR");
    sample_desk(&m, "it2", "IT");
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-1");
    assert_string_equal(m.out[1].id, "HR-1");
    assert_string_equal(m.out[2].id, "IT-2");
    assert_int_equal(number(f, "SELECT count(*) FROM links WHERE kind = 'child'"), 2);
    assert_int_equal(number(f, "SELECT count(DISTINCT b) FROM links"), 1);
    sample_init(&again, "both");
    sample_desk(&again, "hr", "HR");
    reserve_ok(f, &again);
    assert_string_equal(again.out[1].id, "HR-1");
    assert_string_equal(again.out[1].status, "existing");
    assert_clean(f);
}

static void one_ticket_per_message_serves_all_desks(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample again;

    sample_init(&m, "both");
    sample_desk(&m, "hr", "HR");
    m.in.one_ticket = true;
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-1");
    assert_string_equal(m.out[1].id, "IT-1");
    assert_int_equal(count_of(f, "tickets"), 1);
    assert_int_equal(count_of(f, "messages"), 1);
    /* The second desk alone, as when the MTA splits the transaction. */
    sample_init(&again, "both");
    again.in.desk_count = 0;
    sample_desk(&again, "hr", "HR");
    reserve_ok(f, &again);
    assert_string_equal(again.out[0].id, "IT-1");
    assert_string_equal(again.out[0].status, "existing");
    assert_clean(f);
}

static void refused_and_ignored_messages_start_nothing(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "spam");
    m.desks[0].refused = true;
    m.desks[0].reason = "policy";
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].status, "refused");
    assert_string_equal(m.out[0].id, "IT-1");
    assert_int_equal(m.out[0].state, TKT_STATE_REFUSED);
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].status, "refused");
    assert_string_equal(m.out[0].id, "IT-1");
    sample_init(&m, "bounce");
    sample_decide(&m, TKT_ACTION_IGNORE, 0);
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].status, "refused");
    assert_string_equal(m.out[0].id, "");
    assert_int_equal(m.out[0].ticket, 0);
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].status, "refused");
    assert_int_equal(count_of(f, "jobs"), 0);
    assert_int_equal(count_of(f, "messages"), 2);
    assert_clean(f);
}

static void what_was_ignored_is_no_ticket_for_a_copy(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "bounce");
    sample_head(&m, "head");
    sample_decide(&m, TKT_ACTION_IGNORE, 0);
    reserve_ok(f, &m);
    sample_init(&m, "other body");
    sample_head(&m, "head");
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-1");
}

static void a_refused_ticket_that_a_person_opens_is_created(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "spam");
    m.desks[0].refused = true;
    reserve_ok(f, &m);
    assert_int_equal(
        tkt_store_move(f->store, "IT-1", TKT_STATE_OPEN, "anna", "", NOW, NULL), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE kind = 'create'"), 1);
    assert_clean(f);
}

static void shadow_desks_keep_tickets_and_do_nothing(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "x");
    m.desks[0].shadow = true;
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-1");
    assert_int_equal(count_of(f, "jobs"), 0);
    assert_clean(f);
}

/* ---- copies ----------------------------------------------------------------------- */

static void another_body_under_the_same_head_is_compared_first(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample other;
    struct tkt_store_verdict verdict;

    sample_init(&m, "body one");
    sample_head(&m, "head");
    reserve_ok(f, &m);
    sample_init(&other, "body one and a footer");
    sample_head(&other, "head");
    assert_int_equal(reserve(f, &other, NULL), 0);
    assert_int_equal(other.res.result, TKT_RESERVE_COMPARE);
    assert_int_equal(other.res.compare, m.out[0].message);
    assert_int_equal(count_of(f, "messages"), 1);
    assert_int_equal(count_of(f, "events"), 1);

    verdict = (struct tkt_store_verdict){other.res.compare, true};
    other.in.verdicts = &verdict;
    other.in.verdict_count = 1;
    reserve_ok(f, &other);
    assert_string_equal(other.out[0].status, "existing");
    assert_string_equal(other.out[0].id, "IT-1");
    assert_int_equal(count_of(f, "messages"), 2);
    assert_int_equal(count_of(f, "tickets"), 1);
    assert_int_equal(count_of(f, "jobs"), 1);
    assert_clean(f);
}

static void a_different_text_under_the_same_head_is_a_linked_ticket(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample other;
    struct tkt_store_verdict verdict;

    sample_init(&m, "body one");
    sample_head(&m, "head");
    reserve_ok(f, &m);
    sample_init(&other, "something else");
    sample_head(&other, "head");
    verdict = (struct tkt_store_verdict){m.out[0].message, false};
    other.in.verdicts = &verdict;
    other.in.verdict_count = 1;
    reserve_ok(f, &other);
    assert_string_equal(other.out[0].status, "created");
    assert_string_equal(other.out[0].id, "IT-2");
    assert_int_equal(number(f, "SELECT count(*) FROM links WHERE kind = 'related'"), 1);
    /* A day later nobody asks. */
    sample_init(&other, "third");
    sample_head(&other, "head");
    other.in.now_ms = NOW + DAY_MS + 1;
    reserve_ok(f, &other);
    assert_string_equal(other.out[0].id, "IT-3");
    assert_clean(f);
}

static void a_retry_that_is_not_to_be_compared_finds_its_ticket(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "x");
    reserve_ok(f, &m);
    m.in.has_head_key = false; /* too large by now, or a flood of like heads */
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].status, "existing");
    assert_string_equal(m.out[0].id, "IT-1");
}

static void many_messages_of_one_head_are_not_compared_for_ever(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_verdict verdicts[HEAD_MATCHES_MAX];
    size_t asked = 0;
    struct sample m;

    for (int i = 0; i < 30; i++) {
        char text[20];
        snprintf(text, sizeof(text), "body %d", i);
        sample_init(&m, text);
        sample_head(&m, "head");
        m.in.verdicts = verdicts;
        for (asked = 0;; asked++) {
            m.in.verdict_count = asked;
            assert_int_equal(reserve(f, &m, NULL), 0);
            if (m.res.result == TKT_RESERVE_DONE) {
                break;
            }
            assert_true(asked < HEAD_MATCHES_MAX);
            verdicts[asked] = (struct tkt_store_verdict){m.res.compare, false};
        }
    }
    assert_int_equal(asked, HEAD_MATCHES_MAX);
    assert_int_equal(count_of(f, "tickets"), 30);
    assert_clean(f);
}

/* ---- holds ------------------------------------------------------------------------ */

static void an_unconfirmed_ticket_starts_at_its_confirmation(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "x");
    sample_sieve(&m, "a@example.com");
    reserve_ok(f, &m);
    assert_int_equal(m.out[0].state, TKT_STATE_RESERVED);
    assert_int_equal(strlen(m.out[0].hold), 32);
    assert_int_equal(count_of(f, "jobs"), 0);
    assert_int_equal(tkt_store_confirm(f->store, m.out[0].hold, true, NOW, NULL), 0);
    assert_int_equal(count_of(f, "jobs"), 1);
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_NEW);
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE data LIKE"
                               " '%untagged%'"),
                     1);
    int64_t events = count_of(f, "events");
    assert_int_equal(tkt_store_confirm(f->store, m.out[0].hold, true, NOW, NULL), 0);
    assert_int_equal(tkt_store_cancel(f->store, m.out[0].hold, NOW, NULL), 0);
    assert_int_equal(count_of(f, "events"), events);
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_NEW);
    assert_clean(f);
}

static void unknown_holds_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"", "x", "00112233445566778899aabbccddeeff",
                                        "00112233445566778899aabbccddeeff00"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        assert_int_equal(tkt_store_confirm(f->store, names[i], false, NOW, &err), -1);
        assert_int_equal(err.class, TKT_ERR_PERM);
        assert_int_equal(tkt_store_cancel(f->store, names[i], NOW, &err), -1);
        assert_int_equal(err.class, TKT_ERR_PERM);
    }
}

static void a_ticket_is_withdrawn_when_its_last_hold_goes(void **state)
{
    struct fixture *f = *state;
    struct sample a;
    struct sample b;
    struct sample same;

    sample_init(&a, "x");
    sample_sieve(&a, "a@example.com");
    reserve_ok(f, &a);
    sample_init(&b, "x");
    sample_sieve(&b, "b@example.com");
    reserve_ok(f, &b);
    assert_string_equal(b.out[0].id, a.out[0].id);
    assert_string_not_equal(b.out[0].hold, a.out[0].hold);
    sample_init(&same, "x");
    sample_sieve(&same, "a@example.com");
    reserve_ok(f, &same);
    assert_string_equal(same.out[0].hold, a.out[0].hold);

    assert_int_equal(tkt_store_cancel(f->store, a.out[0].hold, NOW, NULL), 0);
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_RESERVED);
    assert_int_equal(tkt_store_cancel(f->store, b.out[0].hold, NOW, NULL), 0);
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_WITHDRAWN);
    assert_int_equal(tkt_store_cancel(f->store, b.out[0].hold, NOW, NULL), 0);
    assert_int_equal(count_of(f, "jobs"), 0);

    /* The same key revives it under the same ID. */
    reserve_ok(f, &same);
    assert_string_equal(same.out[0].id, "IT-1");
    assert_int_equal(same.out[0].state, TKT_STATE_RESERVED);
    assert_int_equal(tkt_store_confirm(f->store, same.out[0].hold, false, NOW, NULL), 0);
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_NEW);
    assert_int_equal(count_of(f, "jobs"), 1);
    assert_clean(f);
}

static void a_withdrawn_ticket_is_confirmed_by_the_milters_reply(void **state)
{
    struct fixture *f = *state;
    struct sample a;
    struct sample b;

    sample_init(&a, "x");
    sample_sieve(&a, "a@example.com");
    reserve_ok(f, &a);
    assert_int_equal(tkt_store_cancel(f->store, a.out[0].hold, NOW, NULL), 0);
    sample_init(&b, "x");
    reserve_ok(f, &b);
    assert_string_equal(b.out[0].id, "IT-1");
    assert_int_equal(b.out[0].state, TKT_STATE_NEW);
    assert_string_equal(b.out[0].hold, "");
    assert_int_equal(count_of(f, "jobs"), 1);
    /* And Sieve, seeing the same mail, can take back its hold but not the ticket. */
    reserve_ok(f, &a);
    assert_string_equal(a.out[0].status, "existing");
    assert_int_equal(tkt_store_cancel(f->store, a.out[0].hold, NOW, NULL), 0);
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_NEW);
    assert_clean(f);
}

static void old_holds_confirm_themselves(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    for (int i = 0; i < 5; i++) {
        char text[20];
        snprintf(text, sizeof(text), "m%d", i);
        sample_init(&m, text);
        sample_sieve(&m, "a@example.com");
        m.in.now_ms = NOW + i * 1000;
        reserve_ok(f, &m);
    }
    assert_int_equal(tkt_store_confirm_old(f->store, 60000, NOW + 59999, 10, NULL), 0);
    assert_int_equal(tkt_store_confirm_old(f->store, 60000, NOW + 61000, 10, NULL), 2);
    assert_int_equal(tkt_store_confirm_old(f->store, 60000, NOW + 90000, 2, NULL), 2);
    assert_int_equal(tkt_store_confirm_old(f->store, 60000, NOW + 90000, 2, NULL), 1);
    assert_int_equal(count_of(f, "jobs"), 5);
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE state = 1"), 5);
    assert_clean(f);
}

/* ---- appends ---------------------------------------------------------------------- */

static void make_ticket(struct fixture *f, struct sample *m, enum tkt_ticket_state to)
{
    sample_init(m, "first");
    reserve_ok(f, m);
    if (to != TKT_STATE_NEW) {
        assert_int_equal(tkt_store_move(f->store, "IT-1", to, "anna", "", NOW, NULL), 0);
    }
}

static void an_answer_is_appended_and_reopens(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample answer;
    struct tkt_reader_ticket found[4];

    make_ticket(f, &m, TKT_STATE_RESOLVED);
    sample_init(&answer, "still broken");
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    answer.decision.reopens = true;
    answer.who[0].address = "bob@example.org";
    reserve_ok(f, &answer);
    assert_string_equal(answer.out[0].status, "appended");
    assert_string_equal(answer.out[0].id, "IT-1");
    assert_int_equal(answer.out[0].state, TKT_STATE_OPEN);
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE kind ="
                               " 'ticket.reopened'"),
                     1);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE kind = 'comment'"), 1);
    assert_int_equal(tkt_reader_by_reference(f->reader, answer.thread.hash,
                                             "bob@example.org", found, 4, NULL),
                     1);
    assert_string_equal(found[0].id, "IT-1");
    assert_true(found[0].is_participant);
    reserve_ok(f, &answer);
    assert_string_equal(answer.out[0].status, "existing");
    assert_string_equal(answer.out[0].id, "IT-1");
    assert_clean(f);
}

static void an_unverified_append_stays_internal_and_moves_nothing(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample answer;

    make_ticket(f, &m, TKT_STATE_RESOLVED);
    sample_init(&answer, "trust me");
    sample_decide(&answer, TKT_ACTION_APPEND_UNVERIFIED, m.out[0].ticket);
    answer.decision.reopens = true;
    answer.decision.changes_state = true;
    answer.who[0].address = "eve@example.net";
    reserve_ok(f, &answer);
    assert_string_equal(answer.out[0].status, "pending");
    assert_int_equal(answer.out[0].state, TKT_STATE_RESOLVED);
    assert_int_equal(number(f, "SELECT count(*) FROM participants WHERE address LIKE"
                               " 'eve%'"),
                     0);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE payload LIKE"
                               " '%\"public\":false%'"),
                     1);
    assert_clean(f);
}

static void an_append_wakes_a_pending_ticket_only_if_it_may(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample answer;

    make_ticket(f, &m, TKT_STATE_PENDING);
    sample_init(&answer, "out of office");
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    reserve_ok(f, &answer);
    assert_int_equal(answer.out[0].state, TKT_STATE_PENDING);
    sample_init(&answer, "here it is");
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    answer.decision.changes_state = true;
    reserve_ok(f, &answer);
    assert_int_equal(answer.out[0].state, TKT_STATE_OPEN);
}

static void an_unconfirmed_append_waits_with_its_effects(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample answer;

    make_ticket(f, &m, TKT_STATE_RESOLVED);
    sample_init(&answer, "still broken");
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    answer.decision.reopens = true;
    sample_sieve(&answer, "a@example.com");
    reserve_ok(f, &answer);
    assert_string_equal(answer.out[0].status, "appended");
    assert_int_equal(answer.out[0].state, TKT_STATE_RESOLVED);
    assert_int_equal(count_of(f, "jobs"), 1);
    assert_int_equal(tkt_store_confirm(f->store, answer.out[0].hold, false, NOW, NULL),
                     0);
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_OPEN);
    assert_int_equal(count_of(f, "jobs"), 2);
    assert_clean(f);
}

static void an_append_to_a_held_ticket_confirms_it_first(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample answer;

    sample_init(&m, "first");
    sample_sieve(&m, "a@example.com");
    reserve_ok(f, &m);
    sample_init(&answer, "second");
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    reserve_ok(f, &answer);
    assert_int_equal(number(f, "SELECT kind = 'create' FROM jobs ORDER BY id LIMIT 1"),
                     1);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE due IS NOT NULL"), 1);
    assert_int_equal(answer.out[0].state, TKT_STATE_NEW);
    assert_clean(f);
}

static void appends_follow_merged_tickets(void **state)
{
    struct fixture *f = *state;
    struct sample a;
    struct sample b;
    struct sample answer;
    struct tkt_reader_ticket found;

    sample_init(&a, "a");
    reserve_ok(f, &a);
    sample_init(&b, "b");
    reserve_ok(f, &b);
    assert_int_equal(tkt_store_merge(f->store, "IT-1", "IT-2", "anna", NOW, NULL), 0);
    sample_init(&answer, "c");
    sample_decide(&answer, TKT_ACTION_APPEND, a.out[0].ticket);
    reserve_ok(f, &answer);
    assert_string_equal(answer.out[0].id, "IT-2");
    assert_int_equal(
        tkt_reader_by_reference(f->reader, a.thread.hash, "", &found, 1, NULL), 1);
    assert_string_equal(found.id, "IT-2");
    assert_int_equal(tkt_reader_by_id(f->reader, "it-1", "", &found, NULL), 1);
    assert_string_equal(found.id, "IT-2");
    /* The message itself keeps the ID that it was answered with. */
    reserve_ok(f, &a);
    assert_string_equal(a.out[0].id, "IT-1");
    assert_clean(f);
}

static void a_ticket_that_is_not_there_costs_the_thread_not_the_message(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "x");
    sample_decide(&m, TKT_ACTION_APPEND, 4711);
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].status, "created");
    sample_init(&m, "y");
    sample_decide(&m, TKT_ACTION_NEW_LINKED, 1);
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-2");
    assert_int_equal(number(f, "SELECT b FROM links WHERE kind = 'related' AND a = 2"),
                     1);
    assert_clean(f);
}

static void local_tickets_need_no_jobs(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample answer;

    sample_init(&m, "x");
    m.desks[0].itsm = m.desks[0].itsm_type = "local";
    reserve_ok(f, &m);
    sample_init(&answer, "y");
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    answer.decision.public_comment = true;
    reserve_ok(f, &answer);
    assert_int_equal(count_of(f, "jobs"), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM messages WHERE flags & 32"), 1);
}

/* ---- unanalysed ------------------------------------------------------------------- */

static void an_unanalysed_ticket_is_analysed_before_it_is_created(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_job job;
    struct tkt_store_participant who = {"anna@example.org", "from"};
    struct tkt_decision d = {
        .action = TKT_ACTION_NEW, .group = (char *)"network", .priority = 2};

    sample_init(&m, "x");
    m.in.analysed = false;
    m.in.analysis_error = "child died";
    m.desks[0].decision = NULL;
    m.in.thread_key_count = 0;
    m.in.participant_count = 0;
    reserve_ok(f, &m);
    assert_int_equal(m.out[0].priority, 3);
    assert_int_equal(tkt_store_jobs_claim(f->store, "w", NOW, 1000, &job, 1, NULL), 1);
    assert_string_equal(job.kind, "reanalyse");
    assert_int_equal(job.message, m.out[0].message);

    struct tkt_store_analysed_in in = {.ticket = job.ticket,
                                       .message = job.message,
                                       .decision = &d,
                                       .subject = "now readable",
                                       .class_name = "human",
                                       .thread_keys = &m.thread,
                                       .thread_key_count = 1,
                                       .participants = &who,
                                       .participant_count = 1,
                                       .requester_name = "Anna",
                                       .now_ms = NOW};
    assert_int_equal(tkt_store_analysed(f->store, &in, NULL), 0);
    assert_int_equal(
        tkt_store_job_finish(f->store, job.id, "w", TKT_JOB_DONE, 0, "", NOW, NULL), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE grp = 'network' AND"
                               " priority = 2 AND subject = 'now readable'"
                               " AND type = 'incident' AND flags & 4"),
                     1);
    assert_int_equal(count_of(f, "threads"), 1);
    assert_int_equal(tkt_store_jobs_claim(f->store, "w", NOW, 1000, &job, 1, NULL), 1);
    assert_string_equal(job.kind, "create");
    assert_clean(f);
}

/* ---- numbers ---------------------------------------------------------------------- */

static void numbers_have_no_gaps_over_restarts_and_failed_items(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    char text[20];
    struct sample m;

    for (int i = 1; i <= 25; i++) { /* blocks of ten */
        char want[20];
        snprintf(text, sizeof(text), "m%d", i);
        snprintf(want, sizeof(want), "IT-%d", i);
        if (i % 7 == 0) {
            fixture_reopen(f);
        }
        if (i % 5 == 0) { /* fails after the number was taken */
            sample_init(&m, "the second desk has no prefix");
            sample_desk(&m, "bad", "");
            assert_int_equal(reserve(f, &m, &err), -1);
            assert_int_equal(err.class, TKT_ERR_PERM);
        }
        sample_init(&m, text);
        reserve_ok(f, &m);
        assert_string_equal(m.out[0].id, want);
    }
    assert_int_equal(number(f, "SELECT next FROM series"), 31);
    assert_clean(f);
}

static void two_hosts_lease_different_blocks(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "a");
    reserve_ok(f, &m);
    f->opt.host = "mx2";
    fixture_reopen(f);
    sample_init(&m, "b");
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-11");
    f->opt.host = "mx1";
    fixture_reopen(f);
    sample_init(&m, "c");
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-2");
    assert_clean(f); /* one chain a host */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_message_is_a_ticket_with_everything_in_one_batch),
        T(decision_beats_the_desks_defaults),
        T(the_same_key_gives_the_same_ticket),
        T(a_duplicate_of_other_bytes_keeps_the_chain),
        T(keys_hold_their_time_and_no_longer),
        T(a_message_without_content_is_refused),
        T(several_desks_get_linked_tickets_under_the_first),
        T(one_ticket_per_message_serves_all_desks),
        T(refused_and_ignored_messages_start_nothing),
        T(what_was_ignored_is_no_ticket_for_a_copy),
        T(a_refused_ticket_that_a_person_opens_is_created),
        T(shadow_desks_keep_tickets_and_do_nothing),
        T(another_body_under_the_same_head_is_compared_first),
        T(a_different_text_under_the_same_head_is_a_linked_ticket),
        T(a_retry_that_is_not_to_be_compared_finds_its_ticket),
        T(many_messages_of_one_head_are_not_compared_for_ever),
        T(an_unconfirmed_ticket_starts_at_its_confirmation),
        T(unknown_holds_are_refused),
        T(a_ticket_is_withdrawn_when_its_last_hold_goes),
        T(a_withdrawn_ticket_is_confirmed_by_the_milters_reply),
        T(old_holds_confirm_themselves),
        T(an_answer_is_appended_and_reopens),
        T(an_unverified_append_stays_internal_and_moves_nothing),
        T(an_append_wakes_a_pending_ticket_only_if_it_may),
        T(an_unconfirmed_append_waits_with_its_effects),
        T(an_append_to_a_held_ticket_confirms_it_first),
        T(appends_follow_merged_tickets),
        T(a_ticket_that_is_not_there_costs_the_thread_not_the_message),
        T(local_tickets_need_no_jobs),
        T(an_unanalysed_ticket_is_analysed_before_it_is_created),
        T(numbers_have_no_gaps_over_restarts_and_failed_items),
        T(two_hosts_lease_different_blocks),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
