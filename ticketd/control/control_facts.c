/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control/control_facts.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticketd/facts/facts.h"
#include "ticketd/people/people.h"

#include <stdlib.h>
#include <string.h>

/* The mail as far as the request tells of it. */
struct stand_in {
    struct tkt_message msg;
    char *references[TKT_CONTROL_ARGS_MAX];
    char *ids[TKT_CONTROL_ARGS_MAX];
    char *foreign[TKT_CONTROL_ARGS_MAX];
    char *tails[TKT_CONTROL_ARGS_MAX];
    struct tkt_attachment images[TKT_CONTROL_ARGS_MAX];
    const char *rcpts[TKT_CONTROL_ARGS_MAX];
    size_t rcpt_count;
    const struct tkt_conf_desk *desks[TKT_CONTROL_ARGS_MAX];
    size_t desk_count;
};

static char nothing[1];

static void add(struct tkt_strings *list, char **room, const char *value)
{
    list->items = room;
    room[list->count++] = (char *)(uintptr_t)value; /* it is only read */
}

static enum tkt_class class_named(const char *name)
{
    int c = TKT_CLASS_HUMAN;

    while (c < TKT_CLASS_COUNT - 1 && strcmp(tkt_class_names[c], name) != 0) {
        c++;
    }
    return (enum tkt_class)c;
}

static void add_image(struct stand_in *s, const char *sha256)
{
    s->msg.attachments = s->images;
    s->images[s->msg.attachment_count++] =
        (struct tkt_attachment){.name = nothing,
                                .type = (char *)"image/",
                                .part = nothing,
                                .sha256 = (char *)(uintptr_t)sha256,
                                .content_id = nothing,
                                .is_inline = true};
}

static void take_arg(struct stand_in *s, const struct tkt_conf *conf,
                     const struct tkt_control_arg *a)
{
    struct tkt_message *m = &s->msg;
    char *value = (char *)(uintptr_t)a->value;

    if (strcmp(a->name, "address") == 0) {
        m->from.address = value;
    } else if (strcmp(a->name, "message-id") == 0) {
        add(&m->references, s->references, value);
    } else if (strcmp(a->name, "id") == 0) {
        add(&m->subject_ids, s->ids, value);
    } else if (strcmp(a->name, "foreign") == 0) {
        add(&m->foreign_ids, s->foreign, value);
    } else if (strcmp(a->name, "tail") == 0) {
        add(&m->tail_hashes, s->tails, value);
    } else if (strcmp(a->name, "image") == 0) {
        add_image(s, value);
    } else if (strcmp(a->name, "self") == 0) {
        m->message_id = value;
    } else if (strcmp(a->name, "bounced") == 0) {
        m->bounce.is_present = true;
        m->bounce.original_message_id = value;
    } else if (strcmp(a->name, "print") == 0) {
        m->print = strtoull(value, NULL, 16);
    } else if (strcmp(a->name, "class") == 0) {
        m->class = class_named(value);
    } else if (strcmp(a->name, "rcpt") == 0) {
        s->rcpts[s->rcpt_count++] = value;
    } else if (strcmp(a->name, "desk") == 0) {
        const struct tkt_conf_desk *desk = tkt_conf_desk(conf, value);
        if (desk) {
            s->desks[s->desk_count++] = desk;
        }
    }
}

static void make_message(struct stand_in *s, const struct tkt_conf *conf,
                         const struct tkt_control_request *req)
{
    memset(s, 0, sizeof(*s));
    s->msg.from = (struct tkt_address){nothing, nothing};
    s->msg.subject = s->msg.message_id = nothing;
    s->msg.bounce.original_message_id = nothing;
    for (size_t i = 0; i < req->arg_count; i++) {
        take_arg(s, conf, &req->args[i]);
    }
}

static void tell_string(struct tkt_buf *out, const char *key, const char *value)
{
    (void)tkt_buf_addf(out, ",\"%s\":", key); /* the caller looks at out->failed */
    (void)tkt_json_add_string(out, value, strlen(value)); /* the same */
}

static void tell_candidate(struct tkt_buf *out, const struct tkt_candidate *c)
{
    (void)tkt_buf_addf(out, "{\"ticket\":%lld", (long long)c->ticket); /* as above */
    tell_string(out, "id", c->id);
    tell_string(out, "desk", c->desk);
    tell_string(out, "subject", c->subject);
    tell_string(out, "state", tkt_state_names[c->state]);
    tell_string(out, "evidence", tkt_evidence_names[c->evidence]);
    (void)tkt_buf_addf(out, ",\"is_participant\":%s,\"is_bound\":%s}", /* as above */
                       c->is_participant ? "true" : "false",
                       c->bound_to_sender ? "true" : "false");
}

static int tell(const struct stand_in *s, const struct tkt_facts *facts,
                const struct tkt_facts_found *found, struct tkt_buf *out)
{
    (void)tkt_buf_adds(out, "{\"candidates\":["); /* the caller looks at out->failed */
    for (size_t i = 0; i < facts->candidate_count; i++) {
        (void)tkt_buf_adds(out, i > 0 ? "," : ""); /* the same */
        tell_candidate(out, &facts->candidates[i]);
    }
    (void)tkt_buf_addf(out,
                       "],\"is_own\":%s,\"tail_lines\":%u,\"logos\":[", /* the same */
                       found->is_own ? "true" : "false", found->learned.tail_lines);
    bool first = true;
    for (size_t i = 0; i < TKT_MIN(s->msg.attachment_count, (size_t)64); i++) {
        if (found->learned.logos >> i & 1) {
            (void)tkt_buf_adds(out, first ? "" : ",");          /* the same */
            (void)tkt_json_add_string(out, s->images[i].sha256, /* the same */
                                      strlen(s->images[i].sha256));
            first = false;
        }
    }
    (void)tkt_buf_adds(out, "],\"person\":"); /* the same */
    tkt_person_json(&facts->person, out);
    return tkt_buf_addc(out, '}');
}

int tkt_control_facts(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(req->d);
    struct tkt_tools tools = {.store_dir = req->d->store_dir, .reader = req->reader};
    struct tkt_facts_found found;
    struct tkt_facts facts;
    struct stand_in s;

    make_message(&s, set->conf, req);
    struct tkt_facts_in in = {.tools = &tools,
                              .conf = set->conf,
                              .keys = &set->keys,
                              .desks = s.desks,
                              .desk_count = s.desk_count,
                              .rcpts = s.rcpts,
                              .rcpt_count = s.rcpt_count,
                              .sender = "",
                              .auth_login = "",
                              .tls_subject = "",
                              .now_s = tkt_clock_wall_ms() / 1000,
                              .prints = req->d->prints,
                              .people = req->d->people,
                              .senders = req->d->senders,
                              .found = &found};
    memset(&facts, 0, sizeof(facts));
    int rc = tkt_facts_gather(&in, &s.msg, &facts, err);
    if (rc == 0) {
        rc = tell(&s, &facts, &found, &req->data);
    }
    tkt_tools_forget_person(&tools);
    tkt_facts_release(&facts);
    tkt_settings_put(&set);
    return rc;
}
