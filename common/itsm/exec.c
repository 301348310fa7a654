/* SPDX-License-Identifier: BSD-2-Clause
 * A helper program: for what has no backend here.
 *
 * It gets one JSON document on its standard input and prints one; its exit status says how
 * it ended, as sysexits.h names it. docs/itsm.md tells the members. What it finds counts only
 * if it shows the ticket's key.
 */
#include "base/util.h"
#include "itsm/backends.h"
#include "itsm/build.h"
#include "net/program.h"

#include <stdio.h>
#include <string.h>

#define NOTES_MAX TKT_ITSM_COMMENTS_MAX

static const char *const options[] = {"program", NULL};

/* ---- what it is told ------------------------------------------------------------------ */

static void add_text(cJSON *to, const char *name, const char *value)
{
    cJSON_AddStringToObject(to, name, value == NULL ? "" : value);
}

/* Ours, and what the section calls it there. */
static void add_mapped(cJSON *ticket, cJSON *there, const char *name,
                       const struct tkt_conf_list *rows, const char *ours)
{
    const char *theirs = ours == NULL ? NULL : tkt_itsm_map(rows, ours, NULL);

    add_text(ticket, name, ours);
    if (theirs != NULL) {
        add_text(there, name, theirs);
    }
}

static void add_words(const struct tkt_itsm_ticket *t, cJSON *ticket)
{
    cJSON *fields = cJSON_AddObjectToObject(ticket, "fields");
    cJSON *tags = cJSON_AddArrayToObject(ticket, "tags");

    for (size_t i = 0; i < t->field_count; i++) {
        add_text(fields, t->fields[i].name, t->fields[i].value);
    }
    for (size_t i = 0; t->tags != NULL && i < t->tags->count; i++) {
        cJSON_AddItemToArray(tags, cJSON_CreateString(t->tags->items[i]));
    }
}

static int add_ticket(struct tkt_itsm_call *call, cJSON *body, struct tkt_err *err)
{
    const struct tkt_conf_itsm *conf = call->site->conf;
    const struct tkt_itsm_ticket *t = call->ticket;
    cJSON *ticket = cJSON_AddObjectToObject(body, "ticket");
    cJSON *there = cJSON_AddObjectToObject(body, "there");
    cJSON *fields = cJSON_AddObjectToObject(there, "fields");
    const struct {
        const char *name, *value;
    } texts[] = {{"id", t->id},
                 {"corr", t->corr},
                 {"url", t->url},
                 {"desk", t->desk},
                 {"subject", t->subject},
                 {"text", t->text},
                 {"requester", t->requester},
                 {"requester_name", t->requester_name},
                 {"language", t->language},
                 {"category", t->category},
                 {"subcategory", t->subcategory},
                 {"service", t->service},
                 {"assignee", t->assignee},
                 {"external", t->external},
                 {"number", t->number}};
    char priority[12];

    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        add_text(ticket, texts[i].name, texts[i].value);
    }
    (void)snprintf(priority, sizeof(priority), "%d", t->priority); /* has room */
    cJSON_AddNumberToObject(ticket, "urgency", t->urgency);
    cJSON_AddNumberToObject(ticket, "impact", t->impact);
    add_mapped(ticket, there, "priority", &conf->priorities, priority);
    add_mapped(ticket, there, "type", &conf->types, t->type);
    add_mapped(ticket, there, "state", &conf->states, t->state);
    add_mapped(ticket, there, "group", &conf->groups, t->group);
    add_text(there, "project", conf->project);
    add_words(t, ticket);
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory"); /* unless a field says more */
    return fields == NULL ? -1 : tkt_itsm_fields(call, tkt_itsm_add_member, fields, err);
}

static void add_comment(const struct tkt_itsm_comment *c, cJSON *body)
{
    cJSON *comment = cJSON_AddObjectToObject(body, "comment");

    add_text(comment, "text", c->text);
    add_text(comment, "author", c->author);
    add_text(comment, "author_name", c->author_name);
    add_text(comment, "key", c->key);
    cJSON_AddBoolToObject(comment, "public", c->is_public);
}

static void add_file(const struct tkt_itsm_file *f, cJSON *body)
{
    cJSON *file = cJSON_AddObjectToObject(body, "file");

    add_text(file, "name", f->name);
    add_text(file, "type", f->type);
    add_text(file, "key", f->key);
    cJSON_AddNumberToObject(file, "size", (double)f->size);
    cJSON_AddNumberToObject(file, "fd", TKT_PROGRAM_FILE_FD);
}

