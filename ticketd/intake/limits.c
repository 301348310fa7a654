/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/limits.h"

#include "base/log.h"
#include "base/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 1024

struct tkt_limits {
    struct tkt_rate senders;
    struct tkt_rate repeats;
    struct tkt_rate blocked; /* senders whose text came too often */
};

struct tkt_limits *tkt_limits_new(void)
{
    struct tkt_limits *l = calloc(1, sizeof(*l));

    if (l) {
        tkt_rate_init(&l->senders);
        tkt_rate_init(&l->repeats);
        tkt_rate_init(&l->blocked);
    }
    return l;
}

void tkt_limits_free(struct tkt_limits **limits)
{
    if (*limits) {
        tkt_rate_destroy(&(*limits)->senders);
        tkt_rate_destroy(&(*limits)->repeats);
        tkt_rate_destroy(&(*limits)->blocked);
        free(*limits);
        *limits = NULL;
    }
}

bool tkt_limits_has(const struct tkt_conf_desk *desk)
{
    return desk->sender_rate > 0 || desk->repeat_rate > 0;
}

static bool is_exempt(const struct tkt_request *req)
{
    const struct tkt_conf_list *own = &req->set->conf->own_networks;

    return *req->wire.sender == '\0' ||
           tkt_networks_have(own->items, own->count, req->wire.client_addr);
}

/* Two long names that begin alike share a bucket. */
static void make_name(char out[NAME_MAX_LEN], const struct tkt_conf_desk *desk,
                      const char *what)
{
    snprintf(out, NAME_MAX_LEN, "%s\n%s", desk->name, what);
}

static const struct tkt_conf_desk *desk_of(const struct tkt_request *req)
{
    size_t sub = 0;
    const struct tkt_wire_desk *row =
        tkt_wire_desk_find(req->set->desk_index, req->wire.rcpt, &sub);

    return row ? tkt_conf_desk(req->set->conf, row->name) : NULL;
}

bool tkt_limits_defer(struct tkt_request *req)
{
    const struct tkt_conf_desk *desk = desk_of(req);
    struct tkt_limits *l = req->d->limits;
    char name[NAME_MAX_LEN];

    if (!l || !desk || !tkt_limits_has(desk) || is_exempt(req)) {
        return false;
    }
    make_name(name, desk, req->wire.sender);
    bool too_many =
        desk->sender_rate > 0 &&
        !tkt_rate_has(&l->senders, name, (unsigned)desk->sender_rate, req->now_ms);
    bool repeats =
        desk->repeat_rate > 0 &&
        !tkt_rate_has(&l->blocked, name, (unsigned)desk->repeat_rate, req->now_ms);
    if (!too_many && !repeats) {
        return false;
    }
    tkt_log(TKT_LOG_NOTICE, "NOQUEUE", "sender.deferred", "desk", desk->name, "sender",
            req->wire.sender, "client", req->wire.client_addr, "limit",
            too_many ? "sender_rate" : "repeat_rate", NULL);
    req->reply.why = (char *)(too_many ? "sender-rate" : "repeat-rate");
    req->reply.smtp_code = 451;
    req->reply.smtp_xcode = (char *)"4.7.1";
    req->reply.smtp_text =
        (char *)"Too many messages from this sender to this desk; try again later";
    return true;
}

/* The key of what it repeats, or "". */
static const char *repeated(const struct tkt_request *req, size_t i)
{
    return req->analysed ? req->analysis.decisions.items[i].correlate : "";
}

void tkt_limits_charge(struct tkt_request *req)
{
    struct tkt_limits *l = req->d->limits;
    char name[NAME_MAX_LEN];

    for (size_t i = 0; l && !req->known && i < req->desk_count; i++) {
        const struct tkt_conf_desk *desk = req->desks[i];
        const char *key = repeated(req, i);

        if (!tkt_limits_has(desk) || is_exempt(req)) {
            continue;
        }
        make_name(name, desk, req->wire.sender);
        if (desk->sender_rate > 0) {
            (void)tkt_rate_take(&l->senders, name, (unsigned)desk->sender_rate,
                                req->now_ms); /* RCPT asks what is left */
        }
        if (desk->repeat_rate == 0 || *key == '\0') {
            continue;
        }
        char text[NAME_MAX_LEN];
        make_name(text, desk, key);
        (void)tkt_rate_take(&l->repeats, text, (unsigned)desk->repeat_rate, req->now_ms);
        if (!tkt_rate_has(&l->repeats, text, (unsigned)desk->repeat_rate, req->now_ms)) {
            tkt_rate_drain(&l->blocked, name, req->now_ms);
        }
    }
}
