/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/itsm/itsmjob.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/util.h"
#include "itsm/back.h"
#include "ticketd/facts/facts.h"
#include "ticketd/itsm/itsmback.h"
#include "ticketd/itsm/itsmjob_private.h"
#include "ticketd/itsm/itsmorigin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BUSY_DELAY_MS 2000
/* Wrong credentials are everybody's: tickets wait for better ones, none is parked. */
#define UNAUTHORIZED_S 300
#define UNKNOWN_S 60
#define PAYLOAD_MAX 4096
#define CLOCKS_MS 60000
#define FILES_MAX 100 /* of one mail; the others stay here */

_Static_assert(TKT_ITSM_KEY_MAX <= TKT_STORE_EXTERNAL_MAX, "each key has room");

void tkt_itsmjob_free(struct tkt_itsmjob *job)
{
    if (job->analysed) {
        tkt_analysis_release(&job->analysis);
    }
    if (job->file.fd >= 0) {
        close(job->file.fd);
    }
    tkt_secret_release(&job->secret);
    tkt_secret_release(&job->client_secret);
    tkt_wipe(job->token.data, job->token.len);
    tkt_buf_release(&job->token);
    tkt_wire_arena_release(&job->call.arena);
    tkt_wire_arena_release(&job->arena);
    tkt_settings_put(&job->set);
    free(job);
}

struct tkt_itsmjob *tkt_itsmjob_new(struct tkt_running *r, struct tkt_settings *set)
{
    struct tkt_itsmjob *job = calloc(1, sizeof(*job));

    if (job != NULL) {
        job->r = r;
        job->file.fd = -1;
        tkt_buf_init(&job->token, TKT_OAUTH_TOKEN_MAX + 1);
        job->err = (struct tkt_err)TKT_ERR_INIT;
        atomic_fetch_add(&set->refs, 1);
        job->set = set;
    }
    return job;
}

/* A look that failed ends: when there is another one is written where looks are. */
static int record_failed_look(struct tkt_store *store, struct tkt_running *r,
                              struct tkt_err *err)
{
    struct tkt_itsmjob *job = r->state;
    int64_t now_ms = tkt_clock_wall_ms();

    return tkt_store_job_finish(store, r->job.id, r->owner, TKT_JOB_DONE, 0,
                                job->err.text, now_ms, err) < 0
               ? -1
               : tkt_itsmback_failed(store, job, job->err.class == TKT_ERR_PERM, now_ms,
                                     err);
}

static void failed_look_recorded(struct tkt_running *r, const struct tkt_err *err)
{
    struct tkt_itsmjob *job = r->state;

    r->state = NULL;
    tkt_log(TKT_LOG_WARNING, r->job.ticket_id, "itsm.look_failed", "itsm", r->job.target,
            "error", job->err.text, NULL);
    tkt_itsmjob_free(job);
    if (err->class != TKT_ERR_NONE) {
        tkt_running_finish(r, err);
    }
}

static void end(struct tkt_itsmjob *job, const struct tkt_err *err,
                enum tkt_job_doubt doubt)
{
    struct tkt_running *r = job->r;
    struct tkt_err last = *err;

    if (err->class != TKT_ERR_NONE && job->call.op == TKT_ITSM_FETCH && !job->looks &&
        job->ops != NULL && !r->is_ended) {
        job->err = last;
        if (err->class == TKT_ERR_TEMP && r->word == TKT_WORD_BY_CLASS) {
            r->word = TKT_WORD_FAILED;
        }
        tkt_running_commit(r, record_failed_look, failed_look_recorded);
        return;
    }
    r->state = NULL;
    r->doubt = doubt;
    r->park_after_ms = job->conf == NULL ? 0 : job->conf->park_after_ms;
    tkt_itsmjob_free(job);
    tkt_running_finish(r, &last);
}

/* ---- the transaction ------------------------------------------------------------------ */

