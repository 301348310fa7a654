/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/ahocorasick.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define BUSY 4 /* branches above which a state has a row */

/* While literals are added: a tree with brothers in a list. */
struct twig {
    uint32_t child;
    uint32_t brother;
    uint32_t literal; /* that ends here, or NONE */
    unsigned char byte;
};

/* States are numbered breadth first, so the branches of one are neighbours. */
struct state {
    uint32_t first; /* branch */
    uint32_t row;   /* of a busy one, or NONE */
    uint32_t fall;  /* where the longest proper end of this one leads */
    uint32_t tell;  /* the longest state at or behind this one at which a literal ends */
    uint32_t literal;
    uint16_t count; /* of branches */
};

struct tkt_ac {
    struct twig *twigs;
    size_t twig_count;
    size_t twig_cap;
    size_t literal_count;
    struct state *states;
    unsigned char *bytes; /* of the branch that leads to a state */
    size_t state_count;
    uint32_t *rows;
    size_t row_count;
    unsigned char class_of[256]; /* bytes that no literal has are class 0 */
    unsigned class_count;
};

struct tkt_ac *tkt_ac_new(void)
{
    struct tkt_ac *ac = calloc(1, sizeof(*ac));

    if (ac == NULL) {
        return NULL;
    }
    ac->twig_cap = 1024;
    ac->twigs = malloc(ac->twig_cap * sizeof(*ac->twigs));
    if (ac->twigs == NULL) {
        free(ac);
        return NULL;
    }
    ac->twigs[0] = (struct twig){.child = NONE, .brother = NONE, .literal = NONE};
    ac->twig_count = 1;
    return ac;
}

void tkt_ac_free(struct tkt_ac **ac)
{
    if (*ac != NULL) {
        free((*ac)->twigs);
        free((*ac)->states);
        free((*ac)->bytes);
        free((*ac)->rows);
        free(*ac);
        *ac = NULL;
    }
}

size_t tkt_ac_count(const struct tkt_ac *ac)
{
    return ac->literal_count;
}

/* ---- adding ---- */

static uint32_t branch(const struct tkt_ac *ac, uint32_t at, unsigned char byte)
{
    uint32_t next = ac->twigs[at].child;

    while (next != NONE && ac->twigs[next].byte != byte) {
        next = ac->twigs[next].brother;
    }
    return next;
}

static uint32_t grow(struct tkt_ac *ac, uint32_t at, unsigned char byte)
{
    if (ac->twig_count == ac->twig_cap) {
        struct twig *more = reallocarray(ac->twigs, 2 * ac->twig_cap, sizeof(*ac->twigs));
        if (more == NULL) {
            return NONE;
        }
        ac->twigs = more;
        ac->twig_cap *= 2;
    }
    uint32_t twig = (uint32_t)ac->twig_count++;
    ac->twigs[twig] = (struct twig){
        .child = NONE, .brother = ac->twigs[at].child, .literal = NONE, .byte = byte};
    ac->twigs[at].child = twig;
    return twig;
}

int64_t tkt_ac_add(struct tkt_ac *ac, const char *literal, size_t n)
{
    uint32_t at = 0;

    if (n == 0 || ac->twig_count + n >= NONE / 2) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)literal[i];
        uint32_t next = branch(ac, at, byte);
        if (next == NONE) {
            next = grow(ac, at, byte);
        }
        if (next == NONE) {
            return -1;
        }
        if (ac->class_of[byte] == 0) {
            ac->class_of[byte] = (unsigned char)++ac->class_count;
        }
        at = next;
    }
    if (ac->twigs[at].literal == NONE) {
        ac->twigs[at].literal = (uint32_t)ac->literal_count++;
    }
    return ac->twigs[at].literal;
}

/* ---- building ---- */

/* Numbers the states; twig_of[i] is where state i came from. */
static void number_states(struct tkt_ac *ac, uint32_t *twig_of)
{
    size_t count = 1;

    twig_of[0] = 0;
    for (size_t i = 0; i < count; i++) {
        const struct twig *t = &ac->twigs[twig_of[i]];
        struct state *s = &ac->states[i];
        *s = (struct state){
            .first = (uint32_t)count, .row = NONE, .tell = NONE, .literal = t->literal};
        for (uint32_t c = t->child; c != NONE; c = ac->twigs[c].brother) {
            ac->bytes[count] = ac->twigs[c].byte;
            twig_of[count++] = c;
            s->count++;
        }
    }
    ac->state_count = count;
}

