/* SPDX-License-Identifier: BSD-2-Clause
 * The pool with the real ticket-parser: what its children read, that they sit in the
 * sandbox. Hostile children are in parserpool_test, costs in parsercost_test.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "parser/proto.h"
#include "tests/unit/parser_fixture.h"
#include "ticketd/parser/parserpool.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

/* ---- what is read ---- */

static const char golden[] =
    "Received: from client.example.org by mx.example.test with ESMTP id 4b;\r\n"
    "\tSun, 22 Nov 2026 11:47:16 +0000\r\n"
    "Authentication-Results: mx.example.test; dkim=pass header.d=example.org;\r\n"
    "\tspf=pass smtp.mailfrom=example.org; dmarc=pass header.from=example.org\r\n"
    "From: =?utf-8?Q?J=C3=B6rg?= <joerg@Example.ORG>\r\n"
    "To: Support <support@example.test>\r\n"
    "Subject: Re: [IT-12] =?iso-8859-1?Q?L=E4uft?= nicht\r\n"
    "Message-ID: <2@client.example.org>\r\n"
    "In-Reply-To: <1@mx.example.test>\r\n"
    "References: <0@mx.example.test> <1@mx.example.test>\r\n"
    "Date: Sun, 22 Nov 2026 11:47:16 +0000\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n"
    "--b\r\nContent-Type: application/pdf; name=log.pdf\r\n"
    "Content-Disposition: attachment; filename=log.pdf\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n";

static void assert_golden(const struct tkt_analysis *a)
{
    assert_string_equal(a->msg.subject, "Re: [IT-12] L\xc3\xa4uft nicht");
    assert_string_equal(a->msg.from.name, "J\xc3\xb6rg");
    assert_string_equal(a->msg.from.address, "joerg@example.org");
    assert_string_equal(a->msg.message_id, "2@client.example.org");
    assert_int_equal(a->msg.references.count, 2);
    assert_int_equal(a->msg.subject_ids.count, 1);
    assert_string_equal(a->msg.subject_ids.items[0], "IT-12");
    assert_int_equal(a->msg.dkim, TKT_AUTH_PASS);
    assert_true(a->msg.auth_aligned);
    assert_int_equal(a->msg.attachment_count, 1);
    assert_string_equal(a->msg.attachments[0].name, "log.pdf");
    assert_non_null(strstr(a->msg.text, "Gr\xc3\xbc\xc3\x9f"
                                        "e"));
    assert_false(a->msg.degraded);
    assert_int_equal(a->decisions.count, 1);
    assert_int_equal(a->decisions.items[0].action, TKT_ACTION_NEW);
    assert_string_equal(a->decisions.items[0].group, "helpdesk");
    assert_int_equal(a->decisions.items[0].priority, 2);
}

static void a_message_is_understood_from_memory_and_from_a_file(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(2));
    struct tkt_analysis out;
    struct tkt_analyse_in in = in_memory(golden, sizeof(golden) - 1);

    (void)state;
    analyse(pool, &in, &out);
    assert_golden(&out);
    tkt_analysis_release(&out);
    in.raw = NULL;
    in.fd = file_of(golden, sizeof(golden) - 1);
    in.size = sizeof(golden) - 1;
    analyse(pool, &in, &out);
    assert_golden(&out);
    tkt_analysis_release(&out);
    close(in.fd);
    tkt_parserpool_stop(&pool);
}

/* Facts that depend on the message: agents have a group of their own. */
static int desk_of_sender(void *arg, const struct tkt_message *msg,
                          struct tkt_facts *facts, struct tkt_err *err)
{
    static char agents[] = "agents";
    static struct tkt_desk_facts desk;
    int rc = one_desk(arg, msg, facts, err);

    if (strcmp(msg->from.address, "agent@example.org") == 0) {
        desk = facts->desks[0];
        desk.group = agents;
        facts->desks = &desk;
    }
    return rc;
}

