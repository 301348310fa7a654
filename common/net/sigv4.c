/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/sigv4.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FIELDS_MAX 36
#define PARAMS_MAX 64
#define TEXT_MAX (64 * 1024)

struct field {
    char name[64]; /* lower case */
    const char *value;
    size_t len;
};
struct param {
    char *name; /* encoded */
    char *value;
};
struct url_view {
    const char *host;
    size_t host_len;
    const char *path;
    size_t path_len;
    const char *query;
};

static int out_of_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "sigv4: no memory");
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

static int add_encoded(struct tkt_buf *b, const char *s, size_t n, bool keep_slash)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        if (is_unreserved(c) || (keep_slash && c == '/')) {
            if (tkt_buf_addc(b, (char)c) < 0) {
                return -1;
            }
        } else if (tkt_buf_addf(b, "%%%02X", c) < 0) {
            return -1;
        }
    }
    return 0;
}

static int view_of(const char *url, struct url_view *v, struct tkt_err *err)
{
    const char *host = strstr(url, "://");

    if (!host) {
        return tkt_err_set(err, TKT_ERR_CONF, "sigv4: not a URL");
    }
    v->host = host + 3;
    v->host_len = strcspn(v->host, "/?#");
    v->path = v->host + v->host_len;
    v->path_len = strcspn(v->path, "?#");
    v->query = v->path[v->path_len] == '?' ? v->path + v->path_len + 1 : "";
    return 0;
}

static int compare_params(const void *a, const void *b)
{
    const struct param *x = a;
    const struct param *y = b;
    int order = strcmp(x->name, y->name); /* not of name=value: '-' is below '=' */

    return order ? order : strcmp(x->value, y->value);
}

/* Percent-decodes a part of the query and encodes it the one way that is signed. */
static char *query_part(const char *s, size_t n)
{
    TKT_AUTO_FREE char *copy = malloc(n + 1);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TEXT_MAX);

    if (!copy) {
        return NULL;
    }
    memcpy(copy, s, n);
    copy[n] = '\0';
    long len = tkt_percent_decode(copy, n);

    if (len < 0 || add_encoded(&out, copy, (size_t)len, false) < 0 ||
        tkt_buf_adds(&out, "") < 0) {
        return NULL;
    }
    return tkt_buf_take(&out, NULL);
}

static int read_params(const char *query, struct param *params, size_t *count,
                       struct tkt_err *err)
{
    while (*query && *query != '#') {
        size_t n = strcspn(query, "&#");
        const char *eq = memchr(query, '=', n);
        size_t name = eq ? (size_t)(eq - query) : n;

        if (n > 0) {
            if (*count == PARAMS_MAX) {
                return tkt_err_set(err, TKT_ERR_CONF, "sigv4: too many parameters");
            }
            struct param *p = &params[(*count)++];

            p->name = query_part(query, name);
            p->value = query_part(eq ? eq + 1 : "", eq ? n - name - 1 : 0);
            if (!p->name || !p->value) {
                return tkt_err_set(err, TKT_ERR_CONF, "sigv4: a broken query");
            }
        }
        query += n + (query[n] == '&');
    }
    return 0;
}

static int add_query(struct tkt_buf *out, const char *query, struct tkt_err *err)
{
    struct param params[PARAMS_MAX] = {{0}};
    size_t count = 0;
    int rc = read_params(query, params, &count, err);

    if (rc == 0) {
        qsort(params, count, sizeof(params[0]), compare_params);
    }
    for (size_t i = 0; i < count; i++) {
        if (rc == 0 && tkt_buf_addf(out, "%s%s=%s", i ? "&" : "", params[i].name,
                                    params[i].value) < 0) {
            rc = out_of_memory(err);
        }
        free(params[i].name);
        free(params[i].value);
    }
    return rc;
}

static int compare_fields(const void *a, const void *b)
{
    return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static int add_field(struct field *f, size_t *count, const char *name, size_t name_len,
                     const char *value, size_t len, struct tkt_err *err)
{
    if (*count == FIELDS_MAX || name_len == 0 || name_len >= sizeof(f->name)) {
        return tkt_err_set(err, TKT_ERR_BUG, "sigv4: too many fields to sign");
    }
    f += (*count)++;
    memcpy(f->name, name, name_len);
    f->name[name_len] = '\0';
    tkt_ascii_lower(f->name);
    f->value = value;
    f->len = len;
    return 0;
}

/* Blanks at the ends go, those within become one. */
static int add_value(struct tkt_buf *b, const char *s, size_t n)
{
    bool blank = false;
    bool begun = false;

    for (size_t i = 0; i < n; i++) {
        if (s[i] == ' ' || s[i] == '\t') {
            blank = begun;
            continue;
        }
        if ((blank && tkt_buf_addc(b, ' ') < 0) || tkt_buf_addc(b, s[i]) < 0) {
            return -1;
        }
        blank = false;
        begun = true;
    }
    return 0;
}

static void stamp(int64_t now_s, char out[17])
{
    time_t t = (time_t)now_s;
    struct tm tm;

    gmtime_r(&t, &tm);
    (void)strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm); /* always 16 bytes */
}

