/* SPDX-License-Identifier: BSD-2-Clause
 * Microsoft Teams by a Workflows webhook, with an adaptive card. The webhook's address is
 * the secret: who knows it may post.
 *
 * Mail's words stand in text runs, in which nothing is markup. 202 says that the flow was
 * begun, not that it posted: it tells nobody.
 * Source: learn.microsoft.com, webhooks and connectors; the adaptive card schema 1.4.
 */
#include "base/util.h"
#include "notify/build.h"
#include "notify/channels.h"

#include <string.h>

/* About 28 KB are taken; a character has up to four bytes, and six when it is escaped. */
#define TEXT_MAX 4000
#define SUBJECT_MAX 300
#define FACT_MAX 300

static const char *const options[] = {NULL};

static void add_run(cJSON *body, const char *text, bool is_title)
{
    cJSON *b = cJSON_CreateObject();
    cJSON *run = cJSON_CreateObject();

    cJSON_AddItemToArray(body, b);
    cJSON_AddStringToObject(b, "type", "RichTextBlock");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(b, "inlines"), run);
    cJSON_AddStringToObject(run, "type", "TextRun");
    cJSON_AddStringToObject(run, "text", text != NULL && text[0] != '\0' ? text : " ");
    if (is_title) {
        cJSON_AddStringToObject(run, "weight", "Bolder");
        cJSON_AddStringToObject(run, "size", "Medium");
    }
}

/* A fact is markup: what would be some is kept from it. */
static const char *unmarked(struct tkt_channel_call *call, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(16 * FACT_MAX);
    const char *line = tkt_channel_line(call, text, FACT_MAX);

    for (const char *p = line; p != NULL && *p != '\0'; p++) {
        if (strchr("\\`*_[]()#~>!|<", *p) != NULL) {
            (void)tkt_buf_addc(&out, '\\'); /* out.failed tells */
        }
        (void)tkt_buf_addc(&out, *p);
    }
    return out.failed ? "" : tkt_channel_keep(call, tkt_buf_str(&out));
}

static void add_facts(struct tkt_channel_call *call, cJSON *body)
{
    struct tkt_channel_fact known[TKT_CHANNEL_FACTS_MAX];
    size_t count = tkt_channel_facts(call, known);
    cJSON *set = count == 0 ? NULL : cJSON_CreateObject();

    if (set == NULL) {
        return;
    }
    cJSON_AddItemToArray(body, set);
    cJSON_AddStringToObject(set, "type", "FactSet");
    cJSON *facts = cJSON_AddArrayToObject(set, "facts");
    for (size_t i = 0; i < count; i++) {
        const char *value = unmarked(call, known[i].value);
        cJSON *fact = cJSON_CreateObject();

        cJSON_AddItemToArray(facts, fact);
        cJSON_AddStringToObject(fact, "title", known[i].title);
        cJSON_AddStringToObject(fact, "value", value != NULL ? value : "");
    }
}

static cJSON *card_of(struct tkt_channel_call *call)
{
    const struct tkt_notice *n = call->notice;
    cJSON *card = cJSON_CreateObject();

    cJSON_AddStringToObject(card, "$schema",
                            "http://adaptivecards.io/schemas/adaptive-card.json");
    cJSON_AddStringToObject(card, "type", "AdaptiveCard");
    cJSON_AddStringToObject(card, "version", "1.4");
    cJSON *body = cJSON_AddArrayToObject(card, "body");
    add_run(body, tkt_channel_line(call, n->subject, SUBJECT_MAX), true);
    if (n->text[0] != '\0') {
        add_run(body, tkt_channel_cut(call, n->text, TEXT_MAX), false);
    }
    add_facts(call, body);
    if (n->url[0] != '\0') {
        cJSON *open = cJSON_CreateObject();

        cJSON_AddItemToArray(cJSON_AddArrayToObject(card, "actions"), open);
        cJSON_AddStringToObject(open, "type", "Action.OpenUrl");
        cJSON_AddStringToObject(open, "title", "Open");
        cJSON_AddStringToObject(open, "url", n->url);
    }
    return card;
}

static int build(struct tkt_channel_call *call, struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *attached = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "type", "message");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "attachments"), attached);
    cJSON_AddStringToObject(attached, "contentType",
                            "application/vnd.microsoft.card.adaptive");
    cJSON_AddNullToObject(attached, "contentUrl");
    cJSON_AddItemToObject(attached, "content", card_of(call));
    return tkt_channel_post_json(call,
                                 tkt_channel_keep(call, call->conf->url[0] != '\0'
                                                            ? call->conf->url
                                                            : call->secret),
                                 body, err);
}

static int read_answer(struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    cJSON *json = tkt_channel_json(response);
    int rc = tkt_channel_by_status(call, response, "Teams",
                                   tkt_channel_str(call, json, "error.message"), err);

    cJSON_Delete(json);
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    return conf->secret[0] != '\0' || conf->url[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "no secret: the address of the workflow's webhook");
}

const struct tkt_channel_ops tkt_channel_teams = {.type = "teams",
                                                  .title = "Microsoft Teams (Workflows)",
                                                  .way = TKT_CHANNEL_HTTP,
                                                  .to = TKT_CHANNEL_TO_ROOM,
                                                  .options = options,
                                                  .check = check,
                                                  .build = build,
                                                  .read = read_answer};
