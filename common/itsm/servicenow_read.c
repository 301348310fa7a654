/* SPDX-License-Identifier: BSD-2-Clause
 * ServiceNow: what a ticket there says, and whether the section fits what is there.
 */
#include "base/util.h"
#include "itsm/back.h"
#include "itsm/servicenow.h"

#include <string.h>

#define GROUPS_CHECKED 40

/* A value is a text, or an object that holds it, as the query and the field have it. */
char *tkt_sn_value(struct tkt_itsm_call *call, const cJSON *row, const char *name)
{
    const cJSON *v = tkt_json_at(row, name);

    return cJSON_IsObject(v) ? tkt_itsm_str(call, v, "value")
                             : tkt_itsm_str(call, row, name);
}

char *tkt_sn_shown(struct tkt_itsm_call *call, const cJSON *row, const char *name)
{
    const cJSON *v = tkt_json_at(row, name);

    return cJSON_IsObject(v) ? tkt_itsm_str(call, v, "display_value")
                             : tkt_itsm_str(call, row, name);
}

enum tkt_itsm_next tkt_sn_list_files(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *id = tkt_itsm_escape(call, tkt_sn_record_of(call).id);

    return tkt_itsm_get(call,
                        id == NULL ? NULL
                                   : tkt_itsm_url(call,
                                                  "/api/now/attachment?sysparm_query="
                                                  "table_sys_id%%3D%s&sysparm_limit=%d",
                                                  id, TKT_SN_FILES_MAX),
                        err);
}

/* ---- fetch ---------------------------------------------------------------------------- */

static enum tkt_itsm_next take_state(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *row = tkt_json_at(call->answer->json, "result");
    struct tkt_itsm_seen *s = &call->seen;

    if (tkt_sn_take_record(call, tkt_sn_record_of(call).table, row, err) !=
        TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    s->state = tkt_sn_value(call, row, "state");
    s->group = tkt_sn_shown(call, row, "assignment_group");
    s->assignee = tkt_sn_shown(call, row, "assigned_to");
    s->priority = tkt_sn_value(call, row, "priority");
    s->changed = tkt_sn_value(call, row, "sys_updated_on");
    s->me = tkt_sn_value(call, row, "sys_created_by");
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next ask_journal(struct tkt_itsm_call *call, struct tkt_err *err)
{
    enum tkt_itsm_next next = tkt_sn_ask(
        call, "sys_journal_field",
        tkt_itsm_text(
            call,
            "element_id=%s^elementINcomments,work_notes"
            "^ORDERBYDESCsys_created_on",
            tkt_sn_can_ask(tkt_sn_record_of(call).id) ? tkt_sn_record_of(call).id : ""),
        "sys_id,element_id,element,value,sys_created_on,sys_created_by",
        TKT_ITSM_COMMENTS_MAX, err);

    call->request.also[1] = 403; /* a right of its own: then there are no notes */
    return next;
}

static int take_journal(struct tkt_itsm_call *call)
{
    struct tkt_itsm_seen *s = &call->seen;
    const char *id = tkt_sn_record_of(call).id;
    const cJSON *row;

    s->notes =
        tkt_wire_arena_alloc(&call->arena, TKT_ITSM_COMMENTS_MAX * sizeof(*s->notes));
    if (s->notes == NULL) {
        return -1;
    }
    cJSON_ArrayForEach(row, tkt_json_at(call->answer->json, "result"))
    {
        const char *of = tkt_sn_value(call, row, "element_id");
        const char *element = tkt_sn_value(call, row, "element");

        if (of != NULL && element != NULL && strcmp(of, id) == 0 &&
            s->note_count < TKT_ITSM_COMMENTS_MAX) {
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_sn_value(call, row, "sys_id"),
                .author = tkt_sn_value(call, row, "sys_created_by"),
                .text = tkt_sn_value(call, row, "value"),
                .at = tkt_sn_value(call, row, "sys_created_on"),
                .is_public = strcmp(element, "comments") == 0};
        }
    }
    return 0;
}

static void take_files(struct tkt_itsm_call *call)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, tkt_json_at(call->answer->json, "result"))
    {
        char *name = tkt_sn_value(call, row, "file_name");

        if (name != NULL && *name != '\0') {
            tkt_itsm_saw_file(call, name, tkt_json_at(row, "size_bytes"),
                              tkt_sn_value(call, row, "sys_created_on"));
        }
    }
}

