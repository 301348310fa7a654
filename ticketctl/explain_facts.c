/* SPDX-License-Identifier: BSD-2-Clause
 * What the decision is based on besides the message itself. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "message/tail.h"
#include "ticketctl/explain.h"
#include "ticketctl/out.h"
#include "ticketd/core/deskfacts.h"

#include <stdio.h>
#include <string.h>

#define FACTS_TIMEOUT_MS 2000
/* In one request there is room for 64 of all; of Message-IDs the newest stand last. */
#define FACTS_REFERENCES_MAX 20
#define FACTS_FEW_MAX 4

static int no_memory(void)
{
    return tkt_ctl_fail(EX_OSERR, "out of memory");
}

bool tkt_ctl_is_agent(const struct tkt_conf *conf, const char *from)
{
    for (size_t i = 0; i < conf->group_count; i++) {
        for (size_t k = 0; k < conf->groups[i].members.count; k++) {
            if (tkt_ascii_ieq(conf->groups[i].members.items[k], from)) {
                return true;
            }
        }
    }
    return false;
}

static enum tkt_ticket_state state_named(const char *name)
{
    int state = 0;
    while (state < TKT_STATE_COUNT - 1 && strcmp(tkt_state_names[state], name) != 0) {
        state++;
    }
    return (enum tkt_ticket_state)state;
}

static enum tkt_evidence evidence_named(const char *name)
{
    int evidence = 0;
    while (evidence < TKT_EVIDENCE_COUNT - 1 &&
           strcmp(tkt_evidence_names[evidence], name) != 0) {
        evidence++;
    }
    return (enum tkt_evidence)evidence;
}

static int take_candidates(struct tkt_ctl_explained *x, const cJSON *list)
{
    const cJSON *c;
    cJSON_ArrayForEach(c, list)
    {
        const char *id = tkt_ctl_str(c, "id");
        const char *desk = tkt_ctl_str(c, "desk");
        if (x->facts.candidate_count == TKT_FACTS_CANDIDATES_MAX) {
            break;
        }
        const char *subject = tkt_ctl_str(c, "subject");
        struct tkt_candidate got = {
            .ticket = (int64_t)tkt_ctl_num(c, "ticket"),
            .id = tkt_wire_arena_strdup(&x->arena, id, strlen(id)),
            .desk = tkt_wire_arena_strdup(&x->arena, desk, strlen(desk)),
            .subject = tkt_wire_arena_strdup(&x->arena, subject, strlen(subject)),
            .bound_to_sender =
                cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "is_bound")),
            .evidence = evidence_named(tkt_ctl_str(c, "evidence")),
            .state = state_named(tkt_ctl_str(c, "state")),
            .is_participant =
                cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "is_participant"))};
        if (got.id == NULL || got.desk == NULL || got.subject == NULL) {
            return no_memory();
        }
        x->facts.candidates[x->facts.candidate_count++] = got;
    }
    return 0;
}

static void add_ids(struct tkt_wire_packet *req, const char *name,
                    const struct tkt_strings *list, size_t max)
{
    size_t first = list->count > max ? list->count - max : 0;
    for (size_t i = first; i < list->count; i++) {
        (void)tkt_wire_add(&req->body, name, list->items[i]); /* the body's flag tells */
    }
}

static void add_word(struct tkt_wire_packet *req, const char *name, const char *value)
{
    if (value[0] != '\0') {
        (void)tkt_wire_add(&req->body, name, value); /* the body's flag tells */
    }
}

/* What the mail names and what it looks like; hashes and IDs, no text of it. */
static void add_traces(struct tkt_wire_packet *req, const struct tkt_ctl_explained *x)
{
    const struct tkt_message *msg = &x->msg;
    char print[24];
    size_t images = 0;

    snprintf(print, sizeof print, "%llx", (unsigned long long)msg->print);
    add_word(req, "print", print);
    add_word(req, "class", tkt_class_names[msg->class]);
    add_word(req, "self", msg->message_id_derived ? "" : msg->message_id);
    add_word(req, "bounced", msg->bounce.original_message_id);
    add_ids(req, "message-id", &msg->in_reply_to, FACTS_FEW_MAX);
    add_ids(req, "message-id", &msg->references, FACTS_REFERENCES_MAX);
    add_ids(req, "id", &msg->subject_ids, FACTS_FEW_MAX);
    add_ids(req, "foreign", &msg->foreign_ids, FACTS_FEW_MAX);
    for (size_t i = 0; i < msg->tail_hashes.count && i < TKT_TAIL_LINES_MAX; i++) {
        add_word(req, "tail", msg->tail_hashes.items[i]);
    }
    for (size_t i = 0; i < msg->attachment_count && images < FACTS_FEW_MAX; i++) {
        const struct tkt_attachment *a = &msg->attachments[i];
        if (a->is_inline && strncmp(a->type, "image/", 6) == 0 && a->sha256[0] != '\0') {
            add_word(req, "image", a->sha256);
            images++;
        }
    }
    for (size_t i = 0; i < x->desk_count && i < FACTS_FEW_MAX; i++) {
        add_word(req, "desk", x->desks[i].conf->name);
    }
    for (size_t i = 0; i < x->req.rcpt_count && i < FACTS_FEW_MAX; i++) {
        add_word(req, "rcpt", x->req.rcpts[i].addr);
    }
}

