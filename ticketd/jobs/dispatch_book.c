/* SPDX-License-Identifier: BSD-2-Clause
 * What dispatch writes down: how jobs ended, and which it takes next, together.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/jobs/dispatch_private.h"

#include <stdlib.h>
#include <string.h>

#define END_BYTES 1024
/* After a renewal that could not be written: a lease has forty seconds left then. */
#define RENEW_AGAIN_MIN_MS INT64_C(1000)
#define RENEW_AGAIN_MAX_MS INT64_C(5000)

/* ---- in the commit writer ------------------------------------------------------------- */

static bool may_claim(void *arg, const char *kind, const char *target)
{
    struct tkt_dispatch_book *b = arg;
    const char *name = tkt_dispatch_group_of(kind, target);

    for (size_t i = 0; i < b->room_count; i++) {
        struct tkt_dispatch_room *room = &b->rooms[i];

        if (strcmp(room->name, name) == 0) {
            room->refused = room->refused || room->left == 0;
            return room->left > 0 && room->left-- > 0;
        }
    }
    return true; /* of a target nobody has seen yet: it gets a group when it is held */
}

static int claim(struct tkt_store *store, struct tkt_dispatch_book *b,
                 struct tkt_err *err)
{
    struct tkt_store_claim c = {.owner = b->dispatch->owner,
                                .now_ms = b->now_ms,
                                .lease_ms = TKT_DISPATCH_LEASE_MS,
                                .may = may_claim,
                                .arg = b,
                                .out = b->claimed,
                                .max = b->claim_most};

    for (size_t i = 0; i < b->room_count; i++) {
        b->rooms[i].left = b->rooms[i].room;
        b->rooms[i].refused = false;
    }
    int rc = tkt_store_jobs_take(store, &c, err);

    b->claimed_count = rc < 0 ? 0 : c.count;
    b->next_due_ms = c.next_due_ms;
    return rc;
}

static int record(struct tkt_store *store, struct tkt_running *r, struct tkt_err *err)
{
    struct tkt_err one = TKT_ERR_INIT;
    int rc = r->record ? r->record(store, r, &one)
                       : tkt_store_job_finish_in_doubt(store, r->job.id, r->owner,
                                                       r->verdict.outcome, r->doubt,
                                                       r->verdict.run_after_ms, r->reason,
                                                       tkt_clock_wall_ms(), &one);

    /* PERM: the lease ran out, it is another's now. */
    return rc >= 0 || one.class == TKT_ERR_PERM ? 0 : (*err = one, -1);
}

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_dispatch_book *b = arg;

    tkt_jobs_release(b->claimed, b->claimed_count); /* of a first try that was undone */
    b->claimed_count = 0;
    for (struct tkt_running *r = b->ends; r; r = r->book_next) {
        if (record(store, r, err) < 0) {
            return -1;
        }
    }
    return b->claims ? claim(store, b, err) : 0;
}

static void deliver(struct tkt_commit_sink *sink, struct tkt_commit_item *list)
{
    struct tkt_dispatch_book *b = (struct tkt_dispatch_book *)(void *)sink;
    struct tkt_dispatch *p = b->dispatch;

    (void)list; /* one item, known to dispatch */
    pthread_mutex_lock(&p->back_lock);
    atomic_store(&b->is_done, true);
    /* Under the lock: behind it dispatch may be gone. */
    tkt_http_wake(p->http);
    pthread_mutex_unlock(&p->back_lock);
}

/* ---- in dispatch's thread --------------------------------------------------------------- */

/* A failure of memory leaves the rooms of before: some too small, some too large by what
 * was claimed meanwhile. */
static void fill_rooms(struct tkt_dispatch *p)
{
    struct tkt_dispatch_book *b = &p->book;
    int64_t now = tkt_clock_mono_ms();
    size_t count = 0;

    for (const struct tkt_lane_group *g = p->groups; g; g = g->next) {
        count++;
    }
    struct tkt_dispatch_room *rooms = calloc(count + 1, sizeof(*rooms));
    if (!rooms) {
        return;
    }
    free(b->rooms);
    b->rooms = rooms;
    b->room_count = 0;
    for (struct tkt_lane_group *g = p->groups; g; g = g->next) {
        struct tkt_dispatch_room *room = &rooms[b->room_count++];

        room->group = g;
        memcpy(room->name, g->name, sizeof(room->name));
        room->room = tkt_group_room(g, now);
    }
}