/* A job for each file of the mail, behind the create in its lane. */
static int add_files(struct tkt_store *store, const struct tkt_itsmjob *job,
                     int64_t now_ms, struct tkt_err *err)
{
    const struct tkt_message *m = &job->analysis.msg;

    if (!job->analysed || !job->conf->attachments) {
        return 0;
    }
    for (size_t i = 0; i < m->attachment_count && i < FILES_MAX; i++) {
        const struct tkt_attachment *a = &m->attachments[i];
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(PAYLOAD_MAX);

        tkt_buf_adds(&b, "{\"part\":");
        (void)tkt_json_add_string(&b, a->part, strlen(a->part)); /* b.failed tells */
        tkt_buf_adds(&b, ",\"name\":");
        (void)tkt_json_add_string(&b, a->name, strlen(a->name));
        tkt_buf_adds(&b, ",\"type\":");
        (void)tkt_json_add_string(&b, a->type, strlen(a->type));
        tkt_buf_adds(&b, "}");
        if (!b.failed && tkt_store_job_add(store, job->r->job.ticket, job->r->job.message,
                                           "attach", job->r->job.target, tkt_buf_str(&b),
                                           now_ms, now_ms, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int write_down(struct tkt_store *store, struct tkt_itsmjob *job,
                      struct tkt_err *err)
{
    const struct tkt_itsm_seen *seen = &job->call.seen;
    const struct tkt_store_external in = {.ticket = job->r->job.ticket,
                                          .itsm = job->r->job.target,
                                          .key = seen->external ? seen->external : "",
                                          .number = seen->number ? seen->number : "",
                                          .url = seen->url ? seen->url : ""};
    enum tkt_itsm_op op = job->call.op;
    bool makes = op == TKT_ITSM_CREATE || op == TKT_ITSM_FIND;
    int64_t now_ms = tkt_clock_wall_ms();

    if ((makes || op == TKT_ITSM_FETCH) &&
        tkt_itsmorigin_used(store, job->conf, now_ms, err) < 0) {
        return -1;
    }
    if (op == TKT_ITSM_FETCH) {
        return tkt_itsmback_seen(store, job, now_ms, err);
    }
    if (makes && tkt_store_external_set(store, &in, now_ms, err) < 0) {
        return -1;
    }
    return makes || op == TKT_ITSM_COMMENT ? add_files(store, job, now_ms, err) : 0;
}

/* The end of the job first: who does not hold it any more writes nothing. */
static int apply(struct tkt_store *store, struct tkt_running *r, struct tkt_err *err)
{
    if (tkt_store_job_finish(store, r->job.id, r->owner, TKT_JOB_DONE, 0, "",
                             tkt_clock_wall_ms(), err) < 0) {
        return -1;
    }
    if (write_down(store, r->state, err) < 0) {
        err->class = TKT_ERR_TEMP; /* whatever it is, the end must not stand without it */
        return -1;
    }
    return 0;
}

/* When that cannot be written down now, a look-up finds it later. */
static void recorded(struct tkt_running *r, const struct tkt_err *err)
{
    struct tkt_itsmjob *job = r->state;

    if (err->class != TKT_ERR_NONE) {
        struct tkt_err temp = TKT_ERR_INIT;
        tkt_err_set(&temp, TKT_ERR_TEMP, "done, but not written down: %.200s", err->text);
        r->word = TKT_WORD_ANSWERED;
        end(job, &temp, TKT_DOUBT_SET);
        return;
    }
    tkt_itsmback_told(job);
    if (job->call.op == TKT_ITSM_CREATE || job->call.op == TKT_ITSM_FIND) {
        tkt_log(TKT_LOG_INFO, r->job.ticket_id, "itsm.created", "itsm", r->job.target,
                "number", job->call.seen.number ? job->call.seen.number : "", "found",
                job->call.op == TKT_ITSM_FIND ? "yes" : "no", NULL);
    }
    r->state = NULL;
    tkt_itsmjob_free(job);
}

/* ---- over the loop -------------------------------------------------------------------- */

static void carry_out(struct tkt_itsmjob *job, enum tkt_itsm_op op);

/* A look-up that failed told nothing of the create before it; what was not carried out is
 * free of doubt. */
static enum tkt_job_doubt after_failure(const struct tkt_itsmjob *job)
{
    return job->call.op == TKT_ITSM_FIND || job->looks ? TKT_DOUBT_KEEP : TKT_DOUBT_CLEAR;
}

/* How long after a lost create a search may show nothing. Where it does not lag, the create
 * itself may be under way there yet: for as long as its answer would have been awaited. */
static int64_t lag_of(const struct tkt_itsmjob *job)
{
    return job->conf->search_lag_ms
               ? job->conf->search_lag_ms
               : TKT_MAX(job->ops->search_lag_ms, (int64_t)job->conf->timeout_ms);
}

/* No ticket has the key. May it be made now? What counts is when the search was asked. */
static void nothing_found(struct tkt_itsmjob *job)
{
    int64_t doubt = job->r->job.doubt_ms;
    int64_t left = doubt + lag_of(job) - job->find_ms;
    struct tkt_err err = TKT_ERR_INIT;

    if (left > 0) {
        /* A clock that was set back begins anew. */
        bool ahead = doubt > job->find_ms;

        left = TKT_MIN(left, lag_of(job));
        tkt_err_set(&err, TKT_ERR_TEMP,
                    "an earlier try may have made it; its search may show it later");
        err.retry_after_s = (int)(left / 1000) + 1;
        job->r->word = TKT_WORD_ANSWERED;
        end(job, &err, ahead ? TKT_DOUBT_SET : TKT_DOUBT_KEEP);
    } else if (!job->ops->search_is_proof && doubt != TKT_DOUBT_ASKED_MS) {
        tkt_err_set(&err, TKT_ERR_PERM,
                    "an earlier try may have made it and the search does not tell: look "
                    "there; retry makes it, drop leaves it");
        end(job, &err, TKT_DOUBT_ASKED);
    } else {
        carry_out(job, TKT_ITSM_CREATE);
    }
}

/* A comment or a file may be there, of a try whose answer was lost: not before its job was
 * made, by clocks that differ a little. */
static bool was_carried_out(struct tkt_itsmjob *job)
{
    int64_t since_ms = job->r->job.created_ms - CLOCKS_MS;

    return job->op == TKT_ITSM_COMMENT ? tkt_itsm_has_comment(&job->call, since_ms)
                                       : tkt_itsm_has_file(&job->call, since_ms);
}

/* The look is over. What is not seen is sent again: twice is better than never. */
static void looked(struct tkt_itsmjob *job, const struct tkt_itsm_result *result)
{
    bool is_there = result->err.class == TKT_ERR_NONE && was_carried_out(job);

    job->looks = false;
    if (is_there) {
        job->call.op = job->op;
        tkt_log(TKT_LOG_INFO, job->r->job.ticket_id, "itsm.was_there", "itsm",
                job->r->job.target, "kind", job->r->job.kind, NULL);
        tkt_running_commit(job->r, apply, recorded);
    } else {
        carry_out(job, job->op);
    }
}

/* ---- a token that is not valid any more ----------------------------------------------- */

static void renew(struct tkt_running *r, struct tkt_tools *tools)
{
    (void)tools;
    (void)tkt_itsmjob_renew(r->state); /* job->err tells */
}

static void renewed(struct tkt_running *r)
{
    struct tkt_itsmjob *job = r->state;

    if (job->err.class != TKT_ERR_NONE) {
        r->word = TKT_WORD_FAILED;
        end(job, &job->err, after_failure(job));
    } else {
        carry_out(job, job->call.op);
    }
}

/* Once: a 401 says that nothing was carried out. */
static bool can_renew(struct tkt_itsmjob *job, const struct tkt_itsm_result *result)
{
    if (!result->unauthorized || result->unsure || job->renewed || job->token.len == 0) {
        return false;
    }
    job->renewed = true;
    return tkt_running_in_pool(job->r, renew, renewed) == 0;
}

static void carried_out(void *arg, const struct tkt_itsm_result *result)
{
    struct tkt_itsmjob *job = arg;
    struct tkt_err err = result->err;

    if (result->rest_s > 0) {
        tkt_running_rest(job->r, (int64_t)result->rest_s * 1000);
    }
    if (job->looks &&
        (result->err.class == TKT_ERR_NONE || result->err.class == TKT_ERR_PERM) &&
        !result->unauthorized) {
        looked(job, result);
        return;
    }
    if (result->err.class == TKT_ERR_NONE) {
        const char *key = job->call.seen.external;

        if (job->call.op == TKT_ITSM_FIND && (key == NULL || *key == '\0')) {
            nothing_found(job);
        } else {
            tkt_running_commit(job->r, apply, recorded);
        }
        return;
    }
    if (can_renew(job, result)) {
        return;
    }
    if (result->not_ready) {
        err.class = TKT_ERR_TEMP; /* tickets wait until it is there again */
        job->r->word = TKT_WORD_FAILED;
    }
    if (result->unauthorized) {
        err.class = TKT_ERR_TEMP;
        err.retry_after_s = TKT_MAX(err.retry_after_s, UNAUTHORIZED_S);
        (void)tkt_err_prefix(&err, "the secret of itsm %s is refused", job->conf->name);
    }
    end(job, &err, result->unsure ? TKT_DOUBT_SET : after_failure(job));
}

static void carry_out(struct tkt_itsmjob *job, enum tkt_itsm_op op)
{
    job->call.op = op;
    job->find_ms = tkt_clock_wall_ms();
    memset(&job->call.seen, 0, sizeof(job->call.seen));
    tkt_itsm_run_start(job->r->http, job->ops, &job->call, carried_out, job);
}

static void go(struct tkt_running *r, int64_t wait_ms)
{
    struct tkt_itsmjob *job = r->state;

    if (wait_ms > 0) {
        r->state = NULL;
        tkt_itsmjob_free(job);
        tkt_running_give_back(r, wait_ms, "its target is left alone for a while");
        return;
    }
    enum tkt_itsm_op op = job->call.op;
    bool lost =
        op == TKT_ITSM_CREATE && r->job.doubt_ms > 0 && !job->ops->create_is_idempotent;

    job->op = op;
    job->call.is_again = r->job.doubt_ms > 0;
    job->looks = (op == TKT_ITSM_COMMENT || op == TKT_ITSM_ATTACH) &&
                 r->job.doubt_ms > 0 && job->ops->steps[TKT_ITSM_FETCH] != NULL;
    carry_out(job, lost ? TKT_ITSM_FIND : job->looks ? TKT_ITSM_FETCH : op);
}

static void loaded(struct tkt_running *r)
{
    struct tkt_itsmjob *job = r->state;
    const struct tkt_err none = TKT_ERR_INIT;

    if (job->err.class != TKT_ERR_NONE) {
        r->word = job->site_failed ? TKT_WORD_FAILED : TKT_WORD_BY_CLASS;
        end(job, &job->err, TKT_DOUBT_KEEP);
    } else if (job->nothing_to_do) {
        end(job, &none, TKT_DOUBT_CLEAR);
    } else {
        tkt_running_turn(r, go);
    }
}

static void load(struct tkt_running *r, struct tkt_tools *tools)
{
    struct tkt_itsmjob *job = r->state;

    (void)tkt_itsmjob_load(job, tools); /* job->err tells */
}

/* ---- start ---------------------------------------------------------------------------- */

static int op_of(const char *kind)
{
    static const enum tkt_itsm_op ops[] = {TKT_ITSM_CREATE, TKT_ITSM_COMMENT,
                                           TKT_ITSM_ATTACH, TKT_ITSM_UPDATE,
                                           TKT_ITSM_FETCH};

    for (size_t i = 0; i < TKT_ARRAY_LEN(ops); i++) {
        if (strcmp(tkt_itsm_op_names[ops[i]], kind) == 0) {
            return (int)ops[i];
        }
    }
    return -1;
}

static const struct tkt_conf_itsm *section(const struct tkt_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        if (strcmp(conf->itsms[i].name, name) == 0) {
            return &conf->itsms[i];
        }
    }
    return NULL;
}

/* What can be said without looking: NULL, or why it cannot be. */
static int prepare(struct tkt_itsmjob *job, struct tkt_err *err)
{
    const struct tkt_job *j = &job->r->job;
    int op = op_of(j->kind);

    job->conf = section(job->set->conf, j->target);
    job->ops = job->conf == NULL ? NULL : tkt_itsm_find(job->conf->type);
    if (op < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "nobody knows jobs of kind %s", j->kind);
    }
    if (job->ops == NULL) { /* no ticket's fault: they wait until it is there again */
        job->r->word = TKT_WORD_FAILED;
        tkt_err_set(err, TKT_ERR_TEMP,
                    "there is no section itsm \"%s\" (any more): reload with it, or drop "
                    "what was for it",
                    j->target);
        err->retry_after_s = UNKNOWN_S;
        return -1;
    }
    job->call = (struct tkt_itsm_call){.op = (enum tkt_itsm_op)op,
                                       .site = &job->site,
                                       .ticket = &job->ticket,
                                       .comment = &job->comment,
                                       .file = &job->file,
                                       .key = job->key};
    (void)snprintf(job->key, sizeof(job->key), "j%" PRId64, j->id); /* has room */
    return 0;
}

static void start(struct tkt_running *r)
{
    struct tkt_settings *set = tkt_settings_get(r->d);
    struct tkt_itsmjob *job = tkt_itsmjob_new(r, set);
    struct tkt_err err = TKT_ERR_INIT;

    tkt_settings_put(&set);
    if (job == NULL) {
        tkt_running_give_back(r, BUSY_DELAY_MS, "no memory");
        return;
    }
    job->asked_ms = tkt_clock_wall_ms();
    r->state = job;
    if (prepare(job, &err) < 0 || job->ops->steps[job->call.op] == NULL) {
        end(job, &err, TKT_DOUBT_KEEP); /* an operation that is not there is done */
    } else if (tkt_running_in_pool(r, load, loaded) < 0) {
        r->state = NULL;
        tkt_itsmjob_free(job);
        tkt_running_give_back(r, BUSY_DELAY_MS, "no thread is free");
    }
}

const struct tkt_job_kind tkt_itsmjob_kind = {.kind = "", .start = start};
