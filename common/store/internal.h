/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of the store share: the writer's state, rows, flags, movers.
 *
 * Numbers of states and flags are on disk: they are only ever added to.
 */
#ifndef TKT_STORE_INTERNAL_H
#define TKT_STORE_INTERNAL_H
#include "base/buf.h"
#include "base/hash.h"
#include "store/db.h"
#include "store/json.h"
#include "store/store.h"
#include "store/thread.h"

#define DB_NAME "tickets.db"
#define BLOBS_NAME "blobs"
#define LOCK_NAME "lock"

#define SHORT_KEY_LEN 16 /* of a SHA-256, for keys on disk */
#define CORR_LEN 16
#define TOKEN_LEN 16
#define HEAD_WINDOW_MS (24 * 3600 * INT64_C(1000))
#define HEAD_MATCHES_MAX 8 /* messages of one head key that are compared */
#define HEAD_ROWS_MAX 64   /* ... and that are looked at, old ones too */
#define DESKS_PER_MESSAGE_MAX 64
#define PARTICIPANTS_MAX 1000 /* of one ticket */
#define EVENT_DATA_MAX 16384
#define QUESTION_MAX 8192
#define LINES_MAX 1900 /* of a list in a column: below what the store cuts */
#define SERIES_CACHE_MAX 64
#define LOG_PAGES_MAX 4096   /* 16 MiB: then the writer moves the log by itself */
#define LOG_PAGES_KEEP 16384 /* a longer log gives its space back */
#define ERASED_TEXT "(erased)"

#define TKT_BY_LLM "llm" /* who, in events and comments of a language model */

enum ticket_flag {
    T_CONFIRMED = 1,
    T_SHADOW = 2,
    T_ANALYSED = 4,
    T_LOCAL = 8, /* its ITSM is the store */
    T_ERASED = 16,
    T_MISSING = 32,     /* fields are: pending, and the requester is to be asked */
    T_ENRICH = 64,      /* the job "enrich" comes before its create */
    T_REFINE = 128,     /* ... and "refine": a language model is asked */
    T_GROUP_OPEN = 256, /* nobody named its group: a later category may */
    T_NOTED = 512       /* its first comment is a machine's and goes behind its create */
};
enum message_flag {
    M_CONFIRMED = 1,
    M_FIRST = 2, /* opened its ticket */
    M_INTERNAL = 4,
    M_UNVERIFIED = 8,
    M_COPY = 16,
    M_AGENT = 32, /* an agent's reply: a public comment */
    M_WITHDRAWN = 64,
    M_ERASED = 128,
    M_REOPENS = 256, /* what it does to the ticket once it is confirmed */
    M_CHANGES = 512,
    M_COMMENT = 1024, /* written through us, not a mail */
    M_PUBLIC = 2048,
    M_JOINED = 1 << 15,
    M_RESOLVES = 1 << 16,
    M_ASSURANCE = 7 << 12 /* enum tkt_assurance + 1; 0 = not analysed */
};
#define M_ASSURANCE_SHIFT 12
enum hold_state {
    HOLD_OPEN,
    HOLD_CONFIRMED,
    HOLD_CANCELLED
};
enum job_state {
    JOB_READY,
    JOB_CLAIMED,
    JOB_DONE,
    JOB_DEFERRED,
    JOB_PARKED,
    JOB_STATES
};

struct series { /* numbers leased by this host */
    char prefix[16];
    int64_t id;
    int64_t next;
    int64_t last;
};
struct desk_row {
    char name[64];
    int64_t id;
};

struct tkt_store {
    struct tkt_store_options opt; /* dir and host are copies */
    struct tkt_db *db;
    int lock_fd;
    bool broken; /* the handle cannot be trusted: reopen before the next batch */
    int64_t host;
    unsigned char chain[TKT_SHA256_LEN]; /* of the last event of this host */
    bool chain_known;
    struct series series[SERIES_CACHE_MAX];
    size_t series_count;
    struct desk_row desks[SERIES_CACHE_MAX];
    size_t desk_count;
    struct tkt_buf json;   /* scratch for event data */
    struct tkt_buf doomed; /* blob names, NUL-terminated: removed after the commit */
    size_t doomed_item;    /* ... of which before the item under way */
    int checkpoint_at;     /* pages of the log */
    bool want_truncate;    /* content was erased: the log must not keep it */
    int sweep_dir;         /* where the next sweep goes on */
    int64_t sweep_head;
};

/* A transaction of its own for callers outside a batch; inside it costs nothing.
 * leave returns rc, or -1 when the commit failed. */
