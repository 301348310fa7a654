/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts.h"

#include "base/enc.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

/* Tickets that one Message-ID may name: a message copied to several desks. */
#define REFERENCE_TICKETS 8

struct gather {
    const struct tkt_facts_in *in;
    struct tkt_reader *reader;
    struct tkt_facts *facts;
    char from[TKT_KEYSCAN_ADDR_MAX + 1]; /* lower case */
    struct tkt_err *err;
};

const char *tkt_conf_itsm_type(const struct tkt_conf *conf, const char *itsm)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        if (strcmp(conf->itsms[i].name, itsm) == 0) {
            return conf->itsms[i].type;
        }
    }
    return "local";
}

bool tkt_conf_itsm_is_local(const struct tkt_conf *conf, const char *itsm)
{
    return strcmp(tkt_conf_itsm_type(conf, itsm), "local") == 0;
}

static char *keep(struct gather *g, const char *text)
{
    return tkt_wire_arena_strdup(&g->facts->arena, text, strlen(text));
}

/* Candidates come strongest evidence first: a ticket already there keeps its place. */
static int add_candidate(struct gather *g, const struct tkt_reader_ticket *t,
                         enum tkt_evidence evidence, bool bound)
{
    struct tkt_facts *f = g->facts;

    for (size_t i = 0; i < f->candidate_count; i++) {
        if (f->candidates[i].ticket == t->ticket) {
            f->candidates[i].bound_to_sender |= bound;
            return 0;
        }
    }
    if (f->candidate_count == TKT_FACTS_CANDIDATES_MAX) {
        return 0;
    }
    struct tkt_candidate *c = &f->candidates[f->candidate_count];
    *c = (struct tkt_candidate){.ticket = t->ticket,
                                .id = keep(g, t->id),
                                .desk = keep(g, t->desk),
                                .evidence = evidence,
                                .state = t->state,
                                .bound_to_sender = bound,
                                .is_participant = t->is_participant};
    if (!c->id || !c->desk) {
        return tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
    }
    f->candidate_count++;
    return 0;
}

static int add_token(struct gather *g, const char *text, enum tkt_evidence evidence)
{
    struct tkt_token token;
    struct tkt_reader_ticket t;

    if (tkt_token_verify(g->in->keys, text, strlen(text), g->in->now_s, &token) !=
        TKT_TOKEN_VALID) {
        return 0;
    }
    int found = tkt_reader_by_row(g->reader, token.ticket, g->from, &t, g->err);
    if (found <= 0) {
        return found;
    }
    return add_candidate(g, &t, evidence, tkt_token_is_for(g->in->keys, &token, g->from));
}

static int from_recipients(struct gather *g)
{
    for (size_t i = 0; i < g->in->rcpt_count; i++) {
        char token[TKT_TOKEN_LEN + 1];
        char base[1024];

        if (tkt_token_split(g->in->rcpts[i], g->in->conf->token.separator[0], token, base,
                            sizeof(base)) &&
            add_token(g, token, TKT_EVIDENCE_TOKEN) < 0) {
            return -1;
        }
    }
    return 0;
}

static int from_own_ids(struct gather *g, const struct tkt_strings *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        char token[TKT_TOKEN_LEN + 1];

        if (tkt_token_from_message_id(ids->items[i], g->in->conf->hostname, token) &&
            add_token(g, token, TKT_EVIDENCE_OWN_ID) < 0) {
            return -1;
        }
    }
    return 0;
}

