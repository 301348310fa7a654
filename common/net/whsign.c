/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/whsign.h"

#include "base/hash.h"
#include "base/util.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#define PREFIX "whsec_"
#define BLANKS " \t\r\n"
#define CODED_MAX 88 /* base64 of the longest key */
#define SIGNED_MAX (16 * 1024 * 1024)

/* The bytes behind a secret; their number, or -1. */
static int key_of(const char *secret, size_t len, unsigned char out[CODED_MAX])
{
    size_t skip = strlen(PREFIX);

    if (len <= skip || strncmp(secret, PREFIX, skip) != 0 || len - skip > CODED_MAX ||
        (len - skip) % 4 != 0) {
        return -1;
    }
    int n = EVP_DecodeBlock(out, (const unsigned char *)secret + skip, (int)(len - skip));
    n -= secret[len - 1] == '=';
    n -= secret[len - 2] == '=';
    return n < TKT_WHSIGN_KEY_MIN || n > TKT_WHSIGN_KEY_MAX ? -1 : n;
}

static void add_one(const unsigned char *key, int key_len, const struct tkt_buf *content,
                    struct tkt_buf *out)
{
    unsigned char mac[TKT_SHA256_LEN];
    unsigned char coded[TKT_SHA256_LEN * 2];

    tkt_hmac_sha256(key, (size_t)key_len, content->data, content->len, mac);
    EVP_EncodeBlock(coded, mac, (int)sizeof(mac));
    tkt_buf_addf(out, "%sv1,%s", out->len > 0 ? " " : "", (const char *)coded);
}

int tkt_whsign(const char *secrets, const char *id, int64_t at_s, const void *body,
               size_t len, struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf content = TKT_BUF_INIT(SIGNED_MAX);
    TKT_AUTO_BUF struct tkt_buf signatures = TKT_BUF_INIT(4096);
    unsigned char key[CODED_MAX];
    int count = 0;

    tkt_buf_addf(&content, "%s.%" PRId64 ".", id, at_s);
    tkt_buf_add(&content, body, len);
    if (content.failed) {
        return tkt_err_set(err, TKT_ERR_PERM, "a body that is too long to be signed");
    }
    for (const char *p = secrets + strspn(secrets, BLANKS); *p != '\0';) {
        size_t n = strcspn(p, BLANKS);
        int key_len = key_of(p, n, key);

        if (key_len < 0 || ++count > TKT_WHSIGN_SECRETS_MAX) {
            tkt_wipe(key, sizeof(key));
            return tkt_err_set(err, TKT_ERR_CONF,
                               "the secret is no whsec_ and base64 of 24 to 64 bytes (at "
                               "most %d of them, blanks between)",
                               TKT_WHSIGN_SECRETS_MAX);
        }
        add_one(key, key_len, &content, &signatures);
        p += n;
        p += strspn(p, BLANKS);
    }
    tkt_wipe(key, sizeof(key));
    if (count == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "the secret is empty");
    }
    return tkt_buf_adds(out, tkt_buf_str(&signatures));
}
