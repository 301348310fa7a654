/* SPDX-License-Identifier: BSD-2-Clause
 * Followers over a real store and writer: each event once, across errors and restarts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include "base/util.h"
#include "store_fixture.h"
#include "ticketd/follow/follow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEN_MAX 2000
#define WAIT_MS 20000

struct followed {
    char dir[128];
    struct tkt_daemon d;
    struct tkt_settings set;
    struct tkt_follow *follow;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t seen[SEEN_MAX]; /* numbers of the events that were applied for good */
static int seen_count;
static atomic_bool is_wanted;
static atomic_int asked;     /* so often whether it is */
static atomic_int temp_left; /* so many plans or applies fail and may work later */
static atomic_int poison;    /* the event of this number never works; 0 = none */

/* ---- the follower ----------------------------------------------------------------------- */

struct plan {
    int count;
    int numbers[TKT_FOLLOW_BATCH];
};

static bool wanted(const struct tkt_settings *set)
{
    (void)set;
    atomic_fetch_add(&asked, 1);
    return atomic_load(&is_wanted);
}

static int plan(const struct tkt_follow_round *round, void **out, struct tkt_err *err)
{
    struct plan *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    for (size_t i = 0; i < round->count; i++) {
        int number = 0;

        if (strcmp(round->events[i].kind, "test.number") != 0) {
            continue;
        }
        assert_int_equal(sscanf(round->events[i].data, "{\"n\":%d}", &number), 1);
        if (number == atomic_load(&poison)) {
            free(p);
            return tkt_err_set(err, TKT_ERR_PERM, "nobody can do number %d", number);
        }
        p->numbers[p->count++] = number;
    }
    *out = p;
    return 0;
}

/* What it writes are events of its own: a later look at the store shows what was kept. */
static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct plan *p = arg;

    for (int i = 0; i < p->count; i++) {
        char data[40];

        snprintf(data, sizeof(data), "{\"of\":%d}", p->numbers[i]);
        if (tkt_store_event(store, 0, "test.effect", data, 1, err) < 0) {
            return -1;
        }
    }
    if (p->count > 0 && atomic_load(&temp_left) > 0) {
        atomic_fetch_sub(&temp_left, 1);
        return tkt_err_set(err, TKT_ERR_TEMP, "not now");
    }
    return 0;
}

static const struct tkt_follower follower = {
    .name = "test", .wanted = wanted, .plan = plan, .apply = apply, .release = free};
static const struct tkt_follower *const followers[] = {&follower, NULL};

/* ---- fixture ---------------------------------------------------------------------------- */

static void start(struct followed *f)
{
    const struct tkt_store_options opt = {.dir = f->dir,
                                          .host = "test",
                                          .id_block = 1,
                                          .batch_bytes_max = 1 << 20,
                                          .batch_us_max = 1000000};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_store *store = tkt_store_open(&opt, &err);

    assert_non_null(store);
    f->d.commit = tkt_commit_start(&store, 64, &err);
    assert_non_null(f->d.commit);
    f->d.store_dir = f->dir;
    f->d.settings = &f->set;
    atomic_store(&f->set.refs, 1);
    pthread_mutex_init(&f->d.settings_lock, NULL);
}

static void go(struct followed *f)
{
    struct tkt_err err = TKT_ERR_INIT;

    f->follow = tkt_follow_start(&f->d, followers, &err);
    assert_non_null(f->follow);
}

static int set_up(void **state)
{
    struct followed *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "/tmp/tkt-follow-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    atomic_store(&is_wanted, true);
    atomic_store(&temp_left, 0);
    atomic_store(&poison, 0);
    start(f);
    *state = f;
    return 0;
}

static void stop(struct followed *f)
{
    tkt_follow_stop(&f->follow);
    tkt_commit_stop(&f->d.commit);
    pthread_mutex_destroy(&f->d.settings_lock);
}

