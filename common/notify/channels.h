/* SPDX-License-Identifier: BSD-2-Clause
 * The channels that notify.c's table holds. Private to common/notify.
 */
#ifndef TKT_NOTIFY_CHANNELS_H
#define TKT_NOTIFY_CHANNELS_H
#include "notify/notify.h"

extern const struct tkt_channel_ops tkt_channel_exec;
extern const struct tkt_channel_ops tkt_channel_sendgrid;
extern const struct tkt_channel_ops tkt_channel_twilio;
extern const struct tkt_channel_ops tkt_channel_whatsapp;
extern const struct tkt_channel_ops tkt_channel_slack;
extern const struct tkt_channel_ops tkt_channel_teams;
extern const struct tkt_channel_ops tkt_channel_webhook;
extern const struct tkt_channel_ops tkt_channel_pagerduty;

#endif
