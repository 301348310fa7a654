/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticket_config.h"

#include "itsm/run.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/util.h"
#include "itsm/back.h"
#include "itsm/exitcode.h"
#include "itsm/itsm.h"
#include "net/outcome.h"
#include "net/program.h"
#include "net/whsign.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define HEADERS_MAX 18
#define AUTH_MAX 8192
#define INLINE_MAX (TKT_ITSM_BASE64_MAX / 3 * 4 + 128 * 1024)
#define SAID_MAX 160 /* bytes of an answer that are shown in an error */

struct tkt_itsm_run {
    struct tkt_http *http;
    const struct tkt_itsm_ops *ops;
    struct tkt_itsm_call *call;
    void (*done)(void *arg, const struct tkt_itsm_result *result);
    void *arg;
    bool repeatable; /* the request under way */
    bool farewell;   /* ... */
    bool wrote;      /* one before it changed something there */
    int also[4];
    int rest_s;
    struct tkt_itsm_result result;
};

static void finish(struct tkt_itsm_run *run)
{
    void (*done)(void *, const struct tkt_itsm_result *) = run->done;
    void *arg = run->arg;

    /* A create is not undone by a key that is none: a look-up comes before another one. */
    if (run->result.err.class == TKT_ERR_NONE &&
        tkt_itsm_tidy(run->call, &run->result.err) < 0) {
        run->result.unsure = run->call->op == TKT_ITSM_CREATE;
    }
    struct tkt_itsm_result result = run->result;

    result.unsure = result.err.class != TKT_ERR_NONE && (result.unsure || run->wrote);
    result.rest_s = run->rest_s;
    run->call->answer = NULL;
    free(run);
    done(arg, &result);
}

/* ---- requests ------------------------------------------------------------------------- */

/* Nothing that an answer says may lead elsewhere: the secret goes along. */
static bool is_ours(const struct tkt_itsm_run *run, const char *url)
{
    struct tkt_err err = TKT_ERR_INIT;
    char want[300];
    char have[300];

    return tkt_http_server(run->call->site->conf->url, want, sizeof(want), &err) == 0 &&
           tkt_http_server(url, have, sizeof(have), &err) == 0 && strcmp(want, have) == 0;
}

static void base64_bytes(struct tkt_buf *out, const char *data, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t v = (uint32_t)(unsigned char)data[i] << 16;

        v |= left > 1 ? (uint32_t)(unsigned char)data[i + 1] << 8 : 0;
        v |= left > 2 ? (uint32_t)(unsigned char)data[i + 2] : 0;
        tkt_buf_addc(out, digits[v >> 18]);
        tkt_buf_addc(out, digits[v >> 12 & 63]);
        tkt_buf_addc(out, left > 1 ? digits[v >> 6 & 63] : '=');
        tkt_buf_addc(out, left > 2 ? digits[v & 63] : '=');
    }
}

static int base64_add(struct tkt_buf *out, const char *user, const char *secret)
{
    TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(AUTH_MAX / 2);

    tkt_buf_addf(&in, "%s:%s", user, secret);
    base64_bytes(out, in.data, in.failed ? 0 : in.len);
    return in.failed || out->failed ? -1 : 0;
}

/* A body that holds a file in base64, for servers that take files no other way. */
static int inline_file(const struct tkt_itsm_request *r, struct tkt_buf *out,
                       struct tkt_err *err)
{
    char chunk[3 * 4096]; /* whole groups of three bytes, but for the last */
    int64_t at = 0;

    tkt_buf_adds(out, r->file_head);
    while (at < r->file->size && r->file->size <= TKT_ITSM_BASE64_MAX) {
        size_t want = (size_t)TKT_MIN(r->file->size - at, (int64_t)sizeof(chunk));
        size_t got = 0;

        if (tkt_pread_full(r->file->fd, chunk, want, (off_t)at, &got, err) < 0) {
            return -1;
        }
        if (got != want) {
            return tkt_err_set(err, TKT_ERR_TEMP, "itsm: a file became shorter");
        }
        base64_bytes(out, chunk, want);
        at += (int64_t)want;
    }
    tkt_buf_adds(out, r->file_tail);
    if (at < r->file->size) {
        return tkt_err_set(err, TKT_ERR_PERM, "the file is too large to go inside JSON");
    }
    return out->failed ? tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory") : 0;
}

