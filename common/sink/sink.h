/* SPDX-License-Identifier: BSD-2-Clause
 * Where the event log goes besides the store: log services behind one ops table.
 *
 * Promise: a sink is pure. It writes the events of a batch and the request for them, and
 * says of each what an answer means for it; what reads events, sends, waits and keeps the
 * place is ticketd/sinks/sinks.h. An event has the same id for each try.
 * Owner: everything is borrowed from whoever runs it. Threads: ops are immutable.
 * Errors of an answer: TEMP the same again later; CONF the settings here or there are
 * wrong: a person is needed, and the events wait.
 * Limits: TKT_SINK_EVENTS_MAX events of a batch; a document of TKT_SINK_DOCUMENT_MAX bytes,
 * a longer one goes without its data.
 *
 * One more sink is one file, one row in sink.c, one paragraph in docs/metrics.md, one
 * stand-in in tests/harness.
 */
#ifndef TKT_SINK_SINK_H
#define TKT_SINK_SINK_H
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "net/http.h"
#include "store/follow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_SINK_EVENTS_MAX 5000
#define TKT_SINK_DOCUMENT_MAX (512 * 1024)
#define TKT_SINK_VALUE_MAX 8000 /* bytes of one text in it */
#define TKT_SINK_WHY_MAX 240
#define TKT_SINK_HEADERS_MAX 6

enum tkt_sink_item {
    TKT_SINK_PENDING, /* not there yet */
    TKT_SINK_DONE,
    TKT_SINK_ASIDE /* it will never be taken as it is */
};

struct tkt_sink_call {
    const struct tkt_conf_sink *conf;
    const char *secret;
    const char *channel; /* GUID of this process's way to the sink */
    /* Made by build: headers end with NULL, texts stand in room. */
    char url[TKT_HTTP_URL_MAX];
    const char *headers[TKT_SINK_HEADERS_MAX];
    struct tkt_buf room;
    bool is_ack; /* build: ask whether `ack` was indexed */
    int64_t ack;
    /* Made by read. */
    size_t count;              /* of the events that were sent */
    enum tkt_sink_item *items; /* one each; PENDING before */
    char *why;                 /* of the first that is ASIDE; TKT_SINK_WHY_MAX */
    bool wants_ack;            /* taken, and `ack` says later whether it is safe */
    bool is_acked;
    bool is_too_large; /* with fewer events it may be taken */
};

struct tkt_sink_ops {
    const char *type;
    const char *title;
    int (*check)(const struct tkt_conf_sink *conf, struct tkt_err *err);
    /* Appends what a request has of one event: its document (a JSON object) and what goes
     * around it. out->failed tells. */
    void (*add)(const struct tkt_conf_sink *conf, const struct tkt_store_event_out *event,
                const struct tkt_buf *document, struct tkt_buf *out);
    /* url and headers; TEMP without memory, CONF for a secret that cannot be sent. */
    int (*build)(struct tkt_sink_call *call, struct tkt_err *err);
    /* 0: items say how it is; err->class NONE, or TEMP when some must wait. -1: nothing of
     * it was taken, or nobody knows. */
    int (*read)(struct tkt_sink_call *call, const struct tkt_http_response *response,
                struct tkt_err *err);
};

extern const struct tkt_sink_ops *const tkt_sink_table[];
const struct tkt_sink_ops *tkt_sink_find(const char *type);
/* 0, or -1 CONF: what is wrong with a section for its type. */
int tkt_sink_check_all(const struct tkt_conf *conf, struct tkt_err *err);

/* The event as one JSON object with ECS names (document.c). */
void tkt_sink_document(const struct tkt_store_event_out *event, bool personal,
                       struct tkt_buf *out);

/* Shared by the types: a header of texts that must not hold control bytes; NULL: CONF. */
const char *tkt_sink_keep(struct tkt_sink_call *call, const char *head, const char *text,
                          struct tkt_err *err);
/* Wipes what was kept: a secret is in it. */
void tkt_sink_forget(struct tkt_sink_call *call);
/* "BASE/path", without a second '/'. */
int tkt_sink_url(struct tkt_sink_call *call, const char *path, struct tkt_err *err);

#endif
