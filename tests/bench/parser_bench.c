/* SPDX-License-Identifier: BSD-2-Clause
 * What it costs to have a message read in the sandbox: parser_bench PARSER [SECONDS] [FILE].
 * PARSE and DECIDE of a 4 KiB message (or FILE) through the pool with 1, 2 and 16
 * threads, children = processors; one JSON object a line.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "ticketd/parser/parserpool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define THREADS_MAX 16
#define SAMPLES_MAX 400000

static struct {
    struct tkt_parserpool *pool;
    char *text;
    size_t len;
    atomic_bool stop;
    atomic_size_t count;
    atomic_size_t failed;
    uint32_t samples_us[SAMPLES_MAX];
} bench;

static int one_desk(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                    struct tkt_err *err)
{
    static char none[] = "";
    static char name[] = "it";
    static char type[] = "incident";
    static struct tkt_desk_facts desk = {.name = name,
                                         .group = none,
                                         .type = type,
                                         .priority = 3,
                                         .opens = TKT_CLASS_BIT(TKT_CLASS_HUMAN)};

    (void)arg;
    (void)msg;
    (void)err;
    facts->auth_login = none;
    facts->desks = &desk;
    facts->desk_count = 1;
    return 0;
}

static void *run(void *arg)
{
    char key[32];

    (void)snprintf(key, sizeof(key), "client%d.example", *(int *)arg);
    while (!bench.stop) {
        struct tkt_analysis out;
        int64_t start = tkt_clock_mono_us();
        struct tkt_analyse_in in = {.raw = bench.text,
                                    .raw_len = bench.len,
                                    .fd = -1,
                                    .client_key = key,
                                    .deadline_mono_ms = start / 1000 + 8000};
        if (tkt_parserpool_analyse(bench.pool, &in, one_desk, NULL, &out, NULL) < 0) {
            bench.failed++;
            continue;
        }
        tkt_analysis_release(&out);
        size_t n = bench.count++;
        if (n < SAMPLES_MAX) {
            bench.samples_us[n] = (uint32_t)(tkt_clock_mono_us() - start);
        }
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double own_cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void measure(int threads, double seconds)
{
    pthread_t ids[THREADS_MAX];
    int numbers[THREADS_MAX];

    bench.stop = false;
    bench.count = bench.failed = 0;
    double cpu = own_cpu_s();
    int64_t start = tkt_clock_mono_us();
    for (int i = 0; i < threads; i++) {
        numbers[i] = i;
        pthread_create(&ids[i], NULL, run, &numbers[i]);
    }
    while (tkt_clock_mono_us() - start < (int64_t)(seconds * 1e6)) {
        usleep(10000);
    }
    bench.stop = true;
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
    }
    double took_s = (double)(tkt_clock_mono_us() - start) / 1e6;
    size_t n = TKT_MIN((size_t)bench.count, (size_t)SAMPLES_MAX);
    if (n == 0) {
        return;
    }
    qsort(bench.samples_us, n, sizeof(bench.samples_us[0]), by_value);
    printf(
        "{\"bench\":\"parser\",\"threads\":%d,\"bytes\":%zu,\"rate\":%.0f,\"p50_us\":%u,"
        "\"p99_us\":%u,\"daemon_cpu_us\":%.1f,\"failed\":%zu}\n",
        threads, bench.len, (double)bench.count / took_s, bench.samples_us[n / 2],
        bench.samples_us[n - 1 - n / 100], (own_cpu_s() - cpu) * 1e6 / (double)n,
        (size_t)bench.failed);
}

static void make_message(struct tkt_buf *out)
{
    tkt_buf_adds(out, "Received: from client.example.org by mx.example.test (Postfix)\r\n"
                      "\tid 4bX2k1; Sun, 22 Nov 2026 11:47:16 +0000\r\n"
                      "From: Customer <customer@example.org>\r\n"
                      "To: Support <support@example.test>\r\n"
                      "Subject: =?utf-8?Q?Drucker_im_3=2E_Stock_l=C3=A4uft_nicht?=\r\n"
                      "Date: Sun, 22 Nov 2026 11:47:16 +0000\r\n"
                      "Message-ID: <1.2@client.example.org>\r\n"
                      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                      "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    while (out->len < 4096 - 68) {
        tkt_buf_adds(
            out, "The printer on the 3rd floor says =E2=80=9Cload paper=E2=80=9D.\r\n");
    }
}

int main(int argc, char **argv)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_buf text = TKT_BUF_INIT(200 * 1024);
    struct tkt_conf *conf = tkt_conf_defaults();

    if (argc < 2 || conf == NULL) {
        (void)fprintf(stderr, "usage: parser_bench PARSER [SECONDS] [FILE]\n");
        return 64;
    }
    free(conf->parser.program);
    conf->parser.program = strdup(argv[1]);
    if (argc > 3 && tkt_read_file(argv[3], &text, &err) < 0) {
        (void)fprintf(stderr, "parser_bench: %s\n", err.text);
        return 66;
    }
    if (argc <= 3) {
        make_message(&text);
    }
    bench.text = text.data;
    bench.len = text.len;
    bench.pool = tkt_parserpool_start(conf, &err);
    if (bench.pool == NULL) {
        (void)fprintf(stderr, "parser_bench: %s\n", err.text);
        return 70;
    }
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 3;
    static const int threads[] = {1, 2, 16};
    for (size_t i = 0; i < TKT_ARRAY_LEN(threads); i++) {
        measure(threads[i], seconds);
    }
    struct tkt_parserpool_stats s;
    tkt_parserpool_stats(bench.pool, &s);
    printf("{\"bench\":\"parser\",\"parsed\":%lu,\"killed\":%lu,\"died\":%lu,"
           "\"nonsense\":%lu,\"waited_out\":%lu,\"restarts\":%lu}\n",
           (unsigned long)s.parsed, (unsigned long)s.killed, (unsigned long)s.died,
           (unsigned long)s.nonsense, (unsigned long)s.waited_out,
           (unsigned long)s.restarts);
    tkt_parserpool_stop(&bench.pool);
    tkt_buf_release(&text);
    tkt_conf_free(&conf);
    return 0;
}
