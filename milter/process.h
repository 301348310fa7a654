/* SPDX-License-Identifier: BSD-2-Clause
 * What a daemon does to its own process: pid file, chroot, another user, background.
 * Called from main() before any thread exists. All errors are CONF.
 */
#ifndef TKT_MILTER_PROCESS_H
#define TKT_MILTER_PROCESS_H
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Opens and locks the pid file; the lock holds until the descriptor is closed. */
int tkt_process_lock(const char *pid_file, struct tkt_err *err);
/* Writes our pid into the locked file. */
int tkt_process_write_pid(int fd, struct tkt_err *err);
/* Looks a "user" or "user:group" up; before chroot. */
struct tkt_process_user {
    bool change; /* false: stay who we are */
    char name[64];
    uid_t uid;
    gid_t gid;
    gid_t groups[64]; /* supplementary ones too: Postfix may be reached through one */
    int group_count;
};
int tkt_process_find_user(const char *spec, struct tkt_process_user *out,
                          struct tkt_err *err);
int tkt_process_become(const struct tkt_process_user *user, struct tkt_err *err);
int tkt_process_chroot(const char *dir, struct tkt_err *err);
/* path as it reads inside the chroot; CONF when it lies outside. A fresh string. */
char *tkt_process_inside(const char *chroot_dir, const char *path, struct tkt_err *err);
/* Forks and leaves the terminal; the parent ends with 0 once the child calls
 * tkt_process_ready(), else with the child's exit code. */
int tkt_process_background(int *ready_fd, struct tkt_err *err);
void tkt_process_ready(int ready_fd);

#endif
