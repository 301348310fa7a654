/* SPDX-License-Identifier: BSD-2-Clause
 * What compiled rules are made of. Private to the rules*.c of common/decide.
 *
 * An item is one word, glob or expression; equal ones of all rules are one item. A zone is
 * a part of the message that items look at. While a message is at hand, every item has a
 * bit for each zone in which it was found (or may be: a candidate), and only what is set
 * then has to be looked at and reset.
 */
#ifndef TKT_DECIDE_RULES_PRIVATE_H
#define TKT_DECIDE_RULES_PRIVATE_H
#include "base/buf.h"
#include "decide/ahocorasick.h"
#include "decide/regex.h"
#include "decide/rules.h"
#include "decide/wordfold.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_RULES_NONE UINT32_MAX
/* Instead of a field: the domain with a dot in front, for what means it and all below. */
#define TKT_RULES_BELOW (UINT32_MAX - 1)
#define TKT_RULES_GAPS_MAX 2
#define TKT_RULES_GAP_WORDS_MAX 9
#define TKT_RULES_FIELDS_MAX 64 /* names of header fields */

enum tkt_zone {
    TKT_ZONE_SUBJECT,
    TKT_ZONE_REPLY,
    TKT_ZONE_TEXT,
    TKT_ZONE_SENDER,
    TKT_ZONE_SENDER_NAME,
    TKT_ZONE_DOMAIN,
    TKT_ZONE_RECIPIENT,
    TKT_ZONE_HEADER,
    TKT_ZONE_ATTACHMENT,
    TKT_ZONE_ATTACHMENT_TYPE,
    TKT_ZONE_CLIENT,
    TKT_ZONE_DEPARTMENT,
    TKT_ZONE_COMPANY,
    TKT_ZONE_TITLE,
    TKT_ZONE_LOCATION,
    TKT_ZONE_MANAGER,
    TKT_ZONE_MEMBER_OF,
    TKT_ZONES
};
#define TKT_ZONE_BIT(zone) (UINT32_C(1) << (zone))
#define TKT_ZONES_SAYS (TKT_ZONE_BIT(TKT_ZONE_SUBJECT) | TKT_ZONE_BIT(TKT_ZONE_REPLY))
#define TKT_ZONES_TEXT (TKT_ZONE_BIT(TKT_ZONE_SUBJECT) | TKT_ZONE_BIT(TKT_ZONE_TEXT))

enum tkt_item_kind {
    TKT_ITEM_WORDS,
    TKT_ITEM_GLOB,
    TKT_ITEM_REGEX,
    TKT_ITEM_PRESENT /* a header field */
};

/* A piece of a word item: "reset" of "password <3> reset". */
struct tkt_item_part {
    char *text; /* folded */
    size_t len;
    unsigned gap; /* so many words may stand in front; of the first part 0 */
};

struct tkt_item {
    enum tkt_item_kind kind;
    uint32_t zones;   /* in which anybody asks for it */
    uint32_t field;   /* of rules->fields, or NONE */
    const char *text; /* as it is written, without prefix and weight */
    struct tkt_item_part parts[TKT_RULES_GAPS_MAX + 1];
    uint8_t part_count;
    bool open_start; /* "*fehler": a word may go on there */
    bool open_end;
    bool indexed; /* it is only tried where a literal of it was seen */
    char *glob;
    struct tkt_regex *regex;
};

/* How an item stands in a condition. */
struct tkt_item_use {
    uint32_t item;
    int weight;
    bool excludes;
};

enum tkt_condition_kind {
    TKT_CONDITION_ITEMS, /* one of the items is in one of the zones */
    TKT_CONDITION_VALUE, /* one of the items is what was decided so far */
    TKT_CONDITION_CLASS,
    TKT_CONDITION_IMPORTANCE,
    TKT_CONDITION_SECURITY,
    TKT_CONDITION_ASSURANCE,
    TKT_CONDITION_MOOD,
    TKT_CONDITION_SAID_URGENCY,
    TKT_CONDITION_LANGUAGE,
    TKT_CONDITION_DESK,
    TKT_CONDITION_TIME,
    TKT_CONDITION_SIZE,
    TKT_CONDITION_ATTACHMENTS,
    TKT_CONDITION_AFFECTED,
    TKT_CONDITION_VIP,
    TKT_CONDITION_KNOWN,
    TKT_CONDITION_AGENT
};

