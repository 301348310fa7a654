/* SPDX-License-Identifier: BSD-2-Clause
 * What must hold between subscriptions, channels, desks and calendars.
 */
#include "conf/read.h"
#include "conf/source.h"

#include <string.h>

static int fail(const struct tkt_conf *conf, const struct tkt_conf_notify *n,
                const char *key, const char *section, const char *value,
                struct tkt_err *err)
{
    return tkt_conf_source_fail(
        conf->source, tkt_conf_source_where(conf->source, TKT_CONF_NOTIFY, n->name, key),
        err, "%s: there is no section %s \"%.64s\"; add it or name another", key, section,
        value);
}

static bool has(const struct tkt_conf *conf, enum tkt_conf_section_id id,
                const char *name)
{
    return tkt_conf_element(conf, &tkt_conf_sections[id], name) != NULL;
}

static int check_one(const struct tkt_conf *conf, const struct tkt_conf_notify *n,
                     struct tkt_err *err)
{
    if (n->on.count == 0 || n->to.count == 0) {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_NOTIFY, n->name, NULL), err,
            "notify %s: %s is missing; say %s", n->name, n->on.count == 0 ? "on" : "to",
            n->on.count == 0 ? "what happens" : "who is told");
    }
    if (!has(conf, TKT_CONF_CHANNEL, n->channel)) {
        return fail(conf, n, "channel", "channel", n->channel, err);
    }
    if (n->hours[0] != '\0' && !has(conf, TKT_CONF_CALENDAR, n->hours)) {
        return fail(conf, n, "hours", "calendar", n->hours, err);
    }
    for (size_t i = 0; i < n->on.count && n->if_company.count > 0; i++) {
        if (strcmp(n->on.items[i], "reply") == 0) {
            return tkt_conf_source_fail(
                conf->source,
                tkt_conf_source_where(conf->source, TKT_CONF_NOTIFY, n->name,
                                      "if_company"),
                err,
                "notify %s: if_company: an agent's reply goes to whom he answers; "
                "take it out, or reply into a section of its own",
                n->name);
        }
    }
    for (size_t i = 0; i < n->if_desk.count; i++) {
        if (tkt_conf_desk(conf, n->if_desk.items[i]) == NULL) {
            return fail(conf, n, "if_desk", "desk", n->if_desk.items[i], err);
        }
    }
    return 0;
}

int tkt_conf_check_notify(const struct tkt_conf *conf, struct tkt_err *err)
{
    /* Jobs for both wait in the queue of their name. */
    for (size_t i = 0; i < conf->channel_count; i++) {
        const char *name = conf->channels[i].name;

        if (has(conf, TKT_CONF_ITSM, name) || strcmp(name, "local") == 0) {
            return tkt_conf_source_fail(
                conf->source,
                tkt_conf_source_where(conf->source, TKT_CONF_CHANNEL, name, NULL), err,
                "channel %s has the name of an itsm; name it otherwise", name);
        }
    }
    for (size_t i = 0; i < conf->notify_count; i++) {
        if (check_one(conf, &conf->notifys[i], err) < 0) {
            return -1;
        }
    }
    return 0;
}
