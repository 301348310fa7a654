/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/oauth.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "net/jwt.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM_MAX 16384
#define ANSWER_MAX 65536
#define LIFE_MAX_S (24 * 3600)

struct token {
    char *key;     /* all that makes it one of its own; no secret */
    char *access;  /* NULL: none */
    char *refresh; /* NULL: none */
    int64_t until_ms;
    int64_t used_ms;
    bool is_busy;   /* somebody fetches, loads or saves it; the others wait */
    bool is_loaded; /* the keeper was asked */
    bool is_unkept; /* the keeper does not have it yet */
};

struct tkt_oauth {
    struct tkt_oauth_keeper keeper; /* load NULL: none */
    pthread_mutex_t lock;
    pthread_cond_t fetched;
    struct token tokens[TKT_OAUTH_KEPT];
};

static void wipe(char **text)
{
    if (*text != NULL) {
        tkt_wipe(*text, strlen(*text));
        free(*text);
        *text = NULL;
    }
}

static void release(struct token *t)
{
    wipe(&t->access);
    wipe(&t->refresh);
    free(t->key);
    *t = (struct token){0};
}

struct tkt_oauth *tkt_oauth_new(const struct tkt_oauth_keeper *keeper,
                                struct tkt_err *err)
{
    struct tkt_oauth *o = calloc(1, sizeof(*o));

    if (o == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "oauth: no memory");
        return NULL;
    }
    if (keeper != NULL) {
        o->keeper = *keeper;
    }
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->fetched, NULL);
    return o;
}

void tkt_oauth_free(struct tkt_oauth **oauth)
{
    struct tkt_oauth *o = *oauth;

    if (o == NULL) {
        return;
    }
    for (size_t i = 0; i < TKT_OAUTH_KEPT; i++) {
        release(&o->tokens[i]);
    }
    pthread_cond_destroy(&o->fetched);
    pthread_mutex_destroy(&o->lock);
    free(o);
    *oauth = NULL;
}

/* ---- the cache ------------------------------------------------------------------------ */

/* All that makes a token one of its own. */
static int make_key(const struct tkt_oauth_ask *ask, struct tkt_buf *key)
{
    unsigned char digest[TKT_SHA256_LEN] = {0};
    char hex[2 * TKT_SHA256_LEN + 1];

    /* Another first refresh token is another consent: what came of the older one ends. */
    if (ask->grant == TKT_OAUTH_REFRESH) {
        tkt_sha256(ask->password, strlen(ask->password), digest);
    }
    tkt_hex_encode(digest, sizeof(digest), hex);
    return tkt_buf_addf(key, "%d\n%s\n%s\n%s\n%s\n%s\n%s\n%s", (int)ask->grant,
                        ask->token_url, ask->client_id, ask->user, ask->scope,
                        ask->audience ? ask->audience : "",
                        ask->key_id ? ask->key_id : "", hex);
}

static struct token *find(struct tkt_oauth *o, const char *key)
{
    for (size_t i = 0; i < TKT_OAUTH_KEPT; i++) {
        if (o->tokens[i].key != NULL && strcmp(o->tokens[i].key, key) == 0) {
            return &o->tokens[i];
        }
    }
    return NULL;
}

/* A free place, or that of the one longest unused. NULL: all are being fetched. */
static struct token *place(struct tkt_oauth *o, const char *key)
{
    struct token *oldest = NULL;

    for (size_t i = 0; i < TKT_OAUTH_KEPT; i++) {
        struct token *t = &o->tokens[i];

        if (!t->is_busy && (oldest == NULL || t->used_ms < oldest->used_ms)) {
            oldest = t;
        }
    }
    if (oldest == NULL) {
        return NULL;
    }
    release(oldest);
    oldest->key = strdup(key);
    return oldest->key == NULL ? NULL : oldest;
}

/* Under the lock. */
static void wait_for(struct tkt_oauth *o, struct token **t, const char *key)
{
    while ((*t = find(o, key)) != NULL && (*t)->is_busy) {
        pthread_cond_wait(&o->fetched, &o->lock);
    }
}

/* ---- fetching ------------------------------------------------------------------------- */

static void add_pair(struct tkt_buf *form, const char *name, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";

    if (*value == '\0') {
        return;
    }
    tkt_buf_addf(form, "%s%s=", form->len > 0 ? "&" : "", name);
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;

        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
            strchr("-._~", c) != NULL) {
            tkt_buf_addc(form, *value);
        } else {
            tkt_buf_addc(form, '%');
            tkt_buf_addc(form, digits[c >> 4]);
            tkt_buf_addc(form, digits[c & 15]);
        }
    }
}

