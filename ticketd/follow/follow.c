/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/follow/follow.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/core/ticker.h"
#include "ticketd/jobs/dispatch.h"

#include <stdlib.h>
#include <string.h>

#define FOLLOWERS_MAX 16
/* After an error that may pass. */
#define PAUSE_MS 5000

struct follower_state {
    const struct tkt_follower *f;
    bool known; /* place is what the store has */
    bool has_place;
    bool one_by_one; /* one of the next events fails */
    int64_t place;
    bool was_unwanted; /* in the last round, */
    int64_t seen;      /* whose newest event was this */
    int64_t pause_until_ms;
};

struct tkt_follow {
    struct tkt_daemon *d;
    struct tkt_ticker ticker;
    struct tkt_tools tools;
    struct tkt_wire_arena arena;   /* of the events of a round */
    uint64_t batches;              /* of the writer, when we looked last */
    struct tkt_settings *settings; /* looked at last: held, or newer ones may lie there */
    struct follower_state states[FOLLOWERS_MAX];
    size_t count;
    struct tkt_store_event events[TKT_FOLLOW_BATCH];
};

/* ---- in the commit writer ------------------------------------------------------------- */

struct step {
    const struct tkt_follower *f;
    void *plan; /* NULL: the place alone */
    int64_t from, to;
    bool drop;
};

static int apply_step(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct step *s = arg;

    if (s->drop) {
        return tkt_store_place_drop(store, s->f->name, err);
    }
    if (tkt_store_place_move(store, s->f->name, s->from, s->to, err) < 0) {
        return -1;
    }
    return s->plan ? s->f->apply(store, s->plan, err) : 0;
}

static int commit(struct tkt_follow *w, struct step *step, struct tkt_err *err)
{
    return tkt_commit_call(w->d->commit, apply_step, step, true, err);
}

/* ---- places --------------------------------------------------------------------------- */

static int learn_place(struct tkt_follow *w, struct follower_state *s,
                       struct tkt_reader *reader, struct tkt_err *err)
{
    int n = tkt_reader_place(reader, s->f->name, &s->place, err);

    (void)w;
    if (n < 0) {
        return -1;
    }
    s->has_place = n == 1;
    s->known = true;
    return 0;
}

/* When the thread sees a reload, mail may have come that the new settings were for: so who is
 * wanted only now begins where the last round was that did not want him. */
static int begin(struct tkt_follow *w, struct follower_state *s, int64_t newest,
                 struct tkt_err *err)
{
    struct step step = {.f = s->f, .from = -1, .to = s->was_unwanted ? s->seen : newest};

    if (commit(w, &step, err) < 0) {
        return -1;
    }
    s->was_unwanted = false;
    s->place = step.to;
    s->has_place = true;
    tkt_log(TKT_LOG_INFO, NULL, "follow.begin", "follower", s->f->name, "event",
            TKT_NUM(step.to), NULL);
    return 0;
}

static int leave(struct tkt_follow *w, struct follower_state *s, int64_t newest,
                 struct tkt_err *err)
{
    struct step step = {.f = s->f, .drop = true};

    s->was_unwanted = true;
    s->seen = newest;
    if (!s->has_place) {
        return 0;
    }
    if (commit(w, &step, err) < 0) {
        return -1;
    }
    s->has_place = false;
    return 0;
}

/* ---- a round -------------------------------------------------------------------------- */

/* Events that fail for good hold up nobody else. */
static void skip(struct tkt_follow *w, struct follower_state *s, struct step *step,
                 const struct tkt_err *why)
{
    struct tkt_err err = TKT_ERR_INIT;

    tkt_log(TKT_LOG_ERROR, NULL, "follow.skipped", "follower", s->f->name, "event",
            TKT_NUM(step->to), "error", why->text, NULL);
    step->plan = NULL;
    if (commit(w, step, &err) == 0) {
        s->place = step->to;
    }
}

static int plan_and_write(struct tkt_follow *w, struct follower_state *s,
                          const struct tkt_follow_round *round, struct step *step,
                          struct tkt_err *err)
{
    if (s->f->plan(round, &step->plan, err) < 0) {
        return -1;
    }
    int rc = commit(w, step, err);

    if (rc == 0 && step->plan) {
        tkt_dispatch_poke(w->d->dispatch);
    }
    return rc;
}

/* How many events were done; -1: later again. */
static int follow_some(struct tkt_follow *w, struct follower_state *s,
                       struct tkt_settings *set, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(&w->tools, err);
    int max = s->one_by_one ? 1 : TKT_FOLLOW_BATCH;

    tkt_wire_arena_release(&w->arena);
    int n =
        reader ? tkt_reader_events_after(reader, s->place, max, &w->arena, w->events, err)
               : -1;
    if (n <= 0) {
        return n;
    }
    struct tkt_follow_round round = {.d = w->d,
                                     .set = set,
                                     .tools = &w->tools,
                                     .events = w->events,
                                     .count = (size_t)n,
                                     .now_ms = tkt_clock_wall_ms()};
    struct step step = {.f = s->f, .from = s->place, .to = w->events[n - 1].id};
    int rc = plan_and_write(w, s, &round, &step, err);

    if (step.plan) {
        s->f->release(step.plan);
    }
    if (rc == 0) {
        s->place = step.to;
        s->one_by_one = false;
        if (s->f->done) {
            s->f->done(&round);
        }
        return n;
    }
    if (err->class == TKT_ERR_TEMP) {
        s->known = false; /* somebody may have moved it */
        return -1;
    }
    if (n > 1) {
        s->one_by_one = true;
        return n;
    }
    skip(w, s, &step, err);
    return n;
}

