/* SPDX-License-Identifier: BSD-2-Clause
 * One file that holds everything: the database as of one moment, and in a further table
 * the message files that it names, in pieces.
 */
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "store/internal.h"
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE (1024 * 1024)

/* It is built under another name and synced as a whole at the end. */
static const char build_pragmas[] = "PRAGMA journal_mode=MEMORY;"
                                    "PRAGMA synchronous=OFF;";
static const char pieces_table[] =
    "CREATE TABLE blob_pieces(name TEXT NOT NULL, piece INTEGER NOT NULL,"
    " data BLOB NOT NULL, PRIMARY KEY(name, piece))";

static int sync_file(const char *path, struct tkt_err *err)
{
    TKT_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "store: fsync %s", path);
    }
    return 0;
}

static int sync_parent(const char *path, struct tkt_err *err)
{
    char dir[PATH_MAX];

    snprintf(dir, sizeof(dir), "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash == NULL) {
        return tkt_fsync_dir(".", err);
    }
    slash[slash == dir ? 1 : 0] = '\0';
    return tkt_fsync_dir(dir, err);
}

/* ---- backup ----------------------------------------------------------------------- */

static int add_pieces(struct tkt_db *to, const char *name, int fd, char *buf,
                      struct tkt_err *err)
{
    size_t got = PIECE;

    for (int64_t piece = 0; got == PIECE; piece++) {
        if (tkt_pread_full(fd, buf, PIECE, piece * PIECE, &got, err) < 0) {
            return -1;
        }
        if ((got > 0 || piece == 0) &&
            tkt_db_run(to, SQL_PIECE_ADD, err, "sib", name, piece, buf, got) < 0) {
            return -1;
        }
    }
    return 0;
}

/* A file that was erased since the copy was made is erased in the copy too. */
static int add_blob(struct tkt_reader *r, struct tkt_db *to, const char *name, char *buf,
                    struct tkt_err *err)
{
    struct tkt_err why = TKT_ERR_INIT;
    TKT_AUTO_FD int fd = tkt_blob_open(r->dir, name, &why);

    if (fd >= 0) {
        return add_pieces(to, name, fd, buf, err);
    }
    if (why.class == TKT_ERR_PERM) {
        return tkt_db_run(to, SQL_BLOB_GONE, err, "s", name) < 0 ? -1 : 0;
    }
    if (err != NULL) {
        *err = why;
    }
    return -1;
}

static int add_blobs(struct tkt_reader *r, struct tkt_db *to, struct tkt_err *err)
{
    TKT_AUTO_FREE char *buf = malloc(PIECE);
    char name[40] = "";

    if (buf == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
    }
    for (;;) {
        struct tkt_row row = TKT_ROW_INIT;
        int n = tkt_db_query(to, &row, SQL_BLOB_NEXT, err, "s", name);
        if (n <= 0) {
            return n;
        }
        snprintf(name, sizeof(name), "%s", tkt_row_text(&row, 1));
        tkt_row_end(&row);
        if (add_blob(r, to, name, buf, err) < 0) {
            return -1;
        }
    }
}

static int fill_backup(struct tkt_reader *r, const char *tmp, struct tkt_err *err)
{
    struct tkt_db *to = NULL;

    if (tkt_db_copy(r->db, tmp, err) < 0 ||
        (to = tkt_db_open(tmp, TKT_DB_WRITE, err)) == NULL) {
        return -1;
    }
    int rc = tkt_db_script(to, build_pragmas, err) < 0 ||
                     tkt_db_run(to, SQL_BEGIN, err, "") < 0 ||
                     tkt_db_script(to, pieces_table, err) < 0 ||
                     add_blobs(r, to, err) < 0 || tkt_db_run(to, SQL_COMMIT, err, "") < 0
                 ? -1
                 : 0;
    tkt_db_close(&to, rc < 0);
    return rc;
}

static void remove_parts(const char *tmp)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(ends); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s%s", tmp, ends[i]);
        (void)unlink(path); /* most of them are not there */
    }
}

