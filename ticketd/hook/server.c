/* SPDX-License-Identifier: BSD-2-Clause
 * The listener, over libmicrohttpd. One call a connection; all of its bytes must be there
 * before the connection's time is over, however they trickle.
 */
#include "ticket_config.h"

#include "ticketd/hook/hook.h"

#include "base/util.h"

#ifdef WITH_WEBHOOKS

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/network.h"
#include "ticketd/hook/guest.h"
#include "ticketd/hook/peer.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MEMORY_PER_CONNECTION (32 * 1024)
#define SWEEP_MS 250
#define TELL_MS 60000 /* of refused calls: one line in that time */
#define CONNECTIONS_MAX 1024

struct open_one {
    int fd;
    int64_t until_mono_ms;
    /* Of the other end, or of whom it names once its head is read. */
    char caller[INET6_ADDRSTRLEN];
};

struct tkt_hook {
    struct tkt_daemon *d;
    struct MHD_Daemon *server;
    int64_t timeout_ms;
    struct tkt_rate rate;
    pthread_t sweeper;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    bool sweeping;
    struct open_one open[CONNECTIONS_MAX]; /* under lock */
    size_t open_count;
    /* the server's thread's own: */
    int64_t told_mono_ms;
    int64_t refused; /* since then */
    struct tkt_tools tools;
};

struct request {
    struct tkt_hook *hook;
    struct tkt_settings *set;
    const struct tkt_hook_guest *guest; /* NULL: nobody's */
    int status;                         /* decided already; 0: not yet */
    char client[INET6_ADDRSTRLEN];
    struct tkt_hook_visit visit;
};

/* ---- lives of connections --------------------------------------------------------------- */

static void address_of(const struct sockaddr *sa, char out[INET6_ADDRSTRLEN])
{
    const void *at = NULL;

    if (sa != NULL && sa->sa_family == AF_INET) {
        at = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
    } else if (sa != NULL && sa->sa_family == AF_INET6) {
        at = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
    }
    if (at == NULL || inet_ntop(sa->sa_family, at, out, INET6_ADDRSTRLEN) == NULL) {
        snprintf(out, INET6_ADDRSTRLEN, "?");
    }
}

