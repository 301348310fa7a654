/* SPDX-License-Identifier: BSD-2-Clause
 * What comes back from ITSMs: what each of them said last of a ticket, and when it is to be
 * asked again.
 *
 * Promise: a change there is written here once, in one transaction with the record of what
 * was seen: whatever is killed, and however often the ITSM tells the same. What the ITSM
 * says is compared with what it said before; a word that did not change is none, and a word
 * that means what the ticket here has already is none either. A comment counts by its id.
 * Who looks when is a row with a time and not a job for each look: a hint sets the time to
 * now, however many come. For use in a transaction of the writer, as all of store.h.
 * Limits: TKT_STORE_BACK_*. Errors: as the store's.
 */
#ifndef TKT_STORE_BACK_H
#define TKT_STORE_BACK_H
#include "store/store.h"
#include "wire/packet.h"

#define TKT_STORE_BACK_WORD_MAX 256           /* bytes of a state, a group, a name */
#define TKT_STORE_BACK_TEXT_MAX (64 * 1024)   /* of a comment; the rest stays there */
#define TKT_STORE_BACK_NOTES_MAX 200          /* of one look */
#define TKT_STORE_BACK_OPEN_MAX 64            /* looks of an ITSM that wait as jobs */
#define TKT_STORE_BACK_KEYS_MAX 1000          /* of one list of what changed */
#define TKT_STORE_BACK_ALL_MAX 2000           /* of all, in one transaction */
#define TKT_STORE_BACK_FIRST_MS (60 * 1000)   /* after a create, at least */
#define TKT_STORE_BACK_GUARD_MS (3600 * 1000) /* a look whose job got lost */
#define TKT_STORE_BACK_JOB "fetch"            /* kind of its jobs */

struct tkt_store_back_note {
    const char *id;
    const char *author;
    const char *text;
    bool is_public;
    bool is_ours;
};

/* What it said (words; NULL: nothing was said), and what that means here. */
struct tkt_store_back {
    int64_t ticket;
    const char *itsm;
    const char *key, *number, *url; /* "" or NULL: as they were */
    const char *state, *group, *assignee, *priority;
    unsigned states; /* bits of those of ours that its word may stand for; 0: unknown */
    int state_to;    /* the one of them that is set */
    unsigned priorities; /* bits 1..5, in the same way */
    int priority_to;
    bool
        priority_told; /* it was told ours: a first look counts another one as a change */
    const char *group_to;    /* NULL: unknown */
    const char *group_same;  /* a group of ours that it calls so, too; NULL: none */
    const char *assignee_to; /* NULL: unknown; "": nobody */
    const struct tkt_store_back_note *notes; /* newest first */
    size_t note_count;
    bool with_internal; /* comments that its customers do not see come too */
    int64_t asked_ms;   /* when the look began: a later hint asks for another one */
    int64_t poll_ms;    /* how often it is asked by itself; 0: never */
};
struct tkt_store_back_out {
    int changes;  /* of fields */
    int comments; /* that came */
    int unknown;  /* words without a meaning here: events */
    bool waits;   /* a change of ours is on its way: its fields are looked at later */
};

int tkt_store_back(struct tkt_store *store, const struct tkt_store_back *in,
                   int64_t now_ms, struct tkt_store_back_out *out, struct tkt_err *err);
/* The look failed: again after a pause that grows. gone: it is not there any more, and is
 * asked for only after a hint. */
int tkt_store_back_failed(struct tkt_store *store, int64_t ticket, const char *itsm,
                          bool gone, int64_t now_ms, struct tkt_err *err);

enum tkt_store_hint {
    TKT_STORE_HINT_TAKEN,
    TKT_STORE_HINT_UNKNOWN, /* no ticket of ours has that key */
    TKT_STORE_HINT_AGAIN    /* the delivery was taken before */
};
/* Something may have happened to its ticket `key`. delivery: names the message that said
 * so; NULL: it has no name. */
int tkt_store_back_hint(struct tkt_store *store, const char *itsm, const char *key,
                        const char *delivery, int64_t now_ms, enum tkt_store_hint *out,
                        struct tkt_err *err);
/* Keys that a list of changes named, and how far it went. known: how many are ours. */
int tkt_store_back_listed(struct tkt_store *store, const char *itsm,
                          const char *const *keys, size_t count, int64_t since_ms,
                          int64_t now_ms, int *known, struct tkt_err *err);
/* Each ticket that is open here is to be looked at: those behind *after, which moves on; at
 * most TKT_STORE_BACK_ALL_MAX. 1 there may be more, 0 that was the end. *hinted: how many. */
int tkt_store_back_all(struct tkt_store *store, const char *itsm, int64_t *after,
                       int64_t now_ms, int *hinted, struct tkt_err *err);
/* Jobs for what is due at the ITSM, at most so many that TKT_STORE_BACK_OPEN_MAX of them
 * wait. *made: how many. */
int tkt_store_back_take(struct tkt_store *store, const char *itsm, int64_t now_ms,
                        int *made, struct tkt_err *err);
/* Names of deliveries before that time are forgotten; at most max. */
int tkt_store_back_expire(struct tkt_store *store, int64_t before_ms, int max,
                          struct tkt_err *err);

/* 1: *since_ms is where the next list of changes begins, 0 there was none yet. */
int tkt_reader_back_since(struct tkt_reader *r, const char *itsm, int64_t *since_ms,
                          struct tkt_err *err);
/* Whether tkt_store_back_take may find something: 1, 0, -1. */
int tkt_reader_back_due(struct tkt_reader *r, const char *itsm, int64_t now_ms,
                        struct tkt_err *err);

#endif
