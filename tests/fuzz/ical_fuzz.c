/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as an iCalendar file: within the caps, days within the years of calendars.
 */
#include "decide/ical.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_calendar c = {.always = true};
    struct tkt_ical_result r;
    struct tkt_err err = TKT_ERR_INIT;
    int rc = tkt_ical_read(data, size, &c.holidays, &r, &err);

    if ((rc < 0) != (err.class != TKT_ERR_NONE) ||
        c.holidays.count > TKT_CALENDAR_HOLIDAYS_MAX) {
        abort();
    }
    tkt_days_sort(&c.holidays);
    for (size_t i = 0; i < c.holidays.count; i++) {
        int year = tkt_civil_of(c.holidays.items[i]).year;
        int64_t noon = (int64_t)c.holidays.items[i] * TKT_DAY_S + TKT_DAY_S / 2;
        if (year < TKT_CALENDAR_YEAR_FIRST || year > TKT_CALENDAR_YEAR_LAST ||
            tkt_calendar_is_open(&c, noon)) {
            abort();
        }
    }
    tkt_calendar_release(&c);
    return 0;
}
