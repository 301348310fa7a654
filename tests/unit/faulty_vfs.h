/* SPDX-License-Identifier: BSD-2-Clause
 * An SQLite VFS over the real one whose writes, syncs and opens fail when armed.
 */
#ifndef TKT_TESTS_FAULTY_VFS_H
#define TKT_TESTS_FAULTY_VFS_H

enum faulty_kind {
    FAULTY_NONE,
    FAULTY_FSYNC,
    FAULTY_WRITE,
    FAULTY_FULL,
    FAULTY_OPEN
};

void faulty_install(void); /* becomes the default VFS */
/* The next `times` calls of that kind fail. */
void faulty_arm(enum faulty_kind kind, int times);
int faulty_hits(void);  /* failures since armed */
int faulty_opens(void); /* files opened so far */

#endif
