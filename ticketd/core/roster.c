/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/roster.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "decide/ical.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define ZONES "/usr/share/zoneinfo"

_Static_assert((int)TKT_STRATEGY_NONE == (int)TKT_ASSIGN_NONE &&
                   (int)TKT_STRATEGY_ROUND_ROBIN == (int)TKT_ASSIGN_ROUND_ROBIN &&
                   (int)TKT_STRATEGY_LEAST_OPEN == (int)TKT_ASSIGN_LEAST_OPEN &&
                   (int)TKT_STRATEGY_SKILLS == (int)TKT_ASSIGN_SKILLS &&
                   (int)TKT_STRATEGY_STICKY == (int)TKT_ASSIGN_STICKY,
               "the configuration's strategies are those of decide/assign.h");

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "roster: no memory");
}

/* ---- calendars ---------------------------------------------------------------------- */

/* A regular file of at most max bytes; *data is the caller's. */
static int read_file(const char *path, size_t max, char **data, size_t *n,
                     struct tkt_err *err)
{
    TKT_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    TKT_AUTO_FREE char *buf = fd < 0 ? NULL : malloc(max + 1);

    if (fd < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: %s", path, strerror(errno));
    }
    if (buf == NULL) {
        return no_memory(err);
    }
    if (tkt_pread_full(fd, buf, max + 1, 0, n, err) < 0) {
        err->class = TKT_ERR_CONF; /* a folder, for one */
        return tkt_err_prefix(err, "%s", path);
    }
    if (*n > max) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: larger than %zu bytes", path, max);
    }
    *data = buf;
    buf = NULL;
    return 0;
}

static int read_zone(const struct tkt_conf_calendar *from, struct tkt_calendar *c,
                     struct tkt_err *err)
{
    const char *dir = getenv("TZDIR");
    TKT_AUTO_FREE char *data = NULL;
    char path[512];
    size_t n = 0;

    if (strcmp(from->time_zone, "UTC") == 0) {
        return 0;
    }
    snprintf(path, sizeof(path), "%s/%s", dir != NULL && dir[0] == '/' ? dir : ZONES,
             from->time_zone);
    if (read_file(path, TKT_ZONE_FILE_MAX, &data, &n, err) < 0) {
        return tkt_err_prefix(err, "calendar %s: time_zone %s (is tzdata installed?)",
                              from->name, from->time_zone);
    }
    c->zone = tkt_zone_read(data, n, err);
    return c->zone != NULL ? 0 : tkt_err_prefix(err, "calendar %s: %s", from->name, path);
}

static int read_holiday_file(const struct tkt_conf_calendar *from, const char *path,
                             struct tkt_calendar *c, struct tkt_buf *warnings,
                             struct tkt_err *err)
{
    struct tkt_ical_result result;
    TKT_AUTO_FREE char *data = NULL;
    size_t n = 0;

    if (read_file(path, TKT_ICAL_FILE_MAX, &data, &n, err) < 0) {
        return tkt_err_prefix(err, "calendar %s: holiday_files", from->name);
    }
    if (tkt_ical_read(data, n, &c->holidays, &result, err) < 0) {
        return tkt_err_prefix(err, "calendar %s: %s", from->name, path);
    }
    if (warnings != NULL && result.skipped > 0) {
        (void)tkt_buf_addf(warnings,
                           "%s: %u events are no days off by date or by a yearly rule, "
                           "first in line %u; %u are taken\n",
                           path, result.skipped, result.first_skipped_line,
                           result.events); /* a full buffer: the rest is not told */
    }
    return 0;
}

static int make_calendar(const struct tkt_conf_calendar *from, struct tkt_calendar *c,
                         struct tkt_buf *warnings, struct tkt_err *err)
{
    c->name = strdup(from->name);
    c->always = from->hours.count == 0;
    if (c->name == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < from->hours.count; i++) {
        if (tkt_hours_add(&c->hours, from->hours.items[i]) < 0) {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "calendar %s: hours: more than %d times a day at %s",
                               from->name, TKT_HOURS_SPANS_MAX, from->hours.items[i]);
        }
    }
    for (size_t i = 0; i < from->holidays.count; i++) {
        if (tkt_calendar_holiday(c, from->holidays.items[i], err) < 0) {
            return tkt_err_prefix(err, "calendar %s: holidays", from->name);
        }
    }
    for (size_t i = 0; i < from->holiday_files.count; i++) {
        if (read_holiday_file(from, from->holiday_files.items[i], c, warnings, err) < 0) {
            return -1;
        }
    }
    tkt_days_sort(&c->holidays);
    return read_zone(from, c, err);
}

static const struct tkt_calendar *calendar_named(const struct tkt_roster *r,
                                                 const char *name)
{
    for (size_t i = 0; name[0] != '\0' && i < r->calendar_count; i++) {
        if (strcmp(r->calendars[i].name, name) == 0) {
            return &r->calendars[i];
        }
    }
    return NULL;
}

