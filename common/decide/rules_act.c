/* SPDX-License-Identifier: BSD-2-Clause
 * What rules do to a decision. They are stronger than all that decided before them; among
 * rules the first one wins. Each thing done, and each not done, leaves a reason.
 */
#include "base/util.h"
#include "decide/route.h"
#include "decide/rules_private.h"

#include <stdio.h>
#include <string.h>

static char *copy(struct tkt_acting *a, const char *s, size_t n)
{
    return tkt_wire_arena_strdup(a->arena, s, n);
}

/* ---- reasons ---- */

static int reason(struct tkt_acting *a, const char *name, const char *field,
                  const char *value, bool overruled, const struct tkt_strings *words)
{
    struct tkt_reason r = {.source = TKT_SOURCE_RULE,
                           .by = (char *)(uintptr_t)name, /* copied, as the others */
                           .field = (char *)(uintptr_t)field,
                           .value = (char *)(uintptr_t)value,
                           .overruled = overruled};

    if (words != NULL) {
        r.words = *words;
    }
    return tkt_reason_add(a->d, a->arena, &r);
}

int tkt_acting_error(struct tkt_acting *a, const char *name, const char *why)
{
    const struct tkt_reason r = {.source = TKT_SOURCE_RULE,
                                 .by =
                                     (char *)(uintptr_t)name, /* copied, as the others */
                                 .field = (char *)(uintptr_t) "",
                                 .value = (char *)(uintptr_t)why,
                                 .is_error = true};

    return tkt_reason_add(a->d, a->arena, &r);
}

/* Weaker sources that had set it are told to be overruled now. */
static void overrule(struct tkt_acting *a, const char *field)
{
    for (size_t i = 0; i < a->d->reason_count; i++) {
        struct tkt_reason *r = &a->d->reasons[i];
        if (r->source != TKT_SOURCE_RULE && strcmp(r->field, field) == 0) {
            r->overruled = true;
        }
    }
}

/* ---- values ---- */

struct setter {
    const char *key;
    const char *field;
    enum tkt_rule_slot slot;
    size_t offset;            /* in struct tkt_decision, of a char * or an int */
    const char *const *words; /* of an int: that which stands for i + 1 */
};

static const char *const levels[] = {"high", "medium", "low", NULL};
static const char *const priorities[] = {"urgent", "high",     "normal",
                                         "low",    "planning", NULL};

#define SET(name, SLOT)                                                                  \
    {                                                                                    \
        "set_" #name, #name, TKT_SLOT_##SLOT, offsetof(struct tkt_decision, name), NULL  \
    }
#define SET_INT(name, SLOT, w)                                                           \
    {                                                                                    \
        "set_" #name, #name, TKT_SLOT_##SLOT, offsetof(struct tkt_decision, name), (w)   \
    }

static const struct setter setters[] = {
    SET(type, TYPE),
    SET(category, CATEGORY),
    SET(subcategory, SUBCATEGORY),
    SET(service, SERVICE),
    SET(group, GROUP),
    SET(assignee, ASSIGNEE),
    SET(itsm, ITSM),
    SET_INT(urgency, URGENCY, levels),
    SET_INT(impact, IMPACT, levels),
    SET_INT(priority, PRIORITY, priorities),
};

static int word_number(const char *const *words, const char *word)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            return i + 1;
        }
    }
    return 0;
}

static int set_value(struct tkt_acting *a, const struct tkt_rule *rule,
                     const struct setter *s, const char *value,
                     const struct tkt_strings **words)
{
    char *at = (char *)a->d + s->offset;
    bool taken = a->taken[s->slot];

    if (!taken && s->words != NULL) {
        int n = word_number(s->words, value);
        memcpy(at, &n, sizeof(n));
    } else if (!taken) {
        char *text = copy(a, value, strlen(value));
        if (text == NULL) {
            return -1;
        }
        memcpy(at, &text, sizeof(text));
    }
    if (!taken) {
        overrule(a, s->field);
        a->taken[s->slot] = true;
    }
    const struct tkt_strings *once = *words;
    *words = NULL;
    return reason(a, rule->name, s->field, value, taken, once);
}

