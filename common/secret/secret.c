/* SPDX-License-Identifier: BSD-2-Clause */
#include "secret/secret.h"

#include "base/hash.h"
#include "base/util.h"
#include "secret/backend.h"

#include <stdlib.h>
#include <string.h>

#define BACKENDS_MAX 8

static const struct tkt_secret_ops *backends[BACKENDS_MAX] = {
    &tkt_secret_file_ops,
    &tkt_secret_env_ops,
    &tkt_secret_credential_ops,
};

void tkt_secret_add_backend(const struct tkt_secret_ops *ops)
{
    for (size_t i = 0; i < BACKENDS_MAX; i++) {
        if (backends[i] == NULL || backends[i] == ops) {
            backends[i] = ops;
            return;
        }
    }
}

/* *name gets what stands behind the colon. */
static const struct tkt_secret_ops *find(const char *ref, const char **name)
{
    const char *colon = strchr(ref, ':');

    for (size_t i = 0; colon != NULL && i < BACKENDS_MAX && backends[i] != NULL; i++) {
        size_t n = strlen(backends[i]->scheme);
        if ((size_t)(colon - ref) == n && memcmp(ref, backends[i]->scheme, n) == 0) {
            *name = colon + 1;
            return backends[i];
        }
    }
    return NULL;
}

/* What was written instead of a reference may be a secret: it is not shown. */
static int unknown(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_CONF,
                       "not a reference to a secret; write file:/path, env:NAME or "
                       "credential:NAME (ticketd also reads aws:NAME#member and "
                       "vault:mount/path#member)");
}

int tkt_secret_check(const char *ref, struct tkt_err *err)
{
    const char *name = NULL;
    const struct tkt_secret_ops *ops = find(ref, &name);

    return ops == NULL ? unknown(err) : ops->check(name, err);
}

static size_t without_line_end(const char *data, size_t n)
{
    if (n > 0 && data[n - 1] == '\n') {
        n--;
        if (n > 0 && data[n - 1] == '\r') {
            n--;
        }
    }
    return n;
}

int tkt_secret_get(const char *ref, struct tkt_secret *out, struct tkt_err *err)
{
    const char *name = NULL;
    const struct tkt_secret_ops *ops = find(ref, &name);

    if (ops == NULL) {
        return unknown(err);
    }
    if (ops->check(name, err) < 0) {
        return -1;
    }
    char *data = malloc(TKT_SECRET_MAX + 1);
    if (data == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    long n = ops->read(name, data, TKT_SECRET_MAX, err);
    size_t len = n < 0 ? 0 : without_line_end(data, (size_t)n);
    if (len == 0) {
        tkt_wipe(data, TKT_SECRET_MAX + 1);
        free(data);
        return n < 0 ? -1
                     : tkt_err_set(err, TKT_ERR_CONF, "%s: empty; put the secret there",
                                   ref);
    }
    data[len] = '\0';
    *out = (struct tkt_secret){data, len};
    return 0;
}

void tkt_secret_release(struct tkt_secret *secret)
{
    if (secret->data != NULL) {
        tkt_wipe(secret->data, secret->len + 1);
        free(secret->data);
    }
    *secret = (struct tkt_secret)TKT_SECRET_INIT;
}
