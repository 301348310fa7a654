/* SPDX-License-Identifier: BSD-2-Clause
 * A trial of one channel. ticketd is not asked. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/util.h"
#include "notify/mail.h"
#include "notify/send.h"
#include "secret/secret.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <stdio.h>
#include <string.h>

#define TRIAL_SUBJECT "Test of ticket-milter - please ignore"
#define TRIAL_TEXT "This notice was sent by \"ticketctl notify test\".\n"

struct trial {
    struct tkt_secret secret, client_secret;
    struct tkt_buf token;
    struct tkt_notice notice;
    struct tkt_channel_call call;
    char id[24], message_id[160], from[320];
};

static void release(struct trial *t)
{
    tkt_wire_arena_release(&t->call.arena);
    tkt_secret_release(&t->secret);
    tkt_secret_release(&t->client_secret);
    tkt_wipe(t->token.data, t->token.len);
    tkt_buf_release(&t->token);
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

static int get_token(struct trial *t, struct tkt_err *err)
{
    struct tkt_oauth_ask ask;

    if (!tkt_channel_wants_token(t->call.conf, t->call.secret,
                                 t->client_secret.data ? t->client_secret.data : "",
                                 &ask)) {
        return 0;
    }
    struct tkt_oauth *oauth = tkt_oauth_new(NULL, err);
    int rc = oauth == NULL ? -1 : tkt_oauth_get(oauth, &ask, &t->token, err);
    tkt_oauth_free(&oauth);
    t->call.bearer = tkt_buf_str(&t->token);
    return rc;
}

static int open_channel(struct trial *t, const struct tkt_conf *conf, struct tkt_err *err)
{
    const struct tkt_conf_channel *c = t->call.conf;

    if (tkt_channel_check_all(conf, err) < 0 ||
        (c->secret[0] != '\0' && tkt_secret_get(c->secret, &t->secret, err) < 0) ||
        (c->client_secret[0] != '\0' &&
         tkt_secret_get(c->client_secret, &t->client_secret, err) < 0)) {
        return -1;
    }
    t->call.secret = t->secret.data ? t->secret.data : "";
    t->call.bearer = "";
    return get_token(t, err);
}

/* Of the first desk that has an address, where the section has no sender of its own. */
static void make_notice(struct trial *t, const struct tkt_conf *conf, const char *to)
{
    unsigned char key[8];
    const char *from = t->call.conf->from;

    for (size_t i = 0; i < conf->desk_count && from[0] == '\0'; i++) {
        if (conf->desks[i].addresses.count > 0) {
            from = conf->desks[i].addresses.items[0];
        }
    }
    tkt_random(key, sizeof(key));
    tkt_hex_encode(key, sizeof(key), t->id);
    (void)snprintf(t->from, sizeof(t->from), "%s", from);
    (void)snprintf(t->message_id, sizeof(t->message_id), "test.%s@%.100s", t->id,
                   conf->hostname[0] != '\0' ? conf->hostname : "localhost");
    t->notice = (struct tkt_notice){.id = t->id,
                                    .what = TKT_NOTICE_CREATED,
                                    .to = to,
                                    .to_name = "",
                                    .role = "fixed",
                                    .language = "en",
                                    .subject = TRIAL_SUBJECT,
                                    .text = TRIAL_TEXT,
                                    .html = "",
                                    .ticket = "TEST-1",
                                    .corr = t->id,
                                    .number = "",
                                    .url = "",
                                    .desk = "test",
                                    .group = "",
                                    .assignee = "",
                                    .state = "new",
                                    .priority = 5,
                                    .at_ms = tkt_clock_wall_ms(),
                                    .thread = "",
                                    .from = t->from,
                                    .from_name = "",
                                    .reply_to = "",
                                    .return_path = "",
                                    .message_id = t->message_id,
                                    .in_reply_to = "",
                                    .references = ""};
    t->call.notice = &t->notice;
    t->call.now_ms = t->notice.at_ms;
}

static int send_it(const struct tkt_channel_ops *ops, struct trial *t,
                   struct tkt_err *err)
{
    enum tkt_http_outcome outcome = TKT_HTTP_RETRY;

    switch (ops->way) {
    case TKT_CHANNEL_HTTP:
        return tkt_channel_send_wait(ops, &t->call, err);
    case TKT_CHANNEL_MAIL:
        return tkt_mail_run(&t->call, &outcome, err);
    case TKT_CHANNEL_PROGRAM:
        break;
    }
    return ops->run(&t->call, &outcome, err);
}

static int tell(struct tkt_ctl *ctl, const struct trial *t, const char *channel)
{
    const char *id = t->call.seen.id != NULL ? t->call.seen.id : "";

    if (ctl->json) {
        cJSON *json = cJSON_CreateObject();

        cJSON_AddStringToObject(json, "channel", channel);
        cJSON_AddStringToObject(json, "to", t->notice.to);
        cJSON_AddStringToObject(json, "id", id);
        int rc = tkt_ctl_print_json(json);
        cJSON_Delete(json);
        return rc;
    }
    printf("%s: taken%s%s\n", channel, id[0] != '\0' ? ", as " : "", id);
    return 0;
}

int tkt_ctl_notify_test(struct tkt_ctl *ctl)
{
    const char *name = ctl->pos[0];
    const char *to = tkt_ctl_opt(ctl, "to");
    struct trial t = {.token = TKT_BUF_INIT(TKT_OAUTH_TOKEN_MAX + 1)};
    struct tkt_err err = TKT_ERR_INIT;
    int rc = tkt_ctl_conf(ctl);

    if (rc != 0) {
        return rc;
    }
    t.call.conf = section(ctl->conf, name);
    if (t.call.conf == NULL) {
        return tkt_ctl_fail(EX_USAGE, "there is no section channel \"%s\"", name);
    }
    const struct tkt_channel_ops *ops = tkt_channel_find(t.call.conf->type);
    to = to != NULL ? to : t.call.conf->to;
    if (to[0] == '\0' && ops->to != TKT_CHANNEL_TO_ROOM &&
        ops->to != TKT_CHANNEL_TO_ANY) {
        return tkt_ctl_fail(EX_USAGE, "to whom? write --to and %s",
                            ops->to == TKT_CHANNEL_TO_PHONE ? "a number (+49...)"
                                                            : "an address");
    }
    make_notice(&t, ctl->conf, to);
    if (open_channel(&t, ctl->conf, &err) < 0 || send_it(ops, &t, &err) < 0) {
        (void)tkt_err_prefix(&err, "channel %s", name); /* always -1 */
        release(&t);
        return tkt_ctl_fail_err(&err);
    }
    rc = tell(ctl, &t, name);
    release(&t);
    return rc;
}
