/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/later/reanalyse.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "decide/assign.h"
#include "ticketd/facts/decided.h"
#include "ticketd/facts/envelope.h"
#include "ticketd/facts/facts.h"
#include "ticketd/facts/mailread.h"
#include "ticketd/facts/participants.h"
#include "ticketd/facts/traces.h"
#include "ticketd/facts/wants.h"
#include "ticketd/intake/agentnote.h"
#include "ticketd/jobs/backoff.h"
#include "ticketd/llm/llm.h"

#include <string.h>
#include <sys/stat.h>

struct reanalyse {
    struct tkt_daemon *d;
    struct tkt_settings *set;
    struct tkt_tools *tools;
    const struct tkt_job *job;
    const char *owner;
    const struct tkt_conf_desk *desk;
    struct tkt_buf raw;
    int fd;
    struct tkt_envelope envelope;
    struct tkt_analysis analysis;
    bool enriched; /* the decision alone is made again */
    bool analysed;
    struct tkt_facts_found found;
    struct tkt_store_traces traces;
    struct tkt_store_analysed_in in;
    struct tkt_wire_arena arena;
};

static int load(struct reanalyse *r, struct tkt_err *err)
{
    struct tkt_reader *reader = tkt_tools_reader(r->tools, err);
    struct tkt_buf json = TKT_BUF_INIT(TKT_ENVELOPE_MAX + 1);
    struct tkt_reader_ticket ticket;
    int rc = -1;

    if (!reader) {
        return -1;
    }
    int found = tkt_reader_by_row(reader, r->job->ticket, "", &ticket, err);
    if (found <= 0) {
        return found < 0 ? -1 : tkt_err_set(err, TKT_ERR_PERM, "its ticket is gone");
    }
    r->desk = tkt_conf_desk(r->set->conf, ticket.desk);
    if (!r->desk) {
        return tkt_err_set(err, TKT_ERR_CONF, "desk %s is not configured any more",
                           ticket.desk);
    }
    if (tkt_reader_raw(reader, r->job->message, &r->raw, &r->fd, err) == 0 &&
        tkt_reader_envelope(reader, r->job->message, &json, err) == 0) {
        rc = tkt_envelope_read(json.data, json.len, &r->envelope, err);
    }
    tkt_buf_release(&json);
    return rc;
}

static int analyse(struct reanalyse *r, struct tkt_err *err)
{
    struct stat st = {0};
    struct tkt_facts_in facts = {.tools = r->tools,
                                 .conf = r->set->conf,
                                 .keys = &r->set->keys,
                                 .desks = &r->desk,
                                 .desk_count = 1,
                                 .rcpts = r->envelope.rcpts,
                                 .rcpt_count = r->envelope.rcpt_count,
                                 .sender = r->envelope.sender,
                                 .auth_login = r->envelope.auth_login,
                                 .tls_subject = r->envelope.tls_subject,
                                 .now_s = tkt_clock_wall_ms() / 1000,
                                 .prints = r->enriched ? NULL : r->d->prints,
                                 .people = r->d->people,
                                 .senders = r->d->senders,
                                 .found = &r->found};

    tkt_tools_forget_person(r->tools);
    if (!r->d->pool) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no parser is running");
    }
    if (r->fd >= 0 && fstat(r->fd, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "message");
    }
    /* All later analyses are one client: they may never take more than their half of the
     * children from mail that somebody waits for. */
    const struct tkt_analyse_in in = {
        .raw = r->fd >= 0 ? NULL : r->raw.data,
        .raw_len = r->raw.len,
        .fd = r->fd,
        .size = r->fd >= 0 ? (uint64_t)st.st_size : r->raw.len,
        .null_sender = *r->envelope.sender == '\0',
        .with_text = !r->enriched, /* for agents' notes */
        .client_key = "(later)",
        .deadline_mono_ms = tkt_clock_mono_ms() + TKT_MAILREAD_BUDGET_MS};
    if (tkt_parserpool_analyse(r->d->pool, &in, tkt_facts_gather, &facts, &r->analysis,
                               err) < 0) {
        return -1;
    }
    r->analysed = true;
    if (r->analysis.decisions.count != 1) {
        return tkt_err_set(err, TKT_ERR_TEMP, "one decision was expected");
    }
    return 0;
}