static int gather_fields(const struct tkt_sigv4 *in, const struct url_view *v,
                         const char *date, struct field *f, size_t *count,
                         struct tkt_err *err)
{
    if (add_field(f, count, "host", 4, v->host, v->host_len, err) < 0 ||
        add_field(f, count, "x-amz-date", 10, date, strlen(date), err) < 0 ||
        (in->session_token &&
         add_field(f, count, "x-amz-security-token", 20, in->session_token,
                   strlen(in->session_token), err) < 0)) {
        return -1;
    }
    for (size_t i = 0; in->headers && in->headers[i]; i++) {
        const char *colon = strchr(in->headers[i], ':');

        if (!colon ||
            add_field(f, count, in->headers[i], (size_t)(colon - in->headers[i]),
                      colon + 1, strlen(colon + 1), err) < 0) {
            return colon ? -1 : tkt_err_set(err, TKT_ERR_BUG, "sigv4: an illegal field");
        }
    }
    qsort(f, *count, sizeof(*f), compare_fields);
    return 0;
}

int tkt_sigv4_canonical(const struct tkt_sigv4 *in, struct tkt_buf *out,
                        struct tkt_buf *names, struct tkt_err *err)
{
    struct field fields[FIELDS_MAX];
    struct url_view v = {0};
    size_t count = 0;
    unsigned char hash[TKT_SHA256_LEN];
    char hex[2 * TKT_SHA256_LEN + 1];
    char date[17];

    stamp(in->now_s, date);
    if (view_of(in->url, &v, err) < 0 ||
        gather_fields(in, &v, date, fields, &count, err) < 0) {
        return -1;
    }
    if (tkt_buf_addf(out, "%s\n", in->method) < 0 ||
        (v.path_len ? add_encoded(out, v.path, v.path_len, true)
                    : tkt_buf_addc(out, '/')) < 0 ||
        tkt_buf_addc(out, '\n') < 0) {
        return out_of_memory(err);
    }
    if (add_query(out, v.query, err) < 0) {
        return -1;
    }
    bool ok = tkt_buf_addc(out, '\n') == 0;
    for (size_t i = 0; i < count; i++) {
        ok = ok && tkt_buf_addf(out, "%s:", fields[i].name) == 0 &&
             add_value(out, fields[i].value, fields[i].len) == 0 &&
             tkt_buf_addc(out, '\n') == 0 &&
             tkt_buf_addf(names, "%s%s", i ? ";" : "", fields[i].name) == 0;
    }
    tkt_sha256(in->body_len ? in->body : "", in->body_len, hash);
    tkt_hex_encode(hash, sizeof(hash), hex);
    ok = ok && tkt_buf_addf(out, "\n%s\n%s", tkt_buf_str(names), hex) == 0;
    return ok ? 0 : out_of_memory(err);
}

static void derive_key(const struct tkt_sigv4 *in, const char *day,
                       unsigned char key[TKT_SHA256_LEN])
{
    const char *const chain[] = {in->region, in->service, "aws4_request"};
    char first[300];
    int n = snprintf(first, sizeof(first), "AWS4%.290s", in->secret_key);

    tkt_hmac_sha256(first, (size_t)n, day, 8, key);
    tkt_wipe(first, sizeof(first));
    for (size_t i = 0; i < TKT_ARRAY_LEN(chain); i++) {
        unsigned char next[TKT_SHA256_LEN];

        tkt_hmac_sha256(key, TKT_SHA256_LEN, chain[i], strlen(chain[i]), next);
        memcpy(key, next, sizeof(next));
        tkt_wipe(next, sizeof(next));
    }
}

int tkt_sigv4_sign(const struct tkt_sigv4 *in, struct tkt_buf *out, struct tkt_err *err)
{
    struct tkt_buf canonical = TKT_BUF_INIT(TEXT_MAX);
    struct tkt_buf names = TKT_BUF_INIT(4096);
    struct tkt_buf text = TKT_BUF_INIT(4096);
    unsigned char hash[TKT_SHA256_LEN];
    unsigned char key[TKT_SHA256_LEN];
    char hex[2 * TKT_SHA256_LEN + 1];
    char date[17];
    int rc = tkt_sigv4_canonical(in, &canonical, &names, err);

    if (rc < 0) {
        goto out;
    }
    stamp(in->now_s, date);
    tkt_sha256(canonical.data, canonical.len, hash);
    tkt_hex_encode(hash, sizeof(hash), hex);
    rc = tkt_buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", date,
                      date, in->region, in->service, hex);
    derive_key(in, date, key);
    tkt_hmac_sha256(key, sizeof(key), tkt_buf_str(&text), text.len, hash);
    tkt_wipe(key, sizeof(key));
    tkt_hex_encode(hash, sizeof(hash), hex);
    if (rc < 0 || tkt_buf_addf(out, "X-Amz-Date: %s\n", date) < 0 ||
        (in->session_token &&
         tkt_buf_addf(out, "X-Amz-Security-Token: %s\n", in->session_token) < 0) ||
        tkt_buf_addf(out,
                     "Authorization: AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/"
                     "aws4_request, SignedHeaders=%s, Signature=%s\n",
                     in->access_key, date, in->region, in->service, tkt_buf_str(&names),
                     hex) < 0) {
        rc = out_of_memory(err);
    }
out:
    tkt_buf_release(&canonical);
    tkt_buf_release(&names);
    tkt_buf_release(&text);
    return rc;
}
