/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/thread.h"

#include "message/words.h"

#include <string.h>

enum trust {
    TRUST_APPEND,
    TRUST_UNVERIFIED,
    TRUST_LINK
};

static bool is_token(const struct tkt_candidate *c)
{
    return c->evidence == TKT_EVIDENCE_TOKEN || c->evidence == TKT_EVIDENCE_OWN_ID;
}

static bool takes_part(const struct tkt_question *q, const struct tkt_candidate *c)
{
    return c->is_participant || q->facts->is_agent;
}

/* The Trust table. A token is bound to an address, and an address that is known to be
 * forged is nobody's: fail comes first. A login or a pass only says who the sender is;
 * whether that one may write is asked after. */
static enum trust trust_of(const struct tkt_question *q, const struct tkt_candidate *c)
{
    if (q->assurance == TKT_ASSURANCE_FAIL) {
        return TRUST_LINK;
    }
    if (is_token(c) && c->bound_to_sender) {
        return TRUST_APPEND;
    }
    bool known = q->assurance != TKT_ASSURANCE_NONE;
    if (takes_part(q, c)) {
        return known ? TRUST_APPEND : TRUST_UNVERIFIED;
    }
    if (is_token(c)) {
        return TRUST_UNVERIFIED;
    }
    /* The same tracker under another sender address: its domain was proved. */
    return c->evidence == TKT_EVIDENCE_FOREIGN && known ? TRUST_UNVERIFIED : TRUST_LINK;
}

/* ---- which candidate --------------------------------------------------------------- */

/* A mail that two strangers both answer (a newsletter) is nothing that they share. */
static bool counts(const struct tkt_question *q, const struct tkt_candidate *c)
{
    if (c->evidence == TKT_EVIDENCE_SIBLING) {
        return takes_part(q, c);
    }
    return c->evidence != TKT_EVIDENCE_SIMILAR;
}

static bool is_of_desk(const struct tkt_question *q, const struct tkt_candidate *c)
{
    return strcmp(c->desk, q->desk->name) == 0;
}

/* Nobody works on it, and nothing brings it back. */
static bool is_gone(const struct tkt_candidate *c)
{
    return c->state == TKT_STATE_WITHDRAWN || c->state == TKT_STATE_REFUSED ||
           c->state == TKT_STATE_MERGED;
}

/* This desk's tickets before others (those can only be linked), then those that live, the
 * strongest evidence, the lowest ticket: the answer does not depend on the order of
 * facts. */
static bool is_better(const struct tkt_question *q, const struct tkt_candidate *a,
                      const struct tkt_candidate *b)
{
    if (is_of_desk(q, a) != is_of_desk(q, b)) {
        return is_of_desk(q, a);
    }
    if (is_gone(a) != is_gone(b)) {
        return is_gone(b);
    }
    if (a->evidence != b->evidence) {
        return a->evidence < b->evidence;
    }
    return a->ticket < b->ticket;
}

static const struct tkt_candidate *best(const struct tkt_question *q)
{
    const struct tkt_candidate *found = NULL;

    for (size_t i = 0; i < q->facts->candidate_count; i++) {
        const struct tkt_candidate *c = &q->facts->candidates[i];
        if (counts(q, c) && (found == NULL || is_better(q, c, found))) {
            found = c;
        }
    }
    return found;
}

static const struct tkt_candidate *most_similar(const struct tkt_question *q)
{
    for (size_t i = 0; i < q->facts->candidate_count; i++) {
        const struct tkt_candidate *c = &q->facts->candidates[i];
        if (c->evidence == TKT_EVIDENCE_SIMILAR && is_of_desk(q, c) && !is_gone(c)) {
            return c;
        }
    }
    return NULL;
}

/* ---- what becomes of the message ----------------------------------------------------- */

/* A machine's answer to mail of the ticket: it comes from a stranger by nature (the bounce of
 * a participant's server, somebody's absence), tells more inside that ticket than anywhere
 * else, and must not open another one: a loop would open one a round. */
static bool is_machines_answer(const struct tkt_question *q)
{
    switch (q->msg->class) {
    case TKT_CLASS_BOUNCE:
    case TKT_CLASS_DELAY:
    case TKT_CLASS_AUTO_REPLY:
    case TKT_CLASS_CHALLENGE:
        return true;
    default:
        return !q->policy.opens;
    }
}

static enum tkt_action stranger(const struct tkt_question *q,
                                const struct tkt_candidate *c)
{
    bool hint =
        c->evidence == TKT_EVIDENCE_SUBJECT || c->evidence == TKT_EVIDENCE_FOREIGN;

    if (is_machines_answer(q) && !hint && q->assurance != TKT_ASSURANCE_FAIL &&
        is_of_desk(q, c) && !is_gone(c)) {
        return TKT_ACTION_APPEND_UNVERIFIED;
    }
    return q->policy.opens ? TKT_ACTION_NEW_LINKED : TKT_ACTION_IGNORE;
}

/* Only what may change its state can be more than a note in a closed ticket. */
static bool is_shut(const struct tkt_question *q, const struct tkt_candidate *c)
{
    return c->state == TKT_STATE_CLOSED && !q->desk->reopen_closed &&
           q->policy.moves_state;
}

static enum tkt_action action_of(const struct tkt_question *q,
                                 const struct tkt_candidate *c)
{
    /* Our own mail that came back is never news: that would be a loop. */
    if (q->facts->is_own) {
        return TKT_ACTION_IGNORE;
    }
    if (c == NULL) {
        return q->policy.opens ? TKT_ACTION_NEW : TKT_ACTION_IGNORE;
    }
    enum trust trust = trust_of(q, c);
    if (trust == TRUST_LINK || !is_of_desk(q, c) || is_gone(c)) {
        return stranger(q, c);
    }
    if (is_shut(q, c)) {
        if (q->desk->refuse_closed) {
            return TKT_ACTION_REFUSE;
        }
        return q->policy.opens ? TKT_ACTION_NEW_LINKED : TKT_ACTION_IGNORE;
    }
    return trust == TRUST_APPEND ? TKT_ACTION_APPEND : TKT_ACTION_APPEND_UNVERIFIED;
}

/* An answer that a person took for something else altogether. The hints are not asked:
 * who writes an ID into the Subject means that ticket. */
static bool is_other_subject(const struct tkt_question *q, const struct tkt_candidate *c)
{
    bool person = q->msg->class == TKT_CLASS_HUMAN || q->msg->class == TKT_CLASS_LIST;

    return person && c->evidence <= TKT_EVIDENCE_SIBLING && c->subject != NULL &&
           tkt_words_disjoint(q->msg->subject, c->subject);
}

void tkt_thread_answer(const struct tkt_question *q, struct tkt_thread *out)
{
    const struct tkt_candidate *c = best(q);
    enum tkt_action action = action_of(q, c);
    bool appends = action == TKT_ACTION_APPEND || action == TKT_ACTION_APPEND_UNVERIFIED;
    bool is_new = action == TKT_ACTION_NEW || action == TKT_ACTION_NEW_LINKED;

    *out = (struct tkt_thread){.action = action, .by = c};
    out->split_suggested = appends && is_other_subject(q, c);
    out->similar = is_new ? most_similar(q) : NULL;
}

const char *tkt_thread_relation(const struct tkt_question *q,
                                const struct tkt_candidate *c)
{
    if (is_token(c) && c->bound_to_sender) {
        return "the token's own party";
    }
    if (q->facts->is_agent) {
        return "an agent";
    }
    return c->is_participant ? "a participant" : "a stranger";
}
