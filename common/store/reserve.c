/* SPDX-License-Identifier: BSD-2-Clause
 * RESERVE: one message becomes the tickets of all its desks.
 *
 * First everything is looked up and nothing written, so that "compare first" leaves no
 * trace; then each desk in the order given.
 */
#include "base/util.h"
#include "store/assign.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

enum route {
    ROUTE_NEW,
    ROUTE_AGAIN,
    ROUTE_COPY,
    ROUTE_ONE
};

struct plan { /* what becomes of the message at one desk */
    enum route route;
    int64_t desk;
    int64_t ticket;  /* AGAIN, COPY */
    int64_t message; /* AGAIN */
    int64_t like;    /* ticket of a message with the same head but another text, or 0 */
};

struct work {
    struct tkt_store *s;
    const struct tkt_store_reserve_in *in;
    struct tkt_store_reserve_out *out;
    struct plan plans[DESKS_PER_MESSAGE_MAX];
    int64_t head;
    int64_t parent; /* the first desk's ticket */
};

/* ---- looking ---------------------------------------------------------------------- */

static int64_t key_head(const struct work *w, const struct tkt_store_desk_in *d)
{
    return tkt_key_head(d->key, w->in->head_key);
}

static const struct tkt_store_verdict *verdict_on(const struct tkt_store_reserve_in *in,
                                                  int64_t message)
{
    for (size_t i = 0; i < in->verdict_count; i++) {
        if (in->verdicts[i].message == message) {
            return &in->verdicts[i];
        }
    }
    return NULL;
}

/* 1: this message must be compared first; 0: p says what it is. */
static int look_at_heads(struct work *w, const struct tkt_store_desk_in *d,
                         struct plan *p, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n =
        tkt_db_query(w->s->db, &row, SQL_KEY_HEADS, err, "iiidd", key_head(w, d), p->desk,
                     w->in->now_ms - HEAD_WINDOW_MS, HEAD_MATCHES_MAX, HEAD_ROWS_MAX);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        int64_t message = tkt_row_int(&row, 2);
        const struct tkt_store_verdict *v = verdict_on(w->in, message);
        if (v == NULL) {
            w->out->result = TKT_RESERVE_COMPARE;
            w->out->compare = message;
            return 1;
        }
        if (p->like == 0) {
            p->like = tkt_row_int(&row, 1);
        }
        if (v->is_copy) {
            p->route = ROUTE_COPY;
            p->ticket = tkt_row_int(&row, 1);
            return 0;
        }
    }
    return n;
}

static int look(struct work *w, size_t i, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    const struct tkt_store_desk_in *d = &w->in->desks[i];
    struct plan *p = &w->plans[i];

    memset(p, 0, sizeof(*p));
    if (tkt_desk_id(w->s, d->desk, &p->desk, err) < 0) {
        return -1;
    }
    int n = tkt_db_query(w->s->db, &row, SQL_KEY_FIND, err, "ibi", key_head(w, d), d->key,
                         (size_t)SHORT_KEY_LEN, p->desk);
    if (n < 0) {
        return -1;
    }
    if (n == 1 && tkt_row_int(&row, 2) > w->in->now_ms) {
        p->route = ROUTE_AGAIN;
        p->ticket = tkt_row_int(&row, 0);
        p->message = tkt_row_int(&row, 1);
        return 0;
    }
    tkt_row_end(&row);
    p->route = i > 0 && w->in->one_ticket ? ROUTE_ONE : ROUTE_NEW;
    return w->in->has_head_key && p->route == ROUTE_NEW ? look_at_heads(w, d, p, err) : 0;
}

/* ---- writing ---------------------------------------------------------------------- */

static int set_key(struct work *w, size_t i, int64_t ticket, int64_t message,
                   struct tkt_err *err)
{
    const struct tkt_store_options *o = &w->s->opt;
    int64_t until =
        w->in->now_ms + (w->in->key_blind ? o->dedupe_blind_ms : o->dedupe_keep_ms);
    const struct tkt_store_desk_in *d = &w->in->desks[i];

    return tkt_db_run(w->s->db, SQL_KEY_SET, err, "ibiiii", key_head(w, d), d->key,
                      (size_t)SHORT_KEY_LEN, w->plans[i].desk, ticket, message, until) < 0
               ? -1
               : 0;
}

