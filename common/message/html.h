/* SPDX-License-Identifier: BSD-2-Clause
 * HTML -> text, in one pass.
 *
 * Tags go; script, style, head and comments go with their content; blocks and <br> end
 * lines; entities are decoded; white space collapses but in <pre>. Linear, no tree, no
 * depth; what is not HTML comes out as it went in. Input and output are UTF-8; output
 * has LF line ends and no other control byte but TAB.
 */
#ifndef TKT_MESSAGE_HTML_H
#define TKT_MESSAGE_HTML_H
#include "base/buf.h"
#include "message/mark.h"

#include <stdbool.h>
#include <stddef.h>

/* What is told besides the text. */
struct tkt_html_notes {
    struct tkt_marks *marks; /* appended to; NULL: not wanted */
    bool has_hidden;         /* text that a reader does not see was left out */
};

/* Appends to out, and marks with offsets into it: what begins is marked where its first
 * text stands, what ends behind its last. Stops where out is full (out->failed). */
void tkt_html_text(struct tkt_buf *out, const char *html, size_t n,
                   struct tkt_html_notes *notes);

#endif
