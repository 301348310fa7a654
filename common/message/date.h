/* SPDX-License-Identifier: BSD-2-Clause
 * Date fields -> seconds since 1970.
 *
 * RFC 5322 with its obsolete forms (two-digit years, zone names, comments, blanks around
 * colons), and what else mail has: no seconds, no zone (UTC then), asctime(3), ISO 8601,
 * "21-Nov-97", "11/21/1997", AM and PM. English month names only. Pure, no locale; looks
 * at the first TKT_DATE_MAX bytes.
 */
#ifndef TKT_MESSAGE_DATE_H
#define TKT_MESSAGE_DATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_DATE_MAX 256

/* False when there is no day in it. *out_s is never 0: that means absent elsewhere. */
bool tkt_date_read(const char *value, size_t n, int64_t *out_s);

#endif
