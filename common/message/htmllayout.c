/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/htmlpage.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/htmllink.h"

#include <stdio.h>
#include <string.h>

#define INDENT_MAX 40
#define ALT_MAX 500

/* ---- links, pictures ---- */

static void end_link(struct tkt_html_page *p, const struct tkt_html_open *o)
{
    struct tkt_html_out *out = &p->out;
    char url[TKT_HTML_URL_MAX + 1];

    if (tkt_html_page_hides(p, o) || out->buf->len <= o->text_at) {
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

void tkt_html_layout_image(struct tkt_html_page *p)
{
    const struct tkt_html_range *alt = &p->attrs[TKT_HTML_ATTR_ALT];
    struct tkt_html_style s;

    tkt_html_page_style(p, &s);
    bool dot = (tkt_html_page_attr_number(p, TKT_HTML_ATTR_WIDTH) >= 0 &&
                tkt_html_page_attr_number(p, TKT_HTML_ATTR_WIDTH) <= 1) ||
               (tkt_html_page_attr_number(p, TKT_HTML_ATTR_HEIGHT) >= 0 &&
                tkt_html_page_attr_number(p, TKT_HTML_ATTR_HEIGHT) <= 1);
    struct tkt_html_open o =
        tkt_html_page_inherit(tkt_html_top(p), tkt_html_top(p)->element);
    tkt_html_page_apply(p, &s, &o);
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
    tkt_html_page_text(p, "[", word ? 1 : 0);
    tkt_html_page_marked_up(p, alt->p, n);
    tkt_html_page_text(p, "]", word ? 1 : 0);
}

/* ---- lists ---- */

static void set_indent(struct tkt_html_page *p)
{
    p->out.indent = TKT_MIN(2 * p->lists, (unsigned)INDENT_MAX);
}

static void end_item(struct tkt_html_page *p)
{
    if (p->out.bullet[0] != '\0') {
        p->out.bullet[0] = '\0'; /* an item without text */
        p->out.fresh = false;
    }
}

static void begin_list(struct tkt_html_page *p)
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

static void begin_item(struct tkt_html_page *p)
{
    struct tkt_html_out *out = &p->out;
    struct tkt_html_open *list = NULL;
    size_t low = p->depth > TKT_HTML_SEARCH_MAX ? p->depth - TKT_HTML_SEARCH_MAX : 0;

    for (size_t i = p->depth; i > low && list == NULL; i--) {
        p->notes->steps++;
        list = tkt_html_open_is(&p->stack[i], LIST_ONLY) ? &p->stack[i] : NULL;
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
    long value = tkt_html_page_attr_number(p, TKT_HTML_ATTR_VALUE);
    list->number = value >= 0 ? value : list->number + 1;
    if (list->numbering == '1' || list->number <= 0) {
        snprintf(out->bullet, sizeof(out->bullet), "%ld. ", list->number);
    } else {
        letter_number(list->numbering, list->number, out->bullet);
    }
}

/* ---- tables ---- */

static void end_row(struct tkt_html_page *p)
{
    struct tkt_html_out *out = &p->out;

    if (p->table == 0) {
        return;
    }
    struct tkt_html_row *row = &p->stack[p->table].row;
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

static void begin_row(struct tkt_html_page *p)
{
    tkt_html_out_break(&p->out, 1);
    if (p->table > 0) {
        p->stack[p->table].row = (struct tkt_html_row){.letters = p->out.letters,
                                                       .was_fresh = p->out.fresh,
                                                       .separators = p->out.separators};
    }
}

/* Cells of a row stand side by side as long as they are lines. */
static void begin_cell(struct tkt_html_page *p, bool is_head)
{
    struct tkt_html_out *out = &p->out;

    if (p->table == 0) {
        tkt_html_out_break(out, 1);
        return;
    }
    struct tkt_html_open *table = &p->stack[p->table];
    struct tkt_html_row *row = &table->row;
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

/* ---- all ---- */

/* What the end of an element does to the lines. */
void tkt_html_layout_end(struct tkt_html_page *p, const struct tkt_html_open *o)
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

void tkt_html_layout_begin(struct tkt_html_page *p, const struct tkt_html_open *o)
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
