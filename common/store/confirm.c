/* SPDX-License-Identifier: BSD-2-Clause
 * Holds: a hook's claim on a message until its copy is known to be delivered.
 */
#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

/* A copy's create waits so long for what is still to be found out. */
#define COPY_WAIT_MS 10000

struct hold {
    unsigned char token[TOKEN_LEN];
    int64_t ticket;
    int64_t message;
    enum hold_state state;
    char hook[32];
    char rcpt[330];
};

int tkt_message_load(struct tkt_db *db, int64_t id, struct message_row *m,
                     struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;
    int n = tkt_db_query(db, &row, SQL_MESSAGE_LOAD, err, "i", id);

    if (n <= 0) {
        return n;
    }
    m->id = tkt_row_int(&row, 0);
    m->ticket = tkt_row_int(&row, 1);
    m->flags = (int)tkt_row_int(&row, 2);
    const void *p = tkt_row_blob(&row, 3, &len);
    memset(m->sha256, 0, sizeof(m->sha256));
    if (p != NULL && len == sizeof(m->sha256)) {
        memcpy(m->sha256, p, len);
    }
    return 1;
}

/* ---- what a confirmed message does ------------------------------------------------ */

int tkt_ticket_start(struct tkt_store *s, struct ticket_row *t, int64_t message,
                     bool fresh, int64_t now_ms, struct tkt_err *err)
{
    bool analysed = (t->flags & T_ANALYSED) != 0;

    if (t->flags & T_SHADOW) {
        return 0;
    }
    if (tkt_question_ask(s, t, message, now_ms, err) < 0) {
        return -1;
    }
    /* Both in the ITSM's lane: the create waits, and whatever is appended meanwhile
     * waits behind it. */
    if (!analysed && tkt_job_insert(s, t->id, message, "reanalyse", t->itsm, NULL, fresh,
                                    now_ms, now_ms, err) < 0) {
        return -1;
    }
    bool enrich = analysed && (t->flags & T_ENRICH) != 0;
    if (enrich && tkt_job_insert(s, t->id, message, "enrich", t->itsm, NULL, fresh,
                                 now_ms, now_ms, err) < 0) {
        return -1;
    }
    bool refine = analysed && (t->flags & T_REFINE) != 0;
    if (refine && tkt_job_insert(s, t->id, message, "refine", t->itsm, NULL,
                                 fresh && !enrich, now_ms, now_ms, err) < 0) {
        return -1;
    }
    /* In a lane of its own: it waits for nobody, but what is found out meanwhile is in it
     * already. */
    int64_t copy_ms = analysed && !enrich && !refine ? now_ms : now_ms + COPY_WAIT_MS;
    if (tkt_copy_insert(s, t, message, "create", NULL, copy_ms, now_ms, err) < 0) {
        return -1;
    }
    /* The store itself is the desk: the ticket is where it belongs already. */
    if (t->flags & T_LOCAL) {
        return 0;
    }
    if (tkt_job_insert(s, t->id, message, "create", t->itsm, NULL,
                       fresh && analysed && !enrich && !refine, now_ms, now_ms,
                       err) < 0) {
        return -1;
    }
    return (t->flags & T_NOTED) != 0 ? tkt_note_send(s, t, now_ms, err) : 0;
}

/* Somebody answers a ticket whose own message is still held: it was delivered. */
static int confirm_first(struct tkt_store *s, struct ticket_row *t, int64_t now_ms,
                         struct tkt_err *err)
{
    struct message_row first;
    int64_t id = 0;

    if (tkt_db_get_int(s->db, SQL_MESSAGE_FIRST, &id, err, "i", t->id) != 1 ||
        tkt_message_load(s->db, id, &first, err) != 1) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: %s has no message", t->name);
    }
    return tkt_message_confirmed(s, t, &first, now_ms, err);
}

static int append_effects(struct tkt_store *s, struct ticket_row *t,
                          const struct message_row *m, int64_t now_ms,
                          struct tkt_err *err)
{
    if (t->state == TKT_STATE_RESERVED && !(m->flags & M_UNVERIFIED) &&
        confirm_first(s, t, now_ms, err) < 0) {
        return -1;
    }
    bool ended = t->state == TKT_STATE_RESOLVED || t->state == TKT_STATE_CLOSED;
    bool reopens = (m->flags & M_REOPENS) && ended;
    bool wakes = (m->flags & M_CHANGES) && t->state == TKT_STATE_PENDING;

    bool resolves =
        (m->flags & M_RESOLVES) && tkt_ticket_may_move(t->state, TKT_STATE_RESOLVED);

