/* SPDX-License-Identifier: BSD-2-Clause
 * The store: tickets, messages, keys, threads, holds, jobs, events, blobs.
 *
 * Promise: what a batch reported as done is on disk (WAL synced, synchronous=FULL) when
 * tkt_store_batch() returns. Large messages are files: they and their directory are
 * synced before the row that names them is committed.
 *
 * Threads: a struct tkt_store is the one writer; only one thread at a time may use it
 * (ticketd/core/commit.h). Readers open a struct tkt_reader each. Times are wall-clock ms.
 * Errors: TEMP (disk full, I/O, locked: the caller answers 451), PERM (no such ticket,
 * illegal argument), BUG (illegal state move), CONF (newer schema, bad path).
 * After a failed commit or fsync the handle is reopened and the database verified before
 * the next batch; the failed commit is never retried on the same handle.
 */
#ifndef TKT_STORE_STORE_H
#define TKT_STORE_STORE_H
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "decide/decide.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_STORE_SCHEMA 22
#define TKT_STORE_CHANNEL "channel" /* target of jobs that a channel serves */
#define TKT_STORE_TARGET_MAX 63
#define TKT_STORE_BATCH_MAX 256 /* items of one transaction */

struct tkt_store;
struct tkt_reader;
struct tkt_store_traces;
struct tkt_roster; /* decide/assign.h */

struct tkt_store_options {
    const char *dir;  /* holds tickets.db and blobs/; created by open if missing */
    const char *host; /* this host's name in the event chain */
    unsigned id_block;
    uint64_t batch_bytes_max;
    int64_t batch_us_max;
    int64_t dedupe_keep_ms;
    int64_t dedupe_blind_ms;
};

/* Creates or migrates; refuses a newer schema (CONF) and a directory that another
 * process has open for writing. */
struct tkt_store *tkt_store_open(const struct tkt_store_options *opt,
                                 struct tkt_err *err);
void tkt_store_close(struct tkt_store **store);

/* ---- batches --------------------------------------------------------------------- */

/* One item of the batch's transaction. If apply returns -1 only its own changes are
 * undone. For that it may have to run a second time, as may the others of its batch: it
 * starts from the same arg again. It must not keep pointers into the store. */
struct tkt_store_item {
    int (*apply)(struct tkt_store *store, void *arg, struct tkt_err *err);
    void *arg;
    size_t bytes;       /* about how much it writes; for the batch's cap */
    int result;         /* out: 0 or -1 */
    struct tkt_err err; /* out */
    bool done;          /* out: false when the batch was full before its turn */
};
/* Applies items in order until the caps (bytes, time) are reached; commits once. Items
 * not reached have done = false and go into the next batch. If the commit fails every
 * item of the batch gets TEMP. Returns the number of items done. */
size_t tkt_store_batch(struct tkt_store *store, struct tkt_store_item *items,
                       size_t count);

/* ---- blobs ----------------------------------------------------------------------- */

/* A message file being written; any thread. Name: 32 hex digits, chosen here. */
struct tkt_blob {
    int fd;
    char name[33];
    char path[512];
    char dir[512];
};
int tkt_blob_create(const char *store_dir, struct tkt_blob *blob, struct tkt_err *err);
/* fsync, name, fsync of the directory. After 0 the file may be named in a row. */
int tkt_blob_commit(struct tkt_blob *blob, struct tkt_err *err);
/* Closes fd; a blob that was not committed leaves nothing behind. */
void tkt_blob_close(struct tkt_blob *blob);
/* Opens for reading; -1: TEMP/PERM. */
int tkt_blob_open(const char *store_dir, const char *name, struct tkt_err *err);

const char *tkt_store_state_name(enum tkt_ticket_state state); /* "reserved", ... */

/* All functions below that take a struct tkt_store are for use in an item's apply; called
 * outside a batch each is a transaction of its own. An apply that goes on after one of
 * them failed must undo it by returning -1 in the end. */

/* ---- reserve: one message, all its desks ------------------------------------------ */

