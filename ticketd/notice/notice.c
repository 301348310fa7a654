/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/notice/notice.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticketd/mail/optout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EVENT_VARS_MAX 32
#define VARS_MAX 24
#define NUMBER_MAX 32
#define MESSAGE_MAX (TKT_NOTICE_TEXT_MAX - 32 * 1024) /* the rest is the template's */
#define CUT_LINE "\n[...]"
#define WORD_MAX 200 /* of a fact in a sentence */

struct vars { /* all that a text may name; see tkt_notice_vars */
    struct tkt_var top[VARS_MAX];
    size_t count;
    struct tkt_var ticket[16], desk[2], requester[2], to[4], is[2];
    struct tkt_var event[EVENT_VARS_MAX];
    size_t event_count;
    struct tkt_var *fields, *items;
};

int tkt_notice_what(const char *name)
{
    for (int i = 0; i < TKT_NOTICE_WHATS; i++) {
        if (strcmp(tkt_notice_names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *tkt_notice_desk_address(const struct tkt_conf_desk *desk)
{
    for (size_t i = 0; desk != NULL && i < desk->addresses.count; i++) {
        if (desk->addresses.items[i][0] != '@') {
            return desk->addresses.items[i];
        }
    }
    return "";
}

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
}

static char *keep(struct tkt_notice_made *m, const char *text)
{
    return tkt_wire_arena_strdup(&m->arena, text, strlen(text));
}

/* ---- the payload ----------------------------------------------------------------------- */

static const cJSON *get(const cJSON *json, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(json, name);
}

static const char *text_of(const cJSON *json, const char *name)
{
    const char *s = cJSON_GetStringValue(get(json, name));

    return s == NULL ? "" : s;
}

/* The object that names recipient, role and language: of a digest its first one. */
static const cJSON *head(const struct tkt_notice_made *m)
{
    const cJSON *like = get(m->payload, "like");

    return cJSON_IsObject(like) ? like : m->payload;
}

static int parse(struct tkt_notice_made *m, const char *payload, struct tkt_err *err)
{
    m->payload = cJSON_Parse(payload == NULL ? "" : payload);
    int what = tkt_notice_what(text_of(m->payload, "what"));
    const cJSON *h = head(m);

    if (m->payload == NULL || what < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "the job does not say what to tell");
    }
    const cJSON *at = get(h, "at");
    m->notice.what = (enum tkt_notice_what)what;
    m->notice.to = text_of(h, "to");
    m->notice.to_name = text_of(h, "name");
    m->notice.role = text_of(h, "role");
    m->notice.language = text_of(h, "language");
    m->notice.at_ms = cJSON_IsNumber(at) ? (int64_t)at->valuedouble : 0;
    m->is_answer = cJSON_IsTrue(get(h, "answer")) && what != TKT_NOTICE_DIGEST;
    m->may_opt_out = cJSON_IsTrue(get(h, "optout"));
    return 0;
}

/* ---- what texts may name ----------------------------------------------------------------- */

static void add_object(struct vars *v, const char *name, const struct tkt_var *items,
                       size_t count)
{
    v->top[v->count++] = (struct tkt_var){.name = name, .items = items, .count = count};
}

static void add_text(struct vars *v, const char *name, const char *text)
{
    v->top[v->count++] = (struct tkt_var){.name = name, .text = text};
}

static const char *display_name(const struct tkt_conf *conf, const char *address)
{
    for (size_t i = 0; address[0] != '\0' && i < conf->agent_count; i++) {
        if (tkt_ascii_ieq(conf->agents[i].name, address)) {
            return conf->agents[i].display_name;
        }
    }
    return "";
}

static int add_ticket(struct tkt_notice_made *m, struct vars *v)
{
    const struct tkt_reader_full *f = &m->full;
    char priority[NUMBER_MAX] = "";
    char created[32];

    if (f->priority > 0) {
        (void)snprintf(priority, sizeof(priority), "%d", f->priority); /* has room */
    }
    tkt_clock_format(f->created_ms, created);
    const struct tkt_var ticket[] = {
        {.name = "id", .text = f->id},
        {.name = "number", .text = f->number},
        {.name = "external_url", .text = f->url},
        {.name = "url", .text = m->notice.url},
        {.name = "subject", .text = f->subject},
        {.name = "state", .text = tkt_state_names[f->state]},
        {.name = "priority", .text = keep(m, priority)},
        {.name = "type", .text = f->type},
        {.name = "category", .text = f->category},
        {.name = "service", .text = f->service},
        {.name = "group", .text = f->group},
        {.name = "assignee", .text = f->assignee},
        {.name = "assignee_name", .text = display_name(m->set->conf, f->assignee)},
        {.name = "created", .text = keep(m, created)}};

    _Static_assert(TKT_ARRAY_LEN(ticket) <= TKT_ARRAY_LEN(v->ticket), "room for all");
    memcpy(v->ticket, ticket, sizeof(ticket));
    add_object(v, "ticket", v->ticket, TKT_ARRAY_LEN(ticket));
    v->fields =
        tkt_wire_arena_alloc(&m->arena, (f->field_count + 1) * sizeof(*v->fields));
    if (v->fields == NULL) {
        return -1;
    }
    for (size_t i = 0; i < f->field_count; i++) {
        v->fields[i] =
            (struct tkt_var){.name = f->fields[i].name, .text = f->fields[i].value};
    }
    add_object(v, "fields", v->fields, f->field_count);
    return 0;
}

static void add_people(struct tkt_notice_made *m, struct vars *v)
{
    const struct tkt_notice *n = &m->notice;

    v->is[0] = (struct tkt_var){.name = tkt_state_names[m->full.state], .text = "1"};
    add_object(v, "is", v->is, 1);
    v->desk[0] = (struct tkt_var){.name = "name",
                                  .text = m->desk != NULL && m->desk->display_name[0]
                                              ? m->desk->display_name
                                              : m->full.desk};
    v->desk[1] =
        (struct tkt_var){.name = "address", .text = tkt_notice_desk_address(m->desk)};
    add_object(v, "desk", v->desk, 2);
    v->requester[0] = (struct tkt_var){.name = "name", .text = m->full.requester_name};
    v->requester[1] = (struct tkt_var){.name = "address", .text = m->full.requester};
    add_object(v, "requester", v->requester, 2);
    bool outside = strcmp(n->role, "requester") == 0 || strcmp(n->role, "cc") == 0;
    v->to[0] = (struct tkt_var){.name = "name", .text = n->to_name};
    v->to[1] = (struct tkt_var){.name = "address", .text = n->to};
    v->to[2] = (struct tkt_var){.name = "role", .text = n->role};
    v->to[3] = (struct tkt_var){.name = "is_requester", .text = outside ? "1" : ""};
    add_object(v, "to", v->to, 4);
}

static const char *value_text(struct tkt_notice_made *m, const cJSON *value)
{
    char number[NUMBER_MAX];

    if (cJSON_IsString(value)) {
        return value->valuestring;
    }
    if (cJSON_IsNumber(value)) {
        (void)snprintf(number, sizeof(number), "%.15g",
                       value->valuedouble); /* has room */
        return keep(m, number);
    }
    return cJSON_IsTrue(value) ? "1" : "";
}

static int add_event(struct tkt_notice_made *m, struct vars *v)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, get(head(m), "event"))
    {
        if (v->event_count < EVENT_VARS_MAX && one->string != NULL) {
            const char *text = value_text(m, one);

            if (text == NULL) {
                return -1;
            }
            v->event[v->event_count++] =
                (struct tkt_var){.name = one->string, .text = text};
        }
    }
    add_object(v, "event", v->event, v->event_count);
    return 0;
}

