/* SPDX-License-Identifier: BSD-2-Clause
 * common/store: batches, faults, schema, state machines, jobs.
 */
#include "tests/unit/faulty_vfs.h"
#include "tests/unit/store_fixture.h"

/* ---- batches ---------------------------------------------------------------------- */

struct write_arg {
    const char *id;
    bool fail;
    int calls;
};

/* Writes an event, and then fails if told to. */
static int apply_event(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct write_arg *a = arg;

    a->calls++;
    if (tkt_store_event(s, 0, a->id, "{}", NOW, err) < 0) {
        return -1;
    }
    return a->fail ? tkt_err_set(err, TKT_ERR_PERM, "told to fail") : 0;
}

static void fill(struct tkt_store_item *items, struct write_arg *args, size_t n,
                 size_t bytes)
{
    for (size_t i = 0; i < n; i++) {
        args[i] = (struct write_arg){.id = "test.event"};
        items[i] = (struct tkt_store_item){
            .apply = apply_event, .arg = &args[i], .bytes = bytes, .result = 7};
    }
}

static void a_failing_item_undoes_only_itself(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_item items[5];
    struct write_arg args[5];

    fill(items, args, 5, 10);
    args[0].fail = args[3].fail = true;
    assert_int_equal(tkt_store_batch(f->store, items, 5), 5);
    for (int i = 0; i < 5; i++) {
        bool bad = i == 0 || i == 3;
        assert_true(items[i].done);
        assert_int_equal(items[i].result, bad ? -1 : 0);
        assert_int_equal(items[i].err.class, bad ? TKT_ERR_PERM : TKT_ERR_NONE);
    }
    assert_int_equal(args[4].calls, 1);
    assert_int_equal(count_of(f, "events"), 3);
    assert_clean(f); /* the chain does not know of the two */
}

static void a_failure_behind_others_has_them_done_once(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_item items[3];
    struct write_arg args[3];

    fill(items, args, 3, 10);
    args[2].fail = true;
    assert_int_equal(tkt_store_batch(f->store, items, 3), 3);
    assert_int_equal(args[0].calls, 2); /* the first time was undone */
    assert_int_equal(items[1].result, 0);
    assert_int_equal(items[2].result, -1);
    assert_int_equal(count_of(f, "events"), 2);
    assert_clean(f);
}

static void a_batch_keeps_its_caps(void **state)
{
    struct fixture *f = *state;
    enum {
        N = TKT_STORE_BATCH_MAX + 10
    };
    static struct tkt_store_item items[N];
    static struct write_arg args[N];

    fill(items, args, N, 1);
    assert_int_equal(tkt_store_batch(f->store, items, N), TKT_STORE_BATCH_MAX);
    assert_true(items[TKT_STORE_BATCH_MAX - 1].done);
    assert_false(items[TKT_STORE_BATCH_MAX].done);

    fill(items, args, 10, 3 * 1024 * 1024 / 2);
    assert_int_equal(tkt_store_batch(f->store, items, 10), 2);
    assert_true(items[1].done);
    assert_false(items[2].done);
    fill(items, args, 2, 100 * 1024 * 1024); /* larger than the cap: alone, not never */
    assert_int_equal(tkt_store_batch(f->store, items, 2), 1);
    assert_int_equal(tkt_store_batch(f->store, items, 0), 0);
}

static int apply_slow(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    (void)s;
    (void)arg;
    (void)err;
    tkt_clock_advance(4);
    return 0;
}

static void a_batch_ends_when_its_time_is_up(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_item items[4];

    f->opt.batch_us_max = 5000;
    fixture_reopen(f);
    for (int i = 0; i < 4; i++) {
        items[i] = (struct tkt_store_item){.apply = apply_slow};
    }
    tkt_clock_fake(NOW, 1000);
    assert_int_equal(tkt_store_batch(f->store, items, 4), 2);
    tkt_clock_real();
    assert_false(items[2].done);
}

/* ---- faults ----------------------------------------------------------------------- */

static void after_a_fault_the_next_batch_works_on_a_new_handle(void **state)
{
    struct fixture *f = *state;
    static const enum faulty_kind kinds[] = {FAULTY_FSYNC, FAULTY_FULL, FAULTY_WRITE};
    struct tkt_store_item items[3];
    struct write_arg args[3];

    for (size_t k = 0; k < TKT_ARRAY_LEN(kinds); k++) {
        int64_t before = count_of(f, "events");
        int opens = faulty_opens();
        fill(items, args, 3, 10);
        faulty_arm(kinds[k], 1);
        assert_int_equal(tkt_store_batch(f->store, items, 3), 3);
        assert_int_equal(faulty_hits(), 1);
        faulty_arm(FAULTY_NONE, 0);
        for (int i = 0; i < 3; i++) {
            assert_true(items[i].done);
            assert_int_equal(items[i].result, -1);
            assert_int_equal(items[i].err.class, TKT_ERR_TEMP);
        }
        assert_int_equal(count_of(f, "events"), before);
        opens = faulty_opens();
        fill(items, args, 3, 10);
        assert_int_equal(tkt_store_batch(f->store, items, 3), 3);
        assert_true(faulty_opens() > opens); /* reopened, not retried */
        assert_int_equal(items[2].result, 0);
        assert_int_equal(count_of(f, "events"), before + 3);
        assert_clean(f);
    }
}

