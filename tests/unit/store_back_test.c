/* SPDX-License-Identifier: BSD-2-Clause
 * common/store/back: what comes back from an ITSM is written once.
 */
#include "store_fixture.h"

#include "store/back.h"
#include "store/external.h"
#include "store/origin.h"

#define POLL_MS (5 * 60 * INT64_C(1000))
#define BIT(state) (1u << TKT_STATE_##state)

/* A ticket that stands at "rt" as `key`. */
static void stand(struct fixture *f, struct sample *m, const char *text, const char *key)
{
    struct tkt_err err = TKT_ERR_INIT;
    const struct tkt_store_external in = {.ticket = (make(f, m, text), m->out[0].ticket),
                                          .itsm = "rt",
                                          .key = key,
                                          .number = key,
                                          .url = "https://rt/1"};

    assert_int_equal(0, tkt_store_external_set(f->store, &in, NOW, &err));
}

static struct tkt_store_back seen(const struct sample *m)
{
    return (struct tkt_store_back){.ticket = m->out[0].ticket,
                                   .itsm = "rt",
                                   .state = "new",
                                   .states = BIT(NEW),
                                   .state_to = TKT_STATE_NEW,
                                   .group = "General",
                                   .group_same = m->out[0].group,
                                   .assignee = "",
                                   .assignee_to = "",
                                   .priority_told = true,
                                   .asked_ms = NOW,
                                   .poll_ms = POLL_MS};
}

static struct tkt_store_back_out back_at(struct fixture *f,
                                         const struct tkt_store_back *in, int64_t at_ms)
{
    struct tkt_store_back_out out;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(0, tkt_store_back(f->store, in, at_ms, &out, &err));
    return out;
}

static struct tkt_store_back_out back(struct fixture *f, const struct tkt_store_back *in)
{
    return back_at(f, in, NOW + 1000);
}

static void a_change_there_is_one_change_here(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    assert_int_equal(0, back(f, &in).changes);
    in.state = "resolved";
    in.states = BIT(RESOLVED) | BIT(CLOSED);
    in.state_to = TKT_STATE_RESOLVED;
    in.group = "Network";
    in.group_to = "it-network";
    in.group_same = NULL;
    in.assignee = "anna";
    in.assignee_to = "anna@example.org";
    in.priority = "80";
    in.priorities = 1u << 1 | 1u << 2;
    in.priority_to = 2;
    assert_int_equal(4, back(f, &in).changes);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(0, back(f, &in).changes);
    }
    assert_int_equal(1, number(f, "SELECT count(*) FROM tickets WHERE state = 4"
                                  " AND grp = 'it-network' AND priority = 2"
                                  " AND assignee = 'anna@example.org'"));
    assert_int_equal(4, number(f, "SELECT count(*) FROM events WHERE"
                                  " json_extract(data, '$.who') = 'itsm:rt'"));
    assert_clean(f);
}

static void what_we_have_already_is_no_change(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;

    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    back(f, &in);
    assert_int_equal(
        0, tkt_store_move(f->store, m.out[0].id, TKT_STATE_CLOSED, "bob", "", NOW, &err));
    in.state = "resolved"; /* what our update made of it */
    in.states = BIT(RESOLVED) | BIT(CLOSED);
    in.state_to = TKT_STATE_RESOLVED;
    assert_int_equal(0, back(f, &in).changes);
    assert_int_equal(1, number(f, "SELECT state = 5 FROM tickets"));
}

