/* SPDX-License-Identifier: BSD-2-Clause
 * What the store keeps for notices: what was told how often, what waits for its hour or its
 * digest, who cannot or will not be told, which thread of a channel is a ticket's, who is
 * still to answer.
 *
 * Promise: counts and waiting notices are written in the caller's transaction, so that
 * limits hold across crashes and nothing waits twice. Contacts are kept, and asked for, in
 * lower case; other addresses as given.
 * Limits: below. Errors: as the store's.
 */
#ifndef TKT_STORE_NOTICE_H
#define TKT_STORE_NOTICE_H
#include "store/store.h"
#include "wire/packet.h"

#define TKT_STORE_NOTICE_MAX 16384     /* bytes of a payload */
#define TKT_STORE_DIGEST_ITEMS_MAX 100 /* of one digest; the others are counted */
#define TKT_STORE_DIGEST_BYTES_MAX (128 * 1024)
#define TKT_STORE_NOTICE_JOB "notify" /* kind of the jobs; target: the channel */

/* ---- in a transaction of the writer ---------------------------------------------------- */

/* One more under this name: 1, or 0 when there were max within any window_ms that ends now
 * (nothing is written then). Windows slide in parts; one of which max is 1 is exact. Of a
 * name max is always 1, or never. max <= 0: 1. */
#define TKT_STORE_COUNT_PARTS 12
int tkt_store_notice_count(struct tkt_store *store, const char *name, int64_t max,
                           int64_t window_ms, int64_t now_ms, struct tkt_err *err);
/* How many there are, of a name whose max is not 1. -1. */
int64_t tkt_store_notice_counted(struct tkt_store *store, const char *name,
                                 int64_t window_ms, int64_t now_ms, struct tkt_err *err);

struct tkt_store_notice {
    int64_t ticket;
    int64_t message; /* 0 = none */
    const char *channel;
    const char *payload; /* a JSON object */
    int64_t due_ms;      /* until then it waits; <= now: a job at once */
    const char *digest; /* of all that wait under this name one is made; "" = by itself */
};
int tkt_store_notice_add(struct tkt_store *store, const struct tkt_store_notice *in,
                         int64_t now_ms, struct tkt_err *err);
/* Does one wait under that name already? 1, 0, -1. */
int tkt_store_notice_waits(struct tkt_store *store, const char *digest,
                           struct tkt_err *err);
/* Jobs of those that are due, at most max rows; how many, or -1. A digest is the payload of
 * its first with "what":"digest", "items":[payloads] and "left_out". */
int tkt_store_notices_release(struct tkt_store *store, int64_t now_ms, int max,
                              struct tkt_err *err);
/* Forgets counts whose window is over, at most max. */
int tkt_store_notice_expire(struct tkt_store *store, int64_t now_ms, int max,
                            struct tkt_err *err);

#define TKT_STORE_CONTACT_MAX 320
enum tkt_contact {
    TKT_CONTACT_UNDELIVERABLE = 1, /* it cannot be reached */
    TKT_CONTACT_OPTED_OUT = 2,     /* it does not want to be told */
    TKT_CONTACT_LEFT_DESK = 4 /* the same of one desk: the two functions below alone */
};
/* The first time it is an event of that ticket (0: of the host). */
int tkt_store_contact_mark(struct tkt_store *store, const char *address,
                           enum tkt_contact mark, const char *reason, int64_t ticket,
                           int64_t now_ms, struct tkt_err *err);
/* A notice could not be brought to that address: after so many days on which that was so,
 * within TKT_STORE_FAILED_WINDOW_MS of the first, it is marked. after <= 1: at once. */
#define TKT_STORE_FAILED_WINDOW_MS (14 * 86400 * INT64_C(1000))
struct tkt_store_contact_failed {
    const char *address;
    const char *reason;
    int64_t ticket;
    int64_t after;
};
int tkt_store_contact_failed(struct tkt_store *store,
                             const struct tkt_store_contact_failed *in, int64_t now_ms,
                             struct tkt_err *err);
/* A notice came back: event notice.bounced of the ticket. address "": not known whose. */
#define TKT_STORE_BACK_MAX 321
int tkt_store_notice_bounced(struct tkt_store *store, int64_t ticket, int64_t message,
                             const char *address, const char *status, const char *action,
                             int64_t now_ms, struct tkt_err *err);
/* *was: it was marked. */
int tkt_store_contact_clear(struct tkt_store *store, const char *address,
                            enum tkt_contact mark, const char *who, bool *was,
                            int64_t now_ms, struct tkt_err *err);

/* One that opts out of what a desk tells, or takes that back (desk "": of every desk that
 * it left). *was: it had left one. Events as above. */
int tkt_store_contact_leave(struct tkt_store *store, const char *address,
                            const char *desk, const char *reason, int64_t ticket,
                            int64_t now_ms, struct tkt_err *err);
int tkt_store_contact_rejoin(struct tkt_store *store, const char *address,
                             const char *desk, const char *who, bool *was, int64_t now_ms,
                             struct tkt_err *err);