struct tkt_store_thread_key { /* SHA-256 of a Message-ID (trimmed, without <>) */
    unsigned char hash[TKT_SHA256_LEN];
};
struct tkt_store_participant {
    const char *address; /* lower case */
    const char *role;    /* from, to, cc, agent */
};

/* A message of the same head key (From, Message-ID, Date, Subject) that the caller has
 * compared: is_copy when one text holds >= 90 % of the other. */
struct tkt_store_verdict {
    int64_t message;
    bool is_copy;
};

/* What else a message may be one of: alarms of one key, a storm of answers, a loop. Mail
 * of one key at one desk joins a ticket once so many of them came (each less than the
 * window after the one before). In the transaction that reserves: also within a batch. */
#define TKT_STORE_JOIN_KEY_LEN 16
#define TKT_STORE_JOINS_MAX 4 /* of a desk */
enum tkt_store_effect {       /* of what joined, on its ticket */
    TKT_EFFECT_NONE,          /* but a resolved one is open again */
    TKT_EFFECT_UNVERIFIED,
    TKT_EFFECT_OVER,    /* nothing, nor does it open it again */
    TKT_EFFECT_COMMENT, /* ... and the ITSM gets it */
    TKT_EFFECT_RESOLVE
};
struct tkt_store_join {
    unsigned char key[TKT_STORE_JOIN_KEY_LEN];
    const char *name; /* for the event */
    int64_t window_ms;
    int64_t after; /* tickets of the key that are opened before one is joined: 1.. */
    int64_t into;  /* 0: the key's last ticket */
    enum tkt_store_effect effect;
};

struct tkt_store_desk_in {
    const char *desk;
    const char *prefix;
    const char *itsm;
    const char *itsm_type; /* "local" ... */
    const char *itsm_copy; /* another one that gets the ticket too; NULL or "": none */
    const char *rcpt;      /* the recipient that named the desk */
    const char
        *returned; /* what came back to a notice's address: "report" ...; or NULL */
    bool internal; /* an agent's note to colleagues */
    const struct tkt_bounce *bounce; /* ... and what it tells; or NULL */
    bool refine; /* a language model is to be asked before the create (job "refine") */
    bool group_is_open; /* ... and its category may name another group */
    const char *note;   /* of a language model: an internal comment; NULL or "": none */
    bool shadow;        /* mode = shadow: no create, no notification */
    bool refused;       /* ticket is kept as refused, nobody is told */
    const char *reason; /* for refused, or "" */
    const struct tkt_decision *decision; /* NULL: unanalysed; defaults below apply */
    const char *requester; /* in whose name a new ticket is opened; NULL: the message's */
    const char *requester_name;
    const char *record;        /* what was decided and why: JSON for the event; or NULL */
    const char *question_text; /* to the requester when fields are missing; or NULL */
    const char *language;      /* of the message, ISO 639-1; or NULL */
    const char *default_type;
    const char *default_group;
    int default_priority;
    unsigned char key[TKT_SHA256_LEN];  /* message key scoped to the desk */
    const struct tkt_store_join *joins; /* the first that fits counts */
    size_t join_count;
};