/* A new ticket's; what belongs to a ticket keeps its requester. */
static int set_requester(struct tkt_acting *a, const struct tkt_rule *rule,
                         const char *value, const struct tkt_strings **words)
{
    bool is_new = a->d->action == TKT_ACTION_NEW || a->d->action == TKT_ACTION_NEW_LINKED;
    bool taken = a->taken[TKT_SLOT_REQUESTER] || !is_new;

    if (!taken) {
        a->d->requester = copy(a, value, strlen(value));
        a->d->requester_name = copy(a, "", 0);
        if (a->d->requester == NULL || a->d->requester_name == NULL) {
            return -1;
        }
        a->taken[TKT_SLOT_REQUESTER] = true;
    }
    const struct tkt_strings *once = *words;
    *words = NULL;
    return reason(a, rule->name, "requester", value, taken, once);
}

/* ---- lists ---- */

static bool has(const struct tkt_strings *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], item) == 0) {
            return true;
        }
    }
    return false;
}

/* Room for one more, in a list of which only this code knows how large it is: 0 there is,
 * 1 it is full, -1 no memory. What came from elsewhere is copied once. */
static int more(struct tkt_acting *a, struct tkt_strings *list, size_t max)
{
    if (list->count >= max) {
        return 1;
    }
    char **items = tkt_wire_arena_alloc(a->arena, (list->count + 1) * sizeof(*items));
    if (items == NULL) {
        return -1;
    }
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof(*items));
    }
    list->items = items;
    return 0;
}

int tkt_acting_tag(struct tkt_acting *a, const char *name, const char *tag)
{
    struct tkt_strings *tags = &a->d->tags;

    if (has(tags, tag)) {
        return 0;
    }
    int rc = more(a, tags, TKT_DECISION_TAGS_MAX);
    if (rc > 0) {
        return tkt_acting_error(a, name, "more tags than a ticket takes");
    }
    if (rc < 0 || (tags->items[tags->count] = copy(a, tag, strlen(tag))) == NULL) {
        return -1;
    }
    tags->count++;
    return 0;
}

/* Not under its own name: a field "priority" is none of the decision's. */
static int field_reason(struct tkt_acting *a, const char *name, const struct tkt_field *f)
{
    size_t n = strlen(f->name);
    size_t m = strlen(f->value);
    char *both = tkt_wire_arena_alloc(a->arena, n + 1 + m + 1);

    if (both == NULL) {
        return -1;
    }
    memcpy(both, f->name, n);
    both[n] = '=';
    memcpy(both + n + 1, f->value, m + 1);
    return reason(a, name, "field", both, false, NULL);
}

int tkt_acting_field(struct tkt_acting *a, const char *name, const char *field,
                     size_t field_len, const char *value, size_t value_len)
{
    struct tkt_decision *d = a->d;

    for (size_t i = 0; i < d->field_count; i++) {
        if (strlen(d->fields[i].name) == field_len &&
            memcmp(d->fields[i].name, field, field_len) == 0) {
            return 0;
        }
    }
    if (d->field_count >= TKT_DECISION_FIELDS_MAX) {
        return tkt_acting_error(a, name, "more fields than a ticket takes");
    }
    struct tkt_field *fields =
        tkt_wire_arena_alloc(a->arena, (d->field_count + 1) * sizeof(*fields));
    if (fields == NULL) {
        return -1;
    }
    if (d->field_count > 0) {
        memcpy(fields, d->fields, d->field_count * sizeof(*fields));
    }
    struct tkt_field *f = &fields[d->field_count];
    f->name = copy(a, field, field_len);
    f->value = copy(a, value, value_len);
    if (f->name == NULL || f->value == NULL) {
        return -1;
    }
    d->fields = fields;
    d->field_count++;
    return field_reason(a, name, f);
}

int tkt_acting_keywords(struct tkt_acting *a, const struct tkt_strings *words)
{
    struct tkt_strings *all = &a->d->keywords;

    for (size_t i = 0; i < words->count; i++) {
        size_t n = strlen(words->items[i]);
        bool is_expression =
            n > 2 && words->items[i][0] == '/' && words->items[i][n - 1] == '/';
        if (is_expression || has(all, words->items[i])) {
            continue;
        }
        int rc = more(a, all, TKT_DECISION_KEYWORDS_MAX);
        if (rc > 0) {
            return 0; /* those that were there first are told */
        }
        const char *word = words->items[i];
        if (rc < 0 || (all->items[all->count] = copy(a, word, strlen(word))) == NULL) {
            return -1;
        }
        all->count++;
    }
    return 0;
}

