/* SPDX-License-Identifier: BSD-2-Clause
 * Header edits: from the configuration, the envelope and what is known of the message to
 * the list that the hook applies verbatim. The one place that decides what is disclosed.
 *
 * Rules (docs/design.md, "Header edits"): the Subject is rewritten only if every
 * recipient is a desk with local delivery; a desk is named to other recipients only if
 * its address stands in To or Cc; inbound X-Ticket-* go; the tag is ASCII outside
 * encoded-words and the rest stays byte for byte. Past a cap (60,000 bytes, a line of
 * 998) the Subject is left alone: a field that an MTA would cut is worse than no tag.
 * Pure: no clock, no I/O. The edits live in the given arena. Any thread.
 */
#ifndef TKT_TICKETD_EDIT_H
#define TKT_TICKETD_EDIT_H
#include "conf/conf.h"
#include "message/message.h"
#include "ticketd/mail/subject.h"
#include "wire/intake.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_EDIT_SUBJECT_MAX 60000 /* bytes of the whole field; Postfix cuts above */
#define TKT_EDIT_LINE_MAX 998
#define TKT_EDIT_DESKS_MAX 64 /* that get X-Ticket-ID and recipient edits */

/* One desk's result. */
struct tkt_edit_desk {
    const struct tkt_conf_desk *conf;
    const char *rcpt;   /* the recipient that named it, as in RCPT */
    const char *status; /* created, existing, appended, pending: edits; else none */
    const char *id;     /* "IT-12" */
    const char *xid;    /* signed value of X-Ticket-ID (ticketd/mail/xid.h) */
    const char *group;  /* or "" */
    int priority;
    const char *group_mailbox; /* for add_group_recipient, or "" */
    const char *reply_address; /* for reply_to = add: desk address with token, or "" */
    bool in_to_cc;             /* its address stands in To or Cc */
};

struct tkt_edit_in {
    const struct tkt_wire_request *req; /* fields, leadspc, rcpts, other_rcpts */
    const bool *field_is_valid; /* per req field: an X-Ticket-ID that verified; or NULL */
    struct tkt_prefixes own;
    const struct tkt_edit_desk *desks; /* in config order */
    size_t desk_count;
    enum tkt_class class;
    enum tkt_security security;
    bool is_list;
    const char *from; /* addr-spec of From, or "" */
    const struct tkt_addresses
        *reply_to; /* of the message; NULL or empty: no such field */
};

enum tkt_edit_subject { /* what became of the Subject, for the log line */
    TKT_EDIT_SUBJECT_TAGGED,
    TKT_EDIT_SUBJECT_REPLACED, /* another ticket's tag gave way */
    TKT_EDIT_SUBJECT_KEPT,     /* the right tag was there */
    TKT_EDIT_SUBJECT_POLICY,   /* header or off, recipients, class, security */
    TKT_EDIT_SUBJECT_LIMIT     /* too long */
};
extern const char *const tkt_edit_subject_names[];

/* Appends nothing on error. -1 is TEMP: no memory. *count is at most
 * TKT_WIRE_EDITS_MAX. */
int tkt_edit_build(const struct tkt_edit_in *in, struct tkt_wire_arena *arena,
                   struct tkt_wire_edit **edits, size_t *count,
                   enum tkt_edit_subject *subject, struct tkt_err *err);

/* The new value of one Subject field. Returns KEPT, LIMIT or TAGGED/REPLACED with the
 * value appended to out. name_len: bytes before the value on its first line ("Subject:"
 * and the blank when the host adds one). */
enum tkt_edit_subject tkt_edit_tag_subject(const struct tkt_prefixes *own, const char *id,
                                           const char *value, size_t len, size_t name_len,
                                           struct tkt_buf *out);

#endif
