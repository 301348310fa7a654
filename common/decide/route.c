/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/route.h"

#include "base/enc.h"
#include "base/util.h"
#include "decide/correlate.h"
#include "decide/model_route.h"
#include "decide/policy.h"
#include "decide/priority.h"
#include "decide/rules.h"

#include <string.h>

static char *copy(struct tkt_wire_arena *arena, const char *s)
{
    return tkt_wire_arena_strdup(arena, s == NULL ? "" : s, s == NULL ? 0 : strlen(s));
}

static int copy_words(struct tkt_wire_arena *arena, const struct tkt_strings *from,
                      struct tkt_strings *to)
{
    size_t count =
        from->count < TKT_DECISION_KEYWORDS_MAX ? from->count : TKT_DECISION_KEYWORDS_MAX;

    *to = (struct tkt_strings){NULL, 0};
    if (count == 0) {
        return 0;
    }
    to->items = tkt_wire_arena_alloc(arena, count * sizeof(*to->items));
    if (to->items == NULL) {
        return -1;
    }
    for (; to->count < count; to->count++) {
        const char *word = from->items[to->count] == NULL ? "" : from->items[to->count];
        size_t n = tkt_utf8_cut(word, strlen(word), TKT_REASON_WORD_MAX);
        to->items[to->count] = tkt_wire_arena_strdup(arena, word, n);
        if (to->items[to->count] == NULL) {
            return -1;
        }
    }
    return 0;
}

/* The priority's steps ask the reasons who set a field, and so do persons who wonder: there
 * is always room for what took effect. A field, a tag, and what was not done, may be left
 * out. */
static bool takes_effect(const struct tkt_reason *reason)
{
    static const char *const fields[] = {"type",   "category", "subcategory", "service",
                                         "group",  "assignee", "itsm",        "urgency",
                                         "impact", "priority", "requester",   "refuse",
                                         "ignore", "ask_llm",  "correlate"};

    for (size_t i = 0; !reason->overruled && !reason->is_error && reason->field != NULL &&
                       i < TKT_ARRAY_LEN(fields);
         i++) {
        if (strcmp(reason->field, fields[i]) == 0) {
            return true;
        }
    }
    return false;
}

#define EFFECTS_MAX 24 /* each of the fields once, and what priority has to say */
#define ERRORS_MAX 8

static size_t room_for(const struct tkt_reason *reason)
{
    return takes_effect(reason) ? TKT_DECISION_REASONS_MAX
           : reason->is_error   ? TKT_DECISION_REASONS_MAX - EFFECTS_MAX
                                : TKT_DECISION_REASONS_MAX - EFFECTS_MAX - ERRORS_MAX;
}

int tkt_reason_add(struct tkt_decision *d, struct tkt_wire_arena *arena,
                   const struct tkt_reason *reason)
{
    if (d->reason_count >= room_for(reason)) {
        return 0;
    }
    if (d->reasons == NULL) {
        d->reasons =
            tkt_wire_arena_alloc(arena, TKT_DECISION_REASONS_MAX * sizeof(*d->reasons));
        if (d->reasons == NULL) {
            return -1;
        }
    }
    struct tkt_reason *r = &d->reasons[d->reason_count];
    *r = *reason;
    r->by = copy(arena, reason->by);
    r->field = copy(arena, reason->field);
    r->value = copy(arena, reason->value);
    if (r->by == NULL || r->field == NULL || r->value == NULL ||
        copy_words(arena, &reason->words, &r->words) < 0) {
        return -1;
    }
    d->reason_count++;
    return 0;
}

int tkt_route(const struct tkt_question *q, struct tkt_decision *d,
              struct tkt_wire_arena *arena)
{
    if (q->by == NULL) {
        return tkt_correlate_step(q, d, arena);
    }
    if (tkt_model_step(q, d, arena) < 0) {
        return -1;
    }
    if (q->by->rules != NULL && tkt_rules_route(q, q->by->rules, d, arena) < 0) {
        return -1;
    }
    return tkt_priority_step(q, d, arena) < 0 || tkt_correlate_step(q, d, arena) < 0 ? -1
                                                                                     : 0;
}
