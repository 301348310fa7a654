/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "train/learn_private.h"

#include <errno.h>
#include <linear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define STOP_AT 0.1 /* liblinear's own default for this solver */

static void say_nothing(const char *text)
{
    (void)text; /* its progress is for nobody */
}

static size_t weights_size(const struct tkt_learn_set *set)
{
    return set->row_count * set->columns * sizeof(*set->weights);
}

void tkt_learn_set_release(struct tkt_learn_set *set)
{
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        free(set->heads[h].labels);
        free(set->heads[h].truth);
    }
    free(set->rows);
    free(set->vectors);
    free(set->nodes);
    if (set->weights != NULL) {
        (void)munmap(set->weights, weights_size(set)); /* our own mapping */
    }
    *set = (struct tkt_learn_set){.corpus = NULL};
}

/* ---- one label against the rest ---- */

struct sample { /* the records that have a label of a head */
    struct problem problem;
    int *truth;
};

static int make_sample(const struct tkt_learn_set *set, const struct tkt_learn_head *head,
                       struct sample *out)
{
    size_t count = set->corpus->count;

    *out = (struct sample){.truth = calloc(count, sizeof(*out->truth))};
    out->problem = (struct problem){.n = (int)set->row_count,
                                    .x = calloc(count, sizeof(*out->problem.x)),
                                    .y = calloc(count, sizeof(*out->problem.y)),
                                    .bias = -1};
    if (out->truth == NULL || out->problem.x == NULL || out->problem.y == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (head->truth[i] >= 0) {
            out->truth[out->problem.l] = head->truth[i];
            out->problem.x[out->problem.l++] = set->vectors[i];
        }
    }
    return 0;
}

static void free_sample(struct sample *s)
{
    free(s->truth);
    free(s->problem.x);
    free(s->problem.y);
}

static void fit_label(struct tkt_learn_set *set, struct sample *s, int label,
                      size_t column)
{
    const struct parameter how = {.solver_type = L2R_L2LOSS_SVC_DUAL,
                                  .eps = STOP_AT,
                                  .C = set->opt->cost,
                                  .p = 0.1};

    for (int i = 0; i < s->problem.l; i++) {
        s->problem.y[i] = s->truth[i] == label ? 1 : -1;
    }
    /* It permutes by rand(): from the same seed for each label, in whatever process. */
    srand(set->opt->seed);
    struct model *m = train(&s->problem, &how);
    double sign = m->label[0] == 1 ? 1 : -1;
    for (size_t r = 0; r < set->row_count; r++) {
        set->weights[r * set->columns + column] = (float)(sign * m->w[r]);
    }
    free_and_destroy_model(&m);
}

/* Every label whose column falls to this worker. */
static _Noreturn void be_worker(struct tkt_learn_set *set, unsigned worker,
                                unsigned workers)
{
    size_t column = 0;

    set_print_string_function(say_nothing);
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        const struct tkt_learn_head *head = &set->heads[h];
        struct sample s;
        if (make_sample(set, head, &s) < 0) {
            _exit(1);
        }
        for (size_t l = 0; l < head->label_count; l++, column++) {
            if (column % workers == worker) {
                fit_label(set, &s, (int)l, column);
            }
        }
        free_sample(&s);
    }
    _exit(0);
}

static int run_workers(struct tkt_learn_set *set, unsigned workers, struct tkt_err *err)
{
    pid_t pids[WORKERS_MAX];
    unsigned started = 0;
    int rc = 0;

    for (; started < workers; started++) {
        pids[started] = fork();
        if (pids[started] < 0) {
            rc = tkt_err_errno(err, TKT_ERR_TEMP, "fork");
            break;
        }
        if (pids[started] == 0) {
            be_worker(set, started, workers);
        }
    }
    for (unsigned w = 0; w < started; w++) {
        int status = 0;
        while (waitpid(pids[w], &status, 0) < 0 && errno == EINTR) {
        }
        if (rc == 0 && status != 0) {
            rc = tkt_err_set(err, TKT_ERR_TEMP, "learning failed: out of memory?");
        }
    }
    return rc;
}

/* ---- naive Bayes ---- */

/* Adds share times the log probability of each feature under each label, less its mean over
 * the labels: what is the same for all decides nothing, and costs precision. */
static int add_bayes(struct tkt_learn_set *set, const struct tkt_learn_head *head,
                     size_t first)
{
    size_t rows = set->row_count;
    size_t n = head->label_count;
    double smooth = set->opt->bayes_smooth;
    TKT_AUTO_FREE float *logs = malloc(rows * n * sizeof(*logs));
    TKT_AUTO_FREE double *sums = calloc(n, sizeof(*sums));

    if (logs == NULL || sums == NULL) {
        return -1;
    }
    memset(logs, 0, rows * n * sizeof(*logs));
    for (size_t i = 0; i < set->corpus->count; i++) {
        for (const struct feature_node *x = set->vectors[i];
             head->truth[i] >= 0 && x->index > 0; x++) {
            size_t r = (size_t)x->index - 1;
            logs[r * n + (size_t)head->truth[i]] += (float)x->value;
            sums[head->truth[i]] += x->value;
        }
    }
    for (size_t r = 0; r < rows; r++) {
        double mean = 0;
        for (size_t l = 0; l < n; l++) {
            double part =
                ((double)logs[r * n + l] + smooth) / (sums[l] + smooth * (double)rows);
            logs[r * n + l] = (float)log(part);
            mean += (double)logs[r * n + l] / (double)n;
        }
        for (size_t l = 0; l < n; l++) {
            set->weights[r * set->columns + first + l] +=
                (float)(set->opt->bayes_share * ((double)logs[r * n + l] - mean));
        }
    }
    return 0;
}

int tkt_learn_fit(struct tkt_learn_set *set, struct tkt_err *err)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned workers = set->opt->workers > 0 ? set->opt->workers : (unsigned)processors;

    workers = TKT_MAX(TKT_MIN(workers, (unsigned)WORKERS_MAX), 1U);
    set->weights = mmap(NULL, weights_size(set), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (set->weights == MAP_FAILED) {
        set->weights = NULL;
        return tkt_err_errno(err, TKT_ERR_TEMP, "memory for %zu weights",
                             set->row_count * set->columns);
    }
    if (run_workers(set, workers, err) < 0) {
        return -1;
    }
    size_t first = 0;
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        if (set->heads[h].label_count > 0 && set->opt->bayes_share > 0 &&
            add_bayes(set, &set->heads[h], first) < 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
        first += set->heads[h].label_count;
    }
    return 0;
}