struct tkt_store_reserve_in {
    const struct tkt_store_desk_in *desks;
    size_t desk_count;
    bool one_ticket;   /* one_ticket_per_message: the first desk's ticket serves all */
    bool key_blind;    /* no client Message-ID: dedupe_blind instead of dedupe_keep */
    bool has_head_key; /* look for messages of the same head to compare with */
    /* Zero: the message has none. Always the same for the same message, also where it is
     * not to be compared: the message key is stored beside it. */
    unsigned char head_key[TKT_SHA256_LEN];
    const struct tkt_store_verdict *verdicts;
    size_t verdict_count;
    const char *hook;
    bool confirmed; /* milter, submit: confirmed by the reply itself */
    unsigned char sha256[TKT_SHA256_LEN]; /* of the raw message */
    uint64_t size;
    const void *raw;       /* or NULL and ... */
    const char *blob_name; /* ... a committed blob */
    const char *envelope_json;
    const char *queue_id;
    const char *sender;     /* envelope */
    const char *subject;    /* UTF-8, for lists */
    const char *message_id; /* without <>; "" if none */
    const char *requester;  /* From address, lower case, or envelope sender, or "" */
    const char *requester_name;
    const char *class_name;
    bool analysed;
    const char *analysis_error; /* why not, for the event and the reanalyse job */
    const struct tkt_store_thread_key *thread_keys; /* of this message itself */
    size_t thread_key_count;
    const struct tkt_store_participant *participants;
    size_t participant_count;
    const struct tkt_store_traces *traces; /* store/thread.h; NULL: none */
    const struct tkt_roster *roster; /* who gets new tickets; NULL: nobody by itself */
    bool enrich; /* a directory is still to be asked for the sender: before any create the
                  * job "enrich" runs */
    int64_t now_ms;
};

struct tkt_store_desk_out {
    int64_t ticket;
    int64_t message;
    char id[48];   /* "" (and ticket 0) when the decision was to open none */
    char hold[33]; /* "" when confirmed */
    char corr[40]; /* mt- + 32 hex */
    /* created; existing (same key, a copy, or joined); appended; pending (appended unverified:
     * internal until a person looks); refused (also for the action "ignore"). Static. */
    const char *status;
    char group[64];
    int priority;
    enum tkt_ticket_state state;
    bool joined;
};

enum tkt_reserve_result {
    TKT_RESERVE_DONE,
    TKT_RESERVE_COMPARE /* a message with this head key has no verdict yet: compare it
                         * (out.compare names it) and come again */
};
struct tkt_store_reserve_out {
    enum tkt_reserve_result result;
    int64_t compare;
    struct tkt_store_desk_out *desks; /* room for desk_count, given by the caller */
};
/* For use as an item's work. Commits ticket, message, thread keys, participants, holds,
 * jobs, events. The same key: the same ticket again (withdrawn is revived). */
int tkt_store_reserve(struct tkt_store *store, const struct tkt_store_reserve_in *in,
                      struct tkt_store_reserve_out *out, struct tkt_err *err);

/* Idempotent. Unknown hold: PERM. untagged: the copy was kept without edits (event). */
int tkt_store_confirm(struct tkt_store *store, const char *hold, bool untagged,
                      int64_t now_ms, struct tkt_err *err);
int tkt_store_cancel(struct tkt_store *store, const char *hold, int64_t now_ms,
                     struct tkt_err *err);
/* Confirms holds of at least that age (confirm_after); how many (at most max), or -1. */
int tkt_store_confirm_old(struct tkt_store *store, int64_t older_than_ms, int64_t now_ms,
                          int max, struct tkt_err *err);

/* The result of a later analysis (job kind "reanalyse"): fills what was unknown, moves an
 * unanalysed ticket's routing, starts the create job that waited for it. An untouched
 * ticket whose group changes gets another person. */
struct tkt_store_analysed_in {
    int64_t ticket;
    int64_t message;
    const struct tkt_decision *decision; /* NULL: given up; the desk's defaults stay */
    const char *subject;
    const char *class_name;
    const struct tkt_store_thread_key *thread_keys;
    size_t thread_key_count;
    const struct tkt_store_participant *participants;
    size_t participant_count;
    const char *requester; /* NULL: as it is */
    const char *requester_name;
    const char *record; /* as in reserve */
    const char *question_text;
    const char *language;
    const struct tkt_store_traces *traces; /* or NULL */
    const struct tkt_roster *roster;       /* or NULL, as at reserve */
    bool group_is_open;                    /* as at reserve */
    bool is_note;  /* an agent's, for colleagues: told to nobody outside */
    bool enriched; /* it was analysed before; now its sender is known. A ticket that a
                    * person changed meanwhile stays as it is */
    int64_t now_ms;
};
int tkt_store_analysed(struct tkt_store *store, const struct tkt_store_analysed_in *in,
                       struct tkt_err *err);