static int add_message(struct work *w, const struct tkt_store_desk_in *d, int64_t ticket,
                       int flags, struct message_row *m, struct tkt_err *err)
{
    const struct tkt_store_reserve_in *in = w->in;
    bool blob = in->raw == NULL;

    memset(m, 0, sizeof(*m));
    m->ticket = ticket;
    flags |= tkt_assurance_flags(d->decision);
    m->flags = flags;
    memcpy(m->sha256, in->sha256, sizeof(m->sha256));
    return tkt_db_insert(w->s->db, SQL_MESSAGE_ADD, &m->id, err, "iidibtttttttttsb",
                         ticket, in->now_ms, flags, (int64_t)in->size, in->sha256,
                         sizeof(in->sha256), in->hook, d->rcpt, in->queue_id,
                         in->class_name, in->requester, in->sender, in->subject,
                         in->message_id, in->envelope_json, blob ? in->blob_name : NULL,
                         in->raw, (size_t)(blob ? 0 : in->size));
}

static void tell(struct work *w, size_t i, const struct ticket_row *t, int64_t message,
                 const char *status)
{
    struct tkt_store_desk_out *o = &w->out->desks[i];

    o->ticket = t->id;
    o->message = message;
    snprintf(o->id, sizeof(o->id), "%s", t->name);
    tkt_corr_text(t->corr, o->corr);
    o->status = status;
    snprintf(o->group, sizeof(o->group), "%s", t->group);
    o->priority = t->priority;
    o->state = t->state;
}

/* The link is over the message that is kept. A duplicate may differ from it in bytes that
 * its key leaves out (line ends, fields of the way): then its own hash is in the data. */
static int note(struct work *w, size_t i, int64_t ticket, const struct message_row *m,
                const char *kind, const char *why, struct tkt_err *err)
{
    const struct tkt_store_reserve_in *in = w->in;
    const struct tkt_store_desk_in *d = &in->desks[i];
    struct tkt_buf *b = tkt_event_begin(w->s);

    json_str(b, "desk", d->desk);
    json_str_opt(b, "hook", in->hook);
    json_str_opt(b, "rcpt", d->rcpt);
    json_str_opt(b, "queue_id", in->queue_id);
    json_str_opt(b, "why", why);
    json_str_opt(b, "returned", d->returned);
    if (d->internal) {
        json_bool(b, "internal", true);
    }
    if (d->returned != NULL && d->returned[0] != '\0' && d->bounce != NULL) {
        json_str_opt(b, "bounce_to", d->bounce->recipient);
        json_str_opt(b, "bounce_status", d->bounce->status);
        json_str_opt(b, "bounce_action", d->bounce->action);
    }
    if (d->decision != NULL) {
        json_bool(b, "answer", d->decision->acknowledge);
        json_str_opt(b, "language", d->language);
    }
    if (!in->analysed) {
        json_str(b, "unanalysed", in->analysis_error != NULL ? in->analysis_error : "");
    }
    if (memcmp(m->sha256, in->sha256, sizeof(m->sha256)) != 0) {
        char hex[2 * TKT_SHA256_LEN + 1];
        tkt_hex_encode(in->sha256, sizeof(in->sha256), hex);
        json_str(b, "sha256", hex);
    }
    return tkt_event_end(w->s, ticket, m->id, m->sha256, kind, in->now_ms, err);
}

/* What every message with a ticket brings along, and what it does. */
static int settle(struct work *w, size_t i, struct ticket_row *t, struct message_row *m,
                  struct tkt_err *err)
{
    const struct tkt_store_reserve_in *in = w->in;
    const struct tkt_store_desk_in *d = &in->desks[i];

    if (t->state == TKT_STATE_REFUSED) {
        return 0;
    }
    if (!in->confirmed) {
        return tkt_hold_add(w->s, t->id, m->id, in->hook, d->rcpt, in->now_ms,
                            w->out->desks[i].hold, err);
    }
    if (tkt_message_confirmed(w->s, t, m, in->now_ms, err) < 0) {
        return -1;
    }
    w->out->desks[i].state = t->state;
    return 0;
}

/* What has no Message-ID is known for a short time only, lest two alarms of one text are
 * one. Who still retries it after that time is no second alarm. */
