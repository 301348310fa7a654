/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/db.h"

#include "base/enc.h"
#include "store/walvfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_TIMEOUT_MS 2000
#define TEXT_MAX 2000

static const char *const sql_text[] = {
#define X(name, text) [name] = text,
    TKT_SQL_TABLE(X)
#undef X
};

struct tkt_db {
    sqlite3 *handle;
    sqlite3_stmt *cached[TKT_SQL_COUNT];
    int log_pages;
    bool failed;
};

/* Whether the connection can be trusted after rc: what the pager could not write or read
 * may have left the transaction in any state. */
static bool leaves_doubt(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
        return true;
    default:
        return false;
    }
}

static enum tkt_err_class class_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
        return TKT_ERR_PERM;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
        return TKT_ERR_BUG;
    default:
        return TKT_ERR_TEMP;
    }
}

static int fail(struct tkt_db *db, int rc, struct tkt_err *err, const char *what)
{
    int full = sqlite3_extended_errcode(db->handle);

    if ((full & 0xff) != (rc & 0xff)) {
        full = rc;
    }
    db->failed = db->failed || leaves_doubt(rc);
    return tkt_err_set(err, class_of(rc), "store: %s: %s (%d)", what,
                       sqlite3_errmsg(db->handle), full);
}

static int count_log_pages(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct tkt_db *db = arg;

    (void)handle; /* there is one */
    (void)name;   /* and nothing is attached while it commits */
    db->log_pages = pages;
    return SQLITE_OK;
}

static int configure(struct tkt_db *db, enum tkt_db_mode mode, struct tkt_err *err)
{
    /* The log is moved by tkt_db_checkpoint() only, never inside somebody's commit.
     * Statement journals stay in memory: a batch is small. */
    static const char writer[] = "PRAGMA journal_mode=WAL;"
                                 "PRAGMA synchronous=FULL;"
                                 "PRAGMA wal_autocheckpoint=0;"
                                 "PRAGMA temp_store=MEMORY;"
                                 "PRAGMA cache_size=-8192;"
                                 "PRAGMA cache_spill=0;"
                                 "PRAGMA secure_delete=ON;"
                                 "PRAGMA trusted_schema=0;";
    static const char reader[] = "PRAGMA query_only=1;"
                                 "PRAGMA temp_store=MEMORY;"
                                 "PRAGMA cache_size=-512;"
                                 "PRAGMA trusted_schema=0;";

    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    if (mode == TKT_DB_READ) {
        return tkt_db_script(db, reader, err);
    }
    if (tkt_db_script(db, writer, err) < 0) {
        return -1;
    }
    sqlite3_wal_hook(db->handle, count_log_pages, db);
    return 0;
}

/* Without its statistics SQLite's allocator needs no lock that all connections share. */
static void configure_library(void)
{
    /* Misuse once somebody opened a database before us: then they stay on. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct tkt_db *tkt_db_open(const char *path, enum tkt_db_mode mode, struct tkt_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, configure_library); /* cannot fail with these arguments */
    /* A reader opens read-write too: a WAL database needs its shared-memory index. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    struct tkt_db *db = calloc(1, sizeof(*db));

    if (db == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
        return NULL;
    }
    if (mode == TKT_DB_WRITE) {
        flags |= SQLITE_OPEN_CREATE;
    }
    const char *vfs = mode == TKT_DB_WRITE ? tkt_walvfs() : NULL;
    int rc = sqlite3_open_v2(path, &db->handle, flags, vfs);
    if (rc != SQLITE_OK) {
        tkt_err_set(err, TKT_ERR_TEMP, "store: open %s: %s", path, sqlite3_errstr(rc));
    } else if (configure(db, mode, err) == 0) {
        return db;
    }
    tkt_db_close(&db, true);
    return NULL;
}

void tkt_db_close(struct tkt_db **pdb, bool in_doubt)
{
    struct tkt_db *db = *pdb;

    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < TKT_SQL_COUNT; i++) {
        (void)sqlite3_finalize(
            db->cached[i]); /* repeats the last error of the statement */
    }
    if (db->handle != NULL) {
        if (in_doubt) {
            (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                    NULL);
        }
        (void)sqlite3_close_v2(
            db->handle); /* all statements are finalized: cannot fail */
    }
    free(db);
    *pdb = NULL;
}