/* ---- a language model's answer ------------------------------------------------------ */

struct tkt_store_answer { /* to be used again for the same question */
    unsigned char key[TKT_SHA256_LEN];
    const char *data; /* JSON */
    int64_t keep_ms;
    int64_t keep_max; /* rows; the oldest go first */
};
struct tkt_store_refined_in {
    int64_t ticket;
    bool is_answer;       /* else the decision stays as it was: event llm.kept */
    const char *category; /* "" or 0: nothing was said; set where nothing is by now */
    int urgency;
    int priority; /* ... that follows from it, where it still is if_priority */
    int if_priority;
    const char *group; /* of the category: where the ticket goes unless somebody named a
                        * group by now; "" = as it is */
    const struct tkt_roster *roster; /* or NULL, as at reserve */
    const char *comment;             /* internal; "" = none */
    const char *event_json;
    const struct tkt_store_answer *answer; /* to keep; NULL: none */
    int64_t now_ms;
};
int tkt_store_refined(struct tkt_store *store, const struct tkt_store_refined_in *in,
                      struct tkt_err *err);
/* A kept answer not older than since_ms: 1 and appended, 0 none, -1. */
int tkt_reader_answer(struct tkt_reader *r, const unsigned char key[TKT_SHA256_LEN],
                      int64_t since_ms, struct tkt_buf *out, struct tkt_err *err);

/* ---- jobs ------------------------------------------------------------------------ */

/* State ready -> claimed (lease) -> done | deferred | parked; one mover. Within a lane
 * jobs run in the order of their ids; a parked job parks its own lane only. */
struct tkt_job {
    int64_t id;
    int64_t ticket;
    int64_t message; /* 0 = none */
    char kind[24];   /* create, reanalyse, comment, ... */
    char lane[96];   /* ticket:backend */
    char ticket_id[48];
    char target[TKT_STORE_TARGET_MAX + 1]; /* itsm or channel name */
    char corr[40];
    int attempts;
    int64_t
        doubt_ms; /* since when it may have been carried out without our knowing; 0 = no */
    int64_t created_ms;
    int64_t lease_until_ms;
    char *payload; /* JSON or NULL; free with tkt_jobs_release */
};
/* Claims up to max jobs that are due, one per lane, until now + lease_ms. Returns count. */
int tkt_store_jobs_claim(struct tkt_store *store, const char *owner, int64_t now_ms,
                         int64_t lease_ms, struct tkt_job *out, int max,
                         struct tkt_err *err);
/* As above for a worker that has room for some kinds and targets only: what it has none for
 * is not touched, however much of it waits. Of each kind and target the one due first goes
 * first, and of all these the one due first. */
struct tkt_store_claim {
    const char *owner;
    int64_t now_ms, lease_ms;
    /* One more of this kind for this target? Asked before each; false: no more of it in
     * this call. NULL: yes. */
    bool (*may)(void *arg, const char *kind, const char *target);
    void *arg;
    struct tkt_job *out;
    int max;
    int count;           /* out */
    int64_t next_due_ms; /* out: of those not refused; INT64_MAX: none */
};
int tkt_store_jobs_take(struct tkt_store *store, struct tkt_store_claim *claim,
                        struct tkt_err *err);
/* At the start of a store's only writer: what one before it held is due now, and in doubt,
 * instead of when the lease ends. Returns how many. */
int tkt_store_jobs_orphaned(struct tkt_store *store, int64_t now_ms, struct tkt_err *err);
#define TKT_STORE_QUEUES_MAX 1024 /* kinds of jobs by targets that a call looks at */
void tkt_jobs_release(struct tkt_job *jobs, int count);
int tkt_store_job_add(struct tkt_store *store, int64_t ticket, int64_t message,
                      const char *kind, const char *target, const char *payload,
                      int64_t run_after_ms, int64_t now_ms, struct tkt_err *err);
