/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts/participants.h"

#include "base/enc.h"
#include "base/util.h"
#include "ticketd/facts/facts.h"

#include <string.h>

struct list {
    const struct tkt_settings *set;
    struct tkt_wire_arena *arena;
    struct tkt_store_participant *items;
    size_t count;
};

static void add(struct list *l, const char *address, const char *role)
{
    size_t sub;

    if (!*address || l->count == TKT_PARTICIPANTS_MAX ||
        tkt_wire_desk_find(l->set->desk_index, address, &sub)) {
        return;
    }
    char *lower = tkt_wire_arena_strdup(l->arena, address, strlen(address));
    if (lower) {
        tkt_ascii_lower(lower);
        l->items[l->count++] =
            (struct tkt_store_participant){.address = lower, .role = role};
    }
}

int tkt_participants_make(const struct tkt_settings *set, const struct tkt_message *msg,
                          const char *from, struct tkt_wire_arena *arena,
                          const struct tkt_store_participant **out, size_t *count,
                          struct tkt_err *err)
{
    struct list l = {.set = set, .arena = arena};
    const char *author = msg ? msg->from.address : from;
    size_t most = 1 + (msg ? msg->to.count + msg->cc.count : 0);

    l.items = tkt_wire_arena_alloc(arena, TKT_MIN(most, (size_t)TKT_PARTICIPANTS_MAX) *
                                              sizeof(*l.items));
    if (!l.items) {
        return tkt_err_set(err, TKT_ERR_TEMP, "participants: no memory");
    }
    add(&l, author, tkt_facts_is_agent(set->conf, author) ? "agent" : "from");
    for (size_t i = 0; msg && i < msg->to.count; i++) {
        add(&l, msg->to.items[i].address, "to");
    }
    for (size_t i = 0; msg && i < msg->cc.count; i++) {
        add(&l, msg->cc.items[i].address, "cc");
    }
    *out = l.items;
    *count = l.count;
    return 0;
}
