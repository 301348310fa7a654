/* SPDX-License-Identifier: BSD-2-Clause
 * The page while it is read: what is open, what that means for the text. Private to the
 * reader of HTML: html.c opens and closes elements, htmlpage.c knows what is seen,
 * htmllayout.c how it stands.
 */
#ifndef TKT_MESSAGE_HTMLPAGE_H
#define TKT_MESSAGE_HTMLPAGE_H
#include "message/html.h"
#include "message/htmlelement.h"
#include "message/htmlmark.h"
#include "message/htmlout.h"
#include "message/htmlstyle.h"
#include "message/htmltag.h"

#define TKT_HTML_SEARCH_MAX 64 /* open elements that a tag is compared with */

/* Where a row of a table is. */
struct tkt_html_row {
    size_t letters;      /* written when it began */
    size_t cell_letters; /* ... when its newest cell began */
    size_t cell_lines;   /* lines ended by the first text of that cell */
    unsigned cells;
    unsigned last; /* cell with text; 0 = none yet */
    bool multiline;
    bool was_fresh;
    unsigned separators; /* that waited before it */
};

/* An open element. [0] is the page. */
struct tkt_html_open {
    const struct tkt_html_element *element;
    uint64_t name; /* of an unknown one */
    uint32_t color;
    uint32_t background;
    int size;
    bool gone;
    bool invisible;
    bool pre;
    bool bullet; /* Word's, drawn as text */
    bool spaced; /* a paragraph with an empty line behind it */
    bool has_mark;
    bool gmail;
    enum tkt_mark_kind mark;
    unsigned mark_serial;
    struct tkt_html_range href;
    size_t text_at; /* of a link: where its text may begin */
    /* lists */
    long number;
    char numbering;
    /* tables */
    bool is_data;
    bool is_layout;
    size_t outer_table;
    struct tkt_html_row row;
};

/* The attributes that are looked at; the first of a name counts. */
enum tkt_html_attrs {
    TKT_HTML_ATTR_ALT,
    TKT_HTML_ATTR_BACKGROUND,
    TKT_HTML_ATTR_BGCOLOR,
    TKT_HTML_ATTR_BORDER,
    TKT_HTML_ATTR_CITE,
    TKT_HTML_ATTR_CLASS,
    TKT_HTML_ATTR_COLOR,
    TKT_HTML_ATTR_HEIGHT,
    TKT_HTML_ATTR_HIDDEN,
    TKT_HTML_ATTR_HREF,
    TKT_HTML_ATTR_ID,
    TKT_HTML_ATTR_NAME,
    TKT_HTML_ATTR_ROLE,
    TKT_HTML_ATTR_SIZE,
    TKT_HTML_ATTR_START,
    TKT_HTML_ATTR_STYLE,
    TKT_HTML_ATTR_TABINDEX,
    TKT_HTML_ATTR_TYPE,
    TKT_HTML_ATTR_VALUE,
    TKT_HTML_ATTR_WIDTH,
    TKT_HTML_ATTRS
};

struct tkt_html_page {
    struct tkt_html_reader reader;
    struct tkt_html_out out;
    struct tkt_html_notes *notes;
    struct tkt_html_open stack[TKT_HTML_DEPTH_MAX + 1];
    size_t depth; /* of the innermost open element */
    size_t depth_max;
    size_t too_deep; /* open elements that are not on the stack */
    uint16_t counts[TKT_HTML_ELEMENTS_MAX];
    size_t table; /* innermost open table, 0 = none */
    unsigned lists;
    bool drop_newline; /* <pre> just began */
    struct tkt_html_range attrs[TKT_HTML_ATTRS];
    struct tkt_html_sheet sheet;
};

static inline struct tkt_html_open *tkt_html_top(struct tkt_html_page *p)
{
    return &p->stack[p->depth];
}

/* ids: TKT_HTML_* as the bytes of a string. */
bool tkt_html_open_is(const struct tkt_html_open *o, const char *ids);

/* ---- htmlpage.c ---- */
/* Whether nobody sees the text of an element. */
bool tkt_html_page_hides(const struct tkt_html_page *p, const struct tkt_html_open *o);
/* Text in the innermost element: written, or known as hidden. */
void tkt_html_page_text(struct tkt_html_page *p, const char *s, size_t n);
/* ... with character references. */
void tkt_html_page_marked_up(struct tkt_html_page *p, const char *s, size_t n);
/* ... as a text token. */
void tkt_html_page_take(struct tkt_html_page *p, const char *s, size_t n);
/* The attributes of a tag into p->attrs. */
void tkt_html_page_attrs(struct tkt_html_page *p, const struct tkt_html_token *tag);
bool tkt_html_page_attr_is(const struct tkt_html_page *p, unsigned attr,
                           const char *value);
/* The number that an attribute begins with, or -1. */
long tkt_html_page_attr_number(const struct tkt_html_page *p, unsigned attr);
/* The style that p->attrs give. */
void tkt_html_page_style(const struct tkt_html_page *p, struct tkt_html_style *s);
/* ... over what is inherited. */
void tkt_html_page_apply(struct tkt_html_page *p, const struct tkt_html_style *s,
                         struct tkt_html_open *o);
struct tkt_html_open tkt_html_page_inherit(const struct tkt_html_open *outer,
                                           const struct tkt_html_element *e);

/* ---- htmllayout.c ---- */
/* What an element does to the lines around it, before it is pushed and after it was
 * popped (<a>: before). */
void tkt_html_layout_begin(struct tkt_html_page *p, const struct tkt_html_open *o);
void tkt_html_layout_end(struct tkt_html_page *p, const struct tkt_html_open *o);
void tkt_html_layout_image(struct tkt_html_page *p);

#endif
