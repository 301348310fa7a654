/* SPDX-License-Identifier: BSD-2-Clause
 * Mail by SendGrid, API v3.
 *
 * Nothing names a mail there towards a second try: one whose answer was lost is sent again,
 * with the same Message-ID of ours among its headers.
 * What becomes of it: the signed event webhook (ECDSA over its time and the body), which
 * brings back our id of the notice.
 * Source: sendgrid-oai, spec/paths/mail_send.
 */
#include "base/enc.h"
#include "base/util.h"
#include "net/ecdsa.h"
#include "notify/build.h"
#include "notify/channels.h"
#include "notify/status.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SUBJECT_MAX 900
/* Calls are sent again for a day; what they tell counts once in any case. */
#define WINDOW_MS (2 * 86400 * INT64_C(1000))
#define SIGNED_MAX (17 * 1024 * 1024)
#define TEXT_MAX 200000 /* characters; 30 MB are taken in all */

static const char *const options[] = {"sandbox", "settle", NULL};

static void add_person(cJSON *object, const char *address, const char *name)
{
    cJSON_AddStringToObject(object, "email", address);
    if (name[0] != '\0') {
        cJSON_AddStringToObject(object, "name", name);
    }
}

static void add_content(cJSON *list, const char *type, const char *value)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddStringToObject(item, "type", type);
    cJSON_AddStringToObject(item, "value", value);
    cJSON_AddItemToArray(list, item);
}

