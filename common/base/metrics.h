/* SPDX-License-Identifier: BSD-2-Clause
 * Numbers for Prometheus: counters, gauges, histograms with labels.
 *
 * Promise: a series is one sample however often it is written; the text is of the format
 * 0.0.4 (or OpenMetrics 1.0), families in the order of the table that it is written by,
 * series in the order of their first use.
 * Owner: families are constant tables of the caller; label values are copied. Threads:
 * all functions, one lock. Limits: TKT_METRICS_SERIES_MAX series of a family; what comes
 * behind that counts in one whose label values are "other". Label values are cut at
 * TKT_METRICS_LABEL_MAX bytes: they come from the configuration, never from mail.
 * Errors: a series that gets no memory is not counted.
 * Source: prometheus/docs exposition_formats; OpenMetrics 1.0.
 */
#ifndef TKT_BASE_METRICS_H
#define TKT_BASE_METRICS_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_METRICS_SERIES_MAX 500
#define TKT_METRICS_LABELS_MAX 4
#define TKT_METRICS_LABEL_MAX 64

enum tkt_metric_kind {
    TKT_METRIC_COUNTER, /* its name ends with _total */
    TKT_METRIC_GAUGE,
    TKT_METRIC_HISTOGRAM
};

struct tkt_metric {
    const char *name;
    const char *help;
    enum tkt_metric_kind kind;
    const char *labels[TKT_METRICS_LABELS_MAX + 1]; /* NULL-terminated */
    const double *bounds; /* histogram: ascending, without +Inf */
    size_t bound_count;
};

struct tkt_metrics;

/* count: of the table that index below counts in. NULL: no memory. */
struct tkt_metrics *tkt_metrics_new(const struct tkt_metric *table, size_t count);
void tkt_metrics_free(struct tkt_metrics **metrics);
/* Adds to a counter, or observes a value of a histogram. values: one a label, in their
 * order; NULL where the family has none. */
void tkt_metrics_add(struct tkt_metrics *m, size_t family, const char *const *values,
                     double number);
void tkt_metrics_set(struct tkt_metrics *m, size_t family, const char *const *values,
                     double number);
/* Forgets the series of a gauge: what is not set again is gone. */
void tkt_metrics_clear(struct tkt_metrics *m, size_t family);
/* 0, or -1 when out is full. */
int tkt_metrics_write(struct tkt_metrics *m, bool openmetrics, struct tkt_buf *out);

#endif
