/* SPDX-License-Identifier: BSD-2-Clause
 * GitHub issues, REST 2022-11-28; github.com and Enterprise Server.
 *
 * The correlation key is a line of the issue's body that is not shown. It is looked for in
 * the repository's list of issues, newest first: the search has an index that lags, the list
 * has none. Groups, priorities and types are labels, and so are states that are neither open
 * nor closed. GitHub takes no files and knows no internal comments: a comment names the
 * file, and an internal comment stays here.
 */
#include "base/util.h"
#include "itsm/backends.h"
#include "itsm/issues.h"
#include "net/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define TITLE_MAX 256
#define TEXT_MAX 65000 /* bytes; GitHub refuses more than 65536 characters */
#define PAGE 100
#define FIND_PAGES 20
#define SINCE_SLACK_S 600 /* clocks differ */
#define SECONDARY_S 60    /* what GitHub asks for where it names no time */

static const char *const options[] = {"assignee", "internal", "label",      "login",
                                      "markdown", "public",   "issue_type", NULL};

/* What an issue says without a label. */
static const struct tkt_itsm_word states[] = {
    {"new", "open"},        {"open", "open"},     {"pending", "open"},
    {"resolved", "closed"}, {"closed", "closed"}, {NULL, NULL}};

static const struct tkt_issues_words called = {.key = "number",
                                               .page = "html_url",
                                               .assignee = "assignees.0.login",
                                               .author = "user.login"};

/* "owner/name"; each half by itself, so that neither leaves its place. */
static const char *repo_url(struct tkt_itsm_call *call, const char *below)
{
    const char *project = call->site->conf->project;
    size_t n = strcspn(project, "/");
    const char *owner = tkt_itsm_text(call, "%.*s", (int)n, project);
    const char *name =
        tkt_itsm_escape(call, project[n] == '/' ? project + n + 1 : project + n);

    owner = owner == NULL ? NULL : tkt_itsm_escape(call, owner);
    return owner == NULL || name == NULL || below == NULL
               ? NULL
               : tkt_itsm_url(call, "/repos/%s/%s%s", owner, name, below);
}

static const char *issue_url(struct tkt_itsm_call *call, const char *below)
{
    const char *number = tkt_itsm_escape(call, call->ticket->external);

    return number == NULL
               ? NULL
               : repo_url(call, tkt_itsm_text(call, "/issues/%s%s", number, below));
}

static void add_headers(struct tkt_itsm_call *call)
{
    call->request.header_count = 0;
    tkt_itsm_header(call, "Accept: application/vnd.github+json");
    tkt_itsm_header(call, "X-GitHub-Api-Version: 2022-11-28");
    if (call->request.body != NULL) {
        tkt_itsm_header(call, "Content-Type: application/json");
    }
}

static enum tkt_itsm_next get(struct tkt_itsm_call *call, const char *url,
                              struct tkt_err *err)
{
    enum tkt_itsm_next next = tkt_itsm_get(call, url, err);

    add_headers(call);
    return next;
}

static enum tkt_itsm_next send(struct tkt_itsm_call *call, const char *method,
                               const char *url, cJSON *body, struct tkt_err *err)
{
    enum tkt_itsm_next next = tkt_itsm_json(call, method, url, body, err);

    add_headers(call);
    return next;
}

/* ---- refusals ------------------------------------------------------------------------- */

static int64_t number_in(const struct tkt_itsm_answer *a, const char *name)
{
    char room[64];
    const char *value = a->response == NULL
                            ? NULL
                            : tkt_http_header(a->response, name, room, sizeof(room));

    return value == NULL || *value < '0' || *value > '9' ? -1 : strtoll(value, NULL, 10);
}

/* A limit comes as 403 or 429: seconds to wait, 0 when it is none. */
static int limit_of(const struct tkt_itsm_answer *a, const char *said)
{
    char room[64];
    const char *date = a->response == NULL
                           ? NULL
                           : tkt_http_header(a->response, "date", room, sizeof(room));
    int64_t wait = number_in(a, "retry-after");

    if (wait < 0 && number_in(a, "x-ratelimit-remaining") == 0 && date != NULL) {
        wait = number_in(a, "x-ratelimit-reset") - tkt_http_date(date) + 1;
    } else if (wait < 0 && said != NULL && strstr(said, "rate limit") != NULL) {
        wait = SECONDARY_S;
    }
    return (int)TKT_MAX(0, TKT_MIN(wait, TKT_HTTP_RETRY_AFTER_MAX_S));
}

