/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/parttext.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/blocks.h"
#include "message/charset.h"
#include "message/flowed.h"
#include "message/html.h"
#include "message/htmltag.h"

#include <string.h>

#define DOUBLED_LINES_MIN 6

#define META_WITHIN 4096 /* of HTML: where its <meta> may stand */

static bool is_html_part(const struct tkt_part *p)
{
    return strcmp(tkt_part_type(p), "text/html") == 0;
}

/* ---- which charset ---- */

struct label {
    const char *p;
    size_t n;
};

static struct label label_of(const char *s)
{
    return (struct label){s, strlen(s)};
}

/* The label that a byte order mark stands for; *skip its bytes. */
static struct label mark_of(const unsigned char *p, size_t n, size_t *skip)
{
    *skip = 0;
    if (n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
        *skip = 3;
        return label_of("utf-8");
    }
    if (n >= 4 && p[0] == 0xff && p[1] == 0xfe && (p[2] != 0 || p[3] != 0)) {
        *skip = 2;
        return label_of("utf-16le");
    }
    if (n >= 4 && p[0] == 0xfe && p[1] == 0xff) {
        *skip = 2;
        return label_of("utf-16be");
    }
    return (struct label){NULL, 0};
}

/* "charset=x" within an attribute's value. */
static struct label charset_in(const char *p, size_t n)
{
    static const char word[] = "charset=";

    for (size_t i = 0; i + sizeof(word) - 1 <= n; i++) {
        if (tkt_ascii_ieqn(p + i, word, sizeof(word) - 1)) {
            size_t from = i + sizeof(word) - 1;
            size_t to = from;
            while (to < n && strchr(" ;\"'", p[to]) == NULL) {
                to++;
            }
            return (struct label){p + from, to - from};
        }
    }
    return (struct label){NULL, 0};
}

/* <meta charset="x">, <meta http-equiv=Content-Type content="text/html; charset=x">. */
static struct label meta_of(const char *html, size_t n)
{
    struct tkt_html_reader r;
    struct tkt_html_token t;

    tkt_html_reader_init(&r, html, TKT_MIN(n, (size_t)META_WITHIN));
    while (tkt_html_next(&r, &t)) {
        if (t.kind != TKT_HTML_OPEN || strcmp(t.name, "meta") != 0) {
            continue;
        }
        struct tkt_html_attr a;
        const char *at = t.text;
        while (tkt_html_attr_next(&at, t.text + t.len, &a)) {
            if (a.name_len == 7 && tkt_ascii_ieqn(a.name, "charset", 7)) {
                return (struct label){a.value, a.value_len};
            }
            struct label l = {NULL, 0};
            if (a.name_len == 7 && tkt_ascii_ieqn(a.name, "content", 7)) {
                l = charset_in(a.value, a.value_len);
            }
            if (l.n > 0) {
                return l;
            }
        }
    }
    return (struct label){NULL, 0};
}

/* Declared, and more than "no idea". */
static bool says_something(const char *charset)
{
    return charset != NULL && charset[0] != '\0' && !tkt_ascii_ieq(charset, "us-ascii") &&
           !tkt_ascii_ieq(charset, "unknown-8bit") &&
           !tkt_ascii_ieq(charset, "x-unknown");
}

/* The part's bytes as UTF-8. */
static void convert(struct tkt_scan *scan, const struct tkt_part *p,
                    const struct tkt_buf *raw, struct tkt_buf *utf8)
{
    const char *data = tkt_buf_str(raw);
    size_t skip = 0;
    struct label l = mark_of((const unsigned char *)data, raw->len, &skip);
    bool known = true;

    if (l.p == NULL && is_html_part(p) && !says_something(p->mime.charset)) {
        l = meta_of(data, raw->len);
    }
    if (l.p == NULL) {
        l = label_of(p->mime.charset == NULL ? "" : p->mime.charset);
    }
    tkt_charset_add(utf8, l.p, l.n, data + skip, raw->len - skip, &known);
    if (!known) {
        tkt_scan_problem(scan, "charset: unknown \"%.40s\", guessed",
                         p->mime.charset == NULL ? "" : p->mime.charset);
    }
}

/* ---- text ---- */

/* What stays as it is: all but control bytes. */
static const bool stays[256] = {
    ['\t'] = true, ['\n'] = true, [0x20 ... 0x7e] = true, [0x80 ... 0xff] = true};

/* Appends in with plain line ends and without control bytes; cut where out is full. */
static bool add_clean(struct tkt_buf *out, const char *p, size_t n)
{
    size_t room = out->max - out->len;

    for (size_t i = 0; i < n && room > 0;) {
        size_t len = 0;
        while (i + len < n && stays[(unsigned char)p[i + len]]) {
            len++;
        }
        size_t fits = tkt_utf8_cut(p + i, len, room);
        tkt_buf_add(out, p + i, fits);
        room -= fits;
        i += fits;
        if (fits < len) {
            return true;
        }
        if (i < n) {
            bool crlf = p[i] == '\r' && i + 1 < n && p[i + 1] == '\n';
            char c = p[i] == '\r' || p[i] == '\f' ? '\n' : ' ';
            if (!crlf && room > 0) {
                tkt_buf_addc(out, c);
                room--;
            }
            i++;
        }
        if (room == 0 && i < n) {
            return true;
        }
    }
    return room == 0 && n > 0;
}

