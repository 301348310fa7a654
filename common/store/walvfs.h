/* SPDX-License-Identifier: BSD-2-Clause
 * A VFS for the writer that gathers what SQLite writes to the log into one write(2).
 *
 * SQLite writes each frame of the WAL as two small writes, some twenty system calls for a
 * ticket, although the frames of a transaction lie behind each other. This shim over the
 * default VFS keeps them in memory (at most TKT_WALVFS_BUFFER bytes) and writes them at
 * the latest when the log is synced, read, measured or cut.
 *
 * Why it is safe: with synchronous=FULL SQLite shows a transaction to readers (the
 * wal-index) only behind the sync of the log, and the sync writes what is gathered first;
 * if that fails the commit fails.
 * A page on its way from the log into the database loses what its unused part still holds
 * of rows that are gone (store/scrub.h); nothing else is touched.
 * Threads: a file belongs to its connection's thread; registration is guarded.
 */
#ifndef TKT_STORE_WALVFS_H
#define TKT_STORE_WALVFS_H

/* SQLite's unix VFS takes less than 128 KiB in one call. */
#define TKT_WALVFS_BUFFER (120 * 1024)

/* The name for sqlite3_open_v2(); registers the VFS once. NULL when there is no memory. */
const char *tkt_walvfs(void);

#endif
