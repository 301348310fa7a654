/* SPDX-License-Identifier: BSD-2-Clause
 * What Jira has of an issue, and how it is moved on: fields by an edit, the assignee by a
 * call of its own, the status by a transition that leads there.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/jira.h"

#include <string.h>

#define FILES_MAX 500

enum stage {
    START,
    READ,
    EDIT,
    WHO,
    ASSIGN,
    MOVES,
    MOVE
};

/* Where the section names no status: any of this category. */
static const struct {
    const char *ours, *category;
} categories[] = {{"new", "new"},     {"open", "indeterminate"}, {"resolved", "done"},
                  {"closed", "done"}, {"refused", "done"},       {"withdrawn", "done"},
                  {"merged", "done"}};

static const char *category_of(const char *state)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(categories); i++) {
        if (strcmp(categories[i].ours, state) == 0) {
            return categories[i].category;
        }
    }
    return NULL;
}

static const char *text_at(const cJSON *json, const char *path)
{
    const char *text = cJSON_GetStringValue(tkt_json_at(json, path));

    return text == NULL ? "" : text;
}

/* ---- reading -------------------------------------------------------------------------- */

static enum tkt_itsm_next read_issue(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *field = tkt_jira_group_field(call);
    const char *own = tkt_itsm_escape(call, field);

    return tkt_itsm_get(
        call,
        own == NULL
            ? NULL
            : tkt_jira_issue_url(
                  call,
                  tkt_itsm_text(
                      call,
                      "?fields=status,priority,assignee,labels,"
                      "components,updated,creator,attachment%s%s",
                      strncmp(field, TKT_JIRA_CUSTOM, strlen(TKT_JIRA_CUSTOM)) == 0 ? ","
                                                                                    : "",
                      strncmp(field, TKT_JIRA_CUSTOM, strlen(TKT_JIRA_CUSTOM)) == 0
                          ? own
                          : "")),
        err);
}

static bool is_mapped(const struct tkt_itsm_call *call, const char *theirs)
{
    const struct tkt_conf_list *rows = &call->site->conf->groups;

    for (size_t i = 0; i < rows->count; i++) {
        const char *equals = strchr(rows->items[i], '=');

        if (equals != NULL && strcmp(equals + 1, theirs) == 0) {
            return true;
        }
    }
    return false;
}

static const char *name_of(const cJSON *item)
{
    return cJSON_IsString(item) ? item->valuestring : text_at(item, "name");
}

/* Of several, the first that is a group of the section. */
static const char *group_in(const struct tkt_itsm_call *call, const cJSON *fields)
{
    const char *field = tkt_jira_group_field(call);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(fields, field);
    const cJSON *item;

    if (!cJSON_IsArray(value)) {
        return name_of(value);
    }
    cJSON_ArrayForEach(item, value)
    {
        if (is_mapped(call, name_of(item))) {
            return name_of(item);
        }
    }
    return strcmp(field, "labels") == 0 ? "" : name_of(cJSON_GetArrayItem(value, 0));
}

static const char *person(const cJSON *who)
{
    static const char *const names[] = {"emailAddress", "displayName", "accountId",
                                        "name"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        const char *name = text_at(who, names[i]);

        if (*name != '\0') {
            return name;
        }
    }
    return "";
}

/* Readable, and nobody else's: names are what people call themselves. */
static char *identity(struct tkt_itsm_call *call, const cJSON *who)
{
    const char *id = text_at(who, "accountId");

    id = *id != '\0' ? id : text_at(who, "name");
    return (char *)(uintptr_t)tkt_itsm_text(call, "%s (%s)", text_at(who, "displayName"),
                                            id);
}

const char *tkt_jira_state_word(struct tkt_itsm_call *call, const char *ours)
{
    const struct tkt_jira_work *w = call->state;
    const char *category = category_of(ours);

    return w != NULL && w->category != NULL && category != NULL &&
                   strcmp(w->category, category) == 0
               ? call->seen.state
               : NULL;
}