static void a_fault_inside_a_single_call_is_temporary_too(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    faulty_arm(FAULTY_FSYNC, 1);
    assert_int_equal(tkt_store_event(f->store, 0, "x", NULL, NOW, &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    faulty_arm(FAULTY_NONE, 0);
    assert_int_equal(tkt_store_event(f->store, 0, "x", NULL, NOW, &err), 0);
    assert_int_equal(count_of(f, "events"), 1);
}

static void a_store_that_cannot_be_reopened_answers_temp(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_item items[2];
    struct write_arg args[2];

    fill(items, args, 2, 10);
    faulty_arm(FAULTY_FULL, 1000);
    assert_int_equal(tkt_store_batch(f->store, items, 2), 2);
    fill(items, args, 2, 10);
    faulty_arm(FAULTY_OPEN, 1000);
    assert_int_equal(tkt_store_batch(f->store, items, 2), 2);
    assert_int_equal(items[1].result, -1);
    assert_int_equal(items[1].err.class, TKT_ERR_TEMP);
    assert_int_equal(args[0].calls, 0);
    faulty_arm(FAULTY_NONE, 0);
    fill(items, args, 2, 10);
    assert_int_equal(tkt_store_batch(f->store, items, 2), 2);
    assert_int_equal(items[1].result, 0);
    assert_clean(f);
}

static void a_long_log_is_moved_and_a_reader_may_pin_it(void **state)
{
    struct fixture *f = *state;
    static struct tkt_store_item items[TKT_STORE_BATCH_MAX];
    static struct write_arg args[TKT_STORE_BATCH_MAX];
    struct tkt_row row = TKT_ROW_INIT;

    f->store->checkpoint_at = 4; /* pages, as if that were long */
    fill(items, args, TKT_STORE_BATCH_MAX, 10);
    assert_int_equal(tkt_store_batch(f->store, items, TKT_STORE_BATCH_MAX),
                     TKT_STORE_BATCH_MAX);
    assert_int_equal(tkt_db_log_pages(f->store->db), 0);
    assert_int_equal(f->store->checkpoint_at, LOG_PAGES_MAX);
    assert_int_equal(tkt_db_run(f->reader->db, SQL_READ_BEGIN, NULL, ""), 0);
    assert_int_equal(tkt_db_query(f->reader->db, &row, SQL_SCHEMA, NULL, ""), 1);
    tkt_row_end(&row);
    f->store->checkpoint_at = 4;
    fill(items, args, TKT_STORE_BATCH_MAX, 10);
    assert_int_equal(tkt_store_batch(f->store, items, TKT_STORE_BATCH_MAX),
                     TKT_STORE_BATCH_MAX);
    assert_true(f->store->checkpoint_at > LOG_PAGES_MAX); /* not at the next commit */
    assert_false(f->store->broken);
    assert_int_equal(tkt_db_run(f->reader->db, SQL_ROLLBACK, NULL, ""), 0);
    assert_int_equal(tkt_store_checkpoint(f->store, NULL), 0);
    assert_int_equal(tkt_db_log_pages(f->store->db), 0);
    assert_clean(f);
}

static void a_second_writer_is_kept_out(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    assert_null(tkt_store_open(&f->opt, &err));
    assert_int_equal(err.class, TKT_ERR_TEMP);
    assert_non_null(strstr(err.text, "another process"));
    assert_int_equal(tkt_store_event(f->store, 0, "x", NULL, NOW, NULL), 0);
}

/* ---- schema ----------------------------------------------------------------------- */

static void a_newer_schema_is_refused_by_writer_and_reader(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    tkt_reader_close(&f->reader);
    tkt_store_close(&f->store);
    execute(f, "UPDATE meta SET value = 99 WHERE key = 'schema'");
    assert_null(tkt_store_open(&f->opt, &err));
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_non_null(strstr(err.text, "schema 99"));
    assert_null(tkt_reader_open(f->dir, &err));
    assert_int_equal(err.class, TKT_ERR_CONF);
}

static void an_empty_database_is_migrated_and_a_reader_waits_for_it(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;

    tkt_reader_close(&f->reader);
    tkt_store_close(&f->store);
    remove_tree(f->dir);
    assert_int_equal(mkdir(f->dir, 0700), 0);
    execute(f, "PRAGMA user_version = 0"); /* a file without tables: schema 0 */
    assert_null(tkt_reader_open(f->dir, &err));
    assert_int_equal(err.class, TKT_ERR_TEMP);
    f->store = tkt_store_open(&f->opt, &err);
    assert_non_null(f->store);
    f->reader = tkt_reader_open(f->dir, &err);
    assert_non_null(f->reader);
    assert_int_equal(number(f, "SELECT value FROM meta WHERE key = 'schema'"),
                     TKT_STORE_SCHEMA);
    assert_clean(f);
}

static void a_bad_path_is_a_configuration_error(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_store_options opt = f->opt;
    char path[700];

    opt.dir = "/proc/nowhere/store";
    assert_null(tkt_store_open(&opt, &err));
    assert_int_equal(err.class, TKT_ERR_CONF);
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    memcpy(path, "/tmp/", 5);
    opt.dir = path;
    assert_null(tkt_store_open(&opt, &err));
    assert_int_equal(err.class, TKT_ERR_CONF);
}

/* ---- state machines --------------------------------------------------------------- */

static void the_ticket_table_is_exactly_this(void **state)
{
    (void)state;
    static const char *const legal[] = {
        /*               RNOPRCWRM: reserved new open pending resolved closed withdrawn
         *                          refused merged */
        /* reserved  */ "010000100",
        /* new       */ "001111001",
        /* open      */ "000111001",
        /* pending   */ "001011001",
        /* resolved  */ "001001001",
        /* closed    */ "001000001",
        /* withdrawn */ "100000000",
        /* refused   */ "001000000",
        /* merged    */ "000000000",
    };
    for (int from = 0; from <= TKT_STATE_MERGED; from++) {
        for (int to = 0; to <= TKT_STATE_MERGED; to++) {
            bool may = tkt_ticket_may_move((enum tkt_ticket_state)from,
                                           (enum tkt_ticket_state)to);
            if (may != (legal[from][to] == '1')) {
                fail_msg("%s -> %s", tkt_store_state_name((enum tkt_ticket_state)from),
                         tkt_store_state_name((enum tkt_ticket_state)to));
            }
        }
    }
}

static void the_job_table_is_exactly_this(void **state)
{
    (void)state;
    static const char *const legal[] = {
        /* ready claimed done deferred parked */
        "01101", "10111", "00000", "11101", "10100",
    };
    for (int from = 0; from < JOB_STATES; from++) {
        for (int to = 0; to < JOB_STATES; to++) {
            bool may = tkt_job_may_move((enum job_state)from, (enum job_state)to);
            if (may != (legal[from][to] == '1')) {
                fail_msg("%s -> %s", tkt_job_state_name((enum job_state)from),
                         tkt_job_state_name((enum job_state)to));
            }
        }
    }
}

static void an_illegal_move_is_a_bug_that_names_both_states(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    sample_init(&m, "x");
    reserve_ok(f, &m);
    assert_int_equal(
        tkt_store_move(f->store, "IT-1", TKT_STATE_WITHDRAWN, "anna", "", NOW, &err), -1);
    assert_int_equal(err.class, TKT_ERR_BUG);
    assert_string_equal(err.text, "store: IT-1: illegal move from new to withdrawn");
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_NEW);

    struct job_row j;
    struct job_move back = {.to = JOB_DEFERRED, .due_ms = NOW};
    bool own = false;
    assert_int_equal(tkt_store_enter(f->store, &own, &err), 0);
    assert_int_equal(tkt_job_load(f->store->db, 1, &j, &err), 1);
    assert_int_equal(tkt_job_move(f->store, &j, &back, NOW, &err), -1);
    assert_int_equal(err.class, TKT_ERR_BUG);
    assert_string_equal(err.text, "store: job 1: illegal move from ready to deferred");
    assert_int_equal(tkt_store_leave(f->store, own, -1, &err), -1);
}

/* ---- jobs ------------------------------------------------------------------------- */

static int claim(struct fixture *f, const char *owner, int64_t now_ms,
                 struct tkt_job *out, int max)
{
    struct tkt_err err = TKT_ERR_INIT;
    int n = tkt_store_jobs_claim(f->store, owner, now_ms, 1000, out, max, &err);

    assert_string_equal(err.text, "");
    return n;
}

static int finish(struct fixture *f, int64_t job, const char *owner,
                  enum tkt_job_outcome outcome, int64_t run_after_ms)
{
    return tkt_store_job_finish(f->store, job, owner, outcome, run_after_ms, "because",
                                NOW, NULL);
}

static int64_t add_ticket(struct fixture *f, const char *text)
{
    struct sample m;

    sample_init(&m, text);
    m.desks[0].shadow = true; /* brings no jobs of its own */
    reserve_ok(f, &m);
    return m.out[0].ticket;
}

static void add_job(struct fixture *f, int64_t ticket, const char *kind,
                    const char *target, int64_t run_after_ms)
{
    assert_int_equal(tkt_store_job_add(f->store, ticket, 0, kind, target, "{\"a\":1}",
                                       run_after_ms, NOW, NULL),
                     0);
}

static void a_lane_runs_in_order_and_one_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct tkt_job jobs[8];
    int64_t a = add_ticket(f, "a");
    int64_t b = add_ticket(f, "b");

    add_job(f, a, "one", "jira", NOW);
    add_job(f, a, "two", "jira", NOW - 100);
    add_job(f, b, "three", "jira", NOW);
    add_job(f, a, "four", "mail", NOW);
    int n = claim(f, "w1", NOW, jobs, 8);
    assert_int_equal(n, 3);
    assert_string_equal(jobs[0].kind, "one");
    assert_string_equal(jobs[1].kind, "three");
    assert_string_equal(jobs[2].kind, "four");
    assert_string_equal(jobs[0].payload, "{\"a\":1}");
    assert_string_equal(jobs[0].ticket_id, "IT-1");
    assert_string_equal(jobs[0].lane, "1:jira");
    assert_string_equal(jobs[0].target, "jira");
    assert_int_equal(strlen(jobs[0].corr), 35);
    assert_int_equal(jobs[0].attempts, 1);
    assert_int_equal(jobs[0].lease_until_ms, NOW + 1000);
    tkt_jobs_release(jobs, n);
    assert_int_equal(claim(f, "w2", NOW, jobs, 8), 0);
    assert_int_equal(finish(f, 1, "w1", TKT_JOB_DONE, 0), 0);
    n = claim(f, "w2", NOW, jobs, 8);
    assert_int_equal(n, 1);
    assert_string_equal(jobs[0].kind, "two");
    tkt_jobs_release(jobs, n);
}

