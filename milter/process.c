/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/process.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

int tkt_process_lock(const char *pid_file, struct tkt_err *err)
{
    int fd = open(pid_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "pid file %s", pid_file);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        tkt_err_set(err, TKT_ERR_CONF, "%s is locked: another ticket-milter runs",
                    pid_file);
        close(fd);
        return -1;
    }
    return fd;
}

int tkt_process_write_pid(int fd, struct tkt_err *err)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        return tkt_err_errno(err, TKT_ERR_CONF, "write the pid file");
    }
    return 0;
}

static int find_group(const char *name, gid_t *gid, struct tkt_err *err)
{
    int64_t number;

    if (tkt_parse_int(name, 0, UINT32_MAX - 1, &number) == 0) {
        *gid = (gid_t)number;
        return 0;
    }
    errno = 0;
    const struct group *gr = getgrnam(name);
    if (gr == NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "no group \"%s\"", name);
    }
    *gid = gr->gr_gid;
    return 0;
}

int tkt_process_find_user(const char *spec, struct tkt_process_user *out,
                          struct tkt_err *err)
{
    memset(out, 0, sizeof(*out));
    if (spec[0] == '\0' || geteuid() != 0) {
        return 0;
    }
    size_t n = strcspn(spec, ":");
    if (n == 0 || n >= sizeof(out->name)) {
        return tkt_err_set(err, TKT_ERR_CONF, "user \"%s\": write USER or USER:GROUP",
                           spec);
    }
    memcpy(out->name, spec, n);
    const struct passwd *pw = getpwnam(out->name);
    if (pw == NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "no user \"%s\"", out->name);
    }
    out->change = true;
    out->uid = pw->pw_uid;
    out->gid = pw->pw_gid;
    if (spec[n] == ':' && find_group(spec + n + 1, &out->gid, err) < 0) {
        return -1;
    }
    out->group_count = TKT_ARRAY_LEN(out->groups);
    if (getgrouplist(out->name, out->gid, out->groups, &out->group_count) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "user \"%s\" is in too many groups",
                           out->name);
    }
    return 0;
}

int tkt_process_become(const struct tkt_process_user *user, struct tkt_err *err)
{
    if (!user->change) {
        return 0;
    }
    if (setgroups((size_t)user->group_count, user->groups) < 0 || setgid(user->gid) < 0 ||
        setuid(user->uid) < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "become %s", user->name);
    }
    if (user->uid != 0 && setuid(0) == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "become %s: root was not given up",
                           user->name);
    }
    return 0;
}

int tkt_process_chroot(const char *dir, struct tkt_err *err)
{
    if (chroot(dir) < 0 || chdir("/") < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "chroot %s", dir);
    }
    return 0;
}

char *tkt_process_inside(const char *chroot_dir, const char *path, struct tkt_err *err)
{
    size_t n = strlen(chroot_dir);

    while (n > 0 && chroot_dir[n - 1] == '/') {
        n--;
    }
    if (strncmp(path, chroot_dir, n) != 0 || (path[n] != '/' && n > 0)) {
        (void)tkt_err_set(err, TKT_ERR_CONF, "%s lies outside chroot %s", path,
                          chroot_dir); /* NULL tells it */
        return NULL;
    }
    char *inside = strdup(path + n);
    if (inside == NULL) {
        (void)tkt_err_set(err, TKT_ERR_TEMP, "no memory"); /* as above */
    }
    return inside;
}

/* The parent: 0 if the child said it is ready, else how the child ended. */
static int await_child(int fd, pid_t child)
{
    char c;
    int status;

    if (read(fd, &c, 1) == 1) {
        return 0;
    }
    if (waitpid(child, &status, 0) == child && WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    return 1;
}

int tkt_process_background(int *ready_fd, struct tkt_err *err)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "pipe");
    }
    pid_t child = fork();
    if (child < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "fork");
    }
    if (child > 0) {
        close(fds[1]);
        _exit(await_child(fds[0], child));
    }
    close(fds[0]);
    *ready_fd = fds[1];
    if (setsid() < 0 || chdir("/") < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "leave the terminal");
    }
    return 0;
}

void tkt_process_ready(int ready_fd)
{
    int null;

    if (ready_fd < 0) {
        return;
    }
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);  /* the terminal may stay: it harms nobody */
        (void)dup2(null, STDOUT_FILENO); /* as above */
        (void)dup2(null, STDERR_FILENO); /* as above */
        close(null);
    }
    (void)!write(ready_fd, "", 1); /* a parent that is gone needs no word */
    close(ready_fd);
}