static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    const char *said = cJSON_GetStringValue(tkt_json_at(a->json, "message"));
    const cJSON *first = tkt_json_at(a->json, "errors.0");
    const char *field = cJSON_GetStringValue(tkt_json_at(first, "field"));
    const char *code = cJSON_GetStringValue(tkt_json_at(first, "code"));
    int wait = a->status == 403 || a->status == 429 ? limit_of(a, said) : 0;
    enum tkt_err_class class = wait > 0 ? TKT_ERR_TEMP : err->class;
    int told = err->retry_after_s;

    tkt_err_set(err, class, "GitHub says %d \"%.200s\"%s%.60s%s%.60s", a->status,
                said == NULL ? "" : said, field == NULL ? "" : ": ",
                field == NULL ? "" : field, code == NULL ? "" : " ",
                code == NULL ? "" : code);
    err->retry_after_s = TKT_MAX(told, wait);
}

/* ---- people --------------------------------------------------------------------------- */

/* Only addresses that people show in public can be found. */
static enum tkt_itsm_next ask_for_assignee(struct tkt_itsm_call *call,
                                           struct tkt_err *err)
{
    const char *query = tkt_itsm_text(call, "%s in:email", call->ticket->assignee);
    const char *escaped = query == NULL ? NULL : tkt_itsm_escape(call, query);
    enum tkt_itsm_next next = get(
        call,
        escaped == NULL ? NULL
                        : tkt_itsm_url(call, "/search/users?q=%s&per_page=2", escaped),
        err);

    call->request.also[0] = 422;
    return next;
}

/* A login, or NULL: nobody, or two. */
static const char *assignee_in(struct tkt_itsm_call *call)
{
    const cJSON *json = call->answer->json;
    const char *login = tkt_itsm_str(call, json, "items.0.login");

    return tkt_itsm_count(json, "items") == 1 && login != NULL && *login != '\0' ? login
                                                                                 : NULL;
}

/* true: it has to be looked up first; else *login, NULL for none. */
static bool must_look_up(const struct tkt_itsm_call *call, const char **login)
{
    bool wanted = tkt_issues_wants_assignee(call);
    bool is_address = wanted && strchr(call->ticket->assignee, '@') != NULL;

    *login = wanted && !is_address ? call->ticket->assignee : NULL;
    return is_address;
}

/* ---- create --------------------------------------------------------------------------- */

static int add_field(void *arg, const char *name, const char *value)
{
    bool is_number = strcmp(name, "milestone") == 0;

    return (is_number ? cJSON_AddNumberToObject(arg, name, strtod(value, NULL))
                      : cJSON_AddStringToObject(arg, name, value)) == NULL
               ? -1
               : 0;
}

static void add_names(cJSON *body, const char *name,
                      const struct tkt_issues_labels *labels)
{
    cJSON *array = cJSON_AddArrayToObject(body, name);

    for (size_t i = 0; i < labels->count; i++) {
        cJSON_AddItemToArray(array, cJSON_CreateString(labels->names[i]));
    }
}

static enum tkt_itsm_next post_issue(struct tkt_itsm_call *call, const char *assignee,
                                     struct tkt_err *err)
{
    bool as_type = tkt_issues_says(call, "issue_type", "yes");
    const char *type =
        as_type ? tkt_itsm_map(&call->site->conf->types, call->ticket->type, NULL) : NULL;
    const struct tkt_issues_labels who = {.names = {assignee}, .count = 1};
    struct tkt_issues_labels labels;
    cJSON *body = cJSON_CreateObject();

    tkt_issues_wanted(call, !as_type, &labels);
    cJSON_AddStringToObject(body, "title", tkt_issues_title(call, TITLE_MAX));
    cJSON_AddStringToObject(body, "body",
                            tkt_issues_body(call, TITLE_MAX, TEXT_MAX, false));
    if (labels.count > 0) {
        add_names(body, "labels", &labels);
    }
    if (assignee != NULL) {
        add_names(body, "assignees", &who);
    }
    if (type != NULL) {
        cJSON_AddStringToObject(body, "type", type);
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    if (tkt_itsm_fields(call, add_field, body, err) < 0) {
        cJSON_Delete(body);
        return TKT_ITSM_FAILED;
    }
    return send(call, "POST", repo_url(call, "/issues"), body, err);
}

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *login = NULL;

    if (call->step == 0 && must_look_up(call, &login)) {
        return ask_for_assignee(call, err);
    }
    if (call->stage == 0) {
        call->stage = 1;
        return post_issue(call, call->step == 0 ? login : assignee_in(call), err);
    }
    return tkt_issues_take(call, call->answer->json, &called, err);
}

