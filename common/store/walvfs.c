/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/walvfs.h"

#include "store/scrub.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME "tkt-wal"

struct file {
    sqlite3_file base; /* first: SQLite's view of it */
    sqlite3_file *real;
    char *data; /* gathered, not yet written; of the database: a page being cleaned */
    sqlite3_int64 at;
    int len;
    bool is_main;
    sqlite3_int64 size; /* of the database, as far as it was written or measured */
};

/* The default VFS as it is now: tests put their own there. */
static sqlite3_vfs *real_vfs(void)
{
    return sqlite3_vfs_find(NULL);
}

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)f;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
    return file_of(f)->real;
}

static int flush(struct file *f)
{
    int len = f->len;

    if (len == 0) {
        return SQLITE_OK;
    }
    f->len = 0; /* after a failure the transaction is rolled back and written anew */
    return f->real->pMethods->xWrite(f->real, f->data, len, f->at);
}

/* ---- the log ---------------------------------------------------------------------- */

static int wal_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
    struct file *f = file_of(file);

    if (f->len > 0 && (at != f->at + f->len || n > TKT_WALVFS_BUFFER - f->len)) {
        int rc = flush(f);
        if (rc != SQLITE_OK) {
            return rc;
        }
    }
    if (f->data == NULL) {
        f->data = malloc(TKT_WALVFS_BUFFER);
    }
    if (f->data == NULL || n > TKT_WALVFS_BUFFER) {
        return f->real->pMethods->xWrite(f->real, data, n, at);
    }
    if (f->len == 0) {
        f->at = at;
    }
    memcpy(f->data + f->len, data, (size_t)n);
    f->len += n;
    return SQLITE_OK;
}

static int wal_read(sqlite3_file *file, void *data, int n, sqlite3_int64 at)
{
    int rc = flush(file_of(file));
    sqlite3_file *real = real_of(file);

    return rc != SQLITE_OK ? rc : real->pMethods->xRead(real, data, n, at);
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = flush(file_of(file));
    sqlite3_file *real = real_of(file);

    return rc != SQLITE_OK ? rc : real->pMethods->xTruncate(real, size);
}

static int wal_sync(sqlite3_file *file, int flags)
{
    int rc = flush(file_of(file));
    sqlite3_file *real = real_of(file);

    return rc != SQLITE_OK ? rc : real->pMethods->xSync(real, flags);
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int rc = flush(file_of(file));
    sqlite3_file *real = real_of(file);

    return rc != SQLITE_OK ? rc : real->pMethods->xFileSize(real, size);
}

/* ---- handed through ----------------------------------------------------------------- */

static int file_close(sqlite3_file *file)
{
    struct file *f = file_of(file);
    int rc = flush(f);
    int closed = f->real->pMethods->xClose(f->real);

    free(f->data);
    free(f->real);
    return rc != SQLITE_OK ? rc : closed;
}

static int db_read(sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), data, n, at);
}

/* The page without what its gap still holds of other rows; the page itself where there
 * is nothing to clear, or no memory. */
static const void *clean_page(struct file *f, const void *data, int n, sqlite3_int64 at)
{
    size_t from;
    size_t to;

    if (f->size < at + n) {
        f->size = at + n;
    }
    if (at % n != 0 || f->size / n >= TKT_SCRUB_PAGES_MAX ||
        !tkt_scrub_gap(data, (size_t)n, at == 0, &from, &to)) {
        return data;
    }
    if (f->data == NULL) {
        f->data = malloc(TKT_WALVFS_BUFFER);
    }
    if (f->data == NULL || n > TKT_WALVFS_BUFFER) {
        return data;
    }
    memcpy(f->data, data, (size_t)n);
    memset(f->data + from, 0, to - from);
    return f->data;
}

static int db_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
    struct file *f = file_of(file);

    if (f->is_main && n > 0) {
        data = clean_page(f, data, n, at);
    }
    return f->real->pMethods->xWrite(f->real, data, n, at);
}

static int db_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int db_sync(sqlite3_file *f, int flags)
{
    return real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int db_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int file_lock(sqlite3_file *f, int lock)
{
    return real_of(f)->pMethods->xLock(real_of(f), lock);
}

static int file_unlock(sqlite3_file *f, int lock)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), lock);
}

static int file_check_lock(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int file_sector_size(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int file_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int shm_unmap(sqlite3_file *f, int remove)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

/* Version 2: no memory-mapped reading (the store does not use it). */
static const sqlite3_io_methods db_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = db_read,
    .xWrite = db_write,
    .xTruncate = db_truncate,
    .xSync = db_sync,
    .xFileSize = db_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};
static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
};

/* ---- the VFS ------------------------------------------------------------------------ */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *out_flags)
{
    (void)vfs;
    sqlite3_vfs *real = real_vfs();
    struct file *f = file_of(file);

    memset(f, 0, sizeof(*f));
    f->real = calloc(1, (size_t)real->szOsFile);
    if (f->real == NULL) {
        return SQLITE_NOMEM;
    }
    int rc = real->xOpen(real, name, f->real, flags, out_flags);
    if (f->real->pMethods == NULL) {
        free(f->real);
        return rc;
    }
    f->base.pMethods = (flags & SQLITE_OPEN_WAL) != 0 ? &wal_methods : &db_methods;
    f->is_main = rc == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0 &&
                 f->real->pMethods->xFileSize(f->real, &f->size) == SQLITE_OK;
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    return real_vfs()->xDelete(real_vfs(), name, sync_dir);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    return real_vfs()->xAccess(real_vfs(), name, flags, out);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    return real_vfs()->xFullPathname(real_vfs(), name, n, out);
}

static sqlite3_vfs walvfs;

static void register_vfs(void)
{
    walvfs = *real_vfs(); /* time, randomness, sleep and errors are its own */
    walvfs.zName = NAME;
    walvfs.pNext = NULL;
    walvfs.szOsFile = (int)sizeof(struct file);
    walvfs.xOpen = vfs_open;
    walvfs.xDelete = vfs_delete;
    walvfs.xAccess = vfs_access;
    walvfs.xFullPathname = vfs_full_path;
    sqlite3_vfs_register(&walvfs, 0);
}

const char *tkt_walvfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (sqlite3_initialize() != SQLITE_OK || pthread_once(&once, register_vfs) != 0) {
        return NULL;
    }
    return NAME;
}
