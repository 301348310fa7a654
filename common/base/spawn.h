/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program is started: no shell, no environment but what is named, no signal blocked or
 * ignored, no descriptor but the ones given.
 *
 * Promise: the child has fds[i] as its descriptor i (-1: that one is as it is here) and
 * none of ours behind them when `closes` is set; otherwise those without CLOEXEC.
 * Owner: the caller keeps its own descriptors and waits for the child (waitpid, pidfd).
 * Threads: any; nothing of the process is changed.
 * Errors: an errno value as posix_spawn(3) returns it, also that of the exec; 0 is success.
 */
#ifndef TKT_BASE_SPAWN_H
#define TKT_BASE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tkt_spawn {
    const char *path; /* absolute */
    const char *const *argv;
    const char *const *environment;
    const int *fds;
    int fd_count;
    bool closes;
    bool leads_group; /* a process group of its own, which can be killed as one */
    const char *dir;  /* NULL: ours */
};

int tkt_spawn(const struct tkt_spawn *what, pid_t *pid);

#endif
