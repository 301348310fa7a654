/* SPDX-License-Identifier: BSD-2-Clause
 * ISO-2022-JP as mail has it -> Shift_JIS, which one converter reads with the characters
 * of all vendors.
 *
 * glibc's own converter refuses half-width syllables and the vendors' rows (circled
 * digits, company signs) that are in every second such mail. Escape sequences other than
 * those of ASCII, JIS X 0201 and JIS X 0208 make it give up. Linear, libc only.
 */
#ifndef TKT_MESSAGE_JIS_H
#define TKT_MESSAGE_JIS_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends to out; false when there is a sequence it does not know, or no memory: then
 * what was appended means nothing. */
bool tkt_jis_to_sjis(struct tkt_buf *out, const void *data, size_t n);

#endif
