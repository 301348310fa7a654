/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/missed.h"
#include "base/clock.h"
#include "base/util.h"
#include "wire/intake.h"
#include "wire/missed.h"

#include <string.h>

#define BATCH 64       /* names in one look at the directory */
#define REMAINING_S 10 /* for each message */

struct missed {
    struct tkt_ctl *ctl;
    struct tkt_wire_client *client;
    const char *dir;
    int64_t remaining_ms;
    uint64_t generation;
    size_t taken;
    size_t set_aside;
};

static int send_one(struct missed *m, struct tkt_wire_request *req, int fd,
                    struct tkt_wire_reply *reply)
{
    struct tkt_err err = TKT_ERR_INIT;
    req->generation = m->generation;
    req->remaining_ms = (uint32_t)m->remaining_ms;
    if (tkt_wire_call(m->client, req, fd, tkt_clock_mono_ms() + m->remaining_ms, 0, NULL,
                      NULL, reply, &err) < 0) {
        return tkt_ctl_fail(EX_TEMPFAIL, "ticketd does not answer: %s", err.text);
    }
    return 0;
}

static int hello(struct missed *m)
{
    struct tkt_wire_request req = {.verb = TKT_WIRE_HELLO, .hook = "submit"};
    struct tkt_wire_reply reply = {0};
    req.queue_id = req.mta_host = req.sender = req.client_addr = req.client_name = "";
    req.helo = req.tls = req.tls_subject = req.auth_login = "";
    req.hold = req.token = req.rcpt = "";
    int rc = send_one(m, &req, -1, &reply);
    if (rc == 0 && reply.status != TKT_WIRE_OK) {
        rc = tkt_ctl_fail(EX_TEMPFAIL, "ticketd: %s", reply.text);
    }
    m->generation = rc == 0 ? reply.generation : 0;
    tkt_wire_reply_release(&reply);
    return rc;
}

static int set_aside(struct missed *m, const char *name, const char *why)
{
    struct tkt_err err = TKT_ERR_INIT;
    (void)tkt_ctl_fail(0, "%s/%s: %s; set aside as %s.bad", m->dir, name, why, name);
    m->set_aside++;
    return tkt_missed_set_aside(m->dir, name, &err) < 0 ? tkt_ctl_fail_err(&err) : 0;
}

/* 0 also for an entry that was set aside: the next one has its own chance. */
static int judge(struct missed *m, const char *name, const struct tkt_wire_reply *reply)
{
    struct tkt_err err = TKT_ERR_INIT;
    switch (reply->status) {
    case TKT_WIRE_OK:
        break;
    case TKT_WIRE_PERM:
        return set_aside(m, name, reply->text);
    case TKT_WIRE_TEMP:
    case TKT_WIRE_STALE:
        return tkt_ctl_fail(EX_TEMPFAIL, "%s/%s: %s", m->dir, name, reply->text);
    }
    if (reply->ticket_count == 0) {
        return tkt_ctl_fail(EX_TEMPFAIL, "%s/%s: no ticket came back", m->dir, name);
    }
    if (tkt_missed_remove(m->dir, name, &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    m->taken++;
    for (size_t i = 0; !m->ctl->quiet && i < reply->ticket_count; i++) {
        printf("%s %s %s\n", name, reply->tickets[i].id, reply->tickets[i].status);
    }
    return 0;
}

static int take_one(struct missed *m, const char *name)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_wire_request req = {0};
    struct tkt_wire_reply reply = {0};
    TKT_AUTO_FD int fd = -1;
    if (tkt_missed_open(m->dir, name, &req, &fd, &err) < 0) {
        return err.class == TKT_ERR_PERM ? set_aside(m, name, err.text)
                                         : tkt_ctl_fail_err(&err);
    }
    int rc = send_one(m, &req, fd, &reply);
    if (rc == 0 && reply.status == TKT_WIRE_STALE) { /* reloaded in between */
        tkt_wire_reply_release(&reply);
        rc = hello(m);
        rc = rc != 0 ? rc : send_one(m, &req, fd, &reply);
    }
    rc = rc != 0 ? rc : judge(m, name, &reply);
    tkt_wire_reply_release(&reply);
    tkt_wire_request_release(&req);
    return rc;
}

static int take_all(struct missed *m)
{
    struct tkt_missed_name names[BATCH];
    struct tkt_err err = TKT_ERR_INIT;
    size_t count;
    int rc = hello(m);
    do {
        count = 0;
        if (rc == 0 && tkt_missed_list(m->dir, names, BATCH, &count, &err) < 0) {
            rc = tkt_ctl_fail_err(&err);
        }
        for (size_t i = 0; rc == 0 && i < count; i++) {
            rc = take_one(m, names[i].text);
        }
    } while (rc == 0 && count > 0); /* each one taken or set aside: the list shrinks */
    return rc;
}

int tkt_ctl_submit_missed(struct tkt_ctl *ctl, const char *dir)
{
    struct missed m = {.ctl = ctl, .dir = dir};
    int64_t remaining_s;
    int rc = tkt_ctl_opt_int(ctl, "remaining", 1, 3600, REMAINING_S, &remaining_s);
    if (rc != 0) {
        return rc;
    }
    m.remaining_ms = remaining_s * 1000;
    m.client = tkt_wire_client_new(tkt_ctl_intake_socket(ctl), 1);
    if (m.client == NULL) {
        return tkt_ctl_fail(EX_TEMPFAIL, "out of memory");
    }
    rc = take_all(&m);
    tkt_wire_client_free(&m.client);
    if (!ctl->quiet) {
        fprintf(stderr, "taken in: %zu, set aside: %zu\n", m.taken, m.set_aside);
    }
    return rc == 0 && m.set_aside > 0 ? EX_DATAERR : rc;
}