static void jobs_wait_for_their_time(void **state)
{
    struct fixture *f = *state;
    struct tkt_job job;
    int64_t due = 0;
    int64_t a = add_ticket(f, "a");

    assert_int_equal(tkt_store_jobs_next_due(f->store, &due, NULL), 0);
    assert_true(due == INT64_MAX);
    add_job(f, a, "later", "jira", NOW + 500);
    assert_int_equal(tkt_store_jobs_next_due(f->store, &due, NULL), 0);
    assert_int_equal(due, NOW + 500);
    assert_int_equal(claim(f, "w", NOW + 499, &job, 1), 0);
    assert_int_equal(claim(f, "w", NOW + 500, &job, 1), 1);
    tkt_jobs_release(&job, 1);
    assert_int_equal(finish(f, job.id, "w", TKT_JOB_DEFER, NOW + 9000), 0);
    assert_int_equal(tkt_store_jobs_next_due(f->store, &due, NULL), 0);
    assert_int_equal(due, NOW + 9000);
    assert_int_equal(claim(f, "w", NOW + 8999, &job, 1), 0);
    assert_int_equal(claim(f, "w", NOW + 9000, &job, 1), 1);
    assert_int_equal(job.attempts, 2);
    tkt_jobs_release(&job, 1);
}

static void a_lost_lease_is_taken_over_and_its_owner_refused(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_job job;

    add_job(f, add_ticket(f, "a"), "x", "jira", NOW);
    assert_int_equal(claim(f, "w1", NOW, &job, 1), 1);
    tkt_jobs_release(&job, 1);
    assert_int_equal(claim(f, "w2", NOW + 999, &job, 1), 0);
    assert_int_equal(claim(f, "w2", NOW + 1000, &job, 1), 1);
    assert_int_equal(job.attempts, 2);
    tkt_jobs_release(&job, 1);
    assert_int_equal(
        tkt_store_job_finish(f->store, job.id, "w1", TKT_JOB_DONE, 0, "", NOW, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(finish(f, job.id, "w2", TKT_JOB_DONE, 0), 0);
    assert_int_equal(finish(f, job.id, "w2", TKT_JOB_DONE, 0), -1);
    assert_int_equal(finish(f, 4711, "w2", TKT_JOB_DONE, 0), -1);
}

/* A claim, and since when the job is in doubt. */
static int64_t doubt_at(struct fixture *f, int64_t now_ms)
{
    struct tkt_job job;

    assert_int_equal(claim(f, "w", now_ms, &job, 1), 1);
    tkt_jobs_release(&job, 1);
    return job.doubt_ms;
}

static void end_in(struct fixture *f, enum tkt_job_outcome outcome,
                   enum tkt_job_doubt doubt, int64_t now_ms)
{
    assert_int_equal(tkt_store_job_finish_in_doubt(f->store, 1, "w", outcome, doubt,
                                                   now_ms, "", now_ms, NULL),
                     0);
}

/* What a create rests on: nothing but the knowledge that it was not carried out ends a
 * doubt, and looking later does not make it younger. */
static void doubt_stays_until_it_is_known_better(void **state)
{
    struct fixture *f = *state;

    add_job(f, add_ticket(f, "a"), "create", "jira", NOW);
    assert_int_equal(doubt_at(f, NOW), 0);
    end_in(f, TKT_JOB_DEFER, TKT_DOUBT_KEEP, NOW + 10);
    assert_int_equal(doubt_at(f, NOW + 10), 0);
    end_in(f, TKT_JOB_DEFER, TKT_DOUBT_SET, NOW + 20);
    assert_int_equal(doubt_at(f, NOW + 30), NOW + 20);
    end_in(f, TKT_JOB_DEFER, TKT_DOUBT_KEEP, NOW + 40);
    assert_int_equal(doubt_at(f, NOW + 50), NOW + 20);
    end_in(f, TKT_JOB_RETURN, TKT_DOUBT_CLEAR, NOW + 60);
    assert_int_equal(doubt_at(f, NOW + 70), NOW + 20);
    end_in(f, TKT_JOB_PARK, TKT_DOUBT_KEEP, NOW + 80);
    assert_int_equal(tkt_store_job_command(f->store, 1, "retry", "anna", NOW + 90, NULL),
                     0);
    assert_int_equal(doubt_at(f, NOW + 90), NOW + 20);
    end_in(f, TKT_JOB_DEFER, TKT_DOUBT_CLEAR, NOW + 100);
    assert_int_equal(doubt_at(f, NOW + 100), 0);
    /* The lease runs out: whoever had it may have done anything until now. */
    assert_int_equal(doubt_at(f, NOW + 5000), NOW + 5000);
    end_in(f, TKT_JOB_DEFER, TKT_DOUBT_KEEP, NOW + 5010);
    assert_int_equal(doubt_at(f, NOW + 5020), NOW + 5000);
}

/* Its tries begin anew; and what only a person could tell, the person has told. */
static void who_retries_a_parked_job_gives_it_a_beginning(void **state)
{
    struct fixture *f = *state;

    add_job(f, add_ticket(f, "a"), "create", "jira", NOW);
    assert_int_equal(doubt_at(f, NOW), 0);
    end_in(f, TKT_JOB_DEFER, TKT_DOUBT_SET, NOW + 20);
    assert_int_equal(doubt_at(f, NOW + 20), NOW + 20);
    end_in(f, TKT_JOB_PARK, TKT_DOUBT_ASKED, NOW + 30);
    assert_int_equal(number(f, "SELECT attempts FROM jobs"), 2);
    assert_int_equal(tkt_store_job_command(f->store, 1, "retry", "anna", NOW + 40, NULL),
                     0);
    assert_int_equal(number(f, "SELECT attempts FROM jobs"), 0);
    assert_int_equal(doubt_at(f, NOW + 40), TKT_DOUBT_ASKED_MS);
    /* A deferred one is only sooner. */
    end_in(f, TKT_JOB_DEFER, TKT_DOUBT_SET, NOW + 50);
    assert_int_equal(tkt_store_job_command(f->store, 1, "retry", "anna", NOW + 60, NULL),
                     0);
    assert_int_equal(number(f, "SELECT attempts FROM jobs"), 1);
    assert_int_equal(doubt_at(f, NOW + 60), NOW + 50);
}

static void a_parked_job_parks_its_own_lane_only(void **state)
{
    struct fixture *f = *state;
    struct tkt_job jobs[4];
    int64_t a = add_ticket(f, "a");
    int64_t b = add_ticket(f, "b");

    add_job(f, a, "one", "jira", NOW);
    add_job(f, a, "two", "jira", NOW);
    assert_int_equal(claim(f, "w", NOW, jobs, 4), 1);
    tkt_jobs_release(jobs, 1);
    assert_int_equal(finish(f, jobs[0].id, "w", TKT_JOB_PARK, 0), 0);
    add_job(f, b, "three", "jira", NOW);
    add_job(f, a, "four", "jira", NOW);
    assert_int_equal(claim(f, "w", NOW + DAY_MS, jobs, 4), 1);
    assert_string_equal(jobs[0].kind, "three");
    tkt_jobs_release(jobs, 1);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE state = 4 AND"
                               " reason = 'because'"),
                     1);
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE kind = 'job.parked'"),
                     1);
    /* By hand it runs again, and then the lane. */
    assert_int_equal(tkt_store_job_command(f->store, 1, "retry", "anna", NOW, NULL), 0);
    assert_int_equal(claim(f, "w", NOW, jobs, 4), 1);
    assert_string_equal(jobs[0].kind, "one");
    tkt_jobs_release(jobs, 1);
}

