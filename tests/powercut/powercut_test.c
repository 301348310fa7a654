/* SPDX-License-Identifier: BSD-2-Clause
 * The power is cut behind every single operation of the store, and what was answered must
 * be there: ticket, message, thread key, jobs, chain, once. And the test itself is put to
 * the proof: with any of the syncs left out, or an answer given too early, it is red.
 *
 * TKT_POWERCUT_SEEDS: random cuts at each operation (default 2)
 * TKT_POWERCUT_ROUNDS: workloads (default 1)
 */
#include "tests/powercut/record.h"
#include "tests/unit/store_fixture.h"

#define MESSAGES 24
#define RAW_MAX 70000
#define FAULT_TEXT 600

enum what {
    INLINE,
    BLOB,
    APPEND,
    SIEVE,
    FORGET,
    WHATS
};

struct message {
    enum what what;
    struct sample sample;
    unsigned char *raw;
    size_t len;
    char id[48]; /* as answered */
    char hold[33];
    int64_t ticket;
    char blob[33];
};

/* Marks of message i: it was answered; it was confirmed; it is being forgotten. */
#define MARK_ANSWERED(i) (3 * (i))
#define MARK_CONFIRMED(i) (3 * (i) + 1)
#define MARK_FORGOTTEN(i) (3 * (i) + 2)
#define MARKS (3 * MESSAGES)

struct work {
    struct message messages[MESSAGES];
    char root[64];
    char store[80];
    struct tkt_store_options opt;
    bool early;     /* answers before the commit */
    bool blob_late; /* names the file after the row is committed */
    bool sync_off;  /* PRAGMA synchronous=OFF */
    uint64_t seed;
};

struct verdict {
    size_t cuts, bad;
    char first[FAULT_TEXT];
};

static uint64_t draw(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static const char *base_dir(void)
{
    const char *top = getenv("TMPDIR");

    if (top == NULL && access("/dev/shm", W_OK) == 0) {
        return "/dev/shm";
    }
    return top != NULL ? top : "/tmp";
}

/* ---- the workload ----------------------------------------------------------------- */

static void message_init(struct work *w, int i)
{
    static const size_t large[WHATS] = {[BLOB] = RAW_MAX, [FORGET] = RAW_MAX};
    struct message *m = &w->messages[i];
    char text[40];

    m->what = i < WHATS ? (enum what)i : (enum what)(draw(&w->seed) % WHATS);
    m->len = 200 + draw(&w->seed) % (large[m->what] > 0 ? large[m->what] - 200 : 9000);
    m->raw = malloc(m->len);
    assert_non_null(m->raw);
    for (size_t k = 0; k < m->len; k++) {
        m->raw[k] = (unsigned char)draw(&w->seed);
    }
    snprintf(text, sizeof(text), "message %d", i);
    sample_init(&m->sample, text);
    m->sample.in.raw = m->raw;
    m->sample.in.size = m->len;
    tkt_sha256(m->raw, m->len, m->sample.in.sha256);
    if (m->what == SIEVE) {
        sample_sieve(&m->sample, "a@example.com");
    }
    if (m->what == APPEND) { /* to the first ticket */
        sample_decide(&m->sample, TKT_ACTION_APPEND, 1);
    }
}

static bool is_large(const struct message *m)
{
    return m->what == BLOB || m->what == FORGET;
}

static void write_blob(struct work *w, struct message *m, struct tkt_blob *b)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_blob_create(w->store, b, &err) < 0 ||
        tkt_write_full(b->fd, m->raw, m->len, &err) < 0) {
        fail_msg("%s", err.text);
    }
    m->sample.in.raw = NULL;
    snprintf(m->blob, sizeof(m->blob), "%s", b->name);
    m->sample.in.blob_name = m->blob;
}

static void name_blob(struct tkt_blob *b)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_blob_commit(b, &err) < 0) {
        fail_msg("%s", err.text);
    }
    tkt_blob_close(b);
}

static int apply_reserve(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct sample *m = arg;

    return tkt_store_reserve(s, &m->in, &m->res, err);
}

