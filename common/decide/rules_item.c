/* SPDX-License-Identifier: BSD-2-Clause
 * Items: words, globs, expressions, from the text in the configuration. Equal ones become
 * one item, and what they need to be looked for goes into the automaton.
 */
#include "base/util.h"
#include "decide/glob.h"
#include "decide/literals.h"
#include "decide/rules_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FOLDED_MAX (64 * 1024)
#define WEIGHT_MAX 100

struct pair {
    uint32_t literal;
    uint32_t item;
};

struct tkt_interner {
    struct tkt_rules *rules;
    char **keys;     /* of each item, in the arena */
    uint32_t *slots; /* item + 1 by the hash of its key; 0 = free */
    size_t slot_count;
    struct pair *pairs;
    size_t pair_count;
    size_t pair_cap;
};

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "rules: no memory");
}

struct tkt_interner *tkt_interner_new(struct tkt_rules *rules)
{
    struct tkt_interner *in = calloc(1, sizeof(*in));

    if (in == NULL) {
        return NULL;
    }
    in->rules = rules;
    in->slot_count = 1024;
    in->slots = calloc(in->slot_count, sizeof(*in->slots));
    rules->ac = tkt_ac_new();
    if (in->slots == NULL || rules->ac == NULL) {
        tkt_interner_free(&in);
    }
    return in;
}

void tkt_interner_free(struct tkt_interner **interner)
{
    if (*interner != NULL) {
        free((*interner)->keys);
        free((*interner)->slots);
        free((*interner)->pairs);
        free(*interner);
        *interner = NULL;
    }
}

/* ---- the table ---- */

static size_t hash(const char *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *s != '\0'; s++) {
        h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    }
    return (size_t)(h ^ h >> 32);
}

static uint32_t *slot_of(struct tkt_interner *in, const char *key)
{
    size_t at = hash(key) & (in->slot_count - 1);

    while (in->slots[at] != 0 && strcmp(in->keys[in->slots[at] - 1], key) != 0) {
        at = (at + 1) & (in->slot_count - 1);
    }
    return &in->slots[at];
}

static int grow(struct tkt_interner *in)
{
    struct tkt_rules *r = in->rules;
    size_t cap = r->item_cap == 0 ? 512 : 2 * r->item_cap;
    struct tkt_item *items = reallocarray(r->items, cap, sizeof(*items));
    if (items == NULL) {
        return -1;
    }
    r->items = items;
    char **keys = reallocarray(in->keys, cap, sizeof(*keys));
    if (keys == NULL) {
        return -1;
    }
    in->keys = keys;
    uint32_t *slots = calloc(4 * cap, sizeof(*slots));
    if (slots == NULL) {
        return -1;
    }
    free(in->slots);
    in->slots = slots;
    in->slot_count = 4 * cap;
    r->item_cap = cap;
    for (size_t i = 0; i < r->item_count; i++) {
        *slot_of(in, keys[i]) = (uint32_t)i + 1;
    }
    return 0;
}

static int add_pair(struct tkt_interner *in, int64_t literal, uint32_t item)
{
    if (literal < 0) {
        return -1;
    }
    if (in->pair_count == in->pair_cap) {
        size_t cap = in->pair_cap == 0 ? 1024 : 2 * in->pair_cap;
        struct pair *pairs = reallocarray(in->pairs, cap, sizeof(*pairs));
        if (pairs == NULL) {
            return -1;
        }
        in->pairs = pairs;
        in->pair_cap = cap;
    }
    in->pairs[in->pair_count++] = (struct pair){(uint32_t)literal, item};
    return 0;
}

static int add_literal(struct tkt_interner *in, const char *s, size_t n, uint32_t item,
                       struct tkt_err *err)
{
    if (tkt_ac_count(in->rules->ac) >= TKT_RULES_LITERALS_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF, "more than %d words in all rules",
                           TKT_RULES_LITERALS_MAX);
    }
    return add_pair(in, tkt_ac_add(in->rules->ac, s, n), item) < 0 ? no_memory(err) : 0;
}

/* ---- words ---- */

static int fold(const struct tkt_rules *r, const char *text, struct tkt_buf *out,
                struct tkt_err *err)
{
    if (tkt_wordfold_add(r->fold, text, strlen(text), out) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "too long when it is folded");
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ') {
        out->data[--out->len] = '\0';
    }
    return tkt_buf_addc(out, '\0') < 0 ? no_memory(err) : 0; /* the caller may cut */
}

