/* SPDX-License-Identifier: BSD-2-Clause
 * The question to a language model while the SMTP client waits, where that is wanted; the
 * promise is that of ticketd/llm/refine.h.
 */
#ifndef TKT_TICKETD_REFINE_INLINE_H
#define TKT_TICKETD_REFINE_INLINE_H
#include "ticketd/intake/request.h"

/* Behind the analysis of a request; changes its decisions or nothing. May block for
 * llm.inline_deadline. */
void tkt_refine_inline(struct tkt_request *req, struct tkt_tools *tools);
/* For each desk: is the job to be made? False where inline has been answered already. */
bool tkt_refine_later(const struct tkt_request *req, size_t desk);

#endif
