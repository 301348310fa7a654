/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/request.h"
#include "ticketd/intake/limits.h"
#include "ticketd/watch/measure.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

static struct tkt_request *request_new(struct tkt_daemon *d)
{
    struct tkt_request *req = calloc(1, sizeof(*req));

    if (!req) {
        return NULL;
    }
    req->d = d;
    req->set = tkt_settings_get(d);
    req->start_us = tkt_clock_mono_us();
    req->now_ms = tkt_clock_wall_ms();
    tkt_incoming_init(&req->message);
    tkt_wire_packet_init(&req->packet);
    atomic_fetch_add(&d->stats.requests, 1);
    return req;
}

struct tkt_request *tkt_request_new(struct tkt_daemon *d, struct tkt_wire_packet *packet)
{
    struct tkt_request *req = request_new(d);

    if (req) {
        req->packet = *packet;
        tkt_wire_packet_init(packet);
    }
    return req;
}

struct tkt_request *tkt_request_wrap(struct tkt_daemon *d, struct tkt_wire_request *wire,
                                     int message_fd)
{
    struct tkt_request *req = request_new(d);

    if (!req) {
        tkt_wire_request_release(wire);
        close(message_fd);
        return NULL;
    }
    (void)tkt_wire_packet_take_fd(&req->packet,
                                  message_fd); /* it is empty: there is room */
    req->wire = *wire;
    memset(wire, 0, sizeof(*wire));
    req->decoded = true;
    return req;
}

void tkt_request_free(struct tkt_request **request)
{
    struct tkt_request *req = *request;

    if (!req) {
        return;
    }
    if (req->analysed) {
        tkt_analysis_release(&req->analysis);
    }
    tkt_buf_release(&req->facts);
    tkt_incoming_release(&req->message);
    if (req->decoded) {
        tkt_wire_request_release(&req->wire);
    }
    tkt_wire_packet_release(&req->packet);
    tkt_wire_arena_release(&req->arena);
    tkt_settings_put(&req->set);
    free(req);
    *request = NULL;
}

enum tkt_step tkt_request_fail(struct tkt_request *req, const struct tkt_err *err)
{
    req->reply.status = err->class == TKT_ERR_PERM ? TKT_WIRE_PERM : TKT_WIRE_TEMP;
    req->reply.ticket_count = 0;
    req->reply.edit_count = 0;
    req->reply.text = tkt_wire_arena_strdup(&req->arena, err->text, strlen(err->text));
    if (!req->reply.text) {
        req->reply.text = (char *)"no memory";
    }
    atomic_fetch_add(
        err->class == TKT_ERR_PERM ? &req->d->stats.refused : &req->d->stats.temp, 1);
    tkt_measure_request(req->d->measure, req->decoded ? req->wire.hook : "",
                        err->class == TKT_ERR_PERM ? "refused" : "later",
                        tkt_clock_mono_us() - req->start_us);
    tkt_log(err->class == TKT_ERR_BUG ? TKT_LOG_ERROR : TKT_LOG_WARNING,
            req->decoded && *req->wire.queue_id ? req->wire.queue_id : "NOQUEUE",
            "request.failed", "hook", req->decoded ? req->wire.hook : NULL, "status",
            tkt_err_class_name(err->class), "text", err->text, "ms",
            TKT_NUM((tkt_clock_mono_us() - req->start_us) / 1000), NULL);
    return TKT_STEP_REPLY;
}

static enum tkt_step hello(struct tkt_request *req)
{
    const struct tkt_conf *conf = req->set->conf;

    req->reply.desks = req->set->desks;
    req->reply.desk_count = req->set->desk_count;
    req->reply.message_max = (uint64_t)conf->limits.message_max;
    req->reply.deadline_ms = (uint32_t)conf->milter.deadline_ms;
    req->reply.rcpt_lookup = conf->token.refuse;
    for (size_t i = 0; i < req->set->desk_count; i++) {
        req->reply.rcpt_lookup |= req->set->desks[i].limited;
    }
    req->reply.tag_pattern = req->set->tag_pattern;
    return TKT_STEP_REPLY;
}

static enum tkt_step ping(struct tkt_request *req)
{
    req->reply.text = *req->wire.token ? req->wire.token : (char *)"pong";
    return TKT_STEP_REPLY;
}

static int apply_confirm(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_request *req = arg;

    return tkt_store_confirm(store, req->wire.hold, req->wire.untagged, req->now_ms, err);
}

static int apply_cancel(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_request *req = arg;

    return tkt_store_cancel(store, req->wire.hold, req->now_ms, err);
}

static enum tkt_step hold(struct tkt_request *req)
{
    req->item.apply = req->wire.verb == TKT_WIRE_CONFIRM ? apply_confirm : apply_cancel;
    req->item.arg = req;
    req->item.bytes = 512;
    return TKT_STEP_COMMIT;
}

/* The token of a recipient: which ticket it names, if it is ours to trust. */
static enum tkt_step lookup(struct tkt_request *req, struct tkt_tools *tools)
{
    struct tkt_reader_ticket ticket;
    struct tkt_token token;
    struct tkt_err err = TKT_ERR_INIT;

    req->reply.ticket = (char *)"";
    req->reply.why = (char *)"";
    if (tkt_limits_defer(req) || *req->wire.token == '\0') {
        return TKT_STEP_REPLY;
    }
    enum tkt_token_verdict verdict =
        tkt_token_verify(&req->set->keys, req->wire.token, strlen(req->wire.token),
                         req->now_ms / 1000, &token);

