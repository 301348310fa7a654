/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/shadow/shadow.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/core/roster.h"
#include "ticketd/facts/facts.h"
#include "ticketd/parser/parserpool.h"
#include "ticketd/shadow/shadow_count.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum state {
    STATE_OFF,
    STATE_LOADING,
    STATE_ON,
    STATE_FAILED
};
static const char *const state_names[] = {"off", "loading", "on", "failed"};

struct entry { /* one allocation: raw, facts and live decisions lie behind it */
    struct entry *next;
    size_t size;
    size_t raw_len, facts_len, live_len;
    bool null_sender;
    int64_t now_ms;
    char ticket[48];
    char bytes[];
};

struct tkt_shadow {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_uint share; /* percent of the mails; 0: none is wanted now */
    /* under lock: */
    bool stopping;
    bool is_new; /* path was set: to be loaded */
    char *path;
    char *program;
    unsigned wanted_share;
    enum state state;
    char error[300];
    int64_t since_ms;
    struct entry *first, **last;
    size_t waiting, bytes;
    uint64_t errors, skipped;
    struct tkt_shadow_counts counts;
    /* the thread's own: */
    struct tkt_conf *conf;
    struct tkt_roster *roster;
    struct tkt_parserpool *pool;
};

/* ---- the queue -------------------------------------------------------------------------- */

bool tkt_shadow_wants(struct tkt_shadow *s)
{
    unsigned share = s ? atomic_load_explicit(&s->share, memory_order_relaxed) : 0;
    uint16_t dice;

    if (share == 0 || share >= 100) {
        return share > 0;
    }
    tkt_random(&dice, sizeof(dice));
    return dice % 100 < share;
}

static struct entry *make_entry(const struct tkt_shadow_mail *m)
{
    TKT_AUTO_BUF struct tkt_buf live = TKT_BUF_INIT(TKT_DECISIONS_WIRE_MAX);

    if (!m->raw || m->facts->len == 0 || m->facts->failed ||
        tkt_decisions_encode(m->decisions, &live) < 0) {
        return NULL;
    }
    size_t size = sizeof(struct entry) + m->raw_len + m->facts->len + live.len;
    struct entry *e = size <= TKT_SHADOW_BYTES_MAX ? malloc(size) : NULL;
    if (!e) {
        return NULL;
    }
    *e = (struct entry){.size = size,
                        .raw_len = m->raw_len,
                        .facts_len = m->facts->len,
                        .live_len = live.len,
                        .null_sender = m->null_sender,
                        .now_ms = m->now_ms};
    snprintf(e->ticket, sizeof(e->ticket), "%s", m->ticket);
    memcpy(e->bytes, m->raw, m->raw_len);
    memcpy(e->bytes + m->raw_len, m->facts->data, m->facts->len);
    memcpy(e->bytes + m->raw_len + m->facts->len, live.data, live.len);
    return e;
}

void tkt_shadow_offer(struct tkt_shadow *s, const struct tkt_shadow_mail *mail)
{
    struct entry *e = make_entry(mail);

    pthread_mutex_lock(&s->lock);
    if (e && s->waiting < TKT_SHADOW_QUEUE_MAX &&
        s->bytes + e->size <= TKT_SHADOW_BYTES_MAX) {
        *s->last = e;
        s->last = &e->next;
        s->waiting++;
        s->bytes += e->size;
        e = NULL;
        pthread_cond_signal(&s->wake);
    } else {
        s->skipped++;
    }
    pthread_mutex_unlock(&s->lock);
    free(e);
}

/* With the lock held. */
static struct entry *take_entry(struct tkt_shadow *s)
{
    struct entry *e = s->first;

    if (e) {
        s->first = e->next;
        s->last = s->first ? s->last : &s->first;
        s->waiting--;
        s->bytes -= e->size;
    }
    return e;
}

/* ---- one mail ----------------------------------------------------------------------------- */

struct question {
    const struct tkt_conf *conf;
    const struct entry *e;
};

