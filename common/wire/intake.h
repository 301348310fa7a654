/* SPDX-License-Identifier: BSD-2-Clause
 * The intake protocol between a hook and ticketd: what is said, as structs.
 *
 * Transport: UNIX SOCK_SEQPACKET; one request packet, one reply packet, any number of
 * such pairs after each other on a connection. A packet is "name=value\n" lines, values
 * percent-encoded (wire/packet.h), at most TKT_WIRE_PACKET_MAX bytes. A RESERVE carries
 * exactly one message descriptor. Content that does not fit a packet (a long recipient
 * list, a 60 kB Subject, a large desk table) rides in one further descriptor, the tail:
 * a sealed memfd with more lines of the same kind, at most TKT_WIRE_TAIL_MAX bytes; both
 * directions use it alike. The first line is always "v=1"; unknown names are ignored,
 * unknown verbs are answered with status "perm".
 *
 * Both decoders treat their input as hostile: lengths, counts, UTF-8 and NULs are
 * checked, an error names the line. Decoded strings live in the arena of the struct and
 * are freed by its release function. libc only; no threads, no globals.
 */
#ifndef TKT_WIRE_INTAKE_H
#define TKT_WIRE_INTAKE_H
#include "base/err.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_WIRE_RCPTS_MAX 4096
#define TKT_WIRE_FIELDS_MAX 256
#define TKT_WIRE_EDITS_MAX 512
#define TKT_WIRE_DESKS_MAX 1024
#define TKT_WIRE_TICKETS_MAX 256
/* Bytes of one string. The encoder cuts facts of the SMTP session to it (and makes them
 * valid UTF-8), the decoders refuse more. */
#define TKT_WIRE_STRING_MAX 4096
/* Bytes of a header field's value, in a request or in an edit; these are raw bytes. */
#define TKT_WIRE_VALUE_MAX 131072

enum tkt_wire_verb {
    TKT_WIRE_HELLO,
    TKT_WIRE_RESERVE,
    TKT_WIRE_CONFIRM,
    TKT_WIRE_CANCEL,
    TKT_WIRE_LOOKUP,
    TKT_WIRE_PING
};

/* A header field as the host shows it: value with the host's leading blank (present
 * when leadspc is set in the request) and LF folds, byte for byte. index counts fields
 * of that name from 1, top down. */
struct tkt_wire_field {
    const char *name;
    unsigned index;
    const char *value;
};

struct tkt_wire_rcpt {
    const char *addr; /* as in RCPT, brackets removed, case kept */
    bool relayed;     /* {rcpt_mailer} is not a local one */
};

#define TKT_WIRE_WANTS_MAX 32 /* tags, and fields, of one request */

/* Wishes about the ticket to be made; "" and 0 where there is none. */
struct tkt_wire_wants {
    const char *desk;         /* by name, whatever the recipient */
    const char *default_desk; /* by name, where the recipient is none */
    const char *type;
    const char *group;
    const char *category;
    const char *subcategory;
    const char *assignee;
    const char *requester; /* address */
    const char *summary;
    int priority; /* 1..5 */
    const char **tags;
    size_t tag_count;
    const char **fields; /* "name=value" */
    size_t field_count;
};

struct tkt_wire_request {
    enum tkt_wire_verb verb;
    uint64_t generation;   /* of the configuration that the hook acts on; 0 = none */
    uint32_t remaining_ms; /* until the hook gives up; 0 = not told */
    const char *hook;      /* "milter", "sieve", "submit" */
    const char *queue_id;  /* all strings: "" when unknown, never NULL */
    const char *mta_host;  /* macro j: the name in the MTA's own Message-IDs */
    const char *sender;    /* envelope sender without brackets; "" is the null sender */
    struct tkt_wire_rcpt *rcpts; /* desk recipients, in RCPT order */
    size_t rcpt_count;
    unsigned other_rcpts; /* recipients that are no desk */
    const char *client_addr;
    const char *client_name;
    const char *helo;
    const char *tls;               /* version, "" without TLS */
    const char *tls_subject;       /* verified client certificate, or "" */
    const char *auth_login;        /* SASL login, or "" */
    int64_t mail_time_s;           /* wall clock at MAIL FROM; 0 = unknown */
    bool leadspc;                  /* field values carry their leading blank */
    bool smtp_path;                /* the answer may refuse or defer (false: non_smtpd) */
    bool dry_run;                  /* answer as if, change nothing */
    struct tkt_wire_field *fields; /* Subject and X-Ticket-*, in header order */
    size_t field_count;
    const char *hold;  /* CONFIRM, CANCEL */
    const char *token; /* LOOKUP: the local part's token; PING: echoed */
    const char *rcpt;  /* LOOKUP: the address it stood in */
    bool untagged;     /* CONFIRM: the copy was kept without edits */
    bool no_reply;     /* CONFIRM, CANCEL: the hook does not wait for the answer */
    /* What a Sieve script asks for; it goes before what ticketd decides. */
    struct tkt_wire_wants wants;
    bool personal;      /* the script is its user's own: it may be limited */
    bool per_recipient; /* the key is this recipient's alone */
    struct tkt_wire_arena arena;
};

enum tkt_wire_status { /* of the whole request */
    TKT_WIRE_OK,
    TKT_WIRE_TEMP, /* answer 451 (on_failure decides) */
    TKT_WIRE_PERM, /* the request is wrong: a bug in the hook, or not allowed */
    TKT_WIRE_STALE /* generation is old: HELLO again, then repeat */
};

