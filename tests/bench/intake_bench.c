/* SPDX-License-Identifier: BSD-2-Clause
 * Intake alone, over the socket: intake_bench SOCKET CLIENTS SECONDS DESK [BYTES [MAILS]];
 * MAILS: a file of mails that people wrote (mails.h).
 * The machine's floor beside it: intake_bench --floor DIR CLIENTS SECONDS: one
 * group-commit writer for that many threads, one 4 KiB row with a unique text key, WAL
 * with synchronous=FULL, prepared statement.
 *
 * Both print one JSON object: {"clients":64,"rate":..,"p50_us":..,"p99_us":..}. Every
 * message differs in Message-ID and body; all are BYTES long, 4 KiB if not said.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/util.h"
#include "mails.h"
#include "wire/intake.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MESSAGE_BYTES BENCH_MAIL_BYTES
#define MESSAGE_BYTES_MAX (48 * 1024 * 1024)
#define SAMPLES_MAX 2000000
#define CLIENTS_MAX 512

static struct {
    const char *socket;
    const char *desk;
    uint64_t generation;
    atomic_bool stop;
    atomic_ulong serial;
    uint32_t *samples;
    atomic_ulong count;
    atomic_ulong failed;
    int64_t bytes;
} bench;

static void note(int64_t took_us)
{
    unsigned long n = bench.count++;
    if (n < SAMPLES_MAX) {
        bench.samples[n] = (uint32_t)took_us;
    }
}

/* Repeats the body's lines until the message has its size. */
static int add_padding(int fd, const char *text)
{
    const char *line = text + MESSAGE_BYTES / 2;

    for (int64_t have = MESSAGE_BYTES; have < bench.bytes;) {
        int64_t want = TKT_MIN(bench.bytes - have, MESSAGE_BYTES / 2);
        if (tkt_write_full(fd, line, (size_t)want, NULL) < 0) {
            return -1;
        }
        have += want;
    }
    return 0;
}

static int reserve_once(struct tkt_wire_client *client, unsigned long n)
{
    char text[MESSAGE_BYTES + 64];
    struct tkt_err err = TKT_ERR_INIT;
    char subject[BENCH_SUBJECT_MAX];
    size_t len = bench_mail_make(text, subject, bench.desk, n);
    TKT_AUTO_FD int fd = memfd_create("message", MFD_CLOEXEC);
    if (fd < 0 || tkt_write_full(fd, text, len, &err) < 0 || add_padding(fd, text) < 0) {
        return -1;
    }
    struct tkt_wire_rcpt rcpt = {.addr = (char *)bench.desk};
    struct tkt_wire_field field = {.name = "Subject", .index = 1, .value = subject};
    struct tkt_wire_request req = {
        .verb = TKT_WIRE_RESERVE,
        .generation = bench.generation,
        .remaining_ms = 30000,
        .hook = "milter",
        .queue_id = "4Rxxxx",
        .mta_host = "mx.example.test",
        .sender = "customer@example.org",
        .rcpts = &rcpt,
        .rcpt_count = 1,
        .client_addr = "192.0.2.1",
        .client_name = "client.example.org",
        .helo = "client.example.org",
        .tls = "",
        .tls_subject = "",
        .auth_login = "",
        .leadspc = true,
        .smtp_path = true,
        .fields = &field,
        .field_count = 1,
        .hold = "",
        .token = "",
        .rcpt = "",
    };
    struct tkt_wire_reply reply;
    if (tkt_wire_call(client, &req, fd, tkt_clock_mono_ms() + 30000, 0, NULL, NULL,
                      &reply, &err) < 0) {
        fprintf(stderr, "intake_bench: %s\n", err.text);
        return -1;
    }
    int rc = reply.status == TKT_WIRE_OK && reply.ticket_count == 1 ? 0 : -1;
    if (rc < 0) {
        fprintf(stderr, "intake_bench: status %d: %s\n", (int)reply.status, reply.text);
    }
    tkt_wire_reply_release(&reply);
    return rc;
}

static void *client_main(void *arg)
{
    struct tkt_wire_client *client = arg;

    while (!bench.stop) {
        unsigned long n = bench.serial++;
        int64_t start = tkt_clock_mono_us();
        if (reserve_once(client, n) < 0) {
            bench.failed++;
            continue;
        }
        note(tkt_clock_mono_us() - start);
    }
    return NULL;
}

static int hello(struct tkt_wire_client *client)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_wire_request req = {.verb = TKT_WIRE_HELLO,
                                   .hook = "milter",
                                   .queue_id = "",
                                   .mta_host = "",
                                   .sender = "",
                                   .client_addr = "",
                                   .client_name = "",
                                   .helo = "",
                                   .tls = "",
                                   .tls_subject = "",
                                   .auth_login = "",
                                   .hold = "",
                                   .token = "",
                                   .rcpt = ""};
    struct tkt_wire_reply reply;
    if (tkt_wire_call(client, &req, -1, tkt_clock_mono_ms() + 8000, 0, NULL, NULL, &reply,
                      &err) < 0) {
        fprintf(stderr, "intake_bench: hello: %s\n", err.text);
        return -1;
    }
    bench.generation = reply.generation;
    tkt_wire_reply_release(&reply);
    return 0;
}

/* ---- the floor ------------------------------------------------------------------- */

struct waiter {
    char key[48];
    bool done;
    struct waiter *next;
};
static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t done;
    struct waiter *head;
    sqlite3 *db;
    sqlite3_stmt *insert;
    char row[MESSAGE_BYTES];
} floor_state = {.lock = PTHREAD_MUTEX_INITIALIZER,
                 .work = PTHREAD_COND_INITIALIZER,
                 .done = PTHREAD_COND_INITIALIZER};

