/* SPDX-License-Identifier: BSD-2-Clause
 * How fast, and whether at all, a service is asked: a token bucket and a circuit breaker.
 * Pure; now_ms comes from the caller. One thread at a time.
 */
#ifndef TKT_NET_PACE_H
#define TKT_NET_PACE_H
#include <stdbool.h>
#include <stdint.h>

/* per_hour tokens an hour, at most burst at once. per_hour 0: no limit. A zeroed bucket is
 * full at its first use. */
struct tkt_bucket {
    int64_t per_hour;
    int64_t burst;
    int64_t milli; /* tokens * 1000 */
    int64_t at_ms;
    bool in_use;
};

void tkt_bucket_set(struct tkt_bucket *b, int64_t per_hour, int64_t burst);
/* 0 when n were taken, else the ms to wait until they may be there; none was taken. */
int64_t tkt_bucket_take(struct tkt_bucket *b, int64_t n, int64_t now_ms);
/* What really was used beyond what was taken; may leave a debt of at most a burst. */
void tkt_bucket_charge(struct tkt_bucket *b, int64_t n, int64_t now_ms);

/* Closed: everybody may. Open: nobody, until the pause ends. Then one probe may (half
 * open): its success closes the circuit, its failure opens it for twice as long. */
enum tkt_breaker_state {
    TKT_BREAKER_CLOSED,
    TKT_BREAKER_OPEN,
    TKT_BREAKER_HALF_OPEN
};
struct tkt_breaker {
    int threshold;    /* failures in a row that open it; 0: TKT_BREAKER_THRESHOLD */
    int64_t pause_ms; /* of the first opening; 0: TKT_BREAKER_PAUSE_MS */
    enum tkt_breaker_state state;
    int failures;
    int openings; /* in a row */
    int64_t until_ms;
    int64_t probe_until_ms; /* a probe that never ended does not close it for ever */
};
#define TKT_BREAKER_THRESHOLD 5
#define TKT_BREAKER_PAUSE_MS 5000
#define TKT_BREAKER_PAUSE_MAX_MS 300000
#define TKT_BREAKER_PROBE_MS 300000

/* 0: go on (and tell how it ended); else the ms to wait. */
int64_t tkt_breaker_ask(struct tkt_breaker *b, int64_t now_ms);
void tkt_breaker_success(struct tkt_breaker *b);
/* asked_ms: how long the service itself asked to be left alone (Retry-After); 0 = not. */
void tkt_breaker_failure(struct tkt_breaker *b, int64_t asked_ms, int64_t now_ms);
/* The one that was let through was never sent. */
void tkt_breaker_forget(struct tkt_breaker *b);

#endif
