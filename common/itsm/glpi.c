/* SPDX-License-Identifier: BSD-2-Clause
 * GLPI by its REST API (apirest.php).
 *
 * Each operation opens a session of its own and closes it in the end. A request that is
 * answered 401 because the session ended is made once more in a new one. What the work of
 * an operation asks for is made by number, from what earlier answers left in struct work,
 * so that it can be made again. Updates are answered 200 with a truth for each item.
 * The correlation key is the ticket's externalid, or stands in its text. Groups are ids.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/back.h"
#include "itsm/backends.h"
#include "itsm/build.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_POINTS 250
#define TEXT_MAX                                                                         \
    65000 /* bytes before they are escaped; the column holds 64 KiB and more */
#define NOTES_MAX 40
#define FILES_MAX 100

static const char *const options[] = {"correlation", "search_field", "assignee", NULL};

struct work {
    const char *session;
    bool renewed;
    bool ready;    /* the session is there */
    bool finished; /* only the session is left to be closed */
    int at;        /* how many answers the work has had */
    /* What answers left: */
    const char *email_field, *key_field; /* numbers of search options */
    const char *person;                  /* id of the requester, "" none */
    const char *id;                      /* of what was made, or found */
    bool is_tied;                        /* ... to the ticket */
};

static const struct tkt_itsm_word states[] = {
    {"new", "1"},       {"open", "2"},   {"pending", "4"},
    {"resolved", "5"},  {"closed", "6"}, {"refused", "6"},
    {"withdrawn", "6"}, {"merged", "6"}, {NULL, NULL}};

/* Ours count from the most urgent down, GLPI's from 1, very low, up. */
static int level_of(int ours)
{
    return ours >= 1 && ours <= 5 ? 6 - ours : 3;
}

static int priority_of(struct tkt_itsm_call *call)
{
    const char *theirs = tkt_itsm_priority(call, NULL);

    return theirs == NULL ? level_of(call->ticket->priority) : atoi(theirs);
}

static int group_of(const struct tkt_itsm_call *call)
{
    return atoi(tkt_itsm_place(call));
}

static bool key_in_text(const struct tkt_itsm_call *call)
{
    return strcmp(tkt_itsm_option(call, "correlation", "externalid"), "content") == 0;
}

static const char *api(struct tkt_itsm_call *call, const char *below)
{
    return tkt_itsm_url(call, "/apirest.php/%s", below);
}

static const char *item(struct tkt_itsm_call *call, const char *below)
{
    const char *id = tkt_itsm_escape(call, call->ticket->external);

    return id == NULL ? NULL : tkt_itsm_url(call, "/apirest.php/Ticket/%s%s", id, below);
}

/* ---- errors --------------------------------------------------------------------------- */

/* ["ERROR_CODE", "text"] */
static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    const char *code = cJSON_GetStringValue(tkt_json_at(a->json, "0"));
    const char *said = cJSON_GetStringValue(tkt_json_at(a->json, "1"));

    tkt_err_set(err, err->class, "GLPI says %d %.60s \"%.300s\"", a->status,
                code == NULL ? "" : code, said == NULL ? "" : said);
}

/* [{"15":true,"message":""}], or the object alone. */
static int took_it(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *json = call->answer->json;
    const cJSON *one = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, 0) : json;
    const cJSON *truth = cJSON_GetObjectItemCaseSensitive(one, call->ticket->external);
    const char *said = tkt_itsm_str(call, one, "message");

    if (cJSON_IsTrue(truth)) {
        return 0;
    }
    if (!cJSON_IsFalse(truth)) {
        (void)tkt_itsm_odd(call, err, "word on the ticket"); /* err is what counts */
        return -1;
    }
    return tkt_err_set(err, TKT_ERR_PERM, "GLPI did not take it: \"%.300s\"",
                       said == NULL ? "" : said);
}

/* ---- HTML ----------------------------------------------------------------------------- */

/* GLPI keeps texts as HTML. */
static const char *as_html(struct tkt_itsm_call *call, const char *text)
{
    return tkt_itsm_html(call, tkt_itsm_body(call, text, TEXT_MAX));
}

/* ---- sessions ------------------------------------------------------------------------- */

