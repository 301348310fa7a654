/* SPDX-License-Identifier: BSD-2-Clause
 * Calendars against the C library and a walk from minute to minute.
 */
#include "base/util.h"
#include "decide/calendar.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define ZONES "/usr/share/zoneinfo/"
#define YEAR_FIRST INT64_C(1767225600) /* 2026-01-01 UTC */
#define YEAR_MINUTES (366 * 1440)
#define WALK_MAX (YEAR_MINUTES + 1)

static const char *const zones[] = {
    "UTC",           "Europe/Berlin",     "America/New_York", "Australia/Lord_Howe",
    "Europe/Dublin", "America/St_Johns",  "Asia/Kathmandu",   "Africa/Casablanca",
    "Pacific/Apia",  "America/Sao_Paulo", "Asia/Gaza",        "Pacific/Chatham",
    "Asia/Tokyo",    "Antarctica/Troll",
};

static struct tkt_zone *zone_of(const char *name)
{
    char path[128];
    static char data[TKT_ZONE_FILE_MAX];
    struct tkt_err err = TKT_ERR_INIT;

    snprintf(path, sizeof(path), ZONES "%s", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    size_t n = fread(data, 1, sizeof(data), f);
    fclose(f);
    struct tkt_zone *z = tkt_zone_read(data, n, &err);
    if (z == NULL) {
        fail_msg("%s: %s", name, err.text);
    }
    return z;
}

/* "" and 0 where tzdata is not installed: said aloud. */
static bool use_zone(const char *name, struct tkt_calendar *c)
{
    c->zone = zone_of(name);
    if (c->zone == NULL) {
        print_message("SKIP: %s: tzdata is not installed\n", name);
        return false;
    }
    setenv("TZ", name, 1);
    tzset();
    return true;
}

static void hours(struct tkt_calendar *c, const char *text)
{
    c->always = false;
    assert_int_equal(tkt_hours_add(&c->hours, text), 0);
}

static void holiday(struct tkt_calendar *c, const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_calendar_holiday(c, text, &err), 0);
    tkt_days_sort(&c->holidays);
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_isdst = -1};

    return (int64_t)mktime(&tm);
}

/* What the words in calendar.h say, by the C library's clock. */
static bool naively_open(const struct tkt_calendar *c, int64_t t_s)
{
    time_t t = (time_t)t_s;
    struct tm tm;

    assert_non_null(localtime_r(&t, &tm));
    int32_t day = tkt_civil_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    for (size_t i = 0; i < c->holidays.count; i++) {
        if (c->holidays.items[i] == day) {
            return false;
        }
    }
    if (c->always) {
        return true;
    }
    const struct tkt_hours_day *d = &c->hours.days[(tm.tm_wday + 6) % 7];
    int minute = tm.tm_hour * 60 + tm.tm_min;
    for (int i = 0; i < d->count; i++) {
        if (minute >= d->spans[i].from && minute < d->spans[i].to) {
            return true;
        }
    }
    return false;
}

static void offsets_are_those_of_the_c_library_until_2200(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(zones); i++) {
        struct tkt_calendar c = {0};
        if (!use_zone(zones[i], &c)) {
            continue;
        }
        /* odd steps, so that all hours of the year and both sides of changes are met */
        for (int64_t t = INT64_C(-1500000000); t < INT64_C(7200000000); t += 86413 * 3) {
            time_t tt = (time_t)t;
            struct tm tm;
            int64_t until;
            assert_non_null(localtime_r(&tt, &tm));
            int32_t offset = tkt_zone_offset(c.zone, t, &until);
            if (offset != tm.tm_gmtoff) {
                fail_msg("%s at %lld: %d, not %ld", zones[i], (long long)t, offset,
                         tm.tm_gmtoff);
            }
            if (until < INT64_C(7200000000)) { /* the very second of the change */
                int64_t next;
                time_t u = (time_t)until;
                time_t before = u - 1;
                assert_non_null(localtime_r(&u, &tm));
                assert_int_equal(tkt_zone_offset(c.zone, until, &next), tm.tm_gmtoff);
                assert_non_null(localtime_r(&before, &tm));
                assert_int_equal(offset, tm.tm_gmtoff);
            }
        }
        tkt_calendar_release(&c);
    }
}

static unsigned dice(unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % n;
}

static void make_calendar(struct tkt_calendar *c, int kind)
{
    switch (kind) {
    case 0:
        hours(c, "mon-fri 08:00-17:00");
        holiday(c, "2026-12-25");
        holiday(c, "01-01");
        break;
    case 1: /* around the changes of the clock */
        hours(c, "daily 01:17-02:43,23:30-00:45");
        break;
    case 2:
        hours(c, "sat-tue 22:00-06:00");
        hours(c, "wed 02:30-03:30");
        break;
    default:
        c->always = true;
        holiday(c, "2026-03-29");
        holiday(c, "2026-10-25");
    }
}