static void assert_group(struct tkt_parserpool *pool, const char *expected_from,
                         const char *group, uint64_t guessed)
{
    static const char text[] =
        "From: Agent <agent@example.org>\r\nSubject: hello\r\n\r\nyes\r\n";
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    struct tkt_analysis out;
    struct tkt_parserpool_stats stats;

    in.expected_from = expected_from;
    assert_int_equal(tkt_parserpool_analyse(pool, &in, desk_of_sender, NULL, &out, NULL),
                     0);
    assert_string_equal(out.msg.subject, "hello");
    assert_int_equal(out.decisions.count, 1);
    assert_string_equal(out.decisions.items[0].group, group);
    tkt_analysis_release(&out);
    tkt_parserpool_stats(pool, &stats);
    assert_int_equal(stats.guessed, guessed);
}

static void a_right_guess_saves_a_trip_and_a_wrong_one_changes_nothing(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(2));

    (void)state;
    assert_group(pool, NULL, "agents", 0);
    assert_group(pool, "customer@example.org", "agents", 0);
    assert_group(pool, "agent@example.org", "agents", 1);
    assert_group(pool, "agent@example.org", "agents", 2);
    tkt_parserpool_stop(&pool);
}

/* A guess rides behind a message of any size, also behind a descriptor's. */
static void a_guess_goes_along_with_a_large_message(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(2));
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(MIB);
    struct tkt_parserpool_stats stats;
    struct tkt_analysis out;

    (void)state;
    (void)tkt_buf_adds(&text, "From: a@example.org\r\nSubject: large\r\n\r\n");
    while (text.len <= TKT_PARSER_INLINE_MAX) {
        (void)tkt_buf_adds(&text, "a line of a large message\r\n");
    }
    struct tkt_analyse_in in = in_memory(text.data, text.len);
    in.expected_from = "a@example.org";
    analyse(pool, &in, &out);
    assert_string_equal(out.msg.subject, "large");
    assert_string_equal(out.decisions.items[0].group, "helpdesk");
    tkt_analysis_release(&out);
    tkt_parserpool_stats(pool, &stats);
    assert_int_equal(stats.guessed, 1);
    tkt_parserpool_stop(&pool);
}

static void a_large_message_in_memory_is_understood(void **state)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * MIB);
    struct tkt_parserpool *pool = start_with(settings(1));
    struct tkt_analysis out;

    (void)state;
    tkt_buf_adds(&text, "From: a@example.org\r\nSubject: large\r\n\r\n");
    while (text.len <= 2 * (size_t)TKT_PARSER_INLINE_MAX) {
        tkt_buf_adds(&text, "a line of text that goes on for a while\r\n");
    }
    tkt_buf_adds(&text, "the end\r\n");
    struct tkt_analyse_in in = in_memory(text.data, text.len);
    analyse(pool, &in, &out);
    assert_non_null(strstr(out.msg.text, "the end"));
    tkt_analysis_release(&out);
    tkt_parserpool_stop(&pool);
}

static void texts_stay_in_the_child_unless_they_are_wanted(void **state)
{
    static const char text[] = "From: ann@example.org\nSubject: hello\n\n"
                               "the answer\n-- \nAnn\n";
    struct tkt_parserpool *pool = start_with(settings(1));
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    struct tkt_analysis out;

    (void)state;
    analyse(pool, &in, &out);
    assert_string_equal(out.msg.reply_text, "the answer");
    assert_non_null(strstr(out.msg.signature, "Ann"));
    tkt_analysis_release(&out);
    in.with_text = false;
    analyse(pool, &in, &out);
    assert_string_equal(out.msg.subject, "hello");
    assert_string_equal(out.msg.text, "");
    assert_string_equal(out.msg.reply_text, "");
    assert_string_equal(out.msg.signature, "");
    tkt_analysis_release(&out);
    tkt_parserpool_stop(&pool);
}

static void the_null_sender_reaches_the_classifier(void **state)
{
    static const char text[] =
        "From: MAILER-DAEMON@example.org\r\nSubject: Undelivered\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;"
        " boundary=b\r\n\r\n--b\r\n\r\nSorry\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\n"
        "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n"
        "Status: 5.1.1\r\n\r\n--b--\r\n";
    struct tkt_parserpool *pool = start_with(settings(1));
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    struct tkt_analysis out;

    (void)state;
    in.null_sender = true;
    analyse(pool, &in, &out);
    assert_int_equal(out.msg.class, TKT_CLASS_BOUNCE);
    tkt_analysis_release(&out);
    tkt_parserpool_stop(&pool);
}