static void a_change_of_ours_on_its_way_is_not_undone(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;

    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    in.group_to = "it-other";
    in.group_same = NULL;
    in.group = "Other";
    assert_int_equal(1, back(f, &in).changes);
    assert_int_equal(
        0, tkt_store_set(f->store, m.out[0].id, "group", "it-mine", "bob", NOW, &err));
    execute(f, "INSERT INTO jobs(ticket, kind, target, state, run_after, created,"
               " changed) VALUES(1, 'update', 'rt', 0, 0, 0, 0)");
    in.group = "Third";
    in.group_to = "it-third";
    struct tkt_store_back_out out = back(f, &in);
    assert_true(out.waits);
    assert_int_equal(0, out.changes);
    assert_int_equal(1, number(f, "SELECT grp = 'it-mine' FROM tickets"));
    execute(f, "UPDATE jobs SET state = 2 WHERE kind = 'update'");
    in.group = "Mine"; /* it arrived */
    in.group_to = "it-mine";
    assert_int_equal(0, back(f, &in).changes);
}

static void unknown_words_are_told_once_and_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    back(f, &in);
    in.state = "weird";
    in.states = 0;
    in.assignee = "x";
    in.assignee_to = NULL;
    assert_int_equal(2, back(f, &in).unknown);
    assert_int_equal(0, back(f, &in).unknown);
    assert_int_equal(2, number(f, "SELECT count(*) FROM events WHERE kind ="
                                  " 'itsm.unknown'"));
    assert_int_equal(1, number(f, "SELECT state = 1 FROM tickets"));
}

static void an_illegal_move_is_told_and_not_made(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;

    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    back(f, &in);
    assert_int_equal(
        0, tkt_store_move(f->store, m.out[0].id, TKT_STATE_CLOSED, "bob", "", NOW, &err));
    in.state = "stalled";
    in.states = BIT(PENDING);
    in.state_to = TKT_STATE_PENDING;
    assert_int_equal(0, back(f, &in).changes);
    assert_int_equal(1, number(f, "SELECT count(*) FROM events WHERE kind ="
                                  " 'itsm.unapplied'"));
    assert_int_equal(1, number(f, "SELECT state = 5 FROM tickets"));
}

static void comments_come_once_in_their_order_and_never_our_own(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_back_note notes[] = {
        {"5", "carol", "secret", false, false},
        {"4", "mailer", "ours", true, true},
        {"3", "carol", "second", true, false},
        {"2", "carol", " \n", true, false},
        {"1", "a@example.org", "first", true, false}};

    stand(f, &m, "one", "17");
    execute(f, "UPDATE tickets SET requester = 'A@example.org'");
    struct tkt_store_back in = seen(&m);
    in.notes = notes;
    in.note_count = TKT_ARRAY_LEN(notes);
    assert_int_equal(2, back(f, &in).comments);
    assert_int_equal(0, back(f, &in).comments);
    fixture_reopen(f);
    assert_int_equal(0, back(f, &in).comments);
    assert_int_equal(1,
                     number(f, "SELECT group_concat(CAST(raw AS TEXT)) = 'first,second'"
                               " FROM messages WHERE flags & 1024"));
    assert_int_equal(0, number(f, "SELECT count(*) FROM jobs WHERE kind = 'comment'"));
    assert_int_equal(1, number(f, "SELECT count(*) FROM events WHERE kind ="
                                  " 'ticket.comment' AND json_extract(data,"
                                  " '$.from_requester')"));
    assert_int_equal(2, number(f, "SELECT count(*) FROM events WHERE kind ="
                                  " 'ticket.comment' AND json_extract(data, '$.public')"
                                  " AND json_extract(data, '$.who') = 'itsm:rt'"));
    assert_clean(f);
}

static void internal_comments_come_when_they_are_asked_for(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_back_note note = {"5", "carol", "between us", false, false};

    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    in.notes = &note;
    in.note_count = 1;
    in.with_internal = true;
    assert_int_equal(1, back(f, &in).comments);
    assert_int_equal(1,
                     number(f, "SELECT flags & 4 = 4 FROM messages WHERE flags & 1024"));
}

