/* SPDX-License-Identifier: BSD-2-Clause
 * ServiceNow by the Table API (v2), or by an import set whose transform map coalesces.
 *
 * The correlation key stands in correlation_id. A query with a misspelt part brings rows
 * that have nothing to do with it, so that every hit is looked at before it is believed.
 * People and groups are looked up; the id of a ticket here is "table/sys_id".
 */
#include "itsm/servicenow.h"
#include "base/enc.h"
#include "base/util.h"
#include "itsm/backends.h"

#include <stdlib.h>
#include <string.h>

#define SUBJECT_MAX 160
#define DESCRIPTION_MAX 4000
#define JOURNAL_MAX (512 * 1024)
#define NAME_MAX_POINTS 100 /* of a file */

static const char *const options[] = {"guest",
                                      "assign",
                                      "import_table",
                                      "import_prefix",
                                      "import_target",
                                      "contact_type",
                                      "close_code",
                                      "close_notes",
                                      "hold_reason",
                                      "description_max",
                                      NULL};

/* Numbers of incidents, and of other tasks, where the section does not say. */
static const struct {
    const char *ours, *incident, *task;
} states[] = {{"new", "1", "1"},      {"open", "2", "2"},     {"pending", "3", "-5"},
              {"resolved", "6", "3"}, {"closed", "7", "3"},   {"refused", "8", "4"},
              {"merged", "7", "3"},   {"withdrawn", "8", "4"}};

const char *tkt_sn_option(const struct tkt_itsm_call *call, const char *name)
{
    return tkt_itsm_option(call, name, "");
}

/* ---- names of things ------------------------------------------------------------------ */

const char *tkt_sn_table_of(const struct tkt_itsm_call *call)
{
    const struct tkt_conf_itsm *conf = call->site->conf;
    const char *fallback =
        strcmp(call->ticket->type, "request") == 0 ? "sc_request" : "incident";
    const char *target = tkt_sn_option(call, "import_target");

    return *target != '\0' ? target
                           : tkt_sn_table_named(tkt_itsm_map(
                                 &conf->types, call->ticket->type, fallback));
}

static const char *state_of(const struct tkt_itsm_call *call, const char *table,
                            const char *state)
{
    const char *own = NULL;

    for (size_t i = 0; i < TKT_ARRAY_LEN(states); i++) {
        if (strcmp(states[i].ours, state) == 0) {
            own = strcmp(table, "incident") == 0 ? states[i].incident : states[i].task;
        }
    }
    return tkt_itsm_map(&call->site->conf->states, state, own);
}

struct tkt_sn_record tkt_sn_record_of(struct tkt_itsm_call *call)
{
    const char *slash = strchr(call->ticket->external, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - call->ticket->external);

    return (struct tkt_sn_record){
        .table = slash == NULL
                     ? tkt_sn_table_of(call)
                     : tkt_itsm_text(call, "%.*s", (int)n, call->ticket->external),
        .id = slash == NULL ? call->ticket->external : slash + 1};
}

static const char *record_url(struct tkt_itsm_call *call, const char *query)
{
    struct tkt_sn_record r = tkt_sn_record_of(call);
    const char *table = r.table == NULL ? NULL : tkt_itsm_escape(call, r.table);
    const char *id = tkt_itsm_escape(call, r.id);

    return table == NULL || id == NULL
               ? NULL
               : tkt_itsm_url(call, "/api/now/v2/table/%s/%s%s", table, id, query);
}

static void refusal(const struct tkt_itsm_answer *a, struct tkt_err *err)
{
    const cJSON *error = tkt_json_at(a->json, "error");
    const char *said = cJSON_IsString(error)
                           ? error->valuestring
                           : cJSON_GetStringValue(tkt_json_at(error, "message"));
    const char *more = cJSON_GetStringValue(tkt_json_at(error, "detail"));

    if (said != NULL) {
        bool by_rule = more != NULL && strstr(more, "aborted by Business Rule") != NULL;

        tkt_err_set(err, by_rule ? TKT_ERR_PERM : err->class,
                    "ServiceNow says %d \"%.150s%s%.200s\"", a->status, said,
                    more == NULL ? "" : ": ", more == NULL ? "" : more);
    }
}