/* A year's sums from minute to minute, once; then any question is a difference. */
static void compare_with_walk(const struct tkt_calendar *c, int32_t *sums, unsigned *seed)
{
    sums[0] = 0;
    for (int i = 0; i < YEAR_MINUTES; i++) {
        bool open = naively_open(c, YEAR_FIRST + i * INT64_C(60));
        sums[i + 1] = sums[i] + (open ? 60 : 0);
    }
    for (int i = 0; i < 3000; i++) {
        int a = (int)(dice(seed, 32768) * 32768u + dice(seed, 32768)) % YEAR_MINUTES;
        int b = i % 2 == 0 ? a + (int)dice(seed, 6000)
                           : (int)(dice(seed, 32768) * 32768u + dice(seed, 32768)) %
                                 YEAR_MINUTES;
        b = TKT_MIN(b, YEAR_MINUTES);
        int off_a = (int)dice(seed, 60);
        int off_b = (int)dice(seed, 60);
        int64_t from = YEAR_FIRST + a * INT64_C(60) + off_a;
        int64_t to = YEAR_FIRST + b * INT64_C(60) + off_b;
        int64_t want = 0;
        if (to > from && b < YEAR_MINUTES) {
            int32_t open_a = sums[a + 1] - sums[a];
            int32_t open_b = sums[b + 1] - sums[b];
            want =
                sums[b] + (open_b > 0 ? off_b : 0) - sums[a] - (open_a > 0 ? off_a : 0);
        } else if (b == YEAR_MINUTES) {
            continue;
        }
        assert_int_equal(tkt_calendar_between(c, from, to), want);
        assert_int_equal(tkt_calendar_is_open(c, from), sums[a + 1] > sums[a]);
        /* and back: the earliest instant at which that much has passed */
        if (want > 0) {
            int64_t end = tkt_calendar_add(c, from, want);
            assert_true(end <= to);
            assert_int_equal(tkt_calendar_between(c, from, end), want);
            assert_int_equal(tkt_calendar_between(c, from, end - 1), want - 1);
        }
        int64_t next = tkt_calendar_next_open(c, from);
        assert_true(next == from || !tkt_calendar_is_open(c, from));
        assert_true(tkt_calendar_is_open(c, next));
        assert_int_equal(tkt_calendar_between(c, from, next), 0);
    }
}

static void a_year_of_business_time_is_that_of_a_walk_by_minutes(void **state)
{
    static const char *const walked[] = {"Europe/Berlin", "America/New_York",
                                         "Australia/Lord_Howe", "America/Sao_Paulo",
                                         "Africa/Casablanca"};
    int32_t *sums = malloc(WALK_MAX * sizeof(*sums));
    unsigned seed = 20261122;

    (void)state;
    assert_non_null(sums);
    for (size_t i = 0; i < TKT_ARRAY_LEN(walked); i++) {
        for (int kind = 0; kind < 4; kind++) {
            struct tkt_calendar c = {0};
            if (use_zone(walked[i], &c)) {
                make_calendar(&c, kind);
                compare_with_walk(&c, sums, &seed);
            }
            tkt_calendar_release(&c);
        }
    }
    free(sums);
}

static void the_night_of_the_change_has_seven_or_nine_hours(void **state)
{
    struct tkt_calendar c = {0};

    (void)state;
    if (!use_zone("Europe/Berlin", &c)) {
        skip();
    }
    hours(&c, "daily 22:00-06:00");
    int64_t evening = at(2026, 3, 28, 12, 0); /* the clock jumps from 2 to 3 */
    assert_int_equal(tkt_calendar_between(&c, evening, at(2026, 3, 29, 12, 0)), 7 * 3600);
    evening = at(2026, 10, 24, 12, 0); /* from 3 back to 2 */
    assert_int_equal(tkt_calendar_between(&c, evening, at(2026, 10, 25, 12, 0)),
                     9 * 3600);
    /* eight hours of work behind ten in the evening */
    assert_int_equal(tkt_calendar_add(&c, evening, 8 * 3600), at(2026, 10, 25, 5, 0));
    tkt_calendar_release(&c);
}

