/* SPDX-License-Identifier: BSD-2-Clause
 * Redmine 4.2 and newer by its REST API.
 *
 * The correlation key stands in a custom field of issues (options: correlation_field,
 * "CorrelationId"), which issue lists filter by without delay. Redmine wants numbers where
 * people have names: the section may have either, names are looked up before each request.
 * A group is the group that an issue is assigned to.
 * Source: app/controllers and app/views (*.api.rsb) of Redmine 5.0.
 */
#include "base/util.h"
#include "itsm/back.h"
#include "itsm/backends.h"
#include "itsm/redmine_private.h"

#include <stdlib.h>
#include <string.h>

#define SUBJECT_MAX 255
#define NOTES_MAX 100

static const char *const options[] = {"correlation_field", "assignee", "markup", NULL};

/* ---- the project: trackers and custom fields ------------------------------------------ */

static enum tkt_itsm_next get_project(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *path =
        tkt_redmine_project_path(call, ".json?include=trackers,issue_custom_fields");

    return tkt_itsm_get(call, path == NULL ? NULL : tkt_itsm_url(call, "%s", path), err);
}

static int id_in(const cJSON *list, const char *name)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        const char *have = cJSON_GetStringValue(tkt_json_at(item, "name"));
        const cJSON *id = tkt_json_at(item, "id");

        if (have != NULL && cJSON_IsNumber(id) && strcmp(have, name) == 0) {
            return id->valueint;
        }
    }
    return 0;
}

static const char *key_name(const struct tkt_itsm_call *call)
{
    return tkt_itsm_option(call, "correlation_field", "CorrelationId");
}

/* The number of a custom field; 0 with err CONF. */
static int field_id(const struct tkt_itsm_call *call, const cJSON *project,
                    const char *name, struct tkt_err *err)
{
    int id = tkt_redmine_number(name);

    id = id != 0 ? id : id_in(tkt_json_at(project, "issue_custom_fields"), name);
    if (id == 0) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "project %s has no custom field \"%.100s\" (or it may not be seen)",
                    call->site->conf->project, name);
    }
    return id;
}

static int tracker_id(const struct tkt_itsm_call *call, const cJSON *project,
                      struct tkt_err *err)
{
    const char *name = tkt_itsm_map(&call->site->conf->types, call->ticket->type, NULL);

    if (name == NULL) {
        return 0;
    }
    int id = tkt_redmine_number(name);
    id = id != 0 ? id : id_in(tkt_json_at(project, "trackers"), name);
    return id != 0
               ? id
               : tkt_err_set(err, TKT_ERR_CONF, "project %s has no tracker \"%.100s\"",
                             call->site->conf->project, name);
}

/* ---- create --------------------------------------------------------------------------- */

struct filling {
    struct tkt_itsm_call *call;
    const cJSON *project;
    cJSON *issue;
    cJSON *fields;
    struct tkt_err *err;
};

