/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/redmine_private.h"

#include <stdlib.h>
#include <string.h>

/* What Redmine's default data calls our states. */
const struct tkt_itsm_word tkt_redmine_states[] = {
    {"new", "New"},           {"open", "In Progress"},   {"pending", "Feedback"},
    {"resolved", "Resolved"}, {"closed", "Closed"},      {"refused", "Rejected"},
    {"merged", "Closed"},     {"withdrawn", "Rejected"}, {NULL, NULL}};

int tkt_redmine_number(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n > 0 && n < 10 && text[n] == '\0' ? atoi(text) : 0;
}

struct tkt_redmine_plan *tkt_redmine_plan(struct tkt_itsm_call *call)
{
    if (call->state == NULL) {
        call->state = tkt_wire_arena_alloc(&call->arena, sizeof(struct tkt_redmine_plan));
        if (call->state != NULL) {
            memset(call->state, 0, sizeof(struct tkt_redmine_plan));
        }
    }
    return call->state;
}

static void want(struct tkt_redmine_plan *p, struct tkt_redmine_want w)
{
    if (w.name != NULL && *w.name != '\0' && p->count < TKT_REDMINE_WANTS_MAX) {
        w.id = w.is_person ? 0 : tkt_redmine_number(w.name);
        p->wants[p->count++] = w;
    }
}

int tkt_redmine_id(const struct tkt_redmine_plan *p, const char *member)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->wants[i].member, member) == 0 && p->wants[i].id != 0) {
            return p->wants[i].id;
        }
    }
    return 0;
}

void tkt_redmine_want_state(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                            const char *state)
{
    want(p, (struct tkt_redmine_want){
                .member = "status_id",
                .what = "issue status",
                .name = tkt_itsm_state(call, tkt_redmine_states, state, NULL),
                .path = "/issue_statuses.json",
                .list = "issue_statuses",
                .item = ""});
}

void tkt_redmine_want_priority(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                               const char *name)
{
    const char *ours = tkt_itsm_text(call, "%d", call->ticket->priority);

    if (name == NULL && ours != NULL) {
        name = tkt_itsm_map(&call->site->conf->priorities, ours, NULL);
    }
    want(p, (struct tkt_redmine_want){.member = "priority_id",
                                      .what = "priority",
                                      .name = name,
                                      .path = "/enumerations/issue_priorities.json",
                                      .list = "issue_priorities",
                                      .item = ""});
}

const char *tkt_redmine_project_path(struct tkt_itsm_call *call, const char *below)
{
    const char *project = tkt_itsm_escape(call, call->site->conf->project);

    return project == NULL ? NULL : tkt_itsm_text(call, "/projects/%s%s", project, below);
}

void tkt_redmine_want_group(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                            const char *name)
{
    want(p, (struct tkt_redmine_want){
                .member = "assigned_to_id",
                .what = "group among the project's members",
                .name = name,
                .path = tkt_redmine_project_path(call, "/memberships.json"),
                .list = "memberships",
                .item = "group."});
}

/* People by address: only administrators may ask for that. */
void tkt_redmine_want_person(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                             const char *member, const char *address)
{
    const char *name = tkt_itsm_escape(call, address);

    want(p, (struct tkt_redmine_want){
                .member = member,
                .what = "user",
                .name = address,
                .path = name == NULL ? NULL
                                     : tkt_itsm_text(call, "/users.json?name=%s", name),
                .list = "users",
                .item = "",
                .optional = true,
                .is_person = true});
}

void tkt_redmine_want_people(struct tkt_itsm_call *call, struct tkt_redmine_plan *p)
{
    const char *assignee = call->ticket->assignee;

    if (tkt_itsm_wants(call, "assignee") && strchr(assignee, '@') != NULL) {
        tkt_redmine_want_person(call, p, "assigned_to_id", assignee);
    }
    tkt_redmine_want_group(
        call, p,
        tkt_itsm_map(&call->site->conf->groups, call->ticket->group,
                     NULL)); /* second: whoever it is assigned to comes first */
}

static void take_number(struct tkt_itsm_call *call, struct tkt_redmine_want *w)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, tkt_json_at(call->answer->json, w->list))
    {
        const char *name_path = tkt_itsm_text(call, "%sname", w->item);
        const char *id_path = tkt_itsm_text(call, "%sid", w->item);
        const char *name = cJSON_GetStringValue(tkt_json_at(item, w->is_person ? "mail"
                                                                  : name_path  ? name_path
                                                                               : ""));
        const cJSON *id = tkt_json_at(item, id_path == NULL ? "" : id_path);

        if (name != NULL && cJSON_IsNumber(id) && id->valueint > 0 &&
            tkt_ascii_ieq(name, w->name)) {
            w->id = id->valueint;
            return;
        }
    }
}

