/* SPDX-License-Identifier: BSD-2-Clause
 * The job.
 */
#include "ticketd/llm/refine.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "decide/assign.h"
#include "ticketd/facts/mailread.h"
#include "ticketd/llm/refine_ask.h"

#include <stdio.h>
#include <string.h>

#define AGAIN_MS 2000
#define PARSE_MS 5000
#define EVENT_MAX 4096

struct refine {
    struct tkt_llm_ask ask;
    struct tkt_running *running;
    struct tkt_http_call *call;
    struct tkt_err err; /* of the preparation */
    bool is_prepared;
    int desk_priority;
    struct tkt_buf event;
    struct tkt_buf kept;
    struct tkt_store_answer keep;
    struct tkt_store_refined_in in;
    char comment[TKT_LLM_NOTE_MAX + 1];
};

static int64_t latest_ms(const struct tkt_running *r)
{
    struct tkt_settings *set = tkt_settings_get(r->d);
    int64_t wait = set->conf->llm.wait_ms;

    tkt_settings_put(&set);
    return r->job.created_ms + wait;
}

static int at_once(const struct tkt_daemon *d)
{
    struct tkt_settings *set = tkt_settings_get((struct tkt_daemon *)(uintptr_t)d);
    int n = (int)set->conf->llm.at_once;

    tkt_settings_put(&set);
    return n;
}

static void release(struct refine *f)
{
    f->running->state = NULL;
    tkt_llm_ask_release(&f->ask);
    tkt_buf_release(&f->event);
    tkt_buf_release(&f->kept);
    free(f);
}

/* ---- how it ends ------------------------------------------------------------------------- */

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct refine *f = arg;
    const struct tkt_job *job = &f->running->job;

    if (tkt_store_refined(store, &f->in, err) < 0) {
        return -1;
    }
    return tkt_store_job_finish(store, job->id, f->running->owner, TKT_JOB_DONE, 0,
                                f->in.is_answer ? "" : f->ask.why, f->in.now_ms, err);
}

static void fill_in(struct refine *f)
{
    const struct tkt_llm_answer *a = &f->ask.answer;
    const struct tkt_conf_llm *conf = f->ask.conf;

    f->in = (struct tkt_store_refined_in){.ticket = f->running->job.ticket,
                                          .is_answer = f->ask.is_answer,
                                          .category = a->category,
                                          .urgency = a->urgency,
                                          .if_priority = f->desk_priority,
                                          .comment = "",
                                          .now_ms = tkt_clock_wall_ms()};
    const struct tkt_roster_group *group =
        tkt_assign_group_of(f->ask.set->roster, f->in.category);

    f->in.roster = f->ask.set->roster;
    f->in.group = group ? group->name : "";
    if (f->ask.is_answer && a->urgency > 0) {
        f->in.priority = tkt_llm_priority(&f->ask.set->conf->priority, a->urgency, 0);
    }
    if (f->ask.is_answer && *a->summary) {
        tkt_llm_note(conf, a, f->comment);
        f->in.comment = f->comment;
    }
    tkt_buf_init(&f->event, EVENT_MAX);
    (void)tkt_llm_ask_event(&f->ask, false, &f->event); /* too long: none */
    f->in.event_json = f->event.failed ? "{}" : tkt_buf_str(&f->event);
    tkt_buf_init(&f->kept, EVENT_MAX);
    if (f->ask.is_answer && !f->ask.is_cached && conf->cache_ms > 0 &&
        tkt_llm_write(conf, a, &f->kept) == 0) {
        f->keep = (struct tkt_store_answer){
            .data = f->kept.data, .keep_ms = conf->cache_ms, .keep_max = conf->cache_max};
        memcpy(f->keep.key, f->ask.key, sizeof(f->keep.key));
        f->in.answer = &f->keep;
    }
}

/* With an answer or without one: the lane goes on. */
static void conclude(struct refine *f)
{
    struct tkt_running *r = f->running;
    struct tkt_err err = TKT_ERR_INIT;

    fill_in(f);
    if (tkt_commit_call(r->d->commit, apply, f, true, &err) < 0) {
        release(f);
        tkt_running_finish(r, &err);
        return;
    }
    tkt_log(f->ask.is_answer ? TKT_LOG_INFO : TKT_LOG_NOTICE, r->job.ticket_id,
            f->ask.is_answer ? "llm.answered" : "llm.kept", "category",
            f->ask.is_answer ? f->ask.answer.category : NULL, "cached",
            f->ask.is_cached ? "yes" : "no", "tokens", TKT_NUM(f->ask.tokens), "ms",
            TKT_NUM(f->ask.took_ms), "why", f->ask.is_answer ? NULL : f->ask.why, NULL);
    release(f);
    tkt_running_recorded(r);
}

static void give_up(struct refine *f, const char *why)
{
    snprintf(f->ask.why, sizeof(f->ask.why), "%.190s", why);
    f->ask.is_answer = false;
    conclude(f);
}

