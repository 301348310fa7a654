/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/rate.h"

#include "base/hash.h"
#include "base/util.h"

#include <ctype.h>
#include <string.h>

#define HOUR_MS 3600000.0F
#define NAME_MAX_LEN 512

void tkt_rate_init(struct tkt_rate *rate)
{
    memset(rate, 0, sizeof(*rate));
    tkt_random(rate->key, sizeof(rate->key));
    (void)pthread_mutex_init(&rate->lock, NULL); /* cannot fail with default attributes */
}

void tkt_rate_destroy(struct tkt_rate *rate)
{
    (void)pthread_mutex_destroy(&rate->lock); /* as above */
}

/* By a key of this process: nobody can know whose bucket he shares. The case of the name
 * does not count, and beyond NAME_MAX_LEN neither does its end. */
static size_t bucket_of(const struct tkt_rate *rate, const char *name)
{
    unsigned char digest[TKT_SHA256_LEN];
    char lower[NAME_MAX_LEN];
    size_t n = 0;

    for (; name[n] && n < sizeof(lower); n++) {
        lower[n] = (char)tolower((unsigned char)name[n]);
    }
    tkt_hmac_sha256(rate->key, sizeof(rate->key), lower, n, digest);
    return (digest[0] | (size_t)digest[1] << 8) % TKT_RATE_BUCKETS;
}

static bool ask(struct tkt_rate *rate, const char *name, unsigned per_hour,
                int64_t now_ms, float cost)
{
    size_t i = bucket_of(rate, name);
    bool has = false;

    pthread_mutex_lock(&rate->lock);
    if (rate->buckets[i].at_ms == 0) {
        rate->buckets[i].left = (float)per_hour;
    } else if (now_ms > rate->buckets[i].at_ms) {
        float more = (float)(now_ms - rate->buckets[i].at_ms) * (float)per_hour / HOUR_MS;

        rate->buckets[i].left = TKT_MIN(rate->buckets[i].left + more, (float)per_hour);
    }
    rate->buckets[i].at_ms = now_ms;
    if (rate->buckets[i].left >= 1.0F) {
        rate->buckets[i].left -= cost;
        has = true;
    }
    pthread_mutex_unlock(&rate->lock);
    return has;
}

bool tkt_rate_take(struct tkt_rate *rate, const char *name, unsigned per_hour,
                   int64_t now_ms)
{
    return ask(rate, name, per_hour, now_ms, 1.0F);
}

bool tkt_rate_has(struct tkt_rate *rate, const char *name, unsigned per_hour,
                  int64_t now_ms)
{
    return ask(rate, name, per_hour, now_ms, 0.0F);
}

void tkt_rate_drain(struct tkt_rate *rate, const char *name, int64_t now_ms)
{
    size_t i = bucket_of(rate, name);

    pthread_mutex_lock(&rate->lock);
    rate->buckets[i].left = 0;
    rate->buckets[i].at_ms = now_ms;
    pthread_mutex_unlock(&rate->lock);
}
