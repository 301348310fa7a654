/* SPDX-License-Identifier: BSD-2-Clause
 * The states of a job, its lane, and the one function that moves it.
 *
 * A lane is (ticket, target). Only its oldest unfinished job, its head, has a time in
 * `due`: when it may be claimed, or, once claimed, when its lease ends and another worker
 * may take it over. A parked head has none, so its lane stands still.
 */
#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define BIT(state) (1u << JOB_##state)

static const struct {
    const char *name;
    unsigned next;
} table[JOB_STATES] = {
    [JOB_READY] = {"ready", BIT(CLAIMED) | BIT(PARKED) | BIT(DONE)},
    [JOB_CLAIMED] = {"claimed", BIT(READY) | BIT(DONE) | BIT(DEFERRED) | BIT(PARKED)},
    [JOB_DONE] = {"done", 0},
    [JOB_DEFERRED] = {"deferred", BIT(READY) | BIT(CLAIMED) | BIT(PARKED) | BIT(DONE)},
    [JOB_PARKED] = {"parked", BIT(READY) | BIT(DONE)},
};

const char *tkt_job_state_name(enum job_state state)
{
    return (size_t)state < JOB_STATES ? table[state].name : "unknown";
}

int tkt_job_state_parse(const char *name)
{
    for (size_t i = 0; i < JOB_STATES; i++) {
        if (tkt_ascii_ieq(table[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

bool tkt_job_may_move(enum job_state from, enum job_state to)
{
    return (size_t)from < JOB_STATES && (table[from].next & (1u << to)) != 0;
}

int tkt_job_load(struct tkt_db *db, int64_t id, struct job_row *j, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(db, &row, SQL_JOB_LOAD, err, "i", id);

    if (n <= 0) {
        return n;
    }
    j->id = tkt_row_int(&row, 0);
    j->ticket = tkt_row_int(&row, 1);
    snprintf(j->target, sizeof(j->target), "%s", tkt_row_text(&row, 2));
    j->state = (enum job_state)tkt_row_int(&row, 3);
    j->run_after = tkt_row_int(&row, 4);
    j->due = tkt_row_int(&row, 5);
    snprintf(j->owner, sizeof(j->owner), "%s", tkt_row_text(&row, 6));
    snprintf(j->kind, sizeof(j->kind), "%s", tkt_row_text(&row, 7));
    j->attempts = (int)tkt_row_int(&row, 8);
    j->message = tkt_row_int(&row, 9);
    return 1;
}

/* Gives the oldest unfinished job of a lane its time, unless it is parked or claimed. */
static int wake_lane(struct tkt_store *s, int64_t ticket, const char *target,
                     struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_JOB_LANE_HEAD, err, "is", ticket, target);

    if (n <= 0) {
        return n;
    }
    int64_t id = tkt_row_int(&row, 0);
    int64_t state = tkt_row_int(&row, 1);
    int64_t due = TKT_MAX(tkt_row_int(&row, 2), INT64_C(1)); /* 0 would read as NULL */
    tkt_row_end(&row);
    if (state == JOB_PARKED || state == JOB_CLAIMED) {
        return 0;
    }
    return tkt_db_run(s->db, SQL_JOB_DUE_SET, err, "ii", id, due) < 0 ? -1 : 0;
}

int tkt_job_move(struct tkt_store *s, struct job_row *j, const struct job_move *m,
                 int64_t now_ms, struct tkt_err *err)
{
    bool runs = m->to == JOB_CLAIMED;
    int64_t run_after = runs ? j->run_after : m->due_ms;

    if (!tkt_job_may_move(j->state, m->to)) {
        return tkt_err_set(err, TKT_ERR_BUG,
                           "store: job %" PRId64 ": illegal move from %s to %s", j->id,
                           tkt_job_state_name(j->state), tkt_job_state_name(m->to));
    }
    if (tkt_db_run(s->db, SQL_JOB_MOVE, err, "idiittdii", j->id, (int)m->to,
                   runs ? m->due_ms : INT64_C(0), run_after, m->owner, m->reason,
                   runs         ? 1
                   : m->anew    ? -2
                   : m->untried ? -1
                                : 0,
                   now_ms,
                   m->doubt == TKT_DOUBT_SET     ? now_ms
                   : m->doubt == TKT_DOUBT_CLEAR ? INT64_C(0)
                   : m->doubt == TKT_DOUBT_ASKED ? TKT_DOUBT_ASKED_MS
                                                 : INT64_C(-1)) < 0) {
        return -1;
    }
    j->state = m->to;
    return runs ? 0 : wake_lane(s, j->ticket, j->target, err);
}

int tkt_job_lane_move(struct tkt_store *s, int64_t ticket, const char *from,
                      const char *to, const char *why, int64_t now_ms,
                      struct tkt_err *err)
{
    return tkt_db_run(s->db, SQL_JOB_LANE_MOVE, err, "issit", ticket, from, to, now_ms,
                      why) < 0
               ? -1
               : wake_lane(s, ticket, to, err);
}

int tkt_job_insert(struct tkt_store *s, int64_t ticket, int64_t message, const char *kind,
                   const char *target, const char *payload, bool fresh,
                   int64_t run_after_ms, int64_t now_ms, struct tkt_err *err)
{
    int64_t waits = 0;
    int64_t id = 0;

    if (strlen(kind) >= sizeof(((struct tkt_job *)0)->kind) ||
        strlen(target) >= sizeof(((struct tkt_job *)0)->target)) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: job kind or target too long: %.80s",
                           kind);
    }
    if (!fresh &&
        tkt_db_get_int(s->db, SQL_JOB_LANE_HEAD, &waits, err, "is", ticket, target) < 0) {
        return -1;
    }
    int64_t due = waits != 0 ? 0 : TKT_MAX(run_after_ms, INT64_C(1));
    return tkt_db_insert(s->db, SQL_JOB_ADD, &id, err, "iissiiiis", ticket, message, kind,
                         target, due, run_after_ms, now_ms, now_ms, payload);
}

int tkt_copy_insert(struct tkt_store *s, const struct ticket_row *t, int64_t message,
                    const char *kind, const char *payload, int64_t run_after_ms,
                    int64_t now_ms, struct tkt_err *err)
{
    if (t->copy[0] == '\0' || strcmp(t->copy, t->itsm) == 0 || (t->flags & T_SHADOW)) {
        return 0;
    }
    return tkt_job_insert(s, t->id, message, kind, t->copy, payload, false, run_after_ms,
                          now_ms, err);
}
