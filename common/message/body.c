/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/body.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/blocks.h"
#include "message/charset.h"
#include "message/content.h"
#include "message/html.h"

#include <string.h>

#define PEEK 4096 /* of an alternative: is there any text in it? */

static bool is_type(const struct tkt_part *p, const char *type)
{
    return strcmp(tkt_part_type(p), type) == 0;
}

/* As much as fits; enough when it is full. */
static int take_head(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    struct tkt_buf *out = arg;
    size_t room = out->max - out->len;

    if (tkt_buf_add(out, p, TKT_MIN(n, room)) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    return out->len == out->max;
}

int tkt_body_head(const struct tkt_message_source *src, const struct tkt_part *part,
                  struct tkt_buf *out, struct tkt_err *err)
{
    return tkt_content_walk(src, part, take_head, out, err);
}

bool tkt_body_is_text(const struct tkt_scan *scan, size_t part)
{
    const struct tkt_part *p = &scan->parts[part];
    bool has_name = p->mime.name != NULL && p->mime.name[0] != '\0';

    return !p->is_multipart && (is_type(p, "text/plain") || is_type(p, "text/html")) &&
           p->mime.disposition != TKT_DISPOSITION_ATTACHMENT && (!has_name || part == 0);
}

/* The innermost multipart/alternative around a part, or -1. */
static int alternative_of(const struct tkt_scan *scan, size_t part)
{
    int i = scan->parts[part].parent;

    while (i >= 0 && !is_type(&scan->parts[i], "multipart/alternative")) {
        i = scan->parts[i].parent;
    }
    return i;
}

static bool is_blank(const struct tkt_buf *b)
{
    return strspn(tkt_buf_str(b), " \t\r\n") == b->len;
}

/* For each alternative: whether one of its plain parts holds text. */
static int find_plain(const struct tkt_message_source *src, const struct tkt_scan *scan,
                      bool *has_plain, struct tkt_err *err)
{
    for (size_t i = 0; i < scan->part_count; i++) {
        int a = alternative_of(scan, i);
        if (a < 0 || has_plain[a] || !tkt_body_is_text(scan, i) ||
            !is_type(&scan->parts[i], "text/plain")) {
            continue;
        }
        TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(PEEK);
        if (tkt_blocks_walk_text(src, &scan->parts[i], take_head, &head, err) < 0) {
            return -1;
        }
        has_plain[a] = !is_blank(&head);
    }
    return 0;
}

/* Appends in with plain line ends and without control bytes; cut where out is full. */
static bool add_clean(struct tkt_buf *out, const char *p, size_t n)
{
    size_t room = out->max - out->len;

    for (size_t i = 0; i < n && room > 0;) {
        size_t len = 0;
        while (i + len < n &&
               ((unsigned char)p[i + len] >= ' ' || p[i + len] == '\n' ||
                p[i + len] == '\t') &&
               p[i + len] != 0x7f) {
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

static void trim_end(struct tkt_buf *b, size_t from)
{
    while (b->len > from && strchr(" \t\n", b->data[b->len - 1]) != NULL) {
        b->data[--b->len] = '\0';
    }
}

/* One text part: bytes, then characters, then for HTML its text. */
static int add_part(const struct tkt_message_source *src, struct tkt_scan *scan,
                    size_t part, struct tkt_buf *out, struct tkt_body *body,
                    struct tkt_err *err)
{
    const struct tkt_part *p = &scan->parts[part];
    size_t cap = scan->limits->text_max;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(cap);
    TKT_AUTO_BUF struct tkt_buf utf8 = TKT_BUF_INIT(4 * cap);
    bool known = true;

    if (tkt_blocks_walk_text(src, p, take_head, &raw, err) < 0) {
        return -1;
    }
    bool cut = raw.len == cap;
    const char *charset = p->mime.charset == NULL ? "" : p->mime.charset;
    tkt_charset_add(&utf8, charset, strlen(charset), tkt_buf_str(&raw), raw.len, &known);
    if (!known) {
        tkt_scan_problem(scan, "charset: unknown \"%.40s\", guessed", charset);
    }
    tkt_buf_release(&raw);
    if (is_type(p, "text/html")) {
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * cap);
        struct tkt_html_notes notes = {.marks = &body->marks};
        size_t first = body->marks.count;
        size_t at = out->len;
        tkt_html_text(&text, tkt_buf_str(&utf8), utf8.len, &notes);
        cut = add_clean(out, tkt_buf_str(&text), text.len) || text.failed || cut;
        for (size_t i = first; i < body->marks.count; i++) {
            body->marks.items[i].offset += (uint32_t)at;
        }
        body->has_hidden = body->has_hidden || notes.has_hidden;
    } else {
        cut = add_clean(out, tkt_buf_str(&utf8), utf8.len) || utf8.failed || cut;
    }
    body->cut = body->cut || cut;
    return 0;
}

int tkt_body_text(const struct tkt_message_source *src, struct tkt_scan *scan,
                  struct tkt_buf *out, struct tkt_body *body, struct tkt_err *err)
{
    TKT_AUTO_FREE bool *has_plain = calloc(scan->part_count + 1, sizeof(*has_plain));

    memset(body, 0, sizeof(*body));
    if (has_plain == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (find_plain(src, scan, has_plain, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < scan->part_count; i++) {
        if (!tkt_body_is_text(scan, i)) {
            continue;
        }
        if (tkt_scan_out_of_time(scan)) {
            body->cut = true;
            return 0;
        }
        bool html = is_type(&scan->parts[i], "text/html");
        int a = alternative_of(scan, i);
        body->has_html = body->has_html || html;
        if (a >= 0 && html == has_plain[a]) {
            continue; /* the other form of it is taken */
        }
        if (out->len == out->max) {
            body->cut = true;
            continue;
        }
        size_t from = out->len;
        if (from > 0 && out->max - from > 2) {
            tkt_buf_adds(out, "\n\n");
        }
        size_t before = out->len;
        if (add_part(src, scan, i, out, body, err) < 0) {
            return -1;
        }
        trim_end(out, before);
        if (out->len == before && from > 0) {
            out->len = from;
            out->data[from] = '\0';
        }
    }
    for (size_t i = 0; i < body->marks.count; i++) {
        struct tkt_mark *m = &body->marks.items[i];
        m->offset = TKT_MIN(m->offset, (uint32_t)out->len);
    }
    return 0;
}
