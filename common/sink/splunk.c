/* SPDX-License-Identifier: BSD-2-Clause
 * Splunk's HTTP event collector.
 *
 * Every request names a channel: a token with indexer acknowledgement asks for one, and
 * then an answer has an ackId, others do not mind. Without acknowledgement an answer of 0
 * means "looks valid".
 * Source: Splunk Enterprise, "Format events for HTTP Event Collector", "About HTTP Event
 * Collector Indexer Acknowledgment", "HTTP Event Collector REST API endpoints".
 */
#include "base/enc.h"
#include "base/util.h"
#include "sink/sinks.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum meaning {
    LATER,  /* it is busy, or something broke inside */
    CONFIG, /* token, channel, index */
    EVENT   /* one of the events */
};

/* Its codes, whatever the HTTP status. */
static const struct {
    int code;
    enum meaning meaning;
} codes[] = {{1, CONFIG}, {2, CONFIG},  {3, CONFIG},  {4, CONFIG},
             {5, EVENT},  {6, EVENT},   {7, CONFIG},  {8, LATER},
             {9, LATER},  {10, CONFIG}, {11, CONFIG}, {12, EVENT},
             {13, EVENT}, {14, CONFIG}, {16, CONFIG}, {18, LATER}};

static int check(const struct tkt_conf_sink *conf, struct tkt_err *err)
{
    return conf->secret[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "secret is missing: the collector's token");
}

static void add(const struct tkt_conf_sink *conf, const struct tkt_store_event_out *event,
                const struct tkt_buf *document, struct tkt_buf *out)
{
    (void)tkt_buf_addf(out, "{\"time\":%" PRId64 ".%03d,\"host\":", event->at_ms / 1000,
                       (int)(event->at_ms % 1000)); /* out->failed tells of all these */
    (void)tkt_json_add_string(out, event->host, strlen(event->host));
    (void)tkt_buf_adds(out, ",\"source\":\"ticket-milter\",\"sourcetype\":\"_json\"");
    if (conf->index[0] != '\0') {
        (void)tkt_buf_adds(out, ",\"index\":");
        (void)tkt_json_add_string(out, conf->index, strlen(conf->index));
    }
    (void)tkt_buf_adds(out, ",\"event\":");
    (void)tkt_buf_add(out, document->data, document->len);
    (void)tkt_buf_addc(out, '}');
}

static int build(struct tkt_sink_call *call, struct tkt_err *err)
{
    char path[160];

    if (call->is_ack) {
        snprintf(path, sizeof(path), "/services/collector/ack?channel=%s", call->channel);
    } else {
        snprintf(path, sizeof(path), "/services/collector/event");
    }
    call->headers[0] = tkt_sink_keep(call, "Authorization: Splunk ", call->secret, err);
    call->headers[1] =
        tkt_sink_keep(call, "X-Splunk-Request-Channel: ", call->channel, err);
    call->headers[2] = "Content-Type: application/json";
    call->headers[3] = NULL;
    return call->headers[0] == NULL || call->headers[1] == NULL
               ? -1
               : tkt_sink_url(call, path, err);
}

static int number(const cJSON *json, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsNumber(n) && n->valuedouble >= 0 && n->valuedouble < INT32_MAX
               ? (int)n->valuedouble
               : -1;
}

/* What it says, on one line. */
static const char *words(const cJSON *json, char room[TKT_SINK_WHY_MAX])
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "text"));
    size_t n = text == NULL ? 0 : tkt_utf8_cut(text, strlen(text), 160);

    for (size_t i = 0; i < n; i++) {
        room[i] = (char)((unsigned char)text[i] < 0x20 ? ' ' : text[i]);
    }
    room[n] = '\0';
    return room;
}

static int refused(struct tkt_sink_call *call, const cJSON *json, int code,
                   struct tkt_err *err)
{
    char room[TKT_SINK_WHY_MAX];
    enum meaning meaning = LATER;
    int bad = number(json, "invalid-event-number");
    int later_s = err->retry_after_s;

    for (size_t i = 0; i < TKT_ARRAY_LEN(codes); i++) {
        meaning = codes[i].code == code ? codes[i].meaning : meaning;
    }
    if (call->is_ack) {
        meaning = meaning == EVENT ? LATER : meaning; /* there are no events in it */
    }
    if (meaning == EVENT && call->count == 1) {
        bad = 0; /* there is no other */
    }
    if (meaning == EVENT && bad >= 0 && (size_t)bad < call->count) {
        call->items[bad] = TKT_SINK_ASIDE;
        snprintf(call->why, TKT_SINK_WHY_MAX, "code %d: %.180s", code, words(json, room));
        *err = (struct tkt_err)TKT_ERR_INIT;
        return 0;
    }
    if (meaning == EVENT) {
        call->is_too_large = true; /* half of them will show which one it is */
    }
    tkt_err_set(err, meaning == CONFIG ? TKT_ERR_CONF : TKT_ERR_TEMP,
                "Splunk: code %d: %.180s", code, words(json, room));
    err->retry_after_s = later_s;
    return -1;
}

static int read_acks(struct tkt_sink_call *call, const cJSON *json, struct tkt_err *err)
{
    char name[24];

    snprintf(name, sizeof(name), "%" PRId64, call->ack);
    const cJSON *one = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(json, "acks"), name);
    if (!cJSON_IsBool(one)) {
        return tkt_err_set(err, TKT_ERR_TEMP, "Splunk: no answer to ackId %s", name);
    }
    call->is_acked = cJSON_IsTrue(one);
    return 0;
}

static int taken(struct tkt_sink_call *call, const cJSON *json)
{
    const cJSON *ack = cJSON_GetObjectItemCaseSensitive(json, "ackId");

    call->wants_ack = cJSON_IsNumber(ack) && ack->valuedouble >= 0 &&
                      ack->valuedouble < 9007199254740992.0;
    call->ack = call->wants_ack ? (int64_t)ack->valuedouble : 0;
    for (size_t i = 0; i < call->count; i++) {
        call->items[i] = TKT_SINK_DONE;
    }
    return 0;
}

static int judge(struct tkt_sink_call *call, const struct tkt_http_response *response,
                 const cJSON *json, struct tkt_err *err)
{
    int code = number(json, "code");

    *err = response->err;
    if (response->status == 413) {
        call->is_too_large = true;
        return tkt_err_set(err, TKT_ERR_TEMP, "Splunk: too large");
    }
    if (code > 0) {
        return refused(call, json, code, err);
    }
    if (response->outcome != TKT_HTTP_DONE) {
        err->class = err->class == TKT_ERR_PERM ? TKT_ERR_CONF : err->class;
        return -1;
    }
    if (call->is_ack) {
        return read_acks(call, json, err);
    }
    return code == 0 ? taken(call, json)
                     : tkt_err_set(err, TKT_ERR_TEMP,
                                   "Splunk: the answer is none of the collector's");
}

static int read_answer(struct tkt_sink_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    cJSON *json = response->body.len > 0
                      ? cJSON_ParseWithLength(response->body.data, response->body.len)
                      : NULL;
    int rc = judge(call, response, json, err);

    cJSON_Delete(json);
    return rc;
}

const struct tkt_sink_ops tkt_sink_splunk = {.type = "splunk",
                                             .title = "Splunk (HTTP event collector)",
                                             .check = check,
                                             .add = add,
                                             .build = build,
                                             .read = read_answer};