static enum tkt_itsm_next ask(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_itsm *conf = call->site->conf;
    cJSON *body = cJSON_CreateObject();
    cJSON *site = cJSON_AddObjectToObject(body, "site");

    cJSON_AddNumberToObject(body, "version", 1);
    add_text(body, "op", tkt_itsm_op_names[call->op]);
    add_text(body, "key", call->key);
    add_text(site, "name", conf->name);
    add_text(site, "url", conf->url);
    add_text(site, "user", conf->user);
    add_text(site, "secret", call->site->secret);
    if (call->op != TKT_ITSM_CHECK && add_ticket(call, body, err) < 0) {
        cJSON_Delete(body);
        return TKT_ITSM_FAILED;
    }
    if (call->op == TKT_ITSM_COMMENT) {
        add_comment(call->comment, body);
    } else if (call->op == TKT_ITSM_UPDATE) {
        cJSON_AddItemToObject(body, "changed", tkt_itsm_told(call));
    } else if (call->op == TKT_ITSM_ATTACH) {
        add_file(call->file, body);
        call->request.file = call->file;
    }
    TKT_AUTO_FREE char *text = body == NULL ? NULL : cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    call->request.body = text == NULL ? NULL : tkt_itsm_keep(call, text);
    call->request.program = tkt_itsm_option(call, "program", "");
    if (call->request.body == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
        return TKT_ITSM_FAILED;
    }
    call->request.body_len = strlen(call->request.body);
    call->request.repeatable = call->op == TKT_ITSM_FIND || call->op == TKT_ITSM_UPDATE ||
                               call->op == TKT_ITSM_FETCH || call->op == TKT_ITSM_CHECK ||
                               call->op == TKT_ITSM_CLOSE;
    return TKT_ITSM_SEND;
}

/* ---- what it says --------------------------------------------------------------------- */

static int take_lists(struct tkt_itsm_call *call, const cJSON *json, struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *one;

    s->notes = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*s->notes));
    s->files = tkt_wire_arena_alloc(&call->arena, NOTES_MAX * sizeof(*s->files));
    if (s->notes == NULL || s->files == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
    }
    cJSON_ArrayForEach(one, tkt_json_at(json, "notes"))
    {
        if (s->note_count < NOTES_MAX) {
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_itsm_str(call, one, "id"),
                .author = tkt_itsm_str(call, one, "author"),
                .text = tkt_itsm_str(call, one, "text"),
                .at = tkt_itsm_str(call, one, "at"),
                .is_public = cJSON_IsTrue(tkt_json_at(one, "public"))};
        }
    }
    cJSON_ArrayForEach(one, tkt_json_at(json, "files"))
    {
        if (s->file_count < NOTES_MAX && cJSON_IsString(one)) {
            s->files[s->file_count++] = tkt_itsm_keep(call, one->valuestring);
        }
    }
    return 0;
}

static void take_words(struct tkt_itsm_call *call, const cJSON *json)
{
    struct tkt_itsm_seen *s = &call->seen;
    char *number = tkt_itsm_str(call, json, "number");

    s->external = tkt_itsm_str(call, json, "external");
    s->number = number == NULL || *number == '\0' ? s->external : number;
    s->url = tkt_itsm_str(call, json, "url");
    s->state = tkt_itsm_str(call, json, "state");
    s->group = tkt_itsm_str(call, json, "group");
    s->assignee = tkt_itsm_str(call, json, "assignee");
    s->priority = tkt_itsm_str(call, json, "priority");
    s->changed = tkt_itsm_str(call, json, "changed");
    s->told = tkt_itsm_str(call, json, "told");
}

/* Both with a ticket, and with none. */
static enum tkt_itsm_next take_found(struct tkt_itsm_call *call, const cJSON *json)
{
    const char *corr = cJSON_GetStringValue(tkt_json_at(json, "corr"));

    if (corr != NULL && strcmp(corr, call->ticket->corr) == 0) {
        take_words(call, json);
    }
    return TKT_ITSM_DONE;
}

static enum tkt_itsm_next step(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *json = call->step == 0 ? NULL : call->answer->json;
    bool needs_json = call->op == TKT_ITSM_CREATE || call->op == TKT_ITSM_FIND ||
                      call->op == TKT_ITSM_FETCH || call->op == TKT_ITSM_CHECK;

    if (call->step == 0) {
        return ask(call, err);
    }
    if (needs_json && !cJSON_IsObject(json)) {
        return tkt_itsm_odd(call, err, "JSON object");
    }
    if (call->op == TKT_ITSM_FIND) {
        return take_found(call, json);
    }
    take_words(call, json);
    if (call->op == TKT_ITSM_CREATE &&
        (call->seen.external == NULL || *call->seen.external == '\0')) {
        return tkt_itsm_odd(call, err, "member \"external\"");
    }
    return call->op == TKT_ITSM_FETCH && take_lists(call, json, err) < 0 ? TKT_ITSM_FAILED
                                                                         : TKT_ITSM_DONE;
}

static int check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    const char *program = tkt_itsm_map(&conf->options, "program", "");

    return program[0] == '/'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "no program; write options = {\"program=/its/whole/path\"}");
}

const struct tkt_itsm_ops tkt_itsm_exec = {
    .type = "exec",
    .title = "A helper program",
    .auth = TKT_ITSM_AUTH_OWN,
    .is_program = true,
    .updates_fields = true,
    .options = options,
    .search_is_proof = true,
    .check = check_conf,
    .steps = {[TKT_ITSM_CREATE] = step,
              [TKT_ITSM_FIND] = step,
              [TKT_ITSM_COMMENT] = step,
              [TKT_ITSM_ATTACH] = step,
              [TKT_ITSM_UPDATE] = step,
              [TKT_ITSM_FETCH] = step,
              [TKT_ITSM_CHECK] = step,
              [TKT_ITSM_CLOSE] = step},
};