/* Of a digest. */
static int add_items(struct tkt_notice_made *m, struct vars *v)
{
    static const char *const keys[] = {"line", "ticket", "what", "url"};
    const cJSON *list = get(m->payload, "items");
    size_t count = (size_t)cJSON_GetArraySize(list);
    size_t at = 0;
    char number[2][NUMBER_MAX] = {"", ""};
    const cJSON *left = get(m->payload, "left_out");
    const cJSON *one;

    v->items = tkt_wire_arena_alloc(&m->arena, (count + 1) * sizeof(*v->items));
    if (v->items == NULL) {
        return -1;
    }
    cJSON_ArrayForEach(one, list)
    {
        struct tkt_var *members =
            tkt_wire_arena_alloc(&m->arena, TKT_ARRAY_LEN(keys) * sizeof(*members));

        if (members == NULL) {
            return -1;
        }
        for (size_t i = 0; i < TKT_ARRAY_LEN(keys); i++) {
            members[i] = (struct tkt_var){.name = keys[i], .text = text_of(one, keys[i])};
        }
        v->items[at++] = (struct tkt_var){.items = members, .count = TKT_ARRAY_LEN(keys)};
    }
    v->top[v->count++] = (struct tkt_var){
        .name = "items", .items = v->items, .count = at, .is_list = true};
    int more = cJSON_IsNumber(left) ? (int)left->valuedouble : 0;
    (void)snprintf(number[0], NUMBER_MAX, "%zu", count + (size_t)TKT_MAX(more, 0));
    if (more > 0) {
        (void)snprintf(number[1], NUMBER_MAX, "%d", more); /* has room, as above */
    }
    add_text(v, "count", keep(m, number[0]));
    add_text(v, "left_out", keep(m, number[1]));
    return v->top[v->count - 1].text == NULL || v->top[v->count - 2].text == NULL ? -1
                                                                                  : 0;
}

