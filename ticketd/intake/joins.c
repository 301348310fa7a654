/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/joins.h"

#include "base/enc.h"
#include "base/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A kind and what is one within it. */
static void make_key(const char *kind, const char *what, struct tkt_store_join *out)
{
    unsigned char hash[TKT_SHA256_LEN];
    struct tkt_sha256 h;

    tkt_sha256_init(&h);
    tkt_sha256_add(&h, kind, strlen(kind) + 1);
    tkt_sha256_add(&h, what, strlen(what));
    tkt_sha256_final(&h, hash);
    memcpy(out->key, hash, sizeof(out->key));
}

/* Another desk's field, or our own mail that came back. A field of ours that verifies is
 * the same message again: its key finds its ticket. */
static bool is_from_a_desk(const struct tkt_request *req)
{
    for (size_t i = 0; i < req->wire.field_count; i++) {
        if (tkt_ascii_ieqn(req->wire.fields[i].name, "X-Ticket-", 9) &&
            !(req->field_is_valid && req->field_is_valid[i])) {
            return true;
        }
    }
    return req->analysed && req->found.is_own;
}

void tkt_joins_keep_quiet(struct tkt_request *req)
{
    bool quiet = req->analysed && is_from_a_desk(req);

    for (size_t i = 0; quiet && i < req->analysis.decisions.count; i++) {
        req->analysis.decisions.items[i].acknowledge = false;
    }
}

static const struct tkt_conf_correlate *section_of(const struct tkt_conf *conf,
                                                   const char *name)
{
    for (size_t i = 0; i < conf->correlate_count; i++) {
        if (strcmp(conf->correlates[i].name, name) == 0) {
            return &conf->correlates[i];
        }
    }
    return NULL;
}

/* Who may say that an alarm is over: that hides what nobody looked at yet. */
static bool is_believed(const struct tkt_request *req, const struct tkt_decision *c)
{
    const struct tkt_conf_list *own = &req->set->conf->own_networks;

    return c->assurance <= TKT_ASSURANCE_PASS ||
           tkt_networks_have(own->items, own->count, req->wire.client_addr);
}

static enum tkt_store_effect effect_of(const struct tkt_request *req,
                                       const struct tkt_decision *c,
                                       const struct tkt_conf_correlate *section)
{
    if (!c->recovers) {
        return TKT_EFFECT_NONE;
    }
    if (section->recovery_verified && !is_believed(req, c)) {
        return TKT_EFFECT_OVER;
    }
    switch (section->on_recovery) {
    case TKT_RECOVERY_RESOLVE:
        return TKT_EFFECT_RESOLVE;
    case TKT_RECOVERY_COMMENT:
        return TKT_EFFECT_COMMENT;
    case TKT_RECOVERY_NONE:
        break;
    }
    return TKT_EFFECT_OVER;
}

static bool add_alarm(struct tkt_request *req, size_t i, const struct tkt_decision *c,
                      struct tkt_store_join *out)
{
    const struct tkt_conf_correlate *section =
        section_of(req->set->conf, c->correlate_by);
    bool same_text = c->correlate_by[0] == '\0';

    if (c->correlate[0] == '\0' || (!same_text && !section) ||
        (same_text && req->desks[i]->join_window_ms == 0)) {
        return false;
    }
    *out = (struct tkt_store_join){
        .name = c->correlate,
        .window_ms = section ? section->window_ms : req->desks[i]->join_window_ms,
        .after = 1,
        .effect = section ? effect_of(req, c, section) : TKT_EFFECT_NONE};
    make_key("alarm", c->correlate, out);
    return true;
}

/* Answers of people who do not take part: one linked ticket each, until it is a storm. */
static bool add_storm(struct tkt_request *req, size_t i, const struct tkt_decision *c,
                      struct tkt_store_join *out)
{
    char ticket[24];

    if (c->action != TKT_ACTION_NEW_LINKED || req->desks[i]->storm_senders == 0) {
        return false;
    }
    *out = (struct tkt_store_join){.name = "a storm of answers",
                                   .window_ms = req->desks[i]->storm_window_ms,
                                   .after = req->desks[i]->storm_senders,
                                   .into = c->ticket,
                                   .effect = TKT_EFFECT_UNVERIFIED};
    snprintf(ticket, sizeof(ticket), "%" PRId64, c->ticket);
    make_key("storm", ticket, out);
    return true;
}

static bool add_loop(struct tkt_request *req, size_t i, struct tkt_store_join *out)
{
    enum tkt_class class = req->analysis.msg.class;

    if (req->desks[i]->loop_max == 0 || !*req->scan.from ||
        !(is_from_a_desk(req) || class == TKT_CLASS_AUTO_REPLY ||
          class == TKT_CLASS_CHALLENGE)) {
        return false;
    }
    *out = (struct tkt_store_join){.name = "a loop between two desks",
                                   .window_ms = req->desks[i]->storm_window_ms,
                                   .after = req->desks[i]->loop_max,
                                   .effect = TKT_EFFECT_OVER};
    make_key("loop", req->scan.from, out);
    return true;
}

int tkt_joins_make(struct tkt_request *req, size_t i, struct tkt_store_desk_in *in,
                   struct tkt_err *err)
{
    const struct tkt_decision *c = in->decision;

    if (!req->analysed || !c || c->assurance == TKT_ASSURANCE_FAIL) {
        return 0;
    }
    struct tkt_store_join *joins =
        tkt_wire_arena_alloc(&req->arena, TKT_STORE_JOINS_MAX * sizeof(*joins));
    if (!joins) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    in->joins = joins;
    in->join_count += add_alarm(req, i, c, &joins[in->join_count]);
    in->join_count += add_storm(req, i, c, &joins[in->join_count]);
    in->join_count += add_loop(req, i, &joins[in->join_count]);
    return 0;
}
