/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/schedule.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "store/assign.h"
#include "store/follow.h"
#include "store/notice.h"
#include "store/thread.h"
#include "ticketd/core/ticker.h"
#include "ticketd/core/tools.h"
#include "ticketd/core/wallclock.h"
#include "ticketd/intake/missed.h"
#include "ticketd/jobs/dispatch.h"
#include "ticketd/notice/follow_notify.h"
#include "ticketd/notice/reminder.h"
#include "ticketd/sla/follow_sla.h"

#include <string.h>
#include <time.h>

#define TICK_MS 1000
#define MISSED_MS 5000
#define PARSER_MS 5000
#define HOUR_MS (60 * 60 * 1000)
#define CONFIRM_AT_ONCE 256
#define LEARN_MS 15000
#define LEARN_AT_ONCE 256
#define EXPIRE_AT_ONCE 2000
/* Who comes after so long is a new requester to all. */
#define HANDLERS_KEEP_MS (400 * INT64_C(24) * HOUR_MS)
#define RETAIN_AT_ONCE 64
/* Younger blobs may belong to a RESERVE that is under way. */
#define SWEEP_AGE_MS HOUR_MS

struct tkt_schedule {
    struct tkt_daemon *d;
    struct tkt_ticker ticker;
    struct tkt_tools tools;
    int64_t missed_due;
    int64_t parser_due;
    int64_t hourly_due;
    int64_t learn_due;
    struct tkt_wallclock clock;
    bool went_back; /* and what was planned is still to be brought back */
    struct tkt_sla_turn sla;
    /* of the apply functions: */
    int64_t older_than_ms;
    const char *desk;
    const struct tkt_settings *set;
    int64_t count;
};

/* ---- in the commit writer ------------------------------------------------------------- */

static int apply_confirm(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_schedule *s = arg;
    int n = tkt_store_confirm_old(store, s->older_than_ms, tkt_clock_wall_ms(),
                                  CONFIRM_AT_ONCE, err);

    s->count = TKT_MAX(n, 0);
    return n < 0 ? -1 : 0;
}

static int apply_retain(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_schedule *s = arg;
    int64_t now = tkt_clock_wall_ms();

    return tkt_store_retain(store, s->desk, now - s->older_than_ms, RETAIN_AT_ONCE, now,
                            &s->count, err);
}

static int apply_sweep(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_schedule *s = arg;

    return tkt_store_sweep(store, tkt_clock_wall_ms(), SWEEP_AGE_MS, &s->count, err);
}

static int apply_learn(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_schedule *s = arg;

    return tkt_senders_flush(s->d->senders, store, LEARN_AT_ONCE, tkt_clock_wall_ms(),
                             err) < 0
               ? -1
               : 0;
}

static int apply_expire(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_schedule *s = arg;

    if (tkt_store_joins_expire(store, tkt_clock_wall_ms(), EXPIRE_AT_ONCE, err) < 0) {
        return -1;
    }
    return tkt_store_senders_expire(store, tkt_clock_wall_ms() - TKT_SENDERS_KEEP_MS,
                                    TKT_STORE_SENDERS_MAX, EXPIRE_AT_ONCE, &s->count,
                                    err);
}

static int apply_counts(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    (void)arg;
    return tkt_store_notice_expire(store, tkt_clock_wall_ms(), EXPIRE_AT_ONCE, err) < 0
               ? -1
               : 0;
}

static int apply_handlers(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_schedule *s = arg;

    return tkt_store_handlers_expire(store, tkt_clock_wall_ms() - HANDLERS_KEEP_MS,
                                     EXPIRE_AT_ONCE, &s->count, err);
}

static int apply_back(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tkt_schedule *s = arg;

    s->count = tkt_notice_back(store, s->set, tkt_clock_wall_ms(), err);
    return s->count < 0 ? -1 : tkt_sla_back(store, err);
}

static int commit(struct tkt_schedule *s,
                  int (*apply)(struct tkt_store *, void *, struct tkt_err *),
                  const char *what)
{
    struct tkt_err err = TKT_ERR_INIT;

    s->count = 0;
    if (tkt_commit_call(s->d->commit, apply, s, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, what, "error", err.text, NULL);
        return -1;
    }
    return 0;
}

/* ---- by the clock --------------------------------------------------------------------- */

static void confirm_old_holds(struct tkt_schedule *s, const struct tkt_conf *conf)
{
    s->older_than_ms = conf->store.confirm_after_ms;
    if (commit(s, apply_confirm, "hold.confirm") == 0 && s->count > 0) {
        tkt_log(TKT_LOG_INFO, NULL, "hold.confirmed", "count", TKT_NUM(s->count), "by",
                "confirm_after", NULL);
        tkt_dispatch_poke(s->d->dispatch);
    }
}

static void erase_retained(struct tkt_schedule *s, const struct tkt_conf *conf)
{
    for (size_t i = 0; i < conf->desk_count; i++) {
        if (conf->desks[i].retain_ms <= 0) {
            continue;
        }
        s->desk = conf->desks[i].name;
        s->older_than_ms = conf->desks[i].retain_ms;
        do {
            if (commit(s, apply_retain, "retain") < 0) {
                return;
            }
            if (s->count > 0) {
                tkt_log(TKT_LOG_NOTICE, NULL, "retain.erased", "desk", s->desk, "count",
                        TKT_NUM(s->count), NULL);
            }
        } while (s->count >= RETAIN_AT_ONCE);
    }
}

