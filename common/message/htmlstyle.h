/* SPDX-License-Identifier: BSD-2-Clause
 * As much of CSS as tells whether a reader sees a text, and how its lines stand.
 *
 * Declarations of a style attribute, and rules of a style sheet whose selector is one
 * class or one id (with or without a type). At-rules are passed over: what holds on a
 * telephone or on paper alone is no reason to leave a text out. Everything here errs
 * towards showing. Linear, no allocation; a sheet keeps at most TKT_HTML_RULES_MAX names.
 */
#ifndef TKT_MESSAGE_HTMLSTYLE_H
#define TKT_MESSAGE_HTMLSTYLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_HTML_RULES_MAX 256

/* Colours are 0xRRGGBB. */
#define TKT_HTML_COLOR_UNSET UINT32_C(0xffffffff)
#define TKT_HTML_COLOR_UNKNOWN UINT32_C(0xfffffffe)     /* an image, a name we lack */
#define TKT_HTML_COLOR_TRANSPARENT UINT32_C(0xfffffffd) /* of a text: not to be seen */

enum tkt_html_tristate {
    TKT_HTML_UNSET,
    TKT_HTML_NO,
    TKT_HTML_YES
};

struct tkt_html_style {
    uint32_t color;
    uint32_t background;
    int size;                         /* font-size in 1/100 px; -1 = unset */
    int size_ratio;                   /* ... or in 1/100 of the outer one; -1 = unset */
    enum tkt_html_tristate gone;      /* display: none */
    enum tkt_html_tristate invisible; /* visibility: hidden; inner text may be visible */
    enum tkt_html_tristate pre;       /* white space stays */
    enum tkt_html_tristate margin;    /* NO: paragraphs follow without an empty line */
    bool faint;                       /* opacity: 0 */
    bool away;                        /* moved out of the page, or clipped to nothing */
    bool no_room;                     /* a box without height or width ... */
    bool clips;                       /* ... that hides what does not fit */
    bool mso_hide;
    bool mso_bullet;   /* Word's bullet or number, drawn as text */
    bool divider;      /* a line above and none else: Outlook's, above From: */
    bool plain_indent; /* a blockquote that only indents */
};

void tkt_html_style_init(struct tkt_html_style *s);
/* Reads declarations; later ones win over earlier ones and over what s held. */
void tkt_html_style_read(struct tkt_html_style *s, const char *css, size_t n);
/* The value of color=, bgcolor= and their like. */
uint32_t tkt_html_color(const char *p, size_t n);

struct tkt_html_rule {
    uint64_t name; /* a hash of ".class" or "#id"; 0 = free */
    struct tkt_html_style style;
};
struct tkt_html_sheet {
    struct tkt_html_rule rules[TKT_HTML_RULES_MAX];
    size_t count;
    /* A rule that we do not follow sets colours: no text is hidden by its colour. */
    bool colors_unsure;
};

void tkt_html_sheet_add(struct tkt_html_sheet *sheet, const char *css, size_t n);
/* The rules of each class in names (blanks between), and of an id, over s. */
void tkt_html_sheet_apply(const struct tkt_html_sheet *sheet, char kind,
                          const char *names, size_t n, struct tkt_html_style *s);

#endif
