/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of the learner share: a set of records as vectors, and what was fitted.
 */
#ifndef TKT_TRAIN_LEARN_PRIVATE_H
#define TKT_TRAIN_LEARN_PRIVATE_H
#include "decide/features.h"
#include "decide/model_file.h"
#include "train/learn.h"

struct feature_node; /* liblinear's */

struct tkt_learn_count { /* a feature of a record */
    uint32_t hash;
    float times; /* weighted; its sign bit tells the view: negative = pieces */
};

/* The features of all records, read once, the newest record first: record i has counts[at[i]]
 * to counts[at[i+1]], by hash. */
struct tkt_learn_corpus {
    const struct tkt_learn_record *newest;
    size_t count;
    struct tkt_learn_count *counts;
    uint64_t *at;
    size_t left_out; /* older records that did not fit */
};

struct tkt_learn_row { /* a known feature */
    uint32_t hash;
    uint32_t records; /* that have it */
    float idf;
    bool is_piece;
};

struct tkt_learn_head {
    const char **labels; /* sorted */
    size_t label_count;
    int *truth; /* of each record; -1: not known, or not in the set */
};

/* What is fitted from some of the records. */
struct tkt_learn_set {
    const struct tkt_learn_corpus *corpus;
    const struct tkt_learn_options *opt;
    const bool *is_out; /* records that are not learned from; NULL: none */
    struct tkt_learn_row *rows;
    size_t row_count;
    struct tkt_learn_head heads[TKT_HEAD_COUNT];
    size_t columns;                /* labels of all heads, padded */
    struct feature_node **vectors; /* of each record; NULL for those that are out */
    struct feature_node *nodes;
    float *weights; /* rows x columns, shared with the forked processes */
};

static inline const struct tkt_learn_record *
tkt_learn_record_at(const struct tkt_learn_corpus *c, size_t i)
{
    return c->newest - i;
}

int tkt_learn_read(const struct tkt_learn_record *records, size_t count,
                   const struct tkt_learn_options *opt, struct tkt_learn_corpus *out,
                   struct tkt_err *err);
void tkt_learn_corpus_release(struct tkt_learn_corpus *c);

/* Labels, rows, vectors. */
int tkt_learn_set_make(const struct tkt_learn_corpus *corpus,
                       const struct tkt_learn_options *opt, const bool *is_out,
                       struct tkt_learn_set *out, struct tkt_err *err);
void tkt_learn_set_release(struct tkt_learn_set *set);
/* Fills set->weights. */
int tkt_learn_fit(struct tkt_learn_set *set, struct tkt_err *err);
/* Appends the file. */
int tkt_learn_write(const struct tkt_learn_set *set, const float slopes[TKT_HEAD_COUNT],
                    const char *about, struct tkt_buf *out, struct tkt_err *err);

#endif