/* ---- find ----------------------------------------------------------------------------- */

static const char *since(struct tkt_itsm_call *call)
{
    time_t at = (time_t)(call->ticket->created_ms / 1000 - SINCE_SLACK_S);
    char text[64];
    struct tm tm;

    if (call->ticket->created_ms <= 0 || gmtime_r(&at, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        return "";
    }
    return tkt_itsm_keep(call, text);
}

static enum tkt_itsm_next ask_for_page(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *login = tkt_itsm_option(call, "login", "");
    const char *creator = tkt_itsm_escape(call, login);
    const char *from = since(call);
    const char *query =
        creator == NULL || from == NULL
            ? NULL
            : tkt_itsm_text(call,
                            "/issues?state=all&sort=created&direction=desc&per_page=%d"
                            "&page=%d%s%s%s%s",
                            PAGE, call->step + 1, *login ? "&creator=" : "", creator,
                            *from ? "&since=" : "", from);

    return get(call, repo_url(call, query), err);
}

/* true: what is left was made before the ticket was. */
static bool is_before(const cJSON *issue, const char *from)
{
    const char *at = cJSON_GetStringValue(tkt_json_at(issue, "created_at"));

    return *from != '\0' && at != NULL && strcmp(at, from) < 0;
}

static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *from = since(call);
    bool is_end = false;
    const cJSON *issue;

    if (call->step == 0) {
        return ask_for_page(call, err);
    }
    if (!cJSON_IsArray(call->answer->json) || from == NULL) {
        return tkt_itsm_odd(call, err, "list of issues");
    }
    cJSON_ArrayForEach(issue, call->answer->json)
    {
        if (tkt_json_at(issue, "pull_request") == NULL &&
            tkt_issues_has_key(call, cJSON_GetStringValue(tkt_json_at(issue, "body")))) {
            return tkt_issues_take(call, issue, &called, err);
        }
        is_end = is_end || is_before(issue, from);
    }
    if (is_end || tkt_itsm_count(call->answer->json, "") < PAGE) {
        return TKT_ITSM_DONE;
    }
    if (call->step == FIND_PAGES) {
        tkt_err_set(err, TKT_ERR_PERM,
                    "the %d newest issues do not have its key, and there are more; look "
                    "there, then retry or drop this job",
                    FIND_PAGES * PAGE);
        return TKT_ITSM_FAILED;
    }
    return ask_for_page(call, err);
}

/* ---- comments and files --------------------------------------------------------------- */

static enum tkt_itsm_next post_comment(struct tkt_itsm_call *call, const char *text,
                                       struct tkt_err *err)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "body", tkt_issues_marked(call, text));
    return send(call, "POST", issue_url(call, "/comments"), body, err);
}

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    if (!call->comment->is_public && tkt_issues_says(call, "internal", "park")) {
        tkt_err_set(err, TKT_ERR_PERM,
                    "GitHub knows no internal comments: this one is kept here only");
        return TKT_ITSM_FAILED;
    }
    if (!call->comment->is_public && !tkt_issues_says(call, "internal", "public")) {
        call->seen.told = tkt_itsm_keep(call, "an internal comment: it is kept here");
        return TKT_ITSM_DONE;
    }
    return post_comment(call, tkt_issues_comment(call, TEXT_MAX, false), err);
}

static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    return call->step > 0 ? TKT_ITSM_DONE
                          : post_comment(call, tkt_issues_file(call), err);
}

/* ---- state ---------------------------------------------------------------------------- */

static const char *reason_of(const char *state)
{
    if (!tkt_issues_is_closed(state)) {
        return "reopened";
    }
    return strcmp(state, "resolved") == 0 || strcmp(state, "closed") == 0 ? "completed"
                                                                          : "not_planned";
}

/* Labels that people gave stay; PATCH sets them all. */
static bool add_labels(struct tkt_itsm_call *call, cJSON *body, const cJSON *issue)
{
    struct tkt_issues_labels have, want, all = {.count = 0};
    bool same = true;

    tkt_issues_have(tkt_json_at(issue, "labels"), &have);
    tkt_issues_wanted(call, false, &want);
    for (size_t i = 0; i < have.count; i++) {
        bool stays = tkt_issues_in(&want, have.names[i]) ||
                     !tkt_issues_is_ours(call, have.names[i]);
        same = same && stays;
        if (stays) {
            all.names[all.count++] = have.names[i];
        }
    }
    for (size_t i = 0; i < want.count && all.count < TKT_ISSUES_LABELS_MAX; i++) {
        if (!tkt_issues_in(&have, want.names[i])) {
            all.names[all.count++] = want.names[i];
            same = false;
        }
    }
    if (!same) {
        add_names(body, "labels", &all);
    }
    return !same;
}

