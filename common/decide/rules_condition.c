/* SPDX-License-Identifier: BSD-2-Clause
 * Conditions: one row for each key that may stand in a rule.
 */
#include "base/util.h"
#include "decide/mood.h"
#include "decide/rules_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MIN 1440

struct compiler {
    struct tkt_rules *rules;
    struct tkt_interner *interner;
    const struct tkt_section *section;
    const struct tkt_section_key *literals;
};

struct row {
    const char *key;
    int (*compile)(struct compiler *c, const struct row *row,
                   const struct tkt_section_key *key, struct tkt_condition *out,
                   struct tkt_err *err);
    enum tkt_condition_kind kind;
    uint32_t zones;
    enum tkt_item_kind otherwise;
    bool is_text;
    bool is_header;
    enum tkt_decided decided;
    const char *const *names; /* of the bits of a mask */
    size_t name_count;
};

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "rules: no memory");
}

/* ---- lists of items ---- */

static int compile_items(struct compiler *c, const struct row *row,
                         const struct tkt_section_key *key, struct tkt_condition *out,
                         struct tkt_err *err)
{
    const struct tkt_item_spec spec = {.otherwise = row->otherwise,
                                       .zones = row->zones,
                                       .is_header = row->is_header,
                                       .literals = c->literals};
    struct tkt_err why = TKT_ERR_INIT;

    out->uses =
        tkt_wire_arena_alloc(&c->rules->arena, (key->count + 1) * sizeof(*out->uses));
    if (out->uses == NULL) {
        return no_memory(err);
    }
    out->zones = row->zones;
    out->is_text = row->is_text;
    out->decided = row->decided;
    c->rules->zones |= row->zones;
    for (size_t i = 0; i < key->count; i++) {
        struct tkt_item_use *use = &out->uses[out->use_count];
        if (tkt_item_intern(c->interner, key->values[i], &spec, use, &why) < 0) {
            return why.class == TKT_ERR_CONF
                       ? tkt_section_fail(c->section, key, err,
                                          "rule %s: %s: \"%.60s\": %s", c->section->title,
                                          key->name, key->values[i], why.text)
                       : tkt_err_set(err, why.class, "%s", why.text);
        }
        out->use_count++;
        out->wanted += !use->excludes;
    }
    return 0;
}

/* ---- lists of words ---- */

static int compile_words(struct compiler *c, const struct row *row,
                         const struct tkt_section_key *key, struct tkt_condition *out,
                         struct tkt_err *err)
{
    (void)c;
    (void)row;
    (void)err;
    out->words = key->values;
    out->word_count = key->count;
    return 0;
}

static int compile_mask(struct compiler *c, const struct row *row,
                        const struct tkt_section_key *key, struct tkt_condition *out,
                        struct tkt_err *err)
{
    for (size_t i = 0; i < key->count; i++) {
        size_t bit = 0;
        while (bit < row->name_count && strcmp(row->names[bit], key->values[i]) != 0) {
            bit++;
        }
        if (bit == row->name_count) {
            return tkt_section_fail(c->section, key, err,
                                    "rule %s: %s: \"%.60s\" is not "
                                    "known",
                                    c->section->title, key->name, key->values[i]);
        }
        out->mask |= UINT32_C(1) << bit;
    }
    return 0;
}

static int compile_bool(struct compiler *c, const struct row *row,
                        const struct tkt_section_key *key, struct tkt_condition *out,
                        struct tkt_err *err)
{
    (void)c;
    (void)row;
    (void)err;
    out->want = key->count > 0 && strcmp(key->values[0], "yes") == 0;
    return 0;
}

/* ---- ranges ---- */

