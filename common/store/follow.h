/* SPDX-License-Identifier: BSD-2-Clause
 * Following the event log: whatever reacts to what happened reads events in their order
 * and keeps its place here.
 *
 * Promise: a follower's place is written in the transaction that holds what it made of
 * the events before it: each event has its effects exactly once, whatever is killed when.
 * Limits: names of 1..32 bytes. Errors: as the store's.
 */
#ifndef TKT_STORE_FOLLOW_H
#define TKT_STORE_FOLLOW_H
#include "store/store.h"
#include "wire/packet.h"

#define TKT_STORE_EVENT_KIND_MAX 64
#define TKT_STORE_FOLLOWER_NAME_MAX 32

struct tkt_store_event {
    int64_t id; /* grows; not without gaps */
    int64_t at_ms;
    int64_t ticket;  /* row; 0 = host-wide */
    int64_t message; /* row; 0 = none */
    char kind[TKT_STORE_EVENT_KIND_MAX + 1];
    /* JSON in the arena; "" when there is none, when it was erased, and of kind
     * message.decided, which is long: ask for it by tkt_reader_log_json. */
    const char *data;
};

/* Events behind the id `after`, oldest first; how many (<= max), or -1. */
int tkt_reader_events_after(struct tkt_reader *r, int64_t after, int max,
                            struct tkt_wire_arena *arena, struct tkt_store_event *out,
                            struct tkt_err *err);

/* An event for somebody outside: texts are never NULL, and end with the call that gets it. */
struct tkt_store_event_out {
    int64_t id;
    int64_t at_ms;
    const char *host;
    const char *kind;
    char mark[17];          /* the same for ever, of no other event: of the hash chain */
    char ticket[64];        /* "IT-12", "" = host-wide */
    const char *queue_id;   /* of its mail, or "" */
    const char *message_id; /* with <>, or "" */
    const char *data;       /* as in struct tkt_store_event */
};
/* Events behind the id `after`, oldest first, at most max, until take says 1 (enough: it did
 * not take this one) or -1. How many were taken, or -1. */
int tkt_reader_events_out(struct tkt_reader *r, int64_t after, int max,
                          int (*take)(void *arg, const struct tkt_store_event_out *event,
                                      struct tkt_err *err),
                          void *arg, struct tkt_err *err);
/* 0 when there is none yet. */
int tkt_reader_event_newest(struct tkt_reader *r, int64_t *id, struct tkt_err *err);
/* The latest time of the last ones: later than now when the clock was set back. 0 when there
 * is none. */
int tkt_reader_event_latest(struct tkt_reader *r, int64_t *at_ms, struct tkt_err *err);
/* 1: *event is the last one it is done with; 0: it has no place. */
int tkt_reader_place(struct tkt_reader *r, const char *follower, int64_t *event,
                     struct tkt_err *err);

/* In a transaction of the writer. PERM when the follower's place is not `from` (-1: it has
 * none): somebody else moved it, and the effects must not be written. */
int tkt_store_place_move(struct tkt_store *store, const char *follower, int64_t from,
                         int64_t to, struct tkt_err *err);
/* It follows no more; the next time it begins at the newest event. */
int tkt_store_place_drop(struct tkt_store *store, const char *follower,
                         struct tkt_err *err);

#endif
