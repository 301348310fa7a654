/* SPDX-License-Identifier: BSD-2-Clause
 * A library to preload that disturbs the timing of a program: what two threads or two
 * processes do at the same time comes in another order than on an idle machine.
 *
 *   LD_PRELOAD=.../perturb.so TKT_PERTURB=SEED[:SHARE[:MAX_MS]] program
 *
 * SEED    names the run; its numbers are mixed with the process ID, so that a program that
 *         is started again is not late at the same places again
 * SHARE   of 1000 calls, how many are late (15); five times as many of those that are made
 *         once or seldom (listen, rename, the start of a thread), a tenth of those that
 *         are made all the time (locks)
 * MAX_MS  how late (60); one in fifty of them is five to thirteen times as late
 * TKT_PERTURB_ONLY=CALLS   those alone, as in listen,rename,thread
 * TKT_PERTURB_TRACE=FOLDER  a line for each delay in FOLDER/PID: time, thread, call
 *
 * A call is late when it is entered and when it has returned, each with that chance. In
 * one of SHARE waits a condition variable wakes up without a reason, as POSIX allows.
 * Nothing but time changes: arguments, results and errno are the call's own. Without
 * TKT_PERTURB nothing happens at all.
 *
 * The delay is a futex that nobody wakes: a parser's child may make that call behind its
 * filter (it has an empty environment, so it is not disturbed unless somebody sees to it).
 * Our programs take signals by sigwait; a handler would be delayed too.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))
#define GOLDEN 0x9e3779b97f4a7c15ULL
#define LONG_ONE_IN 50
#define LONG_MIN 5
#define LONG_MORE 8

enum kind {
    SELDOM,
    PLAIN,
    ALL_THE_TIME
};

static struct {
    bool on;
    uint32_t share[3]; /* of a million */
    uint32_t max_ms;
    const char *only; /* "listen,rename", or NULL */
    int trace;
} knobs;
static _Atomic uint64_t drawn;
static int nobody; /* the futex */

/* ---- chance and delay ------------------------------------------------------------- */

