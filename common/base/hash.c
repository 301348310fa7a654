/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

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

void tkt_hmac_sha256(const void *key, size_t keylen, const void *data, size_t n,
                     unsigned char out[TKT_SHA256_LEN])
{
    if (HMAC(sha256_md(), key, (int)keylen, data, n, out, NULL) == NULL) {
        abort();
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