static int extend_key(struct work *w, size_t i, struct tkt_err *err)
{
    const struct tkt_store_options *o = &w->s->opt;
    const struct tkt_store_desk_in *d = &w->in->desks[i];

    if (!w->in->key_blind) {
        return 0;
    }
    return tkt_db_run(w->s->db, SQL_KEY_EXTEND, err, "ibiii", key_head(w, d), d->key,
                      (size_t)SHORT_KEY_LEN, w->plans[i].desk,
                      w->in->now_ms + o->dedupe_blind_ms, o->dedupe_keep_ms) < 0
               ? -1
               : 0;
}

static int again(struct work *w, size_t i, struct tkt_err *err)
{
    struct plan *p = &w->plans[i];
    struct ticket_row t;
    struct message_row m;

    if (tkt_message_load(w->s->db, p->message, &m, err) != 1) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: a key names no message");
    }
    if (extend_key(w, i, err) < 0) {
        return -1;
    }
    if (p->ticket == 0) { /* was ignored by policy, and is again */
        w->out->desks[i].status = "refused";
        w->out->desks[i].message = m.id;
        return note(w, i, 0, &m, "message.duplicate", "", err);
    }
    if (tkt_ticket_load(w->s->db, p->ticket, &t, err) != 1) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: a key names no ticket");
    }
    if (tkt_db_run(w->s->db, SQL_TICKET_DUPLICATE, err, "i", t.id) < 0 ||
        note(w, i, t.id, &m, "message.duplicate", "", err) < 0) {
        return -1;
    }
    if (t.state == TKT_STATE_WITHDRAWN &&
        (tkt_ticket_move(w->s, &t, TKT_STATE_RESERVED, "", "the message came again",
                         w->in->now_ms, err) < 0 ||
         tkt_db_run(w->s->db, SQL_MESSAGE_FLAGS, err, "id", m.id,
                    m.flags & ~M_WITHDRAWN) < 0)) {
        return -1;
    }
    m.flags &= ~M_WITHDRAWN;
    tell(w, i, &t, m.id, t.state == TKT_STATE_REFUSED ? "refused" : "existing");
    return settle(w, i, &t, &m, err);
}

static int copy(struct work *w, size_t i, struct tkt_err *err)
{
    struct ticket_row t;
    struct message_row m;

    if (tkt_ticket_load(w->s->db, w->plans[i].ticket, &t, err) != 1) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: a key names no ticket");
    }
    if (t.state == TKT_STATE_WITHDRAWN &&
        tkt_ticket_move(w->s, &t, TKT_STATE_RESERVED, "", "a copy came", w->in->now_ms,
                        err) < 0) {
        return -1;
    }
    if (add_message(w, &w->in->desks[i], t.id, M_COPY, &m, err) < 0 ||
        set_key(w, i, t.id, m.id, err) < 0 ||
        tkt_db_run(w->s->db, SQL_TICKET_DUPLICATE, err, "i", t.id) < 0 ||
        note(w, i, t.id, &m, "message.copy", "", err) < 0) {
        return -1;
    }
    tell(w, i, &t, m.id, t.state == TKT_STATE_REFUSED ? "refused" : "existing");
    return settle(w, i, &t, &m, err);
}

/* one_ticket_per_message: the first desk's ticket also answers for this one. */
static int share_first(struct work *w, size_t i, struct tkt_err *err)
{
    const struct tkt_store_desk_out *first = &w->out->desks[0];

    w->out->desks[i] = *first;
    w->out->desks[i].hold[0] = '\0';
    if (set_key(w, i, first->ticket, first->message, err) < 0) {
        return -1;
    }
    if (w->in->confirmed || first->ticket == 0 || first->state == TKT_STATE_REFUSED) {
        return 0;
    }
    return tkt_hold_add(w->s, first->ticket, first->message, w->in->hook,
                        w->in->desks[i].rcpt, w->in->now_ms, w->out->desks[i].hold, err);
}

