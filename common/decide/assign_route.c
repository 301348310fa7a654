/* SPDX-License-Identifier: BSD-2-Clause
 * The group by category or department. It runs in ticketd, behind the decision, so that
 * the maps need not travel with each message.
 */
#include "base/enc.h"
#include "decide/assign.h"

#include <string.h>

static bool said_by_rule(const struct tkt_decision *d)
{
    for (size_t i = 0; i < d->reason_count; i++) {
        const struct tkt_reason *r = &d->reasons[i];
        if (r->source == TKT_SOURCE_RULE && !r->overruled && !r->is_error &&
            strcmp(r->field, "group") == 0) {
            return true;
        }
    }
    return false;
}

static const struct tkt_roster_group *group_with(const struct tkt_roster *roster,
                                                 bool by_department, const char *word)
{
    for (size_t i = 0; word != NULL && word[0] != '\0' && i < roster->group_count; i++) {
        const struct tkt_roster_group *g = &roster->groups[i];
        const struct tkt_strings *list = by_department ? &g->departments : &g->categories;
        for (size_t k = 0; k < list->count; k++) {
            if (tkt_ascii_ieq(list->items[k], word)) {
                return g;
            }
        }
    }
    return NULL;
}

const struct tkt_roster_group *tkt_assign_group_of(const struct tkt_roster *roster,
                                                   const char *category)
{
    return roster == NULL ? NULL : group_with(roster, false, category);
}

bool tkt_assign_is_open(const struct tkt_decision *d)
{
    for (size_t i = 0; i < d->reason_count; i++) {
        const struct tkt_reason *r = &d->reasons[i];
        if (strcmp(r->field, "group") == 0 && r->source == TKT_SOURCE_DESK &&
            !r->overruled && strcmp(r->by, "subcategory") == 0) {
            return false;
        }
    }
    return !said_by_rule(d);
}

static char *copy(struct tkt_wire_arena *arena, const char *s)
{
    return tkt_wire_arena_strdup(arena, s, strlen(s));
}

/* The decision came out of its packet: its reasons are as many as they are. */
static int add_reason(struct tkt_decision *d, struct tkt_wire_arena *arena,
                      enum tkt_source source, const char *by, const char *value)
{
    if (d->reason_count >= TKT_DECISION_REASONS_MAX) {
        return 0;
    }
    struct tkt_reason *all =
        tkt_wire_arena_alloc(arena, (d->reason_count + 1) * sizeof(*all));
    if (all == NULL) {
        return -1;
    }
    if (d->reason_count > 0) {
        memcpy(all, d->reasons, d->reason_count * sizeof(*all));
    }
    struct tkt_reason *r = &all[d->reason_count];
    *r = (struct tkt_reason){.source = source,
                             .by = copy(arena, by),
                             .field = copy(arena, "group"),
                             .value = copy(arena, value)};
    if (r->by == NULL || r->field == NULL || r->value == NULL) {
        return -1;
    }
    for (size_t i = 0; i < d->reason_count; i++) {
        all[i].overruled |= !all[i].is_error && strcmp(all[i].field, "group") == 0;
    }
    d->reasons = all;
    d->reason_count++;
    return 0;
}

int tkt_assign_route(const struct tkt_roster *roster, const char *department,
                     struct tkt_decision *d, struct tkt_wire_arena *arena)
{
    enum tkt_source source = TKT_SOURCE_DESK;
    const char *by = "subcategory";

    if (roster == NULL || said_by_rule(d)) {
        return 0;
    }
    const struct tkt_roster_group *g = group_with(roster, false, d->subcategory);
    if (g == NULL) {
        by = "category";
        g = group_with(roster, false, d->category);
    }
    if (g == NULL) {
        source = TKT_SOURCE_DIRECTORY;
        by = "department";
        /* a From that is known to be forged has no department */
        g = d->assurance == TKT_ASSURANCE_FAIL ? NULL
                                               : group_with(roster, true, department);
    }
    if (g == NULL || (d->group != NULL && strcmp(d->group, g->name) == 0)) {
        return 0;
    }
    char *name = copy(arena, g->name);
    if (name == NULL) {
        return -1;
    }
    d->group = name;
    return add_reason(d, arena, source, by, g->name);
}
