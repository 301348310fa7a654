/* SPDX-License-Identifier: BSD-2-Clause
 * Is it theirs? One table for all ways to sign a call.
 */
#include "base/buf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "itsm/back.h"
#include "net/whsign.h"
#include "ticketd/hook/hook.h"

#include <openssl/evp.h>
#include <string.h>

#define SECRETS_MAX 8
#define BODY_MAX (17 * 1024 * 1024)

enum coding {
    CODE_PLAIN, /* the secret itself */
    CODE_HEX,
    CODE_BASE64,
    CODE_STANDARD
};

static const struct rule {
    const char *field;
    const char *prefix;
    enum coding coding;
    const char *time;     /* its field: signed in front of the body */
    const char *delivery; /* the field that names the call */
} rules[] = {
    [TKT_CONF_HOOK_STANDARD] = {"webhook-signature", "v1,", CODE_STANDARD,
                                "webhook-timestamp", "webhook-id"},
    [TKT_CONF_HOOK_GITHUB] = {"X-Hub-Signature-256", "sha256=", CODE_HEX, NULL,
                              "X-GitHub-Delivery"},
    [TKT_CONF_HOOK_GITLAB] = {"X-Gitlab-Token", "", CODE_PLAIN, NULL, "Idempotency-Key"},
    [TKT_CONF_HOOK_JIRA] = {"X-Hub-Signature", "sha256=", CODE_HEX, NULL,
                            "X-Atlassian-Webhook-Identifier"},
    [TKT_CONF_HOOK_ZENDESK] = {"X-Zendesk-Webhook-Signature", "", CODE_BASE64,
                               "X-Zendesk-Webhook-Signature-Timestamp",
                               "X-Zendesk-Webhook-Invocation-Id"},
    [TKT_CONF_HOOK_REDMINE] = {"X-Redmine-Signature-256", "sha256=", CODE_HEX, NULL,
                               NULL},
    [TKT_CONF_HOOK_HEADER] = {NULL, "", CODE_PLAIN, NULL, NULL}};

enum tkt_conf_hook tkt_hook_kind(const struct tkt_conf_itsm *conf)
{
    static const struct {
        const char *type;
        enum tkt_conf_hook kind;
    } types[] = {{"github", TKT_CONF_HOOK_GITHUB},   {"gitlab", TKT_CONF_HOOK_GITLAB},
                 {"jira", TKT_CONF_HOOK_JIRA},       {"zendesk", TKT_CONF_HOOK_ZENDESK},
                 {"redmine", TKT_CONF_HOOK_REDMINE}, {"webhook", TKT_CONF_HOOK_STANDARD}};

    if (conf->hook != TKT_CONF_HOOK_DEFAULT) {
        return conf->hook;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(types); i++) {
        if (strcmp(types[i].type, conf->type) == 0) {
            return types[i].kind;
        }
    }
    return TKT_CONF_HOOK_HEADER;
}

static int refuse(struct tkt_err *err, const char *why)
{
    return tkt_err_set(err, TKT_ERR_PERM, "%s", why);
}

/* ---- one secret ----------------------------------------------------------------------- */

/* Both are hashed, so that lengths tell nothing either. */
static bool same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned char x[TKT_SHA256_LEN];
    unsigned char y[TKT_SHA256_LEN];

    tkt_sha256(a, a_len, x);
    tkt_sha256(b, b_len, y);
    bool same = tkt_mem_equal(x, y, sizeof(x));
    tkt_wipe(y, sizeof(y));
    return same;
}

static bool fits(const struct rule *rule, const char *secret, size_t secret_len,
                 const struct tkt_buf *content, const char *given)
{
    unsigned char mac[TKT_SHA256_LEN];
    char coded[TKT_SHA256_LEN * 2 + 1];

    if (rule->coding == CODE_PLAIN) {
        return same_text(given, strlen(given), secret, secret_len);
    }
    tkt_hmac_sha256(secret, secret_len, content->data, content->len, mac);
    if (rule->coding == CODE_HEX) {
        tkt_hex_encode(mac, sizeof(mac), coded);
    } else {
        EVP_EncodeBlock((unsigned char *)coded, mac, (int)sizeof(mac));
    }
    return strlen(given) == strlen(coded) && tkt_mem_equal(given, coded, strlen(coded));
}