/* splitmix64 */
static uint64_t draw(void)
{
    uint64_t z = atomic_fetch_add(&drawn, GOLDEN) + GOLDEN;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static void trace(const char *call, uint64_t ms)
{
    struct timespec now;
    char line[128];

    if (knobs.trace < 0) {
        return;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
    int n =
        snprintf(line, sizeof(line), "%lld.%06ld %ld %s %llu ms\n", (long long)now.tv_sec,
                 now.tv_nsec / 1000, syscall(SYS_gettid), call, (unsigned long long)ms);
    (void)syscall(SYS_write, knobs.trace, line, (size_t)n); /* only a trace */
}

static bool chance(enum kind kind, const char *call)
{
    return knobs.on && (knobs.only == NULL || strstr(knobs.only, call) != NULL) &&
           draw() % 1000000 < knobs.share[kind];
}

static void be_late(enum kind kind, const char *call)
{
    int before = errno;

    if (chance(kind, call)) {
        uint64_t ms = draw() % (knobs.max_ms + 1);
        if (draw() % LONG_ONE_IN == 0) {
            ms = knobs.max_ms * (LONG_MIN + draw() % (LONG_MORE + 1));
        }
        struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
        trace(call, ms);
        /* Ends by its timeout, or earlier by a signal. */
        (void)syscall(SYS_futex, &nobody, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
    }
    errno = before;
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("TKT_PERTURB");
    const char *folder = getenv("TKT_PERTURB_TRACE");
    unsigned seed = 1;
    unsigned share = 15;
    unsigned max_ms = 60;

    if (text == NULL || sscanf(text, "%u:%u:%u", &seed, &share, &max_ms) < 1) {
        return;
    }
    share = share > 1000 ? 1000 : share;
    knobs.share[SELDOM] = share * 5000 > 500000 ? 500000 : share * 5000;
    knobs.share[PLAIN] = share * 1000;
    knobs.share[ALL_THE_TIME] = share * 100;
    knobs.max_ms = max_ms > 60000 ? 60000 : max_ms;
    knobs.only = getenv("TKT_PERTURB_ONLY");
    knobs.trace = -1;
    if (folder != NULL) {
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s/%ld", folder, (long)getpid());
        knobs.trace = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
    atomic_store(&drawn, (seed * GOLDEN) ^ ((uint64_t)getpid() << 32));
    knobs.on = true;
}

/* ---- the calls -------------------------------------------------------------------- */

/* Of the condition variables there are two sets in one libc; the old one has another
 * struct, and dlsym may find it first. */
static void find(const char *name, void *out)
{
    void *f = strncmp(name, "pthread_cond_", 13) == 0
                  ? dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2")
                  : NULL;

    if (f == NULL) {
        f = dlsym(RTLD_NEXT, name);
    }
    if (f == NULL) {
        abort(); /* it would not have been linked */
    }
    memcpy(out, &f, sizeof(f));
}

#define REAL(type, name, params)                                                         \
    static type(*real) params;                                                           \
    if (real == NULL) {                                                                  \
        find(#name, &real);                                                              \
    }

#define LATE(kind, type, name, params, args)                                             \
    PUBLIC type name params                                                              \
    {                                                                                    \
        REAL(type, name, params)                                                         \
        be_late(kind, #name);                                                            \
        type result = real args;                                                         \
        be_late(kind, #name);                                                            \
        return result;                                                                   \
    }

LATE(SELDOM, int, bind, (int fd, __CONST_SOCKADDR_ARG at, socklen_t n), (fd, at, n))
LATE(SELDOM, int, listen, (int fd, int backlog), (fd, backlog))
LATE(SELDOM, int, connect, (int fd, __CONST_SOCKADDR_ARG to, socklen_t n), (fd, to, n))
LATE(SELDOM, int, accept, (int fd, __SOCKADDR_ARG at, socklen_t *n), (fd, at, n))
LATE(SELDOM, int, accept4, (int fd, __SOCKADDR_ARG at, socklen_t *n, int flags),
     (fd, at, n, flags))
LATE(SELDOM, int, shutdown, (int fd, int how), (fd, how))

LATE(PLAIN, ssize_t, send, (int fd, const void *p, size_t n, int flags),
     (fd, p, n, flags))
LATE(PLAIN, ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
LATE(PLAIN, ssize_t, sendto,
     (int fd, const void *p, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t len),
     (fd, p, n, flags, to, len))
LATE(PLAIN, ssize_t, recvfrom,
     (int fd, void *p, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *len),
     (fd, p, n, flags, from, len))
LATE(PLAIN, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
LATE(PLAIN, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
LATE(PLAIN, ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
LATE(PLAIN, ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
LATE(PLAIN, int, eventfd_read, (int fd, eventfd_t *n), (fd, n))
LATE(PLAIN, int, eventfd_write, (int fd, eventfd_t n), (fd, n))
LATE(PLAIN, int, close, (int fd), (fd))

LATE(PLAIN, int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
LATE(PLAIN, int, ppoll,
     (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *set),
     (fds, n, t, set))
LATE(PLAIN, int, epoll_wait, (int fd, struct epoll_event *e, int n, int ms),
     (fd, e, n, ms))
LATE(PLAIN, int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *e),
     (ep, op, fd, e))

LATE(PLAIN, int, fsync, (int fd), (fd))
LATE(PLAIN, int, fdatasync, (int fd), (fd))
LATE(SELDOM, int, rename, (const char *from, const char *to), (from, to))
LATE(SELDOM, int, unlink, (const char *path), (path))

LATE(SELDOM, pid_t, fork, (void), ())
LATE(SELDOM, pid_t, waitpid, (pid_t pid, int *status, int options),
     (pid, status, options))
LATE(SELDOM, int, sigwait, (const sigset_t *set, int *sig), (set, sig))
LATE(SELDOM, int, sigtimedwait,
     (const sigset_t *set, siginfo_t *info, const struct timespec *t), (set, info, t))
LATE(SELDOM, int, pthread_join, (pthread_t thread, void **value), (thread, value))

/* A lock is held longer, or taken later; nobody is late while he is told the result. */
PUBLIC int pthread_mutex_lock(pthread_mutex_t *lock)
{
    REAL(int, pthread_mutex_lock, (pthread_mutex_t *))
    be_late(ALL_THE_TIME, "pthread_mutex_lock");
    return real(lock);
}

PUBLIC int pthread_mutex_unlock(pthread_mutex_t *lock)
{
    REAL(int, pthread_mutex_unlock, (pthread_mutex_t *))
    int rc = real(lock);
    be_late(ALL_THE_TIME, "pthread_mutex_unlock");
    return rc;
}

LATE(ALL_THE_TIME, int, pthread_cond_signal, (pthread_cond_t * cond), (cond))
LATE(ALL_THE_TIME, int, pthread_cond_broadcast, (pthread_cond_t * cond), (cond))

/* Between the two another thread may have the lock, as in a wait that ends at once. */
static int wake_up(pthread_mutex_t *lock)
{
    int rc = pthread_mutex_unlock(lock);

    return rc != 0 ? rc : pthread_mutex_lock(lock);
}

PUBLIC int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
    REAL(int, pthread_cond_wait, (pthread_cond_t *, pthread_mutex_t *))
    return chance(PLAIN, "wait") ? wake_up(lock) : real(cond, lock);
}

PUBLIC int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until)
{
    REAL(int, pthread_cond_timedwait,
         (pthread_cond_t *, pthread_mutex_t *, const struct timespec *))
    return chance(PLAIN, "wait") ? wake_up(lock) : real(cond, lock, until);
}

PUBLIC int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  clockid_t clock, const struct timespec *until)
{
    REAL(int, pthread_cond_clockwait,
         (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))
    return chance(PLAIN, "wait") ? wake_up(lock) : real(cond, lock, clock, until);
}

/* open has no prototype that could be handed on. */
static int open_late(int (*real)(const char *, int, ...), const char *path, int flags,
                     mode_t mode)
{
    be_late(PLAIN, "open");
    int fd = real(path, flags, mode);
    be_late(PLAIN, "open");
    return fd;
}

#define LATE_OPEN(name)                                                                  \
    PUBLIC int name(const char *path, int flags, ...)                                    \
    {                                                                                    \
        REAL(int, name, (const char *, int, ...))                                        \
        va_list more;                                                                    \
        va_start(more, flags);                                                           \
        mode_t mode =                                                                    \
            (flags & (O_CREAT | __O_TMPFILE)) != 0 ? (mode_t)va_arg(more, unsigned) : 0; \
        va_end(more);                                                                    \
        return open_late(real, path, flags, mode);                                       \
    }

LATE_OPEN(open)
LATE_OPEN(open64)

/* ---- the start of a thread -------------------------------------------------------- */

struct start {
    void *(*run)(void *);
    void *with;
};

static void *start_late(void *arg)
{
    struct start start = *(struct start *)arg;

    free(arg);
    be_late(SELDOM, "thread");
    return start.run(start.with);
}

PUBLIC int pthread_create(pthread_t *out, const pthread_attr_t *attr,
                          void *(*run)(void *), void *with)
{
    REAL(int, pthread_create,
         (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))
    struct start *start = knobs.on ? malloc(sizeof(*start)) : NULL;

    if (start == NULL) {
        return real(out, attr, run, with);
    }
    *start = (struct start){run, with};
    int rc = real(out, attr, start_late, start);
    if (rc != 0) {
        free(start);
    }
    be_late(SELDOM, "pthread_create");
    return rc;
}
