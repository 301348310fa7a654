/* SPDX-License-Identifier: BSD-2-Clause
 * JSON Web Tokens that say who we are (RFC 7523), signed with a private key.
 *
 * Promise: the key decides how it is signed: RSA of at least TKT_JWT_RSA_MIN bits RS256,
 * P-256 ES256; nothing of the key stands in an error, and no passphrase is asked for.
 * Threads: any. Errors: CONF for a key that cannot sign, PERM for claims that are too long,
 * TEMP without memory.
 */
#ifndef TKT_NET_JWT_H
#define TKT_NET_JWT_H
#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define TKT_JWT_MAX 8000
#define TKT_JWT_RSA_MIN 2048
#define TKT_JWT_LIFE_S 180 /* some servers take no longer one */
#define TKT_JWT_SKEW_S 60  /* their clock may be behind ours */

struct tkt_jwt { /* "" leaves a claim out */
    const char *key_pem;
    const char *key_id;
    const char *issuer, *subject, *audience;
    const char *scope;
    int64_t now_s;
};

/* Appends the token to out. */
int tkt_jwt_sign(const struct tkt_jwt *in, struct tkt_buf *out, struct tkt_err *err);

#endif
