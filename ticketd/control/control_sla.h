/* SPDX-License-Identifier: BSD-2-Clause
 * Control verbs about how long tickets may take (JSON as in store/sla.h). Run like the
 * others of ticketd/control/control.h, after their arguments were checked.
 */
#ifndef TKT_TICKETD_CONTROL_SLA_H
#define TKT_TICKETD_CONTROL_SLA_H
#include "ticketd/control/control.h"

/* Of one ticket: id. */
int tkt_control_sla(struct tkt_control_request *req, struct tkt_err *err);
/* What is due next: until_ms, limit. */
int tkt_control_slas(struct tkt_control_request *req, struct tkt_err *err);

#endif