int tkt_store_enter(struct tkt_store *s, bool *own, struct tkt_err *err);
int tkt_store_leave(struct tkt_store *s, bool own, int rc, struct tkt_err *err);
/* A new handle when the old one cannot be trusted. */
int tkt_store_reconnect(struct tkt_store *s, struct tkt_err *err);
/* What is cached of rows that may just have been rolled back. */
void tkt_store_forget_cached(struct tkt_store *s);

struct ticket_row {
    int64_t id;
    char name[48];
    char prefix[16];
    int64_t desk;
    char desk_name[64];
    enum tkt_ticket_state state;
    int flags;
    char itsm[64];
    char group[64];
    int priority;
    unsigned char corr[CORR_LEN];
    int64_t merged_into;
    char assignee[330];
    bool is_auto;  /* given by itself, and untouched */
    char copy[64]; /* the ITSM that gets it besides its own; "" = none */
};
/* 1, 0 not there, -1. */
int tkt_ticket_load(struct tkt_db *db, int64_t id, struct ticket_row *t,
                    struct tkt_err *err);
/* By display id; without one -1: PERM. follow: a merged ticket's last heir. */
int tkt_ticket_named(struct tkt_db *db, const char *name, struct ticket_row *t,
                     struct tkt_err *err);
int tkt_ticket_follow(struct tkt_db *db, struct ticket_row *t, struct tkt_err *err);
int tkt_ticket_split_name(const char *name, char prefix[16], int64_t *number);

/* ticket_state.c: the one mover. BUG names both states. */
bool tkt_ticket_may_move(enum tkt_ticket_state from, enum tkt_ticket_state to);
int tkt_ticket_move(struct tkt_store *s, struct ticket_row *t, enum tkt_ticket_state to,
                    const char *who, const char *reason, int64_t now_ms,
                    struct tkt_err *err);
int tkt_ticket_state_parse(const char *name); /* or -1 */

/* job_state.c: the one mover; keeps the lane's head claimable. */
struct job_row {
    int64_t id;
    int64_t ticket;
    char target[TKT_STORE_TARGET_MAX + 1];
    enum job_state state;
    int64_t run_after;
    int64_t due; /* 0: none */
    char owner[64];
    char kind[24]; /* this and below: by tkt_job_load alone */
    int attempts;
    int64_t message;
};
const char *tkt_job_state_name(enum job_state state);
int tkt_job_state_parse(const char *name);
bool tkt_job_may_move(enum job_state from, enum job_state to);
int tkt_job_load(struct tkt_db *db, int64_t id, struct job_row *j, struct tkt_err *err);
struct job_move {
    enum job_state to;
    enum tkt_job_doubt doubt;
    int64_t due_ms; /* run_after, or the end of the lease */
    const char *owner;
    const char *reason;
    bool untried; /* the claim before does not count as an attempt */
    bool anew;    /* nor does any other */
};
int tkt_job_move(struct tkt_store *s, struct job_row *j, const struct job_move *m,
                 int64_t now_ms, struct tkt_err *err);
/* All that is left to do in a lane goes to another target. Nothing of it is claimed. */
int tkt_job_lane_move(struct tkt_store *s, int64_t ticket, const char *from,
                      const char *to, const char *why, int64_t now_ms,
                      struct tkt_err *err);
/* A job for the ITSM that gets a copy of the ticket, if there is one. */
int tkt_copy_insert(struct tkt_store *s, const struct ticket_row *t, int64_t message,
                    const char *kind, const char *payload, int64_t run_after_ms,
                    int64_t now_ms, struct tkt_err *err);
/* fresh: the ticket has no other job in that lane yet, so nobody needs to look. */
int tkt_job_insert(struct tkt_store *s, int64_t ticket, int64_t message, const char *kind,
                   const char *target, const char *payload, bool fresh,
                   int64_t run_after_ms, int64_t now_ms, struct tkt_err *err);

/* event.c: sha256 is the message's; NULL: looked up. */
int tkt_event_write(struct tkt_store *s, int64_t ticket, int64_t message,
                    const unsigned char *sha256, const char *kind, const char *data,
                    int64_t now_ms, struct tkt_err *err);
struct event_link { /* what one link of the chain covers */
    int64_t at;
    int64_t ticket;
    int64_t message;
    const unsigned char *sha256;
    const char *kind;
    const unsigned char *hash; /* of the data */
};
void tkt_event_chain(const unsigned char prev[TKT_SHA256_LEN], const struct event_link *e,
                     unsigned char out[TKT_SHA256_LEN]);
/* The scratch buffer, holding "{"; tkt_event_end closes it and writes the event. */
struct tkt_buf *tkt_event_begin(struct tkt_store *s);
int tkt_event_end(struct tkt_store *s, int64_t ticket, int64_t message,
                  const unsigned char *sha256, const char *kind, int64_t now_ms,
                  struct tkt_err *err);

