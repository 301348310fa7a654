/* SPDX-License-Identifier: BSD-2-Clause
 * Tickets a second of the store alone, beside the machine's floor in the same process:
 * one 4 KiB row with a unique text key, WAL, synchronous=FULL, prepared, as many rows a
 * commit. Rounds alternate, so that other load hits both.
 *
 *     store_bench [DIR [ROUNDS [SECONDS [MEMBERS]]]]
 *
 * With MEMBERS each ticket is given to one of so many people (least_open); without, the
 * group has no strategy.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "decide/assign.h"
#include "store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RAW 4096
#define GROUP_MAX 64

struct floor {
    sqlite3 *db;
    sqlite3_stmt *add, *begin, *commit;
};

struct message {
    unsigned char raw[RAW];
    struct tkt_store_desk_in desk;
    struct tkt_store_thread_key thread;
    struct tkt_store_participant who[2];
    struct tkt_decision decision;
    struct tkt_store_reserve_in in;
    struct tkt_store_reserve_out res;
    struct tkt_store_desk_out out;
    char message_id[40];
    char address[40];
};

struct rate {
    double per_second, cpu_us;
};

static struct tkt_roster_group people = {.name = (char *)"first", .fallback = (char *)""};
static struct tkt_roster roster = {.groups = &people, .group_count = 1};

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "store_bench: %s\n", what);
        exit(1);
    }
}

/* ---- floor ------------------------------------------------------------------------ */

static void floor_open(struct floor *f, const char *dir)
{
    char path[600];

    snprintf(path, sizeof(path), "%s/floor.db", dir);
    must(sqlite3_open(path, &f->db) == SQLITE_OK, "open floor");
    must(sqlite3_exec(
             f->db,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             "CREATE TABLE row(id INTEGER PRIMARY KEY, key TEXT UNIQUE, data BLOB)",
             NULL, NULL, NULL) == SQLITE_OK,
         "floor schema");
    must(sqlite3_prepare_v2(f->db, "INSERT INTO row(key, data) VALUES(?, ?)", -1, &f->add,
                            NULL) == SQLITE_OK &&
             sqlite3_prepare_v2(f->db, "BEGIN IMMEDIATE", -1, &f->begin, NULL) ==
                 SQLITE_OK &&
             sqlite3_prepare_v2(f->db, "COMMIT", -1, &f->commit, NULL) == SQLITE_OK,
         "floor statements");
}

static void step(sqlite3_stmt *st)
{
    must(sqlite3_step(st) == SQLITE_DONE, "floor step");
    sqlite3_reset(st);
}