bool tkt_db_failed(const struct tkt_db *db)
{
    return db->failed;
}

bool tkt_db_in_transaction(const struct tkt_db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

int tkt_db_log_pages(const struct tkt_db *db)
{
    return db->log_pages;
}

int tkt_db_checkpoint(struct tkt_db *db, bool truncate, struct tkt_err *err)
{
    int pages = 0;
    int moved = 0;
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;

    /* A reader in the way is no reason to keep the writer waiting. */
    sqlite3_busy_timeout(db->handle, 0);
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &pages, &moved);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY) {
        return fail(db, rc, err, "checkpoint");
    }
    if (rc == SQLITE_BUSY || moved < pages) {
        return 1;
    }
    db->log_pages = 0;
    return 0;
}

int tkt_db_copy(struct tkt_db *db, const char *path, struct tkt_err *err)
{
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

    if (rc == SQLITE_OK) {
        sqlite3_backup *copy = sqlite3_backup_init(to, "main", db->handle, "main");
        if (copy != NULL) {
            /* All pages in one step: one read transaction, one moment in time. */
            (void)sqlite3_backup_step(copy, -1); /* finish reports its error */
            (void)sqlite3_backup_finish(copy);   /* left in the handle's errcode */
        }
        rc = sqlite3_errcode(to);
    }
    if (rc != SQLITE_OK) {
        tkt_err_set(err, TKT_ERR_TEMP, "store: copy to %s: %s", path,
                    to != NULL ? sqlite3_errmsg(to) : sqlite3_errstr(rc));
    }
    (void)sqlite3_close(to); /* no statements: cannot fail */
    return rc == SQLITE_OK ? 0 : -1;
}

int tkt_db_script(struct tkt_db *db, const char *sql, struct tkt_err *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : fail(db, rc, err, "script");
}

static sqlite3_stmt *statement(struct tkt_db *db, enum tkt_sql sql, struct tkt_err *err)
{
    if (db->cached[sql] == NULL) {
        int rc = sqlite3_prepare_v3(db->handle, sql_text[sql], -1,
                                    SQLITE_PREPARE_PERSISTENT, &db->cached[sql], NULL);
        if (rc != SQLITE_OK) {
            fail(db, rc, err, "prepare");
            return NULL;
        }
    }
    return db->cached[sql];
}

static int bind_one(sqlite3_stmt *st, int n, char type, va_list *ap)
{
    switch (type) {
    case 'i':
        return sqlite3_bind_int64(st, n, va_arg(*ap, int64_t));
    case 'd':
        return sqlite3_bind_int(st, n, va_arg(*ap, int));
    case 's': {
        const char *s = va_arg(*ap, const char *);
        return sqlite3_bind_text(st, n, s, -1, SQLITE_STATIC);
    }
    case 't': {
        const char *s = va_arg(*ap, const char *);
        size_t len = s != NULL ? strlen(s) : 0;
        if (len > TEXT_MAX) {
            len = tkt_utf8_cut(s, len, TEXT_MAX);
        }
        return len == 0 ? sqlite3_bind_null(st, n)
                        : sqlite3_bind_text(st, n, s, (int)len, SQLITE_STATIC);
    }
    case 'b': {
        const void *p = va_arg(*ap, const void *);
        size_t len = va_arg(*ap, size_t);
        return sqlite3_bind_blob64(st, n, p, len, SQLITE_STATIC);
    }
    default:
        return SQLITE_MISUSE;
    }
}

static sqlite3_stmt *bound(struct tkt_db *db, enum tkt_sql sql, struct tkt_err *err,
                           const char *types, va_list *ap)
{
    sqlite3_stmt *st = statement(db, sql, err);

    for (int i = 0; st != NULL && types[i] != '\0'; i++) {
        int rc = bind_one(st, i + 1, types[i], ap);
        if (rc != SQLITE_OK) {
            fail(db, rc, err, sql_text[sql]);
            return NULL;
        }
    }
    return st;
}

