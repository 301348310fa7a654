/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/powercut/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECTOR 512
#define INODES_MAX 4096
#define PUBLIC __attribute__((visibility("default")))

enum op_kind {
    OP_NAME,
    OP_UNNAME,
    OP_RENAME,
    OP_WRITE,
    OP_TRUNCATE,
    OP_SYNC,
    OP_MARK
};

struct op {
    enum op_kind kind;
    int inode; /* of names: what the name stands for */
    int dir;
    char name[64];
    char to[64];
    int64_t off;
    size_t len;
    unsigned char *data;
};

struct inode {
    dev_t dev;
    ino_t ino;
    bool alive; /* the pair still means this one */
    bool is_dir;
    char path[96]; /* as first seen, below the root */
};

static struct {
    bool on;
    enum record_lie lie;
    char root[PATH_MAX];
    struct op *ops;
    size_t count, cap;
    struct inode inodes[INODES_MAX];
    int inode_count;
    unsigned file_syncs, dir_syncs;
} rec;

/* ---- the log ---------------------------------------------------------------------- */

static void give_up(const char *what)
{
    fprintf(stderr, "powercut: %s\n", what);
    abort();
}

static struct op *add(enum op_kind kind)
{
    if (rec.count == rec.cap) {
        rec.cap = rec.cap == 0 ? 1024 : rec.cap * 2;
        rec.ops = realloc(rec.ops, rec.cap * sizeof(*rec.ops));
        if (rec.ops == NULL) {
            give_up("no memory");
        }
    }
    struct op *o = &rec.ops[rec.count++];
    memset(o, 0, sizeof(*o));
    o->kind = kind;
    return o;
}

static int known(const struct stat *st)
{
    for (int i = rec.inode_count - 1; i >= 0; i--) {
        if (rec.inodes[i].alive && rec.inodes[i].ino == st->st_ino &&
            rec.inodes[i].dev == st->st_dev) {
            return i;
        }
    }
    return -1;
}

static int learn(const struct stat *st, const char *path)
{
    if (rec.inode_count == INODES_MAX) {
        give_up("too many files");
    }
    struct inode *n = &rec.inodes[rec.inode_count];
    size_t skip = strlen(rec.root);
    n->dev = st->st_dev;
    n->ino = st->st_ino;
    n->alive = true;
    n->is_dir = S_ISDIR(st->st_mode);
    snprintf(n->path, sizeof(n->path), "%.90s",
             strncmp(path, rec.root, skip) == 0 ? path + skip : path);
    return rec.inode_count++;
}

static int inode_of_fd(int fd)
{
    struct stat st;

    return rec.on && fstat(fd, &st) == 0 ? known(&st) : -1;
}

/* The recorded directory that path lies in, or -1; *base is its last part. */
static int parent_of(const char *path, const char **base)
{
    char dir[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');

    if (!rec.on || slash == NULL) {
        return -1;
    }
    size_t len = strlen(slash + 1);
    if (len >= 4 && strcmp(slash + 1 + len - 4, "-shm") == 0) {
        return -1;
    }
    *base = slash + 1;
    snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
    return stat(dir, &st) == 0 ? known(&st) : -1;
}

static void add_name(int dir, const char *name, int inode)
{
    struct op *o = add(OP_NAME);

    o->dir = dir;
    o->inode = inode;
    snprintf(o->name, sizeof(o->name), "%.63s", name);
}

static void note_write(int fd, const void *data, ssize_t n, int64_t off)
{
    int inode = n > 0 ? inode_of_fd(fd) : -1;

    if (inode < 0) {
        return;
    }
    struct op *o = add(OP_WRITE);
    o->inode = inode;
    o->off = off;
    o->len = (size_t)n;
    o->data = malloc((size_t)n);
    if (o->data == NULL) {
        give_up("no memory");
    }
    memcpy(o->data, data, (size_t)n);
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s);
    size_t m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static bool is_lie(const struct inode *n)
{
    const char *blobs = strstr(n->path, "/blobs");

    switch (rec.lie) {
    case LIE_BLOB_FILE:
        return blobs != NULL && !n->is_dir;
    case LIE_BLOB_DIR:
        return blobs != NULL && n->is_dir && blobs[6] == '/';
    case LIE_BLOBS_DIR:
        return blobs != NULL && n->is_dir && blobs[6] == '\0';
    case LIE_STORE_DIR:
        return n->is_dir && ends_with(n->path, "/store");
    case LIE_LOG:
        return ends_with(n->path, "-wal");
    case LIE_NONE:
        break;
    }
    return false;
}

static void note_sync(int fd)
{
    int inode = inode_of_fd(fd);

    if (inode < 0 || is_lie(&rec.inodes[inode])) {
        return;
    }
    add(OP_SYNC)->inode = inode;
    *(rec.inodes[inode].is_dir ? &rec.dir_syncs : &rec.file_syncs) += 1;
}

/* ---- the calls themselves --------------------------------------------------------- */

static int open_noted(int at, const char *path, int flags, mode_t mode)
{
    struct stat st;
    const char *base = NULL;
    bool tmpfile = (flags & O_TMPFILE) == O_TMPFILE;
    int dir = (flags & O_CREAT) && !tmpfile ? parent_of(path, &base) : -1;
    bool fresh = dir >= 0 && stat(path, &st) < 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);

    if (fd < 0 || !rec.on || fstat(fd, &st) < 0) {
        return fd;
    }
    if (fresh) {
        add_name(dir, base, learn(&st, path));
    } else if (tmpfile && strncmp(path, rec.root, strlen(rec.root)) == 0) {
        (void)learn(&st, path); /* its name comes by linkat */
    }
    return fd;
}

