/* SPDX-License-Identifier: BSD-2-Clause
 * What a kind of secret reference has to offer. One more is one file with its ops, one
 * row in secret.c, one paragraph in ticket-milter.conf(5). Private to common/secret.
 */
#ifndef TKT_SECRET_BACKEND_H
#define TKT_SECRET_BACKEND_H
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct tkt_secret_ops {
    const char *scheme; /* before the colon */
    const char *form;   /* what a reference looks like, for messages */
    /* 0 when name (what stands behind the colon) may be one of this kind. */
    int (*check)(const char *name, struct tkt_err *err);
    /* At most max bytes into buf. Returns their number, or -1. */
    long (*read)(const char *name, char *buf, size_t max, struct tkt_err *err);
};

/* All slots are required: leaving one out does not compile. */
#define TKT_SECRET_OPS(scheme_, form_, check_, read_)                                    \
    {                                                                                    \
        .scheme = (scheme_), .form = (form_), .check = (check_), .read = (read_)         \
    }

extern const struct tkt_secret_ops tkt_secret_file_ops;
extern const struct tkt_secret_ops tkt_secret_env_ops;
extern const struct tkt_secret_ops tkt_secret_credential_ops;

/* Before the first thread: one more kind (secret/remote.h). */
void tkt_secret_add_backend(const struct tkt_secret_ops *ops);

/* The whole regular file at path into buf. with_owner: refuse what others may read. */
long tkt_secret_read_path(const char *path, bool with_owner, char *buf, size_t max,
                          struct tkt_err *err);

#endif
