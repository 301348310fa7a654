/* SPDX-License-Identifier: BSD-2-Clause
 * The pool against children and zygotes that lie, hang and die (tests/unit/fake_parser).
 * What sound children do is in parser_test.
 */
#include "base/clock.h"
#include "base/util.h"
#include "parser/proto.h"
#include "ticketd/parser/parserpool_private.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define BUDGET_MS 500
#define SLACK_MS 8000 /* of a busy machine */
#define WITHIN_MS 20000
#define DEADLINE_MS 30
#define CLIENTS 100

static char program[512];

static struct tkt_conf *settings(const char *prefix, int children)
{
    static char prefix_copy[16];
    static struct tkt_conf_desk desk;
    static struct tkt_conf *defaults;
    static struct tkt_conf conf;

    (void)snprintf(prefix_copy, sizeof(prefix_copy), "%s", prefix);
    if (defaults == NULL) {
        defaults = tkt_conf_defaults();
        assert_non_null(defaults);
    }
    conf = *defaults;
    desk.prefix = prefix_copy;
    conf.desks = &desk;
    conf.desk_count = 1;
    conf.parser.program = program;
    conf.parser.children = children;
    conf.parser.budget_ms = BUDGET_MS;
    conf.parser.queue_wait_ms = 4000; /* a hundred slow ones take longer */
    conf.parser.messages_per_child = 500;
    conf.parser.memory_max = 64 * 1024 * 1024;
    return &conf;
}

static struct tkt_parserpool *start_pool(const char *prefix, int children)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_parserpool *pool = tkt_parserpool_start(settings(prefix, children), &err);

    if (pool == NULL) {
        fail_msg("start: %s", err.text);
    }
    return pool;
}

static int one_desk(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                    struct tkt_err *err)
{
    static char none[] = "";
    static struct tkt_desk_facts desk = {.name = none,
                                         .group = none,
                                         .type = none,
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

static int analyse_text(struct tkt_parserpool *pool, const char *text, size_t len,
                        const char *key, int64_t within_ms, struct tkt_err *err)
{
    struct tkt_analysis out;
    struct tkt_analyse_in in = {.raw = text,
                                .raw_len = len,
                                .fd = -1,
                                .client_key = key,
                                .deadline_mono_ms = tkt_clock_mono_ms() + within_ms};
    int rc = tkt_parserpool_analyse(pool, &in, one_desk, NULL, &out, err);

    if (rc == 0) {
        assert_int_equal(out.decisions.count, 1);
        tkt_analysis_release(&out);
    }
    return rc;
}

static int analyse(struct tkt_parserpool *pool, const char *text, struct tkt_err *err)
{
    return analyse_text(pool, text, strlen(text), "client", WITHIN_MS, err);
}

static void assert_works(struct tkt_parserpool *pool)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (analyse(pool, "good message", &err) < 0) {
        fail_msg("a sound message is not analysed: %s", err.text);
    }
}

static void sleep_ms(int ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&ts, NULL);
}

static struct tkt_parserpool_stats stats_of(struct tkt_parserpool *pool)
{
    struct tkt_parserpool_stats s;

    tkt_parserpool_stats(pool, &s);
    return s;
}

static pid_t zygote_of(struct tkt_parserpool *pool)
{
    pid_t zygote = 0;
    pid_t children[8];

    for (int i = 0; i < 2000 && zygote == 0; i++) {
        (void)tkt_parserpool_pids(pool, &zygote, children, TKT_ARRAY_LEN(children));
        if (zygote == 0) {
            sleep_ms(10);
        }
    }
    assert_true(zygote > 0);
    return zygote;
}

