/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/priority.h"

#include "decide/mood.h"
#include "decide/policy.h"
#include "decide/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEDIUM 2

const char *const tkt_level_names[] = {"", "high", "medium", "low", NULL};
const char *const tkt_priority_names[] = {"",    "urgent",   "high", "normal",
                                          "low", "planning", NULL};

const struct tkt_matrix tkt_matrix_default = {
    .cell = {{1, 2, 3}, {2, 3, 4}, {3, 4, 5}},
    .urgency = MEDIUM,
    .impact = MEDIUM,
    .vip = 1,
    .affected = {5, 25},
    .words = true,
    .mood = true,
    .importance = true,
};

/* ---- the section ---------------------------------------------------------------------- */

/* The index of a word from 1 on, or 0. */
static int index_of(const char *const *names, const char *word)
{
    for (int i = 1; names[i] != NULL; i++) {
        if (strcmp(names[i], word) == 0) {
            return i;
        }
    }
    return 0;
}

static int read_row(const struct tkt_section *section, int urgency,
                    uint8_t cells[TKT_MATRIX_LEVELS], struct tkt_err *err)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "urgency_%s", tkt_level_names[urgency]); /* fits */
    const struct tkt_section_key *key = tkt_section_key(section, name);
    if (key == NULL) {
        return 0;
    }
    if (key->count != TKT_MATRIX_LEVELS) {
        return tkt_section_fail(section, key, err,
                                "%s needs three priorities: at impact high, medium, low",
                                name);
    }
    for (int i = 0; i < TKT_MATRIX_LEVELS; i++) {
        int priority = index_of(tkt_priority_names, key->values[i]);
        if (priority == 0) {
            return tkt_section_fail(section, key, err, "%s: %s is no priority", name,
                                    key->values[i]);
        }
        cells[i] = (uint8_t)priority;
    }
    return 0;
}

static int read_level(const struct tkt_section *section, const char *name, uint8_t *out,
                      struct tkt_err *err)
{
    const char *word = tkt_section_value(section, name, tkt_level_names[*out]);
    int level = index_of(tkt_level_names, word);

    if (level == 0) {
        return tkt_section_fail(section, tkt_section_key(section, name), err,
                                "%s: write high, medium or low, not %s", name, word);
    }
    *out = (uint8_t)level;
    return 0;
}

static int read_affected(const struct tkt_section *section, struct tkt_matrix *m,
                         struct tkt_err *err)
{
    const struct tkt_section_key *key = tkt_section_key(section, "affected");

    if (key == NULL) {
        return 0;
    }
    memset(m->affected, 0, sizeof(m->affected));
    for (size_t i = 0; i < key->count; i++) {
        char *end;
        unsigned long people = strtoul(key->values[i], &end, 10);
        if (*end != '\0' || people < 2 || people > UINT32_MAX ||
            i >= TKT_MATRIX_STEPS_MAX) {
            return tkt_section_fail(section, key, err,
                                    "affected: write at most two numbers of people from "
                                    "2 on");
        }
        m->affected[i] = (uint32_t)people;
    }
    return 0;
}

static bool is_yes(const struct tkt_section *section, const char *name)
{
    return strcmp(tkt_section_value(section, name, "yes"), "yes") == 0;
}

static int read_section(const struct tkt_section *section, struct tkt_matrix *m,
                        struct tkt_err *err)
{
    const char *vip = tkt_section_value(section, "vip", "1");

    for (int u = 1; u <= TKT_MATRIX_LEVELS; u++) {
        if (read_row(section, u, m->cell[u - 1], err) < 0) {
            return -1;
        }
    }
    if (strlen(vip) != 1 || vip[0] < '0' || vip[0] > '2') {
        return tkt_section_fail(section, tkt_section_key(section, "vip"), err,
                                "vip: write 0, 1 or 2");
    }
    m->vip = (uint8_t)(vip[0] - '0');
    m->words = is_yes(section, "words");
    m->mood = is_yes(section, "mood");
    m->importance = is_yes(section, "importance");
    return read_level(section, "urgency", &m->urgency, err) < 0 ||
                   read_level(section, "impact", &m->impact, err) < 0 ||
                   read_affected(section, m, err) < 0
               ? -1
               : 0;
}

