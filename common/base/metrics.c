/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/metrics.h"

#include "base/enc.h"
#include "base/util.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct series {
    char *labels; /* name="value",... as it is written */
    double value; /* counter, gauge; histogram: the sum */
    uint64_t count;
    uint64_t *buckets; /* histogram: not cumulated */
};

struct family {
    struct series *series;
    size_t count;
};

struct tkt_metrics {
    pthread_mutex_t lock;
    const struct tkt_metric *table;
    size_t family_count;
    struct family families[];
};

struct tkt_metrics *tkt_metrics_new(const struct tkt_metric *table, size_t count)
{
    struct tkt_metrics *m = calloc(1, sizeof(*m) + count * sizeof(m->families[0]));

    if (m != NULL) {
        pthread_mutex_init(&m->lock, NULL);
        m->table = table;
        m->family_count = count;
    }
    return m;
}

static void clear(struct family *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->series[i].labels);
        free(f->series[i].buckets);
    }
    free(f->series);
    f->series = NULL;
    f->count = 0;
}

void tkt_metrics_free(struct tkt_metrics **metrics)
{
    struct tkt_metrics *m = *metrics;

    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->family_count; i++) {
        clear(&m->families[i]);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
    *metrics = NULL;
}

/* ---- series --------------------------------------------------------------------------- */

static void add_value(struct tkt_buf *b, const char *value)
{
    size_t n = tkt_utf8_cut(value, strlen(value), TKT_METRICS_LABEL_MAX);
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(4 * TKT_METRICS_LABEL_MAX);

    (void)tkt_utf8_add_clean(&clean, value, n); /* has room */
    for (const char *p = tkt_buf_str(&clean); *p != '\0'; p++) {
        if (*p == '\n') {
            tkt_buf_adds(b, "\\n");
            continue;
        }
        if (*p == '"' || *p == '\\') {
            tkt_buf_addc(b, '\\');
        }
        tkt_buf_addc(b, *p);
    }
}

/* values NULL: of what has no room of its own. */
static void write_labels(const struct tkt_metric *f, const char *const *values,
                         struct tkt_buf *b)
{
    for (size_t i = 0; f->labels[i] != NULL; i++) {
        tkt_buf_addf(b, "%s%s=\"", i > 0 ? "," : "", f->labels[i]);
        add_value(b, values == NULL ? "other" : values[i] == NULL ? "" : values[i]);
        tkt_buf_addc(b, '"');
    }
}

static struct series *find(struct family *f, const char *labels)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->series[i].labels, labels) == 0) {
            return &f->series[i];
        }
    }
    return NULL;
}

static struct series *add_series(struct family *f, const struct tkt_metric *row,
                                 const char *labels)
{
    struct series *more = realloc(f->series, (f->count + 1) * sizeof(*more));
    struct series s = {.labels = more == NULL ? NULL : strdup(labels)};

    if (more == NULL) {
        return NULL;
    }
    f->series = more;
    if (row->kind == TKT_METRIC_HISTOGRAM && s.labels != NULL) {
        s.buckets = calloc(row->bound_count + 1, sizeof(*s.buckets));
    }
    if (s.labels == NULL || (row->kind == TKT_METRIC_HISTOGRAM && s.buckets == NULL)) {
        free(s.labels);
        return NULL;
    }
    more[f->count] = s;
    return &more[f->count++];
}

static struct series *get(struct tkt_metrics *m, size_t family, const char *const *values)
{
    const struct tkt_metric *row = &m->table[family];
    struct family *f = &m->families[family];
    TKT_AUTO_BUF struct tkt_buf labels = TKT_BUF_INIT(4096);

    write_labels(row, values, &labels);
    struct series *s = find(f, tkt_buf_str(&labels));
    if (s == NULL && f->count < TKT_METRICS_SERIES_MAX) {
        return add_series(f, row, tkt_buf_str(&labels));
    }
    if (s != NULL) {
        return s;
    }
    tkt_buf_reset(&labels);
    write_labels(row, NULL, &labels);
    s = find(f, tkt_buf_str(&labels));
    return s != NULL ? s : add_series(f, row, tkt_buf_str(&labels));
}

