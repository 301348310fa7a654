/* SPDX-License-Identifier: BSD-2-Clause
 * Control verbs of `ticketctl notify`. Run like the others of ticketd/control/control.h, after their
 * arguments were checked.
 */
#ifndef TKT_TICKETD_CONTROL_NOTIFY_H
#define TKT_TICKETD_CONTROL_NOTIFY_H
#include "ticketd/control/control.h"

/* [{address, mark, reason, at}]: who cannot or will not be told. */
int tkt_control_contacts(struct tkt_control_request *req, struct tkt_err *err);
/* address, back (0 or 1), mark (opted-out or undeliverable). */
int tkt_control_optout(struct tkt_control_request *req, struct tkt_err *err);
/* {subject, text, html, language} of id ("" = a made-up ticket), on, to (a role), language. */
int tkt_control_preview(struct tkt_control_request *req, struct tkt_err *err);

#endif
