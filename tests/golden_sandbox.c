/* SPDX-License-Identifier: BSD-2-Clause
 * The golden messages once more, read where mail is read: inside the system call filter.
 *
 * A process enters the sandbox of the parser's children and reads every
 * tests/golden/NAME.eml; what it says must be NAME.json. It fails when the filter is off:
 * the kernel must say that the reader is filtered, and its last act, opening a file, must
 * be deadly. No test of charsets counts that could have loaded a converter meanwhile.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/json.h"
#include "message/parse.h"
#include "parser/sandbox.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAIL_MAX (64U * 1024 * 1024)
#define MAILS_MAX 2000
#define MEMORY_MAX (64 * 1024 * 1024)
#define CPU_S 60
#define MINIMUM 100 /* an empty folder is no success */

struct mail {
    const char *path;
    struct tkt_buf raw;
};
static struct mail mails[MAILS_MAX];
static size_t mail_count;

static int load_mails(const glob_t *files)
{
    for (size_t i = 0; i < files->gl_pathc && i < MAILS_MAX; i++) {
        struct mail *m = &mails[mail_count++];
        m->path = files->gl_pathv[i];
        tkt_buf_init(&m->raw, MAIL_MAX);
        if (tkt_read_file(m->path, &m->raw, NULL) < 0) {
            printf("FAILED: %s cannot be read\n", m->path);
            return -1;
        }
    }
    return 0;
}

/* ---- inside ---- */

/* Length and encoded message of one mail; length 0 when it cannot be read. */
static void answer(int out, const struct mail *m, struct tkt_buf *wire)
{
    static const char *const authserv_ids[] = {"mx.example.test"};
    static const char *const prefixes[] = {"IT", "HR"};
    struct tkt_message_options opt = {.authserv_ids = authserv_ids,
                                      .authserv_id_count = 1,
                                      .prefixes = prefixes,
                                      .prefix_count = 2,
                                      .null_sender =
                                          strstr(m->path, ".null-sender.") != NULL};
    struct tkt_message_source src = {
        .data = tkt_buf_str(&m->raw), .fd = -1, .size = m->raw.len};
    struct tkt_message msg;

    tkt_message_limits_default(&opt.limits);
    tkt_buf_reset(wire);
    if (tkt_message_parse(&src, &opt, &msg, NULL) == 0) {
        (void)tkt_message_encode(&msg, wire); /* an empty answer fails below */
        tkt_message_release(&msg);
    }
    uint64_t n = wire->failed ? 0 : wire->len;
    (void)tkt_write_full(out, &n, sizeof(n), NULL); /* the reader counts */
    (void)tkt_write_full(out, tkt_buf_str(wire), n, NULL);
}

static _Noreturn void read_mails_inside(const struct tkt_sandbox *sandbox, int out,
                                        int proceed)
{
    struct tkt_sandbox_limits limits = {MEMORY_MAX, CPU_S};
    struct tkt_buf wire = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    char go = 0;

    if (tkt_sandbox_enter(sandbox, &limits, &err) < 0) {
        printf("FAILED: %s\n", err.text);
        (void)fflush(stdout);
        _exit(99);
    }
    for (size_t i = 0; i < mail_count; i++) {
        answer(out, &mails[i], &wire);
    }
    (void)!read(proceed, &go, 1); /* until the filter was looked at */
    (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
    _exit(0); /* the filter is off */
}

/* ---- outside ---- */

static bool read_exactly(int fd, void *to, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, (char *)to + got, n - got);
        if (r <= 0) {
            return false;
        }
        got += (size_t)r;
    }
    return true;
}

static bool take_json(int in, struct tkt_buf *json)
{
    uint64_t n = 0;
    struct tkt_message msg;

    if (!read_exactly(in, &n, sizeof(n)) || n == 0 || n > TKT_MESSAGE_WIRE_MAX) {
        return false;
    }
    TKT_AUTO_FREE char *wire = malloc(n);
    if (wire == NULL || !read_exactly(in, wire, n) ||
        tkt_message_decode(wire, n, &msg, NULL) < 0) {
        return false;
    }
    int rc = tkt_message_json(&msg, 0, json);
    tkt_buf_addc(json, '\n');
    tkt_message_release(&msg);
    return rc == 0;
}

static bool is_golden(const char *path, const struct tkt_buf *json)
{
    char name[512];
    TKT_AUTO_BUF struct tkt_buf want = TKT_BUF_INIT(MAIL_MAX);

    snprintf(name, sizeof(name), "%.*s.json", (int)(strlen(path) - strlen(".eml")), path);
    return tkt_read_file(name, &want, NULL) == 0 &&
           strcmp(tkt_buf_str(&want), tkt_buf_str(json)) == 0;
}

static unsigned compare_all(int in)
{
    unsigned bad = 0;

    for (size_t i = 0; i < mail_count; i++) {
        TKT_AUTO_BUF struct tkt_buf json = TKT_BUF_INIT(MAIL_MAX);
        if (!take_json(in, &json)) {
            printf("FAILED: %s: no answer from inside\n", mails[i].path);
            return bad + 1;
        }
        if (!is_golden(mails[i].path, &json)) {
            printf("FAILED: %s: the sandbox says something else\n", mails[i].path);
            bad++;
        }
    }
    return bad;
}

/* Mode 2 of /proc/PID/status is a filter. */
static bool is_filtered(pid_t pid)
{
    char path[64];
    char line[256];
    bool filtered = false;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        filtered = filtered || strcmp(line, "Seccomp:\t2\n") == 0;
    }
    if (f != NULL) {
        (void)fclose(f); /* only read */
    }
    return filtered;
}

static int run(const struct tkt_sandbox *sandbox)
{
    int answers[2];
    int proceed[2];
    int status = 0;

    if (pipe2(answers, O_CLOEXEC) < 0 || pipe2(proceed, O_CLOEXEC) < 0) {
        return 1;
    }
    (void)fflush(stdout); /* nothing may be printed twice */
    pid_t pid = fork();
    if (pid == 0) {
        read_mails_inside(sandbox, answers[1], proceed[0]);
    }
    (void)close(answers[1]);
    unsigned bad = compare_all(answers[0]);
    if (!is_filtered(pid)) {
        printf("FAILED: the reader runs without a system call filter\n");
        bad++;
    }
    (void)!write(proceed[1], "!", 1);
    (void)waitpid(pid, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
        printf("FAILED: opening a file was not stopped, status %#x\n", (unsigned)status);
        bad++;
    }
    printf("%zu messages inside the sandbox, %u bad\n", mail_count, bad);
    return bad == 0 && mail_count >= MINIMUM ? 0 : 1;
}

int main(void)
{
    char pattern[512];
    glob_t files = {0};
    struct tkt_sandbox sandbox;
    struct tkt_err err = TKT_ERR_INIT;
    const char *srcdir = getenv("TKT_SRCDIR");

    snprintf(pattern, sizeof(pattern), "%s/tests/golden/*.eml", srcdir ? srcdir : ".");
    if (glob(pattern, 0, NULL, &files) != 0 || load_mails(&files) < 0 ||
        tkt_message_parser_init(&err) < 0 || tkt_sandbox_prepare(&sandbox, &err) < 0) {
        printf("FAILED: %s\n", err.text);
        return 1;
    }
    int rc = run(&sandbox);
    tkt_sandbox_release(&sandbox);
    for (size_t i = 0; i < mail_count; i++) {
        tkt_buf_release(&mails[i].raw);
    }
    globfree(&files);
    return rc;
}
