/* SPDX-License-Identifier: BSD-2-Clause
 * How an issue of Jira is made, or found again, and what follows at once: the labels of a
 * request, the rest of a text that was too long.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/back.h"
#include "itsm/jira.h"

#include <string.h>

enum stage {
    START,
    REPORTER,
    CUSTOMER,
    MEMBER,
    ASSIGNEE,
    RECORD,
    TAGS,
    LIST,
    PARTS
};

static const char *key_field(const struct tkt_itsm_call *call)
{
    return tkt_itsm_option(call, "correlation_field", "labels");
}

static bool wants_assignee(const struct tkt_itsm_call *call)
{
    return call->ticket->assignee[0] != '\0' &&
           strcmp(tkt_itsm_option(call, "assignee", "no"), "yes") == 0;
}

/* ---- fields --------------------------------------------------------------------------- */

struct making {
    struct tkt_itsm_call *call;
    cJSON *to;
};

/* "name" is a text, "name.value" an object with that member, "name;" and "name;value" a list
 * of one of these, "name.text" rich text. */
static int add_field(void *arg, const char *name, const char *value)
{
    struct making *m = arg;
    size_t n = strcspn(name, ".;");
    const char *member = name[n] == '\0' ? "" : name + n + 1;
    char *field = tkt_wire_arena_strdup(&m->call->arena, name, n);
    cJSON *item = NULL;

    if (strcmp(member, "text") == 0) {
        item = tkt_jira_rich(m->call, value);
    } else if (*member == '\0') {
        item = cJSON_CreateString(value);
    } else {
        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, member, value);
    }
    if (name[n] == ';') {
        cJSON *have = cJSON_GetObjectItemCaseSensitive(m->to, field ? field : "");
        cJSON *list = cJSON_IsArray(have) ? have : NULL;

        list = list == NULL && have == NULL ? cJSON_AddArrayToObject(m->to, field) : list;
        if (item != NULL && cJSON_AddItemToArray(list, item)) {
            return 0;
        }
    } else if (field != NULL && item != NULL) {
        cJSON_DeleteItemFromObjectCaseSensitive(m->to, field);
        if (cJSON_AddItemToObject(m->to, field, item)) {
            return 0;
        }
    }
    cJSON_Delete(item);
    return -1;
}

int tkt_jira_fields(struct tkt_itsm_call *call, cJSON *to, struct tkt_err *err)
{
    struct making m = {.call = call, .to = to};

    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    return to == NULL ? -1 : tkt_itsm_fields(call, add_field, &m, err);
}

/* Labels have no blanks. */
static void add_label(struct tkt_itsm_call *call, cJSON *labels, const char *text)
{
    char *label = tkt_itsm_keep(call, text);

    for (char *p = label; p != NULL && *p != '\0'; p++) {
        *p = *p == ' ' ? '_' : *p;
    }
    if (label != NULL && *label != '\0') {
        cJSON_AddItemToArray(labels, cJSON_CreateString(label));
    }
}

static void add_group(struct tkt_itsm_call *call, cJSON *fields)
{
    const char *group = tkt_jira_group(call);
    const char *field = tkt_jira_group_field(call);

    if (group == NULL) {
        return;
    }
    if (strcmp(field, "labels") == 0) {
        add_label(call, cJSON_GetObjectItemCaseSensitive(fields, "labels"), group);
        return;
    }
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", group);
    if (strcmp(field, "components") == 0) {
        cJSON_AddItemToArray(cJSON_AddArrayToObject(fields, field), item);
    } else {
        cJSON_AddItemToObject(fields, field, item);
    }
}

static void add_people(const struct tkt_itsm_call *call, const struct tkt_jira_work *w,
                       cJSON *fields)
{
    if (w->reporter != NULL && !w->no_reporter && !tkt_jira_is_jsm(call)) {
        tkt_jira_add_user(call, fields, "reporter", w->reporter);
    }
    if (w->assignee != NULL && !w->no_assignee) {
        tkt_jira_add_user(call, fields, "assignee", w->assignee);
    }
}

