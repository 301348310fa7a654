/* SPDX-License-Identifier: BSD-2-Clause
 * What becomes of a notice behind its sending, as services tell it by calls to us.
 *
 * Promise: a call is believed when its signature fits, which is looked at on the raw bytes
 * before anything is parsed; it then tells of any number of notices, each by the id that we
 * gave it. Everything it says is still a stranger's words: lengths and counts have caps.
 * Pure; any thread; constant time in what is secret.
 * Errors of verify: PERM it is not theirs, CONF the secret is wrong. Of read: PERM.
 */
#ifndef TKT_NOTIFY_STATUS_H
#define TKT_NOTIFY_STATUS_H
#include "base/mailstatus.h"
#include "notify/notify.h"
#include "store/heard.h"

struct cJSON;

#define TKT_STATUS_PATH "/status/"
#define TKT_STATUS_TOLD_MAX 5000 /* of one call; the others are left out */
#define TKT_STATUS_URL_MAX 1024
#define TKT_STATUS_SETTLE_S 120 /* option settle */

struct tkt_status_call {
    const struct tkt_conf_channel *conf;
    const char *secret; /* what signs; several, one a line, while they change */
    const char *url;    /* of this call, as we gave it to the service */
    const char *notice; /* of the path, behind the channel's name; "" = none */
    const char *(*field)(void *arg, const char *name); /* a header field, or NULL */
    void *arg;
    const void *body;
    size_t len;
    int64_t now_ms;
};

/* Strings are never NULL, and live for the call of tell. */
struct tkt_status_told {
    const char *notice; /* our id of it; "" = it is not one of ours */
    enum tkt_heard what;
    enum tkt_failure failure; /* of FAILED: what it says of the recipient */
    const char *to;           /* whom it names; "" = nobody */
    const char *code, *words;
    const char *id; /* the service's */
};

struct tkt_status_ops {
    /* The channel's own secret signs where there is no hook_secret. */
    bool (*signs_by_secret)(const struct tkt_conf_channel *conf); /* NULL: never */
    bool is_per_notice; /* the call's address ends in the notice's id */
    bool asks;          /* GET with hub.challenge, proved by hook_token */
    int (*verify)(const struct tkt_status_call *call, struct tkt_err *err);
    int (*read)(const struct tkt_status_call *call,
                void (*tell)(void *arg, const struct tkt_status_told *told), void *arg,
                struct tkt_err *err);
};

/* The reference of what signs the channel's calls; "": it may not call. */
const char *tkt_status_secret(const struct tkt_conf_channel *conf);
/* Where its service tells of that notice ("" = of any): false when nobody listens there. */
bool tkt_status_url(const struct tkt_conf *conf, const struct tkt_conf_channel *channel,
                    const char *notice, char out[TKT_STATUS_URL_MAX]);
/* How long a notice whose answer was lost waits for such a call. */
int64_t tkt_status_settle_ms(const struct tkt_conf_channel *conf);
/* CONF when the option settle is no number of seconds up to an hour. */
int tkt_status_check(const struct tkt_conf_channel *conf, struct tkt_err *err);

/* For channels: calls fits with each of the secrets until one does; all of them are tried. */
bool tkt_status_any(const char *secrets,
                    bool (*fits)(const char *secret, size_t len, const void *arg),
                    const void *arg);
/* A text of what a call says in JSON, or "". */
const char *tkt_status_text(const struct cJSON *json, const char *name);
/* A header field, or "" when there is none or it is longer than any of theirs. */
const char *tkt_status_field(const struct tkt_status_call *call, const char *name);

#endif
