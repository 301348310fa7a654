/* SPDX-License-Identifier: BSD-2-Clause
 * The configuration as typed structs, read from ticket-milter.conf by libconfuse.
 *
 * One schema row per key (conf/schema.h) holds type, range, default, unit, whether a
 * reload takes it, whether it is a secret reference, and its help; the man page and the
 * sample are checked against the rows. tkt_conf_load() either gives a whole, checked
 * configuration or an error "file:line: what; what to do". The result is immutable and
 * may be shared by threads; reload makes a new one with the next generation.
 * No secret is read here: secrets stay references ("file:/path"). The generation comes
 * from the values alone: it is the same in all processes with the same settings.
 * load may be called by any thread; calls wait for each other (libconfuse has globals).
 */
#ifndef TKT_CONF_CONF_H
#define TKT_CONF_CONF_H
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tkt_conf_list {
    char **items;
    size_t count;
};

enum tkt_on_failure {
    TKT_ON_FAILURE_TEMPFAIL,
    TKT_ON_FAILURE_ACCEPT
};
enum tkt_desk_mode {
    TKT_MODE_LIVE,
    TKT_MODE_SHADOW,
    TKT_MODE_OFF
};
enum tkt_subject_mode {
    TKT_SUBJECT_REWRITE,
    TKT_SUBJECT_HEADER,
    TKT_SUBJECT_OFF
};
enum tkt_delivery {
    TKT_DELIVERY_LOCAL,
    TKT_DELIVERY_RELAY
};

enum tkt_closed_policy {
    TKT_CLOSED_REOPEN,
    TKT_CLOSED_NEW,
    TKT_CLOSED_REFUSE
};

enum tkt_forward_policy {
    TKT_FORWARD_FORWARDER,
    TKT_FORWARD_REQUESTER,
    TKT_FORWARD_ANYBODY
};

/* A support address with its settings. */
struct tkt_conf_desk {
    char *name;                     /* section title; [a-z0-9_-]{1,32} */
    struct tkt_conf_list addresses; /* user@domain, or @domain for a whole domain */
    /* The same in lower case, domains as A-labels: what the desk table holds and what is
     * compared (tkt_conf_idna_ascii). */
    struct tkt_conf_list matches;
    char *prefix; /* "IT" -> IT-12; [A-Z][A-Z0-9]{0,9} */
    char *display_name;
    char *ticket_url;           /* "{id}" stands for the ticket's ID; "" = none */
    char *itsm;                 /* name of an itsm section */
    char *itsm_fallback;        /* ... that gets what itsm does not take; "" = none */
    int64_t itsm_fallback_ms;   /* for so long */
    bool itsm_fallback_refused; /* also what it refused for good */
    char *itsm_copy;            /* ... that gets everything besides; "" = none */
    char *group;                /* default group, or "" */
    char *type;                 /* incident, request, question, change */
    int64_t priority;           /* 1..5 */
    enum tkt_desk_mode mode;
    enum tkt_on_failure on_failure;
    enum tkt_subject_mode subject;
    enum tkt_delivery delivery;
    enum tkt_closed_policy closed;   /* what a reply to a closed ticket does */
    char *closed_text;               /* of its refusal */
    enum tkt_forward_policy forward; /* in whose name a forwarded mail opens a ticket */
    struct tkt_conf_list headers;    /* which X-Ticket-* to add: id desk group priority */
    bool reply_to_add;
    bool add_group_recipient; /* ADDRCPT of the group's mailbox */
    bool replace_recipient;   /* ... and DELRCPT of the desk's own address */
    bool tag_signed;          /* rewrite the Subject of signed or encrypted mail */
    bool tag_lists;           /* ... of list mail */
    /* classes of mail (message/message.h) that may do so */
    struct tkt_conf_list opens;
    struct tkt_conf_list changes_state;
    struct tkt_conf_list acknowledges;
    bool acknowledge_proved; /* ... if their sender is proved */
    int64_t retain_ms;       /* content of closed tickets is erased after; 0 = keep */
    int64_t join_window_ms;  /* like mail of one automatic sender joins; 0 = never */
    int64_t storm_senders;   /* so many strangers in one conversation; 0 = never */
    int64_t storm_window_ms; /* ... and within this time; of affected and loops too */
    int64_t loop_max;        /* tickets of one automatic sender in that time; 0 = any */
    char *language;          /* where the requester's mail does not tell */
    int64_t notices_max;     /* an hour; 0 = any */
    bool agent_name;         /* an agent's mail goes out with his name */
    bool agent_strip;        /* ... and without agents' addresses in its text */
    int64_t agent_files_max; /* bytes of its attachments in all; 0 = none */
    int64_t sender_rate;     /* mails an hour, more is deferred at RCPT; 0 = any */
    int64_t repeat_rate;     /* ... of one text */
    char *sla;               /* of tickets that no sla section's conditions fit; or "" */
};

