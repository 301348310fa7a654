/* SPDX-License-Identifier: BSD-2-Clause
 * How a model is learned from labelled texts. ticket-train alone and the tests link this:
 * it needs liblinear, which has globals and a rand(3) of its own.
 *
 * Two linear views of the same features are added into one row of weights: a one-against-
 * rest support vector machine, and the log probabilities of a multinomial naive Bayes. Each
 * label is fitted in a forked process, with the same seed whichever process it is, so that
 * the same records and options give the same file bit for bit on any number of processors.
 *
 * Single-threaded callers; memory in proportion to the records, at most about 1.5 GB:
 * records in front (the oldest) are left out when there are more features than
 * TKT_LEARN_FEATURES_MAX. Errors: CONF (nothing to learn from), TEMP (memory, fork).
 */
#ifndef TKT_TRAIN_LEARN_H
#define TKT_TRAIN_LEARN_H
#include "base/buf.h"
#include "base/err.h"
#include "decide/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_LEARN_FEATURES_MAX (UINT64_C(64) * 1024 * 1024)
#define TKT_LEARN_RECORDS_MAX (4U * 1024 * 1024)
#define TKT_LEARN_SIZE_DEFAULT (INT64_C(64) * 1024 * 1024)

struct tkt_learn_record {
    const char *subject;
    const char *text;
    const char *labels[TKT_HEAD_COUNT]; /* "" = not known */
};

struct tkt_learn_options {
    double cost;           /* of the machine: liblinear's C */
    double bayes_share;    /* of naive Bayes in the sum; 0: none */
    double bayes_smooth;   /* added to each of its counts */
    double piece_weight;   /* length of the view of pieces; words have 1 */
    double idf_power;      /* how much rarity counts */
    double subject_weight; /* a word there counts so often */
    int64_t size_max;      /* of the file: rare features go first */
    unsigned seed;
    bool is_rough;    /* no part is held out: probabilities are not honest */
    unsigned workers; /* 0: the number of processors */
    const char *date; /* of the model, for people: "2026-11-22" or "" */
};

void tkt_learn_defaults(struct tkt_learn_options *out);
/* Records in the order of their age, the newest last. Appends the file to out, whose
 * maximum should be TKT_MODEL_FILE_MAX. A head with fewer than two labels is left out. */
int tkt_learn(const struct tkt_learn_record *records, size_t count,
              const struct tkt_learn_options *opt, struct tkt_buf *out,
              struct tkt_err *err);

#endif