static int add_assertion(const struct tkt_oauth_ask *ask, struct tkt_buf *form,
                         struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf assertion = TKT_BUF_INIT(TKT_JWT_MAX);
    const struct tkt_jwt claims = {
        .key_pem = ask->password,
        .key_id = ask->key_id ? ask->key_id : "",
        .issuer = ask->client_id,
        .subject = ask->user,
        .audience = ask->audience && *ask->audience ? ask->audience : ask->token_url,
        .scope = ask->scope,
        .now_s = tkt_clock_wall_ms() / 1000};

    if (tkt_jwt_sign(&claims, &assertion, err) < 0) {
        return -1;
    }
    add_pair(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    add_pair(form, "assertion", tkt_buf_str(&assertion));
    return 0;
}

/* The assertion says who asks, unless the client has a secret besides. */
static bool names_client(const struct tkt_oauth_ask *ask)
{
    return ask->grant != TKT_OAUTH_JWT || ask->client_secret[0] != '\0';
}

static int make_form(const struct tkt_oauth_ask *ask, const char *refresh,
                     struct tkt_buf *form, struct tkt_err *err)
{
    /* Filled once in full size: growing would leave copies of secrets behind. */
    if (tkt_buf_reserve(form, FORM_MAX) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "oauth: no memory");
    }
    if (refresh != NULL) {
        add_pair(form, "grant_type", "refresh_token");
        add_pair(form, "refresh_token", refresh);
    } else if (ask->grant == TKT_OAUTH_JWT) {
        if (add_assertion(ask, form, err) < 0) {
            return -1;
        }
    } else if (ask->grant == TKT_OAUTH_PASSWORD) {
        add_pair(form, "grant_type", "password");
        add_pair(form, "username", ask->user);
        add_pair(form, "password", ask->password);
    } else {
        add_pair(form, "grant_type", "client_credentials");
    }
    if (refresh != NULL || names_client(ask)) {
        add_pair(form, "client_id", ask->client_id);
        add_pair(form, "client_secret", ask->client_secret);
    }
    add_pair(form, "scope", refresh == NULL ? ask->scope : "");
    return form->failed
               ? tkt_err_set(err, TKT_ERR_CONF, "oauth: the credentials are too long")
               : 0;
}

static bool is_token(const char *text)
{
    size_t n = text == NULL ? 0 : strlen(text);

    /* It goes into a header field. */
    return n > 0 && n <= TKT_OAUTH_TOKEN_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                        "-._~+/=:|!$") == n;
}

/* RFC 6749, A.17: visible ASCII. It goes into forms alone, encoded. */
static bool is_refresh(const char *text)
{
    size_t n = text == NULL ? 0 : strlen(text);

    for (size_t i = 0; i < n; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return false;
        }
    }
    return n > 0 && n <= TKT_OAUTH_TOKEN_MAX;
}

static void wipe_json(cJSON *json)
{
    for (cJSON *c = json == NULL ? NULL : json->child; c != NULL; c = c->next) {
        if (c->valuestring != NULL) {
            tkt_wipe(c->valuestring, strlen(c->valuestring));
        }
    }
    cJSON_Delete(json);
}

