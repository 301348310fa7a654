/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticket_config.h"

#include "ticketd/watch/measure.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "base/util.h"
#include "store/gauge.h"
#include "ticketd/core/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Looking takes at most this share of the time. */
#define LOOK_SHARE 100

enum family {
    BUILD_INFO,
    UP_SECONDS,
    REQUESTS,
    REQUEST_SECONDS,
    TICKETS_TOTAL,
    CONFIDENCE,
    JOBS_TOTAL,
    SLA_BREACHES,
    SLA_WARNINGS,
    ESCALATIONS,
    EVENTS_PARKED,
    UNTICKETED,
    TICKETS,
    QUEUE_JOBS,
    QUEUE_OLDEST,
    HOLDS,
    HOLD_OLDEST,
    PARSER_MAILS,
    PARSER_FAULTS,
    COMMIT_BATCHES,
    COMMIT_ITEMS,
    COMMIT_FAILED,
    COMMIT_WAITING,
    WORK_WAITING,
    UNANALYSED,
    NOTICES_HEARD,
    SINK_EVENTS,
    SINK_STOPPED,
    SINK_LAG,
    LOOK_SECONDS,
    FAMILIES
};

static const double seconds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                 0.25,  0.5,    1,     2.5,  5,     8};
static const double tenths[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};

#define P "ticket_milter_"
static const struct tkt_metric table[] =
    {[BUILD_INFO] = {.name = P "build_info",
                     .help = "Which version runs.",
                     .kind = TKT_METRIC_GAUGE,
                     .labels = {"version"}},
     [UP_SECONDS] = {.name = P "uptime_seconds",
                     .help = "Since the start.",
                     .kind = TKT_METRIC_GAUGE},
     [REQUESTS] = {.name = P "requests_total",
                   .help = "Messages that hooks handed over, by how they were answered.",
                   .kind = TKT_METRIC_COUNTER,
                   .labels = {"hook", "status"}},
     [REQUEST_SECONDS] = {.name = P "intake_duration_seconds",
                          .help = "How long a hook waited for the answer.",
                          .kind = TKT_METRIC_HISTOGRAM,
                          .labels = {"hook"},
                          .bounds = seconds,
                          .bound_count = TKT_ARRAY_LEN(seconds)},
     [TICKETS_TOTAL] = {.name = P "messages_total",
                        .help = "Messages at desks, by what became of them.",
                        .kind = TKT_METRIC_COUNTER,
                        .labels = {"desk", "class", "outcome"}},
     [CONFIDENCE] = {.name = P "model_confidence",
                     .help = "How sure the learned model was of a category.",
                     .kind = TKT_METRIC_HISTOGRAM,
                     .bounds = tenths,
                     .bound_count = TKT_ARRAY_LEN(tenths)},
     [JOBS_TOTAL] = {.name = P "jobs_total",
                     .help = "Tries of jobs, by how they ended.",
                     .kind = TKT_METRIC_COUNTER,
                     .labels = {"target", "kind", "outcome"}},
     [SLA_BREACHES] = {.name = P "sla_breaches_total",
                       .help = "Service levels that were not kept.",
                       .kind = TKT_METRIC_COUNTER},
     [SLA_WARNINGS] = {.name = P "sla_warnings_total",
                       .help = "Service levels that were about to be missed.",
                       .kind = TKT_METRIC_COUNTER},
     [ESCALATIONS] = {.name = P "escalations_total",
                      .help = "Steps of escalations.",
                      .kind = TKT_METRIC_COUNTER},
     [EVENTS_PARKED] = {.name = P "jobs_parked_total",
                        .help = "Jobs that were given to a person.",
                        .kind = TKT_METRIC_COUNTER},
     [UNTICKETED] =
         {.name = P "accepted_without_ticket",
          .help =
              "Messages that were answered with 250 and have no ticket yet: must be 0.",
          .kind = TKT_METRIC_GAUGE},
     [TICKETS] = {.name = P "tickets",
                  .help = "Tickets in the store.",
                  .kind = TKT_METRIC_GAUGE,
                  .labels = {"desk", "state"}},
     [QUEUE_JOBS] = {.name = P "queue_jobs",
                     .help = "Jobs that are not done.",
                     .kind = TKT_METRIC_GAUGE,
                     .labels = {"target", "state"}},
     [QUEUE_OLDEST] = {.name = P "queue_oldest_age_seconds",
                       .help = "Age of the oldest of them.",
                       .kind = TKT_METRIC_GAUGE,
                       .labels = {"target", "state"}},
     [HOLDS] = {.name = P "holds",
                .help = "Tickets whose mail was not confirmed yet.",
                .kind = TKT_METRIC_GAUGE},
     [HOLD_OLDEST] = {.name = P "hold_oldest_age_seconds",
                      .help = "Age of the oldest of them.",
                      .kind = TKT_METRIC_GAUGE},
     [PARSER_MAILS] = {.name = P "parser_messages_total",
                       .help = "Messages that were understood.",
                       .kind = TKT_METRIC_COUNTER},
     [PARSER_FAULTS] = {.name = P "parser_faults_total",
                        .help = "Children of the parser that were lost.",
                        .kind = TKT_METRIC_COUNTER,
                        .labels = {"fault"}},
     [COMMIT_BATCHES] = {.name = P "commit_batches_total",
                         .help = "Transactions of the store.",
                         .kind = TKT_METRIC_COUNTER},
     [COMMIT_ITEMS] = {.name = P "commit_items_total",
                       .help = "What stood in them.",
                       .kind = TKT_METRIC_COUNTER},
     [COMMIT_FAILED] = {.name = P "commit_failed_total",
                        .help = "What could not be written.",
                        .kind = TKT_METRIC_COUNTER},
     [COMMIT_WAITING] = {.name = P "commit_waiting",
                         .help = "What waits to be written.",
                         .kind = TKT_METRIC_GAUGE},
     [WORK_WAITING] = {.name = P "work_waiting",
                       .help = "Requests that wait for a thread.",
                       .kind = TKT_METRIC_GAUGE},
     [UNANALYSED] = {.name = P "unanalysed_total",
                     .help = "Messages that were taken in without being read.",
                     .kind = TKT_METRIC_COUNTER},
     [NOTICES_HEARD] = {.name = P "notices_heard_total",
                        .help = "What services of channels told of notices.",
                        .kind = TKT_METRIC_COUNTER,
                        .labels = {"channel", "outcome"}},
     [SINK_EVENTS] = {.name = P "sink_events_total",
                      .help = "Events for sinks of the log, by what became of them.",
                      .kind = TKT_METRIC_COUNTER,
                      .labels = {"sink", "outcome"}},
     [SINK_STOPPED] = {.name = P "sink_stopped_total",
                       .help = "How often a sink refused us until a person acts.",
                       .kind = TKT_METRIC_COUNTER,
                       .labels = {"sink"}},
     [SINK_LAG] = {.name = P "sink_lag_seconds",
                   .help = "Age of the oldest event that a sink does not have.",
                   .kind = TKT_METRIC_GAUGE,
                   .labels = {"sink"}},
     [LOOK_SECONDS] = {.name = P "watch_duration_seconds",
                       .help = "How long the last look at the store took.",
                       .kind = TKT_METRIC_GAUGE}};
