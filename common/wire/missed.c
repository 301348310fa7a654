/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/missed.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define COPY_CHUNK 65536

static int path_of(char out[PATH_MAX], const char *dir, const char *name,
                   const char *suffix, struct tkt_err *err)
{
    int n = snprintf(out, PATH_MAX, "%s/%s%s", dir, name, suffix);

    return n > 0 && n < PATH_MAX ? 0 : tkt_err_set(err, TKT_ERR_CONF, "path too long");
}

/* Sorts by time; the random part keeps several writers apart. */
static int new_name(char out[TKT_MISSED_NAME_MAX], struct tkt_err *err)
{
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "getrandom");
    }
    snprintf(out, TKT_MISSED_NAME_MAX, "%014llx-%016llx",
             (unsigned long long)tkt_clock_wall_ms(), (unsigned long long)random);
    return 0;
}

static int copy_message(int from, int to, struct tkt_err *err)
{
    TKT_AUTO_FREE char *chunk = malloc(COPY_CHUNK);
    off_t at = 0;
    size_t got;

    if (chunk == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    do {
        if (tkt_pread_full(from, chunk, COPY_CHUNK, at, &got, err) < 0 ||
            tkt_write_full(to, chunk, got, err) < 0) {
            return -1;
        }
        at += (off_t)got;
    } while (got == COPY_CHUNK);
    return 0;
}

static int write_message(const char *path, int message_fd, struct tkt_err *err)
{
    TKT_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    if (fd < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "create %s", path);
    }
    if (copy_message(message_fd, fd, err) < 0) {
        return -1;
    }
    if (fchmod(fd, 0640) < 0 || fsync(fd) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "fsync %s", path);
    }
    return 0;
}

static int write_envelope(const char *path, const struct tkt_wire_request *req,
                          int message_fd, struct tkt_err *err)
{
    struct tkt_wire_request copy = *req;
    struct tkt_wire_packet pkt;

    copy.verb = TKT_WIRE_RESERVE;
    copy.generation = 0;
    copy.smtp_path = false; /* the answer was 250 */
    if (tkt_wire_request_encode(&copy, message_fd, &pkt, err) < 0) {
        return -1;
    }
    int rc = tkt_replace_file(path, pkt.body.data, pkt.body.len, 0640, err);
    tkt_wire_packet_release(&pkt);
    return rc;
}

static int make_dir(const char *dir, struct tkt_err *err)
{
    char parent[PATH_MAX];

    if (mkdir(dir, 0770) < 0) {
        return errno == EEXIST ? 0 : tkt_err_errno(err, TKT_ERR_TEMP, "mkdir %s", dir);
    }
    if (chmod(dir, 0770) < 0) { /* the umask took the group's part */
        return tkt_err_errno(err, TKT_ERR_TEMP, "chmod %s", dir);
    }
    return path_of(parent, dir, "..", "", err) < 0 ? -1 : tkt_fsync_dir(parent, err);
}

int tkt_missed_write(const char *dir, const struct tkt_wire_request *req, int message_fd,
                     struct tkt_err *err)
{
    char name[TKT_MISSED_NAME_MAX];
    char eml[PATH_MAX];
    char env[PATH_MAX];

    if (make_dir(dir, err) < 0 || new_name(name, err) < 0 ||
        path_of(eml, dir, name, ".eml", err) < 0 ||
        path_of(env, dir, name, ".env", err) < 0) {
        return -1;
    }
    if (write_message(eml, message_fd, err) < 0 ||
        write_envelope(env, req, message_fd, err) < 0) {
        (void)unlink(env); /* it may never have been there; the error is already told */
        (void)unlink(eml);
        return -1;
    }
    return 0;
}

/* The entry's name if file is NAME + suffix. */
static bool strip_suffix(const char *file, const char *suffix,
                         char out[TKT_MISSED_NAME_MAX])
{
    size_t n = strlen(file);
    size_t s = strlen(suffix);

    if (n <= s || n - s >= TKT_MISSED_NAME_MAX || file[0] == '.' ||
        strcmp(file + n - s, suffix) != 0) {
        return false;
    }
    memcpy(out, file, n - s);
    out[n - s] = '\0';
    return true;
}

static void insert_sorted(struct tkt_missed_name *names, size_t max, size_t *count,
                          const char *name)
{
    size_t at = *count;

    while (at > 0 && strcmp(names[at - 1].text, name) > 0) {
        at--;
    }
    if (at == max) {
        return;
    }
    size_t keep = *count < max ? *count : max - 1;
    memmove(&names[at + 1], &names[at], (keep - at) * sizeof(names[0]));
    snprintf(names[at].text, sizeof(names[at].text), "%s", name);
    *count = keep + 1;
}