static void a_comment_has_a_greatest_length(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    size_t n = 3 * TKT_STORE_BACK_TEXT_MAX;
    TKT_AUTO_FREE char *text = malloc(n + 1);
    const struct tkt_store_back_note note = {"5", "carol", text, true, false};

    for (size_t i = 0; i < n; i += 3) {
        memcpy(text + i, "\xe2\x82\xac", 3);
    }
    text[n] = '\0';
    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    in.notes = &note;
    in.note_count = 1;
    assert_int_equal(1, back(f, &in).comments);
    int64_t size = number(f, "SELECT size FROM messages WHERE flags & 1024");
    assert_true(size > TKT_STORE_BACK_TEXT_MAX - 4 &&
                size < TKT_STORE_BACK_TEXT_MAX + 16);
    assert_clean(f);
}

static void a_new_number_takes_the_place_of_the_old_one(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    in.number = "INC-9";
    assert_int_equal(1, back(f, &in).changes);
    assert_int_equal(0, back(f, &in).changes);
    assert_int_equal(1, number(f, "SELECT number = 'INC-9' AND key = '17' AND url <> ''"
                                  " FROM externals"));
}

static int take(struct fixture *f, int64_t at_ms)
{
    struct tkt_err err = TKT_ERR_INIT;
    int made = -1;

    assert_int_equal(0, tkt_store_back_take(f->store, "rt", at_ms, &made, &err));
    return made;
}

static enum tkt_store_hint hint(struct fixture *f, const char *key, const char *delivery,
                                int64_t at_ms)
{
    struct tkt_err err = TKT_ERR_INIT;
    enum tkt_store_hint out;

    assert_int_equal(
        0, tkt_store_back_hint(f->store, "rt", key, delivery, at_ms, &out, &err));
    return out;
}

static void many_hints_are_one_look(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    stand(f, &m, "one", "17");
    assert_int_equal(0, take(f, NOW + 10));
    for (int i = 0; i < 50; i++) {
        assert_int_equal(TKT_STORE_HINT_TAKEN, hint(f, "17", NULL, NOW + 20 + i));
    }
    assert_int_equal(1, take(f, NOW + 100));
    assert_int_equal(0, take(f, NOW + 200));
    assert_int_equal(TKT_STORE_HINT_TAKEN, hint(f, "17", NULL, NOW + 300));
    assert_int_equal(0, take(f, NOW + 400)); /* the job that waits sees it */
    assert_int_equal(1, number(f, "SELECT count(*) FROM jobs WHERE kind = 'fetch'"));
}

static void a_hint_during_a_look_asks_for_another_one(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    stand(f, &m, "one", "17");
    hint(f, "17", NULL, NOW + 100);
    assert_int_equal(1, take(f, NOW + 100));
    struct tkt_store_back in = seen(&m);
    in.asked_ms = NOW + 200;
    hint(f, "17", NULL, NOW + 300); /* behind the answer */
    execute(f, "UPDATE jobs SET state = 2 WHERE kind = 'fetch'");
    back_at(f, &in, NOW + 400);
    assert_int_equal(1, take(f, NOW + 500));
    execute(f, "UPDATE jobs SET state = 2 WHERE kind = 'fetch'");
    in.asked_ms = NOW + 600;
    back_at(f, &in, NOW + 700);
    assert_int_equal(0, take(f, NOW + 800));
    assert_int_equal(1, take(f, NOW + 2 * POLL_MS));
}

static void a_delivery_counts_once_and_an_unknown_key_is_told(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;

    stand(f, &m, "one", "17");
    assert_int_equal(TKT_STORE_HINT_TAKEN, hint(f, "17", "d1", NOW));
    assert_int_equal(TKT_STORE_HINT_AGAIN, hint(f, "17", "d1", NOW + 1));
    fixture_reopen(f);
    assert_int_equal(TKT_STORE_HINT_AGAIN, hint(f, "17", "d1", NOW + 2));
    assert_int_equal(TKT_STORE_HINT_UNKNOWN, hint(f, "18", "d2", NOW));
    assert_int_equal(0, tkt_store_back_expire(f->store, NOW + DAY_MS, 100, &err));
    assert_int_equal(TKT_STORE_HINT_TAKEN, hint(f, "17", "d1", NOW + 3));
}