static struct tkt_http_peer peer_of(const struct tkt_conf_itsm *conf)
{
    return (struct tkt_http_peer){.ca_file = conf->ca_file,
                                  .client_cert = conf->cert_file,
                                  .client_key = conf->key_file,
                                  .proxy = conf->proxy,
                                  .allow_plain = conf->allow_plain,
                                  .in_flight_max = (int)conf->concurrency};
}

bool tkt_itsm_wants_token(const struct tkt_conf_itsm *conf, const char *secret,
                          const char *client_secret, struct tkt_oauth_ask *ask)
{
    static const enum tkt_oauth_grant grants[] = {
        [TKT_CONF_AUTH_OAUTH_CLIENT] = TKT_OAUTH_CLIENT,
        [TKT_CONF_AUTH_OAUTH_PASSWORD] = TKT_OAUTH_PASSWORD,
        [TKT_CONF_AUTH_OAUTH_JWT] = TKT_OAUTH_JWT,
        [TKT_CONF_AUTH_OAUTH_REFRESH] = TKT_OAUTH_REFRESH};
    bool wants = conf->auth >= TKT_CONF_AUTH_OAUTH_CLIENT;
    enum tkt_oauth_grant grant = wants ? grants[conf->auth] : TKT_OAUTH_CLIENT;
    bool names_user = grant == TKT_OAUTH_PASSWORD || grant == TKT_OAUTH_JWT;

    *ask = (struct tkt_oauth_ask){.grant = grant,
                                  .token_url = conf->token_url,
                                  .client_id = conf->client_id,
                                  .client_secret = client_secret,
                                  .user = names_user ? conf->user : "",
                                  .password = grant == TKT_OAUTH_CLIENT ? "" : secret,
                                  .scope = conf->scope,
                                  .audience = conf->audience,
                                  .key_id = conf->key_id,
                                  .timeout_ms = conf->timeout_ms,
                                  .peer = peer_of(conf)};
    return wants;
}

/* What the section asks for, or what the backend does by default. */
static int add_auth(const struct tkt_itsm_run *run, struct tkt_buf *out)
{
    const struct tkt_itsm_site *site = run->call->site;
    enum tkt_conf_auth auth = site->conf->auth;

    if (site->bearer != NULL && site->bearer[0] != '\0') {
        return tkt_buf_addf(out, "Authorization: Bearer %s", site->bearer);
    }
    if (auth == TKT_CONF_AUTH_DEFAULT) {
        switch (run->ops->auth) {
        case TKT_ITSM_AUTH_BASIC:
            auth = TKT_CONF_AUTH_BASIC;
            break;
        case TKT_ITSM_AUTH_BEARER:
            auth = TKT_CONF_AUTH_BEARER;
            break;
        case TKT_ITSM_AUTH_HEADER:
            auth = TKT_CONF_AUTH_HEADER;
            break;
        case TKT_ITSM_AUTH_KEY_AS_USER:
            tkt_buf_adds(out, "Authorization: Basic ");
            return base64_add(out, site->secret, "X");
        default:
            return 0;
        }
    }
    if (auth == TKT_CONF_AUTH_BASIC) {
        tkt_buf_adds(out, "Authorization: Basic ");
        return base64_add(out, site->conf->user, site->secret);
    }
    if (auth == TKT_CONF_AUTH_HEADER) {
        return tkt_buf_addf(out, "%s%s",
                            run->ops->auth_header ? run->ops->auth_header
                                                  : "Authorization: ",
                            site->secret);
    }
    return auth == TKT_CONF_AUTH_BEARER
               ? tkt_buf_addf(out, "Authorization: Bearer %s", site->secret)
               : 0;
}

/* The three header fields of Standard Webhooks into lines: the time is that of this try. */
static int add_webhook(const struct tkt_itsm_run *run, struct tkt_buf *const lines[3],
                       struct tkt_err *err)
{
    const struct tkt_itsm_request *r = &run->call->request;
    TKT_AUTO_BUF struct tkt_buf signature = TKT_BUF_INIT(AUTH_MAX / 2);
    int64_t now_s = tkt_clock_wall_ms() / 1000;

    if (r->sign && tkt_whsign(run->call->site->secret, r->webhook_id, now_s, r->body,
                              r->body_len, &signature, err) < 0) {
        return tkt_err_prefix(err, "%s", run->call->site->conf->name);
    }
    tkt_buf_addf(lines[0], "webhook-id: %s", r->webhook_id);
    tkt_buf_addf(lines[1], "webhook-timestamp: %" PRId64, now_s);
    if (r->sign) {
        tkt_buf_addf(lines[2], "webhook-signature: %s", tkt_buf_str(&signature));
    }
    return lines[0]->failed || lines[2]->failed
               ? tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory")
               : 0;
}

