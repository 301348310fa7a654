/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/request.h"

#include "base/enc.h"
#include "base/util.h"
#include "decide/assign.h"
#include "ticketd/facts/decided.h"
#include "ticketd/facts/envelope.h"
#include "ticketd/facts/facts.h"
#include "ticketd/facts/participants.h"
#include "ticketd/facts/traces.h"
#include "ticketd/facts/wants.h"
#include "ticketd/intake/agentnote.h"
#include "ticketd/intake/joins.h"
#include "ticketd/intake/noticeback.h"
#include "ticketd/intake/refine_inline.h"

#include <string.h>

static char *keep(struct tkt_request *req, const char *text)
{
    return tkt_wire_arena_strdup(&req->arena, text, strlen(text));
}

static int make_participants(struct tkt_request *req, struct tkt_err *err)
{
    return tkt_participants_make(req->set, req->analysed ? &req->analysis.msg : NULL,
                                 req->scan.from, &req->arena, &req->in.participants,
                                 &req->in.participant_count, err);
}

/* With analyse = no there is no later analysis to wait for: the desk's settings decide. */
static const struct tkt_decision *decision_of(struct tkt_request *req, size_t i)
{
    static const struct tkt_decision by_settings = {.action = TKT_ACTION_NEW,
                                                    .opens = true,
                                                    .why = (char *)"analyse = no",
                                                    .type = (char *)"",
                                                    .category = (char *)"",
                                                    .subcategory = (char *)"",
                                                    .group = (char *)"",
                                                    .assignee = (char *)""};

    if (req->analysed) {
        return &req->analysis.decisions.items[i];
    }
    return req->set->conf->analyse && !req->message.truncated ? NULL : &by_settings;
}

/* What the decision left to the roster: the group by category or department. */
static int route_desks(struct tkt_request *req, struct tkt_err *err)
{
    for (size_t i = 0; req->analysed && i < req->desk_count; i++) {
        struct tkt_decision *d = &req->analysis.decisions.items[i];
        bool opens = d->action == TKT_ACTION_NEW || d->action == TKT_ACTION_NEW_LINKED;

        if (opens && tkt_assign_route(req->set->roster, req->found.department, d,
                                      &req->arena) < 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
        }
    }
    return 0;
}

/* What a script asks for goes before what a forward says; what is for colleagues is in
 * nobody else's name. */
static const char *requester_of(struct tkt_request *req, size_t i, const char *from)
{
    if (*req->wire.wants.requester != '\0' ||
        (req->analysed &&
         tkt_agentnote_hides(req->set->conf, req->desks[i], &req->analysis.msg))) {
        return NULL;
    }
    return tkt_traces_requester(req->set, req->desks[i], from, decision_of(req, i),
                                &req->arena);
}

static int make_desks(struct tkt_request *req, struct tkt_err *err)
{
    const struct tkt_conf *conf = req->set->conf;
    const struct tkt_wire_wants *w = &req->wire.wants;
    struct tkt_store_desk_in *in =
        tkt_wire_arena_alloc(&req->arena, req->desk_count * sizeof(*in));

    req->out.desks =
        tkt_wire_arena_alloc(&req->arena, req->desk_count * sizeof(*req->out.desks));
    if (!in || !req->out.desks) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    memset(req->out.desks, 0, req->desk_count * sizeof(*req->out.desks));
    if (route_desks(req, err) < 0) {
        return -1;
    }
    tkt_joins_keep_quiet(req);
    tkt_noticeback_file(req);
    tkt_agentnote_file(req);
    const char *from = req->analysed ? req->analysis.msg.from.address : req->scan.from;
    const char *language = req->analysed ? req->analysis.msg.language : "";
    for (size_t i = 0; i < req->desk_count; i++) {
        const struct tkt_conf_desk *d = req->desks[i];
        const struct tkt_decision *decided =
            tkt_wants_over(w, decision_of(req, i), &req->arena);
        const char *itsm = tkt_decided_itsm(conf, d, decided);

        in[i] = (struct tkt_store_desk_in){
            .desk = d->name,
            .prefix = d->prefix,
            .itsm = itsm,
            .itsm_type = tkt_conf_itsm_type(conf, itsm),
            .itsm_copy = d->itsm_copy,
            .rcpt = req->desk_rcpts[i],
            .returned = tkt_noticeback_what(req, i),
            .internal = tkt_agentnote_of(req, i),
            .bounce = req->analysed ? &req->analysis.msg.bounce : NULL,
            .refine = tkt_refine_later(req, i),
            .group_is_open = req->analysed && !*w->group && tkt_assign_is_open(decided),
            .note = req->notes[i],
            .shadow = d->mode == TKT_MODE_SHADOW,
            .refused = req->message.truncated,
            .reason = req->message.truncated
                          ? "larger than limits.message_max: only its beginning is kept"
                          : "",
            .decision = decided,
            .record = req->analysed
                          ? tkt_decided_record(req->set, decided, d->name, &req->arena)
                          : NULL,
            .question_text = tkt_decided_question(conf, decided, language, &req->arena),
            .language = language,
            .requester = requester_of(req, i, from),
            .requester_name = req->analysed ? decision_of(req, i)->requester_name : "",
            .default_type = *w->type ? w->type : d->type,
            .default_group = *w->group ? w->group : d->group,
            .default_priority = w->priority ? w->priority : (int)d->priority};
        tkt_request_desk_key(req, i, in[i].key);
        if (tkt_joins_make(req, i, &in[i], err) < 0) {
            return -1;
        }
    }
    req->in.desks = in;
    req->in.desk_count = req->desk_count;
    return 0;
}