/* What a request type may not have, and an issue does. */
static void add_common(struct tkt_itsm_call *call, const struct tkt_jira_work *w,
                       cJSON *fields)
{
    const char *priority = tkt_jira_priority(call);
    cJSON *labels = cJSON_AddArrayToObject(fields, "labels");

    if (strcmp(key_field(call), "labels") == 0) {
        add_label(call, labels, call->ticket->corr);
    } else if (!tkt_jira_is_jsm(call)) {
        cJSON_AddStringToObject(fields, key_field(call), call->ticket->corr);
    }
    add_label(call, labels, tkt_itsm_option(call, "label", ""));
    if (!w->no_group) {
        add_group(call, fields);
    }
    if (priority != NULL && *priority != '\0' && !w->no_priority) {
        cJSON_AddStringToObject(cJSON_AddObjectToObject(fields, "priority"), "name",
                                priority);
    }
    add_people(call, w, fields);
    if (cJSON_GetArraySize(labels) == 0) {
        cJSON_DeleteItemFromObjectCaseSensitive(fields, "labels");
    }
}

/* ---- create --------------------------------------------------------------------------- */

static cJSON *make_issue(struct tkt_itsm_call *call, const struct tkt_jira_work *w,
                         struct tkt_err *err)
{
    const char *type = tkt_jira_type(call);
    bool by_id = *type != '\0' && strspn(type, "0123456789") == strlen(type);
    cJSON *body = cJSON_CreateObject();
    cJSON *fields = cJSON_AddObjectToObject(body, "fields");
    const char *text = tkt_jira_description(call, w);

    cJSON_AddStringToObject(cJSON_AddObjectToObject(fields, "project"), "key",
                            call->site->conf->project);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(fields, "issuetype"),
                            by_id ? "id" : "name", type);
    cJSON_AddStringToObject(fields, "summary", tkt_jira_summary(call));
    cJSON_AddItemToObject(fields, "description",
                          text == NULL ? NULL : tkt_jira_rich(call, text));
    add_common(call, w, fields);
    if (text == NULL || tkt_jira_fields(call, fields, err) < 0) {
        cJSON_Delete(body);
        return NULL;
    }
    return body;
}

static enum tkt_itsm_next post(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                               struct tkt_err *err)
{
    call->stage = RECORD;
    if (tkt_jira_is_jsm(call)) {
        return tkt_jsm_post(call, w, err);
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    cJSON *body = make_issue(call, w, err);
    enum tkt_itsm_next next =
        body == NULL
            ? TKT_ITSM_FAILED
            : tkt_itsm_json(call, "POST", tkt_jira_url(call, "/issue"), body, err);
    call->request.also[0] = 400;
    return next;
}

static enum tkt_itsm_next go_assignee(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                      struct tkt_err *err)
{
    if (!wants_assignee(call)) {
        return post(call, w, err);
    }
    call->stage = ASSIGNEE;
    return tkt_jira_ask_user(call, call->ticket->assignee, err);
}

static enum tkt_itsm_next go_reporter(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                      struct tkt_err *err)
{
    if (call->site->conf->requester == TKT_CONF_REQUESTER_TEXT ||
        call->ticket->requester[0] == '\0' ||
        strcmp(tkt_itsm_option(call, "reporter", "yes"), "no") == 0) {
        return go_assignee(call, w, err);
    }
    call->stage = REPORTER;
    return tkt_jira_ask_user(call, call->ticket->requester, err);
}

static enum tkt_itsm_next go_member(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                    struct tkt_err *err)
{
    if (w->reporter == NULL) {
        return go_assignee(call, w, err);
    }
    call->stage = MEMBER;
    return tkt_jsm_join_desk(call, w->reporter, err);
}

static enum tkt_itsm_next take(struct tkt_itsm_call *call, const char *id,
                               const char *key, struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    const char *browse = tkt_itsm_option(call, "browse", "");
    const char *escaped = key == NULL ? NULL : tkt_itsm_escape(call, key);

    if (id == NULL || *id == '\0' || escaped == NULL || *key == '\0') {
        return tkt_itsm_odd(call, err, "id and key");
    }
    s->external = (char *)(uintptr_t)id;
    s->number = (char *)(uintptr_t)key;
    s->url =
        (char *)(uintptr_t)(*browse != '\0'
                                ? tkt_itsm_text(call, "%s/browse/%s", browse, escaped)
                                : tkt_itsm_url(call, "/browse/%s", escaped));
    return TKT_ITSM_DONE;
}

/* ---- the rest of what is made --------------------------------------------------------- */

/* The rest of a text that was too long, as comments. */
static enum tkt_itsm_next next_part(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                    struct tkt_err *err)
{
    const char *text = tkt_jira_text(call);
    size_t count = 0;

