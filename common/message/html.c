/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/html.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/entity.h"
#include "message/htmlelement.h"
#include "message/htmllink.h"
#include "message/htmlmark.h"
#include "message/htmlout.h"
#include "message/htmlstyle.h"
#include "message/htmltag.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_MAX 64     /* open elements that a tag is compared with */
#define READABLE_SIZE 100 /* 1/100 px: smaller text, or as small, is not to be read */
#define NEAR 8            /* colours that differ by no more in each part are one */
#define INDENT_MAX 40
#define ALT_MAX 500
#define LINK_BLUE 0x0000ee

/* Where a row of a table is. */
struct row {
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
struct open {
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
    struct row row;
};

/* The attributes that are looked at; the first of a name counts. */
enum {
    ALT,
    BACKGROUND,
    BGCOLOR,
    BORDER,
    CITE,
    CLASS,
    COLOR,
    HEIGHT,
    HIDDEN,
    HREF,
    ID,
    NAME,
    ROLE,
    SIZE,
    START,
    STYLE,
    TABINDEX,
    TYPE,
    VALUE,
    WIDTH,
    ATTR_COUNT
};
static const char *const attr_names[ATTR_COUNT] = {
    [ALT] = "alt",
    [BACKGROUND] = "background",
    [BGCOLOR] = "bgcolor",
    [BORDER] = "border",
    [CITE] = "cite",
    [CLASS] = "class",
    [COLOR] = "color",
    [HEIGHT] = "height",
    [HIDDEN] = "hidden",
    [HREF] = "href",
    [ID] = "id",
    [NAME] = "name",
    [ROLE] = "role",
    [SIZE] = "size",
    [START] = "start",
    [STYLE] = "style",
    [TABINDEX] = "tabindex",
    [TYPE] = "type",
    [VALUE] = "value",
    [WIDTH] = "width",
};

struct page {
    struct tkt_html_reader reader;
    struct tkt_html_out out;
    struct tkt_html_notes *notes;
    struct open stack[TKT_HTML_DEPTH_MAX + 1];
    size_t depth; /* of the innermost open element */
    size_t depth_max;
    size_t too_deep; /* open elements that are not on the stack */
    uint16_t counts[TKT_HTML_ELEMENTS_MAX];
    size_t table; /* innermost open table, 0 = none */
    unsigned lists;
    bool drop_newline; /* <pre> just began */
    struct tkt_html_range attrs[ATTR_COUNT];
    struct tkt_html_sheet sheet;
};

static struct open *top(struct page *p)
{
    return &p->stack[p->depth];
}

/* ---- what a reader sees ---- */

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

static bool is_hidden(const struct page *p, const struct open *o)
{
    if (o->gone || o->invisible || o->size <= READABLE_SIZE ||
        o->color == TKT_HTML_COLOR_TRANSPARENT) {
        return true;
    }
    bool known = o->color < TKT_HTML_COLOR_TRANSPARENT &&
                 o->background < TKT_HTML_COLOR_TRANSPARENT && !p->sheet.colors_unsure;
    return known && near(o->color, o->background);
}

static void put_text(struct page *p, const char *s, size_t n)
{
    if (is_hidden(p, top(p))) {
        p->notes->has_hidden = p->notes->has_hidden || !tkt_html_out_is_blank(s, n);
        return;
    }
    tkt_html_out_text(&p->out, s, n, top(p)->pre);
}

/* Text with character references. */
static void put_marked_up(struct page *p, const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end && !p->out.buf->failed) {
        const char *amp = memchr(s, '&', (size_t)(end - s));
        const char *stop = amp == NULL ? end : amp;
        if (stop > s) {
            put_text(p, s, (size_t)(stop - s));
        }
        s = stop;
        if (amp != NULL) {
            char utf8[TKT_ENTITY_TEXT_MAX];
            size_t len = 0;
            size_t used = tkt_entity_read(amp, (size_t)(end - amp), false, utf8, &len);
            if (used == 0) {
                put_text(p, "&", 1);
            } else {
                put_text(p, utf8, len);
            }
            s += used == 0 ? 1 : used;
        }
    }
}