static bool has_assignee(const cJSON *issue, const char *login)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, tkt_json_at(issue, "assignees"))
    {
        const char *have = cJSON_GetStringValue(tkt_json_at(one, "login"));

        if (have != NULL && strcasecmp(have, login) == 0) {
            return true;
        }
    }
    return false;
}

/* What differs; nothing is sent where nothing does. */
static enum tkt_itsm_next patch_issue(struct tkt_itsm_call *call, const char *state,
                                      bool only_state, const char *assignee,
                                      struct tkt_err *err)
{
    const cJSON *issue = call->answer->json;
    const char *have = cJSON_GetStringValue(tkt_json_at(issue, "state"));
    const char *want = tkt_issues_is_closed(state) ? "closed" : "open";
    const struct tkt_issues_labels who = {.names = {assignee}, .count = 1};
    cJSON *body = cJSON_CreateObject();
    bool differs =
        tkt_itsm_tells(call, TKT_ITSM_STATE) && (have == NULL || strcmp(have, want) != 0);

    if (differs) {
        cJSON_AddStringToObject(body, "state", want);
        cJSON_AddStringToObject(body, "state_reason", reason_of(state));
    }
    if (!only_state) {
        differs = add_labels(call, body, issue) || differs;
    }
    if (assignee != NULL && !has_assignee(issue, assignee)) {
        add_names(body, "assignees", &who);
        differs = true;
    }
    if (!differs) {
        cJSON_Delete(body);
        return tkt_issues_take_state(call, &called, err);
    }
    call->stage = 3;
    enum tkt_itsm_next next = send(call, "PATCH", issue_url(call, ""), body, err);
    call->request.repeatable = true;
    return next;
}

/* The assignee if need be, the issue, the change. */
static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *login = call->state;

    if (call->stage == 0) {
        bool look = must_look_up(call, &login);

        call->state = (void *)(uintptr_t)login;
        call->stage = look ? 1 : 2;
        return look ? ask_for_assignee(call, err) : get(call, issue_url(call, ""), err);
    }
    if (call->stage == 1) {
        call->state = (void *)(uintptr_t)assignee_in(call);
        call->stage = 2;
        return get(call, issue_url(call, ""), err);
    }
    return call->stage == 2 ? patch_issue(call, call->ticket->state, false, login, err)
                            : tkt_issues_take_state(call, &called, err);
}

static enum tkt_itsm_next close_issue(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return get(call, issue_url(call, ""), err);
    }
    return call->step == 1 ? patch_issue(call, "closed", true, NULL, err) : TKT_ITSM_DONE;
}

/* ---- fetch ---------------------------------------------------------------------------- */

struct reading {
    int page; /* of comments, asked for; the list begins with the oldest */
};

static enum tkt_itsm_next ask_for_comments(struct tkt_itsm_call *call, int page,
                                           struct tkt_err *err)
{
    const char *below = tkt_itsm_text(call, "/comments?per_page=%d&page=%d", PAGE, page);

    return get(call, below == NULL ? NULL : issue_url(call, below), err);
}

/* Newest first, behind those of later pages. */
static void take_comments(struct tkt_itsm_call *call)
{
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *list = call->answer->json;

    for (size_t i = tkt_itsm_count(list, ""); i > 0; i--) {
        const cJSON *c = cJSON_GetArrayItem(list, (int)i - 1);
        const char *body = cJSON_GetStringValue(tkt_json_at(c, "body"));

        if (s->note_count < TKT_ITSM_COMMENTS_MAX) {
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_itsm_str(call, c, "id"),
                .author = tkt_itsm_str(call, c, "user.login"),
                .text = tkt_issues_plain(call, body == NULL ? "" : body),
                .at = tkt_itsm_str(call, c, "created_at"),
                .is_public = true};
        }
    }
}

