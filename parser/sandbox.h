/* SPDX-License-Identifier: BSD-2-Clause
 * The box in which mail is read: seccomp, rlimits, no new privileges, not dumpable.
 *
 * prepare builds the filter once, in the zygote; enter puts the calling process into it,
 * for good. Inside: no open, no socket, no execve, no fork, no ptrace, no signal to others,
 * and no memory that can be executed may be made (mmap, mprotect with PROT_EXEC). What is
 * not listed kills the process (SIGSYS). stat by path is answered EACCES, because glibc's
 * fstat(3) uses the same system call. Writing to regular files is shut by RLIMIT_FSIZE.
 *
 * Single-threaded callers only. Errors: TEMP. With -fsanitize=address, memory or thread the
 * address space limit is left out, because their shadow memory would not fit; the
 * filter stays.
 */
#ifndef TKT_PARSER_SANDBOX_H
#define TKT_PARSER_SANDBOX_H
#include "base/err.h"

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

struct tkt_sandbox {
    struct sock_fprog program;
};

struct tkt_sandbox_limits {
    int64_t memory_max; /* bytes of address space above what the process has now */
    int64_t cpu_s;      /* over its life: a backstop, the deadline is ticketd's */
};

int tkt_sandbox_prepare(struct tkt_sandbox *out, struct tkt_err *err);
/* What is mapped writable and executable (the machine code of expressions) may from now on
 * only be run: nobody can add to it, and none of it may be freed. */
int tkt_sandbox_seal_code(struct tkt_err *err);
void tkt_sandbox_release(struct tkt_sandbox *sandbox);
int tkt_sandbox_enter(const struct tkt_sandbox *sandbox,
                      const struct tkt_sandbox_limits *limits, struct tkt_err *err);

#endif
