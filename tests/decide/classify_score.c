/* SPDX-License-Identifier: BSD-2-Clause
 * Nested cross-validation: how good a model is that is learned as ticketctl learns it.
 *
 *   classify_score nested FILE FOLDS    settings are chosen within each training part
 *                                       by inner folds, then scored on what was left out
 *   classify_score plain FILE FOLDS     the defaults, no choice
 *   classify_score once FILE FOLDS      the same, the first fold alone
 *   classify_score split TRAIN[,TRAIN...] TEST[,TEST...]
 *                                       learned from the first, scored on the second;
 *                                       records of category oos count as out of scope
 *
 * Behind them settings NAME=NUMBER may stand: cost, bayes, pieces, idf, subject; and
 * floor=PERCENT: it fails when fewer answers (of split: in scope) are right.
 */
#include "base/clock.h"
#include "base/util.h"
#include "ticketctl/dataset.h"
#include "train/score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INNER_FOLDS 3

struct setting {
    const char *name;
    double cost;
    double bayes_share;
};
/* What the inner folds choose from. */
static const struct setting grid[] = {
    {"machine", 1.0, 0.0},
    {"machine C=0.5 + bayes 0.03", 0.5, 0.03},
    {"machine C=1 + bayes 0.03", 1.0, 0.03},
    {"machine C=1 + bayes 0.06", 1.0, 0.06},
    {"machine C=1 + bayes 0.10", 1.0, 0.10},
};

static struct tkt_learn_options base;
static double floor_percent;

