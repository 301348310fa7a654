/* SPDX-License-Identifier: BSD-2-Clause
 * GitLab issues, API v4; gitlab.com and own servers.
 *
 * The correlation key is a line of the issue's description that is not shown, and is
 * searched for there: the list of a project's issues is searched in the database, without
 * an index that lags. Groups and priorities are labels, and so are states that are neither
 * opened nor closed; a type is an issue_type. Issues are confidential unless the section
 * says otherwise. An internal note that an old server would show to all is taken back.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/backends.h"
#include "itsm/issues.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_MAX 255
#define TEXT_MAX 1000000 /* bytes; GitLab takes 1048576 characters */
#define PAGE 100

static const char *const options[] = {"assignee", "confidential", "label", "markdown",
                                      NULL};

/* What an issue says without a label. */
static const struct tkt_itsm_word states[] = {
    {"new", "opened"},      {"open", "opened"},   {"pending", "opened"},
    {"resolved", "closed"}, {"closed", "closed"}, {NULL, NULL}};

static const struct tkt_issues_words called = {.key = "iid",
                                               .page = "web_url",
                                               .assignee = "assignees.0.username",
                                               .author = "author.username"};

static const char *project_url(struct tkt_itsm_call *call, const char *below)
{
    const char *project = tkt_itsm_escape(call, call->site->conf->project);

    return project == NULL || below == NULL
               ? NULL
               : tkt_itsm_url(call, "/api/v4/projects/%s%s", project, below);
}

static const char *issue_url(struct tkt_itsm_call *call, const char *below)
{
    const char *iid = tkt_itsm_escape(call, call->ticket->external);

    return iid == NULL
               ? NULL
               : project_url(call, tkt_itsm_text(call, "/issues/%s%s", iid, below));
}

/* "message" is a text or an object of lists, "error" a text. */
static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    const cJSON *message = tkt_json_at(a->json, "message");
    const cJSON *first = cJSON_IsObject(message) ? message->child : NULL;
    const cJSON *text = cJSON_IsArray(first) ? first->child : first;
    const char *said = cJSON_GetStringValue(first != NULL ? text : message);
    int retry_after_s = err->retry_after_s;

    said = said == NULL ? cJSON_GetStringValue(tkt_json_at(a->json, "error")) : said;
    tkt_err_set(err, err->class, "GitLab says %d \"%.60s%s%.200s\"", a->status,
                first == NULL || first->string == NULL ? "" : first->string,
                first == NULL || first->string == NULL ? "" : " ",
                said == NULL ? "" : said);
    err->retry_after_s = retry_after_s;
}

/* ---- people --------------------------------------------------------------------------- */

/* An address finds whom an administrator's token may see by it, and who shows it. */
static enum tkt_itsm_next ask_for_assignee(struct tkt_itsm_call *call,
                                           struct tkt_err *err)
{
    const char *who = call->ticket->assignee;
    const char *escaped = tkt_itsm_escape(call, who);

    return tkt_itsm_get(
        call,
        escaped == NULL ? NULL
                        : tkt_itsm_url(call, "/api/v4/users?%s=%s&per_page=2",
                                       strchr(who, '@') ? "search" : "username", escaped),
        err);
}

/* An id, or 0: nobody, or two. */
static double assignee_in(const struct tkt_itsm_call *call)
{
    const cJSON *id = tkt_json_at(call->answer->json, "0.id");

    return tkt_itsm_count(call->answer->json, "") == 1 && cJSON_IsNumber(id)
               ? id->valuedouble
               : 0;
}

static void add_assignee(cJSON *body, double id)
{
    if (id > 0) {
        cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "assignee_ids"),
                             cJSON_CreateNumber(id));
    }
}

/* ---- create --------------------------------------------------------------------------- */

