/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/token.h"

#include "base/enc.h"

#include <stdio.h>
#include <string.h>

#define VERSION 1
#define BYTES 20
#define SIGNED_BYTES 10
#define WEEK_S (INT64_C(7) * 24 * 3600)
#define WEEKS_MAX 0xffff
#define PARTY_MAX 512
#define RANDOM_BYTES 10

/* Every use of a key has a label of its own, so that no two can be exchanged. */
#define LABEL_KEY "tkt-key"
#define LABEL_ID "tkt-key-id"
#define LABEL_TOKEN 't'
#define LABEL_PARTY 'p'

const char *const tkt_token_verdict_names[] = {
    [TKT_TOKEN_VALID] = "valid",         [TKT_TOKEN_EXPIRED] = "expired",
    [TKT_TOKEN_FORGED] = "forged",       [TKT_TOKEN_UNKNOWN_KEY] = "unknown-key",
    [TKT_TOKEN_MALFORMED] = "malformed",
};

int tkt_token_keys_add(struct tkt_token_keys *keys, const void *secret, size_t n,
                       struct tkt_err *err)
{
    unsigned char id[TKT_SHA256_LEN];

    if (n < TKT_TOKEN_SECRET_MIN) {
        return tkt_err_set(err, TKT_ERR_CONF, "token key has %zu bytes, needs %d", n,
                           TKT_TOKEN_SECRET_MIN);
    }
    if (keys->count == TKT_TOKEN_KEYS_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF, "more than %d token keys",
                           TKT_TOKEN_KEYS_MAX);
    }
    tkt_hmac_sha256(secret, n, LABEL_ID, strlen(LABEL_ID), id);
    tkt_hmac_sha256(secret, n, LABEL_KEY, strlen(LABEL_KEY),
                    keys->key[keys->count].secret);
    keys->key[keys->count].id = id[0] & 0x0f;
    keys->count++;
    return 0;
}

void tkt_token_keys_wipe(struct tkt_token_keys *keys)
{
    tkt_wipe(keys, sizeof(*keys));
}

static void sign(const struct tkt_token_keys *keys, unsigned key,
                 const unsigned char bytes[SIGNED_BYTES],
                 unsigned char mac[TKT_SHA256_LEN])
{
    unsigned char labelled[1 + SIGNED_BYTES] = {LABEL_TOKEN};

    memcpy(labelled + 1, bytes, SIGNED_BYTES);
    tkt_hmac_sha256(keys->key[key].secret, TKT_SHA256_LEN, labelled, sizeof(labelled),
                    mac);
}

/* 16 bits of a keyed hash: the address cannot be read or searched for without the key.
 * A party longer than any address counts by its first bytes. */
static unsigned party_hash(const struct tkt_token_keys *keys, unsigned key,
                           const char *party)
{
    char labelled[1 + PARTY_MAX + 1] = {LABEL_PARTY};
    unsigned char mac[TKT_SHA256_LEN];
    size_t n = strnlen(party, PARTY_MAX);

    memcpy(labelled + 1, party, n);
    labelled[1 + n] = '\0';
    tkt_ascii_lower(labelled + 1);
    tkt_hmac_sha256(keys->key[key].secret, TKT_SHA256_LEN, labelled, 1 + n, mac);
    return (unsigned)mac[0] << 8 | mac[1];
}

int tkt_token_make(const struct tkt_token_keys *keys, int64_t ticket, const char *party,
                   int64_t now_s, int64_t valid_s, char out[TKT_TOKEN_LEN + 1],
                   struct tkt_err *err)
{
    int64_t week = (now_s + valid_s + WEEK_S - 1) / WEEK_S;
    unsigned char bytes[BYTES];
    unsigned char mac[TKT_SHA256_LEN];
    unsigned hash;

    if (keys->count == 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "token: no key");
    }
    if (ticket <= 0 || ticket > TKT_TOKEN_TICKET_MAX || valid_s < 0 || week < 0 ||
        week > WEEKS_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "token: ticket or expiry out of range");
    }
    hash = party_hash(keys, 0, party);
    bytes[0] = (unsigned char)(VERSION << 4 | keys->key[0].id);
    for (int i = 0; i < 5; i++) {
        bytes[1 + i] = (unsigned char)(ticket >> (8 * (4 - i)) & 0xff);
    }
    bytes[6] = (unsigned char)(hash >> 8);
    bytes[7] = (unsigned char)(hash & 0xff);
    bytes[8] = (unsigned char)(week >> 8 & 0xff);
    bytes[9] = (unsigned char)(week & 0xff);
    sign(keys, 0, bytes, mac);
    memcpy(bytes + SIGNED_BYTES, mac, BYTES - SIGNED_BYTES);
    tkt_base32_encode(bytes, BYTES, out);
    return 0;
}

