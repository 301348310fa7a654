/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/store_fixture.h"

#include <ftw.h>
#include <sys/time.h>

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* it may not be there */
}

static void open_both(struct fixture *f)
{
    struct tkt_err err = TKT_ERR_INIT;

    f->store = tkt_store_open(&f->opt, &err);
    assert_string_equal(err.text, "");
    assert_non_null(f->store);
    f->reader = tkt_reader_open(f->dir, &err);
    assert_non_null(f->reader);
}

int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *top = getenv("TMPDIR");

    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "%.40s/tkt-store-XXXXXX",
             top != NULL ? top : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    f->opt = (struct tkt_store_options){.dir = f->dir,
                                        .host = "mx1",
                                        .id_block = 10,
                                        .batch_bytes_max = 4 * 1024 * 1024,
                                        .batch_us_max = 10 * 1000 * 1000,
                                        .dedupe_keep_ms = 30 * DAY_MS,
                                        .dedupe_blind_ms = 6 * HOUR_MS};
    open_both(f);
    *state = f;
    return 0;
}

int fixture_close(void **state)
{
    struct fixture *f = *state;

    tkt_reader_close(&f->reader);
    tkt_store_close(&f->store);
    remove_tree(f->dir);
    free(f);
    return 0;
}

void fixture_reopen(struct fixture *f)
{
    tkt_reader_close(&f->reader);
    tkt_store_close(&f->store);
    open_both(f);
}

static void desk_key(struct tkt_store_desk_in *d, const char *text)
{
    char both[300];

    snprintf(both, sizeof(both), "%s\n%.200s", d->desk, text);
    tkt_sha256(both, strlen(both), d->key);
}

void sample_desk(struct sample *m, const char *desk, const char *prefix)
{
    struct tkt_store_desk_in *d = &m->desks[m->in.desk_count++];

    *d = (struct tkt_store_desk_in){.desk = desk,
                                    .prefix = prefix,
                                    .itsm = "jira",
                                    .itsm_type = "jira",
                                    .rcpt = "support@example.com",
                                    .reason = "",
                                    .decision = &m->decision,
                                    .default_type = "incident",
                                    .default_group = "first",
                                    .default_priority = 3};
    desk_key(d, m->raw);
}

void sample_head(struct sample *m, const char *head)
{
    m->in.has_head_key = true;
    tkt_sha256(head, strlen(head), m->in.head_key);
}

void sample_init(struct sample *m, const char *text)
{
    memset(m, 0, sizeof(*m));
    snprintf(m->raw, sizeof(m->raw), "Subject: hi\n\n%s\n", text);
    m->decision =
        (struct tkt_decision){.action = TKT_ACTION_NEW, .why = (char *)"no thread"};
    m->who[0] = (struct tkt_store_participant){"anna@example.org", "from"};
    m->who[1] = (struct tkt_store_participant){"support@example.com", "to"};
    m->in = (struct tkt_store_reserve_in){.desks = m->desks,
                                          .hook = "milter",
                                          .confirmed = true,
                                          .size = strlen(m->raw),
                                          .raw = m->raw,
                                          .envelope_json = "{\"helo\":\"x\"}",
                                          .queue_id = "4F1A",
                                          .sender = "Anna@example.org",
                                          .subject = "printer on fire",
                                          .message_id = "m1@example.org",
                                          .requester = "anna@example.org",
                                          .requester_name = "Anna",
                                          .class_name = "human",
                                          .analysed = true,
                                          .analysis_error = "",
                                          .thread_keys = &m->thread,
                                          .thread_key_count = 1,
                                          .participants = m->who,
                                          .participant_count = 2,
                                          .now_ms = NOW};
    tkt_sha256(m->raw, strlen(m->raw), m->in.sha256);
    tkt_sha256(text, strlen(text), m->thread.hash);
    sample_head(m, text);
    m->res.desks = m->out;
    sample_desk(m, "it", "IT");
}

void sample_decide(struct sample *m, enum tkt_action action, int64_t ticket)
{
    m->decision.action = action;
    m->decision.ticket = ticket;
}

