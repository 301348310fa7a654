/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/sinks/sinks.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "net/outcome.h"
#include "secret/secret.h"
#include "sink/sink.h"
#include "store/follow.h"
#include "ticketd/core/tools.h"
#include "ticketd/sinks/sinkbatch.h"
#include "ticketd/watch/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TICK_MS 200
#define LATER_FIRST_MS 1000
#define ROOM_MAX (96 * 1024) /* of a request's header fields */

struct sink {
    struct tkt_sinks *all;
    const struct tkt_conf_sink *conf; /* of all->settings */
    const struct tkt_sink_ops *ops;
    char place_name[TKT_STORE_FOLLOWER_NAME_MAX + 1];
    bool has_place; /* place is what the store has */
    int64_t place;
    bool look; /* there may be events behind its place */
    struct tkt_sinkbatch batch;
    size_t limit; /* events of a request: less than the section's after "too large" */
    struct tkt_sink_call call;
    char why[TKT_SINK_WHY_MAX];
    struct tkt_http_call *http;
    bool waits_for_ack;
    int64_t ack_until_ms;
    int64_t wait_until_ms;
    int attempt;
    int64_t oldest_ms; /* of what waits; 0 = nothing does */
};

struct tkt_sinks {
    struct tkt_daemon *d;
    pthread_t thread;
    atomic_bool stopping;
    struct tkt_http *http;
    struct tkt_tools tools;
    struct tkt_settings *settings; /* that the sinks are of */
    uint64_t batches;              /* of the writer, when we looked last */
    char channel[37];              /* GUID */
    struct sink *sinks;
    size_t count;
    int64_t lag_at_ms; /* when the lags were told last */
};

/* ---- places --------------------------------------------------------------------------- */

struct step {
    const char *name;
    int64_t from, to;
};

static int apply_step(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct step *s = arg;

    return tkt_store_place_move(store, s->name, s->from, s->to, err);
}

static int move(struct sink *s, int64_t from, int64_t to, struct tkt_err *err)
{
    struct step step = {.name = s->place_name, .from = from, .to = to};

    if (tkt_commit_call(s->all->d->commit, apply_step, &step, true, err) < 0) {
        s->has_place = false; /* look where it is */
        return -1;
    }
    s->place = to;
    s->has_place = true;
    return 0;
}

static int find_place(struct sink *s, struct tkt_reader *reader, struct tkt_err *err)
{
    int64_t first = 0;
    int n = tkt_reader_place(reader, s->place_name, &s->place, err);

    if (n != 0) {
        s->has_place = n == 1;
        return n < 0 ? -1 : 0;
    }
    if (!s->conf->history && tkt_reader_event_newest(reader, &first, err) < 0) {
        return -1;
    }
    if (move(s, -1, first, err) < 0) {
        return -1;
    }
    tkt_log(TKT_LOG_INFO, NULL, "sink.begin", "sink", s->conf->name, "after",
            TKT_NUM(first), NULL);
    return 0;
}

/* ---- waiting -------------------------------------------------------------------------- */

static void later(struct sink *s, const struct tkt_err *err)
{
    unsigned jitter = 0;
    int64_t wait;

    if (err->class == TKT_ERR_CONF || err->class == TKT_ERR_PERM) {
        tkt_measure_sink_alarm(s->all->d->measure, s->conf->name);
        tkt_log(TKT_LOG_ERROR, NULL, "sink.stopped", "sink", s->conf->name, "error",
                err->text, NULL);
        wait = TKT_SINK_STOPPED_MS;
    } else {
        if (getrandom(&jitter, sizeof(jitter), 0) < 0) {
            jitter = 0;
        }
        s->attempt++;
        wait = tkt_http_backoff_ms(s->attempt, LATER_FIRST_MS, TKT_SINK_LATER_MAX_MS,
                                   err->retry_after_s, jitter % 1024);
        tkt_log(TKT_LOG_WARNING, NULL, "sink.later", "sink", s->conf->name, "for_ms",
                TKT_NUM(wait), "error", err->text, NULL);
    }
    s->wait_until_ms = tkt_clock_mono_ms() + wait;
}

/* ---- answers -------------------------------------------------------------------------- */

