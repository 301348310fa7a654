/* SPDX-License-Identifier: BSD-2-Clause
 * The seam below the store: one connection to one SQL engine. Private to common/store.
 *
 * All statements live in sql.h and are prepared once a connection. A second engine is a
 * second db.c. A connection belongs to one thread. Errors: TEMP (I/O, full, locked,
 * memory, damaged file), PERM (constraint), BUG (wrong SQL). After an error that leaves
 * the connection in doubt tkt_db_failed() stays true: close it and open another.
 */
#ifndef TKT_STORE_DB_H
#define TKT_STORE_DB_H
#include "base/err.h"
#include "store/sql.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tkt_db;
struct tkt_row { /* a query under way */
    struct tkt_db *db;
    void *stmt;
};
#define TKT_ROW_INIT                                                                     \
    {                                                                                    \
        NULL, NULL                                                                       \
    }
#define TKT_AUTO_ROW __attribute__((cleanup(tkt_row_end)))

enum tkt_db_mode {
    TKT_DB_READ,
    TKT_DB_WRITE
};

/* WRITE creates the file if it is missing. */
struct tkt_db *tkt_db_open(const char *path, enum tkt_db_mode mode, struct tkt_err *err);
/* in_doubt: give up without touching the files again. */
void tkt_db_close(struct tkt_db **db, bool in_doubt);
bool tkt_db_failed(const struct tkt_db *db);
bool tkt_db_in_transaction(const struct tkt_db *db);
/* Moves the log into the database. truncate: and gives its space back. 0; 1 when readers
 * still need some of it; -1. */
int tkt_db_checkpoint(struct tkt_db *db, bool truncate, struct tkt_err *err);
/* Pages of the log after the last commit. */
int tkt_db_log_pages(const struct tkt_db *db);
/* Copies the whole database as it is now into a new file. */
int tkt_db_copy(struct tkt_db *db, const char *path, struct tkt_err *err);

/* Several statements without values; for schemas and pragmas. */
int tkt_db_script(struct tkt_db *db, const char *sql, struct tkt_err *err);

/* types, one letter a value: i int64_t, d int, s text (NULL is NULL), t text of
 * the outside (cut at 2,000 bytes, "" is NULL), b blob (pointer,
 * size_t; a NULL pointer is NULL). Values are borrowed until the statement is done. */
int tkt_db_run(struct tkt_db *db, enum tkt_sql sql, struct tkt_err *err,
               const char *types, ...); /* rows changed, or -1 */
int tkt_db_insert(struct tkt_db *db, enum tkt_sql sql, int64_t *id, struct tkt_err *err,
                  const char *types, ...);
/* 1: first row is there; 0: none; -1. The statement is free again when the row ends, and
 * by itself after 0 and -1. The same statement must not be nested. */
int tkt_db_query(struct tkt_db *db, struct tkt_row *row, enum tkt_sql sql,
                 struct tkt_err *err, const char *types, ...);
int tkt_row_next(struct tkt_row *row, struct tkt_err *err);
void tkt_row_end(struct tkt_row *row);
int64_t tkt_row_int(const struct tkt_row *row, int col);
const char *tkt_row_text(const struct tkt_row *row, int col); /* NULL reads as "" */
const void *tkt_row_blob(const struct tkt_row *row, int col, size_t *n);
bool tkt_row_null(const struct tkt_row *row, int col);
/* One integer of one row; *out stays as it is when there is no row (0). */
int tkt_db_get_int(struct tkt_db *db, enum tkt_sql sql, int64_t *out, struct tkt_err *err,
                   const char *types, ...);
/* The engine's plan of a statement as text, for tests. */
int tkt_db_explain(struct tkt_db *db, enum tkt_sql sql, char *out, size_t n);

#endif
