/* SPDX-License-Identifier: BSD-2-Clause
 * What became of notices behind their job, as their service tells it.
 *
 * Promise: what is heard is a set: told twice or in any order it ends as the same, and only
 * what is new is written and does anything. A notice whose answer was lost, and which its
 * service turns out to have, is told: its job ends, and it is not sent again.
 * Writers are the transaction's, as all of store.h. Errors: as the store's.
 */
#ifndef TKT_STORE_HEARD_H
#define TKT_STORE_HEARD_H
#include "store/store.h"
#include "wire/packet.h"

/* Bits, kept with the job. */
enum tkt_heard {
    TKT_HEARD_TAKEN = 1,     /* the service has it */
    TKT_HEARD_DELIVERED = 2, /* it arrived */
    TKT_HEARD_FAILED = 4,    /* it will not */
    TKT_HEARD_READ = 8,      /* it arrived, and was looked at */
    TKT_HEARD_UNWANTED = 16  /* its recipient complained, or wants no more */
};

/* Strings are never NULL; "" = not told. */
struct tkt_store_heard {
    int64_t job;
    const char *channel;
    enum tkt_heard what;  /* one bit */
    const char *on;       /* what the notice told of: "created" */
    const char *to;       /* its recipient, as the job names it */
    bool is_person;       /* `to` is a contact that may be marked */
    int64_t failed_after; /* FAILED marks the contact after so many days; 0: never */
    const char *code, *words;
    const char *id; /* the service's own */
};
enum tkt_heard_result {
    TKT_HEARD_UNKNOWN, /* there is no such notice */
    TKT_HEARD_AGAIN,   /* nothing new */
    TKT_HEARD_NEW,
    TKT_HEARD_SETTLED /* new, and it ended the doubt whether it was told */
};
/* Events: notice.delivered, notice.failed; contact.marked; notice.told when it settles. */
int tkt_store_heard(struct tkt_store *store, const struct tkt_store_heard *in,
                    int64_t now_ms, enum tkt_heard_result *out, struct tkt_err *err);

struct tkt_reader_heard {
    unsigned heard;                /* bits */
    char *target, *corr, *payload; /* in the arena; "" = erased */
};
/* Of a job that is a notice: 1, 0 there is none, -1. */
int tkt_reader_heard(struct tkt_reader *r, int64_t job, struct tkt_wire_arena *arena,
                     struct tkt_reader_heard *out, struct tkt_err *err);

#endif
