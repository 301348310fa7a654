/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/record.h"

#include "base/enc.h"

#include <string.h>

#define WORDS_MAX 8     /* of one reason */
#define WORD_MAX 60     /* bytes of one of them */
#define VALUE_MAX 200   /* of a reason's value, of why */
#define FIELD_VALUE 400 /* of a field's */

const char *const tkt_decision_part_names[TKT_PART_COUNT] = {
    "action",   "type",   "category", "subcategory", "service",  "group",
    "assignee", "itsm",   "urgency",  "impact",      "priority", "requester",
    "tags",     "fields", "missing",  "policy",
};

static const char *text(const char *s)
{
    return s == NULL ? "" : s;
}

/* ---- parts ----------------------------------------------------------------------------- */

static const char *word_of(const struct tkt_decision *d, enum tkt_decision_part part)
{
    switch (part) {
    case TKT_PART_ACTION:
        return tkt_action_names[d->action];
    case TKT_PART_TYPE:
        return d->type;
    case TKT_PART_CATEGORY:
        return d->category;
    case TKT_PART_SUBCATEGORY:
        return d->subcategory;
    case TKT_PART_SERVICE:
        return d->service;
    case TKT_PART_GROUP:
        return d->group;
    case TKT_PART_ASSIGNEE:
        return d->assignee;
    case TKT_PART_ITSM:
        return d->itsm;
    case TKT_PART_REQUESTER:
        return d->requester;
    case TKT_PART_POLICY:
        return d->refused_by_rule ? "refused" : d->ignored_by_rule ? "ignored" : "";
    default:
        return "";
    }
}

/* 0: not decided. */
static int number_of(const struct tkt_decision *d, enum tkt_decision_part part)
{
    switch (part) {
    case TKT_PART_URGENCY:
        return d->urgency;
    case TKT_PART_IMPACT:
        return d->impact;
    case TKT_PART_PRIORITY:
        return d->priority;
    default:
        return 0;
    }
}

static const struct tkt_strings *list_of(const struct tkt_decision *d,
                                         enum tkt_decision_part part)
{
    return part == TKT_PART_TAGS      ? &d->tags
           : part == TKT_PART_MISSING ? &d->missing
                                      : NULL;
}

static void add_listed(struct tkt_buf *out, size_t i, const char *name, const char *value)
{
    (void)tkt_buf_adds(out, i > 0 ? ", " : ""); /* past the maximum it is cut */
    (void)tkt_buf_adds(out, text(name));        /* the same */
    if (value != NULL) {
        (void)tkt_buf_addf(out, "=%s", value); /* the same */
    }
}

void tkt_decision_part_text(const struct tkt_decision *d, enum tkt_decision_part part,
                            struct tkt_buf *out)
{
    const struct tkt_strings *list = list_of(d, part);
    int number = number_of(d, part);

    for (size_t i = 0; list != NULL && i < list->count; i++) {
        add_listed(out, i, list->items[i], NULL);
    }
    for (size_t i = 0; part == TKT_PART_FIELDS && i < d->field_count; i++) {
        add_listed(out, i, d->fields[i].name, d->fields[i].value);
    }
    if (number != 0) {
        (void)tkt_buf_addf(out, "%d", number); /* the same */
    }
    (void)tkt_buf_adds(out, text(word_of(d, part))); /* the same */
}

/* ---- side by side ---------------------------------------------------------------------- */

static bool same_lists(const struct tkt_strings *a, const struct tkt_strings *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++) {
        same = strcmp(a->items[i], b->items[i]) == 0;
    }
    return same;
}

static bool same_fields(const struct tkt_decision *a, const struct tkt_decision *b)
{
    bool same = a->field_count == b->field_count;

    for (size_t i = 0; same && i < a->field_count; i++) {
        same = strcmp(a->fields[i].name, b->fields[i].name) == 0 &&
               strcmp(a->fields[i].value, b->fields[i].value) == 0;
    }
    return same;
}

uint32_t tkt_decision_diff(const struct tkt_decision *a, const struct tkt_decision *b)
{
    uint32_t bits = 0;

    for (int i = 0; i < TKT_PART_COUNT; i++) {
        enum tkt_decision_part part = (enum tkt_decision_part)i;
        const struct tkt_strings *list = list_of(a, part);
        bool same = number_of(a, part) == number_of(b, part) &&
                    strcmp(text(word_of(a, part)), text(word_of(b, part))) == 0 &&
                    (list == NULL || same_lists(list, list_of(b, part))) &&
                    (part != TKT_PART_FIELDS || same_fields(a, b));
        bits |= same ? 0 : UINT32_C(1) << i;
    }
    return bits;
}

/* ---- the record ------------------------------------------------------------------------ */

static void sep(struct tkt_buf *b)
{
    if (b->len > 0 && strchr("{[:", b->data[b->len - 1]) == NULL) {
        (void)tkt_buf_addc(b, ','); /* b->failed tells in the end */
    }
}

