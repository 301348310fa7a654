/* SPDX-License-Identifier: BSD-2-Clause
 * What an ITSM says, in our words. Pure; any thread.
 *
 * Owner: all of it lives in the call's arena or in what the call borrows.
 */
#ifndef TKT_ITSM_BACK_H
#define TKT_ITSM_BACK_H
#include "itsm/itsm.h"

struct tkt_itsm_meaning {
    unsigned
        states;   /* bits of enum tkt_ticket_state that its word may stand for; 0: none */
    int state_to; /* the one that is meant unless the ticket has another of them */
    unsigned priorities; /* bits 1..5, in the same way */
    int priority_to;
    bool priority_told;      /* we told it ours: another one is somebody's wish */
    const char *group_to;    /* NULL: it is no group of ours */
    const char *group_same;  /* the ticket's own group, if it goes by that name there */
    const char *assignee_to; /* an address, or "": nobody; NULL: unknown */
};

/* By the section's lists, then by the type's own words. call: with site, ticket and seen. */
void tkt_itsm_meaning(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
                      struct tkt_itsm_meaning *out);
/* Did we write it? By its author, or by the ticket's key in it. */
bool tkt_itsm_note_is_ours(const struct tkt_itsm_call *call,
                           const struct tkt_itsm_note *note);
/* Names the call's job towards the ITSM, where there is room that nobody looks at: the
 * ticket's key and the job's; NULL where the call has none. */
const char *tkt_itsm_mark(struct tkt_itsm_call *call);
/* After a FETCH: whether the call's comment (file) stands there already, as our own one that
 * came not before then. Only what is told counts: false where it is not known. */
bool tkt_itsm_has_comment(struct tkt_itsm_call *call, int64_t since_ms);
bool tkt_itsm_has_file(struct tkt_itsm_call *call, int64_t since_ms);
/* What is kept of what it said: words of one line in whole characters, a number of at most
 * TKT_ITSM_KEY_MAX bytes, the address of a page by http or https. PERM: what it calls the
 * ticket cannot be a key. */
int tkt_itsm_tidy(struct tkt_itsm_call *call, struct tkt_err *err);
bool tkt_itsm_is_key(const char *text);
/* A time as ITSMs write it, in UTC where it does not say: ms since 1970, or -1. */
int64_t tkt_itsm_time(const char *text);

#endif