static void an_hour_that_is_skipped_is_never_open(void **state)
{
    struct tkt_calendar c = {0};

    (void)state;
    if (!use_zone("Europe/Berlin", &c)) {
        skip();
    }
    hours(&c, "sun 02:00-03:00");
    assert_int_equal(
        tkt_calendar_between(&c, at(2026, 3, 29, 0, 0), at(2026, 3, 29, 12, 0)), 0);
    assert_int_equal(tkt_calendar_next_open(&c, at(2026, 3, 28, 0, 0)),
                     at(2026, 4, 5, 2, 0));
    assert_int_equal(
        tkt_calendar_between(&c, at(2026, 10, 25, 0, 0), at(2026, 10, 25, 12, 0)), 7200);
    tkt_calendar_release(&c);
}

static void a_calendar_that_never_opens_is_said_to_be_so(void **state)
{
    struct tkt_calendar c = {0};
    struct tkt_calendar no_days = {.always = true};

    (void)state; /* no hours at all: only an empty list in the file means always */
    assert_int_equal(tkt_calendar_next_open(&c, YEAR_FIRST), TKT_CALENDAR_NEVER);
    assert_int_equal(tkt_calendar_add(&c, YEAR_FIRST, 1), TKT_CALENDAR_NEVER);
    assert_int_equal(tkt_calendar_add(&c, YEAR_FIRST, 0), YEAR_FIRST);
    assert_int_equal(tkt_calendar_between(&c, 0, INT64_MAX), 0);
    for (int32_t d = 0; d < 19000; d++) { /* closed for fifty years, then not */
        assert_int_equal(tkt_days_add(&no_days.holidays, d), 0);
    }
    tkt_days_sort(&no_days.holidays);
    assert_false(tkt_calendar_is_open(&no_days, 100));
    assert_int_equal(tkt_calendar_next_open(&no_days, 18999 * INT64_C(86400)),
                     19000 * INT64_C(86400));
    tkt_calendar_release(&no_days);
}

static void without_a_calendar_all_time_counts(void **state)
{
    (void)state;
    assert_true(tkt_calendar_is_open(NULL, 5));
    assert_int_equal(tkt_calendar_next_open(NULL, 5), 5);
    assert_int_equal(tkt_calendar_between(NULL, 5, 12), 7);
    assert_int_equal(tkt_calendar_between(NULL, 12, 5), 0);
    assert_int_equal(tkt_calendar_add(NULL, 5, 7), 12);
    assert_int_equal(tkt_calendar_date(NULL, 86400), 1);
}

static void extreme_times_are_answered(void **state)
{
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1,
                                    0,         INT64_MAX - 1, INT64_MAX};
    struct tkt_calendar c = {0};

    (void)state;
    hours(&c, "mon-fri 08:00-17:00");
    for (size_t i = 0; i < TKT_ARRAY_LEN(times); i++) {
        (void)tkt_calendar_is_open(&c, times[i]); /* must only come back */
        assert_true(tkt_calendar_next_open(&c, times[i]) != 0 || times[i] == 0);
        assert_true(tkt_calendar_add(&c, times[i], INT64_MAX) != 0);
        assert_int_equal(tkt_calendar_between(&c, times[i], times[i]), 0);
    }
    tkt_calendar_release(&c);
}

static void broken_zone_files_are_refused_with_a_reason(void **state)
{
    static const char *const bad[] = {"", "TZif",
                                      ("hello world, this is no zone at all....."
                                       ".......................................")};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_zone *z;
    char data[4096];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_null(tkt_zone_read(bad[i], strlen(bad[i]), &err));
        assert_int_equal(err.class, TKT_ERR_CONF);
        assert_non_null(strstr(err.text, "not a time zone file"));
    }
    FILE *f = fopen(ZONES "Europe/Berlin", "rb");
    if (f == NULL) {
        skip();
    }
    size_t n = fread(data, 1, sizeof(data), f);
    fclose(f);
    assert_true(n < sizeof(data));
    for (size_t cut = 0; cut < n; cut++) { /* whole, or not at all */
        z = tkt_zone_read(data, cut, &err);
        assert_null(z);
    }
    z = tkt_zone_read(data, n, &err);
    assert_non_null(z);
    tkt_zone_free(&z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_the_c_library_until_2200),
        cmocka_unit_test(a_year_of_business_time_is_that_of_a_walk_by_minutes),
        cmocka_unit_test(the_night_of_the_change_has_seven_or_nine_hours),
        cmocka_unit_test(an_hour_that_is_skipped_is_never_open),
        cmocka_unit_test(a_calendar_that_never_opens_is_said_to_be_so),
        cmocka_unit_test(without_a_calendar_all_time_counts),
        cmocka_unit_test(extreme_times_are_answered),
        cmocka_unit_test(broken_zone_files_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
