/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/decide.h"

#include "base/enc.h"

#include <string.h>

/* What is known of who really sent it, strongest first. */
enum verdict {
    VERDICT_LOGIN,
    VERDICT_PASS,
    VERDICT_NONE,
    VERDICT_FAIL
};
static const char *const verdict_names[] = {"login", "aligned pass", "none", "fail"};

enum trust {
    TRUST_APPEND,
    TRUST_UNVERIFIED,
    TRUST_LINK
};

struct class_policy {
    bool opens;
    bool moves_state;
    bool acknowledge;
};

/* The null sender is nobody whom one could answer, whatever the class: it moves nothing,
 * and opens only where bounces do. */
static struct class_policy policy_of(const struct tkt_message *msg,
                                     const struct tkt_facts *facts,
                                     const struct tkt_desk_facts *desk)
{
    uint32_t opens = desk->opens;
    uint32_t bit = TKT_CLASS_BIT(msg->class);

    if (facts->null_sender) {
        bool bounces_open = (opens & TKT_CLASS_BIT(TKT_CLASS_BOUNCE)) != 0;
        return (struct class_policy){bounces_open && (opens & bit) != 0, false, false};
    }
    return (struct class_policy){(opens & bit) != 0, (desk->changes_state & bit) != 0,
                                 (desk->acknowledges & bit) != 0};
}

static enum verdict verdict_of(const struct tkt_message *msg,
                               const struct tkt_facts *facts)
{
    if (facts->login_is_from) {
        return VERDICT_LOGIN;
    }
    if (msg->dmarc == TKT_AUTH_FAIL) {
        return VERDICT_FAIL;
    }
    if (msg->auth_aligned) {
        return VERDICT_PASS;
    }
    if (msg->spf == TKT_AUTH_FAIL || msg->dkim == TKT_AUTH_FAIL) {
        return VERDICT_FAIL;
    }
    return VERDICT_NONE;
}

static bool is_token(const struct tkt_candidate *c)
{
    return c->evidence == TKT_EVIDENCE_TOKEN || c->evidence == TKT_EVIDENCE_OWN_ID;
}

static bool is_participant(const struct tkt_candidate *c, const struct tkt_facts *facts)
{
    return c->is_participant || facts->is_agent;
}

/* The Trust table. A token is bound to an address, and an address that is known to be
 * forged is nobody's: fail comes first. A login or a pass only says who the sender is;
 * whether that one may write is asked after. */
static enum trust trust_of(const struct tkt_candidate *c, const struct tkt_facts *facts,
                           enum verdict v)
{
    if (v == VERDICT_FAIL) {
        return TRUST_LINK;
    }
    if (is_token(c) && c->bound_to_sender) {
        return TRUST_APPEND;
    }
    if (is_participant(c, facts)) {
        return v == VERDICT_NONE ? TRUST_UNVERIFIED : TRUST_APPEND;
    }
    return is_token(c) ? TRUST_UNVERIFIED : TRUST_LINK;
}

/* A ticket that takes further messages under this desk's policy. */
static bool is_writable(const struct tkt_candidate *c, const struct tkt_desk_facts *desk)
{
    switch (c->state) {
    case TKT_STATE_RESERVED:
    case TKT_STATE_NEW:
    case TKT_STATE_OPEN:
    case TKT_STATE_PENDING:
    case TKT_STATE_RESOLVED:
        return true;
    case TKT_STATE_CLOSED:
        return desk->reopen_closed;
    case TKT_STATE_WITHDRAWN:
    case TKT_STATE_REFUSED:
    case TKT_STATE_MERGED:
    case TKT_STATE_COUNT:
        break;
    }
    return false;
}

static bool is_of_desk(const struct tkt_candidate *c, const struct tkt_desk_facts *desk)
{
    return strcmp(c->desk, desk->name) == 0;
}

/* This desk's tickets before others (those can only be linked), then the strongest
 * evidence, then the lowest ticket: the answer does not depend on the order of facts. */
static bool is_better(const struct tkt_candidate *a, const struct tkt_candidate *b,
                      const struct tkt_desk_facts *desk)
{
    if (is_of_desk(a, desk) != is_of_desk(b, desk)) {
        return is_of_desk(a, desk);
    }
    if (a->evidence != b->evidence) {
        return a->evidence < b->evidence;
    }
    return a->ticket < b->ticket;
}

static const struct tkt_candidate *best_candidate(const struct tkt_facts *facts,
                                                  const struct tkt_desk_facts *desk)
{
    const struct tkt_candidate *best = NULL;

    for (size_t i = 0; i < facts->candidate_count; i++) {
        if (best == NULL || is_better(&facts->candidates[i], best, desk)) {
            best = &facts->candidates[i];
        }
    }
    return best;
}