static const char *member(const cJSON *json, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static int read_token(const cJSON *json, struct token *out, struct tkt_err *err)
{
    const char *access = member(json, "access_token");
    const char *refresh = member(json, "refresh_token");
    const cJSON *life = cJSON_GetObjectItemCaseSensitive(json, "expires_in");
    double life_s = cJSON_IsNumber(life)   ? life->valuedouble
                    : cJSON_IsString(life) ? strtod(life->valuestring, NULL)
                                           : TKT_OAUTH_LIFE_S;

    if (!is_token(access)) {
        return tkt_err_set(err, TKT_ERR_TEMP, "oauth: the answer has no access token");
    }
    if (!(life_s >= 0 && life_s <= LIFE_MAX_S)) {
        life_s = life_s > LIFE_MAX_S ? LIFE_MAX_S : 0;
    }
    out->access = strdup(access);
    out->refresh = is_refresh(refresh) ? strdup(refresh) : NULL;
    out->until_ms = tkt_clock_mono_ms() + (int64_t)(life_s * 800);
    return out->access == NULL ? tkt_err_set(err, TKT_ERR_TEMP, "oauth: no memory") : 0;
}

/* The code of RFC 6749, 5.2: letters and _; its description may say what was sent. */
static void say_refusal(const cJSON *json, int status, struct tkt_err *err)
{
    const char *said = member(json, "error");

    if (said != NULL && strlen(said) < 64 &&
        strspn(said, "abcdefghijklmnopqrstuvwxyz_") == strlen(said)) {
        tkt_err_set(err, TKT_ERR_CONF, "the token server answers %d %s", status, said);
    } else {
        tkt_err_set(err, TKT_ERR_CONF, "the token server answers %d", status);
    }
}

static int fetch(const struct tkt_oauth_ask *ask, const char *refresh, struct token *out,
                 struct tkt_err *err)
{
    static const char *const headers[] = {
        "Content-Type: application/x-www-form-urlencoded", "Accept: application/json",
        NULL};
    TKT_AUTO_BUF struct tkt_buf form = TKT_BUF_INIT(FORM_MAX);
    struct tkt_http_response r = {0};
    int rc = -1;

    if (make_form(ask, refresh, &form, err) < 0) {
        tkt_wipe(form.data, form.len);
        return -1;
    }
    const struct tkt_http_request request = {.method = "POST",
                                             .url = ask->token_url,
                                             .headers = headers,
                                             .body = tkt_buf_str(&form),
                                             .body_len = form.len,
                                             .answer_max = ANSWER_MAX,
                                             .timeout_ms = ask->timeout_ms,
                                             .repeatable = true,
                                             .peer = ask->peer};
    if (tkt_http_perform(&request, &r, err) == 0) {
        cJSON *json = cJSON_ParseWithLength(tkt_buf_str(&r.body), r.body.len);
        if (r.outcome == TKT_HTTP_DONE) {
            rc = read_token(json, out, err);
        } else {
            *err = r.err;
            if (r.status == 400 || r.status == 401 || r.status == 403) {
                say_refusal(json, r.status, err);
            }
        }
        wipe_json(json);
        tkt_wipe(r.body.data, r.body.len);
        tkt_http_response_release(&r);
    }
    tkt_wipe(form.data, form.len);
    return rc;
}

static int fetch_refreshed(const struct tkt_oauth_ask *ask, const char *refresh,
                           struct token *out, struct tkt_err *err)
{
    if (fetch(ask, refresh, out, err) < 0) {
        return -1;
    }
    if (out->refresh == NULL) {
        out->refresh = strdup(refresh); /* it stays good; NULL: the grant next time */
    }
    return 0;
}

/* Said by say_refusal of a refresh token that is good no more; a client that is refused, or
 * a wall before the server, says nothing of the token. */
static bool was_ended(const struct tkt_err *err)
{
    return err->class == TKT_ERR_CONF && strstr(err->text, " invalid_grant") != NULL;
}

/* A token that was not refused may still be good later, and using an older one could make
 * the server end them all: only a refusal goes back to the grant. */
static int fetch_any(const struct tkt_oauth_ask *ask, const char *refresh,
                     struct token *out, struct tkt_err *err)
{
    bool by_refresh = ask->grant == TKT_OAUTH_REFRESH;

    if (refresh != NULL) {
        struct tkt_err first = TKT_ERR_INIT;

        if (fetch_refreshed(ask, refresh, out, &first) == 0) {
            return 0;
        }
        if (by_refresh && (!was_ended(&first) || strcmp(refresh, ask->password) == 0)) {
            *err = first;
            return -1;
        }
    }
    return by_refresh ? fetch_refreshed(ask, ask->password, out, err)
                      : fetch(ask, NULL, out, err);
}

/* ---- what is kept --------------------------------------------------------------------- */

static void begin_busy(struct tkt_oauth *o, struct token *t)
{
    t->is_busy = true;
    pthread_mutex_unlock(&o->lock);
}

static void end_busy(struct tkt_oauth *o, struct token *t)
{
    pthread_mutex_lock(&o->lock);
    t->is_busy = false;
    pthread_cond_broadcast(&o->fetched);
}

/* What the keeper has, into a token that is busy. -1: it does not say now. */
static int load_kept(struct tkt_oauth *o, struct token *t)
{
    unsigned char key[TKT_SHA256_LEN];
    struct tkt_oauth_kept *kept = calloc(1, sizeof(*kept));

    if (kept == NULL) {
        return -1;
    }
    tkt_sha256(t->key, strlen(t->key), key);
    int n = o->keeper.load(o->keeper.arg, key, kept);
    t->is_loaded = n >= 0;
    if (n == 1) {
        int64_t left = kept->until_wall_ms - tkt_clock_wall_ms();

        /* More than there can be is a clock that was put back. */
        if (left > 0 && left <= INT64_C(1000) * LIFE_MAX_S && is_token(kept->access)) {
            t->access = strdup(kept->access);
            t->until_ms = tkt_clock_mono_ms() + left;
        }
        t->refresh = is_refresh(kept->refresh) ? strdup(kept->refresh) : NULL;
    }
    tkt_wipe(kept, sizeof(*kept));
    free(kept);
    return n < 0 ? -1 : 0;
}

/* A token that is busy, to the keeper. */
static int save_kept(struct tkt_oauth *o, struct token *t, struct tkt_err *err)
{
    unsigned char key[TKT_SHA256_LEN];
    struct tkt_oauth_kept *kept = calloc(1, sizeof(*kept));

    if (kept == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "oauth: no memory");
    }
    tkt_sha256(t->key, strlen(t->key), key);
    (void)snprintf(kept->access, sizeof(kept->access), "%s", t->access ? t->access : "");
    (void)snprintf(kept->refresh, sizeof(kept->refresh), "%s",
                   t->refresh ? t->refresh : ""); /* both have room */
    kept->until_wall_ms =
        t->access ? tkt_clock_wall_ms() + t->until_ms - tkt_clock_mono_ms() : 0;
    int rc =
        o->keeper.save(o->keeper.arg, key, t->access || t->refresh ? kept : NULL, err);
    t->is_unkept = rc < 0;
    tkt_wipe(kept, sizeof(*kept));
    free(kept);
    return rc;
}

