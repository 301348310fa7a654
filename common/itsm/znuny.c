/* SPDX-License-Identifier: BSD-2-Clause
 * Znuny, OTOBO and OTRS by their GenericInterface.
 *
 * Its routes are settings of a web service that the administrator imports. Name and
 * password go in the body of each request, so the service must take searches and look-ups
 * by POST: what a GET says stands in the logs of every proxy. An operation that fails is
 * answered with 200 and an "Error". The correlation key is a dynamic field of tickets.
 */
#include "base/hash.h"
#include "base/util.h"
#include "itsm/backends.h"
#include "itsm/build.h"

#include <string.h>

#define TITLE_MAX 250
#define NOTES_MAX 40
#define FILES_MAX 200
#define HITS_MAX 5
#define ATTACH_MAX (10 * 1024 * 1024)

static const char *const options[] = {
    "correlation_field", "owner",     "customer",     "channel",
    "search_route",      "get_route", "ticket_route", NULL};

static const struct tkt_itsm_word states[] = {{"new", "new"},
                                              {"open", "open"},
                                              {"pending", "pending reminder"},
                                              {"resolved", "closed successful"},
                                              {"closed", "closed successful"},
                                              {"refused", "closed unsuccessful"},
                                              {"withdrawn", "closed unsuccessful"},
                                              {"merged", "merged"},
                                              {NULL, NULL}};
static const char *const priorities[6] = {"3 normal", "5 very high", "4 high",
                                          "3 normal", "2 low",       "1 very low"};

static const char *key_field(const struct tkt_itsm_call *call)
{
    return tkt_itsm_option(call, "correlation_field", "CorrelationId");
}

static const char *route(struct tkt_itsm_call *call, const char *option,
                         const char *fallback, bool with_id, const char *id)
{
    const char *path = tkt_itsm_option(call, option, fallback);
    const char *escaped = with_id ? tkt_itsm_escape(call, id) : "";

    return escaped == NULL ? NULL
                           : tkt_itsm_url(call, "%s%s%s%s", path[0] == '/' ? "" : "/",
                                          path, with_id ? "/" : "", escaped);
}

static const char *ticket_route(struct tkt_itsm_call *call)
{
    return route(call, "ticket_route", "/Ticket", true, call->ticket->external);
}

static cJSON *new_body(const struct tkt_itsm_call *call)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "UserLogin", call->site->conf->user);
    cJSON_AddStringToObject(body, "Password", call->site->secret);
    return body;
}

/* ---- errors --------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* false: the answer is an error, which err now tells. */
static bool is_good(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const char *const for_good[] = {".MissingParameter", ".InvalidParameter",
                                           ".AccessDenied"};
    const cJSON *error = tkt_json_at(call->answer->json, "Error");
    enum tkt_err_class class = TKT_ERR_TEMP;

    if (error == NULL) {
        return true;
    }
    const char *code = tkt_itsm_str(call, error, "ErrorCode");
    const char *said = tkt_itsm_str(call, error, "ErrorMessage");
    code = code == NULL ? "" : code;
    for (size_t i = 0; i < TKT_ARRAY_LEN(for_good); i++) {
        class = ends_with(code, for_good[i]) ? TKT_ERR_PERM : class;
    }
    if (ends_with(code, ".AuthFail")) {
        class = TKT_ERR_CONF;
        call->unauthorized = true;
    }
    tkt_err_set(err, class, "Znuny says %.80s \"%.300s\"", code,
                said == NULL ? "" : said);
    return false;
}

static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    const char *fault = cJSON_GetStringValue(tkt_json_at(a->json, "faultstring"));

    tkt_err_set(err, err->class, "Znuny says %d \"%.300s\"", a->status,
                fault == NULL ? "" : fault);
}

/* ---- create --------------------------------------------------------------------------- */

struct making {
    cJSON *ticket, *fields;
};

static int add_dynamic(cJSON *fields, const char *name, const char *value)
{
    cJSON *field = cJSON_CreateObject();

    if (cJSON_AddStringToObject(field, "Name", name) == NULL ||
        cJSON_AddStringToObject(field, "Value", value) == NULL ||
        !cJSON_AddItemToArray(fields, field)) {
        cJSON_Delete(field);
        return -1;
    }
    return 0;
}

/* "Ticket.SLA" is a member of the ticket, any other name a dynamic field. */
static int add_field(void *arg, const char *name, const char *value)
{
    struct making *m = arg;

    if (strncmp(name, "Ticket.", 7) == 0) {
        return cJSON_AddStringToObject(m->ticket, name + 7, value) == NULL ? -1 : 0;
    }
    return add_dynamic(m->fields, name, value);
}

