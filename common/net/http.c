/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/http.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "net/internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define CONNECTIONS_KEPT 64

static void global_init(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT); /* failing, each curl_easy_init fails */
}

struct tkt_http *tkt_http_new(struct tkt_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct tkt_http *h = calloc(1, sizeof(*h));

    pthread_once(&once, global_init);
    if (h) {
        h->waiting_end = &h->waiting;
        h->multi = curl_multi_init();
        h->share = curl_share_init();
    }
    if (!h || !h->multi || !h->share ||
        curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) !=
            CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT) !=
            CURLM_OK ||
        curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) !=
            CURLSHE_OK) {
        tkt_http_free(&h);
        tkt_err_set(err, TKT_ERR_TEMP, "http: no memory");
        return NULL;
    }
    return h;
}

/* ---- hosts -------------------------------------------------------------------------------- */

static struct net_host *host_get(struct tkt_http *h, const char *key)
{
    struct net_host *host = h->hosts;

    while (host && strcmp(host->key, key) != 0) {
        host = host->next;
    }
    if (!host && (host = calloc(1, sizeof(*host)))) {
        snprintf(host->key, sizeof(host->key), "%s", key);
        host->next = h->hosts;
        h->hosts = host;
    }
    if (host) {
        host->calls++;
    }
    return host;
}

static void host_put(struct tkt_http *h, struct net_host *host)
{
    struct net_host **at = &h->hosts;

    if (!host || --host->calls > 0) {
        return;
    }
    while (*at != host) {
        at = &(*at)->next;
    }
    *at = host->next;
    free(host);
}

/* ---- a call ------------------------------------------------------------------------------- */

static void unlink_call(struct tkt_http_call *c)
{
    if (!c->prev) {
        return;
    }
    *c->prev = c->next;
    if (c->next) {
        c->next->prev = c->prev;
    } else if (c->http->waiting_end == &c->next) {
        c->http->waiting_end = c->prev;
    }
    c->prev = NULL;
    c->next = NULL;
}

static void headers_release(struct curl_slist **headers)
{
    for (struct curl_slist *s = *headers; s; s = s->next) {
        tkt_wipe(s->data, strlen(s->data)); /* keys and tokens are among them */
    }
    curl_slist_free_all(*headers);
    *headers = NULL;
}

