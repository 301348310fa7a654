/* SPDX-License-Identifier: BSD-2-Clause
 * Fields out of the text, and those that are missing.
 */
#include "decide/rules_private.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

#define VALUE_MAX 400

/* Without blanks around it, on one line, cut at a character. */
static int add_value(struct tkt_acting *a, const struct tkt_extract *e, const char *field,
                     const char *s, size_t n)
{
    char value[VALUE_MAX + 1];
    size_t len = 0;

    while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL) {
        n--;
    }
    for (size_t i = 0; i < n && len < VALUE_MAX; i++) {
        bool blank = (unsigned char)s[i] <= ' ' || s[i] == 0x7f;
        if (!blank || (len > 0 && value[len - 1] != ' ')) {
            value[len++] = blank ? ' ' : s[i];
        }
    }
    len = tkt_utf8_cut(value, len, len < n && len == VALUE_MAX ? len - 1 : len);
    return len == 0 ? 0 : tkt_acting_field(a, e->name, field, strlen(field), value, len);
}

static int take_groups(struct tkt_rules *r, struct tkt_acting *a,
                       const struct tkt_extract *e, const char *text)
{
    const struct tkt_regex *regex = r->items[e->item].regex;
    bool named = false;
    size_t from;
    size_t to;

    for (uint32_t g = 1; g <= tkt_regex_groups(regex); g++) {
        const char *name = tkt_regex_group_name(regex, g);
        named |= name[0] != '\0';
        if (name[0] != '\0' && tkt_regex_group(regex, g, &from, &to) &&
            add_value(a, e, name, text + from, to - from) < 0) {
            return -1;
        }
    }
    uint32_t group = tkt_regex_groups(regex) > 0 ? 1 : 0;
    return named || !tkt_regex_group(regex, group, &from, &to)
               ? 0
               : add_value(a, e, e->field, text + from, to - from);
}

/* The first place where it matches, Subject first. */
static int extract_one(struct tkt_rules *r, struct tkt_acting *a,
                       const struct tkt_extract *e)
{
    const struct tkt_item *item = &r->items[e->item];
    uint32_t zones = e->zones & (item->indexed ? r->scan.states[e->item].candidate : ~0u);

    for (enum tkt_zone z = 0; z < TKT_ZONES; z++) {
        const struct tkt_zone_text *t = &r->scan.zones[z];
        for (size_t i = 0; (zones & TKT_ZONE_BIT(z)) != 0 && i < t->count; i++) {
            const struct tkt_zone_piece *p = &t->pieces[i];
            size_t n = TKT_MIN(p->raw_len, (size_t)TKT_RULES_REGEX_TEXT_MAX);
            n = tkt_utf8_cut(p->raw, p->raw_len, n);
            enum tkt_regex_result result = tkt_regex_search(item->regex, p->raw, n);
            if (result == TKT_REGEX_YES) {
                return take_groups(r, a, e, p->raw);
            }
            if (result != TKT_REGEX_NO) {
                return tkt_acting_error(a, e->name, "the pattern took too many steps");
            }
        }
    }
    return 0;
}

int tkt_rules_extract(struct tkt_rules *r, struct tkt_acting *a)
{
    for (size_t i = 0; i < r->extract_count; i++) {
        const struct tkt_extract *e = &r->extracts[i];
        if (tkt_rules_is_desk(e->desks, e->desk_count, a->q->desk->name) &&
            extract_one(r, a, e) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- requirements ---- */

static bool is_in_category(struct tkt_rules *r, const struct tkt_require *q,
                           const char *category)
{
    for (size_t i = 0; i < q->category_count; i++) {
        if (tkt_rules_scan_value(r, q->categories[i].item, category) !=
            q->categories[i].excludes) {
            return true;
        }
    }
    return q->category_count == 0;
}

static bool is_required(struct tkt_rules *r, const struct tkt_require *q,
                        const struct tkt_acting *a)
{
    return tkt_rules_is_desk(q->desks, q->desk_count, a->q->desk->name) &&
           tkt_rules_is_desk(q->types, q->type_count, a->d->type) &&
           is_in_category(r, q, a->d->category);
}

static bool has_field(const struct tkt_decision *d, const char *name)
{
    for (size_t i = 0; i < d->field_count; i++) {
        if (strcmp(d->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Nobody is asked who is no person, or whose ticket has been opened long ago. */
static bool may_ask(const struct tkt_acting *a)
{
    bool is_new = a->d->action == TKT_ACTION_NEW || a->d->action == TKT_ACTION_NEW_LINKED;

    return is_new && a->q->msg->class == TKT_CLASS_HUMAN && !a->q->facts->null_sender &&
           !a->d->refused_by_rule && !a->d->ignored_by_rule;
}

int tkt_rules_require(struct tkt_rules *r, struct tkt_acting *a)
{
    struct tkt_strings *missing = &a->d->missing;

    if (r->require_count == 0 || !may_ask(a)) {
        return 0;
    }
    char **items =
        tkt_wire_arena_alloc(a->arena, TKT_DECISION_FIELDS_MAX * sizeof(*items));
    if (items == NULL) {
        return -1;
    }
    for (size_t i = 0; i < r->require_count; i++) {
        const struct tkt_require *q = &r->requires[i];
        if (missing->count == TKT_DECISION_FIELDS_MAX || has_field(a->d, q->field) ||
            !is_required(r, q, a)) {
            continue;
        }
        items[missing->count] =
            tkt_wire_arena_strdup(a->arena, q->field, strlen(q->field));
        if (items[missing->count] == NULL) {
            return -1;
        }
        missing->items = items;
        missing->count++;
    }
    return 0;
}
