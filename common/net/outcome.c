/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/outcome.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *const tkt_http_outcome_names[] = {[TKT_HTTP_DONE] = "done",
                                              [TKT_HTTP_REJECTED] = "rejected",
                                              [TKT_HTTP_RETRY] = "retry",
                                              [TKT_HTTP_UNKNOWN] = "unknown",
                                              [TKT_HTTP_OUTCOME_COUNT] = NULL};

static int month_of(const char *name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++) {
        if (strncmp(names + (size_t)i * 3, name, 3) == 0) {
            return i;
        }
    }
    return -1;
}

static int64_t to_seconds(int year, const char *month, int day, int hour, int min,
                          int sec)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month_of(month),
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = min,
                    .tm_sec = sec};

    if (tm.tm_mon < 0 || year < 1970 || year > 9999 || day < 1 || day > 31 || hour < 0 ||
        hour > 23 || min < 0 || min > 59 || sec < 0 || sec > 60) {
        return -1;
    }
    return (int64_t)timegm(&tm);
}

int64_t tkt_http_date(const char *v)
{
    char month[4];
    int y, d, h, m, s;

    /* IMF-fixdate, then the two forms that RFC 9110 5.6.7 keeps for old servers. */
    if (sscanf(v, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &d, month, &y, &h,
               &m, &s) == 6) {
        return to_seconds(y, month, d, h, m, s);
    }
    if (sscanf(v, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT", &d, month, &y, &h, &m,
               &s) == 6) {
        return to_seconds(y < 70 ? y + 2000 : y + 1900, month, d, h, m, s);
    }
    if (sscanf(v, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month, &d, &h, &m, &s,
               &y) == 6) {
        return to_seconds(y, month, d, h, m, s);
    }
    return -1;
}

int tkt_retry_after(const char *v, int64_t now_s)
{
    size_t digits = strspn(v, "0123456789");
    int64_t wait = 0;

    if (digits > 0) {
        size_t tail = strspn(v + digits, ".0123456789"); /* some send a fraction */

        if (v[digits + tail] != '\0') {
            return 0;
        }
        for (size_t i = 0; i < digits && wait <= TKT_HTTP_RETRY_AFTER_MAX_S; i++) {
            wait = wait * 10 + (v[i] - '0');
        }
        wait += tail > 0;
    } else {
        int64_t at = tkt_http_date(v);

        wait = at < 0 ? 0 : at - now_s;
    }
    return (int)TKT_MAX(0, TKT_MIN(wait, TKT_HTTP_RETRY_AFTER_MAX_S));
}

/* "2026-11-22T10:00Z", with or without seconds and their fraction; -1: none. */
static int64_t iso_seconds(const char *v)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int y, mon, d, h, m;
    int s = 0;

    if (sscanf(v, "%4d-%2d-%2dT%2d:%2d:%2d", &y, &mon, &d, &h, &m, &s) < 5 || mon < 1 ||
        mon > 12) {
        return -1;
    }
    return to_seconds(y, months[mon - 1], d, h, m, s);
}

static int64_t reset_wait(const char *v, int64_t now_s)
{
    size_t digits = strspn(v, "0123456789");
    int64_t n = 0;

    if (digits == 0 || digits > 15) {
        return 0;
    }
    if (v[digits] == '-') {
        n = iso_seconds(v);
        return n < 0 ? 0 : n - now_s;
    }
    for (size_t i = 0; i < digits; i++) {
        n = n * 10 + (v[i] - '0');
    }
    if (v[digits] != '\0' && v[digits] != '.') {
        return 0;
    }
    n += v[digits] == '.';
    return n > 1000000000 ? n - now_s : n; /* nobody rests for 30 years */
}

int tkt_http_rest_s(const struct tkt_http_response *r, int64_t now_s)
{
    static const char *const names[][2] = {
        {"ratelimit-remaining", "ratelimit-reset"},
        {"x-ratelimit-remaining", "x-ratelimit-reset"},
        {"x-rate-limit-remaining", "x-rate-limit-reset"}};
    int64_t wait = 0;
    char room[64];

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        const char *left = tkt_http_header(r, names[i][0], room, sizeof(room));

        if (left == NULL || strcmp(left, "0") != 0) {
            continue;
        }
        const char *reset = tkt_http_header(r, names[i][1], room, sizeof(room));
        wait = TKT_MAX(wait, reset == NULL ? 0 : reset_wait(reset, now_s));
    }
    return (int)TKT_MIN(wait, (int64_t)TKT_HTTP_RETRY_AFTER_MAX_S);
}

enum tkt_http_outcome tkt_http_status_outcome(int status, bool repeatable)
{
    switch (status) {
    case 408:
    case 425:
    case 429:
    case 500:
    case 503:
        return TKT_HTTP_RETRY;
    case 502: /* a gateway that lost the server: it may have got the request */
    case 504:
        return repeatable ? TKT_HTTP_RETRY : TKT_HTTP_UNKNOWN;
    default:
        break;
    }
    if (status >= 200 && status < 300) {
        return TKT_HTTP_DONE;
    }
    return status >= 501 ? TKT_HTTP_RETRY : TKT_HTTP_REJECTED;
}

enum tkt_err_class tkt_http_outcome_class(enum tkt_http_outcome outcome, int status)
{
    if (outcome == TKT_HTTP_DONE) {
        return TKT_ERR_NONE;
    }
    if (outcome == TKT_HTTP_REJECTED) {
        return status == 401 || status == 403 ? TKT_ERR_CONF : TKT_ERR_PERM;
    }
    return TKT_ERR_TEMP;
}

void tkt_http_unreadable(struct tkt_http_response *r, bool repeatable, const char *why)
{
    r->outcome = repeatable ? TKT_HTTP_RETRY : TKT_HTTP_UNKNOWN;
    tkt_err_set(&r->err, TKT_ERR_TEMP, "HTTP %d, but %s", r->status, why);
}

int64_t tkt_http_backoff_ms(int attempt, int64_t first_ms, int64_t max_ms, int asked_s,
                            unsigned jitter)
{
    int64_t asked = (int64_t)TKT_MIN(asked_s, TKT_HTTP_RETRY_AFTER_MAX_S) * 1000;
    int64_t range = TKT_MIN(first_ms, max_ms);

    jitter %= 1024;
    if (asked > 0) {
        return asked + asked / 10 + asked / 10 * (int64_t)jitter / 1023;
    }
    for (int i = 1; i < attempt && range < max_ms; i++) {
        range = TKT_MIN(range * 2, max_ms);
    }
    return TKT_MAX(INT64_C(1), range * (int64_t)(jitter + 1) / 1024);
}