enum tkt_itsm_next tkt_sn_fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    switch (call->step) {
    case 0:
        return tkt_sn_get_record(call, "all", err);
    case 1:
        return take_state(call, err) != TKT_ITSM_DONE ? TKT_ITSM_FAILED
                                                      : ask_journal(call, err);
    case 2:
        return take_journal(call) < 0 ? tkt_sn_no_memory(err)
                                      : tkt_sn_list_files(call, err);
    default:
        take_files(call);
        return TKT_ITSM_DONE;
    }
}

/* ---- list ------------------------------------------------------------------------------ */

#define LIST_PAGE 500
#define LIST_TABLES_MAX 8

/* The n-th of the tables that tickets may stand in; NULL: there is no further one. */
static const char *table_at(struct tkt_itsm_call *call, int n)
{
    static const char *const own[] = {"incident", "sc_request"};
    const struct tkt_conf_list *types = &call->site->conf->types;
    const char *target = tkt_sn_option(call, "import_target");
    const char *tables[LIST_TABLES_MAX];
    size_t count = 0;

    if (*target != '\0') {
        return n == 0 ? target : NULL;
    }
    for (size_t i = 0; i < types->count + TKT_ARRAY_LEN(own); i++) {
        const char *name = i < types->count
                               ? tkt_sn_table_named(strchr(types->items[i], '=') + 1)
                               : own[i - types->count];
        bool again = false;

        for (size_t k = 0; k < count; k++) {
            again = again || strcmp(tables[k], name) == 0;
        }
        if (!again && count < LIST_TABLES_MAX) {
            tables[count++] = name;
        }
    }
    return (size_t)n < count ? tables[n] : NULL;
}

struct listing { /* in the arena */
    int table;
    int offset;
};

static enum tkt_itsm_next ask_changed(struct tkt_itsm_call *call, const struct listing *l,
                                      struct tkt_err *err)
{
    const char *table = table_at(call, l->table);
    const char *since = tkt_itsm_time_text(call, call->since_ms, ' ');

    if (table == NULL) {
        return TKT_ITSM_DONE;
    }
    return since == NULL
               ? tkt_sn_no_memory(err)
               : tkt_sn_ask(call, table,
                            tkt_itsm_text(call,
                                          "correlation_display=%s^sys_updated_on>=%s"
                                          "^ORDERBYsys_updated_on^ORDERBYsys_id",
                                          call->site->product, since),
                            tkt_itsm_text(call, "sys_id,sys_updated_on&sysparm_offset=%d",
                                          l->offset),
                            LIST_PAGE, err);
}

enum tkt_itsm_next tkt_sn_list(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct listing *l = call->state;
    const cJSON *row;

    if (l == NULL) {
        l = call->state = tkt_wire_arena_alloc(&call->arena, sizeof(*l));
        if (l == NULL) {
            return tkt_sn_no_memory(err);
        }
        memset(l, 0, sizeof(*l));
    }
    if (call->step == 0) {
        return ask_changed(call, l, err);
    }
    const cJSON *rows = tkt_json_at(call->answer->json, "result");
    if (call->answer->status != 404 && !cJSON_IsArray(rows)) {
        return tkt_itsm_odd(call, err, "result");
    }
    cJSON_ArrayForEach(row, rows)
    {
        const char *id = tkt_sn_value(call, row, "sys_id");

        if (id != NULL && *id != '\0' &&
            tkt_itsm_changed(
                call, tkt_itsm_text(call, "%s/%s", table_at(call, l->table), id),
                tkt_itsm_time(tkt_sn_value(call, row, "sys_updated_on")), err) < 0) {
            return TKT_ITSM_FAILED;
        }
    }
    bool is_last = cJSON_GetArraySize(rows) < LIST_PAGE;
    l->table += is_last;
    l->offset = is_last ? 0 : l->offset + LIST_PAGE;
    if (table_at(call, l->table) != NULL && tkt_itsm_list_is_full(call, LIST_PAGE)) {
        return TKT_ITSM_DONE;
    }
    return ask_changed(call, l, err);
}

