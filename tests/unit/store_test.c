/* SPDX-License-Identifier: BSD-2-Clause
 * common/store: what store.h promises.
 */
#include "tests/unit/store_fixture.h"

static void one_message_is_a_ticket_with_everything_in_one_batch(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "hello");
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-1");
    assert_string_equal(m.out[0].status, "created");
    assert_string_equal(m.out[0].hold, "");
    assert_int_equal(strncmp(m.out[0].corr, "mt-", 3), 0);
    assert_int_equal(strlen(m.out[0].corr), 35);
    assert_int_equal(m.out[0].state, TKT_STATE_NEW);
    assert_int_equal(count_of(f, "jobs"), 1);
    assert_int_equal(count_of(f, "events"), 1);
    assert_int_equal(count_of(f, "threads"), 1);
    assert_int_equal(count_of(f, "participants"), 2);
    assert_clean(f);
}

static void the_same_key_gives_the_same_ticket(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample again;
    struct tkt_store_desk_out seen;

    sample_init(&m, "hello");
    reserve_ok(f, &m);
    sample_init(&again, "hello");
    reserve_ok(f, &again);
    assert_string_equal(again.out[0].status, "existing");
    assert_string_equal(again.out[0].id, m.out[0].id);
    assert_string_equal(again.out[0].corr, m.out[0].corr);
    assert_int_equal(tkt_reader_key(f->reader, "it", again.desks[0].key,
                                    again.in.head_key, NOW, &seen, NULL),
                     1);
    assert_string_equal(seen.id, "IT-1");
    assert_int_equal(count_of(f, "tickets"), 1);
    assert_int_equal(count_of(f, "messages"), 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_message_is_a_ticket_with_everything_in_one_batch),
        T(the_same_key_gives_the_same_ticket),
        T(a_duplicate_of_other_bytes_keeps_the_chain),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