static void must(int rc, const char *what)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        fprintf(stderr, "intake_bench: %s: %s\n", what, sqlite3_errmsg(floor_state.db));
        exit(70);
    }
}

static void commit_all(struct waiter *list)
{
    must(sqlite3_exec(floor_state.db, "BEGIN IMMEDIATE", NULL, NULL, NULL), "begin");
    for (struct waiter *w = list; w != NULL; w = w->next) {
        must(sqlite3_bind_text(floor_state.insert, 1, w->key, -1, SQLITE_STATIC), "bind");
        must(sqlite3_bind_blob(floor_state.insert, 2, floor_state.row, MESSAGE_BYTES,
                               SQLITE_STATIC),
             "bind");
        must(sqlite3_step(floor_state.insert), "insert");
        must(sqlite3_reset(floor_state.insert), "reset");
    }
    must(sqlite3_exec(floor_state.db, "COMMIT", NULL, NULL, NULL), "commit");
}

static void *floor_writer(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&floor_state.lock);
        while (floor_state.head == NULL && !bench.stop) {
            pthread_cond_wait(&floor_state.work, &floor_state.lock);
        }
        struct waiter *list = floor_state.head;
        floor_state.head = NULL;
        pthread_mutex_unlock(&floor_state.lock);
        if (list == NULL) {
            return NULL;
        }
        commit_all(list);
        pthread_mutex_lock(&floor_state.lock);
        for (struct waiter *w = list; w != NULL; w = w->next) {
            w->done = true;
        }
        pthread_cond_broadcast(&floor_state.done);
        pthread_mutex_unlock(&floor_state.lock);
    }
}

static void *floor_client(void *arg)
{
    (void)arg;
    while (!bench.stop) {
        struct waiter w = {.done = false};
        snprintf(w.key, sizeof(w.key), "<%lu@client.example.org>", bench.serial++);
        int64_t start = tkt_clock_mono_us();
        pthread_mutex_lock(&floor_state.lock);
        w.next = floor_state.head;
        floor_state.head = &w;
        pthread_cond_signal(&floor_state.work);
        while (!w.done) {
            pthread_cond_wait(&floor_state.done, &floor_state.lock);
        }
        pthread_mutex_unlock(&floor_state.lock);
        note(tkt_clock_mono_us() - start);
    }
    return NULL;
}

static void floor_open(const char *dir)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/floor.db", dir);
    must(sqlite3_open(path, &floor_state.db), "open");
    must(sqlite3_exec(floor_state.db,
                      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                      "CREATE TABLE m(id INTEGER PRIMARY KEY, k TEXT UNIQUE, b BLOB)",
                      NULL, NULL, NULL),
         "create");
    must(sqlite3_prepare_v2(floor_state.db, "INSERT INTO m(k, b) VALUES(?, ?)", -1,
                            &floor_state.insert, NULL),
         "prepare");
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(int64_t clients, int64_t took_us)
{
    unsigned long n = bench.count;
    unsigned long kept = n < SAMPLES_MAX ? n : SAMPLES_MAX;
    qsort(bench.samples, kept, sizeof(uint32_t), by_value);
    printf("{\"clients\":%lld,\"tickets\":%lu,\"failed\":%lu,\"rate\":%.1f,\"p50_us\":%u,"
           "\"p99_us\":%u}\n",
           (long long)clients, n, (unsigned long)bench.failed,
           (double)n * 1e6 / (double)took_us, kept ? bench.samples[kept / 2] : 0,
           kept ? bench.samples[kept - 1 - kept / 100] : 0);
}

int main(int argc, char **argv)
{
    bool is_floor = argc == 5 && strcmp(argv[1], "--floor") == 0;
    int64_t clients;
    int64_t seconds;
    if (argc < 5 || argc > 7 ||
        tkt_parse_int(argc >= 6 ? argv[5] : "4096", MESSAGE_BYTES, MESSAGE_BYTES_MAX,
                      &bench.bytes) < 0 ||
        tkt_parse_int(argv[is_floor ? 3 : 2], 1, CLIENTS_MAX, &clients) < 0 ||
        tkt_parse_int(argv[is_floor ? 4 : 3], 1, 600, &seconds) < 0) {
        fprintf(stderr,
                "usage: intake_bench SOCKET CLIENTS SECONDS DESK [BYTES [MAILS]]\n"
                "       intake_bench --floor DIR CLIENTS SECONDS\n");
        return 64;
    }
    bench.samples = calloc(SAMPLES_MAX, sizeof(uint32_t));
    bench_mails_load(argc == 7 ? argv[6] : NULL);
    struct tkt_wire_client *client = NULL;
    pthread_t writer;
    pthread_t threads[CLIENTS_MAX];
    if (is_floor) {
        floor_open(argv[2]);
        pthread_create(&writer, NULL, floor_writer, NULL);
    } else {
        bench.socket = argv[1];
        bench.desk = argv[4];
        client = tkt_wire_client_new(argv[1], (size_t)clients);
        if (client == NULL || hello(client) < 0) {
            return 69;
        }
    }
    int64_t start = tkt_clock_mono_us();
    for (int64_t i = 0; i < clients; i++) {
        pthread_create(&threads[i], NULL, is_floor ? floor_client : client_main, client);
    }
    sleep((unsigned)seconds);
    bench.stop = true;
    int64_t took = tkt_clock_mono_us() - start;
    unsigned long counted = bench.count;
    for (int64_t i = 0; i < clients; i++) {
        pthread_join(threads[i], NULL);
    }
    bench.count = counted; /* what finished within the time */
    report(clients, took);
    return bench.failed == 0 ? 0 : 1;
}
