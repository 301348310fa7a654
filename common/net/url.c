/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"
#include "net/guard.h"
#include "net/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct url_parts {
    CURLU *url;
    char *scheme, *host, *port, *user, *password, *fragment;
};

static void parts_release(struct url_parts *p)
{
    char **all[] = {&p->scheme, &p->host, &p->port, &p->user, &p->password, &p->fragment};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        curl_free(*all[i]);
    }
    curl_url_cleanup(p->url);
    memset(p, 0, sizeof(*p));
}

static bool parts_of(struct url_parts *p, const char *url)
{
    memset(p, 0, sizeof(*p));
    if (!(p->url = curl_url()) ||
        curl_url_set(p->url, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        curl_url_get(p->url, CURLUPART_SCHEME, &p->scheme, 0) != CURLUE_OK ||
        curl_url_get(p->url, CURLUPART_HOST, &p->host, 0) != CURLUE_OK ||
        curl_url_get(p->url, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        parts_release(p);
        return false;
    }
    (void)curl_url_get(p->url, CURLUPART_USER, &p->user, 0); /* absent: stays NULL */
    (void)curl_url_get(p->url, CURLUPART_PASSWORD, &p->password, 0);
    (void)curl_url_get(p->url, CURLUPART_FRAGMENT, &p->fragment, 0);
    return true;
}

/* An address literal as a sockaddr; 0 when it is a name. */
static socklen_t literal(const char *host, struct sockaddr_storage *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    char bare[64];
    size_t n = strlen(host);

    memset(out, 0, sizeof(*out));
    if (n > 2 && host[0] == '[' && host[n - 1] == ']' && n - 2 < sizeof(bare)) {
        memcpy(bare, host + 1, n - 2);
        bare[n - 2] = '\0';
        bare[strcspn(bare, "%")] = '\0';
        in6->sin6_family = AF_INET6;
        return inet_pton(AF_INET6, bare, &in6->sin6_addr) == 1 ? sizeof(*in6) : 0;
    }
    in->sin_family = AF_INET;
    return inet_pton(AF_INET, host, &in->sin_addr) == 1 ? sizeof(*in) : 0;
}

/* What names this host by the URL alone; where it leads to is looked at once more when the
 * socket is opened. */
static bool names_this_host(const char *host)
{
    struct sockaddr_storage ss;
    socklen_t n = literal(host, &ss);

    return n > 0 ? tkt_address_is_loopback((struct sockaddr *)&ss, n)
                 : tkt_ascii_ieq(host, "localhost");
}

static bool has_odd_bytes(const char *url)
{
    for (const char *p = url; *p; p++) {
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f) {
            return true;
        }
    }
    return false;
}

int tkt_http_split_url(const char *url, char *key, size_t size, bool *is_plain,
                       bool *is_here, struct tkt_err *err)
{
    struct url_parts p;
    int rc = -1;

    if (!url || strlen(url) > TKT_HTTP_URL_MAX || has_odd_bytes(url) ||
        !parts_of(&p, url)) {
        return tkt_err_set(err, TKT_ERR_CONF, "not a URL such as https://host/path");
    }
    *is_plain = strcmp(p.scheme, "http") == 0;
    *is_here = names_this_host(p.host);
    if (!*is_plain && strcmp(p.scheme, "https") != 0) {
        tkt_err_set(err, TKT_ERR_CONF, "a URL must begin with https://");
    } else if (p.user || p.password) {
        tkt_err_set(err, TKT_ERR_CONF, "a URL must not hold a user or a password");
    } else if (p.fragment) {
        tkt_err_set(err, TKT_ERR_CONF, "a URL to call has no part behind #");
    } else if ((size_t)snprintf(key, size, "%s://%s:%s", p.scheme, p.host, p.port) >=
               size) {
        tkt_err_set(err, TKT_ERR_CONF, "the host's name in a URL is too long");
    } else {
        rc = 0;
    }
    parts_release(&p);
    return rc;
}

int tkt_smtp_split_url(const char *url, char *key, size_t size, bool *is_tls,
                       bool *is_here, struct tkt_err *err)
{
    struct url_parts p;
    char *path = NULL;
    int rc = -1;

    if (!url || strlen(url) > TKT_HTTP_URL_MAX || has_odd_bytes(url) ||
        !parts_of(&p, url)) {
        return tkt_err_set(err, TKT_ERR_CONF, "not a URL such as smtp://host:587");
    }
    (void)curl_url_get(p.url, CURLUPART_PATH, &path, 0); /* absent: stays NULL */
    *is_tls = strcmp(p.scheme, "smtps") == 0;
    *is_here = names_this_host(p.host);
    if (!*is_tls && strcmp(p.scheme, "smtp") != 0) {
        tkt_err_set(err, TKT_ERR_CONF, "a URL for mail begins with smtp:// or smtps://");
    } else if (p.user || p.password) {
        tkt_err_set(err, TKT_ERR_CONF, "a URL must not hold a user or a password");
    } else if (p.fragment || strchr(url, '?') || (path && strcmp(path, "/") != 0) ||
               url[strlen(url) - 1] == '/') {
        tkt_err_set(err, TKT_ERR_CONF, "a URL for mail ends with the host or its port");
    } else if ((size_t)snprintf(key, size, "%s://%s:%s", p.scheme, p.host, p.port) >=
               size) {
        tkt_err_set(err, TKT_ERR_CONF, "the host's name in a URL is too long");
    } else {
        rc = 0;
    }
    curl_free(path);
    parts_release(&p);
    return rc;
}

static int check_literal(const char *url, struct tkt_err *err)
{
    struct url_parts p;
    struct sockaddr_storage ss;

    if (!parts_of(&p, url)) {
        return tkt_err_set(err, TKT_ERR_CONF, "not a URL such as https://host/path");
    }
    socklen_t n = literal(p.host, &ss);
    bool closed = n > 0 && !tkt_address_is_public((struct sockaddr *)&ss, n);

    parts_release(&p);
    return closed ? tkt_err_set(err, TKT_ERR_CONF,
                                "the URL names an address that is not public")
                  : 0;
}

int tkt_http_server(const char *url, char *room, size_t size, struct tkt_err *err)
{
    bool is_plain = false;
    bool is_here = false;

    return tkt_http_split_url(url, room, size, &is_plain, &is_here, err);
}

int tkt_http_check_url(const char *url, const struct tkt_http_peer *peer,
                       struct tkt_err *err)
{
    bool is_plain = false;
    bool is_here = false;
    char key[300];

    if (tkt_http_split_url(url, key, sizeof(key), &is_plain, &is_here, err) < 0) {
        return -1;
    }
    if (is_plain && !is_here && !peer->allow_plain) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "%s: only https, unless it is this host itself", key);
    }
    return peer->public_only ? check_literal(url, err) : 0;
}

const char *tkt_http_origin(const char *url, char *room, size_t size)
{
    struct url_parts p;

    if (size == 0) {
        return "";
    }
    if (!url || !parts_of(&p, url)) {
        snprintf(room, size, "(not a URL)");
        return room;
    }
    snprintf(room, size, "%s://%s", p.scheme, p.host);
    parts_release(&p);
    return room;
}
