/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control/control_notify.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticketd/notice/notice.h"

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
    const char *desk; /* "": all of them */
    bool back;
    bool was;
};

/* "Is told again" holds for all that ended it, unless a desk is named. */
static int apply_back(struct tkt_store *store, struct marking *m, int64_t now_ms,
                      struct tkt_err *err)
{
    bool was_all = false;

    if (m->mark == TKT_CONTACT_OPTED_OUT &&
        tkt_store_contact_rejoin(store, m->address, m->desk, m->who, &m->was, now_ms,
                                 err) < 0) {
        return -1;
    }
    if (m->desk[0] == '\0' && tkt_store_contact_clear(store, m->address, m->mark, m->who,
                                                      &was_all, now_ms, err) < 0) {
        return -1;
    }
    m->was = m->was || was_all;
    return 0;
}

static int apply_mark(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct marking *m = arg;
    int64_t now_ms = tkt_clock_wall_ms();

    if (m->back) {
        return apply_back(store, m, now_ms, err);
    }
    return m->desk[0] != '\0' ? tkt_store_contact_leave(store, m->address, m->desk,
                                                        m->who, 0, now_ms, err)
                              : tkt_store_contact_mark(store, m->address, m->mark, m->who,
                                                       0, now_ms, err);
}

static bool is_desk(struct tkt_daemon *d, const char *name)
{
    struct tkt_settings *set = tkt_settings_get(d);
    bool is = tkt_conf_desk(set->conf, name) != NULL;

    tkt_settings_put(&set);
    return is;
}

int tkt_control_optout(struct tkt_control_request *req, struct tkt_err *err)
{
    const char *address = tkt_control_arg(req, "address");
    const char *mark = tkt_control_arg(req, "mark");
    const char *desk = tkt_control_arg(req, "desk");
    struct marking m = {.who = req->who,
                        .desk = desk == NULL ? "" : desk,
                        .mark = TKT_CONTACT_OPTED_OUT,
                        .back = tkt_control_number(req, "back", 0) != 0};

    if (mark != NULL && strcmp(mark, "undeliverable") == 0) {
        m.mark = TKT_CONTACT_UNDELIVERABLE;
        m.desk = ""; /* that is so for all of them */
    }
    if (!m.back && m.desk[0] != '\0' && !is_desk(req->d, m.desk)) {
        return tkt_err_set(err, TKT_ERR_PERM, "there is no desk \"%.60s\"", m.desk);
    }
    if (address[0] == '\0' || strlen(address) >= sizeof(m.address)) {
        return tkt_err_set(err, TKT_ERR_PERM, "not an address or number: %.60s", address);
    }
    (void)snprintf(m.address, sizeof(m.address), "%s", address); /* was looked at */
    tkt_ascii_lower(m.address);
    if (tkt_commit_call(req->d->commit, apply_mark, &m, false, err) < 0) {
        return -1;
    }
    (void)snprintf(req->text, sizeof(req->text), "%.200s %s%s%.60s", m.address,
                   !m.back ? "is told nothing more"
                   : m.was ? "is told again"
                           : "was told anyway",
                   m.desk[0] != '\0' ? " by desk " : "", m.desk); /* cut is fine */
    return 0;
}

/* ---- preview -------------------------------------------------------------------------- */

int tkt_control_preview(struct tkt_control_request *req, struct tkt_err *err)
{
    const struct tkt_notice_asked asked = {.what = tkt_control_arg(req, "on"),
                                           .role = tkt_control_arg(req, "to"),
                                           .language = tkt_control_arg(req, "language")};
    const char *id = tkt_control_arg(req, "id");
    struct tkt_settings *set = tkt_settings_get(req->d);
    struct tkt_reader_ticket ticket = {.ticket = 0};
    int rc = 0;

    if (id != NULL) {
        int n = tkt_reader_by_id(req->reader, id, NULL, &ticket, err);
        rc = n == 0  ? tkt_err_set(err, TKT_ERR_PERM, "no ticket %.60s", id)
             : n < 0 ? -1
                     : 0;
    }
    if (rc == 0) {
        rc = tkt_notice_preview(set, &asked, req->reader, ticket.ticket, &req->data, err);
        req->has_data = rc == 0;
    }
    tkt_settings_put(&set);
    return rc;
}
