/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/llm/refine_ask.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "net/pace.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (1024 * 1024)
#define KEPT_MAX 4096
#define QUOTA_PAUSE_MS (3600 * INT64_C(1000))
#define WRONG_PAUSE_MS (300 * INT64_C(1000))
/* A request's tokens before they are counted: about three bytes each. */
#define BYTES_A_TOKEN 3

struct tkt_refiner {
    pthread_mutex_t lock;
    struct tkt_bucket calls;
    struct tkt_bucket tokens;
    struct tkt_breaker breaker;
};

struct tkt_refiner *tkt_refiner_new(void)
{
    struct tkt_refiner *r = calloc(1, sizeof(*r));

    if (r) {
        pthread_mutex_init(&r->lock, NULL);
    }
    return r;
}

void tkt_refiner_free(struct tkt_refiner **refiner)
{
    if (*refiner) {
        pthread_mutex_destroy(&(*refiner)->lock);
        free(*refiner);
        *refiner = NULL;
    }
}

void tkt_llm_ask_init(struct tkt_llm_ask *a, struct tkt_daemon *d)
{
    memset(a, 0, sizeof(*a));
    a->refiner = d->refiner;
    a->set = tkt_settings_get(d);
    a->conf = &a->set->conf->llm;
    a->answer_tokens = a->conf->answer_tokens;
    tkt_buf_init(&a->body, TKT_LLM_REQUEST_MAX);
    tkt_buf_init(&a->kept, KEPT_MAX);
}

void tkt_llm_ask_release(struct tkt_llm_ask *a)
{
    free(a->text);
    tkt_buf_release(&a->body);
    tkt_buf_release(&a->kept);
    tkt_secret_release(&a->secret);
    tkt_settings_put(&a->set);
}

static int redact(struct tkt_llm_ask *a, struct tkt_daemon *d, const char *subject,
                  const char *text, int64_t deadline_mono_ms, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf plain = TKT_BUF_INIT(TEXT_MAX);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(2 * TEXT_MAX);
    size_t n = tkt_utf8_cut(text, strlen(text), TEXT_MAX - 8192);

    if (tkt_buf_addf(&plain, "Subject: %.4000s\n\n", subject) < 0 ||
        tkt_buf_add(&plain, text, n) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "llm: no memory");
    }
    if (!d->pool) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no parser is running");
    }
    if (tkt_parserpool_redact(d->pool, plain.data, plain.len, deadline_mono_ms, &out,
                              err) < 0) {
        return tkt_err_prefix(err, "redact");
    }
    a->text = tkt_buf_take(&out, &a->text_len);
    return a->text ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "llm: no memory");
}

static int look_for_kept(struct tkt_llm_ask *a, struct tkt_tools *tools,
                         struct tkt_err *err)
{
    struct tkt_reader *reader = a->conf->cache_ms ? tkt_tools_reader(tools, err) : NULL;

    tkt_llm_key(a->conf, &a->body, a->key);
    if (!reader) {
        return a->conf->cache_ms ? -1 : 0;
    }
    int n = tkt_reader_answer(reader, a->key, tkt_clock_wall_ms() - a->conf->cache_ms,
                              &a->kept, err);
    if (n > 0 && tkt_llm_check(a->conf, tkt_buf_str(&a->kept), a->kept.len, &a->answer)) {
        a->is_answer = true;
        a->is_cached = true;
    }
    return n < 0 ? -1 : 0;
}

int tkt_llm_ask_prepare(struct tkt_llm_ask *a, struct tkt_daemon *d,
                        struct tkt_tools *tools, const char *subject, const char *text,
                        int64_t deadline_mono_ms, struct tkt_err *err)
{
    a->asked_ms = tkt_clock_wall_ms();
    if (redact(a, d, subject, text, deadline_mono_ms, err) < 0 ||
        tkt_llm_request(a->conf, a->text, a->text_len, a->answer_tokens, &a->body, err) <
            0 ||
        look_for_kept(a, tools, err) < 0) {
        return -1;
    }
    if (!a->is_answer && *a->conf->key &&
        tkt_secret_get(a->conf->key, &a->secret, err) < 0) {
        return tkt_err_prefix(err, "llm.key");
    }
    return 0;
}

