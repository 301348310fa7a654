/* SPDX-License-Identifier: BSD-2-Clause
 * Mail of one key that joins a ticket. The row of a key lives until its window is over;
 * what it says is only looked at and written by the one writer, so two mails of one key
 * in one batch are one ticket as well.
 */
#include "base/util.h"
#include "store/internal.h"

/* What a stranger's mail may still stand in. */
static bool takes_more(const struct ticket_row *t)
{
    switch (t->state) {
    case TKT_STATE_RESERVED:
    case TKT_STATE_NEW:
    case TKT_STATE_OPEN:
    case TKT_STATE_PENDING:
    case TKT_STATE_RESOLVED:
        return (t->flags & T_ERASED) == 0;
    case TKT_STATE_CLOSED:
    case TKT_STATE_WITHDRAWN:
    case TKT_STATE_REFUSED:
    case TKT_STATE_MERGED:
    case TKT_STATE_COUNT:
        break;
    }
    return false;
}

int tkt_join_find(struct tkt_store *s, int64_t desk, const struct tkt_store_join *j,
                  int64_t now_ms, struct ticket_row *t, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_JOIN_FIND, err, "bii", j->key, sizeof(j->key),
                         desk, now_ms);

    if (n <= 0) {
        return n;
    }
    int64_t ticket = j->into != 0 ? j->into : tkt_row_int(&row, 0);
    int64_t count = tkt_row_int(&row, 1);
    tkt_row_end(&row);
    if (count < j->after) {
        return 0;
    }
    n = tkt_ticket_load(s->db, ticket, t, err);
    if (n <= 0) {
        return n;
    }
    if (tkt_ticket_follow(s->db, t, err) < 0) {
        return -1;
    }
    return takes_more(t) && t->desk == desk;
}

int tkt_join_count(struct tkt_store *s, int64_t desk, const struct tkt_store_join *j,
                   int64_t ticket, int64_t now_ms, struct tkt_err *err)
{
    return tkt_db_run(s->db, SQL_JOIN_SET, err, "biiii", j->key, sizeof(j->key), desk,
                      ticket, now_ms + j->window_ms, now_ms) < 0
               ? -1
               : 0;
}

int tkt_join_flags(const struct tkt_store_join *j, const struct ticket_row *t)
{
    switch (j->effect) {
    case TKT_EFFECT_NONE:
        return M_JOINED | M_COPY | (t->state == TKT_STATE_RESOLVED ? M_REOPENS : 0);
    case TKT_EFFECT_UNVERIFIED:
        return M_JOINED | M_COPY | M_UNVERIFIED | M_INTERNAL;
    case TKT_EFFECT_OVER:
        break;
    case TKT_EFFECT_COMMENT:
        return M_JOINED | M_INTERNAL;
    case TKT_EFFECT_RESOLVE:
        return M_JOINED | M_INTERNAL | M_RESOLVES;
    }
    return M_JOINED | M_COPY;
}

int tkt_store_joins_expire(struct tkt_store *s, int64_t now_ms, int max,
                           struct tkt_err *err)
{
    return tkt_db_run(s->db, SQL_JOINS_EXPIRE, err, "id", now_ms, max);
}