static _Noreturn void die(const struct tkt_err *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static uint64_t mix(uint64_t h)
{
    h *= UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    h *= UINT64_C(0xBF58476D1CE4E5B9);
    return h ^ h >> 32;
}

/* The same text is always in the same fold. */
static unsigned fold_of(const struct tkt_learn_record *r, unsigned folds, unsigned salt)
{
    return (unsigned)(mix(tkt_model_print(r->subject, r->text) + salt) % folds);
}

static struct tkt_model *learn(const struct tkt_learn_record *records, size_t n,
                               const struct setting *s, bool is_rough, double *seconds,
                               size_t *bytes)
{
    struct tkt_buf file = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_learn_options opt = base;
    int64_t start = tkt_clock_mono_us();

    opt.is_rough = is_rough;
    if (s != NULL) {
        opt.cost = s->cost;
        opt.bayes_share = s->bayes_share;
    }
    if (tkt_learn(records, n, &opt, &file, &err) < 0) {
        die(&err);
    }
    struct tkt_model *m = tkt_model_of(file.data, file.len, &err);
    if (m == NULL) {
        die(&err);
    }
    *bytes = file.len;
    *seconds = (double)(tkt_clock_mono_us() - start) / 1e6;
    tkt_buf_release(&file);
    return m;
}

/* Appends what the model says about each record. */
static size_t ask(const struct tkt_model *m, const struct tkt_learn_record *records,
                  size_t n, struct tkt_scored *out, double *us)
{
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice c[TKT_HEAD_COUNT];
    int64_t start = tkt_clock_mono_us();

    for (size_t i = 0; i < n; i++) {
        if (tkt_model_ask(m, work, records[i].subject, records[i].text, -1, false, c) <
            0) {
            exit(1);
        }
        out[i] = tkt_score_answer(m, work, TKT_HEAD_CATEGORY, &c[TKT_HEAD_CATEGORY],
                                  records[i].labels[TKT_HEAD_CATEGORY]);
    }
    *us = (double)(tkt_clock_mono_us() - start) / (double)(n == 0 ? 1 : n);
    tkt_model_work_free(&work);
    return n;
}

/* Parts records by fold; returns how many are outside of it. */
static size_t part(const struct tkt_learn_record *all, size_t n, unsigned folds,
                   unsigned fold, unsigned salt, struct tkt_learn_record *in,
                   struct tkt_learn_record *out)
{
    size_t k = 0;
    size_t left = 0;

    for (size_t i = 0; i < n; i++) {
        if (fold_of(&all[i], folds, salt) == fold) {
            out[left++] = all[i];
        } else {
            in[k++] = all[i];
        }
    }
    return k;
}

static size_t count_right(const struct tkt_scored *s, size_t n)
{
    size_t right = 0;

    for (size_t i = 0; i < n; i++) {
        right += s[i].answer >= 0 && s[i].answer == s[i].truth;
    }
    return right;
}

/* The setting that is right most often in the inner folds. */
static size_t choose(const struct tkt_learn_record *all, size_t n, unsigned salt)
{
    struct tkt_learn_record *in = calloc(n, sizeof(*in));
    struct tkt_learn_record *out = calloc(n, sizeof(*out));
    struct tkt_scored *scored = calloc(n, sizeof(*scored));
    size_t right[TKT_ARRAY_LEN(grid)] = {0};
    size_t best = 0;
    double seconds;
    double us;
    size_t bytes;

    for (unsigned fold = 0; fold < INNER_FOLDS; fold++) {
        size_t k = part(all, n, INNER_FOLDS, fold, salt, in, out);
        for (size_t g = 0; g < TKT_ARRAY_LEN(grid); g++) {
            struct tkt_model *m = learn(in, k, &grid[g], true, &seconds, &bytes);
            ask(m, out, n - k, scored, &us);
            right[g] += count_right(scored, n - k);
            tkt_model_close(&m);
        }
    }
    for (size_t g = 1; g < TKT_ARRAY_LEN(grid); g++) {
        best = right[g] > right[best] ? g : best;
    }
    free(in);
    free(out);
    free(scored);
    return best;
}

static void print(const char *what, struct tkt_scored *scored, size_t n, size_t labels)
{
    struct tkt_score score;
    struct tkt_buf b = TKT_BUF_INIT(4096);

    if (tkt_score_of(scored, n, labels, &score) < 0 || tkt_score_json(&score, &b) < 0) {
        exit(1);
    }
    printf("%s {%s}\n", what, b.data);
    tkt_buf_release(&b);
}

static int judge(double percent)
{
    if (percent < floor_percent) {
        printf("below the floor of %.1f %%\n", floor_percent);
        return 1;
    }
    return 0;
}

static int cross(const struct tkt_dataset *d, unsigned folds, unsigned turns, bool nested)
{
    struct tkt_learn_record *in = calloc(d->count, sizeof(*in));
    struct tkt_learn_record *out = calloc(d->count, sizeof(*out));
    struct tkt_scored *scored = calloc(d->count, sizeof(*scored));
    size_t done = 0;
    size_t labels = 0;

    for (unsigned fold = 0; fold < turns; fold++) {
        size_t k = part(d->items, d->count, folds, fold, 0, in, out);
        size_t g = nested ? choose(in, k, 1 + fold) : 0;
        double seconds;
        double us;
        size_t bytes;
        struct tkt_model *m =
            learn(in, k, nested ? &grid[g] : NULL, false, &seconds, &bytes);
        ask(m, out, d->count - k, scored + done, &us);
        printf("fold %u: %.2f %% of %zu, %s, learned in %.1f s, %.1f MB, %.0f us a "
               "message\n",
               fold,
               100.0 * (double)count_right(scored + done, d->count - k) /
                   (double)(d->count - k),
               d->count - k, nested ? grid[g].name : "defaults", seconds,
               (double)bytes / 1e6, us);
        fflush(stdout);
        done += d->count - k;
        labels = tkt_model_label_count(m, TKT_HEAD_CATEGORY);
        tkt_model_close(&m);
    }
    double percent = 100.0 * (double)count_right(scored, done) / (double)done;
    print(nested ? "nested:" : "plain:", scored, done, labels);
    free(in);
    free(out);
    free(scored);
    return judge(percent);
}

static void read_list(struct tkt_dataset *d, char *list)
{
    struct tkt_err err = TKT_ERR_INIT;

    for (char *f = strtok(list, ","); f != NULL; f = strtok(NULL, ",")) {
        if (tkt_dataset_read(d, f, &err) < 0) {
            die(&err);
        }
    }
}

static int split(const struct tkt_dataset *d, const struct tkt_dataset *test)
{
    struct tkt_scored *scored = calloc(test->count, sizeof(*scored));
    size_t in_scope = 0;
    size_t right = 0;
    size_t right_sure = 0;
    size_t outside = 0;
    size_t told = 0;
    double seconds;
    double us;
    size_t bytes;
    struct tkt_model *m = learn(d->items, d->count, NULL, false, &seconds, &bytes);

    ask(m, test->items, test->count, scored, &us);
    for (size_t i = 0; i < test->count; i++) {
        const struct tkt_scored *s = &scored[i];
        bool is_oos = strcmp(test->items[i].labels[TKT_HEAD_CATEGORY], "oos") == 0;
        bool says_oos =
            s->answer >= 0 &&
            strcmp(tkt_model_label(m, TKT_HEAD_CATEGORY, (size_t)s->answer), "oos") == 0;
        in_scope += !is_oos;
        outside += is_oos;
        right += !is_oos && s->answer == s->truth;
        right_sure += !is_oos && s->answer == s->truth && s->is_sure;
        told += is_oos && (says_oos || !s->is_sure);
    }
    printf("split: in scope %zu: %.2f %% right, %.2f %% right and sure at the default "
           "threshold; out of scope %zu: %.1f %% told; learned in %.1f s, %.1f MB, %.0f "
           "us a message\nslope and held-out: %s\n",
           in_scope, 100.0 * (double)right / (double)in_scope,
           100.0 * (double)right_sure / (double)in_scope, outside,
           outside == 0 ? 0.0 : 100.0 * (double)told / (double)outside, seconds,
           (double)bytes / 1e6, us, tkt_model_about(m));
    free(scored);
    tkt_model_close(&m);
    return judge(100.0 * (double)right / (double)in_scope);
}

static void set(const char *arg)
{
    const struct {
        const char *name;
        double *value;
    } table[] = {{"cost=", &base.cost},
                 {"bayes=", &base.bayes_share},
                 {"pieces=", &base.piece_weight},
                 {"idf=", &base.idf_power},
                 {"subject=", &base.subject_weight},
                 {"floor=", &floor_percent}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(table); i++) {
        size_t n = strlen(table[i].name);
        if (strncmp(arg, table[i].name, n) == 0) {
            *table[i].value = strtod(arg + n, NULL);
            return;
        }
    }
    fprintf(stderr, "no setting %s\n", arg);
    exit(64);
}

int main(int argc, char **argv)
{
    struct tkt_dataset d = {.items = NULL};
    struct tkt_dataset test = {.items = NULL};

    int rc;

    if (argc < 4) {
        fprintf(
            stderr,
            "usage: classify_score nested|plain|once FILE FOLDS [NAME=NUMBER...]\n"
            "       classify_score split TRAIN[,TRAIN] TEST[,TEST] [NAME=NUMBER...]\n");
        return 64;
    }
    tkt_learn_defaults(&base);
    for (int i = 4; i < argc; i++) {
        set(argv[i]);
    }
    read_list(&d, argv[2]);
    if (strcmp(argv[1], "split") == 0) {
        read_list(&test, argv[3]);
        rc = split(&d, &test);
    } else {
        unsigned folds = (unsigned)atoi(argv[3]);
        rc = cross(&d, folds, strcmp(argv[1], "once") == 0 ? 1 : folds,
                   strcmp(argv[1], "nested") == 0);
    }
    tkt_dataset_release(&d);
    tkt_dataset_release(&test);
    return rc;
}
