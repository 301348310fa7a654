/* SPDX-License-Identifier: BSD-2-Clause
 * env:NAME. For containers; a variable is seen by all that may read /proc/PID/environ.
 */
#include "secret/backend.h"

#include <stdlib.h>
#include <string.h>

static int check(const char *name, struct tkt_err *err)
{
    static const char bytes[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    if (name[0] != '\0' && name[strspn(name, bytes)] == '\0') {
        return 0;
    }
    return tkt_err_set(err, TKT_ERR_CONF,
                       "env: needs the name of a variable; write env:NAME");
}

static long read_env(const char *name, char *buf, size_t max, struct tkt_err *err)
{
    const char *value = getenv(name);

    if (value == NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "env:%s is not set", name);
    }
    size_t n = strlen(value);
    if (n > max) {
        return tkt_err_set(err, TKT_ERR_CONF, "env:%s is longer than %zu bytes", name,
                           max);
    }
    memcpy(buf, value, n);
    return (long)n;
}

const struct tkt_secret_ops tkt_secret_env_ops =
    TKT_SECRET_OPS("env", "env:NAME", check, read_env);
