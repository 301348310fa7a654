/* SPDX-License-Identifier: BSD-2-Clause
 * common/store/join: mail of one key is one ticket that counts.
 */
#include "store_fixture.h"

#define WINDOW (10 * 60 * INT64_C(1000))

static struct tkt_store_join alarm_of(const char *key)
{
    struct tkt_store_join j = {.name = key, .window_ms = WINDOW, .after = 1};

    memcpy(j.key, key, strlen(key));
    return j;
}

static void send(struct fixture *f, struct sample *m, const char *text, int64_t at_ms,
                 const struct tkt_store_join *joins, size_t count)
{
    sample_init(m, text);
    m->in.now_ms = at_ms;
    m->desks[0].joins = joins;
    m->desks[0].join_count = count;
    reserve_ok(f, m);
}

static const char *send_one(struct fixture *f, struct sample *m, const char *text,
                            int64_t at_ms, const struct tkt_store_join *join)
{
    send(f, m, text, at_ms, join, 1);
    return m->out[0].id;
}

static void alarms_of_one_key_are_one_ticket(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join disk = alarm_of("disk");
    const struct tkt_store_join cpu = alarm_of("cpu");

    for (int i = 0; i < 300; i++) {
        char text[40];
        snprintf(text, sizeof(text), "disk full %d", i);
        assert_string_equal("IT-1", send_one(f, &m, text, NOW + i, &disk));
        assert_int_equal(i > 0, m.out[0].joined);
    }
    assert_string_equal("IT-2", send_one(f, &m, "cpu hot", NOW + 300, &cpu));
    assert_int_equal(299, number(f, "SELECT joined FROM tickets WHERE id = 1"));
    assert_int_equal(300, number(f, "SELECT count(*) FROM messages WHERE ticket = 1"));
    assert_int_equal(
        299, number(f, "SELECT count(*) FROM events WHERE kind = 'message.joined'"));
    assert_clean(f);
}

struct pair {
    struct sample samples[2];
};

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct sample *m = arg;

    return tkt_store_reserve(store, &m->in, &m->res, err);
}

static void two_of_one_key_in_one_batch_are_one_ticket(void **state)
{
    struct fixture *f = *state;
    struct pair p;
    const struct tkt_store_join disk = alarm_of("disk");
    struct tkt_store_item items[2];

    memset(items, 0, sizeof(items));
    for (int i = 0; i < 2; i++) {
        sample_init(&p.samples[i], i == 0 ? "one" : "two");
        p.samples[i].desks[0].joins = &disk;
        p.samples[i].desks[0].join_count = 1;
        items[i] =
            (struct tkt_store_item){.apply = apply, .arg = &p.samples[i], .bytes = 100};
    }
    assert_int_equal(2, tkt_store_batch(f->store, items, 2));
    assert_string_equal("created", p.samples[0].out[0].status);
    assert_string_equal("existing", p.samples[1].out[0].status);
    assert_string_equal(p.samples[0].out[0].id, p.samples[1].out[0].id);
    assert_clean(f);
}

static void the_same_message_again_is_not_counted_twice(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join disk = alarm_of("disk");

    send_one(f, &m, "one", NOW, &disk);
    send_one(f, &m, "two", NOW + 1, &disk);
    assert_string_equal("IT-1", send_one(f, &m, "two", NOW + 2, &disk));
    assert_int_equal(1, number(f, "SELECT joined FROM tickets"));
    assert_int_equal(2, count_of(f, "messages"));
}

static void each_mail_begins_the_window_anew_and_after_it_a_ticket_is_new(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join disk = alarm_of("disk");

    assert_string_equal("IT-1", send_one(f, &m, "1", NOW, &disk));
    assert_string_equal("IT-1", send_one(f, &m, "2", NOW + WINDOW - 1, &disk));
    assert_string_equal("IT-1", send_one(f, &m, "3", NOW + 2 * WINDOW - 2, &disk));
    assert_string_equal("IT-2", send_one(f, &m, "4", NOW + 3 * WINDOW - 2, &disk));
    assert_string_equal("IT-2", send_one(f, &m, "5", NOW + 3 * WINDOW, &disk));
}