/* ---- who and where, before a record is written ---------------------------------------- */

struct work {                         /* in the arena, over the steps of an operation */
    const char *user, *group, *agent; /* sys_id, or NULL */
    const char *unknown_group;
    const char *had_state, *had_group, *had_agent, *had_impact, *had_urgency;
    enum tkt_itsm_next (*then)(struct tkt_itsm_call *call, struct work *w,
                               struct tkt_err *err);
};

enum stage {
    START,
    USER,
    NEW_USER,
    GROUP,
    AGENT,
    ORDER,
    RECORD
};

static struct work *work_of(struct tkt_itsm_call *call)
{
    if (call->state == NULL) {
        struct work *w = tkt_wire_arena_alloc(&call->arena, sizeof(*w));

        if (w != NULL) {
            *w = (struct work){0};
        }
        call->state = w;
    }
    return call->state;
}

enum tkt_itsm_next tkt_sn_no_memory(struct tkt_err *err)
{
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
    return TKT_ITSM_FAILED;
}

static enum tkt_itsm_next go_agent(struct tkt_itsm_call *call, struct work *w,
                                   struct tkt_err *err)
{
    const char *agent = call->ticket->assignee;

    if (strcmp(tkt_sn_option(call, "assign"), "yes") != 0 || !tkt_sn_can_ask(agent) ||
        !tkt_itsm_tells(call, TKT_ITSM_ASSIGNEE)) {
        return w->then(call, w, err);
    }
    call->stage = AGENT;
    return tkt_sn_ask_name(call, "sys_user", strchr(agent, '@') ? "email" : "user_name",
                           agent, err);
}

static const char *group_of(const struct tkt_itsm_call *call)
{
    return call->ticket->group[0] == '\0'
               ? NULL
               : tkt_itsm_map(&call->site->conf->groups, call->ticket->group,
                              call->ticket->group);
}

static enum tkt_itsm_next go_group(struct tkt_itsm_call *call, struct work *w,
                                   struct tkt_err *err)
{
    const char *group = tkt_itsm_tells(call, TKT_ITSM_GROUP) ? group_of(call) : NULL;

    if (group != NULL && tkt_sn_is_id(group)) {
        w->group = group;
    } else if (group != NULL && tkt_sn_can_ask(group)) {
        call->stage = GROUP;
        return tkt_sn_ask_name(call, "sys_user_group", "name", group, err);
    }
    return go_agent(call, w, err);
}

static enum tkt_itsm_next make_user(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *name = tkt_itsm_line(call, t->requester_name, 80);
    const char *space = name == NULL ? NULL : strrchr(name, ' ');
    cJSON *body = cJSON_CreateObject();

    call->stage = NEW_USER;
    cJSON_AddStringToObject(body, "email", t->requester);
    if (space != NULL) {
        cJSON_AddStringToObject(body, "first_name",
                                tkt_itsm_text(call, "%.*s", (int)(space - name), name));
    }
    cJSON_AddStringToObject(body, "last_name",
                            space != NULL                   ? space + 1
                            : name != NULL && *name != '\0' ? name
                                                            : t->requester);
    enum tkt_itsm_next next = tkt_itsm_json(
        call, "POST", tkt_itsm_url(call, "/api/now/v2/table/sys_user"), body, err);
    call->request.also[0] = 403; /* no right to: the address stays in the text */
    call->request.also[1] = 400;
    return next;
}

static enum tkt_itsm_next go_user(struct tkt_itsm_call *call, struct work *w,
                                  struct tkt_err *err)
{
    if (call->site->conf->requester == TKT_CONF_REQUESTER_TEXT ||
        !tkt_sn_can_ask(call->ticket->requester)) {
        return go_group(call, w, err);
    }
    call->stage = USER;
    return tkt_sn_ask_name(call, "sys_user", "email", call->ticket->requester, err);
}