enum tkt_job_outcome {
    TKT_JOB_DONE,
    TKT_JOB_DEFER,
    TKT_JOB_PARK,
    TKT_JOB_RETURN /* as DEFER, and the claim was no attempt: nothing was tried */
};
/* owner must still hold the lease, else PERM (another worker has it). */
int tkt_store_job_finish(struct tkt_store *store, int64_t job, const char *owner,
                         enum tkt_job_outcome outcome, int64_t run_after_ms,
                         const char *reason, int64_t now_ms, struct tkt_err *err);
/* Longer leases for work that takes longer: of those of the jobs that owner still holds.
 * Returns how many. */
int tkt_store_jobs_renew(struct tkt_store *store, const int64_t *jobs, size_t count,
                         const char *owner, int64_t until_ms, struct tkt_err *err);
/* The job that owner holds becomes one of another kind, in its place in the lane, due now
 * and as if made now. */
int tkt_store_job_turn(struct tkt_store *store, int64_t job, const char *owner,
                       const char *kind, int64_t now_ms, struct tkt_err *err);
/* Whether the last try may have been carried out at the other end though it failed here. */
enum tkt_job_doubt {
    TKT_DOUBT_KEEP,  /* nothing new is known: as it was */
    TKT_DOUBT_SET,   /* it may have been, from now on */
    TKT_DOUBT_CLEAR, /* it was not */
    TKT_DOUBT_ASKED /* only a person can tell: who retries the job says that it was not */
};
/* doubt_ms of a job whose doubt a person was asked about. */
#define TKT_DOUBT_ASKED_MS INT64_C(1)
/* tkt_store_job_finish for work at another end: the next claim of the job is told. A lease
 * that ran out leaves doubt by itself. */
int tkt_store_job_finish_in_doubt(struct tkt_store *store, int64_t job, const char *owner,
                                  enum tkt_job_outcome outcome, enum tkt_job_doubt doubt,
                                  int64_t run_after_ms, const char *reason,
                                  int64_t now_ms, struct tkt_err *err);
/* A person's hand: retry (parked/deferred -> ready now), park, drop (-> done, reason). */
int tkt_store_job_command(struct tkt_store *store, int64_t job, const char *verb,
                          const char *who, int64_t now_ms, struct tkt_err *err);
/* Whose it is: 1, 0 no such job, -1. */
int tkt_store_job_target(struct tkt_store *store, int64_t job,
                         char target[TKT_STORE_TARGET_MAX + 1], struct tkt_err *err);
/* Another payload (a JSON object) for a job that is parked or deferred, and not in doubt
 * unless force says so; PERM otherwise. */
int tkt_store_job_edit(struct tkt_store *store, int64_t job, const char *payload,
                       bool force, const char *who, int64_t now_ms, struct tkt_err *err);
/* When the next job is due, or INT64_MAX. */
int tkt_store_jobs_next_due(struct tkt_store *store, int64_t *due_ms,
                            struct tkt_err *err);

/* ---- tickets: changes by people, ITSMs, schedules --------------------------------- */

/* id is the display id ("IT-12"); who is recorded in the event. field is a column or
 * "field:NAME" (an empty value takes it away). All PERM when the ticket
 * does not exist, BUG/PERM when the state machine does not allow it. */
int tkt_store_set(struct tkt_store *store, const char *id, const char *field,
                  const char *value, const char *who, int64_t now_ms,
                  struct tkt_err *err);
int tkt_store_move(struct tkt_store *store, const char *id, enum tkt_ticket_state to,
                   const char *who, const char *reason, int64_t now_ms,
                   struct tkt_err *err);
int tkt_store_comment(struct tkt_store *store, const char *id, const char *text,
                      bool is_public, const char *who, int64_t now_ms,
                      struct tkt_err *err);
int tkt_store_merge(struct tkt_store *store, const char *from, const char *into,
                    const char *who, int64_t now_ms, struct tkt_err *err);
/* Moves one message of a ticket to a new ticket of the same desk; out_id gets its id. */
int tkt_store_split(struct tkt_store *store, const char *id, int64_t message,
                    const char *who, int64_t now_ms, char out_id[48],
                    struct tkt_err *err);
