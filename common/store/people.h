/* SPDX-License-Identifier: BSD-2-Clause
 * The cache of what directories say of senders; also that nobody knew an address.
 *
 * A cache: its rows may go at any time, nothing refers to them. Readers by any thread, one
 * probe of the primary key each; writers as in store.h (for use in an item's apply).
 */
#ifndef TKT_STORE_PEOPLE_H
#define TKT_STORE_PEOPLE_H
#include "store/store.h"

#define TKT_STORE_PERSON_MAX (128 * 1024) /* bytes that are kept of a person */

struct tkt_store_person {
    int64_t checked_ms; /* when a directory was asked */
    int64_t expires_ms;
    int64_t used_ms; /* by a message, about */
    bool is_known;
};

/* 1 with *out and data (what set was given) appended, 0 when nobody has asked yet. address
 * is lower case. */
int tkt_reader_person(struct tkt_reader *r, const char *address,
                      struct tkt_store_person *out, struct tkt_buf *data,
                      struct tkt_err *err);
/* Who wrote a message, appended to out: 1, or 0 when nothing is known of it. */
int tkt_reader_author(struct tkt_reader *r, int64_t message, struct tkt_buf *out,
                      struct tkt_err *err);
/* data NULL: no directory knows the address. used: by a message, not by a refresh. */
int tkt_store_person_set(struct tkt_store *s, const char *address, const void *data,
                         size_t n, bool used, int64_t now_ms, int64_t expires_ms,
                         struct tkt_err *err);
/* Written only where it changes what is refreshed or forgotten. */
int tkt_store_person_used(struct tkt_store *s, const char *address, int64_t now_ms,
                          struct tkt_err *err);
/* Addresses that were used since they were checked and whose answers end within [from,
 * until], the first to end first: each as a string behind the other in out. How many, at
 * most max, or -1. */
int tkt_reader_people_due(struct tkt_reader *r, int64_t from_ms, int64_t until_ms,
                          int max, struct tkt_buf *out, struct tkt_err *err);
/* Forgets what ended before that time, and of more than keep the longest unused; at most
 * max a call. */
int tkt_store_people_trim(struct tkt_store *s, int64_t ended_ms, int64_t keep, int max,
                          int64_t *removed, struct tkt_err *err);
/* All of them; *removed counts. */
int tkt_store_people_flush(struct tkt_store *s, int64_t *removed, struct tkt_err *err);
/* How many, and how many of them no directory knows. */
int tkt_reader_people_count(struct tkt_reader *r, int64_t *people, int64_t *unknown,
                            struct tkt_err *err);

#endif
