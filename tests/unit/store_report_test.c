/* SPDX-License-Identifier: BSD-2-Clause
 * common/store: reports, verify, backup and restore.
 */
#include "tests/unit/store_fixture.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdatomic.h>

/* ---- reports ---------------------------------------------------------------------- */

static cJSON *parse(struct tkt_buf *out)
{
    cJSON *j = cJSON_Parse(tkt_buf_str(out));

    if (j == NULL) {
        fail_msg("not JSON: %s", tkt_buf_str(out));
    }
    tkt_buf_reset(out);
    return j;
}

static int listed(struct fixture *f, const struct tkt_list_filter *filter)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_reader_list_json(f->reader, filter, &out, &err) < 0) {
        fail_msg("%s", err.text);
    }
    cJSON *j = parse(&out);
    int n = cJSON_GetArraySize(j);
    cJSON_Delete(j);
    return n;
}

static void lists_are_filtered_and_paged(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    for (int i = 0; i < 5; i++) {
        char text[20];
        snprintf(text, sizeof(text), "m%d", i);
        sample_init(&m, text);
        m.in.now_ms = NOW + i;
        m.in.subject = i == 3 ? "Gr\xc3\xbc\xc3\x9f"
                                "e \"quoted\" \xff\n"
                              : "Printer";
        reserve_ok(f, &m);
    }
    assert_int_equal(tkt_store_set(f->store, "IT-2", "assignee", "bob", "", NOW, NULL),
                     0);
    assert_int_equal(tkt_store_move(f->store, "IT-2", TKT_STATE_OPEN, "", "", NOW, NULL),
                     0);
    assert_int_equal(listed(f, &(struct tkt_list_filter){0}), 5);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.limit = 2}), 2);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.before = 3}), 2);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.desk = "it"}), 5);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.desk = "hr"}), 0);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.state = "open"}), 1);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.assignee = "bob"}), 1);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.group = "first"}), 5);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.text = "pRINT"}), 4);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.text = "ANNA@"}), 5);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.requester = "x"}), 0);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.since_ms = NOW + 3}), 2);
    assert_int_equal(tkt_reader_list_json(f->reader,
                                          &(struct tkt_list_filter){.state = "flying"},
                                          &out, &err),
                     -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(
        tkt_reader_list_json(f->reader, &(struct tkt_list_filter){0}, &out, NULL), 0);
    cJSON *j = parse(&out);
    cJSON *first = cJSON_GetArrayItem(j, 0);
    assert_string_equal(cJSON_GetObjectItem(first, "id")->valuestring, "IT-5");
    assert_string_equal(cJSON_GetObjectItem(first, "created")->valuestring,
                        "2027-01-15T08:00:00.004Z");
    cJSON_Delete(j);
}

static void an_answer_that_does_not_fit_is_an_error_not_half_an_answer(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(300);
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    make(f, &m, "a");
    assert_int_equal(tkt_reader_show_json(f->reader, "IT-1", &out, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    tkt_buf_reset(&out);
    assert_int_equal(
        tkt_reader_list_json(f->reader, &(struct tkt_list_filter){0}, &out, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
}

static void show_tells_everything_of_a_ticket(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    static const char *const arrays[] = {"messages", "participants", "holds", "jobs",
                                         "events"};
    struct sample m;

    sample_init(&m, "a");
    sample_sieve(&m, "a@example.com");
    reserve_ok(f, &m);
    assert_int_equal(tkt_store_confirm(f->store, m.out[0].hold, false, NOW, NULL), 0);
    assert_int_equal(
        tkt_store_comment(f->store, "IT-1", "look \"here\"", false, "bob", NOW, NULL), 0);
    assert_int_equal(tkt_reader_show_json(f->reader, "IT-1", &out, NULL), 0);
    cJSON *j = parse(&out);
    assert_string_equal(cJSON_GetObjectItem(j, "id")->valuestring, "IT-1");
    assert_string_equal(cJSON_GetObjectItem(j, "state")->valuestring, "new");
    assert_string_equal(cJSON_GetObjectItem(j, "corr")->valuestring, m.out[0].corr);
    for (size_t i = 0; i < TKT_ARRAY_LEN(arrays); i++) {
        if (cJSON_GetArraySize(cJSON_GetObjectItem(j, arrays[i])) == 0) {
            fail_msg("%s is empty", arrays[i]);
        }
    }
    cJSON *comment = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "messages"), 1);
    assert_string_equal(cJSON_GetObjectItem(comment, "kind")->valuestring, "comment");
    assert_string_equal(cJSON_GetObjectItem(comment, "text")->valuestring,
                        "look \"here\"");
    cJSON *mail = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "messages"), 0);
    assert_true(cJSON_IsObject(cJSON_GetObjectItem(mail, "envelope")));
    cJSON_Delete(j);
}