static int follow(struct tkt_follow *w, struct follower_state *s,
                  struct tkt_settings *set, int64_t newest, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(&w->tools, err);

    if (!reader || (!s->known && learn_place(w, s, reader, err) < 0)) {
        return -1;
    }
    if (!s->f->wanted(set)) {
        return leave(w, s, newest, err);
    }
    if (!s->has_place && begin(w, s, newest, err) < 0) {
        return -1;
    }
    return follow_some(w, s, set, err);
}

static int find_newest(struct tkt_follow *w, int64_t *out, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(&w->tools, err);

    return reader ? tkt_reader_event_newest(reader, out, err) : -1;
}

/* true when there is more at once. */
static bool round_of_all(struct tkt_follow *w)
{
    int64_t now = tkt_clock_mono_ms();
    struct tkt_err failure = TKT_ERR_INIT;
    int64_t newest = 0;
    bool more = false;
    /* Before the settings: else it may be mail that came after newer ones. */
    int found = find_newest(w, &newest, &failure);
    struct tkt_settings *set = tkt_settings_get(w->d);

    for (size_t i = 0; i < w->count; i++) {
        struct follower_state *s = &w->states[i];
        struct tkt_err err = failure;

        if (now < s->pause_until_ms) {
            continue;
        }
        int n = found < 0 ? -1 : follow(w, s, set, newest, &err);
        if (n < 0) {
            s->pause_until_ms = now + PAUSE_MS;
            tkt_log(TKT_LOG_WARNING, NULL, "follow.later", "follower", s->f->name,
                    "error", err.text, NULL);
        } else {
            more = more || n == TKT_FOLLOW_BATCH || s->one_by_one;
        }
    }
    tkt_settings_put(&set);
    return more;
}

/* ---- the thread ----------------------------------------------------------------------- */

/* Whether something was written since the last round, or one is due again. */
static bool is_due(struct tkt_follow *w)
{
    struct tkt_commit_stats stats;
    int64_t now = tkt_clock_mono_ms();
    bool due = false;

    tkt_commit_stats(w->d->commit, &stats);
    due = stats.batches != w->batches;
    w->batches = stats.batches;
    for (size_t i = 0; i < w->count; i++) {
        if (w->states[i].pause_until_ms != 0 && now >= w->states[i].pause_until_ms) {
            w->states[i].pause_until_ms = 0;
            due = true;
        }
    }
    return due;
}

static bool is_reloaded(struct tkt_follow *w)
{
    struct tkt_settings *set = tkt_settings_get(w->d);
    bool reloaded = set != w->settings;

    if (reloaded) {
        struct tkt_settings *old = w->settings;
        w->settings = set;
        set = old;
    }
    tkt_settings_put(&set);
    return reloaded;
}

static void *follow_main(void *arg)
{
    struct tkt_follow *w = arg;

    do {
        bool reloaded = is_reloaded(w);

        if (is_due(w) || reloaded) {
            while (round_of_all(w) && tkt_ticker_goes_on(&w->ticker)) {
            }
        }
    } while (tkt_ticker_wait(&w->ticker, TKT_FOLLOW_MS));
    tkt_tools_release(&w->tools);
    tkt_wire_arena_release(&w->arena);
    return NULL;
}

/* Before the first mail can come: who begins takes his place now, so that it is behind it.
 * What fails here is tried again by the thread. */
static void take_places(struct tkt_follow *w)
{
    struct tkt_settings *set = tkt_settings_get(w->d);
    int64_t newest = 0;

    for (size_t i = 0; i < w->count; i++) {
        struct follower_state *s = &w->states[i];
        struct tkt_err err = TKT_ERR_INIT;
        struct tkt_reader *reader = tkt_tools_reader(&w->tools, &err);

        if (reader && learn_place(w, s, reader, &err) == 0 && !s->has_place &&
            s->f->wanted(set) && tkt_reader_event_newest(reader, &newest, &err) == 0) {
            (void)begin(w, s, newest, &err); /* the thread's first round tells */
        }
    }
    tkt_settings_put(&set);
}

struct tkt_follow *tkt_follow_start(struct tkt_daemon *d,
                                    const struct tkt_follower *const *followers,
                                    struct tkt_err *err)
{
    struct tkt_follow *w = calloc(1, sizeof(*w));

    if (!w) {
        tkt_err_set(err, TKT_ERR_TEMP, "follow: no memory");
        return NULL;
    }
    w->d = d;
    w->tools.store_dir = d->store_dir;
    for (; followers[w->count] && w->count < FOLLOWERS_MAX; w->count++) {
        w->states[w->count].f = followers[w->count];
    }
    take_places(w);
    if (tkt_ticker_start(&w->ticker, follow_main, w, "follow", err) < 0) {
        tkt_tools_release(&w->tools);
        free(w);
        return NULL;
    }
    return w;
}

void tkt_follow_stop(struct tkt_follow **follow)
{
    struct tkt_follow *w = *follow;

    if (!w) {
        return;
    }
    tkt_ticker_stop(&w->ticker);
    tkt_settings_put(&w->settings);
    free(w);
    *follow = NULL;
}