/* A text that is too long for one notice goes as far as it fits. NULL: no memory. */
static const char *cut_message(struct tkt_notice_made *m, const char *text)
{
    size_t len = strlen(text);
    size_t n = tkt_utf8_cut(text, len, MESSAGE_MAX);

    if (n == len) {
        return text;
    }
    char *out = tkt_wire_arena_alloc(&m->arena, n + sizeof(CUT_LINE));
    if (out != NULL) {
        memcpy(out, text, n);
        memcpy(out + n, CUT_LINE, sizeof(CUT_LINE));
    }
    return out;
}

/* What a person wrote: of the payload, or the comment that the job is about. */
static int add_message(struct tkt_notice_made *m, struct vars *v,
                       struct tkt_reader *reader, int64_t message, struct tkt_err *err)
{
    const char *text = text_of(head(m), "text");
    char *comment = NULL;
    char *author;

    if (text[0] == '\0' && message != 0 && reader != NULL &&
        m->notice.what == TKT_NOTICE_COMMENT) {
        if (tkt_reader_comment(reader, message, &m->arena, &comment, &author, err) < 0) {
            return -1;
        }
        text = comment != NULL ? comment : "";
    }
    text = cut_message(m, text);
    if (text == NULL) {
        return no_memory(err);
    }
    add_text(v, "message", text);
    add_text(v, "what", tkt_notice_names[m->notice.what]);
    add_text(v, "unsubscribe", m->unsubscribe);
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------- */

/* "{id}" of ticket_url. */
static const char *url_of(struct tkt_notice_made *m)
{
    TKT_AUTO_BUF struct tkt_buf url = TKT_BUF_INIT(2048);
    const char *place = m->desk == NULL ? NULL : strstr(m->desk->ticket_url, "{id}");

    if (m->full.url[0] != '\0') {
        return m->full.url;
    }
    if (place != NULL) {
        (void)tkt_buf_addf(&url, "%.*s%s%s", (int)(place - m->desk->ticket_url),
                           m->desk->ticket_url, m->full.id, place + 4); /* none then */
    }
    return url.failed ? "" : keep(m, tkt_buf_str(&url));
}

/* An acknowledgement answers him: he has just written. NULL: no memory. */
static const char *unsubscribe_of(const struct tkt_notice_made *m, int64_t ticket,
                                  struct tkt_wire_arena *arena)
{
    const char *base = m->set->conf->webhook.public_url;
    char token[TKT_OPTOUT_LEN_MAX + 1];
    struct tkt_err none = TKT_ERR_INIT;
    TKT_AUTO_BUF struct tkt_buf url = TKT_BUF_INIT(2048);

    if (base[0] == '\0' || m->set->conf->webhook.listen[0] == '\0' || !m->may_opt_out ||
        m->is_answer || !tkt_optout_is_person(m->notice.to) ||
        tkt_optout_make(&m->set->keys, ticket, m->notice.to, token, &none) < 0 ||
        tkt_buf_addf(&url, "%s%s%s", base, TKT_OPTOUT_PATH, token) < 0) {
        return ""; /* the mailto of the header is there without it */
    }
    return tkt_wire_arena_strdup(arena, tkt_buf_str(&url), url.len);
}

static int fill(struct tkt_notice_made *m, int64_t ticket, struct tkt_err *err)
{
    const struct tkt_reader_full *f = &m->full;
    struct tkt_notice *n = &m->notice;

    m->desk = tkt_conf_desk(m->set->conf, f->desk);
    n->ticket = f->id;
    n->corr = f->corr;
    n->number = f->number;
    n->url = url_of(m);
    n->desk = f->desk;
    n->group = f->group;
    n->assignee = f->assignee;
    n->state = tkt_state_names[f->state];
    n->priority = f->priority;
    n->is_over = f->state != TKT_STATE_RESERVED && f->state != TKT_STATE_NEW &&
                 f->state != TKT_STATE_OPEN && f->state != TKT_STATE_PENDING;
    n->id = n->thread = n->from = n->from_name = n->reply_to = n->return_path = "";
    n->message_id = n->in_reply_to = n->references = "";
    m->unsubscribe = unsubscribe_of(m, ticket, &m->arena);
    return n->url == NULL || m->unsubscribe == NULL ? no_memory(err) : 0;
}

static int render(struct tkt_notice_made *m, struct tkt_reader *reader, int64_t message,
                  struct tkt_err *err)
{
    struct vars v = {.count = 0};
    const char *name = text_of(head(m), "template");
    const char *otherwise = m->desk != NULL ? m->desk->language : "en";
    const struct tkt_notice_words out = {&m->subject, &m->text, &m->html};