static void peer_of(struct MHD_Connection *c, char out[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    address_of(info == NULL ? NULL : info->client_addr, out);
}

static bool is_proxy(const struct tkt_settings *set, const char *address)
{
    const struct tkt_conf_list *proxies = &set->conf->webhook.trusted_proxies;

    return tkt_networks_have(proxies->items, proxies->count, address);
}

/* Under lock. */
static int64_t open_of(const struct tkt_hook *h, const char *address)
{
    char caller[INET6_ADDRSTRLEN];
    int64_t n = 0;

    tkt_hook_caller(address, caller);
    for (size_t i = 0; i < h->open_count; i++) {
        n += strcmp(h->open[i].caller, caller) == 0;
    }
    return n;
}

/* Before its first byte: the other end is all that is known. A proxy stands for many. */
static enum MHD_Result may_connect(void *cls, const struct sockaddr *sa, socklen_t len)
{
    struct tkt_hook *h = cls;
    struct tkt_settings *set = tkt_settings_get(h->d);
    char peer[INET6_ADDRSTRLEN];

    (void)len;
    address_of(sa, peer);
    pthread_mutex_lock(&h->lock);
    bool may = open_of(h, peer) < set->conf->webhook.per_peer || is_proxy(set, peer);
    pthread_mutex_unlock(&h->lock);
    tkt_settings_put(&set);
    return may ? MHD_YES : MHD_NO;
}

static void on_connection(void *cls, struct MHD_Connection *c, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct tkt_hook *h = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

    (void)socket_context;
    if (info == NULL) {
        return;
    }
    pthread_mutex_lock(&h->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED && h->open_count < CONNECTIONS_MAX) {
        struct open_one *one = &h->open[h->open_count++];

        *one = (struct open_one){.fd = info->connect_fd,
                                 .until_mono_ms = tkt_clock_mono_ms() + h->timeout_ms};
        char peer[INET6_ADDRSTRLEN];
        peer_of(c, peer);
        tkt_hook_caller(peer, one->caller);
    }
    for (size_t i = 0; code == MHD_CONNECTION_NOTIFY_CLOSED && i < h->open_count; i++) {
        if (h->open[i].fd == info->connect_fd) {
            h->open[i] = h->open[--h->open_count];
            break;
        }
    }
    pthread_mutex_unlock(&h->lock);
}

/* Ends what lasts too long: the server sees the end and closes. */
static void *sweep_main(void *arg)
{
    struct tkt_hook *h = arg;

    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += SWEEP_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&h->wake, &h->lock, &until); /* it is looked at */
        int64_t now = tkt_clock_mono_ms();
        for (size_t i = 0; i < h->open_count; i++) {
            if (now >= h->open[i].until_mono_ms) {
                (void)shutdown(h->open[i].fd, SHUT_RDWR); /* it may be gone already */
            }
        }
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* ---- a call ----------------------------------------------------------------------------- */

static const struct tkt_hook_guest *const guests[] = {&tkt_hook_itsm, &tkt_hook_optout,
                                                      &tkt_hook_status, NULL};

bool tkt_hook_allows(const char *methods, const char *method)
{
    size_t n = strlen(method);

    for (const char *p = methods; *p != '\0'; p += strspn(p, ", ")) {
        size_t len = strcspn(p, ", ");

        if (len == n && strncmp(p, method, n) == 0) {
            return true;
        }
        p += len;
    }
    return false;
}

/* All lines of the field: some proxies write one of their own. */
static enum MHD_Result add_forwarded(void *cls, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct tkt_buf *all = cls;

    (void)kind;
    if (value != NULL && tkt_ascii_ieq(name, "X-Forwarded-For")) {
        tkt_buf_adds(all, all->len > 0 ? "," : "");
        tkt_buf_adds(all, value);
    }
    return MHD_YES;
}

/* Who calls, now that the head is there. false: more connections than one may have. */
static bool know_client(struct request *q, struct MHD_Connection *c)
{
    TKT_AUTO_BUF struct tkt_buf forwarded = TKT_BUF_INIT(MEMORY_PER_CONNECTION);
    const struct tkt_conf_list *proxies = &q->set->conf->webhook.trusted_proxies;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct tkt_hook *h = q->hook;
    char peer[INET6_ADDRSTRLEN];

    peer_of(c, peer);
    (void)MHD_get_connection_values(c, MHD_HEADER_KIND, add_forwarded, &forwarded);
    tkt_hook_client(peer, proxies->items, proxies->count,
                    forwarded.len > 0 ? tkt_buf_str(&forwarded) : NULL, q->client);
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; info != NULL && i < h->open_count; i++) {
        if (h->open[i].fd == info->connect_fd) {
            tkt_hook_caller(q->client, h->open[i].caller);
        }
    }
    bool few = open_of(h, q->client) <= q->set->conf->webhook.per_peer;
    pthread_mutex_unlock(&h->lock);
    return few || is_proxy(q->set, q->client);
}

static void tell_refused(struct request *q, const char *why)
{
    struct tkt_hook *h = q->hook;
    int64_t now = tkt_clock_mono_ms();

    h->refused++;
    if (h->told_mono_ms != 0 && now < h->told_mono_ms + TELL_MS) {
        return;
    }
    tkt_log(TKT_LOG_WARNING, NULL, "hook.refused", "path", q->guest ? q->guest->path : "",
            "name", q->visit.name, "peer", q->client, "count", TKT_NUM(h->refused),
            "reason", why, NULL);
    h->told_mono_ms = now;
    h->refused = 0;
}

/* Whose it is; visit.rest is what stands behind its path. */
static const struct tkt_hook_guest *guest_of(const char *url, const char **rest)
{
    for (size_t i = 0; guests[i] != NULL; i++) {
        size_t n = strlen(guests[i]->path);

        if (strncmp(url, guests[i]->path, n) == 0) {
            *rest = url + n;
            return guests[i];
        }
    }
    return NULL;
}

static int64_t body_max(const struct request *q)
{
    int64_t most = q->set->conf->webhook.body_max;

    return q->guest->body_max == 0 ? most : TKT_MIN(most, (int64_t)q->guest->body_max);
}

