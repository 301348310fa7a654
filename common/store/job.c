/* SPDX-License-Identifier: BSD-2-Clause
 * Jobs: finishing, a person's hand.
 */
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

void tkt_jobs_release(struct tkt_job *jobs, int count)
{
    for (int i = 0; i < count; i++) {
        free(jobs[i].payload);
        jobs[i].payload = NULL;
    }
}

int tkt_store_job_add(struct tkt_store *s, int64_t ticket, int64_t message,
                      const char *kind, const char *target, const char *payload,
                      int64_t run_after_ms, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_job_insert(s, ticket, message, kind, target, payload, false,
                            run_after_ms, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

static int job_event(struct tkt_store *s, const struct job_row *j, const char *kind,
                     const char *who, const char *reason, int64_t now_ms,
                     struct tkt_err *err)
{
    struct tkt_buf *b = tkt_event_begin(s);

    json_int(b, "job", j->id);
    json_str(b, "kind", j->kind);
    json_str(b, "target", j->target);
    json_str_opt(b, "who", who);
    json_int(b, "attempts", j->attempts);
    json_str_opt(b, "reason", reason);
    return tkt_event_end(s, j->ticket, 0, NULL, kind, now_ms, err);
}

static int finish(struct tkt_store *s, int64_t job, const char *owner,
                  enum tkt_job_outcome outcome, enum tkt_job_doubt doubt,
                  int64_t run_after_ms, const char *reason, int64_t now_ms,
                  struct tkt_err *err)
{
    static const struct {
        enum job_state to;
        const char *event; /* NULL: the job's own row says enough */
    } outcomes[] = {
        [TKT_JOB_DONE] = {JOB_DONE, NULL},
        [TKT_JOB_DEFER] = {JOB_DEFERRED, NULL},
        [TKT_JOB_PARK] = {JOB_PARKED, "job.parked"},
        [TKT_JOB_RETURN] = {JOB_DEFERRED, NULL},
    };
    struct job_row j;

    if ((size_t)outcome >= TKT_ARRAY_LEN(outcomes)) {
        return tkt_err_set(err, TKT_ERR_BUG, "store: unknown outcome %d", (int)outcome);
    }
    int n = tkt_job_load(s->db, job, &j, err);
    if (n <= 0) {
        return n < 0 ? -1 : tkt_err_set(err, TKT_ERR_PERM, "no job %" PRId64, job);
    }
    if (j.state != JOB_CLAIMED || strcmp(j.owner, owner) != 0) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "store: job %" PRId64 " is %s, %.60s does not hold it", job,
                           tkt_job_state_name(j.state), owner);
    }
    struct job_move m = {.to = outcomes[outcome].to,
                         .due_ms = outcome == TKT_JOB_DEFER || outcome == TKT_JOB_RETURN
                                       ? run_after_ms
                                       : j.run_after,
                         .untried = outcome == TKT_JOB_RETURN,
                         .doubt = outcome == TKT_JOB_RETURN ? TKT_DOUBT_KEEP : doubt,
                         .reason = reason};
    if (tkt_job_move(s, &j, &m, now_ms, err) < 0) {
        return -1;
    }
    return outcomes[outcome].event == NULL
               ? 0
               : job_event(s, &j, outcomes[outcome].event, NULL, reason, now_ms, err);
}

