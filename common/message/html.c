/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/html.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/htmlpage.h"

#include <stdlib.h>
#include <string.h>

#define LINK_BLUE 0x0000ee

bool tkt_html_open_is(const struct tkt_html_open *o, const char *ids)
{
    return memchr(ids, o->element->id, strlen(ids)) != NULL;
}

/* ---- closing ---- */

static void end_mark(struct tkt_html_page *p, const struct tkt_html_open *o)
{
    if (o->mark == TKT_MARK_QUOTE || o->mark == TKT_MARK_SIGNATURE) {
        tkt_html_out_end(&p->out, o->mark_serial,
                         o->mark == TKT_MARK_QUOTE ? TKT_MARK_QUOTE_END
                                                   : TKT_MARK_SIGNATURE_END);
    }
}

static void pop(struct tkt_html_page *p)
{
    struct tkt_html_open o = *tkt_html_top(p);

    p->counts[tkt_html_element_index(o.element)]--;
    if (o.element->id == TKT_HTML_A) {
        tkt_html_layout_end(p, &o); /* before the mark: the address belongs to it */
    }
    if (o.has_mark) {
        end_mark(p, &o);
    }
    p->depth--;
    if (o.element->id != TKT_HTML_A) {
        tkt_html_layout_end(p, &o);
    }
    /* Gmail: an answer below the quote stands inside of the quote's container. */
    if (o.gmail && o.element->id == TKT_HTML_BLOCKQUOTE && tkt_html_top(p)->gmail &&
        tkt_html_top(p)->element->id != TKT_HTML_BLOCKQUOTE &&
        tkt_html_top(p)->has_mark) {
        end_mark(p, tkt_html_top(p));
        tkt_html_top(p)->has_mark = false;
    }
}

static void pop_to(struct tkt_html_page *p, size_t depth)
{
    while (p->depth >= depth && p->depth > 0) {
        p->notes->steps++;
        pop(p);
    }
}

