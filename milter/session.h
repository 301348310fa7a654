/* SPDX-License-Identifier: BSD-2-Clause
 * What the milter knows of a connection and of the message in hand.
 *
 * A session hangs on its host (milter/host.h) and on nothing else: the steps of one
 * connection may run in different threads, but never two at once. Everything else is
 * in struct tkt_milter, which all threads share: its fixed part is set before the first
 * callback, the rest is atomic or has its own lock.
 */
#ifndef TKT_MILTER_SESSION_H
#define TKT_MILTER_SESSION_H
#include "milter/host.h"
#include "milter/spool.h"
#include "milter/table.h"
#include "wire/intake.h"

#include <stdatomic.h>

/* Bytes of captured header values a message; past it values travel empty. */
#define TKT_FIELDS_BYTES_MAX (512 * 1024)

/* Of the TKT_WIRE_FIELDS_MAX fields of a request: the rest is X-Ticket-*. */
#define TKT_SUBJECTS_MAX 64
/* X-Ticket-* fields of a message beyond those; ticketd need not see them, they only go. */
#define TKT_SURPLUS_FIELDS_MAX 1024

struct tkt_milter {
    /* fixed */
    char *hostname;
    char *state_dir;
    char *missed_dir;
    struct tkt_wire_client *client;
    struct tkt_tables *tables;
    /* taken from each reload */
    atomic_llong in_reserve_max;
    atomic_llong memory_max;
    atomic_llong message_max;
    atomic_llong recipients_max;
    atomic_llong deadline_ms;
    atomic_llong progress_ms;
    atomic_ulong actions; /* SMFIF_* that the edits of this configuration need */
    /* counters */
    atomic_llong in_reserve;
    atomic_llong in_callback; /* at end of message: what a stop waits for */
    atomic_ullong untagged;   /* messages accepted with a failed edit */
    atomic_ullong missed;     /* messages accepted without a ticket, in missed/ */
};

struct tkt_message {
    struct tkt_wire_arena arena; /* of all strings here */
    struct tkt_table *table;     /* the one that was current at MAIL */
    char *sender;
    bool smtp_path;
    bool leadspc;
    int64_t mail_time_s;
    char *queue_id;
    char *mta_host;
    char *auth_login;
    char *tls;
    char *tls_subject;
    struct tkt_wire_rcpt *rcpts; /* all accepted recipients, in RCPT order */
    size_t rcpt_count;
    size_t rcpt_room;
    unsigned more_rcpts; /* beyond the cap, none of them a desk */
    bool too_many_rcpts; /* ... a desk among them */
    size_t desk_rcpts;
    size_t subject_count;
    struct tkt_wire_field *surplus; /* X-Ticket-* without values, in header order */
    size_t surplus_count;
    bool too_many_fields; /* more than even that */
    struct tkt_spool spool;
    bool spooling; /* DATA came and a desk is among the recipients */
    struct tkt_wire_field fields[TKT_WIRE_FIELDS_MAX];
    size_t field_count;
    size_t field_bytes;
};

struct tkt_session {
    struct tkt_milter *milter;
    unsigned long protocol; /* SMFIP_* in force */
    struct tkt_host host;
    bool rcpt_lookup; /* RCPT waits for our answer */
    bool failed;      /* no memory: the message in hand is deferred */
    char *client_name;
    char *client_addr;
    char *helo;
    struct tkt_message *msg; /* NULL between messages */
};

struct tkt_session *tkt_session_new(struct tkt_milter *milter);
void tkt_session_free(struct tkt_session **session);

/* Starts a message (dropping an unfinished one); NULL without memory. */
struct tkt_message *tkt_message_begin(struct tkt_session *s);
void tkt_message_end(struct tkt_session *s);
/* A copy in the message's arena; NULL without memory. text NULL gives "". */
char *tkt_message_strdup(struct tkt_message *m, const char *text, size_t n);
/* 0, or -1 without memory. Recipients beyond the cap are only counted. */
int tkt_message_add_rcpt(struct tkt_session *s, const char *addr, size_t len,
                         bool relayed);
/* Remembers Subject and X-Ticket-* fields for RESERVE (milter/fields.c). 0, or -1 without
 * memory. */
int tkt_message_note_field(struct tkt_message *m, const char *name, const char *value);
/* Every recipient is a desk: the message may be refused. */
bool tkt_message_all_desks(const struct tkt_message *m);
/* Counts the desk recipients anew, by the current table. */
void tkt_message_use_table(struct tkt_session *s);

#endif
