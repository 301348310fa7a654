/* SPDX-License-Identifier: BSD-2-Clause
 * Stored mails for a rehearsal: in the order they came, with what became of each.
 *
 * Reading only; one thread per reader. Mails whose content was erased and copies are left
 * out. Errors as in store.h.
 */
#ifndef TKT_STORE_SAMPLE_H
#define TKT_STORE_SAMPLE_H
#include "store/store.h"

struct tkt_store_sample {
    int64_t message;
    int64_t at_ms;
    int64_t size;
    int64_t ticket;
    char id[48];
    char desk[40];
    enum tkt_ticket_state state;
    bool is_first; /* it opened its ticket */
    bool is_unverified;
};
struct tkt_store_sample_filter {
    int64_t after; /* message rows above this one */
    int64_t since_ms;
    int64_t until_ms;      /* exclusive; 0: none */
    const char *desk, *id; /* NULL or "": all */
};
int tkt_reader_samples(struct tkt_reader *r, const struct tkt_store_sample_filter *f,
                       struct tkt_store_sample *out, int max, struct tkt_err *err);
/* A row so that no message of that time or later lies before it. */
int tkt_reader_first_since(struct tkt_reader *r, int64_t since_ms, int64_t *out,
                           struct tkt_err *err);
/* What was last decided about the message, and when: 1, 0 nothing was kept, -1. */
int tkt_reader_record(struct tkt_reader *r, int64_t ticket, int64_t message,
                      struct tkt_buf *out, int64_t *at_ms, struct tkt_err *err);

#endif
