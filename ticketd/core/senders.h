/* SPDX-License-Identifier: BSD-2-Clause
 * What the last mails of a sender had in common: the lines at their ends (a signature,
 * however it looks) and the pictures inside them (a logo).
 *
 * Promise: hashes only, by a hash of the address. A plain mail costs no write: what is
 * learned stays in memory and is written by flush, in the writer's idle moments; what a
 * crash loses is learned again. Of a sender who is not in memory one row is read. Bounded
 * by TKT_SENDERS_CACHED in memory and by TKT_STORE_SENDERS_MAX in the store; forgotten
 * after TKT_SENDERS_KEEP_MS. Any thread; a lock inside.
 */
#ifndef TKT_TICKETD_SENDERS_H
#define TKT_TICKETD_SENDERS_H
#include "message/message.h"
#include "store/store.h"

#define TKT_SENDERS_CACHED 4096
#define TKT_SENDERS_MAILS 4  /* the last ones, whose ends are kept */
#define TKT_SENDERS_IMAGES 8 /* pictures that are counted */
#define TKT_SENDERS_SEEN 2   /* this many mails before say that it was no chance */
#define TKT_SENDERS_KEEP_MS (180 * 24 * 3600 * INT64_C(1000))

struct tkt_senders;

struct tkt_learned {
    unsigned tail_lines; /* of reply_text that are his signature */
    uint64_t logos;      /* a bit for each of the first 64 attachments */
};

struct tkt_senders *tkt_senders_new(void);
void tkt_senders_free(struct tkt_senders **s);
/* What is known about this message of his; nothing when the store cannot tell. */
void tkt_senders_ask(struct tkt_senders *s, struct tkt_reader *reader,
                     const struct tkt_message *msg, struct tkt_learned *out);
/* The message was taken in: counts it. Machines have no signatures: only people's count. */
void tkt_senders_note(struct tkt_senders *s, const struct tkt_message *msg);
/* Writes at most max of those that changed; in the writer, and again when the writer undid
 * it. Returns how many, or -1. They have changed until written says that it is committed. */
int tkt_senders_flush(struct tkt_senders *s, struct tkt_store *store, int max,
                      int64_t now_ms, struct tkt_err *err);
void tkt_senders_written(struct tkt_senders *s);
bool tkt_senders_changed(struct tkt_senders *s);
/* In the transaction that forgets, and again behind it: somebody may have read the store
 * between the two. */
void tkt_senders_forget(struct tkt_senders *s, const char *address);

#endif
