/* SPDX-License-Identifier: BSD-2-Clause
 * Salesforce: cases by the REST API.
 *
 * The correlation key stands in a custom field of cases. Where the section names it as an
 * external id (options: external_id), a create is an upsert by it, which Salesforce carries
 * out once however often it comes; else a create is a plain one and the field is asked for
 * by SOQL. Values in SOQL are quoted here. Groups are queues, by id.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/backends.h"
#include "itsm/build.h"

#include <string.h>

#define SUBJECT_MAX 255
#define TEXT_MAX 32000   /* of a description */
#define COMMENT_MAX 4000 /* bytes */
#define NOTES_MAX 50
#define FILES_MAX 100

static const char *const options[] = {
    "correlation_field", "external_id", "version", "origin", "assignee", NULL};

static const struct tkt_itsm_word states[] = {
    {"new", "New"},         {"open", "Working"},     {"pending", "On Hold"},
    {"resolved", "Closed"}, {"closed", "Closed"},    {"refused", "Closed"},
    {"merged", "Closed"},   {"withdrawn", "Closed"}, {NULL, NULL}};
static const char *const priorities[6] = {"Medium", "High", "High",
                                          "Medium", "Low",  "Low"};

static const char *upsert_field(const struct tkt_itsm_call *call)
{
    return tkt_itsm_option(call, "external_id", "");
}

static const char *key_field(const struct tkt_itsm_call *call)
{
    const char *field = upsert_field(call);

    return *field != '\0'
               ? field
               : tkt_itsm_option(call, "correlation_field", "Correlation_Key__c");
}

/* Names of fields and ids go into paths and queries as they are. */
static bool is_word(const char *text)
{
    static const char word[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    return *text != '\0' && text[strspn(text, word)] == '\0';
}

static const char *data(struct tkt_itsm_call *call, const char *below)
{
    const char *version =
        tkt_itsm_escape(call, tkt_itsm_option(call, "version", "v60.0"));

    return version == NULL || below == NULL
               ? NULL
               : tkt_itsm_url(call, "/services/data/%s/%s", version, below);
}

static const char *case_url(struct tkt_itsm_call *call)
{
    const char *id = tkt_itsm_escape(call, call->ticket->external);

    return id == NULL ? NULL : data(call, tkt_itsm_text(call, "sobjects/Case/%s", id));
}

/* [{"message", "errorCode"}] */
static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    static const char *const later[] = {"UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED",
                                        "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG"};
    const char *code = cJSON_GetStringValue(tkt_json_at(a->json, "0.errorCode"));
    const char *said = cJSON_GetStringValue(tkt_json_at(a->json, "0.message"));
    enum tkt_err_class class = err->class;

    for (size_t i = 0; i < TKT_ARRAY_LEN(later); i++) {
        class = code != NULL && strcmp(code, later[i]) == 0 ? TKT_ERR_TEMP : class;
    }
    tkt_err_set(err, class, "Salesforce says %d %.60s \"%.300s\"", a->status,
                code == NULL ? "" : code, said == NULL ? "" : said);
}

/* ---- SOQL ----------------------------------------------------------------------------- */

/* A text between its quotes: what would end it, or mean something in it, is escaped. */
static const char *quoted(struct tkt_itsm_call *call, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(2048);

    tkt_buf_addc(&out, '\'');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'' || *p == '\\' || *p == '"') {
            tkt_buf_addc(&out, '\\');
        }
        tkt_buf_addc(&out, (unsigned char)*p < 0x20 ? ' ' : *p);
    }
    tkt_buf_addc(&out, '\'');
    return out.failed ? NULL : tkt_itsm_keep(call, tkt_buf_str(&out));
}

/* value stands quoted between the two halves of the query. */
static enum tkt_itsm_next query(struct tkt_itsm_call *call, const char *head,
                                const char *value, const char *tail, struct tkt_err *err)
{
    const char *text = quoted(call, value);
    const char *soql = text == NULL || head == NULL
                           ? NULL
                           : tkt_itsm_text(call, "%s%s%s", head, text, tail);
    const char *escaped = soql == NULL ? NULL : tkt_itsm_escape(call, soql);

    return tkt_itsm_get(
        call,
        escaped == NULL ? NULL : data(call, tkt_itsm_text(call, "query?q=%s", escaped)),
        err);
}