static void on_response(struct tkt_http_call *http_call, struct tkt_http_response *r);
static int start_program(struct tkt_itsm_run *run, struct tkt_err *err);

/* CONF that is the section's, and none of what this ticket says. */
static int not_ready(struct tkt_itsm_run *run, const struct tkt_err *err)
{
    run->result.not_ready = err->class == TKT_ERR_CONF;
    return -1;
}

static int start(struct tkt_itsm_run *run, struct tkt_err *err)
{
    const struct tkt_itsm_request *r = &run->call->request;
    const struct tkt_conf_itsm *conf = run->call->site->conf;
    TKT_AUTO_BUF struct tkt_buf auth = TKT_BUF_INIT(AUTH_MAX);
    TKT_AUTO_BUF struct tkt_buf inlined = TKT_BUF_INIT(INLINE_MAX);
    TKT_AUTO_BUF struct tkt_buf webhook_id = TKT_BUF_INIT(AUTH_MAX);
    TKT_AUTO_BUF struct tkt_buf webhook_time = TKT_BUF_INIT(AUTH_MAX);
    TKT_AUTO_BUF struct tkt_buf webhook_sign = TKT_BUF_INIT(AUTH_MAX);
    struct tkt_buf *webhook[] = {&webhook_id, &webhook_time, &webhook_sign};
    const char *headers[HEADERS_MAX] = {NULL};
    size_t count = 0;

    if (r->program != NULL) {
        return start_program(run, err);
    }
    if (!is_ours(run, r->url)) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s: an answer leads to another server",
                           conf->name);
    }
    if (add_auth(run, &auth) < 0) {
        tkt_err_set(err, TKT_ERR_CONF, "%s: the secret is too long", conf->name);
        return not_ready(run, err);
    }
    if (auth.len > 0) {
        headers[count++] = tkt_buf_str(&auth);
    }
    headers[count++] = "User-Agent: ticket-milter/" PACKAGE_VERSION;
    if (r->webhook_id != NULL && add_webhook(run, webhook, err) < 0) {
        return not_ready(run, err);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(webhook); i++) {
        if (webhook[i]->len > 0) {
            headers[count++] = tkt_buf_str(webhook[i]);
        }
    }
    for (size_t i = 0; i < r->header_count && count < HEADERS_MAX - 1; i++) {
        headers[count++] = r->headers[i];
    }
    struct tkt_http_request request = {
        .method = r->method,
        .url = r->url,
        .headers = headers,
        .body = r->body,
        .body_len = r->body_len,
        .accept_type = NULL, /* judged here: an error page has its own words */
        .timeout_ms = conf->timeout_ms,
        .repeatable = r->repeatable,
        .peer = peer_of(conf),
        .done = on_response,
        .arg = run};
    request.peer.public_only = r->public_only;
    if (r->file != NULL && r->file_base64) {
        if (inline_file(r, &inlined, err) < 0) {
            return -1;
        }
        request.body = tkt_buf_str(&inlined);
        request.body_len = inlined.len;
    } else if (r->file != NULL) {
        request.body = NULL;
        request.body_fd = r->file->fd;
        request.body_size = r->file->size;
        request.body_head = r->file_head;
        request.body_tail = r->file_tail;
        request.stall_ms = conf->timeout_ms;
    }
    run->repeatable = r->repeatable;
    run->farewell = r->farewell;
    memcpy(run->also, r->also, sizeof(run->also));
    bool good_url = tkt_http_check_url(r->url, &request.peer, err) == 0;
    struct tkt_http_call *started =
        good_url ? tkt_http_start(run->http, &request, err) : NULL;
    tkt_wipe(auth.data, auth.len);
    return started != NULL ? 0 : good_url ? not_ready(run, err) : -1;
}

/* ---- steps ---------------------------------------------------------------------------- */

/* true: a request is under way. */
static bool advance(struct tkt_itsm_run *run)
{
    struct tkt_itsm_call *call = run->call;
    struct tkt_err *err = &run->result.err;

    if (call->step == TKT_ITSM_STEPS_MAX) {
        tkt_err_set(err, TKT_ERR_BUG, "%s: %s takes too many steps", run->ops->type,
                    tkt_itsm_op_names[call->op]);
        return false;
    }
    memset(&call->request, 0, sizeof(call->request));
    enum tkt_itsm_next next = run->ops->steps[call->op](call, err);
    if (next == TKT_ITSM_SEND && start(run, err) == 0) {
        return true;
    }
    if (next == TKT_ITSM_DONE || (next == TKT_ITSM_SEND && call->request.farewell)) {
        *err = (struct tkt_err)TKT_ERR_INIT;
    }
    run->result.unauthorized = next == TKT_ITSM_FAILED && call->unauthorized;
    return false;
}

