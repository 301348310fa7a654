/* SPDX-License-Identifier: BSD-2-Clause
 * An HR database in PostgreSQL, by libpq without blocking: every wait has its end.
 */
#include "directory/form.h"

#include "base/clock.h"
#include "base/util.h"
#include "secret/secret.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_MAX (64 * 1024)
#define IDLE_MS 60000

struct server {
    const struct tkt_conf_directory *conf;
    struct tkt_form_names names;
    struct tkt_buf query;
    PGconn *conn; /* NULL: not connected */
    int64_t used_ms;
    int64_t deadline_ms;
};

static int open_server(const struct tkt_conf_directory *conf, void **state,
                       struct tkt_err *err)
{
    struct server *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    s->conf = conf;
    tkt_buf_init(&s->query, QUERY_MAX);
    if (tkt_form_names_make(conf, tkt_form_table_names, &s->names, err) < 0 ||
        tkt_form_query(conf->query, "$1", &s->query) < 0) {
        tkt_buf_release(&s->query);
        free(s);
        return -1;
    }
    *state = s;
    return 0;
}

static void disconnect(struct server *s)
{
    PQfinish(s->conn);
    s->conn = NULL;
}

static void close_server(void *state)
{
    struct server *s = state;

    disconnect(s);
    tkt_buf_release(&s->query);
    free(s);
}

/* The first line of what libpq says. */
static int fail(struct server *s, enum tkt_err_class class, const char *what,
                struct tkt_err *err)
{
    const char *text = s->conn != NULL ? PQerrorMessage(s->conn) : "out of memory";

    return tkt_err_set(err, class, "%s: %.*s", what,
                       (int)TKT_MIN(strcspn(text, "\n"), (size_t)300), text);
}

static void start_clock(struct server *s)
{
    s->deadline_ms = tkt_clock_mono_ms() + s->conf->timeout_ms;
}

static int wait_for(struct server *s, short events, struct tkt_err *err)
{
    struct pollfd p = {.fd = PQsocket(s->conn), .events = events};
    int rc;

    do {
        int64_t left = s->deadline_ms - tkt_clock_mono_ms();
        rc = poll(&p, 1, (int)TKT_MAX(0, left));
    } while (rc < 0 && errno == EINTR);
    return rc > 0 ? 0
                  : tkt_err_set(err, TKT_ERR_TEMP, "no answer within %lld ms",
                                (long long)s->conf->timeout_ms);
}

static int begin(struct server *s, struct tkt_err *err)
{
    TKT_AUTO_SECRET struct tkt_secret secret = TKT_SECRET_INIT;

    if (s->conf->password[0] != '\0' &&
        tkt_secret_get(s->conf->password, &secret, err) < 0) {
        return tkt_err_prefix(err, "password");
    }
    /* What stands behind dbname goes before what its string says. */
    const char *const keys[] = {"dbname", "client_encoding", "fallback_application_name",
                                secret.data != NULL ? "password" : NULL, NULL};
    const char *const values[] = {s->conf->database, "UTF8", "ticketd", secret.data,
                                  NULL};
    s->conn = PQconnectStartParams(keys, values, 1);
    return s->conn != NULL && PQstatus(s->conn) != CONNECTION_BAD
               ? 0
               : fail(s, TKT_ERR_CONF, "connect", err);
}

/* A wrong name or password stays wrong; a host that is not there may come back. */
static enum tkt_err_class class_of_connect(const struct server *s)
{
    return PQconnectionNeedsPassword(s->conn) || PQconnectionUsedPassword(s->conn)
               ? TKT_ERR_CONF
               : TKT_ERR_TEMP;
}

static int run(struct server *s, const char *query, const char *address,
               struct tkt_err *err)
{
    const char *const values[] = {address};
    int sent = PQsendQueryParams(s->conn, query, address != NULL ? 1 : 0, NULL, values,
                                 NULL, NULL, 0);

    if (!sent) {
        return fail(s, TKT_ERR_TEMP, "query", err);
    }
    for (;;) {
        int rc = PQflush(s->conn);
        if (rc == 0) {
            return 0;
        }
        if (rc < 0) {
            return fail(s, TKT_ERR_TEMP, "query", err);
        }
        if (wait_for(s, POLLIN | POLLOUT, err) < 0) {
            return -1;
        }
        (void)PQconsumeInput(s->conn); /* the flush tells */
    }
}

/* The next result, NULL at the end: 0 or -1. */
static int next_result(struct server *s, PGresult **out, struct tkt_err *err)
{
    while (PQisBusy(s->conn)) {
        if (wait_for(s, POLLIN, err) < 0) {
            return -1;
        }
        if (!PQconsumeInput(s->conn)) {
            return fail(s, TKT_ERR_TEMP, "answer", err);
        }
    }
    *out = PQgetResult(s->conn);
    return 0;
}

