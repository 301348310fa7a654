/* SPDX-License-Identifier: BSD-2-Clause
 * Changes by people, ITSMs and later analyses.
 */
#include "base/enc.h"
#include "base/util.h"
#include "store/assign.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define COMMENT_MAX (256 * 1024)
#define SPLIT_FLAGS                                                                      \
    (M_REOPENS | M_CHANGES | M_UNVERIFIED | M_INTERNAL | M_COPY | M_PUBLIC | M_JOINED |  \
     M_RESOLVES)

/* ---- fields ----------------------------------------------------------------------- */

static int parse_priority(const char *value, int64_t *out)
{
    static const char *const words[] = {"urgent", "high", "normal", "low", "planning"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (tkt_ascii_ieq(words[i], value)) {
            *out = (int64_t)i + 1;
            return 0;
        }
    }
    return tkt_parse_int(value, 1, 5, out);
}

static const struct field {
    const char *name;
    enum tkt_sql sql;
    int max; /* numbers: 1..max; 0 = text */
} fields[] = {
    {"subject", SQL_SET_SUBJECT, 0},     {"type", SQL_SET_TYPE, 0},
    {"category", SQL_SET_CATEGORY, 0},   {"subcategory", SQL_SET_SUBCATEGORY, 0},
    {"group", SQL_SET_GROUP, 0},         {"assignee", SQL_TICKET_GIVE, 0},
    {"requester", SQL_SET_REQUESTER, 0}, {"tags", SQL_SET_TAGS, 0},
    {"service", SQL_SET_SERVICE, 0},     {"urgency", SQL_SET_URGENCY, 3},
    {"impact", SQL_SET_IMPACT, 3},       {"priority", SQL_SET_PRIORITY, 5},
};

/* By hand: who had this requester is known by that. */
static int set_assignee(struct tkt_store *s, struct ticket_row *t, const char *value,
                        int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;

    if (strlen(value) >= sizeof(t->assignee)) {
        return tkt_err_set(err, TKT_ERR_PERM, "assignee: at most %zu bytes",
                           sizeof(t->assignee) - 1);
    }
    int n = tkt_db_query(s->db, &row, SQL_TICKET_ABOUT, err, "i", t->id);
    if (n < 0 || (n == 1 && tkt_handler_note(s, tkt_row_text(&row, 0), t->group, value,
                                             now_ms, err) < 0)) {
        return -1;
    }
    tkt_row_end(&row);
    return tkt_ticket_give(s, t, t->group, value, false, now_ms, err);
}

static int store_field(struct tkt_store *s, struct ticket_row *t, const struct field *f,
                       const char *value, int64_t now_ms, struct tkt_err *err)
{
    int64_t number = 0;

    if (f->sql == SQL_TICKET_GIVE) {
        return set_assignee(s, t, value, now_ms, err);
    }
    if (f->max == 0) {
        return tkt_db_run(s->db, f->sql, err, "iti", t->id, value, now_ms);
    }
    int bad = f->max == 5 ? parse_priority(value, &number)
                          : tkt_parse_int(value, 1, f->max, &number);
    if (bad) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s: 1 to %d, not '%.40s'", f->name, f->max,
                           value);
    }
    return tkt_db_run(s->db, f->sql, err, "iii", t->id, number, now_ms);
}

static int set_field(struct tkt_store *s, const char *id, const char *field,
                     const char *value, const char *who, int64_t now_ms,
                     struct tkt_err *err)
{
    struct ticket_row t;

    if (tkt_ticket_named(s->db, id, &t, err) < 0) {
        return -1;
    }
    if (strcmp(field, "state") == 0) {
        int to = tkt_ticket_state_parse(value);
        return to < 0 ? tkt_err_set(err, TKT_ERR_PERM, "unknown state %.40s", value)
                      : tkt_store_move(s, id, (enum tkt_ticket_state)to, who, "", now_ms,
                                       err);
    }
    if (strncmp(field, "field:", 6) == 0) {
        return tkt_field_set(s, &t, field + 6, value, who, now_ms, err);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].name, field) != 0) {
            continue;
        }
        if (store_field(s, &t, &fields[i], value, now_ms, err) < 0) {
            return -1;
        }
        struct tkt_buf *b = tkt_event_begin(s);
        json_str(b, "field", field);
        json_str(b, "value", value);
        json_str_opt(b, "who", who);
        return tkt_event_end(s, t.id, 0, NULL, "ticket.set", now_ms, err);
    }
    return tkt_err_set(err, TKT_ERR_PERM, "unknown field %.40s", field);
}

