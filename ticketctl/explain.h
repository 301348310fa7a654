/* SPDX-License-Identifier: BSD-2-Clause
 * What would happen to one message: everything `explain` found out, and how it is told.
 *
 * explain.c reads, asks and decides; explain_print.c prints. The struct owns all it
 * points to; release frees it. One thread.
 */
#ifndef TKT_TICKETCTL_EXPLAIN_H
#define TKT_TICKETCTL_EXPLAIN_H
#include "decide/decide.h"
#include "message/message.h"
#include "ticketctl/ctl.h"
#include "ticketctl/mail.h"
#include "ticketctl/mailbox.h"
#include "ticketd/mail/edit.h"

struct tkt_ctl_explained {
    const struct tkt_ctl_place *place;
    bool has_conf;  /* else the defaults with one desk */
    bool show_text; /* redacted, for people */
    bool has_facts; /* ticketd told what it knows */
    struct tkt_ctl_mail mail;
    struct tkt_message msg;
    struct tkt_wire_request req;                    /* the envelope, the fields */
    struct tkt_edit_desk desks[TKT_EDIT_DESKS_MAX]; /* in config order */
    size_t desk_count;
    struct tkt_facts facts;
    struct tkt_decisions decisions; /* one per desk */
    struct tkt_wire_edit *edits;
    size_t edit_count;
    enum tkt_edit_subject subject;
    const struct tkt_policy *policy; /* borrowed */
    uint64_t generation;             /* of the configuration */
    struct tkt_wire_arena arena;
};

/* What is the same for all messages of a call. */
struct tkt_ctl_explain {
    struct tkt_ctl *ctl;
    bool has_conf;
    struct tkt_wire_desk *rows;
    size_t row_count;
    const struct tkt_conf_desk **row_desks; /* the section of each row */
    struct tkt_wire_desk_index *index;
    const char **prefixes;
    size_t prefix_count;
    struct tkt_policy *policy;   /* rules and model */
    struct tkt_ctl_explained *x; /* the message in hand */
    int worst;                   /* exit code */
};

/* Fills x->facts: the desks' settings, and what ticketd knows unless --offline. 0 or a
 * code after a message. */
int tkt_ctl_explain_facts(struct tkt_ctl_explain *e);

/* The ID of a known ticket by its row; "?" when it is not among the facts. */
const char *tkt_ctl_explain_ticket(const struct tkt_ctl_explained *x, int64_t ticket);

/* Appends one JSON object. -1 when out is full. */
int tkt_ctl_explain_json(const struct tkt_ctl_explained *x, struct tkt_buf *out);
void tkt_ctl_explain_text(const struct tkt_ctl_explained *x, FILE *to);

/* It looks like a ticket's ID and is no file. */
bool tkt_ctl_is_ticket_id(const char *s);
/* explain for tickets instead of files. */
int tkt_ctl_decided(struct tkt_ctl *ctl);

/* ---- what is the same for a mail in hand and for stored ones ----------------------- */

bool tkt_ctl_is_agent(const struct tkt_conf *conf, const char *from);
/* Whom the directory does not know. */
struct tkt_person tkt_ctl_nobody(void);
/* Rules and model of a configuration, compiled; model NULL: none. Release with
 * tkt_policy_free. -1: CONF with file and line, or TEMP. */
int tkt_ctl_policy_load(const struct tkt_conf *conf, const char *model,
                        struct tkt_policy **out, struct tkt_err *err);
/* With warnings: lines "file:line: what". */
int tkt_ctl_policy_compile(const struct tkt_conf *conf, const char *model,
                           struct tkt_policy **out, struct tkt_buf *warnings,
                           struct tkt_err *err);

#endif
