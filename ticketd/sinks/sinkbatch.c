/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/sinks/sinkbatch.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>

#define AROUND_MAX 4096 /* what a type writes around a document */

int tkt_sinkbatch_init(struct tkt_sinkbatch *b, const struct tkt_conf_sink *conf,
                       struct tkt_err *err)
{
    memset(b, 0, sizeof(*b));
    b->max = (size_t)conf->batch;
    tkt_buf_init(&b->bytes,
                 (size_t)conf->batch_bytes + TKT_SINK_DOCUMENT_MAX + AROUND_MAX);
    b->events = calloc(b->max, sizeof(*b->events));
    b->sent = calloc(b->max, sizeof(*b->sent));
    b->items = calloc(b->max, sizeof(*b->items));
    return b->events != NULL && b->sent != NULL && b->items != NULL
               ? 0
               : tkt_err_set(err, TKT_ERR_TEMP, "no memory");
}

void tkt_sinkbatch_release(struct tkt_sinkbatch *b)
{
    tkt_buf_release(&b->bytes);
    free(b->events);
    free(b->sent);
    free(b->items);
    memset(b, 0, sizeof(*b));
}

struct filling {
    struct tkt_sinkbatch *b;
    const struct tkt_conf_sink *conf;
    const struct tkt_sink_ops *ops;
    struct tkt_buf document;
};

static void write_document(struct filling *f, const struct tkt_store_event_out *event)
{
    struct tkt_store_event_out bare = *event;

    tkt_buf_reset(&f->document);
    tkt_sink_document(event, f->conf->personal, &f->document);
    if (f->document.failed) {
        bare.data = "";
        tkt_buf_reset(&f->document);
        tkt_sink_document(&bare, f->conf->personal, &f->document);
    }
}

static int take_event(void *arg, const struct tkt_store_event_out *event,
                      struct tkt_err *err)
{
    struct filling *f = arg;
    struct tkt_sinkbatch *b = f->b;
    size_t begin = b->bytes.len;

    write_document(f, event);
    if (b->count > 0 &&
        begin + f->document.len + AROUND_MAX > (size_t)f->conf->batch_bytes) {
        b->is_full = true;
        return 1;
    }
    f->ops->add(f->conf, event, &f->document, &b->bytes);
    if (f->document.failed || b->bytes.failed) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (b->count == 0) {
        b->first_ms = event->at_ms;
    }
    b->events[b->count++] = (struct tkt_sinkbatch_event){
        .id = event->id, .begin = begin, .end = b->bytes.len};
    return 0;
}

int tkt_sinkbatch_fill(struct tkt_sinkbatch *b, struct tkt_reader *reader,
                       const struct tkt_conf_sink *conf, const struct tkt_sink_ops *ops,
                       int64_t after, size_t max, struct tkt_err *err)
{
    struct filling f = {.b = b,
                        .conf = conf,
                        .ops = ops,
                        .document = TKT_BUF_INIT(TKT_SINK_DOCUMENT_MAX)};

    tkt_buf_reset(&b->bytes);
    b->count = b->sent_count = 0;
    b->is_full = false;
    max = TKT_MIN(max, b->max);
    int n = tkt_reader_events_out(reader, after, (int)max, take_event, &f, err);
    tkt_buf_release(&f.document);
    if (n < 0) {
        b->count = 0;
        return -1;
    }
    b->is_full = b->is_full || b->count == max;
    return 0;
}

void tkt_sinkbatch_take(struct tkt_sinkbatch *b, size_t max, struct tkt_buf *out)
{
    b->sent_count = 0;
    for (size_t i = 0; i < b->count && b->sent_count < max; i++) {
        const struct tkt_sinkbatch_event *e = &b->events[i];

        if (e->state == TKT_SINK_PENDING) {
            (void)tkt_buf_add(out, b->bytes.data + e->begin,
                              e->end - e->begin); /* out->failed tells */
            b->items[b->sent_count] = TKT_SINK_PENDING;
            b->sent[b->sent_count++] = i;
        }
    }
}

bool tkt_sinkbatch_is_done(const struct tkt_sinkbatch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->events[i].state == TKT_SINK_PENDING) {
            return false;
        }
    }
    return true;
}
