/* SPDX-License-Identifier: BSD-2-Clause
 * Jobs that an ITSM gets: create, comment, attach, update.
 *
 * Each goes three ways: what it needs is read in a thread that may block (store, parser,
 * secret), it is carried out over dispatch's loop, and its end is one transaction (the key
 * of a new ticket, the jobs for its files, the end of the job itself).
 *
 * A create that may have been carried out before is looked up first. Where the ITSM's
 * search lags, finding nothing counts only after that time; where it proves nothing, the
 * job is parked for a person rather than sent a second time.
 */
#ifndef TKT_TICKETD_ITSMJOB_H
#define TKT_TICKETD_ITSMJOB_H
#include "ticketd/jobs/running.h"

extern const struct tkt_job_kind tkt_itsmjob_kind;

#endif