    if (text == NULL || tkt_jira_part(call, text, 0, &count) == NULL) {
        return tkt_jira_no_memory(err);
    }
    do {
        w->part++;
    } while (w->part < count && w->has_part[w->part]);
    if (w->part >= count) {
        return TKT_ITSM_DONE;
    }
    call->stage = PARTS;
    text = tkt_jira_part(call, text, w->part, &count);
    enum tkt_itsm_next next = text == NULL ? tkt_jira_no_memory(err)
                              : tkt_jira_is_jsm(call)
                                  ? tkt_jsm_comment(call, text, true, err)
                                  : tkt_jira_put_comment(call, text, true, "", err);
    call->request.also[0] = 400; /* the ticket is there: that counts */
    call->request.also[1] = 403;
    call->request.also[2] = 404;
    call->request.also[3] = 413;
    return next;
}

/* What a request could not be given when it was made. */
static enum tkt_itsm_next put_tags(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                   struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *fields = cJSON_AddObjectToObject(body, "fields");

    add_common(call, w, fields);
    if (fields == NULL || fields->child == NULL) {
        cJSON_Delete(body);
        return next_part(call, w, err);
    }
    call->stage = TAGS;
    enum tkt_itsm_next next =
        tkt_itsm_json(call, "PUT", tkt_jira_issue_url(call, ""), body, err);
    call->request.repeatable = true;
    call->request.also[0] = 400;
    call->request.also[1] = 403;
    call->request.also[2] = 404;
    return next;
}

static enum tkt_itsm_next made(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                               struct tkt_err *err)
{
    const cJSON *json = call->answer->json;
    bool is_jsm = tkt_jira_is_jsm(call);

    if (call->answer->status >= 400) {
        return tkt_jira_drop(call, w) ? post(call, w, err) : tkt_jira_refuse(call, err);
    }
    if (take(call, tkt_itsm_str(call, json, is_jsm ? "issueId" : "id"),
             tkt_itsm_str(call, json, is_jsm ? "issueKey" : "key"),
             err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    return is_jsm ? put_tags(call, w, err) : next_part(call, w, err);
}

static enum tkt_itsm_next found_reporter(struct tkt_itsm_call *call,
                                         struct tkt_jira_work *w, struct tkt_err *err)
{
    bool makes =
        tkt_jira_is_jsm(call) && call->site->conf->requester == TKT_CONF_REQUESTER_CREATE;

    w->reporter = tkt_jira_user_in(call, call->ticket->requester);
    if (makes && w->reporter == NULL) {
        call->stage = CUSTOMER;
        return tkt_jsm_make_customer(call, err);
    }
    return makes ? go_member(call, w, err) : go_assignee(call, w, err);
}

enum tkt_itsm_next tkt_jira_create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_jira_work *w = tkt_jira_work(call);
    const char *id;

    if (w == NULL) {
        return tkt_jira_no_memory(err);
    }
    switch (call->stage) {
    case START:
        return go_reporter(call, w, err);
    case REPORTER:
        return found_reporter(call, w, err);
    case CUSTOMER:
        id = tkt_itsm_str(call, call->answer->json,
                          tkt_jira_is_cloud(call) ? "accountId" : "name");
        w->reporter = call->answer->status < 300 && id != NULL && *id != '\0' ? id : NULL;
        return go_member(call, w, err);
    case MEMBER:
        return go_assignee(call, w, err);
    case ASSIGNEE:
        w->assignee = tkt_jira_user_in(call, call->ticket->assignee);
        return post(call, w, err);
    case RECORD:
        return made(call, w, err);
    case TAGS:
        return call->answer->status == 400 && tkt_jira_drop(call, w)
                   ? put_tags(call, w, err)
                   : next_part(call, w, err);
    default:
        return next_part(call, w, err);
    }
}

/* ---- find ----------------------------------------------------------------------------- */

/* A value of JQL. */
static const char *quoted(struct tkt_itsm_call *call, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4096);

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            tkt_buf_addc(&out, '\\');
        }
        tkt_buf_addc(&out, *p);
    }
    return out.failed ? NULL : tkt_itsm_keep(call, tkt_buf_str(&out));
}

