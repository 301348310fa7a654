/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/priority.h"

#include "base/enc.h"
#include "decide/mood.h"
#include "decide/policy.h"
#include "decide/route.h"
#include "message/pack.h"

#include <stdio.h>
#include <string.h>

#define MAGIC "TMX1"
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

int tkt_matrix_encode(const struct tkt_matrix *m, struct tkt_buf *out)
{
    (void)tkt_buf_add(out, MAGIC, 4); /* pack_end tells */
    for (int u = 0; u < TKT_MATRIX_LEVELS; u++) {
        for (int i = 0; i < TKT_MATRIX_LEVELS; i++) {
            tkt_pack_u8(out, m->cell[u][i]);
        }
    }
    tkt_pack_u8(out, m->urgency);
    tkt_pack_u8(out, m->impact);
    tkt_pack_u8(out, m->vip);
    for (int i = 0; i < TKT_MATRIX_STEPS_MAX; i++) {
        tkt_pack_u32(out, m->affected[i]);
    }
    tkt_pack_u8(out, m->words);
    tkt_pack_u8(out, m->mood);
    tkt_pack_u8(out, m->importance);
    return tkt_pack_end(out);
}

int tkt_matrix_decode(const void *data, size_t n, struct tkt_matrix *out,
                      struct tkt_err *err)
{
    struct tkt_matrix m;
    struct tkt_unpack u;

    tkt_unpack_init(&u, data, n, MAGIC, NULL);
    for (int i = 0; i < TKT_MATRIX_LEVELS * TKT_MATRIX_LEVELS; i++) {
        m.cell[i / TKT_MATRIX_LEVELS][i % TKT_MATRIX_LEVELS] =
            (uint8_t)tkt_unpack_small(&u, 1, 5);
    }
    m.urgency = (uint8_t)tkt_unpack_small(&u, 1, TKT_MATRIX_LEVELS);
    m.impact = (uint8_t)tkt_unpack_small(&u, 1, TKT_MATRIX_LEVELS);
    m.vip = (uint8_t)tkt_unpack_small(&u, 0, TKT_MATRIX_LEVELS - 1);
    for (int i = 0; i < TKT_MATRIX_STEPS_MAX; i++) {
        m.affected[i] = tkt_unpack_bits(&u, 32);
    }
    m.words = tkt_unpack_bool(&u);
    m.mood = tkt_unpack_bool(&u);
    m.importance = tkt_unpack_bool(&u);
    if (tkt_unpack_end(&u, "matrix of priorities", err) < 0) {
        return -1;
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
