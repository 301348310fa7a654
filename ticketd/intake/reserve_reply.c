/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/request.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/facts/decided.h"
#include "ticketd/jobs/dispatch.h"
#include "ticketd/mail/edit.h"
#include "ticketd/mail/xid.h"
#include "ticketd/watch/measure.h"

#include <stdio.h>
#include <string.h>

#define ADDRESS_MAX 400

static char *keep(struct tkt_request *req, const char *text)
{
    char *kept = tkt_wire_arena_strdup(&req->arena, text, strlen(text));

    return kept ? kept : (char *)"";
}

static const char *queue_id(const struct tkt_request *req)
{
    return *req->wire.queue_id ? req->wire.queue_id : "NOQUEUE";
}

/* ---- edits ---------------------------------------------------------------------------- */

/* The desk's address with a token for the author, so that an answer finds its ticket. */
static const char *reply_address(struct tkt_request *req, size_t i)
{
    const struct tkt_settings *set = req->set;
    char token[TKT_TOKEN_LEN + 1];
    char address[ADDRESS_MAX];
    struct tkt_err err = TKT_ERR_INIT;

    if (!req->desks[i]->reply_to_add || req->desks[i]->addresses.count == 0) {
        return "";
    }
    if (tkt_token_make(&set->keys, req->out.desks[i].ticket, req->scan.from,
                       req->now_ms / 1000, set->conf->token.valid_ms / 1000, token,
                       &err) < 0) {
        tkt_log(TKT_LOG_ERROR, queue_id(req), "token.make", "error", err.text, NULL);
        return "";
    }
    if (tkt_token_address(req->desks[i]->addresses.items[0],
                          set->conf->token.separator[0], token, address,
                          sizeof(address)) < 0) {
        return keep(req, req->desks[i]->addresses.items[0]);
    }
    return keep(req, address);
}

static int make_edit_desk(struct tkt_request *req, size_t i, struct tkt_edit_desk *out,
                          struct tkt_err *err)
{
    const struct tkt_store_desk_out *t = &req->out.desks[i];
    const struct tkt_conf_group *group = tkt_conf_group(req->set->conf, t->group);
    char xid[TKT_XID_MAX] = "";

    if (*t->id && tkt_xid_make(&req->set->keys, t->id, req->desks[i]->name, req->scan.key,
                               req->now_ms / 1000, xid, err) < 0) {
        return -1;
    }
    *out = (struct tkt_edit_desk){
        .conf = req->desks[i],
        .rcpt = req->desk_rcpts[i],
        /* A desk on trial leaves the mail alone. */
        .status = req->desks[i]->mode == TKT_MODE_SHADOW ? "dryrun" : t->status,
        .id = t->id,
        .xid = keep(req, xid),
        .group = t->group,
        .priority = t->priority,
        .group_mailbox = group ? group->mailbox : "",
        .reply_address = *t->id ? reply_address(req, i) : "",
        .in_to_cc = req->in_to_cc[i]};
    return 0;
}

/* From the header scan alone, also when the message was analysed: the second copy of a
 * message, which is not analysed again, must get the same edits as the first. */
static enum tkt_class scanned_class(const struct tkt_request *req)
{
    if (req->scan.is_report) {
        return TKT_CLASS_BOUNCE;
    }
    if (req->scan.is_list) {
        return TKT_CLASS_LIST;
    }
    return req->scan.auto_submitted ? TKT_CLASS_AUTO_GENERATED : TKT_CLASS_HUMAN;
}

static int make_edits(struct tkt_request *req, enum tkt_edit_subject *subject,
                      struct tkt_err *err)
{
    struct tkt_edit_desk *desks =
        tkt_wire_arena_alloc(&req->arena, req->desk_count * sizeof(*desks));
    struct tkt_edit_in in = {.req = &req->wire,
                             .field_is_valid = req->field_is_valid,
                             .own = req->set->own,
                             .desks = desks,
                             .desk_count = req->desk_count,
                             .class = scanned_class(req),
                             .security = req->scan.security,
                             .is_list = req->scan.is_list,
                             .from = req->scan.from,
                             .reply_to =
                                 req->analysed ? &req->analysis.msg.reply_to : NULL};

    if (!desks) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    for (size_t i = 0; i < req->desk_count; i++) {
        if (make_edit_desk(req, i, &desks[i], err) < 0) {
            return -1;
        }
    }
    return tkt_edit_build(&in, &req->arena, &req->reply.edits, &req->reply.edit_count,
                          subject, err);
}

/* ---- what is told --------------------------------------------------------------------- */

static void count(struct tkt_request *req, const char *status)
{
    struct tkt_stats *s = &req->d->stats;

    if (strcmp(status, "created") == 0) {
        atomic_fetch_add(&s->created, 1);
    } else if (strcmp(status, "existing") == 0) {
        atomic_fetch_add(&s->existing, 1);
    } else if (strcmp(status, "appended") == 0 || strcmp(status, "pending") == 0) {
        atomic_fetch_add(&s->appended, 1);
    }
}