/* ---- create --------------------------------------------------------------------------- */

static bool looks_up(const struct tkt_itsm_call *call)
{
    return call->ticket->requester[0] != '\0' &&
           call->site->conf->requester == TKT_CONF_REQUESTER_LOOKUP;
}

static enum tkt_itsm_next look_up_contact(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return query(call,
                 "SELECT Id,Email FROM Contact WHERE Email=", call->ticket->requester,
                 " LIMIT 2", err);
}

/* One contact and no second one; else nobody. */
static const char *contact_in(struct tkt_itsm_call *call)
{
    const cJSON *json = call->answer->json;
    const char *email = tkt_itsm_str(call, json, "records.0.Email");
    const char *id = tkt_itsm_str(call, json, "records.0.Id");
    bool one = tkt_itsm_count(json, "records") == 1 && email != NULL && id != NULL &&
               tkt_ascii_ieq(email, call->ticket->requester) && is_word(id);

    return one ? id : "";
}

static void add_state(struct tkt_itsm_call *call, cJSON *body)
{
    const char *status = tkt_itsm_state(call, states, call->ticket->state, NULL);
    const char *assignee = call->ticket->assignee;
    bool to_person = is_word(assignee) && strncmp(assignee, "005", 3) == 0 &&
                     tkt_itsm_wants(call, "assignee");
    const char *owner = to_person ? assignee : tkt_itsm_place(call);

    if (tkt_itsm_tells(call, TKT_ITSM_PRIORITY)) {
        cJSON_AddStringToObject(body, "Priority", tkt_itsm_priority(call, priorities));
    }
    if (status != NULL && tkt_itsm_tells(call, TKT_ITSM_STATE)) {
        cJSON_AddStringToObject(body, "Status", status);
    }
    /* One member for both. */
    if (*owner != '\0' && (tkt_itsm_tells(call, TKT_ITSM_GROUP) ||
                           tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE))) {
        cJSON_AddStringToObject(body, "OwnerId", owner);
    }
}

static cJSON *make_case(struct tkt_itsm_call *call, const char *contact,
                        struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *body = cJSON_CreateObject();
    const char *type = tkt_itsm_map(&call->site->conf->types, t->type, NULL);

    cJSON_AddStringToObject(body, "Subject", tkt_itsm_subject(call, SUBJECT_MAX));
    cJSON_AddStringToObject(body, "Description", tkt_itsm_body(call, t->text, TEXT_MAX));
    cJSON_AddStringToObject(body, "Origin", tkt_itsm_option(call, "origin", "Email"));
    if (t->requester[0] != '\0' && strlen(t->requester) <= 80) {
        cJSON_AddStringToObject(body, "SuppliedEmail", t->requester);
        cJSON_AddStringToObject(body, "SuppliedName",
                                tkt_itsm_line(call, t->requester_name, 80));
    }
    if (*contact != '\0') {
        cJSON_AddStringToObject(body, "ContactId", contact);
    }
    if (type != NULL) {
        cJSON_AddStringToObject(body, "Type", type);
    }
    add_state(call, body);
    if (*upsert_field(call) == '\0') {
        cJSON_AddStringToObject(body, key_field(call), t->corr);
    }
    if (body == NULL || tkt_itsm_fields(call, tkt_itsm_add_member, body, err) < 0) {
        cJSON_Delete(body);
        return NULL;
    }
    return body;
}

static enum tkt_itsm_next post_case(struct tkt_itsm_call *call, const char *contact,
                                    struct tkt_err *err)
{
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    cJSON *body = make_case(call, contact, err);
    const char *upsert = upsert_field(call);