static int bring_along(struct work *w, const struct ticket_row *t,
                       const struct message_row *m, bool trusted, struct tkt_err *err)
{
    const struct tkt_store_reserve_in *in = w->in;

    if (tkt_threads_add(w->s, t->id, m->id, in->thread_keys, in->thread_key_count, err) <
        0) {
        return -1;
    }
    if (tkt_traces_keep(w->s, t->id, m->id, trusted, in->traces, err) < 0) {
        return -1;
    }
    return trusted ? tkt_participants_add(w->s, t->id, in->participants,
                                          in->participant_count, err)
                   : 0;
}

static const char *or_default(const char *s, const char *fallback)
{
    return s != NULL && s[0] != '\0' ? s : fallback;
}

/* By the caller, by a rule, or because its desk takes no answers to closed tickets. */
static bool is_refused(const struct tkt_store_desk_in *d)
{
    const struct tkt_decision *c = d->decision;

    return d->refused || (c != NULL && (c->action == TKT_ACTION_REFUSE ||
                                        c->refused_by_rule || c->ignored_by_rule));
}

static void fill_ticket(struct work *w, size_t i, struct tkt_buf *question,
                        struct ticket_new *n)
{
    static const struct tkt_decision nothing = {.action = TKT_ACTION_NEW};
    const struct tkt_store_reserve_in *in = w->in;
    const struct tkt_store_desk_in *d = &in->desks[i];
    const struct tkt_decision *c = d->decision != NULL ? d->decision : &nothing;
    bool local = d->itsm_type != NULL && strcmp(d->itsm_type, "local") == 0;

    *n = (struct ticket_new){
        .prefix = d->prefix,
        .desk = w->plans[i].desk,
        .state = is_refused(d) ? TKT_STATE_REFUSED : TKT_STATE_RESERVED,
        .flags = (d->shadow ? T_SHADOW : 0) | (local ? T_LOCAL : 0) |
                 (in->analysed ? T_ANALYSED : 0) | (in->enrich ? T_ENRICH : 0) |
                 (d->refine ? T_REFINE : 0) | (d->group_is_open ? T_GROUP_OPEN : 0),
        .itsm = d->itsm,
        .copy = d->itsm_copy,
        .requester = or_default(d->requester, in->requester),
        .requester_name = or_default(d->requester, "")[0] != '\0' ? d->requester_name
                                                                  : in->requester_name,
        .subject = in->subject,
        .class_name = in->class_name,
        .type = or_default(c->type, d->default_type),
        .category = c->category,
        .subcategory = c->subcategory,
        .group = or_default(c->group, d->default_group),
        .assignee = c->assignee,
        .urgency = c->urgency,
        .impact = c->impact,
        .priority = c->priority > 0 ? c->priority : d->default_priority,
        .tags = &c->tags,
        .service = c->service,
        .keywords = &c->keywords,
        .missing = &c->missing,
        .print = in->traces != NULL ? in->traces->print : 0,
        .now_ms = in->now_ms,
    };
    if (!is_refused(d) && or_default(n->requester, "")[0] != '\0' &&
        tkt_question_make(c, d->question_text, d->language, question)) {
        n->question = tkt_buf_str(question);
        n->flags |= T_MISSING;
    }
    /* The reply itself confirms it: born new, no move and no second event. */
    if (in->confirmed && !is_refused(d)) {
        n->state = TKT_STATE_NEW;
        n->flags |= T_CONFIRMED;
    }
}

/* In whose name it was opened: he takes part, beside the one who forwarded his mail. */
static int add_requester(struct work *w, size_t i, int64_t ticket, struct tkt_err *err)
{
    struct tkt_store_participant p = {.address = w->in->desks[i].requester,
                                      .role = "from"};

    return p.address == NULL ? 0 : tkt_participants_add(w->s, ticket, &p, 1, err);
}

/* Whom it goes to, unless a rule or a script said so. Nobody works on shadows. */
static int pick_person(struct work *w, size_t i, struct ticket_new *n,
                       struct assign_pick *pick, struct tkt_err *err)
{
    const struct tkt_store_reserve_in *in = w->in;
    const char *words[ASSIGN_WORDS_MAX];
    struct assign_for f = {.roster = in->roster,
                           .group = n->group,
                           .requester = n->requester,
                           .words = words,
                           .now_ms = in->now_ms};