static int prepare(struct reanalyse *r, struct tkt_err *err)
{
    const struct tkt_message *m = &r->analysis.msg;
    struct tkt_store_thread_key *key = tkt_wire_arena_alloc(&r->arena, sizeof(*key));

    if (!key) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    tkt_sha256(m->message_id, strlen(m->message_id), key->hash);
    const struct tkt_wire_wants *w = &r->envelope.wants;

    if (tkt_assign_route(r->set->roster, r->found.department,
                         &r->analysis.decisions.items[0], &r->arena) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    r->in.roster = r->set->roster;
    r->in.decision = tkt_wants_over(w, &r->analysis.decisions.items[0], &r->arena);
    r->in.subject = *w->summary ? w->summary : m->subject;
    r->in.class_name = tkt_class_names[r->found.is_own ? TKT_CLASS_OWN : m->class];
    r->in.thread_keys = key;
    r->in.thread_key_count = *m->message_id ? 1 : 0;
    r->in.requester_name = *w->requester ? "" : m->from.name;
    bool hides =
        !r->enriched && tkt_agentnote_hides(r->set->conf, r->desk, &r->analysis.msg);
    r->in.is_note = hides && r->in.decision->action == TKT_ACTION_APPEND;
    /* What a script asked for goes before what a forward says. */
    if (!*w->requester && !hides) {
        r->in.requester = tkt_traces_requester(r->set, r->desk, m->from.address,
                                               r->in.decision, &r->arena);
    }
    if (r->in.requester) {
        r->in.requester_name = r->in.decision->requester_name;
    }
    r->in.enriched = r->enriched;
    r->in.group_is_open = !*w->group && tkt_assign_is_open(r->in.decision);
    r->in.language = m->language;
    r->in.question_text =
        tkt_decided_question(r->set->conf, r->in.decision, m->language, &r->arena);
    r->in.record = tkt_decided_record(r->set, r->in.decision, r->desk->name, &r->arena);
    if (r->enriched) { /* who took part and what it left is known */
        r->in.thread_key_count = 0;
        r->in.requester = NULL;
        return 0;
    }
    if (tkt_traces_make(&r->found, m, &r->arena, &r->traces, err) < 0) {
        return -1;
    }
    r->in.traces = &r->traces;
    return tkt_participants_make(r->set, m, "", &r->arena, &r->in.participants,
                                 &r->in.participant_count, err);
}

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct reanalyse *r = arg;

    r->in.ticket = r->job->ticket;
    r->in.message = r->job->message;
    r->in.now_ms = tkt_clock_wall_ms();
    bool keep = r->enriched && !r->in.decision; /* what was decided first */
    if (!keep && tkt_store_analysed(store, &r->in, err) < 0) {
        return -1;
    }
    if (tkt_llm_wanted(&r->set->conf->llm, r->in.decision)) {
        /* In its place: the create waits on. */
        return tkt_store_job_turn(store, r->job->id, r->owner, "refine", r->in.now_ms,
                                  err);
    }
    return tkt_store_job_finish(store, r->job->id, r->owner, TKT_JOB_DONE, 0,
                                r->in.decision ? "" : "given up", r->in.now_ms, err);
}

/* While no parser runs at all it is not the message's fault, and the job waits. */
static bool is_hopeless(const struct reanalyse *r, const struct tkt_err *err)
{
    struct tkt_parserpool_stats stats = {0};

    if (err->class != TKT_ERR_TEMP ||
        tkt_clock_wall_ms() - r->job->created_ms > TKT_BACKOFF_AGE_MS) {
        return true;
    }
    if (r->d->pool) {
        tkt_parserpool_stats(r->d->pool, &stats);
    }
    return stats.children > 0 && r->job->attempts >= TKT_REANALYSE_ATTEMPTS;
}

int tkt_reanalyse(struct tkt_daemon *d, struct tkt_tools *tools,
                  const struct tkt_job *job, const char *owner, bool enriched,
                  struct tkt_err *err)
{
    struct reanalyse r = {.d = d,
                          .tools = tools,
                          .job = job,
                          .owner = owner,
                          .enriched = enriched,
                          .fd = -1};
    int rc = -1;

    r.set = tkt_settings_get(d);
    tkt_buf_init(&r.raw, (size_t)r.set->conf->limits.message_max + 1);
    if (load(&r, err) == 0) {
        if (analyse(&r, err) == 0 && prepare(&r, err) == 0) {
            rc = 0;
        } else if (is_hopeless(&r, err)) {
            tkt_log(TKT_LOG_WARNING, job->ticket_id, "ticket.unanalysed", "attempts",
                    TKT_NUM(job->attempts), "why", err->text, "status", "given up", NULL);
            memset(&r.in, 0, sizeof(r.in));
            rc = 0;
        }
    }
    if (rc == 0) {
        rc = tkt_commit_call(d->commit, apply, &r, true, err);
    }
    if (rc == 0 && r.in.decision) {
        if (!enriched) {
            tkt_senders_note(d->senders, &r.analysis.msg);
            tkt_prints_add(d->prints, r.desk->name, job->ticket, "", r.traces.print,
                           r.in.now_ms);
        }
        tkt_log(TKT_LOG_INFO, job->ticket_id,
                enriched ? "ticket.enriched" : "ticket.analysed", "desk", r.desk->name,
                "class", r.in.class_name, "action",
                tkt_action_names[r.in.decision->action], "why", r.in.decision->why,
                "group", r.in.decision->group, "status", "ok", NULL);
    }
    if (r.analysed) {
        tkt_analysis_release(&r.analysis);
    }
    tkt_envelope_release(&r.envelope);
    tkt_wire_arena_release(&r.arena);
    tkt_buf_release(&r.raw);
    if (r.fd >= 0) {
        close(r.fd);
    }
    tkt_settings_put(&r.set);
    return rc;
}