/* The answer to a question of the above, then the next one. */
static enum tkt_itsm_next looked_up(struct tkt_itsm_call *call, struct work *w,
                                    struct tkt_err *err)
{
    const char *agent = call->ticket->assignee;
    size_t count = 0;

    switch (call->stage) {
    case USER:
        w->user = tkt_sn_hit(call, "email", call->ticket->requester, &count);
        return count == 0 && call->site->conf->requester == TKT_CONF_REQUESTER_CREATE
                   ? make_user(call, err)
                   : go_group(call, w, err);
    case NEW_USER:
        w->user = tkt_sn_value(call, call->answer->json, "result.sys_id");
        w->user = w->user != NULL && *w->user != '\0' ? w->user : NULL;
        return go_group(call, w, err);
    case GROUP:
        w->group = tkt_sn_hit(call, "name", group_of(call), &count);
        w->unknown_group = w->group == NULL ? group_of(call) : NULL;
        return go_agent(call, w, err);
    default:
        w->agent =
            tkt_sn_hit(call, strchr(agent, '@') ? "email" : "user_name", agent, &count);
        return w->then(call, w, err);
    }
}

/* ---- create --------------------------------------------------------------------------- */

static int set(void *arg, const char *name, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(arg, name);
    return text == NULL || cJSON_AddStringToObject(arg, name, text) == NULL ? -1 : 0;
}

static void set_known(cJSON *body, const char *name, const char *text)
{
    if (text != NULL && *text != '\0') {
        cJSON_AddStringToObject(body, name, text);
    }
}

/* ServiceNow makes the priority of both; "2=1/2" in priorities says them. */
static void impact_and_urgency(struct tkt_itsm_call *call, const char **impact,
                               const char **urgency)
{
    static const char *const own[] = {"", "1/1", "1/2", "2/2", "2/3", "3/3"};
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *priority = tkt_itsm_text(call, "%d", t->priority);
    const char *pair = priority == NULL
                           ? NULL
                           : tkt_itsm_map(&call->site->conf->priorities, priority, NULL);

    *impact = *urgency = "";
    if (pair == NULL && t->impact >= 1 && t->impact <= 3 && t->urgency >= 1 &&
        t->urgency <= 3) {
        pair = tkt_itsm_text(call, "%d/%d", t->impact, t->urgency);
    }
    if (pair == NULL && t->priority >= 1 && t->priority <= 5) {
        pair = own[t->priority];
    }
    const char *slash = pair == NULL ? NULL : strchr(pair, '/');
    if (slash != NULL) {
        *impact = tkt_itsm_text(call, "%.*s", (int)(slash - pair), pair);
        *urgency = slash + 1;
    }
}

/* The text with who wrote it, where that is not told by caller_id. */
static const char *whole_text(struct tkt_itsm_call *call, const struct work *w)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *text = tkt_itsm_body(call, t->text, JOURNAL_MAX);

    if (text == NULL || w->user != NULL || t->requester[0] == '\0') {
        return text;
    }
    return tkt_itsm_text(call, "From: %s <%s>\n\n%s",
                         tkt_itsm_line(call, t->requester_name, 100), t->requester, text);
}

/* What stands behind [code] is shown as HTML. */
static const char *journal(struct tkt_itsm_call *call, const char *text)
{
    static const char *const orders[] = {"[code]", NULL};

    return tkt_itsm_break(call, text, orders);
}