/* Fields that it makes itself may not be among ours. */
static bool is_theirs(const char *name, size_t n)
{
    static const char *const theirs[] = {"x-sg-id",      "x-sg-eid",
                                         "received",     "dkim-signature",
                                         "content-type", "content-transfer-encoding",
                                         "to",           "from",
                                         "subject",      "reply-to",
                                         "cc",           "bcc"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(theirs); i++) {
        if (strlen(theirs[i]) == n && strncasecmp(theirs[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

/* value NULL: no memory, which post finds elsewhere. */
static void add_header(cJSON *headers, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        cJSON_AddStringToObject(headers, name, value);
    }
}

static const char *in_brackets(struct tkt_channel_call *call, const char *id)
{
    return id[0] == '\0' ? "" : tkt_channel_text(call, "<%s>", id);
}

static void add_headers(struct tkt_channel_call *call, cJSON *headers)
{
    const struct tkt_notice *n = call->notice;

    add_header(headers, "Message-ID", in_brackets(call, n->message_id));
    add_header(headers, "In-Reply-To", in_brackets(call, n->in_reply_to));
    add_header(headers, "References", n->references);
    for (size_t i = 0; n->headers != NULL && n->headers[i] != NULL; i++) {
        const char *line = n->headers[i];
        size_t name = strcspn(line, ":");

        if (line[name] == ':' && !is_theirs(line, name)) {
            const char *key = tkt_channel_text(call, "%.*s", (int)name, line);

            if (key != NULL) {
                add_header(headers, key, line + name + 1 + strspn(line + name + 1, " "));
            }
        }
    }
}

static int build(struct tkt_channel_call *call, struct tkt_err *err)
{
    const struct tkt_notice *n = call->notice;
    const char *base = tkt_channel_base(call, "https://api.sendgrid.com");
    cJSON *body = cJSON_CreateObject();
    cJSON *people = cJSON_AddArrayToObject(body, "personalizations");
    cJSON *person = cJSON_CreateObject();
    cJSON *to = cJSON_CreateObject();

    cJSON_AddItemToArray(people, person);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(person, "to"), to);
    add_person(to, tkt_channel_to(call), n->to_name);
    add_person(cJSON_AddObjectToObject(body, "from"),
               call->conf->from[0] != '\0' ? call->conf->from : n->from, n->from_name);
    if (n->reply_to[0] != '\0') {
        add_person(cJSON_AddObjectToObject(body, "reply_to"), n->reply_to, "");
    }
    const char *subject = tkt_channel_line(call, n->subject, SUBJECT_MAX);
    const char *text = tkt_channel_cut(call, n->text, TEXT_MAX);
    cJSON_AddStringToObject(body, "subject", subject != NULL ? subject : "");
    cJSON *content = cJSON_AddArrayToObject(body, "content");
    add_content(content, "text/plain", text != NULL && text[0] != '\0' ? text : " ");
    if (n->html[0] != '\0') {
        add_content(content, "text/html", n->html);
    }
    add_headers(call, cJSON_AddObjectToObject(body, "headers"));
    cJSON *own = cJSON_AddObjectToObject(person, "custom_args");
    cJSON_AddStringToObject(own, "ticket", n->ticket);
    cJSON_AddStringToObject(own, "notice", n->id);
    cJSON *tracking = cJSON_AddObjectToObject(body, "tracking_settings");
    cJSON_AddBoolToObject(cJSON_AddObjectToObject(tracking, "click_tracking"), "enable",
                          false);
    cJSON_AddBoolToObject(cJSON_AddObjectToObject(tracking, "open_tracking"), "enable",
                          false);
    const char *sandbox = tkt_channel_option(call->conf, "sandbox");
    if (sandbox != NULL && strcmp(sandbox, "yes") == 0) {
        cJSON *mail = cJSON_AddObjectToObject(body, "mail_settings");
        cJSON_AddBoolToObject(cJSON_AddObjectToObject(mail, "sandbox_mode"), "enable",
                              true);
    }
    tkt_channel_bearer(call);
    return tkt_channel_post_json(
        call, base == NULL ? NULL : tkt_channel_text(call, "%s/v3/mail/send", base), body,
        err);
}

static int read_answer(struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    char room[128];
    const char *id = tkt_http_header(response, "x-message-id", room, sizeof(room));
    cJSON *json = tkt_channel_json(response);
    const char *field = tkt_channel_str(call, json, "errors.0.field");
    int rc = tkt_channel_by_status(call, response, "SendGrid",
                                   tkt_channel_str(call, json, "errors.0.message"), err);

    call->seen.id = tkt_channel_keep(call, id != NULL ? id : "");
    call->undeliverable =
        response->status == 400 && strncmp(field, "personalizations.0.to", 21) == 0;
    cJSON_Delete(json);
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    return conf->secret[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "no secret; write secret = \"file:/path/of/the/API/key\"");
}

/* ---- what becomes of it ----------------------------------------------------------------- */

struct signed_call {
    struct tkt_buf content;
    const char *given;
    struct tkt_err *err; /* of a key that is none */
};

static bool fits(const char *key, size_t len, const void *arg)
{
    const struct signed_call *c = arg;

    return tkt_ecdsa_verify(key, len, c->content.data, c->content.len, c->given,
                            c->err) == 1;
}

static int verify(const struct tkt_status_call *call, struct tkt_err *err)
{
    static const char prefix[] = "X-Twilio-Email-Event-Webhook-";
    char name[64];
    struct tkt_err key_err = TKT_ERR_INIT;
    struct signed_call c = {.content = TKT_BUF_INIT(SIGNED_MAX), .err = &key_err};
    int64_t at_s = 0;

    (void)snprintf(name, sizeof(name), "%sSignature", prefix); /* has room, as below */
    c.given = tkt_status_field(call, name);
    (void)snprintf(name, sizeof(name), "%sTimestamp", prefix);
    const char *at = tkt_status_field(call, name);
    if (c.given[0] == '\0' || tkt_parse_int(at, 0, INT64_C(99999999999), &at_s) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "it is not signed");
    }
    if (at_s * 1000 < call->now_ms - WINDOW_MS ||
        at_s * 1000 > call->now_ms + WINDOW_MS) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "it was sent too long ago, or one of the clocks is wrong");
    }
    bool ok = tkt_buf_adds(&c.content, at) == 0 &&
              tkt_buf_add(&c.content, call->body, call->len) == 0 &&
              tkt_status_any(call->secret, fits, &c);
    tkt_buf_release(&c.content);
    if (!ok && key_err.class == TKT_ERR_CONF) {
        *err = key_err;
        return tkt_err_prefix(err, "hook_secret");
    }
    return ok ? 0 : tkt_err_set(err, TKT_ERR_PERM, "the signature does not fit");
}

