/* SPDX-License-Identifier: BSD-2-Clause
 * Where tickets end up: backends behind one ops table.
 *
 * A call is started and ends by its `finish`, at once (local) or later, from the loop of
 * the thread that started it (a backend that waits for a network). Until then the backend
 * borrows the job. The error class decides what becomes of the job: NONE done, TEMP
 * deferred (retry_after_s is obeyed), PERM and CONF parked, BUG parked and told.
 * One more backend is one file, one row in itsm.c, one man-page section.
 *
 * A create carries job->corr as its correlation key; after a lost answer a backend looks
 * it up before it sends anything again.
 */
#ifndef TKT_ITSM_ITSM_H
#define TKT_ITSM_ITSM_H
#include "base/err.h"
#include "store/store.h"

struct tkt_itsm_call {
    const struct tkt_job *job;
    void (*finish)(struct tkt_itsm_call *call, const struct tkt_err *err);
    void *owner; /* of whoever started it */
    void *state; /* the backend's, freed by it before finish */
};

struct tkt_itsm_ops {
    const char *type; /* as in itsm { type = } */
    /* Every slot is required; each ends in exactly one finish. */
    void (*create)(struct tkt_itsm_call *call);
    void (*comment)(struct tkt_itsm_call *call);
};

/* All backends, NULL-terminated: contract tests walk it. */
extern const struct tkt_itsm_ops *const tkt_itsm_table[];

/* NULL when there is none of that type. */
const struct tkt_itsm_ops *tkt_itsm_find(const char *type);
/* Starts the operation that the job's kind names ("create", "comment"). A kind that no
 * slot serves ends with PERM. */
void tkt_itsm_start(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call);

#endif
