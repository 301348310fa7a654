/* SPDX-License-Identifier: BSD-2-Clause
 * Control verbs of `ticketctl itsm`. Run like the others of ticketd/control/control.h, after their
 * arguments were checked.
 */
#ifndef TKT_TICKETD_CONTROL_ITSM_H
#define TKT_TICKETD_CONTROL_ITSM_H
#include "ticketd/control/control.h"

/* A person's word that a section's desk has a new address. Of the request: itsm, a section. */
int tkt_control_itsm_moved(struct tkt_control_request *req, struct tkt_err *err);

#endif
