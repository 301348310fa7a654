/* SPDX-License-Identifier: BSD-2-Clause
 * Which ticket a message belongs to, and what it may do there: the Trust rules. Private
 * to common/decide; pure.
 *
 * Evidence counts in the order of enum tkt_evidence: a token, our signed Message-ID in
 * In-Reply-To or References, the journal of references, an ID in the Subject, another
 * tracker's tag. Likeness never writes anywhere, it is only told. Evidence says which
 * ticket; who may write there is asked apart from it.
 */
#ifndef TKT_DECIDE_THREAD_H
#define TKT_DECIDE_THREAD_H
#include "decide/decide.h"

struct tkt_mood;

struct tkt_question {
    const struct tkt_message *msg;
    const struct tkt_facts *facts;
    const struct tkt_policy *by; /* or NULL */
    const struct tkt_desk_facts *desk;
    struct tkt_class_policy policy;
    enum tkt_assurance assurance;
    const struct tkt_mood *mood; /* decide/mood.h; or NULL: not looked at */
};

/* What the message is to the ticket. */
struct tkt_thread {
    enum tkt_action action;
    const struct tkt_candidate *by; /* the evidence that counted, or NULL */
    const struct tkt_candidate
        *similar; /* for a new ticket: what it looks like, or NULL */
    bool split_suggested;
};

void tkt_thread_answer(const struct tkt_question *q, struct tkt_thread *out);
/* "an agent", "a participant" ...: how the sender stands to the candidate. */
const char *tkt_thread_relation(const struct tkt_question *q,
                                const struct tkt_candidate *c);

#endif
