/* SPDX-License-Identifier: BSD-2-Clause
 * The thread: claims, starts, waits, records.
 */
#include "ticketd/jobs/dispatch.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/jobs/dispatch_private.h"

#include <stdio.h>
#include <string.h>

/* A poke waits this long for more of its kind: jobs are done in batches, beside mail. */
#define GATHER_MS 50
/* What ended waits this long for more to end, unless half of what is held has: a transaction
 * writes nearly as much for one as for many. */
#define ENDS_MS 5
/* No longer without a look, whatever is due: a person may have said retry. */
#define LOOK_MS 5000
/* The same while one is held: its time may run out. */
#define HELD_LOOK_MS 500

static void notice_reload(struct tkt_dispatch *p)
{
    struct tkt_settings *now = tkt_settings_get(p->d);

    if (now->serial != p->settings_serial) {
        p->settings_serial = now->serial;
        tkt_dispatch_set_groups(p, now->conf);
        tkt_dispatch_set_runs(p, now->conf);
        p->look = true;
    }
    tkt_settings_put(&now);
}

static bool is_stopping(struct tkt_dispatch *p)
{
    return atomic_load(&p->stopping);
}

/* When a group that was refused some will have room for them by itself. */
static int64_t group_wake_ms(const struct tkt_dispatch *p, int64_t now_ms)
{
    int64_t wake = INT64_MAX;

    for (const struct tkt_lane_group *g = p->groups; g; g = g->next) {
        int64_t wait = g->refused ? tkt_group_wait(g, now_ms) : 0;

        if (g->refused && tkt_group_room(g, now_ms) > 0) {
            return now_ms;
        }
        if (wait > 0) {
            wake = TKT_MIN(
                wake, now_ms + TKT_MAX(wait - TKT_GROUP_PATIENCE_MS / 2, INT64_C(10)));
        }
    }
    return wake;
}

static bool ends_are_due(const struct tkt_dispatch *p, int64_t now_ms)
{
    return p->finished && (p->singly > 0 || 2 * p->finished_count >= p->held_count ||
                           now_ms >= p->finished_at_ms + ENDS_MS);
}

static int64_t ends_ms(const struct tkt_dispatch *p, int64_t now_ms)
{
    return ends_are_due(p, now_ms) ? now_ms
           : p->finished           ? p->finished_at_ms + ENDS_MS
                                   : INT64_MAX;
}

/* When to claim. Room that came free is filled along with recording whose it was. */
static int64_t claim_ms(const struct tkt_dispatch *p, int64_t now_ms)
{
    int64_t at = TKT_MIN(p->claim_at_ms, p->look_at_ms);
    int64_t room = group_wake_ms(p, now_ms);

    if (p->held_count >= TKT_DISPATCH_HELD_MAX) {
        return INT64_MAX;
    }
    if (p->next_due_ms != INT64_MAX) {
        at = TKT_MIN(at, now_ms + (p->next_due_ms - tkt_clock_wall_ms()));
    }
    at = TKT_MIN(at, p->finished ? TKT_MAX(room, ends_ms(p, now_ms)) : room);
    return p->look ? now_ms : at;
}

/* It stays poked until the claim: so not every commit of a stream of mail wakes it. */
static bool wants_claim(struct tkt_dispatch *p)
{
    int64_t now = tkt_clock_mono_ms();

    if (p->claim_at_ms == INT64_MAX && atomic_load(&p->poked)) {
        p->claim_at_ms = now + GATHER_MS;
    }
    return claim_ms(p, now) <= now;
}

int64_t tkt_dispatch_wait_ms(struct tkt_dispatch *p)
{
    int64_t now = tkt_clock_mono_ms();
    int64_t until = TKT_MIN(p->turn_at_ms, tkt_dispatch_runs_ms(p));

    if (!p->book.is_out) { /* else its end wakes us */
        until = TKT_MIN(until, claim_ms(p, now));
        until = TKT_MIN(until, ends_ms(p, now));
    }
    if (p->held) {
        until = TKT_MIN(until, now + HELD_LOOK_MS);
    }
    return TKT_MAX(TKT_MIN(until - now, (int64_t)LOOK_MS), INT64_C(0));
}

