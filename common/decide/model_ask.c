/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "decide/features.h"
#include "decide/model.h"
#include "decide/model_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD 12 /* slots that are on their way at a time */
#define KEEP_FEATURES_MAX (32 * 1024)

enum zone {
    ZONE_SUBJECT,
    ZONE_TEXT
};

struct hit { /* a known feature of the text */
    uint32_t row;
    uint32_t at;
    float value; /* first how often it stands there, weighted; then of the unit vector */
    uint16_t len;
    uint8_t view;
};

struct tkt_model_work {
    struct tkt_features features;
    struct hit *hits;
    size_t hit_count;
    size_t hit_cap;
    uint32_t *index; /* hash table of row -> hit + 1 */
    size_t index_cap;
    float *scores; /* then probabilities */
    size_t score_cap;
};

struct tkt_model_work *tkt_model_work_new(void)
{
    struct tkt_model_work *w = calloc(1, sizeof(*w));

    if (w != NULL) {
        w->features = (struct tkt_features)TKT_FEATURES_INIT;
    }
    return w;
}

void tkt_model_work_free(struct tkt_model_work **work)
{
    struct tkt_model_work *w = *work;

    if (w != NULL) {
        tkt_features_release(&w->features);
        free(w->hits);
        free(w->index);
        free(w->scores);
        free(w);
        *work = NULL;
    }
}

void tkt_model_work_trim(struct tkt_model_work *w)
{
    if (w->features.cap > KEEP_FEATURES_MAX) {
        tkt_features_release(&w->features);
        free(w->hits);
        free(w->index);
        w->hits = NULL;
        w->index = NULL;
        w->hit_cap = w->index_cap = 0;
    }
}

static int make_room(struct tkt_model_work *w, size_t columns)
{
    size_t want = TKT_MAX(w->features.count, (size_t)16);
    size_t table = 64;

    while (table < want * 2) {
        table *= 2;
    }
    if (want > w->hit_cap) {
        free(w->hits);
        w->hits = malloc(want * sizeof(*w->hits));
        w->hit_cap = w->hits == NULL ? 0 : want;
    }
    if (table > w->index_cap) {
        free(w->index);
        w->index = malloc(table * sizeof(*w->index));
        w->index_cap = w->index == NULL ? 0 : table;
    }
    if (columns > w->score_cap) {
        free(w->scores);
        w->scores = malloc(columns * sizeof(*w->scores));
        w->score_cap = w->scores == NULL ? 0 : columns;
    }
    if (w->hits == NULL || w->index == NULL || w->scores == NULL) {
        return -1;
    }
    memset(w->index, 0, table * sizeof(*w->index));
    return 0;
}

static uint32_t row_of(const struct tkt_model *m, uint32_t hash)
{
    uint32_t mask = (UINT32_C(1) << m->head->slot_bits) - 1;
    uint32_t at = tkt_model_slot_of(hash, m->head->slot_bits);

    while (m->slots[at].row != TKT_MODEL_NONE) {
        if (m->slots[at].hash == hash) {
            return m->slots[at].row;
        }
        at = (at + 1) & mask;
    }
    return TKT_MODEL_NONE;
}

/* The table is larger than the caches: its slots are asked for before they are needed. */
static void expect_slot(const struct tkt_model *m, const struct tkt_model_work *w,
                        size_t i)
{
    if (i < w->features.count) {
        __builtin_prefetch(
            m->slots + tkt_model_slot_of(w->features.items[i].hash, m->head->slot_bits));
    }
}

