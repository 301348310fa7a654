/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/process.h"

#include "base/fs.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#define MDWE_REFUSE_EXEC_GAIN 1UL
#define MDWE_NO_INHERIT 2UL

static int find_user(const char *user, const struct passwd **pw, struct tkt_err *err)
{
    if (!*user) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "it does not run as root; set user in the configuration, or "
                           "give -u");
    }
    *pw = getpwnam(user);
    if (!*pw || (*pw)->pw_uid == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "user %s %s", user,
                           *pw ? "is root; name another"
                               : "does not exist; make it, or name another");
    }
    return 0;
}

int tkt_process_make_dirs(const char *user, const char *const *dirs, struct tkt_err *err)
{
    const struct passwd *pw;

    if (geteuid() != 0) {
        return 0;
    }
    if (find_user(user, &pw, err) < 0) {
        return -1;
    }
    for (; *dirs; dirs++) {
        if (mkdir(*dirs, 0750) == 0) {
            if (lchown(*dirs, pw->pw_uid, pw->pw_gid) < 0) {
                return tkt_err_errno(err, TKT_ERR_CONF, "chown %s", *dirs);
            }
        } else if (errno != EEXIST) {
            return tkt_err_errno(err, TKT_ERR_CONF, "make directory %s", *dirs);
        }
    }
    return 0;
}

int tkt_process_as_owner(const char *path, struct tkt_err *err)
{
    TKT_AUTO_FREE char *copy = strdup(path);
    struct stat st;

    if (geteuid() != 0) {
        return 0;
    }
    if (!copy) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    const char *dir = dirname(copy);
    if (stat(dir, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "directory %s", dir);
    }
    if (st.st_uid != 0 &&
        (setgroups(0, NULL) < 0 || setegid(st.st_gid) < 0 || seteuid(st.st_uid) < 0)) {
        return tkt_err_errno(err, TKT_ERR_CONF, "become the owner of %s", dir);
    }
    return 0;
}

int tkt_process_as_root(struct tkt_err *err)
{
    if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0)) {
        return tkt_err_errno(err, TKT_ERR_BUG, "become root again");
    }
    return 0;
}

int tkt_process_give(const char *path, const char *user, struct tkt_err *err)
{
    const struct passwd *pw;
    struct stat st;

    if (geteuid() != 0) {
        return 0;
    }
    if (lstat(path, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "%s", path);
    }
    if (st.st_uid != 0) {
        return 0;
    }
    if (find_user(user, &pw, err) < 0) {
        return -1;
    }
    return lchown(path, pw->pw_uid, pw->pw_gid) == 0
               ? 0
               : tkt_err_errno(err, TKT_ERR_CONF, "chown %s", path);
}

int tkt_process_become(const char *user, bool forced, struct tkt_err *err)
{
    const struct passwd *pw;

    if (geteuid() != 0) {
        pw = forced ? getpwnam(user) : NULL;
        if (forced && (!pw || pw->pw_uid != geteuid())) {
            return tkt_err_set(err, TKT_ERR_CONF, "only root can become user %s", user);
        }
        return 0;
    }
    if (find_user(user, &pw, err) < 0) {
        return -1;
    }
    if (initgroups(pw->pw_name, pw->pw_gid) < 0 ||
        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "become user %s", user);
    }
    if (setuid(0) == 0) {
        return tkt_err_set(err, TKT_ERR_BUG, "root could be regained");
    }
    return 0;
}

void tkt_process_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* fewer is only slower: see limits */
    }
}

int tkt_process_detach(int *ready_fd, struct tkt_err *err)
{
    int ends[2];
    char byte;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "pipe");
    }
    pid_t pid = fork();
    if (pid < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "fork");
    }
    if (pid > 0) {
        int status = 0;

        close(ends[1]);
        if (read(ends[0], &byte, 1) == 1) {
            _exit(0);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        _exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status)
                                                       : EX_SOFTWARE);
    }
    close(ends[0]);
    (void)setsid(); /* a fresh child is no group leader */
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        close(null);
    }
    *ready_fd = ends[1];
    return 0;
}

void tkt_process_ready(int *ready_fd)
{
    if (*ready_fd >= 0) {
        struct tkt_err ignored; /* a parent that was killed needs no answer */

        (void)tkt_write_full(*ready_fd, "", 1, &ignored);
        close(*ready_fd);
        *ready_fd = -1;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null >= 0) {
            (void)dup2(null, STDERR_FILENO);
            close(null);
        }
    }
}

void tkt_process_seal(void)
{
    /* Older kernels do not know PR_SET_MDWE; that is a lock less, no fault. */
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN | MDWE_NO_INHERIT, 0, 0, 0);
    /* Keys and tokens stay out of core files; to ask for less is never refused. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

int tkt_pid_file_write(const char *path, struct tkt_err *err)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    TKT_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "pid file %s", path);
    }
    return tkt_write_full(fd, text, (size_t)n, err);
}
