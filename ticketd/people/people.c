/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/people/people.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "store/people.h"
#include "ticketd/core/tools.h"
#include "ticketd/jobs/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS 1024 /* a power of two */
#define AT_ONCE 16   /* answers in one transaction */
#define WAIT_MS 1000
#define TIDY_MS 30000
#define REFRESH_AT_ONCE 256
#define TRIM_AT_ONCE 2000
#define MISSED_REFRESH_MS                                                                \
    (10 * 60 * 1000) /* answers that ended longer ago wait for use */

/* ---- sets of addresses -------------------------------------------------------------- */

struct name {
    struct name *next; /* in the order of coming */
    struct name *peer; /* in the bucket */
    bool used;         /* a message asks, not the clock */
    char address[];
};

struct names {
    struct name *buckets[BUCKETS];
    struct name *head;
    struct name **tail;
    size_t count;
};

static struct name **bucket_of(struct names *set, const char *address)
{
    uint32_t h = 2166136261u;

    for (const char *p = address; *p != '\0'; p++) {
        h = (h ^ (unsigned char)*p) * 16777619u;
    }
    return &set->buckets[h & (BUCKETS - 1)];
}

/* false: there is no room. */
static bool names_add(struct names *set, const char *address, bool used)
{
    struct name **bucket = bucket_of(set, address);
    size_t n = strlen(address) + 1;

    for (struct name *p = *bucket; p; p = p->peer) {
        if (strcmp(p->address, address) == 0) {
            p->used |= used;
            return true;
        }
    }
    struct name *fresh =
        set->count < TKT_PEOPLE_WANTED_MAX ? malloc(sizeof(*fresh) + n) : NULL;
    if (!fresh) {
        return false;
    }
    memcpy(fresh->address, address, n);
    fresh->used = used;
    fresh->peer = *bucket;
    fresh->next = NULL;
    *bucket = fresh;
    *(set->head ? set->tail : &set->head) = fresh;
    set->tail = &fresh->next;
    set->count++;
    return true;
}

/* The first that came; the caller's (free). */
static struct name *names_take(struct names *set)
{
    struct name *first = set->head;

    if (first) {
        struct name **at = bucket_of(set, first->address);
        while (*at != first) {
            at = &(*at)->peer;
        }
        *at = first->peer;
        set->head = first->next;
        set->count--;
    }
    return first;
}

static void names_release(struct names *set)
{
    for (struct name *n; (n = names_take(set)) != NULL;) {
        free(n);
    }
}

/* ---- the struct --------------------------------------------------------------------- */

struct tkt_people {
    struct tkt_daemon *d;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_running; /* the owner's */
    bool stopping;
    struct names wanted;                    /* under lock */
    struct names used;                      /* under lock: since the last tidying */
    uint64_t hits, stale, missing, dropped; /* under lock */
    /* the thread's own; asker is changed under lock, for the status */
    struct tkt_asker *asker;
    struct tkt_tools tools;
    int64_t tidy_due_ms;
    int64_t budget_us; /* of questions, in microseconds of a second */
    int64_t budget_at_us;
};

/* ---- for mail ------------------------------------------------------------------------ */

static bool is_asked_for(const struct tkt_conf_people *p, const char *address)
{
    const char *at = strrchr(address, '@');

    if (p->domains.count == 0) {
        return true;
    }
    for (size_t i = 0; at && i < p->domains.count; i++) {
        if (tkt_ascii_ieq(at + 1, p->domains.items[i])) {
            return true;
        }
    }
    return false;
}

bool tkt_people_covers(const struct tkt_conf *conf, const char *address)
{
    bool any = false;

    for (size_t i = 0; i < conf->directory_count; i++) {
        any = any || conf->directories[i].type != TKT_DIRECTORY_OFF;
    }
    return any && tkt_directory_address_ok(address) &&
           is_asked_for(&conf->people, address);
}

bool tkt_people_want(struct tkt_people *people, const char *address)
{
    pthread_mutex_lock(&people->lock);
    bool taken = names_add(&people->wanted, address, true);
    people->dropped += !taken;
    pthread_cond_signal(&people->wake);
    pthread_mutex_unlock(&people->lock);
    return taken;
}

static bool is_due(const struct tkt_conf_people *p, const struct tkt_store_person *row,
                   int64_t now_ms)
{
    int64_t ttl = row->is_known ? p->ttl_ms : p->negative_ttl_ms;

    return row->expires_ms - now_ms < ttl / 10;
}