    pick->tried = false;
    if (in->roster == NULL || n->state == TKT_STATE_REFUSED || (n->flags & T_SHADOW) ||
        (n->assignee != NULL && n->assignee[0] != '\0')) {
        return 0;
    }
    f.word_count = tkt_assign_words(in->desks[i].decision, n->type, in->desks[i].language,
                                    words, ASSIGN_WORDS_MAX);
    if (tkt_assign_pick(w->s, &f, pick, err) < 0) {
        return -1;
    }
    n->group = pick->group;
    n->assignee = pick->assignee;
    return 0;
}

static int tell_person(struct work *w, struct ticket_row *t, const char *group_before,
                       const struct assign_pick *pick, struct tkt_err *err)
{
    if (!pick->tried) {
        return 0;
    }
    t->is_auto = pick->assignee[0] != '\0';
    return (t->is_auto && tkt_db_run(w->s->db, SQL_TICKET_AUTO, err, "i", t->id) < 0) ||
                   tkt_assign_tell(w->s, t->id, group_before, pick, "", "", w->in->now_ms,
                                   err) < 0
               ? -1
               : 0;
}

static int new_ticket(struct work *w, size_t i, int64_t linked, const char *why,
                      struct tkt_err *err)
{
    const struct tkt_store_desk_in *d = &w->in->desks[i];
    int64_t now_ms = w->in->now_ms;
    TKT_AUTO_BUF struct tkt_buf question = TKT_BUF_INIT(QUESTION_MAX);
    struct ticket_new n;
    struct ticket_row t;
    struct message_row m;
    int flags = M_FIRST | (w->in->confirmed ? M_CONFIRMED : 0);

    struct assign_pick pick;

    fill_ticket(w, i, &question, &n);
    const char *group = n.group;
    if (pick_person(w, i, &n, &pick, err) < 0 ||
        tkt_ticket_insert(w->s, &n, &t, err) < 0 ||
        add_message(w, d, t.id, flags, &m, err) < 0 ||
        set_key(w, i, t.id, m.id, err) < 0 || bring_along(w, &t, &m, true, err) < 0 ||
        add_requester(w, i, t.id, err) < 0 ||
        tkt_fields_add(w->s, t.id, d->decision, err) < 0 ||
        note(w, i, t.id, &m, is_refused(d) ? "ticket.refused" : "ticket.created",
             d->refused ? d->reason : why, err) < 0 ||
        tkt_decided_note(w->s, t.id, &m, d->record, now_ms, err) < 0 ||
        tell_person(w, &t, group, &pick, err) < 0 ||
        tkt_suggestions_note(w->s, t.id, &m, d->decision, w->in->subject, now_ms, err) <
            0) {
        return -1;
    }
    if ((linked != 0 && tkt_link_add(w->s, t.id, linked, "related", now_ms, err) < 0) ||
        (w->parent != 0 &&
         tkt_link_add(w->s, t.id, w->parent, "child", now_ms, err) < 0)) {
        return -1;
    }
    if (d->note != NULL && d->note[0] != '\0' && !is_refused(d) &&
        tkt_note_add(w->s, &t, d->note, now_ms, err) < 0) {
        return -1;
    }
    tell(w, i, &t, m.id, is_refused(d) ? "refused" : "created");
    if (t.state == TKT_STATE_NEW) {
        int rc = tkt_ticket_start(w->s, &t, m.id, true, now_ms, err);
        w->out->desks[i].state = t.state;
        return rc;
    }
    return settle(w, i, &t, &m, err);
}

/* A parser child named the ticket; a bad name costs the thread, not the message. */
static int append_target(struct work *w, const struct tkt_decision *c,
                         struct ticket_row *t, struct tkt_err *err)
{
    int n = c->ticket > 0 ? tkt_ticket_load(w->s->db, c->ticket, t, err) : 0;

    if (n <= 0) {
        return n;
    }
    if (tkt_ticket_follow(w->s->db, t, err) < 0) {
        return -1;
    }
    return t->state != TKT_STATE_WITHDRAWN && t->state != TKT_STATE_REFUSED;
}

/* An agent's answer: the ticket is no longer as we gave it; and if nobody has it, a
 * member of a group that says so takes it by that. Only a proved sender may. */