/* series.c */
int tkt_series_next(struct tkt_store *s, const char *prefix, int64_t *series,
                    int64_t *number, struct tkt_err *err);
int tkt_desk_id(struct tkt_store *s, const char *name, int64_t *id, struct tkt_err *err);
int tkt_host_id(struct tkt_store *s, const char *name, int64_t *id, struct tkt_err *err);

/* confirm.c */
struct message_row {
    int64_t id;
    int64_t ticket;
    int flags;
    unsigned char sha256[TKT_SHA256_LEN];
};
int tkt_message_load(struct tkt_db *db, int64_t id, struct message_row *m,
                     struct tkt_err *err);
/* What a message does once its copy is known to be delivered: states, jobs. */
int tkt_message_confirmed(struct tkt_store *s, struct ticket_row *t,
                          struct message_row *m, int64_t now_ms, struct tkt_err *err);
/* The job that brings a fresh ticket to its ITSM, or analyses it first. */
int tkt_ticket_start(struct tkt_store *s, struct ticket_row *t, int64_t message,
                     bool fresh, int64_t now_ms, struct tkt_err *err);
int tkt_hold_add(struct tkt_store *s, int64_t ticket, int64_t message, const char *hook,
                 const char *rcpt, int64_t now_ms, char out[33], struct tkt_err *err);

/* insert.c: rows of a new ticket or message. */
struct ticket_new {
    const char *prefix;
    int64_t desk;
    enum tkt_ticket_state state;
    int flags;
    const char *itsm, *copy;
    const char *requester, *requester_name, *subject, *class_name;
    const char *type, *category, *subcategory, *group, *assignee;
    int urgency, impact, priority;
    const struct tkt_strings *tags;
    const char *service;
    const struct tkt_strings *keywords;
    const struct tkt_strings *missing;
    const char *question;
    uint64_t print;
    int64_t now_ms;
};
int tkt_ticket_insert(struct tkt_store *s, const struct ticket_new *n,
                      struct ticket_row *out, struct tkt_err *err);

/* field.c: what a decision found out for the ITSM. Fields that are there stay. */
int tkt_fields_add(struct tkt_store *s, int64_t ticket, const struct tkt_decision *d,
                   struct tkt_err *err);
/* By a person: another value, or none; then what is missing may be complete. */
int tkt_field_set(struct tkt_store *s, struct ticket_row *t, const char *name,
                  const char *value, const char *who, int64_t now_ms,
                  struct tkt_err *err);
/* One a line, cut at its maximum. */
void tkt_lines_join(const struct tkt_strings *list, struct tkt_buf *out);
/* What the author is to be asked, if he may be: fills out with the question. */
bool tkt_question_make(const struct tkt_decision *d, const char *text,
                       const char *language, struct tkt_buf *out);
/* A ticket that begins without them: pending, and the question as a job. */
/* A machine's internal comment on a new ticket; behind its create it is sent. */
int tkt_note_add(struct tkt_store *s, struct ticket_row *t, const char *text,
                 int64_t now_ms, struct tkt_err *err);
int tkt_note_send(struct tkt_store *s, struct ticket_row *t, int64_t now_ms,
                  struct tkt_err *err);
int tkt_question_ask(struct tkt_store *s, struct ticket_row *t, int64_t message,
                     int64_t now_ms, struct tkt_err *err);
/* What is there by now is missing no more; with the last one the ticket goes on. */
int tkt_missing_look(struct tkt_store *s, struct ticket_row *t, const char *who,
                     int64_t now_ms, struct tkt_err *err);
/* {"name":"value"} under the key. */
int tkt_fields_json(struct tkt_db *db, int64_t ticket, const char *key, struct tkt_buf *b,
                    struct tkt_err *err);
/* What was decided and why, as the caller wrote it; NULL: nothing. */
int tkt_decided_note(struct tkt_store *s, int64_t ticket, const struct message_row *m,
                     const char *record, int64_t now_ms, struct tkt_err *err);

int64_t tkt_key_head(const unsigned char *key, const unsigned char *head_key);
int tkt_link_add(struct tkt_store *s, int64_t a, int64_t b, const char *kind,
                 int64_t now_ms, struct tkt_err *err);
int tkt_participants_add(struct tkt_store *s, int64_t ticket,
                         const struct tkt_store_participant *items, size_t count,
                         struct tkt_err *err);
int tkt_threads_add(struct tkt_store *s, int64_t ticket, int64_t message,
                    const struct tkt_store_thread_key *keys, size_t count,
                    struct tkt_err *err);