static bool is_wanted(const struct tkt_itsm_run *run, int status)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(run->also); i++) {
        if (status != 0 && run->also[i] == status) {
            return true;
        }
    }
    return false;
}

static bool is_json(const struct tkt_http_response *r)
{
    char room[128];
    const char *type = tkt_http_header(r, "content-type", room, sizeof(room));
    size_t n = type == NULL ? 0 : strcspn(type, "; \t");

    return (n == 16 && tkt_ascii_ieqn(type, "application/json", n)) ||
           (n > 5 && tkt_ascii_ieqn(type + n - 5, "+json", 5));
}

/* The server's words where the backend has none of its own, without control characters. */
static void say(struct tkt_itsm_run *run, const struct tkt_itsm_answer *a)
{
    TKT_AUTO_BUF struct tkt_buf said = TKT_BUF_INIT(4 * SAID_MAX);
    struct tkt_err *err = &run->result.err;

    if (a->status != 0 && run->ops->refusal != NULL) {
        int told_s = err->retry_after_s;

        run->ops->refusal(a, err);
        err->retry_after_s = TKT_MAX(err->retry_after_s, told_s);
    } else if (a->json != NULL && a->len > 0) {
        for (size_t i = 0; i < TKT_MIN(a->len, (size_t)SAID_MAX); i++) {
            unsigned char c = (unsigned char)a->body[i];
            tkt_buf_addc(&said, c < 0x20 || c == 0x7f ? ' ' : a->body[i]);
        }
        enum tkt_err_class class = err->class;
        int retry_after_s = err->retry_after_s;
        tkt_err_set(err, class, "%.200s: %s", err->text, tkt_buf_str(&said));
        err->retry_after_s = retry_after_s;
    }
}

/* A 2xx that is no JSON where JSON was asked for is a page of some proxy or a log-in. */
static bool is_page(const struct tkt_itsm_run *run, const struct tkt_http_response *r)
{
    return run->call->request.accept_type != NULL && r->outcome == TKT_HTTP_DONE &&
           r->body.len > 0 && !is_json(r);
}

/* Sent elsewhere instead of an answer in JSON: to a log-in, as a rule, or to the word that
 * all is being repaired. */
static bool leads_away(const struct tkt_itsm_run *run, const struct tkt_http_response *r)
{
    return run->call->request.accept_type != NULL && r->status >= 300 &&
           r->status < 400 && !is_wanted(run, r->status);
}

/* The answer is one that the backend reads. true: another request is under way. */
static bool next_step(struct tkt_itsm_run *run, const struct tkt_itsm_answer *a,
                      bool is_done)
{
    bool was_repeatable = run->repeatable;

    run->result = (struct tkt_itsm_result){.err = TKT_ERR_INIT};
    run->call->answer = a;
    run->call->step++;
    bool going = advance(run);
    /* What fails from here on fails behind a change that was made. */
    run->wrote = run->wrote || (going && !was_repeatable && is_done);
    run->result.unsure =
        !going && run->result.err.class == TKT_ERR_TEMP && !was_repeatable;
    return going;
}

static void read_response(struct tkt_itsm_run *run, struct tkt_http_response *r)
{
    run->rest_s = TKT_MAX(run->rest_s, tkt_http_rest_s(r, tkt_clock_wall_ms() / 1000));
    if (run->farewell) {
        run->result = (struct tkt_itsm_result){.err = TKT_ERR_INIT};
        finish(run);
        return;
    }
    struct tkt_itsm_answer a = {.status = r->status,
                                .body = tkt_buf_str(&r->body),
                                .len = r->body.len,
                                .response = r};
    cJSON *json = is_json(r) ? cJSON_ParseWithLength(a.body, a.len) : NULL;
    bool going = false;

    a.json = json;
    run->result = (struct tkt_itsm_result){.err = r->err,
                                           .unsure = r->outcome == TKT_HTTP_UNKNOWN,
                                           .unauthorized = r->status == 401};
    if (is_page(run, r)) {
        tkt_err_set(&run->result.err, TKT_ERR_TEMP,
                    "%s answers with a page instead of JSON: is url right, is it awake?",
                    run->call->site->conf->name);
        run->result.unsure = !run->repeatable;
    } else if (leads_away(run, r)) {
        run->result.err.class = TKT_ERR_TEMP;
        run->result.unsure = !run->repeatable;
    } else if (r->outcome == TKT_HTTP_DONE || is_wanted(run, r->status)) {
        going = next_step(run, &a, r->outcome == TKT_HTTP_DONE);
    } else {
        say(run, &a);
    }
    run->call->answer = NULL;
    cJSON_Delete(json);
    if (!going) {
        finish(run);
    }
}

