/* SPDX-License-Identifier: BSD-2-Clause
 * The thread of the way back: asks ITSMs for lists of what changed, and makes jobs of looks
 * that are due.
 *
 * A list begins where the newest change of the last one was, by the ITSM's own clock: ours
 * is asked only before the first one, with an hour to spare. Lists overlap, and what comes
 * twice changes nothing the second time.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/dispatch.h"
#include "ticketd/itsmback.h"
#include "ticketd/itsmjob_private.h"
#include "ticketd/ticker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TICK_MS 1000
#define OVERLAP_MS 60000
#define SKEW_MS (3600 * INT64_C(1000)) /* of clocks, before the first list */
#define PAUSE_MS 60000                 /* after a list that failed, at least */
#define ITSMS_MAX 64
#define HOUR_MS (3600 * INT64_C(1000))
#define DELIVERIES_KEEP_MS (7 * 24 * HOUR_MS)
#define EXPIRE_AT_ONCE 2000

struct told { /* in the last list: it need not be looked at twice */
    uint64_t key;
    int64_t at_ms;
};

struct listed { /* an ITSM that has lists */
    char name[64];
    struct told *last;
    size_t last_count;
    int64_t due_mono_ms;
    bool failing; /* told already */
};

struct tkt_back {
    struct tkt_daemon *d;
    struct tkt_ticker ticker;
    struct tkt_tools tools;
    struct tkt_http *http;
    struct listed lists[ITSMS_MAX];
    size_t list_count;
    int64_t expire_mono_ms;
};

/* ---- in the commit writer ------------------------------------------------------------- */

struct take {
    const char *itsm;
    int made;
};

static int apply_take(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct take *t = arg;

    return tkt_store_back_take(store, t->itsm, tkt_clock_wall_ms(), &t->made, err);
}

struct list_end {
    const char *itsm;
    const struct tkt_itsm_seen *seen;
    int64_t since_ms;
    int known;
};

static int apply_list(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct list_end *e = arg;

    return tkt_store_back_listed(store, e->itsm, (const char *const *)e->seen->keys,
                                 e->seen->key_count, e->since_ms, tkt_clock_wall_ms(),
                                 &e->known, err);
}

static int apply_expire(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    (void)arg;
    return tkt_store_back_expire(store, tkt_clock_wall_ms() - DELIVERIES_KEEP_MS,
                                 EXPIRE_AT_ONCE, err);
}

/* ---- a list --------------------------------------------------------------------------- */

struct ended {
    bool is_done;
    struct tkt_itsm_result result;
};

static void on_done(void *arg, const struct tkt_itsm_result *result)
{
    struct ended *e = arg;

    e->is_done = true;
    e->result = *result;
}

/* 1: there is an end; 0: it is time to stop, and nothing of it is kept. */
static int carry_out(struct tkt_back *b, struct tkt_itsmjob *job, struct ended *e)
{
    *e = (struct ended){.result = {.err = TKT_ERR_INIT}};
    tkt_itsm_run_start(b->http, job->ops, &job->call, on_done, e);
    while (!e->is_done) {
        if (!tkt_ticker_goes_on(&b->ticker)) {
            return 0;
        }
        tkt_http_poll(b->http, 200);
    }
    return 1;
}

static int ask(struct tkt_back *b, struct tkt_itsmjob *job, int64_t since_ms,
               struct tkt_err *err)
{
    static const struct tkt_itsm_ticket nothing = {.id = "",
                                                   .corr = "",
                                                   .url = "",
                                                   .desk = "",
                                                   .subject = "",
                                                   .text = "",
                                                   .requester = "",
                                                   .requester_name = "",
                                                   .language = "",
                                                   .type = "",
                                                   .category = "",
                                                   .subcategory = "",
                                                   .service = "",
                                                   .group = "",
                                                   .assignee = "",
                                                   .state = "",
                                                   .external = "",
                                                   .number = ""};
    struct ended e;

    job->call = (struct tkt_itsm_call){.op = TKT_ITSM_LIST,
                                       .site = &job->site,
                                       .ticket = &nothing,
                                       .since_ms = since_ms};
    for (int tries = 0; tries < 2; tries++) {
        tkt_wire_arena_release(&job->call.arena);
        memset(&job->call.seen, 0, sizeof(job->call.seen));
        if (carry_out(b, job, &e) == 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "ticketd stopped");
        }
        if (e.result.err.class == TKT_ERR_NONE) {
            return 0;
        }
        if (!e.result.unauthorized || job->token.len == 0 || tries > 0) {
            break;
        }
        if (tkt_itsmjob_renew(job) < 0) {
            *err = job->err;
            return -1;
        }
    }
    *err = e.result.err;
    return -1;
}

