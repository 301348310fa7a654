/* SPDX-License-Identifier: BSD-2-Clause
 * Learned models: test one, ask one, look into one. */
#include "ticketctl/model.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "conf/schema.h"
#include "ticketctl/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tkt_ctl_model_conf(struct tkt_ctl *ctl)
{
    const uint64_t sections = UINT64_C(1) << TKT_CONF_MODEL | UINT64_C(1)
                                                                  << TKT_CONF_LIMITS;

    if (ctl->conf == NULL) {
        ctl->conf = tkt_ctl_conf_part(ctl, sections);
    }
    if (ctl->conf == NULL && tkt_ctl_opt(ctl, "config") != NULL) {
        return EX_CONFIG; /* it was told why */
    }
    if (ctl->conf == NULL) {
        ctl->conf = tkt_conf_defaults();
    }
    return ctl->conf != NULL ? 0 : tkt_ctl_fail(EX_OSERR, "out of memory");
}

const char *tkt_ctl_model_path(struct tkt_ctl *ctl)
{
    const char *given = tkt_ctl_opt(ctl, "model");

    return given != NULL ? given : ctl->conf->model.file;
}

int tkt_ctl_model_open(struct tkt_ctl *ctl, struct tkt_model **out)
{
    struct tkt_err err = TKT_ERR_INIT;
    int rc = tkt_ctl_model_conf(ctl);

    if (rc != 0) {
        return rc;
    }
    const char *path = tkt_ctl_model_path(ctl);
    if (path[0] == '\0') {
        return tkt_ctl_fail(EX_USAGE, "no model: name it with --model, or write its file "
                                      "into the section model");
    }
    *out = tkt_model_open(path, &err);
    if (*out == NULL) {
        return tkt_ctl_fail_err(&err);
    }
    tkt_model_set_threshold(*out, (double)ctl->conf->model.threshold / 100);
    return 0;
}

int tkt_ctl_model_data(struct tkt_ctl *ctl, struct tkt_dataset *out)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_ctl_opt(ctl, "from-store") != NULL) {
        return ctl->pos_count > 0
                   ? tkt_ctl_fail(EX_USAGE, "either files or --from-store, not both")
                   : tkt_ctl_model_store(ctl, out);
    }
    if (ctl->pos_count == 0) {
        return tkt_ctl_fail(EX_USAGE, "no data: name files of labelled texts, - for "
                                      "standard input, or --from-store");
    }
    for (int i = 0; i < ctl->pos_count; i++) {
        if (tkt_dataset_read(out, ctl->pos[i], &err) < 0) {
            return err.class == TKT_ERR_TEMP ? tkt_ctl_fail_err(&err)
                                             : tkt_ctl_fail(EX_DATAERR, "%s", err.text);
        }
    }
    return out->count > 0 ? 0
                          : tkt_ctl_fail(EX_DATAERR, "no record has a text and a label");
}

/* ---- test --------------------------------------------------------------------------- */

int tkt_ctl_model_ask(const struct tkt_model *m, const struct tkt_learn_record *records,
                      size_t n, enum tkt_model_head head, struct tkt_scored **out,
                      size_t *count, int64_t *us)
{
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice choice[TKT_HEAD_COUNT];
    int64_t used_us = 0;
    int rc = 0;

    *out = calloc(n + 1, sizeof(**out));
    *count = 0;
    if (work == NULL || *out == NULL) {
        rc = tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct tkt_learn_record *r = &records[i];
        if (r->labels[head][0] == '\0') {
            continue;
        }
        int64_t start_us = tkt_clock_mono_us();
        if (tkt_model_ask(m, work, r->subject, r->text, tkt_model_threshold(m), false,
                          choice) < 0) {
            rc = tkt_ctl_fail(EX_OSERR, "out of memory");
            break;
        }
        used_us += tkt_clock_mono_us() - start_us;
        (*out)[(*count)++] =
            tkt_score_answer(m, work, head, &choice[head], r->labels[head]);
    }
    tkt_model_work_free(&work);
    if (us != NULL) {
        *us = used_us;
    }
    return rc;
}

static int test_head(const struct tkt_model *m, const struct tkt_dataset *d,
                     enum tkt_model_head head, bool *first)
{
    TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(4096);
    TKT_AUTO_FREE struct tkt_scored *scored = NULL;
    struct tkt_score score;
    size_t n = 0;
    int64_t us = 0;

