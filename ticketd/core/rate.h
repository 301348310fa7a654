/* SPDX-License-Identifier: BSD-2-Clause
 * How often somebody may do something in an hour: token buckets in a table of fixed size.
 *
 * Two names may share a bucket (the table does not grow with what comes from outside), and
 * which do is a secret of the process;
 * a bucket that nobody used for an hour is full again. Nothing is kept over a restart.
 * Thread-safe.
 */
#ifndef TKT_TICKETD_RATE_H
#define TKT_TICKETD_RATE_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define TKT_RATE_BUCKETS 4096

struct tkt_rate {
    pthread_mutex_t lock;
    unsigned char key[16];
    struct {
        float left;
        int64_t at_ms; /* 0: never used */
    } buckets[TKT_RATE_BUCKETS];
};

void tkt_rate_init(struct tkt_rate *rate);
void tkt_rate_destroy(struct tkt_rate *rate);
/* False when name had its per_hour already; 0 means nothing is allowed. */
bool tkt_rate_take(struct tkt_rate *rate, const char *name, unsigned per_hour,
                   int64_t now_ms);
/* Whether take would be true; nothing is taken. */
bool tkt_rate_has(struct tkt_rate *rate, const char *name, unsigned per_hour,
                  int64_t now_ms);
/* Nothing is left. */
void tkt_rate_drain(struct tkt_rate *rate, const char *name, int64_t now_ms);

#endif
