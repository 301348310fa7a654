/* SPDX-License-Identifier: BSD-2-Clause */
#include "parser/sandbox.h"

#include "base/fs.h"
#include "base/util.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||               \
    __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define STACK_MAX (8 * 1024 * 1024)
#define FILES_MAX 16
#define PROGRAM_MAX (64 * 1024)
#define SORT_LARGE 4096

static const int allowed[] = {
    SCMP_SYS(read),          SCMP_SYS(write),
    SCMP_SYS(recvmsg),       SCMP_SYS(sendmsg),
    SCMP_SYS(pread64),       SCMP_SYS(lseek),
    SCMP_SYS(close),         SCMP_SYS(fstat),
    SCMP_SYS(munmap),        SCMP_SYS(brk),
    SCMP_SYS(mremap),        SCMP_SYS(madvise),
    SCMP_SYS(futex),         SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(exit),          SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(sched_yield),   SCMP_SYS(restart_syscall),
    SCMP_SYS(getpid),        SCMP_SYS(gettid),
};

/* Same system call as something harmless: refused, but not deadly. */
static const int refused[] = {SCMP_SYS(newfstatat), SCMP_SYS(statx)};

static int add_rules(scmp_filter_ctx ctx)
{
    const struct scmp_arg_cmp not_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < TKT_ARRAY_LEN(allowed); i++) {
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
    }
    for (size_t i = 0; rc == 0 && i < TKT_ARRAY_LEN(refused); i++) {
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), refused[i], 0);
    }
    if (rc == 0) {
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_exec);
    }
    if (rc == 0) {
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_exec);
    }
    return rc;
}

/* libseccomp 2.5 exports to a descriptor only. */
static int export_program(scmp_filter_ctx ctx, struct sock_fprog *out,
                          struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf code = TKT_BUF_INIT(PROGRAM_MAX);
    TKT_AUTO_FD int fd = memfd_create("seccomp", MFD_CLOEXEC);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "memfd");
    }
    int rc = seccomp_export_bpf(ctx, fd);
    if (rc < 0) {
        errno = -rc;
        return tkt_err_errno(err, TKT_ERR_TEMP, "seccomp_export_bpf");
    }
    if (lseek(fd, 0, SEEK_SET) < 0 || tkt_read_fd(fd, &code, err) < 0) {
        return -1;
    }
    if (code.len == 0 || code.len % sizeof(struct sock_filter) != 0) {
        return tkt_err_set(err, TKT_ERR_BUG, "seccomp: a program of %zu bytes", code.len);
    }
    out->len = (unsigned short)(code.len / sizeof(struct sock_filter));
    out->filter = (struct sock_filter *)(void *)tkt_buf_take(&code, NULL);
    return out->filter != NULL ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
}

static int by_byte(const void *a, const void *b)
{
    return memcmp(a, b, 1);
}

/* At its first sort of more than 1 KiB libc asks how large the machine is and remembers
 * it: that call would be the death of a child. */
static void sort_once(void)
{
    char bytes[SORT_LARGE] = {0};

    qsort(bytes, sizeof(bytes), 1, by_byte);
}

int tkt_sandbox_prepare(struct tkt_sandbox *out, struct tkt_err *err)
{
    memset(out, 0, sizeof(*out));
    sort_once();
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (ctx == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "seccomp_init failed");
    }
    int rc = add_rules(ctx);
    if (rc == 0) {
        rc = export_program(ctx, &out->program, err);
    } else {
        errno = -rc;
        rc = tkt_err_errno(err, TKT_ERR_TEMP, "seccomp rule");
    }
    seccomp_release(ctx);
    return rc;
}

int tkt_sandbox_seal_code(struct tkt_err *err)
{
    char line[512];
    FILE *f = fopen("/proc/self/maps", "re");
    int rc = 0;

    if (f == NULL) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "open /proc/self/maps");
    }
    while (rc == 0 && fgets(line, sizeof(line), f) != NULL) {
        unsigned long from;
        unsigned long to;
        char mode[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 && mode[1] == 'w' &&
            mode[2] == 'x' &&
            mprotect((void *)from, to - from, PROT_READ | PROT_EXEC) < 0) {
            rc = tkt_err_errno(err, TKT_ERR_TEMP, "mprotect of compiled expressions");
        }
    }
    (void)fclose(f); /* only read */
    return rc;
}

void tkt_sandbox_release(struct tkt_sandbox *sandbox)
{
    free(sandbox->program.filter);
    memset(sandbox, 0, sizeof(*sandbox));
}

static int address_space_now(int64_t *out, struct tkt_err *err)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f == NULL) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "open /proc/self/statm");
    }
    int fields = fscanf(f, "%ld", &pages);
    (void)fclose(f); /* only read */
    if (fields != 1) {
        return tkt_err_set(err, TKT_ERR_TEMP, "/proc/self/statm is unreadable");
    }
    *out = (int64_t)pages * sysconf(_SC_PAGESIZE);
    return 0;
}

static int limit(int resource, int64_t value, struct tkt_err *err)
{
    struct rlimit r;

    if (getrlimit(resource, &r) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "getrlimit %d", resource);
    }
    r.rlim_max = TKT_MIN((rlim_t)value, r.rlim_max); /* never up: that needs root */
    r.rlim_cur = r.rlim_max;
    if (setrlimit(resource, &r) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "setrlimit %d", resource);
    }
    return 0;
}

static int set_limits(const struct tkt_sandbox_limits *limits, struct tkt_err *err)
{
    const struct {
        int resource;
        int64_t value;
    } rows[] = {
        {RLIMIT_FSIZE, 0},           {RLIMIT_CORE, 0},    {RLIMIT_NPROC, 0},
        {RLIMIT_NOFILE, FILES_MAX},  {RLIMIT_MEMLOCK, 0}, {RLIMIT_STACK, STACK_MAX},
        {RLIMIT_CPU, limits->cpu_s},
    };
    int64_t start = 0;

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        if (limit(rows[i].resource, rows[i].value, err) < 0) {
            return -1;
        }
    }
    if (SANITIZED) {
        return 0;
    }
    if (address_space_now(&start, err) < 0) {
        return -1;
    }
    return limit(RLIMIT_AS, start + limits->memory_max, err);
}

int tkt_sandbox_enter(const struct tkt_sandbox *sandbox,
                      const struct tkt_sandbox_limits *limits, struct tkt_err *err)
{
    if (set_limits(limits, err) < 0) {
        return -1;
    }
    /* Else what is mapped for reading could be run. A service manager that locks the
     * personality lets nobody set one that is not the present one. */
    int persona = personality(0xffffffff);
    if (persona > 0 && (persona & READ_IMPLIES_EXEC) != 0 &&
        personality((unsigned long)(persona & ~READ_IMPLIES_EXEC)) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "personality");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "prctl");
    }
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &sandbox->program) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "seccomp");
    }
    return 0;
}
