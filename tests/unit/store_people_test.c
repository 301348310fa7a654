/* SPDX-License-Identifier: BSD-2-Clause
 * The cache of people, and the job that asks for one of them before a create.
 */
#include "tests/unit/store_fixture.h"

#include "store/people.h"

#define MANY 100000
#define A_SECOND 1000

/* ---- the cache ------------------------------------------------------------------------ */

static void set(struct fixture *f, const char *address, const char *data, int64_t now,
                int64_t expires)
{
    assert_int_equal(tkt_store_person_set(f->store, address, data,
                                          data != NULL ? strlen(data) : 0, true, now,
                                          expires, NULL),
                     0);
}

/* -1: nobody asked; 0: unknown; 1: known. */
static int look(struct fixture *f, const char *address, struct tkt_store_person *row,
                struct tkt_buf *data)
{
    struct tkt_err err = TKT_ERR_INIT;

    tkt_buf_reset(data);
    int n = tkt_reader_person(f->reader, address, row, data, &err);
    assert_true(n >= 0);
    return n == 0 ? -1 : row->is_known;
}

static void an_answer_is_kept_also_that_nobody_knew(void **state)
{
    struct fixture *f = *state;
    struct tkt_buf data = TKT_BUF_INIT(1000);
    struct tkt_store_person row;

    assert_int_equal(look(f, "a@x.test", &row, &data), -1);
    set(f, "a@x.test", "Ann", NOW, NOW + HOUR_MS);
    set(f, "b@x.test", NULL, NOW, NOW + A_SECOND);
    assert_int_equal(look(f, "a@x.test", &row, &data), 1);
    assert_string_equal(tkt_buf_str(&data), "Ann");
    assert_int_equal(row.checked_ms, NOW);
    assert_int_equal(row.expires_ms, NOW + HOUR_MS);
    assert_int_equal(look(f, "b@x.test", &row, &data), 0);
    set(f, "b@x.test", "Bob", NOW + 5, NOW + DAY_MS);
    assert_int_equal(look(f, "b@x.test", &row, &data), 1);
    assert_int_equal(count_of(f, "people"), 2);
    assert_int_equal(look(f, "A@x.test", &row, &data), -1); /* callers fold the case */
    tkt_buf_release(&data);
}

static void a_person_beyond_the_cap_is_refused(void **state)
{
    struct fixture *f = *state;
    static char large[TKT_STORE_PERSON_MAX + 1];
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_store_person_set(f->store, "a@x.test", large, sizeof(large),
                                          true, NOW, NOW, &err),
                     -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(tkt_store_person_set(f->store, "a@x.test", large, sizeof(large) - 1,
                                          true, NOW, NOW, &err),
                     0);
}

static void who_writes_is_asked_for_again_before_the_end(void **state)
{
    struct fixture *f = *state;
    struct tkt_buf out = TKT_BUF_INIT(1000);

    set(f, "quiet@x.test", "Q", NOW, NOW + HOUR_MS);
    set(f, "busy@x.test", "B", NOW, NOW + HOUR_MS);
    set(f, "later@x.test", "L", NOW, NOW + DAY_MS);
    for (int i = 0; i < 2; i++) { /* once is as good as often */
        assert_int_equal(
            tkt_store_person_used(f->store, "busy@x.test", NOW + 60000, NULL), 0);
    }
    assert_int_equal(tkt_store_person_used(f->store, "later@x.test", NOW + 60000, NULL),
                     0);
    assert_int_equal(
        tkt_reader_people_due(f->reader, NOW, NOW + 2 * HOUR_MS, 10, &out, NULL), 1);
    assert_string_equal(out.data, "busy@x.test");
    /* A refresh is no use: without another mail it is the last one. */
    assert_int_equal(tkt_store_person_set(f->store, "busy@x.test", "B", 1, false,
                                          NOW + HOUR_MS, NOW + 2 * HOUR_MS, NULL),
                     0);
    tkt_buf_reset(&out);
    assert_int_equal(
        tkt_reader_people_due(f->reader, NOW, NOW + 3 * HOUR_MS, 10, &out, NULL), 0);
    tkt_buf_release(&out);
}