/* Closes the innermost open element with one of the ids, unless one of stops is nearer. */
static void close_implied(struct tkt_html_page *p, const char *ids, const char *stops)
{
    size_t low = p->depth > TKT_HTML_SEARCH_MAX ? p->depth - TKT_HTML_SEARCH_MAX : 0;

    for (size_t i = p->depth; i > low; i--) {
        p->notes->steps++;
        if (tkt_html_open_is(&p->stack[i], ids)) {
            pop_to(p, i);
            return;
        }
        if (tkt_html_open_is(&p->stack[i], stops)) {
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

static bool stops_end_tag(const struct tkt_html_element *e, const struct tkt_html_open *o)
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

static void close_element(struct tkt_html_page *p, const struct tkt_html_token *tag)
{
    const struct tkt_html_element *e = tkt_html_element_find(tag->name);
    uint64_t name = e->id == TKT_HTML_UNKNOWN ? hash_name(tag->name) : 0;
    size_t low = p->depth > TKT_HTML_SEARCH_MAX ? p->depth - TKT_HTML_SEARCH_MAX : 0;

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

static void apply_element(struct tkt_html_page *p, const struct tkt_html_style *s,
                          struct tkt_html_open *o)
{
    switch ((enum tkt_html_id)o->element->id) {
    case TKT_HTML_A:
        o->href = p->attrs[TKT_HTML_ATTR_HREF];
        if (o->href.p != NULL && s->color == TKT_HTML_COLOR_UNSET) {
            o->color = LINK_BLUE;
        }
        break;
    case TKT_HTML_FONT:
        if (p->attrs[TKT_HTML_ATTR_COLOR].p != NULL && s->color == TKT_HTML_COLOR_UNSET) {
            o->color = tkt_html_color(p->attrs[TKT_HTML_ATTR_COLOR].p,
                                      p->attrs[TKT_HTML_ATTR_COLOR].n);
        }
        if (p->attrs[TKT_HTML_ATTR_SIZE].p != NULL && s->size < 0 && s->size_ratio < 0) {
            o->size = 1600;
        }
        break;
    case TKT_HTML_PRE:
        o->pre = s->pre != TKT_HTML_NO;
        break;
    case TKT_HTML_OL:
        o->number = tkt_html_page_attr_number(p, TKT_HTML_ATTR_START) > 0
                        ? tkt_html_page_attr_number(p, TKT_HTML_ATTR_START) - 1
                        : 0;
        o->numbering = tkt_html_page_attr_is(p, TKT_HTML_ATTR_TYPE, "a")
                           ? p->attrs[TKT_HTML_ATTR_TYPE].p[0]
                           : '1';
        break;
    case TKT_HTML_P: {
        const struct tkt_html_range *c = &p->attrs[TKT_HTML_ATTR_CLASS];
        bool word = c->p != NULL && c->n > 3 && tkt_ascii_ieqn(c->p, "mso", 3);
        o->spaced = s->margin == TKT_HTML_YES || (s->margin == TKT_HTML_UNSET && !word);
        break;
    }
    case TKT_HTML_TABLE:
        o->is_data = tkt_html_page_attr_number(p, TKT_HTML_ATTR_BORDER) > 0;
        o->is_layout = tkt_html_page_attr_is(p, TKT_HTML_ATTR_ROLE, "presentation") ||
                       tkt_html_page_attr_is(p, TKT_HTML_ATTR_ROLE, "none");
        break;
    default:
        o->spaced = (o->element->flags & TKT_HTML_PARAGRAPH) != 0;
        break;
    }
}

/* Which mark an element makes, if any. */
static void apply_mark(struct tkt_html_page *p, const struct tkt_html_style *s,
                       struct tkt_html_open *o)
{
    o->has_mark =
        tkt_html_mark_of(p->attrs[TKT_HTML_ATTR_CLASS], p->attrs[TKT_HTML_ATTR_ID],
                         p->attrs[TKT_HTML_ATTR_NAME], &o->mark, &o->gmail);
    if (!o->has_mark && o->element->id == TKT_HTML_BLOCKQUOTE) {
        o->mark = TKT_MARK_QUOTE;
        o->has_mark = !s->plain_indent || p->attrs[TKT_HTML_ATTR_CITE].p != NULL ||
                      tkt_html_page_attr_is(p, TKT_HTML_ATTR_TYPE, "cite");
    }
    if (!o->has_mark && s->divider && (o->element->flags & TKT_HTML_LINE) != 0) {
        o->mark = TKT_MARK_DIVIDER;
        o->has_mark = true;
    }
}

static void take_void(struct tkt_html_page *p, const struct tkt_html_element *e)
{
    if (e->id == TKT_HTML_BR && !tkt_html_top(p)->gone) {
        tkt_html_out_newline(&p->out);
    } else if (e->id == TKT_HTML_IMG) {
        tkt_html_layout_image(p);
    } else if (e->id == TKT_HTML_HR && !tkt_html_top(p)->gone) {
        enum tkt_mark_kind kind;
        bool gmail;
        tkt_html_out_break(&p->out, 2);
        if (tkt_html_page_attr_is(p, TKT_HTML_ATTR_TABINDEX, "-1") ||
            tkt_html_mark_of(p->attrs[TKT_HTML_ATTR_CLASS], p->attrs[TKT_HTML_ATTR_ID],
                             p->attrs[TKT_HTML_ATTR_NAME], &kind, &gmail)) {
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
static void close_before(struct tkt_html_page *p, const struct tkt_html_element *e)
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

static void push(struct tkt_html_page *p, struct tkt_html_open *o)
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
        tkt_html_top(p)->outer_table = p->table;
        p->table = p->depth;
    }
}

static void open_element(struct tkt_html_page *p, const struct tkt_html_token *tag)
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
    tkt_html_page_attrs(p, tag);
    if ((e->flags & TKT_HTML_VOID) != 0) {
        take_void(p, e);
        return;
    }
    tkt_html_page_style(p, &s);
    if ((e->flags & TKT_HTML_IGNORED) != 0) {
        if (e->id == TKT_HTML_BODY) {
            tkt_html_page_apply(p, &s, &p->stack[0]);
        }
        return;
    }
    close_before(p, e);
    struct tkt_html_open o = tkt_html_page_inherit(tkt_html_top(p), e);
    tkt_html_page_apply(p, &s, &o);
    apply_element(p, &s, &o);
    apply_mark(p, &s, &o);
    if (e->id == TKT_HTML_UNKNOWN) {
        bool matters =
            o.has_mark ||
            (tkt_html_page_hides(p, &o) && !tkt_html_page_hides(p, tkt_html_top(p))) ||
            p->counts[TKT_HTML_ELEMENTS_MAX - 1] > 0;
        if (!matters) {
            return;
        }
        o.name = hash_name(tag->name);
    }
    tkt_html_layout_begin(p, &o);
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
    TKT_AUTO_FREE struct tkt_html_page *p = calloc(1, sizeof(*p));
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
    p->stack[0] = (struct tkt_html_open){.element = tkt_html_element_find("body"),
                                         .color = 0,
                                         .background = 0xffffff,
                                         .size = 1600};
    while (!out->failed && tkt_html_next(&p->reader, &t)) {
        switch (t.kind) {
        case TKT_HTML_TEXT:
            tkt_html_page_take(p, t.text, t.len);
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
