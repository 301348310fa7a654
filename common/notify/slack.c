/* SPDX-License-Identifier: BSD-2-Clause
 * Slack: chat.postMessage with a bot's token (one thread a ticket), or an incoming webhook,
 * whose address is the secret (no threads: it tells no message's time stamp).
 *
 * What mail says goes as plain_text, in which nothing is markup, mention or link.
 * Source: slack-api-specs web-api; docs.slack.dev (rate limits, block kit).
 */
#include "base/util.h"
#include "notify/build.h"
#include "notify/channels.h"

#include <string.h>

#define SECTION_MAX 2900 /* characters of a section; 3000 are taken */
#define HEADER_MAX 150
#define FIELD_MAX 300
#define THREAD_SEPARATOR ' '

static const char *const options[] = {"broadcast", NULL};

static bool is_webhook(const struct tkt_conf_channel *conf, const char *secret)
{
    return strncmp(secret, "http", 4) == 0 ||
           (conf->url[0] != '\0' && strstr(conf->url, "/services/") != NULL);
}

static cJSON *plain(const char *text)
{
    cJSON *t = cJSON_CreateObject();

    cJSON_AddStringToObject(t, "type", "plain_text");
    cJSON_AddStringToObject(t, "text", text != NULL && text[0] != '\0' ? text : " ");
    cJSON_AddBoolToObject(t, "emoji", false);
    return t;
}

static cJSON *block(cJSON *blocks, const char *type)
{
    cJSON *b = cJSON_CreateObject();

    cJSON_AddStringToObject(b, "type", type);
    cJSON_AddItemToArray(blocks, b);
    return b;
}

static void add_facts(struct tkt_channel_call *call, cJSON *blocks)
{
    struct tkt_channel_fact facts[TKT_CHANNEL_FACTS_MAX];
    size_t count = tkt_channel_facts(call, facts);
    cJSON *fields =
        count == 0 ? NULL : cJSON_AddArrayToObject(block(blocks, "section"), "fields");

    for (size_t i = 0; i < count; i++) {
        const char *line =
            tkt_channel_text(call, "%s: %s", facts[i].title, facts[i].value);

        cJSON_AddItemToArray(fields, plain(tkt_channel_line(call, line, FIELD_MAX)));
    }
}

static void add_blocks(struct tkt_channel_call *call, cJSON *body)
{
    const struct tkt_notice *n = call->notice;
    cJSON *blocks = cJSON_AddArrayToObject(body, "blocks");

    cJSON_AddItemToObject(block(blocks, "header"), "text",
                          plain(tkt_channel_line(call, n->subject, HEADER_MAX)));
    if (n->text[0] != '\0') {
        cJSON_AddItemToObject(block(blocks, "section"), "text",
                              plain(tkt_channel_cut(call, n->text, SECTION_MAX)));
    }
    add_facts(call, blocks);
    if (n->url[0] != '\0') {
        cJSON *button = cJSON_CreateObject();

        cJSON_AddItemToArray(cJSON_AddArrayToObject(block(blocks, "actions"), "elements"),
                             button);
        cJSON_AddStringToObject(button, "type", "button");
        cJSON_AddItemToObject(button, "text", plain("Open"));
        cJSON_AddStringToObject(button, "url", n->url);
    }
}

/* For lists of notifications; here markup would count: & < > are entities. */
static const char *fallback(struct tkt_channel_call *call)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(8 * HEADER_MAX);
    const char *line = tkt_channel_line(call, call->notice->subject, HEADER_MAX);

    for (const char *p = line; p != NULL && *p != '\0'; p++) {
        switch (*p) {
        case '&':
            (void)tkt_buf_adds(&out, "&amp;"); /* out.failed tells */
            break;
        case '<':
            (void)tkt_buf_adds(&out, "&lt;");
            break;
        case '>':
            (void)tkt_buf_adds(&out, "&gt;");
            break;
        default:
            (void)tkt_buf_addc(&out, *p);
            break;
        }
    }
    return out.failed ? "" : tkt_channel_keep(call, tkt_buf_str(&out));
}

