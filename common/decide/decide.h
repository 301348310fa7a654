/* SPDX-License-Identifier: BSD-2-Clause
 * The decision: message + facts in, decision out. No I/O, no clock, no globals.
 *
 * It runs in the parser children (and in `ticketctl explain`). ticketd gathers the facts
 * between PARSE and DECIDE: what the store knows of the candidate tickets that the
 * message names. One decision per desk of the message. Both structs have a codec with
 * the same duties as the message's (message/message.h).
 *
 * IGNORE does not lose mail: the message is stored as a ticket in state `refused` with its
 * raw bytes, visible to `ticketctl list`, and nobody is notified. An answered 250 is a
 * ticket, whatever the policy of a class.
 */
#ifndef TKT_DECIDE_DECIDE_H
#define TKT_DECIDE_DECIDE_H
#include "base/buf.h"
#include "base/err.h"
#include "message/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_FACTS_CANDIDATES_MAX 64
#define TKT_FACTS_DESKS_MAX 64
#define TKT_DECISION_TAGS_MAX 64
#define TKT_DECISION_FIELDS_MAX 64
#define TKT_DECISION_REASONS_MAX 96
#define TKT_REASON_WORD_MAX 100 /* bytes that are told of one */
#define TKT_DECISION_KEYWORDS_MAX 16
#define TKT_CORRELATE_KEY_MAX 512 /* bytes; longer keys are cut and hashed */
#define TKT_PERSON_GROUPS_MAX 256
#define TKT_FACTS_WIRE_MAX (1024 * 1024)
#define TKT_DECISIONS_WIRE_MAX (1024 * 1024)

enum tkt_evidence {         /* why a ticket is a candidate; strongest first */
    TKT_EVIDENCE_TOKEN,     /* a token in a recipient that verifies */
    TKT_EVIDENCE_OWN_ID,    /* a Message-ID of ours with a token, in References */
    TKT_EVIDENCE_REFERENCE, /* a Message-ID of a message of the ticket */
    TKT_EVIDENCE_SIBLING,   /* a mail that we never had, named by the ticket's mail too */
    TKT_EVIDENCE_SUBJECT,   /* an ID in the Subject: a hint, no more */
    TKT_EVIDENCE_FOREIGN,   /* another tracker's tag, seen from the same domain before */
    TKT_EVIDENCE_SIMILAR,   /* says nearly the same: a suggestion, never an append */
    TKT_EVIDENCE_COUNT
};
extern const char *const tkt_evidence_names[]; /* "token", "own-id", ... */

enum tkt_ticket_state {
    TKT_STATE_RESERVED,
    TKT_STATE_NEW,
    TKT_STATE_OPEN,
    TKT_STATE_PENDING,
    TKT_STATE_RESOLVED,
    TKT_STATE_CLOSED,
    TKT_STATE_WITHDRAWN,
    TKT_STATE_REFUSED,
    TKT_STATE_MERGED,
    TKT_STATE_COUNT
};
extern const char *const tkt_state_names[];

/* What is known of who really sent it, strongest first; stored with each message. */
enum tkt_assurance {
    TKT_ASSURANCE_LOGIN, /* a SASL or TLS identity that is the From address */
    TKT_ASSURANCE_PASS,  /* a trusted result whose domain is From's own */
    TKT_ASSURANCE_NONE,  /* nothing is known */
    TKT_ASSURANCE_FAIL,  /* the From address is known to be forged */
    TKT_ASSURANCE_COUNT
};
extern const char *const tkt_assurance_names[]; /* "login", "aligned", "none", "fail" */

struct tkt_policy; /* decide/policy.h: rules, model, priorities */

struct tkt_candidate {
    int64_t ticket; /* row in the store */
    char *id;
    char *desk;
    char *subject; /* of the ticket; "" = not looked up */
    enum tkt_evidence evidence;
    enum tkt_ticket_state state;
    bool bound_to_sender; /* token: its party is this From */
    bool is_participant;  /* From is a participant of the ticket */
};

#define TKT_CLASS_BIT(class) (UINT32_C(1) << (class))
/* The bits of classes by their names; other words count for nothing. */
uint32_t tkt_class_bits(char *const *names, size_t count);

