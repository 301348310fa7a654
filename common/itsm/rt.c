/* SPDX-License-Identifier: BSD-2-Clause
 * Request Tracker 5 by REST 2.
 *
 * The correlation key stands in a custom field of tickets (options: correlation_field,
 * "CorrelationId"), which TicketSQL searches without delay. A group is a queue. People are
 * made by RT itself from their addresses, unless requester = text.
 * Source: lib/RT/REST2.pm and lib/RT/REST2/Resource/ of RT 5.
 */
#include "base/util.h"
#include "itsm/back.h"
#include "itsm/backends.h"
#include "itsm/build.h"

#include <string.h>

#define PAGE 100 /* the most that RT gives at once */

static const char *const options[] = {"correlation_field", "owner", NULL};

/* What RT calls our states where the section does not say. */
static const struct tkt_itsm_word states[] = {
    {"new", "new"},           {"open", "open"},          {"pending", "stalled"},
    {"resolved", "resolved"}, {"closed", "resolved"},    {"refused", "rejected"},
    {"merged", "resolved"},   {"withdrawn", "rejected"}, {NULL, NULL}};

static const char *key_field(const struct tkt_itsm_call *call)
{
    return tkt_itsm_option(call, "correlation_field", "CorrelationId");
}

static const char *ticket_url(struct tkt_itsm_call *call, const char *below)
{
    const char *id = tkt_itsm_escape(call, call->ticket->external);

    return id == NULL ? NULL : tkt_itsm_url(call, "/REST/2.0/ticket/%s%s", id, below);
}

static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    const char *said =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(a->json, "message"));
    enum tkt_err_class class = err->class;

    if (said != NULL) {
        tkt_err_set(err, class, "RT says %d \"%.200s\"", a->status, said);
    }
}

/* ---- create --------------------------------------------------------------------------- */

static cJSON *make_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *body = cJSON_CreateObject();
    cJSON *fields = cJSON_AddObjectToObject(body, "CustomFields");
    const char *priority = tkt_itsm_priority(call, NULL);
    bool as_text = call->site->conf->requester == TKT_CONF_REQUESTER_TEXT;
    const char *text = as_text ? tkt_itsm_sent_by(call) : t->text;

    cJSON_AddStringToObject(body, "Queue", tkt_itsm_place(call));
    cJSON_AddStringToObject(body, "Subject", tkt_itsm_subject(call, 200));
    cJSON_AddStringToObject(body, "Content",
                            text == NULL ? NULL : tkt_itsm_body(call, text, 0));
    cJSON_AddStringToObject(body, "ContentType", "text/plain");
    if (t->requester[0] != '\0' && !as_text) {
        cJSON_AddStringToObject(body, "Requestor", t->requester);
    }
    if (priority != NULL) {
        cJSON_AddStringToObject(body, "Priority", priority);
    }
    if (t->assignee[0] != '\0' && tkt_itsm_wants(call, "owner")) {
        cJSON_AddStringToObject(body, "Owner", t->assignee);
    }
    cJSON_AddStringToObject(fields, key_field(call), t->corr);
    if (fields == NULL || tkt_itsm_fields(call, tkt_itsm_add_member, fields, err) < 0) {
        cJSON_Delete(body);
        return NULL;
    }
    return body;
}

static enum tkt_itsm_next take_id(struct tkt_itsm_call *call, const cJSON *json,
                                  const char *path, struct tkt_err *err)
{
    char *id = tkt_itsm_str(call, json, path);

    if (id == NULL || *id == '\0') {
        return tkt_itsm_odd(call, err, "id");
    }
    call->seen.external = id;
    call->seen.number = id;
    call->seen.url =
        (char *)(uintptr_t)tkt_itsm_url(call, "/Ticket/Display.html?id=%s", id);
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step > 0) {
        return take_id(call, call->answer->json, "id", err);
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    cJSON *body = make_ticket(call, err);
    return body == NULL
               ? TKT_ITSM_FAILED
               : tkt_itsm_json(call, "POST", tkt_itsm_url(call, "/REST/2.0/ticket"), body,
                               err);
}