static void finish_batch(struct sink *s)
{
    struct tkt_err err = TKT_ERR_INIT;
    int64_t last = s->batch.events[s->batch.count - 1].id;

    if (move(s, s->place, last, &err) < 0) {
        /* Events that it has are sent again from where it is. */
        s->batch.count = 0;
        s->look = true;
        later(s, &err);
        return;
    }
    s->batch.count = 0;
    s->look = true;
    s->attempt = 0;
    s->limit = TKT_MIN(2 * s->limit, (size_t)s->conf->batch);
}

static void set_aside(struct sink *s, size_t i, const char *why)
{
    struct tkt_sinkbatch_event *e = &s->batch.events[s->batch.sent[i]];

    e->state = TKT_SINK_ASIDE;
    tkt_measure_sink(s->all->d->measure, s->conf->name, "aside", 1);
    tkt_log(TKT_LOG_ERROR, NULL, "sink.aside", "sink", s->conf->name, "id",
            TKT_NUM(e->id), "error", why, NULL);
}

static void take_items(struct sink *s)
{
    size_t done = 0;

    for (size_t i = 0; i < s->batch.sent_count; i++) {
        if (s->batch.items[i] == TKT_SINK_DONE) {
            s->batch.events[s->batch.sent[i]].state = TKT_SINK_DONE;
            done++;
        } else if (s->batch.items[i] == TKT_SINK_ASIDE) {
            set_aside(s, i, s->why);
        }
    }
    if (done > 0) {
        tkt_measure_sink(s->all->d->measure, s->conf->name, "sent", (int64_t)done);
        s->attempt = 0;
    }
}

static void take_refusal(struct sink *s, const struct tkt_err *err)
{
    if (s->call.is_too_large && s->batch.sent_count > 1) {
        s->limit = s->batch.sent_count / 2; /* at once */
        return;
    }
    if (s->call.is_too_large) {
        set_aside(s, 0, err->text);
        return;
    }
    tkt_measure_sink(s->all->d->measure, s->conf->name, "failed",
                     (int64_t)s->batch.sent_count);
    later(s, err);
}

static void take_answer(struct sink *s, const struct tkt_http_response *response)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (s->ops->read(&s->call, response, &err) < 0) {
        take_refusal(s, &err);
        return;
    }
    if (s->call.wants_ack) {
        s->waits_for_ack = true;
        s->ack_until_ms = tkt_clock_mono_ms() + TKT_SINK_ACK_MAX_MS;
        s->wait_until_ms = tkt_clock_mono_ms() + TKT_SINK_ACK_MS / 5;
        return;
    }
    take_items(s);
    if (err.class != TKT_ERR_NONE) {
        later(s, &err);
    }
}

static void take_ack(struct sink *s, const struct tkt_http_response *response)
{
    struct tkt_err err = TKT_ERR_INIT;
    int rc = s->ops->read(&s->call, response, &err);

    if (rc == 0 && s->call.is_acked) {
        s->waits_for_ack = false;
        take_items(s);
    } else if (tkt_clock_mono_ms() >= s->ack_until_ms ||
               (rc < 0 && err.class != TKT_ERR_TEMP)) {
        s->waits_for_ack = false; /* they are sent again */
        if (rc == 0) {
            tkt_err_set(&err, TKT_ERR_TEMP, "not indexed within %d s",
                        TKT_SINK_ACK_MAX_MS / 1000);
        }
        later(s, &err);
    } else {
        s->wait_until_ms = tkt_clock_mono_ms() + TKT_SINK_ACK_MS;
    }
}

static void done(struct tkt_http_call *http, struct tkt_http_response *response)
{
    struct sink *s = tkt_http_arg(http);

    s->http = NULL;
    if (s->call.is_ack) {
        take_ack(s, response);
    } else {
        take_answer(s, response);
    }
    tkt_sink_forget(&s->call);
}

/* ---- requests ------------------------------------------------------------------------- */

static int start(struct sink *s, const struct tkt_buf *body, struct tkt_err *err)
{
    const struct tkt_conf_sink *conf = s->conf;
    const struct tkt_http_request q = {.method = "POST",
                                       .url = s->call.url,
                                       .headers = s->call.headers,
                                       .body = tkt_buf_str(body),
                                       .body_len = body->len,
                                       .answer_max = TKT_HTTP_ANSWER_MAX,
                                       .timeout_ms = conf->timeout_ms,
                                       .repeatable = true,
                                       .peer = {.ca_file = conf->ca_file,
                                                .client_cert = conf->cert_file,
                                                .client_key = conf->key_file,
                                                .proxy = conf->proxy,
                                                .allow_plain = conf->allow_plain},
                                       .done = done,
                                       .arg = s};

    s->http = tkt_http_start(s->all->http, &q, err);
    return s->http != NULL ? 0 : -1;
}