/* Converters that the filter would stop from being opened were opened before. */
static void charsets_are_converted_inside_the_filter(void **state)
{
    static const struct {
        const char *charset;
        const char *body;
        const char *utf8;
    } rows[] = {
        {"ISO-8859-1",
         "Gr\xfc\xdf"
         "e",
         "Gr\xc3\xbc\xc3\x9f"
         "e"},
        {"ISO-8859-15", "\xa4", "\xe2\x82\xac"},
        {"KOI8-R", "\xf0\xd2\xc9\xd7\xc5\xd4",
         "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
        {"ISO-2022-JP", "\x1b$B%F%9%H\x1b(B", "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88"},
        {"Shift_JIS", "\x83\x65\x83\x58\x83\x67", "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88"},
        {"GB18030", "\xc4\xe3\xba\xc3", "\xe4\xbd\xa0\xe5\xa5\xbd"},
        {"GB2312", "\xc4\xe3\xba\xc3", "\xe4\xbd\xa0\xe5\xa5\xbd"},
        {"Big5", "\xa7\x41\xa6\x6e", "\xe4\xbd\xa0\xe5\xa5\xbd"},
        {"EUC-KR", "\xbe\xc8\xb3\xe7", "\xec\x95\x88\xeb\x85\x95"},
        {"windows-1250", "\x8e", "\xc5\xbd"},
        {"windows-1251", "\xcf", "\xd0\x9f"},
        {"windows-1252", "\x80", "\xe2\x82\xac"},
        {"windows-1253", "\xc1", "\xce\x91"},
        {"windows-1254", "\xd0", "\xc4\x9e"},
        {"windows-1255", "\xe0", "\xd7\x90"},
        {"windows-1256", "\xc7", "\xd8\xa7"},
        {"windows-1257", "\xd0", "\xc5\xa0"},
        {"windows-1258", "\xd0", "\xc4\x90"},
        {"UTF-7", "+AOQ-", "\xc3\xa4"},
    };
    struct tkt_parserpool *pool = start_with(settings(1));

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char text[512];
        struct tkt_analysis out;
        int n = snprintf(text, sizeof(text),
                         "From: a@example.org\r\nMIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=%s\r\n\r\n%s\r\n",
                         rows[i].charset, rows[i].body);
        struct tkt_analyse_in in = in_memory(text, (size_t)n);
        analyse(pool, &in, &out);
        if (strstr(out.msg.text, rows[i].utf8) == NULL) {
            fail_msg("%s was read as \"%s\"", rows[i].charset, out.msg.text);
        }
        tkt_analysis_release(&out);
    }
    struct tkt_parserpool_stats s;
    tkt_parserpool_stats(pool, &s);
    assert_int_equal(s.died, 0);
    tkt_parserpool_stop(&pool);
}

static void an_unknown_charset_does_not_open_anything(void **state)
{
    static const char text[] = "From: a@example.org\r\nMIME-Version: 1.0\r\n"
                               "Subject: =?IBM1140?Q?=C1=C2?=\r\n"
                               "Content-Type: text/plain; charset=IBM1140\r\n\r\nabc\r\n";
    struct tkt_parserpool *pool = start_with(settings(1));
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    struct tkt_analysis out;

    (void)state;
    analyse(pool, &in, &out);
    tkt_analysis_release(&out);
    tkt_parserpool_stop(&pool);
}

/* ---- the sandbox ---- */

static void every_child_sits_in_the_sandbox(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(2));
    pid_t children[CHILDREN_MAX];
    pid_t zygote;

    (void)state;
    assert_works(pool);
    size_t n = children_of(pool, &zygote, children);
    for (int k = 0; k < PATIENCE && n < 3; k++) {
        sleep_ms(10);
        n = children_of(pool, &zygote, children);
    }
    assert_int_equal(n, 3); /* two and the spare one */
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < PATIENCE && status_of(children[i], "Seccomp") != 2; k++) {
            sleep_ms(10); /* a child that was just forked */
        }
        assert_int_equal(status_of(children[i], "Seccomp"), 2);
        assert_int_equal(status_of(children[i], "NoNewPrivs"), 1);
        assert_int_equal(status_of(children[i], "PPid"), zygote);
        assert_int_equal(status_of(children[i], "Threads"), 1);
    }
    assert_int_equal(status_of(zygote, "Threads"), 1);
    tkt_parserpool_stop(&pool);
}

