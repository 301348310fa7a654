/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/deskfacts.h"

#include <string.h>

const char *tkt_conf_itsm_type(const struct tkt_conf *conf, const char *itsm)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        if (strcmp(conf->itsms[i].name, itsm) == 0) {
            return conf->itsms[i].type;
        }
    }
    return "local";
}

bool tkt_conf_itsm_is_local(const struct tkt_conf *conf, const char *itsm)
{
    return strcmp(tkt_conf_itsm_type(conf, itsm), "local") == 0;
}

uint32_t tkt_conf_never(const struct tkt_conf *conf)
{
    return (conf->rules_refuse ? 0 : TKT_NEVER_REFUSE) |
           (conf->rules_ignore ? 0 : TKT_NEVER_IGNORE) |
           (conf->rules_set_requester ? 0 : TKT_NEVER_REQUESTER);
}

struct tkt_desk_facts tkt_facts_desk(const struct tkt_conf *conf,
                                     const struct tkt_conf_desk *d)
{
    return (struct tkt_desk_facts){
        .name = d->name,
        .group = d->group,
        .type = d->type,
        .priority = (int)d->priority,
        .reopen_closed = d->closed == TKT_CLOSED_REOPEN,
        .refuse_closed = d->closed == TKT_CLOSED_REFUSE,
        .forward_agents = d->forward == TKT_FORWARD_REQUESTER,
        .forward_anybody = d->forward == TKT_FORWARD_ANYBODY,
        .opens = tkt_class_bits(d->opens.items, d->opens.count),
        .changes_state = tkt_class_bits(d->changes_state.items, d->changes_state.count),
        .acknowledges = tkt_class_bits(d->acknowledges.items, d->acknowledges.count),
        .acknowledge_proved = d->acknowledge_proved,
        .local_itsm = tkt_conf_itsm_is_local(conf, d->itsm),
        .never = tkt_conf_never(conf)};
}