enum tkt_token_verdict tkt_token_verify(const struct tkt_token_keys *keys,
                                        const char *text, size_t len, int64_t now_s,
                                        struct tkt_token *out)
{
    unsigned char bytes[BYTES];
    unsigned char mac[TKT_SHA256_LEN];
    bool known = false;

    if (len != TKT_TOKEN_LEN || tkt_base32_decode(text, len, bytes, BYTES) != BYTES ||
        bytes[0] >> 4 != VERSION) {
        return TKT_TOKEN_MALFORMED;
    }
    for (unsigned k = 0; k < keys->count; k++) {
        if (keys->key[k].id != (bytes[0] & 0x0fU)) {
            continue;
        }
        known = true;
        sign(keys, k, bytes, mac);
        if (!tkt_mem_equal(mac, bytes + SIGNED_BYTES, BYTES - SIGNED_BYTES)) {
            continue;
        }
        out->ticket = 0;
        for (int i = 0; i < 5; i++) {
            out->ticket = out->ticket << 8 | bytes[1 + i];
        }
        out->party = (unsigned)bytes[6] << 8 | bytes[7];
        out->expires_s = ((int64_t)bytes[8] << 8 | bytes[9]) * WEEK_S;
        out->key = k;
        return now_s < out->expires_s ? TKT_TOKEN_VALID : TKT_TOKEN_EXPIRED;
    }
    return known ? TKT_TOKEN_FORGED : TKT_TOKEN_UNKNOWN_KEY;
}

bool tkt_token_is_for(const struct tkt_token_keys *keys, const struct tkt_token *token,
                      const char *party)
{
    return token->key < keys->count && party[0] != '\0' &&
           party_hash(keys, token->key, party) == token->party;
}

/* ---- addresses and Message-IDs ------------------------------------------------------ */

static int format_ok(int n, size_t max)
{
    return n >= 0 && (size_t)n < max ? 0 : -1;
}

int tkt_token_address(const char *addr, char separator, const char *token, char *out,
                      size_t max)
{
    const char *at = strrchr(addr, '@');
    size_t local = at == NULL ? 0 : (size_t)(at - addr);

    /* A quoted local part would need the token inside its quotes: no desk has one. */
    if (local == 0 || local + 1 + strlen(token) > TKT_TOKEN_LOCAL_MAX || at[-1] == '"') {
        return -1;
    }
    return format_ok(
        snprintf(out, max, "%.*s%c%s%s", (int)local, addr, separator, token, at), max);
}

/* Version nibble included: an ordinary sub-address of 32 letters is no token. */
static bool looks_like_token(const char *p, size_t n)
{
    unsigned char bytes[BYTES];

    return n == TKT_TOKEN_LEN && tkt_base32_decode(p, n, bytes, BYTES) == BYTES &&
           bytes[0] >> 4 == VERSION;
}

static void copy_token(const char *p, char token[TKT_TOKEN_LEN + 1])
{
    memcpy(token, p, TKT_TOKEN_LEN);
    token[TKT_TOKEN_LEN] = '\0';
    tkt_ascii_lower(token);
}

bool tkt_token_split(const char *addr, char separator, char token[TKT_TOKEN_LEN + 1],
                     char *base, size_t max)
{
    const char *at = strrchr(addr, '@');
    size_t local = at == NULL ? strlen(addr) : (size_t)(at - addr);
    size_t keep;

    if (local < TKT_TOKEN_LEN + 2) {
        return false;
    }
    keep = local - TKT_TOKEN_LEN - 1;
    if (addr[keep] != separator || !looks_like_token(addr + keep + 1, TKT_TOKEN_LEN) ||
        format_ok(snprintf(base, max, "%.*s%s", (int)keep, addr, addr + local), max) !=
            0) {
        return false;
    }
    copy_token(addr + keep + 1, token);
    return true;
}

int tkt_token_message_id(const char *token, const char *hostname, char *out, size_t max)
{
    unsigned char random[RANDOM_BYTES];
    char text[RANDOM_BYTES * 8 / 5 + 2];

    tkt_random(random, sizeof(random));
    tkt_base32_encode(random, sizeof(random), text);
    return format_ok(snprintf(out, max, "%s.%s@%s", token, text, hostname), max);
}

bool tkt_token_from_message_id(const char *id, const char *hostname,
                               char token[TKT_TOKEN_LEN + 1])
{
    const char *at = strrchr(id, '@');
    size_t host_len = strlen(hostname);
    bool bracket = id[0] == '<';

    id += bracket;
    if (at == NULL || at - id <= TKT_TOKEN_LEN + 1 || id[TKT_TOKEN_LEN] != '.' ||
        !looks_like_token(id, TKT_TOKEN_LEN) || strlen(at + 1) < host_len ||
        !tkt_ascii_ieqn(at + 1, hostname, host_len) ||
        strcmp(at + 1 + host_len, bracket ? ">" : "") != 0) {
        return false;
    }
    copy_token(id, token);
    return true;
}
