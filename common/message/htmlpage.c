/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/htmlpage.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/entity.h"

#include <string.h>

#define READABLE_SIZE 100 /* 1/100 px: smaller text, or as small, is not to be read */
#define NEAR 8            /* colours that differ by no more in each part are one */

static const char *const attr_names[TKT_HTML_ATTRS] = {
    [TKT_HTML_ATTR_ALT] = "alt",
    [TKT_HTML_ATTR_BACKGROUND] = "background",
    [TKT_HTML_ATTR_BGCOLOR] = "bgcolor",
    [TKT_HTML_ATTR_BORDER] = "border",
    [TKT_HTML_ATTR_CITE] = "cite",
    [TKT_HTML_ATTR_CLASS] = "class",
    [TKT_HTML_ATTR_COLOR] = "color",
    [TKT_HTML_ATTR_HEIGHT] = "height",
    [TKT_HTML_ATTR_HIDDEN] = "hidden",
    [TKT_HTML_ATTR_HREF] = "href",
    [TKT_HTML_ATTR_ID] = "id",
    [TKT_HTML_ATTR_NAME] = "name",
    [TKT_HTML_ATTR_ROLE] = "role",
    [TKT_HTML_ATTR_SIZE] = "size",
    [TKT_HTML_ATTR_START] = "start",
    [TKT_HTML_ATTR_STYLE] = "style",
    [TKT_HTML_ATTR_TABINDEX] = "tabindex",
    [TKT_HTML_ATTR_TYPE] = "type",
    [TKT_HTML_ATTR_VALUE] = "value",
    [TKT_HTML_ATTR_WIDTH] = "width",
};

static bool near(uint32_t a, uint32_t b)
{
    for (int shift = 0; shift < 24; shift += 8) {
        int d = (int)(a >> shift & 0xff) - (int)(b >> shift & 0xff);
        if (d > NEAR || d < -NEAR) {
            return false;
        }
    }
    return true;
}

bool tkt_html_page_hides(const struct tkt_html_page *p, const struct tkt_html_open *o)
{
    if (o->gone || o->invisible || o->size <= READABLE_SIZE ||
        o->color == TKT_HTML_COLOR_TRANSPARENT) {
        return true;
    }
    bool known = o->color < TKT_HTML_COLOR_TRANSPARENT &&
                 o->background < TKT_HTML_COLOR_TRANSPARENT && !p->sheet.colors_unsure;
    return known && near(o->color, o->background);
}

void tkt_html_page_text(struct tkt_html_page *p, const char *s, size_t n)
{
    if (tkt_html_page_hides(p, tkt_html_top(p))) {
        p->notes->has_hidden = p->notes->has_hidden || !tkt_html_out_is_blank(s, n);
        return;
    }
    tkt_html_out_text(&p->out, s, n, tkt_html_top(p)->pre);
}

/* Text with character references. */
void tkt_html_page_marked_up(struct tkt_html_page *p, const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end && !p->out.buf->failed) {
        const char *amp = memchr(s, '&', (size_t)(end - s));
        const char *stop = amp == NULL ? end : amp;
        if (stop > s) {
            tkt_html_page_text(p, s, (size_t)(stop - s));
        }
        s = stop;
        if (amp != NULL) {
            char utf8[TKT_ENTITY_TEXT_MAX];
            size_t len = 0;
            size_t used = tkt_entity_read(amp, (size_t)(end - amp), false, utf8, &len);
            if (used == 0) {
                tkt_html_page_text(p, "&", 1);
            } else {
                tkt_html_page_text(p, utf8, len);
            }
            s += used == 0 ? 1 : used;
        }
    }
}

/* Word draws bullets with the letters of symbol fonts. */
static bool put_bullet(struct tkt_html_page *p, const char *s, size_t n)
{
    while (n > 0 && (*s == ' ' || *s == '\n' || *s == '\r' || *s == '\t')) {
        s++;
        n--;
    }
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\n' || s[n - 1] == '\r')) {
        n--;
    }
    bool symbol = (n == 1 && !(*s >= '0' && *s <= '9')) ||
                  (n == 2 && (unsigned char)*s >= 0xc0) || n == strlen("&middot;");
    if (!symbol ||
        (n == 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] == 0xa0)) {
        return false;
    }
    tkt_html_page_text(p, "-", 1);
    return true;
}

void tkt_html_page_take(struct tkt_html_page *p, const char *s, size_t n)
{
    if (p->drop_newline && n > 0) {
        size_t skip = *s == '\n' ? 1 : n > 1 && s[0] == '\r' && s[1] == '\n' ? 2 : 0;
        s += skip;
        n -= skip;
    }
    p->drop_newline = false;
    if (!tkt_html_top(p)->bullet || !put_bullet(p, s, n)) {
        tkt_html_page_marked_up(p, s, n);
    }
}