#undef P
_Static_assert(TKT_ARRAY_LEN(table) == FAMILIES, "a row each");

struct tkt_measure {
    struct tkt_metrics *numbers;
    pthread_mutex_t look_lock; /* one looks, the others wait for what it finds */
    int64_t fresh_until_ms;
};

struct tkt_measure *tkt_measure_new(struct tkt_err *err)
{
    struct tkt_measure *m = calloc(1, sizeof(*m));

    if (m == NULL || (m->numbers = tkt_metrics_new(table, FAMILIES)) == NULL) {
        free(m);
        tkt_err_set(err, TKT_ERR_TEMP, "no memory");
        return NULL;
    }
    pthread_mutex_init(&m->look_lock, NULL);
    /* What must be 0 is seen to be 0. */
    tkt_metrics_set(m->numbers, SLA_BREACHES, NULL, 0);
    tkt_metrics_set(m->numbers, EVENTS_PARKED, NULL, 0);
    tkt_metrics_set(m->numbers, SLA_WARNINGS, NULL, 0);
    tkt_metrics_set(m->numbers, ESCALATIONS, NULL, 0);
    return m;
}

void tkt_measure_free(struct tkt_measure **measure)
{
    struct tkt_measure *m = *measure;

    if (m != NULL) {
        tkt_metrics_free(&m->numbers);
        pthread_mutex_destroy(&m->look_lock);
        free(m);
        *measure = NULL;
    }
}

/* ---- counting ------------------------------------------------------------------------- */

void tkt_measure_request(struct tkt_measure *m, const char *hook, const char *status,
                         int64_t took_us)
{
    if (m != NULL) {
        tkt_metrics_add(m->numbers, REQUESTS, (const char *const[]){hook, status}, 1);
        tkt_metrics_add(m->numbers, REQUEST_SECONDS, (const char *const[]){hook},
                        (double)took_us / 1e6);
    }
}

