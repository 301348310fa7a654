/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/calendar.h"

#include "base/util.h"

#include <string.h>

#define GIVE_UP_S ((int64_t)TKT_CALENDAR_YEARS_MAX * 366 * TKT_DAY_S)
/* Callers give wall-clock times; these keep sums with any of them within int64_t. */
#define TIME_MAX (INT64_C(1) << 40)

/* ---- days -------------------------------------------------------------------------- */

int tkt_days_add(struct tkt_days *days, int32_t day)
{
    if (days->count == days->room) {
        size_t room = days->room == 0 ? 64 : days->room * 2;
        int32_t *items = days->count >= TKT_CALENDAR_HOLIDAYS_MAX
                             ? NULL
                             : realloc(days->items, room * sizeof(*items));
        if (items == NULL) {
            return -1;
        }
        days->items = items;
        days->room = room;
    }
    if (days->count == TKT_CALENDAR_HOLIDAYS_MAX) {
        return -1;
    }
    days->items[days->count++] = day;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

void tkt_days_sort(struct tkt_days *days)
{
    size_t n = 0;

    if (days->count == 0) {
        return;
    }
    qsort(days->items, days->count, sizeof(*days->items), by_number);
    for (size_t i = 1; i < days->count; i++) {
        if (days->items[i] != days->items[n]) {
            days->items[++n] = days->items[i];
        }
    }
    days->count = n + 1;
}

bool tkt_days_have(const struct tkt_days *days, int32_t day)
{
    return days->count > 0 && bsearch(&day, days->items, days->count,
                                      sizeof(*days->items), by_number) != NULL;
}

void tkt_days_release(struct tkt_days *days)
{
    free(days->items);
    memset(days, 0, sizeof(*days));
}

void tkt_calendar_release(struct tkt_calendar *c)
{
    free(c->name);
    tkt_zone_free(&c->zone);
    tkt_days_release(&c->holidays);
    memset(c, 0, sizeof(*c));
}

int tkt_calendar_holiday(struct tkt_calendar *c, const char *text, struct tkt_err *err)
{
    int32_t day = 0;
    int month = 0;
    int dom = 0;
    int rc = 0;

    if (tkt_civil_parse(text, &day) == 0) {
        rc = tkt_days_add(&c->holidays, day);
    } else if (tkt_civil_parse_yearly(text, &month, &dom) == 0) {
        for (int y = TKT_CALENDAR_YEAR_FIRST; rc == 0 && y <= TKT_CALENDAR_YEAR_LAST;
             y++) {
            if (dom <= tkt_civil_month_length(y, month)) {
                rc = tkt_days_add(&c->holidays, tkt_civil_days(y, month, dom));
            }
        }
    } else {
        return tkt_err_set(err, TKT_ERR_CONF, "\"%.40s\" is no date such as 2026-12-24",
                           text);
    }
    return rc == 0 ? 0 : tkt_err_set(err, TKT_ERR_CONF, "too many holidays");
}

/* ---- open pieces ------------------------------------------------------------------- */

static int64_t day_of(int64_t wall_s)
{
    int64_t d = wall_s / TKT_DAY_S;

    return wall_s % TKT_DAY_S < 0 ? d - 1 : d;
}

static int64_t clamp(int64_t t_s)
{
    return TKT_MAX(-TIME_MAX, TKT_MIN(t_s, TIME_MAX));
}

/* The first span of that day which ends behind wall_s, on the wall; false: none. */
static bool span_of_day(const struct tkt_calendar *c, int64_t day, int64_t wall_s,
                        int64_t *from, int64_t *to)
{
    int64_t midnight = day * TKT_DAY_S;

    if (tkt_days_have(&c->holidays, (int32_t)day)) {
        return false;
    }
    if (c->always) {
        *from = wall_s;
        *to = midnight + TKT_DAY_S;
        return true;
    }
    const struct tkt_hours_day *d = &c->hours.days[tkt_civil_weekday((int32_t)day)];
    for (int i = 0; i < d->count; i++) {
        *to = midnight + d->spans[i].to * 60;
        if (*to > wall_s) {
            *from = TKT_MAX(wall_s, midnight + d->spans[i].from * 60);
            return true;
        }
    }
    return false;
}

/* The next open time at or behind t_s, as far as the offset stays and midnight is not
 * passed. Between two changes of the clock wall and UTC run in step, so what holds on the
 * wall holds here. */
static bool next_piece(const struct tkt_calendar *c, int64_t t_s, int64_t *from,
                       int64_t *to)
{
    int64_t give_up = t_s + GIVE_UP_S;

    while (t_s < give_up) {
        int64_t until;
        int32_t offset = tkt_zone_offset(c->zone, t_s, &until);
        int64_t day = day_of(t_s + offset);

        if (span_of_day(c, day, t_s + offset, from, to) && *from - offset < until) {
            *from -= offset;
            *to = TKT_MIN(*to - offset, until);
            return true;
        }
        t_s = TKT_MIN((day + 1) * TKT_DAY_S - offset, until);
    }
    return false;
}

/* ---- questions --------------------------------------------------------------------- */

int32_t tkt_calendar_date(const struct tkt_calendar *c, int64_t t_s)
{
    int64_t until;

    t_s = clamp(t_s);
    return (int32_t)day_of(t_s +
                           tkt_zone_offset(c == NULL ? NULL : c->zone, t_s, &until));
}

bool tkt_calendar_is_open(const struct tkt_calendar *c, int64_t t_s)
{
    int64_t until;
    int64_t from;
    int64_t to;

    if (c == NULL) {
        return true;
    }
    t_s = clamp(t_s);
    int64_t wall = t_s + tkt_zone_offset(c->zone, t_s, &until);
    return span_of_day(c, day_of(wall), wall, &from, &to) && from == wall;
}

int64_t tkt_calendar_next_open(const struct tkt_calendar *c, int64_t t_s)
{
    int64_t from;
    int64_t to;

    if (c == NULL) {
        return t_s;
    }
    return next_piece(c, clamp(t_s), &from, &to) ? from : TKT_CALENDAR_NEVER;
}

int64_t tkt_calendar_between(const struct tkt_calendar *c, int64_t from_s, int64_t to_s)
{
    int64_t sum = 0;
    int64_t from;
    int64_t to;

    from_s = clamp(from_s);
    to_s = clamp(to_s);
    if (c == NULL) {
        return TKT_MAX(0, to_s - from_s);
    }
    while (from_s < to_s && next_piece(c, from_s, &from, &to) && from < to_s) {
        sum += TKT_MIN(to, to_s) - from;
        from_s = to;
    }
    return sum;
}

int64_t tkt_calendar_add(const struct tkt_calendar *c, int64_t t_s, int64_t seconds)
{
    int64_t from;
    int64_t to;

    t_s = clamp(t_s);
    if (seconds <= 0) {
        return t_s;
    }
    if (c == NULL) {
        return t_s + TKT_MIN(seconds, TIME_MAX);
    }
    int64_t give_up = t_s + 5 * GIVE_UP_S;
    while (t_s < give_up && next_piece(c, t_s, &from, &to)) {
        if (seconds <= to - from) {
            return from + seconds;
        }
        seconds -= to - from;
        t_s = to;
    }
    return TKT_CALENDAR_NEVER;
}
