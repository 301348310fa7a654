/* SPDX-License-Identifier: BSD-2-Clause
 * Zendesk Support, API v2.
 *
 * The correlation key is the ticket's external_id, which GET /tickets.json finds exactly and
 * without an index, and the Idempotency-Key of its create, which Zendesk keeps for two
 * hours. Within them the same bytes make no second ticket; other bytes are refused, and
 * then the first ticket is looked up. Groups are ids.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/back.h"
#include "itsm/backends.h"
#include "itsm/build.h"

#include <stdlib.h>
#include <string.h>

#define SUBJECT_MAX 150
#define TEXT_MAX 65000 /* bytes; Zendesk refuses more than 64 KiB */
#define NOTES_MAX 100  /* a page */

static const char *const options[] = {"assignee", "tag", NULL};

static const struct tkt_itsm_word states[] = {
    {"new", "new"},          {"open", "open"},     {"pending", "pending"},
    {"resolved", "solved"},  {"closed", "solved"}, {"refused", "solved"},
    {"withdrawn", "solved"}, {"merged", "solved"}, {NULL, NULL}};
static const char *const priorities[6] = {NULL, "urgent", "high", "normal", "low", "low"};

/* An id of Zendesk, or 0. */
static double id_in(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n > 0 && n < 16 && text[n] == '\0' ? strtod(text, NULL) : 0;
}

static double group_of(const struct tkt_itsm_call *call)
{
    return id_in(tkt_itsm_place(call));
}

static const char *ticket_url(struct tkt_itsm_call *call, const char *below)
{
    const char *id = tkt_itsm_escape(call, call->ticket->external);

    return id == NULL ? NULL : tkt_itsm_url(call, "/api/v2/tickets/%s%s", id, below);
}

/* "error" is a word or an object. */
static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    const cJSON *error = tkt_json_at(a->json, "error");
    const char *word =
        cJSON_GetStringValue(cJSON_IsObject(error) ? tkt_json_at(error, "title") : error);
    const char *said =
        cJSON_GetStringValue(cJSON_IsObject(error) ? tkt_json_at(error, "message")
                                                   : tkt_json_at(a->json, "description"));
    const cJSON *details = tkt_json_at(a->json, "details");
    const cJSON *first = cJSON_IsObject(details) ? details->child : NULL;
    const char *detail = cJSON_GetStringValue(tkt_json_at(first, "0.description"));
    int retry_after_s = err->retry_after_s;

    tkt_err_set(err, err->class, "Zendesk says %d %.60s \"%.200s\"%s%.100s", a->status,
                word == NULL ? "" : word, said == NULL ? "" : said,
                detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
    err->retry_after_s = retry_after_s;
}

/* ---- people --------------------------------------------------------------------------- */

static enum tkt_itsm_next look_up_requester(struct tkt_itsm_call *call,
                                            struct tkt_err *err)
{
    const char *who = tkt_itsm_text(call, "email:%s", call->ticket->requester);
    const char *query = who == NULL ? NULL : tkt_itsm_escape(call, who);

    return tkt_itsm_get(
        call,
        query == NULL ? NULL
                      : tkt_itsm_url(call, "/api/v2/users/search.json?query=%s", query),
        err);
}

/* Their id, or 0: the search also brings addresses that merely look alike. */
static double requester_in(const struct tkt_itsm_call *call)
{
    const cJSON *user;

    cJSON_ArrayForEach(user, tkt_json_at(call->answer->json, "users"))
    {
        const char *email = cJSON_GetStringValue(tkt_json_at(user, "email"));
        const cJSON *id = tkt_json_at(user, "id");

        if (email != NULL && cJSON_IsNumber(id) &&
            tkt_ascii_ieq(email, call->ticket->requester)) {
            return id->valuedouble;
        }
    }
    return 0;
}

/* ---- create --------------------------------------------------------------------------- */

struct making {
    cJSON *ticket, *custom;
};

/* A number is one of its custom fields, a name a member of the ticket. */
static int add_field(void *arg, const char *name, const char *value)
{
    struct making *m = arg;

    if (id_in(name) == 0) {
        return cJSON_AddStringToObject(m->ticket, name, value) == NULL ? -1 : 0;
    }
    if (m->custom == NULL) {
        m->custom = cJSON_AddArrayToObject(m->ticket, "custom_fields");
    }
    cJSON *field = cJSON_CreateObject();
    if (cJSON_AddNumberToObject(field, "id", id_in(name)) == NULL ||
        cJSON_AddStringToObject(field, "value", value) == NULL ||
        !cJSON_AddItemToArray(m->custom, field)) {
        cJSON_Delete(field);
        return -1;
    }
    return 0;
}