static int by_key(const void *a, const void *b)
{
    const struct told *x = a;
    const struct told *y = b;

    return x->key < y->key ? -1 : x->key > y->key;
}

static struct told told_of(const struct tkt_itsm_seen *seen, size_t i)
{
    unsigned char hash[TKT_SHA256_LEN];
    struct told t = {.at_ms = seen->key_times[i]};

    tkt_sha256(seen->keys[i], strlen(seen->keys[i]), hash);
    memcpy(&t.key, hash, sizeof(t.key));
    return t;
}

/* Takes out what the last list had, with the same time; remembers this one. */
static void forget_known(struct listed *l, struct tkt_itsm_seen *seen)
{
    struct told *now = calloc(seen->key_count + 1, sizeof(*now));
    size_t kept = 0;

    for (size_t i = 0; i < seen->key_count && now != NULL; i++) {
        now[i] = told_of(seen, i);
        const struct told *was =
            l->last_count == 0
                ? NULL
                : bsearch(&now[i], l->last, l->last_count, sizeof(*now), by_key);
        bool known = was != NULL && was->at_ms == now[i].at_ms && now[i].at_ms >= 0;

        if (!known) {
            seen->keys[kept++] = seen->keys[i];
        }
    }
    if (now == NULL) {
        return; /* all of them once more */
    }
    qsort(now, seen->key_count, sizeof(*now), by_key);
    free(l->last);
    l->last = now;
    l->last_count = seen->key_count;
    seen->key_count = kept;
}

static int list(struct tkt_back *b, struct listed *l, struct tkt_itsmjob *job,
                struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(&b->tools, err);
    struct list_end end = {.itsm = job->conf->name, .seen = &job->call.seen};
    int64_t since = tkt_clock_wall_ms() - SKEW_MS;

    if (reader == NULL ||
        tkt_reader_back_since(reader, job->conf->name, &since, err) < 0) {
        return -1;
    }
    if (tkt_itsmjob_load_site(job) < 0) {
        *err = job->err;
        return -1;
    }
    int64_t overlap = TKT_MAX(job->ops->list_lag_ms, (int64_t)OVERLAP_MS);
    if (ask(b, job, TKT_MAX(since - overlap, INT64_C(0)), err) < 0) {
        return -1;
    }
    /* Nothing changed: what comes later is later than what was asked for. */
    end.since_ms = TKT_MAX(job->call.seen.upto_ms, since);
    /* One ticket with a wrong year must not end all lists. */
    end.since_ms = TKT_MIN(end.since_ms, tkt_clock_wall_ms() + SKEW_MS);
    forget_known(l, &job->call.seen);
    if (tkt_commit_call(b->d->commit, apply_list, &end, true, err) < 0) {
        l->last_count = 0; /* nothing of it is known */
        return -1;
    }
    tkt_log(TKT_LOG_DEBUG, NULL, "itsm.list", "itsm", job->conf->name, "changed",
            TKT_NUM((int64_t)job->call.seen.key_count), "ours", TKT_NUM(end.known), NULL);
    return 0;
}

