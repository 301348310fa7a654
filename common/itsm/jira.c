/* SPDX-License-Identifier: BSD-2-Clause
 * Jira: Cloud (REST v3, documents) and Data Center (REST v2, wiki markup), and what
 * requests of Jira Service Management share with their issues.
 *
 * The correlation key is a label, or a custom field of one line. Jira's search lags behind
 * what was written, so a look-up that finds nothing counts only after search_lag; a hit
 * counts only if it shows the key. The id of an issue is kept for calls: its key changes
 * when it is moved.
 */
#include "itsm/jira.h"
#include "base/enc.h"
#include "base/util.h"
#include "itsm/backends.h"
#include "net/outcome.h"

#include <stdio.h>
#include <string.h>

#define SEARCH_LAG_MS (120 * 1000)
#define LIST_LAG_MS (15 * 60 * INT64_C(1000)) /* its search shows a change when it does */
#define PRODUCT "ticket-milter"

enum stage {
    START,
    LIST,
    WRITE
};

const char *const tkt_jira_options[] = {"api",          "correlation_field",
                                        "type",         "group",
                                        "reporter",     "assignee",
                                        "label",        "internal_role",
                                        "browse",       "markup",
                                        "text_max",     "resolution",
                                        "hidden_email", "desk",
                                        "files",        NULL};

/* ---- names of things ------------------------------------------------------------------ */

struct tkt_jira_work *tkt_jira_work(struct tkt_itsm_call *call)
{
    if (call->state == NULL) {
        struct tkt_jira_work *w = tkt_wire_arena_alloc(&call->arena, sizeof(*w));

        if (w != NULL) {
            *w = (struct tkt_jira_work){0};
        }
        call->state = w;
    }
    return call->state;
}

enum tkt_itsm_next tkt_jira_no_memory(struct tkt_err *err)
{
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
    return TKT_ITSM_FAILED;
}

bool tkt_jira_is_jsm(const struct tkt_itsm_call *call)
{
    return strcmp(call->site->conf->type, "jsm") == 0;
}

/* The host of a URL ends so. */
static bool is_at(const char *url, const char *domain)
{
    const char *host = strstr(url, "://");
    size_t n = host == NULL ? 0 : strcspn(host + 3, ":/");
    size_t want = strlen(domain);

    return n >= want && tkt_ascii_ieqn(host + 3 + n - want, domain, want);
}

bool tkt_jira_is_cloud(const struct tkt_itsm_call *call)
{
    const char *url = call->site->conf->url;
    const char *api = tkt_itsm_option(call, "api", "");

    return *api != '\0' ? strcmp(api, "cloud") == 0
                        : is_at(url, ".atlassian.net") || is_at(url, ".jira.com") ||
                              is_at(url, "api.atlassian.com");
}

const char *tkt_jira_url(struct tkt_itsm_call *call, const char *path)
{
    return path == NULL ? NULL
                        : tkt_itsm_url(call, "/rest/api/%s%s",
                                       tkt_jira_is_cloud(call) ? "3" : "2", path);
}

const char *tkt_jira_key(const struct tkt_itsm_call *call)
{
    const char *made = call->seen.external;

    return made != NULL && *made != '\0' ? made : call->ticket->external;
}

const char *tkt_jira_issue_url(struct tkt_itsm_call *call, const char *below)
{
    const char *key = tkt_itsm_escape(call, tkt_jira_key(call));

    return key == NULL || below == NULL
               ? NULL
               : tkt_jira_url(call, tkt_itsm_text(call, "/issue/%s%s", key, below));
}

const char *tkt_jira_type(const struct tkt_itsm_call *call)
{
    return tkt_itsm_map(&call->site->conf->types, call->ticket->type,
                        tkt_itsm_option(call, "type", "Task"));
}

static const char *const priorities[] = {"",       "Highest", "High",
                                         "Medium", "Low",     "Lowest"};

