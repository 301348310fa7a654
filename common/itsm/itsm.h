/* SPDX-License-Identifier: BSD-2-Clause
 * Where tickets end up: backends behind one ops table.
 *
 * Promise: a backend is pure. An operation is a sequence of steps; a step looks at the
 * answer to the last request (none at first), and says which request comes next, or that
 * it is done. It waits for nothing, reads no clock, opens no file: what runs it
 * (itsm/run.h) does. So each is tested by tables of bytes, and a step that is repeated
 * does the same again.
 * Owner: everything in a call is borrowed from whoever runs it, but what a step makes in
 * call->arena. Threads: ops are immutable; a call is in one thread at a time.
 * Errors: a step ends with -1 and err: TEMP it may work later, PERM never as it is, CONF
 * when the settings here or there are wrong, BUG.
 * Limits: TKT_ITSM_STEPS_MAX steps of an operation; the caps of net/http.h.
 *
 * One more backend is one file, one row in itsm.c, one man-page section, one sample
 * stanza, one contract script in tests/itsm.
 */
#ifndef TKT_ITSM_ITSM_H
#define TKT_ITSM_ITSM_H
#include "base/err.h"
#include "conf/conf.h"
#include "decide/decide.h"
#include "net/http.h"
#include "template/template.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_ITSM_STEPS_MAX 64
#define TKT_ITSM_COMMENTS_MAX 200 /* of one fetch */
#define TKT_ITSM_FILES_MAX 200
#define TKT_ITSM_CHANGED_MAX 4000 /* keys of one list */
#define TKT_ITSM_LIST_PAGES_MAX 40
#define TKT_ITSM_BASE64_MAX (16 * 1024 * 1024)
#define TKT_ITSM_KEY_MAX 256   /* bytes of a key, a number */
#define TKT_ITSM_PAGE_MAX 2048 /* bytes of the address of a ticket's page */

struct cJSON;

enum tkt_itsm_op {
    TKT_ITSM_CREATE,
    TKT_ITSM_FIND, /* by ticket->corr; seen.external is "" when there is none */
    TKT_ITSM_COMMENT,
    TKT_ITSM_ATTACH,
    TKT_ITSM_UPDATE, /* group, assignee, priority, state: what ticket says, if it differs */
    TKT_ITSM_FETCH, /* state, group, assignee, priority, comments, files */
    TKT_ITSM_CHECK, /* authentication, rights, mapped names exist; changes nothing */
    TKT_ITSM_CLOSE, /* ends a test ticket */
    TKT_ITSM_LIST,  /* keys of tickets that changed since; may be left out */
    TKT_ITSM_OPS
};
extern const char *const tkt_itsm_op_names[]; /* "create", ...: kinds of jobs */

/* What an UPDATE may tell: bits of tkt_itsm_call.only, in the order of their names. */
enum tkt_itsm_member {
    TKT_ITSM_STATE = 1,
    TKT_ITSM_GROUP = 2,
    TKT_ITSM_ASSIGNEE = 4,
    TKT_ITSM_PRIORITY = 8, /* and urgency and impact */
    TKT_ITSM_FIELDS = 16   /* type, category, service, fields */
};
/* "state", ...; NULL-terminated. */
extern const char *const tkt_itsm_member_names[];
/* Of names in the JSON {"only": [...]}; 0 when it names none, or one that nobody knows:
 * all of it. */
unsigned tkt_itsm_members(const char *payload);

/* A backend's settings: the section and what was made of it. */
struct tkt_itsm_site {
    const struct tkt_conf_itsm *conf;
    const char *secret; /* password or token; "" where there is none */
    const char *bearer; /* an OAuth token in force; "" = none */
    const char
        *product; /* "ticket-milter": for fields that name the sender of a ticket */
};

/* What is known of the ticket; "" where it is not known. */
struct tkt_itsm_ticket {
    const char *id;
    const char *corr; /* the correlation key: mt- and 32 hex digits */
    const char *url;
    const char *desk;
    const char *subject;
    const char *text; /* UTF-8, LF */
    const char *requester;
    const char *requester_name;
    const char *language;
    const char *type, *category, *subcategory, *service, *group, *assignee;
    const char *state; /* tkt_state_names */
    int urgency, impact, priority;
    int64_t created_ms;
    const struct tkt_field *fields;
    size_t field_count;
    const struct tkt_strings *tags;
    const char *external; /* the ITSM's own key for calls; "" before its create */
    const char *number;   /* ... and for people */
};

