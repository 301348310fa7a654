/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/agentnote.h"

#include "base/enc.h"
#include "base/util.h"
#include "ticketd/core/deskfacts.h"
#include "ticketd/facts/facts.h"
#include "ticketd/mail/agentcommand.h"

#include <string.h>

bool tkt_agentnote_is(const char *text)
{
    static const char *const words[] = {"#internal", "#note"};

    text += strspn(text, " \t\r\n");
    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i]);

        if (tkt_ascii_ieqn(text, words[i], n) && strchr(" \t\r\n", text[n]) != NULL) {
            return true; /* strchr finds the end, too */
        }
    }
    return false;
}

/* Where we are the ITSM an agent has more words, and what is not understood is a note, too:
 * it must not go out. */
static bool is_kept(const struct tkt_conf *conf, const struct tkt_conf_desk *desk,
                    const struct tkt_message *m)
{
    struct tkt_agentcommand command;

    if (!tkt_conf_itsm_is_local(conf, desk->itsm)) {
        return tkt_agentnote_is(m->reply_text);
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
