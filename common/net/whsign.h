/* SPDX-License-Identifier: BSD-2-Clause
 * Signatures of Standard Webhooks (scheme v1, HMAC-SHA-256). Pure; any thread.
 * Source: spec/standard-webhooks.md of standard-webhooks.
 */
#ifndef TKT_NET_WHSIGN_H
#define TKT_NET_WHSIGN_H
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TKT_WHSIGN_KEY_MIN 24 /* bytes of a key */
#define TKT_WHSIGN_KEY_MAX 64
#define TKT_WHSIGN_SECRETS_MAX 4 /* old and new ones while they are changed */

/* Appends the value of the header field webhook-signature: one signature for each of the
 * secrets ("whsec_" and base64, blanks between them). -1 CONF: what is wrong with a secret,
 * without a word of it. */
int tkt_whsign(const char *secrets, const char *id, int64_t at_s, const void *body,
               size_t len, struct tkt_buf *out, struct tkt_err *err);

#endif