    if (tkt_model_label_count(m, head) == 0) {
        return 0;
    }
    int rc = tkt_ctl_model_ask(m, d->items, d->count, head, &scored, &n, &us);
    if (rc != 0 || n == 0) {
        return rc;
    }
    if (tkt_score_of(scored, n, tkt_model_label_count(m, head), &score) < 0 ||
        tkt_score_json(&score, &line) < 0) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    printf("%s%s\"%s\":{%s,\"us_per_message\":%.1f}", *first ? "" : ",",
           *first ? "{\"heads\":{" : "", tkt_model_head_names[head], line.data,
           (double)us / (double)n);
    *first = false;
    return 0;
}

/* The figures of the first head stand on top: most models have but one. */
static int test_first(const struct tkt_model *m, const struct tkt_dataset *d, bool *any)
{
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(4096);
        TKT_AUTO_FREE struct tkt_scored *scored = NULL;
        struct tkt_score score;
        size_t n = 0;
        int64_t us = 0;
        int rc = tkt_model_label_count(m, h) == 0
                     ? 0
                     : tkt_ctl_model_ask(m, d->items, d->count, h, &scored, &n, &us);
        if (rc != 0) {
            return rc;
        }
        if (n == 0) {
            continue;
        }
        if (tkt_score_of(scored, n, tkt_model_label_count(m, h), &score) < 0 ||
            tkt_score_json(&score, &line) < 0) {
            return tkt_ctl_fail(EX_OSERR, "out of memory");
        }
        printf("},%s,\"us_per_message\":%.1f,\"model\":\"%s\"}\n", line.data,
               (double)us / (double)n, tkt_model_version(m));
        *any = true;
        return 0;
    }
    return 0;
}

int tkt_ctl_model_test(struct tkt_ctl *ctl)
{
    struct tkt_dataset d = {.items = NULL};
    struct tkt_model *m = NULL;
    bool first = true;
    bool any = false;
    int rc = tkt_ctl_model_open(ctl, &m);

    if (rc == 0) {
        rc = tkt_ctl_model_data(ctl, &d);
    }
    for (int h = 0; h < TKT_HEAD_COUNT && rc == 0; h++) {
        rc = test_head(m, &d, h, &first);
    }
    if (rc == 0 && first) {
        rc = tkt_ctl_fail(EX_DATAERR, "the data has no labels for what the model knows");
    }
    if (rc == 0) {
        rc = test_first(m, &d, &any);
    }
    tkt_dataset_release(&d);
    tkt_model_close(&m);
    return rc;
}

/* ---- predict ------------------------------------------------------------------------ */

static int predict_line(const struct tkt_model *m, struct tkt_model_work *work,
                        const char *line, bool json)
{
    struct tkt_model_choice choice[TKT_HEAD_COUNT];
    bool first = true;

    if (tkt_model_ask(m, work, "", line, tkt_model_threshold(m), true, choice) < 0) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        const struct tkt_model_choice *c = &choice[h];
        if (tkt_model_label_count(m, h) == 0) {
            continue;
        }
        const char *label = c->label < 0 ? "" : tkt_model_label(m, h, (size_t)c->label);
        if (!json) {
            printf("%s%s\t%.4f", first ? "" : "\t", label, c->probability);
            first = false;
            continue;
        }
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(65536);
        const char *best = c->best < 0 ? "" : tkt_model_label(m, h, (size_t)c->best);
        /* Labels and words are short: they fit. */
        (void)tkt_json_add_string(&b, label, strlen(label));
        (void)tkt_buf_adds(&b, ",\"best\":");
        (void)tkt_json_add_string(&b, best, strlen(best));
        (void)tkt_buf_addf(&b, ",\"probability\":%.4f,\"words\":[", c->probability);
        for (size_t w = 0; w < c->word_count; w++) {
            (void)tkt_buf_adds(&b, w == 0 ? "" : ",");
            (void)tkt_json_add_string(&b, c->words[w].text, c->words[w].len);
        }
        printf("%s\"%s\":{\"label\":%s]}", first ? "{" : ",", tkt_model_head_names[h],
               tkt_buf_str(&b));
        first = false;
    }
    puts(json ? "}" : "");
    return ferror(stdout) ? EX_IOERR : 0;
}

