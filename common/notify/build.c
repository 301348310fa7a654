/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticket_config.h"

#include "notify/build.h"

#include "base/enc.h"
#include "base/util.h"
#include "net/json.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEADERS_MAX 12
#define WORDS_MAX 200 /* of a vendor, in a reason */

/* ---- texts ---------------------------------------------------------------------------- */

const char *tkt_channel_text(struct tkt_channel_call *call, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *out = n < 0 ? NULL : tkt_wire_arena_alloc(&call->arena, (size_t)n + 1);
    if (out != NULL) {
        va_start(ap, fmt);
        (void)vsnprintf(out, (size_t)n + 1, fmt, ap); /* measured above */
        va_end(ap);
    }
    return out;
}

char *tkt_channel_keep(struct tkt_channel_call *call, const char *text)
{
    return text == NULL ? NULL : tkt_wire_arena_strdup(&call->arena, text, strlen(text));
}

const char *tkt_channel_base(struct tkt_channel_call *call, const char *vendor)
{
    const char *url = call->conf->url[0] != '\0' ? call->conf->url : vendor;
    char *out = tkt_channel_keep(call, url);

    for (size_t n = out == NULL ? 0 : strlen(out); n > 0 && out[n - 1] == '/'; n--) {
        out[n - 1] = '\0';
    }
    return out;
}

const char *tkt_channel_escape(struct tkt_channel_call *call, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4 * TKT_NOTICE_TEXT_MAX);

    return text == NULL || tkt_escape_add(TKT_ESCAPE_URL, text, &out) < 0
               ? NULL
               : tkt_channel_keep(call, tkt_buf_str(&out));
}

/* Bytes of the first max characters. */
static size_t bytes_of(const char *text, size_t max)
{
    size_t points = 0;
    size_t i = 0;

    for (; text[i] != '\0'; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && points++ == max) {
            break;
        }
    }
    return i;
}

static const char *cut(struct tkt_channel_call *call, const char *text, size_t max,
                       bool lines)
{
    static const char more[] = "...";
    size_t n = text == NULL ? 0 : bytes_of(text, max);
    bool is_cut = text != NULL && text[n] != '\0';

    if (is_cut) {
        n = bytes_of(text, max - strlen(more));
    }
    char *out =
        text == NULL ? NULL : tkt_wire_arena_alloc(&call->arena, n + sizeof(more));

    for (size_t i = 0; out != NULL && i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        bool keeps = (c >= 0x20 && c != 0x7f) || (lines && c == '\n');

        out[i] = keeps ? text[i] : ' ';
    }
    if (out != NULL) {
        memcpy(out + n, is_cut ? more : "", is_cut ? sizeof(more) : 1);
    }
    return out;
}

const char *tkt_channel_cut(struct tkt_channel_call *call, const char *text, size_t max)
{
    return cut(call, text, max, true);
}

const char *tkt_channel_line(struct tkt_channel_call *call, const char *text, size_t max)
{
    return cut(call, text, max, false);
}

const char *tkt_channel_time(struct tkt_channel_call *call, int64_t at_ms)
{
    time_t at_s = (time_t)(at_ms / 1000);
    char text[40];
    struct tm tm;

    return gmtime_r(&at_s, &tm) != NULL &&
                   strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0
               ? tkt_channel_keep(call, text)
               : NULL;
}

size_t tkt_channel_facts(struct tkt_channel_call *call,
                         struct tkt_channel_fact out[TKT_CHANNEL_FACTS_MAX])
{
    const struct tkt_notice *n = call->notice;
    const char *priority =
        n->priority > 0 ? tkt_channel_text(call, "P%d", n->priority) : "";
    const struct tkt_channel_fact all[TKT_CHANNEL_FACTS_MAX] = {
        {"Ticket", n->ticket},     {"Number", n->number}, {"Group", n->group},
        {"Assignee", n->assignee}, {"State", n->state},   {"Priority", priority}};
    size_t count = 0;

    for (size_t i = 0; i < TKT_CHANNEL_FACTS_MAX; i++) {
        if (all[i].value != NULL && all[i].value[0] != '\0') {
            out[count++] = all[i];
        }
    }
    return count;
}

const char *tkt_channel_to(const struct tkt_channel_call *call)
{
    return call->notice->to[0] != '\0' ? call->notice->to : call->conf->to;
}

/* ---- requests ------------------------------------------------------------------------- */