/* " <3> " at s: the number of words, and its length; 0: it is none. */
static size_t gap_at(const char *s, unsigned *words)
{
    char *end;

    if (s[0] != ' ' || s[1] != '<' || !isdigit((unsigned char)s[2])) {
        return 0;
    }
    unsigned long n = strtoul(s + 2, &end, 10);
    *words = (unsigned)TKT_MIN(n, 1000ul);
    return end[0] == '>' && end[1] == ' ' ? (size_t)(end + 2 - s) : 0;
}

static int add_part(struct tkt_rules *r, struct tkt_item *item, const char *s, size_t n,
                    unsigned gap, struct tkt_err *err)
{
    if (n == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "no word; write one");
    }
    if (memchr(s, '*', n) != NULL) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "a * within words; it may stand at their ends, else write "
                           "glob: or regex:");
    }
    if (item->part_count > TKT_RULES_GAPS_MAX || gap > TKT_RULES_GAP_WORDS_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "at most %d gaps of at most %d words; write regex:",
                           TKT_RULES_GAPS_MAX, TKT_RULES_GAP_WORDS_MAX);
    }
    struct tkt_item_part *part = &item->parts[item->part_count];
    part->text = tkt_wire_arena_strdup(&r->arena, s, n);
    part->len = n;
    part->gap = gap;
    item->part_count++;
    return part->text == NULL ? no_memory(err) : 0;
}

static int make_words(struct tkt_interner *in, struct tkt_item *item, uint32_t index,
                      struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(FOLDED_MAX);
    unsigned gap = 0;

    if (fold(in->rules, item->text, &b, err) < 0) {
        return -1;
    }
    char *s = b.data + strspn(b.data, " ");
    item->open_start = *s == '*';
    s += item->open_start;
    size_t n = strlen(s);
    item->open_end = n > 0 && s[n - 1] == '*';
    s[n - item->open_end] = '\0';
    char *from = s;
    for (char *p = s;; p++) {
        unsigned next_gap = 0;
        size_t len = *p == '\0' ? 0 : gap_at(p, &next_gap);
        if (*p != '\0' && len == 0) {
            continue;
        }
        if (add_part(in->rules, item, from, (size_t)(p - from), gap, err) < 0) {
            return -1;
        }
        if (*p == '\0') {
            break;
        }
        gap = next_gap;
        from = p + len;
        p = from - 1;
    }
    item->indexed = true;
    return add_literal(in, item->parts[0].text, item->parts[0].len, index, err);
}

/* ---- globs, expressions ---- */