static void count_hits(const struct tkt_model *m, struct tkt_model_work *w)
{
    size_t mask = 63;

    while (mask + 1 < TKT_MAX(w->features.count, (size_t)16) * 2) {
        mask = mask * 2 + 1;
    }
    w->hit_count = 0;
    for (size_t i = 0; i < w->features.count; i++) {
        const struct tkt_feature *f = &w->features.items[i];
        expect_slot(m, w, i + AHEAD);
        uint32_t row = row_of(m, f->hash);
        if (row == TKT_MODEL_NONE) {
            continue;
        }
        float times = f->zone == ZONE_SUBJECT ? m->head->subject_weight : 1.0F;
        size_t at = (row * UINT32_C(2654435769)) & mask;
        while (w->index[at] != 0 && w->hits[w->index[at] - 1].row != row) {
            at = (at + 1) & mask;
        }
        if (w->index[at] != 0) {
            w->hits[w->index[at] - 1].value += times;
            continue;
        }
        __builtin_prefetch(m->idf + row);
        __builtin_prefetch(m->scale + row);
        w->hits[w->hit_count++] = (struct hit){row, f->at, times, f->len, f->view};
        w->index[at] = (uint32_t)w->hit_count;
    }
}

/* How often -> the unit vector: each view has its own length. */
static void scale_hits(const struct tkt_model *m, struct tkt_model_work *w)
{
    double sums[TKT_VIEW_COUNT] = {0};
    float factors[TKT_VIEW_COUNT];

    for (size_t i = 0; i < w->hit_count; i++) {
        struct hit *h = &w->hits[i];
        float tf = h->value > 1.0F ? 1.0F + logf(h->value) : 1.0F;
        h->value = tf * m->idf[h->row];
        sums[h->view] += (double)h->value * (double)h->value;
    }
    for (int v = 0; v < TKT_VIEW_COUNT; v++) {
        factors[v] = sums[v] > 0 ? m->head->view_weight[v] / (float)sqrt(sums[v]) : 0.0F;
    }
    for (size_t i = 0; i < w->hit_count; i++) {
        w->hits[i].value *= factors[w->hits[i].view];
    }
}

typedef int8_t lanes_i8 __attribute__((vector_size(TKT_MODEL_LANES)));
typedef float lanes_f32 __attribute__((vector_size(TKT_MODEL_LANES * sizeof(float))));

/* Rows and their lanes lie at multiples of 16 bytes; scores come from malloc. Inlined
 * twice: wider registers take less than half of the time, and give the same sums. */
static inline __attribute__((always_inline)) void add_all(const struct tkt_model *m,
                                                          struct tkt_model_work *w)
{
    uint32_t columns = m->head->columns;

    memset(w->scores, 0, columns * sizeof(*w->scores));
    for (size_t i = 0; i < w->hit_count; i++) {
        const struct hit *h = &w->hits[i];
        const int8_t *row = m->weights + (size_t)h->row * columns;
        if (i + 4 < w->hit_count) {
            __builtin_prefetch(m->weights + (size_t)w->hits[i + 4].row * columns);
        }
        float x = h->value * m->scale[h->row];
        for (uint32_t c = 0; c < columns; c += TKT_MODEL_LANES) {
            lanes_i8 weights;
            lanes_f32 sum;
            memcpy(&weights, row + c, sizeof(weights));
            memcpy(&sum, w->scores + c, sizeof(sum));
            sum += __builtin_convertvector(weights, lanes_f32) * x;
            memcpy(w->scores + c, &sum, sizeof(sum));
        }
    }
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void add_wide(const struct tkt_model *m,
                                                     struct tkt_model_work *w)
{
    add_all(m, w);
}
#endif

static void add_scores(const struct tkt_model *m, struct tkt_model_work *w)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        add_wide(m, w);
        return;
    }
#endif
    add_all(m, w);
}

/* Softmax with the slope that was fitted on what the model had not seen. */
static size_t to_probabilities(float *s, size_t n, float slope)
{
    size_t best = 0;
    double sum = 0;

    for (size_t i = 1; i < n; i++) {
        best = s[i] > s[best] ? i : best;
    }
    float top = s[best];
    for (size_t i = 0; i < n; i++) {
        s[i] = expf(slope * (s[i] - top));
        sum += (double)s[i];
    }
    for (size_t i = 0; i < n; i++) {
        s[i] = (float)((double)s[i] / sum);
    }
    return best;
}

static bool is_inside(const struct tkt_model_word *a, const struct tkt_model_word *b)
{
    return a->len <= b->len && memmem(b->text, b->len, a->text, a->len) != NULL;
}