static bool one_fits(const struct rule *rule, const char *secrets,
                     const struct tkt_buf *content, const char *given)
{
    bool any = false;
    int count = 0;

    for (const char *p = secrets; *p != '\0' && count < SECRETS_MAX; count++) {
        size_t n = strcspn(p, "\r\n");

        /* All of them, so that time does not tell which. */
        any = (n > 0 && fits(rule, p, n, content, given)) || any;
        p += n;
        p += strspn(p, "\r\n");
    }
    return any;
}

/* ---- Standard Webhooks ---------------------------------------------------------------- */

/* What we would sign it with against each of what came. */
static int standard_fits(const char *secrets, const struct tkt_hook_call *call,
                         const char *id, int64_t at_ms, const char *given,
                         struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf ours = TKT_BUF_INIT(4096);
    bool any = false;

    if (tkt_whsign(secrets, id, at_ms / 1000, call->body, call->len, &ours, err) < 0) {
        return -1;
    }
    for (const char *g = given; *g != '\0';) {
        size_t g_len = strcspn(g, " ");

        for (const char *o = tkt_buf_str(&ours); *o != '\0';) {
            size_t o_len = strcspn(o, " ");

            any = (g_len == o_len && tkt_mem_equal(g, o, o_len)) || any;
            o += o_len;
            o += strspn(o, " ");
        }
        g += g_len;
        g += strspn(g, " ");
    }
    return any ? 0 : refuse(err, "the signature does not fit");
}

/* ---- a call --------------------------------------------------------------------------- */

/* Seconds since 1970, or as ISO 8601 writes it: ms, or -1. */
static int64_t time_of(const char *text)
{
    int64_t s = 0;

    return tkt_parse_int(text, 0, INT64_C(99999999999), &s) == 0 ? s * 1000
                                                                 : tkt_itsm_time(text);
}

static const char *field_of(const struct tkt_hook_call *call, const char *name)
{
    const char *value = name == NULL ? NULL : call->field(call->arg, name);

    return value == NULL || *value == '\0' || strlen(value) > TKT_HOOK_FIELD_MAX ? NULL
                                                                                 : value;
}

static int check_time(const struct tkt_hook_call *call, const char *said, int64_t *at_ms,
                      struct tkt_err *err)
{
    *at_ms = said == NULL ? -1 : time_of(said);
    if (*at_ms < 0) {
        return refuse(err, "it does not say when it was sent");
    }
    if (*at_ms < call->now_ms - call->window_ms ||
        *at_ms > call->now_ms + call->window_ms) {
        return refuse(err, "it was sent too long ago, or one of the clocks is wrong");
    }
    return 0;
}

int tkt_hook_verify(const struct tkt_conf_itsm *conf, const char *secrets,
                    const struct tkt_hook_call *call, const char **delivery,
                    struct tkt_err *err)
{
    const struct rule *rule = &rules[tkt_hook_kind(conf)];
    const char *given = field_of(call, rule->field ? rule->field : conf->hook_header);
    const char *said = field_of(call, rule->time);
    TKT_AUTO_BUF struct tkt_buf content = TKT_BUF_INIT(BODY_MAX);
    size_t skip = strlen(rule->prefix);
    int64_t at_ms = 0;

    *delivery = field_of(call, rule->delivery);
    if (given == NULL || strncmp(given, rule->prefix, skip) != 0) {
        return refuse(err, "it is not signed");
    }
    if (secrets[strspn(secrets, " \t\r\n")] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF, "hook_secret is empty");
    }
    if (rule->time != NULL && check_time(call, said, &at_ms, err) < 0) {
        return -1;
    }
    if (rule->coding == CODE_STANDARD) {
        return *delivery == NULL || strchr(*delivery, '.') != NULL
                   ? refuse(err, "it has no webhook-id")
                   : standard_fits(secrets, call, *delivery, at_ms, given, err);
    }
    if (rule->coding != CODE_PLAIN) {
        tkt_buf_adds(&content, rule->time == NULL ? "" : said);
        tkt_buf_add(&content, call->body, call->len);
    }
    if (content.failed) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    return one_fits(rule, secrets, &content, given + skip)
               ? 0
               : refuse(err, "the signature does not fit");
}
