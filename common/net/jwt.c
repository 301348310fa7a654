/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/jwt.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"

#include <inttypes.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#define SIGNATURE_MAX 2048 /* RSA of 16384 bits */
#define P256_HALF 32

static void base64url_add(struct tkt_buf *out, const void *data, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t v = (uint32_t)p[i] << 16;

        v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= left > 2 ? (uint32_t)p[i + 2] : 0;
        tkt_buf_addc(out, digits[v >> 18]);
        tkt_buf_addc(out, digits[v >> 12 & 63]);
        if (left > 1) {
            tkt_buf_addc(out, digits[v >> 6 & 63]);
        }
        if (left > 2) {
            tkt_buf_addc(out, digits[v & 63]);
        }
    }
}

/* ---- the key -------------------------------------------------------------------------- */

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf; /* libcrypto would ask the terminal instead */
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* The public half of a P-256 key begins so, however the key was written down. */
static bool is_p256(EVP_PKEY *key)
{
    static const unsigned char head[] = {
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    bool is = n > (int)sizeof(head) && memcmp(der, head, sizeof(head)) == 0;

    OPENSSL_free(der);
    return is;
}

/* The name of its algorithm, or NULL. */
static const char *algorithm_of(EVP_PKEY *key)
{
    switch (EVP_PKEY_base_id(key)) {
    case EVP_PKEY_RSA:
        return EVP_PKEY_bits(key) >= TKT_JWT_RSA_MIN &&
                       EVP_PKEY_size(key) <= SIGNATURE_MAX
                   ? "RS256"
                   : NULL;
    case EVP_PKEY_EC:
        return is_p256(key) ? "ES256" : NULL;
    default:
        return NULL;
    }
}

static EVP_PKEY *read_key(const char *pem, struct tkt_err *err)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key =
        bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

    BIO_free(bio);
    ERR_clear_error();
    if (key == NULL) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "the secret is no private key in PEM without a passphrase");
    } else if (algorithm_of(key) == NULL) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "the private key is neither RSA of at least %d bits nor P-256",
                    TKT_JWT_RSA_MIN);
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/* ---- the claims ----------------------------------------------------------------------- */

static void add_claim(struct tkt_buf *b, const char *name, const char *value)
{
    if (*value != '\0') {
        tkt_buf_addf(b, "\"%s\":", name);
        (void)tkt_json_add_string(b, value, strlen(value)); /* b->failed tells */
        tkt_buf_addc(b, ',');
    }
}

static int add_content(const struct tkt_jwt *in, const char *algorithm,
                       struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(TKT_JWT_MAX);
    TKT_AUTO_BUF struct tkt_buf body = TKT_BUF_INIT(TKT_JWT_MAX);
    unsigned char random[16];
    char id[2 * sizeof(random) + 1];

    tkt_random(random, sizeof(random));
    tkt_hex_encode(random, sizeof(random), id);
    tkt_buf_adds(&head, "{");
    add_claim(&head, "kid", in->key_id);
    tkt_buf_addf(&head, "\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithm);
    tkt_buf_adds(&body, "{");
    add_claim(&body, "iss", in->issuer);
    add_claim(&body, "sub", in->subject);
    add_claim(&body, "aud", in->audience);
    add_claim(&body, "scope", in->scope);
    tkt_buf_addf(&body, "\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"jti\":\"%s\"}",
                 in->now_s - TKT_JWT_SKEW_S, in->now_s + TKT_JWT_LIFE_S, id);
    base64url_add(out, head.data, head.len);
    tkt_buf_addc(out, '.');
    base64url_add(out, body.data, body.len);
    return head.failed || body.failed || out->failed
               ? tkt_err_set(err, TKT_ERR_PERM, "the claims of a token are too long")
               : 0;
}

/* ---- the signature -------------------------------------------------------------------- */

/* libcrypto writes two numbers in DER; RFC 7518, 3.4 wants their 64 bytes. */
static int flatten(unsigned char *sig, size_t *len)
{
    const unsigned char *p = sig;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)*len);
    int rc = -1;

    if (pair != NULL &&
        BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig, P256_HALF) == P256_HALF &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig + P256_HALF, P256_HALF) == P256_HALF) {
        *len = 2 * (size_t)P256_HALF;
        rc = 0;
    }
    ECDSA_SIG_free(pair);
    return rc;
}

static int sign(EVP_PKEY *key, const struct tkt_buf *content, size_t from,
                unsigned char sig[SIGNATURE_MAX], size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestSign(ctx, sig, len, (const unsigned char *)content->data + from,
                            content->len - from) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return !ok ? -1 : EVP_PKEY_base_id(key) == EVP_PKEY_EC ? flatten(sig, len) : 0;
}

int tkt_jwt_sign(const struct tkt_jwt *in, struct tkt_buf *out, struct tkt_err *err)
{
    unsigned char sig[SIGNATURE_MAX];
    size_t len = sizeof(sig);
    size_t from = out->len;
    int rc = -1;
    EVP_PKEY *key = read_key(in->key_pem, err);

    if (key != NULL && add_content(in, algorithm_of(key), out, err) == 0) {
        if (sign(key, out, from, sig, &len) < 0) {
            tkt_err_set(err, TKT_ERR_CONF, "the private key does not sign");
        } else {
            tkt_buf_addc(out, '.');
            base64url_add(out, sig, len);
            rc = out->failed ? tkt_err_set(err, TKT_ERR_PERM, "a token is too long") : 0;
        }
    }
    EVP_PKEY_free(key);
    return rc;
}
