/* SPDX-License-Identifier: BSD-2-Clause
 * common/store/heard: what services tell of notices, in any order and any number of times.
 */
#include "store/heard.h"
#include "store/notice.h"
#include "tests/unit/store_fixture.h"

#define ANN "ann@customer.example"
#define PAYLOAD "{\"what\":\"created\",\"to\":\"" ANN "\"}"
#define MASK_ALL                                                                         \
    (TKT_HEARD_TAKEN | TKT_HEARD_DELIVERED | TKT_HEARD_FAILED | TKT_HEARD_READ |         \
     TKT_HEARD_UNWANTED)

static int64_t a_notice(struct fixture *f, struct sample *m, const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;

    make(f, m, text);
    assert_int_equal(tkt_store_job_add(f->store, m->out[0].ticket, 0, "notify", "sms",
                                       PAYLOAD, NOW, NOW, &err),
                     0);
    return number(f, "SELECT max(id) FROM jobs WHERE kind = 'notify'");
}

static struct tkt_store_heard told(int64_t job, enum tkt_heard what)
{
    return (struct tkt_store_heard){.job = job,
                                    .channel = "sms",
                                    .what = what,
                                    .on = "created",
                                    .to = ANN,
                                    .is_person = true,
                                    .failed_after = 1,
                                    .code = "30005",
                                    .words = "gone",
                                    .id = "SM1"};
}

static enum tkt_heard_result hear(struct fixture *f, int64_t job, enum tkt_heard what)
{
    const struct tkt_store_heard in = told(job, what);
    enum tkt_heard_result out = TKT_HEARD_UNKNOWN;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_store_heard(f->store, &in, NOW + 5, &out, &err), 0);
    return out;
}

/* It was tried, and nobody knows how that ended. */
static void try_it(struct fixture *f, enum tkt_job_outcome outcome)
{
    struct tkt_job job;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_store_claim claim = {
        .owner = "w", .now_ms = NOW + 1, .lease_ms = 60000, .out = &job, .max = 1};

    execute(f, "UPDATE jobs SET due = NULL, state = 2 WHERE kind <> 'notify'");
    assert_int_equal(tkt_store_jobs_take(f->store, &claim, &err), 0);
    assert_int_equal(claim.count, 1);
    assert_string_equal(job.kind, "notify");
    assert_int_equal(tkt_store_job_finish_in_doubt(f->store, job.id, "w", outcome,
                                                   TKT_DOUBT_SET, NOW + 9000, "lost",
                                                   NOW + 2, &err),
                     0);
    tkt_jobs_release(&job, 1);
}

static int64_t events(struct fixture *f, const char *kind)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM events WHERE kind = '%s'", kind);
    return number(f, sql);
}

static int marks(struct fixture *f)
{
    struct tkt_err err = TKT_ERR_INIT;

    return tkt_reader_contact(f->reader, "Ann@Customer.example", "", &err);
}

static void what_is_told_twice_is_written_once(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    int64_t job = a_notice(f, &m, "one");

    assert_int_equal(hear(f, job, TKT_HEARD_TAKEN), TKT_HEARD_NEW);
    assert_int_equal(hear(f, job, TKT_HEARD_DELIVERED), TKT_HEARD_NEW);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hear(f, job, TKT_HEARD_DELIVERED), TKT_HEARD_AGAIN);
        assert_int_equal(hear(f, job, TKT_HEARD_TAKEN), TKT_HEARD_AGAIN);
    }
    assert_int_equal(hear(f, job, TKT_HEARD_READ), TKT_HEARD_NEW);
    assert_int_equal(events(f, "notice.delivered"), 1);
    assert_int_equal(events(f, "notice.failed"), 0);
    assert_int_equal(marks(f), 0);
    /* Not a try yet, so nothing is settled: it goes out. */
    assert_int_equal(number(f, "SELECT state FROM jobs WHERE kind = 'notify'"), 0);
    assert_clean(f);
}