enum tkt_decided { /* of TKT_CONDITION_VALUE */
    TKT_DECIDED_TYPE,
    TKT_DECIDED_CATEGORY,
    TKT_DECIDED_SERVICE,
    TKT_DECIDED_GROUP,
    TKT_DECIDED_TAG
};

struct tkt_span { /* of a week */
    uint8_t days; /* bit 0 = Monday */
    int from;     /* minutes of the day */
    int to;       /* at or below from: of the next day */
};

struct tkt_condition {
    enum tkt_condition_kind kind;
    enum tkt_decided decided;
    uint32_t zones;
    uint32_t mask; /* of the classes, assurances ... that hold */
    bool is_text;  /* its items count for at_least, scores, and keywords */
    bool want;     /* of the kinds that are yes or no */
    uint64_t low;
    uint64_t high;
    struct tkt_item_use *uses;
    size_t use_count;
    size_t wanted; /* of these, those that do not exclude */
    const char **words;
    size_t word_count;
    struct tkt_span *spans;
    size_t span_count;
};

struct tkt_rule {
    const char *name;
    const struct tkt_section *from; /* actions are read from it */
    struct tkt_condition *conditions;
    size_t condition_count;
    bool match_any;
    bool decides; /* it names a category or group: an outcome of a set of mode best */
    unsigned at_least;
    int weight;
    uint64_t outcome_hash;
    uint32_t outcome; /* rules of the set with the same one agree */
    uint32_t camp;    /* ... and those that name the same group lend each other weight */
    bool stop;
    bool always; /* it is tried on every message */
};

enum tkt_rule_mode {
    TKT_RULE_FIRST,
    TKT_RULE_ALL,
    TKT_RULE_BEST
};

struct tkt_rule_set {
    const char *name;
    enum tkt_rule_mode mode;
    const char *const *desks;
    size_t desk_count;
    int64_t min_score;
    int64_t min_lead;
    int64_t min_ratio; /* percent, of the best to the next */
    uint32_t first;    /* of rules->rules, where those of a set are neighbours */
    uint32_t count;
    uint32_t outcome_count;
    uint32_t camp_count; /* no more than outcomes */
};

struct tkt_extract {
    const char *name;
    const char *field;
    uint32_t zones;
    uint32_t item; /* its expression */
    const char *const *desks;
    size_t desk_count;
};

struct tkt_require {
    const char *field;
    const char *const *desks;
    size_t desk_count;
    const char *const *types;
    size_t type_count;
    struct tkt_item_use *categories; /* globs */
    size_t category_count;
};

/* Of the items in which a literal is, and of the rules that an item may make match. */
struct tkt_lists {
    uint32_t *starts; /* one more than there are lists */
    uint32_t *values;
};

struct tkt_zone_piece { /* one string of a zone */
    const char *raw;
    size_t raw_len;
    size_t at; /* in folded */
    size_t len;
    uint32_t field;
};

struct tkt_zone_text {
    struct tkt_buf folded;
    struct tkt_zone_piece *pieces;
    size_t count;
    size_t cap;
};

struct tkt_item_state { /* bits of zones */
    uint32_t hit;
    uint32_t candidate;
    uint32_t tried;
    uint32_t limit; /* the expression met a limit there */
};

/* What was found in the message at hand. */
struct tkt_rules_scan {
    bool done;
    bool failed; /* no memory */
    struct tkt_zone_text zones[TKT_ZONES];
    struct tkt_item_state *states; /* one an item */
    uint32_t *touched;
    size_t touched_count;
    uint64_t *due; /* bits of rules that are to be tried */
    /* where the search is */
    enum tkt_zone zone;
    const struct tkt_zone_piece *piece;
    const char *start;
    const char *end;
};

struct tkt_rules {
    struct tkt_wire_arena arena;
    struct tkt_wordfold *fold;
    struct tkt_regex_set *regexes;
    struct tkt_ac *ac;
    struct tkt_item *items;
    size_t item_count;
    size_t item_cap;
    size_t regex_count;
    struct tkt_rule *rules;
    size_t rule_count;
    struct tkt_rule_set *sets;
    size_t set_count;
    struct tkt_extract *extracts;
    size_t extract_count;
    struct tkt_require *requires;
    size_t require_count;
    struct tkt_strings fields; /* of headers */
    struct tkt_lists literal_items;
    struct tkt_lists item_rules;
    uint64_t *always; /* bits of rules */
    uint32_t zones;   /* that anybody asks for */
    struct tkt_rules_scan scan;
};

/* ---- rules_item.c: what an item says -------------------------------------------------- */

