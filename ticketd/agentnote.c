/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/agentnote.h"

#include "base/enc.h"
#include "base/util.h"
#include "ticketd/facts.h"

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

bool tkt_agentnote_of(const struct tkt_request *req, size_t desk)
{
    return req->analysed && desk < req->analysis.decisions.count &&
           req->analysis.decisions.items[desk].action == TKT_ACTION_APPEND &&
           tkt_agentnote_is(req->analysis.msg.reply_text) &&
           tkt_facts_is_agent(req->set->conf, req->analysis.msg.from.address);
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
