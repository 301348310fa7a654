/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/date.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

struct date {
    int year; /* -1 until set, as are all */
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int zone_min;
    bool has_zone;
    bool is_pm;
    bool is_am;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* One line without comments and without blanks beside colons; commas are blanks. */
static void flatten(const char *p, size_t n, char out[TKT_DATE_MAX + 1])
{
    size_t len = 0;
    unsigned depth = 0;

    for (size_t i = 0; i < TKT_MIN(n, TKT_DATE_MAX); i++) {
        char c = (unsigned char)p[i] <= ' ' || p[i] == ',' || p[i] == '"' ? ' ' : p[i];
        if (c == '(' || c == ')') {
            depth += c == '(' ? 1 : depth > 0 ? (unsigned)-1 : 0;
            c = ' ';
        }
        if (depth > 0 || (c == ' ' && (len == 0 || strchr(" :", out[len - 1]) != NULL))) {
            continue;
        }
        if (c == ':' && len > 0 && out[len - 1] == ' ') {
            len--;
        }
        out[len++] = c;
    }
    out[len] = '\0';
}

static int number(const char **p, size_t digits_max)
{
    int value = 0;

    for (size_t i = 0; is_digit(**p) && i < digits_max; i++) {
        value = value * 10 + (*(*p)++ - '0');
    }
    return value;
}

/* ---- words ---- */

static int month_of(const char *word, size_t n)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int i = 0; i < 12 && n >= 3; i++) {
        if (tkt_ascii_ieqn(word, names + (ptrdiff_t)3 * i, 3)) {
            return i + 1;
        }
    }
    return 0;
}

static bool is_word(const char *word, size_t n, const char *name)
{
    return strlen(name) == n && tkt_ascii_ieqn(word, name, n);
}

/* RFC 5322 4.3: the names of North America; all others, the military ones, too, say
 * nothing that could be trusted. */
static void take_zone_name(struct date *d, const char *word, size_t n)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6},  {"CDT", -5}, {"MST", -7},
                 {"MDT", -6}, {"PST", -8}, {"PDT", -7},  {"CET", 1},  {"CEST", 2},
                 {"MET", 1},  {"MEST", 2}, {"MESZ", 2},  {"MEZ", 1},  {"WET", 0},
                 {"WEST", 1}, {"EET", 2},  {"EEST", 3},  {"BST", 1},  {"MSK", 3},
                 {"JST", 9},  {"KST", 9},  {"HST", -10}, {"AKST", -9}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(zones) && !d->has_zone; i++) {
        if (is_word(word, n, zones[i].name)) {
            d->zone_min = zones[i].hours * 60;
            d->has_zone = true;
        }
    }
}

static void take_word(struct date *d, const char *word, size_t n)
{
    int month = month_of(word, n);

    if (month > 0 && d->month < 0) {
        d->month = month;
    } else if (is_word(word, n, "AM") || is_word(word, n, "PM")) {
        d->is_pm = (word[0] | 0x20) == 'p';
        d->is_am = !d->is_pm;
    } else {
        take_zone_name(d, word, n);
    }
}

/* ---- numbers ---- */

static void take_time(struct date *d, const char **p)
{
    d->hour = number(p, 2);
    (*p)++;
    d->minute = number(p, 2);
    d->second = 0;
    if (**p == ':') {
        (*p)++;
        d->second = number(p, 2);
    }
    if ((**p == '.' || **p == ',') && is_digit((*p)[1])) {
        (*p)++;
        (void)number(p, TKT_DATE_MAX); /* a fraction of a second */
    }
    if (**p == 'Z' || **p == 'z') {
        d->has_zone = true;
        (*p)++;
    }
}

static void take_zone(struct date *d, const char **p)
{
    int sign = **p == '-' ? -1 : 1;

    (*p)++;
    int hours = number(p, 2);
    *p += **p == ':' ? 1 : 0;
    int minutes = number(p, 2);
    if (!d->has_zone && hours < 24 && minutes < 60) {
        d->zone_min = sign * (hours * 60 + minutes);
        d->has_zone = true;
    }
}

/* RFC 5322 4.3: two and three digits. */
static void take_year(struct date *d, int value, size_t digits)
{
    d->year = digits > 3                   ? value
              : digits == 3 || value >= 50 ? 1900 + value
                                           : 2000 + value;
}

/* "1997-11-21", "11/21/97", "21.11.1997" */
static bool take_triple(struct date *d, const char **p)
{
    const char *s = *p;
    int first = number(&s, 4);
    size_t first_len = (size_t)(s - *p);
    char mark = *s;
    if ((mark != '-' && mark != '/' && mark != '.') || !is_digit(s[1])) {
        return false;
    }
    s++;
    int second = number(&s, 2);
    if (*s != mark || !is_digit(s[1])) {
        return false;
    }
    const char *third_at = ++s;
    int third = number(&s, 4);
    if (first_len == 4) {
        d->year = first;
        d->month = second;
        d->day = third;
    } else {
        bool day_first = mark == '.' || first > 12;
        d->day = day_first ? first : second;
        d->month = day_first ? second : first;
        take_year(d, third, (size_t)(s - third_at));
    }
    *p = s;
    return true;
}

static void take_number(struct date *d, const char **p)
{
    const char *start = *p;
    size_t digits = strspn(start, "0123456789");

    if (digits <= 2 && start[digits] == ':' && is_digit(start[digits + 1])) {
        take_time(d, p);
        return;
    }
    if (d->year < 0 && d->day < 0 && take_triple(d, p)) {
        return;
    }
    int value = number(p, 4);
    *p = start + digits;
    if (d->day < 0 && (digits <= 2 || (digits == 3 && *start == '0'))) {
        d->day = value;
    } else if (d->year < 0 && digits <= 4) {
        take_year(d, value, digits);
    }
}

static void read_words(struct date *d, const char *p)
{
    while (*p != '\0') {
        size_t n = 0;
        while (is_letter(p[n])) {
            n++;
        }
        bool signs = (*p == '+' || *p == '-') && is_digit(p[1]) && d->hour >= 0;
        if (n > 0) {
            take_word(d, p, n);
            p += n;
        } else if (is_digit(*p)) {
            take_number(d, &p);
        } else if (signs) {
            take_zone(d, &p);
        } else {
            p++;
        }
    }
}

static bool is_sane(const struct date *d)
{
    return d->year >= 1 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
           d->day <= 31 && d->hour <= 24 && d->minute < 60 && d->second <= 60;
}

/* timegm(3) would read the time zone's file. Years begin in March here. */
static int64_t days_since_1970(const struct date *d)
{
    int64_t year = d->year - (d->month <= 2 ? 1 : 0);
    int64_t month = (d->month + 9) % 12;

    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 +
           d->day - 1 - 719468;
}

bool tkt_date_read(const char *value, size_t n, int64_t *out_s)
{
    char text[TKT_DATE_MAX + 1];
    struct date d = {.year = -1, .month = -1, .day = -1, .hour = -1};

    flatten(value, n, text);
    read_words(&d, text);
    if (!is_sane(&d)) {
        return false;
    }
    d.hour = d.hour < 0 ? 0 : d.hour;
    d.hour += d.is_pm && d.hour < 12 ? 12 : 0;
    d.hour -= d.is_am && d.hour == 12 ? 12 : 0;
    int64_t s = days_since_1970(&d) * 86400 + (int64_t)d.hour * 3600 +
                ((int64_t)d.minute - d.zone_min) * 60 + d.second;
    *out_s = s == 0 ? 1 : s;
    return true;
}
