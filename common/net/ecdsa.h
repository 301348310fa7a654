/* SPDX-License-Identifier: BSD-2-Clause
 * Signatures by ECDSA over SHA-256, checked. Pure; any thread.
 */
#ifndef TKT_NET_ECDSA_H
#define TKT_NET_ECDSA_H
#include "base/err.h"

#include <stddef.h>

#define TKT_ECDSA_KEY_MAX 1024 /* bytes of a public key as text */
#define TKT_ECDSA_SIGNATURE_MAX 256

/* key: SubjectPublicKeyInfo in base64, as services show it, or as PEM; on curve P-256.
 * signature: DER in base64. 1 it fits, 0 it does not, -1 CONF: the key is none. */
int tkt_ecdsa_verify(const char *key, size_t key_len, const void *data, size_t len,
                     const char *signature, struct tkt_err *err);

#endif
