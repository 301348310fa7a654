/* SPDX-License-Identifier: BSD-2-Clause
 * An HR database behind ODBC. Built only --with-odbc: what a driver does with our process,
 * its locks and its time is the driver's business.
 */
#include "directory/form.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/util.h"
#include "secret/secret.h"

#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_MAX (64 * 1024)
#define STRING_MAX 8192 /* of a connection string with its password */
#define CELL_MAX 65536
#define IDLE_MS 60000

struct source {
    const struct tkt_conf_directory *conf;
    struct tkt_form_names names;
    struct tkt_buf query;
    int marks; /* parameters in it */
    SQLHENV env;
    SQLHDBC dbc; /* NULL: not connected */
    int64_t used_ms;
};

static void disconnect(struct source *s)
{
    if (s->dbc != NULL) {
        (void)SQLDisconnect(s->dbc); /* it is over either way */
        (void)SQLFreeHandle(SQL_HANDLE_DBC, s->dbc);
        s->dbc = NULL;
    }
}

static void close_source(void *state)
{
    struct source *s = state;

    disconnect(s);
    if (s->env != NULL) {
        (void)SQLFreeHandle(SQL_HANDLE_ENV, s->env); /* nothing is connected */
    }
    tkt_buf_release(&s->query);
    free(s);
}

static int open_source(const struct tkt_conf_directory *conf, void **state,
                       struct tkt_err *err)
{
    struct source *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    s->conf = conf;
    tkt_buf_init(&s->query, QUERY_MAX);
    s->marks = tkt_form_query(conf->query, "?", &s->query);
    if (s->marks < 0 ||
        tkt_form_names_make(conf, tkt_form_table_names, &s->names, err) < 0) {
        close_source(s);
        return -1;
    }
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &s->env)) ||
        !SQL_SUCCEEDED(
            SQLSetEnvAttr(s->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0))) {
        close_source(s);
        return tkt_err_set(err, TKT_ERR_TEMP, "ODBC cannot be set up");
    }
    *state = s;
    return 0;
}

/* Wrong SQL, rights, names and drivers are ours; the rest may pass. */
static int fail(SQLSMALLINT kind, SQLHANDLE handle, const char *what, struct tkt_err *err)
{
    SQLCHAR state[6] = "";
    SQLCHAR text[300] = "";
    SQLSMALLINT n = 0;

    (void)SQLGetDiagRec(kind, handle, 1, state, NULL, text, sizeof(text), &n); /* or "" */
    bool ours = strncmp((const char *)state, "42", 2) == 0 ||
                strncmp((const char *)state, "28", 2) == 0 ||
                strncmp((const char *)state, "IM", 2) == 0;
    return tkt_err_set(err, ours ? TKT_ERR_CONF : TKT_ERR_TEMP, "%s: %s", what,
                       (const char *)text);
}

static int connect_with(struct source *s, const struct tkt_secret *secret,
                        struct tkt_err *err)
{
    char text[STRING_MAX];
    SQLULEN seconds = (SQLULEN)TKT_MAX(1, s->conf->timeout_ms / 1000);

    /* A brace in it would end the value. */
    if (secret->data != NULL && strpbrk(secret->data, "{}") != NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "password: braces are not possible here");
    }
    int n = secret->data != NULL ? snprintf(text, sizeof(text), "%s;PWD={%s}",
                                            s->conf->database, secret->data)
                                 : snprintf(text, sizeof(text), "%s", s->conf->database);
    if (n < 0 || (size_t)n >= sizeof(text)) {
        return tkt_err_set(err, TKT_ERR_CONF, "database: too long");
    }
    (void)SQLSetConnectAttr(s->dbc, SQL_ATTR_LOGIN_TIMEOUT, /* drivers may lack it */
                            (SQLPOINTER)seconds, 0);
    (void)SQLSetConnectAttr(s->dbc, SQL_ATTR_CONNECTION_TIMEOUT, /* the same */
                            (SQLPOINTER)seconds, 0);
    (void)SQLSetConnectAttr(s->dbc, SQL_ATTR_ACCESS_MODE, /* the same */
                            (SQLPOINTER)SQL_MODE_READ_ONLY, 0);
    SQLRETURN rc = SQLDriverConnect(s->dbc, NULL, (SQLCHAR *)text, SQL_NTS, NULL, 0, NULL,
                                    SQL_DRIVER_NOPROMPT);
    tkt_wipe(text, sizeof(text));
    return SQL_SUCCEEDED(rc) ? 0 : fail(SQL_HANDLE_DBC, s->dbc, "connect", err);
}

static int connect_to(struct source *s, struct tkt_err *err)
{
    TKT_AUTO_SECRET struct tkt_secret secret = TKT_SECRET_INIT;

    if (s->dbc != NULL && tkt_clock_mono_ms() - s->used_ms > IDLE_MS) {
        disconnect(s);
    }
    if (s->dbc != NULL) {
        return 0;
    }
    if (s->conf->password[0] != '\0' &&
        tkt_secret_get(s->conf->password, &secret, err) < 0) {
        return tkt_err_prefix(err, "password");
    }
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, s->env, &s->dbc))) {
        s->dbc = NULL;
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    if (connect_with(s, &secret, err) < 0) {
        (void)SQLFreeHandle(SQL_HANDLE_DBC, s->dbc); /* it was never connected */
        s->dbc = NULL;
        return -1;
    }
    return 0;
}