static size_t descriptors_of(pid_t pid)
{
    size_t n = 0;

    for (int fd = 0; fd < 64; fd++) {
        char path[64];
        char to[256];
        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
        n += readlink(path, to, sizeof(to)) > 0;
    }
    return n;
}

static void a_child_has_its_socket_and_nothing_else(void **state)
{
    int extra = open("/dev/null", O_RDONLY); /* what ticketd forgot to mark */
    struct tkt_parserpool *pool = start_with(settings(1));
    pid_t children[CHILDREN_MAX];
    pid_t zygote;

    (void)state;
    assert_works(pool);
    size_t n = children_of(pool, &zygote, children);
    if (geteuid() == 0) { /* others may not look into what is not dumpable */
        for (size_t i = 0; i < n; i++) {
            for (int k = 0; k < PATIENCE && descriptors_of(children[i]) != 4; k++) {
                sleep_ms(10); /* a child that was just forked */
            }
            assert_int_equal(descriptors_of(children[i]), 4); /* three are /dev/null */
        }
        for (int k = 0; k < PATIENCE && descriptors_of(zygote) != 4; k++) {
            sleep_ms(10); /* it still closes those of its last child */
        }
        assert_int_equal(descriptors_of(zygote), 4);
    }
    close(extra);
    tkt_parserpool_stop(&pool);
}

/* ---- faults ---- */

struct delayed_kill {
    pid_t pid;
    int after_ms;
};

static void *kill_later(void *arg)
{
    const struct delayed_kill *k = arg;

    sleep_ms(k->after_ms);
    (void)kill(k->pid, SIGKILL); /* a stopped child of this test: cannot fail */
    return NULL;
}

static void signal_children(struct tkt_parserpool *pool, int sig)
{
    pid_t children[CHILDREN_MAX];
    pid_t zygote;
    size_t n = children_of(pool, &zygote, children);

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(kill(children[i], sig), 0);
    }
}

/* One that nobody has waited for is gone as well: its descriptors are closed. */
static bool is_gone(pid_t pid)
{
    char line[256] = "";
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return true;
    }
    const char *at = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
    fclose(f);
    return at == NULL || at[1] == '\0' || at[2] == 'Z' || at[2] == 'X';
}

static void wait_for_end(pid_t pid)
{
    for (int k = 0; k < PATIENCE && !is_gone(pid); k++) {
        sleep_ms(10);
    }
    assert_true(is_gone(pid));
}

static void a_child_killed_in_the_middle_costs_one_message(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(1));
    struct tkt_analyse_in in = in_memory(golden, sizeof(golden) - 1);
    struct tkt_analysis out;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_parserpool_stats s;
    pid_t children[CHILDREN_MAX];
    pid_t zygote;
    pthread_t thread;

    (void)state;
    assert_works(pool);
    (void)children_of(pool, &zygote, children);
    /* Stopped, so that it is sure to be in the middle when it is killed. */
    struct delayed_kill k = {children[0], 100};
    assert_int_equal(kill(k.pid, SIGSTOP), 0);
    assert_int_equal(pthread_create(&thread, NULL, kill_later, &k), 0);
    int64_t start = tkt_clock_mono_ms();
    assert_int_equal(tkt_parserpool_analyse(pool, &in, one_desk, NULL, &out, &err), -1);
    assert_true(tkt_clock_mono_ms() - start < 4500 * SLOWER);
    assert_int_equal(err.class, TKT_ERR_TEMP);
    pthread_join(thread, NULL);
    assert_works(pool);
    tkt_parserpool_stats(pool, &s);
    assert_int_equal(s.died, 1);
    tkt_parserpool_stop(&pool);
}

