/* SPDX-License-Identifier: BSD-2-Clause
 * HTML -> text, in one pass.
 *
 * Tags go; script, style, head and comments go with their content; blocks and <br> end
 * lines; entities are decoded; white space collapses but in <pre>. Linear, no tree, no
 * depth; what is not HTML comes out as it went in. Input and output are UTF-8.
 */
#ifndef TKT_MESSAGE_HTML_H
#define TKT_MESSAGE_HTML_H
#include "base/buf.h"

#include <stddef.h>

/* Appends; stops where out is full (out->failed). */
void tkt_html_text(struct tkt_buf *out, const char *html, size_t n);

#endif
