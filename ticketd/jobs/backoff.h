/* SPDX-License-Identifier: BSD-2-Clause
 * When a job that failed is tried again, and when it is parked for a person. Pure.
 */
#ifndef TKT_TICKETD_BACKOFF_H
#define TKT_TICKETD_BACKOFF_H
#include "base/err.h"
#include "store/store.h"

#define TKT_BACKOFF_FIRST_MS 2000
#define TKT_BACKOFF_MAX_MS (15 * 60 * 1000)
/* Whatever its age: one that waited long behind others, or that a person retries, does not
 * end by the first answer that is none. */
#define TKT_BACKOFF_TRIES_MIN 6
#define TKT_BACKOFF_AGE_MS (INT64_C(3) * 24 * 3600 * 1000)

struct tkt_verdict {
    enum tkt_job_outcome outcome;
    int64_t run_after_ms;
};

/* err of class NONE: done. TEMP: deferred, twice as long each time (jitter is 0..1023 and
 * takes off up to a quarter), not before err->retry_after_s, until the job is older than
 * age_ms (TKT_BACKOFF_AGE_MS) and was tried TKT_BACKOFF_TRIES_MIN times. Others: parked. */
struct tkt_verdict tkt_backoff_aged(const struct tkt_job *job, const struct tkt_err *err,
                                    unsigned jitter, int64_t now_ms, int64_t age_ms);
struct tkt_verdict tkt_backoff(const struct tkt_job *job, const struct tkt_err *err,
                               unsigned jitter, int64_t now_ms);

#endif
