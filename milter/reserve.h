/* SPDX-License-Identifier: BSD-2-Clause
 * End of message: from the spooled message to ticketd's answer, or to what the desks'
 * on_failure says. Knows the intake protocol, not libmilter.
 */
#ifndef TKT_MILTER_RESERVE_H
#define TKT_MILTER_RESERVE_H
#include "milter/session.h"

enum tkt_verdict {
    TKT_VERDICT_EDIT,   /* apply reply->edits, accept */
    TKT_VERDICT_REFUSE, /* reply->smtp_code, smtp_xcode, smtp_text */
    TKT_VERDICT_ACCEPT, /* no desk any more, or kept in missed/ */
    TKT_VERDICT_DEFER   /* 451 */
};

struct tkt_outcome {
    enum tkt_verdict verdict;
    struct tkt_wire_reply reply; /* filled for EDIT and REFUSE */
    bool missed;                 /* ACCEPT: a copy waits in missed/ */
    struct tkt_err err;          /* why, for DEFER and missed */
    int64_t took_ms;
};

/* The session's message is complete. progress is called while ticketd is waited for. */
void tkt_reserve(struct tkt_session *s, void (*progress)(void *arg), void *arg,
                 struct tkt_outcome *out);
void tkt_outcome_release(struct tkt_outcome *out);

#endif
