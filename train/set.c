/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "train/learn_private.h"

#include <linear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct table { /* open addressing; records = 0: free */
    struct tkt_learn_row *slots;
    size_t mask;
    size_t used;
};

static bool is_out(const struct tkt_learn_set *set, size_t record)
{
    return set->is_out != NULL && set->is_out[record];
}

/* ---- labels ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int find_labels(struct tkt_learn_set *set, int h)
{
    const struct tkt_learn_corpus *c = set->corpus;
    struct tkt_learn_head *head = &set->heads[h];
    size_t n = 0;

    head->labels = calloc(c->count + 1, sizeof(*head->labels));
    head->truth = calloc(c->count + 1, sizeof(*head->truth));
    if (head->labels == NULL || head->truth == NULL) {
        return -1;
    }
    for (size_t i = 0; i < c->count; i++) {
        const char *label = tkt_learn_record_at(c, i)->labels[h];
        if (!is_out(set, i) && label[0] != '\0') {
            head->labels[n++] = label;
        }
    }
    if (n > 0) {
        qsort(head->labels, n, sizeof(*head->labels), by_name);
    }
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(head->labels[i], head->labels[i - 1]) != 0) {
            head->labels[head->label_count++] = head->labels[i];
        }
    }
    head->label_count = head->label_count < 2 ? 0 : head->label_count;
    for (size_t i = 0; i < c->count; i++) {
        const char *label = tkt_learn_record_at(c, i)->labels[h];
        const char **found = is_out(set, i) || head->label_count == 0
                                 ? NULL
                                 : bsearch(&label, head->labels, head->label_count,
                                           sizeof(*head->labels), by_name);
        head->truth[i] = found == NULL ? -1 : (int)(found - head->labels);
    }
    return 0;
}

static int make_heads(struct tkt_learn_set *set, struct tkt_err *err)
{
    size_t labels = 0;

    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        if (find_labels(set, h) < 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
        labels += set->heads[h].label_count;
    }
    if (labels == 0) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "nothing to learn: at least two categories, groups or "
                           "urgencies are needed");
    }
    if (labels > TKT_MODEL_LABELS_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF, "%zu labels: at most %d can be learned",
                           labels, TKT_MODEL_LABELS_MAX);
    }
    set->columns = (labels + TKT_MODEL_LANES - 1) / TKT_MODEL_LANES * TKT_MODEL_LANES;
    return 0;
}

/* ---- known features ---- */

static struct tkt_learn_row *slot_of(const struct table *t, uint32_t hash)
{
    size_t at = hash & t->mask;

    while (t->slots[at].records != 0 && t->slots[at].hash != hash) {
        at = (at + 1) & t->mask;
    }
    return &t->slots[at];
}

static int grow(struct table *t)
{
    struct table bigger = {.mask = t->mask * 2 + 1};

    if (t->slots != NULL && t->used * 2 < t->mask) {
        return 0;
    }
    bigger.mask = t->slots == NULL ? 65535 : bigger.mask;
    bigger.slots = calloc(bigger.mask + 1, sizeof(*bigger.slots));
    if (bigger.slots == NULL) {
        return -1;
    }
    for (size_t i = 0; t->slots != NULL && i <= t->mask; i++) {
        if (t->slots[i].records != 0) {
            *slot_of(&bigger, t->slots[i].hash) = t->slots[i];
        }
    }
    bigger.used = t->used;
    free(t->slots);
    *t = bigger;
    return 0;
}

static int by_row_hash(const void *a, const void *b)
{
    uint32_t x = ((const struct tkt_learn_row *)a)->hash;
    uint32_t y = ((const struct tkt_learn_row *)b)->hash;

    return (x > y) - (x < y);
}

/* How many records a feature must have so that the file does not get too large. */
static uint32_t least_records(const struct tkt_learn_set *set, const struct table *t)
{
    /* A row has its weights, idf, scale and up to four slots of 8 bytes. */
    double row = (double)set->columns + 8 + 32;
    double max = TKT_MIN((double)set->opt->size_max / row, TKT_MODEL_ROWS_MAX / 2.0);
    enum {
        STEPS = 1000
    };
    size_t having[STEPS] = {0};
    size_t rows = 0;

    for (size_t i = 0; i <= t->mask; i++) {
        having[TKT_MIN(t->slots[i].records, (uint32_t)STEPS - 1)]++;
    }
    for (uint32_t least = STEPS - 1; least > 1; least--) {
        rows += having[least];
        if ((double)rows + (double)having[least - 1] > max) {
            return least;
        }
    }
    return 1;
}

