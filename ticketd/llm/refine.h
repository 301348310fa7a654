/* SPDX-License-Identifier: BSD-2-Clause
 * Asking a language model about a ticket: the job "refine" (and inline where that is
 * wanted: ticketd/intake/refine_inline.h).
 *
 * Promise: only redacted words leave this host; a refusal, nonsense, an unknown label, a
 * service that is down or slow, or a spent budget leave the decision as it was; the create
 * that waits in the lane waits for llm.wait at most, the SMTP client (llm.inline) for
 * llm.inline_deadline at most. What came of it is an event: llm.answered, llm.kept.
 * Threads: the refiner is shared by all (it has a lock); the job runs in dispatch's.
 */
#ifndef TKT_TICKETD_REFINE_H
#define TKT_TICKETD_REFINE_H
#include "ticketd/core/daemon.h"
#include "ticketd/jobs/running.h"

struct tkt_refiner;

struct tkt_refiner *tkt_refiner_new(void);
void tkt_refiner_free(struct tkt_refiner **refiner);

extern const struct tkt_job_kind tkt_refine_kind;

#endif
