/* SPDX-License-Identifier: BSD-2-Clause
 * Whether a rule matches, and which rules of a set act.
 */
#include "decide/rules_private.h"

#include "base/enc.h"
#include "decide/mood.h"

#include <stdlib.h>
#include <string.h>

bool tkt_rules_is_desk(const char *const *desks, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(desks[i], name) == 0) {
            return true;
        }
    }
    return count == 0;
}

/* ---- conditions ---- */

static bool items_hold(struct tkt_rules *r, const struct tkt_condition *c, bool *limit)
{
    bool any = c->wanted == 0;

    for (size_t i = 0; i < c->use_count; i++) {
        const struct tkt_item_use *use = &c->uses[i];
        if (any && !use->excludes) {
            continue;
        }
        bool unknown = false;
        bool hit = tkt_rules_scan_item(r, use->item, c->zones, &unknown) != 0;
        *limit |= unknown;
        if (use->excludes && (hit || unknown)) {
            return false; /* what met a limit is not known to be absent */
        }
        any |= hit;
    }
    return any;
}

static bool value_holds(struct tkt_rules *r, const struct tkt_condition *c,
                        const char *value)
{
    bool any = c->wanted == 0;

    for (size_t i = 0; i < c->use_count; i++) {
        if (tkt_rules_scan_value(r, c->uses[i].item, value)) {
            if (c->uses[i].excludes) {
                return false;
            }
            any = true;
        }
    }
    return any;
}

static bool tags_hold(struct tkt_rules *r, const struct tkt_condition *c,
                      const struct tkt_strings *tags)
{
    bool any = c->wanted == 0;

    for (size_t i = 0; i < c->use_count; i++) {
        bool hit = false;
        for (size_t k = 0; !hit && k < tags->count; k++) {
            hit = tkt_rules_scan_value(r, c->uses[i].item, tags->items[k]);
        }
        if (hit && c->uses[i].excludes) {
            return false;
        }
        any |= hit;
    }
    return any;
}

static bool decided_holds(struct tkt_rules *r, const struct tkt_condition *c,
                          const struct tkt_decision *d)
{
    switch (c->decided) {
    case TKT_DECIDED_TYPE:
        return value_holds(r, c, d->type);
    case TKT_DECIDED_CATEGORY:
        return value_holds(r, c, d->category);
    case TKT_DECIDED_SERVICE:
        return value_holds(r, c, d->service);
    case TKT_DECIDED_GROUP:
        return value_holds(r, c, d->group);
    default:
        return tags_hold(r, c, &d->tags);
    }
}

static bool in_range(const struct tkt_condition *c, uint64_t v)
{
    return v >= c->low && v <= c->high;
}

static bool has_word(const struct tkt_condition *c, const char *word)
{
    for (size_t i = 0; i < c->word_count; i++) {
        if (tkt_ascii_ieq(c->words[i], word)) {
            return true;
        }
    }
    return false;
}

static bool is_at(const struct tkt_condition *c, int32_t minute)
{
    for (size_t i = 0; i < c->span_count; i++) {
        if (tkt_span_holds(&c->spans[i], minute)) {
            return true;
        }
    }
    return false;
}

/* A forged From has the person's entry as well. */
static bool is_vip(const struct tkt_question *q)
{
    return q->facts->person.is_vip &&
           (q->assurance == TKT_ASSURANCE_LOGIN || q->assurance == TKT_ASSURANCE_PASS);
}

static bool is_mood(const struct tkt_condition *c, const struct tkt_mood *mood)
{
    uint32_t bits = UINT32_C(1) << (mood == NULL ? TKT_TONE_NEUTRAL : mood->tone);

    if (mood != NULL && mood->is_angry) {
        bits |= UINT32_C(1) << TKT_TONE_COUNT;
    }
    return (c->mask & bits) != 0;
}