static void a_hint_may_say_the_number_that_people_see(void **state)
{
    struct fixture *f = *state;
    struct sample m, other;
    struct tkt_err err = TKT_ERR_INIT;

    stand(f, &m, "one", "10007");
    stand(f, &other, "two", "10008");
    struct tkt_store_external in = {
        .itsm = "rt", .key = "10007", .number = "SUP-7", .url = ""};
    in.ticket = m.out[0].ticket;
    assert_int_equal(0, tkt_store_external_set(f->store, &in, NOW, &err));
    in.ticket = other.out[0].ticket;
    in.key = "SUP-7"; /* a key is nearer than a number */
    in.number = "SUP-8";
    assert_int_equal(0, tkt_store_external_set(f->store, &in, NOW, &err));
    assert_int_equal(TKT_STORE_HINT_TAKEN, hint(f, "sup-8", NULL, NOW + 1));
    assert_int_equal(1, take(f, NOW + 1));
    assert_int_equal(other.out[0].ticket,
                     number(f, "SELECT ticket FROM jobs WHERE kind = 'fetch'"));
    assert_int_equal(TKT_STORE_HINT_TAKEN, hint(f, "SUP-7", NULL, NOW + 2));
    assert_int_equal(0, take(f, NOW + 2));
    assert_int_equal(TKT_STORE_HINT_UNKNOWN, hint(f, "SUP-9", NULL, NOW + 3));
}

static void all_that_is_open_is_looked_at_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m[3];
    int64_t after = 0;
    int hinted = 0;

    for (int i = 0; i < 3; i++) {
        char key[8];

        snprintf(key, sizeof(key), "%d", 17 + i);
        stand(f, &m[i], key, key);
    }
    execute(f, "UPDATE backs SET due = NULL");
    execute(f, "UPDATE tickets SET state = 5 WHERE id = (SELECT max(id) FROM tickets)");
    assert_int_equal(1,
                     tkt_store_back_all(f->store, "rt", &after, NOW + 1, &hinted, &err));
    assert_int_equal(2, hinted);
    assert_int_equal(m[2].out[0].ticket, after);
    assert_int_equal(0,
                     tkt_store_back_all(f->store, "rt", &after, NOW + 1, &hinted, &err));
    assert_int_equal(0, hinted);
    after = 0;
    assert_int_equal(
        0, tkt_store_back_all(f->store, "other", &after, NOW + 1, &hinted, &err));
    assert_int_equal(2, take(f, NOW + 1));
}

static void what_rests_is_asked_less_often_and_what_is_closed_never(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    stand(f, &m, "one", "17");
    struct tkt_store_back in = seen(&m);
    back_at(f, &in, NOW + 1000);
    assert_true(number(f, "SELECT due FROM backs") < NOW + 2 * POLL_MS);
    back_at(f, &in, NOW + 2 * DAY_MS);
    assert_true(number(f, "SELECT due FROM backs") >= NOW + 2 * DAY_MS + 12 * POLL_MS);
    in.state = "closed";
    in.states = BIT(CLOSED);
    in.state_to = TKT_STATE_CLOSED;
    back_at(f, &in, NOW + 2 * DAY_MS);
    assert_int_equal(1, number(f, "SELECT due IS NULL FROM backs"));
    in.poll_ms = 0;
    assert_int_equal(TKT_STORE_HINT_TAKEN, hint(f, "17", NULL, NOW + 3 * DAY_MS));
    assert_int_equal(1, take(f, NOW + 3 * DAY_MS));
}

static void a_look_that_fails_waits_longer_each_time(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;
    int64_t last = 0;

    stand(f, &m, "one", "17");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(0, tkt_store_back_failed(f->store, 1, "rt", false, NOW, &err));
        int64_t due = number(f, "SELECT due FROM backs") - NOW;
        assert_true(due > last);
        last = due;
    }
    assert_int_equal(0, tkt_store_back_failed(f->store, 1, "rt", true, NOW, &err));
    assert_int_equal(1, number(f, "SELECT due IS NULL FROM backs"));
}