enum tkt_conf_strategy { /* the numbers of decide/assign.h */
    TKT_STRATEGY_NONE,
    TKT_STRATEGY_ROUND_ROBIN,
    TKT_STRATEGY_LEAST_OPEN,
    TKT_STRATEGY_SKILLS,
    TKT_STRATEGY_STICKY
};

struct tkt_conf_group {
    char *name;
    char *mailbox;                /* or "" */
    struct tkt_conf_list members; /* addresses of agents */
    enum tkt_conf_strategy strategy;
    char *calendar; /* of members without one of their own; "" = always */
    char *fallback; /* group that takes over while nobody is on duty, or "" */
    int64_t cap;    /* open tickets of a member without a cap of his own; 0 = none */
    bool take_on_reply;
    char *manager; /* address that escalations tell, or "" */
    struct tkt_conf_list categories;
    struct tkt_conf_list departments;
};

/* One who works on tickets. An address in members needs no section. */
struct tkt_conf_agent {
    char *name; /* section title: the address */
    char *display_name;
    struct tkt_conf_list skills;
    int64_t weight;
    int64_t cap;
    char *calendar;
    struct tkt_conf_list absent; /* dates or ranges "2026-12-20..2026-12-31" */
};

struct tkt_conf_calendar {
    char *name;
    char *time_zone; /* IANA name */
    struct tkt_conf_list hours;
    struct tkt_conf_list holidays;
    struct tkt_conf_list holiday_files; /* iCalendar */
};

enum tkt_conf_auth {
    TKT_CONF_AUTH_DEFAULT,
    TKT_CONF_AUTH_NONE,
    TKT_CONF_AUTH_BASIC,
    TKT_CONF_AUTH_BEARER,
    TKT_CONF_AUTH_HEADER,
    TKT_CONF_AUTH_OAUTH_CLIENT,
    TKT_CONF_AUTH_OAUTH_PASSWORD,
    TKT_CONF_AUTH_OAUTH_JWT,
    TKT_CONF_AUTH_OAUTH_REFRESH
};
enum tkt_conf_requester {
    TKT_CONF_REQUESTER_LOOKUP,
    TKT_CONF_REQUESTER_CREATE,
    TKT_CONF_REQUESTER_TEXT
};

enum tkt_conf_merged {
    TKT_CONF_MERGED_CLOSE,
    TKT_CONF_MERGED_COMMENT,
    TKT_CONF_MERGED_NOTHING
};

/* Where tickets end up (itsm/itsm.h). Lists of "ours=theirs". */
enum tkt_conf_hook {       /* how its calls to us are signed */
    TKT_CONF_HOOK_DEFAULT, /* as the type does it */
    TKT_CONF_HOOK_STANDARD,
    TKT_CONF_HOOK_GITHUB,
    TKT_CONF_HOOK_GITLAB,
    TKT_CONF_HOOK_JIRA,
    TKT_CONF_HOOK_ZENDESK,
    TKT_CONF_HOOK_REDMINE,
    TKT_CONF_HOOK_HEADER
};