static int answer_takes(struct work *w, const struct tkt_decision *c,
                        struct ticket_row *t, struct tkt_err *err)
{
    const struct tkt_roster_group *g = tkt_roster_group(w->in->roster, t->group);
    const struct tkt_roster_agent *a = g != NULL && w->in->requester != NULL
                                           ? tkt_roster_member(g, w->in->requester)
                                           : NULL;

    if (a == NULL ||
        (c->assurance != TKT_ASSURANCE_LOGIN && c->assurance != TKT_ASSURANCE_PASS)) {
        return 0;
    }
    if (!g->take_on_reply || t->assignee[0] != '\0' || !tkt_state_in_hand(t->state)) {
        return tkt_ticket_touched(w->s, t, err);
    }
    const struct assign_pick pick = {.assignee = a->address,
                                     .group = g->name,
                                     .why = "answered first",
                                     .next_ms = INT64_MAX};
    return tkt_ticket_give(w->s, t, g->name, a->address, false, w->in->now_ms, err) < 0
               ? -1
               : tkt_assign_tell(w->s, t->id, g->name, &pick, a->address, "",
                                 w->in->now_ms, err);
}

static int append(struct work *w, size_t i, struct ticket_row *t, struct tkt_err *err)
{
    const struct tkt_decision *c = w->in->desks[i].decision;
    bool unverified = c->action == TKT_ACTION_APPEND_UNVERIFIED;
    bool internal = w->in->desks[i].internal;
    struct message_row m;
    int flags = unverified
                    ? M_UNVERIFIED | M_INTERNAL
                    : (c->reopens ? M_REOPENS : 0) | (c->changes_state ? M_CHANGES : 0) |
                          (c->public_comment || internal ? M_AGENT : 0) |
                          (internal ? M_INTERNAL : M_PUBLIC);

    if (add_message(w, &w->in->desks[i], t->id, flags, &m, err) < 0 ||
        set_key(w, i, t->id, m.id, err) < 0 ||
        bring_along(w, t, &m, !unverified, err) < 0 ||
        tkt_db_run(w->s->db, SQL_TICKET_TOUCH, err, "ii", t->id, w->in->now_ms) < 0 ||
        note(w, i, t->id, &m, unverified ? "message.unverified" : "message.appended",
             c->why, err) < 0 ||
        tkt_decided_note(w->s, t->id, &m, w->in->desks[i].record, w->in->now_ms, err) <
            0 ||
        (!unverified && answer_takes(w, c, t, err) < 0) ||
        tkt_suggestions_note(w->s, t->id, &m, c, w->in->subject, w->in->now_ms, err) <
            0) {
        return -1;
    }
    /* A stranger's note fills nothing in. */
    if (!unverified && (tkt_fields_add(w->s, t->id, c, err) < 0 ||
                        tkt_missing_look(w->s, t, "", w->in->now_ms, err) < 0)) {
        return -1;
    }
    tell(w, i, t, m.id, unverified ? "pending" : "appended");
    return settle(w, i, t, &m, err);
}

static int ignore(struct work *w, size_t i, struct tkt_err *err)
{
    struct message_row m;

    memset(&m, 0, sizeof(m));
    if (add_message(w, &w->in->desks[i], 0, M_CONFIRMED, &m, err) < 0 ||
        set_key(w, i, 0, m.id, err) < 0 ||
        note(w, i, 0, &m, "message.ignored", w->in->desks[i].decision->why, err) < 0) {
        return -1;
    }
    w->out->desks[i].message = m.id;
    w->out->desks[i].status = "refused";
    return 0;
}

/* Counted, kept as a message of its own, and found by answers to it. */
static int join(struct work *w, size_t i, const struct tkt_store_join *j,
                struct ticket_row *t, struct tkt_err *err)
{
    const struct tkt_store_reserve_in *in = w->in;
    struct message_row m;

    if (add_message(w, &in->desks[i], t->id, tkt_join_flags(j, t), &m, err) < 0 ||
        set_key(w, i, t->id, m.id, err) < 0 ||
        tkt_threads_add(w->s, t->id, m.id, in->thread_keys, in->thread_key_count, err) <
            0 ||
        tkt_db_run(w->s->db, SQL_TICKET_JOINED, err, "ii", t->id, in->now_ms) < 0 ||
        tkt_join_count(w->s, w->plans[i].desk, j, t->id, in->now_ms, err) < 0 ||
        note(w, i, t->id, &m, "message.joined", j->name, err) < 0) {
        return -1;
    }
    tell(w, i, t, m.id, "existing");
    w->out->desks[i].joined = true;
    return settle(w, i, t, &m, err);
}