void sample_sieve(struct sample *m, const char *rcpt)
{
    m->in.hook = "sieve";
    m->in.confirmed = false;
    m->desks[0].rcpt = rcpt;
}

static int apply_reserve(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct sample *m = arg;

    return tkt_store_reserve(s, &m->in, &m->res, err);
}

int reserve(struct fixture *f, struct sample *m, struct tkt_err *err)
{
    struct tkt_store_item item = {.apply = apply_reserve, .arg = m, .bytes = 1000};

    assert_int_equal(tkt_store_batch(f->store, &item, 1), 1);
    assert_true(item.done);
    if (err != NULL) {
        *err = item.err;
    }
    return item.result;
}

void reserve_ok(struct fixture *f, struct sample *m)
{
    struct tkt_err err = TKT_ERR_INIT;

    int rc = reserve(f, m, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    assert_int_equal(m->res.result, TKT_RESERVE_DONE);
}

static sqlite3 *connect_self(struct fixture *f)
{
    char path[128];
    sqlite3 *db = NULL;

    snprintf(path, sizeof(path), "%s/tickets.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 2000);
    return db;
}

int64_t number(struct fixture *f, const char *sql)
{
    sqlite3 *db = connect_self(f);
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

int64_t count_of(struct fixture *f, const char *table)
{
    char sql[100];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    return number(f, sql);
}

void execute(struct fixture *f, const char *sql)
{
    sqlite3 *db = connect_self(f);
    char *why = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
        fail_msg("%s: %s", sql, why);
    }
    sqlite3_close(db);
}

int64_t faults(struct fixture *f, struct tkt_buf *out)
{
    struct tkt_err err = TKT_ERR_INIT;
    int64_t bad = -1;

    if (tkt_reader_verify_json(f->reader, &bad, out, &err) < 0) {
        fail_msg("verify: %s", err.text);
    }
    return bad;
}

void assert_clean(struct fixture *f)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);

    if (faults(f, &out) != 0) {
        fail_msg("%s", tkt_buf_str(&out));
    }
}

void make(struct fixture *f, struct sample *m, const char *text)
{
    sample_init(m, text);
    reserve_ok(f, m);
}

void make_blob(struct fixture *f, struct tkt_blob *b, const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_blob_create(f->dir, b, &err) < 0 ||
        tkt_write_full(b->fd, text, strlen(text), &err) < 0 ||
        tkt_blob_commit(b, &err) < 0) {
        fail_msg("%s", err.text);
    }
    tkt_blob_close(b);
}

void make_large(struct fixture *f, struct sample *m, const char *text, struct tkt_blob *b)
{
    sample_init(m, text);
    make_blob(f, b, m->raw);
    m->in.raw = NULL;
    m->in.blob_name = b->name;
    reserve_ok(f, m);
}

int files_in(const char *dir)
{
    char command[200];
    int n = -1;

    snprintf(command, sizeof(command), "find %s/blobs -type f | wc -l", dir);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_int_equal(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

void age_file(const char *path, int64_t wall_ms)
{
    struct timeval t[2] = {{wall_ms / 1000, 0}, {wall_ms / 1000, 0}};

    assert_int_equal(utimes(path, t), 0);
}

void fixture_load(struct fixture *f, const char *name)
{
    TKT_AUTO_BUF struct tkt_buf sql = TKT_BUF_INIT(1024 * 1024);
    const char *src = getenv("TKT_SRCDIR");
    char path[4096];
    char block[4096];
    size_t n;

    tkt_reader_close(&f->reader);
    tkt_store_close(&f->store);
    remove_tree(f->dir);
    assert_int_equal(mkdir(f->dir, 0700), 0);
    snprintf(path, sizeof(path), "%s/tests/unit/%s", src ? src : ".", name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while ((n = fread(block, 1, sizeof(block), file)) > 0) {
        assert_int_equal(tkt_buf_add(&sql, block, n), 0);
    }
    fclose(file);
    execute(f, tkt_buf_str(&sql));
}