static void a_recovery_resolves_and_the_next_alarm_opens_it_again(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join disk = alarm_of("disk");
    struct tkt_store_join over = disk;

    over.effect = TKT_EFFECT_RESOLVE;
    send_one(f, &m, "down", NOW, &disk);
    assert_string_equal("IT-1", send_one(f, &m, "up", NOW + 1, &over));
    assert_int_equal(TKT_STATE_RESOLVED, m.out[0].state);
    assert_string_equal("IT-1", send_one(f, &m, "up again", NOW + 2, &over));
    assert_int_equal(TKT_STATE_RESOLVED, m.out[0].state);
    assert_string_equal("IT-1", send_one(f, &m, "down again", NOW + 3, &disk));
    assert_int_equal(TKT_STATE_OPEN, m.out[0].state);
    over.effect = TKT_EFFECT_OVER;
    assert_string_equal("IT-1", send_one(f, &m, "up?", NOW + 4, &over));
    assert_int_equal(TKT_STATE_OPEN, m.out[0].state);
    assert_clean(f);
}

static void a_closed_ticket_takes_no_more(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join disk = alarm_of("disk");
    struct tkt_err err = TKT_ERR_INIT;

    send_one(f, &m, "1", NOW, &disk);
    assert_int_equal(
        0, tkt_store_move(f->store, "IT-1", TKT_STATE_CLOSED, "anna", "", NOW + 1, &err));
    assert_string_equal("IT-2", send_one(f, &m, "2", NOW + 2, &disk));
    assert_string_equal("IT-2", send_one(f, &m, "3", NOW + 3, &disk));
}

static void what_joined_a_merged_ticket_joins_its_heir(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join disk = alarm_of("disk");
    const struct tkt_store_join other = alarm_of("other");
    struct tkt_err err = TKT_ERR_INIT;

    send_one(f, &m, "1", NOW, &disk);
    send_one(f, &m, "2", NOW, &other);
    assert_int_equal(0, tkt_store_merge(f->store, "IT-1", "IT-2", "anna", NOW + 1, &err));
    assert_string_equal("IT-2", send_one(f, &m, "3", NOW + 2, &disk));
    assert_clean(f);
}

static void a_storm_joins_the_conversation_after_so_many_tickets(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_store_join storm = alarm_of("conversation");

    make(f, &m, "what all answer");
    storm.into = m.out[0].ticket;
    storm.after = 3;
    storm.effect = TKT_EFFECT_UNVERIFIED;
    for (int i = 0; i < 20; i++) {
        char text[40];
        snprintf(text, sizeof(text), "me too %d", i);
        send_one(f, &m, text, NOW + i, &storm);
    }
    assert_string_equal("IT-1", m.out[0].id);
    assert_int_equal(4, count_of(f, "tickets"));
    assert_int_equal(17, number(f, "SELECT joined FROM tickets WHERE id = 1"));
    assert_clean(f);
}

static void the_first_of_several_keys_that_fits_counts(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join first[] = {alarm_of("a"), alarm_of("b")};
    const struct tkt_store_join b = alarm_of("b");

    send(f, &m, "1", NOW, first, 2);
    assert_string_equal("IT-1", send_one(f, &m, "2", NOW, &b));
}

static void another_desk_has_keys_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join disk = alarm_of("disk");

    send_one(f, &m, "1", NOW, &disk);
    sample_init(&m, "2");
    m.desks[0].desk = "hr";
    m.desks[0].prefix = "HR";
    m.desks[0].joins = &disk;
    m.desks[0].join_count = 1;
    reserve_ok(f, &m);
    assert_string_equal("HR-1", m.out[0].id);
}

static void keys_are_forgotten_when_their_window_is_over(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_join disk = alarm_of("disk");
    const struct tkt_store_join cpu = alarm_of("cpu");
    struct tkt_err err = TKT_ERR_INIT;

    send_one(f, &m, "1", NOW, &disk);
    send_one(f, &m, "2", NOW + 5, &cpu);
    assert_int_equal(0, tkt_store_joins_expire(f->store, NOW + WINDOW - 1, 10, &err));
    assert_int_equal(1, tkt_store_joins_expire(f->store, NOW + WINDOW, 10, &err));
    assert_int_equal(1, count_of(f, "joins"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(alarms_of_one_key_are_one_ticket),
        T(two_of_one_key_in_one_batch_are_one_ticket),
        T(the_same_message_again_is_not_counted_twice),
        T(each_mail_begins_the_window_anew_and_after_it_a_ticket_is_new),
        T(a_recovery_resolves_and_the_next_alarm_opens_it_again),
        T(a_closed_ticket_takes_no_more),
        T(what_joined_a_merged_ticket_joins_its_heir),
        T(a_storm_joins_the_conversation_after_so_many_tickets),
        T(the_first_of_several_keys_that_fits_counts),
        T(another_desk_has_keys_of_its_own),
        T(keys_are_forgotten_when_their_window_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
