/* SPDX-License-Identifier: BSD-2-Clause
 * Message files: blobs/xx/<32 hex digits>. They have no name until they are complete.
 */
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_LEN 32

static bool is_name(const char *name)
{
    return strlen(name) == NAME_LEN && strspn(name, "0123456789abcdef") == NAME_LEN;
}

int tkt_blob_path(const char *dir, const char *name, char *out, size_t n)
{
    if (!is_name(name)) {
        return -1;
    }
    int len = snprintf(out, n, "%s/" BLOBS_NAME "/%.2s/%s", dir, name, name);
    return len > 0 && (size_t)len < n ? 0 : -1;
}

static void top_dir(const struct tkt_blob *blob, char *out, size_t n)
{
    snprintf(out, n, "%s", blob->dir);
    *strrchr(out, '/') = '\0';
}

int tkt_blob_create(const char *store_dir, struct tkt_blob *blob, struct tkt_err *err)
{
    unsigned char random[NAME_LEN / 2];

    blob->fd = -1;
    tkt_random(random, sizeof(random));
    tkt_hex_encode(random, sizeof(random), blob->name);
    if (tkt_blob_path(store_dir, blob->name, blob->path, sizeof(blob->path)) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "store: path too long: %s", store_dir);
    }
    snprintf(blob->dir, sizeof(blob->dir), "%s", blob->path);
    *strrchr(blob->dir, '/') = '\0';
    if (mkdir(blob->dir, 0700) < 0 && errno != EEXIST) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "store: make directory %s", blob->dir);
    }
    blob->fd = tkt_open_tmpfile(blob->dir, err);
    return blob->fd < 0 ? -1 : 0;
}

int tkt_blob_commit(struct tkt_blob *blob, struct tkt_err *err)
{
    char top[sizeof(blob->dir)];

    if (blob->fd < 0) {
        return tkt_err_set(err, TKT_ERR_BUG, "store: blob committed twice");
    }
    if (fsync(blob->fd) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "store: fsync of a message file");
    }
    if (tkt_link_fd(blob->fd, blob->path, err) < 0) {
        return -1;
    }
    /* Both levels each time: who made the directory may not have synced its name yet. */
    top_dir(blob, top, sizeof(top));
    if (tkt_fsync_dir(blob->dir, err) < 0 || tkt_fsync_dir(top, err) < 0) {
        (void)unlink(blob->path); /* no row names it; sweep would find it */
        return -1;
    }
    close(blob->fd); /* synced: nothing can be lost here */
    blob->fd = -1;
    return 0;
}

void tkt_blob_close(struct tkt_blob *blob)
{
    if (blob->fd >= 0) {
        close(blob->fd); /* it never got a name: the kernel drops it */
        blob->fd = -1;
    }
}

int tkt_blob_open(const char *store_dir, const char *name, struct tkt_err *err)
{
    char path[PATH_MAX];

    if (tkt_blob_path(store_dir, name, path, sizeof(path)) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: bad blob name %.40s", name);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return tkt_err_errno(err, errno == ENOENT ? TKT_ERR_PERM : TKT_ERR_TEMP,
                             "store: open %s", path);
    }
    return fd;
}