static void measure(const struct tkt_request *req, size_t i, const char *status)
{
    struct tkt_measure *m = req->d->measure;
    const struct tkt_decision *d =
        req->analysed ? &req->analysis.decisions.items[i] : NULL;

    tkt_measure_ticket(m, req->desks[i]->name, tkt_class_names[scanned_class(req)],
                       status);
    for (size_t k = 0; d && k < d->reason_count; k++) {
        if (d->reasons[k].permille > 0) {
            tkt_measure_confidence(m, d->reasons[k].permille / 1000.0);
            break;
        }
    }
}

static void log_ticket(const struct tkt_request *req, size_t i, const char *subject)
{
    const struct tkt_store_desk_out *t = &req->out.desks[i];
    const struct tkt_decision *d =
        req->analysed ? &req->analysis.decisions.items[i] : NULL;
    char event[40];
    char key[13];

    measure(req, i, t->status);
    snprintf(event, sizeof(event), "ticket.%s", t->status);
    tkt_hex_encode(req->scan.key, 6, key);
    tkt_log(TKT_LOG_INFO, queue_id(req), event, "ticket", *t->id ? t->id : NULL, "desk",
            req->desks[i]->name, "hook", req->wire.hook, "status", t->status, "sender",
            req->wire.sender, "from", req->scan.from, "group",
            *t->group ? t->group : NULL, "priority", TKT_NUM(t->priority), "why",
            d ? d->why : NULL, "unanalysed",
            *req->analysis_error ? req->analysis_error : NULL, "subject", subject, "size",
            TKT_NUM(req->message.size), "edits", TKT_NUM(req->reply.edit_count), "key",
            key, "ms", TKT_NUM((tkt_clock_mono_us() - req->start_us) / 1000), NULL);
}

static const char *ticket_url(struct tkt_request *req, const struct tkt_conf_desk *desk,
                              const char *id)
{
    const char *form = desk->ticket_url;
    const char *mark = strstr(form, "{id}");
    char url[TKT_WIRE_STRING_MAX];

    if (!*form || !*id) {
        return "";
    }
    if (!mark) {
        return form;
    }
    snprintf(url, sizeof(url), "%.*s%s%s", (int)(mark - form), form, id,
             mark + strlen("{id}"));
    return keep(req, url);
}

static int make_tickets(struct tkt_request *req, struct tkt_err *err)
{
    req->reply.tickets =
        tkt_wire_arena_alloc(&req->arena, req->desk_count * sizeof(*req->reply.tickets));
    if (!req->reply.tickets) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    for (size_t i = 0; i < req->desk_count; i++) {
        struct tkt_store_desk_out *t = &req->out.desks[i];

        const struct tkt_decision *decision =
            req->analysed ? &req->analysis.decisions.items[i] : NULL;
        const char *wanted = req->wire.wants.category;
        bool is_new =
            strcmp(t->status, "created") == 0 || strcmp(t->status, "refused") == 0;

        req->reply.tickets[i] =
            (struct tkt_wire_ticket){.desk = req->desks[i]->name,
                                     .category = *wanted    ? wanted
                                                 : decision ? decision->category
                                                            : "",
                                     .ref = is_new ? "" : t->id,
                                     .url = ticket_url(req, req->desks[i], t->id),
                                     .id = t->id,
                                     .hold = t->hold,
                                     .status = (char *)t->status,
                                     .group = t->group,
                                     .priority = t->priority};
    }
    req->reply.ticket_count = req->desk_count;
    return 0;
}

enum tkt_step tkt_reserve_reply(struct tkt_request *req)
{
    struct tkt_err err = TKT_ERR_INIT;
    enum tkt_edit_subject subject = TKT_EDIT_SUBJECT_POLICY;

    /* The tickets are durable by now. If their edits cannot be built the hook repeats and
     * gets the same tickets: nothing is lost by a 451 here. */
    if (make_tickets(req, &err) < 0 || make_edits(req, &subject, &err) < 0) {
        return tkt_request_fail(req, &err);
    }
    for (size_t i = 0; i < req->desk_count; i++) {
        count(req, req->out.desks[i].status);
        log_ticket(req, i, tkt_edit_subject_names[subject]);
    }
    tkt_measure_request(req->d->measure, req->wire.hook, "ok",
                        tkt_clock_mono_us() - req->start_us);
    tkt_dispatch_poke(req->d->dispatch);
    return TKT_STEP_REPLY;
}

/* ---- dry run -------------------------------------------------------------------------- */

static void describe(struct tkt_request *req, size_t i, struct tkt_reader *reader,
                     struct tkt_store_desk_out *out, struct tkt_buf *text)
{
    const struct tkt_conf_desk *desk = req->desks[i];
    const struct tkt_decision *d =
        req->analysed ? &req->analysis.decisions.items[i] : NULL;
    unsigned char key[TKT_SHA256_LEN];
    struct tkt_reader_ticket named;

