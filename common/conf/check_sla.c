/* SPDX-License-Identifier: BSD-2-Clause
 * What must hold between service levels, escalations and what they name.
 */
#include "base/enc.h"
#include "base/util.h"
#include "conf/read.h"
#include "conf/source.h"

#include <string.h>

#define STEPS_MAX 32 /* of an escalation; decide/sla.h has the same number */

static int no_such(const struct tkt_conf *conf, enum tkt_conf_section_id section,
                   const char *title, const char *key, const char *what,
                   const char *value, struct tkt_err *err)
{
    return tkt_conf_source_fail(
        conf->source, tkt_conf_source_where(conf->source, section, title, key), err,
        "%s: there is no section %s \"%s\"; add it or name another", key, what, value);
}

static bool is_there(const struct tkt_conf *conf, enum tkt_conf_section_id section,
                     const char *name)
{
    return name[0] == '\0' ||
           tkt_conf_element(conf, &tkt_conf_sections[section], name) != NULL;
}

static int check_names(const struct tkt_conf *conf, enum tkt_conf_section_id section,
                       const char *title, const char *key, const char *what,
                       enum tkt_conf_section_id of, const struct tkt_conf_list *names,
                       struct tkt_err *err)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!is_there(conf, of, names->items[i])) {
            return no_such(conf, section, title, key, what, names->items[i], err);
        }
    }
    return 0;
}

/* A target of one priority stands once. */
static int check_targets(const struct tkt_conf *conf, const struct tkt_conf_sla *sla,
                         const char *key, const struct tkt_conf_list *list,
                         struct tkt_err *err)
{
    bool seen[6] = {false};

    for (size_t i = 0; i < list->count; i++) {
        int priority = 0;
        int64_t ms = 0;
        if (tkt_conf_sla_target(list->items[i], &priority, &ms) == 0 && seen[priority]) {
            return tkt_conf_source_fail(
                conf->source,
                tkt_conf_source_where(conf->source, TKT_CONF_SLA, sla->name, key), err,
                "%s: \"%.40s\" is said twice; keep one", key, list->items[i]);
        }
        seen[priority] = true;
    }
    return 0;
}

static int check_sla(const struct tkt_conf *conf, const struct tkt_conf_sla *s,
                     struct tkt_err *err)
{
    if (!is_there(conf, TKT_CONF_CALENDAR, s->calendar)) {
        return no_such(conf, TKT_CONF_SLA, s->name, "calendar", "calendar", s->calendar,
                       err);
    }
    if (s->first_response.count + s->next_response.count + s->resolution.count == 0) {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_SLA, s->name, NULL), err,
            "sla %s: nothing is agreed; write first_response, next_response or "
            "resolution",
            s->name);
    }
    return check_names(conf, TKT_CONF_SLA, s->name, "if_desk", "desk", TKT_CONF_DESK,
                       &s->if_desk, err) < 0 ||
                   check_names(conf, TKT_CONF_SLA, s->name, "if_group", "group",
                               TKT_CONF_GROUP, &s->if_group, err) < 0 ||
                   check_targets(conf, s, "first_response", &s->first_response, err) <
                       0 ||
                   check_targets(conf, s, "next_response", &s->next_response, err) < 0 ||
                   check_targets(conf, s, "resolution", &s->resolution, err) < 0
               ? -1
               : 0;
}

static int check_escalation(const struct tkt_conf *conf,
                            const struct tkt_conf_escalation *e, struct tkt_err *err)
{
    size_t steps = 0;

    for (size_t i = 0; i < conf->step_count; i++) {
        steps += strcmp(conf->steps[i].in, e->name) == 0;
    }
    if (steps == 0 || steps > STEPS_MAX) {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_ESCALATION, e->name, NULL), err,
            "escalation %s: it has %zu steps; write 1 to %d sections step with in = %s",
            e->name, steps, STEPS_MAX, e->name);
    }
    if (!is_there(conf, TKT_CONF_CALENDAR, e->calendar)) {
        return no_such(conf, TKT_CONF_ESCALATION, e->name, "calendar", "calendar",
                       e->calendar, err);
    }
    return check_names(conf, TKT_CONF_ESCALATION, e->name, "if_desk", "desk",
                       TKT_CONF_DESK, &e->if_desk, err) < 0 ||
                   check_names(conf, TKT_CONF_ESCALATION, e->name, "if_group", "group",
                               TKT_CONF_GROUP, &e->if_group, err) < 0
               ? -1
               : 0;
}

static bool is_type(const struct tkt_conf *conf, const char *channel, const char *a,
                    const char *b)
{
    const struct tkt_conf_channel *c =
        tkt_conf_element(conf, &tkt_conf_sections[TKT_CONF_CHANNEL], channel);

    return c != NULL && (strcmp(c->type, a) == 0 || strcmp(c->type, b) == 0);
}

/* A page that reaches nobody would not be noticed before the night. */
static int check_page(const struct tkt_conf *conf, const struct tkt_conf_step *s,
                      struct tkt_err *err)
{
    size_t numbers = 0;
    size_t rooms = 0;

    for (size_t i = 0; i < s->notify.count; i++) {
        numbers += s->notify.items[i][0] == '+';
        rooms += strcmp(s->notify.items[i], "room") == 0;
    }
    bool by_number = is_type(conf, s->page, "twilio", "whatsapp");
    bool by_mail = is_type(conf, s->page, "mail", "sendgrid");
    if ((!by_number || numbers > 0) && (!by_mail || numbers + rooms < s->notify.count)) {
        return 0;
    }
    return tkt_conf_source_fail(
        conf->source, tkt_conf_source_where(conf->source, TKT_CONF_STEP, s->name, "page"),
        err, "step %s: notify names nobody whom channel %s can tell; write %s", s->name,
        s->page, by_number ? "a number such as +491701234567" : "manager or an address");
}

static int check_step(const struct tkt_conf *conf, const struct tkt_conf_step *s,
                      struct tkt_err *err)
{
    if (s->in[0] == '\0' || !is_there(conf, TKT_CONF_ESCALATION, s->in)) {
        return no_such(conf, TKT_CONF_STEP, s->name, "in", "escalation", s->in, err);
    }
    if (!is_there(conf, TKT_CONF_GROUP, s->group)) {
        return no_such(conf, TKT_CONF_STEP, s->name, "group", "group", s->group, err);
    }
    if (!is_there(conf, TKT_CONF_CHANNEL, s->page)) {
        return no_such(conf, TKT_CONF_STEP, s->name, "page", "channel", s->page, err);
    }
    if (s->raise_priority == 0 && !s->assign && s->group[0] == '\0' &&
        s->notify.count == 0 && s->page[0] == '\0') {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_STEP, s->name, NULL), err,
            "step %s: it does nothing; write raise_priority, assign, group, notify or "
            "page",
            s->name);
    }
    return check_page(conf, s, err);
}

int tkt_conf_check_slas(const struct tkt_conf *conf, struct tkt_err *err)
{
    for (size_t i = 0; i < conf->desk_count; i++) {
        if (!is_there(conf, TKT_CONF_SLA, conf->desks[i].sla)) {
            return no_such(conf, TKT_CONF_DESK, conf->desks[i].name, "sla", "sla",
                           conf->desks[i].sla, err);
        }
    }
    for (size_t i = 0; i < conf->sla_count; i++) {
        if (check_sla(conf, &conf->slas[i], err) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < conf->escalation_count; i++) {
        if (check_escalation(conf, &conf->escalations[i], err) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < conf->step_count; i++) {
        if (check_step(conf, &conf->steps[i], err) < 0) {
            return -1;
        }
    }
    return 0;
}
