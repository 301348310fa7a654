/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/features.h"

#include "base/enc.h"
#include "base/util.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

/* FNV-1a, 64 bits; each view has a start of its own. */
#define HASH_START UINT64_C(14695981039346656037)
#define HASH_STEP UINT64_C(1099511628211)
#define PIECE_START (HASH_START + 12345)
#define PAIR_STEP UINT64_C(0x9E3779B97F4A7C15)
/* Pieces that begin at each character and at the blank in front of a word; a word itself
 * and a pair. */
#define PER_BYTE (TKT_FEATURES_PIECE_MAX - TKT_FEATURES_PIECE_MIN + 1)
#define PER_WORD 2
#define FIRST_WITHOUT_BLANKS 0xe00 /* Thai, Lao ... Chinese, Japanese: no blanks there */

/* The upper half of a 64-bit mix: FNV's low bits alone are weak. */
static uint32_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    return (uint32_t)h;
}

void tkt_features_release(struct tkt_features *f)
{
    tkt_buf_release(&f->folded);
    free(f->items);
    f->items = NULL;
    f->count = 0;
    f->cap = 0;
}

void tkt_features_reset(struct tkt_features *f)
{
    tkt_buf_reset(&f->folded);
    f->count = 0;
}

static bool is_word_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_word_char(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    default:
        return false;
    }
}

/* Appends to one word; beyond its maximum nothing happens. */
struct folding {
    struct tkt_buf *to;
    size_t word; /* where the present word begins; to->len: none has begun */
};

static int end_word(struct folding *f)
{
    if (f->to->len == f->word) {
        return 0;
    }
    if (tkt_buf_addc(f->to, ' ') < 0) {
        return -1;
    }
    f->word = f->to->len;
    return 0;
}

static int add_char(struct folding *f, const char *bytes, size_t n)
{
    if (f->to->len - f->word + n > TKT_FEATURES_WORD_MAX) {
        return 0;
    }
    return tkt_buf_add(f->to, bytes, n);
}

/* A word or several, of which not all is ASCII. */
static int fold_wide(struct folding *f, const char *s, size_t n)
{
    TKT_AUTO_FREE utf8proc_uint8_t *mapped = NULL;
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE |
                                  UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    utf8proc_ssize_t len =
        utf8proc_map((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &mapped, how);

    if (len < 0) { /* broken UTF-8 parts words; no memory looks the same and is rare */
        return end_word(f);
    }
    for (utf8proc_ssize_t i = 0; i < len;) {
        utf8proc_int32_t c = 0;
        utf8proc_ssize_t step = utf8proc_iterate(mapped + i, len - i, &c);
        if (step <= 0) {
            return end_word(f);
        }
        bool is_word = is_word_char(c);
        bool is_full = f->to->len - f->word + (size_t)step > TKT_FEATURES_WORD_MAX;
        if ((!is_word || (is_full && c >= FIRST_WITHOUT_BLANKS)) && end_word(f) < 0) {
            return -1;
        }
        if (is_word && add_char(f, (const char *)mapped + i, (size_t)step) < 0) {
            return -1;
        }
        i += step;
    }
    return 0;
}

/* How many bytes from s on hold no ASCII byte that parts words; *wide: not all ASCII. */
static size_t word_length(const char *s, size_t n, bool *wide)
{
    size_t i = 0;
    unsigned char all = 0;

    for (; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x80 && !is_word_byte(c)) {
            break;
        }
        all |= c;
    }
    *wide = (all & 0x80) != 0;
    return i;
}