/* ---- check ---------------------------------------------------------------------------- */

static enum tkt_itsm_next ask_fields(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_list *rows = &call->site->conf->fields;
    const char *names = "sys_id,correlation_id,correlation_display";

    for (size_t i = 0; i < rows->count && names != NULL; i++) {
        names = tkt_itsm_text(call, "%s,%.*s", names, (int)strcspn(rows->items[i], "="),
                              rows->items[i]);
    }
    const char *escaped = names == NULL ? NULL : tkt_itsm_escape(call, names);
    return escaped == NULL ? tkt_sn_no_memory(err)
                           : tkt_sn_ask(call, tkt_sn_table_of(call), "", escaped, 1, err);
}

/* Columns that are not there are left out of an answer without a word. */
static int check_fields(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_list *rows = &call->site->conf->fields;
    const cJSON *row = tkt_json_at(call->answer->json, "result.0");

    if (call->answer->status == 404 ||
        !cJSON_IsArray(tkt_json_at(call->answer->json, "result"))) {
        return tkt_err_set(err, TKT_ERR_CONF, "table %s cannot be read",
                           tkt_sn_table_of(call));
    }
    for (size_t i = 0; i < rows->count && cJSON_IsObject(row); i++) {
        const char *name = tkt_itsm_text(call, "%.*s", (int)strcspn(rows->items[i], "="),
                                         rows->items[i]);

        if (name != NULL && !cJSON_HasObjectItem(row, name) &&
            tkt_sn_option(call, "import_table")[0] == '\0') {
            return tkt_err_set(err, TKT_ERR_CONF, "table %s has no column %s",
                               tkt_sn_table_of(call), name);
        }
    }
    call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
        call, "table %s%s", tkt_sn_table_of(call),
        row == NULL ? " (no record to be seen: its columns were not looked at)" : "");
    return call->seen.told == NULL ? tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory")
                                   : 0;
}

/* The n-th group that the section names and that is no sys_id. */
static const char *group_named(const struct tkt_conf_itsm *conf, size_t n)
{
    for (size_t i = 0; i < conf->groups.count && n < GROUPS_CHECKED; i++) {
        const char *name = strchr(conf->groups.items[i], '=') + 1;

        if (!tkt_sn_is_id(name) && tkt_sn_can_ask(name) && n-- == 0) {
            return name;
        }
    }
    return NULL;
}

enum tkt_itsm_next tkt_sn_check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_itsm *conf = call->site->conf;
    size_t count;

    if (call->step == 0) {
        return ask_fields(call, err);
    }
    if (call->step == 1) {
        if (check_fields(call, err) < 0) {
            return TKT_ITSM_FAILED;
        }
    } else {
        const char *asked = group_named(conf, (size_t)call->step - 2);

        if (asked == NULL || tkt_sn_hit(call, "name", asked, &count) == NULL) {
            tkt_err_set(err, TKT_ERR_CONF, "%s group \"%.100s\" is active there",
                        asked == NULL || count == 0 ? "no" : "more than one",
                        asked == NULL ? "" : asked);
            return TKT_ITSM_FAILED;
        }
        call->seen.told = (char *)(uintptr_t)tkt_itsm_text(call, "%s\ngroup %s",
                                                           call->seen.told, asked);
    }
    const char *group = group_named(conf, (size_t)call->step - 1);
    return group == NULL ? TKT_ITSM_DONE
                         : tkt_sn_ask_name(call, "sys_user_group", "name", group, err);
}
