/* SPDX-License-Identifier: BSD-2-Clause
 * Writes text as a page shows it: blanks collapse; line ends, separators of cells, bullets
 * and marks are asked for and come only when text follows.
 *
 * Output is UTF-8 with LF line ends, no other control byte but TAB, and no more than one
 * empty line in a row outside of preformatted text. Characters without width go; those
 * that stood inside of words are counted. Linear; stops where buf is full (buf->failed).
 */
#ifndef TKT_MESSAGE_HTMLOUT_H
#define TKT_MESSAGE_HTMLOUT_H
#include "base/buf.h"
#include "message/mark.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_HTML_BULLET_MAX 24
#define TKT_HTML_WAITING_MAX 16 /* marks that wait for text; more are left out */

struct tkt_html_out {
    struct tkt_buf *buf;
    struct tkt_marks *marks; /* NULL: not wanted */
    bool started;            /* something was written: before, breaks are dropped */
    bool fresh;              /* a cell or an item begins: breaks are dropped until text */
    bool nbsp_line;          /* the line holds unbreakable blanks and nothing else */
    bool keeps_blanks;       /* those that wait stand in preformatted text */
    unsigned blanks;         /* wait; 1 for collapsed ones */
    unsigned breaks;         /* line ends that wait */
    unsigned separators;     /* cell ends that wait */
    unsigned indent;         /* blanks at the beginning of lines */
    char bullet[TKT_HTML_BULLET_MAX]; /* waits; "" = none */
    struct {
        enum tkt_mark_kind kind;
        unsigned serial;
    } waiting[TKT_HTML_WAITING_MAX];
    size_t waiting_count;
    unsigned serial;  /* of the newest mark asked for */
    unsigned written; /* ... and of the newest one written */
    size_t lines;     /* ended so far */
    size_t letters;   /* bytes of text */
    size_t widthless; /* dropped inside of words */
    size_t hyphens;   /* soft ones, dropped */
};

void tkt_html_out_init(struct tkt_html_out *o, struct tkt_buf *buf,
                       struct tkt_marks *marks);
/* At least n line ends before what follows (2: an empty line). */
void tkt_html_out_break(struct tkt_html_out *o, unsigned n);
/* <br>: one line end more than there are. */
void tkt_html_out_newline(struct tkt_html_out *o);
/* Something begins where the next text will stand; 0 when there are too many. */
unsigned tkt_html_out_begin(struct tkt_html_out *o, enum tkt_mark_kind kind);
/* What began so ends: marked as end behind the text so far, or taken back when there was
 * no text. */
void tkt_html_out_end(struct tkt_html_out *o, unsigned serial, enum tkt_mark_kind end);
/* Text with UTF-8; pre: white space stays as it is. */
void tkt_html_out_text(struct tkt_html_out *o, const char *p, size_t n, bool pre);
/* Text of ours that is written as it stands. */
void tkt_html_out_raw(struct tkt_html_out *o, const char *p, size_t n);
/* Whether nobody would see anything of this text. */
bool tkt_html_out_is_blank(const char *p, size_t n);

#endif