int tkt_store_set(struct tkt_store *s, const char *id, const char *field,
                  const char *value, const char *who, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = set_field(s, id, field, value, who, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

static int move(struct tkt_store *s, const char *id, enum tkt_ticket_state to,
                const char *who, const char *reason, int64_t now_ms, struct tkt_err *err)
{
    struct ticket_row t;
    int64_t first = 0;

    if (tkt_ticket_named(s->db, id, &t, err) < 0) {
        return -1;
    }
    if (to == TKT_STATE_MERGED || to == TKT_STATE_RESERVED || to == TKT_STATE_NEW) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s: nobody moves a ticket to %s by hand",
                           t.name, tkt_store_state_name(to));
    }
    bool was_refused = t.state == TKT_STATE_REFUSED;
    if (tkt_ticket_move(s, &t, to, who, reason, now_ms, err) < 0 ||
        tkt_ticket_touched(s, &t, err) < 0) {
        return -1;
    }
    if (!was_refused) {
        return 0;
    }
    /* A person takes what a policy refused: it goes the way of all tickets. */
    t.flags |= T_CONFIRMED;
    if (tkt_db_run(s->db, SQL_TICKET_FLAGS, err, "id", t.id, t.flags) < 0 ||
        tkt_db_get_int(s->db, SQL_MESSAGE_FIRST, &first, err, "i", t.id) < 0) {
        return -1;
    }
    return tkt_ticket_start(s, &t, first, true, now_ms, err);
}