void tkt_measure_ticket(struct tkt_measure *m, const char *desk, const char *class_name,
                        const char *status)
{
    if (m != NULL) {
        tkt_metrics_add(m->numbers, TICKETS_TOTAL,
                        (const char *const[]){desk, class_name, status}, 1);
    }
}

void tkt_measure_confidence(struct tkt_measure *m, double confidence)
{
    if (m != NULL) {
        tkt_metrics_add(m->numbers, CONFIDENCE, NULL, confidence);
    }
}

void tkt_measure_job(struct tkt_measure *m, const char *target, const char *kind,
                     const char *outcome)
{
    if (m != NULL) {
        tkt_metrics_add(m->numbers, JOBS_TOTAL,
                        (const char *const[]){target, kind, outcome}, 1);
        if (strcmp(outcome, "parked") == 0) {
            tkt_metrics_add(m->numbers, EVENTS_PARKED, NULL, 1);
        }
    }
}

void tkt_measure_event(struct tkt_measure *m, const char *kind)
{
    static const struct {
        const char *kind;
        enum family family;
    } rows[] = {{"sla.breached", SLA_BREACHES},
                {"sla.warning", SLA_WARNINGS},
                {"escalation.step", ESCALATIONS}};

    for (size_t i = 0; m != NULL && i < TKT_ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].kind, kind) == 0) {
            tkt_metrics_add(m->numbers, rows[i].family, NULL, 1);
        }
    }
}

void tkt_measure_notice(struct tkt_measure *m, const char *channel, const char *outcome)
{
    if (m != NULL) {
        tkt_metrics_add(m->numbers, NOTICES_HEARD,
                        (const char *const[]){channel, outcome}, 1);
    }
}

void tkt_measure_sink(struct tkt_measure *m, const char *sink, const char *outcome,
                      int64_t count)
{
    if (m != NULL) {
        tkt_metrics_add(m->numbers, SINK_EVENTS, (const char *const[]){sink, outcome},
                        (double)count);
    }
}

void tkt_measure_sink_lag(struct tkt_measure *m, const char *sink, int64_t lag_ms)
{
    if (m != NULL) {
        tkt_metrics_set(m->numbers, SINK_LAG, (const char *const[]){sink},
                        (double)lag_ms / 1000);
    }
}

void tkt_measure_sink_begin(struct tkt_measure *m, const char *sink)
{
    if (m != NULL) {
        tkt_metrics_add(m->numbers, SINK_STOPPED, (const char *const[]){sink}, 0);
        tkt_metrics_add(m->numbers, SINK_EVENTS, (const char *const[]){sink, "aside"}, 0);
    }
}

void tkt_measure_sink_alarm(struct tkt_measure *m, const char *sink)
{
    if (m != NULL) {
        tkt_metrics_add(m->numbers, SINK_STOPPED, (const char *const[]){sink}, 1);
    }
}

void tkt_measure_sink_clear(struct tkt_measure *m)
{
    if (m != NULL) {
        tkt_metrics_clear(m->numbers, SINK_LAG);
    }
}

/* ---- looking -------------------------------------------------------------------------- */

static double age(int64_t at_ms)
{
    int64_t now = tkt_clock_wall_ms();

    return at_ms > 0 && at_ms < now ? (double)(now - at_ms) / 1000 : 0;
}

static void take_tickets(void *arg, const char *desk, const char *state, int64_t count)
{
    tkt_metrics_set(arg, TICKETS, (const char *const[]){desk, state}, (double)count);
}

static void take_jobs(void *arg, const char *target, const char *state, int64_t count,
                      int64_t oldest_ms)
{
    tkt_metrics_set(arg, QUEUE_JOBS, (const char *const[]){target, state}, (double)count);
    tkt_metrics_set(arg, QUEUE_OLDEST, (const char *const[]){target, state},
                    age(oldest_ms));
}

static void take_holds(void *arg, int64_t open, int64_t oldest_ms)
{
    tkt_metrics_set(arg, HOLDS, NULL, (double)open);
    tkt_metrics_set(arg, HOLD_OLDEST, NULL, age(oldest_ms));
}

/* Entries in missed/, those set aside too. -1: nobody can say. */
static long count_missed(const struct tkt_daemon *d)
{
    struct tkt_settings *set = tkt_settings_get((struct tkt_daemon *)(uintptr_t)d);
    char path[4200];
    long count = 0;

    snprintf(path, sizeof(path), "%s/missed", set->conf->milter.state_dir);
    tkt_settings_put(&set);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : -1;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        const char *dot = strrchr(e->d_name, '.');

        count += dot != NULL && (strcmp(dot, ".env") == 0 || strcmp(dot, ".bad") == 0);
    }
    closedir(dir);
    return count;
}