static void add_article(struct tkt_itsm_call *call, cJSON *body, const char *subject,
                        const char *text, bool is_public, const char *sender)
{
    cJSON *article = cJSON_AddObjectToObject(body, "Article");

    cJSON_AddStringToObject(article, "CommunicationChannel",
                            is_public ? tkt_itsm_option(call, "channel", "Email")
                                      : "Internal");
    cJSON_AddStringToObject(article, "SenderType", sender);
    cJSON_AddNumberToObject(article, "IsVisibleForCustomer", is_public ? 1 : 0);
    cJSON_AddStringToObject(article, "Subject", subject);
    cJSON_AddStringToObject(article, "Body",
                            tkt_itsm_body(call, text[0] == '\0' ? "-" : text, 0));
    cJSON_AddStringToObject(article, "ContentType", "text/plain; charset=utf-8");
}

static void add_owner(struct tkt_itsm_call *call, cJSON *ticket)
{
    if (call->ticket->assignee[0] != '\0' && tkt_itsm_wants(call, "owner")) {
        cJSON_AddStringToObject(ticket, "Owner", call->ticket->assignee);
    }
}

/* An address that is no customer's is taken as it is; someone must be named. */
static const char *customer_of(struct tkt_itsm_call *call)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *other = tkt_itsm_option(call, "customer", "");
    bool as_text = call->site->conf->requester == TKT_CONF_REQUESTER_TEXT;

    return t->requester[0] == '\0' || (as_text && *other != '\0') ? other : t->requester;
}

static cJSON *make_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *body = new_body(call);
    struct making m = {.ticket = cJSON_AddObjectToObject(body, "Ticket")};
    const char *line = tkt_itsm_line(call, t->subject, TITLE_MAX);
    const char *title = line == NULL || *line == '\0' ? t->id : line;
    const char *type = tkt_itsm_map(&call->site->conf->types, t->type, NULL);

    cJSON_AddStringToObject(m.ticket, "Title", title);
    cJSON_AddStringToObject(m.ticket, "Queue", tkt_itsm_place(call));
    cJSON_AddStringToObject(m.ticket, "State",
                            tkt_itsm_state(call, states, t->state, "new"));
    cJSON_AddStringToObject(m.ticket, "Priority", tkt_itsm_priority(call, priorities));
    cJSON_AddStringToObject(m.ticket, "CustomerUser", customer_of(call));
    if (type != NULL) {
        cJSON_AddStringToObject(m.ticket, "Type", type);
    }
    add_owner(call, m.ticket);
    add_article(call, body, title, t->text, true, "customer");
    if (t->requester[0] != '\0') {
        const char *name = tkt_itsm_line(call, t->requester_name, 100);
        cJSON_AddStringToObject(
            cJSON_GetObjectItemCaseSensitive(body, "Article"), "From",
            name == NULL || *name == '\0' || strpbrk(name, "\"\\<>,;") != NULL
                ? t->requester
                : tkt_itsm_text(call, "\"%s\" <%s>", name, t->requester));
    }
    m.fields = cJSON_AddArrayToObject(body, "DynamicField");
    if (add_dynamic(m.fields, key_field(call), t->corr) < 0 ||
        tkt_itsm_fields(call, add_field, &m, err) < 0) {
        cJSON_Delete(body);
        return NULL;
    }
    return body;
}