static void nobody_speaks_of_what_is_no_notice_of_that_channel(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    int64_t job = a_notice(f, &m, "one");
    struct tkt_store_heard in = told(job, TKT_HEARD_FAILED);
    enum tkt_heard_result out;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(hear(f, job + 1000, TKT_HEARD_FAILED), TKT_HEARD_UNKNOWN);
    assert_int_equal(hear(f, number(f, "SELECT min(id) FROM jobs WHERE kind <> 'notify'"),
                          TKT_HEARD_FAILED),
                     TKT_HEARD_UNKNOWN);
    in.channel = "other";
    assert_int_equal(tkt_store_heard(f->store, &in, NOW, &out, &err), 0);
    assert_int_equal(out, TKT_HEARD_UNKNOWN);
    assert_int_equal(marks(f), 0);
}

static void a_failure_marks_and_a_complaint_opts_out(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    int64_t job = a_notice(f, &m, "one");
    bool was;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(hear(f, job, TKT_HEARD_FAILED), TKT_HEARD_NEW);
    assert_int_equal(marks(f), TKT_CONTACT_UNDELIVERABLE);
    assert_int_equal(hear(f, job, TKT_HEARD_UNWANTED), TKT_HEARD_NEW);
    assert_int_equal(marks(f), TKT_CONTACT_UNDELIVERABLE | TKT_CONTACT_OPTED_OUT);
    /* A person cleared it: the old call, repeated, does not mark it again. */
    assert_int_equal(tkt_store_contact_clear(f->store, ANN, TKT_CONTACT_UNDELIVERABLE,
                                             "root", &was, NOW, &err),
                     0);
    assert_true(was);
    assert_int_equal(hear(f, job, TKT_HEARD_FAILED), TKT_HEARD_AGAIN);
    assert_int_equal(marks(f), TKT_CONTACT_OPTED_OUT);
    assert_int_equal(events(f, "notice.failed"), 1);
}

static void a_room_is_no_contact(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_store_heard in = told(a_notice(f, &m, "one"), TKT_HEARD_FAILED);
    enum tkt_heard_result out;
    struct tkt_err err = TKT_ERR_INIT;

    in.is_person = false;
    assert_int_equal(tkt_store_heard(f->store, &in, NOW, &out, &err), 0);
    assert_int_equal(out, TKT_HEARD_NEW);
    in.what = TKT_HEARD_UNWANTED;
    assert_int_equal(tkt_store_heard(f->store, &in, NOW, &out, &err), 0);
    assert_int_equal(count_of(f, "contacts"), 0);
}

static void a_failure_that_may_pass_counts_by_days(void **state)
{
    struct fixture *f = *state;
    struct sample m[3];
    enum tkt_heard_result out;
    struct tkt_err err = TKT_ERR_INIT;

    for (int i = 0; i < 3; i++) {
        char text[2] = {(char)('a' + i), '\0'};
        struct tkt_store_heard in = told(a_notice(f, &m[i], text), TKT_HEARD_FAILED);

        in.failed_after = 3;
        assert_int_equal(marks(f), 0);
        assert_int_equal(
            tkt_store_heard(f->store, &in, NOW + (i * 2 + 1) * DAY_MS, &out, &err), 0);
    }
    assert_int_equal(marks(f), TKT_CONTACT_UNDELIVERABLE);
}

/* All orders of the five, each told up to three times: one end. */
static void any_order_ends_the_same(void **state)
{
    struct fixture *f = *state;

    for (int order = 0; order < 120; order++) {
        enum tkt_heard left[5] = {TKT_HEARD_TAKEN, TKT_HEARD_DELIVERED, TKT_HEARD_FAILED,
                                  TKT_HEARD_READ, TKT_HEARD_UNWANTED};
        struct sample m;
        char text[16];
        int rest = order;

        snprintf(text, sizeof(text), "t%d", order);
        int64_t job = a_notice(f, &m, text);
        int64_t delivered = events(f, "notice.delivered");
        for (int n = 5; n > 0; n--) {
            int at = rest % n;
            enum tkt_heard what = left[at];

            rest /= n;
            left[at] = left[n - 1];
            assert_int_equal(hear(f, job, what), TKT_HEARD_NEW);
            assert_int_equal(hear(f, job, what), TKT_HEARD_AGAIN);
        }
        assert_int_equal(events(f, "notice.delivered"), delivered + 1);
    }
    char sql[100];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM jobs WHERE heard = %d", MASK_ALL);
    assert_int_equal(number(f, sql), 120);
    assert_clean(f);
}