static void sweep_blobs(struct tkt_schedule *s)
{
    if (commit(s, apply_sweep, "blob.sweep") == 0 && s->count > 0) {
        tkt_log(TKT_LOG_NOTICE, NULL, "blob.swept", "count", TKT_NUM(s->count), NULL);
    }
}

/* What was learned since the last time; a part of it at once, mail comes first. */
static void keep_learned(struct tkt_schedule *s)
{
    if (tkt_senders_changed(s->d->senders)) {
        if (commit(s, apply_learn, "senders.keep") ==
            0) { /* else logged; the next time */
            tkt_senders_written(s->d->senders);
        }
    }
}

/* The program was missing or broken at the start: mail came in unanalysed meanwhile. */
static void start_parser(struct tkt_schedule *s, const struct tkt_conf *conf)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_parserpool *pool = tkt_parserpool_start(conf, &err);

    if (pool) {
        s->d->pool = pool;
        tkt_log(TKT_LOG_NOTICE, NULL, "parser.started", NULL);
        tkt_dispatch_poke(s->d->dispatch);
    } else {
        tkt_log(TKT_LOG_ERROR, NULL, "parser.missing", "error", err.text, NULL);
    }
}

/* The latest time of which the log knows; 0 where it cannot be asked. */
static int64_t latest(struct tkt_schedule *s)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *reader = tkt_tools_reader(&s->tools, &err);
    int64_t at_ms = 0;

    if (!reader || tkt_reader_event_latest(reader, &at_ms, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "clock.look", "error", err.text, NULL);
        return 0;
    }
    return at_ms;
}

static void look_at_clock(struct tkt_schedule *s, const struct tkt_settings *set)
{
    int64_t by_ms = 0;
    enum tkt_wallclock_jump jump =
        tkt_wallclock_look(&s->clock, s->clock.wall_ms == 0 ? latest(s) : 0,
                           tkt_clock_wall_ms(), tkt_clock_mono_ms(), &by_ms);

    if (jump != TKT_WALLCLOCK_STEADY) {
        tkt_log(TKT_LOG_WARNING, NULL,
                jump == TKT_WALLCLOCK_BACK ? "clock.back" : "clock.ahead", "ms",
                TKT_NUM(by_ms), NULL);
        s->went_back = s->went_back || jump == TKT_WALLCLOCK_BACK;
    }
    s->set = set;
    if (s->went_back && commit(s, apply_back, "clock.back") == 0) {
        s->went_back = false;
        tkt_log(TKT_LOG_NOTICE, NULL, "clock.back", "notices", TKT_NUM(s->count), NULL);
    }
}

/* true: what is due was not all done. */
static bool tick(struct tkt_schedule *s)
{
    struct tkt_settings *set = tkt_settings_get(s->d);
    int64_t now = tkt_clock_mono_ms();
    bool more = false;

    look_at_clock(s, set);
    confirm_old_holds(s, set->conf);
    if (!tkt_wallclock_in_doubt(&s->clock, now)) {
        more = tkt_sla_tick(s->d, &s->tools, set, &s->sla);
        tkt_notice_tick(s->d, set, &s->tools);
    }
    if (now >= s->missed_due) {
        if (tkt_missed_take(s->d, &s->tools) < TKT_MISSED_AT_ONCE) {
            s->missed_due = now + MISSED_MS;
        }
    }
    if (set->conf->analyse && !s->d->pool && now >= s->parser_due) {
        s->parser_due = now + PARSER_MS;
        start_parser(s, set->conf);
    }
    if (now >= s->hourly_due && !tkt_wallclock_in_doubt(&s->clock, now)) {
        s->hourly_due = now + HOUR_MS;
        erase_retained(s, set->conf);
        sweep_blobs(s);
        (void)commit(s, apply_expire, "senders.expire"); /* logged; the next hour again */
        (void)commit(s, apply_handlers, "handlers.expire"); /* the same */
        (void)commit(s, apply_counts, "notice.expire");     /* the same */
    }
    if (now >= s->learn_due) {
        s->learn_due = now + LEARN_MS;
        keep_learned(s);
    }
    tkt_settings_put(&set);
    return more;
}

static void *schedule_main(void *arg)
{
    struct tkt_schedule *s = arg;

    bool more;

    do {
        more = tick(s);
    } while (tkt_ticker_wait(&s->ticker, more ? 0 : TICK_MS));
    for (int i = 0; i < TKT_SENDERS_CACHED / LEARN_AT_ONCE; i++) {
        keep_learned(s);
    }
    tkt_tools_release(&s->tools);
    return NULL;
}

struct tkt_schedule *tkt_schedule_start(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_schedule *s = calloc(1, sizeof(*s));

    if (!s) {
        tkt_err_set(err, TKT_ERR_TEMP, "schedule: no memory");
        return NULL;
    }
    s->d = d;
    s->tools.store_dir = d->store_dir;
    s->parser_due = tkt_clock_mono_ms() + PARSER_MS;
    s->learn_due = tkt_clock_mono_ms() + LEARN_MS;
    if (tkt_ticker_start(&s->ticker, schedule_main, s, "schedule", err) < 0) {
        free(s);
        return NULL;
    }
    return s;
}

void tkt_schedule_stop(struct tkt_schedule **schedule)
{
    struct tkt_schedule *s = *schedule;

    if (!s) {
        return;
    }
    tkt_ticker_stop(&s->ticker);
    free(s);
    *schedule = NULL;
}
