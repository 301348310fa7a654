/* SPDX-License-Identifier: BSD-2-Clause
 * Which server the keys of an ITSM's section are of: written when one of them first came to
 * be used, so that a section which comes to mean another server does not use them there.
 * For use in a transaction of the writer, as all of store.h. Errors: as the store's.
 */
#ifndef TKT_STORE_ORIGIN_H
#define TKT_STORE_ORIGIN_H
#include "store/store.h"

#define TKT_STORE_ORIGIN_MAX 2047

/* Stays as it is where there is one. */
int tkt_store_origin_first(struct tkt_store *store, const char *itsm, const char *origin,
                           int64_t now_ms, struct tkt_err *err);
/* Whatever it was. */
int tkt_store_origin_set(struct tkt_store *store, const char *itsm, const char *origin,
                         int64_t now_ms, struct tkt_err *err);
/* 1, 0: none yet, -1. */
int tkt_reader_origin(struct tkt_reader *r, const char *itsm,
                      char out[TKT_STORE_ORIGIN_MAX + 1], struct tkt_err *err);

#endif