/* ---- find ----------------------------------------------------------------------------- */

/* A misspelt custom field finds nothing in some versions and anything in others: what came
 * back is looked at. */
static bool has_key(const struct tkt_itsm_call *call, const cJSON *item)
{
    const cJSON *field;

    cJSON_ArrayForEach(field, tkt_json_at(item, "CustomFields"))
    {
        const cJSON *value;

        cJSON_ArrayForEach(value, tkt_json_at(field, "values"))
        {
            if (cJSON_IsString(value) &&
                strcmp(value->valuestring, call->ticket->corr) == 0) {
                return true;
            }
        }
    }
    return false;
}

static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        const char *sql =
            tkt_itsm_text(call, "'CF.{%s}' = '%s'", key_field(call), call->ticket->corr);
        const char *query = sql == NULL ? NULL : tkt_itsm_escape(call, sql);
        return tkt_itsm_get(call,
                            query == NULL
                                ? NULL
                                : tkt_itsm_url(call,
                                               "/REST/2.0/tickets?query=%s"
                                               "&fields=CustomFields"
                                               "&orderby=id&order=ASC&per_page=20",
                                               query),
                            err);
    }
    const cJSON *items = tkt_json_at(call->answer->json, "items");
    if (!cJSON_IsArray(items)) {
        return tkt_itsm_odd(call, err, "items");
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, items)
    {
        if (has_key(call, item)) {
            return take_id(call, item, "id", err);
        }
    }
    return TKT_ITSM_DONE;
}

/* ---- comments and files --------------------------------------------------------------- */

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_comment *c = call->comment;

    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    cJSON *body = cJSON_CreateObject();
    const char *text = tkt_itsm_said(call);
    cJSON_AddStringToObject(body, "Content",
                            text == NULL ? NULL : tkt_itsm_body(call, text, 0));
    cJSON_AddStringToObject(body, "ContentType", "text/plain");
    return tkt_itsm_json(call, "POST",
                         ticket_url(call, c->is_public ? "/correspond" : "/comment"),
                         body, err);
}

static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "Content", tkt_itsm_line(call, call->file->name, 200));
    cJSON_AddStringToObject(body, "ContentType", "text/plain");
    TKT_AUTO_FREE char *text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    const char *texts[] = {"JSON", text == NULL ? "{}" : text, NULL};
    return tkt_itsm_form(call, ticket_url(call, "/comment"), "Attachments", texts, err);
}

/* ---- state ---------------------------------------------------------------------------- */

