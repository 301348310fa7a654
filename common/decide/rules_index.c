/* SPDX-License-Identifier: BSD-2-Clause
 * Which rules have to be tried once an item was seen. A rule that is tried only then must
 * have a condition that cannot hold before: one of items that all have literals.
 */
#include "decide/rules_private.h"

#include <stdlib.h>
#include <string.h>

struct trigger {
    uint32_t item;
    uint32_t rule;
};

/* All its items are only there where the automaton has seen something. */
static bool can_trigger(const struct tkt_rules *r, const struct tkt_condition *c)
{
    if (c->kind != TKT_CONDITION_ITEMS || c->wanted == 0) {
        return false;
    }
    for (size_t i = 0; i < c->use_count; i++) {
        if (!c->uses[i].excludes && !r->items[c->uses[i].item].indexed) {
            return false;
        }
    }
    return true;
}

/* Of conditions that must all hold one suffices to say when the rule is due; of those of
 * which any may hold, all must be able to. */
static bool is_always_due(const struct tkt_rules *r, const struct tkt_rule *rule)
{
    size_t able = 0;

    for (size_t i = 0; i < rule->condition_count; i++) {
        able += can_trigger(r, &rule->conditions[i]);
    }
    return able == 0 || (rule->match_any && able < rule->condition_count);
}

/* The conditions whose items make the rule due: all when any may hold; else the one with
 * the fewest items, for it is there least often. */
static bool triggers(const struct tkt_rules *r, const struct tkt_rule *rule, size_t at)
{
    const struct tkt_condition *c = &rule->conditions[at];

    if (rule->always || !can_trigger(r, c)) {
        return false;
    }
    for (size_t i = 0; !rule->match_any && i < rule->condition_count; i++) {
        const struct tkt_condition *other = &rule->conditions[i];
        if (i != at && can_trigger(r, other) &&
            (other->wanted < c->wanted || (other->wanted == c->wanted && i < at))) {
            return false;
        }
    }
    return true;
}

/* With out NULL: counts. */
static size_t list_triggers(const struct tkt_rules *r, struct trigger *out)
{
    size_t count = 0;

    for (uint32_t i = 0; i < r->rule_count; i++) {
        const struct tkt_rule *rule = &r->rules[i];
        for (size_t k = 0; k < rule->condition_count; k++) {
            const struct tkt_condition *c = &rule->conditions[k];
            for (size_t u = 0; triggers(r, rule, k) && u < c->use_count; u++) {
                if (c->uses[u].excludes) {
                    continue;
                }
                if (out != NULL) {
                    out[count] = (struct trigger){c->uses[u].item, i};
                }
                count++;
            }
        }
    }
    return count;
}

int tkt_rules_index(struct tkt_rules *r)
{
    for (size_t i = 0; i < r->rule_count; i++) {
        r->rules[i].always = is_always_due(r, &r->rules[i]);
    }
    size_t count = list_triggers(r, NULL);
    struct trigger *all = calloc(count + 1, sizeof(*all));
    uint32_t *starts = calloc(r->item_count + 2, sizeof(*starts));
    uint32_t *values = calloc(count + 1, sizeof(*values));

    r->item_rules = (struct tkt_lists){starts, values};
    if (all == NULL || starts == NULL || values == NULL) {
        free(all);
        return -1;
    }
    list_triggers(r, all);
    for (size_t i = 0; i < count; i++) {
        starts[all[i].item + 2]++;
    }
    for (size_t i = 2; i <= r->item_count + 1; i++) {
        starts[i] += starts[i - 1];
    }
    for (size_t i = 0; i < count; i++) {
        values[starts[all[i].item + 1]++] = all[i].rule;
    }
    free(all);
    size_t bytes = (r->rule_count / 64 + 1) * sizeof(*r->always);
    r->always = tkt_wire_arena_alloc(&r->arena, bytes);
    if (r->always == NULL) {
        return -1;
    }
    memset(r->always, 0, bytes);
    for (size_t i = 0; i < r->rule_count; i++) {
        r->always[i / 64] |= (uint64_t)r->rules[i].always << i % 64;
    }
    return 0;
}