static const char *read_number(const char *s, uint64_t *out)
{
    static const char units[] = "kMG";
    uint64_t v = 0;

    if (!isdigit((unsigned char)*s)) {
        return NULL;
    }
    for (; isdigit((unsigned char)*s); s++) {
        if (v > UINT64_MAX / 4096 / 1024 / 1024 / 1024) {
            return NULL;
        }
        v = v * 10 + (uint64_t)(*s - '0');
    }
    const char *unit = *s == '\0' ? NULL : strchr(units, *s == 'K' ? 'k' : *s);
    if (unit != NULL) {
        v <<= 10 * (unsigned)(unit - units + 1);
        s++;
    }
    *out = v;
    return s;
}

static int compile_range(struct compiler *c, const struct row *row,
                         const struct tkt_section_key *key, struct tkt_condition *out,
                         struct tkt_err *err)
{
    const char *s = key->count > 0 ? key->values[0] : "";

    (void)row;
    out->low = 0;
    out->high = UINT64_MAX;
    if (strncmp(s, "..", 2) != 0) {
        s = read_number(s, &out->low);
    }
    if (s != NULL && *s == '\0') { /* one number: exactly this */
        out->high = out->low;
        return 0;
    }
    if (s != NULL && strncmp(s, "..", 2) == 0) {
        s += 2;
        s = *s == '\0' ? s : read_number(s, &out->high);
    } else {
        s = NULL;
    }
    if (s == NULL || *s != '\0' || out->low > out->high) {
        return tkt_section_fail(c->section, key, err,
                                "rule %s: %s: \"%.60s\" is no range; write \"10k..\", "
                                "\"..5\" or \"1k..1M\"",
                                c->section->title, key->name,
                                key->count > 0 ? key->values[0] : "");
    }
    return 0;
}

/* ---- times ---- */

