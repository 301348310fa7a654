/* SPDX-License-Identifier: BSD-2-Clause
 * Freshservice and Freshdesk, API v2: what changes something there.
 *
 * The correlation key is a tag (its first 32 characters, which is all that a tag may have),
 * or a custom field that the section names. Neither is unique there, and the filter has an
 * index that lags by minutes: see freshworks_read.c. A ticket needs a requester: the
 * section says what becomes of a sender who is not known. Groups, states and priorities are
 * numbers. A service request is placed on an item of the catalogue and then given what the
 * place_request call does not take.
 */
#include "itsm/freshworks.h"

#include "base/enc.h"
#include "base/util.h"
#include "itsm/backends.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_MAX 255
#define TEXT_MAX 50000 /* bytes, before they become HTML */
#define TAG_MAX 32
#define FILES_MIB 15 /* of one ticket, by Freshservice; Freshdesk takes more */

static const char *const options[] = {"assignee",
                                      "attachment_mib",
                                      "bypass_mandatory",
                                      "correlation_field",
                                      "default_requester",
                                      "reply",
                                      "source",
                                      "tag",
                                      NULL};

static const struct tkt_itsm_word states[] = {
    {"new", "2"},       {"open", "2"},   {"pending", "3"},
    {"resolved", "4"},  {"closed", "5"}, {"refused", "5"},
    {"withdrawn", "5"}, {"merged", "5"}, {NULL, NULL}};
static const char *const priorities[6] = {NULL, "4", "3", "2", "1", "1"};

bool tkt_freshworks_is_desk(const struct tkt_itsm_call *call)
{
    return strcmp(call->site->conf->type, "freshdesk") == 0;
}

double tkt_freshworks_id_in(const char *text)
{
    size_t n = text == NULL ? 0 : strspn(text, "0123456789");

    return n > 0 && n < 16 && text[n] == '\0' ? strtod(text, NULL) : 0;
}

const char *tkt_freshworks_ticket_url(struct tkt_itsm_call *call, const char *below)
{
    const char *id = tkt_itsm_escape(call, call->ticket->external);

    return id == NULL ? NULL : tkt_itsm_url(call, "/api/v2/tickets/%s%s", id, below);
}

const cJSON *tkt_freshworks_list(const cJSON *json, const char *name)
{
    return cJSON_IsArray(json) ? json : tkt_json_at(json, name);
}

const cJSON *tkt_freshworks_ticket(const cJSON *json)
{
    const cJSON *inner = tkt_json_at(json, "ticket");
    const cJSON *service = tkt_json_at(json, "service_request");

    return inner != NULL ? inner : service != NULL ? service : json;
}

const char *tkt_freshworks_key_field(const struct tkt_itsm_call *call)
{
    return tkt_itsm_option(call, "correlation_field", "");
}

const char *tkt_freshworks_tag(struct tkt_itsm_call *call)
{
    return tkt_itsm_text(call, "%.*s", TAG_MAX, call->ticket->corr);
}

/* {"description", "errors": [{"field", "message", "code"}]}, or {"code", "message"}. */
void tkt_freshworks_refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf said = TKT_BUF_INIT(600);
    const char *what = cJSON_GetStringValue(tkt_json_at(a->json, "description"));
    const cJSON *errors = tkt_json_at(a->json, "errors");
    int retry_after_s = err->retry_after_s;
    const cJSON *e;

    what = what == NULL ? cJSON_GetStringValue(tkt_json_at(a->json, "message")) : what;
    tkt_buf_addf(&said, "\"%.120s\"", what == NULL ? "" : what);
    cJSON_ArrayForEach(e, errors)
    {
        const char *field = cJSON_GetStringValue(tkt_json_at(e, "field"));
        const char *message = cJSON_GetStringValue(tkt_json_at(e, "message"));
        const char *code = cJSON_GetStringValue(tkt_json_at(e, "code"));

        tkt_buf_addf(&said, ", %.40s: %.60s (%.30s)", field == NULL ? "?" : field,
                     message == NULL ? "" : message, code == NULL ? "" : code);
    }
    tkt_err_set(err, err->class, "it says %d %s", a->status, tkt_buf_str(&said));
    err->retry_after_s = retry_after_s;
}

