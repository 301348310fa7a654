/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/spawn.h"

#include <signal.h>
#include <spawn.h>
#include <stdint.h>

static int set_files(const struct tkt_spawn *what, posix_spawn_file_actions_t *files)
{
    int rc = 0;

    for (int i = 0; i < what->fd_count && rc == 0; i++) {
        rc = what->fds[i] < 0 ? 0
                              : posix_spawn_file_actions_adddup2(files, what->fds[i], i);
    }
    if (rc == 0 && what->closes) {
        rc = posix_spawn_file_actions_addclosefrom_np(files, what->fd_count);
    }
    if (rc == 0 && what->dir) {
        rc = posix_spawn_file_actions_addchdir_np(files, what->dir);
    }
    return rc;
}

static void set_signals(const struct tkt_spawn *what, posix_spawnattr_t *attr)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    /* These fail for flags and sets that do not exist alone. */
    (void)posix_spawnattr_setsigmask(attr, &none);
    (void)posix_spawnattr_setsigdefault(attr, &all);
    if (what->leads_group) {
        (void)posix_spawnattr_setpgroup(attr, 0);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    (void)posix_spawnattr_setflags(attr, flags);
}

int tkt_spawn(const struct tkt_spawn *what, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int rc = posix_spawn_file_actions_init(&files);

    if (rc != 0) {
        return rc;
    }
    rc = posix_spawnattr_init(&attr);
    if (rc != 0) {
        posix_spawn_file_actions_destroy(&files);
        return rc;
    }
    set_signals(what, &attr);
    rc = set_files(what, &files);
    if (rc == 0) {
        /* It writes to neither list. */
        rc = posix_spawn(pid, what->path, &files, &attr,
                         (char *const *)(uintptr_t)what->argv,
                         (char *const *)(uintptr_t)what->environment);
    }
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}