static int add_texts(struct tkt_itsm_call *call, const struct work *w, cJSON *body,
                     const char *prefix)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *subject = tkt_itsm_line(call, t->subject, SUBJECT_MAX);
    const char *text = whole_text(call, w);
    int max = atoi(tkt_itsm_option(call, "description_max", "0"));
    size_t room = max >= 100 ? (size_t)max : DESCRIPTION_MAX;

    if (subject == NULL || text == NULL) {
        return -1;
    }
    const char *note =
        w->unknown_group == NULL
            ? ""
            : tkt_itsm_text(call, "There is no group \"%s\" here.\n", w->unknown_group);
    bool is_long = strlen(text) > room;
    int rc = set(body, tkt_itsm_text(call, "%sshort_description", prefix),
                 *subject == '\0' ? t->id : subject);
    rc += set(body, tkt_itsm_text(call, "%sdescription", prefix),
              tkt_itsm_body(call, text, room));
    if (rc == 0 && note != NULL && (is_long || *note != '\0')) {
        rc = set(body, tkt_itsm_text(call, "%swork_notes", prefix),
                 tkt_itsm_text(call, "%s%s", note, is_long ? journal(call, text) : ""));
    }
    return rc;
}

static cJSON *make_record(struct tkt_itsm_call *call, struct work *w, struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *body = cJSON_CreateObject();
    const char *impact, *urgency;
    bool is_request = strcmp(tkt_sn_table_of(call), "sc_request") == 0;

    impact_and_urgency(call, &impact, &urgency);
    int rc = body == NULL ? -1 : add_texts(call, w, body, "");
    set_known(body, is_request ? "requested_for" : "caller_id",
              w->user != NULL ? w->user : tkt_sn_option(call, "guest"));
    set_known(body, "assignment_group", w->group);
    set_known(body, "assigned_to", w->agent);
    set_known(body, "impact", impact);
    set_known(body, "urgency", urgency);
    set_known(body, "category", t->category);
    set_known(body, "subcategory", t->subcategory);
    set_known(body, "contact_type", tkt_itsm_option(call, "contact_type", "email"));
    if (rc == 0 && tkt_sn_item_of(call) == NULL) { /* of an item they are variables */
        rc = tkt_itsm_fields(call, set, body, err);
    }
    if (rc < 0 || set(body, "correlation_id", t->corr) < 0 ||
        set(body, "correlation_display", call->site->product) < 0) {
        cJSON_Delete(body);
        return NULL;
    }
    return body;
}

static enum tkt_itsm_next post_record(struct tkt_itsm_call *call, struct work *w,
                                      struct tkt_err *err)
{
    const char *table = tkt_itsm_escape(call, tkt_sn_table_of(call));

    if (tkt_sn_item_of(call) != NULL && call->stage != ORDER) {
        call->stage = ORDER;
        return tkt_sn_order(
            call, w->user != NULL ? w->user : tkt_sn_option(call, "guest"), err);
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    cJSON *body = make_record(call, w, err);
    if (call->stage == ORDER && body != NULL) {
        call->stage = RECORD;
        return tkt_sn_mark_order(call, body, err);
    }
    call->stage = RECORD;
    return body == NULL
               ? TKT_ITSM_FAILED
               : tkt_itsm_json(call, "POST",
                               table == NULL
                                   ? NULL
                                   : tkt_itsm_url(call, "/api/now/v2/table/%s", table),
                               body, err);
}

enum tkt_itsm_next tkt_sn_take_record(struct tkt_itsm_call *call, const char *table,
                                      const cJSON *row, struct tkt_err *err)
{
    char *id = tkt_sn_value(call, row, "sys_id");
    char *number = tkt_sn_shown(call, row, "number");
    const char *escaped = id == NULL ? NULL : tkt_itsm_escape(call, id);

    if (id == NULL || *id == '\0' || escaped == NULL || table == NULL) {
        return tkt_itsm_odd(call, err, "sys_id");
    }
    call->seen.external = (char *)(uintptr_t)tkt_itsm_text(call, "%s/%s", table, id);
    call->seen.number = number != NULL && *number != '\0' ? number : id;
    call->seen.url =
        (char *)(uintptr_t)tkt_itsm_url(call, "/nav_to.do?uri=%s.do%%3Fsys_id%%3D%s",
                                        tkt_itsm_escape(call, table), escaped);
    return TKT_ITSM_DONE;
}

/* ---- import sets ---------------------------------------------------------------------- */

/* Flat, and texts only: its transform map looks people and groups up. */
static cJSON *make_row(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *prefix = tkt_itsm_option(call, "import_prefix", "u_");
    const struct work none = {.user = "told apart"};
    cJSON *body = cJSON_CreateObject();
    const char *impact, *urgency;

    impact_and_urgency(call, &impact, &urgency);
    const struct {
        const char *name, *text;
    } rows[] = {{"correlation_id", t->corr},
                {"correlation_display", call->site->product},
                {"caller", t->requester},
                {"caller_name", tkt_itsm_line(call, t->requester_name, 100)},
                {"assignment_group", group_of(call)},
                {"impact", impact},
                {"urgency", urgency},
                {"category", t->category},
                {"subcategory", t->subcategory}};
    int rc = body == NULL ? -1 : add_texts(call, &none, body, prefix);
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows) && rc == 0; i++) {
        if (rows[i].text != NULL && rows[i].text[0] != '\0') {
            rc = set(body, tkt_itsm_text(call, "%s%s", prefix, rows[i].name),
                     rows[i].text);
        }
    }
    if (rc < 0 || tkt_itsm_fields(call, set, body, err) < 0) {
        cJSON_Delete(body);
        return NULL;
    }
    return body;
}