enum tkt_itsm_next tkt_freshworks_take(struct tkt_itsm_call *call, const cJSON *ticket,
                                       struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    const char *type = cJSON_GetStringValue(tkt_json_at(ticket, "type"));
    char *id = tkt_itsm_str(call, ticket, "id");
    const char *prefix = tkt_freshworks_is_desk(call) || type == NULL ? ""
                         : strcmp(type, "Service Request") == 0       ? "SR-"
                         : strcmp(type, "Incident") == 0              ? "INC-"
                                                                      : "";

    if (id == NULL || tkt_freshworks_id_in(id) == 0) {
        return tkt_itsm_odd(call, err, "id of a ticket");
    }
    s->external = id;
    s->number = (char *)(uintptr_t)tkt_itsm_text(call, "%s%s", prefix, id);
    s->url = (char *)(uintptr_t)tkt_itsm_url(call, "/a/tickets/%s", id);
    s->state = tkt_itsm_str(call, ticket, "status");
    s->group = tkt_itsm_str(call, ticket, "group_id");
    s->assignee = tkt_itsm_str(call, ticket, "responder_id");
    s->priority = tkt_itsm_str(call, ticket, "priority");
    s->changed = tkt_itsm_str(call, ticket, "updated_at");
    return TKT_ITSM_DONE;
}

/* ---- texts ---------------------------------------------------------------------------- */

/* Texts are HTML there. */
static const char *html(struct tkt_itsm_call *call, const char *text)
{
    const char *made =
        tkt_itsm_html(call, text == NULL ? NULL : tkt_itsm_fit(call, text, TEXT_MAX));

    return made != NULL && *made == '\0' ? "-" : made;
}

/* What the subject lost by its cut and, where the ticket does not show it, the sender go
 * above the text. */
static const char *text_of(struct tkt_itsm_call *call, bool with_sender)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *whole = tkt_itsm_line(call, t->subject, 0);
    const char *line = tkt_itsm_line(call, t->subject, SUBJECT_MAX);
    bool sent = with_sender && t->requester[0] != '\0';

    if (whole == NULL || line == NULL) {
        return NULL;
    }
    bool cut = strlen(whole) > strlen(line);
    return tkt_itsm_text(call, "%s%s%s%s%s%s%s", cut ? whole : "", cut ? "\n\n" : "",
                         sent ? t->requester_name : "", sent ? " <" : "",
                         sent ? t->requester : "", sent ? ">:\n" : "", t->text);
}

/* ---- people --------------------------------------------------------------------------- */

struct making { /* in the arena, over the steps of a create or an update */
    enum {
        ASK_REQUESTER,
        ASK_AGENT, /* an agent may be a requester, too */
        ASK_ASSIGNEE,
        ASK_NOTHING
    } asked;
    double requester;
    double responder;
};

static bool is_address(const cJSON *person, const char *path, const char *address)
{
    const char *have = cJSON_GetStringValue(tkt_json_at(person, path));

    return have != NULL && tkt_ascii_ieq(have, address);
}

/* The id of the one with just this address, or 0. */
static double person_in(const struct tkt_itsm_call *call, const char *list,
                        const char *address)
{
    const cJSON *person;

    cJSON_ArrayForEach(person, tkt_freshworks_list(call->answer->json, list))
    {
        const cJSON *id = tkt_json_at(person, "id");

        if (cJSON_IsNumber(id) && (is_address(person, "email", address) ||
                                   is_address(person, "primary_email", address) ||
                                   is_address(person, "contact.email", address))) {
            return id->valuedouble;
        }
    }
    return 0;
}