static const char *query_of(struct tkt_itsm_call *call)
{
    const char *project = quoted(call, call->site->conf->project);
    const char *field = key_field(call);
    const char *corr = call->ticket->corr;
    const char *where = NULL;

    if (strncmp(field, TKT_JIRA_CUSTOM, strlen(TKT_JIRA_CUSTOM)) == 0) {
        where = tkt_itsm_text(call, "cf[%s] ~ \"\\\"%s\\\"\"",
                              field + strlen(TKT_JIRA_CUSTOM), corr);
    } else if (tkt_jira_is_jsm(call)) {
        where = tkt_itsm_text(call, "(labels = \"%s\" OR description ~ \"\\\"%s\\\"\")",
                              corr, corr);
    } else {
        where = tkt_itsm_text(call, "labels = \"%s\"", corr);
    }
    return project == NULL || where == NULL
               ? NULL
               : tkt_itsm_text(call, "project = \"%s\" AND %s", project, where);
}

static enum tkt_itsm_next search(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *fields[] = {"summary", "labels", "description", key_field(call)};
    bool is_cloud = tkt_jira_is_cloud(call);
    bool has_own = strcmp(key_field(call), "labels") != 0;
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "jql", query_of(call));
    if (!is_cloud) {
        cJSON_AddNumberToObject(body, "startAt", 0);
    }
    cJSON_AddNumberToObject(body, "maxResults", 10);
    cJSON_AddItemToObject(body, "fields",
                          cJSON_CreateStringArray(fields, has_own ? 4 : 3));
    enum tkt_itsm_next next = tkt_itsm_json(
        call, "POST", tkt_jira_url(call, is_cloud ? "/search/jql" : "/search"), body,
        err);
    call->request.repeatable = true;
    return next;
}

static bool shows_key(struct tkt_itsm_call *call, const cJSON *fields)
{
    const char *corr = call->ticket->corr;
    const char *own =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(fields, key_field(call)));
    const char *text = tkt_jira_plain(call, tkt_json_at(fields, "description"));
    const cJSON *label;

    cJSON_ArrayForEach(label, tkt_json_at(fields, "labels"))
    {
        if (cJSON_IsString(label) && strcmp(label->valuestring, corr) == 0) {
            return true;
        }
    }
    return (own != NULL && strcmp(own, corr) == 0) ||
           (tkt_jira_is_jsm(call) && text != NULL && strstr(text, corr) != NULL);
}

