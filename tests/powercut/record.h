/* SPDX-License-Identifier: BSD-2-Clause
 * Records what a process does to one directory tree, and rebuilds the tree as a power cut
 * would leave it.
 *
 * record.c defines write(2), fsync(2), rename(2) and their kin itself: the program's own
 * calls and those of every library in it (SQLite too) come through here. A disk may lose
 * whatever was not synced: bytes need fsync of their file, names need fsync of their
 * directory. One thread. The -shm file of SQLite is left out: it does not outlive a boot.
 */
#ifndef TKT_POWERCUT_RECORD_H
#define TKT_POWERCUT_RECORD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_lie { /* syncs that claim to work and do nothing; for the proof of the test */
    LIE_NONE,
    LIE_BLOB_FILE, /* files below blobs/ */
    LIE_BLOB_DIR,  /* blobs/xx */
    LIE_BLOBS_DIR, /* blobs */
    LIE_STORE_DIR, /* the directory of the database */
    LIE_LOG        /* the database's log */
};

/* root exists and is empty; everything below is recorded until record_stop(). */
void record_start(const char *root, enum record_lie lie);
void record_stop(void);
void record_free(void);
/* A word of the workload between two operations: "number n was answered". */
void record_mark(int n);
size_t record_count(void); /* operations so far */
/* What an operation was, for a failure's text. */
void record_describe(size_t op, char *out, size_t n);
/* Whether a cut behind it that loses all of the unsynced differs from one before it. */
bool record_changes_promises(size_t op);
/* How many syncs of files and of directories were seen. */
void record_syncs(unsigned *files, unsigned *dirs);

enum cut_mode {
    CUT_NONE,
    CUT_ALL,
    CUT_RANDOM
}; /* what survives of the unsynced */
/* Writes the tree as after a cut behind operation `op` (op operations were done) to the
 * directory to, which must not exist. marked[n] is set for every mark before the cut. */
int record_cut(size_t op, enum cut_mode mode, uint64_t seed, const char *to, bool *marked,
               size_t marks);

#endif