/* Of a bounce: its status; what was blocked says nothing lasting. Of a drop: a list of
 * theirs, on which the address stands already. */
static enum tkt_failure failure_of(const cJSON *event, const char *word)
{
    const char *status = tkt_status_text(event, "status");
    const char *reason = tkt_status_text(event, "reason");

    if (strcmp(word, "bounce") == 0) {
        enum tkt_failure says =
            status[0] != '\0' ? tkt_mailstatus_failure(status) : TKT_FAILURE_LASTING;

        return strcmp(tkt_status_text(event, "type"), "blocked") == 0
                   ? TKT_MIN(says, TKT_FAILURE_PASSING)
                   : says;
    }
    return strcasecmp(reason, "Bounced Address") == 0 ||
                   strcasecmp(reason, "Invalid") == 0
               ? TKT_FAILURE_LASTING
               : TKT_FAILURE_NONE;
}

static bool is_unwanted(const cJSON *event, const char *word)
{
    static const char *const words[] = {"spamreport", "unsubscribe", "group_unsubscribe"};
    static const char *const reasons[] = {"Unsubscribed Address",
                                          "Spam Reporting Address"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(reasons); i++) {
        if (strcmp(word, "dropped") == 0 &&
            strcasecmp(tkt_status_text(event, "reason"), reasons[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void tell_one(const cJSON *event,
                     void (*tell)(void *arg, const struct tkt_status_told *told),
                     void *arg)
{
    static const struct {
        const char *word;
        enum tkt_heard what;
    } words[] = {{"processed", TKT_HEARD_TAKEN},     {"deferred", TKT_HEARD_TAKEN},
                 {"delivered", TKT_HEARD_DELIVERED}, {"open", TKT_HEARD_READ},
                 {"click", TKT_HEARD_READ},          {"bounce", TKT_HEARD_FAILED},
                 {"dropped", TKT_HEARD_FAILED}};
    const char *word = tkt_status_text(event, "event");
    const char *reason = tkt_status_text(event, "reason");
    struct tkt_status_told told = {.notice = tkt_status_text(event, "notice"),
                                   .to = tkt_status_text(event, "email"),
                                   .code = tkt_status_text(event, "status"),
                                   .words = reason[0] != '\0' ? reason : word,
                                   .id = tkt_status_text(event, "sg_message_id")};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (strcmp(words[i].word, word) == 0) {
            told.what = words[i].what;
            told.failure = failure_of(event, word);
            tell(arg, &told);
        }
    }
    if (is_unwanted(event, word)) {
        told.what = TKT_HEARD_UNWANTED;
        tell(arg, &told);
    }
}

static int read_status(const struct tkt_status_call *call,
                       void (*tell)(void *arg, const struct tkt_status_told *told),
                       void *arg, struct tkt_err *err)
{
    cJSON *json = cJSON_ParseWithLength(call->body, call->len);
    const cJSON *event;
    int left = TKT_STATUS_TOLD_MAX;
    int rc = 0;

    if (!cJSON_IsArray(json)) {
        rc = tkt_err_set(err, TKT_ERR_PERM, "it is no list of events");
    }
    const cJSON *list = rc == 0 ? json : NULL;
    cJSON_ArrayForEach(event, list)
    {
        if (left-- > 0) {
            tell_one(event, tell, arg);
        }
    }
    cJSON_Delete(json);
    return rc;
}

static const struct tkt_status_ops status_ops = {.verify = verify, .read = read_status};

const struct tkt_channel_ops tkt_channel_sendgrid = {.type = "sendgrid",
                                                     .title = "SendGrid (mail, API v3)",
                                                     .way = TKT_CHANNEL_HTTP,
                                                     .to = TKT_CHANNEL_TO_ADDRESS,
                                                     .takes_html = true,
                                                     .options = options,
                                                     .check = check,
                                                     .build = build,
                                                     .read = read_answer,
                                                     .status = &status_ops};