/* 201 says that the row was taken; whether it became a record stands in the row. */
static enum tkt_itsm_next take_import(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *row = tkt_json_at(call->answer->json, "result.0");
    const char *status = tkt_itsm_str(call, row, "status");
    const char *table = tkt_itsm_str(call, row, "table");
    const char *said = tkt_itsm_str(call, row, "error_message");

    if (row == NULL || status == NULL || table == NULL || said == NULL) {
        return tkt_itsm_odd(call, err, "result");
    }
    if (*said == '\0') {
        said = tkt_itsm_str(call, row, "status_message");
    }
    if (strcmp(status, "inserted") != 0 && strcmp(status, "updated") != 0 &&
        (strcmp(status, "ignored") != 0 || tkt_json_at(row, "sys_id") == NULL)) {
        tkt_err_set(err, TKT_ERR_PERM, "the import says \"%.60s\" %.200s",
                    tkt_itsm_line(call, status, 60),
                    said == NULL ? "" : tkt_itsm_line(call, said, 200));
        return TKT_ITSM_FAILED;
    }
    if (tkt_sn_take_record(call, *table ? table : tkt_sn_table_of(call), row, err) !=
        TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    const char *name = tkt_itsm_str(call, row, "display_value");
    if (name != NULL && *name != '\0') {
        call->seen.number = (char *)(uintptr_t)name;
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next import(struct tkt_itsm_call *call, const char *staging,
                                 struct tkt_err *err)
{
    if (call->step > 0) {
        return take_import(call, err);
    }
    const char *escaped = tkt_itsm_escape(call, staging);
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    cJSON *body = make_row(call, err);
    return body == NULL
               ? TKT_ITSM_FAILED
               : tkt_itsm_json(call, "POST",
                               escaped == NULL
                                   ? NULL
                                   : tkt_itsm_url(call, "/api/now/import/%s", escaped),
                               body, err);
}

static enum tkt_itsm_next create(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *staging = tkt_sn_option(call, "import_table");
    struct work *w = work_of(call);

    if (w == NULL) {
        return tkt_sn_no_memory(err);
    }
    if (*staging != '\0') {
        return import(call, staging, err);
    }
    w->then = post_record;
    if (call->step == 0) {
        return go_user(call, w, err);
    }
    if (call->stage == ORDER) {
        return post_record(call, w, err);
    }
    return call->stage == RECORD
               ? tkt_sn_take_record(call, tkt_sn_table_of(call),
                                    tkt_json_at(call->answer->json, "result"), err)
               : looked_up(call, w, err);
}

/* ---- find ----------------------------------------------------------------------------- */

/* An order may have been made, and its request has no key yet. */
static enum tkt_itsm_next not_found(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (tkt_sn_item_of(call) == NULL) {
        return TKT_ITSM_DONE;
    }
    tkt_err_set(err, TKT_ERR_PERM,
                "an earlier try may have ordered it, and no request has its key; look "
                "there: write the key %s into its correlation_id and retry, or drop this "
                "job",
                call->ticket->corr);
    return TKT_ITSM_FAILED;
}

static enum tkt_itsm_next find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *said;
    const cJSON *row;

    if (call->step == 0) {
        return tkt_sn_ask(call, tkt_sn_table_of(call),
                          tkt_itsm_text(call, "correlation_id=%s^ORDERBYsys_created_on",
                                        call->ticket->corr),
                          "sys_id,number,correlation_id", 10, err);
    }
    said = cJSON_GetStringValue(tkt_json_at(call->answer->json, "error.message"));
    if (call->answer->status == 404 && said != NULL &&
        strcmp(said, "No Record found") == 0) {
        return not_found(call, err);
    }
    const cJSON *rows = tkt_json_at(call->answer->json, "result");
    if (!cJSON_IsArray(rows)) {
        return tkt_itsm_odd(call, err, "result");
    }
    cJSON_ArrayForEach(row, rows)
    {
        const char *key = tkt_sn_value(call, row, "correlation_id");

        if (key != NULL && strcmp(key, call->ticket->corr) == 0) {
            return tkt_sn_take_record(call, tkt_sn_table_of(call), row, err);
        }
    }
    return not_found(call, err);
}

/* ---- comments and files --------------------------------------------------------------- */

static enum tkt_itsm_next patch(struct tkt_itsm_call *call, cJSON *body,
                                struct tkt_err *err)
{
    return tkt_itsm_json(call, "PATCH",
                         record_url(call, "?sysparm_exclude_reference_link=true"
                                          "&sysparm_fields=sys_id,number,state"),
                         body, err);
}

static enum tkt_itsm_next comment(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_itsm_comment *c = call->comment;

    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    const char *text = journal(call, tkt_itsm_body(call, c->text, JOURNAL_MAX));
    if (text != NULL && c->author[0] != '\0') {
        text = tkt_itsm_text(call, "%s <%s>:\n%s",
                             tkt_itsm_line(call, c->author_name, 100), c->author, text);
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, c->is_public ? "comments" : "work_notes", text);
    return patch(call, body, err);
}

/* An upload whose answer got lost is not made twice. */
static bool is_there(struct tkt_itsm_call *call)
{
    const char *size = tkt_itsm_text(call, "%lld", (long long)call->file->size);
    const char *wanted = tkt_itsm_line(call, call->file->name, NAME_MAX_POINTS);
    const char *id = tkt_sn_record_of(call).id;
    const cJSON *row;

    cJSON_ArrayForEach(row, tkt_json_at(call->answer->json, "result"))
    {
        const char *name = tkt_sn_value(call, row, "file_name");
        const char *bytes = tkt_sn_value(call, row, "size_bytes");
        const char *of = tkt_sn_value(call, row, "table_sys_id");

        if (name != NULL && bytes != NULL && of != NULL && size != NULL &&
            wanted != NULL && strcmp(name, wanted) == 0 && strcmp(bytes, size) == 0 &&
            strcmp(of, id) == 0) {
            return true;
        }
    }
    return false;
}

static enum tkt_itsm_next attach(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return tkt_sn_list_files(call, err);
    }
    if (call->step > 1 || is_there(call)) {
        return TKT_ITSM_DONE;
    }
    struct tkt_sn_record r = tkt_sn_record_of(call);
    const char *table = r.table == NULL ? NULL : tkt_itsm_escape(call, r.table);
    const char *id = tkt_itsm_escape(call, r.id);
    const char *name =
        tkt_itsm_escape(call, tkt_itsm_line(call, call->file->name, NAME_MAX_POINTS));
    return tkt_itsm_upload(call, "POST",
                           table == NULL || id == NULL || name == NULL
                               ? NULL
                               : tkt_itsm_url(call,
                                              "/api/now/attachment/file?table_name=%s"
                                              "&table_sys_id=%s&file_name=%s",
                                              table, id, name),
                           tkt_itsm_line(call, call->file->type, 100), err);
}

/* ---- update --------------------------------------------------------------------------- */

enum tkt_itsm_next tkt_sn_get_record(struct tkt_itsm_call *call, const char *display,
                                     struct tkt_err *err)
{
    const char *query = tkt_itsm_text(
        call,
        "?sysparm_display_value=%s&sysparm_exclude_reference_link=true&sysparm_fields="
        "sys_id,number,state,assignment_group,assigned_to,priority,impact,urgency,"
        "sys_updated_on,correlation_id",
        display);

    return tkt_itsm_get(call, query == NULL ? NULL : record_url(call, query), err);
}

static bool differs(const char *have, const char *want)
{
    return want != NULL && *want != '\0' && (have == NULL || strcmp(have, want) != 0);
}

/* Incidents have columns for why they wait or how they ended; of another table only who
 * wrote the section knows that it has them too. */
static const char *reason_for(const struct tkt_itsm_call *call, const char *table,
                              const char *name, const char *usual)
{
    bool is_incident = table != NULL && strcmp(table, "incident") == 0;

    return tkt_itsm_option(call, name, is_incident ? usual : "");
}

/* What a move into a state must bring along. */
static void add_state(struct tkt_itsm_call *call, const char *table, cJSON *body,
                      const char *state)
{
    const char *ours = call->ticket->state;
    bool ends = call->op == TKT_ITSM_CLOSE || strcmp(ours, "resolved") == 0 ||
                strcmp(ours, "closed") == 0;

    set_known(body, "state", state);
    if (ends) {
        set_known(body, "close_code",
                  reason_for(call, table, "close_code", "Resolved by caller"));
        set_known(body, "close_notes",
                  tkt_itsm_option(call, "close_notes", "Resolved by e-mail."));
    } else if (strcmp(ours, "pending") == 0) {
        const char *why = reason_for(call, table, "hold_reason", "1");

        set_known(body, "hold_reason", why);
        if (strcmp(why, "1") == 0) {
            set_known(body, "comments", "Waiting for an answer.");
        }
    }
}

static enum tkt_itsm_next patch_record(struct tkt_itsm_call *call, struct work *w,
                                       struct tkt_err *err)
{
    struct tkt_sn_record r = tkt_sn_record_of(call);
    const char *state =
        r.table == NULL ? NULL : state_of(call, r.table, call->ticket->state);
    cJSON *body = cJSON_CreateObject();
    const char *impact, *urgency;

    impact_and_urgency(call, &impact, &urgency);
    if (tkt_itsm_tells(call, TKT_ITSM_STATE) && differs(w->had_state, state)) {
        add_state(call, r.table, body, state);
    }
    if (differs(w->had_group, w->group)) {
        set_known(body, "assignment_group", w->group);
    }
    if (differs(w->had_agent, w->agent)) {
        set_known(body, "assigned_to", w->agent);
    }
    if (tkt_itsm_tells(call, TKT_ITSM_PRIORITY) &&
        (differs(w->had_impact, impact) || differs(w->had_urgency, urgency))) {
        set_known(body, "impact", impact);
        set_known(body, "urgency", urgency);
    }
    if (body != NULL && body->child == NULL) {
        cJSON_Delete(body);
        return TKT_ITSM_DONE;
    }
    call->stage = RECORD;
    enum tkt_itsm_next next = patch(call, body, err);
    /* Repeated it does the same; but for the comment of a pending one. */
    call->request.repeatable = !tkt_itsm_tells(call, TKT_ITSM_STATE) ||
                               strcmp(call->ticket->state, "pending") != 0;
    return next;
}

/* A rule there may have kept the state: the answer is looked at. */
static enum tkt_itsm_next check_state(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_sn_record r = tkt_sn_record_of(call);
    const char *want =
        r.table == NULL ? NULL : state_of(call, r.table, call->ticket->state);
    char *have = tkt_sn_value(call, call->answer->json, "result.state");

    if (have == NULL || *have == '\0') {
        return tkt_itsm_odd(call, err, "state");
    }
    if (tkt_itsm_tells(call, TKT_ITSM_STATE) && differs(have, want)) {
        tkt_err_set(err, TKT_ERR_PERM, "ServiceNow left the state at %.60s", have);
        return TKT_ITSM_FAILED;
    }
    call->seen.state = have;
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next update(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct work *w = work_of(call);
    const cJSON *row = call->step == 0 ? NULL : tkt_json_at(call->answer->json, "result");

    if (w == NULL) {
        return tkt_sn_no_memory(err);
    }
    w->then = patch_record;
    if (call->step == 0) {
        return tkt_sn_get_record(call, "false", err);
    }
    if (call->step == 1) {
        w->had_state = tkt_sn_value(call, row, "state");
        w->had_group = tkt_sn_value(call, row, "assignment_group");
        w->had_agent = tkt_sn_value(call, row, "assigned_to");
        w->had_impact = tkt_sn_value(call, row, "impact");
        w->had_urgency = tkt_sn_value(call, row, "urgency");
        return go_group(call, w, err);
    }
    return call->stage == RECORD ? check_state(call, err) : looked_up(call, w, err);
}

static enum tkt_itsm_next close_ticket(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_sn_record r = tkt_sn_record_of(call);

    if (call->step > 0) {
        return TKT_ITSM_DONE;
    }
    cJSON *body = cJSON_CreateObject();
    add_state(call, r.table, body,
              r.table == NULL ? NULL : state_of(call, r.table, "closed"));
    enum tkt_itsm_next next = patch(call, body, err);
    call->request.repeatable = true;
    return next;
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    if ((conf->auth == TKT_CONF_AUTH_DEFAULT || conf->auth == TKT_CONF_AUTH_BASIC) &&
        conf->user[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "no user; name it, or write auth = header (API key) or "
                           "oauth_client");
    }
    return conf->auth == TKT_CONF_AUTH_OAUTH_CLIENT
               ? 0
               : tkt_itsm_need_secret(conf, "password", err);
}

/* What a state of ours is called in the table that the ticket stands in. */
static const char *state_word(struct tkt_itsm_call *call, const char *ours)
{
    const char *table = tkt_sn_record_of(call).table;

    return table == NULL ? NULL : state_of(call, table, ours);
}

/* It makes them of impact and urgency, by a matrix of its own. */
static const char *const priorities[] = {NULL, "1", "2", "3", "4", "5"};

const struct tkt_itsm_ops tkt_itsm_servicenow = {
    .type = "servicenow",
    .title = "ServiceNow (Table API, import sets)",
    .auth = TKT_ITSM_AUTH_BASIC,
    .auth_header = "x-sn-apikey: ",
    .options = options,
    .search_lag_ms = 5000,
    .search_is_proof = true,
    .check = check_conf,
    .refusal = refusal,
    .state_word = state_word,
    .priorities = priorities,
    .priorities_are_read = true,
    .steps = {[TKT_ITSM_CREATE] = create,
              [TKT_ITSM_FIND] = find,
              [TKT_ITSM_COMMENT] = comment,
              [TKT_ITSM_ATTACH] = attach,
              [TKT_ITSM_UPDATE] = update,
              [TKT_ITSM_FETCH] = tkt_sn_fetch,
              [TKT_ITSM_CHECK] = tkt_sn_check,
              [TKT_ITSM_CLOSE] = close_ticket,
              [TKT_ITSM_LIST] = tkt_sn_list},
};