static unsigned descriptors_open(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

/* ---- hostile answers ---- */

static void a_hostile_answer_costs_its_message_only(void **state)
{
    static const char *const words[] = {
        "rubbish x",   "noframe x", "wrongtype x", "huge x",      "dribble x",
        "flood x",     "close x",   "half x",      "never x",     "error x",
        "longerror x", "noerror x", "fds x",       "badstruct x", "stranger x",
        "few x",       "cut x",     "nodecide x",  "unasked x",   "tailwags x",
    };
    struct tkt_parserpool *pool = start_pool("IT", 2);

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        int64_t start = tkt_clock_mono_ms();
        if (analyse(pool, words[i], &err) == 0) {
            fail_msg("\"%s\" was believed", words[i]);
        }
        int64_t took = tkt_clock_mono_ms() - start;
        if (took > 2 * BUDGET_MS + SLACK_MS) {
            fail_msg("\"%s\" took %d ms", words[i], (int)took);
        }
        assert_int_equal(err.class, TKT_ERR_TEMP);
        for (const char *p = err.text; *p != '\0'; p++) {
            assert_true(*p >= 0x20 && *p < 0x7f);
        }
        assert_works(pool);
    }
    struct tkt_parserpool_stats s = stats_of(pool);
    assert_int_equal(s.parsed, TKT_ARRAY_LEN(words));
    assert_int_equal(s.died + s.killed + s.nonsense, TKT_ARRAY_LEN(words));
    assert_int_equal(s.died, 2); /* close, half */
    assert_int_equal(s.restarts, 0);
    assert_string_not_equal(s.last_fault, "");
    tkt_parserpool_stop(&pool);
}

static void decisions_that_came_along_are_checked_like_others(void **state)
{
    static const char text[] = "tailjunk x";
    struct tkt_parserpool *pool = start_pool("IT", 2);
    struct tkt_analysis out;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_analyse_in in = {.raw = text,
                                .raw_len = sizeof(text) - 1,
                                .fd = -1,
                                .expected_from = "",
                                .client_key = "client",
                                .deadline_mono_ms = tkt_clock_mono_ms() + WITHIN_MS};

    (void)state;
    assert_int_equal(tkt_parserpool_analyse(pool, &in, one_desk, NULL, &out, &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    assert_works(pool);
    assert_int_equal(stats_of(pool).nonsense, 1);
    assert_int_equal(stats_of(pool).guessed, 0);
    tkt_parserpool_stop(&pool);
}

static void a_child_that_does_not_read_is_killed_in_time(void **state)
{
    static char text[TKT_PARSER_INLINE_MAX];
    struct tkt_parserpool *pool = start_pool("IT", 1);
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "deaf ", 5);
    int64_t start = tkt_clock_mono_ms();
    assert_int_equal(analyse_text(pool, text, sizeof(text), "client", WITHIN_MS, &err),
                     -1);
    assert_true(tkt_clock_mono_ms() - start < BUDGET_MS + SLACK_MS);
    assert_int_equal(stats_of(pool).killed, 1);
    assert_works(pool);
    tkt_parserpool_stop(&pool);
}

static void the_deadline_of_the_request_is_kept(void **state)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = settings("IT", 1);

    (void)state;
    conf->parser.budget_ms = 2 * SLACK_MS;
    struct tkt_parserpool *pool = tkt_parserpool_start(conf, &err);
    assert_non_null(pool);
    int64_t start = tkt_clock_mono_ms();
    assert_int_equal(analyse_text(pool, "never x", 7, "client", DEADLINE_MS, NULL), -1);
    assert_true(tkt_clock_mono_ms() - start < DEADLINE_MS + SLACK_MS);
    tkt_parserpool_stop(&pool);
}

static void no_descriptor_is_left_behind(void **state)
{
    unsigned before = descriptors_open();
    struct tkt_parserpool *pool = start_pool("IT", 2);

    (void)state;
    for (int i = 0; i < 20; i++) {
        (void)analyse(pool, "fds x", NULL);
    }
    assert_works(pool);
    tkt_parserpool_stop(&pool);
    assert_int_equal(descriptors_open(), before);
}

static void a_child_gets_no_descriptor_that_can_write(void **state)
{
    char name[] = "/tmp/parserpool_test.XXXXXX";
    int fd = mkstemp(name);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "mail", 4), 4);
    assert_int_equal(unlink(name), 0); /* as a blob that has no name yet */
    int copy = tkt_pool_reopen_read_only(fd, NULL);
    assert_true(copy >= 0);
    assert_int_equal(write(copy, "x", 1), -1);
    char back[4];
    assert_int_equal(pread(copy, back, 4, 0), 4);
    assert_memory_equal(back, "mail", 4);
    close(copy);
    close(fd);
}

/* ---- facts ---- */

