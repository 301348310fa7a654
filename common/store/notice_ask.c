/* SPDX-License-Identifier: BSD-2-Clause
 * Who was asked and is reminded, and what becomes of all that waits by the clock when that
 * was set back.
 */
#include "store/notice.h"

#include "base/util.h"
#include "store/internal.h"

#include <stdlib.h>

int tkt_store_ask_set(struct tkt_store *s, const struct tkt_store_ask *in,
                      struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_db_run(s->db, SQL_ASK_SET, err, "isiis", in->ticket, in->subscription,
                        in->due_ms, in->left, in->payload) < 0
                 ? -1
                 : 0;
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_ask_drop(struct tkt_store *s, int64_t ticket, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_db_run(s->db, SQL_ASK_DROP, err, "i", ticket) < 0 ||
                     tkt_db_run(s->db, SQL_NOTICES_ASKING, err, "i", ticket) < 0
                 ? -1
                 : 0;
    return tkt_store_leave(s, own, rc, err);
}

/* An answer may have come in since it was read, or another question gone out. */
static int turn(struct tkt_store *s, int64_t ticket, int64_t was_due_ms,
                const struct tkt_store_ask *next, struct tkt_err *err)
{
    struct ticket_row t;
    int n = tkt_ticket_load(s->db, ticket, &t, err);

    if (n < 0) {
        return -1;
    }
    bool waits = n == 1 && t.state == TKT_STATE_PENDING;
    if (!waits || next == NULL) {
        n = tkt_db_run(s->db, SQL_ASK_END, err, "ii", ticket, was_due_ms);
    } else {
        n = tkt_db_run(s->db, SQL_ASK_TURN, err, "iiii", ticket, was_due_ms, next->due_ms,
                       next->left);
    }
    return n < 0 ? -1 : waits && n == 1;
}

int tkt_store_ask_turn(struct tkt_store *s, int64_t ticket, int64_t was_due_ms,
                       const struct tkt_store_ask *next, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = turn(s, ticket, was_due_ms, next, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- the clock was set back ------------------------------------------------------------ */

struct late {
    int64_t id;
    int64_t due_ms;
};

/* Collected first: what is looked through must not be changed below it. */
static int collect(struct tkt_store *s, enum tkt_sql sql,
                   const struct tkt_store_latest *latest, int64_t now_ms,
                   struct late *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(s->db, &row, sql, err, "id", now_ms, TKT_STORE_BACK_AT_ONCE);

    for (; n == 1 && count < TKT_STORE_BACK_AT_ONCE; n = tkt_row_next(&row, err)) {
        int64_t due_ms =
            sql == SQL_NOTICES_AHEAD
                ? latest->notice(latest->arg, tkt_row_text(&row, 2))
                : latest->ask(latest->arg, tkt_row_text(&row, 2), tkt_row_int(&row, 3));
        if (due_ms < tkt_row_int(&row, 1)) {
            out[count++] = (struct late){tkt_row_int(&row, 0), due_ms};
        }
    }
    return n < 0 ? -1 : count;
}

static int bring_back(struct tkt_store *s, enum tkt_sql find, enum tkt_sql change,
                      const struct tkt_store_latest *latest, int64_t now_ms,
                      struct tkt_err *err)
{
    TKT_AUTO_FREE struct late *rows = calloc(TKT_STORE_BACK_AT_ONCE, sizeof(*rows));
    int count = rows != NULL ? collect(s, find, latest, now_ms, rows, err)
                             : tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");

    for (int i = 0; i < count; i++) {
        if (tkt_db_run(s->db, change, err, "ii", rows[i].id, rows[i].due_ms) < 0) {
            return -1;
        }
    }
    return count;
}

int tkt_store_notices_back(struct tkt_store *s, const struct tkt_store_latest *latest,
                           int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int n = bring_back(s, SQL_NOTICES_AHEAD, SQL_NOTICE_DUE_SET, latest, now_ms, err);
    int more =
        n < 0 ? -1 : bring_back(s, SQL_ASKS_AHEAD, SQL_ASK_DUE_SET, latest, now_ms, err);
    return tkt_store_leave(s, own, more < 0 ? -1 : 0, err) < 0 ? -1 : n + more;
}
