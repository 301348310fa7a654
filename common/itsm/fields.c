/* SPDX-License-Identifier: BSD-2-Clause
 * Fields of an ITSM that are filled by templates of the configuration.
 */
#include "base/util.h"
#include "itsm/build.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX (64 * 1024)

const char *const tkt_itsm_names[] = {"id",
                                      "corr",
                                      "url",
                                      "desk",
                                      "subject",
                                      "text",
                                      "type",
                                      "category",
                                      "subcategory",
                                      "service",
                                      "group",
                                      "assignee",
                                      "state",
                                      "urgency",
                                      "impact",
                                      "priority",
                                      "language",
                                      "requester.address",
                                      "requester.name",
                                      "fields.*",
                                      "event",
                                      "external",
                                      "comment.text",
                                      "comment.author",
                                      "comment.public",
                                      "file.name",
                                      "file.type",
                                      "tags[]",
                                      NULL};

struct values {
    struct tkt_var requester[2];
    struct tkt_var comment[3];
    struct tkt_var file[2];
    struct tkt_var *fields;
    struct tkt_var *tags;
    struct tkt_var all[24];
    size_t count;
    char numbers[3][12];
};

static void add(struct values *v, const char *name, const char *text)
{
    v->all[v->count++] = (struct tkt_var){.name = name, .text = text};
}

static void add_number(struct values *v, size_t slot, const char *name, int number)
{
    (void)snprintf(v->numbers[slot], sizeof(v->numbers[slot]), "%d",
                   number); /* has room */
    add(v, name, number == 0 ? "" : v->numbers[slot]);
}

/* What only some operations have. */
static void fill_event(const struct tkt_itsm_call *call, struct values *v,
                       const char *event)
{
    add(v, "event", event);
    add(v, "external", call->ticket->external == NULL ? "" : call->ticket->external);
    if (call->op == TKT_ITSM_COMMENT) {
        const struct tkt_itsm_comment *c = call->comment;

        v->comment[0] = (struct tkt_var){.name = "text", .text = c->text};
        v->comment[1] = (struct tkt_var){.name = "author", .text = c->author};
        v->comment[2] =
            (struct tkt_var){.name = "public", .text = c->is_public ? "yes" : ""};
        v->all[v->count++] =
            (struct tkt_var){.name = "comment", .items = v->comment, .count = 3};
    } else if (call->op == TKT_ITSM_ATTACH) {
        v->file[0] = (struct tkt_var){.name = "name", .text = call->file->name};
        v->file[1] = (struct tkt_var){.name = "type", .text = call->file->type};
        v->all[v->count++] =
            (struct tkt_var){.name = "file", .items = v->file, .count = 2};
    }
}

static int fill(struct tkt_itsm_call *call, struct values *v)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    size_t tag_count = t->tags == NULL ? 0 : t->tags->count;

    memset(v, 0, sizeof(*v));
    v->fields =
        tkt_wire_arena_alloc(&call->arena, (t->field_count + 1) * sizeof(*v->fields));
    v->tags = tkt_wire_arena_alloc(&call->arena, (tag_count + 1) * sizeof(*v->tags));
    if (v->fields == NULL || v->tags == NULL) {
        return -1;
    }
    const struct {
        const char *name, *text;
    } texts[] = {{"id", t->id},
                 {"corr", t->corr},
                 {"url", t->url},
                 {"desk", t->desk},
                 {"subject", t->subject},
                 {"text", t->text},
                 {"type", t->type},
                 {"category", t->category},
                 {"subcategory", t->subcategory},
                 {"service", t->service},
                 {"group", t->group},
                 {"assignee", t->assignee},
                 {"state", t->state},
                 {"language", t->language}};
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        add(v, texts[i].name, texts[i].text == NULL ? "" : texts[i].text);
    }
    add_number(v, 0, "urgency", t->urgency);
    add_number(v, 1, "impact", t->impact);
    add_number(v, 2, "priority", t->priority);
    v->requester[0] =
        (struct tkt_var){.name = "address", .text = t->requester ? t->requester : ""};
    v->requester[1] = (struct tkt_var){
        .name = "name", .text = t->requester_name ? t->requester_name : ""};
    v->all[v->count++] =
        (struct tkt_var){.name = "requester", .items = v->requester, .count = 2};
    for (size_t i = 0; i < t->field_count; i++) {
        v->fields[i] =
            (struct tkt_var){.name = t->fields[i].name, .text = t->fields[i].value};
    }
    v->all[v->count++] =
        (struct tkt_var){.name = "fields", .items = v->fields, .count = t->field_count};
    for (size_t i = 0; i < tag_count; i++) {
        v->tags[i] = (struct tkt_var){.text = t->tags->items[i]};
    }
    v->all[v->count++] = (struct tkt_var){
        .name = "tags", .items = v->tags, .count = tag_count, .is_list = true};
    return 0;
}

static int one_field(struct tkt_itsm_call *call, const struct values *v, const char *row,
                     int (*take)(void *arg, const char *name, const char *value),
                     void *arg, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(VALUE_MAX);
    size_t n = strcspn(row, "=");
    char *name = tkt_wire_arena_strdup(&call->arena, row, n);
    struct tkt_template *t = tkt_template_compile(row + n + (row[n] == '='),
                                                  TKT_ESCAPE_NONE, tkt_itsm_names, err);

    if (t == NULL) {
        return -1;
    }
    (void)tkt_template_render(t, v->all, v->count, &out); /* too long: cut */
    tkt_template_free(&t);
    const char *value = tkt_itsm_keep(call, tkt_buf_str(&out));
    if (name == NULL || value == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
    }
    return *value == '\0' ? 0 : take(arg, name, value);
}

int tkt_itsm_fields(struct tkt_itsm_call *call,
                    int (*take)(void *arg, const char *name, const char *value),
                    void *arg, struct tkt_err *err)
{
    const struct tkt_conf_list *rows = &call->site->conf->fields;
    struct values v;

    if (rows->count == 0) {
        return 0;
    }
    if (fill(call, &v) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
    }
    fill_event(call, &v, "");
    for (size_t i = 0; i < rows->count; i++) {
        if (one_field(call, &v, rows->items[i], take, arg, err) < 0) {
            return -1;
        }
    }
    return 0;
}

const char *tkt_itsm_render(struct tkt_itsm_call *call, const char *template,
                            enum tkt_escape escape, const char *event,
                            struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TKT_HTTP_ANSWER_MAX);
    struct tkt_template *t = tkt_template_compile(template, escape, tkt_itsm_names, err);
    const char *text = NULL;
    struct values v;

    if (t == NULL) {
        return NULL;
    }
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
    if (fill(call, &v) == 0) {
        fill_event(call, &v, event);
        if (tkt_template_render(t, v.all, v.count, &out) < 0) {
            tkt_err_set(err, TKT_ERR_PERM, "a template makes more than %d bytes",
                        TKT_HTTP_ANSWER_MAX);
        } else {
            text = tkt_itsm_keep(call, tkt_buf_str(&out));
        }
    }
    tkt_template_free(&t);
    return text;
}
