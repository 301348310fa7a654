/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/htmlout.h"

#include "base/util.h"

#include <stdint.h>
#include <string.h>

#define BREAKS_MAX 2 /* one empty line */

/* What a byte may begin. */
enum {
    SEEN,
    SPACE,
    CONTROL,
    LOOK /* of some characters that begin so there is nothing to see */
};
static const uint8_t leads[256] = {
    [0x00 ... 0x08] = CONTROL,
    ['\t'] = SPACE,
    ['\n'] = SPACE,
    [0x0b] = CONTROL,
    ['\f'] = SPACE,
    ['\r'] = SPACE,
    [' '] = SPACE,
    [0x0e ... 0x1f] = CONTROL,
    [0x7f] = CONTROL,
    [0xc2] = LOOK,
    [0xcd] = LOOK,
    [0xe1] = LOOK,
    [0xe2] = LOOK,
    [0xef] = LOOK,
    [0xf3] = LOOK,
};

enum sight {
    VISIBLE,
    BLANK,       /* shown as a blank, and may collapse */
    UNBREAKABLE, /* a blank that makes a line */
    NEWLINE,
    WIDTHLESS,
    JOINER, /* widthless, but some scripts need it */
    HYPHEN, /* soft */
    SILENT  /* steers direction only */
};

static enum sight sight_of_e2(unsigned char b, unsigned char c)
{
    if (b == 0x80) {
        switch (c) {
        case 0x8b:
            return WIDTHLESS;
        case 0x8c:
        case 0x8d:
            return JOINER;
        case 0x8e:
        case 0x8f:
            return SILENT;
        case 0xa8:
        case 0xa9:
            return NEWLINE;
        case 0xaf:
            return UNBREAKABLE;
        default:
            return c <= 0x8a ? BLANK : c >= 0xaa && c <= 0xae ? SILENT : VISIBLE;
        }
    }
    if (b == 0x81) {
        return c == 0x9f                ? BLANK
               : c >= 0xa0 && c <= 0xa4 ? WIDTHLESS
               : c >= 0xa6 && c <= 0xa9 ? SILENT
                                        : VISIBLE;
    }
    return VISIBLE;
}

/* The character at p, and how many bytes it takes. */
static enum sight look(const char *s, size_t n, size_t *len)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char b = n > 1 ? p[1] : 0;
    unsigned char c = n > 2 ? p[2] : 0;

    *len = 3;
    switch (p[0]) {
    case 0xc2:
        *len = 2;
        return b == 0xa0 ? UNBREAKABLE : b == 0xad ? HYPHEN : b < 0xa0 ? BLANK : VISIBLE;
    case 0xcd:
        *len = 2;
        return b == 0x8f ? WIDTHLESS : VISIBLE;
    case 0xe1:
        return b == 0xa0 && c == 0x8e ? WIDTHLESS : VISIBLE;
    case 0xe2:
        return sight_of_e2(b, c);
    case 0xef:
        return b == 0xbb && c == 0xbf ? WIDTHLESS : VISIBLE;
    default:
        *len = 4; /* 0xf3: the tags of plane 14 */
        return b == 0xa0 && (c == 0x80 || c == 0x81) ? WIDTHLESS : VISIBLE;
    }
}

void tkt_html_out_init(struct tkt_html_out *o, struct tkt_buf *buf,
                       struct tkt_marks *marks)
{
    memset(o, 0, sizeof(*o));
    o->buf = buf;
    o->marks = marks;
}

/* ---- what waits ---- */

static bool at_line_start(const struct tkt_html_out *o)
{
    return !o->started || o->breaks > 0;
}

/* A line of unbreakable blanks is an empty line on purpose. */
static void end_nbsp_line(struct tkt_html_out *o)
{
    if (o->nbsp_line && o->breaks < BREAKS_MAX) {
        o->breaks++;
    }
    o->nbsp_line = false;
}

/* The blank of "-- " belongs to the line: it announces a signature. */
static void end_line(struct tkt_html_out *o)
{
    const struct tkt_buf *b = o->buf;

    if (o->blanks > 0 && o->breaks == 0 && o->started && b->len >= 2 &&
        memcmp(b->data + b->len - 2, "--", 2) == 0 &&
        (b->len == 2 || b->data[b->len - 3] == '\n')) {
        tkt_buf_addc(o->buf, ' ');
    }
    o->blanks = 0;
}

void tkt_html_out_break(struct tkt_html_out *o, unsigned n)
{
    if (o->fresh) {
        return;
    }
    end_nbsp_line(o);
    end_line(o);
    o->breaks = TKT_MAX(o->breaks, n);
}

void tkt_html_out_newline(struct tkt_html_out *o)
{
    if (o->fresh) {
        return;
    }
    o->nbsp_line = false;
    end_line(o);
    o->breaks = TKT_MAX(o->breaks, TKT_MIN(o->breaks + 1, BREAKS_MAX));
}

static void put_mark(struct tkt_html_out *o, enum tkt_mark_kind kind)
{
    struct tkt_marks *m = o->marks;

    if (m != NULL && m->count > 0 && kind == TKT_MARK_DIVIDER &&
        m->items[m->count - 1].kind == kind &&
        m->items[m->count - 1].offset == o->buf->len) {
        return; /* a rule and a container: one divider */
    }
    if (m != NULL && m->count < TKT_MARKS_MAX) {
        m->items[m->count++] = (struct tkt_mark){(uint32_t)o->buf->len, kind};
    }
}

unsigned tkt_html_out_begin(struct tkt_html_out *o, enum tkt_mark_kind kind)
{
    if (o->waiting_count == TKT_HTML_WAITING_MAX) {
        return 0;
    }
    o->waiting[o->waiting_count].kind = kind;
    o->waiting[o->waiting_count++].serial = ++o->serial;
    return o->serial;
}