static const char *read_day(const char *s, unsigned *out)
{
    static const char names[][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

    for (unsigned i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (strncasecmp(s, names[i], 3) == 0) {
            *out = i;
            return s + 3;
        }
    }
    return NULL;
}

/* "mon-fri,sun" */
static const char *read_days(const char *s, uint8_t *out)
{
    *out = 0;
    for (;;) {
        unsigned from;
        s = read_day(s, &from);
        unsigned to = from;
        if (s != NULL && *s == '-') {
            s = read_day(s + 1, &to);
        }
        if (s == NULL) {
            return NULL;
        }
        for (unsigned d = from;; d = (d + 1) % 7) {
            *out |= (uint8_t)(1u << d);
            if (d == to) {
                break;
            }
        }
        if (*s != ',') {
            return s;
        }
        s++;
    }
}

static const char *read_clock(const char *s, int *out)
{
    for (size_t i = 0; i < 5; i++) {
        if (i == 2 ? s[i] != ':' : !isdigit((unsigned char)s[i])) {
            return NULL;
        }
    }
    int hour = (s[0] - '0') * 10 + s[1] - '0';
    int minute = (s[3] - '0') * 10 + s[4] - '0';
    *out = hour * 60 + minute;
    return minute < 60 && *out <= DAY_MIN ? s + 5 : NULL;
}

/* "mon-fri 08:00-18:00", or one half of it. */
static bool read_span(const char *s, struct tkt_span *out)
{
    *out = (struct tkt_span){.days = 0x7f, .from = 0, .to = DAY_MIN};
    if (isalpha((unsigned char)*s)) {
        s = read_days(s, &out->days);
        if (s == NULL || *s == '\0') {
            return s != NULL;
        }
        if (*s != ' ') {
            return false;
        }
        s += strspn(s, " ");
    }
    s = read_clock(s, &out->from);
    if (s == NULL || *s != '-') {
        return false;
    }
    s = read_clock(s + 1, &out->to);
    return s != NULL && *s == '\0' && out->from < DAY_MIN;
}

static int compile_times(struct compiler *c, const struct row *row,
                         const struct tkt_section_key *key, struct tkt_condition *out,
                         struct tkt_err *err)
{
    (void)row;
    out->spans =
        tkt_wire_arena_alloc(&c->rules->arena, (key->count + 1) * sizeof(*out->spans));
    if (out->spans == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < key->count; i++) {
        if (!read_span(key->values[i], &out->spans[i])) {
            return tkt_section_fail(c->section, key, err,
                                    "rule %s: %s: \"%.60s\" is no time; write "
                                    "\"mon-fri 08:00-18:00\", \"sat,sun\" or "
                                    "\"22:00-06:00\"",
                                    c->section->title, key->name, key->values[i]);
        }
        out->span_count++;
    }
    return 0;
}

bool tkt_span_holds(const struct tkt_span *span, int32_t minute)
{
    if (minute < 0) {
        return false;
    }
    int day = minute / DAY_MIN % 7;
    int at = minute % DAY_MIN;
    bool today = (span->days >> day & 1) != 0;
    bool yesterday = (span->days >> (day + 6) % 7 & 1) != 0;

    if (span->from < span->to) {
        return today && at >= span->from && at < span->to;
    }
    return (today && at >= span->from) || (yesterday && at < span->to);
}

/* ---- the rows ---- */

#define ITEMS(k, z, o)                                                                   \
    .key = (k), .compile = compile_items, .kind = TKT_CONDITION_ITEMS, .zones = (z),     \
    .otherwise = TKT_ITEM_##o
#define ZONE(z) TKT_ZONE_BIT(TKT_ZONE_##z)
#define VALUE(k, what)                                                                   \
    .key = (k), .compile = compile_items, .kind = TKT_CONDITION_VALUE,                   \
    .otherwise = TKT_ITEM_GLOB, .decided = TKT_DECIDED_##what
#define MASK(k, what, n, count)                                                          \
    .key = (k), .compile = compile_mask, .kind = TKT_CONDITION_##what, .names = (n),     \
    .name_count = (count)
#define OTHER(k, how, what) .key = (k), .compile = (how), .kind = TKT_CONDITION_##what

static const char *const said_names[] = {"", "high", "medium", "low"};
static const char *const mood_names[] = {
    [TKT_TONE_NEUTRAL] = "neutral",
    [TKT_TONE_NEGATIVE] = "negative",
    [TKT_TONE_POSITIVE] = "positive",
    [TKT_TONE_COUNT] = "angry", /* NEGATIVE as well */
};
static const char *const importance_names[] = {"", "high", "normal", "low"};

/* Cheap ones first: they are tried in this order. */
static const struct row rows[] = {
    {OTHER("if_desk", compile_words, DESK)},
    {MASK("if_class", CLASS, tkt_class_names, TKT_CLASS_COUNT)},
    {MASK("if_importance", IMPORTANCE, importance_names, TKT_IMPORTANCE_COUNT)},
    {MASK("if_security", SECURITY, tkt_security_names, TKT_SECURITY_COUNT)},
    {MASK("if_assurance", ASSURANCE, tkt_assurance_names, TKT_ASSURANCE_COUNT)},
    {MASK("if_mood", MOOD, mood_names, TKT_ARRAY_LEN(mood_names))},
    {MASK("if_said_urgency", SAID_URGENCY, said_names, TKT_ARRAY_LEN(said_names))},
    {OTHER("if_language", compile_words, LANGUAGE)},
    {OTHER("if_time", compile_times, TIME)},
    {OTHER("if_size", compile_range, SIZE)},
    {OTHER("if_attachments", compile_range, ATTACHMENTS)},
    {OTHER("if_affected", compile_range, AFFECTED)},
    {OTHER("if_vip", compile_bool, VIP)},
    {OTHER("if_known", compile_bool, KNOWN)},
    {OTHER("if_agent", compile_bool, AGENT)},
    {ITEMS("if_says", TKT_ZONES_SAYS, WORDS), .is_text = true},
    {ITEMS("and_says", TKT_ZONES_SAYS, WORDS), .is_text = true},
    {ITEMS("if_subject", ZONE(SUBJECT), WORDS), .is_text = true},
    {ITEMS("and_subject", ZONE(SUBJECT), WORDS), .is_text = true},
    {ITEMS("if_reply", ZONE(REPLY), WORDS), .is_text = true},
    {ITEMS("and_reply", ZONE(REPLY), WORDS), .is_text = true},
    {ITEMS("if_text", TKT_ZONES_TEXT, WORDS), .is_text = true},
    {ITEMS("and_text", TKT_ZONES_TEXT, WORDS), .is_text = true},
    {ITEMS("if_sender", ZONE(SENDER), GLOB)},
    {ITEMS("if_sender_name", ZONE(SENDER_NAME), WORDS)},
    {ITEMS("if_domain", ZONE(DOMAIN), GLOB)},
    {ITEMS("if_recipient", ZONE(RECIPIENT), GLOB)},
    {ITEMS("if_header", ZONE(HEADER), GLOB), .is_header = true},
    {ITEMS("if_attachment", ZONE(ATTACHMENT), GLOB)},
    {ITEMS("if_attachment_type", ZONE(ATTACHMENT_TYPE), GLOB)},
    {ITEMS("if_client", ZONE(CLIENT), GLOB)},
    {ITEMS("if_department", ZONE(DEPARTMENT), WORDS)},
    {ITEMS("if_company", ZONE(COMPANY), GLOB)},
    {ITEMS("if_title", ZONE(TITLE), WORDS)},
    {ITEMS("if_location", ZONE(LOCATION), WORDS)},
    {ITEMS("if_manager", ZONE(MANAGER), GLOB)},
    {ITEMS("if_member_of", ZONE(MEMBER_OF), GLOB)},
    {VALUE("if_type", TYPE)},
    {VALUE("if_category", CATEGORY)},
    {VALUE("if_service", SERVICE)},
    {VALUE("if_group", GROUP)},
    {VALUE("if_tag", TAG)},
};

/* A key that nobody knows would be a condition that never counts: better none at all. */
static int check_keys(const struct tkt_section *section, struct tkt_err *err)
{
    for (size_t i = 0; i < section->key_count; i++) {
        const struct tkt_section_key *key = &section->keys[i];
        bool is_condition =
            strncmp(key->name, "if_", 3) == 0 || strncmp(key->name, "and_", 4) == 0;
        bool known = !is_condition;
        for (size_t k = 0; !known && k < TKT_ARRAY_LEN(rows); k++) {
            known = strcmp(rows[k].key, key->name) == 0;
        }
        if (!known) {
            return tkt_section_fail(section, key, err,
                                    "rule %s: no condition %s is known", section->title,
                                    key->name);
        }
    }
    return 0;
}

int tkt_conditions_compile(struct tkt_rules *rules, struct tkt_interner *interner,
                           struct tkt_rule *rule, struct tkt_err *err)
{
    struct compiler c = {.rules = rules,
                         .interner = interner,
                         .section = rule->from,
                         .literals = tkt_section_key(rule->from, "literals")};
    struct tkt_condition made[TKT_ARRAY_LEN(rows)];

    if (check_keys(rule->from, err) < 0) {
        return -1;
    }
    memset(made, 0, sizeof(made));
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        const struct tkt_section_key *key = tkt_section_key(rule->from, rows[i].key);
        if (key == NULL || key->count == 0) {
            continue;
        }
        struct tkt_condition *out = &made[rule->condition_count];
        out->kind = rows[i].kind;
        if (rows[i].compile(&c, &rows[i], key, out, err) < 0) {
            return -1;
        }
        rule->condition_count++;
    }
    size_t bytes = (rule->condition_count + 1) * sizeof(made[0]);
    rule->conditions = tkt_wire_arena_alloc(&rules->arena, bytes);
    if (rule->conditions == NULL) {
        return no_memory(err);
    }
    memcpy(rule->conditions, made, rule->condition_count * sizeof(made[0]));
    return 0;
}