static enum tkt_itsm_next ask_for(struct tkt_itsm_call *call, const char *list,
                                  const char *address, struct tkt_err *err)
{
    const char *escaped = tkt_itsm_escape(call, address);

    return tkt_itsm_get(
        call,
        escaped == NULL ? NULL : tkt_itsm_url(call, "/api/v2/%s?email=%s", list, escaped),
        err);
}

static const char *people(const struct tkt_itsm_call *call)
{
    return tkt_freshworks_is_desk(call) ? "contacts" : "requesters";
}

static bool wants_assignee(const struct tkt_itsm_call *call)
{
    return tkt_itsm_wants(call, "assignee") && tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE) &&
           strchr(call->ticket->assignee, '@') != NULL;
}

static enum tkt_itsm_next ask_for_assignee(struct tkt_itsm_call *call, struct making *m,
                                           struct tkt_err *err)
{
    m->asked = ASK_ASSIGNEE;
    return ask_for(call, "agents", call->ticket->assignee, err);
}

/* What was asked is answered; SEND when something else has to be asked, DONE when nothing
 * has. */
static enum tkt_itsm_next look_up(struct tkt_itsm_call *call, struct making *m,
                                  struct tkt_err *err)
{
    const char *sender = call->ticket->requester;

    if (m->asked == ASK_REQUESTER) {
        m->requester = person_in(call, people(call), sender);
        if (m->requester == 0) {
            m->asked = ASK_AGENT;
            return ask_for(call, "agents", sender, err);
        }
    } else if (m->asked == ASK_AGENT) {
        m->requester = person_in(call, "agents", sender);
    } else if (m->asked == ASK_ASSIGNEE) {
        m->responder = person_in(call, "agents", call->ticket->assignee);
    }
    if (m->asked < ASK_ASSIGNEE && wants_assignee(call)) {
        return ask_for_assignee(call, m, err);
    }
    m->asked = ASK_NOTHING;
    return TKT_ITSM_DONE;
}

static struct making *begin(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct making *m = tkt_wire_arena_alloc(&call->arena, sizeof(*m));

    if (m == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return NULL;
    }
    *m = (struct making){.asked = ASK_NOTHING};
    call->state = m;
    return m;
}

/* ---- members -------------------------------------------------------------------------- */

struct fields {
    cJSON *ticket, *custom;
};