/* Word draws bullets with the letters of symbol fonts. */
static bool put_bullet(struct page *p, const char *s, size_t n)
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
    put_text(p, "-", 1);
    return true;
}

static void take_text(struct page *p, const char *s, size_t n)
{
    if (p->drop_newline && n > 0) {
        size_t skip = *s == '\n' ? 1 : n > 1 && s[0] == '\r' && s[1] == '\n' ? 2 : 0;
        s += skip;
        n -= skip;
    }
    p->drop_newline = false;
    if (!top(p)->bullet || !put_bullet(p, s, n)) {
        put_marked_up(p, s, n);
    }
}

/* ---- closing ---- */

static void end_link(struct page *p, const struct open *o)
{
    struct tkt_html_out *out = &p->out;
    char url[TKT_HTML_URL_MAX + 1];

    if (is_hidden(p, o) || out->buf->len <= o->text_at) {
        return;
    }
    size_t n = tkt_html_link_url(o->href.p, o->href.n, url, sizeof(url));
    const char *text = out->buf->data + o->text_at;
    if (n > 0 && !tkt_html_link_says(text, out->buf->len - o->text_at, url)) {
        unsigned blanks = out->blanks;
        unsigned breaks = out->breaks;
        out->blanks = out->breaks = 0;
        tkt_html_out_raw(out, " <", 2);
        tkt_html_out_raw(out, url, n);
        tkt_html_out_raw(out, ">", 1);
        out->blanks = blanks;
        out->breaks = breaks;
    }
}

static void end_row(struct page *p)
{
    struct tkt_html_out *out = &p->out;

    if (p->table == 0) {
        return;
    }
    struct row *row = &p->stack[p->table].row;
    if (out->letters != row->letters) {
        out->fresh = false;
        out->separators = 0;
        tkt_html_out_break(out, 1);
    } else {
        /* An empty row has no line: what waited before it waits on. */
        out->fresh = row->was_fresh;
        out->separators = row->separators;
    }
}

static void end_mark(struct page *p, const struct open *o)
{
    if (o->mark == TKT_MARK_QUOTE || o->mark == TKT_MARK_SIGNATURE) {
        tkt_html_out_end(&p->out, o->mark_serial,
                         o->mark == TKT_MARK_QUOTE ? TKT_MARK_QUOTE_END
                                                   : TKT_MARK_SIGNATURE_END);
    }
}

static void set_indent(struct page *p)
{
    p->out.indent = TKT_MIN(2 * p->lists, (unsigned)INDENT_MAX);
}

static void end_item(struct page *p)
{
    if (p->out.bullet[0] != '\0') {
        p->out.bullet[0] = '\0'; /* an item without text */
        p->out.fresh = false;
    }
}

/* What the end of an element does to the lines. */
static void end_layout(struct page *p, const struct open *o)
{
    switch ((enum tkt_html_id)o->element->id) {
    case TKT_HTML_A:
        end_link(p, o);
        break;
    case TKT_HTML_LI:
        end_item(p);
        break;
    case TKT_HTML_OL:
    case TKT_HTML_UL:
        p->lists--;
        set_indent(p);
        break;
    case TKT_HTML_TD:
        p->out.breaks = TKT_MIN(p->out.breaks, 1u); /* no empty line between rows */
        break;
    case TKT_HTML_TR:
        end_row(p);
        break;
    case TKT_HTML_TABLE:
        end_row(p); /* of cells outside of rows */
        p->table = o->outer_table;
        break;
    default:
        break;
    }
    if ((o->element->flags & (TKT_HTML_LINE | TKT_HTML_PARAGRAPH)) != 0 && !o->gone) {
        tkt_html_out_break(&p->out, o->spaced ? 2 : 1);
    }
}

