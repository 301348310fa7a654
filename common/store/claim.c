/* SPDX-License-Identifier: BSD-2-Clause
 * Claiming jobs. Those of one target and kind are a queue in an index by due time, so that
 * a claim is a few steps down that index, whatever waits behind it or in other queues.
 */
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct queue {
    char target[64];
    char kind[24];
    int64_t due_ms; /* of its first job; INT64_MAX: none */
    bool refused;
};

struct queues {
    struct queue *items;
    size_t count, room;
};

static int add_queue(struct queues *all, const struct queue *q, struct tkt_err *err)
{
    if (all->count == all->room) {
        size_t room = all->room == 0 ? 16 : all->room * 2;
        struct queue *items = realloc(all->items, room * sizeof(*items));

        if (items == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
        }
        all->items = items;
        all->room = room;
    }
    all->items[all->count++] = *q;
    return 0;
}

/* The queue behind q: another kind of its target, else the next target's first. Two
 * questions, since one about the pair would look through all that waits in q. */
static int queue_behind(struct tkt_store *s, struct queue *q, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_JOBS_QUEUE_OF, err, "ss", q->target, q->kind);

    if (n == 0) {
        n = tkt_db_query(s->db, &row, SQL_JOBS_QUEUE_BEHIND, err, "s", q->target);
    }
    if (n == 1) {
        snprintf(q->target, sizeof(q->target), "%s", tkt_row_text(&row, 0));
        snprintf(q->kind, sizeof(q->kind), "%s", tkt_row_text(&row, 1));
        q->due_ms = tkt_row_int(&row, 2);
    }
    return n;
}

