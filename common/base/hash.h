/* SPDX-License-Identifier: BSD-2-Clause
 * SHA-256, HMAC-SHA-256 and -1, random bytes: libcrypto and getrandom(2) behind names of ours.
 *
 * A struct tkt_sha256 belongs to one thread; the functions have no other state.
 */
#ifndef TKT_BASE_HASH_H
#define TKT_BASE_HASH_H
#include <stdbool.h>
#include <stddef.h>

#define TKT_SHA256_LEN 32
#define TKT_SHA1_LEN 20

struct tkt_sha256 {
    void *ctx; /* EVP_MD_CTX */
};

/* Aborts when libcrypto has no memory or no SHA-256: nothing could be promised then. */
void tkt_sha256_init(struct tkt_sha256 *h);
void tkt_sha256_add(struct tkt_sha256 *h, const void *data, size_t n);
/* Writes the digest and frees the state; init again before the next use. */
void tkt_sha256_final(struct tkt_sha256 *h, unsigned char out[TKT_SHA256_LEN]);
/* Frees the state without a digest. Safe after final and on a zeroed struct. */
void tkt_sha256_release(struct tkt_sha256 *h);
void tkt_sha256(const void *data, size_t n, unsigned char out[TKT_SHA256_LEN]);
void tkt_hmac_sha256(const void *key, size_t keylen, const void *data, size_t n,
                     unsigned char out[TKT_SHA256_LEN]);
/* For services that sign with nothing better; nothing of ours uses it. */
void tkt_hmac_sha1(const void *key, size_t keylen, const void *data, size_t n,
                   unsigned char out[TKT_SHA1_LEN]);
/* Constant time in n. */
bool tkt_mem_equal(const void *a, const void *b, size_t n);
/* Fills out; aborts if the kernel gives no randomness. */
void tkt_random(void *out, size_t n);
/* Overwrites memory in a way the compiler keeps. */
void tkt_wipe(void *p, size_t n);

#endif
