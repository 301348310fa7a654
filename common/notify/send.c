/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify/send.h"

#include <string.h>

#define ANSWER_MAX (256 * 1024)

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

int tkt_channel_prepare(const struct tkt_channel_ops *ops, struct tkt_channel_call *call,
                        struct tkt_err *err)
{
    const struct tkt_conf_channel *conf = call->conf;
    struct tkt_http_request *r = &call->request;

    memset(r, 0, sizeof(*r));
    memset(&call->seen, 0, sizeof(call->seen));
    call->unauthorized = false;
    call->undeliverable = false;
    if (ops->build(call, err) < 0) {
        return -1;
    }
    r->answer_max = r->answer_max != 0 ? r->answer_max : ANSWER_MAX;
    r->timeout_ms = conf->timeout_ms;
    r->peer.ca_file = or_null(conf->ca_file);
    r->peer.client_cert = or_null(conf->cert_file);
    r->peer.client_key = or_null(conf->key_file);
    r->peer.proxy = or_null(conf->proxy);
    r->peer.allow_plain = conf->allow_plain;
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