static enum tkt_itsm_next take_state(struct tkt_itsm_call *call, const cJSON *json,
                                     struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;

    if (take_id(call, json, "id", err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    s->state = tkt_itsm_str(call, json, "Status");
    s->group = tkt_itsm_str(call, json, "Queue.Name");
    s->assignee = tkt_itsm_str(call, json, "Owner.id");
    s->priority = tkt_itsm_str(call, json, "Priority");
    s->changed = tkt_itsm_str(call, json, "LastUpdated");
    s->me = tkt_itsm_str(call, json, "Creator.id");
    if (s->assignee != NULL && strcmp(s->assignee, "Nobody") == 0) {
        s->assignee = tkt_itsm_keep(call, "");
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next get_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return tkt_itsm_get(call, ticket_url(call, "?fields[Queue]=Name"), err);
}

/* RT answers 200 and tells in words what it did not do: the ticket itself is asked. */
static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *status = tkt_itsm_tells(call, TKT_ITSM_STATE)
                             ? tkt_itsm_state(call, states, call->ticket->state, NULL)
                             : NULL;
    const char *priority = tkt_itsm_priority(call, NULL);

    if (call->step == 0) {
        cJSON *body = cJSON_CreateObject();

        if (tkt_itsm_tells(call, TKT_ITSM_GROUP)) {
            cJSON_AddStringToObject(body, "Queue", tkt_itsm_place(call));
        }
        if (status != NULL) {
            cJSON_AddStringToObject(body, "Status", status);
        }
        if (priority != NULL && tkt_itsm_tells(call, TKT_ITSM_PRIORITY)) {
            cJSON_AddStringToObject(body, "Priority", priority);
        }
        if (call->ticket->assignee[0] != '\0' && tkt_itsm_wants(call, "owner") &&
            tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE)) {
            cJSON_AddStringToObject(body, "Owner", call->ticket->assignee);
        }
        if (tkt_itsm_is_mute(call, body, body)) {
            return TKT_ITSM_DONE;
        }
        enum tkt_itsm_next next =
            tkt_itsm_json(call, "PUT", ticket_url(call, ""), body, err);
        call->request.repeatable = true;
        return next;
    }
    if (call->step == 1) {
        call->state = tkt_itsm_keep(call, call->answer->body);
        return get_ticket(call, err);
    }
    if (take_state(call, call->answer->json, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    if (status != NULL && strcmp(call->seen.state, status) != 0) {
        tkt_err_set(err, TKT_ERR_PERM, "RT left the status at %s; it says %.300s",
                    call->seen.state,
                    tkt_itsm_line(call, call->state == NULL ? "" : call->state, 300));
        return TKT_ITSM_FAILED;
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next close_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "Status", tkt_itsm_state(call, states, "closed", NULL));
    enum tkt_itsm_next next = tkt_itsm_json(call, "PUT", ticket_url(call, ""), body, err);
    call->request.repeatable = true;
    return next;
}

/* ---- fetch ---------------------------------------------------------------------------- */

struct history { /* in the arena, over the steps of a fetch */
    struct tkt_itsm_note *notes;
    char **texts; /* the attachment that holds a note's text; NULL: none, or it is read */
    size_t count;
    size_t asked; /* the note whose text was asked for */
};

/* Newest first; no more than can be asked for in one fetch. */
#define NOTES_MAX 40

static struct history *new_history(struct tkt_itsm_call *call)
{
    struct history *h = tkt_wire_arena_alloc(&call->arena, sizeof(*h));

    call->state = h;
    if (h == NULL) {
        return NULL;
    }
    *h = (struct history){
        .notes = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*h->notes)),
        .texts = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*h->texts))};
    if (h->notes == NULL || h->texts == NULL) {
        return NULL;
    }
    memset(h->texts, 0, NOTES_MAX * sizeof(*h->texts));
    return h;
}

static int take_history(struct tkt_itsm_call *call, const cJSON *items)
{
    struct history *h = new_history(call);
    const cJSON *item;

    cJSON_ArrayForEach(item, items)
    {
        const char *type = tkt_itsm_str(call, item, "Type");
        bool is_public = type != NULL && strcmp(type, "Correspond") == 0;

        if (h != NULL && h->count < NOTES_MAX &&
            (is_public || (type != NULL && strcmp(type, "Comment") == 0))) {
            h->notes[h->count++] =
                (struct tkt_itsm_note){.id = tkt_itsm_str(call, item, "id"),
                                       .author = tkt_itsm_str(call, item, "Creator.id"),
                                       .at = tkt_itsm_str(call, item, "Created"),
                                       .text = tkt_itsm_keep(call, ""),
                                       .is_public = is_public};
        }
    }
    return h == NULL ? -1 : 0;
}

/* A file's name, or where the text of a note is. */
static void take_attachment(struct tkt_itsm_call *call, struct history *h,
                            const cJSON *item)
{
    const char *transaction = tkt_itsm_str(call, item, "TransactionId");
    const char *type = tkt_itsm_str(call, item, "ContentType");
    char *name = tkt_itsm_str(call, item, "Filename");

    if (transaction == NULL || type == NULL || name == NULL) {
        return;
    }
    if (*name != '\0') {
        tkt_itsm_saw_file(call, name, tkt_json_at(item, "ContentLength"),
                          tkt_itsm_str(call, item, "Created"));
        return;
    }
    for (size_t i = 0; i < h->count && strcmp(type, "text/plain") == 0; i++) {
        if (h->notes[i].id != NULL && strcmp(h->notes[i].id, transaction) == 0) {
            h->texts[i] = tkt_itsm_str(call, item, "id");
        }
    }
}

