/* SPDX-License-Identifier: BSD-2-Clause
 * Which message keys were committed lately: a hint, kept in memory.
 *
 * Asking the store whether a message is known costs a read transaction, and nearly every
 * message is new. Only if its key may be here is it worth asking; a duplicate that is not
 * (an old one, or after a restart) is analysed for nothing and then found by the writer,
 * whose word alone counts. One slot a key, the newer one stays. Lock-free.
 */
#ifndef TKT_TICKETD_RECENT_H
#define TKT_TICKETD_RECENT_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TKT_RECENT_SLOTS 32768 /* 256 KiB */

struct tkt_recent {
    _Atomic uint64_t slots[TKT_RECENT_SLOTS];
};

static inline void tkt_recent_add(struct tkt_recent *r, const unsigned char *key)
{
    uint64_t k;

    memcpy(&k, key, sizeof(k)); /* a SHA-256: any eight bytes will do */
    atomic_store_explicit(&r->slots[k % TKT_RECENT_SLOTS], k, memory_order_relaxed);
}

static inline bool tkt_recent_may_have(struct tkt_recent *r, const unsigned char *key)
{
    uint64_t k;

    memcpy(&k, key, sizeof(k));
    return atomic_load_explicit(&r->slots[k % TKT_RECENT_SLOTS], memory_order_relaxed) ==
           k;
}

#endif
