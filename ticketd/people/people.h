/* SPDX-License-Identifier: BSD-2-Clause
 * Senders as directories know them: mail reads the cache in the store, a thread of its own
 * asks and writes.
 *
 * Promise: nothing here makes mail wait. tkt_people_fill costs nothing where no directory
 * is configured, else one indexed read. What is missing or old is noted for the thread, at
 * most TKT_PEOPLE_WANTED_MAX addresses at a time; more are not asked for now. An old answer
 * is used until a new one is there, and while none can be had for people.stale longer.
 *
 * The thread asks the directories in the order of the file. One that does not answer is
 * left alone for a while, longer each time (TKT_PEOPLE_PAUSE_*), and what it might have
 * known is not called unknown meanwhile. Answers of people who write are asked for again
 * before they end.
 */
#ifndef TKT_TICKETD_PEOPLE_H
#define TKT_TICKETD_PEOPLE_H
#include "decide/decide.h"
#include "directory/directory.h"
#include "ticketd/core/daemon.h"
#include "ticketd/core/tools.h"

#define TKT_PEOPLE_WANTED_MAX 4096
#define TKT_PEOPLE_FAILURES 3          /* in a row, before it is left alone */
#define TKT_PEOPLE_PAUSE_FIRST_MS 5000 /* doubled each time */
#define TKT_PEOPLE_PAUSE_MAX_MS 300000

struct tkt_people;

struct tkt_people *tkt_people_new(struct tkt_daemon *d, struct tkt_err *err);
/* Its thread; before that, and without it, what is wanted is only noted. */
int tkt_people_start(struct tkt_people *people, struct tkt_err *err);
/* Waits for the question under way; what is wanted from then on is only noted. */
void tkt_people_stop(struct tkt_people *people);
void tkt_people_free(struct tkt_people **people);

/* Is a directory there that could know this address? address is lower case. */
bool tkt_people_covers(const struct tkt_conf *conf, const char *address);

enum tkt_people_result {
    TKT_PEOPLE_NOT_ASKED, /* no directory, or none for this address */
    TKT_PEOPLE_KNOWN,
    TKT_PEOPLE_UNKNOWN, /* to all directories */
    TKT_PEOPLE_MISSING  /* nothing is in the cache */
};
/* Fills *out (never with NULL strings) out of the cache; memory is the arena's. people may
 * be NULL: nothing is noted then. -1 as a result is an error of the store. */
int tkt_people_fill(struct tkt_people *people, const struct tkt_conf *conf,
                    struct tkt_reader *reader, const char *address, int64_t now_ms,
                    struct tkt_wire_arena *arena, struct tkt_person *out,
                    struct tkt_err *err);
/* The same for the facts of a message, once for all its gatherings; *out points into
 * tools. Without a reader in tools nothing is known. */
int tkt_people_of(struct tkt_people *people, const struct tkt_conf *conf,
                  struct tkt_tools *tools, const char *address, int64_t now_s,
                  struct tkt_person *out, struct tkt_err *err);
/* Asks for it again, whatever the cache says. false: too much is asked for now. */
bool tkt_people_want(struct tkt_people *people, const char *address);

/* For people at the keyboard, in the caller's thread: asks now, on connections of its own,
 * and keeps the answer. Appends JSON. */
int tkt_people_lookup_json(struct tkt_daemon *d, const char *address, bool cached_only,
                           struct tkt_reader *reader, struct tkt_buf *out,
                           struct tkt_err *err);
/* Of one directory, "" of all: what a connection finds. */
int tkt_people_test_json(struct tkt_daemon *d, const char *name, struct tkt_buf *out,
                         struct tkt_err *err);
/* Empties the cache. */
int tkt_people_flush(struct tkt_daemon *d, int64_t *removed, struct tkt_err *err);
/* One object for `ticketctl status`: counters and which directories are left alone. */
void tkt_people_status(struct tkt_people *people, struct tkt_buf *out);
/* A person as JSON members, for those and for facts: {"known":...,"name":...}. */
void tkt_person_json(const struct tkt_person *p, struct tkt_buf *out);

/* ---- between people.c and people_ask.c ---------------------------------------------- */

/* The directories of one configuration, each with its connection and its pause. One
 * thread, but for the status, which any may read. */
struct tkt_asker;
struct tkt_asker *tkt_asker_new(struct tkt_settings *set);
void tkt_asker_free(struct tkt_asker **asker);
const struct tkt_settings *tkt_asker_settings(const struct tkt_asker *asker);
struct tkt_asker_result {
    int found;       /* 1, 0: none knows it; -1: it cannot be said now */
    bool incomplete; /* an earlier directory did not answer */
    const char *by;  /* the directory that knows it */
    struct tkt_directory_answer answer;
    struct tkt_err err; /* of the last that failed */
};
/* Release answer where found is 1. */
void tkt_asker_ask(struct tkt_asker *asker, const char *address,
                   struct tkt_asker_result *out);
/* {"hr":{"state":"ok"...}}; any thread, under the caller's lock. */
void tkt_asker_status(const struct tkt_asker *asker, struct tkt_buf *out);
/* Writes an answer with the times that conf names; in the commit writer's apply. */
int tkt_people_keep(struct tkt_store *store, const struct tkt_conf *conf,
                    const char *address, const struct tkt_asker_result *r, bool used,
                    int64_t now_ms, struct tkt_err *err);

#endif