static void answered(struct work *w, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        struct message *m = &w->messages[i];
        record_mark(MARK_ANSWERED(i));
        if (m->what != SIEVE) {
            record_mark(MARK_CONFIRMED(i));
        }
    }
}

/* Some messages in one commit. */
static void take_in(struct work *w, struct tkt_store *s, int from, int count)
{
    struct tkt_store_item items[4];
    struct tkt_blob blobs[4];

    for (int k = 0; k < count; k++) {
        struct message *m = &w->messages[from + k];
        if (is_large(m)) {
            write_blob(w, m, &blobs[k]);
            if (!w->blob_late) {
                name_blob(&blobs[k]);
            }
        }
        items[k] = (struct tkt_store_item){.apply = apply_reserve, .arg = &m->sample};
    }
    if (w->early) {
        answered(w, from, count);
    }
    assert_int_equal(tkt_store_batch(s, items, (size_t)count), count);
    for (int k = 0; k < count; k++) {
        struct message *m = &w->messages[from + k];
        if (items[k].result != 0) {
            fail_msg("%s", items[k].err.text);
        }
        memcpy(m->id, m->sample.out[0].id, sizeof(m->id));
        memcpy(m->hold, m->sample.out[0].hold, sizeof(m->hold));
        m->ticket = m->sample.out[0].ticket;
    }
    if (!w->early) {
        answered(w, from, count);
    }
    for (int k = 0; w->blob_late && k < count; k++) {
        if (is_large(&w->messages[from + k])) {
            name_blob(&blobs[k]);
        }
    }
}

/* What comes after the answers: confirmations, erasures, checkpoints. */
static void follow_up(struct work *w, struct tkt_store *s, int from, int count)
{
    int64_t erased = 0;

    for (int i = from; i < from + count; i++) {
        struct message *m = &w->messages[i];
        if (m->what == SIEVE) {
            assert_int_equal(tkt_store_confirm(s, m->hold, false, NOW, NULL), 0);
            record_mark(MARK_CONFIRMED(i));
        }
        if (m->what == FORGET) {
            record_mark(MARK_FORGOTTEN(i));
            assert_int_equal(tkt_store_forget(s, m->id, "admin", NOW, &erased, NULL), 0);
        }
    }
    if (draw(&w->seed) % 4 == 0) {
        assert_int_equal(tkt_store_checkpoint(s, NULL), 0);
    }
    if (draw(&w->seed) % 5 == 0) {
        assert_int_equal(tkt_db_checkpoint(s->db, false, NULL), 0);
    }
}

static struct tkt_store *open_store(struct work *w)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_store *s = tkt_store_open(&w->opt, &err);

    if (s == NULL) {
        fail_msg("%s", err.text);
    }
    if (w->sync_off) {
        assert_int_equal(tkt_db_script(s->db, "PRAGMA synchronous=OFF", NULL), 0);
    }
    return s;
}

static void run_workload(struct work *w, enum record_lie lie)
{
    snprintf(w->root, sizeof(w->root), "%.40s/tkt-cut-XXXXXX", base_dir());
    assert_non_null(mkdtemp(w->root));
    snprintf(w->store, sizeof(w->store), "%s/store", w->root);
    w->opt = (struct tkt_store_options){
        .dir = w->store, .host = "mx1", .id_block = 5, .batch_us_max = INT64_C(60000000)};
    for (int i = 0; i < MESSAGES; i++) {
        message_init(w, i);
    }
    record_start(w->root, lie);
    struct tkt_store *s = open_store(w);
    for (int i = 0; i < MESSAGES;) {
        int count = (int)TKT_MIN(1 + draw(&w->seed) % 3, (uint64_t)(MESSAGES - i));
        take_in(w, s, i, count);
        follow_up(w, s, i, count);
        i += count;
        if (draw(&w->seed) % 5 == 0) {
            tkt_store_close(&s);
            s = open_store(w);
        }
    }
    tkt_store_close(&s);
    record_stop();
}

static void work_free(struct work *w)
{
    for (int i = 0; i < MESSAGES; i++) {
        free(w->messages[i].raw);
    }
    record_free();
    remove_tree(w->root);
}