    if (body == NULL) {
        return TKT_ITSM_FAILED;
    }
    if (*upsert == '\0') {
        return tkt_itsm_json(call, "POST", data(call, "sobjects/Case"), body, err);
    }
    enum tkt_itsm_next next =
        tkt_itsm_json(call, "PATCH",
                      data(call, tkt_itsm_text(call, "sobjects/Case/%s/%s", upsert,
                                               call->ticket->corr)),
                      body, err);
    call->request.repeatable = true;
    return next;
}

static enum tkt_itsm_next ask_for_key(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *field = key_field(call);

    return query(
        call,
        tkt_itsm_text(call, "SELECT Id,CaseNumber,%s FROM Case WHERE %s=", field, field),
        call->ticket->corr, " ORDER BY CreatedDate ASC LIMIT 5", err);
}

static enum tkt_itsm_next take_case(struct tkt_itsm_call *call, const cJSON *row,
                                    struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    char *id = tkt_itsm_str(call, row, "Id");

    if (id == NULL || !is_word(id)) {
        return tkt_itsm_odd(call, err, "Id");
    }
    s->external = id;
    s->number = tkt_itsm_str(call, row, "CaseNumber");
    s->url = (char *)(uintptr_t)tkt_itsm_url(call, "/lightning/r/Case/%s/view", id);
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next take_found(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *rows = tkt_json_at(call->answer->json, "records");
    const cJSON *row;

    if (!cJSON_IsArray(rows)) {
        return tkt_itsm_odd(call, err, "records");
    }
    cJSON_ArrayForEach(row, rows)
    {
        const char *key = tkt_itsm_str(call, row, key_field(call));

        if (key != NULL && strcmp(key, call->ticket->corr) == 0) {
            return take_case(call, row, err);
        }
    }
    return TKT_ITSM_DONE;
}

/* The contact, the case, then its number for people. */
static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0 && looks_up(call)) {
        return look_up_contact(call, err);
    }
    if (call->stage == 0) {
        const char *contact = call->step == 0 ? "" : contact_in(call);
        call->stage = 1;
        return post_case(call, contact, err);
    }
    if (call->stage == 1) {
        call->stage = 2;
        return ask_for_key(call, err);
    }
    if (take_found(call, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    if (call->seen.external == NULL) {
        return tkt_itsm_odd(call, err, "case that was made");
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step == 0 ? ask_for_key(call, err) : take_found(call, err);
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
    cJSON_AddStringToObject(body, "ParentId", call->ticket->external);
    cJSON_AddStringToObject(body, "CommentBody",
                            text == NULL ? NULL : tkt_itsm_body(call, text, COMMENT_MAX));
    cJSON_AddBoolToObject(body, "IsPublished", c->is_public);
    return tkt_itsm_json(call, "POST", data(call, "sobjects/CaseComment"), body, err);
}

/* A version of a file, which makes the file and ties it to the case. Its parts are told
 * apart by name; the JSON one has a type of its own. */
static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    cJSON *entity = cJSON_CreateObject();
    const char *name = tkt_itsm_line(call, call->file->name, 200);
    cJSON_AddStringToObject(entity, "Title", name);
    cJSON_AddStringToObject(entity, "PathOnClient", name);
    cJSON_AddStringToObject(entity, "FirstPublishLocationId", call->ticket->external);
    TKT_AUTO_FREE char *text = cJSON_PrintUnformatted(entity);
    cJSON_Delete(entity);
    enum tkt_itsm_next next = tkt_itsm_form(call, data(call, "sobjects/ContentVersion"),
                                            "VersionData", NULL, err);
    if (next == TKT_ITSM_SEND) {
        call->request.file_head = tkt_itsm_text(
            call,
            "--ticket-%s\r\nContent-Disposition: form-data; name=\"entity_content\"\r\n"
            "Content-Type: application/json\r\n\r\n%s\r\n%s",
            call->ticket->corr, text == NULL ? "{}" : text, call->request.file_head);
    }
    if (text == NULL || call->request.file_head == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return TKT_ITSM_FAILED;
    }
    return next;
}

/* ---- state ---------------------------------------------------------------------------- */

static enum tkt_itsm_next put(struct tkt_itsm_call *call, const char *only,
                              struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();

    if (only != NULL) {
        cJSON_AddStringToObject(body, "Status", only);
    } else {
        add_state(call, body);
    }
    if (tkt_itsm_is_mute(call, body, body)) {
        return TKT_ITSM_DONE;
    }
    enum tkt_itsm_next next = tkt_itsm_json(call, "PATCH", case_url(call), body, err);
    call->request.repeatable = true;
    return next;
}

static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step == 0 ? put(call, NULL, err) : TKT_ITSM_DONE;
}