static void begin_call(struct sink *s, const char *secret, bool is_ack)
{
    int64_t ack = s->call.ack;

    s->why[0] = '\0';
    s->call = (struct tkt_sink_call){.conf = s->conf,
                                     .secret = secret,
                                     .channel = s->all->channel,
                                     .room = TKT_BUF_INIT(ROOM_MAX),
                                     .is_ack = is_ack,
                                     .ack = ack,
                                     .count = s->batch.sent_count,
                                     .items = s->batch.items,
                                     .why = s->why};
}

static int send_or_ask(struct sink *s, struct tkt_err *err)
{
    TKT_AUTO_SECRET struct tkt_secret secret = TKT_SECRET_INIT;
    TKT_AUTO_BUF struct tkt_buf body = TKT_BUF_INIT(s->batch.bytes.max + 64);

    if (s->conf->secret[0] != '\0' && tkt_secret_get(s->conf->secret, &secret, err) < 0) {
        return -1;
    }
    if (s->waits_for_ack) {
        (void)tkt_buf_addf(&body, "{\"acks\":[%lld]}", (long long)s->call.ack);
    } else {
        tkt_sinkbatch_take(&s->batch, s->limit, &body);
    }
    if (body.failed) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    begin_call(s, secret.data != NULL ? secret.data : "", s->waits_for_ack);
    if (s->ops->build(&s->call, err) < 0 || start(s, &body, err) < 0) {
        tkt_sink_forget(&s->call);
        return -1;
    }
    s->call.secret = "";
    return 0;
}

/* ---- one sink's next step ------------------------------------------------------------- */

/* Until others may go with the oldest; 0: now. */
static int64_t linger_ms(const struct sink *s)
{
    int64_t age = tkt_clock_wall_ms() - s->batch.first_ms;

    return s->batch.is_full || age < 0 || age >= s->conf->linger_ms
               ? 0
               : s->conf->linger_ms - age;
}

static int gather(struct sink *s, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(&s->all->tools, err);

    if (reader == NULL || (!s->has_place && find_place(s, reader, err) < 0) ||
        tkt_sinkbatch_fill(&s->batch, reader, s->conf, s->ops, s->place,
                           (size_t)s->conf->batch, err) < 0) {
        return -1;
    }
    s->look = false;
    s->oldest_ms = s->batch.count > 0 ? s->batch.first_ms : 0;
    int64_t wait = s->batch.count > 0 ? linger_ms(s) : 0;
    if (wait > 0) {
        s->batch.count = 0; /* and more of them then */
        s->look = true;
        s->wait_until_ms = tkt_clock_mono_ms() + wait;
    }
    return 0;
}

static void advance(struct sink *s)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (s->http != NULL || tkt_clock_mono_ms() < s->wait_until_ms) {
        return;
    }
    if (s->batch.count > 0 && tkt_sinkbatch_is_done(&s->batch)) {
        finish_batch(s);
        return;
    }
    if (s->batch.count == 0 && (!s->look || gather(s, &err) < 0)) {
        if (err.class != TKT_ERR_NONE) {
            later(s, &err);
        }
        return;
    }
    if (s->batch.count > 0 && send_or_ask(s, &err) < 0) {
        later(s, &err);
    }
}

/* ---- all of them ---------------------------------------------------------------------- */

static void drop_all(struct tkt_sinks *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct sink *s = &w->sinks[i];

        if (s->http != NULL) {
            tkt_http_cancel(&s->http);
            tkt_sink_forget(&s->call);
        }
        tkt_sinkbatch_release(&s->batch);
    }
    free(w->sinks);
    w->sinks = NULL;
    w->count = 0;
    if (w->settings != NULL) {
        tkt_settings_put(&w->settings);
    }
}

static int add_sink(struct tkt_sinks *w, const struct tkt_conf_sink *conf,
                    struct tkt_err *err)
{
    struct sink *s = &w->sinks[w->count];