/* ---- judging one cut -------------------------------------------------------------- */

static int wrong(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int wrong(char *why, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, FAULT_TEXT, fmt, ap);
    va_end(ap);
    return -1;
}

static int check_content(struct tkt_reader *r, const struct message *m, int64_t row,
                         char *why)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(RAW_MAX + 1);
    struct tkt_err err = TKT_ERR_INIT;
    int fd = -1;

    int rc = tkt_reader_raw(r, row, &out, &fd, &err);
    if (rc == 0 && fd >= 0) {
        rc = tkt_read_fd(fd, &out, &err);
        close(fd);
    }
    if (rc < 0 || out.len != m->len || memcmp(out.data, m->raw, m->len) != 0) {
        return wrong(why, "%s: content differs: %s", m->id, err.text);
    }
    return 0;
}

/* Before anything is written to the image: what was answered is complete. */
static int check_answered(struct tkt_reader *r, const struct message *m, bool forgotten,
                          char *why)
{
    struct tkt_store_desk_out seen;
    struct tkt_reader_ticket by_ref[2];
    struct tkt_err err = TKT_ERR_INIT;

    int n = tkt_reader_key(r, "it", m->sample.desks[0].key, m->sample.in.head_key, NOW,
                           &seen, &err);
    if (n != 1 || strcmp(seen.id, m->id) != 0) {
        return wrong(why, "%s: key gives '%s' %s", m->id, n == 1 ? seen.id : "",
                     err.text);
    }
    n = tkt_reader_by_reference(r, m->sample.thread.hash, "anna@example.org", by_ref, 2,
                                &err);
    if (n != 1 || strcmp(by_ref[0].id, m->id) != 0) {
        return wrong(why, "%s: its thread key is lost", m->id);
    }
    return forgotten ? 0 : check_content(r, m, seen.message, why);
}

static int check_jobs(sqlite3_stmt *jobs, const struct message *m, char *why)
{
    const char *kind = m->what == APPEND ? "comment" : "create";

    sqlite3_reset(jobs);
    sqlite3_bind_int64(jobs, 1, m->ticket);
    sqlite3_bind_text(jobs, 2, kind, -1, SQLITE_STATIC);
    return sqlite3_step(jobs) == SQLITE_ROW ? 0
                                            : wrong(why, "%s: no %s job", m->id, kind);
}

/* The client repeats everything: what was answered gets the same ID again, all else one
 * of its own. */
static void again_init(struct sample *again, const struct message *m)
{
    *again = m->sample;
    again->in.desks = again->desks;
    again->desks[0].decision = NULL;
    again->in.thread_keys = &again->thread;
    again->in.participants = again->who;
    again->in.raw = m->raw;
    again->in.blob_name = NULL;
    again->in.confirmed = true;
    again->in.hook = "milter";
    again->res.desks = again->out;
}

static bool taken_twice(const struct work *w, int i, const char *id, const bool *marked)
{
    for (int k = 0; k < MESSAGES; k++) {
        if (k != i && marked[MARK_ANSWERED(k)] && w->messages[k].what != APPEND &&
            strcmp(id, w->messages[k].id) == 0) {
            return true;
        }
    }
    return false;
}

static int check_retries(struct work *w, struct tkt_store *s, const bool *marked,
                         char *why)
{
    static struct sample again[MESSAGES];
    struct tkt_store_item items[MESSAGES];

    for (int i = 0; i < MESSAGES; i++) {
        again_init(&again[i], &w->messages[i]);
        items[i] = (struct tkt_store_item){.apply = apply_reserve, .arg = &again[i]};
    }
    if (tkt_store_batch(s, items, MESSAGES) != MESSAGES) {
        return wrong(why, "the retries did not fit");
    }
    for (int i = 0; i < MESSAGES; i++) {
        const char *id = again[i].out[0].id;
        bool known = marked[MARK_ANSWERED(i)];
        if (items[i].result != 0) {
            return wrong(why, "retry of message %d: %s", i, items[i].err.text);
        }
        if (known && strcmp(id, w->messages[i].id) != 0) {
            return wrong(why, "%s became %s", w->messages[i].id, id);
        }
        /* It may have been committed, as an append too, and then not been answered. */
        if (!known && w->messages[i].what != APPEND && taken_twice(w, i, id, marked)) {
            return wrong(why, "message %d got the ID of another: %s", i, id);
        }
    }
    return 0;
}