static enum tkt_itsm_next close_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step == 0 ? put(call, tkt_itsm_state(call, states, "closed", NULL), err)
                           : TKT_ITSM_DONE;
}

static int take_state(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *json = call->answer->json;
    struct tkt_itsm_seen *s = &call->seen;

    if (take_case(call, json, err) != TKT_ITSM_DONE) {
        return -1;
    }
    s->state = tkt_itsm_str(call, json, "Status");
    s->priority = tkt_itsm_str(call, json, "Priority");
    s->changed = tkt_itsm_str(call, json, "LastModifiedDate");
    s->me = tkt_itsm_str(call, json, "CreatedById");
    char *owner = tkt_itsm_str(call, json, "OwnerId");
    if (owner != NULL && strncmp(owner, "005", 3) == 0) { /* a person; 00G is a queue */
        s->assignee = owner;
    } else {
        s->group = owner;
    }
    s->notes = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*s->notes));
    return s->notes == NULL ? tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory") : 0;
}

static void take_notes(struct tkt_itsm_call *call)
{
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *row;

    cJSON_ArrayForEach(row, tkt_json_at(call->answer->json, "records"))
    {
        if (s->note_count < NOTES_MAX) {
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_itsm_str(call, row, "Id"),
                .author = tkt_itsm_str(call, row, "CreatedById"),
                .text = tkt_itsm_str(call, row, "CommentBody"),
                .at = tkt_itsm_str(call, row, "CreatedDate"),
                .is_public = cJSON_IsTrue(tkt_json_at(row, "IsPublished"))};
        }
    }
}

static void take_files(struct tkt_itsm_call *call)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, tkt_json_at(call->answer->json, "records"))
    {
        tkt_itsm_saw_file(call, tkt_itsm_str(call, row, "ContentDocument.Title"),
                          tkt_json_at(row, "ContentDocument.ContentSize"),
                          tkt_itsm_str(call, row, "ContentDocument.CreatedDate"));
    }
}

static enum tkt_itsm_next fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    switch (call->step) {
    case 0:
        return tkt_itsm_get(call, case_url(call), err);
    case 1:
        return take_state(call, err) < 0
                   ? TKT_ITSM_FAILED
                   : query(
                         call,
                         "SELECT Id,CommentBody,IsPublished,CreatedById,CreatedDate FROM "
                         "CaseComment WHERE ParentId=",
                         call->ticket->external, " ORDER BY CreatedDate DESC LIMIT 50",
                         err);
    case 2:
        take_notes(call);
        return query(call,
                     "SELECT ContentDocument.Title,ContentDocument.ContentSize,"
                     "ContentDocument.CreatedDate FROM ContentDocumentLink WHERE "
                     "LinkedEntityId=",
                     call->ticket->external, " LIMIT 100", err);
    default:
        take_files(call);
        return TKT_ITSM_DONE;
    }
}

/* ---- check ---------------------------------------------------------------------------- */

static const cJSON *field_named(const cJSON *described, const char *name)
{
    return tkt_itsm_named(tkt_json_at(described, "fields"), "name", name);
}