static int no_facts(void *arg, const struct tkt_message *msg, struct tkt_facts *facts,
                    struct tkt_err *err)
{
    (void)arg;
    (void)facts;
    assert_string_equal(msg->subject, "good");
    return tkt_err_set(err, TKT_ERR_TEMP, "the store is away");
}

static void failing_facts_do_not_cost_a_child(void **state)
{
    struct tkt_parserpool *pool = start_pool("IT", 1);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_analysis out;
    struct tkt_analyse_in in = {.raw = "good x",
                                .raw_len = 6,
                                .fd = -1,
                                .client_key = "k",
                                .deadline_mono_ms = tkt_clock_mono_ms() + WITHIN_MS};

    (void)state;
    assert_int_equal(tkt_parserpool_analyse(pool, &in, no_facts, NULL, &out, &err), -1);
    assert_string_equal(err.text, "the store is away");
    assert_works(pool);
    struct tkt_parserpool_stats s = stats_of(pool);
    assert_int_equal(s.died + s.killed + s.nonsense, 0);
    tkt_parserpool_stop(&pool);
}

/* ---- zygotes ---- */

static void a_zygote_that_is_killed_comes_back(void **state)
{
    struct tkt_parserpool *pool = start_pool("IT", 2);

    (void)state;
    for (int i = 0; i < 3; i++) {
        pid_t zygote = zygote_of(pool);
        assert_works(pool);
        assert_int_equal(kill(zygote, SIGKILL), 0);
        for (int k = 0; k < 2000 && zygote_of(pool) == zygote; k++) {
            sleep_ms(10);
        }
        assert_int_not_equal(zygote_of(pool), zygote);
        assert_works(pool);
    }
    assert_int_equal(stats_of(pool).restarts, 3);
    tkt_parserpool_stop(&pool);
}

static void start_says_why_it_cannot(void **state)
{
    static const char *const rows[][2] = {
        {"REFUSES", "rule 7 is wrong"},   {"DIES", "ended"},
        {"OTHER", "not a ticket-parser"}, {"BARREN", "fork: no"},
        {"MUTE", "does not answer"},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        assert_null(tkt_parserpool_start(settings(rows[i][0], 1), &err));
        assert_non_null(strstr(err.text, rows[i][1]));
    }
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = settings("IT", 1);
    char missing[] = "/nonexistent/ticket-parser";
    conf->parser.program = missing;
    assert_null(tkt_parserpool_start(conf, &err));
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_non_null(strstr(err.text, missing));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
}

static void a_reload_that_fails_leaves_the_old_zygote(void **state)
{
    struct tkt_parserpool *pool = start_pool("IT", 1);
    pid_t zygote = zygote_of(pool);
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    assert_int_equal(tkt_parserpool_reload(pool, settings("REFUSES", 1), &err), -1);
    assert_non_null(strstr(err.text, "rule 7"));
    assert_int_equal(zygote_of(pool), zygote);
    assert_works(pool);
    assert_int_equal(tkt_parserpool_reload(pool, settings("IT", 2), &err), 0);
    assert_int_not_equal(zygote_of(pool), zygote);
    assert_works(pool);
    tkt_parserpool_stop(&pool);
}

/* ---- fairness ---- */

struct client {
    pthread_t thread;
    struct tkt_parserpool *pool;
    const char *text;
    const char *key;
    int rounds;
    int64_t within_ms;
    int failed;
    atomic_bool *stop;
};

static void *be_client(void *arg)
{
    struct client *c = arg;

    for (int i = 0; i < c->rounds && !*c->stop; i++) {
        c->failed += analyse_text(c->pool, c->text, strlen(c->text), c->key, c->within_ms,
                                  NULL) < 0;
    }
    return NULL;
}

/* A hundred clients of one key whose messages never end, against one of another key. */
static void flood_against_one(int children, const char *hostile)
{
    static struct client a[CLIENTS];
    atomic_bool stop = false;
    struct tkt_parserpool *pool = start_pool("IT", children);
    struct client b = {.pool = pool,
                       .text = "good x",
                       .key = "honest.example",
                       .rounds = 20,
                       .within_ms =
                           WITHIN_MS, /* behind all the others it would be more */
                       .stop = &stop};

    for (size_t i = 0; i < CLIENTS; i++) {
        a[i] = (struct client){.pool = pool,
                               .text = hostile,
                               .key = "hostile.example",
                               .rounds = 1000,
                               .within_ms = 2000,
                               .stop = &stop};
        assert_int_equal(pthread_create(&a[i].thread, NULL, be_client, &a[i]), 0);
    }
    sleep_ms(50);
    assert_int_equal(pthread_create(&b.thread, NULL, be_client, &b), 0);
    pthread_join(b.thread, NULL);
    stop = true;
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(a[i].thread, NULL);
    }
    assert_int_equal(b.failed, 0);
    tkt_parserpool_stop(&pool);
}

