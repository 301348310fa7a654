/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/pace.h"

#include "base/util.h"

#define HOUR_MS INT64_C(3600000)

/* ---- bucket ------------------------------------------------------------------------------ */

void tkt_bucket_set(struct tkt_bucket *b, int64_t per_hour, int64_t burst)
{
    b->per_hour = per_hour;
    b->burst = TKT_MAX(burst, INT64_C(1));
    if (b->in_use) {
        b->milli = TKT_MIN(b->milli, b->burst * 1000);
    }
}

static void refill(struct tkt_bucket *b, int64_t now_ms)
{
    if (!b->in_use) {
        b->in_use = true;
        b->milli = b->burst * 1000;
        b->at_ms = now_ms;
        return;
    }
    int64_t passed = TKT_MIN(TKT_MAX(INT64_C(0), now_ms - b->at_ms), HOUR_MS);
    /* per_hour tokens in 3,600,000 ms: a thousandth takes 3600 / per_hour ms */
    int64_t more = passed * b->per_hour / 3600;

    if (b->milli + more >= b->burst * 1000) {
        b->milli = b->burst * 1000;
        b->at_ms = now_ms;
    } else if (more > 0) {
        b->milli += more;
        /* what did not make a whole thousandth is not lost */
        b->at_ms = passed == HOUR_MS ? now_ms : b->at_ms + more * 3600 / b->per_hour;
    } else if (now_ms < b->at_ms) {
        b->at_ms = now_ms;
    }
}

int64_t tkt_bucket_take(struct tkt_bucket *b, int64_t n, int64_t now_ms)
{
    if (b->per_hour <= 0) {
        return 0;
    }
    n = TKT_MIN(n, b->burst); /* more than a burst would wait for ever */
    refill(b, now_ms);
    if (b->milli >= n * 1000) {
        b->milli -= n * 1000;
        return 0;
    }
    int64_t missing = n * 1000 - b->milli;

    return TKT_MAX(INT64_C(1), (missing * 3600 + b->per_hour - 1) / b->per_hour);
}

void tkt_bucket_charge(struct tkt_bucket *b, int64_t n, int64_t now_ms)
{
    if (b->per_hour > 0) {
        refill(b, now_ms);
        b->milli = TKT_MAX(b->milli - n * 1000, -b->burst * 1000);
        b->milli = TKT_MIN(b->milli, b->burst * 1000);
    }
}

/* ---- breaker ------------------------------------------------------------------------------- */

int64_t tkt_breaker_ask(struct tkt_breaker *b, int64_t now_ms)
{
    if (b->state == TKT_BREAKER_CLOSED) {
        return 0;
    }
    if (b->state == TKT_BREAKER_OPEN && now_ms < b->until_ms) {
        return b->until_ms - now_ms;
    }
    if (b->state == TKT_BREAKER_HALF_OPEN && now_ms < b->probe_until_ms) {
        return TKT_MIN(b->probe_until_ms - now_ms, INT64_C(1000));
    }
    b->state = TKT_BREAKER_HALF_OPEN;
    b->probe_until_ms = now_ms + TKT_BREAKER_PROBE_MS;
    return 0;
}

void tkt_breaker_success(struct tkt_breaker *b)
{
    b->state = TKT_BREAKER_CLOSED;
    b->failures = 0;
    b->openings = 0;
}

void tkt_breaker_forget(struct tkt_breaker *b)
{
    if (b->state == TKT_BREAKER_HALF_OPEN) {
        b->state = TKT_BREAKER_OPEN; /* the next one is the probe */
    }
}

void tkt_breaker_failure(struct tkt_breaker *b, int64_t asked_ms, int64_t now_ms)
{
    int64_t pause = b->pause_ms > 0 ? b->pause_ms : TKT_BREAKER_PAUSE_MS;

    b->failures++;
    if (b->state == TKT_BREAKER_OPEN) { /* of one that was under way when it opened */
        b->until_ms = TKT_MAX(b->until_ms, now_ms + asked_ms);
        return;
    }
    if (b->state == TKT_BREAKER_CLOSED && asked_ms == 0 &&
        b->failures < (b->threshold > 0 ? b->threshold : TKT_BREAKER_THRESHOLD)) {
        return;
    }
    for (int i = 0; i < b->openings && pause < TKT_BREAKER_PAUSE_MAX_MS; i++) {
        pause = TKT_MIN(pause * 2, (int64_t)TKT_BREAKER_PAUSE_MAX_MS);
    }
    b->openings++;
    b->state = TKT_BREAKER_OPEN;
    b->until_ms = now_ms + TKT_MAX(pause, asked_ms);
}
