/* SPDX-License-Identifier: BSD-2-Clause
 * The states of a ticket and the one function that moves it.
 */
#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>

#define BIT(state) (1u << TKT_STATE_##state)

static const struct {
    const char *name;
    unsigned next; /* states it may move to */
} table[] = {
    [TKT_STATE_RESERVED] = {"reserved", BIT(NEW) | BIT(WITHDRAWN)},
    [TKT_STATE_NEW] = {"new", BIT(OPEN) | BIT(PENDING) | BIT(RESOLVED) | BIT(CLOSED) |
                                  BIT(MERGED)},
    [TKT_STATE_OPEN] = {"open", BIT(PENDING) | BIT(RESOLVED) | BIT(CLOSED) | BIT(MERGED)},
    [TKT_STATE_PENDING] = {"pending",
                           BIT(OPEN) | BIT(RESOLVED) | BIT(CLOSED) | BIT(MERGED)},
    [TKT_STATE_RESOLVED] = {"resolved", BIT(OPEN) | BIT(CLOSED) | BIT(MERGED)},
    [TKT_STATE_CLOSED] = {"closed", BIT(OPEN) | BIT(MERGED)},
    [TKT_STATE_WITHDRAWN] = {"withdrawn", BIT(RESERVED)},
    [TKT_STATE_REFUSED] = {"refused", BIT(OPEN)}, /* by a person's hand */
    [TKT_STATE_MERGED] = {"merged", 0},
};

const char *tkt_store_state_name(enum tkt_ticket_state state)
{
    return (size_t)state < TKT_ARRAY_LEN(table) ? table[state].name : "unknown";
}

int tkt_ticket_state_parse(const char *name)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(table); i++) {
        if (tkt_ascii_ieq(table[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

bool tkt_ticket_may_move(enum tkt_ticket_state from, enum tkt_ticket_state to)
{
    return (size_t)from < TKT_ARRAY_LEN(table) && (table[from].next & (1u << to)) != 0;
}

static const char *event_of(enum tkt_ticket_state from, enum tkt_ticket_state to)
{
    if (to == TKT_STATE_OPEN &&
        (from == TKT_STATE_RESOLVED || from == TKT_STATE_CLOSED)) {
        return "ticket.reopened";
    }
    switch (to) {
    case TKT_STATE_RESERVED:
        return "ticket.revived";
    case TKT_STATE_NEW:
        return "ticket.confirmed";
    case TKT_STATE_OPEN:
        return "ticket.opened";
    case TKT_STATE_PENDING:
        return "ticket.pending";
    case TKT_STATE_RESOLVED:
        return "ticket.resolved";
    case TKT_STATE_CLOSED:
        return "ticket.closed";
    case TKT_STATE_WITHDRAWN:
        return "ticket.withdrawn";
    case TKT_STATE_REFUSED:
        return "ticket.refused";
    case TKT_STATE_MERGED:
        return "ticket.merged";
    default:
        break;
    }
    return "ticket.moved";
}

int tkt_ticket_move(struct tkt_store *s, struct ticket_row *t, enum tkt_ticket_state to,
                    const char *who, const char *reason, int64_t now_ms,
                    struct tkt_err *err)
{
    enum tkt_ticket_state from = t->state;
    /* What retention counts from. */
    bool ends = to == TKT_STATE_CLOSED || to == TKT_STATE_WITHDRAWN ||
                to == TKT_STATE_REFUSED || to == TKT_STATE_MERGED;

    if (!tkt_ticket_may_move(from, to)) {
        return tkt_err_set(err, TKT_ERR_BUG, "store: %s: illegal move from %s to %s",
                           t->name, tkt_store_state_name(from), tkt_store_state_name(to));
    }
    int n = ends ? tkt_db_run(s->db, SQL_TICKET_STATE, err, "idii", t->id, (int)to,
                              now_ms, now_ms)
                 : tkt_db_run(s->db, SQL_TICKET_STATE, err, "idis", t->id, (int)to,
                              now_ms, (const char *)NULL);
    if (n < 0) {
        return -1;
    }
    int load = (int)tkt_state_in_hand(to) - (int)tkt_state_in_hand(from);
    if (load != 0 && tkt_load_change(s, t->assignee, load, err) < 0) {
        return -1;
    }
    t->state = to;
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "from", tkt_store_state_name(from));
    json_str(b, "to", tkt_store_state_name(to));
    json_str_opt(b, "who", who);
    json_str_opt(b, "reason", reason);
    return tkt_event_end(s, t->id, 0, NULL, event_of(from, to), now_ms, err);
}