static void add_string(struct tkt_buf *b, const char *s, size_t max)
{
    (void)tkt_json_add_string(b, s, tkt_utf8_cut(s, strlen(s), max)); /* the same */
}

static void add_key(struct tkt_buf *b, const char *key)
{
    sep(b);
    add_string(b, key, TKT_DECISION_PART_MAX);
    (void)tkt_buf_addc(b, ':'); /* the same */
}

static void add_text(struct tkt_buf *b, const char *key, const char *value, size_t max)
{
    if (value != NULL && *value != '\0') {
        add_key(b, key);
        add_string(b, value, max);
    }
}

static void add_number(struct tkt_buf *b, const char *key, int n)
{
    if (n != 0) {
        add_key(b, key);
        (void)tkt_buf_addf(b, "%d", n); /* the same */
    }
}

static void add_list(struct tkt_buf *b, const char *key, const struct tkt_strings *list,
                     size_t max, size_t item_max)
{
    if (list->count == 0) {
        return;
    }
    add_key(b, key);
    (void)tkt_buf_addc(b, '['); /* the same */
    for (size_t i = 0; i < list->count && i < max; i++) {
        sep(b);
        add_string(b, text(list->items[i]), item_max);
    }
    (void)tkt_buf_addc(b, ']'); /* the same */
}

static void add_fields(struct tkt_buf *b, const struct tkt_decision *d)
{
    if (d->field_count == 0) {
        return;
    }
    add_key(b, "fields");
    (void)tkt_buf_addc(b, '{'); /* the same */
    for (size_t i = 0; i < d->field_count; i++) {
        add_key(b, text(d->fields[i].name));
        add_string(b, text(d->fields[i].value), FIELD_VALUE);
    }
    (void)tkt_buf_addc(b, '}'); /* the same */
}

static void add_part(struct tkt_buf *b, const struct tkt_decision *d,
                     enum tkt_decision_part part)
{
    const char *name = tkt_decision_part_names[part];
    const struct tkt_strings *list = list_of(d, part);

    if (part == TKT_PART_FIELDS) {
        add_fields(b, d);
    } else if (list != NULL) {
        add_list(b, name, list, TKT_DECISION_TAGS_MAX, VALUE_MAX);
    } else {
        add_number(b, name, number_of(d, part));
        add_text(b, name, word_of(d, part), VALUE_MAX);
    }
}

static void add_reason(struct tkt_buf *b, const struct tkt_reason *r)
{
    sep(b);
    (void)tkt_buf_addc(b, '{'); /* the same */
    add_text(b, "source", tkt_source_names[r->source], VALUE_MAX);
    add_text(b, "by", r->by, VALUE_MAX);
    add_text(b, "field", r->field, VALUE_MAX);
    add_text(b, "value", r->value, VALUE_MAX);
    add_number(b, "permille", r->permille);
    add_list(b, "words", &r->words, WORDS_MAX, WORD_MAX);
    if (r->overruled) {
        add_key(b, "overruled");
        (void)tkt_buf_adds(b, "true"); /* the same */
    }
    if (r->is_error) {
        add_key(b, "error");
        (void)tkt_buf_adds(b, "true"); /* the same */
    }
    (void)tkt_buf_addc(b, '}'); /* the same */
}

/* Those that fit; how many did not. */
static size_t add_reasons(struct tkt_buf *b, const struct tkt_decision *d, size_t limit)
{
    size_t done = 0;

    add_key(b, "reasons");
    (void)tkt_buf_addc(b, '['); /* the same */
    for (; done < d->reason_count; done++) {
        size_t before = b->len;
        add_reason(b, &d->reasons[done]);
        if (b->len > limit) {
            b->len = before;
            break;
        }
    }
    (void)tkt_buf_addc(b, ']'); /* the same */
    return d->reason_count - done;
}

int tkt_decision_record(const struct tkt_decision *d, const char *desk, const char *by,
                        struct tkt_buf *out)
{
    size_t start = out->len;
    size_t limit = start + TKT_DECISION_RECORD_MAX - 64; /* for what closes it */

    (void)tkt_buf_addc(out, '{'); /* the same */
    add_text(out, "desk", desk, VALUE_MAX);
    add_text(out, "by", by, VALUE_MAX);
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        size_t before = out->len;
        add_part(out, d, (enum tkt_decision_part)i);
        if (out->len > limit) {
            out->len = before;
        }
    }
    add_text(out, "why", d->why, VALUE_MAX);
    add_list(out, "keywords", &d->keywords, TKT_DECISION_KEYWORDS_MAX, WORD_MAX);
    if (out->len > limit) { /* parts alone were nearly all of it */
        out->len = start;
        return tkt_buf_adds(out, "{\"cut\":true}");
    }
    add_number(out, "left_out", (int)add_reasons(out, d, limit));
    (void)tkt_buf_addc(out, '}'); /* the same */
    return out->failed ? -1 : 0;
}
