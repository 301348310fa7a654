/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/parser/parserpool.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/util.h"
#include "conf/policy.h"
#include "ticketd/parser/parserpool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- start, reload, stop ---- */

static unsigned processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) < 0) {
        return 1;
    }
    return (unsigned)CPU_COUNT(&set);
}

static int encode_setup(const struct tkt_conf *conf, struct tkt_pool_plan *plan,
                        struct tkt_err *err)
{
    TKT_AUTO_FREE char **prefixes = calloc(conf->desk_count + 1, sizeof(*prefixes));
    struct tkt_parser_setup setup = {
        .limits = conf->limits,
        .budget_ms = plan->budget_ms,
        .messages_per_child = plan->messages_per_child,
        .memory_max = conf->parser.memory_max,
        .authserv_ids = conf->authserv_ids,
        .arc_sealers = conf->arc_sealers,
        .redact = conf->redact,
        .prefixes = {prefixes, conf->desk_count},
    };

    if (prefixes == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    for (size_t i = 0; i < conf->desk_count; i++) {
        prefixes[i] = conf->desks[i].prefix;
    }
    return tkt_parser_setup_encode(&setup, &plan->setup, err);
}

/* What decides is compiled by the zygote: here it is text, and a file nobody reads. */
static int open_files(const struct tkt_conf *conf, struct tkt_pool_plan *plan,
                      struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf policy = TKT_BUF_INIT(TKT_CONF_POLICY_MAX);

    if (tkt_conf_policy_encode(conf, &policy) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "the rules are more than %d MiB",
                           TKT_CONF_POLICY_MAX / (1024 * 1024));
    }
    plan->files[0] = tkt_memfd_sealed("policy", policy.data, policy.len, err);
    if (plan->files[0] < 0 || conf->model.file[0] == '\0') {
        return plan->files[0] < 0 ? -1 : 0;
    }
    plan->files[1] = open(conf->model.file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return plan->files[1] < 0
               ? tkt_err_errno(err, TKT_ERR_CONF, "model %s", conf->model.file)
               : 0;
}

static struct tkt_pool_plan *make_plan(const struct tkt_conf *conf, struct tkt_err *err)
{
    const struct tkt_conf_parser *p = &conf->parser;
    int64_t children = p->children > 0 ? p->children : processors();
    struct tkt_pool_plan *plan = calloc(1, sizeof(*plan));

    if (plan == NULL) {
        (void)tkt_err_set(err, TKT_ERR_TEMP, "out of memory"); /* returns -1, always */
        return NULL;
    }
    plan->children = (unsigned)TKT_MIN(children, TKT_POOL_CHILDREN_MAX);
    plan->budget_ms = TKT_MAX(p->budget_ms, 1);
    plan->queue_wait_ms = p->queue_wait_ms;
    plan->messages_per_child = TKT_MAX(p->messages_per_child, 1);
    plan->files[0] = plan->files[1] = -1;
    tkt_buf_init(&plan->setup, TKT_PARSER_SETUP_MAX);
    plan->program = strdup(p->program);
    if (plan->program == NULL || encode_setup(conf, plan, err) < 0 ||
        open_files(conf, plan, err) < 0) {
        tkt_pool_plan_free(&plan);
    }
    return plan;
}

int tkt_parserpool_reload(struct tkt_parserpool *pool, const struct tkt_conf *conf,
                          struct tkt_err *err)
{
    struct tkt_pool_plan *plan = make_plan(conf, err);

    if (plan == NULL) {
        return -1;
    }
    int rc = tkt_pool_keeper_order(pool, &plan, err);
    tkt_pool_plan_free(&plan); /* what the keeper did not take */
    return rc < 0 ? tkt_err_prefix(err, "parser") : 0;
}

struct tkt_parserpool *tkt_parserpool_start(const struct tkt_conf *conf,
                                            struct tkt_err *err)
{
    struct tkt_parserpool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL) {
        (void)tkt_err_set(err, TKT_ERR_TEMP, "out of memory"); /* returns -1, always */
        return NULL;
    }
    pool->wake = -1;
    pthread_mutex_init(&pool->lock, NULL);
    if (tkt_pool_keeper_start(pool, err) < 0) {
        if (pool->wake >= 0) {
            (void)close(pool->wake);
        }
        pthread_mutex_destroy(&pool->lock);
        free(pool);
        return NULL;
    }
    if (tkt_parserpool_reload(pool, conf, err) < 0) {
        tkt_parserpool_stop(&pool);
    }
    return pool;
}

