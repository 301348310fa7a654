/* SPDX-License-Identifier: BSD-2-Clause
 * A store with much to do.
 *
 *     queue_bench fill DIR TICKETS COMMENTS ITSM BYTES
 *         tickets of mails with a text of BYTES, each with a create for the ITSM, and
 *         every fourth with that many comments behind it ("step 1", "step 2", ...)
 *     queue_bench claims DIR COUNT...
 *         claims and ends a second, with so many jobs queued, each for its own ticket:
 *         one JSON line for each count, in rising order
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "store/store.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP 64
#define RAW_MAX 110000
#define CLAIMS 20000
#define BATCH 64

struct mail {
    char raw[RAW_MAX];
    struct tkt_store_desk_in desk;
    struct tkt_store_participant who[2];
    struct tkt_decision decision;
    struct tkt_store_reserve_in in;
    struct tkt_store_reserve_out res;
    struct tkt_store_desk_out out;
    char message_id[60];
};

static struct {
    const char *itsm;
    int64_t bytes, comments;
    int64_t made;
    char *text;
} fill;

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "queue_bench: %s\n", what);
        exit(1);
    }
}

static struct tkt_store *open_store(const char *dir)
{
    struct tkt_store_options opt = {.dir = dir, .host = "bench", .batch_us_max = 50000};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_store *s = tkt_store_open(&opt, &err);

    must(s != NULL, err.text);
    return s;
}

/* ---- fill -------------------------------------------------------------------------------- */

static void mail_init(struct mail *m, int64_t n)
{
    unsigned char random[16];

    memset(&m->in, 0, sizeof(m->in));
    memset(&m->desk, 0, sizeof(m->desk));
    tkt_random(random, sizeof(random));
    snprintf(m->message_id, sizeof(m->message_id), "<%" PRId64 ".queue@sender.test>", n);
    int size = snprintf(m->raw, sizeof(m->raw),
                        "From: Ann <ann@sender.test>\r\nTo: support@example.test\r\n"
                        "Subject: mail %" PRId64 "\r\nMessage-ID: %s\r\n"
                        "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n%s\r\n",
                        n, m->message_id, fill.text);
    m->decision = (struct tkt_decision){.action = TKT_ACTION_NEW,
                                        .why = (char *)"no thread",
                                        .type = (char *)"incident",
                                        .group = (char *)"",
                                        .priority = 3};
    m->who[0] = (struct tkt_store_participant){"ann@sender.test", "from"};
    m->desk = (struct tkt_store_desk_in){.desk = "it",
                                         .prefix = "IT",
                                         .itsm = fill.itsm,
                                         .itsm_type = "rt",
                                         .rcpt = "support@example.test",
                                         .reason = "",
                                         .decision = &m->decision,
                                         .default_type = "incident",
                                         .default_group = "",
                                         .default_priority = 3};
    tkt_sha256(random, sizeof(random), m->desk.key);
    m->in = (struct tkt_store_reserve_in){.desks = &m->desk,
                                          .desk_count = 1,
                                          .hook = "milter",
                                          .confirmed = true,
                                          .size = (uint64_t)size,
                                          .raw = m->raw,
                                          .envelope_json = "{}",
                                          .queue_id = "Q",
                                          .sender = "ann@sender.test",
                                          .subject = "mail",
                                          .message_id = m->message_id,
                                          .requester = "ann@sender.test",
                                          .requester_name = "Ann",
                                          .class_name = "human",
                                          .analysed = true,
                                          .analysis_error = "",
                                          .participants = m->who,
                                          .participant_count = 1,
                                          .now_ms = tkt_clock_wall_ms()};
    tkt_sha256(m->raw, (size_t)size, m->in.sha256);
    m->res.desks = &m->out;
}

static int apply_mail(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct mail *m = arg;
    bool talks = fill.made++ % 4 == 0;

    if (tkt_store_reserve(s, &m->in, &m->res, err) < 0) {
        return -1;
    }
    for (int64_t i = 1; talks && i <= fill.comments; i++) {
        char text[40];

        snprintf(text, sizeof(text), "step %" PRId64 " of it", i);
        if (tkt_store_comment(s, m->out.id, text, false, "ann", tkt_clock_wall_ms(),
                              err) < 0) {
            return -1;
        }
    }
    return 0;
}

static void fill_store(struct tkt_store *s, int64_t tickets)
{
    static struct mail mails[GROUP];
    struct tkt_store_item items[GROUP];

    for (int64_t n = 0; n < tickets;) {
        size_t want = (size_t)TKT_MIN(tickets - n, (int64_t)GROUP);

        for (size_t i = 0; i < want; i++) {
            mail_init(&mails[i], n + (int64_t)i);
            items[i] = (struct tkt_store_item){.apply = apply_mail, .arg = &mails[i]};
        }
        size_t done = tkt_store_batch(s, items, want);
        for (size_t i = 0; i < done; i++) {
            must(items[i].result == 0, items[i].err.text);
        }
        n += (int64_t)done;
    }
}