static enum tkt_itsm_next take_ids(struct tkt_itsm_call *call, const cJSON *json,
                                   struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    char *id = tkt_itsm_str(call, json, "TicketID");
    const char *base = call->site->conf->url;
    const char *end = strstr(base, "/nph-genericinterface.pl");

    if (id == NULL || *id == '\0') {
        return tkt_itsm_odd(call, err, "TicketID");
    }
    s->external = id;
    s->number = tkt_itsm_str(call, json, "TicketNumber");
    if (end != NULL) {
        s->url = (char *)(uintptr_t)tkt_itsm_text(
            call, "%.*s/index.pl?Action=AgentTicketZoom;TicketID=%s", (int)(end - base),
            base, tkt_itsm_escape(call, id));
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step > 0) {
        return !is_good(call, err) ? TKT_ITSM_FAILED
                                   : take_ids(call, call->answer->json, err);
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    cJSON *body = make_ticket(call, err);
    return body == NULL ? TKT_ITSM_FAILED
                        : tkt_itsm_json(call, "POST",
                                        route(call, "ticket_route", "/Ticket", false, ""),
                                        body, err);
}

/* ---- find ----------------------------------------------------------------------------- */

static enum tkt_itsm_next ask(struct tkt_itsm_call *call, const char *url, cJSON *body,
                              struct tkt_err *err)
{
    enum tkt_itsm_next next = tkt_itsm_json(call, "POST", url, body, err);

    call->request.repeatable = true;
    return next;
}

static enum tkt_itsm_next search(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *name = tkt_itsm_text(call, "DynamicField_%s", key_field(call));
    cJSON *body = new_body(call);
    cJSON *field = name == NULL ? NULL : cJSON_AddObjectToObject(body, name);

    cJSON_AddStringToObject(field, "Equals", call->ticket->corr);
    cJSON_AddNumberToObject(body, "Limit", HITS_MAX);
    return ask(call, route(call, "search_route", "/TicketSearch", false, ""), body, err);
}

static enum tkt_itsm_next get_ticket(struct tkt_itsm_call *call, const char *id,
                                     bool articles, struct tkt_err *err)
{
    cJSON *body = new_body(call);

    cJSON_AddNumberToObject(body, "DynamicFields", 1);
    if (articles) {
        cJSON_AddNumberToObject(body, "AllArticles", 1);
        cJSON_AddStringToObject(body, "ArticleOrder", "DESC");
        cJSON_AddNumberToObject(body, "ArticleLimit", NOTES_MAX);
        cJSON_AddNumberToObject(body, "Attachments", 1);
        cJSON_AddNumberToObject(body, "GetAttachmentContents", 0);
    }
    return ask(call, route(call, "get_route", "/TicketGet", true, id), body, err);
}

/* Older releases give the ticket itself, newer ones a list of one. */
static const cJSON *ticket_in(const struct tkt_itsm_call *call)
{
    const cJSON *ticket = tkt_json_at(call->answer->json, "Ticket");

    return cJSON_IsArray(ticket) ? cJSON_GetArrayItem(ticket, 0) : ticket;
}

static bool shows_key(const struct tkt_itsm_call *call, const cJSON *ticket)
{
    const char *name = key_field(call);
    const cJSON *field;

    cJSON_ArrayForEach(field, tkt_json_at(ticket, "DynamicField"))
    {
        const char *have = cJSON_GetStringValue(tkt_json_at(field, "Name"));
        const char *value = cJSON_GetStringValue(tkt_json_at(field, "Value"));

        if (have != NULL && value != NULL && strcmp(have, name) == 0 &&
            strcmp(value, call->ticket->corr) == 0) {
            return true;
        }
    }
    return false;
}

struct hits {
    char *ids[HITS_MAX];
    size_t count, next;
};

/* A list, one alone, or no member at all when nothing is found. */
static struct hits *take_hits(struct tkt_itsm_call *call)
{
    const cJSON *found = tkt_json_at(call->answer->json, "TicketID");
    struct hits *hits = tkt_wire_arena_alloc(&call->arena, sizeof(*hits));
    const cJSON *one;

    if (hits == NULL) {
        return NULL;
    }
    memset(hits, 0, sizeof(*hits));
    if (!cJSON_IsArray(found)) {
        char *id = tkt_itsm_str(call, found, "");
        hits->ids[0] = id;
        hits->count = id != NULL && *id != '\0';
        return hits;
    }
    cJSON_ArrayForEach(one, found)
    {
        char *id = tkt_itsm_str(call, one, "");
        if (id != NULL && *id != '\0' && hits->count < HITS_MAX) {
            hits->ids[hits->count++] = id;
        }
    }
    return hits;
}

/* A search for a field that is not there brings any ticket: each is looked at. */
static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return search(call, err);
    }
    if (!is_good(call, err)) {
        return TKT_ITSM_FAILED;
    }
    if (call->step == 1) {
        if (!cJSON_IsObject(call->answer->json)) {
            return tkt_itsm_odd(call, err, "TicketID");
        }
        call->state = take_hits(call);
        if (call->state == NULL) {
            tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
            return TKT_ITSM_FAILED;
        }
    } else if (shows_key(call, ticket_in(call))) {
        return take_ids(call, ticket_in(call), err);
    }
    struct hits *hits = call->state;
    return hits->next < hits->count
               ? get_ticket(call, hits->ids[hits->next++], false, err)
               : TKT_ITSM_DONE;
}