/* weight, milestone_id and the like are numbers. */
static int add_field(void *arg, const char *name, const char *value)
{
    size_t n = strlen(name);
    bool is_number =
        strcmp(name, "weight") == 0 || (n > 3 && strcmp(name + n - 3, "_id") == 0);

    return (is_number ? cJSON_AddNumberToObject(arg, name, strtod(value, NULL))
                      : cJSON_AddStringToObject(arg, name, value)) == NULL
               ? -1
               : 0;
}

/* A comma ends a label: check_conf sees to it that none has one. */
static void add_labels(cJSON *body, const char *name,
                       const struct tkt_issues_labels *labels)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(64 * 1024);

    for (size_t i = 0; i < labels->count; i++) {
        tkt_buf_addf(&out, "%s%s", i > 0 ? "," : "", labels->names[i]);
    }
    if (labels->count > 0 && !out.failed) {
        cJSON_AddStringToObject(body, name, tkt_buf_str(&out));
    }
}

static enum tkt_itsm_next post_issue(struct tkt_itsm_call *call, double assignee,
                                     struct tkt_err *err)
{
    const char *type = tkt_itsm_map(&call->site->conf->types, call->ticket->type, NULL);
    struct tkt_issues_labels labels;
    cJSON *body = cJSON_CreateObject();

    tkt_issues_wanted(call, false, &labels);
    cJSON_AddStringToObject(body, "title", tkt_issues_title(call, TITLE_MAX));
    cJSON_AddStringToObject(body, "description",
                            tkt_issues_body(call, TITLE_MAX, TEXT_MAX, true));
    cJSON_AddBoolToObject(body, "confidential",
                          !tkt_issues_says(call, "confidential", "no"));
    add_labels(body, "labels", &labels);
    add_assignee(body, assignee);
    if (type != NULL) {
        cJSON_AddStringToObject(body, "issue_type", type);
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    if (tkt_itsm_fields(call, add_field, body, err) < 0) {
        cJSON_Delete(body);
        return TKT_ITSM_FAILED;
    }
    return tkt_itsm_json(call, "POST", project_url(call, "/issues"), body, err);
}

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0 && tkt_issues_wants_assignee(call)) {
        return ask_for_assignee(call, err);
    }
    if (call->stage == 0) {
        call->stage = 1;
        return post_issue(call, call->step == 0 ? 0 : assignee_in(call), err);
    }
    return tkt_issues_take(call, call->answer->json, &called, err);
}

static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *issue;

    if (call->step == 0) {
        const char *key = tkt_itsm_escape(call, call->ticket->corr);
        const char *query =
            key == NULL ? NULL
                        : tkt_itsm_text(call,
                                        "/issues?scope=all&in=description&per_page=20"
                                        "&order_by=created_at&sort=asc&search=%s",
                                        key);
        return tkt_itsm_get(call, project_url(call, query), err);
    }
    if (!cJSON_IsArray(call->answer->json)) {
        return tkt_itsm_odd(call, err, "list of issues");
    }
    cJSON_ArrayForEach(issue, call->answer->json)
    {
        if (tkt_issues_has_key(call,
                               cJSON_GetStringValue(tkt_json_at(issue, "description")))) {
            return tkt_issues_take(call, issue, &called, err);
        }
    }
    return TKT_ITSM_DONE;
}

/* ---- comments and files --------------------------------------------------------------- */

static enum tkt_itsm_next post_note(struct tkt_itsm_call *call, const char *text,
                                    bool is_public, struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "body", tkt_issues_marked(call, text));
    if (!is_public) {
        cJSON_AddBoolToObject(body, "internal", true);
    }
    return tkt_itsm_json(call, "POST", issue_url(call, "/notes"), body, err);
}

/* Servers before 15.3 do not know "internal" and make it a note for all. */
static bool is_internal(const cJSON *note)
{
    return cJSON_IsTrue(tkt_json_at(note, "internal")) ||
           cJSON_IsTrue(tkt_json_at(note, "confidential"));
}

