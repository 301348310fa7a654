/* SPDX-License-Identifier: BSD-2-Clause
 * Character references of HTML: "&eacute;", "&#233;", "&#xe9;".
 *
 * Knows all names of HTML 5, and the old ones without a semicolon, too. Pure; looks at
 * no more than TKT_ENTITY_MAX bytes.
 */
#ifndef TKT_MESSAGE_ENTITY_H
#define TKT_MESSAGE_ENTITY_H
#include <stdbool.h>
#include <stddef.h>

#define TKT_ENTITY_MAX 33      /* "&" and the longest name */
#define TKT_ENTITY_TEXT_MAX 12 /* UTF-8 that one of them stands for */

/* p is at '&'. The bytes that the reference takes (0: it is none) and its text, *len
 * bytes of UTF-8. in_attribute: "&copy=" in a URL is no reference. */
size_t tkt_entity_read(const char *p, size_t n, bool in_attribute,
                       char out[TKT_ENTITY_TEXT_MAX], size_t *len);

#endif