int tkt_matrix_compile(const struct tkt_sections *sections, struct tkt_matrix *out,
                       struct tkt_err *err)
{
    struct tkt_matrix m = tkt_matrix_default;

    for (size_t i = 0; i < sections->count; i++) {
        if (strcmp(sections->items[i].name, "priority") == 0 &&
            read_section(&sections->items[i], &m, err) < 0) {
            return -1;
        }
    }
    *out = m;
    return 0;
}

/* ---- who says what -------------------------------------------------------------------- */

struct step {
    const struct tkt_question *q;
    const struct tkt_matrix *m;
    struct tkt_decision *d;
    struct tkt_wire_arena *arena;
    bool by_rule; /* the field at hand */
    bool failed;
};

/* The reason for what a field holds now, or NULL. */
static struct tkt_reason *holder(struct tkt_decision *d, const char *field)
{
    for (size_t i = d->reason_count; i > 0; i--) {
        struct tkt_reason *r = &d->reasons[i - 1];
        if (!r->overruled && !r->is_error && strcmp(r->field, field) == 0) {
            return r;
        }
    }
    return NULL;
}

static bool is_by_rule(struct tkt_decision *d, const char *field)
{
    const struct tkt_reason *r = holder(d, field);

    return r != NULL && r->source == TKT_SOURCE_RULE;
}

/* Its strings are copied when it is said. */
static struct tkt_reason reason_of(enum tkt_source source, const char *by,
                                   const char *field, const char *value)
{
    return (struct tkt_reason){.source = source,
                               .by = (char *)by,
                               .field = (char *)field,
                               .value = (char *)value};
}

static void say(struct step *s, const struct tkt_reason *reason)
{
    if (tkt_reason_add(s->d, s->arena, reason) < 0) {
        s->failed = true;
    }
}

/* Sets *field of the decision to value unless a rule did; what stood there is overruled. */
static void propose(struct step *s, int *field, int value, struct tkt_reason *reason)
{
    struct tkt_reason *old = holder(s->d, reason->field);

    reason->value = (char *)tkt_level_names[value]; /* copied by say() */
    if (s->by_rule) {
        reason->overruled = *field != value;
        say(s, reason);
        return;
    }
    if (old != NULL && *field != value) {
        old->overruled = true;
    }
    *field = value;
    say(s, reason);
}

static int raised(int level, int steps)
{
    return level - steps < 1 ? 1 : level - steps;
}

/* ---- urgency -------------------------------------------------------------------------- */

static void by_importance(struct step *s)
{
    enum tkt_importance importance = s->q->msg->importance;
    struct tkt_reason r = reason_of(TKT_SOURCE_HEADER, "importance", "urgency", NULL);

    if (s->m->importance && importance == TKT_IMPORTANCE_HIGH) {
        propose(s, &s->d->urgency, 1, &r);
    } else if (s->m->importance && importance == TKT_IMPORTANCE_LOW) {
        propose(s, &s->d->urgency, 3, &r);
    }
}

static struct tkt_strings strings_of(const struct tkt_mood_words *words)
{
    return (struct tkt_strings){(char **)words->items, words->count};
}

static void by_words(struct step *s)
{
    const struct tkt_mood *mood = s->q->mood;
    struct tkt_reason r = reason_of(TKT_SOURCE_WORDS, "urgency", "urgency", NULL);

    r.words = strings_of(&mood->urgency_words);
    if (s->m->words && mood->urgency != MEDIUM) {
        propose(s, &s->d->urgency, mood->urgency, &r);
    }
}

