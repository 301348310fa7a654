/* SPDX-License-Identifier: BSD-2-Clause
 * A dry run against Jira: who we are, what we may do, and whether the project, the types,
 * the fields, the groups and the priorities of the section exist.
 */
#include "base/util.h"
#include "itsm/jira.h"

#include <stdlib.h>
#include <string.h>

#define PERMISSIONS                                                                      \
    "BROWSE_PROJECTS,CREATE_ISSUES,ADD_COMMENTS,CREATE_ATTACHMENTS,EDIT_ISSUES,"

enum stage {
    START,
    MYSELF,
    PROJECT,
    RIGHTS,
    TYPES,
    FIELDS
};

static enum tkt_itsm_next wrong(struct tkt_err *err, const char *what, const char *name)
{
    tkt_err_set(err, TKT_ERR_CONF, "%s %.100s", what, name);
    return TKT_ITSM_FAILED;
}

static void tell(struct tkt_itsm_call *call, const char *what, const char *name)
{
    const char *told = call->seen.told == NULL ? "" : call->seen.told;
    const char *line = tkt_itsm_line(call, name == NULL ? "" : name, 200);

    call->seen.told = (char *)(uintptr_t)tkt_itsm_text(call, "%s%s%s %s", told,
                                                       *told == '\0' ? "" : "\n", what,
                                                       line == NULL ? "" : line);
}

static const char *text_at(const cJSON *json, const char *path)
{
    const char *text = cJSON_GetStringValue(tkt_json_at(json, path));

    return text == NULL ? "" : text;
}

/* The n-th type of the section; NULL behind the last. */
static const char *type_named(const struct tkt_itsm_call *call, size_t n)
{
    const struct tkt_conf_itsm *conf = call->site->conf;
    const char *own = tkt_itsm_option(call, "type", NULL);

    if (n < conf->types.count) {
        const char *equals = strchr(conf->types.items[n], '=');
        return equals == NULL ? "" : equals + 1;
    }
    if (own == NULL && conf->types.count == 0 && !tkt_jira_is_jsm(call)) {
        own = "Task";
    }
    return n == conf->types.count ? own : NULL;
}

/* ---- what there is to ask ------------------------------------------------------------- */

static const char *project_url(struct tkt_itsm_call *call, const char *fmt_before,
                               const char *behind)
{
    const char *project = tkt_itsm_escape(call, call->site->conf->project);

    return project == NULL ? NULL
                           : tkt_jira_url(call, tkt_itsm_text(call, "%s%s%s", fmt_before,
                                                              project, behind));
}

static enum tkt_itsm_next ask_rights(struct tkt_itsm_call *call, struct tkt_err *err)
{
    call->stage = RIGHTS;
    return tkt_itsm_get(call,
                        project_url(call, "/mypermissions?projectKey=",
                                    "&permissions=" PERMISSIONS
                                    "TRANSITION_ISSUES,ASSIGN_ISSUES,MODIFY_REPORTER"),
                        err);
}

static enum tkt_itsm_next ask_types(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *desk = tkt_itsm_escape(call, tkt_itsm_option(call, "desk", ""));

    call->stage = TYPES;
    if (tkt_jira_is_jsm(call)) {
        return tkt_itsm_get(
            call,
            desk == NULL
                ? NULL
                : tkt_itsm_url(call,
                               "/rest/servicedeskapi/servicedesk/%s/requesttype?"
                               "limit=100&includeHiddenRequestTypesInSearch=true",
                               desk),
            err);
    }
    return tkt_itsm_get(
        call, project_url(call, "/issue/createmeta/", "/issuetypes?maxResults=200"), err);
}

static enum tkt_itsm_next ask_fields(struct tkt_itsm_call *call, const char *id,
                                     struct tkt_err *err)
{
    const char *desk = tkt_itsm_escape(call, tkt_itsm_option(call, "desk", ""));
    const char *type = tkt_itsm_escape(call, id);

    call->stage = FIELDS;
    if (desk == NULL || type == NULL) {
        return tkt_jira_no_memory(err);
    }
    if (tkt_jira_is_jsm(call)) {
        return tkt_itsm_get(
            call,
            tkt_itsm_url(call, "/rest/servicedeskapi/servicedesk/%s/requesttype/%s/field",
                         desk, type),
            err);
    }
    return tkt_itsm_get(
        call,
        project_url(call, "/issue/createmeta/",
                    tkt_itsm_text(call, "/issuetypes/%s?maxResults=200", type)),
        err);
}

/* ---- what was answered ---------------------------------------------------------------- */

/* Without these tickets fail; a missing right to name the reporter is told. */
static enum tkt_itsm_next judge_rights(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *rights = tkt_json_at(call->answer->json, "permissions");
    const cJSON *right;

    if (!cJSON_IsObject(rights)) {
        return tkt_itsm_odd(call, err, "permissions");
    }
    cJSON_ArrayForEach(right, rights)
    {
        if (cJSON_IsTrue(tkt_json_at(right, "havePermission"))) {
            continue;
        }
        if (right->string != NULL && strstr(PERMISSIONS, right->string) != NULL) {
            return wrong(err, "the user lacks the permission", right->string);
        }
        tell(call, "without the permission", right->string);
    }
    return ask_types(call, err);
}

/* Lists have another name on each of them. */
static const cJSON *list_in(const cJSON *json, const char *name)
{
    const cJSON *list = tkt_json_at(json, name);

    return cJSON_IsArray(list) ? list : tkt_json_at(json, "values");
}

struct types { /* in the arena: what the section's types are there */
    const char **ids;
    size_t count, next;
};