/* seen.thread is "CHANNEL TS": the runner keeps one a room. */
static const char *stamp_of(const char *thread)
{
    const char *space = strchr(thread, THREAD_SEPARATOR);

    return space != NULL ? space + 1 : "";
}

static int build(struct tkt_channel_call *call, struct tkt_err *err)
{
    bool webhook = is_webhook(call->conf, call->secret);
    const char *room = tkt_channel_to(call);
    const char *broadcast = tkt_channel_option(call->conf, "broadcast");
    const char *text = fallback(call);
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "text", text != NULL ? text : "");
    add_blocks(call, body);
    cJSON_AddBoolToObject(body, "unfurl_links", false);
    if (webhook) {
        return tkt_channel_post_json(call,
                                     tkt_channel_keep(call, call->conf->url[0] != '\0'
                                                                ? call->conf->url
                                                                : call->secret),
                                     body, err);
    }
    const char *stamp = stamp_of(call->notice->thread);

    cJSON_AddStringToObject(body, "channel", room);
    if (stamp[0] != '\0') {
        cJSON_AddStringToObject(body, "thread_ts", stamp);
        cJSON_AddBoolToObject(body, "reply_broadcast",
                              broadcast != NULL && strcmp(broadcast, "yes") == 0);
    }
    const char *base = tkt_channel_base(call, "https://slack.com");
    tkt_channel_bearer(call);
    return tkt_channel_post_json(
        call,
        base == NULL ? NULL : tkt_channel_text(call, "%s/api/chat.postMessage", base),
        body, err);
}

/* 200 says nothing: "ok" does. What is not for now comes again; all else never works. */
static int refused(struct tkt_channel_call *call, const char *why, struct tkt_err *err)
{
    static const char *const later[] = {"rate_limited",        "ratelimited",
                                        "internal_error",      "fatal_error",
                                        "service_unavailable", "request_timeout"};
    static const char *const keys[] = {"not_authed", "invalid_auth", "account_inactive",
                                       "token_revoked", "token_expired"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(later); i++) {
        if (strcmp(why, later[i]) == 0) {
            return tkt_channel_refuse(err, TKT_ERR_TEMP, "Slack", why);
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(keys); i++) {
        if (strcmp(why, keys[i]) == 0) {
            call->unauthorized = true;
            return tkt_channel_refuse(err, TKT_ERR_CONF, "Slack", why);
        }
    }
    return tkt_channel_refuse(err, TKT_ERR_PERM, "Slack",
                              why[0] != '\0' ? why : "an answer without ok or error");
}

static int read_answer(struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    bool webhook = is_webhook(call->conf, call->secret);
    cJSON *json = webhook ? NULL : tkt_channel_json(response);
    int rc = tkt_channel_by_status(
        call, response, "Slack",
        webhook && response->status >= 400 ? tkt_buf_str(&response->body) : "", err);

    if (rc < 0 || webhook) {
        cJSON_Delete(json);
        return rc;
    }
    const char *channel = tkt_channel_str(call, json, "channel");
    const char *ts = tkt_channel_str(call, json, "ts");

    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "ok"))) {
        call->seen.id = tkt_channel_keep(call, ts);
        if (call->notice->thread[0] == '\0' && ts[0] != '\0') {
            call->seen.thread = tkt_channel_keep(
                call, tkt_channel_text(call, "%s%c%s", channel, THREAD_SEPARATOR, ts));
        }
    } else {
        rc = refused(call, tkt_channel_str(call, json, "error"), err);
    }
    cJSON_Delete(json);
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    return conf->secret[0] != '\0' || conf->url[0] != '\0'
               ? 0
               : tkt_err_set(
                     err, TKT_ERR_CONF,
                     "no secret: the bot's token (xoxb-...), or the address of an "
                     "incoming webhook");
}

const struct tkt_channel_ops tkt_channel_slack = {.type = "slack",
                                                  .title = "Slack",
                                                  .way = TKT_CHANNEL_HTTP,
                                                  .to = TKT_CHANNEL_TO_ROOM,
                                                  .options = options,
                                                  .check = check,
                                                  .build = build,
                                                  .read = read_answer};