/* 1: it joined a ticket; 0: it opens one. */
static int try_joins(struct work *w, size_t i, struct tkt_err *err)
{
    const struct tkt_store_desk_in *d = &w->in->desks[i];
    struct ticket_row t;

    for (size_t k = 0; k < d->join_count; k++) {
        int n =
            tkt_join_find(w->s, w->plans[i].desk, &d->joins[k], w->in->now_ms, &t, err);
        if (n != 0) {
            return n < 0 || join(w, i, &d->joins[k], &t, err) < 0 ? -1 : 1;
        }
    }
    return 0;
}

static int open_ticket(struct work *w, size_t i, int64_t linked, const char *why,
                       struct tkt_err *err)
{
    const struct tkt_store_desk_in *d = &w->in->desks[i];
    bool joins = !is_refused(d);
    int n = joins ? try_joins(w, i, err) : 0;

    if (n != 0) {
        return n < 0 ? -1 : 0;
    }
    if (new_ticket(w, i, linked, why, err) < 0) {
        return -1;
    }
    for (size_t k = 0; joins && k < d->join_count; k++) {
        if (tkt_join_count(w->s, w->plans[i].desk, &d->joins[k], w->out->desks[i].ticket,
                           w->in->now_ms, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int fresh(struct work *w, size_t i, struct tkt_err *err)
{
    const struct tkt_store_desk_in *d = &w->in->desks[i];
    const struct tkt_decision *c = d->decision;
    struct ticket_row t;

    if (c == NULL || d->refused || c->action == TKT_ACTION_NEW) {
        return open_ticket(w, i, w->plans[i].like, c != NULL ? c->why : "", err);
    }
    if (c->action == TKT_ACTION_IGNORE) {
        return ignore(w, i, err);
    }
    int n = append_target(w, c, &t, err);
    if (n < 0) {
        return -1;
    }
    if (n == 1 && c->action != TKT_ACTION_NEW_LINKED && !is_refused(d)) {
        return append(w, i, &t, err);
    }
    return open_ticket(w, i, n == 1 ? t.id : w->plans[i].like, c->why, err);
}

static int write_desk(struct work *w, size_t i, struct tkt_err *err)
{
    switch (w->plans[i].route) {
    case ROUTE_AGAIN:
        return again(w, i, err);
    case ROUTE_COPY:
        return copy(w, i, err);
    case ROUTE_ONE:
        return share_first(w, i, err);
    case ROUTE_NEW:
        break;
    }
    return fresh(w, i, err);
}

static int check_input(const struct tkt_store_reserve_in *in, struct tkt_err *err)
{
    if (in->desk_count == 0 || in->desk_count > DESKS_PER_MESSAGE_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: a message for %zu desks",
                           in->desk_count);
    }
    if (in->raw == NULL && (in->blob_name == NULL || strlen(in->blob_name) != 32)) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: a message without content");
    }
    return 0;
}

static int reserve(struct work *w, struct tkt_err *err)
{
    for (size_t i = 0; i < w->in->desk_count; i++) {
        int n = look(w, i, err);
        if (n != 0) {
            return n < 0 ? -1 : 0;
        }
    }
    for (size_t i = 0; i < w->in->desk_count; i++) {
        if (write_desk(w, i, err) < 0) {
            return -1;
        }
        if (i == 0) {
            w->parent = w->out->desks[0].ticket;
        }
    }
    return 0;
}

int tkt_store_reserve(struct tkt_store *s, const struct tkt_store_reserve_in *in,
                      struct tkt_store_reserve_out *out, struct tkt_err *err)
{
    struct work w = {.s = s, .in = in, .out = out};
    bool own = false;

    out->result = TKT_RESERVE_DONE;
    out->compare = 0;
    if (check_input(in, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < in->desk_count; i++) {
        memset(&out->desks[i], 0, sizeof(out->desks[i]));
        out->desks[i].status = "";
    }
    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = reserve(&w, err);
    return tkt_store_leave(s, own, rc, err);
}