static void floor_group(struct floor *f, size_t n)
{
    unsigned char random[16];
    unsigned char raw[RAW];
    char key[33];

    step(f->begin);
    for (size_t i = 0; i < n; i++) {
        tkt_random(random, sizeof(random));
        memset(raw, random[0], sizeof(raw));
        tkt_hex_encode(random, sizeof(random), key);
        sqlite3_bind_text(f->add, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_blob(f->add, 2, raw, sizeof(raw), SQLITE_STATIC);
        step(f->add);
    }
    step(f->commit);
}

/* ---- store ------------------------------------------------------------------------ */

static void message_init(struct message *m)
{
    unsigned char random[16];
    char hex[33];

    memset(m, 0, sizeof(*m));
    tkt_random(random, sizeof(random));
    tkt_hex_encode(random, sizeof(random), hex);
    memset(m->raw, random[0], sizeof(m->raw));
    snprintf(m->message_id, sizeof(m->message_id), "%.16s@example.org", hex);
    snprintf(m->address, sizeof(m->address), "user-%.6s@example.org", hex);
    m->decision = (struct tkt_decision){.action = TKT_ACTION_NEW,
                                        .why = (char *)"no thread",
                                        .type = (char *)"incident",
                                        .group = (char *)"first",
                                        .priority = 3};
    m->who[0] = (struct tkt_store_participant){m->address, "from"};
    m->who[1] = (struct tkt_store_participant){"support@example.com", "to"};
    m->desk = (struct tkt_store_desk_in){.desk = "it",
                                         .prefix = "IT",
                                         .itsm = "local",
                                         .itsm_type = "local",
                                         .rcpt = "support@example.com",
                                         .reason = "",
                                         .decision = &m->decision,
                                         .default_type = "incident",
                                         .default_group = "first",
                                         .default_priority = 3};
    tkt_sha256(random, sizeof(random), m->desk.key);
    tkt_sha256(hex, 32, m->thread.hash);
    m->in = (struct tkt_store_reserve_in){
        .desks = &m->desk,
        .desk_count = 1,
        .has_head_key = true,
        .hook = "milter",
        .confirmed = true,
        .size = RAW,
        .raw = m->raw,
        .envelope_json = "{\"client\":\"192.0.2.1\",\"helo\":\"mail.example.org\","
                         "\"tls\":\"TLSv1.3\",\"rcpt\":[\"support@example.com\"]}",
        .queue_id = "4F1A2B3C4D",
        .sender = m->address,
        .subject = "The printer on the third floor is on fire again",
        .message_id = m->message_id,
        .requester = m->address,
        .requester_name = "Anna Example",
        .class_name = "human",
        .analysed = true,
        .analysis_error = "",
        .thread_keys = &m->thread,
        .thread_key_count = 1,
        .participants = m->who,
        .participant_count = 2,
        .roster = &roster,
        .now_ms = tkt_clock_wall_ms()};
    tkt_sha256(hex, 31, m->in.head_key);
    tkt_sha256(random, 15, m->in.sha256);
    m->res.desks = &m->out;
}

static int apply(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct message *m = arg;

    return tkt_store_reserve(s, &m->in, &m->res, err);
}

static void store_group(struct tkt_store *s, struct message *m, size_t n)
{
    struct tkt_store_item items[GROUP_MAX];
    size_t done = 0;

    for (size_t i = 0; i < n; i++) {
        message_init(&m[i]);
        items[i] = (struct tkt_store_item){.apply = apply, .arg = &m[i], .bytes = RAW};
    }
    while (done < n) {
        size_t k = tkt_store_batch(s, items + done, n - done);
        for (size_t i = 0; i < k; i++) {
            must(items[done + i].result == 0, items[done + i].err.text);
        }
        done += k;
    }
}

/* ---- jobs ------------------------------------------------------------------------- */

struct jobs {
    struct tkt_job claimed[GROUP_MAX];
    int count;
};

static int apply_claim(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct jobs *j = arg;

    j->count = tkt_store_jobs_claim(s, "bench", tkt_clock_wall_ms(), 60000, j->claimed,
                                    GROUP_MAX, err);
    return j->count < 0 ? -1 : 0;
}

static int apply_finish(struct tkt_store *s, void *arg, struct tkt_err *err)
{
    struct jobs *j = arg;

    for (int i = 0; i < j->count; i++) {
        if (tkt_store_job_finish(s, j->claimed[i].id, "bench", TKT_JOB_DONE, 0, "",
                                 tkt_clock_wall_ms(), err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* All that the tickets left behind, as the dispatcher takes it: claim, then finish. */
static void report_jobs(struct tkt_store *s)
{
    static struct jobs j;
    int64_t start = tkt_clock_mono_us();
    double cpu = cpu_seconds();
    double done = 0;

    for (;;) {
        struct tkt_store_item claim = {.apply = apply_claim, .arg = &j};
        struct tkt_store_item finish = {.apply = apply_finish, .arg = &j};
        must(tkt_store_batch(s, &claim, 1) == 1 && claim.result == 0, claim.err.text);
        if (j.count == 0 || done > 20000) {
            break;
        }
        must(tkt_store_batch(s, &finish, 1) == 1 && finish.result == 0, finish.err.text);
        done += j.count;
        tkt_jobs_release(j.claimed, j.count);
    }
    printf("{\"bench\":\"store\",\"what\":\"jobs\",\"rate\":%.0f,\"cpu_us\":%.1f}\n",
           done / ((double)(tkt_clock_mono_us() - start) / 1e6),
           (cpu_seconds() - cpu) * 1e6 / done);
}

/* ---- measuring -------------------------------------------------------------------- */

static struct rate measure(struct floor *f, struct tkt_store *s, struct message *m,
                           size_t group, double seconds)
{
    int64_t start = tkt_clock_mono_us();
    double cpu = cpu_seconds();
    double rows = 0;
    int64_t now = start;

    while (now - start < (int64_t)(seconds * 1e6)) {
        if (f != NULL) {
            floor_group(f, group);
        } else {
            store_group(s, m, group);
        }
        rows += (double)group;
        now = tkt_clock_mono_us();
    }
    return (struct rate){rows / ((double)(now - start) / 1e6),
                         (cpu_seconds() - cpu) * 1e6 / rows};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void report(struct floor *f, struct tkt_store *s, struct message *m, size_t group,
                   int rounds, double seconds)
{
    double rate[50];
    double base[50];
    double ratio[50];
    double cpu[50];
    double base_cpu[50];

    for (int i = 0; i < rounds; i++) {
        struct rate a = measure(f, NULL, NULL, group, seconds);
        struct rate b = measure(NULL, s, m, group, seconds);
        base[i] = a.per_second;
        base_cpu[i] = a.cpu_us;
        rate[i] = b.per_second;
        cpu[i] = b.cpu_us;
        ratio[i] = b.per_second / a.per_second;
    }
    size_t n = (size_t)rounds;
    printf("{\"bench\":\"store\",\"group\":%zu,\"rate\":%.0f,\"cpu_us\":%.1f,"
           "\"floor_rate\":%.0f,\"floor_cpu_us\":%.1f,\"ratio_floor\":%.3f}\n",
           group, median(rate, n), median(cpu, n), median(base, n), median(base_cpu, n),
           median(ratio, n));
    fflush(stdout);
}

static void make_people(int count)
{
    people.members = calloc((size_t)count + 1, sizeof(*people.members));
    must(people.members != NULL && count >= 0 && count <= 1000, "usage");
    people.strategy = count > 0 ? TKT_ASSIGN_LEAST_OPEN : TKT_ASSIGN_NONE;
    people.member_count = (size_t)count;
    for (int i = 0; i < count; i++) {
        char *address = malloc(32);
        must(address != NULL, "memory");
        snprintf(address, 32, "agent%04d@example.org", i);
        people.members[i] =
            (struct tkt_roster_agent){.address = address, .weight = 1 + i % 3};
    }
}

int main(int argc, char **argv)
{
    static const size_t groups[] = {1, 16, 64};
    const char *dir = argc > 1 ? argv[1] : "store-bench";
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    double seconds = argc > 3 ? atof(argv[3]) : 1.0;
    struct tkt_store_options opt = {.dir = dir, .host = "bench", .batch_us_max = 5000};
    struct tkt_err err = TKT_ERR_INIT;
    struct floor f;
    struct message *m = calloc(GROUP_MAX, sizeof(*m));

    must(m != NULL && rounds > 0 && rounds <= 50, "usage");
    make_people(argc > 4 ? atoi(argv[4]) : 0);
    struct tkt_store *s = tkt_store_open(&opt, &err);
    must(s != NULL, err.text);
    floor_open(&f, dir);
    for (size_t i = 0; i < TKT_ARRAY_LEN(groups); i++) {
        report(&f, s, m, groups[i], rounds, seconds);
    }
    report_jobs(s);
    tkt_store_close(&s);
    sqlite3_finalize(f.add);
    sqlite3_finalize(f.begin);
    sqlite3_finalize(f.commit);
    sqlite3_close(f.db);
    free(m);
    for (size_t i = 0; i < people.member_count; i++) {
        free(people.members[i].address);
    }
    free(people.members);
    return 0;
}
