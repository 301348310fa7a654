/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/itsm/tokenkeep.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "store/tokens.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1
#define NONCE_LEN 12
#define TAG_LEN 16
#define HEAD_LEN (1 + NONCE_LEN) /* the version, then the nonce; the tag ends it */
#define PLAIN_MAX (2 * TKT_OAUTH_TOKEN_MAX + 64)
/* Servers end refresh tokens that nobody uses after 90 days to a year. */
#define REFRESH_LIFE_MS (400 * 24 * 3600 * INT64_C(1000))

/* ---- one row -------------------------------------------------------------------------- */

/* HKDF (RFC 5869) with SHA-256 and no salt, one block. */
static void derive(const unsigned char secret[TKT_SHA256_LEN],
                   unsigned char out[TKT_SHA256_LEN])
{
    static const char info[] = "ticket-milter oauth tokens\x01";
    static const unsigned char salt[TKT_SHA256_LEN];
    unsigned char prk[TKT_SHA256_LEN];

    tkt_hmac_sha256(salt, sizeof(salt), secret, TKT_SHA256_LEN, prk);
    tkt_hmac_sha256(prk, sizeof(prk), info, sizeof(info) - 1, out);
    tkt_wipe(prk, sizeof(prk));
}

/* data is changed in place; tag is made or checked. */
static bool cipher(bool encrypts, const unsigned char secret[TKT_SHA256_LEN],
                   const unsigned char nonce[NONCE_LEN],
                   const unsigned char row[TKT_SHA256_LEN], unsigned char *data,
                   size_t len, unsigned char tag[TAG_LEN])
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char key[TKT_SHA256_LEN];
    int n = 0;

    derive(secret, key);
    /* The row's own key goes in, so that rows cannot change places. */
    bool ok =
        ctx != NULL &&
        EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, encrypts) == 1 &&
        EVP_CipherUpdate(ctx, NULL, &n, row, TKT_SHA256_LEN) == 1 &&
        EVP_CipherUpdate(ctx, data, &n, data, (int)len) == 1 &&
        (encrypts || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1) &&
        EVP_CipherFinal_ex(ctx, data + len, &n) == 1 &&
        (!encrypts || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    tkt_wipe(key, sizeof(key));
    return ok;
}

int tkt_tokenkeep_seal(const struct tkt_token_keys *keys,
                       const unsigned char key[TKT_SHA256_LEN],
                       const struct tkt_oauth_kept *kept, struct tkt_buf *out,
                       struct tkt_err *err)
{
    unsigned char sealed[HEAD_LEN + PLAIN_MAX + TAG_LEN] = {VERSION};
    char *plain = (char *)sealed + HEAD_LEN;

    if (keys->count == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "tokens are not kept: there is no key");
    }
    tkt_random(sealed + 1, NONCE_LEN);
    int len = snprintf(plain, PLAIN_MAX, "%" PRId64 "\n%s\n%s", kept->until_wall_ms,
                       kept->access, kept->refresh); /* has room */
    bool ok = cipher(true, keys->key[0].secret, sealed + 1, key, sealed + HEAD_LEN,
                     (size_t)len, sealed + HEAD_LEN + len);
    if (!ok) {
        tkt_wipe(sealed, sizeof(sealed));
    }
    return !ok || tkt_buf_add(out, sealed, HEAD_LEN + (size_t)len + TAG_LEN) < 0
               ? tkt_err_set(err, TKT_ERR_TEMP, "tokens are not kept: no memory")
               : 0;
}

static bool read_plain(char *plain, struct tkt_oauth_kept *out)
{
    char *access = strchr(plain, '\n');
    char *refresh = access == NULL ? NULL : strchr(access + 1, '\n');

    if (refresh == NULL) {
        return false;
    }
    *access++ = '\0';
    *refresh++ = '\0';
    if (strlen(access) > TKT_OAUTH_TOKEN_MAX || strlen(refresh) > TKT_OAUTH_TOKEN_MAX ||
        tkt_parse_int(plain, 0, INT64_MAX, &out->until_wall_ms) < 0) {
        return false;
    }
    (void)snprintf(out->access, sizeof(out->access), "%s", access); /* both have room */
    (void)snprintf(out->refresh, sizeof(out->refresh), "%s", refresh);
    return true;
}