static enum tkt_action action_of(const struct tkt_candidate *c,
                                 const struct tkt_facts *facts,
                                 const struct tkt_desk_facts *desk, enum verdict v,
                                 bool opens)
{
    if (c == NULL) {
        return opens ? TKT_ACTION_NEW : TKT_ACTION_IGNORE;
    }
    enum trust trust = trust_of(c, facts, v);
    bool writable = is_writable(c, desk) && is_of_desk(c, desk);
    if (writable && trust == TRUST_APPEND) {
        return TKT_ACTION_APPEND;
    }
    if (writable && trust == TRUST_UNVERIFIED) {
        return TKT_ACTION_APPEND_UNVERIFIED;
    }
    if (opens) {
        return TKT_ACTION_NEW_LINKED;
    }
    /* A bounce that quotes a message of the ticket comes from a stranger by nature; it
     * tells the agent more inside that ticket than among the refused. */
    if (writable && v != VERDICT_FAIL && c->evidence != TKT_EVIDENCE_SUBJECT) {
        return TKT_ACTION_APPEND_UNVERIFIED;
    }
    return TKT_ACTION_IGNORE;
}

static const char *relation_of(const struct tkt_candidate *c,
                               const struct tkt_facts *facts)
{
    if (is_token(c) && c->bound_to_sender) {
        return "the token's own party";
    }
    if (facts->is_agent) {
        return "an agent";
    }
    return c->is_participant ? "a participant" : "a stranger";
}

static char *explain(const struct tkt_message *msg, const struct tkt_facts *facts,
                     const struct tkt_candidate *c, enum verdict v,
                     struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(512);

    if (c == NULL) {
        tkt_buf_addf(&b, "no ticket named, sender is %s, ",
                     facts->is_agent ? "an agent" : "new here");
    } else {
        int n = (int)tkt_utf8_cut(c->id, strlen(c->id), 64);
        tkt_buf_addf(&b, "%s names %.*s (%s), sender is %s, ",
                     tkt_evidence_names[c->evidence], n, c->id, tkt_state_names[c->state],
                     relation_of(c, facts));
    }
    tkt_buf_addf(&b, "authentication %s, class %s%s", verdict_names[v],
                 tkt_class_names[msg->class],
                 facts->null_sender ? " with the null sender" : "");
    return tkt_wire_arena_strdup(arena, tkt_buf_str(&b), b.len);
}

static char *copy(struct tkt_wire_arena *arena, const char *s)
{
    return tkt_wire_arena_strdup(arena, s, strlen(s));
}

/* Category, assignee, urgency and impact stay open: the desk's defaults decide alone. */
static int fill_defaults(const struct tkt_desk_facts *desk, struct tkt_decision *d,
                         struct tkt_wire_arena *arena)
{
    char *none = copy(arena, "");

    d->type = copy(arena, desk->type);
    d->group = copy(arena, desk->group);
    d->category = none;
    d->subcategory = none;
    d->assignee = none;
    d->priority = desk->priority;
    return none == NULL || d->type == NULL || d->group == NULL ? -1 : 0;
}

static int decide_desk(const struct tkt_message *msg, const struct tkt_facts *facts,
                       const struct tkt_desk_facts *desk, struct tkt_decision *d,
                       struct tkt_wire_arena *arena)
{
    const struct tkt_candidate *c = best_candidate(facts, desk);
    enum verdict v = verdict_of(msg, facts);
    struct class_policy policy = policy_of(msg, facts, desk);

    memset(d, 0, sizeof(*d));
    d->action = action_of(c, facts, desk, v, policy.opens);
    d->opens = policy.opens;
    bool touches = d->action != TKT_ACTION_NEW && d->action != TKT_ACTION_IGNORE;
    d->ticket = touches ? c->ticket : 0;
    bool appends = d->action == TKT_ACTION_APPEND;
    if (appends && policy.moves_state) {
        d->reopens = c->state == TKT_STATE_RESOLVED || c->state == TKT_STATE_CLOSED;
        d->changes_state =
            d->reopens || (c->state == TKT_STATE_PENDING && !facts->is_agent);
    }
    d->public_comment =
        appends && policy.moves_state && facts->is_agent && desk->local_itsm;
    d->acknowledge = policy.acknowledge && v != VERDICT_FAIL && !d->public_comment &&
                     d->action != TKT_ACTION_APPEND_UNVERIFIED &&
                     d->action != TKT_ACTION_IGNORE;
    d->why = explain(msg, facts, c, v, arena);
    return d->why == NULL ? -1 : fill_defaults(desk, d, arena);
}

int tkt_decide(const struct tkt_message *msg, const struct tkt_facts *facts,
               struct tkt_decisions *out, struct tkt_err *err)
{
    struct tkt_decisions all;

    memset(&all, 0, sizeof(all));
    if (facts->desk_count > 0) {
        all.items =
            tkt_wire_arena_alloc(&all.arena, facts->desk_count * sizeof(*all.items));
        if (all.items == NULL) {
            goto no_memory;
        }
    }
    all.count = facts->desk_count;
    for (size_t i = 0; i < all.count; i++) {
        if (decide_desk(msg, facts, &facts->desks[i], &all.items[i], &all.arena) < 0) {
            goto no_memory;
        }
    }
    *out = all;
    return 0;

no_memory:
    tkt_decisions_release(&all);
    return tkt_err_set(err, TKT_ERR_PERM, "decide: no memory");
}
