/* SPDX-License-Identifier: BSD-2-Clause
 * Lists of what changed at one ITSM, asked for from time to time.
 *
 * Promise: each list is asked for in a thread of its own, so that an ITSM that hangs, or a
 * secret that does, holds up the lists of no other one. There is one list of an ITSM at a
 * time, by the settings of the moment: others end it, and it begins anew. After one that
 * failed there is a pause, which ends with new settings too.
 * Owner: whoever made it; everything but that thread is its maker's, in one thread.
 * Threads: begins with a list that is due, and ends with it.
 * Limits: TKT_ITSM_CHANGED_MAX keys of a list. Errors are logged, the first of several.
 */
#ifndef TKT_TICKETD_ITSMLIST_H
#define TKT_TICKETD_ITSMLIST_H
#include "ticketd/core/daemon.h"

struct tkt_itsmlist;

/* Its first list is due one poll from now. NULL: no memory. */
struct tkt_itsmlist *tkt_itsmlist_new(struct tkt_daemon *d, const char *itsm);
/* Takes back a list that ended; begins one when it is time. conf: a section of set, which
 * has a poll; NULL: the settings have it no more. */
void tkt_itsmlist_tend(struct tkt_itsmlist *l, struct tkt_settings *set,
                       const struct tkt_conf_itsm *conf);
const char *tkt_itsmlist_name(const struct tkt_itsmlist *l);
bool tkt_itsmlist_runs(const struct tkt_itsmlist *l);
/* What is under way is to end soon: nothing more of it is kept. */
void tkt_itsmlist_stop(struct tkt_itsmlist *l);
/* Stops, and waits for its thread. */
void tkt_itsmlist_free(struct tkt_itsmlist **l);

#endif