#define OPEN_MODE(flags, last, ap)                                                       \
    mode_t mode = 0;                                                                     \
    va_list ap;                                                                          \
    va_start(ap, last);                                                                  \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                               \
        mode = va_arg(ap, mode_t);                                                       \
    }                                                                                    \
    va_end(ap)

PUBLIC int open(const char *path, int flags, ...)
{
    OPEN_MODE(flags, flags, ap);
    return open_noted(AT_FDCWD, path, flags, mode);
}

PUBLIC int open64(const char *path, int flags, ...)
{
    OPEN_MODE(flags, flags, ap);
    return open_noted(AT_FDCWD, path, flags, mode);
}

PUBLIC int openat(int at, const char *path, int flags, ...)
{
    OPEN_MODE(flags, flags, ap);
    return open_noted(at, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

PUBLIC int __open_2(const char *path, int flags)
{
    return open_noted(AT_FDCWD, path, flags, 0);
}

PUBLIC int __open64_2(const char *path, int flags)
{
    return open_noted(AT_FDCWD, path, flags, 0);
}

PUBLIC ssize_t write(int fd, const void *data, size_t n)
{
    int64_t off = rec.on && inode_of_fd(fd) >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t w = syscall(SYS_write, fd, data, n);

    note_write(fd, data, w, off);
    return w;
}

PUBLIC ssize_t pwrite(int fd, const void *data, size_t n, off_t off)
{
    ssize_t w = syscall(SYS_pwrite64, fd, data, n, off);

    note_write(fd, data, w, off);
    return w;
}

PUBLIC ssize_t pwrite64(int fd, const void *data, size_t n, off64_t off)
{
    return pwrite(fd, data, n, off);
}

PUBLIC int ftruncate(int fd, off_t size)
{
    int rc = (int)syscall(SYS_ftruncate, fd, size);
    int inode = rc == 0 ? inode_of_fd(fd) : -1;

    if (inode >= 0) {
        struct op *o = add(OP_TRUNCATE);
        o->inode = inode;
        o->off = size;
    }
    return rc;
}

PUBLIC int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

PUBLIC int fsync(int fd)
{
    int rc = (int)syscall(SYS_fsync, fd);

    if (rc == 0) {
        note_sync(fd);
    }
    return rc;
}

PUBLIC int fdatasync(int fd)
{
    int rc = (int)syscall(SYS_fdatasync, fd);

    if (rc == 0) {
        note_sync(fd); /* and the size: all that our files need */
    }
    return rc;
}

PUBLIC int mkdir(const char *path, mode_t mode)
{
    struct stat st;
    const char *base = NULL;
    int rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    int dir = rc == 0 ? parent_of(path, &base) : -1;

    if (dir >= 0 && stat(path, &st) == 0) {
        add_name(dir, base, learn(&st, path));
    }
    return rc;
}

PUBLIC int unlink(const char *path)
{
    struct stat st;
    const char *base = NULL;
    int dir = parent_of(path, &base);
    int inode = dir >= 0 && lstat(path, &st) == 0 ? known(&st) : -1;
    int rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);

    if (rc == 0 && inode >= 0) {
        struct op *o = add(OP_UNNAME);
        o->dir = dir;
        o->inode = inode;
        snprintf(o->name, sizeof(o->name), "%.63s", base);
        rec.inodes[inode].alive = st.st_nlink > 1;
    }
    return rc;
}

PUBLIC int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    struct stat st;
    const char *base = NULL;
    int rc = (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
    int dir = rc == 0 ? parent_of(to, &base) : -1;
    int inode = dir >= 0 && stat(to, &st) == 0 ? known(&st) : -1;

    if (inode >= 0) {
        add_name(dir, base, inode);
    }
    return rc;
}

PUBLIC int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

PUBLIC int rename(const char *from, const char *to)
{
    struct stat st;
    const char *old = NULL;
    const char *base = NULL;
    int dir = parent_of(from, &old);
    int rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);

    if (rc == 0 && dir >= 0) {
        if (parent_of(to, &base) != dir || stat(to, &st) < 0) {
            give_up("a rename over directories is not modelled");
        }
        struct op *o = add(OP_RENAME);
        o->dir = dir;
        o->inode = known(&st);
        snprintf(o->name, sizeof(o->name), "%.63s", old);
        snprintf(o->to, sizeof(o->to), "%.63s", base);
    }
    return rc;
}

