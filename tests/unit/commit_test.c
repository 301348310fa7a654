/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd/commit: who commits what, and who hears of it.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "ticketd/core/commit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define CALLERS 8
#define CALLS 50

struct fixture {
    char dir[64];
    struct tkt_commit *commit;
};

/* An item that remembers where it was applied; it may be told to wait in there. */
struct probe {
    struct tkt_commit_item item;
    pthread_t applied_by;
    atomic_int applied;
    atomic_bool *hold;
    bool fails;
};

struct hearer {
    struct tkt_commit_sink sink;
    atomic_int heard;
};

static void sleep_ms(int ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&ts, NULL);
}

static bool becomes(atomic_int *value, int wanted)
{
    for (int i = 0; i < 60000 && *value != wanted; i++) {
        sleep_ms(1);
    }
    return *value == wanted;
}

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct probe *p = arg;

    p->applied_by = pthread_self();
    p->applied++;
    while (p->hold != NULL && *p->hold) {
        sleep_ms(1);
    }
    if (tkt_store_event(store, 0, "test.probe", NULL, 1, err) < 0) {
        return -1;
    }
    return p->fails ? tkt_err_set(err, TKT_ERR_PERM, "told to fail") : 0;
}

static void hear(struct tkt_commit_sink *sink, struct tkt_commit_item *list)
{
    struct hearer *h = (struct hearer *)sink;

    while (list != NULL) {
        list = list->next; /* read first: who is heard of may be gone */
        h->heard++;
    }
}

static void probe_init(struct probe *p, struct hearer *h)
{
    memset(p, 0, sizeof(*p));
    p->item = (struct tkt_commit_item){
        .apply = apply, .arg = p, .bytes = 100, .sink = h != NULL ? &h->sink : NULL};
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct tkt_err err = TKT_ERR_INIT;

    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "/tmp/tkt-commit-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    struct tkt_store_options opt = {.dir = f->dir, .host = "mx1"};
    struct tkt_store *store = tkt_store_open(&opt, &err);
    assert_string_equal(err.text, "");
    f->commit = tkt_commit_start(&store, 64, &err);
    assert_non_null(f->commit);
    assert_null(store);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    tkt_commit_stop(&f->commit);
    snprintf(command, sizeof(command), "rm -r '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void a_lone_item_is_committed_by_its_caller(void **state)
{
    struct fixture *f = *state;
    struct hearer h = {.sink.deliver = hear};
    struct probe p;

    for (int i = 0; i < 3; i++) {
        probe_init(&p, &h);
        assert_true(tkt_commit_here(f->commit, &p.item));
        assert_int_equal(p.item.result, 0);
        assert_true(pthread_equal(p.applied_by, pthread_self()));
    }
    p.fails = true;
    assert_true(tkt_commit_here(f->commit, &p.item));
    assert_int_equal(p.item.result, -1);
    assert_int_equal(p.item.err.class, TKT_ERR_PERM);
    assert_int_equal(h.heard, 0);
}

static void *commit_here(void *arg)
{
    void **in = arg;
    struct probe *p = in[1];

    in[2] = tkt_commit_here(in[0], &p->item) ? p : NULL;
    return NULL;
}

static void what_comes_while_a_caller_commits_is_the_writers(void **state)
{
    struct fixture *f = *state;
    struct hearer h = {.sink.deliver = hear};
    atomic_bool hold = true;
    struct probe slow;
    struct probe p[3];
    void *in[3] = {f->commit, &slow, NULL};
    pthread_t caller;

    probe_init(&slow, NULL);
    slow.hold = &hold;
    assert_int_equal(pthread_create(&caller, NULL, commit_here, in), 0);
    assert_true(becomes(&slow.applied, 1));
    for (size_t i = 0; i < TKT_ARRAY_LEN(p); i++) {
        probe_init(&p[i], &h);
        assert_false(tkt_commit_here(f->commit, &p[i].item));
        assert_int_equal(p[i].applied, 0);
        tkt_commit_push(f->commit, &p[i].item);
    }
    sleep_ms(20);
    assert_int_equal(p[0].applied, 0); /* one at a time */
    hold = false;
    pthread_join(caller, NULL);
    assert_ptr_equal(in[2], &slow);
    assert_true(becomes(&h.heard, 3));
    for (size_t i = 0; i < TKT_ARRAY_LEN(p); i++) {
        assert_int_equal(p[i].item.result, 0);
        assert_false(pthread_equal(p[i].applied_by, pthread_self()));
    }
}

static void who_is_too_late_is_not_applied_anywhere(void **state)
{
    struct fixture *f = *state;
    struct hearer h = {.sink.deliver = hear};
    struct probe p;
    struct tkt_commit_stats stats;

    probe_init(&p, &h);
    p.item.deadline_mono_ms = tkt_clock_mono_ms() - 1;
    assert_true(tkt_commit_here(f->commit, &p.item));
    assert_true(p.item.expired);
    assert_int_equal(p.item.result, -1);
    assert_int_equal(p.item.err.class, TKT_ERR_TEMP);
    tkt_commit_push(f->commit, &p.item);
    assert_true(becomes(&h.heard, 1));
    assert_true(p.item.expired);
    assert_int_equal(p.applied, 0);
    tkt_commit_stats(f->commit, &stats);
    assert_int_equal(stats.expired, 2);
    assert_int_equal(stats.items, 0);
}

struct crowd {
    struct tkt_commit *commit;
    atomic_int failed;
};

static void *call_often(void *arg)
{
    struct crowd *c = arg;

    for (int i = 0; i < CALLS; i++) {
        struct probe p;
        probe_init(&p, NULL);
        p.fails = i % 10 == 9;
        int rc = tkt_commit_call(c->commit, apply, &p, i % 2 == 0, NULL);
        c->failed += rc != (p.fails ? -1 : 0) || p.applied == 0;
    }
    return NULL;
}

static void callers_and_the_writer_lose_nothing_between_them(void **state)
{
    struct fixture *f = *state;
    struct crowd c = {.commit = f->commit};
    pthread_t threads[CALLERS];
    struct tkt_commit_stats stats;

    for (size_t i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &c), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(c.failed, 0);
    tkt_commit_stats(f->commit, &stats);
    assert_int_equal(stats.items, CALLERS * CALLS);
    assert_int_equal(stats.failed, CALLERS * CALLS / 10);
    assert_int_equal(stats.waiting, 0);
}

static void stop_commits_what_waits(void **state)
{
    struct fixture *f = *state;
    struct hearer h = {.sink.deliver = hear};
    atomic_bool hold = true;
    struct probe slow;
    struct probe waiting;

    probe_init(&slow, &h);
    probe_init(&waiting, &h);
    slow.hold = &hold;
    tkt_commit_push(f->commit, &slow.item);
    assert_true(becomes(&slow.applied, 1));
    tkt_commit_push(f->commit, &waiting.item);
    hold = false;
    tkt_commit_stop(&f->commit);
    assert_int_equal(h.heard, 2);
    assert_int_equal(waiting.item.result, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_lone_item_is_committed_by_its_caller),
        T(what_comes_while_a_caller_commits_is_the_writers),
        T(who_is_too_late_is_not_applied_anywhere),
        T(callers_and_the_writer_lose_nothing_between_them),
        T(stop_commits_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
