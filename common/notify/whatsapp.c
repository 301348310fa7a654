/* SPDX-License-Identifier: BSD-2-Clause
 * WhatsApp, Cloud API.
 *
 * Text goes only to who wrote within the last day; outside of that a template that was
 * agreed on with the vendor: options = {"template=NAME"}, whose body takes two parameters,
 * the ticket and the text.
 * What becomes of it: the app's webhook (X-Hub-Signature-256 by the app's secret), which
 * brings back our id of the notice.
 * Source: WhatsApp-Nodejs-SDK; the vendor's error codes.
 */
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "notify/build.h"
#include "notify/channels.h"
#include "notify/status.h"

#include <stdio.h>
#include <string.h>

#define BODY_MAX 4096
#define PARAMETER_MAX 1024
#define LANGUAGE_DEFAULT "en"

static const char *const options[] = {"settle", "template", "template_language",
                                      "version", NULL};

static void add_parameter(cJSON *list, const char *text)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddStringToObject(item, "type", "text");
    cJSON_AddStringToObject(item, "text", text != NULL && text[0] != '\0' ? text : "-");
    cJSON_AddItemToArray(list, item);
}

static void add_template(struct tkt_channel_call *call, cJSON *body, const char *name)
{
    const struct tkt_notice *n = call->notice;
    const char *language = tkt_channel_option(call->conf, "template_language");
    cJSON *t = cJSON_AddObjectToObject(body, "template");
    cJSON *part = cJSON_CreateObject();

    if (language == NULL) {
        language = n->language[0] != '\0' ? n->language : LANGUAGE_DEFAULT;
    }
    cJSON_AddStringToObject(t, "name", name);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(t, "language"), "code", language);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(t, "components"), part);
    cJSON_AddStringToObject(part, "type", "body");
    cJSON *list = cJSON_AddArrayToObject(part, "parameters");
    add_parameter(list, n->ticket);
    /* A parameter may hold no line's end. */
    add_parameter(list, tkt_channel_line(call, n->subject, PARAMETER_MAX));
}

/* "+49 30 1234" as it wants numbers: digits. */
static const char *digits_of(struct tkt_channel_call *call, const char *number)
{
    char *out = tkt_channel_keep(call, number);
    size_t n = 0;

    for (const char *p = out; p != NULL && *p != '\0'; p++) {
        if (*p >= '0' && *p <= '9') {
            out[n++] = *p;
        }
    }
    if (out != NULL) {
        out[n] = '\0';
    }
    return out;
}

static int build(struct tkt_channel_call *call, struct tkt_err *err)
{
    const struct tkt_notice *n = call->notice;
    const char *template = tkt_channel_option(call->conf, "template");
    const char *version = tkt_channel_option(call->conf, "version");
    const char *base = tkt_channel_base(call, "https://graph.facebook.com");
    const char *from = tkt_channel_escape(call, call->conf->from);
    const char *to = digits_of(call, tkt_channel_to(call));
    const char *text =
        tkt_channel_cut(call, n->text[0] != '\0' ? n->text : n->subject, BODY_MAX);
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "messaging_product", "whatsapp");
    cJSON_AddStringToObject(body, "recipient_type", "individual");
    cJSON_AddStringToObject(body, "to", to != NULL ? to : "");
    cJSON_AddStringToObject(body, "type", template != NULL ? "template" : "text");
    if (template != NULL) {
        add_template(call, body, template);
    } else {
        cJSON *t = cJSON_AddObjectToObject(body, "text");
        cJSON_AddBoolToObject(t, "preview_url", false);
        cJSON_AddStringToObject(t, "body", text != NULL ? text : "");
    }
    if (call->status_url != NULL && call->status_url[0] != '\0') {
        cJSON_AddStringToObject(body, "biz_opaque_callback_data", n->id); /* comes back */
    }
    tkt_channel_bearer(call);
    return tkt_channel_post_json(
        call,
        base == NULL || from == NULL || text == NULL || to == NULL
            ? NULL
            : tkt_channel_text(call, "%s/%s/%s/messages", base,
                               version != NULL ? version : "v20.0", from),
        body, err);
}

