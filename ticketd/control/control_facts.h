/* SPDX-License-Identifier: BSD-2-Clause
 * What the history knows of a mail, as JSON for `ticketctl explain`: the same facts that
 * intake would gather, by the same code, from what the mail names.
 *
 * {"candidates":[{"ticket":7,"id":"IT-12","desk":"it","state":"open","subject":"...",
 *   "evidence":"reference","is_participant":true,"is_bound":false}],
 *  "is_own":false,"tail_lines":3,"logos":["SHA-256 in hex"]}
 */
#ifndef TKT_TICKETD_CONTROL_FACTS_H
#define TKT_TICKETD_CONTROL_FACTS_H
#include "ticketd/control/control.h"

/* Of the request: address (From), message-id* (In-Reply-To and References), id* (ticket IDs
 * of the Subject), rcpt*, self (its own Message-ID), bounced (the Message-ID that came back),
 * foreign*, tail* (hashes of its last lines), image* (SHA-256 of inline pictures), print,
 * class, desk*. Each may be missing. Appends to req->data. */
int tkt_control_facts(struct tkt_control_request *req, struct tkt_err *err);

#endif