/* -1: no memory. A text whose folded form is too long is cut: the buffer has failed. */
static int fold(struct tkt_buf *to, const char *text, size_t n)
{
    struct folding f = {to, 0};

    if (tkt_buf_reserve(to, TKT_MIN(n + 2, to->max - to->len)) < 0) {
        return -1;
    }
    if (tkt_buf_addc(to, ' ') < 0) {
        return 0;
    }
    f.word = to->len;
    for (size_t i = 0; i < n;) {
        bool wide = false;
        size_t len = word_length(text + i, n - i, &wide);
        int rc = 0;
        if (wide) {
            rc = fold_wide(&f, text + i, len);
        } else {
            size_t from = to->len;
            rc = add_char(&f, text + i, TKT_MIN(len, TKT_FEATURES_WORD_MAX));
            for (size_t k = from; rc == 0 && k < to->len; k++) {
                if (to->data[k] >= 'A' && to->data[k] <= 'Z') {
                    to->data[k] = (char)(to->data[k] | 0x20);
                }
            }
        }
        if (rc < 0 || end_word(&f) < 0) {
            return 0;
        }
        i += len + 1;
    }
    return 0;
}

static void put(struct tkt_features *f, uint64_t hash, size_t at, size_t len,
                enum tkt_view view, uint8_t zone)
{
    f->items[f->count++] =
        (struct tkt_feature){mix(hash), (uint32_t)at, (uint16_t)len, view, zone};
}

static bool begins_char(unsigned char c)
{
    return (c & 0xc0) != 0x80;
}

/* The pieces of the word at [from, to), a blank on each side belongs to it. */
static void add_pieces(struct tkt_features *f, size_t from, size_t to, uint8_t zone)
{
    const unsigned char *s = (const unsigned char *)f->folded.data;

    for (size_t start = from - 1; start < to; start++) {
        if (!begins_char(s[start])) {
            continue;
        }
        uint64_t h = PIECE_START;
        size_t at = start;
        for (unsigned chars = 1; chars <= TKT_FEATURES_PIECE_MAX && at <= to; chars++) {
            do {
                h = (h ^ s[at++]) * HASH_STEP;
            } while (at <= to && !begins_char(s[at]));
            if (chars >= TKT_FEATURES_PIECE_MIN) {
                put(f, h, start, at - start, TKT_VIEW_PIECES, zone);
            }
        }
    }
}

static int make_room(struct tkt_features *f, size_t bytes)
{
    /* A word has at least one byte and the blank behind it. */
    size_t want = f->count + bytes * PER_BYTE + (bytes / 2 + 1) * PER_WORD;

    if (want <= f->cap) {
        return 0;
    }
    struct tkt_feature *bigger = realloc(f->items, want * sizeof(*bigger));
    if (bigger == NULL) {
        return -1;
    }
    f->items = bigger;
    f->cap = want;
    return 0;
}

int tkt_features_add(struct tkt_features *f, const char *text, size_t n, uint8_t zone)
{
    size_t from = f->folded.len;

    n = n > TKT_FEATURES_TEXT_MAX ? tkt_utf8_cut(text, n, TKT_FEATURES_TEXT_MAX) : n;
    if (f->folded.failed || n == 0) {
        return 0;
    }
    if (fold(&f->folded, text, n) < 0 || make_room(f, f->folded.len - from) < 0) {
        return -1;
    }
    const char *s = f->folded.data;
    size_t end = f->folded.len; /* a word that was cut has no blank behind it: left out */
    uint64_t before = 0;
    size_t before_at = 0;
    for (size_t at = from + 1; at < end;) {
        const char *blank = memchr(s + at, ' ', end - at);
        if (blank == NULL) {
            break;
        }
        size_t to = (size_t)(blank - s);
        uint64_t h = HASH_START;
        for (size_t i = at; i < to; i++) {
            h = (h ^ (unsigned char)s[i]) * HASH_STEP;
        }
        put(f, h + 1, at, to - at, TKT_VIEW_WORDS, zone);
        if (before != 0) {
            put(f, (before * 31 + h) * PAIR_STEP, before_at, to - before_at,
                TKT_VIEW_WORDS, zone);
        }
        before = h;
        before_at = at;
        add_pieces(f, at, to, zone);
        at = to + 1;
    }
    return 0;
}
