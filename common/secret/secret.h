/* SPDX-License-Identifier: BSD-2-Clause
 * Secrets by reference: "file:/path", "env:NAME", "credential:NAME" (systemd).
 *
 * A secret is read when it is needed, owned by the caller, and overwritten when it is
 * released; no copy stays behind in this module. One trailing line end is cut off. At
 * most TKT_SECRET_MAX bytes, at least one. Errors are CONF (no such scheme, file or
 * variable; a file that others may read) or TEMP (I/O); they name the reference, never
 * what it holds. Thread-safe as far as getenv(3) is.
 */
#ifndef TKT_SECRET_SECRET_H
#define TKT_SECRET_SECRET_H
#include "base/err.h"

#include <stddef.h>

#define TKT_SECRET_MAX 65536

struct tkt_secret {
    char *data; /* NUL-terminated behind len; may hold NULs itself */
    size_t len;
};

#define TKT_SECRET_INIT                                                                  \
    {                                                                                    \
        NULL, 0                                                                          \
    }
#define TKT_AUTO_SECRET __attribute__((cleanup(tkt_secret_release)))

int tkt_secret_get(const char *ref, struct tkt_secret *out, struct tkt_err *err);
/* Is there such a scheme, and does the name fit it? Reads nothing. */
int tkt_secret_check(const char *ref, struct tkt_err *err);
void tkt_secret_release(struct tkt_secret *secret);

#endif