static void add_requester(struct tkt_itsm_call *call, cJSON *ticket, double requester)
{
    const struct tkt_itsm_ticket *t = call->ticket;

    if (requester > 0) {
        cJSON_AddNumberToObject(ticket, "requester_id", requester);
    } else if (t->requester[0] != '\0' &&
               call->site->conf->requester == TKT_CONF_REQUESTER_CREATE) {
        cJSON *who = cJSON_AddObjectToObject(ticket, "requester");
        /* Zendesk makes nobody without a name. */
        cJSON_AddStringToObject(
            who, "name",
            tkt_itsm_line(call, t->requester_name[0] ? t->requester_name : t->requester,
                          100));
        cJSON_AddStringToObject(who, "email", t->requester);
    }
}

/* Placeholders in what an agent writes are filled in there, with notes that no customer may
 * see among them; we write as an agent. */
static const char *plain(struct tkt_itsm_call *call, const char *text)
{
    static const char *const orders[] = {"{{", "{%", NULL};

    return tkt_itsm_break(call, text, orders);
}

static const char *text_with_sender(struct tkt_itsm_call *call, double requester)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    bool told = requester > 0 || t->requester[0] == '\0' ||
                call->site->conf->requester == TKT_CONF_REQUESTER_CREATE;
    const char *text = told ? t->text : tkt_itsm_sent_by(call);

    return text == NULL ? NULL : tkt_itsm_body(call, text[0] ? text : "-", TEXT_MAX);
}

static void add_state(struct tkt_itsm_call *call, cJSON *ticket)
{
    const char *priority = tkt_itsm_priority(call, priorities);
    const char *status = tkt_itsm_state(call, states, call->ticket->state, NULL);

    if (priority != NULL && tkt_itsm_tells(call, TKT_ITSM_PRIORITY)) {
        cJSON_AddStringToObject(ticket, "priority", priority);
    }
    if (status != NULL && tkt_itsm_tells(call, TKT_ITSM_STATE)) {
        cJSON_AddStringToObject(ticket, "status", status);
    }
    if (group_of(call) > 0 && tkt_itsm_tells(call, TKT_ITSM_GROUP)) {
        cJSON_AddNumberToObject(ticket, "group_id", group_of(call));
    }
    if (call->ticket->assignee[0] != '\0' && tkt_itsm_wants(call, "assignee") &&
        tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE)) {
        cJSON_AddStringToObject(ticket, "assignee_email", call->ticket->assignee);
    }
}