/* Without those that have recorded themselves. */
static void take_ends(struct tkt_dispatch *p)
{
    struct tkt_running **end = &p->book.ends;
    struct tkt_running *r = p->finished;

    for (; r && (p->singly == 0 || end == &p->book.ends); r = p->finished) {
        p->finished = r->book_next;
        p->finished_count--;
        r->book_next = NULL;
        if (r->is_recorded) {
            tkt_dispatch_drop(p, r);
            p->look = true;
        } else {
            *end = r;
            end = &r->book_next;
            p->book.item.bytes += END_BYTES;
        }
    }
    if (!p->finished) {
        p->finished_end = &p->finished;
    }
    p->singly -= p->singly > 0;
}

void tkt_dispatch_book_send(struct tkt_dispatch *p, bool claims)
{
    struct tkt_dispatch_book *b = &p->book;

    if (b->is_out) {
        return;
    }
    b->item = (struct tkt_commit_item){.apply = apply,
                                       .arg = b,
                                       .bytes = END_BYTES,
                                       .background = true,
                                       .sink = &b->sink};
    b->sink = (struct tkt_commit_sink){.deliver = deliver};
    b->dispatch = p;
    b->ends = NULL;
    b->claim_most = (int)TKT_MIN((size_t)TKT_DISPATCH_CLAIM_MAX,
                                 TKT_DISPATCH_HELD_MAX - p->held_count);
    take_ends(p);
    b->claims = claims && p->singly == 0 && b->claim_most > 0;
    if (!b->ends && !b->claims) {
        return;
    }
    if (b->claims) {
        fill_rooms(p);
        p->look = false;
        p->claim_at_ms = INT64_MAX;
        atomic_store(&p->poked, false); /* what comes from here on may miss this claim */
        /* The clock may be set between the last renewal and the claim: no lease that it
         * made is over by then. */
        b->now_ms =
            TKT_MIN(tkt_clock_wall_ms(), p->renew_by_ms + TKT_DISPATCH_LEASE_MS / 3);
    }
    atomic_store(&b->is_done, false);
    b->is_out = true;
    tkt_commit_push(p->d->commit, &b->item);
}

/* One by one, so that one that cannot be written down does not hinder the others. */
static void put_back(struct tkt_dispatch *p, struct tkt_running *list)
{
    struct tkt_running *last = list;
    int count = 1;

    for (; last->book_next; last = last->book_next) {
        count++;
    }
    last->book_next = p->finished;
    if (!p->finished) {
        p->finished_end = &last->book_next;
    }
    p->finished = list;
    p->finished_count += (size_t)count;
    p->singly = count;
}

static void settle(struct tkt_dispatch *p, struct tkt_running *r,
                   const struct tkt_err *err)
{
    void (*recorded)(struct tkt_running *, const struct tkt_err *) = r->recorded;

    r->record = NULL;
    r->recorded = NULL;
    if (recorded) {
        recorded(r, err);
    }
    if (!recorded || err->class == TKT_ERR_NONE) {
        /* An unrecorded one comes back when its lease ends. */
        tkt_dispatch_drop(p, r);
        /* What waited in its lane may be due; a claim behind the ends has seen it. */
        p->look = p->look || !p->book.claims || err->class != TKT_ERR_NONE;
    }
}

static void take_claimed(struct tkt_dispatch *p)
{
    struct tkt_dispatch_book *b = &p->book;
    int count = b->claimed_count;

    for (size_t i = 0; i < b->room_count; i++) {
        b->rooms[i].group->refused = b->rooms[i].refused;
    }
    p->next_due_ms = b->next_due_ms;
    p->look = p->look || count == b->claim_most;
    b->claimed_count = 0;
    for (int i = 0; i < count; i++) {
        tkt_dispatch_hold(p, &b->claimed[i]);
    }
}