int tkt_missed_list(const char *dir, struct tkt_missed_name *names, size_t max,
                    size_t *count, struct tkt_err *err)
{
    char name[TKT_MISSED_NAME_MAX];
    struct dirent *e;

    *count = 0;
    DIR *d = opendir(dir);
    if (d == NULL) {
        return errno == ENOENT ? 0 : tkt_err_errno(err, TKT_ERR_TEMP, "open %s", dir);
    }
    while (max > 0 && (e = readdir(d)) != NULL) {
        if (strip_suffix(e->d_name, ".env", name)) {
            insert_sorted(names, max, count, name);
        }
    }
    closedir(d);
    return 0;
}

/* A regular file and nothing else, whatever the name stands for. */
static int open_plain(const char *path, struct tkt_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        bool broken = errno == ELOOP || errno == ENOENT;
        return tkt_err_errno(err, broken ? TKT_ERR_PERM : TKT_ERR_TEMP, "open %s", path);
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return tkt_err_set(err, TKT_ERR_PERM, "%s is not a regular file", path);
    }
    return fd;
}

int tkt_missed_open(const char *dir, const char *name, struct tkt_wire_request *req,
                    int *message_fd, struct tkt_err *err)
{
    char eml[PATH_MAX];
    char env[PATH_MAX];
    struct tkt_wire_packet pkt;

    if (path_of(eml, dir, name, ".eml", err) < 0 ||
        path_of(env, dir, name, ".env", err) < 0) {
        return -1;
    }
    TKT_AUTO_FD int env_fd = open_plain(env, err);
    int eml_fd = env_fd >= 0 ? open_plain(eml, err) : -1;
    if (eml_fd < 0) {
        return -1;
    }
    tkt_wire_packet_init(&pkt);
    (void)tkt_wire_packet_take_fd(&pkt, eml_fd); /* the first of two */
    int rc = tkt_read_fd(env_fd, &pkt.body, err);
    rc = rc == 0 ? tkt_wire_request_decode(&pkt, req, err) : -1;
    if (rc == 0) {
        *message_fd = pkt.fds[0];
        pkt.fds[0] = -1;
    }
    tkt_wire_packet_release(&pkt);
    return rc < 0 ? tkt_err_prefix(err, "%s", name) : 0;
}

int tkt_missed_remove(const char *dir, const char *name, struct tkt_err *err)
{
    char eml[PATH_MAX];
    char env[PATH_MAX];

    if (path_of(eml, dir, name, ".eml", err) < 0 ||
        path_of(env, dir, name, ".env", err) < 0) {
        return -1;
    }
    if ((unlink(env) < 0 || unlink(eml) < 0) && errno != ENOENT) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "remove %s", env);
    }
    return 0; /* not synced: an entry that comes back has its ticket's key */
}

int tkt_missed_set_aside(const char *dir, const char *name, struct tkt_err *err)
{
    char env[PATH_MAX];
    char bad[PATH_MAX];

    if (path_of(env, dir, name, ".env", err) < 0 ||
        path_of(bad, dir, name, ".bad", err) < 0) {
        return -1;
    }
    if (rename(env, bad) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "set aside %s", env);
    }
    return tkt_fsync_dir(dir, err);
}

static bool is_orphan(const char *dir, const char *name, int64_t age_s)
{
    char path[PATH_MAX];
    struct stat st;

    if (path_of(path, dir, name, ".env", NULL) < 0 || access(path, F_OK) == 0 ||
        path_of(path, dir, name, ".bad", NULL) < 0 || access(path, F_OK) == 0 ||
        path_of(path, dir, name, ".eml", NULL) < 0 || stat(path, &st) < 0) {
        return false;
    }
    return tkt_clock_wall_ms() / 1000 - st.st_mtime > age_s;
}

void tkt_missed_sweep(const char *dir, int64_t age_s)
{
    char name[TKT_MISSED_NAME_MAX];
    char path[PATH_MAX];
    struct dirent *e;
    DIR *d = opendir(dir);

    if (d == NULL) {
        return;
    }
    while ((e = readdir(d)) != NULL) {
        if (strip_suffix(e->d_name, ".eml", name) && is_orphan(dir, name, age_s) &&
            path_of(path, dir, name, ".eml", NULL) == 0) {
            (void)unlink(path); /* the next sweep tries again */
        }
    }
    closedir(d);
}