/* Wrong SQL and missing rights are ours; everything else may pass. */
static int refused(struct server *s, const PGresult *res, struct tkt_err *err)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    bool ours =
        state != NULL && (strncmp(state, "42", 2) == 0 || strncmp(state, "22", 2) == 0 ||
                          strncmp(state, "25", 2) == 0 || strncmp(state, "28", 2) == 0 ||
                          strncmp(state, "3D", 2) == 0);

    return fail(s, ours ? TKT_ERR_CONF : TKT_ERR_TEMP, "query", err);
}

static int drain(struct server *s, struct tkt_err *err)
{
    PGresult *res = NULL;
    int rc = 0;

    while (rc == 0 && next_result(s, &res, err) == 0) {
        if (res == NULL) {
            return 0;
        }
        ExecStatusType status = PQresultStatus(res);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            rc = refused(s, res, err);
        }
        PQclear(res);
    }
    return -1;
}

static int connect_to(struct server *s, struct tkt_err *err)
{
    if (s->conn != NULL && tkt_clock_mono_ms() - s->used_ms > IDLE_MS) {
        disconnect(s);
    }
    start_clock(s);
    if (s->conn != NULL) {
        return 0;
    }
    if (begin(s, err) < 0) {
        return -1;
    }
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (want != PGRES_POLLING_OK) {
        if (want == PGRES_POLLING_FAILED) {
            return fail(s, class_of_connect(s), "connect", err);
        }
        if (wait_for(s, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, err) < 0) {
            return tkt_err_prefix(err, "connect");
        }
        want = PQconnectPoll(s->conn);
    }
    if (PQsetnonblocking(s->conn, 1) != 0) {
        return fail(s, TKT_ERR_TEMP, "connect", err);
    }
    start_clock(s);
    return run(s, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", NULL, err) < 0
               ? -1
               : drain(s, err);
}

static void take_row(struct server *s, const PGresult *res, int row,
                     struct tkt_directory_form *form)
{
    for (int i = 0; i < PQnfields(res); i++) {
        if (!PQgetisnull(res, row, i)) {
            tkt_form_cell(form, &s->names, PQfname(res, i), PQgetvalue(res, row, i),
                          (size_t)PQgetlength(res, row, i));
        }
    }
}

/* Row by row: a query without its condition must not fill our memory. */
static int ask(struct server *s, const char *address, struct tkt_directory_form *form,
               struct tkt_err *err)
{
    PGresult *res = NULL;
    int rows = 0;

    start_clock(s);
    if (run(s, tkt_buf_str(&s->query), address, err) < 0) {
        return -1;
    }
    (void)PQsetSingleRowMode(s->conn); /* refused: all at once */
    for (;;) {
        if (next_result(s, &res, err) < 0) {
            return -1;
        }
        if (res == NULL) {
            return rows > 0;
        }
        ExecStatusType status = PQresultStatus(res);
        int rc = 0;
        if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) {
            for (int i = 0; i < PQntuples(res); i++, rows++) {
                take_row(s, res, i, form);
            }
        } else {
            rc = refused(s, res, err);
        }
        PQclear(res);
        if (rc < 0) {
            return -1;
        }
        if (rows >= TKT_DIRECTORY_ROWS_MAX) {
            disconnect(s); /* the rest is not read */
            return 1;
        }
    }
}

static int lookup(void *state, const char *address, struct tkt_directory_form *form,
                  struct tkt_err *err)
{
    struct server *s = state;

    for (;;) {
        bool was_open = s->conn != NULL;

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
    struct server *s = state;
    PGresult *res = NULL;
    int rc = -1;

    disconnect(s);
    if (connect_to(s, err) == 0) {
        start_clock(s);
        if (PQsendPrepare(s->conn, "", tkt_buf_str(&s->query), 0, NULL) == 0) {
            (void)fail(s, TKT_ERR_TEMP, "query", err); /* always -1 */
        } else if (drain(s, err) == 0 && PQsendDescribePrepared(s->conn, "") == 1 &&
                   next_result(s, &res, err) == 0 && res != NULL) {
            (void)tkt_buf_addf(text, "server %d: the query gives %d columns", /* cut */
                               PQserverVersion(s->conn), PQnfields(res));
            rc = 0;
        }
    }
    PQclear(res);
    disconnect(s);
    return rc;
}

const struct tkt_directory_ops tkt_directory_postgresql_ops =
    TKT_DIRECTORY_OPS(TKT_DIRECTORY_POSTGRESQL, open_server, close_server, lookup, test);
