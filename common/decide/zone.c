/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/zone.h"

#include "base/civil.h"
#include "base/util.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define HEADER_LEN 44
#define TIMES_MAX 4000 /* transitions of a file; tzdata's longest has some 250 */
#define TYPES_MAX 256
#define OFFSET_MAX (26 * 3600) /* RFC 8536: within 25 and 26 hours */
#define FOOTER_MAX 256

struct tkt_zone {
    size_t count;
    int32_t first; /* before the first transition */
    struct change {
        int64_t at;
        int32_t offset; /* from then on */
    } changes[];
};

static int bad(struct tkt_err *err, const char *what)
{
    return tkt_err_set(err, TKT_ERR_CONF, "not a time zone file: %s", what);
}

static bool is_offset(int32_t seconds)
{
    return seconds >= -OFFSET_MAX && seconds <= OFFSET_MAX;
}

/* ---- the binary part --------------------------------------------------------------- */

struct block {
    uint32_t isut, isstd, leap, time, type, chars;
    size_t width; /* of a time */
    const unsigned char *data;
};

static uint32_t get32(const unsigned char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return be32toh(v);
}

static int64_t get_time(const unsigned char *p, size_t width)
{
    uint64_t v;

    if (width == 4) {
        return (int32_t)get32(p);
    }
    memcpy(&v, p, sizeof(v));
    return (int64_t)be64toh(v);
}

/* Bytes of header and data; 0: malformed. */
static size_t read_block(const unsigned char *p, size_t n, size_t width, struct block *b)
{
    if (n < HEADER_LEN || memcmp(p, "TZif", 4) != 0) {
        return 0;
    }
    *b = (struct block){get32(p + 20), get32(p + 24), get32(p + 28), get32(p + 32),
                        get32(p + 36), get32(p + 40), width,         p + HEADER_LEN};
    if (b->isut > TYPES_MAX || b->isstd > TYPES_MAX || b->leap > TIMES_MAX ||
        b->time > TIMES_MAX || b->type == 0 || b->type > TYPES_MAX || b->chars > 4096) {
        return 0;
    }
    size_t size = HEADER_LEN + b->time * (width + 1) + b->type * (size_t)6 + b->chars +
                  b->leap * (width + 4) + b->isstd + b->isut;
    return size <= n ? size : 0;
}

static int32_t type_offset(const struct block *b, unsigned type)
{
    return (int32_t)get32(b->data + b->time * (b->width + 1) + (size_t)type * 6);
}

static int read_changes(const struct block *b, struct tkt_zone *z, struct tkt_err *err)
{
    const unsigned char *types = b->data + b->time * b->width;

    for (unsigned i = 0; i < b->type; i++) {
        if (!is_offset(type_offset(b, i))) {
            return bad(err, "an offset of more than a day");
        }
    }
    z->first = type_offset(b, 0);
    for (uint32_t i = 0; i < b->time; i++) {
        int64_t at = get_time(b->data + i * b->width, b->width);
        if (types[i] >= b->type || (z->count > 0 && at <= z->changes[z->count - 1].at)) {
            return bad(err, "transitions out of order");
        }
        z->changes[z->count++] = (struct change){at, type_offset(b, types[i])};
    }
    return 0;
}

/* ---- the rule at the end: "CET-1CEST,M3.5.0,M10.5.0/3" ------------------------------ */

struct when {
    char kind; /* M month.week.day, J day without leap days, N day of the year from 0 */
    int month, week, day;
    int time_s;
};

struct rule {
    int32_t standard;
    int32_t summer;
    bool changes;
    struct when begin, end;
};

static int skip_name(const char **at)
{
    const char *p = *at;

    if (*p == '<') {
        p += strcspn(p, ">");
        if (*p++ != '>') {
            return -1;
        }
    } else {
        while ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')) {
            p++;
        }
    }
    if (p - *at < 3) {
        return -1;
    }
    *at = p;
    return 0;
}

static int get_number(const char **at, int max, int *out)
{
    int n = 0;
    const char *p = *at;

    for (; *p >= '0' && *p <= '9' && n <= max; p++) {
        n = n * 10 + (*p - '0');
    }
    if (p == *at || n > max) {
        return -1;
    }
    *at = p;
    *out = n;
    return 0;
}

/* [+-]h[:m[:s]] as seconds; hours up to 167 in rules of version 3. */
static int get_clock(const char **at, int *out)
{
    int part[3] = {0, 0, 0};
    int sign = **at == '-' ? -1 : 1;

    *at += **at == '-' || **at == '+' ? 1 : 0;
    if (get_number(at, 167, &part[0]) < 0) {
        return -1;
    }
    for (int i = 1; i < 3 && **at == ':'; i++) {
        (*at)++;
        if (get_number(at, 59, &part[i]) < 0) {
            return -1;
        }
    }
    *out = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return 0;
}

static int get_when(const char **at, struct when *w)
{
    *w = (struct when){.kind = 'N', .time_s = 2 * 3600};
    if (*(*at)++ != ',') {
        return -1;
    }
    if (**at == 'M') {
        (*at)++;
        w->kind = 'M';
        if (get_number(at, 12, &w->month) < 0 || *(*at)++ != '.' ||
            get_number(at, 5, &w->week) < 0 || *(*at)++ != '.' ||
            get_number(at, 6, &w->day) < 0 || w->month < 1 || w->week < 1) {
            return -1;
        }
    } else {
        if (**at == 'J') {
            (*at)++;
            w->kind = 'J';
        }
        if (get_number(at, 365, &w->day) < 0 || (w->kind == 'J' && w->day < 1)) {
            return -1;
        }
    }
    if (**at == '/') {
        (*at)++;
        return get_clock(at, &w->time_s);
    }
    return 0;
}

