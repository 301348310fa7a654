/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/wordfold.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Everything with case or composition but a few blocks lies below; above it is folded when
 * it comes along, but for scripts that have neither. */
#define TABLE_MAX 0x3400
#define POOL_MAX 255
#define ONE_MAX (TKT_WORDFOLD_GROWTH * 4)

struct entry {
    uint32_t at; /* in the pool */
    uint8_t len;
};

struct tkt_wordfold {
    struct entry table[TABLE_MAX];
    struct tkt_buf pool;
    char ascii[128];
};

static bool is_blank(utf8proc_int32_t c)
{
    if (c < 0x80) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return true;
    default:
        return c == 0x85;
    }
}

/* What NFKD leaves apart though people and programs mean the same by it. */
static utf8proc_int32_t plain(utf8proc_int32_t c)
{
    if (c == 0x2018 || c == 0x2019 || c == 0x201b || c == 0x2032 || c == 0xb4) {
        return '\'';
    }
    if (c >= 0x201c && c <= 0x201f) {
        return '"';
    }
    return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 ? '-' : c;
}

/* Scripts without case whose characters are whole. */
static bool is_itself(utf8proc_int32_t c)
{
    return (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) ||
           (c >= 0x20000 && c <= 0x3fffd);
}

/* One character folded; blanks become one ' '. */
static size_t fold_char(utf8proc_int32_t c, char out[ONE_MAX])
{
    utf8proc_int32_t parts[TKT_WORDFOLD_GROWTH];
    int last = 0;
    size_t n = 0;

    c = plain(c);
    if (is_blank(c)) {
        out[0] = ' ';
        return 1;
    }
    utf8proc_ssize_t count = 1;
    parts[0] = c;
    if (!is_itself(c)) {
        count = utf8proc_decompose_char(c, parts, TKT_WORDFOLD_GROWTH,
                                        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT |
                                            UTF8PROC_CASEFOLD | UTF8PROC_IGNORE,
                                        &last);
    }
    if (count < 0 || count > TKT_WORDFOLD_GROWTH) { /* none is that long: as it is */
        parts[0] = c;
        count = 1;
    }
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        utf8proc_int32_t p = plain(parts[i]);
        if (is_blank(p)) {
            out[n++] = ' ';
        } else {
            n += (size_t)utf8proc_encode_char(p, (utf8proc_uint8_t *)out + n);
        }
    }
    return n;
}

struct tkt_wordfold *tkt_wordfold_new(void)
{
    struct tkt_wordfold *f = calloc(1, sizeof(*f));
    char one[ONE_MAX];

    if (f == NULL) {
        return NULL;
    }
    tkt_buf_init(&f->pool, TABLE_MAX * 8);
    for (utf8proc_int32_t c = 0; c < TABLE_MAX; c++) {
        size_t n = c >= 0xd800 && c <= 0xdfff ? 0 : fold_char(c, one);
        f->table[c] = (struct entry){.at = (uint32_t)f->pool.len, .len = (uint8_t)n};
        if (tkt_buf_add(&f->pool, one, n) < 0) {
            tkt_wordfold_free(&f);
            return NULL;
        }
    }
    for (int c = 0; c < 128; c++) {
        f->ascii[c] = is_blank(c) ? ' ' : (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return f;
}

void tkt_wordfold_free(struct tkt_wordfold **fold)
{
    if (*fold != NULL) {
        tkt_buf_release(&(*fold)->pool);
        free(*fold);
        *fold = NULL;
    }
}

/* Appends n bytes, of blanks only the first of a run. */
static char *put(char *to, const char *start, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] != ' ' || to == start || to[-1] != ' ') {
            *to++ = s[i];
        }
    }
    return to;
}

static size_t decode(const char *s, size_t n, utf8proc_int32_t *c)
{
    utf8proc_ssize_t len =
        utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, c);

    if (len <= 0) {
        *c = -1;
        return 1;
    }
    return (size_t)len;
}

static char *put_char(const struct tkt_wordfold *f, char *to, const char *start,
                      const char **s, const char *end)
{
    utf8proc_int32_t c;
    char one[ONE_MAX];
    const char *at = *s;

    *s += decode(at, (size_t)(end - at), &c);
    if (c < 0) {
        return put(to, start, at, 1);
    }
    if (c < TABLE_MAX) {
        return put(to, start, tkt_buf_str(&f->pool) + f->table[c].at, f->table[c].len);
    }
    return put(to, start, one, fold_char(c, one));
}

/* Room is asked for once a piece, for the worst that a piece can become. */
#define PIECE 256

int tkt_wordfold_add(const struct tkt_wordfold *fold, const char *s, size_t n,
                     struct tkt_buf *out)
{
    const char *end = s + n;
    size_t from = out->len;

    while (s < end) {
        size_t left = (size_t)(end - s);
        if (tkt_buf_reserve(out, left + PIECE * TKT_WORDFOLD_GROWTH + 8) < 0) {
            return -1;
        }
        char *start = out->data + from;
        char *to = out->data + out->len;
        char *full = out->data + out->cap - (TKT_WORDFOLD_GROWTH * 4 + 8);
        while (s < end && to < full) {
            unsigned char c = (unsigned char)*s;
            if (c >= 0x80) {
                to = put_char(fold, to, start, &s, end);
                continue;
            }
            char folded = fold->ascii[c];
            *to = folded;
            to += folded != ' ' || to == start || to[-1] != ' ';
            s++;
        }
        out->len = (size_t)(to - out->data);
    }
    return 0;
}

/* ---- words ---- */

size_t tkt_wordfold_char(const char *p, const char *end)
{
    size_t n = 1;

    while (p + n < end && ((unsigned char)p[n] & 0xc0) == 0x80) {
        n++;
    }
    return n;
}

/* Written without blanks between words. */
static bool is_unparted(utf8proc_int32_t c)
{
    return (c >= 0x2e80 && c <= 0x9fff && !(c >= 0x3200 && c <= 0x33ff)) ||
           (c >= 0x20000 && c <= 0x3fffd) || (c >= 0xe00 && c <= 0xeff) ||
           (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff);
}

static bool is_word(utf8proc_int32_t c)
{
    if (c < 0x80) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    }
    if (is_unparted(c)) {
        return false;
    }
    utf8proc_category_t k = utf8proc_category(c);
    return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO;
}

bool tkt_wordfold_is_word_at(const char *p, const char *end)
{
    utf8proc_int32_t c;

    if (p >= end) {
        return false;
    }
    if ((unsigned char)*p < 0x80) {
        return is_word(*p);
    }
    decode(p, (size_t)(end - p), &c);
    return c >= 0 && is_word(c);
}

bool tkt_wordfold_is_word_before(const char *p, const char *start)
{
    const char *at = p;

    if (p <= start) {
        return false;
    }
    do {
        at--;
    } while (at > start && p - at < 4 && ((unsigned char)*at & 0xc0) == 0x80);
    return tkt_wordfold_is_word_at(at, p);
}
