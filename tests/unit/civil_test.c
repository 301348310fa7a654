/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/civil.h"
#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void dates_are_those_of_the_c_library(void **state)
{
    (void)state;
    for (int32_t day = -200000; day < 300000; day += 7) {
        time_t t = (time_t)day * TKT_DAY_S;
        struct tm tm;
        struct tkt_civil c = tkt_civil_of(day);
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(tkt_civil_weekday(day), (tm.tm_wday + 6) % 7);
        assert_int_equal(tkt_civil_days(c.year, c.month, c.day), day);
    }
}

static void only_dates_that_exist_are_read(void **state)
{
    static const char *const bad[] = {"",           "2026-02-29", "2026-13-01",
                                      "2026-00-01", "2026-1-1",   "2026-12-32",
                                      "26-12-01",   "2026/12/01", "2026-12-011",
                                      "2026-12-0x", "-026-12-01", "2100-02-29"};
    int32_t day;
    int32_t last;
    int month;
    int dom;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(tkt_civil_parse(bad[i], &day), -1);
        assert_int_equal(tkt_civil_parse_range(bad[i], &day, &last), -1);
    }
    assert_int_equal(tkt_civil_parse("2024-02-29", &day), 0);
    assert_int_equal(day, 19782);
    assert_int_equal(tkt_civil_parse_range("2026-12-20..2026-12-31", &day, &last), 0);
    assert_int_equal(last - day, 11);
    assert_int_equal(tkt_civil_parse_range("2026-12-20", &day, &last), 0);
    assert_int_equal(last, day);
    assert_int_equal(tkt_civil_parse_range("2026-12-20..2026-12-19", &day, &last), -1);
    assert_int_equal(tkt_civil_parse_range("2026-12-20.2026-12-21", &day, &last), -1);
    assert_int_equal(tkt_civil_parse_range("2026-12-20..", &day, &last), -1);
    assert_int_equal(tkt_civil_parse_yearly("02-29", &month, &dom), 0);
    assert_int_equal(tkt_civil_parse_yearly("02-30", &month, &dom), -1);
    assert_int_equal(tkt_civil_parse_yearly("2-3", &month, &dom), -1);
}

static void assert_day(const struct tkt_hours *h, int day, int count, int from, int to)
{
    assert_int_equal(h->days[day].count, count);
    if (count > 0) {
        assert_int_equal(h->days[day].spans[0].from, from);
        assert_int_equal(h->days[day].spans[count - 1].to, to);
    }
}

static void hours_are_read_and_joined(void **state)
{
    struct tkt_hours h = {0};

    (void)state;
    assert_int_equal(tkt_hours_add(&h, "mon-fri 08:00-12:00,13:00-17:00"), 0);
    assert_day(&h, 0, 2, 480, 1020);
    assert_day(&h, 5, 0, 0, 0);
    assert_int_equal(tkt_hours_add(&h, "mon 12:00-13:00"), 0);
    assert_day(&h, 0, 1, 480, 1020);
    assert_int_equal(tkt_hours_add(&h, "Sat,Sun 10:00-24:00"), 0);
    assert_day(&h, 6, 1, 600, 1440);
    assert_int_equal(tkt_hours_add(&h, "sun 22:00-06:00"), 0);
    assert_day(&h, 6, 1, 600, 1440);
    assert_day(&h, 0, 2, 0, 1020);
    memset(&h, 0, sizeof(h));
    assert_int_equal(tkt_hours_add(&h, "fri-mon 09:00-10:00"), 0);
    assert_day(&h, 0, 1, 540, 600);
    assert_day(&h, 4, 1, 540, 600);
    assert_day(&h, 2, 0, 0, 0);
    memset(&h, 0, sizeof(h));
    assert_int_equal(tkt_hours_add(&h, "daily 00:00-24:00"), 0);
    assert_day(&h, 3, 1, 0, 1440);
}

static void malformed_hours_change_nothing(void **state)
{
    static const char *const bad[] = {"",
                                      "mon",
                                      "mon 8:00-12:00",
                                      "mon 08:00",
                                      "mon 08:00-25:00",
                                      "mon 08:00-08:00",
                                      "mun 08:00-09:00",
                                      "mon- 08:00-09:00",
                                      "mon08:00-09:00",
                                      "mon 08:00-09:00,",
                                      "mon 24:00-01:00",
                                      "mon 08:60-09:00",
                                      "mon 08:00-09:00 tue",
                                      "mon,,tue 08:00-09:00",
                                      "daily",
                                      "mon 24:30-25:00"};
    struct tkt_hours h = {0};
    struct tkt_hours before;

    (void)state;
    assert_int_equal(tkt_hours_add(&h, "mon 08:00-09:00"), 0);
    before = h;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(tkt_hours_add(&h, bad[i]), -1);
        assert_memory_equal(&h, &before, sizeof(h));
    }
}

static void a_day_has_eight_spans_and_no_more(void **state)
{
    struct tkt_hours h = {0};

    (void)state;
    assert_int_equal(tkt_hours_add(&h, "mon 00:00-00:30,01:00-01:30,02:00-02:30,"
                                       "03:00-03:30,04:00-04:30,05:00-05:30,06:00-06:30,"
                                       "07:00-07:30"),
                     0);
    assert_int_equal(tkt_hours_add(&h, "mon 08:00-08:30"), -1);
    assert_int_equal(tkt_hours_add(&h, "mon 07:30-08:30"), 0);
    assert_int_equal(h.days[0].count, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_those_of_the_c_library),
        cmocka_unit_test(only_dates_that_exist_are_read),
        cmocka_unit_test(hours_are_read_and_joined),
        cmocka_unit_test(malformed_hours_change_nothing),
        cmocka_unit_test(a_day_has_eight_spans_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
