/* SPDX-License-Identifier: BSD-2-Clause
 * Sections of the configuration into rules.
 */
#include "base/util.h"
#include "decide/rules_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAIN_SET "main"

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "rules: no memory");
}

static void *make(struct tkt_rules *r, size_t count, size_t size)
{
    void *p = tkt_wire_arena_alloc(&r->arena, (count + 1) * size);

    if (p != NULL) {
        memset(p, 0, (count + 1) * size);
    }
    return p;
}

static size_t count_sections(const struct tkt_sections *all, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        count += strcmp(all->items[i].name, name) == 0;
    }
    return count;
}

static int64_t number(const struct tkt_section *s, const char *key, int64_t otherwise)
{
    const char *v = tkt_section_value(s, key, NULL);

    return v == NULL ? otherwise : strtoll(v, NULL, 10);
}

static void take_list(const struct tkt_section *s, const char *key,
                      const char *const **items, size_t *count)
{
    const struct tkt_section_key *k = tkt_section_key(s, key);

    *items = k == NULL ? NULL : (const char *const *)k->values;
    *count = k == NULL ? 0 : k->count;
}

/* ---- sets ---- */

static void read_set(const struct tkt_section *s, struct tkt_rule_set *out)
{
    const char *mode = tkt_section_value(s, "mode", "all");

    out->name = s->title;
    out->mode = strcmp(mode, "first") == 0  ? TKT_RULE_FIRST
                : strcmp(mode, "best") == 0 ? TKT_RULE_BEST
                                            : TKT_RULE_ALL;
    out->min_score = number(s, "min_score", 10);
    out->min_lead = number(s, "min_lead", 1);
    out->min_ratio = number(s, "min_ratio", 100);
    take_list(s, "if_desk", &out->desks, &out->desk_count);
}

static int read_sets(struct tkt_rules *r, const struct tkt_sections *all,
                     struct tkt_err *err)
{
    size_t count = count_sections(all, "rules");
    bool has_main = false;

    if (count >= TKT_RULES_SETS_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF, "more than %d sections rules",
                           TKT_RULES_SETS_MAX - 1);
    }
    r->sets = make(r, count + 1, sizeof(*r->sets));
    if (r->sets == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].name, "rules") == 0) {
            read_set(&all->items[i], &r->sets[r->set_count++]);
            has_main |= strcmp(all->items[i].title, MAIN_SET) == 0;
        }
    }
    if (!has_main) {
        r->sets[r->set_count++] =
            (struct tkt_rule_set){.name = MAIN_SET, .mode = TKT_RULE_ALL};
    }
    return 0;
}

/* ---- rules ---- */

static bool has(const struct tkt_section *s, const char *key)
{
    return tkt_section_value(s, key, "")[0] != '\0';
}

static const char *const outcome_keys[] = {"set_category", "set_group", "set_type"};

static uint64_t outcome_hash(const struct tkt_section *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < TKT_ARRAY_LEN(outcome_keys); i++) {
        const char *p = tkt_section_value(s, outcome_keys[i], "");
        do {
            h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
        } while (*p++ != '\0');
    }
    return h;
}

static int read_rule(struct tkt_rules *r, struct tkt_interner *in,
                     const struct tkt_section *s, struct tkt_rule *out,
                     struct tkt_err *err)
{
    out->name = s->title;
    out->from = s;
    out->match_any = strcmp(tkt_section_value(s, "match", "all"), "any") == 0;
    out->at_least = (unsigned)number(s, "at_least", 0);
    out->weight = (int)number(s, "weight", 10);
    out->stop = strcmp(tkt_section_value(s, "stop", "no"), "yes") == 0;
    out->outcome_hash = outcome_hash(s);
    out->decides = has(s, "set_category") || has(s, "set_group");
    return tkt_conditions_compile(r, in, out, err);
}