static enum tkt_itsm_next take_back(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *id = tkt_itsm_str(call, call->answer->json, "id");
    const char *escaped = id == NULL || *id == '\0' ? NULL : tkt_itsm_escape(call, id);
    const char *below =
        escaped == NULL ? NULL : tkt_itsm_text(call, "/notes/%s", escaped);

    if (below == NULL) {
        return tkt_itsm_odd(call, err, "id");
    }
    call->request.method = "DELETE";
    call->request.url = issue_url(call, below);
    call->request.repeatable = true;
    if (call->request.url == NULL) {
        return tkt_itsm_odd(call, err, "id");
    }
    return TKT_ITSM_SEND;
}

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    bool is_public = call->comment->is_public;

    if (call->step == 0) {
        return post_note(call, tkt_issues_comment(call, TEXT_MAX, true), is_public, err);
    }
    if (call->step == 1) {
        return is_public || is_internal(call->answer->json) ? TKT_ITSM_DONE
                                                            : take_back(call, err);
    }
    tkt_err_set(
        err, TKT_ERR_PERM,
        "this GitLab knows no internal notes (15.3 and newer do): the comment was "
        "taken back and is kept here only");
    return TKT_ITSM_FAILED;
}

/* The bytes first, for words in Markdown that a note then holds. */
static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        enum tkt_itsm_next next =
            tkt_itsm_form(call, project_url(call, "/uploads"), "file", NULL, err);
        call->request.also[0] = 413;
        return next;
    }
    if (call->step > 1) {
        return TKT_ITSM_DONE;
    }
    if (call->answer->status == 413) {
        return post_note(call, tkt_issues_file(call), true, err);
    }
    const char *words = tkt_itsm_str(call, call->answer->json, "markdown");
    return words == NULL || *words == '\0' ? tkt_itsm_odd(call, err, "markdown")
                                           : post_note(call, words, true, err);
}

/* ---- state ---------------------------------------------------------------------------- */

static bool add_state(struct tkt_itsm_call *call, cJSON *body, const char *state)
{
    const char *have = cJSON_GetStringValue(tkt_json_at(call->answer->json, "state"));
    bool is_closed = have != NULL && strcmp(have, "closed") == 0;

    if (!tkt_itsm_tells(call, TKT_ITSM_STATE) ||
        is_closed == tkt_issues_is_closed(state)) {
        return false;
    }
    cJSON_AddStringToObject(body, "state_event", is_closed ? "reopen" : "close");
    return true;
}

static bool add_differences(struct tkt_itsm_call *call, cJSON *body)
{
    struct tkt_issues_labels have, want, more = {.count = 0}, less = {.count = 0};

    tkt_issues_have(tkt_json_at(call->answer->json, "labels"), &have);
    tkt_issues_wanted(call, false, &want);
    for (size_t i = 0; i < want.count; i++) {
        if (!tkt_issues_in(&have, want.names[i])) {
            more.names[more.count++] = want.names[i];
        }
    }
    for (size_t i = 0; i < have.count; i++) {
        if (tkt_issues_is_ours(call, have.names[i]) &&
            !tkt_issues_in(&want, have.names[i])) {
            less.names[less.count++] = have.names[i];
        }
    }
    add_labels(body, "add_labels", &more);
    add_labels(body, "remove_labels", &less);
    return more.count + less.count > 0;
}

static bool has_assignee(const cJSON *issue, double id)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, tkt_json_at(issue, "assignees"))
    {
        const cJSON *have = tkt_json_at(one, "id");

        if (cJSON_IsNumber(have) && have->valuedouble == id) {
            return true;
        }
    }
    return false;
}

/* What differs; nothing is sent where nothing does. */
static enum tkt_itsm_next put_issue(struct tkt_itsm_call *call, const char *state,
                                    bool only_state, double assignee, struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();
    bool differs = add_state(call, body, state);

    if (!only_state) {
        differs = add_differences(call, body) || differs;
    }
    if (assignee > 0 && !has_assignee(call->answer->json, assignee)) {
        add_assignee(body, assignee);
        differs = true;
    }
    if (!differs) {
        cJSON_Delete(body);
        return tkt_issues_take_state(call, &called, err);
    }
    call->stage = 3;
    enum tkt_itsm_next next = tkt_itsm_json(call, "PUT", issue_url(call, ""), body, err);
    call->request.repeatable = true;
    return next;
}