int tkt_ctl_model_predict(struct tkt_ctl *ctl)
{
    struct tkt_model *m = NULL;
    TKT_AUTO_FREE char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int rc = tkt_ctl_model_open(ctl, &m);

    if (rc != 0) {
        return rc;
    }
    struct tkt_model_work *work = tkt_model_work_new();
    if (work == NULL) {
        rc = tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    while (rc == 0 && (n = getline(&line, &room, stdin)) > 0) {
        line[n - (line[n - 1] == '\n')] = '\0';
        rc = predict_line(m, work, line, ctl->json);
    }
    if (rc == 0 && ferror(stdin)) {
        rc = tkt_ctl_fail(EX_IOERR, "cannot read standard input: %s", strerror(errno));
    }
    tkt_model_work_free(&work);
    tkt_model_close(&m);
    return rc;
}

/* ---- show --------------------------------------------------------------------------- */

/* Its most telling words in one line. */
static void show_label(const struct tkt_model *m, enum tkt_model_head head, size_t label)
{
    tkt_ctl_put_clean(stdout, tkt_model_label(m, head, label));
    for (size_t i = 0; i < TKT_MODEL_TOP; i++) {
        double weight = 0;
        const char *word = tkt_model_top(m, head, label, i, &weight);
        if (word != NULL) {
            fputs(i == 0 ? "\n  " : ", ", stdout);
            tkt_ctl_put_clean(stdout, word);
            printf(" %.2f", weight);
        }
    }
    putchar('\n');
}

static void show_json(const struct tkt_model *m)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(64U * 1024 * 1024);

    /* Labels and words have caps of their own: it fits. */
    (void)tkt_buf_addf(&b,
                       "{\"version\":\"%s\",\"features\":%zu,\"about\":%s,\"heads\":{",
                       tkt_model_version(m), tkt_model_rows(m), tkt_model_about(m));
    bool first = true;
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        size_t n = tkt_model_label_count(m, h);
        if (n == 0) {
            continue;
        }
        (void)tkt_buf_addf(&b, "%s\"%s\":{", first ? "" : ",", tkt_model_head_names[h]);
        first = false;
        for (size_t l = 0; l < n; l++) {
            const char *label = tkt_model_label(m, h, l);
            (void)tkt_buf_adds(&b, l == 0 ? "" : ",");
            (void)tkt_json_add_string(&b, label, strlen(label));
            (void)tkt_buf_adds(&b, ":{");
            for (size_t i = 0; i < TKT_MODEL_TOP; i++) {
                double weight = 0;
                const char *word = tkt_model_top(m, h, l, i, &weight);
                if (word != NULL) {
                    (void)tkt_buf_adds(&b, i == 0 ? "" : ",");
                    (void)tkt_json_add_string(&b, word, strlen(word));
                    (void)tkt_buf_addf(&b, ":%.3f", weight);
                }
            }
            (void)tkt_buf_addc(&b, '}');
        }
        (void)tkt_buf_addc(&b, '}');
    }
    (void)tkt_buf_adds(&b, "}}");
    puts(tkt_buf_str(&b));
}

int tkt_ctl_model_show(struct tkt_ctl *ctl)
{
    struct tkt_model *m = NULL;
    const char *wanted = ctl->pos_count > 0 ? ctl->pos[0] : NULL;
    size_t shown = 0;
    int rc = tkt_ctl_model_open(ctl, &m);

    if (rc != 0) {
        return rc;
    }
    if (ctl->json) {
        show_json(m);
        tkt_model_close(&m);
        return 0;
    }
    if (wanted == NULL) {
        cJSON *about = cJSON_Parse(tkt_model_about(m));
        printf("version %s, %zu features\n", tkt_model_version(m), tkt_model_rows(m));
        if (about != NULL) {
            tkt_ctl_put_object(stdout, about, 0);
        }
        cJSON_Delete(about);
    }
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        size_t n = tkt_model_label_count(m, h);
        if (n > 0 && wanted == NULL) {
            printf("\n%s: %zu labels\n", tkt_model_head_names[h], n);
        }
        for (size_t l = 0; l < n; l++) {
            if (wanted == NULL || strcmp(tkt_model_label(m, h, l), wanted) == 0) {
                show_label(m, h, l);
                shown++;
            }
        }
    }
    tkt_model_close(&m);
    return shown > 0 ? 0 : tkt_ctl_fail(EX_DATAERR, "the model has no such label");
}