struct tkt_desk_facts {
    char *name;
    char *group;
    char *type;
    int priority;
    bool reopen_closed;   /* an answer to a closed ticket: reopens it, ... */
    bool refuse_closed;   /* is refused, ... or opens a new one, linked */
    bool forward_agents;  /* what an agent forwards opens in the original sender's name */
    bool forward_anybody; /* ... whoever forwards it */
    /* What mail of a class may do here, a bit TKT_CLASS_BIT(class) each. The three are
     * apart on purpose: monitoring opens tickets but is not thanked, and a list in front
     * of the desk (which marks everybody's mail as list mail) must not keep people from
     * reopening. */
    uint32_t opens;
    uint32_t changes_state;
    uint32_t acknowledges;
    bool acknowledge_proved; /* ... and only whose sender is proved */
    bool local_itsm; /* the store is the desk: an agent's reply is a public comment */
    uint32_t never;  /* TKT_NEVER_ bits: what no rule of the configuration does */
};

/* A child that does one of these all the same does not speak for its rules. */
#define TKT_NEVER_REFUSE UINT32_C(1)
#define TKT_NEVER_IGNORE UINT32_C(2)
#define TKT_NEVER_REQUESTER UINT32_C(4)
#define TKT_NEVER_BITS 3

#define TKT_FIELD_NAME_MAX 40
#define TKT_FIELD_VALUE_MAX 1900
#define TKT_REFUSE_TEXT_MAX 1000

/* What the directory knows of the sender; all "" when it does not know them, or has not
 * been asked yet. A forged From has the same entry: only with an assurance of login or
 * aligned may it raise anything. */
struct tkt_person {
    bool is_known;
    bool is_vip;
    char *name;
    char *department;
    char *company; /* whose he is: a customer's name, or number */
    char *title;
    char *location;
    char *manager;  /* address */
    char *language; /* ISO 639-1 */
    struct tkt_strings groups;
};

struct tkt_facts {
    bool null_sender;
    char *auth_login;   /* SASL login or TLS identity that stands for From; "" = none */
    bool login_is_from; /* ... and it is the From address */
    bool is_agent;      /* From is a member of one of our groups */
    bool is_own;        /* its own Message-ID is one that we signed */
    unsigned
        tail_lines;    /* of reply_text that are the sender's signature: they are cut off
                          * before the decision (message/tail.h) */
    int64_t now_s;     /* when it came in; the same however often facts are gathered */
    int32_t minute;    /* ... of the week, Monday 00:00 = 0, in the host's time zone */
    char *client;      /* IP address of the SMTP client; "" = not known */
    uint32_t affected; /* people who said nearly the same within the window, this one
                          * included; 0 = not looked at */
    struct tkt_person person;
    struct tkt_candidate *candidates;
    size_t candidate_count;
    struct tkt_desk_facts *desks;
    size_t desk_count;
    struct tkt_wire_arena arena;
};

enum tkt_action {
    TKT_ACTION_NEW,
    TKT_ACTION_NEW_LINKED,        /* named a ticket but may not write to it */
    TKT_ACTION_APPEND,            /* public, may change state */
    TKT_ACTION_APPEND_UNVERIFIED, /* internal, no state change, no acknowledgement */
    TKT_ACTION_IGNORE, /* policy: stored as a ticket in state `refused`, nobody notified */
    TKT_ACTION_REFUSE, /* closed = refuse: 5xx where that reaches the author alone, else
                        * kept as a refused ticket that is linked to the closed one */
    TKT_ACTION_COUNT
};
extern const char *const tkt_action_names[];

/* Who said so. */
enum tkt_source {
    TKT_SOURCE_DESK,      /* the desk's own setting */
    TKT_SOURCE_RULE,      /* by = its name */
    TKT_SOURCE_MODEL,     /* by = its head: "category", "group", "urgency" */
    TKT_SOURCE_WORDS,     /* the lexicon of mood and urgency */
    TKT_SOURCE_HEADER,    /* Importance, X-Priority */
    TKT_SOURCE_DIRECTORY, /* VIP, department */
    TKT_SOURCE_AFFECTED,  /* many say the same */
    TKT_SOURCE_MATRIX,    /* priority of urgency and impact */
    TKT_SOURCE_LLM,       /* a language model; by = its name */
    TKT_SOURCE_COUNT
};
extern const char *const tkt_source_names[]; /* "desk", "rule", ... */

/* One line of the explanation, in the order in which things happened. */
struct tkt_reason {
    enum tkt_source source;
    char *by;
    char *field;    /* what it set: "group"; "" = it hit and set nothing */
    char *value;    /* ... to what */
    bool overruled; /* somebody stronger had set it: this is what was not done */
    bool is_error;  /* a rule that could not be tried: value says why */
    int permille;   /* the model's probability; 0 = none */
    struct tkt_strings words; /* what in the text made it so */
};

struct tkt_field { /* an order number, a phone ... for the ITSM */
    char *name;    /* [a-z][a-z0-9_]{0,39} */
    char *value;
};

