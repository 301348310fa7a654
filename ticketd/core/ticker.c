/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/ticker.h"

#include <string.h>
#include <time.h>

int tkt_ticker_start(struct tkt_ticker *t, void *(*run)(void *arg), void *arg,
                     const char *what, struct tkt_err *err)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->wake, &attr);
    pthread_condattr_destroy(&attr);
    t->stopping = false;
    int rc = pthread_create(&t->thread, NULL, run, arg);
    if (rc != 0) {
        pthread_cond_destroy(&t->wake);
        pthread_mutex_destroy(&t->lock);
        return tkt_err_set(err, TKT_ERR_TEMP, "%s: thread: %s", what, strerror(rc));
    }
    return 0;
}

bool tkt_ticker_wait(struct tkt_ticker *t, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&t->lock);
    while (!t->stopping && pthread_cond_timedwait(&t->wake, &t->lock, &until) == 0) {
    }
    bool go_on = !t->stopping;
    pthread_mutex_unlock(&t->lock);
    return go_on;
}

bool tkt_ticker_goes_on(struct tkt_ticker *t)
{
    pthread_mutex_lock(&t->lock);
    bool go_on = !t->stopping;
    pthread_mutex_unlock(&t->lock);
    return go_on;
}

void tkt_ticker_stop(struct tkt_ticker *t)
{
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
}
