/* SPDX-License-Identifier: BSD-2-Clause
 * A list begins where the newest change of the last one was, by the ITSM's own clock: ours
 * is asked only before the first one, with an hour to spare. Lists overlap, and what comes
 * twice changes nothing the second time.
 *
 * A list has an end, and there may be more: behind it where lists go from the oldest change
 * on; then the next one begins there, without what it would bring twice. Else, and when all
 * of a list is of one second, nobody knows what was left out, and each open ticket is looked
 * at.
 */
#include "ticketd/itsm/itsmlist.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/core/tools.h"
#include "ticketd/itsm/itsmjob_private.h"
#include "ticketd/itsm/itsmorigin.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define OVERLAP_MS 60000
#define CUT_OVERLAP_MS 1000
#define SWEEP_EVERY_MS (3600 * INT64_C(1000))
#define SKEW_MS (3600 * INT64_C(1000)) /* of clocks */
#define PAUSE_MS 60000                 /* after a list that failed, at least */
#define YOUNG_MS 60000                 /* by our clock: theirs may differ by that */
#define AGAIN_MS 3000
#define TURN_MS 200

struct told { /* in the last list: it need not be looked at twice */
    uint64_t key;
    int64_t at_ms;
    /* ... but once more from then on: within its second it may have changed again. 0: no */
    int64_t again_ms;
};

struct tkt_itsmlist {
    struct tkt_daemon *d;
    char name[64];
    int64_t began_mono_ms;
    int64_t not_before_mono_ms;
    bool failing;    /* told already */
    uint64_t serial; /* of the settings of the last one */
    bool runs;
    pthread_t thread;
    atomic_bool stopping;
    atomic_bool ended;
    /* the thread's own while it runs: */
    struct tkt_settings *set;
    const struct tkt_conf_itsm *conf;
    struct tkt_http *http; /* kept: so are its connections */
    struct tkt_tools tools;
    struct told *last;
    size_t last_count;
    bool goes_on; /* the last list was cut, and its rest is behind its end */
    bool swept;   /* all were to be looked at ... */
    int64_t swept_mono_ms;
    struct tkt_err err;
};

/* ---- in the commit writer ------------------------------------------------------------- */

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

struct sweep {
    const char *itsm;
    int64_t after;
    int64_t next; /* out */
    int hinted;
    bool ended;
};

