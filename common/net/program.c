/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/program.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/spawn.h"
#include "base/util.h"
#include "net/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct program {
    struct tkt_http_watch watch; /* first: ready and gone get it */
    pid_t pid;
    bool is_killed;
    struct tkt_program_end end;
    void (*done)(void *arg, struct tkt_program_end *end);
    void *arg;
};

#define CHUNKS_AT_ONCE 80 /* more than TKT_PROGRAM_OUT_MAX; then others have their turn */

enum {
    OUT,
    SAID,
    PIDFD
}; /* of watch.fds */

static void program_free(struct program *p)
{
    for (size_t i = 0; i < TKT_HTTP_WATCH_FDS; i++) {
        if (p->watch.fds[i] >= 0) {
            close(p->watch.fds[i]);
        }
    }
    tkt_wipe(p->end.out.data, p->end.out.len);
    tkt_buf_release(&p->end.out);
    tkt_buf_release(&p->end.said);
    free(p);
}

/* ---- it runs -------------------------------------------------------------------------- */

static void kill_all(struct program *p, enum tkt_program_how why)
{
    if (!p->is_killed) {
        p->is_killed = true;
        p->end.how = why;
        p->watch.due_ms = 0;
        (void)kill(-p->pid, SIGKILL); /* it may be over already */
    }
}

/* false: it said more than it may. What error output has too much is dropped. */
static bool take(struct program *p, int which, struct tkt_buf *into)
{
    char chunk[16384];
    ssize_t n = 1;

    for (int i = 0; i < CHUNKS_AT_ONCE && p->watch.fds[which] >= 0; i++) {
        n = read(p->watch.fds[which], chunk, sizeof(chunk));
        if (n <= 0) {
            break;
        }
        (void)tkt_buf_add(into, chunk, (size_t)n); /* into->failed tells */
        if (into->failed && which == OUT) {
            return false;
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(p->watch.fds[which]);
        p->watch.fds[which] = -1;
    }
    return true;
}

static bool is_over(const struct program *p)
{
    struct pollfd poll_fd = {.fd = p->watch.fds[PIDFD], .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

/* Its group goes while its leader, not yet waited for, still holds the number. */
static void reap(struct program *p)
{
    int status = 0;
    pid_t got;

    (void)kill(-p->pid, SIGKILL);
    while ((got = waitpid(p->pid, &status, 0)) < 0 && errno == EINTR) {
    }
    if (got < 0) { /* somebody else waited for it: nobody knows how it ended */
        status = SIGKILL;
    }
    if (!p->is_killed) {
        p->end.how = WIFEXITED(status) ? TKT_PROGRAM_EXITED : TKT_PROGRAM_DIED;
        p->end.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    }
}

static void ready(struct tkt_http_watch *w)
{
    struct program *p = (struct program *)(void *)w;
    bool over = is_over(p); /* before the last read: nothing comes after it */

    if (!take(p, OUT, &p->end.out)) {
        kill_all(p, TKT_PROGRAM_LOUD);
        close(w->fds[OUT]);
        w->fds[OUT] = -1;
    }
    (void)take(p, SAID, &p->end.said);
    if (over) {
        reap(p);
        tkt_http_unwatch(w);
        p->done(p->arg, &p->end);
        program_free(p);
    } else if (w->due_ms > 0 && w->due_ms <= tkt_clock_mono_ms()) {
        kill_all(p, TKT_PROGRAM_LATE);
    }
}

static void gone(struct tkt_http_watch *w)
{
    struct program *p = (struct program *)(void *)w;

    reap(p);
    program_free(p);
}

/* ---- start ---------------------------------------------------------------------------- */

/* Whoever may write the program may have our secrets and our rights. */
static int check_program(const char *path, struct tkt_err *err)
{
    struct stat st;

    if (path[0] != '/' || stat(path, &st) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "program %.200s: there is none", path);
    }
    if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "program %.200s: it may not be run", path);
    }
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022) != 0) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "program %.200s: others than its owner may write it, or it is "
                           "neither root's nor ours",
                           path);
    }
    return 0;
}

static int spawn(const char *path, const int fds[4], pid_t *pid)
{
    static const char *const environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8", NULL};
    const char *const argv[] = {path, NULL};
    const struct tkt_spawn what = {.path = path,
                                   .argv = argv,
                                   .environment = environment,
                                   .fds = fds,
                                   .fd_count = fds[3] < 0 ? 3 : 4,
                                   .closes = true,
                                   .leads_group = true,
                                   .dir = "/"};

    return tkt_spawn(&what, pid);
}

/* Standard input, from its beginning: a file without a name, so that nobody has to feed a
 * program that does not read. */
static int input_of(const struct tkt_program_ask *ask, struct tkt_err *err)
{
    int fd = tkt_memfd_sealed("program", ask->in, ask->in_len, err);

    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return tkt_err_errno(err, TKT_ERR_TEMP, "program: input");
    }
    return fd;
}

/* The file once more: its reader has an offset of its own and cannot write. */
static int again(int fd)
{
    char path[40];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* has room */
    return fd < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
}

static int launch(struct program *p, const struct tkt_program_ask *ask,
                  struct tkt_err *err)
{
    TKT_AUTO_FD int in = input_of(ask, err);
    TKT_AUTO_FD int out = -1;
    TKT_AUTO_FD int said = -1;
    TKT_AUTO_FD int file = again(ask->file_fd);
    int ends[2];

    if (in < 0) {
        return -1;
    }
    for (int i = OUT; i <= SAID; i++) {
        if (pipe2(ends, O_CLOEXEC) < 0) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "program: pipe");
        }
        p->watch.fds[i] = ends[0];
        *(i == OUT ? &out : &said) = ends[1];
        (void)fcntl(ends[0], F_SETFL, O_NONBLOCK); /* a pipe of ours takes it */
    }
    if (ask->file_fd >= 0 && file < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "program: file");
    }
    const int fds[] = {in, out, said, file};
    int rc = spawn(ask->path, fds, &p->pid);
    if (rc != 0) {
        bool temp = rc == EAGAIN || rc == ENOMEM || rc == EMFILE || rc == ENFILE;
        return tkt_err_set(err, temp ? TKT_ERR_TEMP : TKT_ERR_CONF, "program %.200s: %s",
                           ask->path, strerror(rc));
    }
    p->watch.fds[PIDFD] = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (p->watch.fds[PIDFD] < 0) {
        tkt_err_errno(err, TKT_ERR_TEMP, "program: pidfd");
        reap(p);
        return -1;
    }
    return 0;
}

int tkt_program_start(struct tkt_http *http, const struct tkt_program_ask *ask,
                      struct tkt_err *err)
{
    struct program *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "program: no memory");
    }
    *p = (struct program){.watch = {.fds = {-1, -1, -1},
                                    .due_ms = tkt_clock_mono_ms() + ask->timeout_ms,
                                    .ready = ready,
                                    .gone = gone},
                          .done = ask->done,
                          .arg = ask->arg};
    tkt_buf_init(&p->end.out, TKT_PROGRAM_OUT_MAX);
    tkt_buf_init(&p->end.said, TKT_PROGRAM_SAID_MAX);
    if (check_program(ask->path, err) < 0 || launch(p, ask, err) < 0) {
        program_free(p);
        return -1;
    }
    if (tkt_http_watch(http, &p->watch, err) < 0) {
        reap(p);
        program_free(p);
        return -1;
    }
    return 0;
}