/* ---- attributes and styles ---- */

void tkt_html_page_attrs(struct tkt_html_page *p, const struct tkt_html_token *tag)
{
    const char *at = tag->text;
    const char *end = at + tag->len;
    struct tkt_html_attr a;

    memset(p->attrs, 0, sizeof(p->attrs));
    p->notes->steps += 2 * tag->len; /* attributes, then styles and names in them */
    while (tkt_html_attr_next(&at, end, &a)) {
        for (size_t i = 0; i < TKT_HTML_ATTRS; i++) {
            if (attr_names[i][0] == (a.name[0] | 0x20) &&
                strlen(attr_names[i]) == a.name_len &&
                tkt_ascii_ieqn(attr_names[i], a.name, a.name_len)) {
                if (p->attrs[i].p == NULL) {
                    p->attrs[i] = (struct tkt_html_range){a.value, a.value_len};
                }
                break;
            }
        }
    }
}

bool tkt_html_page_attr_is(const struct tkt_html_page *p, unsigned attr,
                           const char *value)
{
    return p->attrs[attr].p != NULL && p->attrs[attr].n == strlen(value) &&
           tkt_ascii_ieqn(p->attrs[attr].p, value, p->attrs[attr].n);
}

/* The number that an attribute begins with, or -1. */
long tkt_html_page_attr_number(const struct tkt_html_page *p, unsigned attr)
{
    const struct tkt_html_range *a = &p->attrs[attr];
    long v = 0;
    size_t i = 0;

    for (; i < a->n && i < 6 && a->p[i] >= '0' && a->p[i] <= '9'; i++) {
        v = v * 10 + (a->p[i] - '0');
    }
    return i == 0 ? -1 : v;
}

void tkt_html_page_style(const struct tkt_html_page *p, struct tkt_html_style *s)
{
    const struct tkt_html_range *a = p->attrs;

    tkt_html_style_init(s);
    if (a[TKT_HTML_ATTR_BGCOLOR].p != NULL) {
        s->background =
            tkt_html_color(a[TKT_HTML_ATTR_BGCOLOR].p, a[TKT_HTML_ATTR_BGCOLOR].n);
    }
    if (a[TKT_HTML_ATTR_BACKGROUND].p != NULL) {
        s->background = TKT_HTML_COLOR_UNKNOWN;
    }
    if (a[TKT_HTML_ATTR_CLASS].p != NULL) {
        tkt_html_sheet_apply(&p->sheet, '.', a[TKT_HTML_ATTR_CLASS].p,
                             a[TKT_HTML_ATTR_CLASS].n, s);
    }
    if (a[TKT_HTML_ATTR_ID].p != NULL) {
        tkt_html_sheet_apply(&p->sheet, '#', a[TKT_HTML_ATTR_ID].p, a[TKT_HTML_ATTR_ID].n,
                             s);
    }
    if (a[TKT_HTML_ATTR_STYLE].p != NULL) {
        tkt_html_style_read(s, a[TKT_HTML_ATTR_STYLE].p, a[TKT_HTML_ATTR_STYLE].n);
    }
}

/* Over what is inherited. */
void tkt_html_page_apply(struct tkt_html_page *p, const struct tkt_html_style *s,
                         struct tkt_html_open *o)
{
    bool boxed_in = s->no_room && s->clips;

    o->color = s->color != TKT_HTML_COLOR_UNSET ? s->color : o->color;
    o->background = s->background != TKT_HTML_COLOR_UNSET ? s->background : o->background;
    if (s->size_ratio >= 0) {
        o->size = (int)TKT_MIN((long)o->size * s->size_ratio / 100, 100000L);
    } else if (s->size >= 0) {
        o->size = s->size;
    }
    o->gone = o->gone || s->gone == TKT_HTML_YES || s->faint || s->away || s->mso_hide ||
              boxed_in || p->attrs[TKT_HTML_ATTR_HIDDEN].p != NULL;
    o->invisible =
        s->invisible != TKT_HTML_UNSET ? s->invisible == TKT_HTML_YES : o->invisible;
    o->pre = s->pre != TKT_HTML_UNSET ? s->pre == TKT_HTML_YES : o->pre;
    o->bullet = o->bullet || s->mso_bullet;
}

struct tkt_html_open tkt_html_page_inherit(const struct tkt_html_open *outer,
                                           const struct tkt_html_element *e)
{
    return (struct tkt_html_open){.element = e,
                                  .color = outer->color,
                                  .background = outer->background,
                                  .size = outer->size,
                                  .gone = outer->gone,
                                  .invisible = outer->invisible,
                                  .pre = outer->pre,
                                  .bullet = outer->bullet};
}