/* Members of an issue that are no custom fields and may be set by fields. */
static bool is_member(const char *name)
{
    static const char *const members[] = {
        "category_id", "fixed_version_id", "parent_issue_id", "due_date",
        "start_date",  "is_private",       "estimated_hours"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(members); i++) {
        if (strcmp(members[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int add_field(void *arg, const char *name, const char *value)
{
    struct filling *f = arg;

    if (is_member(name)) {
        return cJSON_AddStringToObject(f->issue, name, value) == NULL ? -1 : 0;
    }
    int id = field_id(f->call, f->project, name, f->err);
    cJSON *field = id == 0 ? NULL : cJSON_CreateObject();
    if (field == NULL) {
        return -1;
    }
    cJSON_AddNumberToObject(field, "id", id);
    cJSON_AddStringToObject(field, "value", value);
    return cJSON_AddItemToArray(f->fields, field) ? 0 : -1;
}

/* Its author is always us: whoever asks stands in the text. */
static const char *description(struct tkt_itsm_call *call)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *name = tkt_itsm_line(call, t->requester_name, 100);

    if (name == NULL || t->requester[0] == '\0') {
        return tkt_redmine_text(call, t->text);
    }
    return tkt_redmine_text(
        call, *name == '\0'
                  ? tkt_itsm_text(call, "%s:\n\n%s", t->requester, t->text)
                  : tkt_itsm_text(call, "%s <%s>:\n\n%s", name, t->requester, t->text));
}

/* What is known of the issue before its numbers are: JSON in the arena; NULL with err. */
static const char *draft(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const cJSON *project = tkt_json_at(call->answer->json, "project");
    int tracker = tracker_id(call, project, err);
    const char *subject = tkt_itsm_line(call, t->subject, SUBJECT_MAX);
    const char *out = NULL;

    if (tracker < 0) {
        return NULL;
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    cJSON *issue = cJSON_CreateObject();
    cJSON_AddStringToObject(issue, "project_id", call->site->conf->project);
    if (tracker > 0) {
        cJSON_AddNumberToObject(issue, "tracker_id", tracker);
    }
    /* Blanks alone count as no subject there. */
    cJSON_AddStringToObject(
        issue, "subject",
        subject == NULL || subject[strspn(subject, " ")] == '\0' ? t->id : subject);
    cJSON_AddStringToObject(issue, "description", description(call));
    struct filling f = {call, project, issue,
                        cJSON_AddArrayToObject(issue, "custom_fields"), err};
    if (f.fields != NULL && add_field(&f, key_name(call), t->corr) == 0 &&
        tkt_itsm_fields(call, add_field, &f, err) == 0) {
        char *text = cJSON_PrintUnformatted(issue);
        out = text == NULL ? NULL : tkt_itsm_keep(call, text);
        free(text);
    }
    cJSON_Delete(issue);
    return out;
}

static const char *issue_url(struct tkt_itsm_call *call, const char *below)
{
    const char *id = tkt_itsm_escape(call, call->ticket->external);

    return id == NULL ? NULL : tkt_itsm_url(call, "/issues/%s.json%s", id, below);
}

static enum tkt_itsm_next send_issue(struct tkt_itsm_call *call, const char *method,
                                     const char *url, cJSON *issue, struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();

    if (!cJSON_AddItemToObject(body, "issue", issue)) {
        cJSON_Delete(issue);
    }
    return tkt_itsm_json(call, method, url, body, err);
}

static enum tkt_itsm_next take_id(struct tkt_itsm_call *call, const cJSON *issue,
                                  struct tkt_err *err)
{
    char *id = tkt_itsm_str(call, issue, "id");

    if (id == NULL || tkt_redmine_number(id) == 0) {
        return tkt_itsm_odd(call, err, "issue.id");
    }
    call->seen.external = id;
    call->seen.number = id;
    call->seen.url = (char *)(uintptr_t)tkt_itsm_url(call, "/issues/%s", id);
    return TKT_ITSM_DONE;
}

enum {
    STAGE_FIRST,
    STAGE_NUMBERS,
    STAGE_SENT,
    STAGE_READ
};

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_redmine_plan *p = tkt_redmine_plan(call);
    enum tkt_itsm_next next = TKT_ITSM_FAILED;
    bool is_answer = call->stage == STAGE_NUMBERS;

    if (p == NULL) {
        return tkt_itsm_odd(call, err, "memory");
    }
    if (call->step == 0) {
        return get_project(call, err);
    }
    if (call->stage == STAGE_SENT) {
        return take_id(call, tkt_json_at(call->answer->json, "issue"), err);
    }
    if (call->stage == STAGE_FIRST) {
        call->stage = STAGE_NUMBERS;
        p->draft = draft(call, err);
        if (p->draft == NULL) {
            return TKT_ITSM_FAILED;
        }
        tkt_redmine_want_priority(call, p, NULL);
        tkt_redmine_want_people(call, p);
        if (call->site->conf->requester != TKT_CONF_REQUESTER_TEXT) {
            tkt_redmine_want_person(call, p, "watcher", call->ticket->requester);
        }
    }
    if (tkt_redmine_resolve(call, p, is_answer, &next, err) == 0) {
        return next;
    }
    call->stage = STAGE_SENT;
    cJSON *issue = cJSON_Parse(p->draft);
    tkt_redmine_add_numbers(p, issue);
    return send_issue(call, "POST", tkt_itsm_url(call, "/issues.json"), issue, err);
}

/* ---- find ----------------------------------------------------------------------------- */

/* A field that is no filter is ignored and brings any issue: what came is looked at. */
static bool has_key(const struct tkt_itsm_call *call, const cJSON *issue)
{
    const cJSON *field;

    cJSON_ArrayForEach(field, tkt_json_at(issue, "custom_fields"))
    {
        const char *value = cJSON_GetStringValue(tkt_json_at(field, "value"));

        if (value != NULL && strcmp(value, call->ticket->corr) == 0) {
            return true;
        }
    }
    return false;
}

static enum tkt_itsm_next get_by_key(struct tkt_itsm_call *call, int id, const char *key,
                                     struct tkt_err *err)
{
    return tkt_itsm_get(
        call,
        tkt_itsm_url(call, "/issues.json?cf_%d=%s&status_id=*&sort=id&limit=5", id, key),
        err);
}

static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *item;

    if (call->step == 0) {
        return get_project(call, err);
    }
    if (call->step == 1) {
        int id = field_id(call, tkt_json_at(call->answer->json, "project"),
                          key_name(call), err);
        const char *key = tkt_itsm_escape(call, call->ticket->corr);

        return id == 0 ? TKT_ITSM_FAILED
                       : get_by_key(call, id, key == NULL ? "" : key, err);
    }
    const cJSON *issues = tkt_json_at(call->answer->json, "issues");
    if (!cJSON_IsArray(issues)) {
        return tkt_itsm_odd(call, err, "issues");
    }
    cJSON_ArrayForEach(item, issues)
    {
        if (has_key(call, item)) {
            return take_id(call, item, err);
        }
    }
    if (cJSON_GetArraySize(issues) > 0) {
        tkt_err_set(
            err, TKT_ERR_CONF,
            "the custom field %s is not used as a filter: Redmine shows any issue",
            key_name(call));
        return TKT_ITSM_FAILED;
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
    cJSON *issue = cJSON_CreateObject();
    const char *from = c->author[0] == '\0' ? ""
                                            : tkt_itsm_text(call, "%s <%s>:\n\n",
                                                            c->author_name, c->author);
    const char *text =
        from == NULL ? NULL
                     : tkt_redmine_text(call, tkt_itsm_text(call, "%s%s", from, c->text));
    cJSON_AddStringToObject(issue, "notes", text);
    cJSON_AddBoolToObject(issue, "private_notes", !c->is_public);
    return send_issue(call, "PUT", issue_url(call, ""), issue, err);
}

static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *name = tkt_itsm_line(call, call->file->name, SUBJECT_MAX);

    if (call->step == 0) {
        const char *escaped = name == NULL ? NULL : tkt_itsm_escape(call, name);
        enum tkt_itsm_next next = tkt_itsm_upload(
            call, "POST",
            escaped == NULL ? NULL
                            : tkt_itsm_url(call, "/uploads.json?filename=%s", escaped),
            "application/octet-stream", err);
        call->request.repeatable = true; /* what no issue has is thrown away */
        return next;
    }
    if (call->step > 1) {
        return TKT_ITSM_DONE;
    }
    const char *token = tkt_itsm_str(call, call->answer->json, "upload.token");
    if (token == NULL || *token == '\0') {
        return tkt_itsm_odd(call, err, "upload.token");
    }
    cJSON *issue = cJSON_CreateObject();
    cJSON *uploads = cJSON_AddArrayToObject(issue, "uploads");
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "token", token);
    cJSON_AddStringToObject(one, "filename", name);
    cJSON_AddStringToObject(one, "content_type", call->file->type);
    if (!cJSON_AddItemToArray(uploads, one)) {
        cJSON_Delete(one);
    }
    enum tkt_itsm_next next = send_issue(call, "PUT", issue_url(call, ""), issue, err);
    call->request.repeatable = true; /* a token is used once */
    return next;
}

/* ---- state ---------------------------------------------------------------------------- */

static enum tkt_itsm_next take_state(struct tkt_itsm_call *call, const cJSON *issue,
                                     struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;

    if (take_id(call, issue, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    s->state = tkt_itsm_str(call, issue, "status.name");
    s->assignee = tkt_itsm_str(call, issue, "assigned_to.name");
    s->priority = tkt_itsm_str(call, issue, "priority.name");
    s->changed = tkt_itsm_str(call, issue, "updated_on");
    s->me = tkt_itsm_str(call, issue, "author.name");
    /* Persons and groups stand in one place: those that the section knows are groups. */
    s->group = tkt_itsm_keep(call, "");
    if (s->assignee != NULL &&
        tkt_itsm_unmap(call, &call->site->conf->groups, s->assignee, NULL) != NULL) {
        s->group = s->assignee;
        s->assignee = tkt_itsm_keep(call, "");
    }
    return TKT_ITSM_DONE;
}

/* Redmine answers 204 and leaves out what we may not set: the issue itself is asked. */
static enum tkt_itsm_next judge(struct tkt_itsm_call *call,
                                const struct tkt_redmine_plan *p, struct tkt_err *err)
{
    static const struct {
        const char *member, *path;
    } rows[] = {{"status_id", "issue.status.id"},
                {"priority_id", "issue.priority.id"},
                {"assigned_to_id", "issue.assigned_to.id"}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        int wanted = tkt_redmine_id(p, rows[i].member);
        const cJSON *have = tkt_json_at(call->answer->json, rows[i].path);

        if (wanted != 0 && (!cJSON_IsNumber(have) || have->valueint != wanted)) {
            tkt_err_set(err, TKT_ERR_PERM,
                        "Redmine left %s as it was: the user's role may not set it, or "
                        "the workflow has no such step",
                        rows[i].member);
            return TKT_ITSM_FAILED;
        }
    }
    return take_state(call, tkt_json_at(call->answer->json, "issue"), err);
}

static enum tkt_itsm_next change(struct tkt_itsm_call *call, bool only_state,
                                 const char *state, struct tkt_err *err)
{
    struct tkt_redmine_plan *p = tkt_redmine_plan(call);
    enum tkt_itsm_next next = TKT_ITSM_FAILED;

    if (p == NULL) {
        return tkt_itsm_odd(call, err, "memory");
    }
    if (call->stage == STAGE_READ) {
        return judge(call, p, err);
    }
    if (call->stage == STAGE_SENT) {
        call->stage = STAGE_READ;
        return tkt_itsm_get(call, issue_url(call, ""), err);
    }
    if (call->step == 0) {
        if (tkt_itsm_tells(call, TKT_ITSM_STATE)) {
            tkt_redmine_want_state(call, p, state);
        }
        if (!only_state && tkt_itsm_tells(call, TKT_ITSM_PRIORITY)) {
            tkt_redmine_want_priority(call, p, NULL);
        }
        /* One member for both. */
        if (!only_state && (tkt_itsm_tells(call, TKT_ITSM_GROUP) ||
                            tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE))) {
            tkt_redmine_want_people(call, p);
        }
    }
    if (tkt_redmine_resolve(call, p, call->step > 0, &next, err) == 0) {
        return next;
    }
    call->stage = STAGE_SENT;
    cJSON *issue = cJSON_CreateObject();
    tkt_redmine_add_numbers(p, issue);
    if (tkt_itsm_is_mute(call, issue, issue)) {
        return TKT_ITSM_DONE;
    }
    next = send_issue(call, "PUT", issue_url(call, ""), issue, err);
    call->request.repeatable = true;
    return next;
}

static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return change(call, false, call->ticket->state, err);
}

static enum tkt_itsm_next close_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return change(call, true, "closed", err);
}

/* ---- fetch ---------------------------------------------------------------------------- */

static int take_notes(struct tkt_itsm_call *call, const cJSON *journals)
{
    struct tkt_itsm_seen *s = &call->seen;
    int count = cJSON_GetArraySize(journals);

    s->notes = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*s->notes));
    if (s->notes == NULL) {
        return -1;
    }
    for (int i = count - 1; i >= 0 && s->note_count < NOTES_MAX; i--) {
        const cJSON *j = cJSON_GetArrayItem(journals, i);
        char *text = tkt_redmine_plain(call, tkt_itsm_str(call, j, "notes"));

        if (text != NULL && *text != '\0') { /* the others are changes of fields */
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_itsm_str(call, j, "id"),
                .author = tkt_itsm_str(call, j, "user.name"),
                .at = tkt_itsm_str(call, j, "created_on"),
                .text = text,
                .is_public = !cJSON_IsTrue(tkt_json_at(j, "private_notes"))};
        }
    }
    return 0;
}