static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    double *assignee = call->state;

    if (call->stage == 0) {
        bool look = tkt_issues_wants_assignee(call);

        assignee = call->state = tkt_wire_arena_alloc(&call->arena, sizeof(*assignee));
        if (assignee == NULL) {
            tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
            return TKT_ITSM_FAILED;
        }
        *assignee = 0;
        call->stage = look ? 1 : 2;
        return look ? ask_for_assignee(call, err)
                    : tkt_itsm_get(call, issue_url(call, ""), err);
    }
    if (call->stage == 1) {
        *assignee = assignee_in(call);
        call->stage = 2;
        return tkt_itsm_get(call, issue_url(call, ""), err);
    }
    return call->stage == 2 ? put_issue(call, call->ticket->state, false, *assignee, err)
                            : tkt_issues_take_state(call, &called, err);
}

static enum tkt_itsm_next close_issue(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return tkt_itsm_get(call, issue_url(call, ""), err);
    }
    return call->step == 1 ? put_issue(call, "closed", true, 0, err) : TKT_ITSM_DONE;
}

/* ---- fetch ---------------------------------------------------------------------------- */

/* "[name](/uploads/...)" of a text, as an upload is written. */
static void take_files(struct tkt_itsm_call *call, const char *text)
{
    struct tkt_itsm_seen *s = &call->seen;

    for (const char *at = strstr(text, "](/uploads/"); at != NULL;
         at = strstr(at + 1, "](/uploads/")) {
        const char *path =
            tkt_itsm_text(call, "%.*s", (int)strcspn(at + 2, ")\n"), at + 2);
        const char *name = path == NULL ? NULL : strrchr(path, '/');

        if (name != NULL && s->file_count < PAGE) {
            s->files[s->file_count++] = tkt_itsm_keep(call, name + 1);
        }
    }
}

static enum tkt_itsm_next take_notes(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *note;

    s->notes = tkt_wire_arena_alloc(&call->arena, PAGE * sizeof(*s->notes));
    if (s->notes == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return TKT_ITSM_FAILED;
    }
    cJSON_ArrayForEach(note, call->answer->json)
    {
        const char *body = cJSON_GetStringValue(tkt_json_at(note, "body"));

        if (cJSON_IsTrue(tkt_json_at(note, "system")) || body == NULL ||
            s->note_count == PAGE) {
            continue;
        }
        take_files(call, body);
        s->notes[s->note_count++] =
            (struct tkt_itsm_note){.id = tkt_itsm_str(call, note, "id"),
                                   .author = tkt_itsm_str(call, note, "author.username"),
                                   .text = tkt_issues_plain(call, body),
                                   .at = tkt_itsm_str(call, note, "created_at"),
                                   .is_public = !is_internal(note)};
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return tkt_itsm_get(call, issue_url(call, ""), err);
    }
    if (call->step > 1) {
        return take_notes(call, err);
    }
    const char *text =
        cJSON_GetStringValue(tkt_json_at(call->answer->json, "description"));
    call->seen.files = tkt_wire_arena_alloc(&call->arena, PAGE * sizeof(char *));
    if (tkt_issues_take_state(call, &called, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    if (call->seen.files == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return TKT_ITSM_FAILED;
    }
    take_files(call, text == NULL ? "" : text);
    return tkt_itsm_get(
        call, issue_url(call, "/notes?sort=desc&order_by=created_at&per_page=100"), err);
}

/* The oldest change first, so that a list that ends early goes on from there. */
static enum tkt_itsm_next list(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *from = tkt_itsm_time_text(call, call->since_ms, 'T');
    enum tkt_itsm_next next = TKT_ITSM_DONE;

    if (call->step > 0 && !tkt_issues_changed(call, "iid", PAGE, &next, err)) {
        return next;
    }
    const char *below =
        from == NULL ? NULL
                     : tkt_itsm_text(call,
                                     "/issues?scope=all&order_by=updated_at&sort=asc"
                                     "&per_page=%d&page=%d&updated_after=%sZ",
                                     PAGE, call->step + 1, from);
    return tkt_itsm_get(call, project_url(call, below), err);
}

/* ---- check ---------------------------------------------------------------------------- */

#define REPORTER 20 /* gives labels, sees confidential issues, writes internal notes */

static enum tkt_itsm_next judge_project(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *project = call->answer->json;
    const char *name = tkt_itsm_str(call, project, "path_with_namespace");
    const cJSON *own = tkt_json_at(project, "permissions.project_access.access_level");
    const cJSON *group = tkt_json_at(project, "permissions.group_access.access_level");
    double level = TKT_MAX(cJSON_IsNumber(own) ? own->valuedouble : 0,
                           cJSON_IsNumber(group) ? group->valuedouble : 0);
    const char *issues =
        cJSON_GetStringValue(tkt_json_at(project, "issues_access_level"));

    if (name == NULL || *name == '\0') {
        return tkt_itsm_odd(call, err, "path_with_namespace");
    }
    if (cJSON_IsFalse(tkt_json_at(project, "issues_enabled")) ||
        (issues != NULL && strcmp(issues, "disabled") == 0)) {
        tkt_err_set(err, TKT_ERR_CONF, "%.200s has issues switched off", name);
        return TKT_ITSM_FAILED;
    }
    if (level > 0 && level < REPORTER) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "%.200s: the token is less than a Reporter's, it gives no labels and "
                    "sees no confidential issues",
                    name);
        return TKT_ITSM_FAILED;
    }
    call->seen.told = (char *)(uintptr_t)tkt_itsm_text(call, "project %s", name);
    return tkt_itsm_get(call, project_url(call, "/labels?per_page=100"), err);
}

