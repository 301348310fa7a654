/* SPDX-License-Identifier: BSD-2-Clause
 * How many of a target's jobs run, how many an hour, and when it is left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ticketd/jobs/lanegroup.h"

#define NOW INT64_C(1000000)

static void target(struct tkt_lane_group *g, int most, int64_t per_hour)
{
    tkt_group_init(g, "snow", true);
    tkt_group_set(g, most, per_hour);
}

/* Has its turn, and is counted. */
static int64_t turn(struct tkt_lane_group *g, int64_t now_ms)
{
    bool is_probe = false;
    int64_t wait = tkt_group_turn(g, now_ms, &is_probe);

    g->sending += wait == 0;
    g->held += wait == 0;
    return wait;
}

static void as_many_as_the_section_says_have_their_turn_at_once(void **state)
{
    struct tkt_lane_group g;

    (void)state;
    target(&g, 3, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(turn(&g, NOW), 0);
    }
    assert_int_equal(turn(&g, NOW), -1);
    assert_int_equal(tkt_group_room(&g, NOW), g.ahead); /* and some are fetched ahead */
    g.held += g.ahead;
    assert_int_equal(tkt_group_room(&g, NOW), 0);
    tkt_group_set(&g, 64, 0);
    assert_int_equal(g.ahead, TKT_GROUP_AHEAD_MAX);
    assert_int_equal(turn(&g, NOW), 0);
}

static void an_hour_has_no_more_than_its_rate(void **state)
{
    struct tkt_lane_group g;
    int done = 0;

    (void)state;
    target(&g, 10, 600);
    for (int64_t t = 0; t < 3600000; t += 100) {
        if (turn(&g, NOW + t) == 0) {
            g.sending = g.held = 0;
            done++;
        }
    }
    assert_in_range(done, 600, 611); /* a minute's worth may go at once */
}

static void of_a_slow_rate_only_what_can_go_soon_is_fetched(void **state)
{
    struct tkt_lane_group g;

    (void)state;
    target(&g, 8, 60); /* one a minute */
    assert_int_equal(tkt_group_room(&g, NOW), 2);
    assert_int_equal(turn(&g, NOW), 0);
    g.held = g.sending = 0;
    assert_int_equal(tkt_group_room(&g, NOW + 1), 0);
    assert_in_range(tkt_group_wait(&g, NOW + 1), 59000, 60000);
    assert_int_not_equal(tkt_group_room(&g, NOW + 59000), 0);
}

static void a_target_that_asks_for_rest_gets_it_whole(void **state)
{
    struct tkt_lane_group g;

    (void)state;
    target(&g, 8, 0);
    assert_int_equal(turn(&g, NOW), 0);
    assert_int_equal(turn(&g, NOW), 0);
    assert_true(tkt_group_failed(&g, 30000, NOW));
    assert_false(tkt_group_failed(&g, 10000, NOW)); /* the second one tells nothing new */
    assert_int_equal(tkt_group_room(&g, NOW), 0);
    assert_int_equal(turn(&g, NOW), 30000);
    assert_int_equal(turn(&g, NOW + 30000), 0); /* two failures opened no circuit */
    assert_int_not_equal(tkt_group_room(&g, NOW + 30000), 0);
    tkt_group_rest(&g, 50000,
                   NOW + 30000); /* a limit used up, in an answer that is good */
    assert_int_equal(turn(&g, NOW + 30001), 49999);
    tkt_group_forgive(&g);
    assert_int_equal(turn(&g, NOW + 30002), 0);
}

static void behind_an_open_circuit_one_probe_goes_first(void **state)
{
    struct tkt_lane_group g;
    bool is_probe = false;
    int64_t now = NOW;

    (void)state;
    target(&g, 8, 0);
    for (int i = 0; i < TKT_BREAKER_THRESHOLD - 1; i++) {
        assert_false(tkt_group_failed(&g, 0, now));
    }
    assert_true(tkt_group_failed(&g, 0, now));
    assert_int_equal(tkt_group_room(&g, now), 0);
    now += TKT_BREAKER_PAUSE_MS;
    assert_int_equal(tkt_group_room(&g, now), 1);
    assert_int_equal(tkt_group_turn(&g, now, &is_probe), 0);
    assert_true(is_probe);
    g.held = g.sending = 1;
    assert_int_equal(tkt_group_room(&g, now), 0);
    assert_true(turn(&g, now) > 0);
    tkt_group_answered(&g);
    assert_int_equal(tkt_group_room(&g, now), 8 + g.ahead - 1);
    assert_int_equal(turn(&g, now), 0);
}

static void a_person_who_wants_one_tried_ends_the_rest_and_sends_the_probe(void **state)
{
    struct tkt_lane_group g;
    bool is_probe = false;

    (void)state;
    target(&g, 8, 0);
    assert_true(tkt_group_failed(&g, 300000, NOW));
    assert_int_equal(tkt_group_room(&g, NOW), 0);
    tkt_group_dare(&g);
    assert_int_equal(tkt_group_room(&g, NOW), 8 + g.ahead);
    for (int i = 0; i < TKT_BREAKER_THRESHOLD; i++) {
        (void)tkt_group_failed(&g, 300000, NOW);
    }
    assert_int_equal(tkt_group_room(&g, NOW), 0);
    tkt_group_dare(&g);
    assert_int_equal(tkt_group_room(&g, NOW),
                     1); /* the circuit is not closed by a wish */
    assert_int_equal(tkt_group_turn(&g, NOW, &is_probe), 0);
    assert_true(is_probe);
    tkt_group_dare(&g);
    assert_true(tkt_group_turn(&g, NOW, &is_probe) > 0); /* one at a time */
    assert_true(tkt_group_failed(&g, 300000, NOW));
    assert_int_equal(tkt_group_room(&g, NOW), 0);
}

static void work_beside_the_targets_has_room_alone(void **state)
{
    struct tkt_lane_group g;

    (void)state;
    tkt_group_init(&g, "(reading)", false);
    tkt_group_set(&g, 1, 0);
    for (int i = 0; i < 20; i++) {
        (void)tkt_group_failed(&g, 60000, NOW);
    }
    assert_int_equal(tkt_group_wait(&g, NOW), 0);
    assert_int_equal(tkt_group_room(&g, NOW), 1 + TKT_GROUP_AHEAD_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_the_section_says_have_their_turn_at_once),
        cmocka_unit_test(an_hour_has_no_more_than_its_rate),
        cmocka_unit_test(of_a_slow_rate_only_what_can_go_soon_is_fetched),
        cmocka_unit_test(a_target_that_asks_for_rest_gets_it_whole),
        cmocka_unit_test(behind_an_open_circuit_one_probe_goes_first),
        cmocka_unit_test(a_person_who_wants_one_tried_ends_the_rest_and_sends_the_probe),
        cmocka_unit_test(work_beside_the_targets_has_room_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