static enum tkt_itsm_next fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return tkt_itsm_get(call, issue_url(call, "?include=journals,attachments"), err);
    }
    const cJSON *issue = tkt_json_at(call->answer->json, "issue");
    const cJSON *files = tkt_json_at(issue, "attachments");
    const cJSON *file;
    if (take_state(call, issue, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    if (take_notes(call, tkt_json_at(issue, "journals")) < 0) {
        return tkt_itsm_odd(call, err, "memory");
    }
    cJSON_ArrayForEach(file, files)
    {
        tkt_itsm_saw_file(call, tkt_itsm_str(call, file, "filename"),
                          tkt_json_at(file, "filesize"),
                          tkt_itsm_str(call, file, "created_on"));
    }
    return TKT_ITSM_DONE;
}

/* ---- list ------------------------------------------------------------------------------ */

static enum tkt_itsm_next ask_changed(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *since = tkt_itsm_time_text(call, call->since_ms, 'T');

    /* All projects: an issue may have moved. */
    return tkt_itsm_get(call,
                        since == NULL
                            ? NULL
                            : tkt_itsm_url(call,
                                           "/issues.json?updated_on=%%3E%%3D%sZ"
                                           "&status_id=*&sort=updated_on,id&limit=%d"
                                           "&offset=%d",
                                           since, TKT_REDMINE_PAGE,
                                           call->step * TKT_REDMINE_PAGE),
                        err);
}

static enum tkt_itsm_next list(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return ask_changed(call, err);
    }
    const cJSON *issues = tkt_json_at(call->answer->json, "issues");
    const cJSON *issue;
    if (!cJSON_IsArray(issues)) {
        return tkt_itsm_odd(call, err, "issues");
    }
    cJSON_ArrayForEach(issue, issues)
    {
        if (tkt_itsm_changed(call, tkt_itsm_str(call, issue, "id"),
                             tkt_itsm_time(tkt_itsm_str(call, issue, "updated_on")),
                             err) < 0) {
            return TKT_ITSM_FAILED;
        }
    }
    return cJSON_GetArraySize(issues) < TKT_REDMINE_PAGE ||
                   tkt_itsm_list_is_full(call, TKT_REDMINE_PAGE)
               ? TKT_ITSM_DONE
               : ask_changed(call, err);
}

