/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify/status.h"

#include "base/enc.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define SECRETS_MAX 8
#define FIELD_MAX 1024
#define SETTLE_MAX_S 3600

static const struct tkt_status_ops *ops_of(const struct tkt_conf_channel *conf)
{
    const struct tkt_channel_ops *ops = tkt_channel_find(conf->type);

    return ops == NULL ? NULL : ops->status;
}

const char *tkt_status_secret(const struct tkt_conf_channel *conf)
{
    const struct tkt_status_ops *ops = ops_of(conf);

    if (ops == NULL || conf->hook_secret[0] != '\0') {
        return ops == NULL ? "" : conf->hook_secret;
    }
    return ops->signs_by_secret != NULL && ops->signs_by_secret(conf) ? conf->secret : "";
}

bool tkt_status_url(const struct tkt_conf *conf, const struct tkt_conf_channel *channel,
                    const char *notice, char out[TKT_STATUS_URL_MAX])
{
    const struct tkt_status_ops *ops = ops_of(channel);
    bool named = ops != NULL && ops->is_per_notice && notice[0] != '\0';

    out[0] = '\0';
    if (ops == NULL || conf->webhook.listen[0] == '\0' ||
        conf->webhook.public_url[0] == '\0' || tkt_status_secret(channel)[0] == '\0') {
        return false;
    }
    int n =
        snprintf(out, TKT_STATUS_URL_MAX, "%s%s%s%s%s", conf->webhook.public_url,
                 TKT_STATUS_PATH, channel->name, named ? "/" : "", named ? notice : "");

    return n > 0 && n < TKT_STATUS_URL_MAX;
}

int64_t tkt_status_settle_ms(const struct tkt_conf_channel *conf)
{
    const char *said = tkt_channel_option(conf, "settle");
    int64_t s = TKT_STATUS_SETTLE_S;

    if (said != NULL && tkt_parse_int(said, 0, SETTLE_MAX_S, &s) < 0) {
        s = TKT_STATUS_SETTLE_S; /* the check says so */
    }
    return s * 1000;
}

int tkt_status_check(const struct tkt_conf_channel *conf, struct tkt_err *err)
{
    const char *said = tkt_channel_option(conf, "settle");
    int64_t s = 0;

    return said == NULL || tkt_parse_int(said, 0, SETTLE_MAX_S, &s) == 0
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "settle=%.20s is no number of seconds up to %d", said,
                             SETTLE_MAX_S);
}

bool tkt_status_any(const char *secrets,
                    bool (*fits)(const char *secret, size_t len, const void *arg),
                    const void *arg)
{
    bool any = false;
    int count = 0;

    for (const char *p = secrets; *p != '\0' && count < SECRETS_MAX; count++) {
        size_t n = strcspn(p, "\r\n");

        /* All of them, so that time does not tell which. */
        any = (n > 0 && fits(p, n, arg)) || any;
        p += n;
        p += strspn(p, "\r\n");
    }
    return any;
}

const char *tkt_status_field(const struct tkt_status_call *call, const char *name)
{
    const char *value = call->field(call->arg, name);

    return value == NULL || strlen(value) > FIELD_MAX ? "" : value;
}

const char *tkt_status_text(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return text == NULL ? "" : text;
}