static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        enum tkt_itsm_next next = tkt_itsm_get(call, project_url(call, ""), err);

        call->request.also[0] = 404;
        return next;
    }
    if (call->step == 1 && call->answer->status != 200) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "there is no project %.200s, or the token may not see it",
                    call->site->conf->project);
        return TKT_ITSM_FAILED;
    }
    return call->step == 1 ? judge_project(call, err) : tkt_issues_tell_labels(call);
}

static int check_labels(const struct tkt_conf_list *rows, struct tkt_err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (strchr(rows->items[i], ',') != NULL) {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "\"%s\": a label of GitLab has no comma", rows->items[i]);
        }
    }
    return 0;
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    if (tkt_itsm_need_project(conf, "write its path, \"group/project\", or number", err) <
        0) {
        return -1;
    }
    if (check_labels(&conf->groups, err) < 0 ||
        check_labels(&conf->priorities, err) < 0 ||
        check_labels(&conf->states, err) < 0) {
        return -1;
    }
    return tkt_itsm_need_secret(conf, "token", err);
}

const struct tkt_itsm_ops tkt_itsm_gitlab = {
    .type = "gitlab",
    .keys_are_of_project = true,
    .title = "GitLab issues (API v4)",
    .auth = TKT_ITSM_AUTH_HEADER,
    .auth_header = "PRIVATE-TOKEN: ",
    .options = options,
    .search_lag_ms = 10000, /* a replica of the database */
    .search_is_proof = true,
    .list_ascends = true,
    .states = states,
    .check = check_conf,
    .refusal = refusal,
    .steps = {[TKT_ITSM_CREATE] = create,
              [TKT_ITSM_FIND] = find,
              [TKT_ITSM_COMMENT] = comment,
              [TKT_ITSM_ATTACH] = attach,
              [TKT_ITSM_UPDATE] = update,
              [TKT_ITSM_FETCH] = fetch,
              [TKT_ITSM_LIST] = list,
              [TKT_ITSM_CHECK] = check,
              [TKT_ITSM_CLOSE] = close_issue},
};
