/* SPDX-License-Identifier: BSD-2-Clause
 * How well a model that is learned from few real mails finds the group: learned from
 * tests/decide/dev, asked about tests/decide/mails, which nothing was chosen by.
 *
 *   model_score                           asserts the floors below
 *   model_score cross FILE [NAME=NUMBER]  ten folds of one file, three times; settings:
 *                                         cost, bayes, pieces, idf, subject
 */
#include "mails.h"

#include "base/util.h"
#include "decide/model.h"
#include "message/parse.h"
#include "train/learn.h"
#include "train/score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAILS_MAX 4096
#define FOLDS 10
#define ROUNDS 3
#define TOP3_FLOOR 0.92
#define FIRST_FLOOR 0.74

struct mails {
    struct tkt_learn_record items[MAILS_MAX];
    size_t count;
};

static struct mails dev;
static struct mails unseen;

static _Noreturn void die(const char *what)
{
    printf("%s\n", what);
    exit(1);
}

static char *copy(const char *s)
{
    char *kept = strdup(s);

    if (kept == NULL) {
        die("no memory");
    }
    return kept;
}

static int add(void *arg, const struct tkt_test_mail *mail, const struct tkt_message *msg)
{
    struct mails *all = arg;

    if (all->count == MAILS_MAX) {
        return -1;
    }
    all->items[all->count++] = (struct tkt_learn_record){
        .subject = copy(msg->subject),
        .text = copy(msg->reply_text),
        .labels = {[TKT_HEAD_CATEGORY] = "",
                   [TKT_HEAD_GROUP] = copy(tkt_buf_str(&mail->group)),
                   [TKT_HEAD_URGENCY] = ""}};
    return 0;
}

static void forget(struct mails *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free((char *)(uintptr_t)all->items[i].subject);
        free((char *)(uintptr_t)all->items[i].text);
        free((char *)(uintptr_t)all->items[i].labels[TKT_HEAD_GROUP]);
    }
    all->count = 0;
}

static struct tkt_model *learn(const struct tkt_learn_record *records, size_t n,
                               const struct tkt_learn_options *opt)
{
    struct tkt_buf file = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_model *m = NULL;

    if (tkt_learn(records, n, opt, &file, &err) < 0 ||
        (m = tkt_model_of(file.data, file.len, &err)) == NULL) {
        die(err.text);
    }
    tkt_buf_release(&file);
    return m;
}

static void ask(const struct tkt_model *m, const struct tkt_learn_record *records,
                size_t n, struct tkt_scored *out)
{
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice c[TKT_HEAD_COUNT];

    for (size_t i = 0; i < n; i++) {
        if (work == NULL || tkt_model_ask(m, work, records[i].subject, records[i].text,
                                          -1, false, c) < 0) {
            die("no memory");
        }
        out[i] = tkt_score_answer(m, work, TKT_HEAD_GROUP, &c[TKT_HEAD_GROUP],
                                  records[i].labels[TKT_HEAD_GROUP]);
    }
    tkt_model_work_free(&work);
}

static struct tkt_score sum_up(const char *what, struct tkt_scored *scored, size_t n,
                               size_t labels)
{
    struct tkt_score s;

    if (tkt_score_of(scored, n, labels, &s) < 0) {
        die("no memory");
    }
    printf("%s: %zu mails, group right %.1f %%, among the three likeliest %.1f %%, "
           "answered %.1f %%, of them right %.1f %%\n",
           what, n, 100 * s.accuracy, 100 * s.top3, 100 * s.sure, 100 * s.right);
    return s;
}

static unsigned fold_of(size_t i, unsigned round)
{
    uint64_t h = (i + 1) * UINT64_C(0x9E3779B97F4A7C15) + round * UINT64_C(0x1234567);

    h = (h ^ h >> 31) * UINT64_C(0xBF58476D1CE4E5B9);
    return (unsigned)((h ^ h >> 29) % FOLDS);
}

static void cross(const struct tkt_learn_options *opt)
{
    static struct tkt_learn_record in[MAILS_MAX];
    static struct tkt_learn_record out[MAILS_MAX];
    static struct tkt_scored scored[ROUNDS * MAILS_MAX];
    size_t done = 0;
    size_t labels = 0;

    for (unsigned turn = 0; turn < ROUNDS * FOLDS; turn++) {
        size_t k = 0;
        size_t left = 0;
        for (size_t i = 0; i < dev.count; i++) {
            if (fold_of(i, turn / FOLDS) == turn % FOLDS) {
                out[left++] = dev.items[i];
            } else {
                in[k++] = dev.items[i];
            }
        }
        struct tkt_model *m = learn(in, k, opt);
        ask(m, out, left, scored + done);
        done += left;
        labels = tkt_model_label_count(m, TKT_HEAD_GROUP);
        tkt_model_close(&m);
    }
    (void)sum_up("cross", scored, done, labels); /* printed */
}

static void set(struct tkt_learn_options *opt, const char *arg)
{
    const struct {
        const char *name;
        double *value;
    } table[] = {{"cost=", &opt->cost},
                 {"bayes=", &opt->bayes_share},
                 {"pieces=", &opt->piece_weight},
                 {"idf=", &opt->idf_power},
                 {"subject=", &opt->subject_weight}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(table); i++) {
        size_t n = strlen(table[i].name);
        if (strncmp(arg, table[i].name, n) == 0) {
            *table[i].value = strtod(arg + n, NULL);
            return;
        }
    }
    die("no such setting");
}

static int assert_floors(const struct tkt_learn_options *opt)
{
    static struct tkt_scored scored[MAILS_MAX];
    const char *src = getenv("TKT_SRCDIR");
    char path[4096];

    src = src == NULL ? "." : src;
    (void)snprintf(path, sizeof(path), "%s/tests/decide/dev/group.jsonl", src);
    if (tkt_test_mails(path, add, &dev) < 0) {
        return 1;
    }
    (void)snprintf(path, sizeof(path), "%s/tests/decide/mails/group.jsonl", src);
    if (tkt_test_mails(path, add, &unseen) < 0) {
        return 1;
    }
    struct tkt_model *m = learn(dev.items, dev.count, opt);
    ask(m, unseen.items, unseen.count, scored);
    const struct tkt_score s =
        sum_up("learned from the development mails", scored, unseen.count,
               tkt_model_label_count(m, TKT_HEAD_GROUP));
    tkt_model_close(&m);
    if (s.n == 0 || s.top3 < TOP3_FLOOR || s.accuracy < FIRST_FLOOR) {
        printf("below its floor: %.0f %% among three, %.0f %% right\n", 100 * TOP3_FLOOR,
               100 * FIRST_FLOOR);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_learn_options opt;
    int rc = 0;

    tkt_learn_defaults(&opt);
    if (tkt_message_parser_init(&err) < 0) {
        die(err.text);
    }
    if (argc == 1) {
        rc = assert_floors(&opt);
    } else if (argc > 2 && strcmp(argv[1], "cross") == 0) {
        opt.is_rough = true;
        for (int i = 3; i < argc; i++) {
            set(&opt, argv[i]);
        }
        rc = tkt_test_mails(argv[2], add, &dev) < 0;
        if (rc == 0) {
            cross(&opt);
        }
    } else {
        die("usage: model_score [cross FILE [NAME=NUMBER...]]");
    }
    forget(&dev);
    forget(&unseen);
    return rc;
}
