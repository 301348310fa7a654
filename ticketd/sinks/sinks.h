/* SPDX-License-Identifier: BSD-2-Clause
 * Carries the event log to the sinks of the settings (sink/sink.h).
 *
 * Promise: each sink gets every event behind its place, in order, at least once, whatever
 * is killed when: its place in the store moves when it has all of a batch. A sink that is
 * away catches up later; none holds up mail or another sink. A new one begins at the newest
 * event, or with all there are (history). One that the settings name no more keeps its
 * place: named again it gets what it missed.
 * Threads: one for all, with one HTTP loop; it blocks for the store, and for a moment where
 * a secret is read from another service.
 * Limits: each sink has one batch of batch_bytes in memory (and that once
 * more while it is sent).
 * Errors: TEMP is tried again later and later (at most TKT_SINK_LATER_MAX_MS); what a person
 * must set right each TKT_SINK_STOPPED_MS and at a reload, with a line in the log and an
 * alarm counter each time; an event that is refused for itself is left out with a line in
 * the log.
 */
#ifndef TKT_TICKETD_SINKS_H
#define TKT_TICKETD_SINKS_H
#include "ticketd/core/daemon.h"

#define TKT_SINK_LATER_MAX_MS (2 * 60 * 1000)
#define TKT_SINK_STOPPED_MS (5 * 60 * 1000)
#define TKT_SINK_ACK_MS 1000                /* between questions */
#define TKT_SINK_ACK_MAX_MS (5 * 60 * 1000) /* then it is sent again */

struct tkt_sinks;

struct tkt_sinks *tkt_sinks_start(struct tkt_daemon *d, struct tkt_err *err);
/* Ends at once: what is under way is sent again at the next start. */
void tkt_sinks_stop(struct tkt_sinks **sinks);

#endif