/* The live decision's facts; what a configuration says of the desk is its own. */
static int give_facts(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                      struct tkt_err *err)
{
    const struct question *q = arg;

    (void)msg; /* it is the one that they were gathered for */
    if (tkt_facts_decode(q->e->bytes + q->e->raw_len, q->e->facts_len, facts, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < facts->desk_count; i++) {
        const struct tkt_conf_desk *desk = tkt_conf_desk(q->conf, facts->desks[i].name);
        if (desk) {
            facts->desks[i] = tkt_facts_desk(q->conf, desk);
        }
    }
    return 0;
}

/* As ticketd does behind the child; the live decisions have been there. */
static bool route(const struct tkt_shadow *s, const char *department,
                  struct tkt_decisions *new)
{
    for (size_t i = 0; i < new->count; i++) {
        struct tkt_decision *d = &new->items[i];
        bool opens = d->action == TKT_ACTION_NEW || d->action == TKT_ACTION_NEW_LINKED;

        if (opens && tkt_assign_route(s->roster, department, d, &new->arena) < 0) {
            return false;
        }
    }
    return true;
}

static void compare(struct tkt_shadow *s, const struct entry *e,
                    struct tkt_decisions *new)
{
    struct tkt_decisions old;
    struct tkt_facts facts;
    struct tkt_err err = TKT_ERR_INIT;
    const char *facts_at = e->bytes + e->raw_len;
    bool ok = tkt_decisions_decode(facts_at + e->facts_len, e->live_len, &old, &err) == 0;

    if (ok && tkt_facts_decode(facts_at, e->facts_len, &facts, &err) < 0) {
        tkt_decisions_release(&old);
        ok = false;
    }
    if (ok && !route(s, facts.person.department, new)) {
        tkt_decisions_release(&old);
        tkt_facts_release(&facts);
        ok = false;
    }
    pthread_mutex_lock(&s->lock);
    s->errors += !ok;
    for (size_t i = 0; ok && i < TKT_MIN(old.count, new->count); i++) {
        tkt_shadow_count(&s->counts, &old.items[i], &new->items[i], e->ticket,
                         facts.desks[i].name, e->now_ms);
    }
    pthread_mutex_unlock(&s->lock);
    if (ok) {
        tkt_decisions_release(&old);
        tkt_facts_release(&facts);
    }
}

static void run(struct tkt_shadow *s, const struct entry *e)
{
    struct question q = {s->conf, e};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_analysis analysis;
    const struct tkt_analyse_in in = {.raw = e->bytes,
                                      .raw_len = e->raw_len,
                                      .fd = -1,
                                      .null_sender = e->null_sender,
                                      .client_key = "shadow",
                                      .deadline_mono_ms =
                                          tkt_clock_mono_ms() + TKT_SHADOW_MAIL_MS};

    if (tkt_parserpool_analyse(s->pool, &in, give_facts, &q, &analysis, &err) == 0) {
        compare(s, e, &analysis.decisions);
        tkt_analysis_release(&analysis);
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->errors++;
    snprintf(s->error, sizeof(s->error), "%s: %.240s", e->ticket, err.text);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the other configuration --------------------------------------------------------------- */

static void unload(struct tkt_shadow *s)
{
    tkt_parserpool_stop(&s->pool);
    tkt_roster_free(&s->roster);
    tkt_conf_free(&s->conf);
}

static int load(struct tkt_shadow *s, const char *path, const char *program,
                struct tkt_err *err)
{
    s->conf = tkt_conf_load(path, err);
    if (!s->conf) {
        return -1;
    }
    s->roster = tkt_roster_new(s->conf, NULL, err);
    if (!s->roster) {
        return -1;
    }
    s->conf->parser.children = 1;
    char *own = strdup(program);
    if (!own) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    free(s->conf->parser.program); /* the program is this ticketd's, whatever is named */
    s->conf->parser.program = own;
    s->pool = tkt_parserpool_start(s->conf, err);
    return s->pool ? 0 : -1;
}

/* With the lock held, given up while it is loaded. */
static void take_over(struct tkt_shadow *s)
{
    TKT_AUTO_FREE char *path = s->path ? strdup(s->path) : NULL;
    TKT_AUTO_FREE char *program = s->program ? strdup(s->program) : NULL;
    struct tkt_err err = TKT_ERR_INIT;
    uint64_t before = s->conf ? s->conf->generation : 0;
    bool on = path && program && *path;

    s->is_new = false;
    s->state = on ? STATE_LOADING : STATE_OFF;
    s->error[0] = '\0';
    pthread_mutex_unlock(&s->lock);
    unload(s);
    int rc = on ? load(s, path, program, &err) : 0;
    if (rc < 0) {
        unload(s);
        tkt_log(TKT_LOG_ERROR, NULL, "shadow.failed", "config", path, "error", err.text,
                NULL);
    }
    pthread_mutex_lock(&s->lock);
    if (rc < 0) {
        s->state = STATE_FAILED;
        snprintf(s->error, sizeof(s->error), "%.290s", err.text);
    } else if (on) {
        s->state = STATE_ON;
    }
    if (!on || rc < 0 || s->conf->generation != before) {
        tkt_shadow_counts_reset(&s->counts);
        s->errors = s->skipped = 0;
        s->since_ms = tkt_clock_wall_ms();
    }
    atomic_store(&s->share, s->state == STATE_ON ? s->wanted_share : 0);
}

static void *shadow_main(void *arg)
{
    struct tkt_shadow *s = arg;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        if (s->is_new) {
            take_over(s);
            continue;
        }
        struct entry *e = take_entry(s);
        if (!e) {
            pthread_cond_wait(&s->wake, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        if (s->pool) { /* else it was switched off meanwhile */
            run(s, e);
        }
        free(e);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    unload(s);
    return NULL;
}

void tkt_shadow_follow(struct tkt_shadow *s, const struct tkt_conf *live)
{
    char *path = strdup(live->shadow_config);
    char *program = strdup(live->parser.program);

    pthread_mutex_lock(&s->lock);
    bool was_off = !s->path || !*s->path;
    if (path && program && !(was_off && !*path)) {
        free(s->path);
        free(s->program);
        s->path = path;
        s->program = program;
        s->wanted_share = live->analyse ? (unsigned)live->shadow_share : 0;
        s->is_new = true;
        s->state = STATE_LOADING;
        atomic_store(&s->share, 0); /* nothing by the old one from here on */
        path = program = NULL;
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    free(path); /* off, as it was; or no memory: it stays as it is */
    free(program);
}

struct tkt_shadow *tkt_shadow_start(struct tkt_err *err)
{
    struct tkt_shadow *s = calloc(1, sizeof(*s));
    sigset_t all;
    sigset_t before;

    if (!s) {
        (void)tkt_err_set(err, TKT_ERR_TEMP, "shadow: no memory"); /* NULL says so */
        return NULL;
    }
    s->last = &s->first;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    sigfillset(&all); /* signals are the program's, not this thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&s->thread, NULL, shadow_main, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        (void)tkt_err_set(err, TKT_ERR_TEMP, "shadow: thread: %s", strerror(rc));
        free(s);
        return NULL;
    }
    return s;
}

void tkt_shadow_stop(struct tkt_shadow **shadow)
{
    struct tkt_shadow *s = *shadow;

    if (!s) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    for (struct entry *e = take_entry(s); e; e = take_entry(s)) {
        free(e);
    }
    tkt_shadow_counts_reset(&s->counts);
    free(s->path);
    free(s->program);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *shadow = NULL;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void add_numbers(const struct tkt_shadow *s, struct tkt_buf *out)
{
    (void)tkt_buf_addf(out, /* the caller looks at out->failed */
                       "\"state\":\"%s\",\"compared\":%llu,\"differ\":%llu,"
                       "\"errors\":%llu,\"skipped\":%llu",
                       state_names[s->state], (unsigned long long)s->counts.compared,
                       (unsigned long long)s->counts.differ,
                       (unsigned long long)s->errors, (unsigned long long)s->skipped);
}

int tkt_shadow_json(struct tkt_shadow *s, struct tkt_buf *out)
{
    char since[32];
    const char *path;

    pthread_mutex_lock(&s->lock);
    path = s->path ? s->path : "";
    tkt_clock_format(s->since_ms, since);
    (void)tkt_buf_adds(out, "{\"config\":"); /* the same */
    (void)tkt_json_add_string(out, path, strlen(path));
    (void)tkt_buf_addf(out, ",\"share\":%u,\"since\":\"%s\",\"error\":", s->wanted_share,
                       s->since_ms > 0 ? since : "");
    (void)tkt_json_add_string(out, s->error, strlen(s->error));
    (void)tkt_buf_addf(out, ",\"waiting\":%zu,", s->waiting);
    add_numbers(s, out);
    tkt_shadow_counts_json(&s->counts, out);
    (void)tkt_buf_addc(out, '}'); /* the same */
    pthread_mutex_unlock(&s->lock);
    return out->failed ? -1 : 0;
}

void tkt_shadow_status(struct tkt_shadow *s, struct tkt_buf *out)
{
    pthread_mutex_lock(&s->lock);
    if (s->state != STATE_OFF) {
        (void)tkt_buf_adds(out, ",\"shadow\":{"); /* the caller looks at out->failed */
        add_numbers(s, out);
        (void)tkt_buf_addc(out, '}'); /* the same */
    }
    pthread_mutex_unlock(&s->lock);
}