static int tear_down(void **state)
{
    struct followed *f = *state;

    stop(f);
    remove_tree(f->dir);
    free(f);
    return 0;
}

static int apply_number(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    char data[40];

    snprintf(data, sizeof(data), "{\"n\":%d}", *(int *)arg);
    return tkt_store_event(store, 0, "test.number", data, 1, err);
}

static void happen(struct followed *f, int from, int to)
{
    for (int n = from; n <= to; n++) {
        struct tkt_err err = TKT_ERR_INIT;

        assert_int_equal(tkt_commit_call(f->d.commit, apply_number, &n, false, &err), 0);
    }
}

/* The numbers of all effects in the store, in their order. */
static void look(struct followed *f)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *r = tkt_reader_open(f->dir, &err);
    struct tkt_wire_arena arena = {0};
    struct tkt_store_event e[TKT_FOLLOW_BATCH];
    int64_t after = 0;
    int n;

    assert_non_null(r);
    pthread_mutex_lock(&lock);
    seen_count = 0;
    while ((n = tkt_reader_events_after(r, after, TKT_FOLLOW_BATCH, &arena, e, &err)) >
           0) {
        for (int i = 0; i < n; i++) {
            after = e[i].id;
            if (strcmp(e[i].kind, "test.effect") == 0) {
                assert_int_equal(
                    sscanf(e[i].data, "{\"of\":%" SCNd64 "}", &seen[seen_count]), 1);
                seen_count++;
            }
        }
    }
    pthread_mutex_unlock(&lock);
    assert_int_equal(n, 0);
    tkt_wire_arena_release(&arena);
    tkt_reader_close(&r);
}

static void wait_for(struct followed *f, int count)
{
    int64_t until = tkt_clock_mono_ms() + WAIT_MS;

    do {
        look(f);
        if (seen_count >= count) {
            return;
        }
        usleep(20000);
    } while (tkt_clock_mono_ms() < until);
    assert_int_equal(seen_count, count);
}

static void wait_for_place(struct followed *f)
{
    int64_t until = tkt_clock_mono_ms() + WAIT_MS;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *r = tkt_reader_open(f->dir, &err);
    int64_t place = 0;

    assert_non_null(r);
    while (tkt_reader_place(r, "test", &place, &err) != 1) {
        assert_true(tkt_clock_mono_ms() < until);
        usleep(20000);
    }
    tkt_reader_close(&r);
}

static void assert_seen(int from, int to)
{
    assert_int_equal(seen_count, to - from + 1);
    for (int i = 0; i < seen_count; i++) {
        assert_int_equal(seen[i], from + i);
    }
}

/* ---- tests ------------------------------------------------------------------------------ */

static void begins_at_the_newest_event_and_sees_each_once_in_order(void **state)
{
    struct followed *f = *state;

    happen(f, 1, 5);
    go(f);
    wait_for_place(f);
    happen(f, 6, 300);
    wait_for(f, 295);
    assert_seen(6, 300);
}

static void what_happens_right_behind_the_first_start_is_seen(void **state)
{
    struct followed *f = *state;

    happen(f, 1, 2);
    go(f);
    happen(f, 3, 5); /* its thread may not have run yet */
    wait_for(f, 3);
    assert_seen(3, 5);
}

static void goes_on_where_it_was_after_a_restart(void **state)
{
    struct followed *f = *state;

    go(f);
    wait_for_place(f);
    happen(f, 1, 3);
    wait_for(f, 3);
    stop(f);
    start(f);
    happen(f, 4, 9); /* while nobody follows */
    go(f);
    wait_for(f, 9);
    assert_seen(1, 9);
}

static void what_failed_for_a_while_comes_again_without_a_trace(void **state)
{
    struct followed *f = *state;

    go(f);
    wait_for_place(f);
    atomic_store(&temp_left, 1);
    happen(f, 1, 4);
    wait_for(f, 4);
    assert_seen(1, 4);
    assert_int_equal(atomic_load(&temp_left), 0);
}