const char *tkt_jira_priority(struct tkt_itsm_call *call)
{
    int p = call->ticket->priority;
    const char *ours = tkt_itsm_text(call, "%d", p);

    return p < 1 || p >= (int)TKT_ARRAY_LEN(priorities) || ours == NULL
               ? NULL
               : tkt_itsm_map(&call->site->conf->priorities, ours, priorities[p]);
}

const char *tkt_jira_group(const struct tkt_itsm_call *call)
{
    return call->ticket->group[0] == '\0'
               ? NULL
               : tkt_itsm_map(&call->site->conf->groups, call->ticket->group, NULL);
}

const char *tkt_jira_group_field(const struct tkt_itsm_call *call)
{
    const char *field = tkt_itsm_option(call, "group", "component");

    return strcmp(field, "component") == 0 ? "components"
           : strcmp(field, "label") == 0   ? "labels"
                                           : field;
}

/* ---- refusals ------------------------------------------------------------------------- */

/* The first of a list, and each of an object with its name. */
static void add_words(struct tkt_buf *said, const cJSON *json)
{
    const cJSON *word;

    cJSON_ArrayForEach(word, json)
    {
        if (cJSON_IsString(word) && said->len < 300) {
            tkt_buf_addf(said, "%s%s%s%.200s", said->len > 0 ? "; " : "",
                         word->string == NULL ? "" : word->string,
                         word->string == NULL ? "" : ": ", word->valuestring);
        }
    }
}

static void read_words(const struct tkt_itsm_answer *a, struct tkt_buf *said)
{
    const char *one = cJSON_GetStringValue(tkt_json_at(a->json, "errorMessage"));

    add_words(said, tkt_json_at(a->json, "errorMessages"));
    add_words(said, tkt_json_at(a->json, "errors"));
    one = one == NULL ? cJSON_GetStringValue(tkt_json_at(a->json, "message")) : one;
    if (one != NULL && said->len == 0) {
        tkt_buf_addf(said, "%.300s", one);
    }
    if (a->json == NULL && a->len > 0 && a->body[0] != '<') {
        tkt_buf_addf(said, "%.160s", a->body); /* "XSRF check failed" */
    }
    for (size_t i = 0; i < said->len; i++) {
        unsigned char c = (unsigned char)said->data[i];
        said->data[i] = c < 0x20 || c == 0x7f ? ' ' : said->data[i];
    }
}

static const char *header(const struct tkt_itsm_answer *a, const char *name, char *room,
                          size_t size)
{
    const char *v =
        a->response == NULL ? NULL : tkt_http_header(a->response, name, room, size);

    return v == NULL ? "" : v;
}

/* 429 without Retry-After may still say when its window ends; by its own clock. */
static int until_reset(const struct tkt_itsm_answer *a)
{
    char reset[64], date[64], month[4] = "";
    int y, mo, d, h, mi;
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (sscanf(header(a, "x-ratelimit-reset", reset, sizeof(reset)),
               "%4d-%2d-%2dT%2d:%2d", &y, &mo, &d, &h, &mi) != 5 ||
        mo < 1 || mo > 12) {
        return 0;
    }
    memcpy(month, names + (size_t)(mo - 1) * 3, 3);
    (void)snprintf(reset, sizeof(reset), "Sun, %02d %s %04d %02d:%02d:00 GMT", d, month,
                   y, h, mi); /* has room; the day of the week is not looked at */
    int64_t at = tkt_http_date(reset);
    int64_t now = tkt_http_date(header(a, "date", date, sizeof(date)));
    int64_t left = at < 0 || now < 0 ? 0 : at + 60 - now; /* seconds may be left out */
    return (int)TKT_MAX(0, TKT_MIN(left, TKT_HTTP_RETRY_AFTER_MAX_S));
}

/* A secret that Jira does not believe makes us nobody, who sees nothing: 404 and 400. */
static bool is_nobody(const struct tkt_itsm_answer *a)
{
    char reason[64], denied[64];
    const char *login = header(a, "x-seraph-loginreason", reason, sizeof(reason));

    return strstr(login, "AUTHENTICATED_FAILED") != NULL ||
           strstr(login, "AUTHENTICATION_DENIED") != NULL ||
           strstr(header(a, "x-authentication-denied-reason", denied, sizeof(denied)),
                  "CAPTCHA") != NULL;
}