struct tkt_conf_itsm {
    char *name;
    char *type; /* "local" */
    char *url;
    enum tkt_conf_auth auth;
    char *user;
    char *secret;    /* reference, or "" */
    char *token_url; /* OAuth: "" where auth is none of it */
    char *client_id;
    char *client_secret; /* reference, or "" */
    char *scope;
    char *audience; /* of a JWT; "" = token_url */
    char *key_id;   /* ... its kid */
    char *project;
    struct tkt_conf_list types;
    struct tkt_conf_list groups;
    struct tkt_conf_list priorities;
    struct tkt_conf_list states;
    struct tkt_conf_list assignees;
    struct tkt_conf_list fields; /* "their name={{template}}" */
    struct tkt_conf_list options;
    enum tkt_conf_requester requester;
    enum tkt_conf_merged merged;
    struct tkt_conf_list tags; /* how its numbers stand in Subjects; none: its type's */
    bool attachments;
    int64_t attachment_max;
    int64_t timeout_ms;
    int64_t concurrency;
    int64_t rate; /* an hour; 0 = no limit */
    int64_t park_after_ms;
    int64_t search_lag_ms; /* 0 = the type's own */
    int64_t poll_ms;       /* how often it is asked what changed; 0 = never */
    bool internal_comments;
    char *hook_secret; /* reference; "" = it may not call us */
    enum tkt_conf_hook hook;
    char *hook_header;
    char *hook_key; /* JSON pointers, blanks between; "" = the type's own */
    char *ca_file, *cert_file, *key_file;
    char *proxy;
    bool allow_plain;
};

/* Where others may look in. */
struct tkt_conf_metrics {
    char *listen; /* "127.0.0.1:9464", "[::1]:9464", "unix:/path", "" = nowhere */
};

/* A way to tell people; the types are those of common/notify/notify.c. */
struct tkt_conf_channel {
    char *name;
    char *type;
    char *url;
    enum tkt_conf_auth auth;
    char *user;
    char *secret; /* reference, or "" */
    char *token_url;
    char *client_id;
    char *client_secret; /* reference, or "" */
    char *scope;
    char *hook_secret; /* reference of what signs its calls to us, or "" */
    char *hook_token;  /* reference, or "" */
    char *from;
    char *to;
    struct tkt_conf_list options;
    int64_t timeout_ms;
    int64_t concurrency;
    int64_t rate; /* an hour; 0 = no limit */
    int64_t park_after_ms;
    char *ca_file, *cert_file, *key_file;
    char *proxy;
    bool allow_plain;
};

/* Where the event log goes besides the store; the types are those of common/sink/sink.c. */
struct tkt_conf_sink {
    char *name;
    char *type;
    char *url;     /* "" = it rests */
    char *user;    /* Elasticsearch: basic authentication; "" = an API key */
    char *secret;  /* reference, or "" */
    char *index;   /* or data stream; "" = as the type does it */
    bool personal; /* with addresses and subjects */
    bool history;  /* at its first start all events there are, else the new ones alone */
    int64_t batch;
    int64_t batch_bytes;
    int64_t linger_ms;
    int64_t timeout_ms;
    char *ca_file, *cert_file, *key_file;
    char *proxy;
    bool allow_plain;
};

/* Who is told of what by which channel. */
struct tkt_conf_notify {
    char *name;
    struct tkt_conf_list on; /* tkt_notice_names of common/notify */
    struct tkt_conf_list to; /* roles, or addresses, numbers, rooms */
    char *channel;
    struct tkt_conf_list if_desk;
    struct tkt_conf_list if_group;
    struct tkt_conf_list if_priority; /* "1".."5" */
    struct tkt_conf_list if_class;
    struct tkt_conf_list if_company; /* of the requester */
    char *template_name;             /* "" = the name of what happened */
    char *hours;           /* calendar outside of which it is quiet; "" = never quiet */
    bool own_hours;        /* ... but a colleague's own, where he has some */
    bool drop_outside;     /* else held until it opens */
    int64_t urgent;        /* priorities up to this are told at any time; 0 = none */
    int64_t digest_ms;     /* 0 = each by itself */
    int64_t repeat_ms;     /* the same of a ticket to the same recipient: once within */
    int64_t per_recipient; /* an hour; 0 = any */
    int64_t per_hour;      /* ... of all recipients */
    bool opt_out;          /* who opted out is not told */
    int64_t remind_ms;     /* on action_required; 0 = never */
    int64_t reminders;
    int64_t close_after_ms; /* behind the last reminder; 0 = never */
};