static void easy_put(struct tkt_http *h, CURL *easy)
{
    if (h->idle_count < TKT_ARRAY_LEN(h->idle)) {
        curl_easy_reset(easy);
        h->idle[h->idle_count++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

static void call_free(struct tkt_http_call *c)
{
    struct tkt_http *h = c->http;

    if (c->prev && !c->easy) {
        h->waiting_count--;
    }
    unlink_call(c);
    if (c->easy) {
        (void)curl_multi_remove_handle(h->multi, c->easy); /* not in it: no harm */
        easy_put(h, c->easy);
        c->host->in_flight--;
    }
    host_put(h, c->host);
    headers_release(&c->headers);
    tkt_smtp_release(&c->smtp);
    if (c->body) {
        tkt_wipe(c->body, c->body_len); /* of a log-in it is a secret */
    }
    if (c->url) {
        tkt_wipe(c->url, strlen(c->url));
    }
    void *all[] = {c->body,      c->url,         c->method,     c->accept_type,
                   c->ca_file,   c->client_cert, c->client_key, c->proxy,
                   c->body_head, c->body_tail};
    for (size_t i = 0; i < TKT_ARRAY_LEN(all); i++) {
        free(all[i]);
    }
    if (c->body_fd >= 0) {
        close(c->body_fd);
    }
    tkt_http_response_release(&c->response);
    h->count--;
    free(c);
}

void tkt_http_response_release(struct tkt_http_response *r)
{
    if (r->body.data) {
        tkt_wipe(r->body.data, r->body.len);
    }
    tkt_buf_release(&r->body);
    tkt_buf_release(&r->head);
}

static bool dup_string(char **to, const char *from)
{
    return !from || (*to = strdup(from)) != NULL;
}

bool tkt_http_is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool dup_given(char **to, const char *from)
{
    return dup_string(to, tkt_http_is_given(from) ? from : NULL);
}

bool tkt_http_copy_peer(struct tkt_http_call *c, const struct tkt_http_peer *p)
{
    return dup_given(&c->ca_file, p->ca_file) &&
           dup_given(&c->client_cert, p->client_cert) &&
           dup_given(&c->client_key, p->client_key) && dup_given(&c->proxy, p->proxy);
}

static bool add_header(struct tkt_http_call *c, const char *line)
{
    struct curl_slist *more = curl_slist_append(c->headers, line);

    c->headers = more ? more : c->headers;
    return more != NULL;
}

static int copy_headers(struct tkt_http_call *c, const struct tkt_http_request *q,
                        struct tkt_err *err)
{
    bool ok = add_header(c, "Expect:"); /* some gateways never answer it */

    for (size_t i = 0; q->headers && q->headers[i]; i++) {
        const char *line = q->headers[i];

        if (i >= TKT_HTTP_HEADERS_MAX || strpbrk(line, "\r\n") || !strchr(line, ':')) {
            return tkt_err_set(err, TKT_ERR_BUG, "http: an illegal header field");
        }
        ok = ok && add_header(c, line);
    }
    return ok ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "http: no memory");
}

static int copy_body(struct tkt_http_call *c, const struct tkt_http_request *q,
                     struct tkt_err *err)
{
    if (q->body && q->body_len > 0) {
        c->body = malloc(q->body_len);
        if (!c->body) {
            return tkt_err_set(err, TKT_ERR_TEMP, "http: no memory");
        }
        memcpy(c->body, q->body, q->body_len);
        c->body_len = q->body_len;
        c->body_size = (int64_t)q->body_len;
    } else if (!q->body && (q->body_size > 0 || q->body_head)) {
        c->body_fd = fcntl(q->body_fd, F_DUPFD_CLOEXEC, 3);
        c->body_offset = q->body_offset;
        c->file_size = q->body_size;
        if (c->body_fd < 0) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "http: body");
        }
        if (!dup_string(&c->body_head, q->body_head ? q->body_head : "") ||
            !dup_string(&c->body_tail, q->body_tail ? q->body_tail : "")) {
            return tkt_err_set(err, TKT_ERR_TEMP, "http: no memory");
        }
        c->body_size =
            c->file_size + (int64_t)strlen(c->body_head) + (int64_t)strlen(c->body_tail);
    }
    return 0;
}

/* A file that is not there would look like a bad certificate of the server. */
static int check_files(const struct tkt_http_peer *p, struct tkt_err *err)
{
    const char *const files[] = {p->ca_file, p->client_cert, p->client_key};

    for (size_t i = 0; i < TKT_ARRAY_LEN(files); i++) {
        if (tkt_http_is_given(files[i]) && access(files[i], R_OK) < 0) {
            return tkt_err_errno(err, TKT_ERR_CONF, "%s", files[i]);
        }
    }
    return 0;
}