static void log_queue_and_status_are_json(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct sample m;

    make(f, &m, "a");
    make(f, &m, "b");
    assert_int_equal(tkt_store_event(f->store, 0, "host.started", NULL, NOW + 5, NULL),
                     0);
    assert_int_equal(tkt_reader_log_json(f->reader, NULL, 0, 10, &out, NULL), 0);
    cJSON *j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 3);
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetArrayItem(j, 2), "kind")->valuestring,
        "host.started");
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_log_json(f->reader, NULL, NOW + 1, 10, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 1);
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_log_json(f->reader, "IT-2", 0, 10, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 1);
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_jobs_json(f->reader, NULL, 0, 10, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 2);
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetArrayItem(j, 0), "ticket")->valuestring, "IT-1");
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_jobs_json(f->reader, "parked", 0, 10, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 0);
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_jobs_json(f->reader, "flying", 0, 10, &out, NULL), -1);
    tkt_buf_reset(&out);
    assert_int_equal(tkt_reader_status_json(f->reader, NOW + 7000, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(j, "tickets"), "new")->valueint, 2);
    assert_int_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(j, "jobs"), "ready")->valueint, 2);
    assert_int_equal(cJSON_GetObjectItem(j, "job_lag_ms")->valueint, 7000);
    assert_true(cJSON_GetObjectItem(j, "database_bytes")->valuedouble > 0);
    cJSON_Delete(j);
}

/* ---- verify ----------------------------------------------------------------------- */

static void verify_finds_what_was_changed_behind_its_back(void **state)
{
    struct fixture *f = *state;
    static const char *const harm[] = {
        "UPDATE events SET data = '{\"desk\":\"hr\"}' WHERE id = 1",
        "UPDATE events SET at = at + 1 WHERE id = 1",
        "UPDATE events SET kind = 'x' WHERE id = 2",
        "UPDATE events SET chain = hash WHERE id = 2",
        "DELETE FROM events WHERE id = 1",
        "UPDATE messages SET raw = 'x' WHERE id = 1",
        "UPDATE messages SET sha256 = zeroblob(32) WHERE id = 1",
        "UPDATE messages SET blob = hex(zeroblob(16)), raw = NULL WHERE id = 1",
        "DELETE FROM jobs WHERE ticket = 1",
        "UPDATE messages SET ticket = 2 WHERE id = 1",
        "UPDATE messages SET ticket = 99 WHERE id = 1",
        "UPDATE msgkeys SET message = 99",
    };
    struct sample m;

    make(f, &m, "a");
    make(f, &m, "b");
    make(f, &m, "c");
    for (size_t i = 0; i < TKT_ARRAY_LEN(harm); i++) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
        char keep[400];
        char back[400];
        assert_clean(f);
        assert_int_equal(tkt_store_checkpoint(f->store, NULL), 0);
        snprintf(keep, sizeof(keep), "cp %s/tickets.db %s/keep", f->dir, f->dir);
        snprintf(back, sizeof(back), "mv %s/keep %s/tickets.db; rm -f %s/tickets.db-*",
                 f->dir, f->dir, f->dir);
        assert_int_equal(system(keep), 0);
        execute(f, harm[i]);
        if (faults(f, &out) == 0) {
            fail_msg("not found: %s", harm[i]);
        }
        cJSON *j = parse(&out);
        assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(j, "faults")) > 0);
        cJSON_Delete(j);
        tkt_reader_close(&f->reader);
        tkt_store_close(&f->store);
        assert_int_equal(system(back), 0);
        struct tkt_err err = TKT_ERR_INIT;
        f->store = tkt_store_open(&f->opt, &err);
        f->reader = tkt_reader_open(f->dir, &err);
        assert_non_null(f->reader);
    }
}