static void a_stuck_child_is_killed_at_its_deadline(void **state)
{
    struct tkt_conf *conf = settings(1);
    struct tkt_analyse_in in = in_memory(golden, sizeof(golden) - 1);
    struct tkt_analysis out;
    struct tkt_parserpool_stats s;

    (void)state;
    conf->parser.budget_ms = 200;
    struct tkt_parserpool *pool = start_with(conf);
    signal_children(pool, SIGSTOP);
    int64_t start = tkt_clock_mono_ms();
    assert_int_equal(tkt_parserpool_analyse(pool, &in, one_desk, NULL, &out, NULL), -1);
    int64_t took = tkt_clock_mono_ms() - start;
    assert_true(took >= 190 && took < 10000); /* the request has 20 s */
    tkt_parserpool_stats(pool, &s);
    assert_int_equal(s.killed, 1);
    tkt_parserpool_stop(&pool);
}

static void idle_children_that_died_cost_nothing(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(2));
    struct tkt_parserpool_stats s;
    pid_t children[CHILDREN_MAX];
    pid_t zygote;
    size_t n = children_of(pool, &zygote, children);

    (void)state;
    signal_children(pool, SIGKILL);
    for (size_t i = 0; i < n; i++) {
        wait_for_end(children[i]);
    }
    assert_works(pool);
    tkt_parserpool_stats(pool, &s);
    assert_int_equal(s.restarts, 0);
    tkt_parserpool_stop(&pool);
}

static void a_zygote_that_died_takes_its_children_along_and_comes_back(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(2));
    pid_t children[CHILDREN_MAX];
    pid_t zygote;
    struct tkt_parserpool_stats s;

    (void)state;
    size_t n = children_of(pool, &zygote, children);
    assert_int_equal(kill(zygote, SIGKILL), 0);
    for (size_t i = 0; i < n; i++) {
        wait_for_end(children[i]);
    }
    assert_works(pool);
    tkt_parserpool_stats(pool, &s);
    assert_int_equal(s.restarts, 1);
    tkt_parserpool_stop(&pool);
}

static void a_stopped_zygote_blocks_nobody(void **state)
{
    struct tkt_conf *conf = settings(1);
    pid_t children[CHILDREN_MAX];
    pid_t zygote;

    (void)state;
    conf->parser.messages_per_child = 2;
    struct tkt_parserpool *pool = start_with(conf);
    pid_t first;
    (void)children_of(pool, &first, children);
    assert_int_equal(kill(first, SIGSTOP), 0);
    for (int i = 0; i < 8; i++) { /* more than its children may serve */
        assert_works(pool);
    }
    (void)children_of(pool, &zygote, children);
    assert_int_not_equal(zygote, first);
    tkt_parserpool_stop(&pool);
}

static void stop_leaves_no_process(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(2));
    pid_t children[CHILDREN_MAX];
    pid_t zygote;
    size_t n = children_of(pool, &zygote, children);

    (void)state;
    tkt_parserpool_stop(&pool);
    assert_int_equal(kill(zygote, 0), -1);
    for (size_t i = 0; i < n; i++) {
        wait_for_end(children[i]);
    }
}

static void children_are_replaced_before_anybody_waits(void **state)
{
    struct tkt_conf *conf = settings(1);
    struct tkt_parserpool_stats s;

    (void)state;
    conf->parser.messages_per_child = 3;
    struct tkt_parserpool *pool = start_with(conf);
    for (int i = 0; i < 30; i++) {
        assert_works(pool);
    }
    tkt_parserpool_stats(pool, &s);
    assert_int_equal(s.parsed, 30);
    assert_int_equal(s.died + s.killed + s.nonsense + s.waited_out, 0);
    tkt_parserpool_stop(&pool);
}

struct traffic {
    struct tkt_parserpool *pool;
    atomic_bool stop;
    int done;
    int failed;
};

static void *be_traffic(void *arg)
{
    struct traffic *t = arg;

    while (!t->stop) {
        struct tkt_analyse_in in = in_memory(golden, sizeof(golden) - 1);
        struct tkt_analysis out;
        if (tkt_parserpool_analyse(t->pool, &in, one_desk, NULL, &out, NULL) == 0) {
            tkt_analysis_release(&out);
            t->done++;
        } else {
            t->failed++;
        }
    }
    return NULL;
}