static enum tkt_itsm_next take_issue(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *json = call->answer->json;
    const cJSON *fields = tkt_json_at(json, "fields");
    struct tkt_jira_work *w = tkt_jira_work(call);
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *file;

    if (!cJSON_IsString(tkt_json_at(fields, "status.name"))) {
        return tkt_itsm_odd(call, err, "fields.status");
    }
    if (w == NULL) {
        return tkt_jira_no_memory(err);
    }
    w->category = tkt_itsm_str(call, fields, "status.statusCategory.key");
    s->external = tkt_itsm_str(call, json, "id");
    s->number = tkt_itsm_str(call, json, "key");
    s->state = tkt_itsm_str(call, fields, "status.name");
    s->priority = tkt_itsm_str(call, fields, "priority.name");
    s->assignee = tkt_itsm_keep(call, person(tkt_json_at(fields, "assignee")));
    s->group = tkt_itsm_keep(call, group_in(call, fields));
    s->changed = tkt_itsm_str(call, fields, "updated");
    s->me = cJSON_IsObject(tkt_json_at(fields, "creator"))
                ? identity(call, tkt_json_at(fields, "creator"))
                : NULL;
    cJSON_ArrayForEach(file, tkt_json_at(fields, "attachment"))
    {
        tkt_itsm_saw_file(call, tkt_itsm_str(call, file, "filename"),
                          tkt_json_at(file, "size"), tkt_itsm_str(call, file, "created"));
    }
    return TKT_ITSM_DONE;
}

static bool is_public(const cJSON *comment)
{
    const cJSON *p;

    if (cJSON_IsFalse(tkt_json_at(comment, "jsdPublic")) ||
        cJSON_IsObject(tkt_json_at(comment, "visibility"))) {
        return false;
    }
    cJSON_ArrayForEach(p, tkt_json_at(comment, "properties"))
    {
        if (strcmp(text_at(p, "key"), "sd.public.comment") == 0 &&
            cJSON_IsTrue(tkt_json_at(p, "value.internal"))) {
            return false;
        }
    }
    return true;
}

static enum tkt_itsm_next take_comments(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *comments = tkt_json_at(call->answer->json, "comments");
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *c;

    if (!cJSON_IsArray(comments)) {
        return tkt_itsm_odd(call, err, "comments");
    }
    s->notes =
        tkt_wire_arena_alloc(&call->arena, TKT_ITSM_COMMENTS_MAX * sizeof(*s->notes));
    if (s->notes == NULL) {
        return tkt_jira_no_memory(err);
    }
    cJSON_ArrayForEach(c, comments)
    {
        if (s->note_count < TKT_ITSM_COMMENTS_MAX) {
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_itsm_str(call, c, "id"),
                .author = identity(call, tkt_json_at(c, "author")),
                .text = tkt_jira_plain(call, tkt_json_at(c, "body")),
                .at = tkt_itsm_str(call, c, "created"),
                .is_public = is_public(c)};
        }
    }
    return TKT_ITSM_DONE;
}

enum tkt_itsm_next tkt_jira_fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    switch (call->step) {
    case 0:
        return read_issue(call, err);
    case 1:
        return take_issue(call, err) != TKT_ITSM_DONE ? TKT_ITSM_FAILED
                                                      : tkt_jira_list_comments(call, err);
    default:
        return take_comments(call, err);
    }
}

/* ---- moving --------------------------------------------------------------------------- */

static const char *state_wanted(const struct tkt_itsm_call *call)
{
    return call->op == TKT_ITSM_CLOSE ? "closed" : call->ticket->state;
}

/* The status that the section wants by name; NULL: none is named. */
static const char *status_wanted(const struct tkt_itsm_call *call)
{
    return tkt_itsm_map(&call->site->conf->states, state_wanted(call), NULL);
}

static bool is_there(const struct tkt_itsm_call *call, const char *status,
                     const char *category)
{
    const char *name = status_wanted(call);
    const char *ours = category_of(state_wanted(call));

    return name != NULL   ? tkt_ascii_ieq(name, status)
           : ours != NULL ? strcmp(ours, category) == 0
                          : true;
}

static enum tkt_itsm_next ask_moves(struct tkt_itsm_call *call,
                                    const struct tkt_jira_work *w, struct tkt_err *err)
{
    if (!tkt_itsm_tells(call, TKT_ITSM_STATE) || state_wanted(call)[0] == '\0' ||
        is_there(call, w->status, w->category)) {
        return TKT_ITSM_DONE;
    }
    call->stage = MOVES;
    return tkt_itsm_get(
        call, tkt_jira_issue_url(call, "/transitions?expand=transitions.fields"), err);
}

/* A screen that asks for a resolution gets the one of the section, or what it offers. */
static void add_resolution(struct tkt_itsm_call *call, const cJSON *move, cJSON *body)
{
    const cJSON *field = tkt_json_at(move, "fields.resolution");
    const char *own = tkt_itsm_option(call, "resolution", "");
    const char *offered = text_at(field, "allowedValues.0.name");
    const cJSON *value;

    if (!cJSON_IsObject(field) ||
        (*own == '\0' && !cJSON_IsTrue(tkt_json_at(field, "required")))) {
        return;
    }
    cJSON_ArrayForEach(value, tkt_json_at(field, "allowedValues"))
    {
        offered = strcmp(text_at(value, "name"), "Done") == 0 ? "Done" : offered;
    }
    own = *own != '\0' ? own : offered;
    if (*own != '\0') {
        cJSON_AddStringToObject(
            cJSON_AddObjectToObject(cJSON_AddObjectToObject(body, "fields"),
                                    "resolution"),
            "name", own);
    }
}

