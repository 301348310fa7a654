/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd's end of the sandbox: a pool of ticket-parser children.
 *
 * start executes the zygote; call it before any secret is read and before any thread.
 * analyse() is called by many threads; each call has one child to itself from PARSE to
 * DECIDE. At most half of the children (at least one) serve one client key at a time, so
 * that one sender cannot take them all; keys take turns, within a key the first comes
 * first. A child that overruns its budget is killed (SIGKILL by pidfd) and replaced; a
 * child's answer is hostile input.
 * ticketd links no MIME, HTML or regex code: see tests/link_check.sh.
 */
#ifndef TKT_TICKETD_PARSERPOOL_H
#define TKT_TICKETD_PARSERPOOL_H
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "decide/decide.h"
#include "message/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tkt_parserpool;

struct tkt_analyse_in {
    const void *raw; /* the whole message in memory, or NULL ... */
    size_t raw_len;
    int fd; /* ... and then a descriptor of our own copy (never the hook's) */
    uint64_t size;
    bool null_sender; /* the envelope sender is <> */
    /* msg has text, reply_text, signature, quoted and forwarded.text; else they are "": the
     * child decides by them, and megabytes need not travel for nobody. */
    bool with_text;
    /* From as the header scan has it, if the scan saw nothing that points at an earlier
     * ticket: the facts for that go along, and when the message's own are the same, which
     * is compared, one trip to the child does for both. NULL: nothing is guessed. */
    const char *expected_from;
    const char *client_key;   /* who is charged for the child: client or sender domain */
    int64_t deadline_mono_ms; /* of the whole request; the pool's own budgets apply too */
};

/* What ticketd adds between PARSE and DECIDE. *facts is zeroed; fill it from facts->arena.
 * Runs in the caller's thread while the child waits (not counted against its budget), and
 * before that for a message that has no more than a From when one is expected. */
typedef int tkt_facts_fn(void *arg, const struct tkt_message *msg,
                         struct tkt_facts *facts, struct tkt_err *err);

struct tkt_analysis {
    struct tkt_message msg;
    struct tkt_decisions decisions;
};

struct tkt_parserpool_stats {
    uint64_t parsed;      /* analyses that succeeded ... */
    uint64_t degraded;    /* ... of which from the headers alone */
    uint64_t guessed;     /* ... of which with one trip to the child instead of two */
    uint64_t killed;      /* children that overran their budget */
    uint64_t nonsense;    /* children killed for what they answered */
    uint64_t died;        /* children that ended by themselves while they worked */
    uint64_t waited_out;  /* requests for which no child came free in time */
    uint64_t restarts;    /* of the zygote */
    uint64_t rule_errors; /* rules that could not be tried to the end on a message */
    unsigned children;    /* that live now, the spare one included */
    unsigned busy;
    unsigned waiting;
    char last_fault[200]; /* why the last child or zygote was replaced; "" = never */
};

/* The zygote gets what it needs of conf (limits, desk prefixes, authserv-ids) from here,
 * not from the file: a file that was broken later does not stop it from being restarted.
 * Starts a thread of its own, which waits for the zygote and spawns ahead: call it behind
 * the fork and the change of user of a daemon. conf may be freed afterwards. */
struct tkt_parserpool *tkt_parserpool_start(const struct tkt_conf *conf,
                                            struct tkt_err *err);
/* A new zygote with the new configuration; requests in flight end on the old one. */
int tkt_parserpool_reload(struct tkt_parserpool *pool, const struct tkt_conf *conf,
                          struct tkt_err *err);
/* Kills all children, waits for the zygote. No analyse() may be running. */
void tkt_parserpool_stop(struct tkt_parserpool **pool);
/* facts NULL: the message is read, nothing is decided (decisions has none).
 * 0 with *out filled (release with tkt_analysis_release), or -1: the message could not be
 * analysed now (child died, overran, no child in time, its answer was nonsense): commit
 * it unanalysed with a reanalyse job. */
int tkt_parserpool_analyse(struct tkt_parserpool *pool, const struct tkt_analyse_in *in,
                           tkt_facts_fn *facts, void *arg, struct tkt_analysis *out,
                           struct tkt_err *err);
void tkt_analysis_release(struct tkt_analysis *a);
/* Writes the decoded content of a part of the message fd to out_fd, at most max bytes
 * (PERM beyond). For jobs; it takes a child like analyse does. The child itself writes to
 * a pipe: it never holds a descriptor of a file that can be written. */
int tkt_parserpool_extract(struct tkt_parserpool *pool, int fd, uint64_t size,
                           const char *part, int out_fd, uint64_t max,
                           int64_t deadline_mono_ms, struct tkt_err *err);
/* Appends a text (UTF-8, at most TKT_MESSAGE_TEXT_MAX bytes) to out as it may leave this
 * host: with what the section redact of the configuration names removed. For jobs; it
 * takes a child like extract does. On an error nothing may leave. */
int tkt_parserpool_redact(struct tkt_parserpool *pool, const char *text, size_t n,
                          int64_t deadline_mono_ms, struct tkt_buf *out,
                          struct tkt_err *err);
void tkt_parserpool_stats(struct tkt_parserpool *pool, struct tkt_parserpool_stats *out);
/* Process numbers for `status` and tests: the zygote's (0 = none now) and up to max of the
 * children's; returns how many children there are. */
size_t tkt_parserpool_pids(struct tkt_parserpool *pool, pid_t *zygote, pid_t *children,
                           size_t max);

#endif
