/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/notice/subscribe.h"

#include "base/enc.h"
#include "base/util.h"

#include <fnmatch.h>
#include <string.h>

struct matching {
    const struct tkt_conf *conf;
    const struct tkt_happening *h;
    const struct tkt_conf_notify *by;
    const char *channel;
    const struct tkt_channel_ops *ops;
    struct tkt_told *out;
    size_t count;
};

static bool has(const struct tkt_conf_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (tkt_ascii_ieq(list->items[i], item)) {
            return true;
        }
    }
    return false;
}

static bool is_mail(enum tkt_notice_what what)
{
    return what == TKT_NOTICE_CREATED || what == TKT_NOTICE_FOLLOW_UP;
}

static bool fits_class(const struct tkt_conf_notify *n, const struct tkt_happening *h)
{
    if (!is_mail(h->what)) {
        return true;
    }
    if (n->if_class.count > 0) {
        return has(&n->if_class, h->class_name);
    }
    return h->what == TKT_NOTICE_CREATED || strcmp(h->class_name, "human") == 0;
}

static bool fits_company(const struct tkt_conf_notify *n, const struct tkt_happening *h)
{
    for (size_t i = 0; i < n->if_company.count; i++) {
        if (fnmatch(n->if_company.items[i], h->company, FNM_CASEFOLD) == 0) {
            return true;
        }
    }
    return n->if_company.count == 0;
}

static bool fits(const struct tkt_conf_notify *n, const struct tkt_happening *h)
{
    char priority[2] = {(char)('0' + TKT_MIN(TKT_MAX(h->priority, 0), 9)), '\0'};

    return has(&n->on, tkt_notice_names[h->what]) &&
           (n->if_desk.count == 0 || has(&n->if_desk, h->desk)) &&
           (n->if_group.count == 0 || has(&n->if_group, h->group)) &&
           (n->if_priority.count == 0 || has(&n->if_priority, priority)) &&
           fits_class(n, h) && fits_company(n, h) &&
           (h->only[0] == '\0' || strcmp(n->name, h->only) == 0) &&
           strcmp(n->channel, h->not_channel) != 0;
}

/* ---- people ----------------------------------------------------------------------------- */

static bool takes(const struct matching *m, const char *to)
{
    switch (m->ops->to) {
    case TKT_CHANNEL_TO_ADDRESS:
        return strchr(to, '@') != NULL;
    case TKT_CHANNEL_TO_PHONE:
        return to[0] == '+';
    default:
        return true;
    }
}

static void tell(struct matching *m, const char *to, const char *name, const char *role)
{
    bool is_answer = is_mail(m->h->what) && strcmp(role, "requester") == 0;

    /* An acknowledgement goes to whoever did it; all else not. */
    if ((to[0] == '\0' && strcmp(role, "room") != 0) || !takes(m, to) ||
        (!is_answer && to[0] != '\0' && tkt_ascii_ieq(to, m->h->who))) {
        return;
    }
    /* Whom a room is to tell is in it; no service knows him by his address. */
    if (m->ops->to == TKT_CHANNEL_TO_ROOM && strchr(to, '@') != NULL) {
        to = name = "";
        role = "room";
    }
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->out[i].channel, m->channel) == 0 &&
            tkt_ascii_ieq(m->out[i].to, to)) {
            return;
        }
    }
    if (m->count < TKT_SUBSCRIBE_MAX) {
        m->out[m->count++] = (struct tkt_told){
            .by = m->by, .channel = m->channel, .to = to, .name = name, .role = role};
    }
}

static const char *name_of(const struct tkt_conf *conf, const char *address)
{
    for (size_t i = 0; i < conf->agent_count; i++) {
        if (tkt_ascii_ieq(conf->agents[i].name, address)) {
            return conf->agents[i].display_name;
        }
    }
    return "";
}

static void tell_group(struct matching *m)
{
    const struct tkt_conf_group *g = tkt_conf_group(m->conf, m->h->group);

    if (g == NULL) {
        return;
    }
    if (g->mailbox[0] != '\0' && m->ops->to != TKT_CHANNEL_TO_PHONE) {
        tell(m, g->mailbox, "", "group");
        return;
    }
    for (size_t i = 0; i < g->members.count; i++) {
        tell(m, g->members.items[i], name_of(m->conf, g->members.items[i]), "group");
    }
}

static void tell_one(struct matching *m, const char *to)
{
    const struct tkt_happening *h = m->h;

    if (strcmp(to, "requester") == 0) {
        if (h->may_answer) {
            tell(m, h->requester, h->requester_name, to);
        }
    } else if (strcmp(to, "cc") == 0) {
        for (size_t i = 0; h->may_answer && i < h->cc_count; i++) {
            tell(m, h->cc[i], "", to);
        }
    } else if (strcmp(to, "group") == 0) {
        tell_group(m);
    } else if (strcmp(to, "assignee") == 0) {
        tell(m, h->assignee, name_of(m->conf, h->assignee), to);
    } else if (strcmp(to, "manager") == 0) {
        tell(m, h->manager, "", to);
    } else if (strcmp(to, "room") == 0) {
        tell(m, "", "", to);
    } else {
        tell(m, to, name_of(m->conf, to), "fixed");
    }
}

/* ---- all ------------------------------------------------------------------------------ */

static bool use_channel(struct matching *m, const char *name)
{
    m->ops = NULL;
    for (size_t i = 0; i < m->conf->channel_count; i++) {
        if (strcmp(m->conf->channels[i].name, name) == 0) {
            m->channel = m->conf->channels[i].name;
            m->ops = tkt_channel_find(m->conf->channels[i].type);
        }
    }
    return m->ops != NULL;
}

static void tell_extra(struct matching *m)
{
    for (size_t i = 0; i < m->h->extra_count; i++) {
        tell_one(m, m->h->extra[i]);
    }
}

/* An alarm goes to somebody: where nobody is named, or none of whom are named is there, to
 * all behind the channel. */
static void page(struct matching *m)
{
    tell_extra(m);
    if (m->count == 0 &&
        (m->ops->to == TKT_CHANNEL_TO_ROOM || m->ops->to == TKT_CHANNEL_TO_ANY)) {
        tell(m, "", "", "room");
    }
}

size_t tkt_subscribe(const struct tkt_conf *conf, const struct tkt_happening *h,
                     struct tkt_told out[TKT_SUBSCRIBE_MAX])
{
    struct matching m = {.conf = conf, .h = h, .out = out};

    if (h->extra_channel[0] != '\0' && use_channel(&m, h->extra_channel)) {
        page(&m);
    }
    for (size_t i = 0; i < conf->notify_count; i++) {
        m.by = &conf->notifys[i];
        if (!fits(m.by, h) || !use_channel(&m, m.by->channel)) {
            continue;
        }
        if (h->extra_channel[0] == '\0') {
            tell_extra(&m);
        }
        for (size_t k = 0; k < m.by->to.count; k++) {
            tell_one(&m, m.by->to.items[k]);
        }
    }
    return m.count;
}

bool tkt_subscribed(const struct tkt_conf *conf, enum tkt_notice_what what)
{
    for (size_t i = 0; i < conf->notify_count; i++) {
        if (has(&conf->notifys[i].on, tkt_notice_names[what])) {
            return true;
        }
    }
    return false;
}

const struct tkt_conf_notify *tkt_subscription(const struct tkt_conf *conf,
                                               const char *name)
{
    for (size_t i = 0; i < conf->notify_count; i++) {
        if (strcmp(conf->notifys[i].name, name) == 0) {
            return &conf->notifys[i];
        }
    }
    return NULL;
}