struct tkt_conf_webhook {
    char *listen; /* "127.0.0.1:8025"; "" = nobody listens */
    char *
        public_url; /* where a proxy shows it to others, no '/' at its end; "" = nowhere */
    int64_t body_max;
    int64_t connections;
    struct tkt_conf_list trusted_proxies; /* networks whose X-Forwarded-For counts */
    int64_t per_peer;                     /* connections of one address */
    int64_t rate;                         /* calls an hour of one address */
    int64_t timeout_ms;
    int64_t window_ms; /* how old a signed time may be */
};

enum tkt_engine_kind {
    TKT_ENGINE_NATIVE,
    TKT_ENGINE_LIBMILTER
};

struct tkt_conf_milter {
    char *socket; /* unix:/path, local:/path, inet:port@host, inet6:port@host */
    enum tkt_engine_kind engine;
    int64_t umask; /* octal; applied before the socket is made */
    char *pid_file;
    char *user;             /* to become when started as root, or "" */
    char *state_dir;        /* HELLO copy, missed/, O_TMPFILE of large messages */
    char *chroot;           /* "" = none */
    int64_t in_reserve_max; /* 200 */
    int64_t memory_max;     /* bytes of a message held in a memfd; larger: O_TMPFILE */
    int64_t deadline_ms;    /* whole of RESERVE: 8 s */
    int64_t progress_ms;    /* smfi_progress every 3 s */
    int64_t drain_ms;       /* at stop */
};

struct tkt_conf_parser {
    char *program;         /* ticket-parser */
    int64_t children;      /* 0 = number of processors */
    int64_t budget_ms;     /* 250 */
    int64_t queue_wait_ms; /* 1000 */
    int64_t messages_per_child;
    int64_t memory_max; /* address space a child may use above its start */
};

struct tkt_conf_limits {
    int64_t message_max;       /* bytes; larger is refused with 552 5.3.4 */
    int64_t inline_max;        /* bytes kept in the row; larger go to a blob file */
    int64_t recipients_max;    /* per message */
    int64_t personal_rate;     /* tickets an hour of one recipient's own script */
    int64_t requests_per_peer; /* open intake connections of one peer process */
    int64_t requests_max;      /* open intake connections in all */
    /* pre-scan caps (libraries: parsers are kept away from more than this) */
    int64_t header_block_max; /* 256 KiB */
    int64_t header_count_max; /* 1000 */
    int64_t header_max;       /* 32 KiB */
    int64_t mime_depth_max;   /* 32 */
    int64_t mime_parts_max;   /* 500 */
    int64_t mime_params_max;  /* 64 */
    int64_t text_max;         /* 1 MiB decoded */
    int64_t addresses_max;    /* 512 of one list */
    int64_t references_max;   /* 64 */
    int64_t name_max;         /* 1024 bytes of the name of a person or a file */
    int64_t nested_max;       /* 8 messages within each other */
    int64_t nested_bytes_max; /* 1 MiB of an encoded one */
    int64_t html_depth_max;   /* 512 */
    int64_t hash_max;         /* 256 MiB of decoded attachments of a message */
    int64_t
        undeliverable_ms; /* so long nothing goes to an address that failed; 0 = ever */
    int64_t undeliverable_after; /* 3 days of failures that may pass */
};

struct tkt_conf_store {
    char *path;               /* directory: tickets.db, blobs/ */
    int64_t batch_max;        /* 256 */
    int64_t batch_bytes;      /* 4 MiB */
    int64_t batch_ms;         /* 5 */
    int64_t id_block;         /* IDs leased at once */
    int64_t dedupe_keep_ms;   /* 30 d */
    int64_t dedupe_blind_ms;  /* 6 h */
    int64_t confirm_after_ms; /* 60 s */
};

struct tkt_conf_token {
    struct tkt_conf_list keys; /* secret references, newest first, at most two */
    char *separator;           /* between local part and token: one byte, "+" */
    int64_t valid_ms;          /* 26 weeks */
    bool refuse;               /* a bad token at RCPT; else it counts as absent */
};