static void pop(struct page *p)
{
    struct open o = *top(p);

    p->counts[tkt_html_element_index(o.element)]--;
    if (o.element->id == TKT_HTML_A) {
        end_layout(p, &o); /* before the mark: the address belongs to it */
    }
    if (o.has_mark) {
        end_mark(p, &o);
    }
    p->depth--;
    if (o.element->id != TKT_HTML_A) {
        end_layout(p, &o);
    }
    /* Gmail: an answer below the quote stands inside of the quote's container. */
    if (o.gmail && o.element->id == TKT_HTML_BLOCKQUOTE && top(p)->gmail &&
        top(p)->element->id != TKT_HTML_BLOCKQUOTE && top(p)->has_mark) {
        end_mark(p, top(p));
        top(p)->has_mark = false;
    }
}

static void pop_to(struct page *p, size_t depth)
{
    while (p->depth >= depth && p->depth > 0) {
        p->notes->steps++;
        pop(p);
    }
}

static bool is_one_of(const struct open *o, const char *ids)
{
    return memchr(ids, o->element->id, strlen(ids)) != NULL;
}

/* Closes the innermost open element with one of the ids, unless one of stops is nearer. */
static void close_implied(struct page *p, const char *ids, const char *stops)
{
    size_t low = p->depth > SEARCH_MAX ? p->depth - SEARCH_MAX : 0;

    for (size_t i = p->depth; i > low; i--) {
        p->notes->steps++;
        if (is_one_of(&p->stack[i], ids)) {
            pop_to(p, i);
            return;
        }
        if (is_one_of(&p->stack[i], stops)) {
            return;
        }
    }
}

static uint64_t hash_name(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *name != '\0'; name++) {
        h = (h * UINT64_C(0x100000001b3)) ^ (unsigned char)*name;
    }
    return h;
}

static bool stops_end_tag(const struct tkt_html_element *e, const struct open *o)
{
    unsigned flags = o->element->flags;

    if ((e->flags & TKT_HTML_INLINE) != 0) {
        return (flags & TKT_HTML_INLINE) == 0;
    }
    if (e->id == TKT_HTML_TABLE) {
        return false;
    }
    /* Cells and rows reach through what is inside of them, but not out of a table. */
    bool cellular = e->id == TKT_HTML_TD || e->id == TKT_HTML_TR;
    return cellular ? o->element->id == TKT_HTML_TABLE : (flags & TKT_HTML_SCOPE) != 0;
}

static void close_element(struct page *p, const struct tkt_html_token *tag)
{
    const struct tkt_html_element *e = tkt_html_element_find(tag->name);
    uint64_t name = e->id == TKT_HTML_UNKNOWN ? hash_name(tag->name) : 0;
    size_t low = p->depth > SEARCH_MAX ? p->depth - SEARCH_MAX : 0;

    if (e->id == TKT_HTML_BR) {
        tkt_html_out_newline(&p->out); /* "</br>" is one */
        return;
    }
    if ((e->flags & (TKT_HTML_VOID | TKT_HTML_IGNORED | TKT_HTML_RAW)) != 0) {
        return;
    }
    if (p->too_deep > 0) {
        p->too_deep--;
        return;
    }
    if (p->counts[tkt_html_element_index(e)] == 0) {
        return;
    }
    for (size_t i = p->depth; i > low; i--) {
        p->notes->steps++;
        if (p->stack[i].element == e && p->stack[i].name == name) {
            pop_to(p, i);
            return;
        }
        if (stops_end_tag(e, &p->stack[i])) {
            return;
        }
    }
}

/* ---- opening ---- */