struct tkt_decision {
    enum tkt_action action;
    int64_t ticket;  /* for APPEND*, NEW_LINKED, REFUSE: the candidate's row; else 0 */
    int64_t similar; /* NEW*: a ticket that says nearly the same; 0 = none */
    enum tkt_assurance assurance;
    bool split_suggested; /* APPEND*: its subject has nothing to do with the ticket's */
    bool reopens;
    bool opens; /* policy of its class: may open a ticket */
    bool changes_state;
    bool acknowledge;
    bool public_comment; /* an agent's reply in local mode */
    char *why;           /* one line: which evidence, sender, authentication */
    char *requester;     /* NEW*: in whose name; "" = From */
    char *requester_name;
    char *type;
    char *category;
    char *subcategory;
    char *service;
    char *group;
    char *assignee;
    char *itsm;  /* name of an itsm section; "" = the desk's */
    int urgency; /* 0 = not decided, 1 (high) .. 3 (low) */
    int impact;
    int priority; /* 1..5 */
    struct tkt_strings tags;
    struct tkt_field *fields;
    size_t field_count;
    struct tkt_strings missing; /* fields that its type must have: it goes to pending, and
                                 * the requester is asked */
    bool refused_by_rule;       /* NEW*, APPEND*: 5xx where that reaches the author alone,
                                 * else kept as a refused ticket */
    bool ask_llm;               /* by a rule: whatever the model is sure of */
    bool ignored_by_rule;       /* kept as a refused ticket, nobody is told */
    char *refuse_text;
    /* What alarm or storm it is one of: mail of one key at one desk joins one ticket while
     * its window lasts (section correlate). ticketd looks up by, which tells window and
     * what a recovery does; what it does not know there joins nothing. */
    char *correlate;             /* the key, valid UTF-8, one line; "" = none */
    char *correlate_by;          /* name of the section; "" = the same text again */
    bool recovers;               /* says that it is over */
    struct tkt_strings keywords; /* the telling n-grams */
    struct tkt_reason *reasons;
    size_t reason_count;
};

struct tkt_decisions {
    struct tkt_decision *items; /* one per desk of the facts, in their order */
    size_t count;
    struct tkt_wire_arena arena;
};

/* What a class of mail may do; the three are apart on purpose: monitoring opens tickets
 * but is not thanked, and a list in front of the desk (which marks everybody's mail as
 * list mail) must not keep people from reopening. */
struct tkt_class_policy {
    bool opens;
    bool moves_state;
    bool acknowledge;
};

/* Of the message's class at this desk; what the message then does there (a decision's
 * reopens, changes_state, acknowledge) may be less. */
struct tkt_class_policy tkt_decide_policy(const struct tkt_message *msg,
                                          const struct tkt_facts *facts,
                                          const struct tkt_desk_facts *desk);

/* Who sent it, as far as message and facts tell. */
enum tkt_assurance tkt_decide_assurance(const struct tkt_message *msg,
                                        const struct tkt_facts *facts);
/* Pure. policy may be NULL: the desks' own settings alone. out is filled completely or, on
 * error (PERM: memory), not at all. */
int tkt_decide(const struct tkt_message *msg, const struct tkt_facts *facts,
               const struct tkt_policy *policy, struct tkt_decisions *out,
               struct tkt_err *err);

int tkt_facts_encode(const struct tkt_facts *facts, struct tkt_buf *out);
int tkt_facts_decode(const void *data, size_t n, struct tkt_facts *out,
                     struct tkt_err *err);
void tkt_facts_release(struct tkt_facts *facts);
/* A person alone, for a cache. */
#define TKT_PERSON_WIRE_MAX (128 * 1024)
int tkt_person_encode(const struct tkt_person *person, struct tkt_buf *out);
int tkt_person_decode(const void *data, size_t n, struct tkt_wire_arena *arena,
                      struct tkt_person *out, struct tkt_err *err);
int tkt_decisions_encode(const struct tkt_decisions *d, struct tkt_buf *out);
int tkt_decisions_decode(const void *data, size_t n, struct tkt_decisions *out,
                         struct tkt_err *err);
void tkt_decisions_release(struct tkt_decisions *d);
/* What ticketd asks of a child's decoded answer before it acts on it: one decision per
 * desk, tickets only among the candidates it was given, an append only for whom the facts
 * allow it at all, no unverified append that does more, nothing that no rule does, fields
 * that are fields, a requester that is an address. 0, or -1 PERM. */
int tkt_decisions_check(const struct tkt_decisions *d, const struct tkt_facts *facts,
                        struct tkt_err *err);

#endif
