/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "train/learn_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHECKED_FROM                                                                     \
    (offsetof(struct tkt_model_file_head, sha256) + sizeof(unsigned char[TKT_SHA256_LEN]))
#define TOP_RECORDS 2 /* a feature of one record tells of that record alone */

struct writer {
    const struct tkt_learn_set *set;
    struct tkt_model_file_head head;
    struct tkt_model_layout layout;
    struct tkt_buf strings;
    uint32_t *labels;
    struct tkt_model_top_entry *top;
    uint32_t *named; /* of each row: its name's offset, WANTED or TKT_MODEL_NONE */
    uint32_t *seen;
};

#define WANTED (TKT_MODEL_NONE - 1)

static uint32_t add_string(struct writer *w, const char *s, size_t n)
{
    uint32_t at = (uint32_t)w->strings.len;

    /* The caller looks at strings.failed once. */
    (void)tkt_buf_add(&w->strings, s, n);
    (void)tkt_buf_add(&w->strings, "", 1);
    return at;
}

/* ---- what is told of a label ---- */

struct pick {
    size_t row;
    float weight;
};

static void find_top(const struct tkt_learn_set *set, size_t column, struct pick *picks)
{
    for (size_t i = 0; i < TKT_MODEL_TOP; i++) {
        picks[i] = (struct pick){SIZE_MAX, 0};
    }
    for (size_t r = 0; r < set->row_count; r++) {
        float weight = set->weights[r * set->columns + column] * set->rows[r].idf;
        if (set->rows[r].is_piece || set->rows[r].records < TOP_RECORDS ||
            weight <= picks[TKT_MODEL_TOP - 1].weight) {
            continue;
        }
        size_t at = TKT_MODEL_TOP - 1;
        for (; at > 0 && picks[at - 1].weight < weight; at--) {
            picks[at] = picks[at - 1];
        }
        picks[at] = (struct pick){r, weight};
    }
}

/* The text of each wanted row, from the first record that has it. */
static int name_rows(struct writer *w)
{
    const struct tkt_learn_corpus *c = w->set->corpus;
    struct tkt_features f = TKT_FEATURES_INIT;
    int rc = 0;

    for (size_t i = 0; i < c->count && rc == 0; i++) {
        const struct tkt_learn_record *r = tkt_learn_record_at(c, i);
        tkt_features_reset(&f);
        if (tkt_features_add(&f, r->subject, strlen(r->subject), 0) < 0 ||
            tkt_features_add(&f, r->text, strlen(r->text), 0) < 0) {
            rc = -1;
        }
        for (size_t k = 0; k < f.count && rc == 0; k++) {
            size_t low = 0;
            size_t high = w->set->row_count;
            while (low < high) {
                size_t mid = low + (high - low) / 2;
                if (w->set->rows[mid].hash < f.items[k].hash) {
                    low = mid + 1;
                } else {
                    high = mid;
                }
            }
            if (f.items[k].view == TKT_VIEW_WORDS && low < w->set->row_count &&
                w->set->rows[low].hash == f.items[k].hash && w->named[low] == WANTED) {
                w->named[low] =
                    add_string(w, f.folded.data + f.items[k].at, f.items[k].len);
            }
        }
    }
    tkt_features_release(&f);
    return rc;
}

static int add_labels(struct writer *w)
{
    const struct tkt_learn_set *set = w->set;
    size_t total = tkt_model_label_total(&w->head);
    TKT_AUTO_FREE struct pick *picks = calloc(total * TKT_MODEL_TOP, sizeof(*picks));
    size_t column = 0;

    w->labels = calloc(total, sizeof(*w->labels));
    w->top = calloc(total * TKT_MODEL_TOP, sizeof(*w->top));
    w->named = malloc(set->row_count * sizeof(*w->named));
    if (picks == NULL || w->labels == NULL || w->top == NULL || w->named == NULL) {
        return -1;
    }
    memset(w->named, 0xff, set->row_count * sizeof(*w->named));
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        for (size_t l = 0; l < set->heads[h].label_count; l++, column++) {
            const char *label = set->heads[h].labels[l];
            w->labels[column] = add_string(w, label, strlen(label));
            find_top(set, column, picks + column * TKT_MODEL_TOP);
        }
    }
    for (size_t i = 0; i < total * TKT_MODEL_TOP; i++) {
        if (picks[i].row != SIZE_MAX) {
            w->named[picks[i].row] = WANTED;
        }
    }
    if (name_rows(w) < 0) {
        return -1;
    }
    for (size_t i = 0; i < total * TKT_MODEL_TOP; i++) {
        bool has = picks[i].row != SIZE_MAX && w->named[picks[i].row] != WANTED;
        w->top[i] = (struct tkt_model_top_entry){
            has ? w->named[picks[i].row] : TKT_MODEL_NONE, has ? picks[i].weight : 0};
    }
    return 0;
}