/* The secret: the user's token, and behind a blank the application's if there is one. */
static void add_app_token(struct tkt_itsm_call *call)
{
    const char *secret = call->site->secret;
    const char *app = secret + strcspn(secret, " \t\r\n");

    app += strspn(app, " \t\r\n");
    size_t n = strcspn(app, " \t\r\n");
    if (n > 0) {
        tkt_itsm_header(call, tkt_itsm_text(call, "App-Token: %.*s", (int)n, app));
    }
}

static enum tkt_itsm_next open_session(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *secret = call->site->secret;
    enum tkt_itsm_next next = tkt_itsm_get(call, api(call, "initSession"), err);

    if (call->site->conf->auth == TKT_CONF_AUTH_DEFAULT) {
        tkt_itsm_header(call, tkt_itsm_text(call, "Authorization: user_token %.*s",
                                            (int)strcspn(secret, " \t\r\n"), secret));
    }
    add_app_token(call);
    return next;
}

static enum tkt_itsm_next close_session(struct tkt_itsm_call *call, struct work *w,
                                        struct tkt_err *err)
{
    enum tkt_itsm_next next = tkt_itsm_get(call, api(call, "killSession"), err);

    w->finished = true;
    tkt_itsm_header(call, tkt_itsm_text(call, "Session-Token: %s", w->session));
    add_app_token(call);
    call->request.farewell = true;
    return next;
}

/* The work of an operation. take: what the answer to request number w->at is; make: request
 * number w->at, or DONE. */
struct job {
    int (*take)(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err);
    enum tkt_itsm_next (*make)(struct tkt_itsm_call *call, struct work *w,
                               struct tkt_err *err);
};

static enum tkt_itsm_next make_next(struct tkt_itsm_call *call, struct work *w,
                                    const struct job *job, struct tkt_err *err)
{
    enum tkt_itsm_next next = job->make(call, w, err);

    if (next == TKT_ITSM_DONE) {
        return close_session(call, w, err);
    }
    if (next == TKT_ITSM_SEND) {
        tkt_itsm_header(call, tkt_itsm_text(call, "Session-Token: %s", w->session));
        add_app_token(call);
        if (!w->renewed) {
            call->request.also[3] = 401;
        }
    }
    return next;
}

static enum tkt_itsm_next step(struct tkt_itsm_call *call, const struct job *job,
                               struct tkt_err *err)
{
    struct work *w = call->state;

    if (call->step == 0) {
        call->state = tkt_wire_arena_alloc(&call->arena, sizeof(*w));
        if (call->state == NULL) {
            tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
            return TKT_ITSM_FAILED;
        }
        memset(call->state, 0, sizeof(*w));
        return open_session(call, err);
    }
    if (w->finished) {
        return TKT_ITSM_DONE;
    }
    if (!w->ready) {
        w->session = tkt_itsm_str(call, call->answer->json, "session_token");
        if (w->session == NULL || *w->session == '\0' ||
            strpbrk(w->session, "\r\n") != NULL) {
            return tkt_itsm_odd(call, err, "session_token");
        }
        w->ready = true;
        return make_next(call, w, job, err);
    }
    if (call->answer->status == 401) {
        w->renewed = true;
        w->ready = false;
        return open_session(call, err);
    }
    if (job->take(call, w, err) < 0) {
        return TKT_ITSM_FAILED;
    }
    w->at++;
    return make_next(call, w, job, err);
}

/* ---- search --------------------------------------------------------------------------- */

/* The number of the search option of a column: {"7":{"table","field",...}}. */
static const char *option_of(struct tkt_itsm_call *call, const char *table,
                             const char *field)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, call->answer->json)
    {
        const char *t = cJSON_GetStringValue(tkt_json_at(o, "table"));
        const char *f = cJSON_GetStringValue(tkt_json_at(o, "field"));

        if (o->string != NULL && t != NULL && f != NULL && strcmp(t, table) == 0 &&
            strcmp(f, field) == 0 &&
            strspn(o->string, "0123456789") == strlen(o->string)) {
            return tkt_itsm_keep(call, o->string);
        }
    }
    return "";
}