/* Each name that is offered, for a person. */
static const char *offered(struct tkt_itsm_call *call, const cJSON *moves)
{
    const char *names = "";
    const cJSON *move;

    cJSON_ArrayForEach(move, moves)
    {
        const char *more =
            tkt_itsm_text(call, "%s%s\"%.60s\"", names, *names == '\0' ? "" : ", ",
                          tkt_itsm_line(call, text_at(move, "to.name"), 60));
        names = more == NULL || strlen(more) > 300 ? names : more;
    }
    return *names == '\0' ? "none: may the user transition issues?" : names;
}

static const cJSON *move_to(const struct tkt_itsm_call *call, const cJSON *moves)
{
    const char *name = status_wanted(call);
    const cJSON *move;

    cJSON_ArrayForEach(move, moves)
    {
        if (is_there(call, text_at(move, "to.name"),
                     text_at(move, "to.statusCategory.key")) ||
            (name != NULL && tkt_ascii_ieq(name, text_at(move, "name")))) {
            return move;
        }
    }
    return NULL;
}

static enum tkt_itsm_next do_move(struct tkt_itsm_call *call,
                                  const struct tkt_jira_work *w, struct tkt_err *err)
{
    const cJSON *moves = tkt_json_at(call->answer->json, "transitions");
    const cJSON *move = move_to(call, moves);

    if (!cJSON_IsArray(moves)) {
        return tkt_itsm_odd(call, err, "transitions");
    }
    if (move == NULL) {
        tkt_err_set(err, TKT_ERR_PERM,
                    "no transition leads from \"%.60s\" to %s; there are %.300s",
                    w->status,
                    status_wanted(call) ? status_wanted(call) : state_wanted(call),
                    offered(call, moves));
        return TKT_ITSM_FAILED;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "transition"), "id",
                            text_at(move, "id"));
    add_resolution(call, move, body);
    call->stage = MOVE;
    return tkt_itsm_json(call, "POST", tkt_jira_issue_url(call, "/transitions"), body,
                         err);
}

/* ---- update --------------------------------------------------------------------------- */

static cJSON *add_row(cJSON *list, const char *verb)
{
    cJSON *row = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(list, row)) {
        cJSON_Delete(row);
        return NULL;
    }
    return cJSON_AddObjectToObject(row, verb);
}

static void add_group_row(cJSON *list, bool is_label, const char *verb, const char *name)
{
    if (is_label) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, verb, name);
        cJSON_AddItemToArray(list, row);
    } else {
        cJSON_AddStringToObject(add_row(list, verb), "name", name);
    }
}

/* What people added stays: only groups of the section are taken away. */
static void add_group(struct tkt_itsm_call *call, const struct tkt_jira_work *w,
                      cJSON *body)
{
    const char *field = tkt_jira_group_field(call);
    const char *group = tkt_jira_group(call);
    bool is_label = strcmp(field, "labels") == 0;

    if (w->group_ok || w->no_group || group == NULL) {
        return;
    }
    if (!is_label && strcmp(field, "components") != 0) {
        cJSON *fields = cJSON_GetObjectItemCaseSensitive(body, "fields");
        fields = fields == NULL ? cJSON_AddObjectToObject(body, "fields") : fields;
        cJSON_AddStringToObject(cJSON_AddObjectToObject(fields, field), "name", group);
        return;
    }
    cJSON *list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(body, "update"), field);
    for (size_t i = 0; i < TKT_ARRAY_LEN(w->old_groups); i++) {
        if (w->old_groups[i] != NULL) {
            add_group_row(list, is_label, "remove", w->old_groups[i]);
        }
    }
    add_group_row(list, is_label, "add", group);
}