static char *keep(struct tkt_ctl_explained *x, const char *text)
{
    return tkt_wire_arena_strdup(&x->arena, text, strlen(text));
}

/* Who the directory says the sender is. */
static int take_person(struct tkt_ctl_explained *x, const cJSON *json)
{
    const cJSON *groups = cJSON_GetObjectItemCaseSensitive(json, "groups");
    int count = TKT_MIN(cJSON_GetArraySize(groups), TKT_PERSON_GROUPS_MAX);
    struct tkt_person p = {
        .is_known = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "known")),
        .is_vip = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "vip")),
        .name = keep(x, tkt_ctl_str(json, "name")),
        .department = keep(x, tkt_ctl_str(json, "department")),
        .company = keep(x, tkt_ctl_str(json, "company")),
        .title = keep(x, tkt_ctl_str(json, "title")),
        .location = keep(x, tkt_ctl_str(json, "location")),
        .manager = keep(x, tkt_ctl_str(json, "manager")),
        .language = keep(x, tkt_ctl_str(json, "language"))};
    p.groups.items =
        tkt_wire_arena_alloc(&x->arena, ((size_t)count + 1) * sizeof *p.groups.items);
    if (!p.name || !p.department || !p.company || !p.title || !p.location || !p.manager ||
        !p.language || !p.groups.items) {
        return no_memory();
    }
    const cJSON *g;
    cJSON_ArrayForEach(g, groups)
    {
        if (p.groups.count < (size_t)count && cJSON_IsString(g)) {
            char *name = keep(x, g->valuestring);
            if (name == NULL) {
                return no_memory();
            }
            p.groups.items[p.groups.count++] = name;
        }
    }
    x->facts.person = p;
    return 0;
}

static int take_facts(struct tkt_ctl_explained *x, const cJSON *json)
{
    x->has_facts = true;
    x->facts.is_own = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "is_own"));
    double lines = tkt_ctl_num(json, "tail_lines");
    x->facts.tail_lines = lines > 0 && lines <= TKT_TAIL_LINES_MAX ? (unsigned)lines : 0;
    if (tkt_tail_cut(&x->msg, x->facts.tail_lines) < 0) {
        return no_memory();
    }
    const cJSON *person = cJSON_GetObjectItemCaseSensitive(json, "person");
    if (cJSON_IsObject(person) && take_person(x, person) != 0) {
        return no_memory();
    }
    return take_candidates(x, cJSON_GetObjectItemCaseSensitive(json, "candidates"));
}

/* A daemon that does not answer is no error: the facts are missing then, and it is said. */
static int ask_ticketd(struct tkt_ctl_explain *e)
{
    struct tkt_ctl_explained *x = e->x;
    struct tkt_control_reply reply;
    struct tkt_wire_packet req;
    struct tkt_err err = TKT_ERR_INIT;
    int rc = 0;
    if (!e->has_conf && tkt_ctl_opt(e->ctl, "socket") == NULL) {
        return 0;
    }
    TKT_AUTO_FREE char *from = strdup(x->msg.from.address);
    if (from == NULL) {
        return no_memory();
    }
    tkt_ascii_lower(from);
    tkt_wire_packet_init(&req);
    (void)tkt_wire_add(&req.body, "v", "1"); /* the body's flag tells */
    (void)tkt_wire_add(&req.body, "verb", "facts");
    add_word(&req, "address", from);
    add_traces(&req, x);
    if (!req.body.failed &&
        tkt_control_call(tkt_ctl_control_socket(e->ctl), &req,
                         tkt_clock_mono_ms() + FACTS_TIMEOUT_MS, &reply, &err) == 0) {
        cJSON *json = NULL;
        if (reply.exit_code == 0 && reply.fd >= 0) {
            rc = tkt_ctl_read_json(reply.fd, &json);
        }
        if (rc == 0 && json != NULL) {
            rc = take_facts(x, json);
        }
        cJSON_Delete(json);
        tkt_control_reply_release(&reply);
    }
    tkt_wire_packet_release(&req);
    return rc;
}

struct tkt_person tkt_ctl_nobody(void)
{
    static char nothing[1];

    return (struct tkt_person){.name = nothing,
                               .department = nothing,
                               .company = nothing,
                               .title = nothing,
                               .location = nothing,
                               .manager = nothing,
                               .language = nothing};
}

int tkt_ctl_explain_facts(struct tkt_ctl_explain *e)
{
    struct tkt_ctl_explained *x = e->x;
    struct tkt_facts *f = &x->facts;
    f->auth_login = (char *)""; /* borrowed: decide reads only */
    f->is_agent = tkt_ctl_is_agent(e->ctl->conf, x->msg.from.address);
    f->desks = tkt_wire_arena_alloc(&x->arena, (x->desk_count + 1) * sizeof *f->desks);
    f->candidates =
        tkt_wire_arena_alloc(&x->arena, TKT_FACTS_CANDIDATES_MAX * sizeof *f->candidates);
    if (f->desks == NULL || f->candidates == NULL) {
        return no_memory();
    }
    for (size_t i = 0; i < x->desk_count; i++) {
        const struct tkt_conf_desk *d = x->desks[i].conf;
        f->desks[f->desk_count++] = tkt_facts_desk(e->ctl->conf, d);
    }
    return tkt_ctl_opt(e->ctl, "offline") == NULL ? ask_ticketd(e) : 0;
}
