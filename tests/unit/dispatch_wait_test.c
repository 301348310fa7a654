/* SPDX-License-Identifier: BSD-2-Clause
 * Until when dispatch waits, and by whose time it claims.
 */
#include "tests/unit/store_fixture.h"
#include "ticketd/jobs/dispatch_private.h"

#include <inttypes.h>

#define MONO INT64_C(1000000)
#define OWNER "ticketd:1:00"

struct site {
    struct tkt_daemon d;
    struct tkt_dispatch p;
    struct tkt_running one;
};

/* One job is held, nothing is due. */
static void begin(struct site *s)
{
    struct tkt_dispatch *p = &s->p;

    memset(s, 0, sizeof(*s));
    tkt_clock_fake(NOW, MONO);
    p->d = &s->d;
    p->http = tkt_http_new(NULL);
    assert_non_null(p->http);
    pthread_mutex_init(&p->back_lock, NULL);
    p->todo_end = &p->todo;
    p->finished_end = &p->finished;
    p->held = &s->one;
    p->held_count = 1;
    p->claim_at_ms = p->turn_at_ms = p->next_due_ms = INT64_MAX;
    p->look_at_ms = MONO + 5000;
    snprintf(p->owner, sizeof(p->owner), OWNER);
}

static void end(struct site *s)
{
    tkt_dispatch_book_free(&s->p);
    tkt_http_free(&s->p.http);
    pthread_mutex_destroy(&s->p.back_lock);
    tkt_clock_real();
}

static void what_is_due_is_not_waited_for(void **state)
{
    struct site s;

    (void)state;
    begin(&s);
    assert_true(tkt_dispatch_wait_ms(&s.p) > 0);
    s.p.look = true;
    assert_int_equal(tkt_dispatch_wait_ms(&s.p), 0);
    s.p.look = false;
    s.p.next_due_ms = NOW;
    assert_int_equal(tkt_dispatch_wait_ms(&s.p), 0);
    s.p.next_due_ms = NOW + 20;
    assert_int_equal(tkt_dispatch_wait_ms(&s.p), 20);
    s.p.next_due_ms = INT64_MAX;
    s.p.look_at_ms = MONO - 1;
    assert_int_equal(tkt_dispatch_wait_ms(&s.p), 0);
    end(&s);
}

static void who_holds_all_he_may_waits_for_an_end_whatever_is_due(void **state)
{
    struct site s;

    (void)state;
    begin(&s);
    s.p.held_count = TKT_DISPATCH_HELD_MAX;
    s.p.look = true;
    s.p.look_at_ms = MONO - 1;
    s.p.claim_at_ms = MONO;
    s.p.next_due_ms = NOW - 1;
    assert_true(tkt_dispatch_wait_ms(&s.p) > 0);
    s.p.finished = &s.one;
    s.p.finished_count = 1;
    s.p.finished_at_ms = MONO;
    assert_true(tkt_dispatch_wait_ms(&s.p) > 0); /* for a few more ends */
    tkt_clock_advance(100);
    assert_int_equal(tkt_dispatch_wait_ms(&s.p), 0);
    end(&s);
}

static void a_poke_while_ends_are_recorded_waits_for_that(void **state)
{
    struct site s;

    (void)state;
    begin(&s);
    s.p.book.is_out = true;
    s.p.look_at_ms = MONO - 1;
    tkt_dispatch_poke(&s.p);
    assert_true(tkt_dispatch_wait_ms(&s.p) > 0);
    assert_true(tkt_dispatch_wait_ms(&s.p) > 0);
    end(&s);
}

/* ---- leases ----------------------------------------------------------------------------- */

static int claim_now(struct tkt_dispatch *p)
{
    tkt_dispatch_book_send(p, true);
    assert_true(p->book.is_out);
    for (int i = 0; i < 60000 && !atomic_load(&p->book.is_done); i++) {
        usleep(1000);
    }
    assert_true(atomic_load(&p->book.is_done));
    pthread_mutex_lock(&p->back_lock);
    pthread_mutex_unlock(&p->back_lock);
    assert_int_equal(p->book.item.result, 0);
    int count = p->book.claimed_count;
    tkt_jobs_release(p->book.claimed, count);
    p->book.claimed_count = 0;
    p->book.is_out = false;
    return count;
}

static void a_clock_that_jumps_just_before_a_claim_ends_no_lease_of_ours(void **state)
{
    struct fixture *f = *state;
    struct site s;
    struct sample m;
    struct tkt_job job;

    begin(&s);
    s.p.held = NULL;
    s.p.held_count = 0;
    make(f, &m, "x");
    assert_int_equal(
        tkt_store_jobs_claim(f->store, OWNER, NOW, TKT_DISPATCH_LEASE_MS, &job, 1, NULL),
        1);
    s.d.commit = tkt_commit_start(&f->store, 16, NULL);
    assert_non_null(s.d.commit);
    tkt_dispatch_renew(&s.p); /* what is held is good for a minute from now */
    tkt_clock_fake(NOW + HOUR_MS, MONO + 1);
    assert_int_equal(claim_now(&s.p), 0);
    tkt_dispatch_renew(&s.p); /* none is held: it is another's that is gone */
    assert_int_equal(claim_now(&s.p), 1);
    tkt_jobs_release(&job, 1);
    tkt_commit_stop(&s.d.commit);
    end(&s);
}