static void read_attrs(struct page *p, const struct tkt_html_token *tag)
{
    const char *at = tag->text;
    const char *end = at + tag->len;
    struct tkt_html_attr a;

    memset(p->attrs, 0, sizeof(p->attrs));
    p->notes->steps += 2 * tag->len; /* attributes, then styles and names in them */
    while (tkt_html_attr_next(&at, end, &a)) {
        for (size_t i = 0; i < ATTR_COUNT; i++) {
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

static bool attr_is(const struct page *p, unsigned attr, const char *value)
{
    return p->attrs[attr].p != NULL && p->attrs[attr].n == strlen(value) &&
           tkt_ascii_ieqn(p->attrs[attr].p, value, p->attrs[attr].n);
}

/* The number that an attribute begins with, or -1. */
static long attr_number(const struct page *p, unsigned attr)
{
    const struct tkt_html_range *a = &p->attrs[attr];
    long v = 0;
    size_t i = 0;

    for (; i < a->n && i < 6 && a->p[i] >= '0' && a->p[i] <= '9'; i++) {
        v = v * 10 + (a->p[i] - '0');
    }
    return i == 0 ? -1 : v;
}

static void read_style(const struct page *p, struct tkt_html_style *s)
{
    const struct tkt_html_range *a = p->attrs;

    tkt_html_style_init(s);
    if (a[BGCOLOR].p != NULL) {
        s->background = tkt_html_color(a[BGCOLOR].p, a[BGCOLOR].n);
    }
    if (a[BACKGROUND].p != NULL) {
        s->background = TKT_HTML_COLOR_UNKNOWN;
    }
    if (a[CLASS].p != NULL) {
        tkt_html_sheet_apply(&p->sheet, '.', a[CLASS].p, a[CLASS].n, s);
    }
    if (a[ID].p != NULL) {
        tkt_html_sheet_apply(&p->sheet, '#', a[ID].p, a[ID].n, s);
    }
    if (a[STYLE].p != NULL) {
        tkt_html_style_read(s, a[STYLE].p, a[STYLE].n);
    }
}

/* Over what is inherited. */
static void apply_style(struct page *p, const struct tkt_html_style *s, struct open *o)
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
              boxed_in || p->attrs[HIDDEN].p != NULL;
    o->invisible =
        s->invisible != TKT_HTML_UNSET ? s->invisible == TKT_HTML_YES : o->invisible;
    o->pre = s->pre != TKT_HTML_UNSET ? s->pre == TKT_HTML_YES : o->pre;
    o->bullet = o->bullet || s->mso_bullet;
}

static struct open inherit(const struct open *outer, const struct tkt_html_element *e)
{
    return (struct open){.element = e,
                         .color = outer->color,
                         .background = outer->background,
                         .size = outer->size,
                         .gone = outer->gone,
                         .invisible = outer->invisible,
                         .pre = outer->pre,
                         .bullet = outer->bullet};
}

static void apply_element(struct page *p, const struct tkt_html_style *s, struct open *o)
{
    switch ((enum tkt_html_id)o->element->id) {
    case TKT_HTML_A:
        o->href = p->attrs[HREF];
        if (o->href.p != NULL && s->color == TKT_HTML_COLOR_UNSET) {
            o->color = LINK_BLUE;
        }
        break;
    case TKT_HTML_FONT:
        if (p->attrs[COLOR].p != NULL && s->color == TKT_HTML_COLOR_UNSET) {
            o->color = tkt_html_color(p->attrs[COLOR].p, p->attrs[COLOR].n);
        }
        if (p->attrs[SIZE].p != NULL && s->size < 0 && s->size_ratio < 0) {
            o->size = 1600;
        }
        break;
    case TKT_HTML_PRE:
        o->pre = s->pre != TKT_HTML_NO;
        break;
    case TKT_HTML_OL:
        o->number = attr_number(p, START) > 0 ? attr_number(p, START) - 1 : 0;
        o->numbering = attr_is(p, TYPE, "a") ? p->attrs[TYPE].p[0] : '1';
        break;
    case TKT_HTML_P: {
        const struct tkt_html_range *c = &p->attrs[CLASS];
        bool word = c->p != NULL && c->n > 3 && tkt_ascii_ieqn(c->p, "mso", 3);
        o->spaced = s->margin == TKT_HTML_YES || (s->margin == TKT_HTML_UNSET && !word);
        break;
    }
    case TKT_HTML_TABLE:
        o->is_data = attr_number(p, BORDER) > 0;
        o->is_layout = attr_is(p, ROLE, "presentation") || attr_is(p, ROLE, "none");
        break;
    default:
        o->spaced = (o->element->flags & TKT_HTML_PARAGRAPH) != 0;
        break;
    }
}

/* Which mark an element makes, if any. */
static void apply_mark(struct page *p, const struct tkt_html_style *s, struct open *o)
{
    o->has_mark = tkt_html_mark_of(p->attrs[CLASS], p->attrs[ID], p->attrs[NAME],
                                   &o->mark, &o->gmail);
    if (!o->has_mark && o->element->id == TKT_HTML_BLOCKQUOTE) {
        o->mark = TKT_MARK_QUOTE;
        o->has_mark =
            !s->plain_indent || p->attrs[CITE].p != NULL || attr_is(p, TYPE, "cite");
    }
    if (!o->has_mark && s->divider && (o->element->flags & TKT_HTML_LINE) != 0) {
        o->mark = TKT_MARK_DIVIDER;
        o->has_mark = true;
    }
}

static void begin_list(struct page *p)
{
    tkt_html_out_break(&p->out, 1);
    p->lists++;
    set_indent(p);
}

/* 1 is a, 26 is z, 27 is aa. */
static void letter_number(char first, long n, char out[TKT_HTML_BULLET_MAX])
{
    char digits[8];
    size_t len = 0;

    for (; n > 0 && len < sizeof(digits); n = (n - 1) / 26) {
        digits[len++] = (char)(first + (n - 1) % 26);
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = digits[len - 1 - i];
    }
    memcpy(out + len, ". ", 3);
}

static const char LIST_ONLY[] = {TKT_HTML_UL, TKT_HTML_OL, 0};

static void begin_item(struct page *p)
{
    struct tkt_html_out *out = &p->out;
    struct open *list = NULL;
    size_t low = p->depth > SEARCH_MAX ? p->depth - SEARCH_MAX : 0;

    for (size_t i = p->depth; i > low && list == NULL; i--) {
        p->notes->steps++;
        list = is_one_of(&p->stack[i], LIST_ONLY) ? &p->stack[i] : NULL;
    }
    if (out->bullet[0] == '\0') {
        out->fresh = false; /* not into the line of a cell */
        out->separators = 0;
        tkt_html_out_break(out, 1);
    }
    out->fresh = true;
    if (list == NULL || list->element->id != TKT_HTML_OL) {
        memcpy(out->bullet, "- ", 3);
        return;
    }
    long value = attr_number(p, VALUE);
    list->number = value >= 0 ? value : list->number + 1;
    if (list->numbering == '1' || list->number <= 0) {
        snprintf(out->bullet, sizeof(out->bullet), "%ld. ", list->number);
    } else {
        letter_number(list->numbering, list->number, out->bullet);
    }
}

static void begin_row(struct page *p)
{
    tkt_html_out_break(&p->out, 1);
    if (p->table > 0) {
        p->stack[p->table].row = (struct row){.letters = p->out.letters,
                                              .was_fresh = p->out.fresh,
                                              .separators = p->out.separators};
    }
}

/* Cells of a row stand side by side as long as they are lines. */
static void begin_cell(struct page *p, bool is_head)
{
    struct tkt_html_out *out = &p->out;

    if (p->table == 0) {
        tkt_html_out_break(out, 1);
        return;
    }
    struct open *table = &p->stack[p->table];
    struct row *row = &table->row;
    table->is_data = table->is_data || is_head;
    if (row->cells > 0 && out->letters != row->cell_letters) {
        row->last = row->cells;
        row->multiline = row->multiline || out->lines > row->cell_lines;
    }
    row->cells++;
    row->cell_letters = out->letters;
    row->cell_lines = out->lines + (row->last == 0 && out->started ? out->breaks : 0);
    if (row->last > 0 && row->multiline) {
        out->fresh = false;
        tkt_html_out_break(out, 1);
    } else if (row->last > 0) {
        out->separators = table->is_layout ? 0
                          : table->is_data ? row->cells - row->last
                                           : 1;
        out->breaks = 0;
        out->blanks = 1;
        out->fresh = true;
    } else {
        out->separators =
            table->is_data && row->cells > 1 ? row->cells - 1 : out->separators;
        out->fresh = out->fresh || out->breaks > 0 || !out->started;
    }
}

static void put_image(struct page *p)
{
    const struct tkt_html_range *alt = &p->attrs[ALT];
    struct tkt_html_style s;

    read_style(p, &s);
    bool dot = (attr_number(p, WIDTH) >= 0 && attr_number(p, WIDTH) <= 1) ||
               (attr_number(p, HEIGHT) >= 0 && attr_number(p, HEIGHT) <= 1);
    struct open o = inherit(top(p), top(p)->element);
    apply_style(p, &s, &o);
    size_t n = TKT_MIN(alt->n, (size_t)ALT_MAX);
    if (alt->p == NULL || dot || o.gone || o.invisible || p->stack[p->depth].gone ||
        tkt_html_out_is_blank(alt->p, n)) {
        return;
    }
    bool word = false; /* else a picture of a character: a smiley */
    for (size_t i = 0; i < n; i++) {
        char c = (char)(alt->p[i] | 0x20);
        word = word || (c >= 'a' && c <= 'z') || n > 16;
    }
    n = tkt_utf8_cut(alt->p, alt->n, n);
    put_text(p, "[", word ? 1 : 0);
    put_marked_up(p, alt->p, n);
    put_text(p, "]", word ? 1 : 0);
}

static void take_void(struct page *p, const struct tkt_html_element *e)
{
    if (e->id == TKT_HTML_BR && !top(p)->gone) {
        tkt_html_out_newline(&p->out);
    } else if (e->id == TKT_HTML_IMG) {
        put_image(p);
    } else if (e->id == TKT_HTML_HR && !top(p)->gone) {
        enum tkt_mark_kind kind;
        bool gmail;
        tkt_html_out_break(&p->out, 2);
        if (attr_is(p, TABINDEX, "-1") ||
            tkt_html_mark_of(p->attrs[CLASS], p->attrs[ID], p->attrs[NAME], &kind,
                             &gmail)) {
            (void)tkt_html_out_begin(&p->out, TKT_MARK_DIVIDER); /* a point: no end */
        }
    }
}

static const char P_IDS[] = {TKT_HTML_P, 0};
static const char LI_IDS[] = {TKT_HTML_LI, 0};
static const char DEF_IDS[] = {TKT_HTML_DD, TKT_HTML_DT, 0};
static const char TD_IDS[] = {TKT_HTML_TD, 0};
static const char TR_IDS[] = {TKT_HTML_TR, 0};
static const char A_IDS[] = {TKT_HTML_A, 0};
static const char TABLE_IDS[] = {TKT_HTML_TABLE, 0};
static const char LIST_IDS[] = {TKT_HTML_UL, TKT_HTML_OL, TKT_HTML_TABLE, TKT_HTML_TD, 0};

/* What ends where e begins, though nobody said so. */
static void close_before(struct page *p, const struct tkt_html_element *e)
{
    if ((e->flags & (TKT_HTML_LINE | TKT_HTML_PARAGRAPH)) != 0 &&
        p->counts[tkt_html_element_index(tkt_html_element_find("p"))] > 0) {
        static const char stops[] = {TKT_HTML_TD, TKT_HTML_TABLE, TKT_HTML_LI,
                                     TKT_HTML_BLOCKQUOTE, 0};
        close_implied(p, P_IDS, stops);
    }
    switch ((enum tkt_html_id)e->id) {
    case TKT_HTML_LI:
        close_implied(p, LI_IDS, LIST_IDS);
        break;
    case TKT_HTML_DD:
    case TKT_HTML_DT:
        close_implied(p, DEF_IDS, LIST_IDS);
        break;
    case TKT_HTML_TD:
        close_implied(p, TD_IDS, TABLE_IDS);
        break;
    case TKT_HTML_TR:
        close_implied(p, TR_IDS, TABLE_IDS);
        break;
    case TKT_HTML_A:
        close_implied(p, A_IDS, TABLE_IDS);
        break;
    default:
        break;
    }
}

static void begin_layout(struct page *p, const struct open *o)
{
    switch ((enum tkt_html_id)o->element->id) {
    case TKT_HTML_OL:
    case TKT_HTML_UL:
        begin_list(p);
        break;
    case TKT_HTML_LI:
        begin_item(p);
        break;
    case TKT_HTML_TR:
        begin_row(p);
        break;
    case TKT_HTML_TD:
        begin_cell(p, o->element->name[1] == 'h');
        break;
    default:
        if ((o->element->flags & (TKT_HTML_LINE | TKT_HTML_PARAGRAPH)) != 0 && !o->gone) {
            tkt_html_out_break(&p->out, o->spaced ? 2 : 1);
        }
        break;
    }
    p->drop_newline = o->element->id == TKT_HTML_PRE;
}

static void push(struct page *p, struct open *o)
{
    if (p->depth == p->depth_max) {
        p->too_deep++;
        return;
    }
    if (o->has_mark) {
        o->mark_serial = tkt_html_out_begin(&p->out, o->mark);
    }
    o->text_at = p->out.buf->len;
    p->stack[++p->depth] = *o;
    p->counts[tkt_html_element_index(o->element)]++;
    if (o->element->id == TKT_HTML_TABLE) {
        top(p)->outer_table = p->table;
        p->table = p->depth;
    }
}

static void open_element(struct page *p, const struct tkt_html_token *tag)
{
    const struct tkt_html_element *e = tkt_html_element_find(tag->name);
    struct tkt_html_style s;

    if ((e->flags & TKT_HTML_RAW) != 0) {
        const char *content;
        size_t len;
        tkt_html_skip(&p->reader, tag->name, &content, &len);
        if (e->id == TKT_HTML_STYLE) {
            tkt_html_sheet_add(&p->sheet, content, len);
            p->notes->steps += len;
        }
        return;
    }
    read_attrs(p, tag);
    if ((e->flags & TKT_HTML_VOID) != 0) {
        take_void(p, e);
        return;
    }
    read_style(p, &s);
    if ((e->flags & TKT_HTML_IGNORED) != 0) {
        if (e->id == TKT_HTML_BODY) {
            apply_style(p, &s, &p->stack[0]);
        }
        return;
    }
    close_before(p, e);
    struct open o = inherit(top(p), e);
    apply_style(p, &s, &o);
    apply_element(p, &s, &o);
    apply_mark(p, &s, &o);
    if (e->id == TKT_HTML_UNKNOWN) {
        bool matters = o.has_mark || (is_hidden(p, &o) && !is_hidden(p, top(p))) ||
                       p->counts[TKT_HTML_ELEMENTS_MAX - 1] > 0;
        if (!matters) {
            return;
        }
        o.name = hash_name(tag->name);
    }
    begin_layout(p, &o);
    push(p, &o);
}

/* Words that are riddled with what has no width are not for readers. Soft hyphens stand
 * in honest words, too, but not behind every other letter. */
static bool is_riddled(const struct tkt_html_out *o)
{
    return (o->widthless > 16 && o->widthless > o->letters / 8) ||
           (o->hyphens > 32 && o->hyphens > o->letters / 2);
}

void tkt_html_text(struct tkt_buf *out, const char *html, size_t n,
                   struct tkt_html_notes *notes)
{
    TKT_AUTO_FREE struct page *p = calloc(1, sizeof(*p));
    struct tkt_html_token t;

    if (p == NULL) {
        out->failed = true;
        return;
    }
    p->notes = notes;
    p->depth_max = notes->depth_max == 0
                       ? TKT_HTML_DEPTH_MAX
                       : TKT_MIN(notes->depth_max, (size_t)TKT_HTML_DEPTH_MAX);
    tkt_html_reader_init(&p->reader, html, n);
    tkt_html_out_init(&p->out, out, notes->marks);
    p->stack[0] = (struct open){.element = tkt_html_element_find("body"),
                                .color = 0,
                                .background = 0xffffff,
                                .size = 1600};
    while (!out->failed && tkt_html_next(&p->reader, &t)) {
        switch (t.kind) {
        case TKT_HTML_TEXT:
            take_text(p, t.text, t.len);
            break;
        case TKT_HTML_OPEN:
            open_element(p, &t);
            break;
        case TKT_HTML_CLOSE:
            close_element(p, &t);
            break;
        case TKT_HTML_NOTHING:
            break;
        }
    }
    pop_to(p, 1);
    notes->has_hidden = notes->has_hidden || is_riddled(&p->out);
    notes->steps += p->reader.steps;
}
