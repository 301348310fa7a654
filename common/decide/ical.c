/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/ical.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>
#include <strings.h>

#define EXDATES_MAX 256
#define BYDAYS_MAX 8

struct reader {
    const char *at;
    const char *end;
    unsigned line; /* of the file, where the unfolded one begins */
    unsigned next_line;
    char text[TKT_ICAL_LINE_MAX];
    char *name;
    char *params; /* "" or what stands between the first ; and the : */
    char *value;
};

struct rule {
    bool yearly;
    int interval;
    int count; /* 0: no end */
    int32_t until;
    unsigned months; /* bits */
    int month_day;   /* 0: none; negative: from the end */
    struct {
        int number; /* 0: each */
        int weekday;
    } by_day[BYDAYS_MAX];
    int by_day_count;
};

struct event {
    unsigned line;
    int depth; /* of components within it, such as VALARM */
    bool has_start, has_end, timed, cancelled, has_rule, strange;
    int32_t start, end;
    int32_t length; /* of DURATION; 0: none */
    struct rule rule;
    int32_t exdates[EXDATES_MAX];
    int exdate_count;
};

/* ---- lines ------------------------------------------------------------------------- */

static void add_physical(struct reader *r, size_t *len)
{
    const char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
    const char *stop = end == NULL ? r->end : end;
    size_t n = (size_t)(stop - r->at);

    if (n > 0 && r->at[n - 1] == '\r') {
        n--;
    }
    n = TKT_MIN(n, sizeof(r->text) - 1 - *len);
    memcpy(r->text + *len, r->at, n);
    *len += n;
    r->at = end == NULL ? r->end : end + 1;
    r->next_line++;
}

/* Parts "NAME;PARAMS:VALUE"; a colon within quotes belongs to a parameter. */
static bool part(struct reader *r)
{
    bool quoted = false;
    char *p = r->text;

    r->name = r->text;
    r->params = NULL;
    for (; *p != '\0' && (quoted || *p != ':'); p++) {
        if (*p == '"') {
            quoted = !quoted;
        } else if (*p == ';' && !quoted && r->params == NULL) {
            *p = '\0';
            r->params = p + 1;
        }
    }
    if (*p == '\0') {
        return false;
    }
    *p = '\0';
    r->value = p + 1;
    if (r->params == NULL) {
        r->params = p;
    }
    return true;
}

/* The next content line, unfolded; those that are none are passed over. */
static bool next_line(struct reader *r)
{
    while (r->at < r->end) {
        size_t len = 0;

        r->line = r->next_line;
        add_physical(r, &len);
        while (r->at < r->end && (*r->at == ' ' || *r->at == '\t')) {
            r->at++;
            add_physical(r, &len);
        }
        r->text[len] = '\0';
        if (strlen(r->text) == len && part(r)) {
            return true;
        }
    }
    return false;
}

static bool is_line(const struct reader *r, const char *name, const char *value)
{
    return strcasecmp(r->name, name) == 0 && strcasecmp(r->value, value) == 0;
}

/* ---- values ------------------------------------------------------------------------ */

/* "20261225"; what follows it is the caller's. */
static int parse_day(const char *s, int32_t *day)
{
    int n = 0;

    for (int i = 0; i < 8; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return -1;
        }
        n = n * 10 + (s[i] - '0');
    }
    int year = n / 10000;
    int month = n / 100 % 100;
    int dom = n % 100;
    if (year < 1 || month < 1 || month > 12 || dom < 1 ||
        dom > tkt_civil_month_length(year, month)) {
        return -1;
    }
    *day = tkt_civil_days(year, month, dom);
    return 0;
}

static void parse_start(struct event *e, const char *value, bool is_end)
{
    int32_t day = 0;

    if (parse_day(value, &day) < 0) {
        e->strange = true;
        return;
    }
    if (value[8] != '\0') {
        e->timed = true;
    }
    if (is_end) {
        e->end = day;
        e->has_end = true;
    } else {
        e->start = day;
        e->has_start = true;
    }
}

/* P1D, P2W; others are events with a time. */
static void parse_duration(struct event *e, const char *value)
{
    int64_t n = 0;
    char number[8];
    size_t len = value[0] == 'P' ? strspn(value + 1, "0123456789") : 0;
    char unit = len > 0 && len < sizeof(number) ? value[1 + len] : '\0';

    if ((unit != 'D' && unit != 'W') || value[2 + len] != '\0') {
        e->timed = true;
        return;
    }
    memcpy(number, value + 1, len);
    number[len] = '\0';
    (void)tkt_parse_int(number, 0, 9999999, &n); /* digits only: it can be read */
    e->length =
        (int32_t)TKT_MIN(n * (unit == 'W' ? 7 : 1), (int64_t)TKT_ICAL_EVENT_DAYS_MAX + 1);
    e->timed = e->timed || n == 0;
}

static void parse_exdates(struct event *e, const char *value)
{
    while (*value != '\0') {
        if (e->exdate_count == EXDATES_MAX ||
            parse_day(value, &e->exdates[e->exdate_count]) < 0) {
            e->strange = true;
            return;
        }
        e->exdate_count++;
        value += strcspn(value, ",");
        value += *value == ',' ? 1 : 0;
    }
}