static void a_reload_under_load_loses_no_message(void **state)
{
    struct traffic t[2] = {{.pool = start_with(settings(2))}};
    pthread_t threads[2];
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    t[1].pool = t[0].pool;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, be_traffic, &t[i]), 0);
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tkt_parserpool_reload(t[0].pool, settings(2), &err), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        t[i].stop = true;
        pthread_join(threads[i], NULL);
        assert_int_equal(t[i].failed, 0);
        assert_true(t[i].done > 0);
    }
    tkt_parserpool_stop(&t[0].pool);
}

/* ---- EXTRACT ---- */

static void a_part_is_extracted_within_its_limit(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(1));
    int message = file_of(golden, sizeof(golden) - 1);
    int out = file_of("", 0);
    char content[16] = "";
    struct tkt_err err = TKT_ERR_INIT;
    int64_t deadline = tkt_clock_mono_ms() + 5000;
    uint64_t size = sizeof(golden) - 1;
    struct tkt_analyse_in in = in_memory(golden, sizeof(golden) - 1);
    struct tkt_analysis a;

    (void)state;
    analyse(pool, &in, &a);
    const char *part = a.msg.attachments[0].part;
    if (tkt_parserpool_extract(pool, message, size, part, out, 100, deadline, &err) < 0) {
        fail_msg("part %s: %s", part, err.text);
    }
    assert_int_equal(pread(out, content, sizeof(content), 0), 5);
    assert_memory_equal(content, "%PDF-", 5);
    assert_int_equal(
        tkt_parserpool_extract(pool, message, size, part, out, 3, deadline, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(
        tkt_parserpool_extract(pool, message, size, "7.7", out, 100, deadline, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_works(pool);
    tkt_analysis_release(&a);
    close(message);
    close(out);
    tkt_parserpool_stop(&pool);
}

static void what_lies_in_containers_is_extracted_in_the_sandbox(void **state)
{
    static const char text[] =
        "From: a@example.org\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee here:\r\n"
        "begin 644 x.txt\r\n%:&5L;&\\\r\n`\r\nend\r\n"
        "=ybegin line=128 size=5 name=y.txt\r\n"
        "\x92\x8f\x96\x96\x99\r\n=yend size=5\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inside\r\n"
        "Content-Type: application/octet-stream\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
        "--b\r\nContent-Type: application/ms-tnef\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
        /* signature, key; a file begins; its data */
        "eJ8+IgEAAgKQBgACAAAAAQABAAIPgAYABQAAAGhlbGxvFAI=\r\n--b--\r\n";
    static const char *const parts[] = {"1/uu/1", "1/yenc/1", "2.1", "3/tnef/1"};
    struct tkt_parserpool *pool = start_with(settings(1));
    int message = file_of(text, sizeof(text) - 1);
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    int64_t deadline = tkt_clock_mono_ms() + 20000;
    struct tkt_analysis a;

    (void)state;
    analyse(pool, &in, &a);
    assert_string_equal(a.msg.text, "see here:");
    for (size_t i = 0; i < TKT_ARRAY_LEN(parts); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        char content[16] = "";
        int out = file_of("", 0);
        size_t k = 0;
        while (k < a.msg.attachment_count &&
               strcmp(a.msg.attachments[k].part, parts[i]) != 0) {
            k++;
        }
        if (k == a.msg.attachment_count) {
            fail_msg("part %s is not listed", parts[i]);
        }
        assert_int_equal(a.msg.attachments[k].size, 5);
        if (tkt_parserpool_extract(pool, message, sizeof(text) - 1, parts[i], out, 100,
                                   deadline, &err) < 0) {
            fail_msg("part %s: %s", parts[i], err.text);
        }
        assert_int_equal(pread(out, content, sizeof(content), 0), 5);
        assert_string_equal(content, "hello");
        close(out);
    }
    tkt_analysis_release(&a);
    close(message);
    tkt_parserpool_stop(&pool);
}

/* ---- REDACT ---- */

static void a_text_is_redacted_as_the_configuration_says(void **state)
{
    static char emp[] = "EMP-####";
    static char *pattern[] = {emp};
    static const char text[] = "password: x, EMP-1234, 4111111111111111";
    struct tkt_conf *conf = settings(1);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4096);
    struct tkt_err err = TKT_ERR_INIT;
    int64_t deadline = tkt_clock_mono_ms() + 5000;

    (void)state;
    conf->redact = (struct tkt_conf_redact){.passwords = true, .patterns = {pattern, 1}};
    struct tkt_parserpool *pool = start_with(conf);
    assert_int_equal(
        tkt_parserpool_redact(pool, text, sizeof(text) - 1, deadline, &out, &err), 0);
    assert_string_equal(tkt_buf_str(&out),
                        "password: [password removed], [removed], 4111111111111111");
    /* Nothing is as good as something. */
    tkt_buf_reset(&out);
    assert_int_equal(tkt_parserpool_redact(pool, "", 0, deadline, &out, &err), 0);
    assert_int_equal(out.len, 0);
    assert_works(pool);
    tkt_parserpool_stop(&pool);
}

static void run_by_hand_it_says_what_it_is(void **state)
{
    char command[600];
    char said[512] = "";

    (void)state;
    (void)snprintf(command, sizeof(command), "%s 2>&1 3>&-", program);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_true(fread(said, 1, sizeof(said) - 1, f) > 0);
    assert_int_equal(WEXITSTATUS(pclose(f)), 64);
    assert_non_null(strstr(said, "started by ticketd only"));
}

static void without_facts_a_message_is_read_and_nothing_is_decided(void **state)
{
    struct tkt_parserpool *pool = start_with(settings(1));
    static const char text[] = "From: a@example.org\r\nSubject: read\r\n\r\nmy words\r\n";
    struct tkt_analyse_in in = in_memory(text, sizeof(text) - 1);
    struct tkt_parserpool_stats s;
    struct tkt_analysis out;

    (void)state;
    assert_int_equal(tkt_parserpool_analyse(pool, &in, NULL, NULL, &out, NULL), 0);
    assert_string_equal(out.msg.subject, "read");
    assert_string_equal(out.msg.reply_text, "my words");
    assert_int_equal(out.decisions.count, 0);
    tkt_analysis_release(&out);
    assert_works(pool); /* the child is as good as before */
    tkt_parserpool_stats(pool, &s);
    assert_int_equal(s.died + s.killed + s.nonsense, 0);
    assert_int_equal(s.parsed, 2);
    tkt_parserpool_stop(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_understood_from_memory_and_from_a_file),
        cmocka_unit_test(a_right_guess_saves_a_trip_and_a_wrong_one_changes_nothing),
        cmocka_unit_test(a_guess_goes_along_with_a_large_message),
        cmocka_unit_test(a_large_message_in_memory_is_understood),
        cmocka_unit_test(texts_stay_in_the_child_unless_they_are_wanted),
        cmocka_unit_test(without_facts_a_message_is_read_and_nothing_is_decided),
        cmocka_unit_test(the_null_sender_reaches_the_classifier),
        cmocka_unit_test(charsets_are_converted_inside_the_filter),
        cmocka_unit_test(an_unknown_charset_does_not_open_anything),
        cmocka_unit_test(every_child_sits_in_the_sandbox),
        cmocka_unit_test(a_child_has_its_socket_and_nothing_else),
        cmocka_unit_test(a_child_killed_in_the_middle_costs_one_message),
        cmocka_unit_test(a_stuck_child_is_killed_at_its_deadline),
        cmocka_unit_test(idle_children_that_died_cost_nothing),
        cmocka_unit_test(a_zygote_that_died_takes_its_children_along_and_comes_back),
        cmocka_unit_test(a_stopped_zygote_blocks_nobody),
        cmocka_unit_test(stop_leaves_no_process),
        cmocka_unit_test(children_are_replaced_before_anybody_waits),
        cmocka_unit_test(a_reload_under_load_loses_no_message),
        cmocka_unit_test(a_part_is_extracted_within_its_limit),
        cmocka_unit_test(what_lies_in_containers_is_extracted_in_the_sandbox),
        cmocka_unit_test(a_text_is_redacted_as_the_configuration_says),
        cmocka_unit_test(run_by_hand_it_says_what_it_is),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    find_program();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