int tkt_store_job_finish_in_doubt(struct tkt_store *s, int64_t job, const char *owner,
                                  enum tkt_job_outcome outcome, enum tkt_job_doubt doubt,
                                  int64_t run_after_ms, const char *reason,
                                  int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = finish(s, job, owner, outcome, doubt, run_after_ms, reason, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_job_finish(struct tkt_store *s, int64_t job, const char *owner,
                         enum tkt_job_outcome outcome, int64_t run_after_ms,
                         const char *reason, int64_t now_ms, struct tkt_err *err)
{
    return tkt_store_job_finish_in_doubt(s, job, owner, outcome, TKT_DOUBT_KEEP,
                                         run_after_ms, reason, now_ms, err);
}

int tkt_store_jobs_renew(struct tkt_store *s, const int64_t *jobs, size_t count,
                         const char *owner, int64_t until_ms, struct tkt_err *err)
{
    bool own = false;
    int held = 0;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < count && held >= 0; i++) {
        int n = tkt_db_run(s->db, SQL_JOB_RENEW, err, "iti", jobs[i], owner, until_ms);

        held = n < 0 ? -1 : held + (n > 0);
    }
    return tkt_store_leave(s, own, held, err);
}

static int command(struct tkt_store *s, int64_t job, const char *verb, const char *who,
                   int64_t now_ms, struct tkt_err *err)
{
    static const struct {
        const char *verb;
        enum job_state to;
        const char *event;
        const char *reason;
    } verbs[] = {
        {"retry", JOB_READY, "job.retried", "retried by hand"},
        {"park", JOB_PARKED, "job.parked", "parked by hand"},
        {"drop", JOB_DONE, "job.dropped", "dropped by hand"},
    };
    struct job_row j;
    int n = tkt_job_load(s->db, job, &j, err);

    if (n <= 0) {
        return n < 0 ? -1 : tkt_err_set(err, TKT_ERR_PERM, "no job %" PRId64, job);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(verbs); i++) {
        if (strcmp(verbs[i].verb, verb) != 0) {
            continue;
        }
        struct job_move m = {.to = verbs[i].to,
                             .due_ms = now_ms,
                             .reason = verbs[i].reason,
                             .anew = verbs[i].to == JOB_READY && j.state == JOB_PARKED};
        /* What a worker holds stays with it: it may be half done at the other end. */
        if (j.state == JOB_CLAIMED || !tkt_job_may_move(j.state, m.to)) {
            return tkt_err_set(err, TKT_ERR_PERM, "job %" PRId64 " is %s: cannot %s it",
                               job, tkt_job_state_name(j.state), verb);
        }
        return tkt_job_move(s, &j, &m, now_ms, err) < 0
                   ? -1
                   : job_event(s, &j, verbs[i].event, who, NULL, now_ms, err);
    }
    return tkt_err_set(err, TKT_ERR_PERM, "unknown verb %.40s", verb);
}

int tkt_store_job_command(struct tkt_store *s, int64_t job, const char *verb,
                          const char *who, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = command(s, job, verb, who, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_job_target(struct tkt_store *s, int64_t job,
                         char target[TKT_STORE_TARGET_MAX + 1], struct tkt_err *err)
{
    struct job_row j;
    int n = tkt_job_load(s->db, job, &j, err);

    if (n > 0) {
        memcpy(target, j.target, sizeof(j.target));
    }
    return n;
}

static int edit(struct tkt_store *s, int64_t job, const char *payload, bool force,
                const char *who, int64_t now_ms, struct tkt_err *err)
{
    struct job_row j;
    int64_t doubt = 0;
    int n = tkt_job_load(s->db, job, &j, err);

    if (n <= 0) {
        return n < 0 ? -1 : tkt_err_set(err, TKT_ERR_PERM, "no job %" PRId64, job);
    }
    if (j.state != JOB_PARKED && j.state != JOB_DEFERRED) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "job %" PRId64 " is %s: park it to change it", job,
                           tkt_job_state_name(j.state));
    }
    if (tkt_db_get_int(s->db, SQL_JOB_DOUBT, &doubt, err, "i", job) < 0) {
        return -1;
    }
    if (doubt != 0 && !force) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "job %" PRId64 " may have been carried out as it was: look "
                           "there first, then force it",
                           job);
    }
    return tkt_db_run(s->db, SQL_JOB_PAYLOAD, err, "it", job, payload) < 0
               ? -1
               : job_event(s, &j, "job.edited", who, "payload", now_ms, err);
}

int tkt_store_job_edit(struct tkt_store *s, int64_t job, const char *payload, bool force,
                       const char *who, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = edit(s, job, payload, force, who, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_jobs_next_due(struct tkt_store *s, int64_t *due_ms, struct tkt_err *err)
{
    *due_ms = INT64_MAX;
    if (tkt_store_reconnect(s, err) < 0) {
        return -1;
    }
    return tkt_db_get_int(s->db, SQL_JOBS_NEXT_DUE, due_ms, err, "") < 0 ? -1 : 0;
}
