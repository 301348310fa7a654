/* SPDX-License-Identifier: BSD-2-Clause
 * What a page of the database still holds of rows that moved or went.
 *
 * secure_delete clears a row that is deleted and a page that is freed. But when SQLite
 * splits, merges or tidies a page it copies the rows to their new places and leaves the
 * old bytes where no row is any more, between the page's list of rows and the rows. An
 * address that was forgotten later could be read there in the file. So that gap is cleared on
 * the way from the log into the database (store/walvfs.h): nothing reads it, and nothing
 * of SQLite's depends on it. The log itself is cut after an erasure.
 *
 * Only pages of b-trees have such a list; they are told from others by their first byte.
 * Other pages begin with the number of a page, so the file must have fewer than
 * TKT_SCRUB_PAGES_MAX pages (124 GiB; above that nothing is cleared), and be without
 * auto_vacuum, which this store never sets.
 * Pure; no memory.
 */
#ifndef TKT_STORE_SCRUB_H
#define TKT_STORE_SCRUB_H
#include <stdbool.h>
#include <stddef.h>

#define TKT_SCRUB_PAGES_MAX 0x01f00000

/* true: bytes from..to of the page are nobody's. is_first: page 1, which begins with the
 * database's header. What does not look whole is left alone. */
bool tkt_scrub_gap(const unsigned char *page, size_t size, bool is_first, size_t *from,
                   size_t *to);

#endif