    if (add_ticket(m, &v) < 0 || add_event(m, &v) < 0 || add_items(m, &v) < 0) {
        return no_memory(err);
    }
    add_people(m, &v);
    if (add_message(m, &v, reader, message, err) < 0) {
        return -1;
    }
    if (name[0] == '\0' || m->notice.what == TKT_NOTICE_DIGEST) {
        name = tkt_notice_names[m->notice.what];
    }
    if (tkt_notice_texts_render(m->set->texts, name, m->notice.language, otherwise, v.top,
                                v.count, &out, err) < 0) {
        return -1;
    }
    m->notice.language =
        tkt_notice_texts_language(m->set->texts, name, m->notice.language, otherwise);
    m->subject.len =
        tkt_utf8_cut(tkt_buf_str(&m->subject), m->subject.len, TKT_NOTICE_SUBJECT_MAX);
    if (m->subject.data != NULL) {
        m->subject.data[m->subject.len] = '\0';
    }
    m->notice.subject = tkt_buf_str(&m->subject);
    m->notice.text = tkt_buf_str(&m->text);
    m->notice.html = tkt_buf_str(&m->html);
    return 0;
}

static void begin(struct tkt_notice_made *m, const struct tkt_settings *set)
{
    *m = (struct tkt_notice_made){.set = set};
    tkt_buf_init(&m->subject, TKT_NOTICE_TEXT_MAX);
    tkt_buf_init(&m->text, TKT_NOTICE_TEXT_MAX);
    tkt_buf_init(&m->html, 2 * TKT_NOTICE_TEXT_MAX);
}

int tkt_notice_make(struct tkt_notice_made *m, const struct tkt_settings *set,
                    struct tkt_reader *reader, int64_t ticket, int64_t message,
                    const char *payload, struct tkt_err *err)
{
    begin(m, set);
    if (parse(m, payload, err) < 0) {
        return -1;
    }
    int n = tkt_reader_full(reader, ticket, "", &m->arena, &m->full, err);
    if (n == 1 && m->full.itsm[0] != '\0' && strcmp(m->full.itsm, "local") != 0) {
        /* Once more, for what its ITSM calls it. */
        const char *itsm = keep(m, m->full.itsm);

        n = itsm == NULL
                ? no_memory(err)
                : tkt_reader_full(reader, ticket, itsm, &m->arena, &m->full, err);
    }
    if (n == 1) {
        n = tkt_reader_noted(reader, ticket, message, &m->arena, &m->noted, err);
    }
    if (n <= 0) {
        return n < 0 ? -1 : tkt_err_set(err, TKT_ERR_PERM, "its ticket is gone");
    }
    return fill(m, ticket, err) < 0 ? -1 : render(m, reader, message, err);
}

int tkt_notice_make_sample(struct tkt_notice_made *m, const struct tkt_settings *set,
                           const char *payload, struct tkt_err *err)
{
    /* Of all threads, so never written. */
    static char subject[] = "The printer on the second floor is <jammed>",
                requester[] = "ann@example.org", name[] = "Ann Example",
                type[] = "incident", category[] = "hardware.printer",
                group[] = "servicedesk", corr[] = "mt-00000000000000000000000000000000",
                assignee[] = "bob@example.org", nothing[] = "";
    const struct tkt_conf_desk *first =
        set->conf->desk_count > 0 ? set->conf->desks : NULL;
    char number[64];

    begin(m, set);
    if (parse(m, payload, err) < 0) {
        return -1;
    }
    (void)snprintf(number, sizeof(number), "%s-12",
                   first ? first->prefix : "IT"); /* it has room */
    char *id = keep(m, number);
    char *desk = keep(m, first ? first->name : "it");
    if (!id || !desk) {
        return no_memory(err);
    }
    m->full = (struct tkt_reader_full){.id = id,
                                       .desk = desk,
                                       .itsm = nothing,
                                       .corr = corr,
                                       .subject = subject,
                                       .requester = requester,
                                       .requester_name = name,
                                       .type = type,
                                       .category = category,
                                       .subcategory = nothing,
                                       .service = nothing,
                                       .group = group,
                                       .assignee = assignee,
                                       .tags = nothing,
                                       .external = nothing,
                                       .number = nothing,
                                       .url = nothing,
                                       .state = TKT_STATE_OPEN,
                                       .priority = 3,
                                       .created_ms = tkt_clock_wall_ms()};
    return fill(m, 1, err) < 0 ? -1 : render(m, NULL, 0, err);
}

void tkt_notice_made_release(struct tkt_notice_made *m)
{
    cJSON_Delete(m->payload);
    m->payload = NULL;
    tkt_buf_release(&m->subject);
    tkt_buf_release(&m->text);
    tkt_buf_release(&m->html);
    tkt_wire_arena_release(&m->arena);
}