/* Marks are made for text alone: they move to where it stands in out. */
static bool add_html(struct tkt_buf *out, const struct tkt_buf *utf8, size_t cap,
                     struct tkt_body *body)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * cap);
    struct tkt_html_notes notes = {.marks = &body->marks,
                                   .depth_max = body->html_depth_max};
    size_t first = body->marks.count;
    size_t at = out->len;

    tkt_html_text(&text, tkt_buf_str(utf8), utf8->len, &notes);
    bool cut = add_clean(out, tkt_buf_str(&text), text.len) || text.failed;
    for (size_t i = first; i < body->marks.count; i++) {
        body->marks.items[i].offset += (uint32_t)at;
    }
    body->has_hidden = body->has_hidden || notes.has_hidden;
    return cut;
}

static bool add_flowed(struct tkt_buf *out, const struct tkt_buf *utf8, bool delsp)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(2 * utf8->len + 16);

    tkt_flowed_add(&text, tkt_buf_str(utf8), utf8->len, delsp);
    return add_clean(out, tkt_buf_str(&text), text.len) || text.failed;
}

/* A line, without its end, that says nothing. */
static bool is_empty_line(const char *p, size_t n)
{
    while (n > 0 && (*p == ' ' || *p == '\t' || *p == '\r')) {
        p++;
        n--;
    }
    return n == 0;
}

/* Whether an empty line was put behind every line: of DOUBLED_LINES_MIN lines and more
 * nearly all are followed by an odd number of empty ones. */
static bool is_doubled(const char *p, size_t n)
{
    size_t lines = 0;
    size_t doubled = 0;
    size_t empty = 0;
    bool any = false;

    for (size_t i = 0; i < n;) {
        const char *end = memchr(p + i, '\n', n - i);
        size_t len = end == NULL ? n - i : (size_t)(end - (p + i));
        if (is_empty_line(p + i, len)) {
            empty++;
        } else {
            lines += any;
            doubled += any && empty % 2 == 1;
            any = true;
            empty = 0;
        }
        i += len + 1;
    }
    return lines >= DOUBLED_LINES_MIN && doubled * 10 >= lines * 9;
}

/* Outlook sends text with an empty line behind every line: one of each pair goes. */
static void halve_empty_lines(struct tkt_buf *b, size_t from)
{
    size_t to = from;
    size_t empty = 0;

    for (size_t i = from; i < b->len;) {
        const char *end = memchr(b->data + i, '\n', b->len - i);
        size_t len = end == NULL ? b->len - i : (size_t)(end - (b->data + i)) + 1;
        empty = is_empty_line(b->data + i, len - (end != NULL)) ? empty + 1 : 0;
        if (empty % 2 == 0) {
            memmove(b->data + to, b->data + i, len);
            to += len;
        }
        i += len;
    }
    b->len = to;
    b->data[to] = '\0';
}

static bool add_plain(struct tkt_buf *out, const char *p, size_t n)
{
    size_t from = out->len;
    bool cut = add_clean(out, p, n);

    if (out->len > from && is_doubled(out->data + from, out->len - from)) {
        halve_empty_lines(out, from);
    }
    return cut;
}

int tkt_part_text(const struct tkt_message_source *src, struct tkt_scan *scan,
                  size_t part, struct tkt_buf *out, struct tkt_body *body,
                  struct tkt_err *err)
{
    const struct tkt_part *p = &scan->parts[part];
    size_t cap = scan->limits->text_max;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(cap);
    TKT_AUTO_BUF struct tkt_buf utf8 = TKT_BUF_INIT(4 * cap);

    if (tkt_blocks_walk_text(src, p, tkt_body_take_head, &raw, err) < 0) {
        return -1;
    }
    bool cut = raw.len == cap;
    convert(scan, p, &raw, &utf8);
    tkt_buf_release(&raw);
    cut = cut || utf8.failed;
    if (is_html_part(p)) {
        cut = add_html(out, &utf8, cap, body) || cut;
    } else if (p->mime.flowed) {
        cut = add_flowed(out, &utf8, p->mime.delsp) || cut;
    } else {
        cut = add_plain(out, tkt_buf_str(&utf8), utf8.len) || cut;
    }
    body->cut = body->cut || cut;
    return 0;
}

void tkt_part_text_add(struct tkt_buf *out, const struct tkt_buf *utf8, bool is_html,
                       size_t text_max, struct tkt_body *body)
{
    bool cut = is_html ? add_html(out, utf8, text_max, body)
                       : add_clean(out, tkt_buf_str(utf8), utf8->len);

    body->cut = body->cut || cut || utf8->failed;
}
