/* SPDX-License-Identifier: BSD-2-Clause
 * The kinds of jobs: one row each. */
#include "base/util.h"
#include "ticketd/control/control_agents.h"
#include "ticketd/itsm/itsmjob.h"
#include "ticketd/jobs/dispatch.h"
#include "ticketd/jobs/running.h"
#include "ticketd/later/enrich.h"
#include "ticketd/later/reanalyse.h"
#include "ticketd/llm/refine.h"
#include "ticketd/notice/agentreply.h"
#include "ticketd/notice/follow_notify.h"
#include "ticketd/notice/notifyjob.h"

#include <stdlib.h>
#include <string.h>

#define BUSY_DELAY_MS 2000

struct outcome {
    bool is_recorded;
    int64_t again_ms; /* not yet: look again after that; 0 = no */
    struct tkt_err err;
};

static void reanalyse_run(struct tkt_running *r, struct tkt_tools *tools)
{
    struct outcome *o = r->state;

    o->is_recorded = tkt_reanalyse(r->d, tools, &r->job, r->owner, false, &o->err) == 0;
}

static void enrich_run(struct tkt_running *r, struct tkt_tools *tools)
{
    struct outcome *o = r->state;

    o->is_recorded =
        tkt_enrich(r->d, tools, &r->job, r->owner, &o->again_ms, &o->err) == 0;
}

static void read_back(struct tkt_running *r)
{
    struct outcome o = *(struct outcome *)r->state;

    free(r->state);
    r->state = NULL;
    if (o.is_recorded) {
        tkt_running_recorded(r);
    } else if (o.again_ms > 0) {
        tkt_running_give_back(r, o.again_ms, "a directory is being asked");
    } else {
        tkt_running_finish(r, &o.err);
    }
}

static void read_start(struct tkt_running *r,
                       void (*run)(struct tkt_running *r, struct tkt_tools *tools))
{
    r->state = calloc(1, sizeof(struct outcome));
    if (!r->state || tkt_running_in_pool(r, run, read_back) < 0) {
        free(r->state);
        r->state = NULL;
        tkt_running_give_back(r, BUSY_DELAY_MS, "no thread is free");
    }
}

static void reanalyse_start(struct tkt_running *r)
{
    read_start(r, reanalyse_run);
}

static void enrich_start(struct tkt_running *r)
{
    read_start(r, enrich_run);
}

/* One at a time: mail that somebody waits for goes first. */
static const struct tkt_job_kind reanalyse_kind = {
    .kind = "reanalyse", .group = "(reading)", .at_once = 1, .start = reanalyse_start};

static const struct tkt_job_kind enrich_kind = {
    .kind = "enrich", .group = "(reading)", .at_once = 1, .start = enrich_start};

static const struct tkt_job_kind channel_kind = {.kind = "",
                                                 .group = "(channel)",
                                                 .at_once = TKT_DISPATCH_HELD_MAX,
                                                 .start = tkt_question_start};

const struct tkt_job_kind *const tkt_job_kinds[] = {&reanalyse_kind,
                                                    &enrich_kind,
                                                    &tkt_assign_job_kind,
                                                    &tkt_refine_kind,
                                                    &tkt_notifyjob_kind,
                                                    &tkt_agentmail_kind,
                                                    NULL};

const struct tkt_job_kind *tkt_job_kind_of(const char *kind, const char *target)
{
    if (strcmp(target, TKT_STORE_CHANNEL) == 0) {
        return &channel_kind;
    }
    for (size_t i = 0; tkt_job_kinds[i]; i++) {
        if (strcmp(tkt_job_kinds[i]->kind, kind) == 0) {
            return tkt_job_kinds[i];
        }
    }
    return &tkt_itsmjob_kind;
}