int tkt_store_link(struct tkt_store *store, const char *a, const char *b, const char *who,
                   int64_t now_ms, struct tkt_err *err);
/* Erases content (rows, blobs) of a ticket, or of all messages of an address; the chain
 * of hashes stays verifiable. *count = messages erased. */
int tkt_store_forget(struct tkt_store *store, const char *ticket_or_address,
                     const char *who, int64_t now_ms, int64_t *count,
                     struct tkt_err *err);
/* Retention: erases content of tickets of a desk closed before the given time. */
int tkt_store_retain(struct tkt_store *store, const char *desk, int64_t closed_before_ms,
                     int max, int64_t now_ms, int64_t *count, struct tkt_err *err);
/* Records something that happened, with JSON data (or NULL). ticket 0: host-wide. */
int tkt_store_event(struct tkt_store *store, int64_t ticket, const char *kind,
                    const char *data_json, int64_t now_ms, struct tkt_err *err);
/* Forgets keys whose window is over, at most max; how many, or -1. */
int tkt_store_joins_expire(struct tkt_store *store, int64_t now_ms, int max,
                           struct tkt_err *err);
/* Blob files older than min_age_ms without a row: removes them, counts them. */
int tkt_store_sweep(struct tkt_store *store, int64_t now_ms, int64_t min_age_ms,
                    int64_t *removed, struct tkt_err *err);
/* Moves the log into the database; for the writer's idle time. The log's file keeps its
 * space (writing into it is faster) unless it is long or content was erased. */
int tkt_store_checkpoint(struct tkt_store *store, struct tkt_err *err);

/* ---- reading (own connection, any thread; one thread per reader) ------------------- */

struct tkt_reader *tkt_reader_open(const char *store_dir, struct tkt_err *err);
void tkt_reader_close(struct tkt_reader **reader);

/* 1 found (ticket, message, id filled), 0 not. The writer decides again in reserve.
 * head_key as reserve gets it, NULL when the message has none: keys are stored beside
 * their head key, so that one place on disk serves both questions. */
int tkt_reader_key(struct tkt_reader *r, const char *desk,
                   const unsigned char key[TKT_SHA256_LEN], const unsigned char *head_key,
                   int64_t now_ms, struct tkt_store_desk_out *out, struct tkt_err *err);
struct tkt_reader_ticket {
    int64_t ticket;
    char id[48];
    char desk[40];
    enum tkt_ticket_state state;
    bool is_participant;
};
/* Tickets that hold a message with this Message-ID hash; merged ones are followed.
 * address (lower case) is looked up among the participants. Returns count <= max or -1. */
int tkt_reader_by_reference(struct tkt_reader *r,
                            const unsigned char hash[TKT_SHA256_LEN], const char *address,
                            struct tkt_reader_ticket *out, int max, struct tkt_err *err);
/* By display id, by row: 1 found, 0 not, -1 error. */
int tkt_reader_by_id(struct tkt_reader *r, const char *id, const char *address,
                     struct tkt_reader_ticket *out, struct tkt_err *err);
int tkt_reader_by_row(struct tkt_reader *r, int64_t ticket, const char *address,
                      struct tkt_reader_ticket *out, struct tkt_err *err);
/* Raw message of a row: appends to out if inline, else opens the blob and sets *fd. */
int tkt_reader_raw(struct tkt_reader *r, int64_t message, struct tkt_buf *out, int *fd,
                   struct tkt_err *err);
/* The envelope_json of a message as reserve got it (for a later analysis), appended to
 * out; PERM when there is no such message or it was erased. */
int tkt_reader_envelope(struct tkt_reader *r, int64_t message, struct tkt_buf *out,
                        struct tkt_err *err);
/* Messages of a ticket, oldest first: row ids; returns count <= max. */
int tkt_reader_messages(struct tkt_reader *r, const char *id, int64_t *out, int max,
                        struct tkt_err *err);

