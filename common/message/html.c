/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/html.h"

#include "base/enc.h"
#include "base/util.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TAG_NAME_MAX 16
#define ENTITY_MAX 12
#define BLANK_LINES_MAX 1

struct writer {
    struct tkt_buf *out;
    bool blank;      /* a collapsed blank waits */
    unsigned breaks; /* line ends wait */
    bool started;    /* something was written: leading breaks are dropped */
    unsigned pre;    /* depth of <pre> */
    unsigned quotes; /* begin here but have no text yet */
    struct tkt_html_notes *notes;
    /* What was searched for to the end once and is not there; without these a file of
     * unclosed tags would be searched again for each of them. */
    bool quotes_off; /* a quote in a tag never closes: '>' ends a tag everywhere */
    bool no_gt;
    bool no_comment_end;
};

/* ---- writing with collapsed white space ---- */

static void mark(struct writer *w, enum tkt_mark_kind kind)
{
    struct tkt_marks *m = w->notes->marks;

    if (m != NULL && m->count < TKT_MARKS_MAX) {
        m->items[m->count++] = (struct tkt_mark){(uint32_t)w->out->len, kind};
    }
}

static void flush_waiting(struct writer *w)
{
    if (w->started) {
        for (unsigned i = 0; i < w->breaks; i++) {
            tkt_buf_addc(w->out, '\n');
        }
        if (w->breaks == 0 && w->blank) {
            tkt_buf_addc(w->out, ' ');
        }
    }
    for (; w->quotes > 0; w->quotes--) {
        mark(w, TKT_MARK_QUOTE);
    }
    w->started = true;
    w->breaks = 0;
    w->blank = false;
}

static void put_text(struct writer *w, const char *p, size_t n)
{
    if (n > 0) {
        flush_waiting(w);
        tkt_buf_add(w->out, p, n);
    }
}

static void want_breaks(struct writer *w, unsigned n)
{
    w->breaks = TKT_MAX(w->breaks, n);
}