/* Later, if there is time for that. */
static void try_again(struct refine *f)
{
    struct tkt_running *r = f->running;
    int64_t delay = TKT_MIN(AGAIN_MS << TKT_MIN(r->job.attempts - 1, 5), 60000);

    if (tkt_clock_wall_ms() + delay >= latest_ms(r)) {
        conclude(f);
        return;
    }
    char why[200];

    snprintf(why, sizeof(why), "%s", f->ask.why);
    release(f);
    tkt_running_retry(r, delay, why);
}

/* ---- asking ------------------------------------------------------------------------------ */

static void send_it(struct refine *f);

static void on_response(struct tkt_http_call *call, struct tkt_http_response *response)
{
    struct refine *f = tkt_http_arg(call);
    bool again = false;
    bool longer = false;

    f->call = NULL;
    tkt_llm_ask_judge(&f->ask, response, &again, &longer);
    if (longer) {
        send_it(f);
    } else if (again) {
        try_again(f);
    } else {
        conclude(f);
    }
}

static void send_it(struct refine *f)
{
    struct tkt_running *r = f->running;
    int64_t left = latest_ms(r) - tkt_clock_wall_ms();
    struct tkt_http_request q;
    struct tkt_llm_room room = {0};
    struct tkt_err err = TKT_ERR_INIT;

    if (left <= 0) {
        give_up(f, "no time was left");
        return;
    }
    if (!tkt_llm_ask_may(&f->ask)) {
        conclude(f);
        return;
    }
    if (tkt_llm_ask_fill(&f->ask, &room, &q, TKT_MIN(left, f->ask.conf->timeout_ms)) ==
        0) {
        q.done = on_response;
        q.arg = f;
        f->call = tkt_http_start(r->http, &q, &err);
    } else {
        tkt_err_set(&err, TKT_ERR_CONF, "url or key too long");
    }
    tkt_llm_room_release(&room);
    if (!f->call) {
        tkt_llm_ask_forget(&f->ask);
        give_up(f, err.text);
    }
}

/* ---- reading the mail: in a thread that may block ------------------------------------------ */

static int prepare(struct refine *f, struct tkt_tools *tools, struct tkt_err *err)
{
    struct tkt_running *r = f->running;
    struct tkt_reader *reader = tkt_tools_reader(tools, err);
    int64_t deadline = tkt_clock_mono_ms() + PARSE_MS;
    struct tkt_reader_ticket ticket;
    struct tkt_analysis analysis;

    if (!reader) {
        return -1;
    }
    int found = tkt_reader_by_row(reader, r->job.ticket, "", &ticket, err);
    if (found <= 0) {
        return found < 0 ? -1 : tkt_err_set(err, TKT_ERR_PERM, "its ticket is gone");
    }
    const struct tkt_conf_desk *desk = tkt_conf_desk(f->ask.set->conf, ticket.desk);

    f->desk_priority = desk ? (int)desk->priority : 0;
    if (tkt_mailread(r->d->pool, f->ask.set->conf, reader, r->job.message, deadline,
                     &analysis, err) < 0) {
        return -1;
    }
    int rc = tkt_llm_ask_prepare(&f->ask, r->d, tools, analysis.msg.subject,
                                 analysis.msg.reply_text, deadline, err);
    tkt_analysis_release(&analysis);
    return rc;
}

static void pool_run(struct tkt_running *r, struct tkt_tools *tools)
{
    struct refine *f = r->state;

    f->is_prepared = prepare(f, tools, &f->err) == 0;
}

static void pool_back(struct tkt_running *r)
{
    struct refine *f = r->state;

    if (f->is_prepared && f->ask.is_answer) {
        conclude(f);
    } else if (f->is_prepared) {
        send_it(f);
    } else {
        snprintf(f->ask.why, sizeof(f->ask.why), "%.190s", f->err.text);
        if (f->err.class == TKT_ERR_TEMP) {
            try_again(f);
        } else {
            conclude(f);
        }
    }
}

static void start(struct tkt_running *r)
{
    struct refine *f = calloc(1, sizeof(*f));

    if (!f) {
        tkt_running_give_back(r, AGAIN_MS, "no memory");
        return;
    }
    r->state = f;
    f->running = r;
    tkt_llm_ask_init(&f->ask, r->d);
    if (!*f->ask.conf->url || f->ask.conf->when == TKT_LLM_OFF) {
        give_up(f, "no language model is configured any more");
    } else if (tkt_clock_wall_ms() >= latest_ms(r)) {
        give_up(f, "no time was left");
    } else if (tkt_running_in_pool(r, pool_run, pool_back) < 0) {
        release(f);
        tkt_running_give_back(r, AGAIN_MS / 4, "no thread is free");
    }
}

static void stop(struct tkt_running *r)
{
    struct refine *f = r->state;

    if (f && f->call) {
        tkt_http_cancel(&f->call);
        tkt_llm_ask_forget(&f->ask);
        release(f);
        tkt_running_give_back(r, 0, "ticketd stopped");
    }
}

const struct tkt_job_kind tkt_refine_kind = {.kind = "refine",
                                             .group = "(llm)",
                                             .at_once_of = at_once,
                                             .latest_ms = latest_ms,
                                             .start = start,
                                             .stop = stop};