int tkt_tokenkeep_open(const struct tkt_token_keys *keys,
                       const unsigned char key[TKT_SHA256_LEN], const void *data,
                       size_t len, struct tkt_oauth_kept *out)
{
    const unsigned char *sealed = data;
    unsigned char plain[PLAIN_MAX + 1];
    unsigned char tag[TAG_LEN];
    int found = 0;

    if (len < HEAD_LEN + TAG_LEN || len > HEAD_LEN + PLAIN_MAX + TAG_LEN ||
        sealed[0] != VERSION) {
        return 0;
    }
    size_t n = len - HEAD_LEN - TAG_LEN;
    for (size_t i = 0; i < keys->count && found == 0; i++) {
        memcpy(plain, sealed + HEAD_LEN, n);
        memcpy(tag, sealed + HEAD_LEN + n, TAG_LEN);
        if (cipher(false, keys->key[i].secret, sealed + 1, key, plain, n, tag)) {
            plain[n] = '\0';
            found = read_plain((char *)plain, out);
        }
    }
    tkt_wipe(plain, sizeof(plain));
    return found;
}

/* ---- in the store --------------------------------------------------------------------- */

struct job {
    const unsigned char *key;
    struct tkt_buf *row;
    int64_t until_ms;
    bool removes;
    int found; /* out */
};

static int apply_load(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct job *j = arg;

    tkt_buf_reset(j->row); /* a transaction may be tried again */
    j->found = tkt_store_token_get(store, j->key, j->row, err);
    return j->found < 0 ? -1 : 0;
}

static int apply_save(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct job *j = arg;

    return tkt_store_token_set(store, j->key, j->removes ? NULL : j->row->data,
                               j->row->len, j->until_ms, tkt_clock_wall_ms(), err);
}

static int load(void *arg, const unsigned char key[TKT_SHA256_LEN],
                struct tkt_oauth_kept *out)
{
    struct tkt_daemon *d = arg;
    TKT_AUTO_BUF struct tkt_buf row = TKT_BUF_INIT(TKT_STORE_TOKEN_MAX);
    struct job job = {.key = key, .row = &row};
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_commit_call(d->commit, apply_load, &job, false, &err) < 0) {
        tkt_log(TKT_LOG_WARNING, NULL, "oauth.kept", "error", err.text, NULL);
        return err.class == TKT_ERR_PERM ? 0 : -1;
    }
    if (job.found == 0) {
        return 0;
    }
    struct tkt_settings *set = tkt_settings_get(d);
    int found = tkt_tokenkeep_open(&set->keys, key, row.data, row.len, out);
    tkt_settings_put(&set);
    return found;
}

static int save(void *arg, const unsigned char key[TKT_SHA256_LEN],
                const struct tkt_oauth_kept *kept, struct tkt_err *err)
{
    struct tkt_daemon *d = arg;
    TKT_AUTO_BUF struct tkt_buf row = TKT_BUF_INIT(TKT_STORE_TOKEN_MAX);
    struct job job = {.key = key, .row = &row, .removes = kept == NULL};
    int rc = 0;

    if (kept != NULL) {
        struct tkt_settings *set = tkt_settings_get(d);

        rc = tkt_tokenkeep_seal(&set->keys, key, kept, &row, err);
        tkt_settings_put(&set);
        job.until_ms = kept->refresh[0] != '\0' ? tkt_clock_wall_ms() + REFRESH_LIFE_MS
                                                : kept->until_wall_ms;
    }
    if (rc == 0) {
        rc = tkt_commit_call(d->commit, apply_save, &job, false, err);
    }
    if (rc < 0) {
        tkt_log(TKT_LOG_WARNING, NULL, "oauth.kept", "error", err->text, NULL);
    }
    return rc;
}

struct tkt_oauth_keeper tkt_tokenkeep(struct tkt_daemon *d)
{
    return (struct tkt_oauth_keeper){.arg = d, .load = load, .save = save};
}