    if ((reopens || wakes) &&
        tkt_ticket_move(s, t, TKT_STATE_OPEN, "",
                        m->flags & M_JOINED ? "it came again" : "answer received", now_ms,
                        err) < 0) {
        return -1;
    }
    if (resolves &&
        tkt_ticket_move(s, t, TKT_STATE_RESOLVED, "", "it is over", now_ms, err) < 0) {
        return -1;
    }
    const char *payload =
        (m->flags & M_INTERNAL) ? "{\"public\":false}" : "{\"public\":true}";

    if ((m->flags & M_COPY) || t->state == TKT_STATE_RESERVED) {
        return 0;
    }
    if (tkt_copy_insert(s, t, m->id, "comment", payload, now_ms, now_ms, err) < 0) {
        return -1;
    }
    if (t->flags & (T_LOCAL | T_SHADOW)) {
        return 0;
    }
    return tkt_job_insert(s, t->id, m->id, "comment", t->itsm, payload, false, now_ms,
                          now_ms, err);
}

int tkt_message_confirmed(struct tkt_store *s, struct ticket_row *t,
                          struct message_row *m, int64_t now_ms, struct tkt_err *err)
{
    if (m->flags & M_CONFIRMED) {
        return 0;
    }
    m->flags = (m->flags | M_CONFIRMED) & ~M_WITHDRAWN;
    if (tkt_db_run(s->db, SQL_MESSAGE_FLAGS, err, "id", m->id, m->flags) < 0) {
        return -1;
    }
    if (!(m->flags & M_FIRST)) {
        return append_effects(s, t, m, now_ms, err);
    }
    if (t->state == TKT_STATE_WITHDRAWN &&
        tkt_ticket_move(s, t, TKT_STATE_RESERVED, "", "delivered after all", now_ms,
                        err) < 0) {
        return -1;
    }
    if (t->state != TKT_STATE_RESERVED) { /* a split-off or refused one: nothing starts */
        return 0;
    }
    t->flags |= T_CONFIRMED;
    if (tkt_db_run(s->db, SQL_TICKET_FLAGS, err, "id", t->id, t->flags) < 0 ||
        tkt_ticket_move(s, t, TKT_STATE_NEW, "", "", now_ms, err) < 0) {
        return -1;
    }
    return tkt_ticket_start(s, t, m->id, false, now_ms, err);
}

/* ---- holds ------------------------------------------------------------------------ */

int tkt_hold_add(struct tkt_store *s, int64_t ticket, int64_t message, const char *hook,
                 const char *rcpt, int64_t now_ms, char out[33], struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    unsigned char token[TOKEN_LEN];
    size_t len = 0;

    int n = tkt_db_query(s->db, &row, SQL_HOLD_SAME, err, "iiss", ticket, message, hook,
                         rcpt);
    if (n < 0) {
        return -1;
    }
    if (n == 1) {
        const void *p = tkt_row_blob(&row, 0, &len);
        if (p == NULL || len != TOKEN_LEN) {
            return tkt_err_set(err, TKT_ERR_TEMP, "store: a hold is damaged");
        }
        memcpy(token, p, TOKEN_LEN);
        tkt_row_end(&row);
        n = tkt_db_run(s->db, SQL_HOLD_AGAIN, err, "bi", token, sizeof(token), now_ms);
    } else {
        tkt_random(token, sizeof(token));
        n = tkt_db_run(s->db, SQL_HOLD_ADD, err, "biissii", token, sizeof(token), ticket,
                       message, hook, rcpt, now_ms, now_ms);
    }
    tkt_hex_encode(token, sizeof(token), out);
    return n < 0 ? -1 : 0;
}

static int find_hold(struct tkt_store *s, const char *text, struct hold *h,
                     struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = 0;

    if (tkt_hex_decode(text, strlen(text), h->token, sizeof(h->token)) == TOKEN_LEN) {
        n = tkt_db_query(s->db, &row, SQL_HOLD_FIND, err, "b", h->token,
                         sizeof(h->token));
    }
    if (n <= 0) {
        return n < 0 ? -1 : tkt_err_set(err, TKT_ERR_PERM, "unknown hold %.40s", text);
    }
    h->ticket = tkt_row_int(&row, 0);
    h->message = tkt_row_int(&row, 1);
    h->state = (enum hold_state)tkt_row_int(&row, 2);
    snprintf(h->hook, sizeof(h->hook), "%s", tkt_row_text(&row, 3));
    snprintf(h->rcpt, sizeof(h->rcpt), "%s", tkt_row_text(&row, 4));
    return 0;
}