static enum tkt_itsm_next search(struct tkt_itsm_call *call, const char *type,
                                 const char *field, const char *value,
                                 struct tkt_err *err)
{
    const char *escaped = tkt_itsm_escape(call, value);

    return tkt_itsm_get(
        call,
        escaped == NULL
            ? NULL
            : tkt_itsm_url(call,
                           "/apirest.php/search/%s?criteria%%5B0%%5D%%5Bfield%%5D=%s"
                           "&criteria%%5B0%%5D%%5Bsearchtype%%5D=contains"
                           "&criteria%%5B0%%5D%%5Bvalue%%5D=%s"
                           "&forcedisplay%%5B0%%5D=2&forcedisplay%%5B1%%5D=%s&range=0-9",
                           type, field, escaped, field),
        err);
}

/* Whether a cell of a search, one value or a list of them, is or holds what was asked. */
static bool cell_has(const cJSON *cell, const char *want, bool within)
{
    const cJSON *one;

    if (cJSON_IsString(cell)) {
        return within ? strstr(cell->valuestring, want) != NULL
                      : tkt_ascii_ieq(cell->valuestring, want);
    }
    cJSON_ArrayForEach(one, cell)
    {
        if (cell_has(one, want, within)) {
            return true;
        }
    }
    return false;
}

/* The id of the first row that shows what was asked; "" when none does. */
static const char *row_with(struct tkt_itsm_call *call, const char *field,
                            const char *want, bool within)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, tkt_json_at(call->answer->json, "data"))
    {
        if (cell_has(cJSON_GetObjectItemCaseSensitive(row, field), want, within)) {
            return tkt_itsm_str(call, row, "2");
        }
    }
    return "";
}

/* ---- create --------------------------------------------------------------------------- */

static bool looks_up(const struct tkt_itsm_call *call)
{
    return call->ticket->requester[0] != '\0' &&
           call->site->conf->requester == TKT_CONF_REQUESTER_LOOKUP;
}

/* People that GLPI does not know are kept by their address alone. */
static void add_requester(const struct tkt_itsm_call *call, const struct work *w,
                          cJSON *input)
{
    const char *address = call->ticket->requester;

    if (w->person != NULL && *w->person != '\0') {
        cJSON_AddNumberToObject(input, "_users_id_requester", atoi(w->person));
    } else if (*address != '\0' &&
               call->site->conf->requester != TKT_CONF_REQUESTER_TEXT) {
        cJSON_AddNumberToObject(input, "_users_id_requester", 0);
        cJSON *notify = cJSON_AddObjectToObject(input, "_users_id_requester_notif");
        cJSON *use = cJSON_AddArrayToObject(notify, "use_notification");
        cJSON_AddItemToArray(use, cJSON_CreateNumber(1));
        cJSON *mail = cJSON_AddArrayToObject(notify, "alternative_email");
        cJSON_AddItemToArray(mail, cJSON_CreateString(address));
    }
}

static const char *text_of(struct tkt_itsm_call *call)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    bool told =
        t->requester[0] == '\0' || call->site->conf->requester != TKT_CONF_REQUESTER_TEXT;
    const char *from =
        told ? "" : tkt_itsm_text(call, "%s <%s>:\n", t->requester_name, t->requester);
    const char *key = key_in_text(call) ? tkt_itsm_text(call, "[%s]\n", t->corr) : "";
    const char *text = from == NULL || key == NULL
                           ? NULL
                           : tkt_itsm_text(call, "%s%s%s", key, from, t->text);

    return text == NULL ? NULL : as_html(call, text);
}

