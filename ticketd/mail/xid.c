/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/xid.h"

#include "base/enc.h"

#include <stdio.h>
#include <string.h>

#define LABEL "tkt-xid"
#define DAY_S 86400
#define MAC_BYTES 16
#define MAC_CHARS 26
#define DESK_MAX 64

/* NUL stands between the fields: neither an ID nor a desk's name can hold one. */
static void sign(const struct tkt_token_keys *keys, size_t key, const char *id,
                 const char *desk, const unsigned char msg_key[TKT_SHA256_LEN],
                 int64_t day, unsigned char mac[TKT_SHA256_LEN])
{
    unsigned char
        data[sizeof(LABEL) + TKT_XID_ID_MAX + 1 + DESK_MAX + 1 + TKT_SHA256_LEN + 8];
    size_t n = 0;

    memcpy(data, LABEL, sizeof(LABEL));
    n += sizeof(LABEL);
    memcpy(data + n, id, strlen(id) + 1);
    n += strlen(id) + 1;
    memcpy(data + n, desk, strlen(desk) + 1);
    n += strlen(desk) + 1;
    memcpy(data + n, msg_key, TKT_SHA256_LEN);
    n += TKT_SHA256_LEN;
    for (int i = 0; i < 8; i++) {
        data[n++] = (unsigned char)((uint64_t)day >> (8 * (7 - i)) & 0xff);
    }
    tkt_hmac_sha256(keys->key[key].secret, TKT_SHA256_LEN, data, n, mac);
}

static bool is_id_text(const char *id)
{
    size_t n = strlen(id);

    return n > 0 && n <= TKT_XID_ID_MAX &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789-_.") == n;
}

int tkt_xid_make(const struct tkt_token_keys *keys, const char *id, const char *desk,
                 const unsigned char key[TKT_SHA256_LEN], int64_t now_s,
                 char out[TKT_XID_MAX], struct tkt_err *err)
{
    unsigned char mac[TKT_SHA256_LEN];
    char text[MAC_CHARS + 1];

    if (keys->count == 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "X-Ticket-ID: no key");
    }
    if (!is_id_text(id) || strlen(desk) > DESK_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "X-Ticket-ID: bad ticket ID or desk");
    }
    sign(keys, 0, id, desk, key, now_s / DAY_S, mac);
    tkt_base32_encode(mac, MAC_BYTES, text);
    (void)snprintf(out, TKT_XID_MAX, "%s; k=%u; h=%s", id, keys->key[0].id,
                   text); /* 47 + 7 + 4 + 26 bytes at most */
    return 0;
}

/* "ID; k=N; h=TEXT" with any blanks around the semicolons. */
static bool parse(const char *value, char id[TKT_XID_ID_MAX + 1], unsigned *key,
                  unsigned char mac[MAC_BYTES])
{
    char text[MAC_CHARS + 1];
    int used = 0;

    if (sscanf(value, " %47[^; \t\r\n] ; k=%2u ; h=%26[^; \t\r\n] %n", id, key, text,
               &used) != 3 ||
        value[used] != '\0') {
        return false;
    }
    return is_id_text(id) && strlen(text) == MAC_CHARS &&
           tkt_base32_decode(text, MAC_CHARS, mac, MAC_BYTES) == MAC_BYTES;
}

static bool verify_days(const struct tkt_token_keys *keys, size_t k, const char *id,
                        const char *desk, const unsigned char key[TKT_SHA256_LEN],
                        int64_t today, int64_t days, const unsigned char mac[MAC_BYTES])
{
    unsigned char want[TKT_SHA256_LEN];

    /* One day ahead: hosts share keys, not clocks. */
    for (int64_t day = today + 1; day >= today - days; day--) {
        sign(keys, k, id, desk, key, day, want);
        if (tkt_mem_equal(want, mac, MAC_BYTES)) {
            return true;
        }
    }
    return false;
}

enum tkt_token_verdict tkt_xid_verify(const struct tkt_token_keys *keys,
                                      const char *value, const char *desk,
                                      const unsigned char key[TKT_SHA256_LEN],
                                      int64_t now_s, int64_t window_s,
                                      char id[TKT_XID_ID_MAX + 1])
{
    int64_t days = (window_s + DAY_S - 1) / DAY_S;
    unsigned char mac[MAC_BYTES];
    bool known = false;
    unsigned key_id;
    char text[TKT_XID_ID_MAX + 1];

    if (strlen(desk) > DESK_MAX || !parse(value, text, &key_id, mac)) {
        return TKT_TOKEN_MALFORMED;
    }
    if (days > TKT_XID_WINDOW_DAYS_MAX) {
        days = TKT_XID_WINDOW_DAYS_MAX;
    }
    for (size_t k = 0; k < keys->count; k++) {
        if (keys->key[k].id != key_id) {
            continue;
        }
        known = true;
        if (verify_days(keys, k, text, desk, key, now_s / DAY_S, days, mac)) {
            memcpy(id, text, sizeof(text));
            return TKT_TOKEN_VALID;
        }
    }
    return known ? TKT_TOKEN_FORGED : TKT_TOKEN_UNKNOWN_KEY;
}