/* ---- check ---------------------------------------------------------------------------- */

/* What the section names, one of each kind in a round. */
static void want_all(struct tkt_itsm_call *call, struct tkt_redmine_plan *p, size_t round)
{
    const struct tkt_conf_itsm *conf = call->site->conf;

    p->count = 0;
    p->asked = 0;
    if (round < conf->groups.count) {
        tkt_redmine_want_group(call, p, strchr(conf->groups.items[round], '=') + 1);
    }
    if (round < conf->priorities.count) {
        tkt_redmine_want_priority(call, p,
                                  strchr(conf->priorities.items[round], '=') + 1);
    }
    if (round < 2) {
        tkt_redmine_want_state(call, p, round == 0 ? "closed" : "new");
    }
}

static int check_fields(struct tkt_itsm_call *call, const cJSON *project,
                        struct tkt_err *err)
{
    const struct tkt_conf_itsm *conf = call->site->conf;

    for (size_t i = 0; i < conf->fields.count; i++) {
        size_t n = strcspn(conf->fields.items[i], "=");
        const char *name = tkt_itsm_text(call, "%.*s", (int)n, conf->fields.items[i]);

        if (name != NULL && !is_member(name) && field_id(call, project, name, err) == 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < conf->types.count; i++) {
        const char *name = strchr(conf->types.items[i], '=') + 1;

        if (tkt_redmine_number(name) == 0 &&
            id_in(tkt_json_at(project, "trackers"), name) == 0) {
            return tkt_err_set(err, TKT_ERR_CONF, "project %s has no tracker \"%.100s\"",
                               conf->project, name);
        }
    }
    return 0;
}

#define CHECK_ROUNDS_MAX 12 /* of the lists of a section that are looked up */

/* Who we are, the project and its fields, the key as a filter, then each name. */
static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    static const char nobody[] = "mt-00000000000000000000000000000000";
    struct tkt_redmine_plan *p = tkt_redmine_plan(call);
    enum tkt_itsm_next next = TKT_ITSM_FAILED;
    const cJSON *json = call->step == 0 ? NULL : call->answer->json;
    const cJSON *project = tkt_json_at(json, "project");
    bool is_answer = call->step > 3;

