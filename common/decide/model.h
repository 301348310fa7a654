/* SPDX-License-Identifier: BSD-2-Clause
 * A learned model: which category, group and urgency a text has, by the words and pieces of
 * words in it (decide/features.h). Linear; one set of features, up to three heads.
 *
 * open reads the file into memory of its own and checks it whole: magic, version, checksum,
 * every offset and label. What passed the check cannot be changed under the reader's feet,
 * and a file that is broken, foreign or of another version is refused with its reason
 * (CONF). A model is immutable: any number of threads (and of forked children) use one.
 *
 * tkt_model_ask() is pure. Labels are one line of valid UTF-8, at most
 * TKT_MODEL_LABEL_MAX bytes. Probabilities are calibrated on a part that was held out. The
 * answer is "don't know" (label -1) when no feature is known, or when the best probability
 * is below the threshold or below twice what guessing would give (two labels: 0.67).
 */
#ifndef TKT_DECIDE_MODEL_H
#define TKT_DECIDE_MODEL_H
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_MODEL_FILE_MAX (256U * 1024 * 1024)
#define TKT_MODEL_LABEL_MAX 100
#define TKT_MODEL_LABELS_MAX 4096  /* of all heads */
#define TKT_MODEL_ROWS_MAX 4194304 /* features that are known */
#define TKT_MODEL_TOP 12           /* telling features of a label that the file names */
#define TKT_MODEL_WORDS_MAX 6      /* telling words of one text */
#define TKT_MODEL_THRESHOLD_PERMILLE 200

enum tkt_model_head {
    TKT_HEAD_CATEGORY,
    TKT_HEAD_GROUP,
    TKT_HEAD_URGENCY,
    TKT_HEAD_COUNT
};
extern const char *const tkt_model_head_names[]; /* "category", "group", "urgency" */

struct tkt_model;

struct tkt_model *tkt_model_open(const char *path, struct tkt_err *err);
/* From where fd stands to its end; fd stays the caller's. */
struct tkt_model *tkt_model_open_fd(int fd, struct tkt_err *err);
/* Copies data. */
struct tkt_model *tkt_model_of(const void *data, size_t n, struct tkt_err *err);
void tkt_model_close(struct tkt_model **model);

/* 0: the model has no such head. */
size_t tkt_model_label_count(const struct tkt_model *m, enum tkt_model_head head);
const char *tkt_model_label(const struct tkt_model *m, enum tkt_model_head head,
                            size_t label);
/* The n-th most telling feature of a label and its weight, or NULL. */
const char *tkt_model_top(const struct tkt_model *m, enum tkt_model_head head,
                          size_t label, size_t nth, double *weight);
/* From when on an answer counts, 0 to 1, in the decision: the caller's to set before the
 * model is shared. TKT_MODEL_THRESHOLD_PERMILLE until then. */
void tkt_model_set_threshold(struct tkt_model *m, double threshold);
double tkt_model_threshold(const struct tkt_model *m);
/* What it was made of and how good it is, one JSON object. */
const char *tkt_model_about(const struct tkt_model *m);
/* 16 hex digits of the file's checksum: two models are the same if theirs is. */
const char *tkt_model_version(const struct tkt_model *m);
size_t tkt_model_rows(const struct tkt_model *m);
/* Whether a text with this fingerprint (tkt_model_print) was learned from. */
bool tkt_model_has_seen(const struct tkt_model *m, uint32_t print);
uint32_t tkt_model_print(const char *subject, const char *text);

struct tkt_model_word { /* a piece of the answer's folded text */
    const char *text;
    size_t len;
    double weight;
};

struct tkt_model_choice {
    int label; /* -1: the head is not there, or it does not know */
    int best;  /* the likeliest, whether likely enough or not; -1: nothing is known */
    double probability; /* of best */
    size_t word_count;
    struct tkt_model_word words[TKT_MODEL_WORDS_MAX]; /* what spoke for best */
};

/* Memory of one asker; zeroed first, released last, used again in between. What an answer
 * points to lives until the next question or release. */
struct tkt_model_work;
struct tkt_model_work *tkt_model_work_new(void);
void tkt_model_work_free(struct tkt_model_work **work);
/* Gives back what a long text took; the answers before it are gone. */
void tkt_model_work_trim(struct tkt_model_work *work);

/* threshold < 0: the default. with_words: fill in what spoke for it. -1: no memory. */
int tkt_model_ask(const struct tkt_model *m, struct tkt_model_work *work,
                  const char *subject, const char *text, double threshold,
                  bool with_words, struct tkt_model_choice out[TKT_HEAD_COUNT]);
/* After ask: the probabilities of all labels of a head. Borrowed; NULL: no such head, or
 * nothing is known. */
const float *tkt_model_probabilities(const struct tkt_model *m,
                                     const struct tkt_model_work *work,
                                     enum tkt_model_head head);

#endif
