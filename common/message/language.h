/* SPDX-License-Identifier: BSD-2-Clause
 * In which language a text is written, by its script, its words and their endings.
 *
 * Known: ar bg cs da de el en es fi fr he hu it ja ko nl no pl pt ro ru sv tr uk zh. What
 * is in none of them is called by the nearest only if that is clear, else "". Looks at
 * the first TKT_LANGUAGE_BYTES_MAX bytes and leaves out addresses and quoted lines. The
 * first call fills a table in static memory: one thread at a time. libc only.
 */
#ifndef TKT_MESSAGE_LANGUAGE_H
#define TKT_MESSAGE_LANGUAGE_H
#include <stddef.h>

#define TKT_LANGUAGE_BYTES_MAX (16 * 1024)

/* ISO 639-1, static; "" when unsure. text is UTF-8. */
const char *tkt_language_of(const char *text, size_t n);

#endif
