/* SPDX-License-Identifier: BSD-2-Clause
 * A person's hand in a job: what is to become of it, other words for it, another ITSM.
 */
#ifndef TKT_TICKETD_CONTROL_QUEUE_H
#define TKT_TICKETD_CONTROL_QUEUE_H
#include "ticketd/control/control.h"

#define TKT_CONTROL_PAYLOAD_MAX (64 * 1024)

/* Of the request: job; the verb says what is to become of it. Its target is left alone no
 * longer when it is to be retried. */
int tkt_control_queue_order(struct tkt_control_request *req, struct tkt_err *err);
/* Of the request: job, payload (a JSON object) or target (a section itsm), force (0|1). */
int tkt_control_queue_edit(struct tkt_control_request *req, struct tkt_err *err);

#endif
