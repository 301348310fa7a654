/* SPDX-License-Identifier: BSD-2-Clause
 * The events of a sink that are on their way. Private to ticketd/sinks/sinks.c; one thread.
 *
 * Limits: as many events as it was made for; bytes of the section's batch_bytes, but one
 * event always fits.
 */
#ifndef TKT_TICKETD_SINKBATCH_H
#define TKT_TICKETD_SINKBATCH_H
#include "sink/sink.h"

struct tkt_sinkbatch_event {
    int64_t id;
    size_t begin, end; /* in bytes */
    enum tkt_sink_item state;
};

struct tkt_sinkbatch {
    struct tkt_buf bytes;
    struct tkt_sinkbatch_event *events;
    size_t count, max;
    bool is_full; /* the next event did not fit */
    int64_t first_ms;
    /* Of the request under way: which of the events, and what is said of each. */
    size_t *sent;
    enum tkt_sink_item *items;
    size_t sent_count;
};

/* 0 or -1 TEMP. */
int tkt_sinkbatch_init(struct tkt_sinkbatch *b, const struct tkt_conf_sink *conf,
                       struct tkt_err *err);
void tkt_sinkbatch_release(struct tkt_sinkbatch *b);
/* Events behind `after`, at most max of them, in place of those that it held. */
int tkt_sinkbatch_fill(struct tkt_sinkbatch *b, struct tkt_reader *reader,
                       const struct tkt_conf_sink *conf, const struct tkt_sink_ops *ops,
                       int64_t after, size_t max, struct tkt_err *err);
/* The first pending ones, at most max, for a request: their bytes. */
void tkt_sinkbatch_take(struct tkt_sinkbatch *b, size_t max, struct tkt_buf *out);
bool tkt_sinkbatch_is_done(const struct tkt_sinkbatch *b);

#endif