/* ---- a rule ---- */

static int set_values(struct tkt_acting *a, const struct tkt_rule *rule,
                      const struct tkt_strings **words)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(setters); i++) {
        const char *value = tkt_section_value(rule->from, setters[i].key, "");
        if (value[0] != '\0' && set_value(a, rule, &setters[i], value, words) < 0) {
            return -1;
        }
    }
    const char *requester = tkt_section_value(rule->from, "set_requester", "");
    return requester[0] == '\0' ? 0 : set_requester(a, rule, requester, words);
}

static int set_lists(struct tkt_acting *a, const struct tkt_rule *rule,
                     const struct tkt_strings **words)
{
    const struct tkt_section_key *tags = tkt_section_key(rule->from, "set_tags");
    const struct tkt_section_key *fields = tkt_section_key(rule->from, "set_fields");

    for (size_t i = 0; tags != NULL && i < tags->count; i++) {
        const struct tkt_strings *once = *words;
        *words = NULL;
        if (tkt_acting_tag(a, rule->name, tags->values[i]) < 0 ||
            reason(a, rule->name, "tag", tags->values[i], false, once) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; fields != NULL && i < fields->count; i++) {
        const char *text = fields->values[i];
        size_t n = strcspn(text, "=");
        if (tkt_acting_field(a, rule->name, text, n, text + n + 1, strlen(text + n + 1)) <
            0) {
            return -1;
        }
        *words = NULL; /* its reason is the field's own */
    }
    return 0;
}

/* What is refused or ignored already stays so. */
static bool takes_effect(const struct tkt_acting *a)
{
    return a->d->action != TKT_ACTION_REFUSE && a->d->action != TKT_ACTION_IGNORE;
}

static int refuse(struct tkt_acting *a, const struct tkt_rule *rule,
                  const struct tkt_strings **words)
{
    const char *text = tkt_section_value(rule->from, "refuse", "");
    const char *url = tkt_section_value(rule->from, "refuse_url", "");
    char all[900];

    if (text[0] == '\0' || a->d->refused_by_rule || !takes_effect(a)) {
        return 0;
    }
    snprintf(all, sizeof(all), "%s%s%s", text, url[0] == '\0' ? "" : " ", url);
    a->d->refused_by_rule = true;
    a->d->refuse_text = copy(a, all, strlen(all));
    const struct tkt_strings *once = *words;
    *words = NULL;
    return a->d->refuse_text == NULL ? -1
                                     : reason(a, rule->name, "refuse", all, false, once);
}

static bool says_yes(const struct tkt_rule *rule, const char *key)
{
    return strcmp(tkt_section_value(rule->from, key, "no"), "yes") == 0;
}

static int set_flags(struct tkt_acting *a, const struct tkt_rule *rule,
                     const struct tkt_strings **words)
{
    const struct {
        const char *key;
        bool *flag;
    } flags[] = {{"ignore", &a->d->ignored_by_rule}, {"ask_llm", &a->d->ask_llm}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(flags); i++) {
        if (says_yes(rule, flags[i].key) && takes_effect(a)) {
            const struct tkt_strings *once = *words;
            *words = NULL;
            *flags[i].flag = true;
            if (reason(a, rule->name, flags[i].key, "yes", false, once) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int tkt_rule_act(struct tkt_acting *a, const struct tkt_rule *rule,
                 const struct tkt_strings *words)
{
    const struct tkt_strings *once = words; /* they stand with the first reason */

    if (set_values(a, rule, &once) < 0 || set_lists(a, rule, &once) < 0 ||
        refuse(a, rule, &once) < 0 || set_flags(a, rule, &once) < 0) {
        return -1;
    }
    if (once != NULL && reason(a, rule->name, "", "", false, once) < 0) {
        return -1;
    }
    return tkt_acting_keywords(a, words);
}
