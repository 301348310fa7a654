/* SPDX-License-Identifier: BSD-2-Clause
 * file:/path. Who may read the file is checked on the open descriptor, so that it cannot
 * be another one by then.
 */
#include "base/util.h"
#include "secret/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUPS_MAX 1024

static bool is_our_group(gid_t gid)
{
    gid_t groups[GROUPS_MAX];

    if (gid == getegid()) {
        return true;
    }
    int n = getgroups(GROUPS_MAX, groups);
    for (int i = 0; i < n; i++) {
        if (groups[i] == gid) {
            return true;
        }
    }
    return false;
}

/* Ours or root's, and nobody else reads it; but root may lend it to our group. */
static int check_owner(const char *path, const struct stat *st, struct tkt_err *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "file:%s belongs to another user; chown it to root or to the "
                           "user of this program",
                           path);
    }
    bool lent = st->st_uid == 0 && (st->st_mode & 037) == 0 && is_our_group(st->st_gid);
    if ((st->st_mode & 077) != 0 && !lent) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "file:%s may be read by others (mode %04o); chmod 600 it, or "
                           "640 with owner root and the group of this program",
                           path, (unsigned)st->st_mode & 07777);
    }
    return 0;
}

static long read_all(int fd, const char *path, char *buf, size_t max, struct tkt_err *err)
{
    size_t have = 0;

    for (;;) {
        char over;
        /* one byte more than fits tells a file that is too long */
        ssize_t n = have < max ? read(fd, buf + have, max - have) : read(fd, &over, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return tkt_err_errno(err, TKT_ERR_TEMP, "file:%s", path);
        }
        if (n == 0) {
            return (long)have;
        }
        if (have == max) {
            return tkt_err_set(err, TKT_ERR_CONF, "file:%s is longer than %zu bytes",
                               path, max);
        }
        have += (size_t)n;
    }
}

long tkt_secret_read_path(const char *path, bool with_owner, char *buf, size_t max,
                          struct tkt_err *err)
{
    struct stat st;
    /* O_NONBLOCK: a FIFO must not hold us */
    TKT_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "file:%s", path);
    }
    if (fstat(fd, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "file:%s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return tkt_err_set(err, TKT_ERR_CONF, "file:%s is not a regular file", path);
    }
    if (with_owner && check_owner(path, &st, err) < 0) {
        return -1;
    }
    return read_all(fd, path, buf, max, err);
}

static int check(const char *name, struct tkt_err *err)
{
    return name[0] == '/' ? 0
                          : tkt_err_set(err, TKT_ERR_CONF,
                                        "file: needs a path that begins with /; write "
                                        "file:/path");
}

static long read_file(const char *name, char *buf, size_t max, struct tkt_err *err)
{
    return tkt_secret_read_path(name, true, buf, max, err);
}

const struct tkt_secret_ops tkt_secret_file_ops =
    TKT_SECRET_OPS("file", "file:/path", check, read_file);