static int run(struct tkt_db *db, enum tkt_sql sql, struct tkt_err *err,
               const char *types, va_list *ap)
{
    sqlite3_stmt *st = bound(db, sql, err, types, ap);

    if (st == NULL) {
        return -1;
    }
    int rc = sqlite3_step(st);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
        fail(db, rc, err, sql_text[sql]);
        (void)sqlite3_reset(st); /* repeats the error just reported */
        return -1;
    }
    rc = sqlite3_reset(st);
    if (rc != SQLITE_OK) {
        return fail(db, rc, err, sql_text[sql]);
    }
    return sqlite3_changes(db->handle);
}

int tkt_db_run(struct tkt_db *db, enum tkt_sql sql, struct tkt_err *err,
               const char *types, ...)
{
    va_list ap;

    va_start(ap, types);
    int n = run(db, sql, err, types, &ap);
    va_end(ap);
    return n;
}

int tkt_db_insert(struct tkt_db *db, enum tkt_sql sql, int64_t *id, struct tkt_err *err,
                  const char *types, ...)
{
    va_list ap;

    va_start(ap, types);
    int n = run(db, sql, err, types, &ap);
    va_end(ap);
    if (n < 0) {
        return -1;
    }
    *id = sqlite3_last_insert_rowid(db->handle);
    return 0;
}

int tkt_row_next(struct tkt_row *row, struct tkt_err *err)
{
    int rc = sqlite3_step(row->stmt);

    if (rc == SQLITE_ROW) {
        return 1;
    }
    if (rc != SQLITE_DONE) {
        fail(row->db, rc, err, sqlite3_sql(row->stmt));
    }
    tkt_row_end(row);
    return rc == SQLITE_DONE ? 0 : -1;
}

static int query(struct tkt_db *db, struct tkt_row *row, enum tkt_sql sql,
                 struct tkt_err *err, const char *types, va_list *ap)
{
    row->db = db;
    row->stmt = bound(db, sql, err, types, ap);
    return row->stmt == NULL ? -1 : tkt_row_next(row, err);
}

int tkt_db_query(struct tkt_db *db, struct tkt_row *row, enum tkt_sql sql,
                 struct tkt_err *err, const char *types, ...)
{
    va_list ap;

    va_start(ap, types);
    int n = query(db, row, sql, err, types, &ap);
    va_end(ap);
    return n;
}

void tkt_row_end(struct tkt_row *row)
{
    if (row->stmt != NULL) {
        (void)sqlite3_reset(row->stmt); /* repeats the error of the last step */
        row->stmt = NULL;
    }
}

int64_t tkt_row_int(const struct tkt_row *row, int col)
{
    return sqlite3_column_int64(row->stmt, col);
}

const char *tkt_row_text(const struct tkt_row *row, int col)
{
    const unsigned char *s = sqlite3_column_text(row->stmt, col);

    return s == NULL ? "" : (const char *)s;
}

const void *tkt_row_blob(const struct tkt_row *row, int col, size_t *n)
{
    const void *p = sqlite3_column_blob(row->stmt, col);

    *n = (size_t)sqlite3_column_bytes(row->stmt, col);
    return p;
}

bool tkt_row_null(const struct tkt_row *row, int col)
{
    return sqlite3_column_type(row->stmt, col) == SQLITE_NULL;
}

int tkt_db_get_int(struct tkt_db *db, enum tkt_sql sql, int64_t *out, struct tkt_err *err,
                   const char *types, ...)
{
    struct tkt_row row = TKT_ROW_INIT;
    va_list ap;

    va_start(ap, types);
    int n = query(db, &row, sql, err, types, &ap);
    va_end(ap);
    if (n == 1) {
        n = tkt_row_null(&row, 0) ? 0 : 1;
        *out = n == 1 ? tkt_row_int(&row, 0) : *out;
    }
    tkt_row_end(&row);
    return n;
}

int tkt_db_explain(struct tkt_db *db, enum tkt_sql sql, char *out, size_t n)
{
    char text[4096];
    sqlite3_stmt *st = NULL;
    size_t used = 0;

    out[0] = '\0';
    snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", sql_text[sql]);
    if (sqlite3_prepare_v2(db->handle, text, -1, &st, NULL) != SQLITE_OK) {
        return -1;
    }
    while (sqlite3_step(st) == SQLITE_ROW && used < n) {
        int w = snprintf(out + used, n - used, "%s\n", sqlite3_column_text(st, 3));
        used += w > 0 ? (size_t)w : 0;
    }
    (void)sqlite3_finalize(st); /* repeats the error of the last step */
    return 0;
}