struct tkt_item_spec {
    enum tkt_item_kind otherwise; /* without a prefix: WORDS or GLOB */
    uint32_t zones;
    bool is_header;
    const struct tkt_section_key *literals; /* named by the rule, or NULL */
};

struct tkt_interner; /* of items while rules are compiled */
struct tkt_interner *tkt_interner_new(struct tkt_rules *rules);
void tkt_interner_free(struct tkt_interner **interner);
/* The use of the item that text writes. Errors are CONF, without a position. */
int tkt_item_intern(struct tkt_interner *interner, const char *text,
                    const struct tkt_item_spec *spec, struct tkt_item_use *out,
                    struct tkt_err *err);
/* Builds the automaton and the lists from literals to items. */
int tkt_interner_finish(struct tkt_interner *interner, struct tkt_err *err);

/* ---- rules_condition.c ------------------------------------------------------------------ */

/* All conditions of the rule's section. */
int tkt_conditions_compile(struct tkt_rules *rules, struct tkt_interner *interner,
                           struct tkt_rule *rule, struct tkt_err *err);
bool tkt_span_holds(const struct tkt_span *span, int32_t minute);

/* ---- rules_index.c: which items make which rules due -------------------------------------- */

int tkt_rules_index(struct tkt_rules *rules); /* -1: memory */

/* ---- rules_scan.c: what is in the message ----------------------------------------------- */

int tkt_rules_scan_prepare(struct tkt_rules *rules); /* -1: memory */
void tkt_rules_scan_release(struct tkt_rules *rules);
void tkt_rules_scan_forget(struct tkt_rules *rules);
/* The From is known not to be the sender: then the directory says nothing of him. */
bool tkt_rules_is_forged(const struct tkt_question *q);
/* Once a message; -1: memory. */
int tkt_rules_scan_message(struct tkt_rules *rules, const struct tkt_question *q);
/* In which of these zones the item is. limit is set when an expression met one. */
uint32_t tkt_rules_scan_item(struct tkt_rules *rules, uint32_t item, uint32_t zones,
                             bool *limit);
/* Whether the item is in a text that is no zone. */
bool tkt_rules_scan_value(struct tkt_rules *rules, uint32_t item, const char *value);

/* ---- rules_eval.c ------------------------------------------------------------------------ */

struct tkt_match {
    bool matches;
    bool limit; /* an expression met a limit: it counts as not matching */
    int64_t score;
    struct tkt_strings words; /* of the rule's text conditions; items are borrowed */
    char *word_items[TKT_DECISION_KEYWORDS_MAX];
};
void tkt_rule_match(struct tkt_rules *rules, const struct tkt_rule *rule,
                    const struct tkt_question *q, const struct tkt_decision *d,
                    struct tkt_match *out);
bool tkt_rules_is_desk(const char *const *desks, size_t count, const char *name);

/* ---- rules_act.c -------------------------------------------------------------------------- */

enum tkt_rule_slot { /* what rules have set, the first of them wins */
    TKT_SLOT_TYPE,
    TKT_SLOT_CATEGORY,
    TKT_SLOT_SUBCATEGORY,
    TKT_SLOT_SERVICE,
    TKT_SLOT_GROUP,
    TKT_SLOT_ASSIGNEE,
    TKT_SLOT_URGENCY,
    TKT_SLOT_IMPACT,
    TKT_SLOT_PRIORITY,
    TKT_SLOT_REQUESTER,
    TKT_SLOT_ITSM,
    TKT_SLOTS
};
struct tkt_acting {
    const struct tkt_question *q;
    struct tkt_decision *d;
    struct tkt_wire_arena *arena;
    bool taken[TKT_SLOTS];
};
/* -1: memory, here and below. */
int tkt_rule_act(struct tkt_acting *a, const struct tkt_rule *rule,
                 const struct tkt_strings *words);
int tkt_acting_error(struct tkt_acting *a, const char *name, const char *why);
int tkt_acting_tag(struct tkt_acting *a, const char *name, const char *tag);
/* A field that is there already stays. */
int tkt_acting_field(struct tkt_acting *a, const char *name, const char *field,
                     size_t field_len, const char *value, size_t value_len);
int tkt_acting_keywords(struct tkt_acting *a, const struct tkt_strings *words);

/* ---- rules_extract.c ---------------------------------------------------------------------- */

int tkt_rules_extract(struct tkt_rules *rules, struct tkt_acting *a);
int tkt_rules_require(struct tkt_rules *rules, struct tkt_acting *a);

#endif