static int load_held(struct tkt_store *s, const struct hold *h, struct ticket_row *t,
                     struct message_row *m, struct tkt_err *err)
{
    if (tkt_ticket_load(s->db, h->ticket, t, err) != 1 ||
        tkt_message_load(s->db, h->message, m, err) != 1) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: a hold names no message");
    }
    return 0;
}

static int move_hold(struct tkt_store *s, const struct hold *h, enum hold_state to,
                     const char *kind, bool untagged, int64_t now_ms, struct tkt_err *err)
{
    if (tkt_db_run(s->db, SQL_HOLD_STATE, err, "bdi", h->token, sizeof(h->token), (int)to,
                   now_ms) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "hook", h->hook);
    json_str(b, "rcpt", h->rcpt);
    if (untagged) {
        json_bool(b, "untagged", 1);
    }
    return tkt_event_end(s, h->ticket, h->message, NULL, kind, now_ms, err);
}

static int confirm(struct tkt_store *s, const char *text, bool untagged, const char *kind,
                   int64_t now_ms, struct tkt_err *err)
{
    struct hold h;
    struct ticket_row t;
    struct message_row m;

    if (find_hold(s, text, &h, err) < 0) {
        return -1;
    }
    if (h.state == HOLD_CONFIRMED) {
        return 0;
    }
    if (load_held(s, &h, &t, &m, err) < 0 ||
        move_hold(s, &h, HOLD_CONFIRMED, kind, untagged, now_ms, err) < 0) {
        return -1;
    }
    return tkt_message_confirmed(s, &t, &m, now_ms, err);
}

/* The last hold of a message that nobody ever confirmed is gone. */
static int withdraw(struct tkt_store *s, struct ticket_row *t, struct message_row *m,
                    int64_t now_ms, struct tkt_err *err)
{
    int64_t alive = 0;

    if (tkt_db_run(s->db, SQL_MESSAGE_FLAGS, err, "id", m->id, m->flags | M_WITHDRAWN) <
            0 ||
        tkt_db_get_int(s->db, SQL_MESSAGES_ALIVE, &alive, err, "i", t->id) < 0) {
        return -1;
    }
    if (alive > 0 || t->state != TKT_STATE_RESERVED) {
        return 0;
    }
    return tkt_ticket_move(s, t, TKT_STATE_WITHDRAWN, "", "every hook took it back",
                           now_ms, err);
}

static int cancel(struct tkt_store *s, const char *text, int64_t now_ms,
                  struct tkt_err *err)
{
    struct hold h;
    struct ticket_row t;
    struct message_row m;
    int64_t open = 0;

    if (find_hold(s, text, &h, err) < 0) {
        return -1;
    }
    if (h.state != HOLD_OPEN) { /* again, or too late: what was confirmed stays */
        return 0;
    }
    if (load_held(s, &h, &t, &m, err) < 0 ||
        move_hold(s, &h, HOLD_CANCELLED, "hold.cancelled", false, now_ms, err) < 0 ||
        tkt_db_get_int(s->db, SQL_HOLDS_OPEN, &open, err, "ii", h.ticket, h.message) <
            0) {
        return -1;
    }
    return open > 0 || (m.flags & M_CONFIRMED) ? 0 : withdraw(s, &t, &m, now_ms, err);
}

int tkt_store_confirm(struct tkt_store *s, const char *hold, bool untagged,
                      int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = confirm(s, hold, untagged, "hold.confirmed", now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_cancel(struct tkt_store *s, const char *hold, int64_t now_ms,
                     struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = cancel(s, hold, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

static int confirm_old(struct tkt_store *s, int64_t before_ms, int64_t now_ms, int max,
                       struct tkt_err *err)
{
    int count = 0;

    while (count < max) {
        struct tkt_row row = TKT_ROW_INIT;
        char text[2 * TOKEN_LEN + 1];
        size_t len = 0;
        int n = tkt_db_query(s->db, &row, SQL_HOLDS_OLD, err, "i", before_ms);
        if (n <= 0) {
            return n < 0 ? -1 : count;
        }
        const void *token = tkt_row_blob(&row, 0, &len);
        tkt_hex_encode(token, TKT_MIN(len, (size_t)TOKEN_LEN), text);
        tkt_row_end(&row);
        if (confirm(s, text, false, "hold.timeout", now_ms, err) < 0) {
            return -1;
        }
        count++;
    }
    return count;
}

int tkt_store_confirm_old(struct tkt_store *s, int64_t older_than_ms, int64_t now_ms,
                          int max, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = confirm_old(s, now_ms - older_than_ms, now_ms, max, err);
    return tkt_store_leave(s, own, rc, err);
}
