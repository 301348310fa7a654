/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control_notify.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticketd/notice.h"

#include <stdio.h>
#include <string.h>

#define CONTACTS_MAX 1000

int tkt_control_contacts(struct tkt_control_request *req, struct tkt_err *err)
{
    req->has_data = true;
    return tkt_reader_contacts_json(req->reader, CONTACTS_MAX, &req->data, err);
}

/* ---- opting out ----------------------------------------------------------------------- */

struct marking {
    char address[321];
    const char *who;
    enum tkt_contact mark;
    bool back;
    bool was;
};

static int apply_mark(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct marking *m = arg;
    int64_t now_ms = tkt_clock_wall_ms();

    return m->back ? tkt_store_contact_clear(store, m->address, m->mark, m->who, &m->was,
                                             now_ms, err)
                   : tkt_store_contact_mark(store, m->address, m->mark, m->who, 0, now_ms,
                                            err);
}

int tkt_control_optout(struct tkt_control_request *req, struct tkt_err *err)
{
    const char *address = tkt_control_arg(req, "address");
    const char *mark = tkt_control_arg(req, "mark");
    struct marking m = {.who = req->who,
                        .mark = TKT_CONTACT_OPTED_OUT,
                        .back = tkt_control_number(req, "back", 0) != 0};

    if (mark != NULL && strcmp(mark, "undeliverable") == 0) {
        m.mark = TKT_CONTACT_UNDELIVERABLE;
    }
    if (address[0] == '\0' || strlen(address) >= sizeof(m.address)) {
        return tkt_err_set(err, TKT_ERR_PERM, "not an address or number: %.60s", address);
    }
    (void)snprintf(m.address, sizeof(m.address), "%s", address); /* was looked at */
    tkt_ascii_lower(m.address);
    if (tkt_commit_call(req->d->commit, apply_mark, &m, false, err) < 0) {
        return -1;
    }
    (void)snprintf(req->text, sizeof(req->text), "%.200s %s", m.address,
                   !m.back ? "is told nothing more"
                   : m.was ? "is told again"
                           : "was told anyway"); /* cut is fine */
    return 0;
}

/* ---- preview -------------------------------------------------------------------------- */

static void add(struct tkt_buf *b, const char *key, const char *value)
{
    (void)tkt_buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", key); /* b->failed tells */
    (void)tkt_json_add_string(b, value, strlen(value));             /* the same */
}

/* What a notice of that kind would carry. */
static int make_payload(const struct tkt_control_request *req, struct tkt_buf *b)
{
    const char *on = tkt_control_arg(req, "on");
    const char *to = tkt_control_arg(req, "to");
    const char *language = tkt_control_arg(req, "language");

    (void)tkt_buf_addc(b, '{'); /* b->failed tells, of all these */
    add(b, "what", on != NULL ? on : "created");
    add(b, "to", "ann@example.org");
    add(b, "name", "Ann Example");
    add(b, "role", to != NULL ? to : "requester");
    add(b, "language", language != NULL ? language : "");
    add(b, "text", "What somebody wrote.");
    (void)tkt_buf_adds(
        b, ",\"optout\":true,\"event\":{\"reason\":\"the reason\",\"target\":\"itsm\","
           "\"job\":12,\"step\":\"first\",\"due\":\"2026-12-24T12:00:00Z\"}"
           ",\"items\":[{\"line\":\"[IT-12] one of many\",\"ticket\":"
           "\"IT-12\"}],\"left_out\":0}");
    return b->failed ? -1 : 0;
}

int tkt_control_preview(struct tkt_control_request *req, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf payload = TKT_BUF_INIT(8192);
    const char *id = tkt_control_arg(req, "id");
    struct tkt_settings *set = tkt_settings_get(req->d);
    struct tkt_notice_made made;
    struct tkt_reader_ticket ticket;
    int rc = make_payload(req, &payload) < 0
                 ? tkt_err_set(err, TKT_ERR_PERM, "an argument is too long")
                 : 0;

    if (rc == 0 && id != NULL) {
        int n = tkt_reader_by_id(req->reader, id, NULL, &ticket, err);
        rc = n == 0  ? tkt_err_set(err, TKT_ERR_PERM, "no ticket %.60s", id)
             : n < 0 ? -1
                     : 0;
    }
    if (rc == 0) {
        rc = id != NULL ? tkt_notice_make(&made, set, req->reader, ticket.ticket, 0,
                                          tkt_buf_str(&payload), err)
                        : tkt_notice_make_sample(&made, set, tkt_buf_str(&payload), err);
        if (rc == 0) {
            req->has_data = true;
            (void)tkt_buf_addc(&req->data, '{'); /* the caller looks, as of all these */
            add(&req->data, "subject", made.notice.subject);
            add(&req->data, "language", made.notice.language);
            add(&req->data, "text", made.notice.text);
            add(&req->data, "html", made.notice.html);
            (void)tkt_buf_addc(&req->data, '}');
        }
        tkt_notice_made_release(&made);
    }
    tkt_settings_put(&set);
    return rc;
}