static void a_persons_hand_may_retry_park_and_drop(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_job job;
    int64_t a = add_ticket(f, "a");

    add_job(f, a, "one", "jira", NOW + DAY_MS);
    add_job(f, a, "two", "jira", NOW);
    assert_int_equal(tkt_store_job_command(f->store, 1, "park", "anna", NOW, NULL), 0);
    assert_int_equal(claim(f, "w", NOW + 2 * DAY_MS, &job, 1), 0);
    assert_int_equal(tkt_store_job_command(f->store, 1, "drop", "anna", NOW, NULL), 0);
    assert_int_equal(claim(f, "w", NOW, &job, 1), 1);
    assert_string_equal(job.kind, "two");
    tkt_jobs_release(&job, 1);
    static const char *const verbs[] = {"retry", "park", "drop", "paint"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(verbs); i++) {
        assert_int_equal(
            tkt_store_job_command(f->store, job.id, verbs[i], "anna", NOW, &err), -1);
        assert_int_equal(err.class, TKT_ERR_PERM); /* a worker holds it */
    }
    assert_int_equal(tkt_store_job_command(f->store, 1, "retry", "anna", NOW, &err), -1);
    assert_int_equal(tkt_store_job_command(f->store, 99, "retry", "anna", NOW, &err), -1);
    assert_int_equal(finish(f, job.id, "w", TKT_JOB_DEFER, NOW + DAY_MS), 0);
    assert_int_equal(tkt_store_job_command(f->store, job.id, "retry", "anna", NOW, NULL),
                     0);
    assert_int_equal(claim(f, "w", NOW, &job, 1), 1);
    tkt_jobs_release(&job, 1);
}