static bool is_excluded(const struct event *e, int32_t day)
{
    for (int i = 0; i < e->exdate_count; i++) {
        if (e->exdates[i] == day) {
            return true;
        }
    }
    return false;
}

/* ---- rules ------------------------------------------------------------------------- */

static int parse_by_day(struct rule *r, const char *value)
{
    static const char *const names[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

    while (*value != '\0') {
        int sign = *value == '-' ? -1 : 1;
        int number = 0;
        int weekday = -1;
        value += *value == '-' || *value == '+' ? 1 : 0;
        for (; *value >= '0' && *value <= '9' && number < 100; value++) {
            number = number * 10 + (*value - '0');
        }
        for (int i = 0; i < 7; i++) {
            weekday = strncasecmp(value, names[i], 2) == 0 ? i : weekday;
        }
        if (weekday < 0 || number > 5 || r->by_day_count == BYDAYS_MAX) {
            return -1;
        }
        r->by_day[r->by_day_count].number = sign * number;
        r->by_day[r->by_day_count++].weekday = weekday;
        value += 2;
        if (*value != '\0' && *value++ != ',') {
            return -1;
        }
    }
    return 0;
}

static int parse_months(struct rule *r, const char *value)
{
    while (*value != '\0') {
        int n = 0;
        for (; *value >= '0' && *value <= '9' && n < 100; value++) {
            n = n * 10 + (*value - '0');
        }
        if (n < 1 || n > 12) {
            return -1;
        }
        r->months |= 1u << n;
        if (*value != '\0' && *value++ != ',') {
            return -1;
        }
    }
    return 0;
}

static int parse_part(struct rule *r, const char *key, const char *value)
{
    int64_t n = 0;

    if (strcasecmp(key, "FREQ") == 0) {
        r->yearly = strcasecmp(value, "YEARLY") == 0;
        return r->yearly ? 0 : -1;
    }
    if (strcasecmp(key, "INTERVAL") == 0) {
        int rc = tkt_parse_int(value, 1, 1000, &n);
        r->interval = (int)n;
        return rc;
    }
    if (strcasecmp(key, "COUNT") == 0) {
        int rc = tkt_parse_int(value, 1, 100000, &n);
        r->count = (int)n;
        return rc;
    }
    if (strcasecmp(key, "UNTIL") == 0) {
        return parse_day(value, &r->until);
    }
    if (strcasecmp(key, "BYMONTH") == 0) {
        return parse_months(r, value);
    }
    if (strcasecmp(key, "BYMONTHDAY") == 0) {
        int rc = tkt_parse_int(value, -31, 31, &n);
        r->month_day = (int)n;
        return n == 0 ? -1 : rc;
    }
    if (strcasecmp(key, "BYDAY") == 0) {
        return parse_by_day(r, value);
    }
    return strcasecmp(key, "WKST") == 0 ? 0 : -1;
}

/* A rule that is not wholly understood is none: half of it would be wrong dates. */
static void parse_rule(struct event *e, char *value)
{
    struct rule r = {.interval = 1, .until = INT32_MAX};
    bool ok = !e->has_rule;

    e->has_rule = true;
    while (ok && *value != '\0') {
        char *end = value + strcspn(value, ";");
        char *next = *end == ';' ? end + 1 : end;
        *end = '\0';
        char *eq = strchr(value, '=');
        if (eq != NULL) {
            *eq = '\0';
        }
        ok = eq != NULL && parse_part(&r, value, eq + 1) == 0;
        value = next;
    }
    bool one_way = r.by_day_count == 0 || (r.month_day == 0 && r.months != 0);
    if (ok && r.yearly && one_way) {
        e->rule = r;
    } else {
        e->rule.yearly = false;
        e->strange = true;
    }
}

/* ---- laying out -------------------------------------------------------------------- */

struct layout {
    const struct event *e;
    struct tkt_days *days;
    int left; /* of COUNT; -1: no end */
    bool ended;
};

/* One occurrence that begins on that day. -1: too many days. */
static int occur(struct layout *l, int32_t day)
{
    const struct event *e = l->e;
    int32_t length = e->has_end ? e->end - e->start : 1;

    if (day < e->start || l->ended) {
        return 0;
    }
    if (day > e->rule.until || l->left == 0) {
        l->ended = true;
        return 0;
    }
    l->left -= l->left > 0 ? 1 : 0;
    if (is_excluded(e, day)) {
        return 0;
    }
    for (int32_t i = 0; i < length; i++) {
        int year = tkt_civil_of(day + i).year;
        if (year >= TKT_CALENDAR_YEAR_FIRST && year <= TKT_CALENDAR_YEAR_LAST &&
            tkt_days_add(l->days, day + i) < 0) {
            return -1;
        }
    }
    return 0;
}

static bool is_by_day(const struct rule *r, int32_t day, int dom, int length)
{
    int weekday = tkt_civil_weekday(day);

    for (int i = 0; i < r->by_day_count; i++) {
        int n = r->by_day[i].number;
        if (r->by_day[i].weekday == weekday &&
            (n == 0 || (n > 0 && (dom - 1) / 7 + 1 == n) ||
             (n < 0 && (length - dom) / 7 + 1 == -n))) {
            return true;
        }
    }
    return false;
}

static int occur_in_month(struct layout *l, int year, int month)
{
    const struct rule *r = &l->e->rule;
    int length = tkt_civil_month_length(year, month);
    int want = r->month_day != 0 ? r->month_day : tkt_civil_of(l->e->start).day;

    if (want < 0) {
        want = length + 1 + want;
    }
    for (int dom = 1; dom <= length; dom++) {
        int32_t day = tkt_civil_days(year, month, dom);
        bool hit = r->by_day_count > 0 ? is_by_day(r, day, dom, length) : dom == want;
        if (hit && occur(l, day) < 0) {
            return -1;
        }
    }
    return 0;
}

static int lay_out(const struct event *e, struct tkt_days *days)
{
    struct layout l = {
        .e = e, .days = days, .left = e->rule.count > 0 ? e->rule.count : -1};
    struct tkt_civil start = tkt_civil_of(e->start);
    unsigned months = e->rule.months != 0 ? e->rule.months : 1u << start.month;

    if (!e->rule.yearly) {
        struct event once = *e;
        once.rule.until = INT32_MAX;
        l.e = &once;
        return occur(&l, e->start);
    }
    for (int y = start.year; y <= TKT_CALENDAR_YEAR_LAST && !l.ended;
         y += e->rule.interval) {
        for (int m = 1; m <= 12; m++) {
            if ((months >> m & 1) != 0 && occur_in_month(&l, y, m) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- events ------------------------------------------------------------------------ */

static void skip(struct tkt_ical_result *out, const struct event *e)
{
    if (out->skipped++ == 0) {
        out->first_skipped_line = e->line;
    }
}

static int end_event(struct event *e, struct tkt_days *days, struct tkt_ical_result *out,
                     struct tkt_err *err)
{
    if (e->has_start && !e->has_end && e->length > 0) { /* lines have no order */
        e->end = e->start + e->length;
        e->has_end = true;
    }
    bool long_one =
        e->has_end && (e->end <= e->start || e->end - e->start > TKT_ICAL_EVENT_DAYS_MAX);

    if (!e->has_start || e->timed || e->cancelled || long_one) {
        skip(out, e);
        return 0;
    }
    if (e->strange) {
        skip(out, e);
    } else {
        out->events++;
    }
    return lay_out(e, days) == 0
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "line %u: more than %d days off, or no memory", e->line,
                             TKT_CALENDAR_HOLIDAYS_MAX);
}

static void event_line(struct event *e, struct reader *r)
{
    if (strcasecmp(r->name, "BEGIN") == 0) {
        e->depth++;
    } else if (strcasecmp(r->name, "END") == 0) {
        e->depth--;
    } else if (e->depth > 0) {
        return;
    } else if (strcasecmp(r->name, "DTSTART") == 0) {
        parse_start(e, r->value, false);
    } else if (strcasecmp(r->name, "DTEND") == 0) {
        parse_start(e, r->value, true);
    } else if (strcasecmp(r->name, "DURATION") == 0) {
        parse_duration(e, r->value);
    } else if (strcasecmp(r->name, "RRULE") == 0) {
        parse_rule(e, r->value);
    } else if (strcasecmp(r->name, "EXDATE") == 0) {
        parse_exdates(e, r->value);
    } else if (strcasecmp(r->name, "RDATE") == 0 ||
               strcasecmp(r->name, "RECURRENCE-ID") == 0) {
        e->strange = true; /* of the latter: the day that it moves stays one, too */
    } else if (strcasecmp(r->name, "STATUS") == 0) {
        e->cancelled = strcasecmp(r->value, "CANCELLED") == 0;
    }
}

int tkt_ical_read(const void *data, size_t n, struct tkt_days *days,
                  struct tkt_ical_result *out, struct tkt_err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct reader r = {.at = data, .end = (const char *)data + n, .next_line = 1};
    struct event e;
    bool within = false;

    memset(out, 0, sizeof(*out));
    if (n > TKT_ICAL_FILE_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF, "larger than %d bytes", TKT_ICAL_FILE_MAX);
    }
    if (n >= 3 && memcmp(r.at, mark, 3) == 0) {
        r.at += 3;
    }
    if (!next_line(&r) || !is_line(&r, "BEGIN", "VCALENDAR")) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "not an iCalendar file: it does not begin with "
                           "BEGIN:VCALENDAR");
    }
    while (next_line(&r)) {
        if (!within && is_line(&r, "BEGIN", "VEVENT")) {
            memset(&e, 0, sizeof(e));
            e.line = r.line;
            within = true;
        } else if (within && e.depth == 0 && is_line(&r, "END", "VEVENT")) {
            within = false;
            if (end_event(&e, days, out, err) < 0) {
                return -1;
            }
        } else if (within) {
            event_line(&e, &r);
        }
    }
    return within ? tkt_err_set(err, TKT_ERR_CONF, "line %u: an event without its end",
                                e.line)
                  : 0;
}
