/* SPDX-License-Identifier: BSD-2-Clause
 * What a decision may say about these facts: ticketd asks it of every child's answer.
 */
#include "decide/decide.h"

#include <string.h>

static const struct tkt_candidate *candidate_of(const struct tkt_facts *facts,
                                                int64_t ticket)
{
    for (size_t i = 0; i < facts->candidate_count; i++) {
        if (facts->candidates[i].ticket == ticket) {
            return &facts->candidates[i];
        }
    }
    return NULL;
}

/* What the facts alone allow, whatever a child says of the message: an append needs the
 * desk's own ticket and somebody who takes part or holds its token. */
static bool may_append(const struct tkt_facts *facts, const struct tkt_desk_facts *desk,
                       int64_t ticket)
{
    for (size_t i = 0; i < facts->candidate_count; i++) {
        const struct tkt_candidate *c = &facts->candidates[i];
        bool token =
            c->evidence == TKT_EVIDENCE_TOKEN || c->evidence == TKT_EVIDENCE_OWN_ID;
        if (c->ticket == ticket && c->evidence != TKT_EVIDENCE_SIMILAR &&
            strcmp(c->desk, desk->name) == 0 &&
            ((token && c->bound_to_sender) || c->is_participant || facts->is_agent)) {
            return true;
        }
    }
    return false;
}

static bool is_new(const struct tkt_decision *d)
{
    return d->action == TKT_ACTION_NEW || d->action == TKT_ACTION_NEW_LINKED;
}

static bool is_append(const struct tkt_decision *d)
{
    return d->action == TKT_ACTION_APPEND || d->action == TKT_ACTION_APPEND_UNVERIFIED;
}

/* Which tickets it names. */
static const char *complaint_of_tickets(const struct tkt_decision *d,
                                        const struct tkt_facts *facts,
                                        const struct tkt_desk_facts *desk)
{
    bool names_ticket = d->action != TKT_ACTION_NEW && d->action != TKT_ACTION_IGNORE;
    const struct tkt_candidate *c = candidate_of(facts, d->ticket);

    if (names_ticket && c == NULL) {
        return "names a ticket that is no candidate";
    }
    if (!names_ticket && d->ticket != 0) {
        return "names a ticket that it does not touch";
    }
    if (names_ticket && c->evidence == TKT_EVIDENCE_SIMILAR) {
        return "takes a likeness for a proof";
    }
    if (d->similar != 0 && (!is_new(d) || candidate_of(facts, d->similar) == NULL)) {
        return "suggests a ticket that is no candidate";
    }
    if (d->action == TKT_ACTION_APPEND && !may_append(facts, desk, d->ticket)) {
        return "appends for somebody who may not";
    }
    if (d->action == TKT_ACTION_REFUSE &&
        (!desk->refuse_closed || c->state != TKT_STATE_CLOSED)) {
        return "refuses what its desk does not refuse";
    }
    return NULL;
}

/* What it does there. */
static const char *complaint_of_effects(const struct tkt_decision *d,
                                        const struct tkt_facts *facts,
                                        const struct tkt_desk_facts *desk)
{
    if (d->reopens && d->action != TKT_ACTION_APPEND) {
        return "reopens without an append";
    }
    if (d->action == TKT_ACTION_APPEND_UNVERIFIED &&
        (d->changes_state || d->acknowledge || d->public_comment)) {
        return "an unverified append does more than append";
    }
    if (d->public_comment && (!facts->is_agent || d->action != TKT_ACTION_APPEND)) {
        return "a public comment of somebody who is no agent";
    }
    if (d->split_suggested && !is_append(d)) {
        return "splits what it does not append";
    }
    if (d->requester != NULL && d->requester[0] != '\0' &&
        (!is_new(d) ||
         !(desk->forward_anybody || (desk->forward_agents && facts->is_agent)))) {
        return "opens in a name that its desk does not allow";
    }
    return NULL;
}

int tkt_decisions_check(const struct tkt_decisions *d, const struct tkt_facts *facts,
                        struct tkt_err *err)
{
    if (d->count != facts->desk_count) {
        return tkt_err_set(err, TKT_ERR_PERM, "decisions: %zu for %zu desks", d->count,
                           facts->desk_count);
    }
    for (size_t i = 0; i < d->count; i++) {
        const char *why = complaint_of_tickets(&d->items[i], facts, &facts->desks[i]);
        if (why == NULL) {
            why = complaint_of_effects(&d->items[i], facts, &facts->desks[i]);
        }
        if (why != NULL) {
            return tkt_err_set(err, TKT_ERR_PERM, "decision for %s: %s",
                               facts->desks[i].name, why);
        }
    }
    return 0;
}
