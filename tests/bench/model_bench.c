/* SPDX-License-Identifier: BSD-2-Clause
 * What it costs to ask a learned model: model_bench [ROUNDS] [FILE.csv].
 *
 * It is learned of FILE, or of made-up texts: 80 labels, 8,000 texts of 12 words out of
 * 4,000, so that its size is that of a real one. Processor time, median of the rounds; one
 * JSON object a line.
 */
#include "base/util.h"
#include "ticketctl/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 15
#define ROUNDS_MAX 101
#define ROUND_US 30000
#define LABELS 80
#define TEXTS 8000
#define VOCABULARY 4000

static uint32_t state = 1;

static uint32_t next_number(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static double cpu_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* cannot fail for this clock */
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Pronounceable, always the same for its number. */
static void add_word(struct tkt_buf *out, uint32_t word)
{
    static const char *const parts[] = {"ka",  "ro", "ti", "men", "su",  "lo",
                                        "pra", "vi", "ne", "do",  "sta", "li",
                                        "ber", "gu", "fa", "ze"};

    for (int i = 0; i < 3; i++, word /= 16) {
        (void)tkt_buf_adds(out, parts[word % 16]); /* far below its maximum */
    }
    (void)tkt_buf_addc(out, ' ');
}

static void add_text(struct tkt_buf *out, uint32_t label, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        /* Each label has fifty words of its own and shares the others. */
        uint32_t word = next_number() % 4 == 0 ? label * 50 + next_number() % 50
                                               : next_number() % VOCABULARY;
        add_word(out, word);
    }
}

static void make_data(struct tkt_dataset *d)
{
    for (uint32_t i = 0; i < TEXTS; i++) {
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(65536);
        char label[16];
        const char *labels[TKT_HEAD_COUNT] = {label, "", ""};
        (void)snprintf(label, sizeof(label), "label%u", i % LABELS); /* fits */
        add_text(&text, i % LABELS, 12);
        if (tkt_dataset_add(d, "", tkt_buf_str(&text), labels, NULL) < 0) {
            abort();
        }
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double measure(const struct tkt_model *m, const char *text, int rounds)
{
    struct tkt_model_choice c[TKT_HEAD_COUNT];
    double us[ROUNDS_MAX];

    for (int r = 0; r < rounds; r++) {
        unsigned n = 0;
        double start = cpu_us();
        double now = start;
        for (; now - start < ROUND_US; n++) {
            /* As a decision does: memory of its own, with the words. */
            struct tkt_model_work *work = tkt_model_work_new();
            if (work == NULL || tkt_model_ask(m, work, "", text, -1, true, c) < 0) {
                abort();
            }
            tkt_model_work_free(&work);
            now = cpu_us();
        }
        us[r] = (now - start) / n;
    }
    qsort(us, (size_t)rounds, sizeof(us[0]), by_size);
    return us[rounds / 2];
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned words;
        unsigned bytes;
    } cases[] = {{"20 words", 20, 0}, {"2 KiB", 500, 2048}, {"64 KiB", 15000, 65536}};
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
    struct tkt_dataset d = {.items = NULL};
    struct tkt_buf file = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_learn_options opt;
    struct timespec start;
    struct timespec end;

    rounds = TKT_MAX(1, TKT_MIN(rounds, ROUNDS_MAX));
    if (argc > 2 && tkt_dataset_read(&d, argv[2], &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    if (argc <= 2) {
        make_data(&d);
    }
    tkt_learn_defaults(&opt);
    (void)clock_gettime(CLOCK_MONOTONIC, &start); /* cannot fail for this clock */
    if (tkt_learn(d.items, d.count, &opt, &file, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    struct tkt_model *m = tkt_model_of(file.data, file.len, &err);
    if (m == NULL) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("{\"bench\":\"model\",\"case\":\"learn\",\"records\":%zu,\"seconds\":%.2f,"
           "\"bytes\":%zu,\"features\":%zu}\n",
           d.count,
           (double)(end.tv_sec - start.tv_sec) +
               (double)(end.tv_nsec - start.tv_nsec) / 1e9,
           file.len, tkt_model_rows(m));
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(1024 * 1024);
        if (argc > 2) { /* real words */
            for (unsigned k = 0; text.len < TKT_MAX(cases[i].bytes, 110U); k++) {
                (void)tkt_buf_addf(&text, "%s ", d.items[k * 37 % d.count].text);
            }
            text.len = TKT_MAX(cases[i].bytes, 110U);
            text.data[text.len] = '\0';
        } else {
            add_text(&text, 7, cases[i].words);
            if (cases[i].bytes > 0 && cases[i].bytes < text.len) {
                text.data[cases[i].bytes] = '\0';
            }
        }
        printf("{\"bench\":\"model\",\"case\":\"%s\",\"us\":%.1f}\n", cases[i].name,
               measure(m, tkt_buf_str(&text), rounds));
    }
    tkt_model_close(&m);
    tkt_buf_release(&file);
    tkt_dataset_release(&d);
    return 0;
}