static void observe(const struct tkt_metric *row, struct series *s, double number)
{
    size_t i = 0;

    while (i < row->bound_count && number > row->bounds[i]) {
        i++;
    }
    s->buckets[i]++;
    s->count++;
}

void tkt_metrics_add(struct tkt_metrics *m, size_t family, const char *const *values,
                     double number)
{
    pthread_mutex_lock(&m->lock);
    struct series *s = get(m, family, values);

    if (s != NULL) {
        s->value += number;
        if (s->buckets != NULL) {
            observe(&m->table[family], s, number);
        }
    }
    pthread_mutex_unlock(&m->lock);
}

void tkt_metrics_set(struct tkt_metrics *m, size_t family, const char *const *values,
                     double number)
{
    pthread_mutex_lock(&m->lock);
    struct series *s = get(m, family, values);

    if (s != NULL) {
        s->value = number;
    }
    pthread_mutex_unlock(&m->lock);
}

void tkt_metrics_clear(struct tkt_metrics *m, size_t family)
{
    pthread_mutex_lock(&m->lock);
    clear(&m->families[family]);
    pthread_mutex_unlock(&m->lock);
}

/* ---- text ----------------------------------------------------------------------------- */

static void write_number(struct tkt_buf *out, double number)
{
    if (isnan(number)) {
        tkt_buf_adds(out, "NaN");
    } else if (isinf(number)) {
        tkt_buf_adds(out, number > 0 ? "+Inf" : "-Inf");
    } else {
        tkt_buf_addf(out, "%.17g", number);
    }
}

static void write_sample(struct tkt_buf *out, const char *name, const char *suffix,
                         const char *labels, const char *le, double number)
{
    bool any = labels[0] != '\0' || le[0] != '\0';

    tkt_buf_addf(out, "%s%s", name, suffix);
    if (any) {
        tkt_buf_addf(out, "{%s%s", labels, labels[0] != '\0' && le[0] != '\0' ? "," : "");
        if (le[0] != '\0') {
            tkt_buf_addf(out, "le=\"%s\"", le);
        }
        tkt_buf_addc(out, '}');
    }
    tkt_buf_addc(out, ' ');
    write_number(out, number);
    tkt_buf_addc(out, '\n');
}

static void write_histogram(struct tkt_buf *out, const struct tkt_metric *row,
                            const struct series *s)
{
    uint64_t sum = 0;
    char le[40];

    for (size_t i = 0; i <= row->bound_count; i++) {
        sum += s->buckets[i];
        if (i < row->bound_count) {
            snprintf(le, sizeof(le), "%g", row->bounds[i]);
        } else {
            snprintf(le, sizeof(le), "+Inf");
        }
        write_sample(out, row->name, "_bucket", s->labels, le, (double)sum);
    }
    write_sample(out, row->name, "_sum", s->labels, "", s->value);
    write_sample(out, row->name, "_count", s->labels, "", (double)s->count);
}

/* OpenMetrics names the family of a counter without the _total of its samples. */
static int family_length(const struct tkt_metric *row, bool openmetrics)
{
    size_t n = strlen(row->name);
    size_t tail = strlen("_total");

    return (int)(openmetrics && row->kind == TKT_METRIC_COUNTER && n > tail &&
                         strcmp(row->name + n - tail, "_total") == 0
                     ? n - tail
                     : n);
}

static void write_family(struct tkt_buf *out, const struct tkt_metric *row,
                         const struct family *f, bool openmetrics)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    int n = family_length(row, openmetrics);

    tkt_buf_addf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", n, row->name, row->help, n,
                 row->name, kinds[row->kind]);
    for (size_t i = 0; i < f->count; i++) {
        if (row->kind == TKT_METRIC_HISTOGRAM) {
            write_histogram(out, row, &f->series[i]);
        } else {
            write_sample(out, row->name, "", f->series[i].labels, "", f->series[i].value);
        }
    }
}

int tkt_metrics_write(struct tkt_metrics *m, bool openmetrics, struct tkt_buf *out)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->family_count; i++) {
        if (m->families[i].count > 0) {
            write_family(out, &m->table[i], &m->families[i], openmetrics);
        }
    }
    pthread_mutex_unlock(&m->lock);
    if (openmetrics) {
        tkt_buf_adds(out, "# EOF\n");
    }
    return out->failed ? -1 : 0;
}
