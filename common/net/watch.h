/* SPDX-License-Identifier: BSD-2-Clause
 * What an HTTP loop waits for beside its requests: descriptors of somebody else.
 *
 * Promise: ready() is called in the loop's thread, from within tkt_http_poll, when one of
 * the descriptors can be read or due_ms has come; it may end the watch or start others.
 * gone() is called instead when the loop ends.
 * Owner: the watch is the caller's, and stays where it is until it is ended.
 */
#ifndef TKT_NET_WATCH_H
#define TKT_NET_WATCH_H
#include "net/http.h"

#define TKT_HTTP_WATCH_FDS 3

struct tkt_http_watch {
    int fds[TKT_HTTP_WATCH_FDS]; /* -1: none */
    int64_t due_ms;              /* of the monotonic clock; 0: never */
    void (*ready)(struct tkt_http_watch *w);
    void (*gone)(struct tkt_http_watch *w);
    /* The loop's: */
    struct tkt_http *http;
    struct tkt_http_watch *next, **prev;
    bool is_ready;
};

/* -1 TEMP: no memory. */
int tkt_http_watch(struct tkt_http *http, struct tkt_http_watch *w, struct tkt_err *err);
void tkt_http_unwatch(struct tkt_http_watch *w);

#endif