/* ---- control ---------------------------------------------------------------------- */

void record_start(const char *root, enum record_lie lie)
{
    struct stat st;

    record_free();
    snprintf(rec.root, sizeof(rec.root), "%s", root);
    if (stat(root, &st) < 0) {
        give_up("no root");
    }
    (void)learn(&st, root); /* number 0 */
    rec.lie = lie;
    rec.on = true;
}

void record_stop(void)
{
    rec.on = false;
}

void record_free(void)
{
    for (size_t i = 0; i < rec.count; i++) {
        free(rec.ops[i].data);
    }
    free(rec.ops);
    memset(&rec, 0, sizeof(rec));
}

void record_mark(int n)
{
    if (rec.on) {
        add(OP_MARK)->off = n;
    }
}

size_t record_count(void)
{
    return rec.count;
}

void record_syncs(unsigned *files, unsigned *dirs)
{
    *files = rec.file_syncs;
    *dirs = rec.dir_syncs;
}

bool record_changes_promises(size_t i)
{
    return rec.ops[i].kind == OP_SYNC || rec.ops[i].kind == OP_MARK;
}

void record_describe(size_t i, char *out, size_t n)
{
    static const char *const words[] = {"name",     "unname", "rename", "write",
                                        "truncate", "sync",   "mark"};
    const struct op *o = &rec.ops[i];

    snprintf(out, n, "%zu %s %s %s off %lld len %zu", i, words[o->kind],
             o->kind == OP_MARK ? "" : rec.inodes[o->inode].path, o->name,
             (long long)o->off, o->len);
}

/* ---- what the disk holds after a cut ---------------------------------------------- */

struct content {
    unsigned char *data;
    size_t len, cap;
};
struct entry {
    int dir, inode;
    char name[64];
};
struct disk {
    struct content *files;
    struct entry *entries;
    size_t entry_count, entry_cap;
    size_t *synced; /* operations of an inode before this one are safe */
    uint64_t random;
};