static void add_state(struct tkt_itsm_call *call, cJSON *input)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *assignee = tkt_itsm_map(&call->site->conf->options, "assignee", "no");

    bool with_priority = tkt_itsm_tells(call, TKT_ITSM_PRIORITY);

    if (with_priority) {
        cJSON_AddNumberToObject(input, "priority", priority_of(call));
    }
    if (tkt_itsm_tells(call, TKT_ITSM_STATE)) {
        cJSON_AddNumberToObject(input, "status",
                                atoi(tkt_itsm_state(call, states, t->state, "1")));
    }
    if (with_priority && t->urgency > 0) {
        cJSON_AddNumberToObject(input, "urgency", level_of(t->urgency));
    }
    if (with_priority && t->impact > 0) {
        cJSON_AddNumberToObject(input, "impact", level_of(t->impact));
    }
    if (group_of(call) > 0 && tkt_itsm_tells(call, TKT_ITSM_GROUP)) {
        cJSON_AddNumberToObject(input, "_groups_id_assign", group_of(call));
    }
    if (strcmp(assignee, "yes") == 0 && atoi(t->assignee) > 0 &&
        tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE)) {
        cJSON_AddNumberToObject(input, "_users_id_assign", atoi(t->assignee));
    }
}

static enum tkt_itsm_next post_ticket(struct tkt_itsm_call *call, const struct work *w,
                                      struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *body = cJSON_CreateObject();
    cJSON *input = cJSON_AddObjectToObject(body, "input");
    const char *name = tkt_itsm_line(call, t->subject, NAME_MAX_POINTS);
    const char *type = tkt_itsm_map(&call->site->conf->types, t->type,
                                    strcmp(t->type, "request") == 0 ? "2" : "1");

    cJSON_AddStringToObject(input, "name", name == NULL || *name == '\0' ? t->id : name);
    cJSON_AddStringToObject(input, "content", text_of(call));
    cJSON_AddNumberToObject(input, "type", atoi(type));
    if (!key_in_text(call)) {
        cJSON_AddStringToObject(input, "externalid", t->corr);
    }
    add_requester(call, w, input);
    add_state(call, input);
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    if (input == NULL || tkt_itsm_fields(call, tkt_itsm_add_member, input, err) < 0) {
        cJSON_Delete(body);
        return TKT_ITSM_FAILED;
    }
    return tkt_itsm_json(call, "POST", api(call, "Ticket"), body, err);
}

static int take_id(struct tkt_itsm_call *call, const char *id, struct tkt_err *err)
{
    if (id == NULL || atoi(id) <= 0) {
        (void)tkt_itsm_odd(call, err, "id"); /* err is what counts */
        return -1;
    }
    call->seen.external = tkt_itsm_keep(call, id);
    call->seen.number = tkt_itsm_keep(call, id);
    call->seen.url =
        (char *)(uintptr_t)tkt_itsm_url(call, "/front/ticket.form.php?id=%s", id);
    return 0;
}

/* 0 and 1 look the requester up; 2 makes the ticket. */
static enum tkt_itsm_next create_make(struct tkt_itsm_call *call, struct work *w,
                                      struct tkt_err *err)
{
    if (w->at == 0 && !looks_up(call)) {
        w->at = 2;
    }
    if (w->at == 1 && *w->email_field == '\0') {
        w->at = 2; /* addresses may not be searched: as somebody who is not known */
    }
    if (w->at >= 2) {
        return w->at == 2 ? post_ticket(call, w, err) : TKT_ITSM_DONE;
    }
    enum tkt_itsm_next next =
        w->at == 0 ? tkt_itsm_get(call, api(call, "listSearchOptions/User"), err)
                   : search(call, "User", w->email_field, call->ticket->requester, err);
    call->request.also[0] = 403; /* we may not see people: nobody is known */
    return next;
}

static int create_take(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err)
{
    if (w->at == 0) {
        w->email_field = option_of(call, "glpi_useremails", "email");
    } else if (w->at == 1) {
        w->person = row_with(call, w->email_field, call->ticket->requester, false);
    } else {
        return take_id(call, tkt_itsm_str(call, call->answer->json, "id"), err);
    }
    return 0;
}

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const struct job job = {create_take, create_make};

    return step(call, &job, err);
}

/* ---- find ----------------------------------------------------------------------------- */

static enum tkt_itsm_next find_make(struct tkt_itsm_call *call, struct work *w,
                                    struct tkt_err *err)
{
    const char *told = tkt_itsm_option(call, "search_field", "");

    if (w->at == 0 && *told != '\0') {
        w->key_field = told;
        w->at = 1;
    }
    switch (w->at) {
    case 0:
        return tkt_itsm_get(call, api(call, "listSearchOptions/Ticket"), err);
    case 1:
        return search(call, "Ticket", w->key_field, call->ticket->corr, err);
    default:
        return TKT_ITSM_DONE;
    }
}