void tkt_jira_refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf said = TKT_BUF_INIT(2048);
    enum tkt_err_class class = err->class;
    int retry_after_s = err->retry_after_s;
    char room[64];
    const char *reason = header(a, "ratelimit-reason", room, sizeof(room));

    read_words(a, &said);
    if (is_nobody(a)) {
        class = TKT_ERR_TEMP; /* tickets wait for a better secret */
        retry_after_s = 300;
        tkt_buf_adds(&said, " (it does not know us: is the secret right? it may "
                            "want a CAPTCHA after several mistakes)");
    } else if (a->status == 409) {
        class = TKT_ERR_TEMP; /* somebody moved it at the same time */
    } else if (a->status == 410) {
        tkt_buf_adds(&said, " (api=cloud searches by search/jql, api=server by search)");
    } else if (a->status == 429 && retry_after_s == 0) {
        retry_after_s = until_reset(a);
    }
    tkt_err_set(err, class, "Jira says %d%s%.60s \"%.300s\"", a->status,
                *reason == '\0' ? "" : " ", reason, tkt_buf_str(&said));
    err->retry_after_s = retry_after_s;
}

enum tkt_itsm_next tkt_jira_refuse(struct tkt_itsm_call *call, struct tkt_err *err)
{
    int status = call->answer->status;

    *err = (struct tkt_err){.class = status == 401 || status == 403 ? TKT_ERR_CONF
                                                                    : TKT_ERR_PERM};
    tkt_jira_refusal(call->answer, err);
    return TKT_ITSM_FAILED;
}

static bool is_in(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (; text != NULL && *text != '\0'; text++) {
        if (tkt_ascii_ieqn(text, word, n)) {
            return true;
        }
    }
    return false;
}

/* A request's refusal names nothing: it is about its customer if it says so. */
static bool drop_customer(struct tkt_itsm_call *call, struct tkt_jira_work *w)
{
    const char *said =
        cJSON_GetStringValue(tkt_json_at(call->answer->json, "errorMessage"));
    bool mine =
        is_in(said, "behalf") || is_in(said, "reporter") || is_in(said, "customer");

    if (!mine || w->reporter == NULL || w->no_reporter) {
        return false;
    }
    w->no_reporter = true;
    return true;
}

bool tkt_jira_drop(struct tkt_itsm_call *call, struct tkt_jira_work *w)
{
    const struct {
        const char *name;
        bool *refused;
    } rows[] = {{"reporter", &w->no_reporter},
                {"assignee", &w->no_assignee},
                {"priority", &w->no_priority},
                {tkt_jira_group_field(call), &w->no_group}};
    const cJSON *errors = tkt_json_at(call->answer->json, "errors");
    const cJSON *error;
    bool some = false;

    if (!cJSON_IsObject(errors) || errors->child == NULL) {
        return tkt_jira_is_jsm(call) && drop_customer(call, w);
    }
    cJSON_ArrayForEach(error, errors)
    {
        bool known = false;

        for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
            if (strcmp(error->string, rows[i].name) == 0 && !*rows[i].refused) {
                *rows[i].refused = known = some = true;
            }
        }
        if (!known) {
            return false;
        }
    }
    return some;
}

/* ---- people --------------------------------------------------------------------------- */

enum tkt_itsm_next tkt_jira_ask_user(struct tkt_itsm_call *call, const char *address,
                                     struct tkt_err *err)
{
    const char *who = tkt_itsm_escape(call, address);
    enum tkt_itsm_next next = tkt_itsm_get(
        call,
        who == NULL
            ? NULL
            : tkt_jira_url(call,
                           tkt_itsm_text(call, "/user/search?%s=%s&maxResults=20",
                                         tkt_jira_is_cloud(call) ? "query" : "username",
                                         who)),
        err);

