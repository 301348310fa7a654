/* SPDX-License-Identifier: BSD-2-Clause
 * Text messages by Twilio.
 *
 * It knows no key for a second try: a message whose answer was lost may be told twice,
 * unless it calls us in time to say that it has it.
 * What becomes of it: the status callback (X-Twilio-Signature: HMAC-SHA-1 over the address
 * that it was given and the form), whose address names the notice.
 * Source: twilio-oai, spec/json/twilio_api_v2010.json (Messages).
 */
#include "base/enc.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/util.h"
#include "notify/build.h"
#include "notify/channels.h"
#include "notify/status.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 1600  /* characters; Twilio: 21617 */
#define FIELDS_MAX 200 /* of a call to us; it may have new ones at any time */
#define SIGNED_MAX (128 * 1024)

static const char *const options[] = {"settle", "status_callback", "validity", NULL};

/* Codes that mean this number cannot be reached by us, ever. */
static bool is_undeliverable(int code)
{
    static const int codes[] = {21211, 21610, 21614, 21217};

    for (size_t i = 0; i < TKT_ARRAY_LEN(codes); i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

static int add(struct tkt_buf *form, const char *name, const char *value)
{
    return tkt_buf_addf(form, "%s%s=", form->len > 0 ? "&" : "", name) < 0 ||
                   tkt_escape_add(TKT_ESCAPE_URL, value, form) < 0
               ? -1
               : 0;
}

static const char *what_to_say(struct tkt_channel_call *call)
{
    const struct tkt_notice *n = call->notice;

    return tkt_channel_cut(call, n->text[0] != '\0' ? n->text : n->subject, BODY_MAX);
}

/* Ours, unless the section names another one, or "no". */
static const char *callback_of(const struct tkt_channel_call *call)
{
    const char *said = tkt_channel_option(call->conf, "status_callback");

    if (said != NULL) {
        return strcmp(said, "no") == 0 ? "" : said;
    }
    return call->status_url != NULL ? call->status_url : "";
}

static int build(struct tkt_channel_call *call, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf form = TKT_BUF_INIT(64 * 1024);
    const char *from = call->conf->from;
    const char *callback = callback_of(call);
    const char *validity = tkt_channel_option(call->conf, "validity");
    const char *body = what_to_say(call);
    const char *base = tkt_channel_base(call, "https://api.twilio.com");
    const char *account = tkt_channel_escape(call, call->conf->user);
    /* An API key (SK...) stands in client_id, its secret in secret. */
    const char *user =
        call->conf->client_id[0] != '\0' ? call->conf->client_id : call->conf->user;

    (void)add(&form, "To", tkt_channel_to(call)); /* form.failed tells */
    (void)add(&form, strncmp(from, "MG", 2) == 0 ? "MessagingServiceSid" : "From", from);
    (void)add(&form, "Body", body != NULL ? body : "");
    if (callback[0] != '\0') {
        (void)add(&form, "StatusCallback", callback);
    }
    if (validity != NULL) {
        (void)add(&form, "ValidityPeriod", validity);
    }
    tkt_channel_basic(call, user, call->secret);
    return tkt_channel_post(
        call,
        base == NULL || account == NULL
            ? NULL
            : tkt_channel_text(call, "%s/2010-04-01/Accounts/%s/Messages.json", base,
                               account),
        "application/x-www-form-urlencoded",
        form.failed || body == NULL ? NULL : tkt_channel_keep(call, tkt_buf_str(&form)),
        err);
}

static int read_answer(struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    cJSON *json = tkt_channel_json(response);
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(json, "code");
    const char *message = tkt_channel_str(call, json, "message");
    int number = cJSON_IsNumber(code) ? code->valueint : 0;
    int rc = tkt_channel_by_status(
        call, response, "Twilio",
        number != 0 ? tkt_channel_text(call, "%d %s", number, message) : message, err);

    call->seen.id = tkt_channel_keep(call, tkt_channel_str(call, json, "sid"));
    if (rc < 0) {
        call->unauthorized = call->unauthorized || number == 20003;
        call->undeliverable = is_undeliverable(number);
        if (number == 20429) {
            err->class = TKT_ERR_TEMP;
        }
    }
    cJSON_Delete(json);
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    if (conf->user[0] == '\0' || conf->secret[0] == '\0') {
        return tkt_err_set(
            err, TKT_ERR_CONF,
            "user is the account (AC...), secret its token; both are needed");
    }
    return conf->from[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "from is the number (\"+4930...\") or the messaging service "
                             "(\"MG...\") that sends; it is needed");
}

/* ---- what becomes of it ----------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct tkt_form_pair *x = a;
    const struct tkt_form_pair *y = b;
    int names = strcmp(x->name, y->name);

    return names != 0 ? names : strcmp(x->value, y->value);
}

/* What is signed behind the address: each name and its value, sorted; of two that are the
 * same, one. */
static int add_signed(const struct tkt_form *form, struct tkt_buf *out)
{
    for (size_t i = 0; i < form->count; i++) {
        const struct tkt_form_pair *p = &form->pairs[i];

        if (i > 0 && by_name(p, p - 1) == 0) {
            continue;
        }
        bool goes_on = i > 0 && strcmp(p->name, p[-1].name) == 0;
        if ((!goes_on && tkt_buf_adds(out, p->name) < 0) ||
            tkt_buf_adds(out, p->value) < 0) {
            return -1;
        }
    }
    return 0;
}

struct signed_call {
    struct tkt_buf content;
    const char *given;
};

static bool fits(const char *secret, size_t len, const void *arg)
{
    const struct signed_call *c = arg;
    unsigned char mac[TKT_SHA1_LEN];
    char coded[TKT_SHA1_LEN * 2];

    tkt_hmac_sha1(secret, len, c->content.data, c->content.len, mac);
    EVP_EncodeBlock((unsigned char *)coded, mac, (int)sizeof(mac));
    return strlen(c->given) == strlen(coded) &&
           tkt_mem_equal(c->given, coded, strlen(coded));
}

/* It signs the address with the port, or without, whatever it was given. */
static bool fits_at(const struct tkt_status_call *call, const struct tkt_form *form,
                    bool with_port)
{
    struct signed_call c = {.content = TKT_BUF_INIT(SIGNED_MAX),
                            .given = tkt_status_field(call, "X-Twilio-Signature")};
    size_t host = strlen("https://");
    size_t end = host + strcspn(call->url + host, "/");
    const char *colon = memchr(call->url + host, ':', end - host);
    int bare = (int)(colon != NULL ? (size_t)(colon - call->url) : end);
    const char *port = colon == NULL ? ":443" : colon;
    int port_len = colon == NULL ? 4 : (int)(call->url + end - colon);

    bool ok = c.given[0] != '\0' &&
              tkt_buf_addf(&c.content, "%.*s%.*s%s", bare, call->url,
                           with_port ? port_len : 0, port, call->url + end) == 0 &&
              add_signed(form, &c.content) == 0 && tkt_status_any(call->secret, fits, &c);
    tkt_buf_release(&c.content);
    return ok;
}

static int verify(const struct tkt_status_call *call, struct tkt_err *err)
{
    struct tkt_form form;

    if (tkt_form_parse(call->body, call->len, FIELDS_MAX, &form, err) < 0) {
        return -1;
    }
    qsort(form.pairs, form.count, sizeof(form.pairs[0]), by_name);
    bool bare = fits_at(call, &form, false);
    bool ported = fits_at(call, &form, true);
    tkt_form_release(&form);
    return bare || ported ? 0
                          : tkt_err_set(err, TKT_ERR_PERM, "the signature does not fit");
}

static enum tkt_failure failure_of(const char *code)
{
    static const struct {
        const char *code;
        enum tkt_failure says;
    } rows[] = {{"21211", TKT_FAILURE_LASTING}, /* no number */
                {"21614", TKT_FAILURE_LASTING}, /* no mobile one */
                {"30003", TKT_FAILURE_PASSING}, /* switched off */
                {"30005", TKT_FAILURE_LASTING}, /* unknown */
                {"30006", TKT_FAILURE_LASTING}, /* a landline */
                {"30008", TKT_FAILURE_PASSING}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].code, code) == 0) {
            return rows[i].says;
        }
    }
    return TKT_FAILURE_NONE; /* our account, the text, a carrier's filter */
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static int read_status(const struct tkt_status_call *call,
                       void (*tell)(void *arg, const struct tkt_status_told *told),
                       void *arg, struct tkt_err *err)
{
    static const struct {
        const char *word;
        enum tkt_heard what;
    } words[] = {{"accepted", TKT_HEARD_TAKEN}, {"scheduled", TKT_HEARD_TAKEN},
                 {"queued", TKT_HEARD_TAKEN},   {"sending", TKT_HEARD_TAKEN},
                 {"sent", TKT_HEARD_TAKEN},     {"delivered", TKT_HEARD_DELIVERED},
                 {"read", TKT_HEARD_READ},      {"undelivered", TKT_HEARD_FAILED},
                 {"failed", TKT_HEARD_FAILED},  {"canceled", TKT_HEARD_FAILED}};
    struct tkt_form form;

    if (tkt_form_parse(call->body, call->len, FIELDS_MAX, &form, err) < 0) {
        return -1;
    }
    const char *status = or_empty(tkt_form_get(&form, "MessageStatus"));
    struct tkt_status_told told = {.notice = call->notice,
                                   .to = or_empty(tkt_form_get(&form, "To")),
                                   .code = or_empty(tkt_form_get(&form, "ErrorCode")),
                                   .words = or_empty(tkt_form_get(&form, "ErrorMessage")),
                                   .id = or_empty(tkt_form_get(&form, "MessageSid"))};
    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (strcmp(words[i].word, status) == 0) {
            told.what = words[i].what;
            told.failure = failure_of(told.code);
            told.words = told.words[0] != '\0' ? told.words : status;
            tell(arg, &told);
        }
    }
    if (strcmp(told.code, "21610") == 0) { /* STOP */
        told.what = TKT_HEARD_UNWANTED;
        tell(arg, &told);
    }
    tkt_form_release(&form);
    return 0;
}

/* An API key's secret signs nothing: the account's token does. */
static bool signs_by_secret(const struct tkt_conf_channel *conf)
{
    return conf->client_id[0] == '\0';
}

static const struct tkt_status_ops status_ops = {.signs_by_secret = signs_by_secret,
                                                 .is_per_notice = true,
                                                 .verify = verify,
                                                 .read = read_status};

const struct tkt_channel_ops tkt_channel_twilio = {.type = "twilio",
                                                   .title = "Twilio (SMS)",
                                                   .way = TKT_CHANNEL_HTTP,
                                                   .to = TKT_CHANNEL_TO_PHONE,
                                                   .options = options,
                                                   .check = check,
                                                   .build = build,
                                                   .read = read_answer,
                                                   .status = &status_ops};