static int check_whole(struct tkt_reader *r, char *why)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(200000);
    struct tkt_err err = TKT_ERR_INIT;
    int64_t bad = -1;

    if (tkt_reader_verify_json(r, &bad, &out, &err) < 0 || bad != 0) {
        return wrong(why, "verify: %s %.400s", err.text, tkt_buf_str(&out));
    }
    return 0;
}

static int check_messages(struct work *w, struct fixture *image, const bool *marked,
                          char *why)
{
    char path[90];
    sqlite3 *db = NULL;
    sqlite3_stmt *jobs = NULL;
    int rc = 0;

    snprintf(path, sizeof(path), "%s/tickets.db", image->dir);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT 1 FROM jobs WHERE ticket = ? AND kind = ?", -1,
                           &jobs, NULL) != SQLITE_OK) {
        rc = wrong(why, "jobs: %s", sqlite3_errmsg(db));
    }
    for (int i = 0; rc == 0 && i < MESSAGES; i++) {
        if (marked[MARK_ANSWERED(i)]) {
            rc = check_answered(image->reader, &w->messages[i], marked[MARK_FORGOTTEN(i)],
                                why);
        }
        if (rc == 0 && marked[MARK_CONFIRMED(i)]) {
            rc = check_jobs(jobs, &w->messages[i], why);
        }
    }
    sqlite3_finalize(jobs);
    sqlite3_close(db);
    return rc;
}

static int check_image(struct work *w, struct fixture *image, const bool *marked,
                       char *why)
{
    struct tkt_err err = TKT_ERR_INIT;

    image->store = tkt_store_open(&image->opt, &err);
    if (image->store == NULL) {
        return wrong(why, "does not open: %s", err.text);
    }
    image->reader = tkt_reader_open(image->dir, &err);
    if (image->reader == NULL) {
        return wrong(why, "cannot be read: %s", err.text);
    }
    return check_messages(w, image, marked, why) < 0 ||
                   check_retries(w, image->store, marked, why) < 0
               ? -1
               : check_whole(image->reader, why);
}

static int judge(struct work *w, size_t op, enum cut_mode mode, uint64_t seed, char *why)
{
    static unsigned serial;
    char top[64];
    bool marked[MARKS];
    struct fixture image = {0};

    snprintf(top, sizeof(top), "%.40s/tkt-img-%d-%u", base_dir(), (int)getpid(),
             serial++);
    if (record_cut(op, mode, seed, top, marked, MARKS) < 0) {
        return wrong(why, "image: %s", strerror(errno));
    }
    snprintf(image.dir, sizeof(image.dir), "%.55s/store", top);
    image.opt = w->opt;
    image.opt.dir = image.dir;
    int rc = check_image(w, &image, marked, why);
    tkt_reader_close(&image.reader);
    tkt_store_close(&image.store);
    remove_tree(top);
    return rc;
}

/* ---- all cuts --------------------------------------------------------------------- */

static void count_fault(struct verdict *v, int rc, size_t op, const char *mode,
                        const char *why)
{
    char text[200];

    v->cuts++;
    if (rc == 0 || v->bad++ > 0) {
        return;
    }
    record_describe(op > 0 ? op - 1 : 0, text, sizeof(text));
    snprintf(v->first, sizeof(v->first), "behind %s, %s of the unsynced kept: %.300s",
             text, mode, why);
}

static void cut_everywhere(struct work *w, int seeds, bool only_none, struct verdict *v)
{
    char why[FAULT_TEXT] = "";

    for (size_t op = 0; op <= record_count() && (v->bad == 0 || seeds > 0); op++) {
        if (op == 0 || record_changes_promises(op - 1)) { /* else as one earlier */
            count_fault(v, judge(w, op, CUT_NONE, 0, why), op, "nothing", why);
        }
        if (only_none) {
            continue;
        }
        count_fault(v, judge(w, op, CUT_ALL, 0, why), op, "all", why);
        for (int k = 0; k < seeds; k++) {
            uint64_t seed = op * 1000 + (uint64_t)k + w->seed;
            count_fault(v, judge(w, op, CUT_RANDOM, seed, why), op, "some", why);
        }
    }
}