static int check_fields(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_itsm *conf = call->site->conf;
    const cJSON *json = call->answer->json;
    const cJSON *key = field_named(json, key_field(call));

    if (key == NULL) {
        return tkt_err_set(
            err, TKT_ERR_CONF,
            "cases have no field %s (or it may not be seen); add a text of "
            "35 characters, an external id, unique",
            key_field(call));
    }
    if (*upsert_field(call) != '\0' && !cJSON_IsTrue(tkt_json_at(key, "externalId"))) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s is no external id", upsert_field(call));
    }
    for (size_t i = 0; i < conf->fields.count; i++) {
        size_t n = strcspn(conf->fields.items[i], "=");
        const char *name = tkt_itsm_text(call, "%.*s", (int)n, conf->fields.items[i]);

        if (name != NULL && field_named(json, name) == NULL) {
            return tkt_err_set(err, TKT_ERR_CONF, "cases have no field %s", name);
        }
    }
    call->seen.told = (char *)(uintptr_t)tkt_itsm_text(call, "cases with the field %s",
                                                       key_field(call));
    return 0;
}

static const char *queue_named(const struct tkt_conf_itsm *conf, size_t n)
{
    if (n < conf->groups.count) {
        return strchr(conf->groups.items[n], '=') + 1;
    }
    return n == conf->groups.count && conf->project[0] != '\0' ? conf->project : NULL;
}

/* What cases have, then each queue. */
static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_itsm *conf = call->site->conf;

    if (call->step == 0) {
        return tkt_itsm_get(call, data(call, "sobjects/Case/describe"), err);
    }
    if (call->step == 1) {
        if (check_fields(call, err) < 0) {
            return TKT_ITSM_FAILED;
        }
    } else {
        const char *name = tkt_itsm_str(call, call->answer->json, "records.0.Name");

        if (name == NULL || *name == '\0') {
            tkt_err_set(err, TKT_ERR_CONF, "there is no queue %s",
                        queue_named(conf, (size_t)call->step - 2));
            return TKT_ITSM_FAILED;
        }
        call->seen.told =
            (char *)(uintptr_t)tkt_itsm_text(call, "%s\nqueue %s", call->seen.told, name);
    }
    const char *queue = queue_named(conf, (size_t)call->step - 1);
    return queue == NULL
               ? TKT_ITSM_DONE
               : query(call,
                       "SELECT Id,Name FROM Group WHERE Type='Queue' AND Id=", queue,
                       " LIMIT 1", err);
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const char *upsert = tkt_itsm_map(&conf->options, "external_id", "x");
    const char *field = tkt_itsm_map(&conf->options, "correlation_field", "x");

    if (tkt_itsm_need_secret(conf, "token", err) < 0) {
        return -1;
    }
    if (!is_word(upsert) || !is_word(field)) {
        return tkt_err_set(err, TKT_ERR_CONF, "options: \"%s\" is no name of a field",
                           is_word(upsert) ? field : upsert);
    }
    if (conf->requester == TKT_CONF_REQUESTER_CREATE) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "requester: this type makes no contacts; a sender who is none "
                           "stands in the case's web e-mail, so write lookup");
    }
    for (size_t i = 0; queue_named(conf, i) != NULL; i++) {
        const char *id = queue_named(conf, i);

        if (!is_word(id) || strncmp(id, "00G", 3) != 0) {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "groups, project: \"%s\" is no id of a queue (00G...)",
                               id);
        }
    }
    return 0;
}

const struct tkt_itsm_ops tkt_itsm_salesforce = {
    .type = "salesforce",
    .title = "Salesforce (cases)",
    .auth = TKT_ITSM_AUTH_BEARER,
    .options = options,
    .search_is_proof = true,
    .check = check_conf,
    .refusal = refusal,
    .states = states,
    .priorities = priorities,
    .steps = {[TKT_ITSM_CREATE] = create,
              [TKT_ITSM_FIND] = find,
              [TKT_ITSM_COMMENT] = comment,
              [TKT_ITSM_ATTACH] = attach,
              [TKT_ITSM_UPDATE] = update,
              [TKT_ITSM_FETCH] = fetch,
              [TKT_ITSM_CHECK] = check,
              [TKT_ITSM_CLOSE] = close_ticket},
};