static void a_call_settles_whether_it_was_told(void **state)
{
    static const enum tkt_job_outcome outcomes[] = {TKT_JOB_DEFER, TKT_JOB_PARK};
    static const enum tkt_heard first[] = {TKT_HEARD_TAKEN, TKT_HEARD_FAILED};
    struct fixture *f = *state;

    for (size_t i = 0; i < TKT_ARRAY_LEN(outcomes); i++) {
        struct sample m;
        char text[2] = {(char)('a' + i), '\0'};
        int64_t job = a_notice(f, &m, text);
        struct tkt_err err = TKT_ERR_INIT;
        int64_t due = 0;

        try_it(f, outcomes[i]);
        /* The next of the lane waits behind it. */
        assert_int_equal(tkt_store_job_add(f->store, m.out[0].ticket, 0, "notify", "sms",
                                           PAYLOAD, NOW, NOW, &err),
                         0);
        assert_int_equal(hear(f, job, first[i]), TKT_HEARD_SETTLED);
        assert_int_equal(hear(f, job, TKT_HEARD_DELIVERED), TKT_HEARD_NEW);
        assert_int_equal(events(f, "notice.told"), (int)i + 1);
        assert_int_equal(
            number(f, "SELECT count(*) FROM jobs WHERE state = 2 AND doubt = 0"),
            (int)i + 1);
        assert_int_equal(tkt_store_jobs_next_due(f->store, &due, &err), 0);
        assert_true(due <= NOW); /* it is its turn now */
        execute(f, "UPDATE jobs SET state = 2, due = NULL WHERE state = 0");
    }
    assert_clean(f);
}

static void what_a_worker_holds_stays_with_it_and_it_may_look(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    int64_t job = a_notice(f, &m, "one");
    struct tkt_job held;
    struct tkt_wire_arena arena = {0};
    struct tkt_reader_heard heard;
    struct tkt_err err = TKT_ERR_INIT;

    execute(f, "UPDATE jobs SET due = NULL, state = 2 WHERE kind <> 'notify'");
    assert_int_equal(tkt_store_jobs_claim(f->store, "w", NOW + 1, 60000, &held, 1, &err),
                     1);
    assert_int_equal(hear(f, job, TKT_HEARD_TAKEN), TKT_HEARD_NEW);
    assert_int_equal(number(f, "SELECT state FROM jobs WHERE kind = 'notify'"), 1);
    assert_int_equal(tkt_reader_heard(f->reader, job, &arena, &heard, &err), 1);
    assert_int_equal(heard.heard, TKT_HEARD_TAKEN);
    assert_string_equal(heard.target, "sms");
    assert_string_equal(heard.payload, PAYLOAD);
    assert_string_equal(heard.corr, held.corr);
    assert_int_equal(tkt_reader_heard(f->reader, job + 99, &arena, &heard, &err), 0);
    tkt_wire_arena_release(&arena);
    tkt_jobs_release(&held, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_told_twice_is_written_once),
        T(nobody_speaks_of_what_is_no_notice_of_that_channel),
        T(a_failure_marks_and_a_complaint_opts_out),
        T(a_room_is_no_contact),
        T(a_failure_that_may_pass_counts_by_days),
        T(any_order_ends_the_same),
        T(a_call_settles_whether_it_was_told),
        T(what_a_worker_holds_stays_with_it_and_it_may_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
