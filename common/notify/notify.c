/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify/notify.h"

#include "base/util.h"
#include "notify/channels.h"
#include "notify/mail.h"
#include "notify/status.h"

#include <string.h>

const char *const tkt_notice_names[] = {
    "created",  "assigned",        "follow_up",   "state",        "comment",
    "resolved", "action_required", "sla_warning", "sla_breached", "escalated",
    "parked",   "alarm",           "digest",      "reply",        "held"};
_Static_assert(TKT_ARRAY_LEN(tkt_notice_names) == TKT_NOTICE_WHATS, "a name each");

const struct tkt_channel_ops *const tkt_channel_table[] = {
    &tkt_channel_mail,    &tkt_channel_sendgrid,
    &tkt_channel_twilio,  &tkt_channel_whatsapp,
    &tkt_channel_slack,   &tkt_channel_teams,
    &tkt_channel_webhook, &tkt_channel_pagerduty,
    &tkt_channel_exec,    NULL};

const struct tkt_channel_ops *tkt_channel_find(const char *type)
{
    for (size_t i = 0; tkt_channel_table[i] != NULL; i++) {
        if (strcmp(tkt_channel_table[i]->type, type) == 0) {
            return tkt_channel_table[i];
        }
    }
    return NULL;
}

const char *tkt_channel_option(const struct tkt_conf_channel *conf, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < conf->options.count; i++) {
        const char *item = conf->options.items[i];

        if (strncmp(item, name, n) == 0 && item[n] == '=') {
            return item + n + 1;
        }
    }
    return NULL;
}

static int check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    const struct tkt_channel_ops *ops = tkt_channel_find(conf->type);

    if (ops == NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "no such type of channel: %s", conf->type);
    }
    for (size_t i = 0; i < conf->options.count; i++) {
        const char *item = conf->options.items[i];
        bool known = false;

        for (size_t k = 0; ops->options != NULL && ops->options[k] != NULL; k++) {
            size_t n = strlen(ops->options[k]);
            known = known || (strncmp(item, ops->options[k], n) == 0 && item[n] == '=');
        }
        if (!known) {
            return tkt_err_set(err, TKT_ERR_CONF, "%s knows no option \"%.60s\"",
                               ops->type, item);
        }
    }
    if (ops->status != NULL && tkt_status_check(conf, err) < 0) {
        return -1;
    }
    return ops->check != NULL ? ops->check(conf, err) : 0;
}

int tkt_channel_check_all(const struct tkt_conf *conf, struct tkt_err *err)
{
    for (size_t i = 0; i < conf->channel_count; i++) {
        if (check(&conf->channels[i], err) < 0) {
            return tkt_err_prefix(err, "channel %s", conf->channels[i].name);
        }
    }
    return 0;
}