static int make_rows(struct tkt_learn_set *set)
{
    const struct tkt_learn_corpus *c = set->corpus;
    struct table t = {NULL, 0, 0};
    size_t learned = 0;

    for (size_t i = 0; i < c->count; i++) {
        if (is_out(set, i)) {
            continue;
        }
        learned++;
        for (uint64_t k = c->at[i]; k < c->at[i + 1]; k++) {
            if (grow(&t) < 0) {
                free(t.slots);
                return -1;
            }
            struct tkt_learn_row *slot = slot_of(&t, c->counts[k].hash);
            t.used += slot->records == 0;
            slot->hash = c->counts[k].hash;
            slot->is_piece = c->counts[k].times < 0;
            slot->records++;
        }
    }
    if (grow(&t) < 0) {
        return -1;
    }
    uint32_t least = least_records(set, &t);
    for (size_t i = 0; i <= t.mask; i++) {
        if (t.slots[i].records >= least) {
            struct tkt_learn_row row = t.slots[i];
            double rarity = log((1.0 + (double)learned) / (1.0 + row.records)) + 1.0;
            row.idf = (float)pow(rarity, set->opt->idf_power);
            t.slots[set->row_count++] = row;
        }
    }
    set->rows = t.slots;
    if (set->row_count > 0) {
        qsort(set->rows, set->row_count, sizeof(*set->rows), by_row_hash);
    }
    return 0;
}

/* ---- vectors ---- */

/* The same arithmetic as a question's (decide/model_ask.c). */
static struct feature_node *fill(const struct tkt_learn_set *set, size_t record,
                                 struct feature_node *node)
{
    const struct tkt_learn_corpus *c = set->corpus;
    struct feature_node *first = node;
    double sums[TKT_VIEW_COUNT] = {0};
    size_t row = 0;
    const double lengths[TKT_VIEW_COUNT] = {1, set->opt->piece_weight};

    for (uint64_t k = c->at[record]; k < c->at[record + 1]; k++) {
        const struct tkt_learn_row wanted = {.hash = c->counts[k].hash};
        const struct tkt_learn_row *found =
            set->row_count == 0 ? NULL
                                : bsearch(&wanted, set->rows + row, set->row_count - row,
                                          sizeof(wanted), by_row_hash);
        if (found == NULL) {
            continue;
        }
        row = (size_t)(found - set->rows);
        float times = fabsf(c->counts[k].times);
        float tf = times > 1.0F ? 1.0F + logf(times) : 1.0F;
        node->index = (int)row + 1;
        node->value = (double)(tf * found->idf);
        sums[found->is_piece] += node->value * node->value;
        node++;
    }
    for (struct feature_node *n = first; n < node; n++) {
        bool is_piece = set->rows[n->index - 1].is_piece;
        n->value *= lengths[is_piece] / sqrt(sums[is_piece]);
    }
    node->index = -1;
    return node + 1;
}

static int make_vectors(struct tkt_learn_set *set)
{
    const struct tkt_learn_corpus *c = set->corpus;
    uint64_t all = 0;

    for (size_t i = 0; i < c->count; i++) {
        all += is_out(set, i) ? 0 : c->at[i + 1] - c->at[i] + 1;
    }
    set->nodes = malloc((all + 1) * sizeof(*set->nodes));
    set->vectors = calloc(c->count + 1, sizeof(*set->vectors));
    if (set->nodes == NULL || set->vectors == NULL) {
        return -1;
    }
    struct feature_node *next = set->nodes;
    for (size_t i = 0; i < c->count; i++) {
        if (!is_out(set, i)) {
            set->vectors[i] = next;
            next = fill(set, i, next);
        }
    }
    return 0;
}

int tkt_learn_set_make(const struct tkt_learn_corpus *corpus,
                       const struct tkt_learn_options *opt, const bool *out_of_it,
                       struct tkt_learn_set *out, struct tkt_err *err)
{
    *out = (struct tkt_learn_set){.corpus = corpus, .opt = opt, .is_out = out_of_it};
    int rc = make_heads(out, err);
    if (rc == 0 && (make_rows(out) < 0 || make_vectors(out) < 0)) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    if (rc == 0 && out->row_count == 0) {
        rc = tkt_err_set(err, TKT_ERR_CONF, "nothing to learn: the texts have no words");
    }
    if (rc < 0) {
        tkt_learn_set_release(out);
    }
    return rc;
}