struct tkt_conf_access {
    struct tkt_conf_list hooks;   /* users (name or "@group") who may use intake.sock */
    struct tkt_conf_list admins;  /* ... all of ticketctl */
    struct tkt_conf_list agents;  /* ... everything but forget, drop, backup */
    struct tkt_conf_list readers; /* ... list, show, log, status */
};

struct tkt_conf_redact { /* of texts that leave; what is stored stays whole */
    bool cards;
    bool ibans;
    bool passwords;
    struct tkt_conf_list patterns; /* message/redact.h says how they are written */
};

enum tkt_llm_when {
    TKT_LLM_OFF,
    TKT_LLM_RULE,
    TKT_LLM_UNSURE,
    TKT_LLM_ALWAYS
};
enum tkt_llm_format {
    TKT_LLM_JSON_SCHEMA,
    TKT_LLM_JSON_OBJECT,
    TKT_LLM_FORMAT_NONE
};
enum tkt_llm_auth {
    TKT_LLM_BEARER,
    TKT_LLM_API_KEY
};

/* A language model behind an OpenAI-compatible service; url "" = none. */
struct tkt_conf_llm {
    char *url;
    char *key; /* secret reference, or "" */
    char *model;
    struct tkt_conf_list categories; /* "label" or "label: what it means" */
    enum tkt_llm_when when;
    enum tkt_llm_format format;
    enum tkt_llm_auth auth;
    bool summary;
    bool is_inline;
    bool allow_plain;
    int64_t wait_ms;    /* of the create */
    int64_t timeout_ms; /* of one request */
    int64_t inline_ms;
    int64_t at_once;
    int64_t calls_per_hour;
    int64_t tokens_per_hour;
    int64_t text_max;
    int64_t answer_tokens;
    char *answer_limit;
    int64_t cache_ms;
    int64_t cache_max;
    char *ca_file;
    char *proxy;
};

/* What is kept of senders whom a directory knows. */
struct tkt_conf_people {
    struct tkt_conf_list domains; /* of senders that are asked for; empty = all */
    struct tkt_conf_list vips;    /* addresses */
    int64_t ttl_ms;
    int64_t negative_ttl_ms;
    int64_t stale_ms; /* how much longer an answer is used while none can be had */
    int64_t cache_max;
    int64_t enrich_wait_ms; /* how long a create waits for the first answer; 0: never */
    int64_t lookups_max;    /* a second, of all directories */
};

enum tkt_directory_type {
    TKT_DIRECTORY_OFF,
    TKT_DIRECTORY_LDAP,
    TKT_DIRECTORY_AD,
    TKT_DIRECTORY_POSTGRESQL,
    TKT_DIRECTORY_SQLITE,
    TKT_DIRECTORY_ODBC,
    TKT_DIRECTORY_FILE,
    TKT_DIRECTORY_TYPES
};
enum tkt_directory_bind {
    TKT_DIRECTORY_BIND_SIMPLE,
    TKT_DIRECTORY_BIND_EXTERNAL,
    TKT_DIRECTORY_BIND_ANONYMOUS
};
enum tkt_directory_nested {
    TKT_DIRECTORY_GROUPS_AUTO,
    TKT_DIRECTORY_GROUPS_CHAIN,
    TKT_DIRECTORY_GROUPS_MEMBER,
    TKT_DIRECTORY_GROUPS_MEMBEROF,
    TKT_DIRECTORY_GROUPS_OFF
};

