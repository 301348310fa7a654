/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/sla/slabook.h"

#include "base/enc.h"

#include <stdlib.h>
#include <string.h>

static int copy_list(const struct tkt_conf_list *from, struct tkt_strings *to)
{
    to->items = calloc(from->count + 1, sizeof(*to->items));
    for (size_t i = 0; to->items && i < from->count; i++) {
        to->items[i] = strdup(from->items[i]);
        if (!to->items[i]) {
            return -1;
        }
        to->count++;
    }
    return to->items ? 0 : -1;
}

static unsigned priorities_of(const struct tkt_conf_list *list)
{
    unsigned bits = 0;

    for (size_t i = 0; i < list->count; i++) {
        int priority = tkt_conf_priority(list->items[i]);
        bits |= priority > 0 ? 1u << priority : 0;
    }
    return bits;
}

/* Both kinds of sections have the same conditions. */
#define COPY_FILTER(from, to)                                                            \
    (copy_list(&(from)->if_desk, &(to)->desks) < 0 ||                                    \
     copy_list(&(from)->if_group, &(to)->groups) < 0 ||                                  \
     copy_list(&(from)->if_type, &(to)->types) < 0 ||                                    \
     copy_list(&(from)->if_category, &(to)->categories) < 0 ||                           \
     copy_list(&(from)->if_requester, &(to)->requesters) < 0 ||                          \
     copy_list(&(from)->if_domain, &(to)->domains) < 0 ||                                \
     copy_list(&(from)->if_department, &(to)->departments) < 0 ||                        \
     copy_list(&(from)->if_company, &(to)->companies) < 0 ||                             \
     copy_list(&(from)->if_member_of, &(to)->member_of) < 0)

static int vip_of(const char *word)
{
    return strcmp(word, "yes") == 0 ? 1 : strcmp(word, "no") == 0 ? -1 : 0;
}

static bool asks_person(const struct tkt_sla_filter *f)
{
    return f->departments.count > 0 || f->companies.count > 0 || f->member_of.count > 0 ||
           f->vip != 0;
}

/* One without a priority is that of all which have none of their own. */
static void take_targets(const struct tkt_conf_list *list,
                         int64_t out[TKT_SLA_PRIORITIES + 1])
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < list->count; i++) {
            int priority = 0;
            int64_t ms = 0;
            if (tkt_conf_sla_target(list->items[i], &priority, &ms) < 0 ||
                (priority == 0) != (pass == 0)) {
                continue;
            }
            for (int p = 1; p <= TKT_SLA_PRIORITIES; p++) {
                out[p] = priority == 0 || priority == p ? ms / 1000 : out[p];
            }
        }
    }
}

static int make_policy(const struct tkt_conf_sla *from, struct tkt_sla_policy *p)
{
    p->name = strdup(from->name);
    p->calendar = strdup(from->calendar);
    p->pauses = from->pause;
    p->warn = (int)from->warn;
    take_targets(&from->first_response, p->target_s[TKT_SLA_FIRST]);
    take_targets(&from->next_response, p->target_s[TKT_SLA_NEXT]);
    take_targets(&from->resolution, p->target_s[TKT_SLA_RESOLUTION]);
    p->filter.priorities = priorities_of(&from->if_priority);
    p->filter.vip = vip_of(from->if_vip);
    return !p->name || !p->calendar || COPY_FILTER(from, &p->filter) ? -1 : 0;
}

static enum tkt_sla_cause cause_of(const char *word)
{
    int cause = 0;

    while (cause < TKT_SLA_CAUSES - 1 && strcmp(tkt_sla_cause_names[cause], word) != 0) {
        cause++;
    }
    return (enum tkt_sla_cause)cause;
}

static int make_step(const struct tkt_conf_step *from, struct tkt_sla_step *s)
{
    s->name = strdup(from->name);
    s->group = strdup(from->group);
    s->channel = strdup(from->page);
    s->of = cause_of(from->of);
    s->after_s = from->after_ms / 1000;
    s->pauses = from->pause;
    s->raise = (int)from->raise_priority;
    s->assign = from->assign;
    return !s->name || !s->group || !s->channel ||
                   copy_list(&from->notify, &s->notify) < 0
               ? -1
               : 0;
}

static int make_chain(const struct tkt_conf *conf, const struct tkt_conf_escalation *from,
                      struct tkt_sla_chain *c)
{
    c->name = strdup(from->name);
    c->calendar = strdup(from->calendar);
    c->steps = calloc(conf->step_count + 1, sizeof(*c->steps));
    c->filter.priorities = priorities_of(&from->if_priority);
    c->filter.vip = vip_of(from->if_vip);
    if (!c->name || !c->calendar || !c->steps || COPY_FILTER(from, &c->filter)) {
        return -1;
    }
    for (size_t i = 0; i < conf->step_count; i++) {
        if (strcmp(conf->steps[i].in, from->name) == 0) {
            c->step_count++;
            if (make_step(&conf->steps[i], &c->steps[c->step_count - 1]) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int fill(const struct tkt_conf *conf, struct tkt_sla_book *b)
{
    for (size_t i = 0; i < conf->sla_count; i++) {
        b->policy_count++; /* counted first: freed also when half made */
        if (make_policy(&conf->slas[i], &b->policies[i]) < 0) {
            return -1;
        }
        b->asks_person = b->asks_person || asks_person(&b->policies[i].filter);
    }
    for (size_t i = 0; i < conf->escalation_count; i++) {
        b->chain_count++;
        if (make_chain(conf, &conf->escalations[i], &b->chains[i]) < 0) {
            return -1;
        }
        b->asks_person = b->asks_person || asks_person(&b->chains[i].filter);
    }
    for (size_t i = 0; i < conf->desk_count; i++) {
        b->desk_count++;
        b->desks[i].name = strdup(conf->desks[i].name);
        b->desks[i].sla = strdup(conf->desks[i].sla);
        if (!b->desks[i].name || !b->desks[i].sla) {
            return -1;
        }
    }
    for (size_t i = 0; i < conf->group_count; i++) {
        b->group_count++;
        b->groups[i].name = strdup(conf->groups[i].name);
        b->groups[i].mailbox = strdup(conf->groups[i].mailbox);
        b->groups[i].manager = strdup(conf->groups[i].manager);
        if (!b->groups[i].name || !b->groups[i].mailbox || !b->groups[i].manager) {
            return -1;
        }
    }
    return 0;
}

struct tkt_sla_book *tkt_slabook_new(const struct tkt_conf *conf,
                                     const struct tkt_roster *roster, struct tkt_err *err)
{
    struct tkt_sla_book *b = calloc(1, sizeof(*b));

    if (b) {
        b->roster = roster;
        b->policies = calloc(conf->sla_count + 1, sizeof(*b->policies));
        b->chains = calloc(conf->escalation_count + 1, sizeof(*b->chains));
        b->desks = calloc(conf->desk_count + 1, sizeof(*b->desks));
        b->groups = calloc(conf->group_count + 1, sizeof(*b->groups));
    }
    if (!b || !b->policies || !b->chains || !b->desks || !b->groups ||
        fill(conf, b) < 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "sla: no memory");
        tkt_sla_book_free(&b);
        return NULL;
    }
    return b;
}

bool tkt_slabook_wanted(const struct tkt_conf *conf)
{
    return conf->sla_count > 0 || conf->escalation_count > 0;
}
