/* SPDX-License-Identifier: BSD-2-Clause
 * Working hours: weekly hours in a time zone, without holidays.
 *
 * An instant is open when the clock on the wall of the zone shows a time within the hours
 * of that weekday and the date is no holiday. So an hour that a clock change skips is
 * never open, and one that it repeats is open twice. All results are exact in seconds.
 * The clock is an argument. Immutable once built; any thread. Times are seconds of UTC.
 *
 * Limit: nobody waits for an opening that is more than TKT_CALENDAR_YEARS_MAX away; then
 * the answer is TKT_CALENDAR_NEVER.
 */
#ifndef TKT_DECIDE_CALENDAR_H
#define TKT_DECIDE_CALENDAR_H
#include "base/civil.h"
#include "base/err.h"
#include "decide/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_CALENDAR_HOLIDAYS_MAX 20000
#define TKT_CALENDAR_YEARS_MAX 20
#define TKT_CALENDAR_NEVER INT64_MAX
/* Yearly holidays are laid out within these. */
#define TKT_CALENDAR_YEAR_FIRST 1970
#define TKT_CALENDAR_YEAR_LAST 2100

struct tkt_days { /* sorted, each once (after tkt_days_sort) */
    int32_t *items;
    size_t count;
    size_t room;
};
/* -1: memory, or more than TKT_CALENDAR_HOLIDAYS_MAX. */
int tkt_days_add(struct tkt_days *days, int32_t day);
void tkt_days_sort(struct tkt_days *days);
bool tkt_days_have(const struct tkt_days *days, int32_t day);
void tkt_days_release(struct tkt_days *days);

struct tkt_calendar {
    char *name;
    struct tkt_zone *zone; /* owned; NULL: UTC */
    bool always;           /* no hours were given: only holidays close it */
    struct tkt_hours hours;
    struct tkt_days holidays; /* dates in the zone */
};
void tkt_calendar_release(struct tkt_calendar *c);
/* "2026-12-24" or, every year, "12-24". -1 CONF or TEMP. */
int tkt_calendar_holiday(struct tkt_calendar *c, const char *text, struct tkt_err *err);

/* The date in the zone. c NULL: UTC. */
int32_t tkt_calendar_date(const struct tkt_calendar *c, int64_t t_s);
/* c NULL: always. */
bool tkt_calendar_is_open(const struct tkt_calendar *c, int64_t t_s);
/* The first open instant that is not before t_s. */
int64_t tkt_calendar_next_open(const struct tkt_calendar *c, int64_t t_s);
/* Open seconds in [from_s, to_s); 0 when to_s is not behind from_s. */
int64_t tkt_calendar_between(const struct tkt_calendar *c, int64_t from_s, int64_t to_s);
/* The earliest instant until which the given open seconds pass from t_s; t_s itself for
 * 0 and less. */
int64_t tkt_calendar_add(const struct tkt_calendar *c, int64_t t_s, int64_t seconds);

#endif