/* What the head alone tells. */
static int judge_head(struct request *q, struct MHD_Connection *c, const char *url)
{
    const struct tkt_conf_webhook *w = &q->set->conf->webhook;
    const char *said =
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct tkt_hook_visit *v = &q->visit;
    char caller[INET6_ADDRSTRLEN];

    if (!know_client(q, c)) {
        tell_refused(q, "more connections than per_peer");
        return 429;
    }
    tkt_hook_caller(q->client, caller);
    if (!tkt_rate_take(&q->hook->rate, caller, (unsigned)w->rate, tkt_clock_wall_ms())) {
        tell_refused(q, "more calls than rate");
        return 429;
    }
    q->guest = guest_of(url, &v->rest);
    int status = q->guest == NULL ? 404 : q->guest->head(v);
    if (status != 0) {
        tell_refused(q, v->why[0] != '\0' ? v->why : "there is no such path");
        return status;
    }
    if (!tkt_hook_allows(q->guest->methods, v->method)) {
        return 405;
    }
    if (said != NULL && (strlen(said) > 12 || atoll(said) > body_max(q))) {
        tell_refused(q, "longer than body_max");
        return 413;
    }
    return 0;
}

static const char *field(void *arg, const char *name)
{
    return MHD_lookup_connection_value(arg, MHD_HEADER_KIND, name);
}

static const char *query(void *arg, const char *name)
{
    return MHD_lookup_connection_value(arg, MHD_GET_ARGUMENT_KIND, name);
}

static int take(struct request *q)
{
    int status = q->guest->take(&q->visit);

    if (status >= 400 && q->visit.why[0] != '\0') {
        tell_refused(q, q->visit.why);
    }
    return status;
}

