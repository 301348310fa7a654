/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/jobs/backoff.h"

#include "base/util.h"

static int64_t delay_ms(int attempts, unsigned jitter)
{
    int64_t delay = TKT_BACKOFF_FIRST_MS;

    for (int i = 1; i < attempts && delay < TKT_BACKOFF_MAX_MS; i++) {
        delay *= 2;
    }
    delay = TKT_MIN(delay, TKT_BACKOFF_MAX_MS);
    return delay - delay / 4 * (int64_t)(jitter % 1024) / 1024;
}

struct tkt_verdict tkt_backoff_aged(const struct tkt_job *job, const struct tkt_err *err,
                                    unsigned jitter, int64_t now_ms, int64_t age_ms)
{
    struct tkt_verdict v = {.outcome = TKT_JOB_PARK};

    if (err->class == TKT_ERR_NONE) {
        v.outcome = TKT_JOB_DONE;
    } else if (err->class == TKT_ERR_TEMP && (now_ms - job->created_ms <= age_ms ||
                                              job->attempts < TKT_BACKOFF_TRIES_MIN)) {
        int64_t asked = (int64_t)err->retry_after_s * 1000;

        v.outcome = TKT_JOB_DEFER;
        v.run_after_ms = now_ms + TKT_MAX(asked, delay_ms(job->attempts, jitter));
    }
    return v;
}

struct tkt_verdict tkt_backoff(const struct tkt_job *job, const struct tkt_err *err,
                               unsigned jitter, int64_t now_ms)
{
    return tkt_backoff_aged(job, err, jitter, now_ms, TKT_BACKOFF_AGE_MS);
}