static void a_list_goes_on_where_it_ended(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_err err = TKT_ERR_INIT;
    const char *const keys[] = {"17", "99"};
    int known = -1;
    int64_t since = 0;

    stand(f, &m, "one", "17");
    assert_int_equal(0, tkt_reader_back_since(f->reader, "rt", &since, &err));
    assert_int_equal(
        0, tkt_store_back_listed(f->store, "rt", keys, 2, NOW, NOW, &known, &err));
    assert_int_equal(1, known);
    assert_int_equal(0, tkt_store_back_listed(f->store, "rt", NULL, 0, NOW - 1, NOW,
                                              &known, &err)); /* never back */
    assert_int_equal(1, tkt_reader_back_since(f->reader, "rt", &since, &err));
    assert_true(since == NOW);
    assert_int_equal(1, tkt_reader_back_due(f->reader, "rt", NOW, &err));
    assert_int_equal(1, take(f, NOW));
}

static void no_more_looks_wait_than_there_may(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    for (int i = 0; i < TKT_STORE_BACK_OPEN_MAX + 5; i++) {
        char text[20];
        snprintf(text, sizeof(text), "t%d", i);
        stand(f, &m, text, text);
    }
    execute(f, "UPDATE jobs SET state = 2, due = NULL");
    assert_int_equal(TKT_STORE_BACK_OPEN_MAX, take(f, NOW + HOUR_MS));
    assert_int_equal(0, take(f, NOW + HOUR_MS));
    execute(f, "UPDATE jobs SET state = 2, due = NULL");
    assert_int_equal(5, take(f, NOW + HOUR_MS));
}

static void the_first_origin_stays_until_a_person_says_otherwise(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *r = tkt_reader_open(f->dir, &err);
    char out[TKT_STORE_ORIGIN_MAX + 1] = "";

    assert_non_null(r);
    assert_int_equal(0, tkt_reader_origin(r, "rt", out, &err));
    assert_int_equal(0, tkt_store_origin_first(f->store, "rt", "https://a", NOW, &err));
    assert_int_equal(0, tkt_store_origin_first(f->store, "rt", "https://b", NOW, &err));
    assert_int_equal(1, tkt_reader_origin(r, "rt", out, &err));
    assert_string_equal(out, "https://a");
    assert_int_equal(0, tkt_store_origin_set(f->store, "rt", "https://b", NOW, &err));
    assert_int_equal(1, tkt_reader_origin(r, "rt", out, &err));
    assert_string_equal(out, "https://b");
    assert_int_equal(0, tkt_reader_origin(r, "other", out, &err));
    tkt_reader_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_change_there_is_one_change_here),
        T(what_we_have_already_is_no_change),
        T(a_change_of_ours_on_its_way_is_not_undone),
        T(unknown_words_are_told_once_and_change_nothing),
        T(an_illegal_move_is_told_and_not_made),
        T(comments_come_once_in_their_order_and_never_our_own),
        T(internal_comments_come_when_they_are_asked_for),
        T(a_comment_has_a_greatest_length),
        T(a_new_number_takes_the_place_of_the_old_one),
        T(many_hints_are_one_look),
        T(a_hint_during_a_look_asks_for_another_one),
        T(a_delivery_counts_once_and_an_unknown_key_is_told),
        T(a_hint_may_say_the_number_that_people_see),
        T(all_that_is_open_is_looked_at_and_nothing_else),
        T(what_rests_is_asked_less_often_and_what_is_closed_never),
        T(a_look_that_fails_waits_longer_each_time),
        T(a_list_goes_on_where_it_ended),
        T(no_more_looks_wait_than_there_may),
        T(the_first_origin_stays_until_a_person_says_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
