/* SPDX-License-Identifier: BSD-2-Clause
 * End of message: asks ticketd, does what it says, writes the one line about it.
 */
#include "base/log.h"
#include "base/util.h"
#include "milter/edits.h"
#include "milter/filter.h"
#include "milter/reserve.h"

#include <stdio.h>
#include <string.h>

#define REPLY_TEXT_MAX 400 /* RFC 5321 4.5.3.1.5: a reply line has 512 bytes */
#define LIST_MAX 480

/* ---- replies ---- */

enum tkt_answer tkt_filter_reply(const struct tkt_session *s, int code, const char *xcode,
                                 const char *text)
{
    char rcode[8];
    char safe[REPLY_TEXT_MAX + 1];
    size_t n = 0;

    for (; text[n] != '\0' && n < REPLY_TEXT_MAX; n++) {
        bool plain = text[n] >= 0x20 && text[n] < 0x7f && text[n] != '%';
        safe[n] = plain ? text[n] : ' '; /* a '%' would be a format to Sendmail */
    }
    safe[n] = '\0';
    snprintf(rcode, sizeof(rcode), "%d", code);
    if (s->host.ops->set_reply(s->host.ctx, rcode, xcode[0] != '\0' ? xcode : NULL,
                               n > 0 ? safe : NULL) < 0) {
        tkt_log(TKT_LOG_WARNING, tkt_filter_macro(s, "i"), "reply.failed", "code", rcode,
                "xcode", xcode, NULL);
    }
    return code >= 500 ? TKT_ANSWER_REJECT : TKT_ANSWER_TEMPFAIL;
}

/* ---- the one line ---- */

struct ticket_lists {
    char ids[LIST_MAX];
    char desks[LIST_MAX];
    char statuses[LIST_MAX];
};

static void append(char *list, const char *word)
{
    size_t n = strlen(list);

    snprintf(list + n, LIST_MAX - n, "%s%s", n > 0 ? "," : "", word);
}

static void list_tickets(const struct tkt_wire_reply *reply, struct ticket_lists *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < reply->ticket_count; i++) {
        append(out->ids, reply->tickets[i].id);
        append(out->desks, reply->tickets[i].desk);
        append(out->statuses, reply->tickets[i].status);
    }
}

static void log_reserved(const char *queue_id, const struct tkt_outcome *o,
                         const struct tkt_edit_result *edits)
{
    struct ticket_lists lists;

    list_tickets(&o->reply, &lists);
    tkt_log(TKT_LOG_INFO, queue_id, "message.reserved", "ticket", lists.ids, "desk",
            lists.desks, "status", lists.statuses, "subject_changed",
            edits->subject_changed ? "yes" : "no", "edits", TKT_NUM(edits->applied),
            "took_ms", TKT_NUM(o->took_ms), NULL);
}

static void log_failed_edits(struct tkt_milter *milter, const char *queue_id,
                             const struct tkt_edit_result *edits)
{
    char what[200];

    tkt_edit_describe(edits->first_failed, what, sizeof(what));
    atomic_fetch_add(&milter->untagged, 1);
    tkt_log(TKT_LOG_WARNING, queue_id, "edit.failed", "edit", what, "failed",
            TKT_NUM(edits->failed), "applied", TKT_NUM(edits->applied), "total",
            TKT_NUM(atomic_load(&milter->untagged)), NULL);
}

/* ---- the verdicts ---- */

/* ticketd takes X-Ticket-* fields out: those that it has not seen go as well, before the
 * others, for they have the higher indices. */
static bool takes_fields_out(const struct tkt_wire_reply *reply)
{
    for (size_t i = 0; i < reply->edit_count; i++) {
        if (reply->edits[i].kind == TKT_WIRE_DELETE) {
            return true;
        }
    }
    return false;
}

static void remove_surplus(const struct tkt_session *s, const char *queue_id)
{
    const struct tkt_message *m = s->msg;
    size_t failed = 0;

    for (size_t i = m->surplus_count; i > 0; i--) {
        const struct tkt_wire_field *f = &m->surplus[i - 1];
        failed += s->host.ops->edits.remove(s->host.ctx, f->name, f->index) != 0 ? 1 : 0;
    }
    if (failed > 0 ||
        m->too_many_fields) { /* signed or not, only ticketd believes them */
        tkt_log(TKT_LOG_WARNING, queue_id, "fields.kept", "removed",
                TKT_NUM(m->surplus_count - failed), "failed", TKT_NUM(failed),
                "uncounted", m->too_many_fields ? "yes" : "no", NULL);
    }
}