static int64_t lease_of(struct fixture *f, int64_t job)
{
    char sql[80];

    snprintf(sql, sizeof(sql), "SELECT due FROM jobs WHERE id = %" PRId64, job);
    return number(f, sql);
}

static void
a_renewal_that_could_not_be_written_is_tried_again_within_seconds(void **state)
{
    struct fixture *f = *state;
    struct site s;
    struct sample m;
    int64_t longest = 0;

    begin(&s);
    make(f, &m, "x");
    assert_int_equal(tkt_store_jobs_claim(f->store, OWNER, NOW, TKT_DISPATCH_LEASE_MS,
                                          &s.one.job, 1, NULL),
                     1);
    s.d.commit = tkt_commit_start(&f->store, 16, NULL);
    assert_non_null(s.d.commit);
    tkt_dispatch_renew(&s.p);
    execute(f, "CREATE TRIGGER busy BEFORE UPDATE OF due ON jobs"
               " BEGIN SELECT RAISE(ABORT, 'busy'); END");
    tkt_clock_advance(TKT_DISPATCH_LEASE_MS / 3);
    for (int i = 0; i < 30; i++) {
        tkt_dispatch_renew(&s.p);
        assert_int_equal(lease_of(f, s.one.job.id), NOW + TKT_DISPATCH_LEASE_MS);
        longest = TKT_MAX(longest, s.p.renew_again_ms - tkt_clock_mono_ms());
        assert_true(s.p.renew_again_ms > tkt_clock_mono_ms()); /* not with every look */
        tkt_clock_advance(500);
    }
    assert_true(longest >= 2000 && longest <= 5000);
    /* What is claimed meanwhile goes by the time until which leases were made. */
    assert_true(s.p.renew_by_ms + TKT_DISPATCH_LEASE_MS / 3 <
                NOW + TKT_DISPATCH_LEASE_MS);
    execute(f, "DROP TRIGGER busy");
    tkt_clock_advance(longest);
    tkt_dispatch_renew(&s.p);
    assert_int_equal(lease_of(f, s.one.job.id),
                     tkt_clock_wall_ms() + TKT_DISPATCH_LEASE_MS);
    tkt_clock_advance(500);
    tkt_dispatch_renew(&s.p); /* with its time again */
    assert_int_equal(lease_of(f, s.one.job.id),
                     tkt_clock_wall_ms() - 500 + TKT_DISPATCH_LEASE_MS);
    tkt_commit_stop(&s.d.commit);
    tkt_jobs_release(&s.one.job, 1);
    end(&s);
}

/* ---- targets that a person wants tried --------------------------------------------------- */

static void only_the_target_that_a_person_wants_tried_ends_its_rest(void **state)
{
    struct site s;
    struct tkt_lane_group g[2];
    char name[8];

    (void)state;
    begin(&s);
    tkt_group_init(&g[0], "a", true);
    tkt_group_init(&g[1], "b", true);
    g[0].next = &g[1];
    s.p.groups = g;
    tkt_group_rest(&g[0], HOUR_MS, MONO);
    tkt_group_rest(&g[1], HOUR_MS, MONO);
    tkt_dispatch_take_dares(&s.p);
    assert_false(s.p.look);
    tkt_dispatch_dare(&s.p, "b");
    tkt_dispatch_dare(&s.p, "b");
    tkt_dispatch_take_dares(&s.p);
    assert_true(s.p.look);
    assert_int_equal(tkt_group_wait(&g[0], MONO), HOUR_MS);
    assert_int_equal(tkt_group_wait(&g[1], MONO), 0);
    for (int i = 0; i <= TKT_DISPATCH_DARES; i++) { /* more than are remembered: all */
        snprintf(name, sizeof(name), "x%d", i);
        assert_int_equal(tkt_group_wait(&g[0], MONO), HOUR_MS);
        tkt_dispatch_dare(&s.p, name);
    }
    tkt_dispatch_take_dares(&s.p);
    assert_int_equal(tkt_group_wait(&g[0], MONO), 0);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_is_not_waited_for),
        cmocka_unit_test(who_holds_all_he_may_waits_for_an_end_whatever_is_due),
        cmocka_unit_test(a_poke_while_ends_are_recorded_waits_for_that),
        cmocka_unit_test(only_the_target_that_a_person_wants_tried_ends_its_rest),
        T(a_clock_that_jumps_just_before_a_claim_ends_no_lease_of_ours),
        T(a_renewal_that_could_not_be_written_is_tried_again_within_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
