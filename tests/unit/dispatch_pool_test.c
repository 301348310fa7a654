/* SPDX-License-Identifier: BSD-2-Clause
 * What of jobs may block: it is all done, once, by few threads, and what is stuck holds
 * nothing else up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/util.h"
#include "ticketd/jobs/dispatch_private.h"

#include <stdlib.h>
#include <string.h>

#define JOBS 200
#define STUCK 2
#define THREADS 6
#define LONG_MS 60000 /* nothing takes so long */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool open;
    int waiting;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static struct {
    struct tkt_daemon d;
    struct tkt_dispatch p;
    struct tkt_running jobs[JOBS];
    int done[JOBS];
    int back[JOBS];
} all;

static int number_of(const struct tkt_running *r)
{
    return (int)(r - all.jobs);
}

static void work(struct tkt_running *r, struct tkt_tools *tools)
{
    (void)tools;
    all.done[number_of(r)]++;
}

static void wait_at_the_gate(struct tkt_running *r, struct tkt_tools *tools)
{
    pthread_mutex_lock(&gate.lock);
    gate.waiting++;
    while (!gate.open) {
        pthread_cond_wait(&gate.wake, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
    work(r, tools);
}

static void came_back(struct tkt_running *r)
{
    assert_false(r->in_pool);
    all.back[number_of(r)]++;
}

static void begin(size_t threads, int children)
{
    struct tkt_conf *conf = tkt_conf_defaults();
    struct tkt_dispatch *p = &all.p;

    assert_non_null(conf);
    memset(&all, 0, sizeof(all));
    gate.open = false;
    gate.waiting = 0;
    p->d = &all.d;
    p->http = tkt_http_new(NULL);
    assert_non_null(p->http);
    p->todo_end = &p->todo;
    pthread_mutex_init(&p->back_lock, NULL);
    conf->parser.children = children;
    tkt_dispatch_set_runs(p, conf);
    tkt_conf_free(&conf);
    if (threads > 0) {
        all.d.work = tkt_work_start("/nonexistent", threads, JOBS, NULL);
        assert_non_null(all.d.work);
    }
    for (int i = 0; i < JOBS; i++) {
        all.jobs[i].dispatch = p;
        all.jobs[i].d = &all.d;
    }
}

static void end(void)
{
    tkt_work_stop(&all.d.work);
    tkt_http_free(&all.p.http);
    pthread_mutex_destroy(&all.p.back_lock);
}

/* As dispatch does, until so many are in the pool yet and no thread is out without need. */
static void turn_until(size_t left)
{
    int64_t until = tkt_clock_mono_ms() + LONG_MS;

    while (all.p.in_pool > left || (left == 0 && tkt_dispatch_runs_are_out(&all.p))) {
        assert_true(tkt_clock_mono_ms() < until);
        int64_t wait = tkt_dispatch_runs_ms(&all.p) - tkt_clock_mono_ms();
        tkt_http_poll(all.p.http, TKT_MIN(wait, INT64_C(50)));
        tkt_dispatch_take_back(&all.p);
        tkt_dispatch_begin_runs(&all.p);
    }
}

/* When so many wait at it. */
static void open_gate(int waiting)
{
    int64_t until = tkt_clock_mono_ms() + LONG_MS;

    while (!gate.open) {
        assert_true(tkt_clock_mono_ms() < until);
        tkt_http_poll(all.p.http, 1);
        pthread_mutex_lock(&gate.lock);
        gate.open = gate.waiting == waiting;
        pthread_cond_broadcast(&gate.wake);
        pthread_mutex_unlock(&gate.lock);
    }
}

static void all_is_done_once(void **state)
{
    (void)state;
    begin(THREADS, 2);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(tkt_running_in_pool(&all.jobs[i], work, came_back), 0);
    }
    turn_until(0);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(all.done[i], 1);
        assert_int_equal(all.back[i], 1);
    }
    assert_null(all.p.todo);
    end();
}

static void many_children_are_worth_many_threads(void **state)
{
    (void)state;
    begin(2 * THREADS, 2 * THREADS);
    for (int i = 0; i < THREADS * 8; i++) {
        assert_int_equal(tkt_running_in_pool(&all.jobs[i], wait_at_the_gate, came_back),
                         0);
    }
    open_gate(THREADS);
    turn_until(0);
    end();
}

static void what_is_stuck_holds_nothing_else_up(void **state)
{
    (void)state;
    begin(THREADS, 2);
    for (int i = 0; i < STUCK; i++) {
        assert_int_equal(tkt_running_in_pool(&all.jobs[i], wait_at_the_gate, came_back),
                         0);
    }
    for (int i = STUCK; i < JOBS; i++) {
        assert_int_equal(tkt_running_in_pool(&all.jobs[i], work, came_back), 0);
    }
    turn_until(STUCK);
    for (int i = STUCK; i < JOBS; i++) {
        assert_int_equal(all.back[i], 1);
    }
    assert_int_equal(all.back[0] + all.back[1], 0);
    open_gate(STUCK);
    turn_until(0);
    end();
}

static void without_a_thread_it_says_so_and_keeps_nothing(void **state)
{
    (void)state;
    begin(0, 2);
    assert_int_equal(tkt_running_in_pool(&all.jobs[0], work, came_back), -1);
    assert_null(all.p.todo);
    assert_int_equal(all.p.in_pool, 0);
    assert_false(all.jobs[0].in_pool);
    assert_false(tkt_dispatch_runs_are_out(&all.p));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_done_once),
        cmocka_unit_test(many_children_are_worth_many_threads),
        cmocka_unit_test(what_is_stuck_holds_nothing_else_up),
        cmocka_unit_test(without_a_thread_it_says_so_and_keeps_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