static enum tkt_answer edit_and_accept(struct tkt_session *s, const char *queue_id,
                                       const struct tkt_outcome *o)
{
    struct tkt_edit_result edits;

    if (s->msg->surplus_count > 0 && takes_fields_out(&o->reply)) {
        remove_surplus(s, queue_id);
    }
    tkt_edits_apply(o->reply.edits, o->reply.edit_count, &s->host.ops->edits, s->host.ctx,
                    &edits);
    log_reserved(queue_id, o, &edits);
    if (edits.failed > 0) { /* the ticket exists: the message is not held up for it */
        log_failed_edits(s->milter, queue_id, &edits);
    }
    return TKT_ANSWER_ACCEPT;
}

static enum tkt_answer refuse(const struct tkt_session *s, const char *queue_id,
                              const struct tkt_outcome *o)
{
    struct ticket_lists lists;

    list_tickets(&o->reply, &lists);
    tkt_log(TKT_LOG_NOTICE, queue_id, "message.refused", "ticket", lists.ids, "desk",
            lists.desks, "status", lists.statuses, "code", TKT_NUM(o->reply.smtp_code),
            "text", o->reply.smtp_text, "took_ms", TKT_NUM(o->took_ms), NULL);
    return tkt_filter_reply(s, o->reply.smtp_code, o->reply.smtp_xcode,
                            o->reply.smtp_text);
}

static enum tkt_answer defer(const struct tkt_session *s, const char *queue_id,
                             const struct tkt_outcome *o)
{
    tkt_log(TKT_LOG_WARNING, queue_id, "message.deferred", "class",
            tkt_err_class_name(o->err.class), "reason", o->err.text, "took_ms",
            TKT_NUM(o->took_ms), NULL);
    return tkt_filter_reply(s, 451, "4.3.0",
                            "Ticket desk unavailable, please try again later");
}

static enum tkt_answer carry_out(struct tkt_session *s, const char *queue_id,
                                 const struct tkt_outcome *o)
{
    switch (o->verdict) {
    case TKT_VERDICT_EDIT:
        return edit_and_accept(s, queue_id, o);
    case TKT_VERDICT_REFUSE:
        return refuse(s, queue_id, o);
    case TKT_VERDICT_ACCEPT:
        if (o->missed) {
            tkt_log(TKT_LOG_WARNING, queue_id, "message.missed", "reason", o->err.text,
                    "took_ms", TKT_NUM(o->took_ms), "total",
                    TKT_NUM(atomic_load(&s->milter->missed)), NULL);
        }
        return TKT_ANSWER_ACCEPT;
    case TKT_VERDICT_DEFER:
        break;
    }
    return defer(s, queue_id, o);
}

static void still_alive(void *arg)
{
    const struct tkt_session *s = arg;

    s->host.ops->progress(s->host.ctx);
}

static enum tkt_answer finish(struct tkt_session *s)
{
    struct tkt_outcome outcome;
    const char *queue_id = tkt_filter_macro(s, "i");

    if (s->failed || s->msg == NULL) {
        tkt_log(TKT_LOG_ERROR, queue_id, "message.deferred", "reason",
                s->failed ? "no memory" : "no MAIL", NULL);
        return TKT_ANSWER_TEMPFAIL;
    }
    if (s->msg->desk_rcpts == 0) {
        return TKT_ANSWER_ACCEPT;
    }
    if (s->msg->too_many_fields && s->msg->smtp_path && tkt_message_all_desks(s->msg)) {
        tkt_log(TKT_LOG_NOTICE, queue_id, "message.refused", "reason", "x_ticket_fields",
                NULL);
        return tkt_filter_reply(s, 554, "5.6.0", "Too many X-Ticket fields");
    }
    if (queue_id != NULL && s->msg->queue_id != NULL && s->msg->queue_id[0] == '\0') {
        s->msg->queue_id = tkt_message_strdup(s->msg, queue_id, strlen(queue_id));
    }
    s->host.ops->may_block(s->host.ctx);
    tkt_reserve(s, still_alive, s, &outcome);
    enum tkt_answer rc = carry_out(s, queue_id, &outcome);
    tkt_outcome_release(&outcome);
    return rc;
}

enum tkt_answer tkt_filter_eom(struct tkt_session *s)
{
    struct tkt_milter *milter = s->milter;

    atomic_fetch_add(&milter->in_callback, 1);
    enum tkt_answer rc = finish(s);
    tkt_message_end(s);
    atomic_fetch_sub(&milter->in_callback, 1);
    return rc;
}