/* Anger speaks only where nobody said how urgent it is. */
static void by_mood(struct step *s)
{
    const struct tkt_mood *mood = s->q->mood;
    int base = s->d->urgency == 0 ? s->m->urgency : s->d->urgency;
    struct tkt_reason r =
        reason_of(TKT_SOURCE_WORDS, "mood", "mood", tkt_tone_names[mood->tone]);

    r.words = strings_of(&mood->tone_words);
    if (mood->tone != TKT_TONE_NEUTRAL) {
        say(s, &r);
    }
    if (s->m->mood && mood->is_angry && mood->urgency == MEDIUM && base > 1) {
        r = reason_of(TKT_SOURCE_WORDS, "mood", "urgency", NULL);
        r.words = strings_of(&mood->tone_words);
        propose(s, &s->d->urgency, raised(base, 1), &r);
    }
}

/* ---- impact --------------------------------------------------------------------------- */

/* A forged From has the same entry in the directory. */
static void by_vip(struct step *s)
{
    const struct tkt_person *p = &s->q->facts->person;
    bool is_proved =
        s->q->assurance == TKT_ASSURANCE_LOGIN || s->q->assurance == TKT_ASSURANCE_PASS;
    int base = s->d->impact == 0 ? s->m->impact : s->d->impact;
    int value = raised(base, s->m->vip);
    struct tkt_reason r = reason_of(TKT_SOURCE_DIRECTORY, "vip", "impact", NULL);

    if (!p->is_known || !p->is_vip || s->m->vip == 0) {
        return;
    }
    if (is_proved) {
        propose(s, &s->d->impact, value, &r);
        return;
    }
    r = reason_of(TKT_SOURCE_DIRECTORY, "vip, not proved", "impact",
                  tkt_level_names[value]);
    r.overruled = true;
    say(s, &r);
}

static void by_affected(struct step *s)
{
    uint32_t people = s->q->facts->affected;
    int base = s->d->impact == 0 ? s->m->impact : s->d->impact;
    int steps = 0;
    char by[32];
    struct tkt_reason r = reason_of(TKT_SOURCE_AFFECTED, by, "impact", NULL);

    for (int i = 0; i < TKT_MATRIX_STEPS_MAX; i++) {
        steps += s->m->affected[i] > 0 && people >= s->m->affected[i];
    }
    if (steps == 0) {
        return;
    }
    (void)snprintf(by, sizeof(by), "%u people", (unsigned)people); /* fits */
    propose(s, &s->d->impact, raised(base, steps), &r);
}

/* ---- the matrix ----------------------------------------------------------------------- */

static void by_matrix(struct step *s)
{
    struct tkt_decision *d = s->d;
    struct tkt_reason r;
    bool by_rule = is_by_rule(d, "priority");
    int urgency = d->urgency == 0 ? s->m->urgency : d->urgency;
    int impact = d->impact == 0 ? s->m->impact : d->impact;
    int priority = s->m->cell[urgency - 1][impact - 1];
    char by[64];

    if (d->urgency == 0 && d->impact == 0) {
        return;
    }
    (void)snprintf(by, sizeof(by), "urgency %s, impact %s", /* fits */
                   tkt_level_names[urgency], tkt_level_names[impact]);
    r = reason_of(TKT_SOURCE_MATRIX, by, "priority", tkt_priority_names[priority]);
    d->urgency = urgency;
    d->impact = impact;
    r.overruled = by_rule && d->priority != priority;
    if (!by_rule) {
        d->priority = priority;
    }
    say(s, &r);
}

int tkt_priority_step(const struct tkt_question *q, struct tkt_decision *d,
                      struct tkt_wire_arena *arena)
{
    struct step s = {.q = q, .d = d, .arena = arena};

    if (q->by == NULL || q->by->matrix == NULL) {
        return 0;
    }
    s.m = q->by->matrix;
    s.by_rule = is_by_rule(d, "urgency");
    by_importance(&s);
    if (q->mood != NULL) {
        by_words(&s);
        by_mood(&s);
    }
    s.by_rule = is_by_rule(d, "impact");
    by_vip(&s);
    by_affected(&s);
    by_matrix(&s);
    return s.failed ? -1 : 0;
}
