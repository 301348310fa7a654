/* SPDX-License-Identifier: BSD-2-Clause
 * Holidays out of an iCalendar file (RFC 5545): all-day VEVENTs, single, over several
 * days, or yearly (RRULE FREQ=YEARLY with INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY,
 * BYDAY with or without a number; EXDATE).
 *
 * Yearly ones are laid out within the years that a calendar knows. What is not a day off
 * by date (events with a time, cancelled ones, other rules) is skipped and counted, with
 * the line of the first; of an event whose rule is not known its first date counts.
 * Pure: bytes in, days out; the bytes may be anything. Errors: CONF for what is no
 * iCalendar file or holds more than the calendar takes.
 */
#ifndef TKT_DECIDE_ICAL_H
#define TKT_DECIDE_ICAL_H
#include "base/err.h"
#include "decide/calendar.h"

#include <stddef.h>

#define TKT_ICAL_FILE_MAX (1024 * 1024)
#define TKT_ICAL_LINE_MAX 4096 /* unfolded; what is longer is cut */
#define TKT_ICAL_EVENT_DAYS_MAX 366

struct tkt_ical_result {
    unsigned events;  /* that gave days */
    unsigned skipped; /* that gave none, or not all */
    unsigned first_skipped_line;
};

/* Adds to days, unsorted. */
int tkt_ical_read(const void *data, size_t n, struct tkt_days *days,
                  struct tkt_ical_result *out, struct tkt_err *err);

#endif