static void bad_claims_are_refused(void **state)
{
    struct fixture *f = *state;
    struct tkt_job job;
    char name[80];

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(tkt_store_jobs_claim(f->store, "", NOW, 1, &job, 1, NULL), -1);
    assert_int_equal(tkt_store_jobs_claim(f->store, name, NOW, 1, &job, 1, NULL), -1);
    assert_int_equal(tkt_store_jobs_claim(f->store, "w", NOW, 0, &job, 1, NULL), -1);
    int64_t a = add_ticket(f, "a");
    assert_int_equal(tkt_store_job_add(f->store, a, 0, name, "jira", NULL, 0, NOW, NULL),
                     -1);
    assert_int_equal(tkt_store_job_add(f->store, a, 0, "x", name, NULL, 0, NOW, NULL),
                     -1);
}

static void claiming_and_waking_never_scan(void **state)
{
    struct fixture *f = *state;
    static const enum tkt_sql hot[] = {
        SQL_JOBS_ORPHANED,  SQL_JOBS_QUEUE_OF, SQL_JOBS_QUEUE_BEHIND,
        SQL_JOBS_QUEUE_DUE, SQL_JOBS_DUE,      SQL_JOBS_NEXT_DUE,
        SQL_JOB_LANE_HEAD,  SQL_JOB_LOAD,      SQL_KEY_FIND,
        SQL_KEY_READ,       SQL_KEY_HEADS,     SQL_THREAD_FIND,
        SQL_HOLD_FIND,      SQL_HOLD_SAME,     SQL_HOLDS_OLD,
        SQL_HOLDS_OPEN,     SQL_TICKET_BY_ROW, SQL_TICKET_BY_NUMBER,
        SQL_TICKETS_CLOSED, SQL_BLOB_USED,     SQL_SERIES_USED,
        SQL_MESSAGES_OF,    SQL_LOG_TICKET,    SQL_SHOW_MESSAGES,
        SQL_PARTICIPANT_IS,
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(hot); i++) {
        char plan[2000];
        assert_int_equal(tkt_db_explain(f->store->db, hot[i], plan, sizeof(plan)), 0);
        assert_int_not_equal(strlen(plan), 0);
        bool scans = strstr(plan, "SCAN") != NULL && strstr(plan, "SCAN k") == NULL;
        if (scans || strstr(plan, "TEMP B-TREE") != NULL) {
            fail_msg("statement %d: %s", (int)hot[i], plan);
        }
    }
    /* From queue to queue in one step, not through all that waits in one. */
    char plan[2000];
    assert_int_equal(tkt_db_explain(f->store->db, SQL_JOBS_QUEUE_OF, plan, sizeof(plan)),
                     0);
    assert_non_null(strstr(plan, "target=? AND kind>?"));
}

