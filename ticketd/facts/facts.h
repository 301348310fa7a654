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
#include "store/thread.h"
#include "ticketd/core/deskfacts.h"
#include "ticketd/core/prints.h"
#include "ticketd/core/senders.h"
#include "ticketd/core/tools.h"
#include "ticketd/mail/noticemail.h"
#include "ticketd/mail/token.h"
#include "ticketd/parser/parserpool.h"
#include "ticketd/people/people.h"

#define TKT_FACTS_SCOPE_MAX 321

/* What was found on the way and is kept with the message. */
struct tkt_facts_found {
    enum tkt_mail_tag tag; /* a recipient is the address of a notice of this ticket */
    int64_t tag_ticket;
    char tag_desk[40];
    bool is_own; /* its Message-ID is one that we signed: our own mail came back */
    struct tkt_store_thread_key named[TKT_STORE_NAMED_MAX]; /* mails that never came */
    size_t named_count;
    char scope[TKT_FACTS_SCOPE_MAX]; /* whose tags its foreign ones are */
    struct tkt_learned learned;
    bool
        person_missing; /* a directory is being asked for the sender for the first time */
    char department[128]; /* of the sender; "": not known */
};

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
    struct tkt_prints *prints;     /* or NULL: likeness is not looked at */
    struct tkt_people *people;     /* or NULL: nobody is asked for */
    struct tkt_senders *senders;   /* or NULL: nothing is learned */
    struct tkt_facts_found *found; /* out */
};

/* From is a member of one of our groups. */
bool tkt_facts_is_agent(const struct tkt_conf *conf, const char *from);
/* Whose tracker a tag belongs to: the domain of the address, or the address itself where
 * strangers share a domain (the large providers of mailboxes). */
void tkt_facts_scope(const char *from, char out[TKT_FACTS_SCOPE_MAX]);
/* A tkt_facts_fn; arg is a struct tkt_facts_in. */
int tkt_facts_gather(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                     struct tkt_err *err);

#endif