static uint32_t find_branch(const struct tkt_ac *ac, const struct state *s,
                            unsigned char byte)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (ac->bytes[s->first + i] == byte) {
            return s->first + i;
        }
    }
    return NONE;
}

/* The state behind this byte: rows know, others ask where they fall to. The root has a
 * row. */
static inline uint32_t step(const struct tkt_ac *ac, uint32_t at, unsigned char byte)
{
    for (;;) {
        const struct state *s = &ac->states[at];
        if (s->row != NONE) {
            return ac->rows[s->row + ac->class_of[byte]];
        }
        uint32_t next = find_branch(ac, s, byte);
        if (next != NONE) {
            return next;
        }
        at = s->fall;
    }
}

static void fill_row(struct tkt_ac *ac, uint32_t at)
{
    struct state *s = &ac->states[at];
    uint32_t row = (uint32_t)ac->row_count;
    uint32_t *to = ac->rows + row;

    for (unsigned b = 0; b < 256; b++) {
        unsigned class = ac->class_of[b];
        uint32_t next = find_branch(ac, s, (unsigned char)b);
        if (next == NONE) {
            next = at == 0 ? 0 : step(ac, s->fall, (unsigned char)b);
        }
        if (class != 0 || b == 0) {
            to[class] = next;
        }
    }
    to[0] = 0; /* no literal goes on with such a byte */
    s->row = row;
    ac->row_count += ac->class_count + 1;
}

static void link_states(struct tkt_ac *ac)
{
    fill_row(ac, 0);
    for (uint32_t i = 0; i < ac->state_count; i++) {
        struct state *s = &ac->states[i];
        if (i > 0 && s->count > BUSY) {
            fill_row(ac, i);
        }
        for (uint32_t k = 0; k < s->count; k++) {
            struct state *c = &ac->states[s->first + k];
            c->fall = i == 0 ? 0 : step(ac, s->fall, ac->bytes[s->first + k]);
            c->tell = c->literal != NONE ? s->first + k : ac->states[c->fall].tell;
        }
    }
}

static size_t busy_states(const struct tkt_ac *ac)
{
    size_t busy = 1;

    for (size_t i = 1; i < ac->state_count; i++) {
        busy += ac->states[i].count > BUSY;
    }
    return busy;
}

int tkt_ac_build(struct tkt_ac *ac)
{
    uint32_t *twig_of = malloc(ac->twig_count * sizeof(*twig_of));

    ac->states = malloc(ac->twig_count * sizeof(*ac->states));
    ac->bytes = calloc(ac->twig_count, 1);
    if (twig_of == NULL || ac->states == NULL || ac->bytes == NULL) {
        free(twig_of);
        return -1;
    }
    if (ac->class_count > 255) { /* all bytes occur; valid UTF-8 has fewer */
        free(twig_of);
        return -1;
    }
    number_states(ac, twig_of);
    free(twig_of);
    free(ac->twigs);
    ac->twigs = NULL;
    ac->rows = malloc(busy_states(ac) * (ac->class_count + 1) * sizeof(*ac->rows));
    if (ac->rows == NULL) {
        return -1;
    }
    link_states(ac);
    return 0;
}

/* ---- searching ---- */

static void tell(const struct tkt_ac *ac, uint32_t at, const char *end,
                 tkt_ac_found_fn *found, void *arg)
{
    while (at != NONE) {
        const struct state *s = &ac->states[at];
        found(arg, s->literal, end);
        at = ac->states[s->fall].tell;
    }
}

void tkt_ac_search(const struct tkt_ac *ac, const char *s, size_t n,
                   tkt_ac_found_fn *found, void *arg)
{
    uint32_t at = 0;

    for (size_t i = 0; i < n; i++) {
        at = step(ac, at, (unsigned char)s[i]);
        if (ac->states[at].tell != NONE) {
            tell(ac, ac->states[at].tell, s + i + 1, found, arg);
        }
    }
}
