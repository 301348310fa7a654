/* SPDX-License-Identifier: BSD-2-Clause
 * Dates and weekly hours as people write them; the proleptic Gregorian calendar.
 *
 * Days are counted from 1970-01-01 = 0. Pure functions, any thread. Errors: -1 and, where
 * a caller shows it to a person, what is wanted instead.
 */
#ifndef TKT_BASE_CIVIL_H
#define TKT_BASE_CIVIL_H
#include <stdint.h>

#define TKT_DAY_S 86400
#define TKT_HOURS_SPANS_MAX 8 /* of one day */

struct tkt_civil {
    int year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};

int32_t tkt_civil_days(int year, int month, int day);
struct tkt_civil tkt_civil_of(int32_t days);
int tkt_civil_month_length(int year, int month);
/* Monday = 0. */
int tkt_civil_weekday(int32_t days);
/* "2026-12-25", a date that exists. */
int tkt_civil_parse(const char *text, int32_t *days);
/* "12-25": every year; 02-29 counts in leap years only. */
int tkt_civil_parse_yearly(const char *text, int *month, int *day);
/* "2026-12-20..2026-12-31", both included, or one date. */
int tkt_civil_parse_range(const char *text, int32_t *first, int32_t *last);

/* Open times of a week in minutes of the day, [from, to); sorted, apart from each other. */
struct tkt_hours {
    struct tkt_hours_day {
        struct {
            int16_t from;
            int16_t to; /* up to 1440 */
        } spans[TKT_HOURS_SPANS_MAX];
        int count;
    } days[7]; /* Monday first */
};
/* Adds "mon-fri 08:00-12:00,13:00-17:00", "sat,sun 10:00-12:00", "daily 00:00-24:00" or,
 * over midnight, "fri 22:00-06:00". -1: malformed, or more spans than a day may have. */
int tkt_hours_add(struct tkt_hours *hours, const char *text);

#endif