/* The texts one by one: a list of them all would bring the files along. */
static enum tkt_itsm_next next_text(struct tkt_itsm_call *call, struct history *h,
                                    struct tkt_err *err)
{
    while (h->asked < h->count && h->texts[h->asked] == NULL) {
        h->asked++;
    }
    if (h->asked == h->count) {
        call->seen.notes = h->notes;
        call->seen.note_count = h->count;
        return TKT_ITSM_DONE;
    }
    const char *id = tkt_itsm_escape(call, h->texts[h->asked]);
    return tkt_itsm_get(
        call, id == NULL ? NULL : tkt_itsm_url(call, "/REST/2.0/attachment/%s", id), err);
}

/* RT gives the content of an attachment in base64. */
static char *decoded(struct tkt_itsm_call *call, const cJSON *json)
{
    const char *coded = cJSON_GetStringValue(tkt_json_at(json, "Content"));
    size_t len;
    char *text = tkt_itsm_unbase64(call, coded == NULL ? "" : coded, &len);

    return text;
}

static enum tkt_itsm_next fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *json = call->step == 0 ? NULL : call->answer->json;
    struct history *h = call->state;
    const cJSON *item;

    switch (call->step) {
    case 0:
        return get_ticket(call, err);
    case 1:
        return take_state(call, json, err) != TKT_ITSM_DONE
                   ? TKT_ITSM_FAILED
                   : tkt_itsm_get(call,
                                  ticket_url(call, "/history?fields=Type,Created,Creator"
                                                   "&order=DESC&orderby=id&per_page=100"),
                                  err);
    case 2:
        return tkt_itsm_get(call,
                            take_history(call, tkt_json_at(json, "items")) < 0
                                ? NULL
                                : ticket_url(call,
                                             "/attachments?fields=TransactionId,"
                                             "ContentType,Filename,Created,ContentLength"
                                             "&order=DESC&orderby=id&per_page=100"),
                            err);
    case 3:
        cJSON_ArrayForEach(item, tkt_json_at(json, "items"))
        {
            take_attachment(call, h, item);
        }
        break;
    default:
        h->notes[h->asked++].text = decoded(call, json);
    }
    return next_text(call, h, err);
}

/* ---- list ------------------------------------------------------------------------------ */

/* TicketSQL takes times in the zone of our user there, whichever that is: so much earlier is
 * asked for, newest first, until what comes is older than what is wanted. */
#define ZONES_MS (14 * 3600 * INT64_C(1000))

static enum tkt_itsm_next ask_changed(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *since = tkt_itsm_time_text(call, call->since_ms - ZONES_MS, ' ');
    const char *sql =
        since == NULL ? NULL
                      : tkt_itsm_text(call, "'CF.{%s}' LIKE 'mt-' AND LastUpdated > '%s'",
                                      key_field(call), since);
    const char *query = sql == NULL ? NULL : tkt_itsm_escape(call, sql);

    return tkt_itsm_get(call,
                        query == NULL
                            ? NULL
                            : tkt_itsm_url(call,
                                           "/REST/2.0/tickets?query=%s&fields=LastUpdated"
                                           "&orderby=LastUpdated&order=DESC&per_page=%d"
                                           "&page=%d",
                                           query, PAGE, call->step + 1),
                        err);
}

static enum tkt_itsm_next list(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return ask_changed(call, err);
    }
    const cJSON *items = tkt_json_at(call->answer->json, "items");
    const cJSON *item;
    bool is_older = false;
    if (!cJSON_IsArray(items)) {
        return tkt_itsm_odd(call, err, "items");
    }
    cJSON_ArrayForEach(item, items)
    {
        int64_t at = tkt_itsm_time(tkt_itsm_str(call, item, "LastUpdated"));

        is_older = at >= 0 && at < call->since_ms;
        if (tkt_itsm_changed(call, tkt_itsm_str(call, item, "id"), at, err) < 0) {
            return TKT_ITSM_FAILED;
        }
    }
    return is_older || cJSON_GetArraySize(items) < PAGE ||
                   tkt_itsm_list_is_full(call, PAGE)
               ? TKT_ITSM_DONE
               : ask_changed(call, err);
}