/* Neighbours in the order of the files, set by set. */
static int read_rules(struct tkt_rules *r, struct tkt_interner *in,
                      const struct tkt_sections *all, struct tkt_err *err)
{
    size_t count = count_sections(all, "rule");
    size_t placed = 0;

    if (count > TKT_RULES_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF, "more than %d rules", TKT_RULES_MAX);
    }
    r->rules = make(r, count, sizeof(*r->rules));
    if (r->rules == NULL) {
        return no_memory(err);
    }
    for (size_t k = 0; k < r->set_count; k++) {
        struct tkt_rule_set *set = &r->sets[k];
        set->first = (uint32_t)r->rule_count;
        for (size_t i = 0; i < all->count; i++) {
            const struct tkt_section *s = &all->items[i];
            if (strcmp(s->name, "rule") != 0 ||
                strcmp(tkt_section_value(s, "in", MAIN_SET), set->name) != 0) {
                continue;
            }
            if (read_rule(r, in, s, &r->rules[r->rule_count], err) < 0) {
                return -1;
            }
            r->rule_count++;
            placed++;
        }
        set->count = (uint32_t)r->rule_count - set->first;
    }
    return placed == count
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "a rule is in a set that is not there");
}

static bool same_outcome(const struct tkt_rule *a, const struct tkt_rule *b)
{
    if (a->outcome_hash != b->outcome_hash) {
        return false;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(outcome_keys); i++) {
        if (strcmp(tkt_section_value(a->from, outcome_keys[i], ""),
                   tkt_section_value(b->from, outcome_keys[i], "")) != 0) {
            return false;
        }
    }
    return true;
}

/* The first outcome so far that names the rule's group; its own where none does. */
static uint32_t camp_of(const struct tkt_rule *rule, const struct tkt_rule **of,
                        struct tkt_rule_set *set)
{
    const char *group = tkt_section_value(rule->from, "set_group", "");

    for (uint32_t i = 0; group[0] != '\0' && i < set->outcome_count; i++) {
        if (strcmp(tkt_section_value(of[i]->from, "set_group", ""), group) == 0) {
            return of[i]->camp;
        }
    }
    return set->camp_count++;
}

/* A set has few outcomes, however many rules: the first rule of each stands for it. */
static int number_outcomes(struct tkt_rules *r)
{
    for (size_t k = 0; k < r->set_count; k++) {
        struct tkt_rule_set *set = &r->sets[k];
        if (set->mode != TKT_RULE_BEST) {
            continue;
        }
        const struct tkt_rule **of = calloc(set->count + 1, sizeof(*of));
        if (of == NULL) {
            return -1;
        }
        for (uint32_t i = 0; i < set->count; i++) {
            struct tkt_rule *rule = &r->rules[set->first + i];
            uint32_t at = 0;
            while (rule->decides && at < set->outcome_count &&
                   !same_outcome(of[at], rule)) {
                at++;
            }
            rule->outcome = rule->decides ? at : TKT_RULES_NONE;
            if (rule->decides && at == set->outcome_count) {
                rule->camp = camp_of(rule, of, set);
                of[set->outcome_count++] = rule;
            }
            rule->camp = rule->decides ? of[at]->camp : 0;
        }
        free(of);
    }
    return 0;
}

/* ---- extracts, requirements ---- */

static const struct {
    const char *name;
    uint32_t zones;
} sources[] = {
    {"says", TKT_ZONES_SAYS},
    {"subject", TKT_ZONE_BIT(TKT_ZONE_SUBJECT)},
    {"reply", TKT_ZONE_BIT(TKT_ZONE_REPLY)},
    {"text", TKT_ZONES_TEXT},
    {"sender", TKT_ZONE_BIT(TKT_ZONE_SENDER)},
};

static uint32_t zones_of(const char *name)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(sources); i++) {
        if (strcmp(sources[i].name, name) == 0) {
            return sources[i].zones;
        }
    }
    return TKT_ZONES_SAYS;
}

static int fail_item(const struct tkt_section *s, const char *key,
                     const struct tkt_err *why, struct tkt_err *err)
{
    return why->class == TKT_ERR_CONF
               ? tkt_section_fail(s, tkt_section_key(s, key), err, "%s %s: %s: %s",
                                  s->name, s->title, key, why->text)
               : tkt_err_set(err, why->class, "%s", why->text);
}