/* What it is now; group and priority that are right already stay untouched. */
static void compare(struct tkt_itsm_call *call, struct tkt_jira_work *w)
{
    const cJSON *fields = tkt_json_at(call->answer->json, "fields");
    const cJSON *groups =
        cJSON_GetObjectItemCaseSensitive(fields, tkt_jira_group_field(call));
    const char *group = tkt_jira_group(call);
    const char *priority = tkt_jira_priority(call);
    size_t olds = 0;
    const cJSON *item;

    w->status = tkt_itsm_str(call, fields, "status.name");
    w->had_assignee = tkt_itsm_str(call, fields, "assignee.emailAddress");
    w->priority_ok = !tkt_itsm_tells(call, TKT_ITSM_PRIORITY) || priority == NULL ||
                     strcmp(text_at(fields, "priority.name"), priority) == 0;
    w->group_ok = !tkt_itsm_tells(call, TKT_ITSM_GROUP) || group == NULL ||
                  (!cJSON_IsArray(groups) && strcmp(name_of(groups), group) == 0);
    cJSON_ArrayForEach(item, groups)
    {
        const char *name = name_of(item);

        if (!cJSON_IsArray(groups)) {
            break;
        }
        w->group_ok = w->group_ok || strcmp(name, group) == 0;
        if (is_mapped(call, name) && strcmp(name, group == NULL ? "" : group) != 0 &&
            olds < TKT_ARRAY_LEN(w->old_groups)) {
            w->old_groups[olds++] = tkt_itsm_keep(call, name);
        }
    }
}

static enum tkt_itsm_next ask_assignee(struct tkt_itsm_call *call,
                                       struct tkt_jira_work *w, struct tkt_err *err)
{
    const char *assignee = call->ticket->assignee;

    if (*assignee == '\0' || w->had_assignee == NULL ||
        !tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE) ||
        strcmp(tkt_itsm_option(call, "assignee", "no"), "yes") != 0 ||
        tkt_ascii_ieq(w->had_assignee, assignee)) {
        return ask_moves(call, w, err);
    }
    call->stage = WHO;
    return tkt_jira_ask_user(call, assignee, err);
}

static enum tkt_itsm_next assign(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                 struct tkt_err *err)
{
    w->assignee = tkt_jira_user_in(call, call->ticket->assignee);
    if (w->assignee == NULL) {
        return ask_moves(call, w, err);
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, tkt_jira_is_cloud(call) ? "accountId" : "name",
                            w->assignee);
    call->stage = ASSIGN;
    enum tkt_itsm_next next =
        tkt_itsm_json(call, "PUT", tkt_jira_issue_url(call, "/assignee"), body, err);
    call->request.repeatable = true;
    call->request.also[0] = 400; /* who may not be assigned here is not */
    return next;
}

static enum tkt_itsm_next edit(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                               struct tkt_err *err)
{
    const char *priority = tkt_jira_priority(call);
    cJSON *body = cJSON_CreateObject();

    if (!w->priority_ok && !w->no_priority && *priority != '\0') {
        cJSON_AddStringToObject(
            cJSON_AddObjectToObject(cJSON_AddObjectToObject(body, "fields"), "priority"),
            "name", priority);
    }
    add_group(call, w, body);
    if (body != NULL && body->child == NULL) {
        cJSON_Delete(body);
        return ask_assignee(call, w, err);
    }
    call->stage = EDIT;
    enum tkt_itsm_next next =
        tkt_itsm_json(call, "PUT", tkt_jira_issue_url(call, ""), body, err);
    call->request.repeatable = true;
    call->request.also[0] = 400;
    return next;
}

enum tkt_itsm_next tkt_jira_update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_jira_work *w = tkt_jira_work(call);

    if (w == NULL) {
        return tkt_jira_no_memory(err);
    }
    switch (call->stage) {
    case START:
        call->stage = READ;
        return read_issue(call, err);
    case READ:
        if (take_issue(call, err) != TKT_ITSM_DONE) {
            return TKT_ITSM_FAILED;
        }
        compare(call, w);
        return edit(call, w, err);
    case EDIT:
        return call->answer->status < 400 ? ask_assignee(call, w, err)
               : tkt_jira_drop(call, w)   ? edit(call, w, err)
                                          : tkt_jira_refuse(call, err);
    case WHO:
        return assign(call, w, err);
    case ASSIGN:
        return ask_moves(call, w, err);
    case MOVES:
        return do_move(call, w, err);
    default:
        return TKT_ITSM_DONE;
    }
}

enum tkt_itsm_next tkt_jira_close(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_jira_work *w = tkt_jira_work(call);

    if (w == NULL) {
        return tkt_jira_no_memory(err);
    }
    switch (call->stage) {
    case START:
        call->stage = READ;
        return read_issue(call, err);
    case READ:
        if (take_issue(call, err) != TKT_ITSM_DONE) {
            return TKT_ITSM_FAILED;
        }
        compare(call, w);
        return ask_moves(call, w, err);
    case MOVES:
        return do_move(call, w, err);
    default:
        return TKT_ITSM_DONE;
    }
}
