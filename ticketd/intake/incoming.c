/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/incoming.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 65536
/* A file that no deadline would ever end. */
#define SCAN_MAX (UINT64_C(4) << 30)

void tkt_incoming_init(struct tkt_incoming *in)
{
    memset(in, 0, sizeof(*in));
    in->blob.fd = -1;
}

void tkt_incoming_release(struct tkt_incoming *in)
{
    free(in->raw);
    if (in->has_blob) {
        tkt_blob_close(&in->blob);
    }
    tkt_incoming_init(in);
}

bool tkt_incoming_is_small(int fd, const struct tkt_conf_limits *limits)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size <= limits->inline_max;
}

bool tkt_incoming_is_quick(int fd, const struct tkt_conf_limits *limits)
{
    return fcntl(fd, F_GET_SEALS) >= 0 && tkt_incoming_is_small(fd, limits);
}

static int open_source(int fd, uint64_t *size, struct tkt_err *err)
{
    struct stat st;

    if (fd < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "no message descriptor");
    }
    if (fstat(fd, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "message");
    }
    if (!S_ISREG(st.st_mode)) {
        return tkt_err_set(err, TKT_ERR_PERM, "the message is not a regular file");
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY) {
        return tkt_err_set(err, TKT_ERR_PERM, "the message cannot be read");
    }
    *size = (uint64_t)st.st_size;
    if (*size > SCAN_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "the message is larger than 4 GiB");
    }
    return 0;
}

static int read_small(struct tkt_incoming *in, int fd, struct tkt_keyscan *scan,
                      struct tkt_err *err)
{
    size_t got;

    in->raw = malloc((size_t)in->size + 1);
    if (!in->raw) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory for a message");
    }
    if (tkt_pread_full(fd, in->raw, (size_t)in->size, 0, &got, err) < 0) {
        return -1;
    }
    if (got != in->size) {
        return tkt_err_set(err, TKT_ERR_TEMP, "the message shrank to %zu of %llu bytes",
                           got, (unsigned long long)in->size);
    }
    in->raw_len = got;
    in->raw[got] = '\0';
    tkt_keyscan_add(scan, in->raw, got);
    return 0;
}

/* Into the blob, or (truncated) only its beginning into memory. */
static int keep_block(struct tkt_incoming *in, const char *block, size_t n,
                      size_t keep_max, struct tkt_err *err)
{
    if (!in->truncated) {
        return tkt_write_full(in->blob.fd, block, n, err);
    }
    size_t room = keep_max - in->raw_len;
    memcpy(in->raw + in->raw_len, block, TKT_MIN(room, n));
    in->raw_len += TKT_MIN(room, n);
    return 0;
}

static int read_large(struct tkt_incoming *in, int fd, size_t keep_max,
                      struct tkt_keyscan *scan, int64_t deadline_mono_ms,
                      struct tkt_err *err)
{
    TKT_AUTO_FREE char *block = malloc(BLOCK);
    uint64_t at = 0;
    size_t got;

    if (!block) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory for a message");
    }
    while (at < in->size) {
        size_t want = (size_t)TKT_MIN(in->size - at, BLOCK);

        if (tkt_pread_full(fd, block, want, (off_t)at, &got, err) < 0) {
            return -1;
        }
        if (got != want) {
            return tkt_err_set(
                err, TKT_ERR_TEMP, "the message shrank to %llu of %llu bytes",
                (unsigned long long)(at + got), (unsigned long long)in->size);
        }
        tkt_keyscan_add(scan, block, got);
        if (keep_block(in, block, got, keep_max, err) < 0) {
            return -1;
        }
        at += got;
        if (tkt_clock_mono_ms() > deadline_mono_ms) {
            return tkt_err_set(err, TKT_ERR_TEMP, "the deadline passed while reading");
        }
    }
    return 0;
}

static int check_still(int fd, uint64_t size, struct tkt_err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != size) {
        return tkt_err_set(err, TKT_ERR_TEMP, "the message changed while it was read");
    }
    return 0;
}

int tkt_incoming_read(struct tkt_incoming *in, int fd,
                      const struct tkt_conf_limits *limits, const char *store_dir,
                      struct tkt_keyscan *scan, int64_t deadline_mono_ms,
                      const struct tkt_keyscan_result **result, struct tkt_err *err)
{
    size_t keep_max = (size_t)limits->inline_max;

    if (open_source(fd, &in->size, err) < 0) {
        return -1;
    }
    in->truncated = in->size > (uint64_t)limits->message_max;
    if (in->size <= keep_max && !in->truncated) {
        if (read_small(in, fd, scan, err) < 0) {
            return -1;
        }
    } else {
        if (in->truncated) {
            in->raw = malloc(keep_max + 1);
            if (!in->raw) {
                return tkt_err_set(err, TKT_ERR_TEMP, "no memory for a message");
            }
        } else if (tkt_blob_create(store_dir, &in->blob, err) < 0) {
            return -1;
        } else {
            in->has_blob = true;
        }
        if (read_large(in, fd, keep_max, scan, deadline_mono_ms, err) < 0) {
            return -1;
        }
    }
    if (check_still(fd, in->size, err) < 0) {
        return -1;
    }
    *result = tkt_keyscan_final(scan);
    if (in->truncated) {
        tkt_sha256(in->raw, in->raw_len, in->sha256);
    } else {
        memcpy(in->sha256, (*result)->sha256, TKT_SHA256_LEN);
    }
    return 0;
}
