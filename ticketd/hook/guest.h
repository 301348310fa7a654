/* SPDX-License-Identifier: BSD-2-Clause
 * Who may call at the receiver: one row for what stands below one path.
 *
 * Promise: a guest sees a call that the listener let in (rate, sizes, time), first its head
 * and then all of it; it answers with a status, and words where there are some. It knows
 * nothing of the HTTP library.
 * Owner: a call and all it lends live until take returns. Threads: the listener's one.
 * Errors: a status; why says to the log what a refused one was about, without its words.
 */
#ifndef TKT_TICKETD_HOOK_GUEST_H
#define TKT_TICKETD_HOOK_GUEST_H
#include "base/buf.h"
#include "ticketd/core/daemon.h"
#include "ticketd/core/tools.h"

#define TKT_HOOK_ANSWER_MAX (64 * 1024)

struct tkt_hook_visit {
    struct tkt_daemon *d;
    struct tkt_settings *set;
    struct tkt_tools *tools; /* a reader of the listener's thread */
    const char *method;
    const char *rest; /* of the path, behind the guest's own part; percent-decoded */
    /* A header field's value, or NULL; a parameter of the URL's query, or NULL. */
    const char *(*field)(void *arg, const char *name);
    const char *(*query)(void *arg, const char *name);
    void *arg;
    struct tkt_buf body;
    char name[64]; /* out: the section that it is about, for the log */
    char why[256]; /* out: of a refusal */
    /* The answer. Without a type: {} as JSON. */
    struct tkt_buf answer;
    const char *type;          /* of the answer */
    const char *language;      /* ... or NULL */
    const char *const *fields; /* name, value, name, value, ..., NULL; or NULL */
};

struct tkt_hook_guest {
    const char *path;    /* "/hook/" */
    const char *methods; /* "POST", "GET, HEAD, POST": what 405 tells */
    size_t body_max;     /* the longest call; 0: the section's */
    /* 0: go on; else a status, by the head alone. */
    int (*head)(struct tkt_hook_visit *v);
    int (*take)(struct tkt_hook_visit *v); /* a status */
};

extern const struct tkt_hook_guest tkt_hook_itsm;
extern const struct tkt_hook_guest tkt_hook_optout;
extern const struct tkt_hook_guest tkt_hook_status;

/* "POST" in "GET, HEAD, POST". */
bool tkt_hook_allows(const char *methods, const char *method);

#endif
