/* SPDX-License-Identifier: BSD-2-Clause
 * Timers of many open tickets: what a tick costs where nothing is due and where much is,
 * how long an event takes, and how long the store takes to open. JSON, a line a row.
 *
 *     sla_bench DIR TICKETS
 *
 * DIR keeps the store, so that ticketd can be started over it.
 */
#include "base/clock.h"
#include "base/util.h"
#include "store/follow.h"
#include "store/sla.h"
#include "store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S INT64_C(1800000000)
#define TICKS 1000
#define DUE 16 /* as ticketd */
#define FULL_TICKS 1000
#define CHECKPOINT_TICKS 50 /* about as ticketd by what was written, between two ticks */
#define EVENTS 2000

static struct tkt_sla_policy policy = {
    .name = (char *)"silver", .calendar = (char *)"", .pauses = true, .warn = 75};
static struct tkt_sla_desk desk = {.name = (char *)"it", .sla = (char *)"silver"};
static struct tkt_roster roster;
static struct tkt_sla_book book = {.policies = &policy,
                                   .policy_count = 1,
                                   .desks = &desk,
                                   .desk_count = 1,
                                   .roster = &roster};
static struct tkt_err err = TKT_ERR_INIT;

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "sla_bench: %s: %s\n", what, err.text);
        exit(1);
    }
}

static struct tkt_store *open_store(const char *dir)
{
    const struct tkt_store_options opt = {.dir = dir,
                                          .host = "bench",
                                          .id_block = 1000,
                                          .batch_bytes_max = 4 << 20,
                                          .batch_us_max = 1000000};
    struct tkt_store *s = tkt_store_open(&opt, &err);

    must(s != NULL, "open");
    return s;
}

/* Two timers a ticket that run, due from now + 1 h on, as if they had been begun by events:
 * written at once, for speed. */
static void fill(const char *dir, long tickets)
{
    char path[600];
    char sql[3000];
    sqlite3 *db = NULL;
    char *text = NULL;

    snprintf(path, sizeof(path), "%s/tickets.db", dir);
    must(sqlite3_open(path, &db) == SQLITE_OK, path);
    snprintf(
        sql, sizeof(sql),
        "PRAGMA synchronous = OFF; BEGIN;"
        "INSERT INTO series(id, prefix, next) VALUES(1, 'IT', %ld);"
        "INSERT INTO desks(id, name) VALUES(1, 'it');"
        "INSERT INTO places(follower, event) VALUES('sla', 0);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %ld)"
        " INSERT INTO tickets(id, series, number, desk, state, flags, corr, created,"
        " changed, itsm, requester, subject, type, grp, priority) SELECT i, 1, i, 1, 2, "
        "13,"
        " randomblob(16), 1790000000000, 1790000000000, 'local',"
        " 'person' || i || '@example.org', 'printer ' || i, 'incident', 'net', 3 FROM n;"
        "INSERT INTO slas SELECT id, 'silver', '', '', '', 32, %lld,"
        " 'sla silver: that of the desk it' FROM tickets;"
        "INSERT INTO timers SELECT id, 'first_response', 1, 14400, 0, %lld, 0,"
        " %lld + 3600 + abs(random()) %% 1000000 FROM tickets;"
        "INSERT INTO timers SELECT id, 'resolution', 1, 144000, 0, %lld, 0,"
        " %lld + 3600 + abs(random()) %% 4000000 FROM tickets;"
        "COMMIT; PRAGMA wal_checkpoint(TRUNCATE);",
        tickets + 1, tickets, (long long)NOW_S, (long long)NOW_S, (long long)NOW_S,
        (long long)NOW_S, (long long)NOW_S);
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fprintf(stderr, "sla_bench: %s\n", text);
        exit(1);
    }
    must(sqlite3_close(db) == SQLITE_OK, "close");
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t at(int64_t *us, int count, int percent)
{
    qsort(us, (size_t)count, sizeof(*us), by_size);
    return us[TKT_MIN(count * percent / 100, count - 1)];
}

static void row(const char *name, long tickets, int64_t *us, int count, int each)
{
    int64_t low = at(us, count, 50);
    int64_t high = at(us, count, 99);

    printf("{\"bench\":\"sla\",\"what\":\"%s\",\"tickets\":%ld,\"n\":%d,\"each\":%d,"
           "\"p50_us\":%lld,\"p99_us\":%lld}\n",
           name, tickets, count, each, (long long)low, (long long)high);
    fflush(stdout);
}

/* With now below any due time nothing happens; each moment later a ticket or two is. */
static void ticks(struct tkt_store *s, long tickets)
{
    static int64_t us[TKT_MAX(TICKS, FULL_TICKS)];
    int count = 0;

    for (int i = 0; i < TICKS; i++) {
        int64_t t = tkt_clock_mono_us();
        must(tkt_store_sla_tick(s, &book, NOW_S * 1000, DUE, &err) == 0, "idle tick");
        us[count++] = tkt_clock_mono_us() - t;
    }
    row("tick, nothing due", tickets, us, count, 0);
    int64_t late = (NOW_S + 10000000) * 1000;
    for (count = 0; count < FULL_TICKS; count++) {
        if (count % CHECKPOINT_TICKS == 0) {
            must(tkt_store_checkpoint(s, &err) == 0, "checkpoint");
        }
        int64_t t = tkt_clock_mono_us();
        int n = tkt_store_sla_tick(s, &book, late, DUE, &err);
        us[count] = tkt_clock_mono_us() - t;
        must(n == DUE, "full tick");
        (void)tkt_store_place_drop(s, TKT_SLA_FOLLOWER, &err); /* follows at once */
        must(tkt_store_place_move(s, TKT_SLA_FOLLOWER, -1, INT64_MAX, &err) == 0,
             "place");
    }
    row("tick, 16 due", tickets, us, count, DUE);
}

static void events(struct tkt_store *s, long tickets)
{
    static int64_t us[EVENTS];

    for (int i = 0; i < EVENTS; i++) {
        unsigned what[] = {TKT_SLA_W_PAUSE, TKT_SLA_W_RESUME, TKT_SLA_W_ANSWER};
        const struct tkt_store_sla_event e = {.at_ms = NOW_S * 1000 + i,
                                              .ticket = 1 + (int64_t)(i * INT64_C(7919)) %
                                                                tickets,
                                              .what = what[i % 3]};
        int64_t t = tkt_clock_mono_us();
        must(tkt_store_sla_apply(s, &book, &e, e.at_ms, &err) == 0, "event");
        us[i] = tkt_clock_mono_us() - t;
    }
    row("event, a commit each", tickets, us, EVENTS, 1);
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : "";
    long tickets = argc > 2 ? atol(argv[2]) : 0;

    if (dir[0] == '\0' || tickets < 10000) {
        fprintf(stderr, "usage: sla_bench DIR TICKETS\n");
        return 64;
    }
    for (int p = 1; p <= TKT_SLA_PRIORITIES; p++) {
        policy.target_s[TKT_SLA_FIRST][p] = 14400;
        policy.target_s[TKT_SLA_RESOLUTION][p] = 144000;
    }
    struct tkt_store *s = open_store(dir);
    tkt_store_close(&s);
    fill(dir, tickets);
    int64_t t = tkt_clock_mono_us();
    s = open_store(dir);
    must(tkt_store_sla_tick(s, &book, NOW_S * 1000, DUE, &err) == 0, "first tick");
    t = tkt_clock_mono_us() - t;
    row("open and first tick", tickets, &t, 1, 0);
    ticks(s, tickets);
    events(s, tickets);
    tkt_store_close(&s);
    return 0;
}
