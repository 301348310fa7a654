/* SPDX-License-Identifier: BSD-2-Clause
 * The elements of HTML that mail uses: how each stands in the text.
 */
#ifndef TKT_MESSAGE_HTMLELEMENT_H
#define TKT_MESSAGE_HTMLELEMENT_H
#include <stddef.h>
#include <stdint.h>

enum tkt_html_flags {
    TKT_HTML_VOID = 1,      /* has no content */
    TKT_HTML_LINE = 2,      /* stands on lines of its own */
    TKT_HTML_PARAGRAPH = 4, /* ... with an empty line around it */
    TKT_HTML_RAW = 8,       /* content is no markup and not shown */
    TKT_HTML_SCOPE = 16,    /* end tags do not reach out of it */
    TKT_HTML_INLINE = 32,   /* its end tag does not close blocks */
    TKT_HTML_IGNORED = 64,  /* its tags mean nothing here */
};
enum tkt_html_id {
    TKT_HTML_OTHER,
    TKT_HTML_A,
    TKT_HTML_BLOCKQUOTE,
    TKT_HTML_BODY,
    TKT_HTML_BR,
    TKT_HTML_DD,
    TKT_HTML_DT,
    TKT_HTML_FONT,
    TKT_HTML_HR,
    TKT_HTML_IMG,
    TKT_HTML_LI,
    TKT_HTML_OL,
    TKT_HTML_P,
    TKT_HTML_PRE,
    TKT_HTML_STYLE,
    TKT_HTML_TABLE,
    TKT_HTML_TD,
    TKT_HTML_TR,
    TKT_HTML_UL,
    TKT_HTML_UNKNOWN,
};
#define TKT_HTML_ELEMENTS_MAX 112

struct tkt_html_element {
    char name[12];
    uint8_t id;
    uint8_t flags;
};

/* name in lower case. Never NULL: TKT_HTML_UNKNOWN. */
const struct tkt_html_element *tkt_html_element_find(const char *name);
/* A number of its own for each, below TKT_HTML_ELEMENTS_MAX. */
size_t tkt_html_element_index(const struct tkt_html_element *e);

#endif