static void contacts_are_listed_and_forgotten_by_an_index(void **state)
{
    static const struct {
        enum tkt_sql sql;
        const char *index;
    } rows[] = {{SQL_CONTACTS, "USING INDEX contacts_at"},
                {SQL_CONTACTS, "USING INDEX desk_optouts_at"},
                {SQL_CONTACTS_OLD, "INDEX contacts_failed (at<?)"},
                {SQL_CONTACT_MARKS, "USING PRIMARY KEY (address=?"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char plan[2000];
        assert_int_equal(tkt_db_explain(f->store->db, rows[i].sql, plan, sizeof(plan)),
                         0);
        if (strstr(plan, rows[i].index) == NULL || strstr(plan, "TEMP B-TREE") != NULL) {
            fail_msg("%s: %s", rows[i].index, plan);
        }
    }
}

static void what_was_returned_counts_as_no_attempt(void **state)
{
    struct fixture *f = *state;
    struct tkt_job job;

    add_job(f, add_ticket(f, "a"), "x", "jira", NOW);
    assert_int_equal(claim(f, "w", NOW, &job, 1), 1);
    tkt_jobs_release(&job, 1);
    assert_int_equal(finish(f, job.id, "w", TKT_JOB_RETURN, NOW + 50), 0);
    assert_int_equal(claim(f, "w", NOW + 49, &job, 1), 0);
    assert_int_equal(claim(f, "w", NOW + 50, &job, 1), 1);
    assert_int_equal(job.attempts, 1);
    tkt_jobs_release(&job, 1);
}

static void a_renewed_lease_lasts_longer_for_its_owner_alone(void **state)
{
    struct fixture *f = *state;
    struct tkt_job job;

    add_job(f, add_ticket(f, "a"), "x", "jira", NOW);
    assert_int_equal(claim(f, "w1", NOW, &job, 1), 1);
    tkt_jobs_release(&job, 1);
    const int64_t ids[] = {job.id, 4711};
    assert_int_equal(tkt_store_jobs_renew(f->store, ids, 2, "w2", NOW + 9000, NULL), 0);
    assert_int_equal(tkt_store_jobs_renew(f->store, ids, 2, "w1", NOW + 9000, NULL), 1);
    assert_int_equal(claim(f, "w2", NOW + 8999, &job, 1), 0);
    assert_int_equal(claim(f, "w2", NOW + 9000, &job, 1), 1);
    tkt_jobs_release(&job, 1);
    assert_int_equal(tkt_store_jobs_renew(f->store, ids, 1, "w1", NOW + 99000, NULL), 0);
}

static void a_hundred_thousand_waiting_jobs_do_not_slow_a_claim(void **state)
{
    struct fixture *f = *state;
    struct tkt_job jobs[16];
    int64_t a = add_ticket(f, "a");
    int64_t b = add_ticket(f, "b");
    char sql[500];

    add_job(f, a, "head", "jira", NOW + DAY_MS);
    snprintf(
        sql, sizeof(sql),
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)"
        " INSERT INTO jobs(ticket, kind, target, state, run_after, created, changed)"
        " SELECT %d, 'x', 'jira', 0, 1, 1, 1 FROM n",
        (int)a);
    execute(f, sql);
    add_job(f, b, "free", "jira", NOW);
    int64_t start = tkt_clock_mono_us();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(claim(f, "w", NOW, jobs, 16), 1);
        assert_string_equal(jobs[0].kind, "free");
        tkt_jobs_release(jobs, 1);
        assert_int_equal(finish(f, jobs[0].id, "w", TKT_JOB_DEFER, NOW), 0);
    }
    int64_t each_us = (tkt_clock_mono_us() - start) / 100;
    assert_true(each_us < 50000); /* a scan would read 100,000 rows each time */
}