/* As fields of a ticket are named. */
static bool is_field_name(const char *s)
{
    size_t n = strlen(s);

    return n > 0 && n <= 40 && s[0] >= 'a' && s[0] <= 'z' &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static int check_group_names(const struct tkt_rules *r, const struct tkt_extract *e,
                             const struct tkt_section *s, struct tkt_err *err)
{
    const struct tkt_regex *regex = r->items[e->item].regex;
    bool any = false;

    for (uint32_t g = 1; g <= tkt_regex_groups(regex); g++) {
        const char *name = tkt_regex_group_name(regex, g);
        if (name[0] != '\0' && !is_field_name(name)) {
            return tkt_section_fail(s, tkt_section_key(s, "pattern"), err,
                                    "extract %s: group %.40s: a field is named with a-z, "
                                    "0-9 and _, a letter first",
                                    s->title, name);
        }
        any |= name[0] != '\0';
    }
    if (!any && !is_field_name(e->field)) {
        return tkt_section_fail(s, NULL, err,
                                "extract %s: no group has a name, and field names none; "
                                "write (?<order_number>...) or field = \"order_number\"",
                                s->title);
    }
    return 0;
}

static int read_extract(struct tkt_rules *r, struct tkt_interner *in,
                        const struct tkt_section *s, struct tkt_extract *out,
                        struct tkt_err *err)
{
    struct tkt_err why = TKT_ERR_INIT;
    struct tkt_item_use use;
    TKT_AUTO_FREE char *text = NULL;
    const char *pattern = tkt_section_value(s, "pattern", "");

    out->name = s->title;
    out->field = tkt_section_value(s, "field", "");
    out->zones = zones_of(tkt_section_value(s, "from", "says"));
    take_list(s, "if_desk", &out->desks, &out->desk_count);
    if (pattern[0] == '\0') {
        return tkt_section_fail(s, NULL, err, "extract %s has no pattern; write one",
                                s->title);
    }
    /* "regex:" keeps a first ! in the pattern, and the empty weight what ends in ^5. */
    if (asprintf(&text, "regex:%s^1", pattern) < 0) {
        text = NULL;
        return no_memory(err);
    }
    const struct tkt_item_spec spec = {.otherwise = TKT_ITEM_REGEX,
                                       .zones = out->zones,
                                       .literals = tkt_section_key(s, "literals")};
    if (tkt_item_intern(in, text, &spec, &use, &why) < 0) {
        return fail_item(s, "pattern", &why, err);
    }
    out->item = use.item;
    r->zones |= out->zones;
    return check_group_names(r, out, s, err);
}

static int read_require(struct tkt_rules *r, struct tkt_interner *in,
                        const struct tkt_section *s, struct tkt_require *out,
                        struct tkt_err *err)
{
    const struct tkt_item_spec spec = {.otherwise = TKT_ITEM_GLOB};
    const struct tkt_section_key *categories = tkt_section_key(s, "if_category");
    struct tkt_err why = TKT_ERR_INIT;

    out->field = s->title;
    take_list(s, "if_desk", &out->desks, &out->desk_count);
    take_list(s, "if_type", &out->types, &out->type_count);
    if (!is_field_name(out->field)) {
        return tkt_section_fail(s, NULL, err,
                                "require %s: the title is a field: a-z, 0-9 and _, a "
                                "letter first",
                                s->title);
    }
    size_t count = categories == NULL ? 0 : categories->count;
    out->categories = make(r, count, sizeof(*out->categories));
    if (out->categories == NULL) {
        return no_memory(err);
    }
    for (; out->category_count < count; out->category_count++) {
        if (tkt_item_intern(in, categories->values[out->category_count], &spec,
                            &out->categories[out->category_count], &why) < 0) {
            return fail_item(s, "if_category", &why, err);
        }
    }
    return 0;
}

static int read_others(struct tkt_rules *r, struct tkt_interner *in,
                       const struct tkt_sections *all, struct tkt_err *err)
{
    size_t extracts = count_sections(all, "extract");
    size_t requires = count_sections(all, "require");

    if (extracts > TKT_RULES_EXTRACTS_MAX || requires > TKT_RULES_REQUIRES_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "more than %d sections extract or %d sections require",
                           TKT_RULES_EXTRACTS_MAX, TKT_RULES_REQUIRES_MAX);
    }
    r->extracts = make(r, extracts, sizeof(*r->extracts));
    r->requires = make(r, requires, sizeof(*r->requires));
    if (r->extracts == NULL || r->requires == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < all->count; i++) {
        const struct tkt_section *s = &all->items[i];
        if (strcmp(s->name, "extract") == 0) {
            if (read_extract(r, in, s, &r->extracts[r->extract_count], err) < 0) {
                return -1;
            }
            r->extract_count++;
        } else if (strcmp(s->name, "require") == 0) {
            if (read_require(r, in, s, &r->requires[r->require_count], err) < 0) {
                return -1;
            }
            r->require_count++;
        }
    }
    return 0;
}