void tkt_oauth_drop(struct tkt_oauth *oauth, const struct tkt_oauth_ask *ask,
                    const char *token)
{
    TKT_AUTO_BUF struct tkt_buf key = TKT_BUF_INIT(FORM_MAX);
    struct token *t;

    if (make_key(ask, &key) < 0) {
        return;
    }
    pthread_mutex_lock(&oauth->lock);
    wait_for(oauth, &t, tkt_buf_str(&key));
    if (t != NULL && t->access != NULL && strcmp(t->access, token) == 0) {
        wipe(&t->access);
        if (oauth->keeper.save != NULL) {
            struct tkt_err err = TKT_ERR_INIT;

            begin_busy(oauth, t);
            (void)save_kept(oauth, t, &err); /* it is kept with the next one */
            end_busy(oauth, t);
        }
    }
    pthread_mutex_unlock(&oauth->lock);
}

/* ---- one that is in force ------------------------------------------------------------- */

static bool is_good(const struct token *t)
{
    return t->access != NULL && tkt_clock_mono_ms() < t->until_ms;
}

static int replace(struct token *t, const struct tkt_oauth_ask *ask, struct tkt_err *err)
{
    struct token fresh = {0};

    if (fetch_any(ask, t->refresh, &fresh, err) < 0) {
        wipe(&fresh.access);
        wipe(&fresh.refresh);
        if (ask->grant != TKT_OAUTH_REFRESH) {
            wipe(&t->refresh); /* there it is all there is, and may be taken yet */
        }
        wipe(&t->access);
        return -1;
    }
    wipe(&t->access);
    wipe(&t->refresh);
    t->access = fresh.access;
    t->refresh = fresh.refresh;
    t->until_ms = fresh.until_ms;
    t->is_unkept = true;
    return 0;
}

/* In a token that is busy, without the lock: whatever has to be asked of others. */
static int renew(struct tkt_oauth *o, struct token *t, const struct tkt_oauth_ask *ask,
                 struct tkt_err *err)
{
    /* The first refresh token in place of a newer one that is kept: servers that change it
     * take that for a theft, and end them all. */
    if (o->keeper.load != NULL && !t->is_loaded && load_kept(o, t) < 0 &&
        ask->grant == TKT_OAUTH_REFRESH) {
        return tkt_err_set(err, TKT_ERR_TEMP,
                           "the token that is kept cannot be read now");
    }
    if (!is_good(t) && replace(t, ask, err) < 0) {
        return -1;
    }
    if (o->keeper.save != NULL && t->is_unkept) {
        struct tkt_err unkept = TKT_ERR_INIT;

        if (save_kept(o, t, &unkept) < 0 && t->refresh != NULL) {
            *err = unkept;
            return -1;
        }
    }
    return 0;
}

static int get(struct tkt_oauth *o, const char *key, const struct tkt_oauth_ask *ask,
               struct tkt_buf *out, struct tkt_err *err)
{
    struct token *t;

    wait_for(o, &t, key);
    if (t == NULL && (t = place(o, key)) == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "oauth: no room for a token");
    }
    t->used_ms = tkt_clock_mono_ms();
    if (!is_good(t) || (t->is_unkept && t->refresh != NULL && o->keeper.save != NULL)) {
        begin_busy(o, t);
        int rc = renew(o, t, ask, err);
        end_busy(o, t);
        if (rc < 0) {
            return -1;
        }
    }
    return tkt_buf_adds(out, t->access) < 0
               ? tkt_err_set(err, TKT_ERR_TEMP, "oauth: no memory")
               : 0;
}

int tkt_oauth_get(struct tkt_oauth *oauth, const struct tkt_oauth_ask *ask,
                  struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf key = TKT_BUF_INIT(FORM_MAX);

    if (make_key(ask, &key) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "oauth: the settings are too long");
    }
    pthread_mutex_lock(&oauth->lock);
    int rc = get(oauth, tkt_buf_str(&key), ask, out, err);
    pthread_mutex_unlock(&oauth->lock);
    return rc;
}
