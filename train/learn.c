/* SPDX-License-Identifier: BSD-2-Clause */
#include "train/learn.h"

#include "base/enc.h"
#include "base/util.h"
#include "train/learn_private.h"
#include "train/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HELD_OUT_EVERY 5   /* of the records; what slope and figures come from */
#define HELD_OUT_LEAST 20  /* with fewer there is nothing to fit a slope on */
#define SLOPE_DEFAULT 4.0F /* what it comes to on several public collections */
#define SLOPE_MAX 50.0
#define ABOUT_MAX 16384

/* Which records are held out: by a hash of their number, so that neither an order nor a
 * period in the data matters. */
static bool is_held_out(size_t i, unsigned seed)
{
    uint64_t h = (i + 1) * UINT64_C(0x9E3779B97F4A7C15) + seed;

    h ^= h >> 31;
    h *= UINT64_C(0xBF58476D1CE4E5B9);
    return (h >> 33) % HELD_OUT_EVERY == 0;
}

/* ---- slope: from log probabilities of slope 1 to ones that are honest ---- */

struct answers { /* of one head on what was held out */
    struct tkt_scored *scored;
    float *logs; /* n x labels */
    size_t n;
    size_t labels;
};

/* How surprised a model with this slope is by the truth, in all. A little of the truth is
 * given to all labels, the less the more was held out (after Platt): that a few texts were
 * all answered right must not make it certain for ever. */
static double surprise(const struct answers *a, double slope)
{
    double doubt = 1.0 / ((double)a->n + 2.0);
    double sum = 0;

    for (size_t i = 0; i < a->n; i++) {
        const float *logs = a->logs + i * a->labels;
        double top = (double)logs[0];
        double all = 0;
        double mean = 0;
        for (size_t l = 0; l < a->labels; l++) {
            top = TKT_MAX(top, (double)logs[l]);
            mean += (double)logs[l] / (double)a->labels;
        }
        for (size_t l = 0; l < a->labels; l++) {
            all += exp(slope * ((double)logs[l] - top));
        }
        double truth = (double)logs[a->scored[i].truth];
        sum += log(all) - slope * ((1 - doubt) * truth + doubt * mean - top);
    }
    return sum;
}

/* It has one minimum: golden section, in the logarithm of the slope. */
static float fit_slope(const struct answers *a)
{
    const double ratio = 0.6180339887498949;
    double low = log(0.05);
    double high = log(SLOPE_MAX);

    if (a->n < HELD_OUT_LEAST) {
        return SLOPE_DEFAULT;
    }
    for (int step = 0; step < 30; step++) {
        double x = high - ratio * (high - low);
        double y = low + ratio * (high - low);
        if (surprise(a, exp(x)) < surprise(a, exp(y))) {
            high = y;
        } else {
            low = x;
        }
    }
    return (float)exp((low + high) / 2);
}

static int keep_answer(struct answers *a, const struct tkt_model *m,
                       const struct tkt_model_work *work, int head,
                       const struct tkt_model_choice *choice, const char *truth)
{
    struct tkt_scored s = tkt_score_answer(m, work, head, choice, truth);
    const float *p = tkt_model_probabilities(m, work, head);

    if (s.truth < 0 || p == NULL) {
        return 0;
    }
    for (size_t l = 0; l < a->labels; l++) {
        a->logs[a->n * a->labels + l] = logf(p[l] + 1e-30F);
    }
    a->scored[a->n++] = s;
    return 0;
}

/* Asks a model of the other records about each that was held out. */
static int ask_all(const struct tkt_learn_corpus *c, const bool *held_out,
                   const struct tkt_model *m, struct answers answers[TKT_HEAD_COUNT])
{
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice choice[TKT_HEAD_COUNT];
    int rc = work == NULL ? -1 : 0;

    for (size_t i = 0; i < c->count && rc == 0; i++) {
        const struct tkt_learn_record *r = tkt_learn_record_at(c, i);
        if (!held_out[i]) {
            continue;
        }
        rc = tkt_model_ask(m, work, r->subject, r->text, 0, false, choice);
        for (int h = 0; h < TKT_HEAD_COUNT && rc == 0; h++) {
            if (answers[h].labels > 0) {
                rc = keep_answer(&answers[h], m, work, h, &choice[h], r->labels[h]);
            }
        }
    }
    tkt_model_work_free(&work);
    return rc;
}

/* ---- what is told of the model ---- */

static void add_head(struct tkt_buf *about, int h, struct answers *a, float slope)
{
    struct tkt_score score;

    for (size_t i = 0; i < a->n; i++) { /* sure or not: by the slope that it will have */
        const float *logs = a->logs + i * a->labels;
        double all = 0;
        for (size_t l = 0; l < a->labels; l++) {
            all += exp((double)(slope * (logs[l] - logs[a->scored[i].answer])));
        }
        a->scored[i].probability = 1 / all;
        a->scored[i].is_sure =
            a->scored[i].probability * 1000 >= TKT_MODEL_THRESHOLD_PERMILLE;
    }
    if (tkt_score_of(a->scored, a->n, a->labels, &score) < 0) {
        return; /* no memory: it is told without */
    }
    (void)tkt_buf_addf(about, ",\"%s\":{\"labels\":%zu,\"slope\":%.3f,",
                       tkt_model_head_names[h], a->labels, (double)slope);
    (void)tkt_score_json(&score, about);
    (void)tkt_buf_addc(about, '}');
}