    if (p == NULL) {
        return tkt_itsm_odd(call, err, "memory");
    }
    switch (call->step) {
    case 0:
        return tkt_itsm_get(call, tkt_itsm_url(call, "/my/account.json"), err);
    case 1:
        call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
            call, "user %s", tkt_itsm_str(call, json, "user.login"));
        return get_project(call, err);
    case 2: {
        int id = field_id(call, project, key_name(call), err);

        if (id == 0 || check_fields(call, project, err) < 0) {
            return TKT_ITSM_FAILED;
        }
        call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
            call, "%s\nproject %s", call->seen.told, tkt_itsm_str(call, project, "name"));
        return get_by_key(call, id, nobody, err);
    }
    case 3:
        if (!cJSON_IsArray(tkt_json_at(json, "issues"))) {
            return tkt_itsm_odd(call, err, "issues");
        }
        if (tkt_itsm_count(json, "issues") > 0) {
            tkt_err_set(err, TKT_ERR_CONF,
                        "the custom field %s is not used as a filter; switch that on",
                        key_name(call));
            return TKT_ITSM_FAILED;
        }
        want_all(call, p, 0);
        break;
    default:
        break;
    }
    while (tkt_redmine_resolve(call, p, is_answer, &next, err) == 1) {
        is_answer = false;
        if (++call->stage >= CHECK_ROUNDS_MAX) {
            return TKT_ITSM_DONE;
        }
        want_all(call, p, (size_t)call->stage);
    }
    return next;
}

/* ---- the row -------------------------------------------------------------------------- */

static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    const cJSON *errors = cJSON_GetObjectItemCaseSensitive(a->json, "errors");
    const char *said = cJSON_GetStringValue(cJSON_GetArrayItem(errors, 0));
    enum tkt_err_class class = err->class;
    int retry_after_s = err->retry_after_s;

    if (said != NULL) {
        tkt_err_set(err, class, "Redmine says %d \"%.200s\"", a->status, said);
        err->retry_after_s = retry_after_s;
    }
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    if (tkt_itsm_need_project(conf, "name the identifier of the project for new issues",
                              err) < 0) {
        return -1;
    }
    return tkt_itsm_need_secret(conf, "API/key", err) < 0
               ? -1
               : tkt_redmine_check_markup(conf, err);
}

const struct tkt_itsm_ops tkt_itsm_redmine = {
    .type = "redmine",
    .title = "Redmine (REST)",
    .auth = TKT_ITSM_AUTH_HEADER,
    .auth_header = "X-Redmine-API-Key: ",
    .options = options,
    .search_is_proof = true,
    .list_ascends = true,
    .check = check_conf,
    .refusal = refusal,
    .states = tkt_redmine_states,
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
