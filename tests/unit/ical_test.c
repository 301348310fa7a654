/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/util.h"
#include "decide/ical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
#define TAIL "END:VCALENDAR\r\n"
#define EVENT(lines) "BEGIN:VEVENT\r\n" lines "END:VEVENT\r\n"

static struct tkt_ical_result result;

static int take(const char *text, struct tkt_days *days, struct tkt_err *err)
{
    memset(days, 0, sizeof(*days));
    int rc = tkt_ical_read(text, strlen(text), days, &result, err);
    tkt_days_sort(days);
    return rc;
}

/* Days of that year as "MM-DD MM-DD". */
static void assert_year(const char *events, int year, const char *want)
{
    char text[4096];
    char got[400] = "";
    struct tkt_days days;
    struct tkt_err err = TKT_ERR_INIT;

    snprintf(text, sizeof(text), HEAD "%s" TAIL, events);
    if (take(text, &days, &err) < 0) {
        fail_msg("%s", err.text);
    }
    for (size_t i = 0; i < days.count; i++) {
        struct tkt_civil c = tkt_civil_of(days.items[i]);
        if (c.year == year) {
            size_t n = strlen(got);
            snprintf(got + n, sizeof(got) - n, "%s%02d-%02d", n > 0 ? " " : "", c.month,
                     c.day);
        }
    }
    tkt_days_release(&days);
    assert_string_equal(got, want);
}

static void single_days_and_ranges_are_days_off(void **state)
{
    (void)state;
    assert_year(EVENT("DTSTART;VALUE=DATE:20261224\r\n"), 2026, "12-24");
    assert_year(EVENT("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\n"),
                2026, "12-24 12-25 12-26");
    assert_year(EVENT("DTSTART:20261231\r\nDURATION:P2D\r\n"), 2027, "01-01");
    assert_year(EVENT("DURATION:P2D\r\nDTSTART:20261231\r\n"), 2027, "01-01");
    assert_year(EVENT("DURATION:P1W\r\nDTSTART:20261231\r\nDTEND:20270102\r\n"), 2027,
                "01-01");
    assert_year(EVENT("DTST\r\n ART;VALUE=DA\r\n\tTE:2026\r\n 1003\r\n"), 2026, "10-03");
    assert_year(EVENT("X;Y=\"a:b;c\":d\r\nDTSTART:20261003\r\n"), 2026, "10-03");
    assert_int_equal(result.events, 1);
    assert_int_equal(result.skipped, 0);
}

static void yearly_rules_are_laid_out(void **state)
{
    (void)state;
    assert_year(EVENT("DTSTART:20200101\r\nRRULE:FREQ=YEARLY\r\n"), 2031, "01-01");
    assert_year(EVENT("DTSTART:20200101\r\nRRULE:FREQ=YEARLY\r\n"), 2019, "");
    assert_year(EVENT("DTSTART:20201126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\r\n"),
                2026, "11-26");
    assert_year(EVENT("DTSTART:20210531\r\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO\r\n"),
                2027, "05-31");
    assert_year(EVENT("DTSTART:20240229\r\nRRULE:FREQ=YEARLY\r\n"), 2027, "");
    assert_year(EVENT("DTSTART:20240229\r\nRRULE:FREQ=YEARLY\r\n"), 2028, "02-29");
    assert_year(
        EVENT("DTSTART:20240229\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1\r\n"), 2027,
        "02-28");
    assert_year(EVENT("DTSTART:20240101\r\nRRULE:FREQ=YEARLY;INTERVAL=2\r\n"), 2027, "");
    assert_year(EVENT("DTSTART:20240101\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n"), 2025,
                "01-01");
    assert_year(EVENT("DTSTART:20240101\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n"), 2026, "");
    assert_year(EVENT("DTSTART:20240101\r\nRRULE:FREQ=YEARLY;UNTIL=20250101\r\n"), 2025,
                "01-01");
    assert_year(EVENT("DTSTART:20240101\r\nRRULE:FREQ=YEARLY;UNTIL=20250101\r\n"), 2026,
                "");
    assert_year(EVENT("DTSTART:20240101\r\nRRULE:FREQ=YEARLY\r\n"
                      "EXDATE;VALUE=DATE:20250101,20260101\r\n"),
                2026, "");
    assert_year(EVENT("DTSTART:20241224\r\nDTEND:20241227\r\nRRULE:FREQ=YEARLY\r\n"),
                2030, "12-24 12-25 12-26");
}

static void what_is_no_day_off_is_skipped_and_counted(void **state)
{
    (void)state;
    assert_year(EVENT("DTSTART:20261224T100000Z\r\n"), 2026, "");
    assert_int_equal(result.skipped, 1);
    assert_int_equal(result.first_skipped_line, 3);
    assert_year(EVENT("DTSTART:20261224\r\nSTATUS:CANCELLED\r\n"), 2026, "");
    assert_year(EVENT("DTSTART:20261224\r\nDTEND:20261224\r\n"), 2026, "");
    assert_year(EVENT("DTSTART:20261224\r\nDTEND:20281224\r\n"), 2026, "");
    assert_year(EVENT("DTSTART:20261332\r\n"), 2026, "");
    assert_year(EVENT("SUMMARY:nothing\r\n"), 2026, "");
    assert_year(EVENT("DTSTART:20261224\r\nRRULE:FREQ=WEEKLY\r\n"), 2026, "12-24");
    assert_int_equal(result.skipped, 1);
    assert_year(EVENT("DTSTART:20261224\r\nRRULE:FREQ=YEARLY;BYSETPOS=1\r\n"), 2027, "");
    assert_year(EVENT("DTSTART:20261224\r\nBEGIN:VALARM\r\nDTSTART:20270101\r\n"
                      "END:VALARM\r\n"),
                2026, "12-24");
}

static void what_is_no_calendar_is_refused(void **state)
{
    static const char *const bad[] = {"", "hello", "BEGIN:VCARD\r\n",
                                      HEAD "BEGIN:VEVENT\r\nDTSTART:20260101\r\n"};
    struct tkt_days days;
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(take(bad[i], &days, &err), -1);
        assert_int_equal(err.class, TKT_ERR_CONF);
        tkt_days_release(&days);
    }
}

static void too_many_days_are_refused_with_the_line(void **state)
{
    struct tkt_days days;
    struct tkt_err err = TKT_ERR_INIT;

    (void)state; /* each of 131 years whole: more than a calendar takes */
    assert_int_equal(take(HEAD EVENT("DTSTART:19700101\r\nRRULE:FREQ=YEARLY;"
                                     "BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;"
                                     "BYDAY=MO,TU,WE,TH,FR,SA,SU\r\n") TAIL,
                          &days, &err),
                     -1);
    assert_non_null(strstr(err.text, "line 3"));
    assert_true(days.count <= TKT_CALENDAR_HOLIDAYS_MAX);
    tkt_days_release(&days);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_days_and_ranges_are_days_off),
        cmocka_unit_test(yearly_rules_are_laid_out),
        cmocka_unit_test(what_is_no_day_off_is_skipped_and_counted),
        cmocka_unit_test(what_is_no_calendar_is_refused),
        cmocka_unit_test(too_many_days_are_refused_with_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