/* Into the list by weight. Of two of which one holds the other the heavier stays. */
static void keep_word(struct tkt_model_choice *c, struct tkt_model_word word)
{
    size_t n = c->word_count;

    for (size_t i = 0; i < n; i++) {
        if (is_inside(&word, &c->words[i]) || is_inside(&c->words[i], &word)) {
            if (word.weight <= c->words[i].weight) {
                c->word_count = n;
                return;
            }
            memmove(&c->words[i], &c->words[i + 1], (n - i - 1) * sizeof(word));
            n--;
            i--;
        }
    }
    size_t at = n;
    while (at > 0 && c->words[at - 1].weight < word.weight) {
        at--;
    }
    if (at == TKT_MODEL_WORDS_MAX) {
        c->word_count = n;
        return;
    }
    n = TKT_MIN(n, (size_t)TKT_MODEL_WORDS_MAX - 1);
    memmove(&c->words[at + 1], &c->words[at], (n - at) * sizeof(word));
    c->words[at] = word;
    c->word_count = n + 1;
}

static void find_words(const struct tkt_model *m, const struct tkt_model_work *w,
                       uint32_t column, struct tkt_model_choice *c)
{
    for (size_t i = 0; i < w->hit_count; i++) {
        const struct hit *h = &w->hits[i];
        if (h->view != TKT_VIEW_WORDS) {
            continue;
        }
        double weight = (double)(h->value * m->scale[h->row]) *
                        m->weights[(size_t)h->row * m->head->columns + column];
        bool is_light = c->word_count == TKT_MODEL_WORDS_MAX &&
                        weight <= c->words[TKT_MODEL_WORDS_MAX - 1].weight;
        if (weight > 0 && !is_light) {
            keep_word(c, (struct tkt_model_word){w->features.folded.data + h->at, h->len,
                                                 weight});
        }
    }
}

static void choose(const struct tkt_model *m, struct tkt_model_work *w,
                   enum tkt_model_head head, double threshold, bool with_words,
                   struct tkt_model_choice *c)
{
    size_t n = m->head->labels[head];
    float *s = w->scores + m->first[head];

    if (n == 0 || w->hit_count == 0) {
        return;
    }
    size_t best = to_probabilities(s, n, m->head->slope[head]);
    double least = TKT_MIN(2.0 / ((double)n + 1.0), 1.0);
    c->best = (int)best;
    c->probability = (double)s[best];
    c->label = c->probability >= TKT_MAX(threshold, least) ? (int)best : -1;
    if (with_words) {
        find_words(m, w, m->first[head] + (uint32_t)best, c);
    }
}

int tkt_model_ask(const struct tkt_model *m, struct tkt_model_work *work,
                  const char *subject, const char *text, double threshold,
                  bool with_words, struct tkt_model_choice out[TKT_HEAD_COUNT])
{
    struct tkt_features *f = &work->features;

    tkt_features_reset(f);
    work->hit_count = 0;
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        out[h] = (struct tkt_model_choice){.label = -1, .best = -1};
    }
    if (tkt_features_add(f, subject, strnlen(subject, TKT_FEATURES_TEXT_MAX + 4),
                         ZONE_SUBJECT) < 0 ||
        tkt_features_add(f, text, strnlen(text, TKT_FEATURES_TEXT_MAX + 4), ZONE_TEXT) <
            0 ||
        make_room(work, m->head->columns) < 0) {
        return -1;
    }
    count_hits(m, work);
    scale_hits(m, work);
    add_scores(m, work);
    threshold = threshold < 0 ? TKT_MODEL_THRESHOLD_PERMILLE / 1000.0 : threshold;
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        choose(m, work, h, threshold, with_words, &out[h]);
    }
    return 0;
}

const float *tkt_model_probabilities(const struct tkt_model *m,
                                     const struct tkt_model_work *work,
                                     enum tkt_model_head head)
{
    if (m->head->labels[head] == 0 || work->hit_count == 0) {
        return NULL;
    }
    return work->scores + m->first[head];
}
