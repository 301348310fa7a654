/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/civil.h"

#include "base/util.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define MINUTES 1440

/* ---- dates ------------------------------------------------------------------------ */

/* Years begin in March here, so that the leap day is the last one of a year. */
int32_t tkt_civil_days(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct tkt_civil tkt_civil_of(int32_t days)
{
    int64_t z = (int64_t)days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int of_era = (int)(z - era * 146097);
    int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * y + y / 4 - y / 100);
    int m = (5 * of_year + 2) / 153;
    int month = m < 10 ? m + 3 : m - 9;

    return (struct tkt_civil){.year = (int)(y + era * 400) + (month <= 2 ? 1 : 0),
                              .month = month,
                              .day = of_year - (153 * m + 2) / 5 + 1};
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int tkt_civil_month_length(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return lengths[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

int tkt_civil_weekday(int32_t days)
{
    int n = (int)(((int64_t)days + 3) % 7); /* the first day was a Thursday */

    return n < 0 ? n + 7 : n;
}

/* Exactly count digits; -1: there are others. */
static int digits(const char *s, int count)
{
    int n = 0;

    for (int i = 0; i < count; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return -1;
        }
        n = n * 10 + (s[i] - '0');
    }
    return n;
}

static int parse_date(const char *s, int32_t *days)
{
    if (strnlen(s, 10) < 10 || s[4] != '-' || s[7] != '-') {
        return -1;
    }
    int year = digits(s, 4);
    int month = digits(s + 5, 2);
    int day = digits(s + 8, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 ||
        day > tkt_civil_month_length(year, month)) {
        return -1;
    }
    *days = tkt_civil_days(year, month, day);
    return 0;
}

int tkt_civil_parse(const char *text, int32_t *days)
{
    return strlen(text) == 10 ? parse_date(text, days) : -1;
}

int tkt_civil_parse_yearly(const char *text, int *month, int *day)
{
    if (strlen(text) != 5 || text[2] != '-') {
        return -1;
    }
    int m = digits(text, 2);
    int d = digits(text + 3, 2);
    if (m < 1 || m > 12 || d < 1 || d > tkt_civil_month_length(2000, m)) {
        return -1;
    }
    *month = m;
    *day = d;
    return 0;
}

int tkt_civil_parse_range(const char *text, int32_t *first, int32_t *last)
{
    int32_t a = 0;
    int32_t b = 0;

    if (parse_date(text, &a) < 0) {
        return -1;
    }
    b = a;
    if (text[10] != '\0' &&
        (strncmp(text + 10, "..", 2) != 0 || tkt_civil_parse(text + 12, &b) < 0)) {
        return -1;
    }
    if (b < a) {
        return -1;
    }
    *first = a;
    *last = b;
    return 0;
}

/* ---- hours ------------------------------------------------------------------------ */

static int parse_day(const char **at)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (strncasecmp(*at, names[i], 3) == 0) {
            *at += 3;
            return (int)i;
        }
    }
    return -1;
}

/* "mon-fri,sun": a bit a day. Ranges may pass the end of the week. 0: malformed. */
static unsigned parse_days(const char **at)
{
    unsigned bits = 0;

    if (strncasecmp(*at, "daily", 5) == 0) {
        *at += 5;
        return 0x7f;
    }
    for (;;) {
        int first = parse_day(at);
        int last = first;
        if (first >= 0 && **at == '-') {
            (*at)++;
            last = parse_day(at);
        }
        if (first < 0 || last < 0) {
            return 0;
        }
        for (int d = first;; d = (d + 1) % 7) {
            bits |= 1u << d;
            if (d == last) {
                break;
            }
        }
        if (**at != ',') {
            return bits;
        }
        (*at)++;
    }
}

static int parse_minute(const char **at)
{
    if (strnlen(*at, 5) < 5 || (*at)[2] != ':') {
        return -1;
    }
    int hour = digits(*at, 2);
    int minute = digits(*at + 3, 2);
    if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > MINUTES) {
        return -1;
    }
    *at += 5;
    return hour * 60 + minute;
}

/* Spans that touch or overlap become one. */
static int add_span(struct tkt_hours_day *day, int from, int to)
{
    int i = 0;
    int k;

    while (i < day->count && day->spans[i].to < from) {
        i++;
    }
    for (k = i; k < day->count && day->spans[k].from <= to; k++) {
        from = TKT_MIN(from, day->spans[k].from);
        to = TKT_MAX(to, day->spans[k].to);
    }
    if (k == i && day->count == TKT_HOURS_SPANS_MAX) {
        return -1;
    }
    memmove(&day->spans[i + 1], &day->spans[k],
            (size_t)(day->count - k) * sizeof(day->spans[0]));
    day->spans[i].from = (int16_t)from;
    day->spans[i].to = (int16_t)to;
    day->count += 1 - (k - i);
    return 0;
}

static int add_to_days(struct tkt_hours *h, unsigned bits, int from, int to)
{
    bool wraps = to <= from;

    for (int d = 0; d < 7; d++) {
        if ((bits >> d & 1) == 0) {
            continue;
        }
        if (add_span(&h->days[d], from, wraps ? MINUTES : to) < 0 ||
            (wraps && to > 0 && add_span(&h->days[(d + 1) % 7], 0, to) < 0)) {
            return -1;
        }
    }
    return 0;
}

int tkt_hours_add(struct tkt_hours *hours, const char *text)
{
    struct tkt_hours all = *hours;
    const char *at = text;
    unsigned bits = parse_days(&at);

    if (bits == 0 || *at != ' ') {
        return -1;
    }
    at += strspn(at, " ");
    for (;;) {
        int from = parse_minute(&at);
        if (from < 0 || from == MINUTES || *at != '-') {
            return -1;
        }
        at++;
        int to = parse_minute(&at);
        if (to < 0 || to == from || add_to_days(&all, bits, from, to) < 0) {
            return -1;
        }
        if (*at == '\0') {
            *hours = all;
            return 0;
        }
        if (*at++ != ',') {
            return -1;
        }
    }
}
