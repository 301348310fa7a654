/* SPDX-License-Identifier: BSD-2-Clause
 * What a decision may say about these facts: ticketd asks it of every child's answer.
 */
#include "decide/decide.h"

#include <string.h>

#define REQUESTER_MAX 320

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
    bool proved =
        d->assurance == TKT_ASSURANCE_LOGIN || d->assurance == TKT_ASSURANCE_PASS;

    if (d->acknowledge &&
        (d->assurance == TKT_ASSURANCE_FAIL || (desk->acknowledge_proved && !proved))) {
        return "acknowledges what its desk does not";
    }
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
    if (d->correlate != NULL &&
        (strlen(d->correlate) > TKT_CORRELATE_KEY_MAX ||
         (d->correlate[0] == '\0' &&
          (d->recovers || (d->correlate_by != NULL && d->correlate_by[0] != '\0'))))) {
        return "correlates by no key, or by too long a one";
    }
    return NULL;
}

/* In whose name. Of a forward the author's; of a rule the one it names. */
static const char *complaint_of_requester(const struct tkt_decision *d,
                                          const struct tkt_facts *facts,
                                          const struct tkt_desk_facts *desk)
{
    const char *address = d->requester == NULL ? "" : d->requester;
    bool forwards = desk->forward_anybody || (desk->forward_agents && facts->is_agent);

    if (address[0] == '\0') {
        return NULL;
    }
    if (!is_new(d) || !(forwards || !(desk->never & TKT_NEVER_REQUESTER))) {
        return "opens in a name that its desk does not allow";
    }
    return strlen(address) <= REQUESTER_MAX && strchr(address, '@') != NULL
               ? NULL
               : "opens in the name of what is no address";
}

static bool is_field_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= TKT_FIELD_NAME_MAX && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static const char *complaint_of_fields(const struct tkt_decision *d)
{
    for (size_t i = 0; i < d->field_count; i++) {
        if (!is_field_name(d->fields[i].name) ||
            strlen(d->fields[i].value) > TKT_FIELD_VALUE_MAX) {
            return "has a field that is none";
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(d->fields[k].name, d->fields[i].name) == 0) {
                return "has a field twice";
            }
        }
    }
    for (size_t i = 0; i < d->missing.count; i++) {
        if (!is_field_name(d->missing.items[i])) {
            return "misses a field that is none";
        }
    }
    return NULL;
}

/* What only rules do. */
static const char *complaint_of_policy(const struct tkt_decision *d,
                                       const struct tkt_desk_facts *desk)
{
    if ((d->refused_by_rule && (desk->never & TKT_NEVER_REFUSE)) ||
        (d->ignored_by_rule && (desk->never & TKT_NEVER_IGNORE))) {
        return "refuses or ignores what no rule does";
    }
    if ((d->refused_by_rule || d->ignored_by_rule) && !is_new(d) && !is_append(d)) {
        return "refuses or ignores what is refused already";
    }
    if (d->refuse_text != NULL && strlen(d->refuse_text) > TKT_REFUSE_TEXT_MAX) {
        return "refuses with a text that is too long";
    }
    if (d->priority < 1 || d->priority > 5 || d->urgency < 0 || d->urgency > 3 ||
        d->impact < 0 || d->impact > 3) {
        return "has a priority that there is not";
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
        if (why == NULL) {
            why = complaint_of_requester(&d->items[i], facts, &facts->desks[i]);
        }
        if (why == NULL) {
            why = complaint_of_policy(&d->items[i], &facts->desks[i]);
        }
        if (why == NULL) {
            why = complaint_of_fields(&d->items[i]);
        }
        if (why != NULL) {
            return tkt_err_set(err, TKT_ERR_PERM, "decision for %s: %s",
                               facts->desks[i].name, why);
        }
    }
    return 0;
}
