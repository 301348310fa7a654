/* SPDX-License-Identifier: BSD-2-Clause
 * The roster of the configuration: calendars with their time zones and holiday files read,
 * groups with their members.
 *
 * Reads files (tzdata below $TZDIR or /usr/share/zoneinfo, iCalendar files), at start and
 * reload. A file that is missing or broken is an error, so that the old roster stays; what
 * in a holiday file is no day off is a warning. The result is immutable.
 */
#ifndef TKT_TICKETD_ROSTER_H
#define TKT_TICKETD_ROSTER_H
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "decide/assign.h"

/* NULL: CONF or TEMP. warnings, or NULL: a line each is appended. */
struct tkt_roster *tkt_roster_new(const struct tkt_conf *conf, struct tkt_buf *warnings,
                                  struct tkt_err *err);

#endif
