/* SPDX-License-Identifier: BSD-2-Clause
 * From the part tree of the pre-scan to text and attachments.
 *
 * Parts are read through one window and only as far as text_max allows. Of a
 * multipart/alternative the plain text is taken when it is one: not blank, and more than
 * the advice to read the HTML; else the HTML. Text
 * parts with a file name or marked as attachments are attachments, and so is everything
 * that is not text (messages inside messages, too).
 */
#ifndef TKT_MESSAGE_BODY_H
#define TKT_MESSAGE_BODY_H
#include "base/buf.h"
#include "base/err.h"
#include "message/mark.h"
#include "message/prescan.h"

#include <stdbool.h>
#include <stddef.h>

/* The first bytes of a part with its transfer encoding removed; full when out->max. */
int tkt_body_head(const struct tkt_message_source *src, const struct tkt_part *part,
                  struct tkt_buf *out, struct tkt_err *err);
/* ... for tkt_content_walk() and its like: as much as fits into arg, a tkt_buf. */
int tkt_body_take_head(void *arg, const char *p, size_t n, struct tkt_err *err);
/* Whether the part is (an alternative of) what the sender wrote. */
bool tkt_body_is_text(const struct tkt_scan *scan, size_t part);
/* What is told besides the text. Marks are those of HTML, offsets into the text. */
struct tkt_body {
    struct tkt_marks marks;
    size_t html_depth_max; /* limits.html_depth_max; 0: TKT_HTML_DEPTH_MAX */
    bool cut;              /* there was more */
    bool has_html;
    bool has_hidden; /* HTML hid text: it was left out */
};
/* Appends the text of the message to out (whose max is the cap): UTF-8, lines end with
 * LF, no control bytes but TAB and LF. body is written. */
int tkt_body_text(const struct tkt_message_source *src, struct tkt_scan *scan,
                  struct tkt_buf *out, struct tkt_body *body, struct tkt_err *err);

#endif