/* ---- check ---------------------------------------------------------------------------- */

static bool queue_has_field(const cJSON *queue, const char *name)
{
    return tkt_itsm_named(tkt_json_at(queue, "TicketCustomFields"), "name", name) != NULL;
}

/* RT drops a field that a queue does not have, without a word: a lost answer to a create
 * would then never be found again. */
static int check_queue(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_itsm *conf = call->site->conf;
    const cJSON *queue = call->answer->json;
    const char *name = tkt_itsm_str(call, queue, "Name");

    if (!queue_has_field(queue, key_field(call))) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "queue %s has no custom field %s (or it may not be seen); add "
                           "one that takes a single line, for tickets",
                           name, key_field(call));
    }
    for (size_t i = 0; i < conf->fields.count; i++) {
        size_t n = strcspn(conf->fields.items[i], "=");
        const char *field = tkt_itsm_text(call, "%.*s", (int)n, conf->fields.items[i]);

        if (field != NULL && !queue_has_field(queue, field)) {
            return tkt_err_set(err, TKT_ERR_CONF, "queue %s has no custom field %s", name,
                               field);
        }
    }
    call->seen.told =
        (char *)(uintptr_t)tkt_itsm_text(call, "%s\nqueue %s", call->seen.told, name);
    return 0;
}

/* The n-th queue that the section names; NULL behind the last. */
static const char *queue_named(const struct tkt_conf_itsm *conf, size_t n)
{
    if (n == 0) {
        return conf->project;
    }
    return n <= conf->groups.count ? strchr(conf->groups.items[n - 1], '=') + 1 : NULL;
}

/* Who are we; then each queue that is named. */
static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_itsm *conf = call->site->conf;

    if (call->step == 0) {
        return tkt_itsm_get(call, tkt_itsm_url(call, "/REST/2.0/rt"), err);
    }
    const char *asked = call->step > 1 ? queue_named(conf, (size_t)call->step - 2) : "";
    if (call->answer->status != 200) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "queue %s: RT says %d (no such queue, or no right "
                    "SeeQueue)",
                    asked, call->answer->status);
        return TKT_ITSM_FAILED;
    }
    if (call->step == 1) {
        call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
            call, "Request Tracker %s",
            tkt_itsm_str(call, call->answer->json, "Version"));
    } else if (check_queue(call, err) < 0) {
        return TKT_ITSM_FAILED;
    }
    const char *queue = queue_named(conf, (size_t)call->step - 1);
    if (queue == NULL) {
        return TKT_ITSM_DONE;
    }
    const char *escaped = tkt_itsm_escape(call, queue);
    enum tkt_itsm_next next = tkt_itsm_get(
        call, escaped == NULL ? NULL : tkt_itsm_url(call, "/REST/2.0/queue/%s", escaped),
        err);
    call->request.also[0] = 403;
    call->request.also[1] = 404;
    return next;
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    if (tkt_itsm_need_project(conf, "name the queue for new tickets", err) < 0) {
        return -1;
    }
    return tkt_itsm_need_secret(conf, "token", err);
}

const struct tkt_itsm_ops tkt_itsm_rt = {
    .type = "rt",
    .title = "Request Tracker 5 (REST 2)",
    .auth = TKT_ITSM_AUTH_HEADER,
    .auth_header = "Authorization: token ",
    .options = options,
    .search_is_proof = true,
    .check = check_conf,
    .refusal = refusal,
    .states = states,
    .steps = {[TKT_ITSM_CREATE] = create,
              [TKT_ITSM_FIND] = find,
              [TKT_ITSM_COMMENT] = comment,
              [TKT_ITSM_ATTACH] = attach,
              [TKT_ITSM_UPDATE] = update,
              [TKT_ITSM_FETCH] = fetch,
              [TKT_ITSM_CHECK] = check,
              [TKT_ITSM_CLOSE] = close_ticket,
              [TKT_ITSM_LIST] = list},
};
