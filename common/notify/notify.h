/* SPDX-License-Identifier: BSD-2-Clause
 * How people are told: channels behind one ops table.
 *
 * Promise: a channel is pure. It makes the request for one notice, and reads the answer to
 * it; what sends it, waits and tries again is ticketd/notice/notifyjob.h. A notice goes to one
 * recipient. Its id is the same for each try: where the vendor knows an idempotency key
 * it is that, else a try whose answer was lost is sent again (at least once).
 * Owner: everything in a call is borrowed from whoever runs it, but what build and read
 * make in call->arena. Threads: ops are immutable; a call is in one thread at a time.
 * Errors: TEMP it may work later, PERM never as it is (the job is parked, or the contact
 * is marked: call->undeliverable), CONF when the settings here or there are wrong.
 * Limits: those of net/http.h; a channel cuts a text to what its vendor takes and says so
 * in it, and never between the bytes of a character.
 *
 * One more channel is one file, one row in notify.c, one man-page section, one sample
 * stanza, one suite beside the others in tests/integration.
 */
#ifndef TKT_NOTIFY_NOTIFY_H
#define TKT_NOTIFY_NOTIFY_H
#include "base/err.h"
#include "conf/conf.h"
#include "net/http.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_NOTICE_TEXT_MAX (256 * 1024)
#define TKT_NOTICE_HEADERS_MAX 24
#define TKT_NOTICE_THREAD_MAX 256

/* What happened, as subscriptions name it. */
enum tkt_notice_what {
    TKT_NOTICE_CREATED,
    TKT_NOTICE_ASSIGNED,
    TKT_NOTICE_FOLLOW_UP, /* mail of the requester's side came */
    TKT_NOTICE_STATE,
    TKT_NOTICE_COMMENT, /* a public one */
    TKT_NOTICE_RESOLVED,
    TKT_NOTICE_ACTION_REQUIRED, /* the requester is asked for something */
    TKT_NOTICE_SLA_WARNING,
    TKT_NOTICE_SLA_BREACHED,
    TKT_NOTICE_ESCALATED,
    TKT_NOTICE_PARKED, /* a job waits for a person */
    TKT_NOTICE_ALARM,  /* of a desk: a cap of its notifications was reached */
    TKT_NOTICE_DIGEST, /* several of the others in one */
    TKT_NOTICE_REPLY,  /* an agent's mail, to the requester, in the desk's name */
    TKT_NOTICE_HELD,   /* to an agent: his mail was not sent on, and why */
    TKT_NOTICE_WHATS
};
extern const char *const tkt_notice_names[]; /* "created", "assigned", "follow_up", ... */

/* A file that goes along, out of memory. */
struct tkt_notice_file {
    const char *name; /* UTF-8, no path */
    const char *type; /* "image/png" */
    const void *data;
    size_t size;
};

/* Strings are UTF-8 and never NULL; "" = there is none. */
struct tkt_notice {
    const char *id; /* 1..64 of A-Z a-z 0-9 - _: of the job, the same for each try */
    enum tkt_notice_what what;
    const char *to;      /* address, E.164 number, room: as the channel's ops->to says */
    const char *to_name; /* for people */
    const char *role;    /* requester, cc, group, assignee, manager, fixed */
    const char *language;
    const char *subject; /* one line */
    const char *text;    /* LF */
    const char *html;
    /* The ticket. */
    const char *ticket; /* "IT-12" */
    const char *corr;   /* mt- and 32 hex digits; the same for all notices of a ticket */
    const char *number; /* the ITSM's */
    const char *url;
    const char *desk;
    const char *group;
    const char *assignee;
    const char *state;
    int priority; /* 1..5; 0 = unknown */
    bool is_over; /* resolved, closed: a page is taken back */
    int64_t at_ms;
    /* Of the channel's first notice of this ticket (seen.thread then): what a thread there
     * hangs on. "" = this is the first. */
    const char *thread;
    /* Mail alone. */
    const char *from; /* address of the desk */
    const char *from_name;
    const char *reply_to;       /* with the thread token */
    const char *return_path;    /* VERP; "" = the null sender <> */
    const char *message_id;     /* without <> */
    const char *in_reply_to;    /* without <> */
    const char *references;     /* "<a> <b>" */
    const char *const *headers; /* more fields, "Name: value", NULL-terminated, or NULL */
    const struct tkt_notice_file *files;
    size_t file_count;
};