    tkt_request_desk_key(req, i, key);
    memset(out, 0, sizeof(*out));
    bool known =
        reader && tkt_reader_key(reader, desk->name, key,
                                 req->scan.has_head_key ? req->scan.head_key : NULL,
                                 req->now_ms, out, NULL) == 1;
    out->status = "dryrun";
    if (!known && d &&
        (d->action == TKT_ACTION_APPEND || d->action == TKT_ACTION_APPEND_UNVERIFIED) &&
        reader && tkt_reader_by_row(reader, d->ticket, "", &named, NULL) == 1) {
        snprintf(out->id, sizeof(out->id), "%s", named.id);
    }
    if (!known) {
        snprintf(out->group, sizeof(out->group), "%s", d ? d->group : desk->group);
        out->priority = d ? d->priority : (int)desk->priority;
    }
    (void)tkt_buf_addf(text, "%s%s: %s%s, group %s, priority %d%s%s",
                       text->len ? "; " : "", desk->name,
                       known ? "known as "
                       : d   ? tkt_action_names[d->action]
                             : "new, not analysed",
                       known ? out->id : "", *out->group ? out->group : "none",
                       out->priority, d && *d->why ? ", " : "", d ? d->why : "");
}

enum tkt_step tkt_reserve_dry(struct tkt_request *req, struct tkt_tools *tools)
{
    struct tkt_reader *reader = tkt_tools_reader(tools, NULL);
    struct tkt_buf text = TKT_BUF_INIT(TKT_WIRE_STRING_MAX - 1);
    struct tkt_err err = TKT_ERR_INIT;

    req->out.desks =
        tkt_wire_arena_alloc(&req->arena, req->desk_count * sizeof(*req->out.desks));
    if (!req->out.desks) {
        tkt_err_set(&err, TKT_ERR_TEMP, "no memory");
        return tkt_request_fail(req, &err);
    }
    for (size_t i = 0; i < req->desk_count; i++) {
        describe(req, i, reader, &req->out.desks[i], &text); /* what fits is told */
    }
    req->reply.text = keep(req, tkt_buf_str(&text));
    tkt_buf_release(&text);
    if (make_tickets(req, &err) < 0) {
        return tkt_request_fail(req, &err);
    }
    tkt_log(TKT_LOG_INFO, queue_id(req), "ticket.dryrun", "hook", req->wire.hook, NULL);
    return TKT_STEP_REPLY;
}

/* ---- too large ------------------------------------------------------------------------ */

/* A desk on trial must not cost a mail that came in without it. */
static bool any_on_trial(const struct tkt_request *req)
{
    for (size_t i = 0; i < req->desk_count; i++) {
        if (req->desks[i]->mode == TKT_MODE_SHADOW) {
            return true;
        }
    }
    return false;
}

/* Refused in the session where that reaches the author and nobody else. */
static bool may_refuse(const struct tkt_request *req)
{
    return req->wire.smtp_path && req->wire.other_rcpts == 0 && !any_on_trial(req);
}

static enum tkt_step refuse(struct tkt_request *req, int code, const char *xcode,
                            const char *text, const char *why)
{
    req->reply.smtp_code = code;
    req->reply.smtp_xcode = keep(req, xcode);
    req->reply.smtp_text = keep(req, text);
    tkt_log(TKT_LOG_NOTICE, queue_id(req), "message.refused", "hook", req->wire.hook,
            "sender", req->wire.sender, "size", TKT_NUM(req->message.size), "why", why,
            "status", TKT_NUM(code), NULL);
    return TKT_STEP_REPLY;
}

/* Where it cannot be refused its beginning is kept as a refused ticket, so that somebody
 * can see that it came. */
enum tkt_step tkt_reserve_too_large(struct tkt_request *req)
{
    char text[120];

    if (!may_refuse(req)) {
        return TKT_STEP_COMMIT;
    }
    snprintf(text, sizeof(text), "Message is larger than the %lld bytes taken here",
             (long long)req->set->conf->limits.message_max);
    return refuse(req, 552, "5.3.4", text, "too large");
}

/* closed = refuse or a rule's refusal, at every desk. */
enum tkt_step tkt_reserve_refused(struct tkt_request *req)
{
    char text[TKT_DECIDED_REPLY_MAX + 1];

    for (size_t i = 0; i < req->desk_count; i++) {
        const struct tkt_decision *d =
            req->analysed ? &req->analysis.decisions.items[i] : NULL;

        if (!d || (d->action != TKT_ACTION_REFUSE && !d->refused_by_rule)) {
            return TKT_STEP_COMMIT;
        }
    }
    if (!may_refuse(req)) {
        return TKT_STEP_COMMIT;
    }
    const struct tkt_decision *first = &req->analysis.decisions.items[0];
    bool by_rule = first->refused_by_rule;

    tkt_decided_reply(by_rule ? first->refuse_text : req->desks[0]->closed_text, text);
    return refuse(req, 550, "5.7.1", text, by_rule ? "a rule" : first->why);
}