static int from_environment(const char *name, int fallback)
{
    const char *text = getenv(name);
    int64_t n = fallback;

    if (text != NULL && tkt_parse_int(text, 1, 100000, &n) < 0) {
        fail_msg("%s=%s", name, text);
    }
    return (int)n;
}

static void every_answered_message_survives_every_cut(void **state)
{
    (void)state;
    int rounds = from_environment("TKT_POWERCUT_ROUNDS", 1);
    int seeds = from_environment("TKT_POWERCUT_SEEDS", 2);

    for (int r = 0; r < rounds; r++) {
        struct work w = {.seed = 88172645463325252u + (uint64_t)r};
        struct verdict v = {0};
        unsigned files = 0;
        unsigned dirs = 0;
        run_workload(&w, LIE_NONE);
        record_syncs(&files, &dirs);
        assert_true(files >= MESSAGES / 3 && dirs >= 4); /* SQLite's are among them */
        cut_everywhere(&w, seeds, false, &v);
        print_message(
            "powercut: round %d: %zu operations, %u+%u syncs, %zu cuts, %zu bad\n", r,
            record_count(), files, dirs, v.cuts, v.bad);
        work_free(&w);
        if (v.bad > 0) {
            fail_msg("%s", v.first);
        }
    }
}

static void must_be_red(struct work *w, enum record_lie lie, const char *what)
{
    struct verdict v = {0};

    w->seed = 88172645463325252u;
    run_workload(w, lie);
    cut_everywhere(w, 0, !w->blob_late, &v);
    print_message("powercut: %s: %s\n", what, v.bad > 0 ? v.first : "NOT NOTICED");
    work_free(w);
    assert_true(v.bad > 0);
}

static void synchronous_off_is_noticed(void **state)
{
    (void)state;
    must_be_red(&(struct work){.sync_off = true}, LIE_NONE, "synchronous=OFF");
}

static void an_unsynced_log_is_noticed(void **state)
{
    (void)state;
    must_be_red(&(struct work){0}, LIE_LOG, "log not synced");
}

static void an_unsynced_message_file_is_noticed(void **state)
{
    (void)state;
    must_be_red(&(struct work){0}, LIE_BLOB_FILE, "message file not synced");
}

static void an_unsynced_message_directory_is_noticed(void **state)
{
    (void)state;
    must_be_red(&(struct work){0}, LIE_BLOB_DIR, "blobs/xx not synced");
    must_be_red(&(struct work){0}, LIE_BLOBS_DIR, "blobs not synced");
}

static void an_unsynced_store_directory_is_noticed(void **state)
{
    (void)state;
    must_be_red(&(struct work){0}, LIE_STORE_DIR, "store directory not synced");
}

static void an_answer_before_the_commit_is_noticed(void **state)
{
    (void)state;
    must_be_red(&(struct work){.early = true}, LIE_NONE, "answer before the commit");
}

static void a_message_file_named_after_its_row_is_noticed(void **state)
{
    (void)state;
    must_be_red(&(struct work){.blob_late = true}, LIE_NONE, "file after the row");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answered_message_survives_every_cut),
        cmocka_unit_test(synchronous_off_is_noticed),
        cmocka_unit_test(an_unsynced_log_is_noticed),
        cmocka_unit_test(an_unsynced_message_file_is_noticed),
        cmocka_unit_test(an_unsynced_message_directory_is_noticed),
        cmocka_unit_test(an_unsynced_store_directory_is_noticed),
        cmocka_unit_test(an_answer_before_the_commit_is_noticed),
        cmocka_unit_test(a_message_file_named_after_its_row_is_noticed),
    };
    return cmocka_run_group_tests_name("powercut", tests, NULL, NULL);
}