static int index_literals(struct tkt_interner *in, struct tkt_item *item, uint32_t index,
                          const struct tkt_literals *literals, struct tkt_err *err)
{
    item->indexed = literals->count > 0;
    for (size_t i = 0; i < literals->count; i++) {
        const char *s = literals->items[i];
        if (add_literal(in, s, strlen(s), index, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int make_glob(struct tkt_interner *in, struct tkt_item *item, uint32_t index,
                     struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(FOLDED_MAX);
    struct tkt_literals literals;
    const char *wrong = tkt_glob_check(item->text);

    if (wrong != NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "the glob has %s", wrong);
    }
    if ((item->field == TKT_RULES_BELOW && tkt_buf_addc(&b, '*') < 0) ||
        fold(in->rules, item->text, &b, err) < 0) {
        return err->class == TKT_ERR_NONE ? no_memory(err) : -1;
    }
    item->glob = tkt_wire_arena_strdup(&in->rules->arena, b.data, strlen(b.data));
    if (item->glob == NULL || tkt_literals_of_glob(item->glob, &literals) < 0) {
        return no_memory(err);
    }
    int rc = index_literals(in, item, index, &literals, err);
    tkt_literals_release(&literals);
    return rc;
}

static int index_named(struct tkt_interner *in, struct tkt_item *item, uint32_t index,
                       const struct tkt_section_key *named, struct tkt_err *err)
{
    for (size_t i = 0; i < named->count; i++) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(FOLDED_MAX);
        if (fold(in->rules, named->values[i], &b, err) < 0) {
            return -1;
        }
        if (strlen(b.data) == 0) {
            return tkt_err_set(err, TKT_ERR_CONF, "literals: an empty one");
        }
        if (add_literal(in, b.data, strlen(b.data), index, err) < 0) {
            return -1;
        }
    }
    item->indexed = named->count > 0;
    return 0;
}

/* How an expression is told of in reasons. */
static const char *in_slashes(struct tkt_rules *r, const char *pattern)
{
    size_t n = strlen(pattern);
    char *out = tkt_wire_arena_alloc(&r->arena, n + 3);

    if (out != NULL) {
        out[0] = '/';
        memcpy(out + 1, pattern, n);
        memcpy(out + 1 + n, "/", 2);
    }
    return out;
}

static int make_regex(struct tkt_interner *in, struct tkt_item *item, uint32_t index,
                      const struct tkt_section_key *named, struct tkt_err *err)
{
    struct tkt_rules *r = in->rules;
    struct tkt_literals literals;

    if (r->regex_count >= TKT_RULES_REGEX_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "more than %d regular expressions in all rules; write words",
                           TKT_RULES_REGEX_MAX);
    }
    const char *pattern = item->text;
    if (tkt_regex_compile(r->regexes, pattern, &item->regex, err) < 0) {
        return -1;
    }
    r->regex_count++;
    item->text = in_slashes(r, pattern);
    if (item->text == NULL) {
        return no_memory(err);
    }
    if (named != NULL) {
        return index_named(in, item, index, named, err);
    }
    if (tkt_literals_of_regex(r->fold, pattern, &literals) < 0) {
        return no_memory(err);
    }
    int rc = index_literals(in, item, index, &literals, err);
    tkt_literals_release(&literals);
    return rc;
}

/* ---- headers ---- */

static int field_index(struct tkt_rules *r, const char *name, size_t n, uint32_t *out,
                       struct tkt_err *err)
{
    for (size_t i = 0; i < r->fields.count; i++) {
        if (strlen(r->fields.items[i]) == n &&
            strncasecmp(r->fields.items[i], name, n) == 0) {
            *out = (uint32_t)i;
            return 0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (name[i] <= ' ' || name[i] > '~') {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "no name of a header field; write "
                               "\"Name: what\"");
        }
    }
    if (n == 0 || r->fields.count == TKT_RULES_FIELDS_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF, "more than %d header fields, or no name",
                           TKT_RULES_FIELDS_MAX);
    }
    char *copy = tkt_wire_arena_strdup(&r->arena, name, n);
    if (copy == NULL) {
        return no_memory(err);
    }
    *out = (uint32_t)r->fields.count;
    r->fields.items[r->fields.count++] = copy;
    return 0;
}

/* ---- the text of an item ---- */

struct spelled {
    enum tkt_item_kind kind;
    const char *text;
    size_t len;
    uint32_t field;
    int weight;
    bool excludes;
};

/* "^5" at the end. */
static void take_weight(struct spelled *s)
{
    size_t digits = 0;

    while (digits < s->len && isdigit((unsigned char)s->text[s->len - 1 - digits])) {
        digits++;
    }
    s->weight = 1;
    if (digits > 0 && digits < 4 && digits + 1 < s->len &&
        s->text[s->len - 1 - digits] == '^') {
        s->weight = TKT_MIN(atoi(s->text + s->len - digits), WEIGHT_MAX);
        s->len -= digits + 1;
    }
}

static void take_prefix(struct spelled *s)
{
    static const struct {
        const char *prefix;
        enum tkt_item_kind kind;
    } known[] = {
        {"regex:", TKT_ITEM_REGEX}, {"glob:", TKT_ITEM_GLOB}, {"word:", TKT_ITEM_WORDS}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(known); i++) {
        size_t n = strlen(known[i].prefix);
        if (s->len > n && strncmp(s->text, known[i].prefix, n) == 0) {
            s->kind = known[i].kind;
            s->text += n;
            s->len -= n;
            return;
        }
    }
}

static int take_field(struct tkt_rules *r, struct spelled *s, struct tkt_err *err)
{
    const char *colon = memchr(s->text, ':', s->len);
    size_t n = colon == NULL ? s->len : (size_t)(colon - s->text);

    if (field_index(r, s->text, n, &s->field, err) < 0) {
        return -1;
    }
    if (colon == NULL) {
        s->kind = TKT_ITEM_PRESENT;
        return 0;
    }
    s->text += n + 1;
    s->len -= n + 1;
    while (s->len > 0 && *s->text == ' ') {
        s->text++;
        s->len--;
    }
    return s->len > 0 ? 0
                      : tkt_err_set(err, TKT_ERR_CONF,
                                    "nothing behind the name; leave "
                                    "out the colon to ask whether "
                                    "the field is there");
}

