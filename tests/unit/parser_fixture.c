/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/parser_fixture.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

char program[512];

struct tkt_conf *settings(int children)
{
    static char prefix[] = "IT";
    static char authserv_id[] = "mx.example.test";
    static char *authserv_ids[] = {authserv_id};
    static struct tkt_conf_desk desk;
    static struct tkt_conf *defaults;
    static struct tkt_conf conf;

    if (defaults == NULL) {
        defaults = tkt_conf_defaults();
        assert_non_null(defaults);
    }
    conf = *defaults;
    desk.prefix = prefix;
    conf.desks = &desk;
    conf.desk_count = 1;
    conf.authserv_ids = (struct tkt_conf_list){authserv_ids, 1};
    conf.parser.program = program;
    conf.parser.children = children;
    conf.parser.budget_ms = 5000 * SLOWER;
    conf.parser.queue_wait_ms = 3000;
    conf.parser.messages_per_child = 500;
    conf.parser.memory_max = 64 * MIB;
    conf.limits.header_block_max = 256 * 1024;
    conf.limits.header_count_max = 1000;
    conf.limits.header_max = 32 * 1024;
    conf.limits.mime_depth_max = 32;
    conf.limits.mime_parts_max = 500;
    conf.limits.mime_params_max = 64;
    conf.limits.text_max = MIB;
    return &conf;
}

struct tkt_parserpool *start_with(const struct tkt_conf *conf)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_parserpool *pool = tkt_parserpool_start(conf, &err);

    if (pool == NULL) {
        fail_msg("start: %s", err.text);
    }
    return pool;
}

int one_desk(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
             struct tkt_err *err)
{
    static char none[] = "";
    static char name[] = "it";
    static char group[] = "helpdesk";
    static char type[] = "incident";
    static struct tkt_desk_facts desk = {.name = name,
                                         .group = group,
                                         .type = type,
                                         .priority = 2,
                                         .opens = TKT_CLASS_BIT(TKT_CLASS_HUMAN)};

    (void)arg;
    (void)msg;
    (void)err;
    facts->auth_login = none;
    facts->desks = &desk;
    facts->desk_count = 1;
    return 0;
}

struct tkt_analyse_in in_memory(const char *text, size_t len)
{
    return (struct tkt_analyse_in){.with_text = true,
                                   .raw = text,
                                   .raw_len = len,
                                   .fd = -1,
                                   .client_key = "client.example",
                                   .deadline_mono_ms = tkt_clock_mono_ms() + 20000};
}

void analyse(struct tkt_parserpool *pool, const struct tkt_analyse_in *in,
             struct tkt_analysis *out)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_parserpool_analyse(pool, in, one_desk, NULL, out, &err) < 0) {
        fail_msg("not analysed: %s", err.text);
    }
}

void assert_works(struct tkt_parserpool *pool)
{
    static const char text[] = "From: a@example.org\r\nSubject: it works\r\n\r\nyes\r\n";
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    struct tkt_analysis out;

    analyse(pool, &in, &out);
    assert_string_equal(out.msg.subject, "it works");
    tkt_analysis_release(&out);
}

void sleep_ms(int ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&ts, NULL);
}

size_t children_of(struct tkt_parserpool *pool, pid_t *zygote, pid_t *children)
{
    size_t n = tkt_parserpool_pids(pool, zygote, children, CHILDREN_MAX);

    assert_true(n <= CHILDREN_MAX);
    return n;
}

/* A number of /proc/PID/status, or -1. */
long status_of(pid_t pid, const char *field)
{
    char path[64];
    char line[256];
    long value = -1;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        size_t n = strlen(field);
        if (strncmp(line, field, n) == 0 && line[n] == ':') {
            value = strtol(line + n + 1, NULL, 10);
        }
    }
    if (f != NULL) {
        (void)fclose(f); /* only read */
    }
    return value;
}

int file_of(const char *text, size_t n)
{
    char name[] = "/tmp/parser_test.XXXXXX";
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(tkt_write_full(fd, text, n, NULL), 0);
    return fd;
}

void find_program(void)
{
    const char *build = getenv("TKT_BUILDDIR");

    (void)snprintf(program, sizeof(program), "%s/ticket-parser",
                   build != NULL ? build : ".");
}