static int read_answer(struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    cJSON *json = tkt_channel_json(response);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
    int number = cJSON_IsNumber(code) ? code->valueint : 0;
    const char *words = tkt_channel_str(call, error, "message");
    int rc = tkt_channel_by_status(
        call, response, "WhatsApp",
        number != 0 ? tkt_channel_text(call, "%d %s", number, words) : words, err);

    call->seen.id = tkt_channel_keep(call, tkt_channel_str(call, json, "messages.0.id"));
    cJSON_Delete(json);
    if (rc == 0) {
        return 0;
    }
    switch (number) {
    case 190: /* the token */
        call->unauthorized = true;
        err->class = TKT_ERR_CONF;
        break;
    case 130429: /* too fast, in all or to this one */
    case 131056:
        err->class = TKT_ERR_TEMP;
        break;
    case 131026:
        call->undeliverable = true;
        break;
    case 131047:
        return tkt_channel_refuse(
            err, TKT_ERR_PERM, "WhatsApp",
            "131047 the last message from this number is older than "
            "a day; name a template (options = {\"template=...\"})");
    default:
        break;
    }
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    return conf->from[0] != '\0' && conf->secret[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "from is the id of the number that sends, secret its access "
                             "token; both are needed");
}

/* ---- what becomes of it ----------------------------------------------------------------- */

struct signed_call {
    const struct tkt_status_call *call;
    const char *given;
};

static bool fits(const char *secret, size_t len, const void *arg)
{
    const struct signed_call *c = arg;
    unsigned char mac[TKT_SHA256_LEN];
    char coded[2 * TKT_SHA256_LEN + 1];

    tkt_hmac_sha256(secret, len, c->call->body, c->call->len, mac);
    tkt_hex_encode(mac, sizeof(mac), coded);
    return strlen(c->given) == strlen(coded) &&
           tkt_mem_equal(c->given, coded, strlen(coded));
}

static int verify(const struct tkt_status_call *call, struct tkt_err *err)
{
    static const char prefix[] = "sha256=";
    const char *given = tkt_status_field(call, "X-Hub-Signature-256");
    const struct signed_call c = {.call = call, .given = given + strlen(prefix)};

    return strncmp(given, prefix, strlen(prefix)) == 0 &&
                   tkt_status_any(call->secret, fits, &c)
               ? 0
               : tkt_err_set(err, TKT_ERR_PERM, "the signature does not fit");
}

static void tell_one(const cJSON *status,
                     void (*tell)(void *arg, const struct tkt_status_told *told),
                     void *arg)
{
    static const struct {
        const char *word;
        enum tkt_heard what;
    } words[] = {{"sent", TKT_HEARD_TAKEN},
                 {"delivered", TKT_HEARD_DELIVERED},
                 {"read", TKT_HEARD_READ},
                 {"failed", TKT_HEARD_FAILED}};
    const cJSON *error =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(status, "errors"), 0);
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
    int number = cJSON_IsNumber(code) ? code->valueint : 0;
    char digits[16] = "";
    struct tkt_status_told told = {
        .notice = tkt_status_text(status, "biz_opaque_callback_data"),
        .to = tkt_status_text(status, "recipient_id"),
        .code = digits,
        .words = tkt_status_text(error, "title"),
        .id = tkt_status_text(status, "id")};

    if (number != 0) {
        (void)snprintf(digits, sizeof(digits), "%d", number); /* has room */
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (strcmp(words[i].word, tkt_status_text(status, "status")) == 0) {
            told.what = words[i].what;
            told.failure = number == 131026 ? TKT_FAILURE_LASTING : TKT_FAILURE_NONE;
            tell(arg, &told);
        }
    }
}

static int read_status(const struct tkt_status_call *call,
                       void (*tell)(void *arg, const struct tkt_status_told *told),
                       void *arg, struct tkt_err *err)
{
    cJSON *json = cJSON_ParseWithLength(call->body, call->len);
    const cJSON *entry;
    const cJSON *change;
    const cJSON *status;
    int left = TKT_STATUS_TOLD_MAX;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "entry"))
    {
        cJSON_ArrayForEach(change, cJSON_GetObjectItemCaseSensitive(entry, "changes"))
        {
            const cJSON *value = cJSON_GetObjectItemCaseSensitive(change, "value");

            cJSON_ArrayForEach(status,
                               cJSON_GetObjectItemCaseSensitive(value, "statuses"))
            {
                if (left-- > 0) {
                    tell_one(status, tell, arg);
                }
            }
        }
    }
    int rc = json == NULL ? tkt_err_set(err, TKT_ERR_PERM, "it is no JSON") : 0;
    cJSON_Delete(json);
    return rc;
}

static const struct tkt_status_ops status_ops = {
    .asks = true, .verify = verify, .read = read_status};

const struct tkt_channel_ops tkt_channel_whatsapp = {.type = "whatsapp",
                                                     .title = "WhatsApp (Cloud API)",
                                                     .way = TKT_CHANNEL_HTTP,
                                                     .to = TKT_CHANNEL_TO_PHONE,
                                                     .options = options,
                                                     .check = check,
                                                     .build = build,
                                                     .read = read_answer,
                                                     .status = &status_ops};
