/* SPDX-License-Identifier: BSD-2-Clause
 * What ticketd counts for Prometheus, and what it looks up when somebody asks.
 *
 * Promise: counting costs less than a microsecond of a request and never fails it; what
 * needs the store is looked up at most each TKT_MEASURE_FRESH_MS, and never so often that
 * looking takes more than a hundredth of the time. Labels are names of the configuration
 * and words of ours, never of mail.
 * Threads: any.
 */
#ifndef TKT_TICKETD_MEASURE_H
#define TKT_TICKETD_MEASURE_H
#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define TKT_MEASURE_FRESH_MS 10000

struct tkt_daemon;
struct tkt_measure;

struct tkt_measure *tkt_measure_new(struct tkt_err *err);
void tkt_measure_free(struct tkt_measure **measure);

/* All take NULL for measure. One request of a hook: how it was answered and how long it
 * took. */
void tkt_measure_request(struct tkt_measure *m, const char *hook, const char *status,
                         int64_t took_us);
/* One desk's part of a message. class and status: words of ours ("person", "created"). */
void tkt_measure_ticket(struct tkt_measure *m, const char *desk, const char *class_name,
                        const char *status);
/* Of the model's best category, 0..1. */
void tkt_measure_confidence(struct tkt_measure *m, double confidence);
/* One try of a job. outcome: "done", "deferred", "parked", "returned". */
void tkt_measure_job(struct tkt_measure *m, const char *target, const char *kind,
                     const char *outcome);
/* One event of the log, by its kind: only those that are numbers (sla.breached ...). */
void tkt_measure_event(struct tkt_measure *m, const char *kind);

/* What the service of a channel told of a notice. outcome: a word of ours ("delivered"). */
void tkt_measure_notice(struct tkt_measure *m, const char *channel, const char *outcome);

/* Of a sink of the event log. outcome: "sent", "failed" (a try), "aside". */
void tkt_measure_sink(struct tkt_measure *m, const char *sink, const char *outcome,
                      int64_t count);
void tkt_measure_sink_lag(struct tkt_measure *m, const char *sink, int64_t lag_ms);
/* There is such a sink: what must stay 0 is seen to be 0, or its first rise is seen by none. */
void tkt_measure_sink_begin(struct tkt_measure *m, const char *sink);
/* It waits for a person. */
void tkt_measure_sink_alarm(struct tkt_measure *m, const char *sink);
/* The sinks are others now: their lags are told anew. */
void tkt_measure_sink_clear(struct tkt_measure *m);

/* All of it as text; reader: the caller's own. */
int tkt_measure_write(struct tkt_daemon *d, struct tkt_reader *reader, bool openmetrics,
                      struct tkt_buf *out, struct tkt_err *err);
/* 0: healthy. -1: err says what is wrong (the store cannot be written, mail was accepted
 * and has no ticket yet). */
int tkt_measure_health(struct tkt_daemon *d, struct tkt_err *err);

#endif