static enum tkt_itsm_next fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    struct reading *r = call->state;

    if (call->step == 0) {
        return get(call, issue_url(call, ""), err);
    }
    if (call->step == 1) {
        const cJSON *count = tkt_json_at(call->answer->json, "comments");
        int n = cJSON_IsNumber(count) && count->valuedouble > 0 ? count->valueint : 0;

        if (tkt_issues_take_state(call, &called, err) != TKT_ITSM_DONE) {
            return TKT_ITSM_FAILED;
        }
        s->notes =
            tkt_wire_arena_alloc(&call->arena, TKT_ITSM_COMMENTS_MAX * sizeof(*s->notes));
        r = call->state = tkt_wire_arena_alloc(&call->arena, sizeof(*r));
        if (s->notes == NULL || r == NULL) {
            tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
            return TKT_ITSM_FAILED;
        }
        r->page = n / PAGE + 1; /* one more may have come meanwhile */
        return ask_for_comments(call, r->page, err);
    }
    take_comments(call);
    return r->page == 1 || call->step == 3 ? TKT_ITSM_DONE
                                           : ask_for_comments(call, --r->page, err);
}

/* The oldest change first, so that a list that ends early goes on from there. */
static enum tkt_itsm_next list(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *from = tkt_itsm_time_text(call, call->since_ms, 'T');
    enum tkt_itsm_next next = TKT_ITSM_DONE;

    if (call->step > 0 && !tkt_issues_changed(call, "number", PAGE, &next, err)) {
        return next;
    }
    const char *below = from == NULL
                            ? NULL
                            : tkt_itsm_text(call,
                                            "/issues?state=all&sort=updated&direction=asc"
                                            "&per_page=%d&page=%d&since=%sZ",
                                            PAGE, call->step + 1, from);
    return get(call, repo_url(call, below), err);
}

/* ---- check ---------------------------------------------------------------------------- */

/* Without push rights GitHub drops labels without a word; whatever a public repository has,
 * everybody reads. */
static enum tkt_itsm_next judge_repo(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *repo = call->answer->json;
    const char *name = tkt_itsm_str(call, repo, "full_name");
    const cJSON *push = tkt_json_at(repo, "permissions.push");
    const cJSON *triage = tkt_json_at(repo, "permissions.triage");

    if (name == NULL || *name == '\0') {
        return tkt_itsm_odd(call, err, "full_name");
    }
    if (cJSON_IsFalse(tkt_json_at(repo, "has_issues"))) {
        tkt_err_set(err, TKT_ERR_CONF, "%.200s has issues switched off", name);
        return TKT_ITSM_FAILED;
    }
    if (cJSON_IsFalse(tkt_json_at(repo, "private")) &&
        !tkt_issues_says(call, "public", "yes")) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "%.200s is public: everybody would read the mails; write "
                    "options = {\"public=yes\"} if that is meant",
                    name);
        return TKT_ITSM_FAILED;
    }
    if (cJSON_IsFalse(push) && !cJSON_IsTrue(triage)) {
        tkt_err_set(err, TKT_ERR_CONF,
                    "%.200s: we may not give labels there; the token needs write access "
                    "to issues",
                    name);
        return TKT_ITSM_FAILED;
    }
    call->seen.told = (char *)(uintptr_t)tkt_itsm_text(call, "repository %s", name);
    return get(call, repo_url(call, "/labels?per_page=100"), err);
}

static enum tkt_itsm_next check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        enum tkt_itsm_next next = get(call, repo_url(call, ""), err);

        call->request.also[0] = 404;
        call->request.also[1] = 301;
        return next;
    }
    if (call->step == 1 && call->answer->status != 200) {
        tkt_err_set(
            err, TKT_ERR_CONF,
            "there is no repository %.200s (any more), or the token may not see it",
            call->site->conf->project);
        return TKT_ITSM_FAILED;
    }
    return call->step == 1 ? judge_repo(call, err) : tkt_issues_tell_labels(call);
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const char *slash = strchr(conf->project, '/');

    if (slash == NULL || slash == conf->project || slash[1] == '\0' ||
        strchr(slash + 1, '/') != NULL || strstr(conf->project, "..") != NULL) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "project: write the repository, \"owner/name\"");
    }
    const char *internal = tkt_itsm_map(&conf->options, "internal", "skip");
    if (strcmp(internal, "skip") != 0 && strcmp(internal, "park") != 0 &&
        strcmp(internal, "public") != 0) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "options: internal is skip, park or public, not \"%s\"",
                           internal);
    }
    return tkt_itsm_need_secret(conf, "token", err);
}

const struct tkt_itsm_ops tkt_itsm_github = {
    .type = "github",
    .keys_are_of_project = true,
    .title = "GitHub issues (REST 2022-11-28)",
    .auth = TKT_ITSM_AUTH_BEARER,
    .options = options,
    .search_lag_ms = 60000, /* its replicas */
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