static void note(struct tkt_people *people, const struct tkt_conf_people *p,
                 const struct tkt_store_person *row, const char *address, int64_t now_ms)
{
    bool due = is_due(p, row, now_ms);

    pthread_mutex_lock(&people->lock);
    people->hits++;
    people->stale += row->expires_ms < now_ms;
    (void)names_add(&people->used, address, true); /* full: others are enough */
    if (due) {
        people->dropped += !names_add(&people->wanted, address, true);
        pthread_cond_signal(&people->wake);
    }
    pthread_mutex_unlock(&people->lock);
}

static bool is_vip(const struct tkt_conf *conf, const char *address)
{
    for (size_t i = 0; i < conf->people.vips.count; i++) {
        if (tkt_ascii_ieq(conf->people.vips.items[i], address)) {
            return true;
        }
    }
    return false;
}

static void fill_nothing(struct tkt_person *p)
{
    static char nothing[1];

    *p = (struct tkt_person){.name = nothing,
                             .department = nothing,
                             .company = nothing,
                             .title = nothing,
                             .location = nothing,
                             .manager = nothing,
                             .language = nothing};
}

static int missing(struct tkt_people *people, const char *address)
{
    if (!people) {
        return TKT_PEOPLE_MISSING;
    }
    pthread_mutex_lock(&people->lock);
    people->missing++;
    pthread_mutex_unlock(&people->lock);
    /* What cannot be asked for now is not waited for either. */
    return tkt_people_want(people, address) ? TKT_PEOPLE_MISSING : TKT_PEOPLE_NOT_ASKED;
}

int tkt_people_fill(struct tkt_people *people, const struct tkt_conf *conf,
                    struct tkt_reader *reader, const char *address, int64_t now_ms,
                    struct tkt_wire_arena *arena, struct tkt_person *out,
                    struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_PERSON_MAX);
    struct tkt_store_person row;
    int result = TKT_PEOPLE_NOT_ASKED;

    fill_nothing(out);
    if (tkt_people_covers(conf, address)) {
        int n = tkt_reader_person(reader, address, &row, &data, err);
        if (n < 0) {
            return -1;
        }
        /* Too old to be believed, or written by another version: as if it were not there. */
        if (n == 0 || row.expires_ms + conf->people.stale_ms < now_ms ||
            (row.is_known &&
             tkt_person_decode(data.data, data.len, arena, out, NULL) < 0)) {
            result = missing(people, address);
        } else {
            result = row.is_known ? TKT_PEOPLE_KNOWN : TKT_PEOPLE_UNKNOWN;
            if (people) {
                note(people, &conf->people, &row, address, now_ms);
            }
        }
    }
    out->is_vip = out->is_vip || (*address != '\0' && is_vip(conf, address));
    return result;
}

int tkt_people_of(struct tkt_people *people, const struct tkt_conf *conf,
                  struct tkt_tools *tools, const char *address, int64_t now_s,
                  struct tkt_person *out, struct tkt_err *err)
{
    struct tkt_tools_person *last = &tools->person;

    if (!tkt_people_covers(conf, address)) {
        fill_nothing(out);
        out->is_vip = *address != '\0' && is_vip(conf, address);
        return TKT_PEOPLE_NOT_ASKED;
    }
    if (last->at_s != now_s || strcmp(last->address, address) != 0) {
        tkt_tools_forget_person(tools);
        last->result = tkt_people_fill(people, conf, tools->reader, address, now_s * 1000,
                                       &last->arena, &last->person, err);
        if (last->result < 0) {
            return -1;
        }
        last->at_s = now_s;
        snprintf(last->address, sizeof(last->address), "%s", address);
    }
    *out = last->person;
    return last->result;
}

/* ---- in the commit writer ------------------------------------------------------------- */

struct batch {
    const struct tkt_conf *conf;
    struct name *names[AT_ONCE];
    struct tkt_asker_result results[AT_ONCE];
    size_t count;
};

static int apply_batch(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct batch *b = arg;

    for (size_t i = 0; i < b->count; i++) {
        if (tkt_people_keep(store, b->conf, b->names[i]->address, &b->results[i],
                            b->names[i]->used, tkt_clock_wall_ms(), err) < 0) {
            return -1;
        }
    }
    return 0;
}

struct tidying {
    struct name *used; /* linked by next */
    const struct tkt_conf *conf;
    int64_t removed;
};