static bool is_safe_method(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static int fill(struct tkt_http_call *c, const struct tkt_http_request *q,
                struct tkt_err *err)
{
    bool is_here = false;
    char key[300];

    if (tkt_http_check_url(q->url, &q->peer, err) < 0 ||
        tkt_http_split_url(q->url, key, sizeof(key), &c->is_plain, &is_here, err) < 0 ||
        check_files(&q->peer, err) < 0 || copy_headers(c, q, err) < 0 ||
        copy_body(c, q, err) < 0) {
        return -1;
    }
    c->repeatable = q->repeatable || is_safe_method(q->method);
    c->allow_plain = q->peer.allow_plain;
    c->public_only = q->peer.public_only;
    c->in_flight_max =
        q->peer.in_flight_max > 0 ? q->peer.in_flight_max : TKT_HTTP_IN_FLIGHT_MAX;
    c->answer_max = q->answer_max ? q->answer_max : TKT_HTTP_ANSWER_MAX;
    c->timeout_ms = q->timeout_ms > 0 ? q->timeout_ms : TKT_HTTP_TIMEOUT_MS;
    c->stall_ms = q->stall_ms;
    c->done = q->done;
    c->arg = q->arg;
    tkt_buf_init(&c->response.body, c->answer_max);
    tkt_buf_init(&c->response.head, TKT_HTTP_ANSWER_HEAD_MAX);
    if (!dup_string(&c->method, q->method) || !dup_string(&c->url, q->url) ||
        !dup_string(&c->accept_type, q->accept_type) ||
        !tkt_http_copy_peer(c, &q->peer) || !(c->host = host_get(c->http, key))) {
        return tkt_err_set(err, TKT_ERR_TEMP, "http: no memory");
    }
    return 0;
}

static struct tkt_http_call *call_new(struct tkt_http *h, struct tkt_err *err)
{
    struct tkt_http_call *c = calloc(1, sizeof(*c));

    if (!c) {
        tkt_err_set(err, TKT_ERR_TEMP, "http: no memory");
        return NULL;
    }
    c->http = h;
    c->body_fd = -1;
    h->count++;
    return c;
}

static void enqueue(struct tkt_http *h, struct tkt_http_call *c)
{
    c->prev = h->waiting_end;
    *h->waiting_end = c;
    h->waiting_end = &c->next;
    h->waiting_count++;
}

struct tkt_http_call *tkt_http_start(struct tkt_http *h, const struct tkt_http_request *q,
                                     struct tkt_err *err)
{
    struct tkt_http_call *c = call_new(h, err);

    if (c && fill(c, q, err) < 0) {
        call_free(c);
        return NULL;
    }
    if (c) {
        enqueue(h, c);
    }
    return c;
}

struct tkt_http_call *tkt_smtp_start(struct tkt_http *h, const struct tkt_smtp_request *q,
                                     struct tkt_err *err)
{
    struct tkt_http_call *c = call_new(h, err);
    char key[300];

    if (c && (check_files(&q->peer, err) < 0 ||
              tkt_smtp_fill(c, q, key, sizeof(key), err) < 0 ||
              (!(c->host = host_get(h, key)) &&
               tkt_err_set(err, TKT_ERR_TEMP, "smtp: no memory") < 0))) {
        call_free(c);
        return NULL;
    }
    if (c) {
        enqueue(h, c);
    }
    return c;
}

void tkt_http_cancel(struct tkt_http_call **call)
{
    if (*call) {
        call_free(*call);
        *call = NULL;
    }
}

void *tkt_http_arg(const struct tkt_http_call *call)
{
    return call->arg;
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void end_call(struct tkt_http_call *c)
{
    void (*done)(struct tkt_http_call *, struct tkt_http_response *) = c->done;

    if (c->response.outcome == TKT_HTTP_DONE) {
        c->response.err = (struct tkt_err)TKT_ERR_INIT;
    } else {
        char origin[300];

        (void)tkt_err_prefix(&c->response.err, "%s",
                             tkt_http_origin(c->url, origin, sizeof(origin)));
    }
    unlink_call(c); /* done may start and cancel others */
    c->http->ended++;
    done(c, &c->response);
    call_free(c);
}

/* Its turn: gives it to curl. */
static void run_call(struct tkt_http_call *c)
{
    struct tkt_http *h = c->http;
    struct tkt_err err = TKT_ERR_INIT;

    unlink_call(c);
    h->waiting_count--;
    c->easy = h->idle_count > 0 ? h->idle[--h->idle_count] : curl_easy_init();
    if (c->easy) {
        c->host->in_flight++;
        c->started_ms = tkt_clock_mono_ms();
        c->prev = &h->running;
        c->next = h->running;
        if (c->next) {
            c->next->prev = &c->next;
        }
        h->running = c;
    }
    if (!c->easy || (c->smtp ? tkt_smtp_setup(c, &err) : tkt_http_setup(c, &err)) < 0 ||
        curl_multi_add_handle(h->multi, c->easy) != CURLM_OK) {
        c->response.outcome = TKT_HTTP_RETRY;
        tkt_err_set(&c->response.err, TKT_ERR_TEMP, "it cannot be started now");
        end_call(c);
    }
}

static void start_waiting(struct tkt_http *h)
{
    struct tkt_http_call *c = h->waiting;

    while (c) {
        struct tkt_http_call *next = c->next;

        if (c->host->in_flight < c->in_flight_max) {
            run_call(c);
            next = h->waiting; /* done may have changed the list */
        }
        c = next;
    }
}

static void end_finished(struct tkt_http *h)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(h->multi, &left))) {
        struct tkt_http_call *c = NULL;

        if (msg->msg == CURLMSG_DONE &&
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&c) ==
                CURLE_OK &&
            c) {
            if (c->smtp) {
                tkt_smtp_judge(c, msg->data.result);
            } else {
                tkt_http_judge(c, msg->data.result);
            }
            end_call(c);
        }
    }
}