void tkt_html_out_end(struct tkt_html_out *o, unsigned serial, enum tkt_mark_kind end)
{
    if (serial == 0) {
        return;
    }
    if (serial <= o->written) {
        put_mark(o, end);
        return;
    }
    for (size_t i = o->waiting_count; i-- > 0;) {
        if (o->waiting[i].serial == serial) {
            memmove(&o->waiting[i], &o->waiting[i + 1],
                    (o->waiting_count - i - 1) * sizeof(o->waiting[0]));
            o->waiting_count--;
            return;
        }
    }
}

static void put_blanks(struct tkt_html_out *o, unsigned n)
{
    static const char blanks[] = "                ";

    while (n > 0) {
        unsigned now = TKT_MIN(n, (unsigned)sizeof(blanks) - 1);
        tkt_buf_add(o->buf, blanks, now);
        n -= now;
    }
}

static void put_separators(struct tkt_html_out *o)
{
    for (unsigned i = 0; i < o->separators; i++) {
        tkt_buf_adds(o->buf, i == 0 && at_line_start(o) ? "|" : " |");
    }
    if (o->separators > 0) {
        tkt_buf_addc(o->buf, ' ');
        o->blanks = 0;
    }
}

static void flush(struct tkt_html_out *o)
{
    bool start = at_line_start(o);

    if (o->started) {
        for (unsigned i = 0; i < o->breaks; i++) {
            tkt_buf_addc(o->buf, '\n');
        }
        o->lines += o->breaks;
    }
    if (!start) {
        put_separators(o);
        put_blanks(o, o->blanks);
    }
    for (size_t i = 0; i < o->waiting_count; i++) {
        put_mark(o, o->waiting[i].kind);
    }
    o->waiting_count = 0;
    o->written = o->serial;
    if (start) {
        /* A bullet hangs to the left of the lines of its item. */
        put_blanks(o,
                   o->bullet[0] == '\0' ? o->indent : o->indent - TKT_MIN(2u, o->indent));
        tkt_buf_adds(o->buf, o->bullet);
        put_separators(o);
        put_blanks(o, o->keeps_blanks ? o->blanks : 0);
    }
    o->started = true;
    o->fresh = o->nbsp_line = o->keeps_blanks = false;
    o->blanks = o->breaks = o->separators = 0;
    o->bullet[0] = '\0';
}

/* ---- text ---- */

static void put_visible(struct tkt_html_out *o, const char *p, size_t n)
{
    flush(o);
    tkt_buf_add(o->buf, p, n);
    o->letters += n;
}

void tkt_html_out_raw(struct tkt_html_out *o, const char *p, size_t n)
{
    put_visible(o, p, n);
}

static void put_space(struct tkt_html_out *o, char c, bool pre)
{
    if (!pre) {
        o->blanks = TKT_MAX(o->blanks, 1u);
    } else if (c == '\n') {
        /* Not capped: what is preformatted keeps its empty lines. */
        end_line(o);
        o->breaks++;
        o->fresh = false;
    } else if (c == '\t') {
        put_visible(o, "\t", 1);
    } else if (c != '\r') {
        o->keeps_blanks = true;
        o->blanks++;
    }
}

/* Between two letters, where a reader sees one word. */
static bool inside_word(const struct tkt_html_out *o)
{
    return o->started && o->breaks == 0 && o->blanks == 0 && o->separators == 0;
}

static bool needs_joiner(const struct tkt_html_out *o)
{
    return inside_word(o) && o->buf->len > 0 &&
           (unsigned char)o->buf->data[o->buf->len - 1] >= 0x80;
}

static void put_special(struct tkt_html_out *o, enum sight sight, const char *p, size_t n)
{
    switch (sight) {
    case VISIBLE:
        put_visible(o, p, n);
        break;
    case UNBREAKABLE:
        o->nbsp_line = o->nbsp_line || at_line_start(o);
        o->blanks = TKT_MAX(o->blanks, 1u);
        break;
    case BLANK:
        o->blanks = TKT_MAX(o->blanks, 1u);
        break;
    case NEWLINE:
        tkt_html_out_newline(o);
        break;
    case JOINER:
        if (needs_joiner(o)) {
            put_visible(o, p, n);
        } else {
            o->widthless += inside_word(o) ? 1 : 0;
        }
        break;
    case WIDTHLESS:
        o->widthless += inside_word(o) ? 1 : 0;
        break;
    case HYPHEN:
        o->hyphens += inside_word(o) ? 1 : 0;
        break;
    case SILENT:
        break;
    }
}

void tkt_html_out_text(struct tkt_html_out *o, const char *p, size_t n, bool pre)
{
    const char *end = p + n;

    while (p < end && !o->buf->failed) {
        const char *from = p;
        while (p < end && leads[(unsigned char)*p] == SEEN) {
            p++;
        }
        if (p > from) {
            put_visible(o, from, (size_t)(p - from));
            continue;
        }
        if (leads[(unsigned char)*p] == LOOK) {
            size_t len = 0;
            enum sight sight = look(p, (size_t)(end - p), &len);
            len = TKT_MIN(len, (size_t)(end - p));
            put_special(o, sight, p, len);
            p += len;
        } else {
            bool space = leads[(unsigned char)*p] == SPACE;
            put_space(o, space ? *p : ' ', pre);
            p++;
        }
    }
}

bool tkt_html_out_is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = 1;
        unsigned lead = leads[(unsigned char)p[i]];
        if (lead == SEEN || (lead == LOOK && look(p + i, n - i, &len) == VISIBLE)) {
            return false;
        }
        i += len;
    }
    return true;
}