/* ---- groups ------------------------------------------------------------------------- */

static char *lower(const char *text)
{
    char *copy = strdup(text);

    if (copy != NULL) {
        tkt_ascii_lower(copy);
    }
    return copy;
}

static int copy_list(const struct tkt_conf_list *from, struct tkt_strings *to)
{
    to->items = calloc(from->count + 1, sizeof(*to->items));
    for (size_t i = 0; to->items != NULL && i < from->count; i++) {
        to->items[i] = lower(from->items[i]);
        if (to->items[i] == NULL) {
            return -1;
        }
        to->count++;
    }
    return to->items == NULL ? -1 : 0;
}

static const struct tkt_conf_agent *agent_of(const struct tkt_conf *conf,
                                             const char *address)
{
    for (size_t i = 0; i < conf->agent_count; i++) {
        if (tkt_ascii_ieq(conf->agents[i].name, address)) {
            return &conf->agents[i];
        }
    }
    return NULL;
}

static int make_absences(const struct tkt_conf_agent *from, struct tkt_roster_agent *m)
{
    m->absences = calloc(from->absent.count + 1, sizeof(*m->absences));
    for (size_t i = 0; m->absences != NULL && i < from->absent.count; i++) {
        struct tkt_roster_absence *a = &m->absences[m->absence_count];
        if (tkt_civil_parse_range(from->absent.items[i], &a->first, &a->last) == 0) {
            m->absence_count++; /* the configuration was checked: always */
        }
    }
    return m->absences == NULL ? -1 : 0;
}

static int make_member(const struct tkt_conf *conf, const struct tkt_roster *r,
                       const char *address, struct tkt_roster_agent *m)
{
    const struct tkt_conf_agent *from = agent_of(conf, address);

    m->weight = from != NULL ? (int)from->weight : 1;
    m->address = lower(address);
    m->name = strdup(from != NULL && from->display_name[0] != '\0' ? from->display_name
                                                                   : address);
    if (m->address == NULL || m->name == NULL) {
        return -1;
    }
    if (from == NULL) {
        return 0;
    }
    m->cap = from->cap;
    m->calendar = calendar_named(r, from->calendar);
    return copy_list(&from->skills, &m->skills) < 0 || make_absences(from, m) < 0 ? -1
                                                                                  : 0;
}

static int by_address(const void *a, const void *b)
{
    return strcmp(((const struct tkt_roster_agent *)a)->address,
                  ((const struct tkt_roster_agent *)b)->address);
}

/* An address may stand there in two spellings. */
static bool is_listed(const struct tkt_roster_group *g, const char *address)
{
    return tkt_roster_member(g, address) != NULL;
}

static int make_group(const struct tkt_conf *conf, const struct tkt_roster *r,
                      const struct tkt_conf_group *from, struct tkt_roster_group *g)
{
    g->name = strdup(from->name);
    g->fallback = strdup(from->fallback);
    g->strategy = (enum tkt_assign_strategy)from->strategy;
    g->calendar = calendar_named(r, from->calendar);
    g->cap = from->cap;
    g->take_on_reply = from->take_on_reply;
    g->members = calloc(from->members.count + 1, sizeof(*g->members));
    if (g->name == NULL || g->fallback == NULL || g->members == NULL ||
        copy_list(&from->categories, &g->categories) < 0 ||
        copy_list(&from->departments, &g->departments) < 0) {
        return -1;
    }
    for (size_t i = 0; i < from->members.count; i++) {
        if (is_listed(g, from->members.items[i])) {
            continue;
        }
        g->member_count++; /* counted first: freed also when half made */
        if (make_member(conf, r, from->members.items[i],
                        &g->members[g->member_count - 1]) < 0) {
            return -1;
        }
    }
    qsort(g->members, g->member_count, sizeof(*g->members), by_address);
    return 0;
}

struct tkt_roster *tkt_roster_new(const struct tkt_conf *conf, struct tkt_buf *warnings,
                                  struct tkt_err *err)
{
    struct tkt_roster *r = calloc(1, sizeof(*r));

    if (r != NULL) {
        r->calendars = calloc(conf->calendar_count + 1, sizeof(*r->calendars));
        r->groups = calloc(conf->group_count + 1, sizeof(*r->groups));
    }
    if (r == NULL || r->calendars == NULL || r->groups == NULL) {
        (void)no_memory(err); /* NULL says so */
        tkt_roster_free(&r);
        return NULL;
    }
    for (size_t i = 0; i < conf->calendar_count; i++) {
        r->calendar_count++;
        if (make_calendar(&conf->calendars[i], &r->calendars[i], warnings, err) < 0) {
            tkt_roster_free(&r);
            return NULL;
        }
    }
    for (size_t i = 0; i < conf->group_count; i++) {
        r->group_count++;
        if (make_group(conf, r, &conf->groups[i], &r->groups[i]) < 0) {
            (void)no_memory(err); /* as above */
            tkt_roster_free(&r);
            return NULL;
        }
    }
    return r;
}
