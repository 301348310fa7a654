/* SPDX-License-Identifier: BSD-2-Clause
 * Globs over folded text: * any characters, ? one, [a-z] and [!a-z] one of these, \ takes
 * the next as it is. Time is at most length of text times length of glob. Private to
 * common/decide.
 */
#ifndef TKT_DECIDE_GLOB_H
#define TKT_DECIDE_GLOB_H
#include <stdbool.h>
#include <stddef.h>

/* NULL, or what is wrong with it. */
const char *tkt_glob_check(const char *glob);
/* The whole of s. */
bool tkt_glob_match(const char *glob, const char *s, size_t n);

#endif
