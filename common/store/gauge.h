/* SPDX-License-Identifier: BSD-2-Clause
 * Numbers of the store as it is now, for who watches it.
 *
 * Errors: as the store's. Cost: a scan of the tickets' rows and of the jobs that are not
 * done; ask seldom.
 */
#ifndef TKT_STORE_GAUGE_H
#define TKT_STORE_GAUGE_H
#include "store/store.h"

struct tkt_store_gauges {
    void *arg;
    void (*tickets)(void *arg, const char *desk, const char *state, int64_t count);
    void (*jobs)(void *arg, const char *target, const char *state, int64_t count,
                 int64_t oldest_ms);
    void (*holds)(void *arg, int64_t open, int64_t oldest_ms); /* 0: there is none */
};

int tkt_reader_gauges(struct tkt_reader *r, const struct tkt_store_gauges *g,
                      struct tkt_err *err);

#endif