static void move_on(struct tkt_dispatch *p, int64_t wait)
{
    tkt_http_poll(p->http, wait);
    tkt_dispatch_take_back(p);
    tkt_dispatch_begin_runs(p);
    (void)tkt_dispatch_book_back(p); /* false: it is under way yet */
    tkt_dispatch_start_held(p);
    tkt_dispatch_renew(p);
}

/* What ends in time is recorded; all that was not begun goes back at once. */
static void drain(struct tkt_dispatch *p)
{
    int64_t until = tkt_clock_mono_ms() + TKT_DISPATCH_DRAIN_MS;

    do {
        tkt_dispatch_stop_held(p); /* also what came back from the pool meanwhile */
        tkt_dispatch_book_send(p, false);
        move_on(p, 100);
    } while (p->book.is_out || p->finished || p->in_pool > 0 ||
             tkt_dispatch_runs_are_out(p) || (p->held && tkt_clock_mono_ms() < until));
    while (p->held) {
        tkt_dispatch_drop(p, p->held); /* they come back when their lease ends */
    }
}

static void *dispatch_main(void *arg)
{
    struct tkt_dispatch *p = arg;

    tkt_dispatch_adopt(p);
    while (!is_stopping(p)) {
        notice_reload(p);
        tkt_dispatch_take_dares(p);
        tkt_dispatch_failover(p);
        bool claims = !p->book.is_out && wants_claim(p);

        tkt_dispatch_renew(p);
        if (claims) {
            p->look_at_ms = tkt_clock_mono_ms() + LOOK_MS;
        }
        if (claims || (!p->book.is_out && ends_are_due(p, tkt_clock_mono_ms()))) {
            tkt_dispatch_book_send(p, claims);
        }
        move_on(p, tkt_dispatch_wait_ms(p));
    }
    drain(p);
    return NULL;
}

struct tkt_dispatch *tkt_dispatch_start(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_dispatch *p = calloc(1, sizeof(*p));
    unsigned char random[8];
    char hex[17];

    if (!p || !(p->http = tkt_http_new(err))) {
        free(p);
        tkt_err_set(err, TKT_ERR_TEMP, "dispatch: no memory");
        return NULL;
    }
    p->d = d;
    p->held_end = &p->held;
    p->finished_end = &p->finished;
    p->todo_end = &p->todo;
    p->runs_share = 1;
    p->claim_at_ms = p->turn_at_ms = p->next_due_ms = INT64_MAX;
    tkt_random(random, sizeof(random));
    tkt_hex_encode(random, sizeof(random), hex);
    snprintf(p->owner, sizeof(p->owner), "ticketd:%ld:%s", (long)getpid(), hex);
    pthread_mutex_init(&p->back_lock, NULL);
    int rc = pthread_create(&p->thread, NULL, dispatch_main, p);
    if (rc != 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "dispatch: thread: %s", strerror(rc));
        tkt_http_free(&p->http);
        pthread_mutex_destroy(&p->back_lock);
        free(p);
        return NULL;
    }
    return p;
}

void tkt_dispatch_poke(struct tkt_dispatch *p)
{
    if (p && !atomic_exchange(&p->poked, true)) {
        tkt_http_wake(p->http);
    }
}

void tkt_dispatch_stop(struct tkt_dispatch **dispatch)
{
    struct tkt_dispatch *p = *dispatch;

    if (!p) {
        return;
    }
    atomic_store(&p->stopping, true);
    tkt_http_wake(p->http);
    pthread_join(p->thread, NULL);
    tkt_http_free(&p->http);
    tkt_dispatch_groups_free(p);
    tkt_dispatch_book_free(p);
    pthread_mutex_destroy(&p->back_lock);
    free(p);
    *dispatch = NULL;
}
