/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define HMAC_BLOCK 64 /* of SHA-256 */

/* OpenSSL 3 looks an implicit algorithm up on every init (several microseconds under a
 * lock); one explicit fetch for the life of the process avoids that. */
static const EVP_MD *sha256_md(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    static EVP_MD *md;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    EVP_MD *seen = __atomic_load_n(&md, __ATOMIC_ACQUIRE);

    if (seen == NULL) {
        pthread_mutex_lock(&lock);
        if (md == NULL) {
            __atomic_store_n(&md, EVP_MD_fetch(NULL, "SHA256", NULL), __ATOMIC_RELEASE);
        }
        seen = md;
        pthread_mutex_unlock(&lock);
    }
    return seen;
#else
    return EVP_sha256();
#endif
}

void tkt_sha256_init(struct tkt_sha256 *h)
{
    h->ctx = EVP_MD_CTX_new();
    if (h->ctx == NULL || EVP_DigestInit_ex(h->ctx, sha256_md(), NULL) != 1) {
        abort();
    }
}

void tkt_sha256_add(struct tkt_sha256 *h, const void *data, size_t n)
{
    if (EVP_DigestUpdate(h->ctx, data, n) != 1) {
        abort();
    }
}

void tkt_sha256_final(struct tkt_sha256 *h, unsigned char out[TKT_SHA256_LEN])
{
    if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1) {
        abort();
    }
    tkt_sha256_release(h);
}

void tkt_sha256_release(struct tkt_sha256 *h)
{
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}

void tkt_sha256(const void *data, size_t n, unsigned char out[TKT_SHA256_LEN])
{
    struct tkt_sha256 h;

    tkt_sha256_init(&h);
    tkt_sha256_add(&h, data, n);
    tkt_sha256_final(&h, out);
}

static void hmac_half(const unsigned char pad[HMAC_BLOCK], unsigned char with,
                      const void *data, size_t n, unsigned char out[TKT_SHA256_LEN])
{
    unsigned char block[HMAC_BLOCK];
    struct tkt_sha256 h;

    for (size_t i = 0; i < HMAC_BLOCK; i++) {
        block[i] = pad[i] ^ with;
    }
    tkt_sha256_init(&h);
    tkt_sha256_add(&h, block, sizeof(block));
    tkt_sha256_add(&h, data, n);
    tkt_sha256_final(&h, out);
    tkt_wipe(block, sizeof(block));
}

/* RFC 2104. OpenSSL 3 looks two algorithms up for each HMAC(), which costs more than the
 * hashing of what we sign. */
void tkt_hmac_sha256(const void *key, size_t keylen, const void *data, size_t n,
                     unsigned char out[TKT_SHA256_LEN])
{
    unsigned char pad[HMAC_BLOCK] = {0};
    unsigned char inner[TKT_SHA256_LEN];

    if (keylen > HMAC_BLOCK) {
        tkt_sha256(key, keylen, pad);
    } else if (keylen > 0) {
        memcpy(pad, key, keylen);
    }
    hmac_half(pad, 0x36, data, n, inner);
    hmac_half(pad, 0x5c, inner, sizeof(inner), out);
    tkt_wipe(pad, sizeof(pad));
}

void tkt_hmac_sha1(const void *key, size_t keylen, const void *data, size_t n,
                   unsigned char out[TKT_SHA1_LEN])
{
    unsigned len = 0;

    if (HMAC(EVP_sha1(), key, (int)keylen, data, n, out, &len) == NULL ||
        len != TKT_SHA1_LEN) {
        abort(); /* as the others: nothing could be promised then */
    }
}

bool tkt_mem_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void tkt_random(void *out, size_t n)
{
    unsigned char *p = out;

    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0) {
            abort();
        }
        p += got;
        n -= (size_t)got;
    }
}

void tkt_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}
