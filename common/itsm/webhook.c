/* SPDX-License-Identifier: BSD-2-Clause
 * Any service that takes JSON by POST, signed as Standard Webhooks has it.
 *
 * Nothing can be asked: each event is named by webhook-id, the same for each try, and who
 * receives it takes an id once. So a create in doubt is sent again rather than looked up.
 * Source: spec/standard-webhooks.md of standard-webhooks.
 */
#include "base/util.h"
#include "itsm/back.h"
#include "itsm/backends.h"
#include "itsm/build.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX (256 * 1024)

static const char *const options[] = {"body",          "id", "number", "link",
                                      "allow_private", NULL};

static const char *const events[] = {[TKT_ITSM_CREATE] = "ticket.created",
                                     [TKT_ITSM_FIND] = "",
                                     [TKT_ITSM_COMMENT] = "ticket.comment",
                                     [TKT_ITSM_ATTACH] = "ticket.file",
                                     [TKT_ITSM_UPDATE] = "ticket.changed",
                                     [TKT_ITSM_FETCH] = "",
                                     [TKT_ITSM_CHECK] = "ticket.test",
                                     [TKT_ITSM_CLOSE] = "ticket.closed",
                                     [TKT_ITSM_LIST] = ""};
_Static_assert(TKT_ARRAY_LEN(events) == TKT_ITSM_OPS, "an event for each operation");

/* ---- the body ------------------------------------------------------------------------- */

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static void add_time(cJSON *body, int64_t at_ms)
{
    time_t at_s = (time_t)(at_ms / 1000);
    char text[40];
    struct tm tm;

    if (gmtime_r(&at_s, &tm) != NULL &&
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0) {
        cJSON_AddStringToObject(body, "timestamp", text);
    }
}

static void add_ticket(struct tkt_itsm_call *call, cJSON *data)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const struct tkt_conf_itsm *conf = call->site->conf;
    const struct {
        const char *name, *text;
    } texts[] = {{"id", t->id},
                 {"key", t->corr},
                 {"external", t->external},
                 {"url", t->url},
                 {"desk", t->desk},
                 {"subject", tkt_itsm_line(call, or_empty(t->subject), 0)},
                 {"type", tkt_itsm_map(&conf->types, or_empty(t->type), t->type)},
                 {"category", t->category},
                 {"subcategory", t->subcategory},
                 {"service", t->service},
                 {"group", tkt_itsm_map(&conf->groups, or_empty(t->group), t->group)},
                 {"assignee", t->assignee},
                 {"state", tkt_itsm_map(&conf->states, or_empty(t->state), t->state)},
                 {"language", t->language}};
    cJSON *who = cJSON_AddObjectToObject(data, "requester");
    cJSON *fields = cJSON_AddObjectToObject(data, "fields");
    cJSON *tags = cJSON_AddArrayToObject(data, "tags");

    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        cJSON_AddStringToObject(data, texts[i].name, or_empty(texts[i].text));
    }
    cJSON_AddNumberToObject(data, "urgency", t->urgency);
    cJSON_AddNumberToObject(data, "impact", t->impact);
    cJSON_AddNumberToObject(data, "priority", t->priority);
    cJSON_AddStringToObject(who, "address", or_empty(t->requester));
    cJSON_AddStringToObject(who, "name", or_empty(t->requester_name));
    for (size_t i = 0; i < t->field_count; i++) {
        cJSON_AddStringToObject(fields, t->fields[i].name, t->fields[i].value);
    }
    for (size_t i = 0; t->tags != NULL && i < t->tags->count; i++) {
        cJSON_AddItemToArray(tags, cJSON_CreateString(t->tags->items[i]));
    }
}

static void add_event(struct tkt_itsm_call *call, cJSON *data)
{
    cJSON *part;

    switch (call->op) {
    case TKT_ITSM_CREATE:
        cJSON_AddStringToObject(
            data, "text", tkt_itsm_body(call, or_empty(call->ticket->text), TEXT_MAX));
        break;
    case TKT_ITSM_COMMENT:
        part = cJSON_AddObjectToObject(data, "comment");
        cJSON_AddStringToObject(part, "text",
                                tkt_itsm_body(call, call->comment->text, TEXT_MAX));
        cJSON_AddStringToObject(part, "author", call->comment->author);
        cJSON_AddStringToObject(part, "author_name", call->comment->author_name);
        cJSON_AddBoolToObject(part, "public", call->comment->is_public);
        break;
    case TKT_ITSM_UPDATE:
        cJSON_AddItemToObject(data, "changed", tkt_itsm_told(call));
        break;
    case TKT_ITSM_ATTACH: /* its bytes stay here: an event is small and signed as a whole */
        part = cJSON_AddObjectToObject(data, "file");
        cJSON_AddStringToObject(part, "name", tkt_itsm_line(call, call->file->name, 0));
        cJSON_AddStringToObject(part, "type", call->file->type);
        cJSON_AddNumberToObject(part, "size", (double)call->file->size);
        break;
    default:
        break;
    }
}