/* Somewhere that knows people by their address. */
struct tkt_conf_directory {
    char *name;
    enum tkt_directory_type type;
    struct tkt_conf_list uris; /* LDAP: tried in this order */
    bool starttls;             /* on ldap:// */
    char *ca_file;             /* "" = the system's */
    char *cert_file;
    char *key_file;
    enum tkt_directory_bind bind;
    char *bind_dn;
    char *password; /* secret reference or "" */
    char *base;
    char *filter; /* "" = that of the type; {address} stands for the address */
    enum tkt_directory_nested groups;
    char *group_base;   /* "" = base */
    char *group_filter; /* which entries are groups */
    int64_t group_depth;
    int64_t page_size;
    char *database;           /* SQLite: path; others: connection string */
    char *query;              /* {address} stands for the address, as a parameter */
    char *file;               /* of type file */
    struct tkt_conf_list map; /* "department=ou": whose name is another there */
    struct tkt_conf_list vip_groups; /* globs */
    struct tkt_conf_list vip_values; /* "attribute=glob" */
    int64_t timeout_ms;
};

enum tkt_rules_mode {
    TKT_RULES_FIRST,
    TKT_RULES_ALL,
    TKT_RULES_BEST
};

/* What stands in these four sections is compiled in the parser (decide/rules.h), which
 * knows what conditions and actions mean; here they are text. */
struct tkt_conf_rule_set {
    char *name;
    enum tkt_rules_mode mode;
    struct tkt_conf_list if_desk;
    int64_t min_score;
    int64_t min_lead;
    int64_t min_ratio; /* percent */
};

struct tkt_conf_rule {
    char *name;
    char *in; /* a rule set's name */
    bool match_any;
    struct tkt_conf_list if_says;
    struct tkt_conf_list and_says;
    struct tkt_conf_list if_subject;
    struct tkt_conf_list and_subject;
    struct tkt_conf_list if_reply;
    struct tkt_conf_list and_reply;
    struct tkt_conf_list if_text;
    struct tkt_conf_list and_text;
    struct tkt_conf_list literals;
    struct tkt_conf_list if_sender;
    struct tkt_conf_list if_sender_name;
    struct tkt_conf_list if_domain;
    struct tkt_conf_list if_recipient;
    struct tkt_conf_list if_header;
    struct tkt_conf_list if_attachment;
    struct tkt_conf_list if_attachment_type;
    struct tkt_conf_list if_client;
    struct tkt_conf_list if_class;
    struct tkt_conf_list if_language;
    struct tkt_conf_list if_importance;
    struct tkt_conf_list if_mood;
    struct tkt_conf_list if_said_urgency;
    struct tkt_conf_list if_security;
    struct tkt_conf_list if_assurance;
    struct tkt_conf_list if_desk;
    struct tkt_conf_list if_time;
    struct tkt_conf_list if_department;
    struct tkt_conf_list if_company;
    struct tkt_conf_list if_title;
    struct tkt_conf_list if_location;
    struct tkt_conf_list if_manager;
    struct tkt_conf_list if_member_of;
    struct tkt_conf_list if_type;
    struct tkt_conf_list if_category;
    struct tkt_conf_list if_service;
    struct tkt_conf_list if_group;
    struct tkt_conf_list if_tag;
    struct tkt_conf_list set_tags;
    struct tkt_conf_list set_fields;
    int64_t at_least;
    int64_t weight;
    char *if_size;
    char *if_attachments;
    char *if_affected;
    char *if_vip;
    char *if_known;
    char *if_agent;
    char *set_type;
    char *set_category;
    char *set_subcategory;
    char *set_service;
    char *set_group;
    char *set_assignee;
    char *set_urgency;
    char *set_impact;
    char *set_priority;
    char *set_requester;
    char *set_itsm;
    char *refuse;
    char *refuse_url;
    bool ignore;
    bool stop;
    bool ask_llm;
};

struct tkt_conf_extract {
    char *name;
    char *pattern;
    char *from;
    char *field;
    struct tkt_conf_list if_desk;
    struct tkt_conf_list literals;
};

struct tkt_conf_require { /* name: the field */
    char *name;
    struct tkt_conf_list if_desk;
    struct tkt_conf_list if_type;
    struct tkt_conf_list if_category;
    char *question;
    char *question_de;
};

/* Read by common/decide/priority.h, which knows what it means. */
struct tkt_conf_priority {
    struct tkt_conf_list urgency_high; /* at impact high, medium, low */
    struct tkt_conf_list urgency_medium;
    struct tkt_conf_list urgency_low;
    char *urgency; /* where it is not known */
    char *impact;
    int64_t vip;
    struct tkt_conf_list affected;
    bool words;
    bool mood;
    bool importance;
};