static int no_field(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_CONF,
                       "this GLPI cannot search tickets for externalid; write options = "
                       "{\"correlation=content\"}");
}

static int find_take(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err)
{
    if (w->at == 0) {
        w->key_field =
            option_of(call, "glpi_tickets", key_in_text(call) ? "content" : "externalid");
        return *w->key_field == '\0' ? no_field(err) : 0;
    }
    if (!cJSON_IsObject(call->answer->json) ||
        !cJSON_IsNumber(tkt_json_at(call->answer->json, "totalcount"))) {
        (void)tkt_itsm_odd(call, err, "totalcount"); /* err is what counts */
        return -1;
    }
    const char *id = row_with(call, w->key_field, call->ticket->corr, key_in_text(call));
    return id == NULL || *id == '\0' ? 0 : take_id(call, id, err);
}

static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const struct job job = {find_take, find_make};

    return step(call, &job, err);
}

/* ---- comments and files --------------------------------------------------------------- */

static enum tkt_itsm_next comment_make(struct tkt_itsm_call *call, struct work *w,
                                       struct tkt_err *err)
{
    const struct tkt_itsm_comment *c = call->comment;

    if (w->at > 0) {
        return TKT_ITSM_DONE;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON *input = cJSON_AddObjectToObject(body, "input");
    const char *text = tkt_itsm_said(call);
    cJSON_AddStringToObject(input, "itemtype", "Ticket");
    cJSON_AddNumberToObject(input, "items_id", atoi(call->ticket->external));
    cJSON_AddStringToObject(input, "content", text == NULL ? NULL : as_html(call, text));
    cJSON_AddNumberToObject(input, "is_private", c->is_public ? 0 : 1);
    return tkt_itsm_json(call, "POST", api(call, "ITILFollowup"), body, err);
}

static int made_one(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err)
{
    w->id = tkt_itsm_str(call, call->answer->json, "id");
    if (w->id == NULL || atoi(w->id) <= 0) {
        (void)tkt_itsm_odd(call, err, "id"); /* err is what counts */
        return -1;
    }
    return 0;
}

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const struct job job = {made_one, comment_make};

    return step(call, &job, err);
}

static enum tkt_itsm_next upload(struct tkt_itsm_call *call, struct tkt_err *err)
{
    cJSON *manifest = cJSON_CreateObject();
    cJSON *input = cJSON_AddObjectToObject(manifest, "input");
    const char *name = tkt_itsm_line(call, call->file->name, 200);

    cJSON_AddStringToObject(input, "name", name);
    if (tkt_itsm_mark(call) != NULL) {
        cJSON_AddStringToObject(input, "comment", tkt_itsm_mark(call));
    }
    cJSON_AddItemToArray(cJSON_AddArrayToObject(input, "_filename"),
                         cJSON_CreateString(name == NULL ? "" : name));
    TKT_AUTO_FREE char *text = cJSON_PrintUnformatted(manifest);
    cJSON_Delete(manifest);
    const char *texts[] = {"uploadManifest", text == NULL ? "{}" : text, NULL};
    return tkt_itsm_form(call, api(call, "Document"), "filename[0]", texts, err);
}

/* An earlier try's document is known by its mark; a search that is refused finds nothing. */
static enum tkt_itsm_next find_document(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *mark = tkt_itsm_mark(call);
    const char *escaped = tkt_itsm_escape(call, mark == NULL ? "-" : mark);
    const char *below =
        tkt_itsm_text(call, "Document?searchText%%5Bcomment%%5D=%s&range=0-9", escaped);
    enum tkt_itsm_next next =
        tkt_itsm_get(call, escaped == NULL ? NULL : api(call, below), err);

    call->request.also[1] = 400;
    call->request.also[2] = 403;
    return next;
}