/* Marks of kind undeliverable that are older than that, at most max; how many, or -1. */
int tkt_store_contacts_expire(struct tkt_store *store, int64_t before_ms, int max,
                              int64_t now_ms, struct tkt_err *err);

int tkt_store_notice_thread(struct tkt_store *store, int64_t ticket, const char *channel,
                            const char *room, const char *thread, struct tkt_err *err);

/* Somebody was asked and is reminded while the ticket waits (state pending). */
struct tkt_store_ask {
    int64_t ticket;
    const char *subscription;
    const char *payload;
    int64_t due_ms;
    int64_t left; /* reminders */
};
int tkt_store_ask_set(struct tkt_store *store, const struct tkt_store_ask *in,
                      struct tkt_err *err);
/* He has answered: no question to him that is held goes out either. */
int tkt_store_ask_drop(struct tkt_store *store, int64_t ticket, struct tkt_err *err);
/* One that was read as due then goes on to next's due and left, or is over (next NULL). 1; 0
 * when he is not waited for any more, or was asked anew: nothing is to be said; -1. */
int tkt_store_ask_turn(struct tkt_store *store, int64_t ticket, int64_t was_due_ms,
                       const struct tkt_store_ask *next, struct tkt_err *err);

/* The clock was set back: what waits longer than it would if it had begun now was planned in
 * a future that did not come. It waits that long. The functions say until when a notice
 * with that payload, and an ask, would wait. How many it was, or -1; at most
 * TKT_STORE_BACK_AT_ONCE of each, the last due first. */
#define TKT_STORE_BACK_AT_ONCE 5000
struct tkt_store_latest {
    int64_t (*notice)(void *arg, const char *payload);
    int64_t (*ask)(void *arg, const char *subscription, int64_t left);
    void *arg;
};
int tkt_store_notices_back(struct tkt_store *store, const struct tkt_store_latest *latest,
                           int64_t now_ms, struct tkt_err *err);

/* ---- reading -------------------------------------------------------------------------- */

/* Bits of enum tkt_contact, LEFT_DESK for that desk; -1. */
int tkt_reader_contact(struct tkt_reader *r, const char *address, const char *desk,
                       struct tkt_err *err);
/* [{address, mark (undeliverable, opted-out), desk ("": of all), reason, at}], newest
 * first. */
int tkt_reader_contacts_json(struct tkt_reader *r, int limit, struct tkt_buf *out,
                             struct tkt_err *err);
/* "" when there is none yet. */
int tkt_reader_notice_thread(struct tkt_reader *r, int64_t ticket, const char *channel,
                             const char *room, struct tkt_wire_arena *arena,
                             char **thread, struct tkt_err *err);
/* Asks that are due; how many (<= max), or -1. Strings in the arena. */
int tkt_reader_asks_due(struct tkt_reader *r, int64_t now_ms, int max,
                        struct tkt_wire_arena *arena, struct tkt_store_ask *out,
                        struct tkt_err *err);
/* Is there a question or a reminder of the ticket that did not go out yet? 1, 0, -1. */
int tkt_reader_ask_untold(struct tkt_reader *r, int64_t ticket, struct tkt_err *err);
/* Is there a held notice or digest that is due? 1, 0, -1. */
int tkt_reader_notices_due(struct tkt_reader *r, int64_t now_ms, struct tkt_err *err);

/* What notices need to know of a ticket and one of its messages, beyond tkt_reader_full.
 * Strings in the arena, never NULL. */
struct tkt_reader_noted {
    bool is_confirmed; /* the ticket: its mail was delivered */
    bool is_shadow;
    bool is_erased;
    char *class_name; /* the message's, or the ticket's first */
    char *author;
    char *message_id; /* without <> */
    char *sender;     /* envelope */
    bool message_confirmed;
    bool message_unverified;
    bool message_internal;
    bool is_first;   /* the message opened the ticket */
    bool is_agent;   /* a colleague's answer */
    bool is_proved;  /* by a log-in, or an aligned pass of its domain */
    bool may_answer; /* the decision was that this mail is acknowledged */
    bool is_forged;  /* its author is known not to be it */
    char *language;  /* of the mail; "" = not known */
};
/* message 0: of the one that opened the ticket. 1, 0 no such ticket, -1. */
int tkt_reader_noted(struct tkt_reader *r, int64_t ticket, int64_t message,
                     struct tkt_wire_arena *arena, struct tkt_reader_noted *out,
                     struct tkt_err *err);
/* Message-ID (without <>) of the last mail of that address (lower case) that a person wrote
 * and the first one's: 1, 0 there is none, -1. */
int tkt_reader_last_mail(struct tkt_reader *r, int64_t ticket, const char *address,
                         struct tkt_wire_arena *arena, char **last, char **first,
                         struct tkt_err *err);
struct tkt_reader_participant {
    char *address;
    char *role;
};
/* How many (<= max), or -1. */
int tkt_reader_participants(struct tkt_reader *r, int64_t ticket, int max,
                            struct tkt_wire_arena *arena,
                            struct tkt_reader_participant *out, struct tkt_err *err);

#endif
