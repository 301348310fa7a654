/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/faulty_vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct file { /* the real VFS's file lies behind it */
    sqlite3_file base;
    void *align;
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    enum faulty_kind kind;
    int left, hits, opens;
} faulty;

static int strikes(enum faulty_kind kind)
{
    if (faulty.kind != kind || faulty.left == 0) {
        return 0;
    }
    faulty.left--;
    faulty.hits++;
    return 1;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
    return (sqlite3_file *)((char *)f + sizeof(struct file));
}

#define FORWARD(name, params, args)                                                      \
    static int real_##name params                                                        \
    {                                                                                    \
        sqlite3_file *r = real_of(f);                                                    \
        return r->pMethods->name args;                                                   \
    }
FORWARD(xRead, (sqlite3_file * f, void *p, int n, sqlite3_int64 off), (r, p, n, off))
FORWARD(xTruncate, (sqlite3_file * f, sqlite3_int64 size), (r, size))
FORWARD(xFileSize, (sqlite3_file * f, sqlite3_int64 *size), (r, size))
FORWARD(xLock, (sqlite3_file * f, int level), (r, level))
FORWARD(xUnlock, (sqlite3_file * f, int level), (r, level))
FORWARD(xCheckReservedLock, (sqlite3_file * f, int *out), (r, out))
FORWARD(xFileControl, (sqlite3_file * f, int op, void *arg), (r, op, arg))
FORWARD(xSectorSize, (sqlite3_file * f), (r))
FORWARD(xDeviceCharacteristics, (sqlite3_file * f), (r))
FORWARD(xShmMap, (sqlite3_file * f, int a, int b, int c, void volatile **p),
        (r, a, b, c, p))
FORWARD(xShmLock, (sqlite3_file * f, int a, int b, int c), (r, a, b, c))
FORWARD(xShmUnmap, (sqlite3_file * f, int a), (r, a))

static void real_xShmBarrier(sqlite3_file *f)
{
    sqlite3_file *r = real_of(f);

    r->pMethods->xShmBarrier(r);
}

static int faulty_close(sqlite3_file *f)
{
    sqlite3_file *r = real_of(f);

    return r->pMethods->xClose(r);
}

static int faulty_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
    sqlite3_file *r = real_of(f);

    if (strikes(FAULTY_WRITE)) {
        return SQLITE_IOERR_WRITE;
    }
    return strikes(FAULTY_FULL) ? SQLITE_FULL : r->pMethods->xWrite(r, p, n, off);
}

static int faulty_sync(sqlite3_file *f, int flags)
{
    sqlite3_file *r = real_of(f);

    return strikes(FAULTY_FSYNC) ? SQLITE_IOERR_FSYNC : r->pMethods->xSync(r, flags);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = faulty_close,
    .xRead = real_xRead,
    .xWrite = faulty_write,
    .xTruncate = real_xTruncate,
    .xSync = faulty_sync,
    .xFileSize = real_xFileSize,
    .xLock = real_xLock,
    .xUnlock = real_xUnlock,
    .xCheckReservedLock = real_xCheckReservedLock,
    .xFileControl = real_xFileControl,
    .xSectorSize = real_xSectorSize,
    .xDeviceCharacteristics = real_xDeviceCharacteristics,
    .xShmMap = real_xShmMap,
    .xShmLock = real_xShmLock,
    .xShmBarrier = real_xShmBarrier,
    .xShmUnmap = real_xShmUnmap,
};

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
                       int *out)
{
    (void)vfs;
    f->pMethods = NULL;
    if (strikes(FAULTY_OPEN)) {
        return SQLITE_CANTOPEN;
    }
    faulty.opens++;
    int rc = faulty.real->xOpen(faulty.real, name, real_of(f), flags, out);
    if (rc == SQLITE_OK) {
        f->pMethods = &methods;
    }
    return rc;
}

void faulty_install(void)
{
    faulty.real = sqlite3_vfs_find(NULL);
    faulty.vfs = *faulty.real;
    faulty.vfs.zName = "faulty";
    faulty.vfs.szOsFile = (int)sizeof(struct file) + faulty.real->szOsFile;
    faulty.vfs.xOpen = faulty_open;
    sqlite3_vfs_register(&faulty.vfs, 1);
}

void faulty_arm(enum faulty_kind kind, int times)
{
    faulty.kind = kind;
    faulty.left = times;
    faulty.hits = 0;
}

int faulty_hits(void)
{
    return faulty.hits;
}

int faulty_opens(void)
{
    return faulty.opens;
}
