/* SPDX-License-Identifier: BSD-2-Clause
 * How good a model is on labelled texts. Pure but for memory.
 */
#ifndef TKT_TRAIN_SCORE_H
#define TKT_TRAIN_SCORE_H
#include "base/buf.h"
#include "decide/model.h"

#include <stddef.h>

struct tkt_scored { /* one text */
    double probability;
    int truth;  /* label; -1: one that the model does not know */
    int answer; /* the likeliest; -1: nothing is known */
    bool in_top3;
    bool is_sure; /* not "don't know" */
};

struct tkt_score {
    size_t n;
    double accuracy;   /* the likeliest is right, whether sure or not */
    double macro_f1;   /* mean over the labels that occur */
    double top3;       /* the right one is among the three likeliest */
    double coverage95; /* part that can be answered with 95 % right answers */
    double sure;       /* part that is answered at the threshold ... */
    double right;      /* ... of which right */
};

/* Sorts items. -1: no memory. */
int tkt_score_of(struct tkt_scored *items, size_t n, size_t labels,
                 struct tkt_score *out);
/* Asks a model about a text and judges the answer. choice and probabilities: of the head
 * that is judged; truth: a label's name. */
struct tkt_scored tkt_score_answer(const struct tkt_model *m,
                                   const struct tkt_model_work *work,
                                   enum tkt_model_head head,
                                   const struct tkt_model_choice *choice,
                                   const char *truth);
/* "n":3,"accuracy":0.9167,... without braces. */
int tkt_score_json(const struct tkt_score *s, struct tkt_buf *out);

#endif
