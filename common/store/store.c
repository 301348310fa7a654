/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "store/internal.h"
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define DOOMED_MAX (1024 * 1024)
#define ID_BLOCK_DEFAULT 1000
#define BATCH_BYTES_DEFAULT (4 * 1024 * 1024)
#define BATCH_US_DEFAULT 5000
#define DEDUPE_KEEP_DEFAULT_MS (30 * 24 * 3600 * INT64_C(1000))
#define DEDUPE_BLIND_DEFAULT_MS (6 * 3600 * INT64_C(1000))

/* ---- opening ---------------------------------------------------------------------- */

/* The directory and its entry in its parent are on disk before anything is in it. */
static int make_dir(const char *path, struct tkt_err *err)
{
    char parent[PATH_MAX];

    if (mkdir(path, 0700) < 0) {
        struct stat st;
        if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            return 0;
        }
        return tkt_err_errno(err, TKT_ERR_CONF, "store: make directory %s", path);
    }
    snprintf(parent, sizeof(parent), "%s/..", path);
    return tkt_fsync_dir(parent, err);
}

static int lock(struct tkt_store *s, struct tkt_err *err)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/" LOCK_NAME, s->opt.dir);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "store: open %s", path);
    }
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK
                   ? tkt_err_set(err, TKT_ERR_TEMP,
                                 "store: %s: another process writes to this directory",
                                 path)
                   : tkt_err_errno(err, TKT_ERR_TEMP, "store: lock %s", path);
    }
    return 0;
}

void tkt_store_forget_cached(struct tkt_store *s)
{
    s->series_count = 0;
    s->desk_count = 0;
    s->chain_known = false;
}

/* The database's own pages and b-trees; after a fault and not at every start, because
 * it reads the whole file. */
static int quick_check(struct tkt_db *db, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    if (tkt_db_query(db, &row, SQL_QUICK_CHECK, err, "") < 0) {
        return -1;
    }
    if (strcmp(tkt_row_text(&row, 0), "ok") != 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: the database is damaged: %s",
                           tkt_row_text(&row, 0));
    }
    return 0;
}

static int connect_db(struct tkt_store *s, bool check, struct tkt_err *err)
{
    char path[PATH_MAX];
    int64_t version = 0;

    snprintf(path, sizeof(path), "%s/" DB_NAME, s->opt.dir);
    s->db = tkt_db_open(path, TKT_DB_WRITE, err);
    tkt_store_forget_cached(s);
    if (s->db == NULL || (check && quick_check(s->db, err) < 0) ||
        tkt_schema_version(s->db, &version, err) < 0 ||
        tkt_schema_migrate(s->db, err) < 0) {
        tkt_db_close(&s->db, true);
        return -1;
    }
    /* SQLite syncs the directory for its log, not for a new database file. */
    if (version == 0 && tkt_fsync_dir(s->opt.dir, err) < 0) {
        tkt_db_close(&s->db, true);
        return -1;
    }
    return 0;
}

int tkt_store_reconnect(struct tkt_store *s, struct tkt_err *err)
{
    if (!s->broken && s->db != NULL) {
        return 0;
    }
    tkt_db_close(&s->db, true);
    if (connect_db(s, true, err) < 0) {
        return tkt_err_prefix(err, "reopen");
    }
    s->broken = false;
    return 0;
}

static void take_options(struct tkt_store *s, const struct tkt_store_options *opt)
{
    s->opt = *opt;
    s->opt.dir = strdup(opt->dir);
    s->opt.host = strdup(opt->host != NULL ? opt->host : "localhost");
    s->opt.id_block = opt->id_block > 0 ? opt->id_block : ID_BLOCK_DEFAULT;
    if (s->opt.batch_bytes_max == 0) {
        s->opt.batch_bytes_max = BATCH_BYTES_DEFAULT;
    }
    if (s->opt.batch_us_max <= 0) {
        s->opt.batch_us_max = BATCH_US_DEFAULT;
    }
    if (s->opt.dedupe_keep_ms <= 0) {
        s->opt.dedupe_keep_ms = DEDUPE_KEEP_DEFAULT_MS;
    }
    if (s->opt.dedupe_blind_ms <= 0) {
        s->opt.dedupe_blind_ms = DEDUPE_BLIND_DEFAULT_MS;
    }
}