static uint64_t next_random(uint64_t *x) /* splitmix64 */
{
    uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void grow(struct content *c, size_t len)
{
    if (len > c->cap) {
        c->cap = len * 2;
        c->data = realloc(c->data, c->cap);
        if (c->data == NULL) {
            give_up("no memory");
        }
    }
    if (len > c->len) {
        memset(c->data + c->len, 0, len - c->len);
        c->len = len;
    }
}

static void unname(struct disk *d, int dir, const char *name)
{
    for (size_t i = 0; i < d->entry_count; i++) {
        if (d->entries[i].dir == dir && strcmp(d->entries[i].name, name) == 0) {
            d->entries[i] = d->entries[--d->entry_count];
            return;
        }
    }
}

static void name(struct disk *d, int dir, const char *text, int inode)
{
    unname(d, dir, text);
    if (d->entry_count == d->entry_cap) {
        d->entry_cap = d->entry_cap == 0 ? 256 : d->entry_cap * 2;
        d->entries = realloc(d->entries, d->entry_cap * sizeof(*d->entries));
        if (d->entries == NULL) {
            give_up("no memory");
        }
    }
    struct entry *e = &d->entries[d->entry_count++];
    e->dir = dir;
    e->inode = inode;
    snprintf(e->name, sizeof(e->name), "%s", text);
}

/* How much of a write arrived: all, or, torn, some sectors of its beginning. */
static size_t arrived(struct disk *d, const struct op *o, bool safe)
{
    if (safe || o->len <= SECTOR || next_random(&d->random) % 4 != 0) {
        return o->len;
    }
    return (size_t)(next_random(&d->random) % (o->len / SECTOR + 1)) * SECTOR;
}

static void apply(struct disk *d, const struct op *o, bool torn)
{
    struct content *c = &d->files[o->inode];
    size_t n = 0;

    switch (o->kind) {
    case OP_NAME:
        name(d, o->dir, o->name, o->inode);
        break;
    case OP_UNNAME:
        unname(d, o->dir, o->name);
        break;
    case OP_RENAME:
        unname(d, o->dir, o->name);
        name(d, o->dir, o->to, o->inode);
        break;
    case OP_WRITE:
        n = arrived(d, o, !torn);
        if (n > 0) {
            grow(c, (size_t)o->off + n);
            memcpy(c->data + o->off, o->data, n);
        }
        break;
    case OP_TRUNCATE:
        grow(c, (size_t)o->off);
        c->len = (size_t)o->off;
        break;
    case OP_SYNC:
    case OP_MARK:
        break;
    }
}

static int owner_of(const struct op *o)
{
    return o->kind == OP_WRITE || o->kind == OP_TRUNCATE ? o->inode : o->dir;
}

static void replay(struct disk *d, size_t count, enum cut_mode mode)
{
    for (size_t i = 0; i < count; i++) {
        if (rec.ops[i].kind == OP_SYNC) {
            d->synced[rec.ops[i].inode] = i;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct op *o = &rec.ops[i];
        bool safe = i < d->synced[owner_of(o)];
        bool kept = safe || mode == CUT_ALL ||
                    (mode == CUT_RANDOM && next_random(&d->random) % 2 == 0);
        if (kept) {
            apply(d, o, !safe && mode == CUT_RANDOM);
        }
    }
}

static int write_out(const struct disk *d, int dir, const char *path)
{
    if (mkdir(path, 0700) < 0) {
        return -1;
    }
    for (size_t i = 0; i < d->entry_count; i++) {
        const struct entry *e = &d->entries[i];
        char sub[PATH_MAX];
        if (e->dir != dir) {
            continue;
        }
        snprintf(sub, sizeof(sub), "%.3900s/%s", path, e->name);
        if (rec.inodes[e->inode].is_dir) {
            if (write_out(d, e->inode, sub) < 0) {
                return -1;
            }
            continue;
        }
        const struct content *c = &d->files[e->inode];
        int fd = open(sub, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || (c->len > 0 && write(fd, c->data, c->len) != (ssize_t)c->len) ||
            close(fd) < 0) {
            return -1;
        }
    }
    return 0;
}

int record_cut(size_t op, enum cut_mode mode, uint64_t seed, const char *to, bool *marked,
               size_t marks)
{
    struct disk d = {.random = seed};

    d.files = calloc((size_t)rec.inode_count, sizeof(*d.files));
    d.synced = calloc((size_t)rec.inode_count, sizeof(*d.synced));
    if (d.files == NULL || d.synced == NULL) {
        give_up("no memory");
    }
    replay(&d, op, mode);
    memset(marked, 0, marks * sizeof(*marked));
    for (size_t i = 0; i < op; i++) {
        if (rec.ops[i].kind == OP_MARK && (size_t)rec.ops[i].off < marks) {
            marked[rec.ops[i].off] = true;
        }
    }
    int rc = write_out(&d, 0, to);
    for (int i = 0; i < rec.inode_count; i++) {
        free(d.files[i].data);
    }
    free(d.files);
    free(d.synced);
    free(d.entries);
    return rc;
}
