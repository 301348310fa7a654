/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd's end of the sandbox: a pool of ticket-parser children.
 *
 * start executes the zygote; call it before any secret is read and before any thread.
 * analyse() is called by many threads; each call has one child to itself from PARSE to
 * DECIDE. At most half of the children (at least one) serve one client key at a time, so
 * that one sender cannot take them all. A child that overruns its budget is killed
 * (SIGKILL by pidfd) and replaced; a child's answer is hostile input.
 * ticketd links no MIME, HTML or regex code: see tests/link_check.sh.
 */
#ifndef TKT_TICKETD_PARSERPOOL_H
#define TKT_TICKETD_PARSERPOOL_H
#include "base/err.h"
#include "conf/conf.h"
#include "decide/decide.h"
#include "message/message.h"

#include <stddef.h>
#include <stdint.h>

struct tkt_parserpool;

struct tkt_analyse_in {
    const void *raw; /* the whole message in memory, or NULL ... */
    size_t raw_len;
    int fd; /* ... and then a descriptor of our own copy (never the hook's) */
    uint64_t size;
    const char *client_key;   /* who is charged for the child: client or sender domain */
    int64_t deadline_mono_ms; /* of the whole request; the pool's own budgets apply too */
};

/* What ticketd adds between PARSE and DECIDE. *facts is zeroed; fill it from facts->arena.
 * Runs in the caller's thread while the child waits (not counted against its budget). */
typedef int tkt_facts_fn(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                         struct tkt_err *err);

struct tkt_analysis {
    struct tkt_message msg;
    struct tkt_decisions decisions;
};

struct tkt_parserpool_stats {
    uint64_t parsed, degraded, killed, died, waited_out, restarts;
    unsigned children, busy;
};

/* conf_path is what the zygote loads itself (limits, desk prefixes, authserv-ids). */
struct tkt_parserpool *tkt_parserpool_start(const struct tkt_conf *conf, struct tkt_err *err);
/* A new zygote with the new configuration; requests in flight end on the old one. */
int tkt_parserpool_reload(struct tkt_parserpool *pool, const struct tkt_conf *conf,
                          struct tkt_err *err);
/* Kills all children, waits for the zygote. No analyse() may be running. */
void tkt_parserpool_stop(struct tkt_parserpool **pool);
/* 0 with *out filled (release with tkt_analysis_release), or -1: the message could not be
 * analysed now (child died, overran, no child in time, its answer was nonsense): commit
 * it unanalysed with a reanalyse job. */
int tkt_parserpool_analyse(struct tkt_parserpool *pool, const struct tkt_analyse_in *in,
                           tkt_facts_fn *facts, void *arg, struct tkt_analysis *out,
                           struct tkt_err *err);
void tkt_analysis_release(struct tkt_analysis *a);
void tkt_parserpool_stats(struct tkt_parserpool *pool, struct tkt_parserpool_stats *out);

#endif
