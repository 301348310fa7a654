/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/failover.h"

#include "base/util.h"
#include "store/internal.h"

#include <string.h>

static int go_over(struct tkt_store *s, int64_t ticket, const char *from, const char *to,
                   const char *who, const char *why, int64_t now_ms, struct tkt_err *err)
{
    if (tkt_job_lane_move(s, ticket, from, to, why, now_ms, err) < 0 ||
        tkt_db_run(s->db, SQL_TICKET_ITSM, err, "issi", ticket, from, to, now_ms) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);

    json_str(b, "from", from);
    json_str(b, "to", to);
    json_str_opt(b, "who", who);
    json_str_opt(b, "reason", why);
    return tkt_event_end(s, ticket, 0, NULL, "ticket.failover", now_ms, err);
}

static int unpark(struct tkt_store *s, struct job_row *j, const char *why, int64_t now_ms,
                  struct tkt_err *err)
{
    struct job_move m = {.to = JOB_READY, .due_ms = now_ms, .reason = why};

    return j->state != JOB_PARKED ? 0 : tkt_job_move(s, j, &m, now_ms, err);
}

/* By its job: it heads its lane, since a create comes first and parked jobs stay. */
static int refused_goes_over(struct tkt_store *s, int64_t job,
                             const struct tkt_store_failover *in, int64_t now_ms,
                             struct tkt_err *err)
{
    struct job_row j;
    int n = tkt_job_load(s->db, job, &j, err);

    if (n <= 0) {
        return n;
    }
    return unpark(s, &j, in->why, now_ms, err) < 0
               ? -1
               : go_over(s, j.ticket, in->from, in->to, NULL, in->why, now_ms, err);
}

/* Tickets, or where they were refused the jobs. */
static int list_due(struct tkt_store *s, const struct tkt_store_failover *in,
                    int64_t tickets[TKT_STORE_FAILOVER_MAX], struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(
        s->db, &row, in->parked ? SQL_FAILOVER_REFUSED : SQL_FAILOVER_DUE, err, "sisd",
        in->from, in->made_before_ms, in->desk, TKT_STORE_FAILOVER_MAX);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        tickets[count++] = tkt_row_int(&row, 0);
    }
    return n < 0 ? -1 : count;
}

int tkt_store_failover(struct tkt_store *s, const struct tkt_store_failover *in,
                       int64_t now_ms, struct tkt_err *err)
{
    int64_t tickets[TKT_STORE_FAILOVER_MAX];
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int count = list_due(s, in, tickets, err);

    for (int i = 0; i < count; i++) {
        int rc = in->parked ? refused_goes_over(s, tickets[i], in, now_ms, err)
                            : go_over(s, tickets[i], in->from, in->to, NULL, in->why,
                                      now_ms, err);
        count = rc < 0 ? -1 : count;
    }
    return tkt_store_leave(s, own, count, err);
}

static int redirect(struct tkt_store *s, int64_t job, const char *to, bool force,
                    const char *who, int64_t now_ms, struct tkt_err *err)
{
    struct job_row j;
    int64_t head = 0;
    int64_t doubt = 0;
    int n = tkt_job_load(s->db, job, &j, err);

    if (n <= 0) {
        return n < 0 ? -1 : tkt_err_set(err, TKT_ERR_PERM, "no job %" PRId64, job);
    }
    if (strcmp(j.kind, "create") != 0 || strcmp(j.target, to) == 0) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "job %" PRId64 " is a %s for %s: only a create goes elsewhere",
                           job, j.kind, j.target);
    }
    if (tkt_db_get_int(s->db, SQL_JOB_LANE_HEAD, &head, err, "is", j.ticket, j.target) <
            0 ||
        tkt_db_get_int(s->db, SQL_JOB_DOUBT, &doubt, err, "i", job) < 0) {
        return -1;
    }
    if ((j.state != JOB_PARKED && j.state != JOB_DEFERRED) || head != job) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "job %" PRId64 " is %s%s: only one that is parked or "
                           "deferred goes elsewhere",
                           job, tkt_job_state_name(j.state),
                           head != job ? " or waits for another one" : "");
    }
    if (doubt != 0 && !force) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "job %" PRId64 " may have been carried out: look there first, "
                           "then force it",
                           job);
    }
    if (unpark(s, &j, "sent elsewhere by hand", now_ms, err) < 0) {
        return -1;
    }
    return go_over(s, j.ticket, j.target, to, who, "sent elsewhere by hand", now_ms, err);
}

int tkt_store_job_redirect(struct tkt_store *s, int64_t job, const char *to, bool force,
                           const char *who, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = redirect(s, job, to, force, who, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}
