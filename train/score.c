/* SPDX-License-Identifier: BSD-2-Clause */
#include "train/score.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>

#define PRECISION 0.95

static int by_probability(const void *a, const void *b)
{
    double x = ((const struct tkt_scored *)a)->probability;
    double y = ((const struct tkt_scored *)b)->probability;

    return (x < y) - (x > y);
}

/* Over the labels that the texts have; one that is never answered counts 0. */
static int macro_f1(const struct tkt_scored *items, size_t n, size_t labels, double *out)
{
    TKT_AUTO_FREE size_t *counts = calloc(3 * labels + 1, sizeof(*counts));
    size_t occur = 0;
    double sum = 0;

    if (counts == NULL) {
        return -1;
    }
    size_t *right = counts;
    size_t *said = counts + labels;
    size_t *is = counts + 2 * labels;
    for (size_t i = 0; i < n; i++) {
        if (items[i].answer >= 0) {
            said[items[i].answer]++;
            right[items[i].answer] += items[i].answer == items[i].truth;
        }
        if (items[i].truth >= 0) {
            is[items[i].truth]++;
        }
    }
    for (size_t l = 0; l < labels; l++) {
        occur += is[l] > 0;
        sum += is[l] > 0 ? 2.0 * (double)right[l] / (double)(said[l] + is[l]) : 0;
    }
    *out = occur > 0 ? sum / (double)occur : 0;
    return 0;
}

int tkt_score_of(struct tkt_scored *items, size_t n, size_t labels, struct tkt_score *out)
{
    size_t right = 0;
    size_t top3 = 0;
    size_t sure = 0;
    size_t sure_right = 0;
    size_t covered = 0;

    *out = (struct tkt_score){.n = n};
    if (n == 0) {
        return 0;
    }
    qsort(items, n, sizeof(*items), by_probability);
    for (size_t i = 0; i < n; i++) {
        bool is_right = items[i].answer >= 0 && items[i].answer == items[i].truth;
        right += is_right;
        top3 += items[i].in_top3;
        sure += items[i].is_sure;
        sure_right += items[i].is_sure && is_right;
        /* Equal probabilities are answered together. */
        bool is_last = i + 1 == n || items[i + 1].probability < items[i].probability;
        if (is_last && (double)right >= PRECISION * (double)(i + 1)) {
            covered = i + 1;
        }
    }
    out->accuracy = (double)right / (double)n;
    out->top3 = (double)top3 / (double)n;
    out->coverage95 = (double)covered / (double)n;
    out->sure = (double)sure / (double)n;
    out->right = sure > 0 ? (double)sure_right / (double)sure : 0;
    return macro_f1(items, n, labels, &out->macro_f1);
}

struct tkt_scored tkt_score_answer(const struct tkt_model *m,
                                   const struct tkt_model_work *work,
                                   enum tkt_model_head head,
                                   const struct tkt_model_choice *choice,
                                   const char *truth)
{
    const float *p = tkt_model_probabilities(m, work, head);
    size_t labels = tkt_model_label_count(m, head);
    struct tkt_scored s = {.truth = -1,
                           .answer = choice->best,
                           .probability = choice->probability,
                           .is_sure = choice->label >= 0};

    for (size_t l = 0; l < labels; l++) {
        if (strcmp(tkt_model_label(m, head, l), truth) == 0) {
            s.truth = (int)l;
        }
    }
    if (p != NULL && s.truth >= 0) {
        unsigned better = 0;
        for (size_t l = 0; l < labels; l++) {
            better += p[l] > p[s.truth];
        }
        s.in_top3 = better < 3;
    }
    return s;
}

int tkt_score_json(const struct tkt_score *s, struct tkt_buf *out)
{
    return tkt_buf_addf(out,
                        "\"n\":%zu,\"accuracy\":%.4f,\"macro_f1\":%.4f,\"top3\":%.4f,"
                        "\"coverage95\":%.4f,\"answered\":%.4f,\"right_of_answered\":"
                        "%.4f",
                        s->n, s->accuracy, s->macro_f1, s->top3, s->coverage95, s->sure,
                        s->right);
}