bool tkt_llm_ask_may(struct tkt_llm_ask *a)
{
    struct tkt_refiner *r = a->refiner;
    const struct tkt_conf_llm *c = a->conf;
    int64_t now = tkt_clock_mono_ms();
    int64_t tokens = (int64_t)a->body.len / BYTES_A_TOKEN + a->answer_tokens;
    const char *why = NULL;

    pthread_mutex_lock(&r->lock);
    tkt_bucket_set(&r->calls, c->calls_per_hour, c->calls_per_hour);
    tkt_bucket_set(&r->tokens, c->tokens_per_hour, c->tokens_per_hour);
    if (tkt_breaker_ask(&r->breaker, now) > 0) {
        why = "the service is left alone for a while";
    } else if (tkt_bucket_take(&r->tokens, tokens, now) > 0) {
        why = "the hour's tokens are spent";
    } else if (tkt_bucket_take(&r->calls, 1, now) > 0) {
        why = "the hour's calls are spent";
        tkt_bucket_charge(&r->tokens, -tokens, now);
    }
    if (why && r->breaker.state == TKT_BREAKER_HALF_OPEN) {
        tkt_breaker_forget(&r->breaker);
    }
    pthread_mutex_unlock(&r->lock);
    a->taken = why ? 0 : tokens;
    snprintf(a->why, sizeof(a->why), "%s", why ? why : "");
    return why == NULL;
}

void tkt_llm_ask_forget(struct tkt_llm_ask *a)
{
    pthread_mutex_lock(&a->refiner->lock);
    tkt_breaker_forget(&a->refiner->breaker);
    tkt_bucket_charge(&a->refiner->tokens, -a->taken, tkt_clock_mono_ms());
    pthread_mutex_unlock(&a->refiner->lock);
    a->taken = 0;
}

int tkt_llm_ask_fill(const struct tkt_llm_ask *a, struct tkt_llm_room *room,
                     struct tkt_http_request *q, int64_t timeout_ms)
{
    const struct tkt_conf_llm *c = a->conf;
    size_t n = 0;

    tkt_buf_init(&room->url, TKT_HTTP_URL_MAX);
    tkt_buf_init(&room->auth, TKT_SECRET_MAX + 64);
    room->headers[n++] = "Content-Type: application/json";
    room->headers[n++] = "Accept: application/json";
    if (a->secret.data) {
        const char *name =
            c->auth == TKT_LLM_API_KEY ? "api-key: " : "Authorization: Bearer ";

        (void)tkt_buf_adds(&room->auth, name); /* failed tells */
        (void)tkt_buf_add(&room->auth, a->secret.data, a->secret.len);
        room->headers[n++] = tkt_buf_str(&room->auth);
    }
    room->headers[n] = NULL;
    if (tkt_llm_url(c, &room->url) < 0 || room->auth.failed) {
        return -1;
    }
    *q = (struct tkt_http_request){.method = "POST",
                                   .url = room->url.data,
                                   .headers = room->headers,
                                   .body = a->body.data,
                                   .body_len = a->body.len,
                                   .accept_type = "application/json",
                                   .answer_max = TKT_LLM_ANSWER_MAX,
                                   .timeout_ms = TKT_MAX(timeout_ms, INT64_C(1)),
                                   .repeatable = true, /* twice costs twice, no more */
                                   .peer = {.ca_file = c->ca_file,
                                            .proxy = c->proxy,
                                            .allow_plain = c->allow_plain,
                                            .in_flight_max = (int)c->at_once}};
    return 0;
}

void tkt_llm_room_release(struct tkt_llm_room *room)
{
    if (room->auth.data) {
        tkt_wipe(room->auth.data, room->auth.len);
    }
    tkt_buf_release(&room->auth);
    tkt_buf_release(&room->url);
}

