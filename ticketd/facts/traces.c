/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts/traces.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

bool tkt_traces_has_print(const struct tkt_facts_found *found,
                          const struct tkt_message *msg)
{
    return msg->print != 0 && !found->is_own && msg->class != TKT_CLASS_OWN &&
           msg->class != TKT_CLASS_BOUNCE && msg->class != TKT_CLASS_DELAY;
}

static int list_logos(const struct tkt_facts_found *found, const struct tkt_message *msg,
                      struct tkt_wire_arena *arena, struct tkt_strings *out)
{
    size_t count = TKT_MIN(msg->attachment_count, (size_t)64);

    if (found->learned.logos == 0) {
        return 0;
    }
    out->items = tkt_wire_arena_alloc(arena, count * sizeof(*out->items));
    if (!out->items) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (found->learned.logos >> i & 1) {
            out->items[out->count++] = msg->attachments[i].part;
        }
    }
    return 0;
}

int tkt_traces_make(const struct tkt_facts_found *found, const struct tkt_message *msg,
                    struct tkt_wire_arena *arena, struct tkt_store_traces *out,
                    struct tkt_err *err)
{
    *out = (struct tkt_store_traces){
        .named = found->named,
        .named_count = found->named_count,
        .foreign_scope = found->scope,
        .foreign_ids = &msg->foreign_ids,
        .print = tkt_traces_has_print(found, msg) ? msg->print : 0,
        .tail_lines = found->learned.tail_lines};
    return list_logos(found, msg, arena, &out->logos) < 0
               ? tkt_err_set(err, TKT_ERR_TEMP, "traces: no memory")
               : 0;
}

static bool is_named_by_a_rule(const struct tkt_conf *conf, const char *address)
{
    for (size_t i = 0; i < conf->rule_count; i++) {
        if (tkt_ascii_ieq(conf->rules[i].set_requester, address)) {
            return true;
        }
    }
    return false;
}

const char *tkt_traces_requester(const struct tkt_settings *set,
                                 const struct tkt_conf_desk *desk, const char *from,
                                 const struct tkt_decision *d,
                                 struct tkt_wire_arena *arena)
{
    size_t sub;

    if (!d || !d->requester || !*d->requester ||
        tkt_wire_desk_find(set->desk_index, d->requester, &sub)) {
        return NULL;
    }
    bool forwards =
        desk->forward == TKT_FORWARD_ANYBODY ||
        (desk->forward == TKT_FORWARD_REQUESTER && tkt_facts_is_agent(set->conf, from));
    if (!forwards && !is_named_by_a_rule(set->conf, d->requester)) {
        return NULL;
    }
    char *lower = tkt_wire_arena_strdup(arena, d->requester, strlen(d->requester));
    if (lower) {
        tkt_ascii_lower(lower);
    }
    return lower; /* without memory it stays in the author's name */
}
