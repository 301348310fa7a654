/* SPDX-License-Identifier: BSD-2-Clause
 * What must hold between groups, agents and calendars.
 */
#include "base/enc.h"
#include "conf/read.h"
#include "conf/source.h"

#include <string.h>

#define HOPS_MAX 8 /* of fallback groups; decide/assign.h has the same number */

static int no_such(const struct tkt_conf *conf, enum tkt_conf_section_id section,
                   const char *title, const char *key, const char *value,
                   struct tkt_err *err)
{
    return tkt_conf_source_fail(
        conf->source, tkt_conf_source_where(conf->source, section, title, key), err,
        "%s: there is no section %s \"%s\"; add it or name "
        "another",
        key, strcmp(key, "fallback") == 0 ? "group" : key, value);
}

static bool has_calendar(const struct tkt_conf *conf, const char *name)
{
    return name[0] == '\0' ||
           tkt_conf_element(conf, &tkt_conf_sections[TKT_CONF_CALENDAR], name) != NULL;
}

/* A ticket that is handed from group to group must come to an end. */
static int check_fallback(const struct tkt_conf *conf, const struct tkt_conf_group *group,
                          struct tkt_err *err)
{
    const struct tkt_conf_group *g = group;

    for (int hops = 0; g->fallback[0] != '\0'; hops++) {
        const struct tkt_conf_group *next = tkt_conf_group(conf, g->fallback);
        if (next == NULL) {
            return no_such(conf, TKT_CONF_GROUP, g->name, "fallback", g->fallback, err);
        }
        if (next == group || hops == HOPS_MAX) {
            return tkt_conf_source_fail(
                conf->source,
                tkt_conf_source_where(conf->source, TKT_CONF_GROUP, group->name,
                                      "fallback"),
                err, "fallback: group %s falls back %s; name another", group->name,
                next == group ? "to itself in the end" : "over too many groups");
        }
        g = next;
    }
    return 0;
}

static int listed_twice(const struct tkt_conf *conf, const struct tkt_conf_group *a,
                        const struct tkt_conf_group *b, const char *key,
                        const struct tkt_conf_list *x, const struct tkt_conf_list *y,
                        struct tkt_err *err)
{
    for (size_t i = 0; i < x->count; i++) {
        for (size_t k = 0; k < y->count; k++) {
            if (tkt_ascii_ieq(x->items[i], y->items[k])) {
                return tkt_conf_source_fail(
                    conf->source,
                    tkt_conf_source_where(conf->source, TKT_CONF_GROUP, b->name, key),
                    err, "%s: \"%.60s\" goes to group %s already; keep it in one", key,
                    y->items[k], a->name);
            }
        }
    }
    return 0;
}

static int check_group(const struct tkt_conf *conf, const struct tkt_conf_group *group,
                       struct tkt_err *err)
{
    if (!has_calendar(conf, group->calendar)) {
        return no_such(conf, TKT_CONF_GROUP, group->name, "calendar", group->calendar,
                       err);
    }
    for (const struct tkt_conf_group *g = conf->groups; g < group; g++) {
        if (listed_twice(conf, g, group, "categories", &g->categories, &group->categories,
                         err) < 0 ||
            listed_twice(conf, g, group, "departments", &g->departments,
                         &group->departments, err) < 0) {
            return -1;
        }
    }
    return check_fallback(conf, group, err);
}

static int check_agent(const struct tkt_conf *conf, const struct tkt_conf_agent *agent,
                       struct tkt_err *err)
{
    if (!has_calendar(conf, agent->calendar)) {
        return no_such(conf, TKT_CONF_AGENT, agent->name, "calendar", agent->calendar,
                       err);
    }
    for (const struct tkt_conf_agent *a = conf->agents; a < agent; a++) {
        if (tkt_ascii_ieq(a->name, agent->name)) {
            return tkt_conf_source_fail(
                conf->source,
                tkt_conf_source_where(conf->source, TKT_CONF_AGENT, agent->name, NULL),
                err, "agent %.100s stands twice, in two spellings; remove one",
                agent->name);
        }
    }
    return 0;
}

int tkt_conf_check_people(const struct tkt_conf *conf, struct tkt_err *err)
{
    for (size_t i = 0; i < conf->agent_count; i++) {
        if (check_agent(conf, &conf->agents[i], err) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < conf->group_count; i++) {
        if (check_group(conf, &conf->groups[i], err) < 0) {
            return -1;
        }
    }
    return 0;
}
