/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/optout.h"

#include "base/enc.h"
#include "base/util.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define VERSION 1
#define TAG_LEN 16
#define HEAD_LEN (1 + TAG_LEN)
#define BLOCK 16
#define TICKET_LEN 5
#define SCOPE_ALL 'a'              /* of links that were made before there were others */
#define SCOPE_DESK 'd'             /* the ticket's */
#define FIXED_LEN (1 + TICKET_LEN) /* scope, ticket; then the address and zeros */
#define PLAIN_MAX ((FIXED_LEN + TKT_OPTOUT_ADDRESS_MAX + BLOCK - 1) / BLOCK * BLOCK)

_Static_assert(TKT_OPTOUT_LEN_MAX == ((HEAD_LEN + PLAIN_MAX) * 8 + 4) / 5, "base32");

#define LABEL_MAC "tkt-optout-mac"
#define LABEL_CIPHER "tkt-optout-cipher"

static void subkey(const struct tkt_token_keys *keys, size_t i, const char *label,
                   unsigned char out[TKT_SHA256_LEN])
{
    tkt_hmac_sha256(keys->key[i].secret, TKT_SHA256_LEN, label, strlen(label), out);
}

static void make_tag(const struct tkt_token_keys *keys, size_t i,
                     const unsigned char *plain, size_t len, unsigned char tag[TAG_LEN])
{
    unsigned char key[TKT_SHA256_LEN];
    unsigned char mac[TKT_SHA256_LEN];

    subkey(keys, i, LABEL_MAC, key);
    tkt_hmac_sha256(key, sizeof(key), plain, len, mac);
    memcpy(tag, mac, TAG_LEN);
    tkt_wipe(key, sizeof(key));
}

/* Both ways. */
static bool cipher(const struct tkt_token_keys *keys, size_t i,
                   const unsigned char tag[TAG_LEN], unsigned char *data, size_t len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char key[TKT_SHA256_LEN];
    int n = 0;

    subkey(keys, i, LABEL_CIPHER, key);
    bool ok = ctx != NULL &&
              EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, key, tag) == 1 &&
              EVP_EncryptUpdate(ctx, data, &n, data, (int)len) == 1 && (size_t)n == len;
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    tkt_wipe(key, sizeof(key));
    return ok;
}

int tkt_optout_make(const struct tkt_token_keys *keys, int64_t ticket,
                    const char *address, char out[TKT_OPTOUT_LEN_MAX + 1],
                    struct tkt_err *err)
{
    unsigned char all[HEAD_LEN + PLAIN_MAX] = {0};
    unsigned char *plain = all + HEAD_LEN;
    size_t n = strnlen(address, TKT_OPTOUT_ADDRESS_MAX + 1);
    size_t len = (FIXED_LEN + n + BLOCK - 1) / BLOCK * BLOCK;

    if (keys->count == 0 || n == 0 || n > TKT_OPTOUT_ADDRESS_MAX || ticket <= 0 ||
        ticket > TKT_TOKEN_TICKET_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "no way to opt out: no key, ticket or address");
    }
    plain[0] = SCOPE_DESK;
    for (int i = 0; i < TICKET_LEN; i++) {
        plain[1 + i] = (unsigned char)(ticket >> (8 * (TICKET_LEN - 1 - i)));
    }
    memcpy(plain + FIXED_LEN, address, n);
    all[0] = (unsigned char)(VERSION << 4 | keys->key[0].id);
    make_tag(keys, 0, plain, len, all + 1);
    if (!cipher(keys, 0, all + 1, plain, len)) {
        return tkt_err_set(err, TKT_ERR_PERM, "no way to opt out: no cipher");
    }
    tkt_base32_encode(all, HEAD_LEN + len, out);
    return 0;
}

static bool read_plain(const unsigned char *plain, size_t len, struct tkt_optout *out)
{
    size_t room = len - FIXED_LEN;
    const void *end = memchr(plain + FIXED_LEN, '\0', room);
    size_t n =
        end == NULL ? room : (size_t)((const unsigned char *)end - plain) - FIXED_LEN;

    if ((plain[0] != SCOPE_ALL && plain[0] != SCOPE_DESK) || n == 0 ||
        n > TKT_OPTOUT_ADDRESS_MAX) {
        return false;
    }
    out->is_desks = plain[0] == SCOPE_DESK;
    out->ticket = 0;
    for (int i = 0; i < TICKET_LEN; i++) {
        out->ticket = out->ticket << 8 | plain[1 + i];
    }
    memcpy(out->address, plain + FIXED_LEN, n);
    out->address[n] = '\0';
    return true;
}

bool tkt_optout_open(const struct tkt_token_keys *keys, const char *text, size_t len,
                     struct tkt_optout *out)
{
    unsigned char all[HEAD_LEN + PLAIN_MAX];
    unsigned char plain[PLAIN_MAX];
    unsigned char tag[TAG_LEN];
    bool found = false;

    if (len > TKT_OPTOUT_LEN_MAX) {
        return false;
    }
    int bytes = tkt_base32_decode(text, len, all, sizeof(all));
    size_t n = bytes < HEAD_LEN ? 0 : (size_t)bytes - HEAD_LEN;
    if (n < BLOCK || n % BLOCK != 0 || all[0] >> 4 != VERSION) {
        return false;
    }
    for (size_t i = 0; i < keys->count && !found; i++) {
        if (keys->key[i].id != (all[0] & 0x0fU)) {
            continue;
        }
        memcpy(plain, all + HEAD_LEN, n);
        if (cipher(keys, i, all + 1, plain, n)) {
            make_tag(keys, i, plain, n, tag);
            found = tkt_mem_equal(tag, all + 1, TAG_LEN) && read_plain(plain, n, out);
        }
    }
    return found;
}

bool tkt_optout_is_person(const char *to)
{
    const char *at = strchr(to, '@');

    return at != NULL && at != to && at[1] != '\0' &&
           strnlen(to, TKT_OPTOUT_ADDRESS_MAX + 1) <= TKT_OPTOUT_ADDRESS_MAX;
}