/* Members of a ticket; each other name is one of its custom fields. */
static bool is_member(const char *name)
{
    static const char *const names[] = {
        "department_id", "workspace_id", "email_config_id", "product_id",    "company_id",
        "parent_id",     "category",     "sub_category",    "item_category", "due_by",
        "fr_due_by",     "impact",       "urgency",         "source",        NULL};

    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool ends_with(const char *text, size_t n, const char *end)
{
    return n > strlen(end) && strncmp(text + n - strlen(end), end, strlen(end)) == 0;
}

/* "name", "name.number", "name.boolean": a text in a field of numbers is refused. */
static cJSON *typed(const char *name, const char *value, size_t *name_len)
{
    size_t n = strlen(name);

    *name_len = strcspn(name, ".");
    if (ends_with(name, n, ".number")) {
        return cJSON_CreateNumber(strtod(value, NULL));
    }
    if (ends_with(name, n, ".boolean")) {
        return cJSON_CreateBool(tkt_ascii_ieq(value, "yes") ||
                                tkt_ascii_ieq(value, "true") || strcmp(value, "1") == 0);
    }
    *name_len = n;
    if (is_member(name) && strspn(value, "0123456789") == strlen(value)) {
        return cJSON_CreateNumber(strtod(value, NULL));
    }
    return cJSON_CreateString(value);
}

static int add_field(void *arg, const char *name, const char *value)
{
    struct fields *f = arg;
    char key[128];
    size_t n;
    cJSON *item = typed(name, value, &n);

    (void)snprintf(key, sizeof(key), "%.*s", (int)n, name); /* no name is longer there */
    if (!is_member(key) && f->custom == NULL) {
        f->custom = cJSON_AddObjectToObject(f->ticket, "custom_fields");
    }
    if (!cJSON_AddItemToObject(is_member(key) ? f->ticket : f->custom, key, item)) {
        cJSON_Delete(item);
        return -1;
    }
    return 0;
}

static void add_number(cJSON *body, const char *name, const char *number)
{
    if (tkt_freshworks_id_in(number) > 0) {
        cJSON_AddNumberToObject(body, name, tkt_freshworks_id_in(number));
    }
}

/* Ours is 1 high to 3 low, theirs 1 low to 3 high. */
static void add_level(cJSON *body, const char *name, int ours)
{
    if (ours >= 1 && ours <= 3 && tkt_json_at(body, name) == NULL) {
        cJSON_AddNumberToObject(body, name, 4 - ours);
    }
}

static void add_state(struct tkt_itsm_call *call, cJSON *body, double responder)
{
    if (tkt_itsm_tells(call, TKT_ITSM_STATE)) {
        add_number(body, "status",
                   tkt_itsm_state(call, states, call->ticket->state, NULL));
    }
    if (tkt_itsm_tells(call, TKT_ITSM_PRIORITY)) {
        add_number(body, "priority", tkt_itsm_priority(call, priorities));
    }
    if (tkt_itsm_tells(call, TKT_ITSM_GROUP)) {
        add_number(body, "group_id", tkt_itsm_place(call));
    }
    if (responder > 0) {
        cJSON_AddNumberToObject(body, "responder_id", responder);
    }
}

static void add_tags(struct tkt_itsm_call *call, cJSON *body)
{
    const char *own = tkt_itsm_option(call, "tag", "");
    bool by_tag = tkt_freshworks_key_field(call)[0] == '\0';

    if (!by_tag && *own == '\0') {
        return;
    }
    cJSON *tags = cJSON_AddArrayToObject(body, "tags");
    if (by_tag) {
        cJSON_AddItemToArray(tags, cJSON_CreateString(tkt_freshworks_tag(call)));
    }
    if (*own != '\0') {
        cJSON_AddItemToArray(tags, cJSON_CreateString(own));
    }
}

/* The custom fields, the key among them. */
static int add_fields(struct tkt_itsm_call *call, cJSON *body, struct tkt_err *err)
{
    struct fields f = {.ticket = body};
    const char *key = tkt_freshworks_key_field(call);

    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    if (*key != '\0' && add_field(&f, key, call->ticket->corr) < 0) {
        return -1;
    }
    return tkt_itsm_fields(call, add_field, &f, err);
}

/* ---- create --------------------------------------------------------------------------- */

/* Whose ticket it is; true: it does not show the sender. */
static bool add_requester(struct tkt_itsm_call *call, cJSON *body, double requester)
{
    const struct tkt_itsm_ticket *t = call->ticket;

    if (requester > 0) {
        cJSON_AddNumberToObject(body, "requester_id", requester);
        return false;
    }
    if (call->site->conf->requester == TKT_CONF_REQUESTER_CREATE &&
        t->requester[0] != '\0') {
        cJSON_AddStringToObject(body, "email", t->requester);
        cJSON_AddStringToObject(
            body, "name",
            tkt_itsm_line(call, t->requester_name[0] ? t->requester_name : t->requester,
                          100));
        return false;
    }
    cJSON_AddStringToObject(body, "email",
                            tkt_itsm_option(call, "default_requester", ""));
    return true;
}

/* The number of an item of the catalogue: "request=item:23". */
static const char *item_of(const struct tkt_itsm_call *call)
{
    const char *type = tkt_itsm_map(&call->site->conf->types, call->ticket->type, NULL);

    return !tkt_freshworks_is_desk(call) && type != NULL && strncmp(type, "item:", 5) == 0
               ? type + 5
               : NULL;
}

static enum tkt_itsm_next post_ticket(struct tkt_itsm_call *call, const struct making *m,
                                      struct tkt_err *err)
{
    const char *type = tkt_itsm_map(&call->site->conf->types, call->ticket->type, NULL);
    cJSON *body = cJSON_CreateObject();
    bool with_sender = add_requester(call, body, m->requester);

    cJSON_AddStringToObject(body, "subject", tkt_itsm_subject(call, SUBJECT_MAX));
    cJSON_AddStringToObject(body, "description", html(call, text_of(call, with_sender)));
    add_state(call, body, m->responder);
    add_number(body, "source", tkt_itsm_option(call, "source", "1"));
    if (type != NULL) {
        cJSON_AddStringToObject(body, "type", type);
    }
    add_tags(call, body);
    if (add_fields(call, body, err) < 0) {
        cJSON_Delete(body);
        return TKT_ITSM_FAILED;
    }
    if (!tkt_freshworks_is_desk(call)) {
        add_level(body, "urgency", call->ticket->urgency);
        add_level(body, "impact", call->ticket->impact);
    }
    return tkt_itsm_json(call, "POST", tkt_itsm_url(call, "/api/v2/tickets"), body, err);
}

/* The catalogue's call takes a person by address only. */
static enum tkt_itsm_next place_request(struct tkt_itsm_call *call,
                                        const struct making *m, struct tkt_err *err)
{
    bool known =
        m->requester > 0 || call->site->conf->requester == TKT_CONF_REQUESTER_CREATE;
    const char *who = known && call->ticket->requester[0] != '\0'
                          ? call->ticket->requester
                          : tkt_itsm_option(call, "default_requester", "");
    const char *item = tkt_itsm_escape(call, item_of(call));
    cJSON *body = cJSON_CreateObject();

    cJSON_AddNumberToObject(body, "quantity", 1);
    cJSON_AddStringToObject(body, "email", who);
    if (add_fields(call, body, err) < 0) {
        cJSON_Delete(body);
        return TKT_ITSM_FAILED;
    }
    return tkt_itsm_json(
        call, "POST",
        item == NULL
            ? NULL
            : tkt_itsm_url(call, "/api/v2/service_catalog/items/%s/place_request", item),
        body, err);
}

/* Subject, text, tags, group and state of a service request. */
static enum tkt_itsm_next complete_request(struct tkt_itsm_call *call,
                                           const struct making *m, struct tkt_err *err)
{
    const char *url = tkt_itsm_url(call, "/api/v2/tickets/%s?bypass_mandatory=true",
                                   call->seen.external);
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "subject", tkt_itsm_subject(call, SUBJECT_MAX));
    cJSON_AddStringToObject(body, "description",
                            html(call, text_of(call, m->requester == 0)));
    add_state(call, body, m->responder);
    add_tags(call, body);
    enum tkt_itsm_next next = tkt_itsm_json(call, "PUT", url, body, err);
    call->request.repeatable = true;
    return next;
}

