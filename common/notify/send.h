/* SPDX-License-Identifier: BSD-2-Clause
 * One notice by one channel of the HTTP way: what is around build and read.
 *
 * Owner and threads: as notify/notify.h. Errors: as there; 401 is call->unauthorized.
 */
#ifndef TKT_NOTIFY_SEND_H
#define TKT_NOTIFY_SEND_H
#include "net/oauth.h"
#include "notify/notify.h"

/* Does the section's secret go along as an OAuth token? Then *ask says which, and borrows
 * all it points at. */
bool tkt_channel_wants_token(const struct tkt_conf_channel *conf, const char *secret,
                             const char *client_secret, struct tkt_oauth_ask *ask);

/* Builds call->request and adds what the section says of its peer and its time. */
int tkt_channel_prepare(const struct tkt_channel_ops *ops, struct tkt_channel_call *call,
                        struct tkt_err *err);
/* Reads the answer: 0 told, -1 with err. */
int tkt_channel_finish(const struct tkt_channel_ops *ops, struct tkt_channel_call *call,
                       const struct tkt_http_response *response, struct tkt_err *err);
/* Both, in a loop of its own: for ticketctl and tests. */
int tkt_channel_send_wait(const struct tkt_channel_ops *ops,
                          struct tkt_channel_call *call, struct tkt_err *err);

#endif