int tkt_blob_path(const char *dir, const char *name, char *out, size_t n);
void tkt_corr_text(const unsigned char corr[CORR_LEN], char out[40]);

/* assign.c: counts what a person has in hand; every change of a ticket's state or person
 * goes through one of these. */
bool tkt_state_in_hand(enum tkt_ticket_state state);
int tkt_load_change(struct tkt_store *s, const char *assignee, int delta,
                    struct tkt_err *err);
bool tkt_ticket_untouched(const struct ticket_row *t);
/* A person had a hand in it. */
int tkt_ticket_touched(struct tkt_store *s, struct ticket_row *t, struct tkt_err *err);
/* Sets group and person ("": nobody) and keeps the counts. */
int tkt_ticket_give(struct tkt_store *s, struct ticket_row *t, const char *group,
                    const char *to, bool is_auto, int64_t now_ms, struct tkt_err *err);
struct assign_for {
    const struct tkt_roster *roster; /* or NULL */
    const char *group;
    const char *requester;
    const char *const *words;
    size_t word_count;
    const char *except;
    int64_t now_ms;
};
struct assign_pick {
    bool tried;           /* the group has a strategy */
    const char *assignee; /* "": nobody; the roster's, as group */
    const char *group;    /* where it ended: a fallback maybe */
    char why[240];
    int64_t next_ms; /* nobody: when it is worth trying again; INT64_MAX */
};
/* The words of a decision that skills are compared with; at most max. */
size_t tkt_assign_words(const struct tkt_decision *d, const char *type,
                        const char *language, const char **out, size_t max);
#define ASSIGN_WORDS_MAX (TKT_DECISION_TAGS_MAX + 8)
/* After a later analysis: t is as it was before. */
int tkt_assign_analysed(struct tkt_store *s, struct ticket_row *t,
                        const struct tkt_store_analysed_in *in, struct tkt_err *err);
/* Chooses, and keeps turn and handler; the ticket is not changed. */
int tkt_assign_pick(struct tkt_store *s, const struct assign_for *f,
                    struct assign_pick *pick, struct tkt_err *err);
/* The event, and the job that tries again when nobody was there. */
int tkt_assign_tell(struct tkt_store *s, int64_t ticket, const char *group_before,
                    const struct assign_pick *pick, const char *who, const char *reason,
                    int64_t now_ms, struct tkt_err *err);
int tkt_handler_note(struct tkt_store *s, const char *requester, const char *group,
                     const char *agent, int64_t now_ms, struct tkt_err *err);
int tkt_handler_forget(struct tkt_store *s, const char *requester, struct tkt_err *err);

struct tkt_reader {
    struct tkt_db *db;
    char *dir;
};
/* reader.c: the tickets of the rows that a query gave so far (n: its result), each once;
 * ends the query. Returns how many, or -1. */
int tkt_reader_tickets(struct tkt_reader *r, struct tkt_row *row, int n,
                       const char *address, struct tkt_reader_ticket *out, int max,
                       struct tkt_err *err);

/* join.c: 1 with the ticket that a message of this key joins, 0: it opens one. */
int tkt_join_find(struct tkt_store *s, int64_t desk, const struct tkt_store_join *j,
                  int64_t now_ms, struct ticket_row *t, struct tkt_err *err);
/* One more of its key; ticket is the one that the next may join. */
int tkt_join_count(struct tkt_store *s, int64_t desk, const struct tkt_store_join *j,
                   int64_t ticket, int64_t now_ms, struct tkt_err *err);
/* Of a message that joins t. */
int tkt_join_flags(const struct tkt_store_join *j, const struct ticket_row *t);

/* thread.c */
int tkt_traces_keep(struct tkt_store *s, int64_t ticket, int64_t message, bool trusted,
                    const struct tkt_store_traces *t, struct tkt_err *err);
/* Events for what is offered and not done: a split, a ticket that says the same. */
int tkt_suggestions_note(struct tkt_store *s, int64_t ticket, const struct message_row *m,
                         const struct tkt_decision *d, const char *subject,
                         int64_t now_ms, struct tkt_err *err);
/* What was learned about a sender, and his trackers' tags. */
int tkt_person_forget(struct tkt_store *s, const char *address,
                      struct tkt_err *err); /* people.c */
int tkt_sender_forget(struct tkt_store *s, const char *address, struct tkt_err *err);
/* The bits of a message's flags for how sure its sender is. */
static inline int tkt_assurance_flags(const struct tkt_decision *d)
{
    return d == NULL ? 0 : ((int)d->assurance + 1) << M_ASSURANCE_SHIFT;
}

#endif