    call->request.also[0] = 403; /* no right to browse users: nobody is found */
    call->request.also[1] = 404;
    return next;
}

const char *tkt_jira_user_in(struct tkt_itsm_call *call, const char *address)
{
    bool trusts = strcmp(tkt_itsm_option(call, "hidden_email", "no"), "yes") == 0;
    size_t total = tkt_itsm_count(call->answer->json, "");
    const char *id_name = tkt_jira_is_cloud(call) ? "accountId" : "name";
    const char *found = NULL;
    size_t count = 0;
    const cJSON *user;

    if (!cJSON_IsArray(call->answer->json)) {
        return NULL;
    }
    cJSON_ArrayForEach(user, call->answer->json)
    {
        const char *email = cJSON_GetStringValue(tkt_json_at(user, "emailAddress"));
        const char *id = tkt_itsm_str(call, user, id_name);
        bool hidden = email == NULL || *email == '\0';

        if (id != NULL && *id != '\0' && !cJSON_IsFalse(tkt_json_at(user, "active")) &&
            (hidden ? trusts && total == 1 : tkt_ascii_ieq(email, address))) {
            found = id;
            count++;
        }
    }
    return count == 1 ? found : NULL;
}

void tkt_jira_add_user(const struct tkt_itsm_call *call, cJSON *to, const char *name,
                       const char *user)
{
    cJSON *who = cJSON_AddObjectToObject(to, name);

    cJSON_AddStringToObject(who, tkt_jira_is_cloud(call) ? "id" : "name", user);
}

/* ---- comments and files --------------------------------------------------------------- */

enum tkt_itsm_next tkt_jira_put_comment(struct tkt_itsm_call *call, const char *text,
                                        bool is_public, const char *key,
                                        struct tkt_err *err)
{
    const char *role = tkt_itsm_option(call, "internal_role", "");
    cJSON *body = cJSON_CreateObject();
    cJSON *rich = text == NULL ? NULL : tkt_jira_rich(call, text);

    if (rich == NULL || !cJSON_AddItemToObject(body, "body", rich)) {
        cJSON_Delete(rich);
        cJSON_Delete(body);
        return tkt_jira_no_memory(err);
    }
    cJSON *properties = cJSON_AddArrayToObject(body, "properties");
    const struct {
        const char *name, *member, *text;
    } rows[] = {{"sd.public.comment", "internal", is_public ? NULL : ""},
                {PRODUCT, "key", key == NULL || *key == '\0' ? NULL : key}};
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        cJSON *row = rows[i].text == NULL ? NULL : cJSON_CreateObject();
        cJSON *value;

        if (row == NULL) {
            continue;
        }
        cJSON_AddStringToObject(row, "key", rows[i].name);
        value = cJSON_AddObjectToObject(row, "value");
        if (*rows[i].text == '\0') {
            cJSON_AddBoolToObject(value, rows[i].member, true);
        } else {
            cJSON_AddStringToObject(value, rows[i].member, rows[i].text);
        }
        cJSON_AddItemToArray(properties, row);
    }
    if (!is_public && *role != '\0') {
        cJSON *visibility = cJSON_AddObjectToObject(body, "visibility");
        cJSON_AddStringToObject(visibility, "type", "role");
        cJSON_AddStringToObject(visibility, "value", role);
    }
    return tkt_itsm_json(call, "POST", tkt_jira_issue_url(call, "/comment"), body, err);
}

enum tkt_itsm_next tkt_jira_list_comments(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return tkt_itsm_get(
        call,
        tkt_jira_issue_url(call,
                           "/comment?orderBy=-created&maxResults=100&expand=properties"),
        err);
}

/* The job's, and "j12.2" for the second piece of a long one. */
static const char *part_key(struct tkt_itsm_call *call, size_t part)
{
    const char *key = call->key == NULL ? "" : call->key;

    return part == 0 || *key == '\0' ? key : tkt_itsm_text(call, "%s.%zu", key, part + 1);
}