static int open_parts(struct tkt_store *s, struct tkt_err *err)
{
    char blobs[PATH_MAX];
    bool own = false;

    if (s->opt.dir == NULL || s->opt.host == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
    }
    if (strlen(s->opt.dir) > 400) { /* struct tkt_blob holds a path of 512 bytes */
        return tkt_err_set(err, TKT_ERR_CONF, "store: path too long: %s", s->opt.dir);
    }
    snprintf(blobs, sizeof(blobs), "%s/" BLOBS_NAME, s->opt.dir);
    if (make_dir(s->opt.dir, err) < 0 || lock(s, err) < 0 || make_dir(blobs, err) < 0 ||
        connect_db(s, false, err) < 0 || tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_host_id(s, s->opt.host, &s->host, err);
    return tkt_store_leave(s, own, rc, err);
}

struct tkt_store *tkt_store_open(const struct tkt_store_options *opt, struct tkt_err *err)
{
    struct tkt_store *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
        return NULL;
    }
    s->lock_fd = -1;
    s->sweep_head = INT64_MIN;
    s->checkpoint_at = LOG_PAGES_MAX;
    tkt_buf_init(&s->json, EVENT_DATA_MAX);
    tkt_buf_init(&s->doomed, DOOMED_MAX);
    take_options(s, opt);
    if (open_parts(s, err) < 0) {
        tkt_store_close(&s);
    }
    return s;
}

void tkt_store_close(struct tkt_store **ps)
{
    struct tkt_store *s = *ps;

    if (s == NULL) {
        return;
    }
    tkt_db_close(&s->db, s->broken);
    if (s->lock_fd >= 0) {
        close(s->lock_fd); /* nothing was written to it */
    }
    tkt_buf_release(&s->json);
    tkt_buf_release(&s->doomed);
    free((char *)s->opt.dir);
    free((char *)s->opt.host);
    free(s);
    *ps = NULL;
}

/* ---- transactions ----------------------------------------------------------------- */

/* Blobs whose rows are gone for good now. A file that stays behind is found by sweep. */
static void remove_doomed(struct tkt_store *s)
{
    char path[PATH_MAX];

    for (size_t i = 0; i + 1 < s->doomed.len; i += strlen(s->doomed.data + i) + 1) {
        if (tkt_blob_path(s->opt.dir, s->doomed.data + i, path, sizeof(path)) == 0) {
            (void)unlink(path); /* sweep tries again */
        }
    }
    tkt_buf_reset(&s->doomed);
}

static int begin(struct tkt_store *s, struct tkt_err *err)
{
    if (tkt_store_reconnect(s, err) < 0) {
        return -1;
    }
    tkt_buf_reset(&s->doomed);
    if (tkt_db_run(s->db, SQL_BEGIN, err, "") < 0) {
        s->broken = tkt_db_failed(s->db);
        return -1;
    }
    return 0;
}

/* A failed commit leaves nothing to be relied on: the kernel may have dropped dirty
 * pages and called them clean, so the same handle must not try again. */
static int commit(struct tkt_store *s, struct tkt_err *err)
{
    if (tkt_db_failed(s->db) || !tkt_db_in_transaction(s->db)) {
        s->broken = true;
        return tkt_err_set(err, TKT_ERR_TEMP, "store: the transaction was lost");
    }
    if (tkt_db_run(s->db, SQL_COMMIT, err, "") < 0) {
        s->broken = true;
        if (err != NULL) {
            err->class = TKT_ERR_TEMP;
        }
        return -1;
    }
    remove_doomed(s);
    return 0;
}

static void rollback(struct tkt_store *s)
{
    tkt_store_forget_cached(s);
    tkt_buf_reset(&s->doomed);
    if (tkt_db_in_transaction(s->db) && tkt_db_run(s->db, SQL_ROLLBACK, NULL, "") < 0) {
        s->broken = true;
    }
    s->broken = s->broken || tkt_db_failed(s->db);
}

int tkt_store_enter(struct tkt_store *s, bool *own, struct tkt_err *err)
{
    *own = s->db == NULL || s->broken || !tkt_db_in_transaction(s->db);
    return *own ? begin(s, err) : 0;
}

int tkt_store_leave(struct tkt_store *s, bool own, int rc, struct tkt_err *err)
{
    if (!own) {
        return rc;
    }
    if (rc >= 0 && commit(s, err) == 0) {
        return rc;
    }
    rollback(s);
    return -1;
}

/* ---- batches ---------------------------------------------------------------------- */

