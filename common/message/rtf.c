/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/rtf.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/charset.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- compression ---- */

#define DICTIONARY 4096
#define HEADER_LEN 16
#define COMPRESSED 0x75465a4c
#define STORED 0x414c454d

/* What the dictionary holds at the start (MS-OXRTFCP 2.1.2.1). */
static const char prefilled[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss "
    "\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
    "{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

static uint32_t u32_at(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

struct unpacking {
    char ring[DICTIONARY];
    size_t at;
    struct tkt_buf *out;
};

static void put_byte(struct unpacking *u, char c)
{
    tkt_buf_addc(u->out, c);
    u->ring[u->at] = c;
    u->at = (u->at + 1) % DICTIONARY;
}

/* A reference: 12 bits of place, 4 of length. False: the one that ends it. */
static bool copy_reference(struct unpacking *u, const unsigned char *p)
{
    size_t from = (size_t)p[0] << 4 | p[1] >> 4;
    size_t len = (size_t)(p[1] & 15) + 2;

    if (from == u->at) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        put_byte(u, u->ring[(from + i) % DICTIONARY]);
    }
    return true;
}

void tkt_rtf_decompress(struct tkt_buf *out, const void *data, size_t n)
{
    const unsigned char *p = data;
    struct unpacking u = {.at = sizeof(prefilled) - 1, .out = out};

    if (n < HEADER_LEN) {
        return;
    }
    uint32_t magic = u32_at(p + 8);
    size_t i = HEADER_LEN;
    if (magic == STORED) {
        tkt_buf_add(out, p + i, TKT_MIN(n - i, out->max - out->len));
        return;
    }
    memcpy(u.ring, prefilled, sizeof(prefilled) - 1);
    while (magic == COMPRESSED && i < n && !out->failed) {
        unsigned flags = p[i++];
        for (unsigned bit = 0; bit < 8 && i < n && !out->failed; bit++, flags >>= 1) {
            if ((flags & 1) == 0) {
                put_byte(&u, (char)p[i++]);
                continue;
            }
            if (n - i < 2 || !copy_reference(&u, p + i)) {
                return;
            }
            i += 2;
        }
    }
}

/* ---- text ---- */

struct group {
    bool is_skipped; /* fonts, colours, pictures: no text */
    unsigned unicode_skip;
};

struct reader {
    const char *p;
    const char *end;
    struct group groups[TKT_RTF_DEPTH_MAX];
    size_t depth;
    size_t too_deep;
    bool is_star; /* "\*" before the word: unknown words make the group be skipped */
    bool is_html;
    bool is_rtf_only; /* between \htmlrtf and \htmlrtf0 */
    unsigned skip;    /* characters behind a \u that stand for it */
    char charset[16];
    struct tkt_buf raw; /* bytes that are not converted yet */
    struct tkt_buf *out;
};

static struct group *top(struct reader *r)
{
    return &r->groups[r->depth];
}

static void flush(struct reader *r)
{
    if (r->raw.len > 0) {
        tkt_charset_add(r->out, r->charset, strlen(r->charset), r->raw.data, r->raw.len,
                        NULL);
        tkt_buf_reset(&r->raw);
    }
}

static bool is_silent(struct reader *r)
{
    return top(r)->is_skipped || r->is_rtf_only || r->too_deep > 0;
}

static void put(struct reader *r, char c)
{
    if (r->skip > 0) {
        r->skip--;
    } else if (!is_silent(r)) {
        tkt_buf_addc(&r->raw, c);
    }
}

static void put_text(struct reader *r, const char *utf8)
{
    if (!is_silent(r)) {
        flush(r);
        tkt_buf_adds(r->out, utf8);
    }
}

static void put_unicode(struct reader *r, long v)
{
    uint32_t c = (uint32_t)(v < 0 ? v + 65536 : v);
    char s[5] = "?"; /* halves of a pair: rare, and never alone */

    if (c < 0x10000 && (c < 0xd800 || c > 0xdfff)) {
        s[tkt_utf8_put(c, s)] = '\0';
    }
    put_text(r, s);
    r->skip = top(r)->unicode_skip;
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void on_break(struct reader *r, const char *word)
{
    static const char *const lines[] = {"par", "line", "row", "sect", "page"};
    static const struct {
        const char *word;
        const char *text;
    } signs[] = {{"tab", "\t"},
                 {"cell", "\t"},
                 {"emdash", "\xe2\x80\x94"},
                 {"endash", "\xe2\x80\x93"},
                 {"bullet", "\xe2\x80\xa2"},
                 {"lquote", "\xe2\x80\x98"},
                 {"rquote", "\xe2\x80\x99"},
                 {"ldblquote", "\xe2\x80\x9c"},
                 {"rdblquote", "\xe2\x80\x9d"}};

    if (is_one_of(word, lines, TKT_ARRAY_LEN(lines))) {
        put_text(r, "\n");
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(signs); i++) {
        if (strcmp(word, signs[i].word) == 0) {
            put_text(r, signs[i].text);
        }
    }
}

static void on_word(struct reader *r, const char *word, bool has_value, long value)
{
    static const char *const no_text[] = {
        "fonttbl", "colortbl", "stylesheet", "info",      "pict",      "object",
        "header",  "footer",   "listtable",  "themedata", "generator", "xmlnstbl"};

    if (strcmp(word, "htmltag") == 0) {
        /* A star before it or not: what the group holds is the HTML */
    } else if (strcmp(word, "fromhtml") == 0) {
        r->is_html = true;
    } else if (strcmp(word, "htmlrtf") == 0) {
        r->is_rtf_only = !has_value || value != 0;
    } else if (r->is_star || is_one_of(word, no_text, TKT_ARRAY_LEN(no_text))) {
        top(r)->is_skipped = true;
    } else if (strcmp(word, "ansicpg") == 0 && value > 0 && value < 100000) {
        flush(r);
        (void)snprintf(r->charset, sizeof(r->charset), value == 65001 ? "utf-8" : "cp%ld",
                       value);
    } else if (strcmp(word, "uc") == 0) {
        top(r)->unicode_skip = value >= 0 && value < 16 ? (unsigned)value : 1;
    } else if (strcmp(word, "u") == 0 && has_value) {
        put_unicode(r, value);
    } else {
        on_break(r, word);
    }
    r->is_star = false;
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c | 32 : c);

    return at == NULL ? -1 : (int)(at - digits);
}

/* "\word", "\word-12 ", "\'e4", "\{". p stands behind the backslash. */
static void read_control(struct reader *r)
{
    char word[32];
    size_t n = 0;

    if (r->p == r->end) {
        return;
    }
    char c = *r->p;
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
        r->p++;
        if (c == '\'' && r->end - r->p >= 2 && hex(r->p[0]) >= 0 && hex(r->p[1]) >= 0) {
            put(r, (char)(hex(r->p[0]) << 4 | hex(r->p[1])));
            r->p += 2;
        } else if (c == '*') {
            r->is_star = true;
        } else if (c == '~') {
            put_text(r, " ");
        } else if (c == '\n' || c == '\r') {
            put_text(r, "\n");
        } else if (c == '{' || c == '}' || c == '\\') {
            put(r, c);
        }
        return;
    }
    while (r->p < r->end &&
           ((*r->p >= 'a' && *r->p <= 'z') || (*r->p >= 'A' && *r->p <= 'Z'))) {
        if (n + 1 < sizeof(word)) {
            word[n++] = *r->p;
        }
        r->p++;
    }
    word[n] = '\0';
    bool is_negative = r->p < r->end && *r->p == '-';
    r->p += is_negative ? 1 : 0;
    const char *digits = r->p;
    long value = 0;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
        value = value < 1000000 ? value * 10 + (*r->p - '0') : value;
    }
    bool has_value = r->p > digits;
    r->p += r->p < r->end && *r->p == ' ' ? 1 : 0;
    on_word(r, word, has_value, is_negative ? -value : value);
}

static void open_group(struct reader *r)
{
    if (r->depth + 1 == TKT_RTF_DEPTH_MAX) {
        r->too_deep++;
        return;
    }
    r->groups[r->depth + 1] = r->groups[r->depth];
    r->depth++;
    r->is_star = false;
}

static void close_group(struct reader *r)
{
    if (r->too_deep > 0) {
        r->too_deep--;
    } else if (r->depth > 0) {
        r->depth--;
    }
    r->skip = 0;
}

void tkt_rtf_text(struct tkt_buf *out, const char *rtf, size_t n, bool *is_html)
{
    struct reader r = {.p = rtf,
                       .end = rtf + n,
                       .groups = {{.unicode_skip = 1}},
                       .charset = "cp1252",
                       .raw = TKT_BUF_INIT(n + 16),
                       .out = out};

    while (r.p < r.end && !out->failed && !r.raw.failed) {
        char c = *r.p++;
        if (c == '\\') {
            read_control(&r);
        } else if (c == '{') {
            open_group(&r);
        } else if (c == '}') {
            close_group(&r);
        } else if (c != '\r' && c != '\n' && c != '\0') {
            put(&r, c);
        }
    }
    flush(&r);
    tkt_buf_release(&r.raw);
    *is_html = r.is_html;
}