/* A long text may have lost its rest with the answer. */
static enum tkt_itsm_next found(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                const cJSON *issue, struct tkt_err *err)
{
    if (take(call, tkt_itsm_str(call, issue, "id"), tkt_itsm_str(call, issue, "key"),
             err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    const char *text = tkt_jira_text(call);
    size_t count = 0;
    if (text == NULL || tkt_jira_part(call, text, 0, &count) == NULL) {
        return tkt_jira_no_memory(err);
    }
    if (count > 1) {
        call->stage = LIST;
        return tkt_jira_list_comments(call, err);
    }
    return tkt_jira_is_jsm(call) ? put_tags(call, w, err) : TKT_ITSM_DONE;
}

/* "[2/3]" at the start of a comment. */
static void note_parts(struct tkt_itsm_call *call, struct tkt_jira_work *w)
{
    const cJSON *c;

    cJSON_ArrayForEach(c, tkt_json_at(call->answer->json, "comments"))
    {
        const char *text = tkt_jira_plain(call, tkt_json_at(c, "body"));
        size_t n = text != NULL && text[0] == '[' ? (size_t)(text[1] - '0') : 0;

        if (n >= 2 && n <= TKT_JIRA_PARTS_MAX && text[2] == '/') {
            w->has_part[n - 1] = true;
        }
    }
}

enum tkt_itsm_next tkt_jira_find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_jira_work *w = tkt_jira_work(call);
    const cJSON *issue;

    if (w == NULL) {
        return tkt_jira_no_memory(err);
    }
    switch (call->stage) {
    case START:
        call->stage = RECORD;
        return search(call, err);
    case LIST:
        note_parts(call, w);
        return tkt_jira_is_jsm(call) ? put_tags(call, w, err) : next_part(call, w, err);
    case TAGS:
        return call->answer->status == 400 && tkt_jira_drop(call, w)
                   ? put_tags(call, w, err)
                   : next_part(call, w, err);
    case PARTS:
        return next_part(call, w, err);
    default:
        break;
    }
    if (!cJSON_IsArray(tkt_json_at(call->answer->json, "issues"))) {
        return tkt_itsm_odd(call, err, "issues");
    }
    cJSON_ArrayForEach(issue, tkt_json_at(call->answer->json, "issues"))
    {
        if (shows_key(call, tkt_json_at(issue, "fields"))) {
            return found(call, w, issue, err);
        }
    }
    return TKT_ITSM_DONE;
}

/* ---- list ----------------------------------------------------------------------------- */

#define LIST_PAGE 100
/* Times of a query are minutes in the zone of our user there, whichever that is: so much
 * earlier is asked for, newest first, until what comes is older than what is wanted. */
#define ZONES_MS (14 * 3600 * INT64_C(1000))

static enum tkt_itsm_next ask_changed(struct tkt_itsm_call *call, const char *token,
                                      struct tkt_err *err)
{
    static const char *const fields[] = {"updated"};
    bool is_cloud = tkt_jira_is_cloud(call);
    const char *project = quoted(call, call->site->conf->project);
    const char *since = tkt_itsm_time_text(call, call->since_ms - ZONES_MS, ' ');
    const char *jql =
        project == NULL || since == NULL
            ? NULL
            : tkt_itsm_text(call,
                            "project = \"%s\" AND updated >= \"%.16s\" ORDER BY updated "
                            "DESC",
                            project, since);
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "jql", jql);
    if (!is_cloud) {
        cJSON_AddNumberToObject(body, "startAt", (double)call->step * LIST_PAGE);
    } else if (token != NULL) {
        cJSON_AddStringToObject(body, "nextPageToken", token);
    }
    cJSON_AddNumberToObject(body, "maxResults", LIST_PAGE);
    cJSON_AddItemToObject(body, "fields", cJSON_CreateStringArray(fields, 1));
    enum tkt_itsm_next next = tkt_itsm_json(
        call, "POST", tkt_jira_url(call, is_cloud ? "/search/jql" : "/search"),
        jql == NULL ? (cJSON_Delete(body), NULL) : body, err);
    call->request.repeatable = true;
    return next;
}

enum tkt_itsm_next tkt_jira_list(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *issue;
    bool is_older = false;

    if (call->step == 0) {
        return ask_changed(call, NULL, err);
    }
    const cJSON *issues = tkt_json_at(call->answer->json, "issues");
    const char *token =
        cJSON_GetStringValue(tkt_json_at(call->answer->json, "nextPageToken"));
    if (!cJSON_IsArray(issues)) {
        return tkt_itsm_odd(call, err, "issues");
    }
    cJSON_ArrayForEach(issue, issues)
    {
        int64_t at = tkt_itsm_time(tkt_itsm_str(call, issue, "fields.updated"));

        is_older = at >= 0 && at < call->since_ms;
        if (tkt_itsm_changed(call, tkt_itsm_str(call, issue, "id"), at, err) < 0) {
            return TKT_ITSM_FAILED;
        }
    }
    bool has_more =
        tkt_jira_is_cloud(call) ? token != NULL : cJSON_GetArraySize(issues) >= LIST_PAGE;
    return is_older || !has_more || tkt_itsm_list_is_full(call, LIST_PAGE)
               ? TKT_ITSM_DONE
               : ask_changed(call, token, err);
}
