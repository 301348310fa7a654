/* SPDX-License-Identifier: BSD-2-Clause
 * Jumps of the clock on the wall, as against the one that goes on.
 */
#include "base/clock.h"
#include "ticketd/core/wallclock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define NOW INT64_C(1800000000000)
#define HOUR (3600 * INT64_C(1000))
#define STEADY TKT_WALLCLOCK_STEADY

/* As the scheduler looks: a second has passed, and the wall was moved besides. */
static enum tkt_wallclock_jump second(struct tkt_wallclock *w, int64_t moved_ms)
{
    int64_t by_ms = 0;

    tkt_clock_fake(tkt_clock_wall_ms() + moved_ms + 1000, tkt_clock_mono_ms() + 1000);
    enum tkt_wallclock_jump jump =
        tkt_wallclock_look(w, 0, tkt_clock_wall_ms(), tkt_clock_mono_ms(), &by_ms);
    assert_int_equal(by_ms, moved_ms);
    return jump;
}

static struct tkt_wallclock looked(int64_t latest_ms, enum tkt_wallclock_jump *jump)
{
    struct tkt_wallclock w = {0};
    int64_t by_ms;

    tkt_clock_fake(NOW, 5000);
    *jump = tkt_wallclock_look(&w, latest_ms, NOW, 5000, &by_ms);
    return w;
}

static bool doubts(const struct tkt_wallclock *w)
{
    return tkt_wallclock_in_doubt(w, tkt_clock_mono_ms());
}

static void a_jump_ahead_is_believed_when_it_has_stood_for_a_minute(void **state)
{
    enum tkt_wallclock_jump jump;
    struct tkt_wallclock w = looked(0, &jump);

    (void)state;
    assert_int_equal(jump, STEADY);
    assert_false(doubts(&w));
    assert_int_equal(second(&w, 8 * HOUR), TKT_WALLCLOCK_AHEAD);
    for (int64_t i = 0; i < TKT_WALLCLOCK_DOUBT_MS / 1000; i++) {
        assert_true(doubts(&w));
        assert_int_equal(second(&w, 0), STEADY);
    }
    assert_false(doubts(&w));
}

static void one_that_is_taken_back_was_none(void **state)
{
    enum tkt_wallclock_jump jump;
    struct tkt_wallclock w = looked(0, &jump);

    (void)state;
    assert_int_equal(second(&w, 8 * HOUR), TKT_WALLCLOCK_AHEAD);
    assert_int_equal(second(&w, -8 * HOUR), TKT_WALLCLOCK_BACK);
    assert_false(doubts(&w));
    assert_int_equal(second(&w, 0), STEADY);
}

static void a_clock_that_is_slewed_does_not_jump(void **state)
{
    enum tkt_wallclock_jump jump;
    struct tkt_wallclock w = looked(0, &jump);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(second(&w, i % 2 ? 900 : -800), STEADY);
    }
    assert_int_equal(second(&w, -59999), STEADY);
    assert_int_equal(second(&w, -60000), TKT_WALLCLOCK_BACK);
}

/* Set while we were not there: the log was written later than now. */
static void what_was_now_once_tells_at_the_first_look(void **state)
{
    enum tkt_wallclock_jump jump;
    struct tkt_wallclock w = looked(NOW + 24 * HOUR, &jump);

    (void)state;
    assert_int_equal(jump, TKT_WALLCLOCK_BACK);
    assert_false(doubts(&w));
    w = looked(NOW - 24 * HOUR, &jump); /* a day of rest */
    assert_int_equal(jump, STEADY);
    assert_false(doubts(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jump_ahead_is_believed_when_it_has_stood_for_a_minute),
        cmocka_unit_test(one_that_is_taken_back_was_none),
        cmocka_unit_test(a_clock_that_is_slewed_does_not_jump),
        cmocka_unit_test(what_was_now_once_tells_at_the_first_look)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