    req->reply.why = (char *)tkt_token_verdict_names[verdict];
    if (verdict != TKT_TOKEN_VALID) {
        tkt_log(TKT_LOG_INFO, *req->wire.queue_id ? req->wire.queue_id : "NOQUEUE",
                "token.lookup", "rcpt", req->wire.rcpt, "verdict", req->reply.why, NULL);
        /* A sub-address that is no token at all is an address like any other. */
        if (req->set->conf->token.refuse && verdict != TKT_TOKEN_MALFORMED) {
            req->reply.smtp_code = 550;
            req->reply.smtp_xcode = (char *)"5.1.1";
            req->reply.smtp_text =
                (char *)"This ticket address is not valid any more; write to the "
                        "address without its suffix";
        }
        return TKT_STEP_REPLY;
    }
    struct tkt_reader *reader = tkt_tools_reader(tools, &err);
    int found = reader ? tkt_reader_by_row(reader, token.ticket, "", &ticket, &err) : -1;
    if (found < 0) {
        return tkt_request_fail(req, &err);
    }
    if (found == 0) { /* genuine, but its ticket is not here: another store's */
        req->reply.why = (char *)tkt_token_verdict_names[TKT_TOKEN_FORGED];
        return TKT_STEP_REPLY;
    }
    req->reply.ticket = tkt_wire_arena_strdup(&req->arena, ticket.id, strlen(ticket.id));
    return TKT_STEP_REPLY;
}

static void set_deadline(struct tkt_request *req)
{
    int64_t left = req->set->conf->milter.deadline_ms;

    if (req->wire.remaining_ms && req->wire.remaining_ms < left) {
        left = req->wire.remaining_ms;
    }
    req->deadline_mono_ms = req->start_us / 1000 + left;
    req->item.deadline_mono_ms = req->deadline_mono_ms;
}

static void init_reply(struct tkt_request *req)
{
    req->reply.generation = req->set->generation;
    req->reply.text = (char *)"";
    req->reply.smtp_xcode = (char *)"";
    req->reply.smtp_text = (char *)"";
    req->reply.tag_pattern = (char *)"";
    req->reply.ticket = (char *)"";
    req->reply.why = (char *)"";
}

enum tkt_step tkt_request_refuse(struct tkt_request *req, const struct tkt_err *err)
{
    init_reply(req);
    return tkt_request_fail(req, err);
}

enum tkt_step tkt_request_begin(struct tkt_request *req, struct tkt_tools *tools)
{
    struct tkt_err err = TKT_ERR_INIT;

    init_reply(req);
    if (!req->decoded) {
        if (tkt_wire_request_decode(&req->packet, &req->wire, &err) < 0) {
            return tkt_request_fail(req, &err);
        }
        req->decoded = true;
    }
    set_deadline(req);
    switch (req->wire.verb) {
    case TKT_WIRE_HELLO:
        return hello(req);
    case TKT_WIRE_PING:
        return ping(req);
    case TKT_WIRE_CONFIRM:
    case TKT_WIRE_CANCEL:
        return hold(req);
    case TKT_WIRE_LOOKUP:
        return TKT_STEP_WORK;
    case TKT_WIRE_RESERVE:
        return tkt_reserve_begin(req, tools);
    }
    tkt_err_set(&err, TKT_ERR_PERM, "unknown verb");
    return tkt_request_fail(req, &err);
}

enum tkt_step tkt_request_work(struct tkt_request *req, struct tkt_tools *tools)
{
    if (req->wire.verb == TKT_WIRE_LOOKUP) {
        return lookup(req, tools);
    }
    if (tkt_clock_mono_ms() >= req->deadline_mono_ms) {
        struct tkt_err err = TKT_ERR_INIT;

        atomic_fetch_add(&req->d->stats.expired, 1);
        tkt_err_set(&err, TKT_ERR_TEMP, "the hook gave up waiting");
        return tkt_request_fail(req, &err);
    }
    return tkt_reserve_work(req, tools);
}

enum tkt_step tkt_request_committed(struct tkt_request *req)
{
    if (req->item.result < 0) {
        atomic_fetch_add(&req->d->stats.expired, req->item.expired);
        return tkt_request_fail(req, &req->item.err);
    }
    if (req->wire.verb == TKT_WIRE_RESERVE) {
        return tkt_reserve_committed(req);
    }
    tkt_log(TKT_LOG_INFO, *req->wire.queue_id ? req->wire.queue_id : "NOQUEUE",
            req->wire.verb == TKT_WIRE_CONFIRM ? "hold.confirmed" : "hold.cancelled",
            "hook", req->wire.hook, "hold", req->wire.hold, NULL);
    return TKT_STEP_REPLY;
}

void tkt_request_run(struct tkt_request *req, struct tkt_tools *tools)
{
    enum tkt_step step = tkt_request_begin(req, tools);

    while (step != TKT_STEP_REPLY) {
        if (step == TKT_STEP_WORK) {
            step = tkt_request_work(req, tools);
        } else {
            req->item.result = tkt_commit_call(req->d->commit, req->item.apply,
                                               req->item.arg, true, &req->item.err);
            step = tkt_request_committed(req);
        }
    }
}
