/* SPDX-License-Identifier: BSD-2-Clause
 * The thread token: proof in an address or a Message-ID that a ticket was ours to name.
 *
 * 20 bytes as 32 characters of lower-case base32: version and key id (4 bits each),
 * ticket (40 bits), party (16 bits, keyed hash of the address it was given to), expiry
 * in whole weeks since 1970 (16 bits), 80 bits of HMAC-SHA-256. Relays fold case and cap
 * a local part at 64 octets, hence the alphabet and the length. A bearer token: a mail
 * that is forwarded hands it on, so the party decides how far it is trusted.
 *
 * Keys are shared by all hosts. The id of a key is taken from the key itself, so that
 * hosts agree without a number in the configuration. The newest signs, both verify.
 * Pure; no memory but the caller's; comparison in constant time.
 */
#ifndef TKT_TICKETD_TOKEN_H
#define TKT_TICKETD_TOKEN_H
#include "base/err.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_TOKEN_LEN 32
#define TKT_TOKEN_KEYS_MAX 2
#define TKT_TOKEN_SECRET_MIN 16
#define TKT_TOKEN_TICKET_MAX ((INT64_C(1) << 40) - 1)
#define TKT_TOKEN_LOCAL_MAX 64 /* octets of a local part, RFC 5321 4.5.3.1.1 */

struct tkt_token_keys {
    struct {
        unsigned id;                          /* 0..15 */
        unsigned char secret[TKT_SHA256_LEN]; /* derived; the given secret is not kept */
    } key[TKT_TOKEN_KEYS_MAX];                /* newest first */
    size_t count;
};

/* Adds the next older key. CONF when shorter than TKT_TOKEN_SECRET_MIN or one too many. */
int tkt_token_keys_add(struct tkt_token_keys *keys, const void *secret, size_t n,
                       struct tkt_err *err);
void tkt_token_keys_wipe(struct tkt_token_keys *keys);

enum tkt_token_verdict {
    TKT_TOKEN_VALID,
    TKT_TOKEN_EXPIRED, /* genuine, but past its week */
    TKT_TOKEN_FORGED,
    TKT_TOKEN_UNKNOWN_KEY,
    TKT_TOKEN_MALFORMED
};
/* "valid", "expired", "forged", "unknown-key", "malformed": as in a LOOKUP reply. */
extern const char *const tkt_token_verdict_names[];

struct tkt_token {
    int64_t ticket;
    unsigned party;    /* compare with tkt_token_party */
    int64_t expires_s; /* the first second at which it is expired */
    unsigned key;      /* index into keys */
};

/* party: the address that the token is for, or "" for nobody in particular. Lives at
 * least valid_s, at most a week longer. -1 (PERM): no key, ticket out of range. */
int tkt_token_make(const struct tkt_token_keys *keys, int64_t ticket, const char *party,
                   int64_t now_s, int64_t valid_s, char out[TKT_TOKEN_LEN + 1],
                   struct tkt_err *err);
/* *out is filled for VALID and EXPIRED only. */
enum tkt_token_verdict tkt_token_verify(const struct tkt_token_keys *keys,
                                        const char *text, size_t len, int64_t now_s,
                                        struct tkt_token *out);
/* True when the token was made for this address (ASCII case ignored). 16 bits: a chance
 * match is one in 65,536, so it may add trust only to a genuine token. */
bool tkt_token_is_for(const struct tkt_token_keys *keys, const struct tkt_token *token,
                      const char *party);

/* "it@example.org", token -> "it+TOKEN@example.org". -1 when it would not fit out or the
 * local part's 64 octets: then use the plain address. */
int tkt_token_address(const char *addr, char separator, const char *token, char *out,
                      size_t max);
/* Splits "it+TOKEN@example.org": true when the local part ends in separator and 32
 * base32 digits; token in lower case, base the address without them. */
bool tkt_token_split(const char *addr, char separator, char token[TKT_TOKEN_LEN + 1],
                     char *base, size_t max);
/* "TOKEN.RANDOM@hostname" without <>. -1 when it does not fit. */
int tkt_token_message_id(const char *token, const char *hostname, char *out, size_t max);
/* True for an id (with or without <>) of that form on this host; the token still has to
 * verify. */
bool tkt_token_from_message_id(const char *id, const char *hostname,
                               char token[TKT_TOKEN_LEN + 1]);

#endif