static void step(struct tkt_http *h)
{
    int running;

    start_waiting(h);
    (void)curl_multi_perform(h->multi, &running); /* each one's end says what failed */
    end_finished(h);
    start_waiting(h);
}

void tkt_http_poll(struct tkt_http *h, int64_t wait_ms)
{
    int events;
    unsigned before = h->ended;

    step(h);
    if (h->ended != before) {
        wait_ms = 0; /* who waited for that one has something to do */
    }
    /* curl counts its own timeouts in. Waiting ones that could start were started. */
    unsigned watched = net_watch_gather(h, &wait_ms);
    (void)curl_multi_poll(h->multi, h->waitfds, watched,
                          (int)TKT_MAX(0, TKT_MIN(wait_ms, INT64_C(3600000))), &events);
    net_watch_tell(h);
    step(h);
}

size_t tkt_http_in_flight(const struct tkt_http *h)
{
    return h->count;
}

void tkt_http_wake(struct tkt_http *h)
{
    (void)curl_multi_wakeup(h->multi); /* its pipe is full: it wakes up anyway */
}

void tkt_http_free(struct tkt_http **http)
{
    struct tkt_http *h = *http;

    if (!h) {
        return;
    }
    net_watch_end(h);
    while (h->running) {
        call_free(h->running);
    }
    while (h->waiting) {
        call_free(h->waiting);
    }
    while (h->idle_count > 0) {
        curl_easy_cleanup(h->idle[--h->idle_count]);
    }
    curl_multi_cleanup(h->multi);
    (void)curl_share_cleanup(h->share); /* nothing uses it any more */
    free(h);
    *http = NULL;
}

/* ---- one by itself ------------------------------------------------------------------------ */

void tkt_http_response_move(struct tkt_http_response *out,
                            struct tkt_http_response *response)
{
    *out = *response;
    tkt_buf_init(&response->body, response->body.max);
    tkt_buf_init(&response->head, response->head.max);
}

struct alone {
    struct tkt_http_response *out;
    bool ended;
};

static void alone_done(struct tkt_http_call *call, struct tkt_http_response *response)
{
    struct alone *a = tkt_http_arg(call);

    tkt_http_response_move(a->out, response);
    a->ended = true;
}

int tkt_http_perform(const struct tkt_http_request *request,
                     struct tkt_http_response *out, struct tkt_err *err)
{
    struct alone a = {.out = out};
    struct tkt_http_request q = *request;
    struct tkt_http *h = tkt_http_new(err);

    if (!h) {
        return -1;
    }
    q.done = alone_done;
    q.arg = &a;
    if (tkt_http_start(h, &q, err)) {
        while (!a.ended) {
            tkt_http_poll(h, 1000);
        }
    }
    tkt_http_free(&h);
    return a.ended ? 0 : -1;
}

const char *tkt_http_header(const struct tkt_http_response *r, const char *name,
                            char *room, size_t size)
{
    size_t n = strlen(name);

    for (const char *p = tkt_buf_str(&r->head); *p;) {
        const char *end = strchr(p, '\n');

        if (!end || size == 0) {
            break;
        }
        if ((size_t)(end - p) > n && p[n] == ':' && memcmp(p, name, n) == 0) {
            const char *v = p + n + 1;

            v += strspn(v, " \t");
            size_t len = end > v ? (size_t)(end - v) : 0;
            while (len > 0 && (v[len - 1] == ' ' || v[len - 1] == '\t')) {
                len--;
            }
            len = TKT_MIN(len, size - 1);
            memcpy(room, v, len);
            room[len] = '\0';
            return room;
        }
        p = end + 1;
    }
    return NULL;
}