enum {
    LOOKING,
    MAKING,
    COMPLETING
};

static enum tkt_itsm_next start_looking(struct tkt_itsm_call *call, struct making *m,
                                        struct tkt_err *err)
{
    if (call->ticket->requester[0] != '\0' &&
        call->site->conf->requester == TKT_CONF_REQUESTER_LOOKUP) {
        m->asked = ASK_REQUESTER;
        return ask_for(call, people(call), call->ticket->requester, err);
    }
    return wants_assignee(call) ? ask_for_assignee(call, m, err) : TKT_ITSM_DONE;
}

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct making *m = call->step == 0 ? begin(call, err) : call->state;

    if (m == NULL) {
        return TKT_ITSM_FAILED;
    }
    if (call->stage == LOOKING) {
        enum tkt_itsm_next next =
            call->step == 0 ? start_looking(call, m, err) : look_up(call, m, err);
        if (next != TKT_ITSM_DONE) {
            return next;
        }
        call->stage = MAKING;
        return item_of(call) != NULL ? place_request(call, m, err)
                                     : post_ticket(call, m, err);
    }
    if (tkt_freshworks_take(call, tkt_freshworks_ticket(call->answer->json), err) !=
        TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    if (call->stage == MAKING && item_of(call) != NULL) {
        call->stage = COMPLETING;
        return complete_request(call, m, err);
    }
    return TKT_ITSM_DONE;
}