static bool condition_holds(struct tkt_rules *r, const struct tkt_condition *c,
                            const struct tkt_question *q, const struct tkt_decision *d,
                            bool *limit)
{
    const struct tkt_message *msg = q->msg;

    switch (c->kind) {
    case TKT_CONDITION_ITEMS:
        return items_hold(r, c, limit);
    case TKT_CONDITION_VALUE:
        return decided_holds(r, c, d);
    case TKT_CONDITION_CLASS:
        return (c->mask >> msg->class & 1) != 0;
    case TKT_CONDITION_IMPORTANCE:
        return (c->mask >> msg->importance & 1) != 0;
    case TKT_CONDITION_SECURITY:
        return (c->mask >> msg->security & 1) != 0;
    case TKT_CONDITION_ASSURANCE:
        return (c->mask >> q->assurance & 1) != 0;
    case TKT_CONDITION_MOOD:
        return is_mood(c, q->mood);
    case TKT_CONDITION_SAID_URGENCY:
        return (c->mask >> (q->mood == NULL ? 2 : q->mood->urgency) & 1) != 0;
    case TKT_CONDITION_LANGUAGE:
        return has_word(c, msg->language);
    case TKT_CONDITION_DESK:
        return has_word(c, q->desk->name);
    case TKT_CONDITION_TIME:
        return is_at(c, q->facts->minute);
    case TKT_CONDITION_SIZE:
        return in_range(c, msg->size);
    case TKT_CONDITION_ATTACHMENTS:
        return in_range(c, msg->attachment_count);
    case TKT_CONDITION_AFFECTED:
        return in_range(c, q->facts->affected);
    case TKT_CONDITION_VIP:
        return is_vip(q) == c->want;
    case TKT_CONDITION_KNOWN:
        return (q->facts->person.is_known && !tkt_rules_is_forged(q)) == c->want;
    case TKT_CONDITION_AGENT:
        return (q->facts->is_agent && !tkt_rules_is_forged(q)) == c->want;
    }
    return false;
}

static bool conditions_hold(struct tkt_rules *r, const struct tkt_rule *rule,
                            const struct tkt_question *q, const struct tkt_decision *d,
                            bool *limit)
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        bool holds = condition_holds(r, &rule->conditions[i], q, d, limit);
        if (holds == rule->match_any) {
            return holds;
        }
    }
    return !rule->match_any || rule->condition_count == 0;
}

/* ---- what there was ---- */

static void add_word(struct tkt_match *m, const char *word)
{
    for (size_t i = 0; i < m->words.count; i++) {
        if (strcmp(m->words.items[i], word) == 0) {
            return;
        }
    }
    if (m->words.count < TKT_DECISION_KEYWORDS_MAX) {
        m->word_items[m->words.count++] = (char *)(uintptr_t)word;
    }
}

/* All items that are there, each once in a condition, and what they count. */
static size_t weigh(struct tkt_rules *r, const struct tkt_rule *rule,
                    struct tkt_match *out)
{
    size_t hits = 0;
    int64_t sum = 0;
    bool limit = false; /* told before */

    out->words = (struct tkt_strings){out->word_items, 0};
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct tkt_condition *c = &rule->conditions[i];
        for (size_t u = 0; c->is_text && u < c->use_count; u++) {
            const struct tkt_item_use *use = &c->uses[u];
            uint32_t zones =
                use->excludes ? 0 : tkt_rules_scan_item(r, use->item, c->zones, &limit);
            if (zones == 0) {
                continue;
            }
            bool in_subject = (zones & TKT_ZONE_BIT(TKT_ZONE_SUBJECT)) != 0;
            hits++;
            sum += use->weight * (in_subject ? 2 : 1);
            add_word(out, r->items[use->item].text);
        }
    }
    out->score = rule->weight * (hits == 0 ? 1 : sum);
    return hits;
}

void tkt_rule_match(struct tkt_rules *r, const struct tkt_rule *rule,
                    const struct tkt_question *q, const struct tkt_decision *d,
                    struct tkt_match *out)
{
    *out = (struct tkt_match){.matches = false};
    out->words.items = out->word_items;
    if (conditions_hold(r, rule, q, d, &out->limit)) {
        out->matches = weigh(r, rule, out) >= rule->at_least;
    }
}