int tkt_reader_backup(struct tkt_reader *r, const char *path, struct tkt_err *err)
{
    char tmp[PATH_MAX];
    unsigned char random[8];
    char hex[17];

    tkt_random(random, sizeof(random));
    tkt_hex_encode(random, sizeof(random), hex);
    int len = snprintf(tmp, sizeof(tmp), "%s.%s", path, hex);
    if (len < 0 || (size_t)len + 10 >= sizeof(tmp)) {
        return tkt_err_set(err, TKT_ERR_PERM, "backup: path too long");
    }
    if (access(path, F_OK) == 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "backup: %s is there already", path);
    }
    int rc = fill_backup(r, tmp, err) < 0 || sync_file(tmp, err) < 0 ? -1 : 0;
    /* link, not rename: a file that came up meanwhile is not overwritten. */
    if (rc == 0 && link(tmp, path) < 0) {
        rc = tkt_err_errno(err, TKT_ERR_TEMP, "backup: %s", path);
    }
    remove_parts(tmp);
    return rc < 0 ? tkt_err_prefix(err, "backup") : sync_parent(path, err);
}

/* ---- restore ---------------------------------------------------------------------- */

static int write_piece(const char *dir, const char *name, int64_t piece, const void *data,
                       size_t n, struct tkt_err *err)
{
    char path[PATH_MAX];
    char sub[PATH_MAX];

    if (tkt_blob_path(dir, name, path, sizeof(path)) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "restore: bad blob name %.40s", name);
    }
    snprintf(sub, sizeof(sub), "%s", path);
    *strrchr(sub, '/') = '\0';
    if (mkdir(sub, 0700) < 0 && errno != EEXIST) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "restore: %s", sub);
    }
    TKT_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "restore: %s", path);
    }
    if (lseek(fd, (off_t)piece * PIECE, SEEK_SET) < 0 ||
        tkt_write_full(fd, data, n, err) < 0 || fsync(fd) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "restore: %s", path);
    }
    return tkt_fsync_dir(sub, err);
}

static int write_blobs(struct tkt_db *db, const char *dir, struct tkt_err *err)
{
    char name[40] = "";
    int64_t piece = -1;

    for (;;) {
        TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
        size_t len = 0;
        int n = tkt_db_query(db, &row, SQL_PIECE_NEXT, err, "si", name, piece);
        if (n <= 0) {
            return n;
        }
        snprintf(name, sizeof(name), "%s", tkt_row_text(&row, 0));
        piece = tkt_row_int(&row, 1);
        const void *data = tkt_row_blob(&row, 2, &len);
        if (write_piece(dir, name, piece, data, len, err) < 0) {
            return -1;
        }
    }
}

static int check_backup(struct tkt_db *db, const char *backup, struct tkt_err *err)
{
    int64_t tables = 0;
    int64_t version = 0;

    if (tkt_db_get_int(db, SQL_PIECES_TABLE, &tables, err, "") < 0 ||
        tkt_schema_version(db, &version, err) < 0) {
        return -1;
    }
    if (tables == 0 || version == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "restore: %s is not a backup", backup);
    }
    return version > TKT_STORE_SCHEMA ? tkt_schema_check(db, err) : 0;
}

static int unpack(const char *path, const char *dir, struct tkt_err *err)
{
    struct tkt_db *db = tkt_db_open(path, TKT_DB_WRITE, err);

    if (db == NULL) {
        return -1;
    }
    int rc = write_blobs(db, dir, err) < 0 ||
                     tkt_db_script(db, "DROP TABLE blob_pieces; VACUUM;", err) < 0 ||
                     tkt_db_checkpoint(db, true, err) < 0
                 ? -1
                 : 0;
    tkt_db_close(&db, rc < 0);
    return rc;
}

int tkt_store_restore(const char *backup, const char *new_dir, struct tkt_err *err)
{
    char path[PATH_MAX];
    char blobs[PATH_MAX];
    struct tkt_db *db = tkt_db_open(backup, TKT_DB_READ, err);

    if (db == NULL) {
        return tkt_err_prefix(err, "restore");
    }
    snprintf(path, sizeof(path), "%s/" DB_NAME, new_dir);
    snprintf(blobs, sizeof(blobs), "%s/" BLOBS_NAME, new_dir);
    int rc = check_backup(db, backup, err);
    if (rc == 0 && (mkdir(new_dir, 0700) < 0 || mkdir(blobs, 0700) < 0)) {
        rc = tkt_err_errno(err, TKT_ERR_CONF, "restore: make directory %s", new_dir);
    }
    rc = rc < 0 || tkt_db_copy(db, path, err) < 0 ? -1 : 0;
    tkt_db_close(&db, true);
    if (rc < 0 || unpack(path, new_dir, err) < 0 || sync_file(path, err) < 0 ||
        tkt_fsync_dir(blobs, err) < 0 || tkt_fsync_dir(new_dir, err) < 0) {
        return -1;
    }
    return sync_parent(new_dir, err);
}