static int attach_take(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err)
{
    const char *mark = tkt_itsm_mark(call);
    const cJSON *row;

    if (!call->is_again || (w->at > 0 && w->id == NULL)) {
        return made_one(call, w, err);
    }
    cJSON_ArrayForEach(row, call->answer->json)
    {
        const char *said = cJSON_GetStringValue(tkt_json_at(row, "comment"));

        if (w->at == 0 && said != NULL && mark != NULL && strcmp(said, mark) == 0) {
            w->id = tkt_itsm_str(call, row, "id");
        }
        w->is_tied =
            w->is_tied ||
            (w->at == 1 && strcmp(tkt_itsm_str(call, row, "documents_id"), w->id) == 0);
    }
    return 0;
}

/* The document first, then what ties it to the ticket. */
static enum tkt_itsm_next attach_make(struct tkt_itsm_call *call, struct work *w,
                                      struct tkt_err *err)
{
    int at = w->at - (call->is_again ? 1 : 0);

    if (at < 0) {
        return find_document(call, err);
    }
    if (at == 0) {
        return w->id == NULL
                   ? upload(call, err)
                   : tkt_itsm_get(call, item(call, "/Document_Item?range=0-99"), err);
    }
    if (at > 1 || w->is_tied) {
        return TKT_ITSM_DONE;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON *input = cJSON_AddObjectToObject(body, "input");
    cJSON_AddNumberToObject(input, "documents_id", atoi(w->id));
    cJSON_AddStringToObject(input, "itemtype", "Ticket");
    cJSON_AddNumberToObject(input, "items_id", atoi(call->ticket->external));
    return tkt_itsm_json(call, "POST", item(call, "/Document_Item"), body, err);
}

static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const struct job job = {attach_take, attach_make};

    return step(call, &job, err);
}

/* ---- state ---------------------------------------------------------------------------- */

static enum tkt_itsm_next put(struct tkt_itsm_call *call, const char *only,
                              struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *input = cJSON_AddObjectToObject(body, "input");

    if (only != NULL) {
        cJSON_AddNumberToObject(input, "status", atoi(only));
    } else {
        add_state(call, input);
    }
    if (tkt_itsm_is_mute(call, body, input)) {
        return TKT_ITSM_DONE;
    }
    enum tkt_itsm_next next = tkt_itsm_json(call, "PUT", item(call, ""), body, err);
    call->request.repeatable = true;
    return next;
}

static int put_take(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err)
{
    (void)w; /* one request: the answer is all there is */
    return took_it(call, err);
}

static enum tkt_itsm_next update_make(struct tkt_itsm_call *call, struct work *w,
                                      struct tkt_err *err)
{
    return w->at > 0 ? TKT_ITSM_DONE : put(call, NULL, err);
}

static enum tkt_itsm_next close_make(struct tkt_itsm_call *call, struct work *w,
                                     struct tkt_err *err)
{
    return w->at > 0 ? TKT_ITSM_DONE
                     : put(call, tkt_itsm_state(call, states, "closed", "1"), err);
}

static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const struct job job = {put_take, update_make};

    return step(call, &job, err);
}

static enum tkt_itsm_next close_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const struct job job = {put_take, close_make};

    return step(call, &job, err);
}

static enum tkt_itsm_next fetch_make(struct tkt_itsm_call *call, struct work *w,
                                     struct tkt_err *err)
{
    static const char *const below[] = {
        "", "/Group_Ticket", "/ITILFollowup?order=DESC&range=0-39",
        "/Document_Item?expand_dropdowns=true&range=0-99"};

    return w->at < (int)TKT_ARRAY_LEN(below)
               ? tkt_itsm_get(call, item(call, below[w->at]), err)
               : TKT_ITSM_DONE;
}

static int take_state(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *json = call->answer->json;
    struct tkt_itsm_seen *s = &call->seen;

    s->state = tkt_itsm_str(call, json, "status");
    s->priority = tkt_itsm_str(call, json, "priority");
    s->changed = tkt_itsm_str(call, json, "date_mod");
    s->me = tkt_itsm_str(call, json, "users_id_recipient");
    s->notes = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*s->notes));
    s->files = tkt_wire_arena_alloc(&call->arena, FILES_MAX * sizeof(*s->files));
    return s->notes == NULL || s->files == NULL
               ? tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory")
               : take_id(call, tkt_itsm_str(call, json, "id"), err);
}

