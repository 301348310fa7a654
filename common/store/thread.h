/* SPDX-License-Identifier: BSD-2-Clause
 * What threading keeps beside the messages: mails that are named and were never here, other
 * trackers' tags, prints of texts, what was learned about senders.
 *
 * A plain new mail writes nothing of it but the print, which stands in the ticket's own
 * row. Writers as in store.h (for use in an item's apply); readers by any thread, each
 * lookup is one probe of an index and bounded by its max.
 */
#ifndef TKT_STORE_THREAD_H
#define TKT_STORE_THREAD_H
#include "store/store.h"

#define TKT_STORE_NAMED_MAX 4     /* of one message */
#define TKT_STORE_SENDER_MAX 2048 /* bytes that are kept of a sender */
#define TKT_STORE_SENDERS_MAX 200000

/* Of one message, besides the decision. */
struct tkt_store_traces {
    const struct tkt_store_thread_key *named; /* mails that are not here */
    size_t named_count;
    const char *foreign_scope; /* whose tags: the sender's domain or address */
    const struct tkt_strings *foreign_ids;
    uint64_t print;           /* 0: none */
    unsigned tail_lines;      /* of its text that are its sender's signature */
    struct tkt_strings logos; /* its parts that are his logo */
};

/* Tickets that hold a message which refers to a mail with this Message-ID hash. */
int tkt_reader_by_named(struct tkt_reader *r, const unsigned char hash[TKT_SHA256_LEN],
                        const char *address, struct tkt_reader_ticket *out, int max,
                        struct tkt_err *err);
/* Tickets with this tag from this scope, the newest first. */
int tkt_reader_by_foreign(struct tkt_reader *r, const char *scope, const char *ref,
                          const char *address, struct tkt_reader_ticket *out, int max,
                          struct tkt_err *err);
/* The Subject of a ticket, appended to out; 1 found, 0 not. */
int tkt_reader_subject(struct tkt_reader *r, int64_t ticket, struct tkt_buf *out,
                       struct tkt_err *err);

struct tkt_store_print {
    int64_t ticket;
    uint64_t print;
    int64_t at_ms;
    char desk[40];
    char sender[256]; /* requester; cut, "" when there is none */
};
/* Prints of tickets opened after since_ms, the newest first, at most max of the last max
 * tickets. */
int tkt_reader_prints(struct tkt_reader *r, int64_t since_ms, struct tkt_store_print *out,
                      int max, struct tkt_err *err);

/* How many of the last lines of a message's text are its sender's signature, and which of
 * its parts are his logo (one a line, appended to logos). */
int tkt_reader_learned(struct tkt_reader *r, int64_t message, unsigned *tail_lines,
                       struct tkt_buf *logos, struct tkt_err *err);

/* What is known of a sender, by a key of 16 bytes; opaque here. */
#define TKT_STORE_SENDER_KEY_LEN 16
void tkt_store_sender_key(const char *address,
                          unsigned char key[TKT_STORE_SENDER_KEY_LEN]);
/* 1 with data appended to out, 0 when nothing is known. */
int tkt_reader_sender(struct tkt_reader *r,
                      const unsigned char key[TKT_STORE_SENDER_KEY_LEN],
                      struct tkt_buf *out, struct tkt_err *err);
int tkt_store_sender_set(struct tkt_store *s,
                         const unsigned char key[TKT_STORE_SENDER_KEY_LEN],
                         const void *data, size_t n, int64_t now_ms, struct tkt_err *err);
/* Forgets who was not seen since, and the oldest of more than `keep`; at most max a
 * call. */
int tkt_store_senders_expire(struct tkt_store *s, int64_t before_ms, int64_t keep,
                             int max, int64_t *removed, struct tkt_err *err);

#endif
