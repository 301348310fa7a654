/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/ecdsa.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Bytes, or -1. EVP_DecodeBlock counts the padding as bytes. */
static int decode(const char *text, size_t len, unsigned char *out, size_t max)
{
    size_t padding = len > 0 && text[len - 1] == '=' ? 1 : 0;

    padding += len > 1 && text[len - 2] == '=' ? 1 : 0;
    if (len == 0 || len % 4 != 0 || len / 4 * 3 > max) {
        return -1;
    }
    int n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);

    return n < (int)padding ? -1 : n - (int)padding;
}

/* Without blanks, and without the lines that PEM has around it. */
static size_t bare(const char *key, size_t len, char out[TKT_ECDSA_KEY_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < len;) {
        if (key[i] == '-') {
            const char *end = memchr(key + i, '\n', len - i);

            i = end == NULL ? len : (size_t)(end - key);
        } else if (strchr(" \t\r\n", key[i]) == NULL && n < TKT_ECDSA_KEY_MAX) {
            out[n++] = key[i++];
        } else {
            i++;
        }
    }
    return n;
}

static bool is_p256(EVP_PKEY *key)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    char group[32] = "";

    return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           strcasecmp(group, "prime256v1") == 0;
#else
    const EC_KEY *ec =
        EVP_PKEY_base_id(key) == EVP_PKEY_EC ? EVP_PKEY_get0_EC_KEY(key) : NULL;

    return ec != NULL &&
           EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) == NID_X9_62_prime256v1;
#endif
}

static EVP_PKEY *read_key(const char *key, size_t len)
{
    char text[TKT_ECDSA_KEY_MAX];
    unsigned char der[TKT_ECDSA_KEY_MAX];
    size_t n = bare(key, len, text);
    int bytes = decode(text, n, der, sizeof(der));
    const unsigned char *p = der;
    EVP_PKEY *found = bytes < 0 ? NULL : d2i_PUBKEY(NULL, &p, bytes);

    if (found != NULL && !is_p256(found)) {
        EVP_PKEY_free(found);
        found = NULL;
    }
    return found;
}

int tkt_ecdsa_verify(const char *key, size_t key_len, const void *data, size_t len,
                     const char *signature, struct tkt_err *err)
{
    unsigned char sig[TKT_ECDSA_SIGNATURE_MAX];
    size_t n = strnlen(signature, TKT_ECDSA_SIGNATURE_MAX + 1);
    int bytes = n > TKT_ECDSA_SIGNATURE_MAX ? -1 : decode(signature, n, sig, sizeof(sig));
    EVP_PKEY *pkey = read_key(key, key_len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int rc = 0;

    if (pkey == NULL || ctx == NULL) {
        rc = tkt_err_set(err, TKT_ERR_CONF, "it is no public key of P-256 in base64");
    } else if (bytes > 0 &&
               EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1) {
        rc = EVP_DigestVerify(ctx, sig, (size_t)bytes, data, len) == 1;
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return rc;
}