struct tkt_channel_seen {
    char *id;     /* what the vendor calls it; for the log and for status callbacks */
    char *thread; /* for struct tkt_notice.thread of the ticket's next notices */
};

struct tkt_channel_call {
    const struct tkt_conf_channel *conf;
    const char *secret; /* "" where there is none */
    const char *bearer; /* an OAuth token in force; "" = none */
    const struct tkt_notice *notice;
    const char *status_url; /* where its service tells what became of it; "" = nowhere */
    int64_t now_ms;
    /* Made by build: method, url, headers, body, accept_type, answer_max, repeatable. The
     * runner sets peer, timeouts and done. */
    struct tkt_http_request request;
    struct tkt_channel_seen seen; /* made by read */
    bool unauthorized;            /* out: the secret or token is refused */
    bool undeliverable;           /* out: this recipient cannot be reached */
    bool may_pass;                /* out: but may be another time */
    /* out: nothing was sent, for what the section names is not there (a program, a file of
     * its TLS): CONF, and no fault of this notice. */
    bool not_ready;
    struct tkt_wire_arena arena;
};

enum tkt_channel_way {
    TKT_CHANNEL_HTTP,
    TKT_CHANNEL_MAIL,   /* notify/mail.h: SMTP or a sendmail program */
    TKT_CHANNEL_PROGRAM /* exec.c: JSON on stdin, sysexits */
};

enum tkt_channel_to {
    TKT_CHANNEL_TO_ADDRESS, /* mail */
    TKT_CHANNEL_TO_PHONE,   /* E.164 */
    TKT_CHANNEL_TO_ROOM, /* what conf->to or the subscription says; "" = its only one */
    TKT_CHANNEL_TO_ANY
};

struct tkt_status_ops;

struct tkt_channel_ops {
    const char *type;  /* as in channel { type = } */
    const char *title; /* "Twilio (SMS)" */
    enum tkt_channel_way way;
    enum tkt_channel_to to;
    bool takes_html;
    bool is_once;               /* the vendor drops a second one of the same id */
    const char *const *options; /* names that channel { options } may use; NULL-ended */
    /* What the section must have; err CONF. */
    int (*check)(const struct tkt_conf_channel *conf, struct tkt_err *err);
    /* HTTP only. */
    int (*build)(struct tkt_channel_call *call, struct tkt_err *err);
    /* Called for every answer, 2xx or not; response->outcome and ->err are what HTTP says.
     * 0: told. -1: err says it better than HTTP did (a 200 with "ok":false, a code that
     * will never work); TEMP errors may set retry_after_s. */
    int (*read)(struct tkt_channel_call *call, const struct tkt_http_response *response,
                struct tkt_err *err);
    /* PROGRAM only, in a thread that may block for as long as conf->timeout_ms: 0 told, else
     * as read. *outcome: UNKNOWN when it may have told. */
    int (*run)(struct tkt_channel_call *call, enum tkt_http_outcome *outcome,
               struct tkt_err *err);
    const struct tkt_status_ops *status; /* status.h; NULL: it tells nothing later */
};

/* All channels, NULL-terminated: contract tests walk it. */
extern const struct tkt_channel_ops *const tkt_channel_table[];
/* NULL when there is none of that type. */
const struct tkt_channel_ops *tkt_channel_find(const char *type);
/* 0, or -1 CONF: what is wrong with the section for its type. For the config test. */
int tkt_channel_check_all(const struct tkt_conf *conf, struct tkt_err *err);
/* The value of "name=value" in conf->options, or NULL. */
const char *tkt_channel_option(const struct tkt_conf_channel *conf, const char *name);

#endif