/* ---- comments and files --------------------------------------------------------------- */

static enum tkt_itsm_next put_note(struct tkt_itsm_call *call, const char *text,
                                   bool is_public, struct tkt_err *err)
{
    bool replies = is_public && tkt_itsm_wants(call, "reply");
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "body", html(call, text));
    if (!replies) {
        cJSON_AddBoolToObject(body, "private", !is_public);
    }
    return tkt_itsm_json(call, "POST",
                         tkt_freshworks_ticket_url(call, replies ? "/reply" : "/notes"),
                         body, err);
}

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step > 0
               ? TKT_ITSM_DONE
               : put_note(call, tkt_itsm_said(call), call->comment->is_public, err);
}

static enum tkt_itsm_next name_file(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_file *f = call->file;
    const char *name = tkt_itsm_line(call, f->name, 200);

    call->stage = 1;
    return put_note(call,
                    name == NULL
                        ? NULL
                        : tkt_itsm_text(call,
                                        "File kept with %s: %s (%s, %" PRId64 " bytes)",
                                        call->ticket->id, name, f->type, f->size),
                    false, err);
}

static bool is_about_files(const cJSON *json)
{
    const cJSON *e;

    cJSON_ArrayForEach(e, tkt_json_at(json, "errors"))
    {
        const char *field = cJSON_GetStringValue(tkt_json_at(e, "field"));

        if (field != NULL && strncmp(field, "attachments", 11) == 0) {
            return true;
        }
    }
    return false;
}

static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    double most = tkt_freshworks_id_in(tkt_itsm_option(call, "attachment_mib", ""));
    int status = call->step == 0 ? 0 : call->answer->status;

    most = (most > 0 ? most : FILES_MIB) * 1024 * 1024;
    if (call->step == 0 && (double)call->file->size > most) {
        return name_file(call, err);
    }
    if (call->step == 0) {
        const char *name = tkt_itsm_line(call, call->file->name, 200);
        const char *texts[] = {"body", html(call, name), "private", "true", NULL};
        enum tkt_itsm_next next =
            tkt_itsm_form(call, tkt_freshworks_ticket_url(call, "/notes"),
                          "attachments[]", texts[1] == NULL ? NULL : texts, err);
        call->request.also[0] = 400;
        call->request.also[1] = 413;
        return next;
    }
    if (call->stage == 1 || status < 400) {
        return TKT_ITSM_DONE;
    }
    if (status == 413 || is_about_files(call->answer->json)) {
        return name_file(call, err); /* the ticket has had its share of files */
    }
    *err = (struct tkt_err){.class = TKT_ERR_PERM};
    tkt_freshworks_refusal(call->answer, err);
    return TKT_ITSM_FAILED;
}

/* ---- state ---------------------------------------------------------------------------- */

static enum tkt_itsm_next put_ticket(struct tkt_itsm_call *call, cJSON *body,
                                     struct tkt_err *err)
{
    bool bypass = tkt_itsm_wants(call, "bypass_mandatory");
    enum tkt_itsm_next next = tkt_itsm_json(
        call, "PUT",
        tkt_freshworks_ticket_url(call, bypass ? "?bypass_mandatory=true" : ""), body,
        err);

    call->request.repeatable = true;
    return next;
}

