/* SPDX-License-Identifier: BSD-2-Clause
 * A thread that does something from time to time until it is told to stop.
 *
 * Owner: the struct is a member of its user's. Threads: start and stop belong to one
 * caller, wait to the thread itself. Times: monotonic.
 */
#ifndef TKT_TICKETD_TICKER_H
#define TKT_TICKETD_TICKER_H
#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct tkt_ticker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
};

/* what: for the error. -1 TEMP: there is no thread, and nothing to stop. */
int tkt_ticker_start(struct tkt_ticker *t, void *(*run)(void *arg), void *arg,
                     const char *what, struct tkt_err *err);
/* false: it is time to stop. */
bool tkt_ticker_wait(struct tkt_ticker *t, int64_t ms);
bool tkt_ticker_goes_on(struct tkt_ticker *t);
/* Waits for the thread's end. */
void tkt_ticker_stop(struct tkt_ticker *t);

#endif