/* ---- comments and files --------------------------------------------------------------- */

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_comment *c = call->comment;

    if (call->step > 0) {
        return is_good(call, err) ? TKT_ITSM_DONE : TKT_ITSM_FAILED;
    }
    cJSON *body = new_body(call);
    add_article(call, body, tkt_itsm_subject(call, TITLE_MAX), c->text, c->is_public,
                c->author[0] == '\0' ? "agent" : "customer");
    if (c->author[0] != '\0') {
        cJSON_AddStringToObject(cJSON_GetObjectItemCaseSensitive(body, "Article"), "From",
                                c->author);
    }
    return tkt_itsm_json(call, "PATCH", ticket_route(call), body, err);
}

/* The body around a file's bytes: JSON up to the quote where they begin, and behind them. */
static enum tkt_itsm_next send_file(struct tkt_itsm_call *call, cJSON *body,
                                    const char *name, struct tkt_err *err)
{
    static const char mark[] = "\"Content\":\"";
    cJSON *file = cJSON_CreateObject();

    cJSON_AddStringToObject(file, "ContentType", call->file->type);
    cJSON_AddStringToObject(file, "Filename", name);
    cJSON_AddStringToObject(file, "Content", "");
    TKT_AUTO_FREE char *head = cJSON_PrintUnformatted(body);
    TKT_AUTO_FREE char *tail = cJSON_PrintUnformatted(file);
    cJSON_Delete(body);
    cJSON_Delete(file);
    size_t n = head == NULL ? 0 : strlen(head);
    size_t m = tail == NULL ? 0 : strlen(tail);
    if (n < 2 || m < sizeof(mark)) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return TKT_ITSM_FAILED;
    }
    /* tail ends in "Content":""}, whose last two bytes come behind the file. */
    const char *before = tkt_itsm_text(call, "%.*s,\"Attachment\":[%.*s", (int)(n - 1),
                                       head, (int)(m - 2), tail);
    enum tkt_itsm_next next =
        tkt_itsm_upload(call, "PATCH", ticket_route(call), "application/json", err);
    tkt_wipe(head, n); /* the password */
    call->request.file_head = before;
    call->request.file_tail = "\"}]}";
    call->request.file_base64 = true;
    if (before == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return TKT_ITSM_FAILED;
    }
    return next;
}

/* A file goes inside JSON, so in memory: one beyond the cap is named, not sent. */
static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step > 0) {
        return is_good(call, err) ? TKT_ITSM_DONE : TKT_ITSM_FAILED;
    }
    cJSON *body = new_body(call);
    const char *name = tkt_itsm_line(call, call->file->name, 200);
    name = name == NULL || *name == '\0' ? "attachment" : name;
    if (call->file->size > ATTACH_MAX) {
        const char *text =
            tkt_itsm_text(call, "%s (%lld bytes) is too large to send here.", name,
                          (long long)call->file->size);
        add_article(call, body, name, text == NULL ? "" : text, false, "agent");
        return tkt_itsm_json(call, "PATCH", ticket_route(call), body, err);
    }
    add_article(call, body, name, name, false, "agent");
    return send_file(call, body, name, err);
}

/* ---- state ---------------------------------------------------------------------------- */

static enum tkt_itsm_next put_state(struct tkt_itsm_call *call, const char *only,
                                    struct tkt_err *err)
{
    cJSON *body = new_body(call);
    cJSON *ticket = cJSON_AddObjectToObject(body, "Ticket");

    const char *state = tkt_itsm_state(call, states, call->ticket->state, "new");
    bool with_state = only == NULL && tkt_itsm_tells(call, TKT_ITSM_STATE);

    if (only != NULL || with_state) {
        cJSON_AddStringToObject(ticket, "State", only != NULL ? only : state);
    }
    if (only == NULL && tkt_itsm_tells(call, TKT_ITSM_GROUP)) {
        cJSON_AddStringToObject(ticket, "Queue", tkt_itsm_place(call));
    }
    if (only == NULL && tkt_itsm_tells(call, TKT_ITSM_PRIORITY)) {
        cJSON_AddStringToObject(ticket, "Priority", tkt_itsm_priority(call, priorities));
    }
    if (only == NULL && tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE)) {
        add_owner(call, ticket);
    }
    if (tkt_itsm_is_mute(call, body, ticket)) {
        return TKT_ITSM_DONE;
    }
    if (with_state && strncmp(state, "pending", 7) == 0) {
        /* Znuny wants to know when to ask again. */
        cJSON_AddNumberToObject(cJSON_AddObjectToObject(ticket, "PendingTime"), "Diff",
                                24 * 60);
    }
    enum tkt_itsm_next next = tkt_itsm_json(call, "PATCH", ticket_route(call), body, err);
    call->request.repeatable = true;
    return next;
}

