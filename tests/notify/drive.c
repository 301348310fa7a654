/* SPDX-License-Identifier: BSD-2-Clause
 * Sends one notice by one channel, for the suite of the channels:
 *
 *     channel_drive CONF NAME < notice.json > result.json
 *
 * notice.json: members as in notify/notify.h, "what" by its name. The result: {"ok", "class",
 * "error", "retry_after", "unauthorized", "undeliverable", "id", "thread"}; of mail
 * "outcome", too.
 */
#include "base/clock.h"
#include "base/util.h"
#include "notify/mail.h"
#include "notify/send.h"
#include "secret/secret.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (4 * 1024 * 1024)

static const char *text(const cJSON *json, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return s == NULL ? "" : s;
}

static double number(const cJSON *json, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

static enum tkt_notice_what what_of(const cJSON *json)
{
    for (int i = 0; i < TKT_NOTICE_WHATS; i++) {
        if (strcmp(tkt_notice_names[i], text(json, "what")) == 0) {
            return (enum tkt_notice_what)i;
        }
    }
    return TKT_NOTICE_CREATED;
}

static const struct tkt_conf_channel *section(const struct tkt_conf *conf,
                                              const char *name)
{
    for (size_t i = 0; i < conf->channel_count; i++) {
        if (strcmp(conf->channels[i].name, name) == 0) {
            return &conf->channels[i];
        }
    }
    return NULL;
}

static int die(const char *what, const struct tkt_err *err)
{
    fprintf(stderr, "channel_drive: %s%s%s\n", what, err ? ": " : "",
            err ? err->text : "");
    return 2;
}

static void print(const struct tkt_channel_call *call, int rc, const char *outcome,
                  const struct tkt_err *err)
{
    cJSON *out = cJSON_CreateObject();

    cJSON_AddBoolToObject(out, "ok", rc == 0);
    cJSON_AddStringToObject(out, "outcome", outcome);
    cJSON_AddNumberToObject(out, "class", err->class);
    cJSON_AddStringToObject(out, "error", err->text);
    cJSON_AddNumberToObject(out, "retry_after", err->retry_after_s);
    cJSON_AddBoolToObject(out, "unauthorized", call->unauthorized);
    cJSON_AddBoolToObject(out, "undeliverable", call->undeliverable);
    cJSON_AddStringToObject(out, "id", call->seen.id ? call->seen.id : "");
    cJSON_AddStringToObject(out, "thread", call->seen.thread ? call->seen.thread : "");
    char *json = cJSON_PrintUnformatted(out);
    puts(json);
    free(json);
    cJSON_Delete(out);
}

int main(int argc, char **argv)
{
    static char in[INPUT_MAX];
    static const char *const headers[] = {"Auto-Submitted: auto-replied",
                                          "X-Auto-Response-Suppress: All", NULL};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_secret secret = TKT_SECRET_INIT;

    if (argc != 3) {
        return die("usage: channel_drive CONF NAME < notice.json", NULL);
    }
    struct tkt_conf *conf = tkt_conf_load(argv[1], &err);
    const struct tkt_conf_channel *channel = conf == NULL ? NULL : section(conf, argv[2]);
    const struct tkt_channel_ops *ops =
        channel == NULL ? NULL : tkt_channel_find(channel->type);
    if (ops == NULL) {
        return die("no such section", &err);
    }
    if (tkt_channel_check_all(conf, &err) < 0 ||
        (channel->secret[0] != '\0' &&
         tkt_secret_get(channel->secret, &secret, &err) < 0)) {
        return die("section", &err);
    }
    cJSON *j = cJSON_ParseWithLength(in, fread(in, 1, sizeof(in) - 1, stdin));
    if (j == NULL) {
        return die("standard input is no notice", NULL);
    }
    const struct tkt_notice notice = {.id = text(j, "id"),
                                      .what = what_of(j),
                                      .to = text(j, "to"),
                                      .to_name = text(j, "to_name"),
                                      .role = text(j, "role"),
                                      .language = text(j, "language"),
                                      .subject = text(j, "subject"),
                                      .text = text(j, "text"),
                                      .html = text(j, "html"),
                                      .ticket = text(j, "ticket"),
                                      .corr = text(j, "corr"),
                                      .number = text(j, "number"),
                                      .url = text(j, "url"),
                                      .desk = text(j, "desk"),
                                      .group = text(j, "group"),
                                      .assignee = text(j, "assignee"),
                                      .state = text(j, "state"),
                                      .priority = (int)number(j, "priority"),
                                      .is_over = number(j, "over") != 0,
                                      .at_ms = (int64_t)number(j, "at_ms"),
                                      .thread = text(j, "thread"),
                                      .from = text(j, "from"),
                                      .from_name = text(j, "from_name"),
                                      .reply_to = text(j, "reply_to"),
                                      .return_path = text(j, "return_path"),
                                      .message_id = text(j, "message_id"),
                                      .in_reply_to = text(j, "in_reply_to"),
                                      .references = text(j, "references"),
                                      .headers = headers};
    struct tkt_channel_call call = {.conf = channel,
                                    .secret = secret.data ? secret.data : "",
                                    .bearer = "",
                                    .notice = &notice,
                                    .now_ms = tkt_clock_wall_ms()};
    enum tkt_http_outcome outcome = TKT_HTTP_DONE;
    int rc = ops->way == TKT_CHANNEL_MAIL      ? tkt_mail_run(&call, &outcome, &err)
             : ops->way == TKT_CHANNEL_PROGRAM ? ops->run(&call, &outcome, &err)
                                               : tkt_channel_send_wait(ops, &call, &err);
    print(&call, rc, tkt_http_outcome_names[outcome], &err);
    tkt_wire_arena_release(&call.arena);
    tkt_secret_release(&secret);
    cJSON_Delete(j);
    tkt_conf_free(&conf);
    return 0;
}
