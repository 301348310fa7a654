/* SPDX-License-Identifier: BSD-2-Clause
 * What is agreed, from the configuration: sections sla, escalation and step.
 *
 * The configuration was checked; the result is immutable and borrows the roster.
 */
#ifndef TKT_TICKETD_SLABOOK_H
#define TKT_TICKETD_SLABOOK_H
#include "base/err.h"
#include "conf/conf.h"
#include "decide/sla.h"

/* NULL: TEMP. */
struct tkt_sla_book *tkt_slabook_new(const struct tkt_conf *conf,
                                     const struct tkt_roster *roster,
                                     struct tkt_err *err);
/* Whether anything is agreed at all. */
bool tkt_slabook_wanted(const struct tkt_conf *conf);

#endif