static void an_event_that_never_works_is_left_out_alone(void **state)
{
    struct followed *f = *state;

    atomic_store(&poison, 7);
    go(f);
    wait_for_place(f);
    happen(f, 1, 12);
    wait_for(f, 11);
    assert_int_equal(seen_count, 11);
    for (int i = 0; i < 11; i++) {
        assert_int_equal(seen[i], i < 6 ? i + 1 : i + 2);
    }
}

static void who_is_not_wanted_has_no_place(void **state)
{
    struct followed *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    int64_t place;

    go(f);
    wait_for_place(f);
    stop(f);
    atomic_store(&is_wanted, false);
    start(f);
    go(f);
    happen(f, 1, 2);
    struct tkt_reader *r = tkt_reader_open(f->dir, &err);
    assert_non_null(r);
    int64_t until = tkt_clock_mono_ms() + WAIT_MS;
    while (tkt_reader_place(r, "test", &place, &err) != 0) {
        assert_true(tkt_clock_mono_ms() < until);
        usleep(20000);
    }
    tkt_reader_close(&r);
    stop(f);
    atomic_store(&is_wanted, true);
    start(f);
    go(f);
    wait_for_place(f);
    happen(f, 3, 4);
    wait_for(f, 2);
    assert_seen(3, 4);
}

static int apply_other(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    (void)arg;
    return tkt_store_event(store, 0, "test.other", "{}", 1, err);
}

/* A round is for what was written, so something is. */
static void wait_for_rounds(struct followed *f, int count)
{
    int64_t until = tkt_clock_mono_ms() + WAIT_MS;
    int before = atomic_load(&asked);

    while (atomic_load(&asked) < before + count) {
        struct tkt_err err = TKT_ERR_INIT;

        assert_true(tkt_clock_mono_ms() < until);
        assert_int_equal(tkt_commit_call(f->d.commit, apply_other, NULL, false, &err), 0);
        usleep(20000);
    }
}

static void what_happens_right_behind_a_reload_is_seen(void **state)
{
    struct followed *f = *state;

    atomic_store(&is_wanted, false);
    go(f);
    happen(f, 1, 2);
    wait_for_rounds(f, 2); /* when the second begins, the first has seen both */
    atomic_store(&is_wanted, true);
    happen(f, 3, 4);
    wait_for(f, 2);
    assert_seen(3, 4);
}

static void a_place_moves_only_from_where_it_is(void **state)
{
    struct followed *f = *state;
    const struct tkt_store_options opt = {.dir = f->dir,
                                          .host = "test",
                                          .id_block = 1,
                                          .batch_bytes_max = 1 << 20,
                                          .batch_us_max = 1000000};
    struct tkt_err err = TKT_ERR_INIT;

    tkt_commit_stop(&f->d.commit);
    struct tkt_store *s = tkt_store_open(&opt, &err);
    assert_non_null(s);
    assert_int_equal(tkt_store_place_move(s, "x", 3, 4, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(tkt_store_place_move(s, "x", -1, 4, &err), 0);
    assert_int_equal(tkt_store_place_move(s, "x", -1, 5, &err), -1);
    assert_int_equal(tkt_store_place_move(s, "x", 4, 5, &err), 0);
    assert_int_equal(tkt_store_place_move(s, "", -1, 5, &err), -1);
    assert_int_equal(
        tkt_store_place_move(s, "a-name-that-is-longer-than-thirty-two", -1, 5, &err),
        -1);
    tkt_store_close(&s);
    start(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            begins_at_the_newest_event_and_sees_each_once_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_happens_right_behind_the_first_start_is_seen,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_where_it_was_after_a_restart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_failed_for_a_while_comes_again_without_a_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_event_that_never_works_is_left_out_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_not_wanted_has_no_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_happens_right_behind_a_reload_is_seen,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_moves_only_from_where_it_is, set_up,
                                        tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
