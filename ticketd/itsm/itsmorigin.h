/* SPDX-License-Identifier: BSD-2-Clause
 * A section that means another server than the one whose keys it keeps: nothing is sent
 * there until a person says that it is the same desk at a new address.
 */
#ifndef TKT_TICKETD_ITSMORIGIN_H
#define TKT_TICKETD_ITSMORIGIN_H
#include "ticketd/itsm/itsmjob.h"

struct tkt_itsmjob;

/* 0: it may be asked; -1: TEMP with what a person has to do. */
int tkt_itsmorigin_check(const struct tkt_conf_itsm *conf, struct tkt_reader *reader,
                         struct tkt_err *err);
/* In the transaction of a job that used or made a key. */
int tkt_itsmorigin_used(struct tkt_store *store, const struct tkt_conf_itsm *conf,
                        int64_t now_ms, struct tkt_err *err);

#endif