/* See decide/model.h and docs/classification.md. */
struct tkt_conf_model {
    char *file;        /* "" = none */
    int64_t threshold; /* percent */
    int64_t subject_weight;
    int64_t size_max;
    char *trainer; /* ticket-train */
};

enum tkt_conf_recovery {
    TKT_RECOVERY_RESOLVE,
    TKT_RECOVERY_COMMENT,
    TKT_RECOVERY_NONE
};

/* Which mails are one alarm. The patterns are compiled in the parser
 * (decide/correlate.h); window and what a recovery does are ticketd's. */
struct tkt_conf_correlate {
    char *name;
    struct tkt_conf_list if_desk;
    struct tkt_conf_list if_sender;
    struct tkt_conf_list if_domain;
    struct tkt_conf_list if_class;
    struct tkt_conf_list key;
    struct tkt_conf_list recovery;
    enum tkt_conf_recovery on_recovery;
    bool recovery_verified;
    int64_t window_ms;
};

/* Which tickets; empty lists ask nothing (decide/sla.h). */
struct tkt_conf_sla {
    char *name;
    struct tkt_conf_list if_desk;
    struct tkt_conf_list if_group;
    struct tkt_conf_list if_priority;
    struct tkt_conf_list if_type;
    struct tkt_conf_list if_category;
    struct tkt_conf_list if_requester;
    struct tkt_conf_list if_domain;
    struct tkt_conf_list if_department;
    struct tkt_conf_list if_company;
    struct tkt_conf_list if_member_of;
    char *if_vip;                        /* any, yes or no */
    struct tkt_conf_list first_response; /* "4h", or "urgent=15m" */
    struct tkt_conf_list next_response;
    struct tkt_conf_list resolution;
    char *calendar;
    bool pause;
    int64_t warn; /* percent */
};

struct tkt_conf_escalation {
    char *name;
    struct tkt_conf_list if_desk;
    struct tkt_conf_list if_group;
    struct tkt_conf_list if_priority;
    struct tkt_conf_list if_type;
    struct tkt_conf_list if_category;
    struct tkt_conf_list if_requester;
    struct tkt_conf_list if_domain;
    struct tkt_conf_list if_department;
    struct tkt_conf_list if_company;
    struct tkt_conf_list if_member_of;
    char *if_vip;
    char *calendar;
};

struct tkt_conf_step {
    char *name;
    char *in;         /* title of an escalation section */
    int64_t after_ms; /* of business time */
    bool pause;       /* while the ticket is pending */
    char *of;
    int64_t raise_priority;
    bool assign;
    char *group;
    struct tkt_conf_list notify;
    char *page;
};

struct tkt_conf_source; /* where each setting stood; for messages */