static int from_references(struct gather *g, const struct tkt_strings *ids)
{
    for (size_t i = ids->count; i-- > 0;) { /* the last one is the parent */
        struct tkt_reader_ticket found[REFERENCE_TICKETS];
        unsigned char hash[TKT_SHA256_LEN];

        tkt_sha256(ids->items[i], strlen(ids->items[i]), hash);
        int n = tkt_reader_by_reference(g->reader, hash, g->from, found,
                                        REFERENCE_TICKETS, g->err);
        if (n < 0) {
            return -1;
        }
        for (int k = 0; k < n; k++) {
            if (add_candidate(g, &found[k], TKT_EVIDENCE_REFERENCE, false) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int from_subject(struct gather *g, const struct tkt_strings *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        struct tkt_reader_ticket t;
        int found = tkt_reader_by_id(g->reader, ids->items[i], g->from, &t, g->err);

        if (found < 0 ||
            (found && add_candidate(g, &t, TKT_EVIDENCE_SUBJECT, false) < 0)) {
            return -1;
        }
    }
    return 0;
}

bool tkt_facts_is_agent(const struct tkt_conf *conf, const char *from)
{
    for (size_t i = 0; i < conf->group_count; i++) {
        for (size_t k = 0; k < conf->groups[i].members.count; k++) {
            if (tkt_ascii_ieq(conf->groups[i].members.items[k], from)) {
                return true;
            }
        }
    }
    return false;
}

static int add_sender(struct gather *g)
{
    struct tkt_facts *f = g->facts;
    const char *login = *g->in->auth_login ? g->in->auth_login : g->in->tls_subject;

    f->null_sender = *g->in->sender == '\0';
    f->auth_login = keep(g, login);
    f->login_is_from = *g->from && tkt_ascii_ieq(login, g->from);
    f->is_agent = *g->from && tkt_facts_is_agent(g->in->conf, g->from);
    return f->auth_login ? 0 : tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
}

static int add_desks(struct gather *g)
{
    struct tkt_facts *f = g->facts;

    f->desk_count = TKT_MIN(g->in->desk_count, TKT_FACTS_DESKS_MAX);
    f->desks = tkt_wire_arena_alloc(&f->arena, (f->desk_count + 1) * sizeof(*f->desks));
    if (!f->desks) {
        return tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
    }
    for (size_t i = 0; i < f->desk_count; i++) {
        const struct tkt_conf_desk *d = g->in->desks[i];

        f->desks[i] = (struct tkt_desk_facts){
            .name = keep(g, d->name),
            .group = keep(g, d->group),
            .type = keep(g, d->type),
            .priority = (int)d->priority,
            .reopen_closed = d->closed == TKT_CLOSED_REOPEN,
            .refuse_closed = d->closed == TKT_CLOSED_REFUSE,
            .forward_agents = d->forward == TKT_FORWARD_REQUESTER,
            .forward_anybody = d->forward == TKT_FORWARD_ANYBODY,
            .opens = tkt_class_bits(d->opens.items, d->opens.count),
            .changes_state =
                tkt_class_bits(d->changes_state.items, d->changes_state.count),
            .acknowledges = tkt_class_bits(d->acknowledges.items, d->acknowledges.count),
            .local_itsm = tkt_conf_itsm_is_local(g->in->conf, d->itsm)};
        if (!f->desks[i].name || !f->desks[i].group || !f->desks[i].type) {
            return tkt_err_set(g->err, TKT_ERR_TEMP, "facts: no memory");
        }
    }
    return 0;
}

int tkt_facts_gather(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                     struct tkt_err *err)
{
    struct gather g = {.in = arg, .facts = facts, .err = err};

    g.reader = tkt_tools_reader(g.in->tools, err);
    if (!g.reader) {
        return -1;
    }
    snprintf(g.from, sizeof(g.from), "%s", msg->from.address);
    tkt_ascii_lower(g.from);
    facts->candidates = tkt_wire_arena_alloc(
        &facts->arena, TKT_FACTS_CANDIDATES_MAX * sizeof(*facts->candidates));
    if (!facts->candidates) {
        return tkt_err_set(err, TKT_ERR_TEMP, "facts: no memory");
    }
    if (add_sender(&g) < 0 || add_desks(&g) < 0 || from_recipients(&g) < 0 ||
        from_own_ids(&g, &msg->in_reply_to) < 0 ||
        from_own_ids(&g, &msg->references) < 0 ||
        from_references(&g, &msg->in_reply_to) < 0 ||
        from_references(&g, &msg->references) < 0 ||
        from_subject(&g, &msg->subject_ids) < 0) {
        return -1;
    }
    return 0;
}
