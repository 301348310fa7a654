/* SPDX-License-Identifier: BSD-2-Clause
 * Any service that takes JSON by POST, signed as Standard Webhooks has it.
 *
 * webhook-id is the notice's own, the same for each try: who receives it takes it once.
 * Source: spec/standard-webhooks.md of standard-webhooks.
 */
#include "base/util.h"
#include "net/whsign.h"
#include "notify/build.h"
#include "notify/channels.h"

#include <inttypes.h>
#include <string.h>

/* Characters: an event is less than 20 kB, whatever they are. */
#define TEXT_MAX 4000
#define SUBJECT_MAX 300
#define SIGNATURE_MAX 1024

static const char *const options[] = {"allow_private", NULL};

static cJSON *body_of(struct tkt_channel_call *call)
{
    const struct tkt_notice *n = call->notice;
    const char *text = tkt_channel_cut(call, n->text, TEXT_MAX);
    const char *subject = tkt_channel_line(call, n->subject, SUBJECT_MAX);
    const struct {
        const char *name, *text;
    } texts[] = {{"ticket", n->ticket},
                 {"key", n->corr},
                 {"number", n->number},
                 {"url", n->url},
                 {"desk", n->desk},
                 {"group", n->group},
                 {"assignee", n->assignee},
                 {"state", n->state},
                 {"to", tkt_channel_to(call)},
                 {"role", n->role},
                 {"language", n->language},
                 {"subject", subject != NULL ? subject : ""},
                 {"text", text != NULL ? text : ""}};
    cJSON *body = cJSON_CreateObject();
    const char *type = tkt_channel_text(call, "notice.%s", tkt_notice_names[n->what]);

    cJSON_AddStringToObject(body, "type", type != NULL ? type : "notice");
    const char *at = tkt_channel_time(call, n->at_ms);
    cJSON_AddStringToObject(body, "timestamp", at != NULL ? at : "");
    cJSON *data = cJSON_AddObjectToObject(body, "data");
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        cJSON_AddStringToObject(data, texts[i].name, texts[i].text);
    }
    cJSON_AddNumberToObject(data, "priority", n->priority);
    cJSON_AddBoolToObject(data, "over", n->is_over);
    return body;
}

static int sign(struct tkt_channel_call *call, const char *body, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf value = TKT_BUF_INIT(SIGNATURE_MAX);
    int64_t at_s = call->now_ms / 1000;

    tkt_channel_header(call, tkt_channel_text(call, "webhook-id: %s", call->notice->id));
    tkt_channel_header(call, tkt_channel_text(call, "webhook-timestamp: %" PRId64, at_s));
    if (call->secret[0] == '\0') {
        return 0;
    }
    if (tkt_whsign(call->secret, call->notice->id, at_s, body, strlen(body), &value,
                   err) < 0) {
        return -1;
    }
    tkt_channel_header(
        call, tkt_channel_text(call, "webhook-signature: %s", tkt_buf_str(&value)));
    return 0;
}

static int build(struct tkt_channel_call *call, struct tkt_err *err)
{
    const char *private = tkt_channel_option(call->conf, "allow_private");
    cJSON *json = body_of(call);
    char *text = cJSON_PrintUnformatted(json);
    const char *body = tkt_channel_keep(call, text);

    cJSON_free(text);
    cJSON_Delete(json);
    if (body != NULL && sign(call, body, err) < 0) {
        return -1;
    }
    call->request.repeatable = true; /* by its id */
    call->request.peer.public_only = private == NULL || strcmp(private, "yes") != 0;
    return tkt_channel_post(call, tkt_channel_keep(call, call->conf->url),
                            "application/json", body, err);
}

/* 410: it wants no more of them. That is for a person to mend. */
static int read_answer(struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    int rc = tkt_channel_by_status(call, response, "the webhook", "", err);

    if (response->status == 410) {
        return tkt_channel_refuse(err, TKT_ERR_CONF, "the webhook",
                                  "410: it is gone; take the channel out or give its new "
                                  "address");
    }
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    if (conf->url[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF, "no url");
    }
    return conf->secret[0] != '\0' || conf->auth == TKT_CONF_AUTH_NONE
               ? 0
               : tkt_err_set(
                     err, TKT_ERR_CONF,
                     "no secret; write secret = \"file:/path/of/a/whsec_/secret\", or "
                     "auth = none for notices without a signature");
}

const struct tkt_channel_ops tkt_channel_webhook = {.type = "webhook",
                                                    .title =
                                                        "webhook (Standard Webhooks)",
                                                    .way = TKT_CHANNEL_HTTP,
                                                    .to = TKT_CHANNEL_TO_ANY,
                                                    .is_once = true,
                                                    .options = options,
                                                    .check = check,
                                                    .build = build,
                                                    .read = read_answer};