/* What the circuit hears, and for how long the service is left alone. */
static void tell_refiner(struct tkt_llm_ask *a, const struct tkt_http_response *r,
                         const struct tkt_llm_trouble *t)
{
    struct tkt_breaker *b = &a->refiner->breaker;
    int64_t now = tkt_clock_mono_ms();
    bool is_wrong = r->outcome == TKT_HTTP_REJECTED &&
                    (r->status == 401 || r->status == 403 || r->status == 404);
    int64_t pause = 0;

    pthread_mutex_lock(&a->refiner->lock);
    bool was_open = b->state == TKT_BREAKER_OPEN;

    if (t->is_quota) {
        pause = QUOTA_PAUSE_MS;
    } else if (is_wrong) {
        pause = WRONG_PAUSE_MS;
    } else if (r->outcome == TKT_HTTP_RETRY || r->outcome == TKT_HTTP_UNKNOWN) {
        pause = (int64_t)r->err.retry_after_s * 1000;
    }
    if (pause > 0 || r->outcome == TKT_HTTP_RETRY || r->outcome == TKT_HTTP_UNKNOWN) {
        tkt_breaker_failure(b, pause, now);
    } else {
        tkt_breaker_success(b);
    }
    if (r->status != 200) {
        tkt_bucket_charge(&a->refiner->tokens, -a->taken, now);
    }
    bool opened = !was_open && b->state == TKT_BREAKER_OPEN;
    int64_t until = b->until_ms;
    pthread_mutex_unlock(&a->refiner->lock);
    if (opened) {
        tkt_log(t->is_quota || is_wrong ? TKT_LOG_ERROR : TKT_LOG_WARNING, NULL,
                "llm.paused", "for_ms", TKT_NUM(until - now), "reason",
                t->is_quota ? "the service's quota is spent" : r->err.text, NULL);
    }
}

static void charge(struct tkt_llm_ask *a, int64_t tokens)
{
    a->tokens += tokens;
    if (tokens > 0) {
        pthread_mutex_lock(&a->refiner->lock);
        tkt_bucket_charge(&a->refiner->tokens, tokens - a->taken, tkt_clock_mono_ms());
        pthread_mutex_unlock(&a->refiner->lock);
    }
    a->taken = 0;
}

void tkt_llm_ask_judge(struct tkt_llm_ask *a, const struct tkt_http_response *r,
                       bool *again, bool *longer)
{
    struct tkt_llm_trouble trouble = {0};
    int64_t tokens = 0;

    *again = false;
    *longer = false;
    a->took_ms += r->took_ms;
    if (r->outcome != TKT_HTTP_DONE) {
        tkt_llm_trouble(tkt_buf_str(&r->body), r->body.len, &trouble);
        tell_refiner(a, r, &trouble);
        *again =
            !trouble.is_quota && !trouble.is_filtered && r->outcome != TKT_HTTP_REJECTED;
        snprintf(a->why, sizeof(a->why), "%.190s",
                 trouble.is_filtered ? "filtered" : r->err.text);
        return;
    }
    tell_refiner(a, r, &trouble);
    enum tkt_llm_verdict v =
        tkt_llm_read(a->conf, tkt_buf_str(&r->body), r->body.len, &a->answer, &tokens);

    charge(a, tokens);
    if (v == TKT_LLM_ANSWERED) {
        a->is_answer = true;
        return;
    }
    snprintf(a->why, sizeof(a->why), "%s", tkt_llm_verdict_names[v]);
    if (v == TKT_LLM_CUT && a->answer_tokens == a->conf->answer_tokens) {
        struct tkt_err err = TKT_ERR_INIT;

        a->answer_tokens *= 4;
        tkt_buf_reset(&a->body);
        *longer = tkt_llm_request(a->conf, a->text, a->text_len, a->answer_tokens,
                                  &a->body, &err) == 0;
    }
}

int tkt_llm_ask_event(const struct tkt_llm_ask *a, bool is_inline, struct tkt_buf *out)
{
    (void)tkt_buf_adds(out, "{\"model\":"); /* failed tells in the end */
    (void)tkt_json_add_string(out, a->conf->model, strlen(a->conf->model));
    if (a->is_answer) {
        (void)tkt_buf_adds(out, ",\"category\":");
        (void)tkt_json_add_string(out, a->answer.category, strlen(a->answer.category));
        (void)tkt_buf_addf(out, ",\"urgency\":%d,\"cached\":%s", a->answer.urgency,
                           a->is_cached ? "true" : "false");
    } else {
        (void)tkt_buf_adds(out, ",\"why\":");
        (void)tkt_json_add_string(out, a->why, strlen(a->why));
    }
    return tkt_buf_addf(out, ",\"inline\":%s,\"tokens\":%lld,\"ms\":%lld}",
                        is_inline ? "true" : "false", (long long)a->tokens,
                        (long long)a->took_ms);
}
