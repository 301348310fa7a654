/* SPDX-License-Identifier: BSD-2-Clause
 * The facts that ticketd adds between PARSE and DECIDE: which tickets a message names,
 * and how its sender stands to them.
 *
 * Every list is bounded (TKT_FACTS_CANDIDATES_MAX); what the message says was already
 * checked by the codec, yet stays a stranger's word: a ticket becomes a candidate only
 * by a token that verifies or a row that is there.
 */
#ifndef TKT_TICKETD_FACTS_H
#define TKT_TICKETD_FACTS_H
#include "conf/conf.h"
#include "ticketd/parserpool.h"
#include "ticketd/token.h"
#include "ticketd/tools.h"

/* All borrowed for the time of the analysis. */
struct tkt_facts_in {
    struct tkt_tools *tools;
    const struct tkt_conf *conf;
    const struct tkt_token_keys *keys;
    const struct tkt_conf_desk *const *desks;
    size_t desk_count;
    const char *const *rcpts; /* all desk recipients: tokens ride in them */
    size_t rcpt_count;
    const char *sender;
    const char *auth_login;
    const char *tls_subject;
    int64_t now_s;
};

/* From is a member of one of our groups. */
bool tkt_facts_is_agent(const struct tkt_conf *conf, const char *from);
/* A tkt_facts_fn; arg is a struct tkt_facts_in. */
int tkt_facts_gather(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                     struct tkt_err *err);
bool tkt_conf_itsm_is_local(const struct tkt_conf *conf, const char *itsm);
/* "local" and so on; "local" when the section is not there. */
const char *tkt_conf_itsm_type(const struct tkt_conf *conf, const char *itsm);

#endif
