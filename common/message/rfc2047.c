/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/rfc2047.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/charset.h"
#include "message/detect.h"
#include "message/transfer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define CHARSET_MAX 75

struct word {
    const char *charset;
    size_t charset_len;
    char encoding; /* 'b' or 'q' */
    const char *text;
    size_t text_len;
    size_t used;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_hex(char c)
{
    return strchr("0123456789ABCDEFabcdef", c) != NULL && c != '\0';
}

/* "=?" charset ["*" language] "?" encoding "?"; sets all but the text. */
static bool parse_start(const char *p, size_t n, struct word *w)
{
    if (n < 6 || p[0] != '=' || p[1] != '?') {
        return false;
    }
    const char *end = p + n;
    const char *mark = memchr(p + 2, '?', TKT_MIN(n - 2, CHARSET_MAX + 1));
    if (mark == NULL || end - mark < 3 || mark[2] != '?') {
        return false;
    }
    w->charset = p + 2;
    w->charset_len = (size_t)(mark - w->charset);
    for (size_t i = 0; i < w->charset_len; i++) {
        if (is_blank(w->charset[i])) {
            return false;
        }
    }
    const char *star = w->charset_len == 0 ? NULL : memchr(p + 2, '*', w->charset_len);
    if (star != NULL) {
        w->charset_len = (size_t)(star - w->charset);
    }
    w->encoding = (char)(mark[1] | 0x20);
    w->text = mark + 3;
    return w->encoding == 'b' || w->encoding == 'q';
}

/* Whether another "?=" comes before the next blank. */
static bool closes_later(const char *p, const char *end)
{
    for (; p + 1 < end && !is_blank(*p); p++) {
        if (p[0] == '?' && p[1] == '=') {
            return true;
        }
    }
    return false;
}

/* "=?utf-8?Q?Really??=" and "=?utf-8?Q?a?=3Db?=": not every '?' is written as =3F. */
static const char *find_close(const struct word *w, const char *end)
{
    struct word next;

    for (const char *p = w->text; p < end && (p = memchr(p, '?', (size_t)(end - p)));
         p++) {
        bool closes = p + 1 < end && p[1] == '=';
        if (w->encoding == 'b') {
            return closes || p + 1 == end ? p : NULL;
        }
        if (p > w->text && p[-1] == '=' &&
            parse_start(p - 1, (size_t)(end - p + 1), &next)) {
            return NULL; /* another word begins, this one never ended */
        }
        bool escape = end - p > 3 && is_hex(p[2]) && is_hex(p[3]);
        if (closes && !(escape && closes_later(p + 4, end))) {
            return p;
        }
    }
    return NULL;
}

/* A field that was cut off in its last word. */
static bool is_rest_of_word(const struct word *w, const char *end)
{
    for (const char *p = w->text; p < end; p++) {
        bool digit = is_hex(*p) || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') ||
                     *p == '+' || *p == '/' || *p == '=';
        if (is_blank(*p) || (w->encoding == 'b' && !digit) || *p == '?') {
            return false;
        }
    }
    return end > w->text;
}

/* Blanks in the text are taken as they come: half of the world's Q encoders write them. */
static bool parse_word(const char *p, size_t n, struct word *w)
{
    const char *end = p + n;

    if (!parse_start(p, n, w)) {
        return false;
    }
    const char *close = find_close(w, end);
    if (close == NULL && !is_rest_of_word(w, end)) {
        return false;
    }
    w->text_len = (size_t)((close == NULL ? end : close) - w->text);
    w->used = close == NULL ? n : TKT_MIN((size_t)(close + 2 - p), n);
    return true;
}

/* The "Q" encoding: quoted-printable without line breaks, and '_' for a blank. */
static void add_q(struct tkt_buf *raw, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char byte = 0;
        if (p[i] == '=' && n - i > 2 && tkt_hex_decode(p + i + 1, 2, &byte, 1) == 1) {
            tkt_buf_addc(raw, byte);
            i += 2;
        } else {
            tkt_buf_addc(raw, p[i] == '_' ? ' ' : p[i]);
        }
    }
}

