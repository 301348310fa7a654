/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/agentnote.h"

#include "ticketd/core/deskfacts.h"
#include "ticketd/facts/facts.h"
#include "ticketd/mail/agentcommand.h"

/* Where we are the ITSM an agent has more words, and what is not understood is a note, too:
 * it must not go out. */
static bool is_kept(const struct tkt_conf *conf, const struct tkt_conf_desk *desk,
                    const struct tkt_message *m)
{
    struct tkt_agentcommand command;

    if (!tkt_conf_itsm_is_local(conf, desk->itsm)) {
        return tkt_agentcommand_is_note(m->reply_text);
    }
    tkt_agentcommand_read(m->reply_text, conf, m->from.address, &command);
    return command.is_internal || command.wrong[0] != '\0';
}

bool tkt_agentnote_hides(const struct tkt_conf *conf, const struct tkt_conf_desk *desk,
                         const struct tkt_message *msg)
{
    return tkt_facts_is_agent(conf, msg->from.address) && is_kept(conf, desk, msg);
}

bool tkt_agentnote_of(const struct tkt_request *req, size_t desk)
{
    return req->analysed && desk < req->analysis.decisions.count &&
           req->analysis.decisions.items[desk].action == TKT_ACTION_APPEND &&
           tkt_agentnote_hides(req->set->conf, req->desks[desk], &req->analysis.msg);
}

void tkt_agentnote_file(struct tkt_request *req)
{
    for (size_t i = 0; req->analysed && i < req->analysis.decisions.count; i++) {
        struct tkt_decision *c = &req->analysis.decisions.items[i];

        if (tkt_agentnote_of(req, i)) {
            c->reopens = c->changes_state = c->acknowledge = c->public_comment = false;
        }
    }
}
