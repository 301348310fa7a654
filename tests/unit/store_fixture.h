/* SPDX-License-Identifier: BSD-2-Clause
 * A store in a temporary directory, and messages to put into it.
 */
#ifndef TKT_TESTS_STORE_FIXTURE_H
#define TKT_TESTS_STORE_FIXTURE_H
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "store/internal.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define NOW INT64_C(1800000000000)
#define HOUR_MS (3600 * INT64_C(1000))
#define DAY_MS (24 * HOUR_MS)
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

struct fixture {
    char dir[64];
    struct tkt_store_options opt;
    struct tkt_store *store;
    struct tkt_reader *reader;
};

struct sample { /* one message for up to three desks */
    char raw[200];
    struct tkt_store_desk_in desks[3];
    struct tkt_store_thread_key thread;
    struct tkt_store_participant who[2];
    struct tkt_store_reserve_in in;
    struct tkt_store_reserve_out res;
    struct tkt_store_desk_out out[3];
    struct tkt_decision decision;
};

int fixture_open(void **state);
int fixture_close(void **state);
/* Closes and opens again, as after a restart. */
void fixture_reopen(struct fixture *f);
void remove_tree(const char *path);
/* The database of a dump in tests/unit takes its place; nothing is open then. */
void fixture_load(struct fixture *f, const char *name);

/* text makes the message: same text, same key. Desk "it", hook milter, confirmed. */
void sample_init(struct sample *m, const char *text);
/* The same head key (From, Message-ID, Date, Subject) for all samples of that name. */
void sample_head(struct sample *m, const char *head);
void sample_decide(struct sample *m, enum tkt_action action, int64_t ticket);
void sample_desk(struct sample *m, const char *desk, const char *prefix);
void sample_sieve(struct sample *m, const char *rcpt);
int reserve(struct fixture *f, struct sample *m, struct tkt_err *err);
void reserve_ok(struct fixture *f, struct sample *m);

/* A message of that text, taken in. */
void make(struct fixture *f, struct sample *m, const char *text);
/* A committed blob; a message in one, taken in. */
void make_blob(struct fixture *f, struct tkt_blob *b, const char *text);
void make_large(struct fixture *f, struct sample *m, const char *text,
                struct tkt_blob *b);
int files_in(const char *dir); /* below its blobs/ */
void age_file(const char *path, int64_t wall_ms);

/* Asks by a connection of its own. */
int64_t number(struct fixture *f, const char *sql);
int64_t count_of(struct fixture *f, const char *table);
void execute(struct fixture *f, const char *sql);
/* verify finds nothing. */
void assert_clean(struct fixture *f);
int64_t faults(struct fixture *f, struct tkt_buf *out);

#endif
