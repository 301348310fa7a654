/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/watch.h"

#include "base/clock.h"
#include "base/util.h"
#include "net/internal.h"

int tkt_http_watch(struct tkt_http *h, struct tkt_http_watch *w, struct tkt_err *err)
{
    struct curl_waitfd *fds =
        realloc(h->waitfds, (h->watch_count + 1) * TKT_HTTP_WATCH_FDS * sizeof(*fds));

    if (fds == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "http: no memory");
    }
    h->waitfds = fds;
    h->watch_count++;
    w->http = h;
    w->is_ready = false;
    w->next = h->watches;
    w->prev = &h->watches;
    if (w->next != NULL) {
        w->next->prev = &w->next;
    }
    h->watches = w;
    return 0;
}

void tkt_http_unwatch(struct tkt_http_watch *w)
{
    *w->prev = w->next;
    if (w->next != NULL) {
        w->next->prev = w->prev;
    }
    w->http->watch_count--;
    w->http = NULL;
}

unsigned net_watch_gather(struct tkt_http *h, int64_t *wait_ms)
{
    int64_t now_ms = tkt_clock_mono_ms();
    unsigned n = 0;

    for (const struct tkt_http_watch *w = h->watches; w != NULL; w = w->next) {
        for (size_t i = 0; i < TKT_HTTP_WATCH_FDS; i++) {
            if (w->fds[i] >= 0) {
                h->waitfds[n++] =
                    (struct curl_waitfd){.fd = w->fds[i], .events = CURL_WAIT_POLLIN};
            }
        }
        if (w->due_ms > 0) {
            *wait_ms = TKT_MAX(0, TKT_MIN(*wait_ms, w->due_ms - now_ms));
        }
    }
    return n;
}

/* All are marked before the first is called: it may end others, or begin some. */
void net_watch_tell(struct tkt_http *h)
{
    int64_t now_ms = tkt_clock_mono_ms();
    struct tkt_http_watch *w;
    unsigned n = 0;

    for (w = h->watches; w != NULL; w = w->next) {
        w->is_ready = w->due_ms > 0 && w->due_ms <= now_ms;
        for (size_t i = 0; i < TKT_HTTP_WATCH_FDS; i++) {
            if (w->fds[i] >= 0) {
                w->is_ready = w->is_ready || h->waitfds[n].revents != 0;
                n++;
            }
        }
    }
    for (w = h->watches; w != NULL;) {
        if (!w->is_ready) {
            w = w->next;
            continue;
        }
        w->is_ready = false;
        w->ready(w);
        w = h->watches;
    }
}

void net_watch_end(struct tkt_http *h)
{
    while (h->watches != NULL) {
        struct tkt_http_watch *w = h->watches;

        tkt_http_unwatch(w);
        w->gone(w);
    }
    free(h->waitfds);
}