/* 1: r is filled; 0: no rule; -1. */
static int read_rule(const char *text, struct rule *r)
{
    const char *at = text;
    int clock = 0;

    memset(r, 0, sizeof(*r));
    if (*at == '\0') {
        return 0;
    }
    if (skip_name(&at) < 0 || get_clock(&at, &clock) < 0) {
        return -1;
    }
    r->standard = -clock; /* POSIX counts to the west */
    if (!is_offset(r->standard)) {
        return -1;
    }
    if (*at == '\0') {
        return 1;
    }
    if (skip_name(&at) < 0) {
        return -1;
    }
    r->changes = true;
    r->summer = r->standard + 3600;
    if (*at != ',') {
        if (get_clock(&at, &clock) < 0) {
            return -1;
        }
        r->summer = -clock;
    }
    return is_offset(r->summer) && get_when(&at, &r->begin) == 0 &&
                   get_when(&at, &r->end) == 0 && *at == '\0'
               ? 1
               : -1;
}

/* Seconds from 1970 on the wall. */
static int64_t wall_of(const struct when *w, int year)
{
    int32_t day;

    if (w->kind == 'M') {
        int32_t first = tkt_civil_days(year, w->month, 1);
        int weekday = (w->day + 6) % 7; /* POSIX begins with Sunday */
        int n = (weekday - tkt_civil_weekday(first) + 7) % 7 + 7 * (w->week - 1);
        while (n >= tkt_civil_month_length(year, w->month)) {
            n -= 7;
        }
        day = first + n;
    } else {
        int leap = tkt_civil_month_length(year, 2) == 29;
        int n = w->kind == 'J' ? w->day - 1 + (leap && w->day >= 60 ? 1 : 0) : w->day;
        day = tkt_civil_days(year, 1, 1) + n;
    }
    return (int64_t)day * TKT_DAY_S + w->time_s;
}

static void add_change(struct tkt_zone *z, int64_t at, int32_t offset)
{
    if (z->count == 0 || at > z->changes[z->count - 1].at) {
        z->changes[z->count++] = (struct change){at, offset};
    }
}

/* Both changes of each year behind the last transition of the table. */
static void lay_out(struct tkt_zone *z, const struct rule *r)
{
    int64_t last = z->count > 0 ? z->changes[z->count - 1].at : 0;
    int year = tkt_civil_of((int32_t)(last / TKT_DAY_S)).year;

    if (last / TKT_DAY_S > INT32_MAX / 2 || last < 0) {
        year = 1970;
    }
    if (!r->changes) {
        return;
    }
    for (; year <= TKT_ZONE_YEAR_MAX; year++) {
        int64_t summer = wall_of(&r->begin, year) - r->standard;
        int64_t winter = wall_of(&r->end, year) - r->summer;
        if (summer < winter) {
            add_change(z, summer, r->summer);
            add_change(z, winter, r->standard);
        } else {
            add_change(z, winter, r->standard);
            add_change(z, summer, r->summer);
        }
    }
}

/* ---- all of it ---------------------------------------------------------------------- */

static int read_footer(const unsigned char *p, size_t n, struct tkt_zone *z,
                       struct tkt_err *err)
{
    char text[FOOTER_MAX];
    struct rule r;

    if (n < 2 || p[0] != '\n') {
        return bad(err, "no rule at its end");
    }
    const unsigned char *end = memchr(p + 1, '\n', n - 1);
    size_t len = end == NULL ? FOOTER_MAX : (size_t)(end - p - 1);
    if (len >= FOOTER_MAX || memchr(p + 1, '\0', len) != NULL) {
        return bad(err, "a rule without an end");
    }
    memcpy(text, p + 1, len);
    text[len] = '\0';
    int rc = read_rule(text, &r);
    if (rc < 0) {
        return bad(err, "a rule that cannot be read");
    }
    if (rc > 0 && z->count == 0 && !r.changes) {
        z->first = r.standard;
    }
    if (rc > 0) {
        lay_out(z, &r);
    }
    return 0;
}

struct tkt_zone *tkt_zone_read(const void *data, size_t n, struct tkt_err *err)
{
    const unsigned char *p = data;
    struct block b;
    size_t size = read_block(p, n, 4, &b);

    if (size == 0 || n > TKT_ZONE_FILE_MAX) {
        (void)bad(err, "no TZif header"); /* NULL says so */
        return NULL;
    }
    bool has_rule = p[4] >= '2';
    if (has_rule) {
        p += size;
        n -= size;
        size = read_block(p, n, 8, &b);
        if (size == 0) {
            (void)bad(err, "cut short"); /* as above */
            return NULL;
        }
    }
    struct tkt_zone *z =
        calloc(1, sizeof(*z) + (b.time + 2 * (TKT_ZONE_YEAR_MAX - 1969 + 1)) *
                                   sizeof(z->changes[0]));
    if (z == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        return NULL;
    }
    if (read_changes(&b, z, err) < 0 ||
        (has_rule && read_footer(p + size, n - size, z, err) < 0)) {
        tkt_zone_free(&z);
    }
    return z;
}

void tkt_zone_free(struct tkt_zone **zone)
{
    free(*zone);
    *zone = NULL;
}

int32_t tkt_zone_offset(const struct tkt_zone *z, int64_t t_s, int64_t *until_s)
{
    size_t lo = 0;
    size_t hi = z == NULL ? 0 : z->count;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (z->changes[mid].at <= t_s) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *until_s = z == NULL || lo == z->count ? INT64_MAX : z->changes[lo].at;
    if (z == NULL) {
        return 0;
    }
    return lo == 0 ? z->first : z->changes[lo - 1].offset;
}
