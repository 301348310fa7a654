/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/reserve.h"

#include "base/clock.h"
#include "base/util.h"
#include "wire/missed.h"

#include <string.h>

#define STALE_MAX 2 /* configurations that may change under one message */

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

/* The desk recipients into room for all; the rest is only counted. */
static void split_rcpts(const struct tkt_message *m, struct tkt_wire_rcpt *room,
                        struct tkt_wire_request *req)
{
    size_t sub;

    req->rcpts = room;
    req->other_rcpts = m->more_rcpts;
    for (size_t i = 0; i < m->rcpt_count; i++) {
        if (tkt_table_find(m->table, m->rcpts[i].addr, &sub) != NULL) {
            room[req->rcpt_count++] = m->rcpts[i];
        } else {
            req->other_rcpts++;
        }
    }
}

static void fill_request(const struct tkt_session *s, struct tkt_wire_rcpt *room,
                         struct tkt_wire_request *req)
{
    struct tkt_message *m = s->msg;

    *req = (struct tkt_wire_request){
        .verb = TKT_WIRE_RESERVE,
        .generation = m->table->hello.generation,
        .hook = "milter",
        .queue_id = or_empty(m->queue_id),
        .mta_host = or_empty(m->mta_host),
        .sender = or_empty(m->sender),
        .client_addr = or_empty(s->client_addr),
        .client_name = or_empty(s->client_name),
        .helo = or_empty(s->helo),
        .tls = or_empty(m->tls),
        .tls_subject = or_empty(m->tls_subject),
        .auth_login = or_empty(m->auth_login),
        .mail_time_s = m->mail_time_s,
        .leadspc = m->leadspc,
        .smtp_path = m->smtp_path,
        .fields = m->fields,
        .field_count = m->field_count,
    };
    split_rcpts(m, room, req);
}

/* Every desk recipient's desk says accept: one copy serves them all. */
static bool all_desks_accept(const struct tkt_message *m)
{
    size_t sub;

    for (size_t i = 0; i < m->rcpt_count; i++) {
        const struct tkt_wire_desk *d = tkt_table_find(m->table, m->rcpts[i].addr, &sub);
        if (d != NULL && !d->on_failure_accept) {
            return false;
        }
    }
    return m->desk_rcpts > 0;
}

/* out->err says what went wrong; a spool that fails as well is added to it. */
static void on_failure(struct tkt_session *s, const struct tkt_wire_request *req, int fd,
                       struct tkt_outcome *out)
{
    struct tkt_err err = TKT_ERR_INIT;

    out->verdict = TKT_VERDICT_DEFER;
    if (!all_desks_accept(s->msg)) {
        return;
    }
    if (tkt_missed_write(s->milter->missed_dir, req, fd, &err) < 0) {
        (void)tkt_err_prefix(&out->err, "%s; and", err.text); /* only adds to the text */
        return;
    }
    atomic_fetch_add(&s->milter->missed, 1);
    out->verdict = TKT_VERDICT_ACCEPT;
    out->missed = true;
}

/* 0 with out->verdict, 1 to ask again with a newer table, -1 with out->err. */
static int judge_reply(struct tkt_session *s, struct tkt_outcome *out,
                       int64_t deadline_ms)
{
    bool changed;

    switch (out->reply.status) {
    case TKT_WIRE_OK:
        out->verdict = out->reply.smtp_code != 0 && s->msg->smtp_path ? TKT_VERDICT_REFUSE
                                                                      : TKT_VERDICT_EDIT;
        return 0;
    case TKT_WIRE_STALE:
        if (tkt_tables_from_hello(s->milter->tables, s->milter->client, deadline_ms,
                                  &changed, &out->err) < 0) {
            return -1;
        }
        return 1;
    case TKT_WIRE_PERM:
        return tkt_err_set(&out->err, TKT_ERR_PERM, "ticketd refused the request: %s",
                           out->reply.text);
    case TKT_WIRE_TEMP:
        break;
    }
    return tkt_err_set(&out->err, TKT_ERR_TEMP, "ticketd: %s", out->reply.text);
}

/* What was cut to the old limit is no message under the new one. */
static bool is_cut_short(const struct tkt_message *m)
{
    return m->spool.oversize && m->spool.size <= m->table->hello.message_max;
}

/* One question, asked again while the table is stale. Results as judge_reply. */
static int ask(struct tkt_session *s, struct tkt_wire_request *req,
               struct tkt_wire_rcpt *room, int fd, void (*progress)(void *arg), void *arg,
               struct tkt_outcome *out)
{
    int64_t deadline = tkt_clock_mono_ms() + atomic_load(&s->milter->deadline_ms);
    uint32_t every = (uint32_t)atomic_load(&s->milter->progress_ms);

    for (int round = 0; round <= STALE_MAX; round++) {
        if (tkt_wire_call(s->milter->client, req, fd, deadline, every, progress, arg,
                          &out->reply, &out->err) < 0) {
            return -1;
        }
        int rc = judge_reply(s, out, deadline);
        if (rc <= 0) {
            return rc;
        }
        tkt_wire_reply_release(&out->reply);
        tkt_message_use_table(s);
        if (s->msg->desk_rcpts == 0) {
            out->verdict = TKT_VERDICT_ACCEPT;
            return 0;
        }
        if (is_cut_short(s->msg)) {
            return tkt_err_set(&out->err, TKT_ERR_TEMP, "message_max was raised");
        }
        fill_request(s, room, req);
    }
    return tkt_err_set(&out->err, TKT_ERR_TEMP, "the configuration keeps changing");
}

static void reserve_spooled(struct tkt_session *s, struct tkt_wire_rcpt *room, int fd,
                            void (*progress)(void *arg), void *arg,
                            struct tkt_outcome *out)
{
    struct tkt_wire_request req;
    struct tkt_milter *milter = s->milter;
    int rc;

    fill_request(s, room, &req);
    if (atomic_fetch_add(&milter->in_reserve, 1) >=
        atomic_load(&milter->in_reserve_max)) {
        rc = tkt_err_set(&out->err, TKT_ERR_TEMP, "in_reserve_max messages are waiting");
    } else {
        rc = ask(s, &req, room, fd, progress, arg, out);
    }
    atomic_fetch_sub(&milter->in_reserve, 1);
    if (rc < 0) {
        tkt_wire_reply_release(&out->reply);
        on_failure(s, &req, fd, out);
    }
}

void tkt_reserve(struct tkt_session *s, void (*progress)(void *arg), void *arg,
                 struct tkt_outcome *out)
{
    int64_t start = tkt_clock_mono_ms();
    int fd;

    memset(out, 0, sizeof(*out));
    out->verdict = TKT_VERDICT_DEFER;
    TKT_AUTO_FREE struct tkt_wire_rcpt *room =
        calloc(s->msg->rcpt_count + 1, sizeof(*room));
    if (room == NULL) {
        (void)tkt_err_set(&out->err, TKT_ERR_TEMP, "no memory"); /* DEFER tells it */
    } else if (tkt_spool_finish(&s->msg->spool, &fd, &out->err) == 0) {
        reserve_spooled(s, room, fd, progress, arg, out);
    }
    out->took_ms = tkt_clock_mono_ms() - start;
}

void tkt_outcome_release(struct tkt_outcome *out)
{
    tkt_wire_reply_release(&out->reply);
}