/* ---- the parts ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static int add_seen(struct writer *w)
{
    const struct tkt_learn_set *set = w->set;

    w->seen = calloc(set->corpus->count + 1, sizeof(*w->seen));
    if (w->seen == NULL) {
        return -1;
    }
    for (size_t i = 0; i < set->corpus->count; i++) {
        const struct tkt_learn_record *r = tkt_learn_record_at(set->corpus, i);
        if (set->vectors[i] != NULL) {
            w->seen[w->head.seen++] = tkt_model_print(r->subject, r->text);
        }
    }
    qsort(w->seen, w->head.seen, sizeof(*w->seen), by_number);
    return 0;
}

static void put_slots(const struct writer *w, struct tkt_model_slot *slots)
{
    uint32_t mask = (UINT32_C(1) << w->head.slot_bits) - 1;

    memset(slots, 0xff, ((size_t)mask + 1) * sizeof(*slots));
    for (uint32_t r = 0; r < w->head.rows; r++) {
        uint32_t hash = w->set->rows[r].hash;
        uint32_t at = tkt_model_slot_of(hash, w->head.slot_bits);
        while (slots[at].row != TKT_MODEL_NONE) {
            at = (at + 1) & mask;
        }
        slots[at] = (struct tkt_model_slot){hash, r};
    }
}

static void put_weights(const struct writer *w, float *idf, float *scale, int8_t *weights)
{
    const struct tkt_learn_set *set = w->set;

    for (size_t r = 0; r < set->row_count; r++) {
        const float *row = set->weights + r * set->columns;
        float top = 0;
        for (size_t c = 0; c < set->columns; c++) {
            top = TKT_MAX(top, fabsf(row[c]));
        }
        idf[r] = set->rows[r].idf;
        scale[r] = top / 127.0F;
        for (size_t c = 0; c < set->columns; c++) {
            weights[r * set->columns + c] =
                top > 0 ? (int8_t)lrintf(row[c] / scale[r]) : 0;
        }
    }
}

static void put_parts(const struct writer *w, char *file)
{
    const uint64_t *at = w->layout.at;
    uint32_t labels = tkt_model_label_total(&w->head);

    memcpy(file, &w->head, sizeof(w->head));
    put_slots(w, (void *)(file + at[TKT_MODEL_PART_SLOTS]));
    put_weights(w, (void *)(file + at[TKT_MODEL_PART_IDF]),
                (void *)(file + at[TKT_MODEL_PART_SCALE]),
                (void *)(file + at[TKT_MODEL_PART_WEIGHTS]));
    memcpy(file + at[TKT_MODEL_PART_LABELS], w->labels, labels * sizeof(*w->labels));
    memcpy(file + at[TKT_MODEL_PART_TOP], w->top,
           (size_t)labels * TKT_MODEL_TOP * sizeof(*w->top));
    memcpy(file + at[TKT_MODEL_PART_SEEN], w->seen, w->head.seen * sizeof(*w->seen));
    memcpy(file + at[TKT_MODEL_PART_STRINGS], w->strings.data, w->strings.len);
    struct tkt_model_file_head *head = (void *)file;
    tkt_sha256(file + CHECKED_FROM, w->layout.size - CHECKED_FROM, head->sha256);
}

static void begin(struct writer *w, const float slopes[TKT_HEAD_COUNT])
{
    const struct tkt_learn_set *set = w->set;

    w->head = (struct tkt_model_file_head){
        .magic = TKT_MODEL_MAGIC,
        .format = TKT_MODEL_FORMAT,
        .order = TKT_MODEL_ORDER,
        .rows = (uint32_t)set->row_count,
        .slot_bits = 4,
        .columns = (uint32_t)set->columns,
        .view_weight = {1.0F, (float)set->opt->piece_weight},
        .subject_weight = (float)set->opt->subject_weight,
    };
    while ((UINT64_C(1) << w->head.slot_bits) < set->row_count * UINT64_C(2)) {
        w->head.slot_bits++;
    }
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        w->head.labels[h] = (uint32_t)set->heads[h].label_count;
        w->head.slope[h] = slopes[h];
    }
}

static int finish(struct writer *w, const char *about, struct tkt_buf *out,
                  struct tkt_err *err)
{
    w->head.about = add_string(w, about, strlen(about));
    w->head.strings = (uint32_t)w->strings.len;
    if (w->strings.failed || tkt_model_layout(&w->head, &w->layout) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "the model gets too large");
    }
    w->head.size = w->layout.size;
    if (tkt_buf_reserve(out, w->layout.size) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    TKT_AUTO_FREE char *file = calloc(1, w->layout.size); /* gaps are zero */
    if (file == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    put_parts(w, file);
    return tkt_buf_add(out, file, w->layout.size);
}

int tkt_learn_write(const struct tkt_learn_set *set, const float slopes[TKT_HEAD_COUNT],
                    const char *about, struct tkt_buf *out, struct tkt_err *err)
{
    struct writer w = {.set = set, .strings = TKT_BUF_INIT(16 * 1024 * 1024)};
    int rc;

    begin(&w, slopes);
    if (add_labels(&w) < 0 || add_seen(&w) < 0) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    } else {
        rc = finish(&w, about, out, err);
    }
    tkt_buf_release(&w.strings);
    free(w.labels);
    free(w.top);
    free(w.named);
    free(w.seen);
    return rc;
}