static enum tkt_itsm_next post_ticket(struct tkt_itsm_call *call, double requester,
                                      struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *body = cJSON_CreateObject();
    struct making m = {.ticket = cJSON_AddObjectToObject(body, "ticket")};
    const char *type = tkt_itsm_map(&call->site->conf->types, t->type, NULL);
    const char *tag = tkt_itsm_option(call, "tag", "");
    const char *key = tkt_itsm_text(call, "Idempotency-Key: %s", t->corr);

    cJSON_AddStringToObject(m.ticket, "subject", tkt_itsm_subject(call, SUBJECT_MAX));
    cJSON *comment = cJSON_AddObjectToObject(m.ticket, "comment");
    cJSON_AddStringToObject(comment, "body",
                            plain(call, text_with_sender(call, requester)));
    cJSON_AddBoolToObject(comment, "public", true);
    cJSON_AddStringToObject(m.ticket, "external_id", t->corr);
    add_requester(call, m.ticket, requester);
    add_state(call, m.ticket);
    if (type != NULL) {
        cJSON_AddStringToObject(m.ticket, "type", type);
    }
    if (*tag != '\0') {
        cJSON *tags = cJSON_AddArrayToObject(m.ticket, "tags");
        cJSON_AddItemToArray(tags, cJSON_CreateString(tag));
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    if (m.ticket == NULL || tkt_itsm_fields(call, add_field, &m, err) < 0) {
        cJSON_Delete(body);
        return TKT_ITSM_FAILED;
    }
    enum tkt_itsm_next next = tkt_itsm_json(
        call, "POST", tkt_itsm_url(call, "/api/v2/tickets.json"), body, err);
    tkt_itsm_header(call, key);
    call->request.also[0] = 400;
    call->request.also[1] = 409;
    return next;
}

static enum tkt_itsm_next take_ticket(struct tkt_itsm_call *call, const cJSON *ticket,
                                      struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    char *id = tkt_itsm_str(call, ticket, "id");

    if (id == NULL || id_in(id) == 0) {
        return tkt_itsm_odd(call, err, "ticket.id");
    }
    s->external = id;
    s->number = id;
    s->url = (char *)(uintptr_t)tkt_itsm_url(call, "/agent/tickets/%s", id);
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next ask_for_key(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *key = tkt_itsm_escape(call, call->ticket->corr);

    return tkt_itsm_get(
        call,
        key == NULL ? NULL
                    : tkt_itsm_url(call, "/api/v2/tickets.json?external_id=%s", key),
        err);
}

static enum tkt_itsm_next take_found(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *tickets = tkt_json_at(call->answer->json, "tickets");
    const cJSON *ticket;

    if (!cJSON_IsArray(tickets)) {
        return tkt_itsm_odd(call, err, "tickets");
    }
    cJSON_ArrayForEach(ticket, tickets)
    {
        const char *key = cJSON_GetStringValue(tkt_json_at(ticket, "external_id"));

        if (key != NULL && strcmp(key, call->ticket->corr) == 0) {
            return take_ticket(call, ticket, err);
        }
    }
    return TKT_ITSM_DONE;
}

/* 400 and 409 of a create. */
static enum tkt_itsm_next judge_refusal(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *word = cJSON_GetStringValue(tkt_json_at(call->answer->json, "error"));

    if (word != NULL && strcmp(word, "IdempotentRequestError") == 0) {
        call->stage = 2; /* it was made by other bytes of the same ticket */
        return ask_for_key(call, err);
    }
    *err = (struct tkt_err){.class = call->answer->status == 409 ? TKT_ERR_TEMP
                                                                 : TKT_ERR_PERM};
    refusal(call->answer, err);
    return TKT_ITSM_FAILED;
}

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    bool look = call->ticket->requester[0] != '\0' &&
                call->site->conf->requester == TKT_CONF_REQUESTER_LOOKUP;

    if (call->step == 0 && look) {
        return look_up_requester(call, err);
    }
    if (call->stage == 0) {
        double requester = call->step == 0 ? 0 : requester_in(call);
        call->stage = 1;
        return post_ticket(call, requester, err);
    }
    if (call->stage == 1) {
        return call->answer->status >= 400
                   ? judge_refusal(call, err)
                   : take_ticket(call, tkt_json_at(call->answer->json, "ticket"), err);
    }
    if (take_found(call, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    if (call->seen.external == NULL) {
        tkt_err_set(err, TKT_ERR_PERM,
                    "Zendesk has the Idempotency-Key of another request, and no ticket "
                    "with the external_id %s",
                    call->ticket->corr);
        return TKT_ITSM_FAILED;
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step == 0 ? ask_for_key(call, err) : take_found(call, err);
}

/* ---- comments and files --------------------------------------------------------------- */

static enum tkt_itsm_next put_comment(struct tkt_itsm_call *call, const char *text,
                                      bool is_public, const char *upload,
                                      struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *comment =
        cJSON_AddObjectToObject(cJSON_AddObjectToObject(body, "ticket"), "comment");

    cJSON_AddStringToObject(comment, "body", plain(call, text));
    cJSON_AddBoolToObject(comment, "public", is_public);
    if (upload != NULL) {
        cJSON_AddItemToArray(cJSON_AddArrayToObject(comment, "uploads"),
                             cJSON_CreateString(upload));
    }
    return tkt_itsm_json(call, "PUT", ticket_url(call, ".json"), body, err);
}

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_comment *c = call->comment;

    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    const char *text = tkt_itsm_said(call);
    return put_comment(call, text == NULL ? NULL : tkt_itsm_body(call, text, TEXT_MAX),
                       c->is_public, NULL, err);
}

/* The bytes first, for a token that lasts an hour; a note then takes them. */
static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *name = tkt_itsm_line(call, call->file->name, 200);

    if (call->step == 0) {
        const char *escaped = name == NULL ? NULL : tkt_itsm_escape(call, name);
        return tkt_itsm_upload(
            call, "POST",
            escaped == NULL
                ? NULL
                : tkt_itsm_url(call, "/api/v2/uploads.json?filename=%s", escaped),
            call->file->type, err);
    }
    if (call->step == 1) {
        const char *token = tkt_itsm_str(call, call->answer->json, "upload.token");
        return token == NULL || *token == '\0'
                   ? tkt_itsm_odd(call, err, "upload.token")
                   : put_comment(call, name, false, token, err);
    }
    return TKT_ITSM_DONE;
}

/* ---- state ---------------------------------------------------------------------------- */

static enum tkt_itsm_next take_state(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *ticket = tkt_json_at(call->answer->json, "ticket");
    struct tkt_itsm_seen *s = &call->seen;

    if (take_ticket(call, ticket, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    s->state = tkt_itsm_str(call, ticket, "status");
    s->group = tkt_itsm_str(call, ticket, "group_id");
    s->assignee = tkt_itsm_str(call, ticket, "assignee_id");
    s->priority = tkt_itsm_str(call, ticket, "priority");
    s->changed = tkt_itsm_str(call, ticket, "updated_at");
    s->me = tkt_itsm_str(call, ticket, "submitter_id");
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next put_state(struct tkt_itsm_call *call, const char *status,
                                    struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *ticket = cJSON_AddObjectToObject(body, "ticket");

    if (status != NULL) {
        cJSON_AddStringToObject(ticket, "status", status);
    } else {
        add_state(call, ticket);
    }
    if (tkt_itsm_is_mute(call, body, ticket)) {
        return TKT_ITSM_DONE;
    }
    enum tkt_itsm_next next =
        tkt_itsm_json(call, "PUT", ticket_url(call, ".json"), body, err);
    call->request.repeatable = true;
    return next;
}

static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step == 0 ? put_state(call, NULL, err) : take_state(call, err);
}

static enum tkt_itsm_next close_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step == 0
               ? put_state(call, tkt_itsm_state(call, states, "closed", NULL), err)
               : TKT_ITSM_DONE;
}

static enum tkt_itsm_next take_notes(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *comments = tkt_json_at(call->answer->json, "comments");
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *c, *a;

    s->notes = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*s->notes));
    if (s->notes == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return TKT_ITSM_FAILED;
    }
    bool has_all = cJSON_GetArraySize(comments) < NOTES_MAX;
    cJSON_ArrayForEach(c, comments)
    {
        if (s->note_count < NOTES_MAX) {
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_itsm_str(call, c, "id"),
                .author = tkt_itsm_str(call, c, "author_id"),
                .text = tkt_itsm_str(
                    call, c, tkt_json_at(c, "plain_body") ? "plain_body" : "body"),
                .at = tkt_itsm_str(call, c, "created_at"),
                .is_public = cJSON_IsTrue(tkt_json_at(c, "public")),
                .is_ours = has_all && c->next == NULL}; /* the text of the ticket */
        }
        cJSON_ArrayForEach(a, tkt_json_at(c, "attachments"))
        {
            tkt_itsm_saw_file(call, tkt_itsm_str(call, a, "file_name"),
                              tkt_json_at(a, "size"),
                              tkt_itsm_str(call, c, "created_at"));
        }
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    switch (call->step) {
    case 0:
        return tkt_itsm_get(call, ticket_url(call, ".json"), err);
    case 1:
        return take_state(call, err) != TKT_ITSM_DONE
                   ? TKT_ITSM_FAILED
                   : tkt_itsm_get(
                         call,
                         ticket_url(call, "/comments.json?sort_order=desc&per_page=100"),
                         err);
    default:
        return take_notes(call, err);
    }
}

/* ---- list ------------------------------------------------------------------------------ */

#define LIST_PAGE 100
#define LIST_PAGES 8 /* ten requests a minute may be made */

/* Those whose key is one of ours; the export brings all. */
static int take_changed(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *ticket;

    cJSON_ArrayForEach(ticket, tkt_json_at(call->answer->json, "tickets"))
    {
        const char *ours = cJSON_GetStringValue(tkt_json_at(ticket, "external_id"));
        const cJSON *made = tkt_json_at(ticket, "generated_timestamp");
        int64_t at = cJSON_IsNumber(made) && made->valuedouble > 0
                         ? (int64_t)made->valuedouble * 1000
                         : tkt_itsm_time(tkt_itsm_str(call, ticket, "updated_at"));

        /* How far it went counts by all of them. */
        tkt_itsm_went(call, at);
        if (ours != NULL && strncmp(ours, "mt-", 3) == 0 &&
            tkt_itsm_changed(call, tkt_itsm_str(call, ticket, "id"), at, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static enum tkt_itsm_next list(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return tkt_itsm_get(call,
                            tkt_itsm_url(call,
                                         "/api/v2/incremental/tickets/cursor.json"
                                         "?start_time=%lld&per_page=%d",
                                         (long long)(call->since_ms / 1000), LIST_PAGE),
                            err);
    }
    const cJSON *json = call->answer->json;
    if (!cJSON_IsArray(tkt_json_at(json, "tickets"))) {
        return tkt_itsm_odd(call, err, "tickets");
    }
    if (take_changed(call, err) < 0) {
        return TKT_ITSM_FAILED;
    }
    const char *cursor = cJSON_GetStringValue(tkt_json_at(json, "after_cursor"));
    if (cursor == NULL || !cJSON_IsFalse(tkt_json_at(json, "end_of_stream")) ||
        tkt_itsm_list_is_full(call, LIST_PAGE)) {
        return TKT_ITSM_DONE;
    }
    if (call->step >= LIST_PAGES) {
        call->seen.is_cut = true;
        return TKT_ITSM_DONE;
    }
    const char *escaped = tkt_itsm_escape(call, cursor);
    return tkt_itsm_get(call,
                        escaped == NULL
                            ? NULL
                            : tkt_itsm_url(call,
                                           "/api/v2/incremental/tickets/cursor.json"
                                           "?cursor=%s&per_page=%d",
                                           escaped, LIST_PAGE),
                        err);
}

/* ---- check ---------------------------------------------------------------------------- */

static const char *group_named(const struct tkt_conf_itsm *conf, size_t n)
{
    if (n < conf->groups.count) {
        return strchr(conf->groups.items[n], '=') + 1;
    }
    return n == conf->groups.count && conf->project[0] != '\0' ? conf->project : NULL;
}

static enum tkt_itsm_next ask_for_group(struct tkt_itsm_call *call, size_t n,
                                        struct tkt_err *err)
{
    const char *group = group_named(call->site->conf, n);

    if (group == NULL) {
        return TKT_ITSM_DONE;
    }
    const char *id = tkt_itsm_escape(call, group);
    enum tkt_itsm_next next = tkt_itsm_get(
        call, id == NULL ? NULL : tkt_itsm_url(call, "/api/v2/groups/%s.json", id), err);
    call->request.also[0] = 404;
    call->request.also[1] = 400;
    return next;
}

/* Zendesk takes a wrong password for nobody, and answers nobody too. */
static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *json = call->step == 0 ? NULL : call->answer->json;

    if (call->step == 0) {
        return tkt_itsm_get(call, tkt_itsm_url(call, "/api/v2/users/me.json"), err);
    }
    if (call->step == 1) {
        const char *role = tkt_itsm_str(call, json, "user.role");
        if (role == NULL || (strcmp(role, "agent") != 0 && strcmp(role, "admin") != 0)) {
            call->unauthorized = true;
            tkt_err_set(err, TKT_ERR_CONF,
                        "Zendesk takes us for \"%s\", not for an agent: is user right "
                        "(\"address/token\"), is token access on?",
                        role == NULL || *role == '\0' ? "nobody" : role);
            return TKT_ITSM_FAILED;
        }
        call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
            call, "%s %s", role, tkt_itsm_str(call, json, "user.email"));
    } else if (call->answer->status != 200) {
        tkt_err_set(err, TKT_ERR_CONF, "there is no group %s",
                    group_named(call->site->conf, (size_t)call->step - 2));
        return TKT_ITSM_FAILED;
    } else {
        call->seen.told =
            (char *)(uintptr_t)tkt_itsm_text(call, "%s\ngroup %s", call->seen.told,
                                             tkt_itsm_str(call, json, "group.name"));
    }
    return ask_for_group(call, (size_t)call->step - 1, err);
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    size_t n = strlen(conf->user);

    if (tkt_itsm_need_secret(conf, "token", err) < 0) {
        return -1;
    }
    if ((conf->auth == TKT_CONF_AUTH_DEFAULT || conf->auth == TKT_CONF_AUTH_BASIC) &&
        (n < 7 || strcmp(conf->user + n - 6, "/token") != 0)) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "user: write \"agent@example.org/token\" for an API token, or "
                           "auth = bearer for an OAuth token");
    }
    for (size_t i = 0; group_named(conf, i) != NULL; i++) {
        if (id_in(group_named(conf, i)) == 0) {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "groups, project: \"%s\" is no id of a group",
                               group_named(conf, i));
        }
    }
    return 0;
}

const struct tkt_itsm_ops tkt_itsm_zendesk = {
    .type = "zendesk",
    .title = "Zendesk Support (API v2)",
    .auth = TKT_ITSM_AUTH_BASIC,
    .options = options,
    .search_is_proof = true,
    .list_ascends = true,
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
              [TKT_ITSM_CLOSE] = close_ticket,
              [TKT_ITSM_LIST] = list},
};