static void add_fields(struct MHD_Response *r, const struct request *q, int status)
{
    const struct tkt_hook_visit *v = &q->visit;

    (void)MHD_add_response_header(r, "Connection", "close"); /* else it times out */
    (void)MHD_add_response_header(r, "Content-Type",
                                  v->type != NULL ? v->type : "application/json");
    (void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (v->language != NULL) {
        (void)MHD_add_response_header(r, "Content-Language", v->language);
    }
    for (size_t i = 0; v->fields != NULL && v->fields[i] != NULL; i += 2) {
        (void)MHD_add_response_header(r, v->fields[i], v->fields[i + 1]);
    }
    if (status == 405) {
        (void)MHD_add_response_header(r, "Allow", q->guest->methods);
    }
    if (status == 429 || status == 503) {
        (void)MHD_add_response_header(r, "Retry-After", "60");
    }
}

static enum MHD_Result answer(struct request *q, struct MHD_Connection *c, int status)
{
    static const char nothing[] = "{}\n";
    struct tkt_buf *said = &q->visit.answer;
    bool has_words = q->visit.type != NULL && !said->failed;

    if (!has_words) {
        q->visit.type = NULL;
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(
        has_words ? said->len : strlen(nothing),
        has_words && said->len > 0 ? said->data : (void *)(uintptr_t)nothing,
        MHD_RESPMEM_MUST_COPY);

    if (r == NULL) {
        return MHD_NO;
    }
    add_fields(r, q, status);
    enum MHD_Result rc = MHD_queue_response(c, (unsigned)status, r);
    MHD_destroy_response(r);
    return rc;
}

static struct request *begin(struct tkt_hook *h, struct MHD_Connection *c,
                             const char *method)
{
    struct request *q = calloc(1, sizeof(*q));

    if (q == NULL) {
        return NULL;
    }
    q->hook = h;
    q->set = tkt_settings_get(h->d);
    q->visit = (struct tkt_hook_visit){.d = h->d,
                                       .set = q->set,
                                       .tools = &h->tools,
                                       .method = method,
                                       .rest = "",
                                       .field = field,
                                       .query = query,
                                       .arg = c};
    tkt_buf_init(&q->visit.body, (size_t)q->set->conf->webhook.body_max + 1);
    tkt_buf_init(&q->visit.answer, TKT_HOOK_ANSWER_MAX);
    return q;
}

static enum MHD_Result on_call(void *cls, struct MHD_Connection *c, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *len, void **context)
{
    struct request *q = *context;

    (void)version;
    if (q == NULL) {
        *context = q = begin(cls, c, method);
        if (q == NULL) {
            return MHD_NO;
        }
        q->status = judge_head(q, c, url);
        /* At once, before a body that nobody wants. */
        return q->status != 0 ? answer(q, c, q->status) : MHD_YES;
    }
    struct tkt_buf *body = &q->visit.body;
    q->visit.method = method;
    q->visit.rest = url + strlen(q->guest->path); /* the library's, as long as the call */
    if (*len > 0) {
        if (q->status == 0 && (body->len + *len > (size_t)body_max(q) ||
                               tkt_buf_add(body, data, *len) < 0)) {
            q->status = 413;
            tkt_buf_release(body);
            tell_refused(q, "longer than body_max");
        }
        *len = 0;
        return MHD_YES;
    }
    return answer(q, c, q->status != 0 ? q->status : take(q));
}

static void on_end(void *cls, struct MHD_Connection *c, void **context,
                   enum MHD_RequestTerminationCode why)
{
    struct request *q = *context;

    (void)cls;
    (void)c;
    (void)why;
    if (q != NULL) {
        tkt_buf_release(&q->visit.body);
        tkt_buf_release(&q->visit.answer);
        tkt_settings_put(&q->set);
        free(q);
        *context = NULL;
    }
}

/* ---- start and stop --------------------------------------------------------------------- */

static int parse_listen(const char *text, struct sockaddr_storage *out, bool *is_v6,
                        struct tkt_err *err)
{
    const char *colon = strrchr(text, ':');
    char host[64];
    int64_t port = 0;
    size_t n = colon == NULL ? 0 : (size_t)(colon - text);

    memset(out, 0, sizeof(*out));
    *is_v6 = n > 2 && text[0] == '[' && text[n - 1] == ']';
    if (n > 0 && n < sizeof(host) && tkt_parse_int(colon + 1, 0, 65535, &port) == 0) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;
        struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;

        snprintf(host, sizeof(host), "%.*s", (int)(*is_v6 ? n - 2 : n),
                 text + (*is_v6 ? 1 : 0));
        v4->sin_family = *is_v6 ? AF_INET6 : AF_INET;
        v4->sin_port = htons((uint16_t)port); /* at the same place in both */
        if (inet_pton(v4->sin_family, host,
                      *is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) == 1) {
            return 0;
        }
    }
    return tkt_err_set(err, TKT_ERR_CONF,
                       "webhook: listen: \"%.60s\" is no address and port, such as "
                       "127.0.0.1:8025",
                       text);
}

static int start_server(struct tkt_hook *h, const struct tkt_conf_webhook *w,
                        struct tkt_err *err)
{
    struct sockaddr_storage at;
    bool is_v6 = false;

    if (parse_listen(w->listen, &at, &is_v6, err) < 0) {
        return -1;
    }
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    flags |= is_v6 ? MHD_USE_IPv6 : 0;
    h->server = MHD_start_daemon(
        flags, 0, may_connect, h, on_call, h, MHD_OPTION_SOCK_ADDR, &at,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)w->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((w->timeout_ms + 999) / 1000),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, h, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, h, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    return h->server != NULL
               ? 0
               : tkt_err_errno(err, TKT_ERR_TEMP, "webhook: listen on %s", w->listen);
}

int tkt_hook_start(struct tkt_daemon *d, struct tkt_hook **hook, struct tkt_err *err)
{
    const struct tkt_conf_webhook *w = &d->settings->conf->webhook;
    pthread_condattr_t attr;

    *hook = NULL;
    if (w->listen[0] == '\0') {
        return 0;
    }
    struct tkt_hook *h = calloc(1, sizeof(*h));
    if (h == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "webhook: no memory");
    }
    h->d = d;
    h->tools.store_dir = d->store_dir;
    h->timeout_ms = w->timeout_ms;
    tkt_rate_init(&h->rate);
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &attr);
    pthread_condattr_destroy(&attr);
    *hook = h;
    int rc = pthread_create(&h->sweeper, NULL, sweep_main, h);
    h->sweeping = rc == 0;
    if (rc != 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "webhook: thread: %s", strerror(rc));
    }
    if (rc != 0 || start_server(h, w, err) < 0) {
        tkt_hook_stop(hook);
        return -1;
    }
    tkt_log(TKT_LOG_INFO, NULL, "hook.listening", "address", w->listen, NULL);
    return 0;
}

void tkt_hook_stop(struct tkt_hook **hook)
{
    struct tkt_hook *h = *hook;

    if (h == NULL) {
        return;
    }
    if (h->server != NULL) {
        MHD_stop_daemon(h->server);
    }
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
    if (h->sweeping) {
        pthread_join(h->sweeper, NULL);
    }
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    tkt_rate_destroy(&h->rate);
    tkt_tools_release(&h->tools);
    free(h);
    *hook = NULL;
}

#else

int tkt_hook_start(struct tkt_daemon *d, struct tkt_hook **hook, struct tkt_err *err)
{
    *hook = NULL;
    return d->settings->conf->webhook.listen[0] == '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "webhook: this ticketd was built without webhooks; leave "
                             "listen empty, or build it with them");
}

void tkt_hook_stop(struct tkt_hook **hook)
{
    *hook = NULL;
}

#endif