static void begin_about(struct tkt_buf *about, const struct tkt_learn_corpus *c,
                        const struct tkt_learn_options *opt)
{
    /* Its maximum is looked at once, in the end. */
    (void)tkt_buf_adds(about, "{\"date\":");
    (void)tkt_json_add_string(about, opt->date, strlen(opt->date));
    (void)tkt_buf_addf(about,
                       ",\"records\":%zu,\"left_out\":%zu,\"seed\":%u,"
                       "\"settings\":{\"cost\":%g,\"bayes_share\":%g,\"bayes_smooth\":%g,"
                       "\"piece_weight\":%g,\"idf_power\":%g,\"subject_weight\":%g}",
                       c->count, c->left_out, opt->seed, opt->cost, opt->bayes_share,
                       opt->bayes_smooth, opt->piece_weight, opt->idf_power,
                       opt->subject_weight);
}

/* Learns from four fifths, asks about the rest: slopes and figures. Too little to hold
 * anything out is no error. */
static int calibrate(const struct tkt_learn_corpus *c,
                     const struct tkt_learn_options *opt, float slopes[TKT_HEAD_COUNT],
                     struct tkt_buf *about, struct tkt_err *err)
{
    TKT_AUTO_FREE bool *held_out = calloc(c->count + 1, sizeof(*held_out));
    struct tkt_buf file = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    const float plain[TKT_HEAD_COUNT] = {1, 1, 1};
    struct answers answers[TKT_HEAD_COUNT] = {{NULL, NULL, 0, 0}};
    struct tkt_learn_set set;
    struct tkt_model *m = NULL;
    size_t n = 0;

    if (held_out == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    for (size_t i = 0; i < c->count; i++) {
        held_out[i] = is_held_out(i, opt->seed);
        n += held_out[i];
    }
    /* Why four fifths are too little is told of the whole, if that is too little too. */
    if (n < HELD_OUT_LEAST || tkt_learn_set_make(c, opt, held_out, &set, NULL) < 0) {
        return 0;
    }
    int rc = tkt_learn_fit(&set, err);
    if (rc == 0) {
        rc = tkt_learn_write(&set, plain, "{}", &file, err);
    }
    tkt_learn_set_release(&set);
    if (rc == 0) {
        m = tkt_model_of(file.data, file.len, err);
        rc = m == NULL ? -1 : 0;
    }
    tkt_buf_release(&file);
    for (int h = 0; h < TKT_HEAD_COUNT && rc == 0; h++) {
        struct answers *a = &answers[h];
        a->labels = tkt_model_label_count(m, h);
        a->scored = calloc(n, sizeof(*a->scored));
        a->logs = calloc(n * a->labels + 1, sizeof(*a->logs));
        rc = a->scored == NULL || a->logs == NULL ? -1 : 0;
    }
    if (rc == 0) {
        rc = ask_all(c, held_out, m, answers);
    }
    (void)tkt_buf_adds(about, ",\"held_out\":{\"every\":5");
    for (int h = 0; h < TKT_HEAD_COUNT && rc == 0; h++) {
        if (answers[h].n > 0) {
            slopes[h] = fit_slope(&answers[h]);
            add_head(about, h, &answers[h], slopes[h]);
        }
    }
    (void)tkt_buf_addc(about, '}');
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        free(answers[h].scored);
        free(answers[h].logs);
    }
    tkt_model_close(&m);
    return rc < 0 && (err == NULL || err->class == TKT_ERR_NONE)
               ? tkt_err_set(err, TKT_ERR_TEMP, "out of memory")
               : rc;
}

int tkt_learn(const struct tkt_learn_record *records, size_t count,
              const struct tkt_learn_options *opt, struct tkt_buf *out,
              struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf about = TKT_BUF_INIT(ABOUT_MAX);
    float slopes[TKT_HEAD_COUNT] = {SLOPE_DEFAULT, SLOPE_DEFAULT, SLOPE_DEFAULT};
    struct tkt_learn_corpus corpus;
    struct tkt_learn_set set;

    if (count == 0 || count > TKT_LEARN_RECORDS_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "%zu records: from 1 to %u can be learned from", count,
                           TKT_LEARN_RECORDS_MAX);
    }
    if (tkt_learn_read(records, count, opt, &corpus, err) < 0) {
        return -1;
    }
    begin_about(&about, &corpus, opt);
    int rc = opt->is_rough ? 0 : calibrate(&corpus, opt, slopes, &about, err);
    (void)tkt_buf_addc(&about, '}');
    if (rc == 0) {
        rc = tkt_learn_set_make(&corpus, opt, NULL, &set, err);
        if (rc == 0) {
            rc = tkt_learn_fit(&set, err);
            if (rc == 0) {
                rc = tkt_learn_write(&set, slopes, tkt_buf_str(&about), out, err);
            }
            tkt_learn_set_release(&set);
        }
    }
    tkt_learn_corpus_release(&corpus);
    return rc;
}
