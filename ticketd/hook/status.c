/* SPDX-License-Identifier: BSD-2-Clause
 * Services of channels that tell what became of notices: /status/CHANNEL, and behind it the
 * notice where the address was given for one.
 */
#include "notify/status.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"
#include "secret/secret.h"
#include "store/notice.h"
#include "ticketd/hook/guest.h"
#include "ticketd/notice/notice.h"
#include "ticketd/watch/measure.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 32
#define NOTICE_MAX 64
#define WORDS_MAX 200
#define CHALLENGE_MAX 256

/* What a call tells, in our own words. */
struct told {
    struct tkt_store_heard heard;
    enum tkt_heard_result result; /* out */
};

struct visit {
    struct tkt_hook_visit *v;
    const struct tkt_conf_channel *conf;
    const struct tkt_channel_ops *ops;
    char notice[NOTICE_MAX + 1]; /* of the path */
    struct tkt_wire_arena arena;
    struct told *items;
    size_t count, room, strange;
    struct tkt_err err; /* of a look-up */
};

/* ---- whose it is --------------------------------------------------------------------------- */

static bool find(const struct tkt_hook_visit *v, struct visit *s)
{
    const struct tkt_conf *conf = v->set->conf;
    size_t n = strcspn(v->rest, "/");
    const char *notice = v->rest[n] == '/' ? v->rest + n + 1 : "";

    *s = (struct visit){.v = NULL};
    if (n > NAME_MAX_LEN || strlen(notice) > NOTICE_MAX ||
        conf->webhook.public_url[0] == '\0') {
        return false;
    }
    for (size_t i = 0; i < conf->channel_count && s->conf == NULL; i++) {
        const struct tkt_conf_channel *c = &conf->channels[i];

        if (strlen(c->name) == n && strncmp(c->name, v->rest, n) == 0 &&
            tkt_status_secret(c)[0] != '\0') {
            s->conf = c;
            s->ops = tkt_channel_find(c->type);
        }
    }
    (void)snprintf(s->notice, sizeof(s->notice), "%s", notice); /* was looked at */
    return s->conf != NULL && (notice[0] == '\0' || s->ops->status->is_per_notice);
}

static int head(struct tkt_hook_visit *v)
{
    struct visit s;

    if (!find(v, &s)) {
        (void)snprintf(v->why, sizeof(v->why), "there is no such path"); /* has room */
        return 404;
    }
    (void)snprintf(v->name, sizeof(v->name), "%s", s.conf->name); /* the same */
    return strcmp(v->method, "GET") == 0 && !s.ops->status->asks ? 405 : 0;
}

/* ---- which notices it names ----------------------------------------------------------------- */

static const char *text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return text == NULL ? "" : text;
}