int tkt_store_move(struct tkt_store *s, const char *id, enum tkt_ticket_state to,
                   const char *who, const char *reason, int64_t now_ms,
                   struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = move(s, id, to, who, reason, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- comments --------------------------------------------------------------------- */

static int add_comment(struct tkt_store *s, const struct ticket_row *t, const char *text,
                       bool is_public, const char *who, int64_t now_ms, int64_t *message,
                       struct tkt_err *err)
{
    unsigned char sha[TKT_SHA256_LEN];
    size_t n = strlen(text);
    int flags = M_COMMENT | M_CONFIRMED | (is_public ? M_PUBLIC : M_INTERNAL);

    if (n == 0 || n > COMMENT_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "a comment has 1 to %d bytes", COMMENT_MAX);
    }
    tkt_sha256(text, n, sha);
    if (tkt_db_insert(s->db, SQL_MESSAGE_ADD, message, err, "iidibtttttttttsb", t->id,
                      now_ms, flags, (int64_t)n, sha, sizeof(sha), "control", "", "", "",
                      who, "", "", "", "", (const char *)NULL, text, n) < 0 ||
        tkt_db_run(s->db, SQL_TICKET_TOUCH, err, "ii", t->id, now_ms) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str_opt(b, "who", who);
    json_bool(b, "public", is_public);
    return tkt_event_end(s, t->id, *message, sha, "ticket.comment", now_ms, err);
}

static int send_comment(struct tkt_store *s, const struct ticket_row *t, int64_t message,
                        bool is_public, int64_t now_ms, struct tkt_err *err)
{
    const char *payload = is_public ? "{\"public\":true}" : "{\"public\":false}";

    if (tkt_copy_insert(s, t, message, "comment", payload, now_ms, now_ms, err) < 0) {
        return -1;
    }
    if (t->flags & (T_LOCAL | T_SHADOW)) {
        return 0;
    }
    return tkt_job_insert(s, t->id, message, "comment", t->itsm, payload, false, now_ms,
                          now_ms, err);
}

static int comment(struct tkt_store *s, const char *id, const char *text, bool is_public,
                   const char *who, int64_t now_ms, struct tkt_err *err)
{
    struct ticket_row t;
    int64_t message = 0;

    if (tkt_ticket_named(s->db, id, &t, err) < 0 ||
        add_comment(s, &t, text, is_public, who, now_ms, &message, err) < 0) {
        return -1;
    }
    /* What a machine wrote is nobody's hand. */
    if (strcmp(who, TKT_BY_LLM) != 0 && tkt_ticket_touched(s, &t, err) < 0) {
        return -1;
    }
    return send_comment(s, &t, message, is_public, now_ms, err);
}

int tkt_note_add(struct tkt_store *s, struct ticket_row *t, const char *text,
                 int64_t now_ms, struct tkt_err *err)
{
    int64_t message = 0;

    t->flags |= T_NOTED;
    return add_comment(s, t, text, false, TKT_BY_LLM, now_ms, &message, err) < 0 ||
                   tkt_db_run(s->db, SQL_TICKET_FLAGS, err, "id", t->id, t->flags) < 0
               ? -1
               : 0;
}

int tkt_note_send(struct tkt_store *s, struct ticket_row *t, int64_t now_ms,
                  struct tkt_err *err)
{
    int64_t message = 0;
    int n = tkt_db_get_int(s->db, SQL_COMMENT_FIRST, &message, err, "id", t->id,
                           (int)M_COMMENT);

    return n <= 0 ? n : send_comment(s, t, message, false, now_ms, err);
}

int tkt_store_comment(struct tkt_store *s, const char *id, const char *text,
                      bool is_public, const char *who, int64_t now_ms,
                      struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = comment(s, id, text, is_public, who, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- merge, split, link ----------------------------------------------------------- */

/* What was still to be sent for `from` goes to its heir as comments. */
static int hand_over_jobs(struct tkt_store *s, const struct ticket_row *from,
                          const struct ticket_row *into, int64_t now_ms,
                          struct tkt_err *err)
{
    struct job_move drop = {.to = JOB_DONE, .due_ms = now_ms, .reason = "merged"};
    bool unsent = false;
    int64_t id = 0;
    int n;

    while ((n = tkt_db_get_int(s->db, SQL_JOB_UNSTARTED, &id, err, "i", from->id)) == 1) {
        struct job_row j;
        if (tkt_job_load(s->db, id, &j, err) != 1 ||
            tkt_job_move(s, &j, &drop, now_ms, err) < 0) {
            return -1;
        }
        unsent = unsent || j.target[0] != '('; /* those are ticketd's own */
    }
    if (n < 0 || !unsent || (into->flags & (T_LOCAL | T_SHADOW))) {
        return n;
    }
    int64_t message = 0;
    for (;;) {
        struct tkt_row row = TKT_ROW_INIT;
        n = tkt_db_query(s->db, &row, SQL_MESSAGE_NEXT, err, "ii", from->id, message);
        if (n <= 0) {
            return n;
        }
        message = tkt_row_int(&row, 0);
        tkt_row_end(&row);
        if (tkt_job_insert(s, into->id, message, "comment", into->itsm,
                           "{\"public\":false,\"merged\":true}", false, now_ms, now_ms,
                           err) < 0) {
            return -1;
        }
    }
}

static int merge(struct tkt_store *s, const char *from_id, const char *into_id,
                 const char *who, int64_t now_ms, struct tkt_err *err)
{
    struct ticket_row from;
    struct ticket_row into;

    if (tkt_ticket_named(s->db, from_id, &from, err) < 0 ||
        tkt_ticket_named(s->db, into_id, &into, err) < 0 ||
        tkt_ticket_follow(s->db, &into, err) < 0) {
        return -1;
    }
    if (from.id == into.id) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s cannot be merged into itself",
                           from.name);
    }
    if (!tkt_ticket_may_move(from.state, TKT_STATE_MERGED) ||
        into.state == TKT_STATE_WITHDRAWN || into.state == TKT_STATE_REFUSED ||
        into.state == TKT_STATE_RESERVED) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s is %s and %s is %s: cannot be merged",
                           from.name, tkt_store_state_name(from.state), into.name,
                           tkt_store_state_name(into.state));
    }
    if (tkt_ticket_move(s, &from, TKT_STATE_MERGED, who, into.name, now_ms, err) < 0 ||
        tkt_db_run(s->db, SQL_TICKET_MERGED, err, "ii", from.id, into.id) < 0 ||
        tkt_db_run(s->db, SQL_PARTICIPANTS_COPY, err, "ii", from.id, into.id) < 0 ||
        tkt_db_run(s->db, SQL_FIELDS_COPY, err, "ii", from.id, into.id) < 0 ||
        tkt_missing_look(s, &into, who, now_ms, err) < 0 ||
        tkt_link_add(s, from.id, into.id, "merged", now_ms, err) < 0 ||
        hand_over_jobs(s, &from, &into, now_ms, err) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "from", from.name);
    json_str_opt(b, "who", who);
    return tkt_event_end(s, into.id, 0, NULL, "ticket.took_over", now_ms, err);
}