/* What was sent before has our key among its properties. */
static void note_keys(struct tkt_itsm_call *call, struct tkt_jira_work *w)
{
    const cJSON *c, *p;

    cJSON_ArrayForEach(c, tkt_json_at(call->answer->json, "comments"))
    {
        cJSON_ArrayForEach(p, tkt_json_at(c, "properties"))
        {
            const char *name = cJSON_GetStringValue(tkt_json_at(p, "key"));
            const char *key = cJSON_GetStringValue(tkt_json_at(p, "value.key"));

            for (size_t i = 0; i < TKT_JIRA_PARTS_MAX && name != NULL && key != NULL;
                 i++) {
                const char *ours = part_key(call, i);
                bool is_ours = strcmp(name, PRODUCT) == 0 && ours != NULL;
                w->has_part[i] = w->has_part[i] || (is_ours && strcmp(key, ours) == 0);
            }
        }
    }
}

static const char *comment_part(struct tkt_itsm_call *call, size_t part, size_t *count)
{
    const struct tkt_itsm_comment *c = call->comment;
    const char *text = tkt_itsm_body(call, c->text[0] != '\0' ? c->text : "-", 0);

    text = text == NULL ? NULL : tkt_jira_part(call, text, part, count);
    return part > 0 ? text : tkt_jira_sent_by(call, c->author_name, c->author, text);
}

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_comment *c = call->comment;
    struct tkt_jira_work *w = tkt_jira_work(call);
    size_t count = 0;

    if (w == NULL) {
        return tkt_jira_no_memory(err);
    }
    if (call->stage == START && call->key != NULL && *call->key != '\0' &&
        !tkt_jira_is_jsm(call)) {
        call->stage = LIST;
        return tkt_jira_list_comments(call, err);
    }
    if (call->stage == LIST) {
        note_keys(call, w);
    }
    w->part += call->stage == WRITE;
    call->stage = WRITE;
    while (comment_part(call, w->part, &count) != NULL && w->part < count &&
           w->has_part[w->part]) {
        w->part++;
    }
    const char *text = comment_part(call, w->part, &count);
    if (text == NULL) {
        return tkt_jira_no_memory(err);
    }
    if (w->part >= count) {
        return TKT_ITSM_DONE;
    }
    return tkt_jira_is_jsm(call) ? tkt_jsm_comment(call, text, c->is_public, err)
                                 : tkt_jira_put_comment(call, text, c->is_public,
                                                        part_key(call, w->part), err);
}

enum tkt_itsm_next tkt_jira_list_files(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return tkt_itsm_get(call, tkt_jira_issue_url(call, "?fields=attachment"), err);
}

/* An upload whose answer got lost is not made twice. */
bool tkt_jira_has_file(struct tkt_itsm_call *call)
{
    const cJSON *file;

    cJSON_ArrayForEach(file, tkt_json_at(call->answer->json, "fields.attachment"))
    {
        const char *name = cJSON_GetStringValue(tkt_json_at(file, "filename"));
        const cJSON *size = tkt_json_at(file, "size");

        if (name != NULL && strcmp(name, call->file->name) == 0 && cJSON_IsNumber(size) &&
            (int64_t)size->valuedouble == call->file->size) {
            return true;
        }
    }
    return false;
}

static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return tkt_jira_list_files(call, err);
    }
    if (call->step == 1 && tkt_jira_has_file(call)) {
        return TKT_ITSM_DONE;
    }
    if (tkt_jira_is_jsm(call)) {
        return tkt_jsm_attach(call, err);
    }
    if (call->step > 1) {
        return TKT_ITSM_DONE;
    }
    enum tkt_itsm_next next =
        tkt_itsm_form(call, tkt_jira_issue_url(call, "/attachments"), "file", NULL, err);
    tkt_itsm_header(call, "X-Atlassian-Token: no-check");
    return next;
}

/* ---- the section ---------------------------------------------------------------------- */