static void take_daemon(struct tkt_daemon *d, struct tkt_metrics *m)
{
    struct tkt_commit_stats commit;

    tkt_commit_stats(d->commit, &commit);
    tkt_metrics_set(m, BUILD_INFO, (const char *const[]){PACKAGE_VERSION}, 1);
    tkt_metrics_set(m, UP_SECONDS, NULL,
                    (double)(tkt_clock_mono_ms() - d->started_ms) / 1000);
    tkt_metrics_set(m, COMMIT_BATCHES, NULL, (double)commit.batches);
    tkt_metrics_set(m, COMMIT_ITEMS, NULL, (double)commit.items);
    tkt_metrics_set(m, COMMIT_FAILED, NULL, (double)commit.failed);
    tkt_metrics_set(m, COMMIT_WAITING, NULL, (double)commit.waiting);
    tkt_metrics_set(m, WORK_WAITING, NULL, (double)tkt_work_waiting(d->work));
    tkt_metrics_set(m, UNANALYSED, NULL, (double)atomic_load(&d->stats.unanalysed));
    if (d->pool) {
        struct tkt_parserpool_stats p;

        tkt_parserpool_stats(d->pool, &p);
        tkt_metrics_set(m, PARSER_MAILS, NULL, (double)p.parsed);
        tkt_metrics_set(m, PARSER_FAULTS, (const char *const[]){"killed"},
                        (double)p.killed);
        tkt_metrics_set(m, PARSER_FAULTS, (const char *const[]){"died"}, (double)p.died);
        tkt_metrics_set(m, PARSER_FAULTS, (const char *const[]){"waited_out"},
                        (double)p.waited_out);
    }
}

static int look(struct tkt_measure *m, struct tkt_reader *reader, struct tkt_err *err)
{
    const struct tkt_store_gauges g = {.arg = m->numbers,
                                       .tickets = take_tickets,
                                       .jobs = take_jobs,
                                       .holds = take_holds};
    int64_t began = tkt_clock_mono_ms();

    tkt_metrics_clear(m->numbers, TICKETS);
    tkt_metrics_clear(m->numbers, QUEUE_JOBS);
    tkt_metrics_clear(m->numbers, QUEUE_OLDEST);
    if (tkt_reader_gauges(reader, &g, err) < 0) {
        return -1;
    }
    int64_t took = tkt_clock_mono_ms() - began;
    tkt_metrics_set(m->numbers, LOOK_SECONDS, NULL, (double)took / 1000);
    m->fresh_until_ms =
        tkt_clock_mono_ms() + TKT_MAX((int64_t)TKT_MEASURE_FRESH_MS, LOOK_SHARE * took);
    return 0;
}

int tkt_measure_write(struct tkt_daemon *d, struct tkt_reader *reader, bool openmetrics,
                      struct tkt_buf *out, struct tkt_err *err)
{
    struct tkt_measure *m = d->measure;
    long missed = count_missed(d);
    int rc = 0;

    pthread_mutex_lock(&m->look_lock);
    if (tkt_clock_mono_ms() >= m->fresh_until_ms) {
        rc = look(m, reader, err);
    }
    take_daemon(d, m->numbers);
    tkt_metrics_clear(m->numbers, UNTICKETED);
    if (missed >= 0) {
        tkt_metrics_set(m->numbers, UNTICKETED, NULL, (double)missed);
    }
    if (rc == 0 && tkt_metrics_write(m->numbers, openmetrics, out) < 0) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "more numbers than %zu bytes", out->max);
    }
    pthread_mutex_unlock(&m->look_lock);
    return rc;
}

/* A write that says nothing: the store takes one now, or it does not. */
static int apply_nothing(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    (void)store;
    (void)arg;
    (void)err;
    return 0;
}

int tkt_measure_health(struct tkt_daemon *d, struct tkt_err *err)
{
    long missed = count_missed(d);

    if (tkt_commit_call(d->commit, apply_nothing, NULL, true, err) < 0) {
        return tkt_err_prefix(err, "the store takes no changes");
    }
    if (missed != 0) {
        return missed < 0
                   ? tkt_err_set(err, TKT_ERR_TEMP,
                                 "the folder of accepted messages cannot be read")
                   : tkt_err_set(err, TKT_ERR_TEMP,
                                 "%ld accepted messages have no ticket yet", missed);
    }
    return 0;
}