    *s = (struct sink){.all = w,
                       .conf = conf,
                       .ops = tkt_sink_find(conf->type),
                       .look = true,
                       .limit = (size_t)conf->batch};
    snprintf(s->place_name, sizeof(s->place_name), "sink:%s", conf->name);
    if (tkt_sinkbatch_init(&s->batch, conf, err) < 0) {
        tkt_sinkbatch_release(&s->batch);
        return -1;
    }
    w->count++;
    tkt_measure_sink_begin(w->d->measure, conf->name);
    return 0;
}

/* The settings are others: all begin again from their places, and those that waited for
 * new settings try again. */
static void follow_settings(struct tkt_sinks *w)
{
    struct tkt_settings *set = tkt_settings_get(w->d);
    struct tkt_err err = TKT_ERR_INIT;

    if (set == w->settings) {
        tkt_settings_put(&set);
        return;
    }
    drop_all(w);
    w->settings = set;
    tkt_measure_sink_clear(w->d->measure);
    w->sinks = calloc(set->conf->sink_count + 1, sizeof(*w->sinks));
    for (size_t i = 0; w->sinks != NULL && i < set->conf->sink_count; i++) {
        if (set->conf->sinks[i].url[0] == '\0') {
            continue;
        }
        if (add_sink(w, &set->conf->sinks[i], &err) < 0) {
            tkt_log(TKT_LOG_ERROR, NULL, "sink.missing", "sink", set->conf->sinks[i].name,
                    "error", err.text, NULL);
        }
    }
}

static void look_for_news(struct tkt_sinks *w)
{
    struct tkt_commit_stats stats;

    tkt_commit_stats(w->d->commit, &stats);
    for (size_t i = 0; stats.batches != w->batches && i < w->count; i++) {
        w->sinks[i].look = true;
    }
    w->batches = stats.batches;
}

static void tell_lags(struct tkt_sinks *w)
{
    int64_t now = tkt_clock_mono_ms();

    if (now - w->lag_at_ms < 1000) {
        return;
    }
    w->lag_at_ms = now;
    for (size_t i = 0; i < w->count; i++) {
        const struct sink *s = &w->sinks[i];
        int64_t lag = s->oldest_ms > 0 ? tkt_clock_wall_ms() - s->oldest_ms : 0;

        tkt_measure_sink_lag(w->d->measure, s->conf->name, TKT_MAX(lag, INT64_C(0)));
    }
}

static void *sinks_main(void *arg)
{
    struct tkt_sinks *w = arg;

    while (!atomic_load(&w->stopping)) {
        follow_settings(w);
        look_for_news(w);
        bool busy = false;
        for (size_t i = 0; i < w->count; i++) {
            struct sink *s = &w->sinks[i];

            advance(s);
            busy = busy || (s->http == NULL && tkt_clock_mono_ms() >= s->wait_until_ms &&
                            (s->look || s->batch.count > 0));
        }
        tell_lags(w);
        tkt_http_poll(w->http, busy ? 0 : TICK_MS);
    }
    drop_all(w);
    tkt_tools_release(&w->tools);
    return NULL;
}

static void make_channel(char out[37])
{
    unsigned char b[16] = {0};

    if (getrandom(b, sizeof(b), 0) < 0) {
        memset(b, 1, sizeof(b)); /* a channel that others may have is one */
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, 37,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
             b[13], b[14], b[15]);
}

struct tkt_sinks *tkt_sinks_start(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_sinks *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "sinks: no memory");
        return NULL;
    }
    w->d = d;
    w->tools.store_dir = d->store_dir;
    make_channel(w->channel);
    w->http = tkt_http_new(err);
    int rc = w->http != NULL ? pthread_create(&w->thread, NULL, sinks_main, w) : -1;
    if (rc != 0) {
        if (rc > 0) {
            tkt_err_set(err, TKT_ERR_TEMP, "sinks: thread: %s", strerrordesc_np(rc));
        }
        tkt_http_free(&w->http);
        free(w);
        return NULL;
    }
    return w;
}

void tkt_sinks_stop(struct tkt_sinks **sinks)
{
    struct tkt_sinks *w = *sinks;

    if (w == NULL) {
        return;
    }
    atomic_store(&w->stopping, true);
    tkt_http_wake(w->http);
    pthread_join(w->thread, NULL);
    tkt_http_free(&w->http);
    free(w);
    *sinks = NULL;
}