/* ---- sets ---- */

struct run {
    struct tkt_rules *rules;
    struct tkt_acting *acting;
    bool stopped;
};

/* What held a rule is no match: it must not act by half. */
static int report_limit(struct run *run, const struct tkt_rule *rule,
                        const struct tkt_match *m)
{
    return !m->limit || m->matches
               ? 0
               : tkt_acting_error(run->acting, rule->name,
                                  "an expression took too many steps");
}

static int act(struct run *run, const struct tkt_rule *rule, const struct tkt_match *m)
{
    run->stopped |= rule->stop;
    return tkt_rule_act(run->acting, rule, &m->words);
}

static bool is_due(const struct tkt_rules *r, uint32_t rule)
{
    return (r->scan.due[rule / 64] >> rule % 64 & 1) != 0;
}

/* The next rule at or behind i that is due, or end. */
static uint32_t next_due(const struct tkt_rules *r, uint32_t i, uint32_t end)
{
    while (i < end && !is_due(r, i)) {
        i += i % 64 == 0 && r->scan.due[i / 64] == 0 ? 64 : 1;
    }
    return i < end ? i : end;
}

static int run_in_order(struct run *run, const struct tkt_rule_set *set)
{
    struct tkt_rules *r = run->rules;
    const struct tkt_question *q = run->acting->q;
    uint32_t end = set->first + set->count;
    struct tkt_match m;

    for (uint32_t i = next_due(r, set->first, end); i < end;
         i = next_due(r, i + 1, end)) {
        const struct tkt_rule *rule = &r->rules[i];
        tkt_rule_match(r, rule, q, run->acting->d, &m);
        if (report_limit(run, rule, &m) < 0 || (m.matches && act(run, rule, &m) < 0)) {
            return -1;
        }
        if (m.matches && (run->stopped || set->mode == TKT_RULE_FIRST)) {
            return 0;
        }
    }
    return 0;
}

/* ---- the best outcome ---- */

struct weighed {
    uint32_t rule;
    int64_t score;
};

struct ballot {
    struct weighed *rules;
    size_t count;
    int64_t *outcomes;
    int64_t *camps; /* the outcomes of each group together */
};