/* The bytes of neighbours in one charset, in two readings: each word's base64 by itself,
 * and all of it as one stream, because some senders cut that anywhere. */
struct run {
    struct tkt_buf apart;
    struct tkt_buf joined;
    struct tkt_transfer stream;
    bool ragged;     /* a word that is not the last ended inside a group of four ... */
    bool impossible; /* ... with a digit that alone is no byte */
    size_t pending;  /* digits that the last word ended with */
};

static size_t open_digits(const struct word *w)
{
    size_t digits = 0;

    for (size_t i = 0; i < w->text_len; i++) {
        if (w->text[i] == '=') {
            return 0;
        }
        digits += is_blank(w->text[i]) ? 0 : 1;
    }
    return digits % 4;
}

/* Buffers are as large as the field: they never fill. */
static void add_word(struct run *r, const struct word *w)
{
    struct tkt_transfer t;

    r->ragged = r->ragged || r->pending > 0;
    r->impossible = r->impossible || r->pending == 1;
    r->pending = w->encoding == 'b' ? open_digits(w) : 0;
    if (w->encoding == 'q') {
        (void)tkt_transfer_end(&r->stream, &r->joined);
        tkt_transfer_init(&r->stream, TKT_TRANSFER_BASE64);
        add_q(&r->apart, w->text, w->text_len);
        add_q(&r->joined, w->text, w->text_len);
        return;
    }
    tkt_transfer_init(&t, TKT_TRANSFER_BASE64);
    (void)tkt_transfer_feed(&t, w->text, w->text_len, &r->apart);
    (void)tkt_transfer_end(&t, &r->apart);
    (void)tkt_transfer_feed(&r->stream, w->text, w->text_len, &r->joined);
}

static void end_run(struct run *r, const struct word *w, struct tkt_buf *out)
{
    (void)tkt_transfer_end(&r->stream, &r->joined);
    const struct tkt_buf *raw = &r->apart;
    if (r->impossible) {
        raw = &r->joined;
    } else if (r->ragged && w->charset_len >= 3 && tkt_ascii_ieqn(w->charset, "utf", 3)) {
        size_t bad = tkt_utf8_count(tkt_buf_str(raw), raw->len).bad;
        size_t other = tkt_utf8_count(tkt_buf_str(&r->joined), r->joined.len).bad;
        raw = other < bad ? &r->joined : raw;
    }
    tkt_charset_add(out, w->charset, w->charset_len, tkt_buf_str(raw), raw->len, NULL);
    tkt_buf_reset(&r->apart);
    tkt_buf_reset(&r->joined);
    tkt_transfer_init(&r->stream, TKT_TRANSFER_BASE64);
    r->ragged = r->impossible = false;
    r->pending = 0;
}

static bool same_charset(const struct word *a, const struct word *b)
{
    return a->charset_len == b->charset_len &&
           tkt_ascii_ieqn(a->charset, b->charset, a->charset_len);
}

size_t tkt_rfc2047_run(struct tkt_buf *out, const char *p, size_t n)
{
    struct word w;

    if (!parse_word(p, n, &w)) {
        return 0;
    }
    struct run r = {.apart = TKT_BUF_INIT(n), .joined = TKT_BUF_INIT(n)};
    tkt_transfer_init(&r.stream, TKT_TRANSFER_BASE64);
    size_t used = w.used;
    add_word(&r, &w);
    for (;;) {
        size_t at = used;
        struct word next;
        while (at < n && is_blank(p[at])) {
            at++;
        }
        if (!parse_word(p + at, n - at, &next)) {
            break;
        }
        if (!same_charset(&w, &next)) {
            end_run(&r, &w, out);
        }
        w = next;
        add_word(&r, &w);
        used = at + w.used;
    }
    end_run(&r, &w, out);
    tkt_buf_release(&r.apart);
    tkt_buf_release(&r.joined);
    return used;
}

