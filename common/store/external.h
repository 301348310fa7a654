/* SPDX-License-Identifier: BSD-2-Clause
 * A ticket as jobs take it to an ITSM, and what the ITSM calls it.
 *
 * One row a (ticket, itsm): a ticket may stand in several. It is written in the same
 * transaction that ends the job of its create, so that no ticket is created twice because
 * its key got lost here.
 */
#ifndef TKT_STORE_EXTERNAL_H
#define TKT_STORE_EXTERNAL_H
#include "store/store.h"
#include "wire/packet.h"

#define TKT_STORE_EXTERNAL_MAX 256 /* bytes of a key, a number */
#define TKT_STORE_ITSM_NAME_MAX 63
#define TKT_STORE_WHO_ITSM "itsm:" /* who did what came from an ITSM; its name follows */
#define TKT_STORE_WHO_NAME_MAX 60  /* ... at most so many bytes of it */
#define TKT_STORE_PLACES_MAX 16    /* ITSMs of one ticket that are looked at */

struct tkt_store_external {
    int64_t ticket;
    const char *itsm;
    const char *key;    /* for its calls */
    const char *number; /* for people */
    const char *url;
};

/* For use in a transaction of the writer. The first of a ticket is an event, as is another
 * key than before. PERM when the key is empty or too long. */
int tkt_store_external_set(struct tkt_store *store, const struct tkt_store_external *in,
                           int64_t now_ms, struct tkt_err *err);

/* An ITSM where a ticket stands or is to stand. */
struct tkt_store_place {
    char itsm[TKT_STORE_ITSM_NAME_MAX + 1];
    char number[TKT_STORE_EXTERNAL_MAX + 1]; /* "" while it does not stand there */
    int64_t begun_ms; /* what was known then went with its create; 0 = not known */
    bool is_told; /* its create has not begun: it will take the ticket as it is then */
};
/* For use in a transaction of the writer: how many (<= max), or -1. */
int tkt_store_places_of(struct tkt_store *store, int64_t ticket,
                        struct tkt_store_place *out, int max, struct tkt_err *err);
/* What that ITSM calls the ticket of the display id; "" when it stands not there. */
int tkt_store_number_of(struct tkt_store *store, const char *id, const char *itsm,
                        char out[TKT_STORE_EXTERNAL_MAX + 1], struct tkt_err *err);
/* Adds an update to the lane of (ticket, itsm), unless one waits there that nobody has
 * begun: it will take the ticket as it is then. only: what changed, by name; NULL-
 * terminated, empty: anything. It stands in the job as {"only": [...]}, with what one that
 * waits had to tell already. 1 added, 0 not, -1. */
int tkt_store_update_add(struct tkt_store *store, int64_t ticket, const char *itsm,
                         const char *const *only, int64_t now_ms, struct tkt_err *err);

/* Tickets that the ITSM calls so, in whatever case; as tkt_reader_by_foreign. */
int tkt_reader_by_external(struct tkt_reader *r, const char *itsm, const char *number,
                           const char *address, struct tkt_reader_ticket *out, int max,
                           struct tkt_err *err);

/* All strings live in the arena and are never NULL. */
struct tkt_reader_full {
    int64_t ticket;
    char *id, *desk, *itsm, *corr;
    char *subject, *requester, *requester_name;
    char *type, *category, *subcategory, *service, *group, *assignee;
    char *tags; /* one a line */
    enum tkt_ticket_state state;
    int urgency, impact, priority;
    int64_t created_ms;
    struct tkt_field *fields;
    size_t field_count;
    char *external, *number, *url; /* at that ITSM; "" = not created there */
};
/* 1 found, 0 not, -1. itsm: whose key is wanted. */
int tkt_reader_full(struct tkt_reader *r, int64_t ticket, const char *itsm,
                    struct tkt_wire_arena *arena, struct tkt_reader_full *out,
                    struct tkt_err *err);
/* The text of a comment that a person wrote here: 1, 0 when the message is none, -1. */
int tkt_reader_comment(struct tkt_reader *r, int64_t message,
                       struct tkt_wire_arena *arena, char **text, char **author,
                       struct tkt_err *err);

#endif