static void more_break(struct writer *w)
{
    w->breaks = TKT_MIN(w->breaks + 1, BLANK_LINES_MAX + 1);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static void put_space(struct writer *w, char c)
{
    if (w->pre > 0 && c == '\n') {
        flush_waiting(w);
        tkt_buf_addc(w->out, '\n');
    } else if (w->pre > 0) {
        put_text(w, &c, c == '\r' ? 0 : 1);
    } else {
        w->blank = true;
    }
}

/* ---- entities ---- */

struct entity {
    const char *name;
    const char *text;
};
static const struct entity entities[] = {
    {"amp", "&"},
    {"lt", "<"},
    {"gt", ">"},
    {"quot", "\""},
    {"apos", "'"},
    {"nbsp", " "},
    {"copy", "\xc2\xa9"},
    {"reg", "\xc2\xae"},
    {"trade", "\xe2\x84\xa2"},
    {"euro", "\xe2\x82\xac"},
    {"pound", "\xc2\xa3"},
    {"yen", "\xc2\xa5"},
    {"cent", "\xc2\xa2"},
    {"sect", "\xc2\xa7"},
    {"para", "\xc2\xb6"},
    {"deg", "\xc2\xb0"},
    {"plusmn", "\xc2\xb1"},
    {"micro", "\xc2\xb5"},
    {"middot", "\xc2\xb7"},
    {"laquo", "\xc2\xab"},
    {"raquo", "\xc2\xbb"},
    {"iexcl", "\xc2\xa1"},
    {"iquest", "\xc2\xbf"},
    {"frac12", "\xc2\xbd"},
    {"frac14", "\xc2\xbc"},
    {"frac34", "\xc2\xbe"},
    {"sup2", "\xc2\xb2"},
    {"sup3", "\xc2\xb3"},
    {"ordm", "\xc2\xba"},
    {"ordf", "\xc2\xaa"},
    {"times", "\xc3\x97"},
    {"divide", "\xc3\xb7"},
    {"shy", ""},
    {"zwnj", ""},
    {"zwj", ""},
    {"lrm", ""},
    {"rlm", ""},
    {"ensp", " "},
    {"emsp", " "},
    {"thinsp", " "},
    {"ndash", "\xe2\x80\x93"},
    {"mdash", "\xe2\x80\x94"},
    {"lsquo", "\xe2\x80\x98"},
    {"rsquo", "\xe2\x80\x99"},
    {"sbquo", "\xe2\x80\x9a"},
    {"ldquo", "\xe2\x80\x9c"},
    {"rdquo", "\xe2\x80\x9d"},
    {"bdquo", "\xe2\x80\x9e"},
    {"hellip", "\xe2\x80\xa6"},
    {"bull", "\xe2\x80\xa2"},
    {"rarr", "\xe2\x86\x92"},
    {"larr", "\xe2\x86\x90"},
    {"Agrave", "\xc3\x80"},
    {"Aacute", "\xc3\x81"},
    {"Acirc", "\xc3\x82"},
    {"Atilde", "\xc3\x83"},
    {"Auml", "\xc3\x84"},
    {"Aring", "\xc3\x85"},
    {"AElig", "\xc3\x86"},
    {"Ccedil", "\xc3\x87"},
    {"Egrave", "\xc3\x88"},
    {"Eacute", "\xc3\x89"},
    {"Ecirc", "\xc3\x8a"},
    {"Euml", "\xc3\x8b"},
    {"Igrave", "\xc3\x8c"},
    {"Iacute", "\xc3\x8d"},
    {"Icirc", "\xc3\x8e"},
    {"Iuml", "\xc3\x8f"},
    {"Ntilde", "\xc3\x91"},
    {"Ograve", "\xc3\x92"},
    {"Oacute", "\xc3\x93"},
    {"Ocirc", "\xc3\x94"},
    {"Otilde", "\xc3\x95"},
    {"Ouml", "\xc3\x96"},
    {"Oslash", "\xc3\x98"},
    {"Ugrave", "\xc3\x99"},
    {"Uacute", "\xc3\x9a"},
    {"Ucirc", "\xc3\x9b"},
    {"Uuml", "\xc3\x9c"},
    {"szlig", "\xc3\x9f"},
    {"agrave", "\xc3\xa0"},
    {"aacute", "\xc3\xa1"},
    {"acirc", "\xc3\xa2"},
    {"atilde", "\xc3\xa3"},
    {"auml", "\xc3\xa4"},
    {"aring", "\xc3\xa5"},
    {"aelig", "\xc3\xa6"},
    {"ccedil", "\xc3\xa7"},
    {"egrave", "\xc3\xa8"},
    {"eacute", "\xc3\xa9"},
    {"ecirc", "\xc3\xaa"},
    {"euml", "\xc3\xab"},
    {"igrave", "\xc3\xac"},
    {"iacute", "\xc3\xad"},
    {"icirc", "\xc3\xae"},
    {"iuml", "\xc3\xaf"},
    {"ntilde", "\xc3\xb1"},
    {"ograve", "\xc3\xb2"},
    {"oacute", "\xc3\xb3"},
    {"ocirc", "\xc3\xb4"},
    {"otilde", "\xc3\xb5"},
    {"ouml", "\xc3\xb6"},
    {"oslash", "\xc3\xb8"},
    {"ugrave", "\xc3\xb9"},
    {"uacute", "\xc3\xba"},
    {"ucirc", "\xc3\xbb"},
    {"uuml", "\xc3\xbc"},
    {"yacute", "\xc3\xbd"},
    {"yuml", "\xc3\xbf"},
};

static size_t utf8_put(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* "#123", "#x7b": the character, or 0xfffd for what is none. */
static uint32_t numeric(const char *p, size_t n)
{
    bool hex = n > 1 && (p[1] | 0x20) == 'x';
    uint32_t c = 0;

    for (size_t i = hex ? 2 : 1; i < n; i++) {
        unsigned char ch = (unsigned char)(p[i] | 0x20);
        uint32_t v = ch >= 'a' && ch <= 'f' ? ch - 'a' + 10u : (uint32_t)(p[i] - '0');
        c = c * (hex ? 16 : 10) + v;
    }
    bool bad =
        c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff;
    return c == '\t' || c == '\n' || c == '\r' ? ' ' : bad ? 0xfffd : c;
}

static bool is_digits(const char *p, size_t n)
{
    bool hex = n > 1 && (p[1] | 0x20) == 'x';
    size_t from = hex ? 2 : 1;

    for (size_t i = from; i < n; i++) {
        char c = (char)(p[i] | 0x20);
        if (!((p[i] >= '0' && p[i] <= '9') || (hex && c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return n > from && n - from <= 8;
}

/* p is at '&'. Returns the bytes used: 1 when this is no entity. */
static size_t put_entity(struct writer *w, const char *p, size_t n)
{
    size_t len = 1;
    char utf[4];

    while (len < n && len <= ENTITY_MAX && p[len] != ';' && !is_space(p[len]) &&
           p[len] != '<' && p[len] != '&') {
        len++;
    }
    bool closed = len < n && p[len] == ';';
    if (len > 1 && p[1] == '#' && is_digits(p + 1, len - 1)) {
        uint32_t c = numeric(p + 1, len - 1);
        if (c == ' ' || c == 0xa0) {
            w->blank = true;
        } else {
            put_text(w, utf, utf8_put(c, utf));
        }
        return len + (closed ? 1 : 0);
    }
    for (size_t i = 0; closed && i < TKT_ARRAY_LEN(entities); i++) {
        if (entities[i].name[0] == p[1] && strlen(entities[i].name) == len - 1 &&
            memcmp(entities[i].name, p + 1, len - 1) == 0) {
            const char *text = entities[i].text;
            if (strcmp(text, " ") == 0) {
                w->blank = true;
            } else {
                put_text(w, text, strlen(text));
            }
            return len + 1;
        }
    }
    put_text(w, "&", 1);
    return 1;
}

/* ---- tags ---- */

/* What an element does to the lines around it. */
enum effect {
    PLAIN,
    LINE,
    PARAGRAPH,
    BREAK,
    CELL,
    ITEM,
    PRE,
    SKIP
};
struct element {
    const char *name;
    enum effect effect;
};
static const struct element elements[] = {
    {"br", BREAK},       {"p", PARAGRAPH},
    {"div", LINE},       {"tr", LINE},
    {"td", CELL},        {"th", CELL},
    {"li", ITEM},        {"ul", LINE},
    {"ol", LINE},        {"dl", LINE},
    {"dt", LINE},        {"dd", LINE},
    {"h1", PARAGRAPH},   {"h2", PARAGRAPH},
    {"h3", PARAGRAPH},   {"h4", PARAGRAPH},
    {"h5", PARAGRAPH},   {"h6", PARAGRAPH},
    {"table", LINE},     {"blockquote", PARAGRAPH},
    {"hr", LINE},        {"section", LINE},
    {"article", LINE},   {"header", LINE},
    {"footer", LINE},    {"address", LINE},
    {"form", LINE},      {"center", LINE},
    {"pre", PRE},        {"script", SKIP},
    {"style", SKIP},     {"head", SKIP},
    {"title", SKIP},     {"noscript", PLAIN},
    {"textarea", PLAIN}, {"template", SKIP},
};

static enum effect effect_of(const char *name)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(elements); i++) {
        if (strcmp(elements[i].name, name) == 0) {
            return elements[i].effect;
        }
    }
    return PLAIN;
}

/* The end of the tag that starts at p ('<'), behind its '>'; NULL when there is none.
 * A quote that never closes must not swallow the rest of the mail. */
static const char *tag_end(struct writer *w, const char *p, const char *end)
{
    char quote = '\0';

    for (const char *at = p; at < end && !w->quotes_off; at++) {
        if (quote != '\0') {
            quote = *at == quote ? '\0' : quote;
        } else if (*at == '>') {
            return at + 1;
        } else if ((*at == '"' || *at == '\'') && at > p && at[-1] == '=') {
            quote = *at;
        }
    }
    w->quotes_off = true;
    const char *gt = w->no_gt ? NULL : memchr(p, '>', (size_t)(end - p));
    w->no_gt = gt == NULL;
    return gt == NULL ? NULL : gt + 1;
}

/* Behind "</name", which may stand anywhere; end when it never comes. Each byte is
 * passed once: what is skipped is not looked at again. */
static const char *skip_element(const char *p, const char *end, const char *name)
{
    size_t n = strlen(name);

    while (p < end) {
        const char *lt = memchr(p, '<', (size_t)(end - p));
        if (lt == NULL || (size_t)(end - lt) < n + 2) {
            return end;
        }
        if (lt[1] == '/' && tkt_ascii_ieqn(lt + 2, name, n)) {
            return lt;
        }
        /* A head that is never closed ends where the body begins. */
        if (strcmp(name, "head") == 0 && (size_t)(end - lt) > 5 &&
            tkt_ascii_ieqn(lt + 1, "body", 4)) {
            return lt;
        }
        p = lt + 1;
    }
    return end;
}

static void apply(struct writer *w, enum effect effect, bool closing)
{
    switch (effect) {
    case BREAK:
        more_break(w);
        break;
    case LINE:
        want_breaks(w, 1);
        break;
    case PARAGRAPH:
        want_breaks(w, 2);
        break;
    case CELL:
        w->blank = true;
        break;
    case ITEM:
        want_breaks(w, 1);
        if (!closing) {
            put_text(w, "- ", 2);
        }
        break;
    case PRE:
        want_breaks(w, 1);
        if (closing) {
            w->pre -= w->pre > 0 ? 1 : 0;
        } else {
            w->pre++;
        }
        break;
    case PLAIN:
    case SKIP:
        break;
    }
}

/* p is at '<'. Returns where to go on. */
static const char *take_tag(struct writer *w, const char *p, const char *end)
{
    char name[TAG_NAME_MAX];
    size_t len = 0;
    const char *at = p + 1;

    if (end - p >= 4 && memcmp(p, "<!--", 4) == 0 && !w->no_comment_end) {
        const char *close = memmem(p + 4, (size_t)(end - p - 4), "-->", 3);
        if (close != NULL) {
            return close + 3;
        }
        w->no_comment_end = true;
    }
    bool closing = at < end && *at == '/';
    at += closing ? 1 : 0;
    bool letter = at < end && (*at | 0x20) >= 'a' && (*at | 0x20) <= 'z';
    bool other = at < end && !closing && (*at == '!' || *at == '?');
    if (!letter && !other) {
        put_text(w, "<", 1);
        return p + 1;
    }
    for (; at < end && len + 1 < sizeof(name) && strchr(" \t\r\n/>", *at) == NULL; at++) {
        name[len++] = *at;
    }
    name[len] = '\0';
    tkt_ascii_lower(name);
    const char *after = tag_end(w, p, end);
    if (after == NULL) {
        put_text(w, "<", 1);
        return p + 1;
    }
    enum effect effect = effect_of(name);
    if (effect == SKIP && !closing) {
        return skip_element(after, end, name);
    }
    if (strcmp(name, "blockquote") == 0) {
        if (!closing) {
            w->quotes++;
        } else if (w->quotes > 0) {
            w->quotes--;
        } else {
            mark(w, TKT_MARK_QUOTE_END);
        }
    }
    apply(w, effect, closing);
    return after;
}

void tkt_html_text(struct tkt_buf *out, const char *html, size_t n,
                   struct tkt_html_notes *notes)
{
    struct writer w = {.out = out, .notes = notes};
    const char *p = html;
    const char *end = html + n;

    while (p < end && !out->failed) {
        if (*p == '<') {
            p = take_tag(&w, p, end);
        } else if (*p == '&') {
            p += put_entity(&w, p, (size_t)(end - p));
        } else if (is_space(*p)) {
            put_space(&w, *p++);
        } else {
            const char *start = p;
            while (p < end && *p != '<' && *p != '&' && !is_space(*p)) {
                p++;
            }
            put_text(&w, start, (size_t)(p - start));
        }
    }
}
