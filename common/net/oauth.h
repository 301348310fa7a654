/* SPDX-License-Identifier: BSD-2-Clause
 * OAuth 2 access tokens: fetched, kept, fetched anew before they end.
 *
 * Promise: one fetch at a time for each (token URL, client, user, scope), the others wait
 * for it; a token is given out until 80 % of its life, by the monotonic clock; a refresh
 * token is used where the server gave one, and when that is refused the grant itself. A
 * token is wiped when it ends; none, nor a client secret or a password, stands in an error.
 * With a keeper, what was fetched is kept beyond this process: a token is asked of the
 * keeper before it is asked of the server, and a refresh token was kept before the access
 * token that came with it is given out (servers that change it take the old one no more).
 * Owner: the cache owns its tokens, get copies. Threads: any; get blocks for as long as the
 * server takes (timeout_ms).
 * Limits: TKT_OAUTH_KEPT tokens, the one longest unused goes; TKT_OAUTH_TOKEN_MAX bytes.
 * Errors: TEMP; CONF when the server refuses the client or the user (400, 401, 403).
 */
#ifndef TKT_NET_OAUTH_H
#define TKT_NET_OAUTH_H
#include "base/hash.h"
#include "net/http.h"

#define TKT_OAUTH_KEPT 64
#define TKT_OAUTH_TOKEN_MAX 8000
#define TKT_OAUTH_LIFE_S 1800 /* of a token whose answer does not tell */

struct tkt_oauth;

enum tkt_oauth_grant {
    TKT_OAUTH_CLIENT,   /* client_credentials */
    TKT_OAUTH_PASSWORD, /* user and password */
    TKT_OAUTH_JWT,      /* RFC 7523: password is a private key (PEM), user the subject */
    TKT_OAUTH_REFRESH   /* password is the first refresh token */
};

struct tkt_oauth_ask { /* "" where there is none */
    enum tkt_oauth_grant grant;
    const char *token_url;
    const char *client_id, *client_secret;
    const char *user, *password;
    const char *scope;
    const char *audience, *key_id; /* of a JWT; NULL or "": token_url, none */
    int64_t timeout_ms;
    struct tkt_http_peer peer;
};

struct tkt_oauth_kept {
    char access[TKT_OAUTH_TOKEN_MAX + 1];  /* "": none */
    char refresh[TKT_OAUTH_TOKEN_MAX + 1]; /* "": none */
    int64_t until_wall_ms;                 /* access is given out until then */
};

/* Called from any thread, for a key by one at a time. key is a hash, and no secret. */
struct tkt_oauth_keeper {
    void *arg;
    /* 1 with *out, 0 when nothing is kept (or nobody can read it any more), -1 when that
     * cannot be said now. */
    int (*load)(void *arg, const unsigned char key[TKT_SHA256_LEN],
                struct tkt_oauth_kept *out);
    /* On disk when it returns 0; NULL: kept no more. */
    int (*save)(void *arg, const unsigned char key[TKT_SHA256_LEN],
                const struct tkt_oauth_kept *kept, struct tkt_err *err);
};

/* keeper is copied; NULL: memory alone. NULL: TEMP. */
struct tkt_oauth *tkt_oauth_new(const struct tkt_oauth_keeper *keeper,
                                struct tkt_err *err);
void tkt_oauth_free(struct tkt_oauth **oauth);
/* Adds the token in force to out. */
int tkt_oauth_get(struct tkt_oauth *oauth, const struct tkt_oauth_ask *ask,
                  struct tkt_buf *out, struct tkt_err *err);
/* A server refused this token: it is not given out again. A newer one stays. */
void tkt_oauth_drop(struct tkt_oauth *oauth, const struct tkt_oauth_ask *ask,
                    const char *token);

#endif