void tkt_channel_header(struct tkt_channel_call *call, const char *line)
{
    const char **list = (const char **)(uintptr_t)call->request.headers;
    size_t n = 0;

    if (list == NULL) {
        list = tkt_wire_arena_alloc(&call->arena, (HEADERS_MAX + 1) * sizeof(*list));
        if (list == NULL) {
            return; /* post finds it */
        }
        list[0] = NULL;
        call->request.headers = list;
    }
    while (n < HEADERS_MAX && list[n] != NULL) {
        n++;
    }
    if (n < HEADERS_MAX) {
        /* A line that got no memory becomes one that post refuses. */
        list[n] = line != NULL ? line : "";
        list[n + 1] = NULL;
    }
}

void tkt_channel_bearer(struct tkt_channel_call *call)
{
    tkt_channel_header(
        call, tkt_channel_text(call, "Authorization: Bearer %s",
                               call->bearer[0] != '\0' ? call->bearer : call->secret));
}

void tkt_channel_basic(struct tkt_channel_call *call, const char *user,
                       const char *password)
{
    const char *pair = tkt_channel_text(call, "%s:%s", user, password);
    size_t n = pair == NULL ? 0 : strlen(pair);
    unsigned char *coded = tkt_wire_arena_alloc(&call->arena, (n + 2) / 3 * 4 + 1);

    if (pair == NULL || coded == NULL) {
        tkt_channel_header(call, NULL);
        return;
    }
    EVP_EncodeBlock(coded, (const unsigned char *)pair, (int)n);
    tkt_channel_header(call, tkt_channel_text(call, "Authorization: Basic %s", coded));
}

int tkt_channel_post(struct tkt_channel_call *call, const char *url, const char *type,
                     const char *body, struct tkt_err *err)
{
    struct tkt_http_request *r = &call->request;
    bool whole = url != NULL && body != NULL;

    tkt_channel_header(call, tkt_channel_text(call, "Content-Type: %s", type));
    tkt_channel_header(call, "User-Agent: ticket-milter/" PACKAGE_VERSION);
    whole = whole && r->headers != NULL;
    for (size_t i = 0; whole && r->headers[i] != NULL; i++) {
        whole = r->headers[i][0] != '\0';
    }
    if (!whole) {
        return tkt_err_set(err, TKT_ERR_TEMP, "notify: no memory");
    }
    r->method = "POST";
    r->url = url;
    r->body = body;
    r->body_len = strlen(body);
    return 0;
}

int tkt_channel_post_json(struct tkt_channel_call *call, const char *url, cJSON *json,
                          struct tkt_err *err)
{
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);
    const char *body = tkt_channel_keep(call, text);

    cJSON_free(text);
    cJSON_Delete(json);
    return tkt_channel_post(call, url, "application/json; charset=utf-8", body, err);
}

/* ---- answers -------------------------------------------------------------------------- */

cJSON *tkt_channel_json(const struct tkt_http_response *response)
{
    return cJSON_ParseWithLength(tkt_buf_str(&response->body), response->body.len);
}

const char *tkt_channel_str(struct tkt_channel_call *call, const cJSON *json,
                            const char *path)
{
    const cJSON *item = tkt_json_at(json, path);
    const char *out = "";

    if (cJSON_IsString(item)) {
        out = tkt_channel_keep(call, item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        out = tkt_channel_text(call, "%.0f", item->valuedouble);
    }
    return out != NULL ? out : "";
}

int tkt_channel_refuse(struct tkt_err *err, enum tkt_err_class class, const char *vendor,
                       const char *what)
{
    char line[WORDS_MAX + 1];

    snprintf(line, sizeof(line), "%.*s", (int)tkt_utf8_cut(what, strlen(what), WORDS_MAX),
             what);
    for (char *p = line; *p != '\0'; p++) {
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p;
    }
    return tkt_err_set(err, class, "%s: %s", vendor, line);
}

int tkt_channel_by_status(struct tkt_channel_call *call,
                          const struct tkt_http_response *response, const char *vendor,
                          const char *words, struct tkt_err *err)
{
    if (response->outcome == TKT_HTTP_DONE) {
        return 0;
    }
    call->unauthorized = response->status == 401;
    *err = response->err;
    if (words[0] != '\0') {
        (void)tkt_channel_refuse(err, response->err.class, vendor, words);
        err->retry_after_s = response->err.retry_after_s;
    }
    return -1;
}