/* ---- warnings ---- */

/* The first item that has no literal, of a condition that would else make the rule due. */
static const struct tkt_item *unindexed(const struct tkt_rules *r,
                                        const struct tkt_rule *rule)
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct tkt_condition *c = &rule->conditions[i];
        for (size_t u = 0; c->kind == TKT_CONDITION_ITEMS && u < c->use_count; u++) {
            const struct tkt_item *item = &r->items[c->uses[u].item];
            if (item->kind == TKT_ITEM_REGEX && !item->indexed) {
                return item;
            }
        }
    }
    return NULL;
}

static int warn(const struct tkt_rules *r, struct tkt_buf *out)
{
    for (size_t i = 0; i < r->rule_count; i++) {
        const struct tkt_rule *rule = &r->rules[i];
        const struct tkt_item *item = unindexed(r, rule);
        if (item != NULL &&
            tkt_buf_addf(
                out,
                "%s:%u: rule %s: no literal is in all that \"%.60s\" matches, so "
                "it is tried on every message; name some with literals = "
                "{...}\n",
                rule->from->file, rule->from->line, rule->name, item->text) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < r->extract_count; i++) {
        const struct tkt_item *item = &r->items[r->extracts[i].item];
        if (!item->indexed &&
            tkt_buf_addf(out,
                         "extract %s: no literal is in all that its pattern matches, so "
                         "it is tried on every message; name some with literals = "
                         "{...}\n",
                         r->extracts[i].name) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- all ---- */

static int compile(struct tkt_rules *r, struct tkt_interner *in,
                   const struct tkt_sections *all, struct tkt_err *err)
{
    if (read_sets(r, all, err) < 0 || read_rules(r, in, all, err) < 0 ||
        read_others(r, in, all, err) < 0 || tkt_interner_finish(in, err) < 0) {
        return -1;
    }
    if (number_outcomes(r) < 0 || tkt_rules_index(r) < 0 ||
        tkt_rules_scan_prepare(r) < 0) {
        return no_memory(err);
    }
    return 0;
}

int tkt_rules_compile(const struct tkt_sections *settings, struct tkt_rules **out,
                      struct tkt_buf *warnings, struct tkt_err *err)
{
    struct tkt_rules *r = calloc(1, sizeof(*r));
    struct tkt_interner *in = NULL;
    int rc = -1;

    if (r == NULL) {
        return no_memory(err);
    }
    r->fold = tkt_wordfold_new();
    r->regexes = tkt_regex_set_new();
    r->fields.items = make(r, TKT_RULES_FIELDS_MAX, sizeof(*r->fields.items));
    if (r->fold == NULL || r->regexes == NULL || r->fields.items == NULL ||
        (in = tkt_interner_new(r)) == NULL) {
        (void)no_memory(err); /* rc says so */
    } else {
        rc = compile(r, in, settings, err);
    }
    if (rc == 0 && warnings != NULL && warn(r, warnings) < 0) {
        rc = no_memory(err);
    }
    tkt_interner_free(&in);
    if (rc < 0) {
        tkt_rules_free(&r);
        return -1;
    }
    *out = r;
    return 0;
}

void tkt_rules_free(struct tkt_rules **rules)
{
    struct tkt_rules *r = *rules;

    if (r == NULL) {
        return;
    }
    tkt_rules_scan_release(r);
    for (size_t i = 0; i < r->item_count; i++) {
        tkt_regex_free(&r->items[i].regex);
    }
    free(r->items);
    free(r->literal_items.starts);
    free(r->literal_items.values);
    free(r->item_rules.starts);
    free(r->item_rules.values);
    tkt_ac_free(&r->ac);
    tkt_regex_set_free(&r->regexes);
    tkt_wordfold_free(&r->fold);
    tkt_wire_arena_release(&r->arena);
    free(r);
    *rules = NULL;
}

const struct tkt_strings *tkt_rules_fields(const struct tkt_rules *rules)
{
    return &rules->fields;
}

size_t tkt_rules_count(const struct tkt_rules *rules)
{
    return rules->rule_count;
}