static int spell(struct tkt_rules *r, const char *text, const struct tkt_item_spec *spec,
                 struct spelled *s, struct tkt_err *err)
{
    *s = (struct spelled){.kind = spec->otherwise,
                          .text = text,
                          .len = strlen(text),
                          .field = TKT_RULES_NONE};
    if (s->len > 1 && *s->text == '!') {
        s->excludes = true;
        s->text++;
        s->len--;
    }
    take_weight(s);
    if (spec->is_header && take_field(r, s, err) < 0) {
        return -1;
    }
    if (s->kind != TKT_ITEM_PRESENT) {
        take_prefix(s);
    }
    if (s->kind == TKT_ITEM_GLOB && s->len > 0 && *s->text == '.' &&
        spec->zones == TKT_ZONE_BIT(TKT_ZONE_DOMAIN)) {
        s->field = TKT_RULES_BELOW;
    }
    return s->len > 0 ? 0 : tkt_err_set(err, TKT_ERR_CONF, "an empty item; remove it");
}

static int make(struct tkt_interner *in, struct tkt_item *item, uint32_t index,
                const struct tkt_section_key *literals, struct tkt_err *err)
{
    switch (item->kind) {
    case TKT_ITEM_WORDS:
        return make_words(in, item, index, err);
    case TKT_ITEM_GLOB:
        return make_glob(in, item, index, err);
    case TKT_ITEM_REGEX:
        return make_regex(in, item, index, literals, err);
    default:
        return 0;
    }
}

int tkt_item_intern(struct tkt_interner *in, const char *text,
                    const struct tkt_item_spec *spec, struct tkt_item_use *out,
                    struct tkt_err *err)
{
    struct tkt_rules *r = in->rules;
    struct spelled s;
    TKT_AUTO_FREE char *key = NULL;

    if (spell(r, text, spec, &s, err) < 0) {
        return -1;
    }
    const void *named = s.kind == TKT_ITEM_REGEX ? spec->literals : NULL;
    if (asprintf(&key, "%d %u %p %.*s", (int)s.kind, s.field, named, (int)s.len, s.text) <
        0) {
        key = NULL;
        return no_memory(err);
    }
    if (r->item_count == r->item_cap && grow(in) < 0) {
        return no_memory(err);
    }
    uint32_t *slot = slot_of(in, key);
    *out = (struct tkt_item_use){.weight = s.weight, .excludes = s.excludes};
    if (*slot != 0) {
        out->item = *slot - 1;
        r->items[out->item].zones |= spec->zones;
        return 0;
    }
    out->item = (uint32_t)r->item_count;
    struct tkt_item *item = &r->items[r->item_count];
    *item = (struct tkt_item){.kind = s.kind, .zones = spec->zones, .field = s.field};
    item->text = tkt_wire_arena_strdup(&r->arena, s.text, s.len);
    in->keys[r->item_count] = tkt_wire_arena_strdup(&r->arena, key, strlen(key));
    if (item->text == NULL || in->keys[r->item_count] == NULL) {
        return no_memory(err);
    }
    r->item_count++; /* from here on it is freed with the rules */
    *slot = (uint32_t)r->item_count;
    return make(in, item, out->item, named, err);
}

/* ---- from literals to items ---- */

int tkt_interner_finish(struct tkt_interner *in, struct tkt_err *err)
{
    struct tkt_rules *r = in->rules;
    size_t count = tkt_ac_count(r->ac);
    uint32_t *starts = calloc(count + 2, sizeof(*starts));
    uint32_t *values = calloc(in->pair_count + 1, sizeof(*values));

    r->literal_items = (struct tkt_lists){starts, values};
    if (starts == NULL || values == NULL || tkt_ac_build(r->ac) < 0) {
        return no_memory(err);
    }
    for (size_t i = 0; i < in->pair_count; i++) {
        starts[in->pairs[i].literal + 2]++;
    }
    for (size_t i = 2; i <= count + 1; i++) {
        starts[i] += starts[i - 1];
    }
    for (size_t i = 0; i < in->pair_count; i++) {
        values[starts[in->pairs[i].literal + 1]++] = in->pairs[i].item;
    }
    return 0;
}
