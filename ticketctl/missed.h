/* SPDX-License-Identifier: BSD-2-Clause
 * `submit --missed DIR`: hands in what a milter spooled (wire/missed.h) while ticketd was
 * down. What was taken is removed; what was not stays, and the exit code says so.
 */
#ifndef TKT_TICKETCTL_MISSED_H
#define TKT_TICKETCTL_MISSED_H
#include "ticketctl/ctl.h"

int tkt_ctl_submit_missed(struct tkt_ctl *ctl, const char *dir);

#endif