static bool has_option(const struct tkt_conf_itsm *conf, const char *name)
{
    return *tkt_itsm_map(&conf->options, name, "") != '\0';
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const char *api = tkt_itsm_map(&conf->options, "api", "cloud");
    const char *field = tkt_itsm_map(&conf->options, "correlation_field", "");
    bool is_jsm = strcmp(conf->type, "jsm") == 0;
    size_t n = strlen(TKT_JIRA_CUSTOM);

    if (conf->auth != TKT_CONF_AUTH_OAUTH_CLIENT &&
        tkt_itsm_need_secret(conf, "token", err) < 0) {
        return -1;
    }
    if (tkt_itsm_need_project(conf, "write project = \"KEY\"", err) < 0) {
        return -1;
    }
    if (strcmp(api, "cloud") != 0 && strcmp(api, "server") != 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "options: api is cloud or server");
    }
    if (*field != '\0' && (strncmp(field, TKT_JIRA_CUSTOM, n) != 0 || field[n] == '\0' ||
                           field[n + strspn(field + n, "0123456789")] != '\0')) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "options: correlation_field is customfield_ and its number");
    }
    if (strcmp(tkt_itsm_map(&conf->options, "group", ""), "label") == 0) {
        for (size_t i = 0; i < conf->groups.count; i++) {
            if (strchr(conf->groups.items[i], ' ') != NULL) {
                return tkt_err_set(err, TKT_ERR_CONF, "groups: a label has no blanks: %s",
                                   conf->groups.items[i]);
            }
        }
    }
    if (is_jsm && (!has_option(conf, "desk") ||
                   (!has_option(conf, "type") && conf->types.count == 0))) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "options: write \"desk=ID\" of the service desk, and "
                           "\"type=ID\" of a request type or types");
    }
    return 0;
}

static int check_jira(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    bool is_basic =
        conf->auth == TKT_CONF_AUTH_BASIC || conf->auth == TKT_CONF_AUTH_DEFAULT;

    if (is_basic && conf->user[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "no user; write the address of the API token's owner, or "
                           "auth = bearer for a personal access token");
    }
    return check_conf(conf, err);
}

#define STEPS                                                                            \
    {                                                                                    \
        [TKT_ITSM_CREATE] = tkt_jira_create, [TKT_ITSM_FIND] = tkt_jira_find,            \
        [TKT_ITSM_COMMENT] = comment, [TKT_ITSM_ATTACH] = attach,                        \
        [TKT_ITSM_UPDATE] = tkt_jira_update, [TKT_ITSM_FETCH] = tkt_jira_fetch,          \
        [TKT_ITSM_CHECK] = tkt_jira_check, [TKT_ITSM_CLOSE] = tkt_jira_close,            \
        [TKT_ITSM_LIST] = tkt_jira_list                                                  \
    }

const struct tkt_itsm_ops tkt_itsm_jira = {.type = "jira",
                                           .title = "Jira (Cloud v3, Data Center v2)",
                                           .auth = TKT_ITSM_AUTH_BASIC,
                                           .options = tkt_jira_options,
                                           .search_lag_ms = SEARCH_LAG_MS,
                                           .list_lag_ms = LIST_LAG_MS,
                                           .search_is_proof = true,
                                           .check = check_jira,
                                           .refusal = tkt_jira_refusal,
                                           .state_word = tkt_jira_state_word,
                                           .priorities = priorities,
                                           .steps = STEPS};

const struct tkt_itsm_ops tkt_itsm_jsm = {.type = "jsm",
                                          .title = "Jira Service Management (requests)",
                                          .auth = TKT_ITSM_AUTH_BASIC,
                                          .options = tkt_jira_options,
                                          .search_lag_ms = SEARCH_LAG_MS,
                                          .list_lag_ms = LIST_LAG_MS,
                                          .search_is_proof = true,
                                          .check = check_jira,
                                          .refusal = tkt_jira_refusal,
                                          .state_word = tkt_jira_state_word,
                                          .priorities = priorities,
                                          .steps = STEPS};