static void take_rows(struct tkt_itsm_call *call, int at)
{
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *row;

    cJSON_ArrayForEach(row, call->answer->json)
    {
        const char *type = tkt_itsm_str(call, row, "type");
        const char *secret = tkt_itsm_str(call, row, "is_private");

        if (at == 1 && type != NULL &&
            strcmp(type, "2") == 0) { /* those who work on it */
            s->group = tkt_itsm_str(call, row, "groups_id");
        } else if (at == 2 && s->note_count < NOTES_MAX) {
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_itsm_str(call, row, "id"),
                .author = tkt_itsm_str(call, row, "users_id"),
                .text = tkt_itsm_unhtml(call, tkt_itsm_str(call, row, "content")),
                .at = tkt_itsm_str(call, row, "date"),
                .is_public = secret != NULL && strcmp(secret, "0") == 0};
        } else if (at == 3 && s->file_count < FILES_MAX) {
            s->files[s->file_count++] = tkt_itsm_str(call, row, "documents_id");
        }
    }
}

static int fetch_take(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err)
{
    if (w->at == 0) {
        return take_state(call, err);
    }
    take_rows(call, w->at);
    return 0;
}

static enum tkt_itsm_next fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const struct job job = {fetch_take, fetch_make};

    return step(call, &job, err);
}

/* ---- check ---------------------------------------------------------------------------- */

static const char *group_named(const struct tkt_conf_itsm *conf, size_t n)
{
    if (n < conf->groups.count) {
        return strchr(conf->groups.items[n], '=') + 1;
    }
    return n == conf->groups.count && conf->project[0] != '\0' ? conf->project : NULL;
}

/* That the key can be searched, then each group. */
static enum tkt_itsm_next check_make(struct tkt_itsm_call *call, struct work *w,
                                     struct tkt_err *err)
{
    if (w->at == 0) {
        return tkt_itsm_get(call, api(call, "listSearchOptions/Ticket"), err);
    }
    const char *group = group_named(call->site->conf, (size_t)w->at - 1);
    if (group == NULL) {
        return TKT_ITSM_DONE;
    }
    enum tkt_itsm_next next =
        tkt_itsm_get(call, tkt_itsm_url(call, "/apirest.php/Group/%d", atoi(group)), err);
    call->request.also[0] = 404;
    return next;
}

static int check_take(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err)
{
    if (w->at == 0) {
        const char *field =
            option_of(call, "glpi_tickets", key_in_text(call) ? "content" : "externalid");
        if (*field == '\0' && *tkt_itsm_option(call, "search_field", "") == '\0') {
            return no_field(err);
        }
        call->seen.told = tkt_itsm_keep(call, "a session may be opened");
        return 0;
    }
    if (call->answer->status != 200) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "there is no group %s (or it may not be seen)",
                           group_named(call->site->conf, (size_t)w->at - 1));
    }
    call->seen.told =
        (char *)(uintptr_t)tkt_itsm_text(call, "%s\ngroup %s", call->seen.told,
                                         tkt_itsm_str(call, call->answer->json, "name"));
    return 0;
}

static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const struct job job = {check_take, check_make};

    return step(call, &job, err);
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const char *correlation = tkt_itsm_map(&conf->options, "correlation", "externalid");

    if (conf->secret[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "no secret; a file with the user's API token, and behind a "
                           "blank the application's");
    }
    if (strcmp(correlation, "externalid") != 0 && strcmp(correlation, "content") != 0) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "options: correlation is externalid or content");
    }
    if (conf->requester == TKT_CONF_REQUESTER_CREATE) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "requester: this type makes nobody; it keeps the address of "
                           "who is not known, so write lookup");
    }
    for (size_t i = 0; group_named(conf, i) != NULL; i++) {
        if (atoi(group_named(conf, i)) <= 0) {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "groups, project: \"%s\" is no id of a group",
                               group_named(conf, i));
        }
    }
    return 0;
}

const struct tkt_itsm_ops tkt_itsm_glpi = {
    .type = "glpi",
    .title = "GLPI (REST API)",
    .auth = TKT_ITSM_AUTH_OWN,
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
              [TKT_ITSM_CLOSE] = close_ticket},
};
