/* SPDX-License-Identifier: BSD-2-Clause
 * Signature version 4 of AWS, as header fields of a request. Pure; any thread.
 *
 * The path is signed as the services other than S3 want it (encoded once more), the query
 * sorted with each value encoded. Errors: CONF for an illegal URL, TEMP without memory.
 */
#ifndef TKT_NET_SIGV4_H
#define TKT_NET_SIGV4_H
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct tkt_sigv4 {
    const char *method;
    const char *url;
    const char *const
        *headers; /* to be signed besides host and x-amz-*; NULL-terminated */
    const void *body;
    size_t body_len;
    const char *region;
    const char *service;
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* or NULL */
    int64_t now_s;
};

/* Appends "X-Amz-Date: ...\n", with a session token "X-Amz-Security-Token: ...\n", and
 * "Authorization: ...\n". */
int tkt_sigv4_sign(const struct tkt_sigv4 *in, struct tkt_buf *out, struct tkt_err *err);
/* The canonical request alone, for tests. */
int tkt_sigv4_canonical(const struct tkt_sigv4 *in, struct tkt_buf *out,
                        struct tkt_buf *signed_names, struct tkt_err *err);

#endif
