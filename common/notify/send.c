/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify/send.h"

#include <string.h>

#define ANSWER_MAX (256 * 1024)

static struct tkt_http_peer peer_of(const struct tkt_conf_channel *conf)
{
    return (struct tkt_http_peer){.ca_file = conf->ca_file,
                                  .client_cert = conf->cert_file,
                                  .client_key = conf->key_file,
                                  .proxy = conf->proxy,
                                  .allow_plain = conf->allow_plain};
}

bool tkt_channel_wants_token(const struct tkt_conf_channel *conf, const char *secret,
                             const char *client_secret, struct tkt_oauth_ask *ask)
{
    bool by_password = conf->auth == TKT_CONF_AUTH_OAUTH_PASSWORD;

    *ask = (struct tkt_oauth_ask){.grant =
                                      by_password ? TKT_OAUTH_PASSWORD : TKT_OAUTH_CLIENT,
                                  .token_url = conf->token_url,
                                  .client_id = conf->client_id,
                                  .client_secret = client_secret,
                                  .user = by_password ? conf->user : "",
                                  .password = by_password ? secret : "",
                                  .scope = conf->scope,
                                  .timeout_ms = conf->timeout_ms,
                                  .peer = peer_of(conf)};
    return by_password || conf->auth == TKT_CONF_AUTH_OAUTH_CLIENT;
}

int tkt_channel_prepare(const struct tkt_channel_ops *ops, struct tkt_channel_call *call,
                        struct tkt_err *err)
{
    const struct tkt_conf_channel *conf = call->conf;
    struct tkt_http_request *r = &call->request;

    memset(r, 0, sizeof(*r));
    memset(&call->seen, 0, sizeof(call->seen));
    call->unauthorized = false;
    call->undeliverable = call->may_pass = false;
    if (ops->build(call, err) < 0) {
        return -1;
    }
    r->answer_max = r->answer_max != 0 ? r->answer_max : ANSWER_MAX;
    r->timeout_ms = conf->timeout_ms;
    bool public_only = r->peer.public_only;
    r->peer = peer_of(conf);
    r->peer.public_only = public_only;
    r->peer.in_flight_max = (int)conf->concurrency;
    return 0;
}

int tkt_channel_finish(const struct tkt_channel_ops *ops, struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err)
{
    *err = (struct tkt_err)TKT_ERR_INIT;
    if (ops->read(call, response, err) == 0) {
        return 0;
    }
    if (err->class == TKT_ERR_NONE) {
        err->class = TKT_ERR_BUG;
    }
    return -1;
}

int tkt_channel_send_wait(const struct tkt_channel_ops *ops,
                          struct tkt_channel_call *call, struct tkt_err *err)
{
    struct tkt_http_response response;

    if (tkt_channel_prepare(ops, call, err) < 0 ||
        tkt_http_perform(&call->request, &response, err) < 0) {
        return -1;
    }
    int rc = tkt_channel_finish(ops, call, &response, err);

    tkt_http_response_release(&response);
    return rc;
}
