/* SPDX-License-Identifier: BSD-2-Clause
 * Mail by SendGrid, API v3.
 *
 * Nothing names a mail there towards a second try: one whose answer was lost is sent again,
 * with the same Message-ID of ours among its headers.
 * Source: sendgrid-oai, spec/paths/mail_send.
 */
#include "base/util.h"
#include "notify/build.h"
#include "notify/channels.h"

#include <string.h>
#include <strings.h>

#define SUBJECT_MAX 900
#define TEXT_MAX 200000 /* characters; 30 MB are taken in all */

static const char *const options[] = {"sandbox", NULL};

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

const struct tkt_channel_ops tkt_channel_sendgrid = {.type = "sendgrid",
                                                     .title = "SendGrid (mail, API v3)",
                                                     .way = TKT_CHANNEL_HTTP,
                                                     .to = TKT_CHANNEL_TO_ADDRESS,
                                                     .takes_html = true,
                                                     .options = options,
                                                     .check = check,
                                                     .build = build,
                                                     .read = read_answer};