static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct making *m = call->step == 0 ? begin(call, err) : call->state;

    if (m == NULL) {
        return TKT_ITSM_FAILED;
    }
    if (call->step == 0 && wants_assignee(call)) {
        return ask_for_assignee(call, m, err);
    }
    if (call->stage == LOOKING) {
        cJSON *body = cJSON_CreateObject();

        if (call->step > 0) {
            m->responder = person_in(call, "agents", call->ticket->assignee);
        }
        call->stage = MAKING;
        add_state(call, body, m->responder);
        if (tkt_itsm_is_mute(call, body, body)) {
            return TKT_ITSM_DONE;
        }
        return put_ticket(call, body, err);
    }
    return tkt_freshworks_take(call, tkt_freshworks_ticket(call->answer->json), err);
}

static enum tkt_itsm_next close_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    cJSON *body = cJSON_CreateObject();
    add_number(body, "status", tkt_itsm_state(call, states, "closed", "5"));
    return put_ticket(call, body, err);
}

/* ---- settings ------------------------------------------------------------------------- */

static int check_numbers(const struct tkt_conf_list *rows, const char *what,
                         struct tkt_err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const char *eq = strchr(rows->items[i], '=');

        if (tkt_freshworks_id_in(eq == NULL ? "" : eq + 1) == 0) {
            return tkt_err_set(err, TKT_ERR_CONF, "%s: \"%s\" is no number there", what,
                               rows->items[i]);
        }
    }
    return 0;
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const char *nobody = tkt_itsm_map(&conf->options, "default_requester", "");

    if (tkt_itsm_need_secret(conf, "API-key", err) < 0) {
        return -1;
    }
    if (check_numbers(&conf->groups, "groups", err) < 0 ||
        check_numbers(&conf->states, "states", err) < 0 ||
        check_numbers(&conf->priorities, "priorities", err) < 0) {
        return -1;
    }
    if (conf->project[0] != '\0' && tkt_freshworks_id_in(conf->project) == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "project: \"%s\" is no id of a group",
                           conf->project);
    }
    if (strchr(nobody, '@') == NULL) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "a ticket needs a requester there; for senders that it does "
                           "not know write options = {\"default_requester=ADDRESS\"}");
    }
    return 0;
}

#define STEPS                                                                            \
    {                                                                                    \
        [TKT_ITSM_CREATE] = create, [TKT_ITSM_FIND] = tkt_freshworks_find,               \
        [TKT_ITSM_COMMENT] = comment, [TKT_ITSM_ATTACH] = attach,                        \
        [TKT_ITSM_UPDATE] = update, [TKT_ITSM_FETCH] = tkt_freshworks_fetch,             \
        [TKT_ITSM_CHECK] = tkt_freshworks_check, [TKT_ITSM_CLOSE] = close_ticket,        \
        [TKT_ITSM_LIST] = tkt_freshworks_changed                                         \
    }

/* The lists show a new ticket at once, the filter within minutes, but neither has to show
 * tags: what is found counts, what is not found proves nothing. */
#define LAG_MS (INT64_C(5) * 60 * 1000)

const struct tkt_itsm_ops tkt_itsm_freshservice = {
    .type = "freshservice",
    .title = "Freshservice (API v2)",
    .auth = TKT_ITSM_AUTH_KEY_AS_USER,
    .options = options,
    .search_lag_ms = LAG_MS,
    .states = states,
    .priorities = priorities,
    .check = check_conf,
    .refusal = tkt_freshworks_refusal,
    .steps = STEPS,
};

const struct tkt_itsm_ops tkt_itsm_freshdesk = {
    .type = "freshdesk",
    .title = "Freshdesk (API v2)",
    .auth = TKT_ITSM_AUTH_KEY_AS_USER,
    .options = options,
    .search_lag_ms = LAG_MS,
    .list_ascends = true,
    .states = states,
    .priorities = priorities,
    .check = check_conf,
    .refusal = tkt_freshworks_refusal,
    .steps = STEPS,
};
