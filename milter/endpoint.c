/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/endpoint.h"

#include "base/enc.h"
#include "base/util.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 1024

static int take_path(const char *spec, const char *path, struct tkt_endpoint *out,
                     struct tkt_err *err)
{
    struct sockaddr_un sun;
    size_t n = strlen(path);

    if (path[0] != '/' || n >= sizeof(sun.sun_path)) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "socket \"%s\": give an absolute path of at most %zu bytes",
                           spec, sizeof(sun.sun_path) - 1);
    }
    memcpy(out->path, path, n + 1);
    return 0;
}

static int bad_tcp(const char *spec, struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_CONF,
                       "socket \"%s\": write inet:PORT@HOST (Postfix: inet:HOST:PORT)",
                       spec);
}

static bool all_digits(const char *s, size_t n)
{
    return n > 0 && strspn(s, "0123456789") >= n;
}

/* PORT, PORT@HOST or HOST:PORT; the host may be in brackets. */
static int take_tcp(const char *spec, const char *rest, struct tkt_endpoint *out,
                    struct tkt_err *err)
{
    char port[8] = "";
    const char *at = strchr(rest, '@');
    const char *colon = strrchr(rest, ':');
    const char *host = out->v6 ? "::1" : "127.0.0.1";
    size_t host_len = strlen(host);
    const char *digits = rest;
    size_t digits_len = at != NULL ? (size_t)(at - rest) : strlen(rest);
    int64_t number;

    if (at != NULL) {
        host = at + 1;
        host_len = strlen(host);
    } else if (colon != NULL) {
        digits = colon + 1;
        digits_len = strlen(digits);
        host = rest;
        host_len = (size_t)(colon - rest);
    }
    if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    }
    if (!all_digits(digits, digits_len) || digits_len >= sizeof(port) || host_len == 0 ||
        host_len >= sizeof(out->host)) {
        return bad_tcp(spec, err);
    }
    memcpy(port, digits, digits_len);
    memcpy(out->host, host, host_len);
    out->host[host_len] = '\0';
    if (tkt_parse_int(port, 1, 65535, &number) < 0) {
        return bad_tcp(spec, err);
    }
    out->port = (int)number;
    return 0;
}

int tkt_endpoint_parse(const char *spec, struct tkt_endpoint *out, struct tkt_err *err)
{
    memset(out, 0, sizeof(*out));
    if (spec[0] == '/') {
        return take_path(spec, spec, out, err);
    }
    if (strncmp(spec, "unix:", 5) == 0) {
        return take_path(spec, spec + 5, out, err);
    }
    if (strncmp(spec, "local:", 6) == 0) {
        return take_path(spec, spec + 6, out, err);
    }
    out->tcp = true;
    if (strncmp(spec, "inet:", 5) == 0) {
        return take_tcp(spec, spec + 5, out, err);
    }
    out->v6 = true;
    if (strncmp(spec, "inet6:", 6) == 0) {
        return take_tcp(spec, spec + 6, out, err);
    }
    return tkt_err_set(err, TKT_ERR_CONF,
                       "socket \"%s\": write unix:/PATH or inet:PORT@HOST", spec);
}

int tkt_endpoint_check_free(const char *path, struct tkt_err *err)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct stat st;

    if (lstat(path, &st) < 0) {
        return errno == ENOENT ? 0 : tkt_err_errno(err, TKT_ERR_CONF, "%s", path);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s exists and is not a socket", path);
    }
    TKT_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "socket");
    }
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 || errno != ECONNREFUSED) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "%s is in use: another ticket-milter runs; stop it first",
                           path);
    }
    return 0;
}

static int listen_on(const struct addrinfo *ai)
{
    int on = 1;
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);

    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* bind tells */
    if (ai->ai_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)); /* as above */
    }
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int listen_on_path(const char *path, struct tkt_err *err)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    if (tkt_endpoint_check_free(path, err) < 0) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "socket");
    }
    memcpy(sun.sun_path, path, TKT_MIN(strlen(path) + 1, sizeof(sun.sun_path)));
    (void)unlink(path); /* a dead one; bind tells of any other */
    if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, BACKLOG) < 0) {
        tkt_err_errno(err, TKT_ERR_CONF, "listen on %s", path);
        close(fd);
        return -1;
    }
    return fd;
}

int tkt_endpoint_listen(const struct tkt_endpoint *endpoint, struct tkt_err *err)
{
    char port[8];
    struct addrinfo *list;
    struct addrinfo hints = {.ai_family = endpoint->v6 ? AF_INET6 : AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};

    if (!endpoint->tcp) {
        return listen_on_path(endpoint->path, err);
    }
    snprintf(port, sizeof(port), "%d", endpoint->port);
    int rc = getaddrinfo(endpoint->host, port, &hints, &list);
    if (rc != 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: %s", endpoint->host, gai_strerror(rc));
    }
    int fd = listen_on(list);
    if (fd < 0) {
        tkt_err_errno(err, TKT_ERR_CONF, "listen on %s port %s", endpoint->host, port);
    }
    freeaddrinfo(list);
    return fd;
}
