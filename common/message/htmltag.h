/* SPDX-License-Identifier: BSD-2-Clause
 * HTML cut into text, tags and nothing else, in one pass and without a copy.
 *
 * Comments, declarations and Outlook's conditional sections are passed over; what is no
 * markup is text; a quote or a comment that never closes swallows nothing. Tokens point
 * into the input. Linear: what was searched for to the end once and is not there is not
 * searched for again; steps counts the bytes that were looked at.
 */
#ifndef TKT_MESSAGE_HTMLTAG_H
#define TKT_MESSAGE_HTMLTAG_H
#include <stdbool.h>
#include <stddef.h>

#define TKT_HTML_NAME_MAX 24 /* of an element, with its NUL; longer ones are cut */

enum tkt_html_token_kind {
    TKT_HTML_TEXT, /* bytes up to the next '<' */
    TKT_HTML_OPEN,
    TKT_HTML_CLOSE,
    TKT_HTML_NOTHING /* a comment or its like */
};

struct tkt_html_token {
    enum tkt_html_token_kind kind;
    const char *text; /* of a tag: its attributes */
    size_t len;
    char name[TKT_HTML_NAME_MAX]; /* lower case */
};

struct tkt_html_reader {
    const char *at;
    const char *end;
    size_t steps;
    bool quotes_off; /* a quote in a tag never closes: '>' ends a tag everywhere */
    bool no_gt;
    bool no_comment_end;
};

void tkt_html_reader_init(struct tkt_html_reader *r, const char *html, size_t n);
/* false at the end. */
bool tkt_html_next(struct tkt_html_reader *r, struct tkt_html_token *out);
/* Passes over the content of the element just opened, up to its end tag (or the end):
 * for script, style and their like, whose content is no markup. *content is what was
 * passed. */
void tkt_html_skip(struct tkt_html_reader *r, const char *name, const char **content,
                   size_t *len);

struct tkt_html_attr {
    const char *name;
    size_t name_len;
    const char *value; /* without quotes, references as they stand */
    size_t value_len;
};
/* The next attribute in *at (a tag token's text, len bytes), which moves on. */
bool tkt_html_attr_next(const char **at, const char *end, struct tkt_html_attr *out);

#endif