static enum tkt_itsm_next make_user(struct tkt_itsm_call *call,
                                    struct tkt_redmine_plan *p, struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *body = cJSON_CreateObject();
    cJSON *user = cJSON_AddObjectToObject(body, "user");
    const char *name = tkt_itsm_line(call, t->requester_name, 30);
    size_t first = name == NULL ? 0 : strcspn(name, " ");

    cJSON_AddStringToObject(user, "login", tkt_itsm_line(call, t->requester, 60));
    cJSON_AddStringToObject(user, "mail", t->requester);
    cJSON_AddStringToObject(user, "firstname",
                            first == 0 ? "-"
                                       : tkt_itsm_text(call, "%.*s", (int)first, name));
    cJSON_AddStringToObject(user, "lastname",
                            first == 0 || name[first] == '\0' ? "-" : name + first + 1);
    cJSON_AddTrueToObject(user, "generate_password");
    p->making_user = true;
    enum tkt_itsm_next next =
        tkt_itsm_json(call, "POST", tkt_itsm_url(call, "/users.json"), body, err);
    call->request.repeatable = true; /* a second one with its address is refused */
    call->request.also[0] = 403;
    call->request.also[1] = 422;
    return next;
}

static enum tkt_itsm_next ask(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                              const struct tkt_redmine_want *w, struct tkt_err *err)
{
    const char *url = w->path == NULL ? NULL : tkt_itsm_url(call, "%s", w->path);
    bool is_members = strcmp(w->list, "memberships") == 0;

    if (url != NULL && is_members) {
        url = tkt_itsm_text(call, "%s?limit=%d&offset=%d", url, TKT_REDMINE_PAGE,
                            p->offset);
    }
    enum tkt_itsm_next next = tkt_itsm_get(call, url, err);
    if (w->optional) {
        call->request.also[0] = 403;
    }
    return next;
}

int tkt_redmine_resolve(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                        bool is_answer, enum tkt_itsm_next *next, struct tkt_err *err)
{
    for (; p->asked < p->count; p->asked++, p->offset = 0, is_answer = false) {
        struct tkt_redmine_want *w = &p->wants[p->asked];

        if (is_answer && p->making_user) {
            const cJSON *id = tkt_json_at(call->answer->json, "user.id");
            w->id = call->answer->status == 201 && cJSON_IsNumber(id) ? id->valueint : 0;
            continue;
        }
        if (is_answer) {
            take_number(call, w);
        }
        const cJSON *total =
            is_answer ? tkt_json_at(call->answer->json, "total_count") : NULL;
        bool more = w->id == 0 && cJSON_IsNumber(total) && !w->is_person &&
                    p->offset + TKT_REDMINE_PAGE < total->valueint &&
                    p->offset < 20 * TKT_REDMINE_PAGE;
        if (w->id != 0 || (tkt_redmine_id(p, w->member) != 0)) {
            continue;
        }
        p->offset += more ? TKT_REDMINE_PAGE : 0;
        if (!is_answer || more) {
            *next = ask(call, p, w, err);
            return 0;
        }
        if (!w->optional) {
            tkt_err_set(err, TKT_ERR_CONF, "Redmine shows us no %s \"%.100s\"", w->what,
                        w->name);
            *next = TKT_ITSM_FAILED;
            return 0;
        }
        if (strcmp(w->member, "watcher") == 0 && call->answer->status == 200 &&
            call->site->conf->requester == TKT_CONF_REQUESTER_CREATE) {
            *next = make_user(call, p, err);
            return 0;
        }
    }
    return 1;
}

void tkt_redmine_add_numbers(const struct tkt_redmine_plan *p, cJSON *issue)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct tkt_redmine_want *w = &p->wants[i];

        if (w->id == 0 || cJSON_HasObjectItem(issue, w->member)) {
            continue;
        }
        if (strcmp(w->member, "watcher") == 0) {
            cJSON *list = cJSON_AddArrayToObject(issue, "watcher_user_ids");
            cJSON_AddItemToArray(list, cJSON_CreateNumber(w->id));
        } else {
            cJSON_AddNumberToObject(issue, w->member, w->id);
        }
    }
}
