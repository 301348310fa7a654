/* SPDX-License-Identifier: BSD-2-Clause */
#include "secret/remote.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/util.h"
#include "secret/remote_private.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct kept {
    char *ref; /* with its scheme */
    char *data;
    size_t len;
    int64_t at_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept kept[TKT_SECRET_KEPT_MAX];

static void wipe(struct kept *k)
{
    if (k->data) {
        tkt_wipe(k->data, k->len);
        free(k->data);
    }
    free(k->ref);
    *k = (struct kept){0};
}

/* Under lock. */
static struct kept *find(const char *ref)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(kept); i++) {
        if (kept[i].ref && strcmp(kept[i].ref, ref) == 0) {
            return &kept[i];
        }
    }
    return NULL;
}

static void keep(const char *ref, const char *data, size_t n)
{
    pthread_mutex_lock(&lock);
    struct kept *k = find(ref);

    for (size_t i = 0; !k && i < TKT_ARRAY_LEN(kept); i++) {
        k = kept[i].ref ? NULL : &kept[i];
    }
    if (!k) {
        k = &kept[0];
        for (size_t i = 1; i < TKT_ARRAY_LEN(kept); i++) {
            k = kept[i].at_ms < k->at_ms ? &kept[i] : k;
        }
    }
    wipe(k);
    k->ref = strdup(ref);
    k->data = malloc(n ? n : 1);
    if (k->ref && k->data) {
        memcpy(k->data, data, n);
        k->len = n;
        k->at_ms = tkt_clock_mono_ms();
    } else {
        wipe(k); /* it is fetched again the next time */
    }
    pthread_mutex_unlock(&lock);
}

static long take(const char *ref, int64_t age_ms, char *buf, size_t max)
{
    long n = -1;

    pthread_mutex_lock(&lock);
    struct kept *k = find(ref);

    if (k && tkt_clock_mono_ms() - k->at_ms > TKT_SECRET_FRESH_MS + TKT_SECRET_STALE_MS) {
        wipe(k);
        k = NULL;
    }
    if (k && tkt_clock_mono_ms() - k->at_ms <= age_ms && k->len <= max) {
        memcpy(buf, k->data, k->len);
        n = (long)k->len;
    }
    pthread_mutex_unlock(&lock);
    return n;
}

static long read_kept(const char *scheme, const char *name, char *buf, size_t max,
                      long (*fetch)(const char *, char *, size_t, struct tkt_err *),
                      struct tkt_err *err)
{
    char ref[2200];
    long n;

    if ((size_t)snprintf(ref, sizeof(ref), "%s:%s", scheme, name) >= sizeof(ref)) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: the name is too long", scheme);
    }
    if ((n = take(ref, TKT_SECRET_FRESH_MS, buf, max)) >= 0) {
        return n;
    }
    n = fetch(name, buf, max, err);
    if (n >= 0) {
        keep(ref, buf, (size_t)n);
    } else if (err->class == TKT_ERR_TEMP) {
        n = take(ref, TKT_SECRET_FRESH_MS + TKT_SECRET_STALE_MS, buf, max);
    } else { /* it was taken away from us */
        pthread_mutex_lock(&lock);
        struct kept *k = find(ref);

        if (k) {
            wipe(k);
        }
        pthread_mutex_unlock(&lock);
    }
    return n;
}

static long read_aws(const char *name, char *buf, size_t max, struct tkt_err *err)
{
    return read_kept("aws", name, buf, max, tkt_secret_aws_fetch, err);
}

static long read_vault(const char *name, char *buf, size_t max, struct tkt_err *err)
{
    return read_kept("vault", name, buf, max, tkt_secret_vault_fetch, err);
}

static int check_aws(const char *name, struct tkt_err *err)
{
    struct tkt_secret_name n;

    return tkt_secret_name_split(name, &n, err);
}

static int check_vault(const char *name, struct tkt_err *err)
{
    struct tkt_secret_name n;

    if (tkt_secret_name_split(name, &n, err) < 0) {
        return -1;
    }
    const char *slash = strchr(n.name, '/');

    return n.member && slash && slash != n.name && slash[1] && !strstr(n.name, "..")
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "write vault:mount/path#member");
}

static const struct tkt_secret_ops aws_ops =
    TKT_SECRET_OPS("aws", "aws:NAME or aws:NAME#member", check_aws, read_aws);
static const struct tkt_secret_ops vault_ops =
    TKT_SECRET_OPS("vault", "vault:mount/path#member", check_vault, read_vault);

void tkt_secret_remote_init(void)
{
    tkt_secret_add_backend(&aws_ops);
    tkt_secret_add_backend(&vault_ops);
}

void tkt_secret_remote_clear(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < TKT_ARRAY_LEN(kept); i++) {
        wipe(&kept[i]);
    }
    pthread_mutex_unlock(&lock);
    tkt_secret_aws_clear();
}

/* ---- what both need ----------------------------------------------------------------------- */

int tkt_secret_name_split(const char *ref, struct tkt_secret_name *out,
                          struct tkt_err *err)
{
    char *hash;

    if ((size_t)snprintf(out->name, sizeof(out->name), "%s", ref) >= sizeof(out->name)) {
        return tkt_err_set(err, TKT_ERR_CONF, "the name of a secret is too long");
    }
    hash = strrchr(out->name, '#');
    out->member = hash ? hash + 1 : NULL;
    if (hash) {
        *hash = '\0';
    }
    for (const char *p = out->name; *p; p++) {
        if (*p <= ' ' || *p == '"' || *p == '\\' || *p == '?' || *p == 0x7f) {
            return tkt_err_set(err, TKT_ERR_CONF, "an illegal name of a secret");
        }
    }
    return out->name[0] && (!out->member || *out->member)
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "the name of a secret is missing");
}

const char *tkt_secret_env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

int tkt_secret_ask(const struct tkt_http_request *q, struct tkt_http_response *r,
                   struct tkt_err *err)
{
    *r = (struct tkt_http_response){0};
    if (tkt_http_perform(q, r, err) < 0) {
        return -1;
    }
    if (r->outcome == TKT_HTTP_DONE) {
        return 0;
    }
    *err = r->err;
    if (err->class != TKT_ERR_TEMP) {
        err->class = TKT_ERR_CONF;
    }
    return -1;
}

long tkt_secret_give(const char *value, size_t n, char *buf, size_t max,
                     struct tkt_err *err)
{
    if (n > max) {
        return tkt_err_set(err, TKT_ERR_CONF, "longer than %zu bytes", max);
    }
    memcpy(buf, value, n);
    return (long)n;
}
