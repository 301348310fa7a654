/* SPDX-License-Identifier: BSD-2-Clause
 * What happens by the clock: holds that confirm themselves, the missed folder, retention,
 * orphaned blobs, a parser that could not be started. One thread; every write goes
 * through the commit writer as background work.
 */
#ifndef TKT_TICKETD_SCHEDULE_H
#define TKT_TICKETD_SCHEDULE_H
#include "ticketd/core/daemon.h"

struct tkt_schedule;

struct tkt_schedule *tkt_schedule_start(struct tkt_daemon *d, struct tkt_err *err);
void tkt_schedule_stop(struct tkt_schedule **schedule);

#endif
