/* SPDX-License-Identifier: BSD-2-Clause
 * An event of the log as a document with ECS names.
 *
 * Each member of the event's data is a text below ticket_milter.data: a member that is a
 * number here and a word there would be refused by a service that learns types. Members
 * of their own (objects) are JSON within a text.
 */
#include "ticket_config.h"

#include "base/clock.h"
#include "base/ecs.h"
#include "base/enc.h"
#include "base/util.h"
#include "sink/sink.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

/* Whose texts are words of ours or of the configuration. Of others nobody knows what
 * people wrote into them. */
static const char *const harmless[] = {"action",
                                       "assurance",
                                       "attempts",
                                       "bounce_action",
                                       "bounce_status",
                                       "calendar",
                                       "category",
                                       "channel",
                                       "class",
                                       "corr",
                                       "cut",
                                       "desk",
                                       "fault",
                                       "field",
                                       "from_group",
                                       "group",
                                       "hook",
                                       "id",
                                       "impact",
                                       "into",
                                       "itsm",
                                       "job",
                                       "key",
                                       "kind",
                                       "language",
                                       "mark",
                                       "missing",
                                       "number",
                                       "of",
                                       "priority",
                                       "queue_id",
                                       "returned",
                                       "role",
                                       "scope",
                                       "service",
                                       "sla",
                                       "state",
                                       "status",
                                       "step",
                                       "subcategory",
                                       "target",
                                       "timer",
                                       "type",
                                       "unanalysed",
                                       "urgency"};

static bool is_harmless(const char *name)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(harmless); i++) {
        if (strcmp(harmless[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static void add_text(struct tkt_ecs *e, const char *name, const char *text)
{
    tkt_ecs_text(e, name, text, tkt_utf8_cut(text, strlen(text), TKT_SINK_VALUE_MAX));
}

static void add_member(struct tkt_ecs *e, const cJSON *member)
{
    bool is_plain = cJSON_IsNumber(member) || cJSON_IsBool(member);
    char name[128] = "ticket_milter.data.";

    if (!is_name(member->string) || cJSON_IsNull(member) ||
        (!e->personal && !is_plain && !is_harmless(member->string))) {
        return;
    }
    strcat(name, member->string); /* is_name looked at its length */
    if (cJSON_IsString(member)) {
        add_text(e, name, member->valuestring);
        return;
    }
    if (!is_plain && !e->personal) {
        return; /* whatever stands in there */
    }
    TKT_AUTO_FREE char *text = cJSON_PrintUnformatted(member);
    if (text != NULL) {
        add_text(e, name, text);
    }
}

static void add_error(struct tkt_ecs *e, const cJSON *data)
{
    static const char *const names[] = {"error", "why", "reason"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        const char *text =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, names[i]));

        if (text != NULL && text[0] != '\0') {
            add_text(e, "error.message", text);
            return;
        }
    }
}

static void add_data(struct tkt_ecs *e, const cJSON *data)
{
    const char *seen[64];
    size_t count = 0;

    for (const cJSON *m = data->child; m != NULL; m = m->next) {
        bool twice = false;

        for (size_t i = 0; i < count; i++) {
            twice = twice || strcmp(seen[i], m->string) == 0;
        }
        if (!twice && count < TKT_ARRAY_LEN(seen)) {
            seen[count++] = m->string;
            add_member(e, m);
        }
    }
}

static const char *outcome_of(const char *kind)
{
    static const char *const bad[] = {
        "job.parked",      "job.orphaned",   "job.dropped", "sla.breached",
        "message.refused", "ticket.refused", "rule.error",  "ticket.unanalysed"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        if (strcmp(bad[i], kind) == 0) {
            return "failure";
        }
    }
    return "success";
}

static void add_head(struct tkt_ecs *e, const struct tkt_store_event_out *v)
{
    char at[32];

    tkt_clock_format(v->at_ms, at);
    (void)tkt_buf_addf(e->out,
                       "{\"@timestamp\":\"%s\",\"ecs.version\":\"" TKT_ECS_VERSION
                       "\",\"event.kind\":\"event\",\"event.category\":[\"email\"],"
                       "\"event.module\":\"ticket_milter\","
                       "\"event.dataset\":\"ticket_milter.events\","
                       "\"event.sequence\":%" PRId64 ",\"event.outcome\":\"%s\","
                       "\"service.name\":\"ticketd\",\"service.type\":\"ticket_milter\","
                       "\"service.version\":\"" PACKAGE_VERSION "\"",
                       at, v->id, outcome_of(v->kind)); /* out->failed tells */
    (void)tkt_buf_addf(e->out, ",\"event.id\":\"%" PRId64 "-%s\"", v->id, v->mark);
    add_text(e, "event.action", v->kind);
    add_text(e, "host.name", v->host);
    if (v->ticket[0] != '\0') {
        add_text(e, "ticket_milter.ticket", v->ticket);
    }
    if (v->queue_id[0] != '\0') {
        add_text(e, "email.local_id", v->queue_id);
    }
    if (v->message_id[0] != '\0' && e->personal) {
        add_text(e, "email.message_id", v->message_id);
    }
}

void tkt_sink_document(const struct tkt_store_event_out *v, bool personal,
                       struct tkt_buf *out)
{
    struct tkt_ecs e = {.out = out, .personal = personal};
    size_t n = strlen(v->data);
    cJSON *data = n > 0 && n <= TKT_SINK_DOCUMENT_MAX / 2
                      ? cJSON_ParseWithLength(v->data, n)
                      : NULL;

    add_head(&e, v);
    if (cJSON_IsObject(data)) {
        add_error(&e, data);
        add_data(&e, data);
    } else if (n > TKT_SINK_DOCUMENT_MAX / 2) {
        (void)tkt_buf_adds(out, ",\"ticket_milter.data.cut\":\"true\"");
    }
    (void)tkt_buf_addc(out, '}');
    cJSON_Delete(data);
}
