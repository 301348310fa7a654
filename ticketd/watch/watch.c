/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/watch/watch.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/core/tools.h"
#include "ticketd/watch/measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_MAX (4 * 1024 * 1024)
#define MEMORY_MAX (32 * 1024) /* of a connection */
#define TIMEOUT_S 10
#define BACKLOG 16

static const char text_type[] = "text/plain; version=0.0.4; charset=utf-8";
static const char open_type[] =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct tkt_watch {
    struct tkt_daemon *d;
    struct MHD_Daemon *http;
    struct tkt_tools tools; /* of its one thread */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* ---- answers -------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type,
                              const char *text, size_t len)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)(uintptr_t)text,
                                                             MHD_RESPMEM_MUST_COPY);

    if (r == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(r, "Content-Type", type); /* it can do without */
    (void)MHD_add_response_header(r, "Cache-Control", "no-store");
    enum MHD_Result rc = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return rc;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned status, const char *text)
{
    return answer(c, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result metrics(struct tkt_watch *w, struct MHD_Connection *c)
{
    const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept");
    bool open = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TEXT_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *reader = tkt_tools_reader(&w->tools, &err);

    if (reader == NULL || tkt_measure_write(w->d, reader, open, &out, &err) < 0) {
        tkt_log(TKT_LOG_WARNING, NULL, "watch.failed", "error", err.text, NULL);
        return say(c, MHD_HTTP_SERVICE_UNAVAILABLE, "not now\n");
    }
    return answer(c, MHD_HTTP_OK, open ? open_type : text_type, tkt_buf_str(&out),
                  out.len);
}

static enum MHD_Result health(struct tkt_watch *w, struct MHD_Connection *c)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_measure_health(w->d, &err) < 0) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(2000);

        (void)tkt_buf_addf(&out, "%s\n", err.text); /* cut is fine */
        return say(c, MHD_HTTP_SERVICE_UNAVAILABLE, tkt_buf_str(&out));
    }
    return say(c, MHD_HTTP_OK, "ok\n");
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **state)
{
    struct tkt_watch *w = arg;

    (void)version;
    (void)data;
    (void)state;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
    }
    if (*data_size > 0) {
        return MHD_NO;
    }
    if (strcmp(url, "/metrics") == 0) {
        return metrics(w, c);
    }
    if (strcmp(url, "/healthz") == 0 || strcmp(url, "/readyz") == 0) {
        return health(w, c);
    }
    return say(c, MHD_HTTP_NOT_FOUND, "/metrics, /healthz\n");
}

/* ---- where ---------------------------------------------------------------------------- */

int tkt_watch_address(const char *listen, char host[64], int *port, const char **path,
                      struct tkt_err *err)
{
    const char *colon = strrchr(listen, ':');
    int64_t number = 0;

    *path = NULL;
    if (strncmp(listen, "unix:/", 6) == 0) {
        *path = listen + 5;
        return strlen(*path) < sizeof(((struct sockaddr_un *)0)->sun_path)
                   ? 0
                   : tkt_err_set(err, TKT_ERR_CONF,
                                 "metrics.listen: the path is too long");
    }
    bool brackets = listen[0] == '[' && colon != NULL && colon[-1] == ']';
    size_t n = colon == NULL ? 0 : (size_t)(colon - listen) - (brackets ? 2 : 0);

    if (n == 0 || n >= 64 || tkt_parse_int(colon + 1, 1, 65535, &number) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "metrics.listen: \"%.80s\" is neither \"127.0.0.1:9464\" nor "
                           "\"[::1]:9464\" nor \"unix:/path\"",
                           listen);
    }
    memcpy(host, listen + brackets, n);
    host[n] = '\0';
    *port = (int)number;
    return 0;
}

static int listen_path(struct tkt_watch *w, const char *path, struct tkt_err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(at.sun_path, path, strlen(path) + 1);
    (void)unlink(path); /* of the last start; bind says what stands in the way */
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        chmod(path, 0660) < 0 || listen(fd, BACKLOG) < 0) {
        tkt_err_set(err, TKT_ERR_CONF, "metrics.listen: %s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    memcpy(w->path, path, strlen(path) + 1);
    return fd;
}

static int listen_port(const char *host, int port, struct tkt_err *err)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    bool is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
    int one = 1;

    if (!is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) {
        return tkt_err_set(err, TKT_ERR_CONF, "metrics.listen: %s is no address", host);
    }
    int fd =
        socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
             is_v4 ? sizeof(v4) : sizeof(v6)) < 0 ||
        listen(fd, BACKLOG) < 0) {
        tkt_err_set(err, TKT_ERR_CONF, "metrics.listen: %s port %d: %s", host, port,
                    strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

int tkt_watch_start(struct tkt_daemon *d, const struct tkt_conf *conf,
                    struct tkt_watch **out, struct tkt_err *err)
{
    const char *path = NULL;
    char host[64];
    int port = 0;

    *out = NULL;
    if (conf->metrics.listen[0] == '\0') {
        return 0;
    }
    struct tkt_watch *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    int fd = tkt_watch_address(conf->metrics.listen, host, &port, &path, err) < 0 ? -1
             : path != NULL ? listen_path(w, path, err)
                            : listen_port(host, port, err);
    if (fd < 0) {
        free(w);
        return -1;
    }
    w->d = d;
    w->tools.store_dir = d->store_dir;
    w->http = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, handle, w,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)TKT_WATCH_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_MAX,
        MHD_OPTION_END);
    if (w->http == NULL) {
        close(fd);
        free(w);
        return tkt_err_set(err, TKT_ERR_TEMP, "metrics: the HTTP server does not start");
    }
    tkt_log(TKT_LOG_INFO, NULL, "watch.listen", "at", conf->metrics.listen, NULL);
    *out = w;
    return 0;
}

void tkt_watch_stop(struct tkt_watch **watch)
{
    struct tkt_watch *w = *watch;

    if (w == NULL) {
        return;
    }
    MHD_stop_daemon(w->http); /* closes its socket */
    if (w->path[0] != '\0') {
        (void)unlink(w->path); /* the next start does too */
    }
    tkt_tools_release(&w->tools);
    free(w);
    *watch = NULL;
}