static int apply_tidy(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct tidying *t = arg;
    int64_t now = tkt_clock_wall_ms();

    for (const struct name *n = t->used; n; n = n->next) {
        if (tkt_store_person_used(store, n->address, now, err) < 0) {
            return -1;
        }
    }
    return tkt_store_people_trim(store, now - t->conf->people.stale_ms,
                                 t->conf->people.cache_max, TRIM_AT_ONCE, &t->removed,
                                 err);
}

/* ---- the thread ------------------------------------------------------------------------- */

static bool has_directory(const struct tkt_conf *conf)
{
    for (size_t i = 0; i < conf->directory_count; i++) {
        if (conf->directories[i].type != TKT_DIRECTORY_OFF) {
            return true;
        }
    }
    return false;
}

/* Connections are those of the settings of the moment. */
static void renew_asker(struct tkt_people *p)
{
    struct tkt_settings *set = tkt_settings_get(p->d);
    struct tkt_asker *old = p->asker;

    if (!old || tkt_asker_settings(old) != set) {
        struct tkt_asker *fresh = has_directory(set->conf) ? tkt_asker_new(set) : NULL;
        pthread_mutex_lock(&p->lock);
        p->asker = fresh;
        pthread_mutex_unlock(&p->lock);
        tkt_asker_free(&old);
    }
    tkt_settings_put(&set);
}

/* Another mail of his may have brought the answer meanwhile. */
static bool is_answered(struct tkt_people *p, const struct tkt_conf *conf,
                        const struct name *name)
{
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_PERSON_MAX);
    struct tkt_err ignored = TKT_ERR_INIT; /* then it is asked for */
    struct tkt_reader *reader = tkt_tools_reader(&p->tools, &ignored);
    struct tkt_store_person row;

    return reader &&
           tkt_reader_person(reader, name->address, &row, &data, &ignored) == 1 &&
           !is_due(&conf->people, &row, tkt_clock_wall_ms());
}

/* false: no more questions in this moment. */
static bool may_ask(struct tkt_people *p, const struct tkt_conf *conf)
{
    int64_t now = tkt_clock_mono_us();

    p->budget_us = TKT_MIN(p->budget_us + now - p->budget_at_us, (int64_t)1000000);
    p->budget_at_us = now;
    int64_t cost = 1000000 / conf->people.lookups_max;
    if (p->budget_us < cost) {
        return false;
    }
    p->budget_us -= cost;
    return true;
}

static struct name *next_wanted(struct tkt_people *p)
{
    pthread_mutex_lock(&p->lock);
    struct name *n = p->stopping ? NULL : names_take(&p->wanted);
    pthread_mutex_unlock(&p->lock);
    return n;
}

static void fill_batch(struct tkt_people *p, const struct tkt_conf *conf, struct batch *b)
{
    while (b->count < AT_ONCE && may_ask(p, conf)) {
        struct name *n = next_wanted(p);
        if (!n) {
            break;
        }
        if (is_answered(p, conf, n)) {
            free(n);
            continue;
        }
        tkt_asker_ask(p->asker, n->address, &b->results[b->count]);
        b->names[b->count++] = n;
    }
}

/* true: there was something to do. */
static bool ask_some(struct tkt_people *p)
{
    struct batch b = {.count = 0};
    struct tkt_err err = TKT_ERR_INIT;

    if (!p->asker) {
        pthread_mutex_lock(&p->lock);
        names_release(&p->wanted);
        pthread_mutex_unlock(&p->lock);
        return false;
    }
    b.conf = tkt_asker_settings(p->asker)->conf;
    fill_batch(p, b.conf, &b);
    if (b.count > 0 && tkt_commit_call(p->d->commit, apply_batch, &b, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "people.keep", "error", err.text, NULL);
    }
    for (size_t i = 0; i < b.count; i++) {
        if (b.results[i].found == 1) {
            tkt_directory_answer_release(&b.results[i].answer);
        }
        free(b.names[i]);
    }
    if (b.count > 0) {
        tkt_dispatch_poke(p->d->dispatch);
    }
    return b.count > 0;
}