static void what_a_dead_worker_held_is_due_at_once_and_in_doubt(void **state)
{
    struct fixture *f = *state;
    struct tkt_job job;

    add_job(f, add_ticket(f, "a"), "x", "jira", NOW);
    add_job(f, add_ticket(f, "b"), "x", "jira", NOW + HOUR_MS);
    assert_int_equal(claim(f, "w1", NOW, &job, 1), 1);
    tkt_jobs_release(&job, 1);
    assert_int_equal(claim(f, "w2", NOW + 1, &job, 1), 0);
    assert_int_equal(tkt_store_jobs_orphaned(f->store, NOW + 1, NULL), 1);
    assert_int_equal(claim(f, "w2", NOW + 1, &job, 1), 1);
    assert_int_equal(job.doubt_ms, NOW + 1);
    tkt_jobs_release(&job, 1);
    assert_int_equal(finish(f, job.id, "w1", TKT_JOB_DONE, 0), -1);
}

struct rooms {
    const char *target;
    int room;
    int asked;
};

static bool may(void *arg, const char *kind, const char *target)
{
    struct rooms *r = arg;

    (void)kind;
    r->asked++;
    return strcmp(target, r->target) != 0 || r->room-- > 0;
}

static void what_there_is_no_room_for_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct tkt_job jobs[8];
    struct rooms rooms = {.target = "full", .room = 1};
    struct tkt_store_claim c = {.owner = "w",
                                .now_ms = NOW,
                                .lease_ms = 1000,
                                .may = may,
                                .arg = &rooms,
                                .out = jobs,
                                .max = 8};

    for (int i = 0; i < 4; i++) {
        char text[8];
        snprintf(text, sizeof(text), "t%d", i);
        int64_t t = add_ticket(f, text);
        add_job(f, t, "x", "full", NOW - 10 + i);
        add_job(f, t, "y", "free", NOW + (i == 3 ? 500 : 0));
    }
    assert_int_equal(tkt_store_jobs_take(f->store, &c, NULL), 0);
    assert_int_equal(c.count, 4);
    assert_string_equal(jobs[0].target, "full"); /* the one due first */
    for (int i = 1; i < 4; i++) {
        assert_string_equal(jobs[i].target, "free");
    }
    assert_int_equal(c.next_due_ms, NOW + 500); /* not that of the full one */
    tkt_jobs_release(jobs, c.count);
    rooms = (struct rooms){.target = "full", .room = 8};
    assert_int_equal(tkt_store_jobs_take(f->store, &c, NULL), 0);
    assert_int_equal(c.count, 3);
    assert_int_equal(jobs[2].attempts, 1);
    tkt_jobs_release(jobs, c.count);
}