struct tkt_itsm_comment {
    const char *text;
    const char *author; /* address; "" = us */
    const char *author_name;
    bool is_public;
    const char *key; /* "m-12": names it towards the ITSM where that has room for it */
};

struct tkt_itsm_file {
    const char *name; /* UTF-8, no path */
    const char *type; /* "image/png" */
    int fd;           /* read by pread */
    int64_t size;
    const char *key;
};

/* What the ITSM said, in the arena of the call; "" or 0 = not told. */
struct tkt_itsm_note {
    char *id;
    char *author;
    char *text;
    char *at; /* as it writes times */
    bool is_public;
    bool is_ours; /* the backend knows that we wrote it: the text of the create */
};
struct tkt_itsm_seen {
    char *external;
    char *number;
    char *url;
    char *state; /* in its own words */
    char *group;
    char *assignee;
    char *priority;
    char *changed; /* as it writes times */
    char *told;    /* CHECK: what was found, a line each */
    char *me;    /* FETCH: who made the ticket there, which is us, as authors are named */
    char **keys; /* LIST: what changed, as seen.external names tickets; not only ours */
    int64_t *key_times; /* ... and when each changed; -1: not told */
    size_t key_count;
    int64_t upto_ms; /* LIST: the newest change that was told, by its clock; 0: none */
    bool
        has_odd_time; /* LIST: there was a change later than until_ms, which did not count */
    bool is_cut;      /* LIST: there is more than it had room for */
    struct tkt_itsm_note *notes; /* newest first, internal ones where they can be read */
    size_t note_count;
    char **files;        /* names ... */
    int64_t *file_sizes; /* ... bytes (-1: not told) ... */
    int64_t *file_times; /* ... and when they came, by its clock (-1: not told) */
    size_t file_count;
};

/* A request as a step asks for it. Strings live in the arena. */
struct tkt_itsm_request {
    const char *method;
    const char *url;
    const char *headers[12]; /* "Name: value"; authentication is added by the runner */
    size_t header_count;
    const char *body;
    size_t body_len;
    const struct tkt_itsm_file *file;  /* the body is its bytes ... */
    const char *file_head, *file_tail; /* ... between these (multipart), or NULL */
    /* The file's bytes go in base64, out of memory: at most TKT_ITSM_BASE64_MAX of them. */
    bool file_base64;
    const char *accept_type;
    bool repeatable;
    /* The work is done; how this one ends (a log-out) changes nothing. */
    bool farewell;
    bool public_only;       /* the url may not lead into this network */
    const char *webhook_id; /* names it as Standard Webhooks do; NULL: it does not */
    bool sign;              /* ... with a signature by the site's secret */
    /* A program to run instead (net/program.h), by its absolute path: body is its standard
     * input, file its descriptor 3, and the answer what it prints. */
    const char *program;
    /* Statuses other than 2xx that the next step wants to see (404 of a look-up); each
     * other ends the operation. 0-terminated. */
    int also[4];
};

struct tkt_itsm_answer {
    int status;
    const char *body; /* NUL behind len */
    size_t len;
    const struct cJSON *json; /* of a body of type application/json, else NULL */
    const struct tkt_http_response *response;
};

struct tkt_itsm_call {
    enum tkt_itsm_op op;
    const struct tkt_itsm_site *site;
    const struct tkt_itsm_ticket *ticket;
    const struct tkt_itsm_comment *comment; /* COMMENT */
    const struct tkt_itsm_file *file;       /* ATTACH */
    unsigned only; /* UPDATE: what changed here, the rest is left alone; 0: all of it */
    int64_t since_ms; /* LIST: by the ITSM's clock */
    int64_t until_ms; /* LIST: nothing can have changed later than that; 0: it may */
    const char *key;  /* of the job, the same for each of its tries; NULL or "": none */
    bool is_again;    /* an earlier try may have been carried out, or a part of it */
    const struct tkt_itsm_answer *answer; /* to the last request; NULL at first */
    int step;                             /* 0, 1, ...: how many answers there were */
    int stage;                            /* the backend's own */
    void *state;                          /* the backend's own, in the arena */
    struct tkt_itsm_request request;      /* out, zeroed before each step */
    struct tkt_itsm_seen seen;            /* out */
    bool unauthorized; /* out: refused as with a 401, in an answer of another status */
    struct tkt_wire_arena arena;
};

