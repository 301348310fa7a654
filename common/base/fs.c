/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fs.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int tkt_write_full(int fd, const void *data, size_t n, struct tkt_err *err)
{
    const char *p = data;

    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0) {
            if (errno == EINTR) {
                continue;
            }
            return tkt_err_errno(err, TKT_ERR_TEMP, "write");
        }
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

int tkt_pread_full(int fd, void *data, size_t n, off_t off, size_t *got,
                   struct tkt_err *err)
{
    size_t have = 0;

    while (have < n) {
        ssize_t r = pread(fd, (char *)data + have, n - have, off + (off_t)have);
        if (r < 0) {
            if (errno == EINTR) {
                continue;
            }
            return tkt_err_errno(err, TKT_ERR_TEMP, "read");
        }
        if (r == 0) {
            break;
        }
        have += (size_t)r;
    }
    *got = have;
    return 0;
}

int tkt_read_fd(int fd, struct tkt_buf *out, struct tkt_err *err)
{
    char chunk[16384];
    off_t at = 0;
    ssize_t r;

    /* Who made or sent the descriptor shares its offset: only a pipe is read from it. */
    bool has_offsets = lseek(fd, 0, SEEK_CUR) >= 0;
    while ((r = has_offsets ? pread(fd, chunk, sizeof(chunk), at)
                            : read(fd, chunk, sizeof(chunk))) != 0) {
        if (r < 0) {
            if (errno == EINTR) {
                continue;
            }
            return tkt_err_errno(err, TKT_ERR_TEMP, "read");
        }
        at += r;
        if (tkt_buf_add(out, chunk, (size_t)r) < 0) {
            return tkt_err_set(err, TKT_ERR_PERM, "larger than %zu bytes", out->max);
        }
    }
    return 0;
}

int tkt_read_file(const char *path, struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "open %s", path);
    }
    return tkt_read_fd(fd, out, err) < 0 ? tkt_err_prefix(err, "%s", path) : 0;
}

int tkt_fsync_dir(const char *path, struct tkt_err *err)
{
    TKT_AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "open directory %s", path);
    }
    if (fsync(fd) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "fsync directory %s", path);
    }
    return 0;
}

int tkt_open_tmpfile(const char *dir, struct tkt_err *err)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : tkt_err_errno(err, TKT_ERR_TEMP, "temporary file in %s", dir);
}

int tkt_link_fd(int fd, const char *path, struct tkt_err *err)
{
    char self[64];

    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "link %s", path);
    }
    return 0;
}

static int fill_and_rename(int fd, const char *tmp, const char *path, const void *data,
                           size_t n, mode_t mode, struct tkt_err *err)
{
    if (tkt_write_full(fd, data, n, err) < 0) {
        return tkt_err_prefix(err, "%s", tmp);
    }
    if (fchmod(fd, mode) < 0 || fsync(fd) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "fsync %s", tmp);
    }
    if (rename(tmp, path) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "rename %s to %s", tmp, path);
    }
    return 0;
}

int tkt_replace_file(const char *path, const void *data, size_t n, mode_t mode,
                     struct tkt_err *err)
{
    char tmp[PATH_MAX];
    char dir[PATH_MAX];

    int len = snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof(tmp)) {
        return tkt_err_set(err, TKT_ERR_PERM, "path too long: %s", path);
    }
    memcpy(dir, path, strlen(path) + 1);
    char *slash = strrchr(dir, '/');
    if (slash == NULL) {
        memcpy(dir, ".", 2);
    } else {
        slash[slash == dir ? 1 : 0] = '\0';
    }
    TKT_AUTO_FD int fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "create %s", tmp);
    }
    if (fill_and_rename(fd, tmp, path, data, n, mode, err) < 0) {
        unlink(tmp);
        return -1;
    }
    return tkt_fsync_dir(dir, err);
}

int tkt_memfd_sealed(const char *name, const void *data, size_t n, struct tkt_err *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "memfd");
    }
    if (tkt_write_full(fd, data, n, err) < 0) {
        close(fd);
        return -1;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
        0) {
        tkt_err_errno(err, TKT_ERR_TEMP, "seal memfd");
        close(fd);
        return -1;
    }
    return fd;
}