size_t tkt_header_unfold(char *p, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c == '\r' || c == '\n') {
            continue;
        }
        p[len++] = (c < ' ' && c != '\t') || c == 0x7f ? ' ' : (char)c;
    }
    return len;
}

/* The text decoded may hold line ends and controls again (=?utf-8?Q?a=0D=0Ab?=). */
void tkt_header_blank(struct tkt_buf *out, size_t from)
{
    for (size_t i = from; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if (c < ' ' || c == 0x7f) {
            out->data[i] = ' ';
        }
    }
}

/* The bytes of a field on one line. ISO-2022 is read first: its escapes are controls, and
 * its characters may look like line ends of ours. */
static bool flatten(struct tkt_buf *flat, const char *value, size_t n)
{
    bool escapes = n > 0 && memchr(value, 0x1b, n) != NULL;

    if (escapes) {
        tkt_charset_guess(flat, value, n);
    } else {
        tkt_buf_add(flat, value, n);
    }
    if (flat->failed) {
        return false;
    }
    flat->len = flat->len == 0 ? 0 : tkt_header_unfold(flat->data, flat->len);
    return true;
}

void tkt_header_text(struct tkt_buf *out, const char *hint, const char *value, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf flat = TKT_BUF_INIT(4 * n + 4);

    if (!flatten(&flat, value, n)) {
        out->failed = true;
        return;
    }
    const char *p = tkt_buf_str(&flat);
    tkt_charset_add_picked(out, tkt_charset_pick(hint, p, flat.len), p, flat.len);
}

void tkt_rfc2047_add_near(struct tkt_buf *out, const char *hint, const char *value,
                          size_t n)
{
    TKT_AUTO_BUF struct tkt_buf flat = TKT_BUF_INIT(4 * n + 4);
    size_t from = out->len;

    if (!flatten(&flat, value, n)) {
        out->failed = true;
        return;
    }
    const char *p = tkt_buf_str(&flat);
    const char *picked = tkt_charset_pick(hint, p, flat.len);
    size_t start = 0;
    size_t i = 0;
    while (i < flat.len) {
        const char *eq = memchr(p + i, '=', flat.len - i);
        i = eq == NULL ? flat.len : (size_t)(eq - p);
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(8 * n);
        size_t used = i < flat.len ? tkt_rfc2047_run(&text, eq, flat.len - i) : 0;
        if (used > 0 || i == flat.len) {
            tkt_charset_add_picked(out, picked, p + start, i - start);
            tkt_buf_add(out, tkt_buf_str(&text), text.len);
            i += used;
            start = i;
        } else {
            i++;
        }
    }
    tkt_header_blank(out, from);
    tkt_header_compose(out, from);
}

void tkt_rfc2047_add(struct tkt_buf *out, const char *value, size_t n)
{
    tkt_rfc2047_add_near(out, "", value, n);
}

/* ---- normal form ---- */

/* Whether there is a mark that may belong to the letter before it: combining accents,
 * Korean letters apart, Japanese voice marks. */
static bool has_marks(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;

    for (size_t i = 0; i + 1 < n; i++) {
        bool accent = p[i] == 0xcc || (p[i] == 0xcd && p[i + 1] < 0xb0);
        bool jamo = p[i] == 0xe1 && p[i + 1] >= 0x84 && p[i + 1] <= 0x87;
        bool voice = i + 2 < n && p[i] == 0xe3 && p[i + 1] == 0x82 &&
                     (p[i + 2] == 0x99 || p[i + 2] == 0x9a);
        if (accent || jamo || voice) {
            return true;
        }
    }
    return false;
}

void tkt_header_compose(struct tkt_buf *b, size_t from)
{
    utf8proc_uint8_t *composed = NULL;

    if (b->failed || b->len <= from || !has_marks(b->data + from, b->len - from)) {
        return;
    }
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)b->data + from,
                                      (utf8proc_ssize_t)(b->len - from), &composed,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (n >= 0 && (size_t)n <= b->max - from) {
        b->len = from;
        tkt_buf_add(b, composed, (size_t)n);
    }
    free(composed);
}
