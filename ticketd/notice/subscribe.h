/* SPDX-License-Identifier: BSD-2-Clause
 * Who is told of what happened: the sections notify against one happening. Pure.
 *
 * Promise: nobody is told of what he did himself, nobody twice by one channel; a requester
 * is told only where his mail may be answered. Limits, hours and digests are the caller's
 * (follow_notify.h): they count.
 * Memory: what comes out borrows what went in. Any thread.
 */
#ifndef TKT_TICKETD_SUBSCRIBE_H
#define TKT_TICKETD_SUBSCRIBE_H
#include "conf/conf.h"
#include "notify/notify.h"

#define TKT_SUBSCRIBE_MAX 128 /* people told of one happening; the others are left out */
#define TKT_SUBSCRIBE_CC_MAX 32

/* Strings are never NULL. */
struct tkt_happening {
    enum tkt_notice_what what;
    const char *desk, *group, *class_name;
    int priority;
    bool may_answer; /* the requester: his mail is no robot's, list's, forger's */
    const char *who; /* whose act it was: an address, or a name; "" = a machine's */
    const char *requester, *requester_name, *assignee, *manager;
    const char *company; /* the requester's, if it is proved that it is he */
    const char *const *cc;
    size_t cc_count;
    /* An escalation names people and channel itself: beside the subscriptions'. */
    const char *const *extra;
    size_t extra_count;
    const char *extra_channel; /* "" = that of the subscriptions */
    const char *not_channel;   /* it is about this one: not by it */
    const char *only;          /* of this section alone; "" = of all */
};

struct tkt_told {
    const struct tkt_conf_notify *by; /* NULL: an escalation alone */
    const char *channel;
    const char *to; /* "" = the channel's only room */
    const char *name;
    const char *role; /* requester, cc, group, assignee, manager, room, fixed */
};

/* How many (<= TKT_SUBSCRIBE_MAX). */
size_t tkt_subscribe(const struct tkt_conf *conf, const struct tkt_happening *h,
                     struct tkt_told out[TKT_SUBSCRIBE_MAX]);
/* Does any section want to hear of this? */
bool tkt_subscribed(const struct tkt_conf *conf, enum tkt_notice_what what);
const struct tkt_conf_notify *tkt_subscription(const struct tkt_conf *conf,
                                               const char *name);

#endif