enum tkt_itsm_next {
    TKT_ITSM_FAILED = -1,
    TKT_ITSM_DONE,
    TKT_ITSM_SEND /* call->request is to be sent */
};

/* A vendor's own word for one of ours. */
struct tkt_itsm_word {
    const char *ours, *theirs;
};

struct tkt_itsm_ops {
    const char *type;  /* as in itsm { type = } */
    const char *title; /* "Request Tracker 5 (REST 2)" */
    /* How the secret goes along: */
    enum {
        TKT_ITSM_AUTH_NONE,
        TKT_ITSM_AUTH_BASIC,       /* user and secret */
        TKT_ITSM_AUTH_BEARER,      /* "Authorization: Bearer" */
        TKT_ITSM_AUTH_HEADER,      /* auth_header and the secret */
        TKT_ITSM_AUTH_KEY_AS_USER, /* Basic, the secret as the user */
        TKT_ITSM_AUTH_OWN          /* the steps see to it */
    } auth;                        /* when conf->auth says "default" */
    /* "X-Redmine-API-Key: ", "Authorization: token "; also for conf->auth = header */
    const char *auth_header;
    const char *const *options; /* names that itsm { options } may use; NULL-terminated */
    /* How long a look-up may miss what was created. */
    int64_t search_lag_ms;
    /* How much later a LIST may show a change than one that came after it. */
    int64_t list_lag_ms;
    /* A LIST that is cut has told all that changed up to upto_ms: it goes from the oldest
     * change on. Else what it left out may have changed at any time. */
    bool list_ascends;
    /* A look-up that finds nothing after that proves that there is nothing. */
    bool search_is_proof;
    /* A create that is sent a second time makes no second ticket: there is no need to look
     * for a lost one (and FIND and FETCH may be left out). */
    bool create_is_idempotent;
    /* Its words where the section has none, to understand what it says: states by a table
     * that ends with a row of NULLs, or one at a time; priorities 1..5. */
    const struct tkt_itsm_word *states;
    const char *(*state_word)(struct tkt_itsm_call *call, const char *ours);
    const char *const *priorities;
    bool priorities_are_read; /* they are understood, and not what a create says */
    bool is_program;          /* it needs no url */
    bool keys_are_of_project; /* its keys count within the section's project */
    bool updates_fields;      /* UPDATE tells TKT_ITSM_FIELDS, too: the others never do */
    /* What the section must have; err CONF. */
    int (*check)(const struct tkt_conf_itsm *conf, struct tkt_err *err);
    /* Only local may leave any operation out (NULL: it is done at once). */
    enum tkt_itsm_next (*steps[TKT_ITSM_OPS])(struct tkt_itsm_call *call,
                                              struct tkt_err *err);
    /* Reads an answer that is no 2xx: the vendor's own words into err, and its class where
     * the status does not tell (a 403 that is a rate limit). May be NULL. */
    void (*refusal)(const struct tkt_itsm_answer *answer, struct tkt_err *err);
};

/* All backends, NULL-terminated: contract tests walk it. */
extern const struct tkt_itsm_ops *const tkt_itsm_table[];

/* Whose keys a section keeps: "https://host/path", with the project behind a blank where keys
 * are its own. "" where nothing is reached by a url. */
#define TKT_ITSM_ORIGIN_MAX 1536
void tkt_itsm_origin(const struct tkt_conf_itsm *conf, char out[TKT_ITSM_ORIGIN_MAX]);

/* NULL when there is none of that type. */
const struct tkt_itsm_ops *tkt_itsm_find(const char *type);
/* 0, or -1 CONF: what is wrong with the section for its type. For the config test. */
int tkt_itsm_check_conf(const struct tkt_conf_itsm *conf, struct tkt_err *err);
int tkt_itsm_check_all(const struct tkt_conf *conf, struct tkt_err *err);

#endif
