/* SPDX-License-Identifier: BSD-2-Clause
 * Files: whole reads and writes, directory sync, unnamed files that get a name last.
 *
 * All descriptors are close-on-exec. Errors are TEMP unless said otherwise. Threads: no
 * shared state.
 */
#ifndef TKT_BASE_FS_H
#define TKT_BASE_FS_H
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Write all of it, whatever the kernel's short writes. */
int tkt_write_full(int fd, const void *data, size_t n, struct tkt_err *err);
/* Up to n bytes from off; *got is short only at the end of the file. */
int tkt_pread_full(int fd, void *data, size_t n, off_t off, size_t *got,
                   struct tkt_err *err);
/* The whole file at path (or fd from where it stands) into out; PERM when larger than out->max. */
int tkt_read_file(const char *path, struct tkt_buf *out, struct tkt_err *err);
int tkt_read_fd(int fd, struct tkt_buf *out, struct tkt_err *err);
/* fsync(2) of the directory itself: without it a new name may be lost in a power cut. */
int tkt_fsync_dir(const char *path, struct tkt_err *err);
/* An unnamed file in dir (O_TMPFILE, mode 0600); returns the fd or -1. */
int tkt_open_tmpfile(const char *dir, struct tkt_err *err);
/* Gives the O_TMPFILE fd the name path, which must not exist. Not synced: the caller
 * fsyncs the file before and the directory after. */
int tkt_link_fd(int fd, const char *path, struct tkt_err *err);
/* Replaces path atomically and durably: temporary file beside it, fsync, rename, fsync
 * of the directory. */
int tkt_replace_file(const char *path, const void *data, size_t n, mode_t mode,
                     struct tkt_err *err);
/* A memfd sealed against shrink and write holding data; or -1. */
int tkt_memfd_sealed(const char *name, const void *data, size_t n, struct tkt_err *err);

#endif