/* ---- a program ------------------------------------------------------------------------ */

static void on_program(void *arg, struct tkt_program_end *end)
{
    struct tkt_itsm_run *run = arg;
    struct tkt_itsm_answer a = {
        .status = 200, .body = tkt_buf_str(&end->out), .len = end->out.len};
    cJSON *json = cJSON_ParseWithLength(a.body, a.len);
    bool going = false;

    a.json = json;
    run->result = (struct tkt_itsm_result){.err = TKT_ERR_INIT};
    if (end->how == TKT_PROGRAM_EXITED && end->code == 0) {
        going = next_step(run, &a, true);
    } else {
        bool unsure = tkt_itsm_exit_error(end, json, &run->result.err);

        (void)tkt_err_prefix(&run->result.err, "%s", run->call->site->conf->name);
        run->result.unsure = unsure && !run->repeatable;
        run->result.unauthorized =
            end->how == TKT_PROGRAM_EXITED && end->code == EX_NOPERM;
    }
    run->call->answer = NULL;
    cJSON_Delete(json);
    if (!going) {
        finish(run);
    }
}

static int start_program(struct tkt_itsm_run *run, struct tkt_err *err)
{
    const struct tkt_itsm_request *r = &run->call->request;
    const struct tkt_program_ask ask = {.path = r->program,
                                        .in = r->body,
                                        .in_len = r->body_len,
                                        .file_fd = r->file == NULL ? -1 : r->file->fd,
                                        .timeout_ms = run->call->site->conf->timeout_ms,
                                        .done = on_program,
                                        .arg = run};

    run->repeatable = r->repeatable;
    run->farewell = r->farewell;
    return tkt_program_start(run->http, &ask, err) < 0 ? not_ready(run, err) : 0;
}

static void on_response(struct tkt_http_call *http_call, struct tkt_http_response *r)
{
    read_response(tkt_http_arg(http_call), r);
}

struct tkt_itsm_run *tkt_itsm_run_start(
    struct tkt_http *http, const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
    void (*done)(void *arg, const struct tkt_itsm_result *result), void *arg)
{
    struct tkt_itsm_run *run = calloc(1, sizeof(*run));
    struct tkt_itsm_result result = {.err = TKT_ERR_INIT};

    if (run == NULL) {
        tkt_err_set(&result.err, TKT_ERR_TEMP, "itsm: no memory");
        done(arg, &result);
        return NULL;
    }
    *run = (struct tkt_itsm_run){
        .http = http, .ops = ops, .call = call, .done = done, .arg = arg};
    run->result.err = (struct tkt_err)TKT_ERR_INIT;
    call->answer = NULL;
    call->step = 0;
    call->stage = 0;
    call->state = NULL;
    call->unauthorized = false;
    if (ops->steps[call->op] == NULL || !advance(run)) {
        finish(run);
        return NULL;
    }
    return run;
}

void tkt_itsm_run_drop(struct tkt_itsm_run **run)
{
    free(*run);
    *run = NULL;
}

/* ---- alone ---------------------------------------------------------------------------- */

struct alone {
    bool is_done;
    struct tkt_itsm_result result;
};

static void on_done(void *arg, const struct tkt_itsm_result *result)
{
    struct alone *alone = arg;

    alone->is_done = true;
    alone->result = *result;
}

void tkt_itsm_run_wait(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
                       struct tkt_itsm_result *out)
{
    struct alone alone = {.result = {.err = TKT_ERR_INIT}};
    struct tkt_http *http = tkt_http_new(&alone.result.err);

    if (http != NULL) {
        (void)tkt_itsm_run_start(http, ops, call, on_done, &alone); /* alone is told */
        while (!alone.is_done) {
            tkt_http_poll(http, 1000);
        }
        tkt_http_free(&http);
    }
    *out = alone.result;
}
