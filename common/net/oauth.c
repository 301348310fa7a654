/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/oauth.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/util.h"

#include <cjson/cJSON.h>
#include <pthread.h>
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
    bool is_fetching;
};

struct tkt_oauth {
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

struct tkt_oauth *tkt_oauth_new(struct tkt_err *err)
{
    struct tkt_oauth *o = calloc(1, sizeof(*o));

    if (o == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "oauth: no memory");
        return NULL;
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

static int make_key(const struct tkt_oauth_ask *ask, struct tkt_buf *key)
{
    return tkt_buf_addf(key, "%d\n%s\n%s\n%s\n%s", (int)ask->grant, ask->token_url,
                        ask->client_id, ask->user, ask->scope);
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

        if (!t->is_fetching && (oldest == NULL || t->used_ms < oldest->used_ms)) {
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

void tkt_oauth_drop(struct tkt_oauth *oauth, const struct tkt_oauth_ask *ask,
                    const char *token)
{
    TKT_AUTO_BUF struct tkt_buf key = TKT_BUF_INIT(FORM_MAX);

    if (make_key(ask, &key) < 0) {
        return;
    }
    pthread_mutex_lock(&oauth->lock);
    struct token *t = find(oauth, tkt_buf_str(&key));
    if (t != NULL && t->access != NULL && strcmp(t->access, token) == 0) {
        wipe(&t->access);
    }
    pthread_mutex_unlock(&oauth->lock);
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

static int make_form(const struct tkt_oauth_ask *ask, const char *refresh,
                     struct tkt_buf *form)
{
    /* Filled once in full size: growing would leave copies of secrets behind. */
    if (tkt_buf_reserve(form, FORM_MAX) < 0) {
        return -1;
    }
    if (refresh != NULL) {
        add_pair(form, "grant_type", "refresh_token");
        add_pair(form, "refresh_token", refresh);
    } else if (ask->grant == TKT_OAUTH_PASSWORD) {
        add_pair(form, "grant_type", "password");
        add_pair(form, "username", ask->user);
        add_pair(form, "password", ask->password);
    } else {
        add_pair(form, "grant_type", "client_credentials");
    }
    add_pair(form, "client_id", ask->client_id);
    add_pair(form, "client_secret", ask->client_secret);
    add_pair(form, "scope", refresh == NULL ? ask->scope : "");
    return form->failed ? -1 : 0;
}

static bool is_token(const char *text)
{
    size_t n = text == NULL ? 0 : strlen(text);

    /* It goes into a header field. */
    return n > 0 && n <= TKT_OAUTH_TOKEN_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                        "-._~+/=:|!$") == n;
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
    out->refresh = refresh != NULL && *refresh != '\0' ? strdup(refresh) : NULL;
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

    if (make_form(ask, refresh, &form) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "oauth: the credentials are too long");
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

static int fetch_any(const struct tkt_oauth_ask *ask, const char *refresh,
                     struct token *out, struct tkt_err *err)
{
    if (refresh != NULL && fetch(ask, refresh, out, err) == 0) {
        if (out->refresh == NULL) {
            out->refresh = strdup(refresh); /* it stays good; NULL: the grant next time */
        }
        return 0;
    }
    return fetch(ask, NULL, out, err);
}

/* Under the lock, which is given up while the server is asked. */
static int renew(struct tkt_oauth *o, struct token *t, const struct tkt_oauth_ask *ask,
                 struct tkt_err *err)
{
    struct token fresh = {0};
    char *refresh = t->refresh;

    t->refresh = NULL;
    t->is_fetching = true;
    pthread_mutex_unlock(&o->lock);
    int rc = fetch_any(ask, refresh, &fresh, err);
    pthread_mutex_lock(&o->lock);
    t->is_fetching = false;
    wipe(&refresh);
    wipe(&t->access);
    t->access = fresh.access;
    t->refresh = fresh.refresh;
    t->until_ms = fresh.until_ms;
    pthread_cond_broadcast(&o->fetched);
    return rc;
}

static int get(struct tkt_oauth *o, const char *key, const struct tkt_oauth_ask *ask,
               struct tkt_buf *out, struct tkt_err *err)
{
    struct token *t = find(o, key);

    while (t != NULL && t->is_fetching) {
        pthread_cond_wait(&o->fetched, &o->lock);
        t = find(o, key);
    }
    if (t == NULL && (t = place(o, key)) == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "oauth: no room for a token");
    }
    t->used_ms = tkt_clock_mono_ms();
    if ((t->access == NULL || t->used_ms >= t->until_ms) && renew(o, t, ask, err) < 0) {
        return -1;
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