int tkt_store_merge(struct tkt_store *s, const char *from, const char *into,
                    const char *who, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = merge(s, from, into, who, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

/* A new ticket of the same desk and routing, born new. */
static int twin(struct tkt_store *s, const struct ticket_row *t, int64_t now_ms,
                struct ticket_row *out, struct tkt_err *err)
{
    unsigned char corr[CORR_LEN];
    int64_t series = 0;
    int64_t number = 0;
    int64_t id = 0;

    tkt_random(corr, sizeof(corr));
    if (tkt_series_next(s, t->prefix, &series, &number, err) < 0 ||
        tkt_db_insert(s->db, SQL_TICKET_COPY, &id, err, "iiddbi", t->id, number,
                      (int)TKT_STATE_NEW, (int)T_CONFIRMED, corr, sizeof(corr),
                      now_ms) < 0) {
        return -1;
    }
    if (tkt_ticket_load(s->db, id, out, err) != 1) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: the new ticket is gone");
    }
    return tkt_load_change(s, out->assignee, 1, err);
}

static int split(struct tkt_store *s, const char *id, int64_t message, const char *who,
                 int64_t now_ms, char out_id[48], struct tkt_err *err)
{
    struct ticket_row t;
    struct ticket_row n;
    struct message_row m;

    if (tkt_ticket_named(s->db, id, &t, err) < 0) {
        return -1;
    }
    int found = tkt_message_load(s->db, message, &m, err);
    if (found < 0) {
        return -1;
    }
    if (found == 0 || m.ticket != t.id || (m.flags & (M_FIRST | M_COMMENT))) {
        return tkt_err_set(
            err, TKT_ERR_PERM,
            "message %" PRId64 " of %s cannot become a ticket: it is %s", message, t.name,
            found == 0 || m.ticket != t.id ? "not there" : "its first one, or a comment");
    }
    int flags = (m.flags & ~SPLIT_FLAGS) | M_FIRST | M_CONFIRMED;
    if (twin(s, &t, now_ms, &n, err) < 0 ||
        tkt_db_run(s->db, SQL_MESSAGE_MOVE, err, "iid", m.id, n.id, flags) < 0 ||
        tkt_db_run(s->db, SQL_KEY_MOVE, err, "ii", m.id, n.id) < 0 ||
        tkt_db_run(s->db, SQL_THREAD_MOVE, err, "iii", m.id, t.id, n.id) < 0 ||
        tkt_db_run(s->db, SQL_FOREIGN_MOVE, err, "iii", m.id, t.id, n.id) < 0 ||
        tkt_db_run(s->db, SQL_PARTICIPANTS_COPY, err, "ii", t.id, n.id) < 0 ||
        tkt_link_add(s, n.id, t.id, "split", now_ms, err) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "from", t.name);
    json_str_opt(b, "who", who);
    if (tkt_event_end(s, n.id, m.id, m.sha256, "ticket.split", now_ms, err) < 0) {
        return -1;
    }
    b = tkt_event_begin(s);
    json_str(b, "into", n.name);
    json_str_opt(b, "who", who);
    if (tkt_event_end(s, t.id, m.id, m.sha256, "message.split_off", now_ms, err) < 0) {
        return -1;
    }
    snprintf(out_id, 48, "%s", n.name);
    return tkt_ticket_start(s, &n, m.id, true, now_ms, err);
}

int tkt_store_split(struct tkt_store *s, const char *id, int64_t message, const char *who,
                    int64_t now_ms, char out_id[48], struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = split(s, id, message, who, now_ms, out_id, err);
    return tkt_store_leave(s, own, rc, err);
}

static int link_both(struct tkt_store *s, const char *a_id, const char *b_id,
                     const char *who, int64_t now_ms, struct tkt_err *err)
{
    struct ticket_row a;
    struct ticket_row b;

    if (tkt_ticket_named(s->db, a_id, &a, err) < 0 ||
        tkt_ticket_named(s->db, b_id, &b, err) < 0) {
        return -1;
    }
    if (a.id == b.id) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s cannot be linked to itself", a.name);
    }
    if (tkt_link_add(s, a.id, b.id, "related", now_ms, err) < 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        struct tkt_buf *j = tkt_event_begin(s);
        json_str(j, "to", i == 0 ? b.name : a.name);
        json_str_opt(j, "who", who);
        if (tkt_event_end(s, i == 0 ? a.id : b.id, 0, NULL, "ticket.linked", now_ms,
                          err) < 0) {
            return -1;
        }
    }
    return 0;
}

