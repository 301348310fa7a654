/* SPDX-License-Identifier: BSD-2-Clause
 * What a look at an ITSM saw, on its way into the store.
 */
#include "ticketd/itsm/itsmback.h"

#include "base/log.h"
#include "base/util.h"
#include "itsm/back.h"
#include "ticketd/itsm/itsmjob_private.h"

#include <string.h>

/* By hints alone where its lists say what changed. */
static int64_t poll_of(const struct tkt_itsmjob *job)
{
    return job->ops->steps[TKT_ITSM_LIST] != NULL ? 0 : job->conf->poll_ms;
}

static size_t take_notes(struct tkt_itsmjob *job, struct tkt_store_back_note *notes)
{
    const struct tkt_itsm_seen *seen = &job->call.seen;
    size_t count = TKT_MIN(seen->note_count, (size_t)TKT_STORE_BACK_NOTES_MAX);

    for (size_t i = 0; i < count; i++) {
        const struct tkt_itsm_note *n = &seen->notes[i];

        notes[i] =
            (struct tkt_store_back_note){.id = n->id,
                                         .author = n->author,
                                         .text = n->text,
                                         .is_public = n->is_public,
                                         .is_ours = tkt_itsm_note_is_ours(&job->call, n)};
    }
    return count;
}

int tkt_itsmback_seen(struct tkt_store *store, struct tkt_itsmjob *job, int64_t now_ms,
                      struct tkt_err *err)
{
    const struct tkt_itsm_seen *seen = &job->call.seen;
    struct tkt_store_back_note notes[TKT_STORE_BACK_NOTES_MAX];
    struct tkt_itsm_meaning m;

    tkt_itsm_meaning(job->ops, &job->call, &m);
    const struct tkt_store_back in = {.ticket = job->r->job.ticket,
                                      .itsm = job->r->job.target,
                                      .number = seen->number,
                                      .url = seen->url,
                                      .state = seen->state,
                                      .group = seen->group,
                                      .assignee = seen->assignee,
                                      .priority = seen->priority,
                                      .states = m.states,
                                      .state_to = m.state_to,
                                      .priorities = m.priorities,
                                      .priority_to = m.priority_to,
                                      .priority_told = m.priority_told,
                                      .group_to = m.group_to,
                                      .group_same = m.group_same,
                                      .assignee_to = m.assignee_to,
                                      .notes = notes,
                                      .note_count = take_notes(job, notes),
                                      .with_internal = job->conf->internal_comments,
                                      .asked_ms = job->asked_ms,
                                      .poll_ms = poll_of(job)};
    return tkt_store_back(store, &in, now_ms, &job->back, err);
}

int tkt_itsmback_failed(struct tkt_store *store, struct tkt_itsmjob *job, bool gone,
                        int64_t now_ms, struct tkt_err *err)
{
    return tkt_store_back_failed(store, job->r->job.ticket, job->r->job.target, gone,
                                 now_ms, err);
}

void tkt_itsmback_told(const struct tkt_itsmjob *job)
{
    const struct tkt_store_back_out *b = &job->back;

    if (b->changes > 0 || b->comments > 0 || b->unknown > 0) {
        tkt_log(TKT_LOG_INFO, job->r->job.ticket_id, "itsm.changed", "itsm",
                job->r->job.target, "changes", TKT_NUM(b->changes), "comments",
                TKT_NUM(b->comments), "unknown", TKT_NUM(b->unknown), NULL);
    }
}
