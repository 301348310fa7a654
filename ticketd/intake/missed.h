/* SPDX-License-Identifier: BSD-2-Clause
 * Takes in what hooks accepted while ticketd was down (wire/missed.h), oldest first, as
 * if they had reserved now: the message key makes a second copy the same ticket. An entry
 * goes only after its commit; one that is refused for good is set aside and told.
 */
#ifndef TKT_TICKETD_MISSED_H
#define TKT_TICKETD_MISSED_H
#include "ticketd/core/daemon.h"
#include "ticketd/core/tools.h"

#define TKT_MISSED_AT_ONCE 64

/* How many entries were taken in; stops at the first that must wait (TEMP). */
size_t tkt_missed_take(struct tkt_daemon *d, struct tkt_tools *tools);

#endif