int tkt_store_link(struct tkt_store *s, const char *a, const char *b, const char *who,
                   int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = link_both(s, a, b, who, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- later analysis --------------------------------------------------------------- */

/* What the analysis found out besides the routing. */
static int analysed_traces(struct tkt_store *s, const struct ticket_row *t,
                           const struct tkt_store_analysed_in *in, struct tkt_err *err)
{
    const struct tkt_store_participant requester = {.address = in->requester,
                                                    .role = "from"};

    if (in->traces != NULL &&
        (tkt_traces_keep(s, t->id, in->message, true, in->traces, err) < 0 ||
         tkt_db_run(s->db, SQL_TICKET_PRINT, err, "ii", t->id,
                    (int64_t)in->traces->print) < 0)) {
        return -1;
    }
    return in->requester != NULL &&
                   (tkt_db_run(s->db, SQL_TICKET_REQUESTER, err, "itt", t->id,
                               in->requester, in->requester_name) < 0 ||
                    tkt_participants_add(s, t->id, &requester, 1, err) < 0)
               ? -1
               : 0;
}

/* What it says beyond the first columns, and what is asked for it. Nobody is asked about
 * a ticket that somebody has taken in hand already. */
static int analysed_fields(struct tkt_store *s, struct ticket_row *t,
                           const struct tkt_store_analysed_in *in,
                           const struct tkt_decision *c, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf keywords = TKT_BUF_INIT(LINES_MAX);
    TKT_AUTO_BUF struct tkt_buf missing = TKT_BUF_INIT(LINES_MAX);
    TKT_AUTO_BUF struct tkt_buf question = TKT_BUF_INIT(QUESTION_MAX);
    bool fresh = t->state == TKT_STATE_RESERVED || t->state == TKT_STATE_NEW;

    t->flags |= T_ANALYSED;
    t->flags = in->group_is_open ? t->flags | T_GROUP_OPEN : t->flags & ~T_GROUP_OPEN;
    tkt_lines_join(&c->keywords, &keywords);
    tkt_lines_join(&c->missing, &missing);
    if (fresh && tkt_question_make(c, in->question_text, in->language, &question)) {
        t->flags |= T_MISSING;
    }
    if (tkt_db_run(s->db, SQL_TICKET_SAYS, err, "itttsd", t->id, c->service,
                   tkt_buf_str(&keywords), tkt_buf_str(&missing),
                   question.len > 0 ? tkt_buf_str(&question) : NULL, t->flags) < 0 ||
        tkt_fields_add(s, t->id, c, err) < 0) {
        return -1;
    }
    return (t->flags & T_SHADOW) != 0
               ? 0
               : tkt_question_ask(s, t, in->message, in->now_ms, err);
}

static int analysed_record(struct tkt_store *s, const struct ticket_row *t,
                           const struct tkt_store_analysed_in *in, struct tkt_err *err)
{
    struct message_row m;

    if (in->record == NULL) {
        return 0;
    }
    return tkt_message_load(s->db, in->message, &m, err) != 1
               ? tkt_err_set(err, TKT_ERR_TEMP, "store: %s: its message is gone", t->name)
               : tkt_decided_note(s, t->id, &m, in->record, in->now_ms, err);
}

static int analysed(struct tkt_store *s, const struct tkt_store_analysed_in *in,
                    struct tkt_err *err)
{
    static const struct tkt_decision nothing = {.action = TKT_ACTION_NEW};
    const struct tkt_decision *c = in->decision != NULL ? in->decision : &nothing;
    struct ticket_row t;
    TKT_AUTO_BUF struct tkt_buf tags = TKT_BUF_INIT(4000);

    int n = tkt_ticket_load(s->db, in->ticket, &t, err);
    if (n <= 0) {
        return n < 0
                   ? -1
                   : tkt_err_set(err, TKT_ERR_PERM, "no ticket row %" PRId64, in->ticket);
    }
    int64_t touched = 0;
    if (in->enriched &&
        tkt_db_get_int(s->db, SQL_TICKET_BY_HAND, &touched, err, "i", t.id) < 0) {
        return -1;
    }
    if (touched > 0) {
        return 0;
    }
    tkt_lines_join(&c->tags, &tags);
    if (tkt_db_run(s->db, SQL_TICKET_ANALYSED, err, "iditttttttddit", t.id,
                   (int)T_ANALYSED, in->now_ms, in->requester_name, in->subject,
                   in->class_name, c->type, c->category, c->subcategory, c->group,
                   c->urgency, c->impact, (int64_t)c->priority, tkt_buf_str(&tags)) < 0 ||
        tkt_db_run(s->db, SQL_MESSAGE_ANALYSED, err, "ittd", in->message, in->subject,
                   in->class_name,
                   tkt_assurance_flags(in->decision) |
                       (in->is_note ? (int)(M_AGENT | M_INTERNAL) : 0)) < 0 ||
        analysed_traces(s, &t, in, err) < 0 ||
        /* What was asked for once stays asked for. */
        (!(in->enriched && (t.flags & T_MISSING) != 0) &&
         analysed_fields(s, &t, in, c, err) < 0) ||
        tkt_threads_add(s, t.id, in->message, in->thread_keys, in->thread_key_count,
                        err) < 0 ||
        tkt_participants_add(s, t.id, in->participants, in->participant_count, err) < 0 ||
        tkt_assign_analysed(s, &t, in, err) < 0) {
        return -1;
    }
    /* It has an ID by now; what it should have been appended to is linked. */
    if (c->action != TKT_ACTION_NEW && c->ticket > 0 && c->ticket != t.id &&
        tkt_link_add(s, t.id, c->ticket, "related", in->now_ms, err) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str_opt(b, "why", c->why);
    json_bool(b, "given_up", in->decision == NULL);
    if (in->decision != NULL) {
        json_bool(b, "answer", c->acknowledge);
        json_str_opt(b, "language", in->language);
    }
    const char *kind = in->enriched ? "ticket.enriched" : "ticket.analysed";
    return tkt_event_end(s, t.id, in->message, NULL, kind, in->now_ms, err) < 0
               ? -1
               : analysed_record(s, &t, in, err);
}

int tkt_store_analysed(struct tkt_store *s, const struct tkt_store_analysed_in *in,
                       struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = analysed(s, in, err);
    return tkt_store_leave(s, own, rc, err);
}