static int apply_guarded(struct tkt_store *s, struct tkt_store_item *item)
{
    size_t doomed = s->doomed.len;

    if (tkt_db_run(s->db, SQL_SAVEPOINT, &item->err, "") < 0) {
        return -1;
    }
    if (item->apply(s, item->arg, &item->err) >= 0) {
        return tkt_db_run(s->db, SQL_RELEASE, &item->err, "") < 0 ? -1 : 0;
    }
    tkt_store_forget_cached(s);
    s->doomed.len = doomed;
    if (tkt_db_in_transaction(s->db) &&
        (tkt_db_run(s->db, SQL_ROLLBACK_TO, NULL, "") < 0 ||
         tkt_db_run(s->db, SQL_RELEASE, NULL, "") < 0)) {
        s->broken = true;
    }
    return -1;
}

/* Applies items until the caps are reached; how many. Without guard it stops behind the
 * first that fails, whose changes are still there then. */
static size_t apply_items(struct tkt_store *s, struct tkt_store_item *items, size_t count,
                          bool guard)
{
    int64_t start_us = tkt_clock_mono_us();
    uint64_t bytes = 0;
    size_t n = 0;

    while (n < count && !s->broken && !tkt_db_failed(s->db)) {
        struct tkt_store_item *item = &items[n];

        if (n > 0 && (bytes + item->bytes > s->opt.batch_bytes_max ||
                      tkt_clock_mono_us() - start_us >= s->opt.batch_us_max)) {
            break;
        }
        item->err = (struct tkt_err)TKT_ERR_INIT;
        int rc = guard ? apply_guarded(s, item) : item->apply(s, item->arg, &item->err);
        item->result = rc < 0 ? -1 : 0;
        item->done = true;
        bytes += item->bytes;
        n++;
        if (!guard && item->result < 0) {
            break;
        }
    }
    return n;
}

static void fail_all(struct tkt_store_item *items, size_t n, const struct tkt_err *err)
{
    for (size_t i = 0; i < n; i++) {
        items[i].result = -1;
        items[i].err = *err;
        items[i].err.class = TKT_ERR_TEMP;
        items[i].done = true;
    }
}

/* A long log makes reading slow and recovery long; moving it costs the next batch some
 * milliseconds, so it is done rarely, and while a reader pins it not at every commit. */
static void checkpoint_if_long(struct tkt_store *s)
{
    int pages = tkt_db_log_pages(s->db);

    if (pages < s->checkpoint_at) {
        return;
    }
    int rc = tkt_db_checkpoint(s->db, pages > LOG_PAGES_KEEP, NULL);
    s->broken = rc < 0; /* the next batch reopens and reports */
    s->checkpoint_at = rc == 0 ? LOG_PAGES_MAX : pages + LOG_PAGES_MAX;
}

/* Nearly every item succeeds, and under a savepoint SQLite copies each page that an item
 * touches. So the items go without first; when one fails all is undone and applied again
 * with a savepoint for each. */
static size_t apply_batch(struct tkt_store *s, struct tkt_store_item *items, size_t count,
                          struct tkt_err *err)
{
    size_t n = apply_items(s, items, count, false);

    if (items[n - 1].result == 0 || s->broken || tkt_db_failed(s->db)) {
        return n;
    }
    rollback(s);
    if (begin(s, err) < 0) {
        s->broken = true;
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        items[i].done = false;
    }
    return apply_items(s, items, count, true);
}

size_t tkt_store_batch(struct tkt_store *s, struct tkt_store_item *items, size_t count)
{
    struct tkt_err err = TKT_ERR_INIT;

    count = TKT_MIN(count, (size_t)TKT_STORE_BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        items[i].done = false;
    }
    if (count == 0) {
        return 0;
    }
    if (begin(s, &err) < 0) {
        fail_all(items, count, &err);
        return count;
    }
    size_t n = apply_batch(s, items, count, &err);
    if (s->broken || commit(s, &err) < 0) {
        if (err.class == TKT_ERR_NONE) {
            tkt_err_set(&err, TKT_ERR_TEMP, "store: the transaction was lost");
        }
        fail_all(items, n, &err);
        rollback(s);
        return n;
    }
    checkpoint_if_long(s);
    return n;
}

int tkt_store_checkpoint(struct tkt_store *s, struct tkt_err *err)
{
    if (tkt_store_reconnect(s, err) < 0) {
        return -1;
    }
    if (tkt_db_log_pages(s->db) == 0 && !s->want_truncate) {
        return 0;
    }
    bool truncate = s->want_truncate || tkt_db_log_pages(s->db) > LOG_PAGES_KEEP;
    int rc = tkt_db_checkpoint(s->db, truncate, err);
    if (rc < 0) {
        s->broken = true;
        return -1;
    }
    s->want_truncate = s->want_truncate && rc != 0;
    return 0;
}