static int apply_sweep(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct sweep *s = arg;

    s->next = s->after;
    int rc = tkt_store_back_all(store, s->itsm, &s->next, tkt_clock_wall_ms(), &s->hinted,
                                err);
    s->ended = rc == 0;
    return rc < 0 ? -1 : 0;
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
static int carry_out(struct tkt_itsmlist *l, struct tkt_itsmjob *job, struct ended *e)
{
    *e = (struct ended){.result = {.err = TKT_ERR_INIT}};
    struct tkt_itsm_run *run =
        tkt_itsm_run_start(l->http, job->ops, &job->call, on_done, e);
    while (!e->is_done) {
        if (atomic_load(&l->stopping)) {
            tkt_http_free(&l->http); /* what is under way points at it and at the job */
            tkt_itsm_run_drop(&run);
            return 0;
        }
        tkt_http_poll(l->http, TURN_MS);
    }
    return 1;
}

static int ask(struct tkt_itsmlist *l, struct tkt_itsmjob *job, int64_t since_ms,
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
                                       .since_ms = since_ms,
                                       .until_ms = tkt_clock_wall_ms() + SKEW_MS};
    for (int tries = 0; tries < 2; tries++) {
        tkt_wire_arena_release(&job->call.arena);
        memset(&job->call.seen, 0, sizeof(job->call.seen));
        if (carry_out(l, job, &e) == 0) {
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

static struct told told_of(const struct tkt_itsm_seen *seen, size_t i, int64_t asked_ms)
{
    unsigned char hash[TKT_SHA256_LEN];
    struct told t = {.at_ms = seen->key_times[i]};

    tkt_sha256(seen->keys[i], strlen(seen->keys[i]), hash);
    memcpy(&t.key, hash, sizeof(t.key));
    if (t.at_ms % 1000 == 0 && t.at_ms > asked_ms - YOUNG_MS) {
        t.again_ms = asked_ms + AGAIN_MS;
    }
    return t;
}

/* The last list had it, with the same time. */
static bool is_known(const struct tkt_itsmlist *l, struct told *t, int64_t asked_ms)
{
    const struct told *was = l->last_count == 0
                                 ? NULL
                                 : bsearch(t, l->last, l->last_count, sizeof(*t), by_key);

    if (was == NULL || was->at_ms != t->at_ms || t->at_ms < 0) {
        return false;
    }
    bool again = was->again_ms != 0 && asked_ms >= was->again_ms;
    t->again_ms = again ? 0 : was->again_ms;
    return !again;
}

/* Takes out what is known; remembers this list. */
static void forget_known(struct tkt_itsmlist *l, struct tkt_itsm_seen *seen,
                         int64_t asked_ms)
{
    struct told *now = calloc(seen->key_count + 1, sizeof(*now));
    size_t kept = 0;

    for (size_t i = 0; i < seen->key_count && now != NULL; i++) {
        now[i] = told_of(seen, i, asked_ms);
        if (!is_known(l, &now[i], asked_ms)) {
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

/* How far the list went. One ticket with a wrong year must not end all lists: it does not
 * count, and the next one begins an hour before this one at the earliest, by our clock. */
static int64_t upto(const struct tkt_itsm_seen *seen, int64_t since_ms, int64_t asked_ms)
{
    bool odd = seen->has_odd_time || since_ms > asked_ms + SKEW_MS;
    int64_t before = since_ms > asked_ms + SKEW_MS ? 0 : since_ms;

    return TKT_MAX(TKT_MAX(before, seen->upto_ms), odd ? asked_ms - SKEW_MS : 0);
}

/* Each open ticket, in a few transactions. Killed between them it begins anew: the place of
 * the list has not moved. */
static int sweep(struct tkt_itsmlist *l, struct tkt_err *err)
{
    struct sweep s = {.itsm = l->name};
    int64_t count = 0;

    while (!s.ended) {
        if (atomic_load(&l->stopping)) {
            return tkt_err_set(err, TKT_ERR_TEMP, "ticketd stopped");
        }
        if (tkt_commit_call(l->d->commit, apply_sweep, &s, true, err) < 0) {
            return -1;
        }
        s.after = s.next;
        count += s.hinted;
    }
    l->swept = true;
    l->swept_mono_ms = tkt_clock_mono_ms();
    tkt_log(TKT_LOG_WARNING, NULL, "itsm.list_cut", "itsm", l->name, "looks",
            TKT_NUM(count), NULL);
    return 0;
}

/* More changed there than a list has room for. Where nobody knows what was left out, the
 * place stays until all were to be looked at, and that is once in an hour. */
static int take_cut(struct tkt_itsmlist *l, const struct tkt_itsm_ops *ops, bool went_on,
                    int64_t since_ms, int64_t *place_ms, struct tkt_err *err)
{
    bool moved = *place_ms > since_ms;

    l->goes_on = ops->list_ascends;
    if (ops->list_ascends && (moved || !went_on)) {
        return 0;
    }
    if (l->swept && tkt_clock_mono_ms() < l->swept_mono_ms + SWEEP_EVERY_MS) {
        *place_ms = since_ms;
        return 0;
    }
    *place_ms = moved ? *place_ms : since_ms + 2 * CUT_OVERLAP_MS; /* past that second */
    return sweep(l, err);
}

static int list(struct tkt_itsmlist *l, struct tkt_itsmjob *job, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(&l->tools, err);
    struct list_end end = {.itsm = job->conf->name, .seen = &job->call.seen};
    int64_t asked = tkt_clock_wall_ms();
    int64_t since = asked - SKEW_MS;

    if (reader == NULL || tkt_itsmorigin_check(job->conf, reader, err) < 0 ||
        tkt_reader_back_since(reader, job->conf->name, &since, err) < 0) {
        return -1;
    }
    if (tkt_itsmjob_load_site(job) < 0) {
        *err = job->err;
        return -1;
    }
    bool went_on = l->goes_on;
    int64_t overlap =
        went_on ? CUT_OVERLAP_MS : TKT_MAX(job->ops->list_lag_ms, (int64_t)OVERLAP_MS);
    if (ask(l, job, TKT_MAX(since - overlap, INT64_C(0)), err) < 0) {
        return -1;
    }
    end.since_ms = upto(&job->call.seen, since, asked);
    l->goes_on = false;
    if (job->call.seen.is_cut &&
        take_cut(l, job->ops, went_on, since, &end.since_ms, err) < 0) {
        return -1;
    }
    forget_known(l, &job->call.seen, asked);
    if (tkt_commit_call(l->d->commit, apply_list, &end, true, err) < 0) {
        l->last_count = 0; /* nothing of it is known */
        l->goes_on = false;
        return -1;
    }
    tkt_log(TKT_LOG_DEBUG, NULL, "itsm.list", "itsm", job->conf->name, "changed",
            TKT_NUM((int64_t)job->call.seen.key_count), "ours", TKT_NUM(end.known), NULL);
    return 0;
}

/* By a job that nobody queued: it reads secrets and tokens as all others do. */
static int list_by_job(struct tkt_itsmlist *l, struct tkt_err *err)
{
    struct tkt_running running = {.d = l->d};
    struct tkt_itsmjob *job = tkt_itsmjob_new(&running, l->set);

    if (job == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    job->conf = l->conf;
    job->ops = tkt_itsm_find(l->conf->type);
    int rc = list(l, job, err);

    tkt_itsmjob_free(job);
    return rc;
}

/* ---- its thread ----------------------------------------------------------------------- */

static void *list_main(void *arg)
{
    struct tkt_itsmlist *l = arg;

    l->err = (struct tkt_err)TKT_ERR_INIT;
    if (l->http == NULL) {
        l->http = tkt_http_new(&l->err);
    }
    if (l->http != NULL) {
        (void)list_by_job(l, &l->err); /* err tells */
    }
    tkt_tools_release(&l->tools); /* a reader is cheap, one for each ITSM is not */
    atomic_store(&l->ended, true);
    return NULL;
}

static void ended(struct tkt_itsmlist *l, int64_t now_ms)
{
    if (l->err.class == TKT_ERR_NONE) {
        l->failing = false;
    } else if (!atomic_load(&l->stopping)) {
        int64_t pause = TKT_MAX((int64_t)l->err.retry_after_s * 1000, (int64_t)PAUSE_MS);

        l->not_before_mono_ms = now_ms + pause;
        tkt_log(l->failing ? TKT_LOG_DEBUG : TKT_LOG_WARNING, NULL, "itsm.list_failed",
                "itsm", l->name, "error", l->err.text, NULL);
        l->failing = true;
    }
}

static void join(struct tkt_itsmlist *l)
{
    if (l->runs) {
        pthread_join(l->thread, NULL);
        tkt_settings_put(&l->set);
        l->conf = NULL;
        l->runs = false;
        ended(l, tkt_clock_mono_ms());
    }
}

static void begin(struct tkt_itsmlist *l, struct tkt_settings *set,
                  const struct tkt_conf_itsm *conf)
{
    atomic_fetch_add(&set->refs, 1);
    l->set = set;
    l->serial = set->serial;
    l->conf = conf;
    atomic_store(&l->ended, false);
    int rc = pthread_create(&l->thread, NULL, list_main, l);
    l->runs = rc == 0;
    if (rc != 0) {
        tkt_settings_put(&l->set);
        tkt_err_set(&l->err, TKT_ERR_TEMP, "thread: %s", strerror(rc));
        ended(l, tkt_clock_mono_ms());
    }
}

/* ---- for its maker -------------------------------------------------------------------- */

struct tkt_itsmlist *tkt_itsmlist_new(struct tkt_daemon *d, const char *itsm)
{
    struct tkt_itsmlist *l = calloc(1, sizeof(*l));

    if (l != NULL) {
        l->d = d;
        (void)snprintf(l->name, sizeof(l->name), "%s", itsm); /* names are shorter */
        l->tools.store_dir = d->store_dir;
        l->began_mono_ms = tkt_clock_mono_ms();
    }
    return l;
}

void tkt_itsmlist_tend(struct tkt_itsmlist *l, struct tkt_settings *set,
                       const struct tkt_conf_itsm *conf)
{
    int64_t now = tkt_clock_mono_ms();

    if (l->runs && l->set != set) {
        atomic_store(&l->stopping, true); /* by the new ones, at once */
    }
    if (l->runs && atomic_load(&l->ended)) {
        join(l);
        if (atomic_exchange(&l->stopping, false) && conf != NULL) {
            l->began_mono_ms = now - conf->poll_ms;
        }
    }
    if (conf != NULL && !l->runs && l->failing && l->serial != set->serial) {
        /* What it failed for may be mended, and be it by a new secret in the same file. */
        l->failing = false;
        l->not_before_mono_ms = now;
        l->began_mono_ms = now - conf->poll_ms;
    }
    /* A shorter time of new settings holds at once. */
    if (conf != NULL && !l->runs && now >= l->began_mono_ms + conf->poll_ms &&
        now >= l->not_before_mono_ms) {
        l->began_mono_ms = now;
        begin(l, set, conf);
    }
}

const char *tkt_itsmlist_name(const struct tkt_itsmlist *l)
{
    return l->name;
}

bool tkt_itsmlist_runs(const struct tkt_itsmlist *l)
{
    return l->runs;
}

void tkt_itsmlist_stop(struct tkt_itsmlist *l)
{
    atomic_store(&l->stopping, true);
}

void tkt_itsmlist_free(struct tkt_itsmlist **list)
{
    struct tkt_itsmlist *l = *list;

    if (l != NULL) {
        tkt_itsmlist_stop(l);
        join(l);
        tkt_http_free(&l->http);
        free(l->last);
        free(l);
        *list = NULL;
    }
}