/* ---- claims ------------------------------------------------------------------------------ */

struct round {
    struct tkt_job jobs[BATCH];
    struct tkt_store_claim claim;
    int finish;
};

/* As dispatch does it: some end and as many are claimed, in one transaction. */
static int apply_round(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct round *r = arg;
    int64_t now = tkt_clock_wall_ms();

    for (int i = 0; i < r->finish; i++) {
        if (tkt_store_job_finish(s, r->jobs[i].id, "bench", TKT_JOB_DONE, 0, "", now,
                                 err) < 0) {
            return -1;
        }
    }
    tkt_jobs_release(r->jobs, r->finish);
    r->claim = (struct tkt_store_claim){
        .owner = "bench", .now_ms = now, .lease_ms = 60000, .out = r->jobs, .max = BATCH};
    return tkt_store_jobs_take(s, &r->claim, err);
}

/* Jobs alone, by SQL: each heads a lane of its own. */
static void queue_jobs(const char *dir, int64_t from, int64_t to)
{
    char path[600];
    char sql[600];
    sqlite3 *db = NULL;

    snprintf(path, sizeof(path), "%s/tickets.db", dir);
    snprintf(sql, sizeof(sql),
             "WITH RECURSIVE n(i) AS (SELECT %" PRId64
             " UNION ALL SELECT i + 1 FROM n WHERE i < %" PRId64 ")"
             " INSERT INTO jobs(ticket, kind, target, state, due, run_after, created,"
             " changed) SELECT 1, 'create', 'itsm' || (i %% 8), 0, i, i, 1, 1 FROM n",
             from + 1, to);
    must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK, path);
    must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int64_t memory_kb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long size = 0;
    long resident = 0;

    must(f != NULL && fscanf(f, "%ld %ld", &size, &resident) == 2, "statm");
    fclose(f);
    return resident * 4;
}

static void measure(const char *dir, int64_t count)
{
    struct tkt_store *s = open_store(dir);
    struct round r = {.finish = 0};
    int64_t done = 0;
    int64_t most = TKT_MIN(count / 2, (int64_t)CLAIMS);
    int64_t start = tkt_clock_mono_us();

    while (done < most) {
        struct tkt_store_item item = {.apply = apply_round, .arg = &r};

        must(tkt_store_batch(s, &item, 1) == 1 && item.result >= 0, item.err.text);
        done += r.finish;
        r.finish = r.claim.count;
    }
    int64_t took = tkt_clock_mono_us() - start;

    tkt_jobs_release(r.jobs, r.finish);
    printf("{\"queued\":%" PRId64 ",\"claims\":%.0f,\"memory_kb\":%" PRId64 "}\n", count,
           (double)done * 1e6 / (double)took, memory_kb());
    fflush(stdout);
    tkt_store_close(&s);
}

int main(int argc, char **argv)
{
    int64_t tickets = 0;
    bool fills = argc == 7 && strcmp(argv[1], "fill") == 0;

    fill.bytes = 100;
    fill.itsm = "local";
    if (fills) {
        fill.itsm = argv[5];
        if (tkt_parse_int(argv[3], 1, 10000000, &tickets) < 0 ||
            tkt_parse_int(argv[4], 0, 100, &fill.comments) < 0 ||
            tkt_parse_int(argv[6], 1, RAW_MAX - 1000, &fill.bytes) < 0) {
            return 64;
        }
    } else if (argc < 4 || strcmp(argv[1], "claims") != 0) {
        fprintf(stderr, "usage: queue_bench fill DIR TICKETS COMMENTS ITSM BYTES\n"
                        "       queue_bench claims DIR COUNT...\n");
        return 64;
    }
    fill.text = calloc(1, (size_t)fill.bytes + 1);
    must(fill.text != NULL, "memory");
    for (int64_t i = 0; i < fill.bytes; i++) {
        fill.text[i] = i % 60 == 59 ? '\n' : "a word in "[i % 10];
    }
    struct tkt_store *s = open_store(argv[2]);
    fill_store(s, fills ? tickets : 1);
    tkt_store_close(&s);
    int64_t before = 0;

    for (int i = 3; !fills && i < argc; i++) {
        int64_t count = 0;

        must(tkt_parse_int(argv[i], before + 1, 10000000, &count) == 0, "usage");
        queue_jobs(argv[2], before, count);
        measure(argv[2], count);
        before = count;
    }
    free(fill.text);
    return 0;
}