bool tkt_dispatch_book_back(struct tkt_dispatch *p)
{
    struct tkt_dispatch_book *b = &p->book;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_running *list = b->ends;

    if (!b->is_out || !atomic_load(&b->is_done)) {
        return false;
    }
    /* Behind its lock: the writer is through with it. */
    pthread_mutex_lock(&p->back_lock);
    pthread_mutex_unlock(&p->back_lock);
    b->is_out = false;
    b->ends = NULL;
    if (b->item.result < 0) {
        err = b->item.err;
        tkt_log(TKT_LOG_ERROR, NULL, list ? "job.unrecorded" : "job.claim", "error",
                err.text, NULL);
        p->next_due_ms = INT64_MAX; /* not at once: with the next look */
        tkt_jobs_release(b->claimed, b->claimed_count);
        b->claimed_count = 0;
    }
    if (err.class != TKT_ERR_NONE && list && list->book_next) {
        put_back(p, list);
        list = NULL;
    }
    while (list) {
        struct tkt_running *next = list->book_next;

        list->book_next = NULL;
        settle(p, list, &err);
        list = next;
    }
    if (b->claims && b->item.result >= 0) {
        take_claimed(p);
    }
    return true;
}

void tkt_dispatch_book_free(struct tkt_dispatch *p)
{
    free(p->book.rooms);
    p->book.rooms = NULL;
}

/* ---- what another one left -------------------------------------------------------------- */

static int apply_orphaned(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    (void)arg;
    int n = tkt_store_jobs_orphaned(store, tkt_clock_wall_ms(), err);

    if (n > 0) {
        tkt_log(TKT_LOG_INFO, NULL, "job.orphaned", "jobs", TKT_NUM(n), NULL);
    }
    return n < 0 ? -1 : 0;
}

void tkt_dispatch_adopt(struct tkt_dispatch *p)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_commit_call(p->d->commit, apply_orphaned, NULL, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "job.orphaned", "error", err.text, NULL);
    }
}

/* ---- leases ------------------------------------------------------------------------------ */

static int apply_renew(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_dispatch *p = arg;
    int64_t ids[TKT_DISPATCH_HELD_MAX];
    size_t count = 0;

    for (const struct tkt_running *r = p->held; r && count < TKT_ARRAY_LEN(ids);
         r = r->next) {
        ids[count++] = r->job.id;
    }
    return tkt_store_jobs_renew(store, ids, count, p->owner,
                                tkt_clock_wall_ms() + TKT_DISPATCH_LEASE_MS, err);
}

/* A clock that was put forward, or a machine that slept, ends all leases at once: a claim
 * would take what is under way here for another's that is gone, and send it twice. */
void tkt_dispatch_renew(struct tkt_dispatch *p)
{
    struct tkt_err err = TKT_ERR_INIT;
    int64_t now = tkt_clock_mono_ms();
    int64_t wall = tkt_clock_wall_ms();
    bool is_due = now >= p->renew_at_ms || wall >= p->renew_by_ms;

    if (p->held && (!is_due || now < p->renew_again_ms)) {
        return;
    }
    if (p->held && tkt_commit_call(p->d->commit, apply_renew, p, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "job.renew", "error", err.text, NULL);
        /* renew_by_ms stays: a claim goes by the time until which leases were made. */
        p->renew_pause_ms = TKT_MIN(TKT_MAX(2 * p->renew_pause_ms, RENEW_AGAIN_MIN_MS),
                                    RENEW_AGAIN_MAX_MS);
        p->renew_again_ms = now + p->renew_pause_ms;
        return;
    }
    p->renew_pause_ms = 0;
    p->renew_again_ms = now;
    p->renew_at_ms = now + TKT_DISPATCH_LEASE_MS / 3;
    p->renew_by_ms = wall + TKT_DISPATCH_LEASE_MS / 3;
}