struct tkt_conf {
    uint64_t generation; /* of the settings' values; never 0 */
    struct tkt_conf_source *source;
    char *path;
    char *hostname; /* used in Message-IDs and Received */
    char *user;     /* ticketd becomes this user when started as root, or "" */
    char *pid_file;
    char *intake_socket;
    char *control_socket;
    int64_t intake_umask;
    enum tkt_log_sink log_sink;
    bool log_json;
    bool log_ecs;      /* JSON with names of the Elastic Common Schema */
    bool log_personal; /* ... with addresses and subjects */
    enum tkt_log_level log_level;
    struct tkt_conf_list authserv_ids; /* trusted Authentication-Results */
    struct tkt_conf_list arc_sealers;  /* domains whose ARC seal is trusted */
    struct tkt_conf_list own_networks; /* clients that are never limited, and believed */
    char *recipient_delimiter;         /* "+": sub-addresses of desks; "" = none */
    char *templates; /* folder of texts that go before the shipped ones; "" = none */
    bool one_ticket_per_message;
    bool analyse;         /* false: tickets from the header scan only */
    char *shadow_config;  /* decides beside this one, counted only; "" = none */
    int64_t shadow_share; /* percent of the mails */
    struct tkt_conf_milter milter;
    struct tkt_conf_parser parser;
    struct tkt_conf_limits limits;
    struct tkt_conf_store store;
    struct tkt_conf_token token;
    struct tkt_conf_metrics metrics;
    struct tkt_conf_access access;
    struct tkt_conf_redact redact;
    struct tkt_conf_priority priority;
    struct tkt_conf_model model;
    struct tkt_conf_llm llm;
    struct tkt_conf_webhook webhook;
    struct tkt_conf_people people;
    struct tkt_conf_directory *directories; /* in the order of the file */
    size_t directory_count;
    struct tkt_conf_desk *desks; /* in the order of the file */
    size_t desk_count;
    struct tkt_conf_calendar *calendars;
    size_t calendar_count;
    struct tkt_conf_agent *agents;
    size_t agent_count;
    struct tkt_conf_group *groups;
    size_t group_count;
    struct tkt_conf_itsm *itsms;
    size_t itsm_count;
    struct tkt_conf_rule_set *rule_sets; /* in the order of the files, as all these */
    size_t rule_set_count;
    struct tkt_conf_rule *rules;
    size_t rule_count;
    struct tkt_conf_extract *extracts;
    size_t extract_count;
    struct tkt_conf_require *requires;
    size_t require_count;
    /* Whether any rule does so (derived). */
    bool rules_refuse;
    bool rules_ignore;
    bool rules_set_requester;
    struct tkt_conf_correlate *correlates;
    size_t correlate_count;
    struct tkt_conf_sla *slas;
    size_t sla_count;
    struct tkt_conf_escalation *escalations;
    size_t escalation_count;
    struct tkt_conf_step *steps;
    size_t step_count;
    struct tkt_conf_channel *channels;
    size_t channel_count;
    struct tkt_conf_sink *sinks;
    size_t sink_count;
    struct tkt_conf_notify *notifys;
    size_t notify_count;
};

/* Reads and checks path and what it includes. Errors are CONF. Owner: the caller. */
struct tkt_conf *tkt_conf_load(const char *path, struct tkt_err *err);
/* The sections of these bits (1 << enum tkt_conf_section_id; 0: the top level alone) and the
 * top level of path: for who needs no more of it. Other sections are passed over, and what
 * must hold between settings is not looked at: a fault there hinders nobody. */
struct tkt_conf *tkt_conf_load_part(const char *path, uint64_t sections,
                                    struct tkt_err *err);
/* The defaults alone, without any desk; never fails but for memory. */
struct tkt_conf *tkt_conf_defaults(void);
void tkt_conf_free(struct tkt_conf **conf);
/* All effective settings as a file that can be loaded again; with only_changed those
 * that differ from the default. Secret references are shown, never secrets. */
int tkt_conf_dump(const struct tkt_conf *conf, bool only_changed, struct tkt_buf *out);
/* What may start a sub-address: the delimiters, and the tokens' separator. */
#define TKT_CONF_DELIMITERS_MAX 32
void tkt_conf_delimiters(const struct tkt_conf *conf, char out[TKT_CONF_DELIMITERS_MAX]);
/* A target of an sla section: "4h" for all priorities (*priority 0), "urgent=15m" or
 * "2=1h" for one. -1: it is none. */
int tkt_conf_sla_target(const char *text, int *priority, int64_t *ms);
/* 1..5 of "urgent" or "1"; -1. */
int tkt_conf_priority(const char *text);
/* NULL when there is none of that name. */
const struct tkt_conf_desk *tkt_conf_desk(const struct tkt_conf *conf, const char *name);
const struct tkt_conf_group *tkt_conf_group(const struct tkt_conf *conf,
                                            const char *name);
/* Warnings that do not stop a start (a desk that can never match, an unsafe directory):
 * one "file:line: text" line each, appended to out. */
int tkt_conf_warnings(const struct tkt_conf *conf, struct tkt_buf *out);
/* Appends address (user@domain or @domain) with its domain in the A-label form, lower
 * case: what an MTA without SMTPUTF8 shows. -1: no such form, or out is full. */
int tkt_conf_idna_ascii(const char *address, struct tkt_buf *out);

#endif
