/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/later/enrich.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "store/people.h"
#include "ticketd/later/reanalyse.h"
#include "ticketd/people/people.h"

#include <string.h>

#define AUTHOR_MAX 1024
#define LOOK_MAX_MS 2000

struct finish {
    const struct tkt_job *job;
    const char *owner;
    const char *reason;
};

static int apply_finish(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct finish *f = arg;

    return tkt_store_job_finish(store, f->job->id, f->owner, TKT_JOB_DONE, 0, f->reason,
                                tkt_clock_wall_ms(), err);
}

static int end(struct tkt_daemon *d, const struct tkt_job *job, const char *owner,
               const char *reason, struct tkt_err *err)
{
    struct finish f = {job, owner, reason};

    tkt_log(TKT_LOG_INFO, job->ticket_id, "ticket.enrich", "status", "unchanged", "why",
            reason, NULL);
    return tkt_commit_call(d->commit, apply_finish, &f, true, err);
}

/* Often at first: most directories answer at once. */
static int64_t next_look(int64_t waited_ms)
{
    return TKT_MIN(TKT_MAX(waited_ms / 2, (int64_t)TKT_ENRICH_LOOK_MS),
                   (int64_t)LOOK_MAX_MS);
}

int tkt_enrich(struct tkt_daemon *d, struct tkt_tools *tools, const struct tkt_job *job,
               const char *owner, int64_t *again_ms, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf author = TKT_BUF_INIT(AUTHOR_MAX);
    struct tkt_reader *reader = tkt_tools_reader(tools, err);
    struct tkt_wire_arena arena = {0};
    struct tkt_person person;

    if (!reader || tkt_reader_author(reader, job->message, &author, err) < 0) {
        return -1;
    }
    struct tkt_settings *set = tkt_settings_get(d);
    int64_t waited = tkt_clock_wall_ms() - job->created_ms;
    bool over = waited < 0 || waited >= set->conf->people.enrich_wait_ms;
    int known = tkt_people_fill(d->people, set->conf, reader, tkt_buf_str(&author),
                                tkt_clock_wall_ms(), &arena, &person, err);
    tkt_wire_arena_release(&arena);
    tkt_settings_put(&set);
    switch (known) {
    case TKT_PEOPLE_KNOWN:
        return tkt_reanalyse(d, tools, job, owner, true, err);
    case TKT_PEOPLE_MISSING:
        if (over) {
            return end(d, job, owner, "no directory answered in time", err);
        }
        *again_ms = next_look(waited);
        return 1;
    case TKT_PEOPLE_UNKNOWN:
    case TKT_PEOPLE_NOT_ASKED:
        return end(d, job, owner, "no directory knows the sender", err);
    default:
        return -1;
    }
}