void tkt_parserpool_stop(struct tkt_parserpool **pool)
{
    struct tkt_parserpool *p = *pool;

    if (p == NULL) {
        return;
    }
    tkt_pool_keeper_stop(p);
    tkt_pool_plan_free(&p->plan);
    (void)close(p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
    *pool = NULL;
}

/* ---- analysing ---- */

static void count_result(struct tkt_parserpool *pool, enum tkt_child_result rc,
                         bool degraded, bool guessed)
{
    pthread_mutex_lock(&pool->lock);
    switch (rc) {
    case TKT_CHILD_OK:
        pool->stats.parsed++;
        pool->stats.degraded += degraded;
        pool->stats.guessed += guessed;
        break;
    case TKT_CHILD_OVERRAN:
        pool->stats.killed++;
        break;
    case TKT_CHILD_NONSENSE:
    case TKT_CHILD_ERROR:
        pool->stats.nonsense++;
        break;
    case TKT_CHILD_DIED:
        pool->stats.died++;
        break;
    case TKT_CHILD_GONE:
        break;
    }
    pthread_mutex_unlock(&pool->lock);
}

/* The child gets a descriptor that cannot write, whatever the caller's can. */
int tkt_pool_reopen_read_only(int fd, struct tkt_err *err)
{
    char path[32];
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return copy >= 0 ? copy : tkt_err_errno(err, TKT_ERR_TEMP, "dup");
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return again >= 0 ? again : tkt_err_errno(err, TKT_ERR_TEMP, "reopen the message");
}

/* Small messages travel in the frame, others as a descriptor of *file. */
static int make_request(const struct tkt_analyse_in *in, bool facts,
                        struct tkt_child_request *req, uint64_t *size, int *file,
                        struct tkt_err *err)
{
    *req = (struct tkt_child_request){.type = TKT_PARSER_PARSE,
                                      .flags =
                                          (in->null_sender ? TKT_PARSER_NULL_SENDER : 0) |
                                          (in->with_text ? TKT_PARSER_WITH_TEXT : 0) |
                                          (facts ? 0 : TKT_PARSER_ONLY_READ),
                                      .payload = in->raw,
                                      .len = in->raw_len};
    if (in->raw != NULL && in->raw_len <= TKT_PARSER_INLINE_MAX) {
        return 0;
    }
    *size = in->raw != NULL ? in->raw_len : in->size;
    *file = in->raw != NULL ? tkt_memfd_sealed("message", in->raw, in->raw_len, err)
                            : tkt_pool_reopen_read_only(in->fd, err);
    if (*file < 0) {
        return -1;
    }
    req->type = TKT_PARSER_PARSE_FD;
    req->payload = size;
    req->len = sizeof(*size);
    req->fds[0] = *file;
    req->fd_count = 1;
    return 0;
}

/* A limit that an expression met is nothing the sender should hear of, but the rule's
 * author must. */
static void tell_rule_errors(struct tkt_parserpool *pool, const struct tkt_decisions *all)
{
    uint64_t errors = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct tkt_decision *d = &all->items[i];
        for (size_t k = 0; k < d->reason_count; k++) {
            const struct tkt_reason *r = &d->reasons[k];
            if (r->is_error) {
                tkt_log(TKT_LOG_WARNING, NULL, "rule.error", "rule", r->by, "error",
                        r->value, NULL);
                errors++;
            }
        }
    }
    if (errors > 0) {
        pthread_mutex_lock(&pool->lock);
        pool->stats.rule_errors += errors;
        pthread_mutex_unlock(&pool->lock);
    }
}

int tkt_parserpool_analyse(struct tkt_parserpool *pool, const struct tkt_analyse_in *in,
                           tkt_facts_fn *facts, void *arg, struct tkt_analysis *out,
                           struct tkt_err *err)
{
    struct tkt_err own_err = TKT_ERR_INIT;
    struct tkt_pool_claim claim;
    struct tkt_child_request req;
    struct tkt_pool_talk talk = {.claim = &claim,
                                 .deadline_us = in->deadline_mono_ms * 1000,
                                 .facts = facts,
                                 .arg = arg,
                                 .guess = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX),
                                 .err = err != NULL ? err : &own_err};
    enum tkt_child_result rc;
    uint64_t size = 0;
    TKT_AUTO_FD int file = -1;

    if (make_request(in, facts != NULL, &req, &size, &file, talk.err) < 0) {
        return -1;
    }
    tkt_pool_talk_guess(&talk, in->expected_from, &req);
    const char *key = in->client_key != NULL ? in->client_key : "";
    do {
        if (tkt_pool_acquire(pool, key, in->deadline_mono_ms, &claim, talk.err) < 0) {
            tkt_buf_release(&talk.guess);
            return -1;
        }
        memset(out, 0, sizeof(*out));
        rc = tkt_pool_talk(&talk, &req, out);
        tkt_pool_release(pool, &claim, rc != TKT_CHILD_OK ? talk.err->text : NULL);
        if (!talk.facts_failed) {
            count_result(pool, rc, rc == TKT_CHILD_OK && out->msg.degraded, talk.guessed);
        }
    } while (rc == TKT_CHILD_GONE);
    tkt_buf_release(&talk.guess);
    if (rc == TKT_CHILD_OK) {
        tell_rule_errors(pool, &out->decisions);
    } else {
        talk.err->class = TKT_ERR_TEMP; /* no child refuses a message for good */
    }
    return rc == TKT_CHILD_OK && !talk.facts_failed ? 0 : -1;
}

void tkt_analysis_release(struct tkt_analysis *a)
{
    tkt_message_release(&a->msg);
    tkt_decisions_release(&a->decisions);
    memset(a, 0, sizeof(*a));
}

/* ---- what is going on ---- */

static unsigned list_length(const struct tkt_child *c)
{
    unsigned n = 0;

    for (; c != NULL; c = c->next) {
        n++;
    }
    return n;
}

void tkt_parserpool_stats(struct tkt_parserpool *pool, struct tkt_parserpool_stats *out)
{
    pthread_mutex_lock(&pool->lock);
    *out = pool->stats;
    out->children = list_length(pool->idle) + list_length(pool->lent);
    out->busy = pool->busy;
    out->waiting = 0;
    for (struct tkt_pool_waiter *w = pool->waiters; w != NULL; w = w->next) {
        out->waiting++;
    }
    pthread_mutex_unlock(&pool->lock);
}

size_t tkt_parserpool_pids(struct tkt_parserpool *pool, pid_t *zygote, pid_t *children,
                           size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&pool->lock);
    *zygote = pool->zygote != NULL ? pool->zygote->pid : 0;
    const struct tkt_child *lists[] = {pool->lent, pool->idle};
    for (size_t i = 0; i < 2; i++) {
        for (const struct tkt_child *c = lists[i]; c != NULL; c = c->next) {
            if (n < max) {
                children[n] = c->pid;
            }
            n++;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return n;
}