static const char *keep(struct visit *s, const char *text, size_t max)
{
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(4 * TKT_STORE_CONTACT_MAX);
    size_t n = strnlen(text, max);

    (void)tkt_utf8_add_clean(&clean, text, tkt_utf8_cut(text, n, max)); /* else "" */
    char *kept = tkt_wire_arena_strdup(&s->arena, tkt_buf_str(&clean), clean.len);

    for (char *p = kept; p != NULL && *p != '\0'; p++) {
        *p = (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p;
    }
    return kept == NULL ? "" : kept;
}

/* Of a number only its digits count. */
static bool is_same(const char *a, const char *b)
{
    if (strchr(a, '@') != NULL) {
        return tkt_ascii_ieq(a, b);
    }
    for (;;) {
        a += strcspn(a, "0123456789");
        b += strcspn(b, "0123456789");
        if (*a != *b) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
        a++;
        b++;
    }
}

/* "mt-...-17" -> the job, and the ticket's key in front of it. */
static bool split_notice(const char *notice, int64_t *job, size_t *corr_len)
{
    const char *dash = strrchr(notice, '-');

    if (dash == NULL || strlen(notice) > NOTICE_MAX ||
        tkt_parse_int(dash + 1, 1, INT64_MAX, job) < 0) {
        return false;
    }
    *corr_len = (size_t)(dash - notice);
    return true;
}

/* The recipient of the job, if the call is about him, too. */
static void take_recipient(struct visit *s, const cJSON *payload, const char *named,
                           struct tkt_store_heard *out)
{
    const cJSON *like = cJSON_GetObjectItemCaseSensitive(payload, "like");
    const char *to = text_of(cJSON_IsObject(like) ? like : payload, "to");
    bool is_default = to[0] == '\0';

    out->on = keep(s, text_of(payload, "what"), WORDS_MAX);
    out->to = keep(s, is_default ? s->conf->to : to, TKT_STORE_CONTACT_MAX);
    out->is_person = s->ops->to != TKT_CHANNEL_TO_ROOM && out->to[0] != '\0' &&
                     (named[0] == '\0' || is_same(out->to, named));
}

/* 1: it is a notice of ours; 0, -1. */
static int look_up(struct visit *s, const struct tkt_status_told *told,
                   struct tkt_store_heard *out)
{
    struct tkt_reader *reader = tkt_tools_reader(s->v->tools, &s->err);
    struct tkt_reader_heard job;
    size_t corr_len = 0;
    int n = 0;

    if (reader == NULL) {
        return -1;
    }
    if (split_notice(told->notice, &out->job, &corr_len)) {
        n = tkt_reader_heard(reader, out->job, &s->arena, &job, &s->err);
    }
    if (n <= 0 || strlen(job.corr) != corr_len ||
        !tkt_mem_equal(job.corr, told->notice, corr_len) ||
        strcmp(job.target, s->conf->name) != 0) {
        return n < 0 ? -1 : 0;
    }
    cJSON *payload = cJSON_Parse(job.payload);
    take_recipient(s, payload, told->to, out);
    cJSON_Delete(payload);
    return 1;
}

static int64_t days_of(const struct visit *s, const struct tkt_status_told *told)
{
    return told->failure == TKT_FAILURE_LASTING ? 1
           : told->failure == TKT_FAILURE_PASSING
               ? s->v->set->conf->limits.undeliverable_after
               : 0;
}

static void take_told(void *arg, const struct tkt_status_told *told)
{
    struct visit *s = arg;
    struct tkt_store_heard heard = {.channel = s->conf->name, .what = told->what};
    int n = s->err.class == TKT_ERR_NONE ? look_up(s, told, &heard) : 0;

    s->strange += n == 0;
    if (n <= 0) {
        return;
    }
    if (s->count == s->room) {
        size_t room = s->room == 0 ? 16 : 2 * s->room;
        struct told *more = realloc(s->items, room * sizeof(*more));

        if (more == NULL) {
            (void)tkt_err_set(&s->err, TKT_ERR_TEMP, "no memory"); /* who asks looks */
            return;
        }
        s->items = more;
        s->room = room;
    }
    heard.failed_after = days_of(s, told);
    heard.code = keep(s, told->code, WORDS_MAX);
    heard.words = keep(s, told->words, WORDS_MAX);
    heard.id = keep(s, told->id, WORDS_MAX);
    s->items[s->count++] = (struct told){.heard = heard};
}

/* ---- what becomes of it ---------------------------------------------------------------------- */

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct visit *s = arg;
    int64_t now_ms = tkt_clock_wall_ms();

    for (size_t i = 0; i < s->count; i++) {
        if (tkt_store_heard(store, &s->items[i].heard, now_ms, &s->items[i].result, err) <
            0) {
            return -1;
        }
    }
    return 0;
}

static void count(const struct visit *s)
{
    static const struct {
        enum tkt_heard what;
        const char *outcome;
    } words[] = {{TKT_HEARD_TAKEN, "taken"},
                 {TKT_HEARD_DELIVERED, "delivered"},
                 {TKT_HEARD_FAILED, "failed"},
                 {TKT_HEARD_READ, "read"},
                 {TKT_HEARD_UNWANTED, "unwanted"}};

    for (size_t i = 0; i < s->count; i++) {
        for (size_t k = 0; k < TKT_ARRAY_LEN(words); k++) {
            if (s->items[i].heard.what == words[k].what &&
                s->items[i].result >= TKT_HEARD_NEW) {
                tkt_measure_notice(s->v->d->measure, s->conf->name, words[k].outcome);
            }
        }
        if (s->items[i].result == TKT_HEARD_SETTLED) {
            tkt_measure_notice(s->v->d->measure, s->conf->name, "settled");
        }
    }
}