enum tkt_wire_edit_kind {
    TKT_WIRE_CHANGE,  /* field name, index: new value; NULL value is never sent */
    TKT_WIRE_INSERT,  /* at the top: before every field the message had */
    TKT_WIRE_DELETE,  /* field name, index; lists come with the highest index first */
    TKT_WIRE_ADDRCPT, /* value = address */
    TKT_WIRE_DELRCPT
};

/* Applied verbatim and in order. Values follow the leadspc of the request. */
struct tkt_wire_edit {
    enum tkt_wire_edit_kind kind;
    unsigned index;
    const char *name;
    const char *value;
};

/* One desk's outcome. status is one of the fixed words: created, existing, appended,
 * pending, refused, dryrun, unavailable. */
struct tkt_wire_ticket {
    const char *desk;
    const char *id;   /* "IT-12" */
    const char *hold; /* "" when the reply itself confirmed it */
    const char *status;
    const char *group;
    const char *category;
    const char *url; /* where a person looks at it, or "" */
    const char *ref; /* the ID of a ticket that the message refers to, or "" */
    int priority;
};

/* A row of the desk table in a HELLO reply. */
struct tkt_wire_desk {
    const char *name;
    const char
        *address; /* user@domain or @domain, ASCII lower case, U- and A-label alike */
    const char *delimiters; /* bytes that may start a sub-address, or "" */
    bool on_failure_accept;
    bool off;
    bool limited; /* who sends too much is deferred at RCPT: the hook asks LOOKUP */
};

struct tkt_wire_reply {
    enum tkt_wire_status status;
    uint64_t generation;
    const char *text; /* for people; one line */
    struct tkt_wire_ticket *tickets;
    size_t ticket_count;
    struct tkt_wire_edit *edits;
    size_t edit_count;
    /* What the SMTP client is told when the hook may refuse: 0 = accept, else 4xx/5xx
     * with enhanced code and text. Only set when every recipient is a desk. */
    int smtp_code;
    const char *smtp_xcode;
    const char *smtp_text;
    /* HELLO */
    struct tkt_wire_desk *desks;
    size_t desk_count;
    uint64_t message_max;
    uint32_t deadline_ms;
    bool rcpt_lookup;        /* tokens are to be looked up (and may be refused) at RCPT */
    const char *tag_pattern; /* PCRE that matches our Subject tags */
    /* LOOKUP */
    const char *ticket; /* the token's ticket, or "" when it does not verify */
    const char *why;    /* valid, expired, forged, unknown-key, malformed */
    struct tkt_wire_arena arena;
};

/* Encoders make a packet (with tail if needed) that the caller releases. */
int tkt_wire_request_encode(const struct tkt_wire_request *req, int message_fd,
                            struct tkt_wire_packet *out, struct tkt_err *err);
/* The same, but message_fd stays the caller's: fds[0] is to be set to -1 before the packet is
 * released. */
int tkt_wire_request_encode_lent(const struct tkt_wire_request *req, int message_fd,
                                 struct tkt_wire_packet *out, struct tkt_err *err);
int tkt_wire_reply_encode(const struct tkt_wire_reply *rep, struct tkt_wire_packet *out,
                          struct tkt_err *err);
/* Decoders copy; the packet may be released afterwards. The message descriptor stays in
 * packet->fds[0]. PERM on anything malformed. */
int tkt_wire_request_decode(const struct tkt_wire_packet *pkt,
                            struct tkt_wire_request *out, struct tkt_err *err);
int tkt_wire_reply_decode(const struct tkt_wire_packet *pkt, struct tkt_wire_reply *out,
                          struct tkt_err *err);
void tkt_wire_request_release(struct tkt_wire_request *req);
void tkt_wire_reply_release(struct tkt_wire_reply *rep);

/* ---- the hook's end (wire/client.c) ---- */

/* A pool of connections to one ticketd; thread-safe. */
struct tkt_wire_client;
struct tkt_wire_client *tkt_wire_client_new(const char *socket_path, size_t max_idle);
void tkt_wire_client_free(struct tkt_wire_client **client);
/* Sends req and waits for its reply until deadline (tkt_clock_mono_ms). A connection
 * that breaks or is refused is replaced and the same request repeated within the
 * deadline (all requests are idempotent): a restart of ticketd costs no 451. progress,
 * if not NULL, is called about every progress_ms while waiting. Returns 0 with *reply
 * filled (whatever its status), or -1: TEMP when no reply came in time. */
int tkt_wire_call(struct tkt_wire_client *client, const struct tkt_wire_request *req,
                  int message_fd, int64_t deadline_mono_ms, uint32_t progress_ms,
                  void (*progress)(void *arg), void *arg, struct tkt_wire_reply *reply,
                  struct tkt_err *err);

/* ---- matching recipients against the desk table (wire/desk.c) ---- */

/* Finds the desk row of an envelope recipient (no brackets): domain and local part
 * without regard to ASCII case; the address itself, else the address with a sub-address
 * cut off at the first delimiter, else a whole-domain row. A quoted local part is the same
 * without its quotes. *sub gets the offset of the sub-address text in addr, or 0 (also when
 * it is quoted). NULL: no desk. Linear in count only once: the table is
 * indexed by tkt_wire_desks_index(). */
struct tkt_wire_desk_index;
struct tkt_wire_desk_index *tkt_wire_desks_index(const struct tkt_wire_desk *desks,
                                                 size_t count);
void tkt_wire_desks_index_free(struct tkt_wire_desk_index **index);
const struct tkt_wire_desk *tkt_wire_desk_find(const struct tkt_wire_desk_index *index,
                                               const char *addr, size_t *sub);

#endif