static int take_row(struct source *s, SQLHSTMT st, SQLSMALLINT columns, char *room,
                    struct tkt_directory_form *form)
{
    for (SQLSMALLINT i = 1; i <= columns; i++) {
        SQLCHAR name[256] = "";
        SQLLEN n = 0;
        SQLRETURN rc = SQLGetData(st, (SQLUSMALLINT)i, SQL_C_CHAR, room, CELL_MAX, &n);

        if (!SQL_SUCCEEDED(rc) ||
            !SQL_SUCCEEDED(SQLDescribeCol(st, (SQLUSMALLINT)i, name, sizeof(name), NULL,
                                          NULL, NULL, NULL, NULL))) {
            return -1;
        }
        if (n != SQL_NULL_DATA) {
            tkt_form_cell(form, &s->names, (const char *)name, room, strlen(room));
        }
    }
    return 0;
}

static int read_rows(struct source *s, SQLHSTMT st, struct tkt_directory_form *form,
                     struct tkt_err *err)
{
    TKT_AUTO_FREE char *room = malloc(CELL_MAX);
    SQLSMALLINT columns = 0;
    SQLRETURN rc;
    int rows = 0;

    if (room == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    if (!SQL_SUCCEEDED(SQLNumResultCols(st, &columns))) {
        return fail(SQL_HANDLE_STMT, st, "query", err);
    }
    while (rows < TKT_DIRECTORY_ROWS_MAX && SQL_SUCCEEDED(rc = SQLFetch(st))) {
        rows++;
        if (take_row(s, st, columns, room, form) < 0) {
            return fail(SQL_HANDLE_STMT, st, "answer", err);
        }
    }
    return rows > 0 || rc == SQL_NO_DATA ? rows > 0
                                         : fail(SQL_HANDLE_STMT, st, "answer", err);
}

static int ask(struct source *s, const char *address, struct tkt_directory_form *form,
               struct tkt_err *err)
{
    SQLULEN seconds = (SQLULEN)TKT_MAX(1, s->conf->timeout_ms / 1000);
    SQLHSTMT st = NULL;
    SQLLEN n = SQL_NTS;
    int found;

    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, s->dbc, &st))) {
        return fail(SQL_HANDLE_DBC, s->dbc, "query", err);
    }
    (void)SQLSetStmtAttr(st, SQL_ATTR_QUERY_TIMEOUT, /* drivers may lack it */
                         (SQLPOINTER)seconds, 0);
    SQLRETURN rc = SQLPrepare(st, (SQLCHAR *)s->query.data, SQL_NTS);
    for (int i = 1; SQL_SUCCEEDED(rc) && i <= s->marks; i++) {
        rc = SQLBindParameter(st, (SQLUSMALLINT)i, SQL_PARAM_INPUT, SQL_C_CHAR,
                              SQL_VARCHAR, TKT_DIRECTORY_ADDRESS_MAX, 0,
                              (SQLPOINTER)(uintptr_t)address, 0, &n);
    }
    rc = SQL_SUCCEEDED(rc) ? SQLExecute(st) : rc;
    found = SQL_SUCCEEDED(rc)   ? read_rows(s, st, form, err)
            : rc == SQL_NO_DATA ? 0
                                : fail(SQL_HANDLE_STMT, st, "query", err);
    (void)SQLFreeHandle(SQL_HANDLE_STMT, st); /* what it said was taken */
    return found;
}

static int lookup(void *state, const char *address, struct tkt_directory_form *form,
                  struct tkt_err *err)
{
    struct source *s = state;

    for (;;) {
        bool was_open = s->dbc != NULL;

        tkt_form_restart(form);
        int rc = connect_to(s, err);
        rc = rc < 0 ? -1 : ask(s, address, form, err);
        if (rc >= 0) {
            s->used_ms = tkt_clock_mono_ms();
            return rc;
        }
        disconnect(s);
        if (!was_open || err->class != TKT_ERR_TEMP) {
            return -1;
        }
    }
}

static int test(void *state, struct tkt_buf *text, struct tkt_err *err)
{
    struct source *s = state;
    SQLHSTMT st = NULL;
    int rc = -1;

    disconnect(s);
    if (connect_to(s, err) < 0) {
        return -1;
    }
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, s->dbc, &st)) ||
        !SQL_SUCCEEDED(SQLPrepare(st, (SQLCHAR *)s->query.data, SQL_NTS))) {
        (void)fail(SQL_HANDLE_STMT, st, "query", err); /* always -1 */
    } else {
        (void)tkt_buf_adds(text, "connected, and the query was taken"); /* cut */
        rc = 0;
    }
    if (st != NULL) {
        (void)SQLFreeHandle(SQL_HANDLE_STMT, st); /* it was not run */
    }
    disconnect(s);
    return rc;
}

const struct tkt_directory_ops tkt_directory_odbc_ops =
    TKT_DIRECTORY_OPS(TKT_DIRECTORY_ODBC, open_source, close_source, lookup, test);