static int write_down(struct visit *s)
{
    size_t fresh = 0;

    if (s->err.class == TKT_ERR_NONE && s->count > 0) {
        (void)tkt_commit_call(s->v->d->commit, apply, s, true, &s->err); /* err tells */
    }
    if (s->err.class != TKT_ERR_NONE) {
        tkt_log(TKT_LOG_ERROR, NULL, "status.failed", "channel", s->conf->name, "error",
                s->err.text, NULL);
        return 503;
    }
    count(s);
    for (size_t i = 0; i < s->count; i++) {
        fresh += s->items[i].result >= TKT_HEARD_NEW;
    }
    tkt_log(fresh > 0 ? TKT_LOG_INFO : TKT_LOG_DEBUG, NULL, "status.taken", "channel",
            s->conf->name, "new", TKT_NUM((int64_t)fresh), "again",
            TKT_NUM((int64_t)(s->count - fresh)), "strange", TKT_NUM((int64_t)s->strange),
            NULL);
    return 200;
}

static int refuse(struct tkt_hook_visit *v, const struct tkt_err *err)
{
    (void)snprintf(v->why, sizeof(v->why), "%.255s", err->text);
    return err->class == TKT_ERR_PERM ? 401 : 503;
}

static int take_post(struct visit *s)
{
    struct tkt_hook_visit *v = s->v;
    TKT_AUTO_SECRET struct tkt_secret secret = TKT_SECRET_INIT;
    struct tkt_err err = TKT_ERR_INIT;
    char url[TKT_STATUS_URL_MAX];
    struct tkt_status_call call = {.conf = s->conf,
                                   .url = url,
                                   .notice = s->notice,
                                   .field = v->field,
                                   .arg = v->arg,
                                   .body = v->body.len > 0 ? v->body.data : "",
                                   .len = v->body.len,
                                   .now_ms = tkt_clock_wall_ms()};

    if (!tkt_status_url(v->set->conf, s->conf, s->notice, url)) {
        return 404;
    }
    if (tkt_secret_get(tkt_status_secret(s->conf), &secret, &err) < 0) {
        return refuse(v, &err);
    }
    call.secret = secret.data;
    if (s->ops->status->verify(&call, &err) < 0) {
        return refuse(v, &err);
    }
    /* What is signed and cannot be read is no reason for them to send it again. */
    if (s->ops->status->read(&call, take_told, s, &err) < 0) {
        tkt_log(TKT_LOG_WARNING, NULL, "status.unread", "channel", s->conf->name, "error",
                err.text, NULL);
        return err.class == TKT_ERR_PERM ? 200 : 503;
    }
    return write_down(s);
}

/* "Are you the one?": the word that both know, and their challenge comes back bare. */
static int take_question(struct visit *s)
{
    struct tkt_hook_visit *v = s->v;
    TKT_AUTO_SECRET struct tkt_secret token = TKT_SECRET_INIT;
    struct tkt_err err = TKT_ERR_INIT;
    const char *mode = v->query(v->arg, "hub.mode");
    const char *given = v->query(v->arg, "hub.verify_token");
    const char *challenge = v->query(v->arg, "hub.challenge");
    unsigned char ours[TKT_SHA256_LEN];
    unsigned char theirs[TKT_SHA256_LEN];

    if (s->conf->hook_token[0] == '\0' || mode == NULL || given == NULL ||
        challenge == NULL || strcmp(mode, "subscribe") != 0 || challenge[0] == '\0' ||
        strlen(challenge) > CHALLENGE_MAX) {
        return 403;
    }
    if (tkt_secret_get(s->conf->hook_token, &token, &err) < 0) {
        return refuse(v, &err);
    }
    tkt_sha256(token.data, strcspn(token.data, "\r\n"), ours);
    tkt_sha256(given, strlen(given), theirs);
    if (token.data[0] == '\0' || !tkt_mem_equal(ours, theirs, sizeof(ours))) {
        (void)snprintf(v->why, sizeof(v->why), "hub.verify_token is another one");
        return 403;
    }
    (void)tkt_buf_adds(&v->answer, challenge); /* empty then: they ask again */
    return 200;
}

static int take(struct tkt_hook_visit *v)
{
    struct visit s;
    bool found = find(v, &s);

    s.v = v;
    v->type = "text/plain; charset=utf-8"; /* nothing is said, or a challenge */
    int status = !found                          ? 404
                 : strcmp(v->method, "GET") == 0 ? take_question(&s)
                                                 : take_post(&s);
    tkt_wire_arena_release(&s.arena);
    free(s.items);
    return status;
}

const struct tkt_hook_guest tkt_hook_status = {
    .path = TKT_STATUS_PATH, .methods = "GET, POST", .head = head, .take = take};