/* From one queue's first to the next one's: a step down the index each. */
static int list_queues(struct tkt_store *s, struct queues *all, struct tkt_err *err)
{
    struct queue q = {.target = ""};

    while (all->count < TKT_STORE_QUEUES_MAX) {
        int n = queue_behind(s, &q, err);

        if (n <= 0) {
            return n;
        }
        if (add_queue(all, &q, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static struct queue *earliest(struct queues *all)
{
    struct queue *first = NULL;

    for (size_t i = 0; i < all->count; i++) {
        struct queue *q = &all->items[i];

        if (!q->refused && q->due_ms != INT64_MAX &&
            (first == NULL || q->due_ms < first->due_ms)) {
            first = q;
        }
    }
    return first;
}

/* The job of a queue that is due first. 1, 0 none, -1. */
static int next_due(struct tkt_store *s, const struct queue *q, int64_t now_ms,
                    struct tkt_job *out, struct job_row *j, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;
    int n =
        tkt_db_query(s->db, &row, SQL_JOBS_DUE, err, "ssi", q->target, q->kind, now_ms);

    if (n <= 0) {
        return n;
    }
    memset(out, 0, sizeof(*out));
    memset(j, 0, sizeof(*j));
    j->id = out->id = tkt_row_int(&row, 0);
    j->ticket = out->ticket = tkt_row_int(&row, 1);
    out->message = tkt_row_int(&row, 2);
    snprintf(out->kind, sizeof(out->kind), "%s", tkt_row_text(&row, 3));
    snprintf(out->target, sizeof(out->target), "%s", tkt_row_text(&row, 4));
    snprintf(j->target, sizeof(j->target), "%s", out->target);
    out->attempts = (int)tkt_row_int(&row, 5) + 1;
    out->created_ms = tkt_row_int(&row, 6);
    j->state = (enum job_state)tkt_row_int(&row, 7);
    j->run_after = tkt_row_int(&row, 8);
    snprintf(out->ticket_id, sizeof(out->ticket_id), "%.15s-%" PRId64,
             tkt_row_text(&row, 10), tkt_row_int(&row, 11));
    snprintf(out->lane, sizeof(out->lane), "%" PRId64 ":%s", out->ticket, out->target);
    const void *corr = tkt_row_blob(&row, 12, &len);
    if (corr != NULL && len == CORR_LEN) {
        tkt_corr_text(corr, out->corr);
    }
    /* Of a lost lease nobody told how it ended. */
    out->doubt_ms = j->state == JOB_CLAIMED ? now_ms : tkt_row_int(&row, 13);
    if (!tkt_row_null(&row, 9) &&
        (out->payload = strdup(tkt_row_text(&row, 9))) == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
    }
    return 1;
}

/* Also from a worker whose lease ran out. */
static int take(struct tkt_store *s, struct job_row *j, const char *owner,
                int64_t until_ms, int64_t now_ms, struct tkt_err *err)
{
    struct job_move claim = {.to = JOB_CLAIMED, .due_ms = until_ms, .owner = owner};

    if (j->state == JOB_CLAIMED) {
        struct job_move back = {
            .to = JOB_READY,
            .due_ms = j->run_after,
            .doubt = TKT_DOUBT_SET, /* nobody told how its last try ended */
            .reason = "the lease ran out"};
        if (tkt_job_move(s, j, &back, now_ms, err) < 0) {
            return -1;
        }
    }
    return tkt_job_move(s, j, &claim, now_ms, err);
}

static int take_from(struct tkt_store *s, struct queue *q, struct tkt_store_claim *c,
                     struct tkt_err *err)
{
    struct tkt_job *out = &c->out[c->count];
    struct job_row j;
    int n = next_due(s, q, c->now_ms, out, &j, err);

    if (n < 0) {
        return -1;
    }
    if (n == 1) {
        c->count++;
        out->lease_until_ms = c->now_ms + c->lease_ms;
        if (take(s, &j, c->owner, out->lease_until_ms, c->now_ms, err) < 0) {
            return -1;
        }
    }
    q->due_ms = INT64_MAX;
    if (tkt_db_get_int(s->db, SQL_JOBS_QUEUE_DUE, &q->due_ms, err, "ss", q->target,
                       q->kind) < 0) {
        return -1;
    }
    /* A due job whose ticket is not there is not found: nothing behind it is either. */
    q->refused = n == 0;
    return 0;
}

static int claim(struct tkt_store *s, struct tkt_store_claim *c, struct queues *all,
                 struct tkt_err *err)
{
    struct queue *q;

    if (list_queues(s, all, err) < 0) {
        return -1;
    }
    while ((q = earliest(all)) != NULL) {
        /* Asked of what is not due yet too: its time is nobody's who has no room for it. */
        if (c->may != NULL && !c->may(c->arg, q->kind, q->target)) {
            q->refused = true;
        } else if (q->due_ms > c->now_ms || c->count == c->max) {
            c->next_due_ms = q->due_ms;
            return 0;
        } else if (take_from(s, q, c, err) < 0) {
            return -1;
        }
    }
    return 0;
}

int tkt_store_jobs_take(struct tkt_store *s, struct tkt_store_claim *c,
                        struct tkt_err *err)
{
    struct queues all = {NULL, 0, 0};
    bool own = false;

    c->count = 0;
    c->next_due_ms = INT64_MAX;
    if (c->owner == NULL || c->owner[0] == '\0' || strlen(c->owner) > 63 ||
        c->lease_ms <= 0) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "store: a claim needs an owner and a lease");
    }
    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = claim(s, c, &all, err);
    free(all.items);
    rc = tkt_store_leave(s, own, rc, err);
    if (rc < 0) {
        tkt_jobs_release(c->out, c->count);
        c->count = 0;
    }
    return rc;
}

int tkt_store_jobs_claim(struct tkt_store *s, const char *owner, int64_t now_ms,
                         int64_t lease_ms, struct tkt_job *out, int max,
                         struct tkt_err *err)
{
    struct tkt_store_claim c = {
        .owner = owner, .now_ms = now_ms, .lease_ms = lease_ms, .out = out, .max = max};

    return tkt_store_jobs_take(s, &c, err) < 0 ? -1 : c.count;
}

int tkt_store_jobs_orphaned(struct tkt_store *s, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int n = tkt_db_run(s->db, SQL_JOBS_ORPHANED, err, "i", now_ms);
    return tkt_store_leave(s, own, n, err);
}