static enum tkt_itsm_next take_state(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *ticket = ticket_in(call);
    struct tkt_itsm_seen *s = &call->seen;

    if (take_ids(call, ticket, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    s->state = tkt_itsm_str(call, ticket, "State");
    s->group = tkt_itsm_str(call, ticket, "Queue");
    s->assignee = tkt_itsm_str(call, ticket, "Owner");
    s->priority = tkt_itsm_str(call, ticket, "Priority");
    s->changed = tkt_itsm_str(call, ticket, "Changed");
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return put_state(call, NULL, err);
    }
    if (!is_good(call, err)) {
        return TKT_ITSM_FAILED;
    }
    return call->step == 1 ? get_ticket(call, call->ticket->external, false, err)
                           : take_state(call, err);
}

static enum tkt_itsm_next close_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return put_state(call, tkt_itsm_state(call, states, "closed", "new"), err);
    }
    return is_good(call, err) ? TKT_ITSM_DONE : TKT_ITSM_FAILED;
}

static void take_article(struct tkt_itsm_call *call, const cJSON *article)
{
    struct tkt_itsm_seen *s = &call->seen;
    const char *visible = tkt_itsm_str(call, article, "IsVisibleForCustomer");
    const cJSON *file;

    const char *by = tkt_itsm_str(call, article, "CreateBy");
    const char *us = tkt_itsm_str(call, ticket_in(call), "CreateBy");

    if (s->note_count < NOTES_MAX) {
        s->notes[s->note_count++] = (struct tkt_itsm_note){
            .id = tkt_itsm_str(call, article, "ArticleID"),
            .author = tkt_itsm_str(call, article, "From"),
            .text = tkt_itsm_str(call, article, "Body"),
            .at = tkt_itsm_str(call, article, "CreateTime"),
            .is_public = visible != NULL && strcmp(visible, "1") == 0,
            .is_ours = by != NULL && us != NULL && *us != '\0' && strcmp(by, us) == 0};
    }
    cJSON_ArrayForEach(file, tkt_json_at(article, "Attachment"))
    {
        tkt_itsm_saw_file(call, tkt_itsm_str(call, file, "Filename"),
                          tkt_json_at(file, "FilesizeRaw"),
                          tkt_itsm_str(call, article, "CreateTime"));
    }
}

static enum tkt_itsm_next fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *article;

    if (call->step == 0) {
        return get_ticket(call, call->ticket->external, true, err);
    }
    s->notes = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*s->notes));
    if (s->notes == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return TKT_ITSM_FAILED;
    }
    if (!is_good(call, err) || take_state(call, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    cJSON_ArrayForEach(article, tkt_json_at(ticket_in(call), "Article"))
    {
        take_article(call, article);
    }
    return TKT_ITSM_DONE;
}

/* ---- check ---------------------------------------------------------------------------- */

/* Who we are and that it may be searched; the interface has no list of queues to look at. */
static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return search(call, err);
    }
    if (!is_good(call, err)) {
        return TKT_ITSM_FAILED;
    }
    if (!cJSON_IsObject(call->answer->json)) {
        return tkt_itsm_odd(call, err, "object");
    }
    if (take_hits(call) != NULL && take_hits(call)->count == HITS_MAX) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "a search for a key that is nowhere finds tickets: is there a "
                    "dynamic field %s for tickets?",
                    key_field(call));
        return TKT_ITSM_FAILED;
    }
    call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
        call, "%s may search\nqueues are proved by making a ticket",
        call->site->conf->user);
    return TKT_ITSM_DONE;
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    if (conf->user[0] == '\0' || conf->secret[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "no user or no secret; an agent's log-in name and password");
    }
    if (tkt_itsm_need_project(conf, "name the queue for new tickets", err) < 0) {
        return -1;
    }
    if (conf->requester == TKT_CONF_REQUESTER_CREATE) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "requester: this type makes no customers; it takes any "
                           "address, so write lookup");
    }
    return 0;
}

const struct tkt_itsm_ops tkt_itsm_znuny = {
    .type = "znuny",
    .title = "Znuny, OTOBO, OTRS (GenericInterface)",
    .auth = TKT_ITSM_AUTH_OWN,
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