/* Our own shape, the section's fields among the data. */
static cJSON *own_body(struct tkt_itsm_call *call, struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *data = NULL;

    cJSON_AddStringToObject(body, "type", events[call->op]);
    if (call->op == TKT_ITSM_CREATE) {
        add_time(body, call->ticket->created_ms);
    }
    data = cJSON_AddObjectToObject(body, "data");
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    if (call->op != TKT_ITSM_CHECK) {
        add_ticket(call, data);
        add_event(call, data);
        if (data == NULL || tkt_itsm_fields(call, tkt_itsm_add_member, data, err) < 0) {
            cJSON_Delete(body);
            return NULL;
        }
    }
    return body;
}

/* The shape that the section gives. */
static cJSON *templated(struct tkt_itsm_call *call, const char *template,
                        struct tkt_err *err)
{
    const char *text =
        tkt_itsm_render(call, template, TKT_ESCAPE_JSON, events[call->op], err);
    cJSON *body = text == NULL ? NULL : cJSON_Parse(text);

    if (text != NULL && body == NULL) {
        tkt_err_set(err, TKT_ERR_CONF, "options: body makes no JSON of %s",
                    call->ticket->id == NULL ? "a test" : call->ticket->id);
    }
    return body;
}

/* ---- the request ---------------------------------------------------------------------- */

static enum tkt_itsm_next post(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *template = tkt_itsm_option(call, "body", NULL);
    cJSON *body = template == NULL ? own_body(call, err) : templated(call, template, err);
    const char *key = or_empty(call->key);
    const char *corr = or_empty(call->ticket->corr);

    if (body == NULL) {
        return TKT_ITSM_FAILED;
    }
    enum tkt_itsm_next next =
        tkt_itsm_json(call, "POST", call->site->conf->url, body, err);
    call->request.repeatable = true; /* by its id */
    call->request.accept_type = NULL;
    call->request.public_only =
        strcmp(tkt_itsm_option(call, "allow_private", "no"), "yes") != 0;
    call->request.webhook_id =
        call->op == TKT_ITSM_CREATE
            ? tkt_itsm_keep(call, corr)
            : tkt_itsm_text(call, "%s-%s%s%s", corr, tkt_itsm_op_names[call->op],
                            *key == '\0' ? "" : "-", key);
    call->request.sign = call->site->conf->auth == TKT_CONF_AUTH_DEFAULT;
    return next;
}

static enum tkt_itsm_next event(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step > 0 ? TKT_ITSM_DONE : post(call, err);
}

/* Its answer may name the ticket there; where it does not, our key is its name. */
static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;

    if (call->step == 0) {
        return post(call, err);
    }
    s->external =
        tkt_itsm_str(call, call->answer->json, tkt_itsm_option(call, "id", "id"));
    s->number =
        tkt_itsm_str(call, call->answer->json, tkt_itsm_option(call, "number", "number"));
    s->url = tkt_itsm_str(call, call->answer->json, tkt_itsm_option(call, "link", "url"));
    if (s->external == NULL || *s->external == '\0' || !tkt_itsm_is_key(s->external)) {
        s->external = tkt_itsm_keep(call, call->ticket->corr);
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return post(call, err);
    }
    call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
        call, "an event of type ticket.test was answered %d", call->answer->status);
    return TKT_ITSM_DONE;
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const char *body = tkt_itsm_map(&conf->options, "body", NULL);
    struct tkt_template *t =
        body == NULL ? NULL
                     : tkt_template_compile(body, TKT_ESCAPE_JSON, tkt_itsm_names, err);

    if (body != NULL && t == NULL) {
        return tkt_err_prefix(err, "options: body");
    }
    tkt_template_free(&t);
    return conf->secret[0] != '\0' || conf->auth == TKT_CONF_AUTH_NONE
               ? 0
               : tkt_err_set(
                     err, TKT_ERR_CONF,
                     "no secret; write secret = \"file:/path/of/a/whsec_/secret\", "
                     "or auth = none for events without a signature");
}

const struct tkt_itsm_ops tkt_itsm_webhook = {
    .type = "webhook",
    .title = "webhook (Standard Webhooks)",
    .auth = TKT_ITSM_AUTH_OWN,
    .options = options,
    .create_is_idempotent = true,
    .updates_fields = true,
    .check = check_conf,
    .steps = {[TKT_ITSM_CREATE] = create,
              [TKT_ITSM_COMMENT] = event,
              [TKT_ITSM_ATTACH] = event,
              [TKT_ITSM_UPDATE] = event,
              [TKT_ITSM_CHECK] = check,
              [TKT_ITSM_CLOSE] = event},
};
