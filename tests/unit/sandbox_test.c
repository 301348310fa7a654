/* SPDX-License-Identifier: BSD-2-Clause
 * The sandbox as a program meets it: each forbidden call is made by a process that
 * entered it, and must be that process's last.
 */
#include "base/util.h"
#include "parser/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MEMORY_MAX (64 * 1024 * 1024)
#define SURVIVED 0
#define FAILED 1

static struct tkt_sandbox sandbox;
static char inherited[8192] __attribute__((aligned(4096)));

/* Runs probe in the sandbox; returns its wait status. */
static int run(int (*probe)(void))
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct tkt_err err = TKT_ERR_INIT;
        struct tkt_sandbox_limits limits = {MEMORY_MAX, 10};
        if (tkt_sandbox_enter(&sandbox, &limits, &err) < 0) {
            (void)fprintf(stderr, "%s\n", err.text);
            _exit(99);
        }
        _exit(probe());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_deadly(const char *what, int (*probe)(void))
{
    int status = run(probe);

    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
        fail_msg("%s was not stopped by the filter: status %#x", what, (unsigned)status);
    }
}

static void assert_survived(const char *what, int (*probe)(void))
{
    int status = run(probe);

    if (!WIFEXITED(status) || WEXITSTATUS(status) != SURVIVED) {
        fail_msg("%s failed inside the sandbox: status %#x", what, (unsigned)status);
    }
}

static int open_file(void)
{
    return open("/etc/passwd", O_RDONLY) < 0;
}
#ifdef __x86_64__
static int open_by_old_call(void)
{
    return syscall(SYS_open, "/etc/passwd", O_RDONLY) < 0;
}
static int use_other_abi(void)
{
    /* x32: the number of open with the bit that the filter has to see. */
    return syscall(0x40000000 | SYS_open, "/etc/passwd", O_RDONLY) < 0;
}
#endif
static int make_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0;
}
static int execute(void)
{
    char *argv[] = {(char *)(uintptr_t) "true", NULL};
    return execve("/bin/true", argv, argv + 1);
}
static int make_process(void)
{
    return fork() < 0;
}
static int trace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0;
}
static int kill_parent(void)
{
    return kill(getppid(), 0) < 0;
}
static int map_executable(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED;
}
static int make_executable(void)
{
    return mprotect(inherited, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}
static int make_executable_by_pkey(void)
{
    return syscall(SYS_pkey_mprotect, inherited, 4096, PROT_READ | PROT_EXEC, -1) < 0;
}
static int loosen_limits(void)
{
    return syscall(SYS_prlimit64, 0, 7, NULL, NULL) < 0;
}
static int by_number(const void *a, const void *b)
{
    const int *x = a;
    const int *y = b;

    return *x < *y ? -1 : *x > *y;
}
static int sort_many(void)
{
    static int numbers[4096];

    for (int i = 0; i < 4096; i++) {
        numbers[i] = i * 7919 % 4096;
    }
    qsort(numbers, 4096, sizeof(numbers[0]), by_number);
    return numbers[0] != 0 || numbers[4095] != 4095;
}
static int change_file(void)
{
    return ftruncate(0, 0);
}

static void forbidden_calls_kill(void **state)
{
    (void)state;
    assert_deadly("openat", open_file);
    assert_deadly("socket", make_socket);
    assert_deadly("execve", execute);
    assert_deadly("fork", make_process);
    assert_deadly("ptrace", trace);
    assert_deadly("kill", kill_parent);
    assert_deadly("prlimit64", loosen_limits);
    assert_deadly("ftruncate", change_file);
#ifdef __x86_64__
    assert_deadly("open", open_by_old_call);
    assert_deadly("the x32 table", use_other_abi);
#endif
}

static void no_memory_becomes_executable(void **state)
{
    (void)state;
    assert_deadly("mmap PROT_EXEC", map_executable);
    assert_deadly("mprotect PROT_EXEC", make_executable);
    assert_deadly("pkey_mprotect PROT_EXEC", make_executable_by_pkey);
}

static int stat_path(void)
{
    struct stat st;
    return stat("/etc/passwd", &st) < 0 && errno == EACCES ? SURVIVED : FAILED;
}

static void stat_by_path_tells_nothing(void **state)
{
    (void)state;
    assert_survived("stat", stat_path);
}

static int allocate(void)
{
    for (size_t n = 1; n <= 16 * 1024 * 1024; n *= 4) {
        char *p = malloc(n);
        if (p == NULL) {
            return FAILED;
        }
        memset(p, 1, n);
        p = realloc(p, n * 2);
        if (p == NULL) {
            return FAILED;
        }
        free(p);
    }
    return SURVIVED;
}

static int allocate_too_much(void)
{
    char *volatile p = malloc(MEMORY_MAX + 1);
    return p == NULL ? SURVIVED : FAILED;
}

static void memory_is_there_up_to_the_limit(void **state)
{
    (void)state;
    assert_survived("malloc", allocate);
#ifndef __SANITIZE_ADDRESS__
    assert_survived("malloc above the limit", allocate_too_much);
#else
    (void)allocate_too_much; /* its shadow needs more address space than any limit */
#endif
}

static int written_fd = -1;

static int write_to_file(void)
{
    return write(written_fd, "x", 1) < 0 && errno == EFBIG ? SURVIVED : FAILED;
}

static void regular_files_are_not_written(void **state)
{
    struct stat st;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN); /* as the zygote does */
    written_fd = memfd_create("probe", MFD_CLOEXEC);
    assert_true(written_fd >= 0);
    assert_survived("write", write_to_file);
    assert_int_equal(fstat(written_fd, &st), 0);
    assert_int_equal(st.st_size, 0);
    close(written_fd);
}

static void long_lists_can_be_sorted(void **state)
{
    (void)state;
    assert_survived("qsort", sort_many);
}

static int prepare(void **state)
{
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    return tkt_sandbox_prepare(&sandbox, &err);
}

static int release(void **state)
{
    (void)state;
    tkt_sandbox_release(&sandbox);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forbidden_calls_kill),
        cmocka_unit_test(no_memory_becomes_executable),
        cmocka_unit_test(stat_by_path_tells_nothing),
        cmocka_unit_test(memory_is_there_up_to_the_limit),
        cmocka_unit_test(regular_files_are_not_written),
        cmocka_unit_test(long_lists_can_be_sorted),
    };
    return cmocka_run_group_tests(tests, prepare, release);
}