static void one_sender_never_takes_all_children(void **state)
{
    (void)state;
    flood_against_one(2, "never x");
    flood_against_one(4, "close x");
}

static void with_a_single_child_keys_take_turns(void **state)
{
    (void)state;
    flood_against_one(1, "slow x");
}

static void one_key_gets_at_most_half_of_the_children(void **state)
{
    struct tkt_parserpool *pool = start_pool("IT", 4);
    struct client a[6];
    atomic_bool stop = false;
    unsigned most = 0;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(a); i++) {
        a[i] = (struct client){.pool = pool,
                               .text = "slow x",
                               .key = "a",
                               .rounds = 1000,
                               .within_ms = WITHIN_MS,
                               .stop = &stop};
        assert_int_equal(pthread_create(&a[i].thread, NULL, be_client, &a[i]), 0);
    }
    for (int i = 0; i < 5000 && most < 2; i++) {
        most = TKT_MAX(most, stats_of(pool).busy);
        sleep_ms(2);
    }
    for (int i = 0; i < 60; i++) { /* and never more */
        most = TKT_MAX(most, stats_of(pool).busy);
        sleep_ms(2);
    }
    stop = true;
    for (size_t i = 0; i < TKT_ARRAY_LEN(a); i++) {
        pthread_join(a[i].thread, NULL);
        assert_int_equal(a[i].failed, 0);
    }
    assert_int_equal(most, 2);
    tkt_parserpool_stop(&pool);
}

static void who_waits_too_long_goes_without(void **state)
{
    struct tkt_conf *conf = settings("IT", 1);
    struct tkt_err err = TKT_ERR_INIT;
    atomic_bool stop = false;

    (void)state;
    conf->parser.budget_ms = 6000; /* as long the other one may take to come */
    conf->parser.queue_wait_ms = 50;
    struct tkt_parserpool *pool = tkt_parserpool_start(conf, &err);
    assert_non_null(pool);
    struct client a = {.pool = pool,
                       .text = "never x",
                       .key = "a",
                       .rounds = 1,
                       .within_ms = WITHIN_MS,
                       .stop = &stop};
    assert_int_equal(pthread_create(&a.thread, NULL, be_client, &a), 0);
    for (int i = 0; i < 5000 && stats_of(pool).busy == 0; i++) {
        sleep_ms(2);
    }
    assert_int_equal(analyse_text(pool, "good x", 6, "b", WITHIN_MS, &err), -1);
    assert_non_null(strstr(err.text, "in time"));
    pthread_join(a.thread, NULL);
    assert_int_equal(stats_of(pool).waited_out, 1);
    tkt_parserpool_stop(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_answer_costs_its_message_only),
        cmocka_unit_test(decisions_that_came_along_are_checked_like_others),
        cmocka_unit_test(a_child_that_does_not_read_is_killed_in_time),
        cmocka_unit_test(the_deadline_of_the_request_is_kept),
        cmocka_unit_test(no_descriptor_is_left_behind),
        cmocka_unit_test(a_child_gets_no_descriptor_that_can_write),
        cmocka_unit_test(failing_facts_do_not_cost_a_child),
        cmocka_unit_test(a_zygote_that_is_killed_comes_back),
        cmocka_unit_test(start_says_why_it_cannot),
        cmocka_unit_test(a_reload_that_fails_leaves_the_old_zygote),
        cmocka_unit_test(one_sender_never_takes_all_children),
        cmocka_unit_test(with_a_single_child_keys_take_turns),
        cmocka_unit_test(one_key_gets_at_most_half_of_the_children),
        cmocka_unit_test(who_waits_too_long_goes_without),
    };
    const char *build = getenv("TKT_BUILDDIR");

    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(program, sizeof(program), "%s/tests/unit/fake_parser",
                   build != NULL ? build : ".");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