static void want_due(struct tkt_people *p, const struct tkt_conf *conf)
{
    TKT_AUTO_BUF struct tkt_buf due = TKT_BUF_INIT(REFRESH_AT_ONCE * 300);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *reader = tkt_tools_reader(&p->tools, &err);
    int64_t now = tkt_clock_wall_ms();
    int64_t shorter = TKT_MIN(conf->people.ttl_ms, conf->people.negative_ttl_ms);
    int n = reader
                ? tkt_reader_people_due(reader, now - MISSED_REFRESH_MS,
                                        now + shorter / 10, REFRESH_AT_ONCE, &due, &err)
                : -1;

    if (n < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "people.refresh", "error", err.text, NULL);
        return;
    }
    const char *address = tkt_buf_str(&due);
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < n; i++, address += strlen(address) + 1) {
        (void)names_add(&p->wanted, address, false); /* full: at the next tidying */
    }
    pthread_mutex_unlock(&p->lock);
}

static void tidy(struct tkt_people *p)
{
    struct tidying t = {.conf = tkt_asker_settings(p->asker)->conf};
    struct tkt_err err = TKT_ERR_INIT;
    struct name **tail = &t.used;

    pthread_mutex_lock(&p->lock);
    for (struct name *n; (n = names_take(&p->used)) != NULL; tail = &n->next) {
        n->next = NULL;
        *tail = n;
    }
    pthread_mutex_unlock(&p->lock);
    if (tkt_commit_call(p->d->commit, apply_tidy, &t, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "people.tidy", "error", err.text, NULL);
    }
    while (t.used) {
        struct name *n = t.used;
        t.used = n->next;
        free(n);
    }
    want_due(p, t.conf);
}

/* false: it is time to stop. */
static bool wait_for_more(struct tkt_people *p)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&p->lock);
    if (!p->stopping && !p->wanted.head) {
        (void)pthread_cond_timedwait(&p->wake, &p->lock, &until); /* late or woken */
    } else if (!p->stopping) { /* no more may be asked in this moment */
        until.tv_sec -= WAIT_MS / 1000;
        until.tv_nsec += 20000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        while (!p->stopping && pthread_cond_timedwait(&p->wake, &p->lock, &until) == 0) {
        }
    }
    bool go_on = !p->stopping;
    pthread_mutex_unlock(&p->lock);
    return go_on;
}

static void *people_main(void *arg)
{
    struct tkt_people *p = arg;

    do {
        renew_asker(p);
        while (ask_some(p)) {
        }
        if (p->asker && tkt_clock_mono_ms() >= p->tidy_due_ms) {
            p->tidy_due_ms = tkt_clock_mono_ms() + TIDY_MS;
            tidy(p);
        }
    } while (wait_for_more(p));
    tkt_tools_release(&p->tools);
    return NULL;
}

struct tkt_people *tkt_people_new(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_people *p = calloc(1, sizeof(*p));
    pthread_condattr_t attr;

    if (!p) {
        tkt_err_set(err, TKT_ERR_TEMP, "people: no memory");
        return NULL;
    }
    p->d = d;
    p->tools.store_dir = d->store_dir;
    p->tidy_due_ms = tkt_clock_mono_ms() + TIDY_MS;
    p->budget_at_us = tkt_clock_mono_us();
    p->budget_us = 1000000;
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &attr);
    pthread_condattr_destroy(&attr);
    return p;
}

int tkt_people_start(struct tkt_people *p, struct tkt_err *err)
{
    int rc = pthread_create(&p->thread, NULL, people_main, p);

    p->is_running = rc == 0;
    return rc == 0 ? 0
                   : tkt_err_set(err, TKT_ERR_TEMP, "people: thread: %s", strerror(rc));
}

void tkt_people_stop(struct tkt_people *p)
{
    if (!p || !p->is_running) {
        return;
    }
    p->is_running = false;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
}

void tkt_people_free(struct tkt_people **people)
{
    struct tkt_people *p = *people;

    if (!p) {
        return;
    }
    names_release(&p->wanted);
    names_release(&p->used);
    tkt_asker_free(&p->asker);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
    *people = NULL;
}

void tkt_people_status(struct tkt_people *p, struct tkt_buf *out)
{
    pthread_mutex_lock(&p->lock);
    (void)tkt_buf_addf(out, /* the caller looks at out->failed */
                       "{\"hits\":%llu,\"stale\":%llu,\"missing\":%llu,\"dropped\":%llu,"
                       "\"waiting\":%zu,\"directories\":",
                       (unsigned long long)p->hits, (unsigned long long)p->stale,
                       (unsigned long long)p->missing, (unsigned long long)p->dropped,
                       p->wanted.count);
    tkt_asker_status(p->asker, out);
    (void)tkt_buf_addc(out, '}'); /* the same */
    pthread_mutex_unlock(&p->lock);
}
