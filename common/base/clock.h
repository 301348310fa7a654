/* SPDX-License-Identifier: BSD-2-Clause
 * The seam through which all time passes, so that tests need no sleep.
 *
 * Thread-safe. tkt_clock_fake() is for tests: from then on both clocks stand still at
 * the given values until tkt_clock_advance() moves them. libc only.
 */
#ifndef TKT_BASE_CLOCK_H
#define TKT_BASE_CLOCK_H
#include <stddef.h>
#include <stdint.h>

int64_t tkt_clock_wall_ms(void); /* since 1970-01-01 UTC; may jump */
int64_t tkt_clock_mono_ms(void); /* for deadlines; never goes back */
int64_t tkt_clock_mono_us(void);
void tkt_clock_fake(int64_t wall_ms, int64_t mono_ms);
void tkt_clock_advance(int64_t ms);
void tkt_clock_real(void);
/* RFC 3339 in UTC with milliseconds, "2026-11-22T11:47:16.123Z"; out has room for 32. */
void tkt_clock_format(int64_t wall_ms, char out[32]);

#endif
