/* SPDX-License-Identifier: BSD-2-Clause
 * Elasticsearch's _bulk.
 *
 * Events are created under ids of ours: one that is sent again is refused with 409, which
 * means that it is there. The index may be a data stream (these only take "create").
 * Source: elastic/elasticsearch-specification, specification/_global/bulk.
 */
#include "base/enc.h"
#include "base/util.h"
#include "sink/sinks.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INDEX "logs-ticket_milter-default"
#define PATH                                                                             \
    "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"

static int check(const struct tkt_conf_sink *conf, struct tkt_err *err)
{
    return conf->user[0] == '\0' || conf->secret[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "secret is missing: %s's password",
                             conf->user);
}

static void add(const struct tkt_conf_sink *conf, const struct tkt_store_event_out *event,
                const struct tkt_buf *document, struct tkt_buf *out)
{
    const char *index = conf->index[0] != '\0' ? conf->index : INDEX;
    char id[300];

    int n = snprintf(id, sizeof(id), "%.200s-%" PRId64 "-%s", event->host, event->id,
                     event->mark);
    (void)tkt_buf_adds(out, "{\"create\":{\"_index\":"); /* out->failed tells */
    (void)tkt_json_add_string(out, index, strlen(index));
    (void)tkt_buf_adds(out, ",\"_id\":");
    (void)tkt_json_add_string(out, id, (size_t)n);
    (void)tkt_buf_adds(out, "}}\n");
    (void)tkt_buf_add(out, document->data, document->len);
    (void)tkt_buf_addc(out, '\n');
}

static int add_basic(struct tkt_sink_call *call, struct tkt_err *err)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char pair[1400], text[1900];
    int n = snprintf(pair, sizeof(pair), "%s:%s", call->conf->user, call->secret);
    size_t k = 0;

    if (n < 0 || (size_t)n >= sizeof(pair)) {
        return tkt_err_set(err, TKT_ERR_CONF, "the secret is too long");
    }
    for (int i = 0; i < n; i += 3) {
        uint32_t b = (uint32_t)(unsigned char)pair[i] << 16;

        b |= i + 1 < n ? (uint32_t)(unsigned char)pair[i + 1] << 8 : 0;
        b |= i + 2 < n ? (uint32_t)(unsigned char)pair[i + 2] : 0;
        text[k++] = digits[b >> 18];
        text[k++] = digits[b >> 12 & 63];
        text[k++] = (char)(i + 1 < n ? digits[b >> 6 & 63] : '=');
        text[k++] = (char)(i + 2 < n ? digits[b & 63] : '=');
    }
    text[k] = '\0';
    explicit_bzero(pair, sizeof(pair));
    call->headers[1] = tkt_sink_keep(call, "Authorization: Basic ", text, err);
    explicit_bzero(text, sizeof(text));
    return call->headers[1] == NULL ? -1 : 0;
}

static int build(struct tkt_sink_call *call, struct tkt_err *err)
{
    call->headers[0] = "Content-Type: application/x-ndjson";
    call->headers[1] = NULL;
    call->headers[2] = NULL;
    if (call->conf->user[0] != '\0') {
        if (add_basic(call, err) < 0) {
            return -1;
        }
    } else if (call->secret[0] != '\0') {
        call->headers[1] =
            tkt_sink_keep(call, "Authorization: ApiKey ", call->secret, err);
        if (call->headers[1] == NULL) {
            return -1;
        }
    }
    return tkt_sink_url(call, PATH, err);
}

/* ---- answers -------------------------------------------------------------------------- */

static const char *str(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return text == NULL ? "" : text;
}

static void say(const cJSON *one, int status, char out[TKT_SINK_WHY_MAX])
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(one, "error");

    snprintf(out, TKT_SINK_WHY_MAX, "status %d: %.60s: %.140s", status,
             str(error, "type"), str(error, "reason"));
    for (char *p = out; *p != '\0'; p++) {
        *p = (char)((unsigned char)*p < 0x20 ? ' ' : *p);
    }
}

/* One event's part of the answer. Only what the event itself is refused for puts it aside;
 * what concerns the index or who we are concerns all, and a person. */
static void read_item(struct tkt_sink_call *call, size_t i, const cJSON *one,
                      struct tkt_err *err)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(one, "status");
    int status = cJSON_IsNumber(number) ? number->valueint : 0;
    char why[TKT_SINK_WHY_MAX];

    if ((status >= 200 && status < 300) || status == 409) {
        call->items[i] = TKT_SINK_DONE;
        return;
    }
    say(one, status, why);
    if (status == 400) {
        call->items[i] = TKT_SINK_ASIDE;
        if (call->why[0] == '\0') {
            snprintf(call->why, TKT_SINK_WHY_MAX, "%s", why);
        }
        return;
    }
    bool is_conf = status == 401 || status == 403 || status == 404;
    if (err->class == TKT_ERR_NONE || (is_conf && err->class != TKT_ERR_CONF)) {
        tkt_err_set(err, is_conf ? TKT_ERR_CONF : TKT_ERR_TEMP, "Elasticsearch: %s", why);
    }
}

static int read_items(struct tkt_sink_call *call, const cJSON *json, struct tkt_err *err)
{
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(json, "items");
    size_t i = 0;

    if (!cJSON_IsArray(items) || (size_t)cJSON_GetArraySize(items) != call->count) {
        return tkt_err_set(err, TKT_ERR_TEMP,
                           "Elasticsearch: the answer does not tell of each event");
    }
    for (const cJSON *item = items->child; item != NULL; item = item->next) {
        read_item(call, i++, item->child, err);
    }
    return 0;
}

static int read_answer(struct tkt_sink_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    *err = response->err;
    if (response->status == 413) {
        call->is_too_large = true;
        return tkt_err_set(err, TKT_ERR_TEMP, "Elasticsearch: too large");
    }
    if (response->outcome != TKT_HTTP_DONE) {
        err->class = err->class == TKT_ERR_PERM ? TKT_ERR_CONF : err->class;
        return -1;
    }
    cJSON *json = response->body.len > 0
                      ? cJSON_ParseWithLength(response->body.data, response->body.len)
                      : NULL;
    int rc = read_items(call, json, err);
    cJSON_Delete(json);
    return rc;
}

const struct tkt_sink_ops tkt_sink_elasticsearch = {.type = "elasticsearch",
                                                    .title = "Elasticsearch (_bulk)",
                                                    .check = check,
                                                    .add = add,
                                                    .build = build,
                                                    .read = read_answer};