static const char *type_id(struct tkt_itsm_call *call, const char *wanted)
{
    const cJSON *list = list_in(call->answer->json, "issueTypes");
    const cJSON *type;

    cJSON_ArrayForEach(type, list)
    {
        char *id = tkt_itsm_str(call, type, "id");

        if (id != NULL &&
            (strcmp(id, wanted) == 0 ||
             (!tkt_jira_is_jsm(call) && strcmp(text_at(type, "name"), wanted) == 0))) {
            tell(call, "type", text_at(type, "name"));
            return id;
        }
    }
    return NULL;
}

static enum tkt_itsm_next judge_types(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct types *types = tkt_wire_arena_alloc(&call->arena, sizeof(*types));
    size_t n = 0;

    while (type_named(call, n) != NULL) {
        n++;
    }
    const char **ids = tkt_wire_arena_alloc(&call->arena, (n + 1) * sizeof(*ids));
    if (types == NULL || ids == NULL) {
        return tkt_jira_no_memory(err);
    }
    *types = (struct types){.ids = ids, .count = n};
    for (size_t i = 0; i < n; i++) {
        ids[i] = type_id(call, type_named(call, i));
        if (ids[i] == NULL) {
            return wrong(err, "the project has no type", type_named(call, i));
        }
    }
    call->state = types;
    return n == 0 ? TKT_ITSM_DONE : ask_fields(call, ids[types->next++], err);
}

static const cJSON *field_named(const cJSON *list, const char *name)
{
    static const char *const ids[] = {"fieldId", "key", "id"};
    const cJSON *field;

    cJSON_ArrayForEach(field, list)
    {
        for (size_t i = 0; i < TKT_ARRAY_LEN(ids); i++) {
            if (strcmp(text_at(field, ids[i]), name) == 0) {
                return field;
            }
        }
    }
    return NULL;
}

static bool allows(const cJSON *field, const char *name)
{
    const cJSON *values = tkt_json_at(field, "allowedValues");
    const cJSON *value;

    cJSON_ArrayForEach(value, values)
    {
        if (strcmp(text_at(value, "name"), name) == 0) {
            return true;
        }
    }
    return !cJSON_IsArray(values); /* it does not tell */
}

/* Right sides of rows, as values of a field. */
static const char *not_allowed(const cJSON *field, const struct tkt_conf_list *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const char *equals = strchr(rows->items[i], '=');

        if (equals != NULL && !allows(field, equals + 1)) {
            return equals + 1;
        }
    }
    return NULL;
}

static const char *missing_field(struct tkt_itsm_call *call, const cJSON *list)
{
    const struct tkt_conf_list *rows = &call->site->conf->fields;
    const char *own = tkt_itsm_option(call, "correlation_field", NULL);
    bool needs_label = own == NULL && !tkt_jira_is_jsm(call);

    if (own != NULL && field_named(list, own) == NULL) {
        return own;
    }
    if (needs_label && field_named(list, "labels") == NULL) {
        return "labels, which takes the key (or correlation_field does)";
    }
    for (size_t i = 0; i < rows->count; i++) {
        char *name = tkt_itsm_keep(call, rows->items[i]);

        if (name != NULL) {
            name[strcspn(name, "=.;")] = '\0';
            if (field_named(list, name) == NULL) {
                return name;
            }
        }
    }
    return NULL;
}

static enum tkt_itsm_next judge_fields(struct tkt_itsm_call *call, struct tkt_err *err)
{
    bool is_jsm = tkt_jira_is_jsm(call);
    const struct tkt_conf_itsm *conf = call->site->conf;
    const cJSON *list =
        list_in(call->answer->json, is_jsm ? "requestTypeFields" : "fields");
    struct types *types = call->state;
    const char *missing;

    if (!cJSON_IsArray(list)) {
        return tkt_itsm_odd(call, err, "fields");
    }
    missing = missing_field(call, list);
    if (missing != NULL) {
        return wrong(err, "a type of the section has no field", missing);
    }
    const cJSON *groups = field_named(list, tkt_jira_group_field(call));
    if (!is_jsm && conf->groups.count > 0 && groups == NULL) {
        return wrong(err, "a type of the section has no field",
                     tkt_jira_group_field(call));
    }
    missing = groups == NULL ? NULL : not_allowed(groups, &conf->groups);
    if (missing != NULL) {
        return wrong(err, "there is no group", missing);
    }
    const cJSON *priority = field_named(list, "priority");
    missing = priority == NULL ? NULL : not_allowed(priority, &conf->priorities);
    if (missing != NULL) {
        return wrong(err, "there is no priority", missing);
    }
    if (is_jsm && cJSON_IsFalse(tkt_json_at(call->answer->json, "canRaiseOnBehalfOf"))) {
        tell(call,
             "requests are ours:", "the user may not raise them on behalf of others");
    }
    return types->next < types->count ? ask_fields(call, types->ids[types->next++], err)
                                      : TKT_ITSM_DONE;
}

enum tkt_itsm_next tkt_jira_check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *json = call->step == 0 ? NULL : call->answer->json;

    switch (call->stage) {
    case START:
        call->stage = MYSELF;
        return tkt_itsm_get(call, tkt_jira_url(call, "/myself"), err);
    case MYSELF:
        if (*text_at(json, tkt_jira_is_cloud(call) ? "accountId" : "name") == '\0') {
            call->unauthorized = true;
            return wrong(err, "Jira takes us for", "nobody");
        }
        tell(call, "user", text_at(json, "displayName"));
        call->stage = PROJECT;
        return tkt_itsm_get(call, project_url(call, "/project/", ""), err);
    case PROJECT:
        tell(call, "project", text_at(json, "name"));
        return ask_rights(call, err);
    case RIGHTS:
        return judge_rights(call, err);
    case TYPES:
        return judge_types(call, err);
    default:
        return judge_fields(call, err);
    }
}