/* JSON for ticketctl; appended to out, which is PERM when it does not fit. Keys are only
 * ever added. Times are RFC 3339 in UTC. Filter fields are NULL or "" when not given.
 *   list    [{id, row, desk, state, priority, type, category, subcategory, group,
 *           assignee, requester, requester_name, subject, class, created, changed,
 *           duplicates, joined, analysed, shadow, erased, service, fields {NAME: value}}]
 *           newest first
 *   show    the same and closed?, itsm, corr, urgency, impact, tags, keywords and missing
 *           (one a line),
 *           confirmed, local,
 *           messages [{message, kind (mail, copy, comment), at, size, sha256, hook, rcpt,
 *           queue_id, class, author, sender, subject, message_id, blob, envelope, first,
 *           confirmed, internal, unverified, agent, withdrawn, erased, assurance (login,
 *           aligned, none, fail or ""), signature_lines?, logos?, text? (comment)}],
 *           foreign [{ref, scope}], externals [{itsm, key, number, url?}],
 *           links [{id, kind (related, parent, child, merged-into, merged-from,
 *           split-from, split-off)}], participants [{address, role}],
 *           holds [{hook, rcpt, at, changed, state (open, confirmed, cancelled), message}],
 *           jobs [as jobs], sla? {as show of store/sla.h, without id}, events [as log]
 *   log     [{event, at, host, kind, ticket?, message?, data (object or null)}] oldest
 *           first; without an id the last `limit` of the host
 *   jobs    [{job, ticket, kind, target, state (ready, claimed, done, deferred, parked),
 *           attempts, created, changed, run_after, waits_in_lane, lease_until?, owner,
 *           reason}]   without a state: all that are not done
 *   status  {schema, tickets {STATE: n}, desks [{desk, tickets, open, newest}],
 *           jobs {STATE: n}, job_lag_ms, oldest_job? {job, kind, age_ms}, messages, events,
 *           duplicates, open_holds, hold_lag_ms, blobs, unanalysed, database_bytes,
 *           log_bytes}
 *   verify  {faults [{fault (database, reference, chain, event, blob, content, ticket, key,
 *           duplicate, load), text}], bad, events, messages, blobs, orphans}
 *           orphans are files without a row, older than an hour: no fault, sweep takes
 *           them */
struct tkt_list_filter {
    const char *desk, *state, *group, *assignee, *requester, *text;
    int64_t since_ms;
    int limit;
    int64_t before; /* rows below this ticket row: paging; 0 = newest */
};
int tkt_reader_list_json(struct tkt_reader *r, const struct tkt_list_filter *f,
                         struct tkt_buf *out, struct tkt_err *err);
/* The ticket with messages, links, jobs, participants, holds and its events. */
int tkt_reader_show_json(struct tkt_reader *r, const char *id, struct tkt_buf *out,
                         struct tkt_err *err);
int tkt_reader_log_json(struct tkt_reader *r, const char *id_or_null, int64_t since_ms,
                        int limit, struct tkt_buf *out, struct tkt_err *err);
int tkt_reader_jobs_json(struct tkt_reader *r, const char *state_or_null,
                         int64_t job_or_0, int limit, struct tkt_buf *out,
                         struct tkt_err *err);
/* Counts by state, desk, job state; oldest job; lags; database size. */
int tkt_reader_status_json(struct tkt_reader *r, int64_t now_ms, struct tkt_buf *out,
                           struct tkt_err *err);
/* Event chain, blobs against hashes, orphans, foreign keys, integrity_check. *bad counts
 * the faults; each is listed in out. */
int tkt_reader_verify_json(struct tkt_reader *r, int64_t *bad, struct tkt_buf *out,
                           struct tkt_err *err);
/* One consistent SQLite file with the blobs inside, written to path (must not exist),
 * fsynced. Runs beside the writer. tkt_store_restore makes a store directory of it. */
int tkt_reader_backup(struct tkt_reader *r, const char *path, struct tkt_err *err);
int tkt_store_restore(const char *backup, const char *new_dir, struct tkt_err *err);

#endif
