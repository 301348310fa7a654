/* SPDX-License-Identifier: BSD-2-Clause
 * An agent's answer by mail, as it goes out to the requester: his words alone, without what
 * he quoted and without his signature.
 *
 * Threads: those that may block. Errors: TEMP when the mail cannot be read now.
 */
#ifndef TKT_TICKETD_NOTICEREPLY_H
#define TKT_TICKETD_NOTICEREPLY_H
#include "ticketd/running.h"
#include "ticketd/tools.h"

/* Is it the payload of an answer? */
bool tkt_noticereply_is(const char *payload);
/* 1: *payload is that of the job with the answer's words in it; 0: it is not to be sent,
 * *why says why (a constant); -1. */
int tkt_noticereply_load(struct tkt_running *r, const struct tkt_settings *set,
                         struct tkt_reader *reader, struct tkt_buf *payload,
                         const char **why, struct tkt_err *err);

#endif