static int by_score(const void *a, const void *b)
{
    const struct weighed *x = a;
    const struct weighed *y = b;

    if (x->score != y->score) {
        return x->score < y->score ? 1 : -1;
    }
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* All rules that match; those that decide nothing act at once. */
static int gather(struct run *run, const struct tkt_rule_set *set, struct ballot *b)
{
    struct tkt_rules *r = run->rules;
    uint32_t end = set->first + set->count;
    struct tkt_match m;

    for (uint32_t i = next_due(r, set->first, end); i < end && !run->stopped;
         i = next_due(r, i + 1, end)) {
        const struct tkt_rule *rule = &r->rules[i];
        tkt_rule_match(r, rule, run->acting->q, run->acting->d, &m);
        if (report_limit(run, rule, &m) < 0) {
            return -1;
        }
        if (m.matches && rule->outcome == TKT_RULES_NONE && act(run, rule, &m) < 0) {
            return -1;
        }
        if (m.matches && rule->outcome != TKT_RULES_NONE) {
            b->rules[b->count++] = (struct weighed){i, m.score};
            b->outcomes[rule->outcome] += m.score;
            b->camps[rule->camp] += m.score;
        }
    }
    return 0;
}

/* A lead that says much between small scores says little between large ones. */
static bool is_clear(const struct tkt_rule_set *set, int64_t best, int64_t second)
{
    return best >= set->min_score && best - second >= set->min_lead &&
           best * 100 >= second * set->min_ratio;
}

/* NONE when nothing is clear enough. Groups compete: two categories of one group do not
 * silence each other. */
static uint32_t best_camp(const struct tkt_rule_set *set, const struct ballot *b)
{
    uint32_t best = TKT_RULES_NONE;
    int64_t second = 0;

    for (uint32_t i = 0; i < set->camp_count; i++) {
        if (best == TKT_RULES_NONE || b->camps[i] > b->camps[best]) {
            second = best == TKT_RULES_NONE ? 0 : b->camps[best];
            best = i;
        } else if (b->camps[i] > second) {
            second = b->camps[i];
        }
    }
    if (best == TKT_RULES_NONE || b->count == 0 ||
        !is_clear(set, b->camps[best], second)) {
        return TKT_RULES_NONE;
    }
    return best;
}

/* The best outcome of the best group; of equal ones that which the files name first. */
static uint32_t winner(const struct tkt_rules *r, const struct tkt_rule_set *set,
                       const struct ballot *b)
{
    uint32_t camp = best_camp(set, b);
    uint32_t best = TKT_RULES_NONE;

    for (size_t i = 0; camp != TKT_RULES_NONE && i < b->count; i++) {
        const struct tkt_rule *rule = &r->rules[b->rules[i].rule];
        if (rule->camp == camp &&
            (best == TKT_RULES_NONE || b->outcomes[rule->outcome] > b->outcomes[best])) {
            best = rule->outcome;
        }
    }
    return best;
}

/* Moves what speaks for the outcome to the front: how many. */
static size_t only_of(const struct tkt_rules *r, uint32_t outcome, struct ballot *b)
{
    size_t count = 0;

    for (size_t i = 0; outcome != TKT_RULES_NONE && i < b->count; i++) {
        if (r->rules[b->rules[i].rule].outcome == outcome && b->rules[i].score > 0) {
            b->rules[count++] = b->rules[i];
        }
    }
    return count;
}

static int run_best(struct run *run, const struct tkt_rule_set *set)
{
    struct ballot b = {.rules = calloc(set->count + 1, sizeof(*b.rules)),
                       .outcomes = calloc(set->outcome_count + 1, sizeof(*b.outcomes)),
                       .camps = calloc(set->camp_count + 1, sizeof(*b.camps))};
    struct tkt_match m;
    int rc = -1;

    if (b.rules == NULL || b.outcomes == NULL || b.camps == NULL ||
        gather(run, set, &b) < 0) {
        goto out;
    }
    uint32_t best = run->stopped ? TKT_RULES_NONE : winner(run->rules, set, &b);
    size_t acting = only_of(run->rules, best, &b);
    qsort(b.rules, acting, sizeof(*b.rules), by_score);
    rc = 0;
    for (size_t i = 0; rc == 0 && i < acting; i++) {
        const struct tkt_rule *rule = &run->rules->rules[b.rules[i].rule];
        tkt_rule_match(run->rules, rule, run->acting->q, run->acting->d, &m);
        rc = act(run, rule, &m);
    }
out:
    free(b.rules);
    free(b.outcomes);
    free(b.camps);
    return rc;
}

/* ---- all ---- */

void tkt_rules_begin(struct tkt_rules *rules)
{
    tkt_rules_scan_forget(rules);
}

int tkt_rules_route(const struct tkt_question *q, struct tkt_rules *r,
                    struct tkt_decision *d, struct tkt_wire_arena *arena)
{
    struct tkt_acting acting = {.q = q, .d = d, .arena = arena};
    struct run run = {.rules = r, .acting = &acting};

    if (r->rule_count + r->extract_count + r->require_count == 0) {
        return 0;
    }
    if (tkt_rules_scan_message(r, q) < 0) {
        return -1;
    }
    for (size_t i = 0; i < r->set_count && !run.stopped; i++) {
        const struct tkt_rule_set *set = &r->sets[i];
        if (!tkt_rules_is_desk(set->desks, set->desk_count, q->desk->name)) {
            continue;
        }
        int rc =
            set->mode == TKT_RULE_BEST ? run_best(&run, set) : run_in_order(&run, set);
        if (rc < 0) {
            return -1;
        }
    }
    return tkt_rules_extract(r, &acting) < 0 || tkt_rules_require(r, &acting) < 0 ? -1
                                                                                  : 0;
}