static void verify_reads_the_files(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct tkt_blob b;
    struct sample m;

    make_large(f, &m, "large", &b);
    assert_clean(f);
    int fd = open(b.path, O_WRONLY);
    assert_int_equal(write(fd, "X", 1), 1);
    close(fd);
    assert_int_equal(faults(f, &out), 1);
    assert_non_null(strstr(tkt_buf_str(&out), "not what was taken in"));
    unlink(b.path);
    tkt_buf_reset(&out);
    assert_int_equal(faults(f, &out), 1);
    make_blob(f, &b, "orphan");
    age_file(b.path, tkt_clock_wall_ms() - 2 * HOUR_MS);
    tkt_buf_reset(&out);
    (void)faults(f, &out);
    assert_non_null(strstr(tkt_buf_str(&out), "\"orphans\":1"));
}

/* ---- backup ----------------------------------------------------------------------- */

static void a_backup_restores_to_a_store_that_verifies(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4 * 1024 * 1024);
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_FREE char *big = malloc(2500000);
    struct fixture copy = *f;
    struct tkt_blob b;
    struct sample m;
    char path[100];

    make(f, &m, "small");
    memset(big, 'x', 2499999);
    big[2499999] = '\0';
    sample_init(&m, "large");
    make_blob(f, &b, big);
    tkt_sha256(big, 2499999, m.in.sha256);
    m.in.size = 2499999;
    m.in.raw = NULL;
    m.in.blob_name = b.name;
    reserve_ok(f, &m);
    snprintf(path, sizeof(path), "%s/backup", f->dir);
    assert_int_equal(tkt_reader_backup(f->reader, path, &err), 0);
    assert_int_equal(tkt_reader_backup(f->reader, path, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    make(f, &m, "after the backup");

    snprintf(copy.dir, sizeof(copy.dir), "%.55s-copy", f->dir);
    copy.opt.dir = copy.dir;
    if (tkt_store_restore(path, copy.dir, &err) < 0) {
        fail_msg("%s", err.text);
    }
    copy.store = tkt_store_open(&copy.opt, &err);
    copy.reader = tkt_reader_open(copy.dir, &err);
    assert_non_null(copy.reader);
    assert_clean(&copy);
    assert_int_equal(count_of(&copy, "tickets"), 2);
    assert_int_equal(files_in(copy.dir), 1);
    int fd = -1;
    assert_int_equal(tkt_reader_raw(copy.reader, 2, &out, &fd, &err), 0);
    assert_int_equal(tkt_read_fd(fd, &out, &err), 0);
    close(fd);
    assert_int_equal(out.len, 2499999);
    sample_init(&m, "next");
    reserve_ok(&copy, &m);
    assert_string_equal(m.out[0].id, "IT-3");
    assert_int_equal(tkt_store_restore(path, copy.dir, &err),
                     -1); /* never over something */
    tkt_reader_close(&copy.reader);
    tkt_store_close(&copy.store);
    remove_tree(copy.dir);
}

static void a_file_erased_during_a_backup_is_erased_in_it(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct fixture copy = *f;
    struct tkt_blob b;
    struct sample m;
    char path[100];

    make_large(f, &m, "large", &b);
    unlink(b.path); /* as forget does, after the copy was made */
    snprintf(path, sizeof(path), "%s/backup", f->dir);
    assert_int_equal(tkt_reader_backup(f->reader, path, &err), 0);
    snprintf(copy.dir, sizeof(copy.dir), "%.55s-copy", f->dir);
    assert_int_equal(tkt_store_restore(path, copy.dir, &err), 0);
    copy.reader = tkt_reader_open(copy.dir, &err);
    assert_clean(&copy);
    tkt_reader_close(&copy.reader);
    remove_tree(copy.dir);
}

struct busy_writer {
    struct fixture *f;
    atomic_bool stop;
    int written;
};

static void *write_on(void *arg)
{
    struct busy_writer *w = arg;

    while (!atomic_load(&w->stop)) {
        struct sample m;
        struct tkt_blob b;
        char text[30];
        snprintf(text, sizeof(text), "busy %d", w->written++);
        sample_init(&m, text);
        if (w->written % 8 == 0 && tkt_blob_create(w->f->dir, &b, NULL) == 0) {
            (void)tkt_write_full(b.fd, m.raw, strlen(m.raw), NULL); /* verify tells */
            (void)tkt_blob_commit(&b, NULL);                        /* the same */
            tkt_blob_close(&b);
            m.in.raw = NULL;
            m.in.blob_name = b.name;
        }
        if (tkt_store_reserve(w->f->store, &m.in, &m.res, NULL) < 0 ||
            (w->written % 50 == 0 && tkt_store_checkpoint(w->f->store, NULL) < 0)) {
            return w; /* not NULL: it failed */
        }
    }
    return NULL;
}

static void a_backup_beside_a_busy_writer_is_of_one_moment(void **state)
{
    struct fixture *f = *state;
    struct busy_writer w = {.f = f};
    struct tkt_err err = TKT_ERR_INIT;
    pthread_t thread;
    void *failed = NULL;

    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    for (int i = 0; i < 5; i++) {
        struct fixture copy = *f;
        char path[100];
        usleep(20000);
        snprintf(path, sizeof(path), "%s/backup-%d", f->dir, i);
        if (tkt_reader_backup(f->reader, path, &err) < 0) {
            fail_msg("%s", err.text);
        }
        snprintf(copy.dir, sizeof(copy.dir), "%.55s-copy", f->dir);
        assert_int_equal(tkt_store_restore(path, copy.dir, &err), 0);
        copy.reader = tkt_reader_open(copy.dir, &err);
        assert_clean(&copy);
        tkt_reader_close(&copy.reader);
        remove_tree(copy.dir);
        assert_clean(f); /* verify beside the writer too */
    }
    atomic_store(&w.stop, true);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(count_of(f, "tickets"), w.written);
    assert_clean(f);
}

static void what_is_no_backup_is_not_restored(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    char path[100];
    char to[100];

    snprintf(path, sizeof(path), "%s/tickets.db", f->dir);
    snprintf(to, sizeof(to), "%s/restored", f->dir);
    assert_int_equal(tkt_store_restore(path, to, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_int_equal(access(to, F_OK), -1);
    assert_int_equal(tkt_store_restore("/nowhere/x", to, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(lists_are_filtered_and_paged),
        T(an_answer_that_does_not_fit_is_an_error_not_half_an_answer),
        T(show_tells_everything_of_a_ticket),
        T(log_queue_and_status_are_json),
        T(verify_finds_what_was_changed_behind_its_back),
        T(verify_reads_the_files),
        T(a_backup_restores_to_a_store_that_verifies),
        T(a_file_erased_during_a_backup_is_erased_in_it),
        T(a_backup_beside_a_busy_writer_is_of_one_moment),
        T(what_is_no_backup_is_not_restored),
    };
    return cmocka_run_group_tests_name("store-report", tests, NULL, NULL);
}
