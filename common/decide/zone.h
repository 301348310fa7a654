/* SPDX-License-Identifier: BSD-2-Clause
 * A time zone: how far the clock on the wall is from UTC, at any instant.
 *
 * Read from the bytes of a TZif file (RFC 8536, tzdata), all versions; the rule behind
 * its last transition is laid out until TKT_ZONE_YEAR_MAX, after which the offset stays.
 * localtime(3) knows one zone for the whole process; this knows as many as calendars have.
 * Immutable after it was read; any thread. Pure: whoever reads files hands the bytes in.
 * Errors: CONF, with what is wrong with the file.
 */
#ifndef TKT_DECIDE_ZONE_H
#define TKT_DECIDE_ZONE_H
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TKT_ZONE_FILE_MAX (256 * 1024)
#define TKT_ZONE_YEAR_MAX 2200

struct tkt_zone;

struct tkt_zone *tkt_zone_read(const void *data, size_t n, struct tkt_err *err);
void tkt_zone_free(struct tkt_zone **zone);
/* Seconds east of UTC at t_s, and the first instant behind it at which that may change
 * (INT64_MAX: never). zone NULL: UTC. */
int32_t tkt_zone_offset(const struct tkt_zone *zone, int64_t t_s, int64_t *until_s);

#endif