/* The same steps however many wait, in the queue that is asked and in others. */
static void a_full_queue_costs_another_one_nothing(void **state)
{
    struct fixture *f = *state;
    struct tkt_job jobs[16];
    struct rooms rooms = {.target = "full", .room = 0};
    struct tkt_store_claim c = {.owner = "w",
                                .now_ms = NOW,
                                .lease_ms = 1000,
                                .may = may,
                                .arg = &rooms,
                                .out = jobs,
                                .max = 16};
    int64_t a = add_ticket(f, "a");
    char sql[500];

    snprintf(
        sql, sizeof(sql),
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)"
        " INSERT INTO jobs(ticket, kind, target, state, due, run_after, created, changed)"
        " SELECT %d, 'x', 'full', 0, 1, 1, 1, 1 FROM n",
        (int)a);
    execute(f, sql);
    add_job(f, a, "y", "free", NOW);
    int64_t start = tkt_clock_mono_us();
    for (int i = 0; i < 100; i++) {
        rooms.room = rooms.asked = 0;
        assert_int_equal(tkt_store_jobs_take(f->store, &c, NULL), 0);
        assert_int_equal(c.count, 1);
        assert_true(rooms.asked <= 3);
        assert_string_equal(jobs[0].target, "free");
        tkt_jobs_release(jobs, 1);
        assert_int_equal(finish(f, jobs[0].id, "w", TKT_JOB_DEFER, NOW), 0);
    }
    assert_true((tkt_clock_mono_us() - start) / 100 < 50000);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE attempts > 0"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_failing_item_undoes_only_itself),
        T(a_failure_behind_others_has_them_done_once),
        T(a_batch_keeps_its_caps),
        T(a_batch_ends_when_its_time_is_up),
        T(after_a_fault_the_next_batch_works_on_a_new_handle),
        T(a_fault_inside_a_single_call_is_temporary_too),
        T(a_store_that_cannot_be_reopened_answers_temp),
        T(a_long_log_is_moved_and_a_reader_may_pin_it),
        T(a_second_writer_is_kept_out),
        T(a_newer_schema_is_refused_by_writer_and_reader),
        T(an_empty_database_is_migrated_and_a_reader_waits_for_it),
        T(a_bad_path_is_a_configuration_error),
        cmocka_unit_test(the_ticket_table_is_exactly_this),
        cmocka_unit_test(the_job_table_is_exactly_this),
        T(an_illegal_move_is_a_bug_that_names_both_states),
        T(a_lane_runs_in_order_and_one_at_a_time),
        T(jobs_wait_for_their_time),
        T(a_lost_lease_is_taken_over_and_its_owner_refused),
        T(doubt_stays_until_it_is_known_better),
        T(who_retries_a_parked_job_gives_it_a_beginning),
        T(what_was_returned_counts_as_no_attempt),
        T(a_renewed_lease_lasts_longer_for_its_owner_alone),
        T(a_parked_job_parks_its_own_lane_only),
        T(a_persons_hand_may_retry_park_and_drop),
        T(bad_claims_are_refused),
        T(claiming_and_waking_never_scan),
        T(contacts_are_listed_and_forgotten_by_an_index),
        T(what_a_dead_worker_held_is_due_at_once_and_in_doubt),
        T(what_there_is_no_room_for_is_left_alone),
        T(a_full_queue_costs_another_one_nothing),
        T(a_hundred_thousand_waiting_jobs_do_not_slow_a_claim),
    };
    faulty_install();
    return cmocka_run_group_tests_name("store-jobs", tests, NULL, NULL);
}
