/* SPDX-License-Identifier: BSD-2-Clause
 * PagerDuty, Events API v2: one alert a ticket, taken back when the ticket is over.
 *
 * The ticket's correlation key is the dedup_key: however often an event is sent, it is one
 * alert.
 * Source: PagerDuty/api-schema, reference/events-v2.
 */
#include "base/util.h"
#include "notify/build.h"
#include "notify/channels.h"

#include <string.h>

#define SUMMARY_MAX 1024
#define TEXT_MAX 20000

static const char *const options[] = {NULL};

static const char *severity_of(const struct tkt_notice *n)
{
    static const char *const names[] = {"error",   "critical", "error",
                                        "warning", "info",     "info"};

    return n->priority >= 0 && (size_t)n->priority < TKT_ARRAY_LEN(names)
               ? names[n->priority]
               : "error";
}

static void add_detail(cJSON *details, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        cJSON_AddStringToObject(details, name, value);
    }
}

static void add_payload(struct tkt_channel_call *call, cJSON *body)
{
    const struct tkt_notice *n = call->notice;
    cJSON *payload = cJSON_AddObjectToObject(body, "payload");
    const char *summary = tkt_channel_line(call, n->subject, SUMMARY_MAX);

    cJSON_AddStringToObject(payload, "summary",
                            summary != NULL && summary[0] != '\0' ? summary : n->ticket);
    cJSON_AddStringToObject(payload, "source", n->desk[0] != '\0' ? n->desk : "ticket");
    cJSON_AddStringToObject(payload, "severity", severity_of(n));
    add_detail(payload, "timestamp", tkt_channel_time(call, n->at_ms));
    add_detail(payload, "group", n->group);
    add_detail(payload, "class", tkt_notice_names[n->what]);
    cJSON *details = cJSON_AddObjectToObject(payload, "custom_details");
    add_detail(details, "ticket", n->ticket);
    add_detail(details, "number", n->number);
    add_detail(details, "assignee", n->assignee);
    add_detail(details, "state", n->state);
    add_detail(details, "text", tkt_channel_cut(call, n->text, TEXT_MAX));
    if (n->url[0] != '\0') {
        cJSON *link = cJSON_CreateObject();

        cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "links"), link);
        cJSON_AddStringToObject(link, "href", n->url);
        cJSON_AddStringToObject(link, "text", n->ticket);
    }
    cJSON_AddStringToObject(body, "client", "ticket-milter");
}

static int build(struct tkt_channel_call *call, struct tkt_err *err)
{
    const struct tkt_notice *n = call->notice;
    const char *base = tkt_channel_base(call, "https://events.pagerduty.com");
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "routing_key", call->secret);
    cJSON_AddStringToObject(body, "event_action", n->is_over ? "resolve" : "trigger");
    cJSON_AddStringToObject(body, "dedup_key", n->corr[0] != '\0' ? n->corr : n->id);
    if (!n->is_over) {
        add_payload(call, body);
    }
    call->request.repeatable = true; /* by its dedup_key */
    return tkt_channel_post_json(
        call, base == NULL ? NULL : tkt_channel_text(call, "%s/v2/enqueue", base), body,
        err);
}

static int read_answer(struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    cJSON *json = tkt_channel_json(response);
    const char *why = tkt_channel_str(call, json, "errors.0");
    int rc = tkt_channel_by_status(
        call, response, "PagerDuty",
        why[0] != '\0' ? why : tkt_channel_str(call, json, "message"), err);

    call->seen.id = tkt_channel_keep(call, tkt_channel_str(call, json, "dedup_key"));
    cJSON_Delete(json);
    return rc;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    return conf->secret[0] != '\0'
               ? 0
               : tkt_err_set(
                     err, TKT_ERR_CONF,
                     "no secret: the integration key of the service (Events API v2)");
}

const struct tkt_channel_ops tkt_channel_pagerduty = {.type = "pagerduty",
                                                      .title =
                                                          "PagerDuty (Events API v2)",
                                                      .way = TKT_CHANNEL_HTTP,
                                                      .to = TKT_CHANNEL_TO_ROOM,
                                                      .is_once = true,
                                                      .options = options,
                                                      .check = check,
                                                      .build = build,
                                                      .read = read_answer};
