/* SPDX-License-Identifier: BSD-2-Clause
 * HTML -> text, in one pass.
 *
 * What a reader sees comes out as he would write it down: paragraphs and lines, lists
 * with bullets and numbers, cells of a row with " | " between, links as "text <address>"
 * where the text does not tell the address, pictures as their "[alternative text]",
 * preformatted text as it stands. Scripts, styles and comments go with their content.
 * What is hidden from the reader (not displayed, of no size, in the colour of its
 * ground ...) goes, too, and is told of. What is not HTML comes out as it went in.
 *
 * Input and output are UTF-8; output has LF line ends and no other control byte but TAB.
 * Linear in time (notes.steps counts); memory is fixed: elements nested deeper than
 * TKT_HTML_DEPTH_MAX are read as if they were not there, their text is not lost.
 */
#ifndef TKT_MESSAGE_HTML_H
#define TKT_MESSAGE_HTML_H
#include "base/buf.h"
#include "message/mark.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_HTML_DEPTH_MAX 512
#define TKT_HTML_URL_MAX                                                                 \
    1000 /* of an address behind its text; longer ones are left out */

/* What is told besides the text. */
struct tkt_html_notes {
    struct tkt_marks *marks; /* appended to; NULL: not wanted */
    size_t depth_max;        /* open elements; 0 or above TKT_HTML_DEPTH_MAX: that many */
    bool has_hidden;         /* text that a reader does not see was left out */
    size_t steps;            /* bytes and elements looked at: no more than a few a byte */
};

/* Appends to out, and marks with offsets into it: what begins is marked where its first
 * text stands, what ends behind its last. Stops where out is full (out->failed). */
void tkt_html_text(struct tkt_buf *out, const char *html, size_t n,
                   struct tkt_html_notes *notes);

#endif