/* By a job that nobody queued: it reads secrets and tokens as all others do. */
static int list_by_job(struct tkt_back *b, struct listed *l, struct tkt_settings *set,
                       const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    struct tkt_running running = {.d = b->d};
    struct tkt_itsmjob *job = tkt_itsmjob_new(&running, set);

    if (job == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    job->conf = conf;
    job->ops = tkt_itsm_find(conf->type);
    int rc = list(b, l, job, err);

    if (!tkt_ticker_goes_on(&b->ticker)) {
        tkt_http_free(&b->http); /* what is under way points at the job */
    }
    tkt_itsmjob_free(job);
    return rc;
}

static struct listed *listed_of(struct tkt_back *b, const struct tkt_conf_itsm *conf)
{
    for (size_t i = 0; i < b->list_count; i++) {
        if (strcmp(b->lists[i].name, conf->name) == 0) {
            return &b->lists[i];
        }
    }
    if (b->list_count == ITSMS_MAX) {
        return NULL;
    }
    struct listed *l = &b->lists[b->list_count++];
    snprintf(l->name, sizeof(l->name), "%s", conf->name);
    l->due_mono_ms = tkt_clock_mono_ms() + conf->poll_ms;
    return l;
}

static void list_if_due(struct tkt_back *b, struct tkt_settings *set,
                        const struct tkt_conf_itsm *conf)
{
    struct listed *l = listed_of(b, conf);
    struct tkt_err err = TKT_ERR_INIT;
    int64_t now = tkt_clock_mono_ms();

    /* A shorter time of new settings holds at once. */
    if (l == NULL || now < TKT_MIN(l->due_mono_ms, now + conf->poll_ms)) {
        return;
    }
    l->due_mono_ms = now + conf->poll_ms;
    if (list_by_job(b, l, set, conf, &err) == 0) {
        l->failing = false;
    } else if (tkt_ticker_goes_on(&b->ticker)) {
        int64_t pause = TKT_MAX((int64_t)err.retry_after_s * 1000, (int64_t)PAUSE_MS);

        l->due_mono_ms = tkt_clock_mono_ms() + TKT_MAX(conf->poll_ms, pause);
        tkt_log(l->failing ? TKT_LOG_DEBUG : TKT_LOG_WARNING, NULL, "itsm.list_failed",
                "itsm", conf->name, "error", err.text, NULL);
        l->failing = true;
    }
}

/* ---- looks ---------------------------------------------------------------------------- */

static void take_due(struct tkt_back *b, const struct tkt_conf_itsm *conf)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *reader = tkt_tools_reader(&b->tools, &err);
    struct take take = {.itsm = conf->name};
    int n = reader == NULL
                ? -1
                : tkt_reader_back_due(reader, conf->name, tkt_clock_wall_ms(), &err);

    if (n == 1) {
        n = tkt_commit_call(b->d->commit, apply_take, &take, true, &err);
    }
    if (n < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "itsm.look", "itsm", conf->name, "error", err.text,
                NULL);
    } else if (take.made > 0) {
        tkt_dispatch_poke(b->d->dispatch);
    }
}

static bool may_call(const struct tkt_conf *conf, const struct tkt_conf_itsm *itsm)
{
    return itsm->hook_secret[0] != '\0' && conf->webhook.listen[0] != '\0';
}

static void tick(struct tkt_back *b)
{
    struct tkt_settings *set = tkt_settings_get(b->d);

    for (size_t i = 0; i < set->conf->itsm_count && tkt_ticker_goes_on(&b->ticker); i++) {
        const struct tkt_conf_itsm *conf = &set->conf->itsms[i];
        const struct tkt_itsm_ops *ops = tkt_itsm_find(conf->type);

        if (ops == NULL || ops->steps[TKT_ITSM_FETCH] == NULL ||
            (conf->poll_ms == 0 && !may_call(set->conf, conf))) {
            continue;
        }
        if (conf->poll_ms > 0 && ops->steps[TKT_ITSM_LIST] != NULL) {
            list_if_due(b, set, conf);
        }
        take_due(b, conf);
    }
    tkt_settings_put(&set);
    if (tkt_clock_mono_ms() >= b->expire_mono_ms) {
        struct tkt_err err = TKT_ERR_INIT;

        b->expire_mono_ms = tkt_clock_mono_ms() + HOUR_MS;
        (void)tkt_commit_call(b->d->commit, apply_expire, b, true,
                              &err); /* the next hour again */
    }
}

/* ---- the thread ----------------------------------------------------------------------- */

static void *back_main(void *arg)
{
    struct tkt_back *b = arg;

    while (tkt_ticker_wait(&b->ticker, TICK_MS)) {
        tick(b);
    }
    tkt_tools_release(&b->tools);
    return NULL;
}

static void destroy(struct tkt_back *b)
{
    tkt_http_free(&b->http);
    for (size_t i = 0; i < b->list_count; i++) {
        free(b->lists[i].last);
    }
    free(b);
}

struct tkt_back *tkt_back_start(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_back *b = calloc(1, sizeof(*b));

    if (b == NULL || (b->http = tkt_http_new(err)) == NULL) {
        free(b);
        tkt_err_set(err, TKT_ERR_TEMP, "back: no memory");
        return NULL;
    }
    b->d = d;
    b->tools.store_dir = d->store_dir;
    if (tkt_ticker_start(&b->ticker, back_main, b, "back", err) < 0) {
        destroy(b);
        return NULL;
    }
    return b;
}

void tkt_back_stop(struct tkt_back **back)
{
    struct tkt_back *b = *back;

    if (b == NULL) {
        return;
    }
    tkt_ticker_stop(&b->ticker);
    destroy(b);
    *back = NULL;
}