static void the_old_and_the_longest_unused_go_first(void **state)
{
    struct fixture *f = *state;
    struct tkt_buf data = TKT_BUF_INIT(1000);
    struct tkt_store_person row;
    int64_t removed = 0;

    set(f, "ended@x.test", "E", NOW, NOW + 1);
    set(f, "unused@x.test", "U", NOW + 1, NOW + DAY_MS);
    set(f, "used@x.test", "U", NOW + 2, NOW + DAY_MS);
    set(f, "new@x.test", "N", NOW + 3, NOW + DAY_MS);
    assert_int_equal(tkt_store_people_trim(f->store, NOW + 2, 2, 100, &removed, NULL), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(look(f, "ended@x.test", &row, &data), -1);
    assert_int_equal(look(f, "unused@x.test", &row, &data), -1);
    assert_int_equal(look(f, "used@x.test", &row, &data), 1);
    assert_int_equal(tkt_store_people_flush(f->store, &removed, NULL), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(count_of(f, "people"), 0);
    tkt_buf_release(&data);
}

static void who_is_forgotten_is_forgotten_here_too(void **state)
{
    struct fixture *f = *state;
    int64_t count = 0;

    set(f, "ann@x.test", "Ann", NOW, NOW + DAY_MS);
    assert_int_equal(tkt_store_forget(f->store, "Ann@x.test", "root", NOW, &count, NULL),
                     0);
    assert_int_equal(count_of(f, "people"), 0);
}

static int apply_many(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    int from = *(const int *)arg;

    for (int i = from; i < from + 1000; i++) {
        char address[40];

        snprintf(address, sizeof(address), "person%d@x.test", i);
        if (tkt_store_person_set(store, address, i % 10 ? "somebody" : NULL,
                                 i % 10 ? 8 : 0, true, NOW + i, NOW + DAY_MS, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int apply_trim(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    return tkt_store_people_trim(store, NOW, MANY / 2, 10000, arg, err);
}

static void a_hundred_thousand_people_cost_one_read_each(void **state)
{
    struct fixture *f = *state;
    struct tkt_buf data = TKT_BUF_INIT(1000);
    struct tkt_store_person row;
    char plan[2000];
    int64_t known = 0;
    int64_t unknown = 0;
    int64_t gone = 0;

    for (int from = 0; from < MANY; from += 1000) {
        struct tkt_store_item item = {.apply = apply_many, .arg = &from};
        assert_int_equal(tkt_store_batch(f->store, &item, 1), 1);
        assert_int_equal(item.result, 0);
    }
    assert_int_equal(tkt_db_explain(f->store->db, SQL_PERSON_GET, plan, sizeof(plan)), 0);
    assert_non_null(strstr(plan, "SEARCH people USING PRIMARY KEY (address=?)"));
    assert_int_equal(tkt_db_explain(f->store->db, SQL_PEOPLE_DUE, plan, sizeof(plan)), 0);
    assert_non_null(strstr(plan, "people_expires"));
    int64_t start = tkt_clock_mono_us();
    for (int i = 0; i < MANY; i += 10) {
        char address[40];
        snprintf(address, sizeof(address), "person%d@x.test", i + 1);
        assert_int_equal(look(f, address, &row, &data), 1);
    }
    printf("a read of 100,000: %.1f us\n",
           (double)(tkt_clock_mono_us() - start) / (MANY / 10));
    assert_int_equal(tkt_reader_people_count(f->reader, &known, &unknown, NULL), 0);
    assert_int_equal(known, MANY);
    assert_int_equal(unknown, MANY / 10);
    for (int i = 0; i < 6; i++) {
        int64_t removed = 0;
        struct tkt_store_item item = {.apply = apply_trim, .arg = &removed};
        assert_int_equal(tkt_store_batch(f->store, &item, 1), 1);
        gone += removed;
    }
    assert_int_equal(gone, MANY / 2);
    assert_int_equal(look(f, "person1@x.test", &row, &data), -1); /* the oldest ones */
    assert_int_equal(look(f, "person99999@x.test", &row, &data), 1);
    tkt_buf_release(&data);
}

/* ---- before the create ------------------------------------------------------------------ */

/* The kinds of a ticket's jobs in the order in which they run. */
static void run_jobs(struct fixture *f, char *out, size_t n)
{
    struct tkt_job job = {0};

    out[0] = '\0';
    while (tkt_store_jobs_claim(f->store, "me", NOW + DAY_MS, 60000, &job, 1, NULL) ==
           1) {
        size_t at = strlen(out);
        snprintf(out + at, n - at, "%s%s", at ? " " : "", job.kind);
        assert_int_equal(tkt_store_job_finish(f->store, job.id, "me", TKT_JOB_DONE, 0, "",
                                              NOW + DAY_MS, NULL),
                         0);
        tkt_jobs_release(&job, 1);
    }
}

static void remote(struct sample *m)
{
    m->desks[0].itsm = "snow";
    m->desks[0].itsm_type = "servicenow";
}

static void who_is_asked_for_comes_before_the_create(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    char kinds[200];

    sample_init(&m, "cold");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    remote(&m);
    m.in.analysed = true;
    m.in.enrich = true;
    reserve_ok(f, &m);
    run_jobs(f, kinds, sizeof(kinds));
    assert_string_equal(kinds, "enrich create");
    assert_clean(f);
}

static void a_known_sender_needs_no_job(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    char kinds[200];

    sample_init(&m, "warm");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    remote(&m);
    m.in.analysed = true;
    reserve_ok(f, &m);
    run_jobs(f, kinds, sizeof(kinds));
    assert_string_equal(kinds, "create");
}

static void what_is_not_analysed_asks_when_it_is(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    char kinds[200];

    sample_init(&m, "unread");
    remote(&m);
    m.in.analysed = false;
    m.in.enrich = true;
    reserve_ok(f, &m);
    run_jobs(f, kinds, sizeof(kinds));
    assert_string_equal(kinds, "reanalyse create");
}

static void a_held_ticket_asks_when_it_is_confirmed(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    char kinds[200];

    sample_init(&m, "held");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    remote(&m);
    sample_sieve(&m, "it@x.test");
    m.in.analysed = true;
    m.in.enrich = true;
    reserve_ok(f, &m);
    run_jobs(f, kinds, sizeof(kinds));
    assert_string_equal(kinds, "");
    assert_int_equal(tkt_store_confirm(f->store, m.out[0].hold, false, NOW, NULL), 0);
    run_jobs(f, kinds, sizeof(kinds));
    assert_string_equal(kinds, "enrich create");
}

static void enrich(struct fixture *f, const struct sample *m, const char *group)
{
    struct tkt_decision d = {.action = TKT_ACTION_NEW, .group = (char *)(uintptr_t)group};
    const struct tkt_store_analysed_in in = {.ticket = m->out[0].ticket,
                                             .message = m->out[0].message,
                                             .decision = &d,
                                             .enriched = true,
                                             .now_ms = NOW};
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_store_analysed(f->store, &in, &err), 0);
}

static void the_second_decision_moves_a_ticket_that_nobody_touched(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "moves");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    m.in.analysed = true;
    m.in.enrich = true;
    reserve_ok(f, &m);
    enrich(f, &m, "sales");
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE grp = 'sales'"), 1);
    assert_int_equal(
        number(f, "SELECT count(*) FROM events WHERE kind = 'ticket.enriched'"), 1);
    assert_clean(f);
}

static void what_a_person_set_stays(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "touched");
    sample_decide(&m, TKT_ACTION_NEW, 0);
    m.in.analysed = true;
    m.in.enrich = true;
    reserve_ok(f, &m);
    assert_int_equal(
        tkt_store_set(f->store, m.out[0].id, "group", "network", "ann", NOW, NULL), 0);
    enrich(f, &m, "sales");
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE grp = 'network'"), 1);
    assert_int_equal(
        number(f, "SELECT count(*) FROM events WHERE kind = 'ticket.enriched'"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_answer_is_kept_also_that_nobody_knew),
        T(a_person_beyond_the_cap_is_refused),
        T(who_writes_is_asked_for_again_before_the_end),
        T(the_old_and_the_longest_unused_go_first),
        T(who_is_forgotten_is_forgotten_here_too),
        T(a_hundred_thousand_people_cost_one_read_each),
        T(who_is_asked_for_comes_before_the_create),
        T(a_known_sender_needs_no_job),
        T(what_is_not_analysed_asks_when_it_is),
        T(a_held_ticket_asks_when_it_is_confirmed),
        T(the_second_decision_moves_a_ticket_that_nobody_touched),
        T(what_a_person_set_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
