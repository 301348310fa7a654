/* SPDX-License-Identifier: BSD-2-Clause
 * An HR database in a SQLite file. It is opened for each question: whoever writes it may
 * put another file in its place.
 */
#include "directory/form.h"

#include "base/clock.h"
#include "base/util.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_MAX (64 * 1024)
#define STEPS_A_LOOK 1000 /* of SQLite's machine, between two looks at the clock */

struct table {
    const struct tkt_conf_directory *conf;
    struct tkt_form_names names;
    struct tkt_buf query;
    int64_t deadline_ms;
};

static int open_table(const struct tkt_conf_directory *conf, void **state,
                      struct tkt_err *err)
{
    struct table *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    t->conf = conf;
    tkt_buf_init(&t->query, QUERY_MAX);
    if (tkt_form_names_make(conf, tkt_form_table_names, &t->names, err) < 0 ||
        tkt_form_query(conf->query, "?1", &t->query) < 0) {
        tkt_buf_release(&t->query);
        free(t);
        return -1;
    }
    *state = t;
    return 0;
}

static void close_table(void *state)
{
    struct table *t = state;

    tkt_buf_release(&t->query);
    free(t);
}

static int fail(sqlite3 *db, int rc, const char *what, struct tkt_err *err)
{
    bool ours = (rc & 0xff) == SQLITE_ERROR || (rc & 0xff) == SQLITE_AUTH ||
                (rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CANTOPEN;

    return tkt_err_set(err, ours ? TKT_ERR_CONF : TKT_ERR_TEMP, "%s: %s", what,
                       db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static int is_late(void *arg)
{
    const struct table *t = arg;

    return tkt_clock_mono_ms() > t->deadline_ms;
}

static int connect_to(struct table *t, sqlite3 **db, struct tkt_err *err)
{
    int rc = sqlite3_open_v2(t->conf->database, db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK) {
        return fail(*db, rc, t->conf->database, err);
    }
    (void)sqlite3_busy_timeout(*db, (int)t->conf->timeout_ms); /* takes any number */
    (void)sqlite3_limit(*db, SQLITE_LIMIT_ATTACHED, 0);        /* returns the old one */
    t->deadline_ms = tkt_clock_mono_ms() + t->conf->timeout_ms;
    sqlite3_progress_handler(*db, STEPS_A_LOOK, is_late, t);
    return 0;
}

static int prepare(struct table *t, sqlite3 *db, sqlite3_stmt **st, struct tkt_err *err)
{
    int rc = sqlite3_prepare_v2(db, tkt_buf_str(&t->query), -1, st, NULL);

    if (rc != SQLITE_OK) {
        return fail(db, rc, "query", err);
    }
    return *st != NULL && sqlite3_stmt_readonly(*st)
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "query: it must only read");
}

static int read_rows(struct table *t, sqlite3_stmt *st, struct tkt_directory_form *form,
                     int *rc)
{
    int rows = 0;

    while (rows < TKT_DIRECTORY_ROWS_MAX && (*rc = sqlite3_step(st)) == SQLITE_ROW) {
        rows++;
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            const char *text = (const char *)sqlite3_column_text(st, i);
            if (text != NULL) {
                tkt_form_cell(form, &t->names, sqlite3_column_name(st, i), text,
                              (size_t)sqlite3_column_bytes(st, i));
            }
        }
    }
    return rows;
}

static int lookup(void *state, const char *address, struct tkt_directory_form *form,
                  struct tkt_err *err)
{
    struct table *t = state;
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int found = -1;

    if (connect_to(t, &db, err) == 0 && prepare(t, db, &st, err) == 0) {
        int rc = sqlite3_bind_text(st, 1, address, -1, SQLITE_STATIC);
        if (rc == SQLITE_OK) {
            rc = SQLITE_DONE;
            found = read_rows(t, st, form, &rc) > 0;
        }
        if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
            found = fail(db, rc, "query", err);
        }
    }
    (void)sqlite3_finalize(st); /* repeats what step said */
    (void)sqlite3_close(db);    /* nothing is open: cannot fail */
    return found;
}

static int test(void *state, struct tkt_buf *text, struct tkt_err *err)
{
    struct table *t = state;
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int rc = connect_to(t, &db, err) < 0 ? -1 : prepare(t, db, &st, err);

    if (rc == 0) {
        (void)tkt_buf_addf(text, "%s: the query gives %d columns", /* cut */
                           t->conf->database, sqlite3_column_count(st));
    }
    (void)sqlite3_finalize(st); /* it was not run */
    (void)sqlite3_close(db);    /* nothing is open: cannot fail */
    return rc;
}

const struct tkt_directory_ops tkt_directory_sqlite_ops =
    TKT_DIRECTORY_OPS(TKT_DIRECTORY_SQLITE, open_table, close_table, lookup, test);