static const char *class_of(const struct tkt_request *req)
{
    enum tkt_class class = TKT_CLASS_HUMAN;

    if (req->analysed) {
        class = req->found.is_own ? TKT_CLASS_OWN : req->analysis.msg.class;
    } else if (req->scan.is_report) {
        class = TKT_CLASS_BOUNCE;
    } else if (req->scan.auto_submitted) {
        class = TKT_CLASS_AUTO_GENERATED;
    } else if (req->scan.is_list) {
        class = TKT_CLASS_LIST;
    }
    return tkt_class_names[class];
}

static void make_requester(struct tkt_request *req)
{
    const char *wanted = req->wire.wants.requester;
    const char *from = req->analysed ? req->analysis.msg.from.address : req->scan.from;
    const char *address = *wanted ? wanted : from;
    char *lower = keep(req, *address ? address : req->wire.sender);

    req->in.requester = lower ? lower : "";
    if (lower) {
        tkt_ascii_lower(lower);
    }
    req->in.requester_name = req->analysed && !*wanted ? req->analysis.msg.from.name : "";
}

int tkt_reserve_prepare(struct tkt_request *req, struct tkt_err *err)
{
    struct tkt_store_reserve_in *in = &req->in;

    in->one_ticket = req->set->conf->one_ticket_per_message;
    in->key_blind = req->scan.blind;
    /* With a ticket a recipient, what another one got is no copy of this. */
    in->has_head_key =
        req->scan.has_head_key && !req->message.truncated && !req->wire.per_recipient;
    memcpy(in->head_key, req->scan.head_key, sizeof(in->head_key));
    in->hook = req->wire.hook;
    /* Sieve may still roll back (CANCEL); the others applied the edits when they answer. */
    in->confirmed = strcmp(req->wire.hook, "sieve") != 0;
    memcpy(in->sha256, req->message.sha256, sizeof(in->sha256));
    in->raw = req->message.raw;
    in->blob_name = req->message.has_blob ? req->message.blob.name : NULL;
    in->size = req->message.raw ? req->message.raw_len : req->message.size;
    in->envelope_json = tkt_envelope_make(&req->wire, &req->arena);
    in->queue_id = req->wire.queue_id;
    in->sender = req->wire.sender;
    in->subject = req->analysed ? req->analysis.msg.subject : req->scan.subject;
    if (*req->wire.wants.summary) {
        in->subject = req->wire.wants.summary;
    }
    in->message_id = req->scan.message_id;
    in->class_name = class_of(req);
    /* A message too large to be kept has nothing that a later analysis could read. */
    in->analysed = req->analysed || req->message.truncated || !req->set->conf->analyse;
    in->analysis_error = req->analysis_error;
    in->enrich = req->analysed && req->found.person_missing &&
                 req->set->conf->people.enrich_wait_ms > 0;
    in->thread_keys = &req->scan.message_id_hash;
    in->thread_key_count = *req->scan.message_id ? 1 : 0;
    in->roster = req->set->roster;
    in->now_ms = req->now_ms;
    make_requester(req);
    if (!in->envelope_json) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (make_desks(req, err) < 0) {
        return -1;
    }
    in->traces = NULL;
    if (req->analysed) {
        if (tkt_traces_make(&req->found, &req->analysis.msg, &req->arena, &req->traces,
                            err) < 0) {
            return -1;
        }
        in->traces = &req->traces;
    }
    return make_participants(req, err);
}
